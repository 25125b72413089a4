"""Drift: the numbers against SciPy and hand counts, and bins that awkward columns cannot break."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from scipy.spatial.distance import jensenshannon
from scipy.stats import entropy as scipy_entropy
from scipy.stats import wasserstein_distance as scipy_w1

from fastdiv.drift import compare
from fastdiv.drift.binning import bars, count, quantile_cuts, value_cuts
from fastdiv.drift.rules import Rule, check, parse_rule
from fastdiv.drift.tables import TableError

RNG = np.random.default_rng(11)
DATA = Path(__file__).parents[2] / "examples" / "data"


def one(u, v, **options):
    report = compare({"x": u}, {"x": v}, **options)
    (column,) = report.columns
    return column


def counts(column):
    return np.array([b.baseline for b in column.bins]), np.array([b.current for b in column.bins])


# -- the numbers ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32", "int64", "int8", "uint16"])
def test_numeric_measures_are_scipys(dtype):
    u = RNG.normal(60, 10, 5000).astype(dtype)
    v = RNG.normal(64, 12, 4000).astype(dtype)
    column = one(u, v)
    p, q = counts(column)
    assert (p.sum(), q.sum()) == (5000, 4000)
    assert column.js == pytest.approx(jensenshannon(p, q, base=2), rel=1e-12)
    assert column.kl == pytest.approx(scipy_entropy(q + 0.5, p + 0.5, base=2), rel=1e-12)
    f, g = (p + 0.5) / (p + 0.5).sum(), (q + 0.5) / (q + 0.5).sum()
    assert column.psi == pytest.approx(np.sum((f - g) * np.log(f / g)), rel=1e-12)
    assert column.entropy_baseline == pytest.approx(scipy_entropy(p, base=2), rel=1e-12)
    assert column.entropy_current == pytest.approx(scipy_entropy(q, base=2), rel=1e-12)
    wide_u, wide_v = u.astype(float), v.astype(float)
    assert column.w1 == pytest.approx(scipy_w1(wide_u, wide_v), rel=1e-6 if dtype == "float32" else 1e-12)
    assert column.w1_over_sd == pytest.approx(column.w1 / wide_u.std(), rel=1e-12)
    assert column.mean_current == pytest.approx(wide_v.mean(), rel=1e-12)


def test_categories_are_counted_by_value():
    u, v = np.array(list("aaabbc")), np.array(list("abbd"))
    column = one(u, v, pseudocount=0)
    assert [(b.label, b.baseline, b.current) for b in column.bins] == [
        ("a", 3, 1),
        ("b", 2, 2),
        ("c", 1, 0),
        ("d", 0, 1),
    ]
    assert column.js == pytest.approx(jensenshannon([3, 2, 1, 0], [1, 2, 0, 1], base=2), rel=1e-12)
    assert column.kl == np.inf  # d has no share in the baseline
    assert column.psi == np.inf
    assert (column.kind, column.w1, column.w1_over_sd, column.mean_baseline) == (
        "categorical",
        None,
        None,
        None,
    )


def test_kl_is_of_the_current_from_the_baseline():
    u, v = np.array([True] * 5 + [False] * 5), np.array([True] * 9 + [False])
    column = one(u, v, pseudocount=0)
    assert column.kind == "boolean"
    assert column.kl == pytest.approx(0.9 * np.log2(0.9 / 0.5) + 0.1 * np.log2(0.1 / 0.5), rel=1e-12)


def test_the_pseudocount_touches_kl_and_psi_only():
    u, v = RNG.normal(size=500), RNG.normal(1, 1, size=400)
    with_it, without = one(u, v, pseudocount=0.5), one(u, v, pseudocount=0)
    assert np.isinf(without.kl)
    assert 0 < with_it.kl < np.inf
    assert 0 < with_it.psi < np.inf
    for name in ("js", "w1", "w1_over_sd", "entropy_baseline", "entropy_current"):
        assert getattr(with_it, name) == getattr(without, name)


def test_identical_columns_have_not_drifted_at_all():
    x = RNG.lognormal(size=1000)
    column = one(x, x[::-1])
    assert (column.js, column.kl, column.psi, column.w1, column.w1_over_sd) == (0, 0, 0, 0, 0)


def test_disjoint_columns_are_at_the_bound():
    assert one(np.arange(1000.0), np.arange(2000.0, 3000.0)).js == 1


def test_datetimes_are_taken_as_time():
    u = np.arange("2013-01-01", "2013-03-01", dtype="M8[D]")
    v = (u + np.timedelta64(36, "h")).astype("M8[ns]")
    v[0] = "NaT"
    column = one(u, v[:])
    assert column.kind == "datetime"
    assert "taken as time" in column.note
    assert column.missing_current == 1 / len(u)
    whole = one(u, (u + np.timedelta64(36, "h")).astype("M8[s]"))
    assert whole.w1 == 36 * 3600
    assert whole.note == "taken as time: W1 is 129,600.0 s (1.5 days)"
    seconds = u.astype("M8[s]").astype(float)
    assert whole.w1_over_sd == pytest.approx(36 * 3600 / seconds.std(), rel=1e-9)
    assert whole.mean_baseline == pytest.approx(seconds.mean(), rel=1e-12)
    assert whole.bins[0].label.startswith("[2013-01-01, ")


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
    cuts = value_cuts(x, 20) or quantile_cuts(x, int(rng.integers(2, 30)))
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
        assert count(sample, cuts).tolist() == np.bincount(by_hand, minlength=len(order) + 1).tolist()


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


def test_bars_of_whole_numbers_draw_no_comb():
    x = np.repeat(np.arange(31), 10)
    u, _ = bars(x, x)
    assert set(u[:-1].tolist()) == {20}


def test_bars_of_big_integers_are_those_of_small_ones():
    near = np.sort(RNG.integers(0, 1000, 500)), np.sort(RNG.integers(0, 1200, 500))
    far = [side.astype(np.uint64) + np.uint64(2**63) for side in near]
    for a, b in zip(bars(*near), bars(*far), strict=True):
        assert a.tolist() == b.tolist()
    for a, b in zip(bars(*near), bars(*(side.astype(float) for side in near)), strict=True):
        assert a.tolist() == b.tolist()


@pytest.mark.parametrize(("low", "high"), [(0.0, 1.0), (-1.7e308, 1.7e308), (0.0, 5e-324), (3.0, 3.0)])
def test_bars_hold_every_value(low, high):
    x = np.sort(RNG.choice([low, high], 300))
    y = np.sort(RNG.choice([low, high], 200))
    u, v = bars(x, y)
    assert (u.sum(), v.sum()) == (300, 200)
    assert len(u) == len(v) <= 20


def test_bars_cover_both_sides_without_the_outliers():
    x, y = np.sort(RNG.normal(size=5000)), np.sort(RNG.normal(5, 1, size=5000))
    x[-1] = 1e9
    u, v = bars(x, y)
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


# -- the report ----------------------------------------------------------------------------------------------


def test_columns_are_sorted_by_drift_then_name():
    base = {name: np.arange(100.0) for name in ("still", "b", "a", "moved")}
    cur = base | {"moved": np.arange(100.0) + 50}
    assert [c.name for c in compare(base, cur).columns] == ["moved", "a", "b", "still"]


def test_no_column_is_passed_over():
    base = {
        "x": [1, 2],
        "gone": [1, 2],
        "kind": ["a", "b"],
        "void": [np.nan, np.nan],
        "blank": [np.nan, np.nan],
    }
    cur = {
        "x": [1, 2],
        "new": [1, 2],
        "kind": [1, 2],
        "void": [np.nan, np.nan],
        "blank": [1.0, 2.0],
        "z": [1j, 2j],
    }
    base["z"] = [1j, 2j]
    report = compare(base, cur)
    assert [c.name for c in report.columns] == ["x"]
    assert (report.only_baseline, report.only_current) == (("gone",), ("new",))
    assert {s.name: (s.reason, s.differs, s.fault) for s in report.skipped} == {
        "kind": ("categorical in the baseline, numeric in the current", True, False),
        "void": ("every value is missing on both sides", False, False),
        "blank": ("every value is missing in the baseline", True, False),
        "z": ("baseline: values of dtype complex128 are not compared", False, False),
    }


def test_a_baseline_of_infinities_is_skipped():
    (skipped,) = compare({"x": [np.inf, np.inf]}, {"x": [1.0, 2.0]}).skipped
    assert skipped.reason == "no finite value in the baseline"


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"bins": 2.5}, TypeError, "bins must be an integer, not 2.5"),
        ({"bins": True}, TypeError, "bins must be an integer, not True"),
        ({"bins": "9"}, TypeError, "bins must be an integer, not '9'"),
        ({"bins": 1}, ValueError, "bins must be at least 2, not 1"),
        ({"pseudocount": -1}, ValueError, "pseudocount must be finite and not negative"),
        ({"pseudocount": np.nan}, ValueError, "pseudocount"),
        ({"columns": ["distanse"]}, TableError, "no column 'distanse'; did you mean 'distance'\\?"),
        ({"columns": ["qqq"]}, TableError, "no column 'qqq'$"),
        ({"columns": ["gone"]}, TableError, "column 'gone' is in baseline only"),
    ],
)
def test_wrong_calls(options, error, message):
    with pytest.raises(error, match=message):
        compare({"distance": [1, 2], "gone": [1, 2]}, {"distance": [1, 2]}, **options)


def test_columns_of_unequal_length_are_refused():
    with pytest.raises(ValueError, match="current: column 'x' has 3 rows, column 'y' has 2"):
        compare({"x": [1, 2]}, {"x": [1, 2, 3], "y": [1, 2]})


def test_no_common_column():
    with pytest.raises(TableError, match="baseline and current have no column in common"):
        compare({"a": [1]}, {"b": [1]})


def test_inputs_are_not_written_to():
    u, v = RNG.normal(size=100), RNG.normal(size=100)
    kept = u.copy(), v.copy()
    u.flags.writeable = v.flags.writeable = False
    one(u, v)
    assert np.array_equal(u, kept[0])
    assert np.array_equal(v, kept[1])


# -- rules ---------------------------------------------------------------------------------------------------


def test_rules():
    assert parse_rule(" PSI >= 0.25 ") == Rule("psi", 0.25, True)
    assert str(parse_rule("js>1e-3")) == "js>0.001"
    for text, message in [
        ("js", "is no rule"),
        ("js<0.1", "is no rule"),
        ("foo>1", "no metric 'foo'; there are js, w1_over_sd, kl, psi, missing"),
        ("js>abc", "'abc' is no finite number"),
        ("js>nan", "no finite number"),
        ("js>", "is no rule"),
    ]:
        with pytest.raises(ValueError, match=message):
            parse_rule(text)


def test_a_rule_is_broken_above_its_limit_or_at_it_if_inclusive():
    report = compare({"x": [1.0, 2.0], "c": ["a", "b"]}, {"x": [11.0, np.nan], "c": ["a", "b"]})
    assert [b.column for b in check(report, [parse_rule("js>1")])[0]] == []
    assert [b.column for b in check(report, [parse_rule("js>=1")])[0]] == ["x"]
    (breach,) = check(report, [parse_rule("missing>=50")])[0]
    assert str(breach) == "x: missing is 50 (missing>=50)"
    # a category has no W1, so the rule is not about it
    breaches, unjudged = check(report, [parse_rule("w1>0.1")])
    assert ([b.column for b in breaches], unjudged) == (["x"], [])


def test_the_share_of_missing_values_is_judged_where_nothing_else_can_be():
    base = {"x": [1.0, 2.0], "kind": [1.0, np.nan], "z": [1j, 2j]}
    cur = {"x": [np.nan, np.nan], "kind": ["a", "b"], "z": [1.0, 2.0]}
    report = compare(base, cur)
    breaches, unjudged = check(report, [parse_rule("missing>10")])
    assert [(b.column, b.value) for b in breaches] == [("x", 100), ("kind", 50)]
    assert unjudged == ["z"]
    breaches, unjudged = check(report, [parse_rule("missing>60"), parse_rule("js>0")])
    assert ([b.column for b in breaches], unjudged) == (["x"], ["z", "kind"])


def test_a_rule_does_not_pass_what_it_cannot_see():
    base = {"x": [1.0, 2.0], "kind": [1, 2], "inf": [1.0, 2.0], "void": [np.nan, np.nan]}
    cur = {"x": [1.0, 2.0], "kind": ["a", "b"], "inf": [np.inf, 1.0], "void": [np.nan, np.nan]}
    report = compare(base, cur)
    assert check(report, [parse_rule("js>1")]) == ([], ["kind"])
    assert check(report, [parse_rule("w1>1")]) == ([], ["inf", "kind"])
    assert check(report, []) == ([], [])


# -- the demo's story, told by pandas ------------------------------------------------------------------------


def test_the_flights_tell_the_story_of_the_readme():
    flights = DATA / "flights_winter.parquet", DATA / "flights_summer.parquet"
    winter, summer = (pd.read_parquet(path) for path in flights)
    assert (len(winter), len(summer)) == (80_090, 86_995)
    report = compare(*flights)
    assert len(report.columns) == len(winter.columns)
    drift = {c.name: c for c in report.columns}
    for name in winter.columns:
        c, u, v = drift[name], winter[name], summer[name]
        assert (c.n_baseline, c.n_current) == (u.count(), v.count())
        assert c.missing_baseline == pytest.approx(u.isna().mean())
        if c.kind == "numeric":
            u, v = u.dropna().to_numpy(float), v.dropna().to_numpy(float)
            assert c.mean_baseline == pytest.approx(u.mean(), rel=1e-12)
            assert c.mean_current == pytest.approx(v.mean(), rel=1e-12)
            assert c.w1 == pytest.approx(scipy_w1(u, v), rel=1e-9)
            assert c.w1_over_sd == pytest.approx(scipy_w1(u, v) / u.std(), rel=1e-9)
        else:
            shares = pd.concat([u.value_counts(), v.value_counts()], axis=1).fillna(0).to_numpy()
            assert c.js == pytest.approx(jensenshannon(*shares.T, base=2), rel=1e-9)
    # summer is hot, flights leave later and land later, eastward winds slow fewer of them
    assert report.columns[0].name == "temp"
    assert drift["temp"].js > 0.9
    assert drift["dep_delay"].mean_current - drift["dep_delay"].mean_baseline > 5
    assert drift["arr_delay"].mean_current > drift["arr_delay"].mean_baseline
    assert drift["air_time"].mean_current < drift["air_time"].mean_baseline
    assert drift["distance"].mean_current > drift["distance"].mean_baseline
    # who flies, from where and when stays
    assert max(drift[name].js for name in ("carrier", "origin", "hour", "cancelled")) < 0.03
