"""The report as a page, and the contributions it draws."""

from __future__ import annotations

import re
import sys
from html.parser import HTMLParser

import numpy as np
import pytest

import fastdiv
from fastdiv.drift import contributions
from fastdiv.drift.contribution import w1_remainder

VOID = {"meta", "input", "br", "link"}
# what a tag ends that may do without its own end
IMPLIED = {"td": {"td", "th"}, "th": {"td", "th"}, "tr": {"td", "th", "tr"}, "/tbody": {"td", "th", "tr"}}


class Page(HTMLParser):
    """Tags that close as they open, the texts, and the elements that could load or run anything."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open, self.tags, self.texts, self.attributes = [], [], [], []
        self.feed(text)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag, attrs):
        self._end_implied(tag)
        self.tags.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def _end_implied(self, tag):
        while self.open and self.open[-1] in IMPLIED.get(tag, ()):
            self.open.pop()

    def handle_endtag(self, tag):
        self._end_implied(f"/{tag}")
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.texts.append(data)


def _table(seed: int, shift: float = 0.0) -> dict:
    rng = np.random.default_rng(seed)
    n = 2000
    return {
        "normal": rng.normal(shift, 1, n),
        "whole": rng.poisson(4 + shift, n),
        "word": rng.choice(["a", "b", "c</script>", "d"], n, p=[0.4 + shift / 4, 0.3 - shift / 4, 0.2, 0.1]),
        "day": np.datetime64("2013-01-01", "s") + rng.integers(0, 10**6 * (1 + round(4 * shift)), n),
    }


@pytest.fixture(scope="module")
def report():
    return fastdiv.compare(_table(1), _table(2, 0.5))


@pytest.mark.parametrize(
    "name",
    [
        "<script>alert(1)</script>",
        "\"'><img src=x onerror=y>",
        "a\x00\x1b[31mb",
        "\u202egnp.exe",
        "{{ 7*7 }}",
    ],
)
def test_names_are_text(name):
    data = {name: ["<b>", "</script>", "'\""] * 20, "x": [1.0, 2.0] * 30}
    text = fastdiv.compare(data, data).to_html()
    page = Page(text)
    assert page.tags.count("script") == 2
    assert not {"img", "b"} & set(page.tags)
    assert not [key for key, _ in page.attributes if key.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\u202a-\u202e]", text)
    if name.isprintable():
        assert name in page.texts


def test_needs_no_network(report):
    page = Page(report.to_html())
    assert "://" not in report.to_html()
    assert not {"src", "href", "srcset", "action"} & {key for key, _ in page.attributes}


def test_shows_verdicts_noise_and_numbers_without_a_script(report):
    text = " ".join(Page(report.to_html()).texts)
    for c in report.columns:
        assert c.name in text
        assert c.verdict in text
        assert f"{c.js:.3f}" in text
        assert f"{c.noise.js:.3f}" in text


def test_notebooks_get_a_frame(report):
    page = Page(report._repr_html_())
    assert page.tags == ["iframe"]
    assert dict(page.attributes)["srcdoc"] == report.to_html()


def test_to_dict(report):
    found = report.to_dict()
    assert [c["name"] for c in found["columns"]] == [c.name for c in report.columns]
    assert [c["js_distance"] for c in found["columns"]] == [c.js for c in report.columns]


def test_without_jinja2(report, monkeypatch):
    from fastdiv.drift import html

    html.template.cache_clear()
    monkeypatch.setitem(sys.modules, "jinja2", None)
    with pytest.raises(ImportError, match=r"^HTML reports need Jinja2: pip install 'fastdiv\[report\]'$"):
        report.to_html()
    assert report._repr_html_() is None


def test_the_command(tmp_path, run):
    for name, shift in (("a", 0.0), ("b", 0.5)):
        np.savez(tmp_path / f"{name}.npz", x=_table(1, shift)["normal"])
    paths = [str(tmp_path / name) for name in ("a.npz", "b.npz", "r.html")]
    assert run(*paths[:2], "-o", paths[2]) == (0, "", "")
    assert "x" in Page((tmp_path / "r.html").read_text()).texts


@pytest.mark.parametrize("pseudocount", [0.5, 1e-3])
@pytest.mark.parametrize("shift", [0.0, 0.02, 0.5])
def test_contributions_add_up(pseudocount, shift):
    report = fastdiv.compare(_table(1), _table(2, shift), pseudocount=pseudocount)
    for c in report.columns:
        parts = contributions(c, pseudocount)
        assert [part.label for part in parts] == [b.label for b in c.bins]
        assert sum(part.kl for part in parts) == pytest.approx(c.kl, rel=1e-12, abs=1e-15)
        assert sum(part.psi for part in parts) == pytest.approx(c.psi, rel=1e-12, abs=1e-15)
        assert sum(part.js_squared for part in parts) == pytest.approx(c.js**2, rel=1e-12, abs=1e-15)
        assert min(min(part.kl, part.psi, part.js_squared) for part in parts) >= 0
        if c.w1 is None:
            assert w1_remainder(c, parts) is None
            assert {part.w1 for part in parts} == {None}


def test_areas_of_single_values_are_all_of_w1():
    a, b = {"x": [1, 2, 3, 7] * 30}, {"x": [1, 3, 3, 7] * 20 + [2, 2, 7, 7] * 10}
    (c,) = fastdiv.compare(a, b).columns
    parts = contributions(c)
    assert sum(part.w1 for part in parts) == pytest.approx(c.w1, rel=1e-12)
    assert w1_remainder(c, parts) == pytest.approx(0, abs=1e-12)
