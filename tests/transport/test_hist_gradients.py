"""Gradients of transport between histograms: exact oracles, certificates, batches, kinks and mistakes."""

import numpy as np
import oracle_slopes
import pytest
from scipy.optimize import check_grad

import fastdiv
import fastdiv.grad
from fastdiv.grad import wasserstein_hist

RNG = np.random.default_rng(20261127)
ORDERS = [1, 1.5, 2, 3, 7]
BIG = 1_700_000_000_000_000_000


def off(got, truth):
    """How far derivatives are from the true ones, in parts of the largest of these."""
    largest = max(map(abs, truth))
    assert largest > 0
    return max(float(abs(g - t) / largest) for g, t in zip(got.tolist(), truth, strict=True))


def bins():
    """Edges and masses of both sides, and whether some derivatives are known on one side of a kink only."""
    x, a, b = np.cumsum(RNG.random(8)), RNG.random(7), RNG.random(7)
    y, c = np.cumsum(RNG.random(6)), RNG.random(5)
    yield "one set of edges", (x, a, x, b)
    yield "two sets of edges", (x, a, y, c)
    yield "far apart", (x, a, y + 1e6, c)
    yield "far from the origin", (x + 1e9, a, y + 1e9, c)
    yield "one bin against many", ([0.5, 3.0], [2.0], y, c)
    yield "bins without mass", (x, a * [0, 1, 0, 0, 1, 1, 0], y, c)
    yield "on both sides", (x, a * [0, 1, 0, 0, 1, 1, 0], y, c * [0, 1, 1, 0, 1])
    yield "nearly the same masses", (x, a, x, a * (1 + 1e-14 * RNG.normal(size=7)))
    yield "nearly the same edges", (x, a, x * (1 + 1e-14 * RNG.normal(size=8)), a)
    yield "nearly parallel", (x, a, x + 1e-3 + 1e-12 * RNG.normal(size=8), a)
    yield "crossings within bins", ([0, 1, 2, 3], [1, 2.5, 1], [0.0, 1, 2, 3], [1.5, 1, 2])
    yield "wide masses", (x, 10.0 ** RNG.uniform(-20, 20, 7), y, 10.0 ** RNG.uniform(-20, 20, 5))
    yield "large and small masses", (x, a * 1e300, y, c * 1e-300)
    yield "large edges", (x * 1e300, a, y * 1e300, c)
    yield "small edges", (x * 1e-305, a, y * 1e-305, c)
    yield "integers", ([BIG, BIG + 3, BIG + 4, BIG + 9], [1, 2, 1], [BIG - 7, BIG + 4, BIG + 8], [3, 4])


BINS = dict(bins())


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("case", BINS)
def test_bins_exactly(case, p):
    x, a, y, b = BINS[case]
    value, by_u, by_v = oracle_slopes.histograms(x, a, y, b, p)
    got = wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y, p=p)
    assert float(abs(got.value - value) / value) < 1e-14
    assert got.value == fastdiv.wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y, p=p)
    if case != "one bin against many":
        assert off(got.u, by_u) < 1e-13
    assert off(got.v, by_v) < 1e-13


def points():
    s, a, b = RNG.normal(size=9), RNG.random(9), RNG.random(9)
    empty = np.array([0, 1, 0, 1, 1, 0, 0, 1, 0])
    yield "plain", (s, a, b)
    yield "in order", (np.sort(s), a, b)
    yield "equal points", (np.round(s), a, b)
    yield "counts", (s, [3, 0, 1, 7, 2, 2, 0, 1, 1], [1, 1, 0, 5, 5, 0, 2, 1, 3])
    yield "points without mass", (s, a * empty, b * empty[::-1])
    yield "nearly the same", (s, a, a * (1 + 1e-14 * RNG.normal(size=9)))
    yield "far from the origin", (s + 1e9, a, b)
    yield "wide masses", (s, 10.0 ** RNG.uniform(-20, 20, 9), 10.0 ** RNG.uniform(-20, 20, 9))
    yield "large and small masses", (s, a * 1e300, b * 1e-300)
    yield "large", (s * 1e300, a, b)
    yield "integers", ([BIG + 5, BIG, BIG + 1], [1, 2, 3], [2, 2, 1])


POINTS = dict(points())


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("case", POINTS)
def test_points_exactly(case, p):
    s, a, b = POINTS[case]
    value, (*_, by_u), (*_, by_v) = oracle_slopes.wasserstein(s, s, a, b, p)
    got = wasserstein_hist(a, b, support=s, p=p)
    assert float(abs(got.value - value) / value) < 1e-14
    assert got.value == pytest.approx(fastdiv.wasserstein_hist(a, b, support=s, p=p), rel=2e-15)
    assert off(got.u, by_u) < 1e-13
    assert off(got.v, by_v) < 1e-13


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("where", ["support", "bin_edges", "density"])
@pytest.mark.parametrize("normalize", [True, False])
def test_scipy_agrees(where, p, normalize):
    """By one side after the other; with normalize=False what is given is scaled to the geometric mean."""
    a, b = RNG.random(6) + 0.1, RNG.random(6) + 0.1
    edges = np.cumsum(RNG.random(7 if where != "support" else 6))
    places = {"support": edges} if where == "support" else {"bin_edges": edges}
    places |= {"density": True} if where == "density" else {}
    widths = np.diff(edges) if where == "density" else np.ones(6)
    if not normalize:
        b *= (a * widths).sum() / (b * widths).sum()

    def value(x, k):
        u, v = (x, b) if k == 0 else (a, x)
        moved = fastdiv.wasserstein_hist(u, v, p=p, **places)
        M = 1.0 if normalize else ((u * widths).sum() * (v * widths).sum()) ** 0.5
        return float(moved * M ** (1 / p))

    got = wasserstein_hist(a, b, p=p, normalize=normalize, **places)
    assert got.value == pytest.approx(
        fastdiv.wasserstein_hist(a, b, p=p, normalize=normalize, **places), rel=4e-16
    )
    for k, (x, slope) in enumerate(((a, got.u), (b, got.v))):
        assert check_grad(value, lambda x, k, slope=slope: slope, x, k) < 1e-6 * (1 + np.abs(slope).max())
        if normalize:
            assert abs(slope @ x) < 1e-14 * np.abs(slope).max() * x.sum()


@pytest.mark.parametrize("p", ORDERS)
@pytest.mark.parametrize("scale", [1.0, 1e-290, 1e290])
def test_work_has_the_potentials_of_an_optimal_plan(p, scale):
    s, a, b = RNG.normal(size=8) * 3, RNG.integers(0, 5, 8) + 0.0, RNG.integers(0, 5, 8) + 0.0
    a[0] += 3
    b[3] += a.sum() + 3 - b.sum() if a.sum() + 3 > b.sum() else 0
    a[1] += b.sum() - a.sum()
    assert a.min() >= 0
    assert a.sum() == b.sum()
    got = wasserstein_hist(a * scale, b * scale, support=s, p=p, normalize=False)
    V = got.value / scale ** (1 / p)  # of the masses a and b, and so are the potentials:
    f, g = (p * slope * V ** (p - 1) / (scale ** (1 / p) / scale) for slope in (got.u, got.v))
    cost = np.abs(s[:, None] - s) ** p
    one_has_mass = (a > 0)[:, None] | (b > 0)  # derivatives towards mass on both sides are told one at a time
    assert (f[:, None] + g - cost)[one_has_mass].max() < 1e-13 * cost.max()
    assert a @ f == pytest.approx(V**p / 2, rel=1e-13)
    assert b @ g == pytest.approx(V**p / 2, rel=1e-13)


@pytest.mark.parametrize("p", [1, 2, 2.5])
def test_kinks_have_a_subgradient(p):
    """Where levels coincide over places that both leave empty: W_p^p is convex, so above its tangent."""
    x = np.arange(8.0)
    a, b = np.array([2, 0, 0, 1, 1, 0, 4]) / 8, np.array([1, 1, 0, 0, 2, 0, 4]) / 8
    for places in ({"bin_edges": x}, {"support": x[:7]}):
        got = wasserstein_hist(a, b, p=p, **places)
        W = float(got.value)
        for _ in range(200):
            other = RNG.random(7) * RNG.integers(0, 2, 7)
            other[2] += 0.1
            other = a + RNG.choice([1.0, 1e-3]) * (other / other.sum() - a)
            above = fastdiv.wasserstein_hist(other, b, p=p, **places) ** p
            assert above >= W**p + p * W ** (p - 1) * (got.u @ (other - a)) - 1e-13
        if p == 1 and "support" in places:  # across the gap, mass pulled to either side
            np.testing.assert_allclose(got.u[4:], got.u[4], rtol=1e-15)


@pytest.mark.parametrize("case", ["support", "bin_edges", "two edges"])
@pytest.mark.parametrize("p", [1, 2.5])
def test_rows_as_one_by_one(case, p):
    u, v, x = (
        RNG.random((3, 1, 6)),
        RNG.random((4, 5 if case == "two edges" else 6)),
        np.cumsum(RNG.random(7)),
    )
    places = {"support": RNG.permutation(x[:6])} if case == "support" else {"bin_edges": x}
    places |= {"v_bin_edges": np.cumsum(RNG.random(6))} if case == "two edges" else {}
    got = wasserstein_hist(u, v, p=p, **places)
    assert [z.shape for z in got] == [(3, 4), (3, 4, 6), (3, 4, v.shape[-1])]
    for i in range(3):
        for j in range(4):
            for z, one in zip(got, wasserstein_hist(u[i, 0], v[j], p=p, **places), strict=True):
                np.testing.assert_array_equal(z[i, j], one)
    turned = wasserstein_hist(np.moveaxis(u, -1, 1), v.T[None], p=p, axis=1, **places)
    for z, y in zip(turned[1:], got[1:], strict=True):
        np.testing.assert_array_equal(np.moveaxis(z, 1, -1), y)
    other = wasserstein_hist(
        v,
        u,
        p=p,
        **(
            places
            if case != "two edges"
            else {"bin_edges": places["v_bin_edges"], "v_bin_edges": places["bin_edges"]}
        ),
    )
    np.testing.assert_array_equal(other.u, got.v)
    np.testing.assert_array_equal(other.v, got.u)
    single = wasserstein_hist(u.astype("f"), v.astype("f"), p=p, **places)
    double = wasserstein_hist(u.astype("f").astype("d"), v.astype("f"), p=p, **places)
    assert {z.dtype for z in single} == {np.dtype("f")}
    assert {z.dtype for z in double} == {np.dtype("d")}
    for z, y in zip(single, double, strict=True):
        np.testing.assert_array_equal(z, y.astype("f"))


def test_work_of_rows():
    """Rows of different masses, one of them against many."""
    u, v = RNG.random((5, 6)), RNG.random((5, 6))
    v *= u.sum(1, keepdims=True) / v.sum(1, keepdims=True)
    scales = 10.0 ** np.array([[-300], [-3], [0], [5], [300]])
    for places in ({}, {"bin_edges": np.arange(7.0)}):
        got = wasserstein_hist(u * scales, v * scales, normalize=False, p=2, **places)
        for i in range(5):
            one = wasserstein_hist(u[i] * scales[i], v[i] * scales[i], normalize=False, p=2, **places)
            for z, y in zip(got, one, strict=True):
                np.testing.assert_array_equal(z[i], y)
        same = v / v.sum(1, keepdims=True) * u[0].sum()
        for z, y in zip(
            wasserstein_hist(u[0], same, normalize=False, **places),
            wasserstein_hist(np.tile(u[0], (5, 1)), same, normalize=False, **places),
            strict=True,
        ):
            np.testing.assert_array_equal(z, y)


@pytest.mark.parametrize("scale", [1e-300, 1e-200, 1e307])
def test_densities_of_every_size(scale):
    edges, a, b = np.cumsum(RNG.random(6)) + 1, RNG.random(5), RNG.random(5)
    plain = wasserstein_hist(a, b, bin_edges=edges, density=True, p=2)
    masses = wasserstein_hist(a * np.diff(edges), b * np.diff(edges), bin_edges=edges, p=2)
    np.testing.assert_allclose(plain.u, masses.u * np.diff(edges), rtol=1e-13)
    scaled = wasserstein_hist(a * scale, b, bin_edges=edges, density=True, p=2)
    np.testing.assert_allclose(scaled.u * scale, plain.u, rtol=1e-12)
    np.testing.assert_allclose(scaled.v, plain.v, rtol=1e-12)
    work = wasserstein_hist(a * scale, a[::-1] * scale, bin_edges=np.arange(6), density=True, normalize=False)
    one = wasserstein_hist(a, a[::-1], bin_edges=np.arange(6), density=True, normalize=False)
    np.testing.assert_allclose(work.u, one.u, rtol=1e-12, atol=1e-14)


@pytest.mark.parametrize("case", ["support", "bin_edges"])
def test_same_bits_on_every_level_and_any_threads(case, level):
    u, v = RNG.random((400, 200)), RNG.random((400, 200))
    places = {} if case == "support" else {"bin_edges": np.cumsum(RNG.random(201))}
    before = fastdiv.num_threads()
    try:
        results = []
        for threads in (1, 2, 5):
            fastdiv.set_num_threads(threads)
            results.append(wasserstein_hist(u, v, p=3, **places))
    finally:
        fastdiv.set_num_threads(before)
    for other in results[1:]:
        for z, y in zip(results[0], other, strict=True):
            np.testing.assert_array_equal(z, y)


def test_at_distance_0():
    for places in ({}, {"bin_edges": [0, 1, 2, 5]}):
        for normalize in (True, False):
            got = wasserstein_hist([1, 2, 3], [1, 2, 3], p=2, normalize=normalize, **places)
            assert not any(np.any(z) for z in got)


def test_what_has_no_gradient_is_refused():
    rows = [[1.0, 2.0], [1.0, np.nan], [0.0, 0.0]]
    with pytest.raises(
        ValueError, match="wasserstein_hist is nan in row 1, where it has no gradient: masses"
    ):
        wasserstein_hist(rows, [1.0, 2.0])
    with pytest.raises(ValueError, match="wasserstein_hist is nan, where it has no gradient: masses are"):
        wasserstein_hist([0.0, 0.0], [1.0, 2.0])
    with pytest.raises(ValueError, match="wasserstein_hist is inf, where it has no gradient: it is too"):
        wasserstein_hist(np.float32([1, 0]), np.float32([0, 1]), support=[0, 1e200])
    with pytest.raises(ValueError, match="p must be finite here, not inf"):
        wasserstein_hist([1], [2], p=np.inf)
    with pytest.raises(ValueError, match="normalize=False needs equal masses"):
        wasserstein_hist([1, 2], [2, 2], normalize=False)
    with pytest.raises(ValueError, match="bin_edges must ascend"):
        wasserstein_hist([1, 2], [2, 2], bin_edges=[0, 2, 1])


def test_descent_brings_histograms_together():
    """By the logits of the masses, as a user would fit a histogram to another."""
    target, logits = np.array([0.1, 0.2, 0.4, 0.3]), np.zeros(4)
    places = {"bin_edges": [0.0, 1.0, 3.0, 4.0, 7.0]}
    start = fastdiv.wasserstein_hist(np.ones(4), target, **places)
    for step in range(300):
        q = np.exp(logits - logits.max())
        q /= q.sum()
        logits -= wasserstein_hist(q, target, **places).u * q / (1 + step / 10)
    assert fastdiv.wasserstein_hist(q, target, **places) < 0.1 * start


def test_work_of_rows_beside_others_that_are_huge():
    """Their sums were scaled together: small ones came out as 0."""
    rows = np.array([[1.0, 0.0], [0.0, 1.0]]) * np.array([[[1e-300]], [[1.0]], [[1e300]]])
    for p in (1, 2, np.inf):
        got = fastdiv.wasserstein_hist(rows[:, 0], rows[:, 1], normalize=False, p=p)
        np.testing.assert_allclose(got, np.array([1e-300, 1, 1e300]) ** (1 / p), rtol=1e-15)
