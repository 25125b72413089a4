"""Laws of the options, and of the surprisal of events."""

import math

import numpy as np
import pytest
from calls import BASELESS, PAIRED, ROWWISE, call
from hypothesis import assume, given
from hypothesis import strategies as st
from laws import LN2, SLACK, at_most, both, each, measured, rows

# --- options -------------------------------------------------------------------------------------------


@both
@each([name for name in ROWWISE if name not in BASELESS])
@measured
@given(rows(2), st.sampled_from([2, 10, 1.25, 3.0, np.float32(7)]))
def test_base(library, name, table, base):
    unit = math.log(base)
    nats = call(library, name, *table)
    expected = nats / (math.sqrt(unit) if name == "js_distance" else unit)
    assert call(library, name, *table, base=base) == pytest.approx(expected, rel=1e-14, abs=0)


@both
@each(ROWWISE)
@measured
@given(rows(2), st.integers(-40, 40), st.integers(-40, 40))
def test_log_input(library, name, table, i, j):
    """Logarithms of the masses, shifted by whole numbers, are the same rows to the rounding of log."""
    with np.errstate(divide="ignore"):
        logs = np.log(table) + np.array([[i], [j]])
    plain, log = call(library, name, *table), call(library, name, *logs, log_input=True)
    # log rounds to 2^-53 of up to 80: shares are off by 1e-14, and a divergence D by sqrt(D) of that
    assert plain == log or abs(plain - log) <= 1e-12 * plain + 1e-13 * math.sqrt(plain) + 1e-13


@both
@each(ROWWISE)
@measured
@given(rows(2), st.sampled_from([1e-3, 0.5, 1.0, 20.0]))
def test_pseudocount(library, name, table, c):
    """The same bits as adding it by hand, to both sides."""
    assert call(library, name, *table, pseudocount=c) == call(library, name, *(table + c))


@both
@each(ROWWISE)
@measured
@given(rows(2, zeros=False), st.integers(-30, 30))
def test_raw_is_homogeneous(library, name, table, k):
    """normalize=False: D(c p, c q) = c D(p, q) for sums of masses, sqrt(c) for their roots."""
    if name in ("entropy", "cross_entropy", "renyi_divergence", "bhattacharyya_distance"):
        p = table / table.sum(axis=1, keepdims=True)
        raw = call(library, name, *p, normalize=False)
        assert raw == pytest.approx(call(library, name, *p), rel=1e-9, abs=1e-9)
        return
    raw = call(library, name, *table, normalize=False)
    power = k / 2 if name in ("js_distance", "hellinger_distance") else k
    scaled = call(library, name, *np.ldexp(table, 2 * k), normalize=False)
    assert scaled == pytest.approx(raw * 2.0 ** (2 * power), rel=1e-12, abs=0)


@both
@measured
@given(rows(2), st.floats(0, 1))
def test_mixture_weights(library, table, w):
    p, q = table
    assert library.js_divergence(p, q, weights=[2, 2]) == pytest.approx(
        library.js_divergence(p, q), rel=1e-12, abs=1e-30
    )
    one = library.js_divergence(p, q, weights=[w, 1 - w])
    assert one == pytest.approx(library.js_divergence(q, p, weights=[1 - w, w]), rel=1e-12, abs=1e-30)
    bound = -sum(x * math.log(x) for x in (w, 1 - w) if x)
    assert 0 <= one <= bound * SLACK + 1e-15
    assert library.js_divergence(p, q, weights=[0, 3]) == 0


@both
@measured
@given(rows(4), st.lists(st.floats(0, 10), min_size=4, max_size=4), st.permutations(range(4)))
def test_stack(library, table, weights, order):
    assume(sum(weights) > 0)
    whole = library.js_divergence(table, weights=weights)
    other = library.js_divergence(table[order], weights=[weights[i] for i in order])
    assert whole == pytest.approx(other, rel=1e-11, abs=1e-30)
    assert 0 <= whole <= math.log(4) * SLACK
    pair = library.js_divergence(table[:2])
    assert pair == pytest.approx(library.js_divergence(*table[:2]), rel=1e-12, abs=1e-30)
    assert library.js_distance(table, weights=weights) ** 2 == pytest.approx(whole, rel=1e-12, abs=1e-30)
    assert at_most(library.js_divergence(table[[0, 1, 0, 1]]), pair)


@both
@each(ROWWISE)
@measured
@given(rows(2), st.data())
def test_missing_bins(library, name, table, data):
    """propagate: NaN for that row alone; omit: as if the bin were not there."""
    n = table.shape[1]
    hole = data.draw(st.integers(0, n - 1))
    side = 0 if name == "entropy" else data.draw(st.integers(0, 1))
    holed = table.copy()
    holed[side, hole] = np.nan
    assert math.isnan(call(library, name, *holed))
    batch = call(library, name, *np.stack([table, holed, table], axis=1))
    assert np.isnan(batch).tolist() == [False, True, False]
    assert batch[0] == call(library, name, *table)

    kept = np.delete(table, hole, axis=1)
    omitted = call(library, name, *holed, nan_policy="omit")
    if n == 1:
        assert math.isnan(omitted)
    else:
        expected = call(library, name, *kept)
        same = omitted == expected or abs(omitted - expected) <= 1e-12 * expected + 1e-30
        assert same or (math.isnan(omitted) and math.isnan(expected))


# --- events --------------------------------------------------------------------------------------------


@both
@measured
@given(st.floats(0, 1))
def test_events(library, p):
    assert library.surprisal(p) >= 0
    assert library.binary_entropy(p) == pytest.approx(library.entropy([p, 1 - p]), rel=1e-9, abs=1e-15)
    assert 0 <= library.binary_entropy(p, base=2) <= 1
    if p:
        assert library.surprisal(p) == pytest.approx(-math.log(p), rel=1e-15)


@both
def test_events_at_the_ends(library):
    assert library.surprisal(0.0) == math.inf
    assert library.surprisal(1.0) == 0
    assert math.copysign(1, library.surprisal(1.0)) == 1
    assert library.binary_entropy([0.0, 0.5, 1.0], base=2).tolist() == [0, 1, 0]
    assert np.isnan(library.surprisal([np.nan, 0.5])).tolist() == [True, False]
    assert np.isnan(library.binary_entropy([np.nan, 0.5])).tolist() == [True, False]


@both
@each(PAIRED)
def test_support(library, name):
    """q = 0 < p is infinite where p stands over q; p = 0 < q and p = q = 0 are not."""
    p, q = np.array([1.0, 1.0, 0.0]), np.array([1.0, 0.0, 0.0])
    infinite = name in (
        "cross_entropy",
        "kl_divergence",
        "jeffreys_divergence",
        "chi_square",
        "renyi_divergence",
    )
    assert (call(library, name, p, q) == math.inf) == infinite
    assert (call(library, name, q, p) == math.inf) == (name == "jeffreys_divergence")
    if name == "renyi_divergence":
        assert call(library, name, p, q, alpha=0.5) == pytest.approx(LN2, rel=1e-15)
        assert call(library, name, q, p, alpha=0.0) == pytest.approx(LN2, rel=1e-15)
