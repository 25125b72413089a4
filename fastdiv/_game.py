"""The two players' table: what the objectives of a GAN compute with.

With the best discriminator D* = p / (p + q), every loss is a sum of

    -p log D* = p log(1 + q/p)      and      -q log(1 - D*) = q log(1 + p/q),

terms that are never negative, so that nothing cancels however far the rows are apart. The ratio of two shares
is formed from mantissas and exponents: it neither overflows nor vanishes before its logarithm is taken.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers
from fastdiv._checks.data import first, raise_bad_mass
from fastdiv._checks.rows import rows

if TYPE_CHECKING:
    from fastdiv._typing import Value

__all__ = [
    "Call",
    "Decomposition",
    "Game",
    "LN2",
    "checked",
    "common_edges",
    "expected",
    "game",
    "mean",
    "of_discriminator",
]

LN2 = math.log(2.0)
TOP = float(np.finfo(np.float64).max)


class Decomposition(NamedTuple):
    """The second loss of the GAN, taken apart; see `decomposition`. Numbers, or one of each for each row."""

    non_saturating_loss: Value
    """E_q[-log D*], the left side."""
    kl_divergence: Value
    """KL(q || p): pulls the generator towards the data."""
    js_divergence: Value
    """JS(p, q): enters as -2 JS, which pushes it away."""
    log_discriminator: Value
    """E_p[log D*]."""
    constant: Value
    """2 log 2; with ``normalize=False`` the masses of both rows, added, times log 2."""
    residual: Value
    """Left side less right side: rounding only; 0 where both are infinite."""


class Game(NamedTuple):
    """Two rows (many at a time, bins last) as every loss sees them."""

    p: np.ndarray
    q: np.ndarray
    """Shares; the masses as they stand with ``normalize=False``."""
    has_p: np.ndarray
    has_q: np.ndarray
    """Where there is mass, even where the share is too small for a double."""
    odds: np.ndarray
    """q / p, 1 where both are 0."""
    p_loss: np.ndarray
    q_loss: np.ndarray
    """-log D* = log(1 + q/p) and -log(1 - D*) = log(1 + p/q)."""
    void: np.ndarray
    """Rows that have no value: a NaN, or no mass to divide by."""
    logs: tuple[np.ndarray, np.ndarray] | None
    """Logarithms of masses that are taken as they stand, which may be beyond float64."""


class Call(NamedTuple):
    """A call's arguments, checked; views have their bins last."""

    p: np.ndarray
    q: np.ndarray
    d: np.ndarray | None
    shape: tuple[int, ...]
    dtype: np.dtype[Any]
    normalize: bool
    log_input: bool
    unit: float
    """Nats in a unit of the base."""

    def value(self, nats: np.ndarray) -> Value:
        """One number for each row, from nats into the result that was asked for."""
        with np.errstate(over="ignore"):
            return (nats / self.unit).astype(self.dtype).reshape(self.shape)[()]


def checked(
    p: Any, q: Any, d: Any, base: Any, axis: Any, keepdims: Any, normalize: Any, log_input: Any
) -> Call:
    """What all objectives check, in one voice; `d` may be None."""
    arrays = {"p": p, "q": q} | ({} if d is None else {"d": d})
    o = opt.checked(opt.RowOptions(base, axis, keepdims, normalize, log_input=log_input))
    x = rows(arrays, o)
    for name in ("p", "q"):
        raise_bad_mass(x.views[name], name, o.axis, log_input=o.log_input is True, nan_policy="propagate")
    if d is not None:
        _raise_bad_discriminator(x.views["d"], o.axis)
    # contiguous: the order of a sum must not depend on the layout
    rowwise = {name: np.ascontiguousarray(view, np.float64) for name, view in x.views.items()}
    return Call(
        rowwise["p"],
        rowwise["q"],
        rowwise.get("d"),
        x.shape,
        x.dtype,
        o.normalize,
        o.log_input is True,
        1.0 if o.base is None else math.log(o.base),
    )


def _raise_bad_discriminator(view: np.ndarray, axis: int) -> None:
    """Raise for the first d outside [0, 1], row by row; NaN passes."""
    found = first((view < 0) | (view > 1), view, "d", axis)
    if found is not None:
        raise ValueError(f"d must be from 0 to 1, not {found.value}: {found.at} ({found.place})")


class _Masses(NamedTuple):
    """One side: its shares, and the same without losing a digit, as mantissa times 2^exponent."""

    share: np.ndarray
    mantissa: np.ndarray
    exponent: np.ndarray
    void: np.ndarray | bool


def _masses(x: np.ndarray, normalize: bool) -> _Masses:
    mantissa, exponent = np.frexp(x)
    if not normalize:
        return _Masses(x, mantissa, exponent, False)
    top = np.frexp(x.max(-1, keepdims=True))[1]  # or the total might overflow, or vanish
    scaled = np.ldexp(x, -top)
    total = scaled.sum(-1, keepdims=True)
    return _Masses(scaled / total, mantissa / total, exponent - top, total[..., 0] == 0)


def _log_shares(logits: np.ndarray) -> np.ndarray:
    """log softmax; NaN for a row without mass."""
    logs = logits - logits.max(-1, keepdims=True)
    shares: np.ndarray = logs - np.log(np.exp(logs).sum(-1, keepdims=True))
    return shares


def game(call: Call) -> Game:
    p, q = call.p, call.q
    logs = (p, q) if call.log_input and not call.normalize else None
    void = np.isnan(p).any(-1) | np.isnan(q).any(-1)
    odds = p_loss = q_loss = np.empty(0)  # a discriminator that is given needs no best one
    with np.errstate(all="ignore"):  # inf and NaN are answers here
        if call.log_input:
            has_p, has_q = p > -np.inf, q > -np.inf
            if call.normalize:
                void = void | ~has_p.any(-1) | ~has_q.any(-1)
                p, q = _log_shares(p), _log_shares(q)
            if call.d is None:
                log_odds = q - p
                odds = np.exp(log_odds)
                p_loss, q_loss = np.logaddexp(0.0, log_odds), np.logaddexp(0.0, -log_odds)
            p, q = np.exp(p), np.exp(q)
        else:
            has_p, has_q = p > 0, q > 0
            (p, m, e, void_p), (q, n, f, void_q) = (_masses(x, call.normalize) for x in (p, q))
            void = void | void_p | void_q
            if call.d is None:
                odds, p_loss = _log1p(n / m, f - e)
                q_loss = _log1p(m / n, e - f)[1]
        if call.d is None:
            nobody = ~(has_p | has_q)
            odds = np.where(nobody, 1.0, odds)
            p_loss, q_loss = (np.where(nobody, LN2, loss) for loss in (p_loss, q_loss))
    return Game(p, q, has_p, has_q, odds, p_loss, q_loss, void, logs)


def _log1p(mantissa: np.ndarray, exponent: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x = mantissa 2^exponent and log(1 + x), also where x is beyond float64."""
    x = np.ldexp(mantissa, exponent)
    return x, np.where(np.isinf(x), np.log(mantissa) + LN2 * exponent, np.log1p(x))


def expected(table: Game, of: str, loss: str) -> np.ndarray:
    """E_p or E_q, `of` one of them, of the best discriminator's loss on "p" or on "q"."""
    share, has = (table.p, table.has_p) if of == "p" else (table.q, table.has_q)
    losses = table.p_loss if loss == "p" else table.q_loss
    if table.logs is None:
        return mean(share, has, losses, table.void)
    log_p, log_q = table.logs
    with np.errstate(all="ignore"):  # the logarithm of share times log(1 + exp(odds))
        odds = log_q - log_p if loss == "p" else log_p - log_q
        product = np.where(odds < -37, odds, np.log(losses)) + (log_p if of == "p" else log_q)
        return mean(share, has, losses, table.void, np.exp(product))


def mean(
    shares: np.ndarray,
    has: np.ndarray,
    loss: np.ndarray,
    void: np.ndarray,
    products: np.ndarray | None = None,
) -> np.ndarray:
    """The mean of a loss >= 0 that may be inf, over bins with mass only; products where shares overflow."""
    with np.errstate(all="ignore"):
        terms = np.where(loss == 0, 0.0, shares * loss)
        if products is not None:
            terms = np.where(shares == np.inf, products, terms)
        terms = np.where(has, np.where(loss == np.inf, np.inf, terms), 0.0)
        return np.where(void, np.nan, terms.sum(-1))


def of_discriminator(d: np.ndarray, complement: bool = False) -> np.ndarray:
    """-log d, or -log(1 - d)."""
    with np.errstate(divide="ignore"):
        loss: np.ndarray = np.abs(np.log1p(-d) if complement else np.log(d))
        return loss


def common_edges(values: np.ndarray, bins: Any) -> np.ndarray:
    """Edges from their number, a rule of NumPy's or themselves; the values are finite."""
    if isinstance(bins, str):
        try:
            edges: np.ndarray = np.histogram_bin_edges(values, bins)
        except ValueError as error:
            raise ValueError(f"bins={bins!r} gives no edges for these samples: {error}") from None
    elif np.ndim(bins) == 0:
        count, low, high = opt.count(bins, "bins"), float(values.min()), float(values.max())
        if low == high:
            low, high = np.clip([low - max(0.5, abs(low) / 2), high + max(0.5, abs(high) / 2)], -TOP, TOP)
        scale = 1.0 if high - low < 1e300 else 4.0  # what overflows is the difference
        edges = np.linspace(low / scale, high / scale, count + 1) * scale
    else:
        edges = as_numbers(bins, "bins").astype(np.float64)
        if edges.ndim != 1 or len(edges) < 2 or not np.isfinite(edges).all():
            raise ValueError(f"bins must be at least 2 finite edges in one row, not of shape {edges.shape}")
    for i in np.flatnonzero(~(edges[1:] > edges[:-1])):
        raise ValueError(f"bins must ascend, but edge {i + 1} is {edges[i + 1]} after {edges[i]}")
    return edges
