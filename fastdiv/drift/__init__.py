"""Compare two tables column by column: how far has each distribution moved?

``compare`` reads two tables of any kind (:mod:`fastdiv.drift.tables`) and returns a ``Report``; nothing is
printed here. As in ``fastdiv`` itself, nothing is imported until it is used: the command's errors and help
need no NumPy.
"""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastdiv.drift.columns import TableError as TableError
    from fastdiv.drift.comparison import compare as compare
    from fastdiv.drift.report import Bin as Bin
    from fastdiv.drift.report import ColumnDrift as ColumnDrift
    from fastdiv.drift.report import Report as Report
    from fastdiv.drift.report import Skipped as Skipped

_HOME = {"compare": "comparison", "TableError": "columns"} | dict.fromkeys(
    ["Bin", "ColumnDrift", "Report", "Skipped"], "report"
)

__all__ = ["Bin", "ColumnDrift", "Report", "Skipped", "TableError", "compare"]


def __getattr__(name: str) -> object:
    from importlib import import_module

    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
