"""Between distributions on the line: averages of quantile functions, where mixing would average densities."""

from __future__ import annotations

from fractions import Fraction
from itertools import pairwise
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers, same_labels
from fastdiv._checks.data import raise_not_finite
from fastdiv._checks.samples import check_weights
from fastdiv._threads import SOME, heard, heed
from fastdiv.plan import TransportPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastdiv._typing import ArrayLike, Number, Row, Rows

__all__ = ["Atoms", "check_samples", "check_times", "displacement_interpolation", "wasserstein_barycenter"]


class Atoms(NamedTuple):
    """A distribution of finitely many values; `wasserstein_distance` takes both as values and weights."""

    values: np.ndarray
    masses: np.ndarray
    """They sum to 1."""


def wasserstein_barycenter(
    samples: Rows | Sequence[Row],
    *,
    weights: Row | None = None,
    sample_weights: Rows | Sequence[Row | None] | None = None,
) -> Atoms:
    r"""The distribution nearest to all samples on the line: the mean of their quantile functions.

    .. math:: \bar\mu = \operatorname{argmin}_\mu \sum_k w_k W_2^2(\mu, \mu_k), \qquad
              F_{\bar\mu}^{-1}(t) = \sum_k w_k F_k^{-1}(t)

    It keeps the shape of what it averages: the barycentre of two bells is one bell halfway, where the
    mixture has both.

    Parameters
    ----------
    samples : array_like, shape (k, n), or sequence of array_like
        Finite values: the rows of a matrix, or samples of any sizes.
    weights : array_like, shape (k,), optional
        How much each sample counts, not negative; they are divided by their sum. None: all alike.
    sample_weights : array_like, shape (k, n), or sequence of array_like, optional
        A weight >= 0 for each value; only ratios within a sample matter. None, for all or for one of the
        samples: equal weights.

    Returns
    -------
    Atoms
        ``(values, masses)``, values ascending. Samples of n values each give n atoms, the mean of each
        rank; in general there is an atom between any two levels of the distribution functions. Levels are
        compared as exact fractions, so none is a residue of rounding. Values are float32 where all samples
        are.

    Raises
    ------
    ValueError
        An empty sample or none, values that are not finite, negative, infinite, NaN or all-zero weights.
    TypeError
        Values that are not real numbers.

    Notes
    -----
    O(k N + N log N) time and O(k N) memory for k samples of N values in all.

    References
    ----------
    Agueh and Carlier, "Barycenters in the Wasserstein space", SIAM J. Math. Analysis 43 (2011), section 6.1.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.wasserstein_barycenter([[0.0, 1.0, 2.0], [12.0, 10.0, 17.0]]).values
    array([5. , 6.5, 9.5])
    >>> values, masses = fastdiv.wasserstein_barycenter([[0.0, 1.0], [4.0, 5.0, 6.0]])
    >>> values, masses.round(3)
    (array([2. , 2.5, 3. , 3.5]), array([0.333, 0.167, 0.167, 0.333]))
    """
    columns, atom_weights, dtype = check_samples(samples, sample_weights)
    same_labels({"samples": samples, "weights": weights}, 0)
    mixture = opt.mixture_weights(weights, len(columns))
    values, masses = heard(sum(map(len, columns)), _mean_of, columns, atom_weights, mixture)
    return Atoms(values.astype(dtype), masses)


def _mean_of(
    columns: list[np.ndarray], atom_weights: list[np.ndarray | None], mixture: Any
) -> tuple[np.ndarray, np.ndarray]:
    """The atoms where the quantiles of all samples with a weight in the mixture are constant."""
    kept = [k for k in range(len(columns)) if mixture[k] > 0]
    ordered, cuts, totals = [], [], []
    for k in kept:
        a = atom_weights[k]
        if a is None:
            ordered.append(np.sort(columns[k], kind="stable"))
            cuts.append(np.arange(1, len(columns[k]) + 1))
        else:
            order = np.argsort(columns[k], kind="stable")
            order = order[a[order] > 0]
            ordered.append(columns[k][order])
            cuts.append(np.cumsum(_integers(a[order])))
        totals.append(cuts[-1][-1])
        heed()
    masses, atoms = _refine(cuts, totals)
    heed()
    values = _mean([x[i] for x, i in zip(ordered, atoms, strict=True)], mixture[kept])
    some = masses > 0  # what lies between two levels may be too little for float64
    return values[some], masses[some]


def displacement_interpolation(plan: TransportPlan, t: Number | ArrayLike) -> Atoms:
    r"""Where mass is on its way from u to v: each piece of the plan at :math:`(1 - t) x + t y`.

    The curve is the shortest between the two (McCann): :math:`W_p(\mu_s, \mu_t) = |s - t| \, W_p(u, v)`, for
    every order p, and it is the barycentre of both with the weights 1 - t and t.

    Parameters
    ----------
    plan : TransportPlan
        As `transport_plan` returns it.
    t : array_like
        Times in [0, 1].

    Returns
    -------
    Atoms
        ``(values, masses)``: values of the shape of `t` and one more axis for the pieces, ascending along
        it; masses of the pieces, the same at all times. At 0 the values are those of u, at 1 those of v, to
        the last bit (as float64).

    Raises
    ------
    ValueError
        A time outside [0, 1].
    TypeError
        No plan, or times that are not real numbers.

    Notes
    -----
    O(s) time and memory for s pieces at each time.

    References
    ----------
    McCann, "A convexity principle for interacting gases", Advances in Mathematics 128 (1997).

    Examples
    --------
    >>> import fastdiv
    >>> plan = fastdiv.transport_plan([0.0, 1.0], [10.0, 21.0])
    >>> fastdiv.displacement_interpolation(plan, [0, 0.25, 1]).values
    array([[ 0. ,  1. ],
           [ 2.5,  6. ],
           [10. , 21. ]])
    """
    times = check_times(plan, t)[..., np.newaxis]
    return Atoms(_mean(list(plan.given_ends()), [1.0 - times, times]), plan.mass.copy())


# --- the door ----------------------------------------------------------------------------------------------


def check_samples(
    samples: Any, sample_weights: Any
) -> tuple[list[np.ndarray], list[np.ndarray | None], np.dtype[Any]]:
    """Samples as float64, their weights, and the dtype of the result."""
    rows = _listed(samples, "samples")
    if not rows:
        raise ValueError("samples must hold at least one sample, not none")
    given = [as_numbers(x, f"samples[{k}]") for k, x in enumerate(rows)]
    for k, x in enumerate(given):
        if x.ndim != 1 or not x.size:
            raise ValueError(f"samples[{k}] must be a sample of at least one value, not of shape {x.shape}")
        raise_not_finite(x, f"samples[{k}]")
    weights: list[np.ndarray | None] = [None] * len(given)
    if sample_weights is not None:
        if not isinstance(samples, (list, tuple)):
            same_labels({"samples": samples, "sample_weights": sample_weights}, rows=True)
        of_samples = _listed(sample_weights, "sample_weights")
        if len(of_samples) != len(given):
            raise ValueError(f"sample_weights has {len(of_samples)} entries for {len(given)} samples")
        for k, w in enumerate(of_samples):
            name, whose = f"sample_weights[{k}]", f"samples[{k}]"
            same_labels({whose: rows[k], name: w})
            w = None if w is None else as_numbers(w, name)
            if w is not None and w.ndim > 1:
                raise ValueError(f"{name} must have one weight per value of {whose}, not shape {w.shape}")
            a = check_weights(w, name, given[k], whose, -1)
            weights[k] = None if a is None else a.astype(np.float64)
    return [x.astype(np.float64) for x in given], weights, opt.result_dtype(*given)


def _listed(rows: Any, name: str) -> list[Any]:
    """The rows of a matrix or of a sequence."""
    if isinstance(rows, (list, tuple)):
        return list(rows)
    table = as_numbers(rows, name)
    if table.ndim != 2:
        raise ValueError(f"{name} must be a matrix of rows or a list of samples, not of shape {table.shape}")
    return list(table)


def check_times(plan: Any, t: Any) -> np.ndarray:
    """Times in [0, 1] as float64; and the plan is one."""
    if not isinstance(plan, TransportPlan):
        raise TypeError(f"plan must be what transport_plan returns, not {type(plan).__name__}")
    times = as_numbers(t, "t").astype(np.float64)
    for i in np.argwhere(~((times >= 0) & (times <= 1)))[:1]:
        place = f": t[{', '.join(map(str, i))}]" if times.ndim else ""
        raise ValueError(f"t must be from 0 to 1, not {times[tuple(i)]}{place}")
    return times


# --- levels ------------------------------------------------------------------------------------------------


def _integers(weights: np.ndarray) -> np.ndarray:
    """Positive weights as integers in the same ratios: int64 of a small sum, or integers of Python."""
    if weights.sum() < 2**31 and (np.floor(weights) == weights).all():
        return weights.astype(np.int64)
    mantissa, exponent = np.frexp(weights)
    whole, shift = np.ldexp(mantissa, 53), exponent - exponent.min()
    wide = np.empty(len(weights), object)
    for start in range(0, len(wide), SOME):
        heed()
        part = slice(start, start + SOME)
        wide[part] = [int(m) << s for m, s in zip(whole[part].tolist(), shift[part].tolist(), strict=True)]
    return wide


def _refine(cuts: list[np.ndarray], totals: list[Any]) -> tuple[np.ndarray, list[np.ndarray]]:
    """The masses between all levels cut / total of any sample, and which atom of each is the quantile there.

    Levels are ordered by their quotients as float64, rounded right and hence never against the true order;
    where these agree, cross products of integers decide. They fit int64 where the totals are below 2^31.
    """
    narrow = all(c.dtype != object and n < 2**31 for c, n in zip(cuts, totals, strict=True))
    kind: Any = np.int64 if narrow else object
    n = np.concatenate([c.astype(kind) for c in cuts])
    d = np.concatenate([np.full(len(c), int(s), kind) for c, s in zip(cuts, totals, strict=True)])
    heed()
    level = (n / d).astype(np.float64)
    heed()
    order = np.argsort(level, kind="stable")
    level, n, d = level[order], n[order], d[order]
    heed()
    unlike = _unlike(n, d)
    close = np.flatnonzero((level[1:] == level[:-1]) & unlike[1:])
    if len(close):  # the same float64, but not the same: put in order one by one
        runs = np.flatnonzero(np.concatenate([[True], level[1:] != level[:-1], [True]]))
        for run in np.unique(np.searchsorted(runs, close, side="right")):
            heed()
            a, b = runs[run - 1], runs[run]
            exact = sorted(range(a, b), key=lambda i: Fraction(int(n[i]), int(d[i])))
            order[a:b], n[a:b], d[a:b] = order[exact], n[exact], d[exact]
        unlike = _unlike(n, d)
    heed()
    place = np.empty(len(n), np.intp)
    place[order] = np.cumsum(unlike) - 1
    n, d = n[unlike], d[unlike]
    masses = np.concatenate([n[:1] / d[:1], (n[1:] * d[:-1] - n[:-1] * d[1:]) / (d[1:] * d[:-1])])
    ends = np.cumsum([0, *map(len, cuts)]).tolist()
    atoms = [np.searchsorted(place[a:b], np.arange(len(n))) for a, b in pairwise(ends)]
    return masses.astype(np.float64), atoms


def _unlike(n: np.ndarray, d: np.ndarray) -> np.ndarray:
    """Which of the ordered fractions n / d are other than the one before."""
    return np.append(True, n[1:] * d[:-1] != n[:-1] * d[1:]).astype(bool)


def _mean(columns: list[np.ndarray], weights: Any) -> np.ndarray:
    """sum_k w_k x_k, added in one order so that it ascends where all x_k do; never outside their range."""
    with np.errstate(over="ignore"):
        mean = sum(w * x for x, w in zip(columns, weights, strict=True))
    middle: np.ndarray = np.clip(mean, np.minimum.reduce(columns), np.maximum.reduce(columns))
    return middle
