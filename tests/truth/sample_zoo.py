"""Samples, histograms and weights that have broken somebody: the zoo of transport.

As in zoo.py all comes from ``random.Random`` and exactly rounded arithmetic: the same on every machine.
"""

from __future__ import annotations

from functools import reduce
from itertools import accumulate
from math import inf, ldexp
from operator import add
from random import Random

STAMP = 1_764_000_000_000_000_000  # nanoseconds of a day in November 2025
DAY = 86_400_000_000_000
SIZES = ((1, 1), (1, 6), (5, 7), (16, 16), (33, 20), (64, 70))


def bell(r):
    return reduce(add, (r.random() for _ in range(12))) - 6.0  # `sum` rounds otherwise from Python 3.12 on


def bells(r, n):
    return [bell(r) for _ in range(n)]


def masses(r, n):
    return [r.random() + 1e-3 for _ in range(n)]


def noise(r, row, eps):
    return [x * (1.0 + eps * (2.0 * r.random() - 1.0)) for x in row]


def _weighted(of):
    """The same values, weighted on both sides."""

    def kind(r, n, m):
        u, v, *_ = of(r, n, m)
        return u, v, masses(r, len(u)), masses(r, len(v))

    return kind


def _plain(r, n, m):
    return bells(r, n), [x + 0.5 for x in bells(r, m)], None, None


def _far(r, n, m):
    return [1e9 + x for x in bells(r, n)], [1e9 + x for x in bells(r, m)], None, None


def _near(r, n, m):
    u = bells(r, n)
    return u, noise(r, u, 1e-12), None, None


def _counted(r, n, m):
    u, v = ([float(r.randint(-3, 9)) for _ in range(k)] for k in (n, m))
    return (
        u,
        v,
        [float(r.randint(0, 4)) for _ in u[1:]] + [1.0],
        [float(r.randint(0, 4)) for _ in v[1:]] + [2.0],
    )


def _stamps(r, n, m):
    return (
        [STAMP + r.randrange(DAY) for _ in range(n)],
        [STAMP + r.randrange(DAY) for _ in range(m)],
        None,
        None,
    )


def _whole_range(r, n, m):
    return (
        [r.randrange(-(2**63), 2**63) for _ in range(n)],
        [r.randrange(-(2**63), 2**63) for _ in range(m)],
        None,
        None,
    )


def _huge(r, n, m):
    return [1e307 * x for x in bells(r, n)], [1e307 * x for x in bells(r, m)], None, None


def _subnormal(r, n, m):
    return (
        [ldexp(r.randint(0, 999), -1074) for _ in range(n)],
        [ldexp(r.randint(0, 99), -1074) for _ in range(m)],
        None,
        None,
    )


def _wide(r, n, m):
    u, v = ([ldexp(1.0 + r.random(), r.randint(-990, 990)) for _ in range(k)] for k in (n, m))
    return u, v, None, None


def _at_infinity(r, n, m):
    """Points without mass, the farthest of all among them."""
    return [*bells(r, n), inf, 3.0], [-inf, *bells(r, m)], [*masses(r, n), 0.0, 0.0], [0.0, *masses(r, m)]


def _weights_apart(r, n, m):
    u, a = bells(r, n), masses(r, n)
    return u, u, a, noise(r, a, 1e-12)


def _in_proportion(r, n, m):
    u, a = bells(r, n), [float(r.randint(1, 9)) for _ in range(n)]
    return u, u, a, [3.0 * x for x in a]


def _large_weights(r, n, m):
    u, v, *_ = _plain(r, n, m)
    return u, v, [1e308 * (0.5 + r.random()) for _ in u], [1e-300 * (0.5 + r.random()) for _ in v]


def _spikes(r, n, m):
    return ([0.0 if r.random() < 0.5 else bell(r) for _ in range(k)] for k in (n, m))


def _half_spikes(r, n, m):
    return (*_spikes(r, n, m), None, None)


SAMPLES = {
    "plain": _plain,
    "weighted": _weighted(_plain),
    "far from the origin": _far,
    "far and weighted": _weighted(_far),
    "near 1e-12": _near,
    "counted": _counted,
    "nanosecond stamps": _stamps,
    "integers over the whole range": _whole_range,
    "1e307": _huge,
    "subnormal": _subnormal,
    "from 1e-298 to 1e298": _wide,
    "zero mass at infinity": _at_infinity,
    "weights 1e-12 apart": _weights_apart,
    "weights in proportion": _in_proportion,
    "weights summing past 1e308": _large_weights,
    "spikes": _half_spikes,
}


def samples():
    """label -> (u, v, a, b)."""
    found = {}
    for kind, of in SAMPLES.items():
        for n, m in SIZES:
            found[f"{kind}, {n} and {m}"] = of(Random(f"{kind} {n} {m}"), n, m)
    return found


# --- circles -----------------------------------------------------------------------------------------------


def circles():
    """label -> (u, v, a, b, period)."""
    found = {}
    for n, m in ((1, 1), (1, 5), (4, 6), (8, 8)):
        r = Random(f"circle {n} {m}")
        turns = [3.0 * r.random() for _ in range(n)], [5.0 * r.random() - 2.0 for _ in range(m)]
        angles = [r.randrange(360) for _ in range(n)], [r.randrange(360) for _ in range(m)]
        found[f"turns, {n} and {m}"] = (*turns, None, None, 1.0)
        found[f"angles, {n} and {m}"] = (*angles, None, None, 360)
        found[f"angles with weights, {n} and {m}"] = (*angles, masses(r, n), masses(r, m), 360)
        stamps, others, *_ = _stamps(r, n, m)
        found[f"time of day in nanoseconds, {n} and {m}"] = (stamps, others, None, None, DAY)
        found[f"period of 0.7, {n} and {m}"] = (*turns, masses(r, n), masses(r, m), 0.7)
    return found


# --- histograms --------------------------------------------------------------------------------------------


def histograms():
    """label -> (a, b, points, edges of a, edges of b)."""
    found = {}
    for n in (1, 2, 7, 16, 40):
        r = Random(f"histograms {n}")
        steps = [r.random() + 1e-2 for _ in range(n + 1)]
        places = list(accumulate(steps))
        others = list(accumulate(noise(r, steps, 0.5)))
        a, b = masses(r, n), masses(r, n)
        counts = [float(r.randint(0, 3)) for _ in range(n - 1)] + [1.0]
        stamps = list(accumulate([STAMP, *(r.randint(1, 10**9) for _ in range(n))]))
        found[f"plain, {n}"] = a, b, places, others
        found[f"near 1e-12, {n}"] = a, noise(r, a, 1e-12), places, places
        found[f"in proportion, {n}"] = counts, [3.0 * x for x in counts], places, places
        found[f"counts, {n}"] = counts, b, places, places
        found[f"1e308 and 1e-300, {n}"] = [1e308 * x for x in a], [1e-300 * x for x in b], places, others
        found[f"far from the origin, {n}"] = a, b, [1e9 + x for x in places], [1e9 + x for x in others]
        found[f"nanosecond stamps, {n}"] = a, b, stamps, stamps
        found[f"places of 1e300, {n}"] = a, b, [1e300 * x for x in places], [1e300 * x for x in others]
        found[f"near edges, {n}"] = a, a, places, noise(r, places, 1e-12)
    return found
