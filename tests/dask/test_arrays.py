"""Rows and matrices of Dask arrays: the bits of NumPy's arrays for any chunks, errors that say where."""

import subprocess
import sys

import numpy as np
import pytest
from calls import ROWWISE, call

import fastdiv
from fastdiv import _core

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
import fastdiv.dask  # noqa: E402

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture
def rows():
    return np.random.default_rng(3).dirichlet(np.ones(9), size=(2, 40))


def lazy(array, *chunks):
    return da.from_array(array, chunks=chunks)


def same(result, expected):
    assert isinstance(result, da.Array)
    assert result.dtype == np.asarray(expected).dtype
    assert result.shape == np.shape(expected)
    np.testing.assert_array_equal(result.compute(), expected)


@pytest.mark.parametrize("name", ROWWISE)
def test_measures(name, rows):
    p, q = rows
    same(call(fastdiv.dask, name, lazy(p, 7, 4), lazy(q, 11, 2)), call(fastdiv, name, p, q))


@pytest.mark.parametrize(
    "options",
    [{"axis": 0}, {"keepdims": True}, {"keepdims": True, "axis": 0}, {"base": 2}, {"nan_policy": "omit"}],
)
def test_options(options, rows):
    p, q = rows
    if options.get("nan_policy"):
        p = p.copy()
        p[3, 2], p[5] = np.nan, np.nan
    same(fastdiv.dask.kl_divergence(lazy(p, 7, 4), q, **options), fastdiv.kl_divergence(p, q, **options))


def test_rows_broadcast(rows):
    p, q = rows
    one, column = lazy(p, 7, 4), np.stack([p, q])[:, :1]
    same(fastdiv.dask.js_distance(one, q[0]), fastdiv.js_distance(p, q[0]))
    same(fastdiv.dask.js_distance(lazy(column, 1, 1, 3), one), fastdiv.js_distance(column, p))
    same(fastdiv.dask.js_distance(lazy(p[0], 4), q[0]), fastdiv.js_distance(p[0], q[0]))
    stack = np.stack([p, q, p + q], axis=1)
    same(fastdiv.dask.js_divergence(lazy(stack, 7, 2, 4)), fastdiv.js_divergence(stack))
    same(
        fastdiv.dask.js_divergence(lazy(stack, 7, 2, 4), weights=[1, 2, 3]),
        fastdiv.js_divergence(stack, weights=[1, 2, 3]),
    )
    same(fastdiv.dask.renyi_divergence(one, q, 2.0), fastdiv.renyi_divergence(p, q, 2.0))
    same(fastdiv.dask.binary_entropy(one), fastdiv.binary_entropy(p))
    same(fastdiv.dask.entropy(one.astype("f4")), fastdiv.entropy(p.astype("f4")))


METRICS = [
    ("js_distance", {"base": 2}),
    ("kl_divergence", {}),
    ("wasserstein", {}),
    ("js_divergence", {"weights": [1, 3]}),
]


@pytest.mark.parametrize(("metric", "options"), METRICS)
def test_matrices(metric, options, rows):
    p, q = rows
    q = np.concatenate([q, p[3:5], p[:1] * np.nan])
    P, Q = lazy(p, (1, 20, 19), 4), lazy(q, 13, 9)
    same(fastdiv.dask.cdist(P, Q, metric, **options), fastdiv.cdist(p, q, metric, **options))
    same(fastdiv.dask.cdist(P, P, metric, **options), fastdiv.cdist(p, p, metric, **options))
    for k in (1, 6, 43):
        found = fastdiv.dask.knn(P, Q, k, metric, **options)
        for got, expected in zip(found, fastdiv.knn(p, q, k, metric, **options), strict=True):
            same(got, expected)
    if (metric, options) in METRICS[:1] + METRICS[2:3]:
        same(fastdiv.dask.pdist(P, metric, **options), fastdiv.pdist(p, metric, **options))


def test_equal_neighbours_come_by_index():
    p = np.tile(np.eye(3), (20, 1))
    found = fastdiv.dask.knn(lazy(p, 13, 3), lazy(p, 7, 3), 25)
    for got, expected in zip(found, fastdiv.knn(p, p, 25), strict=True):
        same(got, expected)


def test_samples_of_integers_far_apart(rows):
    x = (rows[0] * 1e6).astype("i8")
    y = x + 2**62
    options = {"metric": "wasserstein", "samples": True}
    same(fastdiv.dask.cdist(lazy(x, 7, 9), lazy(y, 9, 4), **options), fastdiv.cdist(x, y, **options))


def test_results_of_a_task_are_no_larger_than_chunks_should_be():
    tall, few = da.zeros((200_000, 2), chunks=200_000), da.zeros((5000, 2), chunks=5000)
    for a, b in ((tall, tall), (tall, few), (few, tall), (few, few)):
        chunks = fastdiv.dask.cdist(a, b).chunks
        assert max(chunks[0]) * max(chunks[1]) * 8 <= 2**27


def test_one_thread_in_a_task_and_as_many_as_before_afterwards():
    before = fastdiv.num_threads()
    with fastdiv.dask.graph.one_thread():
        assert fastdiv.num_threads() == 1
    assert fastdiv.num_threads() == before
    assert _core.openmp_here(2) >= 1
    _core.openmp_here(before)


def test_where_a_wrong_mass_is(rows):
    p, q = (x.copy() for x in rows)
    p[17, 3] = -1.0
    P = lazy(p, 10, 9)
    with pytest.raises(ValueError, match=r"p\[7, 3\].*\(in a chunk: p begins at row 10"):
        fastdiv.dask.kl_divergence(P, q).compute()
    with pytest.raises(ValueError, match=r"XA\[7, 3\].*XA begins at row 10 there"):
        fastdiv.dask.cdist(P, q).compute()
    with pytest.raises(ValueError, match=r"XB\[7, 3\].*XB begins at row 10 there"):
        dask.compute(*fastdiv.dask.knn(q, P, 1))
    with pytest.raises(ValueError, match=r" X\[7, 3\].*X begins at row 10 there"):
        fastdiv.dask.pdist(P).compute()


def test_what_is_refused_before_anything_is_computed(rows):
    P = lazy(rows[0], 10, 9)
    unknown = P[P[:, 0] > 0.1]
    with pytest.raises(ValueError, match=r"chunks of unknown length; call XB.compute_chunk_sizes"):
        fastdiv.dask.cdist(P, unknown)
    with pytest.raises(ValueError, match=r"chunks of unknown length"):
        fastdiv.dask.entropy(unknown)
    with pytest.raises(ValueError, match="XA has 9 bins but XB has 8"):
        fastdiv.dask.cdist(P, P[:, :8])
    with pytest.raises(ValueError, match="XA must be two-dimensional"):
        fastdiv.dask.cdist(P[0], P)
    with pytest.raises(ValueError, match="k must be from 1 to the 40 rows of XB, not 41"):
        fastdiv.dask.knn(P, P, 41)
    with pytest.raises(ValueError, match="not symmetric"):
        fastdiv.dask.pdist(P, "kl_divergence")
    with pytest.raises(TypeError, match="has no option 'alpha'"):
        fastdiv.dask.cdist(P, P, alpha=2)
    with pytest.raises(TypeError, match="base"):
        fastdiv.dask.total_variation(P, P, base=2)
    with pytest.raises(ValueError, match="p has 9 bins but q has 8"):
        fastdiv.dask.kl_divergence(P, P[:, :8])
    with pytest.raises(TypeError, match="out must not be given"):
        fastdiv.dask.entropy(P, out=np.empty(40))
    with pytest.raises(TypeError, match="complex128, but real numbers are needed"):
        fastdiv.dask.entropy(P.astype(complex))


def test_chunks_that_are_not_numpy_arrays(rows):
    sparse = pytest.importorskip("scipy.sparse")
    P = lazy(rows[0], 10, 9)
    rows_of_csr = P.map_blocks(sparse.csr_array, meta=sparse.csr_array((0, 0)))
    with pytest.raises(TypeError, match=r"not csr_array: pass XA.map_blocks\(lambda x: x.toarray\(\)\)"):
        fastdiv.dask.cdist(rows_of_csr, P)
    frame = pytest.importorskip("dask.dataframe").from_dask_array(P)
    with pytest.raises(TypeError, match=r"pass p.to_dask_array\(lengths=True\)"):
        fastdiv.dask.entropy(frame)


def test_without_dask():
    code = """
import sys
sys.modules["dask"] = None
import fastdiv
try:
    fastdiv.dask
except ImportError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "fastdiv.dask needs Dask: pip install 'fastdiv[dask]'\n"


def test_chunks_without_rows(rows):
    p, q = rows
    P, Q = lazy(p, (0, 30, 0, 10), 9), lazy(q, (20, 0, 20, 0), 9)
    same(fastdiv.dask.cdist(P, Q), fastdiv.cdist(p, q))
    same(fastdiv.dask.pdist(P), fastdiv.pdist(p))
    same(fastdiv.dask.js_distance(P, Q.rechunk({0: P.chunks[0]})), fastdiv.js_distance(p, q))
    for got, expected in zip(fastdiv.dask.knn(P, Q, 3), fastdiv.knn(p, q, 3), strict=True):
        same(got, expected)
    same(fastdiv.dask.cdist(P[:0], Q), fastdiv.cdist(p[:0], q))
    same(fastdiv.dask.pdist(P[:0]), fastdiv.pdist(p[:0]))
    u, v = lazy(p[:, 0], (0, 15, 0, 25)), lazy(q[:, 0], (0, 40))
    far = fastdiv.dask.wasserstein_distance(u, v)
    assert far == pytest.approx(fastdiv.wasserstein_distance(p[:, 0], q[:, 0]), rel=1e-12)
    same(fastdiv.dask.cdist(P, Q, workers=-1), fastdiv.cdist(p, q))
