"""Exact optimal transport in one dimension.

Moving mass costs its distance. On the line the cheapest way to turn one distribution into another is known
in closed form: match the mass in order. Everything here follows from that, and nothing is approximated.
"""

from __future__ import annotations

import warnings
from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastdiv import _wasserstein
from fastdiv._checks import options as opt
from fastdiv._faces import of_samples
from fastdiv._labels import of_rows

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Unpack

    from fastdiv._checks.samples import Samples
    from fastdiv._typing import ArrayLike, NanPolicy, Row, Rows, SampleOptions, Value

__all__ = [
    "CountsAsSamplesWarning",
    "cramer_distance",
    "energy_distance",
    "ks_distance",
    "sliced_wasserstein",
    "wasserstein_distance",
]


class CountsAsSamplesWarning(UserWarning):
    """Two vectors that look like probabilities were passed as samples. Given once in a process."""


_warned = False
_STATISTIC = _wasserstein.STATISTICS["wasserstein"]
_P: Any = 1
_AXIS: Any = -1
_NAN_POLICY: Any = "propagate"


def _samples(*arguments: Any) -> Samples:
    """The long way in: two plain vectors do not need it, nor import it."""
    from fastdiv._samples import samples

    return samples(*arguments)


def wasserstein_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    *,
    p: float = 1,
    axis: int = -1,
    assume_sorted: bool = False,
    keepdims: bool = False,
    nan_policy: NanPolicy = "propagate",
) -> Value:
    r"""Wasserstein distance between two samples on the line (earth mover's distance for ``p=1``).

    .. math:: W_p = \Big(\int_0^1 |F^{-1}(t) - G^{-1}(t)|^p \, dt\Big)^{1/p},
              \qquad W_1 = \int |F(x) - G(x)| \, dx

    with the distribution functions F and G of the two (weighted) samples. The result is exact up to rounding:
    neither bins nor regularisation, and samples that are equal as distributions are at exactly 0.

    Parameters
    ----------
    u_values, v_values : array_like, shape (..., n) and (..., m)
        The samples, along `axis`; the other axes broadcast. For *histograms* (a mass per bin) see
        `wasserstein_hist`.
    u_weights, v_weights : array_like, shape (..., n) and (..., m), optional
        A weight >= 0 for each value; only ratios within a sample matter. Equal weights by default.
    p : float in [1, inf], default 1
        The order.
    axis : int, default -1
        The axis of the samples.
    assume_sorted : bool, default False
        Trust that both samples ascend along `axis`. This is not checked: with unsorted values the result is
        meaningless (never a crash).
    keepdims : bool, default False
        Keep `axis` with length 1.
    nan_policy : {'propagate', 'omit', 'raise'}
        What a NaN among the values does: make its result NaN, be left out together with its weight, or raise.

    Returns
    -------
    float or ndarray
        In the unit of the values. float64, or float32 where all arrays given are (computed in float64).

    Raises
    ------
    ValueError
        For negative, infinite, NaN or all-zero weights, empty samples, ``p < 1`` and shapes that do not fit.
    TypeError
        For values that are no real numbers.

    Warns
    -----
    CountsAsSamplesWarning
        Once, when two vectors of one length are >= 0 and sum to 1 each: `wasserstein_hist` is likely meant.

    Notes
    -----
    Integers beyond 2^53 are compared exactly where all values are whole numbers that span less than 2^64.
    Beside floats with fractions, or over a wider span, those of arrays are rounded to float64 first, so the
    distance may be off by 2^-53 of the largest of them; a list or table that holds both is refused.
    Each of n weights counts to within 2^-124 n of the largest, so W_p is known to (2^-124 n^2)^(1/p) of the
    range of the values: for p > 1, weights of 1e-25 of the largest still have 12 digits, those of 1e-38 none.

    O(n log n) time for n values of both samples together; O(n) where they are sorted, and mostly for ``p=1``:
    two passes over the values, and a sort of the few of them that lie where F - G may change sign. Samples of
    few values (whole numbers, decimals, spikes) are counted in one pass, for any `p`. Extra memory at the
    peak: at most the size of the input as float64 (1.75 times that with weights), mostly a small part of it;
    contiguous vectors of any dtype are read as they are where one of these ways suits, else converted first.
    Mass at the same infinity on both sides has no defined distance (NaN); on one side only, it is infinitely
    far. Values of weight 0 are as good as absent, infinite ones too.
    64-bit integers are subtracted as integers: nanosecond time stamps as ``int64`` lose nothing.

    References
    ----------
    .. [1] S. S. Vallender, "Calculation of the Wasserstein distance between probability distributions on the
       line", Theory of Probability and its Applications 18 (1974) 784.

    Examples
    --------
    >>> import fastdiv
    >>> float(fastdiv.wasserstein_distance([0, 1, 3], [5, 6, 8]))
    5.0
    >>> float(fastdiv.wasserstein_distance([0, 1], [0, 1], [3, 1], [2, 2]))
    0.25
    """
    default = p is _P and axis is _AXIS and assume_sorted is False and keepdims is False
    if default and nan_policy is _NAN_POLICY:
        # nothing to check: of few values the checks would take longer than the distance
        direct: Value | None = _wasserstein.pair(
            u_values, v_values, _STATISTIC, 1.0, False, not _warned, u_weights, v_weights
        )
        if direct is not None:
            return direct
    order = opt.wasserstein_order(p)
    assume_sorted, keepdims = opt.flag(assume_sorted, "assume_sorted"), opt.flag(keepdims, "keepdims")
    axis = opt.integer(axis, "axis")
    opt.policy(nan_policy)
    return _wasserstein_of(
        u_values, v_values, u_weights, v_weights, order, axis, assume_sorted, keepdims, nan_policy
    )


def of_true_samples(
    u: ArrayLike,
    v: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    *,
    p: float = 1,
    assume_sorted: bool = False,
) -> Value:
    """`wasserstein_distance` of what a caller within fastdiv knows to be samples: it never warns."""
    return _wasserstein_of(
        u, v, u_weights, v_weights, p, -1, assume_sorted, False, "propagate", suspect=False
    )


def _wasserstein_of(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None,
    v_weights: ArrayLike | None,
    order: float,
    axis: int,
    assume_sorted: bool,
    keepdims: bool,
    nan_policy: NanPolicy,
    suspect: bool = True,
) -> Value:
    suspect = suspect and not _warned
    if axis in (0, -1) and not keepdims and nan_policy == "propagate":
        direct: Value | None = _wasserstein.pair(
            u_values, v_values, _STATISTIC, order, assume_sorted, suspect, u_weights, v_weights
        )
        if direct is not None:
            return direct
    x = _samples(u_values, v_values, u_weights, v_weights, axis, nan_policy)
    if u_weights is None and v_weights is None and suspect:
        _suspect_counts(x)
    distances = _statistic("wasserstein", x, order, nan_policy, assume_sorted, keepdims)
    return distances if keepdims else of_rows(distances, (u_values, v_values), axis, "wasserstein_distance")


@of_samples
def energy_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    **options: Unpack[SampleOptions],
) -> Value:
    r"""Energy distance between two samples on the line.

    .. math:: \Big(2 \int (F - G)^2 dx\Big)^{1/2} = (2 E|X - Y| - E|X - X'| - E|Y - Y'|)^{1/2}

    with the distribution functions F and G, and X, X', Y, Y' drawn from u and v [1]_. Its unit is the
    root of that of the values.

    Parameters
    ----------
    {samples}

    {of samples}

    References
    ----------
    .. [1] G. J. Szekely, M. L. Rizzo, "Energy statistics", J. Stat. Planning and Inference 143 (2013) 1249.

    Examples
    --------
    >>> import fastdiv
    >>> float(fastdiv.energy_distance([0], [8]))
    4.0
    """
    return _by_cdf("energy", energy_distance, (u_values, v_values, u_weights, v_weights), options)


@of_samples
def cramer_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    **options: Unpack[SampleOptions],
) -> Value:
    r"""Cramer distance between two samples on the line.

    .. math:: \Big(\int (F - G)^2 dx\Big)^{1/2}

    with the distribution functions F and G: the energy distance over the root of 2, in the
    root of the unit of the values [1]_.

    Parameters
    ----------
    {samples}

    {of samples}

    References
    ----------
    .. [1] H. Cramer, "On the composition of elementary errors", Scandinavian Actuarial J.
       11 (1928) 13-74.

    Examples
    --------
    >>> import fastdiv
    >>> float(fastdiv.cramer_distance([0], [4]))
    2.0
    """
    return _by_cdf("cramer", cramer_distance, (u_values, v_values, u_weights, v_weights), options)


@of_samples
def ks_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    **options: Unpack[SampleOptions],
) -> Value:
    r"""Kolmogorov-Smirnov distance between two samples on the line.

    .. math:: \sup_x |F(x) - G(x)|

    with the distribution functions F and G: from 0 to 1, without a unit. Infinite values are points
    like any other [1]_.

    Parameters
    ----------
    {samples}

    {of samples}

    References
    ----------
    .. [1] N. Smirnov, "Table for estimating the goodness of fit of empirical distributions",
       Ann. Math. Statist. 19 (1948) 279-281.

    Examples
    --------
    >>> import fastdiv
    >>> float(fastdiv.ks_distance([1, 2, 3, 4], [3, 4, 5, 6]))
    0.5
    """
    return _by_cdf("ks", ks_distance, (u_values, v_values, u_weights, v_weights), options)


def _by_cdf(
    statistic: str, distance: Any, arrays: tuple[Any, Any, Any, Any], given: Mapping[str, Any]
) -> Value:
    """A `statistic` of the difference of two distribution functions."""
    if not given:
        u, v, *weights = arrays
        plain: Value | None = _wasserstein.pair(
            u, v, _wasserstein.STATISTICS[statistic], 1.0, False, False, *weights
        )
        if plain is not None:
            return plain
    o = opt.sample_options(distance, given)
    x = _samples(*arrays, o.axis, o.nan_policy)
    distances = _statistic(statistic, x, 1.0, o.nan_policy, o.assume_sorted, o.keepdims)
    return distances if o.keepdims else of_rows(distances, arrays[:2], o.axis, f"{statistic}_distance")


def sliced_wasserstein(
    X: Rows,
    Y: Rows,
    X_weights: Row | None = None,
    Y_weights: Row | None = None,
    *,
    n_projections: int = 128,
    p: float = 2,
    seed: int | np.random.Generator | None = None,
) -> float:
    r"""Sliced Wasserstein distance between two samples in d dimensions.

    .. math:: SW_p = \Big(\frac{1}{L} \sum_{l=1}^{L} W_p^p(\theta_l \cdot X, \theta_l \cdot Y)\Big)^{1/p}

    with L directions drawn evenly from the sphere [1]_: a Monte Carlo estimate of the mean over all of them.

    Parameters
    ----------
    X, Y : array_like, shape (n, d) and (m, d)
        One point per row.
    X_weights, Y_weights : array_like, shape (n,) and (m,), optional
        A weight >= 0 for each point; only ratios within a sample matter. Equal weights by default.
    n_projections : int, default 128
        The number L of directions.
    p : float in [1, inf], default 2
        For ``p=inf`` the largest distance over the directions drawn.
    seed : None, int or numpy.random.Generator
        Makes the directions repeatable.

    Returns
    -------
    float
        In the unit of the coordinates.

    Raises
    ------
    ValueError
        Clouds that are not matrices or differ in dimension, negative, infinite, NaN or all-zero weights,
        ``p < 1``, no projections.
    TypeError
        For coordinates that are no real numbers.

    Notes
    -----
    O(L n (d + log n)) time for n points of both samples together, a block of directions at a time.

    Far from the origin nothing is lost: a coordinate whose differences from one of its values are all exact
    (integers; floats that lie within a factor 2) is shifted by that value first. Integers beyond 2^53 are
    subtracted as integers.

    References
    ----------
    .. [1] N. Bonneel, J. Rabin, G. Peyre, H. Pfister, "Sliced and Radon Wasserstein barycenters of measures",
       J. Math. Imaging and Vision 51 (2015) 22.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.sliced_wasserstein([[0.0]], [[3.0]])
    3.0
    """
    order = opt.wasserstein_order(p)
    n_projections = opt.count(n_projections, "n_projections")
    from fastdiv._clouds import clouds, directions, power_mean, project

    x, y, a, b, scale, *_ = clouds(X, Y, X_weights, Y_weights)
    blocks = project(directions(n_projections, x.shape[1], seed), x, y)
    distances = np.concatenate([np.atleast_1d(of_true_samples(u, v, a, b, p=order)) for _, u, v in blocks])
    return power_mean(distances, order) / scale


def _suspect_counts(x: Samples) -> None:
    """Warns once if both samples could be histograms."""
    global _warned
    u, v = x.u.values, x.v.values
    if u.shape != v.shape or not 1 < u.shape[1] <= 100_000 or u.dtype != np.float64:
        return
    u, v = u[0], v[0]
    if not (0 <= u[0] <= 1 and abs(u.sum() - 1) < 1e-9 and abs(v.sum() - 1) < 1e-9):
        return
    if u.min() >= 0 and v.min() >= 0:
        _warned = True
        warnings.warn(
            f"u_values and v_values are two vectors of {len(u)} numbers >= 0 that sum to 1. If they are "
            "histograms and not samples, call wasserstein_hist(u, v, support=...) instead",
            CountsAsSamplesWarning,
            stacklevel=4,
        )


def _statistic(
    name: str, x: Samples, p: float, nan_policy: str, assume_sorted: bool, keepdims: bool
) -> np.ndarray | np.floating[Any]:
    out = np.empty(prod(x.shape))
    _wasserstein.statistic_of_rows(
        x.u.values,
        x.v.values,
        x.u.weights,
        x.v.weights,
        out,
        _wasserstein.STATISTICS[name],
        p,
        nan_policy == "omit",
        assume_sorted,
    )
    return _shaped(out, x.shape, x.axis, keepdims, x.dtype)


def _shaped(
    out: np.ndarray, shape: tuple[int, ...], axis: int, keepdims: bool, dtype: np.dtype[Any]
) -> np.ndarray | np.floating[Any]:
    """The results in the shape and dtype the caller expects; a scalar where no axis is left."""
    with np.errstate(over="ignore"):  # what float32 does not hold is inf
        result = out.reshape(shape).astype(dtype, copy=False)
    if keepdims:
        result = np.expand_dims(result, axis)
    return result[()] if result.ndim == 0 else result
