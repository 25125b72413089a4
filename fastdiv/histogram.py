"""Transport between histograms: masses at points, or spread evenly within bins."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING

import numpy as np

from fastdiv import _wasserstein
from fastdiv._checks import options as opt
from fastdiv._histograms import histograms, in_shape
from fastdiv._labels import of_rows

if TYPE_CHECKING:
    from fastdiv._typing import ArrayLike, Value

__all__ = ["wasserstein_hist"]


def wasserstein_hist(
    u: ArrayLike,
    v: ArrayLike,
    *,
    support: ArrayLike | None = None,
    bin_edges: ArrayLike | None = None,
    v_bin_edges: ArrayLike | None = None,
    p: float = 1,
    axis: int = -1,
    normalize: bool = True,
    density: bool = False,
) -> Value:
    r"""Wasserstein distance between two histograms: masses at points, or spread evenly within bins.

    .. math:: W_p = \Big(\int_0^1 |F^{-1}(t) - G^{-1}(t)|^p \, dt\Big)^{1/p},
              \qquad W_1 = \int |F(x) - G(x)| \, dx

    Parameters
    ----------
    u, v : array_like, shape (..., n)
        Masses (counts, probabilities) >= 0 along `axis`; the other axes broadcast. Or a histogram that knows
        its bins, of UHI (boost-histogram, hist) or as a tuple (counts, edges): mass is spread within these,
        or lies at the integers of an axis that counts such. What fell beside its bins is left out.
    support : array_like, shape (n,), optional
        The points where the masses sit, in any order. Default: 0, 1, ..., n - 1.
    bin_edges : array_like, shape (n + 1,), optional
        Ascending edges of bins within which mass is spread evenly; instead of `support`. The CDFs are then
        piecewise linear, and crossings inside a bin count exactly.
    v_bin_edges : array_like, shape (m + 1,), optional
        Edges of v, where they differ from those of u; v then has m bins.
    p : float in [1, inf], default 1
        The order.
    axis : int, default -1
        The axis that holds the bins.
    normalize : bool, default True
        Scale each histogram to mass 1. With False both must have the same mass M (to 1e-9), and the result is
        :math:`M^{1/p} W_p`, the work of moving all of it.
    density : bool, default False
        `u` and `v` are densities: their masses are density times bin width, not rounded. Needs `bin_edges`.

    Returns
    -------
    float or ndarray
        One value for each row, in the unit of `support` or `bin_edges`. NaN for a row with a NaN or without
        mass. float32 where both arrays are.

    Raises
    ------
    ValueError
        For negative or infinite masses, edges that do not ascend, and shapes that do not fit.
    TypeError
        For masses or places that are no real numbers.

    Notes
    -----
    O(n + m) time for rows of n and m bins, and O(n log n) once for a `support` that does not ascend.

    References
    ----------
    S. S. Vallender, "Calculation of the Wasserstein distance between probability distributions on the line",
    Theory of Probability and its Applications 18 (1974) 784.

    Examples
    --------
    Weng's example: five units of work turn one pile of ten into the other.

    >>> import fastdiv
    >>> float(fastdiv.wasserstein_hist([3, 2, 1, 4], [1, 2, 4, 3], normalize=False))
    5.0
    >>> float(fastdiv.wasserstein_hist([1], [1], bin_edges=[0, 1], v_bin_edges=[0, 3]))
    1.0
    """
    order = opt.wasserstein_order(p)
    plain = bin_edges is None and v_bin_edges is None and normalize is True and density is False
    if plain and type(axis) is int and axis in (-1, 0):
        direct: Value | None = _wasserstein.hist_pair(u, v, support, order)
        if direct is not None:
            return direct
    x = histograms(u, v, support, bin_edges, v_bin_edges, axis, normalize, density)
    out = np.empty(prod(x.shape))
    if x.edges is not None:
        _wasserstein.hist_rows(x.edges[0], x.u, x.edges[1], x.v, out, order, x.u_low, x.v_low)
        out /= x.unit
    else:
        points, statistic = x.points, _wasserstein.STATISTICS["wasserstein"]
        _wasserstein.statistic_of_rows(points, points, x.u, x.v, out, statistic, order, False, True)
    result = in_shape(out, x, order)
    return result[()] if x.single else of_rows(result, (u, v), axis, "wasserstein_hist")
