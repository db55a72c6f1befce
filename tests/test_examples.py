"""The examples that read data, on small and wrong data. Usage: test_examples.py FUEL.csv KERAS_WORKFLOW REGRESSION_CSV; writes TAP."""
import os
import pathlib
import random
import re
import struct
import subprocess
import sys
import tempfile

FUEL = pathlib.Path(sys.argv[1]).read_text().splitlines(keepends=True)
WORKFLOW, REGRESSION = map(os.path.abspath, sys.argv[2:4])
ENVIRONMENT = {key: value for key, value in os.environ.items() if key != "MNIST_DIR"}


def run(*command, code=0):
    done = subprocess.run(command, capture_output=True, text=True, env=ENVIRONMENT, timeout=300)
    assert done.returncode == code, f"{command} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done


def write_data(train, test):
    folder = FOLDER / f"{train}-{test}"
    folder.mkdir()
    chance = random.Random(3)
    for stem, count in (("train", train), ("t10k", test)):
        for name, shape, values in (("labels-idx1", (count,), [chance.randrange(10) for _ in range(count)]),
                                    ("images-idx3", (count, 28, 28), chance.randbytes(count * 784))):
            header = struct.pack(">I", 0x800 + len(shape)) + struct.pack(f">{len(shape)}I", *shape)
            (folder / f"{stem}-{name}-ubyte").write_bytes(header + bytes(values))
    return str(folder)


def images_of_any_number():
    for train, test in ((300, 50), (60, 7), (6, 1)):
        out = run(WORKFLOW, write_data(train, test)).stdout
        assert len(re.findall(r"^epoch [12] of 2: validation accuracy \S+$", out, re.M)) == 2, out
        assert re.search(r"^test accuracy \S+, most ones recognised: (yes|no)\nthe first test image is a \d: probability \S+$", out, re.M), out


def too_few_images():
    assert run(WORKFLOW, write_data(5, 1), code=1).stderr == "expected at least 6 training images\n"


def rows_of_any_number():
    table = FOLDER / "fuel.csv"
    for rows in (2, 3, 50, 199):
        table.write_text("".join(FUEL[:rows + 1]))
        expected = rows - rows * 4 // 5
        assert re.fullmatch(rf"on {expected} rows: mean squared error \S+, mean absolute error \S+\n", run(REGRESSION, table).stdout), rows
    table.write_text("".join(FUEL[:2]))
    assert run(REGRESSION, table, code=1).stderr == "expected at least two rows, to train on and to test\n"


def main():
    tests = (images_of_any_number, too_few_images, rows_of_any_number)
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}", flush=True)
        except Exception as problem:
            failed += 1
            print("# " + "\n# ".join(f"{type(problem).__name__}: {problem}".splitlines()))
            print(f"not ok {number} - {test.__name__}", flush=True)
    return 1 if failed else 0


with tempfile.TemporaryDirectory() as name:
    FOLDER = pathlib.Path(name)
    status = main()
sys.exit(status)
