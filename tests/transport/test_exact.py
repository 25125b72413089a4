"""Values that rounding, overflow or underflow on the way would spoil: against exact rationals and mpmath."""

from fractions import Fraction
from itertools import pairwise

import numpy as np
import pytest
from oracle_transport import exact, relative_error, wasserstein_power

import fastdiv
import fastdiv.grad
from fastdiv import reference

T = 1_700_000_000_000_000_000


def same(got, truth, tolerance=1e-15):
    assert abs(exact(got) - truth) <= Fraction(tolerance) * abs(truth), (got, float(truth))


def cramer_square(u, v):
    points = sorted({*u, *v})
    total = Fraction(0)
    for left, right in pairwise(points):
        gap = Fraction(sum(x <= left for x in u), len(u)) - Fraction(sum(y <= left for y in v), len(v))
        total += (right - left) * gap**2
    return total


# ---- integers beyond 2^53 -------------------------------------------------------------------------------
@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
def test_gradient_of_big_integers(p):
    got = fastdiv.grad.wasserstein_distance([T], [T + 100], p=p)
    assert got.value == pytest.approx(100, rel=1e-15)
    np.testing.assert_allclose([got.u_values, got.v_values], [[-1], [1]], rtol=1e-15)
    small = fastdiv.grad.wasserstein_distance([7, 0, 3], [100, 5], [1, 2, 1], [3, 1], p=p)
    for origin in (T, -T, 2**63 - 101):
        u, v = [origin + 7, origin, origin + 3], [origin + 100, origin + 5]
        far = fastdiv.grad.wasserstein_distance(np.array(u), np.array(v), [1, 2, 1], [3, 1], p=p)
        for x, y in zip(far, small, strict=True):
            np.testing.assert_array_equal(x, y)


def test_gradient_of_integers_that_span_the_range():
    got = fastdiv.grad.wasserstein_distance(np.int64([-(2**63), 2**63 - 1]), np.int64([-(2**63) + 1, 0]))
    assert got.value == 2.0**62
    np.testing.assert_array_equal(got.u_values, [-0.5, 0.5])
    np.testing.assert_array_equal(got.v_values, [0.5, -0.5])


def test_samples_of_big_integers():
    rng = np.random.default_rng(4)
    for spread in (1000, 2**61):
        u, v = (rng.integers(0, spread, k) + np.int64(T) for k in (30, 40))
        truth = cramer_square([int(x) for x in u], [int(x) for x in v])
        square = Fraction(float(fastdiv.cramer_distance(u, v))) ** 2
        assert abs(square / truth - 1) < 1e-15
        square = Fraction(float(fastdiv.energy_distance(u, v))) ** 2
        assert abs(square / truth / 2 - 1) < 1e-15
        assert fastdiv.ks_distance(u, v) == fastdiv.ks_distance(u - T, v - T)
        for p in (1, 2, 3):
            power = wasserstein_power(u, v, None, None, p)
            assert relative_error(fastdiv.wasserstein_distance(u, v, p=p), power, p) < 1e-15
            assert relative_error(reference.wasserstein_distance(u, v, p=p), power, p) < 1e-14
            plan = fastdiv.transport_plan(u, v, p=p)
            assert relative_error(plan.distance, power, p) < 1e-14
            assert relative_error(plan.certificate().dual, power) < 1e-12


# ---- clouds ---------------------------------------------------------------------------------------------
def test_sliced_far_from_the_origin():
    near = fastdiv.sliced_wasserstein([[0.0, 0.0]], [[2.0**-10, 0.0]], seed=1)
    assert near > 0
    assert fastdiv.sliced_wasserstein([[1e9, 1e9]], [[1e9 + 2**-10, 1e9]], seed=1) == near
    step = fastdiv.sliced_wasserstein([[0.0, 0.0]], [[100.0, 0.0]], seed=1)
    for origin in (T, -T, 2**63 - 200):
        x, y = np.array([[origin, 5]]), np.array([[origin + 100, 5]])
        assert fastdiv.sliced_wasserstein(x, y, seed=1) == step
        assert reference.sliced_wasserstein(x, y, seed=1) == pytest.approx(step, rel=1e-12)
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(50, 3)) + 1e9, rng.normal(size=(60, 3)) + 1e9
    for p in (1, 2, np.inf):
        far = fastdiv.sliced_wasserstein(x, y, p=p, seed=2)
        assert far == fastdiv.sliced_wasserstein(x - 1e9, y - 1e9, p=p, seed=2)
        assert far == pytest.approx(reference.sliced_wasserstein(x, y, p=p, seed=2), rel=1e-12)


def test_sliced_of_integers_that_span_the_range():
    x, y = np.int64([[-(2**63), 1]]), np.int64([[2**63 - 1, 1]])
    unit = fastdiv.sliced_wasserstein([[0.0, 0.0]], [[1.0, 0.0]], seed=1)
    assert fastdiv.sliced_wasserstein(x, y, seed=1) == unit * 2.0**64
    z = np.uint64([[2**64 - 2, 1]])
    assert fastdiv.sliced_wasserstein(z, z + np.uint64([[1, 0]]), seed=1) == unit


@pytest.mark.parametrize("scale", [1e-320, 1e-200, 1e200, 2.0**1023])
def test_sliced_of_extreme_size(scale):
    x, y = np.array([[0.0, 0.5], [1.0, 0.0]]), np.array([[0.5, 0.5]])
    for p in (1, 2, np.inf):
        unit = fastdiv.sliced_wasserstein(x, y, p=p, seed=1)
        got = fastdiv.sliced_wasserstein(x * scale, y * scale, p=p, seed=1)
        assert got == pytest.approx(unit * scale, rel=1e-3 if scale < 1e-300 else 1e-15)


def test_sliced_weights():
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(30, 3)), rng.normal(size=(40, 3))
    a, b = rng.integers(0, 4, 30), rng.integers(1, 3, 40)
    for p in (1, 2, 3.5, np.inf):
        got = fastdiv.sliced_wasserstein(x, y, a, b, p=p, seed=2)
        spelled = fastdiv.sliced_wasserstein(np.repeat(x, a, axis=0), np.repeat(y, b, axis=0), p=p, seed=2)
        assert got == pytest.approx(spelled, rel=1e-12)
        assert got == pytest.approx(reference.sliced_wasserstein(x, y, a, b, p=p, seed=2), rel=1e-12)
        one = fastdiv.sliced_wasserstein(x, y, X_weights=a, p=p, seed=2)
        assert one == fastdiv.sliced_wasserstein(x, y, a, np.ones(40), p=p, seed=2)
        assert one == pytest.approx(reference.sliced_wasserstein(x, y, X_weights=a, p=p, seed=2), rel=1e-12)
    apart = fastdiv.sliced_wasserstein([[0, 0], [np.inf, np.inf]], [[3, 4]], [1, 0], seed=1)
    assert apart == fastdiv.sliced_wasserstein([[0, 0]], [[3, 4]], seed=1)
    for weights, words in (
        ([1.0, 2.0], "X_weights has 2 weights"),
        (-np.ones(30), r"X_weights\[0\] is -1"),
        (np.zeros(30), "X_weights are all zero"),
        (np.ones((1, 30)), r"X_weights must have shape \(30,\), not \(1, 30\)"),
    ):
        with pytest.raises(ValueError, match=words):
            fastdiv.sliced_wasserstein(x, y, weights)
