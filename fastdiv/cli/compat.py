"""``fastdiv compare --compat evidently``: another tool's tests and numbers, in the forms of a comparison."""

from __future__ import annotations

import argparse
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fastdiv.compat.evidently import DataDrift

__all__ = ["add_compat", "others", "rendered", "unfit"]

# What the other tool has no place for, and what it is where nobody asks for it.
_NOT_THERE: dict[str, Any] = {
    "by": None, "window": None, "time": None, "weights": None, "thresholds": None, "top": None,
    "bins": [], "continuous": [], "edges": [], "scheduler": None, "pseudocount": 0.5, "sort": "verdict",
}  # fmt: skip


def add_compat(add: Any) -> None:
    # fmt: off
    add("--compat", choices=["evidently"],
        help="tests, scores and thresholds of Evidently's DataDriftPreset for ours; --fail-on moved is "
        "broken by a column that drifts there")
    # fmt: on


def unfit(options: argparse.Namespace, kind: str) -> str:
    """What does not go with --compat; empty if all does."""
    for name, standing in _NOT_THERE.items():
        if getattr(options, name) != standing:
            return f"--compat {options.compat} must stand without --{name}"
    if kind == "html":
        return f"--compat {options.compat} must go with table, json, csv or md, not html"
    for rule in options.fail_on:
        if str(rule) != "moved":
            return f"--compat {options.compat} must go with no rule but moved, not {rule}"
    return ""


def others(tables: list[Any], options: argparse.Namespace) -> DataDrift:
    from fastdiv.compat.evidently import data_drift

    return data_drift(*tables, columns=options.columns, exclude=options.exclude)


def rendered(found: DataDrift, labels: list[str], kind: str, escape: bool) -> str:
    from fastdiv.drift.records import finite, lines_of
    from fastdiv.drift.render import aligned, md, row_of
    from fastdiv.drift.wording import clean

    if kind == "json":
        import json

        about = dict(zip(("reference", "current"), labels, strict=True))
        return json.dumps(finite(about | found.to_dict()), indent=1, allow_nan=False) + "\n"
    if kind == "csv":
        heads = ["name", "status", "kind", "method", "score", "threshold", "drift", "note"]
        rows = [{"name": c.column, "status": "compared", **c._asdict()} for c in found.columns]
        for row in rows:
            del row["column"]
        left = found.skipped.items()
        rows += [{"name": name, "status": "not compared", "note": why} for name, why in left]
        return lines_of(heads, rows, escape)
    heads = ["column", "type", "test", "score", "threshold", "drift"]
    lines = [
        [c.column, c.kind, c.method, f"{c.score:.6g}", f"{c.threshold:g}", "yes" if c.drift else "no"]
        for c in found.columns
    ]
    total = f"{found.count} of {len(found.columns)} columns drift, {100 * found.share:.1f}%: "
    total += f"{'drift' if found.drift else 'no drift'} (from {100 * found.drift_share:g}% on)"
    notes = [total, *(f"not compared: {name}: {why}" for name, why in found.skipped.items())]
    notes.append("Tests, scores and thresholds are those of Evidently's DataDriftPreset.")
    if kind == "md":
        told = [row_of(heads), row_of(["---", "---", "---", "---:", "---:", "---"])]
        told += [row_of(map(md, line)) for line in lines]
        return "\n".join([*told, "", *(f"- {md(note)}" for note in notes), ""])
    told = aligned([heads, *([clean(line[0]), *line[1:]] for line in lines)], "<<<>><")
    return "\n".join([*told, "", *map(clean, notes), ""])
