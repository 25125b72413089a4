"""Small matrices: no team of threads for what takes one of them some microseconds."""

import os
import subprocess
import sys

import pytest

CODE = """
import os
import numpy as np
import fastdiv
fastdiv.set_num_threads(2)
X = np.random.default_rng(0).random((200, 64))
before = len(os.listdir("/proc/self/task"))
for metric in ("js_distance", "kl_divergence", "total_variation", "triangular_discrimination"):
    fastdiv.cdist(X[:1], X[:100], metric)
    fastdiv.cdist(X[:100], X[:1], metric)
    fastdiv.knn(X[:1], X[:100], 3, metric)
small = len(os.listdir("/proc/self/task"))
fastdiv.cdist(X.repeat(10, axis=0), X, "triangular_discrimination")
print(small - before, len(os.listdir("/proc/self/task")) - before, fastdiv.num_threads())
"""


@pytest.mark.skipif(not os.path.exists("/proc/self/task"), reason="counts threads as Linux shows them")
def test_one_row_is_no_work_for_two_threads():
    """A tile that is one row high was once counted as a whole tile of 64."""
    run = subprocess.run([sys.executable, "-c", CODE], capture_output=True, text=True, check=True)
    small, large, threads = map(int, run.stdout.split())
    assert small == 0
    assert large == threads - 1
