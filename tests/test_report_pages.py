"""Reports of both programs and their comparison, end to end. Usage: test_report_pages.py FCNN_MNIST CNN_MNIST COMPARE_RUNS; writes TAP."""
import base64
import csv
import gzip
import json
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml
import zlib

FCNN, CNN, COMPARE = sys.argv[1:4]
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("MNIST_DIR", "XDG_DATA_HOME", "TG_ISA")}
ENVIRONMENT.update(HOME="/nonexistent", LC_ALL="C.UTF-8")
FIGURES = ["samples", "accuracy", "loss", "confusion", "mistakes", "seconds"]
SVG = "{http://www.w3.org/2000/svg}"


def write_data(folder):
    """Noise with a bright square that tells the class, but for one image in eight, which lies: so there are mistakes."""
    folder.mkdir()
    chance = random.Random(5)
    for stem, count in (("train", 720), ("t10k", 90)):
        labels = [chance.randrange(10) for _ in range(count)]
        pixels = bytearray()
        for i, label in enumerate(labels):
            image = bytearray(chance.randrange(60) for _ in range(784))
            shown = chance.randrange(10) if i % 8 == 7 else label
            for row in range(2 + shown // 4 * 9, 8 + shown // 4 * 9):
                image[row * 28 + 1 + shown % 4 * 7:row * 28 + 7 + shown % 4 * 7] = bytes([220] * 6)
            pixels += image
        for kind, shape, values in (("labels-idx1", (count,), labels), ("images-idx3", (count, 28, 28), pixels)):
            with gzip.open(folder / f"{stem}-{kind}-ubyte.gz", "wb") as out:
                out.write(struct.pack(">I", 0x800 + len(shape)) + struct.pack(f">{len(shape)}I", *shape) + bytes(values))


def run(command, code=0, **environment):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env={**ENVIRONMENT, **environment}, cwd=FOLDER,
                          timeout=300)
    assert done.returncode == code, f"{command} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done


def pixels_of(uri):
    """The rows of a grey PNG in a data URI, every check sum held to."""
    data = base64.b64decode(uri.removeprefix("data:image/png;base64,"), validate=True)
    assert data[:8] == b"\x89PNG\r\n\x1a\n"
    at, parts = 8, {}
    while at < len(data):
        length, kind = struct.unpack(">I4s", data[at:at + 8])
        body = data[at + 8:at + 8 + length]
        assert struct.unpack(">I", data[at + 8 + length:at + 12 + length])[0] == zlib.crc32(kind + body)
        parts[kind] = body
        at += 12 + length
    width, height = struct.unpack(">II", parts[b"IHDR"][:8])
    raw = zlib.decompress(parts[b"IDAT"])
    assert (width, height) == (28, 28) and len(raw) == 28 * 29 and all(raw[row * 29] == 0 for row in range(28))
    return b"".join(raw[row * 29 + 1:row * 29 + 29] for row in range(28))


def check_self_contained(path):
    text = path.read_text()
    xml.fromstring(text.replace("<!DOCTYPE html>", ""))
    for url in re.findall(r"""(?:https?:)?//[\w.-]+[^\s"'<]*""", re.sub(r"base64,[^\"]*", "", text)):
        assert url in ("http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink") or not url.startswith("http"), url
    assert not re.search(r"<(script|link|iframe|object|embed)\b|@import|url\(", text)
    for target in re.findall(r"""\b(?:src|href)="([^"]*)""", text):
        assert target.startswith("data:image/png;base64,"), target


def same_numbers_as_json_lines(program, name):
    report = FOLDER / "out" / "deep" / name
    lines = [json.loads(line) for line in run([program, "--data", DATA, "--epochs", 3, "--json", "--report", report]).stdout.splitlines()]
    rows = list(csv.DictReader(open(report / "history.csv")))
    assert list(rows[0]) == ["epoch", "accuracy", "loss", "val_accuracy", "val_loss", "seconds"]
    assert [int(row["epoch"]) for row in rows] == [0, 1, 2]
    for row, line in zip(rows, lines):
        assert all(float(row[key]) == line[key] for key in ("accuracy", "loss", "val_accuracy", "val_loss"))
        assert float(row["seconds"]) > 0
    metrics = json.loads((report / "metrics.json").read_text())
    for key in ("test_accuracy", "test_loss", "confusion", "model", "seed", "threads", "isa", "version", "data"):
        assert metrics[key] == lines[-1][key], key
    assert metrics["parameters"] == {FCNN: 84060, CNN: 34826}[program]
    assert metrics["seconds"] == float(rows[0]["seconds"]) + float(rows[1]["seconds"]) + float(rows[2]["seconds"])
    settings = metrics["settings"]
    assert settings["epochs"] == "3" and settings["optimizer"] == "adam" and settings["learning-rate"] == "0.001" and settings["seed"] == "1"
    assert ("hidden" in settings) == (program == FCNN)


def pages_and_figures(name):
    report = FOLDER / "out" / "deep" / name
    check_self_contained(report / "report.html")
    page = (report / "report.html").read_text()
    for figure in FIGURES + (["graph"] if (report / "graph.svg").exists() else []):
        tree = xml.parse(report / f"{figure}.svg").getroot()
        assert tree.tag == SVG + "svg"
        assert (report / f"{figure}.svg").read_text() in page, figure
    assert not list(report.glob("*.tmp*"))
    with gzip.open(DATA / "train-images-idx3-ubyte.gz") as images, gzip.open(DATA / "train-labels-idx1-ubyte.gz") as labels:
        pixels, classes = images.read()[16:], labels.read()[8:]
    samples = xml.parse(report / "samples.svg").getroot()
    shown = [pixels_of(image.get("href")) for image in samples.iter(SVG + "image")]
    assert shown == [pixels[i * 784:(i + 1) * 784] for i in range(4)]
    assert [text.text for text in samples.iter(SVG + "text")][1:] == [f"label {label}" for label in classes[:4]]
    metrics = json.loads((report / "metrics.json").read_text())
    wrong = 90 - sum(metrics["confusion"][i][i] for i in range(10))
    mistakes = xml.parse(report / "mistakes.svg").getroot()
    assert len(list(mistakes.iter(SVG + "image"))) == min(wrong, 12)
    certainties = [float(found) for found in re.findall(r"said \d: ([\d.]+) %", (report / "mistakes.svg").read_text())]
    assert len(certainties) == min(wrong, 12) and certainties == sorted(certainties, reverse=True)
    numbers = [text.text for text in xml.parse(report / "confusion.svg").getroot().iter(SVG + "text")]
    assert all(str(count) in numbers for row in metrics["confusion"] for count in row)


def no_graphviz_no_graph():
    report = FOLDER / "plain"
    run([FCNN, "--data", DATA, "--epochs", 1, "--quiet", "--report", report], PATH="/nonexistent")
    assert (report / "graph.dot").exists() and not (report / "graph.svg").exists()
    check_self_contained(report / "report.html")
    assert "<h2>Graph</h2>" not in (report / "report.html").read_text()


def odd_names_are_escaped_and_the_command_repeats_the_run():
    odd = FOLDER / "a <b> & \"c\" 'd'"
    write_data(odd)
    report = FOLDER / "it's & <odd>"
    run([FCNN, "--epochs", 2, "--seed", 7, "--hidden", "20,10", "--quiet", "--report", report], MNIST_DIR=str(odd))
    check_self_contained(report / "report.html")
    first = json.loads((report / "metrics.json").read_text())
    (report / "metrics.json").unlink()
    run(["sh", "-c", first["command"]])
    again = json.loads((report / "metrics.json").read_text())
    assert again["test_loss"] == first["test_loss"] and again["settings"] == first["settings"] and again["data"] == first["data"]


def the_classes_have_names():
    """In the figures, the table and metrics.json; compare_runs takes them from there."""
    names = ["T-shirt/top", "a <b> & c", "Mäntel", "one that is far too long for its place", "e", "f", "g", "h", "i", "j"]
    (FOLDER / "names").write_text("\n".join(names))
    report = FOLDER / "named"
    run([FCNN, "--data", DATA, "--epochs", 1, "--quiet", "--classes", "names", "--report", report])
    assert json.loads((report / "metrics.json").read_text())["classes"] == names
    check_self_contained(report / "report.html")
    page = xml.fromstring((report / "report.html").read_text().replace("<!DOCTYPE html>", ""))
    cells = [cell.text for cell in page.iter() if cell.tag.split("}")[-1] in ("td", "th", "h2")]
    assert all(name in cells for name in [*names, "Class", "Each class"]) and "Digit" not in cells, cells
    with gzip.open(DATA / "train-labels-idx1-ubyte.gz") as labels:
        first = [names[label] for label in labels.read()[8:12]]
    texts = {figure: [text.text for text in xml.parse(report / f"{figure}.svg").getroot().iter(SVG + "text")] for figure in FIGURES}
    assert texts["samples"][1:] == [name if len(name) < 16 else name[:14].rstrip() + "…" for name in first], texts["samples"]
    fitted = [name if len(name) <= 16 else name[:15].rstrip() + "…" for name in names]
    assert all(texts["confusion"].count(name) == 2 for name in fitted), texts["confusion"]
    shown = {name if len(name) <= 12 else name[:11].rstrip() + "…" for name in names}
    assert texts["mistakes"][1:] and all(re.fullmatch(r"(?:true|said) (.*): [\d.]+ %", text)[1] in shown for text in texts["mistakes"][1:]), texts["mistakes"]
    page = FOLDER / "named.html"
    run([COMPARE, f"--output={page}", report, FOLDER / "out" / "deep" / "cnn"])
    assert page.read_text().count(">Mäntel<") == 2
    check_self_contained(page)


def no_epoch_is_fine():
    report = FOLDER / "untrained"
    run([CNN, "--data", DATA, "--epochs", 0, "--quiet", "--report", report])
    check_self_contained(report / "report.html")
    assert (report / "history.csv").read_text().count("\n") == 1


def a_folder_that_cannot_be_made_is_refused_before_training():
    (FOLDER / "file").write_text("")
    for target in (FOLDER / "file", FOLDER / "file" / "sub"):
        done = run([FCNN, "--data", DATA, "--report", target], code=1)
        assert done.stdout == "" and done.stderr.count("\n") == 1 and str(target) in done.stderr


def the_end_names_the_page():
    out = run([FCNN, "--data", DATA, "--epochs", 1, "--report", "here"]).stdout
    assert out.endswith("Report: here/report.html\n")
    assert "Report:" not in run([FCNN, "--data", DATA, "--epochs", 1, "--report", "here", "--quiet"]).stdout


def a_comparison_shows_both():
    runs = [FOLDER / "out" / "deep" / name for name in ("fcnn", "cnn")]
    page = FOLDER / "both <&>.html"
    assert run([COMPARE, "--output", page, *runs]).stdout == f"{page}\n"
    check_self_contained(page)
    text = page.read_text()
    for color, dashed, label in ((0, True, "fcnn train"), (1, False, "fcnn valid"), (2, True, "cnn train"), (3, False, "cnn valid")):
        assert text.count(f'class="tg-curve tg-s{color}{" tg-dashed" if dashed else ""}"') == 4, label  # curve and legend, twice
        assert text.count(f">{label}<") == 2
    for folder in runs:
        metrics = json.loads((folder / "metrics.json").read_text())
        assert f"{100 * metrics['test_accuracy']:.2f} %" in text and f"{metrics['parameters']:,}" in text
    same = FOLDER / "same.html"
    run([COMPARE, f"--output={same}", runs[0], FOLDER / "plain"])
    assert f"fcnn ({runs[0]}) train" in same.read_text()


def a_comparison_refuses_in_one_sentence():
    runs = [FOLDER / "out" / "deep" / name for name in ("fcnn", "cnn")]
    for arguments, code in (([], 2), (runs[:1], 2), (["--what", *runs], 2), (["--output"], 2), ([runs[0], FOLDER / "none"], 1),
                            (["--output", FOLDER / "file" / "x", *runs], 1)):
        done = run([COMPARE, *arguments], code=code)
        assert done.stdout == "" and done.stderr.count("\n") == 1 and done.stderr.startswith("compare_runs: "), done.stderr
    (FOLDER / "plain" / "metrics.json").write_text('{"model": "fcnn"}')
    assert "metrics.json" in run([COMPARE, runs[0], FOLDER / "plain"], code=1).stderr
    assert run([COMPARE, "--help"]).stdout.startswith("usage: compare_runs")
    if os.path.exists("/dev/full"):
        for arguments in (["--help"], ["--output", FOLDER / "full.html", *runs[1:], *runs[1:]]):
            with open("/dev/full", "w") as full:
                done = subprocess.run([COMPARE, *map(str, arguments)], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60, cwd=FOLDER)
            assert done.returncode == 1 and done.stderr == "compare_runs: cannot write to standard output: No space left on device\n", done


TESTS = [
    ("fcnn: the tables hold the bits of --json", lambda: same_numbers_as_json_lines(FCNN, "fcnn")),
    ("cnn: the tables hold the bits of --json", lambda: same_numbers_as_json_lines(CNN, "cnn")),
    ("fcnn: page and figures", lambda: pages_and_figures("fcnn")),
    ("cnn: page and figures", lambda: pages_and_figures("cnn")),
    ("no graph without Graphviz", no_graphviz_no_graph),
    ("odd names are escaped and the command repeats the run", odd_names_are_escaped_and_the_command_repeats_the_run),
    ("the classes have names", the_classes_have_names),
    ("no epoch is fine", no_epoch_is_fine),
    ("a folder that cannot be made is refused before training", a_folder_that_cannot_be_made_is_refused_before_training),
    ("the end names the page", the_end_names_the_page),
    ("a comparison shows both", a_comparison_shows_both),
    ("a comparison refuses in one sentence", a_comparison_refuses_in_one_sentence),
]

with tempfile.TemporaryDirectory() as temporary:
    FOLDER = pathlib.Path(temporary).resolve()
    DATA = FOLDER / "data"
    write_data(DATA)
    print(f"1..{len(TESTS)}")
    for number, (name, test) in enumerate(TESTS, 1):
        try:
            test()
            print(f"ok {number} - {name}", flush=True)
        except Exception as problem:  # any failure is the test's answer
            print(f"not ok {number} - {name}")
            print("\n".join(f"# {line}" for line in f"{type(problem).__name__}: {problem}".splitlines()), flush=True)
