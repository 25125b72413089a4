"""The long way of the row-wise measures: any array-likes, any options, any number of rows.

One pair of plain vectors goes the short way (``door`` in csrc/rows/_rows.pyx) and does not import this.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdiv import _core, _rows
from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers
from fastdiv._checks.rows import Rows, is_lazy, rows
from fastdiv._labels import of_elements, of_rows
from fastdiv._threads import hears_signals, interruptibly

if TYPE_CHECKING:
    from fastdiv._typing import Value

__all__ = ["Kernel", "score", "score_events", "vector", "without_missing"]

# bins that are cast at a time, and computed before Ctrl-C is looked at
CAST_BLOCK, LONG_BLOCK = 1 << 18, 1 << 22


class Kernel(NamedTuple):
    """A gufunc, and what it is given besides the arrays."""

    gufunc: Any
    core: int
    """The axes of an array that belong to one row: its bins, or the stack and its bins."""
    others: tuple[np.ndarray, ...]
    """The operands behind the arrays: mixture weights, options."""
    is_alone: bool = False
    """Entropy: one array is both p and q."""

    def __call__(self, arrays: list[Any], out: Any = None) -> Any:
        operands, before = (*arrays, *arrays) if self.is_alone else arrays, _core.shortages()
        if arrays[0].shape[-1] > LONG_BLOCK and hears_signals():  # one row, during which Ctrl-C is heard too
            return interruptibly(self.__call__, arrays, out)
        result = self.gufunc(*operands, *self.others, **({} if out is None else {"out": out}))
        if _core.shortages() != before:
            raise MemoryError(f"no memory for the scratch of a row of {arrays[0].shape[-1]} bins")
        return result


def score(
    measure: Any,
    arrays: dict[str, Any],
    given: Mapping[str, Any],
    *,
    is_stack: bool = False,
    weights: Any = None,
    alpha: float = 1.0,
) -> Value:
    """The value of each row by the compiled `measure`, one of ``fastdiv.information``.

    Parameters
    ----------
    measure
        The public function, by whose name the gufunc goes.
    arrays
        The distributions by their names.
    given
        Its options, as they came.
    is_stack, weights
        Whether ``p`` alone holds what is mixed; of a mixture.
    alpha
        The order of Renyi's divergence.
    """
    order = opt.renyi_order(alpha)
    x = rows(arrays, opt.row_options(measure, given), is_stack=is_stack, weights=weights, lazy=True)
    o, name = x.options, measure.__name__
    operands, void, pseudocount = list(x.views.values()), None, o.pseudocount
    if x.is_lazy and (o.out is not None or o.nan_policy == "raise"):
        raise TypeError("arrays that are computed later take neither out nor nan_policy='raise'")
    mixture = opt.mixture_weights(weights, max(2, x.n_compared))
    apart = x.is_lazy or x.is_stack or o.log_input == "q"  # others: the loops do it
    if o.nan_policy == "omit" and apart and (x.is_lazy or any(np.isnan(view).any() for view in operands)):
        if not x.is_lazy:  # a bin that is dropped may hide what is forbidden
            x.refuse_bad_masses()
        operands, missing = without_missing(x)
        void = missing.all((-2, -1)) if x.is_stack else missing.all(-1)
        pseudocount = 0.0
    pair = (0.5, 0.5) if x.is_stack else mixture
    options = vector(o, pseudocount, pair, order)
    if x.is_stack:
        kernel = Kernel(_rows.ufunc_of_stacks(name), 2, (mixture, options))
    elif o.log_input == "q":  # cross entropy of masses against logits
        from fastdiv import _gradients

        kernel = Kernel(_gradients.ufunc_of_logits(False), 1, (options,))
    elif name == "entropy":  # H(p) = H(p, p)
        kernel = Kernel(_rows.ufunc_of_pairs("cross_entropy"), 1, (options,), True)
    else:
        kernel = Kernel(_rows.ufunc_of_pairs(name), 1, (options,))
    result: Value
    if void is None:
        result = _over_blocks(kernel, operands, x, x.dtype)
    else:
        result = _over_blocks(kernel, operands, x, np.dtype(np.float64))
        result = np.where(void, np.nan, result).astype(x.dtype)[()]
    if not x.is_lazy and np.isnan(result).any():
        x.refuse_bad_masses()
    if o.out is not None:
        o.out[...] = result.reshape(x.shape)
        return o.out
    if o.keepdims:
        return result.reshape(x.shape)
    labelled: Value = result if x.is_lazy else of_rows(result, arrays.values(), o.axis, name, stack=is_stack)
    return labelled


def vector(o: opt.RowOptions, pseudocount: float, pair: Any, order: float) -> np.ndarray:
    """The options as the kernels read them (view.h, fd_options)."""
    high, low = _rows.unit(o.base)
    omit = o.nan_policy == "omit"
    return np.array([high, low, o.normalize, o.log_input is True, pseudocount, *pair, order, omit])


def without_missing(x: Rows) -> tuple[list[np.ndarray], np.ndarray]:
    """Copies without the bins in which any compared row has a NaN, and where those are."""
    views = list(x.views.values())
    missing = np.isnan(views[0])
    for view in views[1:]:
        missing = missing | np.isnan(view)
    if x.is_stack:
        missing = missing.any(-2, keepdims=True)
    kept = []
    for name, view in x.views.items():
        none = -np.inf if x.options.is_log(name) else 0.0
        added = 0.0 if x.options.is_log(name) else x.options.pseudocount
        kept.append(np.where(missing, none, view.astype(np.float64) + added))
    return kept, missing


def blocks(shape: tuple[int, ...], size: int, most: int) -> Iterator[tuple[slice, ...]]:
    """Indices of an array of that shape, by its longest axis: `most` numbers each of its `size` in all."""
    if not shape:
        yield ()
        return
    axis = int(np.argmax(shape))
    step = max(1, most * shape[axis] // max(1, size))
    for start in range(0, shape[axis], step):
        yield (*[slice(None)] * axis, slice(start, start + step))


def _over_blocks(kernel: Kernel, arrays: list[Any], x: Rows, dtype: np.dtype[Any]) -> Any:
    """The kernel over all rows, its values in `dtype`.

    Integers of one dtype are taken as they are, all else is cast. Long work goes by blocks of rows: what was
    cast is still in the caches when it is read, and Python looks at signals after each block.
    """
    target = dtype
    if not x.is_stack and all(a.dtype == arrays[0].dtype and a.dtype.kind in "iu" for a in arrays):
        target = arrays[0].dtype.newbyteorder("=")
    elif not x.is_stack and all(a.dtype == np.bool_ for a in arrays):
        arrays, target = [a.view(np.uint8) for a in arrays], np.dtype(np.uint8)
    shape = x.broadcast[: len(x.broadcast) + 1 - kernel.core]
    bins = max(a.size for a in arrays)
    block = CAST_BLOCK if any(a.dtype != target for a in arrays) else LONG_BLOCK
    if not shape or bins <= block or x.is_lazy:
        return kernel([a if a.dtype == target else a.astype(target) for a in arrays])
    arrays = [a.astype(target) if a.size <= block else a for a in arrays]  # before it is repeated
    arrays = [np.broadcast_to(a, (*shape, *a.shape[a.ndim - kernel.core :])) for a in arrays]
    result = np.empty(shape, dtype)
    for part in blocks(shape, bins, block):
        kernel([a[part] if a.dtype == target else a[part].astype(target) for a in arrays], out=result[part])
    return result


def score_events(measure: str, p: Any, base: float | None) -> Value:
    """A function of single probabilities, from bits into the base's unit."""
    ufunc = _rows.ufunc_of_events(measure)
    if type(p) is float and 0.0 < p <= 1.0:  # else it may be infinite, or no probability
        high, low = _rows.unit(opt.log_base(base))
        one = ufunc(p)
        value: Value = one * high + one * low
        return value
    if is_lazy(p):
        later: Value = ufunc(p) * sum(_rows.unit(opt.log_base(base)))
        return later
    given = as_numbers(p, "p")
    dtype, (high, low) = opt.result_dtype(given), _rows.unit(opt.log_base(base))
    values = np.empty_like(given, dtype)
    for part in blocks(given.shape, given.size, LONG_BLOCK):
        bits = ufunc(given[part].astype(np.float64, copy=False))
        if np.isnan(bits).any():
            from fastdiv._checks.data import raise_bad_probability

            raise_bad_probability(given, "p")
        with np.errstate(invalid="ignore"):  # inf * high + inf * low may be inf - inf
            values[part] = np.where(np.isinf(bits), bits, bits * high + bits * low)
    labelled: Value = of_elements(values[()], p, measure)
    return labelled
