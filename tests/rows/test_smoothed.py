"""Pseudocounts, added and weighed in one pass: the bits of rows that have theirs already, nothing hidden."""

import numpy as np
import pytest

import fastdiv

SCALARS = ("f4", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8")


@pytest.mark.parametrize("n", [65, 512, 513, 2048, 2049])
@pytest.mark.parametrize("add", [0.5, 1e-300, 1e40])
def test_bits_of_the_sum(level, n, add):
    """Whatever the blocks: -0, no mass in a bin, sums that overflow or are far from one."""
    p, q = np.random.default_rng(n).gamma(0.3, size=(2, 6, n))
    p[:, 3], q[1, -1], p[2, 0] = 0.0, -0.0, -0.0
    p[3] *= 1e306
    q[4] *= 1e-200
    for function in (fastdiv.kl_divergence, fastdiv.js_divergence, fastdiv.cross_entropy):
        for options in ({}, {"normalize": False}):
            smoothed = function(p, q, pseudocount=add, **options)
            assert smoothed.tobytes() == function(p + add, q + add, **options).tobytes(), (function, options)
    assert fastdiv.entropy(p, pseudocount=add).tobytes() == fastdiv.entropy(p + add).tobytes()


@pytest.mark.parametrize("n", [65, 513, 2048, 2049])
@pytest.mark.parametrize("value", [-0.25, -5e-324, np.inf, -np.inf])
def test_a_mistake_is_not_hidden(level, n, value):
    for i in (0, 17, n - 1):
        for other in (1.0, 1e307):  # the sum of the block before it may overflow
            p, q = np.full((2, n), other)
            q[i] = value
            for pair in ((p, q), (q, p)):
                with pytest.raises(ValueError, match=rf"bin {i}\b"):
                    fastdiv.kl_divergence(*pair, pseudocount=0.5)


@pytest.mark.parametrize("n", [65, 513, 2048])
def test_a_missing_bin_stays_missing(level, n):
    p, q = np.ones((2, n))
    q[n - 1] = np.nan
    assert np.isnan(fastdiv.kl_divergence(p, q, pseudocount=0.5))


@pytest.mark.parametrize("n", [1, 3, 10, 20, 33, 64])
@pytest.mark.parametrize("scalar", SCALARS)
def test_numbers_of_any_kind_side_by_side(level, n, scalar):
    """Rows of few bins, contiguous and every other one: as float64."""
    p, q = np.random.default_rng(n).integers(0, 100, (2, 40, n)).astype(scalar)
    for x, y in ((p, q), (p[::2], q[::2])):
        expected = fastdiv.js_divergence(x.astype("f8"), y.astype("f8"), pseudocount=0.5)
        got = fastdiv.js_divergence(x, y, pseudocount=0.5)
        assert got.tobytes() == expected.astype(got.dtype).tobytes()
