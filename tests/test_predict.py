"""predict, end to end, with networks trained on a small data set. Usage: test_predict.py PREDICT FCNN_MNIST CNN_MNIST [libpng]; writes TAP.
The last word: this build reads PNG."""
import fcntl
import gzip
import json
import os
import pathlib
import pty
import random
import re
import struct
import subprocess
import sys
import tempfile
import termios
import zlib

PREDICT, FCNN, CNN = sys.argv[1:4]
READS_PNG = sys.argv[4:] == ["libpng"]
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("MNIST_DIR", "XDG_DATA_HOME")}
ENVIRONMENT.update(HOME="/nonexistent", LC_ALL="C.UTF-8")
TEST = 300
SIZES = {FCNN: ("--hidden=30,20", "--activation=relu", "--dropout=0.1"), CNN: ("--filters=4,6", "--kernel-size=5", "--activation=tanh")}


def write_idx(path, shape, values):
    path.write_bytes(struct.pack(">I", 0x800 + len(shape)) + struct.pack(f">{len(shape)}I", *shape) + bytes(values))


def image(chance, label):
    """A bright square whose place is the class, on noise."""
    pixels = [chance.randrange(60) for _ in range(784)]
    top, left = 2 + label // 4 * 9, 1 + label % 4 * 7
    for row in range(top, top + 6):
        for column in range(left, left + 6):
            pixels[row * 28 + column] = 150 + chance.randrange(100)
    return pixels


def write_data(folder):
    chance = random.Random(5)
    for stem, count in (("train", 900), ("t10k", TEST)):
        labels = [chance.randrange(10) for _ in range(count)]
        write_idx(folder / f"{stem}-labels-idx1-ubyte", (count,), labels)
        write_idx(folder / f"{stem}-images-idx3-ubyte", (count, 28, 28), [p for label in labels for p in image(chance, label)])


def run(*command, code=0, **environment):
    done = subprocess.run(command, capture_output=True, text=True, env={**ENVIRONMENT, **environment}, cwd=FOLDER, timeout=300)
    assert done.returncode == code, f"{command} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done


def train(program, name, *flags):
    """The results of a run whose network goes to the file `name`."""
    out = run(program, "--data=.", "--epochs=1", "--batch-size=16", "--json", f"--save={name}", *SIZES[program], *flags).stdout
    return json.loads(out.splitlines()[-1])


def predictions(*arguments):
    return [json.loads(line) for line in run(PREDICT, "--json", *arguments).stdout.splitlines()]


def refused(code, message, *arguments):
    done = run(PREDICT, *arguments, code=code)
    assert done.stdout == "" and done.stderr.startswith("predict: ") and done.stderr.count("\n") == 1 and message in done.stderr, done.stderr


def as_the_program_does(program, *flags):
    """Every test image gets the class that training's own evaluation gave it."""
    own = train(program, "net.safetensors", *flags)
    found = predictions("net.safetensors", "t10k-images-idx3-ubyte")
    assert [line["image"] for line in found] == list(range(TEST)) and all(line["inverted"] == 0 for line in found)
    labels = (FOLDER / "t10k-labels-idx1-ubyte").read_bytes()[8:]
    confusion = [[0] * 10 for _ in range(10)]
    for label, line in zip(labels, found):
        confusion[label][line["class"]] += 1
        values = list(line["probabilities"].values())
        assert abs(sum(values) - 1) < 1e-5 and max(values) == values[line["class"]]
    assert confusion == own["confusion"], (confusion, own["confusion"])
    assert 0.3 < sum(confusion[i][i] for i in range(10)) / TEST == own["test_accuracy"] <= 1, own["test_accuracy"]
    packed = FOLDER / "images.gz"
    packed.write_bytes(gzip.compress((FOLDER / "t10k-images-idx3-ubyte").read_bytes()))
    assert [line["class"] for line in predictions("net.safetensors", "images.gz")] == [line["class"] for line in found]


def without_permutation():
    """The network of shuffled pixels depends on the metadata's seed: another one does not fit."""
    train(FCNN, "net.safetensors", "--shuffle-pixels=5")
    shuffled = predictions("net.safetensors", "t10k-images-idx3-ubyte")
    data = (FOLDER / "net.safetensors").read_bytes()
    assert data.count(b'"shuffle-pixels":"5"') == 1
    (FOLDER / "other.safetensors").write_bytes(data.replace(b'"shuffle-pixels":"5"', b'"shuffle-pixels":"6"'))
    assert [p["probabilities"] for p in predictions("other.safetensors", "t10k-images-idx3-ubyte")] != [p["probabilities"] for p in shuffled]


def ring(invert):
    """A ring of ink, 90 rows of 120."""
    rows = [[255 if 400 < (r - 40) ** 2 + (c - 70) ** 2 < 900 else 0 for c in range(120)] for r in range(90)]
    return [255 - p if invert else p for row in rows for p in row]


def pictures():
    """A picture in both polarities and both forms is the same to the network, and the bright one is said to be inverted."""
    train(FCNN, "net.safetensors")
    (FOLDER / "dark.pgm").write_bytes(b"P5\n120 90\n255\n" + bytes(ring(False)))
    (FOLDER / "bright.pgm").write_text("P2\n# a ring\n120 90\n255\n" + "\n".join(map(str, ring(True))) + "\n")
    dark, bright = predictions("net.safetensors", "dark.pgm", "bright.pgm")
    assert dark["probabilities"] == bright["probabilities"] and (dark["file"], bright["file"]) == ("dark.pgm", "bright.pgm")
    assert (dark["inverted"], bright["inverted"]) == (0, 1)
    assert predictions("net.safetensors", "--invert=yes", "bright.pgm") == [bright]
    assert predictions("net.safetensors", "--invert", "no", "dark.pgm") == [dark]
    assert predictions("net.safetensors", "--invert=no", "bright.pgm")[0]["probabilities"] != bright["probabilities"]
    text = run(PREDICT, "net.safetensors", "dark.pgm", "bright.pgm").stdout
    assert text.count("inverted") == 1 and text.index("bright.pgm: ") < text.index("inverted"), text
    write_idx(FOLDER / "two", (2, 90, 120), ring(False) + ring(True))
    assert [line["probabilities"] for line in predictions("net.safetensors", "two")] == [dark["probabilities"]] * 2


def blank_pictures():
    """Have no class, in words and in JSON, as pictures and as IDX images."""
    train(FCNN, "net.safetensors")
    for name, pixel in (("white.pgm", 255), ("black.pgm", 0)):
        (FOLDER / name).write_bytes(b"P5\n2 2\n255\n" + bytes([pixel] * 4))
    write_idx(FOLDER / "blank", (3, 28, 28), [0] * 784 + [0] * 400 + [9] + [0] * 383 + [0] * 784)
    lines = predictions("net.safetensors", "white.pgm", "black.pgm", "blank")
    assert [line["blank"] for line in lines] == [1, 1, 1, 0, 1] and [line["image"] for line in lines] == [0, 0, 0, 1, 2]
    for line in lines:
        assert list(line) == ["file", "image", "inverted", "blank", "class", "name", "probabilities"], line
        empty = [line["class"] is None, line["name"] is None, line["probabilities"] is None]
        assert empty == [bool(line["blank"])] * 3, line
    text = run(PREDICT, "net.safetensors", "black.pgm", "blank").stdout
    assert text.startswith("black.pgm: blank: no ink, so no class\nblank, image 0: blank: no ink, so no class\nblank, image 1: "), text
    assert text.endswith("\nblank, image 2: blank: no ink, so no class\n") and text.count("%") == 11, text


def unread_output():
    """As behind "| head": the end comes early and in silence."""
    train(FCNN, "net.safetensors")
    write_idx(FOLDER / "many", (4000, 28, 28), bytes(784 * 4000))
    for flags in ((), ("--json",), ("--draw",)):
        with subprocess.Popen([PREDICT, "net.safetensors", "many", *flags], cwd=FOLDER, env=ENVIRONMENT, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, text=True) as child:
            child.stdout.readline()
            child.stdout.close()
            assert (child.stderr.read(), child.wait(60)) == ("", 141), flags


def names_do_not_steer_the_terminal():
    """Whatever a file is called, or says, is shown, not obeyed."""
    train(FCNN, "net.safetensors")
    name = "\x1b]0;title\x07\u202egnp\u009b2J.pgm"
    shown = r"\x1B]0;title\x07\u202Egnp\u009B2J.pgm"
    (FOLDER / name).write_bytes(b"P5\n120 90\n255\n" + bytes(ring(False)))
    def harmless(text):
        return all(c == "\n" or c.isprintable() for c in text)
    done = run(PREDICT, "net.safetensors", name)
    assert shown + ": " in done.stdout and harmless(done.stdout), done.stdout
    line = run(PREDICT, "--json", "net.safetensors", name).stdout
    assert harmless(line) and json.loads(line)["file"] == name, line
    done = run(PREDICT, "net.safetensors", "none" + name, code=3)
    assert f"none{shown}: No such file" in done.stderr and harmless(done.stderr), done.stderr
    done = run(PREDICT, "--\x1b[2J", "net.safetensors", name, code=2)
    assert r"--\x1B[2J" in done.stderr and harmless(done.stderr), done.stderr
    header = json.dumps({"__metadata__": {"model": "\x1b[31m"}}).encode()
    (FOLDER / "model").write_bytes(struct.pack("<Q", len(header)) + header)
    done = run(PREDICT, "model", name, code=3)
    assert r"\x1B[31m" in done.stderr and harmless(done.stderr), done.stderr


def png(columns, rows, kind, samples, depth=8, palette=b"", alphas=b""):
    """A PNG file: kind 0 grey, 2 RGB, 3 palette, 4 grey and alpha, 6 RGB and alpha; samples in a row, of `depth` bits."""
    def chunk(name, body):
        return struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body))
    width = len(samples) // rows * depth // 8
    data = b"".join(value.to_bytes(depth // 8, "big") for value in samples)
    lines = b"".join(b"\0" + data[row * width:(row + 1) * width] for row in range(rows))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", columns, rows, depth, kind, 0, 0, 0))
            + (chunk(b"PLTE", palette) if palette else b"") + (chunk(b"tRNS", alphas) if alphas else b"")
            + chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def png_pictures():
    """The same ring in every kind of PNG is the same to the network as the PGM; a bright one is inverted, unless a flag decides."""
    train(FCNN, "net.safetensors")
    (FOLDER / "dark.pgm").write_bytes(b"P5\n120 90\n255\n" + bytes(ring(False)))
    (FOLDER / "ring.png").write_bytes(png(120, 90, 0, ring(False)))
    if not READS_PNG:
        refused(3, "ring.png: is a PNG image, and this build has no libpng to read it: install libpng", "net.safetensors", "ring.png")
        return
    expected = predictions("net.safetensors", "dark.pgm")[0]["probabilities"]
    for inverted in (0, 1):
        ink = ring(inverted)
        for kind, samples, more in ((0, ink, {}), (0, [257 * p for p in ink], {"depth": 16}), (2, [c for p in ink for c in (p, p, p)], {}),
                                    (2, [c for p in ink for c in (257 * p,) * 3], {"depth": 16}),
                                    (3, [p == 255 for p in ink], {"palette": bytes(3) + b"\xff" * 3}), (4, [c for p in ink for c in (p, 255)], {}),
                                    (6, [c for p in ink for c in (p, p, p, 255)], {})):
            (FOLDER / "ring.png").write_bytes(png(120, 90, kind, samples, **more))
            found = predictions("net.safetensors", "ring.png")[0]
            assert found["probabilities"] == expected and found["inverted"] == inverted, (kind, more, inverted, found)
    assert "bright, so it was inverted" in run(PREDICT, "net.safetensors", "ring.png").stdout
    assert predictions("net.safetensors", "--invert=yes", "ring.png")[0]["probabilities"] == expected
    assert predictions("net.safetensors", "--invert=no", "ring.png")[0]["probabilities"] != expected
    for kind, samples, more in ((4, [c for p in ring(False) for c in (0, p)], {}), (3, [p == 255 for p in ring(False)], {"palette": bytes(6), "alphas": b"\0"})):
        (FOLDER / "ring.png").write_bytes(png(120, 90, kind, samples, **more))  # black ink on nothing
        found = predictions("net.safetensors", "ring.png")[0]
        assert found["probabilities"] == expected and found["inverted"] == 1, found
    drawn = [run(PREDICT, "net.safetensors", "--draw", name).stdout.splitlines() for name in ("dark.pgm", "ring.png")]
    assert drawn[0][1:15] == drawn[1][2:16] and drawn[0][7].strip(" |"), drawn


def bad_png():
    """Hostile, damaged and cut-off files: one sentence, exit 3 (tests of train/png_file.h look at the memory)."""
    train(FCNN, "net.safetensors")
    whole = png(120, 90, 0, ring(False))
    bomb = png(1, 1, 0, [0])[:16] + struct.pack(">IIBBBBB", 16384, 16384, 8, 6, 0, 0, 0)
    bomb += struct.pack(">I", zlib.crc32(bomb[12:])) + png(1, 1, 0, [0])[33:]
    wide = bomb[:16] + struct.pack(">I", 0x7fffffff) + bomb[20:29]
    wide += struct.pack(">I", zlib.crc32(wide[12:])) + bomb[33:]
    for content, message in ((whole[:8], "expected more of a PNG image, found the end of the file"), (whole[:-12], "found the end of the file"),
                             (whole[:len(whole) // 2], "found the end of the file"), (whole[:60] + b"!" + whole[61:], "libpng: "),
                             (whole[:8] + whole[33:], "libpng: "), (bomb, "expected 16384x16384 pixels, which 67 bytes of a file cannot hold"),
                             (wide, "expected at most 16384x16384 pixels, found 16384x2147483647"), (b"\x89PNG", "expected more of a PNG image")):
        (FOLDER / "bad.png").write_bytes(content)
        refused(3, message, "net.safetensors", "bad.png")


def output():
    """The class first, then ten bars as long as the probabilities; what the network saw; all of it ASCII where the locale is."""
    train(FCNN, "net.safetensors")
    (FOLDER / "dark.pgm").write_bytes(b"P5\n120 90\n255\n" + bytes(ring(False)))
    found = predictions("net.safetensors", "dark.pgm")[0]
    for locale in ("C.UTF-8", "C"):
        lines = run(PREDICT, "net.safetensors", "--draw", "dark.pgm", LC_ALL=locale).stdout.splitlines()
        best = max(found["probabilities"].values())
        assert lines[0] == f"dark.pgm: {found['class']} ({100 * best:.2f} %)", lines[0]
        assert all(re.fullmatch(r"  \|[ ▀▄█]{28}\|" if locale == "C.UTF-8" else r"  \|[ .:=+*#%@-]{28}\|", line) for line in lines[1:15]), lines
        drawn = [line[3:31] for line in lines[1:15]]
        assert not drawn[0].strip() and not drawn[6][11:17].strip() and drawn[6][4:8].strip() and drawn[6][20:24].strip(), drawn
        assert len(lines) == 25
        for (name, probability), line in zip(found["probabilities"].items(), lines[15:]):
            shown, percent, bar = re.fullmatch(r"  (\d) +([\d.]+) % (#*|█*[▏▎▍▌▋▊▉]?)", line).groups()
            assert shown == name and abs(float(percent) - 100 * probability) < 0.006 and abs(len(bar) - 40 * probability) <= 1, line
        assert locale != "C" or "\n".join(lines).isascii()


NAMES = ["T-shirt/top", "Hose", "Pullover", "Kleid", "Mäntel", "Sandale", "外套", "Turnschuh", "Tasche", "Ein Name, der in einem engen Fenster zu lang ist"]


def class_names():
    """Of a file, else those that the network keeps, else digits: in every output, in as many columns as the widest takes."""
    def check(found, text, names):
        assert found["name"] == names[found["class"]] and list(found["probabilities"]) == names, found
        lines = text.splitlines()
        assert lines[0].startswith(f"dark.pgm: {found['name']} (") and [line[2:].split("  ")[0] for line in lines[1:]] == names, lines
        assert len({len(line.split("%")[0]) + line.count("外") + line.count("套") for line in lines[1:]}) == 1, lines
    train(FCNN, "net.safetensors")
    (FOLDER / "dark.pgm").write_bytes(b"P5\n120 90\n255\n" + bytes(ring(False)))
    path = FOLDER / "names"
    path.write_text("\r\n".join(NAMES))
    check(predictions("net.safetensors", "--classes=names", "dark.pgm")[0], run(PREDICT, "net.safetensors", "--classes", "names", "dark.pgm").stdout, NAMES)
    train(FCNN, "net.safetensors", "--classes=names", "--checkpoint=kept")
    path.write_text("".join(f"class {i}\n" for i in range(10)))
    for network in ("net.safetensors", "kept/best.safetensors"):
        check(predictions(network, "dark.pgm")[0], run(PREDICT, network, "dark.pgm").stdout, NAMES)
    found = predictions("net.safetensors", "--classes=names", "dark.pgm")[0]
    assert found["name"] == f"class {found['class']}"
    plain = run(PREDICT, "net.safetensors", "dark.pgm", LC_ALL="C").stdout
    assert plain.isascii() and "\n  M?ntel " in plain and "\n  ?? " in plain, plain
    for text, message in (("".join(f"{i}\n" for i in range(9)), "names: expected the names of 10 classes, one a line, found 9 lines"),
                          ("".join(f"{i}\n" for i in range(11)), "found 11 lines"), ("a\n\n" * 5, "names: line 2: expected a class's name"),
                          ("a\nb\na\n" * 4, "names: line 3: expected a name of its own, found that of line 1 again"),
                          ("a\x1b[2J\n" * 10, "line 1"), ("x" * 61 + "\n" * 10, "line 1")):
        path.write_text(text)
        refused(3, message, "--classes=names", "net.safetensors", "dark.pgm")
    path.write_bytes(b"\xff\n" * 10)
    refused(3, "line 1: expected a class's name, of 1 to 60 bytes of UTF-8", "--classes=names", "net.safetensors", "dark.pgm")
    refused(3, "none: ", "--classes=none", "net.safetensors", "dark.pgm")


def windows():
    """On a terminal of any width no line of a picture and its bars is wrapped: first names are cut, then bars."""
    train(FCNN, "net.safetensors")
    (FOLDER / "dark.pgm").write_bytes(b"P5\n120 90\n255\n" + bytes(ring(False)))
    (FOLDER / "names").write_text("\n".join(NAMES))
    for columns in (80, 40, 24):
        for environment in ({"LC_ALL": "C.UTF-8"}, {"LC_ALL": "C"}, {"NO_COLOR": "1"}):
            main, side = pty.openpty()
            fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
            child = subprocess.Popen([PREDICT, "--classes=names", "net.safetensors", "dark.pgm"], stdout=side, stderr=side, cwd=FOLDER,
                                     env={**ENVIRONMENT, "TERM": "xterm-256color", **environment})
            os.close(side)
            written = b""
            try:
                while part := os.read(main, 65536):
                    written += part
            except OSError:  # the other side is closed
                pass
            os.close(main)
            lines = written.decode().replace("\r\n", "\n").splitlines()[1:]
            assert child.wait(60) == 0 and len(lines) == 10 and all(len(line) + line.count("外") + line.count("套") <= columns for line in lines), lines
            assert sum("…" in line or ". " in line.split("%")[0] for line in lines) >= (columns < 80), lines


def usage():
    refused(2, "expected MODEL FILE...", "net.safetensors")
    refused(2, "unknown flag --drw; did you mean --draw?", "--drw", "a", "b")
    refused(2, '--invert: "maybe" is none of auto, yes, no', "--invert=maybe", "a", "b")
    refused(3, "none.safetensors: No such file", "none.safetensors", "b")
    page = run(PREDICT, "--help").stdout
    assert page.startswith("Usage: predict [FLAGS] MODEL FILE...\n") and "Examples:" in page and "Exit status:" in page
    assert re.fullmatch(r"predict \(tapegrad\) \d+\.\d+\.\d+\n", run(PREDICT, "--version").stdout)
    with open("/dev/full", "w") as full:
        done = subprocess.run([PREDICT, "--help"], stdout=full, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    assert done.returncode == 1 and "cannot write to standard output" in done.stderr


def bad_images():
    train(FCNN, "net.safetensors")
    whole = (FOLDER / "t10k-images-idx3-ubyte").read_bytes()
    for content, message in ((whole[:5000], "bad: byte 16: expected 235200 bytes of images, found 4984"), (b"", "expected an image"),
                             (b"hello", "bad: expected an image as PNG, PGM (P2 or P5) or IDX, found text"), (b"P5 9 9 255\nabc", "expected 81 bytes"),
                             ((FOLDER / "t10k-labels-idx1-ubyte").read_bytes(), "expected 3 for the number of dimensions")):
        (FOLDER / "bad").write_bytes(content)
        refused(3, message, "net.safetensors", "bad")
    refused(3, "expected a regular file, found a folder", "net.safetensors", ".")


def bad_networks():
    """Metadata that are missing, nonsense, or promise another network than the file holds: told, without memory for it."""
    (FOLDER / "dark.pgm").write_bytes(b"P5\n120 90\n255\n" + bytes(ring(False)))

    def changed(program, old, new, message, *flags):
        train(program, "net.safetensors", *flags)
        data = (FOLDER / "net.safetensors").read_bytes()
        size = struct.unpack("<Q", data[:8])[0]
        header = data[8:8 + size]
        assert header.count(old) == 1, (old, header)
        header = header.replace(old, new)
        (FOLDER / "bad.safetensors").write_bytes(struct.pack("<Q", len(header)) + header + data[8 + size:])
        refused(3, "bad.safetensors: " + message, "bad.safetensors", "dark.pgm")
    for old, new, message in ((b'"model":"fcnn"', b'"model":"rnn"', 'expected fcnn or cnn for "model" in the metadata, found "rnn"'),
                              (b'"model":"fcnn"', b'"made":"fcnn"', "expected fcnn or cnn for \"model\" in the metadata, found none"),
                              (b'"model":"fcnn"', b'"model":"cnn"', 'expected "filters" in the metadata, found none'),
                              (b'"hidden":"30,20"', b'"hidden":"30,x"', 'metadata: --hidden: "30,x" is not a list'),
                              (b'"hidden":"30,20"', b'"hidden":"100000,100000"', "expected 40318400040 bytes of weights for the network of the metadata, found"),
                              (b'"hidden":"30,20"', b'"hidden":"' + b"9," * 1000 + b'9"', 'expected "hidden" in the metadata, found more than 1,000 bytes'),
                              (b'"activation":"relu"', b'"activation":"rule"', 'metadata: --activation: "rule" is none of')):
        changed(FCNN, old, new, message)
    (FOLDER / "names").write_text("".join(f"class {i}\n" for i in range(10)))

    def named(old, new, message):
        changed(FCNN, old, new, message, "--classes=names")
    named(b"class 9", b"class 8", "classes in the metadata: line 10: expected a name of its own, found that of line 9 again")
    named(b"class 0", b"\\u001b[2J", "classes in the metadata: line 1: expected a class's name")
    named(b"class 9", b"", "classes in the metadata: expected the names of 10 classes, one a line, found 9 lines")
    changed(CNN, b'"kernel-size":"5"', b'"kernel-size":"26"', "metadata: convolution 2 of 2 does not fit")
    changed(CNN, b'"kernel-size":"5"', b'"kernel-size":"4"', "expected ")


def main():
    tests = [(f"{name}: as_the_program_does {' '.join(flags)}", as_the_program_does, (program, *flags)) for name, program in (("fcnn", FCNN), ("cnn", CNN))
             for flags in ((), ("--shuffle-pixels=3",))]
    tests += [(test.__name__, test, ()) for test in (without_permutation, pictures, names_do_not_steer_the_terminal, blank_pictures, unread_output, png_pictures, bad_png, output, class_names, windows, usage, bad_images, bad_networks)]
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, (name, test, arguments) in enumerate(tests, 1):
        if test is bad_png and not READS_PNG:
            print(f"ok {number} - {name} # SKIP this build has no libpng", flush=True)
            continue
        try:
            test(*arguments)
            print(f"ok {number} - {name}", flush=True)
        except Exception as problem:
            failed += 1
            print("# " + "\n# ".join(f"{type(problem).__name__}: {problem}".splitlines()))
            print(f"not ok {number} - {name}", flush=True)
    return 1 if failed else 0


with tempfile.TemporaryDirectory() as name:
    FOLDER = pathlib.Path(name)
    write_data(FOLDER)
    status = main()
sys.exit(status)
