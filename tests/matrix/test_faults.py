"""Matrices where they were once wrong: each case against the row-wise function, or an exact value."""

import itertools
import os
import subprocess
import sys

import numpy as np
import pytest
from calls import PAIRED, SYMMETRIC

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


@pytest.mark.parametrize("shape", [(3,), (2, 3, 3)])
def test_rows_make_a_table(shape):
    X, Y = np.ones(shape), np.ones((2, 3))
    message = f"must be two-dimensional, one distribution a row, not {len(shape)}-d"
    for call in (fastdiv.cdist, lambda *a, **o: fastdiv.knn(*a[:2], 1, *a[2:], **o)):
        for options in ({}, {"metric": "wasserstein", "samples": True}):
            with pytest.raises(ValueError, match=f"XA {message}"):
                call(X, Y, **options)
            with pytest.raises(ValueError, match=f"XB {message}"):
                call(Y, X, **options)


COUNT_THREADS = """
import os, sys
import numpy as np
import fastdiv
A, B = np.random.default_rng(0).normal(size=(2, 3000)), np.random.default_rng(1).normal(size=(300, 2000))
before = len(os.listdir("/proc/self/task"))
for call in (fastdiv.cdist, lambda *a, **o: fastdiv.knn(*a[:2], 3, *a[2:], **o)):
    call(A, B, "wasserstein", samples=True, workers=int(sys.argv[1]))
print(len(os.listdir("/proc/self/task")) - before, fastdiv.num_threads())
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="counts threads as Linux shows them")
def test_workers_of_samples_of_two_sizes():
    """OpenMP keeps the threads of a team, so they can be counted afterwards."""
    for workers in (1, 2):
        command = [sys.executable, "-c", COUNT_THREADS, str(workers)]
        run = subprocess.run(command, capture_output=True, text=True, check=True)
        grown, threads = map(int, run.stdout.split())
        assert grown == min(workers, threads) - 1


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
    monkeypatch.setattr("fastdiv.matrix.sides.BLOCK_BYTES", 7 * 24 * 104)
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
    monkeypatch.setattr("fastdiv.matrix.sides.BLOCK_BYTES", 8 * 1200 * 5)
    X = np.random.default_rng(4).random((1200, 8))
    bad = X[:40].copy()
    bad[33, 5] = -1
    with pytest.raises(ValueError, match=r"XA has a negative mass: XA\[33, 5\] = -1.0 \(row 33, bin 5\)"):
        fastdiv.knn(bad, X, 1000)
    infinite = bad.copy()
    infinite[33, 5] = np.inf
    with pytest.raises(ValueError, match=r"XA has an infinite log-probability: XA\[33, 5\] = inf \(row 33"):
        fastdiv.cdist(infinite, X, log_input=True)


T = 1_700_000_000_000_000_000


@pytest.mark.parametrize("p", [1, 2, np.inf])
def test_samples_of_integers_beyond_2_53(p):
    options = {"metric": "wasserstein", "samples": True, "p": p}
    for base in (T, -T, 2**63 - 200):
        A = np.array([[base], [base + 7]], dtype=np.int64)
        B = np.array([[base + 100], [base + 99], [base + 1]], dtype=np.int64)
        want = np.abs((A - base) - (B - base).T).astype(float)
        assert np.array_equal(fastdiv.cdist(A, B, **options), want)
        order = np.argsort(want, axis=1)[:, :2]
        distances, where = fastdiv.knn(A, B, 2, **options)
        assert np.array_equal(where, order)
        assert np.array_equal(distances, np.take_along_axis(want, order, 1))
        assert np.array_equal(fastdiv.pdist(B, **options), [1, 99, 98])
        assert np.array_equal(fastdiv.cdist(A, np.repeat(B, 2, axis=1), **options), want)
    index = fastdiv.Index(np.array([[0], [T]]), **options)
    for query, found in ((T + 3, 3.0), (-5, 5.0), (T - 1, 1.0), (2**53 + 1, 2.0**53)):
        assert index.query([[query]], 1)[0][0, 0] == found
    assert fastdiv.Index([[1.0]], **options).query(np.array([[2**60]]), 1)[0][0, 0] == 2.0**60 - 1
    unsigned = np.array([[2**64 - 1]], dtype=np.uint64)
    assert fastdiv.cdist(unsigned, unsigned - np.uint64(3), **options)[0, 0] == 3
    assert fastdiv.cdist(np.array([[2**53]]), np.array([[2**53 + 1]]), **options)[0, 0] == 1
    assert fastdiv.cdist(np.array([[5]], np.int8), np.array([[T]]), **options)[0, 0] == float(T - 5)


def test_samples_of_integers_further_apart_than_2_53():
    """Neither side can be moved to where float64 holds it: integers are subtracted as integers."""
    A, B = np.array([[0, T], [5, T + 2]]), np.array([[1, T], [0, T + 100], [3, T + 7]])
    for p, want in ((1, [[0.5, 50, 5], [3, 51.5, 3.5]]), (np.inf, [[1, 100, 7], [4, 98, 5]])):
        options = {"metric": "wasserstein", "samples": True, "p": p}
        assert np.array_equal(fastdiv.cdist(A, B, **options), want)
        order = np.argsort(want, axis=1, kind="stable")[:, :2]
        distances, where = fastdiv.knn(A, B, 2, **options)
        assert np.array_equal(where, order)
        assert np.array_equal(distances, np.take_along_axis(np.array(want), order, 1))
        whole = fastdiv.cdist(B, B, **options)
        assert np.array_equal(fastdiv.pdist(B, **options), whole[np.triu_indices(3, 1)])


def test_places_beyond_2_53():
    support = np.array([T, T + 1, T + 101])
    P, Q = [[1, 0, 0], [0, 1, 0]], [[0, 0, 1], [0, 1, 0]]
    want = [[101, 1], [100, 0]]
    assert np.array_equal(fastdiv.cdist(P, Q, "wasserstein", support=support), want)
    assert np.array_equal(fastdiv.knn(P, Q, 1, "wasserstein", support=support)[0][:, 0], [1, 0])
    negative = np.array([-(2**63), 0, 2**62])
    assert fastdiv.cdist([[1, 0, 0]], [[0, 1, 0]], "wasserstein", support=negative)[0, 0] == 2.0**63
    with pytest.raises(ValueError, match="support must be finite and strictly increasing"):
        fastdiv.cdist(P, Q, "wasserstein", support=support[::-1])


def mixed_rows(seed, n, bins, dtype=float):
    """Rows from nearly empty to full, in no order, some near-identical to others."""
    rng = np.random.default_rng(seed)
    full = rng.choice([0.01, 0.04, 0.08, 0.15, 0.3, 1.0], size=(n, 1))
    X = rng.random((n, bins)) * (rng.random((n, bins)) < full)
    X[:, 0] += 0.1
    X[n // 2 :: 3] = X[: len(X[n // 2 :: 3])] * (1 + 1e-7 * rng.random(bins))
    return X.astype(dtype)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("metric", PAIRED)
def test_bits_do_not_depend_on_other_rows(monkeypatch, metric, dtype):
    """Of parts, of a row alone, of blocks, of maps, of neighbours: the value of a pair is one."""
    options = {"alpha": 1.5} if metric == "renyi_divergence" else {}
    A, B = mixed_rows(5, 50, 300, dtype), mixed_rows(6, 41, 300, dtype)
    whole = fastdiv.cdist(A, B, metric, **options)
    exact = getattr(fastdiv, metric)(A[:, None], B[None], **options)
    np.testing.assert_allclose(whole, exact, rtol=1e-12 if dtype == np.float64 else 5e-6)
    assert np.array_equal(fastdiv.cdist(A[20:], B, metric, **options), whole[20:])
    assert np.array_equal(fastdiv.cdist(A, B[::3], metric, **options), whole[:, ::3])
    for i in range(0, 50, 7):
        assert np.array_equal(fastdiv.cdist(A[i : i + 1], B, metric, **options), whole[i : i + 1])
    for k in (1, 5, 41):
        order = np.argsort(whole, axis=1, kind="stable")[:, :k]
        distances, where = fastdiv.knn(A, B, k, metric, **options)
        assert np.array_equal(where, order)
        assert np.array_equal(distances, np.take_along_axis(whole, order, 1))
    square = fastdiv.cdist(A, A, metric, **options)
    assert np.array_equal(square, fastdiv.cdist(A, A.copy(), metric, **options))
    if metric in SYMMETRIC:
        assert np.array_equal(square, square.T)
        assert np.array_equal(fastdiv.pdist(A, metric, **options), square[np.triu_indices(50, 1)])
    monkeypatch.setattr("fastdiv.matrix.sides.BLOCK_BYTES", 24 * 304 * 7)
    assert np.array_equal(fastdiv.cdist(A, B, metric, **options), whole)
    assert np.array_equal(fastdiv.cdist(A, A, metric, **options), square)


@pytest.mark.parametrize("metric", [*PAIRED, "wasserstein"])
def test_bits_of_sparse_rows_do_not_depend_on_other_rows(metric):
    sparse = pytest.importorskip("scipy.sparse")
    options = {"alpha": 0.7} if metric == "renyi_divergence" else {}
    A, B = (sparse.csr_matrix(mixed_rows(seed, 40, 500)) for seed in (7, 8))
    whole = fastdiv.cdist(A, B, metric, **options)
    assert np.array_equal(fastdiv.cdist(A[25:], B, metric, **options), whole[25:])
    assert np.array_equal(fastdiv.cdist(A[3], B[11:12], metric, **options), whole[3:4, 11:12])


@pytest.mark.parametrize("n_bins", [2**31 - 8, 2**33])
@pytest.mark.parametrize("metric", [*PAIRED, "wasserstein"])
def test_memory_of_sparse_rows_follows_their_entries(n_bins, metric):
    import tracemalloc

    sparse = pytest.importorskip("scipy.sparse")
    far = n_bins - 5
    X = sparse.csr_matrix((np.array([1.0, 3.0, 2.0, 2.0]), ([0, 0, 1, 1], [7, far, 7, far])), (2, n_bins))
    options = {"alpha": 2} if metric == "renyi_divergence" else {}
    tracemalloc.start()
    found = fastdiv.cdist(X, X, metric, **options)
    near = fastdiv.knn(X, X, 1, metric, **options)
    assert tracemalloc.get_traced_memory()[1] < 10e6
    tracemalloc.stop()
    if metric == "wasserstein":
        assert np.array_equal(found, (far - 7) * np.array([[0, 0.25], [0.25, 0]]))
    else:
        p, q = [1, 3], [2, 2]
        want = [[getattr(fastdiv, metric)(x, y, **options) for y in (p, q)] for x in (p, q)]
        np.testing.assert_allclose(found, want, rtol=1e-12, atol=1e-300)
    assert np.array_equal(near[1], [[0], [1]])
    X.data[1] = -1
    with pytest.raises(ValueError, match=rf"XA has a negative mass: XA\[0, {far}\] = -1.0"):
        fastdiv.cdist(X, X, metric, **options)


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_columns_are_compared_not_ignored(library):
    frames = pytest.importorskip(library)
    values = {"a": [1.0, 2.0], "b": [3.0, 1.0], "c": [1.0, 1.0]}
    A, swapped = frames.DataFrame(values), frames.DataFrame({name: values[name] for name in "bac"})
    other = frames.DataFrame(dict(zip("abd", values.values(), strict=True)))
    want = fastdiv.cdist(A.to_numpy(), A.to_numpy())
    assert np.array_equal(fastdiv.cdist(A, A.to_numpy()), want)
    assert np.array_equal(fastdiv.cdist(A, A[:]), want)
    assert np.array_equal(fastdiv.knn(A, A, 1)[1], [[0], [1]])
    for wrong in (swapped, other):
        with pytest.raises(ValueError, match="XA and XB have labels that differ"):
            fastdiv.cdist(A, wrong)
        with pytest.raises(ValueError, match="XA and XB have labels that differ"):
            fastdiv.knn(wrong, A, 1)
        with pytest.raises(ValueError, match="XA and XB have labels that differ"):
            fastdiv.Index(A).query(wrong, 1)
    fastdiv.cdist(A, swapped, "wasserstein", samples=True)
    if library == "pandas":
        places = frames.Series([0.0, 1.0, 3.0], index=list("bac"))
        for call in (
            lambda: fastdiv.cdist(A, A, "wasserstein", support=places),
            lambda: fastdiv.pdist(A, "wasserstein", support=places),
            lambda: fastdiv.Index(A, "wasserstein", support=places),
        ):
            with pytest.raises(ValueError, match="and support have labels that differ"):
                call()


def test_a_job_speaks_of_its_names():
    """What ``fastdiv pairwise`` asks for: files, not arguments."""
    from fastdiv.matrix import Job

    good, bad = np.ones((3, 4)), np.array([[1.0, 2.0, 3.0, 4.0], [1.0, -1.0, 0.0, 0.0]])
    job = Job(good, bad, "js_distance", {}, 1, ("a.npy", "b.npy"))
    assert (job.shape, job.dtype) == ((3, 2), np.float64)
    with pytest.raises(ValueError, match=r"b.npy has a negative mass: b.npy\[1, 1\] = -1.0 \(row 1, bin 1\)"):
        job.fill()
    with pytest.raises(ValueError, match=r"a\.npy has 4 bins but b\.npy has 3"):
        Job(good, bad[:, 1:], "js_distance", {}, None, ("a.npy", "b.npy"))
    sizes = Job(good, bad[:, 1:], "wasserstein", {"samples": True}, None, ("a.npy", "b.npy"))
    assert np.array_equal(sizes.fill(), fastdiv.cdist(good, bad[:, 1:], "wasserstein", samples=True))
