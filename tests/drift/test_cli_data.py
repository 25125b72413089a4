"""The command: what the data may do to its output."""

from __future__ import annotations

import csv
import io
import json
import os
import re

import pytest
from command import refused, shell

from fastdiv.drift.wording import clean

EVIL = [
    "\x1b[31mred\x1b[0m",
    "\x1b]0;title\x07bell",
    "a|b",
    "<img src=x onerror=alert(1)>",
    "=1+1",
    "x\ny",
    "\u202eabc",
    "日本",
    "[a](b)",
]


@pytest.fixture
def evil(tmp_path):
    path = tmp_path / "evil\x1b[2J.csv"
    with open(path, "w", newline="", encoding="utf-8") as file:
        csv.writer(file).writerows([EVIL, *[[f"\x1b[1m{i % 3}" for _ in EVIL] for i in range(9)]])
    return path


@pytest.mark.parametrize("kind", ["table", "csv", "md"])
def test_nothing_in_the_data_steers_the_terminal(run, evil, kind):
    code, out, err = run(evil, evil, "--format", kind)
    assert (code, err) == (0, "")
    assert not re.search(r"[^\x20-\x7e\n\u00b7\u2581-\u2588日本]", out)
    assert "31m" not in out
    assert "title" not in out
    code, out, err = run(evil, evil, "--columns", "\x1b[5mno")
    assert refused((code, out, err), "no column")
    assert "\x1b" not in err


def test_json_keeps_what_it_escapes(run, evil):
    out = run(evil, evil, "--format", "json")[1]
    assert out.isascii()
    assert "\x1b" not in out
    assert {c["name"] for c in json.loads(out)["columns"]} == set(EVIL)


def test_markdown_escapes_markup(run, evil):
    out = run(evil, evil, "--format", "md")[1]
    assert "a\\|b" in out
    assert "<img" not in out
    assert "\\[a\\](b)" in out
    rows = [line for line in out.splitlines() if line.startswith("|")]
    assert {len(re.findall(r"(?<!\\)\|", row)) for row in rows} == {15}


def test_formulas_are_defused_on_request_only(run, evil):
    def names(*options):
        return [
            row["name"]
            for row in csv.DictReader(io.StringIO(run(evil, evil, "--format", "csv", *options)[1]))
        ]

    assert "=1+1" in names()
    assert "'=1+1" in names("--escape-formulas")
    assert "a|b" in names("--escape-formulas")


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("a\x1b[0;31mb", "ab"),
        ("a\x1b", "a"),
        ("\x1b]8;;http://x\x1b\\link", "link"),
        ("a\x9b31mb", "a31mb"),
        ("a\tb\r\nc", "a b  c"),
        ("\u202e\u200b\u2028z", " z"),
        ("\ud800", ""),
        ("naïve 日本 🙂", "naïve 日本 🙂"),
    ],
)
def test_clean(text, left):
    assert clean(text) == left


def test_wide_characters_keep_the_table_straight(run, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("日本,abcd\n1,1\n2,2\n", encoding="utf-8")
    lines = run(path, path)[1].splitlines()
    narrow, wide = (next(line for line in lines if line.startswith(name)) for name in ("abcd", "日本"))
    assert narrow.index("numeric") == wide.index("numeric") + 2


def test_long_names_and_small_shares_keep_to_their_columns(run, tmp_path):
    path = tmp_path / "t.csv"
    name = "a_name_that_is_too_long_for_any_table"
    path.write_text(f"{name},y\n" + ",1\n" + "1,2\n" * 9999)
    lines = run(path, path)[1].splitlines()
    row = next(line for line in lines if line.startswith(f"{name[:13]}...{name[-12:]}  numeric"))
    assert "<0.1%" in row
    assert name in run(path, path, "--format", "md")[1].replace("\\", "")


def test_a_terminal_without_blocks_gets_ascii(tables):
    done = shell("compare", *tables, env=os.environ | {"PYTHONIOENCODING": "ascii", "PYTHONUTF8": "0"})
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout.isascii()
    assert re.search(rb"current +\d.*[#@]", done.stdout)
