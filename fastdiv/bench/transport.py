"""Samples on a line: against SciPy, POT and the two sorts that others begin with.

Run it once more with NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL" where np.sort is slow with AVX-512 (AMD):
that is its best there.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from fastdiv.bench.contestants import of
from fastdiv.bench.race import Case
from fastdiv.bench.workloads import Array, everyday_samples, pieces, samples


def cases(scale: float) -> Iterator[Case]:
    n = int(1e6 * scale)
    many = samples(n)
    for name, pair in many.items():
        yield Case(f"W1, {name}", f"{n} + {n}", of("W1"), pair)
    r = np.random.default_rng(1)
    u, v = r.normal(size=3 * n), r.normal(size=5 * n) + 0.1
    yield Case("W1", f"{3 * n} + {5 * n}", of("W1"), (u, v))
    two, *more = pieces(1000, u, v)
    yield Case("W1", "1000 + 1000", of("W1"), two, more=more)
    yield from _everyday(int(8e5 * scale), u, v)
    ordered = np.sort(u[:n]), np.sort(v[: int(0.7 * n)])
    yield Case("W1, sorted", f"{n} + {int(0.7 * n)}", of("W1, sorted"), ordered)
    k = int(4e5 * scale)
    x, y, a, b = r.normal(size=k), r.normal(size=k) + 0.1, r.random(k), r.random(k)
    yield Case("W1, weighted", f"{k} + {k}", of("W1, weighted"), (x, y, a, b))
    m = int(3000 * scale)
    rows = r.normal(size=(m, 200)), r.normal(size=(m, 200))
    yield Case("W1 of rows", f"{m} x (200 + 200)", of("W1 of rows"), rows)
    yield Case("W2", f"{k} + {k}", of("W2"), (x, y))
    x, y = x[: k // 4], y[: k // 4]
    for work in ("transport_plan", "ks_distance", "energy_distance"):
        yield Case(work, f"{len(x)} + {len(y)}", of(work), (x, y))


def _everyday(n: int, u: Array, v: Array) -> Iterator[Case]:
    """Two sorts as the bar: many ties, and sizes between a handful and a million."""
    for name, pair in everyday_samples(n).items():
        for work in ("W1", "KS", "energy"):
            yield Case(f"{work}, {name}", f"{n} + {n}", of(f"{work}, everyday"), pair)
    for k in (30, 300, 3000, 10_000, 30_000, 100_000):
        if k <= n:
            half = len(u) // 2
            for what, other in ("one law", u[half:]), ("shifted", v):
                two, *more = pieces(k, u[:half], other)
                yield Case(f"W1, {what}", f"{k} + {k}", of("W1, everyday"), two, more=more)
