"""``scipy.spatial.distance``'s matrices of Jensen-Shannon distances."""

from __future__ import annotations

from collections.abc import Iterator
from math import isqrt
from typing import Any

import numpy as np

from fastdiv import _matrix, matrix

__all__ = ["cdist", "pdist", "squareform"]

SIDE = 128  # of the squares in which symmetry is looked at


def cdist(XA: Any, XB: Any, metric: Any = "euclidean", *, out: Any = None, **kwargs: Any) -> np.ndarray:
    r"""Every row of `XA` against every row of `XB`, as ``scipy.spatial.distance.cdist``, for "jensenshannon".

    Parameters
    ----------
    XA, XB : array_like
        Two-dimensional, one distribution a row.
    metric : str or callable
        "jensenshannon", "js", or the function ``jensenshannon`` of SciPy or of this module. SciPy's default
        is kept, and refused.
    out : ndarray, optional
        Where to put the result: C-contiguous float64 of its exact shape.
    **kwargs
        `base`, for the function; none for a name, as in SciPy.

    Returns
    -------
    ndarray
        float64. As in SciPy's matrices ``inf`` for a row without mass or with a negative one, NaN for a NaN.

    Raises
    ------
    ValueError
        Another metric, shapes that do not fit, an `out` that does not.
    TypeError
        Another option.

    Notes
    -----
    O(N M n) time for N rows against M of n bins.

    Examples
    --------
    >>> from fastdiv.compat.scipy import cdist
    >>> cdist([[1, 0]], [[1, 0], [0, 1]], "js").round(4)
    array([[0.    , 0.8326]])
    """
    A, B = _rows(XA, "XA"), _rows(XB, "XB")
    base, of_nothing = _metric(metric, kwargs, A.shape[1])
    if A.shape[1] != B.shape[1]:
        raise ValueError(f"XA and XB must have the same number of columns, not {A.shape[1]} and {B.shape[1]}")
    result = _out(out, (len(A), len(B)))
    (wrong_a, a), (wrong_b, b) = _masses(A), _masses(B)
    if result.size and A.shape[1]:
        matrix.cdist(a, a if XA is XB else b, "js_distance", base=base, out=result)
    result[wrong_a], result[:, wrong_b] = of_nothing, of_nothing
    return result


def pdist(X: Any, metric: Any = "euclidean", *, out: Any = None, **kwargs: Any) -> np.ndarray:
    r"""Every pair of rows of `X`, condensed, as ``scipy.spatial.distance.pdist``, for "jensenshannon".

    Parameters
    ----------
    X : array_like
        Two-dimensional, one distribution a row.
    metric : str or callable
        As for ``cdist``.
    out : ndarray, optional
        Where to put the result: C-contiguous float64 of its exact shape.
    **kwargs
        As for ``cdist``.

    Returns
    -------
    ndarray
        float64, of length n (n - 1) / 2: d(0,1), d(0,2), ..., d(1,2), ...

    Raises
    ------
    ValueError
        Another metric, an `X` that is no matrix, an `out` that does not fit.
    TypeError
        Another option.

    Notes
    -----
    O(N^2 n) time for N rows of n bins.

    Examples
    --------
    >>> from fastdiv.compat.scipy import pdist, squareform
    >>> squareform(pdist([[1, 0], [0, 1]], "js")).round(4)
    array([[0.    , 0.8326],
           [0.8326, 0.    ]])
    """
    A = _rows(X, "X")
    base, of_nothing = _metric(metric, kwargs, A.shape[1])
    n = len(A)
    result = _out(out, (n * (n - 1) // 2,))
    wrong, a = _masses(A)
    if result.size and A.shape[1]:
        matrix.pdist(a, "js_distance", base=base, out=result)
    if wrong.any():
        i, j = np.triu_indices(n, 1)
        result[wrong[i] | wrong[j]] = of_nothing
    return result


def squareform(X: Any, force: str = "no", checks: bool = True) -> np.ndarray:
    r"""A condensed vector as a matrix and back, as ``scipy.spatial.distance.squareform``.

    Parameters
    ----------
    X : array_like
        A vector of length n (n - 1) / 2, or a symmetric matrix with zeros on its diagonal.
    force : {"no", "tomatrix", "tovector"}
        Refuse what is a matrix, or a vector, already.
    checks : bool, default True
        Refuse a matrix that is not symmetric, or whose diagonal is not zero.

    Returns
    -------
    ndarray
        Of X's dtype: the matrix, or the vector of what is above its diagonal.

    Raises
    ------
    ValueError
        A length that is no binomial coefficient, a matrix that is not square, symmetric or hollow, more axes,
        objects.

    Notes
    -----
    O(n^2) time for n points.

    Examples
    --------
    >>> from fastdiv.compat.scipy import squareform
    >>> squareform([1, 2, 3])
    array([[0, 1, 2],
           [1, 0, 3],
           [2, 3, 0]])
    """
    X = np.ascontiguousarray(X)
    if X.dtype.hasobject:
        raise ValueError(f"X must hold numbers, not {X.dtype}")
    if force.lower() == "tomatrix" and X.ndim != 1:
        raise ValueError(f"X must be a distance vector with force='tomatrix', not of shape {X.shape}")
    if force.lower() == "tovector" and X.ndim != 2:
        raise ValueError(f"X must be a distance matrix with force='tovector', not of shape {X.shape}")
    if X.ndim == 1:
        n = (1 + isqrt(1 + 8 * len(X))) // 2
        if n * (n - 1) != 2 * len(X):
            raise ValueError(f"X must have n (n - 1)/2 entries for a whole n, not {len(X)}")
        M = np.zeros((n, n), X.dtype)
        _matrix.square(X, M, True)
        return M
    if X.ndim != 2:
        raise ValueError(f"X must be a vector or a matrix, not of shape {X.shape}")
    if X.shape[0] != X.shape[1]:
        raise ValueError(f"X must be square, not of shape {X.shape}")
    if checks and not all(np.array_equal(X[a], X.T[a]) for a in _squares(len(X))):
        raise ValueError("X must be symmetric")
    if checks and X.diagonal().any():
        raise ValueError("X must have a diagonal of zeros")
    n = len(X)
    condensed = np.empty(n * (n - 1) // 2, X.dtype)
    _matrix.square(condensed, X, False)
    return condensed


def _squares(n: int) -> Iterator[tuple[slice, slice]]:
    """The upper triangle in squares that the caches hold: a whole transposed matrix is a line a number."""
    for i in range(0, n, SIDE):
        for j in range(i, n, SIDE):
            yield slice(i, i + SIDE), slice(j, j + SIDE)


def _metric(metric: Any, options: dict[str, Any], bins: int) -> tuple[float | None, float]:
    """The base, and what a row without mass comes to: ``inf`` where the metric came by its name.

    The function gives NaN for it, but 0 for one without bins.
    """
    if isinstance(metric, str):
        if metric.lower() not in ("jensenshannon", "js"):
            raise ValueError(
                f"metric must be 'jensenshannon' or 'js' here, not {metric!r}; "
                "scipy.spatial.distance has the others"
            )
        if options:
            raise TypeError(f"metric 'jensenshannon' takes no options, not {', '.join(options)}")
        return None, np.inf
    if getattr(metric, "__name__", "") != "jensenshannon":
        raise ValueError(f"metric must be 'jensenshannon' or the function of that name, not {metric!r}")
    if set(options) - {"base"}:
        raise TypeError(
            f"jensenshannon takes the option base, not {', '.join(sorted(set(options) - {'base'}))}"
        )
    return options.get("base"), np.nan if bins else 0.0


def _rows(X: Any, name: str) -> np.ndarray:
    X = np.asarray(X)
    if X.ndim != 2:
        raise ValueError(f"{name} must be a 2-dimensional array, not of shape {X.shape}")
    if X.dtype.kind not in "biuf":
        raise ValueError(f"{name} must hold real numbers, not {X.dtype}")
    return np.ascontiguousarray(X, dtype=np.float64)


def _out(out: Any, shape: tuple[int, ...]) -> np.ndarray:
    if out is None:
        return np.empty(shape)
    if out.shape != shape:
        raise ValueError(f"out must have shape {shape}, not {out.shape}")
    if not out.flags.c_contiguous:
        raise ValueError("out must be C-contiguous")
    if out.dtype != np.float64:
        raise ValueError(f"out must have dtype float64, not {out.dtype}")
    given: np.ndarray = out
    return given


def _masses(X: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Which rows have no mass or a negative one; and rows, infinite ones as NaN."""
    negative, most = (X < 0).any(1), X.max(1, initial=0)
    wrong = negative | (most == 0)
    odd = negative | (most == np.inf)
    if odd.any():
        X = X.copy()
        X[odd] = np.nan
    return wrong, X
