"""Globs, folders and partitions are one table; one line names the file that does not fit the others."""

from __future__ import annotations

import datetime as dt
import os
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.dataset as ds
import pyarrow.parquet as pq
import pytest
from command import refused

from fastdiv import Baseline, cli
from fastdiv.drift import TableError, compare, compare_over
from fastdiv.drift.tables import read_table

RNG = np.random.default_rng(5)
N = 900
WHOLE = pa.table(
    {
        "x": RNG.normal(size=N),
        "n": pa.array([None if i % 11 == 0 else i % 40 for i in range(N)]),
        "word": RNG.choice(list("abcd"), N),
        "true": RNG.random(N) < 0.3,
        "at": pa.array([dt.datetime(2026, 1, 1) + dt.timedelta(hours=i) for i in range(N)]),
        "late": pa.array([None] * 600 + [1.5] * 300),
    }
)


def content(report):
    """All that a report says, but the labels."""
    return replace(report, baseline="", current="")


def split(folder, table=WHOLE, ends=(100, 101, 620), suffix="parquet"):
    folder.mkdir(parents=True, exist_ok=True)
    for i, (first, last) in enumerate(pairwise([0, *ends, table.num_rows])):
        part = table.slice(first, last - first)
        if suffix == "parquet":
            pq.write_table(part, folder / f"part-{i}.parquet", row_group_size=150)
        else:
            pyarrow.csv.write_csv(part, folder / f"part-{i}.csv")
    return folder


@pytest.fixture
def whole(tmp_path):
    pq.write_table(WHOLE, tmp_path / "whole.parquet")
    return str(tmp_path / "whole.parquet")


def spelled(folder, how):
    return {
        "folder": str(folder),
        "path": folder,
        "glob": str(folder / "part-*.parquet"),
        "any": str(folder / "*"),
        "deep": str(folder.parent / "**" / "part-?.parquet"),
        "list": sorted(map(str, folder.glob("part-*"))),
    }[how]


@pytest.mark.parametrize("how", ["folder", "path", "glob", "any", "deep", "list"])
@pytest.mark.parametrize("memory", [None, "1MB"])
def test_files_are_one_table_however_they_are_spelled(tmp_path, whole, how, memory):
    folder = split(tmp_path / "parts")
    (folder / "_SUCCESS").touch()
    (folder / ".hidden.parquet").write_bytes(b"no table")
    current = {"x": RNG.normal(size=50), "word": ["a", "z"] * 25}
    one = compare(whole, current, memory=memory)
    assert content(compare(spelled(folder, how), current, memory=memory)) == content(one)
    backward = [content(compare(current, side)) for side in (spelled(folder, how), whole)]
    assert backward[0] == backward[1]
    assert Baseline.from_table(spelled(folder, how)) == Baseline.from_table(whole)


def test_csv_files_are_one_table(tmp_path):
    table = WHOLE.drop_columns(["at", "true"])
    folder = split(tmp_path / "parts", table, suffix="csv")
    (tmp_path / "whole").mkdir()
    split(tmp_path / "whole", table, (), "csv")
    a, b = str(folder / "*.csv"), str(tmp_path / "whole" / "part-0.csv")
    assert content(compare(a, b)) == content(compare(b, b))
    assert Baseline.from_table(a) == Baseline.from_table(b)


def test_columns_may_come_in_any_order_and_numbers_in_any_width(tmp_path):
    pq.write_table(pa.table({"a": pa.array([1, 2], pa.int16()), "b": ["x", "y"]}), tmp_path / "1.parquet")
    pq.write_table(pa.table({"b": ["z"], "a": [2.5]}), tmp_path / "2.parquet")
    pq.write_table(pa.table({"b": pa.array([None], pa.null()), "a": [2**60]}), tmp_path / "3.parquet")
    a, b = read_table(tmp_path).read(["a", "b"])
    assert a.numbers.tolist() == [1, 2, 2.5, 2.0**60]
    assert "rounded" in a.note
    assert (dict(b.tally), b.missing, b.rows) == ({"x": 1, "y": 1, "z": 1}, 1, 4)


def test_files_without_rows_are_no_fault_of_the_others(tmp_path):
    folder = split(tmp_path / "parts")
    pq.write_table(WHOLE.slice(0, 0), folder / "part-9.parquet")
    pq.write_table(WHOLE.slice(0, 0), folder / "part-.parquet")
    assert compare(folder, folder).rows_baseline == N
    for file in folder.glob("part-?.parquet"):
        if file.name != "part-9.parquet":
            file.unlink()
    with pytest.raises(TableError, match="the table has no rows"):
        read_table(folder)


@pytest.mark.parametrize("empty", ["x,c\n", "x,c", "x,c\r\n\r\n"])
def test_csv_files_of_a_header_alone_are_no_fault_of_the_others(tmp_path, empty):
    for name, text in (("0", empty), ("1", "x,c\n1,a\n2,b\n"), ("2", empty)):
        (tmp_path / f"{name}.csv").write_text(text, newline="")
    table = read_table(tmp_path)
    assert [column.rows for column in table.read(["x", "c"])] == [2, 2]
    assert compare_over({"x": [1.0, 2]}, tmp_path, by="c").windows == ("a", "b")
    (tmp_path / "1.csv").write_text(empty)
    with pytest.raises(TableError, match="the table has a header but no rows"):
        read_table(tmp_path)


# -- folders named key=value ---------------------------------------------------------------------------------


def test_a_partitioned_folder_has_a_column_for_each_key(tmp_path):
    rows = {
        "day": ["2026-01-01", "2026-01-02"] * 50,
        "shop": [7, 7, 7, 12] * 25,
        "name": ["a b", "ü/x", "a b", None] * 25,
        "x": RNG.normal(size=100),
    }
    table = pa.table(rows)
    keys = ["day", "shop", "name"]
    types = pa.schema([table.schema.field(key) for key in keys])
    ds.write_dataset(
        table, tmp_path / "t", format="parquet", partitioning=ds.partitioning(types, flavor="hive")
    )
    read = read_table(tmp_path / "t")
    assert (set(read.names), read.rows) == (set(rows), 100)
    day, shop, name, x = read.read(["day", "shop", "name", "x"])
    times = np.array(rows["day"], "M8[us]").astype(np.int64)
    assert (day.kind, sorted(day.numbers.tolist())) == ("datetime", sorted(times.tolist()))
    assert (shop.kind, sorted(shop.numbers.tolist())) == ("numeric", sorted(rows["shop"]))
    assert (name.kind, dict(name.tally), name.missing) == ("categorical", {"a b": 50, "ü/x": 25}, 25)
    assert sorted(x.numbers.tolist()) == sorted(rows["x"].tolist())
    frame = {key: np.array(rows[key], "M8[us]") if key == "day" else rows[key] for key in rows}
    assert content(compare(tmp_path / "t", frame)) == content(compare(frame, frame))
    (shop,) = read_table(tmp_path / "t", categorical=["shop"]).read(["shop"])
    assert dict(shop.tally) == {"7": 75, "12": 25}
    one = read_table(str(tmp_path / "t" / "day=2026-01-0[2]" / "**" / "*.parquet"))
    assert (set(one.names), one.rows) == (set(rows), 50)
    assert set(read_table(tmp_path / "t" / "day=2026-01-01").names) == {"shop", "name", "x"}


def test_keys_of_text_whole_numbers_or_dates(tmp_path):
    for values, kind in ((["01", "12"], "numeric"), (["2026-01", "2026-02"], "datetime")):
        folder = tmp_path / kind
        for value in values:
            (folder / f"key={value}").mkdir(parents=True)
            pq.write_table(pa.table({"x": [1]}), folder / f"key={value}" / "a.parquet")
        assert [column.kind for column in read_table(folder).read(["key"])] == [kind]
    (folder / "key=now").mkdir()
    pq.write_table(pa.table({"x": [1]}), folder / "key=now" / "a.parquet")
    (column,) = read_table(folder).read(["key"])
    assert (column.kind, set(column.tally)) == ("categorical", {"2026-01", "2026-02", "now"})


@pytest.mark.parametrize(
    "value", ["1_000", "\N{ARABIC-INDIC DIGIT ONE}", " 7", "9" * 19, "0x1F", "12345678901234567890123"]
)
def test_keys_that_are_no_whole_numbers_of_64_bits_are_text(tmp_path, value):
    (tmp_path / f"key={value}").mkdir()
    pq.write_table(pa.table({"x": [1]}), tmp_path / f"key={value}" / "a.parquet")
    (column,) = read_table(tmp_path).read(["key"])
    assert (column.kind, dict(column.tally)) == ("categorical", {value: 1})


def test_a_column_of_a_file_is_not_hidden_by_a_key(tmp_path):
    (tmp_path / "x=5").mkdir()
    pq.write_table(pa.table({"x": [1, 2]}), tmp_path / "x=5" / "a.parquet")
    (column,) = read_table(tmp_path).read(["x"])
    assert column.numbers.tolist() == [1, 2]


# -- what does not fit together ------------------------------------------------------------------------------


def gone(folder):
    pq.write_table(WHOLE.drop_columns(["n"]), folder / "part-2.parquet")
    return "part-2.parquet: has no column 'n', which"


def new(folder):
    pq.write_table(WHOLE.append_column("more", [[1] * N]), folder / "part-2.parquet")
    return "part-2.parquet: has a column 'more', which"


def other_type(folder):
    changed = WHOLE.set_column(1, "n", [list(map(str, range(N)))])
    pq.write_table(changed, folder / "part-2.parquet")
    return "part-2.parquet: column 'n' is categorical, but numeric in"


def cut(folder):
    data = (folder / "part-2.parquet").read_bytes()
    (folder / "part-2.parquet").write_bytes(data[: len(data) // 2])
    return "part-2.parquet: cannot be read as .parquet"


def unlike_keys(folder):
    (folder / "day=1").mkdir()
    os.rename(folder / "part-2.parquet", folder / "day=1" / "part-2.parquet")
    return "part-2.parquet: has a column 'day', which"


def tampered(folder):
    data = bytearray((folder / "part-2.parquet").read_bytes())
    data[4:2000] = bytes(1996)
    (folder / "part-2.parquet").write_bytes(data)
    return "part-2.parquet: column "


FAULTS = [gone, new, other_type, cut, unlike_keys, tampered]


@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.__name__)
@pytest.mark.parametrize("command", ["baseline", "current", "profile"])
def test_one_line_names_the_file_that_differs(tmp_path, whole, capsys, fault, command):
    folder = split(tmp_path / "parts")
    message = fault(folder)
    output = tmp_path / ("old.fdp" if command == "profile" else "old.json")
    output.write_text("as it was")
    words = {
        "baseline": ["compare", folder, whole],
        "current": ["compare", whole, folder / "**"],
        "profile": ["profile", folder],
    }[command]
    code = cli.main([*map(str, words), "-o", str(output)])
    out, err = capsys.readouterr()
    assert refused((code, out, err), message)
    assert output.read_text() == "as it was"
    assert sorted(x.name for x in tmp_path.iterdir()) == sorted([output.name, "parts", "whole.parquet"])


def test_checksums_are_looked_at_where_a_file_has_them(tmp_path, whole):
    path = tmp_path / "checked.parquet"
    plain = {"compression": "none", "use_dictionary": False, "write_page_checksum": True}
    pq.write_table(WHOLE.select(["x"]), path, **plain)
    data = bytearray(path.read_bytes())
    at = data.index(np.float64(WHOLE["x"][500].as_py()).tobytes())
    data[at + 3] ^= 1  # one bit of a value, which would pass as another
    path.write_bytes(data)
    with pytest.raises(TableError, match=r"checked\.parquet: column 'x' cannot be read: .*checksum"):
        compare(path, whole)


def test_globs_and_folders_without_tables(tmp_path, whole, capsys):
    (tmp_path / "empty" / "_deep").mkdir(parents=True)
    (tmp_path / "empty" / "notes.txt").touch()
    for path, message in (
        (tmp_path / "no*.parquet", "no*.parquet: no file matches"),
        (tmp_path / "empty", "empty: the folder has no table in it"),
        (tmp_path / "empty" / "*", "notes.txt: the extension does not say"),
    ):
        for words in (["compare", whole, path], ["compare", path, whole], ["profile", path, "-o", "x.fdp"]):
            code = cli.main(list(map(str, words)))
            out, err = capsys.readouterr()
            assert refused((code, out, err), message)


def test_a_name_with_a_star_is_a_name_where_there_is_such_a_file(tmp_path):
    for name in ("a[1].parquet", "a1.parquet"):
        pq.write_table(pa.table({"x": [len(name)]}), tmp_path / name)
    (column,) = read_table(tmp_path / "a[1].parquet").read(["x"])
    assert column.numbers.tolist() == [12]


def test_profiles_are_no_parts_of_a_table(tmp_path, whole):
    Baseline.from_table(whole).save(tmp_path / "a.fdp")
    with pytest.raises(TableError, match=r"a\.fdp: is a profile, .* fastdiv profile merges"):
        read_table([whole, str(tmp_path / "a.fdp")])


def test_a_report_does_not_replace_a_part_of_a_table(tmp_path, capsys):
    folder = split(tmp_path / "parts", WHOLE.select(["x"]), suffix="csv")
    code = cli.main(["compare", str(folder), str(folder), "-o", str(folder / "part-1.csv")])
    assert refused((code, *capsys.readouterr()), "is one of the tables")
