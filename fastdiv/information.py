"""Information measures, row by row: entropy, cross entropy, divergences and distances of distributions.

A row is a distribution: probabilities, counts, or logarithms of either. Each function takes any array-likes,
broadcasts over all axes but the one that holds the bins, and hands the rows to the compiled loops; this
module holds names, defaults and documentation. The same measures in plain NumPy are in ``fastdiv.reference``.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np

from fastdiv import _rows
from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers, known_chunks, same_chunks, same_labels

if TYPE_CHECKING:
    from fastdiv._typing import ArrayLike, NanPolicy, Number, Row, Value

__all__ = [
    "binary_entropy",
    "chi_square",
    "bhattacharyya_distance",
    "triangular_discrimination",
    "cross_entropy",
    "entropy",
    "hellinger_distance",
    "jeffreys_divergence",
    "js_distance",
    "js_divergence",
    "kl_divergence",
    "renyi_divergence",
    "surprisal",
    "total_variation",
]

_BASE = """
base : float, optional
    Base of the logarithm, finite and greater than 1. None: nats."""

_OPTIONS = """
axis : int, default -1
    The axis that holds the bins.
keepdims : bool, default False
    Keep that axis with length 1.
normalize : bool, default True
    Divide each row by its sum. False takes the masses as they stand, whatever they add to.
pseudocount : float, default 0.0
    Added to every bin, in float64, before normalising.
log_input : bool, default False
    The entries are log-probabilities or logits, ``-inf`` for no mass; rows are normalised by log-sum-exp,
    so nothing underflows.
nan_policy : {"propagate", "omit", "raise"}
    What a NaN does: make its row's value NaN; drop its bin, from all rows compared; raise.
out : ndarray, optional
    Where to put the result: its exact shape and dtype."""

_RAISES = """
ValueError
    A negative or infinite mass (argument, row and bin are named), different numbers of bins, no bins, an
    option out of range, a NaN with ``nan_policy="raise"``.
TypeError
    Entries that are not real numbers, options of a wrong type."""

# bins that are cast at a time, and computed before Ctrl-C is looked at
CAST_BLOCK, LONG_BLOCK = 1 << 18, 1 << 26

F = TypeVar("F", bound=Callable[..., Any])


def _pasted(text: str) -> str:
    """The text with each marker that stands on a line of its own replaced by what all measures share.

    The words take the indentation of their marker: from Python 3.13 on docstrings come without the one that
    their lines have in common.
    """
    shared = {"{base}": _BASE, "{options}": _OPTIONS, "{raises}": _RAISES}
    lines = []
    for line in text.split("\n"):
        marker = line.strip()
        margin = line[: len(line) - len(line.lstrip())]
        words = shared[marker].strip("\n").split("\n") if marker in shared else None
        lines += [line] if words is None else [margin + word for word in words]
    return "\n".join(lines)


def _documented(function: F) -> F:
    """Fills in the parameters that all measures share."""
    function.__doc__ = _pasted(function.__doc__ or "")
    return function


def _measure(function: F) -> F:
    """A public measure: documented, and with a short way in for one pair of plain vectors."""
    name = "cross_entropy" if function.__name__ == "entropy" else function.__name__
    n_rows = 1 if function.__name__ == "entropy" else 2
    door: F = _rows.door(_rows.MEASURES.index(name), n_rows, _documented(function))
    return door


# --- from arguments to the compiled rows -----------------------------------------------------------------


def _is_duck(array: Any) -> bool:
    """Arrays that compute for themselves, such as Dask's: they get the ufunc, not our conversions."""
    return hasattr(array, "__array_function__") and not isinstance(array, np.ndarray)


def _omit(
    views: list[np.ndarray], pseudocount: float, log_input: bool, stack: bool
) -> tuple[list[np.ndarray], np.ndarray]:
    """Copies without the bins in which any compared row has a NaN, and which rows have nothing left."""
    missing = np.isnan(views[0])
    for view in views[1:]:
        missing = missing | np.isnan(view)
    if stack:
        missing = missing.any(-2, keepdims=True)
    none = -np.inf if log_input else 0.0
    kept = [np.where(missing, none, view.astype(np.float64) + pseudocount) for view in views]
    return kept, missing.all(-1)[..., 0] if stack else missing.all(-1)


def _over_rows(
    gufunc: Any, arrays: list[Any], rows: tuple[int, ...], others: tuple[Any, ...], dtype: np.dtype[Any]
) -> Any:
    """The gufunc of arrays that broadcast to `rows` (entropy: of one array, twice).

    Integers of one dtype are taken as they are, all else is cast. Long work goes by blocks of rows: what was
    cast is still in the caches when it is read, and Python looks at signals after each block.
    """
    target = dtype
    if len(others) == 1 and all(a.dtype == arrays[0].dtype and a.dtype.kind in "iu" for a in arrays):
        target = arrays[0].dtype.newbyteorder("=")
    elif len(others) == 1 and all(a.dtype == np.bool_ for a in arrays):
        arrays, target = [a.view(np.uint8) for a in arrays], np.dtype(np.uint8)
    twice = 2 if len(arrays) == 1 and len(others) == 1 else 1
    casts = any(a.dtype != target for a in arrays)
    core = arrays[0].ndim - len(rows) if len(arrays) == 1 else 1
    bins = max(a.size for a in arrays)
    block = CAST_BLOCK if casts else LONG_BLOCK
    if not rows or bins <= block or any(map(_is_duck, arrays)):
        return gufunc(*[a if a.dtype == target else a.astype(target) for a in arrays] * twice, *others)
    axis = int(np.argmax(rows))
    step = max(1, block * rows[axis] // bins)
    arrays = [a.astype(target) if a.size <= block else a for a in arrays]  # before it is repeated
    arrays = [np.broadcast_to(a, (*rows, *a.shape[a.ndim - core :])) for a in arrays]
    result = np.empty(rows, dtype)
    for start in range(0, rows[axis], step):
        part = (*[slice(None)] * axis, slice(start, start + step))
        views = [a[part] if a.dtype == target else a[part].astype(target) for a in arrays]
        gufunc(*views * twice, *others, out=result[part])
    return result


def _score(
    measure: str,
    arrays: dict[str, Any],
    base: float | None,
    axis: int,
    keepdims: bool,
    normalize: bool,
    pseudocount: float,
    log_input: bool,
    nan_policy: str,
    out: np.ndarray[Any, Any] | None,
    *,
    weights: Any = None,
    alpha: float = 1.0,
    stack: bool = False,
) -> Value:
    """The long way: any array-likes, any options, any number of rows."""
    ducks = any(map(_is_duck, arrays.values()))
    given = {name: a if _is_duck(a) else as_numbers(a, name) for name, a in arrays.items()}
    base = opt.log_base(base)
    keepdims, normalize = opt.flag(keepdims, "keepdims"), opt.flag(normalize, "normalize")
    log_input, nan_policy = opt.flag(log_input, "log_input"), opt.policy(nan_policy)
    pseudocount = opt.smoothing(pseudocount, log_input)
    axis = opt.integer(axis, "axis")
    same_labels(arrays, axis, rows=True)
    for name, a in given.items() if ducks else ():
        known_chunks(a, name, axis)
        if stack:
            known_chunks(a, name, -2 if axis in (-1, a.ndim - 1) else -1)
    if ducks:
        same_chunks(given, axis)
    if stack and weights is not None:
        same_labels({**arrays, "weights": weights}, -2 if axis in (-1, given["p"].ndim - 1) else -1)
    last = opt.stack_last if stack else opt.bins_last
    views = {name: last(a, name, axis) for name, a in given.items()}
    rows = opt.row_shape(list(views.values()), list(views))
    shape = opt.result_shape(rows[:-1] if stack else rows, axis, keepdims, stack)
    dtype = opt.result_dtype(*given.values())
    if ducks and (out is not None or nan_policy == "raise"):
        raise TypeError("arrays that are computed later take neither out nor nan_policy='raise'")
    if out is not None:
        opt.check_out(out, shape, dtype)
    mixture = opt.mixture_weights(weights, rows[-1] if stack else 2)

    result: Value
    operands, void = list(views.values()), None
    if nan_policy == "omit" and (ducks or any(np.isnan(view).any() for view in operands)):
        for name, view in () if ducks else views.items():  # a bin that is dropped may hide what is forbidden
            opt.raise_bad_mass(view, name, axis, log_input=log_input, nan_policy=nan_policy)
        operands, void = _omit(operands, pseudocount, log_input, stack)
        pseudocount = 0.0
    computed = dtype if void is None else np.dtype(np.float64)
    pair = (0.5, 0.5) if stack else mixture
    options = np.array([*_rows.unit(base), normalize, log_input, pseudocount, *pair, alpha])
    if stack:
        result = _over_rows(_rows.STACK_GUFUNCS[measure], operands, rows[:-1], (mixture, options), computed)
    else:
        result = _over_rows(_rows.GUFUNCS[measure], operands, rows, (options,), computed)
    if void is not None:
        result = np.where(void, np.nan, result).astype(dtype)[()]
    if ducks:
        return result.reshape(shape) if keepdims else result
    if np.isnan(result).any():
        for name, view in views.items():
            opt.raise_bad_mass(view, name, axis, log_input=log_input, nan_policy=nan_policy)
    if out is None:
        return result.reshape(shape) if keepdims else result
    out[...] = result.reshape(shape)
    return out


def _events(ufunc: Any, p: Any, base: float | None) -> Value:
    """A function of single probabilities, from bits into the base's unit."""
    if _is_duck(p):
        later: Value = ufunc(p) * sum(_rows.unit(opt.log_base(base)))
        return later
    given = as_numbers(p, "p")
    base = opt.log_base(base)
    dtype = opt.result_dtype(given)
    bits = ufunc(given.astype(np.float64, copy=False))
    if np.isnan(bits).any():
        opt.raise_bad_probability(given, "p")
    high, low = _rows.unit(base)
    with np.errstate(invalid="ignore"):  # inf * high + inf * low may be inf - inf
        return np.asarray(np.where(np.isinf(bits), bits, bits * high + bits * low), dtype)[()]


# --- single events -----------------------------------------------------------------------------------------


def surprisal(p: Number | ArrayLike, *, base: float | None = None) -> Value:
    """Information content of an event: how surprising it is that it happens, -log p.

    Parameters
    ----------
    p : array_like
        Probabilities, from 0 to 1.
    base : float, optional
        Base of the logarithm, finite and greater than 1. None: nats.

    Returns
    -------
    float or ndarray
        Of the shape of `p`; ``inf`` for an event that cannot happen.

    Raises
    ------
    ValueError
        A probability outside [0, 1].
    TypeError
        Entries that are not real numbers.

    References
    ----------
    Shannon, "A mathematical theory of communication", Bell System Technical Journal 27 (1948).

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.surprisal([1.0, 0.5, 0.125], base=2)
    array([0., 1., 3.])
    """
    return _events(_rows.surprisal, p, base)


def binary_entropy(p: Number | ArrayLike, *, base: float | None = None) -> Value:
    """Entropy of an event that happens or not: -p log p - (1-p) log(1-p).

    Parameters
    ----------
    p : array_like
        Probabilities, from 0 to 1.
    base : float, optional
        Base of the logarithm, finite and greater than 1. None: nats.

    Returns
    -------
    float or ndarray
        Of the shape of `p`: 0 at 0 and 1, largest (one bit) at 1/2.

    Raises
    ------
    ValueError
        A probability outside [0, 1].
    TypeError
        Entries that are not real numbers.

    References
    ----------
    Cover and Thomas, *Elements of Information Theory*, 2nd ed., section 2.1.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.binary_entropy([0.0, 0.5, 1.0], base=2)
    array([0., 1., 0.])
    """
    return _events(_rows.binary_entropy, p, base)


# --- rows --------------------------------------------------------------------------------------------------


@_measure
def entropy(
    p: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
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

    Raises
    ------
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
    return _score(
        "cross_entropy", {"p": p}, base, axis, keepdims, normalize, pseudocount, log_input, nan_policy, out
    )


@_measure
def cross_entropy(
    p: ArrayLike,
    q: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    r"""Cross entropy of each row of `p` under the model `q`.

    .. math:: H(p, q) = -\sum_i p_i \log q_i = H(p) + KL(p \Vert q)

    Parameters
    ----------
    p, q : array_like
        Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree.
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in nats or units of `base`; ``inf`` where `q` has no mass but `p` does. NaN
        for a row without mass.

    Raises
    ------
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
    return _score(
        "cross_entropy",
        {"p": p, "q": q},
        base,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
    )


@_measure
def kl_divergence(
    p: ArrayLike,
    q: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    r"""Kullback-Leibler divergence (relative entropy) of each row of `p` from `q`.

    .. math:: KL(p \Vert q) = \sum_i p_i \log \frac{p_i}{q_i}

    Summed as p log(p/q) - p + q, whose terms are never negative and vanish to second order where p and q
    agree: near-identical rows keep their digits.

    Parameters
    ----------
    p, q : array_like
        Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree.
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in nats or units of `base`: 0 for equal rows, ``inf`` where `q` has no mass
        but `p` does. NaN for a row without mass.

    Raises
    ------
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
    return _score(
        "kl_divergence",
        {"p": p, "q": q},
        base,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
    )


@_measure
def jeffreys_divergence(
    p: ArrayLike,
    q: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    r"""Jeffreys divergence of each row: KL both ways, added. On binned shares it is the PSI.

    .. math:: J(p, q) = \sum_i (p_i - q_i) \log \frac{p_i}{q_i} = KL(p \Vert q) + KL(q \Vert p)

    The population stability index of two histograms is this measure; `pseudocount` keeps it finite where a
    bin is empty on one side.

    Parameters
    ----------
    p, q : array_like
        Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree.
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in nats or units of `base`; ``inf`` where one row has mass and the other
        none. NaN for a row without mass.

    Raises
    ------
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
    return _score(
        "jeffreys_divergence",
        {"p": p, "q": q},
        base,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
    )


@_measure
def js_divergence(
    p: ArrayLike,
    q: ArrayLike | None = None,
    *,
    weights: Row | None = None,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
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
        mass.

    Raises
    ------
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
    return _score(
        "js_divergence",
        arrays,
        base,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
        weights=weights,
        stack=q is None,
    )


@_measure
def js_distance(
    p: ArrayLike,
    q: ArrayLike | None = None,
    *,
    weights: Row | None = None,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
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
        rows that share no bin. NaN for a row without mass.

    Raises
    ------
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
    return _score(
        "js_distance",
        arrays,
        base,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
        weights=weights,
        stack=q is None,
    )


@_measure
def total_variation(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    r"""Total variation distance of each row.

    .. math:: TV(p, q) = \frac12 \sum_i |p_i - q_i|

    Parameters
    ----------
    p, q : array_like
        Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree.
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in [0, 1]. NaN for a row without mass.

    Raises
    ------
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
    return _score(
        "total_variation",
        {"p": p, "q": q},
        None,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
    )


@_measure
def hellinger_distance(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    r"""Hellinger distance of each row.

    .. math:: h(p, q) = \sqrt{\frac12 \sum_i (\sqrt{p_i} - \sqrt{q_i})^2}

    Parameters
    ----------
    p, q : array_like
        Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree.
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in [0, 1]. NaN for a row without mass.

    Raises
    ------
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
    return _score(
        "hellinger_distance",
        {"p": p, "q": q},
        None,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
    )


@_measure
def chi_square(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    r"""Pearson's chi-square divergence of each row of `p` from `q`.

    .. math:: \chi^2(p \Vert q) = \sum_i \frac{(p_i - q_i)^2}{q_i}

    Parameters
    ----------
    p, q : array_like
        Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree.
    {options}

    Returns
    -------
    float or ndarray
        One value for each row; ``inf`` where `q` has no mass but `p` does. NaN for a row without mass.

    Raises
    ------
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
    return _score(
        "chi_square",
        {"p": p, "q": q},
        None,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
    )


@_measure
def triangular_discrimination(
    p: ArrayLike,
    q: ArrayLike,
    *,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    r"""Triangular discrimination of each row (Vincze, Le Cam).

    .. math:: \Delta(p, q) = \sum_i \frac{(p_i - q_i)^2}{p_i + q_i}

    Twice the chi-square divergence of either row from the mean of both; its root is a metric.

    Parameters
    ----------
    p, q : array_like
        Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree.
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in [0, 2]: 2 where the rows have no bin in common. NaN for a row without mass.

    Raises
    ------
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
    return _score(
        "triangular_discrimination",
        {"p": p, "q": q},
        None,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
    )


@_measure
def bhattacharyya_distance(
    p: ArrayLike,
    q: ArrayLike,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    r"""Bhattacharyya distance of each row: -log of the overlap.

    .. math:: D_B(p, q) = -\log \sum_i \sqrt{p_i q_i}

    Half of Renyi's divergence of order 1/2, and -log(1 - h^2) of the Hellinger distance h. Symmetric, but no
    metric.

    Parameters
    ----------
    p, q : array_like
        Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree.
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, from 0 up; ``inf`` where the rows have no bin in common. NaN for a row without
        mass. With ``normalize=False`` it may be negative.

    Raises
    ------
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
    return _score(
        "bhattacharyya_distance",
        {"p": p, "q": q},
        base,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
    )


@_measure
def renyi_divergence(
    p: ArrayLike,
    q: ArrayLike,
    alpha: float,
    *,
    base: float | None = None,
    axis: int = -1,
    keepdims: bool = False,
    normalize: bool = True,
    pseudocount: float = 0.0,
    log_input: bool = False,
    nan_policy: NanPolicy = "propagate",
    out: np.ndarray[Any, Any] | None = None,
) -> Value:
    r"""Renyi divergence of order `alpha` of each row of `p` from `q`.

    .. math:: D_\alpha(p \Vert q) = \frac{1}{\alpha - 1} \log \sum_i p_i^\alpha q_i^{1 - \alpha}

    Order 1 is the Kullback-Leibler divergence, 1/2 is -2 log of the Bhattacharyya coefficient, 0 is -log of
    the mass of `q` on the support of `p`, ``inf`` is the log of the largest ratio p/q.

    Parameters
    ----------
    p, q : array_like
        Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree.
    alpha : float
        Order, from 0 to infinity.
    {base}
    {options}

    Returns
    -------
    float or ndarray
        One value for each row, in nats or units of `base`; ``inf`` where `q` has no mass but `p` does (from
        order 1 on) or the two share no bin. NaN for a row without mass.

    Raises
    ------
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
    return _score(
        "renyi_divergence",
        {"p": p, "q": q},
        base,
        axis,
        keepdims,
        normalize,
        pseudocount,
        log_input,
        nan_policy,
        out,
        alpha=opt.order(alpha),
    )
