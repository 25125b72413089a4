"""The compiled measures against the truth, on every instruction set this CPU has.

``python tests/truth/truths.py`` prints the largest errors as a table; here they are held to the promise.
"""

import math

import numpy as np
import oracle
import pytest
import truths
from calls import PAIRED, ROWWISE, call

import fastdiv


def test_promise(level):
    found = truths.judge(fastdiv)
    assert not found.broken, f"{len(found.broken)} broken promises:\n" + "\n".join(found.broken[:40])
    assert len(found.errors) > len(ROWWISE)


def _check(rows_p, rows_q, tolerance=1e-12):
    """Rows in one call against the oracle, row by row."""
    for name in ROWWISE:
        for got, p, q in zip(call(fastdiv, name, rows_p, rows_q), rows_p, rows_q, strict=True):
            options = {"alpha": 2.0} if name == "renyi_divergence" else {}
            rows = [p] if name == "entropy" else [p, q]
            truth = oracle.truth(name, *rows, **options)
            if truth == math.inf:
                assert got == math.inf, name
            elif truth >= 1e-30:
                assert abs(oracle.mpf(float(got)) - truth) <= tolerance * truth, (name, p, q)
            else:
                assert 0 <= got <= 1.01e-30, (name, p, q)


@pytest.mark.parametrize("n", [1, 2, 5, 16, 33])
@pytest.mark.parametrize("eps", [None, 1e-3, 1e-7, 1e-10])
def test_batches(n, eps):
    """Many rows at once take another way than one pair does; fresh rows, the oracle live."""
    rng = np.random.default_rng([n, int(1e12 * (eps or 0))])
    p = rng.dirichlet(np.full(n, 0.5), size=4) + 1e-9
    q = (
        rng.dirichlet(np.full(n, 0.5), size=4) + 1e-9
        if eps is None
        else p * (1 + eps * rng.normal(size=p.shape))
    )
    _check(p, np.abs(q) * 3.0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(20))
def test_many_batches(seed):
    rng = np.random.default_rng(seed)
    n = int(rng.integers(1, 300))
    p = rng.dirichlet(np.full(n, rng.uniform(0.05, 3)), size=8)
    p = p * 10.0 ** rng.integers(-250, 250, size=(8, 1)) + np.finfo(float).tiny
    eps = 10.0 ** -rng.integers(0, 11)
    q = p[::-1] if seed % 4 == 0 else p * (1 + eps * rng.uniform(-1, 1, size=p.shape))
    _check(p, q)


@pytest.mark.parametrize("name", PAIRED)
def test_float32_is_float64_rounded_once(name):
    """float32 rows give the float64 answer, rounded; never less, but by test_single.py."""
    rng = np.random.default_rng(5)
    p, q = rng.dirichlet(np.full(100, 0.5), size=(2, 30)).astype(np.float32)
    got = call(fastdiv, name, p, q)
    wide = call(fastdiv, name, p.astype(float), q.astype(float))
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, wide, rtol=2**-24 * 1.001, atol=0)


def test_known_failures_of_others():
    """What published libraries answer wrong today."""
    x = float(np.nextafter(0.5, 0))
    for p, q in (
        ([x, 1 - x], [1 - x, x]),
        ([0.0, 1.0], [5e-324, 1.0]),
        ([1e308, 1e308], [1e308, 0.0]),
    ):
        assert fastdiv.js_distance(p, q) == pytest.approx(float(oracle.truth("js_distance", p, q)), rel=1e-12)
    assert fastdiv.entropy([1.0, 1e-20]) == pytest.approx(4.705170185988091e-19, rel=1e-12)
    assert fastdiv.entropy([1e308, 1e308]) == pytest.approx(math.log(2), rel=1e-15)
    assert fastdiv.entropy(np.ones(8), base=2) == 3.0
    assert fastdiv.entropy(np.ones(1000), base=10) == pytest.approx(3.0, rel=1e-15)
    assert fastdiv.js_distance([1.0, 0.0], [0.0, 1.0], base=2) == 1.0
    assert fastdiv.js_distance([1.0, 0.0], [0.0, 1.0]) == math.sqrt(math.log(2))
    assert fastdiv.kl_divergence([1.0, 0.0], [0.0, 1.0]) == math.inf
    assert math.isnan(fastdiv.js_divergence([math.nan, 1.0], [0.5, 0.5]))
