"""Mappings and frames of odd columns: what is missing stays missing, and no column takes others along."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal
from fractions import Fraction

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from oracle_transport import wasserstein_power

from fastdiv.drift import compare
from fastdiv.drift.tables import as_table

NAN = float("nan")
T = 1_700_000_000_000_000_000
DAY = 86_400 * 10**6


def column(values):
    (got,) = as_table({"x": values}).read(["x"])
    return got


def content(got):
    return got.numbers.tolist() if got.kind in ("numeric", "datetime") else dict(got.tally)


MISSING_ONE = [
    (np.ma.array([1.0, 2.0, 9.0], mask=[0, 0, 1]), "numeric", [1.0, 2.0]),
    (np.ma.array([T, T + 1, 9], mask=[0, 0, 1]), "numeric", [T, T + 1]),
    (np.ma.array([True, False, True], mask=[0, 1, 0]), "boolean", {"true": 2}),
    (np.ma.array(["a", "b", "a"], mask=[0, 1, 0]), "categorical", {"a": 2}),
    (np.ma.array(["a", None, "b"], mask=[0, 0, 0], dtype=object), "categorical", {"a": 1, "b": 1}),
    (["a", None, "b"], "categorical", {"a": 1, "b": 1}),
    (["a", NAN, "nan"], "categorical", {"a": 1, "nan": 1}),
    (["a", pd.NA, "b"], "categorical", {"a": 1, "b": 1}),
    (np.array(["a", NAN, "b"], object), "categorical", {"a": 1, "b": 1}),
    ([T, None, T + 1], "numeric", [T, T + 1]),
    ([2**63 + 1, None, 0], "numeric", [2**63 + 1, 0]),
    ([1.5, None, 2], "numeric", [1.5, 2.0]),
    ([True, None, False], "boolean", {"true": 1, "false": 1}),
    ([Decimal("0.5"), Decimal("nan"), Fraction(1, 4)], "numeric", [0.5, 0.25]),
    ([dt.date(1970, 1, 2), None, dt.datetime(1970, 1, 3, 12)], "datetime", [DAY, 2 * DAY + DAY // 2]),
    ([dt.timedelta(seconds=3), None, np.timedelta64(5, "m")], "numeric", [3.0, 300.0]),
    ([pd.Timestamp("1970-01-02"), pd.NaT, np.datetime64("1970-01-01")], "datetime", [DAY, 0]),
    (pd.Series([T + 1, None, 3], dtype="Int64"), "numeric", [T + 1, 3]),
    (pd.Series(["a", None, "b"]), "categorical", {"a": 1, "b": 1}),
    (pd.Series(pd.Categorical([7, None, 7])), "categorical", {"7": 2}),
    (pl.Series([T + 1, None, 3]), "numeric", [T + 1, 3]),
    (pa.array([T + 1, None, 3]), "numeric", [T + 1, 3]),
    (pa.chunked_array([[True, None], [False]]), "boolean", {"true": 1, "false": 1}),
]


@pytest.mark.parametrize(("values", "kind", "left"), MISSING_ONE, ids=range(len(MISSING_ONE)))
def test_what_is_missing_in_a_mapping(values, kind, left):
    got = column(values)
    assert (got.kind, got.rows, got.missing) == (kind, 3, 1)
    assert content(got) == left


@pytest.mark.parametrize(
    "values",
    [
        ["a", None, "b", "a"],
        [1, None, 3, 2**60 + 1],
        [1.5, None, 3],
        [True, None, False],
        [dt.datetime(2013, 1, 1, 5), None],
        [dt.date(2013, 1, 1), None],
        [Decimal("1.5"), None],
        [dt.datetime(2013, 1, 1, 5, tzinfo=dt.timezone(dt.timedelta(hours=2))), None],
        [None, None],
    ],
    ids=range(9),
)
def test_object_columns_are_the_same_in_a_mapping_and_in_a_frame(values):
    array = np.array(values, object)
    (framed,) = as_table(pd.DataFrame({"x": pd.Series(values, dtype=object)})).read(["x"])
    for got in (column(array), column(values)):
        assert (got.kind, got.rows, got.missing) == (framed.kind, framed.rows, framed.missing)
        assert content(got) == content(framed)


def test_masked_values_count_in_the_report():
    (found,) = compare({"x": np.ma.array([1, 2, 3, 4], mask=[0, 1, 0, 0])}, {"x": [1, None, None, 4]}).columns
    assert (found.n_baseline, found.missing_baseline, found.missing_current) == (3, 0.25, 0.5)


ODD = {
    "mixed": ([1, "a", 2.5], "mixes numbers and text (row 1: 'a')"),
    "complex": ([1 + 2j, 2, 3], "complex128 are not compared"),
    "lists": ([[1], [2, 3], ["a"]], "values of type list are not compared"),
    "things": ([object(), None, 1], "values of type object are not compared"),
}


@pytest.mark.parametrize("make", [dict, pd.DataFrame], ids=["mapping", "frame"])
def test_an_odd_column_is_skipped_with_its_reason(make):
    def table(shift):
        odd = {
            name: pd.Series(values, dtype=None if name == "complex" else object)
            for name, (values, _) in ODD.items()
        }
        return make({"good": [shift, 2, 3]} | odd)

    report = compare(table(1), table(5))
    assert [c.name for c in report.columns] == ["good"]
    reasons = {s.name: s.reason for s in report.skipped}
    assert reasons.keys() == ODD.keys()
    for name, (_, reason) in ODD.items():
        assert reasons[name].startswith("baseline: ")
        assert reason in reasons[name], name


def test_plain_lists_of_odd_cells():
    assert "mixes numbers and text" in column([1, "a", 2]).reason
    assert "values of type list" in column([[1], [2, 3]]).reason
    dates = [dt.datetime(2013, 1, 1), dt.datetime(2013, 1, 1, tzinfo=dt.UTC)]
    assert "some of its dates have a time zone" in column(dates).reason
    assert "2-dimensional" in column([[1, 2], [3, 4]]).reason


def test_a_sparse_column_of_a_frame():
    frame = pd.DataFrame({"s": pd.arrays.SparseArray([0, 0, 1]), "good": [1, 2, 3]})
    report = compare(frame, frame)
    assert [c.name for c in report.columns] == ["good"]
    assert "sparse values are not compared" in report.skipped[0].reason


def test_frames_that_stay_refused():
    frame = pd.DataFrame([[1, 2, 1j]], columns=["a", "a", "b"])
    with pytest.raises(ValueError, match="baseline: the column name 'a' occurs twice"):
        compare(frame, frame)
    with pytest.raises(ValueError, match="baseline: the table has no rows"):
        compare(pd.DataFrame({"x": np.empty(0, complex)}), frame)


class Lazy:
    def compute(self):
        raise AssertionError("not asked for")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((pd.Series([1.0]), {"x": [1]}), r"baseline must be a table, not a Series, .* to_frame\(\)"),
        (({"x": [1]}, pl.Series([1.0])), r"current must be a table, not a Series, .* to_frame\(\)"),
        ((Lazy(), {"x": [1]}), r"baseline must hold its data, not be a lazy Lazy: pass .* compute\(\)"),
        (({"x": [1]}, pl.LazyFrame({"x": [1]})), r"not be a lazy LazyFrame: pass .* collect\(\)"),
        (
            (pa.chunked_array([[1]]), {"x": [1]}),
            "baseline must be a table, not a ChunkedArray, .* mapping of names",
        ),
        ((np.ones(3), {"x": [1]}), "baseline must be a table, not an ndarray"),
        (([1, 2], {"x": [1]}), "baseline must be a path, .*, not a list"),
    ],
    ids=range(7),
)
def test_what_is_no_table(arguments, message):
    with pytest.raises(TypeError, match=message):
        compare(*arguments)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"columns": "abc"}, r"columns must be a sequence of names, not 'abc': pass \['abc'\]"),
        ({"columns": [1]}, "columns must hold names, not 1"),
        ({"columns": 1}, "columns must be a sequence of names, not 1"),
        ({"pseudocount": "1"}, "pseudocount must be a real number, not '1'"),
        ({"pseudocount": True}, "pseudocount must be a real number, not True"),
    ],
    ids=range(5),
)
def test_what_is_no_option(options, message):
    with pytest.raises(TypeError, match=message):
        compare({"abc": [1, 2]}, {"abc": [1, 2]}, **options)


# -- integers beyond 2^53 ------------------------------------------------------------------------------------


@pytest.mark.parametrize("origin", [T, 2**63 - 1000, -(2**63), 2**64 - 1000])
def test_big_integers_are_exact(origin):
    rng = np.random.default_rng(5)
    u = [origin + int(i) for i in rng.integers(0, 500, 60)]
    v = [origin + int(i) for i in rng.integers(100, 900, 47)]
    (found,) = compare({"x": u}, {"x": v}, bins=6).columns
    assert found.w1 == pytest.approx(float(wasserstein_power(u, v)), rel=1e-15)
    assert not found.note
    for b in found.bins:
        low, high = b.low, b.high
        inside = [x for x in u if (low is None or low <= x) and (high is None or x <= high)]
        assert b.baseline <= len(inside)
        assert all(isinstance(edge, int) for edge in (low, high) if edge is not None)
    assert sum(b.baseline for b in found.bins) == 60


def test_integers_that_came_as_floats_stand_against_integers():
    """A frame makes floats of integers where one is missing: T + 256 is one, T + 1 is none."""
    (found,) = compare({"x": [T + 1] * 9}, {"x": np.array([T + 256.0, np.nan] * 9)}).columns
    assert (found.w1, found.note) == (255.0, "")
    (found,) = compare({"x": [T + 1] * 9}, {"x": np.array([0.5] * 9)}).columns
    assert "rounded" in found.note
    (found,) = compare({"x": [T + 1] * 9}, {"x": np.array([2.0**64] * 9)}).columns
    assert "rounded" in found.note


def test_integers_of_128_bits_are_numbers_and_no_matter_of_the_other_columns():
    wide = pl.DataFrame({"x": pl.Series([1, 2, None, -(2**60)], dtype=pl.Int128), "y": [1.5] * 4})
    x, y = as_table(wide).read(["x", "y"])
    assert (x.kind, x.missing, sorted(x.numbers.tolist())) == ("numeric", 1, [-(2**60), 1, 2])
    assert y.numbers.tolist() == [1.5] * 4
