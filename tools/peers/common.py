"""What the peers share: flags, MNIST, and the JSON lines that they print."""
import argparse
import gzip
import json
import os
import pathlib
import struct
import time

import numpy

STEMS = {"train": ("train-images-idx3-ubyte", "train-labels-idx1-ubyte"), "test": ("t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")}
LEARNING_RATE, EPSILON = 1e-3, 1e-7  # Adam's, as Keras has them


def sizes(text):
    """A flag's value: numbers with commas between them."""
    numbers = [int(word) for word in text.split(",")]
    if min(numbers) < 1:
        raise ValueError
    return numbers


def flags(about, inference=False):
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("model", choices=["fcnn", "cnn"])
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seed", type=int, default=1)
    if not inference:
        parser.add_argument("--hidden", type=sizes, default=[100, 50], metavar="N,N,...", help="units of the fcnn's hidden layers")
        parser.add_argument("--filters", type=sizes, default=[32, 64], metavar="N,N,...", help="filters of the cnn's convolutions")
        parser.add_argument("--epochs", type=int, default=10)
        parser.add_argument("--batch-size", type=int, default=128)
    return parser.parse_args()


def read_idx(stem):
    folder = pathlib.Path(os.environ.get("MNIST_DIR", "data"))
    for path, reader in ((folder / f"{stem}.gz", gzip.open), (folder / stem, open)):
        if path.exists():
            with reader(path, "rb") as file:
                data = file.read()
            shape = struct.unpack_from(f">{data[3]}I", data, 4)
            return numpy.frombuffer(data, numpy.uint8, offset=4 + 4 * data[3]).reshape(shape)
    raise SystemExit(f"{stem}[.gz] is not in {folder}: tools/fetch_mnist gets it; $MNIST_DIR says where it is")


def images(part, shape):
    """float32 in [0, 1] of [n, *shape], and int64 classes."""
    pixels, classes = (read_idx(stem) for stem in STEMS[part])
    return (pixels.astype(numpy.float32) / 255).reshape(-1, *shape), classes.astype(numpy.int64)


def training_data(shape):
    """Training, validation and test, as the programs split them: the last sixth is for validation."""
    x, y = images("train", shape)
    count = len(y) - len(y) // 6
    return (x[:count], y[:count]), (x[count:], y[count:]), images("test", shape)


def say(**line):
    print(json.dumps(line), flush=True)


def least_seconds(repeats, function, *arguments):
    least = float("inf")
    for _ in range(repeats):
        begin = time.perf_counter()
        function(*arguments)
        least = min(least, time.perf_counter() - begin)
    return least


def time_inference(peer, options, x, predict):
    """predict(first, end) runs images [first, end) of x. One image: the mean of 200, least of 40 rounds; all: the best batch."""
    def one_by_one():
        for i in range(200):
            predict(i, i + 1)

    def by(batch):
        for first in range(0, len(x), batch):
            predict(first, first + batch)

    one_by_one()
    one = least_seconds(40, one_by_one) / 200
    least, batch = min((least_seconds(5, by, batch), batch) for batch in (100, 250, 500, 1000))
    say(peer=peer, model=options.model, threads=options.threads, one_image_us=1e6 * one, test_set_ms=1e3 * least,
        test_set_images=len(x), test_set_batch=batch)
