"""Evidently's numbers, as it gave them (evidently_numbers/make.py), and the laws beneath them."""

from __future__ import annotations

import json
import sys
from fractions import Fraction
from math import comb, factorial, lcm
from pathlib import Path

import numpy as np
import pytest

from fastdiv.compat._kolmogorov import _below, _of_one, _of_paths, _one_sided
from fastdiv.compat.evidently import data_drift

HERE = Path(__file__).with_name("evidently_numbers")
sys.path.insert(0, str(HERE))
from drifted import METHODS, TABLES  # noqa: E402

KEPT = json.loads((HERE / "numbers.json").read_text())["tables"]


@pytest.mark.parametrize("label", TABLES)
@pytest.mark.parametrize("method", ["default", *METHODS])
def test_its_numbers(label, method):
    reference, current = TABLES[label]()
    found = data_drift(reference, current, method=None if method == "default" else method)
    expected = {name: entry for name, entry in KEPT[label][method].items() if name}
    assert [c.column for c in found.columns] == list(expected)
    for c in found.columns:
        name, score, threshold = expected[c.column]
        assert (c.method, c.threshold) == (name, threshold), c.column
        # its z-test takes 1 - cdf, and SciPy's law of one sample is an expansion
        rel = 1e-6 if label in ("made long", "flights") and name == "ks" else 1e-9
        assert c.score == pytest.approx(score, rel=rel, abs=1e-15), c.column
    whole = KEPT[label][method][""]
    assert (found.count, found.share) == (whole["count"], whole["share"])
    assert found.drift == (found.share >= 0.5)


def _share_of_paths(d, n, m):
    """Of all orders of n and m values those in which |i/n - j/m| >= d somewhere, in whole numbers."""
    inside = {(0, 0): 1}
    for i in range(n + 1):
        for j in range(m + 1):
            if i + j and abs(Fraction(i, n) - Fraction(j, m)) < d:
                inside[i, j] = inside.get((i - 1, j), 0) + inside.get((i, j - 1), 0)
    return 1 - Fraction(inside.get((n, m), 0), comb(n + m, n))


@pytest.mark.parametrize(("n", "m"), [(1, 1), (3, 3), (5, 8), (12, 30), (20, 21)])
def test_exact_p_values(n, m):
    unit = lcm(n, m)
    for step in range(0, unit + 1, max(1, unit // 12)):
        d = Fraction(step, unit)
        assert _of_paths(float(d), n, m) == pytest.approx(float(_share_of_paths(d, n, m)), rel=1e-12)


def test_small_p_values_keep_their_digits():
    # all of one side before the other: two orders of all
    assert _of_paths(1.0, 200, 300) == pytest.approx(float(Fraction(2, comb(500, 200))), rel=1e-12)


@pytest.mark.parametrize("n", [1, 2, 5, 40, 150])
def test_the_law_of_one_sample(n):
    for d in (0.5, 0.6, 0.7):  # from 1/2 on only one side can be so far out
        assert 1 - _below(d, n) == pytest.approx(min(1, 2 * _one_sided(d, n)), rel=1e-9, abs=1e-12)
    # D is never below 1 / 2n, and up to 1 / n its law is n! (2d - 1/n)^n (Kolmogorov)
    assert _of_one(0.4999 / n, n) == 1.0
    d = Fraction(7, 8 * n)
    expected = 1 - factorial(n) * (2 * d - Fraction(1, n)) ** n
    assert _of_one(float(d), n) == pytest.approx(float(expected), rel=1e-12)
    many = np.random.default_rng(n).random((20_000, n))
    many.sort(axis=1)
    ranks = np.arange(n + 1) / n
    apart = np.maximum(ranks[1:] - many, many - ranks[:-1]).max(axis=1)
    d = float(np.quantile(apart, 0.8))
    assert _of_one(d, n) == pytest.approx(0.2, abs=0.015)


def test_what_is_not_compared():
    day = np.datetime64("2026-01-01") + np.arange(30)
    base = {"day": day, "text": [f"a word {i}" for i in range(30)], "x": [1.0] * 30, "kind": ["a"] * 30}
    cur = base | {"x": [np.nan] * 30, "kind": list(range(30))}
    found = data_drift(base, cur)
    assert (found.columns, found.share, found.drift) == ((), 0.0, False)
    assert found.skipped == {
        "day": "dates have no drift there",
        "text": "text, which is judged there by a classifier",
        "x": "current: every value is missing",
        "kind": "categorical in the reference, numeric in the current",
    }
    with pytest.raises(ValueError, match="method must be wasserstein, jensenshannon"):
        data_drift(base, cur, method="cosine")
    infinite = data_drift({"x": [1.5, 2.5, np.inf]}, {"x": [1.5, np.inf, np.inf]}, method="jensenshannon")
    assert infinite.columns[0].score == pytest.approx(0.46450140402, rel=1e-9)  # of 1/2, 1/2 and 1, 0


def test_the_command(tmp_path, capsys):
    from fastdiv import cli

    paths = [str(tmp_path / name) for name in ("old.npz", "new.npz")]
    for path, table in zip(paths, TABLES["made"](), strict=True):
        np.savez(path, **table)

    def run(*argv):
        try:
            code = cli.main(["compare", *paths, "--compat", "evidently", *argv])
        except SystemExit as stop:
            code = stop.code
        return code, *capsys.readouterr()

    found = data_drift(*TABLES["made"]())
    code, out, _ = run("--format", "json")
    data = json.loads(out)
    assert (code, data["columns"]) == (0, [c._asdict() for c in found.columns])
    for kind in ("table", "md", "csv"):
        code, out, _ = run("--format", kind, "--exclude", "uniform")
        assert code == 0
        assert "tails" in out
        assert "uniform" not in out
    assert run("--fail-on", "moved")[0] == 1
    assert run("--fail-on", "moved", "--columns", "uniform")[0] == int(found.columns[0].drift)
    for option, message in [
        (("--by", "word"), "--compat evidently must stand without --by"),
        (("--weights", "ages"), "must stand without --weights"),
        (("--format", "html"), "must go with table, json, csv or md, not html"),
        (("--fail-on", "js>0.1"), "must go with no rule but moved, not js>0.1"),
    ]:
        code, _, err = run(*option)
        assert (code, err.count("\n")) == (2, 1)
        assert message in err
