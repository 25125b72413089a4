"""What a comparison finds: a report of columns, in plain data classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

__all__ = ["Bin", "ColumnDrift", "Report", "Skipped"]


class Bin(NamedTuple):
    """One bin and what either side holds in it.

    `low` and `high` are None for categories and open ends; of a datetime column, microseconds since 1970.
    """

    label: str
    low: float | int | None
    high: float | int | None
    baseline: int
    current: int


@dataclass(frozen=True, slots=True)
class ColumnDrift:
    """How one column moved. Entropies and KL are in bits, PSI in nats, the JS distance lies in [0, 1].

    Attributes
    ----------
    name, kind : str
    n_baseline, n_current : int
        Values present.
    missing_baseline, missing_current : float
        Share of the rows without a value, 0 to 1.
    js : float
        Jensen-Shannon distance in base 2, the root of the divergence.
    kl : float
        KL(current || baseline) in bits: what describing the current data costs extra with a code made
        for the baseline. With the report's pseudocount.
    psi : float
        Population stability index, the Jeffreys divergence of the bin shares. With the report's pseudocount.
    w1 : float or None
        Exact Wasserstein-1 distance in the column's unit (seconds for datetimes); None if not numeric or
        if a value is infinite.
    w1_over_sd : float or None
        The same, over the baseline's standard deviation (divided by n).
    mean_baseline, mean_current : float or None
        Of a numeric column; of a datetime column in seconds since 1970.
    entropy_baseline, entropy_current : float
        On the bins.
    bins : tuple of Bin
        Those that hold a value of either side; the others count for nothing.
    bars_baseline, bars_current : tuple of float
        Shares for drawing: of equally wide bars from the 1st to the 99th percentile of both sides, the
        end bars taking what lies beyond; or of single values.
    bars_rest : bool
        The last bar is all values but the baseline's most frequent.
    note : str
    """

    name: str
    kind: str
    n_baseline: int
    n_current: int
    missing_baseline: float
    missing_current: float
    js: float
    kl: float
    psi: float
    w1: float | None
    w1_over_sd: float | None
    mean_baseline: float | None
    mean_current: float | None
    entropy_baseline: float
    entropy_current: float
    bins: tuple[Bin, ...]
    bars_baseline: tuple[float, ...]
    bars_current: tuple[float, ...]
    bars_rest: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Skipped:
    """A column that both tables have and that could not be compared.

    `fault`: its data are in error. `differs`: the two sides are not alike, which is drift of a kind that no
    number here measures. The shares of missing values are None where a side cannot be read.
    """

    name: str
    reason: str
    fault: bool = False
    differs: bool = False
    missing_baseline: float | None = None
    missing_current: float | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """What :func:`compare` found: the columns compared, and every other one with the reason."""

    baseline: str
    current: str
    rows_baseline: int
    rows_current: int
    bins: int
    pseudocount: float
    columns: tuple[ColumnDrift, ...]
    skipped: tuple[Skipped, ...]
    only_baseline: tuple[str, ...]
    only_current: tuple[str, ...]
