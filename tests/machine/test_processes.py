"""Processes and threads in every arrangement: children of parallel parents, imports in any order, callers."""

import itertools
import os
import subprocess
import sys
import textwrap
import threading

import numpy as np
import pytest

import fastdiv
from fastdiv import _core

openmp = pytest.mark.skipif(not _core.openmp(), reason="a serial build has one thread")
slow = pytest.mark.slow

SCRIPT = """
    import os, sys, warnings
    warnings.simplefilter("ignore", DeprecationWarning)  # Python's own, about threads and fork
    os.environ.pop("OMP_NUM_THREADS", None)
    import numpy as np

    def score(seed):
        import fastdiv
        fastdiv.set_num_threads(2)
        p, q = np.random.default_rng(seed).dirichlet(np.ones(100), size=(2, 1500))
        return np.concatenate([
            fastdiv.js_divergence(p, q),
            fastdiv.cdist(p[:40], q[:40]).ravel(),
            [fastdiv.wasserstein_distance(p.ravel(), q.ravel())],
            fastdiv.grad.kl_divergence(p[:300], q[:300]).p.ravel(),
        ])

    def same(results):
        return all(np.array_equal(a, b) for a, b in zip(results, map(score, range(4)), strict=True))
"""


def run(code, *words, tmp_path, timeout=120, **environment):
    """A script in a file, as spawn and forkserver want it, which has two minutes."""
    path = tmp_path / "script.py"
    path.write_text(textwrap.dedent(SCRIPT) + textwrap.dedent(code))
    done = subprocess.run(
        [sys.executable, path, *words],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=timeout,
    )
    assert done.returncode == 0, (done.returncode, done.stderr)
    return done.stdout.strip(), done.stderr.strip()


METHODS = ["fork", pytest.param("spawn", marks=slow), pytest.param("forkserver", marks=slow)]


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pool", ["Pool", pytest.param("ProcessPool", marks=slow)])
@pytest.mark.parametrize("before", ["parallel", pytest.param("nothing", marks=slow)])
def test_pools(method, pool, before, tmp_path):
    code = """
        if __name__ == "__main__":
            import multiprocessing
            from concurrent.futures import ProcessPoolExecutor
            method, pool, before = sys.argv[1:]
            if before == "parallel":
                score(0)
            context = multiprocessing.get_context(method)
            if pool == "Pool":
                with context.Pool(2) as workers:
                    print(same(workers.map(score, range(4))))
            else:
                with ProcessPoolExecutor(2, mp_context=context) as workers:
                    print(same(workers.map(score, range(4))))
    """
    assert run(code, method, pool, before, tmp_path=tmp_path) == ("True", "")


@slow
@pytest.mark.parametrize("backend", ["loky", "multiprocessing", "threading"])
def test_joblib(backend, tmp_path):
    pytest.importorskip("joblib")
    code = """
        if __name__ == "__main__":
            import joblib
            score(0)
            with joblib.parallel_config(backend=sys.argv[1], n_jobs=2):
                print(same(joblib.Parallel()(joblib.delayed(score)(seed) for seed in range(4))))
    """
    assert run(code, backend, tmp_path=tmp_path) == ("True", "")


def test_fork_from_a_thread_while_another_computes(tmp_path):
    """The child has one thread, and its lists of OpenMP's threads are as the fork found them."""
    code = """
        import signal, threading, time
        expected = score(0)
        done = threading.Event()

        def forever():
            while not done.is_set():
                score(1)

        found = []

        def fork():
            for _ in range(4):
                child = os.fork()
                if child == 0:
                    signal.alarm(40)
                    os._exit(0 if np.array_equal(score(0), expected) else 3)
                found.append(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))

        threads = [threading.Thread(target=forever) for _ in range(2)] + [threading.Thread(target=fork)]
        for thread in threads:
            thread.start()
        threads[-1].join()
        done.set()
        print(found)
    """
    assert run(code, tmp_path=tmp_path) == ("[0, 0, 0, 0]", "")


OTHERS = {
    "numpy": "np.linalg.eigh(np.eye(200))",
    "sklearn": "__import__('sklearn.cluster').cluster.KMeans(2, n_init=1).fit(np.random.rand(2000, 4))",
    "scipy": "__import__('scipy.linalg').linalg.svd(np.random.rand(200, 200))",
    "fastdiv": "score(0)",
}
ORDERS = [("sklearn", "fastdiv"), ("fastdiv", "sklearn")]


@pytest.mark.parametrize(
    "order",
    [*ORDERS, *(pytest.param(o, marks=slow) for o in itertools.permutations(OTHERS) if o not in ORDERS)],
    ids=" ".join,
)
def test_imports_in_any_order(order, tmp_path):
    """Each computes before the next is imported, then a child of all of them computes."""
    for name in order:
        pytest.importorskip(name)
    code = """
        import signal
        for work in sys.argv[1:]:
            eval(work)
        child = os.fork()
        if child == 0:
            signal.alarm(60)
            os._exit(0 if np.array_equal(score(0), score(0)) else 3)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), len(score(0)))
    """
    found, _ = run(code, *(OTHERS[name] for name in order), tmp_path=tmp_path)
    assert found.startswith("0 ")


@openmp
def test_first_import_in_a_child_of_another_library_of_openmp(tmp_path):
    """The parent's parallel region was another's, of the same libgomp, whose threads the child has lost."""
    code = """
        import ctypes, signal, subprocess
        source = "int go(void){int n=0;\\n#pragma omp parallel num_threads(3) reduction(+:n)\\nn++;return n;}"
        if subprocess.run(["cc", "-shared", "-fPIC", "-fopenmp", "-x", "c", "-", "-o", "./go.so"],
                          input=source, text=True, stderr=subprocess.DEVNULL).returncode:
            sys.exit("no compiler")
        assert ctypes.CDLL("./go.so").go() == 3
        child = os.fork()
        if child == 0:
            signal.alarm(40)
            score(0)
            os._exit(0)
        print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
    """
    before = os.getcwd()
    os.chdir(tmp_path)
    try:
        assert run(code, tmp_path=tmp_path) == ("0", "")
    finally:
        os.chdir(before)


@pytest.mark.parametrize("word", ["", "0", "-1", "abc", "2,1", "999999999"])
def test_odd_numbers_of_threads(word, tmp_path):
    """libgomp has its own line to say of some."""
    code = """
        import fastdiv
        p, q = np.random.default_rng(0).dirichlet(np.ones(100), size=(2, 4000))
        print(1 <= fastdiv.num_threads() <= 1024, fastdiv.js_divergence(p, q).sum().hex())
    """
    code = code.replace("import fastdiv", f"os.environ['OMP_NUM_THREADS'] = {word!r}; import fastdiv")
    p, q = np.random.default_rng(0).dirichlet(np.ones(100), size=(2, 4000))
    assert run(code, tmp_path=tmp_path)[0] == f"True {fastdiv.js_divergence(p, q).sum().hex()}"


def test_a_subinterpreter_works_or_says_why(tmp_path):
    """NumPy may refuse one; the process and the main interpreter go on."""
    code = """
        try:
            import _interpreters as interpreters
        except ImportError:
            import _xxsubinterpreters as interpreters
        expected = score(0)
        made = interpreters.create()
        words = "import fastdiv; x = fastdiv.js_divergence([1.0, 2.0], [2.0, 1.0]); assert 0.05 < x < 0.06"
        told = ""
        try:
            failed = interpreters.run_string(made, words)
            told = str(failed or "")
        except Exception as error:
            told = str(error)
        print(told if told and "Import" not in told and "nterpreter" not in told else "fine")
        assert np.array_equal(score(0), expected)
        interpreters.destroy(made)
        assert np.array_equal(score(0), expected)
    """
    assert run(code, tmp_path=tmp_path)[0] == "fine"


# --- many threads of Python --------------------------------------------------------------------------------


def calls():
    rng = np.random.default_rng(0)
    p, q = rng.dirichlet(np.ones(60), size=(2, 400))
    u, v = rng.normal(size=(2, 30_000))
    table = {"a": u[:3000], "b": rng.integers(0, 9, 3000)}
    return {
        "rows": lambda: fastdiv.js_divergence(p, q),
        "counts": lambda: fastdiv.kl_divergence((p * 1e4).astype("i4"), (q * 1e4).astype("i4") + 1),
        "columns": lambda: fastdiv.entropy(p, axis=0),
        "gradient": lambda: fastdiv.grad.js_divergence(p, q).p,
        "cdist": lambda: fastdiv.cdist(p[:60], q[:60]),
        "knn": lambda: fastdiv.knn(p[:40], q, 3)[0],
        "W1": lambda: fastdiv.wasserstein_distance(u, v),
        "W2": lambda: fastdiv.wasserstein_distance(u, v, p=2),
        "energy": lambda: fastdiv.energy_distance(u, v),
        "circle": lambda: fastdiv.wasserstein_circle(u[:900], v[:900], period=1.0),
        "histograms": lambda: fastdiv.wasserstein_hist(p, q),
        "plan": lambda: fastdiv.transport_plan(u[:900], v[:900]).cost,
        "barycenter": lambda: fastdiv.wasserstein_barycenter([u[:900], v[:900]])[0],
        "compare": lambda: str(fastdiv.compare(table, {k: x[::-2] for k, x in table.items()}).to_dict()),
    }


@pytest.mark.parametrize("name", calls())
def test_sixteen_python_threads(name):
    """The same bits from all at once, whichever levels of parallelism meet."""
    call = calls()[name]
    expected, wrong = call(), []
    ready = threading.Barrier(16)

    def work():
        ready.wait()
        for _ in range(3):
            if not np.array_equal(call(), expected):
                wrong.append(name)

    threads = [threading.Thread(target=work) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


CHANGED = """
    import threading, time
    import fastdiv
    rng = np.random.default_rng(int(sys.argv[2]))
    p, q = rng.random((2, 300, 400))
    counts = rng.integers(0, 9, (2, 300, 400))
    u, v, w = rng.normal(size=60_000), rng.normal(size=50_000), rng.random(60_000)
    odd = [0.0, -0.0, np.nan, np.inf, -np.inf, -1.0, 5e-324, 1e308, 1e-300, 7.0]
    end = time.monotonic() + float(sys.argv[3])

    def change():
        mine = np.random.default_rng()
        while time.monotonic() < end:
            for x in (p, q, counts, u, v, w):
                flat, place = x.reshape(-1), mine.integers(0, x.size - 400)
                if x.dtype.kind == "f":
                    flat[place:place + mine.integers(1, 400)] = mine.choice(odd)
                    flat[mine.integers(0, x.size, 99)] = mine.random(99)
                else:
                    flat[place:place + 300] = mine.integers(-(2**62), 2**62, 300)
                    flat[:] = np.where(mine.random() < 0.5, flat, mine.integers(0, 9, flat.size))

    calls = {
        "rows": lambda: fastdiv.js_divergence(p, q),
        "KL": lambda: fastdiv.kl_divergence(p, q, pseudocount=0.5),
        "Renyi": lambda: fastdiv.renyi_divergence(p, q, 0.3),
        "omitted": lambda: fastdiv.js_distance(p, q, nan_policy="omit"),
        "columns": lambda: fastdiv.hellinger_distance(p, q, axis=0),
        "counts": lambda: fastdiv.chi_square(counts[0], counts[1]),
        "stack": lambda: fastdiv.js_divergence(np.swapaxes(p.reshape(100, 3, 400), 0, 0)),
        "gradient": lambda: fastdiv.grad.js_divergence(p, q),
        "cdist": lambda: fastdiv.cdist(p[:60], q[:60]),
        "cdist of samples": lambda: fastdiv.cdist(p[:30], q[:30, :300], "wasserstein", samples=True),
        "knn": lambda: fastdiv.knn(p[:60], q, 3),
        "W1": lambda: fastdiv.wasserstein_distance(u, v),
        "W1 weighted": lambda: fastdiv.wasserstein_distance(u, v, w, np.ones(len(v))),
        "W1 of integers": lambda: fastdiv.wasserstein_distance(counts[0].ravel(), counts[1].ravel()),
        "W2": lambda: fastdiv.wasserstein_distance(u, v, p=2),
        "W3 of few": lambda: fastdiv.wasserstein_distance(u[:700], v[:600], p=3),
        "energy": lambda: fastdiv.energy_distance(u, v),
        "KS": lambda: fastdiv.ks_distance(u, v),
        "histograms": lambda: fastdiv.wasserstein_hist(p, q),
        "circle": lambda: fastdiv.wasserstein_circle(u[:900], v[:900], period=1.0, p=2),
        "plan": lambda: fastdiv.transport_plan(u[:900], v[:900]),
        "barycenter": lambda: fastdiv.wasserstein_barycenter([u[:900], v[:900]]),
        "sliced": lambda: fastdiv.sliced_wasserstein(p, q, n_projections=3, seed=0),
        "grad W2": lambda: fastdiv.grad.wasserstein_distance(u[:900], v[:800], p=2),
        "baseline": lambda: fastdiv.Baseline.from_table({"u": u, "c": u[::-1]}).score({"u": v, "c": v[::-1]}),
    }
    names = [*calls] if sys.argv[1] == "all" else [sys.argv[1]]
    threads = [threading.Thread(target=change) for _ in range(2)]
    for thread in threads:
        thread.start()
    told = 0
    warnings.simplefilter("ignore")
    while time.monotonic() < end:
        for name in names:
            try:
                calls[name]()
            except (ValueError, OverflowError, ZeroDivisionError, FloatingPointError) as error:
                told += 1
    for thread in threads:
        thread.join()
    print("alive", told > 0)
"""


@pytest.mark.parametrize(
    ("seed", "seconds"), [(0, 2.0), *(pytest.param(seed, 30.0, marks=slow) for seed in range(1, 9))]
)
def test_arrays_that_change_meanwhile(seed, seconds, tmp_path):
    """A wrong value or an error, never a crash: no place in memory comes of a value that is read twice."""
    found, _ = run(CHANGED, "all", str(seed), str(seconds), tmp_path=tmp_path)
    assert found.startswith("alive")


def test_a_module_half_imported_by_another_thread(monkeypatch):
    """It is in sys.modules before its names are."""
    import types

    from fastdiv.drift.numpy_reader import column_of_array
    from fastdiv.drift.objects import column_of_objects

    for name in ("numpy.ma", "pandas", "polars", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, types.ModuleType(name))
    assert column_of_array("x", np.arange(3.0)).rows == 3
    assert column_of_objects("x", np.array(["a", None, "b"], object), False, 0).rows == 3
