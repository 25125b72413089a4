"""Gradients of the objectives of ``fastdiv.gan`` against mpmath, SciPy, and the statements of the papers."""

import inspect
import math
import re
from pathlib import Path

import mpmath
import numpy as np
import pytest
from mpmath import mp, mpf
from oracle import masses
from oracle_gradients import _chain
from scipy.optimize import check_grad

import fastdiv
import fastdiv.grad
from fastdiv import gan

LOSSES = ("minimax_value", "saturating_loss", "non_saturating_loss")
RNG = np.random.default_rng(20261126)
INF = math.inf


# --- the truth: derivatives by free shares, to 700 digits, and the chain rule ------------------------------


def log(x):
    return mpmath.log(x) if x else mpf("-inf")


def of_best(name, x, y):
    """By the shares of one bin; a bin without mass has it for itself once some comes."""
    if not x and not y:
        return mpf(0), mpf("inf") if name == "non_saturating_loss" else mpf(0)
    d, made = x / (x + y), y / (x + y)
    if name == "minimax_value":
        return log(d), log(made)
    if name == "saturating_loss":
        return -made, log(made) + d
    return (-y * made / x if x else mpf("-inf")), -log(d) + made


def of_given(name, x, y, d):
    if name == "minimax_value":
        return log(d), log(1 - d), (x / d if x else 0) - (y / (1 - d) if y else 0)
    if name == "saturating_loss":
        return mpf(0), log(1 - d), -y / (1 - d) if y else mpf(0)
    return mpf(0), -log(d), -y / d if y else mpf(0)


def truth(name, p, q, d=None, base=None, **options):
    """Derivatives by p, q and a d given; and of each its scale: the mean slope of the row, or the parts."""
    table = masses([p, q], **options)
    unit = mpmath.log(base) if base else mpf(1)
    bins = list(zip(*table, strict=True))
    if d is None:
        slopes = [of_best(name, x, y) for x, y in bins]
    else:
        d = [mpf(float(a)) for a in d]
        slopes = [of_given(name, x, y, a) for (x, y), a in zip(bins, d, strict=True)]
    found = []
    at_equality = of_best(name, mpf(1), mpf(1))
    for side, (row, share, s) in enumerate(zip((p, q), table, zip(*slopes, strict=True), strict=False)):
        levels = [mpf(0)] if d is not None else [mpf(0), at_equality[side]]
        mean = min(mpmath.fsum(x * abs(a - v) for x, a in zip(share, s, strict=True) if x) for v in levels)
        mean = mean if options.get("normalize", True) else mpf(0)
        of_row = mpf(1)
        if not options.get("log_input", False) and options.get("normalize", True):
            of_row = mpmath.fsum(mpf(float(x)) for x in row)
        scales = [mean * x if options.get("log_input", False) else mean / of_row for x in share]
        chained = _chain([mpf(float(x)) for x in row], share, list(s), **options)
        found.append(([a / unit for a in chained], [a / unit for a in scales]))
    if d is not None:
        parts = [(x / a if a and name == "minimax_value" else 0) for (x, _), a in zip(bins, d, strict=True)]
        found.append(([s[2] / unit for s in slopes], [a / unit for a in parts]))
    return found


def check(name, p, q, d=None, tolerance=1e-12, **options):
    got = getattr(fastdiv.grad, name)(p, q, d, **options)
    assert got.value == getattr(gan, name)(p, q, d, **options)
    assert got._fields == ("value", "p", "q") if d is None else ("value", "p", "q", "d")
    with mp.workdps(1400):
        for field, (slopes, scales) in zip(got._fields[1:], truth(name, p, q, d, **options), strict=True):
            for i, (a, t, scale) in enumerate(zip(getattr(got, field), slopes, scales, strict=True)):
                if abs(t) > 1.797e308:
                    assert a == INF * float(mpmath.sign(t)), (field, i, a, t)
                    continue
                assert math.isfinite(a), (field, i, a, t)
                error = abs(mpf(float(a)) - t)
                assert error <= tolerance * max(abs(t), scale) + mpf(10) ** -290, (field, i, a, float(t))


def rows(name):
    """Pairs of rows: unrelated, near each other, far apart, nearly disjoint, with empty bins."""
    for n in (2, 7, 20):
        p, q = RNG.dirichlet(np.ones(n)), RNG.dirichlet(np.full(n, 0.1))
        yield p, q
        for near in (1e-3, 1e-7, 1e-11):
            yield p, 7 * p * (1 + near * RNG.normal(size=n))
        tilt = np.geomspace(1, 1e-25, n)
        yield tilt, tilt[::-1]
        yield tilt, tilt * (1 + 1e-7 * RNG.normal(size=n))
        yield np.exp(RNG.normal(0, 60, n)), np.exp(RNG.normal(0, 60, n))
        yield p, p[::-1] * 1e-290
        yield np.arange(1, n + 1), np.arange(n)[::-1]
        yield np.append(p, 0), np.append(np.zeros(n - 1), [1, 0]) if name != LOSSES[2] else np.append(q, 0)
        if name != LOSSES[2]:
            yield np.append(p * (np.arange(n) < 3), 1e-9), np.append(q * (np.arange(n) > 0), 0.1)
            yield [1, 1e-8, 3e-8, 2e-8, 0], [0, 0.25, 0.5, 0.25, 0]
    yield [1, 1e-300], [1e-300, 1]
    yield [1e-150, 1, 1e-150], [1, 1e-150, 0.3]
    yield [1e308, 1e308, 1e-320], [1e-320, 1e308, 1e308]
    yield [3, 6, 9], [1, 2, 3]
    for factor in (7.3, 0.9, 1.37):  # all but the first have next to no share, and are near
        p = np.array([2.7, 2e-48, 5.6e-12, 3.4e-30])
        yield p, p * factor * (1 + np.array([0, 2e-12, -3e-12, 1e-12]))


@pytest.mark.parametrize("given_d", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_truth(name, given_d):
    for p, q in rows(name):
        check(name, p, q, RNG.random(len(p)) ** RNG.integers(1, 20) if given_d else None)


@pytest.mark.parametrize("given_d", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_masses_as_they_stand(name, given_d):
    for p, q in rows(name):
        if max(*p, *q) < 1e300:
            d = RNG.random(len(p)) if given_d else None
            check(name, p, q, d, normalize=False, base=2)


@pytest.mark.parametrize("name", LOSSES)
def test_discriminators_that_are_nearly_sure(name):
    p, q = RNG.dirichlet(np.ones(6), 2)
    for end in (1e-300, 1e-18, 1e-9):
        check(name, p, q, [end, 1 - 2**-53, 0.5, end, 1 - 1e-9, 0.25])
    for d in ([0, 1, 0.5], [5e-324, 1 - 2**-53, 0.1]):  # certain, and right
        check(name, [0, 1, 1], [1, 0, 1], d) if name != LOSSES[2] else check(name, [1, 1, 1], [0, 1, 1], d)


@pytest.mark.parametrize("name", LOSSES)
def test_logits(name):
    for n in (2, 20):
        z = RNG.normal(0, 5, n)
        near = 300 + z + 1e-7 * RNG.normal(size=n)
        for w in (RNG.normal(0, 5, n), near, RNG.normal(0, 300, n)):
            for d in (None, RNG.random(n)):
                check(name, z, w, d, log_input=True)
    z, w = RNG.normal(size=(2, 5))
    z[0] = w[:2] = -INF
    check(name, z if name != LOSSES[2] else np.where(np.arange(5) == 2, 1.0, z), w, log_input=True, base=10)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize(
    ("p", "q"),
    [
        ([1.0, -2.0, 0.5], [0.3, 0.2, -9.0]),
        ([800.0, 0.0], [0.0, 0.0]),
        ([0.0, -9.0], [760.0, 3.0]),
        ([6.0, 5.0], [6.0, 390.0]),
    ],
)
def test_logarithms_as_they_stand(name, p, q):
    """e^800 has no float64, but e^800 log(1 + e^-800) is 1."""
    for pair in ((p, q), (q, p)):
        if math.isfinite(getattr(gan, name)(*pair, normalize=False, log_input=True)):
            check(name, *pair, log_input=True, normalize=False)
    if max(*p, *q) < 700:
        check(name, p, q, [0.1, 0.5, 0.9][: len(p)], log_input=True, normalize=False)


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("options", [{}, {"normalize": False}, {"log_input": True}], ids=str)
@pytest.mark.parametrize("given_d", [False, True])
def test_check_grad(name, options, given_d):
    n = 6
    x = RNG.uniform(0.2, 0.8, (3 if given_d else 2, n))

    def parts(v):
        return list(v.reshape(x.shape))

    def value(v):
        return float(getattr(gan, name)(*parts(v), **options))

    def slope(v):
        return np.concatenate(getattr(fastdiv.grad, name)(*parts(v), **options)[1:])

    assert check_grad(value, slope, x.ravel()) < 1e-6


# --- what the papers say -----------------------------------------------------------------------------------


def test_the_generator_descends_js():
    p, q = RNG.dirichlet(np.ones(9), 2)
    game, js = fastdiv.grad.minimax_value(p, q), fastdiv.grad.js_divergence(p, q)
    np.testing.assert_allclose(game.p, 2 * js.p, rtol=1e-12, atol=1e-15)
    np.testing.assert_allclose(game.q, 2 * js.q, rtol=1e-12, atol=1e-15)


@pytest.mark.parametrize("name", LOSSES)
def test_the_best_discriminator_is_best(name):
    """By the envelope: the value's derivatives at d = D* are those of the best, and that by d is 0."""
    p, q = RNG.dirichlet(np.ones(9), 2)
    best = gan.optimal_discriminator(p, q)
    fast, free = getattr(fastdiv.grad, name)(p, q, best), getattr(fastdiv.grad, name)(p, q)
    agree = np.allclose(fast.q, free.q, rtol=1e-9)
    assert agree == (name == "minimax_value")
    assert (abs(fast.d).max() < 1e-13) == (name == "minimax_value")


@pytest.mark.parametrize("name", LOSSES[:2])
def test_disjoint_supports(name):
    """The value is 0, JS log 2, and where the generator has mass nothing leads anywhere."""
    p, q = [2, 1, 0, 0, 0], [0, 0, 3, 1e-30, 0]
    got = getattr(fastdiv.grad, name)(p, q)
    assert got.value == 0
    assert fastdiv.js_divergence(p, q) == math.log(2)
    np.testing.assert_array_equal(got.q, [-INF, -INF, 0, 0, 0])
    assert not np.signbit(got.q[2:]).any()
    got = getattr(fastdiv.grad, name)(np.log([2, 1, 1e-320, 1e-320]), [-900.0, -900.0, 0, 1], log_input=True)
    assert abs(got.q).max() < 1e-300
    with np.errstate(divide="ignore"):
        got = getattr(fastdiv.grad, name)(np.log(p), np.log(q), log_input=True)
    np.testing.assert_array_equal(got.q, np.zeros(5))


@pytest.mark.parametrize("name", LOSSES)
def test_orthogonal_and_of_any_scale(name):
    p, q = RNG.dirichlet(np.ones(9), 2)
    got = getattr(fastdiv.grad, name)(p, q)
    assert abs(got.p @ p) < 1e-14
    assert abs(got.q @ q) < 1e-14
    scaled = getattr(fastdiv.grad, name)(p * 2.0**900, q * 2.0**-900)
    np.testing.assert_array_equal(scaled.p * 2.0**900, got.p)
    np.testing.assert_array_equal(scaled.q * 2.0**-900, got.q)
    equal = getattr(fastdiv.grad, name)([3, 6, 9, 1], [1, 2, 3, 1 / 3])
    assert max(abs(equal.p).max(), abs(equal.q).max()) < 1e-16


@pytest.mark.parametrize("name", LOSSES)
@pytest.mark.parametrize("spread", [1.0, 1e-3, 1e-9])
def test_derivatives_by_logits_add_to_0(name, spread):
    """In the last digit of their size, however small beside their mean they are."""
    p, q = RNG.normal(size=(2, 7))
    for d in (None, 0.3 + 0.5 * spread * RNG.random(7)):
        got = getattr(fastdiv.grad, name)(p, p + spread * q if d is None else q, d=d, log_input=True)
        for slopes in (got.p, got.q):
            assert abs(math.fsum(slopes)) <= 4e-16 * np.abs(slopes).sum()


def test_odds_that_are_no_double_but_by_masses_are_one():
    p, q = [1e200, 1e-150], [1.0, 1.0]
    check("non_saturating_loss", p, q)
    assert math.isfinite(fastdiv.grad.non_saturating_loss(p, q).p[1])
    check("non_saturating_loss", [1.0, 1e-320], [1.0, 1.0])


@pytest.mark.parametrize("name", LOSSES)
def test_totals_that_differ_by_much_more_than_the_largest_masses(name):
    """One bin of two thousand against all of them: tilts are of shares, not of masses by the largest."""
    p, q = np.full(2000, 1e-9), np.ones(2000)
    p[7] = 1.0
    got = getattr(fastdiv.grad, name)(p, q)
    with mp.workdps(60):
        for field, (slopes, scales) in zip(("p", "q"), truth(name, p, q), strict=True):
            for i in (6, 7):
                error = abs(mpf(float(getattr(got, field)[i])) - slopes[i])
                assert error <= 1e-12 * max(abs(slopes[i]), scales[i])


# --- shapes, errors ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", LOSSES)
def test_rows_broadcast_along_any_axis(name):
    p, q, d = RNG.random((3, 1, 5)), RNG.random((4, 5)), RNG.random((2, 1, 1, 5))
    both = getattr(fastdiv.grad, name)
    whole = both(p, q, d)
    assert [x.shape for x in whole] == [(2, 3, 4), *[(2, 3, 4, 5)] * 3]
    one = both(p[2, 0], q[3], d[1, 0, 0])
    for mine, of_all in zip(one, whole, strict=True):
        np.testing.assert_array_equal(mine, of_all[1, 2, 3])
    turned = both(*(np.moveaxis(a, -1, -2) for a in (p, q, d)), axis=-2, keepdims=True)
    assert turned.value.shape == (2, 3, 1, 4)
    np.testing.assert_array_equal(np.moveaxis(turned.q, -2, -1), whole.q)
    best = both(np.asfortranarray(q), q[::-1])
    np.testing.assert_array_equal(best.p, both(q, q[::-1].copy()).p)
    assert isinstance(both(q[0], q[1]).value, np.float64)


@pytest.mark.parametrize("name", LOSSES)
def test_float32(name):
    p, q, d = RNG.random((3, 4, 5)).astype(np.float32)
    both = getattr(fastdiv.grad, name)
    for got, exact in (
        (both(p, q, d), both(*(a.astype(float) for a in (p, q, d)))),
        (both(p, q), both(p.astype(float), q.astype(float))),
    ):
        assert all(x.dtype == np.float32 for x in got)
        for x, y in zip(got, exact, strict=True):
            np.testing.assert_array_equal(x, y.astype(np.float32))
    assert both(p, q, d.astype(float)).q.dtype == np.float64


@pytest.mark.parametrize("name", LOSSES)
def test_errors(name):
    both = getattr(fastdiv.grad, name)
    with pytest.raises(TypeError, match="nan_policy"):
        both([1, 1], [1, 1], nan_policy="omit")
    with pytest.raises(ValueError, match=rf"{name} is nan in row 1, .* missing value or no mass"):
        both([[1, 1], [0, 0]], [1, 1])
    with pytest.raises(ValueError, match=rf"{name} is nan in row \(1, 0\), "):
        both([[[1, 1]], [[np.nan, 1]]], [1, 1], keepdims=True)
    end, sign = ("0", "inf") if name == LOSSES[2] else ("1", "-inf")
    with pytest.raises(ValueError, match=rf"is {sign}, .*: d is {end} in bin 1, where q has mass"):
        both([1, 1], [1, 1], [0.5, int(end)])


def test_errors_of_one_objective():
    with pytest.raises(ValueError, match=r"inf in row 1, .*: p has no mass in bin 2, where q has some"):
        fastdiv.grad.non_saturating_loss([[1, 1, 1], [1, 1, 0]], [1, 1, 1])
    with pytest.raises(ValueError, match="d is 0 in bin 0, where p has mass"):
        fastdiv.grad.minimax_value([1, 1], [1, 1], [0, 0.5])
    x = np.full(4, 3e38, np.float32)
    with pytest.raises(ValueError, match="it is beyond float32"):
        fastdiv.grad.minimax_value(x, x, normalize=False)


@pytest.mark.parametrize("name", LOSSES)
def test_complete(name):
    assert name in fastdiv.grad.__all__
    mine, theirs = (inspect.signature(getattr(m, name)).parameters for m in (fastdiv.grad, gan))
    assert [(p.name, p.kind, p.default) for p in mine.values()] == [
        (p.name, p.kind, p.default) for p in theirs.values()
    ]
    root = Path(__file__).parents[2]
    assert f"   grad.{name}\n" in (root / "docs" / "api.rst").read_text()
    text = inspect.getdoc(getattr(fastdiv.grad, name))
    assert ">>> fastdiv.grad." + name in text
    for parameter in mine:
        assert re.search(rf"^(\w+, )*{parameter}(, \w+)* :", text, re.MULTILINE)
    assert not any(marker in text for marker in ("{arrays}", "{notes}"))
