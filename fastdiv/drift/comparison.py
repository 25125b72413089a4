"""Compare two tables column by column: how far has each distribution moved? Nothing is printed here.

How a column is counted is in :mod:`fastdiv.drift.counting`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import inf, log, sqrt
from typing import Any

import numpy as np

from fastdiv._checks import options as opt
from fastdiv.drift.binning import N_BARS
from fastdiv.drift.bridges import w1_law
from fastdiv.drift.columns import Column, Table, TableError, names_of, no_column
from fastdiv.drift.counting import Counted, count_numbers, count_values, parts_of_w2
from fastdiv.drift.edges import Binning, binnings_of
from fastdiv.drift.memory import Meter, columns_of, plan_of
from fastdiv.drift.natures import nature_of
from fastdiv.drift.noise import bins_law, share_noise, share_test
from fastdiv.drift.report import Bin, ColumnDrift, Noise, Report, Skipped
from fastdiv.drift.tables import as_table
from fastdiv.drift.thresholds import Thresholds, thresholds_of
from fastdiv.drift.together import side_by_side
from fastdiv.drift.verdict import judged
from fastdiv.drift.weights import both_weighted
from fastdiv.information import entropy, jeffreys_divergence, js_distance, js_divergence, kl_divergence

__all__ = ["Asked", "compare"]


def compare(
    baseline: Any,
    current: Any,
    *,
    columns: Sequence[str] | None = None,
    exclude: Sequence[str] = (),
    bins: int | Mapping[str | None, int] = 20,
    continuous: Sequence[str] = (),
    edges: Mapping[str, Sequence[Any]] | None = None,
    pseudocount: float = 0.5,
    thresholds: Any = None,
    weights: str | None = None,
    memory: int | str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Report:
    """Compare the columns that two tables share.

    Parameters
    ----------
    baseline, current : path, list of paths, mapping of names to arrays, data frame or Table
        A path may be a glob or a folder, which stands for all tables in it; their rows are one table.
    columns : sequence of str, optional
        Only these. Default: all that both tables have.
    exclude : sequence of str, optional
        Not these, as if neither table had them.
    bins : int or mapping of str to int, default 20
        Quantile bins of a numeric column; fewer if the baseline has less than 5 values for each. Where it has
        no more distinct values than that, and most of them twice, each is a bin. In a mapping the key None is
        for all columns that are not named.
    continuous : sequence of str, optional
        Columns that have quantile bins even where they have few values.
    edges : mapping of str to sequence of numbers or dates, optional
        Columns whose bins are between these, the last one closed; values below and above have a bin each.
    pseudocount : float, default 0.5
        Added to every bin of both sides for KL and PSI, which an empty bin would make infinite; 0 leaves
        them as they are. JS, W1 and the entropies never need it.
    thresholds : mapping, path of a TOML file or Thresholds, optional
        From where on a column is said to have moved: ``alpha`` (default 0.01), ``moved`` and ``moved_a_lot``
        (mappings of ``js``, ``w1_over_sd`` and ``missing`` to numbers), and ``columns`` with the same of
        single columns, and their ``bins``, ``continuous`` and ``edges``, which the arguments go before.
    weights : str, optional
        A column of both tables whose numbers are the weights of the rows: 0, or from 1e-100 to 1e100. Their
        unit does not matter, and rows of weight 0 are left out. Default: that of a weighted Baseline.
    memory : int or str, optional
        What columns of files may take: bytes, or a text such as "2GB". Default: a quarter of the machine's
        memory, or of what its cgroup may have. Of a column that takes more the distinct values are counted,
        and if these are too many, W1 has a bound on its error (`w1_bound`). Held whole whatever it says: .npz
        files, and those of CSV and .npy whose rows are weighed.
    progress : callable, optional
        Called now and then, from any thread, with the share of the work that is done.

    Returns
    -------
    Report
        Columns by verdict, then by how far they moved, movers first.

    Raises
    ------
    TableError
        If a table cannot be read, its columns differ in length, no column is common to both, one of `columns`
        is not, or one of `exclude` is in neither.
    ValueError
        For less than 2 bins, edges that do not increase, a negative pseudocount, or thresholds that are none.
        (A TableError is one, too.)
    TypeError
        If `bins` is no integer, or no table can be made of what is given.

    Notes
    -----
    O(n log n) time for a column of n values on both sides together, columns in threads; memory for as many
    columns as there are threads, or as `memory` holds. How many threads there are changes no result. Bins are
    those of the baseline; their divergences and W1 are the formulas of `fastdiv.js_distance`,
    `fastdiv.kl_divergence`, `fastdiv.jeffreys_divergence` and `fastdiv.wasserstein_distance`,
    :math:`W_1 = \\int |F - G| \\, dx`.

    Of weighted rows every share, mean and distance is that of the weights; counts in bins are weights over
    their mean. The laws of the distances where nothing changed are taken at Kish's effective numbers of
    values, :math:`(\\sum w)^2 / \\sum w^2` (`ColumnDrift.effective`), which are right where weights and
    values are independent. A weighted side must not stand against one without weights, which is as often a
    mistake as a census: a column of ones says which.

    Examples
    --------
    >>> from fastdiv.drift import compare
    >>> report = compare({"x": [1.0, 2.0, 3.0, 4.0] * 9}, {"x": [2.0, 3.0, 4.0, 5.0] * 9})
    >>> report.columns[0].w1
    1.0
    """
    binning = (bins, continuous, edges)
    asked = Asked.of(baseline, current, columns, exclude, binning, pseudocount, thresholds, weights)
    plan = plan_of(memory, asked.tables)
    meter = Meter(progress, len(asked.wanted), asked.tables)
    found: list[ColumnDrift | Skipped] = []
    rows = (0, 0)

    def compared(u: Column, v: Column) -> tuple[tuple[int, int], ColumnDrift | Skipped]:
        return (u.rows, v.rows), asked.compared(u, v)

    pairs = zip(*(columns_of(side, asked.wanted, plan, meter.read) for side in asked.tables), strict=True)
    for rows, one in side_by_side(compared, pairs, plan.at_once):  # noqa: B007
        meter.counted()
        found.append(one)
    (report,) = asked.reports([(asked.current.label, rows, found)])
    return report


@dataclass(frozen=True)
class Asked:
    """What is compared, and how: a comparison but for its data.

    Attributes
    ----------
    baseline, current : Table
    wanted : tuple of str
        The columns that are compared.
    common, own : Binning, mapping of str to Binning
        The bins of all columns, and of those that have their own.
    pseudocount, thresholds
    excluded : tuple of str
    key : str
        A column of the current that says which row is in which group, and is none to compare.
    """

    baseline: Table
    current: Table
    wanted: tuple[str, ...]
    common: Binning
    own: Mapping[str, Binning]
    pseudocount: float
    thresholds: Thresholds
    excluded: tuple[str, ...]
    key: str

    @staticmethod
    def of(
        baseline: Any,
        current: Any,
        columns: Sequence[str] | None,
        exclude: Sequence[str],
        binning: tuple[Any, Sequence[str], Any],
        pseudocount: float,
        thresholds: Any,
        weights: str | None,
        key: str = "",
    ) -> Asked:
        pseudocount = opt.smoothing(pseudocount)
        limits = thresholds_of(thresholds)
        named = None if columns is None else names_of(columns)
        base, cur = as_table(baseline, label="baseline"), as_table(current, label="current")
        base, cur = both_weighted(base, cur, weights)
        if key and key not in cur.names:
            raise TableError(f"{cur.label}: {no_column(key, cur.names)}")
        without = names_of(exclude, "exclude")
        known = [*base.names, *cur.names]
        for name in without:
            if name not in known:
                raise no_column(name, known)
        wanted = [name for name in _wanted(named, base, cur) if name not in without]
        if not wanted:
            raise TableError("exclude leaves no column to compare")
        if key and named is None:
            wanted = [name for name in wanted if name != key]
            if not wanted:
                raise TableError(f"{base.label} and {cur.label} have no column in common but {key!r}")
        common, own = binnings_of(*binning, limits.binning, known)
        return Asked(base, cur, tuple(wanted), common, own, pseudocount, limits, without, key)

    @property
    def tables(self) -> tuple[Table, Table]:
        return self.baseline, self.current

    def compared(self, u: Column, v: Column) -> ColumnDrift | Skipped:
        """Two columns, but for the verdict, or why they cannot be compared."""
        how = self.own.get(u.name, self.common)
        return _incomparable(u, v) or _compare(u, v, how, self.pseudocount)

    def reports(
        self, groups: Sequence[tuple[str, tuple[int, int], Sequence[ColumnDrift | Skipped]]]
    ) -> list[Report]:
        """A report of each group of the current: its label, the rows of both sides, and its columns.

        The verdicts are those of one question, which has as many tests as all groups together.
        """
        base, cur = self.tables
        known = [*base.names, *cur.names]
        parts = [
            ([c for c in found if isinstance(c, ColumnDrift)], [c for c in found if isinstance(c, Skipped)])
            for _, _, found in groups
        ]
        hidden = {*base.names} & {*cur.names} | {*self.excluded, self.key}
        return [
            Report(
                baseline=base.label,
                current=label,
                rows_baseline=rows[0],
                rows_current=rows[1],
                bins=self.common.bins,
                pseudocount=self.pseudocount,
                columns=tuple(moved),
                skipped=tuple(skipped),
                only_baseline=tuple(name for name in base.names if name not in hidden),
                only_current=tuple(name for name in cur.names if name not in hidden),
                thresholds=self.thresholds,
                excluded=self.excluded,
                weights=base.weights,
            )
            for (label, rows, _), (moved, skipped) in zip(
                groups, judged(parts, self.thresholds, known), strict=True
            )
        ]


def _wanted(names: Sequence[str] | None, base: Table, cur: Table) -> list[str]:
    """The columns to compare: those named, or all that both have."""
    shared = set(base.names) & set(cur.names)
    if not shared:
        raise TableError(f"{base.label} and {cur.label} have no column in common")
    if names is None:
        return [name for name in base.names if name in shared]
    for name in names:
        for table, other in ((base, cur), (cur, base)):
            if name in table.names:
                continue
            if name in other.names:
                raise TableError(f"column {name!r} is in {other.label} only")
            raise no_column(name, base.names)
    return list(names)


def _incomparable(u: Column, v: Column) -> Skipped | None:
    differs = u.type != v.type
    for side, column in (("baseline", u), ("current", v)):
        if column.reason:
            return Skipped(u.name, f"{side}: {column.reason}", column.kind == "mixed", differs)
    if u.kind == v.kind == "missing":
        reason = "every value is missing on both sides"
    elif "missing" in (u.kind, v.kind):
        reason = f"every value is missing in the {'baseline' if u.kind == 'missing' else 'current'}"
    elif differs:
        reason = f"{u.type} in the baseline, {v.type} in the current"
    elif u.kind == "numeric" and not _some_finite(u):
        reason, differs = "no finite value in the baseline", True
    else:
        return None
    missing = u.missing_share, v.missing_share
    noise = Noise(**_missing_noise(u, v))
    return Skipped(u.name, reason, False, differs, *missing, noise=noise)


def _some_finite(column: Column) -> bool:
    if column.cells is not None:
        return len(column.cells.finite().keys) > 0
    return bool(np.isfinite(column.numbers).any())


def _compare(u: Column, v: Column, how: Binning, pseudocount: float) -> ColumnDrift:
    numeric = u.kind in ("numeric", "datetime")
    if not numeric:
        how.fits(u)
    counted = count_numbers(u, v, how) if numeric else count_values(u, v)
    p, q = counted.p, counted.q
    return ColumnDrift(
        name=u.name,
        kind=u.kind,
        n_baseline=u.present,
        n_current=v.present,
        missing_baseline=u.missing_share,
        missing_current=v.missing_share,
        js=float(js_distance(p, q, base=2)),
        kl=float(kl_divergence(q, p, base=2, pseudocount=pseudocount)),
        psi=float(jeffreys_divergence(p, q, pseudocount=pseudocount)),
        w1=counted.w1,
        w1_bound=counted.w1_bound,
        w1_over_sd_bound=counted.w1_over_sd_bound,
        w1_over_sd=counted.w1_over_sd,
        mean_baseline=counted.means[0],
        mean_current=counted.means[1],
        w2_parts=parts_of_w2(counted, 1e6 if u.kind == "datetime" else 1.0),
        entropy_baseline=float(entropy(p, base=2)),
        entropy_current=float(entropy(q, base=2)),
        bins=tuple(counted.bins),
        bars_baseline=tuple((counted.bars.baseline / u.present).tolist()),
        bars_current=tuple((counted.bars.current / v.present).tolist()),
        bars_ends=counted.bars.ends,
        bars_rest=not numeric and (len(counted.bins) > N_BARS or u.others + v.others > 0),
        note=counted.note,
        verdict=nature_of(u, v, counted),
        noise=_noise(u, v, counted, pseudocount),
        below=counted.below,
        above=counted.above,
        effective=None if u.mass is None else (u.effective, v.effective),
    )


def _noise(u: Column, v: Column, counted: Counted, pseudocount: float) -> Noise:
    p, q, bins = _effective(counted.p, u), _effective(counted.q, v), counted.bins
    ends, loose = None, 2
    if u.kind in ("numeric", "datetime") and not counted.fixed:
        ends = bins[0].low is None, bins[-1].high is None
        p, q = _without_gaps(bins, p, q)
        held = [b for b in bins if b.baseline]
        loose = sum(held[i].low != held[i].high for i in (0, -1))
    chosen = 0.0
    if u.others or v.others:
        p, q = _without_chosen(u, v, p, q)
        # what is lost with them says nothing, so it is noise
        chosen = max(0.0, float(js_divergence(counted.p, counted.q) - js_divergence(p, q)))
    law = bins_law(p, q, pseudocount, ends, loose, (u.effective, v.effective))
    known: dict[str, Any] = {
        "js": sqrt((law.js + chosen) / log(2)),
        "kl": law.kl / log(2),
        "psi": law.psi,
        "p_bins": law.p,
    }
    if counted.spread is not None and counted.w1 is not None and counted.w1_over_sd is not None:
        unit = 1e6 if u.kind == "datetime" else 1.0
        floor, known["p_w1"] = w1_law(
            counted.spread, u.effective, v.effective, (counted.w1 - counted.w1_bound) * unit
        )
        known["w1"] = floor / unit
        known["w1_over_sd"] = floor / counted.sd if counted.sd else (inf if floor else 0.0)
    return Noise(**known, **_missing_noise(u, v))


def _effective(counts: np.ndarray, column: Column) -> np.ndarray:
    """Of weighted values as many as are as good as unweighted ones."""
    return counts if column.mass is None else counts * (column.effective / column.present)


def _without_gaps(bins: Sequence[Bin], p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The counts, those between two values of the baseline with the value below.

    Such a bin holds nothing of the baseline because its ends are where that has values: so made, which
    no test must take for chance. But values that the baseline has not are to be expected as often as values
    that it has once (Good and Turing); of more than that, by 4 standard deviations, the counts stay.
    """
    closed = [not b.baseline and b.low is not None and b.high is not None for b in bins]
    if not any(closed):
        return p, q
    n, m = p.sum(), q.sum()
    once = sum(0 < x < 1.5 for b, x in zip(bins, p.tolist(), strict=True) if b.low == b.high)
    between = q[closed].sum() / m
    if between > (once + 4 * sqrt(once + 1)) / n + 4 * sqrt(between / m):
        return p, q
    first = [i for i, gap in enumerate(closed) if not gap]
    return np.add.reduceat(p, first), np.add.reduceat(q, first)


def _without_chosen(u: Column, v: Column, p: np.ndarray, q: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The counts with those categories in the last, the others', that chance may have let a side keep.

    Of two equally rare ones that is kept which has more on that side: a test would find what the choice has
    put there. By the count of both sides a category may be chosen, which says nothing of its shares: so large
    that the side would have kept it, unless it had 4 standard deviations less than is to be expected.
    """
    rare, both = np.zeros(len(p), bool), p + q
    for side in (u, v):
        if side.others:
            expected = both * (side.effective / (u.effective + v.effective))
            size = side.effective / side.present / side.unit
            rare |= expected < (side.most + side.slack) * size + 4 * sqrt(side.most * size) + 8
    rare[-1] = True
    return tuple(np.append(counts[~rare], counts[rare].sum()) for counts in (p, q))  # type: ignore[return-value]


def _missing_of(column: Column) -> tuple[int, int]:
    """How many values are missing, of how many, both as Kish counts them."""
    if column.mass is None:
        return column.missing, column.rows
    rows = max(1, round(column.mass.effective_rows))
    return round(rows * column.missing_share), rows


def _missing_noise(u: Column, v: Column) -> dict[str, Any]:
    if not u.missing and not v.missing:
        return {"missing": 0.0}
    counts = *_missing_of(u), *_missing_of(v)
    return {"missing": 100 * share_noise(*counts), "p_missing": share_test(*counts)}
