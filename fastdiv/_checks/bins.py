"""Histograms that know their bins: those of UHI (boost-histogram, hist, uproot, ...), and (counts, edges).

UHI's protocol is ``kind``, ``axes`` and ``values()``, which leaves out what fell beside the bins (underflow,
overflow) and is the sum of weights where there are any. A pair of NumPy's form is a *tuple* of two vectors of
which the second has one entry more: as rows of a matrix these would be of two lengths.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np

__all__ = ["MASSES", "Bins", "binned", "bins_of", "counts_of", "on_a_line", "same_bins"]

MASSES = ("p", "q", "u", "v", "X", "XA", "XB")  # arguments that histograms may be


class Bins(NamedTuple):
    """Edges, one more than bins; or what the bins stand for, one each."""

    places: list[Any]
    are_edges: bool

    def difference(self, other: Bins) -> str:
        """The first, in words; nothing where they are the same."""
        if self.are_edges != other.are_edges:
            return "edges against categories"
        what = "edge" if self.are_edges else "category"
        for i, (a, b) in enumerate(zip(self.places, other.places, strict=False)):
            if a != b:
                return f"{what} {i} is {a!r} and {b!r}"
        n, m = (len(x.places) - x.are_edges for x in (self, other))
        return "" if n == m else f"{n} of them against {m}"


def binned(values: Any) -> bool:
    """Whether it is a histogram that knows its bins."""
    if type(values) is tuple:
        return _is_pair(values)
    return (
        callable(getattr(type(values), "values", None))
        and hasattr(values, "axes")
        and hasattr(values, "kind")
    )


def _is_pair(values: tuple[Any, ...]) -> bool:
    try:
        fits = len(values) == 2 and len(values[1]) == len(values[0]) + 1
        return fits and np.ndim(values[0]) == np.ndim(values[1]) == 1
    except (TypeError, ValueError):  # numbers, ragged lists
        return False


def counts_of(histogram: Any, name: str) -> Any:
    """The masses of its bins, one axis."""
    if name.partition("[")[0] not in MASSES:
        what = "(counts, edges)" if type(histogram) is tuple else f"a {type(histogram).__name__}"
        raise TypeError(
            f"{name} is {what}, a histogram, which is not taken here; wasserstein_hist compares two on a line"
        )
    if type(histogram) is tuple:
        return histogram[0]
    kind = str(getattr(histogram.kind, "value", histogram.kind))
    if kind != "COUNT":
        raise TypeError(f"{name} is a histogram of kind {kind}, not of counts: pass {name}.counts()")
    if len(histogram.axes) != 1:
        raise ValueError(
            f"{name} is a histogram of {len(histogram.axes)} axes, where one is needed: pass {name}.values() "
            f"if its rows are distributions, {name}.values().ravel() if all of it is one"
        )
    return np.asarray(histogram.values())


def bins_of(histogram: Any, name: str) -> Bins:
    """What its bins are."""
    if type(histogram) is tuple:
        return _edges(histogram[1], f"{name}[1]")
    axis = histogram.axes[0]
    entries = [axis[i] for i in range(len(axis))]
    if getattr(axis.traits, "discrete", False):
        return Bins(entries, False)
    edges = getattr(axis, "edges", None)
    if edges is None:  # the protocol has the two ends of each
        for i, (left, right) in enumerate(pairwise(entries)):
            if left[1] != right[0]:
                raise ValueError(f"{name} has a gap between bins {i} and {i + 1}: {left[1]} and {right[0]}")
        edges = [*(left for left, _ in entries), entries[-1][1]]
    return _edges(edges, f"{name}.axes[0].edges")


def _edges(edges: Any, name: str) -> Bins:
    array = np.asarray(edges)
    if array.dtype.kind not in "biuf":
        raise TypeError(f"{name} has dtype {array.dtype}, but edges are real numbers")
    falls = ~(array[1:] > array[:-1])
    if falls.any():
        i = int(np.argmax(falls))
        raise ValueError(f"{name} must ascend, but edge {i} is {array[i]} and edge {i + 1} is {array[i + 1]}")
    return Bins(array.tolist(), True)


def same_bins(arrays: dict[str, Any]) -> bool:
    """Whether any of them has bins; raise ``ValueError`` where those of two differ."""
    first: tuple[str, Bins] | None = None
    for name, histogram in _histograms(arrays):
        bins = bins_of(histogram, name)
        if first is None:
            first = name, bins
        elif first[1] != bins:
            way = "count both in the same bins, or take wasserstein_hist, which needs none in common"
            if not (bins.are_edges and first[1].are_edges):
                way = "they are compared by place, so count both in the same, in the same order"
            raise ValueError(
                f"{first[0]} and {name} have bins that differ ({first[1].difference(bins)}); {way}"
            )
    return first is not None


def _histograms(arrays: dict[str, Any]) -> list[tuple[str, Any]]:
    """By name, those in lists as well."""
    found: list[tuple[str, Any]] = []
    for name, array in arrays.items():
        if type(array) is np.ndarray:
            continue
        if binned(array):
            found.append((name, array))
        elif isinstance(array, (list, tuple)) and array and binned(array[0]):
            found += [(f"{name}[{i}]", each) for i, each in enumerate(array) if binned(each)]
    return found


def on_a_line(u: Any, v: Any, support: Any, bin_edges: Any, v_bin_edges: Any) -> tuple[Any, ...]:
    """The arrays of `fastdiv.wasserstein_hist`, of histograms among them the counts, and their bins."""
    if type(u) is type(v) is np.ndarray:
        return u, v, support, bin_edges, v_bin_edges
    given = {"u": u, "v": v}
    known = {name: bins_of(x, name) for name, x in given.items() if type(x) is not np.ndarray and binned(x)}
    if not known:
        return u, v, support, bin_edges, v_bin_edges
    if not (support is None and bin_edges is None and v_bin_edges is None):
        raise ValueError(
            f"{' and '.join(known)} must be masses alone where support or bin_edges is given, not a "
            "histogram, which has its own bins"
        )
    for name, bins in known.items():
        _refuse_placeless(given[name], bins, name)
    counts = [counts_of(x, name) if name in known else x for name, x in given.items()]
    a, b = (known.get(name, next(iter(known.values()))) for name in given)
    if a.are_edges and b.are_edges:
        return *counts, None, a.places, None if a == b else b.places
    if a != b:
        raise ValueError(
            f"u and v have masses at points that differ ({a.difference(b)}); wasserstein_distance takes the "
            "points of each, and masses as weights"
        )
    return *counts, a.places, None, None


def _refuse_placeless(histogram: Any, bins: Bins, name: str) -> None:
    if type(histogram) is not tuple and getattr(histogram.axes[0].traits, "circular", False):
        raise ValueError(
            f"{name} has bins around a circle, not on a line; wasserstein_circle takes places and weights"
        )
    if not bins.are_edges and not all(isinstance(x, (int, float, np.number)) for x in bins.places):
        raise ValueError(
            f"{name} has categories, {bins.places[0]!r} and others, which have no place on a line"
        )
