"""What the page's script reads: so few bytes that 1000 columns fit a megabyte, and what they decode to."""

from __future__ import annotations

import json
import re
from dataclasses import replace

import numpy as np
import pytest

import fastdiv
from fastdiv.drift.contribution import contributions, w1_remainder
from fastdiv.drift.embedded import packed

DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz-_"


def whole(text: str) -> int:
    n = 0
    for c in text:
        n = 32 * n + DIGITS.index(c) % 32
    return n


def unpacked(text: str) -> list[int]:
    """As report.js has it."""
    found: list[int] = []
    for token in re.findall(r"\*?[W-Za-z_-]*[0-9A-V]", text):
        found += [found[-1]] * whole(token[1:]) if token[0] == "*" else [whole(token)]
    return found


def ends(text: str, places: int = 0) -> list[tuple]:
    found, last, mark, low = [], None, "", None
    for token in re.findall(r"[(=]|!|\.?[W-Za-z_-]*[0-9A-V]", text):
        if token in ("(", "="):
            mark = token
            continue
        x = None if token == "!" else (-1 if token[0] == "." else 1) * whole(token.strip(".")) / 10**places
        if mark == "(":
            low, mark = x, "low"
        else:
            found.append((low if mark == "low" else x if mark else last, x))
            last, mark = x, ""
    return found


def embedded(report) -> list[dict]:
    return json.loads(re.search(r'id="data">(.*?)</script>', report.to_html())[1])


def _tables(n: int, name, seed: int = 3, kind: str = "numbers") -> tuple[dict, dict]:
    rng = np.random.default_rng(seed)
    if kind == "words":
        words = np.array([f"{'größe' * 7}{i:04d}" for i in range(200)])
        p, q = rng.dirichlet(np.ones(200), 2)
        return tuple({name(i): rng.choice(words, 400, p=s) for i in range(n)} for s in (p, q))
    a = {name(i): rng.normal(size=400) for i in range(n)}
    return a, {key: rng.normal(0.5, 1, 400) for key in a}


@pytest.mark.parametrize(
    ("kind", "name", "most"),
    [
        ("numbers", lambda i: f"measurement_{i:04d}", 700_000),
        ("numbers", lambda i: (f"日本語 𝔘{i:04d}" * 9)[:60], 1_000_000),
        ("words", lambda i: f"word_{i:04d}", 1_000_000),
    ],
    ids=["short names", "long names", "long categories"],
)
def test_bytes_of_a_thousand_columns(kind, name, most):
    """Some columns ten and twenty times; all have moved, which takes the most."""
    n = 20 if kind == "words" else 50
    report = fastdiv.compare(*_tables(n, name, kind=kind))
    assert all(c.verdict.startswith("moved") for c in report.columns)
    page = replace(report, columns=report.columns * (1000 // n)).to_html()
    assert len(page.encode()) < most


@pytest.mark.slow
def test_a_thousand_columns_of_20_000_rows():
    rng = np.random.default_rng(3)
    a = {f"measurement_{i:04d}": rng.normal(size=20_000) for i in range(1000)}
    report = fastdiv.compare(a, {name: rng.normal(0.2, 1, 20_000) for name in a})
    assert len(report.to_html().encode()) < 700_000
    assert len(repr(report)) < 200


@pytest.mark.parametrize("numbers", [[], [0], [31, 32, 1023, 1024, 10**18], [5, 5], [5] * 40, [7, 7, 7, 8]])
def test_packed(numbers):
    assert unpacked(packed(numbers)) == numbers
    assert re.fullmatch(r"[0-9A-Za-z_*-]*", packed(numbers))


def _columns() -> tuple[dict, dict]:
    rng = np.random.default_rng(8)
    n = 600
    a = {
        "normal": rng.normal(size=n),
        "offset": 2013 + rng.random(n) / 1000,
        "wide": np.exp(20 * rng.normal(size=n)),
        "tiny": 1e-290 * rng.random(n),
        "huge": rng.normal(size=n) * 1e300,
        "whole": rng.poisson(4, n),
        "many": rng.integers(-(2**62), 2**62, n),
        "day": np.datetime64("2013-01-01", "s") + rng.integers(0, 10**6, n),
        "moment": np.datetime64("2013-01-01", "us") + rng.integers(0, 10**5, n),
        "word": rng.choice(list("abcd"), n),
    }
    return a, {name: x[rng.integers(0, n - 50, n)] for name, x in a.items()}


@pytest.mark.parametrize("bins", [20, 250])
def test_what_is_embedded(bins):
    report = fastdiv.compare(*_columns(), bins=bins)
    for drawn, c in zip(embedded(report), report.columns, strict=True):
        a, b, j = (unpacked(drawn[key]) for key in "abj")
        size = 1 if c.kind == "categorical" else drawn.get("o", 1)
        groups = [c.bins[i : i + size] for i in range(0, len(c.bins), size)]
        assert len(a) == len(groups) <= 100
        for shares, side, n in ((a, "baseline", c.n_baseline), (b, "current", c.n_current)):
            true = [sum(getattr(x, side) for x in group) / n for group in groups]
            np.testing.assert_allclose(shares, 1e4 * np.array(true), atol=1)
        assert abs(sum(j) - 1000) <= len(groups) / 2
        assert unpacked(drawn["n"]) == [c.n_baseline, c.n_current]
        assert len(unpacked(drawn["k"])) == 6
        assert [len(unpacked(h)) for h in drawn["h"]] == [len(c.bars_baseline)] * 2
        if c.kind == "categorical":
            assert drawn["l"] == [x.label for x in c.bins]
            continue
        _check_ends(drawn, c, groups)
        if len(drawn["w"]) == 1:
            assert abs(w1_remainder(c, contributions(c))) <= 0.05 * c.w1


def _check_ends(drawn, c, groups):
    unit = 1e6 if c.kind == "datetime" else 1
    found = ends(drawn["x"], drawn.get("p", 0))
    true = [(group[0].low, group[-1].high) for group in groups]
    known = sorted({x / unit for pair in true for x in pair if x is not None})
    near = (known[-1 - len(known) // 10] - known[len(known) // 10]) / 3000
    for (low, high), (u, v) in zip(true, found, strict=True):
        assert (low is None, high is None) == (u is None, v is None)
        for x, y in ((low, u), (high, v)):
            assert x is None or abs(x / unit - y) <= max(near, abs(y) * 1e-14)
    assert len({x for pair in found for x in pair} - {None}) == len(known)
    if c.bars_ends is not None:
        low, high = (x for _, x in ends(drawn["e"], drawn.get("p", 0)))
        assert abs(low - c.bars_ends[0] / unit) <= max(near, abs(low) * 1e-14)
        assert abs(high - c.bars_ends[1] / unit) <= max(near, abs(high) * 1e-14)


def test_ranks_sort_as_the_numbers_do():
    report = fastdiv.compare(*_columns())
    keys = np.array([unpacked(drawn["k"]) for drawn in embedded(report)])
    for at, metric in ((1, "js"), (3, "kl"), (4, "psi")):
        values = [getattr(c, metric) for c in report.columns]
        assert np.argsort(keys[:, at], kind="stable").tolist() == np.argsort(values, kind="stable").tolist()
