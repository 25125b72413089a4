"""Baselines: what a comparison gives, in the same bits; any split of a table; a bound on W1 that holds."""

from __future__ import annotations

import copy
import datetime as dt
import pickle
from dataclasses import replace
from fractions import Fraction
from functools import reduce
from itertools import permutations

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from oracle_transport import wasserstein_power

import fastdiv
from fastdiv import Baseline
from fastdiv.drift import TableError, compare, memory
from fastdiv.drift.cells import Cells, w1
from fastdiv.drift.held import Held

RNG = np.random.default_rng(20)

COLUMNS = {
    "floats": (RNG.normal(size=900), RNG.normal(0.1, 1, 700)),
    "few": (RNG.choice([0.1, 0.2, 0.3], 900), RNG.choice([0.1, 0.2, 0.4], 700)),
    "float32 against float64": (RNG.normal(size=900).astype("f4"), RNG.normal(size=700)),
    "zeros of both signs": (np.array([0.0, -0.0, 1.0] * 9), np.array([-0.0, 0.0, -1.0])),
    "integers": (RNG.integers(-50, 50, 900), RNG.integers(-40, 60, 700)),
    "small integers": (RNG.integers(0, 200, 900, "u1"), RNG.integers(-90, 90, 700, "i1")),
    "beyond 2^53": (2**60 + RNG.integers(0, 9, 900), 2**60 + RNG.integers(1, 9, 700)),
    "beyond 2^63": (np.uint64(2**63) + RNG.integers(0, 9, 900, "u8"), RNG.integers(1, 9, 700)),
    "infinite": (np.append(RNG.normal(size=90), [np.inf, -np.inf]), RNG.normal(size=70)),
    "missing": (np.where(RNG.random(900) < 0.2, np.nan, 1.5), np.where(RNG.random(70) < 0.3, np.nan, 2.5)),
    "all missing": (np.full(9, np.nan), np.ones(9)),
    "booleans": (RNG.random(900) < 0.5, RNG.random(700) < 0.6),
    "words": (RNG.choice(list("abcdef"), 900), RNG.choice(list("cdefgh"), 700)),
    "identifiers": ([f"a{i}" for i in range(99)], [f"b{i}" for i in range(99)]),
    "stamps": (
        np.datetime64("2026-01-01", "s") + RNG.integers(0, 10**6, 900),
        np.datetime64("2026-01-09", "s") + RNG.integers(0, 10**6, 700),
    ),
    "kinds": (["a", "b"], [1.0, 2.0]),
    "mixed": (["a", 1.0], ["a", "b"]),
    "dates": ([dt.date(2026, 1, 1 + i % 28) for i in range(90)], [dt.date(2026, 2, 1)] * 9),
    "big endian": (RNG.normal(size=90).astype(">f8"), RNG.integers(0, 9, 90).astype(">i2")),
}


@pytest.mark.parametrize("name", COLUMNS)
def test_a_score_has_the_bits_of_a_comparison(name, tmp_path):
    u, v = ({"x": side} for side in COLUMNS[name])
    expected = compare(u, v)
    baseline = Baseline.from_table(u)
    baseline.save(tmp_path / "a.fdp")
    for each in (baseline, Baseline.load(tmp_path / "a.fdp"), pickle.loads(pickle.dumps(baseline))):
        assert each == baseline
        assert replace(each.score(v), baseline="baseline") == expected
    other = Baseline.from_table(v)
    assert replace(compare(u, other), current="current") == expected
    assert replace(baseline.score(other), current="current") == expected
    assert not baseline.approximate


def test_options_and_columns_of_a_comparison():
    u = {"x": RNG.normal(size=900), "y": np.arange(900)}
    v = {"x": RNG.normal(size=900), "z": np.arange(900)}
    expected = compare(u, v, columns=["x"], bins=7, pseudocount=0.1)
    assert Baseline.from_table(u).score(v, columns=["x"], bins=7, pseudocount=0.1) == expected


# -- any split, any order ------------------------------------------------------------------------------------

NUMBERS = st.one_of(
    st.floats(allow_nan=True, width=64),
    st.floats(-1, 1),
    st.integers(-3, 3).map(float),
    st.sampled_from([0.0, -0.0, 5e-324, 1.7e308, -1.7e308]),
)
WORDS = st.sampled_from(["a", "b", "c"])


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(NUMBERS, st.integers(-(2**53), 2**53), WORDS), min_size=2, max_size=60),
    st.sampled_from([1, 4, 8, 20, None]),
    st.data(),
)
def test_any_split_and_order_ends_in_the_same_bits(rows, values, data):
    def table(rows):
        x, i, word = zip(*rows, strict=True)
        return {"x": np.array(x), "i": np.array(i), "word": np.array(word)}

    whole = Baseline.from_table(table(rows), values=values)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(rows) - 1))))
    chunks = [rows[a:b] for a, b in zip([0, *cuts], [*cuts, len(rows)], strict=True)]
    parts = [Baseline.from_table(table(chunk), values=values) for chunk in data.draw(st.permutations(chunks))]
    stream = Baseline(values=values)
    for chunk in data.draw(st.permutations(chunks)):
        stream.update(table(chunk))
    while len(parts) > 1:  # a tree of any shape
        i = data.draw(st.integers(0, len(parts) - 2))
        parts[i : i + 2] = [parts[i].merge(parts[i + 1])]
    assert parts[0] == stream == whole
    assert parts[0].rows == len(rows)


def test_types_of_parts_may_differ():
    whole, ints = np.array([1.0, 2.0, 2.5]), np.array([3, 4, 4], "i2")
    a, b = Baseline.from_table({"x": whole}), Baseline.from_table({"x": ints})
    assert a.merge(b) == b.merge(a) == Baseline.from_table({"x": np.concatenate([whole, ints])})
    missing = Baseline.from_table({"x": [np.nan]})
    assert missing.merge(a) == a.merge(missing) == Baseline.from_table({"x": np.append(whole, np.nan)})
    words = Baseline.from_table({"x": ["a", "b"]})
    (skipped,) = a.merge(words).score({"x": whole}).skipped
    assert (skipped.fault, skipped.reason) == (
        True,
        "baseline: some of its parts are categorical, others numeric",
    )
    assert words.merge(a).merge(b) == b.merge(a).merge(words)


def test_parts_do_not_change_when_they_are_merged():
    a, b = Baseline.from_table({"x": [1.0, 2.0]}), Baseline.from_table({"x": [2.0]})
    copies = copy.deepcopy([a, b])
    merged = a.merge(b)
    merged.update({"x": [9.0]})
    assert [a, b] == copies
    assert (merged.rows, Baseline().merge(a), a.merge(Baseline())) == (4, a, a)


# -- categories that had to go -------------------------------------------------------------------------------


def test_the_most_frequent_categories_are_kept():
    words = [f"w{i}" for i in range(100) for _ in range(i + 1)]
    baseline = Baseline.from_table({"x": words}, categories=10)
    (column,) = baseline.score({"x": [*words, "new"]}).columns
    assert [(b.label, b.baseline) for b in column.bins] == [
        *((f"w{i}", i + 1) for i in range(99, 89, -1)),
        ("(all others)", sum(range(1, 91))),
    ]
    assert column.bins[-1].current == column.bins[-1].baseline + 1
    assert column.note == "all but 10 categories are counted as one"
    assert [(held.most, held.slack) for held in baseline._columns] == [(90, 0)]
    other = Baseline.from_table({"x": ["w5"] * 95 + ["w4"] * 5}, categories=10)
    (column,) = baseline.merge(other).score({"x": words}).columns
    assert column.note == "all but 10 categories are counted as one, and up to 90 values of each of these"
    assert baseline.approximate == ("x",)


def test_an_identifier_is_one_with_few_of_its_values_kept():
    baseline = Baseline.from_table({"x": [f"id{i}" for i in range(3000)]}, categories=50)
    (column,) = baseline.score({"x": [f"id{i}" for i in range(2000, 2500)]}).columns
    assert "most values occur once, as in an identifier" in column.note
    assert column.bars_rest
    (column,) = (
        Baseline.from_table({"x": [f"w{i % 70}" for i in range(3000)]}, categories=50).score(baseline).columns
    )
    assert "identifier" not in column.note


@settings(max_examples=100, deadline=None)
@given(st.lists(st.lists(st.integers(0, 12), min_size=1, max_size=30), min_size=1, max_size=6))
def test_counts_of_categories_are_low_by_no_more_than_is_said(parts):
    merged = Baseline(categories=4)
    for part in parts:
        merged.update({"x": np.array(part).astype(str)})
    (held,) = merged._columns
    true = {str(i): sum(part.count(i) for part in parts) for i in range(13)}
    assert len(held.tally) <= 4
    assert sum(held.tally.values()) + held.others == sum(true.values())
    for category, count in true.items():
        assert (
            0 <= count - held.tally.get(category, 0) <= (held.slack if category in held.tally else held.most)
        )


# -- cells, and the bound ------------------------------------------------------------------------------------


def in_cells(x):
    x = np.sort(x) + 0.0
    return Cells.of(x, np.ones(len(x), np.int64))


FINITE = st.one_of(
    st.floats(-1, 1, width=32),
    st.floats(allow_nan=False, allow_infinity=False),
    st.integers(-9, 9).map(float),
    st.integers(0, 6).map(lambda i: 2.0 - i * 2.0**-52),  # a narrow heap, at the far end of its cell
)


@settings(max_examples=300, deadline=None)
@given(
    st.lists(FINITE, min_size=1, max_size=40), st.lists(FINITE, min_size=1, max_size=40), st.integers(0, 52)
)
def test_the_bound_holds(x, y, k):
    x, y = np.array(x), np.array(y)
    value, bound = w1(*(in_cells(side).coarsened(k) for side in (x, y)))
    assert abs(Fraction(value) - wasserstein_power(x, y)) <= Fraction(bound) + Fraction(2.0**-1070)


@given(
    st.lists(FINITE | st.sampled_from([-np.inf, np.inf]), min_size=1, max_size=40),
    st.integers(0, 52),
    st.sampled_from(["f8", "f4", "i8"]),
)
def test_values_go_to_their_cells_at_once_as_they_do_one_by_one(x, k, dtype):
    x = np.array(x) if dtype == "f8" else np.clip(x, -(2.0**62), 2.0**62)
    x = np.sort(x.astype(dtype)) + np.dtype(dtype).type(0)
    slowly, at_once = Cells.of(x, np.ones(len(x), np.int64)).coarsened(k), Cells.each(x, k)
    for name in Cells.__dataclass_fields__:
        np.testing.assert_array_equal(getattr(at_once, name), getattr(slowly, name), name)


@pytest.mark.parametrize("law", ["normal", "lognormal", "standard_cauchy", "far", "integers", "stamps"])
def test_beyond_the_limit_w1_is_within_its_bound(law):
    def draw(n):
        if law == "far":
            return 1.7e9 + RNG.normal(size=n)
        if law == "integers":
            return RNG.integers(0, 10**9, n)
        if law == "stamps":
            return np.datetime64("2026-01-01", "us") + RNG.integers(0, 10**12, n)
        return getattr(RNG, law)(size=n)

    u, v = draw(50_000), draw(5_000)
    (exact,) = compare({"x": u}, {"x": v}).columns
    baseline = Baseline.from_table({"x": u}, values=8192)
    assert baseline.approximate == ("x",)
    other = Baseline.from_table({"x": v}, values=4096)
    reports = [baseline.score({"x": v}), baseline.score(other), compare({"x": u}, other)]
    for report in reports:
        (column,) = report.columns
        sd = exact.w1 / exact.w1_over_sd
        assert 0 < column.w1_bound < 1e-2 * sd
        assert abs(column.w1 - exact.w1) <= column.w1_bound
        assert column.w1_over_sd == pytest.approx(exact.w1_over_sd, rel=0.1)
        digit = np.spacing(abs(exact.mean_baseline))
        assert column.mean_baseline == pytest.approx(exact.mean_baseline, abs=1e-9 * sd + digit)
        assert column.js == pytest.approx(exact.js, rel=0.2)
        assert sum(b.baseline for b in column.bins) == 50_000
        assert sum(b.current for b in column.bins) == 5_000
        low = [b.low for b in column.bins if b.low is not None]
        assert low == sorted(low)
        if law in ("integers", "stamps"):
            assert all(type(x) is int for x in low)
    assert baseline.score(baseline).columns[0].w1 == 0


def test_bins_of_cells_are_counted_exactly():
    u, v = RNG.lognormal(size=20_000), RNG.lognormal(0.3, 1, 9_000)
    (column,) = Baseline.from_table({"x": u}, values=2000).score({"x": v}).columns
    assert len(column.bins) >= 20
    for b in column.bins:
        low, high = -np.inf if b.low is None else b.low, np.inf if b.high is None else b.high
        assert b.baseline == np.count_nonzero((low <= u) & (u < high))
        assert b.current == np.count_nonzero((low <= v) & (v < high))


def test_infinite_values_beyond_the_limit():
    u = np.append(RNG.normal(size=5000), [np.inf] * 3)
    (column,) = Baseline.from_table({"x": u}, values=64).score({"x": RNG.normal(size=100)}).columns
    assert column.w1 is None
    assert "3 infinite values" in column.note
    assert column.bins[-1].baseline >= 3


def test_whole_numbers_beyond_2_53_are_rounded_in_cells_and_the_bound_says_so():
    u, v = 2**60 + RNG.integers(0, 10**6, 5000), 2**60 + RNG.integers(0, 10**6, 400)
    (exact,) = compare({"x": u}, {"x": v}).columns
    (column,) = Baseline.from_table({"x": u}, values=64).score({"x": v}).columns
    assert abs(column.w1 - exact.w1) <= column.w1_bound
    assert "rounded to float64" in column.note


# -- what is refused -----------------------------------------------------------------------------------------


def test_other_columns_are_refused_and_nothing_is_lost():
    baseline = Baseline.from_table({"x": [1.0], "y": [2.0]})
    before = copy.deepcopy(baseline)
    with pytest.raises(TableError, match="chunk: has no column 'y', which baseline has"):
        baseline.update({"x": [1.0]})
    with pytest.raises(TableError, match="chunk: has a column 'z', which baseline has not"):
        baseline.update({"x": [1.0], "y": [1.0], "z": [2.0]})
    with pytest.raises(TableError, match="has no column 'x'"):
        baseline.merge(Baseline.from_table({"y": [1.0]}))
    assert baseline == before
    baseline.update(pa.table({"y": [1.0], "x": [2.0]}))
    assert baseline.rows == 2


def test_arguments():
    baseline = Baseline.from_table({"x": [1.0]})
    with pytest.raises(TypeError, match="other must be a Baseline, not dict"):
        baseline.merge({"x": [1.0]})
    with pytest.raises(ValueError, match="other must be a Baseline with values=65536"):
        baseline.merge(Baseline(values=None))
    with pytest.raises(ValueError, match="values must be"):
        Baseline(values=0)
    with pytest.raises(TypeError, match="categories must be"):
        Baseline(categories=1.5)
    with pytest.raises(TableError, match="no rows yet"):
        Baseline().score({"x": [1.0]})
    assert baseline != Baseline.from_table({"x": [2.0]})
    assert repr(baseline) == "<Baseline of 1 rows and 1 column>"
    assert fastdiv.drift.Baseline is Baseline


def test_a_baseline_is_merged_not_updated_with():
    with pytest.raises(TypeError, match="chunk must be a table, not a Baseline: merge takes those"):
        Baseline().update(Baseline.from_table({"x": [1.0]}))


# -- types and sizes out of the ordinary ---------------------------------------------------------------------


@pytest.mark.parametrize("values", [2, None])
def test_signed_and_unsigned_parts_in_any_order(values):
    parts = [np.array([-5, 7, 9]), np.array([3, 8, 2**62], "u8"), np.array([2**40, 1], "u8")]
    whole = Baseline.from_table({"x": np.concatenate([x.astype(np.int64) for x in parts])}, values=values)
    for order in permutations(parts):
        stream = Baseline(values=values)
        for part in order:
            stream.update({"x": part})
        assert stream == whole


def test_zero_has_no_sign_where_a_narrower_type_makes_it():
    u, v = {"x": np.array([-1e-60, 1.0] * 9)}, {"x": np.array([0.0, 1.0] * 9, "f4")}
    expected = compare(u, v)
    assert expected.columns[0].bins[0].label == "0.0"
    assert Baseline.from_table(u).score(v, bins=20) == expected


def test_more_values_than_are_written_out():
    """A billion rows of few values: counted without making them."""
    baseline = Baseline.from_table({"x": np.repeat([1.0, 2.5, 7.0], [1, 2, 3])})
    for _ in range(29):
        baseline = baseline.merge(baseline)
    (column,) = baseline.score({"x": [1.0, 2.5, 2.5, 7.0, 7.0, 8.0]}).columns
    assert column.n_baseline == 6 * 2**29
    assert column.w1 == pytest.approx(1 / 6, rel=1e-14)
    assert column.w1_bound < 1e-13
    assert [b.baseline for b in column.bins] == [2**29, 2 * 2**29, 3 * 2**29, 0]
    assert column.mean_baseline == 4.5
    assert pickle.loads(pickle.dumps(baseline)) == baseline


@pytest.mark.parametrize("k", [0, 40, 51])
def test_the_bound_holds_for_more_values_than_int64_can_multiply(k):
    x, y = np.sort(RNG.normal(size=60)), np.sort(RNG.normal(size=50))
    n, m = (RNG.integers(1, 2**31, size) for size in (60, 50))
    value, bound = w1(Cells.of(x, n).coarsened(k), Cells.of(y, m).coarsened(k))
    assert abs(Fraction(value) - wasserstein_power(x, y, n, m)) <= Fraction(bound)


def test_batches_of_arrow_are_tables():
    """As Spark's mapInArrow hands them over."""
    table = pa.table({"x": RNG.normal(size=100), "y": ["a", "b"] * 50})

    def count(batches):  # as on the page of how-tos
        baseline = Baseline()
        for batch in batches:
            baseline.update(batch)
        yield pa.record_batch({"profile": [pickle.dumps(baseline)]})

    partitions = [table.slice(0, 60).to_batches(max_chunksize=20), [], table.slice(60).to_batches()]
    pickled = [batch["profile"][0].as_py() for part in partitions for batch in count(iter(part))]
    assert reduce(Baseline.merge, map(pickle.loads, pickled)) == Baseline.from_table(table)


def test_a_parquet_file_is_read_in_parts(tmp_path, monkeypatch):
    table = pa.table(
        {
            "x": pa.array(RNG.normal(size=5000)),
            "i": pa.array([None if i % 7 == 0 else i % 50 for i in range(5000)]),
            "word": RNG.choice(list("abcdef"), 5000),
            "late": pa.array([None] * 4000 + [1.5] * 1000),
            "far": pa.array([dt.datetime(2026, 1, 1)] * 4999 + [None], pa.timestamp("s")),
        }
    )
    pq.write_table(table, tmp_path / "a.parquet", row_group_size=300)
    whole = Baseline.from_table(str(tmp_path / "a.parquet"), values=400)
    read = []
    of = Held.of
    monkeypatch.setattr(Held, "of", lambda column, *more: read.append(column.rows) or of(column, *more))
    monkeypatch.setattr(memory, "_PIECE", 1000)
    parts = Baseline.from_table(str(tmp_path / "a.parquet"), values=400)
    assert sorted(read) == [500] * 5 + [900] * 25
    assert parts == whole == Baseline.from_table(table, values=400)


def test_a_narrow_heap_in_a_wide_cell_keeps_its_digits():
    x, y = 2.0 - 2.0**-52 * np.array([1, 1, 1, 2, 4]), np.array([2.0])
    value, bound = w1(*(in_cells(side).coarsened(52) for side in (x, y)))
    assert abs(Fraction(value) - wasserstein_power(x, y)) <= Fraction(bound) < Fraction(2.0**-90)
