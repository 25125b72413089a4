"""Sums of absolute differences and products in tiles: a pair's bits are its own wherever it stands, at every
length around the blocks that bins are cut into, and right on every instruction set."""

import numpy as np
import pytest

import fastdiv

LENGTHS = [1, 17, 511, 512, 513, 1024, 2049, 4700]


@pytest.mark.parametrize("bins", LENGTHS)
@pytest.mark.parametrize("metric", ["total_variation", "wasserstein", "samples", "kl_divergence"])
def test_a_pair_stands_alone(metric, bins, level):
    rng = np.random.default_rng(bins)
    A, B = rng.standard_exponential((5, bins)), rng.standard_exponential((11, bins))
    options = {"metric": metric}
    if metric == "samples":
        options = {"metric": "wasserstein", "samples": True}
    whole = fastdiv.cdist(A, B, **options)
    for i, j in ((0, 0), (2, 3), (3, 9), (4, 10)):
        assert whole[i, j] == fastdiv.cdist(A[i : i + 1], B[j : j + 1], **options)[0, 0]
    np.testing.assert_array_equal(fastdiv.cdist(A[::-1], B[::-1], **options), whole[::-1, ::-1])
    truth = fastdiv.reference.cdist(A[:1], B[:3], **options)
    np.testing.assert_allclose(whole[:1, :3], truth, rtol=1e-12, atol=1e-30)


@pytest.mark.parametrize("bins", [700, 2500])
@pytest.mark.parametrize("metric", ["total_variation", "wasserstein"])
def test_neighbours_are_those_of_the_matrix(metric, bins):
    rng = np.random.default_rng(0)
    A, B = rng.standard_exponential((6, bins)), rng.standard_exponential((150, bins))
    matrix = fastdiv.cdist(A, B, metric=metric)
    values, where = fastdiv.knn(A, B, 5, metric=metric)
    np.testing.assert_array_equal(values, np.sort(matrix, axis=1)[:, :5])
    np.testing.assert_array_equal(np.take_along_axis(matrix, where, 1), values)
