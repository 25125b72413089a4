"""Masses as they stand whose top bins agree, and rows that are in proportion but for their last digits."""

import itertools

import numpy as np
import pytest
from oracle import truth

import fastdiv

SYMMETRIC = [
    "jeffreys_divergence",
    "js_divergence",
    "js_distance",
    "total_variation",
    "hellinger_distance",
    "triangular_discrimination",
    "bhattacharyya_distance",
]
MEASURES = [*SYMMETRIC[:-1], "kl_divergence", "chi_square"]
ROWS = [  # the value is that of bins which 2^-1023 has made 0
    ([1e308, 1.2e5, 1.324592456954239e-07], [1e308, 1.2e5, 1.3245977244575136e-07]),
    ([1e308, 6.478e-10], [1e308, 0.0]),
    ([0.0, 1e300, 3.0], [2.0, 1e300, 3.0]),
    ([1e308, 5.6e-49, 8.17060332184782e-26], [1e308, 6.3e-16, 2.0079366247512855e143]),
    (
        [1.29e298, 5.012866555511677e128, 1.2e50],
        [1.29e298, 5.0128665555116774e128, 1.1e50],
    ),  # x y = 0
    ([1e308, 1e150, 2e-160], [1e308, 1e150, 1e-150]),
]


@pytest.mark.parametrize("name", MEASURES)
def test_equal_tops_of_masses_as_they_stand(name):
    measure = getattr(fastdiv, name)
    for p, q in ROWS:
        with np.errstate(divide="ignore"):
            found, true = measure(p, q, normalize=False), truth(name, p, q, normalize=False)
        if true != true or abs(true) < 1e-300:
            continue
        assert found == float(true) or abs(found - true) <= 1e-12 * abs(true), (p, q, float(true))
        np.testing.assert_array_equal(fastdiv.cdist([p], [q], name, normalize=False), [[found]])


@pytest.mark.parametrize("name", SYMMETRIC)
@pytest.mark.parametrize("pseudocount", [0.0, 1e-20, 1e-3, 7.0])
def test_rows_nearly_in_proportion_are_symmetric(level, name, pseudocount):
    """Rounded multiples of one row: their shares differ by less than the digit that tells their order."""
    rng, measure = np.random.default_rng(5), getattr(fastdiv, name)
    for bins in (2, 3, 8, 130):
        p = rng.random((60, bins))
        both = (
            np.concatenate([p + pseudocount, 3 * p + 3 * pseudocount, 5.1 * p + 5.1 * pseudocount])
            - pseudocount
        )
        both = both.reshape(3, 60, bins)
        for a, b in itertools.combinations(both, 2):
            there = measure(a, b, pseudocount=pseudocount)
            back = measure(b, a, pseudocount=pseudocount)
            np.testing.assert_array_equal(there, back)
        matrix = fastdiv.cdist(both[0], both[1], name, pseudocount=pseudocount)
        back = fastdiv.cdist(both[1], both[0], name, pseudocount=pseudocount)
        np.testing.assert_array_equal(matrix, back.T)
