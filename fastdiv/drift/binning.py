"""Bins that the baseline fixes, and the bars a histogram is drawn with.

Everything here works on sorted arrays, so that counting a bin is two binary searches. A cut lies just
before or just after a value, never at a rounded number between two: that counts integers of every size
exactly, and gives a value that is repeated often a bin of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastdiv.drift.cells import Cells, doubles_of, union
from fastdiv.drift.samples import FEW, TIES, Sample, are_whole

__all__ = [
    "MIN_PER_BIN",
    "N_BARS",
    "Cuts",
    "Bars",
    "bar_edges",
    "bars",
    "between",
    "cell_bars",
    "cell_cuts",
    "count",
    "count_cells",
    "cuts_at",
    "each_value",
    "ends_of",
    "mostly_once",
    "quantile_cuts",
    "value_cuts",
]

N_BARS = 20

# A quantile bin holds this many baseline values or more, else there are fewer bins: emptier ones would move
# by chance alone.
MIN_PER_BIN = 5


@dataclass(frozen=True, slots=True)
class Cuts:
    """Increasing places to cut at: just before `at`, or just after it where `after` is true."""

    at: np.ndarray
    after: np.ndarray


def quantile_cuts(x: Sample, bins: int) -> Cuts:
    """Cuts at the quantiles of finite `x`, from just before its minimum to just after its maximum.

    A value that two or more quantiles fall on is cut off on both sides.
    """
    return cuts_at(x.at(_places(x.total, bins)), x.values[-1:])


def cuts_at(at: np.ndarray, last: np.ndarray) -> Cuts:
    """Cuts at quantiles, the last of which is the maximum, given once more."""
    # the last quantile is the maximum, which closes its bin rather than opening one
    heavy = at[:-1][at[1:] == at[:-1]]
    return _merged(at[:-1], np.append(heavy, last))


def _places(n: int, bins: int) -> np.ndarray:
    """Where the quantiles of n sorted values are."""
    bins = min(bins, max(1, n // MIN_PER_BIN))
    return np.minimum(np.arange(bins + 1) * n // bins, n - 1)


def value_cuts(x: Sample, most: int) -> Cuts | None:
    """Cuts around each value of `x`, if there are at most `most` and half of them occur twice."""
    if len(x.values) > max(TIES * most, FEW):  # then more than `most` differ
        return None
    if x.counts is None and np.count_nonzero(x.values[1:] != x.values[:-1]) >= most:
        return None
    values, counts = x.once()
    return None if len(values) > most or mostly_once(counts) else each_value(values)


def each_value(values: np.ndarray) -> Cuts:
    return _merged(values, values)


def mostly_once(counts: np.ndarray) -> bool:
    return 2 * int(np.count_nonzero(counts == 1)) > len(counts)


def _merged(before: np.ndarray, after: np.ndarray) -> Cuts:
    before, after = np.unique(before), np.unique(after)
    at = np.concatenate([before, after])
    is_after = np.repeat([False, True], [len(before), len(after)])
    order = np.lexsort([is_after, at])
    return Cuts(at[order], is_after[order])


def ends_of(x: np.ndarray, cuts: Cuts) -> np.ndarray:
    """How many values of sorted `x` lie before each cut."""
    left, right = np.searchsorted(x, cuts.at, "left"), np.searchsorted(x, cuts.at, "right")
    return np.where(cuts.after, right, left)


def count(x: Sample, cuts: Cuts) -> np.ndarray:
    """How many values of `x` lie in each bin: below the first cut, between cuts, above the last."""
    return between(x, ends_of(x.values, cuts))


class Bars(NamedTuple):
    """Counts of both sides, and what the bars run from and to; None where each is of one value."""

    baseline: np.ndarray
    current: np.ndarray
    ends: tuple[float, float] | None = None


def bars(x: Sample, y: Sample) -> Bars:
    """Counts in equally wide bars from the 1st to the 99th percentile of both samples.

    The end bars take what lies beyond, infinite values too, which have no say in the percentiles. Whole
    numbers get bars a whole number wide: else some would hold more of them than others and draw a comb that
    the data do not have.
    """
    inner = [side for side in (x.finite(), y.finite()) if len(side.values)]
    low = min(side.at(side.total // 100) for side in inner)
    high = max(side.at(side.total - 1 - side.total // 100) for side in inner)
    edges, ends = bar_edges([side.values for side in inner], low, high)
    u, v = (between(side, side.values.searchsorted(edges)) for side in (x, y))
    return Bars(u, v, ends)


def bar_edges(inner: Sequence[np.ndarray], low: Any, high: Any) -> tuple[np.ndarray, tuple[Any, Any]]:
    """Where bars meet, from percentiles of finite samples; and where the first begins and the last ends."""
    if low == high:
        low, high = min(side[0] for side in inner), max(side[-1] for side in inner)
    dtype = inner[0].dtype
    if dtype.kind in "iu" and all(side.dtype == dtype for side in inner):
        edges = np.array(_whole_edges(int(low), int(high)), dtype)
    else:
        edges = _edges(float(low), float(high), all(map(are_whole, inner)))
    return edges, (low.item(), high.item())


def _whole_edges(low: int, high: int) -> range:
    step = -(-(high - low + 1) // N_BARS)
    return range(low + step, high + 1, step)


def _edges(low: float, high: float, whole: bool) -> np.ndarray:
    width = high - low
    if width < 2**53 and whole:
        step = np.ceil((width + 1) / N_BARS)
        edges: np.ndarray = low + step * np.arange(1, np.ceil((width + 1) / step))
        return edges
    # not through the width, which may be beyond the largest float
    part = np.arange(1, N_BARS) / N_BARS
    return low * (1 - part) + high * part


def between(x: Sample, ends: np.ndarray) -> np.ndarray:
    """How many values lie before the first end, between ends, and from the last on."""
    return np.diff(x.before(ends), prepend=0, append=x.total)


# -- in cells ------------------------------------------------------------------------------------------------


def cell_cuts(x: Cells, bins: int, continuous: bool = False) -> np.ndarray:
    """The keys of the cells before which a bin begins or ends, by the rules for values applied to cells."""
    if not continuous and len(x.keys) <= bins and not mostly_once(x.counts):
        return union(x.keys, x.keys + np.uint64(1))
    at = x.keys[np.searchsorted(x.upto[1:], _places(x.total, bins), "right")]
    heavy = at[:-1][at[1:] == at[:-1]]
    return union(at[:-1], np.append(heavy, x.keys[-1:]) + np.uint64(1))


def count_cells(x: Cells, edges: np.ndarray) -> np.ndarray:
    """How many values lie before the first edge, between edges, after the last; edges are keys of cells."""
    return _summed(x, x.keys.searchsorted(edges))


def cell_bars(x: Cells, y: Cells, whole: bool) -> Bars:
    """Bars as of samples; a cell lies where its mean does."""
    low, high = [], []
    for side in (x.finite(), y.finite()):
        if n := side.total:
            ends = np.searchsorted(side.upto[1:], [n // 100, n - 1 - n // 100], "right")
            low.append(doubles_of(side.first[ends[:1]])[0])
            high.append(doubles_of(side.last[ends[1:]])[0])
    bottom, top = float(min(low)), float(max(high))
    edges = np.array(_whole_edges(int(bottom), int(top)), float) if whole else _edges(bottom, top, False)
    u, v = (_summed(side, side.means.searchsorted(edges)) for side in (x, y))
    return Bars(u, v, (bottom, top))


def _summed(x: Cells, ends: np.ndarray) -> np.ndarray:
    """How many values lie in the cells before the first end, between ends, and from the last on."""
    return np.diff(x.upto[ends], prepend=0, append=x.total)
