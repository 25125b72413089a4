"""Entropies with their gradients, and the loss of a classifier."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastdiv.grad._faces import Gradient, LogitsGradient, RowGradient, gradient
from fastdiv.grad._score import differentiate, differentiate_labels

if TYPE_CHECKING:
    from typing import Unpack

    from fastdiv._typing import ArrayLike, CrossGradientOptions, LogGradientOptions

__all__ = ["cross_entropy", "entropy", "softmax_cross_entropy"]


@gradient
def entropy(p: ArrayLike, **options: Unpack[LogGradientOptions]) -> RowGradient:
    r"""Shannon entropy of each row, and its gradient.

    .. math:: \frac{\partial H}{\partial p_i} = -\frac{\log x_i + H}{\sum_k p_k}, \qquad x = p / \sum_k p_k

    Parameters
    ----------
    p : array_like
        Masses of at least one axis.
    {base}
    {options}

    Returns
    -------
    RowGradient
        ``(value, p)``; ``inf`` in a bin without mass.

    {notes}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.entropy([1, 1, 2], base=2).p
    array([ 0.125,  0.125, -0.125])
    """
    return RowGradient(*differentiate(entropy, {"p": p}, options))


@gradient
def cross_entropy(p: ArrayLike, q: ArrayLike, **options: Unpack[CrossGradientOptions]) -> Gradient:
    r"""Cross entropy of each row of `p` under the model `q`, and its gradients.

    .. math:: \frac{\partial H}{\partial p_i} = -\frac{\log y_i + H}{\sum_k p_k}, \qquad
              \frac{\partial H}{\partial q_i} = \frac{1 - x_i / y_i}{\sum_k q_k}

    A classifier's loss with soft labels is that of masses against logits, ``log_input="q"``: its derivative
    by the logits is softmax(q) - p. Labels are smoothed by giving every class of `p` some mass. For labels
    that are class numbers see ``softmax_cross_entropy``.

    Parameters
    ----------
    {pair}
    {base}
    {options}

    {gradients}

    Examples
    --------
    >>> import fastdiv.grad
    >>> fastdiv.grad.cross_entropy([1.0, 0.0], [0.0, 0.0], log_input="q").q
    array([-0.5,  0.5])
    """
    return Gradient(*differentiate(cross_entropy, {"p": p, "q": q}, options))


def softmax_cross_entropy(
    logits: ArrayLike, labels: ArrayLike, *, base: float | None = None, axis: int = -1
) -> LogitsGradient:
    r"""A classifier's loss for labels that are class numbers, and its gradient by the logits.

    .. math:: \ell = \log \sum_k e^{z_k} - z_c, \qquad
              \frac{\partial \ell}{\partial z_i} = \operatorname{softmax}(z)_i - [i = c]

    Parameters
    ----------
    logits : array_like
        One row of class scores for each example, along `axis`.
    labels : array_like of int
        The class of each example, from 0: of the shape of `logits` without `axis`, or broadcast to it.
    base : float, optional
        Base of the logarithm, finite and greater than 1. None: nats.
    axis : int, default -1
        The axis that holds the classes.

    Returns
    -------
    LogitsGradient
        ``(value, logits)``: the loss of each example (its mean is the usual objective) and its derivatives.

    Raises
    ------
    ValueError
        A label that is no class, an infinite or missing logit.
    TypeError
        Labels that are no integers, entries that are no real numbers.

    Notes
    -----
    O(n) time and memory for a row of n classes.

    References
    ----------
    J. S. Bridle, "Probabilistic interpretation of feedforward classification network outputs", in
    Neurocomputing, NATO ASI Series F 68 (1990) 227-236.

    Examples
    --------
    >>> import fastdiv.grad
    >>> loss = fastdiv.grad.softmax_cross_entropy([[0.0, 0.0], [0.0, 1.0]], [0, 1])
    >>> loss.value
    array([0.69314718, 0.31326169])
    >>> loss.logits
    array([[-0.5       ,  0.5       ],
           [ 0.26894142, -0.26894142]])
    """
    return LogitsGradient(*differentiate_labels(logits, labels, base, axis))
