"""A table from whatever holds one: a path, whose extension says what it is, a mapping or a data frame."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from fastdiv._checks.foreign import CAPSULES, opened, takes_arrow
from fastdiv.drift.columns import Column, NoRows, Table, TableError, one_line
from fastdiv.drift.datasets import as_one, with_keys
from fastdiv.drift.folders import Source, is_data, is_profile, reader_of, sources_of
from fastdiv.drift.numerals import Numerals

__all__ = ["MISSING", "Column", "Table", "TableError", "as_table", "read_table"]

# What counts as a missing cell in a CSV file: the list pandas reads as missing, so that both agree.
# fmt: off
MISSING = frozenset([
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
])
# fmt: on


def read_table(
    path: str | os.PathLike[str] | Sequence[str | os.PathLike[str]],
    *,
    categorical: Sequence[str] = (),
    missing: Sequence[str] = (),
    delimiter: str | None = None,
    decimal: str = ".",
    thousands: str | None = None,
) -> Table:
    """Open a table; its extension says what it is.

    Parameters
    ----------
    path : str, path or sequence of them
        ``.csv[.gz]``, ``.tsv[.gz]``, ``.parquet``, ``.pq``, ``.feather``, ``.arrow``, ``.npy``, ``.npz``;
        ``.fdp``, a profile, which is what a ``Baseline`` has saved. A glob or a folder stands for all tables
        that it matches, or that are in it and its folders, and a folder named ``key=value`` for a column
        `key`. The rows of several files are one table.
    categorical : sequence of str
        Columns to take as categories even where they look like numbers or dates.
    missing : sequence of str
        Cells of a CSV file that count as missing, besides :data:`MISSING`.
    delimiter : str, optional
        Of a CSV file. Default: whichever of comma, semicolon, tab and bar the header has most of.
    decimal, thousands : str, optional
        Marks in the numbers of a CSV file, such as "," and "." for 1.234,5. Default: a point, and none.

    Raises
    ------
    TableError
        If a file is missing, unreadable, empty, or no table, if no file matches, or if several have not the
        same columns of the same types.
    """
    paths = [path] if isinstance(path, (str, os.PathLike)) else list(path)
    forced, nothing = frozenset(categorical), MISSING.union(missing)
    csv = delimiter, Numerals(decimal, thousands)
    sources: list[Source] = []
    many = len(paths) > 1
    for each in paths:
        found = sources_of(each, is_data)
        many = many or found is not None
        sources += found or [(Path(each), {})]
    if not sources:
        raise TableError("no table is named")
    opened: list[tuple[Table, Mapping[str, str]]] = []
    for file, named in sources:
        try:
            opened.append((_opened(file, forced, nothing, csv, len(sources) <= _KEPT), named))
        except NoRows:  # a part of a table may be empty
            if not opened and file is sources[-1][0]:
                raise
    if not many:
        return opened[0][0]
    for file, _ in sources:
        if is_profile(file.name):
            raise TableError(
                f"{file}: is a profile, which is no part of a table; fastdiv profile merges them"
            )
    label = f"{paths[0]}" if len(paths) == 1 else f"{sources[0][0]} and {len(sources) - 1} more"
    tables, keys = [table for table, _ in opened], [named for _, named in opened]
    return as_one(label, with_keys(tables, keys, forced))


# Of more files than this none stays open between columns.
_KEPT = 64


def _opened(
    path: Path,
    forced: frozenset[str],
    missing: frozenset[str],
    csv: tuple[str | None, Numerals],
    kept: bool,
) -> Table:
    reader = _reader(path)
    if not path.exists():
        raise TableError(f"{path}: no such file")
    try:
        if reader == "csv":
            from fastdiv.drift import csv_reader

            table = csv_reader.open_csv(path, forced, missing, *csv)
        elif reader == "profile":
            from fastdiv.drift import profile_file

            table = profile_file.open_profile(path, forced)
        elif reader == "numpy":
            from fastdiv.drift import numpy_reader

            table = numpy_reader.open_numpy(path, forced)
        else:
            from fastdiv.drift import arrow_reader

            table = arrow_reader.open_arrow(path, reader, forced, kept)
    except OSError as error:
        raise TableError(f"{path}: {one_line(error.strerror or error)}") from None
    return _checked(table)


def as_table(data: Any, *, label: str = "table", categorical: Sequence[str] = ()) -> Table:
    """A table from a path, from a mapping of names to arrays, or from a pandas, polars or Arrow table."""
    if isinstance(data, Table):
        return data
    if hasattr(data, "__fastdiv_table__"):  # a Baseline, which stands above this module
        return data.__fastdiv_table__()  # type: ignore[no-any-return]
    if isinstance(data, (str, os.PathLike)) or _are_paths(data):
        return read_table(data, categorical=categorical)
    forced = frozenset(categorical)
    if isinstance(data, Mapping):
        from fastdiv.drift import numpy_reader

        arrays = {
            str(name): numpy_reader.array_of(values, f"{label}[{name!r}]") for name, values in data.items()
        }
        return _checked(numpy_reader.from_arrays(label, arrays, forced))
    lazy = next((call for call in ("compute", "collect") if hasattr(data, call)), None)
    kind = type(data).__name__
    if lazy and not hasattr(data, "__arrow_c_stream__"):
        more = ", or fastdiv.dask.baseline of it" if type(data).__module__.startswith("dask") else ""
        raise TypeError(
            f"{label} must hold its data, not be a lazy {kind}: pass what its {lazy}() returns{more}"
        )
    if hasattr(data, "to_frame") and not hasattr(data, "columns"):
        raise TypeError(f"{label} must be a table, not a {kind}, which is one column: pass its to_frame()")
    if takes_arrow(data):
        from fastdiv.drift import arrow_reader

        table = data if hasattr(data, "columns") else opened(data, label)
        if hasattr(table, "columns"):
            return _checked(arrow_reader.from_frame(table, label, forced))
    if any(hasattr(data, way) for way in (*CAPSULES, "__array__", "__dlpack__")):
        raise TypeError(
            f"{label} must be a table, not {_a(kind)}, whose columns have no names: pass a mapping of names "
            "to columns"
        )
    raise TypeError(f"{label} must be a path, a mapping of names to arrays or a data frame, not {_a(kind)}")


def _are_paths(data: Any) -> bool:
    return (
        isinstance(data, (list, tuple))
        and bool(data)
        and all(isinstance(x, (str, os.PathLike)) for x in data)
    )


def _a(kind: str) -> str:
    return f"{'an' if kind[:1] in 'aeioAEIO' or kind == 'ndarray' else 'a'} {kind}"


def _reader(path: Path) -> str:
    reader = reader_of(path.name)
    if reader:
        return reader
    known = ".csv[.gz], .tsv[.gz], .parquet, .pq, .feather, .arrow, .npy, .npz, .fdp"
    raise TableError(f"{path}: the extension does not say which kind of table this is (known: {known})")


def _checked(table: Table) -> Table:
    if not table.names:
        raise TableError(f"{table.label}: the table has no columns")
    seen: set[str] = set()
    for name in table.names:
        if name in seen:
            raise TableError(f"{table.label}: the column name {name!r} occurs twice")
        seen.add(name)
    return table
