"""The k nearest rows, exactly: by bounds, by compressed rows, or from sorted rows of the matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastdiv import _matrix
from fastdiv._checks import options as opt
from fastdiv._checks.foreign import takes_arrow
from fastdiv._checks.memory import require_memory
from fastdiv._checks.samples import has_big
from fastdiv.matrix.fill import block_rows, choose
from fastdiv.matrix.metric import Task, threads
from fastdiv.matrix.sides import Dense, comparable

if TYPE_CHECKING:
    from fastdiv.matrix.sides import Side

__all__ = ["Search", "nearest_of"]

Array = np.ndarray[Any, Any]


class Search:
    """Rows prepared once, to be asked for neighbours many times; errors speak of `names`."""

    def __init__(self, XB: Any, metric: str, options: Any, names: tuple[str, str] = ("XA", "XB")) -> None:
        self.task, self._names = Task.of(metric, options), names
        self.task.check_labels({names[1]: XB})
        self.rows = self.task.rows(XB, names[1])
        self._labelled = _without_rows(XB)
        self._floats: Dense | None = None  # samples as floats, where these tell all of them
        if isinstance(self.rows, Dense) and self.task.samples and not has_big(self.rows.array):
            self._floats = _as_floats(self.rows)
        self._prepared: dict[Any, Any] = {}

    def __getstate__(self) -> dict[str, Any]:
        labelled = self._labelled if hasattr(self._labelled, "__array__") else None
        return {
            **self.__dict__,
            "_labelled": labelled,
            "_prepared": {},
        }  # compiled rows stay in their process

    def query(self, XA: Any, k: Any, workers: Any = None, first: int = 0) -> tuple[Array, Array]:
        """Distances and indices of the `k` nearest for each row of `XA`; errors count these from `first`."""
        task, team, m = self.task, threads(workers), len(self.rows)
        k = opt.integer(k, "k")
        if not 1 <= k <= m:
            raise ValueError(f"k must be from 1 to the {m} rows of {self._names[1]}, not {k}")
        task.check_labels({self._names[0]: XA, self._names[1]: self._labelled})
        A, B = task.rows(XA, self._names[0], first), self.rows
        task.check_bins(A, B)
        dtype = opt.result_dtype(A, B)
        require_memory(len(A) * k * (8 + dtype.itemsize), (len(A), k), dtype)
        if not (isinstance(A, Dense) and isinstance(B, Dense)):
            if 8 * k > m > 1000:
                return self._by_rows(A, B, k, dtype, team)
            return self._by_entries(A, B, k, dtype, team)
        if task.samples:
            if self._floats is not None and not has_big(A.array):
                A, B = _as_floats(A), self._floats
            else:
                floats = comparable(A, B)
                if floats is None:
                    return self._by_rows(A, B, k, dtype, team)
                A, B = floats
        if A.shape[1] != B.shape[1] or 8 * k > m > 1000:
            return self._by_rows(A, B, k, dtype, team)
        return self._by_bounds(A, B, k, dtype, team)

    def _by_bounds(self, A: Dense, B: Dense, k: int, dtype: Any, workers: int) -> tuple[Array, Array]:
        """Of dense rows; of a light one among light rows and others, as ``cdist`` computes the pairs."""
        distances, indices = np.empty((len(A), k), dtype), np.empty((len(A), k), np.intp)
        plan = self.task.plan(A, dtype)
        light_B, heavy_B = B.split()
        kept = self._prepared if B is self.rows or B is self._floats else {}
        step = block_rows(plan, max(1, len(A)), k, 16)

        def dense(rows: Dense, some: Array | None) -> tuple[Array, Array]:
            key = dtype.char, some is None
            if key not in kept:
                right = B if some is None else B[some]
                kept[key] = self.task.prepare(plan, right, False, True, workers, True)
            left = self.task.prepare(plan, rows, True, False, workers, True)
            values, where = _matrix.nearest(plan, left, kept[key], min(k, len(kept[key])), workers)
            return values, where if some is None else some[where]

        def compressed(rows: Dense) -> tuple[Array, Array]:
            plan, key = self.task.plan(B, dtype, True), (dtype.char, "compressed")
            if key not in kept:
                kept[key] = self.task.prepare(plan, B[light_B].compressed(), False, True)
            left = self.task.prepare(plan, rows.compressed(), True, False)
            values, where = _matrix.sparse(plan, left, kept[key], None, min(k, light_B.size), workers)
            return values, light_B[where]

        for start in range(0, len(A), step):
            rows = A[start : start + step]
            light, heavy = rows.split() if light_B.size else (light_B, np.arange(len(rows)))
            if heavy.size:
                whole = rows if heavy.size == len(rows) else rows[heavy]
                distances[start + heavy], indices[start + heavy] = dense(whole, None)
            if light.size:
                found = [compressed(rows[light])]
                if heavy_B.size:
                    found.insert(0, dense(rows[light], heavy_B))
                distances[start + light], indices[start + light] = nearest_of(found, k)
        return distances, indices

    def _by_entries(self, A: Side, B: Side, k: int, dtype: Any, workers: int) -> tuple[Array, Array]:
        """Of compressed rows."""
        _, A, B = choose(self.task, A, B)
        plan = self.task.plan(A, dtype, True)
        right = self.task.prepare(plan, B, False, True)
        left = self.task.prepare(plan, A, True, False)
        values, where = _matrix.sparse(plan, left, right, None, k, workers)
        with np.errstate(over="ignore"):  # what float32 does not hold is inf
            return values.astype(dtype), where

    def _by_rows(self, A: Side, B: Side, k: int, dtype: Any, workers: int) -> tuple[Array, Array]:
        """Whole rows of the matrix, sorted: for samples of two sizes, and a `k` that leaves few rows out."""
        distances, indices = np.empty((len(A), k), dtype), np.empty((len(A), k), np.intp)
        filler, A, B = choose(self.task, A, B)
        for start, block in filler(self.task, A, B, None, dtype, workers, 0):
            where = np.argsort(block, axis=1, kind="stable")[:, :k]
            indices[start : start + len(block)] = where
            distances[start : start + len(block)] = np.take_along_axis(block, where, 1)
        return distances, indices


def nearest_of(found: list[tuple[Array, Array]], k: int) -> tuple[Array, Array]:
    """The `k` nearest of lists that have no row in common, by value, then index."""
    values, where = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
    if len(found) > 1:
        order = np.lexsort((where, values), axis=1)[:, :k]
        values, where = (np.take_along_axis(part, order, 1) for part in (values, where))
    return values, where


def _without_rows(table: Any) -> Any:
    """What has the labels of a table's columns, or bins; None of what has none."""
    if isinstance(table, (list, tuple)):
        return table[:1] or None
    if hasattr(table, "__array__"):
        return table[:0] if hasattr(table, "columns") or hasattr(table, "dims") else None
    return table if takes_arrow(table) else None


def _as_floats(rows: Dense) -> Dense:
    return Dense(np.asarray(rows.array, rows.dtype), rows.name, rows.numbers)
