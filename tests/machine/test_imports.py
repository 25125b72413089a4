"""What a first call imports: nothing but what it computes with."""

import subprocess
import sys

import pytest

UNWANTED = {"numpy.ma", "dataclasses", "difflib", "decimal", "inspect", "scipy", "pandas"}
CALLS = {
    "lists": "fastdiv.js_distance([1, 2], [2, 1]); fastdiv.entropy([[1, 2], [3, 4]])",
    "rows": "fastdiv.kl_divergence(x, x[:1], axis=-1); fastdiv.renyi_divergence(x, x, 2.0)",
    "samples": "fastdiv.wasserstein_distance([1, 2], [4, 5]); fastdiv.ks_distance(x, x)",
    "histograms": "fastdiv.wasserstein_hist([1, 2], [2, 1])",
    "cdist": "fastdiv.cdist(x, x); fastdiv.pdist(x); fastdiv.knn(x, x, 1)",
}
CODE = """
import sys
import numpy as np
x = np.ones((3, 4))
before = set(sys.modules)
import fastdiv
{call}
print(*(set(sys.modules) - before))
"""


@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS)
def test_first_calls(call):
    done = subprocess.run(
        [sys.executable, "-c", CODE.format(call=call)], capture_output=True, text=True, timeout=60, check=True
    )
    assert "fastdiv" in done.stdout.split()
    assert not UNWANTED & set(done.stdout.split())


def test_one_pair_of_vectors_needs_no_checks():
    """The short way imports neither conversions nor options: the first call that needs them does."""
    code = CODE.format(call="fastdiv.kl_divergence(x[0], x[1]); fastdiv.entropy(x[0], base=2, axis=0)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(done.stdout.split())
    assert {"fastdiv._rows", "fastdiv._divergences", "fastdiv._entropies"} <= loaded
    assert not [name for name in loaded if "_checks" in name or "_rowwise" in name or "_distances" in name]
