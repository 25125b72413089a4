"""The exponential of the loops (log.h, exp_table.h): shares beside a class that has all the mass there is."""

import numpy as np
import pytest
from mpmath import mp

from fastdiv import grad


def shares(logits: np.ndarray) -> np.ndarray:
    """exp of each logit below -40: beside a class at 0 that is its share, and the derivative by it."""
    return grad.softmax_cross_entropy(np.concatenate([[0.0], logits]), 0)[1][1:]


def ulps(logits: np.ndarray) -> np.ndarray:
    got = shares(logits)
    with mp.workdps(40):
        truth = [mp.exp(mp.mpf(float(v))) for v in logits]
        errors = [abs(mp.mpf(float(g)) - t) for g, t in zip(got, truth, strict=True)]
        return np.array([float(e / np.spacing(float(t))) for e, t in zip(errors, truth, strict=True)])


BOUND = {"base": 1.0, "avx2": 1.0, "avx512": 1.3}  # exp_table.h: the table is rounded too


def test_an_ulp_everywhere(level):
    logits = -np.random.default_rng(0).uniform(40.0, 708.0, 4000)
    assert ulps(logits).max() < BOUND[level]


def test_an_ulp_at_the_ends_of_sixteenths(level):
    """There what the table leaves is largest."""
    logits = -(np.arange(60 * 16, 1020 * 16, 5) + 0.5) * np.log(2.0) / 16
    assert ulps(logits).max() < BOUND[level]


@pytest.mark.parametrize("toward", [-np.inf, np.inf])
def test_an_ulp_where_the_power_of_two_changes(level, toward):
    """There what is left of the exponent is largest, and the polynomial good to what it has to be."""
    logits = -(np.arange(60, 1020) + 0.5) * np.log(2.0)
    assert ulps(np.nextafter(logits, toward * np.abs(logits))).max() < BOUND[level]


def test_none_below_the_normal_numbers(level):
    assert shares(np.array([-707.9, -708.1, -1e300, -np.inf])).tolist()[1:] == [0.0, 0.0, 0.0]
    assert shares(np.array([-707.9]))[0] > 2.0**-1022


def test_a_share_less_one(level):
    """The class at the top keeps the digits of what the others hold, and one below it has at most a half."""
    for gap in (1e-3, 1.0, 30.0, 40.0, 300.0, 700.0):
        rows = np.array([[0.0, gap], [gap, 0.0], [gap, gap]] * 8)
        with mp.workdps(340):
            rest = [1 / (1 + mp.exp(gap)), 1 / (1 + mp.exp(gap)), mp.mpf(1) / 2]
        want = [-float(rest[i % 3]) for i in range(24)]
        labels = np.array([1, 0, 1] * 8)
        beside = grad.softmax_cross_entropy(rows, labels)[1]
        alone = [grad.softmax_cross_entropy(row, label)[1] for row, label in zip(rows, labels, strict=True)]
        assert np.array_equal(beside, alone)
        np.testing.assert_allclose(beside[np.arange(24), labels], want, rtol=1e-14)
        low = grad.softmax_cross_entropy(rows[:2], [0, 1])[1]
        np.testing.assert_allclose(low[[0, 1], [0, 1]], [-1.0 - w for w in want[:2]], rtol=1e-14)
