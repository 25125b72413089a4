"""The command: where its output goes, its options, manners at the terminal, hostile files."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from command import FLIGHTS, refused, shell

# -- writing -------------------------------------------------------------------------------------------------


def test_a_report_is_never_half_written(run, tables, tmp_path, monkeypatch):
    target = tmp_path / "report"
    target.write_text("old")

    def full(fd):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    assert refused(run(*tables, "-o", target), "No space left on device")
    assert target.read_text() == "old"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["base.csv", "cur.csv", "report"]


def test_a_table_is_not_replaced_by_its_report(run, tables):
    before = Path(tables[0]).read_bytes()
    assert refused(run(*tables, "-o", tables[0]), "is one of the tables")
    assert Path(tables[0]).read_bytes() == before


def test_a_link_and_a_device_stay_what_they_are(run, tables, tmp_path):
    target, link = tmp_path / "report", tmp_path / "link"
    link.symlink_to(target)
    assert run(*tables, "-o", link)[0] == 0
    assert link.is_symlink()
    assert "moved" in target.read_text(encoding="utf-8")
    assert run(*tables, "-o", "/dev/null")[0] == 0
    assert Path("/dev/null").is_char_device()


# -- options -------------------------------------------------------------------------------------------------


def test_columns_and_sorting(run, tables, tmp_path):
    def order(*options):
        return [c["name"] for c in json.loads(run(*tables, "--format", "json", *options)[1])["columns"]]

    assert order("--sort", "name") == ["moved", "still", "word"]
    assert order("--sort", "table") == ["still", "moved", "word"]
    assert order("--sort", "w1") == ["moved", "still", "word"]  # a word has no W1
    assert order("--columns", "word,still") == ["word", "still"]
    assert order("--columns", "word", "--columns", "still,word") == ["word", "still"]
    comma = tmp_path / "comma.csv"
    comma.write_text('"a,b",c\n1,2\n3,4\n')
    (column,) = json.loads(run(comma, comma, "--format", "json", "--columns", '"a,b"')[1])["columns"]
    assert column["name"] == "a,b"


def test_csv_options_reach_the_reader(run, tmp_path):
    path = tmp_path / "t.csv"
    path.write_text("a:b,c\n1:5\n-9:6\n2:7\n")
    out = run(path, path, "--delimiter", ":", "--missing", "-9", "--format", "json")[1]
    assert {c["name"]: c["n_baseline"] for c in json.loads(out)["columns"]} == {"a": 2, "b,c": 3}


def test_formats_of_both_sides_may_differ(run, tables, tmp_path):
    path = tmp_path / "cur.parquet"
    pd.read_csv(tables[1]).to_parquet(path)
    same = json.loads(run(tables[0], path, "--format", "json")[1])["columns"]
    assert same == json.loads(run(*tables, "--format", "json")[1])["columns"]


# -- manners -------------------------------------------------------------------------------------------------


def test_version_and_help():
    from fastdiv import __version__

    done = shell("--version")
    assert (done.returncode, done.stdout.decode().strip()) == (0, f"fastdiv {__version__}")
    done = shell("compare", "--help")
    assert done.returncode == 0
    assert b"quote it, for > is special" in b" ".join(done.stdout.split())
    assert b"A column that only one table has is listed and breaks no rule but schema." in b" ".join(
        done.stdout.split()
    )


def test_importing_the_command_loads_argparse_and_nothing_heavy():
    code = "import sys, fastdiv.cli; print(*sorted(sys.modules))"
    loaded = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout.split()
    assert "argparse" in loaded
    assert not {"numpy", "pyarrow", "pandas", "json", "csv", "fastdiv.drift"} & set(loaded)


def test_a_csv_comparison_needs_numpy_and_nothing_else(tables):
    code = (
        "import sys; sys.modules.update(dict.fromkeys(['pyarrow', 'pandas', 'scipy', 'rich', 'polars'])); "
        f"from fastdiv.cli import main; raise SystemExit(main(['compare', *{tables!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True)
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_has_seen_enough_is_no_error(tmp_path, unbuffered):
    """As `fastdiv compare ... | head -1`, with more than a pipe holds: silence, and the verdict stays."""
    path = tmp_path / "wide.csv"
    names = [f"column{i:04}" for i in range(1500)]
    path.write_text(
        "\n".join([",".join(names), *[",".join(str((i * j) % 9) for j in range(1500)) for i in range(4)]])
    )
    command = [sys.executable, "-m", "fastdiv", "compare", str(path), str(path)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    with subprocess.Popen(command, env=os.environ | {"PYTHONUNBUFFERED": unbuffered}, **options) as process:
        assert process.stdout.readline().startswith(b"baseline")
        process.stdout.close()
        assert process.stderr.read() == b""
        assert process.wait(timeout=60) == 0
    command += ["--fail-on", "js>=0"]
    options["stderr"] = subprocess.STDOUT
    with subprocess.Popen(command, env=os.environ | {"PYTHONUNBUFFERED": unbuffered}, **options) as process:
        process.stdout.readline()
        process.stdout.close()
        assert process.wait(timeout=60) == 1


@pytest.mark.parametrize("unbuffered", ["", "1"])
@pytest.mark.parametrize(
    ("redirect", "why"), [("> /dev/full", b"No space left on device"), (">&-", b"standard output is closed")]
)
def test_an_output_that_cannot_be_written_is_an_error(tables, redirect, why, unbuffered):
    command = f"{sys.executable} -m fastdiv compare {tables[0]} {tables[1]} {redirect}"
    env = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    done = subprocess.run(["sh", "-c", command], capture_output=True, env=env, timeout=60)
    assert done.returncode == 2
    assert done.stderr == b"fastdiv: error: cannot write the report: " + why + b"\n"


def test_ctrl_c_is_quiet(tmp_path):
    pipe = tmp_path / "pipe.csv"
    os.mkfifo(pipe)
    command = [sys.executable, "-m", "fastdiv", "compare", str(pipe), str(pipe)]
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE}
    # opening the pipe waits until the command reads from it; a signal that comes between Python's last look
    # and a read that waits is not heard until there is another
    with subprocess.Popen(command, **options) as process, open(pipe, "wb"):
        for _ in range(30):
            process.send_signal(signal.SIGINT)
            with suppress(subprocess.TimeoutExpired):
                process.wait(timeout=2)
                break
        out, err = process.communicate(timeout=60)
    assert (process.returncode, out, err) == (130, b"", b"")


# -- hostile files -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "t.parquet", "t.feather", "t.npy", "t.npz"])
def test_damaged_files_get_one_line_or_a_report(run, tables, tmp_path, name):
    """Bytes flipped, cut and doubled at random: never a traceback, never an exit code but 0 and 2."""
    path = tmp_path / name
    frame = pd.read_csv(tables[0])[:50]
    if "csv" in name:
        frame.to_csv(path, index=False)
    elif name.endswith(("parquet", "feather")):
        (frame.to_parquet if name.endswith("parquet") else frame.to_feather)(path)
    else:
        arrays = {"moved": frame["moved"].to_numpy(), "word": frame["word"].to_numpy(str)}
        np.savez_compressed(path, **arrays) if name.endswith("z") else np.save(path, arrays["moved"])
    whole = path.read_bytes()
    rng = np.random.default_rng(5)
    for _ in range(40):
        data = bytearray(whole)
        for _ in range(rng.integers(1, 6)):
            at, length = int(rng.integers(len(data))), int(rng.integers(1, 30))
            data[at : at + length] = [rng.bytes(length), b"", data[at : at + length] * 2][rng.integers(3)]
        path.write_bytes(data)
        code, _, err = run(path, path)
        assert code in (0, 2)
        assert err.count("\n") == (code == 2), err


# -- the demo ------------------------------------------------------------------------------------------------


def test_the_demo(run):
    code, out, err = run(*FLIGHTS)
    assert (code, err) == (0, "")
    lines = out.splitlines()
    assert lines[0].endswith("80,090 rows")
    assert lines[1].endswith("86,995 rows")
    temp = lines[5].split()
    assert temp[:3] == ["temp", "numeric", "0.952"]
    assert lines[23].split()[0] == "origin"
    assert run(*FLIGHTS, "--fail-on", "js>0.5")[0] == 1
    assert sum(path.stat().st_size for path in map(Path, FLIGHTS)) < 2e6
