"""The zoo of awkward arrays: pairs of rows that have broken somebody, and arrays laid out in every way.

Rows come from ``random.Random`` and exactly rounded arithmetic (no log, no pow, no summation order), so they
are the same bits on every machine and for every NumPy: the table of truths in ``data/`` depends on it.
"""

from __future__ import annotations

from math import ldexp, nextafter
from random import Random

import numpy as np

SIZES = (*range(1, 71), 127, 128, 129, 200, 511, 512, 513, 1000, 1025)
LARGE = 5000


# --- rows ----------------------------------------------------------------------------------------------


def skewed(random, n):
    """Masses like a Dirichlet(0.3) draw: products of uniforms, from 1e-6 to 1."""
    return [random.random() * random.random() * random.random() + 1e-9 for _ in range(n)]


def power_law(random, n):
    """Masses from 1e-12 to 1e3, uniform in their exponent."""
    return [ldexp(1.0 + random.random(), random.randint(-40, 9)) for _ in range(n)]


def counts(random, n):
    """Integers, a few of them 0."""
    return [float(int(1000 * random.random() * random.random())) for _ in range(n - 1)] + [7.0]


def sparse(random, n):
    """Nine bins of ten are empty, never all."""
    row = [random.random() if random.random() < 0.1 else 0.0 for _ in range(n)]
    row[random.randrange(n)] = 0.5
    return row


def spike(random, n):
    """One bin holds all but 1e-25 or so of each other bin."""
    row = [1e-25 * (1.0 + random.random()) for _ in range(n)]
    row[n // 2] = 1.0
    return row


def jitter(random, row, eps):
    """row (1 + eps noise), noise in [-1, 1]."""
    return [x * (1.0 + eps * (2.0 * random.random() - 1.0)) for x in row]


# --- pairs ---------------------------------------------------------------------------------------------


def _unrelated(r, n):
    return skewed(r, n), skewed(r, n)


def _near(eps):
    def pair(r, n):
        p = skewed(r, n)
        return p, [3.7 * x for x in jitter(r, p, eps)]

    return pair


def _counts(r, n):
    p = counts(r, n)
    return p, [x + float(r.randint(0, 3)) for x in p]


def _proportional(r, n):
    p = counts(r, n)
    return p, [3.0 * x for x in p]


def _tiny_and_huge(r, n):
    return [x * 1e-300 for x in skewed(r, n)], [x * 1e300 / n for x in skewed(r, n)]


def _tiny_and_huge_near(r, n):
    p = skewed(r, n)
    return [ldexp(x, -990) for x in p], [ldexp(x, 1000) / n for x in jitter(r, p, 1e-6)]


def _power_law(r, n):
    return power_law(r, n), power_law(r, n)


def _power_law_near(r, n):
    p = power_law(r, n)
    return p, jitter(r, p, 1e-7)


def _flat_and_steep(r, n):
    """A sum of n against a sum of one or two."""
    return [1.0 + r.random() for _ in range(n)], [ldexp(1.0 + r.random(), -i) for i in range(n)]


def _spike(r, n):
    return spike(r, n), spike(r, n)


def _spike_near(r, n):
    p = spike(r, n)
    return p, jitter(r, p, 1e-3)


def _sparse(r, n):
    return sparse(r, n), sparse(r, n)


def _nested(r, n):
    """p is zero where q is not, never the other way round: KL(p, q) is finite."""
    q = skewed(r, n)
    p = [x if r.random() < 0.5 else 0.0 for x in q]
    p[n // 2] = q[n // 2]
    return p, q


def _subnormal(r, n):
    p = [ldexp(r.randint(1, 4095), -1074) for _ in range(n)]
    return p, [ldexp(r.randint(1, 9), -1074) for _ in range(n)]


def _mostly_subnormal(r, n):
    return [1.0] + [ldexp(r.randint(0, 99), -1074) for _ in range(n - 1)], skewed(r, n)


# name -> function of (random, number of bins); rows keep to nobody's scale
KINDS = {
    "unrelated": _unrelated,
    **{f"near 1e-{k}": _near(float(f"1e-{k}")) for k in (1, 2, 4, 6, 8, 10, 12, 14, 15)},
    "counts": _counts,
    "proportional counts": _proportional,
    "1e-300 and 1e300": _tiny_and_huge,
    "2^-990 and 2^1000, near": _tiny_and_huge_near,
    "power laws": _power_law,
    "power laws, near": _power_law_near,
    "flat against steep": _flat_and_steep,
    "spikes": _spike,
    "spikes, near": _spike_near,
    "sparse": _sparse,
    "nested supports": _nested,
    "subnormal": _subnormal,
    "one and subnormals": _mostly_subnormal,
}

_BELOW = nextafter(0.5, 0.0)

# each of these has been wrong in a published library, or would be in a careless one
EXTREMES = {
    "double range": ([1e300, 1.0, 1e-310], [1.0, 1e300, 1e-310]),
    "double range, near": ([1e300, 1.0, 1e-310], [1e300, 3.0, 1e-310]),
    "huge against tiny": ([1e-300, 1.0], [1.0, 1e-300]),
    "q tiny where p is large": ([1.0, 1.0], [1.0, 1e-310]),
    "both far below": ([1.0, 1e-305], [1.7e308, 5e-324]),
    "subnormal share": ([1.0, 1e-318], [1e300, 1e-20]),
    "smallest double": ([0.0, 1.0], [5e-324, 1.0]),
    "largest doubles": ([1.7e308, 1.7e308], [1.7e308, 0.0]),
    "an ulp apart": ([_BELOW, 1.0 - _BELOW], [1.0 - _BELOW, _BELOW]),
    "a lost share": ([1.0, 1e-20], [1.0, 2e-20]),
    "disjoint": ([1.0, 0.0, 2.0, 0.0], [0.0, 3.0, 0.0, 0.5]),
    "nearly disjoint": ([1.0, 1e-17, 0.0], [1e-17, 1.0, 0.0]),
    "one bin": ([3.0], [0.1]),
    "one common bin": ([1.0, 0.0], [1.0, 1e-9]),
    "half a spike": ([1.0, 0.0], [0.5, 0.5]),
    "big integers": ([9007199254740993.0, 5.0, 1e15], [9007199254740991.0, 5.0, 1e15]),
    "mass on none, below all shares": ([1e-320, 1.0, 1e300], [0.0, 1.0, 1.0]),
    "none on mass, below all shares": ([0.0, 4.0], [1e-270, 1e250]),
    "common bin below all shares": ([0.0, 1.0], [1e305, 5e-320]),
    "shares 1e-400 apart, near": ([2.001e-186, 6e217], [2e-186, 6.0001e217]),
    "the last bit of a share": ([1e300, 3e-84], [1.0, 0.0]),
    "negative zero": ([-0.0, 1.0, 2.0], [1.0, -0.0, 2.0]),
}

# log-probabilities and logits: (p, q), -inf is no mass
LOGITS = {
    "far apart": ([0.0, -2000.0], [-1000.0, 0.0]),
    "underflowing": ([0.0, -800.0, -1500.0], [-0.5, -700.0, -1600.0]),
    "no mass": ([-np.inf, 0.25, 1.0], [-np.inf, 2.0, -3.0]),
    "nested": ([0.0, -np.inf, 1.0], [0.0, -3.0, 1.0]),
    "disjoint": ([0.0, -np.inf], [-np.inf, 5.0]),
    "mass on none, below all shares": ([0.0, -2000.0], [0.0, -np.inf]),
    "common bin below all shares": ([-np.inf, 0.0], [0.0, -2000.0]),
    "wide": (
        [-np.inf, -0.04, -1.3, -1.7],
        [173.7, -494.5, -2.5, -353.2],
    ),
    "shifted": ([1.0, 2.0, 3.0], [1001.0, 1002.0, 1003.0]),
    "shifted, near": ([0.1, 0.2, 0.3], [1000.1, 1000.2, 1000.3]),
    "huge logits": ([1e5, 1e5 + 1.0, -1e5], [-1e5, -1e5 + 3.0, 1.0]),
    "one bin": ([-5.0], [7.0]),
}


def _logits(r, n, eps):
    a = [20.0 * r.random() - 10.0 for _ in range(n)]
    if eps is None:
        return a, [20.0 * r.random() - 10.0 for _ in range(n)]
    return a, [x + eps * (2.0 * r.random() - 1.0) for x in a]


def pairs(large=True):
    """name -> (p, q): every kind at seven sizes, every size with one kind, and the extremes."""
    table = {}
    kinds = list(KINDS)
    for kind in kinds:
        for n in (1, 2, 3, 8, 17, 64, 200):
            table[f"{kind}, {n} bins"] = KINDS[kind](Random(f"{kind} {n}"), n)
    for i, n in enumerate(SIZES):
        kind = kinds[i * 5 % len(kinds)]
        table[f"{kind}, {n} bins"] = KINDS[kind](Random(f"{kind} {n}"), n)
    if large:
        for kind in ("unrelated", "near 1e-8", "counts"):
            table[f"{kind}, {LARGE} bins"] = KINDS[kind](Random(f"{kind} {LARGE}"), LARGE)
    table["flat against steep, 1025 bins"] = _flat_and_steep(Random("steep"), 1025)
    return table | EXTREMES


def logit_pairs():
    """name -> (p, q) for ``log_input=True``."""
    table = dict(LOGITS)
    for n in (2, 3, 8, 17, 129):
        for eps in (None, 1e-1, 1e-4, 1e-8, 1e-11):
            table[f"logits, {n} bins, {eps}"] = _logits(Random(f"logits {n} {eps}"), n, eps)
    return table


def stacks():
    """name -> (rows, weights): more than two distributions, weighted or not."""
    table = {}
    for n in (1, 2, 5, 16, 65):
        r = Random(f"stack {n}")
        base = skewed(r, n)
        table[f"three unrelated, {n} bins"] = ([skewed(r, n) for _ in range(3)], None)
        table[f"four weighted, {n} bins"] = ([skewed(r, n) for _ in range(4)], [0.1, 0.2, 0.3, 0.4])
        table[f"three near, {n} bins"] = ([jitter(r, base, 1e-7) for _ in range(3)], [3.0, 1.0, 2.0])
        table[f"one apart, {n} bins"] = ([base, base, skewed(r, n)], [1.0, 1.0, 1e-3])
        table[f"two and a weight of zero, {n} bins"] = ([skewed(r, n) for _ in range(3)], [1.0, 0.0, 2.0])
    table["three disjoint"] = ([[1.0, 0.0, 0.0], [0.0, 2.0, 0.0], [0.0, 0.0, 5.0]], [1.0, 2.0, 3.0])
    return table


# --- layouts -------------------------------------------------------------------------------------------


def strided(a):
    wide = np.full((*a.shape[:-1], 3 * a.shape[-1]), np.nan, a.dtype)
    wide[..., ::3] = a
    return wide[..., ::3]


def reversed_(a):
    return np.ascontiguousarray(a[..., ::-1])[..., ::-1]


def rows_reversed(a):
    return np.ascontiguousarray(a[::-1])[::-1]


def fortran(a):
    return np.asfortranarray(a)


def every_other_row(a):
    tall = np.full((2 * a.shape[0], *a.shape[1:]), np.nan, a.dtype)
    tall[::2] = a
    return tall[::2]


def misaligned(a):
    raw = np.empty(a.nbytes + 1, np.uint8)
    view = raw[1:].view(a.dtype).reshape(a.shape)
    view[...] = a
    return view


def byte_swapped(a):
    return a.astype(a.dtype.newbyteorder())


def read_only(a):
    a = a.copy()
    a.flags.writeable = False
    return a


def lists(a):
    return a.tolist()


def frame(a):
    import pandas as pd

    return pd.DataFrame(a)


def record_field(a):
    table = np.zeros(a.shape, np.dtype([("tag", "u1"), ("x", a.dtype)]))
    table["x"] = a
    return table["x"]


# name -> function of a 2-d array, giving the same values laid out otherwise
LAYOUTS = {
    f.__name__.strip("_"): f
    for f in (
        strided,
        reversed_,
        rows_reversed,
        fortran,
        every_other_row,
        misaligned,
        byte_swapped,
        read_only,
        lists,
        frame,
        record_field,
    )
}

DTYPES = ("bool", "i1", "u1", "i2", "u2", "i4", "u4", "i8", "u8", "f2", "f4", "f8")
