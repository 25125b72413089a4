r"""What distances are where nothing has changed: both sides are samples of one law, of the sizes they have.

Bins
    Given how many values `t` of both sides lie in each bin, the baseline's counts `p` are a draw without
    replacement: independent Binomial(t, n / N), given that they add up to n. So the mean and the variance of
    any sum of f(p) over bins follow from those of single bins, S being the sum of the counts:

    .. math:: E = \sum E f - \frac{\sum \mathrm{Cov}(g, (p - Ep)^2)}{2 \mathrm{Var} S}, \qquad
       V = \sum \mathrm{Var} f - \frac{(\sum \mathrm{Cov}(f, p))^2}{\mathrm{Var} S}
           - \frac{(\sum \mathrm{Cov}(g, (p - Ep)^2))^2}{2 (\mathrm{Var} S)^2},

    where g is f without the line through it that S takes out, p times the sum of Cov(f, p) over Var S: of few
    values among many p is skewed, and a line has a covariance with the square, too.

    Of Pearson's statistic they are k - 1 and 2(k - 1), those of chi-square, to which JS, KL and PSI tend
    after scaling. The p-value is the tail of the chi-square law that is scaled, and has its degrees of
    freedom, so that mean and variance of the JS divergence are these: no count is too small for it. Of two
    bins it is that of two shares.

Bins whose ends are quantiles of the baseline
    Cuts at its order statistics give its counts no freedom, but the current's one of the same size more: the
    mass between neighbours is random. The law of the difference is the same, except beyond the ends: no value
    of the baseline lies there, and of the current G > 0 whose law is known: of n + m values in random order,
    those before the first and after the last of the baseline,

    .. math:: P(G \ge s) = \prod_{i < s} \frac{m - i}{n + m - i} \Big(1 + \frac{s n}{n + m - s}\Big).

    This is a test of its own (Rosenbaum); for the other, the outer bins are taken with their neighbours.

Two shares
    Fisher's exact test; that of two proportions where no expected count is below 100.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from math import erfc, exp, inf, lgamma, log, log1p, pi, prod, sqrt
from operator import add
from typing import Any

import numpy as np

from fastdiv.information import js_divergence

__all__ = [
    "METHODS",
    "BinsLaw",
    "bins_law",
    "chi_square_tail",
    "share_noise",
    "share_test",
]

# As reports name them.
METHODS = {
    "bins": "chi-square with the mean and variance of permuted counts, and Rosenbaum's test beyond the range",
    "w1": "Brownian bridges, or permutations where tails are far",
    "missing": "Fisher's exact test, or two proportions where 100 are expected",
}


def chi_square_tail(x: float, df: float) -> float:
    """P(chi-square of `df` degrees of freedom > x): the regularised incomplete gamma function Q(df/2, x/2).

    By the power series below the mean, by the continued fraction (Lentz) above; both converge in some
    multiple of sqrt(df) steps.
    """
    if x <= 0:
        return 1.0
    a, x = df / 2, x / 2
    scale = a * log(x) - x - lgamma(a)
    if x < a + 1:
        term = total = 1 / a
        i = a
        while term > total * 1e-16:
            i += 1
            term *= x / i
            total += term
        return max(0.0, 1 - exp(scale) * total)
    if scale < -745:
        return 0.0
    b = x + 1 - a
    c, d = inf, 1 / b
    fraction = d
    for i in range(1, 100_000):
        step = i * (a - i)
        b += 2
        d = 1 / (step * d + b)
        c = b + step / c
        fraction *= c * d
        if abs(c * d - 1) < 1e-15:
            break
    return min(1.0, exp(scale) * fraction)


# -- bins ----------------------------------------------------------------------------------------------------

# Counts expected to be at least so many are taken as normal; the nodes of a sum over the normal law. From
# _LARGE on the limits of means and variances are right to 1 / 400 and 1 / 50.
_MANY, _LARGE = 50, 200
_Z = np.linspace(-6, 6, 49)
_NORMAL = np.exp(-(_Z**2) / 2) * (_Z[1] - _Z[0]) / sqrt(2 * pi)


@dataclass(frozen=True, slots=True)
class BinsLaw:
    """Means under no change of JS (divergence), KL(current || baseline) and PSI in nats; and a p-value."""

    js: float
    kl: float
    psi: float
    p: float


def bins_law(
    p: np.ndarray,
    q: np.ndarray,
    pseudocount: float,
    ends: tuple[bool, bool] | None = None,
    loose: int = 2,
    sizes: tuple[int, int] | None = None,
) -> BinsLaw:
    """Of bins with counts `p` and `q`, which need be no whole numbers where rows have weights.

    `ends` is None for bins that no order statistic made; else it says whether the first and the last bin
    lie beyond all values of the baseline. `loose` of its ends are no value that fills a bin: beyond such a
    one nothing is to be expected. `sizes` are what the counts add up to, where that is known.
    """
    n, m = sizes or (max(1, round(float(counts.sum()))) for counts in (p, q))
    bins = len(p)
    beyond = 1.0
    extra: Sequence[float] = (0.0,) * 6
    if ends is not None:
        outer = min(m, round(float((q[0] if ends[0] else 0) + (q[-1] if ends[1] else 0))))
        beyond = _beyond(outer, n, m)
        extra = [loose * x for x in _end_means(n, m, pseudocount, bins + 2 - sum(ends))]
        p, q = _folded(p, ends), _folded(q, ends)
    if len(p) < 2:
        return _told(extra, beyond)
    found, variance = _moments(np.rint(p + q), n, m, pseudocount, bins)
    mean = found[0]
    if len(p) == 2:
        tail = share_test(round(float(p[0])), n, round(float(q[0])), m)
    elif variance <= 0:
        tail = 1.0
    else:
        js = float(js_divergence(p, q))
        tail = chi_square_tail(2 * js * mean / variance, 2 * mean**2 / variance)
    return _told(list(map(add, found, extra)), tail if ends is None else min(1.0, 2 * min(tail, beyond)))


def _told(found: Sequence[float], p: float) -> BinsLaw:
    """The means; inf where it is as likely as not that a bin makes the sum infinite (without pseudocount)."""
    pairs = zip(found[:3], found[3:], strict=True)
    js, kl, psi = (inf if chance >= 0.5 else max(x, 0.0) for x, chance in pairs)
    return BinsLaw(js, kl, psi, p)


def _folded(counts: np.ndarray, ends: tuple[bool, bool]) -> np.ndarray:
    counts = counts.copy()
    if ends[0] and len(counts) > 1:
        counts[1] += counts[0]
        counts = counts[1:]
    if ends[1] and len(counts) > 1:
        counts[-2] += counts[-1]
        counts = counts[:-1]
    return counts


def _js(a: Any, b: Any) -> Any:
    """The term of one bin of shares a and b, as below: at least 0, and 0 where they are equal."""
    both = a + b
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = a * np.log(2 * a / both), b * np.log(2 * b / both)
    return (np.where(a > 0, x, 0.0) + np.where(b > 0, y, 0.0)) / 2


def _terms(p: np.ndarray, q: np.ndarray, n: int, m: int, c: float, bins: int) -> list[np.ndarray]:
    a, b = (p + c) / (n + c * bins), (q + c) / (m + c * bins)
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = np.log(b / a)
        kl = np.where(b > 0, b * ratio, 0.0) - b + a
        return [_js(p / n, q / m), kl, (b - a) * ratio]


def _moments(t: np.ndarray, n: int, m: int, c: float, bins: int) -> tuple[list[float], float]:
    """Means of the three sums of terms, and the variance of the first, as at the top of this file.

    The means are of what is finite; three more numbers are the chances of what is not.
    """
    share = min(n, m) / (n + m)
    each = t.tolist()
    if min(each) * share >= _LARGE:
        # each of the sums is so many times a chi-square of as many degrees of freedom as bins but one
        times = 1 / n + 1 / m
        means = [times / 8 * (len(t) - 1), times / 2 * (len(t) - 1), times * (len(t) - 1)]
        return [*means, 0.0, 0.0, 0.0], 2 * (times / 8) ** 2 * (len(t) - 1)
    many = Counter(each)
    del many[0.0]
    counts = sorted(many)
    found = np.array([many[count] for count in counts], float) @ _of_counts(counts, n, m, c, bins)
    *known, second, third = found.tolist()
    mean, wild, along, curved = known[:3], known[3:6], known[6:9], known[9:]
    whole = (n + m) * share * (1 - share)
    curved = [x - y * (third / whole) for x, y in zip(curved, along, strict=True)]
    variance = second - along[0] ** 2 / whole - curved[0] ** 2 / (2 * whole**2)
    if variance < 1e-12 * second:
        variance = 0.0  # one value of a side in bins of one each: only rounding is left
    return [*(x - y / (2 * whole) for x, y in zip(mean, curved, strict=True)), *wild], variance


# Columns of a table have mostly the same sizes and few counts: what these come to is known from the columns
# before. Of more counts than this nothing is kept.
_KEPT = 64


@lru_cache(64)
def _known(n: int, m: int, c: float, bins: int) -> dict[float, bytes]:
    return {}


def _of_counts(counts: list[float], n: int, m: int, c: float, bins: int) -> np.ndarray:
    """Of bins with so many values of both sides: mean, chance of infinity, Cov(f, p) and Cov(f, (p - Ep)^2).

    Three numbers each, for the three terms; then the variance of the first, and E (p - Ep)^3. The bits of a
    count's are the same whichever others are asked for with it.
    """
    known = _known(n, m, c, bins) if len(counts) <= _KEPT else {}
    missing = [count for count in counts if count not in known]
    if missing:
        new = np.array(missing)
        expected = new * (min(n, m) / (n + m))
        # counts of one number of places are done together
        reach = np.where(expected < _MANY, (expected + 11 * np.sqrt(expected)).astype(int) // 32, -1)
        for places in np.unique(reach).tolist():
            some = new[reach == places]
            rows = _computed(some, places, n, m, c, bins)
            known.update(zip(some.tolist(), [row.tobytes() for row in rows], strict=True))
    # of bytes an array is made sooner than of arrays
    return np.frombuffer(b"".join([known[count] for count in counts])).reshape(-1, 14)


def _computed(t: np.ndarray, reach: int, n: int, m: int, c: float, bins: int) -> np.ndarray:
    small, share = min(n, m), min(n, m) / (n + m)
    column = t[:, None].astype(np.float64)
    if reach >= 0:
        grid = np.arange(32.0 * reach + 44)
        x = np.minimum(grid, column)
        weight = np.where(column >= grid, np.exp(_log_choose(column, x) + x * log(share)
                          + (column - x) * log1p(-share)), 0.0)  # fmt: skip
    else:
        x = column * share + _Z * np.sqrt(column * share * (1 - share))
        weight = np.broadcast_to(_NORMAL, x.shape)
    sides = (x, column - x) if small == n else (column - x, x)
    terms = np.stack(_terms(*sides, n, m, c, bins), axis=1)  # pooled counts, terms, places
    wild = np.zeros(terms.shape[:2])
    if c == 0:
        terms = np.where(weight[:, None] > 0, terms, 0.0)
        wild = np.sum(np.isinf(terms) * weight[:, None], axis=2)
        terms = np.where(np.isinf(terms), 0.0, terms)
    rise = x - column * share
    along = weight * rise
    bend = along * rise
    found = terms @ np.stack([weight, along, bend], axis=2)
    mean, js = found[:, :, 0], terms[:, 0]
    curved = found[:, :, 2] - mean * bend.sum(axis=1)[:, None]
    second = np.sum(js * js * weight, axis=1) - mean[:, 0] ** 2
    third = np.sum(bend * rise, axis=1)
    return np.column_stack([mean, wild, found[:, :, 1], curved, second, third])


_LOG_FACTORIALS = np.append(0.0, np.cumsum(np.log(np.arange(1.0, 256))))


def _log_factorial(x: np.ndarray) -> np.ndarray:
    """Of whole numbers: a table, and from 256 on Stirling's series, right to 1e-15."""
    y = np.maximum(x, 1.0)
    far = (y + 0.5) * np.log(y) - y + log(2 * pi) / 2 + 1 / (12 * y) - 1 / (360 * y**3)
    near = _LOG_FACTORIALS[np.minimum(x, 255).astype(np.intp)]
    found: np.ndarray = np.where(x < 256, near, far)
    return found


def _log_choose(n: Any, k: Any) -> np.ndarray:
    ways: np.ndarray = _log_factorial(n) - _log_factorial(k) - _log_factorial(n - k)
    return ways


def _beyond(outer: int, n: int, m: int) -> float:
    """P(G >= outer), see above."""
    if outer == 0:
        return 1.0
    if outer < 100:
        product = prod((m - i) / (n + m - i) for i in range(outer))
    else:
        product = exp(lgamma(m + 1) - lgamma(m - outer + 1) - lgamma(n + m + 1) + lgamma(n + m - outer + 1))
    return min(1.0, product * (1 + outer * n / (n + m - outer)))


@lru_cache(256)
def _end_means(n: int, m: int, c: float, bins: int) -> tuple[float, ...]:
    """What one of the outer bins adds to the means; its count is geometric, but for 1 / n."""
    level = (np.arange(200) + 0.5) / 200
    count = np.floor(np.log1p(-level) / log(m / (n + m)))
    terms = np.stack(_terms(np.zeros(200), count, n, m, c, bins))
    wild = ~np.isfinite(terms)  # 0 against 0 without pseudocount is no number
    wild[:, count == 0] = False
    means = np.where(np.isfinite(terms), terms, 0.0).mean(axis=1)
    return *means.tolist(), *wild.mean(axis=1).tolist()


# -- two shares ----------------------------------------------------------------------------------------------


def share_test(a: int, n: int, b: int, m: int) -> float:
    """The p-value, on both sides, of `a` out of `n` against `b` out of `m`."""
    hits, total = a + b, n + m
    if hits in (0, total):
        return 1.0
    rows, columns = [(a, n), (b, m)], (hits, total - hits)
    (x, size), which = min(((row, i) for row in rows for i in (0, 1)), key=lambda k: k[0][1] * columns[k[1]])
    x, marked = (x if which == 0 else size - x), columns[which]
    expected = size * marked / total
    if expected >= 100 or x > 4000:
        share = hits / total
        return erfc(abs(a / n - b / m) / sqrt(2 * share * (1 - share) * (1 / n + 1 / m)))
    most = min(size, marked, max(4000, x))
    at = np.arange(max(0, size + marked - total), most + 1.0)
    chance = np.exp(
        _log_choose(float(marked), at)
        + _log_choose(float(total - marked), size - at)
        - _log_choose(np.float64(total), np.float64(size))
    )
    seen = chance[x - int(at[0])]
    return float(min(1.0, chance[chance <= seen * (1 + 1e-7)].sum()))


def share_noise(a: int, n: int, b: int, m: int) -> float:
    """The mean difference of the shares under no change, but for the steps of small counts."""
    share = (a + b) / (n + m)
    return sqrt(2 / pi * share * (1 - share) * (1 / n + 1 / m))
