"""Times in a zone are moments, those without are of some clock: the two are never compared as numbers."""

from __future__ import annotations

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

from fastdiv import Baseline, cli
from fastdiv.drift import TableError, compare, compare_over
from fastdiv.drift.tables import as_table, read_table

# over the hour that the clocks of New York show twice
NAIVE = pd.Series(pd.date_range("2025-11-01", periods=200, freq="15min"))
AWARE = NAIVE.dt.tz_localize("UTC").dt.tz_convert("America/New_York")
MICROS = NAIVE.astype("M8[us]").astype(np.int64).tolist()


def tables(times, path):
    yield pd.DataFrame({"t": times})
    yield pa.table({"t": pa.array(times)})
    yield pl.DataFrame({"t": pl.Series(times.tolist())})
    yield {"t": times}
    yield {"t": times.tolist()}
    frame = pd.DataFrame({"t": times})
    frame.to_parquet(path / "t.parquet")
    yield path / "t.parquet"
    frame.to_csv(path / "t.csv", index=False)
    yield path / "t.csv"
    Baseline.from_table(frame).save(path / "t.fdp")
    yield path / "t.fdp"
    weighted = frame.assign(w=1.0)
    yield Baseline.from_table(weighted, weights="w")


def folder(path, name):
    (path / name).mkdir()
    return path / name


def test_a_zone_is_known_in_every_table(tmp_path):
    for times, zoned in ((NAIVE, False), (AWARE, True)):
        for data in tables(times, folder(tmp_path, str(zoned))):
            (column,) = as_table(data).read(["t"])
            assert (column.kind, column.zoned) == ("datetime", zoned)
            assert np.repeat(column.numbers, 1 if column.counts is None else column.counts).tolist() == MICROS


@pytest.mark.parametrize("turned", [False, True])
def test_times_with_a_zone_and_without_are_not_compared(tmp_path, turned):
    sides = [list(tables(times, folder(tmp_path, name)))[:-1] for times, name in ((NAIVE, "n"), (AWARE, "a"))]
    what = ["datetime", "datetime in a time zone"]
    if turned:
        sides.reverse()
        what.reverse()
    for a, b in zip(sides[0], reversed(sides[1]), strict=True):
        report = compare(a, b)
        (skipped,) = report.skipped
        assert skipped.reason == f"{what[0]} in the baseline, {what[1]} in the current"
        assert skipped.differs
    assert cli.main(["compare", str(tmp_path / "n" / "t.csv"), str(tmp_path / "a" / "t.parquet")]) == 2


def test_files_with_a_zone_and_without_are_no_one_table(tmp_path):
    pd.DataFrame({"t": NAIVE, "x": 1.0}).to_parquet(tmp_path / "0.parquet")
    pd.DataFrame({"t": AWARE, "x": 1.0}).to_parquet(tmp_path / "1.parquet")
    for memory in (None, "1MB"):
        with pytest.raises(
            TableError, match=r"1\.parquet: column 't' is datetime in a time zone, but datetime in"
        ):
            compare(tmp_path, {"t": NAIVE}, memory=memory)
    with pytest.raises(TableError, match="'t' is datetime in a time zone, but datetime in"):
        compare_over({"x": [1.0]}, tmp_path, window="1D", time="t")


def test_parts_of_a_baseline_with_a_zone_and_without_are_told(tmp_path):
    a, b = (Baseline.from_table({"t": times}) for times in (NAIVE, AWARE))
    for merged in (a.merge(b), b.merge(a)):
        merged.save(tmp_path / "t.fdp")
        for one in (merged, Baseline.load(tmp_path / "t.fdp")):
            (skipped,) = one.score({"t": NAIVE}).skipped
            assert "some of its parts are datetime, others datetime in a time zone" in skipped.reason


@pytest.mark.parametrize("odd", ["2025-11-02 05:00:00", "2025-11-02"])
def test_cells_with_an_offset_and_without_are_no_words(tmp_path, odd):
    cells = ["2025-11-02 01:30:00-04:00", "2025-11-02 01:30:00-05:00", "2025-11-02T05:30:00Z"]
    (tmp_path / "t.csv").write_text("t\n" + "\n".join([*cells, odd]) + "\n")
    (column,) = read_table(tmp_path / "t.csv").read(["t"])
    assert column.kind == "mixed"
    assert column.reason.startswith(f"mixes dates with a time zone and dates (line 5: '{odd}')")
    (tmp_path / "t.csv").write_text("t\n" + "\n".join(cells) + "\n")
    (column,) = read_table(tmp_path / "t.csv").read(["t"])
    assert np.diff(column.numbers).tolist() == [3600 * 10**6, -3600 * 10**6]


def test_the_hour_that_clocks_show_twice_is_two_windows(tmp_path):
    hours = np.arange(200) // 4
    series = compare_over(
        {"x": [0.0, 1] * 50}, pd.DataFrame({"t": AWARE, "x": hours.astype(float)}), window="1h", time="t"
    )
    assert len(series.windows) == 50
    assert [report.rows_current for report in series.reports] == [4] * 50
    assert series.windows[:2] == ("2025-11-01 00:00", "2025-11-01 01:00")
    assert "2025-11-02 05:00" in series.windows  # summer's half past one, four hours behind
