"""Cells of values by the compiled passes, sorted or not, against their definition, value by value."""

from collections import defaultdict

import numpy as np
import pytest

from fastdiv import Baseline, wasserstein_distance
from fastdiv.drift.cells import LAST_K, Cells, keys_of, w1
from fastdiv.drift.columns import Column
from fastdiv.drift.held import Distinct, Limits
from fastdiv.drift.memory import folded
from fastdiv.drift.samples import ascending

rng = np.random.default_rng(11)
SAMPLES = {
    "normal": rng.normal(size=777),
    "ties": rng.integers(-9, 9, 501) / 4,
    "all sizes": np.ldexp(rng.normal(size=333), rng.integers(-1070, 1000, 333)),
    "subnormal": np.arange(-40, 41) * 5e-324,
    "ends": np.array([-np.inf, -np.inf, -1.0, 0.0, 1.0, np.inf]),
    "one": np.array([3.5]),
    "whole": rng.integers(-(2**60), 2**60, 99),
}


@pytest.mark.parametrize("k", [0, 1, 25, 26, 27, 40, LAST_K])
@pytest.mark.parametrize("name", SAMPLES)
def test_each_cell_holds_what_its_values_say(name, k):
    x = np.sort(SAMPLES[name]) + 0
    held = defaultdict(list)
    for key in keys_of(x).tolist():
        held[key >> k].append(key)
    cells = Cells.each(x, k)
    assert cells.keys.tolist() == sorted(held)
    inner = (1 << k) - 1
    for i, key in enumerate(sorted(held)):
        low, high = cells.low[i].item(), cells.high[i].item()
        assert cells.counts[i] == len(held[key])
        assert low < 1 << 26
        assert (high << 26) + low == sum(each & inner for each in held[key])
        assert (cells.first[i], cells.last[i]) == (min(held[key]), max(held[key]))


def test_any_order_and_type_is_counted_as_sorted_values_are(level):
    """Also -0.0, more values than counts and sums share a number for, and pages from the least value on."""
    many = {
        "zeros": np.tile([0.0, -0.0, 1.0, -1.0], 70_000),
        "one cell": np.full(300_000, np.nextafter(2.0, 0.0)),
        "stamps": rng.integers(1_700_000_000_000_000, 1_702_600_000_000_000, 3001),
        "narrow": 1.0 + rng.integers(0, 99, 1000) * 2.0**-52,
        "u1": rng.integers(0, 255, 999).astype("u1"),
        "f2": rng.normal(size=999).astype("f2"),
        "f4": rng.normal(size=999).astype("f4"),
        ">f8": rng.normal(size=999).astype(">f8"),
    }
    at_once = 0
    for name, x in (SAMPLES | many).items():
        for k in (0, 5, 26, 30, 36, 41, 43, 47, 50, LAST_K):
            found, slowly = Cells.counted(rng.permutation(x), k), Cells.each(ascending(x), k)
            if found is None:
                continue
            at_once += 1
            for field in Cells.__dataclass_fields__:
                np.testing.assert_array_equal(
                    getattr(found, field), getattr(slowly, field), f"{name} {k} {field}"
                )
    assert at_once > 100


@pytest.mark.parametrize("name", [*SAMPLES, "many", "f4", "i8", "i1", "u8", ">i4", "zeros", "far"])
def test_how_rows_are_split_and_counted_does_not_show(name):
    """A column in one piece, in large ones, in cells that others began, and value by value: the same bits."""
    n = 200_000
    many = {
        "many": lambda: rng.lognormal(size=n),
        "f4": lambda: rng.normal(size=n).astype("f4"),
        "i8": lambda: rng.integers(2**53 - 10**5, 2**53 + 10**5, n),
        "i1": lambda: rng.integers(-128, 128, n).astype("i1"),
        "u8": lambda: rng.integers(2**64 - 50_000, 2**64 - 1, n, dtype="u8", endpoint=True),
        ">i4": lambda: rng.integers(-(2**31), 300 - 2**31, n).astype(">i4"),
        "zeros": lambda: np.where(rng.random(n) < 0.5, -0.0, rng.normal(size=n)),
        "far": lambda: np.append(rng.normal(size=n - 2), [np.inf, -np.inf]),
    }
    x = rng.permutation(many[name]() if name in many else SAMPLES[name])
    for limits in (Limits(64, None), Limits(10_000, None), Limits(100_000, None), Limits(None, None)):
        values, counts = np.unique(x + x.dtype.type(0), return_counts=True)
        slowly = Distinct(values, counts)
        if limits.values is not None and len(values) > limits.values:
            slowly = Cells.of(values, counts).fitted(limits.cells)
        for cuts in ([], [len(x) // 2], [len(x) // 9, len(x) // 8], [min(len(x), 70_000)]):
            pieces = [Column("x", "numeric", len(part), 0, part) for part in np.split(x, cuts) if len(part)]
            found = folded(pieces, limits).numbers
            assert type(found) is type(slowly)
            for field in type(slowly).__dataclass_fields__:
                got, right = getattr(found, field), getattr(slowly, field)
                np.testing.assert_array_equal(got, right, f"{limits} {cuts} {field}")
                if isinstance(got, np.ndarray):
                    assert got.dtype == right.dtype.newbyteorder("=")
                    assert got.dtype.kind != "f" or not np.signbit(got[got == 0]).any()


def test_what_is_scattered_is_sorted():
    """A block of cells for every value would be more memory than a sort takes."""
    x = rng.normal(size=40_000)
    assert Cells.counted(x, 20) is None
    assert Cells.counted(x, 12) is None


def test_scores_do_not_depend_on_the_order_or_on_how_a_batch_is_counted(tmp_path):
    """One batch is short, and of one column the values are scattered."""
    columns = {
        "normal": rng.normal(size=20_000),
        "stamps": 1_700_000_000_000_000 + rng.integers(0, 10**12, 20_000),
        "heap": np.where(
            rng.random(20_000) < 0.9, rng.normal(size=20_000) * 1e-9 + 1, rng.normal(size=20_000)
        ),
    }
    baseline = Baseline.from_table(columns, values=4000)
    baseline.save(tmp_path / "x.fdp")
    for rows in (500, 20_000):
        batch = {name: rng.permutation(x)[:rows] + (x.max() - x.min()) // 50 for name, x in columns.items()}
        wild = np.ldexp(rng.normal(size=rows), rng.integers(-900, 900, rows))
        batch["heap"] = np.where(rng.random(rows) < 0.5, batch["heap"], wild)
        reports = [
            side.score({name: make(x) for name, x in batch.items()}).columns
            for side in (baseline, Baseline.load(tmp_path / "x.fdp"))
            for make in (np.sort, rng.permutation, np.array)
        ]
        assert all(report == reports[0] for report in reports)


@pytest.mark.parametrize("below", [1, 50, 100, 200, 299])
@pytest.mark.parametrize("swapped", [False, True])
def test_where_distributions_cross_in_a_cell_a_straight_line_is_drawn(below, swapped):
    """Of values spread evenly over the cell it is the distance, though by the bound it may be another."""
    u = np.concatenate([np.linspace(1.0, np.nextafter(2.0, 0.0), 300), np.full(100, 5.0)])
    v = np.concatenate([np.full(below, 0.3), np.full(400 - below, 5.0)])
    cells = [Cells.each(x, LAST_K) for x in ((v, u) if swapped else (u, v))]
    value, bound = w1(*cells)
    truth = wasserstein_distance(u, v)
    assert abs(value - truth) <= bound
    assert value == pytest.approx(truth, rel=2e-3)
