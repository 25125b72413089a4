"""A document as one HTML page that needs nothing else: no script, no address; light and dark."""

from __future__ import annotations

import re
from collections.abc import Sequence
from html import escape
from typing import Any

from fastdiv.bench import GROUPS, plots, tables, verdicts
from fastdiv.bench.machine import told
from fastdiv.bench.record import measured

STYLE = """
:root { color-scheme: light dark; }
body { font: 15px/1.5 system-ui, sans-serif; max-width: 76rem; margin: 0 auto; padding: 1rem; }
h1 { font-size: 1.6rem; } h2 { font-size: 1.2rem; margin-top: 2.5rem; }
.wide { overflow-x: auto; margin: 1rem 0; }
.wide svg { display: block; width: 100%; min-width: 40rem; height: auto; }
table { border-collapse: collapse; font-size: 13px; font-variant-numeric: tabular-nums; }
th, td { text-align: left; padding: .2rem .7rem .2rem 0; white-space: nowrap; }
tr { border-bottom: 1px solid color-mix(in srgb, currentColor 15%, transparent); }
td strong { color: light-dark(#b3261e, #ff8a75); }
.about { opacity: .8; font-size: 13px; }
"""


def html(document: dict[str, Any]) -> str:
    about, cases = document["fastdiv"], measured(document)
    parts = ["<h1>fastdiv bench</h1>", f'<p class="about">{escape(document["datetime"])}</p>']
    parts += [f'<p class="about">{escape(line)}</p>' for line in told(about["environment"])]
    parts += _lines(tables.notes(document))
    if "compared" in about:
        parts += ["<h2>What has changed</h2>", *_lines(verdicts.words(about["compared"]))]
    parts += [f"<p>{escape(tables.ABOUT)}</p>", "<h2>Where we lose</h2>", *_lines(tables.losses(cases))]
    for group in about["groups"]:
        here = [case for case in cases if case.suite == group]
        if not here:
            continue
        parts.append(f"<h2>{group}: {escape(GROUPS[group])}</h2>")
        if any(case.goals for case in here):
            parts.append(_table(tables.goals(here)))
        if plots.available():
            for title, svg in plots.plots(group, here):
                parts.append(f'<h3>{escape(title)}</h3><div class="wide">{svg}</div>')
        parts.append(_table(tables.of_cases(here)))
    return (
        '<!doctype html>\n<html lang="en">\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>fastdiv bench</title>\n<style>{STYLE}</style>\n" + "\n".join(parts) + "\n</html>\n"
    )


def _inline(text: str) -> str:
    """Of Markdown, what the tables use: bold."""
    return re.sub(r"\*\*(.+?)\*\*", r"<strong>\1</strong>", escape(text.replace(r"\|", "|")))


def _lines(lines: Sequence[str]) -> list[str]:
    """Paragraphs and lists."""
    parts: list[str] = []
    for line in lines:
        if line.startswith("- "):
            if not parts or not parts[-1].endswith("</ul>"):
                parts.append("<ul></ul>")
            parts[-1] = parts[-1].removesuffix("</ul>") + f"<li>{_inline(line[2:])}</li></ul>"
        elif line:
            parts.append(f"<p>{_inline(line)}</p>")
    return parts


def _table(lines: Sequence[str]) -> str:
    rows = [[cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]] for line in lines]
    head = "".join(f"<th>{_inline(cell)}</th>" for cell in rows[0])
    body = "".join(
        "<tr>" + "".join(f"<td>{_inline(cell)}</td>" for cell in row) + "</tr>\n" for row in rows[2:]
    )
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead>\n<tbody>{body}</tbody></table></div>'
