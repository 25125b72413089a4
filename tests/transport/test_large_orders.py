"""Orders beyond all powers: W_p goes to the largest distance, its plan and gradient with it."""

from fractions import Fraction

import mpmath
import numpy as np
import pytest

import fastdiv
import fastdiv.grad
from fastdiv import plan as plans

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


@pytest.mark.parametrize("p", [0.0, 1.0, 2.5, 511.5, 600.0, 5000.0, 1e5])
def test_powers_beyond_the_doubles(p):
    """To some ulps times the order: a mantissa's rounding is raised as it is."""
    for x, exponent in ((1.7, 0), (0.3, 5), (1e-310, -1000), (1e300, 3000), (5e-324, 1)):
        mantissa, binary = plans.power(x, exponent, p)
        with mpmath.workdps(40):
            exact = (mpmath.mpf(x) * mpmath.mpf(2) ** exponent) ** p
            got = mpmath.mpf(mantissa) * mpmath.mpf(2) ** binary
            assert abs(got / exact - 1) < 1e-15 * (1 + p)


@pytest.mark.parametrize("p", [999, 1500.5, 1e5])
@pytest.mark.parametrize("gap", [1 - 2.0**-9, 1 + 2.0**-9, 1.5])
def test_cost_of_large_orders(p, gap):
    """Where it is a double, whatever its halves and sums are; else infinite, or 0."""
    with mpmath.workdps(40):
        exact = float(mpmath.mpf(gap) ** p)
    plan = fastdiv.transport_plan([0.0], [gap], p=p)
    assert plan.cost == pytest.approx(exact, rel=1e-15 * p, abs=0)
    assert plan.certificate().area == pytest.approx(exact, rel=1e-15 * p, abs=0)
