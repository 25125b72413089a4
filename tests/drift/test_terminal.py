"""A report on a terminal: as wide as it is, in colours, the first of many columns; in a pipe as ever."""

from __future__ import annotations

import io
import re
import sys

import numpy as np
import pytest

import fastdiv
from fastdiv.drift import render
from fastdiv.drift.render import cut

CODES = re.compile(r"\x1b\[[0-9;]*m")


class Terminal(io.StringIO):
    encoding = "utf-8"

    def isatty(self):
        return True


def _tables(n):
    rng = np.random.default_rng(2)
    a = {
        f"table_of_{i:04d}_measurements_made_in_the_second_room_{i % 5}": rng.normal(size=60)
        for i in range(n)
    }
    a["ö日本語" * 12] = a["\x1b[31mred\x1b[0m\u202e [bold]x"] = rng.normal(size=60)
    b = {name: x + (i % 4 == 0) for i, (name, x) in enumerate(a.items())}
    a["once"] = b["more"] = np.ones(60)
    return a, b


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    found = {}
    for n in (5, 120):
        folder = tmp_path_factory.mktemp("terminal")
        for side, table in zip("ab", _tables(n), strict=True):
            pandas = pytest.importorskip("pandas")
            pandas.DataFrame(table).to_csv(folder / f"{side}.csv", index=False)
        found[n] = [str(folder / f"{side}.csv") for side in "ab"]
    return found


@pytest.fixture
def on_terminal(monkeypatch, run):
    def on_terminal(width, *argv, term="xterm-256color", **environment):
        for name in ("NO_COLOR", "FORCE_COLOR", "COLORTERM", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
            monkeypatch.delenv(name, raising=False)
        for name, value in {"TERM": term, "COLUMNS": str(width), **environment}.items():
            monkeypatch.setenv(name, value)
        stdout = Terminal()
        monkeypatch.setattr(sys, "stdout", stdout)
        code, _, err = run(*argv)
        assert err == ""
        return code, stdout.getvalue()

    return on_terminal


@pytest.mark.parametrize("width", [50, 60, 80, 120, 200])
@pytest.mark.parametrize("rich", [True, False])
def test_it_fits(on_terminal, files, width, rich, monkeypatch):
    if rich:
        pytest.importorskip("rich")
    else:
        monkeypatch.setitem(sys.modules, "rich.console", None)
    code, text = on_terminal(width, *files[5])
    assert code == 0
    assert ("\x1b" in text) == rich
    assert "\u202e" not in text
    sides, table = CODES.sub("", text).replace(" \n", "\n").split("\n\n")[:2]
    lines = [line.rstrip() for line in (sides + "\n" + table).splitlines()]
    assert max(map(render._width, lines)) <= width
    assert any(line.startswith("red [bold]x ") for line in lines)
    names = [line.split("  ")[0] for line in lines if line.startswith("table_of")]
    assert len(names) == 5
    for name in names:  # both ends are there, unless all of it is
        assert re.fullmatch(
            r"table_of_\d{4}_measurements_made_in_the_second_room_\d|table.*\.\.\..*_\d", name
        )


def test_verdicts_are_coloured_and_movers_come_first(on_terminal, files):
    pytest.importorskip("rich")
    _, text = on_terminal(100, *files[5], "--fail-on", "moved")
    assert re.search(r"\x1b\[1;31mmoved a lot", text)
    assert re.search(r"\x1b\[32mnone", text)
    assert re.search(r"\x1b\[1;31mdrift: ", text)
    assert "7 columns: " in CODES.sub("", text)
    verdicts = re.findall(r"^(moved a lot|moved|noise|none) ", CODES.sub("", text), re.MULTILINE)
    order = ["moved a lot", "moved", "noise", "none"]
    assert verdicts == sorted(verdicts, key=order.index)


@pytest.mark.parametrize("environment", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_no_colours_where_none_are_wanted(on_terminal, files, environment):
    _, text = on_terminal(100, *files[5], **environment)
    assert not re.search(r"\x1b\[(\d+;)*3[0-9]", text)


def test_of_very_many_columns_some_are_shown(on_terminal, files):
    code, text = on_terminal(100, *files[120], "--fail-on", "moved")
    text = CODES.sub("", text)
    assert code == 1
    assert len(re.findall(r"^(moved a lot|moved|noise|none)  ", text, re.MULTILINE)) == 25
    assert re.search(r"^not shown: 97 more columns: \d+ moved a lot, ", text, re.MULTILINE)
    assert "more of them: --top N; all: -o report.html" in text
    assert re.search(r"^\.\.\. and \d+ more like this$", text, re.MULTILINE)
    assert text.count("drift: ") == 20
    text = CODES.sub("", on_terminal(100, *files[120], "--top", "60")[1])
    assert len(re.findall(r"^(moved a lot|moved|noise|none)  ", text, re.MULTILINE)) == 60


def test_a_pipe_has_plain_text_and_all_of_it(run, files, monkeypatch):
    code, with_rich, err = run(*files[120])
    assert (code, err) == (0, "")
    monkeypatch.setitem(sys.modules, "rich.console", None)
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert run(*files[120]) == (0, with_rich, "")
    assert "\x1b" not in with_rich
    assert len(re.findall(r"^(moved a lot|moved|noise|none)  ", with_rich, re.MULTILINE)) == 122


@pytest.mark.parametrize(
    "name", ["a" * 50, "日本語の名前です" * 5, "e\u0301" * 40, "ab\u0301c" * 20, "a", ""]
)
@pytest.mark.parametrize("room", [16, 17, 28, 200])
def test_cut(name, room):
    found = cut(name, room)
    assert render._width(found) <= room
    assert found == name or render._width(found) >= room - 3
    if found != name:
        head, tail = found.split("...")
        assert name.startswith(head)
        assert name.endswith(tail)


def test_nothing_to_show():
    pytest.importorskip("rich")
    report = fastdiv.compare({"x": [None, None], "y": [1, 2]}, {"x": [None, None], "y": ["a", "b"]})
    from fastdiv.drift.terminal import shown

    assert "not compared: x: every value is missing on both sides" in shown(report, [], " #", 80)
