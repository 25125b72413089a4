"""Comparing tables: against reading them, a fresh comparison, Evidently, and one process for two workers.

Tables are Parquet files in a temporary folder, up to 2 GB of them, which goes when the process ends.
"""

from __future__ import annotations

import atexit
import json
import tempfile
from collections.abc import Callable, Iterator
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np

import fastdiv
from fastdiv.bench.contestants import Contestant
from fastdiv.bench.race import OURS, Case
from fastdiv.drift import Baseline, Report, comparison
from fastdiv.drift.report import Noise

FRESH, READING, PLAIN = "fastdiv, a fresh compare", "pyarrow reads them", "fastdiv, no noise floors"
EVIDENTLY, ALONE = "Evidently DataDriftPreset", "fastdiv, one process"
NEAR = 1e-3  # W1 of cells against that of all values


def cases(scale: float) -> Iterator[Case]:
    """Those that need no library which is not there."""
    many = int(1e6 * scale)
    if find_spec("pyarrow"):
        yield from _against_reading(many)
        for whole in (0, 7):
            yield from _scores(many, whole)
    yield from _pages(int(1000 * scale))
    yield from _evidently(int(1e5 * scale))
    if find_spec("pyarrow") and find_spec("distributed"):
        yield from _workers(4 * many)


def _case(what: str, size: str, runs: list[Contestant], goals: dict[str, float], **more: Any) -> Case:
    return Case(what, size, runs, goals=goals, threads=fastdiv.num_threads(), **more)


def _against_reading(rows: int) -> Iterator[Case]:
    import pyarrow.parquet as pq

    u, v = (_written(f"{side}-floats", rows, 50, 0, shift) for side, shift in (("u", 0.0), ("v", 0.01)))
    ours = _ours(partial(fastdiv.compare, u, v))
    reading = Contestant(READING, lambda: [pq.read_table(path) for path in (u, v)], None)
    size = f"2 x {rows} x 50"
    yield _case("compare, files of Parquet", size, [ours, reading], {READING: 1 / 3})

    def without() -> Any:
        with mock.patch.object(comparison, "_noise", return_value=Noise()):
            return fastdiv.compare(u, v)

    plain = Contestant(PLAIN, _answer(without), 1e-12)
    yield _case("compare, with noise floors", size, [ours, plain], {PLAIN: 1 / 1.5})


def _scores(rows: int, whole: int) -> Iterator[Case]:
    """Batches against a baseline that is kept: as an object, and as a file."""
    import pyarrow.parquet as pq

    u = _written(f"u-{whole}", rows, 20, whole, 0.0)
    kept = u.removesuffix(".parquet") + ".fdp"
    baseline = Baseline.from_table(u)
    baseline.save(kept)
    columns = f"{20 - whole} normal" + (f", {whole} whole" if whole else "")
    for batch in (rows // 10, rows):
        v = _written(f"v-{whole}-{batch}", batch, 20, whole, 0.01)
        fresh = Contestant(FRESH, _answer(partial(fastdiv.compare, u, v)), NEAR)
        reading = Contestant(READING, partial(pq.read_table, v), None)
        size = f"{batch} x 20 to {rows}"
        for what, side in (("a baseline", baseline), ("a file", kept)):
            ours = _ours(partial(fastdiv.compare, side, v))
            yield _case(f"score by {what}, {columns}", size, [ours, fresh, reading], {FRESH: 5})


def _pages(columns: int) -> Iterator[Case]:
    if not find_spec("jinja2"):
        return
    u, v = (_normal(20_000, columns, shift) for shift in (0.0, 0.01))
    size = f"2 x 20000 x {columns}"

    def shown() -> Report:
        report = fastdiv.compare(u, v)
        report.to_html()
        return report

    alone = Contestant("fastdiv, no page", _answer(partial(fastdiv.compare, u, v)), 0.0)
    yield _case("compare, and a page of HTML", size, [_ours(shown), alone], {OURS: 20})

    made = cache(partial(fastdiv.compare, u, v))

    def page() -> tuple[float, float]:
        return float(len(made().to_html().encode())), 1.0

    def record() -> tuple[float, float]:
        return float(len(json.dumps(made().to_dict()))), 1.0

    runs = [Contestant(OURS, page), Contestant("fastdiv, JSON", record)]
    yield _case("a page of HTML", size, runs, {OURS: 1e6}, own_clock=True, unit="B")


def _evidently(rows: int) -> Iterator[Case]:
    if not (find_spec("evidently") and find_spec("pandas")):
        return
    import pandas as pd

    u, v = (pd.DataFrame(_normal(rows, 50, shift)) for shift in (0.0, 0.01))

    def theirs() -> Any:
        from evidently import Report as Preset
        from evidently.presets import DataDriftPreset

        return Preset([DataDriftPreset()]).run(v, u).dict()

    runs = [_ours(partial(fastdiv.compare, u, v)), Contestant(EVIDENTLY, theirs, None)]
    yield _case("compare, frames of pandas", f"2 x {rows} x 50", runs, {EVIDENTLY: 30})


def _workers(rows: int) -> Iterator[Case]:
    sides = [
        [_written(f"{side}-part{i}", rows // 8, 10, 3, shift, i) for i in range(8)]
        for side, shift in (("u", 0.0), ("v", 0.01))
    ]

    def ours() -> Report:
        import fastdiv.dask

        with _cluster().as_current():
            return fastdiv.dask.compare(*sides)

    runs = [_ours(ours), Contestant(ALONE, _answer(partial(fastdiv.compare, *sides)), NEAR)]
    yield _case("compare, two workers of Dask", f"2 x {rows} x 10", runs, {ALONE: 1 / 1.3})


@cache
def _cluster() -> Any:
    """Workers until the process ends, whom only those who ask have."""
    from distributed import Client, LocalCluster

    workers = LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None)
    client = Client(workers, set_as_default=False)
    atexit.register(client.shutdown)
    return client


def _ours(run: Callable[[], Report]) -> Contestant:
    return Contestant(OURS, _answer(run), NEAR)


def _answer(run: Callable[[], Report]) -> Callable[[], Any]:
    """W1 of each column, by their names: a report has them by what has moved."""

    def answer() -> Any:
        found = {column.name: column.w1 for column in run().columns}
        return np.array([found[name] for name in sorted(found)])

    return answer


@cache
def _folder() -> tempfile.TemporaryDirectory[str]:
    return tempfile.TemporaryDirectory(prefix="fastdiv-bench-")


@cache
def _written(name: str, rows: int, columns: int, whole: int, shift: float, seed: int = 0) -> str:
    import pyarrow as pa
    import pyarrow.parquet as pq

    path = str(Path(_folder().name) / f"{name}-{rows}.parquet")
    rng = np.random.default_rng([seed, rows])
    table = _normal(rows, columns - whole, shift, seed)
    table |= {f"k{i}": rng.integers(0, 90, rows) for i in range(whole)}
    pq.write_table(pa.table(table), path)
    return path


def _normal(rows: int, columns: int, shift: float, seed: int = 0) -> dict[str, np.ndarray]:
    rng = np.random.default_rng([seed, rows, int(100 * shift)])
    return {f"x{i}": rng.normal(shift, 1.0, rows) for i in range(columns)}
