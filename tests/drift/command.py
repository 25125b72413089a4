"""What tests of the command share."""

import os
import subprocess
import sys
from pathlib import Path

DATA = Path(__file__).parents[2] / "examples" / "data"
FLIGHTS = [str(DATA / "flights_winter.parquet"), str(DATA / "flights_summer.parquet")]


def refused(result, message):
    """Exit code 2, and one line that says why."""
    code, _, err = result
    assert code == 2
    assert err.count("\n") == 1
    assert err.startswith("fastdiv: error: ")
    assert message in err
    return True


def shell(*argv, **options):
    return subprocess.run(
        [sys.executable, "-m", "fastdiv", *map(str, argv)], capture_output=True, timeout=60, **options
    )


_PEAK = r"""
import re, sys
import pyarrow.parquet, pyarrow.compute
from fastdiv.drift import compare
compare(*sys.argv[4:], memory="2MB")
peak = lambda: 1024 * int(re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())[1])
before = peak()
compare(*sys.argv[1:3], memory=sys.argv[3])
print(peak() - before)
"""


def peak(tables, memory, few):
    """Bytes that a process takes for two tables, beyond its imports and what two of few rows take."""
    words = [sys.executable, "-c", _PEAK, *tables, memory, *few]
    environment = os.environ | {"ARROW_DEFAULT_MEMORY_POOL": "system", "OMP_NUM_THREADS": "2"}
    return int(subprocess.run(words, capture_output=True, check=True, env=environment).stdout)
