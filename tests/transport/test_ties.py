"""Samples of few values, whole numbers, decimals, spikes: every statistic against fractions."""

from collections import Counter
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from oracle_transport import exact, relative_error

import fastdiv

RNG = np.random.default_rng(10)
SPIKES = np.array([0.0, 9.99, 19.99, 49.5, 100.0])


def spikes(n):
    return np.where(RNG.random(n) < 0.7, SPIKES[RNG.integers(0, 5, n)], 20 * RNG.lognormal(0, 1, n))


LAWS = {
    "small integers": lambda n: RNG.integers(0, 1000, n).astype(float),
    "0 or 1": lambda n: RNG.integers(0, 2, n).astype(float),
    "one value": lambda n: np.full(n, -3.0),
    "ages": lambda n: np.clip(np.round(RNG.normal(40, 18, n)), 0, 105),
    "negative zeros": lambda n: np.where(RNG.random(n) < 0.5, -0.0, RNG.integers(-1, 2, n)),
    "counts": lambda n: RNG.poisson(3, n).astype(float),
    "counts and a sentinel": lambda n: np.where(RNG.random(n) < 0.01, -99999.0, RNG.poisson(3, n)),
    "quarters far out": lambda n: 1e12 + RNG.integers(0, 50, n) / 4,
    "multiples of 1024": lambda n: 1024.0 * RNG.integers(-300, 300, n),
    "two places": lambda n: np.round(RNG.lognormal(1, 1, n), 2),
    "four places": lambda n: np.round(RNG.normal(size=n), 4),
    "all but decimals": lambda n: np.nextafter(RNG.integers(0, 90, n) / 10, RNG.choice([-9, 9], n)),
    "tenths by a product": lambda n: RNG.integers(0, 90, n) * 0.1,
    "zeros and a tail": lambda n: np.where(RNG.random(n) < 0.8, 0.0, RNG.lognormal(0, 1, n)),
    "spikes and a tail": spikes,
    "integers and a fraction": lambda n: RNG.integers(0, 9, n) + 0.5 * (RNG.random(n) < 1e-3),
    "normal": lambda n: RNG.normal(size=n),
}


def steps(u, v):
    """[(gap, |F - G|)] between neighbouring values of both samples."""
    x, y = Counter(u.tolist()), Counter(v.tolist())
    difference, ends = 0, []
    for value in sorted({*x, *y}):
        difference += x[value] * len(v) - y[value] * len(u)
        ends.append((exact(value), Fraction(abs(difference), len(u) * len(v))))
    return [(right - left, d) for (left, d), (right, _) in pairwise(ends)]


def agrees_with_fractions(u, v, bound):
    parts = steps(np.asarray(u, float), np.asarray(v, float))
    area = sum((gap * d for gap, d in parts), Fraction(0))
    square = sum((gap * d * d for gap, d in parts), Fraction(0))
    assert relative_error(fastdiv.wasserstein_distance(u, v), area) < bound
    assert relative_error(fastdiv.cramer_distance(u, v), square, 2) < bound
    assert relative_error(fastdiv.energy_distance(u, v), 2 * square, 2) < bound
    assert relative_error(fastdiv.ks_distance(u, v), max((d for _, d in parts), default=Fraction(0))) < bound


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(("n", "m"), [(4000, 4000), (5000, 1700)])
def test_against_fractions(name, n, m, level):
    agrees_with_fractions(LAWS[name](n), LAWS[name](m), 1e-14)
    agrees_with_fractions(LAWS[name](n), LAWS[name](m) + 1, 1e-14)
