"""Writes pointwise.inc: f32 operands and the exact results of the pointwise ops, rounded to f64. Run with mpmath 1.2 or later and
NumPy: python3 pointwise.py > pointwise.inc"""
import mpmath as mp
import numpy as np

mp.mp.prec = 400
rng = np.random.default_rng(11)
SLOPE, ALPHA = 0.25, 0.75
TINY, LEAST, MOST = 2.0**-149, 2.0**-126, float(np.finfo(np.float32).max)
half_pi = mp.pi / 2


def f32(values):
    return [float(v) for v in np.asarray(values, dtype=np.float64).astype(np.float32)]


special = f32([0.0, -0.0, 1, -1, 0.5, -0.5, 2, -3, TINY, -TINY, LEAST, -LEAST, 1e-30, -1e-30, 1e30, -1e30, MOST, -MOST,
               np.inf, -np.inf, np.nan])


def spread(count, low, high):
    """Both signs, magnitudes log-uniform in 2^[low, high)."""
    return f32(2.0 ** rng.uniform(low, high, count) * rng.choice([-1, 1], count))


def within(count, low, high):
    return f32(rng.uniform(low, high, count))


def near_quarters(count):
    """The floats next to multiples of pi / 2, where sin and cos lose most in a careless reduction."""
    return f32([float(half_pi * int(k)) for k in 2 ** rng.uniform(0, 24, count)])


def log(x):
    return -mp.inf if x == 0 else mp.nan if x < 0 else mp.log(x)


# op: (function of an mpf that may be infinite, operands besides the special ones)
unary = {
    "neg": (lambda x: -x, spread(20, -30, 30)),
    "abs": (abs, spread(20, -30, 30)),
    "sign": (mp.sign, spread(20, -30, 30)),
    "square": (lambda x: x * x, spread(40, -62, 63)),
    "reciprocal": (lambda x: 1 / x, spread(40, -125, 125)),
    "sqrt": (lambda x: mp.sqrt(x) if x >= 0 else mp.nan, spread(80, -125, 127)),
    "exp": (mp.exp, within(120, -104, 90) + spread(60, -30, 4)),
    "log": (log, [abs(x) for x in spread(100, -126, 128)] + within(60, 0.5, 2) + f32(1 + np.array(spread(40, -24, -3)))),
    "sin": (lambda x: mp.sin(x) if abs(x) < mp.inf else mp.nan,
            within(80, -10, 10) + spread(40, -20, 13) + spread(60, 13, 127) + near_quarters(60)),
    "cos": (lambda x: mp.cos(x) if abs(x) < mp.inf else mp.nan,
            within(80, -10, 10) + spread(40, -20, 13) + spread(60, 13, 127) + near_quarters(60)),
    "tanh": (mp.tanh, within(80, -10, 10) + spread(60, -30, 1) + within(30, 0.6, 0.65)),
    "erf": (mp.erf, within(80, -4.5, 4.5) + spread(60, -30, 1) + within(30, 0.95, 1.05)),
    "sigmoid": (lambda x: 1 / (1 + mp.exp(-x)), within(120, -87, 20) + spread(60, -30, 4)),
    "relu": (lambda x: max(x, mp.mpf(0)), spread(20, -30, 30)),
    "gelu": (lambda x: mp.inf if x == mp.inf else mp.nan if x == -mp.inf else x * mp.erfc(-x / mp.sqrt(2)) / 2,
             within(120, -13, 6) + spread(60, -30, 2)),
    "silu": (lambda x: mp.nan if x == -mp.inf else x / (1 + mp.exp(-x)), within(120, -91, 30) + spread(60, -30, 3)),
    "softplus": (lambda x: x if x == mp.inf else mp.log1p(mp.exp(x)), within(120, -87, 30) + spread(60, -30, 3)),
    "leaky_relu": (lambda x: x if x > 0 else SLOPE * x, spread(20, -30, 30)),
    "elu": (lambda x: x if x > 0 else ALPHA * mp.expm1(x), within(60, -30, 5) + spread(60, -30, 2)),
}


def maximum(a, b):
    return a if a > b else b


few = f32([0.0, -0.0, 1, -2, LEAST, 1e30, -MOST, np.inf, -np.inf, np.nan])
pairs = [(a, b) for a in few for b in few]
some = list(zip(spread(30, -30, 30), spread(30, -30, 30)))
near = list(zip(within(20, 1, 2), within(20, -2, -1)))
powers = (
    [(a, b) for a in special for b in f32([0.0, 1, -1, 2, -3, 0.5, -1.5, 1e30, -1e30, np.inf, -np.inf, np.nan])]
    + list(zip([abs(x) for x in spread(80, -20, 20)], within(80, -6, 6)))
    + list(zip(f32(1 + np.array(spread(40, -23, -4))), spread(40, 0, 24)))
    + [(-abs(a), float(b)) for a, b in zip(spread(40, -6, 6), rng.integers(-15, 16, 40))]
    + list(zip([abs(x) for x in spread(30, -126, 127)], spread(30, -6, 2)))
)
# op: (NumPy's function for what is special, function of mpf, operands besides the special pairs)
binary = {
    "add": (np.add, lambda a, b: a + b, some + near),
    "sub": (np.subtract, lambda a, b: a - b, some + near),
    "mul": (np.multiply, lambda a, b: a * b, some),
    "div": (np.divide, lambda a, b: a / b, some),
    "pow": (np.power, lambda a, b: a**b, powers),
    "maximum": (np.maximum, maximum, some),
    "minimum": (np.minimum, lambda a, b: -maximum(-a, -b), some),
}


def text(x):
    if x != x or np.isinf(x):
        return "NAN" if x != x else "-INFINITY" if x < 0 else "INFINITY"
    digits, exponent = float.hex(x).split("p")
    return digits.rstrip("0").rstrip(".") + "p" + exponent.lstrip("+") if x else digits[:digits.index("x")] + "x0p0"


def rounded(x):
    return float("nan") if mp.isnan(x) else float(x)


def table(name, rows):
    print(f"static const reference_row {name}_rows[] = {{")
    for row in rows:
        print("    {" + ", ".join(text(float(v)) for v in row) + "},")
    print("};")


def exact_unary(name, function, x):
    if x != x:
        return x
    return np.copysign(np.inf, x) if name == "reciprocal" and x == 0 else rounded(function(mp.mpf(x)))


def exact_binary(plain, function, a, b):
    plain_value = plain(np.array([a]), np.array([b]))[0]  # arrays: power() takes a scalar 0.5 for a sqrt()
    finite = np.isfinite(a) and np.isfinite(b) and np.isfinite(plain_value) and a != 0 and b != 0
    return rounded(function(mp.mpf(a), mp.mpf(b))) if finite else plain_value


print("/* Written by pointwise.py: {exact result, operands}. */")
for name, (function, operands) in unary.items():
    table(name, [(exact_unary(name, function, x), x) for x in special + operands])
with np.errstate(all="ignore"):
    for name, (plain, function, operands) in binary.items():
        table(name, [(exact_binary(plain, function, a, b), a, b) for a, b in pairs + operands])
print("static const reference_table tables[] = {")
for name in [*unary, *binary]:
    print(f"    {{&tg_op_{name}, {name}_rows, sizeof {name}_rows / sizeof *{name}_rows}},")
print("};")
