"""A race: everyone runs in turn, round after round, and the medians are compared.

On a shared machine absolute times drift; the ratio of two medians from the same rounds does not.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np


def _calls(run: Callable[[], Any]) -> int:
    """Calls to a round: enough for some 2 ms."""
    start = time.perf_counter()
    run()
    once = time.perf_counter() - start
    return max(1, min(5000, int(2e-3 / max(once, 1e-9))))


def race(runs: Sequence[Callable[[], Any]], rounds: int = 7) -> list[float]:
    """Median seconds of each run, all taken in the same rounds, after one warm-up."""
    counts = [_calls(run) for run in runs]
    times: list[list[float]] = [[] for _ in runs]
    for _ in range(rounds):
        for run, count, taken in zip(runs, counts, times, strict=True):
            start = time.perf_counter()
            for _ in range(count):
                run()
            taken.append((time.perf_counter() - start) / count)
    return [float(np.median(taken)) for taken in times]


def relative_error(got: Any, expected: Any) -> float:
    """The largest, over all rows."""
    got, expected = np.asarray(got, float), np.asarray(expected, float)
    if got.shape != expected.shape:
        return float("inf")
    with np.errstate(all="ignore"):
        error = np.abs(got - expected) / np.abs(expected)
    return float(np.max(np.where(got == expected, 0.0, error)))
