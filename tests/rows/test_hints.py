"""What an error tells to pass is pasted from it, executed, and gives the right value."""

import datetime
import decimal
import fractions
import re
from collections import Counter

import numpy as np
import pytest
from calls import ROWWISE, TWINS, call

import fastdiv
from fastdiv import cdist, grad, knn, pdist

pd = pytest.importorskip("pandas")
pl = pytest.importorskip("polars")
sparse = pytest.importorskip("scipy.sparse")
da = pytest.importorskip("dask.array")

GOOD = np.array([[1.0, 2.0, 3.0], [4.0, 0.0, 6.0]])
DAYS = np.array(["2020-01-01", "NaT", "2020-01-04"], "M8[D]")
WITHOUT_POLICY = {
    "wasserstein_circle": fastdiv.wasserstein_circle,
    "transport_plan": fastdiv.transport_plan,
}
ON_VALUES = {
    "wasserstein_distance": fastdiv.wasserstein_distance,
    "ks": fastdiv.ks_distance,
    "grad": grad.wasserstein_distance,
} | WITHOUT_POLICY


def refused(kind, ask, *arguments, **options):
    with pytest.raises(kind) as caught:
        ask(*arguments, **options)
    assert caught.type is kind
    message = str(caught.value)
    assert "\n" not in message
    return message


def pasted(message, pattern, **names):
    """The group of `pattern` in `message` as Python."""
    (code,) = re.search(pattern, message).groups()
    return eval(code, {"np": np, **names})


# --- sparse matrices, mappings, sets, iterators ------------------------------------------------------------


@pytest.mark.parametrize("kind", ["csr_matrix", "csr_array", "csc_matrix", "coo_array", "lil_matrix"])
@pytest.mark.parametrize("name", ROWWISE)
def test_sparse_rows(name, kind):
    X = getattr(sparse, kind)(GOOD)
    for library in TWINS.values():
        message = refused(TypeError, call, library, name, X, GOOD)
        assert message.startswith(f"p is a {kind}, but a dense array is needed here; pass p.toarray()")
        dense = pasted(message, r"pass (\S+)", p=X)
        assert np.array_equal(dense, GOOD)
        if name != "entropy":
            message = refused(TypeError, call, library, name, GOOD, X)
            assert message.startswith(f"q is a {kind}, but a dense array is needed here; pass q.toarray()")


def test_matrices_take_what_the_hint_says_they_take():
    message = refused(TypeError, fastdiv.js_distance, sparse.csr_array(GOOD), GOOD)
    assert message.endswith(" (cdist, pdist and knn take sparse rows of masses as they are)")
    X = sparse.csr_array(GOOD)
    assert cdist(X, GOOD) == pytest.approx(cdist(GOOD, GOOD), rel=1e-15)
    assert pdist(X) == pytest.approx(pdist(GOOD), rel=1e-15)
    assert knn(X, GOOD, 1)[1].tolist() == [[0], [1]]


def test_a_list_of_sparse_rows():
    rows = [sparse.csr_array(row[None]) for row in GOOD]
    message = refused(TypeError, fastdiv.entropy, rows)
    dense = pasted(message, r"its entries are sparse: pass (.*)$", p=rows, scipy=pytest.importorskip("scipy"))
    assert np.array_equal(dense, GOOD)


@pytest.mark.parametrize("kind", [dict, Counter])
@pytest.mark.parametrize("name", ROWWISE)
def test_mappings_of_masses(name, kind):
    p, q = kind({"a": 3, "b": 1}), kind({"b": 2, "c": 5, "a": 1})
    keys = sorted({*p, *q})
    for library in TWINS.values():
        message = refused(TypeError, call, library, name, p, [1, 2])
        assert message == (
            f"p is a {kind.__name__}, whose keys say which bin is which; put all in one order of keys and "
            "pass the values, for example [p.get(key, 0) for key in keys]"
        )
        assert pasted(message, "for example (.*)$", p=p, keys=keys) == [3, 1, 0]
        if name != "entropy":
            message = refused(TypeError, call, library, name, [1, 2], q)
            assert pasted(message, "for example (.*)$", q=q, keys=keys) == [1, 2, 5]


@pytest.mark.parametrize("kind", [dict, Counter])
def test_lists_of_mappings(kind):
    XA, keys = [kind({"a": 3, "b": 1}), kind({"c": 5})], "abc"
    for ask in (lambda: cdist(XA, GOOD), lambda: knn(XA, GOOD, 1)):
        message = refused(TypeError, ask)
        assert f"; its entries are of class {kind.__name__}, whose keys say which bin is which" in message
        assert pasted(message, "for example (.*)$", XA=XA, keys=keys) == [[3, 1, 0], [0, 0, 5]]
    assert "for row in p]" in refused(TypeError, fastdiv.entropy, XA)


@pytest.mark.parametrize("function", ON_VALUES.values(), ids=ON_VALUES)
def test_a_counter_of_samples(function):
    """There the keys are the values, and their counts the weights."""
    samples = [1, 1, 5, 2, 2, 2]
    u_values = Counter(samples)
    message = refused(TypeError, function, u_values, [0.0])
    assert message == (
        "u_values is a Counter; pass list(u_values) and, if it maps values to weights, "
        "u_weights=list(u_values.values())"
    )
    values = pasted(message, "pass (.*?) and", u_values=u_values)
    weights = pasted(message, "u_weights=(.*)$", u_values=u_values)
    assert fastdiv.wasserstein_distance(values, [0.0], weights) == fastdiv.wasserstein_distance(
        samples, [0.0]
    )
    assert "v_weights=list(v_values.values())" in refused(TypeError, function, [0.0], u_values)


def test_sets_and_iterators():
    message = refused(TypeError, fastdiv.entropy, {2, 1})
    assert message.endswith("; p is a set, which keeps neither order nor repeats: pass a list")
    for made, kind in (
        (lambda: {"a": 1, "b": 3}.values(), "dict_values"),
        (lambda: (x for x in (1, 3)), "generator"),
        (lambda: map(int, "13"), "map"),
    ):
        p = made()
        message = refused(TypeError, fastdiv.entropy, p)
        assert message.endswith(f"; p is a {kind}, pass list(p)")
        assert pasted(message, "pass (.*)$", p=p) == [1, 3]


@pytest.mark.parametrize("number", [fractions.Fraction, decimal.Decimal, lambda x: x or None])
def test_objects_that_are_numbers(number):
    p = [number(3), number(0), number(1)]
    message = refused(TypeError, fastdiv.entropy, p)
    found = pasted(message, "for example (.*)$", p=p)
    np.testing.assert_array_equal(found, np.array(p, float))
    assert refused(TypeError, fastdiv.entropy, [object()]).endswith("; convert it to a numeric dtype first")


# --- times -------------------------------------------------------------------------------------------------


def in_zone(array):
    return pd.Series(array).dt.tz_localize("UTC").dt.tz_convert("Europe/Berlin")


TIMES = {
    "NumPy, days": lambda t: t,
    "NumPy, 10 minutes": lambda t: t.astype("M8[10m]"),
    "NumPy, nanoseconds": lambda t: t.astype("M8[ns]"),
    "NumPy, spans": lambda t: t - np.datetime64("1900-01-01"),
    "pandas": pd.Series,
    "pandas, nanoseconds": lambda t: pd.Series(t).astype("M8[ns]"),
    "pandas, index": pd.DatetimeIndex,
    "pandas, zone": in_zone,
    "pandas, index in a zone": lambda t: pd.DatetimeIndex(in_zone(t)),
    "polars, dates": pl.Series,
    "polars, microseconds": lambda t: pl.Series(t).cast(pl.Datetime("us")),
    "polars, zone": lambda t: pl.Series(t).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"),
}


@pytest.mark.parametrize("make", TIMES.values(), ids=TIMES)
@pytest.mark.parametrize("function", ON_VALUES.values(), ids=ON_VALUES)
def test_times(function, make):
    """NaT is the least int64, so it must not be among what is passed."""
    v_values = make(DAYS[[0, 2]])
    message = refused(TypeError, function, [1], v_values)
    assert message.startswith("v_values has dtype ")
    counts = pasted(message, r"pass (.*), counts of \d* ?\w+$", v_values=v_values)
    assert counts.dtype == np.int64
    v_values = make(DAYS)
    message = refused(TypeError, function, [1], v_values)
    x = pasted(message, ", with x = (.*)$", v_values=v_values)
    left = pasted(message, "missing times .* pass (.*), counts of", x=x)
    assert left.tolist() == counts.tolist()
    unit = re.search(r"counts of (.*), with", message)[1]
    assert np.diff(left) * np.timedelta64(1, "D").dtype.type(*unit_of(unit)) == np.timedelta64(3, "D")


def unit_of(text):
    number, _, unit = text.rpartition(" ")
    return int(number or 1), unit


@pytest.mark.parametrize(
    ("values", "step"),
    [
        ([datetime.date(2020, 1, 1), datetime.date(2020, 1, 4)], 3 * 86400 * 10**6),
        ([datetime.datetime(2020, 1, 1), datetime.datetime(2020, 1, 1, 0, 0, 1)], 10**6),
        ([datetime.timedelta(1), datetime.timedelta(1, 0, 7)], 7),
        ([pd.Timestamp("2020-01-01"), pd.Timestamp("2020-01-02")], 86400 * 10**6),
    ],
    ids=["dates", "times", "spans", "pandas"],
)
def test_lists_of_times(values, step):
    message = refused(TypeError, fastdiv.wasserstein_distance, values, [1])
    found = pasted(message, "for exact differences pass (.*), counts of us$", u_values=values)
    assert np.diff(found).tolist() == [step]


@pytest.mark.parametrize("values", [[pd.Timestamp("2020-01-01", tz="UTC")], [pd.Timestamp("2020"), pd.NaT]])
def test_lists_of_times_that_have_no_hint(values):
    message = refused(TypeError, fastdiv.wasserstein_distance, values, [1])
    assert message.endswith("; convert it to a numeric dtype first")


def test_missing_times_of_rows_do_not_merge_them():
    u_values = np.stack([DAYS, DAYS[[0, 2, 2]]])
    message = refused(TypeError, fastdiv.wasserstein_distance, u_values, [0], axis=-1)
    x = pasted(message, ", with x = (.*)$", u_values=u_values)
    found = pasted(message, "count as missing in (.*), counts of D", x=x)
    assert found.shape == u_values.shape
    days = np.array([18262.0, 18265.0])
    got = fastdiv.wasserstein_distance(found, [[0.0]], nan_policy="omit")
    assert got.tolist() == [days.mean(), days[[0, 1, 1]].mean()]
    assert "np.where" in refused(TypeError, cdist, u_values, u_values, "wasserstein", samples=True)


# --- masks -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [float, int])
@pytest.mark.parametrize("name", ROWWISE)
def test_masked_masses_stay_in_their_rows(name, dtype):
    p = np.ma.masked_equal(GOOD.astype(dtype), 2)
    for library in TWINS.values():
        message = refused(TypeError, call, library, name, p, GOOD)
        assert message.startswith("p has masked entries, which have no value here; pass ")
        filled = pasted(message, r"pass (.*), where they count as missing$", p=p)
        assert np.array_equal(filled, [[1, np.nan, 3], GOOD[1]], equal_nan=True)
        alone = call(library, name, GOOD[:, [0, 2]], GOOD[:, [0, 2]])
        assert call(library, name, filled, GOOD, nan_policy="omit")[0] == alone[0]


def test_masked_samples():
    u_values = np.ma.masked_equal(GOOD, 2)
    message = refused(TypeError, fastdiv.wasserstein_distance, u_values, [0.0])
    filled = pasted(message, r"pass (.*), where they count as missing$", u_values=u_values)
    got = fastdiv.wasserstein_distance(filled, [[0.0]], nan_policy="omit")
    assert got.tolist() == pytest.approx([2.0, 10 / 3], rel=1e-15)
    message = refused(TypeError, fastdiv.sliced_wasserstein, u_values, GOOD)
    assert message.startswith("X has masked entries, which have no value here; pass X.")
    for function in ON_VALUES.values():  # of one sample nothing is merged
        u_values = np.ma.masked_equal([1, 2, 3], 2)
        message = refused(TypeError, function, u_values, [0.0])
        assert pasted(message, "pass (.*)$", u_values=u_values).tolist() == [1, 3]


def test_masked_weights_and_places():
    weights = np.ma.masked_equal([1, 2, 3], 2)
    message = refused(TypeError, fastdiv.wasserstein_distance, GOOD[0], GOOD[0], weights)
    assert pasted(message, "pass (.*)$", u_weights=weights).tolist() == [1, 0, 3]
    for option in ("support", "bin_edges"):
        message = refused(TypeError, fastdiv.wasserstein_hist, [1, 2], [2, 1], **{option: weights})
        assert message == (
            f"{option} has masked entries, which have no value here; leave those places out, and their masses"
        )


# --- missing values where no option says what to do --------------------------------------------------------


@pytest.mark.parametrize("function", WITHOUT_POLICY.values(), ids=WITHOUT_POLICY)
def test_nan_where_there_is_no_policy(function):
    assert (
        refused(ValueError, function, [1, np.nan, 2], [1]) == "u_values must be finite, not nan: u_values[1]"
    )
    with pytest.raises(TypeError, match="unexpected keyword argument 'nan_policy'"):
        function([1], [1], nan_policy="omit")


# --- Dask --------------------------------------------------------------------------------------------------


def test_chunks_along_the_bins():
    rows = np.random.default_rng(0).dirichlet(np.ones(6), 4)
    p, q = da.from_array(rows, chunks=(2, 6)), da.from_array(rows[::-1], chunks=(2, 2))
    message = refused(ValueError, fastdiv.kl_divergence, p, q)
    assert message == ("q is cut into 3 chunks along axis -1, where one is needed; pass q.rechunk({-1: -1})")
    q = pasted(message, "pass (.*)$", q=q)
    assert np.array_equal(fastdiv.kl_divergence(p, q).compute(), fastdiv.kl_divergence(rows, rows[::-1]))
    message = refused(ValueError, fastdiv.kl_divergence, p, rows, axis=0)
    assert message == "p is cut into 2 chunks along axis 0, where one is needed; pass p.rechunk({0: -1})"
    p = pasted(message, "pass (.*)$", p=p)
    got = fastdiv.kl_divergence(p, rows[::-1], axis=0).compute()
    assert np.array_equal(got, fastdiv.kl_divergence(rows, rows[::-1], axis=0))


@pytest.mark.parametrize("axis", [-1, 0])
def test_rows_cut_at_other_places(axis):
    rows = np.random.default_rng(1).dirichlet(np.ones(6), (3, 4))
    cuts = [(6, 2, 1), (6, 1, 1)] if axis == 0 else [(3, 2, 6), (3, 1, 6)]
    rows = np.moveaxis(rows, -1, axis)
    p, q = (da.from_array(rows, chunks=chunks) for chunks in cuts)
    message = refused(ValueError, fastdiv.js_distance, p, q, axis=axis)
    part = "((2, 1) against (1, 1, 1) rows)" if axis == 0 else "((2, 2) against (1, 1, 1, 1) rows)"
    assert message.startswith(f"p and q have chunks of other lengths {part}, ")
    q = pasted(message, "pass (.*)$", p=p, q=q)
    got = fastdiv.js_distance(p, q, axis=axis).compute()
    assert np.array_equal(got, fastdiv.js_distance(rows, rows, axis=axis))
    first = q[:, :1] if axis == 0 else q[:1]  # one row for all of p is in no chunk of its own
    assert fastdiv.js_distance(p, first, axis=axis).compute().shape == got.shape


def test_chunks_of_unknown_length():
    rows = np.random.default_rng(2).dirichlet(np.ones(6), 4)
    q = da.from_array(rows, chunks=(2, 6))
    q = q[q[:, 0] >= 0]
    message = refused(ValueError, fastdiv.kl_divergence, rows, q)
    assert message.startswith("q has chunks of unknown length; call q.compute_chunk_sizes() first")
    pasted(message, "call (.*) first", q=q)
    message = refused(ValueError, fastdiv.kl_divergence, rows, q)
    assert message.startswith("q is cut into 2 chunks of rows, but p is in memory in one piece; pass ")
    p = pasted(message, "pass (.*)$", p=rows, q=q, dask=pytest.importorskip("dask"))
    assert p.chunks == q.chunks
    assert np.array_equal(fastdiv.kl_divergence(p, q).compute(), np.zeros(4))
