"""Where it was measured: what the figures depend on, and what their numbers may be compared with."""

from __future__ import annotations

import os
import platform
import subprocess
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

import fastdiv
from fastdiv import _core
from fastdiv.bench.contestants import ABSENT, VERSIONS

SAME = ("cpu", "level", "cores")
"""What must agree for two documents' times to be comparable."""

SETTINGS = ("FASTDIV_ISA", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NPY_DISABLE_CPU_FEATURES")


def environment() -> dict[str, Any]:
    """CPU, level, versions, commit, settings."""
    about = _processor()
    kind = about.get("model name") or platform.processor() or platform.machine()
    if "cpu family" in about:
        kind += f" (family {about['cpu family']}, model {about['model']})"
    return {
        "cpu": kind,
        "cores": os.cpu_count(),
        "threads": fastdiv.num_threads(),
        "level": _core.isa(),
        "levels": list(_core.isa_levels()),
        "openmp": bool(_core.openmp()),
        "load": round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None,
        "memory": _memory(),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "fastdiv": fastdiv.__version__,
        "commit": commit(),
        "versions": {**VERSIONS, **_version("mpmath"), **_version("matplotlib")},
        "absent": list(ABSENT),
        "settings": {name: os.environ[name] for name in SETTINGS if name in os.environ},
    }


def _processor() -> dict[str, str]:
    try:
        first = Path("/proc/cpuinfo").read_text().split("\n\n")[0]
    except OSError:
        return {}
    rows = (row.partition(":") for row in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in rows}


def _memory() -> int | None:
    """Bytes of RAM."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None


def _version(name: str) -> dict[str, str]:
    try:
        return {name: version(name)}
    except PackageNotFoundError:
        return {}


def commit() -> dict[str, Any]:
    """Of the source tree that fastdiv is imported from; empty for an installed copy."""
    root = Path(fastdiv.__file__).parents[1]
    if not (root / ".git").exists():
        return {}

    def git(*words: str) -> str:
        command = ["git", "-C", str(root), *words]
        return subprocess.run(command, capture_output=True, text=True, check=True, timeout=30).stdout.strip()

    try:
        return {
            "id": git("rev-parse", "HEAD"),
            "time": git("show", "-s", "--format=%cI", "HEAD"),
            "dirty": bool(git("status", "--porcelain", "--untracked-files=no")),
        }
    except (OSError, subprocess.SubprocessError):
        return {}


def told(about: dict[str, Any]) -> list[str]:
    """The environment in a few lines."""
    threads = f"{about['cores']} cores" + ("" if about["openmp"] else ", no OpenMP")
    load = "" if about["load"] is None else f", load {about['load']}"
    at = about["commit"]
    tree = f" ({at['id'][:10]}{', changed since' if at['dirty'] else ''})" if at else ""
    libraries = ", ".join(f"{name} {version}" for name, version in about["versions"].items())
    lines = [
        f"{about['cpu']}, {threads}{load}; {about['system']}, {about['level']}.",
        f"Python {about['python']}, fastdiv {about['fastdiv']}{tree}, {libraries}.",
    ]
    if about["absent"]:
        lines.append(f"Not installed, left out: {', '.join(about['absent'])}.")
    if about["settings"]:
        lines.append("; ".join(f"{name}={value}" for name, value in about["settings"].items()) + ".")
    return lines
