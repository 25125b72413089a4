"""W1 between samples that no worker could hold: counts of cells, then the values of mixed cells alone."""

from __future__ import annotations

from functools import partial
from typing import Any

import dask
import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_exact_numbers
from fastdiv._checks.data import raise_missing
from fastdiv.dask.cluster import computed
from fastdiv.dask.crossings import Order, Plan, counted, picked, swept
from fastdiv.dask.graph import chunked, located, one_thread, starts, tree
from fastdiv.drift.cells import Cells, doubles_of

__all__ = ["wasserstein_distance"]

# cells of a sample, and values that are swept in one task
_CELLS, _SWEPT = 1 << 17, 1 << 22


def wasserstein_distance(u_values: Any, v_values: Any, *, nan_policy: str = "propagate") -> np.floating[Any]:
    r"""``fastdiv.wasserstein_distance`` of order 1 between two Dask arrays, which no worker need hold.

    .. math:: W_1 = \int |F(x) - G(x)| \, dx

    It is exact up to rounding, computed at once, and in two passes. The first counts each chunk in at most
    131072 cells between neighbouring doubles, with the sums of the values in them; a tree adds these up.
    Where F - G has one sign within a cell that is all it takes. The second pass takes the values of the
    other cells to tasks that each sweep a range of them.

    Parameters
    ----------
    u_values, v_values : dask.array.Array or array_like
        The samples, one-dimensional, in any chunks.
    nan_policy : {'propagate', 'omit', 'raise'}
        What a NaN among the values does: make the result NaN, be left out, or raise.

    Returns
    -------
    float
        In the unit of the values, with relative error at most 1e-12. float32 where both arrays are. The same
        bits for any chunks and any workers.

    Raises
    ------
    ValueError
        For empty samples, samples that are not one-dimensional, chunks of unknown length, and integers beyond
        2^63 beside signed ones.
    TypeError
        For values that are no real numbers, and chunks that are no NumPy arrays.
    RuntimeError
        If the second pass finds other values than the first.

    Notes
    -----
    Integers are compared as integers; beside floats those beyond 2^53 are rounded to float64. Weights and
    other orders need one machine: ``fastdiv.wasserstein_distance``.

    O(n log n) time for n values, of which there may be 2^37 a side. The arrays are computed twice:
    ``persist()`` them first where that is dear and the workers have the memory. A cell is mixed where
    \|F - G\| is below its mass, 1 / 131072 or so; if the laws are the same \|F - G\| is about n^{-1/2}, and
    of the order of n^{3/2} / 131072 values travel, else far fewer.

    Examples
    --------
    >>> import dask.array as da
    >>> import fastdiv.dask
    >>> u = da.arange(1_000_000, chunks=300_000)
    >>> float(fastdiv.dask.wasserstein_distance(u, u + 5))
    5.0
    """
    opt.policy(nan_policy)
    u, v = _sample(u_values, "u_values"), _sample(v_values, "v_values")
    order = _order(u.dtype, v.dtype)
    sides = [(x.to_delayed(), name, starts(x.chunks[0])) for x, name in ((u, "u_values"), (v, "v_values"))]
    count = dask.delayed(partial(_counted, order=order, nan_policy=nan_policy), pure=True)
    add = dask.delayed(_added, pure=True)
    parts = computed(
        *(
            tree([count(block, name, row) for block, row in zip(blocks, rows, strict=True)], add)
            for blocks, name, rows in sides
        )
    )
    distance: np.floating[Any] = opt.result_dtype(u, v).type(_distance(parts, order, sides, nan_policy))
    return distance


def _distance(parts: Any, order: Order, sides: Any, nan_policy: str) -> float:
    (a, lost), (b, missing) = parts
    if a is None or b is None or (nan_policy == "propagate" and lost + missing):
        return np.nan
    if order.kind == "f":
        infinite = [[_has(side, np.inf), _has(side, -np.inf)] for side in (a, b)]
        if any(x and y for x, y in zip(*infinite, strict=True)):
            return np.nan
        if any(map(any, infinite)):
            return np.inf
    plan = Plan(a, b, order, _SWEPT)
    groups = plan.groups
    if not groups:
        return plan.total([])
    pick = dask.delayed(partial(_picked, order=order), pure=True, nout=len(groups))
    sweep = dask.delayed(swept, pure=True)
    given = dask.delayed(groups, traverse=False)
    found = [[pick(block, given) for block in blocks] for blocks, *_ in sides]
    areas = computed(
        *(sweep(group, *([part[i] for part in side] for side in found)) for i, group in enumerate(groups))
    )
    return plan.total(list(areas))


def _sample(values: Any, name: str) -> Any:
    array = chunked(values, name, as_exact_numbers)
    if array.ndim != 1:
        raise ValueError(f"{name} must be one-dimensional, not {array.ndim}-d")
    return opt.axis_last(array, name, -1, "a sample", "values")


def _order(u: np.dtype[Any], v: np.dtype[Any]) -> Order:
    kinds = {u.kind, v.kind} - {"b"}
    if "f" in kinds:
        return Order("f")
    return Order("u" if kinds <= {"u"} else "i")


def _has(side: Cells, value: float) -> bool:
    return bool(np.any(doubles_of(side.first[[0, -1]]) == value))


def _counted(x: np.ndarray, name: str, row: int, order: Order, nan_policy: str) -> tuple[Cells | None, int]:
    """The chunk in cells, and how many values are missing."""
    with one_thread():
        if nan_policy == "raise":
            with located(**{name: row}):
                raise_missing(x, name, -1)
        keys = order.ascending(_present(x, order, name))
        return (counted(keys, _CELLS) if len(keys) else None), len(x) - len(keys)


def _present(x: np.ndarray, order: Order, name: str) -> np.ndarray:
    """The values that are not missing."""
    if order.kind == "i" and x.dtype.kind == "u" and x.size and int(x.max()) >= 2**63:
        raise ValueError(f"{name} must be below 2^63 beside signed integers, not hold {int(x.max())}")
    missing = np.isnan(x) if x.dtype.kind == "f" else None
    return x if missing is None or not missing.any() else x[~missing]


def _added(parts: list[tuple[Cells | None, int]]) -> tuple[Cells | None, int]:
    cells: Cells | None = None
    for more, _ in parts:
        cells = more if cells is None else cells if more is None else cells.merged(more).fitted(_CELLS)
    return cells, sum(missing for _, missing in parts)


def _picked(x: np.ndarray, groups: Any, order: Order) -> Any:
    with one_thread():
        return picked(_present(x, order, ""), order, groups)
