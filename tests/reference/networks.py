"""Trains both networks for 20 steps in PyTorch and f64 and writes what they came to: fcnn.f64 and cnn.f64 beside this script.

Made with PyTorch 2.13 and NumPy 2.4 on a CPU: python networks.py. tests/test_reference.c trains the same networks from the same weights
on the same batches (formula.py) and compares. Adam stands here by hand, in Keras's form: epsilon is added to the square root of the
uncorrected second moment. (torch.optim.Adam adds it to the corrected one's, which puts the loss 2.5e-4 off after 20 steps.)

A file holds f64 in little-endian order: the 20 losses, each of the batch before its step; the images of the 20 batches, as numbers
of formula.py; then the final weights, row-major, in the order and layout of NETWORKS, which are Keras's: dense [in, out],
convolution [height, width, in, out].

Batches take images in order, but leave out those where a pooling window's largest values differ by less than 1e-6 without being the
same: there f32 may take another maximum than f64, and after 20 steps of Adam, which enlarges small gradients, one such window shows
as 1e-3 in a kernel. `python networks.py --f32` writes nothing and tells how far PyTorch's own f32 is from f64: up to 2e-6.
"""
import pathlib
import sys
import numpy as np
import torch
from torch.nn.functional import conv2d, cross_entropy, max_pool2d
import formula

STEPS = 20
RATE, BETA_1, BETA_2, EPSILON = 1e-3, 0.9, 0.999, 1e-7


def fcnn(w, x):
    h = torch.sigmoid(x.flatten(1) @ w["dense/kernel"] + w["dense/bias"])
    h = torch.sigmoid(h @ w["dense_1/kernel"] + w["dense_1/bias"])
    return h @ w["dense_2/kernel"] + w["dense_2/bias"], []


def convolve(x, kernel, bias):
    """NHWC and HWIO."""
    return conv2d(x.permute(0, 3, 1, 2), kernel.permute(3, 2, 0, 1), bias).permute(0, 2, 3, 1)


def pool(x):
    return max_pool2d(x.permute(0, 3, 1, 2), 2).permute(0, 2, 3, 1)


def cnn(w, x):
    first = torch.sigmoid(convolve(x, w["conv2d/kernel"], w["conv2d/bias"]))
    second = torch.sigmoid(convolve(pool(first), w["conv2d_1/kernel"], w["conv2d_1/bias"]))
    return pool(second).flatten(1) @ w["dense/kernel"] + w["dense/bias"], [first, second]


NETWORKS = {
    "fcnn": (fcnn, 128, {"dense/kernel": (784, 100), "dense/bias": (100,), "dense_1/kernel": (100, 50), "dense_1/bias": (50,),
                         "dense_2/kernel": (50, 10), "dense_2/bias": (10,)}),
    "cnn": (cnn, 32, {"conv2d/kernel": (3, 3, 1, 32), "conv2d/bias": (32,), "conv2d_1/kernel": (3, 3, 32, 64), "conv2d_1/bias": (64,),
                      "dense/kernel": (1600, 10), "dense/bias": (10,)}),
}


def limit(shape):
    """Glorot's for kernels; biases start away from 0, so that adding them shows from the first step."""
    if len(shape) == 1:
        return 0.1
    field = int(np.prod(shape[:-2]))
    return np.sqrt(6.0 / (field * (shape[-2] + shape[-1])))


def initial(name, dtype):
    return {key: torch.tensor(formula.weights(10 + i, shape, limit(shape)), dtype=dtype, requires_grad=True)
            for i, (key, shape) in enumerate(NETWORKS[name][2].items())}


def rows(numbers, dtype):
    """Images [n, 28, 28, 1] in [0, 1]."""
    return torch.tensor(formula.images(numbers), dtype=dtype).unsqueeze(-1) / 255


def separated(pooled):
    """For each image, whether no 2x2 window's largest values nearly tie. Exact ties, of windows that see the same pixels, are the norm."""
    n, height, width, channels = pooled.shape
    even = pooled[:, :height // 2 * 2, :width // 2 * 2].reshape(n, height // 2, 2, width // 2, 2, channels)
    windows = even.permute(0, 1, 3, 5, 2, 4).reshape(n, -1, 4)
    gap = windows.max(-1, keepdim=True).values - windows
    return ((gap < 1e-12) | (gap > 1e-6)).all(-1).all(-1)


def choose(network, w, start, batch):
    """The first `batch` images from `start` on that stay clear of near ties under these weights."""
    numbers = np.arange(start, start + 8 * batch)
    with torch.no_grad():
        clear = np.ones(len(numbers), bool)
        for pooled in network(w, rows(numbers, torch.float64))[1]:
            clear &= separated(pooled).numpy()
    assert clear.sum() >= batch
    return numbers[clear][:batch]


def train(name, dtype, batches=None):
    """The 20 losses, the images used (those of `batches`, if given) and the final weights."""
    network, batch, _ = NETWORKS[name]
    w = initial(name, dtype)
    m = {key: torch.zeros_like(value) for key, value in w.items()}
    v = {key: torch.zeros_like(value) for key, value in w.items()}
    losses, used, start = [], [], 0
    for t in range(1, STEPS + 1):
        numbers = choose(network, w, start, batch) if batches is None else batches[t - 1]
        start = numbers[-1] + 1
        used.append(numbers)
        loss = cross_entropy(network(w, rows(numbers, dtype))[0], torch.tensor(formula.labels(numbers)))
        losses.append(loss.item())
        gradients = torch.autograd.grad(loss, list(w.values()))
        step = RATE * np.sqrt(1 - BETA_2**t) / (1 - BETA_1**t)
        with torch.no_grad():
            for key, g in zip(w, gradients):
                m[key] += (g - m[key]) * (1 - BETA_1)
                v[key] += (g * g - v[key]) * (1 - BETA_2)
                w[key] -= step * m[key] / (torch.sqrt(v[key]) + EPSILON)
    return np.array(losses), np.array(used), {key: value.detach().double().numpy() for key, value in w.items()}


def main():
    torch.set_num_threads(1)
    torch.backends.mkldnn.enabled = False  # oneDNN's f32 convolution takes other maxima
    for name in NETWORKS:
        losses, used, final = train(name, torch.float64)
        print(name, "loss from %.17g to %.17g, images up to %d" % (losses[0], losses[-1], used[-1, -1]))
        if "--f32" in sys.argv[1:]:
            losses_32, _, final_32 = train(name, torch.float32, used)
            print("  f32 losses %.2g" % np.abs(losses_32 / losses - 1).max())
            for key in final:
                print("  f32 %s %.2g" % (key, np.abs(final_32[key] - final[key]).max() / np.abs(final[key]).max()))
        else:
            values = np.concatenate([losses, used.ravel()] + [value.ravel() for value in final.values()])
            values.astype("<f8").tofile(pathlib.Path(__file__).parent / (name + ".f64"))


if __name__ == "__main__":
    main()
