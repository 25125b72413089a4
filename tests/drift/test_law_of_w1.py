"""The p-value of W1 where far tails decide: shares of unchanged columns, and permutations one by one."""

import numpy as np
import pytest

from fastdiv import wasserstein_distance
from fastdiv.drift.bridges import cells_spread, spread, w1_law
from fastdiv.drift.cells import Cells
from fastdiv.drift.samples import Sample
from fastdiv.testing import _Samples

LAWS = {
    "lognormal": lambda g, n: g.lognormal(0, 2, n),
    "pareto 1/2": lambda g, n: g.pareto(0.5, n),
    "pareto 1": lambda g, n: g.pareto(1, n),
    "pareto 2": lambda g, n: g.pareto(2, n),
    "Cauchy": lambda g, n: g.standard_cauchy(n),
    "ties": lambda g, n: g.poisson(0.3, n).astype(float),
    "whole": lambda g, n: np.minimum(1000 * g.pareto(1, n), 1e18).astype(np.int64) - 2**62,
    "zeros": lambda g, n: np.where(g.random(n) < 0.95, 0.0, g.lognormal(0, 1.5, n)),
}


def p_of(x, y):
    x, y = np.sort(x), np.sort(y)
    places = spread(Sample.gathered(x), Sample.gathered(y))
    return w1_law(places, len(x), len(y), float(wasserstein_distance(x, y, assume_sorted=True)))[1]


def test_unchanged_columns_keep_the_level():
    """60 pairs a size: binomial, 5 deviations allowed; p <= .0001 in 2 at most, 0.14 being expected."""
    rng, all_ = np.random.default_rng(1), []
    for name, law in LAWS.items():
        for n, m in ((30, 300), (30, 6000), (6000, 60)):
            p = np.array([p_of(law(rng, n), law(rng, m)) for _ in range(60)])
            assert np.count_nonzero(p <= 0.05) <= 3 + 5 * 1.7, (name, n, m)
            all_.append(p)
    p = np.concatenate(all_)
    assert 0.03 <= np.mean(p <= 0.05) <= 0.07
    assert np.mean(p <= 0.01) <= 0.02
    assert np.count_nonzero(p <= 0.001) <= 1.44 + 5 * 1.2
    assert np.count_nonzero(p <= 0.0001) <= 2


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize("sizes", [(9, 40), (40, 1500), (1500, 300)])
def test_permutations_one_by_one(name, sizes):
    """1999 draws by blocks of ranks against 999 of all values, where one in 100 to 90 in 100 are as far."""
    rng = np.random.default_rng(2)
    for _ in range(2):
        x, y = (LAWS[name](rng, n) for n in sizes)
        test = _Samples(x, y, "wasserstein")
        share = (test.as_far(rng, 999, test.seen() * (1 - 1e-9)) + 1) / 1000
        assert abs(p_of(x, y) - share) <= 5 * np.sqrt(max(share * (1 - share), 0.01) * (1 / 999 + 1 / 1999))


def test_cells_have_the_law_of_their_values():
    rng = np.random.default_rng(3)
    for _ in range(5):
        x, y = np.sort(rng.lognormal(0, 2, 300)), np.sort(rng.lognormal(0, 2, 20_000))
        a, b = (Cells.of(z, np.ones(len(z), np.int64)).fitted(3000) for z in (x, y))
        k = max(a.k, b.k)
        w1 = float(wasserstein_distance(x, y))
        p = w1_law(cells_spread(a.coarsened(k), b.coarsened(k)), 300, 20_000, w1)[1]
        assert p == pytest.approx(p_of(x, y), abs=0.03)


def test_what_has_moved_is_far_beyond_the_draws():
    """A bound falls on where permutations end; far above it the normal law of means says 1e-30 and less."""
    rng = np.random.default_rng(4)
    u, v = rng.lognormal(0, 1, 20_000), rng.lognormal(0, 1, 300)
    found = [p_of(u, v * by) for by in (1, 1.2, 1.4, 1.6, 2, 3)]
    assert found == sorted(found, reverse=True)
    assert found[0] > 0.05
    assert found[3] < 1e-6
    assert found[-1] < 1e-30


def test_one_far_value_is_told_by_its_chance():
    """The largest of all is among 100 of 20 100 as often as not: once in 201."""
    rng = np.random.default_rng(5)
    u, v = rng.random(20_000), rng.random(100)
    v[0] = 1e9
    assert 0.001 < p_of(u, v) < 0.02
