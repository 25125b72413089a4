"""W_p, histograms, plans, gradients, circle, energy, Cramer, KS, sliced: oracles, peers, twins and laws."""

import math
import os
import subprocess
import sys
import warnings
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_transport import quantile_pieces, relative_error, wasserstein_power
from scipy import stats

import fastdiv
from fastdiv import reference

try:
    import ot
except ImportError:  # POT has no wheels yet for the newest Python
    ot = None

RNG = np.random.default_rng(7)


# ---- W_p ------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("offset", [0.0, 1e9])
@pytest.mark.parametrize("p", [1, 2, 3])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (2, 3), (64, 64), (100, 77), (1000, 1000), (600, 900)])
@pytest.mark.parametrize("weighted", [False, True])
def test_wp_against_fractions(n, m, p, offset, weighted):
    u, v = RNG.normal(size=n) + offset, 2 * RNG.normal(size=m) + offset
    a, b = (RNG.random(n), RNG.random(m)) if weighted else (None, None)
    got = fastdiv.wasserstein_distance(u, v, a, b, p=p)
    assert relative_error(got, wasserstein_power(u, v, a, b, p), p) < 1e-14


@pytest.mark.parametrize("p", [1, 1.5, 2, 2.5, 7, 600, np.inf])
def test_wp_against_twin_and_pot(p):
    u, v, a, b = RNG.normal(size=50), RNG.normal(size=70), RNG.random(50), RNG.random(70)
    got = fastdiv.wasserstein_distance(u, v, a, b, p=p)
    assert got == pytest.approx(reference.wasserstein_distance(u, v, a, b, p=p), rel=1e-12)
    if p < 50 and ot:
        pot = ot.wasserstein_1d(u, v, a / a.sum(), b / b.sum(), p=p) ** (1 / p)
        assert got == pytest.approx(float(pot), rel=1e-9)


def test_wp_extremes():
    assert fastdiv.wasserstein_distance([0, 0], [0, 50.0], p=600) == pytest.approx(
        50 * 0.5 ** (1 / 600), rel=1e-15
    )
    assert fastdiv.wasserstein_distance([0, 1e300], [0, 2e300], p=2) == pytest.approx(1e300 / math.sqrt(2))
    assert fastdiv.wasserstein_distance([0, 1e-300], [0, 3e-300], p=2) == pytest.approx(2e-300 / math.sqrt(2))
    assert fastdiv.wasserstein_distance([0, 1, 9], [0, 2, 9], [1, 1, 0], [1, 1, 0], p=np.inf) == 1
    t = 1_700_000_000_000_000_000
    assert fastdiv.wasserstein_distance([t], [t + 100], p=2) == 100
    x = RNG.normal(size=100)
    a = RNG.random(100)
    for p in (2, 3.5, np.inf):
        assert fastdiv.wasserstein_distance(x, np.repeat(x, 3), p=p) == 0
        assert fastdiv.wasserstein_distance(x, x[::-1], a, 8 * a[::-1], p=p) == 0
        assert fastdiv.wasserstein_distance([0, np.inf], [1, 2], p=p) == np.inf
        assert np.isnan(fastdiv.wasserstein_distance([0, np.inf], [1, np.inf], p=p))


values = st.lists(st.floats(-1e6, 1e6).map(lambda x: round(x, 3)), min_size=1, max_size=8)
orders = st.sampled_from([1, 1.5, 2, 4, np.inf])


@given(values, values, values, orders, st.integers(-1000, 1000), st.floats(0.01, 100))
def test_laws(u, v, w, p, shift, scale):
    def d(x, y, *weights, p=p):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fastdiv.CountsAsSamplesWarning)
            return float(fastdiv.wasserstein_distance(x, y, *weights, p=p))

    u, v, w = np.array(u), np.array(v), np.array(w)
    uv = d(u, v)
    slack = 1e-12 * (1 + uv)
    assert uv >= 0
    assert d(u, u) == 0
    assert uv == pytest.approx(d(v, u), rel=1e-14)  # symmetry
    assert uv <= d(u, w) + d(w, v) + slack  # triangle
    assert d(u + shift, v + shift) == pytest.approx(uv, rel=1e-9, abs=1e-9)  # translation
    assert d(scale * u, scale * v) == pytest.approx(scale * uv, rel=1e-9, abs=1e-9)
    assert d(-u, -v) == pytest.approx(uv, rel=1e-12)
    assert d(u, v, p=1) <= d(u, v, p=2) + slack <= d(u, v, p=np.inf) + 2 * slack  # order in p
    assert d(u, v, p=1) >= abs(u.mean() - v.mean()) - 1e-9 * (1 + abs(u).max())
    assert d(np.repeat(u, 2), v) == pytest.approx(uv, rel=1e-13)  # mass split
    points, counts = np.unique(u, return_counts=True)
    assert d(points, v, counts, np.ones(len(v))) == pytest.approx(uv, rel=1e-13)  # merged


# ---- histograms -----------------------------------------------------------------------------------------
def bins_exactly(x, a, y, b):
    """W1 of evenly filled bins by Fractions."""

    def cdf(edges, masses, t):
        total = Fraction(0)
        for low, high, mass in zip(edges[:-1], edges[1:], masses, strict=True):
            total += mass * min(max((t - low) / (high - low), Fraction(0)), Fraction(1))
        return total / sum(masses)

    x, a, y, b = ([Fraction(float(k)) for k in z] for z in (x, a, y, b))
    points = sorted({*x, *y})
    gap = [cdf(x, a, t) - cdf(y, b, t) for t in points]
    area = Fraction(0)
    for s, t, d, e in zip(points[:-1], points[1:], gap[:-1], gap[1:], strict=True):
        if d * e < 0:
            area += (t - s) * (d * d + e * e) / (2 * (abs(d) + abs(e)))
        else:
            area += (t - s) * (abs(d) + abs(e)) / 2
    return area


@pytest.mark.parametrize("n", [1, 2, 10, 40])
def test_bins_against_fractions(n):
    x, y = np.cumsum(RNG.random(n + 1)), np.cumsum(RNG.random(n + 4)) - 1
    a, b, c = RNG.random(n), RNG.random(n + 3), RNG.random(n)
    got = fastdiv.wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y)
    assert relative_error(got, bins_exactly(x, a, y, b)) < 1e-14
    for epsilon in (1.0, 1e-6, 1e-12):
        near = a * (1 + epsilon * c)
        got = fastdiv.wasserstein_hist(a, near, bin_edges=x)
        exact = bins_exactly(x, a, x, near)
        assert relative_error(got, exact) < 1e-13
    assert fastdiv.wasserstein_hist(a, 2 * a, bin_edges=x) == 0


@pytest.mark.parametrize("p", [1, 1.5, 2, 3, 6.5, np.inf])
def test_bins_against_twin(p):
    x, y = np.cumsum(RNG.random(13)), np.cumsum(RNG.random(9)) + 1
    a, b = RNG.random((5, 12)), RNG.random((5, 8)) * RNG.integers(0, 2, (5, 8))
    b[:, 3] = 1
    got = fastdiv.wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y, p=p)
    np.testing.assert_allclose(
        got, reference.wasserstein_hist(a, b, bin_edges=x, v_bin_edges=y, p=p), rtol=1e-12
    )
    dense = fastdiv.wasserstein_hist(
        a / np.diff(x), b / np.diff(y), bin_edges=x, v_bin_edges=y, p=p, density=True
    )
    np.testing.assert_allclose(dense, got, rtol=1e-12)
    heavy = fastdiv.wasserstein_hist(
        3 * a / a.sum(1, keepdims=True),
        3 * b / b.sum(1, keepdims=True),
        bin_edges=x,
        v_bin_edges=y,
        p=p,
        normalize=False,
    )
    np.testing.assert_allclose(heavy, 3 ** (1 / p) * got, rtol=1e-12)


@pytest.mark.parametrize("p", [1, 2, 7.5])
def test_fine_bins_are_points(p):
    edges = np.linspace(0, 1, 4001)
    a, b = RNG.random(4000), RNG.random(4000)
    spread = fastdiv.wasserstein_hist(a, b, bin_edges=edges, p=p)
    points = fastdiv.wasserstein_hist(a, b, support=(edges[1:] + edges[:-1]) / 2, p=p)
    assert spread == pytest.approx(points, rel=1e-2)


def test_histograms_known():
    assert fastdiv.wasserstein_hist([3, 2, 1, 4], [1, 2, 4, 3], normalize=False) == 5
    assert fastdiv.wasserstein_hist([3, 2, 1, 4], [1, 2, 4, 3]) == 0.5
    assert fastdiv.wasserstein_hist([1], [1], bin_edges=[0, 2], v_bin_edges=[5, 7], p=3) == pytest.approx(5)
    # [0, 1] evenly against [0, 3] evenly: the quantile functions are t and 3 t
    for p in (1, 2, 3.5):
        got = fastdiv.wasserstein_hist([1], [1, 2], bin_edges=[0, 1], v_bin_edges=[0, 1, 3], p=p)
        assert got == pytest.approx(2 * (1 / (p + 1)) ** (1 / p))
    rows = np.array([[1, 2.0], [np.nan, 1], [0, 0]])
    np.testing.assert_array_equal(fastdiv.wasserstein_hist(rows, [1, 2]), [0, np.nan, np.nan])
    assert fastdiv.wasserstein_hist(np.float32([1, 0]), np.float32([0, 1])).dtype == np.float32


@pytest.mark.parametrize(
    ("arguments", "options", "words"),
    [
        (([1, 2], [1, 2]), {"support": [0, 1], "bin_edges": [0, 1, 2]}, "not both"),
        (([1, 2], [1, 2]), {"v_bin_edges": [0, 1, 2]}, "v_bin_edges needs bin_edges"),
        (([1, 2], [1, 2]), {"density": True}, "density needs bin_edges"),
        (([1, 2], [1, 3]), {"normalize": False}, "equal masses, but u has 3 and v has 4"),
    ],
)
def test_histogram_mistakes(arguments, options, words):
    with pytest.raises(ValueError, match=words):
        fastdiv.wasserstein_hist(*arguments, **options)


# ---- plan -----------------------------------------------------------------------------------------------
@pytest.mark.parametrize("p", [1, 1.7, 2, 3])
@pytest.mark.parametrize(("n", "m"), [(1, 1), (1, 9), (30, 30), (40, 23), (300, 500)])
@pytest.mark.parametrize("weighted", [False, True])
def test_plan_is_optimal(n, m, p, weighted):
    u, v = np.round(RNG.normal(size=n), 1), np.round(RNG.normal(size=m) + 1, 1)
    a = RNG.random(n) * (RNG.random(n) < 0.8) if weighted else np.ones(n)
    b = RNG.random(m) * (RNG.random(m) < 0.8) if weighted else np.ones(m)
    a[0] = b[-1] = 1
    plan = fastdiv.transport_plan(u, v, a if weighted else None, b if weighted else None, p=p)
    assert len(plan.mass) <= n + m - 1
    dense = plan.toarray()
    np.testing.assert_allclose(dense.sum(1), a / a.sum(), atol=1e-15)
    np.testing.assert_allclose(dense.sum(0), b / b.sum(), atol=1e-15)
    if len(set(u)) == n and len(set(v)) == m:  # else which of equal atoms sends what is open
        np.testing.assert_allclose(dense, reference.transport_plan(u, v, a, b), atol=1e-14)
    np.testing.assert_array_equal(plan.tocoo().toarray(), dense)
    costs = np.abs(u[:, None] - v) ** p
    slack = costs - plan.u_potential[:, None] - plan.v_potential
    assert slack.min() > -1e-11
    assert np.abs(slack[plan.rows, plan.cols]).max() < 1e-11
    certificate = plan.certificate()
    assert certificate.primal == pytest.approx(certificate.area, rel=1e-12, abs=1e-15)
    assert certificate.dual == pytest.approx(certificate.area, rel=1e-10, abs=1e-12)
    assert certificate.marginal_error < 1e-15
    assert certificate.infeasibility < 1e-11
    assert (a / a.sum()) @ plan.u_potential == pytest.approx(plan.cost / 2, abs=1e-12)
    assert plan.distance == pytest.approx(fastdiv.wasserstein_distance(u, v, a, b, p=p), rel=1e-12, abs=1e-15)
    if ot:
        linear = ot.emd2(a / a.sum(), b / b.sum(), costs)
        assert plan.cost == pytest.approx(linear, rel=1e-7, abs=1e-10)


def test_plan_pieces_are_those_of_the_oracle():
    u, v = [3, 1, 2], [10, 30, 20, 40]
    plan = fastdiv.transport_plan(u, v)
    exact = {(int(x), int(y)): float(mass) for x, y, mass in quantile_pieces(u, v)}
    got = {(u[i], v[j]): w for i, j, w in zip(plan.rows, plan.cols, plan.mass, strict=True)}
    assert got == pytest.approx(exact)


@pytest.mark.parametrize("scale", [2.0**-470, 1.0, 2.0**470])
def test_certificate_says_how_wrong_a_plan_is(scale):
    from dataclasses import replace

    u, v, much = RNG.normal(size=20) * scale, RNG.normal(size=20) * scale, scale**2
    plan = fastdiv.transport_plan(u, v, p=2)
    good = plan.certificate()
    assert replace(plan, mass=plan.mass * 1.1).certificate().marginal_error == pytest.approx(0.005)
    too_high = replace(plan, u_potential=plan.u_potential + much).certificate()
    assert too_high.infeasibility == pytest.approx(much, rel=1e-10)
    assert too_high.dual == pytest.approx(good.dual + much, rel=1e-10)
    too_low = replace(plan, v_potential=plan.v_potential - much).certificate()
    assert too_low.dual == pytest.approx(good.dual - much, abs=1e-10 * much)
    assert too_low.infeasibility == 0


@pytest.mark.parametrize("side", ["u_potential", "v_potential"])
@pytest.mark.parametrize("sizes", [(12, 12), (12, 7), (30, 3), (3, 30), (1, 5)])
def test_certificate_finds_one_potential_that_is_too_high(side, sizes):
    from dataclasses import replace

    plan = fastdiv.transport_plan(*(RNG.normal(size=size) for size in sizes), p=2)
    for k in range(len(getattr(plan, side))):
        raised = getattr(plan, side).copy()
        raised[k] += 0.01
        assert replace(plan, **{side: raised}).certificate().infeasibility == pytest.approx(0.01, rel=1e-9)


def test_certificate_where_a_distance_is_no_double():
    from dataclasses import replace

    plan = fastdiv.transport_plan([-1.7e308], [1.7e308])
    for potential, excess in ((1.65e308, 0.0), (1.7e308, 0.0), (1.75e308, 1e307)):
        each = np.array([potential])
        found = replace(plan, u_potential=each, v_potential=each).certificate().infeasibility
        assert found == pytest.approx(excess, rel=1e-13)


def test_plan_mistakes():
    with pytest.raises(ValueError, match="finite"):
        fastdiv.transport_plan([1], [2], p=np.inf)


# ---- the kin --------------------------------------------------------------------------------------------
@pytest.mark.parametrize("weighted", [False, True])
def test_energy_cramer_ks(weighted):
    u, v = np.round(RNG.normal(size=60), 1), np.round(RNG.normal(size=90), 1)
    a, b = (RNG.random(60), RNG.random(90)) if weighted else (None, None)
    energy = fastdiv.energy_distance(u, v, a, b)
    assert energy == pytest.approx(stats.energy_distance(u, v, a, b), rel=1e-12)
    assert fastdiv.cramer_distance(u, v, a, b) == pytest.approx(energy / math.sqrt(2), rel=1e-15)
    ks = fastdiv.ks_distance(u, v, a, b)
    if not weighted:
        assert ks == pytest.approx(stats.ks_2samp(u, v).statistic, rel=1e-15)
    for name in ("energy_distance", "cramer_distance", "ks_distance"):
        twin = getattr(reference, name)(u, v, a, b)
        assert getattr(fastdiv, name)(u, v, a, b) == pytest.approx(twin, rel=1e-12)
        x = RNG.normal(size=(4, 20))
        batch = getattr(fastdiv, name)(x, v, keepdims=True)
        np.testing.assert_allclose(batch, getattr(reference, name)(x, v, keepdims=True), rtol=1e-12)
        assert getattr(fastdiv, name)(u, u[::-1]) == 0
        assert np.isnan(getattr(fastdiv, name)([1, np.nan], [1]))
        assert getattr(fastdiv, name)([1, np.nan], [1], nan_policy="omit") == 0
    assert fastdiv.ks_distance([1, np.inf], [2, np.inf]) == 0.5
    assert fastdiv.energy_distance([1, np.inf], [2]) == np.inf


@pytest.mark.parametrize("p", [1, 1.5, 2, 3])
@pytest.mark.parametrize(
    ("n", "m", "weighted"), [(1, 1, False), (9, 9, False), (12, 7, False), (8, 11, True)]
)
def test_circle(n, m, p, weighted):
    u, v = RNG.random(n) * 24, RNG.random(m) * 24
    a, b = (RNG.random(n), RNG.random(m)) if weighted else (None, None)
    got = fastdiv.wasserstein_circle(u, v, a, b, period=24, p=p)
    assert got == pytest.approx(reference.wasserstein_circle(u, v, a, b, period=24, p=p), rel=1e-9)
    turned = fastdiv.wasserstein_circle(u + 24 * RNG.integers(-3, 3, n), v, a, b, period=24, p=p)
    assert turned == pytest.approx(got, rel=1e-9)
    together = fastdiv.wasserstein_circle(u + 5, v + 5, a, b, period=24, p=p)
    assert together == pytest.approx(got, rel=1e-7)
    assert got <= fastdiv.wasserstein_distance(u, v, a, b, p=p) * (1 + 1e-12)


def test_circle_known():
    assert fastdiv.wasserstein_circle([0.05], [0.95]) == pytest.approx(0.1)
    assert fastdiv.wasserstein_circle([0.05], [0.95], p=2) == pytest.approx(0.1)
    assert fastdiv.wasserstein_circle([23.5, 1], [0.5, 2], period=24) == pytest.approx(1)
    with pytest.raises(ValueError, match="finite"):
        fastdiv.wasserstein_circle([0], [1], p=np.inf)


def test_sliced():
    x, y = RNG.normal(size=(200, 3)), RNG.normal((1, 0, 0), 1, (150, 3))
    got = fastdiv.sliced_wasserstein(x, y, n_projections=50, seed=5)
    assert got == pytest.approx(reference.sliced_wasserstein(x, y, n_projections=50, seed=5), rel=1e-12)
    assert fastdiv.sliced_wasserstein(x, x[::-1], seed=1) < 1e-7
    many = fastdiv.sliced_wasserstein(x, y, n_projections=3000, seed=1)
    assert many == pytest.approx(fastdiv.sliced_wasserstein(x, y, n_projections=3000, seed=2), rel=0.05)
    assert fastdiv.sliced_wasserstein([[0.0]], [[3.0]], p=np.inf) == 3


def run(code: str, *flags: str) -> subprocess.CompletedProcess:
    return subprocess.run(
        [sys.executable, *flags, "-c", code], capture_output=True, text=True, timeout=60, env=os.environ
    )


def test_counts_as_samples_are_warned_of_once():
    code = (
        "import fastdiv, warnings\n"
        "warnings.simplefilter('always')\n"
        "with warnings.catch_warnings(record=True) as seen:\n"
        "    warnings.simplefilter('always')\n"
        "    fastdiv.wasserstein_distance([0.0, 2.0], [0.5, 0.5])\n"
        "    fastdiv.wasserstein_distance([1.5, -0.5], [0.5, 0.5])\n"
        "    fastdiv.wasserstein_distance([0.3, 0.7], [0.5, 0.5], [1, 2], [1, 2])\n"
        "    assert not seen, seen\n"
        "    for _ in range(3):\n"
        "        fastdiv.wasserstein_distance([0.3, 0.7], [0.5, 0.5])\n"
        "assert len(seen) == 1, seen\n"
        "assert seen[0].category is fastdiv.CountsAsSamplesWarning\n"
        "assert 'wasserstein_hist' in str(seen[0].message)\n"
        "assert seen[0].filename == '<string>', seen[0].filename\n"
    )
    done = run(code)
    assert done.returncode == 0, done.stderr
    silent = run(
        "import numpy as np, fastdiv, warnings\n"
        "warnings.simplefilter('error')\n"
        "warnings.simplefilter('ignore', fastdiv.CountsAsSamplesWarning)\n"
        "fastdiv.wasserstein_distance(np.array([0.3, 0.7]), np.array([0.5, 0.5]))\n"
    )
    assert silent.returncode == 0, silent.stderr


def test_a_forked_child_finishes_with_the_same_bits():
    code = (
        "import os, numpy as np, fastdiv\n"
        "r = np.random.default_rng(0)\n"
        "u, v = r.normal(size=600_000), r.normal(size=600_000)\n"
        "fastdiv.set_num_threads(2)\n"
        "here = fastdiv.wasserstein_distance(u, v)\n"
        "child = os.fork()\n"
        "if not child:\n"
        "    os._exit(0 if fastdiv.wasserstein_distance(u, v) == here else 1)\n"
        "assert os.waitpid(child, 0)[1] == 0\n"
    )
    done = run(code, "-W", "ignore")
    assert done.returncode == 0, done.stderr


def test_every_instruction_set(level):
    r = np.random.default_rng(0)
    for n, m in ((50_000, 50_001), (1023, 1025), (20_000, 7)):
        u, v, a, b = r.normal(size=n), r.normal(size=m), r.random(n), r.random(m)
        for w in ((), (a, b)):
            np.testing.assert_allclose(
                fastdiv.wasserstein_distance(u, v, *w), stats.wasserstein_distance(u, v, *w), rtol=1e-10
            )


@settings(max_examples=300)
@given(
    st.lists(st.tuples(st.floats(), st.floats(0, 1e308)), min_size=1, max_size=6),
    st.lists(st.floats(), min_size=1),
)
def test_any_floats_at_all(pairs, v):
    """No crash, no negative, no warning; NaN only where it is due."""
    u, a = (np.array(z) for z in zip(*pairs, strict=True))
    if not a.any():
        a[0] = 1
    v = np.array(v)
    for weights in ((), (a, np.ones(len(v)))):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", fastdiv.CountsAsSamplesWarning)
            got = fastdiv.wasserstein_distance(u, v, *weights)
        heavy = u[a > 0] if weights else u
        undefined = np.isnan(u).any() or np.isnan(v).any()
        undefined |= any(x in heavy and x in v for x in (-np.inf, np.inf))
        assert np.isnan(got) == undefined
        assert np.isnan(got) or got >= 0


def test_unsorted_input_taken_for_sorted_ends():
    u, v = RNG.normal(size=1000), RNG.normal(size=1500)
    for p in (1, 2, np.inf):
        fastdiv.wasserstein_distance(u, v, p=p, assume_sorted=True)
        fastdiv.wasserstein_distance(u, v, RNG.random(1000), RNG.random(1500), p=p, assume_sorted=True)
    fastdiv.wasserstein_distance([np.nan, 1], [2, np.nan, 1], assume_sorted=True, nan_policy="omit")
