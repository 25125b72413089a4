"""The last bin alone tells two rows apart, by a mass that no sum can see: it counts, at any length."""

import numpy as np
import pytest
from calls import PAIRED, SYMMETRIC, call

import fastdiv

SIZES = (1, 2, 15, 16, 17, 18, 31, 32, 33, 47, 48, 49, 65, 129, 513)


def rows(n):
    rng = np.random.default_rng(n)
    p = rng.random((20, n)) + 0.5
    q = p.copy()
    p[:, -1] *= 1e-20
    q[:, -1] = p[:, -1] * rng.uniform(0.1, 10.0, 20)
    return p, q


@pytest.mark.parametrize("n", SIZES)
def test_symmetric_to_the_bit(level, n):
    p, q = rows(n)
    for name in SYMMETRIC:
        for k in range(len(p)):
            assert call(fastdiv, name, p[k], q[k]) == call(fastdiv, name, q[k], p[k]), name
        assert call(fastdiv, name, p, q).tolist() == call(fastdiv, name, q, p).tolist()


@pytest.mark.parametrize("n", SIZES[1:])
def test_it_counts(level, n):
    """1/2 |x - y| of the last bin and as much of all others: twice the last; other measures are not 0."""
    p, q = rows(n)
    shares = [(a[:, -1].astype(float) / a[:, :-1].sum(1)) for a in (p, q)]
    np.testing.assert_allclose(fastdiv.total_variation(p, q), abs(shares[0] - shares[1]), rtol=1e-10)
    for name in PAIRED:
        if name != "cross_entropy":
            assert (call(fastdiv, name, p, q) > 0).all(), name
    for shift in (0, 100):
        stacks = np.stack([p, q, p], axis=1)
        stacks[:, :, -1] *= 2.0**-shift
        assert (fastdiv.js_divergence(stacks) > 0).all()
