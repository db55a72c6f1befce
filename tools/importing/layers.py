"""What the readers of Keras's and PyTorch's files share: refusals, layers, arrays and archives."""
import collections
import re
import zipfile

try:
    import numpy
except ImportError:  # import_weights says so
    numpy = None

MOST_BYTES = 1 << 30  # of a weight, and of a packed file inside an archive
FITTING = "expected dense layers, or convolutions each with an activation and 2x2 max-pooling, then flatten and one dense layer"

# kernel: dense [in, out], convolution [height, width, in, out]; sources: what the file calls kernel and bias.
Layer = collections.namedtuple("Layer", "name kernel bias sources")
# What a file holds: its framework, layers in order, what decided that order (None: the model or --layers), their activation (None: not
# known), whether images are [c, h, w], and the network's own first step, pixel -> scale * pixel + shift, with pixel = byte / 255.
Found = collections.namedtuple("Found", "framework layers order activation channels_first scale shift")
BY_NAME, BY_FILE = "in order of their names", "in the order of the file"


class Refused(Exception):
    """What the file holds is not what it should be: exit status 3."""


class Failed(Exception):
    """Something else went wrong: exit status 1."""


def expect(truth, message):
    if not truth:
        raise Refused(message)


def shown(text):
    """A name from a file as a message may show it."""
    return "".join(c if c.isprintable() else "?" for c in str(text))[:80]


def lacking(name):
    return Failed(f"needs {name}, which is not installed: pip install {name} (Debian, Ubuntu: apt-get install python3-{name})")


def natural(name):
    """Order of names by the numbers in them: fc2 before fc10, dense before dense_1."""
    return [(int(part), "") if part.isdecimal() else (-1, part) for part in re.split(r"(\d+)", name)]


def as_floats(values, name):
    """f32, in C order, of an array of any floating-point type."""
    expect(values.dtype.kind == "f", f"{shown(name)}: expected floating-point numbers, found {values.dtype}")
    return numpy.ascontiguousarray(values, "<f4")


def brain_floats(words, name):
    """f32 of bfloat16, given as the integers of its bits."""
    return as_floats((words.astype("u4") << 16).view("f4"), name)


def layers_of(tensors, order, convert):
    """Layers of a dictionary from names to arrays, whose names end in a kernel's and a bias's word: {layer: [kernel, bias]}."""
    names = list(tensors)
    if order:
        expect(sorted(order) == sorted(names), f"--layers: expected each of {shown(','.join(names))} once")
        names = order
    layers = []
    for name in names:
        (kernel, kernel_source), (bias, bias_source) = tensors[name]
        expect(kernel is not None, f"{shown(name)}: expected a kernel beside its bias")
        expect(kernel.ndim in (2, 4), f"{shown(kernel_source)}: expected a dense or a convolution's kernel, found {list(kernel.shape)}")
        kernel = convert(kernel)
        if bias is None:
            bias, bias_source = numpy.zeros(kernel.shape[-1], "<f4"), "zeros: the layer has no bias"
        expect(bias.shape == kernel.shape[-1:], f"{shown(bias_source)}: expected {list(kernel.shape[-1:])}, found {list(bias.shape)}")
        layers.append(Layer(name, kernel, bias, (kernel_source, bias_source)))
    return sorted(layers, key=lambda layer: -layer.kernel.ndim) if not order else layers  # convolutions come first


def member(archive, name):
    """A file of an archive. PyTorch and Keras store them as they are, so none can grow beyond the archive."""
    try:
        info = archive.getinfo(name)
        expect(info.compress_type == zipfile.ZIP_STORED or info.file_size <= MOST_BYTES, f"{shown(name)}: expected less than a gigabyte")
        return archive.read(name)
    except KeyError:
        raise Refused(f"expected {shown(name)} in the archive, found none") from None
    except (zipfile.BadZipFile, zipfile.zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as problem:
        raise Refused(f"{shown(name)}: damaged: {shown(problem)}") from None
