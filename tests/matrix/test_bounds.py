"""Lower bounds that rule neighbours out never exceed the value, and lists are those of the whole matrix."""

import re
from pathlib import Path

import numpy as np
import pytest

import fastdiv
from fastdiv.bench.workloads import dirichlet, loose, near_one

TABLE = (Path(__file__).parents[2] / "csrc/matrix/table.h").read_text()
A, B = (float(re.search(rf"FD_LEAST_{name} (\S+)", TABLE)[1]) for name in "AB")


def terms(ratio):
    """Of a bin with masses 1 and `ratio`: Jensen-Shannon in bits, and the bound."""
    m = (1 + ratio) / 2
    value = (ratio * np.log2(ratio / m) - np.log2(m)) / 2
    quarters = (ratio**0.25 + ratio**0.75) / 2
    return value, A * (m - np.sqrt(ratio)) - B * (m - quarters)


def test_the_second_bound_holds_bin_by_bin():
    ratio = np.exp(-np.concatenate([np.linspace(0.01, 20, 100_000), np.linspace(20, 600, 2000)]))
    value, bound = terms(ratio)
    assert (bound <= 0.9995 * value).all()
    assert (bound / value).max() > 0.997
    assert ratio[(bound / value).argmax()] == pytest.approx(0.024, abs=0.001)
    assert bound[0] / value[0] == pytest.approx(0.94, abs=0.002)  # its limit is (A/2 - 3 B/8) 2 ln 2
    assert (A / 2 - 3 * B / 8) * 2 * np.log(2) == pytest.approx(0.94, abs=0.002)


def rows(kind):
    rng = np.random.default_rng(3)
    if kind == "unrelated":
        return dirichlet(7, 100, 1), dirichlet(600, 100, 2)
    if kind == "loose":
        return loose(7, 100, 5, 1), loose(600, 100, 5, 2)
    if kind == "near":
        return near_one(7, 100, 1), near_one(600, 100, 2)
    X = rng.standard_exponential((607, 100))
    if kind == "gaps":
        X[rng.random(X.shape) < 0.4] = 0
    else:
        X = (X / X.max()) ** 40  # from one bin with all the mass to shares that single precision has not
    return X[:7], X[7:]


@pytest.mark.parametrize("kind", ["unrelated", "loose", "near", "gaps", "steep"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_lists_are_those_of_the_matrix(kind, dtype, level):
    X, Y = (np.maximum(x, np.finfo(dtype).tiny * (x > 0)).astype(dtype) for x in rows(kind))
    for metric in ("js_distance", "js_divergence"):
        matrix = fastdiv.cdist(X, Y, metric)
        values, where = fastdiv.knn(X, Y, 9, metric)
        np.testing.assert_array_equal(values, np.sort(matrix, axis=1)[:, :9])
        np.testing.assert_array_equal(np.take_along_axis(matrix, where, 1), values)


@pytest.mark.parametrize("bins", [96, 511, 512, 1024, 1040])
def test_lists_of_rows_that_fill_their_blocks(bins, level):
    """No bin is left over at the end: `make test-sanitize` sees what is read or written beyond it."""
    X, Y = dirichlet(5, bins, 1), dirichlet(80, bins, 2)
    matrix = fastdiv.cdist(X, Y, "js_distance")
    values, where = fastdiv.knn(X, Y, 4, "js_distance")
    np.testing.assert_array_equal(values, np.sort(matrix, axis=1)[:, :4])
    np.testing.assert_array_equal(np.take_along_axis(matrix, where, 1), values)
