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
        keys, counts, low, high, first, last = found
        return Cells(k, keys, counts.view(np.int64), low, high, first, last, **_kind_of(values))

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
    def rises(self) -> np.ndarray:
        """The mean distance of each cell's values from the smallest, in units of the spacing."""
        if self.k == 0:
            return np.zeros(len(self.keys))
        # whole numbers to the end: a narrow heap at the far end of a wide cell keeps its digits
        start = self.first & _mask(self.k)
        low = self.low.astype(np.int64) - self.counts * (start & _mask(26)).astype(np.int64)
        high = self.high.astype(np.int64) - self.counts * (start >> _HALF).astype(np.int64)
        high, low = high + (low >> 26), low & (2**26 - 1)
        rises: np.ndarray = (high * 2.0**26 + low) / self.counts
        return rises

    @cached_property
    def means(self) -> np.ndarray:
        """Of the values of each cell."""
        if self.k == 0:
            return doubles_of(self.keys)
        with np.errstate(invalid="ignore"):  # infinite ones
            return doubles_of(self.first) + np.where(self.rises > 0, self.rises * self.spacing, 0.0)

    def finite(self) -> Cells:
        """Without infinite values, which are in cells of their own, first and last."""
        if np.isfinite(doubles_of(self.first[[0, -1]])).all():
            return self
        inner = np.isfinite(doubles_of(self.first))
        fields = (self.keys, self.counts, self.low, self.high, self.first, self.last)
        keys, counts, low, high, first, last = (field[inner] for field in fields)
        return Cells(self.k, keys, counts, low, high, first, last, self.whole, self.rounded)

    @cached_property
    def moments(self) -> tuple[float, float]:
        """The mean, and the standard deviation as if each cell's values lay as on a line through its mean.

        With lowest value l, highest h and mean m their variance is between 0 and (h - m)(m - l) (Bhatia and
        Davis); a third of that is taken, which is right for evenly spread values.
        """
        first, last = doubles_of(self.first), doubles_of(self.last)
        low = first[0]
        scale = max(abs(low), abs(last[-1])) or 1.0  # 1e200 squared is no float
        means, share = self.means, self.counts / self.total
        rise = means / scale - low / scale
        mean = float(np.sum(share * rise))
        within = np.maximum((last - means) / scale * ((means - first) / scale), 0.0) / 3
        variance = float(np.sum(share * ((rise - mean) ** 2 + within)))
        return shifted(float(low), float(scale), mean), float(scale * np.sqrt(variance))


def _spacing_at(keys: np.ndarray) -> np.ndarray:
    """Of doubles, where the keys are."""
    magnitudes = np.where(keys & _TOP, keys, ~keys) & ~_TOP
    exponents = np.maximum(magnitudes >> np.uint64(52), 1).astype(np.int64)
    spacing: np.ndarray = np.ldexp(1.0, (exponents - 1075).astype(np.intc))
    return spacing


def _kind_of(values: np.ndarray) -> dict[str, bool]:
    whole = values.dtype.kind in "iu"
    return {"whole": whole, "rounded": whole and max(abs(int(x)) for x in values[[0, -1]]) > 2**53}


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
    ends = doubles_of(np.concatenate([u.first[:1], v.first[:1], u.last[-1:], v.last[-1:]]))
    size = float(np.abs(ends).max())
    # so far out that a difference may be no double: a power of two brings it back
    shrink = 2.0**-10 if size > 2.0**1000 else 1.0
    keys, *places = _places(u.keys, v.keys)
    at = keys << np.uint64(u.k)
    a, b = (_Spread(side, at, place) for side, place in zip((u, v), places, strict=True))
    first, last = np.minimum(a.first, b.first), np.maximum(a.last, b.last)
    spacing = _spacing_at(at) * shrink
    width = (last - first) * spacing
    # F and G in whole numbers, over the product of the sizes: equals are equal, and tails keep digits
    n, m = a.total, b.total
    if n * m < 2**62:
        a_0, a_1, b_0, b_1 = a.before * m, a.after * m, b.before * n, b.after * n
    else:
        a_0, a_1, b_0, b_1 = (
            x.astype(object) * c for x, c in ((a.before, m), (a.after, m), (b.before, n), (b.after, n))
        )
    f_0, f_1 = ((x / (n * m)).astype(np.float64, copy=False) for x in (a_0 - b_0, a_1 - b_1))
    # the integral of F over the cell: what it had before, and each value's mass from there to the end
    signed = f_0 * width + (a.mass_to(last) - b.mass_to(last)) * spacing
    area = np.abs(signed)
    bound = 2.0**-48 * float(np.sum((a.counts / n + b.counts / m) * width))
    mixed = np.flatnonzero((a_1 > b_0) & (b_1 > a_0) & (width > 0))
    if len(mixed):
        p, q = (
            (x / (n * m)).astype(np.float64, copy=False)
            for x in (a_1[mixed] - b_0[mixed], b_1[mixed] - a_0[mixed])
        )
        sure, wide, f, g = (x[mixed] for x in (area, width, f_0, f_1))
        most = np.maximum((2 * p * q * wide + signed[mixed] * (p - q)) / (p + q), sure)
        with np.errstate(invalid="ignore"):  # both may be 0
            straight = wide * (f**2 + g**2) / (2 * (np.abs(f) + np.abs(g)))
        given = np.where(f * g < 0, np.clip(straight, sure, most), sure)
        area[mixed] = given
        bound += float(np.sum(np.maximum(most - given, given - sure)))
    start = doubles_of(at) * shrink
    between = (start + first * spacing)[1:] - (start + last * spacing)[:-1]
    value = float(np.sum(between * np.abs(f_1[:-1])) + np.sum(area))
    bound += 2.0**-48 * value
    if u.rounded or v.rounded:
        bound += (u.rounded + v.rounded) * float(np.spacing(size)) / 2
    return value / shrink, bound / shrink


def _places(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The values of both ascending arrays, each once; where those of either are among them."""
    both = np.concatenate([a, b])
    order = np.argsort(both, kind="stable")  # which merges what ascends
    both = both[order]
    once = np.append(True, both[1:] != both[:-1])
    places = np.empty(len(both), np.intp)
    places[order] = np.cumsum(once) - 1
    return both[once], places[: len(a)], places[len(a) :]


class _Spread:
    """One side laid out over the cells of both; ends in units of the spacing, from the start of the cell."""

    def __init__(self, side: Cells, start: np.ndarray, at: np.ndarray) -> None:
        n, own = len(start), start[at]
        self.counts = np.zeros(n, np.int64)
        self.counts[at] = side.counts
        self.after = np.cumsum(self.counts)
        self.before = self.after - self.counts
        self.total = side.total
        self.first, self.last = np.full(n, np.inf), np.full(n, -np.inf)
        self.first[at] = (side.first - own).astype(np.float64)
        self.last[at] = (side.last - own).astype(np.float64)
        self.at, self.side = at, side

    def mass_to(self, last: np.ndarray) -> np.ndarray:
        """In each cell: every value's mass times the way from there to `last`."""
        total, at = np.zeros(len(last)), self.at
        total[at] = self.side.counts / self.total * (last[at] - self.first[at] - self.side.rises)
        return total
