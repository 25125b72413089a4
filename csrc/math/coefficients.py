"""Makes the polynomial coefficients of log.h, with the error each one leaves.

    python csrc/math/coefficients.py

Interpolation in Chebyshev nodes, 60 digits: within a small factor of minimax, and one line to check.
"""

import mpmath as mp
import numpy as np

mp.mp.dps = 60


def interpolate(f, low, high, terms):
    """Coefficients (constant first) of the polynomial through f at `terms` Chebyshev nodes."""
    low, high = mp.mpf(low), mp.mpf(high)
    middle, radius = (low + high) / 2, (high - low) / 2
    nodes = [middle + radius * mp.cos(mp.pi * (2 * i + 1) / (2 * terms)) for i in range(terms)]
    vandermonde = mp.matrix([[x**j for j in range(terms)] for x in nodes])
    return list(mp.lu_solve(vandermonde, mp.matrix([f(x) for x in nodes])))


def report(name, f, low, high, terms):
    low, high = mp.mpf(low), mp.mpf(high)
    coefficients = interpolate(f, low, high, terms)
    rounded = [mp.mpf(float(c)) for c in coefficients]
    grid = [low + (high - low) * i / 499 for i in range(500)]
    error = max(abs(mp.polyval(rounded[::-1], x) / f(x) - 1) for x in grid)
    print(f"{name} on [{low}, {high}]: relative error {mp.nstr(error, 2)}")
    for c in coefficients:
        print(f"    {float(c)!r},")


def atanh_tail(z):
    """R(z) = sum_j z^j / (2j + 3), so that atanh(t) = t + t z R(z) with z = t^2."""
    return mp.nsum(lambda j: z**j / (2 * j + 3), [0, mp.inf]) if z else mp.mpf(1) / 3


def exp_tail(v):
    """E(v) = (exp(v) - 1 - v) / v^2."""
    return (mp.expm1(v) - v) / v**2 if abs(v) > mp.mpf("1e-15") else mp.mpf(1) / 2  # a middle node is near 0


def phi_tail(z):
    """(phi(t) / z - 1) / z, phi(t) = (1+t) log(1+t) + (1-t) log(1-t) and z = t^2."""
    return mp.nsum(lambda j: z**j / ((j + 2) * (2 * j + 3)), [0, mp.inf])


def log_tail(w):
    """B(w), so that log(1 + w) = w + w^2 B(w)."""
    return (mp.log1p(w) - w) / w**2 if w else -mp.mpf(1) / 2


def growth_tail(t):
    """A(t), so that (1 + t) log(1 + t) = t + t^2 A(t)."""
    return ((1 + t) * mp.log1p(t) - t) / t**2 if t else mp.mpf(1) / 2


def report_table(name, size, terms, number):
    """1/c and log2 c for a c in each of `size` parts of [1, 2), and log2(1 + r)/r for r = x/c - 1.

    c is the middle of its part, but 1 in the first: powers of 2 have exact logarithms.
    """
    middles = [1 + (i + mp.mpf(1) / 2) / size for i in range(size)]
    inverse = [mp.mpf(1), *(mp.mpf(number(1 / c)) for c in middles[1:])]
    ends = [(c * (size + i) / size - 1, c * (size + i + 1) / size - 1) for i, c in enumerate(inverse)]
    low, high = min(min(pair) for pair in ends), max(max(pair) for pair in ends)
    tail = interpolate(lambda r: mp.log1p(r) / r / mp.log(2) if r else 1 / mp.log(2), low, high, terms)
    rounded = [mp.mpf(number(c)) for c in tail]
    grid = [low + (high - low) * i / 499 for i in range(500)]
    error = max(abs(mp.polyval(rounded[::-1], r) * r - mp.log(1 + r, 2)) for r in grid)
    print(f"{name}: absolute error {mp.nstr(error, 2)}")
    for what, numbers in (("1/c", inverse), ("log2 c", [-mp.log(c, 2) for c in inverse]), ("tail", tail)):
        print(f"  {what}")
        for x in numbers:
            print(f"    {number(x)!r},")


if __name__ == "__main__":
    report("fd_atanh_tail, R(z)", atanh_tail, "0", "0.0401", 8)
    report("fd_exp_tail, E(v)", exp_tail, "-1", "1", 14)
    report("fd_short_exp_tail, E(v)", exp_tail, "-0.3466", "0.3466", 11)
    report("fd_table_exp_below, E(v)", exp_tail, "-0.02167", "0.02167", 5)
    root = (mp.sqrt(2) - 1) ** 4
    report("fd_short_atanh_tail, R(z)", atanh_tail, 0, root, 7)
    report("fd_join_log32, R(z)", atanh_tail, 0, root, 3)
    report("fd_phi_tail", phi_tail, 0, mp.mpf(1) / 64, 5)
    report("fd_log_tail32, B(w)", log_tail, mp.sqrt(mp.mpf(1) / 2) - 1, mp.sqrt(2) - 1, 8)
    report("fd_growth_tail32, A(t)", growth_tail, 0, 1, 8)
    print("fd_table_exp_below, 2^(i/16)")
    for i in range(16):
        print(f"    {float(mp.mpf(2) ** (mp.mpf(i) / 16))!r},")
    report_table("fd_table_log2", 16, 9, float)
    report_table("fd_table_log2_32", 32, 3, lambda x: float(np.float32(float(x))))
