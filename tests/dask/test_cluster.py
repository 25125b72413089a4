"""A real cluster of 2 and of 4 worker processes that spill: the answer of one machine, whoever dies."""

import signal
import subprocess
import sys
import threading

import numpy as np
import pytest

import fastdiv

dask = pytest.importorskip("dask")
distributed = pytest.importorskip("distributed")
pd = pytest.importorskip("pandas")
pytest.importorskip("pyarrow")
import dask.array as da  # noqa: E402

import fastdiv.dask  # noqa: E402

ONE_MB = {"distributed.worker.memory.target": 0.001, "distributed.worker.memory.spill": False}
# a worker that cannot be started again within a minute is gone, and Dask would wait for another one forever
BOUNDED = {"distributed.scheduler.no-workers-timeout": "60s", "distributed.worker.daemon": True}


@pytest.fixture(scope="module")
def spill(tmp_path_factory):
    """Where workers put what they have no room for."""
    return tmp_path_factory.mktemp("spill")


@pytest.fixture(scope="module", params=[2, pytest.param(4, marks=pytest.mark.slow)])
def cluster(request, spill):
    with (
        dask.config.set(ONE_MB | BOUNDED),
        distributed.LocalCluster(
            n_workers=request.param,
            threads_per_worker=1,
            memory_limit="1GB",
            dashboard_address=":0",
            local_directory=spill,
            silence_logs=50,
        ) as local,
        distributed.Client(local) as client,
    ):
        yield client


@pytest.fixture(autouse=True)
def an_end():
    """Whatever a cluster waits for, a test does not: silent workers are given 5 minutes, each time."""

    def over(*_):
        raise TimeoutError("the cluster has not answered for 4 minutes")

    before = signal.signal(signal.SIGALRM, over)
    signal.alarm(240)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


def once(path):
    """A function that passes its argument on; the first worker that calls it dies of it."""

    def dies_once(x):
        import os

        try:
            os.close(os.open(path, os.O_CREAT | os.O_EXCL))
        except FileExistsError:
            return x
        else:
            os._exit(1)

    return dies_once


@pytest.fixture
def mortal(tmp_path):
    return once(str(tmp_path / "one has died"))


def test_a_file_that_was_written_anew_is_read_anew(cluster, tmp_path, monkeypatch):
    """A cluster keeps what it has computed while anybody holds it, and gives it to who asks by its name."""
    held, compute = [], cluster.compute

    def held_on_to(*args, **options):
        held.append(compute(*args, **options))
        return held[-1]

    monkeypatch.setattr(cluster, "compute", held_on_to)
    paths = [tmp_path / f"{i}.csv" for i in range(3)]
    for rows in ("x\n1\n", "x\n2\n3\n"):
        for path in paths:
            path.write_text(rows)
        assert fastdiv.dask.baseline(paths) == fastdiv.Baseline.from_table(paths)
    assert len(held) == 2


def test_matrices_and_neighbours(cluster):
    rng = np.random.default_rng(1)
    p, q = rng.dirichlet(np.ones(30), 90), rng.dirichlet(np.ones(30), 70)
    P, Q = da.from_array(p, chunks=(20, 11)), da.from_array(q, chunks=(33, 30))
    distances, indices = dask.compute(*fastdiv.dask.knn(P, Q, 9))
    for got, expected in zip((distances, indices), fastdiv.knn(p, q, 9), strict=True):
        np.testing.assert_array_equal(got, expected)
    np.testing.assert_array_equal(
        fastdiv.dask.cdist(P, Q, "kl_divergence").compute(), fastdiv.cdist(p, q, "kl_divergence")
    )
    np.testing.assert_array_equal(fastdiv.dask.pdist(P).compute(), fastdiv.pdist(p))
    np.testing.assert_array_equal(fastdiv.dask.entropy(P).compute(), fastdiv.entropy(p))


def test_samples(cluster, mortal):
    rng = np.random.default_rng(2)
    u, v = rng.normal(size=300_000), rng.normal(1e-3, 1, size=200_000)
    U = da.from_array(u, chunks=70_000).map_blocks(mortal, meta=np.empty(0))
    got = fastdiv.dask.wasserstein_distance(U, v)
    assert got == pytest.approx(fastdiv.wasserstein_distance(u, v), rel=1e-12)
    assert got == fastdiv.dask.wasserstein_distance(u, da.from_array(v, chunks=30_000))


def frame(n=120_000):
    rng = np.random.default_rng(3)
    values = np.where(rng.random(n) < 0.05, np.nan, rng.gamma(2, size=n))
    return pd.DataFrame({"x": values, "k": rng.integers(0, 40, n), "c": rng.choice(["a", "b", "c"], n)})


def test_baseline_of_a_data_frame(cluster, mortal):
    dd = pytest.importorskip("dask.dataframe")
    whole = frame()
    parts = dd.from_pandas(whole, npartitions=9).map_partitions(mortal, meta=whole.iloc[:0])
    found = fastdiv.dask.baseline(parts, values=20_000)
    assert found == fastdiv.Baseline.from_table(whole, values=20_000)
    assert found.rows == len(whole)
    assert found.approximate == ("x",)


def test_baseline_of_files(cluster, tmp_path):
    whole = frame()
    for i, start in enumerate(range(0, len(whole), 25_000)):
        whole[start : start + 25_000].to_parquet(tmp_path / f"part{i}.parquet")
    before = fastdiv.dask.baseline(tmp_path)
    assert before == fastdiv.Baseline.from_table(whole)
    assert before == fastdiv.dask.baseline([str(tmp_path / "part*.parquet")])
    assert before.label == str(tmp_path)
    report = fastdiv.dask.compare(tmp_path, tmp_path / "part0.parquet")
    expected = before.score(tmp_path / "part0.parquet")
    assert [c.w1 for c in report.columns] == [c.w1 for c in expected.columns]
    with pytest.raises(fastdiv.drift.TableError, match=r"no.parquet: no such file"):
        fastdiv.dask.baseline([tmp_path / "part0.parquet", tmp_path / "no.parquet"])


def test_chunks_are_spilled(cluster, spill):
    big = da.random.default_rng(4).random((4000, 400), chunks=(500, 400)).persist()
    distances = fastdiv.dask.js_distance(big, big[:1]).compute()
    assert distances[0] == 0
    np.testing.assert_array_equal(distances, fastdiv.js_distance(big.compute(), big[0].compute()))
    assert any(f.stat().st_size > 10**6 for f in spill.rglob("*") if f.is_file())


def command(*words):
    """In another folder than the workers; what it says on both streams, and its exit code."""
    line = [sys.executable, "-m", "fastdiv", *map(str, words)]
    done = subprocess.run(line, capture_output=True, text=True, timeout=60)
    return done.stdout, done.stderr, done.returncode


def test_the_command(cluster, tmp_path):
    whole, address = frame(40_000), cluster.scheduler.address
    for side, rows in (("old", whole[:25_000]), ("new", whole[25_000:])):
        (tmp_path / side).mkdir()
        for i in range(3):
            rows[i::3].to_parquet(tmp_path / side / f"{i}.parquet")
        out = tmp_path / f"{side}.fdp"
        assert command("profile", tmp_path / side, "-o", out, "--scheduler", address)[2] == 0
        assert fastdiv.Baseline.load(out) == fastdiv.Baseline.from_table(rows)
    on_cluster = command(
        "compare", tmp_path / "old", tmp_path / "new", "--scheduler", address, "--format", "csv"
    )
    assert on_cluster == command("compare", tmp_path / "old.fdp", tmp_path / "new.fdp", "--format", "csv")
    said = command("compare", tmp_path / "old", tmp_path / "none.parquet", "--scheduler", address)
    assert said == ("", f"fastdiv: error: {tmp_path / 'none.parquet'}: no such file\n", 2)


class Elsewhere:
    """Made of a module that the cluster has not."""

    def __reduce__(self):
        return __import__, ("not_installed_there",)


def test_a_cluster_without_our_modules(cluster):
    from fastdiv.dask import ClusterError
    from fastdiv.dask.cluster import computed

    with pytest.raises(ClusterError, match="must have fastdiv and all that is used with it"):
        computed(dask.delayed(lambda x: x)(Elsewhere()))


def test_a_task_that_fails_by_itself(cluster):
    from fastdiv.dask.cluster import computed

    def fails():
        raise TimeoutError("of its own")

    with pytest.raises(TimeoutError, match="of its own"):
        computed(dask.delayed(fails)())


@pytest.mark.slow
def test_a_task_that_kills_every_worker(cluster):
    from fastdiv.dask import ClusterError
    from fastdiv.dask.cluster import computed

    with pytest.raises(ClusterError, match=r"gave up: .*all those workers died while running it"):
        computed(dask.delayed(lambda: __import__("os")._exit(1))())


def test_no_cluster_at_the_address(tmp_path, monkeypatch, capsys):
    from fastdiv.cli import main
    from fastdiv.dask import cluster as module

    monkeypatch.setattr(module, "LOOK", 0.5)
    frame(10).to_parquet(tmp_path / "a.parquet")
    words = ["compare", *[str(tmp_path / "a.parquet")] * 2, "--scheduler"]
    assert main([*words, "tcp://127.0.0.1:1"]) == 2
    assert capsys.readouterr().err == (
        "fastdiv: error: no cluster answers at tcp://127.0.0.1:1 within 0.5 s\n"
    )
    with distributed.LocalCluster(
        n_workers=0, processes=False, protocol="tcp", dashboard_address=":0"
    ) as local:
        address = local.scheduler_address
        assert main([*words, address]) == 2
    assert capsys.readouterr().err == f"fastdiv: error: the cluster at {address} has no worker\n"
    assert main([*words, "nonsense://x"]) == 2
    assert "no cluster answers at nonsense://x: unknown address scheme" in capsys.readouterr().err


@pytest.mark.slow
def test_a_cluster_that_dies(tmp_path):
    """Its scheduler is killed while a task runs, which takes longer than a test may."""
    script = tmp_path / "cluster.py"
    script.write_text(
        "import distributed, time\n"
        "if __name__ == '__main__':\n"
        "    with distributed.LocalCluster(1, threads_per_worker=1, processes=False,\n"
        "                                  dashboard_address=':0', protocol='tcp') as local:\n"
        "        print(local.scheduler_address, flush=True)\n"
        "        time.sleep(100)\n"
    )
    with subprocess.Popen([sys.executable, str(script)], stdout=subprocess.PIPE, text=True) as process:
        try:
            address = process.stdout.readline().strip()

            def slow(x):
                import time

                time.sleep(100)
                return x

            from fastdiv.dask import ClusterError
            from fastdiv.dask.cluster import computed, connected

            with connected(address):
                threading.Timer(1, process.kill).start()
                with pytest.raises(ClusterError, match=rf"the cluster at {address} was lost"):
                    computed(dask.delayed(slow)(1))
        finally:
            process.kill()
