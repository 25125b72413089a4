"""Transport, derivatives, objectives and matrices against the tables of truths, on every instruction set."""

import numpy as np
import pytest
import tables
import truths

import fastdiv
import fastdiv.gan
import fastdiv.grad


def held(found):
    assert not found.broken, f"{len(found.broken)} broken promises:\n" + "\n".join(found.broken[:40])


def test_promise(level):
    found = tables.judge(fastdiv)
    held(found)
    assert found.values > 14_000
    assert sum(e.count for e in found.errors.values()) > 0.9 * found.values


@pytest.mark.parametrize("group", ["pairs", "logits", "raw logits", "float32"])
def test_matrices(level, group):
    found = truths.judge(fastdiv, [group], matrices=True)
    held(found)
    assert found.values > 400


def recomputed(step):
    for case, stored in list(tables.load())[::step]:
        for (numbers, scale), (head, rest, kept) in zip(tables._truths(case), stored, strict=True):
            assert tables._split(scale)[0] == kept
            for x, t, r in zip(numbers, head, rest, strict=True):
                found, left = tables._split(x)
                same = found == t and min(left, 127) == round(r * 256)  # kept in a byte
                assert same or (t == 0 and abs(x) < 1e-40 * kept), case.label


def test_table():
    """The truths checked in are what the oracles say."""
    recomputed(59)


@pytest.mark.slow
def test_whole_table():
    recomputed(1)


def test_an_error_would_be_seen():
    """One value in the last digits that are promised, one derivative, one infinity."""
    case, stored = next(x for x in tables.load() if x[0].kind == "grad.kl_divergence")
    good = tables.Verdict()
    tables._judge_case(fastdiv, case, stored, good)
    assert not good.broken
    for k in range(len(stored)):
        for factor in (1 + 2e-12, np.inf):
            bad = tables.Verdict()
            spoiled = [(h * factor if i == k else h, r, s) for i, (h, r, s) in enumerate(stored)]
            tables._judge_case(fastdiv, case, spoiled, bad)
            assert bad.broken
