"""Rows as they stand that all but sum to 1: the logarithm of what is left keeps its digits."""

from random import Random

import numpy as np
import oracle
import pytest
from calls import call
from mpmath import mp

import fastdiv

ORDERS = (0.0, 0.01, 0.3, 0.5, 0.999, 1.001, 2.0, 7.0, float("inf"))


def _rows(random):
    """Shares that are off 1 by anything, and others near them."""
    n = random.choice([1, 2, 3, 10, 40])
    p = np.random.default_rng(random.randrange(10**6)).dirichlet(np.ones(n))
    if random.random() < 0.5:
        p = p * (1 + random.uniform(-1, 1) * 10 ** random.uniform(-14, -1))
    near = 10 ** random.uniform(-9, -1)
    q = np.array([x * (1 + random.uniform(-1, 1) * near) for x in p])
    if random.random() < 0.2:  # beside what the loops cannot take
        p[0] = q[0] = 1e-250
    return p, q


@pytest.mark.parametrize("log_input", [False, True])
@pytest.mark.parametrize("name", ["renyi_divergence", "bhattacharyya_distance", "kl_divergence"])
def test_rows_as_they_stand(level, name, log_input):
    random, checked = Random(f"{name} {log_input}"), 0
    for _ in range(60):
        p, q = _rows(random)
        options = {"normalize": False, "log_input": log_input}
        options |= {"alpha": random.choice(ORDERS)} if name == "renyi_divergence" else {}
        if log_input:
            p, q = np.log(p), np.log(q)
        with mp.workdps(300):
            truth = oracle.truth(name, p, q, more_digits=100, **options)
            if abs(truth) < 1e-30:
                continue
            matrix = fastdiv.cdist([p], [q], name, **options)[0, 0]
            for got in (call(fastdiv, name, p, q, **options), matrix):
                assert abs(got - truth) <= 1e-12 * abs(truth), (options, p, q)
            checked += 1
    assert checked > 30


def test_the_reported_pair(level):
    """It was off by 1.7e-7 of itself and more."""
    p = [0.25, 0.75]
    q = [0.25 * (1 - 2**-31), 0.75 * (1 - 2**-31)]
    truth = oracle.truth("bhattacharyya_distance", p, q, normalize=False)
    assert 2e-10 < truth < 3e-10
    assert abs(fastdiv.bhattacharyya_distance(p, q, normalize=False) - truth) <= 1e-12 * truth


def test_log_softmax_sums_to_1_but_for_its_roundings(level):
    z = np.random.default_rng(3).normal(size=50)
    p, q = (x - np.log(np.exp(x).sum()) for x in (z, z + 1e-7 * np.sin(np.arange(50.0))))
    for alpha in (0.25, 0.5, 2.0):
        truth = oracle.truth("renyi_divergence", p, q, alpha=alpha, normalize=False, log_input=True)
        got = fastdiv.renyi_divergence(p, q, alpha, normalize=False, log_input=True)
        assert abs(got - truth) <= 1e-12 * abs(truth)
