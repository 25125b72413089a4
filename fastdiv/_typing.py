"""What type checkers are told of arguments and results; nothing here is imported when a program runs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, Protocol, TypeAlias, TypedDict

import numpy as np

Array: TypeAlias = np.ndarray[Any, Any]
Number: TypeAlias = float | np.bool_ | np.integer[Any] | np.floating[Any]


class Numbers(Protocol):
    """An array of real numbers: NumPy's, or what turns itself into one (pandas, Polars, Arrow, Dask, ...)."""

    def __array__(self) -> np.ndarray[Any, np.dtype[np.bool_ | np.integer[Any] | np.floating[Any]]]: ...


class Sparse(Protocol):
    """A sparse matrix or array of SciPy."""

    def tocsr(self) -> Any: ...


# spelled out: a recursive alias would take str, a sequence of str without end
Row: TypeAlias = Numbers | Sequence[Number]
Rows: TypeAlias = Row | Sequence[Numbers] | Sequence[Sequence[Number]]
Stack: TypeAlias = Sequence[Sequence[Numbers]] | Sequence[Sequence[Sequence[Number]]]
ArrayLike: TypeAlias = Rows | Stack | Sequence[Sequence[Sequence[Sequence[Number]]]]
Matrix: TypeAlias = Rows | Sparse

# An array, or a number for one row: which of the two depends on shapes, that no checker knows. Any stands for
# the number, so that results[0] is no error and results.nonsense still is one.
Value: TypeAlias = np.ndarray[Any, np.dtype[np.floating[Any]]] | Any

# What takes the result of cdist and pdist. Which of the two comes back depends on dtypes, that frames and
# sequences do not tell a checker: no overload would be true of all.
Out: TypeAlias = np.ndarray[Any, np.dtype[np.float32]] | np.ndarray[Any, np.dtype[np.float64]]
Indices: TypeAlias = np.ndarray[Any, np.dtype[np.intp]]

NanPolicy: TypeAlias = Literal["propagate", "omit", "raise"]
SymmetricRowName: TypeAlias = Literal[
    "jeffreys_divergence",
    "js_divergence",
    "js_distance",
    "total_variation",
    "hellinger_distance",
    "triangular_discrimination",
    "bhattacharyya_distance",
]
RowName: TypeAlias = Literal[
    SymmetricRowName,
    "cross_entropy",
    "kl_divergence",
    "chi_square",
    "renyi_divergence",
]
TransportName: TypeAlias = Literal["wasserstein"]
SymmetricName: TypeAlias = Literal[SymmetricRowName, TransportName]
MetricName: TypeAlias = Literal[RowName, TransportName]


class _RowOptions(TypedDict, total=False):
    axis: int
    keepdims: bool
    normalize: bool
    pseudocount: float
    nan_policy: NanPolicy


class GradientOptions(_RowOptions, total=False):
    """What every row-wise measure takes, and alone where it is asked for its gradient."""

    log_input: bool


class Options(GradientOptions, total=False):
    """What every row-wise measure takes."""

    out: Array | None


class LogOptions(Options, total=False):
    """What a measure in units of a logarithm takes."""

    base: float | None


class SampleOptions(TypedDict, total=False):
    """What every distance of samples takes."""

    axis: int
    assume_sorted: bool
    keepdims: bool
    nan_policy: NanPolicy


class LogGradientOptions(GradientOptions, total=False):
    """The same of a measure in units of a logarithm."""

    base: float | None


class CrossGradientOptions(_RowOptions, total=False):
    """The same of cross entropy: of ``"q"`` the second argument alone holds logarithms."""

    base: float | None
    log_input: bool | Literal["q"]


class CrossOptions(CrossGradientOptions, total=False):
    """What cross entropy takes."""

    out: Array | None


class _MatrixOptions(TypedDict, total=False):
    """What every metric of cdist, pdist, knn and Index takes."""

    pseudocount: float
    nan_policy: Literal["propagate", "raise"]


class RowMetricOptions(_MatrixOptions, total=False):
    """What their metrics of rows take, each some of it."""

    base: float | None
    weights: Row | None
    alpha: float
    normalize: bool
    log_input: bool


class TransportOptions(_MatrixOptions, total=False):
    """What "wasserstein" takes: of masses their places, of samples an order."""

    support: Row | None
    samples: bool
    p: float


class MetricOptions(RowMetricOptions, TransportOptions, total=False):
    """All of it."""
