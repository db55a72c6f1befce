"""Ten steps of each optimizer, in Keras's forms, on a linear regression, by NumPy in f64; writes optimizers.inc beside this script.

Made with NumPy 2.4 by `python optimizers.py`, and checked, where Keras and PyTorch are installed, against Keras 3.15's own optimizers in
f64: the weights agree to 1e-12. (On its PyTorch backend, for on TensorFlow's Keras rounds 0.9 and 0.999 to f32 even then; and to 1e-8 with
clipping, whose factor it computes in f32.) tests/test_reference.c trains the same regression with the library's optimizers.

The problem: x [12, 4], y [12, 3], initial weights w [4, 3] and b [3] of formula.weights(stream, shape, 1) with streams 200 to 203;
the loss is the mean of (x w + b - y)^2. Each optimizer runs plain, with weight decay 0.02, and with gradients clipped to a
global norm of 0.1; the learning rate is 0.05, all else is Keras's default (momentum 0.9; no decay but in its own run, AdamW too).
"""
import os
import pathlib
import numpy as np
import formula

STEPS, RATE, DECAY, NORM = 10, 0.05, 0.02, 0.1
KINDS = ["sgd", "momentum", "nesterov", "rmsprop", "adam", "adamw"]
VARIANTS = [(0, 0), (DECAY, 0), (0, NORM)]
x, y = formula.weights(200, (12, 4), 1), formula.weights(201, (12, 3), 1)


def initial():
    return formula.weights(202, (4, 3), 1), formula.weights(203, (3,), 1)


def gradients(w, b):
    d = 2 * (x @ w + b - y) / y.size
    return x.T @ d, d.sum(0)


def update(kind, state, t, g):
    """The change of one weight tensor with gradient g at step t (from 1)."""
    if kind == "sgd":
        return -RATE * g
    if kind in ("momentum", "nesterov"):
        v = state["v"] = 0.9 * state.get("v", 0) - RATE * g
        return v if kind == "momentum" else 0.9 * v - RATE * g
    if kind == "rmsprop":
        v = state["v"] = 0.9 * state.get("v", 0) + 0.1 * g * g
        return -RATE * g / np.sqrt(v + 1e-7)
    m, v = state.get("m", 0), state.get("v", 0)
    m = state["m"] = m + (g - m) * (1 - 0.9)
    v = state["v"] = v + (g * g - v) * (1 - 0.999)
    return -RATE * np.sqrt(1 - 0.999**t) / (1 - 0.9**t) * m / (np.sqrt(v) + 1e-7)


def train(kind, decay, norm):
    weights = list(initial())
    states = [{}, {}]
    for t in range(1, STEPS + 1):
        g = gradients(*weights)
        length = np.sqrt(sum((part**2).sum() for part in g))
        factor = norm / max(length, norm) if norm else 1
        for i, part in enumerate(g):
            weights[i] = weights[i] * (1 - RATE * decay) + update(kind, states[i], t, part * factor)
    return weights


def train_in_keras(keras, kind, decay, norm):
    options = dict(learning_rate=RATE, weight_decay=decay, global_clipnorm=norm or None)
    make = dict(sgd=keras.optimizers.SGD, momentum=keras.optimizers.SGD, nesterov=keras.optimizers.SGD,
                rmsprop=keras.optimizers.RMSprop, adam=keras.optimizers.Adam, adamw=keras.optimizers.AdamW)[kind]
    if kind in ("momentum", "nesterov"):
        options.update(momentum=0.9, nesterov=kind == "nesterov")
    optimizer = make(**options)
    weights = [keras.Variable(value, dtype="float64") for value in initial()]
    for _ in range(STEPS):
        optimizer.apply([keras.ops.convert_to_tensor(g) for g in gradients(*[v.numpy() for v in weights])], weights)
    return [v.numpy() for v in weights]


def check(results):
    os.environ["KERAS_BACKEND"] = "torch"
    try:
        import keras
    except ImportError:
        print("not checked against Keras, which is not installed")
        return
    keras.backend.set_floatx("float64")
    for case, weights in results.items():
        worst = max(np.abs(mine - theirs).max() for mine, theirs in zip(weights, train_in_keras(keras, *case)))
        print("Keras %s, %s: largest difference %.2g" % (keras.__version__, case, worst))
        assert worst < (1e-8 if case[2] else 1e-12)


def main():
    results = {(kind, decay, norm): train(kind, decay, norm) for kind in KINDS for decay, norm in VARIANTS}
    check(results)
    lines = ["/* Written by optimizers.py: kind, weight decay, clip norm, final w [4, 3] and b [3]. */"]
    for (kind, decay, norm), (w, b) in results.items():
        values = ["%.17g" % value for value in np.concatenate([w.ravel(), b])]
        lines.append("{TG_OPTIMIZER_%s, %g, %g," % (kind.upper(), decay, norm))
        lines += ["    " + ("{" if i == 0 else " ") + ", ".join(values[i:i + 5]) + ("," if i < 10 else "}},") for i in range(0, 15, 5)]
    (pathlib.Path(__file__).parent / "optimizers.inc").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
