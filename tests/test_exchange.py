"""Files that Python's safetensors and NumPy write, and what they read of ours: the same bytes both ways.
Usage: test_exchange.py EXCHANGE FCNN_MNIST CNN_MNIST; writes TAP. Without the packages the tests are skipped, and say so."""
import pathlib
import subprocess
import sys
import tempfile
import traceback

EXCHANGE, FCNN, CNN = sys.argv[1:4]
try:
    import numpy
except ImportError:
    print("1..0 # SKIP numpy is not installed (pip install numpy safetensors)")
    sys.exit()
try:
    import safetensors
    import safetensors.numpy
except ImportError:
    safetensors = None

RANDOM = numpy.random.default_rng(3)
ARRAYS = {
    "dense/kernel": RANDOM.normal(size=(7, 3)).astype("<f4"),
    "dense/bias": RANDOM.normal(size=3).astype("<f4"),
    "adam/step": numpy.array(7.25),
    "labels": numpy.arange(-3, 9, dtype="<i4").reshape(3, 4),
    "images": RANDOM.integers(256, size=(2, 28, 28), dtype="u1"),
    "none": numpy.zeros((0, 5), "<f4"),
    "extremes": numpy.array([numpy.nan, numpy.inf, -numpy.inf, -0.0, 5e-324]),
    "b\u00f6se \"\\": numpy.ones((1, 1, 1, 1, 1, 1, 1, 2), "u1"),
}


def exchange(*arguments, code=0):
    done = subprocess.run([EXCHANGE, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == code, done.stderr
    return done.stderr


def same(a, b):
    return a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()


def safetensors_are_the_same_bytes(folder):
    safetensors.numpy.save_file(ARRAYS, folder / "in.safetensors")
    exchange("safetensors", folder / "in.safetensors", folder / "out.safetensors")
    assert (folder / "in.safetensors").read_bytes() == (folder / "out.safetensors").read_bytes()
    loaded = safetensors.numpy.load_file(folder / "out.safetensors")
    assert loaded.keys() == ARRAYS.keys() and all(same(loaded[name], ARRAYS[name]) for name in ARRAYS)


def safetensors_of_other_dtypes_are_refused(folder):
    safetensors.numpy.save_file({"w": numpy.zeros(4, "<f2")}, folder / "in.safetensors")
    said = exchange("safetensors", folder / "in.safetensors", folder / "half.safetensors", code=1)
    assert "in.safetensors: tensor w: expected U8 [4], found F16 [4]" in said, said
    assert not (folder / "half.safetensors").exists()


def safetensors_of_save_load(folder):
    """What --save writes has the summary's names, and metadata."""
    sizes = {FCNN: ({"hidden": "12,8"}, {"dense": (784, 12), "dense_1": (12, 8), "dense_2": (8, 10)}),
             CNN: ({"filters": "3,4", "kernel-size": "3"}, {"conv2d": (3, 3, 1, 3), "conv2d_1": (3, 3, 3, 4), "dense": (100, 10)})}
    for program, (settings, kernels) in sizes.items():
        flags = [f"--{name}={value}" for name, value in settings.items()]
        subprocess.run([program, "--data=synthetic", "--epochs=0", "--quiet", f"--save={folder / 'net.safetensors'}", *flags], check=True, capture_output=True)
        loaded = safetensors.numpy.load_file(folder / "net.safetensors")
        shapes = {f"{name}/kernel": shape for name, shape in kernels.items()} | {f"{name}/bias": shape[-1:] for name, shape in kernels.items()}
        assert {name: values.shape for name, values in loaded.items()} == shapes, loaded.keys()
        assert all(values.dtype == "<f4" and (values.any() or "bias" in name) for name, values in loaded.items())
        with safetensors.safe_open(folder / "net.safetensors", "numpy") as file:
            expected = {"model": "fcnn" if program == FCNN else "cnn", "activation": "sigmoid", **settings}
            assert expected.items() <= file.metadata().items(), file.metadata()


def npy_is_the_same_bytes(folder):
    for array in ARRAYS.values():
        numpy.save(folder / "in.npy", array)
        exchange("npy", folder / "in.npy", folder / "out.npy")
        assert (folder / "in.npy").read_bytes() == (folder / "out.npy").read_bytes(), array
        assert same(numpy.load(folder / "out.npy"), array)


def npz_is_read_and_loaded(folder):
    names = [name for name in ARRAYS if name.isascii()] + ["b\u00f6se"]
    arrays = {**ARRAYS, "b\u00f6se": ARRAYS["dense/bias"]}
    for write in (numpy.savez, numpy.savez_compressed):
        write(folder / "in.npz", **{name: arrays[name] for name in names})
        done = subprocess.run([EXCHANGE, "npz", folder / "in.npz", folder / "out.npz", *names], capture_output=True, text=True)
        if done.returncode and "no zlib" in done.stderr:
            continue
        assert done.returncode == 0, done.stderr
        with numpy.load(folder / "out.npz") as loaded:
            assert set(loaded.files) == set(names), loaded.files
            assert all(same(loaded[name], arrays[name]) for name in names)


tests = [npy_is_the_same_bytes, npz_is_read_and_loaded, safetensors_are_the_same_bytes, safetensors_of_other_dtypes_are_refused,
         safetensors_of_save_load]
print(f"1..{len(tests)}")
failed = False
with tempfile.TemporaryDirectory() as name:
    for number, test in enumerate(tests, 1):
        title = f"{number} - {test.__name__.replace('_', ' ')}"
        if "safetensors" in test.__name__ and not safetensors:
            print(f"ok {title} # SKIP safetensors is not installed (pip install safetensors)")
            continue
        try:
            test(pathlib.Path(name))
            print(f"ok {title}")
        except Exception:
            failed = True
            print(f"not ok {title}\n# " + traceback.format_exc().replace("\n", "\n# "))
sys.exit(failed)
