"""The arrays that are raced over, made from seeds."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]


def dirichlet(rows: int, bins: int, seed: int = 0, each: float = 1.0) -> Array:
    return np.random.default_rng(seed).dirichlet(np.full(bins, each), rows)


def unrelated(rows: int, bins: int) -> tuple[Array, Array]:
    """Two of Dirichlet(0.5), nowhere empty; a single row is a vector."""
    p, q = (dirichlet(rows, bins, seed, 0.5) + 1e-300 for seed in (1, 2))
    return (p, q) if rows > 1 else (p[0].copy(), q[0].copy())


def near(rows: int, bins: int) -> tuple[Array, Array]:
    """q = p (1 + 1e-4 noise), normalised."""
    p, _ = unrelated(rows, bins)
    q = p * (1.0 + 1e-4 * np.random.default_rng(7).standard_normal(p.shape))
    return p, q / q.sum(-1, keepdims=True)


def counts(rows: int, bins: int, mean: float = 50.0) -> tuple[Array, Array]:
    p, q = np.random.default_rng(0).poisson(mean, (2, rows, bins))
    return p, q


def near_one(rows: int, bins: int, seed: int) -> Array:
    """Rows within 1e-4 of one row."""
    noise = np.random.default_rng(seed).standard_normal((rows, bins))
    X = dirichlet(1, bins) * (1 + 1e-4 * noise)
    return np.asarray(X / X.sum(1, keepdims=True))


def loose(rows: int, bins: int, centres: int, seed: int) -> Array:
    """Around some centres, each bin with a fifth of noise."""
    rng = np.random.default_rng(seed)
    X = dirichlet(centres, bins, 1)[rng.integers(0, centres, rows)] * rng.gamma(25.0, 1 / 25.0, (rows, bins))
    return np.asarray(X / X.sum(1, keepdims=True))


def clustered(rows: int, bins: int, seed: int) -> Array:
    return loose(rows, bins, 100, seed)


def mostly_empty(rows: int, bins: int, full: float, seed: int) -> Array:
    rng = np.random.default_rng(seed)
    X = rng.random((rows, bins)) * (rng.random((rows, bins)) < full)
    X[:, 0] += 1e-3
    return np.asarray(X / X.sum(1, keepdims=True))


def pieces(n: int, *arrays: Array) -> list[tuple[Array, ...]]:
    """What short calls are raced over: disjoint pieces of n of each array, of 2^18 numbers at most if these
    are not one."""
    most = min((1 << 18) // (n * (arrays[0].size // len(arrays[0]))), *(len(x) // n for x in arrays))
    return [tuple(x[i : i + n] for x in arrays) for i in range(0, n * max(1, min(most, 1024)), n)]


def samples(n: int) -> dict[str, tuple[Array, Array]]:
    """Two samples of n."""
    r = np.random.default_rng(0)
    return {
        "normal, shifted": (r.normal(size=n), r.normal(size=n) + 0.1),
        "normal, one law": (r.normal(size=n), r.normal(size=n)),
        "Cauchy": (r.standard_cauchy(n), r.standard_cauchy(n)),
        "lognormal(2)": (r.lognormal(0, 2, n), r.lognormal(0, 2, n)),
        "offset 1e9": (r.normal(size=n) + 1e9, r.normal(size=n) + 1e9),
        "ties": (r.integers(0, 1000, n) * 0.1, r.integers(0, 1000, n) * 0.1),
        "ties, integers": (r.poisson(40, n), r.poisson(41, n)),
    }


def everyday_samples(n: int) -> dict[str, tuple[Array, Array]]:
    """Two samples of n as tables have them: few values, decimals, spikes, other dtypes."""
    r = np.random.default_rng(0)
    prices = np.array([0.0, 9.99, 19.99, 49.5, 100.0])
    day = 86_400 * 10**9
    laws: dict[str, Callable[[], Array]] = {
        "small integers as float64": lambda: r.integers(0, 1000, n).astype(float),
        "small integers": lambda: r.integers(0, 1000, n),
        "small integers as uint8": lambda: r.integers(0, 200, n).astype(np.uint8),
        "0 or 1": lambda: r.integers(0, 2, n).astype(float),
        "ages": lambda: np.clip(np.round(r.normal(40, 18, n)), 0, 105),
        "80 % zeros and a tail": lambda: np.where(r.random(n) < 0.8, 0.0, r.lognormal(0, 1, n)),
        "spikes and a tail": lambda: np.where(
            r.random(n) < 0.7, prices[r.integers(0, 5, n)], 20 * r.lognormal(0, 1, n)
        ),
        "two places": lambda: np.round(r.lognormal(3, 1, n), 2),
        "four places": lambda: np.round(r.normal(size=n), 4),
        "float32": lambda: r.normal(size=n).astype(np.float32),
        "nanoseconds": lambda: 1_700_000_000_000_000_000 + r.integers(0, day, n),
    }
    return {name: (law(), law()) for name, law in laws.items()}
