"""Sparse rows, and dense ones that are mostly 0: the values of dense rows, without making them dense."""

import numpy as np
import pytest
from calls import PAIRED, SYMMETRIC
from scipy import sparse
from test_matrix import OPTIONS, assert_close, rowwise

import fastdiv
from fastdiv.matrix.sparse import compress

METRICS = (*PAIRED, "wasserstein")


def rows(n, bins, density, seed=0):
    rng = np.random.default_rng(seed)
    X = rng.random((n, bins)) * (rng.random((n, bins)) < density)
    X[np.arange(n), rng.integers(0, bins, n)] += 0.1
    return X


@pytest.mark.parametrize("density", [0.02, 0.3, 1.0])
@pytest.mark.parametrize("metric", METRICS)
def test_csr_gives_what_dense_rows_give(metric, density):
    XA, XB = rows(15, 90, density), rows(70, 90, density, seed=1)
    XB[3], XB[4], XB[5] = 7 * XA[2], XA[2] * (1 + 1e-7 * np.sin(np.arange(90))), 0.0
    XA[14] *= 2.0**-1000
    options = OPTIONS.get(metric, {})
    want = rowwise(metric, XA, XB[np.arange(70) != 5], **options)
    for A in (sparse.csr_matrix(XA), sparse.csr_array(XA), sparse.csc_array(XA), XA):
        got = fastdiv.cdist(A, sparse.csr_array(XB), metric, **options)
        assert np.isnan(got[:, 5]).all()
        assert_close(np.delete(got, 5, 1), want, 1e-12)


@pytest.mark.parametrize("alpha", [0.2, 2.5])
def test_csr_of_both_kinds_of_renyi(alpha):
    """Infinite above order 1 where a bin is not shared, not below."""
    XA, XB = rows(15, 400, 0.5), rows(40, 400, 0.5, seed=1)
    XB[:15] += XA
    got = fastdiv.cdist(sparse.csr_array(XA), sparse.csr_array(XB), "renyi_divergence", alpha=alpha)
    assert np.isfinite(got).mean() == (1.0 if alpha < 1 else 15 / 600)
    assert_close(got, rowwise("renyi_divergence", XA, XB, alpha=alpha), 1e-12)


@pytest.mark.parametrize("alpha", [0.02, 3.0, 7.5, 40.0])
def test_powers_that_are_no_doubles(alpha, level):
    """p^alpha is none where p^alpha q^(1-alpha) is one that counts: compressed and dense."""
    rng = np.random.default_rng(int(alpha))
    XA, XB = rng.random((2, 40, 9))
    XA[:, 3] = 10.0 ** rng.uniform(-330 / alpha, -280 / alpha, 40) if alpha > 1 else 1e-100
    XB[:, 3] = XA[:, 3] ** (1 + 1 / abs(alpha - 1)) * 10.0 ** rng.uniform(-3, 0, 40)
    want = rowwise("renyi_divergence", XA, XB, alpha=alpha)
    for make in (sparse.csr_array, np.asarray):
        got = fastdiv.cdist(make(XA), make(XB), "renyi_divergence", alpha=alpha)
        assert_close(got, want, 1e-12)


@pytest.mark.parametrize("metric", PAIRED)
@pytest.mark.parametrize("dtype", [float, "f4"])
def test_mostly_empty_dense_rows(metric, dtype):
    """Beyond what pays in the dense form, so it is the compressed one that is tested."""
    XA, XB = rows(20, 3000, 0.004).astype(dtype), rows(30, 3000, 0.004, seed=1).astype(dtype)
    XB[:20] += XA
    options = OPTIONS.get(metric, {})
    got = fastdiv.cdist(XA, XB, metric, **options)
    assert got.dtype == np.dtype(dtype)
    expected = rowwise(metric, XA.astype(float), XB.astype(float), **options)
    assert_close(got, expected, 1e-12 if dtype is float else 5e-6)


@pytest.mark.parametrize("metric", [*SYMMETRIC, "wasserstein"])
def test_condensed_and_neighbours(metric):
    X = sparse.csr_array(rows(60, 200, 0.05))
    square = fastdiv.cdist(X, X, metric)
    assert np.array_equal(square, square.T)
    assert np.all(np.diag(square) == 0)
    assert np.array_equal(fastdiv.pdist(X, metric), square[np.triu_indices(60, 1)])
    order = np.argsort(square, axis=1, kind="stable")[:, :7]
    distances, indices = fastdiv.knn(X, X, 7, metric, workers=2)
    assert np.array_equal(indices, order)
    assert np.array_equal(distances, np.take_along_axis(square, order, 1))
    assert np.array_equal(square, fastdiv.cdist(X, X.copy(), metric, workers=3))


def test_unsorted_and_duplicate_indices():
    X = rows(10, 50, 0.2)
    tidy = sparse.csr_array(X)
    messy = sparse.csr_array(
        (
            np.concatenate([tidy.data[::-1] / 2, tidy.data[::-1] / 2]),
            (
                np.repeat(np.arange(10), np.diff(tidy.indptr))[::-1].tolist() * 2,
                tidy.indices[::-1].tolist() * 2,
            ),
        ),
        shape=X.shape,
    )
    unsorted = sparse.csr_array(
        (tidy.data[::-1].copy(), tidy.indices[::-1].copy(), tidy.indptr[-1] - tidy.indptr[::-1]),
        shape=X.shape,
    )
    before = unsorted.indices.copy()
    assert np.array_equal(fastdiv.cdist(messy, X), fastdiv.cdist(tidy, X))
    assert np.array_equal(fastdiv.cdist(unsorted, tidy), fastdiv.cdist(tidy[::-1], tidy))
    assert np.array_equal(unsorted.indices, before)


def test_faults_are_named():
    X = sparse.csr_array(np.eye(4))
    bad = X.copy()
    bad.data[2] = -1.0
    with pytest.raises(ValueError, match=r"XB has a negative mass: XB\[2, 2\] = -1.0"):
        fastdiv.cdist(X, bad)
    bad.data[2] = np.nan
    assert np.isnan(fastdiv.cdist(X, bad)[:, 2]).all()
    with pytest.raises(ValueError, match=r"XA has a missing value: XA\[2, 2\]"):
        fastdiv.cdist(bad, X, nan_policy="raise")
    with pytest.raises(ValueError, match="empty bins a value"):
        fastdiv.cdist(X, X, "kl_divergence", pseudocount=1.0)
    with pytest.raises(ValueError, match="XA has 4 bins but XB has 5"):
        fastdiv.cdist(X, np.ones((2, 5)))
    with pytest.raises(TypeError, match="real numbers"):
        fastdiv.cdist(X.astype(complex), X)
    broken = X.copy()
    broken.indices[1] = 9
    with pytest.raises(ValueError, match="an index is outside its 4 bins"):
        fastdiv.cdist(broken, X)
    broken = X.copy()
    broken.indptr[2] = 9
    with pytest.raises(ValueError, match="indptr does not run"):
        fastdiv.cdist(broken, X)


def test_some_rows_are_rows():
    """With their numbers, their bins and their masses; how many they are."""
    X = rows(9, 30, 0.2)
    whole = compress(X, "XA", range(100, 109))
    for some in (slice(0, 9), slice(2, 7), slice(5, 6), slice(4, 4), slice(7, 99)):
        part = whole[some]
        assert len(part) == part.shape[0] == len(X[some])
        assert list(part.numbers) == list(whole.numbers[some])
        for i, row in enumerate(X[some]):
            bins, mass = part.entries(i)
            assert np.array_equal(bins, np.flatnonzero(row))
            assert np.array_equal(mass, row[bins])


@pytest.mark.parametrize("n_bins", [0, 1, 2])
def test_few_bins(n_bins):
    X = np.arange(1.0, 5 * n_bins + 1).reshape(5, n_bins)
    if n_bins == 0:
        with pytest.raises(ValueError, match=r"XA has no bins: its shape is \(5, 0\)"):
            fastdiv.cdist(sparse.csr_array(X), X)
    else:
        got = fastdiv.cdist(sparse.csr_array(X), sparse.csr_array(X))
        np.testing.assert_allclose(got, fastdiv.cdist(X, X), rtol=1e-12)


def test_never_made_dense():
    """A million bins: dense, the rows would take 160 GB."""
    n, bins = 20000, 10**6
    X = sparse.random_array((n, bins), density=1e-5, rng=np.random.default_rng(0), format="csr")
    X.data += 0.1
    got = fastdiv.cdist(X[:20], X)
    assert got.shape == (20, n)
    i, j = 3, 17
    p, q = X[[i]].toarray()[0], X[[j]].toarray()[0]
    assert np.isclose(got[i, j], fastdiv.js_distance(p, q), rtol=1e-12) or np.isnan(got[i, j])


def test_scikit_learn_takes_the_graph():
    """metric="precomputed" of scikit-learn; UMAP's precomputed_knn takes the two arrays as they are."""
    cluster = pytest.importorskip("sklearn.cluster")
    neighbors = pytest.importorskip("sklearn.neighbors")
    rng = np.random.default_rng(0)
    X = np.concatenate([rng.dirichlet(0.1 + 40.0 * (np.arange(20) % 3 == c), 40) for c in range(3)])
    distances, indices = fastdiv.knn(X, X, 15)
    graph = sparse.csr_matrix(
        (distances.ravel(), indices.ravel(), np.arange(0, 120 * 15 + 1, 15)), shape=(120, 120)
    )
    graph = neighbors.sort_graph_by_row_values(graph, warn_when_not_sorted=False)
    labels = np.repeat([0, 1, 2], 40)
    classifier = neighbors.KNeighborsClassifier(10, metric="precomputed").fit(fastdiv.cdist(X, X), labels)
    assert (classifier.predict(graph) == labels).all()
    found = cluster.DBSCAN(eps=float(np.median(distances[:, -1])), metric="precomputed").fit_predict(graph)
    assert all(len(set(labels[found == one])) == 1 for one in set(found) - {-1})  # -1: in no cluster
    assert (found != -1).mean() > 0.5
    other = neighbors.NearestNeighbors(n_neighbors=15, metric="precomputed").fit(fastdiv.cdist(X, X))
    theirs = other.kneighbors(fastdiv.cdist(X, X))[0]
    np.testing.assert_array_equal(theirs, distances)


@pytest.mark.parametrize("metric", SYMMETRIC)
def test_many_shared_bins_are_symmetric(metric):
    """Sums are cut into groups of shared bins, which must not be those of one of the rows."""
    X = rows(40, 3000, 0.3)
    X[::2] *= np.random.default_rng(2).random((20, 3000)) < 0.5
    if metric == "jeffreys_divergence":
        X = np.repeat(X[::2], 2, 0) * np.random.default_rng(3).uniform(0.1, 1.0, X.shape)
    X = sparse.csr_array(X)
    square = fastdiv.cdist(X, X, metric)
    assert np.array_equal(square, square.T)
    assert np.array_equal(fastdiv.pdist(X, metric), square[np.triu_indices(40, 1)])


@pytest.mark.parametrize("metric", ["kl_divergence", "jeffreys_divergence"])
def test_own_terms_of_long_rows(metric):
    """sum p log p of 40000 equal terms: added up one by one it was off by 1e-12 of the divergence."""
    n = 40000
    X = np.zeros((400, n + 400))
    X[np.arange(1, 400), n + np.arange(399)] = 1.0  # which make a typical row short, and the logarithms large
    Y, rng = X.copy(), np.random.default_rng(0)
    X[0, :n] = 1.0
    for step in range(2, 8):
        Y[0, :n] = np.where(np.arange(n) % step == 0, 1.0, rng.uniform(0.01, 0.2))
        got = fastdiv.cdist(sparse.csr_array(X), sparse.csr_array(Y), metric)[0, 0]
        assert np.isclose(got, getattr(fastdiv, metric)(X[0], Y[0]), rtol=3e-13, atol=0.0)
