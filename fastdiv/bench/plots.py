"""Pictures of a document as SVG, by matplotlib: ratios, sweeps, and what the machine can do at all.

What is written or drawn as frame takes the colour of the page's text, so a picture fits light and dark.
"""

from __future__ import annotations

import io
import re
from html import escape
from typing import Any

from fastdiv.bench.record import Measured
from fastdiv.bench.tables import shown

INK = "#010203"  # stands for the colour of the text around
COLOURS = {
    "fastdiv": "#d9481c",
    "SciPy": "#3b82c4",
    "NumPy": "#1f9e77",
    "NumKong": "#b07aa1",
    "fastjsd": "#c99700",
    "POT": "#8c6d4f",
    "scikit-learn": "#7a86d0",
}
OTHER = "#8a8f98"  # bounds
STYLE: Any = {
    "svg.fonttype": "none",
    "svg.hashsalt": "fastdiv",
    "font.family": "sans-serif",
    "font.size": 10,
    "text.color": INK,
    "axes.edgecolor": INK,
    "axes.labelcolor": INK,
    "xtick.color": INK,
    "ytick.color": INK,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.titlelocation": "left",
    "axes.titlesize": 10,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}


def colour(name: str) -> str:
    return next((found for start, found in COLOURS.items() if name.startswith(start)), OTHER)


def available() -> bool:
    try:
        import matplotlib  # noqa: F401
    except ImportError:
        return False
    return True


def _svg(figure: Any, name: str) -> str:
    """Inline: without a head, with ids of its own, as wide as its column."""
    import matplotlib.pyplot as plt

    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    plt.close(figure)
    text = file.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r' (?:width|height)="[^"]*pt"', "", text, count=2)
    text = re.sub(r'\bid="([^"]+)"', rf'id="{name}-\1"', text)
    text = re.sub(r"url\(#([^)]+)\)", rf"url(#{name}-\1)", text)
    text = re.sub(r'href="#([^"]+)"', rf'href="#{name}-\1"', text)
    return text.replace(INK, "currentColor")


def _figure(width: float, height: float) -> tuple[Any, Any]:
    import matplotlib as mpl

    mpl.use("agg")
    import matplotlib.pyplot as plt

    figure, axes = plt.subplots(figsize=(width, height))
    return figure, axes


def titles(group: str, cases: list[Measured]) -> list[str]:
    """Of a group's pictures: one for each sweep, else one for all cases."""
    if group == "sweeps":
        return list(dict.fromkeys(case.what for case in cases if case.at))
    if not cases:
        return []
    if group == "limits":
        return ["Time of an element beside the limits of this machine (log scale)"]
    return ["Their time over ours (log scale): left of 1 we lose; grey: our noise"]


def plots(group: str, cases: list[Measured]) -> list[tuple[str, str]]:
    """Title and SVG of each picture of a group."""
    import matplotlib as mpl

    drawn = []
    with mpl.rc_context(STYLE):
        for number, title in enumerate(titles(group, cases)):
            if group == "sweeps":
                svg = _sweep(f"sweep{number}", [case for case in cases if case.what == title])
            else:
                svg = _limits(cases) if group == "limits" else _ratios(group, cases)
            drawn.append((title, svg.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)))
    return drawn


def _ratios(group: str, cases: list[Measured]) -> str:
    figure, axes = _figure(9, 0.9 + 0.27 * len(cases))
    names: dict[str, Any] = {}
    for y, case in enumerate(cases):
        axes.plot([1 / (1 + case.floor), 1 + case.floor], [y, y], color=OTHER, alpha=0.45, linewidth=7)
        for run in case.peers:
            mark = "o" if run.kind == "peer" else "|" if run.kind == "bound" else "D"
            (dot,) = axes.plot(max(run.ratio, 1e-3), y, mark, color=colour(run.name), markersize=6)
            names.setdefault(run.name, dot)
    axes.axvline(1, color=INK, linewidth=0.8)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_yticks(range(len(cases)), [case.name for case in cases], fontsize=8)
    axes.set_ylim(len(cases) - 0.4, -0.6)
    axes.grid(axis="x", color=OTHER, alpha=0.25)
    figure.legend(names.values(), names, loc="outside lower center", ncols=3, fontsize=8)
    return _svg(figure, group)


def _sweep(name: str, cases: list[Measured]) -> str:
    figure, axes = _figure(9, 4)
    lines: dict[str, list[tuple[float, float]]] = {}
    for case in cases:
        count = case.per[1] if case.per else 1
        for run in (case.ours, *case.peers):
            place = case.at[1] if case.at else 0.0
            lines.setdefault(run.name, []).append((place, 1e9 * run.seconds / count))
    for who, points in lines.items():
        x, y = zip(*sorted(points), strict=True)
        width = 2.4 if who == "fastdiv" else 1.3
        axes.plot(x, y, "o-", color=colour(who), linewidth=width, markersize=4, label=who)
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.yaxis.set_major_formatter("{x:g}")
    axes.set_xlabel(cases[0].at[0] if cases[0].at else "")
    axes.set_ylabel(f"ns a {cases[0].per[0]}" if cases[0].per else "ns")
    axes.grid(color=OTHER, alpha=0.25)
    figure.legend(loc="outside lower center", ncols=3, fontsize=8)
    return _svg(figure, name)


def _limits(cases: list[Measured]) -> str:
    figure, axes = _figure(9, 0.9 + 0.32 * len(cases))
    marks = {"memory copy": "s", "vector logarithm": "^", "matrix product": "P", "two np.sort": "X"}
    names: dict[str, Any] = {}
    for y, case in enumerate(cases):
        count = case.per[1] if case.per else 1
        for run in (case.ours, *case.peers):
            mark = marks.get(run.name, "o")
            hue = colour(run.name) if run.name == "fastdiv" else OTHER
            (dot,) = axes.plot(1e9 * run.seconds / count, y, mark, color=hue, markersize=7)
            names.setdefault(run.name, dot)
        axes.annotate(
            shown(case.ours.seconds, case.per),
            (1e9 * case.ours.seconds / count, y),
            (8, -3),
            textcoords="offset points",
            fontsize=8,
        )
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter("{x:g}")
    axes.set_xlabel("ns an element")
    axes.set_yticks(range(len(cases)), [case.what for case in cases], fontsize=8)
    axes.set_ylim(len(cases) - 0.4, -0.6)
    axes.margins(x=0.12)
    axes.grid(axis="x", color=OTHER, alpha=0.25)
    figure.legend(names.values(), names, loc="outside lower center", ncols=5, fontsize=8)
    return _svg(figure, "limits")
