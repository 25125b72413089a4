"""W1 and KS without sorting: against the sorted sweep and exact integers, on laws built to defeat it."""

from fractions import Fraction

import numpy as np
import pytest
from oracle_transport import relative_error, wasserstein_power

import fastdiv
from fastdiv import _wasserstein

RNG = np.random.default_rng(3)
N = 30_000


@pytest.fixture(autouse=True)
def cells_always():
    before, tally = _wasserstein.set_cells_from(2, 2), _wasserstein.set_tally_from(2**62)
    yield
    _wasserstein.set_tally_from(tally)
    _wasserstein.set_cells_from(*before)


def sorted_sweep(u, v, *weights):
    before = _wasserstein.set_cells_from(2**62, 2**62)
    try:
        return fastdiv.wasserstein_distance(u, v, *weights)
    finally:
        _wasserstein.set_cells_from(*before)


def comb(n):
    """Neighbouring doubles, then neighbouring huge ones: every grid is too coarse for one half."""
    return np.concatenate([1 + np.arange(n // 2) * 2.0**-52, np.linspace(1e15, 1e16, n - n // 2)])


def pairs(n):
    """Neighbouring doubles side by side, the larger first."""
    x = RNG.normal(size=n // 2 + 1)
    return np.sort(np.concatenate([x, np.nextafter(x, np.inf)]))[n - 1 :: -1].copy()


LAWS = {
    "normal": lambda n: RNG.normal(size=n),
    "shifted": lambda n: RNG.normal(size=n) + RNG.integers(0, 2),
    "offset 1e9": lambda n: RNG.normal(size=n) + 1e9,
    "Cauchy": lambda n: RNG.standard_cauchy(size=n),
    "lognormal": lambda n: RNG.lognormal(0, 2, n),
    "ties": lambda n: RNG.integers(0, 100, n) * 0.1,
    "integers": lambda n: RNG.integers(-50, 50, n).astype(float),
    "point mass": lambda n: np.where(RNG.random(n) < 0.9, 3.0, RNG.normal(size=n)),
    "constant": lambda n: np.full(n, 7.0),
    "two values": lambda n: RNG.integers(0, 2, n) * 1e300,
    "huge": lambda n: RNG.normal(size=n) * 1e300,
    "whole range": lambda n: RNG.uniform(-1.7, 1.7, n) * 1e308,
    "subnormal": lambda n: RNG.integers(0, 1000, n) * 5e-324,
    "two scales": lambda n: np.where(RNG.random(n) < 0.5, RNG.normal(size=n), RNG.normal(size=n) * 1e-9),
    "all magnitudes": lambda n: np.exp(RNG.uniform(-600, 600, n)) * RNG.choice([-1, 1], n),
    "comb": comb,
    "pairs": pairs,
    "neighbours": lambda n: 1e9 + RNG.integers(0, 9, n) * 2.0**-23,
    "sorted": lambda n: np.sort(RNG.normal(size=n)),
    "sawtooth": lambda n: np.tile(np.arange(100.0), n // 100 + 1)[:n],
}


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("m", [N, 2 * N + 17, 50, 1])
def test_agrees_with_the_sorted_sweep(name, m):
    u, v = LAWS[name](N), LAWS[name](m)
    np.testing.assert_allclose(fastdiv.wasserstein_distance(u, v), sorted_sweep(u, v), rtol=4e-15, atol=0)
    assert fastdiv.ks_distance(u, v) == fastdiv.ks_distance(np.sort(u), np.sort(v), assume_sorted=True)
    assert fastdiv.wasserstein_distance(u, RNG.permutation(u)) == 0


@pytest.mark.parametrize("name", LAWS)
def test_weighted_agrees_with_the_sorted_sweep(name):
    u, v = LAWS[name](N), LAWS[name](N // 2)
    a, b = RNG.random(N) * (RNG.random(N) < 0.9), RNG.lognormal(0, 3, N // 2)
    got = fastdiv.wasserstein_distance(u, v, a, b)
    np.testing.assert_allclose(got, sorted_sweep(u, v, a, b), rtol=1e-14, atol=0)
    order = RNG.permutation(N)
    assert fastdiv.wasserstein_distance(u, u[order], a, 3 * a[order] / 3) <= got * 1e-12
    assert fastdiv.wasserstein_distance(u, u[order], a, a[order] * 2) == 0
    assert fastdiv.ks_distance(u, u[order], a, a[order]) == 0


@pytest.mark.parametrize("name", LAWS)
def test_laws_apart_go_through_fewer_cells(name):
    """By a look at some values and their weights, which may hide what the laws are: no answer is another."""
    u = LAWS[name](2 * N)
    with np.errstate(over="ignore", invalid="ignore"):
        reach = np.subtract(*np.quantile(u, [0.9, 0.1]))
        for v in (1.25 * u + reach, np.where(u > np.median(u), 1.5 * u, u)):
            a, b = RNG.random(2 * N), np.where(np.arange(2 * N) < N, 1e-6, 1.0)
            if not np.isfinite(v).all():
                continue
            for weights in ((), (a, None), (a, b), (b, a)):
                got = fastdiv.wasserstein_distance(u, v, *weights)
                np.testing.assert_allclose(got, sorted_sweep(u, v, *weights), rtol=1e-14, atol=0)
                assert got == fastdiv.wasserstein_distance(v, u, *weights[::-1])


def test_weights_that_make_laws_equal_are_looked_at():
    """u by its weights has the law of v, or what it weighs is elsewhere than most of it."""
    u, v = RNG.normal(size=4 * N), RNG.normal(0.5, 1, 4 * N)
    for a in (np.exp(0.5 * u), np.where(u > 3, 1.0, 0.0), np.where(u < 9, 0.0, 1.0) + (u == u.max())):
        got = fastdiv.wasserstein_distance(u, v, a, np.ones(4 * N))
        np.testing.assert_allclose(got, sorted_sweep(u, v, a, np.ones(4 * N)), rtol=1e-13, atol=0)


def area_of_integers(u, v):
    """W1 of integer-valued samples by Python's integers."""
    events = sorted([(int(x), len(v)) for x in u] + [(int(x), -len(u)) for x in v])
    area, difference, last = 0, 0, events[0][0]
    for x, step in events:
        area += abs(difference) * (x - last)
        difference += step
        last = x
    return Fraction(area, len(u) * len(v))


@pytest.mark.parametrize("offset", [0, 10**9])
@pytest.mark.parametrize("shift", [0.0, 1e-6, 0.1])
@pytest.mark.parametrize("name", ["normal", "Cauchy", "lognormal", "ties"])
def test_against_exact_integers(name, shift, offset):
    scale = 2.0**20
    u, v = np.round(LAWS[name](N) * scale), np.round((LAWS[name](2 * N) + shift) * scale)
    u, v = u / scale + offset, v / scale + offset
    exact = area_of_integers(u * scale, v * scale)
    assert relative_error(fastdiv.wasserstein_distance(u, v) * scale, exact) < 1e-15


def test_weighted_against_fractions():
    u, v, a, b = RNG.normal(size=2000), RNG.normal(size=1000), RNG.random(2000), RNG.random(1000)
    for offset in (0.0, 1e9):
        exact = wasserstein_power(u + offset, v + offset, a, b)
        assert relative_error(fastdiv.wasserstein_distance(u + offset, v + offset, a, b), exact) < 1e-14


@pytest.mark.parametrize("unit", [1.0, 2.0**-1000, 2.0**900])
def test_weights_of_all_magnitudes(unit):
    """From as much as all others down to what is nothing beside them: that is not counted for more."""
    for first in (0, 40, 100):
        k = np.arange(first, 160)
        u, v, a, b = RNG.normal(size=N), RNG.normal(size=N), np.full(N, unit), np.full(N, unit)
        u[k] = 2.0**60 + RNG.normal(size=len(k))
        a[k] *= 2.0 ** -k.astype(float)
        got = fastdiv.wasserstein_distance(u, v, a, b)
        np.testing.assert_allclose(got, sorted_sweep(u, v, a, b), rtol=1e-14)


@pytest.mark.parametrize("where", [0, 12345, N - 1])
def test_what_is_not_finite_is_found(where):
    u, v = RNG.normal(size=N), RNG.normal(size=N)
    for value, expected in ((np.nan, np.nan), (np.inf, np.inf), (-np.inf, np.inf)):
        x = u.copy()
        x[where] = value
        np.testing.assert_equal(float(fastdiv.wasserstein_distance(x, v)), expected)
        np.testing.assert_equal(float(fastdiv.wasserstein_distance(v, x)), expected)
        w = np.ones(N)
        w[where] = 0
        weighted = fastdiv.wasserstein_distance(x, v, w)
        assert np.isnan(weighted) if np.isnan(value) else np.isfinite(weighted)
        assert np.isnan(fastdiv.ks_distance(x, v)) == np.isnan(value)
    x[where] = np.nan
    omitted = fastdiv.wasserstein_distance(x, v, nan_policy="omit")
    np.testing.assert_allclose(omitted, fastdiv.wasserstein_distance(np.delete(x, where), v), rtol=1e-15)


@pytest.mark.parametrize("n", [10_000, 600_000, 2_100_000], ids=["chunk", "two", "most"])
def test_the_same_bits_for_any_number_of_threads(n):
    u, v, a = RNG.normal(size=n), RNG.normal(size=n // 3) + 0.01, RNG.random(n)
    results = set()
    for threads in (1, 2, 3):
        fastdiv.set_num_threads(threads)
        weighted = fastdiv.wasserstein_distance(u, v, a, a[: n // 3])
        results.add((fastdiv.wasserstein_distance(u, v), weighted))
    fastdiv.set_num_threads(None)
    assert len(results) == 1


def test_inputs_are_not_written_to():
    u, v = RNG.normal(size=N), RNG.normal(size=N)
    before = u.copy(), v.copy()
    u.flags.writeable = v.flags.writeable = False
    fastdiv.wasserstein_distance(u, v)
    fastdiv.wasserstein_distance(u, v, u**2, v**2)
    np.testing.assert_array_equal(u, before[0])
    np.testing.assert_array_equal(v, before[1])


def test_time_grows_no_faster_than_a_sort():
    """A quadratic step would take minutes here."""
    from time import perf_counter

    n = 400_000
    for make in LAWS.values():
        u, v = make(n), make(n)
        start = perf_counter()
        np.sort(u), np.sort(v)
        sorts = perf_counter() - start
        start = perf_counter()
        fastdiv.wasserstein_distance(u, v)
        assert perf_counter() - start < 20 * sorts + 0.5


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("n", [2, 65, 66, 1000, N])
def test_order_sorts(name, n):
    values = LAWS[name](n)
    for x in (values, np.append(values, [np.inf, np.nan]), -values[::-1].copy()):
        order, ordered = np.empty(len(x), np.intp), np.empty_like(x)
        _wasserstein.order(x, order, ordered)
        np.testing.assert_array_equal(ordered, np.sort(x))
        np.testing.assert_array_equal(ordered, x[order])
        np.testing.assert_array_equal(np.sort(order), np.arange(len(x)))
