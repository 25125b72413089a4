"""Densities: masses are density times width without rounding, held to exact rationals."""

import itertools
import math
from fractions import Fraction

import numpy as np
import pytest

import fastdiv


def exactly(u, v, edges, v_edges=None):
    """W1 of two densities as a rational: the area between piecewise linear distribution functions."""
    sides = []
    for density, x in ((u, edges), (v, edges if v_edges is None else v_edges)):
        x = [Fraction(t.item() if isinstance(t, np.generic) else t) for t in x]
        mass = [Fraction(float(d)) * (r - s) for d, s, r in zip(density, x[:-1], x[1:], strict=True)]
        sides.append((x, [m / sum(mass) for m in mass]))

    def at(side, t):
        return sum(
            m * min(max((t - s) / (r - s), Fraction(0)), Fraction(1))
            for m, s, r in zip(side[1], side[0][:-1], side[0][1:], strict=True)
        )

    points = sorted({*sides[0][0], *sides[1][0]})
    area = Fraction(0)
    for s, t in itertools.pairwise(points):
        d, e = at(sides[0], s) - at(sides[1], s), at(sides[0], t) - at(sides[1], t)
        crossed = d * d + e * e if d * e < 0 else (abs(d) + abs(e)) ** 2
        area += (t - s) * crossed / (2 * (abs(d) + abs(e))) if d or e else 0
    return area


def hold(u, v, edges, v_edges=None, tolerance=1e-14):
    got = fastdiv.wasserstein_hist(u, v, bin_edges=edges, v_bin_edges=v_edges, density=True)
    exact = exactly(u, v, edges, v_edges)
    assert abs(Fraction(float(got)) - exact) <= Fraction(tolerance) * exact, (got, float(exact))


@pytest.mark.parametrize("seed", range(8))
def test_densities_that_all_but_agree(seed):
    rng = np.random.default_rng(seed)
    edges = np.cumsum(rng.random(8))
    u = rng.random(7)
    v = u.copy()
    v[seed % 7] = math.nextafter(v[seed % 7], 9)
    hold(u, v, edges)
    hold(u, 3.0 * v, edges)
    hold(u, v, edges, edges.copy())
    hold(
        u, np.append(v, v[-1]), edges, np.append(edges[:-1], [(edges[-2] + edges[-1]) / 2, edges[-1]]), 1e-13
    )


def test_the_same_density_on_finer_bins():
    """Widths 0.1 and 0.2 - 0.1 are not equal as float64; the densities are."""
    edges = np.arange(11) / 10
    finer = np.sort(np.concatenate([edges, (edges[1:] + edges[:-1]) / 2]))
    assert fastdiv.wasserstein_hist(np.full(10, 0.7), np.full(20, 0.3), bin_edges=edges, v_bin_edges=finer,
                                    density=True) == 0  # fmt: skip


@pytest.mark.parametrize(
    ("low", "high"), [(1e-300, 1e-10), (1e200, 1e100), (1e-200, 1e-200), (1e300, 1e-300)]
)
def test_products_beyond_float64(low, high):
    edges = np.array([0.0, 0.3, 1.0, 1.7]) * low
    hold(np.array([1.0, 2.0, 0.5]) * high, np.array([0.3, 0.1, 7.0]) * high, edges)


def test_integer_edges_beyond_2_53():
    edges = 2**60 + np.array([0, 3, 4, 2**40 + 1])
    hold(np.array([0.1, 0.2, 0.3]), np.array([0.1, 0.2, math.nextafter(0.3, 1)]), edges, tolerance=1e-13)


def test_rows_that_are_no_distribution_have_no_mass_to_compare():
    got = fastdiv.wasserstein_hist([[np.nan, 1], [1, 2]], [[3, 3], [2, 1]], normalize=False)
    np.testing.assert_array_equal(got, [np.nan, 1.0])
