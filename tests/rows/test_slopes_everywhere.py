"""Derivatives of rows that use the whole range of doubles, and signs of shares that are all but equal."""

from fractions import Fraction
from random import Random

import mpmath
import numpy as np
import oracle
import oracle_gradients
import pytest
from calls import ROWWISE, call
from mpmath import mp, mpf

import fastdiv
import fastdiv.grad

LARGEST = mpf(2) ** 1024
INF = float("inf")
ORDERS = (0.0, 0.3, 0.5, 0.999, 1.001, 2.0, INF)
FIRST_ORDER = ("total_variation", "hellinger_distance", "js_distance")


def _entry(random, kind):
    ranges = [(-323, -300), (290, 307.9), (-3, 3)] if kind == "three" else [(-323, 307.9)]
    if kind == "some" and random.random() < 0.2:
        return 0.0
    return 10.0 ** random.uniform(*random.choice(ranges))


def _rows(random):
    kind, n = random.choice(["any", "some", "three"]), random.choice([1, 2, 3, 4])
    return [[_entry(random, kind) for _ in range(n)] for _ in range(2)]


def _check(name, rows, alpha, normalize):
    options = {"alpha": alpha} if name == "renyi_divergence" else {}
    with mp.workdps(1500):
        value, truths = oracle_gradients.gradient(
            name, *rows, more_digits=800, normalize=normalize, **options
        )
        known = mpf("1e-15") if normalize and name in FIRST_ORDER else mpf("1e-30")
        if not known <= abs(value) < LARGEST:
            return 0
        got = call(fastdiv.grad, name, *rows, normalize=normalize, **options)
        assert abs(mpf(float(got.value)) - value) <= mpf("1e-12") * abs(value)
        shares = oracle.masses(rows, normalize=normalize)
        slopes = oracle_gradients.SLOPES[name](shares, **options)
        for found, truth, row, share, slope in zip(got[1:], truths, rows, shares, slopes, strict=True):
            mean = sum(abs(a * b) for a, b in zip(share, slope, strict=True) if a) / (sum(share) or 1)
            mean /= sum(map(mpf, row)) if normalize else 1
            for have, want in zip(found.tolist(), truth, strict=True):
                if abs(want) >= LARGEST:
                    assert have == INF * mpmath.sign(want) or abs(want) < mpf("1e-12") * mean, (name, rows)
                else:
                    error = abs(mpf(have) - want) if np.isfinite(have) else INF
                    assert error <= mpf("1e-12") * max(abs(want), mean) + mpf("1e-290"), (name, rows, have)
    return len(row) * len(rows)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("name", ROWWISE)
def test_any_doubles(level, name, normalize):
    random, checked = Random(f"{name} {normalize}"), 0
    while checked < 60:
        rows = _rows(random)[: 1 if name == "entropy" else 2]
        if all(map(any, rows)):
            checked += _check(name, rows, random.choice(ORDERS), normalize)


CASES = [
    ("chi_square", [3, 1, 1e300], [1e-12, 1e308, 1]),  # twice its value is no double
    ("cross_entropy", [1e-27, 1.5e212, 5.7e41], [2.1e-217, 5.3e-316, 2.9e257]),  # 2^-H is none
    ("cross_entropy", [0.0, 4.2e242], [5.3e268, 6.8e-313]),
    (
        "renyi_divergence",
        [3.8e301, 1.4e-322, 5.3e-320],
        [1.3e297, 2.3e-307, 4.3e298],
    ),  # masses far below the sum
    (
        "chi_square",
        [1.8e-309, 2.5e-321, 13.5, 9.3e301],
        [1.6e-304, 5.1e302, 5e-313, 0.019],
    ),  # steep beside the mean
]


@pytest.mark.parametrize(("name", "p", "q"), CASES)
def test_reported(level, name, p, q):
    assert _check(name, [list(map(float, p)), list(map(float, q))], INF, True)


def test_a_value_in_nats_that_overflows_in_bits(level):
    p, q = [1e305, 5.4e304], [6.3e-303, 1.25]
    for name, rows in {
        "kl_divergence": (p, q),
        "jeffreys_divergence": (p, q),
        "cross_entropy": ([2.4e305], [1e300]),
    }.items():
        assert _check(name, list(rows), INF, False)
    logs = [703.0, 0.0], [3.2, 0.0]
    truth = oracle.truth("kl_divergence", *logs, normalize=False, log_input=True)
    assert 1.3e308 < truth < 1.79e308
    assert float(fastdiv.kl_divergence(*logs, normalize=False, log_input=True)) == pytest.approx(
        float(truth), rel=1e-12
    )
    gradient = fastdiv.grad.kl_divergence(*logs, normalize=False, log_input=True)
    assert gradient.value == pytest.approx(float(truth), rel=1e-12)


@pytest.mark.parametrize("alpha", [1 - 1e-3, 1 - 1e-6, 1 - 1e-9, 1 + 1e-9, 1 + 1e-6, 1 + 1e-3])
def test_orders_near_1_of_masses_as_they_stand(level, alpha):
    random = Random(8)
    for scale in (1e-3, 1e100):
        rows = [[scale * random.random() for _ in range(5)], [random.random() for _ in range(5)]]
        assert _check("renyi_divergence", rows, alpha, False)


# --- total variation: the sign of a difference of shares -------------------------------------------------


def _signs(p, q):
    P, Q = sum(p), sum(q)
    return [(a * Q > b * P) - (a * Q < b * P) for a, b in zip(p, q, strict=True)]


def _near_rows(random):
    n = random.choice([2, 3, 5, 40])
    p = [random.choice([random.random(), random.randint(1, 9), 1 / 3]) for _ in range(n)]
    q = {
        "tripled": lambda: [3 * x for x in p],
        "a tenth": lambda: [x * 0.1 for x in p],
        "next": lambda: [float(np.nextafter(x, random.choice([0, 9, x]))) for x in p],
        "far": lambda: [x * 1e300 for x in p],
        "farther": lambda: [x * 1e-310 for x in p],
    }[random.choice(["tripled", "a tenth", "next", "far", "farther"])]()
    return p, q


def test_signs_of_near_shares(level):
    random, ups = Random(9), 0
    for _ in range(300):
        (p, q), add = _near_rows(random), random.choice([0.0, 0.0, 1e-3, 0.1])
        exact = [[Fraction(x + add) for x in row] for row in (p, q)]
        signs = _signs(*exact)
        mean = sum(x * s for x, s in zip(exact[0], signs, strict=True)) / sum(exact[0])
        want = [float((s - mean) / sum(exact[0]) / 2) for s in signs]
        got = fastdiv.grad.total_variation(p, q, pseudocount=add).p
        np.testing.assert_allclose(got, want, rtol=1e-12, atol=1e-13 / float(sum(exact[0])))
        ups += any(signs)
    assert ups > 100


def test_signs_of_shares_that_differ_in_their_18th_digit(level):
    for p, q in (([7, 0.3, 1 / 3], [49, 2.1, 7 / 3]), ([0.6, 0.5, 0.9, 0.5], [4.2, 3.5, 6.3, 3.5])):
        exact = [[Fraction(x) for x in row] for row in (p, q)]
        signs = _signs(*exact)
        assert any(signs)
        mean = sum(x * s for x, s in zip(exact[0], signs, strict=True)) / sum(exact[0])
        want = [float((s - mean) / sum(exact[0]) / 2) for s in signs]
        np.testing.assert_allclose(fastdiv.grad.total_variation(p, q).p, want, rtol=1e-12)


def test_as_much_pulls_up_as_down(level):
    """What is left of the mean of the signs, which is the derivative of shares that are the same."""
    random = Random(10)
    for pairs, ties in ((1, 1), (1, 3), (2, 0), (3, 7), (40, 9), (150, 50)):
        for excess in (0, 1, -1, 2, -5):
            small = [random.randint(5, 2**20) for _ in range(pairs)]
            up = [x + (excess if k == 0 else 0) for k, x in enumerate(small)]
            moved = [random.randint(1, x - 1) for x in small]
            same = [random.randint(1, 2**20) for _ in range(ties)]
            p = up + small + same
            q = [x + d for x, d in zip(up, moved, strict=True)]
            q += [x - d for x, d in zip(small, moved, strict=True)] + same
            total = sum(p)
            pull = [-1] * pairs + [1] * pairs + [0] * ties
            for of, row, by in (("p", p, pull), ("q", q, [-x for x in pull])):
                mean = Fraction(sum(x * s for x, s in zip(row, by, strict=True)), total)
                want = [float((s - mean) / total / 2) for s in by]
                for rows in (1, 20):
                    table = np.tile(np.array([p, q], float), (rows, 1, 1))
                    got = getattr(fastdiv.grad.total_variation(table[:, 0], 4 * table[:, 1]), of)
                    want_here = [x / (4 if of == "q" else 1) for x in want]
                    np.testing.assert_allclose(got, np.tile(want_here, (rows, 1)), rtol=1e-12, atol=0)


def test_equal_and_proportional_rows_have_their_kink():
    for p, q in (([1, 2, 3], [1, 2, 3]), ([1, 2, 3], [7, 14, 21]), ([0.1, 0.7], [0.1, 0.7])):
        for slopes in fastdiv.grad.total_variation(p, q)[1:]:
            assert not slopes.any()


def test_signs_of_shares_that_a_pseudocount_leaves_3e_18_apart(level):
    """Neighbours among Fibonacci's numbers: 433494437^2 - 267914296 * 701408733 = 1."""
    for add in (0.0, 0.5, 1.0):
        p, q = np.array([433494437.0, 267914296.0]) - add, np.array([267914296.0, 165580141.0]) - add
        for way in (1, -1):
            for rows in (1, 20):
                got = fastdiv.grad.total_variation(
                    np.tile(p[::way], (rows, 1)), np.tile(q[::way], (rows, 1)), pseudocount=add
                )
                want = np.array([267914296, -433494437])[::way] / 701408733**2
                np.testing.assert_allclose(got.p, np.tile(want, (rows, 1)), rtol=1e-15)
