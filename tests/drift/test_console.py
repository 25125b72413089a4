"""The command's manners: help, unknown options by name, formats by suffix, one name for a metric."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest

from fastdiv import __version__, cli


@pytest.fixture
def tables(tmp_path):
    base, cur = tmp_path / "base.csv", tmp_path / "cur.csv"
    base.write_text("x,word\n" + "".join(f"{i % 50},{'ab'[i % 2]}\n" for i in range(200)))
    cur.write_text("x,word\n" + "".join(f"{i % 50 + 30},{'ab'[i % 2]}\n" for i in range(200)))
    return [str(base), str(cur)]


def call(capsys, *argv):
    try:
        code = cli.main(argv)
    except SystemExit as stop:
        code = stop.code
    return (code, *capsys.readouterr())


def test_alone_it_helps(capsys):
    code, out, err = call(capsys)
    assert (code, err) == (0, "")
    for word in ("usage: fastdiv", "compare", "pairwise", "nearest", "--version"):
        assert word in out
    assert call(capsys, "--version") == (0, f"fastdiv {__version__}\n", "")


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["--versoin"], "unknown option --versoin; did you mean --version?"),
        (["--vers"], "unknown option --vers; did you mean --version?"),
        (["--qqq"], "unknown option --qqq"),
        (["compare", "--bin", "3"], "unknown option --bin; did you mean --bins?"),
        (
            ["compare", "a.csv", "b.csv", "--fail-no=js>1"],
            "unknown option --fail-no; did you mean --fail-on?",
        ),
        (["pairwise", "--metirc", "js_distance"], "unknown option --metirc; did you mean --metric?"),
        (["nearest", "A.npy", "--version"], "unknown option --version"),
    ],
    ids=range(7),
)
def test_an_unknown_option_is_called_so(capsys, argv, message):
    assert call(capsys, *argv) == (2, "", f"fastdiv: error: {message}\n")


def test_words_after_two_dashes_are_files(capsys):
    code, _, err = call(capsys, "compare", "--", "--version", "b.csv")
    assert code == 2
    assert "--version" in err
    assert "unknown" not in err


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("r.json", "json"),
        ("r.JSON", "json"),
        ("r.csv", "csv"),
        ("r.md", "md"),
        ("r.txt", "table"),
        ("r", "table"),
    ],
)
def test_the_suffix_says_the_format(capsys, tables, tmp_path, name, kind):
    target = tmp_path / name
    assert call(capsys, "compare", *tables, "-o", str(target))[0] == 0
    written = target.read_text(encoding="utf-8")
    assert written == call(capsys, "compare", *tables, "--format", kind)[1]
    assert call(capsys, "compare", *tables, "-o", str(target), "--format", "csv")[0] == 0
    assert target.read_text(encoding="utf-8").startswith("name,status,")


def test_one_name_for_the_distance_over_sd(capsys, tables):
    for name in ("w1", "w1_over_sd", "W1"):
        code, out, _ = call(capsys, "compare", *tables, "--format", "json", "--fail-on", f"{name}>0.5")
        data = json.loads(out)
        (breach,) = data["drift"]
        assert (code, breach["metric"], breach["rule"]) == (1, "w1_over_sd", "w1_over_sd>0.5")
        (column,) = (c for c in data["columns"] if c["name"] == breach["column"])
        assert column[breach["metric"]] == breach["value"]
    assert (
        call(capsys, "compare", *tables, "--fail-on", "js_distance>0.99", "--fail-on", "kl_bits>99")[0] == 0
    )
    for name in ("w1", "w1_over_sd"):
        assert call(capsys, "compare", *tables, "--sort", name)[0] == 0


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize("argv", [["--help"], ["--version"], [], ["compare", "--help"]])
def test_help_into_a_closed_pipe(argv, unbuffered):
    command = [sys.executable, "-m", "fastdiv", *argv]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=os.environ | {"PYTHONUNBUFFERED": unbuffered}, **options) as process:
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
@pytest.mark.parametrize("argv", [["--help"], ["--version"], [], ["compare", "--help"]])
def test_help_that_cannot_be_written(argv):
    command = [sys.executable, "-m", "fastdiv", *argv]
    environment = os.environ | {"PYTHONUNBUFFERED": ""}
    with open("/dev/full", "wb") as full:
        done = subprocess.run(command, env=environment, stdout=full, stderr=subprocess.PIPE, check=False)
    message = b"fastdiv: error: cannot write to standard output: No space left on device\n"
    assert (done.returncode, done.stderr) == (2, message)
