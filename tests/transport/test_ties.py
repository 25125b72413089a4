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
    parts = steps(u, v)
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


@pytest.mark.parametrize("name", LAWS)
def test_other_orders_are_those_of_the_sorted_samples(name):
    u, v = LAWS[name](3000), LAWS[name](2000)
    for p in (2, 3.5, np.inf):
        ordered = fastdiv.wasserstein_distance(np.sort(u), np.sort(v), p=p, assume_sorted=True)
        assert fastdiv.wasserstein_distance(u, v, p=p) == ordered


@pytest.mark.parametrize("p", [1, 2])
def test_whole_numbers_are_exact(p):
    u, v = RNG.integers(0, 50, (2, 5000))
    total = sum(abs(int(x) - int(y)) ** p for x, y in zip(np.sort(u), np.sort(v), strict=True))
    assert fastdiv.wasserstein_distance(u, v, p=p) == pytest.approx((total / 5000) ** (1 / p), rel=1e-15)
    assert fastdiv.wasserstein_distance(u, RNG.permutation(u), p=p) == 0


@pytest.mark.parametrize("name", ["ages", "two places", "zeros and a tail"])
def test_what_is_no_number_among_few_values(name):
    u, v = LAWS[name](5000), LAWS[name](4000)
    for value, w1 in ((np.nan, np.nan), (np.inf, np.inf), (-np.inf, np.inf)):
        x = u.copy()
        x[3210] = value
        for distance in (fastdiv.wasserstein_distance, fastdiv.energy_distance, fastdiv.cramer_distance):
            np.testing.assert_equal(float(distance(x, v)), w1)
            np.testing.assert_equal(float(distance(v, x)), w1)
        ks = fastdiv.ks_distance(np.sort(x), np.sort(v), assume_sorted=True)
        np.testing.assert_equal(fastdiv.ks_distance(x, v), ks)
    x[3210] = np.nan
    omitted = fastdiv.wasserstein_distance(x, v, nan_policy="omit")
    assert omitted == pytest.approx(fastdiv.wasserstein_distance(np.delete(x, 3210), v), rel=1e-14)


@pytest.mark.parametrize("name", ["ages", "two places", "spikes and a tail", "counts and a sentinel"])
def test_the_same_bits_for_any_number_of_threads(name):
    u, v = LAWS[name](600_000), LAWS[name](300_000)
    results = set()
    for threads in (1, 2, 3):
        fastdiv.set_num_threads(threads)
        results.add((fastdiv.wasserstein_distance(u, v), fastdiv.ks_distance(u, v)))
    fastdiv.set_num_threads(None)
    assert len(results) == 1


def test_a_beginning_that_leads_astray():
    """Most of it whole numbers, but not where it is long."""
    u = np.zeros(20_000)
    u[::3] = RNG.random(len(u[::3]))
    v = np.round(RNG.normal(size=20_000))
    agrees_with_fractions(u[:6000], v[:6000], 1e-14)
    agrees_with_fractions(np.append(v, np.repeat(0.1, 30_000)), u, 1e-14)


T = 1_700_000_000_000_000_000
KINDS = [
    np.int8,
    np.uint8,
    np.int16,
    np.uint16,
    np.int32,
    np.uint32,
    np.int64,
    np.uint64,
    np.bool_,
    np.float32,
]


@pytest.mark.parametrize("n", [4, 3000, 12_000])
@pytest.mark.parametrize("kind", KINDS)
def test_values_as_they_come(kind, n, level):
    u, v = RNG.integers(0, 100, n).astype(kind), RNG.integers(0, 90, n - 1).astype(kind)
    if kind == np.float32:
        u, v = RNG.normal(size=n).astype(kind), np.round(RNG.normal(size=n), 1).astype(kind)
        assert fastdiv.wasserstein_distance(u, v).dtype == fastdiv.ks_distance(u, v).dtype == np.float32
        u, v = u.astype(float), v
    agrees_with_fractions(u, v, 1e-14)
    agrees_with_fractions(u, v.astype(float) + 0.5, 1e-14)
    result = fastdiv.wasserstein_distance(u, v)
    assert fastdiv.wasserstein_distance(u.astype(float), v.astype(float)) == result
    assert fastdiv.wasserstein_distance(u[::2], v[::3]) == fastdiv.wasserstein_distance(
        u[::2].copy(), v[::3].copy()
    )


WIDE = {
    "neighbours that one double stands for": lambda n: 2**60 + RNG.integers(0, 3, (2, n)),
    "small ones and two of them": lambda n: np.append(
        RNG.integers(0, 50, (2, n)), [[2**53, 2**53 + 1]] * 2, 1
    ),
    "around 2^53": lambda n: 2**53 + RNG.integers(-20, 20, (2, n)),
    "a day in nanoseconds": lambda n: T + RNG.integers(0, 86_400 * 10**9, (2, n)),
    "seconds in nanoseconds": lambda n: T + 10**9 * RNG.integers(0, 300, (2, n)),
    "the whole range": lambda n: RNG.integers(-(2**63), 2**63 - 1, (2, n), endpoint=True),
    "ends and zeros": lambda n: np.array([-(2**63), 0, 0, 0, 0, 0, 2**63 - 1])[RNG.integers(0, 7, (2, n))],
}


@pytest.mark.parametrize("n", [3000, 12_000])
@pytest.mark.parametrize("name", WIDE)
def test_integers_beyond_doubles(name, n):
    u, v = WIDE[name](n)
    bound = 1e-14 if name not in ("the whole range", "ends and zeros") else 1e-12
    agrees_with_fractions(u, v, bound)
    agrees_with_fractions(u, v[:1000], bound)
    if u.min() >= 0:
        agrees_with_fractions(u.astype(np.uint64), v, bound)
        agrees_with_fractions(u.astype(np.uint64), v.astype(np.uint64) + np.uint64(2**63), bound)


def test_integers_beyond_doubles_beside_others():
    u = np.append(RNG.integers(0, 50, 12_000), [2**53 + 1, 2**60 + 1])
    v = np.append(RNG.integers(0, 50, 12_000), [70, 70])
    for kind in (np.float64, np.float32, np.int8, np.uint16):
        agrees_with_fractions(u, v.astype(kind), 1e-14)


def spiked(n, at, share, tail):
    return np.where(RNG.random(n) < share, np.asarray(at)[RNG.integers(0, len(at), n)], tail(n))


SPIKED = {
    "zeros": ([0.0], 0.6, lambda n: RNG.lognormal(0, 1, n)),
    "prices": (SPIKES, 0.6, lambda n: 20 * RNG.lognormal(0, 1, n)),
    "far out": ([-1e9, -1.0, 0.25, 1e9, 1e9 + 1], 0.6, lambda n: RNG.normal(size=n)),
    "neighbours": ([0.5, np.nextafter(0.5, 1), 0.5 + 1e-9], 0.6, lambda n: RNG.random(n)),
    "at the ends": ([0.0, 1.0], 0.7, lambda n: RNG.random(n)),
    "amid a dense tail": ([1.0 + 2**-30], 0.6, lambda n: 1 + RNG.normal(size=n) * 1e-6),
    "with heavy tails": ([0.1, 0.3], 0.6, lambda n: RNG.standard_cauchy(n)),
    # each number of them has a loop of its own, up to eight
    **{f"{k}": (np.linspace(-3.3, 7.7, k), 0.6, lambda n: RNG.normal(size=n)) for k in (4, 6, 7, 8, 9)},
}


@pytest.mark.parametrize("name", SPIKED)
def test_spikes_and_much_else(name, level):
    for n, m, shift in ((9000, 9000, 0.0), (12_000, 8000, 0.0), (9000, 9000, 0.01)):
        u, v = spiked(n, *SPIKED[name]), spiked(m, *SPIKED[name]) + shift
        area = sum((gap * d for gap, d in steps(u, v)), Fraction(0))
        assert relative_error(fastdiv.wasserstein_distance(u, v), area) < 1e-14
        assert fastdiv.wasserstein_distance(u, RNG.permutation(u)) == 0


@pytest.mark.parametrize("name", ["zeros", "far out"])
def test_spikes_and_what_is_no_number(name):
    u, v = spiked(9000, *SPIKED[name]), spiked(9000, *SPIKED[name])
    for value, expected in ((np.nan, np.nan), (np.inf, np.inf), (-np.inf, np.inf)):
        x = u.copy()
        x[np.flatnonzero(u != u[0])[7]] = value
        np.testing.assert_equal(float(fastdiv.wasserstein_distance(x, v)), expected)
        np.testing.assert_equal(float(fastdiv.wasserstein_distance(v, x)), expected)


def test_spikes_and_threads():
    u, v = spiked(700_000, *SPIKED["prices"]), spiked(900_000, *SPIKED["prices"])
    results = set()
    for threads in (1, 2, 3):
        fastdiv.set_num_threads(threads)
        results.add(fastdiv.wasserstein_distance(u, v))
    fastdiv.set_num_threads(None)
    assert len(results) == 1


@pytest.mark.parametrize("values", [3, 30, 3000])
def test_values_that_a_first_sample_shows_but_once(values):
    """Products of 0.1 among others that never come twice: a larger sample is drawn."""
    n = 150_000
    u, v = (np.where(RNG.random(n) < 0.7, RNG.integers(0, values, n) * 0.1, RNG.random(n)) for _ in range(2))
    ks = fastdiv.ks_distance(np.sort(u), np.sort(v), assume_sorted=True)
    assert fastdiv.ks_distance(u, v) == ks
    w1 = fastdiv.wasserstein_distance(np.sort(u), np.sort(v), assume_sorted=True)
    assert fastdiv.wasserstein_distance(u, v) == pytest.approx(w1, rel=1e-13)
