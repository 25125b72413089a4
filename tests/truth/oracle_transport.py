"""Exact transport by Fractions: the judge of `fastdiv.transport`. Slow on purpose."""

from __future__ import annotations

from fractions import Fraction

import numpy as np


def exact(x) -> Fraction:
    """A NumPy or Python number as the rational number it is."""
    return Fraction(int(x)) if isinstance(x, (int, np.integer)) else Fraction(float(x))


def quantile_pieces(u, v, a=None, b=None):
    """[(x, y, mass)]: the monotone coupling, masses summing to 1."""
    sides = []
    for values, weights in ((u, a), (v, b)):
        weights = [Fraction(1)] * len(values) if weights is None else [exact(w) for w in weights]
        total = sum(weights)
        pairs = sorted((exact(x), w / total) for x, w in zip(values, weights, strict=True) if w)
        sides.append(pairs)
    (x, y), i, j = sides, 0, 0
    left, right = x[0][1], y[0][1]
    pieces = []
    while True:
        mass = min(left, right)
        if mass:
            pieces.append((x[i][0], y[j][0], mass))
        left, right = left - mass, right - mass
        if not left:
            i += 1
            if i < len(x):
                left = x[i][1]
        if not right:
            j += 1
            if j < len(y):
                right = y[j][1]
        if i == len(x) or j == len(y):
            return pieces


def wasserstein_power(u, v, a=None, b=None, p: int = 1) -> Fraction:
    """W_p^p for an integer p."""
    return sum((mass * abs(x - y) ** p for x, y, mass in quantile_pieces(u, v, a, b)), Fraction(0))


def relative_error(got: float, power: Fraction, p: int = 1) -> float:
    """Relative error of got against power^(1/p), to first order where p > 1."""
    if power == 0:
        return 0.0 if got == 0 else float("inf")
    return abs(float((exact(got) ** p - power) / power)) / p
