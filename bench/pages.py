"""``make report``: the tables of README.md and of pages in docs/, made of bench/report.json and never typed.

A block stands between ``<!-- report: NAME -->`` and ``<!-- end -->``. ``python -m bench.pages`` writes them,
and the pictures of sweeps and limits into docs/_static/bench.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastdiv.bench import plots, tables
from fastdiv.bench.machine import told
from fastdiv.bench.record import Measured, measured, read

ROOT = Path(__file__).parents[1]
STORED = ROOT / "bench" / "report.json"
ELSEWHERE = ROOT / "bench" / "report-xeon.json"
"""The shapes that people have, and tables, on another processor: fastdiv bench --group everyday drift."""
PICTURES = ROOT / "docs" / "_static" / "bench"
PAGES = ("README.md", "docs/benchmarks.md", "docs/peers.md")
BLOCK = re.compile(r"(<!-- report: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def block(document: dict[str, Any], name: str) -> str:
    """Machine, losses, or the tables of a group; of another document its machine, and goals of two groups."""
    if name == "elsewhere":
        other = read(str(ELSEWHERE))
        return "\n\n".join(["  \n".join(block(other, "machine").splitlines()), block(other, "everyday")])
    if name == "drift":
        return "\n".join(tables.goals(case for case in measured(read(str(ELSEWHERE))) if case.suite == name))
    if name == "machine":
        lines = [document["datetime"][:10] + ".", *told(document["fastdiv"]["environment"])]
        return "\n".join([*lines, *tables.notes(document)])
    cases = measured(document)
    if name == "losses":
        return "\n".join(tables.losses(cases))
    if name == "everyday":
        return "\n".join(tables.goals(case for case in cases if case.suite == name))
    here = [case for case in cases if case.suite == name]
    if name in ("sweeps", "limits"):
        return "\n".join(pictures(name, here)) or "Not measured in this report."
    return "\n".join(tables.brief(here))


def pictures(group: str, cases: list[Measured]) -> list[str]:
    """What shows a group's pictures on a page of Sphinx, in the colours of the page."""
    lines = []
    for number, title in enumerate(plots.titles(group, cases)):
        lines += [f"### {title}", "", "```{raw} html", f":file: _static/bench/{group}{number}.svg", "```", ""]
    return lines[:-1]


def drawn(document: dict[str, Any]) -> dict[str, str]:
    """The pictures by the names of their files."""
    found = {}
    for group in ("sweeps", "limits"):
        cases = [case for case in measured(document) if case.suite == group]
        for number, (_, svg) in enumerate(plots.plots(group, cases) if cases else ()):
            found[f"{group}{number}.svg"] = svg
    return found


def written(text: str, document: dict[str, Any]) -> str:
    """A page with its blocks as the document has them."""
    return BLOCK.sub(lambda found: f"{found[1]}{block(document, found[2])}\n{found[3]}", text)


if __name__ == "__main__":
    stored = read(str(STORED))
    for page in PAGES:
        path = ROOT / page
        path.write_text(written(path.read_text(encoding="utf-8"), stored), encoding="utf-8")
    PICTURES.mkdir(exist_ok=True)
    for old in PICTURES.glob("*.svg"):
        old.unlink()
    for name, svg in drawn(stored).items():
        (PICTURES / name).write_text(svg, encoding="utf-8")
