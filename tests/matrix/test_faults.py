"""Matrices where they were once wrong: each case against the row-wise function, or an exact value."""

import itertools
import os
import threading

import numpy as np
import pytest

import fastdiv


def rowwise(A, B, **options):
    return np.array([[fastdiv.wasserstein_distance(a, b, **options) for b in B] for a in A])


@pytest.mark.parametrize("p", [1, 2, 3.5, np.inf])
@pytest.mark.parametrize("sizes", [(3, 3), (3, 4), (2, 5)])
def test_infinite_samples_are_values(sizes, p):
    """As row-wise: infinite on one side, NaN for mass at the same infinity on both."""
    values = [-np.inf, -np.inf, -1.0, 0.5, 2.0, np.inf, np.inf, np.nan]
    A, B = (np.array(list(itertools.combinations(values, size))[::2], dtype=float) for size in sizes)
    want = rowwise(A, B, p=p)
    assert np.isinf(want).any()
    assert np.isnan(want).any()

    found = fastdiv.cdist(A, B, "wasserstein", samples=True, p=p)
    np.testing.assert_allclose(found, want, rtol=1e-13)
    distances, where = fastdiv.knn(A, B, 5, "wasserstein", samples=True, p=p)
    order = np.argsort(found, axis=1, kind="stable")[:, :5]
    assert np.array_equal(where, order)
    assert np.array_equal(distances, np.take_along_axis(found, order, 1), equal_nan=True)
    if sizes[0] == sizes[1]:
        both = fastdiv.cdist(A, A, "wasserstein", samples=True, p=p)
        condensed = fastdiv.pdist(A, "wasserstein", samples=True, p=p)
        assert np.array_equal(condensed, both[np.triu_indices(len(A), 1)], equal_nan=True)


@pytest.mark.parametrize("size", [2, 3])
def test_a_missing_sample_is_where_it_was_given(size):
    """Not where sorting puts it; and nothing is said of infinite ones."""
    A, B = np.array([[-np.inf, 2.0], [np.nan, 1.0]]), np.zeros((1, size))
    for call in (fastdiv.cdist, lambda *a, **o: fastdiv.knn(a[0], a[1], 1, *a[2:], **o)):
        with pytest.raises(ValueError, match=r"XA has a missing value: XA\[1, 0\] = nan \(row 1\)"):
            call(A, B, "wasserstein", samples=True, nan_policy="raise")
        with pytest.raises(ValueError, match=r"XB has a missing value: XB\[1, 0\] = nan \(row 1\)"):
            call(B, A, "wasserstein", samples=True, nan_policy="raise")
        call(A[:1], B, "wasserstein", samples=True, nan_policy="raise")


def native_threads():
    return len(os.listdir("/proc/self/task"))


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="counts threads as Linux shows them")
def test_workers_of_samples_of_two_sizes():
    """OpenMP keeps the threads of a team: each thread of ours that asks has its own."""
    A, B = np.random.default_rng(0).normal(size=(2, 3000)), np.random.default_rng(1).normal(size=(300, 2000))
    grown = {}

    def call(workers):
        before = native_threads()
        fastdiv.cdist(A, B, "wasserstein", samples=True, workers=workers)
        fastdiv.knn(A, B, 3, "wasserstein", samples=True, workers=workers)
        grown[workers] = native_threads() - before

    for workers in (1, 2):
        thread = threading.Thread(target=call, args=(workers,))
        thread.start()
        thread.join()
    assert grown[1] == 0
    if fastdiv.num_threads() > 1:
        assert grown[2] >= 1


@pytest.mark.parametrize("metric", ["js_distance", "kl_divergence", "total_variation"])
@pytest.mark.parametrize("full", [1.0, 0.02])
def test_copy_on_write_maps_keep_the_result(tmp_path, metric, full):
    rng = np.random.default_rng(2)
    A = rng.random((60, 200)) * (rng.random((60, 200)) < full) + np.eye(60, 200)
    want = fastdiv.cdist(A, A, metric)
    np.save(tmp_path / "D.npy", np.zeros((60, 60)))
    for mode in ("c", "r+"):
        out = np.load(tmp_path / "D.npy", mmap_mode=mode)
        assert fastdiv.cdist(A, A, metric, out=out) is out
        assert np.array_equal(out, want)
        part = np.asarray(np.load(tmp_path / "D.npy", mmap_mode=mode))[10:20]
        fastdiv.cdist(A[10:20], A, metric, out=part)
        assert np.array_equal(part, want[10:20])
    if metric != "kl_divergence":
        np.save(tmp_path / "D.npy", np.zeros(60 * 59 // 2))
        out = np.load(tmp_path / "D.npy", mmap_mode="c")
        assert np.array_equal(fastdiv.pdist(A, metric, out=out), want[np.triu_indices(60, 1)])
        assert np.array_equal(out, want[np.triu_indices(60, 1)])


@pytest.mark.parametrize("full", [1.0, 0.03])
@pytest.mark.parametrize(("value", "fault"), [(-1.0, "a negative mass"), (np.nan, "a missing value")])
def test_the_row_named_is_the_row_given(monkeypatch, full, value, fault):
    monkeypatch.setattr("fastdiv.matrix.BLOCK_BYTES", 7 * 24 * 104)
    rng = np.random.default_rng(3)
    X = rng.random((90, 100)) * (rng.random((90, 100)) < full) + np.eye(90, 100)
    bad = X.copy()
    bad[83, 41] = value
    kinds = [np.asarray]
    if full < 1:
        kinds.append(pytest.importorskip("scipy.sparse").csr_matrix)
    for kind in kinds:
        for k in (2, 60):
            with pytest.raises(ValueError, match=rf"XA has {fault}: XA\[83, 41\] = .* \(row 83, bin 41\)"):
                fastdiv.knn(kind(bad), kind(X), k, nan_policy="raise")
        good, wrong = kind(X), kind(bad)
        for name, given in (("XA", (wrong, good)), ("XB", (good, wrong)), ("XA", (wrong, wrong))):
            with pytest.raises(ValueError, match=rf"{name} has {fault}: {name}\[83, 41\] = "):
                fastdiv.cdist(*given, "kl_divergence", nan_policy="raise")
        with pytest.raises(ValueError, match=rf"X has {fault}: X\[83, 41\] = .* \(row 83, bin 41\)"):
            fastdiv.pdist(kind(bad), nan_policy="raise")


def test_the_row_named_by_whole_rows_of_neighbours(monkeypatch):
    """Where k leaves few rows out, whole rows are sorted, a block at a time."""
    monkeypatch.setattr("fastdiv.matrix.BLOCK_BYTES", 8 * 1200 * 5)
    X = np.random.default_rng(4).random((1200, 8))
    bad = X[:40].copy()
    bad[33, 5] = -1
    with pytest.raises(ValueError, match=r"XA has a negative mass: XA\[33, 5\] = -1.0 \(row 33, bin 5\)"):
        fastdiv.knn(bad, X, 1000)
    infinite = bad.copy()
    infinite[33, 5] = np.inf
    with pytest.raises(ValueError, match=r"XA has an infinite log-probability: XA\[33, 5\] = inf \(row 33"):
        fastdiv.cdist(infinite, X, log_input=True)
