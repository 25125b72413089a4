"""The objectives of ``fastdiv.gan`` with their gradients."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from fastdiv._faces import completed
from fastdiv.grad._faces import Gradient
from fastdiv.grad._game import differentiate_game

if TYPE_CHECKING:
    from fastdiv._typing import ArrayLike, Value

__all__ = ["DiscriminatorGradient", "minimax_value", "non_saturating_loss", "saturating_loss"]


class DiscriminatorGradient(NamedTuple):
    """An objective against a discriminator that is given, and its derivatives by every entry of each array.

    They have the shape to which the arrays broadcast.
    """

    value: Value
    p: np.ndarray
    q: np.ndarray
    d: np.ndarray


_ARRAYS = """\
p, q : array_like
    Masses of the data and of the generator; all axes but `axis` broadcast, the numbers of bins agree.
d : array_like, optional
    A discriminator, in [0, 1] for each bin. None: the best one, p / (p + q), which follows p and q.
base : float, optional
    Base of the logarithm, finite and greater than 1. None: nats.
axis : int, default -1
    The axis that holds the bins.
keepdims : bool, default False
    Keep that axis with length 1, in the value.
normalize : bool, default True
    Divide each row by its sum. False takes the masses as they stand.
log_input : bool, default False
    The entries of `p` and `q` are log-probabilities or logits (those of a `d` are not)."""

_NOTES = """\
Returns
-------
Gradient or DiscriminatorGradient
    ``(value, p, q)``; where `d` is given ``(value, p, q, d)``, and `d` is held fast in the derivatives by
    the others.

Raises
------
ValueError
    As the objective does, and for a row whose value is not finite: it has no gradient.
TypeError
    Entries that are not real numbers, options of a wrong type.

Notes
-----
O(n) time and memory for a row of n bins.

The derivatives above are by shares x of p and y of q, as if each were free. With ``normalize=True`` those
returned are by the masses as they were given, orthogonal to their row; with False by the masses as they
stand; with ``log_input=True`` by the logarithms. A bin without mass has the derivative towards mass, which
may be infinite. Relative errors are at most 1e-12 of the larger of the derivative and the row's mean slope;
of a derivative by d that is a difference, of its parts."""

F = TypeVar("F", bound=Callable[..., Any])


def _documented(function: F) -> F:
    function.__doc__ = completed(function.__doc__ or "", {"{arrays}": _ARRAYS, "{notes}": _NOTES})
    function.__module__ = "fastdiv.grad"
    return function


def _gradient(*arguments: Any) -> Gradient | DiscriminatorGradient:
    found = differentiate_game(*arguments)
    return Gradient(*found) if len(found) == 3 else DiscriminatorGradient(*found)


@_documented
def minimax_value(
    p: ArrayLike,
    q: ArrayLike,
    d: ArrayLike | None = None,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    log_input: bool = False,
) -> Gradient | DiscriminatorGradient:
    r"""`fastdiv.gan.minimax_value`, and its gradients.

    .. math:: \frac{\partial V}{\partial x_i} = \log d_i, \qquad
              \frac{\partial V}{\partial y_i} = \log(1 - d_i), \qquad
              \frac{\partial V}{\partial d_i} = \frac{x_i}{d_i} - \frac{y_i}{1 - d_i}

    At the optimum these are the same, as the last is 0 there: V is 2 JS and a constant. Where the generator
    has mass and the data none, its derivative is 0: from afar there is nothing to follow.

    Parameters
    ----------
    {arrays}

    {notes}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.minimax_value([1, 1], [1, 1], d=[0.5, 0.75]).d.round(6)
    array([ 0.      , -1.333333])
    >>> fastdiv.grad.minimax_value([1, 0, 0], [0, 1, 1]).q
    array([-inf,   0.,   0.])
    """
    return _gradient("minimax_value", p, q, d, base, axis, keepdims, normalize, log_input)


@_documented
def saturating_loss(
    p: ArrayLike,
    q: ArrayLike,
    d: ArrayLike | None = None,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    log_input: bool = False,
) -> Gradient | DiscriminatorGradient:
    r"""`fastdiv.gan.saturating_loss`, and its gradients.

    .. math:: \frac{\partial}{\partial y_i} = \log(1 - d_i), \qquad \frac{\partial}{\partial x_i} = 0, \qquad
              \frac{\partial}{\partial d_i} = -\frac{y_i}{1 - d_i};

    with the best discriminator :math:`d = x / (x + y)`, which follows the shares,

    .. math:: \frac{\partial}{\partial y_i} = \log(1 - d_i) + d_i, \qquad
              \frac{\partial}{\partial x_i} = d_i - 1.

    Where the generator has mass and the data none, its derivative is 0.

    Parameters
    ----------
    {arrays}

    {notes}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.saturating_loss([1, 3], [1, 1], d=[0.5, 0.5]).d
    array([-1., -1.])
    >>> fastdiv.grad.saturating_loss([1, 0, 0], [0, 1, 1]).q
    array([-inf,   0.,   0.])
    """
    return _gradient("saturating_loss", p, q, d, base, axis, keepdims, normalize, log_input)


@_documented
def non_saturating_loss(
    p: ArrayLike,
    q: ArrayLike,
    d: ArrayLike | None = None,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    log_input: bool = False,
) -> Gradient | DiscriminatorGradient:
    r"""`fastdiv.gan.non_saturating_loss`, and its gradients.

    .. math:: \frac{\partial}{\partial y_i} = -\log d_i, \qquad \frac{\partial}{\partial x_i} = 0, \qquad
              \frac{\partial}{\partial d_i} = -\frac{y_i}{d_i};

    with the best discriminator :math:`d = x / (x + y)`, which follows the shares,

    .. math:: \frac{\partial}{\partial y_i} = -\log d_i + 1 - d_i, \qquad
              \frac{\partial}{\partial x_i} = -\frac{y_i^2}{x_i (x_i + y_i)}.

    Parameters
    ----------
    {arrays}

    {notes}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.non_saturating_loss([1, 3], [1, 1], d=[0.5, 0.25], base=2).q
    array([-0.25,  0.25])
    """
    return _gradient("non_saturating_loss", p, q, d, base, axis, keepdims, normalize, log_input)
