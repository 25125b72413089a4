"""Divergences with their gradients."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastdiv.grad._faces import Gradient, gradient
from fastdiv.grad._score import differentiate

if TYPE_CHECKING:
    from typing import Unpack

    from fastdiv._typing import ArrayLike, GradientOptions, LogGradientOptions

__all__ = ["chi_square", "jeffreys_divergence", "kl_divergence", "renyi_divergence"]


@gradient
def kl_divergence(p: ArrayLike, q: ArrayLike, **options: Unpack[LogGradientOptions]) -> Gradient:
    r"""Kullback-Leibler divergence of each row of `p` from `q`, and its gradients.

    .. math:: \frac{\partial KL}{\partial p_i} = \frac{\log (x_i / y_i) - KL}{\sum_k p_k}, \qquad
              \frac{\partial KL}{\partial q_i} = \frac{1 - x_i / y_i}{\sum_k q_k}

    Parameters
    ----------
    {pair}
    {base}
    {options}

    {gradients}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.kl_divergence([0.5, 0.5], [0.25, 0.75]).q
    array([-1.        ,  0.33333333])
    """
    return Gradient(*differentiate(kl_divergence, {"p": p, "q": q}, options))


@gradient
def jeffreys_divergence(p: ArrayLike, q: ArrayLike, **options: Unpack[LogGradientOptions]) -> Gradient:
    r"""Jeffreys divergence (PSI) of each row, and its gradients: those of KL both ways, added.

    .. math:: \frac{\partial J}{\partial p_i} =
              \frac{\log (x_i / y_i) + 1 - y_i / x_i - KL(p \Vert q)}{\sum_k p_k},
              \qquad x = p / \sum_k p_k, \quad y = q / \sum_k q_k,

    and with p and q exchanged by q.

    Parameters
    ----------
    {pair}
    {base}
    {options}

    {gradients}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.jeffreys_divergence([1, 1], [1, 1]).p
    array([0., 0.])
    """
    return Gradient(*differentiate(jeffreys_divergence, {"p": p, "q": q}, options))


@gradient
def chi_square(p: ArrayLike, q: ArrayLike, **options: Unpack[GradientOptions]) -> Gradient:
    r"""Pearson's chi-square divergence of each row, and its gradients.

    .. math:: \frac{\partial \chi^2}{\partial x_i} = 2 \frac{x_i - y_i}{y_i}, \qquad
              \frac{\partial \chi^2}{\partial y_i} = 1 - \frac{x_i^2}{y_i^2}

    Parameters
    ----------
    {pair}
    {options}

    {gradients}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.chi_square([0.5, 0.5], [0.25, 0.75]).p
    array([ 1.33333333, -1.33333333])
    """
    return Gradient(*differentiate(chi_square, {"p": p, "q": q}, options))


@gradient
def renyi_divergence(
    p: ArrayLike, q: ArrayLike, alpha: float, **options: Unpack[LogGradientOptions]
) -> Gradient:
    r"""Renyi divergence of order `alpha` of each row, and its gradients.

    .. math:: \frac{\partial D}{\partial x_i} = \frac{\alpha}{\alpha - 1} \frac{(x_i / y_i)^{\alpha - 1}}{S},
              \qquad \frac{\partial D}{\partial y_i} = -\frac{(x_i / y_i)^\alpha}{S}, \qquad
              S = \sum_k x_k^\alpha y_k^{1 - \alpha}

    Parameters
    ----------
    {pair}
    alpha : float
        The order, from 0 to ``inf``. At ``inf`` a subgradient: that of the first bin with the largest ratio,
        0 at equal rows.
    {base}
    {options}

    Returns
    -------
    Gradient
        ``(value, p, q)``. The error grows with ``(alpha - 1) D``.

    {notes}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.renyi_divergence([0.5, 0.5], [0.25, 0.75], 2).q
    array([-2.        ,  0.66666667])
    """
    return Gradient(*differentiate(renyi_divergence, {"p": p, "q": q}, options, alpha=alpha))
