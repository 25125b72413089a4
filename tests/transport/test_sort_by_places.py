"""Samples are sorted by places or by NumPy: the same values in the same order, whatever their law."""

from fractions import Fraction

import numpy as np
import pytest

import fastdiv
from fastdiv import _wasserstein, grad

LAWS = {
    "normal": lambda g, n: g.normal(size=n),
    "uniform far out": lambda g, n: 1e9 + g.random(n),
    "exponential": lambda g, n: g.exponential(size=n),
    "lognormal": lambda g, n: g.lognormal(size=n),
    "Cauchy": lambda g, n: g.standard_cauchy(n),
    "two heaps": lambda g, n: g.normal(size=n) * 1e-6 + g.integers(0, 2, n),
    "descending": lambda g, n: -np.sort(g.normal(size=n)),
    "spread first, then a heap": lambda g, n: np.where(
        np.arange(n) < n // 4, g.random(n), 1e-9 * g.random(n)
    ),
    "one far value": lambda g, n: np.where(np.arange(n) == n - 1, 1e300, g.normal(size=n)),
    "tiny": lambda g, n: g.normal(size=n) * 1e-310,
    "all magnitudes": lambda g, n: 10.0 ** g.uniform(-320, 300, n) * g.choice([-1.0, 1.0], n),
    "heavy at both ends": lambda g, n: g.lognormal(0, 3, n) * g.choice([-1.0, 1.0], n),
    "huge": lambda g, n: g.normal(size=n) * 3e307,
}


COUNTED = {
    "mostly 0 of either sign": lambda g, n: np.where(
        g.random(n) < 0.8, g.choice([-0.0, 0.0], n), g.lognormal(size=n)
    ),
    "spikes and a tail": lambda g, n: np.where(
        g.random(n) < 0.6, g.choice([1.0, 2.5, 7.0], n), g.pareto(1, n)
    ),
}


@pytest.fixture(params=[False, True], ids=["by places", "by NumPy"], autouse=True)
def sorts(request):
    """Which is the faster hangs on the processor; both are tested on each."""
    before = _wasserstein.set_fast_sorts(request.param)
    yield
    _wasserstein.set_fast_sorts(before)


@pytest.fixture
def rng():
    return np.random.default_rng(10)


SIZES = [47, 95, 96, 150, 301, 1000, 1024, 1025, 2047, 4096, 8193, 16_384, 16_385, 40_003]


@pytest.mark.parametrize("law", LAWS)
def test_as_numpy_sorts(law, level, rng):
    draw = LAWS[law]
    for n in SIZES:
        u, v = draw(rng, n), draw(rng, n + n // 7)
        x, y = np.sort(u), np.sort(v)
        for statistic in fastdiv.energy_distance, fastdiv.ks_distance:
            assert statistic(u, v) == statistic(x, y, assume_sorted=True), (n, statistic)
        if law != "huge":
            expected = fastdiv.wasserstein_distance(x, y, p=2, assume_sorted=True)
            assert fastdiv.wasserstein_distance(u, v, p=2) == expected, n


@pytest.mark.parametrize("law", COUNTED)
def test_what_counting_leaves(law, level, rng):
    """Most values are counted, the rest is sorted: sums in another order."""
    for n in SIZES:
        u, v = COUNTED[law](rng, n), COUNTED[law](rng, n + n // 7)
        x, y = np.sort(u), np.sort(v)
        for statistic in fastdiv.energy_distance, fastdiv.ks_distance:
            expected = statistic(x, y, assume_sorted=True)
            assert statistic(u, v) == pytest.approx(expected, rel=1e-14), (n, statistic)


@pytest.mark.parametrize("n", [30, 150, 256, 257, 301, 1700])
def test_exact(n, level, rng):
    for draw in LAWS["normal"], LAWS["exponential"], LAWS["uniform far out"]:
        u, v = draw(rng, n), draw(rng, n)
        pairs = zip(sorted(map(Fraction, u)), sorted(map(Fraction, v)), strict=True)
        exact = sum(abs(x - y) for x, y in pairs) / n
        assert abs(Fraction(fastdiv.wasserstein_distance(u, v)) - exact) <= exact * Fraction(1, 10**12)


@pytest.mark.parametrize("n", [60, 900, 9000])
def test_values_that_are_not_finite(n, level, rng):
    u, v = rng.normal(size=n), rng.normal(size=n)
    u[n // 2] = np.inf
    assert fastdiv.energy_distance(u, v) == np.inf
    assert fastdiv.ks_distance(u, v) == fastdiv.ks_distance(np.sort(u), np.sort(v), assume_sorted=True)
    u[n // 3] = np.nan
    assert np.isnan(fastdiv.energy_distance(u, v))
    assert np.isnan(fastdiv.ks_distance(u, v))


def test_a_heap_after_an_even_start_is_not_put_right_by_insertion(level, rng):
    """The first eighth lies evenly, the rest descends in one cell: n^2 / 2 moves if nobody looked."""
    n = 8000
    u = np.r_[rng.random(n // 8), np.linspace(1e-9, 0, n - n // 8)]
    assert fastdiv.energy_distance(u, u[::-1]) == 0.0
    assert fastdiv.wasserstein_distance(u, u + 1.0, p=2) == pytest.approx(1.0, rel=1e-14)


def bits(result):
    parts = result if isinstance(result, tuple) else (result,)
    return [np.asarray(part).tobytes() for part in parts]


@pytest.mark.parametrize("n", [100, 1000, 12_000])
def test_the_same_bits_by_both(n, level, rng):
    u, v, w = rng.normal(size=n), rng.normal(0.1, size=n), rng.random(n)
    for function, options in (
        (fastdiv.energy_distance, {}),
        (fastdiv.ks_distance, {}),
        (fastdiv.wasserstein_distance, {"p": 2}),
        (fastdiv.wasserstein_distance, {"u_weights": w, "v_weights": w[::-1]}),
        (fastdiv.wasserstein_circle, {"period": 9}),
        (grad.wasserstein_distance, {}),
        (grad.energy_distance, {}),
    ):
        _wasserstein.set_fast_sorts(False)
        expected = bits(function(u, v, **options))
        _wasserstein.set_fast_sorts(True)
        assert bits(function(u, v, **options)) == expected, (function, options)
