"""What the door of transport might lose before a loop sees it: integers beside fractions, float32, sums."""

from fractions import Fraction

import numpy as np
import pytest

import fastdiv
from fastdiv import reference

T = 1_700_000_000_000_000_000
BOTH = pytest.mark.parametrize("library", [fastdiv, reference], ids=["fast", "twin"])


def mean_round_the_circle(u, y, period):
    """W_1 against one point."""
    u, y, turn = [Fraction(x) for x in np.asarray(u).tolist()], Fraction(y), Fraction(period)
    return sum(min((x - y) % turn, (y - x) % turn) for x in u) / len(u)


@BOTH
@pytest.mark.parametrize("period", [360, 360.0, 3_600_000_000_000, 7.5, 0.1, 2**53 + 1, 2 * np.pi])
def test_integers_beside_fractions_on_a_circle(library, period):
    """A rounding of the integer would be one of the turn, not of the distance."""
    for u in ([T + 1, T + 7], np.array([2**64 - 1, 3], np.uint64), np.array([-(2**63), 2**53 + 1])):
        for y in (0.5, -3.25):
            want = float(mean_round_the_circle(u, y, period))
            for dtype in (np.float64, np.float32):
                got = library.wasserstein_circle(u, np.array([y], dtype), period=period)
                assert got == pytest.approx(want, rel=1e-14)


@BOTH
def test_integers_of_any_range_on_a_circle(library):
    far = np.array([2**64 - 1], np.uint64)
    assert library.wasserstein_circle([-5], far, period=360) == 20
    assert library.wasserstein_circle(np.array([-5], np.int8), far, period=360) == 20
    assert library.wasserstein_circle([True, False], [3], period=2) == 0.5


@BOTH
def test_fractions_in_one_coordinate_leave_the_others(library):
    near = fastdiv.sliced_wasserstein([[1, 0]], [[0, 0.5]], seed=1)
    assert library.sliced_wasserstein([[T + 1, 0]], [[float(T), 0.5]], seed=1) == pytest.approx(
        near, rel=1e-12
    )
    assert library.sliced_wasserstein([[float(T), 0.5]], [[T + 1, 0]], seed=1) == pytest.approx(
        near, rel=1e-12
    )


@BOTH
def test_what_float32_does_not_hold_is_inf(library):
    """Without a warning."""
    u, v = np.float32([[-3e38, -3e38]]), np.float32([[3e38, 3e38]])
    for p in (1, 2, np.inf):
        assert library.wasserstein_distance(u, v, p=p).tolist() == [np.inf]
    a, b = np.float32([1, 0]), np.float32([0, 1])
    assert float(library.wasserstein_hist(a, b, support=[-3e38, 3e38])) > 5e38


def test_results_of_float32_histograms_are_float32():
    a, b = np.float32([1, 0]), np.float32([0, 1])
    got = fastdiv.wasserstein_hist(a, b, support=[-3e38, 3e38])
    assert (got, got.dtype) == (np.inf, np.float32)
    knn = fastdiv.knn(np.float32([[-3e38]]), np.float32([[3e38], [0]]), 2, "wasserstein", samples=True)
    assert knn[0].tolist() == [[np.float32(3e38), np.inf]]


@BOTH
def test_masses_whose_sum_is_beyond_float64(library):
    for scale in (1.0, 1e308):
        a, b = np.array([1.2, 1.2, 0]) * scale, np.array([0, 1.2, 1.2]) * scale
        for options in ({}, {"bin_edges": [0, 1, 2, 3]}):
            got = library.wasserstein_hist(a, b, p=2, normalize=False, **options)
            assert got == pytest.approx(2.4**0.5 * scale**0.5, rel=1e-14)
    if library is fastdiv:
        with pytest.raises(ValueError, match=r"u has 1\.19.*e\+308 and v has 5\.99.*e\+307"):
            library.wasserstein_hist([1.2e308, 0], [0, 6e307], normalize=False)


NONE = float("nan")


@pytest.mark.parametrize("lost", [NONE, np.inf, -np.inf])
@pytest.mark.parametrize("size", [2, 3])
def test_integers_beside_floats_of_which_some_are_missing(lost, size):
    """A frame makes floats of whole numbers where one is missing: the others are still whole."""
    u = np.array([[T + 1, T + 7], [T + 5, T + 300]])
    v = np.float64([[T, T + 256, T + 512][:size], [T, lost, T + 256][:size]])
    for p in (1, 2, np.inf):
        found = fastdiv.cdist(u, v, "wasserstein", samples=True, p=p)
        spelled = [[T, T + 256, T + 512][:size]]
        assert np.array_equal(found[:, :1], fastdiv.cdist(u, spelled, "wasserstein", samples=True, p=p))
        assert not np.isfinite(found[:, 1]).any()
        for library in (fastdiv, reference):
            rows = library.wasserstein_distance(u, v[0], p=p)
            assert np.allclose(rows, found[:, 0], rtol=1e-14)
            rows = library.wasserstein_distance(u, v, p=p, axis=1) if size == 2 else None
            assert rows is None or not np.isfinite(rows[1])
        distances, where = fastdiv.knn(v, u, 1, "wasserstein", samples=True, p=p)
        assert distances[0, 0] == found[:, 0].min()
        assert where[0, 0] == found[:, 0].argmin()
    kept = fastdiv.wasserstein_distance([T + 1, T + 7], [T, lost, T + 256], [1, 1], [1, 0, 1])
    assert kept == (1 + 249) / 2 if lost == lost else np.isnan(kept)
    for name in ("wasserstein", "energy", "cramer", "ks"):
        call = getattr(fastdiv, f"{name}_distance")
        got = call([T + 1, T + 7], [NONE, float(T), T + 256.0], nan_policy="omit")
        assert got == pytest.approx(call([T + 1, T + 7], [T, T + 256]), rel=1e-15)


def test_float32_results_of_two_sizes_of_samples():
    far = fastdiv.cdist(np.float32([[-3e38]]), np.float32([[3e38, 3e38]]), "wasserstein", samples=True)
    assert far.tolist() == [[np.inf]]
    from fastdiv import knn

    assert knn(np.float32([[-3e38]]), np.float32([[3e38, 3e38]]), 1, "wasserstein", samples=True)[0] == np.inf


@pytest.mark.parametrize("dtype", [">i8", ">u8", "<i8", "<u8"])
def test_integers_of_either_byte_order_beside_whole_floats(dtype):
    u = np.array([T + 1], dtype)
    assert fastdiv.wasserstein_distance(u, [float(T)]) == 1
    assert fastdiv.wasserstein_distance([float(T)], u, p=2) == 1
    assert fastdiv.cdist(u[None], [[float(T)]], "wasserstein", samples=True)[0, 0] == 1


@pytest.mark.parametrize("dtype", [np.int64, np.uint64])
@pytest.mark.parametrize(
    "v",
    [
        [-(2.0**63), 2.0**63 - 1024],
        [-1.0, 2.0**63],
        [-1.0, 1.5 * 2.0**63],
        [-1.5 * 2.0**63, 1.0],
        [1.0, 2.0**64 - 2048],
        [1.0, 2.0**64],
        [1.0, 3.0 * 2.0**64],
    ],
)
def test_whole_floats_at_the_ends_of_integers(v, dtype):
    """What no integer of 64 bits holds is compared as a float."""
    u = [T + 1, T + 7]
    truth = sum(abs(Fraction(x) - Fraction(y)) for x, y in zip(u, v, strict=True)) / 2
    for library in (fastdiv, reference):
        found = [
            library.wasserstein_distance(np.array(u, dtype), v),
            library.wasserstein_distance(v, np.array(u, dtype)),
        ]
        assert found == pytest.approx([float(truth)] * 2, rel=1e-14)
    for library in (fastdiv, reference):
        found = library.cdist(np.array([u], dtype), [v], "wasserstein", samples=True)
        assert found == pytest.approx(float(truth), rel=1e-14)
        other = [[-0.5, 3.0], v]  # a row with fractions makes no other one a row of floats
        found = library.cdist(other, np.array([u], dtype), "wasserstein", samples=True)
        assert found[1] == pytest.approx(float(truth), rel=1e-14)
