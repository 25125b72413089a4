"""Logarithms whose exponentials are no doubles: masks of -1e9, and far beyond."""

import itertools

import numpy as np
import oracle
import oracle_gradients
import pytest
from calls import call
from mpmath import mp

import fastdiv.grad

LARGE = [0.0, 904.4924567151611], [0.6444683324019742, 2.8701466356032874]
CASES = [
    ("renyi_divergence", *LARGE, {"alpha": 0.05}),
    ("renyi_divergence", *LARGE, {"alpha": 7.0, "normalize": False}),
    ("bhattacharyya_distance", *LARGE, {"normalize": False}),
    ("renyi_divergence", [107.0, -0.25], [107.000008, -0.26], {"alpha": 0.0, "normalize": False}),
    ("kl_divergence", [2.0, 0.0, -202.0], [0.0, 735.0, -385.0], {"normalize": False}),
    ("cross_entropy", [616.0, 0.0, 856.0], [-1.0, 0.0, 0.0], {"normalize": False}),
]


@pytest.mark.parametrize(("name", "p", "q", "options"), CASES)
def test_against_the_oracle(level, name, p, q, options):
    with mp.workdps(900):
        _, truths = oracle_gradients.gradient(name, p, q, more_digits=600, log_input=True, **options)
    got = call(fastdiv.grad, name, p, q, log_input=True, **options)
    for found, truth in zip(got[1:], truths, strict=True):
        want = [float(t) for t in truth]
        np.testing.assert_allclose(found, want, rtol=5e-11, atol=1e-13 * min(1.0, max(map(abs, want))))


FAR = (800.0, 2000.0, 1e5, 1e9, 1e20, 1e100)
ORDERS = (1e-290, 1e-5, 0.3, 0.5, 0.9999, 2.0, 7.0)


def masked(far):
    """Rows that differ in a bin next to nothing in one and in both, where it may still be part of the sum."""
    for near in (40.0, 400.0, far / 2, far - 1):
        for a, b in itertools.permutations((-near, -far)):
            yield [0.0, a, 0.1], [0.001, b, 0.1]
            yield [a, a - 0.5, 0.1], [b, b + 0.25, 0.1]


POWERS = [("renyi_divergence", {"alpha": alpha}) for alpha in ORDERS] + [("chi_square", {})]


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(("name", "options"), POWERS)
def test_powers_of_masked_logits(level, name, options, normalize):
    """0 inf = NaN sent rows of which a bin underflows to a way that has no digits for near rows."""
    options = {**options, "normalize": normalize, "log_input": True}
    for p, q in itertools.chain.from_iterable(map(masked, FAR)):
        true = oracle.truth(name, p, q, more_digits=350, **options)
        if 1e-280 < abs(true) < 1e300:
            found = call(fastdiv, name, p, q, **options)
            assert abs(found - true) <= 1e-12 * abs(true), (p, q, found, float(true))


@pytest.mark.parametrize("alpha", [5e-324, 1e-310, 1e-290, 1e-272])
def test_small_orders_times_large_logarithms(level, alpha):
    """alpha KL(q, p) is not the value where alpha log p is not small."""
    for p, q in (([0, -1e300], [0, 0]), ([0, -1e290], [0, 0.5]), ([0, -1e280, 1], [0, 5, -1e308])):
        options = {"alpha": alpha, "log_input": True}
        with mp.workdps(700):
            true = oracle.truth("renyi_divergence", p, q, more_digits=450, **options)
        found = call(fastdiv, "renyi_divergence", p, q, **options)
        assert abs(found - true) <= 1e-12 * abs(true), (p, q, found, float(true))


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize(("name", "options"), POWERS[1:])
def test_slopes_of_powers_of_masked_logits(level, name, options, normalize):
    options = {**options, "normalize": normalize, "log_input": True}
    for p, q in itertools.chain.from_iterable(map(masked, FAR)):
        with mp.workdps(600):
            value, truths = oracle_gradients.gradient(name, p, q, more_digits=350, **options)
        if abs(value) > 1e300:  # no double, of which there are no slopes
            continue
        got = call(fastdiv.grad, name, p, q, **options)
        for found, truth in zip(got[1:], truths, strict=True):
            want = [float(t) for t in truth]
            most = max(map(abs, want))
            if most > 1e-14:  # what is left of slopes near their mean
                np.testing.assert_allclose(found, want, rtol=5e-11, atol=1e-13 * most, err_msg=f"{p} {q}")
