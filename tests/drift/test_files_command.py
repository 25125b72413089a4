"""pairwise and nearest: nothing that is finished is lost without a word, and errors name the file."""

from __future__ import annotations

import os

import numpy as np
import pytest

import fastdiv
from fastdiv import cli
from fastdiv.cli import files as commands


@pytest.fixture
def data(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(3)
    A, B = rng.dirichlet(np.ones(12), 200), rng.dirichlet(np.ones(12), 90)
    np.save("A.npy", A)
    np.save("B.npy", B)
    return A, B


def call(capsys, *argv):
    try:
        code = cli.main([str(word) for word in argv])
    except SystemExit as stop:
        code = stop.code
    return (code, *capsys.readouterr())


def interrupt(monkeypatch, argv, after=2):
    """Ctrl-C after some blocks."""
    write, calls = commands._write_note, []

    def stopping(*arguments):
        write(*arguments)
        calls.append(1)
        if len(calls) == after:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr("fastdiv.matrix.sides.BLOCK_BYTES", 40 * 90 * 8)
        patch.setattr(commands, "_write_note", stopping)
        assert cli.main(argv) == 130


PAIRWISE = ["pairwise", "A.npy", "B.npy", "-o", "D.npy"]
NEAREST = ["nearest", "A.npy", "B.npy", "-k", "3", "-o", "N.npz"]


@pytest.mark.parametrize("argv", [PAIRWISE, NEAREST], ids=["pairwise", "nearest"])
@pytest.mark.parametrize("change", ["metric", "option", "input"])
def test_finished_rows_are_not_thrown_away_without_a_word(data, monkeypatch, capsys, argv, change):
    interrupt(monkeypatch, argv)
    more = {"metric": ["--metric", "js_divergence"], "option": ["--base", "2"], "input": []}[change]
    A = data[0]
    if change == "input":
        A = A[::-1].copy()
        np.save("A.npy", A)
    code, out, err = call(capsys, *argv, *more)
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert f"{argv[-1]}.part has " in err
    assert " finished rows of another job (" in err
    assert "--restart throws them away" in err
    assert call(capsys, *argv, *more, "--restart")[0] == 0
    assert sorted(os.listdir()) == ["A.npy", "B.npy", argv[-1]]


def test_nearest_goes_on(data, monkeypatch, capsys):
    A, B = data
    interrupt(monkeypatch, NEAREST)
    assert sorted(os.listdir()) == ["A.npy", "B.npy", "N.npz.part", "N.npz.part.json"]
    code, _, err = call(capsys, *NEAREST)
    assert (code, err) == (0, "fastdiv: going on after 128 of 200 rows\n")
    distances, indices = fastdiv.knn(A, B, 3)
    with np.load("N.npz") as found:
        assert np.array_equal(found["distances"], distances)
        assert np.array_equal(found["indices"], indices)
    assert sorted(os.listdir()) == ["A.npy", "B.npy", "N.npz"]


def test_exclude_self(data, capsys):
    A = data[0]
    A[7] = A[3]  # as near as the row itself, and before it
    np.save("A.npy", A)
    assert call(capsys, "nearest", "A.npy", "-k", 4, "-o", "N.npz", "--exclude-self")[0] == 0
    D = fastdiv.cdist(A, A)
    np.fill_diagonal(D, np.inf)
    with np.load("N.npz") as found:
        assert np.array_equal(found["indices"], np.argsort(D, axis=1, kind="stable")[:, :4])
        assert np.array_equal(found["distances"], np.sort(D, axis=1)[:, :4])
    for argv, message in [
        (["A.npy", "B.npy", "-k", 4], "--exclude-self is for the rows of one file"),
        (["A.npy", "-k", 200], "k must be from 1 to the 199 other rows of A.npy, not 200"),
    ]:
        code, _, err = call(capsys, "nearest", *argv, "-o", "M.npz", "--exclude-self")
        assert code == 2
        assert message in err


def test_samples_of_two_sizes_and_big_integers(data, capsys):
    T = 1_700_000_000_000_000_000
    rng = np.random.default_rng(4)
    A, B = T + rng.integers(0, 1000, (6, 5)), T + rng.integers(0, 1000, (4, 9))
    np.save("A.npy", A)
    np.save("B.npy", B)
    options = ["--metric", "wasserstein", "--samples"]
    assert call(capsys, *PAIRWISE, *options)[0] == 0
    expected = fastdiv.cdist(A - T, B - T, "wasserstein", samples=True)
    assert np.allclose(np.load("D.npy"), expected, rtol=1e-14, atol=0)
    assert call(capsys, *NEAREST, *options)[0] == 0
    with np.load("N.npz") as found:
        assert np.allclose(found["distances"], np.sort(expected)[:, :3], rtol=1e-14, atol=0)


@pytest.mark.parametrize("argv", [PAIRWISE, NEAREST], ids=["pairwise", "nearest"])
def test_errors_name_the_file(data, capsys, argv):
    A, B = data
    A[150, 3] = -0.5
    np.save("A.npy", A)
    code, _, err = call(capsys, *argv)
    assert code == 2
    assert "A.npy[150, 3] = -0.5" in err
    assert "XA" not in err
    A[150, 3], B[60, 2] = 0.5, -0.5
    np.save("A.npy", A)
    np.save("B.npy", B)
    assert "B.npy[60, 2] = -0.5" in call(capsys, *argv)[2]
    np.save("B.npy", B[:, 1:])
    assert "A.npy has 12 bins but B.npy has 11" in call(capsys, *argv)[2]
    np.save("B.npy", B[0])
    assert "B.npy must hold a two-dimensional array" in call(capsys, *argv)[2]
    with open("B.npy", "w") as file:
        file.write("a,b\n1,2\n")
    assert "B.npy is no .npy file" in call(capsys, *argv)[2]
    assert sorted(os.listdir()) == ["A.npy", "B.npy"]


def test_help_lists_the_metrics(data, capsys):
    from fastdiv.matrix import METRICS

    assert set(commands._METRICS) == set(METRICS)
    for command in ("pairwise", "nearest"):
        code, out, _ = call(capsys, command, "--help")
        assert code == 0
        for name in METRICS:
            assert name in out


def test_a_wrong_call_leaves_what_is_finished(data, monkeypatch, capsys):
    interrupt(monkeypatch, NEAREST)
    left = sorted(os.listdir())
    for argv, message in [
        ([*NEAREST, "--workers", 0], "workers must be at least 1, or -1 for all CPUs, not 0"),
        ([*NEAREST[:-3], 91, *NEAREST[-2:]], "k must be from 1 to the 90 rows of B.npy, not 91"),
    ]:
        code, _, err = call(capsys, *argv)
        assert (code, err.count("\n")) == (2, 1)
        assert message in err
    assert sorted(os.listdir()) == left
    assert call(capsys, *NEAREST)[1:] == ("", "fastdiv: going on after 128 of 200 rows\n")


def test_files_whose_names_look_like_arguments(data, capsys):
    """Errors are made with the names of the files, not translated afterwards."""
    A = data[0]
    bad = A.copy()
    bad[150, 3] = -0.5
    np.save("row 7.npy", bad)
    for command in (PAIRWISE, NEAREST):
        argv = [{"A.npy": "row 7.npy"}.get(word, word) for word in command]
        assert "row 7.npy has a negative mass: row 7.npy[150, 3] = -0.5 (row 150" in call(capsys, *argv)[2]
        os.replace("B.npy", "XA")
        argv = [{"B.npy": "XA"}.get(word, word) for word in command]
        np.save("A.npy", A[:, 1:])
        assert "A.npy has 11 bins but XA has 12" in call(capsys, *argv)[2]
        np.save("A.npy", A)
        os.replace("XA", "B.npy")
