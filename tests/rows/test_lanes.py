"""Rows side by side, a row a lane: the bits of a row alone, whatever is beside it, and the truth."""

import math

import numpy as np
import oracle
import pytest
from calls import BASELESS, ROWWISE, call

import fastdiv

ORDERS = (0.0, 1e-300, 0.3, 0.5, 0.8, 1.0, 2.0, 3.0, 6.0, math.inf)
OPTIONS = ({}, {"normalize": False}, {"pseudocount": 0.5}, {"base": 2})


def rows_of_all_kinds(n, many, seed=0):
    """Pairs of rows: unrelated, near, equal, in proportion, disjoint, large, small, wide, of one bin."""
    rng = np.random.default_rng([n, seed])
    p, q = rng.dirichlet(np.full(n, 0.5), (2, many))
    q[1], q[2] = p[1], 2 * p[2]
    for row, eps in ((3, 1e-14), (4, 1e-9), (5, 1e-9), (6, 1e-3), (7, 1e-8)):
        q[row] = p[row] * (1 + eps * rng.uniform(-1, 1, n))
    p[8, : n // 2], q[8, n // 2 :] = 0, 0
    p[9] *= 1e20
    q[10] *= 1e-20
    p[11, 0], q[12, -1] = 1e-290, 1e-320
    p[13], q[13] = np.eye(n)[0], np.eye(n)[-1]
    q[14] = np.eye(n)[0]
    p[15, 0], q[15, 0] = -0.0, 0.0
    q[16:34] = p[16:34] * (1 + 1e-9 * rng.uniform(-1, 1, (18, n)))  # a whole block of near-identical rows
    p[9, 0] = p[12, 0] = p[15, -1] = 0.25
    return p, q


def ways(name):
    """The calls of a measure by what is asked for beside the rows."""
    if name == "renyi_divergence":
        return [{"alpha": alpha} for alpha in ORDERS]
    return [{}, {"weights": (0.3, 0.7)}] if name in ("js_divergence", "js_distance") else [{}]


def same_bits(got, expected, what):
    wrong = [i for i in range(len(got)) if got[i].tobytes() != expected[i].tobytes()]
    assert not wrong, (what, wrong, got[wrong], expected[wrong])


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 7, 10, 12, 16, 17, 20, 31, 33, 64, 65, 128, 129, 513])
def test_bits_of_one_row(level, n):
    """Blocks of rows and rows beside others in memory; the last block is not full."""
    p, q = rows_of_all_kinds(n, 37)
    p_bins, q_bins = np.ascontiguousarray(p.T), np.ascontiguousarray(q.T)
    for name in ROWWISE:
        for options in OPTIONS:
            if name in BASELESS and "base" in options:
                continue
            for way in ways(name):
                asked = {**way, **options}
                one = np.array([call(fastdiv, name, *pair, **asked) for pair in zip(p, q, strict=True)])
                what = (name, asked)
                same_bits(call(fastdiv, name, p, q, **asked), one, what)
                same_bits(call(fastdiv, name, p_bins, q_bins, axis=0, **asked), one, what)
                same_bits(call(fastdiv, name, p_bins.T, q, **asked), one, what)


def logits_of_all_kinds(n, many, seed=0):
    """Pairs of rows of logits: unrelated, equal, shifted, near, masked in one or both, far apart."""
    rng = np.random.default_rng([n, seed, 1])
    p, q = rng.normal(0, 3, (2, many, n))
    q[1], q[2] = p[1], p[2] + 5
    for row, eps in ((3, 1e-14), (4, 1e-9), (5, 1e-9), (6, 1e-3), (7, 1e-6)):
        q[row] = p[row] + eps * rng.uniform(-1, 1, n) + row
    p[8, : n // 2], q[8, n // 2 :] = -math.inf, -math.inf
    p[9, 1:], q[10, 1:] = -math.inf, -math.inf
    p[11, 1:] = q[11, 1:] = -math.inf
    p[12:14] *= 300
    q[13:15] *= 300
    p[15, 0] = q[15, 0] = -math.inf if n > 1 else 0.0
    p[16], q[16] = 0, 0
    p[17] += 1e300
    q[18] -= 1e300
    q[19:36] = p[19:36] + 1e-9 * rng.uniform(-1, 1, (17, n))  # a whole block of near-identical rows
    return p, q


@pytest.mark.parametrize("n", [1, 2, 3, 4, 5, 8, 10, 15, 16, 17, 20, 33, 64, 127, 128, 129])
def test_bits_of_one_row_of_logits(level, n):
    p, q = logits_of_all_kinds(n, 37)
    p_bins, q_bins = np.ascontiguousarray(p.T), np.ascontiguousarray(q.T)
    for name in ROWWISE:
        for options in ({}, {"normalize": False}, {"nan_policy": "omit"}):
            for way in ways(name):
                asked = {**way, **options, "log_input": True}
                with np.errstate(all="ignore"):  # masses as they stand may be none as doubles
                    one = np.array([call(fastdiv, name, *pair, **asked) for pair in zip(p, q, strict=True)])
                    same_bits(call(fastdiv, name, p, q, **asked), one, (name, asked))
                    same_bits(call(fastdiv, name, p_bins, q_bins, axis=0, **asked), one, (name, asked))
                    for_all = np.array([call(fastdiv, name, x, q[0], **asked) for x in p])
                    same_bits(call(fastdiv, name, p, q[:1], **asked), for_all, (name, asked))


@pytest.mark.parametrize("n", [2, 3, 4, 10, 20])
@pytest.mark.parametrize("eps", [None, 1e-1, 1e-4, 1e-8])
def test_truth_of_logits(level, n, eps):
    rng = np.random.default_rng([n, 8])
    p = rng.normal(0, 3, (16, n))
    q = p + eps * rng.uniform(-1, 1, p.shape) if eps else rng.normal(0, 3, p.shape)
    q[15] += 3
    for name in ROWWISE:
        for way in ways(name):
            if way.get("alpha") == 1e-300:
                continue
            given = {"alpha": 2.0, **way} if name == "renyi_divergence" else way
            got = call(fastdiv, name, p, q, log_input=True, **way)
            for row in (0, 7, 15):
                rows = [p[row]] if name == "entropy" else [p[row], q[row]]
                truth = oracle.truth(name, *rows, log_input=True, **given)
                tolerance = 1e-12 * truth if truth >= 1e-30 else 1.01e-30
                assert abs(oracle.mpf(float(got[row])) - truth) <= tolerance, (name, way, row)


def test_a_bad_row_of_logits_is_alone():
    """A NaN is its row's, and so is a row without mass; an infinite logit is named."""
    p, q = np.random.default_rng(2).normal(size=(2, 40, 6))
    expected = fastdiv.kl_divergence(p, q, log_input=True)
    p[11, 4], q[23] = math.nan, -math.inf
    got = fastdiv.kl_divergence(p, q, log_input=True)
    assert np.isnan(got[[11, 23]]).all()
    same_bits(np.delete(got, [11, 23]), np.delete(expected, [11, 23]), "NaN")
    p[11, 4] = math.inf
    with pytest.raises(ValueError, match=r"p.*11.*4"):
        fastdiv.kl_divergence(p, q, log_input=True)


def test_one_row_for_all(level):
    p, q = rows_of_all_kinds(10, 37)
    for name in ROWWISE:
        one = np.array([call(fastdiv, name, x, q[0]) for x in p])
        same_bits(call(fastdiv, name, p, q[:1]), one, name)
        same_bits(call(fastdiv, name, np.ascontiguousarray(p.T), q[0][:, None], axis=0), one, name)


@pytest.mark.parametrize("dtype", ["?", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f4"])
def test_kinds_of_numbers(dtype):
    """Every kind of number, rows apart, side by side, and with gaps, is the float64 row."""
    rng = np.random.default_rng(1)
    for n in (2, 10, 33):
        p, q = rng.integers(0, 2 if dtype == "?" else 100, (2, 21, n)).astype(dtype)
        p[:, 0] = q[:, 0] = 1
        gaps = np.zeros((21, 2 * n), dtype)
        gaps[:, ::2] = p
        for name in ROWWISE:
            for options in ({}, {"pseudocount": 0.5}):
                expected = call(fastdiv, name, p.astype(float), q.astype(float), **options)
                if dtype == "f4":
                    expected = expected.astype(dtype)
                for x, y, axis in (
                    (p, q, -1),
                    (gaps[:, ::2], q, -1),
                    (np.ascontiguousarray(p.T), np.ascontiguousarray(q.T), 0),
                ):
                    same_bits(call(fastdiv, name, x, y, axis=axis, **options), expected, (name, n, axis))


@pytest.mark.parametrize("bad", [math.nan, -1e-3, math.inf])
@pytest.mark.parametrize("pseudocount", [0.0, 0.5])
def test_a_bad_row_is_alone(bad, pseudocount):
    """A NaN is its row's; what is forbidden is named, and not hidden by what is added to it."""
    p, q = np.random.default_rng(2).dirichlet(np.ones(6), (2, 20))
    expected = fastdiv.kl_divergence(p, q, pseudocount=pseudocount)
    p[11, 4] = bad
    if math.isnan(bad):
        got = fastdiv.kl_divergence(p, q, pseudocount=pseudocount)
        assert math.isnan(got[11])
        same_bits(np.delete(got, 11), np.delete(expected, 11), bad)
    else:
        with pytest.raises(ValueError, match=r"p.*11.*4"):
            fastdiv.kl_divergence(p, q, pseudocount=pseudocount)


def test_bits_where_gains_have_half_of_the_mass(level):
    """Either side of a difference is as good there: the same one is taken alone and beside others."""
    rng = np.random.default_rng(3)
    for n in (2, 4, 10, 40):
        half = rng.integers(1, 1000, (20, n // 2)).astype(float)
        p = np.concatenate([half, rng.permuted(half, axis=1)], axis=1)
        step = np.where(np.arange(n) < n // 2, -1, 1) * np.logspace(-16, -13, 20)[:, None]
        for q in (p * (1 + step), 3 * p * (1 + step * rng.random(p.shape))):
            one = np.array([fastdiv.total_variation(*pair) for pair in zip(p, q, strict=True)])
            same_bits(fastdiv.total_variation(p, q), one, n)
            same_bits(fastdiv.total_variation(q, p), one, n)


@pytest.mark.parametrize("n", [2, 3, 4, 10, 20])
@pytest.mark.parametrize("eps", [None, 1e-1, 1e-4, 1e-8])
def test_truth(level, n, eps):
    rng = np.random.default_rng([n, 7])
    p = rng.dirichlet(np.ones(n), 16) + 1e-9
    q = p * (1 + eps * rng.uniform(-1, 1, p.shape)) if eps else rng.dirichlet(np.ones(n), 16) + 1e-9
    q[15] *= 3
    for name in ROWWISE:
        for way in ways(name):
            if way.get("alpha") == 1e-300:
                continue
            given = {"alpha": 2.0, **way} if name == "renyi_divergence" else way
            got = call(fastdiv, name, p, q, **way)
            for row in (0, 7, 15):
                truth = oracle.truth(name, *([p[row]] if name == "entropy" else [p[row], q[row]]), **given)
                tolerance = 1e-12 * truth if truth >= 1e-30 else 1.01e-30
                assert abs(oracle.mpf(float(got[row])) - truth) <= tolerance, (name, way, row)
