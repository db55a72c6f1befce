"""Whether a network that Keras or PyTorch trained predicts here what it predicts there.

    import_check.py keras BUILD                 trains both networks on MNIST in Keras, imports them with tools/import_weights, lets
    import_check.py torch BUILD --data DIR      BUILD/models/predict classify the test images, and compares; the same in PyTorch
    import_check.py keras --fixtures            writes the small networks that tests/test_import.py imports, beside this script

Run it with a Python that has TensorFlow and Keras, or PyTorch; and NumPy, for Keras also h5py. The fixtures were made with Keras
3.15.1 on TensorFlow 2.21.0 and with PyTorch 2.13.0, NumPy 2.4.6 and h5py 3.14.0, on a CPU: import_<network>_<framework>.keras or .pt,
trained on images of formula.py; and .f32, the framework's own logits, [300, 10] in little-endian order, of the images 5000 to 5299.

Two classes whose logits differ by at most 1e-4 may come in either order, as sums in another order round otherwise; such images are
counted as near ties. How far logits differ, each less its image's mean, is shown too. Exits with 1 if another image's class differs.
"""
import argparse
import gzip
import json
import math
import os
import pathlib
import struct
import subprocess
import sys
import tempfile

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
import numpy as np
import formula

HERE = pathlib.Path(__file__).resolve().parent
IMPORT = HERE.parent.parent / "tools" / "import_weights"
GAP = 1e-4
FIXTURE_IMAGES = np.arange(5000, 5300)
NOTEBOOK = {"fcnn": (100, 50), "cnn": (32, 64)}
SMALL = {"fcnn": (12, 8), "cnn": (3, 4)}


class Keras:
    suffix, flags = ".keras", ()

    def __init__(self, name, sizes):
        import keras
        from keras.layers import Conv2D, Dense, Flatten, MaxPooling2D
        keras.utils.set_random_seed(1)
        if name == "cnn":
            self.shape = (28, 28, 1)
            hidden = [layer for n in sizes for layer in (Conv2D(n, 3, activation="sigmoid"), MaxPooling2D(2))] + [Flatten()]
        else:
            self.shape = (784,)
            hidden = [Dense(n, activation="sigmoid") for n in sizes]
        self.net = keras.Sequential([keras.Input(self.shape), *hidden, Dense(10)])
        self.keras = keras

    def prepare(self, images):
        return (images.astype(np.float32) / 255).reshape(-1, *self.shape)

    def train(self, images, labels, epochs):
        loss = self.keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        self.net.compile(loss=loss, optimizer="adam")
        self.net.fit(self.prepare(images), labels, batch_size=128, epochs=epochs, verbose=0)

    def logits(self, images):
        return self.net.predict(self.prepare(images), batch_size=1000, verbose=0)

    def save(self, path):
        bare = self.keras.models.clone_model(self.net)  # without the optimizer
        bare.set_weights(self.net.get_weights())
        bare.save(path)


class Torch:
    suffix, flags = ".pt", ("--activation=sigmoid",)

    def __init__(self, name, sizes):
        import torch
        from torch import nn
        torch.manual_seed(1)
        self.torch = torch
        self.shape = (1, 28, 28) if name == "cnn" else (784,)
        layers, inputs, extent = [], 1 if name == "cnn" else 784, 28
        for n in sizes:
            layers += [nn.Conv2d(inputs, n, 3), nn.Sigmoid(), nn.MaxPool2d(2)] if name == "cnn" else [nn.Linear(inputs, n), nn.Sigmoid()]
            inputs, extent = n, (extent - 2) // 2
        last = [nn.Flatten(), nn.Linear(inputs * extent * extent, 10)] if name == "cnn" else [nn.Linear(inputs, 10)]
        self.net = nn.Sequential(*layers, *last)

    def prepare(self, images):
        return self.torch.from_numpy((images.astype(np.float32) / 255).reshape(-1, *self.shape))

    def train(self, images, labels, epochs):
        x, y = self.prepare(images), self.torch.from_numpy(labels.astype(np.int64))
        optimizer = self.torch.optim.Adam(self.net.parameters())
        for _ in range(epochs):
            for rows in self.torch.randperm(len(y)).split(128):
                optimizer.zero_grad()
                self.torch.nn.functional.cross_entropy(self.net(x[rows]), y[rows]).backward()
                optimizer.step()

    def logits(self, images):
        with self.torch.no_grad():
            return np.concatenate([self.net(self.prepare(images[i:i + 1000])).numpy() for i in range(0, len(images), 1000)])

    def save(self, path):
        self.torch.save(self.net.state_dict(), path)


FRAMEWORKS = {"keras": Keras, "torch": Torch}


def write_fixtures(framework):
    numbers = np.arange(4000)
    for name, sizes in SMALL.items():
        network = FRAMEWORKS[framework](name, sizes)
        network.train(formula.images(numbers), formula.labels(numbers), 40)
        logits = network.logits(formula.images(FIXTURE_IMAGES))
        stem = HERE / f"import_{name}_{framework}"
        network.save(str(stem) + network.suffix)
        logits.astype("<f4").tofile(str(stem) + ".f32")
        hits = (logits.argmax(1) == formula.labels(FIXTURE_IMAGES)).mean()
        print(f"{stem.name}: accuracy {hits:.3f}, {(gaps(logits) <= GAP).sum()} near ties")


def gaps(logits):
    """By how much each image's largest logit is above the next."""
    ordered = np.sort(logits, 1)
    return ordered[:, -1] - ordered[:, -2]


def read_idx(folder, stem):
    for path, opener in ((folder / (stem + ".gz"), gzip.open), (folder / stem, open)):
        if path.exists():
            with opener(path, "rb") as file:
                data = file.read()
            return np.frombuffer(data, np.uint8, offset=4 + 4 * data[3]).reshape(struct.unpack_from(f">{data[3]}I", data, 4)), path
    sys.exit(f"{folder / stem}[.gz] is not there: give MNIST's folder with --data DIR or $MNIST_DIR")


def predicted(predict, network, images):
    """Our classes, and the logarithms of our probabilities: logits but for a constant an image."""
    lines = subprocess.run([predict, "--json", network, images], check=True, capture_output=True, text=True).stdout.splitlines()
    found = [json.loads(line) for line in lines]
    logs = [[math.log(p) if p > 0 else -math.inf for p in line["probabilities"].values()] for line in found]
    return np.array([line["class"] for line in found]), np.array(logs)


def centred(logits):
    return logits - logits.mean(1, keepdims=True)


def compare(theirs, ours, logs):
    """(classes that differ though their logits do not nearly tie, near ties, their differing classes, largest difference)"""
    clear = gaps(theirs) > GAP
    differ = theirs.argmax(1) != ours
    whole = np.isfinite(logs).all(1)
    return (differ & clear).sum(), (~clear).sum(), (differ & ~clear).sum(), np.abs(centred(logs[whole]) - centred(theirs[whole].astype(float))).max()


def check(framework, name, build, folder, epochs):
    images, _ = read_idx(folder, "train-images-idx3-ubyte")
    labels, _ = read_idx(folder, "train-labels-idx1-ubyte")
    test_images, test_path = read_idx(folder, "t10k-images-idx3-ubyte")
    test_labels, _ = read_idx(folder, "t10k-labels-idx1-ubyte")
    network = FRAMEWORKS[framework](name, NOTEBOOK[name])
    network.train(images[:50000], labels[:50000], epochs)
    with tempfile.TemporaryDirectory() as place:
        theirs, ours = f"{place}/{name}{network.suffix}", f"{place}/{name}.safetensors"
        network.save(theirs)
        subprocess.run([sys.executable, IMPORT, theirs, ours, "--quiet", *network.flags], check=True)
        classes, logs = predicted(build / "models" / "predict", ours, test_path)
    logits = network.logits(test_images)
    wrong, ties, either, difference = compare(logits, classes, logs)
    print(f"{framework} {name}: accuracy {(logits.argmax(1) == test_labels).mean():.4f} there, {(classes == test_labels).mean():.4f} here")
    print(f"  {len(classes)} images: {len(classes) - ties - wrong} of the same class, {wrong} of another, {ties} near ties ({either} of another class)")
    print(f"  logits differ by {difference:.1e} at most", flush=True)
    return wrong == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("framework", choices=FRAMEWORKS)
    parser.add_argument("build", nargs="?", type=pathlib.Path, metavar="BUILD", help="the build folder")
    parser.add_argument("--data", type=pathlib.Path, metavar="DIR", default=os.environ.get("MNIST_DIR"))
    parser.add_argument("--epochs", type=int, metavar="N", default=2, help="of training (default: 2)")
    parser.add_argument("--fixtures", action="store_true", help="write the fixtures")
    choices = parser.parse_args()
    if choices.fixtures:
        write_fixtures(choices.framework)
        return 0
    if not choices.build or not choices.data:
        parser.error("expected BUILD, and MNIST's folder by --data DIR or $MNIST_DIR")
    return 0 if all([check(choices.framework, name, choices.build, pathlib.Path(choices.data), choices.epochs) for name in NOTEBOOK]) else 1


if __name__ == "__main__":
    sys.exit(main())
