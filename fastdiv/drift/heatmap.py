"""A series as one page that needs no network: a heat map, a column a row and a window or group a column.

A cell is as strong as what its JS distance x has beyond the noise f, sqrt(x^2 - f^2), in five steps, and has
a mark where the column has moved, so that colour is not needed to read it; its title says the rest. The same
cells stand below as a table, for the keyboard and for readers of screens. The page runs no script.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil
from typing import TYPE_CHECKING, Any

from fastdiv.drift.html import framed as in_frame
from fastdiv.drift.html import template
from fastdiv.drift.render import cut
from fastdiv.drift.report import ColumnDrift
from fastdiv.drift.rules import has_moved
from fastdiv.drift.series_text import LEGEND, about, changes, notes
from fastdiv.drift.verdict import excess
from fastdiv.drift.wording import clean, p_value, short

if TYPE_CHECKING:
    from fastdiv.drift.report import Skipped
    from fastdiv.drift.rules import Breach
    from fastdiv.drift.series import Series

__all__ = ["framed", "page"]

# So many cells keep a page below a megabyte.
_MOST = 4000

# From where on a cell is stronger, and how wide and high cells and their labels are.
_STEPS = (0.02, 0.05, 0.1, 0.2)
_HIGH, _NAME, _WIDTH = 22, 190, 940
_MARKS = {"moved a lot": "#", "moved": "+"}


def page(series: Series, breaches: Sequence[Breach] = ()) -> str:
    """The page.

    Raises
    ------
    ImportError
        Without Jinja2.
    """
    names = series.names[: max(1, _MOST // max(1, len(series.windows)))]
    wide = min(28.0, max(3.0, (_WIDTH - _NAME) / max(1, len(series.windows))))
    every = ceil(14 / wide)
    rows: list[dict[str, Any]] = [
        {"name": clean(name) or "(no name)", "cells": _cells(series, name)} for name in names
    ]
    heads = [clean(window) for window in series.windows]
    labels = [cut(head, 16) for head in heads]
    top = 16 + 6 * max(map(len, labels), default=0)  # they stand at an angle
    text: str = template("series.html").render(
        about=about(series),
        what="window" if series.window else "group",
        key=clean(series.key),
        rows=[row | {"short": cut(row["name"], 24), "y": top + _HIGH * i} for i, row in enumerate(rows)],
        heads=heads,
        labels=[
            {"x": round(_NAME + wide * (i + 0.5), 1), "text": labels[i]} for i in range(0, len(heads), every)
        ],
        xs=[round(_NAME + wide * i, 1) for i in range(len(heads))],
        cell={"w": round(wide - 1, 1), "h": _HIGH - 1, "half": round(wide / 2, 1), "marks": wide >= 8},
        size={"w": round(_NAME + wide * len(heads) + 60), "h": top + _HIGH * len(rows) + 4, "head": top},
        steps=[f"{low:g}" for low in (0, *_STEPS)],
        more=len(series.names) - len(names),
        ordered=bool(series.window),
        changes=changes(series),
        breaches=[clean(str(breach)) for breach in breaches],
        notes=notes(series),
        legend=LEGEND,
    )
    return text


def framed(series: Series) -> str:
    """The page in a frame, for notebooks."""
    return in_frame(page(series), min(700, 360 + _HIGH * len(series.names)))


def _cells(series: Series, name: str) -> list[dict[str, Any]]:
    return [_cell(clean(name), clean(window), series.cell(name, window)) for window in series.windows]


def _cell(name: str, window: str, cell: ColumnDrift | Skipped | None) -> dict[str, Any]:
    if cell is None:
        return {"title": f"{name}, {window}: no rows", "level": "", "mark": "", "text": "no rows"}
    mark = _MARKS.get(cell.verdict, "")
    if not isinstance(cell, ColumnDrift):
        told = f"not compared: {clean(cell.reason)}"
        return {"title": f"{name}, {window}: {told}", "level": "x", "mark": mark, "text": "not compared"}
    told = f"{cell.verdict or 'not judged'}, JS {short(cell.js)} (noise {short(cell.noise.js)})"
    if cell.w1_over_sd is not None:
        told += f", W1/sd {short(cell.w1_over_sd)}"
    told += f", p {p_value(cell.noise.p_adjusted)}, {cell.n_current:,} values"
    return {
        "title": f"{name}, {window}: {told}",
        "level": f"h{sum(excess(cell.js, cell.noise.js or 0.0) >= step for step in _STEPS)}",
        "mark": mark,
        "text": f"{short(cell.js)} {cell.verdict}" if has_moved(cell.verdict) else short(cell.js),
    }
