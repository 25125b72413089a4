"""What is written by hand where no library function exists: NumPy expressions, and steps around a peer."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def kl_divergence(p: Array, q: Array, axis: int = -1) -> Any:
    return (p * np.log(p / q)).sum(axis)


def jeffreys_divergence(p: Array, q: Array) -> Any:
    return ((p - q) * np.log(p / q)).sum(-1)


def js_distance(p: Array, q: Array, axis: int = -1) -> Any:
    m = 0.5 * (p + q)
    return np.sqrt(0.5 * (p * np.log(p / m) + q * np.log(q / m)).sum(axis))


def of_logits(name: str, p: Array, q: Array) -> Any:
    from scipy.special import log_softmax

    p, q = log_softmax(p, axis=-1), log_softmax(q, axis=-1)
    if name == "kl_divergence":
        return (np.exp(p) * (p - q)).sum(-1)
    m = np.logaddexp(p, q) - np.log(2)
    return np.sqrt(0.5 * (np.exp(p) * (p - m) + np.exp(q) * (q - m)).sum(-1))


def shares(p: Array, pseudocount: float = 0.0) -> Array:
    p = p + pseudocount
    return np.asarray(p / p.sum(-1, keepdims=True))


def kl_matrix(A: Array, B: Array) -> Any:
    return (A * np.log(A)).sum(1)[:, None] - A @ np.log(B).T


def cityblock(A: Array, B: Array) -> Any:
    """W1 over shared bins, with SciPy."""
    from scipy.spatial import distance

    return distance.cdist(A.cumsum(1), B.cumsum(1), "cityblock")


def row_by_row(function: Callable[..., Any]) -> Callable[..., Any]:
    """A function of two samples, row after row."""
    return lambda u, v: [function(x, y) for x, y in zip(u, v, strict=True)]


def smallest(matrix: Array, k: int) -> Array:
    where = np.argpartition(matrix, k, axis=1)[:, :k]
    return np.sort(np.take_along_axis(matrix, where, 1), axis=1)


def brute(A: Array, B: Array, k: int) -> Any:
    """Neighbours by W1 over shared bins, with scikit-learn on one thread."""
    from sklearn.neighbors import NearestNeighbors
    from threadpoolctl import threadpool_limits

    with threadpool_limits(1):
        near = NearestNeighbors(n_neighbors=k, algorithm="brute", metric="manhattan")
        return near.fit(B.cumsum(1)).kneighbors(A.cumsum(1))[0]
