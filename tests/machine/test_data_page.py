"""The table of docs/data.md is what happens."""

import re
from pathlib import Path

import pytest
from inputs import GETS, REFUSED, M, dask

import fastdiv

PAGE = Path(__file__).parents[2] / "docs" / "data.md"
ALL = {**GETS, **{name: (make, M) for name, (make, _) in REFUSED.items()}, "Dask, array": (dask, M)}
CALLS = (
    lambda x: fastdiv.js_distance(x, M[0]),
    lambda x: fastdiv.cdist(x, M),
    lambda x: fastdiv.wasserstein_distance(x, M),
    lambda x: fastdiv.compare(x, {"a": [1.0], "b": [1.0], "c": [1.0]}),
)
LINES = {  # how the kinds of a line begin
    "NumPy arrays, lists": ("NumPy", "lists"),
    "pandas, with and without NA, of Arrow, of categories that are numbers": ("pandas",),
    "polars": ("polars",),
    "a lazy frame of polars": ("polars, LazyFrame",),
    "PyArrow: tables, batches, readers": ("Arrow",),
    "DuckDB's relations": ("DuckDB",),
    "anything with Arrow's PyCapsule interface": ("Arrow, PyCapsule",),
    "xarray, `DataArray`": ("xarray, DataArray",),
    "xarray, `Dataset`": ("xarray, Dataset",),
    "anything with DLPack on the CPU, the array API": ("DLPack, CPU", "array API"),
    "the same on a GPU": ("DLPack, GPU",),
    "Dask's arrays": ("Dask, array",),
    "Dask's data frames": ("Dask, data frame",),
}
TOLD = re.findall(r"^\| (?!passed in)([^|]+) \| (.*) \|$", PAGE.read_text(encoding="utf-8"), re.MULTILINE)


def kinds(line):
    """Those that begin so, but for what has a line of its own."""
    begins = LINES[line]
    others = [b for name, more in LINES.items() if name != line for b in more if b.startswith(begins)]
    return [k for k in ALL if k.startswith(begins) and not k.startswith(tuple(others) or ("-",))]


def cell(call, x):
    """What the page says of it."""
    try:
        call(x)
    except TypeError as error:
        way = re.search(r"(?:pass|or)(?: what its)? (?:\w+\.)?(\w+)\(\)", str(error))
        return "in a mapping" if "mapping of names" in str(error) else f"`.{way[1]}()`"
    return "yes"


def test_every_kind_has_a_line():
    assert [line for line, _ in TOLD] == list(LINES)
    found = [k for line in LINES for k in kinds(line)]
    assert sorted([*found, "xarray over Dask"]) == sorted(ALL)


@pytest.mark.parametrize(("line", "cells"), TOLD, ids=[line for line, _ in TOLD])
def test_line(line, cells):
    assert kinds(line)
    for name in kinds(line):
        make, m = ALL[name]
        calls = CALLS[:3] if "two columns" in name else CALLS  # a table's columns have names of their own
        assert [cell(call, make(m)) for call in calls] == cells.split(" | ")[: len(calls)], name
