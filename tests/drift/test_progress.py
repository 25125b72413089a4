"""A bar while a comparison runs, on a terminal alone; and Ctrl-C, which leaves neither a bar nor a file."""

from __future__ import annotations

import os
import pty
import signal
import subprocess
import sys

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

N = 200_000
AT_ONCE = """
import sys
from fastdiv import cli
from fastdiv.cli import console
console._SOON = console._AGAIN = 0
if sys.argv[1] == "plain":
    sys.modules["rich"] = None
sys.exit(cli.main(sys.argv[2:]))
"""


@pytest.fixture(scope="module")
def table(tmp_path_factory):
    rng = np.random.default_rng(1)
    path = tmp_path_factory.mktemp("table") / "a.parquet"
    pq.write_table(pa.table({f"c{i}": rng.normal(size=N) for i in range(8)}), path, row_group_size=5000)
    return str(path)


def on_a_terminal(bar, *words, interrupt=False):
    """The exit code, and what the terminal has been sent."""
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", AT_ONCE, bar, *words]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "80"}
    process = subprocess.Popen(command, stdout=theirs, stderr=theirs, env=environment)
    os.close(theirs)
    seen = b""
    while True:
        try:
            some = os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            some = b""
        if not some:
            break
        seen += some
        if interrupt:
            process.send_signal(signal.SIGINT)
            interrupt = False
    os.close(ours)
    return process.wait(60), seen


BARS = ["plain", "rich"]


def needs(bar):
    if bar == "rich":
        pytest.importorskip("rich")


@pytest.mark.parametrize("bar", BARS)
@pytest.mark.parametrize("command", ["compare", "profile"])
def test_a_bar_on_a_terminal_that_is_gone_at_the_end(table, tmp_path, bar, command):
    needs(bar)
    output = tmp_path / ("o.json" if command == "compare" else "o.fdp")
    words = [table, table] if command == "compare" else [table]
    code, seen = on_a_terminal(bar, command, *words, "--memory", "20MB", "-o", str(output))
    assert (code, output.exists()) == (0, True)
    shares = seen.count(b"%")
    assert shares > (10 if bar == "plain" else 0)  # rich draws 10 times a second
    if bar == "plain":
        drawn, end, told = seen.rpartition(b"\r\x1b[K")
        assert (end, b"##" in drawn, b"##" in told) == (b"\r\x1b[K", True, False)


@pytest.mark.parametrize("bar", BARS)
def test_ctrl_c_leaves_no_bar_and_no_file(table, tmp_path, bar):
    needs(bar)
    output = tmp_path / "o.json"
    output.write_text("as it was")
    words = ["compare", table, table, "--memory", "2MB", "-o", str(output)]
    code, seen = on_a_terminal(bar, *words, interrupt=True)
    assert code == 130
    assert b"Traceback" not in seen
    if bar == "plain":
        assert seen.endswith(b"\r\x1b[K")
    assert [x.read_text() for x in tmp_path.iterdir()] == ["as it was"]


def test_nothing_is_drawn_where_there_is_no_terminal(table):
    words = [sys.executable, "-c", AT_ONCE, "plain", "compare", table, table, "--memory", "20MB"]
    done = subprocess.run(words, capture_output=True, check=True)
    assert done.stderr == b""
