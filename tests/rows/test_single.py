"""Jensen-Shannon of rows of floats, in single precision where they have more than 128 bins.

5e-6 of the truth whatever they are, and the same bits however they lie in memory.
"""

import functools
import math

import numpy as np
import oracle
import pytest
import zoo

import fastdiv
from fastdiv import _core

MEASURES = ("js_divergence", "js_distance")
LENGTHS = (129, 144, 191, 192, 500, 512, 513, 1000)
FEW = 128  # up to here rows lie side by side, in double precision
SWITCH = 2.0**-24  # bits: nearer rows are computed in double precision


def double(name, p, q, **options):
    """The value of the same rows as float64."""
    return getattr(fastdiv, name)(p.astype(float), q.astype(float), **options)


def near(rng, p, eps):
    return (p * (1 + eps * rng.uniform(-1, 1, p.shape))).astype("f4")


def pairs(n):
    """Kinds of pairs, name -> (p, q)."""
    rng = np.random.default_rng(n)
    p, q = rng.dirichlet(np.full(n, 0.5), 2).astype("f4")
    steep = (2.0 ** -np.linspace(0, 60, n)).astype("f4")
    gap = np.where(np.arange(n) % 2, 1.0, 2.0**-22).astype("f4")
    half = np.arange(n) < n // 2
    kinds = {
        "unrelated": (p, q),
        "counts of other masses": (rng.poisson(3.0, n), rng.poisson(3e4 / n, n) * 1000),
        "steep": (steep, steep[::-1]),
        "one bin in both": (np.eye(n)[0] + p * 1e-6, np.eye(n)[0]),
        "one bin against all": (np.eye(n)[n - 1], np.ones(n)),
        "nested": (np.where(half, p, 0), p),
        "nearly disjoint": (np.where(half, p, 0), np.where(half, 0, q) + 1e-3 * p),
        "overlap of 1e-6": (np.where(half, p, 0), np.where(half, 1e-6 * p, q)),
        "shares 2^22 apart": (gap, gap[::-1] * 0.7 + np.where(np.arange(n) < n // 8, gap, 0)),
        "disjoint": (np.where(half, p, 0), np.where(half, 0, q)),
        "sparse": [np.where(rng.random(n) < 0.9, 0, x) + np.eye(n)[i] for i, x in enumerate((p, q))],
        "subnormal": (p * 1e-38, q * 1e-38),
        "some subnormal": (np.where(half, 1e-41, p), np.where(half, 3e-42, q)),
        "huge": (p * 1e35, q * 1e38),
        "one huge": (np.eye(n)[0] * 2e38 + 1e38, q),
        "2^30": (p * 2.0**30, q * 2.0**-30),
        "just outside": (p * 2.0**30.1, q * 2.0**-30.1),
    }
    for eps in (0.5, 1e-1, 1e-2, 4e-3, 3e-3, 2e-3, 1e-3, 1e-4, 1e-6):
        kinds[f"near {eps}"] = p, near(rng, p, eps)
        kinds[f"near {eps}, thrice"] = p, 3 * near(rng, p, eps)
    return {name: (np.asarray(a, "f4"), np.asarray(b, "f4")) for name, (a, b) in kinds.items()}


@functools.cache
def truths(n):
    """Of each kind the truth, or for most lengths the double's value, which is as good as that here."""
    if n == LENGTHS[0]:
        return {kind: float(oracle.truth("js_divergence", p, q)) for kind, (p, q) in pairs(n).items()}
    return {kind: double("js_divergence", p, q) for kind, (p, q) in pairs(n).items()}


def test_truth():
    for isa in _core.isa_levels():
        before = _core.isa()
        _core.choose_isa(isa)
        try:
            for n in LENGTHS:
                for kind, (p, q) in pairs(n).items():
                    true = truths(n)[kind]
                    got, root = fastdiv.js_divergence(p, q), fastdiv.js_distance(p, q)
                    assert got.dtype == root.dtype == np.float32
                    assert abs(float(got) - true) < 5e-6 * true, (isa, n, kind)
                    assert abs(float(root) - math.sqrt(true)) < 5e-6 * math.sqrt(true), (isa, n, kind)
        finally:
            _core.choose_isa(before)


def test_most_errors_are_far_below(level):
    """Roundings average out: a form that uses up what it is allowed has a fault somewhere."""
    rng = np.random.default_rng(1)
    p, q = rng.dirichlet(np.full(500, 0.5), (2, 200)).astype("f4")
    for other in (q, near(rng, p, 0.1), near(rng, p, 0.01), p * (rng.random(p.shape) < 0.5)):
        got, wide = fastdiv.js_divergence(p, other), double("js_divergence", p, other)
        assert np.abs(got / wide - 1).max() < 8e-7
        assert abs(np.mean(got / wide - 1)) < 2e-7


@pytest.mark.parametrize("n", [129, 500, 4000])
def test_both_sides_of_the_switch(level, n):
    """Rows whose divergence crosses it; nearer ones have the double's value, rounded."""
    rng = np.random.default_rng(n)
    p = rng.uniform(1, 2, n).astype("f4")
    direction = rng.uniform(-1, 1, n)
    seen = set()
    for scale in np.geomspace(0.9, 1.1, 41) * 1.01e-3:
        q = (p * (1 + scale * direction)).astype("f4")
        got, wide = fastdiv.js_divergence(p, q, base=2), double("js_divergence", p, q, base=2)
        assert abs(float(got) - wide) < 1e-6 * wide
        seen.add(bool(wide < SWITCH))
        if wide < SWITCH * (1 - 1e-5):
            assert got == np.float32(wide)
    assert seen == {True, False}


def test_long_rows(level):
    rng = np.random.default_rng(3)
    p = rng.gamma(0.5, size=1_000_003).astype("f4")
    other = rng.gamma(0.5, size=p.size).astype("f4")
    for q in (other, near(rng, p, 0.1), near(rng, p, 0.01), np.ones_like(p)):
        got, wide = fastdiv.js_divergence(p, q), double("js_divergence", p, q)
        assert abs(float(got) / wide - 1) < 1e-6


@pytest.mark.parametrize("n", LENGTHS)
def test_exact_values(level, n):
    p, q = pairs(n)["disjoint"]
    counts = np.random.default_rng(n).integers(0, 100, n).astype("f4")
    for scale in (1.0, 2.0**-20, 2.0**20, 1e-30, 1e30):
        assert fastdiv.js_divergence(p, (q * scale).astype("f4"), base=2) == 1.0
        assert fastdiv.js_distance(p, (q * scale).astype("f4")) == np.float32(math.sqrt(math.log(2)))
        assert fastdiv.js_divergence(p * np.float32(2.0**-7), p) == 0.0
        assert fastdiv.js_divergence(counts, 3 * counts) == 0.0
    assert math.isnan(fastdiv.js_divergence(0 * p, q))
    for bad in (math.nan, -1.0, math.inf):
        worse = p.copy()
        worse[n // 2] = bad
        if math.isnan(bad):
            assert math.isnan(fastdiv.js_divergence(worse, q))
        else:
            with pytest.raises(ValueError, match=rf"q.*\[{n // 2}\]"):
                fastdiv.js_divergence(p, worse)


def test_minus_zero_is_zero(level):
    p, q = pairs(500)["sparse"]
    assert (p == 0).any()
    got = fastdiv.js_divergence(np.where(p == 0, np.float32(-0.0), p), q)
    assert got == np.float32(double("js_divergence", p, q))


def test_powers_of_two_and_order_leave_the_bits(level):
    for kind, (p, q) in pairs(500).items():
        for name in MEASURES:
            measure = getattr(fastdiv, name)
            assert measure(p, q) == measure(q, p), kind
    p, q = pairs(500)["unrelated"]
    expected = fastdiv.js_divergence(p, q)
    for x, y in ((2.0**9, 1.0), (2.0**-9, 2.0**11), (1.0, 2.0**20)):
        assert fastdiv.js_divergence(p * np.float32(x), q * np.float32(y)) == expected


def rows_of_all_kinds(n):
    if n <= FEW:
        return np.random.default_rng(n).dirichlet(np.ones(n), (2, 40)).astype("f4")
    p, q = (np.array(side) for side in zip(*pairs(n).values(), strict=True))
    return np.concatenate([p, p[::-1]]), np.concatenate([q, q])


@pytest.mark.parametrize("n", [1, 10, FEW, FEW + 1, 131, 200, 512, 513, 2048, 2049])
def test_bits_in_any_layout(level, n):
    """One by one, together, in parts, as columns, with gaps, of other byte order."""
    p, q = rows_of_all_kinds(n)
    layouts = zoo.strided, zoo.reversed_, zoo.rows_reversed, zoo.fortran, zoo.misaligned, zoo.byte_swapped
    for name in MEASURES:
        measure = getattr(fastdiv, name)
        expected = measure(p, q)
        one = np.array([measure(x, y) for x, y in zip(p, q, strict=True)])
        assert one.tobytes() == expected.tobytes()
        assert measure(p[3:], q[3:]).tobytes() == expected[3:].tobytes()
        assert measure(p, q, nan_policy="omit").tobytes() == expected.tobytes()
        columns = np.ascontiguousarray(p.T), np.ascontiguousarray(q.T)
        assert measure(*columns, axis=0).tobytes() == expected.tobytes()
        for some in (np.s_[3:], np.s_[:3], np.s_[1:20], np.s_[::2], np.s_[::-1]):
            parts = (c[:, some] for c in columns)
            assert measure(*parts, axis=0).tobytes() == expected[some].tobytes(), some
        assert measure(columns[0].T, q).tobytes() == expected.tobytes()
        assert measure(p[:1], q).tobytes() == measure(np.repeat(p[:1], len(q), 0), q).tobytes()
        for lay in layouts:
            assert measure(lay(p), lay(q)).tobytes() == expected.tobytes(), lay


def test_bits_for_any_number_of_threads():
    rng = np.random.default_rng(8)
    before = fastdiv.num_threads()
    for shape in ((3, 300_001), (2000, 300)):
        p, q = rng.gamma(0.5, size=(2, *shape)).astype("f4")
        values = []
        try:
            for threads in (1, 2, 3):
                fastdiv.set_num_threads(threads)
                values.append(fastdiv.js_divergence(p, q).tobytes())
        finally:
            fastdiv.set_num_threads(before)
        assert len(set(values)) == 1


@pytest.mark.parametrize(
    "options",
    [{"weights": (0.3, 0.7)}, {"pseudocount": 0.5}, {"normalize": False}, {"log_input": True}],
    ids=lambda options: next(iter(options)),
)
def test_options_are_in_double(level, options):
    """What is not plain has the double's value, rounded; so have rows of few bins."""
    for n, asked in ((500, options), (FEW, options), (FEW, {})):
        p, q = np.random.default_rng(9).dirichlet(np.full(n, 0.5), (2, 20)).astype("f4")
        if "log_input" in asked:
            p, q = np.log(p + np.float32(1e-3)), np.log(q + np.float32(1e-3))
        for name in MEASURES:
            wide = double(name, p, q, **asked)
            assert getattr(fastdiv, name)(p, q, **asked).tobytes() == wide.astype("f4").tobytes()
