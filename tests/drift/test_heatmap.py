"""Series as a page with a heat map; windows of several files, of much data, and in some order."""

from __future__ import annotations

import csv
import json
import re
from html.parser import HTMLParser
from xml.etree import ElementTree

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import refused

from fastdiv.drift import Series, compare, compare_over
from fastdiv.drift.heatmap import _STEPS

pytest.importorskip("jinja2")


def _tables(days=6, n=400):
    rng = np.random.default_rng(41)
    base = {
        "calm": rng.normal(size=4000),
        "<b>&": rng.normal(size=4000),
        "word": rng.choice(list("ab"), 4000),
    }
    day = np.repeat(np.arange(days), n)
    cur = {
        "calm": rng.normal(size=days * n),
        "<b>&": rng.normal(size=days * n) + (day >= days - 2),
        "word": rng.choice(list("ab"), days * n),
        "day": np.datetime64("2026-03-01", "us") + day * np.timedelta64(1, "D"),
    }
    some = day != 2  # a day without rows
    return base, {name: values[some] for name, values in cur.items()}


class _Page(HTMLParser):
    def __init__(self, text):
        super().__init__()
        self.tags, self.opened = [], []
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.tags.append((tag, dict(attrs)))


def _svg(page):
    text = re.search(r'<svg class="map".*?</svg>', page, re.DOTALL).group()
    return ElementTree.fromstring(text)


def test_every_cell_is_there_twice():
    base, cur = _tables()
    series = compare_over(base, cur, window="1D", time="day").sorted()
    page = series.to_html()
    svg = _svg(page)
    rects = {rect.find("title").text: rect.get("class") for rect in svg.iter("rect")}
    assert len(rects) == 3 * 5
    for name in series.names:
        for window in series.windows:
            cell = series.cell(name, window)
            told = [title for title in rects if title.startswith(f"{name}, {window}: ")]
            assert len(told) == (cell is not None)
            if cell is not None:
                assert f": {cell.verdict}, JS " in told[0]
                excess = np.sqrt(max(0.0, cell.js**2 - cell.noise.js**2))
                assert rects[told[0]] == f"h{sum(excess >= step for step in _STEPS)}"
    marks = [text.text for text in svg.iter("text") if text.get("class", "").startswith("mk")]
    assert marks == ["#", "#"]  # the last two days of the one that moved, which comes first
    names = [text.find("title").text for text in svg.iter("text") if text.get("class") == "nm"]
    assert names == list(series.names)
    assert names[0] == "<b>&"
    body = page.partition("The same as a table")[2].partition("</table>")[0]
    assert body.count("<td>") == 3 * 6
    assert body.count("no rows") == 3
    assert body.count("moved a lot") == 2
    assert "2026-03-05<td><bdi>&lt;b&gt;&amp;</bdi>" in page.partition("<h2>Changes</h2>")[2]


def test_nothing_of_it_needs_a_network_a_script_or_a_mouse():
    base, cur = _tables()
    page = compare_over(base, cur, window="1D", time="day").to_html()
    tags = _Page(page).tags
    assert not {tag for tag, _ in tags} & {"script", "link", "img", "iframe", "object"}
    assert not [attrs for _, attrs in tags if "href" in attrs or "src" in attrs or "style" in attrs]
    assert "url(" not in page
    policy = next(attrs["content"] for tag, attrs in tags if attrs.get("http-equiv"))
    assert policy == "default-src 'none'; style-src 'unsafe-inline'"
    # what scrolls can be reached and has a name
    wide = [attrs for _, attrs in tags if attrs.get("class") == "wide"]
    assert len(wide) == 3
    assert all(
        attrs["tabindex"] == "0" and attrs["role"] == "region" and attrs["aria-label"] for attrs in wide
    )
    assert next(attrs["aria-label"] for tag, attrs in tags if tag == "svg" and attrs.get("role") == "img")
    assert "prefers-color-scheme:dark" in page
    # no colour is written where a theme could not change it
    assert not re.search(r'fill="|stroke="', page)


def test_groups_and_columns_that_were_not_compared():
    base, cur = _tables()
    cur["calm"] = np.where(cur["word"] == "a", np.nan, cur["calm"])
    series = compare_over(base, cur, by="word")
    page = series.to_html()
    assert "<h2>Changes</h2>" not in page
    rects = {rect.find("title").text: rect.get("class") for rect in _svg(page).iter("rect")}
    assert rects["calm, a: not compared: every value is missing in the current"] == "x"
    assert series._repr_html_().startswith('<iframe sandbox="allow-scripts"')


def test_many_cells_stay_below_a_megabyte():
    rng = np.random.default_rng(42)
    table = {f"column {i} {'x' * 40}": rng.integers(0, 3, 60) for i in range(60)}
    report = compare(table, table)
    windows = tuple(map(str, range(200)))
    series = Series("a", "b", "key", "", tuple(table), windows, (report,) * 200)
    page = series.to_html()
    assert len(page) < 1_000_000
    assert len(list(_svg(page).iter("rect"))) == 4000
    assert "40 more columns not shown." in page


def test_by_the_command(tmp_path, run):
    base, cur = _tables()
    paths = [tmp_path / "base.parquet", tmp_path / "cur.parquet"]
    for path, table in zip(paths, (base, cur), strict=True):
        pq.write_table(pa.table(table), path)
    page = tmp_path / "over.html"
    assert run(*paths, "--window", "1D", "--time", "day", "-o", page, "--fail-on", "moved")[0] == 1
    assert "Rule broken: &lt;b&gt;&amp; in 2026-03-05: moved a lot (moved)" in page.read_text()
    assert refused(run(*paths, "--by", "word", "--top", "1"), "must stand without --top")


KEYS = ("verdict", "js", "w1_over_sd", "kl", "psi", "missing", "name", "table")


def test_order_of_columns():
    base, cur = _tables()
    series = compare_over(base, cur, window="1D", time="day")
    assert series.names == ("calm", "<b>&", "word")
    assert series.sorted().names[0] == "<b>&"
    assert series.sorted("name").names == ("<b>&", "calm", "word")
    assert series.sorted("table").names == series.names
    order = np.argsort(-np.nan_to_num(series.matrix("w1_over_sd"), nan=-1).max(axis=1), kind="stable")
    assert series.sorted("w1_over_sd").names == tuple(series.names[i] for i in order)
    with pytest.raises(ValueError, match="key must be verdict, js"):
        series.sorted("size")


def _printed(text, kind):
    """The columns of a series in the order in which each window, or the whole of it, tells of them."""
    if kind == "html":
        return [[mark.find("title").text for mark in _svg(text).iter("text") if mark.get("class") == "nm"]]
    if kind == "md":
        return [next(line for line in text.splitlines() if line.startswith("| word"))[2:-2].split(" | ")[2:]]
    if kind == "table":
        blocks = [block.splitlines() for block in text.split("\n\n")]
        return [[line.split()[0] for line in lines[1:]] for lines in blocks if lines[0].startswith("column")]
    if kind == "json":
        data = json.loads(text)
        return [data["columns"], *([c["name"] for c in window["columns"]] for window in data["windows"])]
    windows = {}
    for row in csv.DictReader(text.splitlines()):
        if row["status"].startswith(("compared", "not compared")):
            windows.setdefault(row["window"], []).append(row["name"])
    return list(windows.values())


@pytest.mark.parametrize("kind", ["table", "md", "csv", "json", "html"])
def test_every_format_is_in_the_order_asked_for(tmp_path, run, kind):
    """Each window, and the whole, tells of the columns in the order of the series."""
    rng = np.random.default_rng(44)
    n = 4000
    base = {name: rng.normal(size=n) for name in ("mean", "calm", "far", "gaps")}
    cur = {name: values.copy() for name, values in base.items()}
    cur["mean"] += 0.4
    cur["far"][:40] += 1e5  # W1 over sd is large, the rest not
    cur["gaps"][::9] = np.nan
    cur["word"] = np.where(np.arange(n) % 2, "a", "b")
    paths = [tmp_path / "base.parquet", tmp_path / "cur.parquet"]
    for path, table in zip(paths, (base | {"word": cur["word"]}, cur), strict=True):
        pq.write_table(pa.table(table), path)
    series = compare_over(*map(str, paths), by="word")
    orders = {key: list(series.sorted(key).names) for key in KEYS}
    for key in ("js", "w1_over_sd", "missing", "name"):
        assert sum(orders[other] == orders[key] for other in ("js", "w1_over_sd", "missing", "name")) == 1
    assert orders["name"] == ["calm", "far", "gaps", "mean"]
    assert orders["table"] == ["mean", "calm", "far", "gaps"]
    for key in KEYS:
        code, out, err = run(*paths, "--by", "word", "--sort", key, "--format", kind)
        assert (code, err) == (0, "")
        printed = _printed(out, kind)
        assert printed == [orders[key]] * {"json": 3, "csv": 2, "table": 2}.get(kind, 1), key


@pytest.mark.parametrize("weights", [None, "w"])
def test_windows_of_a_folder_and_of_more_than_memory(tmp_path, weights):
    base, cur = _tables()
    rng = np.random.default_rng(43)
    base["w"], cur["w"] = rng.integers(0, 4, 4000), rng.integers(0, 4, len(cur["day"]))
    table = pa.table(cur)
    for i in range(4):
        (tmp_path / f"part={i}").mkdir()
        pq.write_table(
            table[i * 600 : i * 600 + 600], tmp_path / f"part={i}" / "a.parquet", row_group_size=170
        )
    how = {"window": "1D", "time": "day", "weights": weights, "exclude": () if weights else ("w",)}
    whole = compare_over(base, table, **how)
    pq.write_table(pa.table(base), tmp_path / "base.parquet")
    for memory in (None, "1MB"):
        told = []
        series = compare_over(
            tmp_path / "base.parquet" if memory else base,
            str(tmp_path / "part=*"),
            memory=memory,
            progress=told.append,
            **how,
        )
        assert (series.windows, series.names, told[-1]) == (whole.windows, whole.names, 1.0)
        for name in whole.names:
            for window in whole.windows:
                cell, own = series.cell(name, window), whole.cell(name, window)
                if own is None:
                    assert cell is None
                    continue
                assert cell.n_current == own.n_current
                if own.w1 is not None:
                    assert abs(cell.w1 - own.w1) <= cell.w1_bound + 1e-12 * own.w1
                if memory is None:
                    assert cell.js == pytest.approx(own.js, rel=1e-12, abs=1e-15)
    by_part = compare_over(base, str(tmp_path / "part=*"), by="part")
    assert by_part.windows == ("0", "1", "2", "3")
    assert [r.rows_current for r in by_part.reports] == [600, 600, 600, 200]
