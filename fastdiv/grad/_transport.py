"""From samples to the compiled gradients of their distances: what ``fastdiv.transport`` is for values."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdiv import _wasserstein
from fastdiv._samples import samples
from fastdiv.grad._score import refuse_value

if TYPE_CHECKING:
    from fastdiv._checks.options import SampleOptions
    from fastdiv._checks.samples import Samples
    from fastdiv._typing import Value

__all__ = ["TransportGradient", "differentiate_rows", "differentiate_samples"]


class TransportGradient(NamedTuple):
    """A distance of samples, and its derivatives by every value and by every weight.

    They have the shape to which all arrays broadcast along the axes that do not hold the samples.
    """

    value: Value
    u_values: np.ndarray
    v_values: np.ndarray
    u_weights: np.ndarray
    v_weights: np.ndarray


def differentiate_rows(statistic: str, x: Samples, p: float, omit: bool, is_sorted: bool) -> list[np.ndarray]:
    """The value of each row, and matrices with its derivatives by u and v, their values and their weights."""
    rows, n, m = prod(x.shape), x.u.values.shape[1], x.v.values.shape[1]
    results = [np.empty(rows), *(np.empty((rows, k)) for k in (n, m, n, m))]
    given = x.u.values, x.v.values, x.u.weights, x.v.weights
    _wasserstein.gradient_of_rows(*given, *results, _wasserstein.STATISTICS[statistic], p, omit, is_sorted)
    return results


def differentiate_samples(
    distance: str, statistic: str, arrays: tuple[Any, Any, Any, Any], p: float, o: SampleOptions
) -> TransportGradient:
    """A distance of samples by its public name and by that of its `statistic`.

    Raises
    ------
    ValueError
        For a row whose value is not finite: it has no gradient.
    """
    x = samples(*arrays, o.axis, o.nan_policy)
    value, *slopes = differentiate_rows(statistic, x, p, o.nan_policy == "omit", o.assume_sorted)
    with np.errstate(over="ignore"):  # what float32 does not hold is inf
        value = value.reshape(x.shape).astype(x.dtype, copy=False)
        slopes = [s.reshape(*x.shape, s.shape[1]).astype(x.dtype, copy=False) for s in slopes]
    refuse_value(distance, value, "a value is missing, or infinite")
    if o.keepdims:
        value = np.expand_dims(value, x.axis)
    return TransportGradient(value[()], *(np.moveaxis(s, -1, x.axis) for s in slopes))
