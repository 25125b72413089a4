"""Slow twins of `fastdiv.barycenter`: quantile functions of exact levels, one level at a time."""

from __future__ import annotations

from fractions import Fraction
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING

import numpy as np

from fastdiv._checks import options as opt
from fastdiv.barycenter import Atoms, check_samples, check_times
from fastdiv.plan import TransportPlan

if TYPE_CHECKING:
    from collections.abc import Sequence

    from fastdiv._typing import ArrayLike, Number, Row, Rows

__all__ = ["displacement_interpolation", "wasserstein_barycenter"]


def wasserstein_barycenter(
    samples: Rows | Sequence[Row],
    *,
    weights: Row | None = None,
    sample_weights: Rows | Sequence[Row | None] | None = None,
) -> Atoms:
    """The mean of the quantile functions between all levels of any of them."""
    columns, atom_weights, dtype = check_samples(samples, sample_weights)
    mixture = [Fraction(w) for w in opt.mixture_weights(weights, len(columns)).tolist()]
    quantiles = [_quantiles(x, a) for x, a in zip(columns, atom_weights, strict=True)]
    cuts = [q[1] for w, q in zip(mixture, quantiles, strict=True) if w]
    levels = sorted({Fraction(0), *(t for c in cuts for t in c)})
    values = []
    for t in levels[1:]:
        here = [next(v for v, s in zip(*q, strict=True) if s >= t) for q in quantiles]
        values.append(float(sum(w * v for w, v in zip(mixture, here, strict=True)) / sum(mixture)))
    masses = [float(b - a) for a, b in pairwise(levels)]
    some = np.array(masses) > 0
    return Atoms(np.array(values, dtype)[some], np.array(masses)[some])


def _quantiles(x: np.ndarray, weights: np.ndarray | None) -> tuple[list[Fraction], list[Fraction]]:
    """Sorted values and the levels up to which each is the quantile."""
    a = [Fraction(1)] * len(x) if weights is None else [Fraction(w) for w in weights.tolist()]
    order = np.argsort(x, kind="stable")
    return [Fraction(float(x[i])) for i in order], list(accumulate(a[i] / sum(a) for i in order))


def displacement_interpolation(plan: TransportPlan, t: Number | ArrayLike) -> Atoms:
    """(1 - t) x + t y of each piece."""
    times = check_times(plan, t)
    ends = [[Fraction(x) for x in end.tolist()] for end in plan.given_ends()]
    pieces = list(zip(*ends, strict=True))
    values = [[float(x + (y - x) * Fraction(s)) for x, y in pieces] for s in times.ravel().tolist()]
    return Atoms(np.array(values).reshape(*times.shape, len(pieces)), plan.mass.copy())
