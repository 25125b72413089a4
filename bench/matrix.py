"""Matrices and neighbours against SciPy, NumKong and fastjsd: answers first, then interleaved ratios.

One thread but for the last lines; ``OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1`` holds the others to one too.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import sparse
from scipy.spatial import distance

import fastdiv
from bench.race import race, relative_error

ROUNDS = 5
Runs = dict[str, Callable[[], Any]]


def _dirichlet(rows: int, bins: int, seed: int) -> np.ndarray:
    return np.random.default_rng(seed).dirichlet(np.ones(bins), rows)


def _near(rows: int, bins: int, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = _dirichlet(1, bins, 0) * (1 + 1e-4 * rng.standard_normal((rows, bins)))
    return X / X.sum(1, keepdims=True)


def _clustered(rows: int, bins: int, seed: int) -> np.ndarray:
    """Around a hundred centres, each bin with a fifth of noise."""
    rng = np.random.default_rng(seed)
    centres = _dirichlet(100, bins, 1)
    X = centres[rng.integers(0, 100, rows)] * rng.gamma(25.0, 1 / 25.0, (rows, bins))
    return X / X.sum(1, keepdims=True)


def _sparse(rows: int, bins: int, density: float, seed: int) -> np.ndarray:
    rng = np.random.default_rng(seed)
    X = rng.random((rows, bins)) * (rng.random((rows, bins)) < density)
    X[:, 0] += 1e-3
    return X / X.sum(1, keepdims=True)


def _report(what: str, runs: Runs, tolerance: dict[str, float] | None = None, rounds: int = ROUNDS) -> None:
    """The first run is ours; every other answer is compared with it before anything is timed."""
    names = list(runs)
    ours = np.asarray(runs[names[0]](), float)
    for name in names[1:]:
        error = relative_error(runs[name](), ours)
        limit = (tolerance or {}).get(name, 1e-9)
        if not error <= limit:
            raise AssertionError(f"{what}: {name} differs by {error:.1e}")
    seconds = race(list(runs.values()), rounds)
    for name, taken in zip(names, seconds, strict=True):
        ratio = f"{taken / seconds[0]:8.2f}" if name != names[0] else "        "
        print(f"{what:<44} {name:<28} {taken * 1e3:9.2f} ms {ratio}")


def _numkong() -> Any:
    import numkong

    return numkong


def _fastjsd() -> Any:
    import fastjsd

    return fastjsd


def _jensen_shannon() -> None:
    numkong, fastjsd = _numkong(), _fastjsd()
    A, B = _dirichlet(512, 256, 1), _dirichlet(512, 256, 2)
    _report(
        "cdist JS 512 x 512 x 256",
        {
            "fastdiv": lambda: fastdiv.cdist(A, B),
            "scipy": lambda: distance.cdist(A, B, "jensenshannon"),
            "fastjsd": lambda: fastjsd.jsd_matrix(A, B, base=np.e, threads=1),
            "NumKong": lambda: numkong.cdist(A, B, "jensenshannon"),
        },
    )
    N, M = _near(512, 256, 1), _near(512, 256, 2)
    _report(
        "the same, rows near-identical (1e-4)",
        {"fastdiv": lambda: fastdiv.cdist(N, M), "scipy": lambda: distance.cdist(N, M, "jensenshannon")},
        {"scipy": 1e-2},
    )
    A4, B4 = A.astype("f4"), B.astype("f4")
    _report(
        "the same, float32",
        {
            "fastdiv": lambda: fastdiv.cdist(A4, B4),
            "NumKong": lambda: numkong.cdist(A4, B4, "jensenshannon"),
        },
        {"NumKong": 0.05},
    )
    _report(
        "pdist JS 512 x 256",
        {"fastdiv": lambda: fastdiv.pdist(A), "scipy": lambda: distance.pdist(A, "jensenshannon")},
    )


def _products_and_transport() -> None:
    numkong = _numkong()
    A, B = _dirichlet(1200, 256, 1), _dirichlet(1300, 256, 2)
    expected = fastdiv.cdist(A, B, "kl_divergence")
    entropy = fastdiv.entropy(A)[:, None]
    if relative_error(-(A @ np.log(B).T) - entropy, expected) > 1e-9:
        raise AssertionError("the bare product is another thing")
    _report(
        "cdist KL 1200 x 1300 x 256",
        {
            "fastdiv": lambda: fastdiv.cdist(A, B, "kl_divergence"),
            "NumKong": lambda: numkong.cdist(A, B, "kullbackleibler"),
            "NumPy, A @ log(B).T - entropy": lambda: -(A @ np.log(B).T) - entropy,
        },
        {"NumKong": 1e-6},
    )
    a, b = race([lambda: fastdiv.cdist(A, B, "kl_divergence"), lambda: A @ np.log(B).T], 9)
    print(f"cdist KL takes {a / b:.2f} times the bare A @ log(B).T")
    F, G = A.cumsum(1), B.cumsum(1)
    _report(
        "cdist W1 1200 x 1300 x 256 shared bins",
        {
            "fastdiv": lambda: fastdiv.cdist(A, B, "wasserstein"),
            "scipy, cityblock of CDFs": lambda: distance.cdist(F, G, "cityblock"),
        },
    )


def _sparse_rows() -> None:
    fastjsd = _fastjsd()
    A, B = _sparse(400, 2000, 0.03, 1), _sparse(400, 2000, 0.03, 2)
    SA, SB = sparse.csr_array(A), sparse.csr_array(B)
    _report(
        "cdist JS 400 x 400 x 2000, 3 % dense",
        {
            "fastdiv": lambda: fastdiv.cdist(A, B),
            "fastdiv, CSR": lambda: fastdiv.cdist(SA, SB),
            "fastjsd": lambda: fastjsd.jsd_matrix(A, B, base=np.e, threads=1),
        },
    )


def _smallest(matrix: np.ndarray, k: int) -> np.ndarray:
    where = np.argpartition(matrix, k, axis=1)[:, :k]
    return np.sort(np.take_along_axis(matrix, where, 1), axis=1)


def _neighbours() -> None:
    A, B = _clustered(200, 128, 2), _clustered(10_000, 128, 3)
    index = fastdiv.Index(B)
    _report(
        "knn JS, k = 10, 200 in 10 000 x 128",
        {
            "fastdiv": lambda: fastdiv.knn(A, B, 10)[0],
            "fastdiv, prepared Index": lambda: index.query(A, 10)[0],
            "fastdiv cdist, argpartition": lambda: _smallest(fastdiv.cdist(A, B), 10),
            "scipy cdist, argpartition": lambda: _smallest(distance.cdist(A, B, "jensenshannon"), 10),
        },
        rounds=3,
    )
    F, G = A.cumsum(1), B.cumsum(1)
    _report(
        "knn W1, k = 10, 200 in 10 000 x 128",
        {
            "fastdiv": lambda: fastdiv.knn(A, B, 10, "wasserstein")[0],
            "scipy cityblock, argpartition": lambda: _smallest(distance.cdist(F, G, "cityblock"), 10),
        },
    )


def _threads() -> None:
    A, B = _dirichlet(1000, 256, 1), _dirichlet(1000, 256, 2)
    if not np.array_equal(fastdiv.cdist(A, B, workers=1), fastdiv.cdist(A, B, workers=2)):
        raise AssertionError("threads change the bits")
    for metric in ("js_distance", "kl_divergence"):
        one, two = race([lambda n=n: fastdiv.cdist(A, B, metric, workers=n) for n in (1, 2)], ROUNDS)  # noqa: B023
        print(f"cdist {metric} 1000 x 1000 x 256: two threads over one {one / two:.2f}")


def main() -> None:
    fastdiv.set_num_threads(1)
    try:
        _jensen_shannon()
        _products_and_transport()
        _sparse_rows()
        _neighbours()
    finally:
        fastdiv.set_num_threads(None)
    _threads()


if __name__ == "__main__":
    main()
