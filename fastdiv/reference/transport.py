"""Slow twins of `fastdiv.transport`: the textbook formulas, one row at a time."""

from __future__ import annotations

from math import prod
from typing import Any

import numpy as np

from fastdiv._arrays import as_numbers
from fastdiv._samples import Rows, check_order, samples

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
    """The p-th mean of |quantile of u - quantile of v|."""
    check_order(p)
    x = samples(u_values, v_values, u_weights, v_weights, axis, nan_policy)
    count = prod(x.shape)
    out = np.array([_distance(*_row(x.u, i), *_row(x.v, i), p, nan_policy) for i in range(count)], float)
    result = out.reshape(x.shape).astype(x.dtype)
    if keepdims:
        result = np.expand_dims(result, x.axis)
    return result[()] if result.ndim == 0 else result


def wasserstein_hist(u: Any, v: Any, *, support: Any, p: float = 1, axis: int = -1) -> Any:
    points = as_numbers(support, "support")
    return wasserstein_distance(points, points, np.moveaxis(u, axis, -1), np.moveaxis(v, axis, -1), p=p)


def _row(rows: Rows, i: int) -> tuple[np.ndarray, np.ndarray]:
    values = rows.values[i if len(rows.values) > 1 else 0]
    if rows.weights is None:
        return values, np.ones(len(values))
    return values, rows.weights[i if len(rows.weights) > 1 else 0]


def _distance(u: np.ndarray, a: np.ndarray, v: np.ndarray, b: np.ndarray, p: float, nan_policy: str) -> float:
    if u.dtype == np.uint64:
        origin = min(u.min(), v.min())
        u, v = (u - origin).astype(float), (v - origin).astype(float)
    if nan_policy == "omit":
        a, b = a[~np.isnan(u)], b[~np.isnan(v)]
        u, v = u[~np.isnan(u)], v[~np.isnan(v)]
    if np.isnan(u).any() or np.isnan(v).any():
        return np.nan
    u, a = u[a > 0], a[a > 0]
    v, b = v[b > 0], b[b > 0]
    if not (len(u) and len(v)):
        return np.nan
    for infinity in (-np.inf, np.inf):
        if infinity in u and infinity in v:
            return np.nan
    if np.isinf(u).any() or np.isinf(v).any():
        return np.inf
    u, F = _quantiles(u, a)
    v, G = _quantiles(v, b)
    levels = np.union1d(F, G)
    x = u[np.searchsorted(F, levels).clip(max=len(u) - 1)]
    y = v[np.searchsorted(G, levels).clip(max=len(v) - 1)]
    mass = np.diff(levels, prepend=0.0)
    distance = np.abs(x / 2 - y / 2)
    largest = distance[mass > 0].max()
    if np.isinf(p) or largest == 0:
        return 2 * float(largest)
    return 2 * float(largest * np.sum((distance / largest) ** p * mass) ** (1 / p))


def _quantiles(values: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted values and the level up to which each is the quantile; the last level is 1."""
    order = np.argsort(values, kind="stable")
    levels = np.cumsum(weights[order] / weights.max())
    return values[order], levels / levels[-1]
