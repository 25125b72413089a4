"""Plain NumPy twins of the information measures: the formulas, with nothing in the way.

Same names, arguments, results and errors as ``fastdiv.<name>``, two orders of magnitude slower, and accurate
at every scale, because nothing below subtracts rounded neighbours:

- a share p / sum(p) is kept to 106 bits, so the difference of two shares keeps its digits;
- a divergence is a sum of terms >= 0 that vanish to second order where two shares agree;
- log(x / y) is 2 atanh((x - y) / (x + y)) where x and y are close, and taken from mantissas and exponents
  where they are not, so that no ratio overflows.

Held to the oracle by ``tests/rows/test_reference.py``: 2e-13 relative or better, from unrelated rows to
p(1 + 1e-15 noise). Where it stops: shares that differ by less than 1e-30 of themselves, all that 106 bits
hold, and raw sums (``normalize=False``) of mixed sign, which are as ill-conditioned as they look.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers, same_labels

if TYPE_CHECKING:
    from fastdiv._typing import ArrayLike, NanPolicy, Number, Row, Value

__all__ = [
    "binary_entropy",
    "chi_square",
    "bhattacharyya_distance",
    "triangular_discrimination",
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
]

Array = npt.NDArray[np.float64]

LN2 = float(np.log(2.0))

# Coefficients for np.polyval, highest power first; 28 terms leave less than 1e-18 at z = t**2 <= 1/4.
_K = np.arange(28.0, 0.0, -1.0)
_PHI = np.append(1.0 / (_K * (2.0 * _K - 1.0)), 0.0)  # phi(t) = sum z^k / (k (2k - 1))
_ATANH = np.append(1.0 / (2.0 * _K + 1.0), 0.0)  # atanh(t) / t - 1 = sum z^k / (2k + 1)


# --- arithmetic ----------------------------------------------------------------------------------------


def _two_sum(a: Array, b: Array) -> tuple[Array, Array]:
    """a + b = s + e exactly (Knuth)."""
    s = a + b
    t = s - a
    return s, (a - (s - t)) + (b - t)


def _split(a: Array) -> tuple[Array, Array]:
    """a = high + low, 26 bits each (Veltkamp)."""
    c = 134217729.0 * a  # 2**27 + 1
    high = c - (c - a)
    return high, a - high


def _two_product(a: Array, b: Array) -> tuple[Array, Array]:
    """a * b = p + e exactly (Dekker)."""
    p = a * b
    (ah, al), (bh, bl) = _split(a), _split(b)
    return p, ((ah * bh - p) + ah * bl + al * bh) + al * bl


def _total(hi: Array, lo: Array) -> tuple[Array, Array]:
    """The double-double sum over the last axis, neighbours first."""
    while hi.shape[-1] > 1:
        if hi.shape[-1] % 2:
            end = [(0, 0)] * (hi.ndim - 1) + [(0, 1)]
            hi, lo = np.pad(hi, end), np.pad(lo, end)
        hi, error = _two_sum(hi[..., ::2], hi[..., 1::2])
        lo = lo[..., ::2] + lo[..., 1::2] + error
    return _two_sum(hi[..., 0], lo[..., 0])


def _times(x: Array, y: Array) -> Array:
    """x * y with 0 * inf = 0, as in 0 log 0."""
    return np.where((x == 0) | (y == 0), 0.0, x * y)


def _over(x: Array, y: Array) -> Array:
    """x / y with 0 / 0 = 0."""
    return np.where(x == 0, 0.0, x / y)


def _sum(terms: Array) -> Array:
    """Over the bins."""
    sums: Array = terms.sum(-1)
    return sums


# --- shares --------------------------------------------------------------------------------------------


class _Shares(NamedTuple):
    """k distributions side by side: every array but ``root`` has shape (k, ..., bins).

    A share is ``x * root**2``; the factor leaves room below, so that the root of a divergence is taken before
    its smallest terms are lost. Its logarithm is ``log``. Without losing a digit, however small it is, it is
    also (mantissa + low) * 2**exponent. ``logits`` are the values given with ``log_input=True``.
    """

    x: Array
    log: Array
    mantissa: Array
    low: Array
    exponent: Array
    root: Array
    normalized: bool
    logits: Array | None = None

    def ratio(self, i: int, j: int) -> tuple[Array, Array]:
        """The difference x_i - x_j (in units of root**2) and log(x_i / x_j)."""
        x, y = self.x[i], self.x[j]
        if self.logits is not None:
            log = _log_ratio_of_logits(self, i, j)
            return (x + y) * np.tanh(log / 2.0), log
        shift = np.clip(self.exponent[j] - self.exponent[i], -99, 99)  # mantissas are within 2**60
        high = np.ldexp(self.mantissa[j], shift)
        d = (self.mantissa[i] - high) + (self.low[i] - np.ldexp(self.low[j], shift))
        t = _over(d, self.mantissa[i] + high)
        near = 2.0 * t * (1.0 + np.polyval(_ATANH, np.minimum(t * t, 0.25)))
        far = self._far(i, j) - self._far(j, i)  # odd in (i, j) to the last bit
        empty = (self.mantissa[i] == 0) & (self.mantissa[j] == 0)
        close = np.abs(t) <= 0.5
        return np.where(close, t * (x + y), x - y), np.where(empty, 0.0, np.where(close, near, far))

    def _far(self, i: int, j: int) -> Array:
        half: Array = np.log(self.mantissa[i] / self.mantissa[j]) / 2.0
        half += LN2 / 2.0 * (self.exponent[i] - self.exponent[j])
        return half

    def excess(self, i: int, j: int) -> Array:
        """sum x_i - sum x_j of raw masses, to the last digit."""
        if self.logits is not None:
            return _sum(self.ratio(i, j)[0])
        return _total(*_two_sum(self.x[i], -self.x[j]))[0]

    def disjoint(self) -> npt.NDArray[np.bool_]:
        """Rows in which no bin is shared by two distributions."""
        owners: npt.NDArray[np.int64] = (self.log > -np.inf).sum(axis=0)
        alone: npt.NDArray[np.bool_] = owners.max(-1) <= 1
        return alone

    def uncovered(self, i: int, j: int) -> npt.NDArray[np.bool_]:
        """Rows in which x_j = 0 < x_i somewhere, however little x_i is."""
        rows: npt.NDArray[np.bool_] = ((self.log[i] > -np.inf) & (self.log[j] == -np.inf)).any(-1)
        return rows

    def value(self, sums: Array) -> Array:
        """A sum of terms in units of root**2, as it is."""
        return _times(_times(sums, self.root), self.root)

    def root_value(self, sums: Array) -> Array:
        """The square root of a sum of terms in units of root**2."""
        return _times(np.sqrt(sums), self.root)


_ROOM = 200  # shares of masses are kept times 2**200: a share of 5e-324 is then 2**-874


def _from_masses(masses: Array, normalize: bool) -> _Shares:
    """The shares of each row, or, without normalising, the masses themselves."""
    mantissa, exponent = np.frexp(masses)
    top = np.frexp(masses.max(-1, keepdims=True))[1]
    if not normalize:
        top = np.broadcast_to(top.max(axis=0, keepdims=True) // 2 * 2, top.shape)  # even: its half is exact
    x = np.ldexp(masses, _ROOM - top)
    low = np.zeros_like(x)
    if not normalize:
        root = np.ldexp(1.0, (top[0, ..., 0] - _ROOM) // 2)
        return _Shares(x, np.log(masses), mantissa, low, exponent, root, normalized=False)

    # (mantissa + low) / total to 106 bits: the quotient, and what its product with the total leaves
    total, residue = (np.ldexp(s, -_ROOM)[..., np.newaxis] for s in _total(x, low))
    quotient = mantissa / total
    product, error = _two_product(quotient, total)
    low = (((mantissa - product) - error) - quotient * residue) / total
    exponent = exponent - top
    rest = (1.0 - np.ldexp(quotient, exponent)) - np.ldexp(low, exponent)
    log = np.where(rest < 0.5, np.log1p(-rest), np.log(quotient) + LN2 * exponent)
    x = np.ldexp(quotient, exponent + _ROOM)
    root = np.full(x.shape[1:-1], np.ldexp(1.0, -_ROOM // 2))
    return _Shares(x, log, quotient, low, exponent, root, normalized=True)


def _from_logits(logits: Array, normalize: bool) -> _Shares:
    """Shares exp(l) / sum exp(l) of each row, or, without normalising, exp(l) itself."""
    top = logits.max(-1, keepdims=True)
    if normalize:
        log = logits - top
        exp = np.exp(log)
        others = exp.copy()
        np.put_along_axis(others, logits.argmax(-1)[..., np.newaxis], 0.0, -1)
        rest = others.sum(-1, keepdims=True)
        x = exp / (1.0 + rest)
        log = log - np.log1p(rest)
        root = np.ones(x.shape[1:-1])
    else:
        top = top.max(axis=0, keepdims=True)
        top = np.where(np.isfinite(top), top, 0.0)
        x, log, root = np.exp(logits - top), logits, np.exp(top[0, ..., 0] / 2.0)
    unused = np.zeros_like(x)
    return _Shares(x, log, unused, unused, unused, root, normalize, logits)


def _log_ratio_of_logits(s: _Shares, i: int, j: int) -> Array:
    """log(x_i / x_j) where the shares are softmax(a) and softmax(b).

    It is a - b - c with c = log sum softmax(b) exp(a - b). Subtracting a - b at the heaviest common bin first
    makes a common offset vanish, and log1p keeps what is left when all that remains is small.
    """
    assert s.logits is not None
    a, b, log_x, log_y, y = s.logits[i], s.logits[j], s.log[i], s.log[j], s.x[j]
    empty = (a == -np.inf) & (b == -np.inf)
    plain = np.where(empty, 0.0, log_x - log_y)
    if not s.normalized:
        return plain
    anchor = (log_x + log_y).argmax(-1)[..., np.newaxis]

    def at(v: Array) -> Array:
        return np.take_along_axis(v, anchor, -1)

    hi, lo = _two_sum(a, -b)
    lo = np.where(np.isfinite(hi), lo, 0.0)
    delta = (hi - at(hi)) + (lo - at(lo))
    grown = np.where(delta <= 1.0, y * np.expm1(delta), np.exp(at(log_y) + (a - at(a))) - y)
    gain = np.where(empty, 0.0, grown).sum(-1, keepdims=True)
    careful = np.where(empty, 0.0, delta - np.log1p(gain))
    return np.where(np.abs(gain) <= 0.5, careful, plain)


# --- terms ---------------------------------------------------------------------------------------------


def _deviance(x: Array, y: Array, d: Array, log: Array) -> Array:
    """x log(x / y) - x + y >= 0, given d = x - y and log = log(x / y).

    With t = d / (x + y) it is d (t + (1 + t) (atanh(t) / t - 1)), which keeps its digits as t -> 0.
    """
    t = _over(d, x + y)
    near = d * (t + (1.0 + t) * np.polyval(_ATANH, np.minimum(t * t, 0.25)))
    return np.where(np.abs(t) <= 0.5, near, _times(x, log) - d)


def _phi(x: Array, y: Array, d: Array) -> Array:
    """(1 + t) log(1 + t) + (1 - t) log(1 - t), t = d / (x + y), with 1 - |t| = 2 min(x, y) / (x + y)."""
    t = np.abs(_over(d, x + y))
    w = _over(2.0 * np.minimum(x, y), x + y)
    far = (1.0 + t) * np.log1p(t) + _times(w, np.log(w))
    return np.where(t <= 0.5, np.polyval(_PHI, np.minimum(t * t, 0.25)), far)


# --- measures of shares, in nats -----------------------------------------------------------------------


def _entropy(s: _Shares) -> Array:
    return s.value(-_sum(_times(s.x[0], s.log[0]))) + 0.0


def _cross_entropy(s: _Shares) -> Array:
    value = s.value(-_sum(_times(s.x[0], s.log[1]))) + 0.0
    return np.where(s.uncovered(0, 1), np.inf, value)


def _kl(s: _Shares) -> Array:
    x, y = s.x[:2]
    d, log = s.ratio(0, 1)
    sums = _sum(_deviance(x, y, d, log))
    if not s.normalized:  # whichever form has the smaller terms: masses may lie far apart, or agree
        plain = _times(x, log)
        sums = np.where(_sum(np.abs(plain)) <= sums, _sum(plain), sums + s.excess(0, 1))
    return np.where(s.uncovered(0, 1), np.inf, s.value(sums))


def _jeffreys(s: _Shares) -> Array:
    value = s.value(_sum(_times(*s.ratio(0, 1))))
    return np.where(s.uncovered(0, 1) | s.uncovered(1, 0), np.inf, value)


def _js(s: _Shares, weights: Row | None) -> Array:
    """In units of root**2, so that the distance can take its root first."""
    if weights is None and len(s.x) == 2:
        d = s.ratio(0, 1)[0]
        sums = _sum((s.x[0] + s.x[1]) * _phi(s.x[0], s.x[1], d)) / 4.0
        bound = LN2
    else:
        w = opt.mixture_weights(weights, len(s.x))
        kept = np.flatnonzero(w).tolist()
        mixture = np.tensordot(w, s.x, 1)
        sums = np.zeros(s.x.shape[1:-1])
        for i in kept:
            x = s.x[i]
            d = sum((w[j] * s.ratio(i, j)[0] for j in kept if j != i), np.zeros(x.shape))
            # from -744, where x weighs nothing, to -log w, which it is where only x has mass
            log = np.clip(np.log(_over(x, mixture)), -744.0, -np.log(w[i]))
            sums = sums + w[i] * _sum(_deviance(x, mixture, d, log))
        s = s._replace(log=s.log[kept])
        others = [w[kept].sum(where=np.asarray(kept) != i) for i in kept]
        logs = [
            np.log(w[i]) if w[i] <= 0.5 else np.log1p(-rest) for i, rest in zip(kept, others, strict=True)
        ]
        bound = -float(np.dot(w[kept], logs))
    if not s.normalized:
        return sums
    limit = bound / s.root / s.root
    return np.where(s.disjoint(), limit, np.minimum(sums, limit))


def _total_variation(s: _Shares) -> Array:
    value = s.value(_sum(np.abs(s.ratio(0, 1)[0])) / 2.0)
    return np.where(s.disjoint(), 1.0, np.minimum(value, 1.0)) if s.normalized else value


def _hellinger(s: _Shares) -> Array:
    # sqrt(x) - sqrt(y) = (x - y) / (sqrt(x) + sqrt(y))
    roots = _over(s.ratio(0, 1)[0], np.sqrt(s.x[0]) + np.sqrt(s.x[1]))
    value = s.root_value(_sum(roots * roots) / 2.0)
    return np.where(s.disjoint(), 1.0, np.minimum(value, 1.0)) if s.normalized else value


def _triangular_discrimination(s: _Shares) -> Array:
    d = s.ratio(0, 1)[0]
    value = s.value(_sum(d * _over(d, s.x[0] + s.x[1])))
    return np.where(s.disjoint(), 2.0, np.minimum(value, 2.0)) if s.normalized else value


def _chi_square(s: _Shares) -> Array:
    y = s.x[1]
    d, log = s.ratio(0, 1)
    # where y is so small that d / y could overflow: p (p / q) (1 - q / p)^2, by logarithms
    tiny = (y < 2.0**-600) & (log > 0)
    far = np.where(tiny, np.exp(s.log[0] + log) * np.expm1(-log) ** 2, 0.0)
    return s.value(_sum(np.where(tiny, 0.0, _times(d, _over(d, y))))) + _sum(far)


def _renyi(s: _Shares, alpha: float) -> Array:
    if alpha == 1.0:
        return _kl(s)
    value = _renyi_not_kl(s, alpha)
    return np.maximum(value, 0.0) if s.normalized else value


def _bhattacharyya(s: _Shares) -> Array:
    far = -_log_sum_exp((s.log[0] + s.log[1]) / 2.0)
    if not s.normalized:
        return far
    roots = _over(s.ratio(0, 1)[0], np.sqrt(s.x[0]) + np.sqrt(s.x[1]))
    gone = s.value(_sum(roots * roots) / 2.0)  # 1 - sum sqrt(x y)
    return np.where(gone <= 0.5, -np.log1p(-np.minimum(gone, 0.5)), far)


def _renyi_not_kl(s: _Shares, alpha: float) -> Array:
    empty = s.log[0] == -np.inf
    if alpha == np.inf:
        largest: Array = np.where(empty, -np.inf, s.ratio(0, 1)[1]).max(-1)
        return largest
    if alpha == 0.0:
        far = -_log_sum_exp(np.where(empty, -np.inf, s.log[1]))
        if not s.normalized:
            return far
        outside = s.value(_sum(np.where(empty, s.x[1], 0.0)))
        return np.where(outside <= 0.5, -np.log1p(-outside), far) + 0.0
    if alpha < 0.5:  # D_a(p, q) = a / (1 - a) D_{1-a}(q, p), which does not cancel as a -> 0
        return alpha / (1.0 - alpha) * _renyi_sum(s, 1, 0, 1.0 - alpha, -alpha)
    return _renyi_sum(s, 0, 1, alpha, alpha - 1.0)


def _log_sum_exp(logs: Array) -> Array:
    top: Array = logs.max(-1)
    top = np.where(np.isfinite(top), top, 0.0)
    return top + np.log(_sum(np.exp(logs - top[..., np.newaxis])))


def _renyi_sum(s: _Shares, i: int, j: int, a: float, b: float) -> Array:
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
    growth = b * s.value(_sum(terms))
    return np.where(np.abs(growth) <= 0.5, np.log1p(growth) / b, far)


# --- the call ------------------------------------------------------------------------------------------


def _score(
    measure: Callable[[_Shares], Array],
    arrays: dict[str, Any],
    axis: int,
    keepdims: bool,
    normalize: bool,
    pseudocount: float,
    log_input: bool,
    nan_policy: str,
    out: np.ndarray[Any, Any] | None,
    base: float | None = None,
    stack: bool = False,
    root: bool = False,
) -> Value:
    """Check everything, score the rows, and hand back what the caller asked for.

    ``stack``: one array holds the distributions on the axis before the bins. ``root``: the measure is a
    square root, taken after the change of base.
    """
    given = {name: as_numbers(a, name) for name, a in arrays.items()}
    base = opt.log_base(base)
    keepdims, normalize = opt.flag(keepdims, "keepdims"), opt.flag(normalize, "normalize")
    log_input, nan_policy = opt.flag(log_input, "log_input"), opt.policy(nan_policy)
    pseudocount = opt.smoothing(pseudocount, log_input)
    axis = opt.integer(axis, "axis")
    same_labels(arrays, axis, rows=True)
    last = opt.stack_last if stack else opt.bins_last
    views = {name: last(a, name, axis) for name, a in given.items()}
    rows = opt.row_shape(list(views.values()), list(views))
    shape = opt.result_shape(rows[:-1] if stack else rows, axis, keepdims, stack)
    dtype = opt.result_dtype(*given.values())
    if out is not None:
        opt.check_out(out, shape, dtype)
    for name, view in views.items():
        opt.raise_bad_mass(view, name, axis, log_input=log_input, nan_policy=nan_policy)

    with np.errstate(all="ignore"):  # inf and NaN are answers here; the checks above found what is not
        table = np.stack(np.broadcast_arrays(*(v.astype(np.float64) for v in views.values())))
        if stack:
            table = np.moveaxis(table[0], -2, 0)
        table = np.ascontiguousarray(table)  # the order of a sum must not depend on the layout
        missing = np.isnan(table).any(axis=0)
        table = np.where(missing, -np.inf if log_input else 0.0, table)
        void = missing.all(-1) if nan_policy == "omit" else missing.any(-1)
        if log_input:
            shares = _from_logits(table, normalize)
        else:
            shares = _from_masses(np.where(missing, 0.0, table + pseudocount), normalize)
        if normalize:
            void = void | ~((shares.x + 0.0).sum(-1) > 0).all(axis=0)
        unit = 1.0 if base is None else np.log(base)
        value = np.where(void, np.nan, measure(shares)) / (np.sqrt(unit) if root else unit)
        result = value.reshape(shape).astype(dtype)
    if out is None:
        return result[()]
    out[...] = result
    return out


def surprisal(p: Number | ArrayLike, *, base: float | None = None) -> Value:
    """-log p, the information content of an event of probability p."""
    return _elementwise(lambda x: 0.0 - np.log(x), p, base)


def binary_entropy(p: Number | ArrayLike, *, base: float | None = None) -> Value:
    """-p log p - (1 - p) log(1 - p), the entropy of an event of probability p."""
    return _elementwise(
        lambda x: 0.0 - _times(x, np.log(x)) - _times(1.0 - x, np.log1p(-x)),
        p,
        base,
    )


def _elementwise(term: Callable[[Array], Array], p: Any, base: float | None) -> Value:
    given = as_numbers(p, "p")
    base = opt.log_base(base)
    opt.raise_bad_probability(given, "p")
    with np.errstate(all="ignore"):
        value = term(given.astype(np.float64)) / (1.0 if base is None else np.log(base))
        return value.astype(opt.result_dtype(given))[()]


def entropy(
    p: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    """-sum p log p."""
    return _score(
        _entropy, {"p": p}, axis, keepdims, normalize, pseudocount, log_input, nan_policy, out, base
    )


def cross_entropy(
    p: ArrayLike,
    q: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    """-sum p log q; inf where q = 0 < p."""
    return _score(
        _cross_entropy,
        {"p": p, "q": q},
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
        base,
    )


def kl_divergence(
    p: ArrayLike,
    q: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    """sum p log(p / q), summed as p log(p / q) - p + q; inf where q = 0 < p."""
    return _score(
        _kl, {"p": p, "q": q}, axis, keepdims, normalize, pseudocount, log_input, nan_policy, out, base
    )


def jeffreys_divergence(
    p: ArrayLike,
    q: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    """sum (p - q) log(p / q) = KL(p, q) + KL(q, p)."""
    return _score(
        _jeffreys, {"p": p, "q": q}, axis, keepdims, normalize, pseudocount, log_input, nan_policy, out, base
    )


def js_divergence(
    p: ArrayLike,
    q: ArrayLike | None = None,
    *,
    weights: Row | None = None,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    """sum_i w_i KL(p_i, m), m = sum_i w_i p_i: of p and q, or of a stack on the axis before the bins.

    With s = p + q, t = (p - q) / s and even weights it is sum s phi(t) / 4, phi(t) = (1 + t) log(1 + t) +
    (1 - t) log(1 - t).
    """
    arrays = {"p": p} if q is None else {"p": p, "q": q}
    return _score(
        lambda s: s.value(_js(s, weights)),
        arrays,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
        base,
        stack=q is None,
    )


def js_distance(
    p: ArrayLike,
    q: ArrayLike | None = None,
    *,
    weights: Row | None = None,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    """sqrt(js_divergence), a metric; the base is applied before the root."""
    arrays = {"p": p} if q is None else {"p": p, "q": q}
    return _score(
        lambda s: s.root_value(_js(s, weights)),
        arrays,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
        base,
        stack=q is None,
        root=True,
    )


def total_variation(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    """sum |p - q| / 2."""
    return _score(
        _total_variation, {"p": p, "q": q}, axis, keepdims, normalize, pseudocount, log_input, nan_policy, out
    )


def hellinger_distance(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    """sqrt(sum (sqrt p - sqrt q)^2 / 2)."""
    return _score(
        _hellinger, {"p": p, "q": q}, axis, keepdims, normalize, pseudocount, log_input, nan_policy, out
    )


def chi_square(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    """sum (p - q)^2 / q (Pearson); inf where q = 0 < p."""
    return _score(
        _chi_square, {"p": p, "q": q}, axis, keepdims, normalize, pseudocount, log_input, nan_policy, out
    )


def triangular_discrimination(
    p: Any,
    q: Any,
    *,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: str = "propagate",
    out: Array | None = None,
) -> Any:
    """sum (p - q)^2 / (p + q); 2 where nothing is shared."""
    return _score(
        _triangular_discrimination,
        {"p": p, "q": q},
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
    )


def bhattacharyya_distance(
    p: Any,
    q: Any,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: str = "propagate",
    out: Array | None = None,
) -> Any:
    """-log sum sqrt(p q): half of Renyi's divergence of order 1/2."""
    return _score(
        _bhattacharyya,
        {"p": p, "q": q},
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
        base=base,
    )


def renyi_divergence(
    p: ArrayLike,
    q: ArrayLike,
    alpha: float,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    """log(sum p^alpha q^(1 - alpha)) / (alpha - 1); alpha = 1 is KL, alpha = inf is log max p / q."""
    order = opt.order(alpha)
    return _score(
        lambda s: _renyi(s, order),
        {"p": p, "q": q},
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
        base,
    )
