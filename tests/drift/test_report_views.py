"""What a report becomes besides text: fewer columns, data frames, figures; the area drawn as W1."""

from __future__ import annotations

import json
import sys
from itertools import pairwise

import numpy as np
import pytest

import fastdiv
from fastdiv.drift import contributions
from fastdiv.drift.contribution import steps, w1_remainder


def _tables(seed: int = 1) -> tuple[dict, dict]:
    rng = np.random.default_rng(seed)
    a = {name: rng.normal(size=500) for name in "abc"} | {"gone": np.ones(500)}
    return a, a | {"b": a["b"] + 1, "new": np.ones(500)}


@pytest.fixture(scope="module")
def report():
    a, b = _tables()
    del b["gone"]
    return fastdiv.compare(a, b, exclude=["c", "new"])


def test_excluded_columns_are_as_if_not_there(report):
    assert [c.name for c in report.columns] == ["b", "a"]
    assert (report.only_baseline, report.only_current, report.excluded) == (("gone",), (), ("c", "new"))


@pytest.mark.parametrize(
    ("exclude", "said"),
    [
        (["d"], "no column 'd'"),
        (["a", "b", "c", "gone", "new"], "exclude leaves no column to compare"),
    ],
)
def test_what_cannot_be_excluded(exclude, said):
    with pytest.raises(ValueError, match=f"^{said}"):
        fastdiv.compare(*_tables(), exclude=exclude)
    with pytest.raises(TypeError, match=r"^exclude must be a sequence of names, not 'a'"):
        fastdiv.compare(*_tables(), exclude="a")


@pytest.fixture
def files(tmp_path):
    for name, table in zip("ab", _tables(), strict=True):
        np.savez(tmp_path / f"{name}.npz", **table)
    return [str(tmp_path / f"{name}.npz") for name in "ab"]


def test_the_command_says_what_is_left_out(files, run):
    code, out, _ = run(*files, "--exclude", "c", "--exclude", "gone,new", "--top", "1")
    assert code == 0
    assert "excluded: c, gone, new" in out
    assert "not shown: 1 more column: 1 none" in out
    assert "moved a lot" in out
    assert "only in" not in out
    found = json.loads(run(*files, "--top", "1", "--format", "json")[1])
    assert len(found["columns"]) == 1
    assert found["left_out"] == {"none": 2, "constant": 1}
    assert (
        "Not shown: 3 more columns: 2 none, 1 constant." in run(*files, "--top", "1", "--format", "html")[1]
    )


def test_rules_judge_what_is_not_shown(files, run):
    code, out, _ = run(*files, "--sort", "name", "--top", "1", "--fail-on", "moved")
    assert code == 1
    assert "drift: " in out
    assert "moved a lot" in out
    assert run(*files, "--top", "0")[0] == 2
    code, _, err = run(*files, "--by", "a", "--top", "1")
    assert code == 2
    assert "--by and --window must stand without --top" in err


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_data_frames(report, library, monkeypatch):
    pytest.importorskip(library)
    frame = getattr(report, f"to_{library}")()
    assert list(frame["name"]) == ["b", "a", "gone"]
    assert list(frame["status"]) == ["compared", "compared", "only in baseline"]
    assert list(frame["js_distance"])[:2] == [c.js for c in report.columns]
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(ImportError, match=rf"^Report.to_{library} needs \w+: pip install {library}$"):
        getattr(report, f"to_{library}")()


@pytest.mark.parametrize("library", ["pandas", "polars"])
def test_names_that_are_no_unicode(library):
    pytest.importorskip(library)
    table = {"x\ud800": [1.0, 2.0] * 20, "wörd": ["a\udcff", "b"] * 20}
    frame = getattr(fastdiv.compare(table, table), f"to_{library}")()
    assert sorted(frame["name"]) == ["wörd", "x\\ud800"]


def test_a_baseline_takes_the_same_options():
    a, b = _tables()
    report = fastdiv.Baseline.from_table(a).score(b, exclude=["c", "new"])
    assert report.excluded == ("c", "new")
    assert report.columns == fastdiv.compare(a, b, exclude=["c", "new"]).columns
    assert len(report.head(1).columns) == 1
    with pytest.raises(ValueError, match=r"^no column 'd'"):
        fastdiv.Baseline.from_table(a).score(b, exclude=["d"])


def test_plot(report, monkeypatch):
    pytest.importorskip("matplotlib")
    figure = report.plot(1)
    histogram, functions = figure.axes
    assert "b: moved a lot" in histogram.get_title(loc="left")
    np.testing.assert_array_equal(
        [bar.get_height() for bar in histogram.patches],
        [*report.columns[0].bars_baseline, *report.columns[0].bars_current],
    )
    drawn = [line.get_ydata() for line in functions.lines]
    np.testing.assert_array_equal(drawn, np.array(steps(report.columns[0])).T[1:])
    with pytest.raises(ValueError, match=r"^n must be"):
        report.plot(0)
    monkeypatch.setitem(sys.modules, "matplotlib.figure", None)
    with pytest.raises(ImportError, match=r"^Report.plot needs Matplotlib: pip install 'fastdiv\[plot\]'$"):
        report.plot()


def _area(points: list) -> float:
    """Of |P - Q|, on pieces so short that a crossing within one does not count."""
    x, p, q = np.array(points).T
    at = np.concatenate([np.linspace(a, b, 2000, endpoint=False) for a, b in pairwise(x)])
    return float(np.abs(np.interp(at, x, p) - np.interp(at, x, q))[:-1] @ np.diff(at))


@pytest.mark.parametrize("kind", ["float64", "float32", "int64", "datetime64[us]"])
def test_beyond_the_baseline_the_area_is_w1(kind):
    """All current values lie outside: then the bins' shapes do not matter but by the means."""
    rng = np.random.default_rng(5)
    x = rng.integers(0, 10**6, 3000)
    y = np.concatenate([-rng.integers(1, 10**7, 1000), rng.integers(2 * 10**6, 3 * 10**7, 3000)])
    (c,) = fastdiv.compare({"x": x.astype(kind)}, {"x": y.astype(kind)}).columns
    below, above = y[y < 0], y[y > 0]
    np.testing.assert_allclose(c.below, [below.min(), below.mean()], rtol=1e-6)
    np.testing.assert_allclose(c.above, [above.mean(), above.max()], rtol=1e-6)
    parts = contributions(c)
    assert sum(part.w1 for part in parts[1:-1]) > 0
    assert abs(w1_remainder(c, parts)) < 2e-4 * c.w1  # the straight lines within the baseline's bins
    assert _area(steps(c)) == pytest.approx(c.w1, rel=2e-3)


@pytest.mark.parametrize("shift", [0.0, 0.5, 3.0])
def test_the_functions_drawn_run_from_0_to_1(shift):
    a, b = _tables()
    b["a"] = b["a"] * (1 + shift)
    for c in fastdiv.compare(a, b).columns:
        points = np.array(steps(c))
        assert (np.diff(points, axis=0) >= -1e-12).all()
        np.testing.assert_allclose(points[[0, -1], 1:], [[0, 0], [1, 1]], atol=1e-12)


def test_values_so_large_that_a_sum_would_overflow():
    (c,) = fastdiv.compare({"x": np.arange(50.0)}, {"x": np.full(50, 1.7e308)}).columns
    assert c.above == (1.7e308, 1.7e308)
