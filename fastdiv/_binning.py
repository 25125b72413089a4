"""Bins that the baseline fixes, and the bars a histogram is drawn with.

Everything here works on sorted arrays, so that counting a bin is two binary searches. A cut lies just
before or just after a value, never at a rounded number between two: that counts integers of every size
exactly, and gives a value that is repeated often a bin of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["Cuts", "bars", "count", "quantile_cuts", "value_cuts"]

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
    """Counts in equally wide bars from the 1st to the 99th percentile of both samples (sorted, finite).

    The end bars take what lies beyond. Whole numbers get bars a whole number wide: else some would hold
    more of them than others and draw a comb that the data do not have.
    """
    low = min(x[len(x) // 100], y[len(y) // 100])
    high = max(x[-1 - len(x) // 100], y[-1 - len(y) // 100])
    if low == high:
        low, high = min(x[0], y[0]), max(x[-1], y[-1])
    low, high = float(low), float(high)
    width = high - low
    if width < 2**53 and _whole(x) and _whole(y):
        step = np.ceil((width + 1) / N_BARS)
        inner = low + step * np.arange(1, np.ceil((width + 1) / step))
    else:
        # not through the width, which may be beyond the largest float
        part = np.arange(1, N_BARS) / N_BARS
        inner = low * (1 - part) + high * part
    u, v = (np.diff(np.searchsorted(side, inner), prepend=0, append=len(side)) for side in (x, y))
    return u, v


def _whole(x: np.ndarray) -> bool:
    return x.dtype.kind in "iu" or bool(np.all(x == np.floor(x)))
