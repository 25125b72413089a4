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


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
def test_rows_in_other_chunks(rows, axis):
    """Along whichever axis the bins are, and however it is counted."""
    p, q = (x if axis in (1, -1) else x.T for x in rows)
    chunks = [(7, -1), (8, -1)] if axis in (1, -1) else [(-1, 7), (-1, 8)]
    with pytest.raises(ValueError, match="p and q have chunks of other lengths"):
        fastdiv.kl_divergence(*(lazy(x, *c) for x, c in zip((p, q), chunks, strict=True)), axis=axis)
    with pytest.raises(ValueError, match="p is cut into 6 chunks of rows, but q is in memory in one piece"):
        fastdiv.kl_divergence(lazy(p, *chunks[0]), q, axis=axis)
    same = fastdiv.kl_divergence(lazy(p, *chunks[0]), lazy(q, *chunks[0]), axis=axis)
    assert np.array_equal(same.compute(), fastdiv.kl_divergence(p, q, axis=axis))


def test_stacks_whose_rows_are_in_chunks_of_their_own(rows):
    """Neither bins nor what is mixed may be cut."""
    stack = np.stack([*rows, sum(rows)], axis=1)
    for cut, axis, of in (
        ((7, 2, -1), -1, -2),
        ((7, -1, 2), -1, -1),
        ((7, 2, -1), 1, 1),
        ((7, -1, 2), 1, -1),
    ):
        with pytest.raises(ValueError, match=f"p is cut into . chunks along axis {of}, where one is needed"):
            fastdiv.js_divergence(lazy(stack, *cut), axis=axis)
