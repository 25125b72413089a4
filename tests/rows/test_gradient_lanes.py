"""Gradients of rows side by side, a row a lane: the bits of a row alone, whatever is beside it."""

import numpy as np
import pytest
from calls import BASELESS, ROWWISE, call
from test_lanes import OPTIONS, logits_of_all_kinds, rows_of_all_kinds, same_bits, ways

from fastdiv import cross_entropy, grad

SIZES = [*range(1, 71), 127, 128, 129]


def gradient(name, p, q, axis=-1, **options):
    """Value and derivatives, rows first."""
    value, *by = call(grad, name, p, q, axis=axis, **options)
    return [np.asarray(value), *(np.moveaxis(np.asarray(slopes), axis, -1) for slopes in by)]


def alone(name, p, q, **options):
    """Each row by itself, and which of them have a gradient."""
    rows, kept = [], []
    for i, pair in enumerate(zip(p, q, strict=True)):
        try:
            rows.append(gradient(name, *pair, **options))
            kept.append(i)
        except ValueError as error:
            assert "no gradient" in str(error)  # noqa: PT017
    return kept, [np.array(part) for part in zip(*rows, strict=True)]


def check(name, p, q, **options):
    kept, expected = alone(name, p, q, **options)
    p, q = p[kept], q[kept]
    p_bins, q_bins = np.ascontiguousarray(p.T), np.ascontiguousarray(q.T)
    for got in (
        gradient(name, p, q, **options),
        gradient(name, p_bins, q_bins, axis=0, **options),
        gradient(name, p_bins.T, q, **options),
    ):
        for part, one in zip(got, expected, strict=True):
            same_bits(part, one, (name, options, len(kept)))


@pytest.mark.parametrize("n", [3, 17, 64])
def test_bits_of_one_row(level, n):
    """Every measure and option, rows of all kinds: near, equal, disjoint, large, small, wide."""
    p, q = rows_of_all_kinds(n, 37)
    for name in ROWWISE:
        for options in OPTIONS:
            if name in BASELESS and "base" in options:
                continue
            for way in ways(name):
                check(name, p, q, **way, **options)


@pytest.mark.parametrize("n", [1, 2, 3, 10, 16, 17, 64, 128, 129])
def test_bits_of_one_row_of_logits(level, n):
    """Near, equal, masked in both, far apart, of one class."""
    p, q = logits_of_all_kinds(n, 37)
    for name in ROWWISE:
        for way in ways(name):
            with np.errstate(all="ignore"):  # chi-square of logits far apart is no double
                check(name, p, q, log_input=True, **way)
    with np.errstate(all="ignore"):
        check("kl_divergence", p, q, log_input=True, normalize=False)


@pytest.mark.parametrize("base", [None, 1 + 1e-9])
def test_bits_of_rows_ever_nearer(level, base):
    """From unrelated to all but equal, in 37 steps: whichever lane is the first to be looked at twice."""
    rng = np.random.default_rng(2)
    p, noise = rng.dirichlet(np.ones(9), 37), rng.uniform(-1, 1, (37, 9))
    q = p * (1 + np.logspace(-16, 0, 37)[:, None] * noise)
    for rows in (slice(None), slice(None, None, -1)):
        for name in ROWWISE:
            check(name, p[rows], q[rows], **({} if base is None or name in BASELESS else {"base": base}))


def test_bits_of_every_length(level):
    for n in SIZES:
        p, q = rows_of_all_kinds(n, 37, seed=1)
        p, q = (np.delete(x, slice(1, 3), axis=0) for x in (p, q))
        check(ROWWISE[n % len(ROWWISE)], p, q)
        check("kl_divergence", p, q)
        check("js_divergence", p, q)


def test_kinds_and_shapes():
    """Other numbers than float64, one row for all, gaps: the rows as float64, one by one."""
    rng = np.random.default_rng(3)
    p, q = rng.integers(1, 100, (2, 21, 10)) + np.eye(21, 10, dtype=np.int64)
    gaps = np.zeros((21, 20))
    gaps[:, ::2] = p
    for name in ROWWISE:
        _, expected = alone(name, p.astype(float), q.astype(float))
        _, of_one = alone(name, p.astype(float), np.repeat(q[:1], 21, axis=0).astype(float))
        for got, rows in (
            (gradient(name, p, q), expected),
            (gradient(name, gaps[:, ::2], q.astype(float)), expected),
            (gradient(name, p.astype("f4"), q.astype("f4")), [part.astype("f4") for part in expected]),
            (gradient(name, p[:, ::-1][:, ::-1].astype("i1"), q.astype("i1")), expected),
            (gradient(name, p, q[:1]), of_one),
        ):
            for part, one in zip(got, rows, strict=True):
                same_bits(part, one, name)


@pytest.mark.parametrize("dtype", ["f8", "f4", "i1"])
def test_labels(level, dtype):
    """Classes against logits: ties, a class that holds nearly all, none, few rows, any layout."""
    rng = np.random.default_rng(4)
    for n in (1, 2, 10, 17, 33, 128, 129):
        z = (20 * rng.normal(size=(37, n))).clip(-100, 100).astype(dtype)
        z[1], z[2, 0] = 3, 127
        if dtype != "i1":
            z[3, 1:] = -np.inf
        labels = rng.integers(0, n, 37)
        labels[3] = 0
        one = [grad.softmax_cross_entropy(x, c) for x, c in zip(z, labels, strict=True)]
        gaps = np.zeros((37, 2 * n), dtype)
        gaps[:, ::2] = z
        for x, axis in ((z, -1), (np.ascontiguousarray(z.T), 0), (gaps[:, ::2], -1), (z[:3], -1)):
            got = grad.softmax_cross_entropy(x, labels[: len(x) if axis else None], axis=axis, base=None)
            same_bits(got.value, [v for v, _ in one], (n, axis))
            same_bits(np.moveaxis(got.logits, axis, -1), [by for _, by in one], (n, axis))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_a_bad_row_of_logits_is_named(level, bad):
    """Whatever its label, or its masses, which may be 0 where it is bad."""
    for n in (5, 33):
        for place in (0, n - 1):
            z, one_hot = np.zeros((20, n)), np.eye(n)[np.ones(20, int)]
            whole = cross_entropy(one_hot, z, log_input="q")
            z[7, place] = bad
            with pytest.raises(ValueError, match=r"row 7|logits\[7, "):
                grad.softmax_cross_entropy(z, np.ones(20, int))
            with pytest.raises(ValueError, match=r"row 7|q\[7, "):
                grad.cross_entropy(one_hot, z, log_input="q")
            if np.isnan(bad):
                got = cross_entropy(one_hot, z, log_input="q")
                assert np.isnan(got[7])
                same_bits(np.delete(got, 7), np.delete(whole, 7), n)


def test_masses_against_logits(level):
    """Soft labels: masses of all kinds, zeros among them, logits of -inf where there is none."""
    rng = np.random.default_rng(5)
    for n in (1, 2, 10, 17, 33, 64, 65, 128, 129):
        p, _ = rows_of_all_kinds(max(n, 2), 37, seed=2)
        p, z = np.abs(p[:, :n]) + (n == 1), 20 * rng.normal(size=(37, n))
        z[1], p[2, 0], z[2, 0] = 3, n == 1, 5 if n == 1 else -np.inf
        for options in ({}, {"base": 2, "pseudocount": 0.5}, {"normalize": False}):
            if options:
                z[2, 0] = 0
            one = [grad.cross_entropy(x, y, log_input="q", **options) for x, y in zip(p, z, strict=True)]
            columns = np.ascontiguousarray(p.T), np.ascontiguousarray(z.T)
            for x, y, axis in (
                (p, z, -1),
                (*columns, 0),
                (p, z[:, ::-1].copy()[:, ::-1], -1),
                (p[:3], z[:3], -1),
            ):
                got = grad.cross_entropy(x, y, log_input="q", axis=axis, **options)
                same_bits(got.value, [v for v, _, _ in one], (n, axis))
                same_bits(np.moveaxis(got.p, axis, -1), [by for _, by, _ in one], (n, axis))
                same_bits(np.moveaxis(got.q, axis, -1), [by for _, _, by in one], (n, axis))
                value = cross_entropy(x, y, log_input="q", axis=axis, **options)
                same_bits(value, got.value, (n, axis))
