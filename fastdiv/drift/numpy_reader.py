"""NumPy's side of tables.py: .npy and .npz files, and mappings of names to arrays."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np

from fastdiv.drift.columns import TOO_FAR, Column, Table, TableError, one_line

__all__ = ["from_arrays", "open_numpy"]


def open_numpy(path: Path, categorical: frozenset[str]) -> Table:
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
        raise TableError(f"{path}: cannot be read: {one_line(why)}") from None
    return from_arrays(str(path), arrays, categorical)


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
    if arrays and not any(lengths.values()):
        raise TableError(f"{label}: the table has no rows")
    for (a, n), (b, m) in pairwise(lengths.items()):
        if n != m:
            raise TableError(f"{label}: column {a!r} has {n} rows, column {b!r} has {m}")

    def read(names: Sequence[str]) -> Iterator[Column]:
        return (_column(name, arrays[name], name in categorical) for name in names)

    return Table(label, tuple(arrays), read)


def _column(name: str, array: np.ndarray, categorical: bool = False) -> Column:
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


# A year short of the ends, where NumPy's way back from microseconds wraps as well.
_LAST = 2**63 - 366 * 86_400 * 10**6


def _micros(times: np.ndarray) -> np.ndarray | None:
    """Datetimes or durations in microseconds; None if one does not fit, where NumPy would wrap round."""
    kind, (unit, _) = times.dtype.kind, np.datetime_data(times.dtype)
    if unit in ("Y", "M", "W", "D", "h", "m", "s", "ms"):
        low, high = np.array([-_LAST, _LAST]).view(f"{kind}8[us]").astype(times.dtype)
        if not np.all((low < times) & (times < high)):
            return None
    return times.astype(f"{kind}8[us]").view(np.int64)


def _nonzero(tally: dict[str, int]) -> dict[str, int]:
    return {value: count for value, count in tally.items() if count}
