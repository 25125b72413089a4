"""Arrow's side of tables.py: Parquet, Feather and data frames. Needs pyarrow, the extra ``parquet``."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from fastdiv._checks.foreign import from_chunks, of_decimals
from fastdiv.drift.columns import Column, NoRows, Rows, Table, TableError, one_line
from fastdiv.drift.numpy_reader import array_of, column_of_array, column_of_times
from fastdiv.drift.objects import as_text, column_of_objects, object_array

__all__ = ["from_frame", "open_arrow"]


# Bytes of a column that are read at a time, however large its row groups are.
_BUFFER = 1 << 20


def _pyarrow(what: str) -> Any:
    try:
        import pyarrow
    except ImportError:
        raise TableError(f"{what}: needs pyarrow; install it with: pip install 'fastdiv[parquet]'") from None
    return pyarrow


def open_arrow(path: Path, reader: str, categorical: frozenset[str], kept: bool = True) -> Table:
    """A Parquet file (`reader` "parquet") or an Arrow file or stream ("ipc", which Feather 2 is).

    `kept`: a Parquet file stays open between columns, which one of very many must not.
    """
    pa = _pyarrow(str(path))
    try:
        if reader == "parquet":
            return _open_parquet(path, categorical, kept)
        return _open_ipc(path, categorical)
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
            pass
        try:
            values = array_of(series)
        except Exception:  # a library's own, of integers of 128 bits
            values = object_array(series)
        return column_of_array(name, values, name in categorical)

    def read(wanted: Sequence[str]) -> Iterator[Column]:
        return map(column, wanted)

    return Table(label, names, read)


def _open_parquet(path: Path, categorical: frozenset[str], kept: bool) -> Table:
    files = _Files(path, kept)
    with files.reader() as file:
        names = _without_index(file.schema_arrow.names)
    sizes = [files.metadata.row_group(i).num_rows for i in range(files.metadata.num_row_groups)]
    rows = sum(sizes)
    if not rows:
        raise NoRows(f"{path}: the table has no rows")

    def values(name: str, most: int) -> Iterator[Any]:
        # one column at a time: the peak is one column of each table, not two tables; threads share out
        # columns, so they would only be waited for
        with files.reader() as file:
            for groups in _groups(sizes, most):
                if sum(sizes[i] for i in groups) <= 2 * most:
                    yield file.read_row_groups(groups, columns=[name], use_threads=False).column(name)
                    continue
                batches = file.iter_batches(most, row_groups=groups, columns=[name], use_threads=False)
                yield from (pa.chunked_array([batch.column(name)]) for batch in batches)

    pa = _pyarrow(str(path))
    return _table(str(path), names, values, categorical, rows)


def _groups(sizes: Sequence[int], most: int) -> Iterator[list[int]]:
    """Neighbouring row groups, of no more than `most` rows where it is not a single one."""
    groups: list[int] = []
    rows = 0
    for i, size in enumerate(sizes):
        if groups and rows + size > most:
            yield groups
            groups, rows = [], 0
        groups.append(i)
        rows += size
    yield groups


class _Files:
    """A file that is opened once for each thread that reads it at a time, and its schema read once."""

    def __init__(self, path: Path, kept: bool) -> None:
        self.path, self.kept = path, kept
        self.metadata: Any = None
        self.idle: list[Any] = []

    @contextmanager
    def reader(self) -> Iterator[Any]:
        import pyarrow.parquet as pq

        try:
            file = self.idle.pop()
        except IndexError:
            how = {
                "buffer_size": _BUFFER,
                "page_checksum_verification": True,  # where there are checksums
                "coerce_int96_timestamp_unit": "us",  # 9999-12-31 in nanoseconds wraps round to 1816
            }
            file = pq.ParquetFile(self.path, metadata=self.metadata, **how)
            self.metadata = file.metadata
        try:
            yield file
        finally:
            if self.kept:
                self.idle.append(file)
            else:
                file.close()


def _table(
    label: str,
    names: tuple[str, ...],
    values: Callable[[str, int], Iterator[Any]],
    categorical: frozenset[str],
    rows: int,
) -> Table:
    import pyarrow as pa

    @contextmanager
    def told(name: str) -> Iterator[None]:
        try:
            yield
        except (pa.ArrowException, OSError, KeyError, UnicodeDecodeError) as error:
            raise TableError(f"{label}: column {name!r} cannot be read: {one_line(error)}") from None

    def every(name: str, most: int) -> Iterator[Any]:
        """Of a file that was cut some versions of pyarrow read no rows, and say nothing."""
        left = rows
        for piece in values(name, most):
            left -= len(piece)
            yield piece
        if left:
            raise TableError(f"{label}: column {name!r} has {rows - left} rows, of {rows} that the table has")

    def column(name: str, some: Any) -> Column:
        try:
            return _column(name, some, name in categorical)
        except pa.ArrowNotImplementedError:  # views, in some of its versions
            return column_of_objects(name, object_array(some.to_pylist()), name in categorical)

    def pieces(name: str, most: int) -> Iterator[Column]:
        with told(name):
            for piece in every(name, most):
                yield column(name, piece)

    def whole(name: str) -> Column:
        (only,) = pieces(name, rows)
        return only

    def read(wanted: Sequence[str]) -> Iterator[Column]:
        return map(whole, wanted)

    def by_rows(name: str, most: int) -> Iterator[Rows]:
        made = partial(column, name), _factorised, _texts, _present
        with told(name):
            for piece in every(name, most):
                yield Rows(piece, *made)

    return Table(label, names, read, pieces, rows=rows, by_rows=by_rows)


def _plain(values: Any) -> Any:
    """Of a type that Arrow's functions take, of which few take views and none runs."""
    import pyarrow as pa
    from pyarrow import compute as pc
    from pyarrow import types

    if types.is_run_end_encoded(values.type):
        values = pc.run_end_decode(values)
    if types.is_string_view(values.type):
        values = values.cast(pa.large_string())
    if types.is_binary_view(values.type):
        values = values.cast(pa.large_binary())
    return values.cast(pa.float32()) if types.is_float16(values.type) else values


def _texts(distinct: Any) -> list[str]:
    import pyarrow as pa
    from pyarrow import types

    kind = distinct.type
    if types.is_boolean(kind):
        return distinct.cast(pa.string()).to_pylist()  # type: ignore[no-any-return]
    if types.is_floating(kind) or types.is_timestamp(kind):  # float32 has fewer digits; Python no nanoseconds
        values: Any = from_chunks(distinct) if types.is_floating(kind) else _times(distinct)
        ending = "Z" if getattr(kind, "tz", None) else ""
        return [as_text(value) + ending for value in values]
    return [as_text(value) for value in distinct.to_pylist()]


def _times(values: Any) -> np.ndarray:
    """Dates or durations, none of which is missing, in their own unit."""
    import pyarrow as pa
    from pyarrow import types

    kind = values.type
    unit = "D" if types.is_date32(kind) else getattr(kind, "unit", "ms")
    whole = from_chunks(values.cast(pa.int32() if unit == "D" else pa.int64())).astype(np.int64, copy=False)
    return whole.view(f"{'m' if types.is_duration(kind) else 'M'}8[{unit}]")


def _is_text(kind: Any) -> bool:
    from pyarrow import types

    tests = types.is_string, types.is_large_string, types.is_binary, types.is_large_binary
    return any(test(kind) for test in tests)


def _factorised(values: Any) -> tuple[np.ndarray, Any]:
    import pyarrow as pa
    from pyarrow import types

    try:
        codes, distinct = _coded(values)
    except pa.ArrowNotImplementedError as error:  # lists and structures
        raise TypeError(str(error)) from None
    return codes, distinct.dictionary_encode() if types.is_dictionary(values.type) else distinct


def _present(values: Any) -> np.ndarray:
    import pyarrow as pa
    from pyarrow import compute as pc
    from pyarrow import types

    values = _plain(values)
    there = pc.is_valid(values)
    if types.is_floating(values.type):
        there = pc.fill_null(pc.invert(pc.is_nan(values)), False)
    return from_chunks(there.cast(pa.int8())).astype(bool)


def _coded(values: Any) -> tuple[np.ndarray, Any]:
    import pyarrow as pa
    from pyarrow import compute as pc
    from pyarrow import types

    values = _plain(values)
    if types.is_dictionary(values.type):
        values = values.cast(values.type.value_type)
    if types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    if values.null_count == len(values):
        return np.full(len(values), -1, np.int64), values[:0]
    coded = pa.chunked_array([values.combine_chunks()]).unify_dictionaries().dictionary_encode()
    whole = coded.combine_chunks()
    whole = whole.chunk(0) if isinstance(whole, pa.ChunkedArray) else whole
    codes = from_chunks(pa.chunked_array([whole.indices.cast(pa.int64()).fill_null(-1)]))
    return codes, pa.chunked_array([whole.dictionary])


def _without_index(names: Sequence[str]) -> tuple[str, ...]:
    """Without what pandas calls the row numbers that it writes along with a filtered frame."""
    return tuple(name for name in names if not re.fullmatch(r"__index_level_\d+__", name))


def _open_ipc(path: Path, categorical: frozenset[str]) -> Table:
    """A file, of which a column is read batch by batch, for they may be packed; or a stream, whole."""
    import pyarrow as pa

    size = path.stat().st_size
    try:
        file = pa.ipc.open_file(pa.memory_map(str(path)))
    except pa.ArrowInvalid:
        table = pa.ipc.open_stream(pa.memory_map(str(path))).read_all()
        return _from_arrow(table, str(path), categorical, lambda: _refuse_cut(path, size))
    batches = range(file.num_record_batches)
    count = getattr(file, "count_rows", lambda: sum(file.get_batch(i).num_rows for i in batches))
    rows = count()
    if len(file.schema) and not rows:
        raise NoRows(f"{path}: the table has no rows")

    def values(name: str, most: int) -> Iterator[Any]:
        only = pa.ipc.IpcReadOptions(included_fields=[file.schema.get_field_index(name)], use_threads=False)
        column = pa.ipc.open_file(pa.memory_map(str(path)), options=only)
        some: list[Any] = []
        for i in batches:
            _refuse_cut(path, size)
            batch = column.get_batch(i).column(0)
            for first in range(0, len(batch), most):
                some.append(batch.slice(first, most))
                if sum(map(len, some)) >= most:
                    yield pa.chunked_array(some)
                    some = []
        if some:
            yield pa.chunked_array(some)

    return _table(str(path), _without_index(file.schema.names), values, categorical, rows)


def _refuse_cut(path: Path, size: int) -> None:
    """To read a mapped file beyond its end would end the process."""
    if path.stat().st_size < size:
        raise TableError(f"{path}: changed while it was read")


def _from_arrow(
    table: Any, label: str, categorical: frozenset[str], check: Callable[[], None] = lambda: None
) -> Table:
    if table.num_columns and not table.num_rows:
        raise NoRows(f"{label}: the table has no rows")

    def values(name: str, most: int) -> Iterator[Any]:
        column = table.column(name)
        for first in range(0, len(column), most):
            check()
            yield column.slice(first, most)

    return _table(label, _without_index(table.column_names), values, categorical, table.num_rows)


def _column(name: str, values: Any, categorical: bool) -> Column:
    from pyarrow import compute as pc
    from pyarrow import types

    values = _plain(values)
    rows, missing, kind = len(values), values.null_count, values.type
    if types.is_dictionary(kind):  # what pandas and polars store categories as
        tally = _tally(values)
        missing = rows - sum(tally.values())
        return Column(name, "categorical" if tally else "missing", rows, missing, tally=tally)
    if types.is_floating(kind) and not categorical:
        numbers = from_chunks(values.drop_null() if missing else values)
        if len(numbers) and np.isnan(numbers.min()):  # which no NaN escapes
            numbers = numbers[~np.isnan(numbers)]
        return Column(name, "numeric" if len(numbers) else "missing", rows, rows - len(numbers), numbers)
    if types.is_floating(kind):
        values = pc.if_else(pc.is_nan(values), None, values)
        missing = values.null_count
    if missing == rows:
        return Column(name, "missing", rows, missing)
    if missing:
        values = values.drop_null()
    if types.is_boolean(kind):
        return Column(name, "boolean", rows, missing, tally=_tally(values))
    if _is_text(kind):
        return Column(name, "categorical", rows, missing, tally=_tally(values))
    temporal = types.is_timestamp(kind) or types.is_date(kind)
    number = types.is_integer(kind) or types.is_floating(kind) or types.is_decimal(kind)
    if categorical and (number or temporal):
        return Column(name, "categorical", rows, missing, tally=_tally(values))
    if temporal or types.is_duration(kind):
        return column_of_times(name, _times(values), rows, bool(getattr(kind, "tz", None)))
    if types.is_decimal(kind):
        return Column(name, "numeric", rows, missing, from_chunks(of_decimals(values)))
    if number:
        return Column(name, "numeric", rows, missing, from_chunks(values))
    return Column(name, "unsupported", rows, missing, reason=f"values of type {kind} are not compared")


def _tally(values: Any) -> dict[str, int]:
    import pyarrow as pa

    pairs = values.value_counts()
    distinct, counts = pairs.field(0), pairs.field(1).to_pylist()
    there = distinct.is_valid().to_pylist()
    tally: dict[str, int] = {}
    for text, count, present in zip(_texts(pa.chunked_array([distinct])), counts, there, strict=True):
        if present:
            tally[text] = tally.get(text, 0) + count
    return tally
