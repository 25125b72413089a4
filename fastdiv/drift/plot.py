"""Columns of a report, drawn by Matplotlib: what the page draws by itself."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastdiv._checks.options import count
from fastdiv.drift.contribution import steps
from fastdiv.drift.wording import clean, distances

if TYPE_CHECKING:
    from fastdiv.drift.report import ColumnDrift, Report

__all__ = ["drawn"]

_COLOURS = "#2f6fb7", "#d0661b"


def drawn(report: Report, n: int = 4) -> Any:
    """A figure of the first `n` columns, two pictures each."""
    n = count(n, "n", least=1)
    if not report.columns:
        raise ValueError("report must have a column that was compared, not none, to be drawn")
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise ImportError("Report.plot needs Matplotlib: pip install 'fastdiv[plot]'") from error
    columns = report.columns[:n]
    figure = Figure(figsize=(9, 2.6 * len(columns)), layout="constrained")
    axes = figure.subplots(len(columns), 2, squeeze=False)
    for c, (left, right) in zip(columns, axes, strict=True):
        js, w1, *_ = distances(c)
        # a dollar would begin a formula
        left.set_title(f"{clean(c.name)}: {c.verdict}, JS {js}".replace("$", r"\$"), loc="left", fontsize=10)
        _bars(left, c)
        _functions(right, c, w1)
    sides = clean(report.baseline), clean(report.current)
    axes[0][0].legend([side.replace("$", r"\$") for side in sides], fontsize=8)
    return figure


def _bars(axes: Any, c: ColumnDrift) -> None:
    for bars, colour in zip((c.bars_baseline, c.bars_current), _COLOURS, strict=True):
        axes.bar(range(len(bars)), bars, 0.94, color=colour, alpha=0.45)
    axes.set_xticks([])
    axes.set_ylabel("share")


def _functions(axes: Any, c: ColumnDrift, w1: str) -> None:
    points = steps(c)
    if not points:
        axes.set_axis_off()
        return
    x, p, q = zip(*points, strict=True)
    axes.fill_between(x, p, q, color="grey", alpha=0.35, linewidth=0)
    for shares, colour in zip((p, q), _COLOURS, strict=True):
        axes.plot(x, shares, color=colour)
    axes.set_title(f"W1/sd {w1}: the area", loc="left", fontsize=10)
    if c.kind == "datetime":
        axes.set_xticks([x[0], x[-1]], [_day(x[0]), _day(x[-1])])


def _day(seconds: float) -> str:
    import numpy as np

    return str(np.datetime64(int(seconds), "s"))[:10]
