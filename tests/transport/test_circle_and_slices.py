"""Gradients on the circle and along random directions: an exact oracle, laws, kinks and mistakes."""

import mpmath
import numpy as np
import oracle_slopes
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import check_grad, minimize

import fastdiv
import fastdiv.grad
from fastdiv._clouds import directions

RNG = np.random.default_rng(20261127)
U, V, A, B = RNG.random(5), RNG.random(3), RNG.random(5), RNG.random(3)
T = 2**60
CIRCLES = {
    "weighted": (U, V, A, B, 1.0),
    "one size": (V, RNG.random(3), B, RNG.random(3), 1.0),
    "across the cut": ([-1e-9, -2e-9, 359.0], [1e-9, 3e-9], [1.0, 2.0, 0.5], [1.5, 0.25], 360.0),
    "many turns away": (U * 7 - 3, V * 900, A, B, 2 * np.pi),
    "nearly the same": (V, V * (1 + 1e-13), B, B * (1 + RNG.random(3) * 1e-13), 1.0),
    "wide weights": (U, V, 10.0 ** RNG.uniform(-15, 15, 5), 10.0 ** RNG.uniform(-15, 15, 3), 1.0),
    "a point without mass": (U, V, [1, 0, 2, 0.7, 0], [0, 0.3, 1.1], 1.0),
    "integers": ([T + 1, T + 70, T - 3], [T + 500, T - 9, T + 40], [1.0, 2.5, 1.25], [3.0, 1.0, 0.5], 1000),
    "tiny": (U * 1e-290, V * 1e-290, A, B, 1e-290),
    "huge": (U * 1e305, V * 1e305, A * 1e-2, B * 1e200, 1e305),
}


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize("case", CIRCLES)
def test_circle_exactly(case, p):
    *x, period = CIRCLES[case]
    truth = oracle_slopes.circle(*x, period, p)
    got = fastdiv.grad.wasserstein_circle(*x, period=period, p=p)
    assert got.value == pytest.approx(fastdiv.wasserstein_circle(*x, period=period, p=p), rel=4e-16)
    assert abs(float(got.value / truth[0] - 1)) < 1e-13
    with mpmath.workdps(60):
        for ours, right in zip(got[1:], truth[1:], strict=True):
            scale = max(map(abs, right))
            assert all(abs(float((g - t) / scale)) < 1e-12 for g, t in zip(ours.tolist(), right, strict=True))


@pytest.mark.parametrize("p", [1, 2, 2.5])
def test_circle_by_scipy(p):
    u, v = RNG.random(9), RNG.random(9)  # of one size: levels meet at every point

    def value(x):
        return fastdiv.wasserstein_circle(x, v, p=p)

    def slope(x):
        return fastdiv.grad.wasserstein_circle(x, v, p=p).u_values

    assert check_grad(value, slope, u) < 1e-6
    g = fastdiv.grad.wasserstein_circle(u, v, p=p)
    assert abs(g.u_weights.sum()) < 1e-14
    for k in range(9):  # of two one-sided derivatives by a weight one is above, one below
        ends = []
        for h in (-1e-6, 1e-6):
            a = np.ones(9)
            a[k] += h
            ends.append((fastdiv.wasserstein_circle(u, v, a, p=p) - g.value) / h)
        assert min(ends) - 1e-5 <= g.u_weights[k] <= max(ends) + 1e-5


places = st.lists(st.integers(0, 63), min_size=1, max_size=7)


@settings(deadline=None, max_examples=60)
@given(places, places, st.sampled_from([1, 1.5, 2, 4]), st.integers(-200, 200), st.randoms())
def test_circle_laws(u, v, p, shift, random):
    a, b = ([random.randint(0, 3) for _ in x] for x in (u, v))
    a[0], b[0] = 1, 2
    got = fastdiv.grad.wasserstein_circle(u, v, a, b, period=64, p=p)
    size = np.abs([*got.u_values, *got.v_values]).max()
    assert abs(got.u_values.sum() + got.v_values.sum()) <= 1e-13 * size
    assert abs(got.u_weights @ a) <= 1e-13 * np.abs(got.u_weights).max() * sum(a)
    turned = fastdiv.grad.wasserstein_circle(v, u, b, a, period=64, p=p)
    assert turned.value == pytest.approx(got.value, rel=1e-14)
    again = fastdiv.grad.wasserstein_circle(u + u, v, a + a, b, period=64, p=p)
    assert again.value == pytest.approx(got.value, rel=1e-13)
    other = fastdiv.grad.wasserstein_circle(
        [x + shift for x in u], [x + shift for x in v], a, b, period=64, p=p
    )
    assert other.value == pytest.approx(got.value, rel=1e-13)
    larger = fastdiv.grad.wasserstein_circle([8 * x for x in u], [8 * x for x in v], a, b, period=512, p=p)
    np.testing.assert_allclose(larger.u_values, got.u_values, rtol=1e-13)
    np.testing.assert_allclose(larger.v_weights, 8 * got.v_weights, rtol=1e-13)


def test_circle_as_on_the_line():
    """Short of a half turn the circle is a line."""
    u, v = RNG.random(8) * 0.2, RNG.random(5) * 0.2
    a, b = RNG.random(8), RNG.random(5)
    for p in (1, 1.5, 3):
        ours, line = (
            fastdiv.grad.wasserstein_circle(u, v, a, b, p=p),
            fastdiv.grad.wasserstein_distance(u, v, a, b, p=p),
        )
        for x, y in zip(ours[1:3], line[1:3], strict=True):
            np.testing.assert_allclose(x, y, rtol=1e-12)


def test_both_ends_of_the_cut_are_one_point():
    g = fastdiv.grad.wasserstein_circle([0.5, -0.5, 0.1], [0.45, 0.3])
    assert g.u_values[0] == g.u_values[1]
    assert g.u_weights[0] == g.u_weights[1]


def test_circle_at_rest_and_single():
    g = fastdiv.grad.wasserstein_circle(U, U[::-1], p=2)
    assert g.value == 0
    assert not any(x.any() for x in g[1:])
    g = fastdiv.grad.wasserstein_circle(np.float32([0.9]), np.float32([0.1]))
    assert g.u_values.dtype == np.float32
    assert g.u_values.tolist() == [-1]
    assert g.v_values.tolist() == [1]


CLOUDS = {
    "weighted": (RNG.normal(size=(6, 3)), RNG.normal(size=(5, 3)), RNG.random(6), RNG.random(5)),
    "equal weights": (RNG.normal(size=(6, 2)), RNG.normal(size=(6, 2)), None, None),
    "far": (
        1e9 + np.array([[0, 0], [2.0**-10, 1]]),
        1e9 + np.array([[2.0**-10, 0.25], [0.5, 2]]),
        None,
        [1, 2],
    ),
    "a point without mass": (RNG.normal(size=(4, 2)), RNG.normal(size=(3, 2)), [1, 0, 2, 0.5], [0.3, 1, 0]),
    "huge": (RNG.normal(size=(4, 2)) * 1e300, RNG.normal(size=(3, 2)) * 1e300, [1, 4, 2, 0.5], None),
}


@pytest.mark.parametrize("p", [1, 1.5, 2, 7])
@pytest.mark.parametrize("case", CLOUDS)
def test_sliced_exactly(case, p):
    X, Y, a, b = CLOUDS[case]
    count, seed = 9, 5
    got = fastdiv.grad.sliced_wasserstein(X, Y, a, b, n_projections=count, p=p, seed=seed)
    assert got.value == pytest.approx(
        fastdiv.sliced_wasserstein(X, Y, a, b, n_projections=count, p=p, seed=seed), rel=1e-14
    )
    exact = oracle_slopes.exact
    drawn = directions(count, X.shape[1], seed)
    with mpmath.workdps(60):
        rows = []
        for way in drawn.tolist():
            seen = [
                [sum(exact(t) * exact(x) for t, x in zip(way, z, strict=True)) for z in s.tolist()]
                for s in (X, Y)
            ]
            rows.append(oracle_slopes.wasserstein(*seen, a, b, p=p))
        SW = mpmath.power(sum(W ** mpmath.mpf(p) for W, *_ in rows) / count, 1 / mpmath.mpf(p))
        assert abs(float(got.value / SW - 1)) < 1e-13
        pulls = [(W / SW) ** (mpmath.mpf(p) - 1) / count for W, *_ in rows]
        for k in (0, 1):
            by_points, by_weights = got[k + 1], got[k + 3]
            largest = max(
                abs(sum(f * r[k + 1][2][i] for f, r in zip(pulls, rows, strict=True)))
                for i in range(len(by_weights))
            )
            for i, slopes in enumerate(by_points.tolist()):
                for j, slope in enumerate(slopes):
                    parts = [
                        f * r[k + 1][0][i] * way[j]
                        for f, r, way in zip(pulls, rows, drawn.tolist(), strict=True)
                    ]
                    sizes = [
                        f * r[k + 1][1][i] * abs(way[j])
                        for f, r, way in zip(pulls, rows, drawn.tolist(), strict=True)
                    ]
                    assert abs(slope - sum(parts)) <= 1e-12 * sum(sizes)
                right = sum(f * r[k + 1][2][i] for f, r in zip(pulls, rows, strict=True))
                assert abs(by_weights[i] - right) <= 1e-12 * largest


def test_sliced_in_one_dimension_is_the_line():
    u, v, a, b = CLOUDS["weighted"][0][:, 0], CLOUDS["weighted"][1][:, 0], *CLOUDS["weighted"][2:]
    for p in (1, 2, 3):
        ours = fastdiv.grad.sliced_wasserstein(u[:, None], v[:, None], a, b, n_projections=5, p=p)
        line = fastdiv.grad.wasserstein_distance(u, v, a, b, p=p)
        for x, y in zip(ours[1:], line[1:], strict=True):
            np.testing.assert_allclose(x.reshape(-1), y, rtol=1e-11, atol=1e-14)


def test_sliced_far_from_the_origin():
    """To the bit where both clouds are moved by what they can be moved by without rounding."""
    X, Y = [[0.0, 0.0], [2.0, 1.0]], [[2.0**-10, 0.0], [5.0, 3.0]]
    near = fastdiv.grad.sliced_wasserstein(X, Y, p=1.5, seed=1)
    far = fastdiv.grad.sliced_wasserstein(np.add(X, 1e9), np.add(Y, 1e9), p=1.5, seed=1)
    for x, y in zip(near, far, strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-14)


@pytest.mark.parametrize("d", [2, 3, 7, 16, 33])
def test_equal_points_have_equal_projections(d):
    """A cloud in another order is 0 away from itself: a product of matrices rounds by where a point is."""
    for n in (3, 9, 21, 50):
        X = RNG.normal(size=(n, d))
        for p in (1, 2):
            assert fastdiv.sliced_wasserstein(X, X[RNG.permutation(n)], p=p) == 0
        g = fastdiv.grad.sliced_wasserstein(X, X[RNG.permutation(n)], p=1)
        assert g.value == 0
        assert not any(x.any() for x in g[1:])
        # at points that stay nothing pulls but at the one that moves
        Y = np.array(X[::-1])
        Y[0, 0] += 2.0
        g = fastdiv.grad.sliced_wasserstein(np.concatenate([X, X]), np.concatenate([Y, Y]), p=2, seed=0)
        # (its sum over directions is a product of matrices, too, which some BLAS round by where a row is)
        np.testing.assert_allclose(g.X[:n], g.X[n:], rtol=1e-13, atol=1e-16)


def test_sliced_blocks_of_directions(monkeypatch):
    whole = fastdiv.grad.sliced_wasserstein(*CLOUDS["weighted"], seed=3)
    monkeypatch.setattr("fastdiv.grad._transport.BLOCK", 8 * 50)
    for x, y in zip(whole, fastdiv.grad.sliced_wasserstein(*CLOUDS["weighted"], seed=3), strict=True):
        np.testing.assert_allclose(x, y, rtol=1e-12, atol=1e-15)


def test_sliced_infinite_point_without_mass():
    g = fastdiv.grad.sliced_wasserstein([[np.inf, 0], [1, 2]], [[3.0, 1.0]], [0, 1])
    assert g.X[0].tolist() == [0, 0]
    assert g.X_weights.tolist() == [np.inf, 0]
    g = fastdiv.grad.sliced_wasserstein(np.float32([[1, 2]]), np.float32([[3.0, 1.0]]))
    assert {x.dtype for x in g[1:]} == {np.dtype(np.float32)}


def test_sliced_descends():
    """A cloud finds another of a law, as an optimiser takes it there."""
    goal, start = RNG.normal(size=(40, 2)) @ [[2, 0], [1, 0.5]] + 3, RNG.normal(size=(40, 2))

    def loss(x):
        g = fastdiv.grad.sliced_wasserstein(x.reshape(-1, 2), goal, seed=0, n_projections=32)
        return g.value**2, 2 * g.value * g.X.reshape(-1)

    found = minimize(loss, start.reshape(-1), jac=True, method="L-BFGS-B")
    assert found.fun < 1e-3 * loss(start.reshape(-1))[0]


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda g: g.wasserstein_circle([0.1], [np.nan]), "v_values must be finite"),
        (lambda g: g.wasserstein_circle([[0.1]], [[0.2]]), "one pair of samples"),
        (lambda g: g.wasserstein_circle([0.1], [0.2], period=0), "period must be"),
        (lambda g: g.wasserstein_circle([0.1], [0.2], p=np.inf), "p must be finite"),
        (lambda g: g.sliced_wasserstein([[1.0, np.nan]], [[1.0, 2.0]]), "it has no gradient"),
        (
            lambda g: g.sliced_wasserstein([[1.0, np.inf]], [[1.0, 2.0]]),
            "sliced_wasserstein is .*it has no gradient",
        ),
        (lambda g: g.sliced_wasserstein([[1.0]], [[1.0, 2.0]]), "X has 1 dimensions, Y has 2"),
        (lambda g: g.sliced_wasserstein([[1.0]], [[1.0]], p=np.inf), "p must be"),
        (lambda g: g.sliced_wasserstein([[1.0]], [[1.0]], [1, 2]), "X_weights"),
    ],
)
def test_mistakes(call, sentence):
    with pytest.raises(ValueError, match=sentence):
        call(fastdiv.grad)
