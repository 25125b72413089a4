"""A NaN is seen where counts alone would tell the distance: samples apart, constant, spikes, with weights."""

import numpy as np
import pytest

import fastdiv

RNG = np.random.default_rng(12)
PAIRS = {
    "apart": (RNG.normal(size=3000) + 1000, RNG.normal(size=3000)),
    "constants": (np.full(3000, 1.0), np.full(3000, 2.0)),
    "a constant and a law": (np.full(12000, 4.0), RNG.normal(size=1200)),
    "a spike and a tail": (np.where(RNG.random(5000) < 0.8, 0.0, RNG.lognormal(size=5000)), -np.ones(6000)),
}
DISTANCES = ("ks_distance", "wasserstein_distance", "energy_distance", "cramer_distance")


@pytest.mark.parametrize("name", DISTANCES)
@pytest.mark.parametrize("pair", PAIRS)
@pytest.mark.parametrize("heavy", [None, 1.0, 0.0])
def test_a_nan_is_not_lost(level, name, pair, heavy):
    distance = getattr(fastdiv, name)
    for u, v in (PAIRS[pair], PAIRS[pair][::-1]):
        x, at = u.copy(), len(u) // 3
        x[at] = np.nan
        a = None if heavy is None else np.where(np.arange(len(u)) == at, heavy, 1.0 + np.arange(len(u)) % 3)
        b = None if heavy is None else np.ones(len(v))
        assert np.isnan(distance(x, v, a, b))
        kept = np.delete(x, at)
        expected = distance(kept, v, None if a is None else np.delete(a, at), b)
        np.testing.assert_allclose(distance(x, v, a, b, nan_policy="omit"), expected, rtol=1e-13)
        with pytest.raises(ValueError, match="missing"):
            distance(x, v, a, b, nan_policy="raise")


@pytest.mark.parametrize("pair", PAIRS)
def test_infinities_have_a_place(level, pair):
    """KS of values at an infinity is that of values beyond all others."""
    u, v = PAIRS[pair]
    for end in (-np.inf, np.inf):
        x, y = u.copy(), u.copy()
        x[7], y[7] = end, np.copysign(1e9, end)
        assert fastdiv.ks_distance(x, v) == fastdiv.ks_distance(y, v)
