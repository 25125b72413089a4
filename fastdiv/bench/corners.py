"""Where it could hurt: far orders, dtypes, lesser instruction sets, rows without clusters, cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import numpy as np

import fastdiv
from fastdiv import _core, _wasserstein
from fastdiv.bench.contestants import ROWS, Contestant, loosened, of
from fastdiv.bench.race import Case
from fastdiv.bench.workloads import dirichlet, unrelated


def cases(scale: float) -> Iterator[Case]:
    many = int(20_000 * scale)
    pair = unrelated(many, 500)
    yield from _levels(many, pair)
    yield from _orders(many, pair)
    yield from _raw(many, pair)
    yield from _dtypes(many, pair)
    yield from _matrices(scale)
    yield from _cells(scale)


def _levels(many: int, pair: tuple[Any, Any]) -> Iterator[Case]:
    """Each instruction set against this CPU's best: where that is no faster, a loop has lost its lanes."""

    def at(level: str, function: Callable[..., Any]) -> Contestant:
        def run(*args: Any) -> Any:
            _core.choose_isa(level)
            try:
                return function(*args)
            finally:
                _core.choose_isa(best)

        return Contestant("fastdiv" if level == best else f"fastdiv, {level}", run)

    best = _core.isa()
    order = np.argsort([best != level for level in _core.isa_levels()], kind="stable")
    levels = [_core.isa_levels()[i] for i in order]
    for log_input in (False, True):
        rows = tuple(np.log(x[: many // 10]) for x in pair) if log_input else pair
        for measure in ROWS:
            args = rows[:1] if measure == "entropy" else rows
            function = partial(getattr(fastdiv, measure), log_input=log_input)
            if measure == "renyi_divergence":
                function = partial(function, alpha=1.5)
            runs = [at(level, function) for level in levels]
            what = measure + ", log_input" * log_input
            yield Case(what, f"{len(rows[0])} x 500", runs, args, per=("bin", rows[0].size))


def _orders(many: int, pair: tuple[Any, Any]) -> Iterator[Case]:
    def numpy(order: float) -> Callable[..., Any]:
        if order == np.inf:
            return lambda p, q: np.log((p / q).max(-1))
        return lambda p, q: np.log((p**order * q ** (1 - order)).sum(-1)) / (order - 1)

    p, q = (np.maximum(x, 1e-9) for x in pair)  # powers of less leave the range of floats
    p, q = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    for order in (0.5, 2, 3, np.inf):
        ours = Contestant("fastdiv", lambda p, q, order=order: fastdiv.renyi_divergence(p, q, order))
        plain = Contestant("NumPy, not normalising", numpy(order))
        yield Case(
            f"renyi_divergence, order {order}", f"{many} x 500", [ours, plain], (p, q), per=("bin", p.size)
        )


def _raw(many: int, pair: tuple[Any, Any]) -> Iterator[Case]:
    """Renyi of rows as they stand goes bin by bin."""
    p, q = (x[: many // 10] for x in pair)
    ours = Contestant("fastdiv", lambda p, q: fastdiv.renyi_divergence(p, q, 1.5, normalize=False))
    plain = Contestant("NumPy", lambda p, q: 2.0 * np.log((p**1.5 * q**-0.5).sum(-1)))
    yield Case(
        "renyi_divergence, normalize=False", f"{len(p)} x 500", [ours, plain], (p, q), per=("bin", p.size)
    )


def _dtypes(many: int, pair: tuple[Any, Any]) -> Iterator[Case]:
    """Ours against the same rows as float64; two dtypes and float16 are cast a block at a time."""
    p, q = (np.maximum(x, 1e-4) for x in pair)
    pair = p / p.sum(-1, keepdims=True), q / q.sum(-1, keepdims=True)
    for measure, what, dtypes in (
        ("kl_divergence", "", ("f4", "f4")),
        ("js_distance", "", ("f4", "f4")),
        ("kl_divergence", "", ("f2", "f2")),
        ("kl_divergence", " with float32", ("f8", "f4")),
    ):
        p, q = (x.astype(dtype) for x, dtype in zip(pair, dtypes, strict=True))
        wide, *others = loosened(of(measure), 1e-2)
        peer = Contestant("fastdiv, as float64", _instead(wide, p.astype(float), q.astype(float)), 1e-3)
        runs = [wide, peer, *(others if dtypes == ("f4", "f4") else [])]
        yield Case(f"{measure}{what}", f"{many} x 500", runs, (p, q), per=("bin", p.size))


def _instead(run: Callable[..., Any], *args: Any) -> Callable[..., Any]:
    return lambda *_: run(*args)


def _matrices(scale: float) -> Iterator[Case]:
    n = max(int(1000 * scale), 12)
    A, B = (dirichlet(n, 128, seed, 5.0) for seed in (1, 2))
    doubles = Contestant("fastdiv, as float64", lambda A_, B_: fastdiv.cdist(A, B), 1e-5)
    single = A.astype("f4"), B.astype("f4")
    yield Case(
        "cdist js_distance, smooth rows", f"{n} x {n} x 128", [of("cdist js_distance")[0], doubles], single
    )
    few = A[: max(n // 5, 1)]
    metric: Any = "total_variation"
    near = Contestant("fastdiv", lambda A, B: fastdiv.knn(A, B, 10, metric)[0])
    every = Contestant("fastdiv cdist, sort", lambda A, B: np.sort(fastdiv.cdist(A, B, metric), 1)[:, :10])
    yield Case("knn total_variation, no clusters", f"{len(few)} x {n} x 128", [near, every], (few, B))


def _cells(scale: float) -> Iterator[Case]:
    """As chosen, all by cells, all by sorting: where rows of samples should begin to go through cells."""

    def by(name: str, least: int) -> Contestant:
        def run(*args: Any) -> Any:
            before = _wasserstein.set_cells_from(least, least)
            try:
                return fastdiv.wasserstein_distance(*args)
            finally:
                _wasserstein.set_cells_from(*before)

        return Contestant(f"fastdiv, by {name}", run, 1e-12)

    r = np.random.default_rng(2)
    for n in (500, 2000, 8000, 32000):
        if n * scale < 500 and n > 2000:
            return
        u, v, a, b = r.normal(size=n), r.normal(size=n + 1), r.random(n), r.random(n + 1)
        for name, args in (("W1", (u, v)), ("W1, weighted", (u, v, a, b))):
            runs = [of(name)[0], by("cells", 2), by("sorting", 2**62)]
            yield Case(name, f"{n} + {n + 1}", runs, args)
