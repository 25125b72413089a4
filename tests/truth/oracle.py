"""The truth: every information measure by its definition, on the values as given, to 250 digits and more.

Nothing here is clever. A float is an exact rational, a share is its quotient by the exact sum, and each line
of ``ORACLE`` is the formula of a textbook. First-order cancellation costs twice as many digits as the bins
differ by, and rows that span the double range need more still (60 digits gave a wrong truth twice), so
``digits`` chooses 250 or 700. ``test_oracle.py`` holds these lines to second formulas and second arithmetics.
"""

from __future__ import annotations

import mpmath
from calls import BASELESS
from mpmath import mp, mpf

INF = mpf("inf")


def digits(rows, log_input=False):
    """250, or 700 where the masses of a row span more than a hundred powers of ten."""
    if log_input:
        return 250
    masses = [float(x) for row in rows for x in row if x > 0]
    return 700 if masses and float(mpmath.log10(mpf(max(masses)) / mpf(min(masses)))) > 100 else 250


def truth(name, *rows, base=None, more_digits=0, **options):
    """``name`` of rows (sequences of floats without NaN) as an mpf; options as in the public API.

    ``js_divergence`` and ``js_distance`` take any number of rows, a stack being just more of them.
    """
    rows = [[float(x) for x in row] for row in rows]
    with mp.workdps(digits(rows, options.get("log_input", False)) + more_digits):
        value = ORACLE[name](rows, **options)
        if base is None or name in BASELESS:
            return value
        unit = mpmath.log(mpf(base))
        return value / (mpmath.sqrt(unit) if name == "js_distance" else unit)


def magnitude(name, *rows, **options):
    """What the error of a raw sum of mixed sign is measured against: the sum of its terms' magnitudes."""
    rows = [[float(x) for x in row] for row in rows]
    with mp.workdps(digits(rows, options.get("log_input", False))):
        s = masses(rows, **{k: v for k, v in options.items() if k != "alpha"})
        if name in ("entropy", "cross_entropy"):
            return sum(abs(_xlog(p, q)) for p, q in zip(s[0], s[-1], strict=True))
        if name == "kl_divergence":
            return sum(abs(_xlog(p, p / q)) for p, q in zip(*s, strict=True) if p and q)
        alpha = options.get("alpha", 0 if name == "bhattacharyya_distance" else INF)
        return abs(ORACLE[name](rows, **options)) + (1 / abs(1 - mpf(alpha)) if alpha not in (1, INF) else 0)


# --- masses --------------------------------------------------------------------------------------------


def masses(rows, normalize=True, pseudocount=0.0, log_input=False):
    """The shares of each row (its masses, without normalising); a pseudocount is added in float64."""
    table = []
    for row in rows:
        if log_input:
            given = [mpmath.exp(mpf(x)) for x in row]
        else:
            given = [mpf(x + pseudocount) for x in row]
        total = sum(given) if normalize else mpf(1)
        table.append([x / total for x in given])
    return table


def _xlog(p, r):
    """p log r, 0 for p = 0."""
    if p == 0:
        return mpf(0)
    return p * mpmath.log(r) if r else -INF


# --- definitions ---------------------------------------------------------------------------------------


def _entropy(rows, **options):
    (p,) = masses(rows, **options)
    return -sum(_xlog(a, a) for a in p)


def _cross_entropy(rows, **options):
    p, q = masses(rows, **options)
    return -sum(_xlog(a, b) for a, b in zip(p, q, strict=True))


def _kl(rows, **options):
    p, q = masses(rows, **options)
    if any(a and not b for a, b in zip(p, q, strict=True)):
        return INF
    return sum(_xlog(a, a / b) for a, b in zip(p, q, strict=True) if a)


def _jeffreys(rows, **options):
    p, q = masses(rows, **options)
    if any((a == 0) != (b == 0) for a, b in zip(p, q, strict=True)):
        return INF
    return sum((a - b) * mpmath.log(a / b) for a, b in zip(p, q, strict=True) if a)


def _js(rows, weights=None, **options):
    table = masses(rows, **options)
    weights = [mpf(float(w)) for w in (weights if weights is not None else [1] * len(rows))]
    w = [x / sum(weights) for x in weights]
    value = mpf(0)
    for column in zip(*table, strict=True):
        mixture = sum(a * b for a, b in zip(w, column, strict=True))
        value += sum(_xlog(a * b, b / mixture) for a, b in zip(w, column, strict=True) if a and b)
    return value


def _js_distance(rows, **options):
    return mpmath.sqrt(max(_js(rows, **options), 0))  # equal rows may leave -1e-250


def _total_variation(rows, **options):
    p, q = masses(rows, **options)
    return sum(abs(a - b) for a, b in zip(p, q, strict=True)) / 2


def _hellinger(rows, **options):
    p, q = masses(rows, **options)
    squares = ((mpmath.sqrt(a) - mpmath.sqrt(b)) ** 2 for a, b in zip(p, q, strict=True))
    return mpmath.sqrt(sum(squares) / 2)


def _chi_square(rows, **options):
    p, q = masses(rows, **options)
    if any(a and not b for a, b in zip(p, q, strict=True)):
        return INF
    return sum((a - b) ** 2 / b for a, b in zip(p, q, strict=True) if b)


def _triangular_discrimination(rows, **options):
    p, q = masses(rows, **options)
    return sum((a - b) ** 2 / (a + b) for a, b in zip(p, q, strict=True) if a or b)


def _bhattacharyya(rows, **options):
    return _renyi(rows, mpmath.mpf(1) / 2, **options) / 2


def _renyi(rows, alpha, **options):
    if alpha == 1:
        return _kl(rows, **options)
    p, q = masses(rows, **options)
    pairs = [(a, b) for a, b in zip(p, q, strict=True) if a]
    if alpha == INF:
        return mpmath.log(max(a / b if b else INF for a, b in pairs))
    alpha = mpf(alpha)
    if alpha > 1 and any(not b for _, b in pairs):
        return INF
    total = sum(a * mpmath.exp((alpha - 1) * mpmath.log(a / b)) for a, b in pairs if b)
    return mpmath.log(total) / (alpha - 1) if total else INF


def _surprisal(rows):
    ((p,),) = rows
    return -mpmath.log(mpf(p)) if p else INF


def _binary_entropy(rows):
    ((p,),) = rows
    return -_xlog(mpf(p), mpf(p)) - _xlog(1 - mpf(p), 1 - mpf(p))


ORACLE = {
    "surprisal": _surprisal,
    "entropy": _entropy,
    "binary_entropy": _binary_entropy,
    "cross_entropy": _cross_entropy,
    "kl_divergence": _kl,
    "jeffreys_divergence": _jeffreys,
    "js_divergence": _js,
    "js_distance": _js_distance,
    "total_variation": _total_variation,
    "hellinger_distance": _hellinger,
    "chi_square": _chi_square,
    "triangular_discrimination": _triangular_discrimination,
    "bhattacharyya_distance": _bhattacharyya,
    "renyi_divergence": _renyi,
}
