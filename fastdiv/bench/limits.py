"""Beside what the machine can do at all, measured on the same data in the same rounds.

A measure of two rows reads 16 bytes a bin, as a copy of one of them moves; it takes a logarithm a bin (JS:
two); KL of many against many is a product, JS a logarithm for each pair of bins, W1 replaces two sorts.
W1 of many rows takes three operations, a difference, its size and a sum, where a product takes one: two
thirds of a product's speed on Zen 4, whose adders are not its multipliers, and a third where they are the
same. Of some hundred rows preparing them, a logarithm or a sum to twice the precision a bin, takes as long as
the pairs do.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import fastdiv
from fastdiv.bench.contestants import SORTS, Contestant, ours
from fastdiv.bench.race import Case
from fastdiv.bench.workloads import dirichlet, samples, unrelated

LOGARITHMS = {
    "entropy": 1,
    "kl_divergence": 1,
    "js_distance": 2,
    "total_variation": 0,
    "hellinger_distance": 0,
}
BLOCK = 4096  # of logarithms, in the first cache
PRODUCT = "matrix product"


def cases(scale: float) -> Iterator[Case]:
    for where, rows in (("from memory", int(20_000 * scale)), ("from the caches", 100)):
        p, q = unrelated(rows, 500)
        for measure, count in LOGARITHMS.items():
            yield _rows(f"{measure}, {where}", measure, count, p, q)
    n = max(int(600 * scale), 12)
    A, B = dirichlet(n, 256, 1), dirichlet(n, 256, 2)
    for metric in ("kl_divergence", "wasserstein", "js_distance"):
        bound = logarithms(n * n * 256) if metric == "js_distance" else Contestant(PRODUCT, _product, None)
        runs = [ours(fastdiv.cdist, metric=metric), bound]
        yield Case(f"cdist {metric}", f"{n} x {n} x 256", runs, (A, B), per=("bin", n * n * 256))
    n = int(1e6 * scale)
    many = samples(n)
    for name in ("normal, shifted", "normal, one law", "ties"):
        runs = [ours(fastdiv.wasserstein_distance), SORTS, Contestant("memory copy", _copies(n), None)]
        yield Case(f"W1, {name}", f"{n} + {n}", runs, many[name], per=("sample", 2 * n))


def _rows(what: str, measure: str, count: int, p: Any, q: Any) -> Case:
    args: tuple[Any, ...] = (p, q)
    half = p  # a copy moves two numbers for each that it reads
    if measure == "entropy":
        args, half = (p,), p[: len(p) // 2]
    runs = [ours(getattr(fastdiv, measure)), copies(half)]
    if count:
        runs.append(logarithms(count * p.size))
    return Case(what, f"{p.shape[0]} x {p.shape[1]}", runs, args, per=("bin", p.size))


def copies(p: Any) -> Contestant:
    """A copy, which moves twice as many bytes as p has."""
    into = np.empty_like(p)
    return Contestant("memory copy", lambda *_: np.copyto(into, p), None)


def logarithms(count: int, dtype: str = "f8") -> Contestant:
    """np.log of as many numbers, in the first cache."""
    x = np.linspace(0.1, 1.0, min(count, BLOCK)).astype(dtype)
    into = np.empty_like(x)

    def run(*_: Any) -> None:
        for _i in range(max(1, count // x.size)):
            np.log(x, out=into)

    return Contestant("vector logarithm", run, None)


def _product(A: Any, B: Any) -> Any:
    return A @ B.T


def _copies(n: int) -> Callable[..., None]:
    into = np.empty(n)

    def run(u: Any, v: Any) -> None:
        np.copyto(into, u)
        np.copyto(into, v)

    return run
