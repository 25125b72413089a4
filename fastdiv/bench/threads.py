"""All threads against one, by the wall clock. Threads change no bit: the answers must be equal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import fastdiv
from fastdiv.bench.contestants import Contestant
from fastdiv.bench.race import Case
from fastdiv.bench.workloads import clustered, dirichlet, samples, unrelated


def cases(scale: float) -> Iterator[Case]:
    """None where there is one thread only."""
    every = fastdiv.num_threads()
    if every == 1:
        return

    def case(what: str, size: str, run: Callable[..., Any], args: tuple[Any, ...]) -> Case:
        runs = [_by(every, run, "fastdiv"), _by(1, run, "fastdiv, 1 thread")]
        return Case(what, size, runs, args, threads=every)

    many = int(20_000 * scale)
    pair = unrelated(many, 500)
    for measure in ("kl_divergence", "js_distance"):
        yield case(measure, f"{many} x 500", getattr(fastdiv, measure), pair)
    n = max(int(1000 * scale), 12)
    A, B = dirichlet(n, 256, 1), dirichlet(n, 256, 2)
    for metric in ("js_distance", "kl_divergence", "wasserstein"):
        yield case(f"cdist {metric}", f"{n} x {n} x 256", _cdist(metric), (A, B))
    A, B = clustered(max(n // 5, 12), 128, 2), clustered(10 * n, 128, 3)
    yield case(
        "knn js_distance, k=10", f"{len(A)} x {len(B)} x 128", lambda A, B: fastdiv.knn(A, B, 10)[0], (A, B)
    )
    n = int(1e6 * scale)
    for name, two in samples(n).items():
        yield case(f"W1, {name}", f"{n} + {n}", fastdiv.wasserstein_distance, two)


def _cdist(metric: Any) -> Callable[..., Any]:
    return lambda A, B: fastdiv.cdist(A, B, metric)


def _by(threads: int, run: Callable[..., Any], name: str) -> Contestant:
    def with_threads(*args: Any) -> Any:
        fastdiv.set_num_threads(threads)
        return run(*args)

    return Contestant(name, with_threads, 0.0)
