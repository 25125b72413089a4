"""Matrices and neighbours of rows of samples: of two sizes, missing ones, sums that overflow."""

import numpy as np
import pytest

import fastdiv


@pytest.mark.parametrize("p", [1, 2, np.inf])
@pytest.mark.parametrize("dtype", ["f4", "f8", "i8"])
def test_rows_of_samples_of_two_sizes(p, dtype):
    rng = np.random.default_rng(4)
    A, B = (10 * rng.normal(size=(5, 30))).astype(dtype), (10 * rng.normal(size=(7, 41))).astype(dtype)
    got = fastdiv.cdist(A, B, "wasserstein", samples=True, p=p)
    expected = [[fastdiv.wasserstein_distance(a, b, p=p) for b in B] for a in A]
    np.testing.assert_allclose(got, expected, rtol=2e-7 if dtype == "f4" else 1e-13)
    np.testing.assert_array_equal(got, fastdiv.cdist(B, A, "wasserstein", samples=True, p=p).T)


@pytest.mark.parametrize("p", [1, 2])
def test_neighbours_of_samples_of_two_sizes(p):
    rng = np.random.default_rng(0)
    XA, XB = rng.normal(size=(9, 30)), np.repeat(rng.normal(size=(20, 45)), 2, axis=0)
    XB[7] = np.nan
    matrix = fastdiv.cdist(XA, XB, "wasserstein", samples=True, p=p)
    order = np.argsort(matrix, axis=1, kind="stable")
    distances, indices = fastdiv.knn(XA, XB, 40, "wasserstein", samples=True, p=p)
    assert np.array_equal(indices, order)
    assert np.array_equal(distances, np.take_along_axis(matrix, order, 1), equal_nan=True)


def test_missing_samples_of_two_sizes():
    A, B = np.arange(6.0).reshape(2, 3), np.arange(8.0).reshape(2, 4)
    A[1, 2] = np.nan
    got = fastdiv.cdist(A, B, "wasserstein", samples=True)
    assert np.isnan(got[1]).all()
    assert np.isfinite(got[0]).all()
    with pytest.raises(ValueError, match="XA has a missing value"):
        fastdiv.cdist(A, B, "wasserstein", samples=True, nan_policy="raise")


def test_samples_whose_sums_overflow():
    X = np.full((3, 64), 1e308)
    X[1] *= -0.5
    X[2, :32] = 0.0
    expected = [[fastdiv.wasserstein_distance(x, y) for y in X] for x in X]
    np.testing.assert_allclose(fastdiv.cdist(X, X.copy(), "wasserstein", samples=True), expected, rtol=1e-13)
    X = 1e307 + 1e304 * np.random.default_rng(0).standard_normal((200, 1024))
    square = fastdiv.cdist(X, X.copy(), "wasserstein", samples=True)
    order = np.argsort(square, axis=1, kind="stable")[:, :5]
    assert np.array_equal(fastdiv.knn(X, X, 5, "wasserstein", samples=True)[1], order)
