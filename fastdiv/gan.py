"""The objectives of the original GAN on distributions: rows of masses, p the data and q the generator.

Plain twins are in ``fastdiv.reference.gan``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from fastdiv._checks.arrays import as_numbers
from fastdiv._checks.data import raise_not_finite
from fastdiv._checks.options import last_back
from fastdiv._faces import completed
from fastdiv._game import LN2, Decomposition, checked, common_edges, expected, mean, of_discriminator
from fastdiv._game import game as play
from fastdiv.information import js_divergence, kl_divergence

if TYPE_CHECKING:
    from fastdiv._typing import ArrayLike, Row, Value

__all__ = [
    "Decomposition",
    "SharedHistogram",
    "decomposition",
    "minimax_value",
    "non_saturating_loss",
    "optimal_discriminator",
    "saturating_loss",
    "shared_histogram",
]

_D = """\
d : array_like, optional
    A discriminator: for each bin the probability, in [0, 1], that what falls into it is data. None: the best
    one, p / (p + q)."""

_OPTIONS = """\
base : float, optional
    Base of the logarithm, finite and greater than 1. None: nats.
axis : int, default -1
    The axis that holds the bins.
keepdims : bool, default False
    Keep that axis with length 1.
normalize : bool, default True
    Divide each row by its sum. False takes the masses as they stand.
log_input : bool, default False
    The entries of `p` and `q` are log-probabilities or logits (those of a `d` are not)."""

_RAISES = """\
ValueError
    A negative or infinite mass, a `d` outside [0, 1] (argument, row and bin are named), different numbers
    of bins, no bins, an option out of range.
TypeError
    Entries that are not real numbers, options of a wrong type.

Notes
-----
O(n) time and memory for a row of n bins."""

F = TypeVar("F", bound=Callable[..., Any])


def _documented(function: F) -> F:
    """Fills in what the losses share."""
    own = {"{d}": _D, "{options}": _OPTIONS, "{raises}": _RAISES}
    function.__doc__ = completed(function.__doc__ or "", own)
    return function


class SharedHistogram(NamedTuple):
    """Two samples counted in the same bins."""

    p: np.ndarray
    q: np.ndarray
    edges: np.ndarray


# --- public ------------------------------------------------------------------------------------------------


def optimal_discriminator(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: int = -1,
    normalize: bool = True,
    log_input: bool = False,
) -> np.ndarray:
    r"""The discriminator that no other beats: the probability that what fell into a bin is data.

    .. math:: D^*_i = \frac{p_i}{p_i + q_i}

    It is 1/2 in a bin that neither row has mass in: nothing falls there, so nothing prefers another value.

    Parameters
    ----------
    p, q : array_like
        Masses of the data and of the generator; all axes but `axis` broadcast, the numbers of bins agree.
    axis : int, default -1
        The axis that holds the bins.
    normalize : bool, default True
        Divide each row by its sum. False takes the masses as they stand.
    log_input : bool, default False
        The entries are log-probabilities or logits.

    Returns
    -------
    ndarray
        In [0, 1], of the shape that `p` and `q` broadcast to; float32 where both are. NaN in a row without
        mass.

    Raises
    ------
    ValueError
        A negative or infinite mass (argument, row and bin are named), different numbers of bins, no bins.
    TypeError
        Entries that are not real numbers, options of a wrong type.

    Notes
    -----
    O(n) time and memory for a row of n bins.

    References
    ----------
    Goodfellow et al., "Generative adversarial nets", NeurIPS 27 (2014), proposition 1.

    Examples
    --------
    >>> import fastdiv.gan
    >>> fastdiv.gan.optimal_discriminator([1, 3, 0, 0], [2, 0, 2, 0])
    array([0.33333333, 1.        , 0.        , 0.5       ])
    """
    call = checked(p, q, None, None, axis, False, normalize, log_input)
    game = play(call)
    best = np.where(game.void[..., np.newaxis], np.nan, 1.0 / (1.0 + game.odds)).astype(call.dtype)
    return last_back(best, axis)


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
) -> Value:
    r"""The value of the game: the discriminator wants it high, the generator low.

    .. math:: V(p, q; d) = E_p[\log d] + E_q[\log(1 - d)], \qquad V(p, q; D^*) = 2 JS(p, q) - 2 \log 2

    Parameters
    ----------
    p, q : array_like
        Masses of the data and of the generator; all axes but `axis` broadcast, the numbers of bins agree.
    {d}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, at most 0; ``-inf`` where `d` is certain and wrong. At the optimum from -2
        log 2, exactly so for equal rows, to 0, exactly so for rows that share no bin. float32 where all
        arrays are. NaN for a row without mass.

    Raises
    ------
    {raises}

    References
    ----------
    Goodfellow et al., "Generative adversarial nets", NeurIPS 27 (2014), equation 1 and theorem 1.

    Examples
    --------
    >>> import fastdiv.gan
    >>> float(fastdiv.gan.minimax_value([1, 1], [1, 1], base=2))
    -2.0
    >>> float(fastdiv.gan.minimax_value([1, 0], [0, 1]))
    0.0
    >>> float(fastdiv.gan.minimax_value([1, 0], [0, 1], d=[0.5, 0.5], base=2))
    -2.0
    """
    call = checked(p, q, d, base, axis, keepdims, normalize, log_input)
    game = play(call)
    if call.d is not None:
        of_data, of_made = of_discriminator(call.d), of_discriminator(call.d, complement=True)
        data = mean(game.p, game.has_p, of_data, game.void)
        return call.value(0.0 - data - mean(game.q, game.has_q, of_made, game.void))
    value = 0.0 - expected(game, "p", "p") - expected(game, "q", "q")
    if normalize:  # exact for equal rows by the one form, for disjoint rows by the other
        js = js_divergence(call.p, call.q, log_input=log_input)
        value = np.where(2 * js < LN2, 2 * js - 2 * LN2, value)
    return call.value(value)


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
) -> Value:
    r"""The generator's first loss, its part of the game's value: flat where the discriminator is sure.

    .. math:: E_q[\log(1 - d)]

    Parameters
    ----------
    p, q : array_like
        Masses of the data and of the generator; all axes but `axis` broadcast, the numbers of bins agree.
        Of `p` nothing but the shape counts if `d` is given.
    {d}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, at most 0: exactly 0 at the optimum for rows that share no bin, ``-inf``
        where `d` is 1 and the generator has mass. float32 where all arrays are. NaN for a row without mass.

    Raises
    ------
    {raises}

    References
    ----------
    Goodfellow et al., "Generative adversarial nets", NeurIPS 27 (2014), section 3.

    Examples
    --------
    >>> import fastdiv.gan
    >>> float(fastdiv.gan.saturating_loss([1, 1], [1, 1], base=2))
    -1.0
    >>> float(fastdiv.gan.saturating_loss([1, 0], [0, 1]))
    0.0
    """
    call = checked(p, q, d, base, axis, keepdims, normalize, log_input)
    game = play(call)
    if call.d is None:
        return call.value(0.0 - expected(game, "q", "q"))
    return call.value(0.0 - mean(game.q, game.has_q, of_discriminator(call.d, complement=True), game.void))


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
) -> Value:
    r"""The generator's second loss: steep where the discriminator is sure, and unstable for it.

    .. math:: E_q[-\log d]

    Parameters
    ----------
    p, q : array_like
        Masses of the data and of the generator; all axes but `axis` broadcast, the numbers of bins agree.
        Of `p` nothing but the shape counts if `d` is given.
    {d}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, at least 0; ``inf`` where the generator has mass and `d` (or `p`) is 0.
        float32 where all arrays are. NaN for a row without mass.

    Raises
    ------
    {raises}

    References
    ----------
    Goodfellow et al., "Generative adversarial nets", NeurIPS 27 (2014), section 3; Arjovsky and Bottou,
    "Towards principled methods for training generative adversarial networks", ICLR 2017, section 2.2.

    Examples
    --------
    >>> import fastdiv.gan
    >>> float(fastdiv.gan.non_saturating_loss([1, 1], [1, 1], base=2))
    1.0
    >>> float(fastdiv.gan.non_saturating_loss([1, 0], [0, 1]))
    inf
    """
    call = checked(p, q, d, base, axis, keepdims, normalize, log_input)
    game = play(call)
    if call.d is None:
        return call.value(expected(game, "q", "p"))
    return call.value(mean(game.q, game.has_q, of_discriminator(call.d), game.void))


@_documented
def decomposition(
    p: ArrayLike,
    q: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    log_input: bool = False,
) -> Decomposition:
    r"""What descending the second loss really does: pull KL down and push JS up, at the same time.

    .. math:: E_q[-\log D^*] = KL(q \Vert p) - 2 JS(p, q) + 2 \log 2 + E_p[\log D^*]

    The last term does not depend on the generator while the discriminator is held fast. KL(q || p) weighs
    what the generator makes up far more than what it leaves out (dropped modes), and the two divergences
    pull against each other (unstable steps).

    Parameters
    ----------
    p, q : array_like
        Masses of the data and of the generator; all axes but `axis` broadcast, the numbers of bins agree.
    {options}

    Returns
    -------
    Decomposition
        ``(non_saturating_loss, kl_divergence, js_divergence, log_discriminator, constant, residual)``; the
        residual is what rounding leaves of the left side less the right, and 0 where a side is infinite.

    Raises
    ------
    ValueError
        A negative or infinite mass (argument, row and bin are named), different numbers of bins, no bins.
    TypeError
        Entries that are not real numbers, options of a wrong type.

    Notes
    -----
    O(n) time and memory for a row of n bins.

    References
    ----------
    Arjovsky and Bottou, "Towards principled methods for training generative adversarial networks", ICLR 2017,
    theorem 2.5.

    Examples
    --------
    >>> import fastdiv.gan
    >>> parts = fastdiv.gan.decomposition([1, 1], [1, 3], base=2)
    >>> round(float(parts.kl_divergence), 6), round(float(parts.js_divergence), 6)
    (0.188722, 0.048795)
    """
    call = checked(p, q, None, base, axis, keepdims, normalize, log_input)
    game = play(call)
    loss, data = expected(game, "q", "p"), 0.0 - expected(game, "p", "p")
    kl = kl_divergence(call.q, call.p, normalize=normalize, log_input=log_input)
    js = js_divergence(call.p, call.q, normalize=normalize, log_input=log_input)
    with np.errstate(over="ignore", invalid="ignore"):
        constant = np.full(loss.shape, 2 * LN2) if normalize else LN2 * (game.p.sum(-1) + game.q.sum(-1))
        left, right = loss, kl - 2 * js + constant + data
        beyond = (loss == np.inf) | (constant == np.inf)  # of float64, or infinite on both sides
        residual = np.where(beyond, 0.0, left - right)
    return Decomposition(*(call.value(np.asarray(x)) for x in (loss, kl, js, data, constant, residual)))


def shared_histogram(p_samples: Row, q_samples: Row, bins: int | str | Row = 64) -> SharedHistogram:
    """Counts of two samples in the same bins: what the objectives take in place of samples.

    Parameters
    ----------
    p_samples, q_samples : array_like, shape (n,) and (m,)
        Finite values: the data, and what the generator made.
    bins : int, str or array_like, default 64
        A number of bins over the range of both samples; a rule of `numpy.histogram_bin_edges` such as "fd",
        for both samples together; or ascending edges, which all values must lie between.

    Returns
    -------
    SharedHistogram
        ``(p, q, edges)``, counts of `p_samples` and of `q_samples`; the last bin holds its right edge too.

    Raises
    ------
    ValueError
        Empty samples, values that are not finite or outside the edges, edges that do not ascend.
    TypeError
        Values that are not real numbers.

    Notes
    -----
    O((n + m) log b) time for b bins; O(n + m) memory.

    Examples
    --------
    >>> import fastdiv.gan
    >>> p, q, edges = fastdiv.gan.shared_histogram([0.0, 0.1, 0.4], [0.9, 1.0], bins=2)
    >>> float(fastdiv.gan.minimax_value(p, q))
    0.0
    """
    given = {}
    for name, values in (("p_samples", p_samples), ("q_samples", q_samples)):
        x = as_numbers(values, name)
        if x.ndim != 1 or not x.size:
            raise ValueError(f"{name} must be one sample of at least one value, not of shape {x.shape}")
        x = given[name] = x.astype(np.float64)
        raise_not_finite(x, name)
    edges = common_edges(np.concatenate(list(given.values())), bins)
    counts = []
    for name, x in given.items():
        for i in np.flatnonzero((x < edges[0]) | (x > edges[-1]))[:1]:
            raise ValueError(
                f"{name} must lie between the edges {edges[0]} and {edges[-1]}, not {x[i]}: {name}[{i}]"
            )
        place = np.searchsorted(edges, x, side="right") - 1
        counts.append(np.bincount(np.minimum(place, len(edges) - 2), minlength=len(edges) - 1))
    return SharedHistogram(counts[0], counts[1], edges)
