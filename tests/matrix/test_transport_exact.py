"""W1 of rows of masses, in matrices: against exact rationals, at every size of the value."""

from fractions import Fraction
from itertools import accumulate

import numpy as np
import pytest

import fastdiv


def exact_w1(p, q, places):
    """The area between two cumulative distribution functions."""
    p, q, places = ([Fraction(float(x)) for x in row] for row in (p, q, places))
    F, G = ([c / sum(row) for c in accumulate(row)] for row in (p, q))
    return sum(
        abs(f - g) * (t - s) for f, g, s, t in zip(F[:-1], G[:-1], places[:-1], places[1:], strict=True)
    )


def close(got, true):
    """The promise for measures of first order in the differences: 1e-12, or 1e-30 of the width."""
    return abs(Fraction(float(got)) - true) <= Fraction(1e-12) * true + Fraction(1e-30)


@pytest.mark.parametrize("decades", [3, 20, 40, 300])
@pytest.mark.parametrize("near", [0.0, 1e-9, 1e-15])
def test_rows_that_span_decades(decades, near):
    """Where shares are small, or rows all but agree, W1 is below the rounding of a distribution function."""
    rng = np.random.default_rng(decades)
    for n in (2, 3, 7, 40):
        X = 10.0 ** rng.uniform(-decades, 0, (5, n))
        X[:2, rng.integers(n)] = 1.0
        if near:
            X[1:] = X[:1] * (1 + near * rng.random((4, n)))
        places = np.cumsum(rng.random(n)) - 1 if n % 2 else np.arange(n)
        places = places / (places[-1] - places[0])
        D = fastdiv.cdist(X, X, "wasserstein", support=places)
        condensed = fastdiv.pdist(X, "wasserstein", support=places)
        distances, where = fastdiv.knn(X, X, 5, "wasserstein", support=places)
        assert np.array_equal(condensed, D[np.triu_indices(5, 1)])
        assert np.array_equal(distances, np.sort(D, axis=1))
        assert np.array_equal(where, np.argsort(D, axis=1, kind="stable"))
        for i in range(5):
            assert D[i, i] == 0
            for j in range(i):
                true = exact_w1(X[i], X[j], places)
                assert close(D[i, j], true), (n, i, j)
                assert D[i, j] == D[j, i]
                assert close(fastdiv.wasserstein_hist(X[i], X[j], support=places), true), (n, i, j)


def test_where_rows_agree_their_distribution_functions_do(level):
    """Each is rounded once from a sum of two doubles: another order of the masses before leaves no trace."""
    rng = np.random.default_rng(1)
    for n in (40, 131, 300, 515):
        first = np.sort(rng.random((5, 8)), axis=1)
        rest = np.tile(1e-3 * rng.random(n - 8), (5, 1))
        rest[:, -1] = 9.0  # in no distribution function, so that these are small and no pair is done again
        p, q = (np.concatenate([part, rest], axis=1) for part in (first, first[:, ::-1]))
        D = fastdiv.cdist(p, q, "wasserstein")
        for i in range(len(p)):
            F, G = (list(accumulate(map(Fraction, row[:8].tolist()))) for row in (p[i], q[i]))
            true = sum(abs(f - g) for f, g in zip(F, G, strict=True)) / sum(map(Fraction, p[i].tolist()))
            assert abs(Fraction(float(D[i, i])) - true) <= Fraction(2e-15) * true, n
