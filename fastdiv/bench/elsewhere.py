"""np.sort at its best: in a process of its own without AVX-512, where that is faster than here.

On some CPUs (Zen 4, whose compress-store is slow) NumPy's AVX-512 sort takes several times as long as its
AVX2 sort. NumPy chooses once, when it is imported, and its logarithm wants AVX-512: the sorts alone go
elsewhere. With NPY_DISABLE_CPU_FEATURES in the environment all stays here.
"""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np

from fastdiv import _core

WITHOUT = "X86_V4 AVX512_ICL"
CODE = """
import sys, time
import numpy as np
take = sys.stdin.buffer
sets = []
while line := take.readline().split():
    if line[0] == b"forget":
        sets = []
        continue
    if len(line) == 3:
        dtype = np.dtype(line[0].decode())
        sets.append([np.frombuffer(take.read(int(n) * dtype.itemsize), dtype) for n in line[1:]])
        continue
    times = int(line[0])
    start = time.process_time()
    for _ in range(times):
        for u, v in sets:
            np.sort(u)
            np.sort(v)
    print((time.process_time() - start) / (times * len(sets)), flush=True)
"""


class _Worker:
    """Sorts the pairs that it was given last, in turn."""

    def __init__(self) -> None:
        process = subprocess.Popen(
            [sys.executable, "-c", CODE],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "NPY_DISABLE_CPU_FEATURES": WITHOUT},
            start_new_session=True,  # Ctrl-C is for this process; the end of its input ends the other
        )
        self.to: Any = process.stdin
        self.of: Any = process.stdout

    def give(self, sets: Sequence[tuple[Any, ...]]) -> None:
        self.to.write(b"forget\n")
        for u, v, *_ in sets:
            self.to.write(f"{u.dtype.str} {len(u)} {len(v)}\n".encode())
            for x in (u, v):
                self.to.write(np.ascontiguousarray(x, u.dtype).tobytes())

    def seconds(self, times: int) -> float:
        """Of a pair, going over them so many times."""
        self.to.write(f"{times}\n".encode())
        self.to.flush()
        return float(self.of.readline())


@cache
def worker() -> _Worker | None:
    """None where sorting here is as fast, or where there is no AVX-512 to do without."""
    if _core.isa_levels()[-1] != "avx512" or "NPY_DISABLE_CPU_FEATURES" in os.environ:
        return None
    u = np.random.default_rng(0).normal(size=50_000)

    def here() -> float:
        start = time.process_time()
        np.sort(u)
        np.sort(u)
        return time.process_time() - start

    try:
        there = _Worker()
        there.give([(u, u)])
        theirs = min(there.seconds(1) for _ in range(4))
    except (OSError, ValueError):  # this NumPy calls its features otherwise
        return None
    return there if min(here() for _ in range(4)) > 1.2 * theirs else None


def sorts(sets: Sequence[tuple[Any, ...]]) -> Callable[[int], float] | None:
    """What times two sorts over there, if that is where they are faster."""
    there = worker()
    if there is None:
        return None
    there.give(sets)
    return there.seconds
