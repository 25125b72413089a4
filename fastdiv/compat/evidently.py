"""Evidently's drift of columns, with its choices and its numbers, and without it: for those who switch.

What ``DataDriftPreset`` of Evidently 0.7 says of two tables, column by column: which test it takes by itself,
the score, and whether that is drift. The rules, by the current column's type as pandas would read it, and by
the reference's values:

===========  ========  =========  ============================================================
column       distinct  reference  test
===========  ========  =========  ============================================================
numerical    over 5    to 1000    Kolmogorov-Smirnov, p
numerical    over 5    over 1000  W1 over the reference's standard deviation, 0.001 at least
either       the rest  to 1000    chi-square, p
either       1 or 2    to 1000    z-test of two shares, p
either       the rest  over 1000  Jensen-Shannon distance, natural logarithms
===========  ========  =========  ============================================================

Floats are numerical; integers of up to 10 distinct values, booleans and text are categorical; dates are left
out. Text of which more than half of the values are distinct is judged there by a classifier, which is not
reproduced: such a column is listed as not compared. Missing and infinite values are left out.

These are other people's conventions: p-values without a correction for their number, bins that depend on both
sides, a zero in PSI and KL taken as 0.0001. ``fastdiv.compare`` has its own.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import erfc, sqrt
from typing import Any, NamedTuple

import numpy as np

from fastdiv.compat._kolmogorov import p_value
from fastdiv.drift.columns import Column
from fastdiv.drift.comparison import Asked
from fastdiv.drift.memory import columns_of, plan_of
from fastdiv.drift.noise import chi_square_tail
from fastdiv.drift.together import side_by_side
from fastdiv.information import js_distance, kl_divergence
from fastdiv.transport import ks_distance, of_true_samples

__all__ = ["METHODS", "ColumnDrift", "DataDrift", "data_drift"]

_SMALL = 1000  # rows of the reference, up to which tests are by p-values
_FEW_INTEGERS, _FEW_VALUES, _VALUES = 10, 5, 20


class ColumnDrift(NamedTuple):
    """One column.

    Attributes
    ----------
    column : str
    kind : str
        "num" or "cat".
    method : str
        A key of METHODS.
    score, threshold : float
    drift : bool
        The score is at least the threshold; of p-values, below it (K-S: or equal).
    """

    column: str
    kind: str
    method: str
    score: float
    threshold: float
    drift: bool


@dataclass(frozen=True)
class DataDrift:
    """What Evidently says of two tables.

    Attributes
    ----------
    columns : tuple of ColumnDrift
        Numerical ones first, in the order of the current table.
    skipped : dict of str to str
        Columns that were not compared, and why.
    drift_share : float
        From which share of columns on the tables have drifted.
    """

    columns: tuple[ColumnDrift, ...]
    skipped: dict[str, str]
    drift_share: float = 0.5

    @property
    def count(self) -> int:
        """Of the columns with drift."""
        return sum(column.drift for column in self.columns)

    @property
    def share(self) -> float:
        """Of the columns compared."""
        return self.count / len(self.columns) if self.columns else 0.0

    @property
    def drift(self) -> bool:
        return self.share >= self.drift_share

    def to_dict(self) -> dict[str, Any]:
        """Everything, as plain data."""
        return {
            "columns": [column._asdict() for column in self.columns],
            "not_compared": [{"column": name, "reason": why} for name, why in self.skipped.items()],
            "count": self.count,
            "share": self.share,
            "drift_share": self.drift_share,
            "drift": self.drift,
        }


def data_drift(
    reference: Any,
    current: Any,
    *,
    columns: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    method: str | None = None,
    threshold: float | None = None,
    drift_share: float = 0.5,
) -> DataDrift:
    """What Evidently's DataDriftPreset finds.

    Parameters
    ----------
    reference, current : path, list of paths, mapping of names to arrays, data frame or Table
        As for ``fastdiv.compare``.
    columns : sequence of str, optional
        Only these. Default: all that both have.
    exclude : sequence of str, optional
        Not these.
    method : str, optional
        One of METHODS for every column in place of what suits it; K-S and W1 are of numerical columns alone,
        and leave the others to what suits them.
    threshold : float, optional
        From where on a score is drift. Default: 0.1 for distances, 0.05 for p-values.
    drift_share : float, default 0.5

    Returns
    -------
    DataDrift

    Raises
    ------
    TableError
        If a table cannot be read, or no column is common to both. (It is a ValueError.)
    ValueError
        If there is no such method.

    Examples
    --------
    >>> from fastdiv.compat.evidently import data_drift
    >>> found = data_drift({"x": range(2000)}, {"x": range(100, 2100)})
    >>> found.columns[0].method, round(found.columns[0].score, 4), found.drift
    ('wasserstein', 0.1732, True)
    """
    if method is not None and method not in METHODS:
        raise ValueError(f"method must be {', '.join(METHODS)}, not {method!r}")
    asked = Asked.of(reference, current, columns, exclude, (20, (), None), 0.5, None, None)
    plan = plan_of(None, asked.tables)
    wanted = sorted(asked.wanted, key=asked.current.names.index)  # as it lists them, numerical first
    pairs = zip(*(columns_of(side, wanted, plan, lambda _: None) for side in asked.tables), strict=True)
    found: list[ColumnDrift] = []
    skipped: dict[str, str] = {}

    def drift(u: Column, v: Column) -> ColumnDrift | tuple[str, str]:
        return _drift(u, v, method, threshold)

    for one in side_by_side(drift, pairs, plan.at_once):
        if isinstance(one, ColumnDrift):
            found.append(one)
        else:
            skipped[one[0]] = one[1]
    found.sort(key=lambda c: c.kind == "cat")
    return DataDrift(tuple(found), skipped, drift_share)


def _drift(
    u: Column, v: Column, method: str | None, threshold: float | None
) -> ColumnDrift | tuple[str, str]:
    for side, column in (("reference", u), ("current", v)):
        if column.reason or column.kind == "missing":
            return u.name, f"{side}: {column.reason or 'every value is missing'}"
        if column.kind == "datetime":
            return u.name, "dates have no drift there"
        if column.cells is not None or column.others:
            return u.name, f"{side}: not all of its values are kept"
    if (u.kind == "numeric") != (v.kind == "numeric"):
        return u.name, f"{u.kind} in the reference, {v.kind} in the current"
    x, y = _Side(u), _Side(v)
    if not (x.n and y.n):
        return u.name, f"{'current' if x.n else 'reference'}: no value is finite"
    numerical = v.kind == "numeric" and not (y.numbers.dtype.kind in "iu" and len(y.counts) <= _FEW_INTEGERS)
    if v.kind == "categorical" and len(y.counts) > y.n / 2:
        return u.name, "text, which is judged there by a classifier"
    if method is None or (not numerical and method in ("ks", "wasserstein")):
        distinct = len(x.counts.keys() | y.counts.keys())
        if x.n > _SMALL:
            method = "wasserstein" if numerical and distinct > _FEW_VALUES else "jensenshannon"
        elif numerical and distinct > _FEW_VALUES:
            method = "ks"
        else:
            method = "chisquare" if distinct > 2 else "z"
    standing, compute = METHODS[method]
    level = standing if threshold is None else float(threshold)
    score = compute(x, y, numerical)
    p = method in ("ks", "chisquare", "z")
    drift = score <= level if method == "ks" else score < level if p else score >= level
    return ColumnDrift(u.name, "num" if numerical else "cat", method, score, level, drift)


class _Side:
    """The values of a column that are there and finite, and how often each occurs."""

    def __init__(self, column: Column) -> None:
        self.counts: dict[Any, int]
        if column.kind == "numeric":
            x = column.numbers.astype(np.float64) if column.missing else column.numbers  # as pandas has them
            self.numbers = x[np.isfinite(x)] if x.dtype.kind == "f" else x
            values, counts = np.unique(self.numbers, return_counts=True)
            self.counts = dict(zip(values.tolist(), counts.tolist(), strict=True))
        else:
            self.numbers = np.empty(0)
            self.counts = {value: int(count) for value, count in column.tally.items()}
        self.n = sum(self.counts.values())


def _counts(x: _Side, y: _Side) -> tuple[np.ndarray, np.ndarray]:
    keys = list(x.counts.keys() | y.counts.keys())
    p, q = (np.array([side.counts.get(key, 0) for key in keys], float) for side in (x, y))
    return p, q


def _binned(x: _Side, y: _Side, numerical: bool, filled: bool) -> tuple[np.ndarray, np.ndarray]:
    """Shares: of values, or in bins by Sturges' rule over both sides where the reference has many."""
    if numerical and len(x.counts) > _VALUES:
        edges = np.histogram_bin_edges(np.concatenate([x.numbers, y.numbers]), "sturges")
        p, q = (np.histogram(side.numbers, edges)[0].astype(float) for side in (x, y))
    else:
        p, q = _counts(x, y)
    p, q = p / x.n, q / y.n
    return (_filled(p), _filled(q)) if filled else (p, q)


def _filled(shares: np.ndarray) -> np.ndarray:
    least = float(shares[shares > 0].min())
    return np.where(shares > 0, shares, least / 10**6 if least <= 0.0001 else 0.0001)


def _wasserstein(x: _Side, y: _Side, numerical: bool) -> float:
    w1 = float(of_true_samples(x.numbers, y.numbers))
    return w1 / max(float(np.std(x.numbers.astype(np.float64))), 0.001)


def _jensenshannon(x: _Side, y: _Side, numerical: bool) -> float:
    return float(js_distance(*_binned(x, y, numerical, False)))


def _psi(x: _Side, y: _Side, numerical: bool) -> float:
    p, q = _binned(x, y, numerical, True)
    return float(np.sum((p - q) * np.log(p / q)))


def _kl(x: _Side, y: _Side, numerical: bool) -> float:
    return float(kl_divergence(*_binned(x, y, numerical, True)))


def _ks(x: _Side, y: _Side, numerical: bool) -> float:
    return p_value(float(ks_distance(x.numbers, y.numbers)), x.n, y.n)


def _chi_square(x: _Side, y: _Side, numerical: bool) -> float:
    """Of the current's counts, as if the reference's shares were the law itself."""
    p, q = _counts(x, y)
    expected = p * (y.n / x.n)
    if np.any(expected == 0):
        return 0.0
    return chi_square_tail(float(np.sum((q - expected) ** 2 / expected)), len(p) - 1)


def _z(x: _Side, y: _Side, numerical: bool) -> float:
    p, q = _counts(x, y)
    if len(p) == 1:
        return 1.0
    a, b, share = p[0] / x.n, q[0] / y.n, (p[0] + q[0]) / (x.n + y.n)
    return erfc(abs(a - b) / sqrt(2 * share * (1 - share) * (1 / x.n + 1 / y.n)))


_Compute = Callable[[_Side, _Side, bool], float]

#: Their names there, from where on the score is drift, and the score.
METHODS: dict[str, tuple[float, _Compute]] = {
    "wasserstein": (0.1, _wasserstein),
    "jensenshannon": (0.1, _jensenshannon),
    "psi": (0.1, _psi),
    "kl_div": (0.1, _kl),
    "ks": (0.05, _ks),
    "chisquare": (0.05, _chi_square),
    "z": (0.05, _z),
}
