"""Writes edges.inc: points with NaN, infinities, zeros and ties, and what JAX gives there for each op and the gradients of its result's sum.

Made with JAX 0.10.2, NumPy 2.4.6 and SciPy 1.17.1, on a CPU in f64: python3 edges.py > edges.inc. Values are also computed by NumPy or SciPy,
which must agree, zeros' signs aside. Where ops/ops.h chooses what JAX does not, DIFFERENCES says so, and so does the line in edges.inc.
"""
import sys

import jax
import jax.numpy as jnp
import numpy as np
import scipy
import scipy.special
from jax import lax

jax.config.update("jax_enable_x64", True)

# (op, which of its points, "y" or "d" and the input): (values, "." where JAX's is taken; why, by ops/ops.h; what follows from PyTorch's
# formulas, tools/autograd/derivatives.yaml). One that changes nothing is an error.
HALF = "at a NaN each side takes half the gradient", "all of it to both sides"
POW_LIMIT = "where an infinity meets 0 first derivatives are the limits", "NaN"
DIFFERENCES = {
    ("pow", 0, "d0"): (". . 0 . . . . . . .", "0 in a at b = 0 for every a but NaN", "0"),
    ("pow", 0, "d1"): (". . . . -inf . 0 . . .", "log 0 counts as 0 for b >= 0 alone; the limit at (inf, -1)", "-inf; NaN"),
    ("pow", 1, "d0"): ("0 0 . . . . . .", *POW_LIMIT),
    ("pow", 1, "d1"): (". . 0 . . . inf -inf", "log 0 counts as 0 for b >= 0 alone; the limit at (inf, -2)", "inf, -inf; NaN"),
    ("maximum", 0, "d0"): ("0.5 0.5 0.5 . . . .", *HALF),
    ("maximum", 0, "d1"): ("0.5 0.5 0.5 . . . .", *HALF),
    ("minimum", 0, "d0"): ("0.5 0.5 0.5 . . . .", *HALF),
    ("minimum", 0, "d1"): ("0.5 0.5 0.5 . . . .", *HALF),
    ("abs", 0, "d0"): ("nan . . 0 0", "the derivative is 0 at 0, NaN at a NaN", "0 at 0: sgn(x)"),
    ("rsqrt", 0, "d0"): (". . . . inf .", "the derivative is -y^3 / 2", "inf"),
    ("leaky_relu", 0, "d0"): (". . . 0.25 0.25", "the slope at 0", "the slope"),
    ("leaky_relu", 1, "d0"): (". . . 0 .", "the slope at 0", "the slope"),
    ("logsumexp", 0, "d0"): (". . . nan . . . . . .", "beside inf all are NaN, as the softmax, which the gradient is", "0 there"),
    ("conv2d_max_pool2d", 0, "d0"): (". . . . 1 0 . .", "a NaN wins, the first of several, and has the gradient", "to a NaN"),
    ("max_pool2d", 0, "d0"): (". 1 1 0 . . . . . . . 0 . . . . . . . .", "a NaN wins, the first of several, and has the gradient", "to a NaN"),
    ("cross_entropy_dense", 1, "y"): (". . 0 . . .", "0 log 0 = 0", "NaN"),
}


# ---- inputs ----

def parse(text):
    """"i32[2,3] 1 nan -inf ...", as tests/test_edges.c takes it: the dtype (f64), the shape (a vector's) and the first values; the others are 0."""
    kind, dtype = next(((k, d) for k, d in (("i32", np.int32), ("u8", np.uint8)) if text.startswith(k)), ("", np.float64))
    head, _, rest = text[len(kind):].partition("]") if "[" in text else ("", "", text[len(kind):])
    values = np.array(rest.split(), np.float64).astype(dtype)
    shape = [int(n) for n in head[1:].split(",")] if head else [len(values)]
    return np.concatenate([values, np.zeros(int(np.prod(shape)) - len(values), dtype)]).reshape(shape)


def is_float(array):
    return np.issubdtype(array.dtype, np.floating)


# ---- functions that JAX and NumPy do not have by themselves ----

def cross_entropy(logits, labels):
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[:, None], 1)[:, 0]


def cross_entropy_dense(logits, labels):
    return -jnp.sum(labels * jax.nn.log_softmax(logits), 1)


def convolve(x, kernel):
    return lax.conv_general_dilated(x, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))


def convolve_back_to_input(width):
    return lambda g, kernel: jax.vjp(lambda x: convolve(x, kernel), jnp.zeros((1, 1, width, 1)))[1](g)[0]


def convolve_back_to_kernel(width):
    return lambda x, g: jax.vjp(lambda kernel: convolve(x, kernel), jnp.zeros((1, width, 1, 1)))[1](g)[0]


def pool(height, width):
    """lax.reduce_window's maximum."""
    return lambda x: lax.reduce_window(x, -jnp.inf, lax.max, (1, height, width, 1), (1, height, width, 1), "VALID")


def windows(x, height, width):
    n, h, w, c = x.shape
    x = x.reshape(n, h // height, height, w // width, width, c)
    return x.transpose(0, 1, 3, 5, 2, 4).reshape(n, h // height, w // width, c, height * width)


def average(width):
    return lambda x: windows(x, 1, width).mean(-1)


def unpool(y, argmax, width):
    """Rows of windows of `width`."""
    return jnp.where(jnp.arange(width) == argmax[..., None], y[..., None], 0).swapaxes(3, 4).reshape(1, 1, -1, 1)


def adaptive_step(epsilon):
    return lambda w, m, rate, v: w - m * rate / (jnp.sqrt(v) + epsilon)


def gather_windows(x, argmax):
    return jnp.take_along_axis(windows(x, 1, 2), argmax[..., None].astype(jnp.int32), -1)[..., 0]


# ---- the points: a heading, or op, inputs, JAX's function and NumPy's, the attributes in C ----

PAIRS = ["nan 1 nan inf 0 -inf", "nan nan 1 inf -0 inf"]
ORDERED = ["nan 1 nan inf 0 -inf -0", "nan nan 1 inf -0 inf 0"]
LINE = "nan inf -inf 0 -0"
ROOTS = LINE + " -1"
FAR = "1000 -1000"
LOGITS = "[5,2] nan 0 inf 0 -inf 0 -inf -inf 3 3"
FAR_LOGITS = "[3,2] 1000 -1000 1000 -1000 1000 1000"
POOLED_IMAGE = "[1,2,4,1] inf 0 0 -0 nan 1 -1 0"
POOLED = "tg_conv2d_pool2d_attributes, {PLAIN}, {{2, 2}, {2, 2}}, 0"

POINTS = [
    "arithmetic",
    ("add", ["nan 1 inf inf 0 -0", "1 nan -inf 1 0 -0"], jnp.add, np.add),
    ("sub", ["nan 1 inf inf 0 -0", "1 nan inf 1 0 0"], jnp.subtract, np.subtract),
    ("mul", ["nan 0 0 inf 0 -2", "0 nan inf -inf -1 0"], jnp.multiply, np.multiply),
    ("div", ["nan 1 1 -1 0 inf 2 2", "1 nan 0 0 0 inf inf -0"], jnp.divide, np.divide),
    ("pow", ["nan nan 0 0 0 inf inf -2 -2 1", "1 0 0 2 -1 0 -1 3 0.5 nan"], lax.pow, np.power),
    ("pow", ["0.5 2 inf 0.5 2 0 -0 -0", "inf -inf -2 -inf inf 0.5 -1 -2"], lax.pow, np.power),
    ("maximum", ["nan 1 nan 2 inf -0 0", "1 nan nan 2 inf 0 -inf"], jnp.maximum, np.maximum),
    ("minimum", ["nan 1 nan 2 -inf -0 0", "1 nan nan 2 -inf 0 inf"], jnp.minimum, np.minimum),
    ("equal", PAIRS, jnp.equal, np.equal),
    ("not_equal", PAIRS, jnp.not_equal, np.not_equal),
    ("less", ORDERED, jnp.less, np.less),
    ("less_equal", ORDERED, jnp.less_equal, np.less_equal),
    ("greater", ["nan 1 nan inf 0 inf -0", "nan nan 1 inf -0 -inf 0"], jnp.greater, np.greater),
    ("greater_equal", ["nan 1 nan inf 0 inf -0", "nan nan 1 inf -0 -inf 0"], jnp.greater_equal, np.greater_equal),
    ("where", ["u8 1 0 1 0 255", "nan nan inf inf 0", "1 1 nan nan inf"], lambda c, a, b: jnp.where(c != 0, a, b),
     lambda c, a, b: np.where(c != 0, a, b)),
    ("neg", [LINE], jnp.negative, np.negative),
    ("abs", [LINE], jnp.abs, np.abs),
    ("sign", [LINE], jnp.sign, np.sign),
    ("exp", [LINE], jnp.exp, np.exp),
    ("log", [ROOTS], jnp.log, np.log),
    ("sqrt", [ROOTS], jnp.sqrt, np.sqrt),
    ("square", [LINE], jnp.square, np.square),
    ("sin", [LINE], jnp.sin, np.sin),
    ("cos", [LINE], jnp.cos, np.cos),
    ("tanh", [LINE], jnp.tanh, np.tanh),
    ("reciprocal", [LINE], jnp.reciprocal, np.reciprocal),
    ("rsqrt", [ROOTS], lax.rsqrt, lambda x: 1 / np.sqrt(x)),
    ("erf", [LINE], lax.erf, scipy.special.erf),
    ("sigmoid", [LINE], jax.nn.sigmoid, scipy.special.expit),
    ("relu", [LINE], jax.nn.relu, lambda x: np.maximum(x, 0)),
    ("gelu", [LINE], lambda x: jax.nn.gelu(x, approximate=False), lambda x: x * scipy.special.ndtr(x)),
    ("silu", [LINE], jax.nn.silu, lambda x: x * scipy.special.expit(x)),
    ("softplus", [LINE], jax.nn.softplus, lambda x: np.logaddexp(x, 0)),
    ("leaky_relu", [LINE], lambda x: jax.nn.leaky_relu(x, 0.25), lambda x: np.where(x > 0, x, 0.25 * x),
     "tg_leaky_relu_attributes, 0.25"),
    ("leaky_relu", ["nan inf -inf 0 -1"], lambda x: jax.nn.leaky_relu(x, 0.0), lambda x: np.where(x > 0, x, 0 * x),
     "tg_leaky_relu_attributes, 0"),
    ("elu", [LINE], lambda x: jax.nn.elu(x, 0.5), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x)), "tg_elu_attributes, 0.5"),
    ("elu", ["nan inf -inf 0 -1"], lambda x: jax.nn.elu(x, 0.0), lambda x: np.where(x > 0, x, 0 * np.expm1(x)),
     "tg_elu_attributes, 0"),
    ("exp", [FAR], jnp.exp, np.exp),
    ("tanh", [FAR], jnp.tanh, np.tanh),
    ("erf", [FAR], lax.erf, scipy.special.erf),
    ("sigmoid", [FAR], jax.nn.sigmoid, scipy.special.expit),
    ("gelu", [FAR], lambda x: jax.nn.gelu(x, approximate=False), lambda x: x * scipy.special.ndtr(x)),
    ("silu", [FAR], jax.nn.silu, lambda x: x * scipy.special.expit(x)),
    ("softplus", [FAR], jax.nn.softplus, lambda x: np.logaddexp(x, 0)),
    ("elu", [FAR], lambda x: jax.nn.elu(x, 0.5), lambda x: np.where(x > 0, x, 0.5 * np.expm1(x)), "tg_elu_attributes, 0.5"),
    ("lerp", ["nan 1 1 1 inf 2", "1 nan 2 2 3 2", "0 0 nan inf 0 inf"], lambda a, b, t: a + (b - a) * t, lambda a, b, t: a + (b - a) * t),
    ("adaptive_step", ["nan 1 1 1 1 1", "0 nan 1 1 0 inf", "1 1 1 1 1 1", "0 0 nan inf 0 0"], adaptive_step(0.5),
     lambda w, m, rate, v: w - m * rate / (np.sqrt(v) + 0.5), "tg_adaptive_step_attributes, 0.5"),
    ("adaptive_step", ["1 1", "0 1", "1 1", "0 0"], adaptive_step(0), lambda w, m, rate, v: w - m * rate / np.sqrt(v),
     "tg_adaptive_step_attributes, 0"),
    ("cast", ["nan inf -inf 0 -1.5"], lambda x: x.astype(jnp.int32), None, "tg_cast_attributes, TG_I32"),
    ("cast", ["nan inf -inf 0 300"], lambda x: x.astype(jnp.uint8), None, "tg_cast_attributes, TG_U8"),
    ("cast", [LINE], lambda x: x.astype(jnp.float64), np.float64, "tg_cast_attributes, TG_F64"),
    ("stop_gradient", ["nan inf -inf 0"], lax.stop_gradient, np.copy),
    "along axes",
    ("sum", ["[3,2] nan 1 inf -inf 0 -0"], lambda x: x.sum(1), lambda x: x.sum(1), "tg_reduce_attributes, 2, 0"),
    ("sum", ["[0,2]"], lambda x: x.sum(0), lambda x: x.sum(0), "tg_reduce_attributes, 1, 0"),
    ("mean", ["[3,2] nan 1 inf -inf 0 -0"], lambda x: x.mean(1), lambda x: x.mean(1), "tg_reduce_attributes, 2, 0"),
    ("mean", ["[0,2]"], lambda x: x.mean(0), lambda x: x.sum(0) / 0, "tg_reduce_attributes, 1, 0"),
    ("reduce_max", ["[5,3] nan 1 2 1 nan 2 3 3 1 -inf -inf -inf inf 0 -0"], lambda x: x.max(1), lambda x: x.max(1),
     "tg_reduce_attributes, 2, 0"),
    ("reduce_min", ["[5,3] nan 1 2 1 nan 2 3 3 1 inf inf inf -inf 0 -0"], lambda x: x.min(1), lambda x: x.min(1),
     "tg_reduce_attributes, 2, 0"),
    ("argmax", ["[5,3] 1 nan nan 3 3 1 -inf -inf -inf -0 0 -1 0 inf inf"], lambda x: jnp.argmax(x, 1), lambda x: np.argmax(x, 1),
     "tg_axis_attributes, 1"),
    ("argmin", ["[5,3] 1 nan nan 1 1 3 inf inf inf 0 -0 1 0 -inf -inf"], lambda x: jnp.argmin(x, 1), lambda x: np.argmin(x, 1),
     "tg_axis_attributes, 1"),
    ("softmax", [LOGITS], jax.nn.softmax, lambda x: scipy.special.softmax(x, 1)),
    ("log_softmax", [LOGITS], jax.nn.log_softmax, lambda x: np.log(scipy.special.softmax(x, 1))),
    ("logsumexp", [LOGITS], lambda x: jax.scipy.special.logsumexp(x, 1), lambda x: scipy.special.logsumexp(x, 1)),
    ("softmax", [FAR_LOGITS], jax.nn.softmax, lambda x: scipy.special.softmax(x, 1)),
    ("log_softmax", [FAR_LOGITS], jax.nn.log_softmax, lambda x: scipy.special.log_softmax(x, 1)),
    ("logsumexp", [FAR_LOGITS], lambda x: jax.scipy.special.logsumexp(x, 1), lambda x: scipy.special.logsumexp(x, 1)),
    ("cross_entropy", [FAR_LOGITS, "i32 0 1 0"], cross_entropy,
     lambda x, labels: -np.take_along_axis(scipy.special.log_softmax(x, 1), labels[:, None], 1)[:, 0]),
    ("cross_entropy_dense", [FAR_LOGITS, "[3,2] 1 0 0.5 0.5 0 1"], cross_entropy_dense,
     lambda x, labels: -(labels * scipy.special.log_softmax(x, 1)).sum(1)),
    ("cross_entropy", ["[6,2] nan 0 nan 0 inf 0 -inf 0 -inf 0 3 3", "i32 0 1 0 0 1 0"], cross_entropy,
     lambda x, labels: -np.take_along_axis(np.log(scipy.special.softmax(x, 1)), labels[:, None], 1)[:, 0]),
    ("cross_entropy_dense", ["[6,2] nan 0 inf 0 -inf 0 -inf 0 3 3 0 0", "[6,2] 0 0 1 0 0 1 0.5 0.5 0.5 0.5 nan 0"], cross_entropy_dense,
     lambda x, labels: -scipy.special.xlogy(labels, scipy.special.softmax(x, 1)).sum(1)),
    "layout",
    ("reshape", ["[2,2] nan inf -inf 0"], jnp.ravel, np.ravel, "tg_shape_attributes, 1, {4}"),
    ("broadcast_to", ["[4,1] nan inf -inf 0"], lambda x: jnp.broadcast_to(x, (4, 2)), lambda x: np.broadcast_to(x, (4, 2)),
     "tg_shape_attributes, 2, {4, 2}"),
    ("transpose", ["[2,2] nan inf -inf 0"], jnp.transpose, np.transpose, "tg_transpose_attributes, 2, {1, 0}"),
    ("flip", ["nan inf -inf 0"], jnp.flip, np.flip, "tg_flip_attributes, 1"),
    ("slice", ["nan inf -inf 0"], lambda x: x[::3], lambda x: x[::3], "tg_slice_attributes, 0, 0, 2, 3"),
    ("pad", ["nan inf -inf 0"], lambda x: jnp.pad(x, (1, 0), constant_values=7), lambda x: np.pad(x, (1, 0), constant_values=7),
     "tg_pad_attributes, 0, 1, 0, 0, 7"),
    ("concat", ["nan inf", "-inf 0"], lambda *parts: jnp.concatenate(parts), lambda *parts: np.concatenate(parts), "tg_axis_attributes, 0"),
    ("gather", ["nan inf -inf 0", "i32 3 0 0 1"], lambda x, i: x[i], lambda x, i: x[i]),
    ("scatter_add", ["nan inf -inf 0 1", "i32 0 1 1 2 2"], lambda x, i: jnp.zeros(4).at[i].add(x),
     lambda x, i: np.bincount(i, x, 4), "tg_scatter_add_attributes, 4"),
    ("one_hot", ["i32 2 0"], lambda i: jax.nn.one_hot(i, 3), lambda i: np.eye(3)[i], "tg_one_hot_attributes, 3, TG_F32"),
    "products",
    ("matmul", ["[2,2] 0 1 inf -inf", "[2,3] nan inf 0 0 0 1"], jnp.matmul, np.matmul, "tg_matmul_attributes, 0, 0"),
    ("lookup_matmul", ["[256] 0 nan inf", "u8[3,2] 0 0 1 0 2 0", "[2,3] nan inf 0 0 0 1"], lambda table, x, b: table[x] @ b,
     lambda table, x, b: table[x] @ b, "tg_lookup_attributes, 0"),
    ("conv2d", ["[1,1,4,1] nan inf -inf 0", "[1,2,1,1] 0 1"], convolve, None, "tg_conv2d_attributes, PLAIN"),
    ("conv2d_input_gradient", ["[1,1,4,1] nan inf -inf 0", "[1,1,1,1] 0"], convolve_back_to_input(4), None,
     "tg_conv2d_gradient_attributes, {PLAIN}, {1, 4}"),
    ("conv2d_kernel_gradient", ["[1,1,4,1] 0 nan inf 1", "[1,1,3,1] 1 0 0"], convolve_back_to_kernel(2), None,
     "tg_conv2d_gradient_attributes, {PLAIN}, {1, 2}"),
    ("conv2d_max_pool2d", [POOLED_IMAGE, "[1,1,1,1] 1"], lambda x, kernel: pool(2, 2)(convolve(x, kernel)), None, POOLED),
    ("conv2d_max_pool2d_argmax", [POOLED_IMAGE, "[1,1,1,1] 1"], lambda x, kernel: jnp.argmax(windows(convolve(x, kernel), 2, 2), -1), None,
     POOLED),
    ("conv2d_input_gradient_unpooled", ["[1,1,2,1] nan inf", "u8[1,1,2,1] 0 1", "[1,1,1,1] 0"],
     lambda y, argmax, kernel: convolve_back_to_input(4)(unpool(y, argmax, 2), kernel), None,
     "tg_conv2d_unpooled_attributes, {{PLAIN}, {1, 4}}, {{{1, 2}, {1, 2}}, {1, 4}}"),
    ("conv2d_kernel_gradient_unpooled", ["[1,1,4,1] 0 nan nan inf", "[1,1,2,1] 0 0", "u8[1,1,2,1] 0 1"],
     lambda x, y, argmax: convolve_back_to_kernel(1)(x, unpool(y, argmax, 2)), None,
     "tg_conv2d_unpooled_attributes, {{PLAIN}, {1, 1}}, {{{1, 2}, {1, 2}}, {1, 4}}"),
    "pooling",
    ("max_pool2d", ["[1,2,10,1] 1 nan nan 3 -inf -inf 0 -0 2 2 1 nan 1 1 -inf -inf 0 -0 inf 2"], pool(2, 2),
     lambda x: windows(x, 2, 2).max(-1), "tg_pool2d_attributes, {2, 2}, {2, 2}"),
    ("max_pool2d_argmax", ["[1,2,10,1] 1 nan nan 3 -inf -inf -0 0 2 2 1 nan 1 1 -inf -inf 0 -0 inf 2"],
     lambda x: jnp.argmax(windows(x, 2, 2), -1), lambda x: np.argmax(windows(x, 2, 2), -1), "tg_pool2d_attributes, {2, 2}, {2, 2}"),
    ("pool_gather2d", ["[1,1,4,1] nan inf -inf 0", "u8[1,1,2,1] 0 1"], gather_windows, None, "tg_pool2d_attributes, {1, 2}, {1, 2}"),
    ("avg_pool2d", ["[1,1,8,1] nan 1 inf -inf inf 1 0 -0"], average(2), average(2), "tg_pool2d_attributes, {1, 2}, {1, 2}"),
    ("unpool2d", ["[1,1,3,1] nan inf 0", "u8[1,1,3,1] 0 1 0"], lambda y, argmax: unpool(y, argmax, 2), None,
     "tg_unpool2d_attributes, {{1, 2}, {1, 2}}, {1, 6}"),
    ("avg_unpool2d", ["[1,1,3,1] nan inf 0"], lambda y: jax.vjp(average(2), jnp.zeros((1, 1, 6, 1)))[1](y)[0],
     lambda y: np.repeat(y, 2, 2) / 2, "tg_unpool2d_attributes, {{1, 2}, {1, 2}}, {1, 6}"),
    "draws, of which only that they are finite is tried, and effects",
    ("random_uniform", [], None, None, "tg_random_attributes, 1, 0, 1, TG_F32, {1, {8}}"),
    ("random_normal", [], None, None, "tg_random_attributes, 1, 0, 1, TG_F32, {1, {8}}"),
    ("assign", ["1 2", "0 -0"], lambda variable, value: value, lambda variable, value: value),
]

# ops without a gradient in one input, or in any
NO_GRADIENT = {"assign": (0,), "stop_gradient": (0,)}


# ---- what they give ----

def same(a, b):
    return np.array_equal(a, b, equal_nan=True) or np.allclose(a, b, rtol=1e-12, atol=0, equal_nan=True)


def number(x):
    return "nan" if x != x else f"{x:d}" if isinstance(x, np.integer) else f"{float(x):.9g}"


def text(values):
    """A long array without the zeros at its end."""
    values = np.asarray(values).ravel()
    last = np.flatnonzero(values != 0)[-1] + 1 if len(values) > 20 else len(values)
    return " ".join(map(number, values[:last]))


def chosen(key, values, notes):
    """JAX's values with those of DIFFERENCES in their places, and a note for the line."""
    if key not in DIFFERENCES:
        return values
    ours, why, pytorch = DIFFERENCES[key]
    ours = ours.split()
    flat = np.array(values, np.float64).ravel()
    assert len(ours) == len(flat), key
    for i, word in enumerate(ours):
        if word != ".":
            assert not same(flat[i], float(word)), (key, i, "is no difference")
            flat[i] = float(word)
    notes.append(f"{key[2]} is not JAX's {text(values)}: {why}. PyTorch: {pytorch}.")
    return flat.reshape(np.shape(values))


def derive(op, inputs, function):
    """The result, and the gradient of its sum in each input: None, if it has none."""
    wanted = [i for i, x in enumerate(inputs) if is_float(x) and i not in NO_GRADIENT.get(op, ())]

    def of_wanted(*values):
        full = list(inputs)
        for i, x in zip(wanted, values):
            full[i] = x
        return function(*map(jnp.asarray, full))
    y, pull = jax.vjp(of_wanted, *(jnp.asarray(inputs[i]) for i in wanted))
    gradients = [None] * len(inputs)
    if is_float(y):
        for i, d in zip(wanted, pull(jnp.ones_like(y))):
            gradients[i] = d
    return y, gradients


def c_list(texts):
    return "{" + ", ".join("NULL" if t is None else f'"{t}"' for t in texts) + "}"


def line(nth, op, texts, function, plain, attributes=None):
    fields, notes = ["&tg_op_" + op, c_list(texts) if texts else "{0}", f"WITH({attributes})" if attributes else "NONE"], []
    if function is None:
        return f"    {{{', '.join(fields)}, NULL}},"
    inputs = [parse(t) for t in texts]
    y, gradients = derive(op, inputs, function)
    y = chosen((op, nth, "y"), y, notes)
    assert plain is None or same(y, plain(*inputs)), (op, nth, y, plain(*inputs))
    fields.append(f'"{text(y)}"')
    gradients = [d if d is None else chosen((op, nth, f"d{i}"), d, notes) for i, d in enumerate(gradients)]
    while gradients and gradients[-1] is None:
        gradients.pop()
    if gradients:
        fields.append(c_list([None if d is None else text(d) for d in gradients]))
    return "".join(f"    /* {note} */\n" for note in notes) + f"    {{{', '.join(fields)}}},"


def main():
    count = {}
    print(f"/* Written by edges.py with JAX {jax.__version__}, NumPy {np.__version__} and SciPy {scipy.__version__}. */")
    print("/* clang-format off */")
    for point in POINTS:
        if isinstance(point, str):
            print(f"    /* {point} */")
            continue
        nth = count[point[0]] = count.get(point[0], -1) + 1
        print(line(nth, *point))
    missing = [key for key in DIFFERENCES if key[1] > count.get(key[0], -1)]
    print("/* clang-format on */")
    sys.exit(f"DIFFERENCES without a point: {missing}" if missing else 0)


with np.errstate(all="ignore"):
    main()
