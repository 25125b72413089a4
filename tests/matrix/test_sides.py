"""What an argument is, asked once: the names and numbers errors use, what is kept, what can be sent away."""

import pickle

import numpy as np
import pytest

import fastdiv
from fastdiv import matrix
from fastdiv.matrix.neighbours import Search


def test_public_objects_say_where_they_live():
    for name in ("Index", "cdist", "knn", "pdist"):
        assert getattr(fastdiv, name) is getattr(matrix, name)
        assert getattr(matrix, name).__module__ == "fastdiv.matrix"


@pytest.mark.parametrize("full", [1.0, 0.05])
@pytest.mark.parametrize("metric", ["js_distance", "wasserstein"])
def test_an_index_can_be_pickled_before_and_after_queries(metric, full):
    """Compiled rows stay at home; what comes out answers alike."""
    rng = np.random.default_rng(1)
    X = rng.random((90, 100)) * (rng.random((90, 100)) < full) + np.eye(90, 100)
    index = fastdiv.Index(X, metric)
    for _ in range(2):
        other = pickle.loads(pickle.dumps(index))
        assert repr(other) == repr(index)
        for got, want in zip(other.query(X[:9], 4), index.query(X[:9], 4), strict=True):
            assert np.array_equal(got, want)


def test_rows_are_counted_from_where_a_block_began():
    """Whatever the rows are; ``fastdiv nearest`` asks a block of a file at a time."""
    rng = np.random.default_rng(2)
    X = rng.random((40, 100)) * (rng.random((40, 100)) < 0.04) + np.eye(40, 100)
    bad = X.copy()
    bad[7, 3] = -1
    kinds = [np.asarray, np.float32, lambda x: np.concatenate([x, x + 1])]
    try:
        import scipy.sparse as sparse
    except ImportError:
        pass
    else:
        kinds.append(sparse.csr_matrix)
    for kind in kinds:
        search = Search(kind(X), "js_distance", {}, ("a", "b"))
        for k in (1, 30):
            with pytest.raises(
                ValueError, match=r"a has a negative mass: a\[107, 3\] = -1.0 \(row 107, bin 3"
            ):
                search.query(kind(bad), k, first=100)
        with pytest.raises(ValueError, match=r"b has a negative mass: b\[7, 3\] = -1.0 \(row 7, bin 3\)"):
            Search(kind(bad), "js_distance", {}, ("a", "b")).query(kind(X), 1, first=100)
    search = Search([[1.0, 2.0]], "wasserstein", {"samples": True, "nan_policy": "raise"}, ("a", "b"))
    with pytest.raises(ValueError, match=r"a has a missing value: a\[6, 1\] = nan \(row 6\)"):
        search.query([[0.0, 1.0], [0.0, np.nan]], 1, first=5)


@pytest.mark.parametrize("base", [0, 1_700_000_000_000_000_000])
@pytest.mark.parametrize("p", [1, 2])
def test_samples_of_integers_against_themselves(p, base):
    """Half a matrix is computed, and says what the whole one says."""
    A = base + np.random.default_rng(3).integers(-50, 50, (9, 11))
    options = {"metric": "wasserstein", "samples": True, "p": p}
    square = fastdiv.cdist(A, A, **options)
    assert np.array_equal(square, fastdiv.cdist(A, A.copy(), **options))
    assert np.array_equal(fastdiv.pdist(A, **options), square[np.triu_indices(9, 1)])


def test_counts_of_64_bits_are_no_samples():
    """Unsigned integers, which samples may need exactly, are masses here like any other."""
    counts = np.random.default_rng(4).integers(0, 99, (60, 20)).astype(np.uint64)
    for got, want in zip(fastdiv.knn(counts, counts, 3), fastdiv.knn(counts + 0.0, counts, 3), strict=True):
        assert np.array_equal(got, want)


@pytest.mark.parametrize("metric", ["js_distance", "kl_divergence", "hellinger_distance", "cross_entropy"])
@pytest.mark.parametrize("options", [{"log_input": True}, {"pseudocount": 0.5}])
def test_entries_of_zero_that_are_no_empty_bins(metric, options):
    """Logits of 0, and counts that all have something added: rows are not light for all their zeros."""
    rng = np.random.default_rng(3)
    X, Y = (rng.integers(1, 9, (40, 100)) * (rng.random((40, 100)) < 0.03) for _ in range(2))
    got = fastdiv.cdist(X, Y, metric, **options)
    np.testing.assert_allclose(got, getattr(fastdiv, metric)(X[:, None], Y, **options), rtol=1e-12)
    distances, _ = fastdiv.knn(X, Y, 3, metric, **options)
    np.testing.assert_allclose(distances, np.sort(got, axis=1)[:, :3], rtol=1e-12)
