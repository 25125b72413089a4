"""Tables on disk become columns: names first, then each column's values with the missing ones counted out.

A :class:`Table` knows its column names before any data is decoded, so that a comparison reads only what
both sides share. A :class:`Column` is what the comparison needs and no more: the present values of a
numeric column, the distinct values of any other with how often each occurs.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any, Literal

import numpy as np

__all__ = ["MISSING", "Column", "Table", "TableError", "as_table", "read_table"]

Kind = Literal["numeric", "datetime", "categorical", "boolean", "missing", "unsupported", "mixed"]

# What counts as a missing cell in a CSV file: the list pandas reads as missing, so that both agree.
# fmt: off
MISSING = frozenset([
    "", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND", "1.#QNAN",
    "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null",
])
# fmt: on

# The note of a column whose whole numbers no 64-bit integer type holds, or that stands against floats.
ROUNDED = "whole numbers beyond 2^53 are rounded to float64"

_EMPTY = np.empty(0)


class TableError(ValueError):
    """A table that cannot be read as one; the message is one line and names the file."""


@dataclass(frozen=True)
class Column:
    """One column, its missing values counted out.

    Attributes
    ----------
    name : str
    kind : str
        ``numeric``, ``datetime``, ``categorical`` or ``boolean``; ``missing`` where nothing is present;
        ``mixed`` and ``unsupported`` columns cannot be compared and say why in `reason`.
    rows, missing : int
        How many rows there are, and in how many of them the value is missing.
    numbers : ndarray
        The present values of a numeric column. Of a datetime column: microseconds since 1970, int64.
    tally : mapping of str to int
        The distinct values of a categorical or boolean column, and how often each occurs.
    reason : str
    note : str
        What the values lost on the way, if anything.
    """

    name: str
    kind: Kind
    rows: int
    missing: int
    numbers: np.ndarray = field(default_factory=lambda: _EMPTY, repr=False)
    tally: Mapping[str, int] = field(default_factory=dict, repr=False)
    reason: str = ""
    note: str = ""

    @property
    def present(self) -> int:
        return self.rows - self.missing


@dataclass(frozen=True)
class Table:
    """Column names, and a function that reads the named columns one after another."""

    label: str
    names: tuple[str, ...]
    read: Callable[[Sequence[str]], Iterator[Column]] = field(repr=False)


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
            from fastdiv import _csv

            table = _csv.open_csv(path, frozenset(categorical), MISSING.union(missing), delimiter)
        elif reader == "numpy":
            table = _open_numpy(path, frozenset(categorical))
        else:
            from fastdiv import _arrow

            table = _arrow.open_arrow(path, reader, frozenset(categorical))
    except OSError as error:
        raise TableError(f"{path}: {_one_line(error.strerror or error)}") from None
    return _checked(table)


def as_table(data: Any, *, label: str = "table", categorical: Sequence[str] = ()) -> Table:
    """A table from a path, from a mapping of names to arrays, or from a pandas, polars or Arrow table."""
    if isinstance(data, Table):
        return data
    if isinstance(data, (str, os.PathLike)):
        return read_table(data, categorical=categorical)
    forced = frozenset(categorical)
    if isinstance(data, Mapping):
        arrays = {str(name): np.asarray(values) for name, values in data.items()}
        return _checked(_from_arrays(label, arrays, forced))
    if hasattr(data, "__arrow_c_stream__"):
        from fastdiv import _arrow

        return _checked(_arrow.from_frame(data, label, forced))
    raise TypeError(f"no table can be made of {type(data).__name__}; pass a path, a mapping or a data frame")


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


# -- NumPy's own formats -------------------------------------------------------------------------------------


def _open_numpy(path: Path, categorical: frozenset[str]) -> Table:
    # never allow_pickle: unpickling runs code from the file (CVE-2019-6446)
    try:
        with open(path, "rb") as file:
            loaded = np.load(file, allow_pickle=False)
            if isinstance(loaded, np.ndarray):
                arrays = _split("", loaded)
            else:
                _refuse_bombs(loaded)
                arrays = {name: a for key in loaded.files for name, a in _split(key, loaded[key]).items()}
    except OSError:
        raise
    except MemoryError:
        raise TableError(f"{path}: its arrays do not fit into memory") from None
    except Exception as error:  # a damaged archive raises whatever zipfile, zlib, ast or NumPy feel like
        why = "object arrays are pickles, which are never loaded" if "pickle" in str(error) else error
        raise TableError(f"{path}: cannot be read: {_one_line(why)}") from None
    return _from_arrays(str(path), arrays, categorical)


def _refuse_bombs(archive: Any) -> None:
    size = sum(member.file_size for member in archive.zip.infolist())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if size > memory:
        raise ValueError(f"it would unpack to {size / 2**30:.0f} GiB, more than this machine's memory")


def _split(key: str, array: np.ndarray) -> dict[str, np.ndarray]:
    """The columns of one stored array: itself, its fields, or its second axis."""
    if array.dtype.names:
        prefix = f"{key}." if key else ""
        return {f"{prefix}{name}": array[name] for name in array.dtype.names}
    if array.ndim == 1:
        return {key or "value": array}
    if array.ndim == 2:
        return {f"{key}[{j}]" if key else str(j): array[:, j] for j in range(array.shape[1])}
    raise ValueError(f"an array of {array.ndim} dimensions is no table; 1 or 2 are needed")


def _from_arrays(label: str, arrays: Mapping[str, np.ndarray], categorical: frozenset[str]) -> Table:
    lengths = {name: len(a) for name, a in arrays.items() if a.ndim}
    if arrays and not any(lengths.values()):
        raise TableError(f"{label}: the table has no rows")
    for (a, n), (b, m) in pairwise(lengths.items()):
        if n != m:
            raise TableError(f"{label}: column {a!r} has {n} rows, column {b!r} has {m}")

    def read(names: Sequence[str]) -> Iterator[Column]:
        return (column_of(name, arrays[name], name in categorical) for name in names)

    return Table(label, tuple(arrays), read)


def column_of(name: str, array: np.ndarray, categorical: bool = False) -> Column:
    """A column from a one-dimensional array: NaN and NaT are missing, empty strings are not."""
    rows = len(array) if array.ndim else 0
    kind = array.dtype.kind
    if array.ndim != 1 or kind not in "biufMmUS" or (array.dtype.itemsize > 8 and kind == "f"):
        what = f"{array.ndim}-dimensional" if array.ndim != 1 else f"of dtype {array.dtype}"
        return Column(name, "unsupported", rows, 0, reason=f"values {what} are not compared")
    if kind in "fMm":
        array = array[~np.isnat(array)] if kind in "Mm" else array[~np.isnan(array)]
    missing = rows - len(array)
    if not len(array):
        return Column(name, "missing", rows, missing)
    if kind == "b":
        true = int(np.count_nonzero(array))
        return Column(name, "boolean", rows, missing, tally=_nonzero({"false": rows - true, "true": true}))
    if kind in "US" or categorical:
        text = array.astype(str) if kind != "S" else np.char.decode(array, "utf-8", "backslashreplace")
        values, counts = np.unique(text, return_counts=True)
        tally = dict(zip(values.tolist(), counts.tolist(), strict=True))
        return Column(name, "categorical", rows, missing, tally=tally)
    if kind in "Mm":
        micros = _micros(array)
        if micros is None:
            return Column(name, "unsupported", rows, missing, reason=TOO_FAR)
        if kind == "M":
            return Column(name, "datetime", rows, missing, micros)
        array = micros / 1e6
    return Column(name, "numeric", rows, missing, array)


# Why a column of dates or durations cannot be compared: int64 microseconds end in the year 294247.
_LAST = 2**63 - 366 * 86_400 * 10**6
TOO_FAR = "its times lie beyond 292,000 years, which microseconds in 64 bits cannot represent"


def _micros(times: np.ndarray) -> np.ndarray | None:
    """Datetimes or durations in microseconds; None if one does not fit, where NumPy would wrap round."""
    kind, (unit, _) = times.dtype.kind, np.datetime_data(times.dtype)
    if unit in ("Y", "M", "W", "D", "h", "m", "s", "ms"):
        # a year short of the ends, where NumPy's way back from microseconds wraps as well
        low, high = np.array([-_LAST, _LAST]).view(f"{kind}8[us]").astype(times.dtype)
        if not np.all((low < times) & (times < high)):
            return None
    return times.astype(f"{kind}8[us]").view(np.int64)


def common_dtype(arrays: Sequence[np.ndarray]) -> np.dtype[Any]:
    """NumPy's for all of them; but int64 and uint64 stay integers if one of the two holds every value."""
    dtype = np.result_type(*arrays)
    filled = [a for a in arrays if len(a)]
    if dtype.kind == "f" and filled and all(a.dtype.kind in "iu" for a in arrays):
        low, high = min(int(a.min()) for a in filled), max(int(a.max()) for a in filled)
        for whole in (np.int64, np.uint64):
            if np.iinfo(whole).min <= low and high <= np.iinfo(whole).max:
                return np.dtype(whole)
    return dtype


def no_column(name: str, names: Sequence[str]) -> TableError:
    from difflib import get_close_matches

    near = get_close_matches(name, names, 1)
    return TableError(f"no column {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def _nonzero(tally: dict[str, int]) -> dict[str, int]:
    return {value: count for value, count in tally.items() if count}


def _one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]
