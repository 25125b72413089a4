"""What it costs to start: ``import fastdiv`` by itself, and the first call after ``import numpy``.

Each figure is the median of fresh processes; the import times are Python's own (-X importtime).
"""

from __future__ import annotations

import os
import re
import statistics
import subprocess
import sys

FIRST_CALL = """
import time
import numpy as np
import fastdiv
p = np.array([0.5, 0.5])
start = time.perf_counter()
fastdiv.kl_divergence(p, p)
print(1e3 * (time.perf_counter() - start))
"""


# a library is imported from its byte code
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}


def _python(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments], capture_output=True, text=True, check=True, env=ENVIRONMENT
    )


def _import_ms(module: str) -> float:
    log = _python("-X", "importtime", "-c", f"import {module}").stderr
    last = [line for line in log.splitlines() if re.search(rf"\|\s+{module}$", line)][-1]
    return int(last.split("|")[1]) / 1e3


def main(runs: int = 11) -> None:
    _python("-c", FIRST_CALL)
    importing = statistics.median(_import_ms("fastdiv") for _ in range(runs))
    first = statistics.median(float(_python("-c", FIRST_CALL).stdout) for _ in range(runs))
    print(f"import fastdiv: {importing:.2f} ms; the first call after import numpy: {first:.1f} ms")


if __name__ == "__main__":
    main()
