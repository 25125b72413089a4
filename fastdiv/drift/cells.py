r"""A column of more numbers than are kept: counted in cells, with a proven bound on the error of W1.

The cells
    Doubles are ordered as their bit patterns are, once those of negative numbers are turned round. A cell is
    all patterns that agree but for their last `k` bits, so cells of `k + 1` are pairs of cells of `k`:
    nested, whatever the data. `k` is the smallest at which no more than a stated number of cells hold a
    value, but at most 52, where a cell is a binade. Hence every cell lies in one binade, where doubles are
    equally spaced. Each cell holds the count of its values, their smallest and largest, and the exact sum of
    their distances from its start, in units of that spacing: whole numbers all, so that adding them up knows
    no order.

The same state for any split and order
    A part occupies no more cells than the whole, so its `k` is no larger than the whole's; coarsening adds
    counts and sums and takes extremes, which commutes with adding other data. Merging at the larger `k` and
    coarsening on to the first `k` that suits therefore ends at the state of the whole, bit for bit.

The bound
    Between cells F - G is constant and known. Let a cell that holds values of either side span from `a` to
    `b`, the smallest and the largest of both, of width w, and let F rise there from F_0 to F_1, G from G_0 to
    G_1. Three facts are known of f = F - G on [a, b): its ends; that -N <= f <= P with P = F_1 - G_0 and
    N = G_1 - F_0, for both rise; and, from the sums, D = its integral. If P <= 0 or N <= 0 then f has one
    sign and the integral of \|f\| *is* \|D\|. Else \|f\|, convex in f, lies above its mean's (Jensen) and
    under its chord from -N to P,

    .. math:: |D| \;\le\; \int_a^b |f| \;\le\; \int_a^b \Big(N + (f + N)\frac{P - N}{P + N}\Big)
              = \frac{2PNw + D(P - N)}{P + N}.

    The value given is between the two: what f would have if it went straight from one end to the other, or
    the nearer limit. The bound is the sum over cells of how far either limit is from it, at most the sum of
    mass times width of the cells in which the curves may cross; all others are exact. 2^-48 of the value, and
    of mass times width, is added for rounding, and half the spacing of doubles at the farthest value where
    whole numbers beyond 2^53 were rounded to doubles: moving every value by d moves W1 by d at most.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

__all__ = ["LAST_K", "Cells", "doubles_of", "shifted", "starts_of", "union", "w1"]

_TOP = np.uint64(1 << 63)
_SIGN = np.int64(-(1 << 63))
_HALF = np.uint64(26)  # sums of offsets below 2^52 are held in two parts of 26 bits: exact for 2^37 values
LAST_K = 52


def keys_of(x: np.ndarray) -> np.ndarray:
    """Whole numbers that are ordered as the doubles `x` are, none of them -0.0."""
    bits = x.astype(np.float64, copy=False).view(np.int64)
    # of negative numbers every bit is turned round, of others the sign
    keys: np.ndarray = (bits ^ (bits >> 63 | _SIGN)).view(np.uint64)
    return keys


def doubles_of(keys: np.ndarray) -> np.ndarray:
    """The way back."""
    bits = keys.view(np.int64)
    return (bits ^ (~(bits >> 63) | _SIGN)).view(np.float64)


@dataclass(frozen=True)
class Cells:
    """Counts of a multiset of numbers, in the occupied cells of 2^k doubles each, in ascending order.

    Attributes
    ----------
    k : int
    keys, counts : ndarray
        Of each cell: the key of its values without their last k bits, and how many there are.
    low, high : ndarray
        The sum of the values' last k bits: of the lower 26 of them, and of those above.
    first, last : ndarray
        The keys of the smallest and the largest value.
    whole : bool
        The numbers were of an integer type.
    rounded : bool
        Some were whole numbers beyond 2^53, taken as the doubles nearest to them.
    """

    k: int
    keys: np.ndarray
    counts: np.ndarray
    low: np.ndarray
    high: np.ndarray
    first: np.ndarray
    last: np.ndarray
    whole: bool = False
    rounded: bool = False

    @staticmethod
    def of(values: np.ndarray, counts: np.ndarray) -> Cells:
        """Of ascending values, as often as `counts` says, each in a cell of its own."""
        keys = keys_of(values)
        nothing = np.zeros(len(keys), np.uint64)
        alone = Cells(0, keys, counts, nothing, nothing, keys, keys, **_kind_of(values))
        # the same value again, or another that is rounded to the same double
        return alone.coarsened(0, always=True) if np.any(keys[1:] == keys[:-1]) else alone

    @staticmethod
    def each(values: np.ndarray, k: int) -> Cells:
        """Of ascending values, none of them -0.0, in cells of 2^k doubles: sooner than by way of `of`."""
        from fastdiv import _wasserstein

        found = _wasserstein.nested(np.ascontiguousarray(values, np.float64), k)
        return _of_rows(k, found, values)

    @staticmethod
    def counted(values: np.ndarray, k: int) -> Cells | None:
        """The same of values in any order; None where a sort is the better way."""
        from fastdiv import _wasserstein

        dtype = np.dtype(np.float64) if values.dtype == np.float16 else values.dtype.newbyteorder("=")
        found = _wasserstein.nested_of(np.ascontiguousarray(values, dtype), k)
        return None if found is None else _of_rows(k, found, values)

    @staticmethod
    def of_more_than(kept: int, values: np.ndarray, most: int) -> Cells | None:
        """Of ascending values, none of them -0.0, if more than `kept` differ: what ``of`` their counts, and
        ``fitted``, would be. None too where whole numbers are no doubles: rounded, they differ otherwise."""
        from fastdiv import _wasserstein

        if len(values) <= kept or _kind_of(values)["rounded"]:
            return None
        wide = np.ascontiguousarray(values, np.float64)
        occupied = _wasserstein.nested_occupied(wide)
        if occupied[0] <= kept:
            return None
        k = next((k for k in range(LAST_K) if occupied[k] <= most), LAST_K)
        return _of_rows(k, _wasserstein.nested(wide, k), values)

    def merged(self, other: Cells) -> Cells:
        k = max(self.k, other.k)
        a, b = self.coarsened(k), other.coarsened(k)
        keys = np.concatenate([a.keys, b.keys])
        order = np.argsort(keys, kind="stable")
        both = [
            np.concatenate([getattr(a, name), getattr(b, name)])[order]
            for name in ("counts", "low", "high", "first", "last")
        ]
        whole, rounded = a.whole and b.whole, a.rounded or b.rounded
        return _gathered(k, keys[order], *both, whole=whole, rounded=rounded)

    def fitted(self, most: int) -> Cells:
        """In the smallest cells of which no more than `most` are occupied."""
        low, high = self.k, LAST_K
        while low < high:
            middle = (low + high) // 2
            if self._occupied(middle) <= most:
                high = middle
            else:
                low = middle + 1
        return self.coarsened(low)

    def _occupied(self, k: int) -> int:
        keys = self.keys >> np.uint64(k - self.k)
        return 1 + int(np.count_nonzero(keys[1:] != keys[:-1]))

    def coarsened(self, k: int, always: bool = False) -> Cells:
        if k == self.k and not always:
            return self
        # where a cell begins, seen from the larger cell that it becomes a part of
        start = (self.keys << np.uint64(self.k)) & _mask(k)
        counts = self.counts.astype(np.uint64)
        low, high = self.low + counts * (start & _mask(26)), self.high + counts * (start >> _HALF)
        keys = self.keys >> np.uint64(k - self.k)
        return _gathered(
            k, keys, self.counts, low, high, self.first, self.last, whole=self.whole, rounded=self.rounded
        )

    # -- what it knows of the numbers ----------------------------------------------------------------------

    # What each comparison asks for is worked out once: of a baseline, for all of them.

    @cached_property
    def upto(self) -> np.ndarray:
        """How many values there are before each cell, and in all."""
        upto = np.zeros(len(self.counts) + 1, np.int64)
        np.cumsum(self.counts, out=upto[1:])
        return upto

    @cached_property
    def total(self) -> int:
        return int(self.upto[-1])

    @cached_property
    def spacing(self) -> np.ndarray:
        """Of doubles, in each cell."""
        return _spacing_at(self.first)

    @cached_property
    def _laid(self) -> tuple[np.ndarray, bool]:
        from fastdiv import _wasserstein

        means, inside = _wasserstein.nested_means(self.arrays, self.k)
        return means, inside

    @property
    def means(self) -> np.ndarray:
        """Of the values of each cell."""
        return self._laid[0]

    @property
    def sound(self) -> bool:
        """Every cell has its mean between its smallest and its largest value."""
        return self._laid[1]

    @property
    def arrays(self) -> tuple[np.ndarray, ...]:
        """What compiled code takes of them."""
        return tuple(
            np.ascontiguousarray(x)
            for x in (self.keys, self.counts, self.low, self.high, self.first, self.last)
        )

    def finite(self) -> Cells:
        """Without infinite values, which are in cells of their own, first and last."""
        if np.isfinite(doubles_of(self.first[[0, -1]])).all():
            return self
        inner = np.isfinite(doubles_of(self.first))
        fields = (self.keys, self.counts, self.low, self.high, self.first, self.last)
        keys, counts, low, high, first, last = (field[inner] for field in fields)
        return Cells(self.k, keys, counts, low, high, first, last, self.whole, self.rounded)

    @property
    def mean(self) -> float:
        low, scale, _, _, mean = self._spread
        return shifted(low, scale, mean)

    @property
    def _spread(self) -> tuple[float, float, np.ndarray, np.ndarray, float]:
        """The smallest value, a scale (1e200 squared is no float); from there in it: means, shares, mean."""
        low, high = doubles_of(np.array([self.first[0], self.last[-1]])).tolist()
        scale = max(abs(low), abs(high)) or 1.0
        rise, share = self.means / scale - low / scale, self.counts / self.total
        return low, scale, rise, share, float(np.sum(share * rise))

    @cached_property
    def moments(self) -> tuple[float, float]:
        """The mean, and the standard deviation as if each cell's values lay as on a line through its mean.

        With lowest value l, highest h and mean m their variance is between 0 and (h - m)(m - l) (Bhatia and
        Davis); a third of that is taken, which is right for evenly spread values.
        """
        low, scale, rise, share, mean = self._spread
        first, last, means = doubles_of(self.first), doubles_of(self.last), self.means
        within = np.maximum((last - means) / scale * ((means - first) / scale), 0.0) / 3
        variance = float(np.sum(share * ((rise - mean) ** 2 + within)))
        return shifted(low, scale, mean), float(scale * np.sqrt(variance))


def _spacing_at(keys: np.ndarray) -> np.ndarray:
    """Of doubles, where the keys are."""
    magnitudes = np.where(keys & _TOP, keys, ~keys) & ~_TOP
    exponents = np.maximum(magnitudes >> np.uint64(52), 1).astype(np.int64)
    spacing: np.ndarray = np.ldexp(1.0, (exponents - 1075).astype(np.intc))
    return spacing


def _kind_of(values: np.ndarray) -> dict[str, bool]:
    whole = values.dtype.kind in "iu"
    far = whole and values.itemsize == 8 and max(-int(values.min()), int(values.max())) > 2**53
    return {"whole": whole, "rounded": far}


def _of_rows(k: int, rows: np.ndarray, values: np.ndarray) -> Cells:
    keys, counts, low, high, first, last = rows
    return Cells(k, keys, counts.view(np.int64), low, high, first, last, **_kind_of(values))


def _mask(bits: int) -> np.uint64:
    return np.uint64((1 << bits) - 1)


def _gathered(
    k: int, keys: np.ndarray, counts: np.ndarray, low: np.ndarray, high: np.ndarray, first: np.ndarray,
    last: np.ndarray, **kind: Any,
) -> Cells:  # fmt: skip
    """Cells that are one where their keys are; the keys ascend."""
    at = starts_of(keys)
    low, high = np.add.reduceat(low, at), np.add.reduceat(high, at)
    return Cells(
        k,
        keys[at],
        np.add.reduceat(counts, at),
        low & _mask(26),
        high + (low >> _HALF),
        np.minimum.reduceat(first, at),
        np.maximum.reduceat(last, at),
        **kind,
    )


def shifted(low: float, scale: float, mean: float) -> float:
    """low + scale * mean, where the product may be no double and the sum is."""
    moved = low + scale * mean
    return moved if np.isfinite(moved) else low + scale / 2 * mean + scale / 2 * mean


def starts_of(x: np.ndarray) -> np.ndarray:
    """Where each run of equal values begins."""
    return np.flatnonzero(np.append(True, x[1:] != x[:-1]))


def union(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """The values of both, ascending and each once."""
    both: np.ndarray = np.sort(np.concatenate([a, b]), kind="stable")  # which merges what ascends
    once: np.ndarray = both[np.append(True, both[1:] != both[:-1])]
    return once


def w1(u: Cells, v: Cells) -> tuple[float, float]:
    """W1 between two multisets of finite numbers in cells of one size, and a bound on its error."""
    from fastdiv import _wasserstein

    ends = doubles_of(np.concatenate([u.first[:1], v.first[:1], u.last[-1:], v.last[-1:]]))
    size = float(np.abs(ends).max())
    # so far out that a difference may be no double: a power of two brings it back
    shrink = 2.0**-10 if size > 2.0**1000 else 1.0
    value, bound = _wasserstein.nested_distance(u.arrays, v.arrays, u.k, shrink)
    if u.rounded or v.rounded:
        bound += (u.rounded + v.rounded) * float(np.spacing(size)) / 2 * shrink
    return value / shrink, bound / shrink
