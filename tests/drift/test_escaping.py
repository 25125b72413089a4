"""Names and values of the data are text, whatever is in them: on every way out, and never a path."""

from __future__ import annotations

import csv
import io
import re
import subprocess
import sys
import unicodedata
import xml.etree.ElementTree as ET
from functools import cache
from html.parser import HTMLParser

import numpy as np
import pytest
from command import shell

import fastdiv
from fastdiv.cli import console
from fastdiv.drift import compare_over, records, render, series_text, terminal
from fastdiv.drift.wording import BLOCKS, clean, spelled

EVIL = {
    "script": "<script>alert(1)</script>",
    "attribute": "\" onmouseover='alert(1)' x=\"",
    "image": "<img src=x onerror=alert(1)>",
    "entities": "&lt;b&gt; &amp;amp; &#60;i&#62;",
    "comment": "<!-- --!> ]]> </title></style>",
    "template": "{{ 7*7 }}{% include 'x' %}",
    "link": "[a](javascript:alert(1)) <http://evil.example>",
    "picture": "![a](http://evil.example/x.png)",
    "cells": "a|b\\|c\n|d|e|",
    "emphasis": "*a* _b_ **c** ~~d~~ `e`",
    "heading": "# a",
    "list": "- a",
    "numbers": "1. a",
    "quote": "> a",
    "formula": "=HYPERLINK(1)",
    "plus": "+1+cmd|' /C calc'!A0",
    "minus": "-1+1",
    "at": "@SUM(1)",
    "tab before a formula": "\t=1+1",
    "line before a formula": "\r\n=1+1",
    "wide formula": "＝1+1",
    "colour": "\x1b[31mred\x1b[0m",
    "title": "\x1b]0;title\x07",
    "clear": "\x9b2J\x1bc",
    "back": "a\x08\x08\x08\rb\x7f",
    "right to left": "\u202egnp.exe\u2066\u200b",
    "nothing": "\x00",
    "surrogate": "\ud800\udcff",
    "rich": "[bold red]x[/] :smile:",
    "formula of TeX": "$\\frac{1}{0}$ $",
    "folders": "../../evil",
    "root": "/evil",
    "drive": "C:\\evil",
    "shell": "$(touch evil); `touch evil`",
    "empty": "",
}
TAGS = re.findall(
    r"\w+",
    "html head meta title style body header h1 h2 p span bdi main div label input select option button table "
    "thead tbody tr th td i s details summary svg script ul li iframe",
)
IN_MARKDOWN = re.findall(r"\w+", "p strong table thead tbody tr th td ul li br")
STEERS = {"Cc", "Cf", "Cs", "Co", "Cn"}


class Html(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.attributes, self.text, self.inside = [], [], "", ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attrs):
        self.tags.append(tag)
        self.attributes += attrs
        self.inside = tag

    def handle_comment(self, data):
        raise AssertionError(data)

    def handle_data(self, data):
        if self.inside != "script":
            self.text += data


def _tables(name):
    rng = np.random.default_rng(3)
    word = rng.choice([f"{name}1", "b"], 80)
    a = {
        name: rng.normal(size=80),
        f"{name}2": word,
        "g": np.repeat([f"{name}3", "h"], 40),
        f"{name}4": [None] * 80,
    }
    return a | {f"{name}5": word}, a | {name: a[name] + 3, f"{name}2": np.array([f"{name}6", "b"] * 40)}


@pytest.fixture(params=EVIL.values(), ids=EVIL)
def name(request):
    return request.param


def _plain(text):
    """Nothing that steers a terminal."""
    assert {c for c in text if unicodedata.category(c) in STEERS} <= {"\n"}
    return text


@cache
def _report(name):
    return fastdiv.compare(*_tables(name))


@cache
def _series(name):
    return compare_over(*_tables(name), by="g")


def test_html(name):
    report = _report(name)
    page = Html(report.to_html())
    assert set(page.tags) <= set(TAGS)
    assert page.tags.count("script") == 2
    assert {
        key for key, _ in page.attributes if key.startswith("on") or key in ("src", "href", "style")
    } == set()
    for told in (name, f"{name}2", f"{name}4", f"{name}5"):
        assert clean(told) in page.text
    _plain(report.to_html())
    frame = Html(report._repr_html_())
    assert frame.tags == ["iframe"]
    assert dict(frame.attributes)["srcdoc"] == report.to_html()


def test_markdown(name):
    markdown_it = pytest.importorskip("markdown_it")
    report, series = _report(name), _series(name)
    for text in (render.markdown(report, []), series_text.markdown(series, [])):
        found = Html(
            markdown_it.MarkdownIt("commonmark").enable(["table", "strikethrough"]).render(_plain(text))
        )
        assert set(found.tags) <= set(IN_MARKDOWN), text
        assert found.tags.count("table") == 1
        assert found.tags.count("li") == len(re.findall("^- ", text, re.MULTILINE)), text
        assert found.attributes == [] or {key for key, _ in found.attributes} == {"style"}
        assert clean(name).strip() in found.text
        rows = found.tags.count("tr")
        assert (found.tags.count("th") + found.tags.count("td")) % rows == 0


def test_csv(name):
    report, series = _report(name), _series(name)
    for text, heads in (
        (records.comma_separated(report, True), records.FLAT),
        (series_text.comma_separated(series, True), ["window", "rows", *records.FLAT]),
    ):
        rows = list(csv.reader(io.StringIO(_plain(text))))
        assert rows[0] == heads
        for row in rows[1:]:
            assert len(row) == len(heads)
            for cell in row:
                assert not cell.lstrip().startswith(tuple("=+@＝＋－＠")), cell
                assert not cell.lstrip().startswith("-") or float(cell) < 0
    names = [row["name"] for row in csv.DictReader(io.StringIO(records.comma_separated(report)))]
    assert clean(name) in names


@pytest.mark.parametrize("rich", [True, False])
def test_terminal(name, rich, monkeypatch):
    if rich:
        console_of = pytest.importorskip("rich.console").Console
        made = console_of(file=io.StringIO(), width=100, force_terminal=True, color_system="standard")
        monkeypatch.setattr(terminal, "_console", lambda _: made)
    else:
        monkeypatch.setattr(terminal, "_console", lambda _: None)
    report = _report(name)
    text = re.sub(r"\x1b\[[0-9;]*m", "", terminal.shown(report, [], BLOCKS, 100))
    _plain(text)
    assert clean(name)[:9].rstrip() in text
    _plain(render.table(report, []))
    _plain(series_text.table(_series(name), []))
    _plain(repr(report))


def test_errors_and_progress(name, capsys, monkeypatch):
    console.say(name)
    with pytest.raises(ValueError) as told:
        fastdiv.compare(*_tables("x"), columns=[name])
    console.say(str(told.value))
    err = capsys.readouterr().err
    assert err.count("\n") == 2
    _plain(err)
    for rich in (True, False):
        stderr = io.StringIO()
        monkeypatch.setattr(stderr, "isatty", lambda: True, raising=False)
        monkeypatch.setattr(stderr, "fileno", lambda: 2)
        monkeypatch.setattr(sys, "stderr", stderr)
        monkeypatch.setattr(console.os, "get_terminal_size", lambda _: console.os.terminal_size((200, 20)))
        if not rich:
            monkeypatch.setattr(console, "_rich_bar", lambda: None)
        bar = console.Bar()
        bar.next = 0
        bar.show(0.5, f"<{name}>")
        bar.close()
        # what moves the cursor and colours is the bar's own
        shown = re.sub(r"\x1b\[[?0-9;]*[a-zA-Z]|\r", "", stderr.getvalue())
        _plain(shown)
        assert rich or f"<{clean(name)}>" in shown


@pytest.mark.filterwarnings("ignore:Glyph:UserWarning")
def test_svg():
    """Names in one picture: the XML is whole, and nothing in it runs."""
    pytest.importorskip("matplotlib")
    rng = np.random.default_rng(3)
    names = [EVIL[key] for key in ("script", "entities", "comment", "formula of TeX", "surrogate", "rich")]
    a = {name: rng.normal(size=50) for name in names}
    report = fastdiv.compare(a, {name: x + 1 for name, x in a.items()})
    import matplotlib as mpl

    out = io.StringIO()
    with mpl.rc_context({"svg.fonttype": "none"}):
        report.plot(len(names)).savefig(out, format="svg")
    tree = ET.fromstring(out.getvalue())
    tags = {element.tag.rpartition("}")[2] for element in tree.iter()}
    assert not tags & {"script", "foreignObject", "image", "a"}
    texts = "".join(tree.itertext())
    assert "<script>alert(1)</script>: moved a lot" in texts
    assert "[bold red]x[/] :smile:" in texts
    assert EVIL["entities"] in texts


OPENED: list[str] | None = None


def _listen(event, arguments):
    if OPENED is not None and event in (
        "open",
        "os.mkdir",
        "os.rename",
        "os.remove",
        "os.listdir",
        "subprocess.Popen",
    ):
        OPENED.extend(str(argument) for argument in arguments)


def test_no_name_becomes_a_path(name, tmp_path, monkeypatch):
    global OPENED
    monkeypatch.chdir(tmp_path)
    marked = f"{name}/unheard-of"
    a, b = _tables(marked)
    fastdiv.compare(a, b).to_html()  # what is imported at first use
    if not getattr(test_no_name_becomes_a_path, "listens", False):
        sys.addaudithook(_listen)
        test_no_name_becomes_a_path.listens = True
    OPENED = []
    try:
        baseline = fastdiv.Baseline.from_table(a)
        baseline.save("a.fdp")
        report = fastdiv.Baseline.load("a.fdp").score(b, thresholds={"columns": {marked: {"alpha": 0.1}}})
        report.to_html(), report.to_dict(), records.comma_separated(report), render.markdown(report, [])
        series_text.table(_series(marked), [])
    finally:
        opened, OPENED = OPENED, None
    assert any("a.fdp" in path for path in opened)
    assert not [path for path in opened if "unheard-of" in path]
    assert [path.name for path in tmp_path.iterdir()] == ["a.fdp"]


@pytest.mark.parametrize(
    "word", ["a b", "it's", "a\u202eb", "2\x1b[31m", "\\ '\x00"[:-1] + "\t", "\U000e0001x"]
)
def test_what_advice_spells_a_shell_takes(word):
    """A column or cell that cannot be seen is told by its escapes."""
    told = spelled(word)
    assert told.isprintable()
    run = subprocess.run(
        ["bash", "-c", f"printf %s {told}"], capture_output=True, check=True, env={"LC_ALL": "C.UTF-8"}
    )
    assert run.stdout.decode() == word


def test_advice_on_a_name_with_control_characters(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("a\u202eb,c\n1,1\nx,2\n3,3\n", encoding="utf-8")
    said = shell("compare", path, path)
    assert r"--categorical $'a\u202eb'" in " ".join((said.stdout + said.stderr).decode().split())
