"""Plain twins of the matrices: loops over the row-wise reference, a stable sort for the neighbours."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from fastdiv._checks.arrays import same_labels
from fastdiv.reference import information, transport

if TYPE_CHECKING:
    from typing import Unpack

    from fastdiv._typing import Matrix, MetricName, MetricOptions, SymmetricName

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
    pseudocount = options.get("pseudocount", 0.0)
    support = options.get("support")
    places = np.arange(len(p)) if support is None else np.asarray(support)
    return transport.wasserstein_distance(places, places, p + pseudocount, q + pseudocount)


def cdist(
    XA: Matrix,
    XB: Matrix,
    metric: MetricName = "js_distance",
    *,
    workers: int | None = None,
    **metric_options: Unpack[MetricOptions],
) -> np.ndarray[Any, Any]:
    """Every row of `XA` with every row of `XB`; see ``fastdiv.cdist``. `workers` changes nothing."""
    support = metric_options.get("support")
    if not metric_options.get("samples", False):
        same_labels({"XA": XA, "XB": XB})
        same_labels({"XA": XA, "support": support})
        same_labels({"XB": XB, "support": support})
    XA, XB = np.asarray(XA), np.asarray(XB)
    single = XA.dtype == np.float32 and XB.dtype == np.float32
    out = np.empty((len(XA), len(XB)), np.float32 if single else np.float64)
    for i, p in enumerate(XA):
        for j, q in enumerate(XB):
            out[i, j] = _distance(metric, p, q, metric_options)
    return out


def pdist(
    X: Matrix,
    metric: SymmetricName = "js_distance",
    *,
    workers: int | None = None,
    **metric_options: Unpack[MetricOptions],
) -> np.ndarray[Any, Any]:
    """Every pair of rows of `X`, condensed; see ``fastdiv.pdist``."""
    if metric not in _SYMMETRIC:
        raise ValueError(f"metric {metric!r} is not symmetric")
    whole = cdist(X, X, metric, **metric_options)
    return whole[np.triu_indices(len(whole), 1)]


def knn(
    XA: Matrix,
    XB: Matrix,
    k: int,
    metric: MetricName = "js_distance",
    *,
    workers: int | None = None,
    **metric_options: Unpack[MetricOptions],
) -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """The `k` nearest rows of `XB`, nearest first, equal ones by index; see ``fastdiv.knn``."""
    whole = cdist(XA, XB, metric, **metric_options)
    indices = np.argsort(whole, axis=1, kind="stable")[:, :k]
    return np.take_along_axis(whole, indices, 1), indices
