"""Samples for compiled functions: the door (``_checks/samples.py``) with compiled passes over the data."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastdiv import _wasserstein
from fastdiv._checks import samples as door
from fastdiv._threads import heard

__all__ = ["Pair", "check_weights", "most_numbers", "pair", "samples"]


class Pair(NamedTuple):
    """Two samples in ascending order, and the order that sorts what was given."""

    u: np.ndarray
    v: np.ndarray
    u_weights: np.ndarray | None
    v_weights: np.ndarray | None
    u_order: np.ndarray
    v_order: np.ndarray


def check_weights(weights: Any, name: str, values: np.ndarray, whose: str, axis: int) -> np.ndarray | None:
    """See the door."""
    return door.check_weights(weights, name, values, whose, axis, _wasserstein.largest_weight)


def samples(
    u_values: Any, v_values: Any, u_weights: Any, v_weights: Any, axis: int, nan_policy: str
) -> door.Samples:
    """See the door."""
    given = u_values, v_values, u_weights, v_weights, axis, nan_policy, _wasserstein.largest_weight
    checked: door.Samples = heard(most_numbers(u_values, v_values), door.samples, *given)
    return checked


def pair(u_values: Any, v_values: Any, u_weights: Any, v_weights: Any) -> Pair:
    """The arguments of a function of a single pair of samples: finite, sorted."""
    values = u_values, v_values, u_weights, v_weights
    given: door.Samples = heard(
        most_numbers(u_values, v_values), door.finite_pair, *values, _wasserstein.largest_weight
    )
    u, a, u_order = _ascending(given.u)
    v, b, v_order = _ascending(given.v)
    return Pair(u, v, a, b, u_order, v_order)


def most_numbers(*arrays: Any) -> int:
    """How many numbers the largest of those has that are arrays of NumPy."""
    return max(a.size if type(a) is np.ndarray else 0 for a in arrays)


def _ascending(rows: door.Rows) -> tuple[np.ndarray, np.ndarray | None, np.ndarray]:
    x = rows.values[0]
    order, ordered = np.empty(len(x), np.intp), np.empty_like(x)
    _wasserstein.order(x, order, ordered)
    return ordered, None if rows.weights is None else rows.weights[0][order], order
