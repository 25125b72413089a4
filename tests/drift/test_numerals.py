"""Numbers in CSV files with a decimal comma and separated thousands: read as meant, or not as numbers."""

from __future__ import annotations

import numpy as np
import pytest
from command import refused

from fastdiv.drift import TableError, compare
from fastdiv.drift.numerals import Numerals
from fastdiv.drift.tables import read_table


def _read(tmp_path, text, **marks):
    path = tmp_path / "a.csv"
    path.write_text(text, encoding="utf-8")
    table = read_table(path, **marks)
    return {column.name: column for column in table.read(table.names)}


@pytest.mark.parametrize(
    ("marks", "cells", "numbers"),
    [
        (
            (",", "."),
            ["1.234,5", "-1.234.567", " 12,25 ", "1e3", ",5", "+7,"],
            [1234.5, -1234567, 12.25, 1e3, 0.5, 7],
        ),
        ((",", None), ["1,5", "1234", "inf"], [1.5, 1234, np.inf]),
        ((".", ","), ["1,234.5", "12,34,567", "1,00,000.25"], [1234.5, 1234567, 100000.25]),
        ((".", " "), ["1 234", "12"], [1234, 12]),
        ((".", "'"), ["9'007'199'254'740'993", "1"], [2**53 + 1, 1]),
        ((",", "\u202f"), ["1\u202f234,5"], [1234.5]),
        (("\u066b", None), ["1\u066b5"], [1.5]),
        ((".", "_"), ["1_000"], [1000]),
    ],
)
def test_numbers(marks, cells, numbers):
    array, rounded = Numerals(*marks).read(cells)
    assert array.tolist() == numbers
    assert not rounded
    assert array.dtype == (np.int64 if all(isinstance(x, int) for x in numbers) else np.float64)


@pytest.mark.parametrize(
    ("marks", "cell"),
    [
        ((",", "."), "1.2"),
        ((",", "."), "1.2345"),
        ((",", "."), "1234.567"),
        ((",", "."), "1..234"),
        ((",", "."), "1,234.5"),
        ((",", None), "1.5"),
        ((".", ","), "1,2"),
        ((".", ","), ",123"),
        ((".", ","), "123,"),
        ((",", None), "1,5,2"),
        ((",", None), "\u0661,5"),
        ((",", None), ","),
        ((",", "."), "1\n2"),
    ],
)
def test_no_numbers(marks, cell):
    assert Numerals(*marks).read([cell]) is None


def test_a_table(tmp_path):
    text = "preis;stück;wort\n1.234,50;1.000;a,b\n-0,25;NA;c\n7;12;d\n"
    columns = _read(tmp_path, text, decimal=",", thousands=".")
    assert columns["preis"].numbers.tolist() == [1234.5, -0.25, 7]
    assert columns["stück"].numbers.tolist() == [1000, 12]
    assert columns["stück"].numbers.dtype == np.int64
    assert (columns["stück"].missing, columns["wort"].kind) == (1, "categorical")
    one = _read(tmp_path, "x\n1,5\n2,5\n", decimal=",")  # a comma separates no columns then
    assert one["x"].numbers.tolist() == [1.5, 2.5]
    quoted = _read(tmp_path, 'x,y\n"1,5",2\n"2,5",3\n', decimal=",", delimiter=",")
    assert quoted["x"].numbers.tolist() == [1.5, 2.5]


def test_a_point_that_is_none_is_told(tmp_path):
    columns = _read(tmp_path, "x;y\n" + "1,5;2\n" * 9 + "1.5;2\n", decimal=",", thousands=".")
    assert columns["x"].kind == "mixed"
    assert "mixes numbers and text (line 11: '1.5')" in columns["x"].reason


def test_missing_numbers(tmp_path):
    columns = _read(tmp_path, "x;y\n1,5;2\n-9,9;2\n", decimal=",", missing=["-9,9"])
    assert (columns["x"].numbers.tolist(), columns["x"].missing) == ([1.5], 1)


@pytest.mark.parametrize(
    ("marks", "message"),
    [
        ({"decimal": "5"}, "decimal must be one character that no number has else, not '5'"),
        ({"decimal": ",,"}, "decimal must be one character"),
        ({"thousands": "-"}, "thousands must be one character that no number has else, not '-'"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands must be two characters, not both ','"),
        ({"thousands": "."}, "decimal and thousands must be two characters, not both '.'"),
    ],
)
def test_refused(marks, message, tmp_path):
    (tmp_path / "a.csv").write_text("x\n1\n")
    with pytest.raises(TableError, match=message):
        read_table(tmp_path / "a.csv", **marks)


def test_by_the_command(tmp_path, run):
    ours, theirs = tmp_path / "ours.csv", tmp_path / "theirs.csv"
    numbers = np.random.default_rng(3).normal(2000, 900, 300).round(2)
    ours.write_text("x,w\n" + "".join(f"{x},2\n" for x in numbers.tolist()))
    local = [f"{x:,.2f}".translate({ord(","): ".", ord("."): ","}) for x in numbers.tolist()]
    theirs.write_text("x;w\n" + "".join(f"{x};1,5\n" for x in local))
    report = compare(ours, read_table(theirs, decimal=",", thousands="."))
    assert {c.name: c.w1 for c in report.columns} == {"x": 0, "w": 0.5}
    assert refused(run(ours, theirs, "--thousands", "."), "decimal and thousands must be two characters")
    assert refused(run(ours, theirs, "--decimal", "12"), "'12' is no single mark that numbers have")
    code, out, _ = run(theirs, theirs, "--decimal", ",", "--thousands", ".", "--by", "w")
    assert (code, "1,5" in out) == (0, True)
    code, out, _ = run(theirs, theirs, "--decimal", ",", "--thousands", ".", "--weights", "w")
    assert (code, "2,0" in out) == (0, True)  # the mean is above 2000
