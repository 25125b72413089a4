"""fastdiv.compat.scipy against SciPy: its own tests, its signatures, and what is better here."""

import inspect
import os
import pickle
import re
import subprocess
import sys
from fractions import Fraction
from pathlib import Path

import mpmath
import numpy as np
import pytest
from doctests import docstring_runs

from fastdiv.compat import scipy as ours

pytest.importorskip("scipy")
from scipy import __version__, special, stats
from scipy.spatial import distance

THEIRS = {
    name: getattr(home, name)
    for home, names in {
        stats: ("entropy", "wasserstein_distance", "energy_distance", "ks_2samp"),
        distance: ("jensenshannon", "cdist", "pdist", "squareform"),
    }.items()
    for name in names
}

# Until NumPy 2 a result that is one value is computed on with Python's floats as float64, by SciPy too.
WEAK_VALUES = np.__version__ < "2"

# SciPy's own tests. Of TestCdist and TestPdist those of this metric: others are refused. Of axes and policies
# those of our functions, but for slow ones and one that pickles what stands in for them (test_they_pickle).
STATS, SPATIAL, SPECIAL = "scipy.stats.tests.", "scipy.spatial.tests.test_distance::", "scipy.special.tests."
TARGETS = [
    STATS + "test_entropy::TestEntropy",
    *(
        STATS + f"test_stats::{name}"
        for name in ("TestWassersteinDistance", "TestEnergyDistance", "TestKSTwoSamples")
    ),
    *(
        SPECIAL + f"test_basic::{name}"
        for name in ("test_kl_div", "test_rel_entr", "test_rel_entr_gh_20710_near_zero")
    ),
    SPECIAL + "test_basic::test_rel_entr_gh_20710_overflow",
    STATS + "test_axis_nan_policy",
    *(SPATIAL + name for name in ("test_jensenshannon", "TestSquareForm", "TestCdist", "TestPdist")),
]


@pytest.mark.skipif(int(__version__.split(".")[1]) < 17, reason="SciPy 1.17 names its tests so")
def test_scipys_own_tests_pass(tmp_path):
    where = os.pathsep.join([str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")])
    done = subprocess.run(
        [
            *(
                sys.executable,
                "-m",
                "pytest",
                "-q",
                "-p",
                "scipy_stand_in",
                "-p",
                "no:cacheprovider",
                "--pyargs",
            ),
            *TARGETS,
            *(
                "-k",
                "not (TestCdist or TestPdist or pickled) or jensenshannon",
                "-m",
                "not slow and not xslow",
            ),
        ],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": where, "PYTHONWARNINGS": ""},
        capture_output=True,
        text=True,
        timeout=250,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-2000:]
    assert int(re.search(r"(\d+) passed", done.stdout)[1]) >= 180
    calls = dict(re.findall(r"(\w+)=(\d+)", done.stdout.split("calls: ")[1]))
    del calls["SmallSampleWarning"]
    assert all(int(n) > 0 for n in calls.values()), calls  # ours were what they called


@pytest.mark.parametrize("name", THEIRS)
def test_signatures_are_scipys(name):
    mine, theirs = inspect.signature(getattr(ours, name)), inspect.signature(THEIRS[name])
    shape = [[(p.name, p.kind, p.default) for p in s.parameters.values()] for s in (mine, theirs)]
    assert shape[0] == shape[1]


def test_they_pickle():
    for name in ours.__all__:
        assert pickle.loads(pickle.dumps(getattr(ours, name))) is getattr(ours, name)


def test_scipy_is_not_imported():
    code = """
import sys
before = set(sys.modules)
import fastdiv
assert "fastdiv.compat" not in sys.modules
from fastdiv.compat import scipy as s
s.entropy([1, 2]), s.jensenshannon([1, 2], [2, 1]), s.cdist([[1, 2]], [[2, 1]], "js"), s.ks_2samp([1], [2])
s.kl_div(1, 2), s.wasserstein_distance([1], [2])
print(*[m for m in sys.modules if m.partition(".")[0] == "scipy"])
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert not done.stdout.strip()


def case(rng):
    """Arrays, some masked, with zeros, negative and missing masses now and then."""

    def array(shape):
        x = rng.random(shape) if rng.random() < 0.6 else rng.integers(0, 4, shape)
        if rng.random() < 0.4:
            x = x.astype(rng.choice(["f8", "f4", "i8", "i4", "?", "u1"]))
        if x.dtype.kind == "f" and rng.random() < 0.4:
            x = np.where(rng.random(shape) < 0.15, rng.choice([np.nan, np.inf, -1, 0]), x).astype(x.dtype)
        return np.ma.array(x, mask=rng.random(shape) < 0.3) if rng.random() < 0.2 else x

    shape = tuple(rng.integers(0 if rng.random() < 0.1 else 1, 4, rng.integers(1, 4)))
    other = shape if rng.random() < 0.7 else tuple(rng.choice([n, 1]) for n in shape)
    axes = (0, -1, 1, None, (0, 1), (0, -1), -2)
    return array(shape), array(other), axes[rng.integers(len(axes))], bool(rng.integers(2))


def outcome(function, *args, **options):
    with np.errstate(all="ignore"):
        try:
            return function(*args, **options)
        except Exception as error:
            return error


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", ["entropy", "relative entropy", "jensenshannon"])
def test_whatever_scipy_says(name):
    rng = np.random.default_rng(len(name))
    compared = 0
    for _ in range(700):
        p, q, axis, keepdims = case(rng)
        base = (None, 2, 0.5, 10)[rng.integers(4)]
        options = {"axis": axis, "keepdims": keepdims, "base": base}
        args = (p,) if name == "entropy" else (p, q)
        if name != "jensenshannon":
            options["nan_policy"] = ("propagate", "omit", "raise")[rng.integers(3)]
        face = "jensenshannon" if name == "jensenshannon" else "entropy"
        got, want = (outcome(f, *args, **options) for f in (getattr(ours, face), THEIRS[face]))
        said = f"{options} {args}: {got!r}, not {want!r}"
        if np.ma.is_masked(
            want
        ):  # where all is masked SciPy gives a masked array; here it is an array, always
            continue
        if isinstance(want, Exception) or isinstance(got, Exception):
            if axis is None and p.size != q.size:  # raveled, then broadcast: SciPy errs by the masks
                continue
            assert isinstance(want, Exception), said
            assert isinstance(got, Exception), said
            continue
        got, want = np.asarray(got), np.asarray(want)
        assert got.shape == want.shape, said
        assert got.dtype == want.dtype or WEAK_VALUES, said
        low = any(x.dtype == np.float32 for x in args)
        tight = {"rtol": 1e-5, "atol": 1e-3} if low else {"rtol": 1e-10, "atol": 2e-8}
        np.testing.assert_allclose(got, want, **tight, err_msg=said)
        compared += 1
    assert compared > 400


def test_near_identical_rows_have_their_digits():
    """SciPy: NaN or half the digits."""
    p = np.array([0.25, 0.25, 0.5])
    q = np.array([0.25, 0.25 + 2**-40, 0.5 - 2**-40])
    with mpmath.workdps(60):
        x, y = ([mpmath.mpf(float(v)) for v in w] for w in (p, q))
        kl = sum(a * mpmath.log(a / b) for a, b in zip(x, y, strict=True))
        m = [(a + b) / 2 for a, b in zip(x, y, strict=True)]
        js = sum(a * mpmath.log(a / c) + b * mpmath.log(b / c) for a, b, c in zip(x, y, m, strict=True)) / 2
        root = float(mpmath.sqrt(js))
        assert ours.jensenshannon(p, q) == pytest.approx(root, rel=1e-12)
        assert ours.entropy(p, q) == pytest.approx(float(kl), rel=1e-12)
        assert ours.cdist([p], [q], "js")[0, 0] == pytest.approx(root, rel=1e-12)


@pytest.mark.parametrize("name", ["rel_entr", "kl_div"])
def test_elements_are_exact(name):
    rng = np.random.default_rng(4)
    x = np.exp(rng.normal(0, 3, 400))
    y = np.concatenate(
        [x[:100] * (1 + rng.normal(0, 1e-9, 100)), x[100:200] * rng.uniform(0.4, 2.5, 100), x[300:], x[:100]]
    )
    x = np.concatenate([x, [1e-310, 1e308, 5e-324, 1e300]])
    y = np.concatenate([y, [1e300, 1.5e308, 1e-320, 1e-300]])
    got = getattr(ours, name)(x, y)
    with mpmath.workdps(60):
        for a, b, value in zip(x.tolist(), y.tolist(), got.tolist(), strict=True):
            u, v = mpmath.mpf(a), mpmath.mpf(b)
            want = u * mpmath.log(u / v) + (v - u if name == "kl_div" else 0)
            if mpmath.mpf("1e-300") < abs(want) < mpmath.mpf("1.79e308"):
                assert abs(value - want) <= mpmath.mpf("2e-15") * abs(want), (a, b)


@pytest.mark.parametrize("name", ["rel_entr", "kl_div"])
def test_ufunc_arguments(name):
    mine, theirs = getattr(ours, name), getattr(special, name)
    odd = [0.0, -0.0, 1.0, -1.0, np.inf, -np.inf, np.nan, 2.5, *([5e-324] if name == "rel_entr" else [])]
    x, y = np.meshgrid(odd, odd)
    got, want = mine(x, y), theirs(x, y)
    limits = (name == "kl_div") & (x > 0) & (y > 0) & (np.isinf(x) != np.isinf(y))
    assert (got[limits] == np.inf).all()
    np.testing.assert_allclose(got[~limits], want[~limits], rtol=1e-14)
    for dtypes in (("f4", "f4"), ("f2", "i1"), ("i4", "f4"), ("i2", "?"), ("i8", "u8"), ("f4", "f8")):
        a, b = np.ones(3, dtypes[0]), np.ones(3, dtypes[1])
        assert mine(a, b).dtype == theirs(a, b).dtype, dtypes
    if np.lib.NumpyVersion(np.__version__) >= "2.0.0":  # before, values had a say in it
        assert mine(np.float32(2), 3.0).dtype == theirs(np.float32(2), 3.0).dtype == np.float32
    assert type(mine(2, 3)) is type(theirs(2, 3))
    out, again = np.full((2, 3), 7.0), np.full((2, 3), 7.0)
    where = np.array([True, False, True])
    assert mine([[1], [2]], [3, 4, 5], out=out, where=where) is out
    theirs([[1], [2]], [3, 4, 5], out=again, where=where)
    np.testing.assert_allclose(out, again, rtol=1e-14)
    assert mine([1.0], [2.0], dtype=np.float32).dtype == np.float32
    for wrong in (np.ones(2, complex), np.ones(2, np.longdouble), np.array(["a"])):
        with pytest.raises(TypeError, match="must be real numbers"):
            mine(wrong, 1.0)


def test_matrices():
    rng = np.random.default_rng(1)
    A, B = rng.random((7, 5)), rng.random((4, 5)).astype(np.float32)
    A[2], A[3, 1], A[4, 0], A[5, 2] = 0, -1, np.nan, np.inf
    for metric in ("jensenshannon", "JS", "js"):
        np.testing.assert_allclose(
            ours.cdist(A, B, metric), distance.cdist(A, B, metric), rtol=1e-9, atol=1e-12
        )
        got, want = ours.pdist(A, metric), distance.pdist(A, metric)
        want[18] = np.nan  # SciPy: NaN and infinite, 0 apart
        np.testing.assert_allclose(got, want, rtol=1e-9, atol=1e-12)
    out = np.empty((7, 4))
    assert ours.cdist(A, B, "js", out=out) is out
    clean = A[:2]
    base = ours.cdist(clean, B, ours.jensenshannon, base=2)
    np.testing.assert_allclose(base, distance.cdist(clean, B, distance.jensenshannon, base=2), rtol=1e-6)
    with pytest.raises(ValueError, match="metric must be 'jensenshannon' or 'js' here, not 'euclidean'"):
        ours.cdist(A, B)
    with pytest.raises(TypeError, match="takes no options, not base"):
        ours.pdist(A, "js", base=2)
    with pytest.raises(ValueError, match="X must be symmetric"):
        ours.squareform([[0, 1], [2, 0]])


@pytest.mark.parametrize("metric", ["js", "function"])
def test_matrices_without_bins(metric):
    of_theirs, of_ours = (metric if metric == "js" else module.jensenshannon for module in (distance, ours))
    A, B = np.empty((3, 0)), np.empty((2, 0))
    np.testing.assert_array_equal(ours.cdist(A, B, of_ours), distance.cdist(A, B, of_theirs))
    np.testing.assert_array_equal(ours.pdist(A, of_ours), distance.pdist(A, of_theirs))


def test_rows_that_do_not_broadcast():
    for p, q, axis in ((np.ones((1, 2)), np.ones((1, 4)), 0), (np.ones((2, 3)), np.ones((4, 3)), 1)):
        for base in (None, 2, 0.5):
            with pytest.raises(ValueError, match="broadcast"):
                ours.jensenshannon(p, q, base, axis=axis)


def test_both_of_few_bits():
    p, q = np.array([[3], [0], [4]], np.float32), np.array([[1], [2], [3]], np.float16)
    for a, b in ((p, q), (q, p)):
        assert ours.jensenshannon(a, b, axis=1).dtype == np.float32


@pytest.mark.parametrize("name", ["wasserstein_distance", "energy_distance"])
def test_a_scalar_is_no_sample(name):
    for given in ((3.0, [4.0, 4.0]), ([4.0], 3.0), ([1.0], [2.0], 3.0, [1.0])):
        assert isinstance(outcome(THEIRS[name], *given), (TypeError, ValueError))
        with pytest.raises(ValueError, match=r"must be .* not of shape \(\)"):
            getattr(ours, name)(*given)


@pytest.mark.filterwarnings("ignore")
def test_samples():
    rng = np.random.default_rng(2)
    for _ in range(200):
        u, v = (
            rng.choice([rng.normal(size=n), rng.integers(0, 4, n).astype(float)])
            for n in rng.integers(3, 9, 1).repeat(2)
        )
        if rng.random() < 0.3:
            u[rng.integers(len(u))] = rng.choice([np.inf, -np.inf, np.nan])
        if rng.random() < 0.2:
            v[rng.integers(len(v))] = np.inf
        a = rng.integers(0, 3, len(u)) if rng.random() < 0.4 else None
        b = rng.random(len(v)) if rng.random() < 0.4 else None
        if np.isnan(u).any():
            a = None  # SciPy weighs a NaN by its place, here one of weight 0 is as good as absent
        for name in ("wasserstein_distance", "energy_distance"):
            got, want = (outcome(f, u, v, a, b) for f in (getattr(ours, name), THEIRS[name]))
            if isinstance(want, Exception):
                assert type(got) is type(want)
                continue
            np.testing.assert_allclose(got, want, rtol=1e-7, atol=1e-9, err_msg=f"{name} {u} {v} {a} {b}")
            assert type(got) is type(want)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("side", ["two-sided", "less", "greater"])
def test_ks(side):
    rng = np.random.default_rng(3)
    for _ in range(40):
        u, v = rng.integers(0, 5, (3, 4)).astype(float), rng.integers(0, 5, (3, 6)).astype(float)
        if rng.random() < 0.4:
            u[0, 1] = np.nan
        if rng.random() < 0.2:
            v = np.ma.array(v, mask=rng.random(v.shape) < 0.3)
        options = {
            "alternative": side,
            "axis": (1, None, -1)[rng.integers(3)],
            "keepdims": bool(rng.integers(2)),
            "nan_policy": ("propagate", "omit", "raise")[rng.integers(3)],
        }
        got, want = (outcome(f, u, v, **options) for f in (ours.ks_2samp, stats.ks_2samp))
        if isinstance(want, Exception):
            assert isinstance(got, Exception)
            continue
        for name in ("statistic", "statistic_location", "statistic_sign"):
            np.testing.assert_allclose(getattr(got, name), getattr(want, name), rtol=1e-14, atol=1e-15)
            assert np.shape(getattr(got, name)) == np.shape(getattr(want, name))
    with pytest.raises(AttributeError, match="no p-value"):
        _ = ours.ks_2samp([1], [2]).pvalue


def test_exact_statistic():
    rng = np.random.default_rng(5)
    u, v = rng.integers(0, 9, 21), rng.integers(0, 9, 13)
    steps = [Fraction(int((u <= x).sum()), 21) - Fraction(int((v <= x).sum()), 13) for x in range(9)]
    assert ours.ks_2samp(u, v).statistic == float(max(map(abs, steps)))
    assert ours.wasserstein_distance(u, v) == pytest.approx(float(sum(map(abs, steps))), rel=1e-15)


@pytest.mark.parametrize("name", sorted(set(ours.__all__) - {"SmallSampleWarning"}))
def test_the_examples_run(name):
    docstring_runs(getattr(ours, name))


@pytest.mark.parametrize("dtype", ["f2", "f4", "f8", "i4", "u8"])
@pytest.mark.parametrize("shape", [(20,), (20, 3)])
def test_types_of_the_place_and_sign(dtype, shape):
    """Statistics of float32 were rounded to float32, and rows of places and signs kept narrow types."""
    rng = np.random.default_rng(3)
    u, v = ((10 * rng.random(shape)).astype(dtype) for _ in range(2))
    got, want = ours.ks_2samp(u, v), stats.ks_2samp(u, v)
    assert np.allclose(got.statistic, want.statistic, rtol=1e-15, atol=0)
    for name in ("statistic_location", "statistic_sign"):
        a, b = getattr(got, name), getattr(want, name)
        assert np.array_equal(a, b), name
        assert np.asarray(a).dtype == np.asarray(b).dtype, name
