"""Reads PyTorch's states, from torch.save() and from safetensors files, without PyTorch."""
import collections
import io
import json
import math
import pickle
import struct

from importing.layers import BY_FILE, BY_NAME, Found, Refused, as_floats, brain_floats, expect, layers_of, member, natural, numpy, shown

Storage = collections.namedtuple("Storage", "kind key count")
Tensor = collections.namedtuple("Tensor", "storage offset shape strides")
STORAGES = {"FloatStorage": "f4", "DoubleStorage": "f8", "HalfStorage": "f2", "BFloat16Storage": "bf2", "LongStorage": "i8",
            "IntStorage": "i4", "ShortStorage": "i2", "CharStorage": "i1", "ByteStorage": "u1", "BoolStorage": "b1"}


class StateUnpickler(pickle._Unpickler):  # the one in Python: its memory hangs on what the file holds, not on what it claims
    """Knows dictionaries and tensors; whatever else a pickle asks for is refused."""

    def find_class(self, module_name, name):
        if module_name == "torch" and name in STORAGES:
            return STORAGES[name]
        known = {("collections", "OrderedDict"): collections.OrderedDict, ("torch", "Size"): tuple,
                 ("torch._utils", "_rebuild_tensor_v2"): lambda storage, offset, shape, strides, *_: Tensor(storage, offset, shape, strides),
                 ("torch._utils", "_rebuild_parameter"): lambda data, *_: data}
        expect((module_name, name) in known, f"expected a state of tensors alone, found a {shown(module_name)}.{shown(name)}: "
               "torch.save(net.state_dict(), FILE) writes one")
        return known[module_name, name]

    def persistent_load(self, pid):
        _, kind, key, _, count = pid
        expect(kind in STORAGES.values() and isinstance(key, str) and type(count) is int, "data.pkl: damaged")
        return Storage(kind, key, count)


def torch_values(archive, root, big_endian, tensor, name):
    storage = tensor.storage
    expect(storage.kind[-2] == "f", f"{shown(name)}: expected floating-point numbers, found {storage.kind}")
    width = int(storage.kind[-1])
    expect(isinstance(tensor.shape, tuple) and isinstance(tensor.strides, tuple), f"{shown(name)}: damaged")
    shape, strides = tensor.shape, tensor.strides
    numbers = (*shape, *strides, tensor.offset, storage.count)
    expect(len(shape) == len(strides) <= 8 and all(type(n) is int and n >= 0 for n in numbers), f"{shown(name)}: damaged")
    last = tensor.offset + sum((n - 1) * stride for n, stride in zip(shape, strides))
    expect(math.prod(shape) > 0 and math.prod(shape) <= storage.count and last < storage.count,
           f"{shown(name)}: expected values for {list(shape)}, found {storage.count}")
    data = member(archive, f"{root}data/{storage.key}")
    expect(len(data) == storage.count * width, f"{shown(name)}: expected {storage.count * width} bytes, found {len(data)}")
    end = ">" if big_endian else "<"
    if storage.kind == "bf2":
        values = brain_floats(numpy.frombuffer(data, end + "u2"), name)
    else:
        values = numpy.frombuffer(data, end + storage.kind)
    strided = numpy.lib.stride_tricks.as_strided(values[tensor.offset:], shape, [stride * values.itemsize for stride in strides])
    return as_floats(strided, name)


def torch_layers(state, read, order):
    tensors = {}
    for name in state:
        stem, _, kind = str(name).rpartition(".")
        expect(kind in ("weight", "bias"), f"unknown tensor {shown(name)}: expected NAME.weight and NAME.bias of dense layers and convolutions")
        tensors.setdefault(stem or "(net)", [(None, ""), (None, "")])[kind == "bias"] = (read(name), str(name))
    return layers_of(tensors, order, lambda kernel: kernel.T if kernel.ndim == 2 else kernel.transpose(2, 3, 1, 0))


def read_torch(archive, order):
    root = next(name for name in archive.namelist() if name.endswith("/data.pkl"))[:-len("data.pkl")]
    try:
        state = StateUnpickler(io.BytesIO(member(archive, root + "data.pkl"))).load()
    except (pickle.UnpicklingError, ValueError, TypeError, KeyError, IndexError, AttributeError, EOFError, RecursionError, struct.error,
            NotImplementedError, ImportError, OverflowError, MemoryError):
        raise Refused("data.pkl: damaged") from None
    for key in ("state_dict", "model_state_dict", "model"):
        if isinstance(state, dict) and isinstance(state.get(key), dict):
            state = state[key]
    expect(isinstance(state, dict) and state and all(isinstance(t, Tensor) and isinstance(t.storage, Storage) for t in state.values()),
           "expected a state of tensors alone: torch.save(net.state_dict(), FILE) writes one")
    order_of_bytes = root + "byteorder"
    big_endian = order_of_bytes in archive.namelist() and member(archive, order_of_bytes) == b"big"
    layers = torch_layers(state, lambda name: torch_values(archive, root, big_endian, state[name], name), order)
    return Found("PyTorch", layers, None if order else BY_FILE, None, True, 1, 0)


def read_safetensors(data, order):
    """Their order in the file is by name, not by place in the network: the numbers in the names decide."""
    size = struct.unpack("<Q", data[:8])[0] if len(data) >= 8 else 1 << 64
    try:
        header = json.loads(data[8:8 + size]) if size <= len(data) - 8 else None
    except (ValueError, RecursionError):
        header = None
    expect(isinstance(header, dict), "expected a .keras, .h5, PyTorch or safetensors file, found something else, or a part of one")
    header.pop("__metadata__", None)
    kinds = {"F32": "<f4", "F64": "<f8", "F16": "<f2", "BF16": "<u2"}

    def read(name):
        try:
            kind, shape, (begin, end) = (header[name][key] for key in ("dtype", "shape", "data_offsets"))
            expect(kind in kinds, f"{shown(name)}: expected floating-point numbers, found {shown(kind)}")
            dtype = numpy.dtype(kinds[kind])
            sound = all(type(n) is int and n >= 0 for n in (*shape, begin, end)) and end - begin == math.prod(shape) * dtype.itemsize
        except (KeyError, TypeError, ValueError):
            sound = False
        expect(sound and 8 + size + end <= len(data), f"{shown(name)}: damaged")
        values = numpy.frombuffer(data, dtype, math.prod(shape), 8 + size + begin)
        values = values.reshape(shape)
        return brain_floats(values, name) if kind == "BF16" else as_floats(values, name)

    return Found("PyTorch", torch_layers(sorted(header, key=natural), read, order), None if order else BY_NAME, None, True, 1, 0)
