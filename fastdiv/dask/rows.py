"""The row-wise measures of Dask arrays: a task for each chunk of rows calls the function of NumPy arrays."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from inspect import signature
from itertools import product
from typing import Any

import dask.array as da
import numpy as np

import fastdiv
from fastdiv import information
from fastdiv._checks import options as opt
from fastdiv.dask.graph import array_of, chunked, located, one_thread, own_name, starts

__all__ = ["MEASURES", "lazy"]

MEASURES = tuple(information.__all__)


def lazy(name: str) -> Callable[..., Any]:
    """The measure of that name, of Dask arrays."""
    measure = getattr(fastdiv, name)
    form = signature(measure)

    def face(*args: Any, **options: Any) -> Any:
        given = form.bind(*args, **options).arguments
        arrays = {n: chunked(given.pop(n), n) for n in ("p", "q") if given.get(n) is not None}
        given.pop("q", None)
        if given.pop("out", None) is not None:
            raise TypeError("out must not be given: what is computed later has no place yet")
        if "axis" not in form.parameters:
            return _of_chunks(measure, arrays, given, 0)
        axis, keepdims = opt.integer(given.pop("axis", -1), "axis"), given.pop("keepdims", False)
        is_stack = "q" in form.parameters and "q" not in arrays
        last = opt.stack_last if is_stack else opt.bins_last
        views = {n: last(a, n, axis) for n, a in arrays.items()}
        some = [np.ones((*v.shape[-2:-1], 2) if is_stack else 2) for v in views.values()]
        measure(*some, **given)  # refuses options now, not in every task
        rows = opt.row_shape(list(views.values()), list(views))
        result = _of_chunks(measure, views, given, 2 if is_stack else 1)
        shape = opt.result_shape(rows[:-1] if is_stack else rows, axis, keepdims, is_stack)
        return result.reshape(shape) if keepdims else result

    face.__name__ = face.__qualname__ = name
    face.__module__ = "fastdiv.dask"
    face.__doc__ = f"``fastdiv.{name}`` of Dask arrays, lazy; of the same arguments but `out`."
    face.__signature__ = form  # type: ignore[attr-defined]
    return face


def _of_chunks(measure: Any, arrays: Mapping[str, Any], options: Mapping[str, Any], core: int) -> Any:
    """The measure of arrays whose last `core` axes belong to a row, and are one chunk; rows broadcast."""
    whole = [a.rechunk(dict.fromkeys(range(a.ndim - core, a.ndim), -1)) for a in arrays.values()]
    most = max(a.ndim for a in whole) - core
    letters = [tuple(range(most - a.ndim + core, most + core)) for a in whole]
    chunks, whole = da.core.unify_chunks(*(x for pair in zip(whole, letters, strict=True) for x in pair))
    chunks = tuple(chunks[i] for i in range(most))
    name = own_name(measure.__name__, sorted(options.items()), *(a.name for a in whole))
    begins = [starts(lengths) for lengths in chunks]
    layer = {}
    for at in product(*(range(len(lengths)) for lengths in chunks)):
        # an axis of one row, or that an array has not, stands for all chunks of the others
        keys = [
            (a.name, *(at[i] if a.numblocks[j] > 1 else 0 for j, i in enumerate(of[: a.ndim - core])))
            + (0,) * core
            for a, of in zip(whole, letters, strict=True)
        ]
        first = tuple(start[i] for start, i in zip(begins, at, strict=True))
        layer[name, *at] = (partial(_scored, measure, dict(options), first), *keys)
    return array_of(name, layer, whole, chunks, opt.result_dtype(*whole))


def _scored(measure: Any, options: Mapping[str, Any], first: tuple[int, ...], *arrays: np.ndarray) -> Any:
    where = first[0] if len(first) == 1 else first
    with one_thread(), located(**dict.fromkeys(("p", "q")[: len(arrays)], where)):
        return np.asarray(measure(*arrays, **options))
