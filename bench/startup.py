"""What it costs to start, in fresh processes and CPU time: the import, and the first calls after NumPy's."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator

from bench.contestants import ABSENT, Contestant
from bench.race import Case

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


def _present(*contestants: Contestant) -> list[Contestant]:
    return [c for c in contestants if c.library not in ABSENT]


ARRAYS = "import numpy as np; p, q = np.array([0.25, 0.75]), np.array([0.5, 0.5])"


def cases(scale: float) -> Iterator[Case]:
    imports = [
        _fresh("fastdiv", "import fastdiv"),
        _fresh("import numpy", "import numpy"),
        _fresh("import scipy.stats", "import scipy.stats", library="scipy"),
    ]
    yield Case("import", "", _present(*imports), own_clock=True)
    entropy = "from scipy.stats import entropy; x = entropy(p, q)"
    calls = [
        _fresh("fastdiv", "import fastdiv; x = fastdiv.kl_divergence(p, q)", ARRAYS, "x"),
        _fresh("SciPy entropy", entropy, ARRAYS, "x", "scipy"),
    ]
    yield Case("import and kl_divergence, after NumPy", "one pair of 2", _present(*calls), own_clock=True)
    jensenshannon = "from scipy.spatial.distance import cdist; x = cdist([p], [q], 'jensenshannon')[0, 0]"
    matrices = [
        _fresh("fastdiv", "import fastdiv; x = fastdiv.cdist([p], [q])[0, 0]", ARRAYS, "x"),
        _fresh("SciPy cdist", jensenshannon, ARRAYS, "x", "scipy"),
    ]
    yield Case("import and cdist, after NumPy", "1 x 1 x 2", _present(*matrices), own_clock=True)
