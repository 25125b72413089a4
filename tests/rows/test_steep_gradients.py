"""Derivatives that are no doubles, or whose slopes in shares are none, beside others that are."""

from functools import cache

import mpmath
import pytest
from mpmath import mp, mpf

import fastdiv.grad

CASES = [
    ((1, 0.5), (1e-310, 1)),
    ((1, 0.5, 2), (5e-324, 1, 2)),
    ((1, 0.5), (1e-200, 1)),
    ((1e-200, 1), (1, 0.5)),
    ((1e300, 5e299), (1e-10, 1e308)),
    ((5e-324, 1e308), (1e308, 1e307)),
    ((1e-310, 2e-310, 1e-309), (1e300, 1e5, 1.0)),
]
TERMS = {
    "kl_divergence": lambda x, y: x * mp.log(x / y),
    "cross_entropy": lambda x, y: -x * mp.log(y),
    "jeffreys_divergence": lambda x, y: (x - y) * mp.log(x / y),
    "chi_square": lambda x, y: (x - y) ** 2 / y,
    "hellinger_distance": lambda x, y: (mp.sqrt(x) - mp.sqrt(y)) ** 2 / 2,
    "renyi_divergence": lambda x, y: x**2 / y,
}
FINISHES = {"hellinger_distance": mp.sqrt, "renyi_divergence": mp.log}
LARGEST = mpf(2) ** 1024
STEP = mpf(2) ** -300


@cache
def _exact(name, case, normalize):
    """The value; by side, the derivatives and the mean of the slopes' sizes; from differences."""
    rows = [[mpf(x) for x in row] for row in case]
    sums = [mp.fsum(row) if normalize else 1 for row in rows]

    def value(sums, side=0, bin=0, step=0):
        moved = [list(row) for row in rows]
        moved[side][bin] *= 1 + step
        sums = sums or [mp.fsum(row) for row in moved]
        terms = map(TERMS[name], *([x / s for x in row] for row, s in zip(moved, sums, strict=True)))
        return FINISHES.get(name, lambda v: v)(mp.fsum(terms))

    sides = []
    for side, row in enumerate(rows):
        pulls = [
            [(value(s, side, i, STEP) - value(s, side, i, -STEP)) / (2 * STEP) for i in range(len(row))]
            for s in (None if normalize else sums, sums)
        ]
        derivatives = [pull / x for pull, x in zip(pulls[0], row, strict=True)]
        sides.append((derivatives, mp.fsum(map(abs, pulls[1])) / mp.fsum(row)))
    return value(sums), sides


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("name", TERMS)
def test_a_steep_slope_leaves_the_others_right(level, name, normalize):
    options = {"alpha": 2.0} if name == "renyi_divergence" else {}
    checked = 0
    for case in CASES:
        with mpmath.workprec(4000):
            value, sides = _exact(name, case, normalize)
            if abs(value) >= LARGEST:
                with pytest.raises(ValueError, match="no gradient"):
                    getattr(fastdiv.grad, name)(*case, normalize=normalize, **options)
                continue
            gradient = getattr(fastdiv.grad, name)(*case, normalize=normalize, **options)
            for found, (exact, size) in zip([gradient.p, gradient.q], sides, strict=True):
                for got, right in zip(found.tolist(), exact, strict=True):
                    if abs(right) >= LARGEST:
                        assert got == float("inf") * mp.sign(right), case
                    else:
                        least = max(abs(right), size, mpf("1e-290"))
                        assert abs(mpf(got) - right) <= mpf("1e-12") * least, case
                    checked += 1
    assert checked >= 8


def test_the_reported_pair():
    gradient = fastdiv.grad.kl_divergence([1, 0.5], [1e-310, 1])
    assert gradient.q.tolist() == [-float("inf"), pytest.approx(2 / 3, rel=1e-12)]


def test_the_largest_ratio_of_a_subnormal():
    gradient = fastdiv.grad.renyi_divergence([1e-310, 1], [5e-324, 1], alpha=float("inf"))
    assert gradient.p.tolist() == [float("inf"), pytest.approx(-1.0, rel=1e-12)]
    assert gradient.q.tolist() == [-float("inf"), pytest.approx(1.0, rel=1e-12)]


def test_hellinger_of_masses_whose_product_underflows(level):
    p, q = [1, 1e-30, 1e-100, 1e-200, 3], [2, 1e-60, 1e-90, 1e-210, 1]
    ours = fastdiv.grad.hellinger_distance(p, q)
    with mpmath.workdps(500):
        x, y = ([mpmath.mpf(float(v)) for v in row] for row in (p, q))
        P, Q = sum(x), sum(y)
        x, y = [v / P for v in x], [v / Q for v in y]
        common = sum(mpmath.sqrt(a * b) for a, b in zip(x, y, strict=True))
        scale = 4 * mpmath.sqrt(1 - common)
        by_p = [(common - mpmath.sqrt(b / a)) / (P * scale) for a, b in zip(x, y, strict=True)]
        by_q = [(common - mpmath.sqrt(a / b)) / (Q * scale) for a, b in zip(x, y, strict=True)]
    assert list(ours.p) == pytest.approx([float(v) for v in by_p], rel=1e-12)
    assert list(ours.q) == pytest.approx([float(v) for v in by_q], rel=1e-12)
