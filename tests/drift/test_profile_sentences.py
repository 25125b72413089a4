"""Profiles whose bytes are whole and whose content is not: each is told what is wrong with it."""

import numpy as np
import pytest
from test_profile_command import opened, sealed

from fastdiv import Baseline
from fastdiv.drift import TableError
from fastdiv.drift.profile_file import decoded

RNG = np.random.default_rng(11)
TABLE = {
    "few": np.arange(40.0).repeat(10),
    "cells": RNG.normal(size=400),
    "word": RNG.choice(["a", "b"], 400).tolist(),
    "w": RNG.random(400) + 0.1,
}
FEW, CELLS, WORD = 0, 1, 2

WRONG = {
    "an unknown type of array": ([FEW, "distinct", "values", 1], "<c16", "an array is of type '<c16'"),
    "values turned round": ([FEW, "distinct", "values"], None, "its values do not ascend"),
    "a mean of other values": ([FEW, "distinct", "moments"], [99.0, 1.0], "a mean is not that of its values"),
    "a mean that is a text": ([FEW, "distinct", "moments"], ["1", 1.0], "a mean is no number"),
    "cells too wide": ([CELLS, "cells", "k"], 64, "its cells are none"),
    "cells that are not whole": ([CELLS, "cells", "whole"], 0, "its cells are none"),
    "an empty cell": ([CELLS, "cells", "counts", 2], 0, "a cell is empty"),
    "cells that overlap": ([CELLS, "cells", "k"], 1, "its cells do not ascend"),
    "a part of a row": ([FEW, "missing"], 0.5, "0.5 is no count"),
    "a label that is a number": (["label"], 3, "3 is no text"),
}


@pytest.fixture
def profile(tmp_path):
    path = tmp_path / "a.fdp"
    columns = {name: TABLE[name] for name in ("few", "cells", "word")}
    Baseline.from_table(columns, values=64).save(path)
    return path


def changed(directory, place, value):
    *way, last = place if place == ["label"] else ["columns", *place]
    at = directory
    for key in way:
        at = at[key]
    at[last] = value


@pytest.mark.parametrize("name", WRONG)
def test_content(profile, name):
    place, value, why = WRONG[name]
    directory, arrays = opened(profile)
    assert decoded(sealed(directory, arrays), "a")[1]  # whole before
    if value is None:
        offset, kind, length = directory["columns"][FEW]["distinct"]["values"]
        size = length * np.dtype(kind).itemsize
        turned = np.frombuffer(arrays[offset : offset + size], kind)[::-1].tobytes()
        arrays = arrays[:offset] + turned + arrays[offset + size :]
    else:
        changed(directory, place, value)
    with pytest.raises(TableError) as found:
        decoded(sealed(directory, arrays), "a")
    assert str(found.value) == f"a: is damaged: {why}"


@pytest.mark.parametrize(
    ("place", "value", "why"),
    [
        ([0, "mass", 0], -1.0, "-1.0 is no weight"),
        ([0, "mass", 0], "1", "'1' is no weight"),
        ([0, "mass"], [0.0, 0.0, 0.0, 0.0], "its weights are none"),
        ([0, "mass"], [1e9, 0.0, 1.0, 0.0], "the counts of column 'few' do not add up"),
    ],
)
def test_weights(tmp_path, place, value, why):
    path = tmp_path / "a.fdp"
    Baseline.from_table({"few": TABLE["few"], "w": TABLE["w"]}, weights="w").save(path)
    directory, arrays = opened(path)
    changed(directory, place, value)
    with pytest.raises(TableError) as found:
        decoded(sealed(directory, arrays), "a")
    assert str(found.value) == f"a: is damaged: {why}"
