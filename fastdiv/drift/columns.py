"""What every table becomes: column names first, then each column's values with the missing ones counted out.

A :class:`Table` knows its column names before any data is decoded, so that a comparison reads only what
both sides share. A :class:`Column` is what the comparison needs and no more: the present values of a
numeric column, the distinct values of any other with how often each occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    from fastdiv.drift.cells import Cells
    from fastdiv.drift.samples import Sample

__all__ = [
    "Again",
    "KINDS",
    "Mass",
    "ROUNDED",
    "TOO_FAR",
    "Column",
    "Kind",
    "NoRows",
    "Rows",
    "Table",
    "TableError",
    "Unread",
    "ZONED",
    "common_dtype",
    "names_of",
    "joined",
    "no_column",
    "one_line",
    "rounding",
    "same_names",
    "seconds_of",
    "with_columns",
]

Kind = Literal["numeric", "datetime", "categorical", "boolean", "missing", "unsupported", "mixed"]
KINDS: tuple[Kind, ...] = get_args(Kind)

# The type of datetimes that are moments: without a zone they may be of any clock, so the two do not compare.
ZONED = "datetime in a time zone"

# The note of a column whose whole numbers no 64-bit integer type holds, or that stands against floats.
ROUNDED = "whole numbers beyond 2^53 are rounded to float64"

# Why a column of dates or durations cannot be compared: int64 microseconds end in the year 294247.
TOO_FAR = "its times lie beyond 292,000 years, which microseconds in 64 bits cannot represent"

_EMPTY = np.empty(0)


class TableError(ValueError):
    """A table that cannot be read as one; the message is one line and names the file."""


class Again(Exception):
    """A column is not what it looked like so far: blocks have to be read again, and are right then."""


class NoRows(TableError):
    """A table has columns and no rows."""


@dataclass(frozen=True)
class Mass:
    r"""What the weights of a column's rows add up to, and their squares.

    Kish's effective number of values, :math:`(\sum w)^2 / \sum w^2`, is how many unweighted ones would tell
    a mean as well, where weights and values are independent (Kish 1965, Survey Sampling, 11.7).
    """

    present: float
    missing: float
    squares: float
    squares_missing: float

    def __add__(self, other: Mass) -> Mass:
        return Mass(
            self.present + other.present,
            self.missing + other.missing,
            self.squares + other.squares,
            self.squares_missing + other.squares_missing,
        )

    @property
    def effective(self) -> float:
        """Of the values that are present."""
        return self.present**2 / self.squares if self.squares else 0.0

    @property
    def effective_rows(self) -> float:
        return (self.present + self.missing) ** 2 / (self.squares + self.squares_missing)


@dataclass(frozen=True)
class Column:
    """One column, its missing values counted out.

    Attributes
    ----------
    name : str
    kind : str
        ``numeric``, ``datetime``, ``categorical`` or ``boolean``; ``missing`` where nothing is present;
        ``mixed`` and ``unsupported`` columns cannot be compared and say why in `reason`.
    rows, missing : int
        How many rows there are, and in how many of them the value is missing.
    numbers : ndarray
        The present values of a numeric column. Of a datetime column: microseconds since 1970, int64.
    tally : mapping of str to int
        The distinct values of a categorical or boolean column, and how often each occurs.
    reason : str
    note : str
        What the values lost on the way, if anything.
    sample : Sample, optional
        The numbers in order, where that is known already.
    cells : Cells, optional
        What is known of the numbers, where they are not kept; `numbers` is empty then.
    others, most, slack : int
        How many values the tally does not count; how often a category that is not in it occurs at most; and
        the most by which the count of one that is in it may be too low.
    mass : Mass, optional
        Of the rows of a weighted table, which has none of weight 0. The tally, and what is said of it, are
        sums of weights then.
    counts, weights : ndarray, optional
        How many rows have each of the numbers, which are distinct and ascend then; of a weighted table also
        the sum of their weights.
    zoned : bool
        The times of a datetime column name a zone, and are in UTC.
    """

    name: str
    kind: Kind
    rows: int
    missing: int
    numbers: np.ndarray = field(default_factory=lambda: _EMPTY, repr=False)
    tally: Mapping[str, float] = field(default_factory=dict, repr=False)
    reason: str = ""
    note: str = ""
    sample: Sample | None = field(default=None, repr=False)
    cells: Cells | None = field(default=None, repr=False)
    others: float = 0
    most: float = 0
    slack: float = 0
    mass: Mass | None = None
    counts: np.ndarray | None = field(default=None, repr=False)
    weights: np.ndarray | None = field(default=None, repr=False)
    zoned: bool = False

    @property
    def type(self) -> str:
        """Its kind, more narrowly: what must be the same for values to be compared."""
        return ZONED if self.zoned else self.kind

    @property
    def present(self) -> int:
        return self.rows - self.missing

    @property
    def missing_share(self) -> float:
        if self.mass is None:
            return self.missing / self.rows
        return self.mass.missing / (self.mass.present + self.mass.missing)

    @property
    def unit(self) -> float:
        """The mean weight, by which weights are divided: then they add up to the number of values."""
        return 1.0 if self.mass is None else self.mass.present / self.present

    @property
    def effective(self) -> int:
        """How many values there are, of weighted ones as Kish counts them."""
        return self.present if self.mass is None else max(1, round(self.mass.effective))

    @property
    def distinct(self) -> int:
        """How many categories occur at least: of those that are not kept none has more than `most` values."""
        return len(self.tally) + (int(self.others // self.most) if self.others else 0)


@dataclass(frozen=True)
class Rows:
    """Rows of a column, one by one.

    Attributes
    ----------
    values : array of NumPy or Arrow
        Has `take`, and slices.
    column : callable
        Some of the values to a Column of them.
    factorised : callable
        Some of the values to the place of each among the distinct ones, -1 where it is missing, and these. A
        TypeError says that they cannot be told apart.
    texts : callable
        Distinct values to what a tally calls them.
    present : callable
        Some of the values to a mask of those that are not missing.
    """

    values: Any
    column: Callable[[Any], Column]
    factorised: Callable[[Any], tuple[np.ndarray, Any]]
    texts: Callable[[Any], list[str]]
    present: Callable[[Any], np.ndarray]


Blocks = Callable[[Sequence[str], int], Iterator[Sequence[Column]]]


@dataclass(frozen=True)
class Table:
    """Column names, and a function that reads the named columns one after another.

    Attributes
    ----------
    label : str
    names : tuple of str
    read : callable
        Names to their columns, one after another.
    pieces : callable, optional
        A name, and about how many rows at most, to the column in pieces of so many; any thread may call it.
    parts : tuple of Table
        The tables that this one is made of, if it is of several.
    rows : int, optional
        How many there are, where that is known before they are read.
    by_rows : callable, optional
        A name, and about how many rows at most, to the column row by row, in pieces that are the same rows of
        every column; any thread may call it.
    weights : str
        The column whose numbers are the weights of the rows, and which is none of `names`.
    blocks : callable, optional
        Names, and about how many rows at most, to these columns in blocks of so many rows: of a file whose
        rows lie one after another, which is read once for all of them.
    about : int
        How many rows there are, roughly, where they come in blocks and `rows` does not say.
    """

    label: str
    names: tuple[str, ...]
    read: Callable[[Sequence[str]], Iterator[Column]] = field(repr=False)
    pieces: Callable[[str, int], Iterator[Column]] | None = field(default=None, repr=False)
    parts: tuple[Table, ...] = field(default=(), repr=False)
    rows: int | None = None
    by_rows: Callable[[str, int], Iterator[Rows]] | None = field(default=None, repr=False)
    weights: str = ""
    blocks: Blocks | None = field(default=None, repr=False)
    about: int = 0


@dataclass(frozen=True)
class Unread:
    """A column that the thread reads that counts it."""

    name: str
    rows: int
    read: Callable[[], Any] = field(repr=False)


def joined(pieces: Iterable[Column]) -> Column:
    """One column of the rows of all pieces, which are numbers or dates or nothing."""
    pieces = list(pieces)
    if len(pieces) == 1:
        return pieces[0]
    filled = [piece for piece in pieces if piece.kind != "missing"]
    filled.sort(key=lambda piece: not piece.reason)
    whole = replace(
        (filled or pieces)[0], rows=sum(p.rows for p in pieces), missing=sum(p.missing for p in pieces)
    )
    if len(filled) < 2 or whole.reason:
        return whole
    arrays = [piece.numbers for piece in filled]
    dtype = common_dtype(arrays)
    notes = dict.fromkeys([*(piece.note for piece in filled), rounding(arrays, dtype)])
    numbers = np.concatenate(arrays, dtype=dtype, casting="unsafe")
    return replace(whole, numbers=numbers, note="; ".join(filter(None, notes)))


def common_dtype(arrays: Sequence[np.ndarray]) -> np.dtype[Any]:
    """NumPy's for all of them, whatever their order: where floats stand beside integers it is float64, for
    NumPy's follows how parts were joined before; int64 and uint64 stay integers if one holds every value.
    """
    kinds = {a.dtype.kind for a in arrays}
    if "f" in kinds and kinds & {"i", "u"}:
        return np.dtype(np.float64)
    dtype = np.result_type(*arrays)
    filled = [a for a in arrays if len(a)]
    if dtype.kind == "f" and filled and all(a.dtype.kind in "iu" for a in arrays):
        low, high = min(int(a.min()) for a in filled), max(int(a.max()) for a in filled)
        for whole in (np.int64, np.uint64):
            if np.iinfo(whole).min <= low and high <= np.iinfo(whole).max:
                return np.dtype(whole)
    return dtype


def rounding(arrays: Sequence[np.ndarray], dtype: np.dtype[Any]) -> str:
    """A note if whole numbers had to become floats that cannot tell them apart."""
    for side in arrays:
        whole = dtype.kind == "f" and side.dtype.kind in "iu" and len(side)
        if whole and max(-int(side.min()), int(side.max())) > 2**53:
            return ROUNDED
    return ""


# A year short of the ends, where NumPy's way back from microseconds wraps as well.
_LAST = 2**63 - 366 * 86_400 * 10**6


def micros_of(times: np.ndarray) -> np.ndarray | None:
    """Datetimes or durations in microseconds; None if one does not fit, where NumPy would wrap round."""
    kind, (unit, _) = times.dtype.kind, np.datetime_data(times.dtype)
    if unit in ("Y", "M", "W", "D", "h", "m", "s", "ms"):
        low, high = np.array([-_LAST, _LAST]).view(f"{kind}8[us]").astype(times.dtype)
        if not np.all((low < times) & (times < high)):
            return None
    if unit not in _PARTS:
        return times.astype(f"{kind}8[us]").view(np.int64)
    # rounded down before 1970 as well, which neither NumPy nor Arrow does for all
    parts = times.astype(f"{kind}8[{unit}]").view(np.int64)
    return np.floor_divide(parts, _PARTS[unit])


_PARTS = {"ns": 10**3, "ps": 10**6, "fs": 10**9, "as": 10**12}


def seconds_of(durations: np.ndarray) -> np.ndarray | None:
    """Durations in seconds, each of nanoseconds the nearest double; None if one does not fit."""
    micros, (unit, _) = micros_of(durations), np.datetime_data(durations.dtype)
    if micros is None or unit not in _PARTS:
        return None if micros is None else micros / 1e6
    nanos = durations.astype("m8[ns]").view(np.int64)
    # what is whole in microseconds is the same double as in these, also beyond 2^53 nanoseconds
    return np.where(nanos == 1000 * micros, micros / 1e6, nanos / 1e9)


def names_of(columns: Sequence[str], argument: str = "columns") -> tuple[str, ...]:
    """The names in an argument, each once."""
    if isinstance(columns, (str, bytes)):
        raise TypeError(f"{argument} must be a sequence of names, not {columns!r}: pass [{columns!r}]")
    if not isinstance(columns, Iterable):
        raise TypeError(f"{argument} must be a sequence of names, not {columns!r}")
    names = tuple(columns)
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"{argument} must hold names, not {name!r}")
    return tuple(dict.fromkeys(names))


def with_columns(table: Table, columns: Sequence[str]) -> Table:
    """The table with only these of its columns."""
    names = names_of(columns)
    for name in names:
        if name not in table.names:
            raise TableError(f"{table.label}: {no_column(name, table.names)}")
    return replace(table, names=names)


def no_column(name: str, names: Sequence[str]) -> TableError:
    from difflib import get_close_matches

    near = get_close_matches(name, names, 1)
    return TableError(f"no column {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def same_names(label: str, names: Sequence[str], other: str, others: Sequence[str]) -> None:
    """The columns of two tables are the same, in any order."""
    here, there = set(names), set(others)
    for name in others:
        if name not in here:
            raise TableError(f"{label}: has no column {name!r}, which {other} has")
    for name in names:
        if name not in there:
            raise TableError(f"{label}: has a column {name!r}, which {other} has not")


def one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]
