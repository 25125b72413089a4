"""Tables: every format gives the same columns, and every broken file one line that says what is wrong."""

from __future__ import annotations

import datetime as dt
import gzip
import io
import random
import sys
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from fastdiv.drift import csv_reader
from fastdiv.drift.tables import MISSING, TableError, as_table, read_table


def columns(path, **options):
    table = read_table(path, **options)
    return {column.name: column for column in table.read(table.names)}


def from_csv(tmp_path, text, **options):
    path = tmp_path / "t.csv"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return columns(path, **options)


def complaint(path, **options):
    with pytest.raises(TableError) as caught:
        columns(path, **options)
    message = str(caught.value)
    assert "\n" not in message
    assert str(path) in message
    return message


FRAME = pd.DataFrame(
    {
        "whole": pd.array([1, 2, 2**60 + 1, None], dtype="Int64"),
        "real": [0.5, -1e300, np.nan, 3.0],
        "word": ["a", "b, c", None, 'say "a"'],
        "flag": pd.array([True, False, None, True], dtype="boolean"),
        "when": pd.to_datetime(
            ["2013-01-01", "2013-06-30 12:00", None, "1969-12-31 23:59:59.5"], format="ISO8601"
        ),
        "nothing": pd.array([None] * 4, dtype="float64"),
    }
)


def write(frame, path):
    if path.suffix in (".csv", ".gz"):
        frame.to_csv(path, index=False)
    elif path.suffix in (".parquet", ".pq"):
        frame.to_parquet(path)
    elif path.suffix == ".feather":
        frame.to_feather(path)
    else:
        table = pa.table(frame)
        with pa.OSFile(str(path), "wb") as sink, pa.ipc.new_stream(sink, table.schema) as stream:
            stream.write_table(table)
    return path


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet", "t.pq", "t.feather", "t.arrow"])
def test_every_format_gives_the_same_columns(tmp_path, name):
    got = columns(write(FRAME, tmp_path / name))
    assert list(got) == list(FRAME)
    assert [c.kind for c in got.values()] == [
        "numeric",
        "numeric",
        "categorical",
        "boolean",
        "datetime",
        "missing",
    ]
    assert [(c.rows, c.missing) for c in got.values()] == [(4, 1)] * 5 + [(4, 4)]
    assert got["whole"].numbers.tolist() == [1, 2, 2**60 + 1]  # exact: no float in between
    assert got["real"].numbers.tolist() == [0.5, -1e300, 3.0]
    assert dict(got["word"].tally) == {"a": 1, "b, c": 1, 'say "a"': 1}
    assert dict(got["flag"].tally) == {"true": 2, "false": 1}
    day = 86_400 * 10**6
    assert got["when"].numbers.tolist() == [15706 * day, 15886 * day + day // 2, -500_000]


def test_frames_and_mappings_are_tables_too():
    from_frame = {c.name: c for c in as_table(FRAME).read(tuple(FRAME))}
    assert from_frame["whole"].numbers.tolist() == [1, 2, 2**60 + 1]
    assert from_frame["when"].kind == "datetime"
    codes = pd.DataFrame({"x": pd.Categorical([7, 7, 8])})
    assert [dict(c.tally) for c in as_table(codes).read(["x"])] == [{"7": 2, "8": 1}]
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(
        {"c": ["x", "y", "x"], "e": polars.Series(["u", None, "u"], dtype=polars.Categorical)}
    )
    tallies = {c.name: dict(c.tally) for c in as_table(frame).read(("c", "e"))}
    assert tallies == {"c": {"x": 2, "y": 1}, "e": {"u": 2}}
    (column,) = as_table({"x": [1, 2, 2]}).read(["x"])
    assert (column.kind, column.numbers.tolist()) == ("numeric", [1, 2, 2])
    with pytest.raises(TypeError, match=r"table must be a path, .*, not an int"):
        as_table(3)


# -- CSV -----------------------------------------------------------------------------------------------------


def test_missing_cells_are_those_pandas_takes_for_missing(tmp_path):
    from pandas._libs.parsers import STR_NA_VALUES

    assert set(STR_NA_VALUES) == MISSING
    cells = sorted(MISSING)
    got = from_csv(tmp_path, "n,w\n" + "".join(f"{cell},{cell}\n" for cell in cells) + "1.5,w\n")
    assert (got["n"].kind, got["n"].missing) == ("numeric", len(cells))
    assert (got["w"].kind, got["w"].missing) == ("categorical", len(cells))


@pytest.mark.parametrize(("marker", "left"), [("-999", [1, 2]), ("?", [1, -999, 2])])
def test_further_missing_cells_can_be_named(tmp_path, marker, left):
    text = "x\n1\n-999\n2\n" + ("?\n" if marker == "?" else "")
    assert from_csv(tmp_path, text, missing=[marker])["x"].numbers.tolist() == left


@pytest.mark.parametrize(
    ("cells", "kind"),
    [
        (["1", "-2", "+3"], "numeric"),
        (["1", "2.5", "1e3"], "numeric"),
        (["1", "inf"], "numeric"),
        (["99999999999999999999", "1"], "numeric"),
        (["1_000", "2_000"], "categorical"),  # Python would read these as numbers
        (["١", "٢"], "categorical"),
        (["0x10", "0x11"], "categorical"),
        (["true", "False", "TRUE"], "boolean"),
        (["true", "maybe"], "categorical"),
        (["yes", "no"], "categorical"),
        (["2013-01-01", "2013-12-31"], "datetime"),
        (["2013-01-01 10:00", "2013-01-01T10:00:00.25"], "datetime"),
        (["2013-01-01T10:00:00Z", "2013-01-01T10:00:00+02:00"], "datetime"),
        (["2013-02-30", "2013-02-31"], "categorical"),
        (["2013-01", "2013-02"], "categorical"),
        (["", "NA"], "missing"),
        (["1", "a"], "mixed"),
        (["a", "1"], "mixed"),
        (["2013-01-01", "soon"], "mixed"),
        (["2013-01-01", "5"], "mixed"),
        (["true", "1"], "mixed"),
    ],
)
def test_types_are_inferred_from_all_cells(tmp_path, cells, kind):
    assert from_csv(tmp_path, "x,y\n" + "".join(f"{cell},0\n" for cell in cells))["x"].kind == kind


def test_dates_are_read_alike_with_and_without_an_offset(tmp_path):
    """NumPy reads the plain ones, datetime those with an offset."""
    plain = [
        "0001-01-01",
        "1899-12-31 23:59",
        "1970-01-01T00:00:00",
        "2013-06-30 12:00:00.5",
        "9999-12-31T23:59:59.999999",
    ]
    a = from_csv(tmp_path, "x\n" + "\n".join(plain) + "\n")["x"].numbers
    full = [cell if len(cell) > 10 else f"{cell} 00:00" for cell in plain]
    b = from_csv(tmp_path, "x\n" + "\n".join(f"{cell}+00:00" for cell in full) + "\n")["x"].numbers
    assert a.tolist() == b.tolist()


def test_offsets_are_taken_to_utc(tmp_path):
    got = from_csv(tmp_path, "x\n2013-01-01T10:00:00Z\n2013-01-01T12:00:00+02:00\n")
    assert len(set(got["x"].numbers.tolist())) == 1


def test_a_mixed_column_names_the_line_of_the_odd_cell(tmp_path):
    rows = ["1\n"] * 40_000 + ["\n", '"2"\n', "oops\n"] + ["3\n"] * 100
    column = from_csv(tmp_path, "x\n" + "".join(rows))["x"]
    assert column.kind == "mixed"
    assert "mixes numbers and text (line 40004: 'oops')" in column.reason
    assert "--categorical x" in column.reason


def test_categorical_keeps_the_cells_as_they_stand(tmp_path):
    got = from_csv(tmp_path, "zip,x\n02134,1\n2134,a\n02134,NA\n", categorical=["zip", "x"])
    assert dict(got["zip"].tally) == {"02134": 2, "2134": 1}
    assert (dict(got["x"].tally), got["x"].missing) == ({"1": 1, "a": 1}, 1)


@pytest.mark.parametrize(
    ("cells", "dtype", "rounded"),
    [
        ([2**63 - 1, -1], "int64", False),
        ([2**63 + 1, 0, 2**64 - 1], "uint64", False),
        ([2**64, 1], "float64", True),
        ([2**63, -1], "float64", True),
        ([10**400, 1], "float64", True),
        ([1e300, 0.5], "float64", False),
    ],
)
@pytest.mark.parametrize("blocks", ["one", "each"])
def test_whole_numbers_keep_every_digit_that_64_bits_hold(
    tmp_path, monkeypatch, cells, dtype, rounded, blocks
):
    if blocks == "each":
        monkeypatch.setattr(csv_reader, "_CHARACTERS", 1)
    (column,) = from_csv(tmp_path, "x\n" + "".join(f"{cell}\n" for cell in cells)).values()
    assert (column.kind, column.numbers.dtype, column.missing) == ("numeric", dtype, 0)
    assert ("rounded to float64" in column.note) == rounded
    if dtype != "float64":
        assert column.numbers.tolist() == cells


@pytest.mark.parametrize("text", ['"{}"', "{}"])
def test_a_cell_may_be_long(tmp_path, text):
    long = "a" * 200_000
    got = from_csv(tmp_path, "x,y\n1," + text.format(long) + "\n2,b\n")
    assert dict(got["y"].tally) == {long: 1, "b": 1}


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found(tmp_path, delimiter):
    got = from_csv(tmp_path, f'"a,b;c|d"{delimiter}y\n1{delimiter}2\n')
    assert list(got) == ["a,b;c|d", "y"]


def test_a_delimiter_can_be_given(tmp_path):
    assert list(from_csv(tmp_path, "a,b:c\n1,2:3\n", delimiter=":")) == ["a,b", "c"]
    path = tmp_path / "t.tsv"
    path.write_text("a,b,c\td\n1\t2\n")
    assert list(columns(path)) == ["a,b,c", "d"]


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("last", [True, False])
def test_bom_line_ends_blank_lines_and_quoted_newlines(tmp_path, end, last):
    lines = ["x,y", "1,a", "", '2,"b', 'c, ""d"""', "3,e"]
    text = "\ufeff" + end.join(lines) + (end if last else "")
    got = from_csv(tmp_path, text)
    assert got["x"].numbers.tolist() == [1, 2, 3]
    assert dict(got["y"].tally) == {"a": 1, f'b{end}c, "d"': 1, "e": 1}


def test_a_header_over_two_lines(tmp_path):
    got = from_csv(tmp_path, '"a\nb",c\n1,2\n')
    assert list(got) == ["a\nb", "c"]
    assert got["c"].numbers.tolist() == [2]


def test_splitting_agrees_with_the_csv_module(tmp_path, monkeypatch):
    """Wherever a block ends and wherever the first quote comes, the cells are those of the csv module."""
    import csv

    monkeypatch.setattr(csv_reader, "_CHARACTERS", 64)
    monkeypatch.setattr(csv_reader, "_ROWS", 5)
    rng = random.Random(1)
    cells = ["", "a", "bb", "1", " c ", "é", "日本", "x y", "'"]
    for trial in range(200):
        plain = rng.randrange(40)
        rows = [[rng.choice(cells) for _ in range(3)] for _ in range(plain)]
        rows += [
            [rng.choice([*cells, "q,q", 'q"q', "q\nq"]) for _ in range(3)] for _ in range(rng.randrange(20))
        ]
        rows.append(["end", "end", "end"])
        out = io.StringIO()
        csv.writer(out, lineterminator=rng.choice(["\n", "\r\n"])).writerows([["a", "b", "c"], *rows])
        got = from_csv(tmp_path, out.getvalue(), categorical=["a", "b", "c"], missing=["\0"])
        for j, column in enumerate(got.values()):
            want = [row[j] for row in rows if row[j] != ""]
            assert column.rows == len(rows), trial
            assert column.missing == len(rows) - len(want)
            assert sorted(column.tally.items()) == sorted((v, want.count(v)) for v in set(want))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", "the file is empty"),
        (b"\n\n", "line 1 has no column names"),
        (b"a,b\n", "a header but no rows"),
        (b"a,b\n\n\n", "a header but no rows"),
        (b"a,b,a\n1,2,3\n", "the column name 'a' occurs twice"),
        (b"a,b\n1,2\n3\n4,5\n", "line 3 has 1 fields, the header has 2"),
        (b'a,b\n"1\n1",2\n3,4,5\n', "line 4 has 3 fields, the header has 2"),
        (b'a,b\n1,2\n3,"4\n5,6\n', "line 3: a quote is opened and not closed"),
        (b'a,b\n1,2\n3,"4"4\n', "line 3: ',' expected after '\"'"),
        (b"a,b\n1,\xff\n", "is not UTF-8 text (byte 0xff)"),
        ("a,b\n1,2\n".encode("utf-16"), "is not UTF-8 text (byte 0xff)"),
    ],
)
def test_broken_csv(tmp_path, text, message):
    path = tmp_path / "t.csv"
    path.write_bytes(text)
    assert message in complaint(path)


def test_a_ragged_row_far_down_is_found(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n" + "1,2\n" * 300_000 + "1,2,3\n" + "1,2\n" * 10)
    assert "line 300002 has 3 fields" in complaint(path)


def test_broken_gzip(tmp_path):
    path = tmp_path / "t.csv.gz"
    path.write_bytes(b"a,b\n1,2\n")
    assert "no intact gzip" in complaint(path)
    whole = gzip.compress(b"a,b\n" + random.Random(2).randbytes(4000).hex().encode() + b",1\n")
    path.write_bytes(whole[:-100])
    assert "no intact gzip" in complaint(path)


# -- Parquet, Feather, Arrow ---------------------------------------------------------------------------------


def test_arrow_types(tmp_path):
    table = pa.table(
        {
            "f16": pa.array(np.array([1, np.nan, 2], np.float16)),
            "dec": pa.array([1, None, 2], pa.decimal128(10, 2)),
            "u64": pa.array([2**64 - 1, None, 0], pa.uint64()),
            "date": pa.array([dt.date(1970, 1, 2), None, dt.date(1970, 1, 1)]),
            "zone": pa.array([dt.datetime(1970, 1, 1), None, None], pa.timestamp("ns", "Europe/Oslo")),
            "took": pa.array([1500, None, 0], pa.duration("ms")),
            "cat": pa.array(["a", None, "a"]).dictionary_encode(),
            "large": pa.array(["a", "b", None], pa.large_string()),
            "list": pa.array([[1], None, [2, 3]]),
            "null": pa.nulls(3),
            "a.b": pa.array([1, 2, 3]),
        }
    )
    path = tmp_path / "t.parquet"
    pq.write_table(table, path)
    got = columns(path)
    assert got["f16"].numbers.tolist() == [1, 2]
    assert got["f16"].missing == 1
    assert got["dec"].numbers.tolist() == [1, 2]
    assert got["u64"].numbers.tolist() == [2**64 - 1, 0]
    assert got["date"].numbers.tolist() == [86_400 * 10**6, 0]
    assert (got["zone"].kind, got["zone"].numbers.tolist()) == ("datetime", [0])
    assert got["took"].numbers.tolist() == [1.5, 0]
    assert dict(got["cat"].tally) == {"a": 2}
    assert dict(got["large"].tally) == {"a": 1, "b": 1}
    assert got["list"].kind == "unsupported"
    assert "list" in got["list"].reason
    assert got["null"].kind == "missing"
    assert got["a.b"].numbers.tolist() == [1, 2, 3]


def test_numbers_of_any_file_can_be_taken_as_categories(tmp_path):
    table = pa.table({"code": pa.array([1, 1, 2])})
    pq.write_table(table, tmp_path / "t.parquet")
    np.save(tmp_path / "t.npy", np.array([1, 1, 2]))
    assert dict(columns(tmp_path / "t.parquet", categorical=["code"])["code"].tally) == {"1": 2, "2": 1}
    assert dict(columns(tmp_path / "t.npy", categorical=["value"])["value"].tally) == {"1": 2, "2": 1}


@pytest.mark.parametrize("name", ["t.parquet", "t.feather", "t.arrow"])
def test_broken_arrow_files(tmp_path, name):
    path = write(FRAME, tmp_path / name)
    path.write_bytes(path.read_bytes()[: -path.stat().st_size // 3])
    assert "cannot be read" in complaint(path)
    path.write_bytes(b"no table at all, just a few words")
    assert "cannot be read" in complaint(path)
    path.write_bytes(b"")
    assert complaint(path)
    write(FRAME[:0], path)
    assert "no rows" in complaint(path)


def test_a_parquet_file_with_a_damaged_column_names_it(tmp_path):
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"x": np.arange(10_000.0)}), path, use_dictionary=False)
    data = bytearray(path.read_bytes())
    data[4:200] = bytes(196)
    path.write_bytes(data)
    assert "column 'x' cannot be read" in complaint(path)


def test_the_row_numbers_of_a_filtered_frame_are_no_column(tmp_path):
    frame = pd.DataFrame({"x": [1, 2, 3]})[1:].set_axis([7, 9])
    frame.to_parquet(tmp_path / "t.parquet")
    assert "__index_level_0__" in pq.read_schema(tmp_path / "t.parquet").names
    assert list(columns(tmp_path / "t.parquet")) == ["x"]
    assert as_table(frame).names == ("x",)


def test_text_that_is_not_utf8_names_its_column(tmp_path):
    path = tmp_path / "t.feather"
    bytes_as_text = pa.array([b"ok", b"\xff\xfe"]).view(pa.string())
    pyarrow.feather.write_feather(pa.table({"w": bytes_as_text}), path)
    assert "column 'w' cannot be read" in complaint(path)


def test_without_pyarrow_parquet_says_what_to_install(tmp_path, monkeypatch):
    path = write(FRAME, tmp_path / "t.parquet")
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    monkeypatch.delitem(sys.modules, "fastdiv.drift.arrow_reader", raising=False)
    assert "pip install 'fastdiv[parquet]'" in complaint(path)


# -- NumPy ---------------------------------------------------------------------------------------------------


def test_numpy_files(tmp_path):
    np.save(tmp_path / "one.npy", np.array([1.0, np.nan, 2.0]))
    np.save(tmp_path / "two.npy", np.arange(6).reshape(3, 2))
    np.save(tmp_path / "fields.npy", np.array([(1, b"a"), (2, b"b")], dtype=[("n", "i4"), ("s", "S1")]))
    np.savez_compressed(
        tmp_path / "many.npz",
        x=np.array([True, False]),
        m=np.arange(4).reshape(2, 2),
        t=np.array(["2013-01-01", "NaT"], "M8[D]"),
        w=np.array(["a", ""]),
        d=np.array([1500, 0], "m8[ms]"),
        z=np.array([1j, 2j]),
    )
    assert columns(tmp_path / "one.npy")["value"].numbers.tolist() == [1, 2]
    assert columns(tmp_path / "two.npy")["1"].numbers.tolist() == [1, 3, 5]
    assert dict(columns(tmp_path / "fields.npy")["s"].tally) == {"a": 1, "b": 1}
    many = columns(tmp_path / "many.npz")
    assert dict(many["x"].tally) == {"false": 1, "true": 1}
    assert many["m[1]"].numbers.tolist() == [1, 3]
    assert (many["t"].kind, many["t"].missing) == ("datetime", 1)
    assert dict(many["w"].tally) == {"": 1, "a": 1}
    assert many["d"].numbers.tolist() == [1.5, 0]
    assert many["z"].kind == "unsupported"


@pytest.mark.parametrize("unit", ["Y", "M", "W", "D", "h", "m", "s", "ms"])
@pytest.mark.parametrize("kind", "Mm")
def test_times_that_microseconds_cannot_hold_are_never_wrapped(tmp_path, kind, unit):
    path = tmp_path / "t.npy"
    np.save(path, np.array([0, 2**62, 1]).view(f"{kind}8[{unit}]"))
    (column,) = columns(path).values()
    assert (column.kind, column.rows) == ("unsupported", 3)
    assert "cannot represent" in column.reason
    far = 2**63 - 10**14
    np.save(path, np.array([far, -far]).view(f"{kind}8[us]").astype(f"{kind}8[{unit}]"))
    (column,) = columns(path).values()
    assert column.numbers[0] > 0 > column.numbers[1]


@pytest.mark.parametrize(
    "values",
    [
        pa.array([0, 2**62], pa.timestamp("ms")),
        pa.array([0, 2**62], pa.timestamp("s", "Europe/Oslo")),
        pa.array([0, 2**31 - 1], pa.int32()).view(pa.date32()),
        pa.array([0, 2**62], pa.duration("s")),
    ],
    ids=str,
)
def test_arrow_times_that_microseconds_cannot_hold_spare_the_other_columns(tmp_path, values):
    path = tmp_path / "t.arrow"
    write(pa.table({"t": values, "x": [1, 2]}), path)
    got = columns(path)
    assert (got["t"].kind, got["x"].kind) == ("unsupported", "numeric")
    assert "cannot represent" in got["t"].reason


def test_nanoseconds_are_cut_to_microseconds(tmp_path):
    stamps = pa.array([1500, None], pa.timestamp("ns"))
    write(pa.table({"t": stamps}), tmp_path / "t.arrow")
    assert columns(tmp_path / "t.arrow")["t"].numbers.tolist() == [1]


def test_columns_of_unequal_length_are_no_table(tmp_path):
    with pytest.raises(ValueError, match="table: column 'x' has 3 rows, column 'y' has 2"):
        as_table({"x": [1, 2, 3], "y": [1, 2]})
    np.savez(tmp_path / "t.npz", x=np.arange(3), y=np.arange(4))
    assert "column 'x' has 3 rows, column 'y' has 4" in complaint(tmp_path / "t.npz")
    as_table({"x": [1, 2, 3], "s": 7})
    with pytest.raises(TableError, match="no columns"):
        as_table({})


def test_pickles_are_never_loaded(tmp_path):
    class Bomb:
        def __reduce__(self):
            return (pytest.fail, ("a pickle was loaded",))

    bombs = np.array([Bomb()], dtype=object)
    np.save(tmp_path / "t.npy", bombs, allow_pickle=True)
    np.savez(tmp_path / "t.npz", x=bombs)
    assert "never loaded" in complaint(tmp_path / "t.npy")
    assert "never loaded" in complaint(tmp_path / "t.npz")


def test_an_archive_larger_than_memory_is_refused(tmp_path, monkeypatch):
    path = tmp_path / "t.npz"
    np.savez_compressed(path, x=np.zeros(100_000))
    monkeypatch.setattr("os.sysconf", lambda name: 64)
    assert "more than this machine's memory" in complaint(path)


def test_broken_numpy_files(tmp_path):
    path = tmp_path / "t.npy"
    np.save(path, np.arange(100))
    path.write_bytes(path.read_bytes()[:300])
    assert "cannot be read" in complaint(path)
    np.save(path, np.zeros((2, 2, 2)))
    assert "3 dimensions" in complaint(path)
    np.save(path, np.zeros(0))
    assert "no rows" in complaint(path)
    path = tmp_path / "t.npz"
    np.savez_compressed(path, x=np.arange(1000))
    path.write_bytes(path.read_bytes()[:200])
    assert "cannot be read" in complaint(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("x.npy", b"\x93NUMPY\x01\x00garbage")
    assert "cannot be read" in complaint(path)


# -- whatever the format -------------------------------------------------------------------------------------


def test_a_path_that_is_no_table(tmp_path):
    assert "no such file" in complaint(tmp_path / "t.csv")
    assert "known: .csv" in complaint(tmp_path / "t.xlsx")
    assert "known: .csv" in complaint(tmp_path / "t.parquet.gz")
    (tmp_path / "d.csv").mkdir()
    assert "is a directory" in complaint(tmp_path / "d.csv")


def test_only_the_columns_asked_for_are_decoded(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,x\n2,3\n")
    (column,) = read_table(path).read(["a"])
    assert column.numbers.tolist() == [1, 2]
