"""PyTorch's tensors in the functions of NumPy's arrays: read where they lie, or refused with what to do."""

import numpy as np
import pytest

import fastdiv

torch = pytest.importorskip("torch")
M = np.array([[3.0, 1.0, 2.0], [4.0, 0.0, 7.0], [1.0, 5.0, 5.0]])
CALLS = {
    "entropy": fastdiv.entropy,
    "js_distance": lambda x: fastdiv.js_distance(x, M[0]),
    "cdist": lambda x: fastdiv.cdist(x, M),
    "pdist": fastdiv.pdist,
    "knn": lambda x: fastdiv.knn(x, M, 2)[0],
    "wasserstein_distance": lambda x: fastdiv.wasserstein_distance(x, M),
    "wasserstein_hist": lambda x: fastdiv.wasserstein_hist(x, M[::-1]),
    "ks_distance": lambda x: fastdiv.ks_distance(M, x, axis=0),
}
of_each = pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)


@of_each
@pytest.mark.parametrize("dtype", ["float64", "float32", "float16", "int64", "uint8", "bool"])
def test_values(call, dtype):
    tensor = torch.from_numpy(M).to(getattr(torch, dtype))
    got, want = call(tensor), call(M.astype(dtype))
    assert isinstance(got, np.ndarray)
    assert got.dtype == want.dtype
    np.testing.assert_array_equal(got, want)
    np.testing.assert_array_equal(call(tensor.T.contiguous().T), want)


@of_each
def test_what_is_refused(call):
    ways = {
        torch.from_numpy(M).requires_grad_(): r"asks for no gradient, .* pass (\w+)\.detach\(\), or take",
        torch.from_numpy(M).to("meta"): r"NumPy cannot read|must be in memory that a CPU reads",
        torch.from_numpy(M).to(torch.bfloat16): "that NumPy cannot read: ",
        torch.from_numpy(M).to_sparse(): "that NumPy cannot read: ",
        torch.from_numpy(M) + 0j: "has dtype complex128",
    }
    for tensor, message in ways.items():
        with pytest.raises(TypeError, match=message):
            call(tensor)


def test_lists_of_tensors():
    rows = [torch.from_numpy(row) for row in M]
    np.testing.assert_array_equal(fastdiv.cdist(rows, rows), fastdiv.cdist(M, M))


def test_columns_of_a_mapping():
    tensor = torch.from_numpy(M[:, 0].copy())
    (column,) = fastdiv.compare({"x": tensor}, {"x": M[:, 0] + 1}).columns
    assert column.w1 == 1
    with pytest.raises(TypeError, match=r"baseline\['x'\] must be a tensor that asks for no gradient"):
        fastdiv.compare({"x": tensor.requires_grad_()}, {"x": M[:, 0]})
