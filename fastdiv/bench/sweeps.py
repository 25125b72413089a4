"""From few to many: bins, rows, samples, and values that are equal."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from fastdiv.bench.contestants import Contestant, loosened, of
from fastdiv.bench.race import Case
from fastdiv.bench.rows import PROBED, twin
from fastdiv.bench.workloads import pieces, unrelated

BINS = (2, 3, 5, 10, 20, 50, 100, 300, 1000, 3000, 10_000, 100_000)
MEASURES = ("kl_divergence", "js_distance")
SLOW = 1_000_000  # samples of a side beyond which SciPy, who sorts twice and searches, is left out


def cases(scale: float) -> Iterator[Case]:
    yield from _bins(int(1e6 * scale))
    yield from _rows(int(1e6 * scale))
    yield from _samples(int(1e7 * scale))
    yield from _ties(int(1e6 * scale))


def _row_case(measure: str, what: str, pairs: list[tuple[Any, ...]], at: tuple[str, float], per: str) -> Case:
    runs = [
        c for c in loosened(of(measure), np.inf) if c.library != "fastjsd"
    ]  # slower than all, and takes long
    (p, q), *more = pairs
    few = max(1, min(PROBED, 20_000 // p.shape[1]))
    count = p.size if per == "bin" else len(p)
    return Case(
        f"{measure}, {what}",
        f"{p.shape[0]} x {p.shape[1]}",
        runs,
        (p, q),
        (p[:few], q[:few]),
        twin(measure),
        (per, count),
        at=at,
        more=more,
    )


def _bins(entries: int) -> Iterator[Case]:
    """As many entries in all."""
    for bins in BINS:
        if bins > entries:
            return
        p, q = (np.atleast_2d(np.maximum(x, 1e-9)) for x in unrelated(entries // bins, bins))
        for measure in MEASURES:
            yield _row_case(measure, "bins from few to many", [(p, q)], ("bins", bins), "bin")


def _rows(most: int) -> Iterator[Case]:
    """Of 10 bins."""
    p, q = (np.maximum(x, 1e-9) for x in unrelated(most, 10))
    for measure in MEASURES:
        rows = 1
        while rows <= most:
            some = pieces(rows, p, q)
            yield _row_case(measure, "rows from one to many", some, ("rows of 10 bins", rows), "row")
            rows *= 10


def _samples(most: int) -> Iterator[Case]:
    """Normal, shifted by a tenth."""
    rng = np.random.default_rng(4)
    u, v = rng.normal(size=most), rng.normal(size=most) + 0.1
    n = 10
    while n <= most:
        yield _sample_case("samples from few to many", pieces(n, u, v), ("samples of a side", n))
        n *= 10


def _sample_case(what: str, pairs: list[tuple[Any, ...]], at: tuple[str, float]) -> Case:
    pair, *more = pairs
    n = len(pair[0])
    runs: list[Contestant] = [c for c in of("W1") if n <= SLOW or c.library != "scipy"]
    return Case(f"W1, {what}", f"{n} + {n}", runs, pair, per=("sample", 2 * n), at=at, more=more)


def _ties(n: int) -> Iterator[Case]:
    """Tenths, of as many values as there are samples down to one."""
    rng = np.random.default_rng(5)
    values = n
    while values:
        pair = tuple(rng.integers(0, values, n) * 0.1 for _ in range(2))
        case = _sample_case("ties from none to all", [pair], ("distinct values", values))
        yield replace(case, size=f"{case.size} of {values}")
        values //= 10
