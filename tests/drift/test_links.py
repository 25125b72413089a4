"""Folders with links: what they lead to is read, each file once; what cannot be listed is told."""

from __future__ import annotations

import os

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from fastdiv.drift import TableError
from fastdiv.drift.tables import read_table


def write(path, value, rows=1):
    path.parent.mkdir(parents=True, exist_ok=True)
    pq.write_table(pa.table({"x": np.full(rows, float(value))}), path)


def values(path, name="x"):
    found = []
    for column in read_table(path).read([name]):
        found += column.numbers.tolist()
    return sorted(found)


def test_folders_that_are_links_belong_to_the_table(tmp_path):
    write(tmp_path / "t" / "k=0" / "a.parquet", 0)
    write(tmp_path / "disk" / "k" / "a.parquet", 1)
    write(tmp_path / "t" / ".versions" / "2" / "a.parquet", 2)
    os.symlink(tmp_path / "disk" / "k", tmp_path / "t" / "k=1")
    os.symlink(".versions/2", tmp_path / "t" / "k=2")
    for spelled in ("t", "t/*", "t/**/*.parquet", "t/*/*"):
        assert values(str(tmp_path / spelled)) == [0, 1, 2]
        assert values(str(tmp_path / spelled), "k") == [0, 1, 2]


def test_other_names_of_the_same_rows_do_not_count_twice(tmp_path):
    for day in (1, 2):
        write(tmp_path / "t" / f"day={day}" / "a.parquet", day)
    for folder, link in (("day=2", "a_latest"), ("day=2", "latest"), (".", "self")):
        os.symlink(folder, tmp_path / "t" / link)
    os.symlink("a.parquet", tmp_path / "t" / "day=1" / "1.parquet")
    for spelled in ("t", "t/d*", "t/day=*/*.parquet"):
        assert values(str(tmp_path / spelled)) == [1, 2]
        assert values(str(tmp_path / spelled), "day") == [1, 2]
    other = [str(tmp_path / "t" / "day=1" / name) for name in ("a.parquet", "1.parquet")]
    assert values(other) == [1, 1]  # named one by one: what is meant


def test_links_that_lead_in_circles_end(tmp_path):
    for a, b in ("ab", "ba"):
        write(tmp_path / a / "t.parquet", 1)
        os.symlink(f"../{b}", tmp_path / a / "other")
    assert values(tmp_path) == [1, 1]
    assert values(tmp_path / "a") == [1, 1]


@pytest.mark.parametrize("name", ["k=1", "k=1.5", "part", "b.parquet"])
def test_links_to_what_is_not_there_are_told(tmp_path, name):
    write(tmp_path / "a.parquet", 1)
    os.symlink(tmp_path / "no disk", tmp_path / name)
    with pytest.raises(TableError, match=name):
        read_table(tmp_path)


def test_a_folder_that_cannot_be_listed_is_told(tmp_path, monkeypatch):
    write(tmp_path / "k=0" / "a.parquet", 0)
    write(tmp_path / "k=1" / "a.parquet", 1)
    scandir = os.scandir

    def shut(path):
        if str(path).endswith(shut_one):
            raise PermissionError(13, "Permission denied", str(path))
        return scandir(path)

    shut_one = "lost+found"
    monkeypatch.setattr(os, "scandir", shut)
    (tmp_path / "lost+found").mkdir()
    assert values(tmp_path) == [0, 1]
    shut_one = "k=1"
    with pytest.raises(TableError, match="k=1: Permission denied"):
        read_table(tmp_path)


@pytest.mark.parametrize(
    "spelled", ["t/*", "t/*/*.parquet", "t/*/a.parquet", "t/**/*.parquet", "*/k=?/*", "t/**"]
)
@pytest.mark.parametrize("shut", ["t/k=1", "t/k=0/"])
def test_a_glob_passes_no_folder_over_that_cannot_be_listed(tmp_path, monkeypatch, spelled, shut):
    for i in (0, 1):
        write(tmp_path / "t" / f"k={i}" / "a.parquet", i)
    (tmp_path / "t" / "lost+found").mkdir()
    monkeypatch.chdir(tmp_path)
    assert values(spelled) == [0, 1]
    folder = str(tmp_path / shut).rstrip("/")

    def closed(call):
        def without(path=".", *args, **options):
            real = os.path.abspath(path) + os.sep
            if real.startswith((folder + os.sep, str(tmp_path / "t" / "lost+found") + os.sep)) and (
                call is scandir or real.rstrip(os.sep) != folder
            ):
                raise PermissionError(13, "Permission denied", str(path))
            return call(path, *args, **options)

        return without

    scandir, lstat = os.scandir, os.lstat
    monkeypatch.setattr(os, "scandir", closed(scandir))
    monkeypatch.setattr(os, "lstat", closed(lstat))
    for path in (spelled, str(tmp_path / spelled)):
        with pytest.raises(TableError, match=r"t/k=\d(/a.parquet)?/?: Permission denied$"):
            values(path)
