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
    assert transport.of_true_samples(U, V) == 0.25 == transport.of_true_samples(U, V, p=2)
