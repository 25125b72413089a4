"""Where results go: what cannot take one is told, not replaced; options are told as typed."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

from fastdiv import Baseline, cli

PAIRWISE, NEAREST = ("pairwise", "A.npy", "-o"), ("nearest", "A.npy", "-k", "1", "-o")
BOTH = pytest.mark.parametrize("command", [PAIRWISE, NEAREST], ids=["pairwise", "nearest"])


@pytest.fixture(autouse=True)
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    np.save("A.npy", np.random.default_rng(3).random((6, 4)))
    np.save("empty.npy", np.empty((0, 4)))


def refused(capsys, argv, message):
    before = sorted(os.listdir())
    assert cli.main(list(argv)) == 2
    assert capsys.readouterr().err == f"fastdiv: error: {message}\n"
    assert sorted(os.listdir()) == before


@BOTH
def test_a_device_or_pipe_is_not_replaced(command, capsys):
    os.mkfifo("pipe")
    refused(capsys, [*command, "pipe"], "cannot write pipe: Is not a regular file")
    assert not os.path.isfile("pipe")


def read_from(path, write):
    """What comes out of a pipe while something is written to it."""
    os.mkfifo(path)
    found = []
    reader = threading.Thread(target=lambda: found.append(Path(path).read_bytes()))
    reader.start()
    write()
    reader.join()
    assert stat.S_ISFIFO(os.stat(path).st_mode)
    return found[0]


def test_reports_and_baselines_go_into_pipes():
    baseline = Baseline.from_table({"x": np.arange(100.0)})
    saved = read_from("pipe", lambda: baseline.save("pipe"))
    Path("held.fdp").write_bytes(saved)
    assert Baseline.load("held.fdp") == baseline
    compare = ["compare", "held.fdp", "held.fdp", "--format", "json", "-o"]
    assert json.loads(read_from("other", lambda: cli.main([*compare, "other"])))["columns"]
    Path("again.fdp").write_bytes(
        read_from("pipe.fdp", lambda: cli.main(["profile", "held.fdp", "-o", "pipe.fdp"]))
    )
    assert Baseline.load("again.fdp") == baseline
    run = subprocess.run([sys.executable, "-m", "fastdiv", *compare, "/dev/stdout"], stdout=-1, check=True)
    assert json.loads(run.stdout)["columns"]


@BOTH
def test_directories(command, capsys):
    refused(capsys, [*command, "."], "cannot write .: Is a directory")
    refused(capsys, [*command, "no/D.npy"], "cannot write no/D.npy: No such file or directory")


@BOTH
def test_a_link_stays_a_link(command, tmp_path):
    (tmp_path / "store").mkdir()
    os.symlink("store/real", "link")
    for _ in range(2):
        assert cli.main([*command, "link"]) == 0
        assert os.path.islink("link")
        assert os.listdir("store") == ["real"]
    np.load("link")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
@BOTH
def test_what_may_not_be_written(command, capsys, tmp_path):
    (tmp_path / "shut").mkdir(mode=0o500)
    refused(capsys, [*command, "shut/D.npy"], "shut/D.npy: Permission denied")


def test_an_empty_matrix_has_the_name_it_was_given():
    assert cli.main(["pairwise", "empty.npy", "A.npy", "-o", "D.out"]) == 0
    assert np.load("D.out").shape == (0, 6)
    assert not os.path.exists("D.out.npy")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--alpha", "2"], "metric js_distance has no --alpha; it takes --base, --pseudocount"),
        (["--samples"], "metric js_distance has no --samples; it takes --base, --pseudocount"),
        (["--metric", "wasserstein", "--base", "2"], "has no --base; it takes --samples, --p, --pseudocount"),
        (["--metric", "renyi_divergence"], "metric renyi_divergence needs --alpha X, the order"),
    ],
    ids=range(4),
)
@BOTH
def test_options_are_told_as_they_are_typed(command, options, message, capsys):
    assert cli.main([*command, "D", *options]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        ((*NEAREST, "N.npy"), "FILE of nearest must end in .npz, not be N.npy"),
        ((*PAIRWISE, "D.NPZ"), "FILE of pairwise must end in .npy, not be D.NPZ"),
    ],
)
def test_no_name_says_the_other_format(argv, message, capsys):
    refused(capsys, argv, message)


def test_a_report_with_a_suffix_that_says_nothing(capsys):
    for name in ("r.pdf", "r.npy"):
        message = f"FILE must end in .json, .csv, .md, .html or .txt, or have a --format, not be {name}"
        refused(capsys, ["compare", "A.npy", "A.npy", "-o", name], message)
        assert cli.main(["compare", "A.npy", "A.npy", "-o", name, "--format", "md"]) == 0
        os.remove(name)
