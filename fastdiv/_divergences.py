"""Divergences, most of them in units of a logarithm and not symmetric. The compiled loops do the work."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastdiv._faces import measure, score

if TYPE_CHECKING:
    from typing import Unpack

    from fastdiv._typing import ArrayLike, LogOptions, Options, Row, Value

__all__ = ["chi_square", "jeffreys_divergence", "js_divergence", "kl_divergence", "renyi_divergence"]


@measure
def kl_divergence(
    p: ArrayLike,
    q: ArrayLike,
    **options: Unpack[LogOptions],
) -> Value:
    r"""Kullback-Leibler divergence (relative entropy) of each row of `p` from `q`.

    .. math:: KL(p \Vert q) = \sum_i p_i \log \frac{p_i}{q_i}

    Summed as p log(p/q) - p + q, whose terms are never negative and vanish to second order where p and q
    agree: near-identical rows keep their digits.

    Parameters
    ----------
    {pair}
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in nats or units of `base`: 0 for equal rows, ``inf`` where `q` has no mass
        but `p` does. NaN for a row without mass.

    {raises}

    References
    ----------
    Kullback and Leibler, "On information and sufficiency", Annals of Mathematical Statistics 22 (1951).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.kl_divergence([1, 1], [1, 3], base=2)
    np.float64(0.2075187496394219)
    >>> fastdiv.kl_divergence([1, 1], [1, 0])
    np.float64(inf)
    """
    return score(kl_divergence, {"p": p, "q": q}, options)


@measure
def jeffreys_divergence(
    p: ArrayLike,
    q: ArrayLike,
    **options: Unpack[LogOptions],
) -> Value:
    r"""Jeffreys divergence of each row: KL both ways, added. On binned shares it is the PSI.

    .. math:: J(p, q) = \sum_i (p_i - q_i) \log \frac{p_i}{q_i} = KL(p \Vert q) + KL(q \Vert p)

    The population stability index of two histograms is this measure; `pseudocount` keeps it finite where a
    bin is empty on one side.

    Parameters
    ----------
    {pair}
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in nats or units of `base`; ``inf`` where one row has mass and the other
        none. NaN for a row without mass.

    {raises}

    References
    ----------
    Jeffreys, "An invariant form for the prior probability in estimation problems", Proc. R. Soc. A 186
    (1946).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.jeffreys_divergence([1, 3], [3, 1])
    np.float64(1.0986122886681096)
    """
    return score(jeffreys_divergence, {"p": p, "q": q}, options)


@measure
def js_divergence(
    p: ArrayLike,
    q: ArrayLike | None = None,
    *,
    weights: Row | None = None,
    **options: Unpack[LogOptions],
) -> Value:
    r"""Jensen-Shannon divergence of two distributions, or of a stack of them.

    .. math:: JS(p, q) = \frac12 KL(p \Vert m) + \frac12 KL(q \Vert m), \quad m = \frac{p + q}{2}

    With weights w it is the sum of w_j KL(p_j, m) about the mixture m, the sum of w_j p_j.

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
        One value for each row, in nats or units of `base`: 0 for equal rows, and exactly log 2 (1 for
        ``base=2``; the entropy of the weights in general) for rows that share no bin. NaN for a row without
        mass. Two rows of more than 128 bins of float32 are compared in single precision, to 5e-6 of it.

    {raises}

    References
    ----------
    Lin, "Divergence measures based on the Shannon entropy", IEEE Trans. Information Theory 37 (1991).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.js_divergence([1, 0], [0, 1], base=2)
    np.float64(1.0)
    >>> fastdiv.js_divergence([[1, 0, 0], [0, 1, 0], [0, 0, 1]], base=2)
    np.float64(1.584962500721156)
    """
    arrays = {"p": p} if q is None else {"p": p, "q": q}
    return score(js_divergence, arrays, options, weights=weights, is_stack=q is None)


@measure
def chi_square(
    p: ArrayLike,
    q: ArrayLike,
    **options: Unpack[Options],
) -> Value:
    r"""Pearson's chi-square divergence of each row of `p` from `q`.

    .. math:: \chi^2(p \Vert q) = \sum_i \frac{(p_i - q_i)^2}{q_i}

    Parameters
    ----------
    {pair}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row; ``inf`` where `q` has no mass but `p` does. NaN for a row without mass.

    {raises}

    References
    ----------
    Pearson, "On the criterion that a given system of deviations ...", Philosophical Magazine 50 (1900).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.chi_square([1, 1], [1, 3])
    np.float64(0.3333333333333333)
    """
    return score(chi_square, {"p": p, "q": q}, options)


@measure
def renyi_divergence(
    p: ArrayLike,
    q: ArrayLike,
    alpha: float,
    **options: Unpack[LogOptions],
) -> Value:
    r"""Renyi divergence of order `alpha` of each row of `p` from `q`.

    .. math:: D_\alpha(p \Vert q) = \frac{1}{\alpha - 1} \log \sum_i p_i^\alpha q_i^{1 - \alpha}

    Order 1 is the Kullback-Leibler divergence, 1/2 is -2 log of the Bhattacharyya coefficient, 0 is -log of
    the mass of `q` on the support of `p`, ``inf`` is the log of the largest ratio p/q.

    Parameters
    ----------
    {pair}
    alpha : float
        Order, from 0 to infinity.
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in nats or units of `base`; ``inf`` where `q` has no mass but `p` does (from
        order 1 on) or the two share no bin. NaN for a row without mass.

    {raises}

    References
    ----------
    Renyi, "On measures of entropy and information", Proc. 4th Berkeley Symposium (1961); van Erven and
    Harremoes, "Renyi divergence and Kullback-Leibler divergence", IEEE Trans. Information Theory 60 (2014).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.renyi_divergence([1, 1], [1, 3], 2, base=2)
    np.float64(0.41503749927884376)
    """
    return score(renyi_divergence, {"p": p, "q": q}, options, alpha=alpha)
