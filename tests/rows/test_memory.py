"""Nothing outside a row is read: rows that end at a page which must not be touched, on every level."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from fastdiv import _core

BODY = """
import ctypes, mmap, warnings
import numpy as np
import fastdiv
import fastdiv.grad
from fastdiv.matrix.metric import METRICS
from calls import ROWWISE, call

warnings.simplefilter("ignore")  # rows of shares for samples

libc = ctypes.CDLL(None, use_errno=True)
PAGE = mmap.PAGESIZE


def guarded():
    # a page of data between two that must not be touched
    memory = mmap.mmap(-1, 3 * PAGE)
    address = ctypes.addressof(ctypes.c_char.from_buffer(memory))
    for page in (0, 2):
        assert libc.mprotect(ctypes.c_void_p(address + page * PAGE), PAGE, 0) == 0
    return memory


def at_the_end(memory, values, dtype):
    start = 2 * PAGE - values.size * np.dtype(dtype).itemsize
    row = np.frombuffer(memory, dtype, values.size, start)
    row[:] = values
    return row


def others(p, q):
    # whatever else takes two arrays: samples, histograms, derivatives, matrices
    for name in ("wasserstein_distance", "energy_distance", "cramer_distance", "ks_distance"):
        yield getattr(fastdiv, name)(p, q), getattr(fastdiv, name)(p, q, q, p)
    edges = np.arange(p.size + 1.0)
    yield fastdiv.wasserstein_distance(p, q, p, q, p=2), fastdiv.wasserstein_distance(p, q, p=np.inf)
    yield fastdiv.wasserstein_hist(p, q), fastdiv.wasserstein_hist(p, q, bin_edges=edges, p=2)
    yield fastdiv.wasserstein_circle(p, q), fastdiv.wasserstein_circle(p, q, p, q, p=2)
    for name in ROWWISE:
        yield call(fastdiv.grad, name, p, q)
    yield fastdiv.grad.wasserstein_distance(p, q, p, q, p=2), fastdiv.grad.energy_distance(p, q)
    yield fastdiv.grad.wasserstein_hist(p, q, bin_edges=edges, p=2), fastdiv.grad.wasserstein_hist(p, q)
    for name in METRICS:
        options = {"alpha": 2} if name == "renyi_divergence" else {}
        yield fastdiv.cdist(p[None], q[None], name, **options)
        yield fastdiv.knn(p[None], q[None], 1, name, **options)
    yield fastdiv.cdist(p[None], q[None], "wasserstein", samples=True)


def bits(results):
    return [np.asarray(x).tobytes() for x in flat(results)]


def flat(x):
    return [z for y in x for z in flat(y)] if isinstance(x, (tuple, list)) else [x]


fastdiv.set_num_threads(1)
left, right = guarded(), guarded()
rng = np.random.default_rng(0)
for n in range(1, 71):
    for dtype in ("f8", "f4"):
        p, q = (rng.random(n) + 0.01 for _ in range(2))
        a, b = at_the_end(left, p, dtype), at_the_end(right, q, dtype)
        for name in ROWWISE:
            expected = call(fastdiv, name, p.astype(dtype), q.astype(dtype))
            assert call(fastdiv, name, a, b) == expected, (name, n)
            call(fastdiv, name, np.log(p), np.log(q), log_input=True)
        if n < 20 or n % 5 == 0:
            assert bits(list(others(a, b))) == bits(list(others(p.astype(dtype), q.astype(dtype)))), n
        fastdiv.binary_entropy(a / 2)
        fastdiv.surprisal(b / 2)
# the first page: reversed rows start there
row = np.frombuffer(left, "f8", 37, PAGE)
row[:] = 1.0
assert fastdiv.entropy(row[::-1], base=2) > 5
print("untouched")
"""


@pytest.mark.skipif(sys.platform != "linux", reason="needs mprotect")
@pytest.mark.parametrize("level", _core.isa_levels())
def test_page_guards(level):
    """In a process of its own: what is wrong ends it."""
    truth = str(Path(__file__).parents[1] / "truth")
    path = os.pathsep.join(filter(None, [truth, os.environ.get("PYTHONPATH")]))  # of the build that is tested
    result = subprocess.run(
        [sys.executable, "-c", BODY],
        env={**os.environ, "FASTDIV_ISA": level, "PYTHONPATH": path},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert result.returncode == 0, f"exit {result.returncode}: {result.stderr}"
    assert result.stdout.strip() == "untouched"
