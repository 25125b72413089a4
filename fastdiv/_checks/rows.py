"""The door for rows of bins: arrays and options of a measure in, views with their bins last out.

The compiled measures and their twins come in here, so that they take and refuse the same.
"""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers, known_chunks, same_chunks, same_labels
from fastdiv._checks.bins import same_bins
from fastdiv._checks.foreign import is_elsewhere

__all__ = ["Rows", "is_lazy", "rows"]


class Rows(NamedTuple):
    """Arrays that are compared row by row, checked."""

    views: dict[str, Any]
    """The arrays by name, their bins last."""
    broadcast: tuple[int, ...]
    """The shape of all rows, without the bins; of a stack with the axis of what is mixed."""
    is_stack: bool
    is_lazy: bool
    """Whether any of the arrays computes for itself."""
    shape: tuple[int, ...]
    """Of the result."""
    dtype: np.dtype[Any]
    options: opt.RowOptions

    @property
    def n_compared(self) -> int:
        """How many distributions are compared."""
        return self.broadcast[-1] if self.is_stack else len(self.views)

    def refuse_bad_masses(self) -> None:
        """Raise for the first entry that is no mass."""
        from fastdiv._checks.data import raise_bad_mass

        x = self.options
        for name, view in self.views.items():
            raise_bad_mass(view, name, x.axis, log_input=x.is_log(name), nan_policy=x.nan_policy)


def is_lazy(array: Any) -> bool:
    """Arrays that compute for themselves, such as Dask's: they get the ufunc, not our conversions."""
    return type(array) is not np.ndarray and (
        hasattr(array, "__array_function__")
        and not isinstance(array, np.ndarray)
        and not is_elsewhere(array)  # CuPy's
    )


def rows(
    arrays: dict[str, Any],
    options: opt.RowOptions,
    *,
    is_stack: bool = False,
    weights: Any = None,
    lazy: bool = False,
) -> Rows:
    """The arrays of a call whose options are checked, by name.

    Parameters
    ----------
    is_stack
        The axis before the bins of ``p`` holds what is mixed by `weights`, whose labels alone count here.
    lazy
        Leave arrays that compute for themselves as they are.
    """
    same_bins(arrays)
    checked = {name: a if lazy and is_lazy(a) else as_numbers(a, name) for name, a in arrays.items()}
    axis = options.axis
    same_labels(arrays, axis, rows=True)
    other = -2 if axis in (-1, checked["p"].ndim - 1) else -1  # where a stack holds what is mixed
    any_lazy = any(map(is_lazy, checked.values()))
    if any_lazy:
        for name, a in checked.items():
            if is_lazy(a):
                known_chunks(a, name, axis)
                if is_stack:
                    known_chunks(a, name, other)
        same_chunks(checked, axis)
    if is_stack and weights is not None:
        same_labels({**arrays, "weights": weights}, other)
    last = opt.stack_last if is_stack else opt.bins_last
    views = {name: last(a, name, axis) for name, a in checked.items()}
    broadcast = opt.row_shape(list(views.values()), list(views))
    left = broadcast[:-1] if is_stack else broadcast
    shape = opt.result_shape(left, axis, options.keepdims, is_stack)
    dtype = opt.result_dtype(*checked.values())
    if options.out is not None and not any_lazy:
        opt.check_out(options.out, shape, dtype)
    return Rows(views, broadcast, is_stack, any_lazy, shape, dtype, options)
