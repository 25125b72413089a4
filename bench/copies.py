"""Copies of the tree in build/mutants for bench.mutate, and a compiler of one source at a time.

A process works in the first copy that no other one has, of what git knows when it is made, whose commit is
written down beside it; for a new one, `rm -r build/mutants/1`. A file of C is compiled at -Og, alone, into
the extensions that it is in.
"""

from __future__ import annotations

import fcntl
import itertools
import os
import runpy
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).parents[1]
COPIES = ROOT / "build" / "mutants"
TREE, OBJECTS, COMMIT = Path("tree"), Path("objects"), Path("commit")  # in the copy, where we work


def take_copy() -> TextIO:
    """The lock of the first copy that is free; we work in it from now on."""
    for number in itertools.count(1):
        place = COPIES / str(number)
        place.mkdir(parents=True, exist_ok=True)
        lock = open(place / "lock", "w")  # noqa: SIM115
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.close()
            continue
        os.chdir(place)
        if not TREE.exists():
            copy_tree()
        return lock
    raise AssertionError


def copy_tree() -> None:
    """What git knows, and what is built."""
    names, commit = (
        subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True, check=True).stdout
        for words in (["ls-files"], ["describe", "--always", "--dirty", "--exclude=*"])
    )
    shutil.rmtree(TREE, ignore_errors=True)
    built = [*ROOT.glob("fastdiv/*.so"), *ROOT.glob("build/cython/csrc/*/*.c")]
    for path in (*map(ROOT.joinpath, names.split()), *built):
        to = TREE / path.relative_to(ROOT)
        if path.is_file():
            to.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(path, to)
    COMMIT.write_text(commit.strip())


class Compiler:
    """The extensions of setup.py, at -Og, an object file for each of their sources."""

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
        self.flags += ["-Og", "-w", "-fPIC", "-fno-math-errno", "-fno-trapping-math", "-ffp-contract=off"]
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
        return (OBJECTS / (source.replace("/", "+") + ".o")).absolute()

    def compile(self, source: str, to: Path) -> bool:
        to.parent.mkdir(parents=True, exist_ok=True)
        return self._run("-c", source, "-o", str(to)).returncode == 0

    def link(self, name: str, other: dict[str, Path]) -> None:
        objects = [str(other.get(s, self.object(s))) for s in self.sources[name]]
        suffix = sysconfig.get_config_var("EXT_SUFFIX")
        to = (TREE / "fastdiv" / f"{name}{suffix}").absolute()
        to.unlink(missing_ok=True)  # another process may have the old one mapped
        assert self._run("-shared", *objects, "-o", str(to)).returncode == 0

    def build(self, changed: str, level: str) -> list[str] | None:
        """The extensions linked anew for a changed file, one instruction set of it; None if none changes."""
        own = [s for s, needs in self.needs.items() if changed in needs]
        own = [s for s in own if not s.startswith("csrc/levels/") or s == f"csrc/levels/{level}.c"]
        other = {}
        for source in own:
            to = Path("mutant", source.replace("/", "+") + ".o").absolute()
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
