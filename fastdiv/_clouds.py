"""Two clouds of points for `sliced_wasserstein`: checked, and moved to where projections lose nothing."""

from __future__ import annotations

import math
from typing import Any, NamedTuple

import numpy as np

from fastdiv._checks.arrays import as_exact_numbers, same_labels
from fastdiv._checks.samples import common
from fastdiv._samples import check_weights

__all__ = ["Clouds", "clouds"]


class Clouds(NamedTuple):
    """Points as float64, their coordinates times `scale`, and their weights, None where all are equal."""

    x: np.ndarray
    y: np.ndarray
    x_weights: np.ndarray | None
    y_weights: np.ndarray | None
    scale: float


def clouds(X: Any, Y: Any, X_weights: Any, Y_weights: Any) -> Clouds:
    """The arguments of a function of two clouds. Points without mass are left out, even at infinity."""
    x, y = _cloud(X, "X"), _cloud(Y, "Y")
    if x.shape[1] != y.shape[1]:
        raise ValueError(f"X has {x.shape[1]} dimensions, Y has {y.shape[1]}")
    same_labels({"X": X, "Y": Y})
    same_labels({"X": X, "X_weights": X_weights}, 0)
    same_labels({"Y": Y, "Y_weights": Y_weights}, 0)
    a, b = _point_weights(X_weights, "X_weights", x, "X"), _point_weights(Y_weights, "Y_weights", y, "Y")
    if a is not None:
        x, a = x[a > 0], a[a > 0]
    if b is not None:
        y, b = y[b > 0], b[b > 0]
    x, y, scale = _centred(x, y)
    return Clouds(x, y, a, b, scale)


def _cloud(points: Any, name: str) -> np.ndarray:
    array = as_exact_numbers(points, name)
    if array.ndim != 2 or 0 in array.shape:
        raise ValueError(f"{name} must have shape (points, dimensions), neither of them 0, not {array.shape}")
    return array


def _point_weights(weights: Any, name: str, points: np.ndarray, whose: str) -> np.ndarray | None:
    if np.ndim(weights) > 1:
        raise ValueError(f"{name} must have shape ({len(points)},), not {np.shape(weights)}")
    return check_weights(weights, name, points.T, whose, -1)


def _centred(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Both clouds as float64, shifted by a point that both subtract exactly, times a power of two.

    Projections are rounded to ulps of the coordinates, so these should be no larger than the clouds are wide.
    In each coordinate the shift is the median, itself one of the values; it is left out where a difference
    would be rounded, which for floats takes a range from 0 to the outermost value or more.
    """
    wide = any(z.dtype.kind in "iu" and z.dtype.itemsize == 8 for z in (x, y))
    n, shape = len(x), (len(x) + len(y), x.shape[1])
    both = np.empty(shape) if wide else np.concatenate([x, y]).astype(np.float64, copy=False)
    for k in range(shape[1]):
        values = both[:, k]
        if wide:
            values = np.concatenate(common(x[:, k], y[:, k]))
        median = np.partition(values, len(values) // 2)[len(values) // 2]
        with np.errstate(invalid="ignore", over="ignore"):
            if values.dtype == np.uint64:
                moved = np.where(values > median, values - median, median - values).astype(np.float64)
                both[:, k] = np.where(values > median, moved, -moved)
                continue
            moved = values - median
            back = moved - values  # TwoSum: what rounding took from values - median
            exact = (values - (moved - back)) - (median + back) == 0
        both[:, k] = moved if exact.all() else values
    largest = float(np.abs(both).max())
    exponent = -math.frexp(largest)[1] if 0 < largest < np.inf else 0
    scale = 1.0 if abs(exponent) < 900 else math.ldexp(1.0, min(exponent, 1000))
    both *= scale
    return both[:n], both[n:], scale
