"""``make report``: the tables of README.md and docs/benchmarks.md, made of bench/report.json and never typed.

A block stands between ``<!-- report: NAME -->`` and ``<!-- end -->``. ``python -m bench.pages`` writes them.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from fastdiv.bench import tables
from fastdiv.bench.machine import told
from fastdiv.bench.record import measured, read

ROOT = Path(__file__).parents[1]
STORED = ROOT / "bench" / "report.json"
PAGES = ("README.md", "docs/benchmarks.md")
BLOCK = re.compile(r"(<!-- report: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)


def block(document: dict[str, Any], name: str) -> str:
    """Machine, losses, or the tables of a group."""
    if name == "machine":
        lines = [document["datetime"][:10] + ".", *told(document["fastdiv"]["environment"])]
        return "\n".join([*lines, *tables.notes(document)])
    cases = measured(document)
    if name == "losses":
        return "\n".join(tables.losses(cases))
    if name == "everyday":
        return "\n".join(tables.goals(case for case in cases if case.suite == name))
    return "\n".join(tables.brief(case for case in cases if case.suite == name))


def written(text: str, document: dict[str, Any]) -> str:
    """A page with its blocks as the document has them."""
    return BLOCK.sub(lambda found: f"{found[1]}{block(document, found[2])}\n{found[3]}", text)


if __name__ == "__main__":
    stored = read(str(STORED))
    for page in PAGES:
        path = ROOT / page
        path.write_text(written(path.read_text(encoding="utf-8"), stored), encoding="utf-8")
