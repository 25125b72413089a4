"""Tables: every format gives the same columns, and every broken file one line that says what is wrong."""

from __future__ import annotations

import datetime as dt
import sys
import zipfile

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.feather
import pyarrow.parquet as pq
import pytest

from fastdiv.drift.tables import TableError, as_table, read_table


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


def test_times_of_96_bits_are_those_that_were_written(tmp_path):
    ends = [
        dt.datetime(1, 1, 1),
        dt.datetime(1583, 1, 1),
        dt.datetime(2026, 1, 1, 12),
        dt.datetime(9999, 12, 31),
    ]
    table = pa.table({"t": pa.array(ends, pa.timestamp("us"))})
    pq.write_table(table, tmp_path / "t.parquet", use_deprecated_int96_timestamps=True)  # as Spark does
    assert columns(tmp_path / "t.parquet")["t"].numbers.tolist() == table["t"].cast(pa.int64()).to_pylist()


@pytest.mark.parametrize("kind", ["M8", "m8"])
def test_nanoseconds_are_the_same_in_every_table_before_1970_and_after(tmp_path, kind):
    times = np.array([-1_000_001, -1_000_000, -999_999, -1, 0, 1, 999, 1000, 1999], f"{kind}[ns]")
    table = pa.table({"t": times})
    pq.write_table(table, tmp_path / "t.parquet")
    np.save(tmp_path / "t.npy", times)
    objects = np.array([pd.Timestamp(x) if kind == "M8" else x for x in times] + [None], object)
    nanos = times.view(np.int64)
    expected = np.floor_divide(nanos, 1000) if kind == "M8" else nanos / 1e9
    tables = (
        as_table(table),
        as_table({"t": times}),
        as_table({"t": objects}),
        read_table(tmp_path / "t.parquet"),
    )
    for found in tables:
        (column,) = found.read(["t"])
        assert column.numbers.tolist() == expected.tolist()
    assert columns(tmp_path / "t.npy")["value"].numbers.tolist() == expected.tolist()


@pytest.mark.filterwarnings("ignore:The 'generic' unit")  # of no unit, which NumPy will refuse one day
@pytest.mark.parametrize("order", "<>")
@pytest.mark.parametrize("unit", ["", "[us]", "[25us]", "[ns]", "[500ns]", "[ps]", "[2s]", "[W]"])
def test_units_of_any_size_and_byte_order_are_numbers(unit, order):
    durations = np.array([-3, 0, 7, 10**6], f"{order}m8{unit}")
    tick = {"": 10**6, "[us]": 10**6, "[25us]": 25 * 10**6, "[ns]": 1000, "[500ns]": 500_000, "[ps]": 1}.get(
        unit
    )
    tick = tick if tick is not None else 10**12 * {"[2s]": 2, "[W]": 604_800}[unit]
    (column,) = as_table({"x": durations}).read(["x"])
    exact = [x * tick / 10**12 for x in (-3, 0, 7, 10**6)]
    if unit == "[ps]":
        exact = [-1e-9, 0.0, 0.0, 1e-6]  # down to nanoseconds
    assert column.numbers.tolist() == exact


def test_a_duration_is_the_same_number_in_every_unit():
    days = np.array([0, 1, 104, 105, 36_500, 90_000, -36_501])
    for unit, per_day in (
        ("D", 1),
        ("s", 86_400),
        ("ms", 86_400_000),
        ("us", 86_400 * 10**6),
        ("ns", 86_400 * 10**9),
    ):
        extra = {"us": 7, "ns": 7000}.get(unit, 0)
        times = (days * per_day + extra).astype(f"m8[{unit}]")
        expected = [(d * 86_400 * 10**6 + (7 if extra else 0)) / 10**6 for d in days.tolist()]
        for found in (as_table({"t": times}), as_table({"t": list(times)})):
            (column,) = found.read(["t"])
            assert column.numbers.tolist() == expected


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
    assert "the folder has no table in it" in complaint(tmp_path / "d.csv")


def test_only_the_columns_asked_for_are_decoded(tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a,b\n1,x\n2,3\n")
    (column,) = read_table(path).read(["a"])
    assert column.numbers.tolist() == [1, 2]


def test_no_table_at_all():
    with pytest.raises(TableError, match=r"^no table is named$"):
        read_table([])
