"""A document in words: Markdown tables, and what they say. Every number comes from the document."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from fastdiv.bench import GROUPS
from fastdiv.bench.machine import told
from fastdiv.bench.race import OURS
from fastdiv.bench.record import Measured, Timed, measured
from fastdiv.bench.verdicts import words

ABOUT = (
    "Ratio: their time over ours, medians of rounds in turn, one thread by CPU time, several by the clock. "
    "Noise: our own time, taken twice in the same rounds, over itself. Error: the largest relative one, "
    "against the twin in plain NumPy (fastdiv.reference), or against ours where there is none."
)


def shown(seconds: float, per: tuple[str, int] | None = None, unit: str = "s") -> str:
    """Three digits and a unit; by the bin or the row."""
    if unit == "B":
        return f"{seconds / 1e6:.3g} MB"
    of, count = per or ("", 1)
    seconds /= count
    unit, size = next(u for u in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 0.0)) if seconds >= u[1])
    number = f"{seconds / (size or 1e-9):.3g}"
    return f"{number} {unit}/{of}" if of else f"{number} {unit}"


def digits(ratio: float) -> str:
    return f"{ratio:.2f}" if ratio < 9.995 else f"{ratio:.0f}"


def slower(case: Measured, run: Timed) -> bool:
    """Whether we are, beyond the noise."""
    return run.ratio * (1 + case.floor) < 1


def bold(case: Measured, run: Timed) -> str:
    return f"**{digits(run.ratio)}**" if slower(case, run) else digits(run.ratio)


def error(run: Timed) -> str:
    if run.error is None:
        return ""
    told = "0" if run.error == 0 else f"{run.error:.0e}".replace("e-0", "e-")
    return told if run.agrees else f"{told}, WRONG"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """Markdown, its columns aligned for a terminal."""
    rows = [[cell.replace("|", r"\|") for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [head, *rows]) for i in range(len(head))]

    def line(cells: Sequence[str]) -> str:
        padded = (cell.ljust(width) for cell, width in zip(cells, widths, strict=True))
        return "| " + " | ".join(padded) + " |"

    return [line(head), line(["-" * width for width in widths]), *map(line, rows)]


HEAD = ("work", "size", "error", "threads", "ours", "noise", "against", "ratio", "their error")


def of_cases(cases: Iterable[Measured]) -> list[str]:
    """One line a peer; what is ours stands in the first line of a case."""
    rows = []
    for case in cases:
        first = [
            case.what,
            f"{case.size} {case.dtype}".strip(),
            error(case.ours),
            str(case.threads),
            shown(case.ours.seconds, case.per, case.unit),
            f"{case.floor:.1%}",
        ]
        for run in case.peers:
            rows.append([*first, run.name, bold(case, run), error(run)])
            first = [""] * len(first)
    return table(HEAD, rows)


def brief(cases: Iterable[Measured]) -> list[str]:
    """One line a peer, without noise and our own other ways: for pages."""
    rows = []
    for case in cases:
        first = [
            case.what,
            f"{case.size} {case.dtype}".strip(),
            shown(case.ours.seconds, case.per, case.unit),
        ]
        for run in case.peers:
            if run.kind != "self":
                rows.append([*first, run.name, bold(case, run), error(run)])
                first = ["", "", ""]
    return table(("work", "size", "ours", "against", "ratio", "their error"), rows)


GOALS = ("work", "size", "ours", "theirs", "ratio", "asked", "reached", "limit")


def goals(cases: Iterable[Measured]) -> list[str]:
    """What was to be reached, one line a goal; limit: work that no answer can do without, with its time."""
    rows = []
    for case in cases:
        first = [
            case.what,
            f"{case.size} {case.dtype}".strip(),
            shown(case.ours.seconds, case.per, case.unit),
        ]
        bounds = [run for run in case.peers if _is_limit(case, run)]
        limit = ", ".join(f"{run.name} {shown(run.seconds, case.per, case.unit)}" for run in bounds)
        for name, goal in case.goals.items():
            if name == OURS:
                share = case.ours.seconds / goal
                said = _reached(1 / share, 1, case.floor)
                rows.append([*first, "", "", f"{shown(goal, unit=case.unit)} at most", said, limit])
            for run in case.peers:
                if run.name == name:
                    theirs = f"{name} {shown(run.seconds, case.per, case.unit)}"
                    reach = (
                        f"at most {1 / goal:.3g} times" if run.kind == "self" and goal < 1 else f"{goal:.3g}"
                    )
                    said = _reached(run.ratio, goal, case.floor)
                    rows.append([*first, theirs, digits(run.ratio), reach, said, limit])
    return table(GOALS, rows)


def _is_limit(case: Measured, run: Timed) -> bool:
    """Whether it says how far one can get at all, beside what is asked."""
    return run.kind == "bound" and bool(case.goals) and run.name not in case.goals


def _reached(ratio: float, goal: float, floor: float) -> str:
    return "yes" if ratio >= goal else "within the noise" if ratio * (1 + floor) >= goal else "no"


def losses(cases: Iterable[Measured]) -> list[str]:
    """Where we lose, from the numbers: to others first, to work that an answer needs, to ourselves."""
    lost = [
        (run.ratio, case, run)
        for case in cases
        if case.suite != "limits"  # nobody passes those
        for run in case.peers
        if slower(case, run) and not _is_limit(case, run)
    ]
    lost.sort(key=lambda found: found[0])
    lines = []
    for kind, head in (
        ("peer", "Others were faster, beyond the noise:"),
        ("bound", "Work that others begin with takes less than our answer:"),
        ("self", "Another way of ours was faster:"),
    ):
        found: dict[tuple[str, str], list[tuple[Measured, Timed]]] = {}
        for _, case, run in lost:
            if run.kind == kind:
                found.setdefault((case.what, run.name), []).append((case, run))
        if found:
            lines += ["", head, ""]
        for (what, name), some in found.items():  # the worst stands first
            case, run = some[0]
            theirs = f", their error {error(run)}" if run.error and run.kind == "peer" else ""
            more = f", and at {len(some) - 1} more sizes" if len(some) > 1 else ""
            at = case.name.removeprefix(what)
            lines.append(f"- {digits(run.ratio)}: {what}{at}: {name}{theirs}{more}")
    return lines[1:] or ["Nobody was faster beyond the noise."]


def notes(document: dict[str, Any]) -> list[str]:
    """What a reader must know before the numbers."""
    about = document["fastdiv"]
    lines = []
    if not about["complete"]:
        lines.append("**Interrupted: this is what had been measured.**")
    if about["quick"]:
        lines.append("Quick: a tenth of the sizes, and of the time that a figure takes to settle.")
    here = {case.suite for case in measured(document)}
    missing = [group for group in about["groups"] if group not in here]
    if about["complete"] and missing:
        lines.append(f"Nothing of {', '.join(missing)} can be measured here.")
    for failed in about["failed"]:
        lines.append(f"No answer: {failed['run']} for {failed['case']}: {failed['why']}")
    return lines


def markdown(document: dict[str, Any]) -> str:
    """The whole report."""
    about, cases = document["fastdiv"], measured(document)
    lines = ["# fastdiv bench", "", document["datetime"], ""]
    lines += [*told(about["environment"]), ""]
    for note in notes(document):
        lines += [note, ""]
    if "compared" in about:
        lines += ["## What has changed", "", *words(about["compared"]), ""]
    lines += [ABOUT, "", "## Where we lose", "", *losses(cases), ""]
    for group in about["groups"]:
        here = [case for case in cases if case.suite == group]
        if here:
            lines += [f"## {group}: {GROUPS[group]}", ""]
            if any(case.goals for case in here):
                lines += [*goals(here), ""]
            lines += [*of_cases(here), ""]
    return "\n".join(lines)


def summary(document: dict[str, Any]) -> str:
    """What a terminal gets: a line a case, against the fastest of the others, and where we lose."""
    cases = measured(document)
    lines = [*told(document["fastdiv"]["environment"]), "", *notes(document)]
    rows = []
    for case in cases:
        if case.goals:
            continue
        others = [run for run in case.peers if run.kind == "peer"] or list(case.peers)
        if others:
            run = min(others, key=lambda run: run.ratio)
            size = f"{case.size} {case.dtype}".strip()
            ours = shown(case.ours.seconds, case.per, case.unit)
            rows.append(
                [case.what, size, error(case.ours), ours, f"{case.floor:.0%}", run.name, bold(case, run)]
            )
    if any(case.goals for case in cases):
        lines += [*goals(cases), ""]
    if rows:
        lines += table(("work", "size", "error", "ours", "noise", "fastest other", "ratio"), rows)
    if "compared" in document["fastdiv"]:
        lines += ["", *words(document["fastdiv"]["compared"])]
    return "\n".join([*lines, "", *losses(cases), ""])
