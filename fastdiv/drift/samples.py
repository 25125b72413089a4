"""A side of a comparison: its numbers in order, one by one or each once with how often it occurs.

Which of the two is decided by the numbers alone, however they came in, so that a table and what a baseline
holds of it are compared by the same sums in the same order.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import frexp, fsum, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from fastdiv.drift.cells import shifted, starts_of

if TYPE_CHECKING:
    from fastdiv.drift.columns import Column

__all__ = [
    "FEW",
    "TIES",
    "Sample",
    "are_whole",
    "ascending",
    "finite",
    "moments",
    "once",
    "order_of",
    "scale_of",
    "tallied",
]

# So many values are looked at before all are.
_FIRST = 4096

# Each value once with its count takes as long as so many one by one; and few are done with at once.
TIES, FEW = 8, 1 << 14


@dataclass(frozen=True)
class Sample:
    """Ascending values, none of them -0.0.

    Attributes
    ----------
    values : ndarray
    counts : ndarray, optional
        How often each occurs, which is once then in `values`: of many values of which an eighth differ at
        most. Of weighted values and of cells these need be no whole numbers.
    """

    values: np.ndarray
    counts: np.ndarray | None = None

    @staticmethod
    def of(column: Column, values: np.ndarray | None = None) -> Sample:
        """Of a column without weights; `values`, of its numbers, in the type in which they are compared."""
        x, counts = column.numbers if values is None else values, column.counts
        if column.sample is not None and x is column.numbers:
            return column.sample
        if counts is None:
            tally = tallied(x)
            return Sample.gathered(ascending(x)) if tally is None else Sample.gathered(*tally)
        return Sample.gathered(x, counts)

    @staticmethod
    def gathered(x: np.ndarray, counts: np.ndarray | None = None) -> Sample:
        """Of values that ascend."""
        n = len(x) if counts is None else int(counts.sum())
        m = 0 if n <= FEW else 1 + int(np.count_nonzero(x[1:] != x[:-1]))
        if n <= FEW or TIES * m > n:
            return Sample(x if counts is None or len(x) == n else np.repeat(x, counts))
        return Sample(x, counts) if counts is not None and m == len(x) else Sample(*once(x, counts))

    @cached_property
    def upto(self) -> np.ndarray:
        """How many there are before each value, and in all."""
        assert self.counts is not None
        upto = np.zeros(len(self.counts) + 1, self.counts.dtype)
        np.cumsum(self.counts, out=upto[1:])
        return upto

    @property
    def total(self) -> Any:
        return len(self.values) if self.counts is None else self.upto[-1].item()

    def before(self, at: Any) -> Any:
        """How many there are before the places `at` of the values."""
        return at if self.counts is None else self.upto[at]

    def at(self, ranks: Any) -> Any:
        """The values of these ranks, counted from 0."""
        if self.counts is not None:
            ranks = np.minimum(self.upto[1:].searchsorted(ranks, "right"), len(self.values) - 1)
        return self.values[ranks]

    def once(self) -> tuple[np.ndarray, np.ndarray]:
        """Each value once, and how often it occurs."""
        return once(self.values) if self.counts is None else (self.values, self.counts)

    def counted(self) -> np.ndarray:
        """How often each of the values is meant."""
        return np.ones(len(self.values), np.int64) if self.counts is None else self.counts

    def finite(self) -> Sample:
        inner = finite(self.values)
        if inner == slice(0, len(self.values)):
            return self
        return Sample.gathered(self.values[inner], None if self.counts is None else self.counts[inner])

    @cached_property
    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation."""
        return moments(self.values, self.counts)


def once(x: np.ndarray, counts: np.ndarray | None = None) -> tuple[np.ndarray, np.ndarray]:
    """Of values that ascend, and how often each is meant: each once, and how often it occurs."""
    at = starts_of(x)
    many = np.diff(at, append=len(x)) if counts is None else np.add.reduceat(counts, at)
    return x[at], many.astype(np.int64, copy=False)


def finite(x: np.ndarray) -> slice:
    """Where the finite part of sorted `x` is."""
    if x.dtype.kind != "f":
        return slice(0, len(x))
    return slice(int(x.searchsorted(-np.inf, "right")), int(x.searchsorted(np.inf, "left")))


def are_whole(x: np.ndarray) -> bool:
    """Numbers are whole, of whatever type."""
    some = x[:_FIRST]
    return x.dtype.kind in "iu" or bool(np.all(some == np.floor(some)) and np.all(x == np.floor(x)))


# -- in order ------------------------------------------------------------------------------------------------


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


# -- moments -------------------------------------------------------------------------------------------------


def scale_of(low: float, high: float) -> float:
    """The power of two by which values between these are divided to be squared: 1e200 squared is no float."""
    return 2.0 ** min(max(frexp(max(abs(low), abs(high)))[1], -1000), 1023)


_BLOCK = 1 << 15


def moments(x: np.ndarray, counts: np.ndarray | None = None) -> tuple[float, float]:
    """Mean and standard deviation of sorted values, from the median on.

    A far origin costs no digits, nor does the mean, which is no more than a standard deviation from there:
    the squares are at most twice the variance.
    """
    sample = Sample(x, counts)
    n = sample.total
    low, high, middle = x[0].item(), x[-1].item(), sample.at(n // 2).item()
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
            if counts is None:
                sums.append(float(rise.sum()))
                squares.append(float(np.square(rise, out=rise).sum()))
            else:
                times = rise * counts[i : i + _BLOCK]
                sums.append(float(times.sum()))
                squares.append(float((times * rise).sum()))
    mean = fsum(sums) / n
    variance = max(fsum(squares) / n - mean * mean, 0.0)
    return shifted(middle, scale, mean), scale * sqrt(variance)
