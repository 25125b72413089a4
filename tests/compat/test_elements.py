"""Terms of relative entropies on every instruction set, in any layout and at the ends of the doubles;
squareform of any numbers."""

import mpmath
import numpy as np
import pytest
from scipy.spatial import distance

from fastdiv.compat import scipy as ours

NAMES = ["rel_entr", "kl_div"]
ENDS = [5e-324, 1e-310, 2.0**-1022, 2.0**-801, 2.0**-800, 1e-30, 0.3, 1.0, 2.0**60, 2.0**61, 1e200, 1.7e308]


def exact(name, x, y):
    with mpmath.workdps(60):
        u, v = mpmath.mpf(x), mpmath.mpf(y)
        return u * mpmath.log(u / v) + (v - u if name == "kl_div" else 0)


@pytest.mark.parametrize("name", NAMES)
def test_any_two_doubles(name, level):
    pairs = [(x, y) for x in ENDS for y in [*ENDS, x * (1 + 2.0**-40), x * 1.3, x * 0.7] if y < np.inf]
    x, y = np.array(pairs).T
    got = getattr(ours, name)(x, y)
    for a, b, value in zip(x.tolist(), y.tolist(), got.tolist(), strict=True):
        want = exact(name, a, b)
        if abs(want) > mpmath.mpf(2) ** 1024:
            assert value == (np.inf if want > 0 else -np.inf), (a, b)
        else:
            assert abs(value - want) <= mpmath.mpf("2e-15") * abs(want) + 2 * mpmath.mpf(5e-324), (a, b)
    assert (getattr(ours, name)(x, x) == 0).all()


@pytest.mark.parametrize("name", NAMES)
def test_layouts(name):
    f, rng = getattr(ours, name), np.random.default_rng(0)
    x, y = rng.random((2, 60, 80))
    x[3, 5], y[7, 9], x[20, 20], x[21, 21] = 0, 0, np.nan, 1e30
    want = f(x.ravel(), y.ravel()).reshape(x.shape)
    np.testing.assert_array_equal(f(x.T, y.T).T, want)
    np.testing.assert_array_equal(f(x[:, ::2], y[:, ::2]), want[:, ::2])
    for value in (x, y):  # in place
        into = value.copy()
        other = (into, y) if value is x else (x, into)
        assert f(*other, out=into) is into
        np.testing.assert_array_equal(into, want)
    assert f(x[0, 0], y[0, 0]) == want[0, 0]
    single = x.astype("f4"), y.astype("f4")
    np.testing.assert_array_equal(f(*single), f(*(v.astype("f8") for v in single)).astype("f4"))


@pytest.mark.parametrize("dtype", ["?", "i1", "u2", "f4", "f8", "c16", "U3", "M8[s]"])
def test_squareform(dtype):
    rng = np.random.default_rng(1)
    for n in (1, 2, 3, 31, 32, 33, 70, 140):
        X = rng.integers(0, 100, n * (n - 1) // 2).astype("i8").astype(dtype)
        M = ours.squareform(X)
        i, j = np.triu_indices(n, 1)
        assert (M.dtype, M.shape) == (X.dtype, (n, n))
        for part, want in ((M[i, j], X), (M[j, i], X), (M.diagonal(), np.zeros(n, dtype))):
            np.testing.assert_array_equal(part, want)
        np.testing.assert_array_equal(ours.squareform(M, checks=False), X)
        if dtype == "f8":
            np.testing.assert_array_equal(M, distance.squareform(X))
            np.testing.assert_array_equal(ours.squareform(M), X)
    assert ours.squareform(np.zeros((0, 0))).shape == (0,)


def test_what_is_no_square():
    M = np.ones((200, 200)) - np.eye(200)
    M[150, 3] = 2
    with pytest.raises(ValueError, match="X must be symmetric"):
        ours.squareform(M)
    M[3, 150] = M[150, 3] = np.nan
    with pytest.raises(ValueError, match="X must be symmetric"):
        ours.squareform(M)
    for n in (2, 4, 5, 7):
        with pytest.raises(ValueError, match=rf"whole n, not {n}"):
            ours.squareform(np.ones(n))
    with pytest.raises(ValueError, match="X must hold numbers, not object"):
        ours.squareform(np.array([None, 1, 2]))
