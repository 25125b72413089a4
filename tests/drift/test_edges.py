"""Bins that are asked for: edges, numbers of bins, quantiles of few values, wherever they are named."""

from __future__ import annotations

import datetime as dt
from fractions import Fraction
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from command import refused

import fastdiv
from fastdiv.drift import Baseline, TableError, compare, compare_over, contributions

EDGES = [-1.0, 0.0, 0.5, 2.0]


def _tables(n=3000, m=900):
    rng = np.random.default_rng(31)
    base = {"x": rng.normal(size=n), "few": rng.poisson(2, n), "word": rng.choice(list("ab"), n)}
    cur = {"x": rng.normal(0.3, 1, m), "few": rng.poisson(2, m), "word": rng.choice(list("ab"), m)}
    return base, cur


def _column(report, name):
    return next(c for c in report.columns if c.name == name)


def _counts(x, edges):
    """By NumPy, whose last bin is closed as well."""
    inner = np.histogram(x, edges)[0].tolist()
    return [int((x < edges[0]).sum()), *inner, int((x > edges[-1]).sum())]


def test_edges_are_those_of_numpy():
    base, cur = _tables()
    base["x"][:3] = cur["x"][:3] = [0.5, 2.0, -1.0]
    c = _column(compare(base, cur, edges={"x": EDGES}), "x")
    assert [b.baseline for b in c.bins] == _counts(base["x"], EDGES)
    assert [b.current for b in c.bins] == _counts(cur["x"], EDGES)
    labels = ["< -1.0", "[-1.0, 0.0)", "[0.0, 0.5)", "[0.5, 2.0]", "> 2.0"]
    assert [b.label for b in c.bins] == labels
    p, q = ([b[i] for b in c.bins] for i in (3, 4))
    assert c.js == pytest.approx(float(fastdiv.js_distance(p, q, base=2)), rel=1e-13)
    low, high = (f(f(base["x"]), f(cur["x"])) for f in (min, max))
    assert (c.bins[0].low, c.bins[-1].high) == (low, high)
    # the bins make up most of W1, those below and above included
    area = sum(part.w1 for part in contributions(c))
    assert 0.8 * c.w1 < area < 1.2 * c.w1
    assert "bins by the edges given" in c.note


def test_a_repeated_number_of_edges_is_kept_apart():
    assert [
        b[3:] for b in _column(compare({"x": [1, 1, 2, 3]}, {"x": [1, 3]}, edges={"x": [1]}), "x").bins
    ] == [(4, 2)]
    c = _column(compare({"x": [1, 1, 2, 3]}, {"x": [0, 3]}, edges={"x": [1, 3]}), "x")
    assert [(b.label, *b[3:]) for b in c.bins] == [("< 1", 0, 1), ("[1, 3]", 4, 1)]


def test_narrow_floats_go_to_the_bin_of_their_name():
    x = np.array([0.1, 0.7, 0.7, 0.2], np.float32)
    c = _column(compare({"x": x}, {"x": x}, edges={"x": [0.1, 0.7, 1.0]}), "x")
    assert [b.baseline for b in c.bins] == [2, 2]


def test_a_baseline_takes_edges():
    base, cur = _tables()
    expected = _column(compare(base, cur, edges={"x": EDGES}), "x")
    for values in (None, 65_536):
        found = _column(Baseline.from_table(base, values=values).score(cur, edges={"x": EDGES}), "x")
        assert (found.bins, found.js, found.noise) == (expected.bins, expected.js, expected.noise)
    small = Baseline.from_table(base, values=400)
    found = _column(small.score(cur, edges={"x": [-0.9, 0.1, 0.7, 1.9]}), "x")
    assert "edges are moved to where the cells of a baseline begin" in found.note
    for b in found.bins:  # counts are those of the bins it names
        low, high = (-np.inf if b is found.bins[0] else b.low), (np.inf if b is found.bins[-1] else b.high)
        assert b.baseline == ((base["x"] >= low) & (base["x"] < high)).sum()
        assert b.current == ((cur["x"] >= low) & (cur["x"] < high)).sum()
    # 100 cells fall apart at whole numbers, so these edges are exact
    whole = {"x": np.arange(4000) % 1000}
    found = _column(
        Baseline.from_table(whole, values=400).score(whole, edges={"x": [128, 512, 640, 2000]}), "x"
    )
    assert [b.baseline for b in found.bins] == [4 * n for n in (128, 384, 128, 360)]
    assert "moved to" not in found.note


def test_weights_and_windows():
    base, cur = _tables()
    base["w"], cur["w"] = np.full(3000, 3), np.full(900, 7)
    plain = _column(compare(base, cur, edges={"x": EDGES}), "x")
    weighted = _column(compare(base, cur, edges={"x": EDGES}, weights="w"), "x")
    assert [b[1:3] for b in weighted.bins] == [b[1:3] for b in plain.bins]
    assert weighted.js == pytest.approx(plain.js, rel=1e-12)
    assert weighted.noise.js == pytest.approx(plain.noise.js, rel=1e-12)
    series = compare_over(base, cur, by="word", edges={"x": EDGES})
    for label in "ab":
        some = cur["x"][cur["word"] == label]
        assert [b.current for b in series.cell("x", label).bins] == _counts(some, EDGES)


def test_continuous_and_bins():
    base, cur = _tables()
    auto = _column(compare(base, cur), "few")
    assert all(b.low == b.high for b in auto.bins if None not in (b.low, b.high))
    c = _column(compare(base, cur, bins={"few": 3}, continuous=["few"]), "few")
    assert any(b.low != b.high for b in c.bins)
    assert "bins by 3 quantiles of the baseline, at most" in c.note
    report = compare(base, cur, bins={None: 10, "x": 40})
    assert (report.bins, len(_column(report, "x").bins)) == (10, 40)
    assert len(_column(compare(base, cur, bins=10), "x").bins) == 10
    for values in (None, 40):
        baseline = Baseline.from_table(base, values=values)
        found = _column(baseline.score(cur, bins={"few": 3}, continuous=["few"]), "few")
        assert found.js == c.js


def test_dates():
    day = np.datetime64("2026-01-01", "us") + np.arange(60) * np.timedelta64(1, "D")
    given = ["2026-01-11", dt.date(2026, 1, 31), np.datetime64("2026-02-10")]
    report = compare({"t": day}, pa.table({"t": day + np.timedelta64(5, "D")}), edges={"t": given})
    (c,) = report.columns
    assert [b[3:] for b in c.bins] == [(10, 5), (20, 20), (11, 11), (19, 24)]
    assert c.bins[1].label == "[2026-01-11, 2026-01-31)"
    zoned = [dt.datetime(2026, 1, 11, 1, tzinfo=dt.timezone(dt.timedelta(hours=1)))]
    (c,) = compare({"t": day}, {"t": day}, edges={"t": zoned}).columns
    assert c.bins[0].baseline == 10


def test_unchanged_bins_have_noise():
    """Fixed edges say nothing of the data: p is at most .05 in a share of about that."""
    rng = np.random.default_rng(32)
    names = [f"x{i}" for i in range(400)]
    base, cur = ({name: rng.normal(size=n) for name in names} for n in (500, 300))
    report = compare(base, cur, edges={name: [-1, 0, 1] for name in names})
    p = np.array([c.noise.p_bins for c in report.columns])
    assert 0.025 < np.mean(p <= 0.05) < 0.08
    assert 0.9 < np.sqrt(np.mean([(c.js / c.noise.js) ** 2 for c in report.columns])) < 1.1


def test_a_file_says_so_and_arguments_go_before(tmp_path, run):
    base, cur = _tables()
    file = tmp_path / "drift.toml"
    file.write_text(
        "[columns.x]\nedges = [-1.0, 0, 0.5, 2.0]\nmoved = {js = 0.1}\n"
        "[columns.few]\ncontinuous = true\nbins = 3\n"
    )
    report = compare(base, cur, thresholds=file)
    assert [b.baseline for b in _column(report, "x").bins] == _counts(base["x"], EDGES)
    assert report.thresholds.of("x").moved["js"] == 0.1
    assert list(report.thresholds.columns) == ["x"]
    assert any(b.low != b.high for b in _column(report, "few").bins)
    assert len(_column(compare(base, cur, thresholds=file, edges={"x": [0]}), "x").bins) == 2
    paths = [tmp_path / "base.npz", tmp_path / "cur.npz"]
    for path, table in zip(paths, (base, cur), strict=True):
        np.savez(path, **table)
    options = ["--edges", "x=-1,0,0.5,2", "--bins", "few=3", "--continuous", "few"]
    said, same = (run(*paths, *how, "--format", "json")[1] for how in (options, ["--thresholds", file]))
    assert said.count('"label"') == same.count('"label"')
    assert '"label": "[-1.0, 0.0)"' in said
    assert '"label": "[-1.0, 0.0)"' in same


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--edges", "x=3,2"), "edges of column 'x' must increase, not be 2 after 3"),
        (("--edges", "x=1,1"), "edges of column 'x' must increase, not be 1 after 1"),
        (("--edges", "x=1,inf"), "edges of column 'x' must be finite numbers of 64 bits, not inf"),
        (
            ("--edges", "x=1,many"),
            "edges of column 'x' must be numbers or dates such as 2026-01-31, not 'many'",
        ),
        (("--edges", "x=2026-01-01"), "edges of column 'x' must be numbers, not dates: it is numeric"),
        (("--edges", "word=1"), "column 'word' must be numeric to have bins of its own, not categorical"),
        (("--edges", "y=1"), "bins: no column 'y'"),
        (("--edges", "1,2"), "'1,2' must be NAME=X,Y,..."),
        (("--continuous", "word"), "column 'word' must be numeric to have bins of its own, not categorical"),
        (("--bins", "x=1"), "'1' is no whole number from 2 to 100000"),
    ],
)
def test_refused(options, message, tmp_path, run):
    path = tmp_path / "a.csv"
    path.write_text("x,word\n" + "1.5,a\n2.5,b\n" * 20)
    assert refused(run(path, path, *options), message)


@pytest.mark.parametrize(
    ("own", "message"),
    [
        ({"bins": 1}, "bins of column 'x' must be a whole number from 2, not 1"),
        ({"continuous": 1}, "continuous of column 'x' must be true or false, not 1"),
        ({"edges": [], "bins": 3}, "edges of column 'x' must be numbers or dates, not none"),
        ({"edges": [1], "continuous": True}, "column 'x' must have edges or be continuous, not both"),
        ({"edges": "ab"}, "edges of column 'x' must be numbers or dates that increase, not 'ab'"),
        ({"edges": [1, "2026-01-01"]}, "edges of column 'x' must be numbers or dates, not both"),
        ({"edges": [True]}, "edges of column 'x' must be numbers or dates such as 2026-01-31, not True"),
    ],
)
def test_refused_in_a_mapping(own, message):
    with pytest.raises(TableError, match=message):
        compare({"x": [1, 2]}, {"x": [1, 2]}, thresholds={"columns": {"x": own}})


@pytest.mark.parametrize("dtype", ["u1", "i1", "u8", "i8", "f8"])
@pytest.mark.parametrize("weighted", [False, True])
def test_values_beside_edges_are_counted_as_the_numbers_they_are(dtype, weighted):
    kinds = np.iinfo(dtype) if dtype != "f8" else np.iinfo("i8")
    size = 2**53 if dtype == "f8" else min(int(kinds.max), 2**63)
    values = sorted({max(int(kinds.min), size + k) for k in range(-9, 1)} | {0, 1, 5, 6, int(kinds.min)})
    values = [x for x in values if int(kinds.min) <= x <= int(kinds.max)]
    column = np.array(values * 3, dtype)
    data = {"x": column, "w": np.ones(len(column))} if weighted else {"x": column}
    for edges in (
        (0.5, size - 3, size - 2),
        (-7, 0, 5.5, size - 5),
        (5, 2**63 + 5),
        (-(2.0**70), 1, 2.0**70),
        (size - 8, size - 7, size - 6, size - 5),
        (300,),
        (-300.5, -299),
    ):
        (found,) = compare(data, data, edges={"x": edges}, weights="w" if weighted else None).columns
        exact = [Fraction(edge) for edge in edges]
        inside = [sum(low <= x < high for x in values) for low, high in pairwise(exact)]
        if inside:
            inside[-1] += sum(x == exact[-1] for x in values)
        below = sum(x < exact[0] for x in values)
        counts = [below, *inside, len(values) - below - sum(inside)]
        assert [b.baseline for b in found.bins] == [3 * n for n in counts if n], (edges, found.bins)
