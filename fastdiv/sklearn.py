"""fastdiv in scikit-learn's pipelines: the extra ``fastdiv[sklearn]``.

``NeighborsTransformer`` makes the sparse graph of exact nearest neighbours that ``metric="precomputed"``
takes; ``js_kernel`` is a kernel for ``SVC``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from fastdiv._checks import options as opt
from fastdiv.matrix import Index, cdist

if TYPE_CHECKING:
    from typing import Self

try:
    from sklearn.base import BaseEstimator, ClassNamePrefixFeaturesOutMixin, TransformerMixin
    from sklearn.utils.validation import check_is_fitted, check_non_negative, validate_data
except ModuleNotFoundError as error:
    if error.name != "sklearn":
        raise
    raise ImportError(
        "fastdiv.sklearn needs scikit-learn: pip install 'fastdiv[sklearn]'", name="sklearn"
    ) from error

__all__ = ["NeighborsTransformer", "js_kernel"]


class NeighborsTransformer(
    ClassNamePrefixFeaturesOutMixin,  # type: ignore[misc]
    TransformerMixin,  # type: ignore[misc]
    BaseEstimator,  # type: ignore[misc]
):
    r"""The sparse graph of the exact nearest neighbours, for estimators with ``metric="precomputed"``.

    As scikit-learn's ``KNeighborsTransformer``, by a measure of fastdiv. What is infinitely far is no
    neighbour and not in the graph, as every row is from one without mass: DBSCAN calls such a row noise, and
    ``KNeighborsClassifier`` says that it has too few neighbours.

    Parameters
    ----------
    n_neighbors : int, default 5
        The neighbours of each row. A graph of distances holds one more: a row of the data is its own.
    metric : str, default "js_distance"
        As for ``fastdiv.cdist``.
    mode : {"distance", "connectivity"}
        What the graph holds: distances, or ones.
    metric_options : dict, optional
        As for ``fastdiv.cdist``.
    n_jobs : int, optional
        Threads at most, -1 for every CPU. None: what ``fastdiv.num_threads`` says.

    Attributes
    ----------
    index_ : fastdiv.Index
        The rows, prepared.
    n_samples_fit_ : int
        Their number.

    Notes
    -----
    O(N M n) time at most for N rows against M of n bins; the graph has O(N k) entries.

    Examples
    --------
    >>> from fastdiv.sklearn import NeighborsTransformer
    >>> graph = NeighborsTransformer(1, metric="total_variation").fit_transform([[1, 0], [3, 1], [0, 1]])
    >>> graph.toarray()
    array([[0.  , 0.25, 0.  ],
           [0.25, 0.  , 0.  ],
           [0.  , 0.75, 0.  ]])
    """

    def __init__(
        self,
        n_neighbors: int = 5,
        *,
        metric: str = "js_distance",
        mode: str = "distance",
        metric_options: Mapping[str, Any] | None = None,
        n_jobs: int | None = None,
    ) -> None:
        self.n_neighbors = n_neighbors
        self.metric = metric
        self.mode = mode
        self.metric_options = metric_options
        self.n_jobs = n_jobs

    def fit(self, X: Any, y: Any = None) -> Self:
        """Prepare the rows of `X` as those among which neighbours are looked for; `y` is ignored."""
        if self.mode not in ("distance", "connectivity"):
            raise ValueError(f"mode must be 'distance' or 'connectivity', not {self.mode!r}")
        opt.count(self.n_neighbors, "n_neighbors", least=1)
        X = self._checked(X, reset=True)
        self.index_ = Index(X, self.metric, **(self.metric_options or {}))  # type: ignore[call-overload]
        self.n_samples_fit_ = self._n_features_out = X.shape[0]
        return self

    def transform(self, X: Any) -> Any:
        """The graph from the rows of `X` to those of the data, CSR, each row from its nearest on."""
        from scipy.sparse import csr_matrix

        check_is_fitted(self)
        distances, indices = self._query(X, self.n_neighbors + (self.mode == "distance"))
        near = np.isfinite(distances)
        data = distances if self.mode == "distance" else np.ones(indices.shape, distances.dtype)
        starts = np.append(0, np.cumsum(near.sum(axis=1)))
        return csr_matrix((data[near], indices[near], starts), (len(near), self.n_samples_fit_))

    def precomputed_knn(self, X: Any) -> tuple[np.ndarray, np.ndarray]:
        """Indices and distances of the `n_neighbors` nearest, a row itself among them, as UMAP takes them.

        A row without mass is infinitely far from all, which UMAP takes as disconnected.

        ``umap.UMAP(n_neighbors=k, precomputed_knn=transformer.precomputed_knn(X))``
        """
        check_is_fitted(self)
        distances, indices = self._query(X, self.n_neighbors)
        return indices, distances

    def _query(self, X: Any, k: int) -> tuple[np.ndarray, np.ndarray]:
        if k > self.n_samples_fit_:
            raise ValueError(
                f"n_neighbors must leave {k} rows to be found, not n_samples = {self.n_samples_fit_}"
            )
        X = self._checked(X, reset=False)
        distances, indices = self.index_.query(X, k, workers=self.n_jobs)
        return np.where(np.isnan(distances), np.asarray(np.inf, distances.dtype), distances), indices

    def _checked(self, X: Any, reset: bool) -> Any:
        X = validate_data(
            self, X, reset=reset, accept_sparse="csr", dtype=[np.float64, np.float32], ensure_min_samples=1
        )
        if self._masses:
            check_non_negative(X, type(self).__name__)
        return X

    @property
    def _masses(self) -> bool:
        options = self.metric_options or {}
        return not options.get("log_input") and not options.get("samples")

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.positive_only = self._masses
        tags.input_tags.sparse = True
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        return tags


def js_kernel(X: Any, Y: Any = None, gamma: float = 1.0, **metric_options: Any) -> np.ndarray:
    r"""The kernel :math:`e^{-\gamma JS(x, y)}` between rows, for ``SVC(kernel=js_kernel)``.

    Parameters
    ----------
    X, Y : array_like or scipy.sparse matrix
        Two-dimensional, one distribution a row. None: `X`.
    gamma : float, default 1.0
        At least 0. ``functools.partial(js_kernel, gamma=10.0)`` is a kernel with another.
    **metric_options
        Those of ``fastdiv.js_divergence``: `base`, `pseudocount`, `log_input` and more.

    Returns
    -------
    ndarray
        Of shape (rows of `X`, rows of `Y`), from 0 to 1. NaN for rows without mass.

    Raises
    ------
    ValueError
        A gamma that is negative or infinite, and what ``fastdiv.cdist`` raises.

    Notes
    -----
    O(n m k) time for n against m rows of k bins.

    JS is the square of a metric of negative type, so the kernel is positive definite for every gamma [1]_.

    References
    ----------
    .. [1] M. Hein, O. Bousquet, "Hilbertian metrics and positive definite kernels on probability measures",
       AISTATS (2005).

    Examples
    --------
    >>> from fastdiv.sklearn import js_kernel
    >>> js_kernel([[1, 0], [1, 1]], gamma=2.0).round(4)
    array([[1.    , 0.6495],
           [0.6495, 1.    ]])
    """
    gamma = opt.not_negative(gamma, "gamma")
    js = cdist(X, X if Y is None else Y, "js_divergence", **metric_options)
    kernel: np.ndarray = np.exp(-gamma * np.asarray(js))
    return kernel
