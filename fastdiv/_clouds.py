"""Two clouds of points for `sliced_wasserstein`: checked, and moved to where projections lose nothing."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import numpy as np

from fastdiv._checks.arrays import as_exact_numbers, as_numbers, same_labels
from fastdiv._checks.options import result_dtype
from fastdiv._checks.samples import common
from fastdiv._samples import check_weights

__all__ = ["Clouds", "clouds", "directions", "power_mean", "project"]

BLOCK = 1 << 24  # projections at a time, 128 MB


class Clouds(NamedTuple):
    """Points as float64, their coordinates times `scale`, and their weights, None where all are equal."""

    x: np.ndarray
    y: np.ndarray
    x_weights: np.ndarray | None
    y_weights: np.ndarray | None
    scale: float
    kept: tuple[np.ndarray, np.ndarray]  # which of the points that were given
    dtype: np.dtype[Any]


def clouds(X: Any, Y: Any, X_weights: Any, Y_weights: Any, *, massless: bool = False) -> Clouds:
    """The arguments of a function of two clouds.

    Points without mass are left out, unless they are asked for as `massless`; at infinity always.
    """
    x, y = _cloud(X, "X"), _cloud(Y, "Y")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"X has {x.shape[1]} dimensions, Y has {y.shape[1]}")
    same_labels({"X": X, "Y": Y})
    same_labels({"X": X, "X_weights": X_weights}, 0)
    same_labels({"Y": Y, "Y_weights": Y_weights}, 0)
    a, b = _point_weights(X_weights, "X_weights", x, "X"), _point_weights(Y_weights, "Y_weights", y, "Y")
    dtype = result_dtype(*(z for z in (x, y, a, b) if z is not None))
    kept = _kept(x, a, massless), _kept(y, b, massless)
    x, y = x[kept[0]], y[kept[1]]
    x, y, scale = _about_the_mass(x, y, (a, b), kept)
    a, b = (None if w is None else w[k] for w, k in zip((a, b), kept, strict=True))
    return Clouds(x, y, a, b, scale, kept, dtype)


def _kept(points: np.ndarray, weights: np.ndarray | None, massless: bool) -> np.ndarray:
    if weights is None:
        return np.ones(len(points), bool)
    kept: np.ndarray = (weights > 0) | (massless & np.isfinite(points).all(axis=1))
    return kept


def _about_the_mass(
    x: np.ndarray, y: np.ndarray, weights: tuple[np.ndarray | None, ...], kept: tuple[np.ndarray, np.ndarray]
) -> tuple[np.ndarray, np.ndarray, float]:
    """As `_centred`, by the points that have mass; `kept` loses others whose projections leave the range."""
    heavy = [k[k] if w is None else w[k] > 0 for w, k in zip(weights, kept, strict=True)]
    x, y, scale = _centred(x, y, np.concatenate(heavy))
    most = np.finfo(np.float64).max / (2 * x.shape[1])
    near = [h | (np.abs(z) <= most).all(axis=1) for h, z in zip(heavy, (x, y), strict=True)]
    for k, n in zip(kept, near, strict=True):
        k[k] = n
    return x[near[0]], y[near[1]], scale


def directions(count: int, dimensions: int, seed: int | np.random.Generator | None) -> np.ndarray:
    """That many unit vectors, one a row."""
    drawn = np.random.default_rng(seed).normal(size=(count, dimensions))
    drawn /= np.linalg.norm(drawn, axis=1, keepdims=True)
    return drawn


def power_mean(distances: np.ndarray, p: float) -> float:
    """The mean of their p-th powers, to the 1/p."""
    largest = float(distances.max())
    if p == np.inf or largest == 0 or not np.isfinite(largest):
        return largest
    return float(largest * np.mean((distances / largest) ** p) ** (1 / p))


def project(
    drawn: np.ndarray, x: np.ndarray, y: np.ndarray, most: int = BLOCK
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """Blocks of directions, with the projections of both clouds on each, some `most` numbers at a time.

    Equal points have equal projections. A matrix product alone does not see to that: the order in which it
    adds depends on where in the matrix a point is.
    """
    n, chunk = len(x), max(1, most // (len(x) + len(y)))
    both = np.concatenate([x, y])
    both, place = _distinct(both, sum(d * z for d, z in zip(drawn[0], both.T, strict=True)))
    for some in np.split(drawn, range(chunk, len(drawn), chunk)):
        seen = some @ both.T
        if place is not None:
            seen = seen[:, place]
        yield some, seen[:, :n], seen[:, n:]


def _distinct(points: np.ndarray, key: np.ndarray) -> tuple[np.ndarray, np.ndarray | None]:
    """Each point once, and where among these a point is; None where all are distinct.

    Equal points have equal keys.
    """
    ordered = np.sort(key)
    if not (ordered[1:] == ordered[:-1]).any():
        return points, None
    once, place = np.unique(points, axis=0, return_inverse=True)
    return once, place.reshape(-1)


def _cloud(points: Any, name: str) -> np.ndarray:
    array = as_exact_numbers(points, name)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} must have shape (points, dimensions), neither of them 0, not {array.shape}")
    return array


def _point_weights(weights: Any, name: str, points: np.ndarray, whose: str) -> np.ndarray | None:
    given = None if weights is None else as_numbers(weights, name)
    if given is not None and given.ndim > 1:
        raise ValueError(f"{name} must have shape ({len(points)},), not {given.shape}")
    return check_weights(given, name, points.T, whose, -1)


def _centred(
    x: np.ndarray, y: np.ndarray, heavy: np.ndarray | slice = slice(None)
) -> tuple[np.ndarray, np.ndarray, float]:
    """Both clouds as float64, shifted by a point that both subtract exactly, times a power of two.

    Projections are rounded to ulps of the coordinates, so these should be no larger than the clouds are wide.
    In each coordinate the shift is the median, itself one of the values; it is left out where a difference
    would be rounded, which for floats takes a range from 0 to the outermost value or more.
    Only `heavy` points have a say: those without mass may lie anywhere.
    """
    wide = any(z.dtype.kind in "iu" and z.dtype.itemsize == 8 for z in (x, y))
    n, shape = len(x), (len(x) + len(y), x.shape[1])
    both = np.empty(shape) if wide else np.concatenate([x, y]).astype(np.float64, copy=False)
    for k in range(shape[1]):
        values = both[:, k]
        if wide:
            values = np.concatenate(common(x[:, k], y[:, k]))
        own = values[heavy]
        median = np.partition(own, len(own) // 2)[len(own) // 2]
        with np.errstate(invalid="ignore", over="ignore"):
            if values.dtype == np.uint64:
                moved = np.where(values > median, values - median, median - values).astype(np.float64)
                both[:, k] = np.where(values > median, moved, -moved)
                continue
            moved = values - median
            back = moved - values  # TwoSum: what rounding took from values - median
            exact = (values - (moved - back)) - (median + back) == 0
        both[:, k] = moved if exact[heavy].all() else values
    largest = float(np.abs(both[heavy]).max())
    exponent = -math.frexp(largest)[1] if 0 < largest < np.inf else 0
    scale = 1.0 if abs(exponent) < 900 else math.ldexp(1.0, min(exponent, 1000))
    with np.errstate(over="ignore"):  # of points without mass
        both *= scale
    return both[:n], both[n:], scale
