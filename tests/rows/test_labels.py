"""Labels are never ignored: what is matched by place must carry the same labels in the same order."""

import re

import numpy as np
import pandas as pd
import pytest
from calls import PAIRED, TWINS, call

import fastdiv

LEFT = pd.Series(list("aabbbc")).value_counts()
RIGHT = pd.Series(list("aaaabc")).value_counts().sort_index(ascending=False)
TABLE = pd.DataFrame([[1.0, 2.0, 3.0], [4.0, 5.0, 7.0]], columns=list("abc"), index=["x", "y"])
ALIGN = "labels that differ"


@pytest.mark.parametrize("library", TWINS.values(), ids=TWINS)
@pytest.mark.parametrize("name", PAIRED)
def test_series_in_another_order(name, library):
    with pytest.raises(ValueError, match=f"p and q have {ALIGN} .number 0 is 'b' and 'c'.*p.align.q, fill"):
        call(library, name, LEFT, RIGHT)
    p, q = LEFT.align(RIGHT, fill_value=0)
    assert call(library, name, p, q) == call(library, name, p.to_numpy(), q.to_numpy())


def test_equal_counts_of_other_labels_are_not_equal():
    p = pd.Series({"a": 3, "b": 2, "c": 1})
    q = pd.Series({"c": 3, "b": 2, "a": 1})
    with pytest.raises(ValueError, match=ALIGN):
        fastdiv.js_distance(p, q)
    assert fastdiv.js_distance(*p.align(q, fill_value=0)) == fastdiv.js_distance([3, 2, 1], [1, 2, 3])


def test_other_numbers_of_labels():
    with pytest.raises(ValueError, match=re.escape("labels that differ (3 of them against 2)")):
        fastdiv.js_distance(LEFT, RIGHT.iloc[:2])


def test_what_has_no_labels_matches_any():
    expected = fastdiv.js_distance(LEFT.to_numpy(), RIGHT.to_numpy())
    for p, q in ((LEFT, RIGHT.to_numpy()), (LEFT.to_list(), RIGHT), (LEFT.to_numpy(), RIGHT.to_list())):
        assert fastdiv.js_distance(p, q) == expected


@pytest.mark.parametrize("library", TWINS.values(), ids=TWINS)
def test_tables(library):
    turned = TABLE[["c", "a", "b"]]
    for p, q, axis, how in (
        (TABLE, turned, -1, "p, q = p.align(q, axis=1, fill_value=0)"),
        (TABLE.T, turned.T, 0, "p, q = p.align(q, axis=0, fill_value=0)"),
        (TABLE, turned.iloc[0], 1, "q = q.reindex(p.columns)"),
        (turned.iloc[0], TABLE, -1, "q = q.reindex(columns=p.index)"),
        (TABLE, TABLE.iloc[::-1], -1, "q = q.reindex(p.index)"),
        (TABLE.T, TABLE.T.iloc[:, ::-1], 0, "q = q.reindex(columns=p.columns)"),
    ):
        with pytest.raises(ValueError, match=ALIGN) as caught:
            library.js_distance(p, q, axis=axis)
        assert how in str(caught.value)
    assert np.asarray(library.js_distance(TABLE, TABLE.iloc[[1]]))[1] == 0  # one row stands for any
    assert (library.js_distance(TABLE, TABLE.copy()) == 0).all()
    assert np.asarray(library.js_distance(TABLE, TABLE.iloc[0]))[0] == 0


def test_numbers_are_told_plainly():
    with pytest.raises(ValueError, match=re.escape("(number 0 is 0 and 4)")):
        fastdiv.js_distance(pd.Series([1, 2]), pd.Series([1, 2], index=[4, 5]))


def test_mixture_weights():
    weights = pd.Series([1.0, 3.0], index=["y", "x"])
    with pytest.raises(ValueError, match="p and weights have labels that differ"):
        fastdiv.js_divergence(TABLE, weights=weights)
    assert fastdiv.js_divergence(TABLE, weights=weights[["x", "y"]]) == fastdiv.js_divergence(
        TABLE.to_numpy(), weights=[3.0, 1.0]
    )


def test_polars():
    polars = pytest.importorskip("polars")
    p = polars.DataFrame({"a": [1.0], "b": [2.0]})
    with pytest.raises(ValueError, match=re.escape("q = q.select(p.columns)")):
        fastdiv.js_distance(p, p.select("b", "a"))
    assert fastdiv.js_distance(p, p.clone()).to_list() == [0]
    assert fastdiv.js_distance(polars.Series([1, 2]), polars.Series([1, 3])) > 0


@pytest.mark.parametrize("library", TWINS.values(), ids=TWINS)
def test_samples(library):
    """Values have no order that matters, so no labels; but each value has its own weight."""
    u, v = pd.Series([1.0, 2.0, 5.0], index=[3, 4, 5]), pd.Series([1.0, 2.0, 4.0])
    assert library.wasserstein_distance(u, v) == library.wasserstein_distance(u.to_list(), v.to_list())
    weights = pd.Series([1.0, 2.0, 3.0], index=[5, 4, 3])
    how = re.escape("u_weights = u_weights.reindex(u_values.index)")
    for name in ("wasserstein_distance", "energy_distance", "ks_distance", "transport_plan"):
        with pytest.raises(ValueError, match=f"u_values and u_weights have {ALIGN}.*{how}"):
            getattr(library, name)(u, v, weights, v)
    assert library.wasserstein_distance(u, v, weights.reindex(u.index), v) >= 0
    frame = pd.DataFrame({"a": [1.0, 2.0], "b": [3.0, 5.0]})
    with pytest.raises(ValueError, match="u_values and v_values have row labels that differ"):
        library.wasserstein_distance(frame, frame[["b", "a"]], axis=0)
    assert library.wasserstein_distance(frame, frame.set_axis([7, 8]), axis=0).tolist() == [0, 0]


@pytest.mark.parametrize("library", TWINS.values(), ids=TWINS)
def test_histograms(library):
    with pytest.raises(ValueError, match=f"u and v have {ALIGN}"):
        library.wasserstein_hist(LEFT, RIGHT)
    with pytest.raises(ValueError, match=f"u and support have {ALIGN}"):
        library.wasserstein_hist(LEFT, LEFT, support=pd.Series([0.0, 1.0, 2.0]))
    edges = {"bin_edges": [0, 1, 2, 3], "v_bin_edges": [0, 1, 2, 4]}
    assert library.wasserstein_hist(LEFT, RIGHT, **edges) > 0  # other bins have other labels
