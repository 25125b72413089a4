"""Points without mass far from a cloud: neither its value nor its derivatives lose digits to them."""

import numpy as np
import pytest

import fastdiv
import fastdiv.grad

RNG = np.random.default_rng(20261128)
X = 1e9 + RNG.integers(0, 64, (5, 2)) * 2.0**-10
Y = 1e9 + RNG.integers(0, 64, (6, 2)) * 2.0**-10
A = np.array([1.0, 2.0, 1.0, 1.0, 3.0])


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize("far", [0.0, 2.0**40, -1e200, 1.7e308])
def test_far_points_without_mass(far, p):
    options = {"p": p, "seed": 0, "n_projections": 8}
    alone = fastdiv.grad.sliced_wasserstein(X, Y, A, **options)
    points, weights = np.vstack([[[far, -far]], X]), np.append(0.0, A)
    first = fastdiv.grad.sliced_wasserstein(points, Y, weights, **options)
    second = fastdiv.grad.sliced_wasserstein(Y, points, None, weights, **options)
    assert first.value == pytest.approx(fastdiv.sliced_wasserstein(points, Y, weights, **options), rel=1e-14)
    for value, by_x, by_y, by_a, by_b in (
        (first.value, first.X, first.Y, first.X_weights, first.Y_weights),
        (second.value, second.Y, second.X, second.Y_weights, second.X_weights),
    ):
        assert value == pytest.approx(alone.value, rel=1e-14)
        np.testing.assert_allclose(by_x[1:], alone.X, rtol=0, atol=1e-13)
        np.testing.assert_allclose(by_y, alone.Y, rtol=0, atol=1e-13)
        for ours, right in ((by_a[1:], alone.X_weights), (by_b, alone.Y_weights)):
            np.testing.assert_allclose(ours, right, rtol=0, atol=1e-12 * np.abs(right).max())
        assert not by_x[0].any()
        assert by_a[0] > 0


@pytest.mark.parametrize("scale", [1e-300, 1e300])
def test_no_nan_where_a_point_without_mass_leaves_the_range(scale):
    points = np.vstack([X * 1e-9, [[1e308, -1e308]]])
    points[:-1] *= scale
    got = fastdiv.grad.sliced_wasserstein(points, Y * 1e-9 * scale, np.append(A, 0.0), seed=1)
    assert not any(np.isnan(x).any() for x in got[1:])
    assert got.X_weights[-1] > 0
    assert not got.X[-1].any()


def test_integers_far_from_a_point_without_mass():
    """2^62 is subtracted as an integer, whatever has no mass."""
    base = 2**62
    u, v = np.array([[base + 1, base + 5], [base + 2, base]]), np.array([[base + 4, base + 1]])
    near = fastdiv.grad.sliced_wasserstein(u - base, v - base, [1, 2], seed=2)
    far = fastdiv.grad.sliced_wasserstein(np.vstack([u, [[-5, 0]]]), v, [1, 2, 0], seed=2)
    assert far.value == pytest.approx(near.value, rel=1e-14)
    np.testing.assert_allclose(far.X[:2], near.X, rtol=1e-13)
