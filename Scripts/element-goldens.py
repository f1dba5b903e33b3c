#!/usr/bin/env python3
"""Writes Tests/ElementMathTests/Generated/LibdeviceGoldens.swift from mpmath (needs mpmath, numpy).

One line per libdevice function of real arguments: its name, then "argument,argument>value" in fp64's shortest
decimals. Arguments are fp32 values; values are mpmath's, rounded to fp64. Usage: element-goldens.py [SEED]
"""
import pathlib
import random
import sys

import mpmath
import numpy
from mpmath import mp, mpf

mp.prec = 160
random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 3)
f32 = lambda x: float(numpy.float32(x))


def uniform(low, high):
    return lambda: f32(random.uniform(low, high))


def logarithmic(low, high, signed=False):
    def draw():
        value = f32(2.0 ** random.uniform(low, high))
        return -value if signed and random.random() < 0.5 else value

    return draw


def mixed(*draws):
    return lambda: random.choice(draws)()


def norm(*x):
    return mpmath.sqrt(sum(v * v for v in x))


def inverse_erfc(x):
    return mpmath.erfinv(1 - x)


wide = logarithmic(-40, 40, True)
small = logarithmic(-30, 0, True)
FUNCTIONS = {
    "tan": (mpmath.tan, [mixed(uniform(-100, 100), wide)]),
    "asin": (mpmath.asin, [uniform(-1, 1)]),
    "acos": (mpmath.acos, [uniform(-1, 1)]),
    "atan": (mpmath.atan, [wide]),
    "sinh": (mpmath.sinh, [mixed(uniform(-88, 88), small)]),
    "cosh": (mpmath.cosh, [uniform(-88, 88)]),
    "tanh": (mpmath.tanh, [mixed(uniform(-9, 9), small)]),
    "asinh": (mpmath.asinh, [wide]),
    "acosh": (mpmath.acosh, [mixed(uniform(1, 3), logarithmic(1, 100))]),
    "atanh": (mpmath.atanh, [mixed(uniform(-1, 1), small)]),
    "exp": (mpmath.exp, [uniform(-100, 88)]),
    "exp2": (lambda x: mpf(2) ** x, [uniform(-148, 127)]),
    "exp10": (lambda x: mpf(10) ** x, [uniform(-44, 38)]),
    "expm1": (mpmath.expm1, [mixed(uniform(-20, 88), small)]),
    "log": (mpmath.log, [mixed(logarithmic(-149, 127), uniform(0.9, 1.1))]),
    "log2": (lambda x: mpmath.log(x, 2), [mixed(logarithmic(-149, 127), uniform(0.9, 1.1))]),
    "log10": (mpmath.log10, [mixed(logarithmic(-149, 127), uniform(0.9, 1.1))]),
    "log1p": (mpmath.log1p, [mixed(uniform(-0.99, 3), logarithmic(-40, 100))]),
    "sin": (mpmath.sin, [mixed(uniform(-100, 100), logarithmic(-40, 120, True))]),
    "cos": (mpmath.cos, [mixed(uniform(-100, 100), logarithmic(-40, 120, True))]),
    "sinpi": (mpmath.sinpi, [mixed(uniform(-100, 100), small)]),
    "cospi": (mpmath.cospi, [mixed(uniform(-100, 100), small)]),
    "cbrt": (lambda x: mpmath.sign(x) * mpmath.cbrt(abs(x)), [wide]),
    "rcbrt": (lambda x: mpmath.sign(x) / mpmath.cbrt(abs(x)), [wide]),
    "rsqrt": (lambda x: 1 / mpmath.sqrt(x), [logarithmic(-149, 127)]),
    "erf": (mpmath.erf, [mixed(uniform(-4, 4), small)]),
    "erfc": (mpmath.erfc, [uniform(-4, 9)]),
    "erfinv": (mpmath.erfinv, [mixed(uniform(-1, 1), small)]),
    "erfcinv": (inverse_erfc, [mixed(uniform(0, 2), logarithmic(-120, -1))]),
    "erfcx": (lambda x: mpmath.exp(x * x) * mpmath.erfc(x), [mixed(uniform(-9, 30), logarithmic(5, 60))]),
    "normcdf": (mpmath.ncdf, [uniform(-13, 6)]),
    "normcdfinv": (lambda x: -mpmath.sqrt(2) * inverse_erfc(2 * x), [mixed(uniform(0, 1), logarithmic(-120, -1))]),
    "lgamma": (lambda x: mpmath.log(abs(mpmath.gamma(x))), [mixed(uniform(0.01, 30), uniform(-5, 0), logarithmic(4, 90))]),
    "tgamma": (mpmath.gamma, [mixed(uniform(0.01, 34), uniform(-5, 0))]),
    "j0": (lambda x: mpmath.besselj(0, x), [uniform(-50, 50)]),
    "j1": (lambda x: mpmath.besselj(1, x), [uniform(-50, 50)]),
    "y0": (lambda x: mpmath.bessely(0, x), [uniform(0.01, 50)]),
    "y1": (lambda x: mpmath.bessely(1, x), [uniform(0.01, 50)]),
    "cyl_bessel_i0": (lambda x: mpmath.besseli(0, x), [uniform(-85, 85)]),
    "cyl_bessel_i1": (lambda x: mpmath.besseli(1, x), [mixed(uniform(-85, 85), small)]),
    "atan2": (mpmath.atan2, [wide, wide]),
    "pow": (mpmath.power, [logarithmic(-8, 8), uniform(-10, 10)]),
    "hypot": (norm, [wide, wide]),
    "rhypot": (lambda *x: 1 / norm(*x), [wide, wide]),
    "norm3d": (norm, [wide] * 3),
    "rnorm3d": (lambda *x: 1 / norm(*x), [wide] * 3),
    "norm4d": (norm, [wide] * 4),
    "rnorm4d": (lambda *x: 1 / norm(*x), [wide] * 4),
}

SAMPLES = 24
out = [
    "// Written by Scripts/element-goldens.py from mpmath; do not edit.",
    "// One function per line: its name, then per sample \"argument,argument>value\".",
    "enum LibdeviceGoldens {",
    '  static let text = """',
]
for name, (function, draws) in FUNCTIONS.items():
    samples = []
    for _ in range(SAMPLES):
        arguments = [draw() for draw in draws]
        value = float(function(*[mpf(a) for a in arguments]))
        samples.append(",".join(map(repr, arguments)) + ">" + repr(value))
    out.append(f"    {name} " + " ".join(samples))
out += ['    """', "}", ""]
target = pathlib.Path(__file__).resolve().parent.parent / "Tests/ElementMathTests/Generated/LibdeviceGoldens.swift"
target.parent.mkdir(exist_ok=True)
target.write_text("\n".join(out))
