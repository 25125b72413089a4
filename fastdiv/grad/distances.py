"""Bounded measures and distances with their gradients, most of them symmetric."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fastdiv.grad._faces import Gradient, RowGradient, gradient
from fastdiv.grad._score import differentiate

if TYPE_CHECKING:
    from typing import Unpack

    from fastdiv._typing import ArrayLike, GradientOptions, LogGradientOptions, Row

__all__ = [
    "bhattacharyya_distance",
    "hellinger_distance",
    "js_distance",
    "js_divergence",
    "total_variation",
    "triangular_discrimination",
]


def _mixture(measure: Any, p: Any, q: Any, weights: Any, options: Any) -> Gradient | RowGradient:
    if q is None:
        return RowGradient(*differentiate(measure, {"p": p}, options, is_stack=True, weights=weights))
    return Gradient(*differentiate(measure, {"p": p, "q": q}, options, weights=weights))


@gradient
def js_divergence(
    p: ArrayLike,
    q: ArrayLike | None = None,
    *,
    weights: Row | None = None,
    **options: Unpack[LogGradientOptions],
) -> Gradient | RowGradient:
    r"""Jensen-Shannon divergence of each pair of rows, or of stacks of many, and its gradients.

    .. math:: \frac{\partial JS}{\partial p_{ji}} = \frac{w_j}{\sum_k p_{jk}} \Big(\log \frac{x_{ji}}{m_i} -
              \sum_k x_{jk} \log \frac{x_{jk}}{m_k}\Big), \qquad m = \sum_j w_j x_j

    Parameters
    ----------
    p : array_like
        Masses; without `q` a stack of distributions on the axis before the bins.
    q : array_like, optional
        Masses to compare with.
    weights : array_like, optional
        Of the mixture, one for each distribution; scaled to sum to 1. None: all the same.
    {base}
    {options}

    Returns
    -------
    Gradient or RowGradient
        ``(value, p, q)``, of a stack ``(value, p)``.

    {notes}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.js_divergence([1, 0], [0, 1], base=2)
    Gradient(value=np.float64(1.0), p=array([  0., -inf]), q=array([-inf,   0.]))
    """
    return _mixture(js_divergence, p, q, weights, options)


@gradient
def js_distance(
    p: ArrayLike,
    q: ArrayLike | None = None,
    *,
    weights: Row | None = None,
    **options: Unpack[LogGradientOptions],
) -> Gradient | RowGradient:
    r"""The root of ``js_divergence``, and its gradients; 0 at equal rows, where it has a kink.

    .. math:: \nabla \sqrt{JS} = \frac{\nabla JS}{2 \sqrt{JS}}

    Parameters
    ----------
    p : array_like
        Masses; without `q` a stack of distributions on the axis before the bins.
    q : array_like, optional
        Masses to compare with.
    weights : array_like, optional
        Of the mixture, one for each distribution; scaled to sum to 1. None: all the same.
    {base}
    {options}

    Returns
    -------
    Gradient or RowGradient
        ``(value, p, q)``, of a stack ``(value, p)``.

    {notes}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.js_distance([1, 3], [1, 3]).p
    array([0., 0.])
    """
    return _mixture(js_distance, p, q, weights, options)


@gradient
def total_variation(p: ArrayLike, q: ArrayLike, **options: Unpack[GradientOptions]) -> Gradient:
    r"""Total variation of each row, and a subgradient: 0 for a bin in which the shares agree.

    .. math:: \frac{\partial TV}{\partial x_i} = \tfrac12 \operatorname{sgn}(x_i - y_i)

    Parameters
    ----------
    {pair}
    {options}

    {gradients}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.total_variation([0.25, 0.75], [0.5, 0.5]).p
    array([-0.75,  0.25])
    """
    return Gradient(*differentiate(total_variation, {"p": p, "q": q}, options))


@gradient
def hellinger_distance(p: ArrayLike, q: ArrayLike, **options: Unpack[GradientOptions]) -> Gradient:
    r"""Hellinger distance h of each row, and its gradients; 0 at equal rows, where it has a kink.

    .. math:: \frac{\partial h}{\partial x_i} = \frac{1 - \sqrt{y_i / x_i}}{4 h}

    Parameters
    ----------
    {pair}
    {options}

    {gradients}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.hellinger_distance([1, 0], [0, 1])
    Gradient(value=np.float64(1.0), p=array([  0., -inf]), q=array([-inf,   0.]))
    """
    return Gradient(*differentiate(hellinger_distance, {"p": p, "q": q}, options))


@gradient
def triangular_discrimination(p: ArrayLike, q: ArrayLike, **options: Unpack[GradientOptions]) -> Gradient:
    r"""Triangular discrimination of each row, and its gradients.

    .. math:: \frac{\partial \Delta}{\partial x_i} = \frac{(x_i - y_i)(x_i + 3 y_i)}{(x_i + y_i)^2}

    Parameters
    ----------
    {pair}
    {options}

    {gradients}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.triangular_discrimination([0, 1], [1, 0]).p
    array([-4.,  0.])
    """
    return Gradient(*differentiate(triangular_discrimination, {"p": p, "q": q}, options))


@gradient
def bhattacharyya_distance(p: ArrayLike, q: ArrayLike, **options: Unpack[LogGradientOptions]) -> Gradient:
    r"""Bhattacharyya distance of each row, and its gradients.

    .. math:: \frac{\partial D}{\partial x_i} = -\frac{\sqrt{y_i / x_i}}{2 \sum_k \sqrt{x_k y_k}}

    Parameters
    ----------
    {pair}
    {base}
    {options}

    {gradients}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.bhattacharyya_distance([1, 1], [2, 2]).p
    array([0., 0.])
    """
    return Gradient(*differentiate(bhattacharyya_distance, {"p": p, "q": q}, options))
