"""A frame in, labels out: results of rows carry the labels of their rows, and the values that arrays give."""

import pickle

import numpy as np
import pandas as pd
import polars as pl
import pytest
from calls import ROWWISE, call

import fastdiv
import fastdiv.gan
import fastdiv.grad
from fastdiv.sklearn import js_kernel

xarray = pytest.importorskip("xarray")
M = np.array([[3.0, 1.0, 2.0], [4.0, 0.5, 7.0], [1.0, 5.0, 5.0], [1.0, 1.0, 1.0]])
DAYS, NAMES = pd.Index(list("wxyz"), name="day"), list("abc")
FRAME = pd.DataFrame(M, DAYS, NAMES)
COUNTS = FRAME.astype({"a": "Int64", "c": "int64[pyarrow]"})
TABLE = pl.DataFrame(dict(zip(NAMES, M.T, strict=True)))
CUBE = xarray.DataArray(
    np.stack([M, M + 1]),
    dims=("time", "place", "bin"),
    coords={
        "time": [10, 20],
        "place": list("wxyz"),
        "height": ("place", [1, 2, 3, 4]),
        "bin": NAMES,
        "run": 7,
    },
)
OF_TWO = {
    "wasserstein_distance": fastdiv.wasserstein_distance,
    "energy_distance": fastdiv.energy_distance,
    "cramer_distance": fastdiv.cramer_distance,
    "ks_distance": fastdiv.ks_distance,
    "wasserstein_hist": fastdiv.wasserstein_hist,
}


def same(got, want, index, name):
    assert type(got) is pd.Series
    assert got.index.equals(index)
    assert got.name == name
    np.testing.assert_array_equal(got.to_numpy(), want)
    assert got.dtype == want.dtype


@pytest.mark.parametrize("name", ROWWISE)
def test_measures_of_frames(name):
    for frame in (FRAME, COUNTS, FRAME.astype(np.float32)):
        array = frame.to_numpy(float, na_value=np.nan).astype(
            np.float32 if frame.a.dtype == np.float32 else float
        )
        same(call(fastdiv, name, frame, frame), call(fastdiv, name, array, array), DAYS, name)
    same(call(fastdiv, name, FRAME, FRAME, axis=0), call(fastdiv, name, M, M, axis=0), FRAME.columns, name)
    if name != "entropy":
        same(call(fastdiv, name, M, FRAME), call(fastdiv, name, M, M), DAYS, name)
        same(call(fastdiv, name, FRAME, FRAME.loc["w"]), call(fastdiv, name, M, M[0]), DAYS, name)
        assert type(call(fastdiv, name, FRAME.iloc[:1], M)) is np.ndarray  # four rows, one label


@pytest.mark.parametrize("name", OF_TWO)
def test_samples_and_histograms_of_frames(name):
    distance = OF_TWO[name]
    same(distance(FRAME, M[::-1]), distance(M, M[::-1]), DAYS, name)
    same(distance(M[0], FRAME, axis=-1), distance(M[0], M), DAYS, name)
    same(distance(FRAME, FRAME * 2, axis=0), distance(M, M * 2, axis=0), FRAME.columns, name)
    assert type(distance(FRAME, M, keepdims=True) if name != "wasserstein_hist" else M) is np.ndarray
    assert type(distance(FRAME.a, FRAME.b)) is not pd.Series


def test_matrices_of_frames():
    other = FRAME.iloc[:2].set_axis([5, 6])
    want = fastdiv.cdist(M, M[:2], "kl_divergence")
    for a, b, index, columns in (
        (FRAME, other, DAYS, other.index),
        (FRAME, M[:2], DAYS, pd.RangeIndex(2)),
        (M, other, pd.RangeIndex(4), other.index),
        (FRAME, TABLE[:2], DAYS, pd.RangeIndex(2)),
    ):
        got = fastdiv.cdist(a, b, "kl_divergence")
        pd.testing.assert_frame_equal(got, pd.DataFrame(want, index, columns), check_exact=True)
    whole = fastdiv.cdist(FRAME, FRAME)
    assert whole.index.equals(DAYS)
    assert whole.columns.equals(DAYS)
    assert fastdiv.cdist(FRAME.astype(np.float32), FRAME.astype(np.float32)).dtypes.eq(np.float32).all()


def test_neighbours_by_label():
    numbers = fastdiv.knn(M, M, 2)
    for ask in (
        lambda a: fastdiv.knn(a, FRAME, 2, labels=True),
        lambda a: fastdiv.Index(FRAME).query(a, 2, labels=True),
        lambda a: pickle.loads(pickle.dumps(fastdiv.Index(FRAME))).query(a, 2, labels=True),
    ):
        distances, nearest = ask(FRAME)
        assert nearest.index.equals(DAYS)
        assert distances.index.equals(DAYS)
        np.testing.assert_array_equal(distances.to_numpy(), numbers[0])
        assert nearest.to_numpy().tolist() == DAYS.to_numpy()[numbers[1]].tolist()
        distances, nearest = ask(M)
        assert type(distances) is type(nearest) is np.ndarray
        assert nearest.tolist() == DAYS.to_numpy()[numbers[1]].tolist()
    whole = fastdiv.knn(FRAME, FRAME.set_axis([4, 5, 6, 7]), 1, labels=True)[1]
    assert whole[0].dtype == np.int64
    found = fastdiv.knn(FRAME, FRAME, 2)  # numbers are for arrays
    assert all(type(x) is np.ndarray for x in found)
    for XB in (M, TABLE, [FRAME.loc["w"]] * 2, CUBE[0].drop_vars("place")):
        with pytest.raises(TypeError, match="labels=True needs rows of XB with labels"):
            fastdiv.knn(M, XB, 1, labels=True)
    with pytest.raises(TypeError, match="labels must be True or False, not 'day'"):
        fastdiv.knn(M, FRAME, 1, labels="day")


def test_several_levels():
    index = pd.MultiIndex.from_product([["u", "v"], [1, 2]])
    frame = FRAME.set_axis(index)
    assert fastdiv.entropy(frame).loc[("v", 1)] == fastdiv.entropy(M[2])
    assert fastdiv.cdist(frame, frame).loc[("u", 1), ("v", 2)] == fastdiv.cdist(M, M)[0, 3]
    assert fastdiv.knn(frame, frame, 1, labels=True)[1].loc[("u", 2), 0] == ("u", 2)


def test_polars():
    """Its rows have no labels: a Series of the rows, a frame of one row of the columns, arrays of pairs."""
    got = fastdiv.js_distance(TABLE, M[0])
    assert type(got) is pl.Series
    assert (got.name, got.to_list()) == ("js_distance", fastdiv.js_distance(M, M[0]).tolist())
    got = fastdiv.wasserstein_distance(TABLE, TABLE + 1, axis=0)
    assert type(got) is pl.DataFrame
    assert got.to_dicts() == [{"a": 1.0, "b": 1.0, "c": 1.0}]
    assert type(fastdiv.cdist(TABLE, TABLE)) is np.ndarray


def test_arrays_of_xarray():
    array = CUBE.to_numpy()
    got = fastdiv.kl_divergence(CUBE, M[0])
    np.testing.assert_array_equal(got.to_numpy(), fastdiv.kl_divergence(array, M[0]))
    xarray.testing.assert_identical(
        got.drop_vars("run").coords.to_dataset(), CUBE[..., 0].drop_vars(["bin", "run"]).coords.to_dataset()
    )
    assert (got.name, got.dims, got.run.item()) == ("kl_divergence", ("time", "place"), 7)
    got = fastdiv.js_divergence(CUBE)  # of the places, at each time
    assert got.dims == ("time",)
    np.testing.assert_array_equal(got.to_numpy(), fastdiv.js_divergence(array))
    assert fastdiv.js_divergence(CUBE, axis=1).dims == ("time",)
    got = fastdiv.energy_distance(CUBE, array[:1], axis=0)
    assert got.dims == ("place", "bin")
    assert list(got.coords) == ["place", "height", "bin", "run"]
    got = fastdiv.cdist(CUBE[0], CUBE[1])
    assert got.dims == ("place", "place_b")
    assert got.sel(place="x", place_b="z") == fastdiv.cdist(array[0], array[1])[1, 3]
    assert got.height_b.dims == ("place_b",)
    assert fastdiv.cdist(CUBE[0], FRAME).sel(place="x", row_b="w") == fastdiv.cdist(array[0], M)[1, 0]
    distances, nearest = fastdiv.knn(CUBE[0], CUBE[1], 2, labels=True)
    assert distances.dims == nearest.dims == ("place", "neighbour")
    assert nearest.sel(place="y").to_numpy().tolist() == [
        list("wxyz")[i] for i in fastdiv.knn(array[0], array[1], 2)[1][2]
    ]


def test_one_number_for_each_entry():
    p = FRAME / 10
    pd.testing.assert_frame_equal(fastdiv.surprisal(p), pd.DataFrame(fastdiv.surprisal(M / 10), DAYS, NAMES))
    pd.testing.assert_series_equal(
        fastdiv.binary_entropy(p.a), pd.Series(fastdiv.binary_entropy(M[:, 0] / 10), DAYS, name="a")
    )
    assert fastdiv.surprisal(TABLE / 10)["b"].to_list() == fastdiv.surprisal(M[:, 1] / 10).tolist()
    assert fastdiv.surprisal(CUBE / 20).dims == CUBE.dims


def test_what_has_no_labels():
    out = np.empty(4)
    assert fastdiv.entropy(FRAME, out=out) is out
    assert fastdiv.cdist(FRAME, FRAME, out=(square := np.empty((4, 4)))) is square
    for got in (
        fastdiv.entropy(FRAME, keepdims=True),
        fastdiv.pdist(FRAME),
        fastdiv.entropy([FRAME.loc["w"], FRAME.loc["x"]]),
        fastdiv.entropy(M),
        fastdiv.gan.minimax_value(FRAME, M),
        fastdiv.grad.entropy(FRAME).p,
        js_kernel(FRAME),
    ):
        assert type(got) is np.ndarray
    assert np.ndim(fastdiv.js_distance(FRAME.loc["w"], FRAME.loc["x"])) == 0
    assert np.ndim(fastdiv.js_divergence(FRAME)) == 0
