"""What it costs to start, in fresh processes and CPU time: the import, and the first calls after NumPy's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

from fastdiv.bench.contestants import ABSENT, Contestant
from fastdiv.bench.race import Case

# a library is imported from its byte code
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _fresh(
    name: str, timed: str, before: str = "", answer: str = "0.0", library: str = "numpy"
) -> Contestant:
    code = (
        f"import time\n{before}\nstart = time.process_time()\n{timed}\ntaken = time.process_time() - start\n"
        f"print(taken, float({answer}))"
    )

    def run() -> tuple[float, float]:
        command = [sys.executable, "-c", code]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=ENVIRONMENT)
        seconds, value = map(float, done.stdout.split())
        return seconds, value

    return Contestant(name, run, 1e-9, library)


ARRAYS = "import numpy as np; p, q = np.array([0.25, 0.75]), np.array([0.5, 0.5])"
IMPORTS = [
    _fresh("fastdiv", "import fastdiv"),
    _fresh("NumPy", "import numpy"),
    _fresh("SciPy stats", "import scipy.stats", library="scipy"),
]
CALLS = [
    _fresh("fastdiv", "import fastdiv; x = fastdiv.kl_divergence(p, q)", ARRAYS, "x"),
    _fresh("NumPy", "x = (p * np.log(p / q)).sum()", ARRAYS, "x"),
    _fresh("SciPy entropy", "from scipy.stats import entropy; x = entropy(p, q)", ARRAYS, "x", "scipy"),
]
MATRICES = [
    _fresh("fastdiv", "import fastdiv; x = fastdiv.cdist([p], [q])[0, 0]", ARRAYS, "x"),
    _fresh(
        "SciPy cdist",
        "from scipy.spatial.distance import cdist; x = cdist([p], [q], 'jensenshannon')[0, 0]",
        ARRAYS,
        "x",
        "scipy",
    ),
]


def cases(scale: float) -> Iterator[Case]:
    """SciPy, a second or two each time, is left out of quick runs."""
    gone = {*ABSENT, *(["scipy"] if scale < 1 else [])}
    for what, size, runs in (
        ("import", "", IMPORTS),
        ("import and kl_divergence, after NumPy", "one pair of 2", CALLS),
        ("import and cdist, after NumPy", "1 x 1 x 2", MATRICES),
    ):
        present = [c for c in runs if c.library not in gone]
        if len(present) > 1:
            yield Case(what, size, present, own_clock=True)
