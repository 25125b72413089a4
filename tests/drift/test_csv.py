"""Tables from CSV files."""

from __future__ import annotations

import gzip
import io
import random

import pytest

from fastdiv.drift import compare, csv_file
from fastdiv.drift.tables import MISSING, TableError, read_table


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
        monkeypatch.setattr(csv_file, "_CHARACTERS", 1)
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

    monkeypatch.setattr(csv_file, "_CHARACTERS", 64)
    monkeypatch.setattr(csv_file, "_ROWS", 5)
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


@pytest.mark.parametrize("cells", [["1,5", "2,25", "-0,1"], ["1,234", "12,345,678.5"], ["1,5", "NA", ""]])
def test_numbers_with_commas_are_words_and_said_to_be(tmp_path, cells):
    (tmp_path / "t.csv").write_text("x;y\n" + "".join(f"{cell};1\n" for cell in cells))
    report = compare(tmp_path / "t.csv", tmp_path / "t.csv")
    (column,) = [c for c in report.columns if c.name == "x"]
    assert column.kind == "categorical"
    assert "--decimal , or --thousands , reads" in column.note
    for text in ("1,5;1\nab;1\n", "1,;2\n", ",5;1\n"):
        (tmp_path / "u.csv").write_text("x;y\n" + text)
        (column,) = read_table(tmp_path / "u.csv").read(["x"])
        assert (column.kind, column.note) == ("categorical", "")


def test_a_file_that_cannot_be_opened_leaves_nothing_to_close(tmp_path):
    """Python 3.13 says so where closing what is half made fails: "Exception ignored in"."""
    with pytest.raises(FileNotFoundError):
        csv_file._Lines(tmp_path / "none.csv")
    lines = csv_file._Lines.__new__(csv_file._Lines)  # what Ctrl-C leaves
    lines.close()
    assert lines.closed


@pytest.mark.parametrize("rest", ["", " 10:30", "T10:30:00+02:00"])
def test_dates_with_slashes_are_those_with_dashes(tmp_path, rest):
    found = []
    for mark in "-/":
        path = tmp_path / f"{'dash' if mark == '-' else 'slash'}.csv"
        days = "".join(f"2012{mark}{month:02}{mark}15{rest}\n" for month in range(1, 13))
        path.write_text(f"day\n{days}")
        found.append(next(iter(read_table(path).read(["day"]))))
    assert [column.kind for column in found] == ["datetime"] * 2
    assert found[0].numbers.tolist() == found[1].numbers.tolist()


@pytest.mark.parametrize("day", ["15/01/2012", "2012/01-15", "2012/1/15", "2012/02/30"])
def test_other_slashes_are_text(tmp_path, day):
    path = tmp_path / "days.csv"
    path.write_text(f"day\n{day}\n{day}\n")
    assert next(iter(read_table(path).read(["day"]))).kind == "categorical"
