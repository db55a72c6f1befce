"""What the tests of tools/import_weights share. Their arguments: IMPORT PREDICT FCNN_MNIST CNN_MNIST. The files that Keras and PyTorch
wrote are in tests/reference/ (import_check.py made them); neither is needed to test. Without NumPy all is skipped, and without h5py
what reads Keras's files."""
import collections
import json
import math
import os
import pathlib
import re
import runpy
import struct
import subprocess
import sys
import tempfile
import traceback
import zipfile


def has(python, *modules):
    return subprocess.run([python, "-c", "import " + ", ".join(modules)], capture_output=True).returncode == 0


# The build's Python may be another one than the system's, whose packages have the modules.
if not has(sys.executable, "numpy", "h5py") and sys.executable != "/usr/bin/python3" and os.path.exists("/usr/bin/python3"):
    if has("/usr/bin/python3", "numpy", "h5py") or (not has(sys.executable, "numpy") and has("/usr/bin/python3", "numpy")):
        os.execv("/usr/bin/python3", ["/usr/bin/python3", *sys.argv])
try:
    import numpy
except ImportError:
    print("1..0 # SKIP numpy is not installed (pip install numpy h5py)")
    sys.exit()
try:
    import h5py
except ImportError:
    h5py = None

IMPORT, PREDICT, FCNN, CNN = sys.argv[1:5]
REFERENCE = pathlib.Path(__file__).resolve().parent / "reference"
sys.dont_write_bytecode = True
sys.path[:0] = [str(REFERENCE), os.path.dirname(IMPORT)]
import formula

runpy.run_path(IMPORT)  # so that its modules are loaded, once

ENVIRONMENT = {key: value for key, value in os.environ.items() if key not in ("MNIST_DIR", "XDG_DATA_HOME", "PYTHONPATH")}
ENVIRONMENT.update(HOME="/nonexistent", LC_ALL="C.UTF-8", OPENBLAS_NUM_THREADS="1")
PLACE = tempfile.TemporaryDirectory()
FOLDER = pathlib.Path(PLACE.name)
NUMBERS = range(5000, 5300)


def run(*command, code=0, **environment):
    done = subprocess.run([str(word) for word in command], capture_output=True, text=True, env={**ENVIRONMENT, **environment}, cwd=FOLDER, timeout=300)
    assert done.returncode == code, f"{command} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done


def run_import(*arguments):
    """tools/import_weights as a process of its own, forked from this one: to load NumPy and h5py again would take longer than its work."""
    command = [IMPORT, *map(str, arguments)]
    with open(FOLDER / "stdout", "w+") as stdout, open(FOLDER / "stderr", "w+") as stderr:
        child = os.fork()
        if child == 0:
            os.dup2(stdout.fileno(), 1)
            os.dup2(stderr.fileno(), 2)
            os.chdir(FOLDER)
            sys.argv = command
            code = 1
            try:
                runpy.run_path(IMPORT, run_name="__main__")
            except SystemExit as end:
                code = end.code
            except BaseException:
                traceback.print_exc()
            finally:
                sys.stdout.flush()
                sys.stderr.flush()
                os._exit(code)
        code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        stdout.seek(0)
        stderr.seek(0)
        return subprocess.CompletedProcess(command, code, stdout.read(), stderr.read())


def import_weights(*arguments, code=0):
    done = run_import(*arguments)
    assert done.returncode == code, f"{done.args} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done


# What files of weights alone need: how their networks were trained.
TRAINED = "--activation=sigmoid"


def imported(model, *flags, out="out.safetensors"):
    """The metadata and tensors that a file becomes."""
    import_weights(model, out, *flags)
    return read_safetensors(FOLDER / out)


def refused(code, message, *arguments, **environment):
    """With an environment of its own, the tool starts as from a shell."""
    (FOLDER / "kept").write_bytes(b"as it was")
    done = run(sys.executable, IMPORT, *arguments, code=code, **environment) if environment else import_weights(*arguments, code=code)
    assert done.stdout == "" and re.fullmatch(r"import_weights: [^\n]+\n", done.stderr) and message in done.stderr, (message, done.stderr)
    assert (FOLDER / "kept").read_bytes() == b"as it was"


def read_safetensors(path):
    data = path.read_bytes()
    size = struct.unpack("<Q", data[:8])[0]
    header = json.loads(data[8:8 + size])
    metadata = header.pop("__metadata__")
    values = {name: numpy.frombuffer(data, "<f4", math.prod(entry["shape"]), 8 + size + entry["data_offsets"][0]).reshape(entry["shape"])
              for name, entry in header.items()}
    return metadata, values


def write_safetensors(path, tensors, kind="F32"):
    dtype = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "BF16": "<u2", "I64": "<i8"}[kind]
    header, data = {}, b""
    for name in sorted(tensors):
        values = numpy.asarray(tensors[name])
        values = (numpy.ascontiguousarray(values, "<f4").view("<u4") >> 16) if kind == "BF16" else values
        values = numpy.ascontiguousarray(values, dtype)
        header[name] = {"dtype": kind, "shape": values.shape, "data_offsets": [len(data), len(data) + values.nbytes]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    (FOLDER / path).write_bytes(struct.pack("<Q", len(text)) + text + data)


def same(a, b):
    return a.keys() == b.keys() and all(a[name].shape == b[name].shape and a[name].tobytes() == b[name].tobytes() for name in a)


def rezip(path, old, change):
    """A copy of an archive with files changed: {name: bytes or None}."""
    with zipfile.ZipFile(old) as archive, zipfile.ZipFile(FOLDER / path, "w") as copy:
        for name in archive.namelist():
            data = change(name, archive.read(name))
            if data is not None:
                copy.writestr(name, data)


def predicts_as_there(name, framework):
    """Each image's class is the framework's, unless its two largest logits nearly tie; and all logits are close."""
    stem = f"import_{name}_{framework}"
    metadata, _ = imported(REFERENCE / (stem + ".keras")) if framework == "keras" else imported(REFERENCE / (stem + ".pt"), TRAINED)
    size = {"fcnn": {"hidden": "12,8"}, "cnn": {"filters": "3,4", "kernel-size": "3"}}[name]
    assert metadata == {"model": name, "activation": "sigmoid", "imported": {"keras": "Keras", "torch": "PyTorch"}[framework], **size}, metadata
    pixels = formula.images(NUMBERS).tobytes()
    (FOLDER / "images").write_bytes(struct.pack(">4I", 0x803, len(NUMBERS), 28, 28) + pixels)
    theirs = struct.iter_unpack("<10f", (REFERENCE / (stem + ".f32")).read_bytes())
    lines = run(PREDICT, "--json", "out.safetensors", "images").stdout.splitlines()
    assert len(lines) == len(NUMBERS)
    compared = collections.Counter()
    for line, logits in zip(map(json.loads, lines), theirs):
        first, second = sorted(logits, reverse=True)[:2]
        if first - second > 1e-4:
            compared[line["class"]] += 1
            assert line["class"] == logits.index(first), (line, logits)
        logs = [math.log(p) for p in line["probabilities"].values()]
        shift = (sum(logs) - sum(logits)) / 10
        assert all(abs(ours - shift - their) < 2e-4 for ours, their in zip(logs, logits)), (logs, logits)
    assert sum(compared.values()) >= 0.95 * len(NUMBERS) and len(compared) == 10, compared


def run_tests(tests):
    """`tests`: (name, function, arguments)."""
    failed = 0
    print(f"1..{len(tests)}", flush=True)
    for number, (name, test, arguments) in enumerate(tests, 1):
        title = f"{number} - {name.replace('_', ' ')}"
        try:
            test(*arguments)
            print(f"ok {title}", flush=True)
        except Exception:
            failed += 1
            print(f"not ok {title}\n# " + traceback.format_exc().replace("\n", "\n# "), flush=True)
    sys.exit(1 if failed else 0)
