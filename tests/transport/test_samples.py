"""wasserstein_distance against exact fractions, SciPy, and its own laws; and the door."""

import numpy as np
import pytest
from oracle_transport import relative_error, wasserstein_power
from scipy import stats

import fastdiv
from fastdiv import reference

RNG = np.random.default_rng(20261122)


@pytest.mark.parametrize("offset", [0.0, 1e9])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 7), (2, 3), (40, 40), (100, 77), (999, 1000)])
@pytest.mark.parametrize("weighted", [False, True])
def test_exact(n, m, offset, weighted):
    u, v = RNG.normal(size=n) + offset, RNG.normal(size=m) * 1.5 + offset
    a, b = (RNG.random(n), RNG.random(m)) if weighted else (None, None)
    got = fastdiv.wasserstein_distance(u, v, a, b)
    assert relative_error(got, wasserstein_power(u, v, a, b)) < 1e-14
    assert got == pytest.approx(stats.wasserstein_distance(u, v, a, b), rel=1e-6 if offset else 1e-11)
    assert got == pytest.approx(reference.wasserstein_distance(u, v, a, b), rel=1e-6 if offset else 1e-11)


def test_identical_distributions_are_at_exactly_zero():
    u = RNG.normal(size=1000)
    a = RNG.random(1000)
    order = RNG.permutation(1000)
    assert fastdiv.wasserstein_distance(u, u[order]) == 0
    assert fastdiv.wasserstein_distance(u, u[order], a, a[order]) == 0
    assert fastdiv.wasserstein_distance(u, u[order], a, 4 * a[order]) == 0
    assert fastdiv.wasserstein_distance(u, np.tile(u, 3)) == 0
    counts = RNG.integers(0, 9, 1000)
    assert fastdiv.wasserstein_distance(u, u, counts, 3 * counts) == 0
    assert fastdiv.wasserstein_distance(u, np.repeat(u, counts), counts, None) == 0
    assert fastdiv.wasserstein_distance(u, u, np.full(1000, 0.1), None) == 0


@pytest.mark.parametrize(
    ("u", "v", "a", "b", "expected"),
    [
        ([1, 2, np.inf], [1, 1], None, None, np.inf),
        ([1, 2, np.inf], [-np.inf, 1], None, None, np.inf),
        ([1, -np.inf, np.inf], [1, 1], None, None, np.inf),
        ([1, 2, np.inf], [np.inf, 1], None, None, np.nan),
        ([-np.inf, 2], [-np.inf, np.inf], None, None, np.nan),
        ([1, np.inf], [3], [1, 0], None, 2.0),
        ([1, np.nan], [3], None, None, np.nan),
        ([-1e308, 1e308], [-1e308, 1e308], None, None, 0.0),
        ([-1e308, 1e308], [1e308], None, None, 1e308),
        ([-1.7e308], [1.7e308], None, None, np.inf),
        ([5e-324, 0], [0, 0, 0, 0], None, None, 0.0),  # half the smallest number rounds to even
        ([0, 1], [0, 1], [1e308, 1e308], [0, 1e308], 0.5),
        ([0, 1], [0, 1], [5e-324, 5e-324], [0, 1], 0.5),
    ],
)
def test_extreme_values(u, v, a, b, expected):
    np.testing.assert_equal(float(fastdiv.wasserstein_distance(u, v, a, b)), expected)
    np.testing.assert_equal(float(reference.wasserstein_distance(u, v, a, b)), expected)


def test_integers_beyond_2_53_are_subtracted_as_integers():
    t = 1_700_000_000_000_000_000
    assert fastdiv.wasserstein_distance([t], [t + 100]) == 100
    far = np.array([-(2**63), 2**63 - 1])
    near = np.array([-(2**63) + 1, 2**63 - 1])
    assert fastdiv.wasserstein_distance(far, near) == 0.5
    assert fastdiv.wasserstein_distance(np.uint64(2**64 - 1) * np.ones(1, np.uint64), [2**63]) == 2.0**63
    assert fastdiv.wasserstein_distance([t, 0], [t + 1, 1], [1, 3], [1, 3]) == 1


def test_batches_broadcast_along_any_axis():
    u, v = RNG.normal(size=(3, 1, 20)), RNG.normal(size=(4, 15))
    got = fastdiv.wasserstein_distance(u, v)
    assert got.shape == (3, 4)
    assert got[2, 1] == fastdiv.wasserstein_distance(u[2, 0], v[1])
    assert fastdiv.wasserstein_distance(u, v, keepdims=True).shape == (3, 4, 1)
    first = fastdiv.wasserstein_distance(np.moveaxis(u, -1, 0), np.moveaxis(v, -1, 0)[:, None], axis=0)
    np.testing.assert_array_equal(first, got)
    assert fastdiv.wasserstein_distance(np.zeros((0, 5)), np.zeros(3)).shape == (0,)


def test_nan_policy():
    u = np.array([[0.0, np.nan, 1.0], [1.0, 2.0, 3.0]])
    v = np.array([0.5, np.nan])
    assert np.isnan(fastdiv.wasserstein_distance(u, v)).all()
    got = fastdiv.wasserstein_distance(u, v, nan_policy="omit")
    np.testing.assert_array_equal(got, [0.5, 1.5])
    weighted = fastdiv.wasserstein_distance(u, v, [1, 1, 3], [1, 1], nan_policy="omit")
    np.testing.assert_allclose(weighted, [0.5, 1.9], rtol=1e-15)
    with pytest.raises(ValueError, match=r"u_values has a missing value: u_values\[0, 1\] = nan"):
        fastdiv.wasserstein_distance(u, [1.0], nan_policy="raise")
    assert np.isnan(fastdiv.wasserstein_distance([np.nan], [1.0], nan_policy="omit"))


def test_dtypes():
    u, v = RNG.normal(size=20).astype(np.float32), RNG.normal(size=30).astype(np.float32)
    got = fastdiv.wasserstein_distance(u, v)
    assert got.dtype == np.float32
    assert got == np.float32(fastdiv.wasserstein_distance(u.astype(float), v.astype(float)))
    assert fastdiv.wasserstein_distance([True, False], np.float16([2])) == 1.5
    swapped = u.astype(">f8")[::-1]
    swapped.flags.writeable = False
    assert fastdiv.wasserstein_distance(swapped, v) == fastdiv.wasserstein_distance(u.astype(float), v)


def test_samples_that_do_not_broadcast():
    for twin in (fastdiv, reference):
        with pytest.raises(ValueError, match="do not broadcast"):
            twin.wasserstein_distance([[1], [2]], [[1], [2], [3]])


def test_histogram_on_points():
    assert fastdiv.wasserstein_hist([1, 0, 0], [0, 0, 1], support=[0.0, 1.0, 5.0]) == 5
    u, v = RNG.random((6, 30)), RNG.random((6, 30))
    x = RNG.normal(size=30)
    got = fastdiv.wasserstein_hist(u, v, support=x)
    for i in range(6):
        assert got[i] == pytest.approx(stats.wasserstein_distance(x, x, u[i], v[i]), rel=1e-10)
    np.testing.assert_array_equal(fastdiv.wasserstein_hist(u.T, v.T, support=x, axis=0), got)


@pytest.mark.parametrize("epsilon", [1.0, 1e-4, 1e-8, 1e-12])
def test_small_differences_of_mass_keep_their_digits(epsilon):
    x = RNG.normal(size=400) + 1e9
    a = RNG.random(400)
    b = a * (1 + epsilon * RNG.random(400))
    got = fastdiv.wasserstein_distance(x, x, a, b)
    assert relative_error(got, wasserstein_power(x, x, a, b)) < 1e-14


@pytest.mark.parametrize("shift", [-1000, -500, 500, 896, 902, 1000, 1019])
@pytest.mark.parametrize(("n", "m"), [(7, 5), (300, 300), (5000, 3000)])
def test_samples_times_a_power_of_two(n, m, shift):
    """Up to where a gap times a difference of counts is no double any more."""
    rng = np.random.default_rng(n)
    u, v, w = rng.normal(size=n), rng.normal(size=m) + 0.3, rng.random(n)
    for weights in ((), (w,)):
        for name, degree in (("wasserstein", 1), ("energy", 0.5), ("cramer", 0.5), ("ks", 0)):
            distance = getattr(fastdiv, f"{name}_distance")
            near, far = distance(u, v, *weights), distance(u * 2.0**shift, v * 2.0**shift, *weights)
            assert far == pytest.approx(near * 2.0 ** (degree * shift), rel=1e-14), (name, len(weights))
