"""The bins of a comparison, and the bars they are drawn as."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from scipy.stats import wasserstein_distance as scipy_w1

from fastdiv.drift import compare
from fastdiv.drift.binning import bars, count, quantile_cuts, value_cuts
from fastdiv.drift.samples import Sample

RNG = np.random.default_rng(11)
DATA = Path(__file__).parents[2] / "examples" / "data"


def one(u, v, **options):
    report = compare({"x": u}, {"x": v}, **options)
    (column,) = report.columns
    return column


def counts(column):
    return np.array([b.baseline for b in column.bins]), np.array([b.current for b in column.bins])


# -- the bins ------------------------------------------------------------------------------------------------


def test_bins_are_quantiles_of_the_baseline_and_of_nothing_else():
    u = RNG.lognormal(size=10_000)
    first = one(u, u[:100])
    assert [b.baseline for b in first.bins] == [500] * 20
    edges = [(b.low, b.high) for b in first.bins]
    second = one(u, np.append(u[:100], [-5.0, 1e9]))
    assert [(b.low, b.high) for b in second.bins[1:-1]] == edges
    assert (second.bins[0].label, second.bins[0].current) == (f"< {u.min()}", 1)
    assert (second.bins[-1].label, second.bins[-1].current) == (f"> {u.max()}", 1)


def test_an_outlier_does_not_collapse_the_bins():
    u = RNG.normal(size=10_000)
    v = RNG.normal(0.3, 1, size=10_000)
    clean = one(u, v).js
    u[0], v[0] = 1e12, -1e12
    assert one(u, v).js == pytest.approx(clean, rel=0.05)
    assert len(one(u, v).bins) >= 20


@pytest.mark.parametrize("bins", [2, 3, 10, 20, 100])
def test_the_number_of_bins_is_the_users(bins):
    u = RNG.normal(size=5000)
    column = one(u, u, bins=bins)
    assert len(column.bins) == bins


def test_few_values_get_a_bin_each_and_what_is_new_gets_its_own():
    u, v = np.repeat([1, 2, 5], 10), np.array([0, 1, 1, 2, 3, 4, 5, 9])
    column = one(u, v)
    assert [(b.label, b.baseline, b.current) for b in column.bins] == [
        ("< 1", 0, 1),
        ("1", 10, 2),
        ("2", 10, 1),
        ("(2, 5)", 0, 2),
        ("5", 10, 1),
        ("> 5", 0, 1),
    ]


def test_a_constant_baseline():
    same = one(np.full(50, 7), np.full(30, 7))
    assert (same.js, same.w1, same.w1_over_sd, same.kl) == (0, 0, 0, 0)
    assert [b.label for b in same.bins] == ["7"]
    moved = one(np.full(50, 7.0), np.array([7.0, 8.0]))
    assert (moved.w1, moved.w1_over_sd) == (0.5, np.inf)
    assert [b.label for b in moved.bins] == ["7.0", "> 7.0"]


def test_a_tie_that_fills_a_quantile_is_a_bin_of_its_own():
    """Zero-inflated data: mass that leaves the zero for a value just above it must be seen."""
    u = np.concatenate([np.zeros(8000), RNG.lognormal(size=2000)])
    v = u.copy()
    v[:4000] = 1e-9
    column = one(u, v)
    zero = next(b for b in column.bins if b.label == "0.0")
    assert (zero.baseline, zero.current) == (8000, 4000)
    assert column.js > 0.3


@pytest.mark.parametrize("n", [1, 2, 3, 7, 30])
def test_tiny_baselines_get_fewer_bins(n):
    u = RNG.normal(size=n)
    column = one(u, RNG.normal(size=50))
    assert sum(b.baseline for b in column.bins) == n
    assert len(column.bins) <= max(1, n // 5) + 2
    assert 0 <= column.js <= 1


def test_few_distinct_values_that_do_not_repeat_are_no_categories():
    """15 measured values are all distinct; a bin each would leave every new value outside."""
    assert one(RNG.normal(size=15), RNG.normal(size=15)).js < 1


@pytest.mark.parametrize("trial", range(50))
def test_every_value_is_counted_once_wherever_the_cuts_lie(trial):
    rng = np.random.default_rng(trial)
    n, m = rng.integers(1, 200, 2)
    values = [rng.normal(size=500), np.arange(40.0), np.repeat([0.0, 3.0, 7.0], [90, 9, 1])][trial % 3]
    x = np.sort(rng.choice(values, n))
    y = np.sort(np.concatenate([rng.choice(values, m), rng.normal(0, 10, m)]))
    baseline = Sample.gathered(x)
    cuts = value_cuts(baseline, 20) or quantile_cuts(baseline, int(rng.integers(2, 30)))
    order = list(zip(cuts.at, cuts.after, strict=True))
    assert order == sorted(set(order))
    assert cuts.at[0] == x[0]
    assert not cuts.after[0]
    assert cuts.at[-1] == x[-1]
    assert cuts.after[-1]
    for sample in (x, y):
        by_hand = [
            sum((value > at or (value == at and not after)) for at, after in order)
            for value in sample.tolist()
        ]
        assert (
            count(Sample.gathered(sample), cuts).tolist()
            == np.bincount(by_hand, minlength=len(order) + 1).tolist()
        )


def test_integers_beyond_float_are_told_apart():
    big = 2**60
    column = one(np.array([big, big + 1] * 20), np.array([big + 1, big + 2] * 20))
    assert [(b.label, b.baseline, b.current) for b in column.bins] == [
        (str(big), 20, 0),
        (str(big + 1), 20, 20),
        (f"> {big + 1}", 0, 20),
    ]


def test_one_value_in_two_float_types_is_one_value():
    u = np.array([0.1, 0.2, 0.3] * 20)
    assert one(u, u.astype(np.float32)).js == 0


def test_a_current_beyond_the_narrower_float_is_compared_in_the_wider():
    u = np.array([0.5, 1, 2, 3], np.float16)
    for beyond in (1e5, 1e300):
        v = np.append(u[1:].astype(float), beyond)
        for a, b in ((u, v), (v, u)):
            column = one(a, b)
            assert column.w1 == pytest.approx(scipy_w1(u.astype(float), v), rel=1e-12)
            assert column.note == ""
    infinite = one(u, np.array([1.0, np.inf]))
    assert infinite.w1 is None
    assert infinite.note.startswith("1 infinite value")


@pytest.mark.parametrize("shift", [2**60, 2**63])
def test_integers_of_two_types_keep_every_digit(shift):
    u = np.arange(200, dtype=np.int64) + np.int64(min(shift, 2**63 - 200))
    v = np.arange(200, dtype=np.uint64) + np.uint64(min(shift, 2**63 - 200)) + np.uint64(3)
    for a, b in ((u, v), (v, u)):
        column = one(a, b)
        assert (column.w1, column.note) == (3, "")
        assert sum(b.current for b in column.bins) == 200


def test_integers_that_no_type_holds_are_rounded_and_said_so():
    column = one(np.array([-1, 0, 1]), np.array([2**64 - 1, 2**64 - 1], np.uint64))
    assert column.w1 == 2.0**64
    assert column.note == "whole numbers beyond 2^53 are rounded to float64"
    assert "rounded" in one(np.array([2**53 + 1, 3]), np.array([0.5, 2.0])).note
    assert one(np.array([2**53, 3]), np.array([0.5, 2.0])).note == ""


def test_an_infinite_current_is_drawn_within_the_width_of_the_others():
    column = one(RNG.normal(size=600_000), np.full(9, np.inf), bins=100_000)
    assert len(column.bars_baseline) == len(column.bars_current) == 20
    assert column.bars_current[-1] == 1
    assert column.js == 1


def test_infinite_values_are_counted_and_spare_the_rest():
    u, v = RNG.normal(size=1000), RNG.normal(size=1000)
    v[:3] = np.inf, np.inf, -np.inf
    column = one(u, v)
    assert (column.w1, column.w1_over_sd) == (None, None)
    assert "3 infinite values" in column.note
    assert column.bins[-1].current >= 2
    assert 0 < column.js < 0.3
    assert one(np.full(9, 1.0), np.full(9, np.inf)).js == 1


@pytest.mark.parametrize("scale", [1e-300, 1e200, 1.7e308])
def test_no_magnitude_overflows(scale):
    u = RNG.uniform(-1, 1, 500)
    v = u / 2
    small, big = one(u, v), one(u * scale, v * scale)
    assert big.w1_over_sd == pytest.approx(small.w1_over_sd, rel=1e-9)
    assert big.js == small.js
    assert sum(big.bars_baseline) == pytest.approx(1)


def test_a_far_origin_costs_no_digits():
    u, v = RNG.integers(0, 1000, 2000), RNG.integers(100, 1100, 2000)
    near, far = one(u, v), one(u + 2**58, v + 2**58)
    assert far.w1_over_sd == pytest.approx(near.w1_over_sd, rel=1e-12)
    assert far.js == near.js


@pytest.mark.parametrize("dtype", ["int8", "int16", "uint8", "int64", "uint64"])
def test_the_whole_range_of_an_integer_type(dtype):
    info = np.iinfo(dtype)
    ends = np.array([info.min, info.max] * 10, dtype)
    column = one(ends, ends[:1])
    span = float(info.max) - float(info.min)
    assert column.w1 == pytest.approx(span / 2)
    assert column.w1_over_sd == pytest.approx(1)
    assert column.mean_baseline == pytest.approx((float(info.max) + float(info.min)) / 2, abs=span * 1e-15)


def test_identifiers_are_called_by_name():
    def ids(start):
        return np.array([f"id{i}" for i in range(start, start + 50)])

    assert "identifier" in one(ids(0), ids(50)).note
    assert one(ids(0)[:10], ids(50)).note == ""
    assert one(np.repeat(ids(0), 3), ids(50)).note == ""


# -- the bars ------------------------------------------------------------------------------------------------


def drawn(x, y):
    return bars(Sample.gathered(x), Sample.gathered(y))


def test_bars_of_whole_numbers_draw_no_comb():
    x = np.repeat(np.arange(31), 10)
    u, _, ends = drawn(x, x)
    assert ends == (0, 30)
    assert set(u[:-1].tolist()) == {20}


def test_bars_of_big_integers_are_those_of_small_ones():
    near = np.sort(RNG.integers(0, 1000, 500)), np.sort(RNG.integers(0, 1200, 500))
    far = [side.astype(np.uint64) + np.uint64(2**63) for side in near]
    for a, b in zip(drawn(*near)[:2], drawn(*far)[:2], strict=True):
        assert a.tolist() == b.tolist()
    for a, b in zip(drawn(*near)[:2], drawn(*(side.astype(float) for side in near))[:2], strict=True):
        assert a.tolist() == b.tolist()


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.7e308, 1.7e308), (0.0, 5e-324), (3.0, 3.0)])
def test_bars_hold_every_value(low, high):
    x = np.sort(RNG.choice([low, high], 300))
    y = np.sort(RNG.choice([low, high], 200))
    u, v, ends = drawn(x, y)
    assert ends == (low, high)
    assert (u.sum(), v.sum()) == (300, 200)
    assert len(u) == len(v) <= 20


def test_bars_cover_both_sides_without_the_outliers():
    x, y = np.sort(RNG.normal(size=5000)), np.sort(RNG.normal(5, 1, size=5000))
    x[-1] = 1e9
    u, v, _ = drawn(x, y)
    assert np.argmax(u) < 8
    assert np.argmax(v) > 12


def test_many_categories_are_drawn_as_the_most_frequent_and_a_rest():
    values = np.array([f"v{i:03}" for i in range(100) for _ in range(100 - i)])
    column = one(values, values)
    assert len(column.bins) == 100
    assert len(column.bars_baseline) == 20
    assert column.bars_rest
    assert sum(column.bars_baseline) == pytest.approx(1)
    assert column.bars_baseline[0] == pytest.approx(100 / 5050)
