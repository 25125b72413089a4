"""Many rows against many: matrices of distances, in memory or out of it, and exact nearest neighbours.

Rows are prepared once and compared in tiles by a fast form of each measure; the pairs that this leaves with
too few digits are computed again as the row-wise functions do it, so every entry keeps their accuracy
(relative error 1e-12, float32 5e-6, wherever the value is at least 1e-30). The same bits for any number of
threads.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, overload

from fastdiv._checks.options import flag
from fastdiv._labels import labels_of, of_matrix, of_neighbours
from fastdiv.matrix.fill import Job, condensed
from fastdiv.matrix.metric import METRICS

if TYPE_CHECKING:
    from typing import Unpack

    from fastdiv._typing import (
        Array,
        Indices,
        Matrix,
        MetricName,
        MetricOptions,
        Out,
        RowMetricOptions,
        RowName,
        SymmetricName,
        SymmetricRowName,
        TransportName,
        TransportOptions,
        Value,
    )

__all__ = ["METRICS", "Index", "Job", "cdist", "knn", "pdist"]


@overload
def cdist(
    XA: Matrix,
    XB: Matrix,
    metric: RowName = "js_distance",
    *,
    out: Out | None = None,
    workers: int | None = None,
    **metric_options: Unpack[RowMetricOptions],
) -> Value: ...


@overload
def cdist(
    XA: Matrix,
    XB: Matrix,
    metric: TransportName,
    *,
    out: Out | None = None,
    workers: int | None = None,
    **metric_options: Unpack[TransportOptions],
) -> Value: ...


def cdist(
    XA: Matrix,
    XB: Matrix,
    metric: MetricName = "js_distance",
    *,
    out: Out | None = None,
    workers: int | None = None,
    **metric_options: Unpack[MetricOptions],
) -> Value:
    r"""Every row of `XA` compared with every row of `XB`.

    Entry [i, j] is what the row-wise function of that name gives for ``XA[i], XB[j]``: of asymmetric metrics
    ``D(XA[i] || XB[j])``.

    Parameters
    ----------
    XA, XB : array_like or scipy.sparse matrix
        Two-dimensional, one distribution (or sample) a row, with the same number of bins. Where `XB` is `XA`
        and the metric symmetric, half is computed. Sparse rows (CSR, or what becomes it) stay sparse, and
        dense ones that are mostly 0 are compressed where that is faster.
    metric : str
        A public function's name: "cross_entropy", "kl_divergence", "jeffreys_divergence", "js_divergence",
        "js_distance", "total_variation", "hellinger_distance", "chi_square", "triangular_discrimination",
        "bhattacharyya_distance", "renyi_divergence"; or "wasserstein".
    out : ndarray, optional
        Where to put the result: its exact shape and dtype. A ``np.memmap`` is written in blocks of rows, in
        order, with bounded memory.
    workers : int, optional
        Threads at most, -1 for every CPU. None: what ``num_threads`` says. The bits do not depend on it.
    **metric_options
        Those of the function: `base`, `weights`, `alpha`, `normalize`, `pseudocount`, `log_input`,
        `nan_policy` ("propagate" or "raise"). For "wasserstein": `support`, the increasing places of the bins
        (0, 1, 2, ... if not given); or ``samples=True`` for rows of samples (of any size; infinite ones and
        64-bit integers are as in ``wasserstein_distance``), and the order `p`.

    Returns
    -------
    ndarray
        Of shape (rows of `XA`, rows of `XB`); float32 where both are float32, else float64. NaN for rows
        without mass or with a NaN. Of data frames of pandas a frame, labelled by the rows of both; of arrays
        of xarray one with both dimensions.

    Raises
    ------
    ValueError
        Shapes that do not fit, a negative or infinite mass (argument, row and bin are named), an unknown
        metric, an option out of range, an `out` that is read-only or overlaps an input.
    TypeError
        Entries that are not real numbers, an option that the metric does not take.
    MemoryError
        Before any work, if the result cannot fit.

    Notes
    -----
    O(N M n) time for N rows against M of n bins (of sparse rows: for their entries), O((N + M) n) memory
    besides the result. Jensen-Shannon takes one logarithm a bin; Kullback-Leibler, cross entropy, Jeffreys,
    Hellinger, Renyi and chi-square are matrix products; total variation and Wasserstein sums of absolute
    differences. What comes out so small that digits were lost is computed again pair by pair.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.cdist([[1, 0], [1, 1]], [[1, 0], [0, 1]], "js_distance", base=2)
    array([[0.        , 1.        ],
           [0.55792305, 0.55792305]])
    """
    matrix = Job(XA, XB, metric, metric_options, workers).fill(out)
    return of_matrix(matrix, XA, XB) if out is None else matrix


@overload
def pdist(
    X: Matrix,
    metric: SymmetricRowName = "js_distance",
    *,
    out: Out | None = None,
    workers: int | None = None,
    **metric_options: Unpack[RowMetricOptions],
) -> Array: ...


@overload
def pdist(
    X: Matrix,
    metric: TransportName,
    *,
    out: Out | None = None,
    workers: int | None = None,
    **metric_options: Unpack[TransportOptions],
) -> Array: ...


def pdist(
    X: Matrix,
    metric: SymmetricName = "js_distance",
    *,
    out: Out | None = None,
    workers: int | None = None,
    **metric_options: Unpack[MetricOptions],
) -> Array:
    r"""Every pair of rows of `X`, condensed as in SciPy: d(0,1), d(0,2), ..., d(1,2), ...

    Parameters
    ----------
    X : array_like
        Two-dimensional, one distribution (or sample) a row.
    metric : str
        A symmetric one of those that ``cdist`` knows.
    out : ndarray, optional
        Where to put the result: its exact shape and dtype.
    workers : int, optional
        Threads at most, -1 for every CPU. None: what ``num_threads`` says.
    **metric_options
        As for ``cdist``.

    Returns
    -------
    ndarray
        Of length n (n - 1) / 2; ``scipy.spatial.distance.squareform`` makes it a matrix. It has no labels,
        of a data frame neither: ``cdist(X, X)`` has.

    Raises
    ------
    ValueError
        An asymmetric metric, and what ``cdist`` raises.
    TypeError, MemoryError
        As ``cdist``.

    Notes
    -----
    O(N^2 n) time for N rows of n bins, half of ``cdist``'s; O(N n) memory besides the result.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.pdist([[1, 0], [1, 1], [0, 1]], "total_variation")
    array([0.5, 1. , 0.5])
    """
    return condensed(X, metric, metric_options, out, workers)


class Index:
    """Rows prepared once, to be asked for neighbours many times.

    Parameters
    ----------
    XB : array_like
        Two-dimensional, one distribution (or sample) a row. It is not copied where it is float32 or float64:
        do not change it.
    metric : str
        As for ``cdist``.
    **metric_options
        As for ``cdist``.

    Examples
    --------
    >>> import fastdiv
    >>> index = fastdiv.Index([[1, 0], [1, 1], [0, 1]], "total_variation")
    >>> index.query([[3, 1]], k=2)
    (array([[0.25, 0.25]]), array([[0, 1]]))
    """

    @overload
    def __init__(
        self, XB: Matrix, metric: RowName = "js_distance", **metric_options: Unpack[RowMetricOptions]
    ) -> None: ...

    @overload
    def __init__(
        self, XB: Matrix, metric: TransportName, **metric_options: Unpack[TransportOptions]
    ) -> None: ...

    def __init__(
        self, XB: Matrix, metric: MetricName = "js_distance", **metric_options: Unpack[MetricOptions]
    ) -> None:
        from fastdiv.matrix.neighbours import Search

        self._search, self._labels = Search(XB, metric, metric_options), labels_of(XB)

    def __len__(self) -> int:
        return len(self._search.rows)

    def __repr__(self) -> str:
        rows, bins = self._search.rows.shape
        return f"<fastdiv.Index of {rows} rows of {bins} bins, {self._search.task.metric}>"

    def query(
        self, XA: Matrix, k: int, *, workers: int | None = None, labels: bool = False
    ) -> tuple[Value, Indices | Any]:
        """The `k` nearest rows for each row of `XA`: see ``knn``."""
        if flag(labels, "labels") and self._labels is None:
            raise TypeError(
                "labels=True needs rows of XB with labels: a frame of pandas, or a coordinate of xarray"
            )
        found = self._search.query(XA, k, workers)
        return of_neighbours(found, XA, self._labels) if labels else found


@overload
def knn(
    XA: Matrix,
    XB: Matrix,
    k: int,
    metric: RowName = "js_distance",
    *,
    workers: int | None = None,
    labels: bool = False,
    **metric_options: Unpack[RowMetricOptions],
) -> tuple[Value, Indices | Any]: ...


@overload
def knn(
    XA: Matrix,
    XB: Matrix,
    k: int,
    metric: TransportName,
    *,
    workers: int | None = None,
    labels: bool = False,
    **metric_options: Unpack[TransportOptions],
) -> tuple[Value, Indices | Any]: ...


def knn(
    XA: Matrix,
    XB: Matrix,
    k: int,
    metric: MetricName = "js_distance",
    *,
    workers: int | None = None,
    labels: bool = False,
    **metric_options: Unpack[MetricOptions],
) -> tuple[Value, Indices | Any]:
    r"""The `k` rows of `XB` nearest to each row of `XA`, exactly.

    Parameters
    ----------
    XA, XB : array_like
        Two-dimensional, one distribution (or sample) a row, with the same number of bins; samples may be of
        any size.
    k : int
        From 1 to the number of rows of `XB`.
    metric : str
        As for ``cdist``; of asymmetric metrics ``D(XA[i] || XB[j])`` is taken.
    workers : int, optional
        Threads at most, -1 for every CPU. None: what ``num_threads`` says.
    labels : bool, default False
        Give the neighbours' labels in place of their numbers: the index of a data frame of pandas, or the
        coordinate of xarray. Results then are labelled by the rows of `XA`, where these have labels.
    **metric_options
        As for ``cdist``.

    Returns
    -------
    distances, indices : ndarray
        Both of shape (rows of `XA`, k), nearest first, equal distances by index, NaN last: the first `k` of a
        stable sort of ``cdist(XA, XB)``, bit for bit, with memory for n k numbers only.

    Raises
    ------
    ValueError
        A `k` out of range, and what ``cdist`` raises.
    TypeError, MemoryError
        As ``cdist``.

    Notes
    -----
    O(N M n) time at most, for N rows against M of n bins; bounds spare most pairs all but a small part of it
    where neighbours stand out.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.knn([[3, 1]], [[1, 0], [1, 1], [0, 1]], 2, "total_variation")
    (array([[0.25, 0.25]]), array([[0, 1]]))
    """
    index: Any = Index
    found: tuple[Value, Indices | Any] = index(XB, metric, **metric_options).query(
        XA, k, workers=workers, labels=labels
    )
    return found
