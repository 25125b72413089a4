"""`fastdiv bench`: every case at a hundredth of its size, the document, the reports, the command."""

import json
import re
import subprocess
import sys
import threading
import time
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

import fastdiv
from fastdiv import cli
from fastdiv.bench import GROUPS, contestants, race, record, session, tables, verdicts, workloads

pytest.importorskip("scipy")
ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def threads():
    yield
    fastdiv.set_num_threads(None)


def toy(name="toy", sizes=(2000, 20, 200_000), size="some", **options):
    """Ours and two others that add up as many numbers; ours lies between them."""
    work = lambda n: lambda: sum(range(n)) * 0.0  # noqa: E731
    names = ("fastdiv", *(f"to {n}" for n in sizes[1:]))
    runs = [contestants.Contestant(who, work(n)) for who, n in zip(names, sizes, strict=True)]
    return race.Case(name, size, runs, **options)


@pytest.fixture
def toys(monkeypatch):
    """Groups of toys instead of the real ones."""
    cases = {"rows": [toy()], "matrix": [toy("other", per=("bin", 1000))]}
    monkeypatch.setattr(session, "cases", lambda group, scale: iter(cases[group]))
    monkeypatch.setattr(session, "SECONDS", {True: 0.0, False: 0.0})
    return cases


@pytest.fixture(autouse=True)
def no_word_of_plots(monkeypatch):
    """matplotlib may be missing: tests of what is said of that set it themselves."""
    from fastdiv.bench import plots

    if not plots.available():
        monkeypatch.setattr("fastdiv.cli.bench.say", lambda message: None)


def call(capsys, *argv):
    try:
        code = cli.main(["bench", *argv])
    except SystemExit as stop:
        code = stop.code
    return (code, *capsys.readouterr())


# --- cases -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("group", GROUPS)
@pytest.mark.filterwarnings("ignore")  # of the peers
def test_answers_agree(group):
    cases = list(session.cases(group, 0.01))
    for case in cases:
        errors = case.errors()
        case.check(errors)
        assert len(errors) == len(case.runs) > 1, case.what
        assert case.runs[0].name == race.OURS
    assert len({(c.what, c.size, c.dtype, c.threads) for c in cases}) == len(cases)
    assert len(import_module(f"fastdiv.bench.{group}").__doc__) > 20


def test_a_wrong_answer_is_no_contestant():
    runs = [contestants.Contestant("fastdiv", lambda: 1.0), contestants.Contestant("theirs", lambda: 1.1)]
    case = race.Case("toy", "1", runs)
    with pytest.raises(AssertionError, match=r"toy, 1: theirs is off by 1\.0e-01"):
        case.check(case.errors())


def test_absent_peers_are_left_out(monkeypatch):
    monkeypatch.setattr(contestants, "ABSENT", tuple(set(contestants.LIBRARIES) - {"numpy"}))
    for work, runs in contestants.TABLE.items():
        assert contestants.of(work)[0] is runs[0]
        assert all(run.library == "numpy" for run in contestants.of(work))


def test_the_floor_is_what_ours_differs_from_itself_by():
    assert race.floor([1.0] * 8, [1.0] * 8) == 0
    assert race.floor([1.0] * 8, [1.25] * 8) == pytest.approx(0.25)
    assert race.floor([1.0] * 4 + [1.5] * 4, [1.0] * 8) == pytest.approx(0.5)  # drift counts


@pytest.mark.parametrize("elsewhere", [False, True])
def test_everyone_runs_over_all_sets(elsewhere):
    """In each round; nobody gets more of one pair than of another, which a processor would learn."""
    given, calls = [], []

    def sorts(sets):
        given.extend(sets)
        return lambda times: 1.0

    theirs = contestants.Contestant("theirs", lambda x: x, elsewhere=sorts if elsewhere else None)
    own = contestants.Contestant("fastdiv", calls.append)
    race.Case("toy", "1", [own, theirs], (0,), more=[(1,), (2,)]).times(0)
    rounds, rest = divmod(len(calls), 3)
    assert rest == 0
    assert rounds >= 2 * race.LEAST_ROUNDS
    assert calls == [0, 1, 2] * rounds
    assert given == [(0,), (1,), (2,)] * elsewhere


def test_threads_that_a_contestant_left_running_are_charged_to_nobody():
    stop = threading.Event()

    def busy():
        while not stop.is_set():
            sum(range(1000))

    case = race.Case("sleep", "", [race.Contestant("idle", lambda _: time.sleep(0.05))], (0,))
    thread = threading.Thread(target=busy)
    thread.start()
    try:
        once, again = case.times(0.3)
    finally:
        stop.set()
        thread.join()
    assert max(once + again) < 0.04  # of 0.05 in which the other thread computes


@pytest.mark.parametrize("n", [1, 7, 100, 10_000])
def test_pieces_are_disjoint(n):
    x = np.arange(10_000.0)
    pairs = workloads.pieces(n, x, -x)
    assert len(pairs) == min(10_000 // n, 1024)
    assert all(len(u) == n and (u == -v).all() for u, v in pairs)
    assert len(np.unique(np.concatenate([u for u, _ in pairs]))) == n * len(pairs)


# --- the document ------------------------------------------------------------------------------------------


def test_the_document_is_one_of_pytest_benchmark(toys, tmp_path):
    pytest.importorskip("pytest_benchmark")
    document = record.begun(True, ["rows", "matrix"])
    session.measure(document, lambda share, what: None)
    path = tmp_path / "report.json"
    path.write_text(record.text(document), encoding="utf-8")
    assert record.read(str(path)) == json.loads(json.dumps(document))
    command = [sys.executable, "-m", "pytest_benchmark", "compare", str(path), "--columns=median,rounds"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    for group in ("rows: toy, some, 1 thread", "matrix: other, some, 1 thread"):
        assert f"'{group}': 4 tests" in done.stdout
    assert len(re.findall(r"^fastdiv, again", done.stdout, re.M)) == 2


def test_what_was_measured_comes_back(toys):
    document = record.begun(False, ["rows", "matrix"])
    shares = []
    session.measure(document, lambda share, what: shares.append(share))
    assert document["fastdiv"]["complete"]
    assert shares == [0.0, 0.5, 1.0]
    first, second = record.measured(document)
    assert first.key == ("rows", "toy", "some", "", 1)
    assert [run.name for run in first.peers] == ["to 20", "to 200000"]
    assert first.peers[0].ratio < 1 < first.peers[1].ratio
    assert (first.ours.error, first.ours.kind) == (0, "ours")
    assert second.per == ("bin", 1000)


def test_a_peer_that_fails_is_named_and_left_out(toys):
    def broken():
        raise TypeError("no such thing\nas this")

    runs = [toy().runs[0], contestants.Contestant("theirs", broken), toy().runs[1]]
    toys["rows"][:] = [race.Case("toy", "some", runs)]
    document = record.begun(False, ["rows"])
    session.measure(document, lambda share, what: None)
    (case,) = record.measured(document)
    assert [run.name for run in case.peers] == ["to 20"]
    assert "No answer: theirs for toy, some: TypeError: no such thing" in tables.markdown(document)
    assert not session.wrong(document)


# --- pages -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["README.md", "docs/benchmarks.md", "docs/peers.md"])
def test_tables_of_pages_come_from_the_stored_report(page, monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    pages = import_module("bench.pages")
    text = (ROOT / page).read_text(encoding="utf-8")
    document = record.read(str(ROOT / "bench" / "report.json"))
    assert page in pages.PAGES
    assert len(pages.BLOCK.findall(text)) == text.count("<!-- report: ") > 0
    assert pages.written(text, document) == text
    for benchmark in document["benchmarks"]:
        benchmark["stats"]["median"] *= 2
        benchmark["extra_info"]["ratio"] = 0.5
    assert pages.written(text, document) != text


def test_pictures_of_pages(monkeypatch, toys):
    """The page names each that is drawn, and draws each that it names."""
    pytest.importorskip("matplotlib")
    monkeypatch.syspath_prepend(str(ROOT))
    pages = import_module("bench.pages")
    sweeps = [
        toy(name, size=str(n), at=("bins", n), per=("bin", n)) for name in ("one", "two") for n in (10, 100)
    ]
    toys |= {"sweeps": sweeps, "limits": [toy("limited", per=("bin", 10))]}
    document = record.begun(False, ["rows", "sweeps", "limits"])
    assert pages.block(document, "sweeps") == "Not measured in this report."
    assert not pages.drawn(document)
    session.measure(document, lambda share, what: None)
    named = [re.findall(r":file: _static/bench/(.*)", pages.block(document, x)) for x in ("sweeps", "limits")]
    assert named == [["sweeps0.svg", "sweeps1.svg"], ["limits0.svg"]]
    drawn = pages.drawn(document)
    assert list(drawn) == [*named[0], *named[1]]
    assert all(svg.startswith('<svg role="img" aria-label="') for svg in drawn.values())
    assert "### two" in pages.block(document, "sweeps")


def test_counts_beyond_the_tolerance(monkeypatch):
    monkeypatch.syspath_prepend(str(ROOT))
    count = import_module("bench.count")
    stored = json.loads((ROOT / "bench" / "counts.json").read_text())
    assert not count.beyond(stored, stored)
    assert not count.beyond({name: 1.1 * n for name, n in stored.items()}, stored)
    (line,) = count.beyond(stored | {"W1": 2 * stored["W1"]}, stored)
    assert line.startswith("W1: ")
    (line,) = count.beyond({name: n for name, n in stored.items() if name != "W1"}, stored)
    assert line == "W1: not on both sides"


# --- what has changed ------------------------------------------------------------------------------------


def made(times, theirs=10.0, spread=0.0, quick=False):
    """A document of cases with these seconds of ours, one peer in each."""
    document = record.begun(quick, ["rows"])
    for name, seconds in times.items():
        runs = [contestants.Contestant(who, lambda: 0.0) for who in ("fastdiv", "theirs")]
        again = [seconds * (1 + spread)] * 4
        taken = [[seconds] * 4, [theirs] * 4, again]
        document["benchmarks"] += record.entries("rows", race.Case(name, "", runs), [0.0, 0.0], taken)
    document["fastdiv"]["complete"] = True
    return document


def verdict(old, new):
    return {x["case"]: x["verdict"] for x in verdicts.compared("OLD", old, new)["changes"]}


def test_what_is_beyond_the_noise():
    old = made({"a": 1.0, "b": 1.0, "c": 1.0, "gone": 1.0})
    new = made({"a": 1.09, "b": 1.2, "c": 0.8, "new": 1.0})
    assert verdict(old, new) == {"rows: a": "same", "rows: b": "slower", "rows: c": "faster"}
    noisy = made({"a": 1.0, "b": 1.0, "c": 1.0}, spread=0.15)
    assert set(verdict(noisy, new).values()) == {"same"}
    assert set(verdict(old, old).values()) == {"same"}


def test_the_drift_of_the_machine_is_taken_off():
    old, new = made({"a": 1.0, "b": 1.0}), made({"a": 1.5, "b": 1.0}, theirs=15.0)
    assert verdict(old, new) == {"rows: a": "same", "rows: b": "faster"}
    new["fastdiv"]["environment"]["versions"]["numpy"] = (
        "9.9"  # others whose code may have changed tell no drift
    )
    assert verdict(old, new) == {"rows: a": "slower", "rows: b": "same"}


def test_the_noise_of_others_is_ours():
    """Peers whose code is the same took a quarter more or less: so much says nothing of us."""
    cases = {str(i): 1.0 for i in range(12)}
    old, new = made(cases), made({**cases, "0": 1.6, "1": 1.5})
    assert [x for x, y in verdict(old, new).items() if y == "slower"] == ["rows: 0", "rows: 1"]
    for i, entry in enumerate(x for x in new["benchmarks"] if x["name"] == "theirs"):
        entry["stats"]["median"] *= 1.25 if i % 2 else 0.75
    assert [x for x, y in verdict(old, new).items() if y == "slower"] == ["rows: 0"]


def test_a_change_must_be_seen_again():
    old = made({"a": 1.0, "b": 1.0, "c": 1.0})
    found = verdicts.compared("OLD", old, made({"a": 2.0, "b": 2.0, "c": 1.0}))
    assert len(verdicts.odd(found)) == 2
    verdicts.confirmed(found, verdicts.compared("OLD", old, made({"a": 1.5, "b": 0.9})))
    assert [x["verdict"] for x in found["changes"]] == ["slower", "same", "same"]
    assert [x["change"] for x in found["changes"]] == [pytest.approx(1.5), 1.0, 1.0]


def test_what_cannot_be_compared():
    here = made({"a": 1.0})
    there = made({"a": 1.0})
    there["fastdiv"]["environment"]["cpu"] = "another"
    with pytest.raises(
        record.NoDocument, match=r"^OLD was measured on another machine: its cpu is another, here"
    ):
        verdicts.comparable("OLD", there, here)
    with pytest.raises(record.NoDocument, match=r"^OLD was measured with --quick, this run is without"):
        verdicts.comparable("OLD", made({"a": 1.0}, quick=True), here)
    with pytest.raises(record.NoDocument, match=r"^OLD has none of the groups matrix; it has rows$"):
        verdicts.comparable("OLD", here, record.begun(False, ["matrix"]))
    verdicts.comparable("OLD", here, here)


# --- the command -------------------------------------------------------------------------------------------


def test_a_report(capsys, toys, tmp_path):
    folder = tmp_path / "new" / "folder"
    code, out, err = call(capsys, "--group", "matrix", "rows", "-o", str(folder))
    assert (code, err) == (0, "")
    assert {path.name for path in folder.iterdir()} == {"report.json", "report.md", "report.html"}
    text = (folder / "report.md").read_text(encoding="utf-8")
    assert text.index("## rows: ") < text.index("## matrix: ")
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in text.splitlines() if row[:1] == "|"]
    assert rows[0] == list(tables.HEAD)
    assert [row[0] for row in rows[2:4]] == ["toy", ""]
    assert [row[6] for row in rows[2:4]] == ["to 20", "to 200000"]
    assert re.fullmatch(r"\*\*0\.\d\d\*\*", rows[2][7])
    assert re.fullmatch(r"\d+(\.\d\d)?", rows[3][7])
    for said in (out, text):
        assert re.search(
            r"^Others were faster, beyond the noise:\n\n- 0\.\d\d: (toy|other), some: to 20$", said, re.M
        )
        for name in contestants.LIBRARIES:
            assert re.search(rf"left out:.*\b{name}\b|[,>] {name} \d", said)


def test_the_page_stands_alone(capsys, toys, tmp_path):
    """No address, no script; a picture for each group, whose ids are its own."""
    pytest.importorskip("matplotlib")
    sweep = [toy("swept", at=("bins", n), per=("bin", n)) for n in (10, 100)]
    toys |= {"sweeps": sweep, "limits": [toy("limited")]}
    groups = ("rows", "sweeps", "limits")
    assert call(capsys, "--group", *groups, "-o", str(tmp_path))[0] == 0
    text = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert text.count("<svg") == text.count("</svg>") == 3
    assert not re.search(r'<script|<link|(?:src|href)="http|@import', text)
    ids = re.findall(r'\bid="([^"]+)"', text)
    assert len(ids) == len(set(ids)) > 10
    assert set(re.findall(r"url\(#([^)]+)\)", text)) <= set(ids)
    assert "currentColor" in text
    assert "#010203" not in text
    assert re.search(r"<h2>rows: .*<td>toy</td>", text, re.S)


def test_without_matplotlib(capsys, toys, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    from fastdiv.cli import console

    monkeypatch.setattr("fastdiv.cli.bench.say", console.say)
    code, _, err = call(capsys, "--group", "rows", "-o", str(tmp_path))
    assert (code, err) == (0, "fastdiv: report.html has no plots: matplotlib is not installed\n")
    assert "<svg" not in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_wrong_answer_of_ours_is_told(capsys, toys, tmp_path):
    toys["rows"][:] = [toy(truth=lambda: 1.0)]
    code, out, err = call(capsys, "--group", "rows", "-o", str(tmp_path))
    assert code == 2
    assert err == "fastdiv: error: a wrong answer of fastdiv: toy, some is off by 1e+00\n"
    assert "WRONG" in out


def test_ctrl_c_keeps_what_was_measured(capsys, toys, tmp_path, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    toys["matrix"][:] = [race.Case("never", "", [contestants.Contestant("fastdiv", interrupted)])]
    code, out, err = call(capsys, "--group", "rows", "matrix", "-o", str(tmp_path))
    assert (code, err) == (130, "")
    document = record.read(str(tmp_path / "report.json"))
    assert [case.what for case in record.measured(document)] == ["toy"]
    assert not document["fastdiv"]["complete"]
    for text in (out, (tmp_path / "report.md").read_text(encoding="utf-8")):
        assert "**Interrupted: this is what had been measured.**" in text


def test_compare(capsys, toys, tmp_path):
    """Exit code 1 where we are slower beyond the noise, and the report says where."""
    old = str(tmp_path / "report.json")
    call(capsys, "--group", "rows", "-o", str(tmp_path))
    document = record.read(old)
    for seconds, expected, head in ((1e-9, 1, "Slower"), (1.0, 0, "Faster")):
        for entry in document["benchmarks"]:
            if entry["name"] == "fastdiv":
                entry["stats"]["median"] = seconds
        (tmp_path / "report.json").write_text(record.text(document), encoding="utf-8")
        code, out, err = call(capsys, "--group", "rows", "-o", str(tmp_path), "--compare", old)
        assert (code, err) == (expected, "")
        for text in (out, (tmp_path / "report.md").read_text(encoding="utf-8")):
            assert f"Compared with {old}" in text
            assert re.search(
                rf"^{head} beyond the noise:\n\n- [+-]\d+% \(noise \d+%\): rows: toy, some$", text, re.M
            )
            assert "Within the noise: 0 of 1." in text


def test_a_slow_contestant_is_found(capsys, toys, tmp_path):
    """Measured once more, it is slow again."""
    old = str(tmp_path / "report.json")
    call(capsys, "--group", "rows", "-o", str(tmp_path))
    toys["rows"][:] = [toy(sizes=(100_000, 20, 200_000))]
    code, out, _ = call(capsys, "--group", "rows", "-o", str(tmp_path / "new"), "--compare", old)
    assert code == 1
    assert re.search(r"^Slower beyond the noise:\n\n- \+\d{3,}% \(noise \d+%\): rows: toy, some$", out, re.M)


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--group", "row"], "argument --group: there is no group 'row'; did you mean rows?"),
        (["--group", "xyz"], "argument --group: there is no group 'xyz'; there are everyday, rows"),
        (["-o", "FILE"], "-o FILE is a file; the report needs a folder"),
        (["-o", "FILE/in"], "cannot write into -o FILE/in: Not a directory"),
        (["--compare", "FILE"], "FILE is no report of fastdiv bench: it is no JSON"),
        (["--compare", "OTHER"], "OTHER is no report of fastdiv bench"),
        (["--compare", "OLD"], "OLD has form 0 of the report, and this is form 1"),
        (["--compare", "TORN"], "TORN is no whole report of fastdiv bench: KeyError('benchmarks') in it"),
        (["--compare", "NONE"], "NONE: No such file or directory"),
        (["--qick"], "unknown option --qick; did you mean --quick?"),
    ],
)
def test_one_sentence_for_what_is_wrong(capsys, tmp_path, monkeypatch, argv, message):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "FILE").write_text("no JSON")
    (tmp_path / "OTHER").write_text('{"benchmarks": []}')
    (tmp_path / "OLD").write_text('{"fastdiv": {"schema": 0}}')
    (tmp_path / "TORN").write_text('{"fastdiv": {"schema": 1}}')
    code, out, err = call(capsys, *argv)
    assert (code, out) == (2, "")
    assert err.startswith(f"fastdiv: error: {message}")
    assert err.count("\n") == 1


def test_help_lists_the_groups(capsys):
    code, out, _ = call(capsys, "--help")
    assert code == 0
    assert set(GROUPS) <= set(re.findall(r"\w+", out))
