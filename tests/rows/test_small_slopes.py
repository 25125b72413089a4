"""Slopes less the mean slope where the two meet: derivatives to 1e-12 of what is left."""

from functools import cache
from random import Random

import numpy as np
import oracle
import oracle_gradients
import pytest
from calls import ROWWISE, call
from mpmath import mp, mpf

import fastdiv.grad

ORDERS = (0.5, 1.5, 2.0, 7.0)


def _options():
    """Names with their own options, and those that all have."""
    for name in ROWWISE:
        own = [{"alpha": a} for a in ORDERS] if name == "renyi_divergence" else [{}]
        own += [{"weights": (1.0, 3.0)}] if name in ("js_divergence", "js_distance") else []
        own += [{"pseudocount": 0.25}, {"base": 2.0}] if name == "kl_divergence" else []
        for options in own:
            yield name, tuple(options.items()), True
    for name in ("kl_divergence", "entropy", "cross_entropy"):  # others' slopes are no differences
        yield name, (), False


def _row(random, n):
    return [random.lognormvariate(0.0, 1.0) for _ in range(n)]


def _slope(name, rows, side, i, options, normalize):
    """The oracle's, to 60 digits."""
    plain, own = {"normalize": normalize}, dict(options)
    base = own.pop("base", None)
    if "pseudocount" in own:
        plain["pseudocount"] = own.pop("pseudocount")
    with mp.workdps(60):
        table = oracle.masses(rows, **plain)
        slopes = oracle_gradients.SLOPES[name](table, **own)
        found = oracle_gradients._chain(rows[side], table[side], slopes[side], **plain)[i]
        return found / mp.log(base) if base else found


@cache
def _zeros(name, options, normalize):
    """Rows of which one entry makes a derivative nearly 0, side and bin of the derivative."""
    random, found = Random(f"{name} {options} {normalize}"), []
    sides = 1 if name == "entropy" else 2
    for n, near, side in ((2, 1.0, 0), (4, 1.0, 0), (4, 1.0, 1), (3, 1e-3, 0), (3, 1e-6, 1)):
        if side >= sides or (near < 1.0 and (sides == 1 or not normalize)):
            continue
        p = _row(random, n)
        q = _row(random, n) if near == 1.0 else [x * (1.0 + near * random.gauss(0.0, 1.0)) for x in p]
        rows = [p, q][:sides]
        of = (1 - side) % sides if name == "cross_entropy" else side  # what moves the slope beside its mean
        start = rows[of][0]

        def at(x, rows=rows, of=of, side=side):
            rows[of][0] = x
            return _slope(name, rows, side, 0, options, normalize)

        steps = [start * (1.0 + near * k) for k in (-0.99, -0.5, 0.1, 0.5, 1.0, 3.0, 9.0)]
        signs = [at(x) > 0 for x in steps]
        changes = [k for k in range(1, len(steps)) if signs[k] != signs[k - 1]]
        if not changes:
            continue
        low, high = steps[changes[0] - 1], steps[changes[0]]
        up = at(high) > 0
        while np.nextafter(low, high) < high:
            middle = low + (high - low) / 2
            low, high = (low, middle) if (at(middle) > 0) == up else (middle, high)
        found.append(([list(row) for row in rows], of, side, low))
    return found


@pytest.mark.parametrize(("name", "options", "normalize"), list(_options()))
def test_neighbours_of_a_zero(level, name, options, normalize):
    found = _zeros(name, options, normalize)
    assert found
    for rows, of, side, zero in found:
        ulp = np.spacing(zero)
        for steps in (-(2.0**30), -1000.0, -1.0, 0.0, 1.0, 2.0**20):
            rows[of][0] = zero + steps * ulp
            truth = _slope(name, rows, side, 0, options, normalize)
            both = rows
            got = call(fastdiv.grad, name, *both, normalize=normalize, **dict(options))[1 + side][0]
            assert abs(mpf(float(got)) - truth) <= mpf("1e-12") * abs(truth), (rows, side, got, float(truth))


NARROW = [
    ([1e-8, 1 - 1e-8], [1 - 1e-8, 1e-8]),
    ([1.0, 1e-20, 3e-20], [1.0, 2e-20, 7e-21]),
    ([1.0, 1e-20, 3e-20], [1.0, 0.5, 0.25]),
    ([1.0, 0.5, 0.25], [1.0, 1e-20, 3e-20]),
    ([1.0, 3e-40], [1.0, 1e-40]),
    ([5.0, 1e-13, 2e-13], [1e-13, 3.0, 2e-13]),
]


@pytest.mark.parametrize("name", ROWWISE)
def test_one_bin_with_nearly_all_mass(level, name):
    """Its derivative is as small as the others are together."""
    for case in NARROW:
        rows = [list(row) for row in case][: 1 if name == "entropy" else 2]
        with mp.workdps(250):
            own = {"alpha": 2} if name == "renyi_divergence" else {}
            truths = oracle_gradients.gradient(name, *rows, **own)[1]
            got = call(fastdiv.grad, name, *rows)
            for have, want in zip(got[1:], truths, strict=True):
                for g, t in zip(have, want, strict=True):
                    assert abs(mpf(float(g)) - t) <= mpf("1e-12") * abs(t), (case, float(g), float(t))


def test_long_rows(level):
    """The least derivatives of rows of 600 bins; of 9000, those of 2^-16 of the slopes' mean size."""
    rng = np.random.default_rng(1)
    for n, least in ((600, 0.0), (9000, 2.0**-16)):
        p, q = rng.dirichlet(np.ones(n), 2)
        got = fastdiv.grad.kl_divergence(p, q)
        with mp.workdps(30):
            x, y = oracle.masses([p, q])
            by_x = [mp.log(a / b) for a, b in zip(x, y, strict=True)]
            by_y = [-a / b for a, b in zip(x, y, strict=True)]
            for row, mass, slopes, have in ((p, x, by_x, got.p), (q, y, by_y, got.q)):
                mean, size = mp.fdot(mass, slopes), mp.fdot(mass, map(abs, slopes))
                for i in np.argsort(np.abs(have))[:20]:
                    truth = slopes[i] - mean
                    assert abs(mpf(float(have[i]) * float(row.sum())) - truth) <= mpf("1e-12") * max(
                        abs(truth), least * size
                    )


@pytest.mark.parametrize("alpha", [0.25, 0.5, 2.0, 3.0])
def test_renyi_where_most_ratios_are_one(level, alpha):
    """All slopes are exp(v) - 1 of small v, whose errors are one and the same."""
    random = Random(alpha)
    for n in (40, 257, 512):
        q = [0.1 + random.random() for _ in range(n)]
        p = [x if random.random() < 0.5 else 0.0 for x in q]
        p[0] = 0.3
        got = fastdiv.grad.renyi_divergence(p, q, alpha).p
        for i in [k for k in range(n) if p[k]][:4]:
            true = _slope("renyi_divergence", [p, q], 0, i, (("alpha", alpha),), True)
            assert abs(mpf(float(got[i])) - true) <= 1e-12 * abs(true), (n, i)


BLOCK = 512  # bins that the loops take at a time (FD_BLOCK)


@pytest.mark.parametrize("n", [BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 1])
@pytest.mark.parametrize("side", [0, 1])
def test_the_last_of_many_bins(level, n, side):
    """It has a third of the mass, in a block of its own or at the end of one: means are of all bins, however
    small the derivative is that asks for them."""
    rng = np.random.default_rng(n)
    for small in np.geomspace(1e-6, 1e-1, 21):
        p, q = rng.dirichlet(np.ones(n), 2)
        p[-1], q[-1] = rng.uniform(0.3, 0.6, 2)
        for _ in range(20):  # of the first bin the derivative is as small as that
            x, y = p / p.sum(), q / q.sum()
            ratio = np.exp((x * np.log(x / y)).sum() + small) if side == 0 else 1 + small
            q[0] = p[0] / p.sum() * q.sum() / ratio
        have = fastdiv.grad.kl_divergence(p, q)[1 + side]
        with mp.workdps(30):
            x, y = oracle.masses([p, q])
            slopes = [mp.log(a / b) if side == 0 else -a / b for a, b in zip(x, y, strict=True)]
            mean = mp.fdot((x, y)[side], slopes)
            for i in (0, *np.argsort(np.abs(have))[:2], n - 1):
                truth = (slopes[i] - mean) / mpf(float((p, q)[side].sum()))
                assert abs(mpf(float(have[i])) - truth) <= mpf("1e-12") * abs(truth), (small, i)
