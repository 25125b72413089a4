"""Windows of time and groups against one baseline: the verdict of each cell, and every way to write them."""

from __future__ import annotations

import csv
import io
import json

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import pytest
from command import FLIGHTS, refused

from fastdiv.drift import Baseline, TableError, compare, compare_over


def _weeks():
    """A baseline, and 6 days of which the third has no rows and the last two have moved."""
    rng = np.random.default_rng(5)
    base = {"x": rng.normal(size=4000), "word": rng.choice(list("abc"), 4000)}
    days = np.repeat([0, 1, 3, 4, 5], 400)
    cur = {
        "x": rng.normal(size=2000) + (days >= 4),
        "word": rng.choice(list("abc"), 2000),
        "day": np.datetime64("2026-03-02T05:00", "us") + days * np.timedelta64(1, "D"),
    }
    mixed = rng.permutation(2000)
    return base, {name: values[mixed] for name, values in cur.items()}


def test_a_cell_is_a_comparison():
    base, cur = _weeks()
    series = compare_over(base, cur, window="1D", time="day")
    assert series.windows == tuple(f"2026-03-0{i}" for i in range(2, 8))
    assert series.names == ("x", "word")
    assert series.reports[2] is None
    for window, report in zip(series.windows, series.reports, strict=True):
        some = cur["day"].astype("M8[D]") == np.datetime64(window)
        if report is None:
            assert not some.any()
            continue
        alone = compare(base, {name: values[some] for name, values in cur.items()})
        for c in alone.columns:
            cell = series.cell(c.name, window)
            assert (cell.js, cell.kl, cell.psi, cell.w1, cell.bins) == (c.js, c.kl, c.psi, c.w1, c.bins)
    assert [(c.column, c.window, c.after) for c in series.changes] == [("x", "2026-03-06", "moved a lot")]
    assert np.isnan(series.matrix()[:, 2]).all()
    assert series.matrix("w1")[0, -1] == series.cell("x", "2026-03-07").w1


def test_p_values_are_adjusted_over_all_windows():
    base, cur = _weeks()
    series = compare_over(base, cur, window="1D", time="day")
    cells = [c for report in series.reports if report for c in report.columns]
    p = sorted(c.noise.p for c in cells)
    expected = [min(p[j] * len(p) / (j + 1) for j in range(i, len(p))) for i in range(len(p))]
    assert sorted(c.noise.p_adjusted for c in cells) == pytest.approx(expected, rel=1e-15)


def test_every_kind_of_table(tmp_path):
    base, cur = _weeks()
    table = pa.table(cur)
    pq.write_table(table, tmp_path / "cur.parquet", row_group_size=300)
    pyarrow.csv.write_csv(table, tmp_path / "cur.csv")
    np.savez(tmp_path / "cur.npz", **cur)
    expected = compare_over(base, cur, window="6h", time="day")
    for current in (table, tmp_path / "cur.parquet", tmp_path / "cur.csv", tmp_path / "cur.npz"):
        series = compare_over(Baseline.from_table(base), current, window="6h", time="day")
        assert series.windows == expected.windows
        assert np.array_equal(series.matrix(), expected.matrix(), equal_nan=True)
        assert np.array_equal(series.matrix("w1"), expected.matrix("w1"), equal_nan=True)


def test_digits_in_one_window_of_words(tmp_path):
    path = tmp_path / "cur.csv"
    path.write_text("word,day\n" + "a,2026-01-01\nb,2026-01-01\n" * 20 + "7,2026-01-02\n" * 20)
    with pytest.raises(TableError, match="no column 'dya'; did you mean 'day'"):
        compare_over({"word": ["a", "b"] * 50}, path, window="1D", time="dya")
    series = compare_over({"word": ["a", "b"] * 50}, path, window="1D", time="day")
    assert "mixes text and numbers" in series.cell("word", "2026-01-02").reason
    assert series.cell("word", "2026-01-01").fault


@pytest.mark.parametrize(
    ("window", "windows"),
    [
        ("1M", ("2026-01", "2026-02", "2026-03")),
        ("3M", ("2026-01",)),
        ("1W", ("2026-01-26", "2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23")),
        ("7d", ("2026-01-26", "2026-02-02", "2026-02-09", "2026-02-16", "2026-02-23")),
    ],
)
def test_where_windows_begin(window, windows):
    day = np.array(["2026-01-31T23:59", "2026-02-01", "2026-03-01T12:00"], "M8[us]")
    x = np.arange(3.0)
    assert compare_over({"x": x}, {"x": x, "t": day}, window=window, time="t").windows == windows


def test_before_1970():
    day = np.array(["1969-12-31T23:00", "1970-01-01T01:00"], "M8[us]")
    series = compare_over({"x": [1, 2]}, {"x": [1, 2], "t": day}, window="6h", time="t")
    assert series.windows == ("1969-12-31 18:00", "1970-01-01 00:00")


@pytest.mark.parametrize(
    ("key", "groups", "left_out"),
    [
        ([10, 2, 2, 10, 9, 9], ("2", "9", "10"), 0),
        (["b", None, "a", "b", "a", "a"], ("a", "b"), 1),
        ([True, False, False, True, True, True], ("false", "true"), 0),
        ([1.5, float("nan"), 1.5, 2.0, 2.0, 2.0], ("1.5", "2"), 1),
    ],
)
@pytest.mark.parametrize("arrow", [True, False])
def test_groups(key, groups, left_out, arrow):
    x = np.arange(6.0)
    cur = {"x": x, "key": key}
    series = compare_over({"x": x}, pa.table(cur) if arrow else cur, by="key")
    assert (series.windows, series.left_out) == (groups, left_out)
    assert sum(report.rows_current for report in series.reports) == 6 - left_out
    assert series.changes == ()


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        ({}, "either by or both window and time must be given, not none"),
        ({"window": "1D"}, "must be given, not window"),
        ({"by": "x", "time": "t"}, "must be given, not by and time"),
        ({"window": "0D", "time": "t"}, "window must be hours, days, weeks or months, such as 6h"),
        ({"window": "1 fortnight", "time": "t"}, "not '1 fortnight'"),
        ({"window": "1D", "time": "x"}, "column 'x' must hold dates to make windows, but is numeric"),
        ({"window": "1h", "time": "t"}, "at most 10000 windows of 1h, not 175321, from 2000-01-01 00:00"),
        ({"by": "gone"}, "every value of column 'gone' is missing"),
    ],
)
def test_refused(asked, message):
    cur = {"x": [1.0, 2.0], "t": np.array(["2000-01-01", "2020-01-01"], "M8[D]"), "gone": [None, None]}
    with pytest.raises(ValueError, match=message):
        compare_over({"x": [1.0, 2.0], "t": cur["t"]}, cur, **asked)


def test_a_profile_has_no_rows():
    base, cur = _weeks()
    with pytest.raises(TableError, match="need rows, which a profile has not"):
        compare_over(base, Baseline.from_table(cur), window="1D", time="day")


# -- the command ---------------------------------------------------------------------------------------------


@pytest.fixture
def files(tmp_path):
    paths = []
    for name, table in zip(("base", "cur"), _weeks(), strict=True):
        paths.append(str(tmp_path / f"{name}.parquet"))
        pq.write_table(pa.table(table), paths[-1])
    return paths


def test_the_table(run, files):
    code, out, err = run(*files, "--window", "1D", "--time", "day", "--fail-on", "moved")
    assert (code, err) == (1, "")
    lines = out.splitlines()
    assert lines[1].endswith("2,000 rows in 6 windows of 1D by day, 2026-03-02 to 2026-03-07")
    marks = dict(line.split(maxsplit=1) for line in lines[4:6])
    assert marks["x"][2] == " "
    assert marks["x"].endswith("##")
    assert not set(marks["word"]) & set("#+")
    assert "2026-03-06  x       " in out
    assert "no rows in 2026-03-04" in out
    assert "drift: x in 2026-03-07: moved a lot (moved)" in out


def test_the_other_formats(run, files):
    asked = *files, "--window", "1D", "--time", "day", "--format"
    _, out, _ = run(*asked, "json")
    data = json.loads(out)
    assert [w["rows"] for w in data["windows"]] == [400, 400, 0, 400, 400, 400]
    assert data["changes"] == [
        {"column": "x", "window": "2026-03-06", "before": "noise", "after": "moved a lot"}
    ]
    assert data["windows"][0]["columns"][0]["js_distance"] > 0
    _, out, _ = run(*asked, "csv")
    rows = list(csv.DictReader(io.StringIO(out)))
    assert [row["window"] for row in rows].count("2026-03-07") == 2
    assert [row["status"] for row in rows].count("no rows") == 1
    _, out, _ = run(*asked, "md")
    assert "| 2026-03-04 | no rows |" in out
    assert "moved a lot" in out


def test_flights_by_airport(run):
    code, out, err = run(*FLIGHTS, "--by", "origin", "--columns", "temp,air_time")
    assert (code, err) == (0, "")
    assert "in 3 groups by origin" in out
    assert [line.split()[0] for line in out.splitlines() if "temp 0.9" in line] == ["EWR", "JFK", "LGA"]


@pytest.mark.parametrize(
    ("asked", "message"),
    [
        (["--window", "1D"], "--window and --time must both be given"),
        (["--by", "word", "--time", "day"], "--by must stand without"),
        (["--window", "1D", "--time", "x"], "column 'x' must hold dates"),
        (["--by", "wrod"], "did you mean 'word'?"),
    ],
)
def test_one_line_for_a_mistake(run, files, asked, message):
    assert refused(run(*files, *asked), message)


def test_files_whose_key_changes_its_type_are_refused(tmp_path):
    for i, key in enumerate(([1, 2], ["1", "2"])):
        pq.write_table(pa.table({"x": [1.0, 2.0], "key": key}), tmp_path / f"{i}.parquet")
    with pytest.raises(TableError, match="column 'key' is categorical, but numeric in"):
        compare_over({"x": [1.0]}, tmp_path, by="key")
