"""Exact optimal transport in one dimension.

Moving mass costs its distance. On the line the cheapest way to turn one distribution into another is known
in closed form: match the mass in order. Everything here follows from that, and nothing is approximated.
"""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastdiv import _wasserstein
from fastdiv._arrays import as_numbers
from fastdiv._samples import Samples, check_order, samples

__all__ = ["wasserstein_distance", "wasserstein_hist"]


def wasserstein_distance(
    u_values: Any,
    v_values: Any,
    u_weights: Any = None,
    v_weights: Any = None,
    *,
    p: float = 1,
    axis: int = -1,
    assume_sorted: bool = False,
    keepdims: bool = False,
    nan_policy: str = "propagate",
) -> Any:
    r"""Wasserstein distance between two samples on the line (earth mover's distance for ``p=1``).

    .. math:: W_p = \Big(\int_0^1 |F^{-1}(t) - G^{-1}(t)|^p \, dt\Big)^{1/p},
              \qquad W_1 = \int |F(x) - G(x)| \, dx

    with the distribution functions F and G of the two (weighted) samples. The result is exact up to rounding:
    neither bins nor regularisation, and samples that are equal as distributions are at exactly 0.

    Parameters
    ----------
    u_values, v_values : array_like, shape (..., n) and (..., m)
        The samples, along `axis`; the other axes broadcast. For *histograms* (a mass per bin) see
        `wasserstein_hist`.
    u_weights, v_weights : array_like, shape (..., n) and (..., m), optional
        A weight >= 0 for each value; only ratios within a sample matter. Equal weights by default.
    p : float in [1, inf], default 1
        The order.
    axis : int, default -1
        The axis of the samples.
    assume_sorted : bool, default False
        Trust that both samples ascend along `axis`. This is not checked: with unsorted values the result is
        meaningless (never a crash).
    keepdims : bool, default False
        Keep `axis` with length 1.
    nan_policy : {'propagate', 'omit', 'raise'}
        What a NaN among the values does: make its result NaN, be left out together with its weight, or raise.

    Returns
    -------
    float or ndarray
        In the unit of the values. float32 if all given arrays are float32 (computed in float64), else float64.

    Raises
    ------
    ValueError
        For negative, infinite, NaN or all-zero weights, empty samples, ``p < 1`` and shapes that do not fit.
    TypeError
        For values that are no real numbers.

    Notes
    -----
    Mass at the same infinity on both sides has no defined distance (NaN); on one side only, it is infinitely far.
    64-bit integers are subtracted as integers: nanosecond time stamps as ``int64`` lose nothing.

    References
    ----------
    .. [1] S. S. Vallender, "Calculation of the Wasserstein distance between probability distributions on the
       line", Theory of Probability and its Applications 18 (1974) 784.

    Examples
    --------
    >>> import fastdiv
    >>> float(fastdiv.wasserstein_distance([0, 1, 3], [5, 6, 8]))
    5.0
    >>> float(fastdiv.wasserstein_distance([0, 1], [0, 1], [3, 1], [2, 2]))
    0.25
    """
    order = check_order(p)
    x = samples(u_values, v_values, u_weights, v_weights, axis, nan_policy)
    return _statistic("wasserstein", x, order, nan_policy, assume_sorted, keepdims)


def wasserstein_hist(
    u: Any,
    v: Any,
    *,
    support: Any = None,
    p: float = 1,
    axis: int = -1,
) -> Any:
    """Wasserstein distance between two histograms: masses `u` and `v` at the points `support`.

    Parameters
    ----------
    u, v : array_like, shape (..., n)
        Masses >= 0 along `axis`, normalised to 1 each.
    support : array_like, shape (n,)
        Where the masses sit.
    p, axis
        As in `wasserstein_distance`.

    Examples
    --------
    >>> import fastdiv
    >>> float(fastdiv.wasserstein_hist([1, 0, 0], [0, 0, 1], support=[0.0, 1.0, 5.0]))
    5.0
    """
    if support is None:
        raise ValueError("support is needed: the position of each bin")
    points = as_numbers(support, "support")
    if points.ndim != 1:
        raise ValueError(f"support must have one dimension, got shape {points.shape}")
    u = np.moveaxis(as_numbers(u, "u"), axis, -1)
    v = np.moveaxis(as_numbers(v, "v"), axis, -1)
    return wasserstein_distance(points, points, u, v, p=p)


def _statistic(
    name: str, x: Samples, p: float, nan_policy: str, assume_sorted: bool, keepdims: bool
) -> np.ndarray | np.floating[Any]:
    out = np.empty(prod(x.shape))
    _wasserstein.statistic_of_rows(
        _c(x.u.values),
        _c(x.v.values),
        _c(x.u.weights),
        _c(x.v.weights),
        out,
        _wasserstein.STATISTICS[name],
        p,
        nan_policy == "omit",
        assume_sorted,
    )
    return _shaped(out, x.shape, x.axis, keepdims, x.dtype)


def _c(array: np.ndarray | None) -> np.ndarray | None:
    return None if array is None else np.ascontiguousarray(array)


def _shaped(
    out: np.ndarray, shape: tuple[int, ...], axis: int, keepdims: bool, dtype: np.dtype[Any]
) -> np.ndarray | np.floating[Any]:
    """The results in the shape and dtype the caller expects; a scalar where no axis is left."""
    result = out.reshape(shape).astype(dtype, copy=False)
    if keepdims:
        result = np.expand_dims(result, axis)
    return result[()] if result.ndim == 0 else result
