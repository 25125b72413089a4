"""``make mutate``: one wrong token at a time in a copy of the tree; the tests of its area must notice.

    python -m bench.mutate --most 50        50 more, in the order of a seed; what was tried is not tried again
    python -m bench.mutate --survivors      those that no test noticed, again, against all tests of their area
    python -m bench.mutate --survivors --tests tests/rows/test_labels.py    against these, which is quicker
    python -m bench.mutate --survivors --at csrc/rows/rows.c:206 --tests ...    some of them
    python -m bench.mutate --keep           what there is, into bench/mutants.json, for docs/trust.md

A process has a copy of the tree to itself (copies.py), so several may run, of areas apart (--area). One
instruction set is mutated and tested: base, and avx512 where that has lines of its own. A run may take ten
seconds and three times what it takes where nothing is wrong; more, a crash or a failure is a mutant caught.
What does not compile, or to the same machine code, is no mutant.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib
import itertools
import json
import os
import random
import resource
import signal
import subprocess
import sys
import time
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from bench.copies import COMMIT, COPIES, ROOT, TREE, Compiler, take_copy
from bench.mutants import Site, identity, key, line_of, of_c, of_python

RESULTS = COPIES / "results.json"
KEPT = ROOT / "bench" / "mutants.json"
SEED = 20261128


class Area(NamedTuple):
    files: tuple[str, ...]
    quick: dict[str, tuple[str, ...]]
    """Tests that notice most within few seconds, the quickest first: of the first pattern that fits."""
    tests: tuple[str, ...]
    """All that those must pass whom the quick ones did not notice."""


def quick(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"tests/{folder}/test_{name}.py" for name in names.split())


PROMISE = ("tests/truth/test_tables.py::test_promise",)  # transport and derivatives, against the oracle
LAWS = tuple(
    f"tests/rows/test_laws.py::test_{name}"
    for name in (
        "zero_where_counts_are_in_proportion",
        "all_but_disjoint",
        "power_of_two_scaling_of_a_stack",
    )
)
AREAS = {
    "rows": Area(
        ("csrc/rows/*", "csrc/math/log*.h", "csrc/math/sum.h"),
        {
            "*gradient_lanes*": quick("rows", "gradient_lanes small_slopes"),
            "*/single*": quick("rows", "single"),
            "*/element_loops.h": quick("compat", "elements"),
            "*/list.h": (*quick("matrix", "few_bins fast_forms"), *quick("rows", "accuracy"), *PROMISE),
            "*lane*": quick("rows", "one_pair lanes kl_as_it_stands gradient_lanes"),
            "*/blocks.h": (*quick("rows", "single accuracy"), *PROMISE, *quick("machine", "threads")),
            "*/log_table.h": quick("matrix", "few_bins fast_forms"),
            "*/math/*": (*quick("matrix", "fast_forms"), *quick("rows", "one_pair accuracy"), *PROMISE),
            "*/stack.c": (*quick("rows", "extremes accuracy last_bins gradients"), *LAWS),
            "*/logit*": (*quick("rows", "gradient_lanes gradients"), *PROMISE),
            "*/turn.h": quick("rows", "accuracy layouts"),
            "*/again.c": quick("rows", "small_slopes steep_gradients slopes_everywhere"),
            "*/careful*": quick("rows", "small_slopes steep_gradients slopes_everywhere"),
            "*/gradient.c": (*quick("rows", "far_logits steep_gradients gradients"), *PROMISE),
            "*/[gsa]*": (
                *PROMISE,
                *quick("rows", "steep_gradients slopes_everywhere gradient_lanes small_slopes gradients"),
            ),
            "*": (
                *quick("rows", "one_pair extremes near_one accuracy omitted steep_gradients"),
                *LAWS,
                *PROMISE,
            ),
        },
        ("tests/rows", "tests/matrix"),
    ),
    "transport": Area(
        ("csrc/transport/*", "csrc/math/expansion.h", "csrc/math/twofold.h", "csrc/math/whole.h"),
        {
            "*/hist*": quick("transport", "bins_exact hist_gradients"),
            "*/bins.h": quick("transport", "bins_exact hist_gradients"),
            "*/exact.h": quick("transport", "bins_exact hist_gradients"),
            "*/twofold.h": (
                *quick("transport", "bins_exact hist_gradients"),
                *quick("rows", "small_slopes steep_gradients"),
            ),
            "*/quantile.h": (*PROMISE, *quick("transport", "kin samples large_orders")),
            "*/transport.c": (*PROMISE, *quick("transport", "true_samples samples door_exact")),
            "*/expansion.h": quick("matrix", "transport_exact masses_exact"),
            "*/mass.h": quick("transport", "cells spikes_of_any_share door_exact"),
            "*/nest*": quick("drift", "nested_cells baseline"),
            "*/grad*": (*PROMISE, *quick("transport", "transport_gradients")),
            "*/pull.h": (*PROMISE, *quick("transport", "transport_gradients circle_gradients")),
            "*/slope.h": (*PROMISE, *quick("transport", "transport_gradients circle_gradients")),
            "*/rotation*": (*PROMISE, *quick("transport", "circle_and_slices circle_gradients")),
            "*/circle.c": (*PROMISE, *quick("transport", "circle_and_slices circle_gradients")),
            "*/[clg]*": quick("transport", "door_exact ties_alike samples spikes_of_any_share cells"),
            "*/sort*": quick("transport", "samples sort_by_places cells"),
            "*": (*PROMISE, *quick("transport", "ties_alike door_exact samples bins_exact")),
        },
        ("tests/transport",),
    ),
    "matrix": Area(
        ("csrc/matrix/*",),
        {
            "*/sparse*": quick("matrix", "sparse"),
            "*/nearest.c": quick("matrix", "l1_tiles bounds matrix"),
            "*/square.c": quick("compat", "elements"),
            "*/limits.c": quick("matrix", "accuracy"),
            "*/transport_pairs.c": quick("matrix", "samples_of_rows masses_exact transport_exact"),
            "*": (
                *quick("matrix", "fast_forms masses_exact near_rows transport_exact l1_tiles"),
                "tests/truth/test_tables.py::test_matrices",
                *quick("matrix", "bounds few_bins"),
            ),
        },
        ("tests/matrix",),
    ),
    "door": Area(
        (
            "fastdiv/_checks/*.py",
            "fastdiv/_rowwise.py",
            "fastdiv/_histograms.py",
            "fastdiv/_clouds.py",
            "fastdiv/_game.py",
            "fastdiv/transport.py",
            "fastdiv/circle.py",
            "fastdiv/plan.py",
            "fastdiv/barycenter.py",
            "fastdiv/matrix/*.py",
            "fastdiv/grad/_*.py",
        ),
        {
            "*/matrix/*": (
                *quick("matrix", "integer_pairs faults sides small"),
                *quick("rows", "labels_everywhere"),
                *quick("matrix", "sparse matrix"),
            ),
            "*game.py": quick("theory", "gan gan_gradients"),
            "*barycenter.py": quick("theory", "barycenter"),
            "*/plan.py": (*quick("transport", "kin"), *quick("theory", "barycenter")),
            "*/grad/_transport.py": quick(
                "transport", "circle_gradients hist_gradients massless_points transport_gradients"
            ),
            "*/grad/*": quick("rows", "docstrings errors labels_everywhere gradients"),
            "*/c*.py": quick("transport", "circle_and_slices"),
            "*/[pt]*.py": quick("transport", "true_samples samples kin large_orders"),
            "*/_histograms.py": (
                *quick("machine", "bad_input histograms_in"),
                *quick("transport", "density hist_gradients"),
                *quick("rows", "labels_out"),
            ),
            "*/foreign.py": quick("machine", "data_refused data_in"),
            "*/arrays.py": (
                *quick("transport", "lists_and_tables"),
                *quick("rows", "labels_everywhere dask"),
                *quick("machine", "data_in"),
            ),
            "*/options.py": (*quick("machine", "bad_input"), *quick("rows", "option_laws")),
            "*/samples.py": quick("transport", "lists_and_tables door_exact true_samples kin"),
            "*/_c*": (
                *quick("machine", "bad_input histograms_in"),
                *quick("transport", "circle_and_slices"),
                *quick("rows", "labels_everywhere"),
            ),
            "*/[bs]*.py": (*quick("machine", "bad_input histograms_in"), *quick("transport", "samples")),
            "*": (
                *quick("machine", "doors"),
                *quick("rows", "errors labels omitted dask"),
                *quick("machine", "bad_input"),
            ),
        },
        ("tests/rows", "tests/theory", "tests/matrix", "tests/transport"),
    ),
}
# fetch.h says what to fetch ahead of its use: no value hangs on it
LEFT_OUT = ("csrc/math/fetch.h", "csrc/core/client.c")


# --- tests -------------------------------------------------------------------------------------------------


class OneLevel:
    """Of tests of every instruction set those of one."""

    def __init__(self, level: str) -> None:
        self.level = level

    def pytest_collection_modifyitems(self, items: list[Any]) -> None:
        items[:] = [
            x for x in items if getattr(x, "callspec", None) is None or self.is_one(x.callspec.params)
        ]

    def is_one(self, params: dict[str, Any]) -> bool:
        return bool(params.get("level", self.level) == self.level)


def run_tests(tests: tuple[str, ...], level: str, limit: float) -> tuple[str, float]:
    """("passed", "failed: which test", "crashed" or "too slow") and seconds of CPU, in a fork."""
    log, tree = Path("log.txt"), TREE.absolute()
    child = os.fork()
    if not child:
        code = 99
        try:
            os.setpgid(0, 0)
            resource.setrlimit(resource.RLIMIT_CPU, (int(limit), int(limit) + 5))
            resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30))  # of a size that is wrong
            with open(log, "w") as file:
                os.dup2(file.fileno(), 1)
                os.dup2(file.fileno(), 2)
            os.environ |= {"FASTDIV_ISA": level, "PYTHONPATH": str(tree), "OMP_NUM_THREADS": "2"}
            os.chdir(tree)
            sys.path.insert(0, str(tree))
            for name in [n for n in sys.modules if n.split(".")[0] in ("fastdiv", "bench", "tests")]:
                del sys.modules[name]
            import pytest

            options = ["-x", "-q", "-m", "not slow", "-p", "no:cacheprovider", "-p", "no:xdist"]
            code = int(pytest.main([*options, *tests], plugins=[OneLevel(level)]))
        finally:
            os._exit(code)
    end = time.monotonic() + 12 * limit
    while True:
        done, status, usage = os.wait4(child, os.WNOHANG)
        if done:
            break
        if time.monotonic() > end:
            os.killpg(child, signal.SIGKILL)
        time.sleep(0.05)
    seconds = usage.ru_utime + usage.ru_stime
    if os.WIFSIGNALED(status):
        slow = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGKILL)
        return ("too slow" if slow else f"crashed by signal {os.WTERMSIG(status)}"), seconds
    if os.WEXITSTATUS(status) == 0:
        return "passed", seconds
    said = log.read_text(errors="replace")
    first = next(
        (x.split(" - ")[0] for x in said.splitlines() if x.startswith(("FAILED", "ERROR"))), "failed"
    )
    return first.replace("FAILED ", "failed: ").replace("ERROR ", "failed: "), seconds


# --- mutants -----------------------------------------------------------------------------------------------


def sites(area: str) -> list[tuple[str, Site]]:
    found = []
    for pattern in AREAS[area].files:
        for path in sorted(TREE.glob(pattern)):
            name = path.relative_to(TREE).as_posix()
            if name in LEFT_OUT or path.suffix not in (".c", ".h", ".py"):
                continue
            text = path.read_text()
            found += [(name, s) for s in (of_python if path.suffix == ".py" else of_c)(text)]
    return found


def mutated(
    run: Run, name: str, site: Site, tests: tuple[str, ...], level: str, limit: float
) -> tuple[str, float]:
    """What the tests say of the tree with one site changed, which is put right again."""
    path = TREE / name
    compiler = None if path.suffix == ".py" else run.compiler  # made of what is not yet wrong
    text, then = path.read_text(), path.stat()
    path.write_text(text[: site.start] + site.becomes + text[site.end :])
    names: list[str] | None = []
    try:
        if compiler:
            names = compiler.build(name, level)
            if names is None:
                return NO_MUTANT, 0.0
        return run_tests(tests, level, limit)
    finally:
        path.write_text(text)
        os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))  # its objects are those of this text
        for extension in names or ():
            assert compiler is not None
            compiler.link(extension, {})


def results(found: dict[str, Any] | None = None) -> list[dict[str, Any]]:
    """What all copies have tried, and `found`, which is written down beside it."""
    with open(COPIES / "lock", "w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        tried = json.loads(RESULTS.read_text()) if RESULTS.exists() else []
        if found:
            tried = [x for x in tried if key(x) != key(found)] + [found]
            RESULTS.write_text(json.dumps(tried, indent=1))
    return tried


NO_MUTANT = "does not compile, or to the same code"
UNNOTICED, SURVIVED = "not noticed by the quick tests", "survived"


def quick_tests(area: str, name: str) -> tuple[str, ...]:
    return next(tests for pattern, tests in AREAS[area].quick.items() if fnmatch(name, pattern))


class Run:
    """Mutants tried and to be tried; every one is written down at once, so that a run can be broken off."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.limits: dict[tuple[str, ...], float] = {}
        self.done = {key(x): x for x in results()}
        self.levels = _levels()
        print(f"seed {seed}", flush=True)

    @cached_property
    def compiler(self) -> Compiler:
        """Asked for by the first mutant of C."""
        return Compiler()

    def in_order(self, area: str) -> list[tuple[str, Site]]:
        found = sites(area)
        return random.Random(f"{self.seed} {area}").sample(found, len(found))

    def limit(self, tests: tuple[str, ...], level: str) -> float:
        """Three times what the tests take where nothing is wrong, and ten seconds."""
        if tests not in self.limits:
            verdict, seconds = run_tests(tests, level, 1500)
            assert verdict == "passed", (tests, verdict)
            self.limits[tests] = 3 * seconds + 10
            print(f"{seconds:.0f} s of CPU where nothing is wrong: {' '.join(tests)}", flush=True)
        return self.limits[tests]

    def try_one(self, area: str, name: str, site: Site, *, again: bool, by: tuple[str, ...] = ()) -> bool:
        """Whether it was tried: not before, or, `again`, one that the quick tests left: to `by`."""
        what = identity(name, (TREE / name).read_text(), site)
        before = self.done.get(key(what), {})
        if before.get("verdict") != (UNNOTICED if again else None):
            return False
        wide = "_mm512" in what["text"] or name.endswith("log_table.h")
        level = "avx512" if wide and "avx512" in self.levels else self.levels[0]
        tests = by or (AREAS[area].tests if again else quick_tests(area, name))
        if not name.endswith(".py"):
            assert self.compiler  # its links are what the tests must pass with where nothing is wrong
        limit = self.limit(tests, level)
        verdict, seconds = mutated(self, name, site, tests, level, limit)
        if verdict == "passed":
            verdict = SURVIVED if again and not by else UNNOTICED
        told = {"area": area, "level": level, "verdict": verdict, "seconds": round(seconds, 1)}
        told["commit"] = before.get("commit") or COMMIT.read_text()  # of the sample
        if again:
            told["left"] = True  # by the quick tests
        self.done[key(what)] = what | told
        results(what | told)
        change = f"{what['was'][:40]!r} -> {site.becomes[:40]!r}"
        print(f"{verdict:60} {seconds:5.1f} s  {name}:{what['line']} {change}", flush=True)
        return True


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--most", type=int, default=50)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--area", choices=[*AREAS], nargs="*", default=[*AREAS])
    parser.add_argument("--survivors", action="store_true")
    parser.add_argument("--tests", nargs="+", default=[], help="of --survivors")
    parser.add_argument("--at", nargs="+", default=[], metavar="FILE:LINE", help="of --survivors")
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if options.keep:
        KEPT.write_text(json.dumps(kept(results(), options.seed), indent=1) + "\n")
        return
    for needed in ("mpmath", "pandas", "pytest", "scipy.stats"):  # by every fork
        importlib.import_module(needed)

    # by way of `finally`, which puts a mutant right
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("broken off"))
    lock = take_copy()
    run = Run(options.seed)
    tried = 0
    for turn in itertools.zip_longest(*([(a, *x) for x in run.in_order(a)] for a in options.area)):
        for area, name, site in filter(None, turn):
            if options.at and f"{name}:{line_of((TREE / name).read_text(), site)}" not in options.at:
                continue
            tried += tried < options.most and run.try_one(
                area, name, site, again=options.survivors, by=tuple(options.tests)
            )
    lock.close()


def _levels() -> list[str]:
    """Of this CPU, asked elsewhere: forks must not have fastdiv loaded."""
    code = "from fastdiv import _core; print(*_core.isa_levels())"
    done = subprocess.run([sys.executable, "-c", code], cwd=TREE, capture_output=True, text=True, check=True)
    return done.stdout.split()


SAME, ELSEWHERE, SINCE = "the same", "noticed by", "noticed since"


def kept(tried: list[dict[str, Any]], seed: int) -> dict[str, Any]:
    """The numbers by area, and what stands beside every mutant that its quick tests left.

    SAME: no value or refusal that is promised is another. ELSEWHERE: other tests that were there notice.
    SINCE: a test that was written because of it. Nothing or anything else: open.
    """
    mutants = [x for x in tried if x["verdict"] != NO_MUTANT]
    left = [x for x in mutants if x.get("left") or x["verdict"] in (SURVIVED, UNNOTICED)]
    why = {key(x): x["why"] for x in json.loads(KEPT.read_text())["left"]} if KEPT.exists() else {}
    told = [{**x, "why": why.get(key(x)) or _by(x["verdict"])} for x in left]

    def numbers(area: str) -> dict[str, int]:
        by = {word: sum(x["area"] == area and x["why"].startswith(word) for x in told) for word in WORDS}
        n = sum(x["area"] == area for x in mutants)
        quickly = n - sum(x["area"] == area for x in told)
        return {"mutants": n, "noticed": quickly, **by, "open": n - quickly - sum(by.values())}

    return {
        "commit": ", ".join(sorted({x["commit"] for x in mutants})),  # of the copies, not of today
        "seed": seed,
        "areas": {area: numbers(area) for area in AREAS},
        "left": told,
    }


WORDS = (SAME, ELSEWHERE, SINCE)


def _by(verdict: str) -> str:
    """The test that an unnoticed mutant met with later."""
    return "" if verdict in (SURVIVED, UNNOTICED) else f"{ELSEWHERE} {verdict.removeprefix('failed: ')}"


if __name__ == "__main__":
    main()
