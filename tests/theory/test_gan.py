"""fastdiv.gan against mpmath, its twin, and the statements of the papers."""

import inspect
import math
import os
import re
from pathlib import Path

import mpmath
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mpmath import mp, mpf
from oracle import masses

import fastdiv
from fastdiv import gan, reference

LOSSES = ("minimax_value", "saturating_loss", "non_saturating_loss")
TWINS = (*LOSSES, "optimal_discriminator", "decomposition")
RNG = np.random.default_rng(20261126)
laws = settings(max_examples=int(os.environ.get("FASTDIV_EXAMPLES", "25")), deadline=None)


# --- the truth: definitions, to 400 digits -----------------------------------------------------------------


def expectation(shares, values):
    """With 0 times anything nothing; logarithms of 0 are infinite."""
    return mpmath.fsum(s * v for s, v in zip(shares, values, strict=True) if s)


def log(x):
    return mpmath.log(x) if x else mpf("-inf")


def truth(name, p, q, d=None, normalize=True, log_input=False):
    p, q = masses([p, q], normalize=normalize, log_input=log_input)
    if d is None:  # 1 - d from its own quotient: of shares 1e-600 apart, 400 digits would leave 0
        pairs = list(zip(p, q, strict=True))
        d, rest = ([s[i] / sum(s) if sum(s) else mpf(1) / 2 for s in pairs] for i in (0, 1))
    else:
        d = [mpf(float(x)) for x in d]
        rest = [1 - x for x in d]
    if name == "optimal_discriminator":
        return d
    if name == "minimax_value":
        return expectation(p, [log(x) for x in d]) + expectation(q, [log(x) for x in rest])
    if name == "saturating_loss":
        return expectation(q, [log(x) for x in rest])
    return -expectation(q, [log(x) for x in d])


def off(got, expected):
    """Relative error; 0 for equal infinities."""
    if mpmath.isinf(expected) or expected == 0:
        return 0.0 if float(got) == float(expected) else math.inf
    return float(abs((mpf(float(got)) - expected) / expected)) if abs(expected) >= 1e-30 else 0.0


def rows():
    """Pairs of rows: unrelated, near each other, far apart, with empty bins."""
    for n in (2, 7, 20):
        p, q = RNG.dirichlet(np.ones(n)), RNG.dirichlet(np.full(n, 0.1))
        yield p, q
        yield p, p * (1 + 1e-9 * RNG.normal(size=n))
        yield p, p[::-1] * 1e-300
        tilt = np.geomspace(1, 1e-25, n)
        yield tilt, tilt[::-1]
        yield np.exp(RNG.normal(0, 60, n)), np.exp(RNG.normal(0, 60, n))
        yield np.where(RNG.random(n) < 0.5, 0, p) + (p == p.max()), np.where(RNG.random(n) < 0.5, 0, q) + 1e-9
        yield np.arange(n), np.arange(n)[::-1]
    yield [1e308, 1e308, 1e-320], [1e-320, 1e308, 1e308]
    yield [5e-324, 5e-324], [5e-324, 1.5e-323]
    yield [1, 0], [0, 1]
    yield [3, 6, 9], [1, 2, 3]
    yield [1, 1e-300], [1e-300, 1]


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("given_d", [False, True])
@pytest.mark.parametrize("name", LOSSES)
def test_truth(name, given_d, normalize):
    for p, q in rows():
        if not normalize and max(*p, *q) > 1e300:
            continue
        d = RNG.random(len(p)) ** RNG.integers(1, 20) if given_d else None
        with mp.workdps(400):
            expected = truth(name, p, q, d, normalize=normalize)
            got = getattr(gan, name)(p, q, d, normalize=normalize)
            assert off(got, expected) <= 1e-12, (p, q)
            twin = getattr(reference.gan, name)(p, q, d, normalize=normalize)
            assert off(twin, expected) <= 1e-12, (p, q)


@pytest.mark.parametrize("name", LOSSES)
def test_truth_of_logits(name):
    for spread in (1, 30, 800):
        p, q = RNG.normal(0, spread, (2, 20))
        p[:2] = -np.inf
        q[1:3] = -np.inf if name != "non_saturating_loss" else q[1:3]
        with mp.workdps(400):
            expected = truth(name, p, q, log_input=True)
            assert off(getattr(gan, name)(p, q, log_input=True), expected) <= 1e-12


def test_truth_of_the_discriminator():
    for p, q in rows():
        with mp.workdps(400):
            expected = truth("optimal_discriminator", p, q)
        for library in (gan, reference.gan):
            got = library.optimal_discriminator(p, q)
            assert max(off(x, y) for x, y in zip(got, expected, strict=True)) <= 1e-12


def test_of_logits_the_tails_are_not_lost():
    """A mass of e^-800 has no float64: its logarithm counts all the same."""
    assert gan.non_saturating_loss([0.0, -800.0], [0.0, 0.0], log_input=True) == pytest.approx(
        (math.log(1.5) + math.log1p(0.5 * math.exp(700)) + 100) / 2, rel=1e-12
    )
    assert gan.optimal_discriminator([0, 500], [500, 0], log_input=True)[0] > 0


# --- what the papers say -----------------------------------------------------------------------------------

shares = st.lists(st.floats(1e-9, 1.0) | st.just(0.0), min_size=2, max_size=6)
pairs = shares.filter(any).flatmap(
    lambda p: st.tuples(
        st.just(p),
        st.lists(st.floats(1e-9, 1.0) | st.just(0.0), min_size=len(p), max_size=len(p)).filter(any),
    )
)


@laws
@given(pairs, st.integers(0, 2**32 - 1))
def test_no_discriminator_beats_the_best(pair, seed):
    p, q = pair
    d = np.random.default_rng(seed).random(len(p))
    best = gan.minimax_value(p, q)
    assert -2 * math.log(2) <= best <= 0
    assert gan.minimax_value(p, q, d) <= best + 1e-12
    assert gan.minimax_value(p, q, gan.optimal_discriminator(p, q)) == pytest.approx(best, abs=1e-12)
    assert best == pytest.approx(2 * fastdiv.js_divergence(p, q) - 2 * math.log(2), abs=1e-12)


@laws
@given(pairs)
def test_the_two_losses(pair):
    p, q = pair
    saturating, other = gan.saturating_loss(p, q), gan.non_saturating_loss(p, q)
    assert saturating <= 0 <= other
    swapped = gan.saturating_loss(q, p)  # E_p log D*, the other half of the value
    assert saturating + swapped == pytest.approx(gan.minimax_value(p, q), abs=1e-12)
    assert other - -saturating == pytest.approx(fastdiv.kl_divergence(q, p), rel=1e-9, abs=1e-12)


@laws
@given(pairs)
def test_decomposition(pair):
    parts = gan.decomposition(*pair)
    scale = parts.non_saturating_loss if math.isfinite(parts.non_saturating_loss) else 1
    assert abs(parts.residual) <= 1e-12 * max(1, scale)
    assert parts.kl_divergence == fastdiv.kl_divergence(pair[1], pair[0])
    assert parts.js_divergence == fastdiv.js_divergence(*pair)
    assert parts.constant == 2 * math.log(2)
    twin = reference.gan.decomposition(*pair)
    np.testing.assert_allclose(np.array(parts[:5]), twin[:5], rtol=1e-11, atol=1e-14)


def test_decomposition_of_many_rows_holds_at_1e_12():
    p, q = RNG.dirichlet(np.full(40, 0.3), (2, 500)) + 1e-300
    parts = gan.decomposition(p, q)
    assert abs(parts.residual).max() <= 1e-12
    raw = gan.decomposition(3 * p, 5 * q, normalize=False, base=2)
    assert abs(raw.residual).max() <= 1e-11
    logits = gan.decomposition(np.log(p), np.log(q), log_input=True)
    assert abs(logits.residual).max() <= 1e-12
    np.testing.assert_allclose(logits.kl_divergence, parts.kl_divergence, rtol=1e-10)


def test_disjoint_supports():
    p, q = [2, 1, 0, 0, 0], [0, 0, 0, 5, 1e-30]
    assert str(gan.minimax_value(p, q)) == "0.0"  # not -0.0
    assert gan.saturating_loss(p, q) == 0
    assert gan.non_saturating_loss(p, q) == math.inf
    assert gan.decomposition(p, q) == (math.inf, math.inf, math.log(2), 0, 2 * math.log(2), 0)
    assert gan.minimax_value(p, q, gan.optimal_discriminator(p, q)) == 0


def test_equal_rows():
    p = RNG.integers(1, 9, 300)
    assert gan.minimax_value(p, 3 * p) == -2 * math.log(2)
    assert gan.minimax_value(p, 7 * p, base=2) == -2
    assert set(gan.optimal_discriminator(p, 4 * p)) == {0.5}


def test_infinite_where_due_and_never_nan():
    assert gan.minimax_value([1, 1], [1, 1], [0, 0.5]) == -math.inf
    assert gan.minimax_value([1, 1], [1, 1], [1, 0.5]) == -math.inf
    assert gan.minimax_value([1, 0], [0, 1], [1, 0]) == 0
    assert gan.saturating_loss([1, 1], [0, 1], [1, 0.5]) == math.log(0.5)
    assert gan.non_saturating_loss([1, 1], [1, 1], [1, 0]) == math.inf
    # a share of 1e-328 is none in float64, but mass all the same
    assert gan.non_saturating_loss([1, 0], [1e308, 1e-20]) == math.inf
    assert gan.saturating_loss([1, 0], [1e308, 1e-20]) == pytest.approx(-math.log(2))
    assert gan.minimax_value([5e-324, 0], [0, 5e-324]) == 0


@pytest.mark.parametrize(
    ("p", "q"), [([800.0, 0.0], [0.0, 0.0]), ([0.0, -9.0], [760.0, 3.0]), ([710, 720], [-5, 1])]
)
def test_masses_beyond_float64_by_their_logarithms(p, q):
    """e^800 has no float64, but e^800 log(1 + e^-800) is 1."""
    options = {"normalize": False, "log_input": True}
    for pair in ((p, q), (q, p)):
        for name in LOSSES:
            with mp.workdps(800):
                expected = truth(name, *pair, **options)
                got = getattr(gan, name)(*pair, **options)
                assert float(got) == float(expected) or off(got, expected) <= 1e-12
        assert gan.decomposition(*pair, **options).residual == 0
        assert not np.isnan(gan.minimax_value(*pair, [1.0, 0.0], **options))


def test_sums_beyond_their_type():
    p, q = [1e308, 1e308], [1e308, 1.0]
    assert gan.decomposition(p, q, normalize=False).residual == 0
    p = np.full(4, 3e38, np.float32)
    assert gan.minimax_value(p, p, normalize=False) == -math.inf
    assert gan.minimax_value(p, p) == np.float32(-2 * math.log(2))


def test_no_mass_and_missing():
    for name in LOSSES:
        got = getattr(gan, name)([[0, 0], [1, 1], [np.nan, 1]], [1, 3])
        np.testing.assert_array_equal(np.isnan(got), [True, False, True])
    assert np.isnan(gan.optimal_discriminator([0, 0], [1, 1])).all()
    assert np.isnan(gan.saturating_loss([-np.inf] * 2, [1, 1], log_input=True))
    assert all(map(np.isnan, reference.gan.decomposition([0, 0], [1, 1])))


# --- shapes, labels, errors --------------------------------------------------------------------------------


@pytest.mark.parametrize("library", [gan, reference.gan])
@pytest.mark.parametrize("name", LOSSES)
def test_rows_broadcast_along_any_axis(name, library):
    p, q, d = RNG.random((3, 1, 5)), RNG.random((4, 5)), RNG.random((2, 1, 1, 5))
    loss = getattr(library, name)
    whole = loss(p, q, d)
    assert whole.shape == (2, 3, 4)
    assert whole[1, 2, 3] == loss(p[2, 0], q[3], d[1, 0, 0])
    assert loss(p, q).shape == (3, 4)
    assert loss(p, q, keepdims=True).shape == (3, 4, 1)
    first = loss(np.moveaxis(p, -1, 0), np.moveaxis(q, -1, 0)[:, None], axis=0, keepdims=True)
    np.testing.assert_array_equal(first, loss(p, q)[None])
    assert isinstance(loss(q[0], q[1]), np.float64)
    assert loss(q.astype("f"), q.astype("f")).dtype == np.float32
    np.testing.assert_array_equal(loss(p, np.asfortranarray(q)), loss(p, q))


def test_the_discriminator_has_the_shape_of_the_masses():
    p, q = RNG.random((3, 1, 5)), RNG.random((4, 5))
    for library in (gan, reference.gan):
        best = library.optimal_discriminator(p, q)
        assert best.shape == (3, 4, 5)
        turned = library.optimal_discriminator(np.moveaxis(p, -1, 1), q.T, axis=-2)
        np.testing.assert_array_equal(turned, np.moveaxis(best, -1, -2))
        assert library.optimal_discriminator(p.astype("f"), q.astype("f")).dtype == np.float32


@pytest.mark.parametrize("library", [gan, reference.gan])
@pytest.mark.parametrize("name", TWINS)
def test_errors(name, library):
    pandas = pytest.importorskip("pandas")
    function = getattr(library, name)
    with pytest.raises(ValueError, match="labels that differ"):
        function(pandas.Series([1, 2], list("ab")), pandas.Series([1, 2], list("ba")))
    if name in LOSSES:
        with pytest.raises(ValueError, match="p has 2 bins but q has 2 bins but d has 3 bins"):
            function([1, 1], [1, 1], [0.5, 0.5, 0.5])
        with pytest.raises(ValueError, match="labels that differ"):
            function([1, 2], pandas.Series([1, 2], list("ab")), pandas.Series([0, 0], list("ba")))


@pytest.mark.parametrize("name", TWINS)
def test_twin_has_the_same_signature(name):
    ours, twin = (inspect.signature(getattr(library, name)) for library in (gan, reference.gan))
    assert ours == twin


@pytest.mark.parametrize("name", gan.__all__)
def test_documentation(name):
    text = inspect.getdoc(getattr(gan, name))
    page = Path(__file__).parents[2] / "docs" / "api.rst"
    assert not page.exists() or f"   gan.{name}\n" in page.read_text()
    if inspect.isfunction(getattr(gan, name)):
        for section in ("Parameters", "Returns", "Raises", "Examples"):
            assert f"{section}\n{'-' * len(section)}" in text
        for parameter in inspect.signature(getattr(gan, name)).parameters:
            assert re.search(rf"^(\w+, )*{parameter}(, \w+)* :", text, re.MULTILINE)
        assert not any(marker in text for marker in ("{d}", "{options}", "{raises}"))
        assert f">>> fastdiv.gan.{name}" in text or f"fastdiv.gan.{name}(" in text


# --- samples -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("bins", [1, 7, "fd", [-9.0, -1.0, 0.0, 20.0]])
def test_samples_in_shared_bins(bins):
    x, y = RNG.normal(size=500), RNG.normal(2, 1, 300)
    p, q, edges = gan.shared_histogram(x, y, bins)
    np.testing.assert_array_equal(p, np.histogram(x, edges)[0])
    np.testing.assert_array_equal(q, np.histogram(y, edges)[0])
    assert (p.sum(), q.sum()) == (500, 300)
    if bins == 7:
        np.testing.assert_array_equal(edges, np.histogram_bin_edges([*x, *y], 7))


def test_samples_of_extreme_range():
    p, q, edges = gan.shared_histogram([-1.7e308], [1.7e308], bins=4)
    assert np.isfinite(edges).all()
    assert (p[0], q[3]) == (1, 1)
    assert gan.minimax_value(p, q) == 0
    for value in (0.0, 3.0, -1.7e308, 1e-300):
        p, q, _ = gan.shared_histogram([value], [value, value], bins=3)
        assert gan.minimax_value(p, q, base=2) == -2


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([1, np.nan], [1]), r"p_samples must be finite, not nan: p_samples\[1\]"),
        (([1], []), r"q_samples must be one sample of at least one value, not of shape \(0,\)"),
        (([1], [[1]]), r"q_samples must be one sample"),
        (([1], [2], 0), "bins must be at least 1, not 0"),
        (([1], [2], "fdd"), "bins='fdd' gives no edges"),
        (([1], [2], [0, 0, 3]), r"bins must ascend, but edge 1 is 0\.0 after 0\.0"),
        (([1], [2], [0, np.inf]), "bins must be at least 2 finite edges"),
        (
            ([1], [2, 7], [0, 3]),
            r"q_samples must lie between the edges 0\.0 and 3\.0, not 7\.0: q_sam",
        ),
    ],
)
def test_errors_of_samples(arguments, message):
    with pytest.raises(ValueError, match=message):
        gan.shared_histogram(*arguments)
