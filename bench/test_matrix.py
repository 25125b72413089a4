"""Matrices and neighbours under pytest-benchmark (``pytest bench``), beside SciPy: answers first."""

import numpy as np
import pytest
from scipy.spatial import distance

import fastdiv
from bench.race import relative_error

RNG = np.random.default_rng(20130101)
A, B = RNG.dirichlet(np.ones(128), 150), RNG.dirichlet(np.ones(128), 200)


def nearest(matrix: np.ndarray) -> np.ndarray:
    return np.sort(np.partition(matrix, 10, axis=1)[:, :10], axis=1)


def kullback_leibler() -> np.ndarray:
    return (A * np.log(A)).sum(1)[:, None] - A @ np.log(B).T


CASES = {
    "js_distance": {
        "fastdiv": lambda: fastdiv.cdist(A, B),
        "scipy": lambda: distance.cdist(A, B, "jensenshannon"),
    },
    "js_distance, condensed": {
        "fastdiv": lambda: fastdiv.pdist(A),
        "scipy": lambda: distance.pdist(A, "jensenshannon"),
    },
    "kl_divergence": {
        "fastdiv": lambda: fastdiv.cdist(A, B, "kl_divergence"),
        "numpy": kullback_leibler,
    },
    "wasserstein": {
        "fastdiv": lambda: fastdiv.cdist(A, B, "wasserstein"),
        "scipy": lambda: distance.cdist(A.cumsum(1), B.cumsum(1), "cityblock"),
    },
    "ten nearest": {
        "fastdiv": lambda: fastdiv.knn(A, B, 10)[0],
        "scipy": lambda: nearest(distance.cdist(A, B, "jensenshannon")),
    },
}


@pytest.mark.parametrize(("case", "who"), [(case, who) for case, runs in CASES.items() for who in runs])
def test_matrix(benchmark, case, who):
    run = CASES[case][who]
    assert relative_error(run(), CASES[case]["fastdiv"]()) < 1e-9
    benchmark.group = case
    benchmark(run)
