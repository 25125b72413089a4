"""What it costs to start: ``import fastdiv`` by itself, and the first call after ``import numpy``.

Each figure is the median of fresh processes; the import times are Python's own (-X importtime).
"""

from __future__ import annotations

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


def _import_ms(module: str) -> float:
    log = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", f"import {module}"],
        capture_output=True,
        text=True,
        check=True,
    ).stderr
    last = [line for line in log.splitlines() if re.search(rf"\|\s+{module}$", line)][-1]
    return int(last.split("|")[1]) / 1e3


def main(runs: int = 11) -> None:
    importing = statistics.median(_import_ms("fastdiv") for _ in range(runs))
    first = statistics.median(
        float(
            subprocess.run(
                [sys.executable, "-c", FIRST_CALL], capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(runs)
    )
    print(f"import fastdiv: {importing:.2f} ms; the first call after import numpy: {first:.1f} ms")


if __name__ == "__main__":
    main()
