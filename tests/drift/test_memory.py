"""Columns within a budget: exact where the distinct values fit, within the bound that is said where not."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
import threading
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from command import peak, refused

import fastdiv
from fastdiv import Baseline, cli
from fastdiv.drift import TableError, compare
from fastdiv.drift.memory import plan_of, size_of
from fastdiv.drift.tables import read_table
from fastdiv.drift.together import side_by_side

N = 300_000


def table(rng, n, shift):
    return pa.table(
        {
            "counts": rng.poisson(5 + 10 * shift, n),
            "cents": np.round(rng.gamma(3, 1 + shift, n), 2),
            "hole": pa.array(
                np.where(rng.random(n) < 0.2, np.nan, rng.integers(0, 300, n)), from_pandas=True
            ),
            "hour": pa.array(rng.integers(0, 900, n) * 3_600_000_000, pa.timestamp("us")),
            "small": rng.integers(-100, 100, n).astype(np.int8),
            "word": pa.array(rng.choice([f"w{i}" for i in range(500)], n)),
            "true": rng.random(n) < 0.3 + shift,
            "wide": rng.normal(shift, 1, n),
            "far": 1e15 + rng.integers(0, 10**9, n),
        }
    )


@pytest.fixture(scope="module")
def files(tmp_path_factory):
    rng, folder = np.random.default_rng(77), tmp_path_factory.mktemp("large")
    for name, shift in (("a", 0.0), ("b", 0.01)):
        pq.write_table(table(rng, N, shift), folder / f"{name}.parquet", row_group_size=40_000)
    return [str(folder / "a.parquet"), str(folder / "b.parquet")]


EXACT = ["counts", "cents", "hole", "hour", "small", "word", "true"]


@pytest.fixture(scope="module")
def whole(files):
    return {column.name: column for column in compare(*files, memory="1GB").columns}


def test_a_column_whose_distinct_values_fit_is_exact(files, whole):
    report = compare(*files, memory="20MB")
    assert report.rows_baseline == N
    found = {column.name: column for column in report.columns}
    assert found.keys() == whole.keys()
    for name in EXACT:
        assert found[name] == whole[name]
    for name in ("wide", "far"):
        a, b = found[name], whole[name]
        assert b.w1_bound == 0 < a.w1_over_sd_bound < 0.02
        assert abs(a.w1 - b.w1) <= a.w1_bound
        assert sum(x.baseline for x in a.bins) == sum(x.current for x in a.bins) == N


def test_threads_change_nothing(files):
    reports = []
    for n in (1, 3):
        fastdiv.set_num_threads(n)
        try:
            reports.append(compare(*files, memory="10MB"))
        finally:
            fastdiv.set_num_threads(None)
    assert reports[0] == reports[1]


def test_a_row_group_larger_than_the_budget_is_read_in_pieces(files, tmp_path):
    one = tmp_path / "one.parquet"
    pq.write_table(pq.read_table(files[0]), one, row_group_size=N)
    pieces = [piece.rows for piece in read_table(one).pieces("wide", 16_384)]
    assert (max(pieces), sum(pieces)) == (16_384, N)
    a, b = (compare(path, files[1], memory="20MB") for path in (one, files[0]))
    assert replace(a, baseline="") == replace(b, baseline="")


@pytest.mark.unsanitized("takes half a gigabyte for itself")
def test_the_peak_is_within_the_budget(tmp_path):
    rng = np.random.default_rng(3)
    names = []
    for name in "ab":
        names.append(str(tmp_path / f"{name}.parquet"))
        columns = {f"c{i}": rng.normal(size=4 * N) for i in range(3)}
        pq.write_table(pa.table(columns), names[-1], row_group_size=100_000)
        pq.write_table(pa.table(columns).slice(0, 1000), f"{names[-1]}-few.parquet")
    peaks = []
    for memory in ("50MB", "1GB"):
        peaks.append(peak(names, memory, [f"{name}-few.parquet" for name in names]))
    assert peaks[0] < 50e6 < 60e6 < peaks[1]


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_60_million_rows_in_2_gb(tmp_path):
    rng, sides = np.random.default_rng(60), []
    ranges = {"count": 40, "second": 2_592_000, "cent": 60_000, "small": 200}
    for name, rows, shift in (("a", 60_000_000, 0), ("b", 6_000_000, 1)):
        tally = {column: np.zeros(size, np.int64) for column, size in ranges.items()}
        writer = None
        for first in range(0, rows, 1_000_000):
            n = min(1_000_000, rows - first)
            drawn = {
                "count": np.minimum(rng.poisson(7 + 0.1 * shift, n), 39),
                "second": rng.integers(3600 * shift, ranges["second"], n),
                "cent": np.minimum((rng.standard_exponential(n) * 5000).astype(int) + shift, 59_999),
                "small": rng.integers(0, 200 - shift, n),
            }
            for column in drawn:
                tally[column] += np.bincount(drawn[column], minlength=ranges[column])
            part = {
                "count": drawn["count"].astype(np.int32),
                "second": pa.array(1_700_000_000 + drawn["second"]).cast(pa.timestamp("s")),
                "cent": drawn["cent"] / 100,
                "small": drawn["small"].astype(np.uint8),
                "id": np.arange(first, first + n),
                "flag": rng.random(n) < 0.3,
                "word": pa.DictionaryArray.from_arrays(
                    drawn["small"].astype(np.int32), [f"w{i}" for i in range(200)]
                ),
                "hole": pa.array(np.where(drawn["count"] < 5, np.nan, drawn["cent"]), from_pandas=True),
                "normal": rng.standard_normal(n),
                "uniform": rng.random(n),
                "exponential": rng.standard_exponential(n),
                "single": rng.standard_normal(n, dtype=np.float32),
            }
            writer = writer or pq.ParquetWriter(tmp_path / f"{name}.parquet", pa.table(part).schema)
            writer.write_table(pa.table(part))
        writer.close()
        sides.append(tally)
    words = [sys.executable, "-c", LARGE, *(str(tmp_path / f"{name}.parquet") for name in "ab")]
    peak, found = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    assert peak < 2e9
    for column, size in ranges.items():
        values = np.arange(size) / (100 if column == "cent" else 1)
        exact = fastdiv.wasserstein_distance(values, values, sides[0][column], sides[1][column])
        w1, bound, counted = found[column]
        assert (bound, counted) == (0, 60_000_000)
        assert w1 == pytest.approx(exact, rel=1e-11)
    for column in ("normal", "uniform", "exponential", "single"):
        w1, bound, counted = found[column]
        assert bound < 0.01 * w1
        assert counted == 60_000_000


LARGE = r"""
import json, re, sys
from fastdiv.drift import compare
report = compare(*sys.argv[1:3], memory="2GB")
peak = 1024 * int(re.search(r"VmHWM:\s*(\d+)", open("/proc/self/status").read())[1])
found = {c.name: (c.w1, c.w1_bound, sum(b.baseline for b in c.bins)) for c in report.columns}
print(json.dumps([peak, found]))
"""


# -- the budget ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("500MB", 5e8),
        ("2GB", 2e9),
        ("1.5 gib", 1.5 * 2**30),
        ("1000000", 1e6),
        (2**21, 2**21),
        ("0.5T", 5e11),
    ],
)
def test_sizes(text, size):
    assert size_of(text) == size


def test_a_quarter_of_what_is_there_by_default():
    assert 1 << 20 <= size_of(None) <= os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 4


@pytest.mark.parametrize("text", ["", "much", "-1GB", "0", "10", "5 parsecs", "1e9", "nan", "9" * 30 + "TB"])
def test_sizes_that_are_none(text, files, capsys):
    with pytest.raises(ValueError, match="memory must be 1MB or more, such as 500MB or 2GB, not"):
        compare(*files, memory=text)
    for command in (["compare", *files], ["profile", files[0], "-o", "x.fdp"]):
        with pytest.raises(SystemExit):
            cli.main([*command, f"--memory={text}"])
        out, err = capsys.readouterr()
        assert refused((2, out, err), "argument --memory: memory must be 1MB or more")


def test_a_limit_of_another_type_is_refused(files):
    with pytest.raises(TypeError, match="memory must be a number of bytes or a text"):
        compare(*files, memory=2.5e9)


def test_columns_at_a_time_are_as_many_as_fit(files):
    tables = list(map(read_table, files))
    assert [plan_of(size, tables).at_once for size in ("24MB", "48MB", "1GB")] == [1, 2, 41]
    assert not plan_of("23MB", tables).whole


# -- work that goes on ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("memory", ["1GB", "20MB"])
def test_progress_rises_to_the_end(files, memory):
    told = []
    compare(*files, memory=memory, progress=told.append)
    assert told == sorted(told)
    assert 0 < told[0] < 0.2
    assert told[-1] == pytest.approx(1)
    told = []
    Baseline.from_table(files[0], memory=memory, progress=told.append)
    assert told == sorted(told)
    assert told[-1] == pytest.approx(1)


def test_an_error_in_one_piece_ends_the_others(tmp_path, files):
    bad = pq.read_table(files[0])
    for i in range(2):
        pq.write_table(bad, tmp_path / f"{i}.parquet", row_group_size=20_000)
    data = bytearray((tmp_path / "1.parquet").read_bytes())
    data[5000:9000] = bytes(4000)
    (tmp_path / "1.parquet").write_bytes(data)
    with pytest.raises(TableError, match=r"1\.parquet: column '.*' cannot be read"):
        compare(tmp_path, files[1], memory="20MB")
    assert not [thread for thread in threading.enumerate() if thread.name.startswith("fastdiv")]


def test_ctrl_c_does_not_wait_for_whole_columns():
    from fastdiv.drift.columns import Unread
    from fastdiv.drift.together import go_on

    pieces, began = [], threading.Event()

    def read():
        for i in range(1000):
            began.set()
            go_on()
            pieces.append(i)
            time.sleep(0.01)

    def groups():
        for _ in range(3):
            yield (Unread("x", 10**6, read),)
        assert began.wait(30)
        raise KeyboardInterrupt

    fastdiv.set_num_threads(2)
    try:
        if fastdiv.num_threads() < 2:
            pytest.skip("a serial build")
        with pytest.raises(KeyboardInterrupt):
            list(side_by_side(lambda column: column, groups()))
    finally:
        fastdiv.set_num_threads(None)
    assert len(pieces) < 900


# -- as the page has it --------------------------------------------------------------------------------------


def test_the_commands_of_the_page_run(files, tmp_path, monkeypatch, capsys):
    page = (Path(__file__).parents[2] / "docs" / "howto.md").read_text()
    section = page.split("## Compare tables larger than memory")[1].split("\n## ")[0]
    commands = re.findall(r"^\$ fastdiv (.*)$", section, re.MULTILINE)
    assert len(commands) == 3
    monkeypatch.chdir(tmp_path)
    few = pq.read_table(files[0], columns=["counts", "word"]).slice(0, 3000)
    for day in (1, 2):
        Path(f"days/day=2026-02-0{day}").mkdir(parents=True)
        pq.write_table(few.slice(1000 * day, 1000), f"days/day=2026-02-0{day}/part.parquet")
    day = pa.array(["2026-01-31"] * 1000).cast(pa.timestamp("us"))
    pq.write_table(few.slice(0, 1000).append_column("day", day), "january.parquet")
    for command in commands:
        assert cli.main(shlex.split(command)) in (0, 1)
    assert capsys.readouterr().err == ""
    assert Baseline.load("all.fdp").rows == 3000
