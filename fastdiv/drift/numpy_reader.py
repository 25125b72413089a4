"""NumPy's side of tables.py: .npy and .npz files, and mappings of names to arrays."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import replace
from functools import cache
from itertools import pairwise
from math import prod
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from fastdiv._checks.foreign import opened, plain, takes_arrow
from fastdiv.drift.columns import (
    TOO_FAR,
    Column,
    NoRows,
    Rows,
    Table,
    TableError,
    micros_of,
    one_line,
    seconds_of,
)
from fastdiv.drift.objects import as_text, column_of_objects, factorised, object_array, present, texts_of

__all__ = ["array_of", "column_of_array", "column_of_times", "from_arrays", "open_numpy", "rows_of"]


def open_numpy(path: Path, categorical: frozenset[str]) -> Table:
    stored = _Stored.of(path)
    if stored is None:
        return from_arrays(str(path), _loaded(path), categorical)
    with _told(path):
        return _open_array(path, stored, categorical)


class _Stored(NamedTuple):
    """An array in a .npy file."""

    shape: tuple[int, ...]
    by_columns: bool
    dtype: np.dtype[Any]
    offset: int

    @staticmethod
    def of(path: Path) -> _Stored | None:
        """None where the file as a whole tells better what it is, or what is wrong with it."""
        with open(path, "rb") as file, suppress(Exception):  # a damaged header raises whatever ast feels like
            header = _HEADERS[np.lib.format.read_magic(file)]
            stored = _Stored(*header(file), file.tell())
            size = stored.offset + prod(stored.shape) * stored.dtype.itemsize
            if stored.shape and not stored.dtype.hasobject and path.stat().st_size >= size:
                return stored
        return None

    def blocks(self, path: Path, most: int) -> Iterator[np.ndarray]:
        """So many rows at a time."""
        rows, *shape = self.shape
        width = prod(shape)
        with open(path, "rb") as file:

            def values(first: int, count: int) -> np.ndarray:
                file.seek(self.offset + first * self.dtype.itemsize)
                found = np.fromfile(file, self.dtype, count)
                if len(found) < count:
                    raise TableError(f"{path}: changed while it was read")
                return found

            for first in range(0, rows, most):
                count = min(most, rows - first)
                if self.by_columns and shape:
                    yield np.column_stack([values(j * rows + first, count) for j in range(width)])
                else:
                    yield values(first * width, count * width).reshape(count, *shape)


_HEADERS = {
    (1, 0): np.lib.format.read_array_header_1_0,
    (2, 0): np.lib.format.read_array_header_2_0,
}


def _open_array(path: Path, stored: _Stored, categorical: frozenset[str]) -> Table:
    """Its header now; it is loaded when it is asked for, or read some rows at a time."""
    alike = np.broadcast_to(np.empty((), stored.dtype), stored.shape)
    table = from_arrays(str(path), _split("", alike), categorical)

    @cache
    def loaded() -> Table:
        return from_arrays(str(path), _loaded(path), categorical)

    def blocks(names: Sequence[str], most: int) -> Iterator[Sequence[Column]]:
        for block in stored.blocks(path, most):
            arrays = _split("", block)
            yield [column_of_array(name, arrays[name], name in categorical) for name in names]

    return replace(
        table,
        read=lambda names: loaded().read(names),
        rows=len(alike),
        by_rows=lambda name, most: loaded().by_rows(name, most),  # type: ignore[misc]
        blocks=blocks,
    )


def _loaded(path: Path) -> dict[str, np.ndarray]:
    # never allow_pickle: unpickling runs code from the file (CVE-2019-6446)
    with _told(path), open(path, "rb") as file:
        loaded = np.load(file, allow_pickle=False)
        if isinstance(loaded, np.ndarray):
            return _split("", loaded)
        _refuse_bombs(loaded)
        return {name: a for key in loaded.files for name, a in _split(key, loaded[key]).items()}


@contextmanager
def _told(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, TableError):
        raise
    except MemoryError:
        raise TableError(f"{path}: its arrays do not fit into memory") from None
    except Exception as error:  # a damaged archive raises whatever zipfile, zlib, ast or NumPy feel like
        why = "object arrays are pickles, which are never loaded" if "pickle" in str(error) else error
        raise TableError(f"{path}: cannot be read: {one_line(why)}") from None


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


def from_arrays(label: str, arrays: Mapping[str, np.ndarray], categorical: frozenset[str]) -> Table:
    lengths = {name: len(a) for name, a in arrays.items() if a.ndim}
    if lengths and not any(lengths.values()):
        raise NoRows(f"{label}: the table has no rows")
    for (a, n), (b, m) in pairwise(lengths.items()):
        if n != m:
            raise TableError(f"{label}: column {a!r} has {n} rows, column {b!r} has {m}")

    def read(names: Sequence[str]) -> Iterator[Column]:
        return (column_of_array(name, arrays[name], name in categorical) for name in names)

    def by_rows(name: str, most: int) -> Iterator[Rows]:
        array = arrays[name]
        if not array.ndim:
            raise TableError(f"{label}: column {name!r} is one value and has no rows")
        return (
            rows_of(name, array[first : first + most], name in categorical)
            for first in range(0, len(array), most)
        )

    return Table(label, tuple(arrays), read, by_rows=by_rows)


def rows_of(name: str, array: np.ndarray, categorical: bool) -> Rows:
    return Rows(
        array,
        lambda some: column_of_array(name, some, categorical),
        _factorised,
        lambda some: _texts(some, categorical),
        _present,
    )


def _texts(distinct: np.ndarray, categorical: bool) -> list[str]:
    if distinct.dtype.kind == "O":
        return texts_of(distinct, categorical)
    found = list(map(as_text, distinct))
    return list(map(str.lower, found)) if distinct.dtype.kind == "b" else found


def _factorised(array: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    if array.dtype.kind in "OT":
        return factorised(array.astype(object))
    there = _present(array)
    codes = np.full(len(array), -1, np.int64)
    distinct, codes[there] = np.unique(np.asarray(array)[there], return_inverse=True)
    return codes, distinct


def _present(array: np.ndarray) -> np.ndarray:
    if array.dtype.kind in "OT":
        return present(array.astype(object))
    gone = np.array(getattr(array, "mask", False)) | np.zeros(len(array), bool)
    array = np.asarray(array)
    if array.dtype.kind in "fMm":
        gone = gone | (np.isnat(array) if array.dtype.kind in "Mm" else np.isnan(array))
    return ~gone


def array_of(values: Any, name: str = "column") -> np.ndarray:
    """The values of a mapping's column as an array that says which are missing.

    A list is an array of its numbers if it is all numbers. NumPy would make text of ["a", nan] and [1, "a"],
    numbers of [True, nan], and of an Arrow or polars column of integers with missing ones floats: these keep
    their objects.
    """
    if isinstance(values, np.ndarray):
        return values
    values = opened(values, name)
    if takes_arrow(values) and hasattr(values, "columns"):
        raise TypeError(f"{name} must be a column, not a table of {len(values.columns)}: pass one of them")
    # categories, whatever they are made of, as in a frame: of pandas, of Arrow
    if getattr(getattr(values, "dtype", None), "name", "") == "category":
        return object_array(None if value != value else as_text(value) for value in values)
    listed = getattr(values, "to_pylist", None) or getattr(values, "to_list", None)
    arrows = type(getattr(values, "type", None)).__name__
    if listed and arrows == "DictionaryType":
        return object_array(None if value is None else as_text(value) for value in listed())
    nulls = getattr(values, "null_count", 0)  # of a run it is that of the run's value
    if listed and (arrows == "RunEndEncodedType" or (nulls() if callable(nulls) else nulls)):
        return object_array(listed())
    if not isinstance(values, (list, tuple)):
        # an Int64 column of pandas would become floats
        numpys = isinstance(getattr(values, "dtype", None), np.dtype)
        if not numpys and hasattr(values, "isna") and np.any(values.isna()):
            return object_array(values)
        return plain(values, name)
    try:
        array = np.asarray(values)
    except (ValueError, OverflowError):  # lists of several lengths
        return object_array(values)
    rounds = array.dtype.kind == "f" and array.size and not np.all(np.abs(array) < 2**53)
    if array.ndim == 1 and (array.dtype.kind in "US" or rounds or _some_are_booleans(array, values)):
        return object_array(values)
    return array


def _some_are_booleans(array: np.ndarray, values: Sequence[Any]) -> bool:
    """Whether NumPy has made numbers of truths: [True, nan] is not [1.0, nan]."""
    return array.dtype.kind in "iuf" and not {bool, np.bool_}.isdisjoint(map(type, values))


def _unmasked(array: Any) -> np.ndarray:
    # numpy.ma takes 9 ms to import, and without it no array has a mask
    # (nor while another thread is still importing it)
    masked = isinstance(array, getattr(sys.modules.get("numpy.ma"), "MaskedArray", ()))
    if masked and array.dtype.names:  # a mask for each field, and no column
        return array.data  # type: ignore[no-any-return]
    return array.compressed() if masked else array  # type: ignore[no-any-return]


def column_of_array(name: str, array: np.ndarray, categorical: bool = False) -> Column:
    """A column from a one-dimensional array: NaN, NaT, masked are missing, "" is not."""
    rows = len(array) if array.ndim else 0
    if array.ndim == 1:
        array = _unmasked(array)
        if array.dtype.kind == "T":  # NumPy's strings of any length, with or without a missing value
            array = array.astype(object)
        if array.dtype.kind == "O":
            return column_of_objects(name, array, categorical, rows - len(array))
    kind = array.dtype.kind
    if array.ndim != 1 or kind not in "biufMmUS" or (array.dtype.itemsize > 8 and kind == "f"):
        what = f"of dtype {array.dtype}"
        if array.ndim == 0:
            what = f"of type {type(array.item()).__name__}" if kind == "O" else "that are one number or text"
        elif array.ndim > 1:
            what = f"{array.ndim}-dimensional"
        return Column(name, "unsupported", rows, 0, reason=f"values {what} are not compared")
    if kind in "fMm":
        array = array[~np.isnat(array)] if kind in "Mm" else array[~np.isnan(array)]
    missing = rows - len(array)
    if not len(array):
        return Column(name, "missing", rows, missing)
    if kind == "b":
        true = int(np.count_nonzero(array))
        tally = _nonzero({"false": len(array) - true, "true": true})
        return Column(name, "boolean", rows, missing, tally=tally)
    if kind in "US" or categorical:
        values, counts = np.unique(array, return_counts=True)
        tally = {}
        for text, count in zip(map(as_text, values), counts.tolist(), strict=True):
            tally[text] = tally.get(text, 0) + count
        return Column(name, "categorical", rows, missing, tally=tally)
    if kind in "Mm":
        return column_of_times(name, array, rows)
    return Column(name, "numeric", rows, missing, array)


def column_of_times(name: str, times: np.ndarray, rows: int, zoned: bool = False) -> Column:
    """A column of dates, or of durations as numbers of seconds; none of them is missing."""
    missing, dates = rows - len(times), times.dtype.kind == "M"
    numbers = micros_of(times) if dates else seconds_of(times)
    if numbers is None:
        return Column(name, "unsupported", rows, missing, reason=TOO_FAR)
    return Column(name, "datetime" if dates else "numeric", rows, missing, numbers, zoned=zoned)


def _nonzero(tally: dict[str, int]) -> dict[str, int]:
    return {value: count for value, count in tally.items() if count}
