"""A Dask array in, a lazy Dask array out, with the values of the same call on NumPy arrays."""

import numpy as np
import pytest
from calls import ROWWISE, call

import fastdiv

da = pytest.importorskip("dask.array")


@pytest.fixture
def rows():
    rng = np.random.default_rng(3)
    return rng.dirichlet(np.ones(9), size=(2, 40))


def lazy(array, *chunks):
    return da.from_array(array, chunks=chunks)


@pytest.mark.parametrize("name", ROWWISE)
def test_lazy(name, rows):
    p, q = rows
    result = call(fastdiv, name, lazy(p, 7, -1), lazy(q, 7, -1))
    assert isinstance(result, da.Array)
    assert np.array_equal(result.compute(), call(fastdiv, name, p, q))


@pytest.mark.parametrize(
    "options", [{"axis": 0}, {"keepdims": True}, {"base": 2}, {"pseudocount": 0.5}, {"nan_policy": "omit"}]
)
def test_options(options, rows):
    p, q = rows
    if options.get("nan_policy"):
        p = p.copy()
        p[3, 2], p[5] = np.nan, np.nan
    chunks = (-1, 4) if options.get("axis") == 0 else (7, -1)
    result = fastdiv.kl_divergence(lazy(p, *chunks), lazy(q, *chunks), **options)
    assert isinstance(result, da.Array)
    expected = fastdiv.kl_divergence(p, q, **options)
    assert result.shape == expected.shape
    np.testing.assert_array_equal(result.compute(), expected)


def test_one_baseline_in_memory(rows):
    p, q = rows
    result = fastdiv.js_distance(lazy(p, 7, -1), q[0])
    assert isinstance(result, da.Array)
    assert np.array_equal(result.compute(), fastdiv.js_distance(p, q[0]))


def test_stack_and_counts(rows):
    p, q = rows
    stack = np.stack([p, q, p + q], axis=1)
    assert np.array_equal(
        fastdiv.js_divergence(lazy(stack, 7, -1, -1)).compute(), fastdiv.js_divergence(stack)
    )
    counts = (p * 100).astype(np.int8)
    assert np.array_equal(fastdiv.entropy(lazy(counts, 7, -1)).compute(), fastdiv.entropy(counts))
    assert fastdiv.entropy(lazy(p.astype("f4"), 7, -1)).compute().dtype == np.float32


def test_events(rows):
    p = rows[0]
    assert np.array_equal(fastdiv.binary_entropy(lazy(p, 7, -1)).compute(), fastdiv.binary_entropy(p))


def test_what_cannot_be_lazy(rows):
    p = lazy(rows[0], 7, -1)
    for options in ({"nan_policy": "raise"}, {"out": np.empty(40)}):
        with pytest.raises(TypeError, match="computed later"):
            fastdiv.entropy(p, **options)
