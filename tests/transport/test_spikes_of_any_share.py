"""Spikes of any share and number, and tails: counted, in cells or sorted, the value is the same."""

import numpy as np
import pytest

import fastdiv

TAILS = {
    "lognormal": lambda g, n: g.lognormal(1, 1.5, n),
    "uniform": lambda g, n: 60.0 * g.random(n),
}


def drawn(g, share, spikes, tail, n):
    return np.where(g.random(n) < share, g.integers(0, spikes, n) * 1.25, TAILS[tail](g, n))


def area(u, v, square=False):
    """The integral of |F - G|, or of its square, from sorted samples: i m - j n is an integer."""
    both = np.sort(np.concatenate([u, v]))
    F, G = (np.searchsorted(np.sort(x), both[:-1], "right") for x in (u, v))
    D = np.abs(F * len(v) - G * len(u)) / (len(u) * len(v))
    return float(np.sum((D**2 if square else D) * np.diff(both)))


def largest(u, v):
    """|F - G| at every value, over n m: an integer times one double, so KS has no choice of bits."""
    both = np.unique(np.concatenate([u, v]))
    F, G = (np.searchsorted(np.sort(x), both, "right").astype(object) for x in (u, v))
    return float(max(abs(F * len(v) - G * len(u)))) * (1.0 / (float(len(u)) * float(len(v))))


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("spikes", [1, 5, 8, 9, 50, 65])
@pytest.mark.parametrize("share", [0.1, 0.15, 0.3, 0.5, 0.6, 0.9])
def test_value(share, spikes, tail, level):
    g = np.random.default_rng(3)
    for n, m in ((900, 1000), (20_000, 20_001)):
        u, v = drawn(g, share, spikes, tail, n), drawn(g, share, spikes, tail, m) + 0.0
        assert fastdiv.wasserstein_distance(u, v) == pytest.approx(area(u, v), rel=1e-12)
        assert fastdiv.energy_distance(u, v) == pytest.approx(np.sqrt(2 * area(u, v, True)), rel=1e-12)
        assert fastdiv.ks_distance(u, v) == largest(u, v)


@pytest.mark.parametrize("spikes", [2, 8, 9, 65])
@pytest.mark.parametrize("share", [0.5, 0.95, 1.0])
def test_a_sample_in_another_order(share, spikes, level):
    """At exactly 0, whichever of its values is where a pass begins, and where it is taken up."""
    g = np.random.default_rng(7)
    for n in (2000, 20_000):
        u = np.where(g.random(n) < share, np.pi * g.integers(0, spikes, n), g.lognormal(1, 1.5, n))
        for v in (g.permutation(u), np.sort(u), u[::-1].copy()):
            assert fastdiv.ks_distance(u, v) == 0
            assert fastdiv.wasserstein_distance(u, v) == fastdiv.energy_distance(u, v) == 0


@pytest.mark.parametrize("share", [0.15, 0.5, 0.9])
@pytest.mark.parametrize("u_spike", [-1e9, -0.5, 0.0, 1.25, 1e9])
def test_ks_at_and_beside_spikes(share, u_spike, level):
    """The largest difference is at a spike, before it, after it, at either end, or far from all."""
    g = np.random.default_rng(5)
    u, v = (g.lognormal(1, 1.5, n) for n in (20_000, 21_001))
    for shift in (0.0, 1.0, 100.0):
        x = np.where(g.random(len(u)) < share, u_spike, u + shift)
        y = np.where(g.random(len(v)) < share, 1.25, v)
        for a, b in ((x, y), (y, x), (-x, -y)):
            assert fastdiv.ks_distance(a, b) == largest(a, b)


@pytest.mark.parametrize("share", [0.2, 0.7])
def test_ks_of_spikes_and_what_is_no_plain_double(share, level):
    """A NaN, infinities as spikes and in the tail, float32, and integers of which some are no doubles."""
    g = np.random.default_rng(6)
    u, v = drawn(g, share, 5, "lognormal", 20_000), drawn(g, share, 5, "lognormal", 20_001)
    for where in (0, 11_111, 19_999):
        x = u.copy()
        x[where] = np.nan
        assert np.isnan(fastdiv.ks_distance(x, v))
        assert fastdiv.ks_distance(x, v, nan_policy="omit") == largest(np.delete(x, where), v)
        for end in (-np.inf, np.inf):
            x[where] = end
            assert fastdiv.ks_distance(x, v) == largest(x, v)
    x = np.where(u == 1.25, np.inf, np.where(u == 2.5, -np.inf, u))
    assert fastdiv.ks_distance(x, v) == largest(x, v)
    single = u.astype("f4"), v.astype("f4")
    expected = largest(*(x.astype(float) for x in single))
    assert fastdiv.ks_distance(*single) == np.float32(expected)
    spikes = g.integers(0, 5, (2, 20_000))
    far = 2**53 + g.integers(0, 2**60, (2, 20_000))
    for tail in (far, far - 2**62, g.integers(2**53, 2**53 + 9, (2, 20_000))):
        x, y = np.where(g.random((2, 20_000)) < share, spikes, tail)
        assert fastdiv.ks_distance(x, y) == largest(x, y)


def test_spikes_in_one_half_only(level):
    """A chunk without any, and one that is nothing else."""
    g = np.random.default_rng(4)
    u, v = (drawn(g, 0.3, 5, "lognormal", 600_000) for _ in "uv")
    u = np.concatenate([u[u % 1.25 != 0], u[u % 1.25 == 0]])
    values = {}
    before = fastdiv.num_threads()
    for threads in (1, 2):
        fastdiv.set_num_threads(threads)
        values[threads] = fastdiv.wasserstein_distance(u, v), fastdiv.wasserstein_distance(v, u)
        assert fastdiv.ks_distance(u, v) == fastdiv.ks_distance(v, u) == largest(u, v)
    fastdiv.set_num_threads(before)
    assert len({x for pair in values.values() for x in pair}) == 1
    assert values[1][0] == pytest.approx(area(u, v), rel=1e-12)
