"""What the page's script draws a column from, in as few characters as that can be told in.

Whole numbers are written in base 32, most significant digit first, all but the last of them from the upper
half of 64 digits: so none needs a separator, and small ones take one character. Shares are in 10 000ths,
numbers in units of the last decimal place that a picture shows.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import chain, groupby, pairwise
from math import ceil, floor, isfinite, log10
from typing import TYPE_CHECKING, Any, NamedTuple

from fastdiv.drift.contribution import contributions, w1_remainder
from fastdiv.drift.render import what_moved
from fastdiv.drift.rules import has_moved
from fastdiv.drift.thresholds import MEASURES
from fastdiv.drift.wording import clean, mean_of

if TYPE_CHECKING:
    from fastdiv.drift.report import ColumnDrift, Report

__all__ = ["drawn", "packed"]

# Bytes for the bins or the labels of all columns together; what a column may have however many there are.
_ROOM = 400_000
_MOST_BINS, _LEAST_BINS = 100, 24
_MOST_LABELS, _LEAST_LABELS = 16, 4
_LABEL, _LEAST_TOLD = 40, 100

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"


def drawn(report: Report) -> list[dict[str, Any]]:
    """A dictionary for each column; what its keys mean is said at the head of report.js."""
    room = _ROOM // max(len(report.columns), 1)
    keys = zip(*map(_ranks, zip(*map(_keys, report.columns), strict=True)), strict=True)
    return [_column(c, report.pseudocount, room, key) for c, key in zip(report.columns, keys, strict=True)]


def packed(numbers: Iterable[int]) -> str:
    """Whole numbers of 0 and more; of three or more equal ones the first, a star and how many follow it."""
    text = []
    for n, run in groupby(numbers):
        more = sum(1 for _ in run) - 1
        text.append(_digits(n) + (f"*{_digits(more)}" if more > 1 else _digits(n) * more))
    return "".join(text)


def _digits(n: int) -> str:
    text = _DIGITS[n % 32]
    while n := n // 32:
        text = _DIGITS[32 + n % 32] + text
    return text


def _keys(c: ColumnDrift) -> list[float]:
    """What the columns of numbers sort by; infinity first, what there is not last."""
    change = abs(c.missing_current - c.missing_baseline)
    keys = (c.noise.p_adjusted, c.js, c.w1_over_sd, c.kl, c.psi, change)
    return [-1.0 if x is None or x != x else x for x in keys]


def _ranks(values: Sequence[float]) -> list[int]:
    place = {x: i for i, x in enumerate(sorted(set(values)))}
    return [place[x] for x in values]


class _Piece(NamedTuple):
    """A bin, or some side by side, as drawn."""

    label: str
    low: float | int | None
    high: float | int | None
    baseline: float
    current: float
    js: float


def _column(c: ColumnDrift, pseudocount: float, room: int, keys: Sequence[int]) -> dict[str, Any]:
    parts = contributions(c, pseudocount)
    every = [_Piece(*b, part.js_squared) for b, part in zip(c.bins, parts, strict=True)]
    numeric = c.kind in ("numeric", "datetime")
    if numeric:
        size = ceil(len(every) / min(max(_LEAST_BINS, room // 10), _MOST_BINS))
        pieces = [_joined(every[i : i + size]) for i in range(0, len(every), size)]
    else:
        pieces = _told(every, room)
    js = sum(part.js_squared for part in parts) or 1.0
    found: dict[str, Any] = {
        "a": _shares([piece.baseline for piece in pieces], c.n_baseline),
        "b": _shares([piece.current for piece in pieces], c.n_current),
        "j": packed(round(1000 * piece.js / js) for piece in pieces),
        "h": [_shares(side, 1) for side in (c.bars_baseline, c.bars_current)],
        "n": packed((c.n_baseline, c.n_current)),
        "k": packed(keys),
    }
    if len(pieces) < len(every):
        found["o"] = size if numeric else len(every) - len(pieces)
    if numeric:
        found |= _places(c, pieces, parts)
    else:
        found["l"] = [_cut(piece.label) for piece in pieces]
    if c.bars_rest:
        found["r"] = 1
    if c.because:
        found["c"] = "".join(str(MEASURES.index(b)) for b in c.because)
    if told := _sentences(c, max(room // 4, _LEAST_TOLD)):
        found["s"] = told
    return found


def _joined(pieces: Sequence[_Piece]) -> _Piece:
    first, last = pieces[0], pieces[-1]
    sums = (sum(piece.baseline for piece in pieces), sum(piece.current for piece in pieces))
    return _Piece(first.label, first.low, last.high, *sums, sum(piece.js for piece in pieces))


def _told(pieces: Sequence[_Piece], room: int) -> list[_Piece]:
    """Of categories the most frequent and those that moved most, as many as there is room for."""
    n, m = sum(piece.baseline for piece in pieces), sum(piece.current for piece in pieces)
    frequent = sorted(range(len(pieces)), key=lambda i: -pieces[i].baseline / n - pieces[i].current / m)
    moved = sorted(range(len(pieces)), key=lambda i: -pieces[i].js)
    kept: list[int] = []
    used = 0
    for i in dict.fromkeys(chain(*zip(frequent[:_MOST_LABELS], moved[:_MOST_LABELS], strict=True))):
        used += 10 + len(_cut(pieces[i].label).encode())
        if len(kept) == _MOST_LABELS or (len(kept) >= _LEAST_LABELS and used > room):
            break
        kept.append(i)
    return [pieces[i] for i in sorted(kept)]


def _shares(counts: Sequence[float], n: float) -> str:
    """Rounded, but what is there is at least 1."""
    return packed(max(round(10_000 * x / (n or 1)), 1 if x else 0) for x in counts)


def _sentences(c: ColumnDrift, most: int) -> list[str]:
    told = [c.note] if c.note else []
    if c.mean_baseline is not None:
        told.append(f"mean {mean_of(c, c.mean_baseline)} → {mean_of(c, c.mean_current)}")
    if has_moved(c.verdict):
        told += what_moved(c)
    return [_cut(line, most) for line in told]


# -- numbers -------------------------------------------------------------------------------------------------


def _places(c: ColumnDrift, pieces: Sequence[_Piece], parts: Any) -> dict[str, Any]:
    """Where a numeric column's pieces lie, and the area between its distribution functions."""
    unit = 1e6 if c.kind == "datetime" else 1
    scaled = [
        tuple(x if x is None or not isfinite(x) else x / unit if unit != 1 else x for x in (b.low, b.high))
        for b in pieces
    ]
    places = _decimals([x for pair in scaled for x in pair if x is not None and isfinite(x)])
    found: dict[str, Any] = {"x": _ends(scaled, places)}
    if places:
        found["p"] = places
    if unit != 1:
        found["t"] = 1
    if c.bars_ends is not None:
        found["e"] = "".join(_in_units(x / unit if unit != 1 else x, places) for x in c.bars_ends)
    if c.w1 is not None and isfinite(c.w1):
        rest = w1_remainder(c, parts) or 0.0
        found["w"] = [_short(c.w1)] + ([_short(c.w1 - rest)] if abs(rest) > 0.05 * c.w1 else [])
        for key, beyond in (("d", c.below), ("u", c.above)):
            if beyond:
                found[key] = "".join(_in_units(x / unit, places) for x in beyond)
    return found


def _decimals(ends: Sequence[float | int]) -> int:
    """Decimal places that tell a three-thousandth of the range, tails aside, and no end from another.

    At most such that the number of units is a double; fewer than 0 only of numbers of more than 15 digits.
    """
    ends = sorted(ends)
    top = max(map(abs, ends), default=0)
    size = floor(log10(top)) if top else 0
    if all(x == int(x) for x in ends):
        return min(0, 14 - size)
    steps = sorted(y - x for x, y in pairwise(ends) if y > x)
    spread = min(ends[-1 - len(ends) // 10] - ends[len(ends) // 10], 1e300) / 3000
    step = min([*steps[:1], spread])
    places = ceil(-log10(step)) if step > 0 else 4 - size
    return max(min(0, 14 - size), min(places, 300, 300 - size))


def _in_units(x: float | int | None, places: int) -> str:
    """In units of the last place; after a dot what is below 0, and ! for no end at all."""
    if x is None or not isfinite(x):
        return "!"
    if isinstance(x, int):
        n = x * 10**places if places >= 0 else round(x, places) // 10**-places
    else:
        text = f"{x:.{max(places, 0)}f}".replace(".", "")
        n = int(text) if places >= 0 else round(int(text), places) // 10**-places
    return ("." if n < 0 else "") + _digits(abs(n))


def _ends(pairs: Sequence[tuple[Any, ...]], places: int) -> str:
    """Upper ends of bins; before them "(" and the lower one where that is not the last upper one, or "="."""
    text, last = [], "("
    for low, high in ([_in_units(x, places) for x in pair] for pair in pairs):
        if low == high != "!":
            text.append("=" + high)
        else:
            text.append(high if low == last else f"({low}{high}")
        last = high
    return "".join(text)


def _short(x: float) -> float | int:
    short = float(f"{x:.4g}")
    return int(short) if short == int(short) and abs(short) < 1e15 else short


def _cut(text: str, most: int = _LABEL) -> str:
    text = clean(text)
    return text if len(text) <= most else text[: most - 1] + "…"
