"""Jensen-Shannon of few bins: a row to a lane (few_loops.h). Right, the same bits in and out of a tile."""

import numpy as np
import pytest

import fastdiv
from fastdiv import reference
from fastdiv.matrix import cdist, knn, pdist


def rows_of(n_bins: int, n_rows: int, seed: int) -> np.ndarray:
    """Rows far and near, with empty bins, disjoint ones and equal ones among them."""
    rng = np.random.default_rng(seed)
    rows = rng.dirichlet(np.full(n_bins, 0.7), n_rows)
    rows[1::5] = rows[0] * (1 + 1e-6 * rng.normal(size=rows[1::5].shape))
    rows[2::7, 0] = 0.0
    rows[3] = rows[0] * 3.0
    rows[4] = 0.0
    rows[4, -1] = 2.0
    rows[5] = 0.0
    rows[5, 0] = 1.0
    rows[rows.sum(axis=1) == 0.0] = 1.0
    return rows


@pytest.mark.parametrize(("dtype", "bound"), [(np.float64, 1e-12), (np.float32, 5e-6)])
@pytest.mark.parametrize("metric", ["js_divergence", "js_distance"])
def test_against_the_twin(metric: str, dtype: type, bound: float, level: str) -> None:
    for n_bins in [*range(1, 27), 31, 32, 33]:
        A, B = rows_of(n_bins, 19, n_bins).astype(dtype), rows_of(n_bins, 37, 50 + n_bins).astype(dtype)
        B[:3] = A[:3]
        right = getattr(reference, metric)(A[:, None, :].astype(float), B[None].astype(float))
        ours = cdist(A, B, metric)
        assert ours.dtype == dtype
        np.testing.assert_allclose(ours, right, rtol=bound, atol=1e-30, err_msg=f"{n_bins} bins")


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_a_pair_has_the_same_bits_wherever_it_stands(dtype: type, level: str) -> None:
    for n_bins in [1, 2, 3, 4, 5, 8, 9, 15, 16, 17, 23, 24, 25]:
        A, B = rows_of(n_bins, 18, n_bins).astype(dtype), rows_of(n_bins, 83, 9 + n_bins).astype(dtype)
        whole = cdist(A, B)
        alone = np.array([[cdist(p[None], q[None])[0, 0] for q in B[60:]] for p in A])
        np.testing.assert_array_equal(alone, whole[:, 60:])
        np.testing.assert_array_equal(cdist(B, A).T, whole)
        np.testing.assert_array_equal(
            np.concatenate([cdist(A, B[k : k + 21]) for k in range(0, 83, 21)], 1), whole
        )
        values, places = knn(A, B, 7)
        np.testing.assert_array_equal(values, np.sort(whole, axis=1)[:, :7])
        np.testing.assert_array_equal(values, np.take_along_axis(whole, places, 1))
        np.testing.assert_array_equal(pdist(A), cdist(A, A)[np.triu_indices(len(A), 1)])


def test_rows_of_no_use_are_as_everywhere() -> None:
    A = rows_of(10, 20, 3)
    A[7] = 0.0
    wide = A * 10.0 ** np.where(np.arange(10) % 3 == 0, -300, 0)
    assert np.isnan(cdist(A, A)[7]).all()
    np.testing.assert_allclose(
        np.delete(cdist(wide, A), 7, 1),
        fastdiv.js_distance(wide[:, None], np.delete(A, 7, 0)[None]),
        rtol=1e-12,
    )
