"""A side of a comparison one by one, or each value once: the same report, of tables and of baselines."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

import fastdiv
from fastdiv.drift import compare, edges
from fastdiv.drift.binning import value_cuts
from fastdiv.drift.columns import Column
from fastdiv.drift.samples import FEW, TIES, Sample

RNG = np.random.default_rng(77)
N = 20_000


def stamps(n, days):
    return np.datetime64("2026-01-01", "us") + RNG.integers(0, days, n).astype("m8[D]")


def with_few(n, *odd):
    """Whole numbers of which few differ, and others that are given."""
    return np.concatenate([RNG.integers(0, 40, n).astype(float), odd])


def with_zeros(zero, x):
    return np.where(RNG.random(len(x)) < 0.9, zero, x)


# a baseline and a current: of which few values differ on both sides, on one, or on none
PAIRS = {
    "whole": (RNG.integers(0, 90, N), RNG.integers(3, 95, N // 3)),
    "bytes": (RNG.integers(0, 200, N).astype(np.uint8), RNG.integers(0, 256, N).astype(np.uint8)),
    "bytes and wider": (RNG.integers(-9, 9, N).astype(np.int8), RNG.integers(-500, 500, N)),
    "many in their places": (RNG.integers(0, 90, 1 << 16), RNG.integers(0, 60_000, 1 << 16)),
    "few values": (RNG.choice([1.5, 2.5, 9.0], N), RNG.choice([1.5, 3.0], N)),
    "rounded": (RNG.normal(size=N).round(2), RNG.normal(0.1, 1, N).round(2)),
    "rounded and not": (RNG.normal(size=N).round(1), RNG.normal(size=N)),
    "few against many": (RNG.normal(size=30), RNG.normal(size=N).round(1)),
    "zeros of both signs": (with_zeros(-0.0, RNG.lognormal(size=N)), np.abs(RNG.normal(size=N).round(1))),
    "a spike": (with_zeros(3.0, RNG.normal(size=N)), RNG.normal(size=N)),
    "two float types": (RNG.normal(size=N).round(1), RNG.normal(size=N).round(1).astype(np.float32)),
    "one in a narrower type": (1 + RNG.random(N) * 2.0**-22, RNG.normal(1, 1, N).astype(np.float32)),
    "half": (RNG.normal(size=N).astype(np.float16), RNG.normal(size=N)),
    "stamps": (stamps(N, 60), stamps(N, 70)),
    "far whole": (2**62 + RNG.integers(0, 50, N), 2**62 + RNG.integers(0, 60, N)),
    "unsigned": (2**63 + RNG.integers(0, 50, N, np.uint64), 2**63 + RNG.integers(0, 60, N, np.uint64)),
    "whole and floats": (RNG.integers(0, 50, N), RNG.integers(0, 50, N) / 2),
    "rounded to floats": (2**60 + RNG.integers(0, 50, N), RNG.integers(0, 50, N) / 2),
    "infinite": (with_few(N, np.inf, -np.inf), with_few(N, np.inf, np.inf)),
    "one infinite": (with_few(N), with_few(N, -np.inf)),
    "constant": (np.full(N, 7), np.full(N, 7)),
    "numbered": (np.arange(N), np.arange(N, 2 * N)),
    "eights": (np.repeat(RNG.normal(size=N // 8), 8), np.repeat(RNG.normal(size=N // 8 + 1), 8)[:N]),
    "far out": (np.round(RNG.standard_cauchy(N)), np.round(RNG.standard_cauchy(N))),
    "small": (np.array([1, 1, 2, 2, 3]), np.array([2, 2, 2, 5])),
}  # fmt: skip


# What is made of sums of values, whose last digits depend on their order.
NEAR = ("w1", "w1_over_sd", "mean_baseline", "mean_current", "below", "above")


def told(u, v, **options):
    """All that a report says of a column but the names of the sides."""
    report = compare(u, v, **options)
    (column,) = report.columns
    return column


@pytest.mark.parametrize("options", [{}, {"continuous": ["x"]}, {"bins": 7}], ids=str)
@pytest.mark.parametrize("name", PAIRS)
def test_tables_and_baselines_are_compared_alike(name, options):
    u, v = ({"x": side} for side in PAIRS[name])
    expected = told(u, v, **options)
    held = [fastdiv.Baseline.from_table(side) for side in (u, v)]
    for a, b in ((held[0], v), (u, held[1]), held):
        assert told(a, b, **options) == expected
    halves = [fastdiv.Baseline.from_table({"x": half}) for half in np.array_split(u["x"], 2)]
    assert told(halves[0].merge(halves[1]), v, **options) == expected


@pytest.mark.parametrize("name", PAIRS)
def test_ties_change_nothing_but_last_digits(name, monkeypatch):
    u, v = ({"x": side} for side in PAIRS[name])
    found, gathered = told(u, v), Sample.gathered
    monkeypatch.setattr(Sample, "gathered", staticmethod(written_out))
    monkeypatch.setattr(edges, "value_cuts", lambda x, most: value_cuts(gathered(x.values), most))
    expected = told(u, v)

    def near(a, b, **digits):
        return a is b is None or a == pytest.approx(b, **digits)

    for key in NEAR:
        assert near(getattr(found, key), getattr(expected, key), rel=1e-12), key
    # laws of far values look at more of these where each is told once
    assert near(found.noise.w1, expected.noise.w1, rel=1e-3)
    assert near(*(c.noise.p_w1 and np.log(c.noise.p_w1) for c in (found, expected)), rel=0.01, abs=0.01)
    assert near(found.w2_parts, expected.w2_parts, abs=1e-9)
    same = dict.fromkeys((*NEAR, "w2_parts", "noise"))
    # bins, counts, bars, the verdict and every measure of counts
    assert replace(found, **same) == replace(expected, **same)


def written_out(x, counts=None):
    return Sample(x if counts is None else np.repeat(x, counts))


@pytest.mark.parametrize("name", PAIRS)
def test_a_sample_is_what_its_values_are(name):
    for side in PAIRS[name]:
        x = side.view(np.int64) if side.dtype.kind == "M" else side
        column = Column("x", "numeric", len(x), 0, numbers=x)
        sample, plain = Sample.of(column), np.sort(x) + (0 if x.dtype.kind == "f" else x.dtype.type(0))
        few = len(plain) > FEW and TIES * len(np.unique(plain)) <= len(plain)
        assert (sample.counts is not None) == few
        assert (sample.total, len(sample.counted())) == (len(x), len(sample.values))
        ranks = np.unique(np.append(RNG.integers(0, len(x), 50), [0, len(x) - 1]))
        assert np.array_equal(sample.at(ranks), plain[ranks])
        for end in ("left", "right"):
            at = plain[ranks]
            assert np.array_equal(
                sample.before(sample.values.searchsorted(at, end)), plain.searchsorted(at, end)
            )
        inner = sample.finite()
        assert inner.total == int(np.isfinite(plain).sum()) if x.dtype.kind == "f" else inner is sample
        values, counts = sample.once()
        assert np.array_equal(np.repeat(values, counts), plain)


@pytest.mark.parametrize("weights", [None, "w"])
def test_a_narrower_type_leaves_no_zero_with_a_sign(weights):
    u, v = np.repeat([-1e-60, 1.0, 2.0], 20), np.repeat([0.0, 1.0, 2.0], 20).astype(np.float32)
    sides = [{"x": side, "w": np.ones(60)} for side in (u, v)]
    column = next(c for c in compare(*sides, weights=weights).columns if c.name == "x")
    assert [x.label for x in column.bins] == ["0.0", "1.0", "2.0"]


@pytest.mark.filterwarnings("error")
@pytest.mark.parametrize("odd", [[np.inf], [np.inf, -np.inf], [np.inf, 1e308]])
@pytest.mark.parametrize("n", [5, 5000, 100_000])
def test_infinite_values_against_cells(n, odd):
    """Of infinite values there is no mean."""
    u, v = RNG.normal(size=n).round(9), RNG.normal(size=N)
    u[: len(odd)] = odd
    table, cells = {"x": u}, fastdiv.Baseline.from_table({"x": v}, values=100)
    found = [
        told(table, cells),
        told(fastdiv.Baseline.from_table(table, values=10**6), cells),
        told(cells, table),
    ]
    assert found[0] == found[1]
    for column in found:
        assert (column.w1, column.w1_over_sd) == (None, None)
        assert f"{np.isinf(odd).sum()} infinite value" in column.note


def test_groups_against_a_baseline_in_cells():
    u, v = RNG.normal(size=N), {"x": RNG.normal(size=N), "g": RNG.integers(0, 3, N)}
    exact = fastdiv.drift.compare_over({"x": u}, v, by="g")
    found = fastdiv.drift.compare_over(fastdiv.Baseline.from_table({"x": u}, values=1000), v, by="g")
    for a, b in zip(found.reports, exact.reports, strict=True):
        (x,), (y,) = a.columns, b.columns
        assert abs(x.w1 - y.w1) <= x.w1_bound
        assert sum(b.current for b in x.bins) == sum(b.current for b in y.bins) == y.n_current
