"""What a type checker says of programs that use fastdiv: nothing of right ones, a word on each mistake."""

import re
import sys
import typing

import pytest

from fastdiv import _typing, matrix

GOOD = """
from typing import Literal
import numpy as np
from numpy.typing import NDArray
import pandas as pd
import polars as pl
import fastdiv
from fastdiv import reference
from fastdiv.compat import scipy
from fastdiv.testing import assert_same_distribution

p: NDArray[np.float64] = np.ones(4)
q: NDArray[np.float32] = np.ones(4, np.float32)
counts: NDArray[np.int64] = np.arange(4)
table = np.ones((3, 4))
out = np.empty(3)
fastdiv.js_distance(p, q)
fastdiv.js_distance([1, 2, 3], (0.5, 0.25, 0.25))
fastdiv.js_distance([[1, 2], [3, 4]], [[True, False], [False, True]])
fastdiv.js_divergence(table, weights=[0.2, 0.3, 0.5], base=2)
fastdiv.kl_divergence(pd.Series([1.0, 2.0]), pl.Series([1, 2]), nan_policy="omit")
fastdiv.kl_divergence(pd.DataFrame({"a": [1]}), [p, p], axis=0)
fastdiv.entropy(counts > 1, keepdims=True, base=2.0)
fastdiv.renyi_divergence(table, table, 2, out=out)
fastdiv.surprisal(0.5)
fastdiv.chi_square(range(4), [np.float32(1.0)] * 4)
mean: float = float(fastdiv.total_variation(table, p).mean())
if fastdiv.hellinger_distance(p, q) < 0.1:
    pass
reference.js_distance(p, [1, 2, 3, 4])
fastdiv.wasserstein_distance(p, [1, 2, 3], p=2)
fastdiv.energy_distance(counts, q, u_weights=p, keepdims=True)
fastdiv.wasserstein_hist(p, [1, 2, 3, 4], bin_edges=[0.0, 1, 2, 3, 4])
circle: float = fastdiv.wasserstein_circle(p, p, period=24)
sliced: float = fastdiv.sliced_wasserstein(table, [[1, 2, 3, 4]], seed=np.random.default_rng(1))
cost: float = fastdiv.transport_plan(p, [1, 2]).cost
fastdiv.grad.wasserstein_distance(p, pd.Series([1.0])).u_values.sum()
fastdiv.grad.wasserstein_distance(table, p, axis=0, keepdims=True, nan_policy="omit").value.sum()
fastdiv.grad.energy_distance(table, p, axis=-1, assume_sorted=True).v_weights.sum()
fastdiv.grad.wasserstein_hist(table, p, support=range(4), axis=-1, normalize=False, p=2).u.sum()
fastdiv.cross_entropy(p, p, log_input="q")
fastdiv.grad.cross_entropy(p, p, log_input="q", base=2).q.sum()
fastdiv.grad.kl_divergence(table, p, axis=-1).value
fastdiv.grad.minimax_value(table, [1, 2, 3, 4], base=2, keepdims=True).q.sum()
fastdiv.grad.saturating_loss(table, p, d=p / 2, log_input=True).p.sum()
fastdiv.grad.js_distance(table, weights=[0.2, 0.3, 0.5]).p.sum()
fastdiv.cdist(table, table)[0, 0] + 1
fastdiv.cdist(table, [[1, 2, 3, 4]], "renyi_divergence", alpha=2, base=2, workers=-1, out=np.empty((3, 1)))
fastdiv.cdist(table, table, "js_divergence", weights=[0.2, 0.8], nan_policy="raise", pseudocount=1)
fastdiv.cdist(pd.DataFrame({"a": [1]}), table, "wasserstein", samples=True, p=np.inf)
fastdiv.cdist(table, table, out=np.load("D.npy", mmap_mode="r+"))
fastdiv.pdist(table, "wasserstein", support=range(4), out=np.empty(3, np.float32))
distances, indices = fastdiv.knn(table, table, 2, "kl_divergence", base=None)
nearest: NDArray[np.intp] = indices
metrics: tuple[Literal["js_distance", "wasserstein"], ...] = ("js_distance", "wasserstein")
for metric in metrics:
    fastdiv.cdist(table, table, metric, nan_policy="raise")
    fastdiv.pdist(table, metric, pseudocount=1, workers=2)
fastdiv.knn(table, table, 1, "wasserstein", samples=False, support=range(4))
index = fastdiv.Index(table, log_input=True, normalize=True)
index.query(table, 1, workers=1)[0].mean()
reference.cdist(table, table, "renyi_divergence", alpha=2)
assert_same_distribution(p, [1, 2, 3], alpha=0.01, seed=np.random.default_rng(1))
assert_same_distribution(counts, [1, 2, 3, 4], counts=True, statistic="psi")
scipy.entropy(table, axis=None, base=2, keepdims=True)
scipy.cdist(table, table, "jensenshannon")[0, 0]
scipy.ks_2samp(p, q, "less", nan_policy="omit").statistic
"""

BAD = """
import numpy as np
import fastdiv
from fastdiv import reference, testing
from fastdiv.compat import scipy

p = np.ones(4)
fastdiv.js_distance("a", p)
fastdiv.js_distance(p, object())
fastdiv.js_distance(p, ["a", "b"])
fastdiv.js_distance([["a"], ["b"]], p)
fastdiv.js_distance(p, None, nan_policy="omitt")
fastdiv.kl_divergence(p)
fastdiv.kl_divergence(p, p, nan_policy="skip")
fastdiv.kl_divergence(p, p, normalise=True)
fastdiv.kl_divergence(p, p, base="2")
fastdiv.kl_divergence(p, p, log_input="q")
fastdiv.cross_entropy(p, p, log_input="p")
fastdiv.grad.kl_divergence(p, p, out=None)
fastdiv.grad.chi_square(p, p, base=2)
fastdiv.grad.saturating_loss(p, object())
fastdiv.grad.non_saturating_loss(p, p, d="a")
fastdiv.grad.minimax_value(p, p, nan_policy="omit")
fastdiv.grad.cramer_distance(p, p, p=2)
fastdiv.grad.js_divergence(p, p, [0.5, 0.5])
fastdiv.kl_divergence(p, p, out=[0.0])
fastdiv.entropy(None)
fastdiv.entropy(p, axis="0")
fastdiv.entropy(p + 1j)
fastdiv.renyi_divergence(p, p, "2")
fastdiv.chi_square(p, {1.0: 2.0})
fastdiv.entropy(p).nothing
reference.entropy("a")
fastdiv.wasserstein_distance("a", p)
fastdiv.wasserstein_distance(p, p, p="2")
fastdiv.wasserstein_distance(p, p, nan_policy="omitt")
fastdiv.energy_distance(p, object())
fastdiv.wasserstein_hist(p, p, support="abc")
fastdiv.wasserstein_circle(p, "a")
fastdiv.sliced_wasserstein([p], [p], seed="a")
fastdiv.transport_plan(p, ["a"])
fastdiv.grad.wasserstein_distance(object(), p)
fastdiv.grad.wasserstein_hist(p, p, bin_edges="abc")
fastdiv.cdist([p], "a")
fastdiv.cdist([p], [p], "kl")
fastdiv.cdist([p], [p], "renyi_divergence", alpa=2)
fastdiv.cdist([p], [p], base="2")
fastdiv.cdist([p], [p], nan_policy="omitt")
fastdiv.cdist([p], [p], nan_policy="omit")
fastdiv.cdist([p], [p], "wasserstein", samples="yes")
fastdiv.cdist([p], [p], "wasserstein", support=3)
fastdiv.cdist([p], [p], axis=0)
fastdiv.cdist([p], [p], out=[[0.0]])
fastdiv.cdist([p], [p], out=np.empty((1, 1), np.int64))
fastdiv.cdist([p], [p], workers="all")
fastdiv.cdist([p], [p], samples=True)
fastdiv.cdist([p], [p], "js_distance", samples=True)
fastdiv.cdist([p], [p], "js_distance", samples=False)
fastdiv.cdist([p], [p], "total_variation", support=range(4))
fastdiv.cdist([p], [p], "wasserstein", normalize=False)
fastdiv.cdist([p], [p], "wasserstein", base=2)
fastdiv.pdist([p], "kl_divergence")
fastdiv.pdist([p], "hellinger_distance", samples=True)
fastdiv.knn([p], [p], 1, "kl_divergence", samples=True)
fastdiv.Index([p], "chi_square", samples=True)
reference.cdist([p], [p], "js_distance", samples=True)
reference.pdist([p], samples=True)
reference.knn([p], [p], 1, p=2)
fastdiv.pdist([p], keepdims=True)
fastdiv.knn([p], [p], "1")
fastdiv.knn([p], [p], 1, "js_distance", bass=2)
fastdiv.Index([p], "euclidean")
fastdiv.Index([p], "wasserstein", samples=1.5)
fastdiv.Index([p]).query([p], k="1")
reference.pdist([p], "chi_square")
reference.knn([p], [p], 1, alpa=2)
testing.assert_same_distribution(p, "a")
testing.assert_same_distribution(p, p, alpha="a")
scipy.entropy(p, bass=2)
scipy.jensenshannon(p, p, 2, 0)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Not the source tree, whose modules mypy would take for the program's own, and mark."""
    with pytest.MonkeyPatch.context() as patch:
        folder = tmp_path_factory.mktemp("types")
        patch.chdir(folder)
        yield folder


def complaints(program, folder):
    """The lines that mypy marks, from 1."""
    api = pytest.importorskip("mypy.api")
    (folder / "program.py").write_text(program)
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    options = ["--strict", "--config-file=", "--ignore-missing-imports", "--python-version", version]
    said, errors, _ = api.run([*options, "--cache-dir=cache", "program.py"])
    assert not errors, errors
    assert all(line.startswith("program.py") for line in said.splitlines()[:-1]), said
    return {int(line) for line in re.findall(r"program\.py:(\d+): error", said)}, said


def test_right_programs_pass(folder):
    marked, said = complaints(GOOD, folder)
    assert not marked, said


def test_each_mistake_is_reported(folder):
    mistakes = {
        i
        for i, line in enumerate(BAD.splitlines(), 1)
        if line.startswith(("fastdiv.", "reference.", "index.", "testing.", "scipy."))
    }
    marked, said = complaints(BAD, folder)
    assert marked == mistakes, said


def test_names():
    symmetric = {name for name, metric in matrix.METRICS.items() if metric.symmetric}
    assert set(typing.get_args(_typing.SymmetricName)) == symmetric
    assert set(typing.get_args(_typing.MetricName)) == set(matrix.METRICS)
    options = {name for metric in matrix.METRICS.values() for name in metric.options}
    assert options == set(_typing.MetricOptions.__annotations__)
