"""What other libraries hold, as arrays of NumPy: by the protocols that they share, not library by library.

``__array__`` first; then Arrow's C data interface (``__arrow_c_stream__``, ``__arrow_c_array__``), read by
pyarrow, which also makes numbers of columns that may have missing entries; then DLPack. A table is a
matrix, its columns along the last axis; what is missing is NaN. What lies on a GPU or is computed later is
refused, with the call that brings it here.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = [
    "CAPSULES",
    "array_of",
    "from_arrow",
    "from_chunks",
    "is_elsewhere",
    "later",
    "numbers_of",
    "of_decimals",
    "opened",
    "plain",
    "takes_arrow",
]

CAPSULES = ("__arrow_c_stream__", "__arrow_c_array__")
_IN_MEMORY = (1, 3, 11, 13)  # DLPack's devices that a CPU can read: itself, pinned and managed memory
_DEVICES = {2: "CUDA", 8: "Metal", 10: "ROCm", 14: "oneAPI"}


def takes_arrow(values: Any) -> bool:
    """Whether Arrow's C data interface is the way in."""
    return any(hasattr(values, capsule) for capsule in CAPSULES)


def is_elsewhere(values: Any) -> bool:
    """Whether it says, by DLPack, that a CPU cannot read it."""
    device = getattr(values, "__dlpack_device__", None)
    if device is None or isinstance(values, type):
        return False
    try:
        return device()[0] not in _IN_MEMORY
    except Exception:  # PyTorch's tensors without data
        return False


def later(values: Any) -> str:
    """The method that computes what is lazy: of Dask's collections, or what they are in, and lazy frames."""
    graph = getattr(values, "__dask_graph__", None)
    if callable(graph) and not isinstance(values, type) and graph() is not None:
        return "compute"
    held = any(hasattr(values, way) for way in ("__array__", "__dlpack__", *CAPSULES))
    return "" if held else next((call for call in ("collect", "compute") if hasattr(values, call)), "")


def opened(values: Any, name: str) -> Any:
    """Arrow data of any library as pyarrow's, once: a stream may not be there a second time.

    What turns itself into an array is left to do so.
    """
    call = later(values)
    if call:
        way = ", or take the function of fastdiv.dask" * type(values).__module__.startswith("dask")
        raise TypeError(f"{name} is a {_kind(values)}, which is computed later: pass {name}.{call}(){way}")
    if hasattr(values, "__array__") or not takes_arrow(values):
        return values
    try:
        return _pyarrow(values, name)
    except (ValueError, NotImplementedError) as error:
        raise TypeError(f"{name} is a {_kind(values)} that Arrow cannot read: {error}") from None


def array_of(values: Any, name: str) -> np.ndarray:
    """`values` as an array; what NumPy holds as objects as numbers, if Arrow knows them as such."""
    array = plain(values, name)
    if array.dtype.kind == "O" and array.ndim and not _has_objects(values):
        found = from_arrow(values, name)
        return array if found is None else found
    return array


def plain(values: Any, name: str) -> np.ndarray:
    """`values` as NumPy, or DLPack, makes an array of them."""
    if hasattr(values, "__dlpack__") and not hasattr(values, "__array__") and not is_elsewhere(values):
        try:
            return np.from_dlpack(values)
        except (TypeError, RuntimeError, BufferError, ValueError) as error:
            raise TypeError(f"{name} is a {_kind(values)} that NumPy cannot read: {error}") from None
    try:
        if is_elsewhere(values) and not hasattr(values, "__array__"):
            raise TypeError
        return np.asarray(values)
    except (TypeError, RuntimeError, BufferError) as error:
        if not hasattr(values, "__dlpack__"):  # no tensor: its own error
            raise
        raise TypeError(_refusal(values, name, error)) from None


def _refusal(values: Any, name: str, error: Exception) -> str:
    """What to do about an array that does not become one of NumPy."""
    if is_elsewhere(values):
        kind, number = values.__dlpack_device__()
        call = next((call for call in ("cpu", "get") if hasattr(values, call)), "")
        way = f"{name}.{call}()" if call else "a copy on the CPU"
        where = f"{_DEVICES.get(int(kind), f'DLPack {int(kind)}')} device {int(number)}"
        return f"{name} must be in memory that a CPU reads, not on {where}: pass {way}"
    if getattr(values, "requires_grad", False):
        return (
            f"{name} must be a tensor that asks for no gradient, for autograd does not see this: "
            f"pass {name}.detach(), or take the function of fastdiv.torch"
        )
    return f"{name} is a {_kind(values)} that NumPy cannot read: {error}"


def _kind(values: Any) -> str:
    library = type(values).__module__.split(".")[0]
    return f"{library} {type(values).__name__}" if library == "dask" else type(values).__name__


def _has_objects(values: Any) -> bool:
    """Whether it holds Python's objects, of which Arrow would guess what they are."""
    each = [values.dtype] if hasattr(values, "dtype") else list(getattr(values, "dtypes", ()))
    return any(isinstance(dtype, np.dtype) and dtype.kind == "O" for dtype in each)


# --- Arrow ---------------------------------------------------------------------------------------------


def _pyarrow(values: Any, name: str) -> Any:
    """A chunked array of pyarrow, or a table."""
    try:
        import pyarrow as pa
    except ImportError:
        raise TypeError(
            f"{name} is a {_kind(values)}, whose Arrow data pyarrow reads: pip install 'fastdiv[parquet]'"
        ) from None
    if isinstance(values, (pa.Table, pa.ChunkedArray)):
        return values
    if isinstance(values, pa.RecordBatch):
        return pa.Table.from_batches([values])
    if hasattr(values, "__arrow_c_stream__"):
        chunked = pa.chunked_array(values)
    else:
        chunked = pa.chunked_array([pa.array(values)])
    if not pa.types.is_struct(chunked.type):
        return chunked
    schema = pa.schema(list(chunked.type))
    return pa.Table.from_batches([pa.RecordBatch.from_struct_array(c) for c in chunked.chunks], schema)


def from_arrow(values: Any, name: str) -> np.ndarray | None:
    """The numbers of something that Arrow reads, NaN where they are missing; None where it holds others."""
    if not takes_arrow(values) and not hasattr(values, "__arrow_array__"):
        return None
    width = None
    if hasattr(values, "set_axis") and hasattr(
        values, "columns"
    ):  # pandas: names may repeat; behind, the index
        width = len(values.columns)
        values = values.set_axis([f"{i}" for i in range(width)], axis=1)
    try:
        held = _pyarrow(values, name)
    except (ImportError, TypeError, ValueError, NotImplementedError, OverflowError):
        return None
    if not hasattr(held, "columns"):
        return numbers_of(held)
    columns = [numbers_of(column) for column in held.columns[:width]]
    if not columns or any(column is None for column in columns):
        return None
    return np.stack([c for c in columns if c is not None], axis=1)


def numbers_of(column: Any) -> np.ndarray | None:
    """A chunked array of Arrow as numbers: integers and floats of their width, decimals as float64.

    Those that are whole by their type, as DuckDB's sums are, are int64 where all fit.
    """
    import pyarrow as pa
    from pyarrow import compute as pc
    from pyarrow import types

    kind = column.type
    if types.is_run_end_encoded(kind):
        column = pc.run_end_decode(column)
    elif types.is_dictionary(kind) and types.is_primitive(kind.value_type):
        column = column.cast(kind.value_type)
    kind = column.type
    if types.is_decimal(kind):
        try:
            column = column.cast(pa.int64()) if kind.scale <= 0 else of_decimals(column)
        except pa.ArrowInvalid:  # beyond it
            column = of_decimals(column)
    elif types.is_boolean(kind):
        column = column.cast(pa.uint8())
    elif types.is_float16(kind) and column.null_count:
        column = column.cast(pa.float32())
    elif types.is_null(kind):
        column = column.cast(pa.float64())
    elif not (types.is_integer(kind) or types.is_floating(kind)):
        return None
    if column.null_count:
        if not types.is_floating(column.type):
            column = column.cast(pa.float64(), safe=False)
        column = pc.fill_null(column, pa.scalar(np.nan, column.type))
    array = from_chunks(column)
    return array.view(bool) if types.is_boolean(kind) and array.dtype == np.uint8 else array


def of_decimals(column: Any) -> Any:
    """Decimals as float64, each correctly rounded.

    Arrow's own cast multiplies by a rounded power of ten: of 57/100 it makes the double after the nearest.
    """
    import pyarrow as pa

    return column.cast(pa.string()).cast(pa.float64())


def from_chunks(column: Any) -> np.ndarray:
    """The values of a chunked array of numbers without missing ones; a view, where it is one chunk.

    Its to_numpy() would import pandas where that is installed.
    """
    arrays = [np.from_dlpack(chunk) for chunk in column.chunks]
    if not arrays:
        return np.empty(0, np.dtype(column.type.to_pandas_dtype()))
    return arrays[0] if len(arrays) == 1 else np.concatenate(arrays)
