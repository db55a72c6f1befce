"""The two MNIST programs, end to end, on a small data set of their own. Usage: test_programs.py FCNN_MNIST CNN_MNIST; writes TAP."""
import fcntl
import gzip
import json
import math
import os
import pathlib
import pty
import random
import re
import select
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

FCNN, CNN = sys.argv[1:3]
TRAIN, TEST = 720, 90
ROWS = TRAIN - TRAIN // 6
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("MNIST_DIR", "XDG_DATA_HOME")}
ENVIRONMENT.update(HOME="/nonexistent", LC_ALL="C.UTF-8")


def write_idx(path, shape, values):
    with gzip.open(path, "wb") if path.suffix == ".gz" else open(path, "wb") as out:
        out.write(struct.pack(">I", 0x800 + len(shape)) + struct.pack(f">{len(shape)}I", *shape) + bytes(values))


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
    for stem, count in (("train", TRAIN), ("t10k", TEST)):
        labels = [chance.randrange(10) for _ in range(count)]
        write_idx(folder / f"{stem}-labels-idx1-ubyte", (count,), labels)
        write_idx(folder / f"{stem}-images-idx3-ubyte", (count, 28, 28), [p for label in labels for p in image(chance, label)])


def run(program, *flags, code=0, data=True, **environment):
    command = [program, *(["--data", str(DATA)] if data else []), *flags]
    done = subprocess.run(command, capture_output=True, text=True, env={**ENVIRONMENT, **environment}, cwd=FOLDER, timeout=300)
    assert done.returncode == code, f"{command} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done


def rows(program, *flags, **options):
    """The JSON lines of a run."""
    return [json.loads(line) for line in run(program, "--json", *flags, **options).stdout.splitlines()]


def small(program):
    """The flags of a network that takes less time, where its size does not matter."""
    return ["--filters=8,16"] if program == CNN else []


def losses(program, *flags):
    return [row["loss"] for row in rows(program, "--epochs=2", *small(program), *flags) if "epoch" in row]


SUMMARIES = {
    FCNN: [("dense (Dense)", "(None, 100)", "78,500", "78,400"), ("activation (Activation)", "(None, 100)", "0", "0"),
           ("dense_1 (Dense)", "(None, 50)", "5,050", "5,000"), ("activation_1 (Activation)", "(None, 50)", "0", "0"),
           ("dense_2 (Dense)", "(None, 10)", "510", "500"), ("activation_2 (Activation)", "(None, 10)", "0", "0")],
    CNN: [("conv2d (Conv2D)", "(None, 26, 26, 32)", "320", "194,688"), ("max_pooling2d (MaxPooling2D)", "(None, 13, 13, 32)", "0", "0"),
          ("conv2d_1 (Conv2D)", "(None, 11, 11, 64)", "18,496", "2,230,272"), ("max_pooling2d_1 (MaxPooling2D)", "(None, 5, 5, 64)", "0", "0"),
          ("flatten (Flatten)", "(None, 1600)", "0", "0"), ("dense (Dense)", "(None, 10)", "16,010", "16,000")],
}
TOTALS = {FCNN: "84,060 (328.36 KB)", CNN: "34,826 (136.04 KB)"}
EPOCH = re.compile(r"Epoch (\d+)/(\d+)\n(\d+)/(\d+) - \d+s - \d+(?:us|ms|s)/step - accuracy: (\S+) - loss: (\S+) - val_accuracy: (\S+) - val_loss: (\S+)\n")


def text_of_a_run(program):
    out = run(program, "--epochs=2", "--threads=2").stdout
    assert re.match(rf"tapegrad \d+\.\d+\.\d+ · \w+ · 2 threads · .*{re.escape(str(DATA))}.*\n", out), out
    for count in (ROWS, TRAIN // 6, TEST):
        assert f"({count}, 28, 28, 1)" in out and f"({count}, 10)" in out
        assert (f"({count}, 784)" in out) == (program == FCNN)
    table = [tuple(cell.strip() for cell in line.strip("│").split("│")) for line in out.splitlines() if line.startswith("│")]
    assert table == SUMMARIES[program], table
    assert f" Total params: {TOTALS[program]}\n Trainable params: {TOTALS[program]}\n Non-trainable params: 0 (0.00 B)\n" in out
    assert re.search(r"\n Memory of a training step \(128 images\): [\d.]+ [KM]B\n   [\d.]+ [KM]B variables, [\d.]+ [KM]B "
                     r"intermediates \([\d.]+ [KM]B without reuse\)\n", out), out
    epochs = EPOCH.findall(out)
    steps = str(math.ceil(ROWS / 128))
    assert [e[:4] for e in epochs] == [("1", "2", steps, steps), ("2", "2", steps, steps)], out
    accuracy = float(re.search(r"^Test accuracy: (\d\.\d{4})$", out, re.M)[1])
    matrix = [[int(n) for n in line.split()] for line in out[out.index("Confusion matrix"):].splitlines()[2:]]
    assert [row[0] for row in matrix] == list(range(10)) and all(len(row) == 11 for row in matrix)
    assert sum(sum(row[1:]) for row in matrix) == TEST
    assert abs(sum(row[i + 1] for i, row in enumerate(matrix)) / TEST - accuracy) < 1e-4
    assert not re.search(r"[\x00-\x09\x0b-\x1f]", out)


def json_of_a_run(program):
    lines = rows(program, "--epochs=2", "--threads=2", "--seed=7")
    assert [list(line)[:6] for line in lines[:2]] == [["epoch", "seconds", "loss", "accuracy", "val_loss", "val_accuracy"]] * 2
    assert [line["epoch"] for line in lines[:2]] == [1, 2] and all(line["seconds"] > 0 for line in lines[:2])
    last = lines[2]
    for key in ("test_accuracy", "test_loss", "model", "data", "threads", "isa", "seed", "version"):
        assert key in last, key
    assert last["threads"] == 2 and last["seed"] == 7 and last["model"] in program and str(DATA) in last["data"]
    assert sum(map(sum, last["confusion"])) == TEST
    assert sum(last["confusion"][i][i] for i in range(10)) / TEST == last["test_accuracy"]
    text = EPOCH.findall(run(program, "--epochs=2", "--seed=7").stdout)
    for line, shown in zip(lines, text):
        for key, figure in zip(("accuracy", "loss", "val_accuracy", "val_loss"), shown[4:]):
            assert abs(line[key] - float(figure)) <= 5.1e-5, (key, line, shown)


def learning(program):
    """The small set is easy: both learn it in a few epochs, by way of a last batch of another size."""
    flags = ("--epochs=30", "--batch-size=64", "--learning-rate=0.01") if program == FCNN else ("--epochs=6", "--batch-size=64", "--activation=relu")
    lines = rows(program, *flags)
    assert lines[-1]["test_accuracy"] > 0.95, lines[-1]
    assert lines[-2]["loss"] < 0.3 * lines[0]["loss"]


def same_bits(program):
    def figures(*flags):
        return [{key: value for key, value in row.items() if key not in ("seconds", "threads")} for row in rows(program, "--epochs=1", *flags)]
    first = figures("--threads=1")
    for threads in (2, 3, 7):
        assert figures(f"--threads={threads}") == first, f"{threads} threads"
    assert figures("--threads=1", "--seed=2") != first


def labels(program):
    for dense, sparse in zip(losses(program, "--labels=onehot"), losses(program, "--labels=sparse")):
        assert abs(dense / sparse - 1) < 1e-5


def quiet(program):
    done = run(program, "--epochs=1", "--quiet")
    assert re.match(r"Test accuracy: \d\.\d{4}\nTest loss:     \d+\.\d+\n\nConfusion matrix", done.stdout), done.stdout
    assert len(done.stdout.splitlines()) == 15 and done.stderr == ""


def choices(program):
    """Every optimizer, activation and initializer runs; the page of --help knows them all."""
    page = " ".join(run(program, "--help", data=False).stdout.split())
    for flag in ("optimizer", "activation", "initializer"):
        words = re.search(rf"--{flag} NAME .*? One of (.*?)\. Default", page)[1].split(", ")
        assert len(words) >= 6
        for word in words:
            if program == FCNN:
                rate = "--learning-rate=0.0001"
                assert math.isfinite(losses(program, f"--{flag}={word}", rate)[-1]), word


def hidden_layers():
    out = run(FCNN, "--hidden=30,20,10", "--epochs=1").stdout
    assert "(None, 30)" in out and "dense_3 (Dense)" in out
    run(CNN, "--hidden=30", code=2)


def regularization(program):
    """Dropout, L2 and weight decay: shown, felt, and gone at 0."""
    plain = losses(program)
    assert losses(program, "--dropout=0", "--l2=0", "--weight-decay=0") == plain
    assert losses(program, "--l2=0.05")[0] > plain[0] + 0.5
    decayed = losses(program, "--weight-decay=5")
    assert decayed != plain and decayed[0] != losses(program, "--optimizer=adamw")[0]
    assert losses(program, "--optimizer=adamw", "--weight-decay=0") == plain
    assert losses(program, "--dropout=0.5") != plain
    layers = run(program, "--epochs=0", "--dropout=0.5").stdout.count("(Dropout)")
    assert layers == (2 if program == FCNN else 1)
    assert "--dropout: \"1\" is not" in run(program, "--dropout=1", code=2).stderr


def rates(program):
    """Schedules as told, in --json and on the lines."""
    def of(*flags):
        return [row["learning_rate"] for row in rows(program, "--epochs=4", "--batch-size=300", *small(program), *flags) if "epoch" in row]
    assert of() == [0.001] * 4
    step = of("--learning-rate-schedule=step", "--decay-epochs=2", "--decay-rate=0.25")
    assert step == [0.001, 0.001, 0.00025, 0.00025], step
    exponential = of("--learning-rate-schedule=exponential", "--decay-epochs=1")
    assert all(abs(rate / (0.001 * 0.5 ** (epoch + 0.5)) - 1) < 1e-9 for epoch, rate in enumerate(exponential)), exponential
    cosine = of("--learning-rate-schedule=cosine")
    assert all(abs(rate - 0.0005 * (1 + math.cos(math.pi * (2 * epoch + 1) / 8))) < 1e-12 for epoch, rate in enumerate(cosine)), cosine
    cycle = of("--learning-rate-schedule=one-cycle")
    assert max(cycle) == cycle[0] > cycle[1] > cycle[2] > cycle[3] and abs(cycle[3] - 0.001 / 250000) < 1e-12, cycle
    assert of("--warmup=5") == [0.001 * step / 5 for step in (1, 3, 5, 5)]
    assert " - learning_rate: 1.0000e-03\n" in run(program, "--epochs=1", "--reduce-on-plateau=3").stdout
    for flags, message in ((("--warmup=1", "--reduce-on-plateau=1"), "--reduce-on-plateau needs a constant learning rate"),
                           (("--learning-rate-schedule=one-cycle", "--warmup=1"), "--warmup: one-cycle has a warm-up of its own"),
                           (("--learning-rate-schedule=cosin",), "did you mean cosine?"), (("--decay-rate=0",), "--decay-rate: ")):
        assert message in run(program, *flags, code=2).stderr


def plateaus():
    """A rate so high that validation soon gets no better: reduced, then stopped, then back at the best epoch's weights."""
    flags = ("--optimizer=sgd", "--learning-rate=30", "--epochs=40", "--batch-size=64", "--seed=3")
    out = run(FCNN, *flags, "--reduce-on-plateau=2", "--early-stopping=5").stdout
    reduced = re.findall(r"\nEpoch (\d+): ReduceLROnPlateau reducing learning rate to (\S+)\.\n", out)
    assert reduced and float(reduced[0][1]) == 3, out
    stopped, best = re.search(r"\nEpoch (\d+): early stopping\nRestoring model weights from the end of the best epoch: (\d+)\.\n", out).groups()
    assert int(stopped) == int(best) + 5 and f"Epoch {stopped}/40\n" in out and f"Epoch {int(stopped) + 1}/40\n" not in out, out
    lines = rows(FCNN, *flags, "--reduce-on-plateau=2", "--early-stopping=5")
    losses = [row["val_loss"] for row in lines[:-1]]
    assert len(losses) == int(stopped) and min(losses) == losses[int(best) - 1]
    shorter = rows(FCNN, *flags[:2], f"--epochs={best}", *flags[3:], "--reduce-on-plateau=2")
    assert shorter[-1] == lines[-1], (shorter[-1], lines[-1])


def samples(program):
    """The first four training images: half blocks, greys on a terminal, characters without UTF-8; as many beside one another as fit."""
    plain = run(program, "--epochs=0", "--show-samples").stdout
    assert len(re.findall(r"^label \d {21,}label \d$", plain, re.M)) == 2 and "█" in plain and "\x1b" not in plain, plain
    assert len(re.findall(r"^[ ▀▄█]{58}$", plain, re.M)) == 28, plain
    ascii = run(program, "--epochs=0", "--show-samples", LC_ALL="C").stdout
    assert ascii.isascii() and len(re.findall(r"^[ .:=+*#%@-]{58}$", ascii, re.M)) == 28, ascii
    for columns, beside in ((20, 1), (60, 2), (88, 3), (118, 4)):
        grey = on_terminal(program, columns, "--epochs=0", "--show-samples")
        assert grey.count("▀") == 4 * 28 * 14 and re.search("^" + " +".join([r"label \d"] * beside) + "$", grey, re.M), grey
    assert "label" not in run(program, "--epochs=0", "--show-samples", "--quiet").stdout


FASHION = "9003027255095579106431484302445366085216679592730333722668335055"


def class_names(program):
    """Of a file, or of Fashion-MNIST where its first labels are: with the samples and in the matrix, which heads its columns with short
    names and with numbers where they are too long."""
    def matrix(text):
        return text[text.index("columns: predicted)"):].splitlines()[1:]
    plain = matrix(run(program, "--epochs=0", "--quiet").stdout)
    names = [f"n{i}" for i in range(9)] + ["ö"]
    path = FOLDER / "names"
    path.write_text("\n".join(names))
    short = matrix(run(program, "--epochs=0", "--quiet", "--classes", "names").stdout)
    assert short[0].split() == names and [line.split()[0] for line in short[1:]] == names, short
    assert [line.split()[1:] for line in short[1:]] == [line.split()[1:] for line in plain[1:]] and len({len(line) for line in short}) == 1, short
    names[3] = "a name that is too long to stand in a matrix"
    path.write_text("\n".join(names))
    text = run(program, "--epochs=0", "--show-samples", "--classes=names").stdout
    for first in (8, 10):
        left, right = (names[label] if label != 3 else names[3][:27].rstrip() + "…" for label in (DATA / "train-labels-idx1-ubyte").read_bytes()[first:first + 2])
        assert re.search(rf"^{left.ljust(30)}{right}$", text, re.M), (left, right, text)
    long = matrix(text)
    assert long[0].split() == list("0123456789") and [line[:2].strip() for line in long[1:]] == list("0123456789"), long
    assert [line[3:19].strip() for line in long[1:]] == [*names[:3], "a name that is…", *names[4:]] and len({len(line) for line in long}) == 1, long
    assert matrix(run(program, "--epochs=0", "--classes=names", LC_ALL="C").stdout)[10][3:6] == "?  "
    assert rows(program, "--epochs=0", "--classes=names")[-1]["classes"] == names and "classes" not in rows(program, "--epochs=0")[-1]
    for columns, blocks in ((120, 1), (60, 1), (40, 2), (20, 4)):
        shown = on_terminal(program, columns, "--epochs=0", "--quiet", "--classes=names")
        lines = matrix(shown)
        assert re.search(r"^Confusion matrix[ \n]\(rows: true, columns: predicted\)$", shown, re.M), shown
        assert all(len(line) <= columns for line in lines) and len(lines) >= 11 * blocks, (columns, lines)
        assert [sum(line.startswith(f" {i} ") for line in lines) for i in range(10)] == [sum(line == "" for line in lines) + 1] * 10, lines
    path.write_text("a\n" * 10)
    done = run(program, "--classes=names", code=3)
    assert done.stdout == "" and done.stderr == f"{pathlib.Path(program).name}: names: line 2: expected a name of its own, found that of line 1 again\n", done


def fashion(program):
    """What begins with the labels of Fashion-MNIST is called so, and its classes by their names, unless other names are given."""
    folder = FOLDER / "fashion"
    folder.mkdir(exist_ok=True)
    labels = [int(digit) for digit in FASHION] + [3] * 20
    for stem, values in (("train", labels), ("t10k", labels[:30])):
        write_idx(folder / f"{stem}-labels-idx1-ubyte", (len(values),), values)
        write_idx(folder / f"{stem}-images-idx3-ubyte", (len(values), 28, 28), bytes(784 * len(values)))
    flags = ("--data", str(folder), "--epochs=0")
    text = run(program, *flags, "--show-samples", data=False).stdout
    assert " · Fashion-MNIST, IDX files in " in text.splitlines()[0], text
    assert re.search(r"^Ankle boot +T-shirt/top$", text, re.M) and re.search(r"^T-shirt/top +Dress$", text, re.M), text
    assert re.search(r"^ 9 Ankle boot +\d+ ", text, re.M), text
    last = rows(program, *flags, data=False)[-1]
    assert last["data"].startswith("Fashion-MNIST, ") and last["classes"][8:] == ["Bag", "Ankle boot"], last
    (FOLDER / "names").write_text("".join(f"class {i}\n" for i in range(10)))
    assert rows(program, *flags, "--classes=names", data=False)[-1]["classes"][9] == "class 9"


def shuffled_pixels(program):
    """The same for all images, by its own seed, felt by the network and repeatable."""
    first, again, other, plain = (losses(program, *flags) for flags in (["--shuffle-pixels=1"], ["--shuffle-pixels=1"], ["--shuffle-pixels=2"], []))
    assert first == again and first != other and first != plain
    lines = rows(program, "--shuffle-pixels=1", "--epochs=30", "--batch-size=64", "--learning-rate=0.01") if program == FCNN else []
    assert not lines or lines[-1]["test_accuracy"] > 0.95, lines[-1]


def rate_finder(program):
    """--find-learning-rate: the same on any number of threads, a figure where it belongs, and a suggestion that trains."""
    flags = ("--find-learning-rate", "--batch-size=32", "--activation=relu", *small(program))
    out = run(program, *flags).stdout
    suggested = re.search(r"\n\nSuggested learning rate: (\S+)\nFigure: learning_rate\.svg\n$", out)[1]
    assert re.search(r"\n  learning rate  smoothed loss\n(  +\S+  +\d+\.\d{4}(  \S.*)?\n)+\n", out) and "falls fastest: suggested" in out, out
    assert "Epoch" not in out and "Test accuracy" not in out
    figure = (FOLDER / "learning_rate.svg").read_bytes()
    assert b"<svg" in figure and f"suggested: {suggested}<".encode() in figure and b">1e-4<" in figure
    (FOLDER / "learning_rate.svg").unlink()
    first = None
    for threads in (1, 2, 3):
        found = rows(program, *flags, f"--threads={threads}", "--report=found")
        assert len(found) == 1 and found[0]["figure"] == "found/learning_rate.svg" and f"{found[0]['suggested_learning_rate']:.2g}" == suggested, found
        assert first in (None, found) and (FOLDER / "found/learning_rate.svg").read_bytes() == figure
        first = found
    assert not (FOLDER / "found/report.html").exists() and not (FOLDER / "learning_rate.svg").exists()
    done = run(program, *flags, "--quiet", "--report=found")
    assert done.stdout == f"Suggested learning rate: {suggested}\n" and done.stderr == ""
    assert rows(program, "--epochs=8", *flags[1:], f"--learning-rate={suggested}")[-1]["test_accuracy"] > 0.9
    for flag in ("--save=a", "--checkpoint=a", "--resume=a", "--trace=a"):
        said = run(program, *flags, flag, code=2).stderr
        assert "--find-learning-rate trains nothing" in said and said.count("\n") == 1, said
    (FOLDER / "found/learning_rate.svg").unlink()
    (FOLDER / "found/learning_rate.svg").mkdir()
    said = run(program, *flags, "--report=found", "--quiet", code=1)
    assert "found/learning_rate.svg" in said.stderr and said.stderr.count("\n") == 1 and said.stdout == "", said
    shutil.rmtree(FOLDER / "found")


def convolutions():
    out = run(CNN, "--filters=4,6", "--kernel-size=5", "--epochs=1").stdout
    assert "(None, 24, 24, 4)" in out and "(None, 8, 8, 6)" in out and "(None, 96)" in out
    done = run(CNN, "--filters=4,4,4,4", code=2)
    assert "convolution 4 of 4 does not fit: its image is 1x1" in done.stderr and done.stderr.count("\n") == 1 and done.stdout == ""
    for flag in ("--filters=3", "--kernel-size=5"):
        assert "unknown flag" in run(FCNN, flag, code=2).stderr


def usage(program):
    name = pathlib.Path(program).name
    for flags, message in ((("--epoch=3",), "unknown flag --epoch; did you mean --epochs?"),
                           (("--optimizer=adm",), "did you mean adam?"),
                           (("--batch-size=0",), "--batch-size: \"0\" is not a whole number from 1 to 1000000"),
                           (("--learning-rate", "-1"), "--learning-rate: \"-1\" is not a number above 0"),
                           (("--threads=2000",), "--threads: \"2000\" is not a whole number from 0 to 1024"),
                           (("train",), "\"train\" is no flag")):
        done = run(program, *flags, code=2)
        assert done.stdout == "" and done.stderr.startswith(name + ": ") and message in done.stderr, done.stderr
        assert done.stderr.count("\n") == 1
    assert "isa" in run(program, code=2, TG_ISA="isa").stderr


def help_and_version(program):
    page = run(program, "--help", data=False).stdout
    assert page.startswith(f"Usage: {pathlib.Path(program).name} [FLAGS]\n") and "Examples:" in page and "Default: 128." in page
    assert "Exit status:" in page and ("--hidden" in page) == (program == FCNN)
    assert re.fullmatch(r"\w+ \(tapegrad\) \d+\.\d+\.\d+\n", run(program, "--version", data=False).stdout)


def bad_data(program):
    done = run(program, "--data", str(FOLDER / "none"), code=3, data=False)
    assert str(FOLDER / "none") in done.stderr and done.stderr.count("\n") == 1
    assert run(program, code=3, data=False, MNIST_DIR=str(FOLDER / "none")).stdout == ""
    cut = FOLDER / "cut"
    shutil.copytree(DATA, cut)
    with open(cut / "train-images-idx3-ubyte", "r+b") as file:
        file.truncate(5000)
    assert "train-images" in run(program, "--data", str(cut), code=3, data=False).stderr
    shutil.rmtree(cut)


def divergence(program):
    done = run(program, "--optimizer=sgd", "--learning-rate=1e38", "--epochs=3", code=4)
    assert "diverged: " in done.stderr and re.search(r"\w+\.c:\d+", done.stderr), done.stderr
    assert "Test accuracy" not in done.stdout
    flags = ("--optimizer=momentum", "--activation=relu", "--epochs=3", "--save=exploded.safetensors", "--checkpoint=exploded")
    done = run(program, *flags, "--learning-rate=100", code=4)  # it stays within the floats
    assert re.fullmatch(r"\w+: diverged: the mean loss of epoch 1 is \d\S+, more than 1e\+06 times that of the first step, \S+: try a lower learning rate\n",
                        done.stderr), done.stderr
    assert "Test accuracy" not in done.stdout and not (FOLDER / "exploded.safetensors").exists() and not (FOLDER / "exploded/last.safetensors").exists()


def interrupt(program):
    with subprocess.Popen([program, "--data", str(DATA), "--epochs=100000"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=ENVIRONMENT) as child:
        for line in child.stdout:
            if line.startswith("Epoch 3/"):
                break
        child.send_signal(signal.SIGINT)
        _, complaint = child.communicate(timeout=60)
        assert child.returncode == 130, child.returncode
        assert re.search(r": interrupted in epoch \d+ of 100000, after step \d+ of 5\n", complaint), complaint


def interrupt_before_training(program):
    """Standard output is a full pipe, so that the program stands still in its introduction until it has been interrupted."""
    for seconds in (0.3, 1, 3, 10, 30):
        read, write = os.pipe()
        os.set_blocking(write, False)
        try:
            while os.write(write, bytes(4096)):
                pass
        except BlockingIOError:
            os.set_blocking(write, True)
        child = subprocess.Popen([program, "--data", str(DATA)], stdout=write, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
        os.close(write)
        time.sleep(seconds)
        child.send_signal(signal.SIGINT)
        with open(read, "rb") as pipe:
            pipe.read()
        _, complaint = child.communicate(timeout=60)
        if child.returncode != -signal.SIGINT:  # else it came before the program took the signal over
            break
    assert child.returncode == 130, (child.returncode, complaint)
    assert complaint == f"{pathlib.Path(program).name}: interrupted before training; nothing was trained\n", complaint


def write_many(folder, count):
    """The training data with so many black test images."""
    folder.mkdir()
    for stem in ("train-labels-idx1-ubyte", "train-images-idx3-ubyte"):
        shutil.copy(DATA / stem, folder)
    for stem, shape in (("t10k-labels-idx1-ubyte", (count,)), ("t10k-images-idx3-ubyte", (count, 28, 28))):
        write_idx(folder / stem, shape, b"")
        os.truncate(folder / stem, 4 + 4 * len(shape) + math.prod(shape))


def interrupted_after(program, line_part, *flags):
    """What a run that is interrupted after that line has written and complained, and its exit status."""
    size = ["--hidden=1000,1000"] if program == FCNN else []
    with subprocess.Popen([program, "--epochs=1", *size, *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
                          cwd=FOLDER) as child:
        for line in child.stdout:
            if line_part in line:
                break
        child.send_signal(signal.SIGINT)
        return child.stdout.read(), child.stderr.read(), child.wait(300)


def interrupt_after_training(program):
    """In an evaluation that would last for many seconds: where it came and what is kept."""
    name, folder = pathlib.Path(program).name, FOLDER / "many"
    write_many(folder, 100000)
    kept = ["the weights are in w.safetensors, the last checkpoint is in c", "the weights are in w.safetensors",
            "the last checkpoint is in c", "the weights were not kept, as --save FILE or --checkpoint DIR would have"]
    for i, flags in enumerate((["--save=w.safetensors", "--checkpoint=c"], ["--save=w.safetensors"], ["--checkpoint=c"], [])):
        output, complaint, code = interrupted_after(program, " - val_loss: ", "--data", str(folder), *flags)
        assert code == 130 and "Test accuracy" not in output, (code, output)
        assert re.fullmatch(f"{name}: interrupted (after training|in the evaluation); {re.escape(kept[i])}\n", complaint), complaint
        assert (FOLDER / "w.safetensors").exists() == (i < 2) and (FOLDER / "c/last.safetensors").exists() == (i % 2 == 0)
        (FOLDER / "w.safetensors").unlink(missing_ok=True)
        shutil.rmtree(FOLDER / "c", ignore_errors=True)
    shutil.rmtree(folder)


def interrupt_a_report(program):
    """While the test images are predicted once more."""
    name, folder = pathlib.Path(program).name, FOLDER / "many"
    for count in (10000, 40000, 160000):
        write_many(folder, count)
        output, complaint, code = interrupted_after(program, "Test accuracy", "--data", str(folder), "--report=r", "--save=w.safetensors")
        shutil.rmtree(folder)
        if code != 0:  # else a busy machine sent it too late
            break
    assert code == 130 and re.fullmatch(f"{name}: interrupted (after the evaluation|while the report was made); the weights are in w.safetensors\n",
                                        complaint), (code, complaint)
    assert "Confusion matrix" in output and not (FOLDER / "r/report.html").exists()
    shutil.rmtree(FOLDER / "r")


def unread(program, *flags):
    """The exit status and the complaint of a run whose reader goes away after the first line."""
    with subprocess.Popen([program, "--data", str(DATA), *flags], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=FOLDER,
                          env=ENVIRONMENT) as child:
        child.stdout.readline()
        child.stdout.close()
        return child.stderr.read(), child.wait(60)


def unread_output(program):
    """As behind "| head": a run that keeps nothing ends, one that keeps files goes on, and neither says a word."""
    for flags in ((), ("--json",), (f"--dump-graph={FOLDER / 'g.dot'}",)):
        assert unread(program, "--epochs=100000", *flags) == ("", 141), flags
    kept = {"--save": "w.safetensors", "--checkpoint": "c/best.safetensors", "--trace": "t", "--report": "r/history.csv"}
    for style in ("--json", "--no-progress"):
        for flag, file in kept.items():
            files = []
            for end in (lambda *flags: run(program, *flags), lambda *flags: unread(program, *flags)):
                answer = end("--epochs=3", style, *small(program), f"{flag}={file.split('/')[0]}")
                lines = (FOLDER / file).read_bytes().splitlines()
                files.append(len(lines) if flag == "--report" else lines)
                for path in (FOLDER / "w.safetensors", FOLDER / "t"):
                    path.unlink(missing_ok=True)
                for path in (FOLDER / "c", FOLDER / "r"):
                    shutil.rmtree(path, ignore_errors=True)
            assert answer == ("", 0) and files[0] == files[1], (flag, answer)


def lost_output(program):
    """A full disk: exit 1 with the reason, soon."""
    begin = time.monotonic()
    if os.path.exists("/dev/full"):
        for flags in (("--epochs=100000",), ("--json", "--epochs=1"), ("--json", "--epochs=9", f"--trace={FOLDER / 'lost'}"), ("--quiet", "--epochs=1"), ("--help",), ("--version",)):
            with open("/dev/full", "w") as full:
                done = subprocess.run([program, "--data", str(DATA), *flags], stdout=full, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT,
                                      timeout=60)
            assert done.returncode == 1, (flags, done)
            assert done.stderr.count("\n") == 1 and "cannot write to standard output: No space left on device" in done.stderr, done.stderr
    assert time.monotonic() - begin < 60


def pictures(program):
    for stage in ("recorded", "training", "compiled"):
        first, second = FOLDER / "1.dot", FOLDER / "2.dot"
        for file in (first, second):
            run(program, "--epochs=0", "--quiet", f"--dump-graph={file}", f"--dump-stage={stage}")
        assert first.read_bytes() == second.read_bytes(), stage
        text = first.read_text()
        assert text.startswith("digraph") and "dense" in text and ("adam" in text) == (stage != "recorded"), stage
        if shutil.which("dot"):
            svg = subprocess.run(["dot", "-Tsvg", str(first)], capture_output=True, text=True, timeout=300)
            assert svg.returncode == 0 and svg.stderr == "" and "</svg>" in svg.stdout, svg.stderr
    complaint = run(program, "--epochs=0", "--dump-graph=none/g.dot", code=1).stderr
    assert "none/g.dot" in complaint and complaint.count("\n") == 1


def profile(program):
    """The table of parts, the JSON line, and the picture filled by time, which is written after training."""
    file = FOLDER / "times.dot"
    out = run(program, "--epochs=2", "--threads=2", "--profile", f"--dump-graph={file}", "--dump-stage=compiled").stdout
    steps = 2 * (ROWS // 128)
    assert re.search(rf"\nTime of a training step \(128 images\): \d+\.\d+ us, over {steps} steps on 2 threads\n", out), out
    table = re.findall(r"^ +(\d+\.\d+)% +(\d+\.\d+) +(\S+) +(\S+)  (.*)$", out, re.M)
    assert len(table) >= 10 and any("matmul" in row[4] for row in table), out
    names = [row[4] for row in table]
    assert names[-1] == "all parts" and "outside of parts" in names[-2] and "more parts" in names[-3], names
    shares = [float(row[0]) for row in table]
    assert shares[:-3] == sorted(shares[:-3], reverse=True) and abs(sum(shares[:-2]) - shares[-1]) < 0.2, shares
    assert abs(shares[-1] + shares[-2] - 100) < 0.02, shares
    picture = file.read_text()
    assert "share of the time" in picture and re.search(r"<b>\d+\.\d %</b>", picture) and "#ffae5c" in picture
    found = [line["profile"] for line in rows(program, "--epochs=1", "--profile") if "profile" in line]
    assert len(found) == 1 and found[0]["batch"] == 128 and found[0]["steps"] == ROWS // 128
    parts = found[0]["parts"]
    assert {"compute", "commit"} <= {part["segment"] for part in parts} and any(part.get("variable") == "dense/kernel" for part in parts)
    assert sum(part["nanoseconds"] for part in parts) + found[0]["outside_nanoseconds"] == found[0]["nanoseconds"] * found[0]["threads"]
    assert "Time of a training step" not in run(program, "--epochs=0", "--profile").stdout


def locale(program):
    plain = run(program, "--epochs=0", LC_ALL="C").stdout
    assert plain.isascii() and "| dense (Dense)" in plain
    assert "│ dense (Dense)" in run(program, "--epochs=0").stdout


class Skipped(Exception):
    pass


def open_terminal():
    try:
        return pty.openpty()
    except OSError as problem:
        raise Skipped(f"no pseudo-terminal: {problem}")


def on_terminal(program, columns, *flags, resize=None, **environment):
    """What a run writes to a terminal of so many columns. `resize` takes their place in the first epoch: the run is stopped
    meanwhile, and a second result is the number of epochs that had begun by then."""
    main, side = open_terminal()
    fcntl.ioctl(side, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    child = subprocess.Popen([program, "--data", str(DATA), *flags], stdin=side, stdout=side, stderr=side, cwd=FOLDER,
                             env={**ENVIRONMENT, "TERM": "xterm-256color", **environment})
    os.close(side)
    written = b""
    begun = None
    try:
        while part := os.read(main, 65536):
            written += part
            if resize and begun is None and b"Epoch 1/" in written:
                os.kill(child.pid, signal.SIGSTOP)
                assert os.WIFSTOPPED(os.waitpid(child.pid, os.WUNTRACED)[1])
                while select.select([main], [], [], 0)[0]:
                    written += os.read(main, 65536)
                begun = written.count(b"Epoch ")
                fcntl.ioctl(main, termios.TIOCSWINSZ, struct.pack("4H", 24, resize, 0, 0))
                os.kill(child.pid, signal.SIGCONT)
    except OSError:  # the other side is closed
        pass
    os.close(main)
    assert child.wait(60) == 0, written
    text = written.decode().replace("\r\n", "\n")
    return (text, begun) if resize else text


def without_colours(text):
    return re.sub(r"\x1b\[\d+m", "", text)


def progress_bar(program):
    """On a terminal each epoch has a bar that fits, is redrawn at most 20 times a second and ends with all figures."""
    slower = ["--hidden=300,300"] if program == FCNN else []  # so that an epoch lasts for more than one drawing
    # Where the window is resized, a run writes more than a terminal holds, in many short epochs: so it cannot be over before it is stopped.
    for columns, resize, epochs, steps in ((60, None, 2, 300), (80, None, 2, 300), (120, None, 2, 300), (100, 50, 200, 30))[:4 if program == FCNN else 3]:
        flags = (f"--epochs={epochs}", f"--batch-size={ROWS // steps}", "--threads=1", *(["--hidden=20,20"] if resize else slower))
        begin = time.monotonic()
        written = on_terminal(program, columns, *flags, resize=resize)
        seconds = time.monotonic() - begin
        if resize:
            written, begun = written
            assert begun < epochs, "the run was over before its window could be resized"
        assert re.search(rf"\x1b\[1m{steps}/{steps}\x1b\[0m \x1b\[32m━+\x1b\[0m \x1b\[1m\d+s\x1b\[0m \d+[mu]s/step(?: - |\n *)accuracy: ", written), written
        bars = without_colours(written[written.index("Epoch 1/"):written.index("\n3/3 - ")])
        assert bars.count("\r") <= 20 * seconds
        for line in re.split(r"[\r\n]", bars.replace("\x1b[J", "")):
            assert len(line) < columns, (columns, line)
        if resize:
            later = bars[bars.index(f"Epoch {begun + 1}/"):].replace("\x1b[J", "")
            assert all(len(line) < resize for line in re.split(r"[\r\n]", later)), later
        assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1a\x1c-\x1f]", bars)
        finished = re.findall(rf"(?<=[\nJ]){steps}/{steps} ━+ \d+s \d+[mu]s/step(?: - |\n *)accuracy: \S+(?: - |\n *)loss: \S+(?: - |\n *)val_accuracy: \S+(?: - |\n *)"
                              r"val_loss: \S+(?=\n)", bars)
        assert len(finished) == epochs, bars


def terminals(program):
    """NO_COLOR, locales without UTF-8, dumb terminals and --no-progress."""
    assert "\x1b" in on_terminal(program, 80, "--epochs=1", NO_COLOR="")
    assert not re.search(r"\x1b\[\d*m", on_terminal(program, 80, "--epochs=1", NO_COLOR="1"))
    plain = on_terminal(program, 80, "--epochs=1", LC_ALL="C")
    assert plain.isascii() and "====================" in plain
    for options in (dict(TERM="dumb"), dict(flags=("--no-progress",)), dict(flags=("--quiet",)), dict(flags=("--json",))):
        text = on_terminal(program, 80, "--epochs=1", *options.pop("flags", ()), **options)
        assert not re.search(r"[\x00-\x09\x0b-\x1f]", text), text
    evaluation = re.search(r"\n3/3 - \d+s - \d+(?:us|ms)/step - accuracy: (\S+) - loss: (\S+)\n\nTest accuracy: (\S+)\nTest loss: +(\S+)\n",
                           run(program, "--epochs=1").stdout)
    assert evaluation and evaluation[1] == evaluation[3] and evaluation[2] == evaluation[4], evaluation


def synthetic(program):
    """Without any data, digits are drawn, and every result says so; they can be learned."""
    done = run(program, "--epochs=1", "--json", data=False)
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert "synthetic" in lines[-1]["data"] and "tools/fetch_mnist" in lines[-1]["note"] and "SYNTHETIC" in done.stderr
    assert lines[0]["val_accuracy"] > 0.5
    text = run(program, "--data=synthetic", "--epochs=0", "--quiet", data=False).stdout
    assert "SYNTHETIC" in text and "tools/fetch_mnist" in text


def main():
    both = [text_of_a_run, json_of_a_run, learning, same_bits, labels, quiet, choices, regularization, rates, samples, class_names, fashion, shuffled_pixels, rate_finder, usage, help_and_version, bad_data, divergence,
            interrupt, interrupt_before_training, interrupt_after_training, interrupt_a_report, unread_output, lost_output, pictures, profile, locale, progress_bar, terminals]
    tests = [(f"{'fcnn' if program == FCNN else 'cnn'}: {test.__name__}", test, (program,)) for program in (FCNN, CNN) for test in both]
    tests += [("fcnn: hidden_layers", hidden_layers, ()), ("fcnn: plateaus", plateaus, ()), ("cnn: convolutions", convolutions, ()), ("fcnn: synthetic", synthetic, (FCNN,))]
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, (name, test, arguments) in enumerate(tests, 1):
        try:
            test(*arguments)
            print(f"ok {number} - {name}", flush=True)
        except Skipped as why:
            print(f"ok {number} - {name} # SKIP {why}", flush=True)
        except Exception as problem:
            failed += 1
            print("# " + "\n# ".join(f"{type(problem).__name__}: {problem}".splitlines()))
            print(f"not ok {number} - {name}", flush=True)
    return 1 if failed else 0


with tempfile.TemporaryDirectory() as name:
    FOLDER = pathlib.Path(name)
    DATA = FOLDER / "small"
    DATA.mkdir()
    write_data(DATA)
    status = main()
sys.exit(status)
