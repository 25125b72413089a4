"""The door for few values gives what the long way gives: values, dtypes, errors, whatever comes in."""

import warnings
from itertools import product

import numpy as np
import pytest

import fastdiv
from fastdiv import _wasserstein, reference

rng = np.random.default_rng(5)
SAMPLES = {
    "doubles": rng.normal(size=30),
    "floats": rng.normal(size=9).astype("f4"),
    "halves": rng.normal(size=12).astype("f2"),
    "integers": rng.integers(-9, 9, 20),
    "bytes": rng.integers(0, 255, 40).astype("u1"),
    "others' order": rng.integers(-5, 5, 9).astype(">i4"),
    "beyond 2^53": rng.integers(2**53 - 3, 2**53 + 9, 8),
    "beyond 2^63": np.array([2**64 - 1, 5], "u8"),
    "booleans": np.array([True, False, True]),
    "a column": rng.normal(size=(30, 2))[:, 0],
    "backwards": rng.normal(size=11)[::-1],
    "zeros": np.array([-0.0, 0.0]),
    "extremes": np.array([5e-324, 1e308]),
    "shares": np.array([0.25, 0.75]),
    "NaN": np.array([1.0, np.nan, 2.0]),
    "infinite": np.array([np.inf, 1.0, 2.0]),
    "many": rng.normal(size=5000),
    "list": [1, 2, 3],
    "list of floats": [1.5, 2],
    "list of shares": [0, 1],
    "list beyond 2^53": [2**53 + 1, 1],
    "list that rounds": [2**53 + 1, 1.5],
    "list beyond 2^64": [2**70, 1],
    "list of texts": [1, "2"],
    "list of nothing": [None, 1.0],
    "list of NaN": [np.nan, 1.0],
    "lists": [[1.0, 2.0], [3.0, 4.0]],
    "empty": np.array([]),
    "empty list": [],
    "tuple": (1, 2, 3),
    "number": 5.0,
    "matrix": rng.normal(size=(2, 3)),
    "complex": np.array([1 + 0j]),
    "long": np.longdouble([1, 2]),
    "masked": np.ma.masked_array([1.0, 2.0], [0, 1]),
}
DISTANCES = ("wasserstein_distance", "energy_distance", "ks_distance", "cramer_distance")


def outcome(function, *args, **options):
    try:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            found = function(*args, **options)
        return (
            type(found),
            np.asarray(found).dtype,
            np.asarray(found).tobytes(),
            [str(w.message) for w in said],
        )
    except Exception as error:  # whatever it is, the long way is to give it too
        return type(error), str(error)


@pytest.fixture
def compared(monkeypatch):
    """Calls a function by both ways."""

    def run(name, *args, **options):
        function, found = getattr(fastdiv, name), []
        for door in (True, False):
            with monkeypatch.context() as patch:
                patch.setattr("fastdiv.transport._warned", False)
                if not door:
                    patch.setattr(_wasserstein, "pair", lambda *_: None)
                    patch.setattr(_wasserstein, "hist_pair", lambda *_: None)
                found.append(outcome(function, *args, **options))
        assert found[0] == found[1], (name, options)

    return run


@pytest.mark.parametrize("what", SAMPLES)
def test_samples(compared, what):
    for other in SAMPLES:
        u, v = SAMPLES[what], SAMPLES[other]
        for name in DISTANCES:
            compared(name, u, v)
        for options in (
            {"p": 2},
            {"p": np.inf},
            {"assume_sorted": True},
            {"axis": 0},
            {"nan_policy": "omit"},
        ):
            compared("wasserstein_distance", u, v, **options)


@pytest.mark.parametrize("what", SAMPLES)
def test_histograms(compared, what):
    for other in SAMPLES:
        u, v = SAMPLES[what], SAMPLES[other]
        for options in ({}, {"p": 2}, {"axis": 0}, {"normalize": False}):
            compared("wasserstein_hist", u, v, **options)
    for mass, points in product(("list", "shares", "integers", "list of floats"), SAMPLES):
        for u, v in ((SAMPLES[mass], SAMPLES[mass]), (SAMPLES[what], SAMPLES[mass])):
            compared("wasserstein_hist", u, v, support=SAMPLES[points])


def weights(kind, x):
    n = np.size(x)
    return {
        "none": None,
        "ones": np.ones(n),
        "some": np.linspace(0.1, 2, n),
        "integers": np.arange(1, n + 1),
        "floats": np.linspace(0.1, 2, n, dtype="f4"),
        "list": [1.5] * n,
        "one zero": np.arange(n) * 1.0,
        "negative": -np.ones(n),
        "zero": np.zeros(n),
        "short": np.ones(max(n - 1, 0)),
        "NaN": np.full(n, np.nan),
    }[kind]


@pytest.mark.parametrize(
    "what", ["doubles", "floats", "integers", "list", "NaN", "infinite", "shares", "number"]
)
def test_weights(compared, what):
    kinds = (
        "none",
        "ones",
        "some",
        "integers",
        "floats",
        "list",
        "one zero",
        "negative",
        "zero",
        "short",
        "NaN",
    )
    for other in ("doubles", "floats", "list"):
        u, v = SAMPLES[what], SAMPLES[other]
        for a, b in product(kinds, kinds):
            for name in DISTANCES:
                compared(name, u, v, weights(a, u), weights(b, v))
            compared("wasserstein_distance", u, v, weights(a, u), weights(b, v), p=3)


def test_the_door_is_taken():
    """Else the tests above would compare the long way with itself."""
    few = [[1, 2, 3], np.array([1.0, 2.0]), np.arange(5), np.arange(6.0)[::2], np.float32([1, 2])]
    for u, v in product(few, few):
        assert _wasserstein.pair(u, v, _wasserstein.STATISTICS["ks"], 1.0, False, False) is not None
        assert _wasserstein.pair(u, v, 0, 1.0, False, False, np.ones(len(u)), None) is not None
    assert _wasserstein.hist_pair([1, 2], np.array([3.0, 4.0]), [0.0, 5.0], 1.0) is not None


@pytest.mark.parametrize("shape", [(1,), (5,), (1, 5), (3, 5)])
@pytest.mark.parametrize("dtypes", [("f4", "f4"), (">f4", "f4"), ("f4", "f8"), ("f4", "i4"), ("f8", "f8")])
def test_histograms_of_float32_have_distances_of_float32(dtypes, shape):
    """The slow twin's are of the same type, found by fuzzing."""
    draw = np.random.default_rng(6)
    u, v = (draw.integers(1, 9, shape).astype(dtype) for dtype in dtypes)
    for options in ({}, {"bin_edges": np.arange(shape[-1] + 1.0)}, {"p": 2}):
        found, twin = (library.wasserstein_hist(u, v, **options) for library in (fastdiv, reference))
        single = all(np.dtype(dtype).itemsize == 4 and np.dtype(dtype).kind == "f" for dtype in dtypes)
        assert np.asarray(found).dtype == np.asarray(twin).dtype == (np.float32 if single else np.float64)
        np.testing.assert_allclose(found, twin, rtol=1e-6 if single else 1e-12)
