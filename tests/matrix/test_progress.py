"""pairwise and nearest on a terminal: how far they are, on standard error."""

import os
import subprocess
import sys

import numpy as np
import pytest

pty = pytest.importorskip("pty")


@pytest.mark.parametrize("words", ["pairwise A.npy -o D.npy", "nearest A.npy -k 3 -o N.npz"])
def test_progress_is_shown_on_a_terminal_only(tmp_path, words):
    np.save(tmp_path / "A.npy", np.random.default_rng(0).dirichlet(np.ones(8), 60))
    at_once = "from fastdiv.cli import console, main; console._SOON = console._AGAIN = 0; main()"
    command = [sys.executable, "-c", at_once, *words.split()]
    quiet = subprocess.run(command, cwd=tmp_path, capture_output=True, check=True, timeout=60)
    assert (quiet.stdout, quiet.stderr) == (b"", b"")
    try:
        screen, terminal = pty.openpty()
    except OSError:
        pytest.skip("no terminal is to be had here")
    try:
        subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=terminal, check=True, timeout=60)
        shown = os.read(screen, 100_000).decode()
    finally:
        os.close(terminal)
        os.close(screen)
    assert "100" in shown
    assert "60 of 60 rows" in shown
