"""The thresholds of csrc/matrix/limits.c: pairs of every nearness, each fast form trusted as far as it goes.

The judge is the row-wise form, which the tests of rows hold to the oracle at 250 digits.
"""

import numpy as np
import pytest
from calls import PAIRED

import fastdiv

METRICS = (
    *(name for name in PAIRED if name != "renyi_divergence"),
    *(f"renyi_divergence, alpha={alpha}" for alpha in (0.3, 0.5, 0.93, 0.999999, 1.000001, 1.1, 2, 7.5)),
)
BINS = (2, 5, 64, 256, 1000, 5000)
NEARNESS = 10.0 ** np.arange(-12.0, 1.0, 0.5)


def base_rows(bins):
    """Rows whose rounding errors add up: flat, of two values, steep, one bin with nearly all; and random."""
    rng = np.random.default_rng(bins)
    places = np.arange(bins)
    return [
        np.full(bins, 1 / 3),
        np.where(places % 2, 0.1, 0.7),
        0.9 ** (places % 300),
        np.where(places == 0, 1.0, 1e-9),
        rng.dirichlet(np.full(bins, 0.3)) + 1e-15,
        rng.integers(1, 1000, bins).astype(float),
    ]


def worst(metric, dtype, log_input=False):
    """The largest relative error over all pairs of a base row and what is near it, and its place."""
    found = (0.0, None)
    name, _, alpha = metric.partition(", alpha=")
    options = {"log_input": True} if log_input else {}
    if alpha:
        options["alpha"] = float(alpha)
    for bins in BINS:
        for which, row in enumerate(base_rows(bins)):
            rng = np.random.default_rng(which)
            noise = rng.uniform(-1, 1, (len(NEARNESS), bins))
            noise[::2] = np.where(np.arange(bins) % 2, 1, -1)  # the same in every bin
            near = np.maximum(row * (1 + np.minimum(NEARNESS, 0.99)[:, None] * noise), row * 1e-3)
            XA, XB = row[None].astype(dtype), near.astype(dtype)
            if log_input:
                XA, XB = np.log(XA) - 3, np.log(XB) + 200
            got = np.asarray(fastdiv.cdist(XA, XB, name, **options)[0], float)
            true = getattr(fastdiv, name)(XA.astype(float), XB.astype(float), **options)
            with np.errstate(all="ignore"):
                error = np.where((got == true) | (true < 1e-30), 0.0, abs(got - true) / true)
            if error.max() > found[0]:
                found = (
                    float(error.max()),
                    f"bins {bins}, row {which}, nearness {NEARNESS[error.argmax()]:.1e}",
                )
    return found


@pytest.mark.parametrize("metric", METRICS)
def test_every_nearness(metric):
    error, place = worst(metric, np.float64)
    assert error <= 1e-12, place


@pytest.mark.parametrize("metric", METRICS)
def test_every_nearness_float32(metric):
    error, place = worst(metric, np.float32)
    assert error <= 5e-6, place


@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_every_nearness_of_logarithms(metric, dtype):
    error, place = worst(metric, dtype, log_input=True)
    assert error <= (1e-12 if dtype is np.float64 else 5e-6), place


@pytest.mark.slow
@pytest.mark.parametrize("metric", METRICS)
@pytest.mark.parametrize("log_input", [False, True])
def test_every_instruction_set(level, metric, log_input):
    for dtype, most in ((np.float64, 1e-12), (np.float32, 5e-6)):
        error, place = worst(metric, dtype, log_input)
        assert error <= most, (dtype, place)


def test_hellinger_bounds_jensen_shannon():
    """ln 2 h^2 <= JS <= h^2, bin by bin: what the neighbours are filtered by."""
    x = np.concatenate([np.linspace(0, 1, 10001), 10.0 ** -np.arange(3.0, 15.0)])
    y = 1 - x
    with np.errstate(divide="ignore", invalid="ignore"):
        js = 0.5 * (np.where(x > 0, x * np.log(2 * x), 0) + np.where(y > 0, y * np.log(2 * y), 0))
    h2 = 0.5 * (np.sqrt(x) - np.sqrt(y)) ** 2
    assert np.all(js <= h2 + 1e-15)
    assert np.all(np.log(2) * h2 <= js + 1e-15)


@pytest.mark.parametrize("n", [256, 358, 364, 400, 512])
def test_logarithms_of_single_precision(n, level):
    """Bins that are all but alike, 358 and 364 next to where the polynomial ends. Far enough apart to be
    trusted; roundings average out, what the polynomial lacks does not."""
    rng = np.random.default_rng(n)
    up, each = np.arange(n) % 2 == 0, 1 + 0.002 * rng.normal(size=(2, 30, n))
    p, q = np.float32(np.where(up, 1.9, 0.1) * each[0]), np.float32(np.where(up, 0.1, 1.9) * each[1])
    truth = fastdiv.js_divergence(np.float64(p)[:, None], np.float64(q))
    error = fastdiv.cdist(p, q, "js_divergence") / truth - 1
    assert np.abs(error).max() < 1.5e-7
    assert abs(error.mean()) < 6e-8


@pytest.mark.parametrize("metric", ["js_divergence", "js_distance", "hellinger_distance"])
@pytest.mark.parametrize("dtype", [np.float64, np.float32])
def test_disjoint_rows_are_as_far_apart_as_can_be(metric, dtype, level):
    """To the bit, and no other pair is further: not by what is lost of sums of shares either."""
    rng = np.random.default_rng(5)
    for bins in (20, 64, 100, 700):
        p, q = (rng.dirichlet(np.full(bins, 0.3), 40).astype(dtype) for _ in range(2))
        p[:, ::2] = q[:, 1::2] = 0
        most = getattr(fastdiv, metric)(dtype([1, 0]), dtype([0, 1]))
        assert (fastdiv.cdist(p, q, metric) == most).all()
        q[:, 1] = 1e-12
        assert (fastdiv.cdist(p, q, metric) <= most).all()
