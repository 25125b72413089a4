"""Categories: a value has one name in every table, whatever type it is held in there."""

from __future__ import annotations

import datetime as dt
from decimal import Decimal

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

import fastdiv
from fastdiv.drift.tables import as_table, read_table

HOLES = [1, 1, 2, None, 30]
INTEGERS = {
    "objects": {"x": HOLES},
    "arrow": pa.table({"x": pa.array(HOLES, pa.int8())}),
    "arrow, floats": pa.table({"x": pa.array(HOLES, pa.float64())}),
    "arrow, float32": pa.table({"x": pa.array(HOLES, pa.float32())}),
    "arrow, float16": pa.table({"x": pa.array(np.array([1, 1, 2, np.nan, 30], np.float16))}),
    "arrow, decimals": pa.table({"x": pa.array([Decimal(1), Decimal(1), 2, None, 30], pa.decimal128(9, 2))}),
    "arrow, categories": pa.table({"x": pa.array([1.0, 1, 2, None, 30]).dictionary_encode()}),
    "numpy": {"x": np.array([1, 1, 2, np.nan, 30])},
    "numpy, float32": {"x": np.array([1, 1, 2, np.nan, 30], np.float32)},
    "decimals": {"x": [Decimal("1.00"), Decimal(1), Decimal(2), None, Decimal("3E+1")]},
    "pandas": pd.DataFrame({"x": pd.Series(HOLES)}),
    "pandas, NA": pd.DataFrame({"x": pd.Series(HOLES, dtype="Int64")}),
    "pandas, categories": pd.DataFrame({"x": pd.Series(HOLES).astype("category")}),
    "pandas, in a mapping": {"x": pd.Series(HOLES).astype("category")},
    "polars": pl.DataFrame({"x": pl.Series(HOLES, dtype=pl.Float32)}),
}
DAY = dt.datetime(2026, 1, 2)
NOON = dt.datetime(1969, 1, 2, 12)
TIMES = {
    "objects": {"x": [DAY, NOON, None]},
    "days among them": {"x": [DAY.date(), NOON, None]},
    "numpy": {"x": np.array([DAY, NOON, "NaT"], "M8[s]")},
    "nanoseconds": {"x": np.array([DAY, NOON, "NaT"], "M8[us]").astype("M8[ns]")},
    "pandas": pd.DataFrame({"x": pd.Series([DAY, NOON, None])}),
    "pandas, categories": pd.DataFrame({"x": pd.Series([DAY, NOON, None]).astype("category")}),
    **{
        f"arrow, {unit}": pa.table({"x": pa.array([DAY, NOON, None], pa.timestamp(unit))})
        for unit in ("s", "ms", "us")
    },
    "polars": pl.DataFrame({"x": [DAY, NOON, None]}),
}


def tally(data, path):
    table = as_table(data, categorical=["x"])
    (column,) = table.read(["x"])
    assert (column.kind, column.missing) == ("categorical", 1)
    if isinstance(data, (pa.Table, pd.DataFrame)):
        pq.write_table(pa.table(data), path)
        (again,) = read_table(path, categorical=["x"]).read(["x"])
        assert dict(again.tally) == dict(column.tally)
    return dict(column.tally)


@pytest.mark.parametrize("held", INTEGERS)
def test_whole_numbers_are_named_without_a_point(tmp_path, held):
    assert tally(INTEGERS[held], tmp_path / "t.parquet") == {"1": 2, "2": 1, "30": 1}


def test_an_integer_that_became_a_float_for_a_missing_value_is_no_new_category():
    before = pd.DataFrame({"x": [1, 2, 3] * 50}).astype("category")
    after = pd.DataFrame({"x": [1, 2, 3] * 50 + [None]}).astype("category")
    (column,) = fastdiv.compare(before, after).columns
    assert (column.js, len(column.bins)) == (0, 3)


@pytest.mark.parametrize("held", TIMES)
def test_times_are_named_alike_in_every_unit(tmp_path, held):
    assert tally(TIMES[held], tmp_path / "t.parquet") == {"2026-01-02": 1, "1969-01-02 12:00:00": 1}


def test_times_in_a_zone_are_named_in_utc(tmp_path):
    aware = pd.Series([DAY, NOON, None]).dt.tz_localize("UTC").dt.tz_convert("America/New_York")
    expected = {"2026-01-02Z": 1, "1969-01-02 12:00:00Z": 1}
    for data in (pd.DataFrame({"x": aware}), pa.table({"x": pa.array(aware)}), {"x": list(aware)}):
        assert tally(data, tmp_path / "t.parquet") == expected


def test_fractions_are_the_shortest_decimals_of_their_type():
    values = [0.1, 2.5, 1e300, -0.0, None]
    expected = {"0.1": 1, "2.5": 1, "1e+300": 1, "0": 1}
    for data in ({"x": values}, {"x": np.array(values, float)}, pa.table({"x": values})):
        (column,) = as_table(data, categorical=["x"]).read(["x"])
        assert dict(column.tally) == expected
    single = np.array([0.1, 2.5], np.float32)
    for data in (
        {"x": single},
        pa.table({"x": single}),
        {"x": list(single)},
        {"x": [Decimal("0.10"), Decimal("2.5")]},
    ):
        (column,) = as_table(data, categorical=["x"]).read(["x"])
        assert dict(column.tally) == {"0.1": 1, "2.5": 1}
