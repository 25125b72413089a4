"""Distances: symmetric measures, most of them metrics. The compiled loops do the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastdiv._faces import measure, score

if TYPE_CHECKING:
    from typing import Unpack

    from fastdiv._typing import ArrayLike, LogOptions, Options, Row, Value

__all__ = [
    "bhattacharyya_distance",
    "hellinger_distance",
    "js_distance",
    "total_variation",
    "triangular_discrimination",
]


@measure
def js_distance(
    p: ArrayLike,
    q: ArrayLike | None = None,
    *,
    weights: Row | None = None,
    **options: Unpack[LogOptions],
) -> Value:
    r"""Jensen-Shannon distance: the square root of the divergence, a metric.

    .. math:: d(p, q) = \sqrt{JS(p, q)}

    The base is applied before the root, so that ``base=2`` puts the distance in [0, 1].

    Parameters
    ----------
    p, q : array_like (q optional)
        Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree. Without `q`,
        `p` is a stack: the axis before the bins (once they are moved last) holds the distributions to mix.
    weights : array_like, optional
        Mixture weights, one for each distribution, not negative; they are divided by their sum. None: equal.
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in the root of nats or units of `base`: 0 for equal rows, 1 in base 2 for
        rows that share no bin. NaN for a row without mass. Two rows of more than 128 bins of float32 are
        compared in single precision, to 5e-6 of the value.

    {raises}

    References
    ----------
    Endres and Schindelin, "A new metric for probability distributions", IEEE Trans. Information Theory 49
    (2003).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.js_distance([[1, 0], [1, 1]], [0, 1], base=2)
    array([1.        , 0.55792305])
    """
    arrays = {"p": p} if q is None else {"p": p, "q": q}
    return score(js_distance, arrays, options, weights=weights, is_stack=q is None)


@measure
def total_variation(
    p: ArrayLike,
    q: ArrayLike,
    **options: Unpack[Options],
) -> Value:
    r"""Total variation distance of each row.

    .. math:: TV(p, q) = \frac12 \sum_i |p_i - q_i|

    Parameters
    ----------
    {pair}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in [0, 1]. NaN for a row without mass.

    {raises}

    References
    ----------
    Levin and Peres, *Markov Chains and Mixing Times*, 2nd ed., chapter 4.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.total_variation([1, 1], [1, 3])
    np.float64(0.25)
    """
    return score(total_variation, {"p": p, "q": q}, options)


@measure
def hellinger_distance(
    p: ArrayLike,
    q: ArrayLike,
    **options: Unpack[Options],
) -> Value:
    r"""Hellinger distance of each row.

    .. math:: h(p, q) = \sqrt{\frac12 \sum_i (\sqrt{p_i} - \sqrt{q_i})^2}

    Parameters
    ----------
    {pair}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in [0, 1]. NaN for a row without mass.

    {raises}

    References
    ----------
    Le Cam and Yang, *Asymptotics in Statistics*, 2nd ed., chapter 3.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.hellinger_distance([1, 0], [0, 1])
    np.float64(1.0)
    """
    return score(hellinger_distance, {"p": p, "q": q}, options)


@measure
def triangular_discrimination(
    p: ArrayLike,
    q: ArrayLike,
    **options: Unpack[Options],
) -> Value:
    r"""Triangular discrimination of each row (Vincze, Le Cam).

    .. math:: \Delta(p, q) = \sum_i \frac{(p_i - q_i)^2}{p_i + q_i}

    Twice the chi-square divergence of either row from the mean of both; its root is a metric.

    Parameters
    ----------
    {pair}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in [0, 2]: 2 where the rows have no bin in common. NaN for a row without mass.

    {raises}

    References
    ----------
    Topsoe, "Some inequalities for information divergence and related measures of discrimination", IEEE
    Transactions on Information Theory 46 (2000).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.triangular_discrimination([1, 0], [0, 1])
    np.float64(2.0)
    """
    return score(triangular_discrimination, {"p": p, "q": q}, options)


@measure
def bhattacharyya_distance(
    p: ArrayLike,
    q: ArrayLike,
    **options: Unpack[LogOptions],
) -> Value:
    r"""Bhattacharyya distance of each row: -log of the overlap.

    .. math:: D_B(p, q) = -\log \sum_i \sqrt{p_i q_i}

    Half of Renyi's divergence of order 1/2, and -log(1 - h^2) of the Hellinger distance h. Symmetric, but no
    metric.

    Parameters
    ----------
    {pair}
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, from 0 up; ``inf`` where the rows have no bin in common. NaN for a row without
        mass. With ``normalize=False`` it may be negative.

    {raises}

    References
    ----------
    Bhattacharyya, "On a measure of divergence between two statistical populations defined by their
    probability distributions", Bulletin of the Calcutta Mathematical Society 35 (1943).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.bhattacharyya_distance([1, 0], [0.25, 0.75], base=2)
    np.float64(1.0)
    """
    return score(bhattacharyya_distance, {"p": p, "q": q}, options)
