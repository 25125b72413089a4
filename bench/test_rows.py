"""The same under pytest-benchmark (``pytest bench``): each case asserts its answer before it is timed."""

import numpy as np
import pytest

import fastdiv
from bench.contestants import TABLE
from bench.race import relative_error
from bench.workloads import QUICK

CASES = [(measure, c) for measure, contestants in TABLE.items() for c in contestants]


@pytest.mark.parametrize(("measure", "contestant"), CASES, ids=[f"{m}-{c.name}" for m, c in CASES])
def test_rows(benchmark, measure, contestant):
    p, q = QUICK["unrelated"].make()
    twin = getattr(fastdiv.reference, measure)
    alpha = (2.0,) if measure == "renyi_divergence" else ()
    expected = twin(p[:20]) if measure == "entropy" else twin(p[:20], q[:20], *alpha)
    with np.errstate(all="ignore"):
        assert relative_error(contestant.run(p[:20], q[:20]), expected) < (
            1e-10 if contestant.exact else 1e-2
        )
    benchmark.group = measure
    benchmark(contestant.run, p, q)
