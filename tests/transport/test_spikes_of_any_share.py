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


@pytest.mark.parametrize("tail", TAILS)
@pytest.mark.parametrize("spikes", [1, 5, 8, 9, 50, 65])
@pytest.mark.parametrize("share", [0.1, 0.15, 0.3, 0.5, 0.6, 0.9])
def test_value(share, spikes, tail, level):
    g = np.random.default_rng(3)
    for n, m in ((900, 1000), (20_000, 20_001)):
        u, v = drawn(g, share, spikes, tail, n), drawn(g, share, spikes, tail, m) + 0.0
        assert fastdiv.wasserstein_distance(u, v) == pytest.approx(area(u, v), rel=1e-12)
        assert fastdiv.energy_distance(u, v) == pytest.approx(np.sqrt(2 * area(u, v, True)), rel=1e-12)


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
    fastdiv.set_num_threads(before)
    assert len({x for pair in values.values() for x in pair}) == 1
    assert values[1][0] == pytest.approx(area(u, v), rel=1e-12)
