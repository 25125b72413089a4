"""A report on a terminal: the first of very many columns, in as much room as there is, in colours with rich.

Without rich it is plain text. What does not go to a terminal never comes through here.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastdiv.drift.render import Laid, laid, plain
from fastdiv.drift.rules import RANKS

if TYPE_CHECKING:
    from fastdiv.drift.report import Report
    from fastdiv.drift.rules import Breach

__all__ = ["shown"]

# Columns beyond which some are shown, and how many; remarks of one sort.
_MANY, _SHOWN, _REMARKS = 50, 25, 20

_STYLES = {"moved a lot": "bold red", "moved": "yellow", "none": "green"}
_SIDES = {"baseline": "cyan", "current": "magenta"}


def shown(report: Report, breaches: Sequence[Breach], blocks: str, width: int, whole: bool = False) -> str:
    """The text to be written to standard output, which is a terminal of that width.

    With `whole` every column is shown, however many there are.
    """
    some = report if whole or len(report.columns) <= _MANY else report.head(_SHOWN)
    parts = laid(some, breaches, blocks, width, None if whole else _REMARKS)
    if some is not report:
        parts.remarks.append("more of them: --top N; all: -o report.html")
    console = _console(width)
    if console is None:
        return plain(parts, width)
    with console.capture() as capture:
        for part in _drawn(parts, _counted(report), width):
            console.print(part, markup=False, highlight=False, emoji=False)
    return str(capture.get())


def _console(width: int) -> Any:
    """Of rich, which knows the terminal's colours and NO_COLOR; None without rich."""
    try:
        from rich.console import Console
    except ImportError:
        return None
    return Console(file=sys.stdout, width=width)


def _counted(report: Report) -> list[tuple[str, int]]:
    """How many columns of each verdict, those that moved first; with those that are not shown."""
    counts = Counter(c.verdict or "not judged" for c in report.columns) + Counter(dict(report.left_out))
    return sorted(counts.items(), key=lambda pair: -RANKS.get(pair[0], 0))


def _drawn(parts: Laid, counts: list[tuple[str, int]], width: int) -> list[Any]:
    from rich.text import Text

    drawn: list[Any] = [_grid([[Text(cell, _SIDES[row[0]]) for cell in row] for row in parts.sides], "<<>")]
    if parts.rows:
        n = sum(number for _, number in counts)
        line = Text(f"{n:,} column{'' if n == 1 else 's'}: ")
        for i, (verdict, number) in enumerate(counts):
            line.append(", " if i else "").append(f"{number:,} {verdict}", _STYLES.get(verdict, ""))
        heads = parts.rows[0]
        rows = [_row(row, i, heads) for i, row in enumerate(parts.rows)]
        drawn += [line, "", _grid(rows, parts.marks)]
    if parts.remarks:
        bold = "bold red"
        drawn += ["", *(Text(line, bold if line.startswith("drift: ") else "") for line in parts.remarks)]
    text = Text("\n".join(parts.legend), "dim")
    return [*drawn, "", _narrow(text, min(width, 100))]


def _row(row: Sequence[str], i: int, heads: Sequence[str]) -> list[Any]:
    from rich.text import Text

    if i < 2:
        return [Text(cell, "dim" if i else "bold") for cell in row]
    side = "current" if i % 2 else "baseline"
    styles = []
    for head, cell in zip(heads, row, strict=True):
        if head == "column":
            styles.append(_STYLES.get(cell, "dim") if i % 2 else "bold")
        elif head in ("", "histogram"):
            styles.append(_SIDES[side])
        else:
            styles.append("dim" if head == "type" or (i % 2 and head in ("JS", "W1/sd", "KL", "PSI")) else "")
    return [Text(cell, style) for cell, style in zip(row, styles, strict=True)]


def _grid(rows: Sequence[Sequence[Any]], marks: str) -> Any:
    from rich.table import Table

    grid = Table.grid(padding=(0, 2, 0, 0))
    for mark in marks:
        grid.add_column(justify="right" if mark == ">" else "left", no_wrap=True, overflow="crop")
    for row in rows:
        grid.add_row(*row)
    return grid


def _narrow(text: Any, width: int) -> Any:
    from rich.constrain import Constrain

    return Constrain(text, width)
