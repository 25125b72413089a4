"""A drift report as a table for the terminal, or for Markdown; every function returns the text."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from textwrap import wrap
from typing import TYPE_CHECKING, NamedTuple

from fastdiv.drift.contribution import appeared
from fastdiv.drift.legend import legend
from fastdiv.drift.rules import has_moved
from fastdiv.drift.wording import (
    BLOCKS,
    clean,
    counted,
    distances,
    mean_of,
    noises,
    p_value,
    percent,
    sparklines,
)

if TYPE_CHECKING:
    from fastdiv.drift.report import ColumnDrift, Report, Skipped
    from fastdiv.drift.rules import Breach

__all__ = [
    "Laid",
    "aligned",
    "cut",
    "laid",
    "left_out",
    "markdown",
    "md",
    "plain",
    "row_of",
    "table",
    "what_moved",
]

_NAME_WIDTH = 28


# -- for the terminal ----------------------------------------------------------------------------------------


# What a narrow terminal does without, in this order.
_SPARE = ("entropy", "KL", "mean", "PSI", "n", "", "missing", "histogram")


class Laid(NamedTuple):
    """A table as cells, which nothing is wider than the terminal; lines of text that are not yet broken."""

    sides: list[list[str]]
    rows: list[list[str]]
    marks: str
    remarks: list[str]
    legend: list[str]


def laid(
    report: Report,
    breaches: Sequence[Breach],
    blocks: str = BLOCKS,
    width: int | None = None,
    most: int | None = None,
) -> Laid:
    """Two lines a column: the baseline's over the current's, the distances over the noise.

    In a `width` that is too small for all, some numbers are left out, and names are cut shorter; of remarks
    of one sort there are at most `most`.
    """
    sides = [
        ["baseline", clean(report.baseline), f"{report.rows_baseline:,} rows"],
        ["current", clean(report.current), f"{report.rows_current:,} rows"],
    ]
    if width is not None:
        room = max(16, width - 12 - max(len(side[2]) for side in sides))
        sides = [[side, cut(path, room), rows] for side, path, rows in sides]
    rows = [
        ["column", "type", "JS", "W1/sd", "KL", "PSI", "", "n", "missing", "mean", "entropy", "histogram"],
        ["verdict", "p", *["noise"] * 4, "", "", "", "", "", ""],
    ]
    for c in report.columns:
        upper, lower = sparklines(c, blocks)
        # fmt: off
        rows.append([
            clean(c.name), c.kind, *distances(c), "baseline", f"{c.n_baseline:,}",
            percent(c.missing_baseline), mean_of(c, c.mean_baseline), f"{c.entropy_baseline:.2f}", upper,
        ])
        rows.append([
            c.verdict, p_value(c.noise.p_adjusted), *noises(c), "current", f"{c.n_current:,}",
            percent(c.missing_current), mean_of(c, c.mean_current), f"{c.entropy_current:.2f}", lower,
        ])
        # fmt: on
    rows, spared = _fitted(rows, width) if report.columns else ([], "")
    marks = "".join("<" if head in ("column", "type", "", "histogram") else ">" for head in (rows or [[]])[0])
    told = [*legend(report), *([f"Too wide for this terminal: {spared}."] if spared else [])]
    return Laid(sides, rows, marks, _remarks(report, breaches, most), told)


def plain(parts: Laid, width: int | None = None) -> str:
    sides, rows, marks, remarks, told = parts
    columns = ["", *aligned(rows, marks)] if rows else []
    if remarks:
        remarks = ["", *remarks]
    lines = [part for line in told for part in wrap(line, min(width or 100, 100))]
    return "\n".join([*aligned(sides, "<<>"), *columns, *remarks, "", *lines, ""])


def table(report: Report, breaches: Sequence[Breach], blocks: str = BLOCKS) -> str:
    """Plain text, as wide as it needs to be."""
    return plain(laid(report, breaches, blocks))


def _fitted(rows: list[list[str]], width: int | None) -> tuple[list[list[str]], str]:
    """The rows in this width, and what that has cost."""
    spared: list[str] = []
    names, room = [row[0] for row in rows], _NAME_WIDTH
    longest = max(map(_width, names))
    while True:
        rows = [[cut(name, room), *row[1:]] for name, row in zip(names, rows, strict=True)]
        wide = sum(max(map(_width, column)) + 2 for column in zip(*rows, strict=True)) - 2
        if width is None or wide == width or (wide < width and room >= min(longest, _NAME_WIDTH)):
            break
        head = next((head for head in _SPARE if head in rows[0]), None)
        if head is not None:
            at = rows[0].index(head)
            rows = [row[:at] + row[at + 1 :] for row in rows]
            spared += [head] if head else []
        elif room > 16:
            room = max(16, min(room, longest) - (wide - width))
        else:
            break
    if width is not None and wide < width and longest > room:  # what is left over is for names
        room += width - wide
        rows = [[cut(name, room), *row[1:]] for name, row in zip(names, rows, strict=True)]
    return rows, ", ".join(spared)


def aligned(rows: Sequence[Sequence[str]], sides: str) -> list[str]:
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


def cut(text: str, room: int) -> str:
    """`text` in so many places of a terminal, without its middle if it needs more."""
    if _width(text) <= room:
        return text
    head, tail = text, text
    while _width(head) > (room - 2) // 2:
        head = head[:-1]
    while _width(tail) > room - 3 - _width(head) or unicodedata.combining(tail[0]):
        tail = tail[1:]
    return f"{head}...{tail}"


def _remarks(report: Report, breaches: Sequence[Breach], most: int | None = None) -> list[str]:
    columns = report.columns
    sorts = [
        [f"drift: {breach}" for breach in breaches],
        [f"note: {c.name}: {c.note}" for c in columns if c.note],
        [f"{c.verdict}: {c.name}: by its missing values" for c in columns if c.because == ("missing",)],
        [f"{c.name}: {what}" for c in columns for what in what_moved(c)],
        [f"not compared: {s.name}: {s.reason}{_lost(s)}" for s in report.skipped],
    ]
    lines = []
    for found in sorts:
        rest = len(found) - (most or len(found))
        lines += found if rest <= 0 else [*found[:most], f"... and {rest:,} more like this"]
    for side, names in (("baseline", report.only_baseline), ("current", report.only_current)):
        if names:
            lines.append(f"only in the {side}, not compared: {', '.join(names)}")
    if report.excluded:
        lines.append(f"excluded: {', '.join(report.excluded)}")
    if report.left_out:
        lines.append(left_out(report))
    return [clean(line) for line in lines]


def what_moved(c: ColumnDrift) -> list[str]:
    """New and vanished categories; shift, scale, shape; how many numbers are out of the baseline's range."""
    if c.verdict in ("identifier", "text", "stamp"):
        return []
    side = appeared(c)
    lines = [
        f"{len(found)} {'category' if len(found) == 1 else 'categories'} of the {where} only: "
        + ", ".join(f"{b.label or '(empty)'} ({counted(max(b.baseline, b.current))})" for b in found[:5])
        + (", ..." if len(found) > 5 else "")
        for where, found in (("current", side.new), ("baseline", side.vanished))
        if found
    ]
    least = "at least " if c.w1_bound else ""  # of cells the range ends where the last one does
    sides = ((side.below, "below"), (side.above, "above"))
    beyond = [f"{least}{counted(n)} {where}" for n, where in sides if n]
    if c.w2_parts is not None and "w1_over_sd" in c.because:
        parts = zip(c.w2_parts._fields, c.w2_parts, strict=True)
        lines.append(
            "moved by " + ", ".join(f"{name} {100 * share:.0f}%" for name, share in parts) + " (of W2^2)"
        )
    if beyond and has_moved(c.verdict):
        lines.append(f"{' and '.join(beyond)} the baseline's range, of {c.n_current:,}")
    return lines


def left_out(report: Report) -> str:
    """How many columns are not shown, and their verdicts."""
    n = sum(number for _, number in report.left_out)
    told = ", ".join(f"{number:,} {verdict}" for verdict, number in report.left_out)
    return f"not shown: {n:,} more column{'' if n == 1 else 's'}: {told}"


def _lost(s: Skipped) -> str:
    return f"; its missing values {s.verdict}" if "missing" in s.because else ""


# -- Markdown ------------------------------------------------------------------------------------------------


def markdown(report: Report, breaches: Sequence[Breach]) -> str:
    """A GitHub table."""
    heads = [
        "column",
        "verdict",
        "p",
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
        f"**{md(report.baseline)}** ({report.rows_baseline:,} rows) against "
        f"**{md(report.current)}** ({report.rows_current:,} rows)",
        "",
    ]
    if report.columns:
        lines += [row_of(heads), row_of(["---", "---", "---:", "---"] + ["---:"] * 8 + ["---", "---"])]
    for c in report.columns:
        pairs = [
            f"{c.n_baseline:,} / {c.n_current:,}",
            f"{percent(c.missing_baseline)} / {percent(c.missing_current)}",
            f"{mean_of(c, c.mean_baseline)} / {mean_of(c, c.mean_current)}"
            if c.mean_baseline is not None
            else "-",
            f"{c.entropy_baseline:.2f} / {c.entropy_current:.2f}",
        ]
        told = zip(distances(c), noises(c), strict=True)
        both = [value if value == "-" else f"{md(value)} ({md(noise)})" for value, noise in told]
        head = [md(c.name), c.verdict, md(p_value(c.noise.p_adjusted)), c.kind]
        # a browser folds blanks together, so an empty bar is a dot
        lines.append(row_of([*head, *both, *pairs, *sparklines(c, "·" + BLOCKS[1:])]))
    remarks = [f"- {md(line)}" for line in _remarks(report, breaches)]
    if remarks:
        remarks.append("")
    return "\n".join([*lines, "", *remarks, *map(md, legend(report)), ""])


def row_of(cells: Iterable[str]) -> str:
    return f"| {' | '.join(cells)} |"


def md(text: str) -> str:
    """`text` as it stands: nothing in it becomes markup, HTML or another cell."""
    text = re.sub(r"([\\`*_\[\]|~!#])", r"\\\1", clean(text).replace("&", "&amp;").replace("<", "&lt;"))
    return re.sub(r"^(\s*\d*)([-+.)](?=\s)|>)", r"\1\\\2", text)  # lists and quotations
