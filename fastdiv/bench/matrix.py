"""Matrices and neighbours: against SciPy, NumKong, fastjsd, scikit-learn and a NumPy product."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import fastdiv
from fastdiv.bench.contestants import Contestant, loosened, of, sparse
from fastdiv.bench.race import Case
from fastdiv.bench.workloads import clustered, dirichlet, mostly_empty, near_one


def cases(scale: float) -> Iterator[Case]:
    def rows(n: int) -> int:
        return max(int(n * scale), 12)

    def size(A: Any, B: Any) -> str:
        return f"{A.shape[0]} x {B.shape[0]} x {A.shape[1]}"

    n = rows(512)
    A, B = dirichlet(n, 256, 1), dirichlet(n, 256, 2)
    yield Case("cdist js_distance", size(A, B), of("cdist js_distance"), (A, B))
    N, M = near_one(n, 256, 1), near_one(n, 256, 2)
    yield Case(
        "cdist js_distance, near-identical", size(N, M), loosened(of("cdist js_distance"), 1e-2)[:2], (N, M)
    )
    single = A.astype("f4"), B.astype("f4")
    runs = [c for c in loosened(of("cdist js_distance"), 0.05) if c.library != "fastjsd"]
    yield Case("cdist js_distance", size(A, B), runs, single)
    yield Case("pdist js_distance", f"{n} x 256", of("pdist js_distance"), (A,))
    A, B = dirichlet(rows(1200), 256, 1), dirichlet(rows(1300), 256, 2)
    for work in ("cdist kl_divergence", "cdist wasserstein"):
        yield Case(work, size(A, B), of(work), (A, B))
    yield from _sparse(rows(400), 2000)
    k, A, B = 10, clustered(rows(200), 128, 2), clustered(rows(10_000), 128, 3)
    index = fastdiv.Index(B)
    prepared = Contestant("fastdiv, prepared Index", lambda A, B, k: index.query(A, k)[0])
    yield Case("knn js_distance, k=10", size(A, B), [*of("knn js_distance"), prepared], (A, B, k))
    yield Case("knn wasserstein, k=10", size(A, B), of("knn wasserstein"), (A, B, k))


def _sparse(n: int, bins: int) -> Iterator[Case]:
    """The same rows in both forms; the peers take the dense one."""
    if sparse is None:
        return
    A, B = (mostly_empty(n, bins, 0.03, seed) for seed in (1, 2))
    compressed = sparse.csr_array(A), sparse.csr_array(B)

    def dense(run: Callable[..., Any]) -> Callable[..., Any]:
        return lambda A_, B_: run(A, B)

    first, *others = of("cdist js_distance")
    others = [
        Contestant(c.name, dense(c.run), c.tolerance, c.library) for c in others if c.library == "fastjsd"
    ]
    runs = [first, Contestant("fastdiv, dense rows", dense(first.run)), *others]
    yield Case("cdist js_distance, CSR 3 % full", f"{n} x {n} x {bins}", runs, compressed)
