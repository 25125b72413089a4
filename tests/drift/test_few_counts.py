"""The law of bins with hardly any counts: every table of up to 4 bins, against all ways to deal them out."""

import itertools
from math import comb, isnan, prod

import numpy as np
import pytest

from fastdiv import js_divergence
from fastdiv.drift import compare
from fastdiv.drift.noise import bins_law


@pytest.mark.parametrize("bins", [2, 3, 4])
def test_every_table_has_a_law(bins):
    """Three values apart, one of them on one side, ended in a division by zero."""
    for p in itertools.product(range(3), repeat=bins):
        for q in itertools.product(range(3), repeat=bins):
            if not sum(p) or not sum(q) or 0 in map(sum, zip(p, q, strict=True)):
                continue
            for ends in (None, (True, True)):
                law = bins_law(np.array(p), np.array(q), 0.5, ends)
                assert 0 <= law.p <= 1
                assert not any(isnan(x) for x in (law.js, law.kl, law.psi))


def test_means_are_those_of_all_tables():
    """E JS over every way to deal out, each with its chance: hypergeometric."""
    for pooled, n in (((1, 1, 1), 1), ((2, 3, 4), 4), ((1, 2, 9, 5), 6), ((8, 9, 7, 10), 12)):
        total = 0.0
        for p in itertools.product(*(range(t + 1) for t in pooled)):
            if sum(p) == n:
                chance = prod(comb(t, x) for t, x in zip(pooled, p, strict=True)) / comb(sum(pooled), n)
                total += chance * float(js_divergence(p, np.subtract(pooled, p)))
        first = np.minimum(pooled, np.maximum(0, n - np.append(0, np.cumsum(pooled)[:-1])))
        law = bins_law(first, np.subtract(pooled, first), 0.5)
        assert law.js == pytest.approx(total, rel=0.1)


def test_three_rows_are_compared():
    (column,) = compare({"x": ["c"]}, {"x": ["a", "b"]}).columns
    assert column.noise.p_bins == 1
