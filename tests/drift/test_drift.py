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
    u, v = RNG.uniform(0, 1, size=500), RNG.uniform(0.5, 1.5, size=400)  # half of v is where no u can be
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


def test_the_mean_of_numbers_whose_range_is_no_double():
    column = one(np.array([-1.5e308, 1.7e308, 1.7e308] * 9), np.array([1.0, 2.0]))
    assert column.mean_baseline == pytest.approx(1.9e307 / 3 * 10, rel=1e-14)


def test_half_precision_against_integers_far_out():
    column = one(np.array([0.5, 1.5, -2.0], "f2"), np.array([2**61, 2**62]))
    assert column.w1 == 1.5 * 2.0**61
