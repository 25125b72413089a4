"""Formulas as MathML, which browsers draw themselves: pages ask no other server for a script."""

import re

from docutils import nodes
from latex2mathml.converter import convert
from sphinx.application import Sphinx
from sphinx.writers.html5 import HTML5Translator

# what a function is of stands apart from its name, but for a bracket or an index
NAMES = re.compile(
    r"(?<!<msub>)(?<!<msup>)(<mi>(?:log|ln|exp|sin|cos|arg)</mi>)(?!<mo[^>]*>(?:&#x00028;|\()|</m)"
)


def mathml(latex: str, display: str) -> str:
    text = convert(latex, display=display)
    unknown = re.search(r"\\\w+", text)
    if unknown:
        raise ValueError(f"latex2mathml does not know {unknown[0]} in {latex}")
    return NAMES.sub(r'\1<mspace width="0.17em"/>', text)


def inline(page: HTML5Translator, node: nodes.math) -> None:
    page.body.append(mathml(node.astext(), "inline"))
    raise nodes.SkipNode


def block(page: HTML5Translator, node: nodes.math_block) -> None:
    page.body.append(f'<div class="formula">{mathml(node.astext(), "block")}</div>\n')
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    app.add_html_math_renderer("mathml", (inline, None), (block, None))
