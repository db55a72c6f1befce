"""Reads Keras's files: .keras, .weights.h5, and .h5 of whole models, without Keras."""
import collections
import io
import json
import math
import re

from importing.layers import BY_FILE, BY_NAME, FITTING, MOST_BYTES, Found, Refused, as_floats, brain_floats, expect, lacking, layers_of, natural, shown

try:
    import h5py
except ImportError:  # told when a file needs it
    h5py = None

PIXELS = 784
# Keras's names. Pooling may stand before those that never fall: the maximum is the same.
RISING = ("linear", "sigmoid", "relu", "tanh", "leaky_relu", "elu", "selu", "softplus", "softsign", "exponential")
ACTIVATIONS = RISING + ("gelu", "silu", "softmax", "log_softmax")
SAME_ACTIVATION = {"swish": "silu", None: "linear"}


def h5_child(group, path):
    """What a path inside the file leads to; links that lead out of it are not followed. None if there is nothing."""
    for name in path.split("/"):
        if not isinstance(group, h5py.Group) or not isinstance(group.get(name, getlink=True), h5py.HardLink):
            return None
        group = group[name]
    return group


def h5_values(group, path, label):
    dataset = h5_child(group, path) if group is not None else None
    if dataset is None:
        return None, ""
    expect(isinstance(dataset, h5py.Dataset) and not dataset.external and not dataset.is_virtual, f"{shown(label)}: expected an array")
    brain = dataset.dtype.kind == "V" and dataset.dtype.itemsize == 2 and dataset.dtype.names is None  # Keras's bfloat16
    expect(brain or dataset.dtype.kind == "f", f"{shown(label)}: expected floating-point numbers, found {dataset.dtype}")
    expect(dataset.shape is not None and math.prod(dataset.shape) * 4 <= MOST_BYTES, f"{shown(label)}: expected fewer values")
    values = dataset[()]
    return (brain_floats(values.view("<u2"), label) if brain else as_floats(values, label)), label


def legacy_pair(group, layer):
    """Keras 2's form: an attribute lists the weights' names."""
    owner = h5_child(group, layer)
    pair = [(None, ""), (None, "")]
    for name in owner.attrs.get("weight_names", []) if owner is not None else []:
        name = name.decode() if isinstance(name, bytes) else str(name)
        word = name.split("/")[-1].split(":")[0]
        expect(word in ("kernel", "bias"), f"unknown weight {shown(name)}: expected kernels and biases of dense layers and convolutions")
        pair[word == "bias"] = h5_values(owner, name, name)
    return pair


def vars_pair(group, path):
    variables = h5_child(group, path + "/vars")
    expect(not isinstance(variables, h5py.Group) or len(variables) <= 2,
           f"{shown(path)}: expected a dense layer's or a convolution's kernel and bias, found {len(variables or ())} weights")
    return [h5_values(variables, str(i), f"{path}/vars/{i}") for i in range(2)]


def keras_weights(file, order):
    """A file of weights alone: every group that has any."""
    tensors, by = {}, BY_NAME
    if "layer_names" in file.attrs:
        by = BY_FILE
        for name in file.attrs["layer_names"]:
            name = name.decode() if isinstance(name, bytes) else str(name)
            tensors[name] = legacy_pair(file, name)
    else:
        paths = []
        file.visit(lambda path: paths.append(path[:-len("/vars")]) if path.endswith("/vars") else None)
        for path in sorted(paths, key=natural):
            if not path.startswith("optimizer"):
                tensors[path] = vars_pair(file, path)
    tensors = {name: pair for name, pair in tensors.items() if pair[0][0] is not None or pair[1][0] is not None}
    expect(tensors, "expected a file of Keras's weights, found no weights in it")
    return Found("Keras", layers_of(tensors, order, lambda kernel: kernel), None if order else by, None, False, 1, 0)


def kind_of(entry):
    """The class of an object in a configuration, and the whole registered name, "package>Class", of one that is not Keras's own."""
    registered = entry.get("registered_name")
    return registered if isinstance(registered, str) and ">" in registered else entry["class_name"]


def activation_of(found, layer):
    """Our name for an activation: Keras's own word, a function, or a layer that stands for it."""
    if isinstance(found, dict):
        kind, settings = kind_of(found), found.get("config")
        if isinstance(settings, dict) and (kind in WORDS or kind == "Activation"):
            check_settings(kind, layer, settings)
            return WORDS.get(kind) or activation_of(settings.get("activation"), layer)
        found = settings if isinstance(settings, str) else kind
    name = SAME_ACTIVATION.get(found, found)
    expect(name in ACTIVATIONS, f"layer {layer}: activation {shown(name)} cannot be expressed here: expected {', '.join(ACTIVATIONS)}")
    return name


# What a layer's settings must be, with Keras's default where a file of an old version lacks it.
ONLY = {
    "Conv2D": {"strides": [1, 1], "padding": "valid", "data_format": "channels_last", "dilation_rate": [1, 1], "groups": 1},
    "MaxPooling2D": {"pool_size": [2, 2], "strides": [2, 2], "padding": "valid", "data_format": "channels_last"},
    "Flatten": {"data_format": "channels_last"},
    "ReLU": {"max_value": None, "negative_slope": 0, "threshold": 0},
    "LeakyReLU": {"negative_slope": 0.2},
    "ELU": {"alpha": 1},
    "Softmax": {"axis": -1},
    "Dense": {"quantization_config": None},
    "Activation": {},
}
WORDS = {"ReLU": "relu", "LeakyReLU": "leaky_relu", "ELU": "elu", "Softmax": "softmax"}
IDLE = ("InputLayer", "Dropout", "SpatialDropout2D", "AlphaDropout", "GaussianDropout", "GaussianNoise", "ActivityRegularization")
LETTERS = {"Conv2D": "C", "MaxPooling2D": "P", "Flatten": "F", "Dense": "D"}


def sources_of(node):
    """The names of the layers whose outputs a functional model's layer takes."""
    if isinstance(node, dict) and node.get("class_name") == "__keras_tensor__":
        return [node["config"]["keras_history"][0]]
    if isinstance(node, list) and len(node) == 4 and isinstance(node[0], str):
        return [node[0]]
    return [source for part in (node.values() if isinstance(node, dict) else node if isinstance(node, list) else ()) for source in sources_of(part)]


def keras_steps(config):
    """A model's layers in the order in which an image meets them: [(class, name, settings)]."""
    expect(config["class_name"] in ("Sequential", "Functional", "Model"),
           f"expected a Sequential or Functional model, found {shown(config['class_name'])}")
    entries = config["config"]["layers"] if isinstance(config["config"], dict) else config["config"]
    before = None
    for entry in entries:
        name = entry["config"]["name"]
        if config["class_name"] != "Sequential":
            expect(sources_of(entry["inbound_nodes"]) == [before] * (before is not None),
                   f"layer {shown(name)}: expected one input, the layer before it: other networks than chains cannot be expressed here")
        before = name
    return [(kind_of(entry), shown(entry["config"]["name"]), entry["config"]) for entry in entries]


def check_settings(kind, name, settings):
    for key, only in ONLY[kind].items():
        found = settings.get(key, settings.get("alpha", only) if kind == "LeakyReLU" else only)
        same = math.isclose(found, only, rel_tol=1e-6) if isinstance(only, float) else found == only or (isinstance(only, list) and found == only[0])
        expect(same, f"layer {name} ({kind}): {key} {shown(json.dumps(found))} cannot be expressed here: expected {json.dumps(only)}")


def keras_plan(config):
    """(letters, activations of the letters "A", names and classes of the layers with weights, scale, shift) of a model's layers."""
    letters, activations, weighted, scale, shift, rescaled = "", [], [], 1, 0, False
    for kind, name, settings in keras_steps(config):
        if kind in IDLE:
            continue
        if kind == "Rescaling" and letters in ("", "F"):
            factor, offset = settings["scale"], settings["offset"]
            expect(isinstance(factor, (int, float)) and isinstance(offset, (int, float)), f"layer {name}: expected one scale and one offset")
            scale, shift, rescaled = factor * scale, factor * shift + offset, True
            continue
        if kind == "Reshape" and letters in ("", "F") and math.prod(settings["target_shape"]) == PIXELS:
            continue
        expect(kind in ONLY, f"layer {name} ({shown(kind)}) cannot be expressed here: {FITTING}")
        check_settings(kind, name, settings)
        letters += LETTERS.get(kind, "")
        if kind in ("Conv2D", "Dense"):
            weighted.append((kind, name))
        activation = WORDS.get(kind) or activation_of(settings.get("activation"), name)
        if activation != "linear":
            letters += "A"
            activations.append(activation)
    return letters, activations, weighted, 255 * scale if rescaled else 1, shift  # a network that rescales takes bytes


def keras_activation(letters, activations):
    """Matches the layers against the two kinds of networks; the activation of the hidden ones."""
    if letters.endswith("DA") and activations[-1] == "softmax":
        letters, activations = letters[:-1], activations[:-1]
    expect(not letters.endswith("DA"), f"the last layer's activation is {activations[-1] if activations else ''}: expected softmax, or none")
    expect(re.fullmatch("F?(DA?)*D|(CA?P|CPA)+FD", letters), f"the layers do not stand in an order that can be expressed here: {FITTING}")
    hidden = letters.count("D") + letters.count("C") - 1
    expect(len(activations) in (0, hidden) and len(set(activations)) < 2,
           f"expected one activation for all {hidden} hidden layers, found {', '.join(activations)}")
    activation = activations[0] if activations else "linear"
    expect("PA" not in letters or activation in RISING, f"{activation} after pooling cannot be expressed here: expected it before")
    return activation


def keras_model(config, pair):
    """`pair(kind, number, name)` reads the weights of the model's number-th layer of a kind."""
    try:
        letters, activations, weighted, scale, shift = keras_plan(config)
        activation = keras_activation(letters, activations)
    except (KeyError, TypeError, ValueError, AttributeError, IndexError, RecursionError, OverflowError):
        raise Refused("the model's configuration is damaged") from None
    counts, tensors = collections.Counter(), {}
    for kind, name in weighted:
        tensors[name] = pair(kind, counts[kind], name)
        counts[kind] += 1
        expect(tensors[name][0][0] is not None, f"layer {name}: no weights of it were found")
        rank = 4 if kind == "Conv2D" else 2
        expect(tensors[name][0][0].ndim == rank, f"layer {name}: expected a kernel of {rank} axes, found {tensors[name][0][0].ndim}")
    return Found("Keras", layers_of(tensors, None, lambda kernel: kernel), None, activation, False, scale, shift)


def configuration(text):
    try:
        config = json.loads(text)
    except (ValueError, RecursionError):
        config = None
    expect(isinstance(config, dict), "the model's configuration is damaged")
    return config


def read_h5(data, order, config=None):
    if h5py is None:
        raise lacking("h5py")
    try:
        with h5py.File(io.BytesIO(data), "r") as file:
            if config is not None:
                stem = "layers" if "layers" in file else "_layer_checkpoint_dependencies"
                word = {"Conv2D": "conv2d", "Dense": "dense"}
                return keras_model(config, lambda kind, i, name: vars_pair(file, f"{stem}/{word[kind]}" + (f"_{i}" if i else "")))
            if "model_config" in file.attrs:
                return keras_model(configuration(file.attrs["model_config"]), lambda kind, i, name: legacy_pair(h5_child(file, "model_weights"), name))
            return keras_weights(file, order)
    except (OSError, KeyError, RuntimeError, ValueError, TypeError, OverflowError, MemoryError) as problem:
        raise Refused(f"damaged HDF5: {shown(problem)}") from None
