"""One race: a case's answers are compared first, then everyone runs in turn on one clock.

Round after round, and the medians are compared: on a shared machine absolute times drift, the ratio of two
medians from the same rounds does not. Ours runs twice in each round, first and last: what the two differ by
is noise (``floor``). One thread is timed by its own CPU time: the wall clock charges a short call for what
the scheduler gave to others, the process's CPU time for threads that another contestant left running; several
threads by the wall clock. Short calls go over many sets of arguments, all in each round: of one set the
processor would learn every branch.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from fastdiv.bench.contestants import Contestant

OURS = "fastdiv"
LEAST_ROUNDS = 4
MOST_ROUNDS = 200
ROUND_SECONDS = 2e-3  # of one run in a round, so that short calls are not timed cold


@dataclass(frozen=True)
class Case:
    """One row of work. The first of `runs` is ours; all are called with `args`, and with each of `more`.

    Answers are compared on `probe` (or `args`) with `truth`, or else with ours. `per` tells time by the bin
    or the row: its name, and how many there are. `at`: the place in a sweep, the axis and the position.
    `goals`: what ratio each of the others is to reach, by name; OURS: what seconds, or bytes, we may need.
    `own_clock`: a run returns what it measured and its answer, seconds, or bytes by `unit`.
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
    at: tuple[str, float] | None = None
    goals: dict[str, float] = field(default_factory=dict)
    unit: str = "s"
    more: Sequence[tuple[Any, ...]] = field(default=(), repr=False)

    @property
    def dtype(self) -> str:
        return str(getattr(self.args[0], "dtype", "")) if self.args else ""

    @property
    def name(self) -> str:
        return ", ".join(filter(None, (self.what, f"{self.size} {self.dtype}".strip())))

    def answer(self, run: Contestant) -> Any:
        """What a run makes of the probe."""
        with np.errstate(all="ignore"):
            answer = run(*(self.probe or self.args))
        return answer[1] if self.own_clock else answer

    def errors(self, answers: Sequence[Any] | None = None) -> list[float | None]:
        """The largest relative error of each answer, None where a run is no answer."""
        answers = [self.answer(run) for run in self.runs] if answers is None else answers
        expected = self.truth(*(self.probe or self.args)) if self.truth else answers[0]
        return [
            None if run.tolerance is None else relative_error(answer, expected)
            for run, answer in zip(self.runs, answers, strict=True)
        ]

    def check(self, errors: Sequence[float | None]) -> None:
        """Refuse an answer that is further off than its tolerance."""
        for run, error in zip(self.runs, errors, strict=True):
            if not agrees(run, error):
                raise AssertionError(f"{self.name}: {run.name} is off by {error:.1e}")

    def times(self, seconds: float) -> list[list[float]]:
        """Seconds of each run, round by round, and last of ours once more; about `seconds` a run."""
        runs = [*self.runs, self.runs[0]]
        if self.own_clock:
            return rounds([lambda run=run: run(*self.args)[0] for run in runs], seconds)  # type: ignore[misc]
        clock = time.thread_time if self.threads == 1 else time.perf_counter
        with np.errstate(all="ignore"):
            return rounds([stopwatch(run, [self.args, *self.more], clock) for run in runs], seconds)


def agrees(run: Contestant, error: float | None) -> bool:
    return error is None or run.tolerance is None or error <= run.tolerance


def stopwatch(
    run: Contestant, sets: Sequence[tuple[Any, ...]], clock: Callable[[], float]
) -> Callable[[], float]:
    """A function that gives the seconds of a call, over all sets in turn; each has been called, warm."""
    call = run.run

    def here(times: int) -> float:
        start = clock()
        for _ in range(times):
            for args in sets:
                call(*args)
        return (clock() - start) / (times * len(sets))

    def of_two(times: int) -> float:
        """As one writes it: a call of ``*args`` goes another way into a function, and takes longer."""
        start = clock()
        for _ in range(times):
            for p, q in sets:
                call(p, q)
        return (clock() - start) / (times * len(sets))

    own = of_two if all(len(args) == 2 for args in sets) else here
    timed = (run.elsewhere(sets) if run.elsewhere else None) or own
    taken = timed(1) * len(sets)
    if taken < 10 * ROUND_SECONDS:
        taken = timed(1) * len(sets)
    times = max(1, min(5000, int(ROUND_SECONDS / max(taken, 1e-9))))
    return lambda: timed(times)


def rounds(watches: Sequence[Callable[[], float]], seconds: float) -> list[list[float]]:
    times: list[list[float]] = [[] for _ in watches]
    end = time.perf_counter() + seconds * len(watches)
    while len(times[0]) < LEAST_ROUNDS or (time.perf_counter() < end and len(times[0]) < MOST_ROUNDS):
        for watch, mine in zip(watches, times, strict=True):
            mine.append(watch())
    return times


def floor(once: Sequence[float], again: Sequence[float]) -> float:
    """How far our own time is from itself: the largest of four medians over the smallest, less 1.

    Both halves of the rounds of both runs: what drifts in time counts, and what place in the round does.
    """
    half = len(once) // 2
    medians = [statistics.median(part) for run in (once, again) for part in (run[:half], run[half:])]
    return max(medians) / max(min(medians), 1e-12) - 1.0


def relative_error(got: Any, expected: Any) -> float:
    """The largest, over all entries."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    if got.shape != expected.shape:
        return float("inf")
    with np.errstate(all="ignore"):
        error = np.abs(got - expected) / np.abs(expected)
    return float(np.max(np.where(got == expected, 0.0, error), initial=0.0))
