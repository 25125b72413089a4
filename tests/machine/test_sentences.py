"""Errors of rare mistakes, whole: the class and the sentence."""

import numpy as np
import pyarrow as pa
import pytest
from scipy.sparse import csr_array

import fastdiv
from fastdiv import Baseline, compare
from fastdiv.compat import scipy as stand_in
from fastdiv.drift import TableError
from fastdiv.drift.rules import parse_rule

da = pytest.importorskip("dask.array")

ROW, ROWS = [0.5, 0.5], np.array([[0.5, 0.5], [0.2, 0.8]])
TABLE = {"x": np.arange(40.0)}
TEXTS = ["a", "b"] * 20
LATER = da.from_array(ROWS, chunks=(1, 2))


class Strange:
    """Has an Arrow stream of a type that is no column."""

    def __arrow_c_array__(self, requested_schema=None):
        raise NotImplementedError("no such layout")


SENTENCES = {
    "Arrow": (
        lambda: fastdiv.entropy(Strange()),
        TypeError,
        "p is a Strange that Arrow cannot read: no such layout",
    ),
    "support and edges": (
        lambda: fastdiv.wasserstein_hist(ROW, ROW, support=[0, 1], bin_edges=[0, 1, 2]),
        ValueError,
        "give support (mass at points) or bin_edges (mass spread within bins), not both",
    ),
    "too few edges": (
        lambda: fastdiv.wasserstein_hist(ROW, ROW, bin_edges=[0, 1]),
        ValueError,
        "bin_edges has 2 edges, but u has 2 bins and needs one more",
    ),
    "an edge at infinity": (
        lambda: fastdiv.wasserstein_hist(ROW, ROW, bin_edges=[0, 1, np.inf]),
        ValueError,
        "bin_edges[2] is not finite",
    ),
    "out of what is computed later": (
        lambda: fastdiv.entropy(LATER, out=np.empty(2)),
        TypeError,
        "arrays that are computed later take neither out nor nan_policy='raise'",
    ),
    "raise of what is computed later": (
        lambda: fastdiv.entropy(LATER, nan_policy="raise"),
        TypeError,
        "arrays that are computed later take neither out nor nan_policy='raise'",
    ),
    "rows without bins": (
        lambda: fastdiv.cdist(np.empty((3, 0)), np.empty((3, 0))),
        ValueError,
        "XA has no bins: its shape is (3, 0)",
    ),
    "sparse rows without bins": (
        lambda: fastdiv.cdist(csr_array((3, 0)), csr_array((3, 0))),
        ValueError,
        "XA has no bins: its shape is (3, 0)",
    ),
    "an order of none": (
        lambda: fastdiv.cdist(ROWS, ROWS, "renyi_divergence"),
        TypeError,
        "metric 'renyi_divergence' needs alpha=, the order",
    ),
    "an order of masses": (
        lambda: fastdiv.cdist(ROWS, ROWS, "wasserstein", p=2),
        ValueError,
        "p other than 1 needs samples=True; use wasserstein_hist for two histograms",
    ),
    "the weights of a baseline": (
        lambda: Baseline.from_table(TABLE, weights=["x"]),
        TypeError,
        "weights must be the name of a column, not ['x']",
    ),
    "edges that are a list": (
        lambda: compare(TABLE, TABLE, edges=[1, 2]),
        TypeError,
        "edges must be a mapping of columns to edges, not list",
    ),
    "bins of no column": (
        lambda: compare(TABLE, TABLE, bins={"z": 9}),
        TableError,
        "bins: no column 'z'",
    ),
    "no rule": (
        lambda: parse_rule("js"),
        ValueError,
        "'js' is no rule; write METRIC>NUMBER in quotes, for example 'js>0.2', or moved, 'moved a lot' or "
        "schema",
    ),
    "a picture of nothing": (
        lambda: compare({"x": TEXTS}, {"x": np.arange(40)}).plot(),
        ValueError,
        "report must have a column that was compared, not none, to be drawn",
    ),
    "SciPy: an axis twice": (
        lambda: stand_in.entropy(ROWS, axis=(0, 0)),
        ValueError,
        "`axis` must contain only distinct elements",
    ),
    "SciPy: a missing value": (
        lambda: stand_in.entropy([1.0, np.nan], nan_policy="raise"),
        ValueError,
        "The input contains nan values",
    ),
    "SciPy: an option of jensenshannon": (
        lambda: stand_in.cdist(ROWS, ROWS, stand_in.jensenshannon, axis=1),
        TypeError,
        "jensenshannon takes the option base, not axis",
    ),
    "SciPy: rows of texts": (
        lambda: stand_in.cdist(np.array([["a"]]), ROWS, "jensenshannon"),
        ValueError,
        "XA must hold real numbers, not <U1",
    ),
    "SciPy: out of float32": (
        lambda: stand_in.cdist(ROWS, ROWS, "jensenshannon", out=np.empty((2, 2), "f4")),
        ValueError,
        "out must have dtype float64, not float32",
    ),
    "SciPy: no diagonal of zeros": (
        lambda: stand_in.squareform(np.eye(3)),
        ValueError,
        "X must have a diagonal of zeros",
    ),
    "SciPy: no method": (
        lambda: stand_in.ks_2samp(ROW, ROW, method="x"),
        ValueError,
        "Invalid value for mode: x",
    ),
    "SciPy: no side": (
        lambda: stand_in.ks_2samp(ROW, ROW, alternative="x"),
        ValueError,
        "Invalid value for alternative: x",
    ),
    "SciPy: no p-value": (
        lambda: stand_in.ks_2samp(ROW, ROW).pvalue,
        AttributeError,
        "fastdiv.compat.scipy.ks_2samp has no p-value; scipy.stats.ks_2samp computes one",
    ),
    "SciPy: no values": (
        lambda: stand_in.wasserstein_distance([], ROW),
        ValueError,
        "Distribution can't be empty.",
    ),
}


@pytest.mark.parametrize("name", SENTENCES)
def test_sentence(name):
    call, error, sentence = SENTENCES[name]
    with pytest.raises(error) as found:
        call()
    assert str(found.value) == sentence


def test_chunks_that_are_no_arrays():
    masked = da.from_array(ROWS, chunks=(1, 2)).map_blocks(csr_array, meta=csr_array((0, 0)))
    with pytest.raises(TypeError) as found:
        fastdiv.dask.js_distance(masked, LATER)
    assert str(found.value) == (
        "p must have chunks that are NumPy arrays, not csr_array: pass p.map_blocks(lambda x: x.toarray())"
    )


def test_an_array_of_three_dimensions_is_no_table(tmp_path):
    np.save(tmp_path / "a.npy", np.zeros((2, 2, 2)))
    with pytest.raises(TableError) as found:
        compare(tmp_path / "a.npy", TABLE)
    why = "cannot be read: an array of 3 dimensions is no table; 1 or 2 are needed"
    assert str(found.value) == f"{tmp_path / 'a.npy'}: {why}"


def test_times_with_and_without_a_zone_in_one_column():
    from datetime import UTC, datetime

    stamps = np.array([datetime(2026, 1, 1), datetime(2026, 1, 1, tzinfo=UTC)] * 9, object)
    (skipped,) = compare({"x": stamps}, {"x": stamps}).skipped
    assert "zone" in skipped.reason


@pytest.mark.parametrize(("method", "module"), [("to_pandas", "pandas"), ("to_polars", "polars")])
def test_frames_without_their_library(method, module, monkeypatch):
    report = compare(TABLE, TABLE)
    monkeypatch.setitem(__import__("sys").modules, module, None)
    with pytest.raises(ImportError, match=rf"^Report\.{method} needs \w+: pip install {module}$"):
        getattr(report, method)()


def test_equal_to_nothing_else():
    assert Baseline.from_table(TABLE) != pa.table(TABLE)
