"""Two columns, counted on the same bins, and what else the measures of a comparison are taken of.

Numeric columns are counted on bins that the baseline alone fixes, so that two currents can be compared
with each other: its quantiles, which no outlier can stretch, with one more bin below its minimum and one
above its maximum. A value that fills a whole quantile gets a bin of its own, and so does every value of a
column that has few. Categorical and boolean columns are counted by value. The Wasserstein distance needs
no bins: it is exact, on the values.

Of a baseline some columns are known in cells only (:mod:`fastdiv.drift.cells`). Their bins are made of
whole cells, so that counts stay exact, and the bound on W1's error is said.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise, repeat
from math import ceil
from typing import Any

import numpy as np

from fastdiv.drift.binning import (
    N_BARS,
    Bars,
    Cuts,
    bars,
    between,
    cell_bars,
    cell_cuts,
    count,
    count_cells,
    ends_of,
)
from fastdiv.drift.bridges import Spread, cells_spread, spread
from fastdiv.drift.cells import Cells, doubles_of
from fastdiv.drift.cells import w1 as cells_w1
from fastdiv.drift.columns import ROUNDED, Column, common_dtype, rounding
from fastdiv.drift.edges import Binning
from fastdiv.drift.natures import MANY, numbered, numbered_cells
from fastdiv.drift.report import Bin, W2Parts
from fastdiv.drift.samples import Sample, ascending, tallied
from fastdiv.drift.weighing import Weighted
from fastdiv.drift.weighing import bars as weighted_bars
from fastdiv.drift.wording import OTHERS
from fastdiv.transport import of_true_samples

__all__ = ["Counted", "count_numbers", "count_values", "parts_of_w2"]


# Fewer values are sorted sooner than they are put into cells one by one.
_FEW = 1 << 14


@dataclass(frozen=True, slots=True)
class Counted:
    """What the measures are taken of, however it was counted."""

    bins: list[Bin]
    p: np.ndarray
    q: np.ndarray
    bars: Bars
    w1: float | None = None
    w1_bound: float = 0.0
    w1_over_sd_bound: float = 0.0
    w1_over_sd: float | None = None
    means: tuple[float | None, float | None] = (None, None)
    note: str = ""
    spread: Spread | None = None
    numbered: bool = False
    fixed: bool = False
    sd: float = 0.0
    sd_current: float = 0.0
    w2: float | None = None
    below: tuple[float, float] | None = None
    above: tuple[float, float] | None = None


def count_values(u: Column, v: Column) -> Counted:
    """Bins of a categorical or boolean column: its values, the baseline's most frequent first.

    Where a side has let categories go, only those have a bin that it still counts; all others share the last.
    """
    # arrays, for an identifier has as many values as the table has rows
    known: Any = u.tally.keys() | v.tally.keys()
    for side in (u, v):
        known = known & side.tally.keys() if side.others else known
    labels = sorted(known)
    kind: Any = np.int64 if u.mass is None else np.float64
    p, q = (np.fromiter((c.tally.get(x, 0) for x in labels), kind, len(labels)) for c in (u, v))
    if u.mass is not None:
        p, q = p / u.unit, q / v.unit
    order = np.lexsort([-q, -p])
    p, q = p[order], q[order]
    labels = list(map(labels.__getitem__, order.tolist()))
    notes = [*filter(None, (u.note, v.note))]
    if u.others or v.others:
        slack = max(u.slack / u.unit, v.slack / v.unit)
        low = f", and up to {slack:,.0f} values of each of these" if slack else ""
        notes.append(f"all but {len(labels):,} categories are counted as one{low}")
        labels.append(OTHERS)
        # sums of weights may be off in their last bits
        p, q = (np.append(x, max(x.dtype.type(0), c.present - x.sum())) for x, c in ((p, u), (q, v)))
    nothing = repeat(None)
    bins = list(map(Bin, labels, nothing, nothing, p.tolist(), q.tolist()))
    if min(u.present, v.present) >= MANY and all(2 * column.distinct > column.present for column in (u, v)):
        notes.append("most values occur once, as in an identifier, which has no distribution to compare")
    return Counted(bins, p, q, Bars(_with_rest(p), _with_rest(q)), note="; ".join(dict.fromkeys(notes)))


def _with_rest(counts: np.ndarray) -> np.ndarray:
    """The first counts, and all others as the last."""
    if len(counts) <= N_BARS:
        return counts
    return np.append(counts[: N_BARS - 1], counts[N_BARS - 1 :].sum())


def count_numbers(u: Column, v: Column, how: Binning) -> Counted:
    """Bins of a numeric column, fixed by its finite baseline values; infinite ones fall below or above."""
    how.fits(u)
    if u.cells is not None or v.cells is not None:
        return _count_cells(u, v, how)
    alike = _in_one_type(u, v)
    if u.mass is not None:
        return _count_weighted(u, v, Weighted.of(u, alike[0]), Weighted.of(v, alike[1]), how)
    x, y = Sample.of(u, alike[0]), Sample.of(v, alike[1])
    inner, on = x.finite(), y.finite()
    cuts, few = how.cuts(inner)
    ends = ends_of(y.values, cuts)
    p, q = count(x, cuts), between(y, ends)
    filled = np.flatnonzero(p + q)
    labels = _labels(cuts, filled, u.kind, how, (inner.values, on.values))
    drawn = Bars(p[filled], q[filled]) if few and len(filled) <= N_BARS else bars(x, y)
    infinite = x.total - inner.total + y.total - on.total
    note = rounding([u.numbers, v.numbers], x.values.dtype)
    counted = _counted(u, v, labels, (p[filled], q[filled]), drawn, how, note, infinite)
    if infinite:
        return counted
    laid = replace(
        counted,
        w2=_wasserstein(x, y, 2),
        spread=spread(x, y),
        numbered=numbered(x) and numbered(y),
        **_beyond(y, int(ends[0]), int(ends[-1]), how),
    )
    return _with_w1(laid, u, _wasserstein(x, y, 1), 0.0, x.moments, y.moments)


def _wasserstein(x: Sample, y: Sample, p: int) -> float:
    values = _wide(x.values), _wide(y.values)
    if x.counts is None and y.counts is None:
        return float(of_true_samples(*values, p=p, assume_sorted=True))
    # W1 through cells, which is sooner than a sweep with weights
    return float(of_true_samples(*values, x.counted(), y.counted(), p=p, assume_sorted=p != 1))


def _count_weighted(u: Column, v: Column, x: Weighted, y: Weighted, how: Binning) -> Counted:
    """The same with weights."""
    inner, on = x.finite(), y.finite()
    cuts, few = inner.cuts(how, u.effective)
    ends = ends_of(y.values, cuts)
    p, q = x.between(ends_of(x.values, cuts)), y.between(ends)
    filled = np.flatnonzero(p + q)
    labels = _labels(cuts, filled, u.kind, how, (inner.values, on.values))
    drawn = Bars(p[filled], q[filled]) if few and len(filled) <= N_BARS else weighted_bars(x, y)
    infinite = sum(int(side.counts.sum()) - int(part.counts.sum()) for side, part in ((x, inner), (y, on)))
    note = rounding([u.numbers, v.numbers], x.values.dtype)
    counted = _counted(u, v, labels, (p[filled], q[filled]), drawn, how, note, infinite)
    if infinite:
        return counted
    a, b = x.sample, y.sample
    laid = replace(
        counted,
        w2=_wasserstein(a, b, 2),
        spread=spread(x.scaled(u.effective), y.scaled(v.effective)),
        numbered=all(side.counts.max() == 1 and numbered(Sample(side.values)) for side in (x, y)),
        **_beyond(b, int(ends[0]), int(ends[-1]), how),
    )
    return _with_w1(laid, u, _wasserstein(a, b, 1), 0.0, x.moments(), y.moments())


def _count_cells(u: Column, v: Column, how: Binning) -> Counted:
    """The same where the numbers of one side are known in cells: bins of whole cells, exactly counted."""
    k = max(side.cells.k for side in (u, v) if side.cells is not None)
    if u.cells is None:
        u = replace(u, sample=Sample.of(u))
    a, b = _in_cells(u, k), _in_cells(v, k)
    inner = a.finite()
    whole, note = a.whole and b.whole, ROUNDED if a.rounded or b.rounded else ""
    if how.edges:
        edges, ends, kept = how.cell_cuts(a, b)
        if not kept:
            note = "; ".join(filter(None, (note, "edges are moved to where the cells of a baseline begin")))
    else:
        edges = cell_cuts(inner, how.bins, how.continuous)
        ends = [ceil(x) if whole else x for x in doubles_of(edges << np.uint64(k)).tolist()]
    p, q = count_cells(a, edges), count_cells(b, edges)
    filled = np.flatnonzero(p + q)
    infinite = a.total - inner.total + b.total - b.finite().total
    limits: list[Any] = [None, *ends, None]
    spans = list(pairwise(limits))
    labels = [(_label(low, high, u.kind), low, high) for low, high in map(spans.__getitem__, filled.tolist())]
    if how.edges:
        held = [side for side in (inner, b.finite()) if side.total]
        labels = _closed(labels, [doubles_of(np.append(x.first[:1], x.last[-1:])) for x in held])
    counted = _counted(u, v, labels, (p[filled], q[filled]), cell_bars(a, b, whole), how, note, infinite)
    if infinite:
        return counted
    w1, bound = cells_w1(a, b)
    first, last = np.searchsorted(b.keys, edges[[0, -1]]).tolist()
    counted = replace(
        counted,
        spread=cells_spread(a, b),
        numbered=numbered_cells(a) and numbered_cells(b),
        **_beyond(Sample(b.means, b.counts), first, last, how),
    )
    # of the current the mean alone is asked for, which cells have exact sums for
    of_u: Any = u.cells or u.sample
    return _with_w1(counted, u, w1, bound, of_u.moments, (b.mean, 0.0))


def _in_cells(column: Column, k: int) -> Cells:
    if column.cells is not None:
        return column.cells.coarsened(k)
    x, sample = column.numbers, column.sample
    if sample is not None:
        if sample.counts is None:
            return Cells.each(sample.values, k)
        return Cells.of(sample.values, sample.counts).coarsened(k)
    if len(x) >= _FEW:
        tally = tallied(x)
        found = Cells.counted(x, k) if tally is None else Cells.of(*tally).coarsened(k)
        if found is not None:
            return found
    return Cells.each(ascending(x), k)


def parts_of_w2(counted: Counted, unit: float) -> W2Parts | None:
    """What of W2 squared is shift, scale and shape; None where W2 is 0 or not known. Means are in `unit`."""
    w2, (mean_u, mean_v) = counted.w2, counted.means
    if not w2 or mean_u is None or mean_v is None or not np.isfinite(w2):
        return None
    shift = min(1.0, ((mean_v - mean_u) * unit / w2) ** 2)
    scale = min(1.0 - shift, ((counted.sd_current - counted.sd) / w2) ** 2)
    return W2Parts(shift, scale, max(0.0, 1.0 - shift - scale))


def _beyond(y: Sample, first: int, last: int, how: Binning) -> dict[str, Any]:
    """What is known of the values before the first place and from the last on; nothing between edges."""
    found: dict[str, Any] = {}
    if how.edges:
        return found
    for key, part, end in (("below", slice(0, first), 0), ("above", slice(last, None), -1)):
        values = y.values[part].astype(float)
        if len(values):
            w = np.ones(len(values)) if y.counts is None else y.counts[part]
            # the shares first: no sum overflows, and no mean is beyond the values it is of
            mean = float(np.clip((w / w.sum() * values).sum(), values[0], values[-1]))
            extreme = float(values[end])
            found[key] = (extreme, mean) if end == 0 else (mean, extreme)
    return found


_Label = tuple[str, Any, Any]


def _counted(
    u: Column,
    v: Column,
    labels: list[_Label],
    counts: tuple[np.ndarray, np.ndarray],
    drawn: Bars,
    how: Binning,
    note: str,
    infinite: int,
) -> Counted:
    p, q = counts
    labelled = [Bin(*label, *both) for label, *both in zip(labels, p.tolist(), q.tolist(), strict=True)]
    notes = list(dict.fromkeys(filter(None, (u.note, v.note, note))))
    if how.own:
        asked = "the edges given" if how.edges else f"{how.bins} quantiles of the baseline, at most"
        notes.append(f"bins by {asked}")
    if infinite:
        notes.append(f"{infinite} infinite values are counted in the end bins, and there is no W1")
    return Counted(labelled, p, q, drawn, note="; ".join(notes), fixed=bool(how.edges))


def _with_w1(
    counted: Counted, u: Column, w1: float, bound: float, of_u: tuple[float, float], of_v: tuple[float, float]
) -> Counted:
    (mean_u, sd), (mean_v, sd_v) = of_u, of_v
    scaled, scaled_bound = (x / sd if sd else (np.inf if x else 0.0) for x in (w1, bound))
    note, unit = counted.note, 1.0
    if u.kind == "datetime":
        unit = 1e6
        told = f"taken as time: W1 is {w1 / unit:,.1f} s ({w1 / unit / 86_400:,.1f} days)"
        note = "; ".join(filter(None, (note, told)))
    means = mean_u / unit, mean_v / unit
    return replace(
        counted,
        sd=sd,
        sd_current=sd_v,
        w1=w1 / unit,
        w1_bound=bound / unit,
        w1_over_sd_bound=scaled_bound,
        w1_over_sd=scaled,
        means=means,
        note=note,
    )


def _in_one_type(u: Column, v: Column) -> tuple[np.ndarray, np.ndarray]:
    """The numbers of both in one type: of two float types the narrower, for 0.1 is not the same in both.

    But the wider where the narrower would overflow.
    """
    x, y = u.numbers, v.numbers
    dtype = common_dtype([x, y])
    if x.dtype.kind == y.dtype.kind == "f" and x.dtype != y.dtype:
        narrow, wide = sorted((x, y), key=lambda a: a.dtype.itemsize)
        with np.errstate(over="ignore", under="ignore"):
            cast = wide.astype(narrow.dtype)
        if np.array_equal(np.isinf(cast), np.isinf(wide)):
            dtype = narrow.dtype
    elif {x.dtype.kind, y.dtype.kind} <= set("iuf") and rounding([x, y], dtype):
        # a column of integers with a missing one comes as floats: whole ones can stand against integers
        a, b = (side if side.dtype.kind != "f" else _as_integers(side) for side in (x, y))
        if a is not None and b is not None:
            x, y = a, b
            dtype = common_dtype([x, y])
    return _cast(x, dtype), _cast(y, dtype)


def _cast(x: np.ndarray, dtype: np.dtype[Any]) -> np.ndarray:
    with np.errstate(under="ignore"):
        cast = x.astype(dtype, copy=False)
    return cast + 0 if dtype.kind == "f" and cast is not x else cast  # -0.0 of what a narrower type lost


def _wide(x: np.ndarray) -> np.ndarray:
    """Of float32 the distance would be rounded to float32."""
    return x.astype(np.float64, copy=False) if x.dtype.kind == "f" else x


def _as_integers(x: np.ndarray) -> np.ndarray | None:
    """Floats that are whole numbers, as int64 or uint64; None if they are not, or do not fit."""
    low, high = float(x.min()), float(x.max())  # float16 has no 2^63 to compare with
    dtype: Any = np.int64 if low < 0 else np.uint64
    if low >= -(2.0**63) and high < (2.0**63 if low < 0 else 2.0**64) and np.array_equal(x, np.floor(x)):
        return x.astype(dtype)
    return None


def _labels(
    cuts: Cuts, filled: np.ndarray, kind: str, how: Binning, inner: Sequence[np.ndarray]
) -> list[_Label]:
    if how.edges and inner[0].dtype.kind != "f":
        cuts = how.named_cuts()
    labels = [_between(cuts, i, kind) for i in filled.tolist()]
    return _closed(labels, [side[[0, -1]] for side in inner if len(side)]) if how.edges else labels


def _closed(labels: list[_Label], ends: Sequence[np.ndarray]) -> list[_Label]:
    """Bins below and above edges, which hold values of either side, end where the values do."""
    (first, low, high), *_ = labels
    if low is None and high is not None:
        labels[0] = first, min(min(side[0].item() for side in ends), high), high
    last, low, high = labels[-1]
    if high is None and low is not None:
        labels[-1] = last, low, max(max(side[1].item() for side in ends), low)
    return labels


def _between(cuts: Cuts, i: int, kind: str) -> _Label:
    """The bin between cuts i - 1 and i; there is none before the first and none after the last."""
    low = cuts.at[i - 1 : i].tolist()[0] if i > 0 else None
    high = cuts.at[i : i + 1].tolist()[0] if i < len(cuts.at) else None
    opens = "(" if i > 0 and cuts.after[i - 1] else "["
    closes = "]" if high is not None and cuts.after[i] else ")"
    return _label(low, high, kind, opens, closes), low, high


def _label(low: Any, high: Any, kind: str, opens: str = "[", closes: str = ")") -> str:
    show = _stamp if kind == "datetime" else repr
    if low is None:
        return f"< {show(high)}"
    if high is None:
        return f"> {show(low)}"
    return show(low) if low == high else f"{opens}{show(low)}, {show(high)}{closes}"


def _stamp(micros: Any) -> str:
    return str(np.datetime64(micros, "us")).removesuffix(".000000").removesuffix("T00:00:00")
