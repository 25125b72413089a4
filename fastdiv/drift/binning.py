"""Bins that the baseline fixes, and the bars a histogram is drawn with.

Everything here works on sorted arrays, so that counting a bin is two binary searches. A cut lies just
before or just after a value, never at a rounded number between two: that counts integers of every size
exactly, and gives a value that is repeated often a bin of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Cuts", "bars", "count", "finite", "quantile_cuts", "value_cuts"]

N_BARS = 20

# A quantile bin holds this many baseline values or more, else there are fewer bins: emptier ones would move
# by chance alone.
_MIN_PER_BIN = 5


@dataclass(frozen=True, slots=True)
class Cuts:
    """Increasing places to cut at: just before `at`, or just after it where `after` is true."""

    at: np.ndarray
    after: np.ndarray


def quantile_cuts(x: np.ndarray, bins: int) -> Cuts:
    """Cuts at the quantiles of sorted, finite `x`, from just before its minimum to just after its maximum.

    A value that two or more quantiles fall on is cut off on both sides.
    """
    n = len(x)
    bins = min(bins, max(1, n // _MIN_PER_BIN))
    at = x[np.minimum(np.arange(bins + 1) * n // bins, n - 1)]
    # the last quantile is the maximum, which closes its bin rather than opening one
    heavy = at[:-1][at[1:] == at[:-1]]
    return _merged(at[:-1], np.append(heavy, x[-1:]))


def value_cuts(x: np.ndarray, most: int) -> Cuts | None:
    """Cuts around each value of sorted `x`, if there are at most `most` and they occur twice on average."""
    n = len(x)
    starts = np.append(True, x[1:] != x[:-1])
    distinct = np.count_nonzero(starts)
    if distinct > most or 2 * distinct > n:
        return None
    values = x[starts]
    return _merged(values, values)


def _merged(before: np.ndarray, after: np.ndarray) -> Cuts:
    before, after = np.unique(before), np.unique(after)
    at = np.concatenate([before, after])
    is_after = np.repeat([False, True], [len(before), len(after)])
    order = np.lexsort([is_after, at])
    return Cuts(at[order], is_after[order])


def count(x: np.ndarray, cuts: Cuts) -> np.ndarray:
    """How many values of sorted `x` lie in each bin: below the first cut, between cuts, above the last."""
    left, right = np.searchsorted(x, cuts.at, "left"), np.searchsorted(x, cuts.at, "right")
    return np.diff(np.where(cuts.after, right, left), prepend=0, append=len(x))


def bars(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Counts in equally wide bars from the 1st to the 99th percentile of both samples (sorted).

    The end bars take what lies beyond, infinite values too, which have no say in the percentiles. Whole
    numbers get bars a whole number wide: else some would hold more of them than others and draw a comb that
    the data do not have.
    """
    inner = [side for side in map(finite, (x, y)) if len(side)]
    low = min(side[len(side) // 100] for side in inner)
    high = max(side[-1 - len(side) // 100] for side in inner)
    if low == high:
        low, high = min(side[0] for side in inner), max(side[-1] for side in inner)
    if x.dtype.kind in "iu" and x.dtype == y.dtype:
        low, high = int(low), int(high)
        step = -(-(high - low + 1) // N_BARS)
        edges = np.array(range(low + step, high + 1, step), x.dtype)
        return _between(x, edges), _between(y, edges)
    low, high = float(low), float(high)
    width = high - low
    if width < 2**53 and all(map(_whole, inner)):
        step = np.ceil((width + 1) / N_BARS)
        edges = low + step * np.arange(1, np.ceil((width + 1) / step))
    else:
        # not through the width, which may be beyond the largest float
        part = np.arange(1, N_BARS) / N_BARS
        edges = low * (1 - part) + high * part
    return _between(x, edges), _between(y, edges)


def _between(x: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.diff(np.searchsorted(x, edges), prepend=0, append=len(x))


def finite(x: np.ndarray) -> np.ndarray:
    """The finite part of sorted `x`."""
    if x.dtype.kind != "f":
        return x
    return x[np.searchsorted(x, -np.inf, "right") : np.searchsorted(x, np.inf, "left")]


def _whole(x: np.ndarray) -> bool:
    return x.dtype.kind in "iu" or bool(np.all(x == np.floor(x)))
