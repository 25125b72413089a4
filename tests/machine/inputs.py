"""Arrays and tables of every library that people have, of one matrix and one vector; and what is refused."""

from functools import cache

import numpy as np
import pytest

M = np.array([[3.0, 1.0, 2.0], [4.0, 0.0, 7.0], [1.0, 5.0, 5.0]])
GAPS = np.array([[3.0, 1.0, 2.0], [4.0, np.nan, 7.0], [1.0, 5.0, 5.0]])
NAMES = ("a", "b", "c")


def pd():
    return pytest.importorskip("pandas")


def pl():
    return pytest.importorskip("polars")


def pa():
    return pytest.importorskip("pyarrow")


def frame(m, dtype=None):
    """Of pandas, NaN being what the dtype has for it."""
    of = pd().DataFrame(m, columns=list(NAMES))
    return of if dtype is None else of.astype(dtype)


def arrow(m):
    gone = np.isnan(m)
    return pa().table({n: pa().array(c, mask=g) for n, c, g in zip(NAMES, m.T, gone.T, strict=True)})


@cache
def connection():
    return pytest.importorskip("duckdb").connect(config={"threads": 1})


def duck(m):
    """A relation of DuckDB, whose columns are decimals, integers (128 bits) and doubles."""

    def entry(x, kind):
        return "NULL" if np.isnan(x) else f"{x:.1f}::{kind}"

    kinds = ("DECIMAL(9, 2)", "HUGEINT", "DOUBLE")
    rows = ", ".join(f"({', '.join(map(entry, row, kinds))})" for row in m)
    return connection().sql(f"SELECT * FROM (VALUES {rows}) t(a, b, c)")


class Stream:
    """Nothing but Arrow's stream, of any library."""

    def __init__(self, held):
        self.held = held

    def __arrow_c_stream__(self, requested_schema=None):
        return self.held.__arrow_c_stream__(requested_schema)


class One:
    """Nothing but one array of Arrow."""

    def __init__(self, held):
        self.held = held

    def __arrow_c_array__(self, requested_schema=None):
        return self.held.__arrow_c_array__(requested_schema)


class Tensor:
    """Nothing but DLPack."""

    def __init__(self, held):
        self.held = held

    def __dlpack__(self, **options):
        return self.held.__dlpack__(**options)

    def __dlpack_device__(self):
        return self.held.__dlpack_device__()


class OnGPU(Tensor):
    """As PyTorch has them; of CuPy they have NumPy's functions, too."""

    def __dlpack_device__(self):
        return 2, 1

    def __array__(self, dtype=None, copy=None):
        raise TypeError("can't convert cuda:1 device type tensor to numpy.")

    def __array_function__(self, *_):
        raise AssertionError("not asked for")

    def cpu(self):
        return Tensor(self.held)


def data_array(m):
    return pytest.importorskip("xarray").DataArray(m, dims=("row", "bin"))


def dask(m):
    return pytest.importorskip("dask.array").from_array(m, chunks=m.shape)


def lazy(m):
    return pl().LazyFrame(dict(zip(NAMES, m.T, strict=True)))


def dataset(m):
    return pytest.importorskip("xarray").Dataset({n: ("row", c) for n, c in zip(NAMES, m.T, strict=True)})


def standard(m):
    return pytest.importorskip("array_api_strict").asarray(m)


# --- matrices ----------------------------------------------------------------------------------------------

GETS = {  # how it is made, and what NumPy has in its place
    "NumPy": (np.array, M),
    "NumPy, integers": (lambda m: m.astype(np.int16), M),
    "lists": (lambda m: m.tolist(), M),
    "pandas": (frame, M),
    "pandas, Int64": (lambda m: frame(m, "Int64"), M),
    "pandas, Int64 with NA": (lambda m: frame(m, "Int64"), GAPS),
    "pandas, Float64 with NA": (lambda m: frame(m, "Float64"), GAPS),
    "pandas, Float32": (lambda m: frame(m, "Float32"), M.astype(np.float32)),
    "pandas, boolean with NA": (
        lambda m: frame(m, "boolean"),
        np.array([[1, 0, 1], [np.nan, 1, 1], [0, 1, 1]]),
    ),
    "pandas, Arrow": (lambda m: frame(m, "double[pyarrow]"), M),
    "pandas, Arrow with NA": (lambda m: frame(m, "int64[pyarrow]"), GAPS),
    "pandas, some columns with NA": (lambda m: frame(m, {"b": "Int64"}), GAPS),
    "pandas, categories that are numbers": (lambda m: frame(m, "category"), M),
    "pandas, sparse": (lambda m: frame(m, "Sparse[float]"), M),
    "pandas, two columns of one name": (lambda m: frame(m, "Int64").set_axis(list("aab"), axis=1), M),
    "pandas, with labels": (lambda m: frame(m, "Int64").set_axis(list("xyz")).rename_axis("day"), M),
    "polars": (lambda m: pl().DataFrame(dict(zip(NAMES, m.T, strict=True))), M),
    "polars, nulls": (lambda m: pl().DataFrame(dict(zip(NAMES, m.T, strict=True)), nan_to_null=True), GAPS),
    "polars, decimals": (
        lambda m: pl().DataFrame(dict(zip(NAMES, m.T, strict=True))).cast(pl().Decimal(9, 2)),
        M,
    ),
    "Arrow, table": (arrow, M),
    "Arrow, table with nulls": (arrow, GAPS),
    "Arrow, batch": (lambda m: arrow(m).to_batches()[0], GAPS),
    "Arrow, chunks": (lambda m: pa().concat_tables([arrow(m[:1]), arrow(m[1:])]), GAPS),
    "Arrow, reader": (lambda m: arrow(m).to_reader(), GAPS),
    "Arrow, decimals": (
        lambda m: arrow(m).cast(pa().schema([(n, pa().decimal128(9, 2)) for n in NAMES])),
        GAPS,
    ),
    "Arrow, PyCapsule stream": (lambda m: Stream(arrow(m)), GAPS),
    "Arrow, PyCapsule array": (lambda m: One(arrow(m).to_batches()[0]), GAPS),
    "DuckDB, relation": (duck, M),
    "DuckDB, relation with NULL": (duck, GAPS),
    "xarray, DataArray": (data_array, M),
    "DLPack, CPU": (Tensor, M),
    "DLPack, CPU, float32": (Tensor, M.astype(np.float32)),
    "array API": (standard, M),
}
COLLECT = r"(p|XA|XB|X|u_values|v_values|u) is a LazyFrame, which is computed later: pass \1\.collect\(\)$"
COMPUTE = r"(p|XA|XB|X|u_values|v_values|u) is a( dask)? \w+, which is computed later: pass \1\.compute\(\)"
ON_GPU = r"(p|XA|XB|X|u_values|v_values|u) must be .* a CPU reads, not on CUDA device 1: pass \1\.cpu\(\)$"
SEVERAL = (
    r"(p|XA|XB|X|u_values|v_values|u) is a Dataset, which has several arrays: pass .* \1\.to_dataarray\(\)$"
)
REFUSED = {
    "polars, LazyFrame": (lazy, COLLECT),
    "xarray over Dask": (lambda m: data_array(dask(m)), COMPUTE),
    "xarray, Dataset": (dataset, SEVERAL),
    "Dask, data frame": (lambda m: pytest.importorskip("dask.dataframe").from_pandas(frame(m)), COMPUTE),
    "DLPack, GPU": (OnGPU, ON_GPU),
}
# --- vectors ----------------------------------------------------------------------------------------------

V, HOLES, TRUTHS = np.array([[3.0, 1.0, 2.0, 8.0], [3.0, 1.0, np.nan, 8.0], [1.0, 0.0, np.nan, 1.0]])
VECTORS = {
    "pandas": (lambda v: pd().Series(v), V),
    "pandas, Int64 with NA": (lambda v: pd().Series(v).astype("Int64"), HOLES),
    "pandas, boolean with NA": (lambda v: pd().Series(v).astype("boolean"), TRUTHS),
    "pandas, Arrow with NA": (lambda v: pd().Series(v).astype("double[pyarrow]"), HOLES),
    "pandas, decimals of Arrow": (lambda v: pd().Series(v).astype(pd().ArrowDtype(pa().decimal128(9, 2))), V),
    "pandas, array": (lambda v: pd().array(v).astype("Float64"), HOLES),
    "pandas, Index": (lambda v: pd().Index(v), HOLES),
    "polars": (lambda v: pl().Series(v, nan_to_null=True), HOLES),
    "polars, decimals": (lambda v: pl().Series(v).cast(pl().Decimal(9, 2)), V),
    "Arrow": (lambda v: pa().array(v, from_pandas=True), HOLES),
    "Arrow, chunks": (lambda v: pa().chunked_array([v[:3], v[3:]]), HOLES),
    "Arrow, no chunk with a value": (lambda v: pa().chunked_array([[], v, []], pa().float64()), V),
    "Arrow, halves": (lambda v: pa().array(v.astype(np.float16)), V.astype(np.float16)),
    "Arrow, runs": (lambda v: pa().RunEndEncodedArray.from_arrays([1, 2, 3, 4], pa().array(v)), V),
    "Arrow, dictionary": (lambda v: pa().array(v).dictionary_encode(), V),
    "PyCapsule array": (lambda v: One(pa().array(v, from_pandas=True)), HOLES),
    "PyCapsule stream": (lambda v: Stream(pa().chunked_array([v[:3], v[3:]])), V),
    "PyCapsule stream of halves": (
        lambda v: Stream(pa().chunked_array([pa().array(v.astype(np.float16), from_pandas=True)])),
        HOLES,
    ),
    "PyCapsule stream of a dictionary": (
        lambda v: Stream(pa().chunked_array([pa().array(v).dictionary_encode()])),
        V,
    ),
    "PyCapsule stream of truths": (lambda v: Stream(pa().chunked_array([pa().array(v.astype(bool))])), V > 1),
    "xarray": (lambda v: pytest.importorskip("xarray").DataArray(v), HOLES),
    "DLPack": (Tensor, HOLES),
    "DLPack, integers": (lambda v: Tensor(v.astype(np.uint8)), V),
}
