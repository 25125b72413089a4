"""Transport against its peers: answers first, then interleaved timings and their ratios.

    python bench/transport.py               the table of docs and of issue 3
    python bench/transport.py --quick       a tenth of the samples
    python bench/transport.py --threads     one thread against two
    python bench/transport.py --threshold   where rows should start to go through cells

A ratio is a peer's median time over ours, both measured in turns in this run. Run it once more with
NPY_DISABLE_CPU_FEATURES="X86_V4 AVX512_ICL" where np.sort is slow with AVX-512 (AMD): that is its best there.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from time import perf_counter, process_time

import numpy as np
import ot
from scipy import stats

import fastdiv
from fastdiv import _wasserstein

Run = Callable[[], object]


def medians(runs: list[Run], seconds: float = 1.5, clock: Callable[[], float] = process_time) -> list[float]:
    """Median seconds of each run, taken in turns for about `seconds` each, at least five turns.

    One thread is timed by the CPU time it took: on a shared machine the wall clock charges a short call for
    what the scheduler gave to others because the long one before it had used up its share.
    """
    times: list[list[float]] = [[] for _ in runs]
    repeats = []  # a turn takes some 2 ms at least: short calls are not timed cold
    for run in runs:
        start = perf_counter()
        run()
        repeats.append(1 + int(2e-3 / (perf_counter() - start)))
    end = perf_counter() + seconds * len(runs)
    while len(times[0]) < 5 or (perf_counter() < end and len(times[0]) < 200):
        for run, mine, repeat in zip(runs, times, repeats, strict=True):
            start = clock()
            for _ in range(repeat):
                run()
            mine.append((clock() - start) / repeat)
    return [statistics.median(t) for t in times]


def check(ours: float, theirs: float, tolerance: float = 1e-9) -> None:
    if not abs(ours - theirs) <= tolerance * abs(theirs):
        raise AssertionError(f"{ours!r} is not {theirs!r}")


def report(
    name: str, ours: Run, peers: dict[str, tuple[Run, str]], clock: Callable[[], float] = process_time
) -> None:
    """One line: our time, then for each peer the ratio and what was to be reached."""
    times = medians([ours, *(run for run, _ in peers.values())], clock=clock)
    ratios = (
        f"{peer} x{time / times[0]:.1f}" + (f" (goal {goal})" if goal else "")
        for (peer, (_, goal)), time in zip(peers.items(), times[1:], strict=True)
    )
    print(f"{name:34} {times[0] * 1e3:9.3f} ms   {', '.join(ratios)}", flush=True)


def samples(n: int, m: int, seed: int = 0) -> dict[str, tuple[np.ndarray, np.ndarray, str, str]]:
    """Workloads of issue 3: u, v, the goal against SciPy and against two np.sort."""
    r = np.random.default_rng(seed)
    ties = r.integers(0, 1000, n) * 0.1, r.integers(0, 1000, m) * 0.1
    return {
        "normal, shifted by 0.1": (r.normal(size=n), r.normal(size=m) + 0.1, "60", "10"),
        "normal, one law": (r.normal(size=n), r.normal(size=m), "40", ""),
        "Cauchy": (r.standard_cauchy(n), r.standard_cauchy(m), "25", ""),
        "lognormal(2)": (r.lognormal(0, 2, n), r.lognormal(0, 2, m), "25", ""),
        "offset 1e9": (r.normal(size=n) + 1e9, r.normal(size=m) + 1e9, "25", ""),
        "1000 distinct values": (*ties, "25", ""),
    }


def w1(u: np.ndarray, v: np.ndarray, *weights: np.ndarray, **options: object) -> float:
    return float(fastdiv.wasserstein_distance(u, v, *weights, **options))


def table(scale: float) -> None:
    n = int(1e6 * scale)
    for name, (u, v, scipy_goal, sort_goal) in samples(n, n).items():
        # SciPy's float CDFs lose digits where F - G is small: 1e-6 is what can be asked of it
        check(w1(u, v), w1(np.sort(u), np.sort(v), assume_sorted=True), 1e-14)
        check(w1(u, v), stats.wasserstein_distance(u, v), 1e-6)
        report(
            f"W1 {n:g} + {n:g} {name}",
            lambda u=u, v=v: w1(u, v),
            {
                "SciPy": (lambda u=u, v=v: stats.wasserstein_distance(u, v), scipy_goal),
                "two np.sort": (lambda u=u, v=v: (np.sort(u), np.sort(v)), sort_goal),
            },
        )
    r = np.random.default_rng(1)
    u, v = r.normal(size=3 * n), r.normal(size=5 * n) + 0.1
    check(w1(u, v), stats.wasserstein_distance(u, v))
    report("W1 3e6 + 5e6", lambda: w1(u, v), {"SciPy": (lambda: stats.wasserstein_distance(u, v), "60")})
    k = int(4e5 * scale)
    x, y, a, b = r.normal(size=k), r.normal(size=k) + 0.1, r.random(k), r.random(k)
    check(w1(x, y, a, b), stats.wasserstein_distance(x, y, a, b))
    report(
        "W1 weighted 4e5 + 4e5",
        lambda: w1(x, y, a, b),
        {"SciPy": (lambda: stats.wasserstein_distance(x, y, a, b), "30")},
    )
    s, t = u[:1000], v[:1000]
    check(w1(s, t), stats.wasserstein_distance(s, t))
    report("W1 1000 + 1000", lambda: w1(s, t), {"SciPy": (lambda: stats.wasserstein_distance(s, t), "12")})
    us, vs = np.sort(u[:n]), np.sort(v[: int(0.7 * n)])
    check(w1(us, vs), stats.wasserstein_distance(us, vs))
    report(
        "W1 sorted 1e6 + 7e5",
        lambda: w1(us, vs, assume_sorted=True),
        {"SciPy": (lambda: stats.wasserstein_distance(us, vs), "25")},
    )
    rows_u, rows_v = r.normal(size=(3000, 200)), r.normal(size=(3000, 200))
    ours = fastdiv.wasserstein_distance(rows_u, rows_v)
    check(float(ours.sum()), sum(map(stats.wasserstein_distance, rows_u, rows_v)))
    report(
        "W1 3000 rows of 200 + 200",
        lambda: fastdiv.wasserstein_distance(rows_u, rows_v),
        {
            "SciPy loop": (lambda: list(map(stats.wasserstein_distance, rows_u, rows_v)), "25"),
            "POT batch": (lambda: ot.wasserstein_1d(rows_u.T, rows_v.T, p=1), "10"),
        },
    )
    check(w1(x, y, p=2) ** 2, float(ot.wasserstein_1d(x, y, p=2)))
    report(
        "W2 4e5 + 4e5",
        lambda: w1(x, y, p=2),
        {
            "POT": (lambda: ot.wasserstein_1d(x, y, p=2), "25"),
            "two np.sort": (lambda: (np.sort(x), np.sort(y)), ""),
        },
    )
    x, y = x[: k // 4], y[: k // 4]
    check(fastdiv.transport_plan(x, y).cost, float(ot.emd2_1d(x, y, metric="cityblock", dense=False)))
    report(
        "plan of 1e5 + 1e5",
        lambda: fastdiv.transport_plan(x, y),
        {"POT emd_1d": (lambda: ot.emd_1d(x, y, metric="cityblock", dense=False), "5")},
    )
    check(float(fastdiv.ks_distance(x, y)), float(stats.ks_2samp(x, y, method="asymp").statistic))
    report(
        "KS 1e5 + 1e5",
        lambda: fastdiv.ks_distance(x, y),
        {"SciPy ks_2samp": (lambda: stats.ks_2samp(x, y, method="asymp"), "")},
    )
    check(float(fastdiv.energy_distance(x, y)), stats.energy_distance(x, y))
    report(
        "energy 1e5 + 1e5",
        lambda: fastdiv.energy_distance(x, y),
        {"SciPy": (lambda: stats.energy_distance(x, y), "")},
    )


def threads(scale: float) -> None:
    n = int(1e6 * scale)
    for name, (u, v, *_) in samples(n, n).items():

        def run(k: int, u: np.ndarray = u, v: np.ndarray = v) -> float:
            fastdiv.set_num_threads(k)
            return w1(u, v)

        if run(1) != run(2):
            raise AssertionError("bits depend on the number of threads")
        report(
            f"2 threads, {name}",
            lambda run=run: run(2),
            {"1 thread": (lambda run=run: run(1), "1.6")},
            perf_counter,
        )
    fastdiv.set_num_threads(None)


def threshold() -> None:
    r = np.random.default_rng(2)
    before = _wasserstein.set_cells_from(2, 2)
    for n in (250, 500, 1000, 2000, 4000, 8000, 16000, 32000, 64000):
        u, v, a, b = r.normal(size=n), r.normal(size=n + 1), r.random(n), r.random(n + 1)

        def run(least: int, *arguments: np.ndarray) -> float:
            _wasserstein.set_cells_from(least, least)
            return w1(*arguments)

        for name, arguments in (("", (u, v)), (", weighted", (u, v, a, b))):
            cells, sweep = medians(
                [lambda z=arguments: run(2, *z), lambda z=arguments: run(2**62, *z)], seconds=0.3
            )
            print(f"{2 * n + 1:7} values{name:10}: sorting takes {sweep / cells:5.2f} times as long as cells")
    _wasserstein.set_cells_from(*before)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    for flag in ("quick", "threads", "threshold"):
        parser.add_argument(f"--{flag}", action="store_true")
    options = parser.parse_args()
    scale = 0.1 if options.quick else 1.0
    if options.threads:
        threads(scale)
    elif options.threshold:
        threshold()
    else:
        fastdiv.set_num_threads(1)
        table(scale)


if __name__ == "__main__":
    main()
