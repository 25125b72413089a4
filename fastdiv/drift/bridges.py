r"""The law of W1 where nothing has changed: Brownian bridges, or permutations.

sqrt(nm / (n + m)) W1 tends to the integral of \|B(F(x))\| dx, B a Brownian bridge, F what both sides are
samples of. 999 bridges are drawn once, on places dense towards 0 and 1, and a column only says how much
of the axis each place stands for. p = (k + 1) / 1000 with k draws at or above; beyond the tenth largest
draw the tail goes on as that of the integral of B dx, which is normal with the variance of F: of all
functionals under the modulus it has the largest, which rules far out.

Where places of which either side is to have fewer than 5 values make up more than a twentieth of it, as with
far tails and small samples, 1999 draws are of n and m of N = n + m values in random order, and W1 is that of
the values at hand: after r of them, c of the smaller side n, F - G is (c / n - r / N) N / m, straight while c
does not rise, so that sums over blocks of ranks tell the integral. No normal law holds far out there, for
the largest value alone may make W1 jump: p is (k + 1) / 2000, and where no draw is at or above, the tail goes
on as Chernoff's bound for the sum S of the smaller side's values, each z in it with the chance rho = n / N,

.. math:: P(S \ge s) \le \inf_\theta \exp\Big(\sum_z \log(1 - \rho + \rho e^{\theta z}) - \theta s\Big).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from math import ceil, erfc, exp, frexp, isfinite, sqrt
from typing import TYPE_CHECKING

import numpy as np

from fastdiv.drift.cells import starts_of
from fastdiv.drift.samples import Sample

if TYPE_CHECKING:
    from fastdiv.drift.cells import Cells

__all__ = ["Spread", "cells_spread", "spread", "w1_law"]

DRAWS, SHUFFLED = 999, 1999
_TAIL = 10
_FAR = 2048  # values at most, at each end, that are taken as they are
_SHORT = 2 * _FAR  # so many values on both sides together are all taken as they are

_OUT = 2.0 ** -np.arange(24, 4, -1 / 3)
_PLACES = np.concatenate([_OUT, np.arange(3.0, 46) / 48, 1 - _OUT[::-1]])
_MIDDLES = (_PLACES[1:] + _PLACES[:-1]) / 2
_VARIANCES = _PLACES * (1 - _PLACES)
_DEVIATIONS = np.sqrt(_VARIANCES)
_OUTER = np.minimum(_PLACES, 1 - _PLACES)


@cache
def _bridges() -> tuple[np.ndarray, np.ndarray]:
    """Moduli of bridges at the places, and their means."""
    u = _PLACES
    steps = np.diff(u, prepend=0.0, append=1.0)
    walk = np.cumsum(
        np.random.default_rng(20261126).normal(size=(DRAWS, len(steps))) * np.sqrt(steps), axis=1
    )
    return _with_means(np.abs(walk[:, :-1] - u * walk[:, -1:]))


def _with_means(draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    return draws.astype(np.float32), draws.mean(axis=0, dtype=np.float64)


@cache
def _covariance() -> np.ndarray:
    """Of the bridges, not of their moduli."""
    u = _PLACES
    found: np.ndarray = np.minimum(u[:, None], u) - u[:, None] * u
    return found


def _near(n: int, bits: int) -> int:
    """n to so many bits: columns that miss some values each share the draws."""
    digits, power = frexp(n)
    return n if n < 1 << bits else int(round(digits * (1 << bits)) * 2 ** (power - bits))


@lru_cache(16)
def _shuffled(n: int, m: int) -> tuple[np.ndarray, np.ndarray]:
    """Ranks of n + m values, the first and last 16 and a quarter apart between, and draws in random order.

    Of each draw, the share of the n that is among so many first, less 1 in the upper half.
    """
    total = n + m
    near = np.unique(np.append(np.arange(1, 17), (16 * 2.0 ** np.arange(0, 48, 1 / 3)).astype(np.int64)))
    ranks = near[near <= total // 2]
    ranks = np.unique(np.concatenate([ranks, total - ranks]))
    held = np.diff(ranks, prepend=0, append=total)
    rng = np.random.default_rng(20261126)
    if total < 10**9:  # as far as NumPy goes
        each = rng.multivariate_hypergeometric(held, n, size=SHUFFLED, method="marginals")
        drawn = np.cumsum(each, axis=1)[:, :-1].astype(np.float64)
    else:
        free = np.cumsum(rng.binomial(held, n / total, size=(SHUFFLED, len(held))), axis=1)
        drawn = free[:, :-1] - (free[:, -1:] - n) * (ranks / total)
    return ranks, ((drawn - np.where(2 * ranks > total, n, 0)) / n).astype(np.float32)


@lru_cache(8)
def _apart(n: int, m: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Ranks of n and m values, n at most m, and how far c / n is from r / N there, by draw and on average."""
    total = n + m
    near = _near(n, 9), _near(m, 5)  # how much one of the n makes W1 jump matters more
    drawn_at, shares = _shuffled(*near)
    # by rank from the nearer end while the smaller side is to have but few, then by share
    lower = 2 * drawn_at <= sum(near)
    rank = np.where(lower, drawn_at, sum(near) - drawn_at)
    rank = np.where(
        rank * near[0] < 5 * sum(near), rank, np.rint(rank * (total / sum(near))).astype(np.int64)
    )
    rank = np.minimum(rank, total // 2)
    ends = np.concatenate([[0], np.where(lower, rank, total - rank), [total]])
    level = np.where(lower, rank, -rank) / total
    return ends, *_with_means(np.abs(shares - level.astype(np.float32)))


@dataclass(frozen=True, slots=True)
class _Runs:
    """Places that ascend: each once, and where it stands for the first time."""

    places: np.ndarray
    starts: np.ndarray

    @staticmethod
    def of(places: np.ndarray) -> _Runs:
        starts = starts_of(places) if len(places) else np.empty(0, np.intp)
        return _Runs(places[starts], starts)

    def summed(self, x: np.ndarray, n: int) -> np.ndarray:
        """The sums of what stands at each of n places."""
        total = np.zeros(n)
        total[self.places] = np.add.reduceat(x, self.starts)
        return total


@lru_cache(64)
def _few(n: int) -> np.ndarray:
    """The deviations at the places beyond which the smaller side is to have fewer than 5 of its n values."""
    return np.where(_OUTER * n < 5, _DEVIATIONS, 0.0)


@dataclass(frozen=True, slots=True)
class Spread:
    """Where both sides' values lie on the axis, which is `size` long from the first to the last.

    `weight` is how much of it, in its whole, each place of the bridges stands for. Where the law is one of
    permutations `pool` has places, from the first on, and how many values there are up to each (None: one
    more): all of few values, of many the farthest, and quantiles between them.
    """

    size: float
    weight: np.ndarray
    pool: tuple[np.ndarray, np.ndarray | None] | None = None


def spread(*sides: Sample) -> Spread:
    """Of two samples: of few values at all of them, else at the quantiles of either."""
    n, m = (max(1, round(side.total)) for side in sides)
    plain = all(side.counts is None for side in sides)
    if n + m <= _SHORT:
        pooled = np.concatenate([side.values for side in sides])
        if plain:
            return _of_few(np.sort(pooled, kind="stable"), None, n, m)
        order, counts = np.argsort(pooled, kind="stable"), np.concatenate([side.counted() for side in sides])
        return _of_few(pooled[order], np.cumsum(counts[order], dtype=np.float64), n, m)
    places = np.concatenate([side.at(_ranks(many)) for side, many in zip(sides, (n, m), strict=True)])
    places.sort()
    once = places[1:] != places[:-1]
    if not once.all():
        places = places[np.append(True, once)]
    total = sum(side.total for side in sides)
    before, upto = (
        sum(side.before(side.values.searchsorted(places, end)) for side in sides) / total
        for end in ("left", "right")
    )
    return _with_pool(_rises(places, places[0]), before, upto, sides, n, m)


def cells_spread(x: Cells, y: Cells) -> Spread:
    """The same of cells, each taken as if all its values were its mean."""
    return spread(Sample(x.means, x.counts), Sample(y.means, y.counts))


@lru_cache(16)
def _scales(total: int) -> tuple[_Runs, np.ndarray]:
    return _nearest(np.arange(1.0, total) / total)


def _of_few(values: np.ndarray, upto: np.ndarray | None, n: int, m: int) -> Spread:
    """Of all values, and how many there are up to each."""
    at = _rises(values, values[0])
    size = float(at[-1])
    weight = _weight(at, size, *(_scales(len(at)) if upto is None else _nearest(upto[:-1] / upto[-1])))
    return Spread(size, weight, (at, upto) if _has_far(weight, n, m) else None)


def _has_far(weight: np.ndarray, n: int, m: int) -> bool:
    """Far values of which either side is to have but a few: where they fall is no matter of normal laws."""
    return bool(weight @ _few(min(n, m)) > 0.05 * (weight @ _DEVIATIONS))


def _with_pool(
    at: np.ndarray,
    before: np.ndarray,
    upto: np.ndarray,
    sides: Sequence[Sample],
    n: int,
    m: int,
) -> Spread:
    level = (upto[:-1] + before[1:]) / 2
    size = float(at[-1])
    weight = _weight(at, size, *_nearest(level))
    if not _has_far(weight, n, m):
        return Spread(size, weight)
    total = n + m
    far = min(max(16, ceil(5 * total / min(n, m))), _FAR)
    short = all(len(side.values) <= 2 * far for side in sides)
    if short and all(side.counts is None for side in sides):
        values = np.sort(np.concatenate([side.values for side in sides]), kind="stable")
        return Spread(size, weight, (_rises(values, values[0]), None))
    values, counts = (np.concatenate(x) for x in zip(*(_ends(side, far) for side in sides), strict=True))
    order = np.argsort(values, kind="stable")
    values, counts = _rises(values[order], values[order[0]]), counts[order].astype(np.float64)
    if short:
        return Spread(size, weight, (values, np.cumsum(counts)))
    low, high = values[:far], values[-far:]
    first, last = np.cumsum(counts[:far]), total - np.append(0, np.cumsum(counts[:-far:-1]))[::-1]
    inner = np.flatnonzero((low[-1] <= at[:-1]) & (at[:-1] < high[0]))
    between = np.clip(level[inner] * total, first[-1], max(first[-1], last[0]))
    pool = np.concatenate([low, at[inner], high]), np.concatenate([first, between, last])
    return Spread(size, weight, pool)


def _ends(side: Sample, far: int) -> tuple[np.ndarray, np.ndarray]:
    """The first and the last values, and how many there are of each: of what is not counted one."""
    values, counts = side.values, side.counts
    if counts is None:
        counts = np.broadcast_to(np.int8(1), len(values))
    if len(values) <= 2 * far:
        return values, counts
    return tuple(np.concatenate([x[:far], x[-far:]]) for x in (values, counts))  # type: ignore[return-value]


@lru_cache(64)
def _ranks(n: int) -> np.ndarray:
    inner = np.floor(_PLACES * n).astype(np.intp)
    return np.unique(np.concatenate([[0], inner, [n - 1]]))


def _rises(places: np.ndarray, first: np.generic) -> np.ndarray:
    """From the first: whole numbers of any size keep their differences."""
    if places.dtype.kind in "iu":
        wide = places.astype(np.int64 if places.dtype.kind == "i" else np.uint64).view(np.uint64)
        whole: np.ndarray = (wide - np.uint64(int(first) % 2**64)).astype(np.float64)  # wraps round
        return whole
    wide = places.astype(np.float64, copy=False)
    if isfinite(float(wide[-1]) - float(first)):
        rises: np.ndarray = wide - float(first)
    else:
        with np.errstate(over="ignore"):
            rises = np.minimum(wide - float(first), np.finfo(np.float64).max)
    return rises


def _nearest(level: np.ndarray) -> tuple[_Runs, np.ndarray]:
    """The place of the bridges nearest to each ascending level, and how much more a bridge deviates there."""
    nearest = _MIDDLES.searchsorted(level)
    return _Runs.of(nearest), np.sqrt(level * (1 - level) / _VARIANCES[nearest])


def _weight(at: np.ndarray, size: float, nearest: _Runs, scale: np.ndarray) -> np.ndarray:
    gaps = at[1:] - at[:-1]
    if not 1e-280 < size < 1e300:  # a sum of so large ones is no double, and so small ones have few digits
        with np.errstate(over="ignore"):  # of 1 / size: NumPy 1.26 fills up its vectors with 1s
            gaps, size = gaps / (size or 1.0), 1.0
    gaps *= scale
    return nearest.summed(gaps, len(_PLACES)) / size


def w1_law(places: Spread, n: int, m: int, w1: float) -> tuple[float, float]:
    """The mean of W1 under no change, and the p-value of `w1`, in the unit of the places."""
    size = places.size
    if not size > 0:
        return 0.0, 1.0
    if places.pool is not None:
        return _permuted(*places.pool, n, m, w1)
    weight = places.weight
    bridges, mean = _bridges()
    drawn = bridges @ weight.astype(np.float32)
    apart = sqrt(1 / n + 1 / m)
    floor = float(mean @ weight) * apart * size
    t = w1 / size / apart  # of a size that is subnormal the product may be 0
    above = int(np.count_nonzero(drawn >= t))
    if above >= _TAIL:
        return floor, (above + 1) / (DRAWS + 1)
    sd = sqrt(2 * float(weight @ _covariance() @ weight))
    last = float(np.partition(drawn, -_TAIL)[-_TAIL])
    return floor, min(1.0, (_TAIL + 1) / (DRAWS + 1) * erfc(t / sd) / erfc(last / sd))


def _permuted(rises: np.ndarray, upto: np.ndarray | None, n: int, m: int, w1: float) -> tuple[float, float]:
    """The same by permutations of values that ascend from 0 on, up to each of which there are so many."""
    n, m, total = min(n, m), max(n, m), n + m
    size = float(rises[-1])
    values = rises / size
    ends, apart, mean = _apart(n, m)
    hats = _hats(values, *(_tents_of(n, m) if upto is None else _tents(ends, upto)), len(ends))
    drawn = apart @ hats.astype(np.float32)
    t = w1 / size * (m / total)
    above = int(np.count_nonzero(drawn >= t * (1 - 2.0**-16)))  # equal sums differ by their rounding
    floor, p = float(mean @ hats) * (total / m) * size, (above + 1) / (SHUFFLED + 1)
    if above == 0:
        last = float(np.partition(drawn, -2 * _TAIL)[-2 * _TAIL])
        sums = np.array([t, last]) * n
        far, here = _chernoff(
            values, np.ones(total) if upto is None else np.diff(upto, prepend=0), n / total, sums
        ).tolist()
        p *= min(1.0, (2 * _TAIL + 1) * exp(far - here))
    return floor, p


@lru_cache(8)
def _tents_of(n: int, m: int) -> tuple[_Runs, np.ndarray]:
    return _tents(_apart(n, m)[0], np.arange(1.0, n + m + 1))


def _tents(ranks: np.ndarray, upto: np.ndarray) -> tuple[_Runs, np.ndarray]:
    """The last of the ranks up to each count but the last one, and how far that is on the way to the next."""
    upto = upto[:-1]
    before = np.minimum(ranks.searchsorted(upto, "right"), len(ranks) - 1) - 1
    return _Runs.of(before), np.clip(
        (upto - ranks[before]) / np.maximum(ranks[before + 1] - ranks[before], 1), 0.0, 1.0
    )


def _hats(values: np.ndarray, before: _Runs, along: np.ndarray, ranks: int) -> np.ndarray:
    """What each of the inner ranks weighs in an integral over the axis of what is linear between ranks."""
    gaps = values[1:] - values[:-1]
    after = gaps * along
    weight = before.summed(gaps - after, ranks)
    weight[1:] += before.summed(after, ranks - 1)
    return weight[1:-1]


def _chernoff(values: np.ndarray, held: np.ndarray, rho: float, sums: np.ndarray) -> np.ndarray:
    """The logarithm of the bound, on both sides, at each of two sums of some of the values."""
    few = max(1, len(values) // 128)  # of which there may be thousands: means of neighbours
    at = np.unique(np.concatenate([np.arange(min(64, len(values))), np.arange(0, len(values), few),
                                   np.arange(max(0, len(values) - 64), len(values))]))  # fmt: skip
    values, held = np.add.reduceat(values * held, at), np.add.reduceat(held, at)
    values = values / np.maximum(held, 1)
    z = values - values @ held / held.sum()
    variance = rho * (1 - rho) * float(z * z @ held)
    if variance == 0:
        return np.zeros(len(sums))
    theta = sums.max() / variance * 2.0 ** np.arange(3, -21, -0.5)
    found = []
    for side in (z, -z):
        tilt = theta[:, None] * side
        inner = np.log1p(rho * np.expm1(np.minimum(tilt, 700.0))) + np.maximum(tilt - 700.0, 0.0)
        found.append(-np.max(theta * sums[:, None] - inner @ held, axis=1, initial=0.0))
    both: np.ndarray = np.logaddexp(*found)
    return both
