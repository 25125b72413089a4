"""Ctrl-C at random moments of long calls and commands: how long until it is heard, and what is left.

`make interruptions` prints a line for each, and all of them as JSON with --json: how many were heard, the
longest and the middle latency in seconds. A process of its own sends the signal: one that waited for the GIL
would come when it is heard anyway.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

SENDER = """
import os, signal, sys, time
for line in sys.stdin:
    time.sleep(float(line))
    now = time.monotonic()
    os.kill(int(sys.argv[1]), signal.SIGINT)
    print(now, flush=True)
"""
PAIR = 100_000_000  # samples a side
HEADER = f"{'call':<26} {'takes':>6} {'heard':>5} {'middle':>7} {'longest':>7}"


def rows_of(n, bins, seed=0):
    return np.random.default_rng(seed).random((n, bins), dtype="f4").astype(float)


def samples_of(n, seed=0, dtype="f4"):
    return np.random.default_rng(seed).standard_normal(n, dtype="f4").astype(dtype, copy=False)


def many(x, n):
    return np.broadcast_to(x, (n, *x.shape))


def table(n, columns, seed):
    rng = np.random.default_rng(seed)
    return {f"c{i}": rng.normal(size=n) if i % 3 else rng.integers(0, 90, n) for i in range(columns)}


# Each makes a call that takes seconds and a short one like it, whose bits must not change.
CALLS: dict[str, Callable[[Any, int], tuple[Callable[[], Any], Callable[[], Any]]]] = {}


def call(name):
    def add(make):
        CALLS[name] = make
        return make

    return add


def rowwise(name, measure, make, **options):
    """A measure over rows that are one block in memory."""

    @call(name)
    def _(fd, n):
        arrays, few = make(n), make(3)
        function = getattr(fd.grad if name.startswith("grad") else fd, measure)
        return lambda: function(*arrays, **options), lambda: function(*few, **options)


P, Q = rows_of(2, 500)
rowwise("rows", "js_distance", lambda n: (many(P, 4000 * n), Q))
rowwise("rows of float32", "kl_divergence", lambda n: (many(P.astype("f4"), 4000 * n), Q))
rowwise("rows of few bins", "hellinger_distance", lambda n: (many(P[:20], 100_000 * n), Q[:20]))
rowwise(
    "columns", "kl_divergence", lambda n: (np.ascontiguousarray(rows_of(400, 40 * n)), Q[:400, None]), axis=0
)
rowwise("entropy", "entropy", lambda n: (many(P, 8000 * n),))
rowwise("stack", "js_divergence", lambda n: (many(np.stack([P, Q, P]), 1600 * n),))
rowwise(
    "NaN omitted",
    "js_divergence",
    lambda n: (many(np.where(P < 0.1, np.nan, P), 300 * n), Q),
    nan_policy="omit",
)
rowwise("pseudocount", "kl_divergence", lambda n: (many(P, 3000 * n), Q), pseudocount=0.5)
rowwise("one long row", "js_divergence", lambda n: (many(P[0], 2_000_000 * n), many(Q[0], 2_000_000 * n)))
rowwise("surprisal", "surprisal", lambda n: (rows_of(40 * n, 5000),))
rowwise("grad rows", "js_divergence", lambda n: (rows_of(40 * n, 5000), rows_of(40 * n, 5000, 1)))
rowwise(
    "grad samples", "wasserstein_distance", lambda n: (samples_of(200_000 * n), samples_of(200_000 * n, 1))
)
rowwise("W1", "wasserstein_distance", lambda n: (samples_of(1_000_000 * n), samples_of(1_000_000 * n, 1)))
rowwise("W2", "wasserstein_distance", lambda n: (samples_of(500_000 * n), samples_of(500_000 * n, 1)), p=2)
rowwise("W1 of rows", "wasserstein_distance", lambda n: (rows_of(100 * n, 1000), rows_of(1, 1000, 1)), p=3)
rowwise(
    "W1 weighted",
    "wasserstein_distance",
    lambda n: (
        *(samples_of(300_000 * n, s) for s in (0, 1)),
        *(rows_of(1, 300_000 * n, s)[0] for s in (2, 3)),
    ),
)
rowwise("energy", "energy_distance", lambda n: (samples_of(500_000 * n), samples_of(500_000 * n, 1)))
rowwise("KS", "ks_distance", lambda n: (samples_of(500_000 * n), samples_of(500_000 * n, 1)))
rowwise("sliced", "sliced_wasserstein", lambda n: (rows_of(2000 * n, 20), rows_of(2000 * n, 20, 1)), seed=0)
rowwise("histograms", "wasserstein_hist", lambda n: (np.tile(P, (600 * n, 1)), Q))
rowwise(
    "one long histogram",
    "wasserstein_hist",
    lambda n: (rows_of(1, 1_000_000 * n)[0], rows_of(1, 1_000_000 * n, 1)[0]),
)
rowwise(
    "circle",
    "wasserstein_circle",
    lambda n: (samples_of(50_000 * n), samples_of(50_000 * n, 1)),
    period=1.0,
    p=2,
)
rowwise("plan", "transport_plan", lambda n: (samples_of(200_000 * n), samples_of(200_000 * n, 1)))
rowwise("barycenter", "wasserstein_barycenter", lambda n: ([samples_of(200_000 * n, s) for s in range(3)],))
rowwise("cdist", "cdist", lambda n: (rows_of(150 * n, 500), rows_of(5000, 500, 1)))
rowwise(
    "cdist pair by pair",
    "cdist",
    lambda n: (rows_of(30 * n, 500), rows_of(2000, 500, 1), "triangular_discrimination"),
)
rowwise(
    "cdist of samples",
    "cdist",
    lambda n: (rows_of(30 * n, 500), rows_of(500, 400, 1), "wasserstein"),
    samples=True,
)
rowwise("pdist", "pdist", lambda n: (rows_of(int(300 * n**0.5), 500),))
rowwise("knn", "knn", lambda n: (rows_of(150 * n, 500), rows_of(5000, 500, 1), 5))


@call("W1 of 1e8 floats")
def _(fd, n):
    """Whatever n is: 0.8 GB of values."""
    u, v, few = samples_of(PAIR), samples_of(PAIR, 1), samples_of(3000)
    return lambda: fd.wasserstein_distance(u, v), lambda: fd.wasserstein_distance(few, few[::-2])


@call("cdist of sparse rows")
def _(fd, n):
    from scipy.sparse import random_array

    def make(size):
        return [random_array((k, 2000), density=0.05, rng=size, format="csr") for k in (100 * size, 3000)]

    many, few = make(n), make(3)
    return lambda: fd.cdist(*many), lambda: fd.cdist(*few)


@call("Index")
def _(fd, n):
    X, few = rows_of(400 * n, 500), rows_of(40, 500)
    return lambda: fd.Index(X).query(X[:2000], 5), lambda: fd.Index(few).query(few, 2)


@call("compare")
def _(fd, n):
    sides, few = [[table(rows, 40, s) for s in (0, 1)] for rows in (10_000 * n, 300)]
    return lambda: fd.compare(*sides).to_dict(), lambda: fd.compare(*few).to_dict()


@call("Baseline")
def _(fd, n):
    side, few = (table(rows, 40, 0) for rows in (10_000 * n, 300))
    return lambda: fd.Baseline.from_table(side), lambda: fd.Baseline.from_table(few).score(few).to_dict()


def resident() -> int:
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")


def opened() -> set[tuple[str, str]]:
    """The open files: others, of what was before, may be closed by a collection at any time."""
    found = set()
    for number in os.listdir("/proc/self/fd"):
        with contextlib.suppress(OSError):  # the one of listdir itself
            found.add((number, os.readlink(f"/proc/self/fd/{number}")))
    return found


def passes() -> list[threading.Thread]:
    """Long passes that have not ended: a join that is interrupted may take its thread for ended."""
    return [thread for thread in threading.enumerate() if thread.name == "fastdiv"]


def same(a: Any, b: Any) -> bool:
    """Whether results, whatever they are made of, have the same bits."""
    return pickle.dumps(a) == pickle.dumps(b)


def timed(work: Callable[[], Any]) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def lasting(name: str, seconds: float) -> tuple[Callable[[], Any], Callable[[], Any], float]:
    """The call at a size that takes `seconds` or more, the short one, and what the long one takes."""
    import fastdiv

    n, takes = 4, 0.0
    while True:
        long, short = CALLS[name](fastdiv, n)
        short()
        takes = min(timed(long), timed(long))
        if takes >= 0.7 * seconds or n > 10**6:
            return long, short, takes
        n = int(n * min(8.0, max(1.5, 1.2 * seconds / takes)))


def interrupt(name: str, moments: int, seconds: float, seed: int = 0) -> dict[str, Any]:
    """SIGINT at `moments` random moments of one call, in this process."""
    long, short, takes = lasting(name, seconds)
    right = short()
    chance, latencies, sizes = random.Random(seed), [], []
    words = [sys.executable, "-c", SENDER, str(os.getpid())]
    with subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as sender:
        files = opened()
        for _ in range(moments):
            done = 0.0
            try:
                sender.stdin.write(f"{chance.uniform(0, takes)}\n")
                sender.stdin.flush()
                long()
                done = time.monotonic()
                time.sleep(60)  # the call was over before
            except KeyboardInterrupt:
                heard = time.monotonic()
            sent = float(sender.stdout.readline())
            if not 0.0 < done < sent:
                latencies.append(heard - sent)
            assert same(short(), right), f"{name}: the next call gives something else"
            while passes():  # one that nobody waits for keeps its scratch until it ends
                time.sleep(0.001)
            sizes.append(resident())
        left = opened() - files
        assert not left, f"{name}: files are left open: {left}"
        sender.stdin.close()
    kept = min(sizes[len(sizes) // 2 :]) - min(sizes[: len(sizes) // 2 + 1])
    return summary(name, takes, latencies, kept)


def summary(name: str, takes: float, latencies: list[float], kept: int) -> dict[str, Any]:
    latencies.sort()
    return {
        "call": name,
        "takes": takes,
        "heard": len(latencies),
        "middle": latencies[len(latencies) // 2] if latencies else 0.0,
        "longest": latencies[-1] if latencies else 0.0,
        "kept": kept,
    }


COMMANDS = {
    "fastdiv compare": "compare a.csv b.csv -o out.html",
    "fastdiv compare, JSON": "compare a.npz b.npz -o out.json",
    "fastdiv profile": "profile a.csv -o out.fdp",
    "fastdiv pairwise": "pairwise A.npy -o out.npy --metric triangular_discrimination --restart",
    "fastdiv nearest": "nearest A.npy -k 5 -o out.npz --metric triangular_discrimination --restart",
}
COMMAND = """
import sys
from fastdiv import cli
print("ready", flush=True)
sys.exit(cli.main(sys.argv[1].split()))
"""


def inputs(folder: Path) -> None:
    np.save(folder / "A.npy", rows_of(2500, 200))
    for name, seed in (("a", 0), ("b", 1)):
        columns = table(100_000, 10, seed)
        np.savez(folder / f"{name}.npz", **columns)
        lines = np.column_stack([columns[c] for c in columns])
        np.savetxt(
            folder / f"{name}.csv", lines, delimiter=",", header=",".join(columns), comments="", fmt="%.6g"
        )


def interrupt_command(name: str, moments: int, seed: int = 0) -> dict[str, Any]:
    """SIGINT at random moments of a command: its result is whole or absent, and nothing else is left."""
    words = [sys.executable, "-c", COMMAND, COMMANDS[name]]
    (result,) = [word for word in COMMANDS[name].split() if word.startswith("out")]
    chance, latencies = random.Random(seed), []
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        inputs(folder)
        allowed = {path.name for path in folder.iterdir()} | {result, f"{result}.part", f"{result}.part.json"}

        def run(delay: float | None) -> tuple[int, float, float]:
            with subprocess.Popen(
                words, cwd=place, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
            ) as command:
                assert command.stdout.readline() == "ready\n"
                began = now = time.monotonic()
                if delay is not None:
                    time.sleep(delay)
                    now = time.monotonic()
                    command.send_signal(signal.SIGINT)
                code = command.wait()
                if code == -signal.SIGINT:  # while Python ends; a shell says the same of both
                    code = 130
                return code, time.monotonic() - now, time.monotonic() - began

        code, _, takes = run(None)
        assert code == 0
        whole = (folder / result).read_bytes()
        for _ in range(moments):
            (folder / result).unlink(missing_ok=True)
            code, heard, _ = run(chance.uniform(0, takes))
            assert code in (0, 130), f"{name}: exit code {code}"
            if code == 130:
                latencies.append(heard)
            if code == 0 or (folder / result).exists():
                assert (folder / result).read_bytes() == whole, f"{name}: {result} is not whole"
            left = {path.name for path in folder.iterdir()} - allowed
            assert not left, f"{name}: leaves {left}"
    return summary(name, takes, latencies, 0)


def line(result: dict[str, Any]) -> str:
    return (
        f"{result['call']:<26} {result['takes']:6.2f} {result['heard']:5} {result['middle']:7.3f}"
        f" {result['longest']:7.3f}"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("calls", nargs="*", metavar="CALL", help="all of them if none is named")
    parser.add_argument("--moments", type=int, default=50)
    parser.add_argument("--seconds", type=float, default=2.0, help="how long the calls take, at least")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", metavar="FILE")
    given = parser.parse_args()
    signal.signal(signal.SIGINT, signal.default_int_handler)  # ignored by what a shell has behind it
    results = []
    print(HEADER)
    for name in given.calls or [*CALLS, *COMMANDS]:
        if name in COMMANDS:
            results.append(interrupt_command(name, given.moments, given.seed))
        else:
            results.append(interrupt(name, given.moments, given.seconds, given.seed))
        print(line(results[-1]), flush=True)
    if given.json:
        Path(given.json).write_text(json.dumps(results, indent=1) + "\n")


if __name__ == "__main__":
    main()
