"""Jensen-Shannon in matrices of rows that all but agree: of any width and scale, with bins empty in both."""

import mpmath
import numpy as np
import pytest

import fastdiv


def truth(p, q):
    with mpmath.workdps(50):
        sides = [[mpmath.mpf(x) for x in side.tolist()] for side in (p, q)]
        totals = [mpmath.fsum(side) for side in sides]
        terms = []
        for x, y in zip(*sides, strict=True):
            x, y = x / totals[0], y / totals[1]
            terms += [z * mpmath.log(2 * z / (x + y)) / 2 for z in (x, y) if z]
        return mpmath.sqrt(mpmath.fsum(terms))


@pytest.mark.parametrize("scale", [1e-250, 1e-40, 1.0, 1e120, 1e170, 1e250])
def test_right_whatever_the_width_and_the_scale(scale, level):
    g = np.random.default_rng(7)
    for bins in (25, 31, 32, 33, 40, 47, 48, 57, 257):
        near = 10.0 ** g.uniform(-8, -1)
        p = g.random(bins) * scale
        q = 3 * p * (1 + near * g.normal(size=bins).clip(-3, 3))
        empty = g.random(bins) < 0.3
        for x, y in ((p, q), (np.where(empty, 0, p), np.where(empty, 0, q))):
            value = fastdiv.cdist([x], [y], "js_distance")[0, 0]
            assert abs(float(value / truth(x, y) - 1)) < 1e-12, (bins, near)
            assert value == fastdiv.cdist([y], [x], "js_distance")[0, 0]


@pytest.mark.parametrize("bins", [2047, 2048, 2049, 2600, 5000])
def test_every_bin_counts_once_and_those_of_other_rows_do_not(bins, level):
    """Rows are taken 2048 bins at a time, and what follows a row in memory is as near."""
    g = np.random.default_rng(bins)
    base = g.random(bins)
    p, q = base * (1 + 1e-4 * g.normal(size=(2, 12, bins)))
    for metric in ("js_divergence", "js_distance"):
        want = getattr(fastdiv, metric)(p[:, None], q)
        np.testing.assert_allclose(fastdiv.cdist(p, q, metric), want, rtol=1e-12)
