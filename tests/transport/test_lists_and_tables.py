"""Integers beyond 2^53 in lists and tables: what becomes float64 on the way in is told, never compared."""

import sys

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest

import fastdiv
from fastdiv._checks.arrays import as_exact_numbers

T = 1_700_000_000_000_000_000
NAN = float("nan")
ROUNDED = [
    [T + 1, NAN],
    [T + 1, 0.5],
    [-1, 2**63 + 5],
    pd.array([T + 1, None], dtype="Int64"),
    pd.Series([T + 1, None], dtype="Int64"),
    pd.Series([T + 1, None], dtype="int64[pyarrow]"),
    pl.Series([T + 1, None]),
    pa.array([T + 1, None]),
    pa.chunked_array([[T + 1], [None]]),
]


@pytest.mark.parametrize("values", ROUNDED, ids=range(len(ROUNDED)))
def test_what_would_be_rounded(values):
    place = 1 if isinstance(values, list) and values[0] == -1 else 0
    number = list(values)[place]
    for name in ("wasserstein", "energy", "cramer", "ks"):
        with pytest.raises(ValueError, match=rf"u_values\[{place}\] = {number} would be rounded"):
            getattr(fastdiv, f"{name}_distance")(values, [T], nan_policy="omit")
    with pytest.raises(ValueError, match=rf"v_values\[{place}\] = {number} would be rounded"):
        fastdiv.wasserstein_circle([T], values, period=360)
    # masses are rounded to float64, as ever
    if place == 0:
        assert not fastdiv.entropy(values) < 0


@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "u8", "?"])
def test_an_array_is_taken_as_it_is(dtype):
    """It has its dtype already, and is not copied."""
    for values in ([1, 0], [2.0**53, 1], []):
        x = np.array(values).astype(dtype)
        assert as_exact_numbers(x, "x") is x


TABLES = [
    [[T + 1, 1], [NAN, 1]],
    pd.DataFrame({"a": [T + 1, T], "b": [0.5, 1.5]}),
    pl.DataFrame({"a": [T + 1, T], "b": [0.5, 1.5]}),
    pl.DataFrame({"a": [T + 1, None], "b": [1, 1]}),
    pa.table({"a": [T + 1, None], "b": [1, 1]}),
]


@pytest.mark.parametrize("table", TABLES, ids=range(len(TABLES)))
def test_tables(table):
    with pytest.raises(ValueError, match=rf"XA\[0, 0\] = {T + 1} would be rounded"):
        fastdiv.cdist(table, table, "wasserstein", samples=True)
    with pytest.raises(ValueError, match=rf"XB\[0, 0\] = {T + 1} would be rounded"):
        fastdiv.knn([[T, T]], table, 1, "wasserstein", samples=True)
    with pytest.raises(ValueError, match=rf"X\[0, 0\] = {T + 1} would be rounded"):
        fastdiv.sliced_wasserstein(table, table)
    assert fastdiv.cdist(table, table).shape == (2, 2)


def test_integers_that_only_uint64_holds_together():
    """NumPy makes float64 of this list."""
    values = [T + 1, 2**63 + 3]
    assert fastdiv.wasserstein_distance(values, [T, 2**63 + 4]) == 1
    assert fastdiv.cdist([values], [[T, 2**63 + 4]], "wasserstein", samples=True)[0, 0] == 1
    assert fastdiv.wasserstein_hist([1, 0], [0, 1], support=values) == float(2**63 + 2 - T)
    assert fastdiv.wasserstein_circle(values, [T, 2**63 + 4], period=1000) == 1


def test_tables_with_missing_entries():
    table = pd.DataFrame({"a": pd.array([T + 1, None], dtype="Int64"), "b": [1, 1]})
    rows = table.to_numpy(float, na_value=np.nan)
    np.testing.assert_array_equal(fastdiv.cdist(table, table), fastdiv.cdist(rows, rows))
    with pytest.raises(ValueError, match=rf"XA\[0, 0\] = {T + 1} would be rounded"):
        fastdiv.cdist(table, table, "wasserstein", samples=True)


def test_advice_where_arrow_is_not_installed(monkeypatch):
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    table = pd.DataFrame({"a": pd.array([1, None], dtype="Int64"), "b": [1, 1]})
    with pytest.raises(TypeError, match=r"for example XA.to_numpy\(float, na_value=np.nan\)"):
        fastdiv.cdist(table, table)
    rows = table.to_numpy(float, na_value=np.nan)
    assert fastdiv.cdist(rows, rows).shape == (2, 2)


def test_places():
    with pytest.raises(ValueError, match=r"support\[1\] = \d+ would be rounded"):
        fastdiv.wasserstein_hist([1, 0], [0, 1], support=[0.5, T + 1])
    with pytest.raises(ValueError, match=r"bin_edges\[2\] = \d+ would be rounded"):
        fastdiv.wasserstein_hist([1, 0], [0, 1], bin_edges=[0.5, 1, T + 1])
    with pytest.raises(ValueError, match=r"support\[1\] = \d+ would be rounded"):
        fastdiv.cdist([[1, 0]], [[0, 1]], "wasserstein", support=[0.5, T + 1])


def test_what_float64_holds_stays_welcome():
    for values in (
        [T, NAN],
        [2**60, 0.5],
        pd.array([T, None], dtype="Int64"),
        [1e300, 0.5],
        [10.0**30, -1.0],
    ):
        assert fastdiv.wasserstein_distance(values, values, nan_policy="omit") == 0
    for values in (
        [T + 1, 3],
        pd.array([T + 1, 3], dtype="Int64"),
        pl.Series([T + 1, 3]),
        pa.array([T + 1, 3]),
    ):
        assert fastdiv.wasserstein_distance(values, [T, 3]) == 0.5
    rounded = np.asarray([T + 1, 0.5], float)  # as the error tells
    assert fastdiv.wasserstein_distance(rounded, [T, 0.5]) == 0


@pytest.mark.parametrize(("dtype", "top"), [("int64", 3), ("uint64", 2**63 + 3)])
def test_objects_that_are_integers_are_told_as_such(dtype, top):
    values = np.array([T + 1, top], object)
    with pytest.raises(TypeError, match=rf"for example np.asarray\(u_values, '{dtype}'\)"):
        fastdiv.wasserstein_distance(values, [T, top])
    assert fastdiv.wasserstein_distance(np.asarray(values, dtype), [T, top]) == 0.5


def test_what_is_computed_later():
    with pytest.raises(TypeError, match=r"XA is a LazyFrame, which is computed later: pass XA.collect\(\)"):
        fastdiv.cdist(pl.LazyFrame({"a": [1.0]}), [[1.0]])
