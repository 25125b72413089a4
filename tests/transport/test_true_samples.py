"""Samples that look like histograms warn where a user may have mixed them up, and nowhere else."""

import numpy as np
import pytest

import fastdiv
from fastdiv import testing, transport
from fastdiv.drift import Baseline, compare

U, V = np.array([0.25, 0.75]), np.array([0.5, 0.5])


@pytest.fixture(autouse=True)
def unwarned(monkeypatch):
    monkeypatch.setattr(transport, "_warned", False)


@pytest.mark.parametrize(
    "inner",
    [
        lambda: compare({"x": U}, {"x": V}),
        lambda: Baseline.from_table({"x": U}).score({"x": V}),
        lambda: Baseline.from_table({"x": U}, values=1).score({"x": V}),
        lambda: testing.assert_same_distribution(U, V),
        lambda: fastdiv.sliced_wasserstein(U[:, None], V[:, None]),
        lambda: fastdiv.transport_plan(U, V).certificate(),
    ],
    ids=["compare", "baseline", "cells", "assert", "sliced", "plan"],
)
def test_known_samples_do_not_warn(inner):
    inner()  # warnings are errors here
    with pytest.warns(fastdiv.CountsAsSamplesWarning) as caught:  # and the user's only one is still to come
        fastdiv.wasserstein_distance(U, V)
    assert caught[0].filename == __file__


def test_same_value():
    for order in (1, 2):
        got = transport.of_true_samples(U, V, p=order)
        assert got == 0.25
        assert np.shape(got) == ()


@pytest.mark.parametrize(
    ("u", "v"),
    [
        ([1.0], [1.0]),
        ([[1.0], [1.0]], [[1.0], [1.0]]),
        ([0.25, 0.75], [0.25, 0.25, 0.5]),
        ([0.25, 0.75], [0.5, 0.25]),
        ([0.25, 0.25], [0.5, 0.5]),
        ([0.5, 0.25, 0.25], [0.5, 0.75, -0.25]),
        ([0.5, 0.75, -0.25], [0.5, 0.25, 0.25]),
        (np.full(100_001, 1 / 100_001), np.full(100_001, 1 / 100_001)),
    ],
    ids=["one_value", "pairs_of_one", "lengths", "sum_v", "sum_u", "below_v", "below_u", "long"],
)
def test_what_cannot_be_two_histograms_is_not_warned_of(u, v):
    """Warnings are errors here; of one value that is 1, the other way to read it has the same distance, 0."""
    fastdiv.wasserstein_distance(u, v)
    fastdiv.wasserstein_distance(u, v, p=2)
    assert not transport._warned


@pytest.mark.parametrize("n", [2, 100_000])
def test_what_can_be_two_histograms_is_warned_of(n):
    u = np.full(n, 1 / n)
    with pytest.warns(fastdiv.CountsAsSamplesWarning, match=f"two vectors of {n} numbers"):
        fastdiv.wasserstein_distance(u, u[::-1])
