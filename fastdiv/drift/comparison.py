"""Compare two tables column by column: how far has each distribution moved? Nothing is printed here.

Numeric columns are counted on bins that the baseline alone fixes, so that two currents can be compared
with each other: its quantiles, which no outlier can stretch, with one more bin below its minimum and one
above its maximum. A value that fills a whole quantile gets a bin of its own, and so does every value of a
column that has few. Categorical and boolean columns are counted by value. The Wasserstein distance needs
no bins: it is exact, on the values.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

import numpy as np

from fastdiv._checks import options as opt
from fastdiv.drift.binning import N_BARS, Cuts, bars, count, finite, quantile_cuts, value_cuts
from fastdiv.drift.columns import ROUNDED, Column, Table, TableError, common_dtype, no_column
from fastdiv.drift.report import Bin, ColumnDrift, Report, Skipped
from fastdiv.drift.tables import as_table
from fastdiv.information import entropy, jeffreys_divergence, js_distance, kl_divergence
from fastdiv.transport import wasserstein_distance

__all__ = ["compare"]

# From this many values on, a column in which most occur once is taken for an identifier.
_MANY = 20


def compare(
    baseline: Any,
    current: Any,
    *,
    columns: Sequence[str] | None = None,
    bins: int = 20,
    pseudocount: float = 0.5,
) -> Report:
    """Compare the columns that two tables share.

    Parameters
    ----------
    baseline, current : path, mapping of names to arrays, data frame or Table
    columns : sequence of str, optional
        Only these. Default: all that both tables have.
    bins : int, default 20
        Quantile bins of a numeric column; fewer if the baseline has less than 5 values for each.
    pseudocount : float, default 0.5
        Added to every bin of both sides for KL and PSI, which an empty bin would make infinite; 0 leaves
        them as they are. JS, W1 and the entropies never need it.

    Returns
    -------
    Report
        Columns by decreasing JS distance, then by name.

    Raises
    ------
    TableError
        If a table cannot be read, its columns differ in length, no column is common to both, or one of
        `columns` is not.
    ValueError
        For less than 2 bins or a negative pseudocount. (A TableError is one, too.)
    TypeError
        If `bins` is no integer, or no table can be made of what is given.

    Examples
    --------
    >>> from fastdiv.drift import compare
    >>> report = compare({"x": [1.0, 2.0, 3.0, 4.0] * 9}, {"x": [2.0, 3.0, 4.0, 5.0] * 9})
    >>> report.columns[0].w1
    1.0
    """
    bins, pseudocount = opt.count(bins, "bins", least=2), opt.smoothing(pseudocount)
    if isinstance(columns, (str, bytes)):
        raise TypeError(f"columns must be a sequence of names, not {columns!r}: pass [{columns!r}]")
    if columns is not None and not isinstance(columns, Iterable):
        raise TypeError(f"columns must be a sequence of names, not {columns!r}")
    base, cur = as_table(baseline, label="baseline"), as_table(current, label="current")
    shared = set(base.names) & set(cur.names)
    common = [name for name in base.names if name in shared]
    wanted = common if columns is None else _known(list(columns), base, cur)
    if not common:
        raise TableError(f"{base.label} and {cur.label} have no column in common")
    compared, skipped = [], []
    rows = (0, 0)
    for u, v in zip(base.read(wanted), cur.read(wanted), strict=True):
        rows = u.rows, v.rows
        why = _incomparable(u, v)
        if why is None:
            compared.append(_compare(u, v, bins, pseudocount))
        else:
            skipped.append(why)
    compared.sort(key=lambda c: (-c.js, c.name))
    return Report(
        baseline=base.label,
        current=cur.label,
        rows_baseline=rows[0],
        rows_current=rows[1],
        bins=bins,
        pseudocount=pseudocount,
        columns=tuple(compared),
        skipped=tuple(skipped),
        only_baseline=tuple(name for name in base.names if name not in shared),
        only_current=tuple(name for name in cur.names if name not in shared),
    )


def _known(columns: Sequence[str], base: Table, cur: Table) -> list[str]:
    for name in columns:
        if not isinstance(name, str):
            raise TypeError(f"columns must hold names, not {name!r}")
        for table, other in ((base, cur), (cur, base)):
            if name in table.names:
                continue
            if name in other.names:
                raise TableError(f"column {name!r} is in {other.label} only")
            raise no_column(name, base.names)
    return list(dict.fromkeys(columns))


def _incomparable(u: Column, v: Column) -> Skipped | None:
    differs = u.kind != v.kind
    for side, column in (("baseline", u), ("current", v)):
        if column.reason:
            return Skipped(u.name, f"{side}: {column.reason}", column.kind == "mixed", differs)
    if u.kind == v.kind == "missing":
        reason = "every value is missing on both sides"
    elif "missing" in (u.kind, v.kind):
        reason = f"every value is missing in the {'baseline' if u.kind == 'missing' else 'current'}"
    elif differs:
        reason = f"{u.kind} in the baseline, {v.kind} in the current"
    elif u.kind == "numeric" and not np.isfinite(u.numbers).any():
        reason, differs = "no finite value in the baseline", True
    else:
        return None
    missing = u.missing / u.rows, v.missing / v.rows
    return Skipped(u.name, reason, False, differs, *missing)


def _compare(u: Column, v: Column, bins: int, pseudocount: float) -> ColumnDrift:
    numeric = u.kind in ("numeric", "datetime")
    counted = _count_numbers(u, v, bins) if numeric else _count_values(u, v)
    p, q = counted.p, counted.q
    return ColumnDrift(
        name=u.name,
        kind=u.kind,
        n_baseline=u.present,
        n_current=v.present,
        missing_baseline=u.missing / u.rows,
        missing_current=v.missing / v.rows,
        js=float(js_distance(p, q, base=2)),
        kl=float(kl_divergence(q, p, base=2, pseudocount=pseudocount)),
        psi=float(jeffreys_divergence(p, q, pseudocount=pseudocount)),
        w1=counted.w1,
        w1_over_sd=counted.w1_over_sd,
        mean_baseline=counted.means[0],
        mean_current=counted.means[1],
        entropy_baseline=float(entropy(p, base=2)),
        entropy_current=float(entropy(q, base=2)),
        bins=tuple(counted.bins),
        bars_baseline=tuple((counted.bars[0] / u.present).tolist()),
        bars_current=tuple((counted.bars[1] / v.present).tolist()),
        bars_rest=not numeric and len(counted.bins) > N_BARS,
        note=counted.note,
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """What the measures are taken of, however it was counted."""

    bins: list[Bin]
    p: np.ndarray
    q: np.ndarray
    bars: tuple[np.ndarray, np.ndarray]
    w1: float | None = None
    w1_over_sd: float | None = None
    means: tuple[float | None, float | None] = (None, None)
    note: str = ""


def _count_values(u: Column, v: Column) -> _Counted:
    """Bins of a categorical or boolean column: its values, the baseline's most frequent first."""
    # arrays, for an identifier has as many values as the table has rows
    labels = sorted(u.tally.keys() | v.tally.keys())
    p, q = (np.fromiter((c.tally.get(x, 0) for x in labels), np.int64, len(labels)) for c in (u, v))
    order = np.lexsort([-q, -p])
    p, q = p[order], q[order]
    nothing = repeat(None)
    bins = list(map(Bin, map(labels.__getitem__, order.tolist()), nothing, nothing, p.tolist(), q.tolist()))
    note = ""
    if min(u.present, v.present) >= _MANY and 2 * len(u.tally) > u.present and 2 * len(v.tally) > v.present:
        note = "most values occur once, as in an identifier, which has no distribution to compare"
    return _Counted(bins, p, q, (_with_rest(p), _with_rest(q)), note=note)


def _with_rest(counts: np.ndarray) -> np.ndarray:
    """The first counts, and all others as the last."""
    if len(counts) <= N_BARS:
        return counts
    return np.append(counts[: N_BARS - 1], counts[N_BARS - 1 :].sum())


def _count_numbers(u: Column, v: Column, bins: int) -> _Counted:
    """Bins of a numeric column, fixed by its finite baseline values; infinite ones fall below or above."""
    x, y = _sorted_alike(u.numbers, v.numbers)
    inner = finite(x)
    cuts = value_cuts(inner, bins)
    few = cuts is not None
    cuts = cuts or quantile_cuts(inner, bins)
    p, q = count(x, cuts), count(y, cuts)
    filled = np.flatnonzero(p + q)
    p, q = p[filled], q[filled]
    labelled = [
        _bin(cuts, i, in_p, in_q, u.kind)
        for i, in_p, in_q in zip(filled.tolist(), p.tolist(), q.tolist(), strict=True)
    ]
    drawn = (p, q) if few and len(filled) <= N_BARS else bars(x, y)
    notes = list(dict.fromkeys(filter(None, (u.note, v.note, _rounding(u.numbers, v.numbers, x.dtype)))))
    infinite = len(x) - len(inner) + len(y) - len(finite(y))
    if infinite:
        notes.append(f"{infinite} infinite values are counted in the end bins, and there is no W1")
        return _Counted(labelled, p, q, drawn, note="; ".join(notes))
    unit = 1e6 if u.kind == "datetime" else 1.0
    w1 = float(wasserstein_distance(x, y, assume_sorted=True)) / unit
    mean_x, sd = _moments(x)
    mean_y, _ = _moments(y)
    scaled = w1 * unit / sd if sd else (np.inf if w1 else 0.0)
    if u.kind == "datetime":
        notes.append(f"taken as time: W1 is {w1:,.1f} s ({w1 / 86_400:,.1f} days)")
    return _Counted(labelled, p, q, drawn, w1, scaled, (mean_x / unit, mean_y / unit), "; ".join(notes))


def _sorted_alike(x: np.ndarray, y: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both samples sorted, in one dtype: of two float types the narrower, for 0.1 is not the same in both.

    But the wider where the narrower would overflow.
    """
    dtype = common_dtype([x, y])
    if x.dtype.kind == y.dtype.kind == "f" and x.dtype != y.dtype:
        narrow, wide = sorted((x, y), key=lambda a: a.dtype.itemsize)
        with np.errstate(over="ignore", under="ignore"):
            cast = wide.astype(narrow.dtype)
        if np.array_equal(np.isinf(cast), np.isinf(wide)):
            dtype = narrow.dtype
    elif {x.dtype.kind, y.dtype.kind} <= set("iuf") and _rounding(x, y, dtype):
        # a column of integers with a missing one comes as floats: whole ones can stand against integers
        u, v = (side if side.dtype.kind != "f" else _as_integers(side) for side in (x, y))
        if u is not None and v is not None:
            x, y = u, v
            dtype = common_dtype([x, y])
    with np.errstate(under="ignore"):
        return np.sort(x.astype(dtype, copy=False)), np.sort(y.astype(dtype, copy=False))


def _as_integers(x: np.ndarray) -> np.ndarray | None:
    """Floats that are whole numbers, as int64 or uint64; None if they are not, or do not fit."""
    low, high = x.min(), x.max()
    dtype: Any = np.int64 if low < 0 else np.uint64
    if low >= -(2.0**63) and high < (2.0**63 if low < 0 else 2.0**64) and np.array_equal(x, np.floor(x)):
        return x.astype(dtype)
    return None


def _rounding(x: np.ndarray, y: np.ndarray, dtype: np.dtype[Any]) -> str:
    """A note if whole numbers had to become floats that cannot tell them apart."""
    for side in (x, y):
        if dtype.kind == "f" and side.dtype.kind in "iu" and max(-int(side.min()), int(side.max())) > 2**53:
            return ROUNDED
    return ""


def _moments(x: np.ndarray) -> tuple[float, float]:
    """Mean and standard deviation of sorted values, from the minimum on: a far origin costs no digits."""
    low = x[0].item()
    scale = 1.0
    if x.dtype.kind == "f":
        scale = max(abs(low), abs(x[-1].item())) or 1.0  # 1e200 squared is no float
        rise = x.astype(np.float64) / scale - low / scale
    elif x[-1].item() - low >= 2**63:
        rise = x.astype(np.float64) - low
    else:
        wide = x if x.dtype.itemsize == 8 else x.astype(np.int64)
        rise = wide - wide[0]
    return low + scale * float(np.mean(rise)), scale * float(np.std(rise))


def _bin(cuts: Cuts, i: int, baseline: int, current: int, kind: str) -> Bin:
    """The bin between cuts i - 1 and i; there is none before the first and none after the last."""
    low = cuts.at[i - 1].item() if i > 0 else None
    high = cuts.at[i].item() if i < len(cuts.at) else None
    opens = "(" if i > 0 and cuts.after[i - 1] else "["
    closes = "]" if high is not None and cuts.after[i] else ")"
    show = _stamp if kind == "datetime" else repr
    if low is None:
        label = f"< {show(high)}"
    elif high is None:
        label = f"> {show(low)}"
    elif low == high:
        label = show(low)
    else:
        label = f"{opens}{show(low)}, {show(high)}{closes}"
    return Bin(label, low, high, baseline, current)


def _stamp(micros: Any) -> str:
    return str(np.datetime64(micros, "us")).removesuffix(".000000").removesuffix("T00:00:00")
