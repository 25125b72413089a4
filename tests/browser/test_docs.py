"""Every page of the documentation in Chromium: on a phone in the dark, and on a screen by day.

Run by ``make test-browser``, which builds the pages first.
"""

from pathlib import Path
from urllib.parse import unquote, urldefrag

import pytest

pytest.importorskip("playwright.sync_api")

BUILT = Path(__file__).parents[2] / "docs" / "_build" / "html"
SEEN = {
    "phone, dark": {"viewport": {"width": 390, "height": 844}, "is_mobile": True, "color_scheme": "dark"},
    "screen, light": {"viewport": {"width": 1400, "height": 900}, "color_scheme": "light"},
}
# What runs over the edge (but where it may be scrolled to), what is hard to read (contrast under 4.5, or 3 in
# large letters: WCAG 1.4.3), headings that skip a level, pictures without words or not loaded; and links.
LOOK = r"""() => {
  const found = [], edge = document.documentElement.clientWidth;
  const said = e => e.textContent.trim().slice(0, 40);
  const scrolls = "pre, .formula, .pst-scrollable-table-container, " +
    "section:has(> svg, > img), figure, .headerlink";
  if (document.documentElement.scrollWidth > edge) found.push("the page scrolls sideways");
  for (const e of document.querySelectorAll("article *")) {
    if (e.getBoundingClientRect().right <= edge + 1 || !e.checkVisibility()) continue;
    if (e.closest(scrolls)) continue;
    found.push(`over the edge: ${e.tagName} ${said(e)}`);
  }
  const canvas = document.createElement("canvas").getContext("2d", {willReadFrequently: true});
  const rgba = colour => {
    canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = colour; canvas.fillRect(0, 0, 1, 1);
    return canvas.getImageData(0, 0, 1, 1).data;
  };
  const over = (a, b) => [0, 1, 2].map(i => a[i] * a[3] / 255 + b[i] * (1 - a[3] / 255));
  const white = [255, 255, 255];
  const behind = e => e ? over(rgba(getComputedStyle(e).backgroundColor), behind(e.parentElement)) : white;
  const light = c => [0.2126, 0.7152, 0.0722].reduce((sum, weight, i) => {
    const x = c[i] / 255;
    return sum + weight * (x <= 0.03928 ? x / 12.92 : ((x + 0.055) / 1.055) ** 2.4);
  }, 0.05);
  const texts = document.createTreeWalker(document.querySelector("main"), NodeFilter.SHOW_TEXT), known = {};
  while (texts.nextNode()) {
    const e = texts.currentNode.parentElement, style = getComputedStyle(e);
    if (!texts.currentNode.data.trim() || e.closest("svg, script, style, .headerlink, form")) continue;
    if (!e.checkVisibility({opacityProperty: true, visibilityProperty: true})) continue;
    const key = [e.tagName, e.className, style.color, e.parentElement.className];
    if (key in known) continue;
    const back = behind(e), [a, b] = [light(over(rgba(style.color), back)), light(back)];
    known[key] = Math.max(a, b) / Math.min(a, b);
    const enough = parseFloat(style.fontSize) >= 24 ? 3 : 4.5;
    if (known[key] < enough) found.push(`contrast ${known[key].toFixed(1)}: ${said(e)}`);
  }
  let level = 0;
  for (const h of document.querySelectorAll("article :is(h1, h2, h3, h4)")) {
    if (h.tagName[1] > level + 1) found.push(`heading: ${said(h)}`);
    level = +h.tagName[1];
  }
  for (const i of document.images) {
    if (!i.naturalWidth) found.push(`not loaded: ${i.src}`);
    if (!i.alt && !i.closest(".sphx-glr-thumbcontainer")) found.push(`says nothing: ${i.src}`);
  }
  if (document.querySelector("article svg:not([aria-label])")) found.push("a drawing without a name");
  const links = [...document.querySelectorAll("a[href]")].map(a => a.href);
  return {found, links, names: [...document.querySelectorAll("[id]")].map(e => e.id)};
}"""


@pytest.fixture(scope="module")
def pages():
    found = [page for page in sorted(BUILT.rglob("*.html")) if "_static" not in page.parts]
    assert found, "make docs builds the pages"
    return found


def listen(page, name, wrong):
    """What a page asks of others, does not get, or complains of."""

    def asked(request):
        if not request.url.startswith((BUILT.as_uri(), "data:", "blob:")):
            wrong.append(f"{name} asks for {request.url}")

    def told(message):
        if message.type in ("error", "warning"):
            wrong.append(f"{name}: {message.text}")

    page.on("request", asked)
    page.on("requestfailed", lambda request: wrong.append(f"{name} lacks {request.url}"))
    page.on("pageerror", lambda error: wrong.append(f"{name}: {error}"))
    page.on("console", told)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("seen", SEEN)
def test_pages(browser, pages, seen):
    wrong, links, names = [], {}, {}
    context = browser.new_context(**SEEN[seen])
    for path in pages:
        page = context.new_page()
        listen(page, path.name, wrong)
        page.goto(path.as_uri())
        looked = page.evaluate(LOOK)
        wrong += [f"{path.name}: {found}" for found in looked["found"]]
        links[path], names[path.as_uri()] = looked["links"], set(looked["names"])
        page.close()
    context.close()
    for path, there in links.items():
        for link in there:
            goal, name = urldefrag(link)
            if goal in names:
                if name and unquote(name) not in names[goal]:
                    wrong.append(f"{path.name}: no {link}")
            elif goal.startswith("file:") and not Path(unquote(goal.removeprefix("file://"))).exists():
                wrong.append(f"{path.name}: no {link}")
    assert not wrong, "\n".join(wrong)
