"""The door: array-likes come in here, and errors about data go out.

Kernels never raise. They return NaN for a row they cannot score; the functions here look at those rows
afterwards, and only at those, to say what was wrong with them.

Nothing is imported to ask a question: an array of a library's own kind exists only where that library has
been imported, so ``sys.modules`` knows.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Set
from contextlib import suppress
from datetime import date, timedelta
from typing import Any

import numpy as np

from fastdiv._checks.bins import binned, bins_of, counts_of
from fastdiv._checks.foreign import array_of, opened, takes_arrow

__all__ = ["as_exact_numbers", "as_numbers", "is_sparse", "known_chunks", "same_chunks", "same_labels"]

PLACES = ("support", "bin_edges")  # where bins are: an entry left out takes a mass with it


def _classes(module: str, *names: str) -> Any:
    """The classes of a module that may or may not have been imported."""
    found = (getattr(sys.modules.get(module), name, None) for name in names)
    return tuple(c for c in found if isinstance(c, type))


# --- numbers -------------------------------------------------------------------------------------------


def as_numbers(values: Any, name: str) -> np.ndarray:
    """``values`` as a real-valued array (bool, integer or float of at most 64 bits); no copy where possible.

    Raises
    ------
    TypeError
        For objects, strings, dates, complex and long double, mappings, sparse matrices, for masked arrays
        with a masked entry, and for what lies on a GPU or is computed later.
    ValueError
        For ragged nested sequences.
    """
    return _numbers(_opened(values, name), name, values)


def _opened(values: Any, name: str) -> Any:
    return values if type(values) is np.ndarray else opened(_unwrapped(values, name), name)


def _numbers(values: Any, name: str, given: Any) -> np.ndarray:
    """As `as_numbers`, of what has been opened; errors speak of what was `given`."""
    try:
        array = values if type(values) is np.ndarray else array_of(values, name)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array: {error}") from None
    if array.dtype.kind not in "biuf":
        raise TypeError(
            f"{name} has dtype {array.dtype}, but real numbers are needed (bool, integer or float)"
            + _hint(given, array, name)
        )
    if array.dtype.itemsize > 8:
        raise TypeError(
            f"{name} has dtype {array.dtype}, which is not computed in; cast it explicitly, "
            f"for example {name}.astype(float)"
        )
    return array


def as_exact_numbers(values: Any, name: str) -> np.ndarray:
    """As `as_numbers`, of values whose differences count: none is rounded on the way in without a word.

    Lists and tables become float64 where integers stand beside fractions, missing values or, in NumPy, one
    beyond 2^63. An array has its dtype already.
    """
    given, values = values, _opened(values, name)
    array = _numbers(values, name, given)
    if array.dtype != np.float64 or isinstance(getattr(values, "dtype", None), np.dtype) or not array.size:
        return array
    with np.errstate(invalid="ignore"):
        big = np.abs(array) >= 2.0**53  # 2^53 + 1 has become 2^53
    given = _objects(values) if big.any() else array
    if given is array or given.shape != array.shape:
        return array
    whole = _as_integers(given)
    if whole is not None:
        return whole
    for place in np.argwhere(big):
        x = given[tuple(place)]
        if isinstance(x, (int, np.integer)) and int(float(x)) != int(x):
            raise ValueError(
                f"{name}[{', '.join(map(str, place))}] = {x} would be rounded: an integer beyond 2^53 beside "
                "fractions, missing values or one that 64 bits do not hold with it; leave those out, or pass "
                f"np.asarray({name}, float)"
            )
    return array


def _as_integers(objects: np.ndarray) -> np.ndarray | None:
    """Objects as int64 or uint64, if all are integers and one of the two holds them."""
    if not all(isinstance(x, (int, np.integer)) for x in objects.flat) or not objects.size:
        return None
    low, high = min(map(int, objects.flat)), max(map(int, objects.flat))
    for dtype in (np.int64, np.uint64):
        if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
            return objects.astype(dtype)
    return None


def _objects(values: Any) -> np.ndarray:
    """The entries of a list or a table as they are."""
    if hasattr(values, "to_pylist") and hasattr(values, "columns"):  # Arrow
        return np.array([column.to_pylist() for column in values.columns], object).T
    listed = getattr(values, "to_pylist", None) or getattr(values, "to_list", None)
    if listed:
        return np.array(listed(), object)
    if hasattr(values, "rows") and hasattr(values, "columns"):  # polars
        return np.array(values.rows(), object)
    return np.asarray(values.astype(object) if hasattr(values, "astype") else values, object)


def _unwrapped(values: Any, name: str) -> Any:
    """Masked arrays without a masked entry as plain ones; what only looks like an array is refused."""
    masked = _classes("numpy.ma", "MaskedArray")
    if masked:
        if isinstance(values, masked):
            if np.ma.is_masked(values):
                raise TypeError(
                    f"{name} has masked entries, which have no value here; {_unmask(values, name)}"
                )
            return values.data
        if isinstance(values, (list, tuple)):
            for part in values:
                if isinstance(part, masked) and np.ma.is_masked(part):
                    raise TypeError(f"{name} has masked entries, which have no value here; pass them without")
    if isinstance(values, Mapping):
        if hasattr(values, "to_dataarray"):  # xarray
            raise TypeError(
                f"{name} is a {type(values).__name__}, which has several arrays: pass one of them, or "
                f"{name}.to_dataarray()"
            )
        if name.endswith("_values"):  # as Counter has them
            raise TypeError(
                f"{name} is a {type(values).__name__}; pass list({name}) and, if it maps values to weights, "
                f"{name.replace('_values', '_weights')}=list({name}.values())"
            )
        raise TypeError(
            f"{name} is a {type(values).__name__}, whose keys say which bin is which; put all in one order "
            f"of keys and pass the values, for example [{name}.get(key, 0) for key in keys]"
        )
    if binned(values):
        return counts_of(values, name)
    if isinstance(values, (list, tuple)) and values and binned(values[0]):
        return [counts_of(row, f"{name}[{i}]") if binned(row) else row for i, row in enumerate(values)]
    if is_sparse(values):
        raise TypeError(
            f"{name} is a {type(values).__name__}, but a dense array is needed here; pass {name}.toarray() "
            "(cdist, pdist and knn take sparse rows of masses as they are)"
        )
    return values


def is_sparse(values: Any) -> bool:
    """Whether it is one of SciPy's sparse matrices or arrays."""
    return type(values).__module__.startswith("scipy.sparse") and hasattr(values, "toarray")


def _unmask(values: Any, name: str) -> str:
    """What to do about masked entries, so that what is left stays in its place."""
    if name.endswith("weights"):
        return f"pass {name}.filled(0)"
    if name in PLACES:
        return "leave those places out, and their masses"
    if values.ndim == 1 and name.endswith("values"):
        return f"pass {name}.compressed()"
    return f"pass {name}.astype(float).filled(np.nan), where they count as missing"


def _hint(values: Any, array: np.ndarray, name: str) -> str:
    """What would make numbers of an array that holds none."""
    dtype: Any = getattr(values, "dtype", None)
    if array.dtype.kind in "Mm":
        made_by = f"np.asarray({name})"
        if not hasattr(values, "__array__") and takes_arrow(values):
            made_by = f"np.asarray(pyarrow.{'table' if array.ndim == 2 else 'chunked_array'}({name}))"
        return _hint_for_times(array, made_by, name)
    kind = str(getattr(dtype, "name", dtype))
    categories = ""
    if hasattr(values, "value_counts") and kind.startswith(("str", "cat", "Str", "Cat", "Enum")):
        categories = f"; categories have no place on a line: count them, as {name}.value_counts() does"
    if array.dtype.kind != "O":
        return categories
    if kind.startswith("period"):
        return f'; periods have numbers, {name}.astype("int64"), that count them'
    if kind.startswith("interval"):
        middle = f"{name}.{'array.' * hasattr(values, 'array')}mid"
        return f"; an interval is no number: pass {middle}, or count them and pass the masses and bin_edges"
    if getattr(dtype, "tz", None) is not None and hasattr(
        values, "to_numpy"
    ):  # times of pandas in a time zone
        unit = f"M8[{dtype.unit}]"
        return _hint_for_times(values.to_numpy(unit), f'{name}.to_numpy("{unit}")', name)
    if array.ndim == 0 and isinstance(values, Set):
        return f"; {name} is a {type(values).__name__}, which keeps neither order nor repeats: pass a list"
    if array.ndim == 0 and hasattr(values, "__iter__"):
        return f"; {name} is a {type(values).__name__}, pass list({name})"
    first = array.flat[0] if array.size else None
    if isinstance(first, Mapping) and array.ndim == 1:
        return (
            f"; its entries are of class {type(first).__name__}, whose keys say which bin is which: put all "
            f"in one order of keys, for example [[row.get(key, 0) for key in keys] for row in {name}]"
        )
    if is_sparse(first):
        return f"; its entries are sparse: pass scipy.sparse.vstack({name}).toarray()"
    for to, what in (("m8[us]", timedelta), ("M8[us]", date)):
        if isinstance(first, what) and not getattr(first, "tzinfo", None):
            with suppress(TypeError, ValueError):
                return _hint_for_times(np.asarray(values, to), f'np.asarray({name}, "{to}")', name)
    whole = _as_integers(array)
    if whole is not None:
        return f"; for example np.asarray({name}, {str(whole.dtype)!r})"
    with suppress(TypeError, ValueError, OverflowError):
        np.asarray(values, float)
        return f"; for example np.asarray({name}, float)"
    with suppress(AttributeError, TypeError, ValueError):  # of pandas, with NA in it
        values.to_numpy(float, na_value=np.nan)
        return f"; for example {name}.to_numpy(float, na_value=np.nan)"
    if categories:
        return categories
    if not hasattr(values, "__len__"):
        return f"; {name} is of class {type(values).__name__}"
    return "; convert it to a numeric dtype first"


def _hint_for_times(array: np.ndarray, made_by: str, name: str) -> str:
    """Counts of the unit are exact; NaT, the least int64, is cut out or, where that moves others, is NaN."""
    unit, step = np.datetime_data(array.dtype)
    counts = f", counts of {unit if step == 1 else f'{step} {unit}'}"
    if not np.isnat(array).any():
        return f'; for exact differences pass {made_by}.astype("int64"){counts}'
    if array.ndim == 1 and (name.endswith("values") or name in PLACES):
        return (
            "; there are missing times (NaT): leave them out, and for exact differences pass "
            f'x[~np.isnat(x)].astype("int64"){counts}, with x = {made_by}'
        )
    return (
        "; there are missing times (NaT), which count as missing in "
        f'np.where(np.isnat(x), np.nan, x.astype("int64")){counts}, with x = {made_by}'
    )


# --- labels --------------------------------------------------------------------------------------------


def _labels(array: Any, name: str) -> list[Any] | None:
    """The labels of each axis of a table of pandas, polars, Arrow or xarray, None for an axis without."""
    if array is None or type(array) is np.ndarray:
        return None
    if binned(array):
        bins = bins_of(array, name)
        return None if bins.are_edges else [bins.places]
    if isinstance(array, (list, tuple)):
        return _labels_of_list(array, name)
    if isinstance(array, _classes("pandas", "Series")):
        return [array.index]
    if isinstance(array, _classes("pandas", "DataFrame")):
        return [array.index, array.columns]
    if isinstance(array, _classes("polars", "DataFrame")):
        return [None, array.columns]
    if isinstance(array, _classes("pyarrow", "Table", "RecordBatch")):
        return [None, array.schema.names]
    if isinstance(array, _classes("xarray", "DataArray")):
        return [array.indexes.get(dimension) for dimension in array.dims]
    if takes_arrow(array) and not hasattr(array, "__array__"):  # DuckDB's relations, readers of batches
        names = getattr(array, "columns", None) or getattr(getattr(array, "schema", None), "names", None)
        return [None, names] if isinstance(names, list) else None
    return None


def _labels_of_list(rows: Any, name: str) -> list[Any] | None:
    """Of Series as the rows of a list, which must agree among themselves; samples are in no order."""
    series = _classes("pandas", "Series")
    if not series or not rows or not isinstance(rows[0], series) or name.endswith(("values", "weights")):
        return None
    index = rows[0].index
    for i, row in enumerate(rows):
        if isinstance(row, series) and not _equal(index, row.index):
            raise ValueError(
                f"{name}[0] and {name}[{i}] have labels that differ ({_difference(index, row.index)}), but "
                "are compared by place; align them first, for example "
                + _reindexed_list(name, f"{name}[0].index")
            )
    return [None, index]


def _reindexed_list(name: str, index: str) -> str:
    return f"{name} = [row.reindex({index}, fill_value=0) for row in {name}]"


def _equal(x: Any, y: Any) -> bool:
    if isinstance(x, list) or isinstance(y, list):
        return list(x) == list(y)
    return bool(x.equals(y))


def same_labels(arrays: dict[str, Any], axis: int = -1, *, rows: bool = False, entries: bool = True) -> None:
    """Raise ``ValueError`` where labels along `axis` differ: entries are matched by place, never by label.

    Arrays without labels match any. A one-dimensional array has its labels on the one axis it has. With
    `rows` the labels of the other axis of tables must agree as well, if there are two rows or more in both;
    with ``entries=False`` only those.
    """
    kept: dict[bool, tuple[str, Any, int]] = {}
    for name, array in arrays.items():
        labels = _labels(array, name)
        if not labels or (len(labels) > 1 and not -len(labels) <= axis < len(labels)):
            continue
        bins = axis % len(labels)
        parts = [(True, bins)] if entries else []
        if rows and len(labels) == 2 and labels[1 - bins] is not None and len(labels[1 - bins]) > 1:
            parts.append((False, 1 - bins))
        for on_axis, where in parts:
            if labels[where] is None:
                continue
            first, known, there = kept.setdefault(on_axis, (name, labels[where], where))
            if not _equal(known, labels[where]):
                how = _how_to_align(first, arrays[first], there, name, array, where, on_axis)
                raise ValueError(
                    f"{first} and {name} have {'' if on_axis else 'row '}labels that differ "
                    f"({_difference(known, labels[where])}), but are compared by place; align them first, "
                    f"for example {how}, or pass .to_numpy() of both"
                )


def _difference(x: Any, y: Any) -> str:
    if len(x) != len(y):
        return f"{len(x)} of them against {len(y)}"
    i = next((i for i, (a, b) in enumerate(zip(x, y, strict=True)) if a != b), 0)
    a, b = (_plain(v) for v in (x[i], y[i]))
    return f"number {i} is {a!r} and {b!r}"


def _plain(label: Any) -> Any:
    if isinstance(label, tuple):
        return tuple(map(_plain, label))
    return label.item() if isinstance(label, np.generic) else label


def _how_to_align(p: str, known: Any, there: int, q: str, array: Any, where: int, bins: bool) -> str:
    """In the words of the library; a bin that one lacks has no mass there, but a weight or a place cannot be
    made up."""
    index = f"{p}.{'columns' if there == 1 and hasattr(known, 'columns') else 'index'}"
    if binned(array):
        return f"{p} = {p}.reindex(list({q}.axes[0]), fill_value=0)"
    if binned(known):
        index = f"list({p}.axes[0])"
    elif isinstance(known, (list, tuple)):
        index = f"{p}[0].index"
    elif hasattr(known, "schema") and hasattr(known, "to_pylist"):  # Arrow
        index = f"{p}.schema.names"
    if isinstance(array, (list, tuple)):
        return _reindexed_list(q, index)
    if hasattr(array, "select") and not hasattr(array, "__array__"):  # DuckDB
        return f"{q} = {q}.select(*{index})"
    if hasattr(array, "select") and not hasattr(array, "reindex"):  # polars, Arrow
        return f"{q} = {q}.select({index if type(known) is type(array) else f'list({index})'})"
    if hasattr(array, "dims"):
        return f"{q} = {q}.reindex_like({p})"
    ndim = getattr(array, "ndim", 1)
    weights = q.split("[")[0].endswith(("weights", "support"))
    if bins and type(known) is type(array) and not weights:
        return f"{p}, {q} = {p}.align({q}, {f'axis={there}, ' if ndim == 2 else ''}fill_value=0)"
    return f"{q} = {q}.reindex({'columns=' if ndim == 2 and where == 1 else ''}{index})"


# --- arrays that are computed later --------------------------------------------------------------------


def known_chunks(array: Any, name: str, axis: int) -> None:
    """Raise for a Dask array whose lengths are unknown, or that cuts `axis`, which is summed over."""
    chunks = getattr(array, "chunks", None)
    if not isinstance(chunks, tuple) or not all(isinstance(lengths, tuple) for lengths in chunks):
        return
    if any(n != n for lengths in chunks for n in lengths):
        raise ValueError(
            f"{name} has chunks of unknown length; call {name}.compute_chunk_sizes() first, "
            "or make it from arrays of known shape"
        )
    if -len(chunks) <= axis < len(chunks) and len(chunks[axis]) > 1:
        raise ValueError(
            f"{name} is cut into {len(chunks[axis])} chunks along axis {axis}, where one is needed; "
            f"pass {name}.rechunk({{{axis}: -1}})"
        )


def same_chunks(arrays: dict[str, Any], axis: int) -> None:
    """Raise where rows are cut at other places: rows that belong together share a chunk.

    An array in memory is one chunk.
    """
    seen: dict[int, tuple[str, int, tuple[int, ...]]] = {}
    for name, array in sorted(arrays.items(), key=lambda item: isinstance(item[1], np.ndarray)):
        chunks = getattr(array, "chunks", [(n,) for n in array.shape])
        if not -len(chunks) <= axis < len(chunks):
            continue
        rows = [i for i in range(len(chunks)) if i != axis % len(chunks)]
        for place, i in enumerate(reversed(rows)):  # rows broadcast from the last axis on
            if sum(chunks[i]) == 1:
                continue
            first, there, known = seen.setdefault(place, (name, i, chunks[i]))
            if known == chunks[i] or sum(known) != sum(chunks[i]):
                continue
            cut = f"{{{i}: {first}.chunks[{there}]}}"
            if isinstance(array, np.ndarray):
                raise ValueError(
                    f"{first} is cut into {len(known)} chunks of rows, but {name} is in memory in one piece; "
                    f"pass dask.array.from_array({name}, chunks={cut})"
                )
            raise ValueError(
                f"{first} and {name} have chunks of other lengths ({_ends(known)} against {_ends(chunks[i])} "
                f"rows), where rows of the same place must be in the same chunk; pass {name}.rechunk({cut})"
            )


def _ends(lengths: tuple[int, ...]) -> str:
    return str(lengths) if len(lengths) <= 4 else f"({lengths[0]}, {lengths[1]}, ..., {lengths[-1]})"
