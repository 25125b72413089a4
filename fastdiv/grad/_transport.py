"""From samples to the compiled gradients of their distances: what ``fastdiv.transport`` is for values."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdiv import _wasserstein
from fastdiv._checks.options import last_back
from fastdiv._clouds import BLOCK, clouds, directions, power_mean, project
from fastdiv._histograms import exponents, histograms, in_shape
from fastdiv._samples import samples
from fastdiv.circle import on_circle
from fastdiv.grad._score import refuse_value

if TYPE_CHECKING:
    from fastdiv._checks.options import SampleOptions
    from fastdiv._checks.samples import Samples
    from fastdiv._histograms import Histograms
    from fastdiv._typing import Value

__all__ = [
    "CloudGradient",
    "HistogramGradient",
    "TransportGradient",
    "differentiate_circle",
    "differentiate_clouds",
    "differentiate_histograms",
    "differentiate_rows",
    "differentiate_samples",
]


class TransportGradient(NamedTuple):
    """A distance of samples, and its derivatives by every value and by every weight.

    They have the shape to which all arrays broadcast along the axes that do not hold the samples.
    """

    value: Value
    u_values: np.ndarray
    v_values: np.ndarray
    u_weights: np.ndarray
    v_weights: np.ndarray


class CloudGradient(NamedTuple):
    """A distance of clouds, and its derivatives by every coordinate and by every weight."""

    value: float
    X: np.ndarray
    Y: np.ndarray
    X_weights: np.ndarray
    Y_weights: np.ndarray


class HistogramGradient(NamedTuple):
    """A distance of histograms, and its derivatives by the masses of every bin (by densities where given).

    They have the shape to which u and v broadcast along the axes that do not hold the bins.
    """

    value: Value
    u: np.ndarray
    v: np.ndarray


def differentiate_rows(statistic: str, x: Samples, p: float, omit: bool, is_sorted: bool) -> list[np.ndarray]:
    """The value of each row, and matrices with its derivatives by u and v, their values and their weights."""
    rows, n, m = prod(x.shape), x.u.values.shape[1], x.v.values.shape[1]
    results = [np.empty(rows), *(np.empty((rows, k)) for k in (n, m, n, m))]
    given = x.u.values, x.v.values, x.u.weights, x.v.weights
    _wasserstein.gradient_of_rows(*given, *results, _wasserstein.STATISTICS[statistic], p, omit, is_sorted)
    return results


def differentiate_samples(
    distance: str, statistic: str, arrays: tuple[Any, Any, Any, Any], p: float, o: SampleOptions
) -> TransportGradient:
    """A distance of samples by its public name and by that of its `statistic`.

    Raises
    ------
    ValueError
        For a row whose value is not finite: it has no gradient.
    """
    x = samples(*arrays, o.axis, o.nan_policy)
    value, *slopes = differentiate_rows(statistic, x, p, o.nan_policy == "omit", o.assume_sorted)
    with np.errstate(over="ignore"):  # what float32 does not hold is inf
        value = value.reshape(x.shape).astype(x.dtype, copy=False)
        slopes = [s.reshape(*x.shape, s.shape[1]).astype(x.dtype, copy=False) for s in slopes]
    refuse_value(distance, value, "a value is missing, or infinite")
    if o.keepdims:
        value = np.expand_dims(value, x.axis)
    return TransportGradient(value[()], *(last_back(s, x.axis) for s in slopes))


def differentiate_circle(arrays: tuple[Any, Any, Any, Any], period: float, p: float) -> TransportGradient:
    """W_p of two samples on a circle."""
    x = on_circle(*arrays, period)
    orders = x.orders * 2
    slopes = [np.empty(len(order)) for order in orders]
    value = _wasserstein.circle_gradient(*x.arrays, p, *slopes) / x.unit
    given = [np.empty(len(order), x.dtype) for order in orders]
    with np.errstate(over="ignore"):  # what float64 or float32 does not hold is inf
        for by_weights in slopes[2:]:
            by_weights /= x.unit
        for ours, slope, order in zip(given, slopes, orders, strict=True):
            ours[order] = slope
    return TransportGradient(np.float64(value), *given)


def differentiate_clouds(
    arrays: tuple[Any, Any, Any, Any], count: int, p: float, seed: int | np.random.Generator | None
) -> CloudGradient:
    """The sliced distance SW, which a direction l pulls at as W_l is pulled at, times (W_l / SW)^(p-1) / L.

    Raises
    ------
    ValueError
        Where the value is not finite: it has no gradient.
    """
    x = clouds(*arrays, massless=True)
    largest, distances, totals = 0.0, [], [np.zeros(s) for s in (x.x.shape, x.y.shape, len(x.x), len(x.y))]
    for some, u, v in project(directions(count, x.x.shape[1], seed), x.x, x.y, BLOCK // 8):
        rows = samples(u, v, x.x_weights, x.y_weights, -1, "propagate")
        distance, *slopes = differentiate_rows("wasserstein", rows, p, False, False)
        distances.append(distance)
        before, largest = largest, max(largest, float(distance.max()))
        if not 0 < largest < np.inf:
            continue
        fade, shares = (before / largest) ** (p - 1), (distance / largest) ** (p - 1)
        shares[distance == 0] = 0.0
        parts = *((s.T * shares) @ some for s in slopes[:2]), *(shares @ s for s in slopes[2:])
        totals = [fade * total + part for total, part in zip(totals, parts, strict=True)]
    value = power_mean(np.concatenate(distances), p)
    refuse_value("sliced_wasserstein", np.asarray(value), "a coordinate is missing, or infinite")
    share = (largest / value) ** (p - 1) / count if value else 0.0
    with np.errstate(over="ignore"):  # what float64 or float32 does not hold is inf
        units = share, share, share / x.scale, share / x.scale
        slopes = [(total * unit).astype(x.dtype) for total, unit in zip(totals, units, strict=True)]
    sides = [_with_the_rest(s, k, value) for s, k in zip(slopes, x.kept * 2, strict=True)]
    return CloudGradient(value / x.scale, *sides)


def _with_the_rest(slopes: np.ndarray, kept: np.ndarray, value: float) -> np.ndarray:
    """The derivatives of all points: those left out stay where they are, and mass there is infinitely far."""
    given = np.full(
        (len(kept), *slopes.shape[1:]), np.inf if slopes.ndim == 1 and value else 0.0, slopes.dtype
    )
    given[kept] = slopes
    return given


def differentiate_histograms(p: float, *arguments: Any) -> HistogramGradient:
    """W_p of the arguments of `fastdiv._histograms.histograms`.

    Raises
    ------
    ValueError
        For a row whose value is not finite: it has no gradient.
    """
    x = histograms(*arguments)
    refuse_value("wasserstein_hist", np.where(x.bad, np.nan, 0.0), "masses are missing, or all are 0")
    u, v = _Side(x.u, x.u_scale, x.mass is not None), _Side(x.v, x.v_scale, x.mass is not None)
    out = np.empty(prod(x.shape))
    by_u, by_v = (np.empty((len(out), s.masses.shape[1])) for s in (u, v))
    if x.edges is not None:
        edges, v_edges = x.edges
        _wasserstein.hist_gradients(edges, u.masses, v_edges, v.masses, out, by_u, by_v, p, x.u_low, x.v_low)
        for array in (out, by_u, by_v):
            array /= x.unit
    else:
        results = out, None, None, by_u, by_v, _wasserstein.STATISTICS["wasserstein"]
        _wasserstein.gradient_of_rows(x.points, x.points, u.masses, v.masses, *results, p, False, True)
    value = in_shape(out, x, p)
    refuse_value("wasserstein_hist", value, "it is too large")
    slopes = [s.in_shape(slopes, out, x, p) for s, slopes in ((u, by_u), (v, by_v))]
    return HistogramGradient(value[()], *slopes)


class _Side:
    """One of two histograms: its masses as they are computed with."""

    def __init__(self, masses: np.ndarray, scale: tuple[np.ndarray, np.ndarray] | None, weighs: bool) -> None:
        self.masses = masses
        self.widths, self.exponents = np.ones(1), np.zeros((1, 1), int)
        if scale is not None:
            self.widths, self.exponents = scale
        elif weighs:  # over a power of two for each row, which keeps what is formed of them within the range
            self.exponents = exponents(masses)
            self.masses = np.ldexp(masses, -self.exponents)

    def in_shape(self, slopes: np.ndarray, W: np.ndarray, x: Histograms, p: float) -> np.ndarray:
        """The derivatives by the masses that were given, of those by `masses` of W."""
        exponent = -self.exponents
        if x.mass is not None:  # W M^(1/p), a half of whose rise with M is due to either side
            mass, scale = (np.broadcast_to(z, x.shape).reshape(-1, 1) for z in x.mass)
            mantissa, power = np.frexp(mass)
            power = (power + scale) / p
            whole = np.floor(power)
            slopes = slopes + W[:, None] / (2 * p * self.masses.sum(axis=1, keepdims=True))
            slopes = np.where(W[:, None] > 0, slopes * (mantissa ** (1 / p) * np.exp2(power - whole)), 0.0)
            exponent = exponent + whole.astype(int)
        with np.errstate(over="ignore"):  # what float64 or float32 does not hold is inf
            slopes = np.ldexp(slopes * self.widths, exponent).reshape(*x.shape, slopes.shape[1])
            slopes = slopes.astype(x.dtype, copy=False)
        if x.order is not None:
            given = np.empty_like(slopes)
            given[..., x.order] = slopes
            slopes = given
        return last_back(slopes, x.axis)
