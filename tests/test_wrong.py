"""What helps when something goes wrong: traces and where two of them part, pictures of divergence, checked gradients.
Usage: test_wrong.py FCNN_MNIST CNN_MNIST DIFF_RUNS; writes TAP."""
import os
import pathlib
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import traceback

FCNN, CNN, DIFF = map(os.path.abspath, sys.argv[1:4])
ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("MNIST_DIR", "XDG_DATA_HOME")}
ENVIRONMENT.update(HOME="/nonexistent", LC_ALL="C.UTF-8")
SMALL = {FCNN: ("--hidden=12",), CNN: ("--filters=3",)}
STEPS = 7  # of an epoch: 200 images in batches of 32


def write_data(folder):
    chance = random.Random(3)
    folder.mkdir()
    for stem, count in (("train", 240), ("t10k", 20)):
        for name, shape, values in (("labels-idx1", (count,), [chance.randrange(10) for _ in range(count)]),
                                    ("images-idx3", (count, 28, 28), chance.randbytes(count * 784))):
            header = struct.pack(">I", 0x800 + len(shape)) + struct.pack(f">{len(shape)}I", *shape)
            (folder / f"{stem}-{name}-ubyte").write_bytes(header + bytes(values))


def run(program, *flags, code=0):
    command = [program, "--data", "data", "--batch-size=32", "--threads=1", *SMALL[program], *flags]
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, cwd=FOLDER, timeout=300)
    assert done.returncode == code, f"{command} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done


def diff(*arguments, code):
    done = subprocess.run([DIFF, *arguments], capture_output=True, text=True, cwd=FOLDER, timeout=60)
    assert done.returncode == code, f"{arguments}: {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    if code >= 2:
        assert done.stdout == "" and done.stderr.count("\n") == 1 and done.stderr.startswith("diff_runs: "), done.stderr
    return done.stderr if code >= 2 else done.stdout


def trace_of(program, name, *flags, epochs=2, code=0):
    run(program, f"--epochs={epochs}", f"--trace={name}", "--quiet", *flags, code=code)
    lines = (FOLDER / name).read_text().splitlines()
    assert lines[0] == "tapegrad trace 1"
    return [re.fullmatch(r"(\d+) (\S+) ([0-9a-f]{16})", line).groups() for line in lines[1:]]


def a_hash_of_every_variable_after_every_step(program):
    rows = trace_of(program, "a")
    names = [name for step, name, _ in rows if step == "0"]
    assert {"dense/kernel", "dense/bias"} < set(names) and any("adam" in name for name in names), names
    assert [(step, name) for step, name, _ in rows] == [(str(step), name) for step in range(2 * STEPS + 1) for name in names]
    hashes = [hashed for _, name, hashed in rows if name == "dense/kernel"]
    assert len(set(hashes)) == len(hashes)


def the_same_with_any_number_of_threads(program):
    first = trace_of(program, "a")
    assert trace_of(program, "b", "--threads=3") == first
    assert trace_of(program, "c", "--checkpoint=kept") == first
    for other in ("b", "c"):
        assert diff("a", other, code=0) == f"The same in all variables, from step 0 to step {2 * STEPS}.\n"


def the_first_difference_is_named(program):
    trace_of(program, "a")
    trace_of(program, "b", "--seed=2")
    assert re.match(r"Step 0: \S+/kernel differs: [0-9a-f]{16} in a, [0-9a-f]{16} in b\.\n", diff("a", "b", code=1))
    trace_of(program, "c", "--learning-rate=0.002")
    assert re.match(r"Step 1: \S+/kernel differs: ", diff("a", "c", code=1))
    trace_of(program, "d", "--learning-rate-schedule=step", "--decay-epochs=1")
    said = diff("a", "d", code=1)
    assert re.fullmatch(rf"Step {STEPS + 1}: \S+ differs: .*\nSo do \d+ other variables of that step\.\n", said), said
    text = (FOLDER / "a").read_text().splitlines(keepends=True)
    wrong = next(i for i, line in enumerate(text) if line.startswith("5 dense/bias "))
    text[wrong] = "5 dense/bias 0123456789abcdef\n"
    (FOLDER / "e").write_text("".join(text))
    assert re.fullmatch(r"Step 5: dense/bias differs: [0-9a-f]{16} in a, 0123456789abcdef in e\.\n", diff("a", "e", code=1))
    text[wrong + 1] = re.sub("[0-9a-f]{16}\n", "0123456789abcdef\n", text[wrong + 1])
    (FOLDER / "e").write_text("".join(text))
    assert diff("a", "e", code=1).endswith(".\nSo does 1 other variable of that step.\n")


def runs_that_stop_and_go_on(program):
    trace_of(program, "whole")
    half = trace_of(program, "half", "--checkpoint=again", epochs=1)
    assert diff("whole", "half", code=1) == f"half ends where whole has step {STEPS + 1}, {half[0][1]}.\n"
    rest = trace_of(program, "rest", "--resume=again")
    assert rest[0][0] == str(STEPS + 1)
    assert diff("rest", "whole", code=0) == f"The same in all variables, from step {STEPS + 1} to step {2 * STEPS}.\n"
    diverged = trace_of(program, "bad", "--optimizer=sgd", "--learning-rate=1e38", code=4)
    assert diverged and int(diverged[-1][0]) < STEPS


def a_picture_of_what_diverged(program):
    """The message names operation, line and inputs; the node that it names is the one red box."""
    flags = ("--optimizer=sgd", "--epochs=3", "--learning-rate=1e38")
    for folder in (None, "report"):
        done = run(program, *flags, *([f"--report={folder}"] if folder else []), code=4)
        path = f"{folder}/diverged.dot" if folder else "diverged.dot"
        cause, picture = done.stderr.splitlines()
        assert re.search(r": diverged: .* (gives|holds) (NaN|-?infinity) at \[[\d, ]*\] \(\S+\.c:\d+\); its inputs: .* from \S+ to \S+, mean \S+", cause), cause
        assert picture.endswith(f": {path} shows the graph with that node in red"), picture
        text = (FOLDER / path).read_text()
        assert text.startswith("digraph") and len(re.findall(r'fillcolor="#ffcdd2"', text)) == 1
        if shutil.which("dot"):
            svg = subprocess.run(["dot", "-Tsvg", path], capture_output=True, text=True, cwd=FOLDER, timeout=300)
            assert svg.returncode == 0 and svg.stderr == "" and svg.stdout.count('fill="#ffcdd2"') == 1, svg.stderr
    (FOLDER / "diverged.dot").unlink()
    (FOLDER / "diverged.dot").mkdir()
    complaint = run(program, *flags, code=4).stderr
    assert complaint.count("\n") == 2 and "there is no picture of the graph: diverged.dot: " in complaint, complaint


def the_last_good_checkpoint_stays(program):
    flags = ("--optimizer=sgd", "--epochs=3", "--learning-rate=1e38")
    run(program, *flags, "--checkpoint=kept", "--every=1", code=4)
    kept = (FOLDER / "kept" / "last.safetensors").read_bytes()
    assert "Going on from kept: epoch 1, after step " in run(program, *flags, "--resume=kept", code=4).stdout
    assert (FOLDER / "kept" / "last.safetensors").read_bytes() == kept


def gradients_are_checked_before_training(program):
    """A row for each variable, in columns; the training after it is the same, bit for bit."""
    done = run(program, "--epochs=1", "--check-gradients", "--trace=checked")
    lines = done.stdout[done.stdout.index("Gradients and finite differences of the loss of 4 images"):done.stdout.index("Epoch 1/1")].splitlines()
    assert lines[2].split() == ["variable", "checked", "kinks", "worst", "element", "gradient", "difference", "error"]
    rows = [re.fullmatch(r"(\S+) +(\d+) +(\d+)  (\[[\d, ]+\]) +(\S+) +(\S+) +(\S+)", line) for line in lines[3:] if line]
    assert all(rows) and len({len(row[0]) for row in rows} | {len(lines[2])}) == 1, lines
    layers = ["dense", "dense_1"] if program == FCNN else ["conv2d", "dense"]
    assert [row[1] for row in rows] == [f"{layer}/{name}" for layer in layers for name in ("kernel", "bias")], lines
    for row in rows:
        assert int(row[2]) + int(row[3]) in (3, 10, 12, 27, 50) and float(row[7]) < 1e-6, row[0]
        assert abs(float(row[5]) - float(row[6])) < 1e-6, row[0]
    trace_of(program, "plain", epochs=1)
    assert diff("plain", "checked", code=0)
    assert "Gradients" not in run(program, "--epochs=0", "--check-gradients", "--json").stdout


def gradients_that_differ(program):
    """A penalty so large that rounding drowns the differences of the biases."""
    done = run(program, "--check-gradients", "--l2=1e6", code=1)
    assert done.stderr.endswith(": gradients differ from finite differences; nothing was trained\n") and done.stderr.count("\n") == 1
    assert "dense/bias" in done.stdout and "Epoch 1" not in done.stdout


def networks_of_other_layers():
    trace_of(FCNN, "a")
    trace_of(CNN, "b")
    assert re.match("The runs have other variables or steps: a has step 0, dense/kernel, where b has step 0, conv2d/kernel", diff("a", "b", code=1))


def damaged_traces():
    trace_of(FCNN, "a")
    good = (FOLDER / "a").read_text()
    head, line = good.splitlines(keepends=True)[:2]
    for text, said in (("", "line 1: expected \"tapegrad trace 1\""), ("hello\n", "line 1: expected \"tapegrad trace 1\""),
                       (head + "x\n", "line 2: expected \"step variable hash\""), (head + "1 0123456789abcdef\n", "line 2"),
                       (head + "1 a 0123456789abcdeg\n", "line 2"), (head + "99999999999999999999 a 0123456789abcdef\n", "line 2"),
                       (head + line[:-1], "line 2: expected a whole line"), (head + "-1 a 0123456789abcdef\n", "line 2"),
                       (head + line + line.replace("0", "7", 1) + line, "line 4: expected a step that is not earlier")):
        (FOLDER / "b").write_text(text)
        assert said in diff("b", "b", code=3), text
    assert "none: cannot be opened: No such file" in diff("a", "none", code=3)
    assert "data: cannot be read: Is a directory" in diff("a", "data", code=3)
    (FOLDER / "b").write_text(head)
    assert diff("b", "b", code=0) == "The same: neither has a step.\n"
    assert diff("a", "b", code=1) == "b ends where a has step 0, dense/kernel.\n"


def wrong_usage():
    for arguments in ((), ("a",), ("a", "b", "c"), ("--what", "a"), ("a", "--what")):
        assert "see --help" in diff(*arguments, code=2)
    assert diff("--help", code=0).startswith("usage: diff_runs")
    done = run(FCNN, "--trace=none/trace", code=1)
    assert "none/trace: cannot be created: No such file" in done.stderr and done.stderr.count("\n") == 1, done.stderr
    if os.path.exists("/dev/full"):
        assert "/dev/full: writing failed: No space left" in run(FCNN, "--trace=/dev/full", code=1).stderr


def closed_descriptors(program):
    """What is opened does not take the place of a closed standard descriptor, and results that cannot be written are no success."""
    trace_of(program, "open")
    for closed in ("<&-", ">&-", "2>&-", "<&- 2>&-", "<&- >&- 2>&-"):
        lost = " >&-" in f" {closed}"
        for name in ("trace", "weights"):
            (FOLDER / name).unlink(missing_ok=True)
        command = f"'{program}' --data data --batch-size=32 --threads=1 --epochs=2 --quiet {SMALL[program][0]} --trace=trace --save=weights {closed}"
        done = subprocess.run(command, shell=True, capture_output=True, text=True, env=ENVIRONMENT, cwd=FOLDER, timeout=300)
        assert done.returncode == (1 if lost else 0), (closed, done)
        if lost:
            assert "2>" in closed or "cannot write to standard output: Bad file descriptor" in done.stderr, (closed, done)
        else:
            assert diff("trace", "open", code=0).startswith("The same"), closed
            assert (FOLDER / "weights").read_bytes()[8:9] == b"{", closed
    done = subprocess.run(f"'{DIFF}' open open >&-", shell=True, capture_output=True, text=True, cwd=FOLDER, timeout=60)
    assert done.returncode == 3 and "cannot write to standard output" in done.stderr, done


def places_are_tried_before_training(program):
    (FOLDER / "file").write_text("")
    (FOLDER / "learning_rate.svg").mkdir()
    for flags, said in ((["--save=none/a"], "none/a: cannot be created: No such file or directory"),
                        (["--save=data"], "data: cannot be written: Is a directory"),
                        (["--profile", "--dump-stage=compiled", "--dump-graph=none/a"], "none/a: cannot be created: No such file or directory"),
                        (["--report=file"], "file: "), (["--checkpoint=none/a"], "none/a: no folder for checkpoints: No such file or directory"),
                        (["--checkpoint=file"], "file: no folder for checkpoints: Not a directory"),
                        (["--trace=data"], "data: cannot be created: Is a directory"),
                        (["--find-learning-rate"], "learning_rate.svg: cannot be written: Is a directory")):
        done = run(program, *flags, code=1)
        assert said in done.stderr and done.stderr.count("\n") == 1, done.stderr
        assert "Epoch 1" not in done.stdout and "Suggested" not in done.stdout, done.stdout
    assert not list(FOLDER.glob("**/*.tmp"))


BOTH = [a_hash_of_every_variable_after_every_step, the_same_with_any_number_of_threads, the_first_difference_is_named, runs_that_stop_and_go_on,
        a_picture_of_what_diverged, the_last_good_checkpoint_stays, gradients_are_checked_before_training, gradients_that_differ,
        closed_descriptors, places_are_tried_before_training]
TESTS = [(f"{name}: {test.__name__}", test, (program,)) for program, name in ((FCNN, "fcnn"), (CNN, "cnn")) for test in BOTH]
TESTS += [(test.__name__, test, ()) for test in (networks_of_other_layers, damaged_traces, wrong_usage)]
failed = 0
print(f"1..{len(TESTS)}", flush=True)
for number, (name, test, arguments) in enumerate(TESTS, 1):
    with tempfile.TemporaryDirectory() as temporary:
        FOLDER = pathlib.Path(temporary)
        write_data(FOLDER / "data")
        try:
            test(*arguments)
            print(f"ok {number} - {name}", flush=True)
        except Exception:
            failed += 1
            print("# " + "\n# ".join(traceback.format_exc().splitlines()))
            print(f"not ok {number} - {name}", flush=True)
sys.exit(1 if failed else 0)
