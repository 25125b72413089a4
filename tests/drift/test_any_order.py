"""Baselines of parts of any types: every split, order and tree of merges ends in the same bytes."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fastdiv import Baseline
from fastdiv.drift import compare

TYPES = ["u1", "u2", "u4", "u8", "i1", "i2", "i4", "i8", "f2", "f4", "f8", ">f4", ">i2"]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(TYPES), st.integers(0, 2**32)), min_size=2, max_size=6),
    st.sampled_from([6, 20, None]),
    st.booleans(),
    st.data(),
)
def test_parts_of_any_types(parts, values, big, data):
    chunks = []
    for dtype, seed in parts:
        rng = np.random.default_rng(seed)
        x = rng.integers(0, 12, rng.integers(1, 9)).astype(dtype)
        if x.dtype.kind == "f":
            x += x.dtype.type(0.1) * rng.integers(0, 2, len(x)).astype(x.dtype)
        elif big and x.itemsize == 8 and rng.random() < 0.5:
            x[:2] = np.array([2**62 + 1, 2**62 + 3], x.dtype)[: len(x)]
        chunks.append(x)

    def merged(order):
        baselines = [Baseline.from_table({"x": chunks[i]}, values=values) for i in order]
        while len(baselines) > 1:
            i = data.draw(st.integers(0, len(baselines) - 2))
            baselines[i : i + 2] = [baselines[i].merge(baselines[i + 1])]
        return baselines[0]

    def streamed(order):
        baseline = Baseline(values=values)
        for i in order:
            baseline.update({"x": chunks[i]})
        return baseline

    orders = [data.draw(st.permutations(range(len(chunks)))) for _ in range(4)]
    found = [make(order) for order in orders for make in (merged, streamed)]
    for baseline in found:
        baseline.label = "x"
    assert len({baseline._encoded() for baseline in found}) == 1


@pytest.mark.parametrize("values", [2, None])
def test_rounding_is_told_wherever_it_happens(values):
    """Whole numbers beyond 2^53 beside fractions, in values one by one and in cells."""
    parts = [{"x": np.array([2**60 + 1, 5])}, {"x": np.array([0.5, 1.5])}, {"x": np.array([3], "u1")}]
    told = set()
    for order in ((0, 1, 2), (2, 1, 0), (1, 0, 2)):
        baseline = Baseline(values=values)
        for i in order:
            baseline.update(parts[i])
        (column,) = baseline.score({"x": np.arange(9.0)}).columns
        told.add((column.note, column.w1, column.w1_bound))
    assert len(told) == 1
    assert told.pop()[0].count("rounded to float64") == 1


def test_rounding_is_told_of_a_csv(tmp_path):
    """Blocks of integers and blocks of fractions."""
    path = tmp_path / "x.csv"
    path.write_text("x\n" + "1152921504606846977\n" * 200_000 + "0.5\n" * 200_000)
    (column,) = compare(path, {"x": [1.0, 2.0, 3.0]}).columns
    assert "rounded to float64" in column.note


def test_w1_of_float32_is_as_exact_as_of_float64():
    """It was rounded to float32, by 1e-8 of it."""
    rng = np.random.default_rng(1)
    u, v = (rng.normal(size=n).astype("f4") for n in (300, 400))
    wide = compare({"x": u.astype(float)}, {"x": v.astype(float)}).columns[0]
    for other in (v, v.astype("f8")):
        assert compare({"x": u}, {"x": other}).columns[0].w1 == wide.w1
    assert Baseline.from_table({"x": u}).score({"x": v}).columns[0].w1 == wide.w1
