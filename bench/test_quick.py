"""Every case at a hundredth of its size under pytest-benchmark (``pytest bench``): answers, then time."""

import numpy as np
import pytest

import fastdiv
from fastdiv.bench import GROUPS, session


def _runs():
    for group in GROUPS:
        for number, case in enumerate(session.cases(group, 0.01)):
            name = f"{group} {number}: {case.name}"
            for run in case.runs:
                yield pytest.param(name, case, run, id=f"{name}: {run.name}")


@pytest.mark.parametrize(("name", "case", "run"), list(_runs()))
def test_quick(benchmark, name, case, run):
    fastdiv.set_num_threads(case.threads)
    try:
        case.check(case.errors())
        benchmark.group = name
        with np.errstate(all="ignore"):
            benchmark(run, *case.args)
    finally:
        fastdiv.set_num_threads(None)
