"""Distances of samples with their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeVar

from fastdiv._checks import options as opt
from fastdiv._faces import completed, spelled
from fastdiv.grad._transport import (
    CloudGradient,
    HistogramGradient,
    TransportGradient,
    differentiate_circle,
    differentiate_clouds,
    differentiate_histograms,
    differentiate_samples,
)

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Unpack

    import numpy as np

    from fastdiv._typing import ArrayLike, NanPolicy, Row, Rows, SampleOptions

__all__ = [
    "CloudGradient",
    "HistogramGradient",
    "TransportGradient",
    "cramer_distance",
    "energy_distance",
    "sliced_wasserstein",
    "wasserstein_circle",
    "wasserstein_distance",
    "wasserstein_hist",
]

F = TypeVar("F", bound="Callable[..., Any]")

_GRADIENTS = """\
Returns
-------
TransportGradient
    ``(value, u_values, v_values, u_weights, v_weights)``: the derivatives are of the shape to which all
    arrays broadcast. Weights not given count as 1.

Raises
------
ValueError
    As the distance does, and for a row whose value is not finite: it has no gradient.
TypeError
    For values that are no real numbers.

Notes
-----
O(n log n) time for n values of both samples together; O(n) memory for each thread.

Derivatives by weights are by the weights as they were given, so those of a sample are orthogonal to it.
Where the weight is 0 they are those towards mass: ``inf`` at an infinite value. Relative errors are at most
1e-12 of the derivative by a value, or of the sum of its parts where these have both signs, and of the
largest derivative by a weight in the row."""

_KINKS = """\
Kinks: :math:`|x - y|` has the derivative 0 where x = y; equal values of a sample share what they are moved
by in proportion to their weights. At distance 0, the least there is, all derivatives are 0."""


def _gradient(function: F) -> F:
    """A public gradient: its docstring completed."""
    own = {"{gradients}": _GRADIENTS, "{kinks}": _KINKS}
    function.__doc__ = completed(function.__doc__ or "", own)
    function.__module__ = "fastdiv.grad"
    return function


@_gradient
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
) -> TransportGradient:
    r"""`fastdiv.wasserstein_distance`, and its gradient.

    With the optimal coupling :math:`\gamma` and potential f, W = W_p and S the sum of the weights of u,

    .. math:: \frac{\partial W}{\partial x_i} = \sum_j \gamma_{ij} \operatorname{sgn}(x_i - y_j)
              \Big(\frac{|x_i - y_j|}{W}\Big)^{p-1}, \qquad
              \frac{\partial W}{\partial a_i} = \frac{W^{1-p}}{p} \, \frac{f_i - \sum_k a_k f_k / S}{S}.

    Parameters
    ----------
    u_values, v_values, u_weights, v_weights
        As in `fastdiv.wasserstein_distance`.
    p : float in [1, inf)
        The order.
    axis : int, default -1
        The axis of the samples.
    assume_sorted : bool, default False
        Trust that both samples ascend along `axis`. This is not checked.
    keepdims : bool, default False
        Keep `axis` with length 1 in the value.
    nan_policy : {"propagate", "omit", "raise"}
        What a NaN among the values does: refuse its row, which has no gradient; be left out together with
        its weight, both with derivative 0; raise.

    {gradients}

    {kinks} Where levels of both distribution functions coincide, the derivatives by weights are the mean of
    both one-sided ones.

    Examples
    --------
    >>> import fastdiv.grad
    >>> g = fastdiv.grad.wasserstein_distance([0.0, 1.0], [3.0, 5.0])
    >>> float(g.value), g.u_values
    (3.5, array([-0.5, -0.5]))
    >>> fastdiv.grad.wasserstein_distance([[0.0, 1.0], [8.0, 9.0]], [3.0, 5.0]).v_values
    array([[ 0.5,  0.5],
           [-0.5, -0.5]])
    """
    order = opt.wasserstein_order(p, infinite=False)
    o = opt.SampleOptions(
        opt.integer(axis, "axis"),
        opt.flag(assume_sorted, "assume_sorted"),
        opt.flag(keepdims, "keepdims"),
        opt.policy(nan_policy),
    )
    arrays = u_values, v_values, u_weights, v_weights
    return differentiate_samples("wasserstein_distance", "wasserstein", arrays, order, o)


@spelled
@_gradient
def energy_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    **options: Unpack[SampleOptions],
) -> TransportGradient:
    r"""`fastdiv.energy_distance`, and its gradient.

    With the distance E, a value :math:`x_i` of the weight :math:`a_i`, and S the sum of the weights of u,

    .. math:: \frac{\partial E}{\partial x_i} = -\frac{a_i}{S E} \big((F - G)(x_i^-) + (F - G)(x_i^+)\big),
              \qquad
              \frac{\partial E}{\partial a_i} = -\frac{2}{S E} \Big(h_i - \sum_k \frac{a_k}{S} h_k\Big),
              \quad h_i = \int_{-\infty}^{x_i} (F - G) \, dx.

    Parameters
    ----------
    {samples}

    {gradients}

    {kinks}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.energy_distance([0.0], [8.0]).v_values
    array([0.25])
    """
    o = opt.sample_options(energy_distance, options)
    arrays = u_values, v_values, u_weights, v_weights
    return differentiate_samples("energy_distance", "energy", arrays, 1.0, o)


@spelled
@_gradient
def cramer_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    **options: Unpack[SampleOptions],
) -> TransportGradient:
    r"""`fastdiv.cramer_distance`, and its gradient: that of the energy distance over the root of 2.

    Parameters
    ----------
    {samples}

    {gradients}

    {kinks}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.cramer_distance([0.0], [4.0]).v_values
    array([0.25])
    """
    o = opt.sample_options(cramer_distance, options)
    arrays = u_values, v_values, u_weights, v_weights
    return differentiate_samples("cramer_distance", "cramer", arrays, 1.0, o)


@_gradient
def wasserstein_hist(
    u: ArrayLike,
    v: ArrayLike,
    *,
    support: ArrayLike | None = None,
    bin_edges: ArrayLike | None = None,
    v_bin_edges: ArrayLike | None = None,
    p: float = 1,
    axis: int = -1,
    normalize: bool = True,
    density: bool = False,
) -> HistogramGradient:
    r"""`fastdiv.wasserstein_hist`, and its gradient by the masses.

    With the optimal potential f, W = W_p and the sum S of u,

    .. math:: \frac{\partial W}{\partial u_i} = \frac1S \Big(h_i - \sum_k \frac{u_k}{S} h_k\Big), \qquad
              h_i = \frac{W^{1-p}}{p} f_i,

    where :math:`h' = \operatorname{sgn}(x - T) (|x - T| / W)^{p-1}` with :math:`T = G^{-1}(F(x))` and, for
    mass that is spread within a bin, :math:`h_i` is the mean over it.

    Parameters
    ----------
    u, v, support, bin_edges, v_bin_edges
        As in `fastdiv.wasserstein_hist`.
    p : float in [1, inf)
        The order.
    axis : int, default -1
        The axis that holds the bins.
    normalize : bool, default True
        Scale each histogram to mass 1; derivatives by u are then orthogonal to u. With False, of
        :math:`M^{1/p} W_p`: derivatives are potentials of the optimal plan, which have a constant to choose
        where both masses are the same; it gives u and v equal parts in the rise with M.
    density : bool, default False
        `u` and `v` are densities, and derivatives are by these.

    Returns
    -------
    HistogramGradient
        ``(value, u, v)``: the derivatives are of the shape to which the arrays broadcast.

    Raises
    ------
    ValueError
        As the distance does, and for a row that has a NaN or no mass: it has no gradient.
    TypeError
        For masses or places that are no real numbers.

    Notes
    -----
    O(n + m) time for rows of n and m bins, and O(n log n) once for a `support` that does not ascend.

    Kinks: where levels of both distribution functions coincide, derivatives are the mean of both one-sided
    ones. At distance 0, the least there is, all are 0. Where the mass is 0 they are those towards mass.
    Relative errors are at most 1e-12 of the largest derivative in the row.

    Examples
    --------
    >>> import fastdiv.grad
    >>> g = fastdiv.grad.wasserstein_hist([0.5, 0.5, 0], [0, 0.5, 0.5])
    >>> float(g.value), g.u, g.v
    (1.0, array([ 0.5, -0.5, -1.5]), array([-1.5, -0.5,  0.5]))
    """
    arguments = u, v, support, bin_edges, v_bin_edges, axis, normalize, density
    return differentiate_histograms(opt.wasserstein_order(p, infinite=False), *arguments)


@_gradient
def wasserstein_circle(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    *,
    period: float = 1.0,
    p: float = 1,
) -> TransportGradient:
    r"""`fastdiv.wasserstein_circle`, and its gradient.

    At the best rotation the samples are coupled as on a line that goes round and round, and the derivatives
    are those of `wasserstein_distance` there: a better rotation gains nothing to first order. By weights they
    are those of the potential that comes back to itself after one turn.

    Parameters
    ----------
    u_values, v_values, u_weights, v_weights, period
        As in `fastdiv.wasserstein_circle`.
    p : float in [1, inf)
        The order.

    {gradients}

    {kinks} Opposite points pull each other the way that the rotation has them go, and where several
    rotations are best, the derivatives are those at the one found.

    Examples
    --------
    >>> import fastdiv.grad
    >>> g = fastdiv.grad.wasserstein_circle([350, 10], [5, 355], period=360)
    >>> float(g.value), g.u_values
    (5.0, array([-0.5,  0.5]))
    """
    order = opt.wasserstein_order(p, infinite=False)
    return differentiate_circle((u_values, v_values, u_weights, v_weights), period, order)


@_gradient
def sliced_wasserstein(
    X: Rows,
    Y: Rows,
    X_weights: Row | None = None,
    Y_weights: Row | None = None,
    *,
    n_projections: int = 128,
    p: float = 2,
    seed: int | np.random.Generator | None = None,
) -> CloudGradient:
    r"""`fastdiv.sliced_wasserstein`, and its gradient along the directions drawn.

    .. math:: \frac{\partial SW}{\partial X_i} = \frac1L \sum_{l=1}^L \Big(\frac{W_l}{SW}\Big)^{p-1}
              \frac{\partial W_l}{\partial x_i} \, \theta_l, \qquad x_i = \theta_l \cdot X_i,

    with :math:`W_l = W_p(\theta_l \cdot X, \theta_l \cdot Y)` and its derivatives as in
    `wasserstein_distance`; likewise by weights. With the same `seed` the directions are those of
    `fastdiv.sliced_wasserstein`; with None each call draws its own: a stochastic gradient.

    Parameters
    ----------
    X, Y, X_weights, Y_weights, n_projections, seed
        As in `fastdiv.sliced_wasserstein`.
    p : float in [1, inf), default 2
        The order.

    Returns
    -------
    CloudGradient
        ``(value, X, Y, X_weights, Y_weights)``. Weights not given count as 1.

    Raises
    ------
    ValueError
        As the distance does, and for a value that is not finite: it has no gradient.
    TypeError
        For coordinates that are no real numbers.

    Notes
    -----
    O(L n (d + log n)) time for n points of both samples together, a block of directions at a time.

    Derivatives by weights are orthogonal to the weights as they were given. Where the weight is 0 they are
    those towards mass: ``inf`` at a point that is infinite or has projections that may be. Relative errors
    are at most 1e-12 of the sum of the parts by a coordinate, where projections lose nothing (see the
    distance), and of the largest derivative by a weight.

    Kinks: as in `wasserstein_distance`, of each direction; equal points have equal projections. At distance
    0, the least there is, all derivatives are 0.

    References
    ----------
    .. [1] N. Bonneel, J. Rabin, G. Peyre, H. Pfister, "Sliced and Radon Wasserstein barycenters of measures",
       J. Math. Imaging and Vision 51 (2015) 22.

    Examples
    --------
    >>> import fastdiv.grad
    >>> g = fastdiv.grad.sliced_wasserstein([[0.0], [1.0]], [[3.0], [5.0]], p=1)
    >>> round(g.value, 12), g.X.round(12)
    (3.5, array([[-0.5],
           [-0.5]]))
    """
    order = opt.wasserstein_order(p, infinite=False)
    count = opt.count(n_projections, "n_projections")
    return differentiate_clouds((X, Y, X_weights, Y_weights), count, order, seed)
