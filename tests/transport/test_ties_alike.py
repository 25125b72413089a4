"""Samples of few values: the same bits alone and in a matrix; distances whose squares are no doubles."""

import numpy as np
import pytest
from oracle_transport import exact

import fastdiv

RNG = np.random.default_rng(13)


def tail(n):
    return np.where(RNG.random(n) < 0.6, 7, RNG.lognormal(12, 2, n)).astype(np.int64)


LAWS = {
    "few, far out": lambda n: RNG.integers(2**64 - 3, 2**64 - 1, n, dtype=np.uint64, endpoint=True),
    "few, far down": lambda n: -(2**63) + RNG.integers(0, 7, n) ** 2,
    "spike and tail": tail,
    "spike and tail, far out": lambda n: 2**60 + tail(n),
}


@pytest.mark.parametrize("name", LAWS)
@pytest.mark.parametrize(("n", "m"), [(2499, 8192), (12000, 9000)])
def test_integers_as_they_come_and_in_a_matrix(level, name, n, m):
    u, v = LAWS[name](n), LAWS[name](m)
    for distance in (fastdiv.wasserstein_distance, fastdiv.ks_distance, fastdiv.cramer_distance):
        alone, gaps = distance(u, v), distance(np.repeat(u, 2)[::2], v)
        assert distance(u[None], v[None]).tobytes() == alone.tobytes() == gaps.tobytes()


def test_an_integer_beyond_doubles_is_not_one_that_is_counted(level):
    u, v = tail(12000), tail(9000)
    u[:3000] = 2**53 + 1
    total = sum(
        abs(int(x) - int(y)) for x, y in zip(np.sort(np.repeat(u, 3)), np.sort(np.repeat(v, 4)), strict=True)
    )
    assert abs(exact(fastdiv.wasserstein_distance(u, v)) * 36000 / total - 1) < 1e-14


@pytest.mark.parametrize("step", [5e-324, 1e-310, 1e-300])
def test_squares_that_are_no_doubles(level, step):
    """(step / n)^(1/2), where a value in n differs by a step: n^-2 step is 0."""
    u = step * (np.arange(4000) % 3)
    v = u.copy()
    v[0] = step
    expected = np.sqrt(step) / 4000
    np.testing.assert_allclose(fastdiv.cramer_distance(u, v), expected, rtol=1e-12, atol=0)
    np.testing.assert_allclose(fastdiv.energy_distance(u, v), np.sqrt(2) * expected, rtol=1e-12, atol=0)
    assert fastdiv.energy_distance(u, u[::-1]) == 0
