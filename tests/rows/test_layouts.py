"""Every layout and every dtype gives the bits of contiguous float64, and no input is ever written to."""

import copy
import math

import numpy as np
import pandas as pd
import pytest
import zoo
from calls import BASELESS, ELEMENTWISE, PAIRED, ROWWISE, TWINS, call

import fastdiv

both = pytest.mark.parametrize("library", TWINS.values(), ids=TWINS)
measures = pytest.mark.parametrize("name", ROWWISE)


def rows(seed=0, shape=(5, 37)):
    rng = np.random.default_rng(seed)
    return rng.dirichlet(np.full(shape[-1], 0.5), size=shape[:-1])


def same_bits(a, b):
    a, b = np.asarray(a), np.asarray(b)
    assert a.dtype == b.dtype
    assert a.shape == b.shape
    assert a.tobytes() == b.tobytes(), (a, b)


# --- layouts and dtypes --------------------------------------------------------------------------------


@both
@measures
@pytest.mark.parametrize("layout", zoo.LAYOUTS)
def test_layout(library, name, layout):
    p, q = rows(1), rows(2)
    expected = call(library, name, p, q)
    lay = zoo.LAYOUTS[layout]
    for a, b in ((lay(p), lay(q)), (lay(p), q), (p, lay(q))):
        before = copy.deepcopy((a, b))
        same_bits(call(library, name, a, b), expected)
        for now, then in zip((a, b), before, strict=True):
            same_bits(now, then)


@measures
@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">i4", "f4"])
@pytest.mark.parametrize("n", [1, 6, 19, 513, 2048, 2049, 5000])
def test_counts_are_read_as_they_are(name, dtype, n):
    """Short rows are copied once, long ones a block at a time; strided ones entry by entry."""
    rng = np.random.default_rng(n)
    p, q = rng.integers(0, 2 if dtype == "?" else 100, (2, 6, n)).astype(dtype)
    p[:, 0], q[:, 0] = 1, 1
    wide = np.zeros((6, 3 * n), dtype)
    wide[:, ::3] = p
    real = [x.astype(float) for x in (p, q)]
    expected, one = call(fastdiv, name, *real), call(fastdiv, name, real[0][2], real[1])
    if dtype == "f4":
        expected, one = expected.astype(dtype), one.astype(dtype)
    if dtype == "f4" and n > 128 and name in ("js_divergence", "js_distance"):  # in single precision
        single, single_one = call(fastdiv, name, p, q), call(fastdiv, name, p[2], q)
        for have, want in ((single, expected), (single_one, one)):
            np.testing.assert_allclose(have, want, rtol=8e-7)
        expected, one = single, single_one
    same_bits(call(fastdiv, name, p, q), expected)
    same_bits(call(fastdiv, name, wide[:, ::3], q), expected)
    same_bits(call(fastdiv, name, p.T, q.T, axis=0), expected)
    same_bits(call(fastdiv, name, np.ascontiguousarray(p.T), np.ascontiguousarray(q.T), axis=0), expected)
    same_bits(call(fastdiv, name, p[2], q), one)


def test_the_largest_integers():
    p, q = np.array([2**63 - 1, 2**62, 3]), np.array([2**53 + 1, 2**60 + 1, 5])
    for dtype in ("i8", "u8"):
        same_bits(
            fastdiv.kl_divergence(p.astype(dtype), q.astype(dtype)), fastdiv.kl_divergence(1.0 * p, 1.0 * q)
        )
    p = np.array([2**64 - 1, 1], "u8")
    same_bits(fastdiv.entropy(p), fastdiv.entropy(p.astype(float)))


@both
@measures
@pytest.mark.parametrize("n", [1, 2, 7, 8, 15, 16, 17, 31, 33, 64, 129, 1000])
def test_one_row_or_many(library, name, n):
    """A pair alone, a batch, a batch in reverse and a strided batch: the same bits for the same rows."""
    p, q = rows(3, (6, n)) + 1e-9, rows(4, (6, n)) + 1e-9
    q[1] = p[1] * (1 + 1e-9 * np.arange(n))
    q[2] = p[2]
    batch = call(library, name, p, q)
    same_bits([call(library, name, a, b) for a, b in zip(p, q, strict=True)], batch)
    same_bits(call(library, name, p[::-1], q[::-1])[::-1], batch)
    same_bits(call(library, name, p[::2], q[::2]), batch[::2])


@both
@measures
@pytest.mark.parametrize("dtype", zoo.DTYPES)
def test_dtype(library, name, dtype):
    """Whatever fits float64 exactly is computed as float64; float32 alone returns float32."""
    rng = np.random.default_rng(6)
    low, high = (0, 2) if dtype == "bool" else (1, 100)
    p, q = (rng.integers(low, high, size=(4, 19)).astype(dtype) for _ in range(2))
    got = call(library, name, p, q)
    expected = call(library, name, p.astype(np.float64), q.astype(np.float64))
    if dtype == "f4":
        assert got.dtype == np.float32
        same_bits(got, expected.astype(np.float32))
        if name != "entropy":
            same_bits(call(library, name, p, q.astype(np.float64)), expected)
            same_bits(call(library, name, p.astype(np.float64), q), expected)
            same_bits(call(library, name, p, q.astype(np.int32)), expected)
    else:
        same_bits(got, expected)


@both
@pytest.mark.parametrize("name", ELEMENTWISE)
def test_events(library, name):
    """Elementwise: any shape, any layout, float32 in and out."""
    measure = getattr(library, name)
    p = rows(7)
    expected = measure(p)
    assert expected.shape == p.shape
    for layout, lay in zoo.LAYOUTS.items():
        given = lay(p)
        if layout != "frame":
            same_bits(measure(given), expected)
        same_bits(np.asarray(given), np.asarray(lay(p)))
    assert measure(p.astype(np.float32)).dtype == np.float32
    assert measure(0.25).shape == ()
    assert measure(np.zeros((0, 3))).shape == (0, 3)
    assert measure([True, False]).dtype == np.float64


@both
@measures
def test_float32_of_any_kind(library, name):
    """Byte-swapped and misaligned float32 is float32."""
    p, q = rows(1).astype("f4"), rows(2).astype("f4")
    expected = call(library, name, p, q)
    for lay in (zoo.byte_swapped, zoo.misaligned, zoo.strided, zoo.fortran, zoo.read_only):
        same_bits(call(library, name, lay(p), lay(q)), expected)


@both
@measures
def test_pandas(library, name):
    p, q = rows(1), rows(2)
    same_bits(call(library, name, pd.Series(p[0]), pd.Series(q[0])), call(library, name, p[0], q[0]))
    columns = pd.DataFrame({"a": p[0], "b": p[1]}), pd.DataFrame({"a": q[0], "b": q[1]})
    same_bits(call(library, name, *columns, axis=0), call(library, name, p[:2], q[:2]))


@both
@measures
def test_integers_beyond_float32(library, name):
    p, q = np.array([2**40 + 1, 7, 9]), np.array([2**40 + 3, 7, 9], np.uint64)
    same_bits(call(library, name, p, q), call(library, name, p.astype(float), q.astype(float)))


# --- axis, keepdims, broadcasting ----------------------------------------------------------------------


@both
@measures
@pytest.mark.parametrize("axis", [0, 1, 2, -1, -2, -3])
def test_axis(library, name, axis):
    p, q = rows(1, (3, 4, 5)), rows(2, (3, 4, 5))
    expected = call(library, name, p, q)
    given = np.moveaxis(p, -1, axis), np.moveaxis(q, -1, axis)
    for p_, q_ in (given, tuple(np.ascontiguousarray(a) for a in given)):
        same_bits(call(library, name, p_, q_, axis=axis), expected)
        kept = call(library, name, p_, q_, axis=axis, keepdims=True)
        same_bits(kept, np.expand_dims(expected, axis))
        same_bits(call(library, name, p_, q_, axis=np.int8(axis)), expected)


@both
@pytest.mark.parametrize("name", PAIRED)
def test_broadcasting(library, name):
    p, q = rows(1, (4, 1, 6)), rows(2, (3, 6))
    expected = np.array([[call(library, name, a[0], b) for b in q] for a in p])
    same_bits(call(library, name, p, q), expected)
    same_bits(call(library, name, p[0, 0], q), expected[0])
    same_bits(call(library, name, p[:, 0], q[0]), expected[:, 0])
    whole = np.broadcast_to(p, (4, 3, 6)), np.broadcast_to(q, (4, 3, 6))
    same_bits(call(library, name, *whole), expected)
    # `axis` counts in each array by itself
    same_bits(call(library, name, p[:, 0].T, q[0], axis=0), expected[:, 0])
    constant = np.broadcast_to(np.float64(2.0), (5, 6))
    same_bits(call(library, name, constant, p[:1, 0]), call(library, name, constant.copy(), p[:1, 0]))


@both
@measures
def test_no_rows(library, name):
    """Zero rows: an empty result of the right shape and dtype."""
    for shape in ((0, 3), (2, 0, 3)):
        got = call(library, name, np.zeros(shape), np.zeros(shape))
        assert got.shape == shape[:-1]
        assert got.dtype == np.float64
    assert call(library, name, np.zeros((0, 3), "f4"), np.zeros((0, 3), "f4")).dtype == np.float32
    assert call(library, name, np.zeros((3, 0)), np.zeros((3, 0)), axis=0, keepdims=True).shape == (1, 0)


@both
@measures
def test_scalars(library, name):
    """One row: a NumPy scalar, not an array."""
    value = call(library, name, [1, 2], [2, 1])
    assert isinstance(value, np.float64)
    assert call(library, name, [1, 2], [2, 1], keepdims=True).shape == (1,)


@both
@pytest.mark.parametrize("name", ["js_divergence", "js_distance"])
def test_stack_axes(library, name):
    """A stack: the distributions lie on the axis before the bins, wherever the bins were."""
    measure = getattr(library, name)
    stack = rows(1, (2, 3, 5))
    expected = np.array([measure(s) for s in stack])
    same_bits(measure(stack), expected)
    same_bits(measure(np.moveaxis(stack, -1, 0), axis=0), expected)
    same_bits(measure(stack.transpose(0, 2, 1), axis=1), expected)
    same_bits(measure(stack.tolist()), expected)
    assert measure(stack, keepdims=True).shape == (2, 1, 1)
    assert measure(np.moveaxis(stack, -1, 0), axis=0, keepdims=True).shape == (1, 2, 1)
    assert measure(stack.astype(np.float32)).dtype == np.float32
    assert measure(np.zeros((0, 3, 5))).shape == (0,)
    for lay in zoo.LAYOUTS.values():
        same_bits(measure(lay(stack[0])), expected[0])


# --- out -----------------------------------------------------------------------------------------------


@both
@measures
def test_out(library, name):
    p, q = rows(1), rows(2)
    expected = call(library, name, p, q)
    for out in (np.empty(5), np.empty(10)[::2], np.empty(5)[::-1], zoo.misaligned(np.empty(5))):
        assert call(library, name, p, q, out=out) is out
        same_bits(out, expected)
    kept = np.empty((5, 1))
    assert call(library, name, p, q, out=kept, keepdims=True) is kept
    same_bits(kept[:, 0], expected)
    single = np.empty(5, np.float32)
    call(library, name, p.astype("f4"), q.astype("f4"), out=single)
    same_bits(single, call(library, name, p.astype("f4"), q.astype("f4")))
    nought = np.empty(())
    assert call(library, name, p[0], q[0], out=nought) is nought
    assert nought == expected[0]


@both
@measures
def test_out_over_an_input(library, name):
    """``out`` may lie in an input: the result is that of separate memory."""
    p, q = rows(1, (6, 6)), rows(2, (6, 6))
    expected = call(library, name, p, q)
    for place in (np.s_[0], np.s_[3], np.s_[:, 2], np.s_[::-1, 0]):
        shared = p.copy()
        call(library, name, shared, q, out=shared[place])
        same_bits(shared[place], expected)


# --- both twins ----------------------------------------------------------------------------------------

OPTIONS = [
    {},
    {"normalize": False},
    {"pseudocount": 0.3},
    {"log_input": True},
    {"log_input": True, "normalize": False},
    {"nan_policy": "omit"},
    {"nan_policy": "omit", "log_input": True},
    {"nan_policy": "omit", "pseudocount": 0.3},
    {"nan_policy": "omit", "normalize": False},
    {"keepdims": True},
    {"axis": 0},
]


@measures
@pytest.mark.parametrize("options", OPTIONS, ids=str)
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_twins_agree(name, options, dtype):
    """Values, NaN and inf are those of the twin, zeros and missing values included."""
    rng = np.random.default_rng(8)
    p, q = rng.dirichlet(np.full(12, 0.3), size=(2, 12)).round(3)
    p[0] = 0.0
    p[1, 3], q[2, 4] = np.nan, np.nan
    p[3], q[4, :] = np.nan, np.nan
    q[5] = p[5]
    if options.get("log_input"):
        with np.errstate(divide="ignore"):
            p, q = np.log(p), np.log(q)
    p, q = p.astype(dtype), q.astype(dtype)
    bases = [None] if name in BASELESS else [None, 2, 10.0]
    for more in ({"base": b} if b else {} for b in bases):
        got, expected = (call(library, name, p, q, **options, **more) for library in TWINS.values())
        assert got.dtype == expected.dtype == np.dtype(dtype)
        np.testing.assert_allclose(got, expected, rtol=1e-12 if dtype == "f8" else 2**-23, atol=1e-14)


@pytest.mark.parametrize(
    "alpha", [0, 1e-8, 0.2, 0.5, 0.7, 1 - 1e-9, 1, 1 + 1e-9, 1.5, 3, 50, 1e4, 1e300, math.inf]
)
def test_renyi_twins_agree(alpha):
    p, q = rows(1, (9, 23)).round(2), rows(2, (9, 23)).round(2)
    q[0] = p[0]
    q[1] = p[1] * (1 + 1e-9 * np.arange(23))
    q[2] += 0.001
    got, expected = (library.renyi_divergence(p, q, alpha) for library in TWINS.values())
    np.testing.assert_allclose(got, expected, rtol=1e-12, atol=0)


@pytest.mark.parametrize("weights", [None, [1, 2, 3], [0, 1, 1], [1e-300, 1, 1], np.float32([3, 2, 1])])
@pytest.mark.parametrize("options", OPTIONS, ids=str)
def test_stack_twins_agree(weights, options):
    stack = rows(1, (4, 3, 8)).round(2)
    stack[1, :, 2] = np.nan
    stack[2, 1] = 0.0
    stack[3, 1:] = stack[3, 0]
    if options.get("axis") == 0:
        stack = stack.transpose(2, 0, 1)
    if options.get("log_input"):
        with np.errstate(divide="ignore"):
            stack = np.log(stack)
    for name in ("js_divergence", "js_distance"):
        got, expected = (getattr(lib, name)(stack, weights=weights, **options) for lib in TWINS.values())
        np.testing.assert_allclose(got, expected, rtol=1e-12, atol=1e-15)


def test_threads_do_not_change_bits():
    """Any number of threads: the same bits, for a batch large enough to use them."""
    p, q = rows(1, (3000, 100)), rows(2, (3000, 100))
    before = fastdiv.num_threads()
    try:
        for name in ROWWISE:
            results = []
            for threads in (1, 2, 3):
                fastdiv.set_num_threads(threads)
                results.append(call(fastdiv, name, p, q))
            same_bits(results[0], results[1])
            same_bits(results[0], results[2])
    finally:
        fastdiv.set_num_threads(before)


def test_one_row_against_the_rows_it_begins():
    """Two operands that begin at one place are not the same rows."""
    X = rows(3, (5, 8))
    for name in PAIRED:
        same_bits(call(fastdiv, name, X[0], X), call(fastdiv, name, X[0].copy(), X))
        same_bits(call(fastdiv, name, X, X[0]), call(fastdiv, name, X, X[0].copy()))
        same_bits(call(fastdiv, name, X[:, None], X[None]), call(fastdiv, name, X[:, None].copy(), X[None]))
    square = rows(4, (6, 6))
    for name in PAIRED:
        same_bits(call(fastdiv, name, square, square.T), call(fastdiv, name, square.copy(), square.T))
