"""More than 2^31 elements, pairs and bytes: no index and no product of sizes is an int."""

import math

import numpy as np
import pytest

import fastdiv
from fastdiv._checks import memory
from fastdiv._checks.memory import available_memory

LONG = 2**31 + 8
ONE = np.broadcast_to(np.uint8(1), LONG)


def requires(size):
    if (available_memory() or 0) < size:
        pytest.skip(f"needs {size / 2**30:.0f} GiB of memory")


@pytest.mark.slow
def test_a_row_of_more_than_2_to_the_31():
    assert fastdiv.entropy(ONE) == pytest.approx(math.log(LONG), rel=1e-14)
    assert fastdiv.js_divergence(ONE, np.broadcast_to(np.uint8(3), LONG)) == 0.0
    assert fastdiv.kl_divergence(ONE.view("i1"), np.broadcast_to(np.int8(9), LONG), pseudocount=0.5) == 0.0


@pytest.mark.slow
def test_rows_of_more_than_2_to_the_31_together():
    rows = np.broadcast_to(np.array([1, 2, 5], "u1"), (2**30, 3))
    requires(2**33 + 2**31)
    found = fastdiv.kl_divergence(rows, np.array([3, 3, 2], "u1"))
    assert found.shape == (2**30,)
    assert found.min() == found.max() == fastdiv.kl_divergence([1, 2, 5], [3, 3, 2])


@pytest.mark.slow
def test_a_real_array_of_more_than_2_to_the_31_bytes():
    n = 2_200_000_000
    requires(3 * n)
    x = np.ones(n, np.uint8)
    x[-1] = 101
    exact = math.log(n + 100) - 101 / (n + 100) * math.log(101)
    assert fastdiv.entropy(x) == pytest.approx(exact, rel=1e-13)
    rows = fastdiv.total_variation(x.reshape(550, -1), x[: n // 550])
    assert np.all(rows[:-1] == 0)
    m = n // 550
    assert rows[-1] == pytest.approx(101 / (m + 100) - 1 / m, rel=1e-12)
    columns = fastdiv.entropy(x.reshape(20, -1), axis=0)
    assert np.all(columns[:-1] == columns[0])
    assert columns[-1] == fastdiv.entropy([1] * 19 + [101])


@pytest.mark.slow
def test_more_than_2_to_the_31_pairs():
    n = 47_000
    x = np.stack([np.arange(1.0, n + 1), np.full(n, float(n))], axis=1)
    distances, nearest = fastdiv.knn(x, x, 1)
    assert n * n > 2**31
    assert np.array_equal(nearest[:, 0], np.arange(n))
    assert not distances.any()
    last = fastdiv.cdist(x[-3:], x, "total_variation")
    assert np.array_equal(last[:, -3:], fastdiv.cdist(x[-3:], x[-3:], "total_variation"))


HUGE = np.broadcast_to(np.array([1.0, 2.0]), (2**33, 2))


@pytest.mark.parametrize(
    "call",
    [
        lambda: fastdiv.cdist(HUGE, HUGE),
        lambda: fastdiv.cdist(np.broadcast_to(1.0, (2**32, 2)), np.broadcast_to(1.0, (2**32, 2))),
        lambda: fastdiv.pdist(HUGE),
        lambda: fastdiv.entropy(np.broadcast_to(1.0, (2**44, 2))),
        lambda: fastdiv.js_divergence(np.broadcast_to(1.0, (2**44, 2)), [1.0, 2.0]),
        lambda: fastdiv.wasserstein_hist(np.broadcast_to(1.0, (2**44, 2)), [1.0, 2.0]),
    ],
    ids=range(6),
)
def test_what_cannot_fit_is_refused_before_work(call):
    """2^66 entries, or 2^67 bytes, are not 0 nor 4 after a product of 64 bits."""
    with pytest.raises((MemoryError, ValueError)):
        call()


@pytest.mark.skipif(available_memory() is None, reason="a kernel that does not say what is left")
@pytest.mark.parametrize("names", ["max current", "limit_in_bytes usage_in_bytes"])
def test_a_container_has_what_its_limit_leaves(monkeypatch, names):
    limit_file, usage_file = names.split()
    for limit, usage, left in ((1000, 400, 600), (1000, 1200, 0), (2**62, 0, None), (None, 5, None)):
        told = {f"memory.{limit_file}": limit, f"memory.{usage_file}": usage}
        monkeypatch.setattr(memory, "_number", lambda path, told=told: told.get(path.rsplit("/", 1)[1]))
        got = available_memory()
        assert got == left if left is not None else 2**20 < got < 2**60
