"""Kullback-Leibler of rows that are not normalised: sum x log(x/y), taken one way or the other."""

import numpy as np
import oracle
import pytest

import fastdiv

FACTORS = (1e-3, 0.5, 0.97, 0.999, 1.0, 1.001, 1.03, 2.0, 1e3)


def pairs_of_masses(n, eps, seed):
    """Rows that agree up to `eps` (None: unrelated), the second ones times FACTORS; some bins are empty."""
    rng = np.random.default_rng([n, seed])
    p = rng.dirichlet(np.ones(n), len(FACTORS)) * 7 + 1e-9
    q = (
        rng.dirichlet(np.ones(n), len(FACTORS)) + 1e-9
        if eps is None
        else p * (1 + eps * rng.uniform(-1, 1, p.shape))
    )
    p[::2, 0] = 0
    return p, q * np.array(FACTORS)[:, None]


@pytest.mark.parametrize("n", [2, 20, 77, 513])
@pytest.mark.parametrize("eps", [None, 0.9, 0.3, 0.1, 1e-3, 1e-9])
def test_truth(level, n, eps):
    p, q = pairs_of_masses(n, eps, 1)
    got = fastdiv.kl_divergence(p, q, normalize=False)
    columns = fastdiv.kl_divergence(
        np.ascontiguousarray(p.T), np.ascontiguousarray(q.T), axis=0, normalize=False
    )
    for row, (x, y) in enumerate(zip(p, q, strict=True)):
        truth = oracle.truth("kl_divergence", x, y, normalize=False)
        size = oracle.magnitude("kl_divergence", x, y, normalize=False)
        alone = fastdiv.kl_divergence(x, y, normalize=False)
        assert alone.tobytes() == got[row].tobytes() == columns[row].tobytes()
        assert abs(oracle.mpf(float(alone)) - truth) <= max(1e-12 * abs(truth), 2e-15 * size), (
            row,
            size / truth,
        )


@pytest.mark.parametrize("eps", [None, 0.3, 1e-3, 1e-9])
def test_logarithms(level, eps):
    p, q = (np.log(np.maximum(x, 1e-200)) for x in pairs_of_masses(20, eps, 2))
    got = fastdiv.kl_divergence(p, q, normalize=False, log_input=True)
    for row, (x, y) in enumerate(zip(p, q, strict=True)):
        truth = oracle.truth("kl_divergence", x, y, normalize=False, log_input=True)
        size = oracle.magnitude("kl_divergence", x, y, normalize=False, log_input=True)
        assert abs(oracle.mpf(float(got[row])) - truth) <= max(1e-12 * abs(truth), 2e-15 * size), row


def test_both_ways_are_taken():
    """About a value of 1/32 of the mass, from which terms are added as they stand."""
    p = np.full(50, 0.02)
    for factor in (0.9685, 0.9690, 0.9692, 0.9695):
        truth = oracle.truth("kl_divergence", p, factor * p, normalize=False)
        got = fastdiv.kl_divergence(p, factor * p, normalize=False)
        assert abs(oracle.mpf(float(got)) - truth) <= 1e-14 * truth
