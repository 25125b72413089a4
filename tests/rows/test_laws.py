"""Laws that hold for every distribution: what a divergence, a metric and an entropy are.

Equalities marked ``==`` are bit for bit. Inequalities between rounded values are given 1e-12 of slack.
``FASTDIV_EXAMPLES=1000`` asks for more examples of each.
"""

import math
from itertools import pairwise

import numpy as np
import pytest
from calls import DIVERGENCES, METRICS, ROWWISE, SYMMETRIC, call
from hypothesis import assume, given
from hypothesis import strategies as st
from laws import LN2, at_most, both, each, measured, rows

import fastdiv
from fastdiv import reference

# --- one and two distributions -------------------------------------------------------------------------


@both
@each(ROWWISE)
@measured
@given(rows(2))
def test_not_negative(library, name, table):
    value = call(library, name, *table)
    assert value >= 0
    assert math.copysign(1, value) == 1


@both
@each(DIVERGENCES)
@measured
@given(
    rows(1), st.sampled_from([1.0, 2.0, 2.0**-700, 2.0**900]), st.sampled_from([0.3, 0.5, 1.0, 5.0, math.inf])
)
def test_zero_where_equal(library, name, table, scale, alpha):
    """D(p, p) = 0 and D(p, 2^k p) = 0 exactly."""
    options = {"alpha": alpha} if name == "renyi_divergence" else {}
    assert call(library, name, table[0], table[0] * scale, **options) == 0
    if name.startswith("js"):
        assert call(library, name, table[0], table[0] * scale, weights=[0.1, 0.7]) == 0
        assert getattr(library, name)(np.stack([table[0], table[0] * scale, table[0]])) == 0


@both
@each(DIVERGENCES)
@measured
@given(rows(1, integers=True), st.integers(2, 1000))
def test_zero_where_proportional(library, name, table, factor):
    """D(counts, k counts) = 0 exactly."""
    for alpha in (0.3, 2.0, math.inf) if name == "renyi_divergence" else (2.0,):
        options = {"alpha": alpha} if name == "renyi_divergence" else {}
        assert call(library, name, table[0], table[0] * factor, **options) == 0
    if name.startswith("js"):
        stack = np.stack([table[0], table[0] * factor, table[0] * 7])
        for weights in (None, [0.2, 0.1, 0.7]):
            assert getattr(library, name)(stack, weights=weights) == 0


@each(DIVERGENCES)
def test_zero_where_counts_are_in_proportion(level, name):
    """Alone, beside others, as columns, in matrices, of every order."""
    orders = (0.0, 0.3, 0.5, 1.0, 2.0, 7.0, math.inf) if name == "renyi_divergence" else (None,)
    for n in (1, 2, 3, 5, 9, 17, 40, 140, 600):
        rng = np.random.default_rng(n)
        p = rng.integers(0, 10 ** rng.integers(1, 7, (40, 1)), (40, n)).astype(float)
        p[:, 0] += 1
        q = p * rng.integers(2, 1000, (40, 1))
        for options in ({} if alpha is None else {"alpha": alpha} for alpha in orders):
            assert not np.any(call(fastdiv, name, p, q, **options))
            assert not any(call(fastdiv, name, *pair, **options) for pair in zip(p, q, strict=True))
            columns = np.ascontiguousarray(p.T), np.ascontiguousarray(q.T)
            assert not np.any(call(fastdiv, name, *columns, axis=0, **options))
            assert not np.any(np.diagonal(fastdiv.cdist(p[:9], q[:9], name, **options)))


@each(DIVERGENCES)
def test_zero_where_large_counts_are_in_proportion(level, name):
    """Whose sums are no doubles; so are the derivatives."""
    rng = np.random.default_rng(0)
    for n in (2, 3, 10, 40, 150):
        times = rng.choice([3, 5, 7, 9, 1001], (60, 1))
        p = rng.integers(2**40, 2**53 // times, (60, n))
        for alpha in (0.3, 0.5, 2.0, math.inf) if name == "renyi_divergence" else (None,):
            options = {} if alpha is None else {"alpha": alpha}
            assert not np.any(call(fastdiv, name, p, p * times, **options))
            got = call(fastdiv.grad, name, p[0], p[0] * times[0], **options)
            assert not any(map(np.any, got)), got


@both
@each(DIVERGENCES)
@measured
@given(rows(2, integers=True))
def test_positive_where_different(library, name, table):
    p, q = table
    assume(not np.array_equal(p * q.sum(), q * p.sum()))
    assert call(library, name, p, q) > 0


@both
@each(SYMMETRIC)
@measured
@given(rows(2))
def test_symmetric(library, name, table):
    assert call(library, name, *table) == call(library, name, *table[::-1])


@both
@each(METRICS)
@measured
@given(rows(3))
def test_triangle(library, name, table):
    p, q, r = table
    assert at_most(call(library, name, p, r), call(library, name, p, q) + call(library, name, q, r))


@both
@each(DIVERGENCES)
@measured
@given(rows(2, integers=True), st.integers(0, 2**32))
def test_data_processing(library, name, table, seed):
    """Merging bins never increases a divergence (integers, so that merging is exact)."""
    n = table.shape[1]
    groups = np.random.default_rng(seed).integers(0, max(1, n // 2), size=n)
    merged = np.zeros((2, n))
    np.add.at(merged, (slice(None), groups), table)
    assert at_most(call(library, name, *merged), call(library, name, *table))


@both
@each(ROWWISE)
@measured
@given(rows(2), st.randoms(use_true_random=False))
def test_permutation_and_padding(library, name, table, random):
    """The order of the bins and bins without mass change the last digits at most."""
    order = list(range(table.shape[1]))
    random.shuffle(order)
    padded = np.concatenate([np.zeros((2, 3)), table[:, order], np.zeros((2, 5))], axis=1)
    a, b = call(library, name, *table), call(library, name, *padded)
    assert a == b or abs(a - b) <= 1e-12 * a + 1e-30


@both
@each(ROWWISE)
@measured
@given(rows(2), st.integers(-900, 900), st.integers(-900, 900))
def test_power_of_two_scaling(library, name, table, i, j):
    """Whole rows times a power of two: the same bits."""
    table = table * 2.0**-40
    scaled = np.ldexp(table, [[i], [j]])
    assume((np.ldexp(scaled, [[-i], [-j]]) == table).all())
    assert call(library, name, *scaled) == call(library, name, *table)


@both
@measured
@given(rows(3), st.lists(st.integers(-900, 900), min_size=3, max_size=3))
def test_power_of_two_scaling_of_a_stack(library, table, exponents):
    """Each row by its own; as they stand all by one, which the value then has."""
    table = table * 2.0**-40
    alone, together = np.ldexp(table, np.array(exponents)[:, None]), np.ldexp(table, exponents[0])
    assume((np.ldexp(alone, -np.array(exponents)[:, None]) == table).all())
    assert library.js_divergence(alone) == library.js_divergence(table)
    value = library.js_divergence(table, normalize=False)
    assume(value == 0 or -970 < math.frexp(value)[1] + exponents[0] < 970)
    assert library.js_divergence(together, normalize=False) == math.ldexp(value, exponents[0])


@both
@each(DIVERGENCES)
@measured
@given(st.integers(1, 12), st.integers(1, 12), st.integers(0, 2**32))
def test_disjoint(library, name, m, n, seed):
    """Nothing in common: exactly the bound, or infinity."""
    rng = np.random.default_rng(seed)
    p = np.concatenate([rng.random(m) + 0.01, np.zeros(n)])
    q = np.concatenate([np.zeros(m), rng.random(n) + 0.01])
    bound = {
        "js_divergence": LN2,
        "js_distance": math.sqrt(LN2),
        "total_variation": 1,
        "hellinger_distance": 1,
        "triangular_discrimination": 2,
    }
    assert call(library, name, p, q) == bound.get(name, math.inf)
    if name.startswith("js"):
        assert call(library, name, p, q, base=2) == 1
    if name == "renyi_divergence":
        for alpha in (0.0, 0.5, 1.0, math.inf):
            assert call(library, name, p, q, alpha=alpha) == math.inf


@both
@pytest.mark.parametrize("shared", [2.0**-49, 3e-13, 2e-11, 7e-10, 2e-9, 1e-3])
def test_all_but_disjoint(library, shared):
    """One bin in common, of the same share in both, is what values of any rows lack to the bound."""
    least = {"js_divergence": LN2, "total_variation": 1, "triangular_discrimination": 2}
    for n, where in ((1, 0), (4, 0), (4, 8), (9, 3), (70, 70), (400, 0)):
        rng = np.random.default_rng(n)
        own = [(1 - shared) * rng.dirichlet(np.ones(n)) for _ in range(2)]
        p = np.insert(np.concatenate([own[0], np.zeros(n)]), where, shared)
        q = np.insert(np.concatenate([np.zeros(n), own[1]]), where, shared)
        rows = [(p, q), (np.tile(p, (20, 1)), np.tile(3 * q, (20, 1)))]
        for a, b in rows[: 2 if library is fastdiv else 1]:
            for name, bound in least.items():
                value = call(library, name, a, b)
                np.testing.assert_allclose(value, bound * (1 - shared), rtol=2e-15)
                assert np.all(value < bound), (name, n)
            distance = call(library, "hellinger_distance", a, b)
            np.testing.assert_allclose(distance**2, 1 - shared, rtol=2e-15)
            distance = call(library, "js_distance", a, b)
            np.testing.assert_allclose(distance**2, LN2 * (1 - shared), rtol=2e-15)
            value = call(library, "bhattacharyya_distance", a, b)
            np.testing.assert_allclose(value, -np.log(shared), rtol=1e-12)
        third = np.concatenate([np.zeros(2 * n + 1), own[1] / own[1].sum() * (1 - shared)])
        third[where] = shared
        stack = np.array([np.pad(p, (0, n)), third, np.pad(q, (0, n))])
        np.testing.assert_allclose(library.js_divergence(stack), math.log(3) * (1 - shared), rtol=2e-15)


# --- between measures ----------------------------------------------------------------------------------


@both
@measured
@given(rows(2, zeros=False))
def test_identities(library, table):
    p, q = table
    kl = library.kl_divergence(p, q)
    total = library.entropy(p) + kl
    assert library.cross_entropy(p, q) == pytest.approx(total, rel=1e-12)
    back = library.kl_divergence(q, p)
    assert library.jeffreys_divergence(p, q) == pytest.approx(kl + back, rel=1e-12, abs=1e-30)
    assert library.js_distance(p, q) ** 2 == pytest.approx(library.js_divergence(p, q), rel=1e-12, abs=1e-30)
    chi = library.chi_square(p, q)
    assert library.renyi_divergence(p, q, 2.0) == pytest.approx(math.log1p(chi), rel=1e-12, abs=1e-30)
    h2 = library.hellinger_distance(p, q) ** 2
    assume(h2 < 0.9)
    half = library.renyi_divergence(p, q, 0.5)
    assert half == pytest.approx(-2 * math.log1p(-h2), rel=1e-11, abs=1e-30)
    m = p / p.sum() + q / q.sum()
    assume(h2 > 1e-6)  # m is rounded
    mean = (library.kl_divergence(p, m) + library.kl_divergence(q, m)) / 2
    assert library.js_divergence(p, q) == pytest.approx(mean, rel=1e-9)


@both
@measured
@given(rows(2))
def test_inequalities(library, table):
    p, q = table
    kl, js = library.kl_divergence(p, q), library.js_divergence(p, q)
    tv, h = library.total_variation(p, q), library.hellinger_distance(p, q)
    assert at_most(2 * tv * tv, kl), "Pinsker"
    assert at_most(kl, library.renyi_divergence(p, q, 2.0)), "KL <= D_2 = log(1 + chi2)"
    assert at_most(LN2 * h * h, js)
    assert at_most(js, h * h)
    assert js <= LN2
    assert at_most(js, LN2 * tv), "Lin"
    assert at_most(h * h, tv), "Le Cam"
    assert at_most(tv, h * math.sqrt(2 - h * h)), "Le Cam"
    assert tv <= 1
    assert h <= 1
    assert at_most(4 * js, library.jeffreys_divergence(p, q)), "Lin"
    assert at_most(library.entropy(p), math.log(len(p)))
    assert at_most(library.entropy(p), library.cross_entropy(p, q)), "Gibbs"


@both
@measured
@given(rows(2))
def test_renyi_grows_with_alpha(library, table):
    p, q = table
    values = [
        library.renyi_divergence(p, q, alpha)
        for alpha in (0, 1e-12, 0.1, 0.5, 0.9, 1 - 1e-9, 1, 1 + 1e-9, 2, 7.5, 100, 1e5, math.inf)
    ]
    for a, b in pairwise(values):
        assert at_most(a, b)
    below, kl, above = values[5:8]
    assert kl == library.kl_divergence(p, q)
    assume(math.isfinite(above) and values[-1] < 50)
    assert below == pytest.approx(kl, rel=1e-6, abs=1e-30)
    assert above == pytest.approx(kl, rel=1e-6, abs=1e-30)


@both
@measured
@given(rows(2))
def test_renyi_skew_symmetry(library, table):
    p, q = table
    for alpha in (0.1, 0.5, 0.8):
        there = library.renyi_divergence(p, q, alpha)
        back = library.renyi_divergence(q, p, 1 - alpha) * alpha / (1 - alpha)
        assert there == back or there == pytest.approx(back, rel=1e-12, abs=1e-30)


# --- found by a reviewer -----------------------------------------------------------------------------------


@pytest.mark.parametrize("base", [2, 3, 10, 16, 100.0])
def test_an_impossible_event_is_infinitely_surprising(base):
    assert fastdiv.surprisal(0.0, base=base) == np.inf
    assert np.array_equal(fastdiv.surprisal([0.0, 1.0], base=base), [np.inf, 0.0])


@pytest.mark.parametrize(
    ("name", "args", "options"),
    [
        ("kl_divergence", ([2.0**-31, 2.0**-31], [2.0**30 * 0.99, 2.0**-900]), {"base": 2}),
        ("js_divergence", ([1, 1], [1e-300, 1]), {"weights": [1e-17, 1]}),
        ("js_divergence", ([1, 1], [1e-300, 1]), {"weights": [1e-6, 1]}),
        ("chi_square", ([0, -300], [0, -720]), {"log_input": True}),
        ("jeffreys_divergence", ([0, -1e9], [0, np.finfo(float).min]), {"log_input": True}),
        ("kl_divergence", ([1e308, 0], [-1e308, 0]), {"log_input": True}),
        ("kl_divergence", ([0, -1000], [-300, 669]), {"log_input": True, "normalize": False}),
        ("kl_divergence", ([800, 800], [800, 800]), {"log_input": True, "normalize": False}),
        ("total_variation", ([1.1e308, 0], [0, 1.1e308]), {"normalize": False}),
        ("cross_entropy", ([1e300, 1.0, 1e-310], [1.0, 1e300, 1e-310]), {"normalize": False}),
    ],
)
def test_far_corners(name, args, options):
    got = getattr(fastdiv, name)(*args, **options)
    assert got == pytest.approx(getattr(reference, name)(*args, **options), rel=1e-12)


def test_tails_of_a_gaussian():
    """Masses from 1e-300 to 1 in one row: some bins go one by one, most through the loop."""
    x = np.linspace(-38, 38, 701)
    p, q = np.exp(-(x**2) / 2), np.exp(-((x - 0.5) ** 2) / 2)
    for name in ROWWISE:
        got, expected = call(fastdiv, name, p, q), call(reference, name, p, q)
        assert got == pytest.approx(expected, rel=1e-12), name


def test_many_distributions_in_a_stack():
    assert fastdiv.js_divergence(np.eye(300), base=300) == pytest.approx(1.0, rel=1e-14)
