"""What a call needs beside its arguments: the peak of a fresh process, less what it held before the call."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

from fastdiv.bench.contestants import ABSENT, Contestant
from fastdiv.bench.race import OURS, Case
from fastdiv.bench.startup import ENVIRONMENT

RESET = Path("/proc/self/clear_refs")  # "5" written to it sets the peak to what is held
CODE = """
import re
import numpy as np
{before}
def of(name):
    return int(re.search(name + r":\\s+(\\d+) kB", open("/proc/self/status").read())[1]) * 1024
{warm}
open("/proc/self/clear_refs", "w").write("5")
held = of("VmRSS")
x = {call}
print(max(of("VmHWM") - held, 4096), float(np.ravel(x)[0]))
"""
ROWS = "rng = np.random.default_rng(0); p, q = rng.dirichlet(np.ones(500), size=(2, {n}))"
PAIR = "rng = np.random.default_rng(0); A, B = rng.dirichlet(np.ones(256), size=(2, {n}))"
SAMPLES = "rng = np.random.default_rng(0); u, v = rng.normal(size=(2, {n}))"


def _fresh(name: str, imported: str, arrays: str, call: str, warm: str, library: str = "numpy") -> Contestant:
    code = CODE.format(before=f"{imported}\n{arrays}", call=call, warm=warm)

    def run() -> tuple[float, float]:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
        held, value = map(float, done.stdout.split())
        return held, value

    return Contestant(name, run, 1e-6, library)


def cases(scale: float) -> Iterator[Case]:
    """Linux tells the peak."""
    if not RESET.exists():
        return
    stats, distance = "from scipy import stats", "from scipy.spatial import distance"
    n = max(int(20_000 * scale), 10)
    rows = ROWS.format(n=n)
    fewer = "p[:5], q[:5]"
    yield from _case(
        "js_distance",
        f"{n} x 500",
        [
            _fresh(
                OURS, "import fastdiv", rows, "fastdiv.js_distance(p, q)", f"fastdiv.js_distance({fewer})"
            ),
            _fresh(
                "SciPy jensenshannon",
                distance,
                rows,
                "distance.jensenshannon(p, q, axis=-1)",
                f"distance.jensenshannon({fewer}, axis=-1)",
                "scipy",
            ),
            _fresh(
                "NumPy, not normalising",
                "",
                rows,
                "np.sqrt(0.5 * (p * np.log(2 * p / (p + q)) + q * np.log(2 * q / (p + q))).sum(-1))",
                "p[:5].sum()",
            ),
        ],
    )
    n = max(int(1000 * scale), 10)
    pair = PAIR.format(n=n)
    yield from _case(
        "cdist js_distance",
        f"{n} x {n} x 256",
        [
            _fresh(OURS, "import fastdiv", pair, "fastdiv.cdist(A, B)", "fastdiv.cdist(A[:5], B[:5])"),
            _fresh(
                "SciPy cdist",
                distance,
                pair,
                "distance.cdist(A, B, 'jensenshannon')",
                "distance.cdist(A[:5], B[:5], 'jensenshannon')",
                "scipy",
            ),
        ],
    )
    n = max(int(1e6 * scale), 100)
    u = SAMPLES.format(n=n)
    few = "u[:50], v[:50]"
    name = "wasserstein_distance"
    yield from _case(
        "W1",
        f"{n} + {n}",
        [
            _fresh(OURS, "import fastdiv", u, f"fastdiv.{name}(u, v)", f"fastdiv.{name}({few})"),
            _fresh("SciPy", stats, u, f"stats.{name}(u, v)", f"stats.{name}({few})", "scipy"),
        ],
    )


def _case(what: str, size: str, runs: list[Contestant]) -> Iterator[Case]:
    present = [c for c in runs if c.library not in ABSENT]
    if len(present) > 1:
        yield Case(f"{what}, memory", size, present, own_clock=True, unit="B")
