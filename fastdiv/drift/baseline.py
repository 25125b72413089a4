"""A baseline that is prepared once, scored many times, added to, merged, and kept in a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Self

from fastdiv._checks import options as opt
from fastdiv._files import replacing
from fastdiv.drift import profile_file
from fastdiv.drift.columns import Table, TableError, same_names, with_columns
from fastdiv.drift.comparison import compare
from fastdiv.drift.held import Held, Limits
from fastdiv.drift.memory import held_of
from fastdiv.drift.tables import as_table
from fastdiv.drift.weights import weighted

if TYPE_CHECKING:
    from fastdiv.drift.report import Report

__all__ = ["Baseline"]

VALUES, CATEGORIES = 65_536, 10_000


class Baseline:
    r"""One side of many comparisons: what is known of a table's columns, without the table.

    Of every column it holds the rows, the missing values, and: of numbers and dates the distinct values with
    their counts; of categories and booleans the values with their counts. `score` gives what
    ``fastdiv.drift.compare`` gives, in the same bits, in a fraction of the time: nothing of the baseline is
    read, sorted or counted again.

    A numeric column of more than `values` distinct values is held in cells instead: counts, exact sums,
    smallest and largest values in at most `values` / 4 intervals between neighbouring doubles, which follow
    the data. Its bins are made of whole cells, so that JS, KL and PSI are those of the bins they name, and W1
    has a proven bound on its error beside it (``w1_bound`` in the report): only where the two distribution
    functions may cross within a cell is anything unknown, so it is mostly some millionths of the standard
    deviation. Of a column of more than `categories` categories those that occur most often are kept, and all
    others are counted as one.

    Baselines of parts of a table make that of the whole: what is held is a function of the values alone, so
    any split, and any order of `update` and `merge`, ends in the same bits, also of parts of several types of
    numbers. (Not where categories had to go: the report says by how much a count may be too low then. Nor
    where more than `values` whole numbers beyond 2^53 are fewer as doubles; sums of weights are rounded; and
    why a column of mixed kinds cannot be compared may be told by the row of a part.)

    Parameters
    ----------
    values : int or None, default 65536
        The most distinct values of a numeric column that are all kept; None keeps all of every column:
        everything is exact, whatever memory it takes.
    categories : int or None, default 10000
        The most categories of a column that are kept; None for all.
    weights : str, optional
        A column of every table whose numbers are the weights of its rows, as for ``fastdiv.drift.compare``.
        Of weighted numeric columns all values are kept, for cells count rows.

    Attributes
    ----------
    label : str
        What reports call it: the name of the table or file it came from.
    names : tuple of str
        Its columns.
    rows : int
        Without those of weight 0.
    weights : str
        Empty where rows have none.
    approximate : tuple of str
        Those of the columns of which not everything is kept.

    Notes
    -----
    `values` 65536 take at most 1 MB a column, 1.2 MB once it has been scored. Equal baselines hold the
    same of the same columns; the label does not matter. Beyond 2^27 values of a column W1's last bits may
    differ from those of a comparison.

    Examples
    --------
    >>> import fastdiv
    >>> baseline = fastdiv.Baseline.from_table({"x": [1.0, 2.0, 3.0, 4.0] * 9})
    >>> baseline.score({"x": [2.0, 3.0, 4.0, 5.0] * 9}).columns[0].w1
    1.0
    >>> baseline.update({"x": [5.0] * 12})
    >>> baseline
    <Baseline of 48 rows and 1 column>
    """

    def __init__(
        self,
        *,
        values: int | None = VALUES,
        categories: int | None = CATEGORIES,
        weights: str | None = None,
    ) -> None:
        if weights is not None and not isinstance(weights, str):
            raise TypeError(f"weights must be the name of a column, not {weights!r}")
        limits = {"values": values, "categories": categories}
        self._limits = Limits(
            *(most if most is None else opt.count(most, name, least=1) for name, most in limits.items())
        )
        self._columns: tuple[Held, ...] = ()
        self.label = "baseline"
        self.weights = weights or ""

    @classmethod
    def from_table(
        cls,
        table: Any,
        *,
        values: int | None = VALUES,
        categories: int | None = CATEGORIES,
        columns: Sequence[str] | None = None,
        categorical: Sequence[str] = (),
        weights: str | None = None,
        memory: int | str | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Prepare a table.

        Parameters
        ----------
        table : path, list of paths, mapping of names to arrays, data frame or Table
            As for ``fastdiv.drift.compare``.
        values, categories : int or None
            The most that is kept of a column, see `Baseline`.
        columns : sequence of str, optional
            Only these. Default: all.
        categorical : sequence of str
            Columns to take as categories even where they look like numbers or dates.
        weights : str, optional
            See `Baseline`.
        memory, progress
            As for ``fastdiv.drift.compare``.

        Raises
        ------
        TableError
            If the table cannot be read or has not all `columns`. (It is a ValueError.)
        """
        baseline = cls(values=values, categories=categories, weights=weights)
        opened = baseline._weighted(as_table(table, label="baseline", categorical=categorical))
        some = opened if columns is None else with_columns(opened, columns)
        baseline.update(some, memory=memory, progress=progress)
        return baseline

    def update(
        self,
        chunk: Any,
        *,
        memory: int | str | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> None:
        """Add the rows of another table, which must have the same columns, in any order.

        Parameters
        ----------
        chunk : path, list of paths, mapping of names to arrays, data frame or Table
        memory, progress
            As for ``fastdiv.drift.compare``.

        Raises
        ------
        TableError
            If it cannot be read or its columns are others; the baseline stays what it was.
        """
        if isinstance(chunk, Baseline):
            raise TypeError("chunk must be a table, not a Baseline: merge takes those")
        table = self._weighted(as_table(chunk, label="chunk"))
        self._same_names(table.label, table.names)
        names = self.names or table.names
        # while parts come in, more categories than are kept: their counts are the better for it
        wide = self._limits.wider()
        columns: tuple[Held, ...] = ()
        for part in held_of(table, names, wide, memory, progress):
            columns = _added(columns, part, wide)
        if not self._columns:
            self.label = table.label
        self._columns = _added(self._columns, columns, self._limits)

    def merge(self, other: Baseline) -> Self:
        """The baseline of the rows of both, in a new one; neither changes.

        Parameters
        ----------
        other : Baseline
            Of the same columns and limits; or one of no rows yet.

        Raises
        ------
        ValueError
            If the columns or the limits differ.
        """
        if not isinstance(other, Baseline):
            raise TypeError(f"other must be a Baseline, not {type(other).__name__}: update takes tables")
        if self._limits != other._limits:
            a, b = (f"values={x.values}, categories={x.categories}" for x in (self._limits, other._limits))
            raise ValueError(f"other must be a Baseline with {a}, not with {b}")
        if self.weights != other.weights:
            a, b = (f"weights={x.weights or None!r}" for x in (self, other))
            raise TableError(f"{other.label}: other must be a Baseline with {a}, not with {b}")
        merged = self._of("", (), self._limits, self.weights)
        merged.label, merged._columns = self.label if self._columns else other.label, self._columns
        if other._columns:
            merged._same_names(other.label, other.names)
            by_name = {held.name: held for held in other._columns}
            columns = tuple(by_name[name] for name in merged.names or other.names)
            merged._columns = _added(merged._columns, columns, self._limits)
        return merged

    def _narrowed(self, other: Baseline) -> Self:
        """With the limits of another, in a new one."""
        columns = [held.fitted(other._limits) for held in self._columns]
        return self._of(self.label, columns, other._limits, self.weights)

    def _weighted(self, table: Table) -> Table:
        if not self.weights:
            if table.weights:
                raise TableError(f"{table.label}: is weighted by {table.weights!r}, and the baseline is not")
            return table
        return weighted(table, self.weights)

    def _same_names(self, label: str, names: Sequence[str]) -> None:
        if self.names:
            same_names(label, names, self.label, self.names)

    def score(
        self,
        batch: Any,
        *,
        columns: Sequence[str] | None = None,
        **options: Any,
    ) -> Report:
        """Compare a table with the baseline: ``fastdiv.drift.compare(self, batch, ...)``.

        Parameters
        ----------
        batch : path, mapping of names to arrays, data frame, Table or Baseline
        columns, **options
            As there: `exclude`, `bins`, `continuous`, `edges`, `pseudocount`, `thresholds`, `memory` and
            `progress`. Edges within cells move to where these begin, which the column's note says.

        Returns
        -------
        Report
            As there; `w1_bound` of a column is above 0 where its W1 is not exact.
        """
        return compare(self, batch, columns=columns, **options)

    # -- what it is ------------------------------------------------------------------------------------------

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(held.name for held in self._columns)

    @property
    def rows(self) -> int:
        return self._columns[0].rows if self._columns else 0

    @property
    def approximate(self) -> tuple[str, ...]:
        return tuple(held.name for held in self._columns if held.approximate)

    def __fastdiv_table__(self) -> Table:
        """What a comparison reads of it."""
        if not self._columns:
            raise TableError(f"{self.label}: the baseline has no rows yet")
        return profile_file.table_of(self.label, self._columns, self.weights)

    def __repr__(self) -> str:
        n = len(self._columns)
        return f"<Baseline of {self.rows:,} rows and {n} column{'' if n == 1 else 's'}>"

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Baseline):
            return NotImplemented
        a, b = (sorted(x._columns, key=lambda held: held.name) for x in (self, other))
        return profile_file.encoded("", a, self._limits, self.weights) == profile_file.encoded(
            "", b, other._limits, other.weights
        )

    __hash__ = None  # type: ignore[assignment]

    # -- files -----------------------------------------------------------------------------------------------

    def save(self, path: str | os.PathLike[str]) -> None:
        """Write it to a file, which is replaced as a whole or not at all.

        Parameters
        ----------
        path : str or path
            ``fastdiv compare`` knows such files by the suffix ``.fdp``.
        """
        with replacing(path) as file:
            file.write(self._encoded())

    @classmethod
    def load(cls, path: str | os.PathLike[str]) -> Self:
        """Read what `save` or ``fastdiv profile`` wrote: its checksum is checked, and nothing in it is run.

        Raises
        ------
        TableError
            If there is none, or it is cut off, damaged, of another version or no such file.
        """
        _, columns, limits, weights = profile_file.read(path)
        return cls._of(os.fspath(path), columns, limits, weights)

    def _encoded(self) -> bytes:
        return profile_file.encoded(self.label, self._columns, self._limits, self.weights)

    @classmethod
    def _of(cls, label: str, columns: Sequence[Held], limits: Limits, weights: str) -> Self:
        baseline = cls(values=limits.values, categories=limits.categories, weights=weights or None)
        baseline.label, baseline._columns = label, tuple(columns)
        return baseline

    def __reduce__(self) -> tuple[Any, ...]:
        return _unpickled, (type(self), self._encoded())


def _added(a: tuple[Held, ...], b: tuple[Held, ...], limits: Limits) -> tuple[Held, ...]:
    if not a:
        return tuple(held.fitted(limits) for held in b)
    return tuple(x.merged(y, limits) for x, y in zip(a, b, strict=True))


def _unpickled(kind: type[Baseline], data: bytes) -> Baseline:
    return kind._of(*profile_file.decoded(data, "pickle"))
