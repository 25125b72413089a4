"""The gradient of transport on a circle: exact ones, differences, laws, the cut, kinks and mistakes."""

from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad

import fastdiv
import fastdiv.grad

RNG = np.random.default_rng(20261127)
T = 2**60 + 12345
grad = fastdiv.grad.wasserstein_circle


def number(x):
    return mpmath.mpf(x.numerator) / x.denominator


def power(x, p):
    return number(x) ** p if x else mpmath.mpf(0)


def exactly(u, v, a, b, period, p):
    """W_p and its derivatives by the points of u and of v, by the coupling of the best of all rotations."""
    n, m, period = len(u), len(v), Fraction(period)
    half = period / 2
    u, v = ([(Fraction(x) + half) % period - half for x in side] for side in (u, v))
    a, b = ([Fraction(x) for x in side] for side in (a, b))
    a, b = ([x / sum(side) for x in side] for side in (a, b))
    ups = sorted(range(n), key=lambda i: u[i])
    vps = sorted(range(m), key=lambda j: v[j])

    def levels(order, mass):
        total, result = Fraction(0), []
        for i in order:
            total += mass[i]
            result.append(total)
        return result

    F, G = levels(ups, a), levels(vps, b)

    def pieces(s):
        """Pairs and their mass, where the level t of F has the quantile of G at t + s."""
        cuts = sorted({Fraction(0), *F, *((g - s) % 1 for g in G)})
        for low, high in pairwise(cuts):
            middle = (low + high) / 2
            i = next(k for k in range(n) if middle < F[k])
            turn, rest = divmod(middle + s, 1)
            j = next(k for k in range(m) if rest < G[k])
            yield ups[i], vps[j], u[ups[i]] - v[vps[j]] - turn * period, high - low

    def cost(s):
        return sum(number(w) * power(abs(d), p) for *_, d, w in pieces(s))

    least = min((cost((g - f) % 1 + k), (g - f) % 1 + k) for f in F for g in G for k in (-1, 0))
    W = least[0] ** (1 / mpmath.mpf(p))
    by = [[mpmath.mpf(0)] * n, [mpmath.mpf(0)] * m]
    for i, j, d, w in pieces(least[1]):
        pull = number(w) * mpmath.sign(number(d)) * (abs(number(d)) / W) ** (mpmath.mpf(p) - 1) if d else 0
        by[0][i] += pull
        by[1][j] -= pull
    return W, *by


def by_weights(u, v, a, b, period, p):
    """Central differences of the exact value."""
    sides = []
    for k, masses in ((0, a), (1, b)):
        slopes = []
        for i in range(len(masses)):
            ends = []
            for sign in (1, -1):
                moved = [Fraction(x) for x in masses]
                moved[i] += sign * Fraction(1, 10**25)
                ends.append(exactly(u, v, *((moved, b) if k == 0 else (a, moved)), period, p)[0])
            slopes.append((ends[0] - ends[1]) * 10**25 / 2)
        sides.append(slopes)
    return sides


def cases():
    u, v = RNG.uniform(-30, 40, 6), RNG.uniform(0, 24, 5)
    a, b = RNG.random(6), RNG.random(5)
    yield "plain", (u, v, None, None, 24)
    yield "weights", (u, v, a, b, 24)
    yield "one size", (u, RNG.uniform(0, 24, 6), None, None, 24)
    yield "one point", ([3.0], v, None, b, 24)
    yield "across the cut", ([0.95, 0.97, 0.02], [0.01, 0.05, 0.99, 0.9], None, None, 1.0)
    yield "angles", (u, v, a, b, 2 * np.pi)
    yield "large", (u * 1e300, v * 1e300, a, b, 24e300)
    yield "small", (u * 1e-306, v * 1e-306, a, b, 24e-306)
    yield "integers", ([T, T + 7, T - 3, T + 2], [T + 1, T - 9, T + 400], [1, 2, 1, 5], [3, 1, 3], T)
    yield "nearly the same", (u, u * (1 + RNG.normal(size=6) * 1e-14), None, None, 24)


CASES = dict(cases())


def ones(weights, values):
    return np.ones(len(values)) if weights is None else weights


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize("case", CASES)
def test_exact(level, case, p):
    u, v, a, b, period = CASES[case]
    got = grad(u, v, a, b, period=period, p=p)
    with mpmath.workdps(60):
        value, *sides = exactly(u, v, ones(a, u), ones(b, v), period, p)
        assert abs(got.value - value) < 1e-14 * value
        for ours, truth in zip(got[1:3], sides, strict=True):
            sizes = max(map(abs, truth))
            assert (
                max(abs(mpmath.mpf(float(g)) - t) for g, t in zip(ours, truth, strict=True)) < 1e-12 * sizes
            )
    assert got.value == fastdiv.wasserstein_circle(u, v, a, b, period=period, p=p)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize("case", ["weights", "angles", "integers"])
def test_exact_by_weights(case, p):
    x = CASES[case]
    got = grad(*x[:4], period=x[4], p=p)
    with mpmath.workdps(80):
        for ours, truth in zip(got[3:], by_weights(*x, p), strict=True):
            size = max(map(abs, truth))
            assert max(abs(mpmath.mpf(float(g)) - t) for g, t in zip(ours, truth, strict=True)) < 1e-12 * size


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize("k", range(4))
def test_scipy_agrees(k, p):
    *x, period = CASES["weights"]

    def value(z):
        return fastdiv.wasserstein_circle(*x[:k], z, *x[k + 1 :], period=period, p=p)

    def slope(z):
        return grad(*x[:k], z, *x[k + 1 :], period=period, p=p)[k + 1]

    assert check_grad(value, slope, x[k]) < 1e-5 * (1 + np.abs(slope(x[k])).max())


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_weights_of_counts_are_between_both_sides(p):
    u, v = RNG.random(7), RNG.random(7)
    got = grad(u, v, p=p)
    for k, side in ((0, got.u_weights), (1, got.v_weights)):
        for i in range(7):
            slopes = []
            for step in (1e-7, -1e-7):
                weights = [np.ones(7), np.ones(7)]
                weights[k][i] += step
                slopes.append((fastdiv.wasserstein_circle(u, v, *weights, p=p) - got.value) / step)
            assert min(slopes) - 1e-6 < side[i] < max(slopes) + 1e-6


points = st.lists(st.integers(-500, 500), min_size=1, max_size=8)


@settings(deadline=None, max_examples=60)
@given(points, points, st.sampled_from([1, 1.5, 2, 3]), st.integers(0, 10**6))
def test_laws(u, v, p, seed):
    rng = np.random.default_rng(seed)
    a, b = rng.random(len(u)) + 0.1, rng.random(len(v)) + 0.1
    u, v = np.array(u, float), np.array(v, float)
    got = grad(u, v, a, b, period=360, p=p)
    assert got.u_values.sum() + got.v_values.sum() == pytest.approx(0, abs=1e-12)  # all turned together
    for weights, slopes in ((a, got.u_weights), (b, got.v_weights)):
        assert weights @ slopes == pytest.approx(0, abs=1e-12 * 360)
    larger = grad(u * 8, v * 8, a * 4, b * 0.5, period=360 * 8, p=p)
    assert larger.value == got.value * 8
    for x, y, factor in zip(larger[1:], got[1:], (1, 1, 2, 16), strict=True):
        np.testing.assert_array_equal(x, y * factor)
    turned = grad(u + 360 * rng.integers(-3, 3, len(u)), v - 720, a, b, period=360, p=p)
    for x, y in zip(turned, got, strict=True):
        np.testing.assert_array_equal(x, y)


@pytest.mark.parametrize("p", [1, 2])
def test_any_order_of_points(p):
    u, v = np.array([0.0, 0.5, -0.5, 0.25, 0.5]), np.array([0.1, 0.3, 0.3, 0.8])
    a, b = RNG.random(5), RNG.random(4)
    got, order = grad(u, v, a, b, p=p), [4, 2, 0, 3, 1]
    other = grad(u[order], v, a[order], b, p=p)
    np.testing.assert_allclose(other.u_values, got.u_values[order], rtol=1e-14)
    np.testing.assert_allclose(other.u_weights, got.u_weights[order], rtol=1e-12, atol=1e-14)
    same = [1, 2, 4]  # one point, at the cut
    np.testing.assert_allclose(got.u_values[same] / a[same], got.u_values[1] / a[1], rtol=1e-14)


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_distance_0(p):
    got = grad([0.25, 1.5, -0.5], [1.25, 0.5, 7.5], p=p)
    assert got.value == 0
    assert not any(x.any() for x in got[1:])


def test_points_without_mass():
    u, v, a = [0.1, 0.4, 0.7], [0.2, 0.55], [1.0, 0.0, 2.0]
    got = grad(u, v, a, [1.0, 3.0], p=2)
    assert got.u_values[1] == 0
    step = fastdiv.wasserstein_circle(u, v, [1.0, 1e-8, 2.0], [1.0, 3.0], p=2) - got.value
    assert got.u_weights[1] == pytest.approx(step / 1e-8, rel=1e-5)


def test_types():
    got = grad(np.float32([0.1, 0.4]), np.float32([0.2]), period=1, p=2)
    assert [x.dtype for x in got[1:]] == [np.float32] * 4
    assert got.value == fastdiv.wasserstein_circle(np.float32([0.1, 0.4]), np.float32([0.2]), p=2)


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (([0.1], [0.2]), {"period": 0}, "period must be positive"),
        (([0.1], [0.2]), {"p": np.inf}, "finite"),
        (([0.1, np.nan], [0.2]), {}, "u_values"),
        (([0.1], [0.2, np.inf]), {}, "v_values"),
        (([0.1], [0.2], [-1.0]), {}, "u_weights"),
        (([[0.1], [0.2]], [0.2]), {}, "one pair of samples"),
    ],
)
def test_mistakes(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        grad(*arguments, **options)
