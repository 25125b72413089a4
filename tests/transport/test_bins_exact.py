"""Histograms and circles against exact rationals: big integers, cuts, and pairs that all but agree."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from mpmath import mp, mpf

import fastdiv
from fastdiv import reference

BIG = 1_700_000_000_000_000_000
ORDERS = [1, 2, 3, 2.5, 7, np.inf]


def rational(x) -> Fraction:
    return Fraction(int(x)) if isinstance(x, (int, np.integer)) else Fraction(float(x))


def real(x: Fraction):
    return mpf(x.numerator) / x.denominator


def relative(got, exact) -> float:
    """Relative error; of two zeros 0, of one inf."""
    exact = real(exact) if isinstance(exact, Fraction) else exact
    return float(abs(mpf(float(got)) - exact) / exact) if exact else (0.0 if got == 0 else float("inf"))


# ---- histograms by edges --------------------------------------------------------------------------------
def bins_exactly(x, a, y, b, p):
    """W_p of evenly filled bins: rational quantile functions, their powers integrated in closed form."""
    sides = []
    for edges, masses in ((x, a), (y, b)):
        edges, masses = [rational(t) for t in edges], [rational(w) for w in masses]
        levels = [Fraction(0)]
        for w in masses:
            levels.append(levels[-1] + w / sum(masses))
        sides.append((edges, levels))

    def line(edges, levels, start, end):
        k = next(k for k in range(len(edges) - 1) if levels[k] <= start and end <= levels[k + 1])
        slope = (edges[k + 1] - edges[k]) / (levels[k + 1] - levels[k])
        return (edges[k] + slope * (t - levels[k]) for t in (start, end))

    total, largest = mpf(0), Fraction(0)
    with mp.workdps(120):
        for start, end in pairwise(sorted({*sides[0][1], *sides[1][1]})):
            (d, e), (f, g) = (line(*side, start, end) for side in sides)
            d, e = sorted((d - f, e - g), key=abs)
            largest = max(largest, abs(e))
            if e == 0 or np.isinf(p):
                continue
            sign = -1 if d * e < 0 else 1  # of d against e
            d, e, mass = real(abs(d)), real(abs(e)), real(end - start)
            mean = (
                e**p
                if d == e and sign > 0
                else (e ** (p + 1) - sign * d ** (p + 1)) / ((p + 1) * (e - sign * d))
            )
            total += mass * mean
        return real(largest) if np.isinf(p) else total ** (1 / mpf(p))


def hold(x, a, y, b, bound=1e-14):
    for p in ORDERS:
        exact = bins_exactly(x, a, y, b, p)
        got = fastdiv.wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y, p=p)
        assert relative(got, exact) < bound, (p, got, exact)
        twin = reference.wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y, p=p)
        assert relative(twin, exact) < 1e-12, (p, twin, exact)


def test_edges_far_from_the_origin():
    edges = 1.7e9 + 3600 * np.arange(3)
    hold(edges, [1000, 1000], edges, [1001, 999])
    assert fastdiv.wasserstein_hist([1000, 1000], [1001, 999], bin_edges=edges, p=2) == pytest.approx(
        2.07846096908265, rel=1e-14
    )


def test_edges_that_all_but_agree():
    s = np.array([0, 0.3, 1])
    hold(s, [1, 2], s + 2.0**-30, [1, 2])
    hold(s, [1, 2], [0, np.nextafter(0.3, 1), 1], [1, 2])
    hold(s, [1, 2], s, [np.nextafter(1.0, 2), 2])
    hold(s, [0.1, 0.2], s, [1, 2])
    rng = np.random.default_rng(5)
    for n in (1, 3, 8):
        x, a = np.cumsum(rng.random(n + 1)) + 1e5, rng.random(n)
        y, b = x.copy(), a.copy()
        y[n // 2] = np.nextafter(y[n // 2], np.inf)
        hold(x, a, y, a)
        b[n // 2] *= 1 + 2.0**-52
        hold(x, a, x, b)
        hold(x, a, y, b)
        hold(x, a, y, 3 * b)
        hold(x, np.round(8 * a), y, np.round(8 * b))


@pytest.mark.parametrize("scale", [1.0, 1e-300, 1e-310, 1e300, 2e307])
def test_edges_of_every_size(scale):
    hold(np.array([-1, 0.3, 1, 4]) * scale, [1, 0, 2], np.array([-1, 0.7, 1]) * scale, [3, 1])


def test_bins_in_general():
    rng = np.random.default_rng(6)
    for n, m in ((1, 1), (5, 5), (9, 4)):
        x, y = np.cumsum(rng.random(n + 1)), np.cumsum(rng.random(m + 1))
        a, b = rng.random(n) * rng.integers(0, 2, n), rng.random(m) * rng.integers(0, 2, m)
        a[-1] = b[0] = 1
        hold(x, a, y, b)


@pytest.mark.parametrize("p", ORDERS)
def test_bins_split_and_merged_are_exactly_at_0(p):
    for x, a, y, b in (
        ([0, 1, 3], [1, 2], [0, 3], [3]),
        ([0, 1, 3, 10], [1, 2, 7], [0, 3, 10], [3, 7]),
        ([5, 5.1, 6], [0, 1], [5.1, 6, 7], [3, 0]),
        ([BIG, BIG + 1, BIG + 3], [1, 2], [BIG, BIG + 3], [9]),
    ):
        assert fastdiv.wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y, p=p) == 0
        assert fastdiv.wasserstein_hist(b, a, bin_edges=y, v_bin_edges=x, p=p) == 0
        assert reference.wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y, p=p) == 0


# ---- integers beyond 2^53 -------------------------------------------------------------------------------
@pytest.mark.parametrize("hist", [fastdiv.wasserstein_hist, reference.wasserstein_hist], ids=["fast", "twin"])
@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_big_integers_of_histograms(hist, p):
    assert hist([1, 0], [0, 1], support=[BIG, BIG + 100], p=p) == 100
    assert hist([0, 1], [1, 0], support=[BIG + 100, BIG], p=p) == 100
    assert hist([1, 0], [0, 1], support=np.array([2**64 - 101, 2**64 - 1], np.uint64), p=p) == 100
    assert hist([1, 0], [0, 1], bin_edges=[BIG, BIG + 100, BIG + 200], p=p) == 100
    unsigned = np.array([2**63 + 7, 2**63 + 14], np.uint64)
    signed = np.array([2**63 - 8, 2**63 - 1])
    assert hist([1], [2], bin_edges=signed, v_bin_edges=unsigned, p=p) == 15
    assert hist([1], [2], bin_edges=[-(2**63), 1 - 2**63], v_bin_edges=[0.0, 1.0], p=p) == 2.0**63
    density = hist([1, 0], [0, 1], bin_edges=[BIG, BIG + 1, BIG + 2], p=p, density=True)
    assert density == 1
    with pytest.raises(ValueError, match=f"bin_edges must ascend, but .* = {BIG} and .* = {BIG}"):
        fastdiv.wasserstein_hist([1], [1], bin_edges=[BIG, BIG])


def test_wide_integers_of_bins():
    x, y = [-(2**63), -5, 2**62 + 1, 2**63 - 1], np.array([3, 2**62 + 3, 2**64 - 1], np.uint64)
    hold(x, [1, 2, 3], y, [0.1, 0.7])
    hold(x, [1, 2, 3], [-(2**63), -4, 2**62 + 1, 2**63 - 1], [1, 2, 3])
