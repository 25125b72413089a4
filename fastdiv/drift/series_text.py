"""A series of reports as a matrix for the terminal or for Markdown, as nested dictionaries, and as CSV."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from typing import TYPE_CHECKING, Any

from fastdiv.drift import records
from fastdiv.drift.render import aligned, md, row_of
from fastdiv.drift.report import ColumnDrift
from fastdiv.drift.rules import Breach, Rule, check, has_moved
from fastdiv.drift.wording import clean, short

if TYPE_CHECKING:
    from fastdiv.drift.report import Report, Skipped
    from fastdiv.drift.series import Series

__all__ = [
    "LEGEND",
    "about",
    "as_dict",
    "breaches_of",
    "changes",
    "comma_separated",
    "json_text",
    "markdown",
    "notes",
    "table",
]

_MARKS = {"moved a lot": "#", "moved": "+", "noise": "~", "none": "."}
LEGEND = (
    "# moved a lot, + moved, ~ noise, . none, - no distribution to compare or not compared, blank: no rows. "
    "Verdicts are after Benjamini-Hochberg over all columns and windows; each window stands against the "
    "whole baseline."
)


def breaches_of(series: Series, rules: Sequence[Rule]) -> tuple[list[Breach], list[str]]:
    """As :func:`fastdiv.drift.rules.check`, of every window; columns with the window in their names."""
    breaches, unjudged = [], []
    for window, report in _reports(series):
        broken, open_ = check(report, rules)
        breaches += [Breach(f"{b.column} in {window}", b.metric, b.value, b.rule) for b in broken]
        unjudged += [f"{name} in {window}" for name in open_]
    return breaches, unjudged


def _reports(series: Series) -> Iterator[tuple[str, Any]]:
    pairs = zip(series.windows, series.reports, strict=True)
    return ((window, report) for window, report in pairs if report is not None)


def _in_order(series: Series) -> Iterator[tuple[str, Report | None]]:
    """The windows, each report's columns in the order of the series; alone they are by verdict."""
    place = {name: i for i, name in enumerate(series.names)}

    def placed(c: ColumnDrift | Skipped) -> int:
        return place[c.name]

    for window, report in zip(series.windows, series.reports, strict=True):
        if report is not None:
            columns, skipped = sorted(report.columns, key=placed), sorted(report.skipped, key=placed)
            report = replace(report, columns=tuple(columns), skipped=tuple(skipped))
        yield window, report


def _mark(cell: ColumnDrift | Skipped | None) -> str:
    return " " if cell is None else _MARKS.get(cell.verdict, "-")


def about(series: Series) -> list[list[str]]:
    reports = [report for _, report in _reports(series)]
    base = reports[0].rows_baseline if reports else 0
    rows = sum(report.rows_current for report in reports)
    n = len(series.windows)
    what = f"window{'s' * (n != 1)} of {series.window}" if series.window else f"group{'s' * (n != 1)}"
    told = f"{rows:,} rows in {n} {what} by {clean(series.key)}"
    if series.window:
        told += f", {series.windows[0]} to {series.windows[-1]}"
    return [
        ["baseline", clean(series.baseline), f"{base:,} rows"],
        ["current", clean(series.current), told],
    ]


def notes(series: Series) -> list[str]:
    empty = [w for w, report in zip(series.windows, series.reports, strict=True) if report is None]
    weights = {report.weights for _, report in _reports(series)} - {""}
    lines = [
        f"rows are weighted by {name}; noise and p are those of the effective numbers of values"
        for name in weights
    ]
    if empty:
        more = f" and {len(empty) - 5} more" if len(empty) > 5 else ""
        lines.append(f"no rows in {', '.join(empty[:5])}{more}")
    if series.left_out:
        lines.append(f"{series.left_out:,} rows have no {series.key} and are in no window or group")
    for name in series.names:
        reasons = {c.reason for w in series.windows if (c := series.cell(name, w)) and hasattr(c, "reason")}
        lines += [f"not compared: {name}: {reason}" for reason in sorted(reasons)]
    return [clean(line) for line in lines]


def _most(series: Series, name: str) -> list[str]:
    """How many windows a column has moved in, its largest JS distance, and where that is."""
    cells = [(w, c) for w in series.windows if (c := series.cell(name, w)) is not None]
    moved = sum(has_moved(c.verdict) for _, c in cells)
    drifts = [(c.js, w) for w, c in cells if isinstance(c, ColumnDrift)]
    js, where = max(drifts, key=lambda pair: pair[0], default=(None, "-"))
    return [f"{moved}/{len(cells)}", short(js), clean(where)]


def _movers(series: Series) -> list[list[str]]:
    rows = []
    for window, report in _reports(series):
        moved = [f"{clean(c.name)} {short(c.js)}" for c in report.columns if has_moved(c.verdict)]
        more = f", {len(moved) - 5} more" if len(moved) > 5 else ""
        rows.append([clean(window), f"{report.rows_current:,}", ", ".join(moved[:5]) + more or "-"])
    return rows


def changes(series: Series) -> list[list[str]]:
    found = []
    for c in series.changes:
        cell = series.cell(c.column, c.window)
        js = short(getattr(cell, "js", None))
        found.append([c.window, clean(c.column), f"{c.before} -> {c.after}", js])
    return sorted(found, key=lambda line: line[0])


def table(series: Series, breaches: Sequence[Breach], width: int | None = None) -> str:
    """A mark for every column in every window, by its verdict; then the changes, or what moved in a group."""
    width = width or 100
    names = [clean(name)[:28] for name in series.names]
    room = max(16, width - max(map(len, names)) - 2)
    lines = [*aligned(about(series), "<<<")]
    for first in range(0, len(series.windows), room):
        some = series.windows[first : first + room]
        head = f"{clean(some[0])} to {clean(some[-1])}" if series.window else ""
        marks = ["".join(_mark(series.cell(name, w)) for w in some) for name in series.names]
        lines += ["", *aligned([["column", head], *map(list, zip(names, marks, strict=True))], "<<")]
    most = [[name, *_most(series, own)] for name, own in zip(names, series.names, strict=True)]
    lines += ["", *aligned([["column", "moved", "largest JS", "in"], *most], "<>><")]
    if series.window:
        found = changes(series)
        heads = ["change in", "column", "verdict", "JS"]
        lines += ["", *(aligned([heads, *found], "<<<>") if found else ["no changes"])]
    else:
        lines += ["", *aligned([["group", "rows", "moved, with JS"], *_movers(series)], "<><")]
    remarks = [clean(f"drift: {breach}") for breach in breaches] + notes(series)
    return "\n".join([*lines, *(["", *remarks] if remarks else []), "", LEGEND, ""])


def markdown(series: Series, breaches: Sequence[Breach]) -> str:
    """A GitHub table: a line for each window, a cell for each column: JS and, in words, what moved."""
    lines = [" ".join(md(cell) for cell in line) + "  " for line in about(series)]
    heads = ["window" if series.window else md(series.key), "rows", *map(md, series.names)]
    lines += ["", row_of(heads), row_of(["---", *["---:"] * (len(heads) - 1)])]
    for window, report in zip(series.windows, series.reports, strict=True):
        cells = []
        for name in series.names:
            cell = series.cell(name, window)
            verdict = cell.verdict if cell is not None and has_moved(cell.verdict) else ""
            cells.append(f"{short(getattr(cell, 'js', None))} {verdict}".strip())
        lines.append(
            row_of([md(window), f"{report.rows_current:,}" if report else "no rows", *map(md, cells)])
        )
    lines += ["", *(f"- {md(window)}: {md(name)}: {md(what)}" for window, name, what, _ in changes(series))]
    remarks = [f"drift: {breach}" for breach in breaches] + notes(series)
    return "\n".join([*lines, *(f"- {md(line)}" for line in remarks), "", md(LEGEND), ""])


def comma_separated(series: Series, escape_formulas: bool = False) -> str:
    """One line a column and window, as of a report; a window without rows has a line that says so."""
    rows: list[dict[str, Any]] = []
    for window, report in _in_order(series):
        if report is None:
            rows.append({"window": window, "rows": 0, "status": "no rows"})
            continue
        about = {"window": window, "rows": report.rows_current}
        rows += [about | line for line in records.flat(report)]
    return records.lines_of(["window", "rows", *records.FLAT], rows, escape_formulas)


def json_text(series: Series, breaches: Sequence[Breach]) -> str:
    return json.dumps(as_dict(series, breaches), indent=1, allow_nan=False) + "\n"


def as_dict(series: Series, breaches: Sequence[Breach] = ()) -> dict[str, Any]:
    """Everything but the bins, for each window what the JSON of a comparison says of its columns."""
    windows: list[dict[str, Any]] = []
    data: dict[str, Any] = {}
    for window, report in _in_order(series):
        if report is None:
            windows.append({"window": window, "rows": 0, "columns": [], "not_compared": []})
            continue
        whole = records.as_dict(report, bins=False)
        data = data or whole
        own = {key: whole[key] for key in ("columns", "not_compared")}
        windows.append({"window": window, "rows": report.rows_current, **own})
    return data | {
        "current": {"path": series.current, "rows": sum(w["rows"] for w in windows)},
        "by": series.key,
        "window": series.window or None,
        "rows_in_no_window": series.left_out,
        "columns": list(series.names),
        "not_compared": [],
        "windows": windows,
        "changes": [change._asdict() for change in series.changes],
        "drift": records.finite([asdict(breach) for breach in breaches]),
    }
