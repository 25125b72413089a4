"""Where the tests and the tools have really run: bench/platforms.json, and its tables in docs/trust.md.

    python -m bench.platforms        takes in what the targets of make left in build/ran
    python -m bench.platforms NAME KEY=VALUE ...    what a tool found, for build/ran/NAME.json

A target that runs the tests has them write build/ran/TARGET.json or build/ran/TARGET/VARIANT.json
(tests/conftest.py).
"""

from __future__ import annotations

import json
import re
import sys
from datetime import date
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
RAN, STORED = ROOT / "build" / "ran", ROOT / "bench" / "platforms.json"
TARGET = re.compile(r"^([a-z0-9-]+):[^=#]*## (.*)$", re.MULTILINE)


def collect() -> dict[str, Any]:
    """What is stored, with what has run since."""
    kept = json.loads(STORED.read_text()) if STORED.exists() else {}
    ran = {path.relative_to(RAN).with_suffix("").as_posix(): path for path in RAN.rglob("*.json")}
    return dict(sorted((kept | {name: json.loads(path.read_text()) for name, path in ran.items()}).items()))


def _row(name: str, found: dict[str, Any], targets: dict[str, str]) -> list[str]:
    target = name.split("/")[0]
    bad = found["failed"] + found["error"]
    return [
        f"`make {target}`",
        targets.get(target, ""),
        f"{found['machine']}, {found['isa']}",
        f"{found['python']}, NumPy {found['numpy']}",
        found["compiler"],
        f"{found['passed']:,}" + (f", {bad} failed" if bad else ""),
        found["date"],
    ]


def tables() -> str:
    """One of the tests, one of the tools."""
    kept = json.loads(STORED.read_text())
    targets = dict(TARGET.findall((ROOT / "Makefile").read_text(encoding="utf-8")))
    lines = ["| command | | machine | Python | compiler | passed | |", "|---|---|---|---|---|--:|---|"]
    tools = ["| command | | found | |", "|---|---|---|---|"]
    for name, found in kept.items():
        if "passed" in found:
            lines.append("| " + " | ".join(_row(name, found, targets)) + " |")
            continue
        facts = "; ".join(f"{k}: {v}" for k, v in found.items() if k != "date")
        tools.append(f"| `make {name}` | {targets.get(name, '')} | {facts} | {found['date']} |")
    return "\n".join([*lines, "", *tools])


def main() -> None:
    if len(sys.argv) > 1:
        name, *facts = sys.argv[1:]
        found = {"date": f"{date.today()}"} | dict(fact.split("=", 1) for fact in facts)
        RAN.mkdir(parents=True, exist_ok=True)
        (RAN / f"{name}.json").write_text(json.dumps(found, indent=1) + "\n")
        return
    STORED.write_text(json.dumps(collect(), indent=1) + "\n")


if __name__ == "__main__":
    main()
