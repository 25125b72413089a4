"""A drift report as a table for the terminal, Markdown, CSV or JSON; every function returns the text.

Names and values come from the data, so no text format passes on what could steer a terminal: control
and invisible characters are dropped. JSON escapes them instead and keeps them.
"""

from __future__ import annotations

import csv
import io
import json
import re
import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import asdict
from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastdiv.drift.report import ColumnDrift, Report, Skipped
    from fastdiv.drift.rules import Breach

__all__ = ["ASCII", "BLOCKS", "clean", "comma_separated", "json_text", "markdown", "table"]

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII = " .:-=+*#@"

_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?", re.DOTALL)
_NAME_WIDTH = 28


def clean(text: str) -> str:
    """`text` without escape sequences and control, format, surrogate or private characters, on one line."""
    text = re.sub(r"[\t\n\r\u2028\u2029]", " ", _ANSI.sub("", text))
    return "".join(c for c in text if unicodedata.category(c)[0] != "C")


# -- for the terminal ----------------------------------------------------------------------------------------


def table(report: Report, breaches: Sequence[Breach], blocks: str = BLOCKS) -> str:
    """Two lines a column, the baseline's over the current's."""
    sides = [
        ["baseline", clean(report.baseline), f"{report.rows_baseline:,} rows"],
        ["current", clean(report.current), f"{report.rows_current:,} rows"],
    ]
    rows = [
        ["column", "type", "JS", "W1/sd", "KL", "PSI", "", "n", "missing", "mean", "entropy", "histogram"]
    ]
    for c in report.columns:
        upper, lower = _sparklines(c, blocks)
        # fmt: off
        rows.append([
            _cut(clean(c.name)), c.kind, *_measures(c), "baseline", f"{c.n_baseline:,}",
            _percent(c.missing_baseline), _mean(c, c.mean_baseline), f"{c.entropy_baseline:.2f}", upper,
        ])
        rows.append([
            "", "", "", "", "", "", "current", f"{c.n_current:,}",
            _percent(c.missing_current), _mean(c, c.mean_current), f"{c.entropy_current:.2f}", lower,
        ])
        # fmt: on
    columns = ["", *_aligned(rows, "<<>>>><>>>><")] if report.columns else []
    remarks = _remarks(report, breaches)
    if remarks:
        remarks = ["", *remarks]
    return "\n".join([*_aligned(sides, "<<>"), *columns, *remarks, "", *_legend(report), ""])


def _aligned(rows: Sequence[Sequence[str]], sides: str) -> list[str]:
    """The rows with their columns padded: on the right for "<", on the left for ">"."""
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    lines = []
    for row in rows:
        cells = []
        for cell, width, side in zip(row, widths, sides, strict=True):
            pad = " " * (width - _width(cell))
            cells.append(pad + cell if side == ">" else cell + pad)
        lines.append("  ".join(cells).rstrip())
    return lines


def _width(text: str) -> int:
    """How many places `text` takes on a terminal."""
    if text.isascii():
        return len(text)
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in text)
    return len(text) + wide - sum(map(bool, map(unicodedata.combining, text)))


def _cut(name: str) -> str:
    if _width(name) <= _NAME_WIDTH:
        return name
    while _width(name) > _NAME_WIDTH - 3:
        name = name[:-1]
    return name + "..."


def _sparklines(c: ColumnDrift, blocks: str) -> tuple[str, str]:
    """Both sides' bars to one scale; a bar that is not empty shows at least the lowest block.

    A last bar for all other values does not count for the scale, which it would swamp.
    """
    shares = [*c.bars_baseline, *c.bars_current]
    if c.bars_rest:
        shares = [*c.bars_baseline[:-1], *c.bars_current[:-1]]
    top = max(shares) or 1.0
    steps = len(blocks) - 1
    upper, lower = (
        "".join(blocks[min(steps, ceil(share / top * steps - 1e-9))] for share in side)
        for side in (c.bars_baseline, c.bars_current)
    )
    return upper, lower


def _measures(c: ColumnDrift) -> list[str]:
    return [_short(c.js), _short(c.w1_over_sd), _short(c.kl), _short(c.psi)]


def _remarks(report: Report, breaches: Sequence[Breach]) -> list[str]:
    lines = [f"drift: {breach}" for breach in breaches]
    lines += [f"note: {c.name}: {c.note}" for c in report.columns if c.note]
    lines += [f"not compared: {s.name}: {s.reason}" for s in report.skipped]
    for side, names in (("baseline", report.only_baseline), ("current", report.only_current)):
        if names:
            lines.append(f"only in the {side}, not compared: {', '.join(names)}")
    return [clean(line) for line in lines]


def _legend(report: Report) -> list[str]:
    added = f"{report.pseudocount:g} is" if report.pseudocount else "nothing is"
    return [
        "JS: Jensen-Shannon distance, log base 2, 0 to 1. KL(current || baseline) in bits. PSI: natural log.",
        f"For KL and PSI {added} added to every bin. Entropy: in bits, of the bins.",
        "W1/sd: exact Wasserstein distance of the values over the baseline's standard deviation.",
        f"Bins: {report.bins} quantiles of the baseline (or its values, if it has no more than that), one",
        "below and one above its range; categories by value. Bins empty on both sides do not count.",
        "Histogram: numbers from the 1st to the 99th percentile of both sides, tails in the end bars;",
        "categories by frequency in the baseline, after the 19 most frequent one bar for all others.",
    ]


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if value < 0.0005:
        return "<.001"
    return f"{value:.3f}" if value < 1000 else f"{value:.3g}"


def _mean(c: ColumnDrift, mean: float | None) -> str:
    if mean is None:
        return "-"
    if c.kind == "datetime":
        return _minute(mean)
    return f"{mean:.4g}" if abs(mean) < 0.1 or abs(mean) >= 1e7 else f"{mean:,.2f}"


def _minute(seconds: float) -> str:
    import numpy as np

    return str(np.datetime64(int(round(seconds, 6) // 60), "m")).replace(
        "T", " "
    )  # any year, unlike datetime


def _percent(share: float) -> str:
    if share == 0:
        return "0%"
    return "<0.1%" if share < 0.0005 else f"{100 * share:.1f}%"


# -- Markdown ------------------------------------------------------------------------------------------------


def markdown(report: Report, breaches: Sequence[Breach]) -> str:
    """A GitHub table."""
    heads = [
        "column",
        "type",
        "JS",
        "W1/sd",
        "KL",
        "PSI",
        "n",
        "missing %",
        "mean",
        "entropy",
        "baseline",
        "current",
    ]
    lines = [
        f"**{_md(report.baseline)}** ({report.rows_baseline:,} rows) against "
        f"**{_md(report.current)}** ({report.rows_current:,} rows)",
        "",
    ]
    if report.columns:
        lines += [_row(heads), _row(["---", "---"] + ["---:"] * 8 + ["---", "---"])]
    for c in report.columns:
        pairs = [
            f"{c.n_baseline:,} / {c.n_current:,}",
            f"{_percent(c.missing_baseline)} / {_percent(c.missing_current)}",
            f"{_mean(c, c.mean_baseline)} / {_mean(c, c.mean_current)}"
            if c.mean_baseline is not None
            else "-",
            f"{c.entropy_baseline:.2f} / {c.entropy_current:.2f}",
        ]
        measures = [_short(c.js), _short(c.w1_over_sd), _short(c.kl), _short(c.psi)]
        # a browser folds blanks together, so an empty bar is a dot
        lines.append(
            _row([_md(c.name), c.kind, *map(_md, measures), *pairs, *_sparklines(c, "·" + BLOCKS[1:])])
        )
    remarks = [f"- {_md(line)}" for line in _remarks(report, breaches)]
    if remarks:
        remarks.append("")
    return "\n".join([*lines, "", *remarks, *map(_md, _legend(report)), ""])


def _row(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _md(text: str) -> str:
    """`text` as it stands: nothing in it becomes markup, HTML or another cell."""
    return re.sub(r"([\\`*_\[\]|~!#])", r"\\\1", clean(text).replace("&", "&amp;").replace("<", "&lt;"))


# -- CSV -----------------------------------------------------------------------------------------------------

# fmt: off
_FLAT = [
    "name", "status", "type", "n_baseline", "n_current", "missing_baseline", "missing_current",
    "js_distance", "w1", "w1_over_sd", "kl_bits", "psi", "mean_baseline", "mean_current",
    "entropy_baseline_bits", "entropy_current_bits",
    "bins", "pseudocount", "note",
]
# fmt: on


def comma_separated(report: Report, escape_formulas: bool = False) -> str:
    """One line a column of either table, in full precision; `status` tells which were compared."""
    out = io.StringIO()
    writer = csv.DictWriter(out, _FLAT, restval="", lineterminator="\n")
    writer.writeheader()
    rows: list[dict[str, Any]] = []
    for c in report.columns:
        flat = {key: value for key, value in _column(c).items() if key in _FLAT}
        settings = {"bins": report.bins, "pseudocount": report.pseudocount}
        rows.append({**flat, **settings, "status": "compared"})
    rows += [
        {"name": s.name, "status": "not compared", "note": s.reason} | _shares(s) for s in report.skipped
    ]
    rows += [{"name": name, "status": "only in baseline"} for name in report.only_baseline]
    rows += [{"name": name, "status": "only in current"} for name in report.only_current]
    for row in rows:
        for key in ("name", "note"):
            text = clean(row.get(key, ""))
            # a spreadsheet would run it; quoting it alters the data, so only on request
            row[key] = f"'{text}" if escape_formulas and text.lstrip().startswith(tuple("=+-@")) else text
        writer.writerow(row)
    return out.getvalue()


# -- JSON ----------------------------------------------------------------------------------------------------

_MOST_BINS = 100


def json_text(report: Report, breaches: Sequence[Breach]) -> str:
    """Everything. JSON has no infinity: it is the string "Infinity". What is not defined is null."""
    from fastdiv._version import __version__

    data = {
        "fastdiv": __version__,
        "baseline": {"path": report.baseline, "rows": report.rows_baseline},
        "current": {"path": report.current, "rows": report.rows_current},
        "settings": {
            "bins": report.bins,
            "binning": "quantiles of the baseline, or its values if fewer; one bin below and one above",
            "js_distance": "log base 2",
            "kl_bits": "KL(current || baseline), log base 2",
            "psi": "natural log",
            "pseudocount": report.pseudocount,
            "pseudocount_in": ["kl_bits", "psi"],
            "datetimes": "bins in microseconds since 1970, w1 and means in seconds",
            "w1_over_sd": "over the baseline's population standard deviation",
        },
        "columns": [_column(c) | _drawing(c) for c in report.columns],
        "not_compared": [{"name": s.name, "reason": s.reason} | _shares(s) for s in report.skipped],
        "only_in_baseline": list(report.only_baseline),
        "only_in_current": list(report.only_current),
        "drift": [asdict(breach) for breach in breaches],
    }
    return json.dumps(_finite(data), indent=1, allow_nan=False) + "\n"


def _column(c: ColumnDrift) -> dict[str, Any]:
    return {
        "name": c.name,
        "type": c.kind,
        "n_baseline": c.n_baseline,
        "n_current": c.n_current,
        **_shares(c),
        "js_distance": c.js,
        "w1": c.w1,
        "w1_over_sd": c.w1_over_sd,
        "kl_bits": c.kl,
        "psi": c.psi,
        "mean_baseline": c.mean_baseline,
        "mean_current": c.mean_current,
        "entropy_baseline_bits": c.entropy_baseline,
        "entropy_current_bits": c.entropy_current,
        "note": c.note,
    }


def _shares(c: ColumnDrift | Skipped) -> dict[str, float | None]:
    return {"missing_baseline": c.missing_baseline, "missing_current": c.missing_current}


def _drawing(c: ColumnDrift) -> dict[str, Any]:
    bins = c.bins[:_MOST_BINS]
    return {
        "bins": [b._asdict() for b in bins],
        "bins_left_out": len(c.bins) - len(bins),
        "bars_baseline": c.bars_baseline,
        "bars_current": c.bars_current,
    }


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_finite(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return None if value != value else "Infinity" if value > 0 else "-Infinity"
    return value
