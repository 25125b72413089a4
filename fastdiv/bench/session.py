"""Runs groups of cases into a document: warm, checked, timed; what a peer cannot do is noted and left out."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from importlib import import_module
from typing import Any

import fastdiv
from fastdiv.bench import record
from fastdiv.bench.race import OURS, Case

QUICK = 0.1  # of the full size
SECONDS = {False: 0.25, True: 0.02}  # of each run of a case, by --quick


def cases(group: str, scale: float) -> Iterator[Case]:
    found: Iterator[Case] = import_module(f"fastdiv.bench.{group}").cases(scale)
    return found


def measure(
    document: dict[str, Any], progress: Callable[[float, str], None], seconds: float | None = None
) -> None:
    """Measure the document's groups into it. Ctrl-C leaves it with the cases that are finished."""
    about = document["fastdiv"]
    scale = QUICK if about["quick"] else 1.0
    seconds = SECONDS[about["quick"]] if seconds is None else seconds
    groups = about["groups"]
    counts = {group: sum(1 for _ in cases(group, 0.01)) for group in groups}
    every, done = max(sum(counts.values()), 1), 0
    for group in groups:
        for case in cases(group, scale):
            progress(min(done / every, 1.0), f"{group}: {case.what}")
            document["benchmarks"] += _of_case(group, case, seconds, about["failed"])
            done += 1
    about["complete"] = True
    progress(1.0, "")


def again(document: dict[str, Any], keys: set[Any], progress: Callable[[float, str], None]) -> dict[str, Any]:
    """A document of the cases with these keys, measured once more."""
    about = document["fastdiv"]
    quick, done, benchmarks = about["quick"], 0, []
    for group in dict.fromkeys(key[0] for key in keys):
        for case in cases(group, QUICK if quick else 1.0):
            if (group, case.what, case.size, case.dtype, case.threads) in keys:
                progress(done / len(keys), f"once more: {case.what}")
                benchmarks += _of_case(group, case, SECONDS[quick], [])
                done += 1
    return {**document, "benchmarks": benchmarks}


@contextmanager
def _with_threads(n: int) -> Iterator[None]:
    """So many, and then as many as before, which the next case may ask for."""
    before = fastdiv.num_threads()
    fastdiv.set_num_threads(n)
    try:
        yield
    finally:
        fastdiv.set_num_threads(before)


def _of_case(group: str, case: Case, seconds: float, failed: list[dict[str, str]]) -> list[dict[str, Any]]:
    """The entries of a case; none if ours failed. A run that gives no answer is left out."""
    able, answers = [], []
    with _with_threads(case.threads), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the peers
        for run in case.runs:
            try:
                answers.append(case.answer(run))
                able.append(run)
            except Exception as error:
                why = f"{type(error).__name__}: {error}".split("\n")[0]
                failed.append({"suite": group, "case": case.name, "run": run.name, "why": why})
                if run is case.runs[0]:
                    return []
        case = replace(case, runs=able)
        return record.entries(group, case, case.errors(answers), case.times(seconds))


def wrong(document: dict[str, Any]) -> Sequence[str]:
    """Our own answers that are off, or were none."""
    cases_ = record.measured(document)
    off = [f"{case.name} is off by {case.ours.error:.0e}" for case in cases_ if not case.ours.agrees]
    none = [f"{x['case']}: {x['why']}" for x in document["fastdiv"]["failed"] if x["run"] == OURS]
    return [*off, *none]
