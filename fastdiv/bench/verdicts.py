"""What has changed since an earlier document, beyond the noise of both."""

from __future__ import annotations

import math
import statistics
from typing import Any

from fastdiv.bench.machine import SAME
from fastdiv.bench.record import Measured, NoDocument, measured

LEAST = 0.10
"""What two processes differ by though nothing has changed: where arrays lie, which pages they get."""

TIMES = 2
"""How often what seems to have changed is measured once more."""


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

    Two changes are looked at, and the one nearer to 1 counts, or 1 where they point to both sides: of our
    time, relative to the drift, which is the median of what the others' times changed by, whose code is the
    same; and relative to those who ran in the same rounds. Noise is that of both runs (`floor`), times what
    nine in ten of the others changed by beyond the drift, or LEAST.
    """
    before = {case.key: case for case in measured(old)}
    pairs = [(before[case.key], case) for case in measured(new) if case.key in before]
    same = _versions(old) == _versions(new)
    others = [_others(was, now) if same else [] for was, now in pairs]
    logs = [change for some in others for change in some]
    drift = statistics.median(logs) if logs else 0.0
    spread = max(_ninth([abs(change - drift) for change in logs]), math.log1p(LEAST))
    changes = []
    for (was, now), some in zip(pairs, others, strict=True):
        mine = math.log(now.ours.seconds / max(was.ours.seconds, 1e-12))
        change = math.exp(_nearer(mine - drift, mine - statistics.median(some) if some else mine - drift))
        noise = (1 + was.floor) * (1 + now.floor) * math.exp(spread) - 1
        verdict = "slower" if change > 1 + noise else "faster" if change * (1 + noise) < 1 else "same"
        changes.append(
            {
                "case": f"{now.suite}: {now.name}",
                "key": now.key,
                "change": change,
                "noise": noise,
                "verdict": verdict,
            }
        )
    return {
        "path": path,
        "datetime": old["datetime"],
        "commit": old["commit_info"].get("id"),
        "drift": math.exp(drift),
        "changes": changes,
    }


def odd(found: dict[str, Any]) -> set[Any]:
    """The keys of what has changed."""
    return {tuple(x["key"]) for x in found["changes"] if x["verdict"] != "same"}


def slower(found: dict[str, Any]) -> bool:
    """Whether something is."""
    return any(x["verdict"] == "slower" for x in found["changes"])


def confirmed(found: dict[str, Any], again: dict[str, Any]) -> None:
    """What was measured once more has changed only if it did so again, and by what was less."""
    second = {tuple(x["key"]): x for x in again["changes"]}
    for x in found["changes"]:
        y = second.get(tuple(x["key"]))
        if y:
            x["change"] = math.exp(_nearer(math.log(x["change"]), math.log(y["change"])))
            x["verdict"] = x["verdict"] if x["verdict"] == y["verdict"] else "same"


def _nearer(x: float, y: float) -> float:
    """That nearer to 0, or 0 between them."""
    return min(x, y, key=abs) if x * y > 0 else 0.0


def _ninth(values: list[float]) -> float:
    """What nine in ten do not exceed; 0 of fewer than ten."""
    return statistics.quantiles(values, n=10)[-1] if len(values) >= 10 else 0.0


def _versions(document: dict[str, Any]) -> dict[str, str]:
    found: dict[str, str] = document["fastdiv"]["environment"]["versions"]
    return found


def _others(was: Measured, now: Measured) -> list[float]:
    """Logarithms of what the times of others changed by."""
    times = {run.name: run.seconds for run in was.peers if run.kind in ("peer", "bound")}
    return [math.log(run.seconds / times[run.name]) for run in now.peers if times.get(run.name)]


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
