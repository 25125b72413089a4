"""``scipy.stats.entropy`` and ``scipy.spatial.distance.jensenshannon``."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from fastdiv._distances import js_distance
from fastdiv._divergences import js_divergence, kl_divergence
from fastdiv._entropies import entropy as _entropy
from fastdiv.compat._axes import flattened, kept, numbers, reduced, widened
from fastdiv.compat._elementwise import rel_entr

__all__ = ["entropy", "jensenshannon"]


def entropy(
    pk: Any,
    qk: Any = None,
    base: float | None = None,
    axis: int | tuple[int, ...] | None = 0,
    *,
    nan_policy: str = "propagate",
    keepdims: bool = False,
) -> Any:
    r"""Shannon entropy, or relative entropy where `qk` is given, as ``scipy.stats.entropy``.

    .. math:: H = -\sum_k p_k \log p_k, \qquad D = \sum_k p_k \log(p_k / q_k)

    Parameters
    ----------
    pk, qk : array_like
        Masses, normalised along `axis`; the two broadcast.
    base : float, optional
        Base of the logarithm, positive. None: nats.
    axis : int, tuple of int, or None, default 0
        The axis of the bins. None: all of them.
    nan_policy : {"propagate", "omit", "raise"}
        What a NaN does: make its row's value NaN; be left out, from both; raise.
    keepdims : bool, default False
        Keep the axes with length 1.

    Returns
    -------
    float or ndarray
        NaN for a row without mass, 0 for one without bins; a negative share counts ``-inf`` (``inf`` in D).
        float32 for float16 and float32.

    Raises
    ------
    ValueError
        A base that is not positive, shapes that do not broadcast, a NaN with ``nan_policy="raise"``.
    TypeError
        Entries that are no real numbers.

    Notes
    -----
    O(n) time for n entries. D of near-identical rows keeps its digits, where SciPy's cancels.

    Examples
    --------
    >>> from fastdiv.compat.scipy import entropy
    >>> float(entropy([0.5, 0.5], base=2))
    1.0
    >>> entropy([[1, 3], [1, 1]], axis=1).round(4)
    array([0.5623, 0.6931])
    """
    if base is not None and base <= 0:
        raise ValueError(f"`base` must be a positive number or `None`, not {base!r}")
    if type(axis) is int and nan_policy == "propagate" and _plain(pk) and (qk is None or _alike(pk, qk)):
        try:
            return _kernel(pk, qk, base, axis, bool(keepdims))
        except ValueError:
            pass  # a negative or infinite mass, an axis that is not there
    given = [numbers(pk, "pk")] if qk is None else [numbers(pk, "pk"), numbers(qk, "qk")]
    ndim = max(a.ndim for a, _ in given)
    axes = reduced(axis, ndim)
    keeps = kept([a for a, _ in given], [mask for _, mask in given], nan_policy)
    arrays = [a for a, _ in given]
    inner = None if axis is None else axes
    if any(k is not None for k in keeps):
        filled = [np.ones(a.shape, bool) if k is None else k for a, k in zip(arrays, keeps, strict=True)]
        laid = flattened([*arrays, *filled], inner, paired=True)
        arrays, own = laid[: len(arrays)], laid[len(arrays) :]
        keep = np.logical_and.reduce(own)
        missing = [
            (np.isnan(a) & k).any(-1) for a, k in zip(arrays, own, strict=True)
        ]  # beside a masked bin, too
        arrays = [np.where(keep, a, np.zeros((), a.dtype)) for a in arrays]
    else:
        arrays, keep = flattened(arrays, inner, paired=True), None
    value = _scored(arrays[0], arrays[1] if qk is not None else None, base)
    if keep is not None:
        value = np.where(keep.any(-1), value, 0.0)
        value = np.where(np.logical_or.reduce(missing), np.nan, value)
    low = np.result_type(*(a for a, _ in given)) in (np.float16, np.float32)
    return widened(np.asarray(value, np.float32 if low else np.float64), axes, keepdims)


def jensenshannon(
    p: Any, q: Any, base: float | None = None, *, axis: int | None = 0, keepdims: bool = False
) -> Any:
    r"""Jensen-Shannon distance of each row, as ``scipy.spatial.distance.jensenshannon``.

    .. math:: \sqrt{\tfrac12 D(p \Vert m) + \tfrac12 D(q \Vert m)}, \qquad m = (p + q) / 2

    Parameters
    ----------
    p, q : array_like
        Masses, normalised along `axis`; the other axes broadcast. A mask is not looked at, as in SciPy.
    base : float, optional
        Base of the logarithm. None: nats.
    axis : int, tuple of int, or None, default 0
        The axis of the bins. None: all of them.
    keepdims : bool, default False
        Keep the axes with length 1.

    Returns
    -------
    float or ndarray
        NaN for a row without mass or with a NaN, infinite for a negative share. float32 for
        float16 and float32.

    Raises
    ------
    ValueError
        Shapes that do not broadcast.
    TypeError
        Entries that are no real numbers.

    Notes
    -----
    O(n) time for n entries. Near-identical rows keep their digits, where SciPy gives NaN or half of them.

    Examples
    --------
    >>> from fastdiv.compat.scipy import jensenshannon
    >>> float(jensenshannon([1.0, 0.0], [0.0, 1.0], base=2))
    1.0
    """
    p, q = np.asarray(p), np.asarray(q)
    fine = base is None or (1 < base < np.inf and p.ndim > 1)
    if fine and type(axis) is int and _plain(p) and _alike(p, q):
        try:
            return js_distance(p, q, base=base, axis=axis, keepdims=bool(keepdims))
        except (ValueError, TypeError):
            pass
    if axis is None and p.shape == q.shape and p.size:
        moved = [p.reshape(-1), q.reshape(-1)]
    else:
        moved = _bins_last(p, q, axis)
    dtype = np.float32 if all(a.dtype in (np.float16, np.float32) for a in (p, q)) else np.float64
    if not moved or any(a.dtype.kind not in "biuf" or a.dtype.itemsize > 8 for a in moved):
        with np.errstate(invalid="ignore", divide="ignore"):
            return _js_formula(p, q, base, axis, keepdims)
    shape = np.broadcast_shapes(moved[0].shape, moved[1].shape)
    try:
        value = _js_kernel(moved[0], moved[1], base)
    except ValueError:  # bad masses: those rows by the formula
        x, y = (np.broadcast_to(a, shape).reshape(-1, shape[-1]) for a in moved)
        value, bad = np.empty(len(x), np.result_type(dtype)), _unusual(x) | _unusual(y)
        value[~bad] = _js_kernel(x[~bad], y[~bad], base)
        with np.errstate(invalid="ignore", divide="ignore"):
            value[bad] = _js_formula(x[bad], y[bad], base, 1, False)
        value = value.reshape(shape[:-1])
    value = np.asarray(value, dtype)
    if not keepdims and value.ndim == 0:  # SciPy divides a scalar float32 by the logarithm in float64
        return np.float64(value) if base is not None else value[()]
    if keepdims:
        ndim = max(p.ndim, q.ndim)
        return np.expand_dims(value, tuple(range(ndim)) if axis is None else axis)
    return value[()]


# --- entropy ---------------------------------------------------------------------------------------------


def _plain(a: Any) -> bool:
    return type(a) is np.ndarray and a.dtype in (np.float64, np.float32) and a.size > 0 and a.ndim > 0


def _alike(a: np.ndarray, b: Any) -> bool:
    return _plain(b) and a.shape == b.shape


def _kernel(p: Any, q: Any, base: float | None, axis: int, keepdims: bool) -> Any:
    fine = base is None or 1 < base < np.inf
    inside = base if fine else None
    if q is None:
        value = _entropy(p, base=inside, axis=axis, keepdims=keepdims)
    else:
        value = kl_divergence(p, q, base=inside, axis=axis, keepdims=keepdims)
    return value if base is None or fine else value / math.log(base)


def _unusual(rows: np.ndarray) -> Any:
    """Which rows have a mass that is no mass: negative or infinite."""
    return ((rows < 0) | np.isinf(rows)).any(-1)


def _scored(p: np.ndarray, q: np.ndarray | None, base: float | None) -> Any:
    """Of rows with their bins last: by the kernel, those with odd masses by the formula."""
    if not p.shape[-1]:
        return np.zeros(p.shape[:-1])
    if not p.size:
        return np.empty(p.shape[:-1])
    try:
        return _kernel(p, q, base, -1, False)
    except ValueError:
        pass
    n = p.shape[-1]
    x, y = p.reshape(-1, n), None if q is None else q.reshape(-1, n)
    bad = _unusual(x) if y is None else _unusual(x) | _unusual(y)
    value = np.empty(len(x))
    good = ~bad
    if good.any():
        value[good] = _kernel(x[good], None if y is None else y[good], base, -1, False)
    with np.errstate(invalid="ignore", divide="ignore"):
        shares = x[bad] / x[bad].sum(-1, keepdims=True)
        if y is None:
            terms = np.where(shares == 0, 0.0, np.where(shares < 0, -np.inf, -shares * np.log(shares)))
        else:
            terms = rel_entr(shares, y[bad] / y[bad].sum(-1, keepdims=True))
        odd = terms.sum(-1)
    value[bad] = odd if base is None else odd / math.log(base)
    return value.reshape(p.shape[:-1])


# --- Jensen-Shannon --------------------------------------------------------------------------------------


def _bins_last(p: np.ndarray, q: np.ndarray, axis: Any) -> list[np.ndarray]:
    """Both with their bins last, where rows match rows; else none."""
    axes = axis if isinstance(axis, tuple) else (axis,)
    if not axes or any(type(a) is not int or not -x.ndim <= a < x.ndim for a in axes for x in (p, q)):
        return []
    if p.ndim != q.ndim and any(a >= 0 for a in axes):
        return []
    if any(p.shape[a] != q.shape[a] or not p.shape[a] for a in axes):
        return []
    out = []
    for x in (p, q):
        own = tuple(a % x.ndim for a in axes)
        if len(set(own)) < len(own):
            return []
        x = np.moveaxis(x, own, range(-len(own), 0))
        lead = x.ndim - len(own)
        out.append(x.reshape(*x.shape[:lead], math.prod(x.shape[lead:])))
    return out


def _js_kernel(p: np.ndarray, q: np.ndarray, base: float | None) -> Any:
    if base is None or 1 < base < np.inf:
        return js_distance(p, q, base=base)
    return np.sqrt(js_divergence(p, q) / np.log(base))


def _js_formula(p: np.ndarray, q: np.ndarray, base: float | None, axis: Any, keepdims: Any) -> Any:
    """As SciPy sums it: for negative masses, and axes that do not match."""
    p = p / np.sum(p, axis=axis, keepdims=True)
    q = q / np.sum(q, axis=axis, keepdims=True)
    m = (p + q) / 2
    js = np.sum(rel_entr(p, m), axis=axis, keepdims=keepdims) + np.sum(
        rel_entr(q, m), axis=axis, keepdims=keepdims
    )
    if base is not None:
        js /= np.log(base)  # in place: float32 stays, unless it is a scalar
    return np.sqrt(js / 2)
