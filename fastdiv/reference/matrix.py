"""Plain twins of the matrices: loops over the row-wise reference, a stable sort for the neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

import numpy as np

from fastdiv._checks.arrays import as_exact_numbers, as_numbers, same_labels
from fastdiv._checks.bins import same_bins
from fastdiv.reference import information, transport

if TYPE_CHECKING:
    from typing import Unpack

    from fastdiv._typing import (
        Array,
        Matrix,
        MetricName,
        MetricOptions,
        RowMetricOptions,
        RowName,
        SymmetricName,
        SymmetricRowName,
        TransportName,
        TransportOptions,
    )

__all__ = ["cdist", "knn", "pdist"]

_SYMMETRIC = (
    "jeffreys_divergence",
    "js_divergence",
    "js_distance",
    "total_variation",
    "hellinger_distance",
    "triangular_discrimination",
    "bhattacharyya_distance",
    "wasserstein",
)


def _distance(metric: str, p: Any, q: Any, options: MetricOptions) -> Any:
    """One pair of rows."""
    if metric != "wasserstein":
        return getattr(information, metric)(p, q, **options)
    if options.get("samples", False):
        return transport.wasserstein_distance(p, q, p=options.get("p", 1))
    masses = (np.add(x, options.get("pseudocount", 0.0), dtype=np.float64) for x in (p, q))
    return transport.wasserstein_hist(*masses, support=options.get("support"))


def _matrix(XA: Any, XB: Any, metric: str, metric_options: MetricOptions) -> Array:
    """Every row with every row."""
    support = metric_options.get("support")
    policy: Any = metric_options.get("nan_policy")
    if policy == "omit":
        raise ValueError("nan_policy='omit' would drop other bins for every pair; use it row by row")
    if not metric_options.get("samples", False):
        same_labels({"XA": XA, "XB": XB})
        same_labels({"XA": XA, "support": support})
        same_labels({"XB": XB, "support": support})
        same_bins({"XA": XA, "XB": XB})
    door = as_exact_numbers if metric_options.get("samples", False) else as_numbers
    XA, XB = door(XA, "XA"), door(XB, "XB")
    for name, x in (("XA", XA), ("XB", XB)):
        if policy == "raise" and metric == "wasserstein" and np.isnan(x).any():
            raise ValueError(f"{name} has a missing value")
    single = XA.dtype == np.float32 and XB.dtype == np.float32
    out = np.empty((len(XA), len(XB)), np.float32 if single else np.float64)
    for i, p in enumerate(XA):
        for j, q in enumerate(XB):
            out[i, j] = _distance(metric, p, q, metric_options)
    return out


@overload
def cdist(
    XA: Matrix,
    XB: Matrix,
    metric: RowName = "js_distance",
    *,
    workers: int | None = None,
    **metric_options: Unpack[RowMetricOptions],
) -> Array: ...


@overload
def cdist(
    XA: Matrix,
    XB: Matrix,
    metric: TransportName,
    *,
    workers: int | None = None,
    **metric_options: Unpack[TransportOptions],
) -> Array: ...


def cdist(
    XA: Matrix,
    XB: Matrix,
    metric: MetricName = "js_distance",
    *,
    workers: int | None = None,
    **metric_options: Unpack[MetricOptions],
) -> Array:
    """Every row of `XA` with every row of `XB`; see ``fastdiv.cdist``. `workers` changes nothing."""
    return _matrix(XA, XB, metric, metric_options)


@overload
def pdist(
    X: Matrix,
    metric: SymmetricRowName = "js_distance",
    *,
    workers: int | None = None,
    **metric_options: Unpack[RowMetricOptions],
) -> Array: ...


@overload
def pdist(
    X: Matrix,
    metric: TransportName,
    *,
    workers: int | None = None,
    **metric_options: Unpack[TransportOptions],
) -> Array: ...


def pdist(
    X: Matrix,
    metric: SymmetricName = "js_distance",
    *,
    workers: int | None = None,
    **metric_options: Unpack[MetricOptions],
) -> Array:
    """Every pair of rows of `X`, condensed; see ``fastdiv.pdist``."""
    if metric not in _SYMMETRIC:
        raise ValueError(f"metric {metric!r} is not symmetric")
    whole = _matrix(X, X, metric, metric_options)
    return whole[np.triu_indices(len(whole), 1)]


@overload
def knn(
    XA: Matrix,
    XB: Matrix,
    k: int,
    metric: RowName = "js_distance",
    *,
    workers: int | None = None,
    **metric_options: Unpack[RowMetricOptions],
) -> tuple[Array, Array]: ...


@overload
def knn(
    XA: Matrix,
    XB: Matrix,
    k: int,
    metric: TransportName,
    *,
    workers: int | None = None,
    **metric_options: Unpack[TransportOptions],
) -> tuple[Array, Array]: ...


def knn(
    XA: Matrix,
    XB: Matrix,
    k: int,
    metric: MetricName = "js_distance",
    *,
    workers: int | None = None,
    **metric_options: Unpack[MetricOptions],
) -> tuple[Array, Array]:
    """The `k` nearest rows of `XB`, nearest first, equal ones by index; see ``fastdiv.knn``."""
    whole = _matrix(XA, XB, metric, metric_options)
    if not 1 <= k <= whole.shape[1]:
        raise ValueError(f"k must be from 1 to the {whole.shape[1]} rows of XB, not {k}")
    indices = np.argsort(whole, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(whole, indices, 1), indices
