"""Renyi's order infinity: the largest ratio of shares and the first bin that has it, for certain."""

import math
from fractions import Fraction

import mpmath
import numpy as np
import pytest

from fastdiv import grad, renyi_divergence


def ratios(p, q):
    """Of shares, as fractions; None where p has no mass."""
    p, q = ([Fraction(float(x)) for x in row] for row in (p, q))
    return [x * sum(q) / (y * sum(p)) if x else None for x, y in zip(p, q, strict=True)]


def largest(p, q):
    of = ratios(p, q)
    most = max(ratio for ratio in of if ratio is not None)
    return of.index(most), most


def log(ratio):
    with mpmath.workdps(60):
        return mpmath.log1p(mpmath.mpf((ratio - 1).numerator) / (ratio - 1).denominator)


def pairs(kind, many=300):
    """Rows of which few bins hold nearly all mass, or whose ratios tie, or all but tie."""
    rng = np.random.default_rng(len(kind))
    for _ in range(many):
        n = int(rng.integers(2, 9))
        if kind == "one bin holds nearly all":
            p = np.r_[1.0, 10.0 ** -rng.uniform(5, 25, n - 1)]
            q = rng.choice([1, 0.93, 1 / 3, 3.7, 0.7]) * p
            q[1:] *= 1 + 10.0 ** -rng.uniform(0.3, 14, n - 1)
        elif kind == "equal bins hold nearly all":
            p = np.r_[1.0, 1.0, 3.0, 10.0 ** -rng.uniform(5, 25, n)]
            q = 3 * p
            q[3:] *= 1 + 10.0 ** -rng.uniform(0.3, 14, n)
        elif kind == "counts that tie":
            p = rng.integers(1, 6, n).astype(float)
            q = p * rng.choice([1, 2, 3], n)
        else:
            p = rng.integers(1, 1 << 53, n).astype(float)
            q = np.nextafter(p * rng.choice([1, 3]), rng.choice([0, np.inf], n))
        yield p, q


@pytest.mark.parametrize(
    "kind", ["one bin holds nearly all", "equal bins hold nearly all", "counts that tie", "all but ties"]
)
def test_against_fractions(level, kind):
    for p, q in pairs(kind):
        at, most = largest(p, q)
        truth = log(most)
        got = renyi_divergence(p, q, math.inf)
        assert abs(mpmath.mpf(got) - truth) <= 1e-12 * truth, (kind, list(p), list(q), got, truth)
        if truth > 0:
            value, by_p, by_q = grad.renyi_divergence(p, q, math.inf)
            assert value == got
            assert np.argmax(by_p * p) == at, (kind, list(p), list(q))
            assert np.argmin(by_q * q) == at, (kind, list(p), list(q))


def test_first_of_logits_that_tie(level):
    rng = np.random.default_rng(0)
    for _ in range(300):
        p = rng.integers(-20, 20, 6) / 8
        q = p - rng.integers(0, 3, 6) / 4
        if np.ptp(p - q) == 0:
            continue
        _, by_p, by_q = grad.renyi_divergence(p, q, math.inf, log_input=True)
        assert np.argmax(by_p) == np.argmin(by_q) == np.argmax(p - q)


def test_far_apart(level):
    """Masses that do not multiply, and those whose ratio is no double."""
    for p, q in (
        ([1e-300, 1.0, 1e-310], [1e-308, 1.0, 1e-300]),
        ([1e300, 1e-300], [1e-300, 1e300]),
        ([5e-324, 1e-300, 1.0], [1e-323, 3e-300, 1.0]),
    ):
        at, most = largest(p, q)
        assert abs(mpmath.mpf(renyi_divergence(p, q, math.inf)) - log(most)) <= 1e-12 * log(most)
        assert np.argmax(grad.renyi_divergence(p, q, math.inf)[1] * p) == at
