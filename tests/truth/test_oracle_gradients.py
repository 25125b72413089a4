"""The oracle of derivatives against differences: mpmath's own differentiation of the oracle of values."""

import mpmath
import numpy as np
import oracle
import oracle_gradients
import pytest
from mpmath import mp, mpf

ROWS = {
    "near": ([0.2, 0.3, 0.5, 1.0], [0.2000001, 0.3, 0.4999, 1.0]),
    "counts": ([3.0, 1.0, 4.0, 1.0], [2.0, 7.0, 1.0, 8.0]),
    "logits": ([-0.5, 0.25, 2.0, -3.0], [1.5, -0.75, 0.125, 0.0]),
}


def _value(name, rows, **options):
    """The oracle's value of rows that may be mpfs."""
    return oracle.ORACLE[name](rows, **options)


# the divergence of raw masses may be negative: then it has no root
CASES = [
    (name, kind, normalize)
    for name in oracle_gradients.SLOPES
    for kind in ROWS
    for normalize in (True, False)
    if normalize or kind == "near" or name != "js_distance"
]


@pytest.mark.parametrize(("name", "kind", "normalize"), CASES)
def test_slopes_are_differences(name, kind, normalize):
    log_input = kind == "logits"
    options = {"normalize": normalize, "log_input": log_input}
    if name == "renyi_divergence":
        options["alpha"] = 2.5
    if name.startswith("js"):
        options["weights"] = [1.0, 3.0]
    rows = [list(row) for row in ROWS[kind]][: 1 if name == "entropy" else 2]
    value, slopes = oracle_gradients.gradient(name, *rows, **options)
    with mp.workdps(120):
        given = [[mpf(x) for x in row] for row in rows]
        np.testing.assert_allclose(float(value), float(_value(name, given, **options)), rtol=1e-15)
        for side in range(len(rows)):
            for bin_ in range(4):

                def at(x, side=side, bin_=bin_):
                    moved = [list(row) for row in given]
                    moved[side][bin_] = x
                    return _value(name, moved, **options)

                truth = mpmath.diff(at, given[side][bin_], h=mpf(10) ** -30)
                assert abs(truth - slopes[side][bin_]) <= 1e-20 * (abs(truth) + 1e-3), (side, bin_)
