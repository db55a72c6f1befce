"""tools/compare with the project's programs alone and with peers that do not work. Usage: test_compare.py COMPARE BUILD_FOLDER; writes TAP."""
import os
import pathlib
import re
import signal
import struct
import subprocess
import sys
import tempfile

COMPARE, BUILD = sys.argv[1:3]


def write_idx(path, shape, values):
    path.write_bytes(struct.pack(">I", 0x800 + len(shape)) + struct.pack(f">{len(shape)}I", *shape) + bytes(values))


def run(*flags, code=0):
    done = subprocess.run([sys.executable, COMPARE, f"--build={BUILD}", *flags], capture_output=True, text=True,
                          env={**os.environ, "MNIST_DIR": str(FOLDER)}, timeout=250)
    assert done.returncode == code, f"{flags} ended with {done.returncode}, not {code}:\n{done.stdout}{done.stderr}"
    return done


def tables():
    out = run("--models=fcnn", "--threads=1", "--rounds=1", "--epochs=2", "--process-epochs=1").stdout
    figure = r"[0-9.e-]+"
    assert re.search(rf"Training, seconds per epoch.*\n\n\| \| fcnn, 1 thread \|\n\|---\|---\|\n\| tapegrad \| {figure} \|\n", out), out
    assert re.search(rf"Whole process, 1 epoch with validation, 1 thread:.*\n\n\| \| fcnn, seconds \| fcnn, MiB \|\n.*\n\| tapegrad \| {figure} \| {figure} \|\n", out), out
    assert re.search(rf"Inference.*\n\n\| \| fcnn, one image, 1 thread, us \| .*\n.*\n\| tapegrad \| {figure} \| {figure} \|\n", out), out
    for name in ("keras", "torch", "jax", "onnxruntime"):
        assert f"- {name} was not run: --{name} PYTHON names an interpreter that has it\n" in out, out


def unread_output():
    """As behind "| head": an end in silence."""
    read, write = os.pipe()
    os.close(read)
    done = subprocess.run([sys.executable, COMPARE, f"--build={BUILD}", "--models=fcnn", "--threads=1", "--rounds=1", "--epochs=1", "--tables=training"],
                          stdout=write, stderr=subprocess.PIPE, text=True, env={**os.environ, "MNIST_DIR": str(FOLDER)})
    os.close(write)
    assert done.returncode == -signal.SIGPIPE and "Traceback" not in done.stderr and "Broken pipe" not in done.stderr, done


def larger_networks():
    out = run("--threads=1,2", "--rounds=1", "--growth-epochs=1", "--tables=growth").stdout
    figure = r"[0-9.e-]+"
    assert re.search(r"Training of larger networks.*\n\n\| \| fcnn, hidden 2048,2048, batch-size 512, 2 threads \| cnn, filters 64,128, 2 threads \|\n"
                     rf"\|---\|---\|---\|\n\| tapegrad \| {figure} \| {figure} \|\n", out), out


def instruction_sets():
    out = run("--models=fcnn", "--threads=2,1", "--rounds=1", "--epochs=2", "--tables=sets").stdout
    figure, times = r"[0-9.e-]+", r"[0-9.]+ x"
    head = re.search(r"by instruction set: .*how many times those of (\w+)\):\n\n\| \| fcnn, 2 threads \| fcnn, 1 thread \| fcnn, 2 threads' speed to 1's \|\n"
                     r"\|---\|---\|---\|---\|\n", out)
    assert head, out
    first, *others = out[head.end():].split("\n\n")[0].splitlines()
    assert re.fullmatch(rf"\| {head[1]} \| {figure} \| {figure} \| {figure} \|", first), out
    for row in others:
        assert re.fullmatch(rf"\| (avx2|neon|baseline) \| {figure} \({times}\) \| {figure} \({times}\) \| {figure} \|", row), out
    assert (first if head[1] == "baseline" else others[-1]).startswith("| baseline |"), out
    for name in {"avx512", "avx2", "neon", "baseline"} - set(re.findall(r"^\| (\w+) ", out, re.MULTILINE)):
        assert re.search(rf"- the instruction set {name} was not run: .*asks for {name}, which this processor or this build does not have", out), out


def peers_that_do_not_work_are_named():
    out = run("--models=fcnn", "--threads=1", "--rounds=1", "--epochs=1", "--tables=training", "--torch=/none/python", "--jax=false").stdout
    assert "- torch was not run: /none/python cannot import torch: " in out and "- jax was not run: false cannot import jax, flax, optax: " in out, out


def wrong_usage():
    assert "--models: x is none of fcnn, cnn" in run("--models=x", code=2).stderr
    assert "--threads: 0 is no list of numbers" in run("--threads=0", code=2).stderr
    assert "--tables: x is none of training, process, inference, growth, sets" in run("--tables=x", code=2).stderr
    assert "--growth-epochs: must be at least 1" in run("--growth-epochs=0", code=2).stderr
    assert "meson compile -C /none" in run("--build=/none", code=1).stderr


tests = [tables, unread_output, larger_networks, instruction_sets, peers_that_do_not_work_are_named, wrong_usage]
failed = 0
print(f"1..{len(tests)}")
with tempfile.TemporaryDirectory() as folder:
    FOLDER = pathlib.Path(folder)
    for stem, count in (("train", 360), ("t10k", 60)):
        write_idx(FOLDER / f"{stem}-images-idx3-ubyte", (count, 28, 28), [i * 7 % 256 if i % 5 == 0 else 0 for i in range(count * 784)])
        write_idx(FOLDER / f"{stem}-labels-idx1-ubyte", (count,), [i % 10 for i in range(count)])
    for number, test in enumerate(tests, 1):
        try:
            test()
            print(f"ok {number} - {test.__name__}", flush=True)
        except Exception as problem:
            failed += 1
            print("# " + "\n# ".join(f"{type(problem).__name__}: {problem}".splitlines()))
            print(f"not ok {number} - {test.__name__}", flush=True)
sys.exit(failed > 0)
