"""Prints the polynomials of ops/kernels/vector_math.h, lanes_math.c and lanes_trig.c: least maximal relative error of the function,
coefficients rounded to floats one after the other and the rest refitted each time. Run with mpmath and NumPy: python3 minimax.py"""
import mpmath as mp
import numpy as np

mp.mp.dps = 40
POINTS, ROUNDS = 400, 60


def least_maximum(matrix, values):
    """Coefficients by least squares, reweighted towards the largest errors (Lawson)."""
    scale = np.abs(matrix).max(axis=0)
    weights = np.ones(len(values))
    for _ in range(ROUNDS):
        root = np.sqrt(weights)
        weighted = (matrix * root[:, None] / scale).astype(float)
        solve = lambda rest: np.linalg.lstsq(weighted, (rest * root).astype(float), rcond=None)[0] / scale.astype(float)
        c = solve(values)
        c = c.astype(np.longdouble) + solve(values - matrix @ c)
        errors = np.abs(values - matrix @ c).astype(float)
        weights *= errors / errors.max() + 1e-3
        weights /= weights.mean()
    return c


def fit(name, degree, low, high, function, weight):
    low, high = mp.mpf(low), mp.mpf(high)
    t = [low + (high - low) * (1 - mp.cos(mp.pi * (i + mp.mpf(1) / 2) / POINTS)) / 2 for i in range(POINTS)]
    w = [weight(x) for x in t]
    rest = [function(x) for x in t]
    done = []
    for k in range(degree + 1):
        matrix = np.array([[float(x**j * v) for j in range(k, degree + 1)] for x, v in zip(t, w)], dtype=np.longdouble)
        values = np.array([np.longdouble(mp.nstr(r * v, 25)) for r, v in zip(rest, w)])
        done.append(np.float32(float(least_maximum(matrix, values)[0])))
        rest = [r - mp.mpf(float(done[k])) * x**k for r, x in zip(rest, t)]
    error = max(abs(r * v) for r, v in zip(rest, w))
    print(f"{name}, error 2^{float(mp.log(error, 2)):.1f}:")
    print("   ", ", ".join(np.format_float_scientific(c, unique=True) + "f" for c in done))


def of_square(function):
    return lambda z: function(mp.sqrt(z))


def tail(t):
    return mp.exp(t * t / 2) * mp.erfc(t / mp.sqrt(2)) / 2


def tail_times(v):
    t = 4 * (1 + v) / (1 - v)
    return tail(t) * (t + 4)


ln2_half, quarter = mp.log(2) / 2 * mp.mpf("1.001"), mp.pi / 4 * mp.mpf("1.02")
fit("exp(r) = 1 + r + r^2 p(r)", 4, -ln2_half, ln2_half, lambda r: (mp.expm1(r) - r) / r**2, lambda r: r**2 / mp.exp(r))
fit("log(1 + f) = f - f^2 / 2 + f^3 p(f)", 7, mp.sqrt(0.5) - 1, mp.sqrt(2) - 1, lambda f: (mp.log1p(f) - f + f**2 / 2) / f**3,
    lambda f: f**3 / mp.log1p(f))
fit("2 atanh(t / 2) = t + t^3 p(t^2)", 3, 1e-10, mp.mpf(4) / 9, of_square(lambda t: (2 * mp.atanh(t / 2) - t) / t**3),
    of_square(lambda t: t**3 / (2 * mp.atanh(t / 2))))
fit("Phi(-t) exp(t^2 / 2) (t + 4) = p((t - 4) / (t + 4))", 9, -1, mp.mpf(10.5) / 18.5, tail_times, lambda v: 1 / tail_times(v))
fit("tanh(x) = x + x^3 p(x^2)", 4, 1e-8, 0.625**2, of_square(lambda x: (mp.tanh(x) - x) / x**3), of_square(lambda x: x**3 / mp.tanh(x)))
fit("erf(x) = x p(x^2)", 6, 1e-10, 1, of_square(lambda x: mp.erf(x) / x), of_square(lambda x: x / mp.erf(x)))
fit("sin(r) = r + r^3 p(r^2)", 2, 1e-8, quarter**2, of_square(lambda r: (mp.sin(r) - r) / r**3), of_square(lambda r: r**3 / mp.sin(r)))
fit("cos(r) = 1 - r^2 / 2 + r^4 p(r^2)", 2, 1e-6, quarter**2, of_square(lambda r: (mp.cos(r) - 1 + r**2 / 2) / r**4),
    of_square(lambda r: r**4 / mp.cos(r)))
