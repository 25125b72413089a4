"""Exact transport by Fractions: the judge of `fastdiv.transport`. Slow on purpose."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise

import numpy as np
from mpmath import mp, mpf


def exact(x) -> Fraction:
    """A NumPy or Python number as the rational number it is."""
    if isinstance(x, Fraction):
        return x
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


def _real(x: Fraction):
    return mpf(x.numerator) / x.denominator


def bins_exactly(x, a, y, b, p):
    """W_p of evenly filled bins: rational quantile functions, their powers integrated in closed form."""
    sides = []
    for edges, masses in ((x, a), (y, b)):
        edges, masses = [exact(t) for t in edges], [exact(w) for w in masses]
        levels = [Fraction(0)]
        for w in masses:
            levels.append(levels[-1] + w / sum(masses))
        sides.append((edges, levels))

    def line(edges, levels, start, end):
        k = next(k for k in range(len(edges) - 1) if levels[k] <= start and end <= levels[k + 1])
        slope = (edges[k + 1] - edges[k]) / (levels[k + 1] - levels[k])
        return (edges[k] + slope * (t - levels[k]) for t in (start, end))

    total, largest = mpf(0), Fraction(0)
    with mp.workdps(120):
        for start, end in pairwise(sorted({*sides[0][1], *sides[1][1]})):
            (d, e), (f, g) = (line(*side, start, end) for side in sides)
            d, e = sorted((d - f, e - g), key=abs)
            largest = max(largest, abs(e))
            if e == 0 or np.isinf(p):
                continue
            sign = -1 if d * e < 0 else 1  # of d against e
            d, e, mass = _real(abs(d)), _real(abs(e)), _real(end - start)
            mean = (
                e**p
                if d == e and sign > 0
                else (e ** (p + 1) - sign * d ** (p + 1)) / ((p + 1) * (e - sign * d))
            )
            total += mass * mean
        return _real(largest) if np.isinf(p) else total ** (1 / mpf(p))
