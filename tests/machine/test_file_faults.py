"""Disks that are full, memory that is short, files that are cut off while they are read."""

import os
import resource
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

from fastdiv import cli
from fastdiv.drift.tables import TableError, read_table

COMMANDS = {
    "html": "compare a.csv b.csv -o out.html",
    "md": "compare a.csv b.csv -o out.md",
    "json": "compare a.csv b.csv -o out.json",
    "csv": "compare a.csv b.csv -o out.csv",
    "txt": "compare a.csv b.csv -o out.txt",
    "profile": "profile a.csv -o out.fdp",
    "pairwise": "pairwise A.npy -o out.npy",
    "nearest": "nearest A.npy -k 9 -o out.npz",
}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """Of inputs whose results are some 10 KB."""
    rng = np.random.default_rng(0)
    monkeypatch.chdir(tmp_path)
    fill(tmp_path, rng)
    return tmp_path


def fill(folder, rng):
    np.save(folder / "A.npy", rng.dirichlet(np.ones(8), 300))
    for name in "ab":
        columns = rng.normal(size=(400, 30)).round(3)
        head = ",".join(f"column{i}" for i in range(30))
        np.savetxt(folder / f"{name}.csv", columns, delimiter=",", header=head, comments="", fmt="%.3f")


def check(done, folder, result, before):
    """Code 2 and one line; what was there is there, and nothing beside it."""
    assert done.returncode == 2, done.stderr
    assert done.stderr.startswith("fastdiv: error: ")
    assert done.stderr.count("\n") == 1
    assert (folder / result).read_text() == "the old one"
    assert sorted(os.listdir(folder)) == before


def shell(words, folder, **options):
    command = [sys.executable, "-m", "fastdiv", *words.split()]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=100, **options)


@pytest.mark.parametrize("name", COMMANDS)
def test_files_of_limited_size(name, folder):
    result = COMMANDS[name].split("-o ")[1]
    (folder / result).write_text("the old one")
    before = sorted(os.listdir(folder))

    def limit():
        resource.setrlimit(resource.RLIMIT_FSIZE, (1000, 1000))

    check(shell(COMMANDS[name], folder, preexec_fn=limit), folder, result, before)


def fill_up(path):
    with open(path, "wb", 0) as file:
        while True:
            file.write(b"x" * 4096)


@pytest.mark.parametrize("name", COMMANDS)
def test_full_disks(name, tmp_path):
    """Of a mapped file the room is taken first: to run out of it later would end the process by SIGBUS."""
    small = tmp_path / "small"
    small.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=400k", "none", small], capture_output=True)
    if mounted.returncode:
        pytest.skip("needs the right to mount")
    try:
        fill(small, np.random.default_rng(0))
        result = COMMANDS[name].split("-o ")[1]
        (small / result).write_text("the old one")
        with pytest.raises(OSError, match="No space"):
            fill_up(small / "ballast")
        before = sorted(os.listdir(small))
        check(shell(COMMANDS[name], small), small, result, before)
    finally:
        subprocess.run(["umount", small], check=True)


# --- files that change while they are read -----------------------------------------------------------------


@pytest.mark.parametrize("ending", ["parquet", "arrow", "feather", "csv", "csv.gz"])
@pytest.mark.parametrize("share", [0.0, 0.3, 0.9])
def test_a_table_that_is_cut_off_after_it_was_opened(ending, share, tmp_path):
    """A mapped file would end the process by SIGBUS."""
    pa = pytest.importorskip("pyarrow")
    import gzip

    import pyarrow.feather
    import pyarrow.parquet

    path = tmp_path / f"t.{ending}"
    x = np.random.default_rng(0).normal(size=300_000)
    table = pa.table({"x": x, "y": x[::-1].copy()})
    if ending == "parquet":
        pyarrow.parquet.write_table(table, path)
    elif ending == "arrow":
        with pa.OSFile(str(path), "wb") as file, pa.ipc.new_file(file, table.schema) as writer:
            writer.write_table(table)
    elif ending == "feather":
        pyarrow.feather.write_feather(table, str(path))
    else:
        text = b"x,y\n" + b"".join(b"%.5f,%.5f\n" % (a, -a) for a in x[:60_000])
        path.write_bytes(gzip.compress(text) if ending.endswith("gz") else text)
    code = f"""
        import os, sys
        from fastdiv.drift.tables import TableError, read_table
        table = read_table({str(path)!r})
        os.truncate({str(path)!r}, int({share} * os.path.getsize({str(path)!r})))
        try:
            found = [column.rows for column in table.read(["x", "y"])]
            print("read", found)
        except (TableError, OSError, ValueError) as error:
            print("told", error)
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True)
    assert done.returncode == 0, (done.returncode, done.stderr)
    in_memory = ending in ("csv", "feather")  # a small one, or what was packed, is read as it is opened
    assert done.stdout.startswith("told") or in_memory, done.stdout


@pytest.mark.parametrize("command", ["pairwise A.npy -o out.npy", "nearest A.npy -k 2 -o out.npz"])
def test_rows_that_change_meanwhile(command, folder, monkeypatch, capsys):
    """Beyond its end the last page of a cut file reads as zeros: no result is made of them."""
    import fastdiv.cli.files as files

    shown = files._Part.progress

    def cut(part, rows):
        os.truncate("A.npy", os.path.getsize("A.npy") - 8)
        shown(part, rows)

    monkeypatch.setattr(files._Part, "progress", cut)
    before = sorted(os.listdir())
    assert cli.main(command.split()) == 2
    assert capsys.readouterr().err.endswith("A.npy changed while it was read\n")
    assert sorted(os.listdir()) == before


# --- memory ------------------------------------------------------------------------------------------------

SHORT = """
    import resource
    import numpy as np
    import fastdiv
    rng = np.random.default_rng(0)
    p, q = rng.random((2, 1000, 400))
    u, v = rng.normal(size=(2, 4_000_000))
    fastdiv.grad.js_divergence(p[:9], q[:9]), fastdiv.transport_plan(u[:9], v[:9])  # imports want memory too
    fastdiv.wasserstein_barycenter([u[:9], v[:9]]), fastdiv.compare({"x": u[:99]}, {"x": v[:99]})
    fastdiv.js_divergence(p, q), fastdiv.cdist(p, q), fastdiv.wasserstein_distance(u[:99_999], v[:99_999])
    small = [fastdiv.js_divergence(p, q), fastdiv.wasserstein_distance(u[:9999], v[:9999])]
    calls = [
        lambda: fastdiv.wasserstein_distance(u, v),
        lambda: fastdiv.wasserstein_distance(u, v, p=2),
        lambda: fastdiv.wasserstein_distance(u, v, abs(u), abs(v)),
        lambda: fastdiv.energy_distance(u, v),
        lambda: fastdiv.transport_plan(u, v),
        lambda: fastdiv.wasserstein_circle(u, v, period=1.0),
        lambda: fastdiv.wasserstein_barycenter([u, v]),
        lambda: fastdiv.grad.wasserstein_distance(u, v),
        lambda: fastdiv.grad.js_divergence(np.broadcast_to(p, (40, 1000, 400)), q),
        lambda: fastdiv.js_divergence(np.broadcast_to(p, (40, 1000, 400)), q, nan_policy="omit"),
        lambda: fastdiv.cdist(np.broadcast_to(p[0], (9000, 400)), np.broadcast_to(q[0], (9000, 400))),
        lambda: fastdiv.compare({"x": u}, {"x": v}),
    ]
    before = resource.getrlimit(resource.RLIMIT_AS)
    pages = int(open("/proc/self/statm").read().split()[0])
    told = 0
    for room in (1, 8, 33, 70):
        for call in calls:
            resource.setrlimit(resource.RLIMIT_AS, (pages * resource.getpagesize() + (room << 20), before[1]))
            try:
                call()
            except MemoryError:
                told += 1
            finally:
                resource.setrlimit(resource.RLIMIT_AS, before)
            assert np.array_equal(fastdiv.js_divergence(p, q), small[0])
            assert fastdiv.wasserstein_distance(u[:9999], v[:9999]) == small[1]
    print("told", told)
"""


@pytest.mark.unsanitized("takes terabytes of addresses")
def test_short_memory(tmp_path):
    """MemoryError or the result; the next call is right."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(SHORT)], capture_output=True, text=True, timeout=200
    )
    assert done.returncode == 0, done.stderr
    assert int(done.stdout.split()[1]) > 12


def test_what_was_read_is_told_by_name(tmp_path):
    path = Path(tmp_path / "t.parquet")
    path.write_bytes(b"PAR1")
    with pytest.raises(TableError, match=r"t\.parquet"):
        read_table(path)
