"""The door for small arrays gives what the long way gives: values, shapes, dtypes, errors."""

import math

import numpy as np
import oracle
import pytest
from calls import ROWWISE, call

import fastdiv


def long_way(name, p, q, **options):
    """Arrays with gaps do not come in by the door."""
    gaps = [np.repeat(x, 2, axis=-1)[..., ::2] for x in (p, q)]
    return call(fastdiv, name, *gaps, **options)


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
