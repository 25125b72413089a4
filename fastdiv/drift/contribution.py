r"""What every bin contributes to a column's distances: terms that add up to KL, PSI, JS's square and W1.

With shares p of the baseline and q of the current, m = (p + q) / 2:

    KL    q log2(q / p) - (q - p) / ln 2
    PSI   (q - p) ln(q / p)
    JS²   (p log2(p / m) + q log2(q / m)) / 2

None is below 0 (Csiszár's form of KL: what is taken off sums to 0). For KL and PSI the shares are those
with the pseudocount, as in the column's values.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import inf, isinf, log, log1p
from typing import TYPE_CHECKING, NamedTuple

from fastdiv._checks import options as opt
from fastdiv.drift.wording import OTHERS

if TYPE_CHECKING:
    from fastdiv.drift.report import Bin, ColumnDrift

__all__ = ["Appeared", "Contribution", "appeared", "contributions", "steps", "w1_remainder"]


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one bin adds to a column's distances.

    Attributes
    ----------
    label : str
    kl, psi : float
        In bits and in nats. Over the bins they add up to the column's `kl` and `psi`.
    js_squared : float
        In bits: the Jensen-Shannon divergence, the square of the column's `js`.
    w1 : float or None
        The area between the two distribution functions from the bin's lower end to the next bin's, both drawn
        as straight lines within the bin; in the unit of the column's `w1`. Beyond the baseline's range it is
        exact. None of categories.
    """

    label: str
    kl: float
    psi: float
    js_squared: float
    w1: float | None


def contributions(column: ColumnDrift, pseudocount: float = 0.5) -> list[Contribution]:
    r"""The contributions of a column's bins, in the order of `column.bins`.

    Parameters
    ----------
    column : ColumnDrift
    pseudocount : float, default 0.5
        That of the report, ``report.pseudocount``.

    Returns
    -------
    list of Contribution
        With the bin's label, and what it adds: KL and JS squared in bits, PSI in nats, W1 in its own unit.

    Raises
    ------
    ValueError
        If `pseudocount` is negative or infinite.

    Notes
    -----
    Of shares p of the baseline and q of the current, m = (p + q) / 2:

    .. math::
        KL: q \log_2 (q/p) - (q - p)/\ln 2, \quad PSI: (q - p) \ln (q/p), \quad
        JS^2: (p \log_2 (p/m) + q \log_2 (q/m))/2.

    O(k) time for k bins.

    Examples
    --------
    >>> import fastdiv
    >>> from fastdiv.drift import contributions
    >>> report = fastdiv.compare({"x": ["a", "b", "b"] * 9}, {"x": ["a", "a", "b"] * 9})
    >>> [round(bin.psi, 3) for bin in contributions(report.columns[0], report.pseudocount)]
    [0.109, 0.109]
    """
    bins = column.bins
    n, m = sum(b.baseline for b in bins), sum(b.current for b in bins)
    pseudocount = opt.smoothing(pseudocount)
    added = pseudocount * len(bins)
    areas = _areas(column, n, m)
    found = []
    for b, area in zip(bins, areas, strict=True):
        p, q = b.baseline / n, b.current / m
        s, t = (b.baseline + pseudocount) / (n + added), (b.current + pseudocount) / (m + added)
        middle = (p + q) / 2
        js = (_excess(p, middle) + _excess(q, middle)) / 2 / log(2)
        found.append(Contribution(b.label, _excess(t, s) / log(2), _jeffreys(s, t), js, area))
    return found


class Appeared(NamedTuple):
    """What one side of a column has and the other has not.

    Attributes
    ----------
    new, vanished : list of Bin
        Categories of the current alone, and of the baseline alone, most frequent first.
    below, above : int or float
        How many of the current numbers lie below the baseline's least, and above its largest finite value.
    """

    new: list[Bin]
    vanished: list[Bin]
    below: float
    above: float


def appeared(column: ColumnDrift) -> Appeared:
    """New and vanished categories, and numbers out of the baseline's range, of a column of a report."""
    bins = column.bins
    if column.kind in ("numeric", "datetime"):
        below = bins[0].current if bins[0].low is None else 0
        above = bins[-1].current if bins[-1].high is None else 0
        return Appeared([], [], below, above)
    # those that a side did not keep are not known one by one
    known = [b for b in bins if b.label != OTHERS]
    new = sorted((b for b in known if not b.baseline), key=lambda b: -b.current)
    return Appeared(new, [b for b in known if not b.current], 0, 0)


def w1_remainder(column: ColumnDrift, parts: list[Contribution]) -> float | None:
    """What of `column.w1` the bins cannot place: the shapes within them."""
    if column.w1 is None:
        return None
    return column.w1 - sum(part.w1 or 0.0 for part in parts)


def _excess(q: float, p: float) -> float:
    """q ln(q / p) - q + p."""
    if q == 0:
        return p
    if p == 0:
        return inf
    d = (p - q) / q
    return q * (d - log1p(d)) if abs(d) < 0.5 else q * log(q / p) - q + p


def _jeffreys(p: float, q: float) -> float:
    if p == q:
        return 0.0
    return (q - p) * log(q / p) if p > 0 and q > 0 else inf


def _areas(column: ColumnDrift, n: float, m: float) -> list[float | None]:
    bins = column.bins
    areas: list[float | None] = [None] * len(bins)
    if column.w1 is None:
        return areas
    unit = 1e6 if column.kind == "datetime" else 1.0
    below = above = 0.0
    for i, b in enumerate(bins):
        left = below / n - above / m
        below, above = below + b.baseline, above + b.current
        right = below / n - above / m
        after = bins[i + 1].low if i + 1 < len(bins) else None
        gap = 0.0 if after is None or b.high is None else max(0.0, (after - b.high) / unit)
        if b.low is not None and b.high is not None:
            if not isinf(b.low) and not isinf(b.high):
                areas[i] = (b.high - b.low) / unit * _between(left, right) + gap * abs(right)
        elif b.high is not None and column.below:  # mean of (high - y)+, of the current alone
            areas[i] = abs(right) * (b.high - column.below[1]) / unit + gap * abs(right)
        elif b.low is not None and column.above:
            areas[i] = abs(left) * (column.above[0] - b.low) / unit
    return areas


def steps(column: ColumnDrift) -> list[tuple[float, float, float]]:
    r"""Points of both distribution functions over the range of both: x, the baseline's, the current's.

    Straight lines join them. Beyond the baseline's range, where a share s of the current values with mean m
    lies between the extreme e and the end c, a knot at m of height s (c - m) / (c - e) makes the area exact:

    .. math:: \frac{h (m - e)}{2} + \frac{(h + s)(c - m)}{2} = s (c - m)

    In seconds of a datetime column; empty without `w1`.
    """
    if column.w1 is None:
        return []
    unit = 1e6 if column.kind == "datetime" else 1.0
    n, m = sum(b.baseline for b in column.bins), sum(b.current for b in column.bins)
    points: list[tuple[float, float, float]] = []
    p = q = 0.0
    for b in column.bins:
        low, high = b.low, b.high
        share, knot = b.current / m, None
        if b.low is None and b.high is not None and column.below:
            low, mean = column.below
            if low < b.high:
                knot = mean, share * (b.high - mean) / (b.high - low)
        elif b.high is None and b.low is not None and column.above:
            mean, high = column.above
            if high > b.low:
                knot = mean, share * (1 - (mean - b.low) / (high - b.low))
        if low is not None:
            points.append((low / unit, p, q))
        if knot is not None:
            points.append((knot[0] / unit, p, q + knot[1]))
        p, q = p + b.baseline / n, q + share
        if high is not None:
            points.append((high / unit, p, q))
    return points


def _between(a: float, b: float) -> float:
    """The mean of |d| where d runs straight from a to b."""
    if a * b >= 0:
        return abs(a + b) / 2
    return (a * a + b * b) / (2 * (abs(a) + abs(b)))
