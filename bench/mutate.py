"""``make mutate``: one wrong token at a time in a copy of the tree; the tests of its area must notice.

    python -m bench.mutate --most 50        50 more, in the order of a seed; what was tried is not tried again
    python -m bench.mutate --survivors      those that no test noticed, again, against all tests of their area
    python -m bench.mutate --survivors --tests tests/rows/test_labels.py    against these, which is quicker
    python -m bench.mutate --keep           what there is, into bench/mutants.json, for docs/trust.md

The copy stands in build/mutants. A file of C is compiled at -O1, alone, into the extensions that it is in; of
three instruction sets one is mutated and tested: base, and avx512 where that has lines of its own. A run may
take a minute and three times what it takes where nothing is wrong; more, a crash or a failure is a mutant
caught. What does not compile, or to the same machine code, is no mutant.
"""

from __future__ import annotations

import argparse
import itertools
import json
import os
import random
import resource
import runpy
import shutil
import signal
import subprocess
import sys
import sysconfig
import time
from pathlib import Path
from typing import Any, NamedTuple

from bench.mutants import Site, of_c, of_python
from bench.trust import commit

ROOT = Path(__file__).parents[1]
PLACE = ROOT / "build" / "mutants"
TREE, OBJECTS, RESULTS = PLACE / "tree", PLACE / "objects", PLACE / "results.json"
KEPT = ROOT / "bench" / "mutants.json"
SEED = 20261127


class Area(NamedTuple):
    files: tuple[str, ...]
    quick: tuple[str, ...]
    """Tests that notice most, within seconds."""
    tests: tuple[str, ...]
    """All that those must pass whom the quick ones did not notice."""


def quick(folder: str, names: str) -> tuple[str, ...]:
    return tuple(f"tests/{folder}/test_{name}.py" for name in names.split())


AREAS = {
    "rows": Area(
        ("csrc/rows/*", "csrc/math/log*.h", "csrc/math/sum.h"),
        (
            "tests/truth/test_tables.py",
            *quick("rows", "accuracy lanes near_one one_pair extremes gradient_lanes steep_gradients"),
        ),
        ("tests/rows",),
    ),
    "transport": Area(
        ("csrc/transport/*", "csrc/math/expansion.h", "csrc/math/twofold.h", "csrc/math/whole.h"),
        (
            "tests/truth/test_tables.py::test_promise",
            *quick(
                "transport",
                "samples door_exact bins_exact transport_gradients hist_gradients ties_alike ties",
            ),
        ),
        ("tests/transport",),
    ),
    "matrix": Area(
        ("csrc/matrix/*",),
        (
            "tests/truth/test_tables.py::test_matrices",
            *quick("matrix", "near_rows masses_exact few_bins bounds"),
        ),
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
        (
            "tests/machine/test_bad_input.py",
            "tests/machine/test_doors.py",
            "tests/rows/test_errors.py",
            "tests/rows/test_labels.py",
            "tests/rows/test_option_laws.py",
            "tests/transport/test_samples.py",
            "tests/matrix/test_few_bins.py",
        ),
        ("tests/rows", "tests/theory", "tests/matrix", "tests/transport"),
    ),
}
# fetch.h says what to fetch ahead of its use: no value hangs on it
LEFT_OUT = ("csrc/math/fetch.h", "csrc/core/client.c")


# --- the copy ----------------------------------------------------------------------------------------------


def copy_tree() -> None:
    """What git knows, and what is built."""
    names = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    shutil.rmtree(TREE, ignore_errors=True)
    built = [*ROOT.glob("fastdiv/*.so"), *ROOT.glob("build/cython/csrc/*/*.c")]
    for path in (*map(ROOT.joinpath, names.split()), *built):
        to = TREE / path.relative_to(ROOT)
        if path.is_file():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, to)


class Compiler:
    """The extensions of setup.py, at -O1, an object file for each of their sources."""

    def __init__(self) -> None:
        import Cython.Build
        import numpy as np
        import setuptools

        keep = Cython.Build.cythonize, setuptools.setup, sys.argv, Path.cwd()
        Cython.Build.cythonize, setuptools.setup = (lambda extensions, **_: extensions), (lambda **_: None)
        sys.argv = ["setup.py"]
        os.chdir(ROOT)
        names = runpy.run_path("setup.py")
        Cython.Build.cythonize, setuptools.setup, sys.argv = keep[:3]
        os.chdir(keep[3])
        self.sources = {
            extension.name.split(".")[1]: [
                s.replace("csrc/", "build/cython/csrc/").replace(".pyx", ".c") if s.endswith(".pyx") else s
                for s in extension.sources
            ]
            for extension in names["EXTENSIONS"]
        }
        python = sysconfig.get_paths()["include"]
        self.flags = [f for f in names["compile_args"] if not f.startswith(("-O", "-W", "-f"))]
        self.flags += ["-O1", "-w", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
        self.flags += ["-fvisibility=hidden", "-fopenmp", "-D_DEFAULT_SOURCE"]
        self.flags += ["-Icsrc", f"-I{np.get_include()}", f"-I{python}"]
        self.needs: dict[str, set[str]] = {}
        for source in sorted({s for sources in self.sources.values() for s in sources}):
            found = self._run("-MM", source)
            self.needs[source] = {os.path.normpath(x) for x in found.stdout.replace("\\", " ").split()[1:]}
            made = self.object(source)
            newest = max((TREE / x).stat().st_mtime for x in self.needs[source] if not os.path.isabs(x))
            if not made.exists() or made.stat().st_mtime < newest:
                assert self.compile(source, self.object(source)), source
        for name in self.sources:
            self.link(name, {})

    def _run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["gcc", *self.flags, *arguments], cwd=TREE, capture_output=True, text=True, check=False
        )

    def object(self, source: str) -> Path:
        return OBJECTS / (source.replace("/", "+") + ".o")

    def compile(self, source: str, to: Path) -> bool:
        to.parent.mkdir(parents=True, exist_ok=True)
        return self._run("-c", source, "-o", str(to)).returncode == 0

    def link(self, name: str, other: dict[str, Path]) -> None:
        objects = [str(other.get(s, self.object(s))) for s in self.sources[name]]
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        to = TREE / "fastdiv" / f"{name}{suffix}"
        to.unlink(missing_ok=True)  # another process may have the old one mapped
        assert self._run("-shared", *objects, "-o", str(to)).returncode == 0

    def build(self, changed: str, level: str) -> list[str] | None:
        """The extensions linked anew for a changed file, one instruction set of it; None if none changes."""
        own = [s for s, needs in self.needs.items() if changed in needs]
        own = [s for s in own if not s.startswith("csrc/levels/") or s == f"csrc/levels/{level}.c"]
        other = {}
        for source in own:
            to = PLACE / "mutant" / (source.replace("/", "+") + ".o")
            if not self.compile(source, to):
                return None
            if to.read_bytes() != self.object(source).read_bytes():
                other[source] = to
        if not other:
            return None
        names = [name for name, sources in self.sources.items() if set(sources) & set(other)]
        for name in names:
            self.link(name, other)
        return names


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
    log = PLACE / "log.txt"
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
            os.environ |= {"FASTDIV_ISA": level, "PYTHONPATH": str(TREE), "OMP_NUM_THREADS": "2"}
            os.chdir(TREE)
            sys.path.insert(0, str(TREE))
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


def identity(name: str, text: str, site: Site) -> dict[str, Any]:
    """What a mutant is, whatever moves around it: its line and the how-manieth such site in it."""
    line = text.count("\n", 0, site.start) + 1
    start = text.rfind("\n", 0, site.start) + 1
    whole = text[start : text.find("\n", site.end)]
    was = text[site.start : site.end]
    return {
        "file": name,
        "line": line,
        "column": site.start - start,
        "kind": site.kind,
        "was": was,
        "becomes": site.becomes,
        "text": whole.strip()[:160],
    }


def key(of: dict[str, Any]) -> tuple[Any, ...]:
    return of["file"], of["line"], of["column"], of["was"], of["becomes"]


def mutated(
    compiler: Compiler, name: str, site: Site, tests: tuple[str, ...], level: str, limit: float
) -> tuple[str, float]:
    """What the tests say of the tree with one site changed, which is put right again."""
    path = TREE / name
    text, then = path.read_text(), path.stat()
    path.write_text(text[: site.start] + site.becomes + text[site.end :])
    names: list[str] | None = []
    try:
        if path.suffix != ".py":
            names = compiler.build(name, level)
            if names is None:
                return NO_MUTANT, 0.0
        return run_tests(tests, level, limit)
    finally:
        path.write_text(text)
        os.utime(path, ns=(then.st_atime_ns, then.st_mtime_ns))  # its objects are those of this text
        for extension in names or ():
            compiler.link(extension, {})


NO_MUTANT = "does not compile, or to the same code"
UNNOTICED, SURVIVED = "not noticed by the quick tests", "survived"


class Run:
    """Mutants tried and to be tried; every one is written down at once, so that a run can be broken off."""

    def __init__(self, seed: int) -> None:
        self.seed, self.compiler = seed, Compiler()
        self.limits: dict[tuple[str, ...], float] = {}
        stored = json.loads(RESULTS.read_text()) if RESULTS.exists() else {"mutants": []}
        self.done = {key(x): x for x in stored["mutants"]}
        self.levels = _levels()
        print(f"seed {seed}", flush=True)

    def in_order(self, area: str) -> list[tuple[str, Site]]:
        found = sites(area)
        return random.Random(f"{self.seed} {area}").sample(found, len(found))

    def limit(self, tests: tuple[str, ...], level: str) -> float:
        """Three times what the tests take where nothing is wrong, and a minute."""
        if tests not in self.limits:
            verdict, seconds = run_tests(tests, level, 1500)
            assert verdict == "passed", (tests, verdict)
            self.limits[tests] = 3 * seconds + 60
            print(f"{seconds:.0f} s of CPU where nothing is wrong: {' '.join(tests)}", flush=True)
        return self.limits[tests]

    def try_one(self, area: str, name: str, site: Site, *, again: bool, by: tuple[str, ...] = ()) -> bool:
        """Whether it was tried: not before, or, `again`, one that the quick tests left: to `by`."""
        what = identity(name, (TREE / name).read_text(), site)
        before = self.done.get(key(what), {}).get("verdict")
        if before != (UNNOTICED if again else None):
            return False
        wide = "_mm512" in what["text"] or name.endswith("log_table.h")
        level = "avx512" if wide and "avx512" in self.levels else self.levels[0]
        tests = by or (AREAS[area].tests if again else AREAS[area].quick)
        limit = self.limit(tests, level)
        verdict, seconds = mutated(self.compiler, name, site, tests, level, limit)
        if verdict == "passed":
            verdict = SURVIVED if again and not by else UNNOTICED
        told = {"area": area, "level": level, "verdict": verdict, "seconds": round(seconds, 1)}
        self.done[key(what)] = what | told
        RESULTS.write_text(json.dumps({"seed": self.seed, "mutants": list(self.done.values())}, indent=1))
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
    parser.add_argument("--keep", action="store_true")
    options = parser.parse_args()
    if options.keep:
        KEPT.write_text(json.dumps(kept(json.loads(RESULTS.read_text())), indent=1) + "\n")
        return
    import scipy.stats  # noqa: F401  (what every fork needs)

    # by way of `finally`, which puts a mutant right
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("broken off"))
    if not TREE.exists():
        copy_tree()
    run = Run(options.seed)
    tried = 0
    for turn in itertools.zip_longest(*([(a, *x) for x in run.in_order(a)] for a in options.area)):
        for area, name, site in filter(None, turn):
            tried += tried < options.most and run.try_one(
                area, name, site, again=options.survivors, by=tuple(options.tests)
            )


def _levels() -> list[str]:
    """Of this CPU, asked elsewhere: forks must not have fastdiv loaded."""
    code = "from fastdiv import _core; print(*_core.isa_levels())"
    done = subprocess.run([sys.executable, "-c", code], cwd=TREE, capture_output=True, text=True, check=True)
    return done.stdout.split()


def kept(stored: dict[str, Any]) -> dict[str, Any]:
    """The numbers by area, and every survivor with the reason that was written beside it."""
    mutants = [x for x in stored["mutants"] if x["verdict"] != NO_MUTANT]
    survivors = [x for x in mutants if x["verdict"] in (SURVIVED, UNNOTICED)]
    old = json.loads(KEPT.read_text())["survivors"] if KEPT.exists() else []
    why = {key(x): x["why"] for x in old}
    return {
        "commit": commit(),
        "seed": stored["seed"],
        "areas": {
            area: {
                "mutants": sum(x["area"] == area for x in mutants),
                "survived": sum(x["area"] == area for x in survivors),
            }
            for area in AREAS
        },
        "survivors": [{**x, "why": why.get(key(x), "")} for x in survivors],
    }


if __name__ == "__main__":
    main()
