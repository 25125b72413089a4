"""Tables whose rows lie one after another, within a budget: as they are when they are read whole."""

from __future__ import annotations

import gzip
import os
from dataclasses import replace

import numpy as np
import pyarrow as pa
import pyarrow.csv
import pyarrow.feather
import pytest
from command import peak

from fastdiv import Baseline
from fastdiv.drift import TableError, compare
from fastdiv.drift.memory import plan_of
from fastdiv.drift.tables import read_table

N = 60_000


def columns(seed, n=N):
    rng = np.random.default_rng(seed)
    day = np.datetime64("2026-03-01") + rng.integers(0, 60, n)
    return {
        "whole": rng.integers(0, 50, n),
        "cents": rng.normal(seed, 1, n).round(2),
        "hole": np.where(rng.random(n) < 0.3, np.nan, rng.integers(0, 9, n)),
        "day": day,
        "word": rng.choice(["abc", "x", "ä,b"], n),
        "flag": rng.random(n) < 0.3 + seed / 100,
        "none": np.full(n, np.nan),
    }


def csv(made, **texts):
    """Also columns that look otherwise at their ends than before."""
    n = len(made["whole"])
    words = {
        "zoned": [f"{day}T10:00:00+02:00" for day in made["day"]],
        "late": ["true"] * (n - 3) + ["perhaps"] * 3,
        "mixed": ["7"] * (n - 3) + ["x"] * 3,
        "nan, dates": ["nan"] * (n - 3) + ["2026-01-01"] * 3,
        "dates, nan": ["2026-01-01"] * (n - 3) + ["nan"] * 3,
        "nan, words": ["nan"] * (n - 3) + ["x"] * 3,
        "nan, numbers": ["nan"] * (n - 3) + ["1.5"] * 3,
        "clocks": ["2026-01-01"] * (n - 3) + ["2026-01-01T00:00:00Z"] * 3,
    }
    text = {
        name: ["" if x != x else f"{x}" for x in (x.astype(str) if name == "day" else x.tolist())]
        for name, x in made.items()
    }
    text |= {"word": [f'"{x}"' for x in made["word"]]} | words | texts
    rows = map(",".join, zip(*text.values(), strict=True))
    return "\n".join([",".join(f'"{name}"' for name in text), *rows]).encode()


def write(path, made):
    name = path.name
    if name.endswith(".csv"):
        path.write_bytes(csv(made))
    elif name.endswith(".gz"):
        path.write_bytes(gzip.compress(csv(made)))
    elif name.endswith(".feather"):
        frame = {k: x for k, x in made.items() if k != "day"}
        pyarrow.feather.write_feather(pa.table(frame), path, compression="zstd", chunksize=1000)
    elif name.startswith("fields"):
        fields = np.zeros(N, [(k, x.dtype) for k, x in made.items()])
        for k, x in made.items():
            fields[k] = x
        np.save(path, fields)
    else:
        numbers = np.column_stack([made["whole"], made["cents"], made["hole"]])
        np.save(
            path, {"rows": numbers, "columns": np.asfortranarray(numbers), "one": made["cents"]}[path.stem]
        )
    return str(path)


KINDS = ["t.csv", "t.csv.gz", "t.feather", "fields.npy", "rows.npy", "columns.npy", "one.npy"]


@pytest.fixture(params=KINDS)
def sides(request, tmp_path):
    for i, side in enumerate("ab"):
        (tmp_path / side).mkdir()
        write(tmp_path / side / request.param, columns(i))
    return [str(tmp_path / side / request.param) for side in "ab"]


def hold(found, whole):
    assert found.rows_baseline == whole.rows_baseline
    assert found.rows_current == whole.rows_current
    assert sorted(c.name for c in found.columns) == sorted(c.name for c in whole.columns)
    for a in found.columns:
        b = next(c for c in whole.columns if c.name == a.name)
        assert a.w1_bound == b.w1_bound == 0
        assert (a.kind, a.js, a.kl, a.psi) == (b.kind, b.js, b.kl, b.psi)
        counts = [[(x.baseline, x.current) for x in c.bins] for c in (a, b)]
        assert counts[0] == counts[1]
        if a.name in ("hole", "flag", "late", "dates, nan"):  # of few values, each of which is a bin
            assert [x.label for x in a.bins] == [x.label for x in b.bins]
        assert (a.missing_baseline, a.missing_current) == (b.missing_baseline, b.missing_current)
        assert (a.name, a.verdict) == (b.name, b.verdict)
        if b.w1 is not None:
            assert a.w1 == pytest.approx(b.w1, rel=1e-12, abs=1e-15)
            assert a.mean_baseline == pytest.approx(b.mean_baseline, rel=1e-14)
    skipped = [{c.name: (c.reason, c.missing_baseline) for c in r.skipped} for r in (found, whole)]
    assert skipped[0] == skipped[1]


def test_within_a_budget_as_without(sides):
    tables = [read_table(path) for path in sides]
    assert not plan_of("4MB", tables).whole
    assert plan_of("1GB", tables).whole
    hold(compare(*sides, memory="4MB"), compare(*sides, memory="1GB"))


def test_baselines_are_the_same(sides):
    exclude = {"mixed", "clocks"}  # of which the parts are of two kinds
    names = [name for name in read_table(sides[0]).names if name not in exclude]
    small, large = (Baseline.from_table(sides[0], columns=names, memory=m) for m in ("4MB", "1GB"))
    assert small == large


@pytest.mark.parametrize("name", ["t.csv", "rows.npy"])
def test_several_files(name, tmp_path):
    for i, side in enumerate("ab"):
        for day in range(3):
            (tmp_path / side / f"day={day}").mkdir(parents=True)
            write(tmp_path / side / f"day={day}" / name, columns(10 * i + day))
    base, cur = ([str(tmp_path / side)] for side in "ab")
    found, whole = (compare(base, cur, memory=memory) for memory in ("4MB", "1GB"))
    assert found.rows_baseline == 3 * N
    hold(found, whole)
    assert name == "t.csv" or "day" in [c.name for c in found.columns]


def test_a_file_of_another_type_is_named(tmp_path):
    for i in range(2):
        (tmp_path / f"{i}.csv").write_bytes(csv(columns(0), whole=["abc"] * N if i else ["1"] * N))
    with pytest.raises(TableError, match=r"1\.csv: column 'whole' is categorical, but numeric in .*0\.csv"):
        compare([str(tmp_path / "0.csv"), str(tmp_path / "1.csv")], str(tmp_path / "0.csv"), memory="4MB")


def test_text_stays_one_by_one_what_it_is_as_a_whole(tmp_path):
    """Booleans that turn out to be words are counted as they are spelled."""
    n = 30_000
    text = "w\n" + "True\n" * n + "TRUE\n" * n + "no\n"
    (tmp_path / "a.csv").write_text(text)
    path = str(tmp_path / "a.csv")
    (column,) = compare(path, path, memory="4MB").columns
    assert (column.kind, {b.label: b.baseline for b in column.bins}) == (
        "categorical",
        {"True": n, "TRUE": n, "no": 1},
    )


@pytest.mark.parametrize("name", ["t.csv", "t.csv.gz", "rows.npy", "columns.npy", "t.feather"])
def test_a_file_that_is_cut_off_after_it_was_opened(name, tmp_path):
    path = write(tmp_path / name, columns(0))
    table = read_table(path)
    os.truncate(path, os.path.getsize(path) // 2)
    with pytest.raises((TableError, ValueError)) as error:
        compare(table, replace(table, label="again"), memory="4MB")
    assert path in str(error.value)


@pytest.mark.unsanitized("takes half a gigabyte for itself")
@pytest.mark.parametrize("ending", ["npy", "csv"])
def test_the_peak_is_within_the_budget(ending, tmp_path):
    rng = np.random.default_rng(3)
    n = 1_500_000 if ending == "npy" else 400_000
    names = []
    for name in "ab":
        for rows, path in ((n, f"{name}.{ending}"), (1000, f"few-{name}.{ending}")):
            x = rng.normal(size=(rows, 8)).astype("f4" if ending == "npy" else "f8")
            names.append(str(tmp_path / path))
            if ending == "npy":
                np.save(names[-1], x)
            else:
                pa.csv.write_csv(pa.table({f"c{i}": x[:, i].round(6) for i in range(8)}), names[-1])
    peaks = []
    for memory in ("60MB", "1GB"):
        peaks.append(peak(names[::2], memory, names[1::2]))
    assert peaks[0] < 60e6 < 80e6 < peaks[1]
