"""The harness: a case is raced on one clock, its answers are compared first, and all cases make one table.

Everyone runs in turn, round after round, and the medians are compared: on a shared machine absolute times
drift, the ratio of two medians from the same rounds does not. One thread is timed by the CPU time of the
process, since the wall clock charges a short call for what the scheduler gave to others; threads by the wall
clock.
"""

from __future__ import annotations

import os
import platform
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

import fastdiv
from bench.contestants import ABSENT, VERSIONS, Contestant
from fastdiv import _core

LEAST_ROUNDS = 5
ROUND_SECONDS = 2e-3  # of one run in a round, so that short calls are not timed cold


@dataclass(frozen=True)
class Case:
    """One row of work. The first of `runs` is ours; all are called with `args`.

    Answers are compared on `probe` (or `args`) with `truth`, or else with ours. `per` tells time by the bin
    or the row: its name, and how many there are. `own_clock`: a run returns its seconds and its answer.
    """

    what: str
    size: str
    runs: Sequence[Contestant]
    args: tuple[Any, ...] = field(default=(), repr=False)
    probe: tuple[Any, ...] = field(default=(), repr=False)
    truth: Callable[..., Any] | None = None
    per: tuple[str, int] | None = None
    threads: int = 1
    own_clock: bool = False

    @property
    def dtype(self) -> str:
        return str(getattr(self.args[0], "dtype", "")) if self.args else ""

    def errors(self) -> list[float | None]:
        """The largest relative error of each answer, None where a run is no answer; none may be too large."""
        probe = self.probe or self.args
        with np.errstate(all="ignore"):
            answers = [run(*probe) for run in self.runs]
        if self.own_clock:
            answers = [answer for _, answer in answers]
        expected = self.truth(*probe) if self.truth else answers[0]
        errors = []
        for run, answer in zip(self.runs, answers, strict=True):
            error = None if run.tolerance is None else relative_error(answer, expected)
            if error is not None and not error <= run.tolerance:
                raise AssertionError(f"{self.what}, {self.size}: {run.name} is off by {error:.1e}")
            errors.append(error)
        return errors

    def times(self, seconds: float) -> list[float]:
        """Median seconds of each run, in turns for about `seconds` a run, five turns at least."""
        if self.own_clock:
            return medians([lambda run=run: run(*self.args)[0] for run in self.runs], seconds)
        clock = time.process_time if self.threads == 1 else time.perf_counter
        with np.errstate(all="ignore"):
            return medians([stopwatch(run, self.args, clock) for run in self.runs], seconds)


def stopwatch(run: Contestant, args: tuple[Any, ...], clock: Callable[[], float]) -> Callable[[], float]:
    """A function that gives the seconds of one call; it has been called once, warm."""
    call = run.run
    call(*args)
    start = time.perf_counter()
    call(*args)
    count = max(1, min(5000, int(ROUND_SECONDS / max(time.perf_counter() - start, 1e-9))))

    def once() -> float:
        start = clock()
        for _ in range(count):
            call(*args)
        return (clock() - start) / count

    return once


def medians(watches: Sequence[Callable[[], float]], seconds: float) -> list[float]:
    times: list[list[float]] = [[] for _ in watches]
    end = time.perf_counter() + seconds * len(watches)
    while len(times[0]) < LEAST_ROUNDS or (time.perf_counter() < end and len(times[0]) < 200):
        for watch, mine in zip(watches, times, strict=True):
            mine.append(watch())
    return [statistics.median(mine) for mine in times]


def relative_error(got: Any, expected: Any) -> float:
    """The largest, over all entries."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    if got.shape != expected.shape:
        return float("inf")
    with np.errstate(all="ignore"):
        error = np.abs(got - expected) / np.abs(expected)
    return float(np.max(np.where(got == expected, 0.0, error), initial=0.0))


def machine() -> str:
    """What the figures depend on, in one paragraph."""
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        first = ""
    about = {
        key.strip(): value.strip() for key, _, value in (row.partition(":") for row in first.splitlines())
    }
    kind = about.get("model name", platform.processor())
    if "cpu family" in about:
        kind += f" (family {about['cpu family']}, model {about['model']})"
    load = f", load {os.getloadavg()[0]:.1f}" if hasattr(os, "getloadavg") else ""
    libraries = ", ".join(f"{name} {version}" for name, version in VERSIONS.items())
    lines = [
        f"{kind}, {os.cpu_count()} cores{load}; {platform.system()} {platform.machine()}, {_core.isa()};",
        f"Python {platform.python_version()}, fastdiv {fastdiv.__version__}, {libraries}.",
        *(f"Not installed, left out: {name}." for name in ABSENT),
    ]
    return "\n".join(lines)


def shown(seconds: float, per: tuple[str, int] | None) -> str:
    of, count = per or ("", 1)
    seconds /= count
    unit, size = next(u for u in (("s", 1.0), ("ms", 1e-3), ("us", 1e-6), ("ns", 0.0)) if seconds >= u[1])
    digits = f"{seconds / (size or 1e-9):.3g}"
    return f"{digits} {unit}/{of}" if of else f"{digits} {unit}"


HEAD = ("what", "size", "dtype", "threads", "ours", "peer", "ratio", "error")
WIDTHS = (38, 18, 8, 7, 12, 30, 8, 6)


def line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cell.ljust(width) for cell, width in zip(cells, WIDTHS, strict=True)) + " |"


def report(suites: dict[str, Iterable[Case]], seconds: float = 1.0) -> None:
    """The table, one line a peer, and where we lose."""
    print(
        f"{machine()}\n\nRatio: their time over ours, medians of interleaved rounds, answers checked.\n"
        "Error: the largest relative one of theirs, against the twin in NumPy or against ours.\n"
    )
    print(line(HEAD), line(["-" * width for width in WIDTHS]), sep="\n")
    lost = []
    for case in chain.from_iterable(suites.values()):
        before = fastdiv.num_threads()
        fastdiv.set_num_threads(case.threads)
        try:
            errors, times = case.errors(), case.times(seconds)
        finally:
            fastdiv.set_num_threads(before)
        cells = (case.what, case.size, case.dtype, str(case.threads), shown(times[0], case.per))
        for peer, error, taken in list(zip(case.runs, errors, times, strict=True))[1:]:
            ratio = round(taken / times[0], 2)
            digits = f"{ratio:.2f}" if ratio < 10 else f"{ratio:.0f}"
            ends = (digits + (" < 1" if ratio < 1 else ""), "" if error is None else f"{error:.0e}")
            print(line([*cells, peer.name, *ends]), flush=True)
            if ratio < 1:
                lost.append(f"{digits}  {case.what}, {case.size} {case.dtype}: {peer.name}")
            cells = ("",) * len(cells)
    print("\nWhere we lose:" if lost else "\nNobody was faster.", *lost, sep="\n")
