"""The page of a comparison in Chromium: what one sees, clicks and types, on screens, on paper, in the dark.

Run by ``make test-browser``, in an environment that has Playwright, over Debian's Chromium.
"""

import re
from itertools import pairwise

import numpy as np
import pytest

import fastdiv
from fastdiv.drift.contribution import contributions, steps

pytest.importorskip("playwright.sync_api")

SCRIPT = "<script>alert(1)</script>"
ROWS = "#columns tbody tr:not(.d)"


def _tables():
    rng = np.random.default_rng(4)
    n = 1500
    a = {
        "steady": rng.normal(size=n),
        "moved": rng.normal(size=n),
        "skewed": np.exp(3 * rng.normal(size=n)),
        "few": rng.integers(0, 5, n),
        "day": np.datetime64("2013-01-01", "s") + rng.integers(0, 10**7, n),
        "word": rng.choice([f"word{i}" for i in range(40)], n, p=np.arange(1, 41) / 820),
        "flag": rng.random(n) < 0.3,
        "half": np.where(rng.random(n) < 0.5, np.nan, 1.5 + rng.integers(0, 9, n)),
        SCRIPT: rng.choice(["<img src=x onerror=alert(2)>", "</script><b>x", "'\"&"], n),
        "constant": np.ones(n),
        "offset": 2013 + rng.random(n) / 1000,
        "moment": np.datetime64("2013-01-01", "us") + rng.integers(0, 10**5, n),
        "huge": rng.normal(size=n) * 1e150,
        "tiny": rng.normal(size=n) * 1e-150,
        "number": np.arange(n),
        "forty letters and more make a long name for one column": rng.normal(size=n),
    }
    b = {name: x[rng.permutation(n)[: n - 100]] for name, x in a.items()}
    b["offset"] = b["offset"] + 0.0005
    b["moment"] = b["moment"] + np.timedelta64(40_000, "us")
    b["huge"], b["tiny"] = b["huge"] * 2, b["tiny"] * 2
    b["moved"] = b["moved"] * 1.3 + 1
    b["skewed"] = b["skewed"] * 2
    b["day"] = b["day"] + np.timedelta64(10**6, "s")
    b["word"] = rng.choice([f"word{i}" for i in range(1, 42)], n - 100)
    b["half"] = np.where(rng.random(n - 100) < 0.9, np.nan, 2.5)
    return a, b


@pytest.fixture(scope="module")
def report():
    return fastdiv.compare(*_tables())


@pytest.fixture(scope="module")
def path(report, tmp_path_factory):
    file = tmp_path_factory.mktemp("page") / "report.html"
    file.write_text(report.to_html(), encoding="utf-8")
    return file


@pytest.fixture
def visit(browser, path):
    """Opens a page; at the end nothing was asked of the network, nothing complained of, nothing alerted."""
    pages, wrong = [], []

    def visit(file=path, **options):
        page = browser.new_page(**options)
        pages.append(page)
        page.on("console", lambda message: wrong.append(message.text))
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("dialog", lambda dialog: (wrong.append(dialog.message), dialog.dismiss()))
        page.on("request", lambda request: request.url == file.as_uri() or wrong.append(request.url))
        page.goto(file.as_uri())
        return page

    yield visit
    for page in pages:
        page.close()
    assert wrong == []


def names(page):
    return list(page.locator(f"{ROWS}:visible th bdi").all_inner_texts())


def button(page, name):
    """That of the column's row."""
    return page.locator(f"{ROWS} th button").filter(has_text=re.compile(f"^{re.escape(name)}$"))


def test_it_opens_with_the_first_mover(visit, report):
    page = visit()
    assert names(page) == [c.name for c in report.columns]
    assert page.locator("#shown").inner_text() == f"{len(report.columns)} of {len(report.columns)} columns"
    assert page.locator("tr.d").count() == 1
    assert page.locator(f"{ROWS} td.spark svg rect").count() > 20 * len(report.columns)


def test_a_name_is_text(visit):
    page = visit()
    button(page, SCRIPT).click()
    assert page.locator("script").count() == 2
    assert page.locator("img").count() == 0
    detail = page.locator("tr.d").last.inner_text()
    assert "<img src=x" in detail
    assert "</script><b>x" in detail


def test_sorting(visit, report):
    page = visit()
    heads = page.locator("#columns thead th")
    for head, key in (("JS", "js"), ("W1/sd", "w1_over_sd"), ("PSI", "psi"), ("KL", "kl")):
        values = {c.name: -1.0 if getattr(c, key) is None else getattr(c, key) for c in report.columns}
        place = heads.filter(has_text=head)
        for direction, sign in (("descending", -1), ("ascending", 1)):
            place.get_by_role("button").click()
            assert place.get_attribute("aria-sort") == direction
            assert page.locator("th[aria-sort]").count() == 1
            shown = [sign * values[name] for name in names(page)]
            assert all(x <= y for x, y in pairwise(shown)), (head, direction)
    # what is open goes where its column goes
    first = report.columns[0].name
    assert (
        page.locator("tr.d").evaluate("row => row.previousSibling.querySelector('bdi').textContent") == first
    )
    heads.first.get_by_role("button").click()
    assert names(page) == sorted(names(page), key=str.lower)


def test_search_and_filter(visit, report):
    page = visit()
    page.locator("#find").fill("OV")
    assert names(page) == ["moved"]
    assert page.locator("#shown").inner_text() == f"1 of {len(report.columns)} columns"
    page.locator("#find").fill("<scr")
    assert names(page) == [SCRIPT]
    page.locator("#find").fill("nothing of that name")
    assert names(page) == []
    assert page.locator("tr.d:visible").count() == 0
    page.locator("#find").fill("")
    for verdict in {c.verdict for c in report.columns}:
        page.locator("#which").select_option(verdict)
        assert names(page) == [c.name for c in report.columns if c.verdict == verdict]
    page.locator("#which").select_option("")
    assert names(page) == [c.name for c in report.columns]


def test_opening(visit, report):
    page = visit()
    everything = page.locator("#all")
    everything.click()
    assert page.locator("tr.d").count() == len(report.columns)
    kinds = {c.name: c.kind for c in report.columns}
    for c in report.columns:
        row = button(page, c.name)
        assert row.get_attribute("aria-expanded") == "true"
        pictures = row.locator("xpath=ancestor::tr/following-sibling::tr[1]").locator("figure")
        least = 3 if kinds[c.name] in ("numeric", "datetime") and c.w1 else 2
        assert pictures.count() >= least, c.name
        assert "NaN" not in pictures.first.evaluate("e => e.closest('tr').innerHTML")
        assert "undefined" not in pictures.first.evaluate("e => e.closest('tr').innerHTML")
    everything.click()
    assert page.locator("tr.d").count() == 0
    button(page, "word").click()
    detail = page.locator("tr.d").inner_text()
    assert "word40" in detail
    assert "categories of the current only: word41" in detail


def _points(page, cls):
    path = page.locator(f"tr.d path.{cls}").first.get_attribute("d")
    return np.array([pair.split() for pair in path[1:].split("L")], float)


@pytest.mark.parametrize("name", ["steady", "moved", "skewed", "few", "half", "day"])
def test_the_distribution_functions_are_drawn_where_they_are(visit, report, name):
    page = visit()
    page.locator("#all").click()
    page.locator("#all").click()
    button(page, name).click()
    (c,) = (c for c in report.columns if c.name == name)
    x, p, q = np.array(steps(c)).T
    across = 38 + 276 * (x - x[0]) / (x[-1] - x[0])
    for cls, share in (("la", p), ("lb", q)):
        drawn = _points(page, cls)
        np.testing.assert_allclose(drawn[:, 0], across, atol=0.3)
        np.testing.assert_allclose(drawn[:, 1], 10 + 122 * (1 - share), atol=0.3)
    bars = page.locator("tr.d figure").first
    heights = np.array([*c.bars_baseline, *c.bars_current])
    drawn = [float(r.get_attribute("height")) for r in bars.locator("rect").all()]
    shown = heights[heights > 0] / heights.max() * 126
    np.testing.assert_allclose(drawn, np.maximum(shown, 0.7), atol=0.2)
    most = max(contributions(c, report.pseudocount), key=lambda part: part.js_squared)
    share = 100 * most.js_squared / c.js**2
    assert f"{share:.0f} %" in page.locator("tr.d figure").last.locator("text").nth(1).text_content()


OUTLINE = "(s => [s.outlineStyle, s.outlineWidth])(getComputedStyle(document.activeElement))"


OVERLAPS = """() => [...document.querySelectorAll("tr.d svg")].flatMap(svg => {
  const box = e => e.getBoundingClientRect(), {left, right} = box(svg);
  const all = [...svg.querySelectorAll("text")].map(t => [t.textContent, box(t)]);
  const out = all.filter(([, r]) => r.left < left - 4 || r.right > right + 4).map(([text]) => text);
  const beside = (a, b) => a.right <= b.left || b.right <= a.left;
  const above = (a, b) => a.bottom <= b.top + 3 || b.bottom <= a.top + 3;
  const on = ([, a]) => ([, b]) => !beside(a, b) && !above(a, b);
  return out.concat(all.flatMap((t, i) => all.slice(0, i).filter(on(t)).map(u => t[0] + " | " + u[0])));
})"""


def test_no_text_lies_on_another(visit):
    page = visit()
    page.locator("#all").click()
    assert page.evaluate(OVERLAPS) == []
    labels = page.locator("tr.d svg text").all_text_contents()
    assert any(re.match(r"2013\.000\d+ …", text) for text in labels)
    assert any(re.match(r"00:00:00\.0\d+ …", text) for text in labels)


def test_by_keyboard_alone(visit, report):
    page = visit()
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.id") == "find"
    page.keyboard.type("moved")
    assert names(page) == ["moved"]
    for _ in range(5):
        page.keyboard.press("Backspace")
    seen = []
    for _ in range(3 + 8 + len(report.columns)):
        page.keyboard.press("Tab")
        seen.append(page.evaluate("document.activeElement.textContent"))
        kind, width = page.evaluate(OUTLINE)
        assert kind == "solid", seen
        assert float(width.removesuffix("px")) >= 2, seen
    assert [c.name for c in report.columns][:3] == seen[10:13]
    button(page, report.columns[1].name).focus()
    for key in ("Enter", "Space"):
        page.keyboard.press(key)
        assert page.locator("tr.d").count() == (2 if key == "Enter" else 1)
    page.locator("#which").focus()
    page.keyboard.press("ArrowDown")
    assert len(names(page)) < len(report.columns)


CONTRAST = """() => {
  const rgb = text => text.match(/[\\d.]+/g).map(Number);
  const linear = x => x <= .04045 ? x / 12.92 : ((x + .055) / 1.055) ** 2.4;
  const light = c => [.2126, .7152, .0722].reduce((sum, w, i) => sum + w * linear(c[i] / 255), .05);
  const under = e => {
    const c = rgb(getComputedStyle(e).backgroundColor);
    return c.length < 4 || c[3] ? c : e.parentElement ? under(e.parentElement) : [255, 255, 255];
  };
  const told = e => e.checkVisibility() && [...e.childNodes].some(n => n.nodeType === 3 && n.data.trim());
  return [...document.querySelectorAll("body *")].filter(told).map(e => {
    const style = getComputedStyle(e);
    const a = light(rgb(e instanceof SVGElement ? style.fill : style.color)), b = light(under(e));
    return [Math.max(a, b) / Math.min(a, b), e.tagName + " " + e.textContent.slice(0, 20)];
  });
}"""


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_contrast(visit, scheme):
    """WCAG 2.2, level AA: 4.5 for texts."""
    page = visit(color_scheme=scheme)
    page.locator("summary").click()
    page.locator("#all").click()
    found = page.evaluate(CONTRAST)
    assert len(found) > 100
    assert [what for ratio, what in found if ratio < 4.5] == []
    dark = page.evaluate("getComputedStyle(document.body).backgroundColor") != "rgb(255, 255, 255)"
    assert dark == (scheme == "dark")


@pytest.mark.parametrize("width", [320, 390, 768])
def test_on_small_screens(visit, width):
    """The table scrolls within itself, never the page; pictures fit."""
    page = visit(viewport={"width": width, "height": 800})
    page.locator("#all").click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    for box in page.locator("tr.d svg").evaluate_all("all => all.map(e => e.getBoundingClientRect().right)"):
        assert box <= width


def test_on_paper(visit):
    page = visit(color_scheme="dark")
    page.emulate_media(media="print")
    assert not page.locator("#tools").is_visible()
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(255, 255, 255)"
    assert page.locator("details").get_attribute("open") is None
    assert page.pdf(format="A4").startswith(b"%PDF")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details p").first.is_visible()
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert not page.locator("details p").first.is_visible()


def test_without_a_script(browser, path, report):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto(path.as_uri())
    assert names(page) == [c.name for c in report.columns]
    assert not page.locator("#tools").is_visible()
    for c, row in zip(report.columns, page.locator(ROWS).all(), strict=True):
        assert [c.verdict, f"{c.js:.3f}"] == [
            row.locator("td").nth(0).inner_text(),
            row.locator("td").nth(2).inner_text().split("<")[0][:5],
        ] or c.js < 0.0005
    context.close()


def test_in_a_notebook(visit, report, tmp_path):
    file = tmp_path / "notebook.html"
    file.write_text(f'<!DOCTYPE html><meta charset="utf-8"><title>n</title>{report._repr_html_()}', "utf-8")
    page = visit(file)
    frame = page.frame_locator("iframe")
    assert frame.locator(ROWS).count() == len(report.columns)
    frame.locator("#find").fill("moved")
    assert frame.locator(f"{ROWS}:visible").count() == 1


def test_many_columns(visit, tmp_path):
    rng = np.random.default_rng(7)
    a = {f"c{i}": rng.normal(size=60) for i in range(300)}
    file = tmp_path / "many.html"
    file.write_text(fastdiv.compare(a, {name: x + 1 for name, x in a.items()}).to_html(), "utf-8")
    page = visit(file)
    page.locator("#find").fill("c29")
    assert sorted(names(page)) == sorted(["c29", *(f"c29{i}" for i in range(10))])
