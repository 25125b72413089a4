"""What the twins compute with: shares p / sum(p) to 106 bits, their differences and log ratios.

Nothing here subtracts rounded neighbours:

- a share is kept to 106 bits, so the difference of two shares keeps its digits;
- log(x / y) is 2 atanh((x - y) / (x + y)) where x and y are close, and taken from mantissas and exponents
  where they are not, so that no ratio overflows.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt

__all__ = [
    "ATANH",
    "LN2",
    "Array",
    "Shares",
    "against_logits",
    "from_logits",
    "from_masses",
    "over",
    "sum_of_bins",
    "times",
]

Array = npt.NDArray[np.float64]

LN2 = float(np.log(2.0))

# atanh(t) / t - 1 = sum z^k / (2k + 1), z = t**2, for np.polyval, highest power first; 28 terms leave less
# than 1e-18 at z <= 1/4
ATANH = np.append(1.0 / (2.0 * np.arange(28.0, 0.0, -1.0) + 1.0), 0.0)


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


def times(x: Array, y: Array) -> Array:
    """x * y with 0 * inf = 0, as in 0 log 0."""
    return np.where((x == 0) | (y == 0), 0.0, x * y)


def over(x: Array, y: Array) -> Array:
    """x / y with 0 / 0 = 0."""
    return np.where(x == 0, 0.0, x / y)


def sum_of_bins(terms: Array) -> Array:
    """Over the bins."""
    sums: Array = terms.sum(-1)
    return sums


# --- shares --------------------------------------------------------------------------------------------


class Shares(NamedTuple):
    """k distributions side by side: every array but ``root`` and ``scale`` has shape (k, ..., bins).

    A share is ``x * root**2``; the factor leaves room below, so that the root of a divergence is taken before
    its smallest terms are lost. Its logarithm is ``log``. Without losing a digit, however small it is, it is
    also (mantissa + low) * 2**exponent. ``logits`` are the values given with ``log_input=True``. Where these
    are taken as they stand, every bin has a scale of its own: a mass is ``x * exp(scale)``.
    """

    x: Array
    log: Array
    mantissa: Array
    low: Array
    exponent: Array
    root: Array
    normalized: bool
    logits: Array | None = None
    scale: Array | None = None

    def ratio(self, i: int, j: int) -> tuple[Array, Array]:
        """The difference x_i - x_j (in units of root**2) and log(x_i / x_j)."""
        x, y = self.x[i], self.x[j]
        if self.logits is not None:
            log = _log_ratio_of_logits(self, i, j)
            return (x + y) * np.tanh(log / 2.0), log
        shift = np.clip(self.exponent[j] - self.exponent[i], -99, 99)  # mantissas are within 2**60
        high = np.ldexp(self.mantissa[j], shift)
        d = (self.mantissa[i] - high) + (self.low[i] - np.ldexp(self.low[j], shift))
        t = over(d, self.mantissa[i] + high)
        near = 2.0 * t * (1.0 + np.polyval(ATANH, np.minimum(t * t, 0.25)))
        far = self._far(i, j) - self._far(j, i)  # odd in (i, j) to the last bit
        empty = (self.mantissa[i] == 0) & (self.mantissa[j] == 0)
        close = np.abs(t) <= 0.5
        return np.where(close, t * (x + y), x - y), np.where(empty, 0.0, np.where(close, near, far))

    def _far(self, i: int, j: int) -> Array:
        half: Array = np.log(self.mantissa[i] / self.mantissa[j]) / 2.0
        half += LN2 / 2.0 * (self.exponent[i] - self.exponent[j])
        return half

    def disjoint(self) -> npt.NDArray[np.bool_]:
        """Rows in which no bin is shared by two distributions."""
        owners: npt.NDArray[np.int64] = (self.log > -np.inf).sum(axis=0)
        alone: npt.NDArray[np.bool_] = owners.max(-1) <= 1
        return alone

    def uncovered(self, i: int, j: int) -> npt.NDArray[np.bool_]:
        """Rows in which x_j = 0 < x_i somewhere, however little x_i is."""
        rows: npt.NDArray[np.bool_] = ((self.log[i] > -np.inf) & (self.log[j] == -np.inf)).any(-1)
        return rows

    def at_most(self, bound: float, value: Array) -> Array:
        """The value of shares, which is `bound` where no bin is shared; of masses as it is."""
        return np.where(self.disjoint(), bound, np.minimum(value, bound)) if self.normalized else value

    def value(self, terms: Array) -> Array:
        """The sum of a row's terms, which are in units of x, as it is."""
        sums, root = self._sums(terms, self.scale)
        return times(times(sums, root), root)

    def root_value(self, terms: Array) -> Array:
        """The square root of a sum of terms >= 0 in units of x."""
        if self.scale is None:
            return times(np.sqrt(sum_of_bins(terms)), self.root)
        sums, top = _scaled_sums(terms, self.scale)
        fourth = np.exp(top / 4.0)  # its square may be no double where the root is one
        return times(times(np.sqrt(sums), fourth), fourth)

    def mean(self, i: int, factor: Array) -> Array:
        """sum x_i factor as it is, of any factor: x_i may be far below the scale of its bin."""
        if self.scale is None:
            return self.value(times(self.x[i], factor))
        sums, root = self._sums(np.where(self.log[i] > -np.inf, factor, 0.0), self.log[i])
        return times(times(sums, root), root)

    def excess(self, i: int, j: int) -> Array:
        """sum x_i - sum x_j of raw masses, to the last digit."""
        if self.logits is not None:
            return self.value(self.ratio(i, j)[0])
        return times(times(_total(*_two_sum(self.x[i], -self.x[j]))[0], self.root), self.root)

    def _sums(self, terms: Array, scale: Array | None) -> tuple[Array, Array]:
        """sum terms exp(scale) in units of root**2, and the root."""
        if scale is None:
            return sum_of_bins(terms), self.root
        sums, top = _scaled_sums(terms, scale)
        return sums, np.exp(top / 2.0)


def _scaled_sums(terms: Array, scale: Array) -> tuple[Array, Array]:
    """sum terms exp(scale - top), and top."""
    top = np.where(terms == 0, -np.inf, scale).max(-1)  # bins that add nothing have no say
    top = np.where(np.isfinite(top), top, 0.0)
    return sum_of_bins(times(terms, np.exp(scale - top[..., np.newaxis]))), top


_ROOM = 200  # shares of masses are kept times 2**200: a share of 5e-324 is then 2**-874


def from_masses(masses: Array, normalize: bool) -> Shares:
    """The shares of each row, or, without normalising, the masses themselves."""
    mantissa, exponent = np.frexp(masses)
    top = np.frexp(masses.max(-1, keepdims=True))[1]
    if not normalize:
        top = np.broadcast_to(top.max(axis=0, keepdims=True) // 2 * 2, top.shape)  # even: its half is exact
    x = np.ldexp(masses, _ROOM - top)
    low = np.zeros_like(x)
    if not normalize:
        root = np.ldexp(1.0, (top[0, ..., 0] - _ROOM) // 2)
        return Shares(x, np.log(masses), mantissa, low, exponent, root, normalized=False)

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
    return Shares(x, log, quotient, low, exponent, root, normalized=True)


def from_logits(logits: Array, normalize: bool) -> Shares:
    """Shares exp(l) / sum exp(l) of each row, or, without normalising, exp(l) itself."""
    if not normalize:
        scale = logits.max(axis=0)
        scale = np.where(np.isfinite(scale), scale, 0.0)
        x = np.exp(logits - scale)
        unused = np.zeros_like(x)
        return Shares(x, logits, unused, unused, unused, np.ones(x.shape[1:-1]), False, logits, scale)
    log = logits - logits.max(-1, keepdims=True)
    exp = np.exp(log)
    others = exp.copy()
    np.put_along_axis(others, logits.argmax(-1)[..., np.newaxis], 0.0, -1)
    rest = others.sum(-1, keepdims=True)
    x = exp / (1.0 + rest)
    unused = np.zeros_like(x)
    return Shares(x, log - np.log1p(rest), unused, unused, unused, np.ones(x.shape[1:-1]), True, logits)


def against_logits(masses: Array, logits: Array, normalize: bool) -> Shares:
    """Masses, and as a second distribution logits, of which the logarithms of shares alone are known."""
    p, q = from_masses(masses[np.newaxis], normalize), from_logits(logits[np.newaxis], normalize)
    unknown = np.full_like(p.x, np.nan)
    return p._replace(x=np.concatenate([p.x, unknown]), log=np.concatenate([p.log, q.log]))


def _log_ratio_of_logits(s: Shares, i: int, j: int) -> Array:
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
