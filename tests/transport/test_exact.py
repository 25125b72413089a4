"""Values that rounding, overflow or underflow on the way would spoil: against exact rationals and mpmath."""

import math
from fractions import Fraction
from itertools import pairwise

import mpmath
import numpy as np
import pytest
from oracle_transport import exact, quantile_pieces, relative_error, wasserstein_power

import fastdiv
import fastdiv.grad
from fastdiv import _wasserstein, reference

T = 1_700_000_000_000_000_000


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


def test_big_integers_against_whole_floats():
    u, v = np.array([T + 1, T + 3]), np.array([float(T), T + 256.0])
    for p in (1, 2, 3):
        power = wasserstein_power(u, v, None, None, p)
        assert relative_error(fastdiv.wasserstein_distance(u, v, p=p), power, p) < 1e-15
        assert relative_error(fastdiv.transport_plan(v, u, p=p).distance, power, p) < 1e-15
    assert fastdiv.wasserstein_distance(np.uint64([2**64 - 1]), [2.0**64 - 2048]) == 2047
    assert fastdiv.wasserstein_distance(np.int64([2**63 - 1]), [-1.0]) == 2.0**63
    assert np.isnan(fastdiv.wasserstein_distance(u, [float(T), np.nan]))
    assert fastdiv.wasserstein_distance(u, [float(T), np.inf]) == np.inf
    assert fastdiv.wasserstein_distance([T + 1], [0.5]) == float(T)
    one = fastdiv.sliced_wasserstein([[1]], [[0.0]], seed=1)
    assert fastdiv.sliced_wasserstein([[T + 1]], [[float(T)]], seed=1) == one


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
        (-np.ones(30), r"X_weights must be finite and not negative, not -1.0: X_weights\[0\]"),
        (np.zeros(30), "X_weights are all zero"),
        (np.ones((1, 30)), r"X_weights must have shape \(30,\), not \(1, 30\)"),
    ):
        with pytest.raises(ValueError, match=words):
            fastdiv.sliced_wasserstein(x, y, weights)


# ---- powers beyond float64 ------------------------------------------------------------------------------
def root(power, p):
    """power^(1/p) of a Fraction, to 50 digits."""
    with mpmath.workdps(60):
        return mpmath.root(mpmath.mpf(power.numerator) / power.denominator, p)


def near(got, truth, tolerance=1e-14):
    assert abs(mpmath.mpf(float(got)) / truth - 1) < tolerance, (got, truth)


def exact_gradient(u, v, a, b, p):
    """Slopes of W_p by values and by weights where values and levels differ, in 60 digits."""
    pieces = quantile_pieces(u, v, a, b)
    power = sum((w * abs(x - y) ** p for x, y, w in pieces), Fraction(0))
    distance = root(power, p)
    pull = {}
    potential, other = {pieces[0][0]: Fraction(0)}, {}
    for x, y, w in pieces:
        ratio = abs(x - y) / mpmath.mpf(1)
        slope = mpmath.mpf(w.numerator) / w.denominator * (ratio / distance) ** (p - 1)
        pull[x] = pull.get(x, 0) + (slope if x > y else -slope)
        if y not in other:
            other[y] = abs(x - y) ** p - potential[x]
        else:
            potential[x] = abs(x - y) ** p - other[y]
    total = sum(exact(w) for w in a)
    mean = sum(exact(w) * potential[exact(x)] for x, w in zip(u, a, strict=True)) / total
    slopes = [(potential[exact(x)] - mean) / total for x in u]
    weight = [mpmath.mpf(s.numerator) / s.denominator / p / distance ** (p - 1) for s in slopes]
    return distance, [pull[exact(x)] for x in u], weight


def test_large_orders():
    plan = fastdiv.transport_plan([0, 50], [25, 150], p=200)
    assert plan.distance == pytest.approx(99.6540262827868, rel=1e-14)
    assert plan.cost == math.inf
    for u, v, p in (
        ([0, 50], [25, 150], 200),
        ([0.0, 50.0], [25.0, 150.0], 200),
        ([0.0, 1e-3], [2e-3, 7e-3], 200),
        ([T, T + 50], [T + 25, T + 150], 200),
    ):
        truth = root(wasserstein_power(u, v, None, None, p), p)
        near(fastdiv.transport_plan(u, v, p=p).distance, truth)
        near(fastdiv.grad.wasserstein_distance(u, v, p=p).value, truth)
        near(fastdiv.wasserstein_distance(u, v, p=p), truth)
    got = fastdiv.grad.wasserstein_distance([0, 50], [25, 150], p=200)
    distance = root(wasserstein_power([0, 50], [25, 150], None, None, 200), 200)
    for slope, step in zip(got.u_values, (25, 100), strict=True):
        near(slope, -((step / distance) ** 199) / 2, 1e-12)


@pytest.mark.parametrize("scale", [2.0**-1022, 1e-200, 1e-160, 1.0, 1e160, 1e300])
@pytest.mark.parametrize("p", [1, 2, 3, 150])
@pytest.mark.parametrize("weight", [2.0**-1000, 1.0, 2.0**1015])
def test_plan_and_gradient_of_extreme_size(scale, p, weight):
    u, v = np.array([0.25, 3.0, 1.5]) * scale, np.array([2.0, 0.5, 7.0, 3.5]) * scale
    a, b = np.array([1.0, 2.5, 1.75]) * weight, np.array([2.0, 1.25, 3.0, 1.0]) / weight
    power = wasserstein_power(u, v, a, b, p)
    distance, pull, slopes = exact_gradient(u, v, a, b, p)
    plan, got = fastdiv.transport_plan(u, v, a, b, p=p), fastdiv.grad.wasserstein_distance(u, v, a, b, p=p)
    near(plan.distance, distance)
    near(got.value, distance)
    near(fastdiv.wasserstein_distance(u, v, a, b, p=p), distance)
    for x, truth in zip(got.u_values, pull, strict=True):
        assert x == pytest.approx(float(truth), rel=1e-12, abs=1e-300)
    for x, truth in zip(got.u_weights, slopes, strict=True):
        least = float(distance / mpmath.mpf(float(a.sum())))
        assert x == pytest.approx(float(truth), rel=1e-11, abs=max(1e-12 * least, 1e-315))
    certificate = plan.certificate()
    if power < Fraction(2) ** 1023 and power > Fraction(2) ** -1000:
        assert plan.cost == pytest.approx(float(power), rel=1e-12)
        assert certificate.dual == pytest.approx(float(power), rel=1e-10)
    else:
        assert plan.cost == (math.inf if power > 1 else pytest.approx(float(power), abs=1e-300))
    assert not np.isnan([*plan.u_potential, *plan.v_potential, *certificate]).any()
    largest = np.abs([*plan.u_potential, *plan.v_potential]).max()
    if 1e-290 < largest < 1e300:
        slack = np.abs(u[:, None] - v) ** p - plan.u_potential[:, None] - plan.v_potential
        assert (slack >= -1e-12 * largest).all()


def test_small_distances_next_to_far_atoms():
    got = fastdiv.grad.wasserstein_distance([1e-200, 1.0], [0.0, 1.0], p=2)
    near(got.value, root(Fraction(1e-200) ** 2 / 2, 2))
    assert got.u_values[0] == pytest.approx(2**-0.5, rel=1e-15)
    assert fastdiv.transport_plan([1e-200, 1e300], [0.0, 1e300], p=2).distance == got.value


@pytest.mark.parametrize("p", [1, 1.5, 2, 7])
def test_distances_that_overflow(p):
    """|x - y| is beyond float64, W_p is not."""
    u, v, a, b = [-1.2e308, 1.2e308], [1.2e308], [1.0, 99.0], [3.0]
    truth = mpmath.mpf(1.2e308) * 2 * mpmath.mpf(1) / 100 ** (mpmath.mpf(1) / p)
    near(fastdiv.wasserstein_distance(u, v, a, b, p=p), truth)
    plan, got = fastdiv.transport_plan(u, v, a, b, p=p), fastdiv.grad.wasserstein_distance(u, v, a, b, p=p)
    near(plan.distance, truth)
    near(got.value, truth)
    assert got.u_values == pytest.approx([-(0.01 ** (1 / p)), 0], rel=1e-13)
    assert not np.isnan([*plan.u_potential, *plan.v_potential, *plan.certificate()]).any()
    assert np.isfinite([*got.u_weights, *got.v_weights]).all()


@pytest.mark.parametrize("scale", [2.0**-1060, 1e-300, 1e-160, 1e154, 1e160, 1e307])
@pytest.mark.parametrize("weighted", [False, True])
def test_energy_and_cramer_of_extreme_size(scale, weighted):
    u, v = np.array([1.0, 5.0, 2.0]) * scale, np.array([3.0, 1.5, 9.0, 4.0]) * scale
    w = (np.ones(3), np.ones(4)) if weighted else ()
    square = cramer_square([exact(x) for x in u], [exact(x) for x in v])
    near(fastdiv.cramer_distance(u, v, *w), root(square, 2), 1e-15)
    near(fastdiv.energy_distance(u, v, *w), root(2 * square, 2), 1e-15)
    if weighted:
        truth = root(wasserstein_power(u, v), 1)
        assert abs(float(fastdiv.wasserstein_distance(u, v, *w)) - float(truth)) <= 2 * np.spacing(
            float(truth)
        )


def test_energy_of_a_range_that_overflows():
    near(fastdiv.energy_distance([-1.7e308], [1.7e308]), root(4 * Fraction(1.7e308), 2), 1e-15)
    near(fastdiv.cramer_distance([-1.7e308], [1.7e308]), root(2 * Fraction(1.7e308), 2), 1e-15)
    for scale in (2.0**127, 2.0**-149):
        u, v = np.float32([-scale]), np.float32([scale])
        for got, factor in ((fastdiv.energy_distance(u, v), 4), (fastdiv.cramer_distance(u, v), 2)):
            assert got.dtype == np.float32
            assert got == np.float32(math.sqrt(factor * scale))


# ---- weights of extreme size ----------------------------------------------------------------------------
@pytest.mark.parametrize("n", [5, 3000])
def test_weights_times_a_power_of_two_change_nothing(n):
    rng = np.random.default_rng(n)
    u, v = rng.normal(size=n), rng.normal(size=n) + 0.5
    a, b = rng.integers(1, 1000, n).astype(float), rng.integers(1, 1000, n).astype(float)

    def all_of(a, b):
        results = [getattr(fastdiv, f"{name}_distance")(u, v, a, b) for name in ("energy", "cramer", "ks")]
        results += [fastdiv.wasserstein_distance(u, v, a, b, p=p) for p in (1, 2, 3.5, np.inf)]
        plan = fastdiv.transport_plan(u, v, a, b, p=2)
        return [*results, plan.distance, *plan.mass, *plan.u_potential, *plan.v_potential]

    plain = all_of(a, b)
    if n > 5:
        before = _wasserstein.set_cells_from(2**60, 2**60)
        try:
            by_sorting = fastdiv.wasserstein_distance(u, v, a, b)
        finally:
            _wasserstein.set_cells_from(*before)
        assert plain[3] == pytest.approx(by_sorting, rel=1e-14)
    for k, m in ((-1074, -1074), (-1074, 0), (1013, 0), (0, 1013), (-1030, 1013), (-500, 700)):
        assert all_of(np.ldexp(a, k), np.ldexp(b, m)) == plain


@pytest.mark.parametrize("scale", [5e-324, 1.0, 2.0**1013])
def test_w1_by_cells_against_fractions(scale):
    rng = np.random.default_rng(8)
    u, v = rng.normal(size=1500), rng.normal(size=1500) + 1.0
    a, b = rng.integers(0, 1000, 1500), rng.integers(0, 1000, 1500)
    got = fastdiv.wasserstein_distance(u, v, a * scale, b * scale)
    assert relative_error(got, wasserstein_power(u, v, a, b)) < 1e-15


def test_gradient_by_weights_of_extreme_size():
    u, v, a, b = [0.0, 1.0, 5.0], [2.5, 3.0], np.array([1.0, 4.0, 2.0]), np.array([3.0, 1.0])
    for p in (1, 1.5, 2, 4):
        plain = fastdiv.grad.wasserstein_distance(u, v, a, b, p=p)
        for k in (-1000, 1020, 1021):
            got = fastdiv.grad.wasserstein_distance(u, v, np.ldexp(a, k), np.ldexp(b, -1000), p=p)
            np.testing.assert_array_equal(got.u_values, plain.u_values)
            np.testing.assert_allclose(got.u_weights, np.ldexp(plain.u_weights, -k), rtol=1e-15, atol=1e-323)
            np.testing.assert_array_equal(got.v_weights, np.ldexp(plain.v_weights, 1000))
