"""What tests of several floors share."""

import json
import os
import platform
import re
import signal
from datetime import date
from pathlib import Path

import numpy as np
import pytest
from hypothesis import settings

from fastdiv import _core

# children started in another folder run this tree's fastdiv too, wherever the environment's own comes from
ROOT = Path(__file__).parents[1]
if Path(_core.__file__).parents[1] == ROOT:
    os.environ["PYTHONPATH"] = os.pathsep.join(filter(None, [str(ROOT), os.environ.get("PYTHONPATH")]))

# `make test` is the same run each time, whatever the load; what is new is looked for by `make fuzz`
settings.register_profile("untimed", deadline=None, derandomize="FASTDIV_EXAMPLES" not in os.environ)
settings.load_profile("untimed")

# a run in the background may ignore Ctrl-C, and so would the children that tests send it to
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_runtest_setup(item):
    mark = item.get_closest_marker("unsanitized")
    if mark and "ASAN_OPTIONS" in os.environ:
        pytest.skip(f"the sanitizer {mark.args[0]}")


@pytest.fixture(params=["base", "avx2", "avx512"])
def level(request):
    """Every instruction set that this CPU has, in this process."""
    if request.param not in _core.isa_levels():
        pytest.skip(f"this CPU has no {request.param}")
    before = _core.isa()
    _core.choose_isa(request.param)
    yield request.param
    _core.choose_isa(before)


_STATES = {}


@pytest.fixture(autouse=True)
def same_numbers(request):
    """A module's RNG begins each test as its first one: whichever tests a process runs, and in any order."""
    rng = getattr(request.module, "RNG", None)
    if rng is not None:
        rng.bit_generator.state = _STATES.setdefault(request.module, rng.bit_generator.state)


def _compiler():
    """What the linker has noted of it; gcc's start files are in what clang has compiled, too."""
    noted = Path(_core.__file__).read_bytes()
    found = re.search(rb"clang version [\d.]+", noted) or re.search(rb"GCC: \([^()]*\) [\d.]+", noted)
    return found[0].decode() if found else "unknown"


def pytest_sessionfinish(session):
    """Where $FASTDIV_RAN says, what ran here: bench.trust collects it into bench/platforms.json."""
    path, reporter = os.environ.get("FASTDIV_RAN"), session.config.pluginmanager.getplugin("terminalreporter")
    if not path or reporter is None or hasattr(session.config, "workerinput"):
        return
    counts = {kind: len(reporter.stats.get(kind, [])) for kind in ("passed", "failed", "error", "skipped")}
    about = {
        "date": f"{date.today()}",
        "machine": platform.machine(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "numpy": np.__version__,
        "isa": _core.isa(),
        "openmp": _core.openmp(),
        "compiler": _compiler(),
    }
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    Path(path).write_text(json.dumps(about | counts, indent=1) + "\n", encoding="utf-8")
