"""Results with the labels of their rows: a frame in, a Series or a frame out; an array in, an array out.

Rows have labels in pandas (the index; along ``axis=0`` the columns) and in xarray (dimensions and
coordinates); polars has none, and gets a Series. The labels are those of the first argument that has as many
rows as the result.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from typing import Any

import numpy as np

__all__ = ["labels_of", "of_elements", "of_matrix", "of_neighbours", "of_rows"]

_PLAIN = (np.ndarray, list, tuple, type(None), float, int)


def _library(table: Any) -> str:
    """Which of the three libraries it is of, if it is a table or an array of labels."""
    for library, names in (("pandas", ("DataFrame", "Series")), ("polars", ("DataFrame", "Series"))):
        found = sys.modules.get(library)
        if found is not None and isinstance(table, tuple(getattr(found, name) for name in names)):
            return library
    found = sys.modules.get("xarray")
    return "xarray" if found is not None and isinstance(table, found.DataArray) else ""


def of_rows(values: Any, arrays: Iterable[Any], axis: int, name: str, *, stack: bool = False) -> Any:
    """`values` of rows of `arrays`, of which `axis` (of a `stack` the one before it, too) is gone."""
    for array in arrays:
        if type(array) in _PLAIN or not (library := _library(array)):
            continue
        ndim = len(array.shape)
        gone = {axis % ndim, (-2 if axis in (-1, ndim - 1) else -1) % ndim} if stack else {axis % ndim}
        kept = [i for i in range(ndim) if i not in gone]
        if kept and np.shape(values) == tuple(array.shape[i] for i in kept):
            return _with(values, array, library, kept, name)
    return values


def of_elements(values: Any, array: Any, name: str) -> Any:
    """`values`, one for each entry of `array`."""
    if type(array) in _PLAIN or not (library := _library(array)):
        return values
    return _with(values, array, library, list(range(len(array.shape))), name)


def _with(values: Any, array: Any, library: str, kept: list[int], name: str) -> Any:
    module = sys.modules[library]
    if library == "xarray":
        dims = [array.dims[i] for i in kept]
        coords = {k: c for k, c in array.coords.items() if set(c.dims) <= set(dims)}
        return module.DataArray(values, coords, dims, name=name)
    if library == "polars":
        if len(kept) == 2:
            return module.DataFrame(values, schema=array.columns, orient="row")
        if kept == [1]:  # of columns: one row, as of the frame's own means
            return module.DataFrame(values[None], schema=array.columns, orient="row")
        return module.Series(name if len(array.shape) == 2 else array.name, values)
    axes = array.axes
    if len(kept) == 2:
        return module.DataFrame(values, axes[0], axes[1])
    return module.Series(values, axes[kept[0]], name=name if len(axes) == 2 else array.name)


def _names(table: Any) -> Any:
    """The labels of a table's rows, pandas' or a dimension with its coordinates; None of what has none."""
    library = "" if type(table) in _PLAIN else _library(table)
    if len(getattr(table, "shape", ())) != 2 or library not in ("pandas", "xarray"):
        return None
    if library == "pandas":
        return table.index
    return table.isel({table.dims[1]: 0}, drop=True)


def of_matrix(values: np.ndarray, XA: Any, XB: Any) -> Any:
    """`values` of pairs of rows."""
    if type(XA) in _PLAIN and type(XB) in _PLAIN:
        return values
    a, b = _names(XA), _names(XB)
    if a is None and b is None:
        return values
    if hasattr(a, "dims") or hasattr(b, "dims"):
        return _of_arrays(values, a, b)
    rows, columns = (range(n) if x is None else x for x, n in zip((a, b), values.shape, strict=True))
    return sys.modules["pandas"].DataFrame(values, rows, columns)


def _of_arrays(values: np.ndarray, a: Any, b: Any, otherwise: tuple[str, str] = ("row", "row_b")) -> Any:
    """A matrix of xarray. What belongs to `b` has _b appended where both dimensions have one name."""
    dims: list[str] = []
    coords: dict[str, Any] = {}
    for rows, dim in zip((a, b), otherwise, strict=True):
        if not hasattr(rows, "dims"):
            dims.append(dim)
            coords |= {} if rows is None else {dim: np.asarray(rows)}
            continue
        (own,) = rows.dims
        end = "_b" if own in dims else ""
        dims.append(f"{own}{end}")
        coords |= {f"{k}{end}": (dims[-1], c.values) for k, c in rows.coords.items() if c.dims}
    return sys.modules["xarray"].DataArray(values, coords, dims)


def labels_of(table: Any) -> Any:
    """The labels of a table's rows as one array of objects; None of what has none."""
    names = _names(table)
    if hasattr(names, "dims"):
        names = names.indexes.get(names.dims[0])
    return None if names is None else np.asarray(names, object)


def of_neighbours(found: tuple[np.ndarray, np.ndarray], XA: Any, labels: np.ndarray) -> tuple[Any, Any]:
    """Distances and, in place of their rows' numbers, the neighbours' `labels`; rows are those of `XA`."""
    distances, neighbours = found[0], labels[found[1]]
    rows = _names(XA)
    if rows is None:
        return distances, neighbours
    if hasattr(rows, "dims"):
        dims = "row", "neighbour"
        return _of_arrays(distances, rows, None, dims), _of_arrays(neighbours, rows, None, dims)
    frame = sys.modules["pandas"].DataFrame
    return frame(distances, rows), frame(neighbours, rows).infer_objects()
