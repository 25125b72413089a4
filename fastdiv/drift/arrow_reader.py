"""Arrow's side of tables.py: Parquet, Feather and data frames. Needs pyarrow, the extra ``parquet``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fastdiv.drift.columns import TOO_FAR, Column, Table, TableError, one_line
from fastdiv.drift.numpy_reader import array_of, column_of_array
from fastdiv.drift.objects import as_text, column_of_objects, object_array

__all__ = ["from_frame", "open_arrow"]


def _pyarrow(what: str) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise TableError(f"{what}: needs pyarrow; install it with: pip install 'fastdiv[parquet]'") from None
    return pyarrow


def open_arrow(path: Path, reader: str, categorical: frozenset[str]) -> Table:
    """A Parquet file (`reader` "parquet") or an Arrow file or stream ("ipc", which Feather 2 is)."""
    pa = _pyarrow(str(path))
    try:
        if reader == "parquet":
            return _open_parquet(path, categorical)
        return _from_arrow(_read_ipc(pa, path), str(path), categorical)
    except pa.ArrowException as error:
        raise TableError(f"{path}: cannot be read as {path.suffix}: {one_line(error)}") from None


def from_frame(frame: Any, label: str, categorical: frozenset[str]) -> Table:
    """A pandas, polars or Arrow table, through the Arrow stream they all offer."""
    pa = _pyarrow(label)
    try:
        table = pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError, OverflowError) as error:
        if hasattr(frame, "columns"):  # one column that Arrow does not take is no matter of the others
            return _by_columns(frame, label, categorical)
        raise TableError(f"{label}: {one_line(error)}") from None
    return _from_arrow(table, label, categorical)


def _by_columns(frame: Any, label: str, categorical: frozenset[str]) -> Table:
    import pyarrow as pa

    names = tuple(map(str, frame.columns))
    if names and not len(frame):
        raise TableError(f"{label}: the table has no rows")

    def column(name: str) -> Column:
        series = frame.iloc[:, names.index(name)] if hasattr(frame, "iloc") else frame[name]
        if hasattr(series, "sparse"):
            reason = "sparse values are not compared; its .sparse.to_dense() makes them dense"
            return Column(name, "unsupported", len(frame), 0, reason=reason)
        try:
            streams = hasattr(series, "__arrow_c_stream__") and not hasattr(frame, "iloc")
            values = pa.chunked_array(series if streams else [pa.Array.from_pandas(series)])
            return _column(name, values, name in categorical)
        except (pa.ArrowException, TypeError, ValueError, OverflowError):
            return column_of_array(name, array_of(series), name in categorical)

    def read(wanted: Sequence[str]) -> Iterator[Column]:
        return map(column, wanted)

    return Table(label, names, read)


def _open_parquet(path: Path, categorical: frozenset[str]) -> Table:
    import pyarrow.parquet as pq

    file = pq.ParquetFile(path)
    names = _without_index(file.schema_arrow.names)
    if not file.metadata.num_rows:
        raise TableError(f"{path}: the table has no rows")

    def column(name: str) -> Any:
        # one column at a time: the peak is one column of each table, not two tables; threads share out
        # columns, so they would only be waited for
        return file.read(columns=[name], use_threads=False).column(name)

    return Table(str(path), names, partial(_columns, str(path), column, categorical))


def _columns(
    label: str, column: Callable[[str], Any], categorical: frozenset[str], names: Sequence[str]
) -> Iterator[Column]:
    import pyarrow as pa

    for name in names:
        try:
            values = column(name)
            try:
                yield _column(name, values, name in categorical)
            except pa.ArrowNotImplementedError:  # views, in some of its versions
                yield column_of_objects(name, object_array(values.to_pylist()), name in categorical)
        except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
            raise TableError(f"{label}: column {name!r} cannot be read: {one_line(error)}") from None


def _without_index(names: Sequence[str]) -> tuple[str, ...]:
    """Without what pandas calls the row numbers that it writes along with a filtered frame."""
    return tuple(name for name in names if not re.fullmatch(r"__index_level_\d+__", name))


def _read_ipc(pa: Any, path: Path) -> Any:
    source = pa.memory_map(str(path))
    try:
        return pa.ipc.open_file(source).read_all()
    except pa.ArrowInvalid:
        source.seek(0)
        return pa.ipc.open_stream(source).read_all()


def _from_arrow(table: Any, label: str, categorical: frozenset[str]) -> Table:
    if table.num_columns and not table.num_rows:
        raise TableError(f"{label}: the table has no rows")

    names = _without_index(table.column_names)
    return Table(label, names, partial(_columns, label, table.column, categorical))


def _column(name: str, values: Any, categorical: bool) -> Column:
    import pyarrow as pa
    from pyarrow import compute as pc
    from pyarrow import types

    if types.is_run_end_encoded(values.type):
        values = pc.run_end_decode(values)
    if types.is_string_view(values.type):  # few of Arrow's functions take views
        values = values.cast(pa.large_string())
    if types.is_binary_view(values.type):
        values = values.cast(pa.large_binary())
    rows, missing, kind = len(values), values.null_count, values.type
    if types.is_dictionary(kind):  # what pandas and polars store categories as
        tally = _tally(values)
        missing = rows - sum(tally.values())
        return Column(name, "categorical" if tally else "missing", rows, missing, tally=tally)
    if types.is_float16(kind):
        values = values.cast(pa.float32())
    if types.is_floating(kind):
        values = pc.if_else(pc.is_nan(values), None, values) if pc.any(pc.is_nan(values)).as_py() else values
        missing = values.null_count
    if missing == rows:
        return Column(name, "missing", rows, missing)
    if missing:
        values = values.drop_null()
    if types.is_boolean(kind):
        return Column(name, "boolean", rows, missing, tally=_tally(values.cast(pa.string())))
    text = types.is_string, types.is_large_string, types.is_binary, types.is_large_binary
    if any(test(kind) for test in text):
        return Column(name, "categorical", rows, missing, tally=_tally(values))
    numeric = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    temporal = types.is_timestamp(kind) or types.is_date(kind)
    if categorical and (numeric or temporal):
        return Column(name, "categorical", rows, missing, tally=_tally(values.cast(pa.string())))
    if temporal or types.is_duration(kind):
        unit = pa.timestamp("us", tz=getattr(kind, "tz", None)) if temporal else pa.duration("us")
        try:
            micros = values.cast(options=pc.CastOptions(unit, allow_time_truncate=True)).cast(pa.int64())
        except pa.ArrowInvalid:
            return Column(name, "unsupported", rows, missing, reason=TOO_FAR)
        if temporal:
            return Column(name, "datetime", rows, missing, _array(micros))
        return Column(name, "numeric", rows, missing, _array(micros) / 1e6)
    if types.is_decimal(kind):
        return Column(name, "numeric", rows, missing, _array(values.cast(pa.float64())))
    if numeric:
        return Column(name, "numeric", rows, missing, _array(values))
    return Column(name, "unsupported", rows, missing, reason=f"values of type {kind} are not compared")


def _tally(values: Any) -> dict[str, int]:
    pairs = values.value_counts()
    tally: dict[str, int] = {}
    for value, count in zip(pairs.field(0).to_pylist(), pairs.field(1).to_pylist(), strict=True):
        if value is not None:
            tally[as_text(value)] = tally.get(as_text(value), 0) + count
    return tally


def _array(values: Any) -> np.ndarray:
    # to_numpy() would import pandas where it is installed: half a second
    return np.concatenate([np.from_dlpack(chunk) for chunk in values.chunks])
