"""A table from whatever holds one: a path, whose extension says what it is, a mapping or a data frame."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastdiv.drift.columns import Column, Table, TableError, one_line

__all__ = ["MISSING", "Column", "Table", "TableError", "as_table", "read_table"]

# What counts as a missing cell in a CSV file: the list pandas reads as missing, so that both agree.
# fmt: off
MISSING = frozenset([
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
])
# fmt: on


def read_table(
    path: str | os.PathLike[str],
    *,
    categorical: Sequence[str] = (),
    missing: Sequence[str] = (),
    delimiter: str | None = None,
) -> Table:
    """Open a table; its extension says what it is.

    Parameters
    ----------
    path : str or path
        ``.csv[.gz]``, ``.tsv[.gz]``, ``.parquet``, ``.pq``, ``.feather``, ``.arrow``, ``.npy``, ``.npz``.
    categorical : sequence of str
        Columns to take as categories even where they look like numbers or dates.
    missing : sequence of str
        Cells of a CSV file that count as missing, besides :data:`MISSING`.
    delimiter : str, optional
        Of a CSV file. Default: whichever of comma, semicolon, tab and bar the header has most of.

    Raises
    ------
    TableError
        If the file is missing, unreadable, empty, or no table.
    """
    path = Path(path)
    reader = _reader(path)
    if not path.exists():
        raise TableError(f"{path}: no such file")
    if path.is_dir():
        raise TableError(f"{path}: is a directory, a file is needed")
    try:
        if reader == "csv":
            from fastdiv.drift import csv_reader

            table = csv_reader.open_csv(path, frozenset(categorical), MISSING.union(missing), delimiter)
        elif reader == "numpy":
            from fastdiv.drift import numpy_reader

            table = numpy_reader.open_numpy(path, frozenset(categorical))
        else:
            from fastdiv.drift import arrow_reader

            table = arrow_reader.open_arrow(path, reader, frozenset(categorical))
    except OSError as error:
        raise TableError(f"{path}: {one_line(error.strerror or error)}") from None
    return _checked(table)


def as_table(data: Any, *, label: str = "table", categorical: Sequence[str] = ()) -> Table:
    """A table from a path, from a mapping of names to arrays, or from a pandas, polars or Arrow table."""
    if isinstance(data, Table):
        return data
    if isinstance(data, (str, os.PathLike)):
        return read_table(data, categorical=categorical)
    forced = frozenset(categorical)
    if isinstance(data, Mapping):
        from fastdiv.drift import numpy_reader

        arrays = {str(name): numpy_reader.array_of(values) for name, values in data.items()}
        return _checked(numpy_reader.from_arrays(label, arrays, forced))
    lazy = next((call for call in ("compute", "collect") if hasattr(data, call)), None)
    kind = type(data).__name__
    if lazy and not hasattr(data, "__arrow_c_stream__"):
        raise TypeError(f"{label} must hold its data, not be a lazy {kind}: pass what its {lazy}() returns")
    if hasattr(data, "to_frame") and not hasattr(data, "columns"):
        raise TypeError(f"{label} must be a table, not a {kind}, which is one column: pass its to_frame()")
    if hasattr(data, "__arrow_c_stream__") and (hasattr(data, "columns") or hasattr(data, "schema")):
        from fastdiv.drift import arrow_reader

        return _checked(arrow_reader.from_frame(data, label, forced))
    raise TypeError(f"{label} must be a path, a mapping of names to arrays or a data frame, not {_a(kind)}")


def _a(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeioAEIO' or kind == 'ndarray' else 'a'} {kind}"


def _reader(path: Path) -> str:
    name = path.name.lower().removesuffix(".gz")
    for reader, endings in _READERS.items():
        if name.endswith(endings) and (reader == "csv" or not path.name.lower().endswith(".gz")):
            return reader
    known = ".csv[.gz], .tsv[.gz], .parquet, .pq, .feather, .arrow, .npy, .npz"
    raise TableError(f"{path}: the extension does not say which kind of table this is (known: {known})")


_READERS = {
    "csv": (".csv", ".tsv"),
    "parquet": (".parquet", ".pq"),
    "ipc": (".feather", ".arrow"),
    "numpy": (".npy", ".npz"),
}


def _checked(table: Table) -> Table:
    if not table.names:
        raise TableError(f"{table.label}: the table has no columns")
    seen: set[str] = set()
    for name in table.names:
        if name in seen:
            raise TableError(f"{table.label}: the column name {name!r} occurs twice")
        seen.add(name)
    return table
