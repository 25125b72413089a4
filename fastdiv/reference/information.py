"""Plain NumPy twins of the information measures: the formulas, with nothing in the way.

Same names, arguments, results and errors as ``fastdiv.<name>``, two orders of magnitude slower, and accurate
at every scale: shares are known to 106 bits (shares.py), and a divergence is a sum of terms >= 0 that vanish
to second order where two shares agree. `twin` makes a formula public (twin.py).

Held to the oracle by ``tests/rows/test_reference.py``: 2e-13 relative or better, from unrelated rows to
p(1 + 1e-15 noise). Where it stops: shares that differ by less than 1e-30 of themselves, all that 106 bits
hold, and raw sums (``normalize=False``) of mixed sign, which are as ill-conditioned as they look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers
from fastdiv._checks.data import raise_bad_probability
from fastdiv.reference.shares import ATANH, LN2, Array, Shares, over, sum_of_bins, times
from fastdiv.reference.twin import log_pair, log_row, mixture, order, pair, twin

if TYPE_CHECKING:
    from fastdiv._typing import ArrayLike, Number, Row, Value

__all__ = [
    "bhattacharyya_distance",
    "binary_entropy",
    "chi_square",
    "cross_entropy",
    "entropy",
    "hellinger_distance",
    "jeffreys_divergence",
    "js_distance",
    "js_divergence",
    "kl_divergence",
    "renyi_divergence",
    "surprisal",
    "total_variation",
    "triangular_discrimination",
]

_K = np.arange(28.0, 0.0, -1.0)
_PHI = np.append(
    1.0 / (_K * (2.0 * _K - 1.0)), 0.0
)  # phi(t) = sum z^k / (k (2k - 1)), z = t**2, for np.polyval


# --- single events -------------------------------------------------------------------------------------


def surprisal(p: Number | ArrayLike, *, base: float | None = None) -> Value:
    """-log p, the information content of an event of probability p."""
    return _of_events(lambda x: 0.0 - np.log(x), p, base)


def binary_entropy(p: Number | ArrayLike, *, base: float | None = None) -> Value:
    """-p log p - (1 - p) log(1 - p), the entropy of an event of probability p."""
    return _of_events(lambda x: 0.0 - times(x, np.log(x)) - times(1.0 - x, np.log1p(-x)), p, base)


def _of_events(term: Callable[[Array], Array], p: Any, base: float | None) -> Value:
    given = as_numbers(p, "p")
    base = opt.log_base(base)
    raise_bad_probability(given, "p")
    with np.errstate(all="ignore"):
        value = term(given.astype(np.float64)) / (1.0 if base is None else np.log(base))
        return value.astype(opt.result_dtype(given))[()]


# --- terms ---------------------------------------------------------------------------------------------


def _deviance(x: Array, y: Array, d: Array, log: Array) -> Array:
    """x log(x / y) - x + y >= 0, given d = x - y and log = log(x / y).

    With t = d / (x + y) it is d (t + (1 + t) (atanh(t) / t - 1)), which keeps its digits as t -> 0.
    """
    t = over(d, x + y)
    near = d * (t + (1.0 + t) * np.polyval(ATANH, np.minimum(t * t, 0.25)))
    return np.where(np.abs(t) <= 0.5, near, times(x, log) - d)


def _phi(x: Array, y: Array, d: Array) -> Array:
    """(1 + t) log(1 + t) + (1 - t) log(1 - t), t = d / (x + y), with 1 - |t| = 2 min(x, y) / (x + y)."""
    t = np.abs(over(d, x + y))
    w = over(2.0 * np.minimum(x, y), x + y)
    far = (1.0 + t) * np.log1p(t) + times(w, np.log(w))
    return np.where(t <= 0.5, np.polyval(_PHI, np.minimum(t * t, 0.25)), far)


# --- measures, in nats ---------------------------------------------------------------------------------


@twin(log_row)
def entropy(s: Shares) -> Array:
    """-sum p log p."""
    return s.mean(0, -s.log[0]) + 0.0


@twin(log_pair)
def cross_entropy(s: Shares) -> Array:
    """-sum p log q; inf where q = 0 < p."""
    value = s.mean(0, -s.log[1]) + 0.0
    return np.where(s.uncovered(0, 1), np.inf, value)


@twin(log_pair)
def kl_divergence(s: Shares) -> Array:
    """sum p log(p / q), summed as p log(p / q) - p + q; inf where q = 0 < p."""
    return _relative_entropy(s)


def _relative_entropy(s: Shares) -> Array:
    x, y = s.x[:2]
    d, log = s.ratio(0, 1)
    value = s.value(_deviance(x, y, d, log))
    if not s.normalized:  # whichever form has the smaller terms: masses may lie far apart, or agree
        far = s.mean(0, np.abs(log)) <= value
        value = np.where(far, s.mean(0, log), value + s.excess(0, 1))
    return np.where(s.uncovered(0, 1), np.inf, value)


@twin(log_pair)
def jeffreys_divergence(s: Shares) -> Array:
    """sum (p - q) log(p / q) = KL(p, q) + KL(q, p)."""
    value = s.value(times(*s.ratio(0, 1)))
    return np.where(s.uncovered(0, 1) | s.uncovered(1, 0), np.inf, value)


@twin(mixture)
def js_divergence(s: Shares, weights: Row | None) -> Array:
    """sum_i w_i KL(p_i, m), m = sum_i w_i p_i: of p and q, or of a stack on the axis before the bins.

    With s = p + q, t = (p - q) / s and even weights it is sum s phi(t) / 4, phi(t) = (1 + t) log(1 + t) +
    (1 - t) log(1 - t).
    """
    s, terms, bound = _from_mixture(s, weights)
    return s.at_most(bound, s.value(terms))


@twin(mixture, root=True)
def js_distance(s: Shares, weights: Row | None) -> Array:
    """sqrt(js_divergence), a metric; the base is applied before the root."""
    s, terms, bound = _from_mixture(s, weights)
    return s.at_most(np.sqrt(bound), s.root_value(terms))


def _from_mixture(s: Shares, weights: Row | None) -> tuple[Shares, Array, float]:
    """What is mixed, the terms of each bin, and what shares come to that are disjoint."""
    if weights is None and len(s.x) == 2:
        return s, (s.x[0] + s.x[1]) * _phi(s.x[0], s.x[1], s.ratio(0, 1)[0]) / 4.0, LN2
    w = opt.mixture_weights(weights, len(s.x))
    kept = np.flatnonzero(w).tolist()
    mixed = np.tensordot(w, s.x, 1)
    terms, bound = np.zeros(mixed.shape), 0.0
    for i in kept:
        x = s.x[i]
        d = sum((w[j] * s.ratio(i, j)[0] for j in kept if j != i), np.zeros(x.shape))
        # from -744, where x weighs nothing, to -log w, which it is where only x has mass
        log = np.clip(np.log(over(x, mixed)), -744.0, -np.log(w[i]))
        terms = terms + w[i] * _deviance(x, mixed, d, log)
        bound -= w[i] * (np.log(w[i]) if w[i] <= 0.5 else np.log1p(-sum(w[j] for j in kept if j != i)))
    return s._replace(log=s.log[kept]), terms, bound


@twin(pair)
def total_variation(s: Shares) -> Array:
    """sum |p - q| / 2."""
    return s.at_most(1.0, s.value(np.abs(s.ratio(0, 1)[0]) / 2.0))


@twin(pair)
def hellinger_distance(s: Shares) -> Array:
    """sqrt(sum (sqrt p - sqrt q)^2 / 2)."""
    return s.at_most(1.0, s.root_value(_half_of_squared_roots(s)))


def _half_of_squared_roots(s: Shares) -> Array:
    """(sqrt x - sqrt y)^2 / 2 of each bin, from sqrt x - sqrt y = (x - y) / (sqrt x + sqrt y)."""
    roots = over(s.ratio(0, 1)[0], np.sqrt(s.x[0]) + np.sqrt(s.x[1]))
    return roots * roots / 2.0


@twin(pair)
def chi_square(s: Shares) -> Array:
    """sum (p - q)^2 / q (Pearson); inf where q = 0 < p."""
    y = s.x[1]
    d, log = s.ratio(0, 1)
    # where y is so small that d / y could overflow: p (p / q) (1 - q / p)^2, by logarithms
    tiny = (y < 2.0**-600) & (log > 0)
    far = np.where(tiny, np.exp(s.log[0] + log) * np.expm1(-log) ** 2, 0.0)
    return s.value(np.where(tiny, 0.0, times(d, over(d, y)))) + sum_of_bins(far)


@twin(pair)
def triangular_discrimination(s: Shares) -> Array:
    """sum (p - q)^2 / (p + q); 2 where nothing is shared."""
    d = s.ratio(0, 1)[0]
    return s.at_most(2.0, s.value(d * over(d, s.x[0] + s.x[1])))


@twin(log_pair)
def bhattacharyya_distance(s: Shares) -> Array:
    """-log sum sqrt(p q): half of Renyi's divergence of order 1/2."""
    far = -_log_sum_exp((s.log[0] + s.log[1]) / 2.0)
    if not s.normalized:
        return far
    gone = s.value(_half_of_squared_roots(s))  # 1 - sum sqrt(x y)
    return np.where(gone <= 0.5, -np.log1p(-np.minimum(gone, 0.5)), far)


@twin(order)
def renyi_divergence(s: Shares, alpha: float) -> Array:
    """log(sum p^alpha q^(1 - alpha)) / (alpha - 1); alpha = 1 is KL, alpha = inf is log max p / q."""
    alpha = opt.renyi_order(alpha)
    if alpha == 1.0:
        return _relative_entropy(s)
    value = _renyi_not_kl(s, alpha)
    return np.maximum(value, 0.0) if s.normalized else value


def _renyi_not_kl(s: Shares, alpha: float) -> Array:
    empty = s.log[0] == -np.inf
    if alpha == np.inf:
        largest: Array = np.where(empty, -np.inf, s.ratio(0, 1)[1]).max(-1)
        return largest
    if alpha == 0.0:
        far = -_log_sum_exp(np.where(empty, -np.inf, s.log[1]))
        if not s.normalized:
            return far
        outside = s.value(np.where(empty, s.x[1], 0.0))
        return np.where(outside <= 0.5, -np.log1p(-outside), far) + 0.0
    if alpha < 0.5:  # D_a(p, q) = a / (1 - a) D_{1-a}(q, p), which does not cancel as a -> 0
        return alpha / (1.0 - alpha) * _renyi_sum(s, 1, 0, 1.0 - alpha, -alpha)
    return _renyi_sum(s, 0, 1, alpha, alpha - 1.0)


def _log_sum_exp(logs: Array) -> Array:
    top: Array = logs.max(-1)
    top = np.where(np.isfinite(top), top, 0.0)
    return top + np.log(sum_of_bins(np.exp(logs - top[..., np.newaxis])))


def _renyi_sum(s: Shares, i: int, j: int, a: float, b: float) -> Array:
    """log(sum x^a y^-b) / b with b = a - 1.

    For shares the sum is 1 + b E, where E = sum y (r^a - 1 - a (r - 1)) / b, r = x / y, has terms >= 0 that
    vanish to second order at r = 1: the form for rows that are alike. The other is a log-sum-exp.
    """
    x, y = s.x[i], s.x[j]
    log = s.ratio(i, j)[1]
    empty = s.log[i] == -np.inf
    far = _log_sum_exp(np.where(empty, -np.inf, b * log + s.log[i])) / b
    if not s.normalized:
        return far

    # With l = log r: (r^a - 1 - a (r - 1)) / b = a sum_{k>=2} l^k/k! (1 + a + ... + a^(k-2)) for small l
    small = np.abs(log) * max(1.0, a) <= 1.0
    step = np.where(small, log, 0.0)
    power, term, series = step, np.zeros_like(log), np.zeros_like(log)
    for k in range(2, 24):
        term = (a * term + power) * step / k
        power = power * step / k
        series = series + term
    series = a * y * series
    upper = x * (np.expm1(b * log) / b + np.expm1(-log))
    lower = y * (np.exp(a * log) * -np.expm1(-b * log) / b - np.expm1(log))
    if b > 0:
        lower = y * (np.exp(log) * np.expm1(b * log) / b - np.expm1(log))
    terms = np.where(empty, y, np.where(small, series, np.where(log > 0, upper, lower)))
    growth = b * s.value(terms)
    return np.where(np.abs(growth) <= 0.5, np.log1p(growth) / b, far)
