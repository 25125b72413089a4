"""What tests of the command share."""

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
