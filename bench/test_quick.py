"""Every case at a hundredth of its size under pytest-benchmark (``pytest bench``): answers, then time."""

from importlib import import_module

import numpy as np
import pytest

import fastdiv
from bench import SUITES

CASES = [(suite, case) for suite in SUITES for case in import_module(f"bench.{suite}").cases(0.01)]
RUNS = [
    pytest.param(
        suite, case, who, id=f"{suite}: {case.what}, {case.size} {case.dtype}: {case.runs[who].name}"
    )
    for suite, case in CASES
    for who in range(len(case.runs))
]


@pytest.mark.parametrize(("suite", "case", "who"), RUNS)
def test_quick(benchmark, suite, case, who):
    fastdiv.set_num_threads(case.threads)
    try:
        case.errors()
        benchmark.group = f"{suite}: {case.what}, {case.size} {case.dtype}"
        with np.errstate(all="ignore"):
            benchmark(case.runs[who], *case.args)
    finally:
        fastdiv.set_num_threads(None)
