"""cdist "wasserstein" of masses to 1e-12 of values down to 1e-30, any width, pseudocount and float32."""

from fractions import Fraction

import numpy as np
import pytest

import fastdiv

RNG = np.random.default_rng(11)


def exact(p, q, places, pseudocount):
    """sum over the gaps of |F - G|; a pseudocount is added in double precision."""
    p, q = ([Fraction(float(x) + pseudocount) for x in row] for row in (p, q))
    P, Q, between, total = sum(p), sum(q), Fraction(0), Fraction(0)
    for x, y, start, end in zip(p, q, places, places[1:], strict=False):
        between += x / P - y / Q
        total += abs(between) * (Fraction(float(end)) - Fraction(float(start)))
    return total


def rows_of(kind, bins, decades, dtype):
    X = 10.0 ** RNG.uniform(-decades, decades * (kind == "tops"), (5, bins))
    if kind == "near":
        X[1:] = X[0] * (1 + 10.0 ** RNG.uniform(-16, -8) * RNG.uniform(-1, 1, (4, bins)))
    if kind == "one digit":
        X[1:] = X[0]
        X[1, RNG.integers(bins)] *= 1 + 2.0 ** -RNG.integers(1, 52)
        X[2, -1], X[3], X[4, 0] = 0, 3 * X[0], 2 * X[4, 0]
    return X.astype(dtype)


@pytest.mark.parametrize("kind", ["any", "tops", "near", "one digit"])
@pytest.mark.parametrize(("dtype", "decades"), [(float, 1), (float, 30), (float, 150), (np.float32, 18)])
@pytest.mark.parametrize("pseudocount", [0.0, 1e-20, 0.5, 1e5])
def test_against_rationals(kind, dtype, decades, pseudocount):
    for bins in (2, 3, 7, 12) * 2:
        X = rows_of(kind, bins, decades, dtype)
        places = np.cumsum(10.0 ** RNG.uniform(-5, 5, bins)) if RNG.random() < 0.6 else np.arange(bins)
        D = fastdiv.cdist(X, X, "wasserstein", support=places, pseudocount=pseudocount)
        promised = D > 1e-30
        np.testing.assert_array_equal(D[promised], D.T[promised])
        for i in range(5):
            for j in range(i):
                true = exact(X[i], X[j], places, pseudocount)
                if true == 0:
                    assert D[i, j] == 0
                elif true > Fraction(1, 10**30):
                    error = abs(Fraction(float(D[i, j])) - true) / true
                    assert error < (5e-6 if dtype is np.float32 else 1e-12), (float(true), D[i, j])


def test_rows_in_proportion_are_at_no_distance():
    counts = RNG.integers(0, 1000, (6, 40)) * 1.0
    counts[:, 0] += 1
    assert np.array_equal(np.diag(fastdiv.cdist(counts, 7 * counts, "wasserstein")), np.zeros(6))
    tails = np.exp(-(np.arange(30.0) ** 2))
    tails = np.array([tails, tails[::-1]])
    assert np.array_equal(np.diag(fastdiv.cdist(tails, tails * 2.0**100, "wasserstein")), [0, 0])
