"""Writes print_numpy.inc: arrays and what NumPy's str() makes of them. Run with NumPy 2.4: python3 print_numpy.py > print_numpy.inc"""
import json
import numpy as np

rng = np.random.default_rng(7)
nan, inf = np.nan, np.inf
floats = [
    0.0, -0.0, 5.0, 1 / 3, -1 / 3, 1e-5, 999999.0, 1e6, 1234567.0, 1e15, 1e16, nan, inf, -inf,
    [], [[], []], [1.0], [-1.5, 2, 0.25], [1 / 3, 100 / 3, 1], [0.00012345, 0.1], [1e-4, 0.1], [1e-9, 1.23456789012e-5],
    [1e6, 1], [999999, 1e5], [12345.678, 20000], [1e8, 3], [99999999, 3], [1e-100, 1e100], [1e-300, -2.5e7],
    [nan, 1, -inf], [nan, inf], [inf, 1.25], [nan, 1e-7, -1], [[1, -2.5], [3.125, 4e2]], [0, 0, 0],
    [[[1, 2], [3, 4]], [[5, 6], [7, 8.5]]], np.zeros((2, 1, 2, 2)).tolist(), [[0.1, 0.2, 0.3]], [9.999999999, 1], [0.99999999999],
    rng.standard_normal(40).tolist(), rng.standard_normal((3, 20)).tolist(), (rng.standard_normal((2, 2, 11)) * 1e-6).tolist(),
    np.round(rng.uniform(0, 10, 60), 1).tolist(), rng.uniform(-1e5, 1e5, 17).tolist(), rng.integers(0, 9, 75).tolist(),
]
integers = [7, [], [1, 2, 3], [[1, 200], [3, 4]], list(range(100, 140))]
ramps = [(np.float32, (1001,)), (np.float64, (40, 40)), (np.int32, (7, 13, 12)), (np.float32, (2000, 1)), (np.int32, (1000,)), (np.uint8, (300, 4))]
names = {np.float32: "TG_F32", np.float64: "TG_F64", np.int32: "TG_I32", np.uint8: "TG_U8"}


def literal(x):
    return "NAN" if x != x else ("-" if x < 0 else "") + "INFINITY" if np.isinf(x) else float(x).hex()


def case(array, values):
    dims = ", ".join(map(str, array.shape)) or "0"
    text = "\n        ".join(json.dumps(line) for line in str(array).splitlines(keepends=True))
    print(f"    {{{{{names[array.dtype.type]}, {{{array.ndim}, {{{dims}}}}}}},\n     {values},\n     {text}}},")


print("/* Written by print_numpy.py with NumPy", np.__version__ + ". */")
for kind, lists in (np.float32, floats), (np.float64, floats), (np.int32, integers + [[-1, -20], [[0, -5], [1234567, 8]]]), (np.uint8, integers[:4]):
    for values in lists:
        with np.errstate(over="ignore"):
            array = np.array(values, dtype=kind)
        flat = [literal(float(x)) for x in np.array(values, dtype=np.float64).ravel()]
        case(array, "(const double[]){" + ", ".join(flat or ["0"]) + "}")
for kind, shape in ramps:
    case(((np.arange(np.prod(shape)) % 256) / (4 if np.issubdtype(kind, np.floating) else 1)).astype(kind).reshape(shape), "NULL")
