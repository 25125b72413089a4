"""Matrices filled block by block: dense rows, compressed ones, some of both, samples of two sizes.

A filler takes a task, two sides, the whole `out` or None, the dtype of results, threads, and the row to begin
with; it yields where a block of rows begins, and the block, which is part of `out` where that is contiguous.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastdiv import _matrix
from fastdiv._checks import options as opt
from fastdiv._checks.memory import require_memory
from fastdiv.matrix import sides
from fastdiv.matrix.metric import Task, threads
from fastdiv.matrix.sides import Dense, comparable

if TYPE_CHECKING:
    import mmap

    from fastdiv.matrix.sides import Side

    Out: TypeAlias = np.ndarray[Any, Any] | None
    Blocks: TypeAlias = Iterator[tuple[int, np.ndarray[Any, Any]]]
    Filler: TypeAlias = Callable[[Task, Any, Any, Out, Any, int, int], Blocks]

__all__ = ["Job", "block_rows", "choose", "condensed"]

Array = np.ndarray[Any, Any]


class Job:
    """What ``cdist`` is asked for, checked and not yet computed; errors speak of `names`.

    `shape` and `dtype` are those of the matrix.
    """

    def __init__(
        self,
        XA: Any,
        XB: Any,
        metric: str,
        options: Any,
        workers: Any = None,
        names: tuple[str, str] = ("XA", "XB"),
    ) -> None:
        self._task, self._workers = Task.of(metric, options), threads(workers)
        self._task.check_labels({names[0]: XA, names[1]: XB})
        self._A = self._task.rows(XA, names[0])
        self._B = self._A if XB is XA else self._task.rows(XB, names[1])
        self._task.check_bins(self._A, self._B)
        self.shape = (self._A.shape[0], self._B.shape[0])
        self.dtype = opt.result_dtype(self._A, self._B)

    def fill(
        self,
        out: Array | None = None,
        progress: Callable[[float], None] | None = None,
        first_row: int = 0,
        in_order: bool = False,
    ) -> Array:
        """The matrix from row `first_row` on; `progress` is told the share that is done after each block.

        `in_order`: rows are finished one block after the other, as those of a mapped file are in any case.
        """
        out = _result(out, self.shape, self.dtype, self._A, self._B)
        return _fill(self._task, self._A, self._B, out, self._workers, progress, first_row, in_order)


def condensed(X: Any, metric: str, options: Any, out: Array | None, workers: Any) -> Array:
    """What ``pdist`` is asked for."""
    task, team = Task.of(metric, options), threads(workers)
    task.require_symmetric()
    task.check_labels({"X": X})
    rows = task.rows(X, "X")
    shape = (len(rows) * (len(rows) - 1) // 2,)
    return _condense(task, rows, _result(out, shape, opt.result_dtype(rows), rows), team)


def _result(out: Array | None, shape: tuple[int, ...], dtype: np.dtype[Any], *rows: Side) -> Array:
    """Where the result goes: to `out`, which must be able to take it, or to memory, if there is enough."""
    if out is not None:
        _check_out(out, shape, dtype, *rows)
        return out
    require_memory(math.prod(shape) * dtype.itemsize, shape, dtype)
    return np.empty(shape, dtype)


# --- the matrix --------------------------------------------------------------------------------------------


def _fill(
    task: Task,
    A: Side,
    B: Side,
    out: Array,
    workers: int,
    progress: Callable[[float], None] | None = None,
    first_row: int = 0,
    in_order: bool = False,
) -> Array:
    """Fills `out`; the last arguments are those of ``Job.fill``."""
    if 0 in out.shape:
        return out
    mapping, filler, A, B = _mapping(out), *choose(task, A, B)
    plain = out.flags.c_contiguous and out.flags.aligned and mapping is None
    if A is B and filler is _dense and task.symmetric and plain and not in_order:
        plan = task.plan(A, out.dtype)
        rows = task.prepare(plan, A, True, True, workers)
        _matrix.fill(plan, rows, rows, out, half=True, workers=workers, progress=progress)
        return out
    for start, block in filler(task, A, B, out, out.dtype, workers, first_row):
        end = start + len(block)
        if not np.may_share_memory(block, out):
            out[start:end] = block
        if mapping is not None:
            _release(mapping, out)
        if progress is not None:
            progress(end / len(out))
    return out


def _condense(task: Task, A: Side, out: Array, workers: int) -> Array:
    """Fills `out` with d(0, 1), d(0, 2), ..., d(1, 2), ... of a symmetric metric."""
    if out.size == 0:
        return out
    filler, A, B = choose(task, A, A)
    n, plan = len(A), task.plan(A, out.dtype, filler is _sparse)
    to = out if out.flags.c_contiguous and out.flags.aligned else np.empty(out.shape, out.dtype)

    def of_row(i: int) -> Array:
        first = i * (2 * n - i - 1) // 2
        return to[first : first + n - i - 1]

    if filler is _sparse:
        left, right = task.prepare(plan, A, True, False), task.prepare(plan, B, False, True)
        _matrix.sparse(plan, left, right, to, 0, workers)
    elif filler in (_sweeps, _pairs):
        for i in range(n - 1):
            for _, block in filler(task, A[i : i + 1], B[i + 1 :], None, out.dtype, workers, 0):
                of_row(i)[...] = block[0]
    elif filler is _mixed:
        for start, block in _mixed(task, A, B, None, out.dtype, workers, 0):
            for i, row in enumerate(block, start):
                of_row(i)[...] = row[i + 1 :]
    else:
        rows = task.prepare(plan, A, True, True, workers)
        _matrix.fill(plan, rows, rows, to, half=True, workers=workers)
    if to is not out:
        out[...] = to
    return out


# --- fillers -----------------------------------------------------------------------------------------------


def choose(task: Task, A: Side, B: Side) -> tuple[Filler, Any, Any]:
    """What fills the matrix of two sides, and the sides as it takes them."""
    if not (isinstance(A, Dense) and isinstance(B, Dense)):
        from fastdiv.matrix.sparse import renumber

        return _sparse, *renumber(A.compressed(), B.compressed())
    if task.samples:
        floats = comparable(A, B)
        if floats is None:
            return _pairs, A, B
        A, B = floats
        if A.shape[1] != B.shape[1]:
            return _sweeps, A, B
    return _dense if A.light is None or B.light is None else _mixed, A, B


def _dense(task: Task, A: Any, B: Any, out: Out, dtype: Any, workers: int, first_row: int) -> Blocks:
    plan = task.plan(A, dtype)
    right = task.prepare(plan, B, False, True, workers)
    step = block_rows(plan, len(A), len(B), dtype.itemsize)
    for start in range(first_row, len(A), step):
        rows = A[start : start + step]
        left = task.prepare(plan, rows, True, False, workers)
        block = _room(out, start, len(rows), len(B), dtype)
        _matrix.fill(plan, left, right, block, workers=workers)
        yield start, block


def _sparse(
    task: Task, A: Any, B: Any, out: Array | None, dtype: Any, workers: int, first_row: int
) -> Blocks:
    plan = task.plan(A, dtype, True)
    right = task.prepare(plan, B, False, True)
    step = max(1, sides.BLOCK_BYTES // (len(B) * dtype.itemsize))
    for start in range(first_row, len(A), step):
        rows = A[start : start + step]
        left = task.prepare(plan, rows, True, False)
        block = _room(out, start, len(rows), len(B), dtype)
        _matrix.sparse(plan, left, right, block, 0, workers)
        yield start, block


def _mixed(task: Task, A: Any, B: Any, out: Out, dtype: Any, workers: int, first_row: int) -> Blocks:
    """Of dense rows of which some are light: compressed where both rows of a pair are."""
    plan, sparse_plan = task.plan(A, dtype), task.plan(A, dtype, True)
    light, heavy = B.split()
    packed = task.prepare(sparse_plan, B[light].compressed(), False, True)
    needed = [heavy] if A.light.all() else [heavy, light]
    right = [(some, task.prepare(plan, B[some], False, True, workers)) for some in needed if some.size]
    step = block_rows(plan, len(A), len(B), dtype.itemsize)
    for start in range(first_row, len(A), step):
        rows, block = A[start : start + step], _room(None, start, min(step, len(A) - start), len(B), dtype)
        light_rows, heavy_rows = rows.split()
        for some, others in (heavy_rows, right), (light_rows, right[: heavy.size > 0]):
            left = task.prepare(plan, rows[some], True, False, workers) if some.size and others else None
            for columns, prepared in others if some.size else ():
                part = np.empty((some.size, columns.size), dtype)
                _matrix.fill(plan, left, prepared, part, workers=workers)
                block[np.ix_(some, columns)] = part
        if light_rows.size:
            left = task.prepare(sparse_plan, rows[light_rows].compressed(), True, False)
            part = np.empty((light_rows.size, light.size), dtype)
            _matrix.sparse(sparse_plan, left, packed, part, 0, workers)
            block[np.ix_(light_rows, light)] = part
        yield start, block


def _sweeps(
    task: Task, A: Any, B: Any, out: Array | None, dtype: Any, workers: int, first_row: int
) -> Blocks:
    """Of sorted samples of two sizes: one row with all others at a time."""
    u, v = (np.ascontiguousarray(x.array, np.float64) for x in (A, B))
    for start, block in _row_blocks(A, B, out, dtype, first_row):
        for i, row in enumerate(block, start):
            with np.errstate(over="ignore"):  # what float32 does not hold is inf
                row[...] = _swept(task, u[i : i + 1], v, workers)
        yield start, block


def _swept(task: Task, u: Array, v: Array, workers: int) -> Array:
    """A sorted sample with others, all of them float64 or all of them uint64."""
    from fastdiv import _wasserstein

    values, statistic = np.empty(len(v)), _wasserstein.STATISTICS["wasserstein"]
    _wasserstein.statistic_of_rows(u, v, None, None, values, statistic, task.order, False, True, workers)
    return values


def _pairs(task: Task, A: Any, B: Any, out: Out, dtype: Any, workers: int, first_row: int) -> Blocks:
    """Of samples of integers far apart: a row at a time, with rows that it is compared with alike."""
    from fastdiv.matrix.whole import WholeRows

    plan, u, v = task.plan(A, dtype), WholeRows(A.array), WholeRows(B.array)
    for start, block in _row_blocks(A, B, out, dtype, first_row):
        for i, row in enumerate(block, start):
            for some, x, others in u.compared(i, v):
                if x.dtype == np.uint64 or A.shape[1] != B.shape[1]:
                    row[some] = _swept(task, x, others, workers)
                    continue
                left = task.prepare(plan, Dense(x, A.name, A.numbers), True, False, workers)
                right = task.prepare(plan, Dense(others, B.name, B.numbers), False, True, workers)
                part = np.empty((1, len(others)), dtype)
                _matrix.fill(plan, left, right, part, workers=workers)
                row[some] = part[0]
        yield start, block


def _row_blocks(A: Any, B: Any, out: Out, dtype: Any, first_row: int) -> Blocks:
    """Room for the results of rows: a block of memory at most, and some seconds of work."""
    step = max(1, min(sides.BLOCK_BYTES // (8 * len(B)), 2**30 // (len(B) * (A.shape[1] + B.shape[1]))))
    for start in range(first_row, len(A), step):
        yield start, _room(out, start, min(step, len(A) - start), len(B), dtype)


def block_rows(plan: Any, n: int, m: int, itemsize: int) -> int:
    """How many rows of results, and of prepared rows, are held at a time."""
    return max(1, min(n, sides.BLOCK_BYTES // max(1, m * itemsize, 24 * int(plan.width))))


def _room(out: Out, start: int, n: int, m: int, dtype: Any) -> Array:
    """Where a block of rows is computed."""
    if out is not None and out.flags.c_contiguous and out.flags.aligned:
        return out[start : start + n]
    return np.empty((n, m), dtype)


# --- out ---------------------------------------------------------------------------------------------------


def _check_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], *rows: Side) -> None:
    """As for rows, and no part of it is still read while it is written."""
    opt.check_out(out, shape, dtype)
    for side in rows:
        if isinstance(side, Dense) and _overlap(out, side.array):
            raise ValueError(f"out overlaps {side.name}, which is still read while out is written")


def _overlap(out: Array, array: Array) -> bool:
    share: Callable[..., bool] = np.shares_memory  # stubs before NumPy 2.5 want max_work to be 0 or 1
    try:
        return bool(share(out, array, max_work=1000))
    except np.exceptions.TooHardError:
        return np.may_share_memory(out, array)


def _mapping(array: Array) -> mmap.mmap | None:
    """The mapped file whose memory an array is."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    if owner is None:
        return None
    import mmap

    return owner if isinstance(owner, mmap.mmap) else None


def _release(mapping: mmap.mmap, out: Array) -> None:
    """Lets go of the pages of a mapped result that are written: they are on their way to the file.

    Of a map that is known to be shared with one: pages of a private map (copy on write) are nowhere else.
    """
    import mmap

    owner = out
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if not (isinstance(owner, np.memmap) and owner.mode in ("r+", "w+")):
        return
    mapping.flush()
    if hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)
