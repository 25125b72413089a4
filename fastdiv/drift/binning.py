"""Bins that the baseline fixes, and the bars a histogram is drawn with.

Everything here works on sorted arrays, so that counting a bin is two binary searches. A cut lies just
before or just after a value, never at a rounded number between two: that counts integers of every size
exactly, and gives a value that is repeated often a bin of its own.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import frexp, fsum, sqrt
from typing import Any, NamedTuple

import numpy as np

from fastdiv.drift.cells import Cells, doubles_of, shifted, union

__all__ = [
    "MIN_PER_BIN",
    "N_BARS",
    "Cuts",
    "are_whole",
    "ascending",
    "Bars",
    "bar_edges",
    "bars",
    "cell_bars",
    "cell_cuts",
    "count",
    "count_cells",
    "cuts_at",
    "each_value",
    "ends_of",
    "finite",
    "moments",
    "mostly_once",
    "order_of",
    "quantile_cuts",
    "scale_of",
    "tallied",
    "value_cuts",
]

N_BARS = 20

# So many values are looked at before all are.
_FIRST = 4096

# A quantile bin holds this many baseline values or more, else there are fewer bins: emptier ones would move
# by chance alone.
MIN_PER_BIN = 5


@dataclass(frozen=True, slots=True)
class Cuts:
    """Increasing places to cut at: just before `at`, or just after it where `after` is true."""

    at: np.ndarray
    after: np.ndarray


def quantile_cuts(x: np.ndarray, bins: int) -> Cuts:
    """Cuts at the quantiles of sorted, finite `x`, from just before its minimum to just after its maximum.

    A value that two or more quantiles fall on is cut off on both sides.
    """
    return cuts_at(x[_places(len(x), bins)], x[-1:])


def cuts_at(at: np.ndarray, last: np.ndarray) -> Cuts:
    """Cuts at quantiles, the last of which is the maximum, given once more."""
    # the last quantile is the maximum, which closes its bin rather than opening one
    heavy = at[:-1][at[1:] == at[:-1]]
    return _merged(at[:-1], np.append(heavy, last))


def _places(n: int, bins: int) -> np.ndarray:
    """Where the quantiles of n sorted values are."""
    bins = min(bins, max(1, n // MIN_PER_BIN))
    return np.minimum(np.arange(bins + 1) * n // bins, n - 1)


def value_cuts(x: np.ndarray, most: int) -> Cuts | None:
    """Cuts around each value of sorted `x`, if there are at most `most` and half of them occur twice."""
    if _distinct(x[:_FIRST]) > most:
        return None
    starts = np.append(True, x[1:] != x[:-1])
    if np.count_nonzero(starts) > most:
        return None
    starts = np.flatnonzero(starts)
    if mostly_once(np.diff(starts, append=len(x))):
        return None
    return each_value(x[starts])


def each_value(values: np.ndarray) -> Cuts:
    return _merged(values, values)


def _distinct(x: np.ndarray) -> int:
    return len(x) and 1 + int(np.count_nonzero(x[1:] != x[:-1]))


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


def count(x: np.ndarray, cuts: Cuts) -> np.ndarray:
    """How many values of sorted `x` lie in each bin: below the first cut, between cuts, above the last."""
    return np.diff(ends_of(x, cuts), prepend=0, append=len(x))


class Bars(NamedTuple):
    """Counts of both sides, and what the bars run from and to; None where each is of one value."""

    baseline: np.ndarray
    current: np.ndarray
    ends: tuple[float, float] | None = None


def bars(x: np.ndarray, y: np.ndarray) -> Bars:
    """Counts in equally wide bars from the 1st to the 99th percentile of both samples (sorted).

    The end bars take what lies beyond, infinite values too, which have no say in the percentiles. Whole
    numbers get bars a whole number wide: else some would hold more of them than others and draw a comb that
    the data do not have.
    """
    inner = [side for side in map(finite, (x, y)) if len(side)]
    low = min(side[len(side) // 100] for side in inner)
    high = max(side[-1 - len(side) // 100] for side in inner)
    edges, ends = bar_edges(inner, low, high)
    return Bars(_between(x, edges), _between(y, edges), ends)


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


def _between(x: np.ndarray, edges: np.ndarray) -> np.ndarray:
    return np.diff(np.searchsorted(x, edges), prepend=0, append=len(x))


def finite(x: np.ndarray) -> np.ndarray:
    """The finite part of sorted `x`."""
    if x.dtype.kind != "f":
        return x
    return x[np.searchsorted(x, -np.inf, "right") : np.searchsorted(x, np.inf, "left")]


def are_whole(x: np.ndarray) -> bool:
    """Numbers are whole, of whatever type."""
    some = x[:_FIRST]
    return x.dtype.kind in "iu" or bool(np.all(some == np.floor(some)) and np.all(x == np.floor(x)))


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


def ascending(x: np.ndarray) -> np.ndarray:
    """`x` sorted and in native byte order, a copy; no 0.0 is -0.0, whatever the order was."""
    x = x.astype(x.dtype.newbyteorder("="), copy=False)
    if x.size and (x.dtype.kind == "f" or _doubles(x)):  # as doubles, which is sooner by far than np.sort
        from fastdiv import _wasserstein

        wide = np.ascontiguousarray(x, np.float64)
        placed = np.empty_like(wide)
        _wasserstein.ascending(wide, placed)
        placed[np.searchsorted(placed, 0.0) : np.searchsorted(placed, 0.0, "right")] = 0.0
        return placed.astype(x.dtype, copy=False)
    return np.sort(x)


# So many whole numbers, within so wide a range, are counted each in its place.
_PLACES = 1 << 16


def tallied(x: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """Of many whole numbers near each other: the distinct ones, ascending, and how often each occurs."""
    if x.dtype.kind not in "iu" or len(x) < _PLACES:
        return None
    low = x.min()
    if int(x.max()) - int(low) >= _PLACES:
        return None
    wide = x.dtype.newbyteorder("=") if x.dtype.itemsize == 8 else np.dtype(np.int64)
    counts = np.bincount((x.astype(wide, copy=False) - wide.type(low)).astype(np.intp, copy=False))
    places = np.flatnonzero(counts)
    values = (places.astype(wide) + wide.type(low)).astype(x.dtype.newbyteorder("="), copy=False)
    return values, counts[places]


def order_of(x: np.ndarray) -> np.ndarray:
    """The positions of the values of `x`, which has no NaN, in ascending order."""
    if not (x.size and (x.dtype.kind == "f" or _doubles(x))):
        return np.argsort(x)
    from fastdiv import _wasserstein

    wide = np.ascontiguousarray(x, np.float64)
    order = np.empty(len(wide), np.intp)
    _wasserstein.order(wide, order, np.empty_like(wide))
    return order


def _doubles(x: np.ndarray) -> bool:
    """Every value of an integer type is a double."""
    return x.dtype.itemsize < 8 or -(2**53) <= int(x.min()) <= int(x.max()) <= 2**53


def scale_of(low: float, high: float) -> float:
    """The power of two by which values between these are divided to be squared: 1e200 squared is no float."""
    return 2.0 ** min(max(frexp(max(abs(low), abs(high)))[1], -1000), 1023)


_BLOCK = 1 << 15


def moments(x: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of sorted values, from the median on.

    A far origin costs no digits, nor does the mean, which is no more than a standard deviation from there:
    the squares are at most twice the variance.
    """
    low, high, middle = x[0].item(), x[-1].item(), x[len(x) // 2].item()
    wide = x.dtype.kind == "f" or high - low >= 2**63
    scale = scale_of(low, high) if wide else 1.0
    sums, squares = [], []
    for i in range(0, len(x), _BLOCK):  # which the caches hold
        block = x[i : i + _BLOCK]
        with np.errstate(under="ignore"):
            if wide:
                rise = block.astype(np.float64) * (1 / scale) - middle / scale
            else:
                whole = block if x.dtype.itemsize == 8 else block.astype(np.int64)
                rise = ((whole - whole.dtype.type(low)).astype(np.int64) - (middle - low)).astype(np.float64)
            sums.append(float(rise.sum()))
            squares.append(float(np.square(rise, out=rise).sum()))
    mean = fsum(sums) / len(x)
    variance = max(fsum(squares) / len(x) - mean * mean, 0.0)
    return shifted(middle, scale, mean), scale * sqrt(variance)
