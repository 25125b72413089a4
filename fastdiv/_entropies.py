"""Entropies of distributions and of single events. The compiled loops do the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastdiv._faces import measure, score, score_events

if TYPE_CHECKING:
    from typing import Unpack

    from fastdiv._typing import ArrayLike, CrossOptions, LogOptions, Number, Value

__all__ = [
    "surprisal",
    "binary_entropy",
    "entropy",
    "cross_entropy",
]


def surprisal(p: Number | ArrayLike, *, base: float | None = None) -> Value:
    r"""Information content of an event: how surprising it is that it happens.

    .. math:: h(p) = -\log p

    Parameters
    ----------
    p : array_like
        Probabilities, from 0 to 1.
    base : float, optional
        Base of the logarithm, finite and greater than 1. None: nats.

    Returns
    -------
    float or ndarray
        Of the shape of `p`, in nats or units of `base`; ``inf`` for an event that cannot happen.

    Raises
    ------
    ValueError
        A probability outside [0, 1].
    TypeError
        Entries that are not real numbers.

    Notes
    -----
    O(1) time for each entry.

    References
    ----------
    Shannon, "A mathematical theory of communication", Bell System Technical Journal 27 (1948).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.surprisal([1.0, 0.5, 0.125], base=2)
    array([0., 1., 3.])
    """
    return score_events("surprisal", p, base)


def binary_entropy(p: Number | ArrayLike, *, base: float | None = None) -> Value:
    r"""Entropy of an event that happens or not.

    .. math:: H_b(p) = -p \log p - (1 - p) \log (1 - p)

    Parameters
    ----------
    p : array_like
        Probabilities, from 0 to 1.
    base : float, optional
        Base of the logarithm, finite and greater than 1. None: nats.

    Returns
    -------
    float or ndarray
        Of the shape of `p`, in nats or units of `base`: 0 at 0 and 1, largest (one bit) at 1/2.

    Raises
    ------
    ValueError
        A probability outside [0, 1].
    TypeError
        Entries that are not real numbers.

    Notes
    -----
    O(1) time for each entry.

    References
    ----------
    Cover and Thomas, *Elements of Information Theory*, 2nd ed., section 2.1.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.binary_entropy([0.0, 0.5, 1.0], base=2)
    array([0., 1., 0.])
    """
    return score_events("binary_entropy", p, base)


@measure
def entropy(
    p: ArrayLike,
    **options: Unpack[LogOptions],
) -> Value:
    r"""Shannon entropy of each row.

    .. math:: H(p) = -\sum_i p_i \log p_i

    Parameters
    ----------
    p : array_like
        Masses of at least one axis.
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in nats or units of `base`, from 0 to log(number of bins); float32 for
        float32 input. NaN for a row without mass.

    {raises}

    References
    ----------
    Shannon, "A mathematical theory of communication", Bell System Technical Journal 27 (1948).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.entropy([[1, 1, 1, 1], [4, 0, 0, 0]], base=2)
    array([2., 0.])
    """
    return score(entropy, {"p": p}, options)


@measure
def cross_entropy(
    p: ArrayLike,
    q: ArrayLike,
    **options: Unpack[CrossOptions],
) -> Value:
    r"""Cross entropy of each row of `p` under the model `q`.

    .. math:: H(p, q) = -\sum_i p_i \log q_i = H(p) + KL(p \Vert q)

    With ``log_input="q"`` it is that of masses against logits, a classifier's loss with soft labels.

    Parameters
    ----------
    {pair}
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in nats or units of `base`; ``inf`` where `q` has no mass but `p` does. NaN
        for a row without mass.

    {raises}

    References
    ----------
    Cover and Thomas, *Elements of Information Theory*, 2nd ed., chapter 2.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.cross_entropy([0.5, 0.5], [0.25, 0.75], base=2)
    np.float64(1.207518749639422)
    """
    return score(cross_entropy, {"p": p, "q": q}, options)
