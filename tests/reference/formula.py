"""Numbers that Python and C make alike, from integers: initial weights, images and labels of the reference runs.

tests/test_reference.c has the same formulas. Everything hangs on random_bits(stream, i): 24 bits of the hash "lowbias32" (C. Wellons).
"""
import numpy as np


def mix(x):
    x = np.asarray(x, np.uint64) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(16)
    x = x * np.uint64(0x7FEB352D) & np.uint64(0xFFFFFFFF)
    x ^= x >> np.uint64(15)
    x = x * np.uint64(0x846CA68B) & np.uint64(0xFFFFFFFF)
    return x ^ (x >> np.uint64(16))


def random_bits(stream, i):
    """24 bits, for arrays of streams and of counters."""
    return (mix(mix(stream) + np.asarray(i, np.uint64)) >> np.uint64(8)).astype(np.int64)


def weights(stream, shape, limit):
    """Uniform in [-limit, limit), row-major, exact in f32."""
    u = random_bits(stream, np.arange(np.prod(shape, dtype=int))) / 2.0**24
    return ((2 * u - 1) * limit).astype(np.float32).astype(np.float64).reshape(shape)


def labels(numbers):
    return random_bits(1, numbers) % 10


def images(numbers):
    """The images of these numbers, 28 x 28 bytes, about as sparse as MNIST: each class lights its own third of 5 x 5 cells of 4 x 4
    pixels, shifted by up to two pixels, with random brightness."""
    i = np.asarray(numbers).reshape(-1, 1, 1)
    row = np.arange(28).reshape(1, 28, 1) - (random_bits(2, 2 * i) % 5 - 2)
    column = np.arange(28).reshape(1, 1, 28) - (random_bits(2, 2 * i + 1) % 5 - 2)
    inside = (row >= 4) & (row < 24) & (column >= 4) & (column < 24)
    cell = np.where(inside, row // 4 * 7 + column // 4, 0)
    lit = inside & (random_bits(100 + labels(i), cell) % 3 == 0)
    pixel = np.arange(28 * 28).reshape(1, 28, 28)
    return np.where(lit, 64 + random_bits(1000 + i, pixel) % 192, 0).astype(np.uint8)
