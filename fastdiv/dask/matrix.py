"""Many rows against many, in chunks: a task for each pair of chunks, and a tree of the nearest of each."""

from __future__ import annotations

from functools import partial
from math import isqrt
from operator import itemgetter
from typing import Any

import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_exact_numbers, as_numbers
from fastdiv.dask.graph import array_of, chunked, located, one_thread, own_name, starts, tree
from fastdiv.matrix.fill import Job
from fastdiv.matrix.metric import Task, threads
from fastdiv.matrix.neighbours import Search, nearest_of

__all__ = ["cdist", "knn", "pdist"]

# a chunk of results has at most this many bytes, as Dask's own chunks have
_MOST = 1 << 27


def cdist(XA: Any, XB: Any, metric: str = "js_distance", *, workers: int = 1, **metric_options: Any) -> Any:
    r"""Every row of `XA` compared with every row of `XB`: ``fastdiv.cdist`` of Dask arrays, lazy.

    Parameters
    ----------
    XA, XB : dask.array.Array or array_like
        Two-dimensional, one distribution (or sample) a row. Chunks along the bins become one; those along the
        rows stay, but where a pair of them would have more than 128 MB of results. Where `XB` is `XA` and the
        metric symmetric, half is computed.
    metric : str
        As for ``fastdiv.cdist``.
    workers : int, default 1
        Threads of a task.
    **metric_options
        As for ``fastdiv.cdist``.

    Returns
    -------
    dask.array.Array
        Of shape (rows of `XA`, rows of `XB`) and in chunks of both, with the bits of ``fastdiv.cdist``.

    Raises
    ------
    ValueError
        Shapes that do not fit, chunks of unknown length, an unknown metric or an option out of range: now. A
        negative or infinite mass: when it is computed.
    TypeError
        Chunks that are no NumPy arrays of real numbers, an option that the metric does not take.

    Notes
    -----
    O(N M n) time for N rows against M of n bins. A task has a pair of chunks and its results in memory.

    Examples
    --------
    >>> import dask.array as da
    >>> import fastdiv.dask
    >>> X = da.from_array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], chunks=(2, 2))
    >>> fastdiv.dask.cdist(X, X[:1], "total_variation").compute()
    array([[0. ],
           [0.5],
           [1. ]])
    """
    return _distances(XA, XB, metric, metric_options, workers, ("XA", "XB"))


def pdist(X: Any, metric: str = "js_distance", *, workers: int = 1, **metric_options: Any) -> Any:
    r"""Every pair of rows of `X`, condensed as in SciPy: ``fastdiv.pdist`` of a Dask array, lazy.

    Parameters
    ----------
    X : dask.array.Array or array_like
        Two-dimensional, one distribution (or sample) a row.
    metric, workers, **metric_options
        As for `cdist`; the metric is symmetric.

    Returns
    -------
    dask.array.Array
        Of length n (n - 1) / 2, a chunk for each chunk of rows, with the bits of ``fastdiv.pdist``.

    Raises
    ------
    ValueError
        An asymmetric metric, and what `cdist` raises.
    TypeError
        As `cdist`.

    Notes
    -----
    O(N^2 n) time for N rows of n bins, half of `cdist`'s.

    Examples
    --------
    >>> import dask.array as da
    >>> import fastdiv.dask
    >>> X = da.from_array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], chunks=(2, 2))
    >>> fastdiv.dask.pdist(X, "total_variation").compute()
    array([0.5, 1. , 0.5])
    """
    Task(metric, metric_options).require_symmetric()
    matrix = _distances(X, X, metric, metric_options, workers, ("X", "X"))
    n, rows = matrix.shape[0], matrix.chunks[0]
    name = own_name("pdist", matrix.name)
    layer: dict[Any, Any] = {}
    lengths = []
    for i, start in enumerate(starts(rows)):
        keys = [(matrix.name, i, j) for j in range(i, len(rows))]
        layer[name, i] = (_condensed, keys)
        lengths.append(sum(n - 1 - r for r in range(start, start + rows[i])))
    return array_of(name, layer, [matrix], (tuple(lengths),), matrix.dtype)


def knn(
    XA: Any, XB: Any, k: int, metric: str = "js_distance", *, workers: int = 1, **metric_options: Any
) -> tuple[Any, Any]:
    r"""The `k` rows of `XB` nearest to each row of `XA`: ``fastdiv.knn`` of Dask arrays, lazy.

    Each chunk of `XA` asks each chunk of `XB` for its nearest, and a tree keeps the nearest of those.

    Parameters
    ----------
    XA, XB : dask.array.Array or array_like
        Two-dimensional, one distribution (or sample) a row.
    k : int
        From 1 to the number of rows of `XB`.
    metric, workers, **metric_options
        As for `cdist`.

    Returns
    -------
    distances, indices : dask.array.Array
        Both of shape (rows of `XA`, k), nearest first, equal distances by index, NaN last: those of
        ``fastdiv.knn``, bit for bit. Compute both in one call of ``dask.compute``.

    Raises
    ------
    ValueError
        A `k` out of range, and what `cdist` raises.
    TypeError
        As `cdist`.

    Notes
    -----
    O(N M n) time at most, for N rows against M of n bins.

    Examples
    --------
    >>> import dask
    >>> import dask.array as da
    >>> import fastdiv.dask
    >>> X = da.from_array([[1.0, 0.0], [1.0, 1.0], [0.0, 1.0]], chunks=(2, 2))
    >>> dask.compute(*fastdiv.dask.knn([[3.0, 1.0]], X, 2, "total_variation"))
    (array([[0.25, 0.25]]), array([[0, 1]]))
    """
    _, A, B = _sides(XA, XB, metric, metric_options, workers, ("XA", "XB"))
    dtype, k = opt.result_dtype(A, B), opt.integer(k, "k")
    if not 1 <= k <= B.shape[0]:
        raise ValueError(f"k must be from 1 to the {B.shape[0]} rows of XB, not {k}")
    name = own_name("knn", A.name, B.name, k, metric, metric_options, workers)
    search = partial(_nearest, k=k, metric=metric, options=metric_options, workers=workers)
    layer: dict[Any, Any] = {}
    for i, a in enumerate(starts(A.chunks[0])):
        for j, b in enumerate(starts(B.chunks[0])):
            if B.chunks[0][j]:
                layer[f"{name}-of", i, j] = (partial(search, first=(a, b)), (A.name, i, 0), (B.name, j, 0))

        def join(keys: list[Any], i: int = i) -> Any:
            layer[key := (f"{name}-of-some", i, len(layer))] = (partial(nearest_of, k=k), keys)
            return key

        layer[name, i] = tree([(f"{name}-of", i, j) for j, rows in enumerate(B.chunks[0]) if rows], join)
    both = array_of(name, layer, [A, B], (A.chunks[0],), np.dtype(object))
    parts = []
    for part, kind in enumerate((dtype, np.dtype(np.intp))):
        own = f"{name}-{part}"
        layer = {(own, i, 0): (itemgetter(part), (name, i)) for i in range(A.numblocks[0])}
        parts.append(array_of(own, layer, [both], (A.chunks[0], (k,)), kind))
    return parts[0], parts[1]


def _distances(
    XA: Any, XB: Any, metric: str, options: dict[str, Any], workers: int, names: tuple[str, str]
) -> Any:
    task, A, B = _sides(XA, XB, metric, options, workers, names)
    half, dtype = A is B and task.symmetric, opt.result_dtype(A, B)
    A, B = _small(A, B, dtype)
    name = own_name("cdist", A.name, B.name, metric, options, workers)
    compare = partial(_block, metric=metric, options=options, workers=workers, names=names)
    layer: dict[Any, Any] = {}
    for i, a in enumerate(starts(A.chunks[0])):
        for j, b in enumerate(starts(B.chunks[0])):
            if half and j < i:
                layer[name, i, j] = (np.transpose, (name, j, i))
            else:
                layer[name, i, j] = (partial(compare, first=(a, b)), (A.name, i, 0), (B.name, j, 0))
    return array_of(name, layer, [A, B], (A.chunks[0], B.chunks[0]), dtype)


def _sides(
    XA: Any, XB: Any, metric: str, options: dict[str, Any], workers: int, names: tuple[str, str]
) -> tuple[Task, Any, Any]:
    """Both sides with their bins in one chunk; what is wrong with the call is found now."""
    threads(workers)
    task = Task(metric, options)
    door = as_exact_numbers if task.samples else as_numbers
    A = chunked(XA, names[0], door)
    B = A if XB is XA else chunked(XB, names[1], door)
    for name, side in zip(names, (A, B), strict=True):
        task.rows(np.empty((0, *side.shape[1:]) if side.ndim else (), side.dtype), name)
    if A.shape[1] != B.shape[1] and not task.samples:
        raise ValueError(f"{names[0]} has {A.shape[1]} bins but {names[1]} has {B.shape[1]}")
    left = A.rechunk({1: -1})
    return task, left, left if B is A else B.rechunk({1: -1})


def _small(A: Any, B: Any, dtype: np.dtype[Any]) -> tuple[Any, Any]:
    """With so few rows in a chunk that a pair of them has no more results than is right for a task."""
    side = isqrt(_MOST // dtype.itemsize)
    a, b = max(A.chunks[0]), max(B.chunks[0])
    if a * b <= side * side:
        return A, B
    a = min(a, side if A is B else max(side, side * side // b))
    b = min(b, side * side // a)
    left = A.rechunk({0: a})
    return left, left if A is B else B.rechunk({0: b})


def _block(
    A: np.ndarray,
    B: np.ndarray,
    metric: str,
    options: Any,
    workers: int,
    names: tuple[str, str],
    first: tuple[int, int],
) -> Any:
    with one_thread(threads(workers) or 1), located(**dict(zip(names, first, strict=True))):
        return Job(A, B, metric, options, workers, names).fill()


def _condensed(blocks: list[np.ndarray]) -> np.ndarray:
    rows = np.concatenate(blocks, axis=1)
    return np.concatenate([rows.ravel()[:0], *(row[i + 1 :] for i, row in enumerate(rows))])


def _nearest(
    A: np.ndarray, B: np.ndarray, k: int, metric: str, options: Any, workers: int, first: tuple[int, int]
) -> tuple[np.ndarray, np.ndarray]:
    with one_thread(threads(workers) or 1), located(XA=first[0], XB=first[1]):
        values, where = Search(B, metric, options).query(A, min(k, len(B)), workers)
    return values, where + first[1]
