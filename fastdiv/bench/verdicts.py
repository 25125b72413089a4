"""What has changed since an earlier document, beyond the noise of both."""

from __future__ import annotations

import math
import statistics
from typing import Any

from fastdiv.bench.machine import SAME
from fastdiv.bench.record import Measured, NoDocument, measured

LEAST = 0.10
"""What two processes differ by though nothing has changed: where arrays lie, which pages they get."""


def comparable(path: str, old: dict[str, Any], new: dict[str, Any]) -> None:
    """Refuse what cannot be compared, in one sentence; asked before anything is measured."""
    before, now = old["fastdiv"], new["fastdiv"]
    for name in SAME:
        was, here = before["environment"].get(name), now["environment"][name]
        if was != here:
            raise NoDocument(
                f"{path} was measured on another machine: its {name} is {was}, here it is {here}"
            )
    if before["quick"] != now["quick"]:
        how = ("without", "with") if now["quick"] else ("with", "without")
        raise NoDocument(f"{path} was measured {how[0]} --quick, this run is {how[1]}: sizes differ")
    groups = {case.suite for case in measured(old)}
    if not groups & set(now["groups"]):
        has = ", ".join(sorted(groups)) or "none"
        raise NoDocument(f"{path} has none of the groups {', '.join(now['groups'])}; it has {has}")


def compared(path: str, old: dict[str, Any], new: dict[str, Any]) -> dict[str, Any]:
    """The verdict on each case that both have: its time now over that before, and the noise of that.

    Relative to the drift: the median of what the others' times changed by, whose code is the same.
    """
    before = {case.key: case for case in measured(old)}
    pairs = [(before[case.key], case) for case in measured(new) if case.key in before]
    drift = _drift(pairs) if _versions(old) == _versions(new) else 1.0
    changes = []
    for was, now in pairs:
        change = now.ours.seconds / max(was.ours.seconds, 1e-12) / drift
        noise = (1 + was.floor) * (1 + now.floor) * (1 + LEAST) - 1
        verdict = "slower" if change > 1 + noise else "faster" if change * (1 + noise) < 1 else "same"
        changes.append(
            {"case": f"{now.suite}: {now.name}", "change": change, "noise": noise, "verdict": verdict}
        )
    return {
        "path": path,
        "datetime": old["datetime"],
        "commit": old["commit_info"].get("id"),
        "drift": drift,
        "changes": changes,
    }


def _versions(document: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = document["fastdiv"]["environment"]["versions"]
    return found


def _drift(pairs: list[tuple[Measured, Measured]]) -> float:
    logs = []
    for was, now in pairs:
        times = {run.name: run.seconds for run in was.peers if run.kind in ("peer", "bound")}
        logs += [math.log(run.seconds / times[run.name]) for run in now.peers if times.get(run.name)]
    return math.exp(statistics.median(logs)) if logs else 1.0


def words(found: dict[str, Any]) -> list[str]:
    """The comparison in lines of Markdown."""
    at = f", commit {found['commit'][:10]}" if found["commit"] else ""
    lines = [f"Compared with {found['path']} ({found['datetime']}{at}). The others' times changed by "]
    lines[0] += f"{found['drift'] - 1:+.1%}, which is taken off."
    for verdict in ("slower", "faster"):
        some = [x for x in found["changes"] if x["verdict"] == verdict]
        if some:
            lines += ["", f"{verdict.capitalize()} beyond the noise:", ""]
        for x in sorted(some, key=lambda x: -abs(math.log(x["change"]))):
            lines.append(f"- {x['change'] - 1:+.0%} (noise {x['noise']:.0%}): {x['case']}")
    same = sum(x["verdict"] == "same" for x in found["changes"])
    return [*lines, "", f"Within the noise: {same} of {len(found['changes'])}."]
