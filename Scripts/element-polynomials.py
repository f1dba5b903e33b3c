#!/usr/bin/env python3
"""Derives the polynomials of Sources/ElementMath/Functions/Polynomials.swift (needs mpmath).

Each is the interpolant at Chebyshev nodes of f over an interval, which is close to minimax. Prints the
coefficients, lowest power first, and the largest relative error found on a fine grid.
"""
from mpmath import cos, erf, erfc, exp, log, mp, mpf, pi, sin, sqrt, lu_solve, matrix, taylor

mp.prec = 200


def fit(name, f, low, high, degree):
    low, high, n = mpf(low), mpf(high), degree + 1
    nodes = [(low + high) / 2 + (high - low) / 2 * cos(pi * (2 * i + 1) / (2 * n)) for i in range(n)]
    powers = matrix(n, n)
    for row, node in enumerate(nodes):
        for column in range(n):
            powers[row, column] = node**column
    coefficients = [mpf(float(c)) for c in lu_solve(powers, matrix([f(node) for node in nodes]))]
    grid = [low + (high - low) * i / 2000 for i in range(2001)]
    values = [(sum(c * x**k for k, c in enumerate(coefficients)), f(x)) for x in grid]
    worst = max(abs(p / y - 1) for p, y in values)
    print(f"// {name}: [{float(low):.4g}, {float(high):.4g}], error 2^{float(log(worst, 2)):.1f}")
    print("  [" + ", ".join(repr(float(c)) for c in coefficients) + "]")


def at_zero(f, limit):
    return lambda x: limit if abs(x) < mpf(2) ** -90 else f(x)


ln2 = log(2)
fit("(2^r - 1)/r", at_zero(lambda r: (exp(r * ln2) - 1) / r, ln2), -0.5, 0.5, 6)
edge = ((sqrt(2) - 1) / (sqrt(2) + 1)) ** 2
fit("log(1+f)/s over s^2", at_zero(lambda z: 2 * mp.atanh(sqrt(z)) / sqrt(z), mpf(2)), 0, edge, 5)
fit("sin(y)/y over y^2", at_zero(lambda z: sin(sqrt(z)) / sqrt(z), mpf(1)), 0, (pi / 4) ** 2, 4)
fit("cos(y) over y^2", lambda z: cos(sqrt(z)), 0, (pi / 4) ** 2, 5)
fit("erf(x)/x over x^2", at_zero(lambda z: erf(sqrt(z)) / sqrt(z), 2 / sqrt(pi)), 0, 1, 7)
fit("-log2(erfc(x))", lambda x: -log(erfc(x), 2), 1, 4, 9)
