"""Orders beyond all powers: W_p goes to the largest distance, its plan and gradient with it."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

import fastdiv
import fastdiv.grad

ORDERS = [999, 1e6, 1e9, 1e15, 1e300, 1.7e308]


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("scale", [1e-300, 1.0, 1e300])
@pytest.mark.parametrize("seed", range(2))
def test_plan_and_gradient(p, scale, seed):
    rng = np.random.default_rng(seed)
    u, v = rng.normal(size=5) * scale, rng.normal(size=4) * scale
    x, y = np.sort(np.repeat(u, 4)), np.sort(np.repeat(v, 5))
    gaps = [abs(Fraction(s) - Fraction(t)) for s, t in zip(x.tolist(), y.tolist(), strict=True)]
    largest = max(gaps)
    with mpmath.workdps(60):
        parts = [g / largest for g in gaps]
        mean = sum((mpmath.mpf(g.numerator) / g.denominator) ** mpmath.mpf(p) for g in parts) / 20
        root = mean ** (1 / mpmath.mpf(p))
        exact = float(mpmath.mpf(largest.numerator) / largest.denominator * root)
    plan, slopes = fastdiv.transport_plan(u, v, p=p), fastdiv.grad.wasserstein_distance(u, v, p=p)
    assert plan.distance == pytest.approx(exact, rel=1e-14)
    assert slopes.value == plan.distance
    assert fastdiv.wasserstein_distance(u, v, p=p) == pytest.approx(exact, rel=1e-14)
    assert np.isfinite([*slopes.u_values, *slopes.v_values]).all()
    assert not np.isnan([*slopes.u_weights, *slopes.v_weights, *plan.u_potential, *plan.v_potential]).any()
    # only the largest distance counts, whose slope is m (d / W)^(p-1) = m^(1/p); d / W is rounded to an ulp
    if 1e6 <= p <= 1e9:
        share = gaps.count(largest) / 20
        assert np.abs(slopes.u_values).max() == pytest.approx(share ** (1 / p), rel=4e-16 * p + 1e-12)
