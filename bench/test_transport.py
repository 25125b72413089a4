"""Transport under pytest-benchmark (``pytest bench``), beside SciPy: answers first, then time."""

import numpy as np
import pytest
from scipy import stats

import fastdiv
from bench.race import relative_error

RNG = np.random.default_rng(20130101)
U, V = RNG.normal(size=50_000), RNG.normal(0.3, 1.2, size=40_000)
A, B = RNG.random(50_000), RNG.random(40_000)

CASES = {
    "W1 of samples": {
        "fastdiv": lambda: fastdiv.wasserstein_distance(U, V),
        "scipy": lambda: stats.wasserstein_distance(U, V),
    },
    "W1 with weights": {
        "fastdiv": lambda: fastdiv.wasserstein_distance(U, V, A, B),
        "scipy": lambda: stats.wasserstein_distance(U, V, A, B),
    },
    "energy distance": {
        "fastdiv": lambda: fastdiv.energy_distance(U, V),
        "scipy": lambda: stats.energy_distance(U, V),
    },
}


@pytest.mark.parametrize(("case", "who"), [(case, who) for case, runs in CASES.items() for who in runs])
def test_transport(benchmark, case, who):
    run = CASES[case][who]
    assert relative_error(run(), CASES[case]["fastdiv"]()) < 1e-9
    benchmark.group = case
    benchmark(run)
