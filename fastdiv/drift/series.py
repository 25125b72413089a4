"""Drift over time or over groups: each window, or group, of the current rows against the whole baseline.

The baseline's columns are read, sorted and counted once. Verdicts are those of a comparison, but that
Benjamini and Hochberg count every column of every window as a test.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdiv.drift.columns import Column, Table, TableError, Unread
from fastdiv.drift.comparison import Asked
from fastdiv.drift.held import Held, Limits
from fastdiv.drift.memory import Meter, Plan, columns_of, folded, gathered, plan_of
from fastdiv.drift.objects import as_text
from fastdiv.drift.report import ColumnDrift, Report, Skipped
from fastdiv.drift.rules import METRICS, RANKS, has_moved, metric_of
from fastdiv.drift.together import go_on, side_by_side
from fastdiv.drift.windows import Window, window_of

if TYPE_CHECKING:
    from fastdiv.drift.rules import Breach

__all__ = ["Change", "Series", "compare_over"]

# More windows or groups than this are a mistake, or want another unit.
_MOST = 10_000


class Change(NamedTuple):
    """A window in which a column's verdict becomes one of having moved, or ends to be."""

    column: str
    window: str
    before: str
    after: str


@dataclass(frozen=True, slots=True, repr=False)
class Series:
    """What :func:`compare_over` found.

    Attributes
    ----------
    baseline, current : str
    key : str
        The column that says which row is in which window or group.
    window : str
        Such as "1D"; empty where groups were compared.
    names : tuple of str
        The columns compared, as in the baseline.
    windows : tuple of str
        The windows in order of time, also those without rows, by when they begin (UTC where times have a
        zone); or the groups, sorted.
    reports : tuple of Report or None
        One for each of `windows`; None where there are no rows.
    left_out : int
        Rows without a value of `key`, which are in none.
    """

    baseline: str
    current: str
    key: str
    window: str
    names: tuple[str, ...]
    windows: tuple[str, ...]
    reports: tuple[Report | None, ...]
    left_out: int = 0
    _cells: dict[tuple[str, str], ColumnDrift | Skipped] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for window, report in zip(self.windows, self.reports, strict=True):
            if report is not None:
                cells: list[ColumnDrift | Skipped] = [*report.columns, *report.skipped]
                for cell in cells:
                    self._cells[cell.name, window] = cell

    def cell(self, column: str, window: str) -> ColumnDrift | Skipped | None:
        """One column in one window; None where that has no rows."""
        return self._cells.get((column, window))

    def matrix(self, metric: str = "js") -> np.ndarray:
        """A metric of every column (rows) in every window (columns); NaN where there is none.

        Parameters
        ----------
        metric : str, default "js"
            A field of ``ColumnDrift``: `js`, `kl`, `psi`, `w1`, `w1_over_sd` and the like.
        """
        found = [[getattr(self.cell(name, w), metric, None) for w in self.windows] for name in self.names]
        return np.array(found, np.float64).reshape(len(self.names), len(self.windows))

    def sorted(self, key: str = "verdict") -> Series:
        """The same with its columns in another order.

        Parameters
        ----------
        key : str, default "verdict"
            By the number of windows in which a column has moved, then its largest JS distance; or by the
            largest of `js`, `kl`, `psi`, `w1_over_sd` or `missing` in any window; or by `name`; or
            "table": as they are.
        """
        if key == "table":
            return self
        if key == "name":
            return replace(self, names=tuple(sorted(self.names)))
        if key != "verdict" and key not in METRICS:
            known = ", ".join(["verdict", *METRICS, "name"])
            raise ValueError(f"key must be {known} or table, not {key!r}")

        def rank(name: str) -> tuple[int, float]:
            cells = [c for w in self.windows if (c := self.cell(name, w)) is not None]
            moved = sum(has_moved(c.verdict) for c in cells) if key == "verdict" else 0
            metric = "js" if key == "verdict" else key
            values = [metric_of(c, metric) for c in cells if isinstance(c, ColumnDrift)]
            return -moved, -max((x for x in values if x is not None), default=-1.0)

        return replace(self, names=tuple(sorted(self.names, key=rank)))

    @property
    def changes(self) -> tuple[Change, ...]:
        """The change points, by column: where a verdict becomes "moved" or "moved a lot", or ends to be.

        Compared with the last window before that has rows, and with the baseline in the first. Groups have no
        order, so they have none.
        """
        found = []
        for name in self.names if self.window else ():
            before = "none"
            for window in self.windows:
                cell = self.cell(name, window)
                if cell is None or cell.verdict not in RANKS:
                    continue
                if has_moved(cell.verdict) != has_moved(before):
                    found.append(Change(name, window, before, cell.verdict))
                before = cell.verdict
        return tuple(found)

    def to_dict(self) -> dict[str, Any]:
        """What ``fastdiv compare --format json`` writes, as a dictionary."""
        from fastdiv.drift import series_text

        return series_text.as_dict(self)

    def to_html(self, breaches: Sequence[Breach] = ()) -> str:
        """One page with a heat map, to be written to a file: needs no network and runs no script.

        Parameters
        ----------
        breaches : sequence of Breach
            Broken rules to tell of.

        Raises
        ------
        ImportError
            Without Jinja2: ``pip install 'fastdiv[report]'``.
        """
        from fastdiv.drift import heatmap

        return heatmap.page(self, breaches)

    def _repr_html_(self) -> str | None:
        from fastdiv.drift import heatmap

        try:
            return heatmap.framed(self)
        except ImportError:
            return None  # a notebook then shows the repr

    def __repr__(self) -> str:
        what = "window" if self.window else "group"
        n, k = len(self.windows), len(self.names)
        return (
            f"<Series of {self.current!r} against {self.baseline!r}: {k} column{'' if k == 1 else 's'} in "
            f"{n} {what}{'' if n == 1 else 's'} by {self.key!r}, {len(self.changes)} changes>"
        )


def compare_over(
    baseline: Any,
    current: Any,
    *,
    by: str | None = None,
    window: str | None = None,
    time: str | None = None,
    columns: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    bins: int | Mapping[str | None, int] = 20,
    continuous: Sequence[str] = (),
    edges: Mapping[str, Sequence[Any]] | None = None,
    pseudocount: float = 0.5,
    thresholds: Any = None,
    weights: str | None = None,
    memory: int | str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Series:
    """Compare each group, or each window of time, of a table with the whole baseline.

    Parameters
    ----------
    baseline : path, list of paths, mapping of names to arrays, data frame, Table or Baseline
    current : path, list of paths, mapping of names to arrays, data frame or Table
        No profile, which has no rows. Of a CSV file all cells are in memory.
    by : str, optional
        A column of `current`: rows with the same value of it are a group.
    window, time : str, optional
        Instead of `by`: windows of so many hours, days, weeks or months, such as "6h", "1D", "7D", "1W" or
        "1M", by this column of dates of `current`.
    columns : sequence of str, optional
        Only these. Default: all that both tables have, but for `by` or `time`.
    exclude, bins, continuous, edges, pseudocount, thresholds, weights, memory, progress
        As for ``fastdiv.drift.compare``. Where a column does not fit, each window or group has its share of
        `memory` for the values that are kept of it.

    Returns
    -------
    Series
        A Report for each window or group that has rows. p-values are after Benjamini and Hochberg over all
        columns of all windows.

    Raises
    ------
    TableError
        If a table cannot be read, has not the columns named, or `time` is no column of dates; or if there are
        more than 10000 windows or groups.
    ValueError
        If `window` is none, or not either `by` or both of `window` and `time` are given.

    Notes
    -----
    Windows of hours, days and weeks are counted from Monday, 1970-01-05, those of months from January 1970:
    the same row is always in the same window. O(n log n + m log m + w m) time for n rows of the current, m of
    the baseline and w windows.

    Examples
    --------
    >>> import numpy as np
    >>> from fastdiv.drift import compare_over
    >>> day = np.repeat(np.arange("2026-01-01", "2026-01-05", dtype="M8[D]"), 500)
    >>> x = np.tile(np.arange(500.0), 4)
    >>> x[1000:] += 250
    >>> series = compare_over({"x": x[:500]}, {"x": x, "day": day}, window="1D", time="day")
    >>> series.changes
    (Change(column='x', window='2026-01-03', before='none', after='moved a lot'),)
    """
    size = _asked(by, window, time)
    key = by if by is not None else time
    assert key is not None
    binning = (bins, continuous, edges)
    asked = Asked.of(baseline, current, columns, exclude, binning, pseudocount, thresholds, weights, key)
    base, cur = asked.tables
    if cur.by_rows is None:
        raise TableError(f"{cur.label}: windows and groups need rows, which a profile has not")
    plan = plan_of(memory, asked.tables)
    places, windows = _windows(cur, key, size, plan.rows)
    pieces = [_Piece.of(some, len(windows)) for some in places]
    sizes = np.sum([piece.sizes for piece in pieces], axis=0).tolist()
    left_out = sum(map(len, places)) - sum(sizes)
    del places
    meter = Meter(progress, len(asked.wanted), asked.tables)

    def in_windows(u: Column, cells: list[Column | None]) -> tuple[int, list[ColumnDrift | Skipped | None]]:
        if u.cells is None and u.sample is None:  # in order and counted once, also what is read of a table
            u = Held.of(u, Limits(None, None)).column()
        return u.rows, [None if v is None else asked.compared(u, v) for v in cells]

    read = (
        Unread(name, sum(sizes), partial(_in_windows, cur, name, pieces, plan, meter))
        for name in asked.wanted
    )
    pairs = zip(columns_of(base, asked.wanted, plan, meter.read), read, strict=True)
    base_rows, by_column = 0, []
    for base_rows, found in side_by_side(in_windows, pairs, plan.at_once):  # noqa: B007
        meter.counted()
        by_column.append(found)
    groups = [
        (f"{cur.label}, {label}", (base_rows, rows), [cell for cell in cells if cell is not None])
        for label, rows, cells in zip(windows, sizes, zip(*by_column, strict=True), strict=True)
        if rows
    ]
    made = iter(asked.reports(groups))
    reports = tuple(next(made) if rows else None for rows in sizes)
    return Series(
        base.label, cur.label, key, str(size or ""), asked.wanted, tuple(windows), reports, left_out
    )


class _Piece(NamedTuple):
    """Some rows window after window, without those in none: which rows, and where each window ends."""

    order: np.ndarray
    ends: np.ndarray

    @staticmethod
    def of(places: np.ndarray, n: int) -> _Piece:
        ends = np.cumsum(np.bincount(places + 1, minlength=n + 1))
        order = np.argsort(places, kind="stable")[ends[0] :]
        return _Piece(order.astype(np.int32 if len(places) < 2**31 else np.int64), ends - ends[0])

    @property
    def sizes(self) -> np.ndarray:
        return np.diff(self.ends)


def _in_windows(
    table: Table, name: str, pieces: Sequence[_Piece], plan: Plan, meter: Meter
) -> list[Column | None]:
    """The column in each window; of more than memory holds each window has its share of what is kept."""
    assert table.by_rows is not None
    n = len(pieces[0].ends) - 1
    limits = plan.limits.shared(n)
    parts: list[list[Column]] = [[] for _ in range(n)]
    held: list[Held | None] = [None] * n
    for rows, piece in zip(table.by_rows(name, plan.rows), pieces, strict=True):
        go_on()
        values = rows.values.take(piece.order)
        for i in np.flatnonzero(piece.sizes).tolist():
            column = rows.column(values[piece.ends[i] : piece.ends[i + 1]])
            if plan.whole:
                parts[i].append(column)
            else:
                held[i] = folded([column], limits, held[i])
        if table.pieces:
            meter.read(len(rows.values))
    if plan.whole:
        return [gathered(part, plan) if part else None for part in parts]
    return [None if one is None else one.column() for one in held]


def _asked(by: str | None, window: str | None, time: str | None) -> Window | None:
    if by is not None and window is None and time is None:
        return None
    if by is None and window is not None and time is not None:
        return window_of(window)
    given = [name for name, value in (("by", by), ("window", window), ("time", time)) if value is not None]
    raise ValueError(f"either by or both window and time must be given, not {' and '.join(given) or 'none'}")


def _windows(table: Table, key: str, size: Window | None, most: int) -> tuple[list[np.ndarray], list[str]]:
    """The window of every row, -1 for none, of all rows in pieces; and what the windows are called."""
    assert table.by_rows is not None
    pieces, known = [], dict[Any, int]()
    for rows in table.by_rows(key, most):
        try:
            codes, distinct = rows.factorised(rows.values)
        except TypeError:
            raise TableError(f"{table.label}: column {key!r} holds values that make no groups") from None
        column = rows.column(distinct)  # also where files differ in its type, which it says
        if size is None:
            listed = distinct.to_pylist() if hasattr(distinct, "to_pylist") else distinct.tolist()
        elif len(distinct):
            if column.kind != "datetime" or len(column.numbers) != len(distinct):
                kind = column.reason or f"is {column.kind}"
                raise TableError(f"{table.label}: column {key!r} must hold dates to make windows, but {kind}")
            listed = size.places(column.numbers).tolist()
        else:
            listed = []
        at = np.array([*(known.setdefault(value, len(known)) for value in listed), -1], np.int32)
        pieces.append(at[codes])
    if not known:
        raise TableError(f"{table.label}: every value of column {key!r} is missing")
    order, labels = _ordered(table.label, key, list(known), size)
    order = np.append(order, -1).astype(np.int32)
    return [order[some] for some in pieces], labels


def _ordered(label: str, key: str, known: list[Any], size: Window | None) -> tuple[np.ndarray, list[str]]:
    """The place of each window or group, and what all places are called."""
    if size is not None:
        first, last = min(known), max(known)
        if last - first >= _MOST:
            raise TableError(
                f"{label}: column {key!r} must span at most {_MOST} windows of {size}, "
                f"not {last - first + 1}, from {size.label(first)} to {size.label(last)}"
            )
        return np.array(known) - first, [size.label(place) for place in range(first, last + 1)]
    if len(known) > _MOST:
        raise TableError(
            f"{label}: column {key!r} must have at most {_MOST} values to make groups, not {len(known)}"
        )
    labels = [("true" if v else "false") if isinstance(v, bool) else as_text(v) for v in known]
    try:
        ranked = sorted(range(len(known)), key=lambda i: known[i])
    except TypeError:
        ranked = sorted(range(len(known)), key=lambda i: labels[i])
    return np.argsort(ranked), [labels[i] for i in ranked]
