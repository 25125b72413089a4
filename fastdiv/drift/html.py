"""A drift report as one page that needs no network: bins only, never a value of the data but a bin's ends.

The page's table holds the numbers as text; what a row opens is drawn by the page's own script from the
numbers embedded in it (embedded.py), as short as they are drawn: that keeps a thousand columns under a
megabyte. End tags that HTML lets be left out are. Jinja2 escapes every text, and the embedded JSON holds no
character that could end its element.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Any

from fastdiv.drift.embedded import drawn
from fastdiv.drift.legend import legend
from fastdiv.drift.render import left_out
from fastdiv.drift.rules import RANKS
from fastdiv.drift.wording import clean, distances, noises, p_value, percent

if TYPE_CHECKING:
    from fastdiv.drift.report import ColumnDrift, Report
    from fastdiv.drift.rules import Breach

__all__ = ["framed", "page", "template"]

_STYLES = {"moved": "mv", "moved a lot": "lot"}


def page(report: Report, breaches: Sequence[Breach] = ()) -> str:
    """The page.

    Raises
    ------
    ImportError
        Without Jinja2.
    """
    rows = [_row(c) for c in report.columns]
    verdicts = list(dict.fromkeys(c.verdict for c in report.columns if c.verdict))
    verdicts.sort(key=lambda verdict: -RANKS.get(verdict, 0))
    counted = [(v, sum(c.verdict == v for c in report.columns)) for v in verdicts]
    text: str = template("report.html").render(
        baseline=clean(report.baseline),
        current=clean(report.current),
        rows_baseline=f"{report.rows_baseline:,}",
        rows_current=f"{report.rows_current:,}",
        rows=rows,
        verdicts=counted,
        breaches=[clean(str(breach)) for breach in breaches],
        skipped=[(clean(s.name), clean(s.reason)) for s in report.skipped],
        only=[
            (side, [clean(name) for name in names])
            for side, names in (("baseline", report.only_baseline), ("current", report.only_current))
            if names
        ],
        excluded=[clean(name) for name in report.excluded],
        left_out=left_out(report) if report.left_out else "",
        legend=legend(report),
        data=_embedded(drawn(report)),
    )
    return text


def framed(text: str, height: int) -> str:
    """A page in a frame, for notebooks: neither's styles and names reach the other's."""
    return (
        f'<iframe sandbox="allow-scripts" title="fastdiv" style="width:100%;height:{height}px;border:0"'
        f' srcdoc="{escape(text)}"></iframe>'
    )


@cache
def template(name: str) -> Any:
    """One of the templates, which escapes what it is given."""
    try:
        import jinja2
    except ImportError as error:
        raise ImportError("HTML reports need Jinja2: pip install 'fastdiv[report]'") from error
    loader = jinja2.PackageLoader("fastdiv.drift")
    made = jinja2.Environment(loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True)
    return made.get_template(name)


def _row(c: ColumnDrift) -> dict[str, Any]:
    missing = percent(c.missing_baseline), percent(c.missing_current)
    return {
        "name": clean(c.name) or "(no name)",
        "kind": c.kind,
        "verdict": c.verdict or "-",
        "style": _STYLES.get(c.verdict, "v"),
        "cells": list(zip(distances(c), noises(c), strict=True)),
        "p": p_value(c.noise.p_adjusted),
        "missing": missing[0] if missing[0] == missing[1] else " → ".join(missing),
    }


def _embedded(data: Any) -> Any:
    """JSON for a script element: what could end it, or begin another, is escaped."""
    from markupsafe import Markup

    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    for character in "<>&'":
        text = text.replace(character, f"\\u{ord(character):04x}")
    return Markup(text)
