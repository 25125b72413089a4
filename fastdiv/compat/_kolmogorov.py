r"""p-values of the two-sample Kolmogorov-Smirnov statistic as SciPy's ``ks_2samp`` gives them by default.

Exact up to 10 000 values on a side: of all orders in which n and m values can fall, the share in which the
distribution functions come as far apart as D somewhere (Hodges 1958). With b(i, j) the probability that this
has happened after i and j values,

.. math:: b(i, j) = \frac{i\,b(i-1, j) + j\,b(i, j-1)}{i + j}, \qquad
          b(i, j) = 1 \text{ where } |i/n - j/m| \ge D,

nothing cancels, so it is right to some (n + m) 2^-52 however small it is. Beyond that SciPy takes the law of
one sample of nm / (n + m) values, rounded, which is exact here, and there an expansion that is right to 1e-6.
"""

from __future__ import annotations

from math import exp, floor, lgamma, log

import numpy as np

__all__ = ["p_value"]

_EXACT = 10_000


def p_value(d: float, n: int, m: int) -> float:
    """P(D >= d) for samples of n and m values of one continuous law."""
    if max(n, m) <= _EXACT:
        return _of_paths(d, min(n, m), max(n, m))
    return _of_one(d, round(n * m / (n + m)))


def _of_paths(d: float, n: int, m: int) -> float:
    apart = round(d * n * m)  # |i m - j n| at least
    if apart == 0:
        return 1.0
    both = n + m
    crossed = np.ones(n + 3)  # by i + 1, of one i + j after another
    crossed[1] = 0.0
    for s in range(1, both + 1):
        # where it is not yet certain
        low = max(0, s - m, (s * n - apart) // both + 1)
        high = min(n, s, -((-s * n - apart) // both) - 1)
        i = np.arange(low, high + 1)
        inner = crossed[low + 1 : high + 2]
        inner[:] = (i * crossed[low : high + 1] + (s - i) * inner) / s
        crossed[low] = crossed[high + 2] = 1.0
    return float(crossed[n + 1])


def _of_one(d: float, n: int) -> float:
    """P(D_n >= d): twice the chance on one side where that is small, else by powers of a matrix."""
    one = _one_sided(d, n)
    if one < 1e-5:  # both sides at once: less than its fourth power
        return min(1.0, 2 * one)
    return min(1.0, max(0.0, 1 - _below(d, n)))


def _one_sided(d: float, n: int) -> float:
    r"""Birnbaum and Tingey 1951: d \sum_j C(n, j) (d + j/n)^(j-1) (1 - d - j/n)^(n-j)."""
    if d <= 0:
        return 1.0
    total = 0.0
    for j in range(floor(n * (1 - d)) + 1):
        rest = 1 - d - j / n
        if rest > 0:
            logs = lgamma(n + 1) - lgamma(j + 1) - lgamma(n - j + 1) + (j - 1) * log(d + j / n)
            total += exp(logs + (n - j) * log(rest))
    return min(1.0, d * total)


def _below(d: float, n: int) -> float:
    """P(D_n < d) by Durbin's matrix (Marsaglia, Tsang and Wang 2003, doi:10.18637/jss.v008.i18)."""
    k = floor(n * d) + 1
    size, h = 2 * k - 1, k - n * d
    row = np.arange(size)
    steps = row[:, None] - row + 1
    inverse = np.exp([-lgamma(x + 1) for x in range(size + 1)])  # of factorials
    matrix = np.where(steps >= 0, inverse[np.maximum(steps, 0)], 0.0)
    powers = h ** np.arange(1.0, size + 1) * inverse[1:]
    matrix[:, 0] -= powers
    matrix[-1] -= powers[::-1]
    if h > 0.5:
        matrix[-1, 0] += (2 * h - 1) ** size * inverse[size]
    power, logs, left = np.eye(size), 0.0, n
    scale = 0.0  # of the matrix, in logarithms
    while left:
        if left & 1:
            power, logs = power @ matrix, logs + scale
            top = float(power.max())
            if not top > 0:  # D is never below 1 / 2n
                return 0.0
            power, logs = power / top, logs + log(top)
        left >>= 1
        if left:
            matrix, scale = matrix @ matrix, 2 * scale
            top = float(matrix.max()) or 1.0
            matrix, scale = matrix / top, scale + log(top)
    found = float(power[k - 1, k - 1])
    return found and exp(log(found) + logs + lgamma(n + 1) - n * log(n))
