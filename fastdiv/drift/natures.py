"""Columns whose distribution moves trivially, or never: identifiers, texts, constants, time stamps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from fastdiv.drift.samples import are_whole

if TYPE_CHECKING:
    from fastdiv.drift.cells import Cells
    from fastdiv.drift.columns import Column
    from fastdiv.drift.counting import Counted
    from fastdiv.drift.samples import Sample

__all__ = ["LEAST", "MANY", "nature_of", "numbered", "numbered_cells"]

LEAST = 10
MANY = 20  # values that occur once each are no identifier among fewer
_LONG, _VARIED = 30, 8


def numbered(sample: Sample) -> bool:
    """Numbers are whole, and none occurs twice where 10 pairs were to be expected of chance.

    n draws from as many whole numbers as there are from the first to the last, R, would have n (n - 1) / 2R
    equal pairs: none has a probability of exp(-10), unless they were given out one by one.
    """
    x = sample.values
    n = len(x)
    if sample.counts is not None or n < MANY or x.dtype.kind not in "iuf" or not float(x[0]).is_integer():
        return False
    if np.any(x[1:1000] == x[:-1][:999]):
        return False
    span = float(x[-1]) - float(x[0]) + 1
    if not n * (n - 1) >= 20 * span:
        return False
    return are_whole(x) and bool(np.all(x[1:] != x[:-1]))


def numbered_cells(x: Cells) -> bool:
    """The same where only cells are known: whole numbers that all but fill them, once each."""
    if not x.whole or x.total < MANY:
        return False
    room = (x.last - x.first).astype(np.float64) * x.spacing + 1
    return bool(np.all(x.counts <= room)) and x.total >= 0.99 * float(room.sum())


def nature_of(u: Column, v: Column, counted: Counted) -> str:
    """The nature of a column, or nothing where it has a distribution to compare."""
    if min(u.present, v.present) < LEAST:
        return "too few rows"
    bins = counted.bins
    if u.kind in ("categorical", "boolean"):
        if len(bins) == 1 and not u.others:
            return "constant"
        if min(u.present, v.present) >= MANY:
            once = min(column.distinct / column.present for column in (u, v))
            if once > 0.5 and _long(u.tally) and _long(v.tally):
                return "text"
            if once >= 0.9:
                return "identifier"
        return ""
    if len(bins) == 1 and bins[0].low == bins[0].high and counted.w1 == 0:
        return "constant"
    if u.kind == "datetime":
        outside = sum(b.current for b in bins if b.low is None or b.high is None)
        return "stamp" if outside >= 0.9 * v.present else ""
    return "identifier" if counted.numbered else ""


def _long(tally: Mapping[str, float]) -> bool:
    """Of some length on average, and not all of about one, as hashes are."""
    lengths = list(map(len, tally)) or [0]
    return sum(lengths) >= _LONG * len(lengths) and max(lengths) - min(lengths) >= _VARIED
