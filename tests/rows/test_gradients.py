"""``fastdiv.grad`` of rows: derivatives against the oracle's, on every instruction set, and their laws."""

import re
from random import Random

import mpmath
import numpy as np
import oracle
import oracle_gradients
import pytest
import zoo
from calls import BASELESS, PAIRED, ROWWISE, SYMMETRIC, call
from mpmath import mp, mpf
from scipy.optimize import check_grad

import fastdiv
import fastdiv.grad

PAIRS = {
    "unrelated": zoo._unrelated,
    "near 1e-3": zoo._near(1e-3),
    "near 1e-7": zoo._near(1e-7),
    "near 1e-11": zoo._near(1e-11),
    "counts": zoo._counts,
    "proportional": zoo._proportional,
    "tiny and huge": zoo._tiny_and_huge,
    "tiny and huge, near": zoo._tiny_and_huge_near,
    "power law": zoo._power_law,
    "power law, near": zoo._power_law_near,
    "spike": zoo._spike,
    "spike, near": zoo._spike_near,
    "nested": zoo._nested,
    "sparse": zoo._sparse,
    "flat and steep": zoo._flat_and_steep,
}
SIZES = (1, 2, 5, 17, 33)
INF = float("inf")


def _slope_at_equality(name, alpha, value):
    """What all slopes of a side are where its rows agree: no error is measured against it."""
    if name == "renyi_divergence" and alpha in (0.0, INF):
        return 0, 0
    if name == "renyi_divergence" and alpha != 1.0:
        return mpf(alpha) / (mpf(alpha) - 1), -1
    return {
        "kl_divergence": (1, -1),
        "renyi_divergence": (1, -1),
        "entropy": (value - 1,),
        "cross_entropy": (value, -1),
        "bhattacharyya_distance": (-0.5, -0.5),
    }.get(name, (0, 0))


def _check(name, *rows, tolerance=1e-12, **options):
    """All derivatives of one pair: to `tolerance` of themselves, or of the mean slope of their row."""
    alpha, weights = options.get("alpha", 2.0), options.get("weights")
    own = {"alpha": alpha} if name == "renyi_divergence" else {}
    own |= {"weights": weights} if weights is not None else {}
    plain = {k: options[k] for k in ("normalize", "log_input", "pseudocount") if k in options}
    with mp.workdps(oracle.digits(rows, options.get("log_input", False))):
        value, truths = oracle_gradients.gradient(name, *rows, base=options.get("base"), **own, **plain)
        if not mpmath.isfinite(value):
            with pytest.raises(ValueError, match="where it has no gradient"):
                call(fastdiv.grad, name, *rows, **options)
            return
        got = call(fastdiv.grad, name, *rows, **options)
        assert got.value == call(fastdiv, name, *rows, **options)
        shares = oracle.masses(rows, **plain)
        slopes = oracle_gradients.SLOPES[name](shares, **own)
        level = _slope_at_equality(name, alpha, value)
        per = 1 / mpmath.log(mpf(options["base"])) if options.get("base") and name not in BASELESS else mpf(1)
        for side, (g, t, row, x) in enumerate(zip(got[1:], truths, rows, shares, strict=True)):
            mean = sum(abs(a * (b - level[side])) for a, b in zip(x, slopes[side], strict=True) if a)
            mean = (mean / sum(x) + mpf(10) ** -30 + max(1, min(alpha, 9)) * abs(value) * mpf(2) ** -10) * per
            if options.get("normalize", True) and not options.get("log_input", False):
                mean /= sum(mpf(m) for m in row)
            for i in range(len(row)):
                if abs(t[i]) > 1.797e308:
                    assert g[i] == float(mpmath.sign(t[i])) * INF, (name, side, i)
                    continue
                scale = max(abs(t[i]), mean * x[i] if options.get("log_input", False) else mean)
                error = abs(mpf(float(g[i])) - t[i])
                assert error <= tolerance * scale + mpf(10) ** -200, (name, side, i, g[i], float(t[i]))


@pytest.mark.parametrize("kind", PAIRS)
@pytest.mark.parametrize("name", ROWWISE)
def test_against_the_oracle(level, name, kind):
    random = Random(f"{name} {kind}")
    for n in SIZES:
        p, q = PAIRS[kind](random, n)
        rows = (p,) if name == "entropy" else (p, q)
        _check(name, *rows)
        if name == "js_divergence" or name == "js_distance":
            _check(name, *rows, weights=[1.0, 3.0])


@pytest.mark.parametrize("kind", ["unrelated", "near 1e-7", "counts", "power law", "nested", "tiny and huge"])
@pytest.mark.parametrize("name", [n for n in ROWWISE if n != "js_distance"])
def test_masses_as_they_stand(level, name, kind):
    random = Random(f"raw {name} {kind}")
    for n in SIZES:
        rows = PAIRS[kind](random, n)[: 1 if name == "entropy" else 2]
        _check(name, *rows, normalize=False, tolerance=1e-12 if kind != "tiny and huge" else 1e-11)


@pytest.mark.parametrize("normalize", [True, False])
@pytest.mark.parametrize("name", [n for n in ROWWISE if n != "js_distance"])
def test_logarithms(level, name, normalize):
    random = Random(f"logs {name}")
    for n in SIZES:
        p = [random.uniform(-30.0, 5.0) for _ in range(n)]
        far = [random.uniform(-30.0, 5.0) for _ in range(n)]
        near = [x + 1e-6 * random.uniform(-1.0, 1.0) for x in p]
        wide = [random.uniform(-600.0, 0.0) for _ in range(n)]
        for q in (far, near, wide):
            rows = (q,) if name == "entropy" else (p, q)
            _check(name, *rows, log_input=True, normalize=normalize, tolerance=1e-11 if q is wide else 2e-12)


@pytest.mark.parametrize("alpha", [0.0, 1e-3, 0.3, 0.5, 1.0, 1.5, 7.0, INF])
@pytest.mark.parametrize("kind", ["unrelated", "near 1e-3", "nested", "spike"])
def test_orders(level, kind, alpha):
    random = Random(f"{alpha} {kind}")
    for n in (2, 5, 17, 33):
        p, q = PAIRS[kind](random, n)
        if not (alpha == INF and kind == "nested"):  # of equal ratios rounding takes one
            _check("renyi_divergence", p, q, alpha=alpha)


@pytest.mark.parametrize("base", [2, 10])
@pytest.mark.parametrize("name", [n for n in ROWWISE if n not in BASELESS and n != "js_distance"])
def test_base(name, base):
    p, q = zoo._unrelated(Random(3), 9)
    _check(name, *((p,) if name == "entropy" else (p, q)), base=base)


@pytest.mark.parametrize("name", ["js_divergence", "js_distance"])
@pytest.mark.parametrize("weights", [None, [3.0, 1.0, 0.0, 2.0]])
def test_stacks(level, name, weights):
    random = Random(4)
    first = zoo.skewed(random, 40)
    near = [first, *(zoo.jitter(random, first, 1e-7) for _ in range(3))]
    for rows in (
        [zoo.skewed(random, 40) for _ in range(4)],
        [zoo.sparse(random, 40) for _ in range(4)],
        near,
    ):
        got = getattr(fastdiv.grad, name)(rows, weights=weights)
        assert got.value == getattr(fastdiv, name)(rows, weights=weights)
        with mp.workdps(250):
            _, truths = oracle_gradients.gradient(name, *rows, weights=weights)
            for g, t, row in zip(got.p, truths, rows, strict=True):
                mean = sum(abs(a * b) for a, b in zip(row, t, strict=True) if a) / sum(map(mpf, row))
                for have, want in zip(g, t, strict=True):
                    if mpmath.isinf(want):
                        assert have == float(want)
                    else:
                        assert abs(mpf(float(have)) - want) <= 1e-12 * max(abs(want), mean, 1e-4 / sum(row))


@pytest.mark.parametrize("weights", [None, [3.0, 1.0]])
def test_bins_without_mass_in_stacks_of_equal_rows(level, weights):
    """As of a pair: they alone lead up, but where a root has its kink."""
    p, q = [1.0, 3.0, 0.0, 4.0], [2.0, 6.0, 0.0, 8.0]
    for name in ("js_divergence", "js_distance"):
        gradient = getattr(fastdiv.grad, name)
        pair, stack = gradient(p, q, weights=weights), gradient([p, q], weights=weights)
        assert pair.value == stack.value == 0
        np.testing.assert_allclose(stack.p, [pair.p, pair.q], rtol=1e-15)
        assert (stack.p[:, 2] > 0).all() == (name == "js_divergence")


# --- laws ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", PAIRED)
def test_orthogonal_to_the_row(name):
    rng = np.random.default_rng(5)
    p, q = 7.0 * rng.dirichlet(np.ones(50), 20), 3.0 * rng.dirichlet(np.ones(50), 20)
    g = call(fastdiv.grad, name, p, q)
    for row, slope in ((p, g.p), (q, g.q)):
        assert np.abs((row * slope).sum(-1)).max() <= 1e-13 * np.abs(row * slope).sum(-1).max()
    g = call(fastdiv.grad, name, np.log(p), np.log(q), log_input=True)
    for slope in g[1:]:
        assert np.abs(slope.sum(-1)).max() <= 1e-13 * np.abs(slope).sum(-1).max()


@pytest.mark.parametrize("name", SYMMETRIC)
def test_symmetric(name):
    rng = np.random.default_rng(6)
    p, q = rng.dirichlet(np.ones(33), (2, 30))
    there, back = call(fastdiv.grad, name, p, q), call(fastdiv.grad, name, q, p)
    np.testing.assert_allclose(there.p, back.q, rtol=1e-13, atol=1e-15)
    np.testing.assert_allclose(there.q, back.p, rtol=1e-13, atol=1e-15)


@pytest.mark.parametrize("name", ROWWISE)
@pytest.mark.parametrize("options", [{}, {"normalize": False}, {"log_input": True}, {"pseudocount": 0.5}])
def test_differences(name, options):
    """SciPy's check_grad, from the outside."""
    if name == "js_distance" and "normalize" in options:
        options = {}
    rng = np.random.default_rng(7)
    p, q = rng.uniform(0.5, 2.0, (2, 12))
    sides = 1 if name == "entropy" else 2
    for side in range(sides):

        def rows(x, side=side):
            return (x, q) if side == 0 else (p, x)

        error = check_grad(
            lambda x, rows=rows: call(fastdiv, name, *rows(x), **options),
            lambda x, rows=rows, side=side: call(fastdiv.grad, name, *rows(x), **options)[1 + side],
            (p, q)[side],
        )
        assert error < 1e-5


@pytest.mark.parametrize("name", ROWWISE)
def test_shapes_axes_and_dtypes(name):
    rng = np.random.default_rng(8)
    p, q = rng.uniform(0.1, 1.0, (3, 1, 20)), rng.uniform(0.1, 1.0, (4, 20))
    want = call(fastdiv.grad, name, p, q)
    shape = (3, 1) if name == "entropy" else (3, 4)
    assert want.value.shape == shape
    assert all(g.shape == (*shape, 20) for g in want[1:])
    moved = call(fastdiv.grad, name, np.moveaxis(p, -1, 0), np.moveaxis(q[None], -1, 0), axis=0)
    for have, one in zip(moved[1:], want[1:], strict=True):
        np.testing.assert_array_equal(np.moveaxis(have, 0, -1), one)
    kept = call(fastdiv.grad, name, p, q, keepdims=True)
    assert kept.value.shape == (*shape, 1)
    single = call(fastdiv.grad, name, p.astype(np.float32), q.astype(np.float32))
    double = call(fastdiv.grad, name, p.astype(np.float32).astype(float), q.astype(np.float32).astype(float))
    for have, one in zip(single, double, strict=True):
        assert have.dtype == np.float32
        np.testing.assert_array_equal(have, one.astype(np.float32))
    integers = (100 * p).astype(np.int32), (100 * q).astype(np.int32)
    for have, one in zip(
        call(fastdiv.grad, name, *integers), call(fastdiv.grad, name, *(x.astype(float) for x in integers)),
        strict=True,
    ):  # fmt: skip
        np.testing.assert_array_equal(have, one)


@pytest.mark.parametrize("name", ROWWISE)
def test_same_bits_for_any_threads_and_layout(name):
    rng = np.random.default_rng(9)
    p, q = rng.uniform(0.1, 1.0, (2, 200, 700))
    want = call(fastdiv.grad, name, p, q)
    limit = fastdiv.num_threads()
    try:
        fastdiv.set_num_threads(1)
        serial = call(fastdiv.grad, name, p, q)
    finally:
        fastdiv.set_num_threads(limit)
    strided = call(fastdiv.grad, name, np.asfortranarray(p), np.repeat(q, 2, axis=1)[:, ::2])
    for have in (serial, strided):
        for one, other in zip(have, want, strict=True):
            np.testing.assert_array_equal(one, other)


def test_missing_bins_are_left_out():
    p, q = np.array([1.0, np.nan, 2.0, 3.0]), np.array([2.0, 5.0, 1.0, 1.0])
    got = fastdiv.grad.kl_divergence(p, q, nan_policy="omit")
    kept = fastdiv.grad.kl_divergence(p[[0, 2, 3]], q[[0, 2, 3]])
    assert got.value == kept.value
    assert got.p[1] == got.q[1] == 0
    np.testing.assert_array_equal(got.p[[0, 2, 3]], kept.p)


# --- against logits ------------------------------------------------------------------------------------


def test_masses_against_logits(level):
    random = Random(10)
    for n in (1, 2, 5, 17, 600):
        p = zoo.sparse(random, n)
        z = [random.uniform(-40.0, 40.0) for _ in range(n)]
        got = fastdiv.grad.cross_entropy(p, z, log_input="q")
        assert got.value == fastdiv.cross_entropy(p, z, log_input="q")
        with mp.workdps(60):
            (x,), (y,) = oracle.masses([p]), oracle.masses([z], log_input=True)
            value = -sum(a * mpmath.log(b) for a, b in zip(x, y, strict=True) if a)
            assert abs(mpf(float(got.value)) - value) <= 1e-13 * value
            for i in range(n):
                assert abs(mpf(float(got.q[i])) - (y[i] - x[i])) <= 1e-14 * (x[i] + y[i])
                want = (-mpmath.log(y[i]) - value) / sum(map(mpf, p))
                assert abs(mpf(float(got.p[i])) - want) <= 1e-13 * (abs(want) + value / sum(map(mpf, p)))


def test_labels(level):
    rng = np.random.default_rng(11)
    z, labels = 5.0 * rng.normal(size=(40, 30)), rng.integers(0, 30, 40)
    one_hot = np.eye(30)[labels]
    got = fastdiv.grad.softmax_cross_entropy(z, labels)
    want = fastdiv.grad.cross_entropy(one_hot, z, log_input="q")
    np.testing.assert_allclose(got.value, want.value, rtol=1e-14)
    np.testing.assert_allclose(got.logits, want.q, rtol=1e-13, atol=1e-16)
    by_column = fastdiv.grad.softmax_cross_entropy(z.T, labels, axis=0)
    np.testing.assert_array_equal(by_column.logits.T, got.logits)
    sure = fastdiv.grad.softmax_cross_entropy([0.0, 50.0], 1)  # share - 1 is small, and not 0
    assert sure.value == pytest.approx(1.9287498479639178e-22, rel=1e-14)
    assert sure.logits[1] == pytest.approx(-1.9287498479639178e-22, rel=1e-14)


def test_logits_are_for_cross_entropy_alone():
    with pytest.raises(TypeError, match="log_input must be True or False, not 'q'"):
        fastdiv.kl_divergence([1.0, 1.0], [0.0, 0.0], log_input="q")
    with pytest.raises(TypeError, match="log_input must be True or False, not 'p'"):
        fastdiv.cross_entropy([1.0, 1.0], [0.0, 0.0], log_input="p")


# --- errors --------------------------------------------------------------------------------------------


ONES = [1.0, 1.0]
REFUSED = {
    "kl_divergence is inf in row 1, where it has no gradient: q has no mass in bin 1, where p has some": (
        ValueError,
        lambda g: g.kl_divergence([ONES, ONES], [ONES, [1.0, 0.0]]),
    ),
    "kl_divergence is nan, where it has no gradient": (
        ValueError,
        lambda g: g.kl_divergence([0.0, 0.0], ONES),
    ),
    "p has a negative mass": (ValueError, lambda g: g.kl_divergence([1.0, -1.0], ONES)),
    "p has 2 bins but q has 3 bins": (ValueError, lambda g: g.kl_divergence(ONES, [1.0, 2.0, 3.0])),
    "unexpected keyword argument 'out'": (TypeError, lambda g: g.kl_divergence(ONES, ONES, out=np.empty(()))),
    "unexpected keyword argument 'base'": (TypeError, lambda g: g.total_variation(ONES, ONES, base=2)),
    "labels[0] must be a class from 0 to 1, not 2": (
        ValueError,
        lambda g: g.softmax_cross_entropy([ONES], [2]),
    ),
    "labels[0] must be a class from 0 to 1, not -1": (
        ValueError,
        lambda g: g.softmax_cross_entropy([ONES], [-1]),
    ),
    "labels must be integers": (TypeError, lambda g: g.softmax_cross_entropy([ONES], [0.5])),
    "logits has an infinite": (ValueError, lambda g: g.softmax_cross_entropy([[0.0, INF]], [0])),
    "the class has no mass": (ValueError, lambda g: g.softmax_cross_entropy([[0.0, -INF]], [1])),
    "do not broadcast": (ValueError, lambda g: g.softmax_cross_entropy([ONES, ONES], [1, 0, 1])),
}


@pytest.mark.parametrize("sentence", REFUSED)
def test_errors(sentence):
    error, function = REFUSED[sentence]
    with pytest.raises(error, match=re.escape(sentence)):
        function(fastdiv.grad)


def test_inputs_are_not_written_to():
    p, q = np.array([[1.0, 2.0], [3.0, 4.0]]), np.array([[2.0, 1.0], [1.0, 1.0]])
    kept = p.copy(), q.copy()
    for name in ROWWISE:
        call(fastdiv.grad, name, p, q)
    np.testing.assert_array_equal(p, kept[0])
    np.testing.assert_array_equal(q, kept[1])


@pytest.mark.parametrize(
    "options", [{}, {"normalize": False}, {"base": 2}, {"pseudocount": 0.25}, {"axis": 0}]
)
def test_values_against_logits(options):
    """The twin takes them, too."""
    rng = np.random.default_rng(12)
    p, z = rng.dirichlet(np.full(20, 0.3), 20), 9.0 * rng.normal(size=(20, 20))
    p[0, 3] = np.nan
    for policy in ("propagate", "omit"):
        got = fastdiv.cross_entropy(p, z, log_input="q", nan_policy=policy, **options)
        want = fastdiv.reference.cross_entropy(p, z, log_input="q", nan_policy=policy, **options)
        np.testing.assert_allclose(got, want, rtol=1e-12)
    z[2, 2] = -np.inf
    for library in (fastdiv, fastdiv.reference):
        assert library.cross_entropy(np.eye(20), z, log_input="q").tolist()[2] == INF
        with pytest.raises(ValueError, match=r"q has an infinite log-probability: q\[0\] = inf"):
            library.cross_entropy([1.0, 1.0], [INF, 0.0], log_input="q")
        with pytest.raises(ValueError, match=r"p has a negative mass"):
            library.cross_entropy([1.0, -1.0], [-1.0, 0.0], log_input="q")
