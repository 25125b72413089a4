"""W1 of two Dask arrays: exact whatever cancels, the same bits for any chunks."""

from fractions import Fraction
from functools import cache

import numpy as np
import pytest
from oracle_transport import wasserstein_power

import fastdiv

dask = pytest.importorskip("dask")
da = pytest.importorskip("dask.array")
import fastdiv.dask  # noqa: E402
from fastdiv.dask import transport  # noqa: E402

pytestmark = pytest.mark.usefixtures("here")


@pytest.fixture(params=[(1 << 17, 1 << 22), (5, 20), (64, 30)], ids=["as it is", "few cells", "small groups"])
def sizes(request, monkeypatch):
    """Cells of a sample, and values in a task."""
    monkeypatch.setattr(transport, "_CELLS", request.param[0])
    monkeypatch.setattr(transport, "_SWEPT", request.param[1])


def distance(u, v, *lengths, **options):
    lengths = lengths or (len(u), len(v))
    lazy = (da.from_array(x, chunks=n) for x, n in zip((u, v), lengths, strict=True))
    return fastdiv.dask.wasserstein_distance(*lazy, **options)


def samples():
    rng = np.random.default_rng(7)
    normal = rng.normal(size=100)
    yield "one law", normal, rng.normal(size=80)
    yield "shifted", normal, normal[:50] + 9
    yield "shifted by an ulp", normal, np.nextafter(normal, 9)
    yield "one value of many moved", normal, np.append(normal[1:], normal[0] + 1e-13)
    yield "far from the origin", 1e9 + normal, 1e9 + rng.normal(size=333)
    yield "both signs, tiny and huge", normal * 10.0 ** rng.uniform(-300, 300, 100), rng.normal(size=100)
    yield (
        "a shared value far out",
        np.append(normal * 1e-9, 1e300),
        np.append(rng.normal(size=100) * 1e-9, 1e300),
    )
    yield "ties", rng.integers(0, 9, 600) / 4, rng.integers(0, 9, 500) / 4
    yield "zeros of both signs", np.array([0.0, -0.0, 1.0]), np.array([-0.0, 0.0, 2.0])
    yield "subnormal", np.arange(50) * 5e-324, np.arange(40) * 1e-323
    yield "integers far out", 2**62 + rng.integers(0, 99, 300), 2**62 + rng.integers(0, 90, 200)
    yield "integers of both signs", rng.integers(-(2**62), 2**62, 300), rng.integers(-(2**62), 2**62, 200)
    wide = rng.integers(0, 2**64, 300, dtype=np.uint64)
    yield "unsigned", wide, wide[:200] ^ np.uint64(1)
    yield "bytes and words", rng.integers(0, 200, 300).astype("u1"), rng.integers(-100, 200, 300).astype("i2")
    yield "half precision", rng.normal(size=300).astype("f2"), rng.normal(size=100).astype("f4")


SAMPLES = {name: (u, v) for name, u, v in samples()}


@cache
def truth_of(name):
    return wasserstein_power(*SAMPLES[name])


@pytest.mark.parametrize("name", SAMPLES)
def test_exact_for_any_chunks(name, sizes):
    u, v = SAMPLES[name]
    found, truth = distance(u, v), truth_of(name)
    # below 1e-30 doubles may not hold the terms
    assert abs(Fraction(float(found)) - truth) <= max(truth, Fraction(1, 10**30)) * Fraction(1, 10**12)
    for lengths in ((1000, 7), (100, 450), (33, 32)):
        assert distance(u, v, *lengths) == found
    assert distance(v, u, 60, 50) == found
    assert distance(u[::-1], v, 90, 91) == found
    assert distance(u, u, 90, 55) == 0


def test_sums_of_billions_need_no_billions(sizes):
    """Counts times sizes beyond 2^63 are whole numbers still; cells are as large chunks would give them."""
    from fastdiv.dask.crossings import Order, Plan, counted, swept
    from fastdiv.drift.cells import Cells

    rng = np.random.default_rng(1)
    order, sides, truth = Order("f"), [], []
    for n in (40, 30):
        x = np.sort(rng.normal(size=n))
        counts = rng.integers(2**30, 2**36, n)
        keys, nothing = order.keys(x), np.zeros(n, np.uint64)
        sides.append((keys, counts, Cells(0, keys, counts, nothing, nothing, keys, keys).fitted(9)))
        truth.append((x, counts / counts.sum()))
    plan = Plan(sides[0][2], sides[1][2], order, 1)
    areas = []
    for group in plan.groups:
        pieces = []
        for keys, counts, _ in sides:
            inside = np.isin(keys >> np.uint64(group.k), group.keys)
            pieces.append([(keys[inside], counts[inside])])
        areas.append(swept(group, *pieces))
    (x, a), (y, b) = truth
    assert areas
    assert plan.total(areas) == pytest.approx(fastdiv.wasserstein_distance(x, y, a, b), rel=1e-12)
    assert counted(np.sort(sides[0][0]), 9).total == 40


@pytest.mark.parametrize(
    ("u", "v"),
    [
        ([np.inf, 1], [np.inf, 1]),
        ([np.inf, 1], [1, 2]),
        ([-np.inf, 1], [np.inf, 1]),
        ([-np.inf, np.inf], [np.inf, 3]),
        ([1, np.nan], [1, 2]),
        ([np.nan, np.nan], [1, 2]),
        ([-1.7e308, 0], [1.7e308, 0]),
        ([-1.7e308, 3], [-1.7e308, 1.7e308]),
    ],
)
def test_what_is_not_finite(u, v):
    u, v = np.array(u, float), np.array(v, float)
    for options in ({}, {"nan_policy": "omit"}):
        np.testing.assert_equal(
            distance(u, v, 1, 1, **options), fastdiv.wasserstein_distance(u, v, **options)
        )


def test_types_of_results():
    u, v = np.float32([1, 2, 5]), np.float32([3, 4])
    assert distance(u, v).dtype == np.float32 == fastdiv.wasserstein_distance(u, v).dtype
    assert distance(u, v.astype("f8")).dtype == np.float64


def test_a_law_against_itself_is_swept_in_groups(monkeypatch):
    monkeypatch.setattr(transport, "_CELLS", 300)
    monkeypatch.setattr(transport, "_SWEPT", 2000)
    rng = np.random.default_rng(5)
    u, v = rng.normal(size=20_000), rng.normal(size=30_000)
    found = distance(u, v, 7000, 4000)
    assert found == pytest.approx(fastdiv.wasserstein_distance(u, v), rel=1e-12)


def test_what_is_refused():
    u = da.zeros(9, chunks=4)
    with pytest.raises(ValueError, match="u_values must be one-dimensional, not 2-d"):
        fastdiv.dask.wasserstein_distance(da.zeros((3, 3)), u)
    with pytest.raises(ValueError, match="v_values has chunks of unknown length"):
        fastdiv.dask.wasserstein_distance(u, u[u > 1])
    with pytest.raises(ValueError, match="u_values has no values"):
        fastdiv.dask.wasserstein_distance([], u)
    with pytest.raises(TypeError, match="u_values has dtype"):
        fastdiv.dask.wasserstein_distance(["a"], u)
    with pytest.raises(ValueError, match=r"u_values must be below 2\^63 beside signed integers"):
        fastdiv.dask.wasserstein_distance(np.array([2**63], "u8"), np.array([-1]))
    missing = da.from_array(np.array([1, 2, 3, 4, 5, np.nan]), chunks=4)
    with pytest.raises(ValueError, match=r"v_values has a missing value.*v_values begins at row 4 there"):
        fastdiv.dask.wasserstein_distance(u, missing, nan_policy="raise")


def test_values_that_change_between_the_passes():
    passes = iter(np.random.default_rng(8).normal(size=(9, 1000)))
    changing = da.zeros(1000, chunks=1000).map_blocks(lambda x: next(passes), meta=np.empty(0))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(transport, "_CELLS", 20)
        with pytest.raises(RuntimeError, match="u_values must be the same in both passes"):
            fastdiv.dask.wasserstein_distance(changing, np.linspace(-2, 2, 50))
