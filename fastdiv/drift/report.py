"""What a comparison finds: a report of columns, in plain data classes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, NamedTuple

from fastdiv._checks.options import count
from fastdiv.drift.thresholds import Thresholds

if TYPE_CHECKING:
    from fastdiv.drift.rules import Breach

__all__ = ["Bin", "ColumnDrift", "Noise", "Report", "Skipped", "W2Parts"]


class Bin(NamedTuple):
    """One bin and what either side holds in it.

    `low` and `high` are None for categories and open ends; of a datetime column, microseconds since 1970.
    Counts are whole numbers; of weighted rows sums of weights over their mean.
    """

    label: str
    low: float | int | None
    high: float | int | None
    baseline: float
    current: float


class W2Parts(NamedTuple):
    """What part of the squared Wasserstein-2 distance each change makes up; together 1.

    With means a and b, standard deviations s and t of the baseline and the current (divided by n), and r the
    correlation of the two quantile functions: W2^2 = (a - b)^2 + (s - t)^2 + 2 s t (1 - r): `shift`, `scale`
    and `shape` (Irpino and Verde 2015, doi:10.1007/s11634-014-0176-4).
    """

    shift: float
    scale: float
    shape: float


@dataclass(frozen=True, slots=True)
class Noise:
    """What the distances of a column would be if nothing had changed, and how likely what they are is then.

    Attributes
    ----------
    js, kl, psi, w1, w1_over_sd : float or None
        Means of the distances, in their units, between two samples of these sizes of one law; of `js` the
        root of its mean square.
    missing : float or None
        That of the change of the share of missing values, in percentage points.
    p_bins, p_w1, p_missing : float or None
        p-values: of the bins (JS, KL and PSI), of W1, of the shares of missing values.
    p : float
        Of the column: the least of them, times their number.
    p_adjusted : float
        The same after Benjamini and Hochberg over all columns.
    """

    js: float | None = None
    kl: float | None = None
    psi: float | None = None
    w1: float | None = None
    w1_over_sd: float | None = None
    missing: float | None = None
    p_bins: float | None = None
    p_w1: float | None = None
    p_missing: float | None = None
    p: float = 1.0
    p_adjusted: float = 1.0


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
        Wasserstein-1 distance in the column's unit (seconds for datetimes); None if not numeric or if a
        value is infinite. Exact, unless one side is a baseline that does not keep all of the values.
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
    bars_ends : tuple of float or None
        What the equally wide bars run from and to, in the unit of the bins; None where each is of one value.
    bars_rest : bool
        The last bar is all values but the baseline's most frequent.
    note : str
    w1_bound : float
        A proven bound on the error of `w1`, in its unit; 0 where it is exact.
    below, above : tuple of float, optional
        Of the current values below the baseline's range, which the first bin holds, the least and the mean;
        of those above, in the last bin, the mean and the greatest. In the unit of the bins.
    w1_over_sd_bound : float
        The same, over the baseline's standard deviation.
    verdict : str
        ``none``, ``noise``, ``moved`` or ``moved a lot``, or what the column is instead of a distribution to
        compare: ``identifier``, ``text``, ``constant``, ``stamp``, ``too few rows``.
    because : tuple of str
        The measures that have moved: `js`, `w1_over_sd`, `missing`.
    noise : Noise
    w2_parts : W2Parts or None
        How much of the drift of a numeric column is shift of the mean, scale and shape; None where nothing
        has moved or not all values are kept.
    effective : tuple of int or None
        Of weighted rows: how many unweighted values either side's tell as much as (Kish), by which noise and
        p-values are.
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
    bars_ends: tuple[float, float] | None = None
    note: str = ""
    w1_bound: float = 0.0
    w1_over_sd_bound: float = 0.0
    verdict: str = ""
    because: tuple[str, ...] = ()
    noise: Noise = field(default_factory=Noise)
    w2_parts: W2Parts | None = None
    below: tuple[float, float] | None = None
    above: tuple[float, float] | None = None
    effective: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True)
class Skipped:
    """A column that both tables have and that could not be compared.

    `fault`: its data are in error. `differs`: the two sides are not alike, which is drift of a kind that no
    number here measures. The shares of missing values are None where a side cannot be read; the verdict is of
    them alone, and empty where there are none.
    """

    name: str
    reason: str
    fault: bool = False
    differs: bool = False
    missing_baseline: float | None = None
    missing_current: float | None = None
    verdict: str = ""
    because: tuple[str, ...] = ()
    noise: Noise = field(default_factory=Noise)


@dataclass(frozen=True, slots=True, repr=False)
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
    thresholds: Thresholds = field(default_factory=Thresholds)
    excluded: tuple[str, ...] = ()
    left_out: tuple[tuple[str, int], ...] = ()
    weights: str = ""

    def head(self, n: int) -> Report:
        """The report with its first `n` columns; of the others `left_out` has the verdicts and their counts.

        Parameters
        ----------
        n : int
            0 or more.

        Examples
        --------
        >>> import fastdiv
        >>> one = {"x": [1, 2, 3], "y": [1, 1, 2]}
        >>> report = fastdiv.compare(one, one).head(1)
        >>> len(report.columns), report.left_out
        (1, (('too few rows', 1),))
        """
        n = count(n, "n", least=0)
        left = Counter(dict(self.left_out))
        left.update(column.verdict or "not judged" for column in self.columns[n:])
        return replace(self, columns=self.columns[:n], left_out=tuple(left.items()))

    def to_html(self, breaches: Sequence[Breach] = ()) -> str:
        """One page with everything in it, to be written to a file: needs no network and holds bins only.

        Parameters
        ----------
        breaches : sequence of Breach
            Broken rules to tell of, of ``fastdiv.drift.rules.check``.

        Raises
        ------
        ImportError
            Without Jinja2: ``pip install 'fastdiv[report]'``.
        """
        from fastdiv.drift import html

        return html.page(self, breaches)

    def to_dict(self) -> dict[str, Any]:
        """What ``fastdiv compare --format json`` writes, as a dictionary; infinity is a string."""
        from fastdiv.drift.records import as_dict

        return as_dict(self)

    def to_pandas(self) -> Any:
        """A pandas DataFrame with a row for each column of either table; ``status`` tells the compared.

        A name that is no Unicode text has its lone surrogates as ``\\udcff`` and the like.

        Raises
        ------
        ImportError
            Without pandas.
        """
        try:
            import pandas
        except ImportError as error:
            raise ImportError("Report.to_pandas needs pandas: pip install pandas") from error
        from fastdiv.drift.records import series

        return pandas.DataFrame(series(self))

    def to_polars(self) -> Any:
        """The same as a Polars DataFrame.

        Raises
        ------
        ImportError
            Without Polars.
        """
        try:
            import polars
        except ImportError as error:
            raise ImportError("Report.to_polars needs Polars: pip install polars") from error
        from fastdiv.drift.records import series

        return polars.DataFrame(series(self), strict=False)

    def plot(self, n: int = 4) -> Any:
        """Draw the first `n` columns: both histograms, and the distribution functions, W1 shaded.

        Parameters
        ----------
        n : int, default 4
            At least 1; those that moved most come first.

        Returns
        -------
        matplotlib.figure.Figure
            Not one of pyplot's: ``figure.savefig("drift.png")``.

        Raises
        ------
        ImportError
            Without Matplotlib: ``pip install 'fastdiv[plot]'``.
        ValueError
            If no column was compared.
        """
        from fastdiv.drift import plot

        return plot.drawn(self, n)

    def _repr_html_(self) -> str | None:
        from fastdiv.drift import html

        try:
            return html.framed(html.page(self), min(700, 320 + 34 * len(self.columns)))
        except ImportError:
            return None  # a notebook then shows the repr

    def __repr__(self) -> str:
        from fastdiv.drift.rules import has_moved

        n = len(self.columns)
        moved = sum(has_moved(column.verdict) for column in self.columns)
        return (
            f"<Report of {self.current!r} against {self.baseline!r}: "
            f"{n} column{'' if n == 1 else 's'} compared, {moved} moved>"
        )
