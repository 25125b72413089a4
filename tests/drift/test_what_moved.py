"""What moved: shares of bins that add up, categories on one side only, numbers out of range."""

from __future__ import annotations

from math import isclose

import numpy as np
import pytest
from command import FLIGHTS

from fastdiv.drift import compare
from fastdiv.drift.contribution import appeared


def _tables():
    rng = np.random.default_rng(11)
    days = np.datetime64("2026-01-01", "s") + rng.integers(0, 10**6, 3000)
    base = {
        "x": rng.normal(size=3000),
        "few": rng.integers(0, 4, 3000),
        "word": rng.choice(["a", "b", "gone"], 3000),
        "many": rng.integers(0, 300, 3000).astype(str),
        "day": days,
    }
    cur = {
        "x": rng.normal(0.3, 2, size=2000),
        "few": rng.integers(1, 6, 2000),
        "word": rng.choice(["a", "b", "new", "newer"], 2000, p=[0.5, 0.2, 0.2, 0.1]),
        "many": rng.integers(20, 330, 2000).astype(str),
        "day": days[:2000] + np.timedelta64(86_400, "s"),
    }
    return base, cur


@pytest.mark.parametrize("pseudocount", [0.5, 3])
def test_shares_of_bins_add_up(pseudocount):
    data = compare(*_tables(), pseudocount=pseudocount).to_dict()
    assert len(data["columns"]) == 5
    for c in data["columns"]:
        totals = {
            "js_bits": c["js_distance"] ** 2,
            "kl_bits": c["kl_bits"],
            "psi": c["psi"],
            "w1": c["w1"],
        }
        for name, total in totals.items():
            if total is None:
                assert all(b["w1"] is None for b in c["bins"])
                continue
            shares = [b[name] or 0.0 for b in c["bins"]]
            found = sum(shares) + c["in_bins_left_out"][name]
            if name == "w1":
                found += c["w1_in_no_bin"]
            assert min(shares) >= 0
            assert isclose(found, total, rel_tol=1e-12), (c["name"], name)
    many = next(c for c in data["columns"] if c["name"] == "many")
    assert many["bins_left_out"] > 0
    assert many["in_bins_left_out"]["psi"] > 0


def test_new_and_vanished_categories():
    base, cur = _tables()
    report = compare(base, cur)
    (word,) = (c for c in report.columns if c.name == "word")
    side = appeared(word)
    count = {label: int((cur["word"] == label).sum()) for label in ("new", "newer")}
    assert [(b.label, b.current) for b in side.new] == list(count.items())
    assert [b.label for b in side.vanished] == ["gone"]
    told = next(c for c in report.to_dict()["columns"] if c["name"] == "word")
    assert told["new_categories"] == [list(pair) for pair in count.items()]
    assert told["vanished_categories_number"] == 1


def test_numbers_out_of_range():
    base, cur = _tables()
    for c in compare(base, cur).columns:
        if c.kind == "numeric":
            side = appeared(c)
            low, high = base[c.name].min(), base[c.name].max()
            assert (side.below, side.above) == ((cur[c.name] < low).sum(), (cur[c.name] > high).sum())
            assert side.above > 0


@pytest.mark.parametrize("kind", ["table", "md"])
def test_the_text_says_so(run, tmp_path, kind):
    base, cur = _tables()
    paths = []
    for name, table in (("base", base), ("cur", cur)):
        paths.append(tmp_path / f"{name}.npz")
        np.savez(paths[-1], **table)
    _, out, _ = run(*paths, "--format", kind)
    assert "word: 2 categories of the current only: new (" in out
    assert "word: 1 category of the baseline only: gone (" in out
    assert "few: " in out
    assert "above the baseline's range, of 2,000" in out


def test_flights(run):
    _, out, _ = run(*FLIGHTS, "--columns", "temp,dest")
    assert "temp: 68,498 above the baseline's range, of 86,732" in out
    assert "dest: 5 categories of the current only: ACK (176), MVY (170), TVC (101), ANC (8), LGA (1)" in out


def test_shift_scale_and_shape():
    """Of W2 squared; quantile functions of as many values are the sorted values."""
    rng = np.random.default_rng(3)
    x = rng.normal(size=2000)
    cases = {
        "shift": x + 1,
        "scale": 3 * (x - x.mean()) + x.mean(),
        "shape": None,
        "all": rng.exponential(3, 2000),
    }
    skewed = rng.exponential(size=2000)
    cases["shape"] = (skewed - skewed.mean()) / skewed.std() * x.std() + x.mean()
    for name, y in cases.items():
        (c,) = compare({"x": x}, {"x": y}).columns
        w2 = np.mean((np.sort(x) - np.sort(y)) ** 2)
        r = np.corrcoef(np.sort(x), np.sort(y))[0, 1]
        truth = (x.mean() - y.mean()) ** 2, (x.std() - y.std()) ** 2, 2 * x.std() * y.std() * (1 - r)
        assert np.allclose(c.w2_parts, np.array(truth) / w2, rtol=0, atol=1e-12)
        if name != "all":
            assert getattr(c.w2_parts, name) == pytest.approx(1, abs=1e-12)


def test_parts_of_dates_and_far_values():
    day = np.datetime64("2026-01-01", "us") + np.arange(500) * np.timedelta64(7, "s")
    (c,) = compare({"t": day}, {"t": day + np.timedelta64(3, "h")}).columns
    assert c.w2_parts.shift == pytest.approx(1, abs=1e-9)
    huge = np.linspace(1, 2, 500) * 1e300
    (c,) = compare({"x": huge}, {"x": 3 * huge}).columns
    assert sum(c.w2_parts) == pytest.approx(1)
    assert min(c.w2_parts) >= 0
    (c,) = compare({"x": huge}, {"x": huge}).columns
    assert c.w2_parts is None
