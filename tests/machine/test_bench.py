"""The benchmarks run: every case at a hundredth of its size, and all who run in it agree."""

import re
import sys
from importlib import import_module
from pathlib import Path

import pytest

import fastdiv

pytest.importorskip("scipy")


@pytest.fixture(scope="module", autouse=True)
def bench():
    """bench/ is no part of the library: it is found where it lies, behind what is installed."""
    path = str(Path(__file__).parents[2])
    sys.path.append(path)
    yield
    sys.path.remove(path)
    fastdiv.set_num_threads(None)


@pytest.mark.parametrize("suite", ["rows", "matrix", "transport", "startup", "corners"])
@pytest.mark.filterwarnings("ignore")  # of the peers
def test_answers_agree(suite):
    race = import_module("bench.race")
    cases = list(import_module(f"bench.{suite}").cases(0.01))
    for case in cases:
        errors = case.errors()
        assert len(errors) == len(case.runs) > 1, case.what
    assert len({(c.what, c.size, c.dtype, c.threads, c.runs[1].name) for c in cases}) == len(cases)
    assert isinstance(cases[0], race.Case)


def test_a_wrong_answer_is_no_contestant():
    race, contestants = import_module("bench.race"), import_module("bench.contestants")
    runs = [contestants.Contestant("ours", lambda: 1.0), contestants.Contestant("theirs", lambda: 1.1)]
    with pytest.raises(AssertionError, match=r"toy, 1: theirs is off by 1\.0e-01"):
        race.Case("toy", "1", runs).errors()


def test_report(capsys):
    """One line a peer in one form, the machine above, the losses below; an absent peer is named."""
    race, contestants = import_module("bench.race"), import_module("bench.contestants")
    work = lambda n: lambda: sum(range(n)) * 0.0  # noqa: E731
    runs = [contestants.Contestant(f"to {n}", work(n)) for n in (2000, 20, 200_000)]
    race.report({"toy": [race.Case("sum", "some", runs)]}, seconds=0.0)
    shown = capsys.readouterr().out
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in shown.splitlines() if row[:1] == "|"]
    assert rows[0] == list(race.HEAD)
    assert [row[0] for row in rows[2:]] == ["sum", ""]
    assert [row[5] for row in rows[2:]] == ["to 20", "to 200000"]
    assert re.fullmatch(r"0\.\d\d < 1", rows[2][6])
    assert re.fullmatch(r"\d+(\.\d\d)?", rows[3][6])
    assert re.search(r"Where we lose:\n0\.\d\d  sum, some : to 20\n$", shown)
    for name in contestants.LIBRARIES:
        assert f"left out: {name}." in shown or f", {name} " in shown


def test_absent_peers_are_left_out(monkeypatch):
    contestants = import_module("bench.contestants")
    monkeypatch.setattr(contestants, "ABSENT", tuple(set(contestants.LIBRARIES) - {"numpy"}))
    for work, runs in contestants.TABLE.items():
        assert contestants.of(work)[0] is runs[0]
        assert all(run.library == "numpy" for run in contestants.of(work))
