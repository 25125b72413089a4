"""Transport on a circle: angles, times of day, days of the year."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdiv import _wasserstein
from fastdiv._checks import options as opt
from fastdiv._checks.samples import EXACT, finite_pair
from fastdiv._samples import most_numbers
from fastdiv._threads import SOME, heard, heed

if TYPE_CHECKING:
    from fastdiv._checks.samples import Rows
    from fastdiv._typing import ArrayLike

__all__ = ["wasserstein_circle"]


def wasserstein_circle(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    *,
    period: float = 1.0,
    p: float = 1,
) -> float:
    r"""Wasserstein distance between two samples on a circle of circumference `period`.

    .. math:: W_p = \min_s \Big(\int_0^1 |F^{-1}(t) - G^{-1}(t - s)|^p dt\Big)^{1/p}, \qquad
              W_1 = \min_c \int_0^{period} |F - G - c| \, dx,

    with quantile functions continued periodically [1]_. The integral is convex in s and straight between the
    rotations at which levels of F and G meet; they are compared as exact masses, and the best is one of them.

    Parameters
    ----------
    u_values, v_values : array_like, shape (n,) and (m,)
        Positions; any two that differ by a multiple of `period` are one point.
    u_weights, v_weights : array_like, optional
        A weight >= 0 for each value; only ratios within a sample matter. Equal weights by default.
    period : float > 0, default 1.0
        For angles, ``2 * np.pi`` or 360.
    p : float in [1, inf)
        The order.

    Returns
    -------
    float
        In the unit of `period`, at most half of it.

    Raises
    ------
    ValueError
        Values that are not finite, negative, infinite, NaN or all-zero weights, a period that is not
        positive, ``p < 1``.
    TypeError
        For values that are no real numbers.

    Notes
    -----
    O(n log n) time for n values of both samples together: a sort, and some 10 to 50 sweeps that look for the
    rotation. O(n) memory.

    References
    ----------
    .. [1] J. Delon, J. Salomon, A. Sobolevski, "Fast transport optimization for Monge costs on the circle",
       SIAM J. Appl. Math. 70 (2010) 2239.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.wasserstein_circle([350, 10], [5, 355], period=360)
    5.0
    """
    order = opt.wasserstein_order(p, infinite=False)
    x = on_circle(u_values, v_values, u_weights, v_weights, period)
    return float(_wasserstein.circle(*x.arrays, order) / x.unit)


class OnCircle(NamedTuple):
    """Two samples as the compiled functions take them.

    `arrays`: points of u as high + low, ascending, and their weights; the same of v; the period likewise.
    """

    arrays: tuple[Any, ...]
    unit: float  # points and period are times this, a power of two
    orders: tuple[np.ndarray, np.ndarray]  # which sort what was given
    dtype: np.dtype[Any]


def on_circle(u_values: Any, v_values: Any, u_weights: Any, v_weights: Any, period: float) -> OnCircle:
    """The arguments of a function of a pair of samples on a circle."""
    given = u_values, v_values, u_weights, v_weights, period
    laid: OnCircle = heard(most_numbers(u_values, v_values), _laid_on_circle, *given)
    return laid


def _laid_on_circle(u_values: Any, v_values: Any, u_weights: Any, v_weights: Any, period: float) -> OnCircle:
    length = opt.positive(period, "period")
    exact = int(period) if isinstance(period, (int, np.integer)) else length
    exponent = math.frexp(length)[1]
    far = abs(exponent) > 500  # products and quotients are to keep in range
    unit = math.ldexp(1.0, min(-exponent, 1000)) if far else 1.0
    largest = _wasserstein.largest_weight
    given = finite_pair(u_values, v_values, u_weights, v_weights, largest, moved=False)
    *u, u_order = _round_the_circle(given.u, exact, unit)
    *v, v_order = _round_the_circle(given.v, exact, unit)
    length_low = float(exact - int(length)) if isinstance(exact, int) else 0.0
    arrays = *u, *v, length * unit, length_low * unit
    return OnCircle(arrays, unit, (u_order, v_order), given.dtype)


def _round_the_circle(
    rows: Rows, period: float, unit: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray | None, np.ndarray]:
    """Ascending remainders in [-period / 2, period / 2), as sums high + low, weights and order."""
    high, low = _remainders(rows.values[0], period)
    high[(high == period / 2) & (low == 0)] = -period / 2
    weights = None if rows.weights is None else rows.weights[0]
    order = np.lexsort((low, high)) if low.any() else np.argsort(high, kind="stable")
    return high[order] * unit, low[order] * unit, None if weights is None else weights[order], order


def _remainders(x: np.ndarray, period: float) -> tuple[np.ndarray, np.ndarray]:
    """None of this rounds: fmod is exact, and so is the difference of two numbers within a factor of 2."""
    if x.dtype.kind in "biu" and (x.dtype.itemsize < 8 or max(-int(x.min()), int(x.max())) <= EXACT):
        x = x.astype(np.float64)
    if x.dtype.kind == "f" and float(period) == period:
        length = float(period)
        high = np.fmod(x.astype(np.float64), length)
        high = np.where(np.abs(high) > length / 2, high - np.copysign(length, high), high)
        return high, np.zeros_like(high)
    if x.dtype.kind in "iu" and period <= EXACT and int(period) == period:
        length = int(period)
        high = np.remainder(x, x.dtype.type(length)).astype(np.float64)
        return np.where(high > length / 2, high - length, high), np.zeros(len(x))
    turn = Fraction(period)
    exact = []
    for start in range(0, len(x), SOME):
        heed()
        exact += [t - turn * round(t / turn) for t in map(Fraction, x[start : start + SOME].tolist())]
    high = np.array([float(t) for t in exact])
    return high, np.array([float(t - Fraction(h)) for t, h in zip(exact, high.tolist(), strict=True)])
