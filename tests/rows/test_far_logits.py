"""Derivatives by logarithms whose exponentials are no doubles."""

import numpy as np
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
