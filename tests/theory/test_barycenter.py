"""Barycentres and interpolation on the line: exact fractions, the twins, and what they are for."""

import inspect
import os
from fractions import Fraction

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import fastdiv
from fastdiv import displacement_interpolation, reference, transport_plan, wasserstein_barycenter
from fastdiv.barycenter import _refine

RNG = np.random.default_rng(20261127)
laws = settings(max_examples=int(os.environ.get("FASTDIV_EXAMPLES", "25")), deadline=None)


def quantile(t, x, weights=None):
    """The least value at or below which there is mass t: by the definition, in fractions."""
    weights = [1] * len(x) if weights is None else [Fraction(float(w)) for w in weights]
    mass, total = Fraction(0), sum(weights)
    for value, w in sorted(zip(map(float, x), weights, strict=True)):
        mass += w / total
        if w and mass >= t:
            return Fraction(value)
    raise AssertionError(t)


CASES = {
    "rows": (RNG.normal(size=(4, 6)), None, None),
    "sizes": ([RNG.normal(size=n) for n in (1, 2, 6, 9, 10)], None, None),
    "mixed": ([RNG.normal(size=n) for n in (3, 5, 7)], [1, 0, 2.5], None),
    "weights": ([RNG.normal(size=n) for n in (4, 5)], [0.3, 0.7], [RNG.random(4), None]),
    "counts": ([[3, 1, 2], [7, 9]], None, [[1, 2, 3], [2, 4]]),
    "range": ([[3, 1, 2], [7, 9, 8]], None, [[1e-300, 1, 1e300], [0, 0.1, 0.2]]),
    "far": ([[1e9 + 1, 1e9], [1e9, 1e9 - 3, 1e9]], None, None),
    "one": ([[2.0, 1.0]], None, None),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_exact(case):
    samples, weights, sample_weights = case
    w = np.ones(len(samples)) if weights is None else np.array(weights)
    w = [Fraction(float(x)) for x in w]
    values, masses = wasserstein_barycenter(samples, weights=weights, sample_weights=sample_weights)
    assert len(values) == len(masses)
    assert (np.diff(values) >= 0).all()
    assert (masses > 0).all()
    assert masses.sum() == pytest.approx(1, abs=1e-15)
    sides = [None] * len(samples) if sample_weights is None else sample_weights
    ends = np.cumsum(masses)
    for i, value in enumerate(values):
        if masses[i] < 1e-12:  # too narrow for float64 to say where
            continue
        t = Fraction(float(ends[i] - masses[i] / 2))
        parts = [quantile(t, x, a) for x, a in zip(samples, sides, strict=True)]
        expected = sum(u * v for u, v in zip(w, parts, strict=True)) / sum(w)
        assert value == pytest.approx(float(expected), rel=1e-14, abs=1e-14)
    twin = reference.wasserstein_barycenter(samples, weights=weights, sample_weights=sample_weights)
    np.testing.assert_allclose(values, twin.values, rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(masses, twin.masses, rtol=1e-14)


def test_equal_cuts_are_one_atom():
    def atoms(*samples, **options):
        return len(wasserstein_barycenter(samples, **options).masses)

    assert atoms(range(10), range(5)) == 10
    assert atoms(range(49), range(7), range(343)) == 343
    assert atoms(range(6), range(10)) == 14  # 6 + 10 - gcd
    assert atoms(range(3), range(9), sample_weights=[[0.1] * 3, [0.3] * 9]) == 9
    assert atoms([1, 2], [3, 4], sample_weights=[[1, 2], [1e300, 2e300]]) == 2
    # cumulated in float64, 0.1 ten times is not 1
    assert atoms(range(10), range(10), sample_weights=[[0.1] * 10, None]) == 10
    # weight 0, of a sample or of a value, makes no cut
    assert atoms(range(4), range(9), weights=[1, 0]) == 4
    assert atoms([5, 1, 3], [5, 1], sample_weights=[[1, 0, 1], None]) == 2


def test_cuts_that_float64_cannot_tell_apart_are_two():
    big = 3 * 2**60
    level = [np.array(x, object) for x in ([2**60 + 1, big], [1, 3], [2**60 - 1, big])]
    masses, atoms = _refine(level, [big, 3, big])
    assert masses.tolist() == [
        float(Fraction(2**60 - 1, big)),
        1 / big,
        1 / big,
        float(Fraction(2**61 - 1, big)),
    ]
    assert [a.tolist() for a in atoms] == [[0, 0, 0, 1], [0, 0, 1, 1], [0, 1, 1, 1]]


def test_identical_samples_are_their_own_barycentre():
    x = RNG.normal(size=50) * 1e9
    got = wasserstein_barycenter([x, RNG.permutation(x), x], weights=[0.3, 0.1, 0.6])
    np.testing.assert_array_equal(got.values, np.sort(x))
    assert set(got.masses) <= {0.02, np.nextafter(0.02, 1), np.nextafter(0.02, 0)}


def test_large_values_do_not_overflow():
    top = 1.7976931348623157e308
    assert wasserstein_barycenter([[top], [top], [top]]).values == [top]
    assert wasserstein_barycenter([[top], [-top]]).values == [0]
    assert displacement_interpolation(transport_plan([-top], [top]), [0, 0.5, 1]).values.tolist() == [
        [-top],
        [0],
        [top],
    ]


samples = st.lists(st.lists(st.integers(-50, 50), min_size=1, max_size=6), min_size=1, max_size=4)


@laws
@given(samples, st.integers(0, 2**32 - 1))
@pytest.mark.filterwarnings("ignore::fastdiv.CountsAsSamplesWarning")  # values by chance like counts
def test_nothing_is_nearer_to_all(samples, seed):
    """It minimises sum w W_2^2, against neighbours, the samples themselves and distributions of chance."""
    rng = np.random.default_rng(seed)
    w = rng.dirichlet(np.ones(len(samples)))
    values, masses = wasserstein_barycenter(samples, weights=w)

    def cost(values, masses=None):
        distances = [fastdiv.wasserstein_distance(values, x, masses, None, p=2) for x in samples]
        return np.dot(w, np.square(distances))

    best = cost(values, masses) * (1 - 1e-12) - 1e-12
    for _ in range(5):
        assert best <= cost(values + rng.normal(0, 0.1, len(values)), masses)
        assert best <= cost(values, rng.random(len(values)))
        assert best <= cost(rng.normal(0, 30, 7))
    assert best <= min(map(cost, samples))


@laws
@given(
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=7),
    st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=7),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from([1, 2, 3.5]),
)
def test_interpolation_is_a_shortest_path(u, v, s, t, p):
    plan = transport_plan(u, v, p=p)
    (x, y), masses = displacement_interpolation(plan, [s, t])
    expected = abs(s - t) * plan.distance
    got = fastdiv.wasserstein_distance(x, y, masses, masses, p=p)
    scale = max(map(abs, u + v))
    assert got == pytest.approx(expected, rel=1e-12, abs=1e-14 * scale)


@laws
@given(
    st.lists(st.tuples(st.floats(-9, 9), st.integers(1, 5)), min_size=1, max_size=7),
    st.lists(st.tuples(st.floats(-9, 9), st.integers(1, 5)), min_size=1, max_size=7),
    st.floats(0, 1),
)
def test_interpolation_is_the_barycentre_of_two(u, v, t):
    (x, a), (y, b) = (zip(*side, strict=True) for side in (u, v))
    way = displacement_interpolation(transport_plan(x, y, a, b), t)
    middle = wasserstein_barycenter([x, y], weights=[1 - t, t], sample_weights=[a, b])
    assert fastdiv.wasserstein_distance(*[way.values, middle.values], *[way.masses, middle.masses]) < 1e-13


def test_ends_are_the_samples_to_the_last_bit():
    u, v = RNG.normal(size=30) * 1e-3, RNG.normal(size=17) + 1e12
    a, b = RNG.random(30), RNG.random(17)
    plan = transport_plan(u, v, a, b)
    start, end = displacement_interpolation(plan, [0.0, 1.0]).values
    np.testing.assert_array_equal(start, u[plan.rows])
    np.testing.assert_array_equal(end, v[plan.cols])
    np.testing.assert_allclose(np.bincount(plan.rows, plan.mass), a / a.sum(), rtol=1e-13)
    inner = displacement_interpolation(plan, np.linspace(0, 1, 11)).values
    assert (np.diff(inner, axis=1) >= 0).all()


@pytest.mark.parametrize(
    ("u", "v"),
    [
        ([2**60 + 2**12, 2**60], [2**60 + 2**20]),  # moved to 0 in the plan, as float64
        ([2**62, -(2**62)], [2**62 + 2**40, 5]),  # as uint64
        ([2**62 + 0.0, 4.0], [2**62 + 2**11, 2]),  # floats among integers
        ([-(2**63)], np.array([2**64 - 2**11], np.uint64)),  # too far apart: not moved
        ([0, 2**53 + 2], [1, 7]),
        ([True, False], [3.5]),
    ],
)
def test_integers_beyond_2_53_come_back(u, v):
    plan = transport_plan(u, v)
    start, end = displacement_interpolation(plan, [0, 1]).values
    np.testing.assert_array_equal(start, np.asarray(u, float)[plan.rows])
    np.testing.assert_array_equal(end, np.asarray(v, float)[plan.cols])


def test_interpolation_twin_and_shapes():
    plan = transport_plan(RNG.normal(size=7), RNG.normal(size=5), p=2)
    for t in (0.3, [0.1, 0.7, 1], np.linspace(0, 1, 6).reshape(2, 3), np.float32(0.5), 1):
        got, twin = (f(plan, t) for f in (displacement_interpolation, reference.displacement_interpolation))
        assert got.values.shape == (*np.shape(t), len(plan.mass))
        np.testing.assert_allclose(got.values, twin.values, rtol=1e-14, atol=1e-15)
        np.testing.assert_array_equal(got.masses, plan.mass)
    got.masses[:] = 0
    assert plan.mass.all(), "a copy"


def test_dtypes_and_tables():
    rows = RNG.normal(size=(3, 4))
    expected = wasserstein_barycenter(rows).values
    np.testing.assert_array_equal(wasserstein_barycenter(pd.DataFrame(rows)).values, expected)
    np.testing.assert_array_equal(wasserstein_barycenter([pd.Series(r) for r in rows]).values, expected)
    assert wasserstein_barycenter(rows.astype("f")).values.dtype == np.float32
    assert wasserstein_barycenter([rows[0].astype("f"), rows[1]]).values.dtype == np.float64


@pytest.mark.parametrize("library", [fastdiv, reference])
@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([],), ValueError, "samples must hold at least one sample"),
        (([1, 2, 3],), ValueError, r"samples\[0\] must be a sample of at least one value, not of"),
        (
            ([[1], []],),
            ValueError,
            r"samples\[1\] must be a sample of at least one value, not of",
        ),
        ((np.ones(3),), ValueError, r"samples must be a matrix of rows or a list of samples, not of shape"),
        (([[1], [2, np.nan]],), ValueError, r"samples\[1\] must be finite, not nan: samples\[1\]\[1\]"),
        ((np.array([[1, np.inf]]),), ValueError, r"samples\[0\] must be finite, not inf: samples\[0\]\[1\]"),
        (([["a"]],), TypeError, r"samples\[0\] has dtype <U1"),
        (({"a": [1]},), TypeError, "samples is a dict"),
        (([[1], [2]], [1, 2, 3]), ValueError, r"weights must have shape \(2,\)"),
        (
            ([[1], [2]], [1, -1]),
            ValueError,
            r"weights must be finite and not negative, not -1\.0: weights\[1\]",
        ),
        (([[1], [2]], [0, 0]), ValueError, "weights are all zero"),
        (([[1], [2]], None, [None]), ValueError, "sample_weights has 1 entries for 2 samples"),
        (([[1], [2, 3]], None, [None, [1]]), ValueError, r"sample_weights\[1\] has 1 weights per sample"),
        (
            ([[1], [2, 3]], None, [None, [1, -2]]),
            ValueError,
            r"sample_weights\[1\] must be finite and not negative, not -2: sample_weights\[1\]\[1\]",
        ),
        (([[1], [2, 3]], None, [None, [0, 0]]), ValueError, r"sample_weights\[1\] are all zero"),
        (
            ([[1], [2, 3]], None, [None, [[1, 2]]]),
            ValueError,
            r"sample_weights\[1\] must have one weight per value of samples\[1\], not shape \(1, 2\)",
        ),
        (
            ([[1], [2, 3]], None, [None, np.ones((0, 2))]),
            ValueError,
            r"sample_weights\[1\] must have one weight per value of samples\[1\], not shape \(0, 2\)",
        ),
    ],
)
def test_errors_of_barycentres(library, arguments, error, message):
    options = dict(zip(("weights", "sample_weights"), arguments[1:], strict=False))
    with pytest.raises(error, match=message):
        library.wasserstein_barycenter(arguments[0], **options)


@pytest.mark.parametrize("library", [fastdiv, reference])
def test_errors_of_interpolation(library):
    plan = transport_plan([1], [2])
    with pytest.raises(ValueError, match=r"t must be from 0 to 1, not 1\.5$"):
        library.displacement_interpolation(plan, 1.5)
    with pytest.raises(ValueError, match=r"t must be from 0 to 1, not -1\.0: t\[0, 1\]"):
        library.displacement_interpolation(plan, [[0, -1]])
    with pytest.raises(ValueError, match="t must be from 0 to 1, not nan"):
        library.displacement_interpolation(plan, np.nan)
    with pytest.raises(TypeError, match="t has dtype <U1"):
        library.displacement_interpolation(plan, "a")
    with pytest.raises(TypeError, match="plan must be what transport_plan returns, not ndarray"):
        library.displacement_interpolation(plan.toarray(), 0.5)


@pytest.mark.parametrize("name", ["wasserstein_barycenter", "displacement_interpolation"])
def test_twin_has_the_same_signature(name):
    ours, twin = (inspect.signature(getattr(library, name)) for library in (fastdiv, reference))
    assert ours == twin
