"""Rows made ready: whatever was in memory before, whoever shares a panel with them."""

import itertools

import numpy as np
import pytest

import fastdiv

BINS = [1, 7, 16, 20, 33, 511, 512, 513, 1009, 1024]  # the last two in rows of 1040
METRICS = {
    "cross_entropy": {},
    "kl_divergence": {},
    "jeffreys_divergence": {},
    "hellinger_distance": {},
    "renyi_divergence": {"alpha": 2.0},
    "js_distance": {},
    "total_variation": {},
    "wasserstein": {},
}


def rows_of_all_kinds(rng, m, n):
    """Plain, spanning more than the fast forms take, from the first bin on or at the last, and void."""
    x = rng.dirichlet(np.full(n, 0.5), size=m) + 1e-12
    x[1::7, 0] = 1e-200
    x[3::7, -1] = 1e-200
    x[5::11] = 0.0
    x[6::13, n // 2] = np.nan
    x[2::5, : n // 3] = 0.0
    return x


@pytest.fixture
def threads():
    yield fastdiv.set_num_threads
    fastdiv.set_num_threads(None)


@pytest.fixture
def poisoned(monkeypatch):
    """Memory that was something else's: NaN, or large numbers."""
    empty, bytes_of = np.empty, itertools.cycle([0xFF, 0x7F, 0x41])

    def once_used(shape, dtype=float, *args, **kwargs):
        space = empty(shape, dtype, *args, **kwargs)
        space.reshape(-1).view(np.uint8)[...] = next(bytes_of)
        return space

    return lambda: monkeypatch.setattr(np, "empty", once_used)


@pytest.mark.parametrize("dtype", [np.float64, np.float32])
@pytest.mark.parametrize("metric", METRICS)
def test_what_was_in_memory_before_is_nothing_to_a_row(metric, dtype, level, threads, poisoned, monkeypatch):
    rng, options = np.random.default_rng(5), METRICS[metric]
    for n, m in zip(BINS, [1, 3, 4, 15, 16, 17, 31, 50, 66, 130], strict=True):
        a, b = (rows_of_all_kinds(rng, rows, n).astype(dtype) for rows in (m, max(1, 70 - m)))
        threads(1)
        want = fastdiv.cdist(a, b, metric, **options)
        square = fastdiv.pdist(a, metric, **options) if metric == "js_distance" else None
        single = [fastdiv.cdist(a[:1], row[None], metric, **options)[0, 0] for row in b]
        assert np.array_equal(want[0], single, equal_nan=True)
        poisoned()
        for team in (1, 2, 5):  # parts of a panel, where rows are few
            threads(team)
            assert np.array_equal(fastdiv.cdist(a, b, metric, **options), want, equal_nan=True)
            if square is not None:
                assert np.array_equal(fastdiv.pdist(a, metric, **options), square, equal_nan=True)
        monkeypatch.undo()
