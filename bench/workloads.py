"""The work that is timed: name, what it is, and the arrays, made from a seed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

import numpy as np


@dataclass(frozen=True)
class Workload:
    """`make` gives the arguments (p, q); entropy takes the first alone."""

    name: str
    rows: int
    bins: int
    make: Callable[[], tuple[np.ndarray, np.ndarray]]

    @property
    def size(self) -> str:
        return f"{self.rows} x {self.bins}" if self.rows > 1 else f"one pair of {self.bins}"


def _unrelated(rows: int, bins: int) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(20130101)
    p, q = rng.dirichlet(np.full(bins, 0.5), size=(2, rows))
    return (p, q) if rows > 1 else (p[0].copy(), q[0].copy())


def _near(rows: int, bins: int) -> tuple[np.ndarray, np.ndarray]:
    p, _ = _unrelated(rows, bins)
    noise = np.random.default_rng(7).standard_normal(p.shape)
    q = p * (1.0 + 1e-4 * noise)
    return p, q / q.sum(-1, keepdims=True)


def _table(rows: int) -> dict[str, Workload]:
    shapes = {"unrelated": (_unrelated, rows, 500), "near": (_near, rows, 500), "pair": (_unrelated, 1, 64)}
    return {
        name: Workload(name, r, b, cache(lambda make=make, r=r, b=b: make(r, b)))
        for name, (make, r, b) in shapes.items()
    }


#: unrelated: Dirichlet(0.5) rows; near: q = p (1 + 1e-4 noise), normalised; pair: one pair of vectors
FULL = _table(20_000)
#: the same at a tenth of the size, for ``pytest bench``
QUICK = _table(2_000)
