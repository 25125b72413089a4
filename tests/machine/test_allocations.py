"""Each allocation of the extensions fails once: an error or the same bits, nothing kept, the next right."""

from __future__ import annotations

import ctypes
import os
import platform
import shutil
import subprocess
import sys
from dataclasses import fields, is_dataclass
from pathlib import Path

import numpy as np
import pytest

SOURCE = Path(__file__).with_name("failing_malloc.c")


def calls():
    """Calls by name, on data that reach the memory each asks for."""
    import fastdiv as fd

    rng = np.random.default_rng(7)
    few, many = rng.random((2, 300, 9)), rng.random((2, 70, 700))
    x, y = rng.normal(size=60_000), rng.normal(0.1, 1.1, size=50_000)
    w, v = rng.random(60_000), rng.random(50_000)
    ages = rng.integers(0, 90, (2, 60_000)).astype(float)
    spikes = np.where(rng.random((2, 60_000)) < 0.8, 0.0, rng.lognormal(size=(2, 60_000)))
    big = 2**62 + rng.integers(0, 10**12, (2, 20_000))
    clusters = np.abs(np.repeat(rng.random((20, 64)), 40, axis=0) + 0.01 * rng.normal(size=(800, 64)))

    gaps = rng.random((9, 9000))
    gaps[::2, ::5] = np.nan

    def sparse():
        from scipy.sparse import random_array

        return fd.cdist(
            random_array((40, 500), density=0.1, rng=1), random_array((30, 500), density=0.2, rng=2)
        )

    return {
        "few": lambda: fd.js_divergence(*few),
        "few-axis-0": lambda: fd.kl_divergence(few[0].T, few[1].T, axis=0),
        "few-int": lambda: fd.jeffreys_divergence(*(99 * few).astype(int), pseudocount=0.5),
        "many-strided": lambda: fd.kl_divergence(many[0][:, ::-3], many[1][:, ::-3]),
        "many-float32": lambda: fd.js_distance(*many.astype("f4"), pseudocount=1),
        "long": lambda: fd.js_divergence(uniform(1, 900_000, 3), uniform(1, 900_000, 4)),
        "omitted": lambda: fd.js_divergence(uniform(9, 9000, 3), gaps, nan_policy="omit"),
        "stack-weights": lambda: fd.js_divergence(*many, weights=[0.3, 0.7]),
        "stack-of-5": lambda: fd.js_divergence(uniform(5, 3000, 5)),
        "columns": lambda: fd.kl_divergence(many[0].T, many[1].T, axis=0),
        "one-pair": lambda: fd.renyi_divergence(many[0, 0, ::2], many[1, 0, ::2], 0.3),
        "grad-few": lambda: fd.grad.kl_divergence(*few),
        "grad-float32": lambda: fd.grad.js_distance(*many.astype("f4")),
        "grad-axis-0": lambda: fd.grad.js_divergence(many[0].T, many[1].T, axis=0),
        "grad-long": lambda: fd.grad.js_distance(uniform(2, 200_000, 6), uniform(2, 200_000, 7)),
        "grad-stack": lambda: fd.grad.js_divergence(*many, weights=[0.3, 0.7]),
        "w1-continuous": lambda: fd.wasserstein_distance(x, y),
        "w1-skewed": lambda: fd.wasserstein_distance(np.exp(x), np.exp(y)),
        "w1-ties": lambda: fd.wasserstein_distance(*ages),
        "w1-zeros": lambda: fd.wasserstein_distance(*spikes),
        "w1-weighted": lambda: fd.wasserstein_distance(x, y, w, v),
        "w1-few-hundred": lambda: fd.wasserstein_distance(x[:700], y[:600]),
        "w1-int64": lambda: fd.wasserstein_distance(*big),
        "w2": lambda: fd.wasserstein_distance(x, y, p=2),
        "w3-weighted": lambda: fd.wasserstein_distance(x, y, w, v, p=3),
        "w-rows": lambda: fd.wasserstein_distance(x.reshape(60, 1000), y.reshape(50, 1000)[:1]),
        "energy": lambda: fd.energy_distance(x, y),
        "energy-ties": lambda: fd.energy_distance(*ages),
        "ks": lambda: fd.ks_distance(x, y),
        "ks-ties": lambda: fd.ks_distance(*spikes),
        "cramer": lambda: fd.cramer_distance(x, y, w, v),
        "hist": lambda: fd.wasserstein_hist(*many),
        "hist-p2": lambda: fd.wasserstein_hist(*many, p=2, support=np.sort(x[:700])),
        "hist-edges": lambda: fd.wasserstein_hist(*many, p=2, bin_edges=np.sort(x[:701])),
        "circle": lambda: fd.wasserstein_circle(x[:3000], y[:3000], period=1.0),
        "circle-p2": lambda: fd.wasserstein_circle(x[:300], y[:200], period=1.0, p=2),
        "circle-weighted": lambda: fd.wasserstein_circle(x[:300], y[:200], w[:300], v[:200], period=1.0),
        "sliced": lambda: fd.sliced_wasserstein(many[0], many[1], n_projections=7, seed=1),
        "plan": lambda: fd.transport_plan(x[:3000], y[:2000]),
        "plan-weighted": lambda: fd.transport_plan(x[:3000], y[:2000], w[:3000], v[:2000], p=2),
        "barycenter": lambda: fd.wasserstein_barycenter([x[:300], y[:200]]),
        "grad-w1": lambda: fd.grad.wasserstein_distance(x[:9000], y[:8000]),
        "grad-w2-weighted": lambda: fd.grad.wasserstein_distance(x[:900], y[:800], w[:900], v[:800], p=2),
        "grad-circle": lambda: fd.grad.wasserstein_circle(x[:300], y[:200], period=1.0),
        "grad-sliced": lambda: fd.grad.sliced_wasserstein(many[0], many[1], n_projections=3, seed=1),
        "grad-hist": lambda: fd.grad.wasserstein_hist(*many),
        "grad-energy": lambda: fd.grad.energy_distance(x[:900], y[:800]),
        "cdist-js": lambda: fd.cdist(uniform(50, 300, 9), uniform(40, 300, 8)),
        "cdist-kl": lambda: fd.cdist(uniform(50, 300, 9), uniform(40, 300, 8), "kl_divergence"),
        "cdist-w1": lambda: fd.cdist(uniform(50, 300, 9), uniform(40, 300, 8), "wasserstein"),
        "cdist-few": lambda: fd.cdist(*few),
        "cdist-sparse": sparse,
        "cdist-samples": lambda: fd.cdist(
            x.reshape(-1, 500)[:20], y.reshape(-1, 500)[:20], "wasserstein", samples=True
        ),
        "cdist-samples-unequal": lambda: fd.cdist(
            x.reshape(-1, 500)[:20], y.reshape(-1, 400)[:20], "wasserstein", samples=True
        ),
        "cdist-integers": lambda: fd.cdist(
            big[0].reshape(-1, 500)[:9], big[1].reshape(-1, 400)[:9], "wasserstein", samples=True
        ),
        "pdist": lambda: fd.pdist(uniform(50, 300, 9)),
        "knn": lambda: fd.knn(uniform(50, 300, 9), uniform(400, 300, 8), 5),
        "knn-clusters": lambda: fd.knn(clusters[:50], clusters, 5),
        "index": lambda: fd.Index(clusters).query(clusters[:20], 3),
    }


def uniform(*shape_and_seed):
    *shape, seed = shape_and_seed
    return np.random.default_rng(seed).random(shape)


def bits(result):
    if isinstance(result, (tuple, list)):
        return [part for entry in result for part in bits(entry)]
    if is_dataclass(result):
        return bits([getattr(result, field.name) for field in fields(result)])
    return [np.asarray(result).tobytes()]


def fail_each(call):
    """For the child: how often an allocation failed, how often that was an error, and what each has kept."""
    library = ctypes.CDLL(None)
    kept = ctypes.c_long()
    expected = bits(call())
    failures = errors = 0
    for k in range(1, 2000):
        library.fd_arm(ctypes.c_long(k))
        try:
            result = call()
        except MemoryError:
            result = None
        failed = library.fd_disarm(ctypes.byref(kept))
        assert kept.value == 0, f"{kept.value} allocations are kept when allocation {k} fails"
        assert failed or result is not None, "MemoryError without a failure"
        errors += result is None
        failures += failed
        assert result is None or bits(result) == expected, f"allocation {k}: another result"
        del result
        assert bits(call()) == expected, f"after the failure of allocation {k}"
        if not failed:
            return failures, errors
    raise AssertionError("no end")


def report():
    for name, call in calls().items():
        try:
            print(name, *fail_each(call), flush=True)
        except AssertionError as error:
            print(name, "FAILED", error, flush=True)


@pytest.fixture(scope="module")
def ahead(tmp_path_factory):
    """The C library's allocations in ours."""
    compiler = shutil.which("cc")
    if compiler is None or platform.libc_ver()[0] != "glibc":
        pytest.skip("needs a C compiler and glibc")
    target = tmp_path_factory.mktemp("malloc") / "failing_malloc.so"
    subprocess.run([compiler, "-O1", "-shared", "-fPIC", "-o", target, SOURCE, "-ldl"], check=True)
    return str(target)


@pytest.mark.unsanitized("has allocations of its own")
@pytest.mark.parametrize("threads", [1, 3])
def test_every_allocation_fails_once(ahead, threads):
    code = "import test_allocations; test_allocations.report()"
    env = os.environ | {"LD_PRELOAD": ahead, "OMP_NUM_THREADS": str(threads)}
    env["PYTHONPATH"] = os.pathsep.join([str(SOURCE.parent), *sys.path[1:]])
    done = subprocess.run([sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=200)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "FAILED" not in done.stdout, done.stdout
    failed = {name: int(n) for name, n, _ in map(str.split, done.stdout.splitlines())}
    assert list(failed) == list(calls())
    assert sum(map(bool, failed.values())) > 20
