"""Compare two tables column by column: how far has each distribution moved?

``compare`` reads two tables of any kind (:mod:`fastdiv.drift.tables`) and returns a ``Report``; nothing is
printed here. As in ``fastdiv`` itself, nothing is imported until it is used: the command's errors and help
need no NumPy.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastdiv.drift.baseline import Baseline as Baseline
    from fastdiv.drift.columns import TableError as TableError
    from fastdiv.drift.comparison import compare as compare
    from fastdiv.drift.contribution import Contribution as Contribution
    from fastdiv.drift.contribution import contributions as contributions
    from fastdiv.drift.report import Bin as Bin
    from fastdiv.drift.report import ColumnDrift as ColumnDrift
    from fastdiv.drift.report import Noise as Noise
    from fastdiv.drift.report import Report as Report
    from fastdiv.drift.report import Skipped as Skipped
    from fastdiv.drift.series import Change as Change
    from fastdiv.drift.series import Series as Series
    from fastdiv.drift.series import compare_over as compare_over
    from fastdiv.drift.thresholds import Thresholds as Thresholds

_HOME = {
    "Baseline": "baseline",
    "compare": "comparison",
    "compare_over": "series",
    "Change": "series",
    "Series": "series",
    "Contribution": "contribution",
    "contributions": "contribution",
    "TableError": "columns",
    "Thresholds": "thresholds",
} | dict.fromkeys(["Bin", "ColumnDrift", "Noise", "Report", "Skipped"], "report")

__all__ = [
    "Baseline",
    "Bin",
    "Change",
    "ColumnDrift",
    "Contribution",
    "Noise",
    "Report",
    "Series",
    "Skipped",
    "TableError",
    "Thresholds",
    "compare",
    "compare_over",
    "contributions",
]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
