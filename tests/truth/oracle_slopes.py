"""The truth about derivatives of distances between samples: by Fractions, with roots and powers to 60 digits.

The derivative by a value is the mean over the mass there of sgn(x - y) (|x - y| / W)^(p-1), by definition of
the quantile coupling; by a weight it is the integral of the cost's own slope |x - T(x)|^p with T(x) = G^-1 at
F(x), the mean of both ends where G^-1 jumps. Nothing is shared with the compiled ones but these definitions.
"""

from __future__ import annotations

from bisect import bisect_right
from fractions import Fraction

import mpmath
from oracle_transport import bins_exactly, exact, quantile_pieces

DIGITS = 60


def number(x):
    return mpmath.mpf(x.numerator) / x.denominator


def _atoms(values, weights):
    """Values and shares of mass as Fractions, and the sum of the weights."""
    weights = [Fraction(1)] * len(values) if weights is None else [exact(w) for w in weights]
    total = sum(weights)
    return [exact(x) for x in values], [w / total for w in weights], total


def _by_weights(potential, share, total, order):
    """By the weights, of potentials over `order`."""
    mean = sum(number(s) * f for s, f in zip(share, potential, strict=True))
    return [(f - mean) / (number(total) * order) for f in potential]


def _quantiles(level, values, share):
    """Both ends of what a quantile function is at a level: one where the level is no jump."""
    below = above = None
    mass = Fraction(0)
    for x, s in sorted(zip(values, share, strict=True)):
        mass += s
        if s and mass >= level > 0 and below is None:
            below = x
        if s and mass > level and above is None:
            above = x
    ends = [x for x in (below, above) if x is not None]
    return ends if len(ends) == 2 else ends * 2


def _side(x, share, total, y, y_share, pieces, p, W):
    def cost(d):
        return abs(number(d)) ** p / W ** (p - 1)

    pull, size = {}, {}
    for s, t, mass in pieces:
        part = (
            number(mass) * mpmath.sign(number(s - t)) * (abs(number(s - t)) / W) ** (p - 1) if s != t else 0
        )
        pull[s] = pull.get(s, 0) + part
        size[s] = size.get(s, 0) + abs(part)
    mass = {s: sum(b for a, b in zip(x, share, strict=True) if a == s) for s in x}
    by_values = [
        (pull.get(s, 0) * number(b / mass[s]) if b else mpmath.mpf(0)) for s, b in zip(x, share, strict=True)
    ]
    sizes = [
        (size.get(s, 0) * number(b / mass[s]) if b else mpmath.mpf(0)) for s, b in zip(x, share, strict=True)
    ]
    potential, level, height, last = {}, Fraction(0), mpmath.mpf(0), None
    for s in sorted(set(x)):
        if last is not None:
            ends = _quantiles(level, y, y_share)
            height += sum(cost(s - t) - cost(last - t) for t in ends) / 2
        potential[s], last = height, s
        level += mass[s]
    return by_values, sizes, _by_weights([potential[s] for s in x], share, total, mpmath.mpf(p))


def wasserstein(u, v, a=None, b=None, p=1):
    """W_p, then for each side (by values, what their parts come to without signs, by weights)."""
    with mpmath.workdps(DIGITS):
        p = mpmath.mpf(p)
        pieces = quantile_pieces(u, v, a, b)
        W = mpmath.power(sum(number(w) * abs(number(x - y)) ** p for x, y, w in pieces), 1 / p)
        first, second = _atoms(u, a), _atoms(v, b)
        swapped = [(y, x, w) for x, y, w in pieces]
        return W, _side(*first, *second[:2], pieces, p, W), _side(*second, *first[:2], swapped, p, W)


def energy(u, v, a=None, b=None, factor=2):
    """(factor int (F - G)^2)^(1/2), then for each side as above; factor 1 is Cramer's distance."""
    with mpmath.workdps(DIGITS):
        sides = _atoms(u, a), _atoms(v, b)
        points = sorted({*sides[0][0], *sides[1][0]})

        def cdf(k, z, strictly):
            x, share, _ = sides[k]
            return sum(
                (w for s, w in zip(x, share, strict=True) if s < z or (s == z and not strictly)), Fraction(0)
            )

        right = {z: cdf(0, z, False) - cdf(1, z, False) for z in points}
        left = {z: cdf(0, z, True) - cdf(1, z, True) for z in points}
        square, area, last = Fraction(0), {}, None
        for z in points:
            area[z] = Fraction(0) if last is None else area[last] + right[last] * (z - last)
            square += 0 if last is None else right[last] ** 2 * (z - last)
            last = z
        D = mpmath.sqrt(factor * number(square))
        results = []
        for (x, share, total), sign in zip(sides, (1, -1), strict=True):
            by_values = [
                -sign * number(w * (left[s] + right[s])) * factor / (2 * D)
                for s, w in zip(x, share, strict=True)
            ]
            potential = [-sign * number(area[s]) * factor / D for s in x]
            results.append((by_values, [abs(g) for g in by_values], _by_weights(potential, share, total, 1)))
        return D, *results


def cramer(u, v, a=None, b=None):
    return energy(u, v, a, b, factor=1)


def _by_differences(value, given, unit=None):
    """The derivatives of a function of exact masses by central differences, to some 70 digits.

    Towards mass where there is none. With a `unit`, of points of that size.
    """
    given, slopes = [exact(w) for w in given], []
    for i, mass in enumerate(given):
        h = (unit or mass or max(given)) / 10**40
        ends = []
        for step in (h, -h if mass or unit else 0):
            moved = list(given)
            moved[i] += step
            ends.append(value(moved))
        slopes.append((ends[0] - ends[1]) / number(2 * h if mass or unit else h))
    return slopes


def circle_exactly(u, a, v, b, period, p):
    """W_p on a circle: the least over all rotations at which levels of both meet."""

    def around(values, weights):
        atoms = sorted((exact(x) % period, exact(w)) for x, w in zip(values, weights, strict=True) if w)
        total, mass, levels = sum(w for _, w in atoms), Fraction(0), []
        for _, w in atoms:
            mass += w / total
            levels.append(mass)
        return [x for x, _ in atoms], levels

    (u, F), (v, G) = around(u, a), around(v, b)

    def cost(s, power):
        start, total = Fraction(0), 0
        for level in sorted({*F, *((t + s) % 1 for t in G), Fraction(1)} - {Fraction(0)}):
            turn = (start - s) // 1
            x, y = u[bisect_right(F, start)], v[bisect_right(G, start - s - turn)] + turn * period
            total += power(level - start, abs(x - y))
            start = level
        return total

    roughly = {
        s: cost(s, lambda mass, d: float(mass) * float(d / period) ** float(p))
        for s in {s - t + turn for s in F for t in G for turn in (-1, 0, 1)}
    }
    near = [s for s, c in roughly.items() if c <= min(roughly.values()) * (1 + 1e-9)]
    least = min(cost(s, lambda mass, d: number(mass) * mpmath.power(number(d), p)) for s in near)
    return mpmath.power(least, mpmath.mpf(1) / p)


def circle(u, v, a, b, period, p):
    """W_p on a circle, then its derivatives by u, v, a and b: those of the exact value."""
    with mpmath.workdps(120):
        period, p = exact(period), mpmath.mpf(p)
        given, order = [u, a, v, b], (0, 2, 1, 3)

        def moved(k, x):
            return circle_exactly(*given[:k], x, *given[k + 1 :], period, p)

        units = period, None, period, None
        return circle_exactly(*given, period, p), *(
            _by_differences(lambda x, k=k: moved(k, x), given[k], units[k]) for k in order
        )


def histograms(x, a, y, b, p):
    """W_p of evenly filled bins, then its derivatives by a and by b: those of the exact value."""
    with mpmath.workdps(120):
        return (
            bins_exactly(x, a, y, b, p),
            _by_differences(lambda w: bins_exactly(x, w, y, b, p), a),
            _by_differences(lambda w: bins_exactly(x, a, y, w, p), b),
        )
