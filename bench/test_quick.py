"""Every case at a hundredth of its size under pytest-benchmark (``pytest bench``): answers, then time."""

from importlib import import_module

import numpy as np
import pytest

import fastdiv
from bench import SUITES


def _runs():
    for suite in SUITES:
        for number, case in enumerate(import_module(f"bench.{suite}").cases(0.01)):
            group = f"{suite} {number}: {case.what}, {case.size} {case.dtype}".strip()
            for run in case.runs:
                yield pytest.param(group, case, run, id=f"{group}: {run.name}")


@pytest.mark.parametrize(("group", "case", "run"), list(_runs()))
def test_quick(benchmark, group, case, run):
    fastdiv.set_num_threads(case.threads)
    try:
        case.errors()
        benchmark.group = group
        with np.errstate(all="ignore"):
            benchmark(run, *case.args)
    finally:
        fastdiv.set_num_threads(None)
