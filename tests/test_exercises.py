"""tools/exercises on tiny data. Usage: test_exercises.py EXERCISES PROGRAMS_FOLDER; writes TAP."""
import os
import pathlib
import random
import re
import signal
import struct
import subprocess
import sys
import tempfile

TOOL, PROGRAMS = map(os.path.abspath, sys.argv[1:3])
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("MNIST_DIR", "XDG_DATA_HOME")}
ENVIRONMENT.update(HOME="/nonexistent", LC_ALL="C.UTF-8")
NAMES = ["activation", "depth", "sgd", "width", "regularization", "cnn"]
NUMBER = r"\d+\.\d{4}"


def write_data(folder):
    chance = random.Random(3)
    folder.mkdir()
    for stem, count in (("train", 60), ("t10k", 20)):
        for name, shape, values in (("labels-idx1", (count,), [chance.randrange(10) for _ in range(count)]),
                                    ("images-idx3", (count, 28, 28), chance.randbytes(count * 784))):
            header = struct.pack(">I", 0x800 + len(shape)) + struct.pack(f">{len(shape)}I", *shape)
            (folder / f"{stem}-{name}-ubyte").write_bytes(header + bytes(values))


def run(*flags, code=0, programs=PROGRAMS):
    command = [sys.executable, TOOL, "--data=data", f"--programs={programs}", *flags]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=FOLDER, timeout=600)
    assert done.returncode == code, f"{command} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done


def rows_of(text, name):
    """The cells of a table between its marks."""
    inside = re.search(rf"<!-- exercises: {name} -->\n(.*?)<!-- end -->\n", text, re.DOTALL)[1]
    lines = [[cell.strip() for cell in line.strip("|").split("|")] for line in inside.splitlines() if line.startswith("|")]
    assert lines[0] == ["", "parameters", "test accuracy, %", "spread", "training loss", "validation loss"], lines[0]
    return lines[2:]


def every_table():
    text = run("--epochs=1", "--seeds=2").stdout
    assert re.findall(r"<!-- exercises: (\w+) -->", text) == NAMES
    for name in NAMES:
        rows = rows_of(text, name)
        assert len(rows) >= 5 and len({row[0] for row in rows}) == len(rows)
        for _, parameters, accuracy, spread, loss, validation in rows:
            assert re.fullmatch(r"[\d,]+", parameters) and 0 <= float(accuracy) <= 100 and re.fullmatch(NUMBER, loss) and re.fullmatch(NUMBER, validation)
            assert (spread == "") == (name == "cnn")
    assert rows_of(text, "activation")[0][:2] == ["100, 50 sigmoid (the notebook)", "84,060"] and rows_of(text, "cnn")[0][1] == "34,826"
    assert text.count("\n1 epoch, means over seeds 1 to 2; ") == 5 and text.count("\n1 epoch, seed 1; ") == 1


def means_of_runs():
    """A row against the program's own figures."""
    row = rows_of(run("--epochs=2", "--seeds=3", "--only=activation").stdout, "activation")[2]
    runs = []
    for seed in (1, 2, 3):
        done = subprocess.run([f"{PROGRAMS}/fcnn_mnist", "--data=data", "--epochs=2", "--activation=relu", f"--seed={seed}", "--json"],
                              capture_output=True, text=True, env=ENVIRONMENT, cwd=FOLDER, check=True)
        figures = [dict(re.findall(r'"(\w+)": ([\d.e-]+)', line)) for line in done.stdout.splitlines()]
        runs.append((float(figures[2]["test_accuracy"]) * 100, float(figures[1]["loss"]), float(figures[1]["val_loss"])))
    accuracies, losses, validations = zip(*runs)
    assert row[0] == "100, 50 relu"
    assert row[2:] == [f"{sum(accuracies) / 3:.2f}", f"{max(accuracies) - min(accuracies):.2f}", f"{sum(losses) / 3:.4f}",
                       f"{sum(validations) / 3:.4f}"], (row, runs)


def tables_in_a_page():
    page = FOLDER / "page.md"
    flags = ("--epochs=1", "--seeds=1", "--only=width", f"--output={page}")
    run(*flags)
    fresh = page.read_text()
    assert fresh.startswith("## Width\n") and len(rows_of(fresh, "width")) > 5
    page.write_text("Before.\n\n<!-- exercises: width -->\nold\n<!-- end -->\n\nAfter.\n")
    assert run(*flags).stdout == ""
    assert page.read_text() == "Before.\n\n" + fresh[fresh.index("<!--"):] + "\nAfter.\n"
    page.write_text("no marks\n")
    said = run(*flags, code=1).stderr
    assert "page.md: there is no line <!-- exercises: width -->" in said and said.count("\n") == 1 and page.read_text() == "no marks\n"
    assert [p.name for p in FOLDER.iterdir() if p.name.startswith("page")] == ["page.md"]


def unread_output():
    """As behind "| head": an end in silence."""
    command = [sys.executable, TOOL, f"--programs={PROGRAMS}", "--data=data", "--epochs=1", "--seeds=1", "--only=cnn"]
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run(command, stdout=write, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT, cwd=FOLDER)
    os.close(write)
    assert done.returncode == -signal.SIGPIPE and "Traceback" not in done.stderr and "Broken pipe" not in done.stderr, done


def wrong_usage():
    assert "whole number above 0" in run("--epochs=0", code=2).stderr
    assert "invalid choice" in run("--only=with", code=2).stderr
    said = run("--only=cnn", code=2, programs="none").stderr
    assert said.startswith("exercises: none/cnn_mnist: No such file or directory; --programs DIR") and said.count("\n") == 1, said
    said = run("--only=cnn", "--data=nowhere", code=3).stderr
    assert "nowhere" in said and said.count("\n") == 1, said
    said = run("--only=width", "--epochs=1", "--seeds=1", "--output=none/page.md", code=1).stderr.splitlines()[-1]
    assert said == "exercises: none/page.md: No such file or directory", said
    page = run("--help").stdout
    assert all(flag in page for flag in ("--epochs", "--seeds", "--data", "--output", "--only", "--programs"))


tests = [every_table, means_of_runs, tables_in_a_page, unread_output, wrong_usage]
failed = 0
print(f"1..{len(tests)}", flush=True)
with tempfile.TemporaryDirectory() as name:
    FOLDER = pathlib.Path(name)
    write_data(FOLDER / "data")
    for number, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}", flush=True)
        except Exception as problem:
            failed += 1
            print("# " + "\n# ".join(f"{type(problem).__name__}: {problem}".splitlines()))
            print(f"not ok {number} - {test.__name__}", flush=True)
sys.exit(1 if failed else 0)
