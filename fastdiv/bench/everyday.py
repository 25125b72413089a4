"""The shapes that people have: few bins, counts, the first axis, ties, long rows, single calls; goals.

A goal is a ratio of somebody's time to ours, or seconds. A goal below 1 against ourselves says what an option
may cost: 0.8 is 1.25 times.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

import fastdiv
from fastdiv.bench.contestants import ABSENT, SORTS, Contestant, numkong, of, ours, plain
from fastdiv.bench.expressions import js_distance, kl_divergence, shares, smallest
from fastdiv.bench.limits import copies, logarithms
from fastdiv.bench.race import OURS, Case
from fastdiv.bench.rows import PROBED, twin
from fastdiv.bench.workloads import counts, dirichlet, loose, near_one, pieces, unrelated

Run = Callable[..., Any]
SORT = SORTS.name
NUMPY = "NumPy, normalising"
WITHOUT = "fastdiv, without"
ORDERS = Contestant("two np.argsort", lambda u, v: (np.argsort(u), np.argsort(v)), None)
BOTH = Contestant("memory copy of both", lambda u, v: (u.copy(), v.copy()), None)
CALL = Contestant("an empty function", lambda p, q, **options: None, None)


def cases(scale: float) -> Iterator[Case]:
    yield from _few_bins(int(50_000 * scale))
    yield from _rows(int(5000 * scale))
    yield from _samples(int(800_000 * scale))
    yield from _sizes()
    yield from _million(int(1e6 * scale))
    yield from _matrices(scale)
    yield from _neighbours(scale)
    yield from _single()


def _rowwise(what: str, pair: Any, runs: list[Contestant], goals: dict[str, float], **options: Any) -> Case:
    """Time by the row where bins are few, else by the bin; answers against the twin."""
    p = pair[0]
    axis = options.get("axis", -1)
    measure = what.partition(",")[0]
    few = tuple(x[:PROBED] if axis == -1 else x[:, :PROBED] for x in pair)
    bins = p.shape[axis]
    per = ("row", p.size // bins) if bins <= 20 else ("bin", p.size)
    here = [run for run in runs if run.library not in ABSENT]
    truth = twin(measure, **options)
    return Case(what, f"{p.shape[0]} x {p.shape[1]}", here, pair, few, truth, per, goals=goals)


def _numpy(run: Run, pseudocount: float = 0.0) -> Contestant:
    return plain(lambda p, q: run(shares(p, pseudocount), shares(q, pseudocount)), NUMPY)


def _psi(p: Any, q: Any) -> Any:
    return ((p - q) * np.log(p / q)).sum(-1)


def _few_bins(rows: int) -> Iterator[Case]:
    for bins in (4, 10, 20):
        pair = tuple(np.maximum(x, 1e-9) for x in unrelated(rows, bins))
        runs = [ours(fastdiv.kl_divergence), _numpy(kl_divergence)]
        yield _rowwise("kl_divergence", pair, runs, {NUMPY: 3})
    runs = [ours(fastdiv.jeffreys_divergence, pseudocount=0.5), _numpy(_psi, 0.5)]
    what = "jeffreys_divergence, counts, pseudocount=0.5"
    yield _rowwise(what, counts(rows, 10), runs, {NUMPY: 3}, pseudocount=0.5)


def _rows(many: int) -> Iterator[Case]:
    """Also what options cost: ours without them, on the same rows."""
    pair = unrelated(6000 * many // 5000, 333)
    turned = tuple(np.ascontiguousarray(x.T) for x in pair)
    for measure in ("kl_divergence", "js_distance"):
        run = getattr(fastdiv, measure)
        last = Contestant("fastdiv, axis=1", _instead(run, *pair), None)
        first, theirs, *_ = of(f"{measure}, axis=0")
        goals = {theirs.name: 12, last.name: 0.8}
        runs = [first, *([theirs] if theirs.library == "scipy" else []), last, copies(pair[0])]
        yield _rowwise(f"{measure}, axis=0", turned, runs, goals, axis=0)
    pair = unrelated(many, 500)
    run = fastdiv.kl_divergence
    without = Contestant(WITHOUT, lambda p, q: run(p, q), None)
    for what, options, goal in (
        ("kl_divergence, pseudocount=1e-4", {"pseudocount": 1e-4}, 0.8),
        ('kl_divergence, nan_policy="omit"', {"nan_policy": "omit"}, 0.5),
    ):
        some: dict[str, Any] = options
        yield _rowwise(what, pair, [ours(run, **some), without], {WITHOUT: goal}, **some)
    runs = [
        ours(run, normalize=False),
        plain(kl_divergence, "NumPy"),
        logarithms(pair[0].size),
        copies(pair[0]),
    ]
    yield _rowwise("kl_divergence, normalize=False", pair, runs, {"NumPy": 2.5}, normalize=False)
    single = tuple(np.maximum(x, 1e-4).astype("f4") for x in pair)
    runs = [
        Contestant(OURS, fastdiv.js_distance, 5e-6),
        Contestant("NumKong", lambda p, q: numkong.jensenshannon(p, q), 1e-2, "numkong"),
        Contestant("NumPy, not normalising", js_distance, 1e-1),
        logarithms(2 * single[0].size, "f4"),
    ]
    yield _rowwise("js_distance", single, runs, {"NumKong": 0.8})


def _samples(n: int) -> Iterator[Case]:
    r = np.random.default_rng(6)
    small = r.poisson(40, n), r.poisson(41, n)
    ages = tuple(np.clip(r.normal(mean, 18, n), 0, 100).round() for mean in (41, 43))
    tail = tuple(np.where(r.random(n) < 0.8, 0.0, r.lognormal(mean, 1.5, n)) for mean in (0, 0.1))
    spikes = tuple(np.where(r.random(n) < 0.5, r.integers(0, 5, n), r.lognormal(1, 1.5, n)) for _ in "uv")
    normal = r.normal(size=n), r.normal(size=n) + 0.1
    stamps = tuple((1.7e18 + 1e15 * r.random(n) + shift).astype("i8") for shift in (0, 1e13))
    for what, pair, goal in (
        ("small integers as float64", tuple(x.astype(float) for x in small), 2.0),
        ("small integers", small, 2.0),
        ("0 and 1", tuple(r.integers(0, 2, n).astype(float) for _ in "uv"), 2.0),
        ("ages", ages, 2.0),
        ("80 % zeros and a lognormal tail", tail, 1.3),
        ("spikes and a tail", spikes, 1.3),
        ("normal", tuple(x.astype("f4") for x in normal), 1.5),
        ("nanoseconds", stamps, 1.5),
        ("rounded to 4 places", tuple(x.round(4) for x in normal), 1.5),
    ):
        yield _of_samples("W1", fastdiv.wasserstein_distance, what, pair, goal)
    for what, pair in (
        ("small integers", small),
        ("ages", ages),
        ("80 % zeros and a lognormal tail", tail),
        ("spikes and a tail", spikes),
    ):
        yield _of_samples("ks_distance", fastdiv.ks_distance, what, pair, 1.5)
    yield _of_samples("energy_distance", fastdiv.energy_distance, "normal", normal, 0.8)


def _of_samples(work: str, run: Run, what: str, pair: Any, goal: float, limit: Contestant = BOTH) -> Case:
    few = tuple(x[:300] for x in pair)  # the twin has exact fractions
    truth = getattr(fastdiv.reference, run.__name__)
    own = Contestant(OURS, run, 1e-6 if pair[0].dtype == "f4" else 1e-12)
    size = f"{len(pair[0])} + {len(pair[1])}"
    return Case(f"{work}, {what}", size, [own, SORTS, limit], pair, few, truth, goals={SORT: goal})


def _sizes() -> Iterator[Case]:
    """The same for quick runs: size is the matter."""
    r = np.random.default_rng(8)
    for n in (30, 100, 300, 1000, 3000, 10_000, 30_000, 100_000, 300_000):
        many = max(n, 1 << 18)
        pair, *more = pieces(n, r.normal(size=many), r.normal(size=many) + 0.1)
        case = _of_samples("W1", fastdiv.wasserstein_distance, "normal", pair, 1.5, _sweep([pair, *more]))
        yield replace(case, more=more)


def _sweep(pairs: list[Any]) -> Contestant:
    """W1 of the same samples, sorted beforehand: what two sorts leave to be done."""
    ascending = {id(u): (np.sort(u), np.sort(v)) for u, v in pairs}

    def run(u: Any, v: Any) -> Any:
        pair = ascending.get(id(u)) or (np.sort(u), np.sort(v))  # of those whose answers are checked
        return fastdiv.wasserstein_distance(*pair, assume_sorted=True)

    return Contestant("a sweep, once sorted", run, None)


def _million(n: int) -> Iterator[Case]:
    """What was asked of large samples before."""
    r = np.random.default_rng(9)
    u, v, w = r.normal(size=n), r.normal(size=n) + 0.1, r.normal(size=n)
    k = n // 3
    weighted = u[:k], v[:k], r.random(k), r.random(k)
    few = n // 10
    for work, what, args, name, goal in (
        ("W1", "shifted", (u, v), "SciPy", 60),
        ("W1", "one law", (u, w), "SciPy", 40),
        ("W1, weighted", "shifted", weighted, "SciPy", 30),
        ("W2", "shifted", (u[:k], v[:k]), "POT wasserstein_1d", 25),
        ("transport_plan", "shifted", (u[:few], v[:few]), "POT emd2_1d", 4),
    ):
        runs = [run for run in of(work) if run is not SORTS or work == "W2"]
        if work == "transport_plan":
            runs.append(ORDERS)
        if any(run.name == name for run in runs):
            yield Case(f"{work}, {what}", f"{len(args[0])} + {len(args[1])}", runs, args, goals={name: goal})


def _matrices(scale: float) -> Iterator[Case]:
    n = max(int(600 * scale), 12)
    for bins in (4, 10, 257):
        A, B = (np.maximum(dirichlet(n, bins, seed), 1e-9) for seed in (1, 2))
        yield _many("cdist js_distance", A, B, of("cdist js_distance"), {"NumKong": 4})
    product = Contestant("bare product", lambda A, B: A @ B.T, None)
    for bins, rows in ((4096, 300), (20_000, 100)):
        rows = max(int(rows * scale), 12)
        A, B = dirichlet(rows, bins, 1), dirichlet(rows, bins, 2)
        for metric in ("kl_divergence", "wasserstein"):
            runs = [ours(fastdiv.cdist, metric=metric), product, _preparing(metric)]
            if metric == "wasserstein":  # a difference, its size and a sum, where a product is one operation
                runs.append(Contestant("three products", lambda A, B: [A @ B.T for _ in range(3)], None))
            yield _many(f"cdist {metric}", A, B, runs, {product.name: 0.5})
    A, B = near_one(n, 257, 1), near_one(n, 257, 2)
    first, *others = of("cdist js_distance")
    theirs = [Contestant(c.name, c.run, np.inf, c.library) for c in others if c.library == "scipy"]
    yield _many("cdist js_distance, near-identical", A, B, [first, *theirs], {"SciPy cdist": 8})


def _preparing(metric: Any) -> Contestant:
    """Each row once, and next to no pairs."""

    def run(A: Any, B: Any) -> None:
        fastdiv.cdist(A, B[:1], metric)
        fastdiv.cdist(A[:1], B, metric)

    return Contestant("preparing the rows", run, None)


def _many(what: str, A: Any, B: Any, runs: list[Contestant], goals: dict[str, float]) -> Case:
    here = [run for run in runs if run.library not in ABSENT]
    size = f"{len(A)} x {len(B)} x {A.shape[1]}"
    metric: Any = what.partition(",")[0].split()[1]
    few = tuple(X[: 4 if A.shape[1] < 1000 else 1] for X in (A, B))  # the twin has exact fractions
    return Case(
        what,
        size,
        here,
        (A, B),
        few,
        lambda A, B: fastdiv.reference.cdist(A, B, metric),
        ("bin", A.size * len(B)),
        goals=goals,
    )


def _neighbours(scale: float) -> Iterator[Case]:
    n, k, own = max(int(10_000 * scale), 40), 10, "fastdiv cdist, argpartition"
    runs = [
        Contestant(OURS, lambda A, B: fastdiv.knn(A, B, k)[0], 1e-12),
        Contestant(own, lambda A, B: smallest(fastdiv.cdist(A, B), k)),
    ]
    for what, centres, goal in (
        ("20 loose clusters", 20, 5),
        ("100 loose clusters", 100, 5),
        ("no clusters", 0, 3),
    ):
        if centres:
            A, B = loose(max(n // 50, 20), 128, centres, 2), loose(n, 128, centres, 3)
        else:
            A, B = dirichlet(max(n // 50, 20), 128, 1), dirichlet(n, 128, 2)
        size = f"{len(A)} x {len(B)} x 128"
        yield Case(f"knn js_distance, k=10, {what}", size, runs, (A, B), goals={own: goal})


def _single() -> Iterator[Case]:
    """The cost of a call."""
    rows, *more_rows = pieces(1, *unrelated(1024, 64))
    pair, *more_pairs = ((p[0], q[0]) for p, q in (rows, *more_rows))
    run = fastdiv.kl_divergence
    every: dict[str, Any] = {
        "base": None,
        "axis": -1,
        "keepdims": False,
        "normalize": True,
        "nan_policy": "propagate",
    }
    truth = fastdiv.reference.kl_divergence
    peer = plain(kl_divergence)
    one = np.ones(1)
    yield Case("kl_divergence, the call alone", "one pair of 1", [ours(run), peer], (one, one), truth=truth)
    spelled = "kl_divergence, options spelled out"
    for what, size, args, more, own, most in (
        ("kl_divergence", "one pair of 64", pair, more_pairs, ours(run), 0.25e-6),
        ("kl_divergence", "1 x 64", rows, more_rows, ours(run), 1e-6),
        (spelled, "one pair of 64", pair, more_pairs, ours(run, **every), 1e-6),
    ):
        yield Case(what, size, [own, peer, CALL], args, truth=truth, goals={OURS: most}, more=more)


def _instead(run: Run, *args: Any) -> Run:
    return lambda *_: run(*args)
