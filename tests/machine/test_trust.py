"""docs/trust.md is what its stored files say, and those are whole."""

import json
import re
from pathlib import Path

import pytest

import fastdiv
import fastdiv.gan
import fastdiv.grad
from fastdiv import information

trust = pytest.importorskip("bench.trust", reason="only the source tree has bench/")
ROOT = Path(__file__).parents[2]


def test_the_page_is_written_not_typed():
    text = (ROOT / "docs" / "trust.md").read_text()
    assert trust.written(text) == text


def test_no_promise_is_broken_and_no_function_left_out():
    levels = json.loads(trust.STORED.read_text())["levels"]
    assert set(levels) == {"base", "avx2", "avx512"}
    for stored in levels.values():
        assert stored["broken"] == []
        assert all(e["largest"] < 9100 and e["mean"] < 30 for e in stored["errors"].values())
        known = {name.split(",")[0].split(" at ")[0].split(" within ")[0] for name in stored["errors"]}
        rows = {*information.__all__, *(f"grad.{n}" for n in information.__all__ if hasattr(fastdiv.grad, n))}
        line = {f"{n}_distance" for n in ("wasserstein", "energy", "cramer", "ks")}
        assert rows | line | {"wasserstein_hist", "wasserstein_circle", "gan.minimax_value"} <= known


def test_what_quick_tests_left_of_the_mutants_is_told_of():
    """Each does the same, is noticed by what is named, or is open: 95 in 100 are noticed, or more."""
    kept = json.loads(trust.MUTANTS.read_text())
    assert all(
        x["why"].startswith(("the same: ", "noticed by ", "noticed since, by ", "open: "))
        for x in kept["left"]
    )
    for of in kept["areas"].values():
        noticed = of["noticed"] + of["noticed by"] + of["noticed since"]
        assert of["mutants"] == noticed + of["the same"] + of["open"]
        assert noticed >= 0.95 * (of["mutants"] - of["the same"])


def test_what_was_wrong_has_its_test():
    rows = trust.FAULT.findall((ROOT / "docs" / "trust.md").read_text())
    assert len(rows) > 20
    for _, file, function in rows:
        assert re.search(rf"^def {function}\(", (ROOT / "tests" / file).read_text(), re.M), (file, function)
