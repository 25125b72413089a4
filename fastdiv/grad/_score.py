"""From arguments to the compiled gradients: what ``fastdiv._rowwise`` is for values."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from fastdiv import _gradients
from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers, same_labels
from fastdiv._checks.data import first, raise_bad_mass
from fastdiv._checks.rows import Rows, rows
from fastdiv._rowwise import Kernel, blocks, vector, without_missing
from fastdiv.grad._faces import ONLY

__all__ = ["differentiate", "differentiate_labels", "refuse_value"]

LONG_BLOCK = 1 << 21  # bins that are computed before Ctrl-C is looked at


def differentiate(
    measure: Any,
    arrays: dict[str, Any],
    given: Mapping[str, Any],
    *,
    is_stack: bool = False,
    weights: Any = None,
    alpha: float = 1.0,
) -> list[Any]:
    """The value of each row by `measure`, one of ``fastdiv.grad``, and its derivatives by each array.

    The derivatives are of the shape that the arrays broadcast to.

    Raises
    ------
    ValueError
        For a row whose value is not finite: it has no gradient.
    """
    order, name = opt.renyi_order(alpha), measure.__name__
    x = rows(arrays, opt.row_options(measure, given), is_stack=is_stack, weights=weights)
    o = x.options
    operands, pseudocount, missing = list(x.views.values()), o.pseudocount, None
    mixture = opt.mixture_weights(weights, max(2, x.n_compared))
    if o.nan_policy == "omit" and any(np.isnan(view).any() for view in operands):
        x.refuse_bad_masses()
        operands, missing = without_missing(x)
        pseudocount = 0.0
    pair, only = (0.5, 0.5) if x.is_stack else mixture, ONLY.get() if len(x.views) == 2 else None
    options = vector(o, pseudocount, pair, order)
    if o.log_input == "q":
        kernel = Kernel(_gradients.ufunc_of_logits(True, only), 1, (options,))
    elif x.is_stack:
        kernel = Kernel(_gradients.ufunc_of_stacks(name), 2, (mixture, options))
    elif name == "entropy":
        kernel = Kernel(_gradients.ufunc_of_entropy(), 1, (options,))
    else:
        kernel = Kernel(_gradients.ufunc_of_pairs(name, only), 1, (options,))
    dtype = x.dtype if missing is None else np.dtype(np.float64)
    value, *slopes = _over_blocks(kernel, [a.astype(dtype, copy=False) for a in operands], x, dtype)
    if not np.isfinite(value).all():
        x.refuse_bad_masses()
        _refuse_value(name, value, x)
    if missing is not None:  # nothing depends on a bin that is left out
        slopes = [np.where(missing, 0.0, s).astype(x.dtype) for s in slopes]
        value = value.astype(x.dtype)[()]
    found: list[Any] = [opt.last_back(s, o.axis) for s in slopes]
    if only is not None:
        found.insert(only == "p", None)
    return [value.reshape(x.shape)[()], *found]


def _over_blocks(kernel: Kernel, arrays: list[np.ndarray], x: Rows, dtype: np.dtype[Any]) -> list[np.ndarray]:
    """The kernel over all rows, by blocks of rows: Python looks at signals after each."""
    shape = x.broadcast[: len(x.broadcast) + 1 - kernel.core]
    core = arrays[0].shape[arrays[0].ndim - kernel.core :]
    arrays = [np.broadcast_to(a, (*shape, *core)) for a in arrays]
    # of one allocation, which the C library keeps for the next call where it gives two back to the system
    results = [np.empty(shape, dtype), *np.empty((kernel.gufunc.nout - 1, *shape, *core), dtype)]
    if not shape:
        return [np.asarray(r) for r in kernel(arrays)]
    for part in blocks(shape, arrays[0].size, LONG_BLOCK):
        kernel([a[part] for a in arrays], out=tuple(r[part] for r in results))
    return results


def _first_row(value: np.ndarray) -> tuple[tuple[int, ...], str]:
    """The first row whose value is not finite, and the words for it: none where there is one row."""
    row = tuple(int(i) for i in np.argwhere(~np.isfinite(value))[0])
    return row, f" in row {row[0] if len(row) == 1 else row}" if row else ""


def refuse_value(name: str, value: np.ndarray, why: str) -> None:
    """Raise where a value is not finite, for the reason given."""
    if not np.isfinite(value).all():
        row, place = _first_row(value)
        raise ValueError(f"{name} is {value[row]}{place}, where it has no gradient: {why}")


def _refuse_value(name: str, value: np.ndarray, x: Rows) -> None:
    row, place = _first_row(value)
    number = value[row]
    why = ""
    if np.isinf(number) and len(x.views) == 2:
        shape = (*x.broadcast, x.views["p"].shape[-1])
        p, q = (np.broadcast_to(view, shape)[row] for view in x.views.values())
        empty = [-np.inf if x.options.is_log(n) else -x.options.pseudocount for n in ("p", "q")]
        apart = (p > empty[0]) & (q <= empty[1])
        who = ("q", "p")
        if not apart.any():
            apart, who = (q > empty[1]) & (p <= empty[0]), ("p", "q")
        if apart.any():
            why = f": {who[0]} has no mass in bin {int(np.argmax(apart))}, where {who[1]} has some"
    elif np.isnan(number):
        why = ": there is a missing value or no mass in it"
    raise ValueError(f"{name} is {number}{place}, where it has no gradient{why}")


def differentiate_labels(logits: Any, labels: Any, base: float | None, axis: int) -> tuple[Any, np.ndarray]:
    """The loss of each row of logits for its class, and its derivatives."""
    is_plain = base is None and type(axis) is int and axis == -1
    if is_plain and (at_once := _gradients.some_labels(logits, labels)) is not None:
        return at_once[0], at_once[1]
    z, classes = as_numbers(logits, "logits"), as_numbers(labels, "labels")
    base, axis = opt.log_base(base), opt.integer(axis, "axis")
    same_labels({"logits": logits, "labels": labels}, -2 if axis in (-1, z.ndim - 1) else -1)
    rows_of_z = opt.axis_last(z, "logits", axis, "an example", "classes")
    n = rows_of_z.shape[-1]
    if classes.dtype.kind not in "iu":
        raise TypeError(f"labels must be integers, the numbers of classes, not {classes.dtype}")
    found = first((classes < 0) | (classes >= n), classes, "labels", -1)
    if found is not None:
        raise ValueError(f"{found.at} must be a class from 0 to {n - 1}, not {found.value}")
    try:
        shape = np.broadcast_shapes(rows_of_z.shape[:-1], classes.shape)
    except ValueError:
        raise ValueError(
            f"labels of shape {classes.shape} do not broadcast with logits of {rows_of_z.shape[:-1]} examples"
        ) from None
    dtype = opt.result_dtype(z)
    options = vector(opt.RowOptions(base=base, log_input=True), 0.0, (0.5, 0.5), 1.0)
    value, slopes = _gradients.ufunc_of_labels()(
        np.broadcast_to(rows_of_z.astype(dtype, copy=False), (*shape, n)), classes.astype(np.float64), options
    )
    if not np.isfinite(value).all():
        raise_bad_mass(rows_of_z, "logits", axis, log_input=True, nan_policy="raise")
        refuse_value("softmax_cross_entropy", value, "the class has no mass")
    return value, opt.last_back(slopes, axis)
