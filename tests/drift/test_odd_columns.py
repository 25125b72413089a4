"""Columns of every kind of pandas, polars and Arrow: the same in a frame and in a mapping, none fatal."""

from __future__ import annotations

import datetime as dt

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fastdiv
from fastdiv.drift import compare
from fastdiv.drift.tables import as_table

NAN = float("nan")
T = 1_700_000_000_000_000_000


def content(table, name="x"):
    (got,) = as_table(table).read([name])
    return got.kind, got.rows, got.missing, got.numbers.tolist() or dict(got.tally)


TEXT = ("categorical", 3, 1, {"a": 1, "b": 1})
COLUMNS = [
    (pl.Series(["a", None, "b"]), TEXT),
    (pl.Series([b"a", None, b"b"]), TEXT),
    (pa.array(["a", None, "b"], pa.string_view()), TEXT),
    (pa.array(["a", None, "b"], pa.binary_view()), TEXT),
    (pa.array([b"a", None, b"b"]), TEXT),
    (pa.array(["a", None, "b"], pa.large_binary()), TEXT),
    (pa.array([b"\xff", None, b"\\xff"]), ("categorical", 3, 1, {"\\xff": 2})),
    (pd.Series([b"a", None, b"b"]), TEXT),
    (pa.RunEndEncodedArray.from_arrays([2, 3], pa.array(["a", None])), ("categorical", 3, 1, {"a": 2})),
    (pa.RunEndEncodedArray.from_arrays([1, 3], pa.array([None, T + 1])), ("numeric", 3, 1, [T + 1, T + 1])),
    (pa.array([7, None, 7]).dictionary_encode(), ("categorical", 3, 1, {"7": 2})),
    (pl.Series([T + 1, None, 5], dtype=pl.Int128), ("numeric", 3, 1, [T + 1, 5])),
    (pl.Series([True, None, False]), ("boolean", 3, 1, {"true": 1, "false": 1})),
    (pd.array([T + 1, None, 5], dtype="Int64"), ("numeric", 3, 1, [T + 1, 5])),
    (pd.array([2**64 - 1, None, 5], dtype="UInt64"), ("numeric", 3, 1, [2**64 - 1, 5])),
    (pd.array([T + 1, None, 5], dtype="int64[pyarrow]"), ("numeric", 3, 1, [T + 1, 5])),
    (pd.array([True, None, True], dtype="boolean"), ("boolean", 3, 1, {"true": 2})),
]


def framed(values):
    if isinstance(values, pl.Series):
        return pl.DataFrame({"x": values})
    return pa.table({"x": values}) if isinstance(values, pa.Array) else pd.DataFrame({"x": values})


@pytest.mark.parametrize(("values", "expected"), COLUMNS, ids=range(len(COLUMNS)))
def test_a_column_is_the_same_in_a_mapping_and_in_a_frame(values, expected):
    assert content({"x": values}) == expected
    assert content(framed(values)) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        ([True, NAN, False], ("boolean", 3, 1, {"true": 1, "false": 1})),
        ((np.True_, NAN, True), ("boolean", 3, 1, {"true": 2})),
        ([True, 2, 3], ("mixed", 3, 0, {})),
        ([1, NAN, 3], ("numeric", 3, 1, [1, 3])),
    ],
    ids=range(4),
)
def test_truths_of_a_list_are_no_numbers(values, expected):
    assert content({"x": values}) == expected
    assert content(pd.DataFrame({"x": pd.Series(list(values), dtype=object)})) == expected


def test_what_arrow_has_no_way_with_goes_one_by_one(monkeypatch):
    """Its older versions lack functions of views."""
    from fastdiv.drift import arrow_reader

    def lacking(*_):
        raise pa.ArrowNotImplementedError("Function 'array_filter' has no kernel")

    monkeypatch.setattr(arrow_reader, "_column", lacking)
    assert content(pa.table({"x": ["a", None, "b"]})) == TEXT
    assert content(pa.table({"x": [T + 1, None, 5]})) == ("numeric", 3, 1, [T + 1, 5])


@pytest.mark.parametrize(
    "odd",
    [
        np.ma.array([(1, 2.0)] * 3, dtype=[("a", int), ("b", float)]),
        pl.Series([object(), None, object()], dtype=pl.Object),
        pl.Series([[1], None, [2]]),
        pa.array([{"a": 1}, None, None]),
        pa.array([dt.time(1), None, dt.time(2)]),
        pa.array([b"ab", None, b"cd"], pa.binary(2)),
        pd.period_range("2020-01", periods=3, freq="M"),
    ],
    ids=range(7),
)
def test_an_odd_column_leaves_the_others(odd):
    tables = [{"x": odd, "good": [1, 2, 3]}]
    if not isinstance(odd, np.ndarray):
        frame = framed(odd)
        if isinstance(frame, pl.DataFrame):
            tables.append(frame.with_columns(good=pl.Series([1, 2, 3])))
        elif isinstance(frame, pd.DataFrame):
            tables.append(frame.assign(good=[1, 2, 3]))
        else:
            tables.append(frame.append_column("good", pa.array([1, 2, 3])))
    for table in tables:
        if not isinstance(odd, pa.FixedSizeBinaryArray) or not isinstance(table, dict):
            report = compare(table, table)
            assert [c.name for c in report.columns] == ["good"]
            assert "are not compared" in report.skipped[0].reason


@pytest.mark.parametrize("values", [3, "abc", (i for i in range(3)), np.array(2.0)], ids=range(4))
def test_a_value_that_is_no_column_is_told_as_that(values):
    """Not as a table without rows."""
    report = compare({"x": values}, {"x": values})
    assert report.skipped[0].reason.startswith("baseline: values ")


NUMBERS = {
    "subnormal": lambda rng, n: rng.integers(0, 100, n) * 5e-324,
    "tiny": lambda rng, n: rng.normal(size=n) * 1e-300,
    "huge": lambda rng, n: rng.normal(size=n) * 4e307,
    "an outlier": lambda rng, n: np.r_[1e300, rng.normal(size=n - 1)],
    "decades": lambda rng, n: 10.0 ** rng.uniform(-300, 300, n),
    "infinite": lambda rng, n: np.r_[np.inf, rng.normal(size=n - 1)],
    "steps": lambda rng, n: rng.integers(0, 9, n),
    "whole": lambda rng, n: rng.integers(-(2**62), 2**62, n),
}


@pytest.mark.parametrize("n", [50, 20_000])  # by the calling thread, by others
@pytest.mark.parametrize("name", NUMBERS)
def test_whatever_numpy_is_told_to_do(name, n):
    """np.errstate(all="raise") is the caller's word on his numbers, not on ours."""
    rng = np.random.default_rng(1)
    a, b = ({"x": NUMBERS[name](rng, n)} for _ in range(2))

    def everything():
        base, other = fastdiv.Baseline(values=500), fastdiv.Baseline(values=500)
        base.update(a)
        other.update(b)
        return [compare(*pair).to_dict() for pair in ((a, b), (base, b), (base, other))]

    expected = everything()
    with np.errstate(all="raise"):
        assert repr(everything()) == repr(expected)
