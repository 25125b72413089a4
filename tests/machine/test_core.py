"""One state for all extensions: limits and forks hold for those that are imported late, and so do levels."""

import os
import subprocess
import sys
import textwrap

import numpy as np
import pytest

import fastdiv
from fastdiv import _core

openmp = pytest.mark.skipif(not _core.openmp(), reason="a serial build has one thread")

ROWS = """
    import os, sys, threading, time, warnings
    import numpy as np
    warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, about threads and fork
    import fastdiv
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(200), size=(2, 2000))
    u, v = rng.normal(size=(2, 300_000))
    calls = {
        "rows": lambda: fastdiv.js_divergence(p, q),
        "matrix": lambda: fastdiv.cdist(p[:300], q[:300]),
        "nearest": lambda: fastdiv.knn(p[:300], q, 3)[0],
        "samples": lambda: fastdiv.wasserstein_distance(u, v),
        "rows of samples": lambda: fastdiv.wasserstein_distance(p, p[::-1], p, q),
        "histograms": lambda: fastdiv.wasserstein_hist(p, q),
        "gradients": lambda: fastdiv.grad.js_divergence(p, q).p,
        "samples of two sizes": lambda: fastdiv.cdist(p[:100], q[:100, :150], "wasserstein", samples=True),
    }
"""
CALLS = (
    *("rows", "matrix", "nearest", "samples", "rows of samples", "histograms"),
    *("gradients", "samples of two sizes"),
)


def run(code, *args, timeout=60, **environment):
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(ROWS) + textwrap.dedent(code), *args],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert result.returncode == 0, (result.returncode, result.stderr)
    assert not result.stderr
    return result.stdout.strip()


@openmp
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
@pytest.mark.parametrize("call", CALLS)
def test_first_call_in_a_forked_child(call):
    """The extension is loaded in the child, after a parallel region of the parent: libgomp would hang."""
    code = """
        import signal
        fastdiv.set_num_threads(2)
        calls["rows"]()
        child = os.fork()
        if child == 0:
            signal.alarm(20)
            np.save(sys.argv[2], calls[sys.argv[1]]())
            os._exit(0 if fastdiv.num_threads() == 1 else 3)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert np.array_equal(np.load(sys.argv[2]), calls[sys.argv[1]]())
    """
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        run(code, call, os.path.join(folder, "child.npy"))


@openmp
@pytest.mark.skipif(not os.path.isdir("/proc/self/task"), reason="needs /proc")
@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("early", [True, False])
def test_threadpoolctl_lowers_every_extension(call, early):
    """OpenMP says 3, the user 4, then threadpoolctl 2: that is one thread more than the one there is."""
    pytest.importorskip("threadpoolctl")
    code = """
        import threadpoolctl
        from fastdiv import _core
        if sys.argv[2] == "True":
            from fastdiv import _matrix, _rows, _wasserstein
        fastdiv.set_num_threads(4)
        with threadpoolctl.threadpool_limits(2, user_api="openmp"):
            before = len(os.listdir("/proc/self/task"))
            calls[sys.argv[1]]()
            print(len(os.listdir("/proc/self/task")) - before)
    """
    assert run(code, call, str(early), OMP_NUM_THREADS="3") == "1"


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("threads", ["1", "2"])
def test_the_interpreter_ends_while_a_daemon_thread_computes(call, threads):
    code = """
        def forever():
            while True:
                calls[sys.argv[1]]()
        fastdiv.set_num_threads(int(sys.argv[2]))
        calls[sys.argv[1]]()
        for _ in range(2):
            threading.Thread(target=forever, daemon=True).start()
        time.sleep(0.05)
    """
    run(code, call, threads)


def test_level_at_run_time(level):
    assert _core.isa() == level
    p, q = np.random.default_rng(0).dirichlet(np.ones(100), size=(2, 5))
    expected = (p * np.log(p / q)).sum(axis=1)
    np.testing.assert_allclose(fastdiv.kl_divergence(p, q), expected, rtol=1e-10)
    np.testing.assert_allclose(fastdiv.cdist(p, q, "kl_divergence").diagonal(), expected, rtol=1e-10)


def test_unknown_level_at_run_time():
    before = _core.isa()
    with pytest.raises(ValueError, match="isa='sse9' is not a level; this CPU has base"):
        _core.choose_isa("sse9")
    assert _core.isa() == before


def test_one_extension_has_the_loops():
    """The others attach: what they export of the state is nothing."""
    from fastdiv import _matrix, _rows, _wasserstein

    for module in (_rows, _matrix, _wasserstein):
        assert not hasattr(module, "limit_threads")
        assert not hasattr(module, "isa")
