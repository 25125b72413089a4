"""Measures row by row: against the NumPy expression, SciPy, NumKong and fastjsd."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np

import fastdiv
from fastdiv.bench.contestants import ROWS, Contestant, loosened, of
from fastdiv.bench.race import Case
from fastdiv.bench.workloads import counts, near, pieces, unrelated

PROBED = 50  # rows whose answers are compared
FEW = (2, 3, 5, 10, 20)


def twin(measure: str, **options: Any) -> Callable[..., Any]:
    function = getattr(fastdiv.reference, measure)
    if measure == "entropy":
        return lambda p, q: function(p, **options)
    alpha = (2.0,) if measure == "renyi_divergence" else ()
    return lambda p, q: function(p, q, *alpha, **options)


def _case(work: str, of_what: str, pair: tuple[Any, ...], runs: list[Contestant], **options: Any) -> Case:
    """Time by the bin, by the row where there are few bins, or of one pair."""
    p, q = pair
    axis = options.get("axis", -1)
    if p.ndim == 1:
        size, per = f"one pair of {p.size}", None
    else:
        size = f"{p.shape[0]} x {p.shape[1]}"
        many, bins = p.size // p.shape[axis], p.shape[axis]
        per = None if many == 1 else ("bin", p.size) if bins > max(FEW) else ("row", many)
    probe = tuple(x if x.ndim == 1 else x[:PROBED] if axis == -1 else x[:, :PROBED] for x in pair)
    name = f"{work}, {of_what}" if of_what else work
    return Case(name, size, runs, (p, q), probe, twin(work.partition(",")[0], **options), per)


def cases(scale: float) -> Iterator[Case]:
    many = int(20_000 * scale)
    pair = unrelated(many, 500)
    for measure in ROWS:
        yield _case(measure, "", pair, of(measure))
    yield _case("entropy, normalize=False", "", pair, of("entropy, normalize=False"), normalize=False)
    near_pair = near(many, 500)
    for measure in ("kl_divergence", "js_distance"):
        runs = loosened(of(measure), np.inf)
        there = Contestant("fastdiv, unrelated rows", lambda p, q, f=runs[0]: f(*pair), None)
        yield _case(measure, "near-identical", near_pair, [*runs, there])
    rows = pieces(1, *unrelated(1024, 64))
    pairs = [(p[0], q[0]) for p, q in rows]
    for measure in ("entropy", "kl_divergence", "js_distance"):
        runs = [c for c in of(measure) if c.library != "fastjsd"]  # takes matrices only
        yield replace(_case(measure, "", pairs[0], runs), more=pairs[1:])
    for measure in ("kl_divergence", "js_distance"):
        yield replace(_case(measure, "", rows[0], of(measure)), more=rows[1:])
    for bins in FEW:
        p, q = unrelated(int(100_000 * scale), bins)
        few = np.maximum(p, 1e-9), np.maximum(q, 1e-9)
        for measure in ("kl_divergence", "js_distance"):
            yield _case(measure, "few bins", few, loosened(of(measure), 1e-1))
    turned = tuple(np.ascontiguousarray(x.T) for x in pair)
    for work in ("kl_divergence, axis=0", "js_distance, axis=0"):
        yield _case(work, "", turned, of(work), axis=0)
    whole = counts(many, 500)
    for dtype in ("i8", "i4", "u2"):
        yield _case(
            "kl_divergence, counts", "", tuple(x.astype(dtype) for x in whole), of("kl_divergence, counts")
        )
    some = counts(many, 50, 2.0)
    for work in ("kl_divergence, pseudocount=0.5", "jeffreys_divergence, pseudocount=0.5"):
        yield _case(work, "", some, of(work), pseudocount=0.5)
    p, q = np.random.default_rng(0).normal(size=(2, 20, int(100_000 * scale)))
    for work in ("kl_divergence, log_input", "js_distance, log_input"):
        yield _case(work, "", (p, q), of(work), log_input=True)
