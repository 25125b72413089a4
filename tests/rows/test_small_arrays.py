"""The door for small arrays gives what the long way gives: values, shapes, dtypes, errors."""

import itertools
import math

import numpy as np
import oracle
import pytest
from calls import ROWWISE, call
from numpy.lib.stride_tricks import as_strided

import fastdiv
import fastdiv.grad
from fastdiv.grad._faces import ONLY


class LongWay:
    """The measures without the door."""

    def __getattr__(self, name):
        return getattr(fastdiv, name).__wrapped__.__wrapped__


def long_way(name, p, q, **options):
    return call(LongWay(), name, p, q, **options)


@pytest.mark.parametrize("name", ROWWISE)
def test_any_layout(name):
    """Steps of any size and sign, columns of tables, an axis that is repeated, and lists."""
    rng = np.random.default_rng(6)
    for dtype in ("f8", "f4", "i8", "u1", ">f8"):
        x, y = rng.integers(1, 90, (2, 12, 40)).astype(dtype)
        layouts = {
            "gaps": lambda a: a[::3, ::2],
            "backwards": lambda a: a[::-1, ::-1],
            "Fortran": np.asfortranarray,
            "turned": lambda a: a.T,
            "column": lambda a: a[:, 3],
            "backwards alone": lambda a: a[2, ::-1],
            "repeated": lambda a: np.broadcast_to(a[:, :1], a.shape),
            "off": lambda a: np.frombuffer(b"." + a.tobytes(), a.dtype, offset=1).reshape(a.shape),
            "no step": lambda a: as_strided(a, (3, 4, 1), (4 * a.itemsize, a.itemsize, 0)),
            "nor from row to row": lambda a: as_strided(a, (1, 3, 4), (0, 4 * a.itemsize, a.itemsize)),
            "axes": lambda a: a.reshape(3, 4, 40).transpose(1, 0, 2),
            "list": lambda a: a[1].tolist(),
            "lists": lambda a: a.tolist(),
        }
        for what, laid in layouts.items():
            for options in ({}, {"axis": 0}, {"pseudocount": 1}):
                pairs = [(laid(x), laid(y))]
                if name != "entropy" and np.ndim(laid(x)) > 1 and "axis" not in options:
                    one = np.ascontiguousarray(np.asarray(laid(y))[0])
                    pairs += [(laid(x), one), (one[::-1], laid(x))]
                for p, q in pairs:
                    got, expected = call(fastdiv, name, p, q, **options), long_way(name, p, q, **options)
                    assert (got.dtype, got.shape) == (expected.dtype, expected.shape), what
                    assert got.tobytes() == expected.tobytes(), (dtype, what, options)


@pytest.mark.parametrize("name", [name for name in ROWWISE if name != "entropy"])
def test_unlike_types(name):
    """Counts against shares, lists against arrays: of values and of gradients."""
    rng = np.random.default_rng(7)
    dtypes = ("f8", "f4", "f2", "i8", "u8", "i4", "u1", "?", ">f8", ">i4")
    for first, second in itertools.product(dtypes, dtypes):
        x, y = rng.integers(1, 90, (2, 6, 5))
        p, q = x.astype(first), y.astype(second)
        for given in ((p, q), (p[0], q[0]), (p[0], q), (p.tolist(), q), (p[0].tolist(), q[0]), (p.T, q.T)):
            for options in ({}, {"axis": 0}, {"pseudocount": 0.5}):
                if "axis" in options and np.ndim(given[0]) != np.ndim(given[1]):
                    continue
                got, expected = call(fastdiv, name, *given, **options), long_way(name, *given, **options)
                assert (got.dtype, got.shape) == (expected.dtype, expected.shape), (first, second)
                assert got.tobytes() == expected.tobytes(), (first, second, options)
        grad = getattr(fastdiv.grad, name)
        rest = () if name != "renyi_divergence" else (2.0,)
        for a, b in ((p, q), (p[0], q[0]), (p[0].tolist(), q[0])):
            are_alike(grad(a, b, *rest), grad.__wrapped__.__wrapped__(a, b, *rest))


class Name(str):
    """The name of an option that is not the string that was written in code."""


@pytest.mark.parametrize("name", ROWWISE)
@pytest.mark.parametrize("library", [fastdiv, fastdiv.grad], ids=["value", "gradient"])
def test_however_it_is_called(library, name):
    """By place, by name, too much of it, too little: the same value, or Python's own words."""
    p, q = np.array([0.25, 0.75]), np.array([0.5, 0.5])
    calls = [
        ((), {}), ((p,), {}), ((p, q), {}), ((p, q, 2.0), {}), ((p, q, 2.0, 3.0), {}),
        ((), {"p": p}), ((), {"q": q}), ((), {"q": q, "p": p}), ((p,), {"q": q}),
        ((p, q), {"p": p}), ((p, q), {"q": q}),
        ((p, q), {"alpha": 2.0}), ((p,), {"q": q, "alpha": 2.0, "base": 2}), ((p, q, 2.0), {"alpha": 2.0}),
        ((p, q), {"alpha": 2.0, "none": 1}), ((p,), {"axes": 0}), ((p, q), {Name("axis"): 0}),
        ((p, q), {Name("alpha"): 2.0, "ax" + "is": -1}), ((p, q), {"normalize": Name("no"), "alpha": 2.0}),
    ]  # fmt: skip
    face = getattr(library, name)
    for args, options in calls:
        outcomes = []
        for run in (face, face.__wrapped__.__wrapped__):
            try:
                outcomes.append(np.concatenate([np.ravel(x) for x in np.atleast_1d(run(*args, **options))]))
            except (TypeError, ValueError) as error:
                outcomes.append(f"{type(error).__name__}: {error}")
        if isinstance(outcomes[1], str):
            assert outcomes[0] == outcomes[1], (args, options)
        else:
            np.testing.assert_array_equal(*outcomes, err_msg=f"{args} {options}")


@pytest.mark.parametrize(
    "p", [["a"], [None, 1.0], [1.0, "2"], [[1.0], [2.0, 3.0]], [1j], [], [2**70, 1], [[]]]
)
def test_lists_of_something_else(p):
    """Whatever comes in as a list is refused in the words of the long way."""
    with pytest.raises((TypeError, ValueError)) as expected:
        long_way("kl_divergence", p, p)
    with pytest.raises(expected.type) as got:
        fastdiv.kl_divergence(p, p)
    assert str(got.value) == str(expected.value)


@pytest.mark.parametrize("name", ROWWISE)
@pytest.mark.parametrize("shape", [(7,), (1, 64), (3, 5), (2, 3, 4), (1, 1, 1)])
def test_as_the_long_way(name, shape):
    rng = np.random.default_rng(3)
    for dtype in ("f8", "f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", ">f8", "f2", "?"):
        p, q = (rng.integers(1, 90, (2, *shape))).astype(dtype)
        for options in ({}, {"pseudocount": 0.5}, {"normalize": False}, {"axis": -1}, {"axis": 0}):
            got, expected = call(fastdiv, name, p, q, **options), long_way(name, p, q, **options)
            assert type(got) is type(expected)
            assert got.dtype == expected.dtype
            assert got.shape == expected.shape
            assert got.tobytes() == expected.tobytes(), (dtype, options)


@pytest.mark.parametrize("name", [name for name in ROWWISE if name != "entropy"])
def test_one_for_all(name):
    """A vector against a table, either way, and what does not fit."""
    rng = np.random.default_rng(4)
    for dtype in ("f8", "f4", "i8"):
        one, many = rng.integers(1, 90, 6).astype(dtype), rng.integers(1, 90, (2, 20, 6)).astype(dtype)
        for p, q in ((one, many[0]), (many[0], one), (one, many), (many, one), (many[:, :1], many)):
            got, expected = call(fastdiv, name, p, q), long_way(name, p, q)
            assert (got.dtype, got.shape) == (expected.dtype, expected.shape)
            assert got.tobytes() == expected.tobytes(), dtype
        for p, q in ((one[:5], many), (many, one[:5]), (one, one[:5])):
            with pytest.raises(ValueError, match=r"5.*6|6.*5"):
                call(fastdiv, name, p, q)


def with_gaps(x):
    """Which gradients' door does not take."""
    return np.repeat(x, 2, axis=-1)[..., ::2]


def are_alike(got, expected):
    assert type(got) is type(expected)
    for one, other in zip(got, expected, strict=True):
        assert type(one) is type(other)
        if one is not None:
            assert (one.dtype, one.shape) == (other.dtype, other.shape)
            assert one.tobytes() == other.tobytes()


@pytest.mark.parametrize("name", ROWWISE)
@pytest.mark.parametrize("shape", [(7,), (1, 64), (9, 5), (2, 3, 40), (1, 1, 1), (2, 200)])
def test_gradients_as_the_long_way(name, shape):
    """Whichever of them is asked for, as fastdiv.torch asks."""
    rng = np.random.default_rng(3)
    options = [{}, {"pseudocount": 0.5}, {"normalize": False}, {"axis": -1}, {"axis": 0}, {"log_input": True}]
    options += [{"nan_policy": "omit"}]
    if name == "cross_entropy":
        options += [{"log_input": "q", "base": 2}, {"log_input": "q", "pseudocount": 1}]
    for dtype in ("f8", "f4", "i8", ">f8", "f2"):
        p, q = rng.integers(1, 90, (2, *shape)).astype(dtype)
        for given in options:
            for only in (None, "p", "q"):
                before = ONLY.set(only)
                got = call(fastdiv.grad, name, p, q, **given)
                expected = call(fastdiv.grad, name, with_gaps(p), with_gaps(q), **given)
                ONLY.reset(before)
                are_alike(got, expected)


@pytest.mark.parametrize("shape", [(7,), (1, 64), (9, 5), (2, 3, 40), (1, 1, 1), (2, 200)])
@pytest.mark.parametrize("dtype", ["f8", "f4"])
def test_logits_as_the_long_way(shape, dtype):
    rng = np.random.default_rng(6)
    p, q = rng.dirichlet(np.ones(shape[-1]), shape[:-1]).astype(dtype), rng.normal(size=shape).astype(dtype)
    labels = rng.integers(0, shape[-1], shape[:-1])
    for options in ({}, {"base": 10.0}, {"normalize": False}, {"pseudocount": 0.1}):
        got = fastdiv.cross_entropy(p, q, log_input="q", **options)
        expected = fastdiv.cross_entropy(with_gaps(p), q, log_input="q", **options)
        are_alike((got,), (expected,))
    for kind in (np.int64, np.int32):
        got = fastdiv.grad.softmax_cross_entropy(q, labels.astype(kind))
        are_alike(got, fastdiv.grad.softmax_cross_entropy(with_gaps(q), labels))


def test_a_gradient_that_is_none_is_refused_by_either_way():
    g, p, one = fastdiv.grad, np.array([1.0, 2.0]), np.array([1.0, 0.0])
    for x in (p, with_gaps(p)):
        with pytest.raises(ValueError, match="q has no mass in bin 1, where p has some"):
            g.kl_divergence(x, one)
        with pytest.raises(ValueError, match="negative mass"):
            g.js_divergence(x, -one)
        with pytest.raises(TypeError, match="unexpected keyword argument 'out'"):
            g.js_divergence(x, one, out=None)
        with pytest.raises(ValueError, match="no meaning with log_input"):
            g.js_divergence(x, one, log_input=True, pseudocount=1)
        with pytest.raises(TypeError, match="log_input must be True or False"):
            g.entropy(x, log_input="q")
        with pytest.raises(ValueError, match="missing"):
            g.cross_entropy(x * np.nan, one, log_input="q", nan_policy="raise")
        with pytest.raises(ValueError, match=r"labels\[1\] must be a class from 0 to 1, not 2"):
            g.softmax_cross_entropy(np.array([x, x]), np.array([1, 2]))
        with pytest.raises(ValueError, match="the class has no mass"):
            g.softmax_cross_entropy(np.array([[0.0, -np.inf]]), np.array([1]))


@pytest.mark.parametrize("shape", [(4,), (2, 4)])
def test_what_is_no_row(shape):
    for dtype in ("f8", "f4"):
        p = np.ones(shape, dtype)
        p[..., 1] = math.nan
        assert np.isnan(fastdiv.kl_divergence(p, np.ones(shape, dtype))).all()
        assert fastdiv.kl_divergence(p, np.ones(shape, dtype), nan_policy="omit").max() == 0
        with pytest.raises(ValueError, match="missing value"):
            fastdiv.kl_divergence(p, np.ones(shape, dtype), nan_policy="raise")
    with pytest.raises(ValueError, match="negative"):
        fastdiv.kl_divergence(np.full(shape, -1), np.ones(shape, int))
    assert np.isnan(fastdiv.kl_divergence(np.zeros(shape, int), np.ones(shape, int))).all()
    with pytest.raises(ValueError, match="bins"):
        fastdiv.kl_divergence(np.ones(shape), np.ones((*shape[:-1], 3)))


@pytest.mark.parametrize("n", [100, 600, 3000])
@pytest.mark.parametrize("bad", [-1e-30, math.inf, math.nan])
def test_a_pseudocount_hides_nothing(n, bad):
    p, q = np.random.default_rng(4).dirichlet(np.ones(n), 2)
    p[n // 2], q[0] = 0.0, -0.0
    whole = fastdiv.kl_divergence(p, q, pseudocount=0.5)
    truth = oracle.truth("kl_divergence", p + 0.5, q + 0.5)
    assert abs(whole - truth) <= 1e-12 * truth
    p[n // 2] = bad
    if math.isnan(bad):
        assert math.isnan(fastdiv.kl_divergence(p, q, pseudocount=0.5))
    else:
        with pytest.raises(ValueError, match=str(n // 2)):
            fastdiv.kl_divergence(p, q, pseudocount=0.5)


@pytest.mark.parametrize("alpha", [0.2, 0.5, 0.9, 2.0, 3.0, 40.0])
def test_renyi_of_masses_as_they_stand(level, alpha):
    """Rows that the loop sums, rows whose sum is no double, rows that share no bin."""
    rng = np.random.default_rng(5)
    p, q = rng.gamma(0.5, size=(2, 9, 50)) + 1e-6
    p[0, :25] = q[1, 25:] = 0
    p[2] *= 1e5
    q[3] *= 1e-200
    p[4, :25] = q[4, 25:] = 0
    got = fastdiv.renyi_divergence(p, q, alpha, normalize=False)
    for value, x, y in zip(got, p, q, strict=True):
        truth = oracle.truth("renyi_divergence", x, y, alpha=alpha, normalize=False)
        if math.isinf(truth):
            assert value == truth
        else:
            assert abs(value - truth) <= 1e-12 * max(abs(truth), 1.0)
