"""How arguments become Dask arrays, and what tasks have in common: one thread, rows that errors find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from itertools import accumulate
from typing import Any, TypeVar

import dask.array as da
import numpy as np
from dask.base import tokenize
from dask.highlevelgraph import HighLevelGraph

from fastdiv import _core
from fastdiv._checks.arrays import as_numbers, known_chunks

__all__ = ["array_of", "chunked", "located", "one_thread", "own_name", "starts", "tree"]

T = TypeVar("T")
_FAN = 8  # how many parts are made one at a time


def chunked(values: Any, name: str, door: Callable[[Any, str], np.ndarray] = as_numbers) -> Any:
    """A Dask array of NumPy's real numbers, of known size; what is in memory is one chunk."""
    if not isinstance(values, da.Array):
        if hasattr(values, "to_dask_array"):
            raise TypeError(
                f"{name} must be an array, not a Dask {type(values).__name__}: pass "
                f"{name}.to_dask_array(lengths=True)"
            )
        array = door(values, name)
        return da.from_array(array, chunks=array.shape)
    kind = type(values._meta)
    if kind is not np.ndarray:
        way = f": pass {name}.map_blocks(lambda x: x.toarray())" if hasattr(kind, "toarray") else ""
        raise TypeError(f"{name} must have chunks that are NumPy arrays, not {kind.__name__}{way}")
    door(values._meta, name)  # refuses dtypes
    if any(n != n for n in values.shape):
        known_chunks(values, name, -1)
    return values


def own_name(what: str, *inputs: Any) -> str:
    return f"fastdiv-{what}-{tokenize(what, *inputs)}"


def array_of(
    name: str, layer: Mapping[Any, Any], of: Sequence[Any], chunks: Any, dtype: np.dtype[Any]
) -> Any:
    """The Dask array whose chunks the tasks of `layer` compute from the arrays `of`."""
    graph = HighLevelGraph.from_collections(name, layer, dependencies=of)
    return da.Array(graph, name, chunks, dtype=dtype)


def starts(lengths: Sequence[int]) -> tuple[int, ...]:
    """Where each chunk of an axis begins."""
    return (0, *accumulate(lengths))[:-1]


def tree(parts: Sequence[T], join: Callable[[list[T]], T]) -> T:
    """One of many, some at a time."""
    level = list(parts)
    while len(level) > 1:
        level = [join(level[i : i + _FAN]) for i in range(0, len(level), _FAN)]
    return level[0]


@contextmanager
def one_thread(n: int = 1) -> Iterator[None]:
    """OpenMP's number for the thread of this task alone: its worker has others."""
    before = _core.openmp_here(n)
    try:
        yield
    finally:
        _core.openmp_here(before)


@contextmanager
def located(**first: Any) -> Iterator[None]:
    """Errors speak of rows of a chunk; they say where in the whole that begins."""
    try:
        yield
    except (ValueError, TypeError) as error:
        later = [f"{name} begins at row {row}" for name, row in first.items() if np.any(row)]
        if not later:
            raise
        raise type(error)(f"{error} (in a chunk: {', '.join(later)} there)") from None
