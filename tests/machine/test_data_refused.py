"""What no function takes is refused with a reason, and with what to pass in its place; labels count."""

import re
import sys

import numpy as np
import pytest
from inputs import GETS, M, OnGPU, Stream, Tensor, V, connection, data_array, duck, pd, pl

import fastdiv

# --- what is refused with a reason -------------------------------------------------------------------------


def pasted(message, pattern, **names):
    """The group of `pattern` in `message` as Python."""
    (code,) = re.search(pattern, message).groups()
    return eval(code, {"np": np, "pyarrow": sys.modules.get("pyarrow"), **names})


def refused(values, ask=fastdiv.wasserstein_distance):
    with pytest.raises(TypeError) as caught:
        ask(values, [1.0])
    return str(caught.value)


def test_periods():
    months = pd().Series(pd().period_range("2020-01", periods=3, freq="M"))
    for u_values in (months, months.array, pd().Index(months)):
        numbers = pasted(refused(u_values), "have numbers, (.*), that", u_values=u_values)
        assert fastdiv.wasserstein_distance(numbers, numbers + 2) == 2


def test_intervals():
    cut = pd().Series(pd().interval_range(0, 3))
    for u_values in (cut, cut.array, pd().IntervalIndex(cut)):
        assert pasted(refused(u_values), "pass (.*), or count", u_values=u_values).tolist() == [0.5, 1.5, 2.5]


@pytest.mark.parametrize("library", [pd, pl])
def test_texts(library):
    for dtype in ("category", "str") if library is pd else (pl().Categorical, pl().String):
        u_values = library().Series(list("abb"), dtype=dtype)
        counts = pasted(refused(u_values), "count them, as (.*) does", u_values=u_values)
        assert sorted(np.asarray(counts)[..., -1].tolist() if library is pl else counts.tolist()) == [1, 2]


def test_times_of_a_relation():
    times = connection().sql("SELECT TIMESTAMP '2020-01-01' + INTERVAL (i) HOUR AS t FROM range(3) r(i)")
    message = refused(times)
    assert message.startswith("u_values has dtype datetime64[us], but real numbers are needed")
    counts = pasted(message, "exact differences pass (.*), counts of us", u_values=times)
    assert np.diff(counts.ravel()).tolist() == [3_600_000_000] * 2


def test_what_is_no_array_at_all():
    assert refused(pl().col("a")).endswith("; u_values is of class Expr")
    with pytest.raises(TypeError, match=r"^p must be in memory"):
        fastdiv.entropy(OnGPU(V))
    with pytest.raises(
        TypeError, match="p must be in memory that a CPU reads, not on CUDA device 1: pass a copy"
    ):
        fastdiv.entropy(type("Bare", (Tensor,), {"__dlpack_device__": lambda self: (2, 1)})(V))
    with pytest.raises(TypeError, match="p is a Tensor that NumPy cannot read: "):
        fastdiv.entropy(
            type("Tensor", (Tensor,), {"__dlpack_device__": lambda self: (1, 0), "__dlpack__": None})(V)
        )


def test_arrow_without_pyarrow(monkeypatch):
    stream = Stream(pl().Series(V))
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(
        TypeError, match=r"p is a Stream, whose Arrow data pyarrow reads: pip install 'fastdiv"
    ):
        fastdiv.entropy(stream)
    assert fastdiv.entropy(pl().Series(V)) == fastdiv.entropy(V)


# --- labels ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("other", ["pandas", "polars", "Arrow, table", "DuckDB, relation"])
def test_columns_of_a_relation_in_another_order(other):
    p, q = GETS[other][0](M), duck(M).select("c", "a", "b")
    want = fastdiv.js_distance(M, M[::-1])
    for library in (lambda p, q: fastdiv.js_distance(p, q), lambda p, q: fastdiv.knn(p, q, 1)[0]):
        for names, arguments in (("pq", (p, q)), ("qp", (q, p))):
            with pytest.raises(ValueError, match="labels that differ") as caught:
                library(*arguments)
            advice = re.search(r"for example (.*?)(?:, or pass .to_numpy\(\) of both)?$", str(caught.value))[
                1
            ]
            scope = dict(zip(("p", "q"), arguments, strict=True)) | dict(
                zip(("XA", "XB"), arguments, strict=True)
            )
            exec(advice, scope)
            left, right = ("p", "q") if " p" in advice or advice.startswith("q") else ("XA", "XB")
            assert np.all(np.asarray(library(scope[left], scope[right])) == 0), (names, want)


def test_labels_of_bins_of_xarray_in_knn():
    x = data_array(M).assign_coords(bin=list("abc"))
    with pytest.raises(ValueError, match="XA and XB have labels that differ"):
        fastdiv.knn(x, x[:, ::-1], 1)
