"""tools/import_weights with PyTorch's files, with damaged ones, and as a command. Arguments and needs: see import_parts.py."""
import os
import pickle
import random
import re
import subprocess
import sys
import zipfile

sys.dont_write_bytecode = True
from import_parts import (CNN, FCNN, FOLDER, IMPORT, REFERENCE, TRAINED, h5py, import_weights, imported, numpy, predicts_as_there, read_safetensors, refused, rezip, run,
                          run_import, run_tests, same, write_safetensors)

PROGRAMS = {"fcnn": (FCNN, "--hidden=12,8"), "cnn": (CNN, "--filters=3,4")}


def torch_state(name, names):
    """A state as PyTorch orders axes, of the fixture of PyTorch, with the layers under `names`."""
    tensors = imported(REFERENCE / f"import_{name}_torch.pt", TRAINED)[1]
    state = {}
    for ours, theirs in zip(("dense", "dense_1", "dense_2") if name == "fcnn" else ("conv2d", "conv2d_1", "dense"), names):
        kernel = tensors[ours + "/kernel"]
        if name == "cnn" and ours == "dense":
            kernel = kernel.reshape(5, 5, 4, 10).transpose(2, 0, 1, 3).reshape(100, 10)
        state[theirs + ".weight"] = kernel.T if kernel.ndim == 2 else kernel.transpose(3, 2, 0, 1)
        state[theirs + ".bias"] = tensors[ours + "/bias"]
    return state, tensors


def training_goes_on(name):
    """--load takes the file, and --save gives the same tensors back."""
    program, sizes = PROGRAMS[name]
    _, tensors = imported(REFERENCE / f"import_{name}_torch.pt", TRAINED)
    run(program, "--data=synthetic", "--load=out.safetensors", sizes, "--epochs=0", "--save=back.safetensors", "--quiet")
    assert same(read_safetensors(FOLDER / "back.safetensors")[1], tensors)


def states_in_safetensors():
    """Names are ordered by their numbers, or as --layers says; convolutions stand before dense layers; narrow and wide types are f32."""
    for name, names in (("fcnn", ("net.2", "net.4", "net.10")), ("fcnn", ("fc1", "fc2", "fc3")), ("cnn", ("conv1", "conv2", "a"))):
        state, tensors = torch_state(name, names)
        write_safetensors("state", state)
        assert same(imported("state", TRAINED)[1], tensors), names
    write_safetensors("state", state, "F64")
    assert same(imported("state", TRAINED)[1], tensors)
    for kind, error in (("F16", 1e-3), ("BF16", 1e-2)):
        write_safetensors("state", state, kind)
        rounded = imported("state", TRAINED)[1]
        assert all(0 < numpy.abs(rounded[n] - tensors[n]).max() <= error * numpy.abs(tensors[n]).max() for n in tensors if "kernel" in n)
    write_safetensors("state", state, "I64")
    refused(3, "state: a.bias: expected floating-point numbers, found I64", "state", "kept")
    state, tensors = torch_state("fcnn", ("first", "middle", "a"))
    write_safetensors("state", state)
    refused(3, "state: a: expected 784 inputs, found 8", "state", "kept")
    assert same(imported("state", TRAINED, "--layers=first,middle,a")[1], tensors)
    refused(3, "--layers: expected each of a,first,middle once", "state", "kept", "--layers", "first,middle")


def what_weights_do_not_tell():
    """The activation must be said: a network of relu is another with sigmoid. What decided the layers' order is said."""
    state, tensors = torch_state("fcnn", ("first", "other", "z"))
    write_safetensors("state", state)
    for path in ("state", REFERENCE / "import_fcnn_torch.pt"):
        refused(2, f"{path} has weights alone, which do not tell what follows the hidden layers: say it by --activation NAME, one of linear, sigmoid, ", path, "kept")
    by_name = import_weights("state", "out.safetensors", "--activation=relu").stdout.splitlines()
    assert by_name[0] == "out.safetensors: fcnn, hidden 12,8, activation relu; from PyTorch, layers in order of their names (--layers gives another):", by_name
    chosen = import_weights("state", "out.safetensors", TRAINED, "--layers=first,other,z").stdout
    assert chosen.startswith("out.safetensors: fcnn, hidden 12,8, activation sigmoid; from PyTorch:\n") and same(read_safetensors(FOLDER / "out.safetensors")[1], tensors)
    state, _ = torch_state("fcnn", ("first", "middle", "a"))
    write_safetensors("state", state)
    refused(3, "state: a: expected 784 inputs, found 8, layers in order of their names (--layers gives another)", "state", "kept", TRAINED)


def layers_without_bias():
    state, tensors = torch_state("fcnn", ("1", "2", "3"))
    del state["2.bias"]
    write_safetensors("state", state)
    tensors["dense_1/bias"] = numpy.zeros(8, "<f4")
    assert same(imported("state", TRAINED)[1], tensors)
    assert "zeros: the layer has no bias" in import_weights("state", "out.safetensors", TRAINED).stdout


def normalised_pixels():
    """A network for (x - mean) / std becomes one for x: K' = K / std, b' = b - mean / std sum(K)."""
    for name in ("fcnn", "cnn"):
        state, tensors = torch_state(name, ("1", "2", "3"))
        kernel = state["1.weight"].astype("f8")
        state["1.weight"] = kernel * 0.3081
        state["1.bias"] = state["1.bias"] + 0.1307 * kernel.reshape(len(kernel), -1).sum(1)
        write_safetensors("state", state, "F64")
        folded = imported("state", TRAINED, "--mean=0.1307", "--std=0.3081")[1]
        assert all(numpy.abs(folded[n] - tensors[n]).max() < 1e-5 for n in tensors)
        assert numpy.abs(imported("state", TRAINED)[1][("dense" if name == "fcnn" else "conv2d") + "/bias"] - folded["dense/bias" if name == "fcnn" else "conv2d/bias"]).max() > 1e-3


def states_that_do_not_fit():
    state, _ = torch_state("fcnn", ("1", "2", "3"))
    conv, _ = torch_state("cnn", ("1", "2", "3"))
    wide = numpy.zeros((20, 784), "<f4")
    for change, message in (({"1.running_mean": wide[0]}, "unknown tensor 1.running_mean: expected NAME.weight and NAME.bias"),
                            ({"1.weight": wide}, "1.bias: expected [20], found [12]"), ({"1.weight": wide[:12, :783]}, "1: expected 784 inputs, found 783"),
                            ({"2.weight": wide[:8, :13]}, "2: expected 12 inputs, found 13"), ({"1.weight": wide[0]}, "1.weight: expected a dense or a convolution's kernel, found [784]"),
                            ({"3.weight": wide[:11, :8], "3.bias": wide[0, :11]}, "3: expected 10 outputs, found 11"),
                            ({"2.bias": numpy.full(8, numpy.nan)}, "expected finite weights, found a NaN or an infinity for dense_1/bias"),
                            ({"4.bias": wide[0]}, "4: expected a kernel beside its bias")):
        write_safetensors("state", {**state, **change})
        refused(3, message, "state", "kept", TRAINED)
    for change, message in (({"2.weight": conv["2.weight"][:, :, :2]}, "2: expected a kernel of 3x3, found 2x3"),
                            ({"2.weight": conv["2.weight"][:, :2]}, "2: expected 3 channels to read, found 2"),
                            ({"3.weight": numpy.zeros((10, 196))}, "3: expected 100 inputs, which are 4 channels of 5x5 after convolutions without padding and 2x2 pooling, found 196"),
                            ({"4.weight": numpy.zeros((10, 10))}, "2 convolutions and 2 dense layers cannot be expressed here")):
        write_safetensors("state", {**conv, **change})
        refused(3, message, "state", "kept")
    write_safetensors("state", {"1.weight": numpy.zeros((10, 784))})
    refused(3, "expected 1 to 64 hidden layers of at most 100000 units, found 0 of 0", "state", "kept")
    write_safetensors("state", {})
    refused(3, "state: expected weights, found none", "state", "kept")


class Evil:
    def __reduce__(self):
        return os.mkdir, ("executed",)


def hostile_pickles():
    """What a pickle asks for is not done, and its claims are checked."""
    old = REFERENCE / "import_fcnn_torch.pt"
    with zipfile.ZipFile(old) as archive:
        original = archive.read("import_fcnn_torch/data.pkl")

    def with_pickle(data, message):
        rezip("bad.pt", old, lambda name, was: data if name.endswith("/data.pkl") else was)
        refused(3, "bad.pt: " + message, "bad.pt", "kept")

    def replaced(old, new):
        assert original.count(old) == 1, (old, original)
        return original.replace(old, new)
    with_pickle(pickle.dumps(Evil(), 2), "expected a state of tensors alone, found a posix.mkdir: torch.save(net.state_dict(), FILE) writes one")
    assert not (FOLDER / "executed").exists()
    with_pickle(pickle.dumps({"a.weight": 3}, 2), "expected a state of tensors alone")
    for data in (b"", b"\x80\x02", original[:-1], b"\x80\x02]q\x00h\x00e.", b"\x80\x02K\x01Q.", b"\x80\x02r\xff\xff\xff\x7f."):
        with_pickle(data, "data.pkl: damaged")
    shape = b"K\x0cM\x10\x03\x86"  # (12, 784)
    with_pickle(replaced(shape, b"K\x0cM\x11\x03\x86"), "0.weight: expected values for [12, 785], found 9408")
    with_pickle(replaced(shape, b"K\x0cJ\xff\xff\xff\xff\x86"), "0.weight: damaged")
    with_pickle(replaced(b"0.weight", b"0.wright"), "unknown tensor 0.wright")
    with_pickle(replaced(b"torch\nFloatStorage", b"torch\nLongStorage"), "0.weight: expected floating-point numbers, found i8")
    rezip("bad.pt", old, lambda name, was: None if name.endswith("/data/2") else was)
    refused(3, "bad.pt: expected import_fcnn_torch/data/2 in the archive, found none", "bad.pt", "kept")
    rezip("bad.pt", old, lambda name, was: was[:-4] if name.endswith("/data/0") else was)
    refused(3, "bad.pt: 0.weight: expected 37632 bytes, found 37628", "bad.pt", "kept")


def layouts_in_storage():
    """A tensor's strides are followed, as channels-last and transposed ones need; doubles are rounded."""
    old = REFERENCE / "import_fcnn_torch.pt"

    def turned(name, data):
        if name.endswith("/data/0"):
            return numpy.frombuffer(data, "<f4").reshape(12, 784).T.astype("<f8").tobytes()
        if not name.endswith("/data.pkl"):
            return numpy.frombuffer(data, "<f4").astype("<f8").tobytes() if "/data/" in name else data
        strides = b"M\x10\x03K\x01\x86"  # (784, 1)
        assert data.count(strides) == 1 and data.count(b"FloatStorage") == 1
        return data.replace(strides, b"K\x01K\x0c\x86").replace(b"FloatStorage", b"DoubleStorage")
    rezip("turned.pt", old, turned)
    assert same(imported("turned.pt", TRAINED)[1], imported(old, TRAINED)[1])


def checkpoints():
    """A state inside a dictionary is found."""
    old = REFERENCE / "import_fcnn_torch.pt"
    for key in ("model", "state_dict", "model_state_dict"):
        def wrap(name, data):
            # {key: state, "epoch": 3}
            text = f"X{chr(len(key))}\0\0\0{key}".encode()
            return b"\x80\x02}(" + text + data[2:-1] + b"X\5\0\0\0epochK\3u." if name.endswith("/data.pkl") else data
        rezip("checkpoint.pt", old, wrap)
        assert same(imported("checkpoint.pt", TRAINED)[1], imported(old, TRAINED)[1]), key


# ---- any file ----

def damaged_files():
    """Cut anywhere, or with a byte changed, a file is refused in one sentence, or its weights are read; never a traceback."""
    chance = random.Random(8)
    paths = [REFERENCE / "import_cnn_torch.pt"] + [REFERENCE / "import_cnn_keras.keras"] * (h5py is not None)
    state, _ = torch_state("cnn", ("1", "2", "3"))
    write_safetensors("state", state)
    for path in paths + [FOLDER / "state"]:
        whole = path.read_bytes()
        for cut in (0, 1, 7, 30, len(whole) // 2, len(whole) - 25, len(whole) - 1):
            (FOLDER / "bad").write_bytes(whole[:cut])
            refused(3, "bad: ", "bad", "kept")
        for _ in range(6):
            data = bytearray(whole)
            for at in chance.sample(range(400), 3) + chance.sample(range(len(data) - 400, len(data)), 3):
                data[at] = chance.randrange(256)
            (FOLDER / "bad").write_bytes(data)
            done = run_import("bad", "out.safetensors", *[TRAINED] * (path.suffix != ".keras"))
            assert done.returncode in (0, 3) and (done.returncode == 0 or re.fullmatch(r"import_weights: bad: [^\n]+\n", done.stderr)), done
    (FOLDER / "bad").write_bytes(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.")
    refused(3, "bad: PyTorch's form from before 1.6", "bad", "kept")
    with zipfile.ZipFile(FOLDER / "bad", "w") as archive:
        archive.writestr("a", "b")
    refused(3, "bad: expected a .keras or PyTorch archive, found one without config.json and data.pkl", "bad", "kept")
    with zipfile.ZipFile(FOLDER / "bad", "w") as archive:
        archive.writestr("config.json", "{}")
    refused(3, "bad: expected model.weights.h5 in the archive, found none", "bad", "kept")
    refused(3, "none: No such file or directory", "none", "kept")
    refused(3, ".: Is a directory", ".", "kept")


def umask():
    mask = os.umask(0)
    os.umask(mask)
    return mask


def usage():
    state = REFERENCE / "import_fcnn_torch.pt"
    refused(2, "the following arguments are required: OUT.safetensors; --help tells more", state)
    refused(2, "unrecognized arguments: --activaton=relu", state, "kept", "--activaton=relu")
    refused(2, "argument --activation: invalid choice: 'rule'", state, "kept", "--activation=rule")
    refused(2, "--std: expected a finite number above 0, found 0.0", state, "kept", "--std=0")
    refused(1, "none/out: No such file or directory; nothing was written", state, "none/out", TRAINED)
    refused(1, "/dev/full: No space left on device", state, "/dev/full", TRAINED)
    page = run(sys.executable, IMPORT, "--help").stdout
    assert page.startswith("usage: import_weights [FLAGS] MODEL OUT.safetensors\n") and "Examples:" in page and "Exit status:" in page
    assert import_weights(state, "out.safetensors", "--quiet", TRAINED).stdout == ""
    read, write = os.pipe()
    os.close(read)  # nobody reads the report, as behind "| head"
    done = subprocess.run([sys.executable, IMPORT, state, "unread.safetensors", TRAINED], stdout=write, stderr=subprocess.PIPE, text=True, cwd=FOLDER)
    os.close(write)
    assert (done.returncode, done.stderr) == (0, "") and same(read_safetensors(FOLDER / "unread.safetensors")[1], read_safetensors(FOLDER / "out.safetensors")[1]), done
    lines = import_weights(state, "out.safetensors", "--activation=tanh").stdout.splitlines()
    assert lines[0] == "out.safetensors: fcnn, hidden 12,8, activation tanh; from PyTorch, layers in the order of the file (--layers gives another):" and lines[1].split() == ["dense/kernel", "[784,", "12]", "0.weight"], lines
    assert len(lines) == 7 and os.stat(FOLDER / "out.safetensors").st_mode & 0o777 == 0o666 & ~umask()
    assert not [path.name for path in FOLDER.iterdir() if path.name.startswith("out.safetensors.")]


def missing_modules():
    (FOLDER / "lacks").mkdir()
    for name in ("h5py", "numpy"):
        (FOLDER / "lacks" / (name + ".py")).write_text("raise ImportError")
        (FOLDER / "bad").write_bytes(b"\x89HDF\r\n\x1a\n")
        refused(1, f"needs {name}, which is not installed: pip install {name}", "bad", "kept", PYTHONPATH=str(FOLDER / "lacks"))


run_tests([(f"{name} of PyTorch", predicts_as_there, (name, "torch")) for name in ("fcnn", "cnn")] +
          [(f"{name}: training_goes_on", training_goes_on, (name,)) for name in ("fcnn", "cnn")] +
          [(test.__name__, test, ()) for test in (states_in_safetensors, what_weights_do_not_tell, layers_without_bias, normalised_pixels, states_that_do_not_fit, hostile_pickles,
                                                  layouts_in_storage, checkpoints, damaged_files, usage, missing_modules)])
