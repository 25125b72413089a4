"""A verdict on every column: none, noise, moved or moved a lot; or what kind of column it is.

A measure has moved where it is significant and large. Significant: its p-value times the number of tests of
the column is at most alpha, and so is the column's p, the least of these, after Benjamini and Hochberg over
the columns. Large: what it has in excess of the noise floor f, sqrt(x^2 - f^2), is at least its threshold.
"Noise": a measure is as large as its threshold, but not significant. "None": no measure is either.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import partial
from math import inf, isfinite, sqrt
from typing import Any

from fastdiv.drift.columns import TableError, no_column
from fastdiv.drift.report import ColumnDrift, Skipped
from fastdiv.drift.rules import RANKS, missing_change
from fastdiv.drift.thresholds import Thresholds

__all__ = ["adjusted", "excess", "judged"]


def adjusted(p: Sequence[float]) -> list[float]:
    """p-values by Benjamini and Hochberg: of p_(i), the least p_(j) n / j over j >= i."""
    order = sorted(range(len(p)), key=p.__getitem__, reverse=True)
    found, least = [1.0] * len(p), 1.0
    for rank, i in zip(range(len(p), 0, -1), order, strict=True):
        least = min(least, p[i] * len(p) / rank)
        found[i] = least
    return found


# -- verdicts ------------------------------------------------------------------------------------------------


def judged(
    groups: Sequence[tuple[Sequence[ColumnDrift], Sequence[Skipped]]],
    thresholds: Thresholds,
    known: Sequence[str],
) -> list[tuple[list[ColumnDrift], list[Skipped]]]:
    """The columns of each comparison with their verdicts, movers first; `known` are all there are.

    Several comparisons are as many tests as all of them have.
    """
    for name in thresholds.columns:
        if name not in known:
            raise TableError(f"thresholds: {no_column(name, known)}")
    everything: list[ColumnDrift | Skipped] = [c for group in groups for part in group for c in part]
    tested = [_values(c) for c in everything]
    q = iter(adjusted([_least(values) for values in tested if values]))
    # what has no p-value is not judged
    verdicts: Iterator[Any] = iter(
        [
            _judge(c, values, next(q), thresholds.of(c.name)) if values else c
            for c, values in zip(everything, tested, strict=True)
        ]
    )
    found = []
    for columns, skipped in groups:
        moved = [next(verdicts) for _ in columns]
        moved.sort(key=partial(_order, thresholds))
        found.append((moved, [next(verdicts) for _ in skipped]))
    return found


_Values = dict[str, tuple[float, float, float]]


def _values(c: ColumnDrift | Skipped, judged: bool = False) -> _Values:
    """Value, noise floor and p-value of each measure that was tested; of one that is no distribution few."""
    noise = c.noise
    found: _Values = {}
    if isinstance(c, ColumnDrift) and (judged or not c.verdict):
        if noise.js is not None and noise.p_bins is not None:
            found["js"] = c.js, noise.js, noise.p_bins
        if c.w1_over_sd is not None and noise.w1_over_sd is not None and noise.p_w1 is not None:
            # the proven bound on its error is no drift
            found["w1_over_sd"] = max(0.0, c.w1_over_sd - c.w1_over_sd_bound), noise.w1_over_sd, noise.p_w1
    change = missing_change(c)
    if change is not None and noise.missing is not None and noise.p_missing is not None:
        found["missing"] = change, noise.missing, noise.p_missing
    return found


def _least(values: _Values) -> float:
    """The p-value of a column."""
    return min(1.0, len(values) * min(p for _, _, p in values.values()))


def excess(value: float, floor: float) -> float:
    """What a value has beyond the noise."""
    if not value > floor:
        return 0.0
    return sqrt(max(0.0, (value - floor) * (value + floor))) if isfinite(value) else value


def _judge(c: Any, values: _Values, q: float, thresholds: Thresholds) -> Any:
    noise = replace(c.noise, p=_least(values), p_adjusted=q)
    moved = lot = loud = False
    because = []
    for name, (value, floor, p) in values.items():
        significant = q <= thresholds.alpha and len(values) * p <= thresholds.alpha
        effect = excess(value, floor)
        if significant and effect >= thresholds.moved[name] and value > 0:
            moved, lot = True, lot or effect >= thresholds.a_lot[name]
            because.append(name)
        loud = loud or (not significant and 0 < value >= thresholds.moved[name])
    verdict = "moved a lot" if lot else "moved" if moved else "noise" if loud else "none"
    if c.verdict and not moved:
        verdict = c.verdict  # an identifier, or too few; only its missing values could move
    return replace(c, verdict=verdict, because=tuple(because), noise=noise)


def _order(thresholds: Thresholds, c: ColumnDrift) -> tuple[float, float, float, str]:
    """Movers first, by what they are in excess of the noise, in thresholds for a lot."""
    own = thresholds.of(c.name)
    effect = max(
        (
            excess(value, floor) / own.a_lot[name] if own.a_lot[name] else inf
            for name, (value, floor, _) in _values(c, judged=True).items()
            if not c.because or name in c.because
        ),
        default=0.0,
    )
    rank = RANKS.get(c.verdict, 0)
    return -rank, -effect if rank else 0.0, -c.js, c.name
