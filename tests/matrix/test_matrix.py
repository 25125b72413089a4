"""Matrices: every entry is what the row-wise function gives, in any shape, layout, dtype and thread count."""

from fractions import Fraction

import numpy as np
import oracle
import pytest
import zoo
from calls import PAIRED, SYMMETRIC
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from scipy import sparse
from scipy.spatial import distance

import fastdiv
from fastdiv import matrix, reference

OPTIONS = {"renyi_divergence": {"alpha": 0.7}}
METRICS = (*PAIRED, "wasserstein")
ROWS = {"near": 1e-5, "unrelated": None, "zeros": 0.0, "nearer": 1e-9}


def rows(kind, n, bins, seed=0):
    """n rows: around one (relative noise), unrelated, or with a third of the bins empty."""
    rng = np.random.default_rng(seed)
    X = rng.dirichlet(np.full(bins, 0.7), n) + 1e-12
    noise = ROWS[kind]
    if noise:
        X = X[0] * (1 + noise * rng.standard_normal((n, bins)))
    elif noise == 0.0:
        X[rng.random(X.shape) < 0.3] = 0.0
        X[:, rng.integers(bins)] += 0.01
    return X


def _integers(values):
    """The floats as integers of one scale, and that scale."""
    fractions = [Fraction(float(x)) for x in values]
    scale = max(f.denominator for f in fractions)
    return [int(f * scale) for f in fractions], scale


def exact_transport(p, q, support=None):
    """sum of gaps |F - G|, in integers."""
    places, scale = _integers(range(len(p)) if support is None else support)
    x, y = _integers(p)[0], _integers(q)[0]
    total_x, total_y, below, area = sum(x), sum(y), 0, 0
    for k in range(len(x) - 1):
        below += x[k] * total_y - y[k] * total_x
        area += abs(below) * (places[k + 1] - places[k])
    return float(Fraction(area, total_x * total_y * scale))


def rowwise(metric, XA, XB, **options):
    if metric == "wasserstein":
        return np.array([[exact_transport(p, q, **options) for q in XB] for p in XA])
    return getattr(fastdiv, metric)(XA[:, None], XB[None], **options)


def assert_close(got, expected, tolerance):
    assert got.shape == expected.shape
    assert np.array_equal(np.isnan(got), np.isnan(expected))
    with np.errstate(all="ignore"):
        error = np.where((got == expected) | (expected < 1e-30), 0.0, np.abs(got - expected) / expected)
    assert np.nanmax(error, initial=0.0) <= tolerance


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("metric", METRICS)
def test_entries_are_the_rowwise_values(metric, kind):
    XA = rows(kind, 19, 37)
    XB = np.concatenate([rows(kind, 70, 37)[:67], 3 * XA[:2], np.roll(XA[:1], 5, 1)])
    options = OPTIONS.get(metric, {})
    assert_close(fastdiv.cdist(XA, XB, metric, **options), rowwise(metric, XA, XB, **options), 1e-13)
    if metric not in ("cross_entropy",):
        assert np.all(np.diag(fastdiv.cdist(XA, XA.copy(), metric, **options)) == 0)


@pytest.mark.parametrize("metric", METRICS)
def test_long_rows(metric):
    XA, XB = rows("unrelated", 3, 5000), rows("zeros", 5, 5000)
    XB[1] = XA[0] * (1 + 1e-3 * np.sin(np.arange(5000)))
    options = OPTIONS.get(metric, {})
    assert_close(fastdiv.cdist(XA, XB, metric, **options), rowwise(metric, XA, XB, **options), 2e-13)


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("kind", ["unrelated", "zeros", "near"])
def test_float32(metric, kind):
    XA, XB = rows(kind, 20, 50).astype("f4"), rows(kind, 33, 50, seed=1).astype("f4")
    options = OPTIONS.get(metric, {})
    got = fastdiv.cdist(XA, XB, metric, **options)
    assert got.dtype == np.float32
    expected = rowwise(metric, XA.astype(float), XB.astype(float), **options)
    assert_close(got, expected, 5e-6)
    assert fastdiv.cdist(XA, XB.astype(float), metric, **options).dtype == np.float64


@pytest.mark.parametrize("metric", PAIRED)
def test_the_zoo(metric):
    """Rows that have broken somebody: each pair of the zoo, as row-wise."""
    options = OPTIONS.get(metric, {})
    for p, q in zoo.pairs().values():
        p, q = np.asarray(p, float)[None], np.asarray(q, float)[None]
        got, expected = fastdiv.cdist(p, q, metric, **options), rowwise(metric, p, q, **options)
        assert_close(got, expected, 1e-12)


@pytest.mark.parametrize("metric", ["js_divergence", "kl_divergence", "hellinger_distance", "chi_square"])
@pytest.mark.parametrize("kind", ["unrelated", "near"])
def test_entries_are_true(metric, kind):
    XA, XB = rows(kind, 3, 21), rows(kind, 3, 21, seed=0)[::-1].copy()
    truth = np.array([[float(oracle.truth(metric, p, q)) for q in XB] for p in XA])
    assert_close(fastdiv.cdist(XA, XB, metric), truth, 1e-13)


OPTIONAL = [
    ("js_distance", {"base": 2}),
    ("js_divergence", {"weights": [1, 3]}),
    ("kl_divergence", {"base": 10, "pseudocount": 0.5}),
    ("kl_divergence", {"normalize": False}),
    ("js_divergence", {"log_input": True}),
    ("hellinger_distance", {"pseudocount": 1e-3}),
    ("cross_entropy", {"base": 2}),
    ("renyi_divergence", {"alpha": np.inf}),
]


@pytest.mark.parametrize(("metric", "options"), OPTIONAL, ids=str)
def test_options(metric, options):
    XA, XB = rows("zeros", 9, 30), rows("unrelated", 70, 30)
    if options.get("log_input"):
        with np.errstate(divide="ignore"):
            XA, XB = np.log(XA), np.log(XB)
    assert_close(fastdiv.cdist(XA, XB, metric, **options), rowwise(metric, XA, XB, **options), 2e-13)


@pytest.mark.parametrize("metric", [m for m in METRICS if m in (*SYMMETRIC, "wasserstein")])
@pytest.mark.parametrize("n", [1, 2, 63, 64, 65, 130])
def test_symmetric_half(metric, n):
    X = rows("zeros", n, 24)
    square = fastdiv.cdist(X, X, metric)
    assert np.array_equal(square, square.T)
    assert np.array_equal(square, fastdiv.cdist(X, X.copy(), metric))
    condensed = fastdiv.pdist(X, metric)
    assert np.array_equal(distance.squareform(condensed), square) if n > 1 else condensed.shape == (0,)


@pytest.mark.parametrize("metric", [m for m in PAIRED if m not in SYMMETRIC])
def test_asymmetric_is_never_symmetrised(metric):
    X, options = rows("unrelated", 70, 24), OPTIONS.get(metric, {})
    square = fastdiv.cdist(X, X, metric, **options)
    assert not np.array_equal(square, square.T)
    assert np.array_equal(square, fastdiv.cdist(X, X.copy(), metric, **options))


@pytest.mark.parametrize("metric", METRICS)
def test_bits_do_not_depend_on_threads_chunks_or_layout(metric):
    XA, XB = rows("zeros", 150, 40), rows("unrelated", 131, 40)
    XA[:20] = XB[:20] * (1 + 1e-4 * np.sin(np.arange(40)))
    options = OPTIONS.get(metric, {})
    whole = fastdiv.cdist(XA, XB, metric, **options, workers=1)
    for workers in (3, -1):
        assert np.array_equal(whole, fastdiv.cdist(XA, XB, metric, **options, workers=workers))
    for i in (0, 7, 64, 149):
        for j in (0, 15, 16, 100):
            part = fastdiv.cdist(XA[i : i + 9], XB[j : j + 33], metric, **options)
            assert np.array_equal(part, whole[i : i + 9, j : j + 33])
    for layout in (
        np.asfortranarray,
        lambda X: X[::-1].copy()[::-1],
        lambda X: X.astype(">f8"),
        lambda X: np.repeat(X, 2, 1)[:, ::2],
        lambda X: np.frombuffer(b"x" + X.tobytes(), np.uint8)[1:].view("f8").reshape(X.shape),
    ):
        assert np.array_equal(fastdiv.cdist(layout(XA), layout(XB), metric, **options), whole)


@pytest.mark.parametrize("metric", PAIRED)
def test_shares_below_the_doubles(metric):
    """1e-300 of 1e270 is no double, but neither is it an empty bin."""
    X = np.array([[0.5, 0.5, 0.5], [1e270, 1e-300, 1e-300], [1e270, 1e-300, 2e-300]])
    options = OPTIONS.get(metric, {})
    assert_close(
        fastdiv.cdist(X, X.copy(), metric, **options), rowwise(metric, X, X.copy(), **options), 1e-12
    )


@pytest.mark.parametrize("metric", METRICS)
def test_rows_that_are_none(metric):
    XA, XB = rows("unrelated", 5, 20), rows("unrelated", 70, 20)
    XA[1], XB[66, 3] = 0.0, np.nan
    got = fastdiv.cdist(XA, XB, metric, **OPTIONS.get(metric, {}))
    assert np.isnan(got[1]).all()
    assert np.isnan(got[:, 66]).all()
    assert not np.isnan(np.delete(np.delete(got, 1, 0), 66, 1)).any()
    with pytest.raises(ValueError, match=r"XB has a missing value: XB\[66, 3\]"):
        fastdiv.cdist(XA, XB, metric, nan_policy="raise", **OPTIONS.get(metric, {}))


@pytest.mark.parametrize("log_input", [False, True])
@pytest.mark.parametrize("metric", PAIRED)
def test_rows_without_mass_as_they_stand(metric, log_input):
    """Such a row has a value there, dense and compressed."""
    XA, XB = rows("unrelated", 5, 20), rows("zeros", 7, 20)
    XA[1] = XB[3] = XB[6] = 0.0
    options = {"normalize": False, **OPTIONS.get(metric, {})}
    expected = rowwise(metric, XA, XB, **options)
    assert (~np.isnan(expected[1])).any()
    if log_input:
        with np.errstate(divide="ignore"):
            got = fastdiv.cdist(np.log(XA), np.log(XB), metric, log_input=True, **options)
        assert_close(got, expected, 1e-12)
        return
    assert_close(fastdiv.cdist(XA, XB, metric, **options), expected, 1e-13)
    compressed = fastdiv.cdist(sparse.csr_array(XA), sparse.csr_array(XB), metric, **options)
    assert_close(compressed, expected, 1e-13)


@pytest.mark.parametrize("metric", METRICS)
def test_rows_beyond_the_fast_forms(metric):
    """Huge, tiny and wide rows among ordinary ones."""
    XA = rows("unrelated", 6, 20)
    XB = XA[::-1].copy()
    XA[0] *= 2.0**900
    XA[1] *= 2.0**-1000
    XA[2, 3] = 1e-300
    XB[5] *= 2.0**1000
    XB[3, 1:4] = 5e-324
    options = OPTIONS.get(metric, {})
    got = fastdiv.cdist(XA, XB, metric, **options)
    assert_close(got, rowwise(metric, XA, XB, **options), 2e-13)
    assert got[0, 5] == (0 if metric != "cross_entropy" else got[0, 5])


@settings(max_examples=60, deadline=None)
@given(
    arrays(float, (3, 5), elements=st.floats(0, 1e6)),
    arrays(float, (4, 5), elements=st.sampled_from([0.0, 1.0, 2.0, 1e-9, 1e5])),
    st.sampled_from(PAIRED),
)
def test_any_rows(XA, XB, metric):
    options = OPTIONS.get(metric, {})
    assert_close(fastdiv.cdist(XA, XB, metric, **options), rowwise(metric, XA, XB, **options), 1e-12)


def test_transport_of_masses_and_samples():
    rng = np.random.default_rng(1)
    X, Y = rows("zeros", 7, 30), rows("unrelated", 5, 30)
    support = np.cumsum(rng.random(30)) - 7
    assert_close(
        fastdiv.cdist(X, Y, "wasserstein", support=support),
        rowwise("wasserstein", X, Y, support=support),
        1e-13,
    )
    near = X * (1 + 1e-9 * rng.standard_normal(X.shape))
    assert_close(fastdiv.cdist(X, near, "wasserstein"), rowwise("wasserstein", X, near), 1e-13)
    U, V = rng.standard_normal((6, 40)), rng.standard_normal((70, 40)) * 1e3
    for p in (1, 2, 3.5, 600, np.inf):
        assert_close(
            fastdiv.cdist(U, V[:9], "wasserstein", samples=True, p=p),
            reference.cdist(U, V[:9], "wasserstein", samples=True, p=p),
            1e-12,
        )
    assert fastdiv.cdist([[-1e308, 1e308]], [[1e308, -1e308]], "wasserstein", samples=True) == 0


def test_integers_and_lists():
    assert fastdiv.cdist([[1, 0], [1, 1]], [[2, 0]], "total_variation").tolist() == [[0.0], [0.5]]
    assert (
        fastdiv.cdist(np.eye(3, dtype=bool), np.eye(3, dtype="u1"), "js_divergence", base=2).tolist()
        == (1 - np.eye(3)).tolist()
    )
    assert fastdiv.cdist(np.empty((0, 4)), np.ones((3, 4))).shape == (0, 3)


def test_out():
    X = rows("unrelated", 40, 12)
    expected = fastdiv.cdist(X, X)
    for out in (
        np.empty((40, 40)),
        np.empty((40, 80))[:, ::2],
        np.empty((40, 40), order="F"),
        np.empty((80, 80))[::-2, ::-2],
    ):
        assert fastdiv.cdist(X, X, out=out) is out
        assert np.array_equal(out, expected)
    half = np.empty(2 * 780)[::2]
    assert fastdiv.pdist(X, out=half) is half
    assert np.array_equal(half, distance.pdist(expected, lambda p, q: 0) + fastdiv.pdist(X))


WRONG = [
    (lambda X: fastdiv.cdist(X, X, "js_distanc"), ValueError, "unknown; there are js_distance, "),
    (lambda X: fastdiv.cdist(X, X, "wassertein"), ValueError, "unknown; there are wasserstein, "),
    (lambda X: fastdiv.cdist(X, X, bse=2), TypeError, "has no option 'bse'"),
    (lambda X: fastdiv.cdist(X, X, nan_policy="omit"), ValueError, "omit"),
    (lambda X: fastdiv.cdist(X, X, "renyi_divergence"), TypeError, "needs alpha="),
    (lambda X: fastdiv.cdist(X, X, "wasserstein", support=[1, 1, 2]), ValueError, "strictly increasing"),
    (lambda X: fastdiv.cdist(X, X, "wasserstein", support=[1, 2]), ValueError, "one place for each bin"),
    (lambda X: fastdiv.cdist(X, X, "wasserstein", p=2), ValueError, "samples=True"),
    (lambda X: fastdiv.cdist(X, X, "wasserstein", p=0.5, samples=True), ValueError, "p must be"),
    (lambda X: fastdiv.cdist(X, -X), ValueError, r"XB has a negative mass: XB\[0, 0\] = -1.0"),
    (lambda X: fastdiv.cdist(np.vstack([X, X * np.inf]), X), ValueError, r"infinite mass: XA\[4, 0\]"),
    (lambda X: fastdiv.pdist(X, "kl_divergence"), ValueError, "not symmetric"),
    (lambda X: fastdiv.pdist(X, "js_distance", weights=[1, 2]), ValueError, "not symmetric"),
    (lambda X: fastdiv.knn(X, X[:, :2], 1), ValueError, "XA has 3 bins but XB has 2"),
]


@pytest.mark.parametrize(("wrong", "error", "message"), WRONG, ids=map(str, range(len(WRONG))))
def test_one_clear_sentence(wrong, error, message):
    X = np.ones((4, 3))
    with pytest.raises(error, match=message):
        wrong(X)
    assert np.array_equal(X, np.ones((4, 3)))


def test_overlapping_out():
    space = np.ones((8, 4))
    with pytest.raises(ValueError, match="out overlaps XB"):
        fastdiv.cdist(np.ones((4, 4)), space[:4], out=space[2:6])


def test_a_result_that_cannot_fit():
    X = np.broadcast_to(np.ones(4, "f4"), (10**7, 4))
    with pytest.raises(MemoryError, match=r"takes 372529.0 GiB.*out="):
        fastdiv.cdist(X, X)
    with pytest.raises(MemoryError, match="GiB"):
        fastdiv.pdist(X)


@pytest.mark.parametrize("kind", ROWS)
@pytest.mark.parametrize("metric", METRICS)
def test_neighbours_are_the_sorted_matrix(metric, kind):
    XA, XB = rows(kind, 37, 32), rows(kind, 203, 32)[::-1].copy()
    XB[50], XB[7], XB[120] = XB[9], XB[9], 0.0
    options = OPTIONS.get(metric, {})
    whole = fastdiv.cdist(XA, XB, metric, **options)
    order = np.argsort(whole, axis=1, kind="stable")
    for k in (1, 10, 203):
        distances, indices = fastdiv.knn(XA, XB, k, metric, workers=2, **options)
        assert np.array_equal(indices, order[:, :k])
        assert np.array_equal(distances, np.take_along_axis(whole, order[:, :k], 1), equal_nan=True)


def test_index_is_reused():
    XB = rows("unrelated", 100, 16)
    index = fastdiv.Index(XB, "kl_divergence", base=2)
    for dtype in (float, "f4"):
        XA = rows("unrelated", 5, 16, seed=3).astype(dtype)
        for got, expected in zip(
            index.query(XA, 4), fastdiv.knn(XA, XB, 4, "kl_divergence", base=2), strict=True
        ):
            assert np.array_equal(got, expected)
    assert repr(index) == "<fastdiv.Index of 100 rows of 16 bins, kl_divergence>"


@pytest.mark.parametrize("metric", ["js_distance", "kl_divergence", "wasserstein"])
def test_twin(metric):
    XA, XB = rows("zeros", 4, 9), rows("unrelated", 6, 9)
    assert_close(fastdiv.cdist(XA, XB, metric), reference.cdist(XA, XB, metric), 1e-12)
    assert np.array_equal(fastdiv.knn(XA, XB, 3, metric)[1], reference.knn(XA, XB, 3, metric)[1])
    if metric != "kl_divergence":
        assert_close(fastdiv.pdist(XB, metric), reference.pdist(XB, metric), 1e-12)


def test_every_metric_is_listed():
    assert set(matrix.METRICS) == set(METRICS)


@pytest.mark.parametrize("k", [100, 800, 1200])
@pytest.mark.parametrize("metric", ["js_distance", "wasserstein", "kl_divergence"])
def test_many_neighbours(metric, k):
    """Lists of any length: short ones by bounds, long ones from whole rows of the matrix."""
    XA, XB = rows("zeros", 7, 24), rows("zeros", 1200, 24, seed=1)
    XB[600:] = XB[:600]
    matrix = fastdiv.cdist(XA, XB, metric)
    order = np.argsort(matrix, axis=1, kind="stable")[:, :k]
    distances, indices = fastdiv.knn(XA, XB, k, metric)
    assert np.array_equal(indices, order)
    assert np.array_equal(distances, np.take_along_axis(matrix, order, 1))


@pytest.mark.parametrize("metric", ["js_distance", "total_variation", "wasserstein"])
@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("bins", [7, 16, 128])
def test_neighbours_that_tie_in_single_precision(metric, dtype, bins):
    """Permutations of one row are equally far from a flat one; of few bins a bound is the value itself."""
    rng = np.random.default_rng(0)
    row = rng.random(bins).astype(dtype)
    XA, XB = np.ones((3, bins), dtype), np.array([rng.permutation(row) for _ in range(60)])
    matrix = fastdiv.cdist(XA, XB, metric, pseudocount=0.01)
    order = np.argsort(matrix, axis=1, kind="stable")
    for k in (1, 5, 20, 60):
        distances, indices = fastdiv.knn(XA, XB, k, metric, pseudocount=0.01)
        assert np.array_equal(indices, order[:, :k])
        assert np.array_equal(distances, np.take_along_axis(matrix, order[:, :k], 1))


@pytest.mark.parametrize("dtype", ["f4", "f8"])
@pytest.mark.parametrize("metric", ["js_distance", "total_variation", "kl_divergence"])
def test_neighbours_of_logarithms(metric, dtype):
    """From -inf to a span that no shares can hold."""
    rng = np.random.default_rng(0)
    XA, XB = 3 * rng.normal(size=(9, 30)), 3 * rng.normal(size=(200, 30))
    XB[5], XB[6, 3], XB[7] = XA[2], -np.inf, 400 * XB[7]
    XA[3], XA[4, 7] = XB[11] + 1e-7 * rng.normal(size=30), -np.inf
    XA, XB = XA.astype(dtype), XB.astype(dtype)
    matrix = fastdiv.cdist(XA, XB, metric, log_input=True)
    expected = rowwise(metric, XA.astype(float), XB.astype(float), log_input=True)
    assert_close(matrix, expected, 1e-12 if dtype == "f8" else 5e-6)
    order = np.argsort(matrix, axis=1, kind="stable")[:, :6]
    distances, indices = fastdiv.knn(XA, XB, 6, metric, log_input=True)
    assert np.array_equal(indices, order)
    assert np.array_equal(distances, np.take_along_axis(matrix, order, 1))
