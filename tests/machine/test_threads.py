"""Threads that behave: the same bits for any number, limits that are respected, forks that do not hang."""

import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest
from calls import ROWWISE, call

import fastdiv
from fastdiv import _core, _rowwise, _threads

openmp = pytest.mark.skipif(not _core.openmp(), reason="a serial build has one thread")


@pytest.fixture
def rows():
    rng = np.random.default_rng(5)
    p, q = rng.dirichlet(np.full(300, 0.5), size=(2, 700))
    q[::7] = p[::7] * (1 + 1e-9 * rng.standard_normal(p[::7].shape))
    return p, q


@pytest.fixture(autouse=True)
def _default_threads():
    yield
    fastdiv.set_num_threads(None)


def run(code, **environment):
    """A fresh process, which has a minute."""
    result = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


@pytest.mark.parametrize("name", ROWWISE)
def test_same_bits_for_any_number(name, rows):
    results = []
    for n in (1, 2, 3, 7):
        fastdiv.set_num_threads(n)
        results.append(call(fastdiv, name, *rows))
    assert all(np.array_equal(results[0], other) for other in results[1:])


@pytest.mark.parametrize("n", [512 * 300 - 1, 512 * 300, 512 * 300 + 1])
def test_one_long_row_same_bits(n):
    """Its blocks of 512 bins are shared among threads, the last with all of its bins, be it only one."""
    p, q = np.random.default_rng(n).random((2, n))
    p[-1] = n
    results = []
    for threads in (1, 2, 3):
        fastdiv.set_num_threads(threads)
        results.append([call(fastdiv, name, p, q) for name in ROWWISE])
    assert results[0] == results[1] == results[2]


def test_stack_and_events_same_bits(rows):
    results = []
    for n in (1, 3):
        fastdiv.set_num_threads(n)
        stack = np.stack(rows, axis=1)
        results.append([fastdiv.js_divergence(stack), fastdiv.binary_entropy(rows[0])])
    for one, three in zip(*results, strict=True):
        assert np.array_equal(one, three)


@openmp
def test_set_num_threads():
    fastdiv.set_num_threads(3)
    assert fastdiv.num_threads() == 3
    fastdiv.set_num_threads(np.int64(1))
    assert fastdiv.num_threads() == 1
    fastdiv.set_num_threads(None)
    assert fastdiv.num_threads() >= 1


@pytest.mark.parametrize(
    ("n", "error"), [(0, ValueError), (-5, ValueError), (True, TypeError), (1.5, TypeError)]
)
def test_bad_number(n, error):
    with pytest.raises(error, match="number of threads"):
        fastdiv.set_num_threads(n)


@openmp
def test_environment():
    code = "import fastdiv; print(fastdiv.num_threads())"
    assert run(code, OMP_NUM_THREADS="1") == "1"
    assert run(code, OMP_NUM_THREADS="5") == "5"


@openmp
def test_threadpoolctl():
    threadpoolctl = pytest.importorskip("threadpoolctl")
    fastdiv.set_num_threads(None)
    before = fastdiv.num_threads()
    with threadpoolctl.threadpool_limits(1):
        assert fastdiv.num_threads() == 1
    assert fastdiv.num_threads() == before


@openmp
def test_threadpoolctl_lowers_what_was_asked():
    # OpenMP's own number must be more than 1 for it to be lowered
    code = """
        import fastdiv, threadpoolctl
        fastdiv.set_num_threads(4)
        with threadpoolctl.threadpool_limits(2):
            print(fastdiv.num_threads(), end=" ")
        print(fastdiv.num_threads())
    """
    assert run(code, OMP_NUM_THREADS="3") == "2 4"


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"/sys/fs/cgroup/cpu.max": "150000 100000\n"}, 2),
        ({"/sys/fs/cgroup/cpu.max": "max 100000\n"}, 0),
        ({"/sys/fs/cgroup/cpu.max": "50000 100000\n"}, 1),
        (
            {
                "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "-1\n",
                "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            0,
        ),
        (
            {
                "/sys/fs/cgroup/cpu/cpu.cfs_quota_us": "300000\n",
                "/sys/fs/cgroup/cpu/cpu.cfs_period_us": "100000\n",
            },
            3,
        ),
        ({}, 0),
        ({"/sys/fs/cgroup/cpu.max": "nonsense\n"}, 0),
    ],
)
def test_cpu_quota(monkeypatch, tmp_path, files, expected):
    real = open

    def fake(path, *args, **options):
        if str(path).startswith("/sys/fs/cgroup"):
            if path not in files:
                raise FileNotFoundError(path)
            target = tmp_path / "file"
            target.write_text(files[path])
            return real(target)
        return real(path, *args, **options)

    monkeypatch.setattr("builtins.open", fake)
    assert _threads._cpu_quota() == expected


@openmp
def test_quota_is_the_default(monkeypatch):
    monkeypatch.setattr(_threads, "_cpu_quota", lambda: 1)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    fastdiv.set_num_threads(None)
    assert fastdiv.num_threads() == 1
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    fastdiv.set_num_threads(None)
    assert fastdiv.num_threads() == _core.max_threads()


FORK = """
    import os, sys, warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, about threads and fork
    import numpy as np
    import fastdiv
    fastdiv.set_num_threads(2)
    p, q = np.random.default_rng(0).dirichlet(np.ones(200), size=(2, 3000))
    before = fastdiv.js_distance(p, q)  # in parallel
    child = os.fork()
    if child == 0:
        same = np.array_equal(before, fastdiv.js_distance(p, q)) and fastdiv.num_threads() == 1
        os._exit(0 if same else 3)
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), fastdiv.num_threads())
"""


@openmp
@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_forked_child_runs_serially():
    """libgomp hangs there with more than one thread."""
    assert run(FORK) == "0 2"


POOL = """
    import multiprocessing, warnings
    warnings.simplefilter("ignore", DeprecationWarning)
    import numpy as np
    import fastdiv

    def score(seed):
        p, q = np.random.default_rng(seed).dirichlet(np.ones(200), size=(2, 2000))
        return fastdiv.kl_divergence(p, q)

    if __name__ == "__main__":
        fastdiv.set_num_threads(2)
        expected = [score(seed) for seed in range(4)]
        with multiprocessing.get_context("fork").Pool(2) as pool:
            got = pool.map(score, range(4))
        print(all(np.array_equal(a, b) for a, b in zip(expected, got)))
"""


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_multiprocessing_pool():
    assert run(POOL) == "True"


def test_sixteen_python_threads(rows):
    expected = fastdiv.js_distance(*rows)
    results = [None] * 16

    def work(i):
        for _ in range(5):
            results[i] = fastdiv.js_distance(*rows)

    threads = [threading.Thread(target=work, args=(i,)) for i in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(np.array_equal(expected, result) for result in results)


def test_subnormals_survive_the_import():
    """-ffast-math in any library would flush them to zero in the whole process."""
    code = """
        import threading
        import numpy as np
        import fastdiv
        fastdiv.kl_divergence(np.ones((2000, 200)), np.ones(200))
        found = [5e-324 * 1.0 != 0.0, (np.array([5e-324]) * 1.0)[0] != 0.0]
        thread = threading.Thread(target=lambda: found.append((np.full(9, 5e-324) * 1.0).all()))
        thread.start()
        thread.join()
        print(all(found))
    """
    assert run(code) == "True"


def test_isa_levels():
    assert _core.isa_levels()[0] == "base"
    assert _core.isa() in _core.isa_levels()
    for level in _core.isa_levels():
        assert run("from fastdiv import _core; print(_core.isa())", FASTDIV_ISA=level) == level


@pytest.mark.parametrize("level", ["foo", "AVX2", "avx513"])
def test_unknown_isa(level):
    code = """
        try:
            import fastdiv
            fastdiv.entropy([1, 2])
        except ImportError as error:
            print(error)
    """
    said = run(code, FASTDIV_ISA=level)
    assert repr(level) in said
    assert "is not a level" in said
    assert "base" in said


def test_show_config(capsys):
    fastdiv.show_config()
    said = capsys.readouterr().out
    for word in (fastdiv.__version__, _core.isa(), "OpenMP", "threads", "numpy", np.__version__):
        assert word in said


LONG_CALLS = {
    "rows": "fastdiv.js_distance(np.broadcast_to(p, (10_000_000, 500)), q)",
    "entropy": "fastdiv.entropy(np.broadcast_to(p, (40_000_000, 500)))",
    "stack": "fastdiv.js_divergence(np.broadcast_to(np.stack([p, q, p]), (4_000_000, 3, 500)))",
    "transport": "fastdiv.wasserstein_distance(np.tile(p, (60_000, 1)), q, p, q, p=3)",
    "histograms": "fastdiv.wasserstein_hist(np.tile(p, (60_000, 1)), q)",
}


@pytest.mark.parametrize("call", LONG_CALLS)
def test_ctrl_c(call):
    """Half a second is the aim; where others use the machine too, it is only not to wait for the end."""
    waited = run(
        f"""
        import os, signal, threading, time
        import numpy as np, fastdiv
        p, q = np.random.default_rng(0).random((2, 500))
        fastdiv.set_num_threads(1)
        def interrupt():
            time.sleep(0.4)
            sent.append(time.monotonic())
            os.kill(os.getpid(), signal.SIGINT)
        sent = []
        threading.Thread(target=interrupt, daemon=True).start()
        try:
            {LONG_CALLS[call]}
        except KeyboardInterrupt:
            print(time.monotonic() - sent[0])
        else:
            print("not interrupted")
        """
    )
    assert float(waited) < 3.0


@pytest.mark.parametrize("name", ROWWISE)
def test_blocks_of_rows_are_the_rows(name, monkeypatch):
    """Long work goes by blocks along the longest axis: cast or not, broadcast, with values missing."""
    rng = np.random.default_rng(0)
    p, q = rng.integers(1, 50, (2, 3, 40, 30))
    cases = [
        ({}, p, q),
        ({}, p.astype("i4"), q.astype("f2")),
        ({}, p.astype(">f8"), q[0].astype("i2")),
        ({}, p[0, 0], q.astype("f4")),
        ({}, p[:, :1].astype("f4"), q[1].astype("f4")),
        ({"axis": 0}, p, q),
        ({"axis": 1, "keepdims": True}, p.astype(bool), q.astype(bool)),
        ({"nan_policy": "omit"}, np.where(p == 7, np.nan, p).astype("f4"), q.astype("f4")),
    ]
    whole = [call(fastdiv, name, a, b, **options) for options, a, b in cases]
    monkeypatch.setattr(_rowwise, "CAST_BLOCK", 70)
    monkeypatch.setattr(_rowwise, "LONG_BLOCK", 70)
    for (options, a, b), expected in zip(cases, whole, strict=True):
        got = call(fastdiv, name, a, b, **options)
        assert got.dtype == expected.dtype
        assert np.array_equal(got, expected)


def test_blocks_of_stacks(monkeypatch):
    stack = np.random.default_rng(0).integers(1, 50, (50, 3, 20)).astype("f4")
    expected = fastdiv.js_divergence(stack), fastdiv.js_divergence(stack.astype("i8"), weights=[1, 2, 3])
    monkeypatch.setattr(_rowwise, "CAST_BLOCK", 100)
    monkeypatch.setattr(_rowwise, "LONG_BLOCK", 100)
    assert np.array_equal(fastdiv.js_divergence(stack), expected[0])
    assert np.array_equal(fastdiv.js_divergence(stack.astype("i8"), weights=[1, 2, 3]), expected[1])
