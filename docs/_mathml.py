"""Formulas as MathML, which browsers draw, and the font that they need: pages ask no other server."""

import html
import re
from importlib.resources import files

from docutils import nodes
from fontTools import subset
from fontTools.ttLib import TTFont
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

NAME = r"<mi>(?:log|ln|exp|sin|cos|arg)</mi>"
SPACE = '<mspace width="0.17em"/>'
MINUS = "<mo>&#x02212;</mo>"
# what latex2mathml leaves to chance: (where, what instead)
SPACING = [
    # a function's name stands apart from what it is of, but for a bracket or an index, and from its factor
    (rf"(?<!<msub>)(?<!<msup>)({NAME})(?!<mo[^>]*>(?:&#x00028;|\()|</m)", rf"\1{SPACE}"),
    (rf"(</m(?:sub|sup|subsup|i|n|frac|sqrt)>)((?:<msub>)?{NAME})", rf"\1{SPACE}\2"),
    # bars are brackets; a minus behind a bracket, a comma or a relation is a sign
    (r"(<mo[^>]*)(>&#x0007C;</mo>)", r'\1 lspace="0" rspace="0"\2'),
    (
        rf"(<mo[^>]*>(?:&#x00028;|\[|=|&#x0003D;|&#x02265;|&#x02264;|&#x0002C;)</mo>){MINUS}",
        r'\1<mo form="prefix">&#x02212;</mo>',
    ),
]


def mathml(latex: str, display: str) -> str:
    text = convert(latex, display=display)
    unknown = re.search(r"\\\w+", text)
    if unknown:
        raise ValueError(f"latex2mathml does not know {unknown[0]} in {latex}")
    for where, instead in SPACING:
        text = re.sub(where, instead, text)
    if display == "block":  # what is varied stands below
        text = re.sub(r"<msub>(<mo>(?:max|min)</mo><mi>\w</mi>)</msub>", r"<munder>\1</munder>", text)
    return text


def inline(page: HTML5Translator, node: nodes.math) -> None:
    page.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(page: HTML5Translator, node: nodes.math_block) -> None:
    page.body.append(f'<div class="formula">{mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


# Exponents, roots and big signs are placed by a table that few fonts have. STIX Two Math (Open Font License)
# comes with ziamath; the pages get its signs that they use, and what browsers draw for <msqrt> and <mi>.
DRAWN = [0x210E, ord("√"), *range(0x1D434, 0x1D468), *range(0x1D6E2, 0x1D71C)]


def font(app: Sphinx, failed: Exception | None) -> None:
    if failed or app.builder.format != "html":
        return
    pages = (page.read_text(encoding="utf-8") for page in app.outdir.rglob("*.html"))
    formulas = (formula for page in pages for formula in re.findall(r"<math.*?</math>", page, re.DOTALL))
    signs = set(html.unescape(re.sub(r"<[^>]+>", "", " ".join(formulas))))
    stix = TTFont(files("ziamath") / "fonts" / "STIXTwoMath-Regular.ttf")
    cut = subset.Subsetter(subset.Options(flavor="woff", hinting=False, layout_features=["ssty", "dtls"]))
    cut.populate(unicodes=[*map(ord, signs), *DRAWN])
    cut.subset(stix)
    stix.flavor = "woff"
    stix.save(app.outdir / "_static" / "formulas.woff")


def setup(app: Sphinx) -> None:
    app.connect("build-finished", font)
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
