"""Histograms and circles against exact rationals: big integers, cuts, and pairs that all but agree."""

from fractions import Fraction

import numpy as np
import pytest
from mpmath import mp, mpf
from oracle_slopes import circle_exactly
from oracle_transport import bins_exactly, exact, relative_error

import fastdiv
from fastdiv import reference

BIG = 1_700_000_000_000_000_000
ORDERS = [1, 2, 3, 2.5, 7, np.inf]


def relative(got, truth) -> float:
    """Relative error; of two zeros 0, of one inf."""
    return float(abs(mpf(float(got)) - truth) / truth) if truth else (0.0 if got == 0 else float("inf"))


# ---- histograms by edges --------------------------------------------------------------------------------
def hold(x, a, y, b, bound=1e-14):
    for p in ORDERS:
        truth = bins_exactly(x, a, y, b, p)
        got = fastdiv.wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y, p=p)
        assert relative(got, truth) < bound, (p, got, truth)
        mirrored = fastdiv.wasserstein_hist(b, a, bin_edges=y, v_bin_edges=x, p=p)
        assert mirrored == pytest.approx(got, rel=bound)
        twin = reference.wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y, p=p)
        assert relative(twin, truth) < 1e-12, (p, twin, truth)


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


def test_an_edge_beside_its_place_in_a_bin():
    """By less than an ulp, above and below: differences that all but cancel, of either sign."""
    for k in (1, 3, 7):
        for toward in (0.0, 1.0):
            hold([0, 1], [1], [0, np.nextafter(k / 10, toward), 1], [k, 10 - k])
        hold([0, 1], [1], [0, k / 10, 1], [np.nextafter(k, 10), 10 - k])
        hold([0, 1], [1], [0, k / 10, 1], [np.nextafter(k, 0), 10 - k])


def test_masses_of_every_size():
    """Shares of 2^-60 of a bin and less, and totals that differ by 2^-118 of the larger."""
    for k, m in ((70, 118), (60, 100), (118, 118)):
        hold([0, 1, 2, 3], [2.0**-k, 1, 2.0**-m], [0, 1, 3], [2.0**-k, 1])
        hold([0, 1, 2, 3], [1, 2.0**-k, 2.0**-m], [0, 1, 2, 3], [1, 2.0**-m, 2.0**-k])


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


# ---- the circle -----------------------------------------------------------------------------------------
def ones(weights, values):
    return [1] * len(values) if weights is None else weights


def hold_round(u, v, a=None, b=None, *, period=1, orders=(1, 2, 3, 2.5), bound=2e-15):
    for p in orders:
        with mp.workdps(60):
            truth = circle_exactly(u, ones(a, u), v, ones(b, v), exact(period), mpf(p))
        for x, y, w, z in ((u, v, a, b), (v, u, b, a)):
            got = fastdiv.wasserstein_circle(x, y, w, z, period=period, p=p)
            assert relative(got, truth) < bound, (p, got, truth)
        twin = reference.wasserstein_circle(u, v, a, b, period=period, p=p)
        assert relative(twin, truth) < 1e-12, (p, twin, truth)


def test_both_sides_of_the_cut():
    hold_round([-1e-9, -2e-9], [1e-9, 3e-9], period=360)
    assert fastdiv.wasserstein_circle([-1e-9, -2e-9], [1e-9, 3e-9], period=360) == pytest.approx(
        3.5e-9, rel=1e-15
    )
    hold_round([-1e-300, 180], [1e-300, 180 + 1e-13], period=360)
    hold_round([360 - 1e-9, 1e-9, 720], [-720.0, 1e-12, 359], period=360)
    hold_round([1e9 + 0.1, -1e-17], [1e-17, 0.9, 0.3], period=2 * np.pi)


def test_rotations_are_exact():
    u = np.arange(7) / 9
    for p in (1, 1.5, 2, 3, 50):
        assert fastdiv.wasserstein_circle(u, np.repeat(u, 2), p=p) == 0
        assert fastdiv.wasserstein_circle(np.repeat(u, 3), np.repeat(u, 2), p=p) == 0
        assert fastdiv.wasserstein_circle(np.arange(7) / 8, np.repeat(np.arange(7) / 8 - 2, 2), p=p) == 0
        assert fastdiv.wasserstein_circle(u, u[::-1], u + 1, 8 * (u[::-1] + 1), p=p) == 0
        assert reference.wasserstein_circle(u, np.repeat(u, 2), p=p) == 0


def test_weights_that_all_but_agree():
    x = [0.1, 0.5, 0.8]
    hold_round(x, x, [0.1, 0.2, 0.3], [1, 2, 3])
    # a rotation by what the second levels differ in: the line, which cannot turn, pays 1.8207826e-9
    got = fastdiv.wasserstein_circle(x, x, [0.1, 0.2, 0.3], [1, 2, 3], p=2)
    assert 0 < got <= fastdiv.wasserstein_distance(x, x, [0.1, 0.2, 0.3], [1, 2, 3], p=2)
    hold_round(x, [0.1, np.nextafter(0.5, 1), 0.8], [1, 2, 3], [1, np.nextafter(2.0, 3), 3])


@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 4), (5, 5), (6, 3), (5, 4)])
def test_circle_in_general(n, m):
    rng = np.random.default_rng(n + 10 * m)
    u, v = rng.random(n) * 5 - 2, rng.random(m) * 3
    hold_round(u, v)
    hold_round(u, v, rng.random(n), rng.random(m), period=0.7)
    hold_round(u, v, rng.integers(1, 4, n), rng.integers(0, 2, m) + (np.arange(m) == 0))


def test_circle_of_every_size():
    for scale in (1e-300, 1e160, 1e307):
        hold_round([0.1 * scale, 0.7 * scale], [0.2 * scale, 0.95 * scale, 0.4 * scale], period=scale)
    u = np.array([0.1, 0.4, 0.8])
    got = fastdiv.wasserstein_circle(u, u + 1e-3 * np.arange(3), p=600)  # powers under- and overflow
    assert got == pytest.approx(2e-3 * 3 ** (-1 / 600), rel=1e-12)


@pytest.mark.parametrize("p", [1, 2, 3])
def test_big_integers_on_the_circle(p):
    for circle in (fastdiv.wasserstein_circle, reference.wasserstein_circle):
        assert circle([BIG], [BIG + 100], period=3600, p=p) == 100
        assert circle([BIG, -5], [BIG + 100, 95], period=2**60 + 1, p=p) == 100
        assert circle([2**63 - 1], np.array([2**63 + 4], np.uint64), period=2**62 + 1, p=p) == 5
        assert circle([-(2**62)], [2**62 + 3], period=2**63 - 1, p=p) == 4
        assert circle([1.5], [2.0**60], period=2**60 + 1, p=p) == 2.5
        assert circle([BIG], [BIG + 100], period=70.5, p=p) == 29.5


def test_the_twin_keeps_the_digits_of_what_lies_beside_one_bin():
    """By chance (`make fuzz`): levels of one bin were floats, from which exact ones were subtracted."""
    for u, v in (([0, 1, 0], [0, 1e51, 1e44]), ([1, 1, 0], [1e20, 1e20, 3])):
        a, b = ([Fraction(x) / sum(map(Fraction, w)) for x in w] for w in (u, v))
        exact = sum(abs(sum(a[: k + 1]) - sum(b[: k + 1])) for k in range(2))
        assert relative_error(reference.wasserstein_hist(u, v), exact) < 1e-15
        assert relative_error(fastdiv.wasserstein_hist(u, v), exact) < 1e-15


def test_the_twin_adds_pseudocounts_in_double_precision():
    """By chance, too: a float32 beside a half stays one in NumPy."""
    p, q = np.array([[1.0, 0.0]]), np.array([[0.04097353, 0.01652764]], np.float32)
    a, b = ([Fraction(float(x)) + Fraction(1, 2) for x in row[0]] for row in (p, q))
    for library in (reference, fastdiv):
        got = library.cdist(p, q, "wasserstein", pseudocount=0.5)
        assert relative_error(got[0, 0], abs(a[0] / sum(a) - b[0] / sum(b))) < 1e-15
