"""Slow twins of `fastdiv.transport`: the textbook formulas, one row at a time."""

from __future__ import annotations

from fractions import Fraction
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers, same_labels
from fastdiv._checks.bins import on_a_line
from fastdiv._checks.samples import Rows, finite_pair, masses, samples
from fastdiv._faces import spelled

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from fastdiv._typing import ArrayLike, NanPolicy, Row, SampleOptions, Value

__all__ = [
    "cramer_distance",
    "energy_distance",
    "ks_distance",
    "sliced_wasserstein",
    "transport_plan",
    "wasserstein_circle",
    "wasserstein_distance",
    "wasserstein_hist",
]


def wasserstein_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    *,
    p: float = 1,
    axis: int = -1,
    assume_sorted: bool = False,
    keepdims: bool = False,
    nan_policy: NanPolicy = "propagate",
) -> Value:
    """The p-th mean of |quantile of u - quantile of v|."""
    opt.wasserstein_order(p)
    keepdims = opt.flag(keepdims, "keepdims")
    opt.flag(assume_sorted, "assume_sorted")
    x = samples(u_values, v_values, u_weights, v_weights, axis, nan_policy)
    count = prod(x.shape)
    out = np.array([_distance(*_row(x.u, i), *_row(x.v, i), p, nan_policy) for i in range(count)], float)
    with np.errstate(over="ignore"):
        result = out.reshape(x.shape).astype(x.dtype)
    if keepdims:
        result = np.expand_dims(result, x.axis)
    return result[()] if result.ndim == 0 else result


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
    """Quantile functions of points or of evenly filled bins, piece by piece between all their levels."""
    p, axis = opt.wasserstein_order(p), opt.integer(axis, "axis")
    normalize, density = opt.flag(normalize, "normalize"), opt.flag(density, "density")
    u, v, support, bin_edges, v_bin_edges = on_a_line(u, v, support, bin_edges, v_bin_edges)
    if v_bin_edges is None:
        same_labels({"u": u, "v": v}, axis, rows=True)
        same_labels({"u": u, "support": support}, axis)
    a, b = masses(u, "u", axis), masses(v, "v", axis)
    dtype = opt.result_dtype(a, b)
    a, b = a.astype(float), b.astype(float)
    void = [~(x > 0).any(-1) | np.isnan(x).any(-1) for x in (a, b)]  # no distribution
    a, b = (np.where(none[..., None], 1.0, x) for x, none in zip((a, b), void, strict=True))
    if bin_edges is None:
        points = np.arange(a.shape[-1]) if support is None else as_numbers(support, "support")
        distance = wasserstein_distance(points, points, a, b, p=p)
    else:
        a, b, distance = _of_bins(a, b, bin_edges, v_bin_edges, p, density)
    scale = 1.0 if normalize else _root_of_mass(a, p)
    with np.errstate(over="ignore"):  # what float32 does not hold is inf
        value: Value = np.where(void[0] | void[1], np.nan, scale * distance).astype(dtype)[()]
    return value


def _of_bins(
    a: np.ndarray, b: np.ndarray, bin_edges: ArrayLike, v_bin_edges: ArrayLike | None, p: float, density: bool
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The masses, and the distances."""
    x = _rational(as_numbers(bin_edges, "bin_edges"))
    y = x if v_bin_edges is None else _rational(as_numbers(v_bin_edges, "v_bin_edges"))
    if density:
        a, b = a * np.diff(x).astype(float), b * np.diff(y).astype(float)
    shape = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    rows_a = np.broadcast_to(a, (*shape, a.shape[-1])).reshape(-1, a.shape[-1])
    rows_b = np.broadcast_to(b, (*shape, b.shape[-1])).reshape(-1, b.shape[-1])
    out = np.array([_bins(x, r, y, s, p) for r, s in zip(rows_a, rows_b, strict=True)]).reshape(shape)
    return a, b, out


def _root_of_mass(rows: np.ndarray, p: float) -> np.ndarray:
    n = rows.shape[-1]
    return np.asarray((rows / n).sum(axis=-1) ** (1 / p) * n ** (1 / p))


def _rational(values: np.ndarray) -> np.ndarray:
    """The values as exact rationals."""
    return np.array([Fraction(x) for x in values.ravel().tolist()]).reshape(values.shape)


def _bins(x: np.ndarray, a: np.ndarray, y: np.ndarray, b: np.ndarray, p: float) -> float:
    """|F^-1 - G^-1|^p is a power of a line between two levels: the integral of x^p either side of its root.

    Levels and the ends of the lines are rational; what is rounded is the length of a piece and the powers.
    """
    if not (np.isfinite(a).all() and np.isfinite(b).all() and a.any() and b.any()):
        return np.nan
    F, G = (np.cumsum([Fraction(0), *(t / sum(w) for t in w)]) for w in (_rational(a), _rational(b)))
    levels = np.array(sorted({*F, *G}))
    start, end = levels[:-1], levels[1:]

    def at(edges: np.ndarray, cdf: np.ndarray, t: np.ndarray) -> np.ndarray:
        k = np.searchsorted(cdf, start, side="right") - 1
        return np.asarray(edges[k] + (edges[k + 1] - edges[k]) * (t - cdf[k]) / (cdf[k + 1] - cdf[k]))

    d = at(x, F, start) - at(y, G, start)
    e = at(x, F, end) - at(y, G, end)
    largest = max(abs(d).max(), abs(e).max())
    if np.isinf(p) or largest == 0:
        return float(largest)
    mass = (end - start).astype(float)
    means = [_mean_power(s / largest, t / largest, p) for s, t in zip(d, e, strict=True)]
    return float(largest) * float((mass @ means) ** (1 / p))


def _mean_power(d: Fraction, e: Fraction, p: float) -> float:
    """Mean of |x|^p for x running straight from d to e; Gauss quadrature where powers would cancel."""
    small, large = sorted((abs(d), abs(e)))
    if d * e > 0 and 2 * small > large:
        nodes, weights = np.polynomial.legendre.leggauss(40)
        middle, half = float((small + large) / 2), float((large - small) / 2)
        return float((middle + half * nodes) ** p @ weights / 2)
    length = float(large + small if d * e < 0 else large - small)
    powers = float(large) ** (p + 1) + (1 if d * e < 0 else -1) * float(small) ** (p + 1)
    return powers / ((p + 1) * length) if length else 0.0


@spelled
def energy_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    **options: Unpack[SampleOptions],
) -> Value:
    """From the integral of (F - G)^2."""
    value: Value = np.sqrt(
        2 * _by_cdf(energy_distance, (u_values, v_values, u_weights, v_weights), 2, options)
    )
    return value


@spelled
def cramer_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    **options: Unpack[SampleOptions],
) -> Value:
    """From the integral of (F - G)^2."""
    value: Value = np.sqrt(_by_cdf(cramer_distance, (u_values, v_values, u_weights, v_weights), 2, options))
    return value


@spelled
def ks_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    **options: Unpack[SampleOptions],
) -> Value:
    """The largest |F - G|."""
    value: Value = _by_cdf(ks_distance, (u_values, v_values, u_weights, v_weights), 0, options)
    return value


def wasserstein_circle(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    *,
    period: float = 1.0,
    p: float = 1,
) -> float:
    """Tries every rotation at which two levels meet: the cost is convex and straight between them."""
    order, length = opt.wasserstein_order(p, infinite=False), opt.positive(period, "period")
    x = finite_pair(u_values, v_values, u_weights, v_weights, moved=False)
    (u, a), (v, b) = _row(x.u, 0), _row(x.v, 0)
    whole = Fraction(int(period) if isinstance(period, (int, np.integer)) else length)
    (u, F), (v, G) = (_round(_rational(t) % whole, _rational(w)) for t, w in ((u, a), (v, b)))
    costs = []
    for s in {s - t + k for s in F for t in G for k in (-1, 0, 1)}:
        levels = np.array(sorted({*F, *((G + s) % 1), Fraction(1)}))
        start = np.concatenate([[Fraction(0)], levels[:-1]])
        turn = (start - s) // 1
        i = np.searchsorted(F, start, side="right")
        j = np.searchsorted(G, start - s - turn, side="right")
        distance = abs(u[i] - v[j] - turn * whole)
        largest = distance.max()
        powers = (distance / (largest or 1)).astype(float) ** order
        costs.append(float(largest) * ((levels - start).astype(float) @ powers) ** (1 / order))
    return float(min(costs))


def _round(points: np.ndarray, weights: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Sorted points with mass and the levels up to which each is the quantile, all rational."""
    points, weights = points[weights > 0], weights[weights > 0]
    order = np.argsort(points, kind="stable")
    return points[order], np.cumsum(weights[order]) / sum(weights)


def sliced_wasserstein(
    X: ArrayLike,
    Y: ArrayLike,
    X_weights: Row | None = None,
    Y_weights: Row | None = None,
    *,
    n_projections: int = 128,
    p: float = 2,
    seed: int | np.random.Generator | None = None,
) -> float:
    """One direction at a time, seen from the first point."""
    p, n_projections = opt.wasserstein_order(p), opt.count(n_projections, "n_projections")
    same_labels({"X": X, "Y": Y})
    same_labels({"X": X, "X_weights": X_weights}, 0)
    same_labels({"Y": Y, "Y_weights": Y_weights}, 0)
    x, y = np.asarray(X), np.asarray(Y)
    x, y = (_minus(z, x[0]) for z in (x, y))
    directions = np.random.default_rng(seed).normal(size=(n_projections, x.shape[1]))
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    distances = np.array([wasserstein_distance(x @ d, y @ d, X_weights, Y_weights, p=p) for d in directions])
    return float(distances.max() if np.isinf(p) else np.mean(distances**p) ** (1 / p))


def _minus(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """x - y with one rounding, integers of any size included."""
    if x.dtype.kind == "f" and y.dtype.kind == "f":
        return np.asarray(x - y, float)
    if np.isfinite(x).all() and np.isfinite(y).all():
        return np.asarray(_rational(x) - _rational(y), float)
    return np.asarray(x.astype(float) - y.astype(float))


def transport_plan(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    *,
    p: float = 1,
) -> np.ndarray:
    """The optimal coupling as a dense matrix: how far the intervals of levels of two atoms overlap."""
    opt.wasserstein_order(p, infinite=False)
    x = finite_pair(u_values, v_values, u_weights, v_weights)
    (u, a), (v, b) = _row(x.u, 0), _row(x.v, 0)
    i, j = np.argsort(u, kind="stable"), np.argsort(v, kind="stable")
    F, G = (np.concatenate([[0.0], np.cumsum(w)]) / w.sum() for w in (a[i], b[j]))
    overlap = np.minimum.outer(F[1:], G[1:]) - np.maximum.outer(F[:-1], G[:-1])
    plan = np.zeros((len(u), len(v)))
    plan[np.ix_(i, j)] = np.maximum(overlap, 0.0)
    return plan


def _by_cdf(distance: Any, arrays: tuple[Any, Any, Any, Any], power: int, given: Mapping[str, Any]) -> Any:
    """The integral of |F - G|^power of each row; for power 0 the largest |F - G|."""
    o = opt.sample_options(distance, given)
    x = samples(*arrays, o.axis, o.nan_policy)
    out = np.empty(prod(x.shape))
    for i in range(len(out)):
        (u, a), (v, b) = _row(x.u, i), _row(x.v, i)
        if o.nan_policy == "omit":
            a, b = a[~np.isnan(u)], b[~np.isnan(v)]
            u, v = u[~np.isnan(u)], v[~np.isnan(v)]
        if np.isnan(u).any() or np.isnan(v).any() or not (a.any() and b.any()):
            out[i] = np.nan
            continue
        points = np.union1d(u[a > 0], v[b > 0])
        F = np.array([a[u <= t].sum() for t in points]) / a.sum()
        G = np.array([b[v <= t].sum() for t in points]) / b.sum()
        if power == 0:
            out[i] = np.abs(F - G).max()
        elif np.isinf(points).any():
            both = [t for t in (-np.inf, np.inf) if t in u[a > 0] and t in v[b > 0]]
            out[i] = np.nan if both else np.inf
        else:
            out[i] = np.sum(np.abs(F - G)[:-1] ** power * np.diff(points))
    with np.errstate(over="ignore"):
        result = out.reshape(x.shape).astype(x.dtype)
    if o.keepdims:
        result = np.expand_dims(result, x.axis)
    return result[()] if result.ndim == 0 else result


def _row(rows: Rows, i: int) -> tuple[np.ndarray, np.ndarray]:
    values = rows.values[i if len(rows.values) > 1 else 0]
    if rows.weights is None:
        return values, np.ones(len(values))
    return values, rows.weights[i if len(rows.weights) > 1 else 0]


def _distance(u: np.ndarray, a: np.ndarray, v: np.ndarray, b: np.ndarray, p: float, nan_policy: str) -> float:
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
    exactly = any((w != w[0]).any() for w in (a, b))
    (u, F), (v, G) = _quantiles(u, a, exactly), _quantiles(v, b, exactly)
    levels = np.union1d(F, G)
    x = u[np.searchsorted(F, levels).clip(max=len(u) - 1)]
    y = v[np.searchsorted(G, levels).clip(max=len(v) - 1)]
    mass = np.diff(levels, prepend=0).astype(float)
    distance = np.abs(_minus(x, y) / 2 if x.dtype == np.uint64 else x / 2 - y / 2)
    largest = distance[mass > 0].max()
    if np.isinf(p) or largest == 0:
        return 2 * float(largest)
    return 2 * float(largest * np.sum((distance / largest) ** p * mass) ** (1 / p))


def _quantiles(values: np.ndarray, weights: np.ndarray, exactly: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sorted values and the level up to which each is the quantile (the last 1); else weights are equal."""
    order = np.argsort(values, kind="stable")
    levels = np.cumsum(_rational(weights[order])) if exactly else np.arange(1, len(values) + 1)
    return values[order], levels / levels[-1]
