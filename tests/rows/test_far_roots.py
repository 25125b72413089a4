"""Roots of sums that are no doubles: of rows as they stand, masses and logarithms, with their gradients."""

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf

import fastdiv
import fastdiv.grad

LOGS = [
    ((800.0, 0.0), (801.0, 0.0)),
    ((1400.0, 0.0), (1401.0, -1.0)),
    ((1400.0, 1399.5), (1401.0, 1398.0)),
    ((-800.0, -800.0), (-801.0, -803.0)),
    ((-900.0, 20.0, 3.0), (-1200.0, 20.0, 3.0)),
]
MASSES = [
    ((1e308, 1e308, 1e308), (1e308, 1.7e308, 1e305)),
    ((1.7e308,) * 9, (1.0,) * 9),
    ((1e-320, 1e-310), (2e-310, 1e-310)),
    ((5e-324, 1e-200), (1e-310, 1e-200)),
]


def _root(name, xs, ys):
    if name == "hellinger_distance":
        return mp.sqrt(mp.fsum((mp.sqrt(x) - mp.sqrt(y)) ** 2 for x, y in zip(xs, ys, strict=True)) / 2)
    terms = (x * mp.log(2 * x / (x + y)) + y * mp.log(2 * y / (x + y)) for x, y in zip(xs, ys, strict=True))
    return mp.sqrt(mp.fsum(terms) / 2)


@pytest.mark.parametrize("name", ["hellinger_distance", "js_distance"])
@pytest.mark.parametrize("logs", [True, False])
def test_roots_and_their_gradients(level, name, logs):
    options = {"normalize": False, "log_input": logs}
    for case in LOGS if logs else MASSES:
        with mpmath.workprec(6000):
            rows = [[mp.exp(x) if logs else mpf(x) for x in row] for row in case]
            exact = _root(name, *rows)
            for p, q in (case, case[::-1]):
                value = getattr(fastdiv, name)(p, q, **options)
                assert abs(mpf(float(value)) / exact - 1) < 1e-12, case
            matrix = getattr(fastdiv, name)(np.array([case[0]] * 20), np.array([case[1]] * 20), **options)
            assert set(matrix.tolist()) == {float(getattr(fastdiv, name)(*case, **options))}
            gradient = getattr(fastdiv.grad, name)(*case, **options)
            assert gradient.value == getattr(fastdiv, name)(*case, **options)
            for side, found in enumerate([gradient.p, gradient.q]):
                exact_row = []
                for i, x in enumerate(rows[side]):
                    ends = []
                    for step in (mpf(2) ** -1000, -(mpf(2) ** -1000)):
                        moved = [list(row) for row in rows]
                        moved[side][i] *= 1 + step
                        ends.append(_root(name, *moved))
                    exact_row.append((ends[0] - ends[1]) / mpf(2) ** -999 / (1 if logs else x))
                size = max(map(abs, exact_row))
                for got, right in zip(found.tolist(), exact_row, strict=True):
                    least = max(abs(right), size * mpf("1e-30"), mpf("1e-290"))
                    assert abs(mpf(got) - right) <= mpf("1e-12") * least, case
