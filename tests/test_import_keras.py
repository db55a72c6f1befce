"""tools/import_weights with Keras's files. Arguments and needs: see import_parts.py."""
import json
import sys
import zipfile

sys.dont_write_bytecode = True
from import_parts import FOLDER, REFERENCE, TRAINED, h5py, imported, numpy, predicts_as_there, refused, rezip, run_tests, same

if h5py is None:
    print("1..0 # SKIP h5py is not installed (pip install h5py)")
    sys.exit()


def keras_config(name):
    with zipfile.ZipFile(REFERENCE / f"import_{name}_keras.keras") as archive:
        return json.loads(archive.read("config.json"))


def with_config(name, config):
    text = config if isinstance(config, bytes) else json.dumps(config).encode()
    rezip("changed.keras", REFERENCE / f"import_{name}_keras.keras", lambda file, was: text if file == "config.json" else was)
    return "changed.keras"


def layer(kind, **settings):
    return {"class_name": kind, "config": {"name": kind.lower() + "_x", **settings}}


def activations_of_keras():
    """Wherever a model has them: in its layers, as layers of their own, before or after pooling."""
    for name, first in (("fcnn", 1), ("cnn", 1)):
        same_tensors = imported(REFERENCE / f"import_{name}_keras.keras")[1]
        for theirs, ours in (("relu", "relu"), ("swish", "silu"), ("silu", "silu"), ("linear", "linear"), ("leaky_relu", "leaky_relu")):
            config = keras_config(name)
            for entry in config["config"]["layers"]:
                if entry["config"].get("activation") == "sigmoid":
                    entry["config"]["activation"] = theirs
            config["config"]["layers"].append(layer("Softmax", axis=-1))
            metadata, tensors = imported(with_config(name, config))
            assert metadata["activation"] == ours and same(tensors, same_tensors)
        config = keras_config(name)
        layers = []
        for entry in config["config"]["layers"]:
            apart = entry["config"].get("activation") == "sigmoid"
            layers.append(entry)
            if apart:
                entry["config"]["activation"] = "linear"
                if name == "fcnn":
                    layers += [layer("ELU", alpha=1.0), layer("Dropout", rate=0.5)]
            if entry["class_name"] == "MaxPooling2D":
                layers.append(layer("ELU", alpha=1.0))
        config["config"]["layers"] = layers
        metadata, tensors = imported(with_config(name, config))
        assert metadata["activation"] == "elu" and same(tensors, same_tensors)


def keras_object(kind, package=None, **settings):
    """A layer inside another's settings, as Keras 3.15 writes it."""
    return {"module": None if package else "keras.layers", "class_name": kind, "registered_name": f"{package}>{kind}" if package else None,
            "config": {"name": kind.lower(), "trainable": True, "dtype": {"module": "keras", "class_name": "DTypePolicy"}, **settings}}


def activation_objects():
    """A layer in place of an activation's name, as Dense(8, activation=ReLU()) has it, or a function: Keras's own are known, others refused."""
    def with_activation(found):
        config = keras_config("fcnn")
        for entry in config["config"]["layers"]:
            if entry["config"].get("activation") == "sigmoid":
                entry["config"]["activation"] = found
        return with_config("fcnn", config)
    plain = imported(REFERENCE / "import_fcnn_keras.keras")[1]
    relu = {"max_value": None, "negative_slope": 0.0, "threshold": 0.0}
    for found, ours in ((keras_object("ReLU", **relu), "relu"), (keras_object("LeakyReLU", negative_slope=0.2), "leaky_relu"),
                        (keras_object("LeakyReLU", alpha=0.20000000298023224), "leaky_relu"), (keras_object("ELU", alpha=1.0), "elu"),
                        (keras_object("Activation", activation="tanh"), "tanh"), (keras_object("Activation", activation=keras_object("ReLU", **relu)), "relu"),
                        ({"class_name": "ReLU", "config": relu}, "relu"),
                        ({"module": "builtins", "class_name": "function", "config": "gelu", "registered_name": "function"}, "gelu")):
        metadata, tensors = imported(with_activation(found))
        assert metadata["activation"] == ours and same(tensors, plain), (found, metadata)
    for found, message in ((keras_object("ReLU", **{**relu, "max_value": 6.0}), "layer dense (ReLU): max_value 6.0 cannot be expressed here: expected null"),
                           (keras_object("LeakyReLU", negative_slope=0.3), "negative_slope 0.3 cannot be expressed here: expected 0.2"),
                           (keras_object("PReLU"), "activation PReLU cannot be expressed here"),
                           (keras_object("ReLU", package="my", **relu), "activation my>ReLU cannot be expressed here"),
                           ({"module": "builtins", "class_name": "function", "config": "my>relu", "registered_name": "function"}, "activation my>relu cannot be expressed here"),
                           (keras_object("ReLU")["config"], "the model's configuration is damaged"), ([], "the model's configuration is damaged")):
        refused(3, message, with_activation(found), "kept")
    config = keras_config("fcnn")
    config["config"]["layers"].insert(2, keras_object("Dropout", package="my", rate=0.5))
    refused(3, "layer dropout (my>Dropout) cannot be expressed here", with_config("fcnn", config), "kept")


def brain_floats():
    """Keras keeps bfloat16 as two opaque bytes."""
    for name in ("fcnn", "cnn"):
        plain = imported(REFERENCE / f"import_{name}_keras.keras")[1]
        (FOLDER / "brain.h5").write_bytes(weights_inside(name))
        with h5py.File(FOLDER / "brain.h5", "r+") as file:
            paths = []
            file.visititems(lambda path, item: paths.append(path) if isinstance(item, h5py.Dataset) else None)
            for path in paths:
                words = (numpy.ascontiguousarray(file[path][()], "<f4").view("<u4") >> 16).astype("<u2")
                del file[path]
                file[path] = words.view("V2")
                file[path].attrs["dtype"] = "bfloat16"
                assert file[path].dtype == "V2"
        inside = (FOLDER / "brain.h5").read_bytes()
        rezip("brain.keras", REFERENCE / f"import_{name}_keras.keras", lambda file, was: inside if file == "model.weights.h5" else was)
        for metadata, tensors in (imported("brain.keras"), imported("brain.h5", TRAINED)):
            assert metadata["activation"] == "sigmoid"
            assert all((tensors[n].view("<u4") == plain[n].view("<u4") & 0xFFFF0000).all() and tensors[n].shape == plain[n].shape for n in plain)


def functional_models():
    """Chains fit; other networks do not."""
    for name in ("fcnn", "cnn"):
        config = keras_config(name)
        config["class_name"], before = "Functional", None
        for entry in config["config"]["layers"]:
            node = {"args": [{"class_name": "__keras_tensor__", "config": {"keras_history": [before, 0, 0]}}], "kwargs": {}}
            entry["inbound_nodes"] = [node] if before else []
            before = entry["config"]["name"]
        assert same(imported(with_config(name, config))[1], imported(REFERENCE / f"import_{name}_keras.keras")[1])
        config["config"]["layers"][-1]["inbound_nodes"][0]["args"][0]["config"]["keras_history"][0] = config["config"]["layers"][0]["config"]["name"]
        refused(3, f"layer {before}: expected one input, the layer before it", with_config(name, config), "kept")


def rescaling():
    """Networks that take bytes, and rescale them: by 1 / 255 they are ours, else the first layer takes it over."""
    for name, first in (("fcnn", "dense"), ("cnn", "conv2d")):
        plain = imported(REFERENCE / f"import_{name}_keras.keras")[1]
        config = keras_config(name)
        at = 1 if config["config"]["layers"][0]["class_name"] == "InputLayer" else 0
        config["config"]["layers"].insert(at, layer("Rescaling", scale=1 / 255, offset=0.0))
        assert same(imported(with_config(name, config))[1], plain)
        config["config"]["layers"][at] = layer("Rescaling", scale=1 / 127.5, offset=-1.0)
        scaled = imported(with_config(name, config))[1]
        kernel, bias = plain[first + "/kernel"], plain[first + "/bias"]
        assert numpy.allclose(scaled[first + "/kernel"], 2 * kernel, 1e-6)
        assert numpy.allclose(scaled[first + "/bias"], bias - kernel.reshape(-1, len(bias)).sum(0, dtype="f8"), 1e-5, 1e-6)
        refused(2, "--mean and --std: the model rescales its pixels itself", "changed.keras", "kept", "--mean=0.5")


def models_that_do_not_fit():
    def changed(network, kind, message, **settings):
        config = keras_config(network)
        next(entry for entry in config["config"]["layers"] if entry["class_name"] == kind)["config"].update(settings)
        refused(3, message, with_config(network, config), "kept")
    changed("cnn", "Conv2D", "layer conv2d (Conv2D): strides [2, 2] cannot be expressed here: expected [1, 1]", name="conv2d", strides=[2, 2])
    changed("cnn", "Conv2D", 'padding "same" cannot be expressed here: expected "valid"', padding="same")
    changed("cnn", "Conv2D", 'data_format "channels_first" cannot be expressed', data_format="channels_first")
    changed("cnn", "Conv2D", "dilation_rate [2, 2] cannot be expressed", dilation_rate=[2, 2])
    changed("cnn", "MaxPooling2D", "pool_size [3, 3] cannot be expressed here: expected [2, 2]", pool_size=[3, 3])
    changed("cnn", "Conv2D", "expected one activation for all 2 hidden layers, found relu, sigmoid", activation="relu")
    changed("fcnn", "Dense", "activation mish cannot be expressed here: expected linear, sigmoid", activation="mish")
    changed("fcnn", "Dense", "activation Custom cannot be expressed here", activation={"class_name": "Custom", "config": {}})
    for name, place, extra, message in (("cnn", 2, layer("BatchNormalization"), "layer batchnormalization_x (BatchNormalization) cannot be expressed here"),
                                        ("fcnn", 2, layer("LeakyReLU", negative_slope=0.3), "negative_slope 0.3 cannot be expressed here: expected 0.2"),
                                        ("fcnn", 2, layer("Rescaling", scale=2, offset=0), "layer rescaling_x (Rescaling) cannot be expressed"),
                                        ("cnn", 2, layer("Flatten"), "the layers do not stand in an order that can be expressed here"),
                                        ("fcnn", 9, layer("Activation", activation="sigmoid"), "the last layer's activation is sigmoid: expected softmax, or none")):
        config = keras_config(name)
        config["config"]["layers"].insert(place, extra)
        refused(3, message, with_config(name, config), "kept")
    config = keras_config("cnn")
    config["config"]["layers"] = [entry for entry in config["config"]["layers"] if entry["class_name"] != "MaxPooling2D"]
    refused(3, "the layers do not stand in an order", with_config("cnn", config), "kept")
    refused(3, "expected a Sequential or Functional model, found Custom", with_config("fcnn", {"class_name": "Custom", "config": {}}), "kept")
    refused(3, "no weights of it were found", with_config("fcnn", keras_config("cnn")), "kept")
    for config in (b"[", b"[]", b"{}", b'{"class_name": "Sequential", "config": {"layers": [7]}}', b"[" * 100000, json.dumps(keras_config("fcnn")).encode()[:-9]):
        refused(3, "changed.keras: the model's configuration is damaged", with_config("fcnn", config), "kept")
    refused(2, "--activation relu: the model's own is sigmoid", REFERENCE / "import_fcnn_keras.keras", "kept", "--activation=relu")
    refused(2, "--layers: the model itself tells their order", REFERENCE / "import_fcnn_keras.keras", "kept", "--layers=dense")


def weights_inside(name):
    with zipfile.ZipFile(REFERENCE / f"import_{name}_keras.keras") as archive:
        return archive.read("model.weights.h5")


def keras_files_of_weights():
    """.weights.h5, the form of Keras 2 for weights, and that for whole models; --activation where the file does not tell."""
    for name in ("fcnn", "cnn"):
        plain = imported(REFERENCE / f"import_{name}_keras.keras")[1]
        (FOLDER / "w.weights.h5").write_bytes(weights_inside(name))
        refused(2, "w.weights.h5 has weights alone, which do not tell what follows the hidden layers: say it by --activation NAME", "w.weights.h5", "kept")
        metadata, tensors = imported("w.weights.h5", "--activation=relu")
        assert metadata["activation"] == "relu" and same(tensors, plain)
        config = keras_config(name)
        names = [entry["config"]["name"] for entry in config["config"]["layers"] if entry["class_name"] in ("Dense", "Conv2D")]
        for path, whole in (("old_weights.h5", False), ("old_model.h5", True)):
            with h5py.File(FOLDER / path, "w") as file:
                root = file.create_group("model_weights") if whole else file
                root.attrs["layer_names"] = names
                if whole:
                    file.attrs["model_config"] = json.dumps(config)
                for theirs, ours in zip(names, ("dense", "dense_1", "dense_2") if name == "fcnn" else ("conv2d", "conv2d_1", "dense")):
                    group = root.create_group(theirs)
                    group.attrs["weight_names"] = [f"{theirs}/{word}:0".encode() for word in ("kernel", "bias")]
                    for word in ("kernel", "bias"):
                        group[f"{theirs}/{word}:0"] = plain[f"{ours}/{word}"]
            metadata, tensors = imported(path, *[TRAINED] * (not whole))
            assert metadata["activation"] == "sigmoid" and same(tensors, plain), path


def hostile_hdf5():
    """Weights of another shape, of integers, too many, or somewhere else; links that lead out of the file are not followed."""
    def changed(message, change):
        (FOLDER / "w.h5").write_bytes(weights_inside("fcnn"))
        with h5py.File(FOLDER / "w.h5", "r+") as file:
            change(file["layers"])
        refused(3, "w.h5: " + message, "w.h5", "kept")

    def put(path, values):
        def change(layers):
            if path in layers:
                del layers[path]
            layers[path] = values
        return change

    def outside(layers):
        del layers["dense/vars/0"]
        layers["dense/vars/0"] = h5py.ExternalLink(str(FOLDER / "other.h5"), "/secret")
    with h5py.File(FOLDER / "other.h5", "w") as file:
        file["secret"] = numpy.zeros((784, 12), "<f4")
    changed("layers/dense: expected a kernel beside its bias", outside)
    changed("layers/dense: expected 784 inputs, found 783", put("dense/vars/0", numpy.zeros((783, 12), "<f4")))
    changed("layers/dense/vars/1: expected [12], found [13]", put("dense/vars/1", numpy.zeros(13, "<f4")))
    changed("layers/dense/vars/0: expected floating-point numbers, found int32", put("dense/vars/0", numpy.zeros((784, 12), "<i4")))
    changed("layers/dense: expected a dense layer's or a convolution's kernel and bias, found 3 weights", put("dense/vars/2", numpy.zeros(12, "<f4")))
    changed("layers/dense/vars/0: expected a dense or a convolution's kernel, found [12]", put("dense/vars/0", numpy.zeros(12, "<f4")))

    def promises(layers):
        del layers["dense/vars/0"]
        layers.create_dataset("dense/vars/0", (1 << 20, 1 << 20), "<f4", chunks=(1, 1024))
    changed("layers/dense/vars/0: expected fewer values", promises)
    with h5py.File(FOLDER / "w.h5", "w"):
        pass
    refused(3, "w.h5: expected a file of Keras's weights, found no weights in it", "w.h5", "kept")


run_tests([(f"{name} of Keras", predicts_as_there, (name, "keras")) for name in ("fcnn", "cnn")] +
          [(test.__name__, test, ()) for test in (activations_of_keras, activation_objects, brain_floats, functional_models, rescaling, models_that_do_not_fit, keras_files_of_weights,
                                                  hostile_hdf5)])
