"""Slow twins of `fastdiv.gan`: one row at a time, shares as exact fractions, logarithms of Python."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from fastdiv._game import Decomposition, checked

if TYPE_CHECKING:
    from fastdiv._typing import ArrayLike, Value

__all__ = [
    "decomposition",
    "minimax_value",
    "non_saturating_loss",
    "optimal_discriminator",
    "saturating_loss",
]


def optimal_discriminator(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: int = -1,
    normalize: bool = True,
    log_input: bool = False,
) -> np.ndarray:
    """p / (p + q), 1/2 where both are 0."""
    call = checked(p, q, None, None, axis, False, normalize, log_input)

    def rule(p: Any, q: Any, d: Any) -> list[Any]:
        return [x / (x + y) if x + y else 0.5 for x, y in zip(p, q, strict=True)]

    best = _rowwise(call, rule, call.p.shape[-1])
    return np.moveaxis(best.astype(call.dtype), -1, axis)


def minimax_value(
    p: ArrayLike,
    q: ArrayLike,
    d: ArrayLike | None = None,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    log_input: bool = False,
) -> Value:
    """E_p log d + E_q log(1 - d)."""
    call = checked(p, q, d, base, axis, keepdims, normalize, log_input)
    return call.value(_rowwise(call, lambda *row: [-_p_loss(*row) - _q_loss(*row)])[..., 0] + 0.0)


def saturating_loss(
    p: ArrayLike,
    q: ArrayLike,
    d: ArrayLike | None = None,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    log_input: bool = False,
) -> Value:
    """E_q log(1 - d)."""
    call = checked(p, q, d, base, axis, keepdims, normalize, log_input)
    return call.value(_rowwise(call, lambda *row: [-_q_loss(*row)])[..., 0] + 0.0)


def non_saturating_loss(
    p: ArrayLike,
    q: ArrayLike,
    d: ArrayLike | None = None,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    log_input: bool = False,
) -> Value:
    """E_q[-log d]."""
    call = checked(p, q, d, base, axis, keepdims, normalize, log_input)
    return call.value(_rowwise(call, lambda *row: [_generator_loss(*row)])[..., 0])


def decomposition(
    p: ArrayLike,
    q: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    log_input: bool = False,
) -> Decomposition:
    """The terms of E_q[-log D*] = KL(q || p) - 2 JS + 2 log 2 + E_p[log D*], each by its definition."""
    call = checked(p, q, None, base, axis, keepdims, normalize, log_input)

    def terms(p: Any, q: Any, d: Any) -> list[float]:
        loss = _generator_loss(p, q, None)
        kl = _mean(q, [_log(y, x) for x, y in zip(p, q, strict=True)])
        data = -_p_loss(p, q, None)
        constant = math.log(2) * float(sum(p) + sum(q))
        js = (constant + data - _q_loss(p, q, None)) / 2
        residual = 0.0 if loss == kl == math.inf else loss - (kl - 2 * js + constant + data)
        return [loss, kl, js, data, constant, residual]

    return Decomposition(*(call.value(x) for x in np.moveaxis(_rowwise(call, terms, 6), -1, 0)))


# --- rows --------------------------------------------------------------------------------------------------


def _loss(of: Any, p: Any, q: Any, d: Any) -> float:
    """The mean of -log d over the shares `of`; without d, of p / (p + q)."""
    if d is None:
        return _mean(of, [_log(x + y, x) for x, y in zip(p, q, strict=True)])
    return _mean(of, [_log(1, Fraction(x)) for x in d])


def _p_loss(p: Any, q: Any, d: Any) -> float:
    """E_p[-log d]."""
    return _loss(p, p, q, d)


def _q_loss(p: Any, q: Any, d: Any) -> float:
    """E_q[-log(1 - d)]; without d, of q / (p + q)."""
    return _loss(q, q, p, None if d is None else [1 - Fraction(x) for x in d])


def _generator_loss(p: Any, q: Any, d: Any) -> float:
    """E_q[-log d]."""
    return _loss(q, p, q, d)


def _log(x: Any, y: Any) -> float:
    """log(x / y), of fractions with x >= 0 and y >= 0; what 0/0 is nobody asks."""
    if not x or not y:
        return -math.inf if y else math.inf
    ratio = x / y
    if Fraction(1, 2) < ratio < 2:
        return math.log1p(float(ratio - 1))
    return math.log(ratio.numerator) - math.log(ratio.denominator)


def _mean(shares: Any, values: list[float]) -> float:
    terms = [float(x) * v if v != math.inf else math.inf for x, v in zip(shares, values, strict=True) if x]
    return math.fsum(terms)


def _rowwise(call: Any, function: Callable[..., list[Any]], width: int = 1) -> np.ndarray:
    """The `width` numbers that the function makes of the shares of each pair of rows; NaN without shares."""
    given = [x for x in (call.p, call.q, call.d) if x is not None]
    rows = np.broadcast_shapes(*(x.shape for x in given))
    table = [np.broadcast_to(x, rows).reshape(-1, rows[-1]) for x in given]
    out: list[Any] = []
    for i in range(len(table[0])):
        row = [x[i].tolist() for x in table]
        p, q = (_shares(x, call.normalize, call.log_input) for x in row[:2])
        out.append(None if p is None or q is None else function(p, q, row[2] if len(row) > 2 else None))
    done = [[math.nan] * width if x is None else x for x in out]
    return np.array(done, float).reshape(*rows[:-1], width)


def _shares(row: list[float], normalize: bool, log_input: bool) -> list[Fraction] | None:
    if any(math.isnan(x) for x in row):
        return None
    if log_input:
        top = max(row)
        if normalize and top == -math.inf:
            return None
        row = [math.exp(x - top) if normalize else math.exp(x) for x in row]
    masses = [Fraction(x) for x in row]
    total = sum(masses)
    if not normalize:
        return masses
    return [x / total for x in masses] if total else None
