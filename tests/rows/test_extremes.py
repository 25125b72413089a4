"""Values at the ends of the doubles against mpmath: raw logarithms far apart, Renyi's orders of any size."""

import mpmath as mp
import numpy as np
import pytest

import fastdiv

INF = np.inf
RAW = [  # logarithms of masses: the top agrees, one row is far above the other, or the masses are no doubles
    ([690.0, 1.25, 8.1], [690.0, 18.6, -0.2]),
    ([700.0, -10.0], [700.0, -20.0]),
    ([-1.1, 690.0], [-0.6, 690.0]),
    ([-791.6, -894.5, -618.0, -981.9, -INF], [700.0, 700.0, -25.3, 274.3, -578.4]),
    ([300.0, -INF, -263.0, -692.5], [300.0, 468.2, 82.1, -171.7]),
    ([6.0, -3.0], [706.0, 701.0]),
    ([-300.0, 0.0], [-1200.0, 0.0]),
    ([-300.0, -301.0], [-1200.0, -1000.0]),
    ([-144.3, 0.0, 41.4, -887.2], [107.1, 0.0, -90.2, -INF]),
    ([0.0, -1e6], [-1e6, 0.0]),
    ([800.0], [800.0]),
    ([-1e6, -1e6], [0.0, -INF]),
    ([-1623806.0, -755419.5], [-INF, 700.0]),
    ([1.0, -3e5], [-5e5, 2.0]),
]


def exponential(log):
    return mp.exp(mp.mpf(log)) if log > -INF else mp.mpf(0)


def cross_entropy(x, y, a, b):
    return -x * mp.mpf(b) if x else mp.mpf(0)


def kl_divergence(x, y, a, b):
    return x * (mp.mpf(a) - mp.mpf(b)) if x else mp.mpf(0)


def jeffreys_divergence(x, y, a, b):
    return (x - y) * (mp.mpf(a) - mp.mpf(b)) if x or y else mp.mpf(0)


def chi_square(x, y, a, b):
    return (x - y) ** 2 / y if y else mp.inf if x else mp.mpf(0)


def total_variation(x, y, a, b):
    return abs(x - y) / 2


def js_divergence(x, y, a, b):
    return sum(z * mp.log(2 * z / (x + y)) for z in (x, y) if z) / 2


MEASURES = [cross_entropy, kl_divergence, jeffreys_divergence, chi_square, total_variation, js_divergence]


def check_raw():
    for p, q in RAW:
        for measure in MEASURES:
            for left, right in ((p, q), (q, p)):
                with mp.workdps(60):
                    terms = [
                        measure(exponential(a), exponential(b), a, b)
                        for a, b in zip(left, right, strict=True)
                    ]
                    true, size = mp.fsum(terms), mp.fsum(map(abs, terms))
                got = getattr(fastdiv, measure.__name__)(left, right, log_input=True, normalize=False)
                assert got == float(true) or abs(got - true) <= 1e-12 * size, (measure, left, right)


def check_raw_entropy():
    for row in (side for pair in RAW for side in pair):
        with mp.workdps(60):
            terms = [-exponential(a) * mp.mpf(a) if a > -INF else mp.mpf(0) for a in row]
            true, size = mp.fsum(terms), mp.fsum(map(abs, terms))
        got = fastdiv.entropy(row, log_input=True, normalize=False)
        assert got == float(true) or abs(got - true) <= 1e-12 * size, row


RENYI = [  # logits, order
    ([1.78e300, -3.2e299], [-1.19e300, -1.39e300], 1.456e189),
    ([810.8, 0.0], [537.9, -368.6], 1e307),
    ([300.0, 20.0, -700.0], [-600.0, 10.0, 3.0], 1e306),
    ([8.29e299, 6.45e299], [-INF, 8.54e299], 0.1829),
    ([1.6e306, 1.17e307], [-1.3e307, -INF], 2.4e-8),
    ([1.9e307, -INF], [-2.2e307, -8.3e306], 0.5624),
    ([1e5, 0.0, -INF], [0.0, -INF, 1e5], 0.51),
    ([1e5, 0.0, -INF], [0.0, -INF, 1e5], 0.001),
    ([-1.98e307, -INF], [-1.98e307, 1.32e307], 1.6e-10),
    ([-INF, -1.25], [-1.6, -1.8], 1.7e-320),
    ([0.0, -1.25], [-1.6, -1.8], 1e-290),
    ([0.0, -1.25, -5.0], [-1.6, -1.8, -INF], 5e-324),
]


def true_renyi(p, q, alpha, normalize):
    """In nats, of logarithms as mpmath has them (None: no mass)."""

    def log_sum(logs):
        logs = [x for x in logs if x is not None]
        return max(logs) + mp.log(
            mp.fsum(mp.exp(x - max(logs)) if x - max(logs) > -9999 else 0 for x in logs)
        )

    if normalize:
        p_total, q_total = log_sum(p), log_sum(q)
        p = [None if x is None else x - p_total for x in p]
        q = [None if x is None else x - q_total for x in q]
    a = mp.mpf(alpha)
    shared = [a * x + (1 - a) * y for x, y in zip(p, q, strict=True) if x is not None and y is not None]
    return log_sum(shared) / (a - 1)


def check_renyi():
    for p, q, alpha in RENYI:
        with mp.workdps(2000):
            logs = [[mp.mpf(x) if x > -INF else None for x in row] for row in (p, q)]
            true = float(true_renyi(*logs, alpha, True))
        got = fastdiv.renyi_divergence(p, q, alpha, log_input=True)
        assert abs(got - true) <= 1e-12 * abs(true) + 1e-323, (p, q, alpha)


def check_renyi_as_it_stands():
    for p, q, alpha in [
        ([2.1e306], [-1.14e307], 650.9),
        ([-1e307, 5.0], [-1e306, 9.0], 1e20),
        ([3.0], [5.0], 1e308),
    ]:
        with mp.workdps(700):
            logs = [[mp.mpf(x) for x in row] for row in (p, q)]
            true = float(true_renyi(*logs, alpha, False))
        got = fastdiv.renyi_divergence(p, q, alpha, log_input=True, normalize=False)
        assert abs(got - true) <= 1e-12 * abs(true), (p, q, alpha)


def check_renyi_of_masses():
    for p, q, alpha in [
        ([0.0, 0.3], [0.2, 0.17], 1.7e-320),
        ([1e-300, 1.0], [1e300, 1.0], 1e300),
        ([1e-310, 1e300], [1e300, 1e-310], 1e5),
        ([1e-310, 1e300], [1e300, 1e-310], 1e-5),
    ]:
        with mp.workdps(1000):
            logs = [[mp.log(mp.mpf(x)) if x else None for x in row] for row in (p, q)]
            true = float(true_renyi(*logs, alpha, True))
        got = fastdiv.renyi_divergence(p, q, alpha)
        assert abs(got - true) <= 1e-12 * abs(true), (p, q, alpha)


CHECKS = [check_raw, check_raw_entropy, check_renyi, check_renyi_as_it_stands, check_renyi_of_masses]


@pytest.mark.parametrize("check", CHECKS)
def test_every_level(level, check):
    check()


@pytest.mark.parametrize("weights", [[0.0, 1.0], [1.0, 0.0]])
def test_a_row_of_no_weight_has_no_say(level, weights):
    """However far from the other it is: 2^800 and more."""
    p, q = [1.0, 1.0, 3.0, 0.0], [1e-260, 1.0, 2.0, 1e-280]
    for arrays in ((p, q), (q, p)):
        assert fastdiv.js_divergence(*arrays, weights=weights) == 0
        value, *slopes = fastdiv.grad.js_divergence(*arrays, weights=weights)
        assert value == 0
        assert not np.any(slopes)
