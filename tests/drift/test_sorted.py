"""Columns in order, and their moments: what is counted of a column rests on both."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest

from fastdiv.drift.samples import Sample, ascending, moments

RNG = np.random.default_rng(41)
N = 20_000

SAMPLES = {
    "normal": RNG.normal(size=N),
    "heaped": np.round(RNG.standard_cauchy(N), 1),
    "zeros": np.where(RNG.random(N) < 0.3, RNG.choice([0.0, -0.0], N), RNG.normal(size=N)),
    "infinite": np.append(RNG.normal(size=N), [np.inf, -np.inf, np.inf]),
    "float32": RNG.lognormal(size=N).astype(np.float32),
    "float16": RNG.normal(size=N).astype(np.float16),
    "foreign": RNG.normal(size=N).astype(">f8"),
    "strided": RNG.normal(size=2 * N)[::2],
    "int16": RNG.integers(-(2**15), 2**15, N).astype(np.int16),
    "int64": RNG.integers(-(2**53), 2**53, N, endpoint=True),
    "beyond": 2**60 + RNG.integers(0, 50, N),
    "uint64": RNG.integers(2**63, 2**64, N, np.uint64),
    "few": np.array([2.0, 1.0]),
    "none": np.empty(0),
}


@pytest.mark.parametrize("name", SAMPLES)
def test_sorting_changes_nothing_but_the_order_and_the_sign_of_zeros(name, level):
    x = SAMPLES[name]
    before = x.copy()
    found = ascending(x)
    native = x.astype(x.dtype.newbyteorder("="))
    assert found.dtype == native.dtype
    assert np.array_equal(found, np.sort(native))
    assert not np.any(np.signbit(found[found == 0])) if found.dtype.kind == "f" else True
    assert np.array_equal(x, before)
    assert not np.shares_memory(found, x)


FAR = {
    "normal": RNG.normal(size=50_000),
    "far": 1e15 + RNG.integers(0, 8, 50_000) / 8,
    "far whole": 2**62 + RNG.integers(0, 9, 50_000),
    "unsigned": 2**63 + RNG.integers(0, 1000, 50_000, np.uint64),
    "bytes": RNG.integers(-128, 128, 999).astype(np.int8),
    "opposite ends": np.array([-(2**63), 2**63 - 1, 5], np.int64),
    "huge": RNG.normal(size=999) * 1e307,
    "tiny": RNG.normal(size=999) * 1e-300,
    "ends of doubles": np.array([np.finfo(float).max, -np.finfo(float).max]),
    "skewed": np.append(np.zeros(40_000), RNG.lognormal(0, 5, 9_999)),
    "one": np.array([3.0]),
    "same": np.full(70_000, 0.1),
}


@pytest.mark.parametrize("name", FAR)
def test_moments_are_exact_ones_rounded(name):
    x = ascending(FAR[name])
    exact = [Fraction(value) for value in x.tolist()]
    mean = sum(exact) / len(exact)
    variance = sum((value - mean) ** 2 for value in exact) / len(exact)
    spread = max(abs(exact[0] - mean), abs(exact[-1] - mean))
    for found, sd in (moments(x), moments(*np.unique(x, return_counts=True)), Sample.gathered(x).moments):
        assert abs(Fraction(found) - mean) <= Fraction(1e-15) * spread + Fraction(2.3e-16) * abs(mean)
        # squares, for the root of a fraction is none
        assert abs(Fraction(sd) ** 2 - variance) <= Fraction(1e-14) * variance
