"""For test suites: ``assert_same_distribution``."""

from __future__ import annotations

from math import isqrt, sqrt
from typing import TYPE_CHECKING, Any

import numpy as np

from fastdiv import _divergences
from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_exact_numbers
from fastdiv._checks.samples import common

if TYPE_CHECKING:
    from fastdiv._typing import Row

__all__ = ["assert_same_distribution"]

_OF_SAMPLES = ("wasserstein", "energy", "ks")
_BATCH = 1 << 16  # counts that are drawn at a time


def assert_same_distribution(
    a: Row,
    b: Row,
    *,
    counts: bool = False,
    statistic: str | None = None,
    alpha: float = 0.001,
    permutations: int = 9999,
    seed: int | np.random.Generator | None = 0,
) -> None:
    r"""Raise an AssertionError if two samples, or two histograms, can hardly come from one distribution.

    The statistic is compared with what it is when the pooled values are dealt out anew at random to samples
    of the same sizes. The p-value is :math:`(k + 1)/(m + 1)` if k of m such permutations are at least as far
    apart: a test of two samples of one distribution fails with a probability of at most `alpha`, exactly, for
    any sizes, ties and tails.

    Parameters
    ----------
    a, b : array_like
        Vectors: the values of two samples, or with `counts` the counts of two histograms on the same bins.
    counts : bool, default False
        Whether they are counts.
    statistic : str, optional
        Of samples "wasserstein" (default), "energy" or "ks"; of counts "js" (default: the Jensen-Shannon
        divergence) or "psi" (the population stability index, half a count added to each bin).
    alpha : float, default 0.001
        The level: how often two samples of one distribution may fail, if the seeds differ.
    permutations : int, default 9999
        How many at most; it ends early where the outcome is certain. At least 1/alpha - 1.
    seed : int, numpy.random.Generator or None, default 0
        Of the permutations.

    Returns
    -------
    None
        Where nothing speaks against one distribution.

    Raises
    ------
    AssertionError
        With the statistic, the p-value, and sizes, means and standard deviations, or the bin that moved most.
    ValueError
        Arrays that are no vectors, empty or with NaN or infinite values, counts that are no whole numbers, an
        option out of range.
    TypeError
        Entries that are not real numbers.

    Notes
    -----
    O(n log n + m sqrt(n)) time for n values and m permutations where they differ clearly, O(m n) at most,
    and for n bins; by (k + 1)/(m + 1) > alpha, equal distributions are let pass after some 2 alpha m of them.

    References
    ----------
    .. [1] B. Phipson, G. K. Smyth, "Permutation p-values should never be zero", Statistical Applications in
       Genetics and Molecular Biology 9 (2010) 39.

    Examples
    --------
    >>> import numpy as np
    >>> from fastdiv.testing import assert_same_distribution
    >>> rng = np.random.default_rng(1)
    >>> assert_same_distribution(rng.normal(size=200), rng.normal(size=300))
    >>> assert_same_distribution([30, 50, 20], [60, 110, 35], counts=True)
    >>> assert_same_distribution([30, 50, 20], [20, 30, 90], counts=True)
    Traceback (most recent call last):
    AssertionError: a and b differ: js = 0.105, p = 0.0001 <= alpha = 0.001 (0 of 9999 permutations as far
    apart); 100 and 140 counts, most in bin 2: 20 % and 64.3 %
    """
    level, m = _level(alpha), opt.count(permutations, "permutations")
    if (m + 1) * level < 1:
        raise ValueError(
            f"permutations must be at least 1/alpha - 1 = {int(np.ceil(1 / level - 1))}, not {m}"
        )
    x, y = _vector(a, "a"), _vector(b, "b")
    known = ("js", "psi") if counts else _OF_SAMPLES
    name = known[0] if statistic is None else statistic
    if name not in known:
        raise ValueError(f"statistic must be one of {', '.join(known)}, not {statistic!r}")
    rng = np.random.default_rng(seed)
    test = _Histograms(x, y, name) if counts else _Samples(x, y, name)
    seen = test.seen()
    bar, done, as_far = seen * (1 - 1e-12), 0, 0  # equal permutations differ in the last digits
    while done < m and (as_far + 1) / (m + 1) <= level:
        size = min(m - done, max(1, min(done, _BATCH // test.width)), 1 + _BATCH // test.width)
        as_far += test.as_far(rng, size, bar)
        done += size
    p = (as_far + 1) / (m + 1)
    if p <= level:
        raise AssertionError(
            f"a and b differ: {name} = {seen:.3g}, p = {p:.3g} <= alpha = {level:g} "
            f"({as_far} of {m} permutations as far apart); {test.told()}"
        )


class _Samples:
    """Values, dealt out anew: the sorted pool stays, and whose each value is changes.

    With f = F - G and dx the gaps between neighbours of the pool, the statistics are the sum of |f| dx, the
    root of that of 2 f^2 dx, and the largest |f| where dx > 0. After r of N values, c of which are of the
    smaller side of n, |f| is |c N - r n| / (n (N - n)): whole numbers, so equal permutations are equal.

    How many of each block of neighbours are of the smaller side is drawn first. Within a block of s values
    with k of these, c N - r n rises by k (N - n) at most and falls by (s - k) n: mostly the statistic is
    below the bar wherever they lie in the blocks.
    """

    def __init__(self, x: np.ndarray, y: np.ndarray, name: str) -> None:
        self.first, self.second, self.name = x, y, name
        if len(x) + len(y) >= 10**9:  # as far as NumPy draws
            raise ValueError(f"a and b must have fewer than 10^9 values, not {len(x) + len(y)}")
        pool = np.concatenate(common(x, y))
        order = np.argsort(pool, kind="stable")
        pool, self.unit = pool[order], 1.0
        if pool.dtype.kind == "f":  # the difference of 1e308 and -1e308 is no double
            self.unit = float(np.abs(pool[[0, -1]]).max()) or 1.0
            pool = pool / self.unit
        self.gaps = np.append(np.diff(pool).astype(np.float64), 0.0)
        total, few = len(pool), min(len(x), len(y))
        of_first = order < len(x)
        self.few, self.many = few, total - few
        self.ones = of_first if few == len(x) else ~of_first
        self.starts = np.arange(0, total, max(1, isqrt(total) // 2))
        self.sizes = np.diff(self.starts, append=total)
        self.width = len(self.starts)

    def seen(self) -> float:
        return float(self._of_heights(self._heights(self.ones), self.gaps))

    def as_far(self, rng: np.random.Generator, size: int, bar: float) -> int:
        """How many of `size` permutations reach the bar."""
        counts = rng.multivariate_hypergeometric(self.sizes, self.few, size=size, method="marginals")
        up, down = counts * self.many, (self.sizes - counts) * self.few
        start = np.cumsum(up - down, axis=1) - (up - down)
        wide = np.add.reduceat(self.gaps, self.starts)
        most = self._of_heights(np.maximum(start + up, down - start), wide)
        near = counts[most >= bar * (1 - 1e-9)]
        return sum(self._of_heights(self._heights(self._dealt(rng, row)), self.gaps) >= bar for row in near)

    def _dealt(self, rng: np.random.Generator, counts: np.ndarray) -> np.ndarray:
        """Marks on so many values of each block."""
        wide = int(self.sizes[0])
        ones = rng.permuted(np.arange(wide) < counts[:-1, None], axis=1)
        last = rng.permuted(np.arange(self.sizes[-1]) < counts[-1])
        return np.append(ones, last)

    def _heights(self, ones: np.ndarray) -> np.ndarray:
        ends = np.arange(1, len(ones) + 1)
        return np.abs(np.cumsum(ones) * (self.few + self.many) - self.few * ends)

    def _of_heights(self, heights: np.ndarray, gaps: np.ndarray) -> Any:
        """The statistic of |c N - r n| over the gaps."""
        heights, unit = heights.astype(np.float64), 1 / (self.few * self.many)
        if self.name == "ks":
            return np.max(heights, axis=-1, where=gaps > 0, initial=0.0) * unit
        if self.name == "energy":
            return np.sqrt(2 * (heights * heights @ gaps)) * sqrt(self.unit) * unit
        return heights @ gaps * unit * self.unit

    def told(self) -> str:
        (mean, sd), (mean_b, sd_b) = map(_moments, (self.first, self.second))
        return (
            f"{len(self.first)} and {len(self.second)} values, means {mean:.4g} and {mean_b:.4g}, "
            f"standard deviations {sd:.4g} and {sd_b:.4g}"
        )


class _Histograms:
    """Counts, whose single events are dealt out anew: a multivariate hypergeometric law."""

    def __init__(self, x: np.ndarray, y: np.ndarray, name: str) -> None:
        if len(x) != len(y):
            raise ValueError(f"a and b must have the same number of bins, not {len(x)} and {len(y)}")
        x, y = x.astype(np.float64), y.astype(np.float64)  # whose sums do not wrap round
        for counts, side in ((x, "a"), (y, "b")):
            bad = (counts < 0) | (counts != np.floor(counts))
            if bad.any():
                i = int(bad.argmax())
                raise ValueError(
                    f"{side} must hold counts, whole numbers from 0 on, not {counts[i]} in bin {i}"
                )
            if not 0 < counts.sum() < 10**9:
                raise ValueError(f"{side} must hold from 1 to 10^9 counts, not {counts.sum():g}")
        self.first, self.second, self.statistic = x.astype(np.int64), y.astype(np.int64), _of_pairs(name)
        self.pool, self.width = self.first + self.second, len(x)

    def seen(self) -> float:
        return float(self.statistic(self.first, self.second))

    def as_far(self, rng: np.random.Generator, size: int, bar: float) -> int:
        n = int(self.first.sum())
        rows = rng.multivariate_hypergeometric(self.pool, n, size=size, method="marginals")
        return int(np.count_nonzero(self.statistic(rows, self.pool - rows) >= bar))

    def told(self) -> str:
        n, m = int(self.first.sum()), int(self.second.sum())
        p, q = self.first / n, self.second / m
        i = int(np.abs(p - q).argmax())
        return f"{n} and {m} counts, most in bin {i}: {100 * p[i]:.3g} % and {100 * q[i]:.3g} %"


def _of_pairs(name: str) -> Any:
    """The statistic of rows against rows."""
    if name == "js":
        return _divergences.js_divergence
    return lambda p, q: _divergences.jeffreys_divergence(p, q, pseudocount=0.5)


def _moments(x: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation; the square of 1e200 is no double, nor is that of 1e-200."""
    if x.dtype.kind in "iu":
        low = int(x.min())
        part = (x.astype(np.uint64) - np.uint64(low % 2**64)).astype(np.float64)  # wraps round, as it must
        return low + float(part.mean()), float(part.std())
    scale = float(np.abs(x).max()) or 1.0
    part = x / scale
    return float(part.mean()) * scale, float(part.std()) * scale


def _level(alpha: Any) -> float:
    level = opt.positive(alpha, "alpha")
    if not level < 1:
        raise ValueError(f"alpha must be between 0 and 1, not {alpha!r}")
    return level


def _vector(values: Any, name: str) -> np.ndarray:
    array = as_exact_numbers(values, name)
    if array.ndim != 1 or not array.size:
        raise ValueError(f"{name} must be a vector with an entry at least, not of shape {array.shape}")
    if array.dtype.kind in "iu":
        return array  # beyond 2^53 not every one is a double
    array = array.astype(np.float64)
    bad = ~np.isfinite(array)
    if bad.any():
        raise ValueError(f"{name} must be finite, not {array[bad.argmax()]} as at {int(bad.argmax())}")
    return array
