"""Labels of every kind of table, in every function; and what an error tells to do about them, done."""

import re

import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pytest
from calls import TWINS

import fastdiv
import fastdiv.grad
from fastdiv import reference

BOTH = pytest.mark.parametrize("library", TWINS.values(), ids=TWINS)
VALUES = {"a": [1.0, 4.0], "b": [2.0, 5.0], "c": [3.0, 9.0]}
TABLE = pd.DataFrame(VALUES, index=["x", "y"])
TURNED = TABLE[["c", "a", "b"]]
LEFT, RIGHT = TABLE.iloc[0], TURNED.iloc[1]


def after_the_hint(call, p, q):
    """What the call gives once its error's advice has been taken."""
    with pytest.raises(ValueError, match="labels that differ") as caught:
        call(p, q)
    (advice,) = re.findall(r"for example (.*?)(?:, or pass .to_numpy\(\) of both)?$", str(caught.value))
    scope = {"p": p, "q": q}
    exec(advice, scope)
    return call(scope["p"], scope["q"])


TABLES = [
    (TABLE, TURNED),
    (TABLE, TURNED.iloc[1]),
    (TURNED.iloc[0], TABLE),
    (LEFT, RIGHT),
    ([LEFT, LEFT], [RIGHT, RIGHT]),
    ([LEFT, RIGHT], [LEFT, LEFT]),
    (TABLE, [RIGHT, RIGHT]),
    ([LEFT, LEFT], TURNED),
    (TABLE, TABLE.iloc[::-1]),
    (pl.DataFrame(VALUES), pl.DataFrame(VALUES).select("b", "a", "c")),
    (pa.table(VALUES), pa.table(VALUES).select(["b", "a", "c"])),
    (TABLE, pl.DataFrame(VALUES).select("b", "a", "c")),
    (pl.DataFrame(VALUES), TURNED),
    (TABLE, pa.table(VALUES).select(["b", "a", "c"])),
    (pa.record_batch(VALUES), pl.DataFrame(VALUES).select("b", "a", "c")),
]


def by_label(x):
    """As NumPy, columns in the order of the alphabet."""
    if isinstance(x, list):
        return np.stack([row.sort_index().to_numpy() for row in x])
    if isinstance(x, pd.Series):
        return x.sort_index().to_numpy()
    if isinstance(x, pd.DataFrame):
        return x.sort_index(axis=1).sort_index().to_numpy()
    return np.stack([np.asarray(x[name]) for name in "abc"], axis=1)


@BOTH
@pytest.mark.parametrize(("p", "q"), TABLES, ids=range(len(TABLES)))
def test_advice_helps(library, p, q):
    want = library.js_distance(by_label(p), by_label(q))
    assert np.array_equal(after_the_hint(library.js_distance, p, q), want)


def test_advice_on_the_first_axis():
    for p, q in ((TABLE.T, TURNED.T), (TABLE.T, TABLE.T[["y", "x"]])):
        got = after_the_hint(lambda p, q: fastdiv.js_distance(p, q, axis=0), p, q)
        assert np.array_equal(got, [0, 0])


def test_lists_of_series():
    """A list is no way round: these were 0."""
    both = [pd.Series({"a": 3, "b": 2, "c": 1}), pd.Series({"c": 3, "b": 2, "a": 1})]
    for call in (
        lambda: fastdiv.cdist(both, both),
        lambda: reference.cdist(both, both),
        lambda: fastdiv.pdist(both),
        lambda: fastdiv.knn(both, both, 1),
        lambda: fastdiv.js_distance(both, both),
        lambda: fastdiv.wasserstein_hist(both, both),
        lambda: fastdiv.grad.js_distance(both, both[0]),
    ):
        with pytest.raises(ValueError, match=r"\w+\[0\] and \w+\[1\] have labels that differ"):
            call()
    alike = [both[0], both[0] * 2]
    assert fastdiv.cdist(alike, alike).max() == 0
    # samples are in no order
    assert fastdiv.cdist(both, both, "wasserstein", samples=True).max() == 0
    assert fastdiv.wasserstein_distance(both, both).tolist() == [0, 0]


@BOTH
def test_matrices(library):
    for call in (library.cdist, lambda p, q: library.knn(p, q, 2)[0]):
        with pytest.raises(ValueError, match="XA and XB have labels that differ"):
            call(TABLE, TURNED)
    assert library.cdist(TABLE, TURNED, "wasserstein", samples=True).shape == (2, 2)
    with pytest.raises(ValueError, match="XA and support have labels that differ"):
        library.cdist(TABLE, TABLE, "wasserstein", support=pd.Series([1, 2, 3], index=list("cab")))


class Relation:
    """A table with names and a stream of Arrow, and no array, as DuckDB's are."""

    def __init__(self, frame):
        self.columns = list(frame.columns)
        self.table = pa.Table.from_pandas(frame, preserve_index=False)

    def __arrow_c_stream__(self, requested_schema=None):
        return self.table.__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "kind",
    [pd.DataFrame, pl.from_pandas, pa.Table.from_pandas, Relation],
    ids=["pandas", "polars", "Arrow", "DuckDB"],
)
def test_an_index_knows_its_columns(kind):
    index = fastdiv.Index(kind(TABLE.reset_index(drop=True)))
    for other in (TURNED, Relation(TURNED)):
        with pytest.raises(ValueError, match="labels that differ"):
            index.query(other, 1)
    for same in (TABLE, Relation(TABLE)):
        assert index.query(same, 1)[1].tolist() == [[0], [1]]


@BOTH
def test_coordinates_and_weights_of_points(library):
    with pytest.raises(ValueError, match="X and Y have labels that differ"):
        library.sliced_wasserstein(TABLE, TURNED, seed=1)
    with pytest.raises(ValueError, match="X and X_weights have labels that differ"):
        library.sliced_wasserstein(TABLE, TABLE, pd.Series({"y": 1, "x": 2}), seed=1)
    with pytest.raises(ValueError, match="Y and Y_weights have labels that differ"):
        library.sliced_wasserstein(TABLE, TABLE, Y_weights=pd.Series({"y": 1, "x": 2}), seed=1)
    weights = pd.Series({"x": 1, "y": 2})
    assert library.sliced_wasserstein(TABLE, TABLE, weights, weights, seed=1) == 0


def test_samples_of_a_barycenter():
    with pytest.raises(ValueError, match="samples and weights have labels that differ"):
        fastdiv.wasserstein_barycenter(TABLE, weights=pd.Series({"y": 1, "x": 2}))
    for turned in (TURNED, TABLE.iloc[::-1]):
        with pytest.raises(ValueError, match=r"samples and sample_weights have (row )?labels that differ"):
            fastdiv.wasserstein_barycenter(TABLE, sample_weights=turned)
    right = fastdiv.wasserstein_barycenter(TABLE, weights=pd.Series({"x": 2, "y": 1}), sample_weights=TABLE)
    assert right.masses.sum() == pytest.approx(1)


def test_classes_of_logits():
    for logits, axis in ((TABLE, -1), (TABLE, 1), (TABLE.T, 0), (TABLE.T, -2)):
        with pytest.raises(ValueError, match="logits and labels have labels that differ"):
            fastdiv.grad.softmax_cross_entropy(logits, pd.Series({"y": 0, "x": 1}), axis=axis)
        got = fastdiv.grad.softmax_cross_entropy(logits, pd.Series({"x": 0, "y": 1}), axis=axis)
        assert got.value.shape == (2,)


def test_arrays_of_xarray():
    xarray = pytest.importorskip("xarray")
    p = xarray.DataArray([1.0, 2.0, 4.0], dims="bin", coords={"bin": list("abc")})
    assert fastdiv.js_distance(p, p[::-1].sortby("bin")) == 0
    assert fastdiv.js_distance(p.drop_vars("bin"), p[::-1]) > 0
    assert after_the_hint(fastdiv.js_distance, p, p[::-1]) == 0


def test_labels_are_told_plainly():
    index = pd.MultiIndex.from_tuples([("x", 1), ("x", 2)])
    with pytest.raises(ValueError, match=re.escape("(number 0 is ('x', 1) and ('x', 2))")):
        fastdiv.js_distance(pd.Series([1, 2], index), pd.Series([1, 2], index[::-1]))
