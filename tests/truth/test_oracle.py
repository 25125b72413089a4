"""The oracle against second formulas, second arithmetics and closed forms; its table against itself."""

import math
from decimal import Decimal, localcontext
from fractions import Fraction

import mpmath
import oracle
import pytest
import truths
import zoo
from mpmath import mp, mpf

PAIRS = [
    (name, p, q)
    for name, (p, q) in zoo.pairs(large=False).items()
    if len(p) in (1, 2, 3, 8, 17) or name in zoo.EXTREMES
]
IDS = [name for name, _, _ in PAIRS]


def close(a, b, relative="1e-60", absolute="1e-120"):
    return a == b or abs(a - b) <= max(mpf(relative) * max(abs(a), abs(b)), mpf(absolute))


def shares(row):
    total = sum(map(Fraction, row))
    return [Fraction(x) / total for x in row]


def real(fraction):
    return mpf(fraction.numerator) / fraction.denominator


@pytest.mark.parametrize(("_name", "p", "q"), PAIRS, ids=IDS)
def test_exact_fractions(_name, p, q):
    a, b = shares(p), shares(q)
    with mp.workdps(300):
        tv = sum(abs(x - y) for x, y in zip(a, b, strict=True)) / 2
        assert close(oracle.truth("total_variation", p, q), real(tv))
        if all(y or not x for x, y in zip(a, b, strict=True)):
            chi = sum((x - y) ** 2 / y for x, y in zip(a, b, strict=True) if y)
            assert close(oracle.truth("chi_square", p, q), real(chi))
        else:
            assert oracle.truth("chi_square", p, q) == math.inf


@pytest.mark.parametrize(("_name", "p", "q"), PAIRS, ids=IDS)
def test_second_formulas(_name, p, q):
    """Each measure from another one, or from its entropies."""
    truth = oracle.truth
    with mp.workdps(200):
        kl = truth("kl_divergence", p, q)
        assert close(truth("cross_entropy", p, q), kl + truth("entropy", p))
        assert close(truth("jeffreys_divergence", p, q), kl + truth("kl_divergence", q, p))
        assert close(truth("renyi_divergence", p, q, alpha=1), kl)
        chi = truth("chi_square", p, q)
        assert close(truth("renyi_divergence", p, q, alpha=2.0), mpmath.log(1 + chi))
        affinity = 1 - truth("hellinger_distance", p, q) ** 2
        half = truth("renyi_divergence", p, q, alpha=0.5)
        assert close(mpmath.exp(-half / 2) if half != math.inf else mpf(0), affinity, absolute="1e-100")
        top = truth("renyi_divergence", p, q, alpha=math.inf)
        big = truth("renyi_divergence", p, q, alpha=1e6)
        assert big == top == math.inf or top - 1e-2 * (1 + top) <= big <= top + mpf("1e-100")

    # Jensen-Shannon from three entropies of exact fractions, weights 1/4 and 3/4
    with mp.workdps(700):

        def entropy(fractions):
            return -sum(real(x) * mpmath.log(real(x)) for x in fractions if x)

        a, b = shares(p), shares(q)
        mixture = [(x + 3 * y) / 4 for x, y in zip(a, b, strict=True)]
        js = entropy(mixture) - entropy(a) / 4 - 3 * entropy(b) / 4
        assert close(oracle.truth("js_divergence", p, q, weights=[0.25, 0.75]), js)
        assert close(oracle.truth("js_distance", p, q, weights=[1.0, 3.0]) ** 2, js, absolute="1e-120")


def test_second_arithmetic():
    """The same sums in ``decimal``, whose logarithm is another program."""
    p, q = zoo.pairs()["near 1e-6, 17 bins"]
    with localcontext() as context:
        context.prec = 120
        a, b = ([Decimal(x) / sum(map(Decimal, row)) for x in row] for row in (p, q))
        kl = sum(x * (x / y).ln() for x, y in zip(a, b, strict=True))
        entropy = -sum(x * x.ln() for x in a)
    with mp.workdps(100):
        assert close(oracle.truth("kl_divergence", p, q), mpf(str(kl)), "1e-90")
        assert close(oracle.truth("entropy", p), mpf(str(entropy)), "1e-90")


def test_closed_forms():
    truth = oracle.truth
    with mp.workdps(100):
        log = mpmath.log
        assert close(truth("entropy", [1.0] * 12), log(12))
        assert close(truth("entropy", [1.0] * 8, base=2), mpf(3))
        assert close(truth("entropy", [3.0] * 5, normalize=False), -15 * log(3))
        assert close(truth("entropy", [0.0, 2.0, 2.0], pseudocount=1.0), log(7) - 6 * log(3) / 7)
        assert close(truth("kl_divergence", [1.0, 0.0], [0.25, 0.75]), log(4))
        assert close(truth("kl_divergence", [2.0], [1.0], normalize=False), 2 * log(2))
        assert close(truth("js_divergence", [1.0, 0.0], [0.0, 9.0]), log(2))
        assert close(truth("js_divergence", *[[0.0] * i + [1.0] + [0.0] * (4 - i) for i in range(5)]), log(5))
        assert close(truth("js_divergence", [1.0], [3.0], normalize=False), (log(0.5) + 3 * log(1.5)) / 2)
        assert close(truth("kl_divergence", [0.0, -2000.0], [-1000.0, 0.0], log_input=True), mpf(1000))
        assert close(truth("chi_square", [1.0, 0.0], [0.5, 0.5]), mpf(1))
        assert close(truth("hellinger_distance", [1.0, 0.0], [0.5, 0.5]) ** 2, 1 - 1 / mpmath.sqrt(2))
        assert close(truth("surprisal", [0.125], base=2), mpf(3))
        assert close(truth("binary_entropy", [0.5]), log(2))
        assert close(truth("renyi_divergence", [1.0, 1.0], [1.0, 3.0], alpha=0.0), mpf(0))
        assert close(truth("renyi_divergence", [1.0, 0.0], [1.0, 3.0], alpha=0.0), log(4))
        assert close(truth("renyi_divergence", [1.0, 1.0], [1.0, 3.0], alpha=math.inf), log(2))


@pytest.mark.parametrize("name", sorted(zoo.EXTREMES))
def test_enough_digits(name):
    """Three hundred digits more change nothing: the count chosen by ``digits`` suffices."""
    p, q = zoo.EXTREMES[name]
    for measure in ("kl_divergence", "js_distance", "jeffreys_divergence", "hellinger_distance"):
        few, many = (oracle.truth(measure, p, q, more_digits=more) for more in (0, 300))
        assert close(few, many, "1e-40", "1e-120")


def _sample(step):
    return [
        pytest.param(f, case, options, entry, id=f"{group}: {f} of {name}")
        for group, name, case, tasks in truths.load()
        for f, options, entry in tasks
        if len(case.rows[0]) <= 200
    ][::step]


@pytest.mark.parametrize(("f", "case", "options", "entry"), _sample(61))
def test_table(f, case, options, entry):
    """The checked-in truths are what the oracle says."""
    assert truths.compute(f, case, options) == entry


@pytest.mark.slow
def test_whole_table():
    for parameter in _sample(1):
        f, case, options, entry = parameter.values
        assert truths.compute(f, case, options) == entry, parameter.id
