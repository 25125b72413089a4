"""Derivatives of the objectives of a GAN by the players' masses: what ``fastdiv.grad.gan`` computes with.

A row of shares x (of p) and y (of q) meets the best discriminator in its odds o = y/x and its tilt
u = (y - x)/(y + x). Far from o = 1 a slope is written in o, whose logarithms neither overflow nor vanish;
near it in u, less the level that all slopes have where the rows agree. The chain rule takes a row's mean from
its slopes, and with it any level: of the two levels, 0 and that of equal rows, a row gets the one its slopes
are nearer to, so that near-identical rows keep their digits and rows nearly disjoint do, too. The total of a
row enters u with a rounding error that is the same in every bin: to first order it leaves with the mean.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastdiv import gan
from fastdiv._checks.options import last_back
from fastdiv._game import LN2, Call, Game, checked, of_discriminator
from fastdiv._game import game as play
from fastdiv.grad._score import refuse_value

__all__ = ["differentiate_game"]

HALVES = 134217729.0  # 2^27 + 1: splits a double into two halves whose products are exact
LEVELS = {  # of the slopes by p and by q where the rows agree
    "minimax_value": (-LN2, -LN2),
    "saturating_loss": (-0.5, 0.5 - LN2),
    "non_saturating_loss": (-0.5, 0.5 + LN2),
}


class _Slopes(NamedTuple):
    """Derivatives by the shares of one side, as if each were free, and their products with the share."""

    slope: np.ndarray
    product: np.ndarray


def differentiate_game(
    name: str, p: Any, q: Any, d: Any, base: Any, axis: Any, keepdims: Any, normalize: Any, log_input: Any
) -> list[Any]:
    """The value of the objective of ``fastdiv.gan`` of this name, and its derivatives by p, q and a d given.

    Raises
    ------
    ValueError
        For a row whose value is not finite: it has no gradient.
    """
    options = {"axis": axis, "keepdims": keepdims, "normalize": normalize, "log_input": log_input}
    value = getattr(gan, name)(p, q, d, base=base, **options)
    call = checked(p, q, d, base, axis, keepdims, normalize, log_input)
    table = play(call)
    _refuse(name, value, call, table)
    with np.errstate(all="ignore"):  # inf is an answer here, what is NaN is replaced
        sides = _best(name, call, table) if call.d is None else _fixed(name, call, table)
        slopes = [
            _by_entries(*side, x, has, given, call)
            for side, x, has, given in zip(
                sides, (table.p, table.q), (table.has_p, table.has_q), (call.p, call.q), strict=True
            )
        ]
        if name == "non_saturating_loss" and call.d is None and normalize and not call.log_input:
            slopes[0] = _steep(slopes[0], call, table)
        if call.d is not None:
            slopes.append(_by_discriminator(name, call.d, table))
        shape = np.broadcast_shapes(*(s.shape for s in slopes), *(a.shape for a in (call.p, call.q)))
        slopes = [np.broadcast_to(s / call.unit, shape).astype(call.dtype) for s in slopes]
    return [value, *(last_back(s, axis) for s in slopes)]


def _refuse(name: str, value: Any, call: Call, table: Game) -> None:
    """Raise for the first row whose value is not finite, and say why."""
    given = [a for a in (call.p, call.q, call.d) if a is not None]
    shape = np.broadcast_shapes(*(a.shape for a in given))
    rows = np.asarray(value).reshape(shape[:-1])
    if not np.isfinite(rows).all():
        row = tuple(np.argwhere(~np.isfinite(rows))[0])
        refuse_value(name, rows, _why(name, rows[row], call, table, shape, row))


def _why(name: str, value: Any, call: Call, table: Game, shape: tuple[int, ...], row: tuple[Any, ...]) -> str:
    if np.isnan(value):
        return "there is a missing value or no mass in it"
    has_p, has_q = (np.broadcast_to(has, shape)[row] for has in (table.has_p, table.has_q))
    if call.d is None:
        faults = [("p has no mass", has_q & ~has_p, "q has some")]
    else:
        d, end = np.broadcast_to(call.d, shape)[row], 0 if name == "non_saturating_loss" else 1
        faults = [(f"d is {end}", has_q & (d == end), "q has mass")]
        if name == "minimax_value":
            faults.append(("d is 0", has_p & (d == 0), "p has mass"))
    for what, where, but in faults:
        if where.any():
            return f"{what} in bin {int(np.argmax(where))}, where {but}"
    return f"it is beyond {call.dtype}"


# --- by each share, as if it were free ---------------------------------------------------------------------


def _fixed(name: str, call: Call, table: Game) -> list[_Slopes]:
    """Against a discriminator that is given: the logarithm whose mean is taken."""
    assert call.d is not None
    by_p, by_q = np.zeros(call.d.shape), 0.0 - of_discriminator(call.d, complement=True)
    if name == "minimax_value":
        by_p = 0.0 - of_discriminator(call.d)
    elif name == "non_saturating_loss":
        by_q = of_discriminator(call.d)
    logs = table.logs or (None, None)
    sides = []
    for x, has, z, slope in zip(
        (table.p, table.q), (table.has_p, table.has_q), logs, (by_p, by_q), strict=True
    ):
        product = x * slope
        if z is not None:
            product = np.where(np.isinf(x), np.sign(slope) * np.exp(z + np.log(abs(slope))), product)
        sides.append(_Slopes(slope, np.where(has & (slope != 0), product, 0.0)))
    return sides


def _by_discriminator(name: str, d: np.ndarray, table: Game) -> np.ndarray:
    """x/d, y/(1 - d), or their difference; nothing where there is no mass."""
    of_p = np.where(table.has_p, table.p / d, 0.0)
    of_q = np.where(table.has_q, table.q / (d if name == "non_saturating_loss" else 1.0 - d), 0.0)
    slopes: np.ndarray = of_p - of_q if name == "minimax_value" else 0.0 - of_q
    return slopes


def _best(name: str, call: Call, table: Game) -> list[_Slopes]:
    """Against the best discriminator, which follows the shares."""
    x, y, odds, p_loss, q_loss = table.p, table.q, table.odds, table.p_loss, table.q_loss
    of_q = 1.0 / (1.0 + 1.0 / odds)
    if name == "minimax_value":  # log D*, log(1 - D*)
        far, products, bare = (-p_loss, -q_loss), (-x * p_loss, -y * q_loss), (0.0, 0.0)
    elif name == "saturating_loss":  # -y/(x + y), log(1 - D*) + D*
        excess = _excess(1.0 / (1.0 + odds), q_loss)
        far, products, bare = (-of_q, -excess), (-x * of_q, -y * excess), (0.0, 0.0)
    else:  # -y^2/(x (x + y)), -log D* + 1 - D*
        far = -odds * of_q, p_loss + of_q
        products, bare = (-y * of_q, y * far[1]), (0.0, np.inf)
    of_logs = products if table.logs is None else _products_of_logs(name, *table.logs)
    nobody = ~(table.has_p | table.has_q)  # mass that comes there has the bin for itself
    sides = []
    for side, (share, has) in enumerate(((x, table.has_p), (y, table.has_q))):
        beyond = np.isinf(share) | (abs(far[side]) < 1e-290)  # one factor of the product is no good double
        product = np.where(beyond, of_logs[side], products[side])
        slope = np.where(nobody, bare[side], 0.0 + far[side])
        sides.append(_Slopes(slope, np.where(has, 0.0 + product, 0.0)))
    if not call.normalize:
        return sides
    tilt = _tilt_of_logs(call.p, call.q) if call.log_input else _tilt(call.p, call.q)
    near = _near(name, tilt)
    close = abs(tilt) < 0.5  # false where it is NaN
    return [
        _levelled(side, level, c, close, share)
        for side, level, c, share in zip(sides, LEVELS[name], near, (x, y), strict=True)
    ]


def _near(name: str, u: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Slopes less their level, where x = (1 - u) m and y = (1 + u) m."""
    if name == "minimax_value":
        return np.log1p(-u), np.log1p(u)
    if name == "saturating_loss":
        return -u / 2, np.log1p(u) - u / 2
    return -u * (3.0 + u) / (2.0 * (1.0 - u)), u / 2 - np.log1p(-u)


def _levelled(side: _Slopes, level: float, near: np.ndarray, close: np.ndarray, share: np.ndarray) -> _Slopes:
    """The slopes of each row less the level that leaves less of them: that of equal rows, or 0."""
    slope = np.where(close, near, side.slope - level)
    product = np.where(close, share * near, side.product - level * share)
    better = abs(product).sum(-1, keepdims=True) < abs(side.product).sum(-1, keepdims=True)
    return _Slopes(np.where(better, slope, side.slope), np.where(better, product, side.product))


def _excess(t: np.ndarray, loss: np.ndarray) -> np.ndarray:
    """-log(1 - t) - t >= 0 from t and its first term, the loss: t^2/2 + t^3/3 + ... for small t."""
    tail = np.zeros(t.shape)
    for k in range(17, 1, -1):  # 0.1^16 / 18 is left out
        tail = tail * t + 1.0 / k
    excess: np.ndarray = np.where(t < 0.1, t * t * tail, loss - t)
    return excess


def _products_of_logs(name: str, z: np.ndarray, w: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """x = exp(z) and y = exp(w) times their slopes, by logarithms: x and y may be beyond float64."""
    log_odds = w - z
    of_p, of_q = -np.logaddexp(0.0, log_odds), -np.logaddexp(0.0, -log_odds)  # log D*, log(1 - D*)
    if name == "minimax_value":
        log_p = np.where(log_odds < -37, log_odds, np.log(-of_p))
        log_q = np.where(log_odds > 37, -log_odds, np.log(-of_q))
        return -np.exp(z + log_p), -np.exp(w + log_q)
    if name == "saturating_loss":
        excess = _excess(np.exp(of_p), -of_q)
        log_q = np.where(log_odds > 37, -2.0 * log_odds - LN2, np.log(excess))
        return -np.exp(z + of_q), -np.exp(w + log_q)
    log_q = np.where(log_odds < -37, log_odds + LN2, np.log(np.exp(of_q) - of_p))
    return -np.exp(w + of_q), np.exp(w + log_q)


# --- tilts: exact differences ------------------------------------------------------------------------------


def _tilt(p: np.ndarray, q: np.ndarray) -> np.ndarray:
    """(y - x)/(y + x) of the shares x = p/P and y = q/Q: of q P and p Q, which differ by what is exact."""
    (m, e, total_p), (n, f, total_q) = _parts(p), _parts(q)
    a, a_low = _product(np.ldexp(n, np.clip(f - e, -99, 99)), total_p)  # farther apart no tilt is asked for
    b, b_low = _product(m, total_q)
    tilt: np.ndarray = ((a - b) + (a_low - b_low)) / (a + b)
    return tilt


def _parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Mantissas, exponents by that of the largest mass, and the total in its unit."""
    mantissa, exponent = np.frexp(x)
    top = _top(x)
    return mantissa, exponent - top, np.ldexp(x, -top).sum(-1, keepdims=True)


def _top(x: np.ndarray) -> np.ndarray:
    top: np.ndarray = np.frexp(x.max(-1, keepdims=True))[1]
    return top


def _product(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a b and its rounding error (Dekker), of numbers around 1."""
    ab = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    return ab, ((a_high * b_high - ab) + a_high * b_low + a_low * b_high) + a_low * b_low


def _halves(a: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    scaled = HALVES * a
    high = scaled - (scaled - a)
    return high, a - high


def _tilt_of_logs(z: np.ndarray, w: np.ndarray) -> np.ndarray:
    """tanh of half the log-odds, whose differences keep what they round off."""
    (a, a_low, total_p), (b, b_low, total_q) = _log_parts(z), _log_parts(w)
    gap, low = _difference(b, a)
    gap, lower = _difference(gap, total_q - total_p)
    tilt: np.ndarray = np.tanh((gap + (low + lower + (b_low - a_low))) / 2)
    return tilt


def _log_parts(z: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Logits below the largest, what rounding left of them, and the logarithm of the total."""
    below, low = _difference(z, z.max(-1, keepdims=True))
    return below, low, np.log(np.exp(below).sum(-1, keepdims=True))


def _difference(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """a - b and its rounding error (Knuth); none of infinities."""
    c = a - b
    virtual = c - a
    low = (a - (c - virtual)) - (b + virtual)
    return c, np.where(np.isfinite(c), low, 0.0)


# --- the chain rule ----------------------------------------------------------------------------------------


def _by_entries(
    slope: np.ndarray, product: np.ndarray, share: np.ndarray, has: np.ndarray, given: np.ndarray, call: Call
) -> np.ndarray:
    """Derivatives by the entries as they were given, from those by free shares."""
    if not call.normalize:
        return product if call.log_input else slope
    mean = product.sum(-1, keepdims=True)  # then what is left, of shares that do not quite add to 1
    slope = slope - mean
    product = np.where(has, np.where(abs(slope) < 1e100, share * slope, product - share * mean), 0.0)
    mean = product.sum(-1, keepdims=True)
    if call.log_input:
        return np.where(has, product - share * mean, 0.0)
    total, top = _parts(given)[2], _top(given)
    by_masses: np.ndarray = np.ldexp((slope - mean) / total, -top)
    return by_masses


def _steep(slopes: np.ndarray, call: Call, table: Game) -> np.ndarray:
    """By p the second loss has -o, of odds that may be no double where by the mass, -o/P, it is one again."""
    (m, e, _), (n, f, total) = _parts(call.p), _parts(call.q)
    steep = np.ldexp(-(n / total) / m, f - e - _top(call.p))
    return np.where(np.isinf(table.odds) & table.has_p, steep, slopes)
