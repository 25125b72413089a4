"""The truth about derivatives: every measure differentiated by a textbook's rules, to 250 digits and more.

``slopes`` of shares x and y are the derivatives by each share as if it were free; the chain rule of what the
shares are made of follows: masses p = P x give (slope - sum x slope)/P, logits x (slope - sum x slope). Named
subgradients: 0 where |x - y| has its kink and where a root is taken of 0. Of a bin without mass the
derivative is that towards mass, x = 0 growing and y as it is, and may be infinite.
"""

from __future__ import annotations

import mpmath
import oracle
from calls import BASELESS
from mpmath import mp, mpf

INF = mpf("inf")


def gradient(name, *rows, base=None, more_digits=0, **options):
    """``(value, derivatives by each row)`` as mpfs; options as in ``oracle.truth``."""
    rows = [[float(x) for x in row] for row in rows]
    log_input = options.get("log_input", False)
    with mp.workdps(oracle.digits(rows, log_input) + more_digits):
        value = oracle.truth(name, *rows, base=base, more_digits=more_digits, **options)
        if not mpmath.isfinite(value):
            return value, None
        own = {k: options.pop(k) for k in ("weights", "alpha") if k in options}
        table = oracle.masses(rows, **options)
        slopes = SLOPES[name](table, **own)
        unit = mpf(1)
        if base is not None and name not in BASELESS:
            unit = 1 / mpmath.log(mpf(base))
            unit = mpmath.sqrt(unit) if name == "js_distance" else unit
        return value, [
            [unit * g for g in _chain(row, share, slope, **options)]
            for row, share, slope in zip(rows, table, slopes, strict=True)
        ]


def _chain(row, share, slope, normalize=True, pseudocount=0.0, log_input=False):
    if log_input and not normalize:
        return [_times(x, s) for x, s in zip(share, slope, strict=True)]
    if not normalize:
        return slope
    mean = sum(_times(x, s) for x, s in zip(share, slope, strict=True))
    if log_input:
        return [_times(x, s - mean) for x, s in zip(share, slope, strict=True)]
    total = sum(mpf(x + pseudocount) for x in row)
    return [(s - mean) / total for s in slope]


def _times(x, slope):
    """0 for a share of 0: x f'(x) goes to 0 with x in every measure here."""
    return x * slope if x else mpf(0)


def _log(x):
    return mpmath.log(x) if x else -INF


def _over(a, b):
    return a / b if b else INF


def _ratio(a, b):
    """log(a/b) of an a that is growing."""
    return _log(_over(a, b)) if b else INF


# --- by each share, as if it were free -----------------------------------------------------------------


def _entropy(table):
    (x,) = table
    return [[-_log(a) - 1 for a in x]]


def _cross_entropy(table):
    x, y = table
    return [[-_log(b) for b in y], [-_over(a, b) if a else mpf(0) for a, b in zip(x, y, strict=True)]]


def _kl(table):
    x, y = table
    return (
        [_ratio(a, b) + 1 for a, b in zip(x, y, strict=True)],
        [-_over(a, b) if a else mpf(0) for a, b in zip(x, y, strict=True)],
    )


def _jeffreys(table):
    forward, backward = _kl(table), _kl(table[::-1])
    return [[a + b for a, b in zip(u, v, strict=True)] for u, v in zip(forward, backward[::-1], strict=True)]


def _js(table, weights=None):
    given = [mpf(float(w)) for w in (weights if weights is not None else [1] * len(table))]
    w = [a / sum(given) for a in given]
    mixture = [sum(a * b for a, b in zip(w, column, strict=True)) for column in zip(*table, strict=True)]
    return [
        [a * (_ratio(x, m) if m else -_log(a)) if a else mpf(0) for x, m in zip(row, mixture, strict=True)]
        for a, row in zip(w, table, strict=True)
    ]


def _of_root(slopes, value):
    """d sqrt(D) from d D."""
    return [[s / (2 * value) if value else mpf(0) for s in row] for row in slopes]


def _js_distance(table, weights=None):
    value = oracle.ORACLE["js_distance"](table, weights=weights, normalize=False)
    return _of_root(_js(table, weights), value)


def _by_both(slope):
    """Of a symmetric measure: ``slope(x, y)`` is by x, for masses that are not both 0."""

    def slopes(table):
        one = mpf(1)  # a bin without mass: x = 0 grows, whatever the scale
        x, y = table
        pairs = [(a, b) if a or b else (one, mpf(0)) for a, b in zip(x, y, strict=True)]
        swapped = [(b, a) if a or b else (one, mpf(0)) for a, b in zip(x, y, strict=True)]
        return [slope(a, b) for a, b in pairs], [slope(b, a) for b, a in swapped]

    return slopes


_total_variation = _by_both(lambda a, b: mpmath.sign(a - b) / 2)
_triangular_discrimination = _by_both(lambda a, b: (a - b) * (a + 3 * b) / (a + b) ** 2)
_squared_hellinger = _by_both(lambda a, b: (1 - mpmath.sqrt(_over(b, a))) / 2)


def _hellinger(table):
    return _of_root(_squared_hellinger(table), oracle.ORACLE["hellinger_distance"](table, normalize=False))


def _chi_square(table):
    x, y = table
    pairs = list(zip(x, y, strict=True))
    return [2 * (_over(a, b) - 1) for a, b in pairs], [1 - (_over(a, b) if a else 0) ** 2 for a, b in pairs]


def _renyi(table, alpha):
    if alpha == 1:
        return _kl(table)
    x, y = table
    pairs = list(zip(x, y, strict=True))
    if alpha == INF:  # one subgradient: that of the first bin with the largest ratio
        ratios = [_over(a, b) if a else mpf(0) for a, b in pairs]
        first = ratios.index(max(ratios))
        by_x, by_y = [mpf(0)] * len(x), [mpf(0)] * len(x)
        by_x[first], by_y[first] = 1 / x[first], -_over(mpf(1), y[first])
        return by_x, by_y
    alpha = mpf(alpha)
    total = mpmath.exp((alpha - 1) * oracle.ORACLE["renyi_divergence"](table, alpha, normalize=False))
    if alpha == 0:
        return [mpf(0)] * len(x), [-1 / total if a else mpf(0) for a in x]
    by_x = [alpha / (alpha - 1) * _power(_over(a, b), alpha - 1) / total for a, b in pairs]
    by_y = [-_power(_over(a, b), alpha) / total if a else mpf(0) for a, b in pairs]
    return by_x, by_y


def _power(ratio, exponent):
    if ratio == INF:
        return INF if exponent > 0 else mpf(0)
    if ratio == 0:
        return mpf(0) if exponent > 0 else INF
    return ratio**exponent


def _bhattacharyya(table):
    return [[s / 2 for s in row] for row in _renyi(table, mpf(1) / 2)]


SLOPES = {
    "entropy": _entropy,
    "cross_entropy": _cross_entropy,
    "kl_divergence": _kl,
    "jeffreys_divergence": _jeffreys,
    "js_divergence": _js,
    "js_distance": _js_distance,
    "total_variation": _total_variation,
    "hellinger_distance": _hellinger,
    "chi_square": _chi_square,
    "triangular_discrimination": _triangular_discrimination,
    "bhattacharyya_distance": _bhattacharyya,
    "renyi_divergence": _renyi,
}
