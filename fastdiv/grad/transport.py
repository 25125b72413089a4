"""Transport with its gradient."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from fastdiv._checks import options as opt
from fastdiv.plan import distances, times, transport_plan

if TYPE_CHECKING:
    from fastdiv._typing import ArrayLike

__all__ = ["TransportGradient", "wasserstein_distance"]


class TransportGradient(NamedTuple):
    """A distance and its derivatives by everything it depends on."""

    value: float
    u_values: np.ndarray
    v_values: np.ndarray
    u_weights: np.ndarray
    v_weights: np.ndarray


def wasserstein_distance(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    *,
    p: float = 1,
) -> TransportGradient:
    r"""`fastdiv.wasserstein_distance` of one pair of samples, and its gradient.

    With the optimal coupling :math:`\gamma` and potential f, W = W_p and S the sum of the weights of u,

    .. math:: \frac{\partial W}{\partial x_i} = \sum_j \gamma_{ij} \operatorname{sgn}(x_i - y_j)
              \Big(\frac{|x_i - y_j|}{W}\Big)^{p-1}, \qquad
              \frac{\partial W}{\partial a_i} = \frac{W^{1-p}}{p} \, \frac{f_i - \sum_k a_k f_k / S}{S}.

    Parameters
    ----------
    u_values, v_values, u_weights, v_weights
        As in `fastdiv.wasserstein_distance`, one-dimensional and finite. Weights not given count as 1.
    p : float in [1, inf)

    Returns
    -------
    TransportGradient
        ``(value, u_values, v_values, u_weights, v_weights)``. Where the distance has a kink (values or levels
        that coincide) this is one of its subgradients. At distance 0 all gradients are 0. Derivatives by
        weights are right to some 1e-15 of the largest among them.

    Raises
    ------
    ValueError
        Values that are not finite, negative, infinite, NaN or all-zero weights, empty samples, ``p < 1``.
    TypeError
        For values that are no real numbers.

    Notes
    -----
    O(n log n) time for n values of both samples together; O(n) memory.

    Examples
    --------
    >>> import fastdiv.grad
    >>> g = fastdiv.grad.wasserstein_distance([0.0, 1.0], [3.0, 5.0])
    >>> g.value, g.u_values
    (3.5, array([-0.5, -0.5]))
    """
    order = opt.wasserstein_order(p)
    plan = transport_plan(u_values, v_values, u_weights, v_weights, p=order)
    n, m = plan.shape
    value, scaled = plan.distance, plan._scaled
    if scaled.distance == 0:
        return TransportGradient(value, np.zeros(n), np.zeros(m), np.zeros(n), np.zeros(m))
    x, y = plan.ends()
    pull = np.where(x > y, plan.mass, np.where(x < y, -plan.mass, 0.0))
    if order != 1:
        pull *= (distances(x, y, scaled.distance_scale) / scaled.distance) ** (order - 1)
    ratio, binary = scaled.relative(order - 1)
    weight_gradients = []
    for weights, share, potential in zip(
        (u_weights, v_weights), plan.shares(), (scaled.u_potential, scaled.v_potential), strict=True
    ):
        total, exponent = float(len(share)), 0
        if weights is not None:  # times a power of two: a sum may overflow, its reciprocal too
            given = np.asarray(weights, np.float64)
            exponent = math.frexp(float(given.max()))[1]
            total = float(np.ldexp(given, -exponent).sum())
        slope = (potential - share @ potential) / (total * order * ratio)
        weight_gradients.append(times(slope, 1.0, 1 - math.frexp(scaled.scale)[1] - exponent - binary))
    return TransportGradient(
        value,
        np.bincount(plan.rows, pull, n),
        -np.bincount(plan.cols, pull, m),
        weight_gradients[0],
        weight_gradients[1],
    )
