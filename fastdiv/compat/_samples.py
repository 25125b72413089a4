"""``scipy.stats``'s distances between samples on the line."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

from fastdiv import transport
from fastdiv.compat._axes import flattened, kept, numbers, reduced, widened

__all__ = ["SmallSampleWarning", "energy_distance", "ks_2samp", "wasserstein_distance"]


class SmallSampleWarning(RuntimeWarning):
    """A sample without values: its result is NaN."""


def wasserstein_distance(u_values: Any, v_values: Any, u_weights: Any = None, v_weights: Any = None) -> Any:
    r"""First Wasserstein distance between two samples on the line, as ``scipy.stats.wasserstein_distance``.

    .. math:: W_1 = \int |F(x) - G(x)| \, dx

    Parameters
    ----------
    u_values, v_values : array_like
        Vectors of values, read as float64.
    u_weights, v_weights : array_like, optional
        A weight >= 0 for each value. Equal weights by default.

    Returns
    -------
    float
        In the unit of the values. ``inf`` or NaN by SciPy's sum where a value is infinite.

    Raises
    ------
    ValueError
        An empty sample, weights that are negative, all zero, or of another number.

    Warns
    -----
    RuntimeWarning
        Infinite values that have no defined distance: the result is NaN.

    Notes
    -----
    O(n log n) time at most for n values.

    Examples
    --------
    >>> from fastdiv.compat.scipy import wasserstein_distance
    >>> float(wasserstein_distance([0, 1, 3], [5, 6, 8]))
    5.0
    """
    return _cdf_distance(1, u_values, v_values, u_weights, v_weights)


def energy_distance(u_values: Any, v_values: Any, u_weights: Any = None, v_weights: Any = None) -> Any:
    r"""Energy distance between two samples on the line, as ``scipy.stats.energy_distance``.

    .. math:: \Big(2 \int (F - G)^2 dx\Big)^{1/2}

    Parameters
    ----------
    u_values, v_values : array_like
        Vectors of values, read as float64.
    u_weights, v_weights : array_like, optional
        A weight >= 0 for each value. Equal weights by default.

    Returns
    -------
    float
        In the root of the unit of the values. ``inf`` or NaN by SciPy's sum where a value is infinite.

    Raises
    ------
    ValueError
        An empty sample, weights that are negative, all zero, or of another number.

    Warns
    -----
    RuntimeWarning
        Infinite values that have no defined distance: the result is NaN.

    Notes
    -----
    O(n log n) time for n values.

    Examples
    --------
    >>> from fastdiv.compat.scipy import energy_distance
    >>> float(energy_distance([0], [2]))
    2.0
    """
    return _cdf_distance(2, u_values, v_values, u_weights, v_weights)


def ks_2samp(
    data1: Any,
    data2: Any,
    alternative: str = "two-sided",
    method: str = "auto",
    *,
    axis: int | tuple[int, ...] | None = 0,
    nan_policy: str = "propagate",
    keepdims: bool = False,
) -> KsStatistic:
    r"""Kolmogorov-Smirnov statistic of two samples, by the arguments of ``scipy.stats.ks_2samp``.

    .. math:: D = \sup_x |F(x) - G(x)|

    Parameters
    ----------
    data1, data2 : array_like
        The samples, along `axis`; the other axes broadcast.
    alternative : {"two-sided", "less", "greater"}
        The largest of abs(F - G), of G - F, or of F - G.
    method : {"auto", "exact", "asymp"}
        SciPy's way to a p-value; checked and not used.
    axis : int, tuple of int, or None, default 0
        The axis of the samples. None: all of them.
    nan_policy : {"propagate", "omit", "raise"}
        What a NaN does: make the result NaN; be left out; raise.
    keepdims : bool, default False
        Keep the axes with length 1.

    Returns
    -------
    KsStatistic
        `statistic`, `statistic_location` (where it is reached), `statistic_sign` (of F - G there).

    Raises
    ------
    ValueError
        An unknown alternative, method or policy, shapes that do not broadcast, a NaN with
        ``nan_policy="raise"``.

    Warns
    -----
    SmallSampleWarning
        A sample without values: NaN.

    Notes
    -----
    O(n log n) time for n values.

    Examples
    --------
    >>> from fastdiv.compat.scipy import ks_2samp
    >>> float(ks_2samp([1, 2, 3], [2, 3, 4, 5]).statistic)
    0.5
    """
    if method not in ("auto", "exact", "asymp"):
        raise ValueError(f"Invalid value for mode: {method}")
    sides = {"t": "two-sided", "g": "greater", "l": "less"}
    side = sides.get(alternative.lower()[:1], alternative)
    if side not in sides.values():
        raise ValueError(f"Invalid value for alternative: {alternative}")
    (a, mask_a), (b, mask_b) = numbers(data1, "data1"), numbers(data2, "data2")
    axes = reduced(axis, max(a.ndim, b.ndim))
    keep_a, keep_b = kept([a, b], [mask_a, mask_b], nan_policy)
    inner = None if axis is None else axes
    x, y = flattened([a, b], inner, paired=False)
    clean = keep_a is None and keep_b is None and x.shape[-1] and y.shape[-1]
    if clean and side == "two-sided":
        wide = (z.astype(np.float64, copy=False) if z.dtype.kind == "f" else z for z in (x, y))
        statistic = np.asarray(transport.ks_distance(*wide), np.float64)
        return KsStatistic(statistic, [(x, y)], side, axes, keepdims)
    places = [np.ones(z.shape, bool) if k is None else k for z, k in ((a, keep_a), (b, keep_b))]
    kx, ky = flattened(places, inner, paired=False)
    shape = x.shape[:-1]
    rows = [(x[i][kx[i]], y[i][ky[i]]) for i in np.ndindex(*shape)]
    if any(not len(u) or not len(v) for u, v in rows):
        warnings.warn("a sample has no values: its result is NaN", SmallSampleWarning, stacklevel=2)
    values = [_one_sided(u, v, side)[0] for u, v in rows]
    return KsStatistic(np.array(values, np.float64).reshape(shape), rows, side, axes, keepdims)


class KsStatistic:
    """The statistic of ``ks_2samp``; its place and sign are looked for when they are asked for."""

    def __init__(
        self,
        statistic: np.ndarray,
        samples: list[tuple[np.ndarray, np.ndarray]],
        side: str,
        axes: tuple[int, ...],
        keepdims: bool,
    ) -> None:
        self.statistic = widened(statistic, axes, keepdims)
        self._shape, self._samples, self._side = statistic.shape, samples, side
        self._axes, self._keepdims = axes, keepdims

    def __repr__(self) -> str:
        return f"KsStatistic(statistic={self.statistic})"

    @property
    def statistic_location(self) -> Any:
        """The value at which the distribution functions are that far apart."""
        return self._each(1)

    @property
    def statistic_sign(self) -> Any:
        """+1 where F is above G there, else -1."""
        return self._each(2)

    @property
    def pvalue(self) -> Any:
        """Not here: an AttributeError."""
        raise AttributeError(
            "fastdiv.compat.scipy.ks_2samp has no p-value; scipy.stats.ks_2samp computes one"
        )

    def _each(self, which: int) -> Any:
        rows = self._samples
        if len(rows) == 1 and rows[0][0].ndim > 1:
            rows = [(rows[0][0][i], rows[0][1][i]) for i in np.ndindex(*self._shape)]
        found = np.array([_one_sided(u, v, self._side)[which] for u, v in rows])
        if self._shape:
            found = found.astype(np.float64)  # as SciPy has rows of results
        elif which == 2 and not np.isnan(found).any():
            found = found.astype(np.int8)
        return widened(found.reshape(self._shape), self._axes, self._keepdims)


def _one_sided(u: np.ndarray, v: np.ndarray, side: str) -> tuple[float, float, float]:
    """The statistic, its place and its sign, of one pair: the extremes of F - G over all values."""
    if not len(u) or not len(v) or np.isnan(u).any() or np.isnan(v).any():
        return np.nan, np.nan, np.nan
    u, v = np.sort(u), np.sort(v)
    places = np.concatenate([u, v])
    difference = np.searchsorted(u, places, "right") / len(u) - np.searchsorted(v, places, "right") / len(v)
    low, high = np.argmin(difference), np.argmax(difference)
    below, above = float(np.clip(-difference[low], 0, 1)), float(difference[high])
    if side == "less" or (side == "two-sided" and below > above):
        return below, places[low], -1
    return above, places[high], 1


# --- integrals of |F - G|^p --------------------------------------------------------------------------------


def _cdf_distance(p: int, u_values: Any, v_values: Any, u_weights: Any, v_weights: Any) -> Any:
    u, a = _sample(u_values, u_weights)
    v, b = _sample(v_values, v_weights)
    with np.errstate(over="ignore", invalid="ignore"):
        strange = not np.isfinite(u.sum() + v.sum())
    if strange and (np.isinf(u).any() or np.isinf(v).any()):
        return _by_sums(p, u, v, a, b)
    # what SciPy's callers mean are samples
    distance = transport.of_true_samples if p == 1 else transport.energy_distance
    return distance(u, v, a, b)


def _sample(values: Any, weights: Any) -> tuple[np.ndarray, np.ndarray | None]:
    values = np.asarray(values, dtype=float)
    if values.ndim != 1:
        raise ValueError(f"values must be a vector, not of shape {values.shape}")
    if not len(values):
        raise ValueError("Distribution can't be empty.")
    values = np.ascontiguousarray(values)  # which makes a vector of a scalar
    if weights is None:
        return values, None
    weights = np.asarray(weights, dtype=float)
    if weights.shape != values.shape:
        raise ValueError(f"weights must be as many as values ({len(values)}), not of shape {weights.shape}")
    if (weights < 0).any():
        raise ValueError("All weights must be non-negative.")
    if not 0 < weights.sum() < np.inf:
        raise ValueError("weights must have a sum that is positive and finite")
    return values, np.ascontiguousarray(weights)


def _by_sums(p: int, u: np.ndarray, v: np.ndarray, a: np.ndarray | None, b: np.ndarray | None) -> Any:
    """Sums over the gaps between neighbours, which make NaN of inf - inf and 0 inf, as SciPy's do."""
    places = np.sort(np.concatenate([u, v]))
    gaps = np.diff(places)
    F, G = (_cdf(x, w, places[:-1]) for x, w in ((u, a), (v, b)))
    total = np.dot(np.abs(F - G) ** p, gaps)
    return total if p == 1 else np.sqrt(2) * np.sqrt(total)


def _cdf(x: np.ndarray, weights: np.ndarray | None, places: np.ndarray) -> np.ndarray:
    order = np.argsort(x)
    count = np.searchsorted(x[order], places, "right")
    if weights is None:
        return np.asarray(count / len(x))
    heights = np.concatenate([[0.0], np.cumsum(weights[order])])
    return np.asarray(heights[count] / heights[-1])
