"""What can be passed in: every library against every family of functions, with the values of plain NumPy.

Each kind of input is made from one matrix; a cell of the table is the value that NumPy's array gives, or an
error that says what to do. docs/data.md shows the same table.
"""

import numpy as np
import pytest
from inputs import (
    COMPUTE,
    GETS,
    NAMES,
    REFUSED,
    VECTORS,
    M,
    OnGPU,
    Stream,
    V,
    arrow,
    dask,
    duck,
    lazy,
    pa,
)

import fastdiv
import fastdiv.grad
from fastdiv.drift.tables import as_table

ROWS = {
    "entropy": fastdiv.entropy,
    "js_distance": lambda x: fastdiv.js_distance(x, M[0]),
    "kl_divergence, counts": lambda x: fastdiv.kl_divergence(x, x, pseudocount=1, base=2),
    "gradient": lambda x: fastdiv.grad.js_distance(x, M[0] + 0.5, pseudocount=0.25).p,
    "omitted": lambda x: fastdiv.entropy(x, nan_policy="omit"),
}
MATRIX = {
    "cdist": lambda x: fastdiv.cdist(x, M),
    "of samples": lambda x: fastdiv.cdist(x, M, "wasserstein", samples=True),
    "pdist": lambda x: fastdiv.pdist(x, "total_variation"),
    "knn": lambda x: fastdiv.knn(x, M, 2)[0],
    "Index": lambda x: fastdiv.Index(x).query(M[:1], 1)[1],
}
SAMPLES = {
    "wasserstein_distance": lambda x: fastdiv.wasserstein_distance(x, M[1], axis=-1),
    "of columns": lambda x: fastdiv.energy_distance(M, x, axis=0, nan_policy="omit"),
    "ks_distance": lambda x: fastdiv.ks_distance(x, M),
    "wasserstein_hist": lambda x: fastdiv.wasserstein_hist(x, M[2], support=[0, 1, 5]),
    "sliced_wasserstein": lambda x: fastdiv.sliced_wasserstein(x, M, seed=1),
}
FAMILIES = {"rows": ROWS, "matrix": MATRIX, "samples": SAMPLES}
CALLS = [
    pytest.param(call, id=f"{name}-{of}") for of, calls in FAMILIES.items() for name, call in calls.items()
]


def values_or_error(call, x):
    try:
        return np.asarray(call(x))
    except ValueError as error:
        return str(error)


@pytest.mark.parametrize(("make", "m"), GETS.values(), ids=GETS)
def test_matrices(make, m):
    for calls in FAMILIES.values():
        for name, call in calls.items():
            # a stream is there once, and two of these take it twice
            if name == "kl_divergence, counts" and hasattr(make(m), "read_next_batch"):
                continue
            want, got = values_or_error(call, np.array(m)), values_or_error(call, make(m))
            if np.shape(got) == (1, *np.shape(want)):  # of the columns of polars
                got = got[0]
            np.testing.assert_array_equal(got, want, err_msg=name)


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize(("make", "message"), REFUSED.values(), ids=REFUSED)
def test_what_is_elsewhere_or_later(make, message, call):
    with pytest.raises(TypeError, match=message):
        call(make(M))


def test_arrays_of_dask():
    for call in ROWS.values():
        if call is not ROWS["gradient"]:
            np.testing.assert_array_equal(call(dask(M)).compute(), call(M))
    for call in (*MATRIX.values(), *SAMPLES.values(), ROWS["gradient"]):
        with pytest.raises(TypeError, match=COMPUTE + r", or take the function of fastdiv\.dask$"):
            call(dask(M))


# --- vectors -----------------------------------------------------------------------------------------------


# --- vectors ----------------------------------------------------------------------------------------------

OF_VECTORS = {
    "entropy": fastdiv.entropy,
    "js_distance": lambda x: fastdiv.js_distance(x, V),
    "wasserstein_distance": lambda x: fastdiv.wasserstein_distance(x, V, V, V),
    "weights": lambda x: fastdiv.wasserstein_distance(V, V + 1, V, x),
    "omitted": lambda x: fastdiv.ks_distance(x, V, nan_policy="omit"),
    "circle": lambda x: fastdiv.wasserstein_circle(x, V, period=9),
    "support": lambda x: fastdiv.wasserstein_hist(V, V[::-1], support=x),
    "plan": lambda x: fastdiv.transport_plan(x, V).cost,
}


@pytest.mark.parametrize(("make", "v"), VECTORS.values(), ids=VECTORS)
def test_vectors(make, v):
    for name, call in OF_VECTORS.items():
        want, got = values_or_error(call, np.array(v)), values_or_error(call, make(np.asarray(v, float)))
        if isinstance(want, str) and isinstance(got, str):
            continue  # bad data: the same kind of error, in the words of the entry
        np.testing.assert_array_equal(got, want, err_msg=name)


# --- tables ------------------------------------------------------------------------------------------------

NO_TABLES = (
    "NumPy",
    "NumPy, integers",
    "xarray, DataArray",
    "DLPack, CPU",
    "DLPack, CPU, float32",
    "array API",
    "lists",
)
ODD = {  # one of three columns that is not numbers
    "pandas, boolean with NA": ["boolean"] * 3,
    "pandas, categories that are numbers": ["categorical"] * 3,
    "pandas, sparse": ["unsupported"] * 3,  # with a reason
}


def content(table):
    """Of each column its kind, how many rows and missing ones, and what else there is."""
    return [(c.kind, c.rows, c.missing, c.numbers.tolist(), dict(c.tally)) for c in table.read(table.names)]


@pytest.mark.parametrize("name", [n for n in GETS if n not in NO_TABLES and "two columns" not in n])
def test_tables(name):
    make, m = GETS[name]
    got = as_table(make(m))
    assert got.names[:3] == NAMES
    whole = as_table(
        {n: c[~np.isnan(c)] for n, c in zip("xyz", np.where(np.isnan(m), 0.0, m).T, strict=True)}
    )
    assert [kind for kind, *_ in content(got)[:3]] == ODD.get(name, [kind for kind, *_ in content(whole)])
    for (kind, rows, missing, numbers, tally), column in zip(content(got), m.T, strict=False):
        assert rows == 3
        assert missing == np.isnan(column).sum() * (kind != "unsupported")
        if kind == "numeric":
            assert numbers == column[~np.isnan(column)].tolist()
        elif kind != "unsupported":
            assert sum(tally.values()) == 3 - missing
    if name not in ODD:
        report = fastdiv.compare(make(m), dict(zip(NAMES, m.T, strict=True)))
        assert {c.js for c in report.columns} == {0.0}
        assert fastdiv.Baseline.from_table(make(m)).score(make(m)).columns[0].w1 == 0


@pytest.mark.parametrize("name", NO_TABLES)
def test_what_is_no_table(name):
    make, m = GETS[name]
    what = (
        "path, a mapping of names to arrays" if name == "lists" else "table, .* mapping of names to columns"
    )
    for ask in (lambda x: fastdiv.compare(x, x), fastdiv.Baseline.from_table):
        with pytest.raises(TypeError, match=rf"must be a {what}"):
            ask(make(m))


@pytest.mark.parametrize("name", ["polars, LazyFrame", "Dask, data frame"])
def test_tables_that_are_later(name):
    with pytest.raises(
        TypeError, match=r"must hold its data, not be a lazy .* pass what its (collect|compute)"
    ):
        fastdiv.compare(REFUSED[name][0](M), {"a": [1]})


@pytest.mark.parametrize(("make", "v"), VECTORS.values(), ids=VECTORS)
def test_columns_of_a_mapping(make, v):
    v = np.asarray(v, float)
    ((kind, rows, missing, numbers, tally),) = content(as_table({"x": make(v)}))
    assert (rows, missing) == (len(v), np.isnan(v).sum())
    if kind == "numeric":
        assert numbers == v[~np.isnan(v)].tolist()
    else:
        assert kind in ("boolean", "categorical")
        assert sum(tally.values()) == len(v) - missing


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: duck(M), "must be a column, not a table of 3: pass one of them"),
        (lambda: Stream(arrow(M)), "must be a column, not a table of 3"),
        (lambda: OnGPU(V), r"must be .* not on CUDA device 1: pass baseline\['x'\]\.cpu\(\)"),
        (lambda: dask(V), r"is a dask Array, which is computed later: pass baseline\['x'\]\.compute\(\)"),
        (lambda: lazy(M), r"is a LazyFrame, .* pass baseline\['x'\]\.collect\(\)"),
    ],
)
def test_what_is_no_column(make, message):
    with pytest.raises(TypeError, match=rf"baseline\['x'\] {message}"):
        fastdiv.compare({"x": make()}, {"x": [1.0]})


def test_decimals_are_the_nearest_doubles():
    """Arrow's own cast gives another for one in eight."""
    from decimal import Decimal

    cents = [Decimal(i) / 100 for i in range(1000)]
    column = pa().array(cents, pa().decimal128(9, 2))
    want = [float(c) for c in cents]
    assert as_table(pa().table({"x": column})).read(["x"]).__next__().numbers.tolist() == want
    assert fastdiv.wasserstein_distance(column, want) == 0
    odd = [2**53 + 1, 2**53 + 3]  # no doubles
    for scale in (0, -2):
        whole = pa().array([Decimal(x) * 10**-scale for x in odd], pa().decimal128(38, scale))
        want = [x * 10**-scale for x in odd]
        assert fastdiv.wasserstein_distance(Stream(pa().chunked_array([whole])), want) == 0
