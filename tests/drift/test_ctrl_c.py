"""Ctrl-C while the command loads its modules, where Python may lose it and NumPy call itself broken."""

import ast
import subprocess
import sys

import numpy as np
import pytest

COMMANDS = {
    "pairwise": "pairwise A.npy -o D.npy",
    "samples": "pairwise A.npy B.npy -o D.npy --metric wasserstein --samples",
    "nearest": "nearest A.npy -k 3 -o N.npz",
    "csv": "compare a.csv a.csv --fail-on js>0.5",
    "npy": "compare A.npy A.npy -o o.md",
}

# says which modules are looked for while Ctrl-C would come through; sends one when `argv[2]` is
WATCHED = """
import os, signal, sys
from fastdiv import cli
seen, late = [], []

def watch(event, arguments):
    if event == "import" and arguments[0] not in sys.modules:
        seen.append(arguments[0])
        if signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, []):
            late.append(arguments[0])
        if arguments[0] == sys.argv[2]:
            os.kill(os.getpid(), signal.SIGINT)

sys.addaudithook(watch)
code = cli.main(sys.argv[1].split())
print([code, seen, late], file=sys.stderr)
"""


@pytest.fixture
def watched(tmp_path):
    rng = np.random.default_rng(0)
    np.save(tmp_path / "A.npy", rng.dirichlet(np.ones(8), 60))
    np.save(tmp_path / "B.npy", rng.dirichlet(np.ones(5), 60))
    (tmp_path / "a.csv").write_text("x,y\n" + "".join(f"{i % 9},a{i % 4}\n" for i in range(90)))

    def run(name, at=""):
        words = [sys.executable, "-c", WATCHED, COMMANDS[name], at]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, check=True)
        *errors, last = done.stderr.splitlines()
        return errors, *ast.literal_eval(last)

    return run


@pytest.mark.parametrize("name", COMMANDS)
def test_no_module_is_loaded_while_ctrl_c_comes_through(watched, name):
    errors, code, seen, late = watched(name)
    assert (errors, code, late) == ([], 0, [])
    assert "datetime" in seen


@pytest.mark.parametrize("module", ["datetime", "fastdiv._core", "json.decoder"])
def test_ctrl_c_while_loading_interrupts(watched, tmp_path, module):
    errors, code, seen, _ = watched("nearest", module)
    assert (errors, code, module in seen) == ([], 130, True)
    assert not list(tmp_path.glob("N.npz*"))
