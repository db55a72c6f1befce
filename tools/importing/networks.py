"""The two networks of models/, as layers and as a file."""
import collections
import json
import math
import os
import struct
import tempfile

from importing.layers import FITTING, Failed, expect, numpy, shown

PIXELS, EXTENT, CLASSES = 784, 28, 10
MOST_LAYERS, MOST_UNITS, MOST_FILTERS = 64, 100000, 10000  # as the programs' flags have them


def check_count(layer, what, found, expected):
    expect(found == expected, f"{shown(layer.name)}: expected {expected} {what}, found {found}")


def as_fcnn(layers):
    inputs = PIXELS
    for layer in layers:
        check_count(layer, "inputs", layer.kernel.shape[0], inputs)
        inputs = layer.kernel.shape[1]
    check_count(layers[-1], "outputs", inputs, CLASSES)
    units = [layer.kernel.shape[1] for layer in layers[:-1]]
    expect(1 <= len(units) <= MOST_LAYERS and max(units) <= MOST_UNITS,
           f"expected 1 to {MOST_LAYERS} hidden layers of at most {MOST_UNITS} units, found {len(units)} of {max(units, default=0)}")
    return {"model": "fcnn", "hidden": ",".join(map(str, units))}, layers


def as_cnn(layers, channels_first):
    *convolutions, dense = layers
    size, extent, channels = convolutions[0].kernel.shape[0], EXTENT, 1
    for layer in convolutions:
        expect(layer.kernel.shape[:2] == (size, size), f"{shown(layer.name)}: expected a kernel of {size}x{size}, found "
               + "x".join(map(str, layer.kernel.shape[:2])))
        check_count(layer, "channels to read", layer.kernel.shape[2], channels)
        extent, channels = (extent - size + 1) // 2, layer.kernel.shape[3]
        expect(extent >= 1, f"{shown(layer.name)}: does not fit into its image")
    expect(len(convolutions) <= MOST_LAYERS and channels <= MOST_FILTERS, f"expected at most {MOST_FILTERS} filters, found {channels}")
    expect(dense.kernel.shape[0] == extent * extent * channels, f"{shown(dense.name)}: expected {extent * extent * channels} inputs, which are {channels} "
           f"channels of {extent}x{extent} after convolutions without padding and 2x2 pooling, found {dense.kernel.shape[0]}")
    check_count(dense, "outputs", dense.kernel.shape[1], CLASSES)
    if channels_first:
        rows = dense.kernel.reshape(channels, extent, extent, CLASSES).transpose(1, 2, 0, 3).reshape(-1, CLASSES)
        dense = dense._replace(kernel=rows)
    filters = ",".join(str(layer.kernel.shape[3]) for layer in convolutions)
    return {"model": "cnn", "filters": filters, "kernel-size": str(size)}, [*convolutions, dense]


def fold(layer, scale, shift):
    """The layer for pixels as they come, of one for scale * pixel + shift."""
    kernel = layer.kernel.astype("f8")
    bias = layer.bias + shift * kernel.sum(axis=tuple(range(kernel.ndim - 1)))
    return layer._replace(kernel=(scale * kernel).astype("<f4"), bias=bias.astype("<f4"))


def network_of(found):
    """The metadata that tell the network, and its layers."""
    ranks = [layer.kernel.ndim for layer in found.layers]
    expect(ranks, "expected weights, found none")
    expect(ranks[-1] == 2 and set(ranks[:-1]) in ({2}, {4}, set()),
           f"{ranks.count(4)} convolutions and {ranks.count(2)} dense layers cannot be expressed here: {FITTING}")
    metadata, layers = as_cnn(found.layers, found.channels_first) if ranks[0] == 4 else as_fcnn(found.layers)
    if not (math.isclose(found.scale, 1, rel_tol=1e-6) and found.shift == 0):
        layers = [fold(layers[0], found.scale, found.shift), *layers[1:]]
    return metadata, layers


def named(layers):
    """{our name: (values, the file's name)}"""
    counts, tensors = collections.Counter(), {}
    for layer in layers:
        stem = "conv2d" if layer.kernel.ndim == 4 else "dense"
        name = f"{stem}_{counts[stem]}" if counts[stem] else stem
        counts[stem] += 1
        tensors[name + "/kernel"] = (numpy.ascontiguousarray(layer.kernel), layer.sources[0])
        tensors[name + "/bias"] = (layer.bias, layer.sources[1])
    return tensors


def write(path, metadata, tensors):
    header, at = {"__metadata__": metadata}, 0
    for name in sorted(tensors):
        values = tensors[name][0]
        header[name] = {"dtype": "F32", "shape": list(values.shape), "data_offsets": [at, at + values.nbytes]}
        at += values.nbytes
    text = json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    part = None
    try:
        if os.path.exists(path) and not os.path.isfile(path):  # a pipe or a device
            part, target = None, open(path, "wb")
        else:
            number, part = tempfile.mkstemp(dir=os.path.dirname(path) or ".", prefix=os.path.basename(path) + ".")
            mask = os.umask(0)
            os.umask(mask)
            os.chmod(part, 0o666 & ~mask)
            target = os.fdopen(number, "wb")
        with target as file:
            file.write(struct.pack("<Q", len(text)) + text + b"".join(tensors[name][0].tobytes() for name in sorted(tensors)))
            file.flush()
            if part:
                os.fsync(file.fileno())
        if part:
            os.replace(part, path)
            part = None
    except OSError as problem:
        raise Failed(f"{path}: {problem.strerror}; nothing was written") from None
    finally:
        if part:
            os.unlink(part)
