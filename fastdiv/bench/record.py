"""The document: everything measured, as JSON in pytest-benchmark's form, which its ``compare`` reads.

What is ours stands in ``fastdiv`` (how it was measured, and where) and in the benchmarks' ``extra_info``.
Reports are made of a document alone: measured now, or read from a file.
"""

from __future__ import annotations

import json
import platform
import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import groupby
from typing import Any

from fastdiv.bench.contestants import Contestant
from fastdiv.bench.machine import environment
from fastdiv.bench.race import OURS, Case, agrees, floor

SCHEMA = 1
AGAIN = f"{OURS}, again"


class NoDocument(ValueError):
    """What is wrong with a file that should hold a document, in one sentence."""


@dataclass(frozen=True)
class Timed:
    """One run of a case: `kind` is ours, again, peer (an answer of others), bound (work that an answer needs,
    no answer) or self (ours in another way). `ratio`: its time over ours."""

    name: str
    kind: str
    seconds: float
    ratio: float
    error: float | None
    agrees: bool


@dataclass(frozen=True)
class Measured:
    """One case. `floor`: our time over itself, less 1: a ratio nearer to 1 than that says nothing."""

    suite: str
    what: str
    size: str
    dtype: str
    threads: int
    per: tuple[str, int] | None
    at: tuple[str, float] | None
    goals: dict[str, float]
    unit: str
    floor: float
    ours: Timed
    peers: tuple[Timed, ...]

    @property
    def key(self) -> tuple[str, str, str, str, int]:
        return self.suite, self.what, self.size, self.dtype, self.threads

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.what, f"{self.size} {self.dtype}".strip())))


def begun(quick: bool, groups: Sequence[str]) -> dict[str, Any]:
    """A document without benchmarks."""
    about = environment()
    commit = {"id": None, "time": None, "dirty": None, **about["commit"]}
    return {
        "machine_info": {
            "node": "",
            "processor": about["cpu"],
            "machine": platform.machine(),
            "python_implementation": platform.python_implementation(),
            "python_version": platform.python_version(),
            "system": platform.system(),
            "release": platform.release(),
            "cpu": {"brand_raw": about["cpu"], "count": about["cores"]},
        },
        "commit_info": {**commit, "project": "fastdiv", "branch": None},
        "benchmarks": [],
        "datetime": datetime.now(UTC).isoformat(timespec="seconds"),
        "version": f"fastdiv {about['fastdiv']}",
        "fastdiv": {
            "schema": SCHEMA,
            "quick": quick,
            "groups": list(groups),
            "complete": False,
            "failed": [],
            "environment": about,
        },
    }


def _kind(run: Contestant) -> str:
    if run.name.startswith(OURS):
        return "self"
    return "bound" if run.tolerance is None else "peer"


def entries(
    suite: str,
    case: Case,
    errors: Sequence[float | None],
    times: Sequence[Sequence[float]],
) -> list[dict[str, Any]]:
    """The benchmarks of a case. `times` has ours once more, last."""
    ours = statistics.median(times[0])
    about = {
        "suite": suite,
        "what": case.what,
        "size": case.size,
        "dtype": case.dtype,
        "threads": case.threads,
        "per": list(case.per) if case.per else None,
        "at": list(case.at) if case.at else None,
        "goals": case.goals,
        "unit": case.unit,
        "floor": _short(floor(times[0], times[-1])),
    }
    threads = f"{case.threads} thread" + "s" * (case.threads > 1)
    group = f"{suite}: {case.name}, {threads}"
    names = [*(run.name for run in case.runs), AGAIN]
    kinds = ["ours", *map(_kind, case.runs[1:]), "again"]
    checked = [*zip(case.runs, errors, strict=True), (case.runs[0], None)]
    return [
        {
            "group": group,
            "name": name,
            "fullname": f"{group}: {name}",
            "params": None,
            "param": None,
            "extra_info": {
                **(about if kind == "ours" else {}),
                "kind": kind,
                "error": None if error is None else _short(error),
                "agrees": agrees(run, error),
                "ratio": _short(statistics.median(taken) / ours),
            },
            "options": {"timer": "thread_time" if case.threads == 1 else "perf_counter"},
            "stats": stats(taken),
        }
        for name, kind, (run, error), taken in zip(names, kinds, checked, times, strict=True)
    ]


def _short(x: float) -> float:
    return float(f"{x:.4g}")


def stats(rounds: Sequence[float]) -> dict[str, Any]:
    """pytest-benchmark's statistics of the rounds, in seconds."""
    mean = statistics.fmean(rounds)
    spread = statistics.stdev(rounds) if len(rounds) > 1 else 0.0
    q1, median, q3 = statistics.quantiles(rounds, method="inclusive") if len(rounds) > 1 else [mean] * 3
    iqr = q3 - q1
    inside = [x for x in rounds if q1 - 1.5 * iqr <= x <= q3 + 1.5 * iqr]
    far = len(rounds) - len(inside)
    wild = sum(abs(x - mean) > spread for x in rounds)
    numbers = {
        "min": min(rounds),
        "max": max(rounds),
        "mean": mean,
        "stddev": spread,
        "median": median,
        "iqr": iqr,
        "q1": q1,
        "q3": q3,
        "ld15iqr": min(inside),
        "hd15iqr": max(inside),
        "total": sum(rounds),
        "ops": 1.0 / mean if mean else 0.0,
    }
    counts = {
        "rounds": len(rounds),
        "iterations": 1,
        "iqr_outliers": far,
        "stddev_outliers": wild,
        "outliers": f"{wild};{far}",
    }
    return {**{name: _short(x) for name, x in numbers.items()}, **counts}


def measured(document: dict[str, Any]) -> list[Measured]:
    """The cases of a document, in its order."""
    cases = []
    for _, group in groupby(document["benchmarks"], key=lambda entry: entry["group"]):
        of_case = list(group)
        about = of_case[0]["extra_info"]
        runs = [_timed(entry) for entry in of_case]
        cases.append(
            Measured(
                suite=about["suite"],
                what=about["what"],
                size=about["size"],
                dtype=about["dtype"],
                threads=about["threads"],
                per=tuple(about["per"]) if about["per"] else None,
                at=tuple(about["at"]) if about["at"] else None,
                goals=about["goals"],
                unit=about["unit"],
                floor=about["floor"],
                ours=runs[0],
                peers=tuple(run for run in runs[1:] if run.kind != "again"),
            )
        )
    return cases


def _timed(entry: dict[str, Any]) -> Timed:
    about = entry["extra_info"]
    return Timed(
        entry["name"],
        about["kind"],
        entry["stats"]["median"],
        about["ratio"],
        about["error"],
        about["agrees"],
    )


def text(document: dict[str, Any]) -> str:
    """JSON, a benchmark a line."""
    lines = ",\n".join(json.dumps(entry, ensure_ascii=False) for entry in document["benchmarks"])
    rest = json.dumps({**document, "benchmarks": []}, indent=1, ensure_ascii=False)
    return rest.replace('"benchmarks": []', f'"benchmarks": [\n{lines}\n]', 1) + "\n"


def read(path: str) -> dict[str, Any]:
    """A document from a file that ``fastdiv bench`` wrote."""
    try:
        with open(path, encoding="utf-8") as file:
            document = json.load(file)
    except OSError as error:
        raise NoDocument(f"{path}: {error.strerror or error}") from None
    except ValueError:  # of JSON, or of UTF-8
        raise NoDocument(f"{path} is no report of fastdiv bench: it is no JSON") from None
    about = document.get("fastdiv") if isinstance(document, dict) else None
    if not isinstance(about, dict) or "schema" not in about:
        raise NoDocument(f"{path} is no report of fastdiv bench")
    if about["schema"] != SCHEMA:
        raise NoDocument(f"{path} has form {about['schema']} of the report, and this is form {SCHEMA}")
    try:
        measured(document)
        _ = about["environment"]["cpu"], about["quick"], about["groups"]
    except (KeyError, TypeError, IndexError, AttributeError) as error:
        raise NoDocument(f"{path} is no whole report of fastdiv bench: {error!r} in it") from None
    found: dict[str, Any] = document
    return found
