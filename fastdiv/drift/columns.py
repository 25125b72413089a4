"""What every table becomes: column names first, then each column's values with the missing ones counted out.

A :class:`Table` knows its column names before any data is decoded, so that a comparison reads only what
both sides share. A :class:`Column` is what the comparison needs and no more: the present values of a
numeric column, the distinct values of any other with how often each occurs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

__all__ = [
    "ROUNDED",
    "TOO_FAR",
    "Column",
    "Kind",
    "Table",
    "TableError",
    "common_dtype",
    "no_column",
    "one_line",
]

Kind = Literal["numeric", "datetime", "categorical", "boolean", "missing", "unsupported", "mixed"]

# The note of a column whose whole numbers no 64-bit integer type holds, or that stands against floats.
ROUNDED = "whole numbers beyond 2^53 are rounded to float64"

# Why a column of dates or durations cannot be compared: int64 microseconds end in the year 294247.
TOO_FAR = "its times lie beyond 292,000 years, which microseconds in 64 bits cannot represent"

_EMPTY = np.empty(0)


class TableError(ValueError):
    """A table that cannot be read as one; the message is one line and names the file."""


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
    """

    name: str
    kind: Kind
    rows: int
    missing: int
    numbers: np.ndarray = field(default_factory=lambda: _EMPTY, repr=False)
    tally: Mapping[str, int] = field(default_factory=dict, repr=False)
    reason: str = ""
    note: str = ""

    @property
    def present(self) -> int:
        return self.rows - self.missing


@dataclass(frozen=True)
class Table:
    """Column names, and a function that reads the named columns one after another."""

    label: str
    names: tuple[str, ...]
    read: Callable[[Sequence[str]], Iterator[Column]] = field(repr=False)


def common_dtype(arrays: Sequence[np.ndarray]) -> np.dtype[Any]:
    """NumPy's for all of them; but int64 and uint64 stay integers if one of the two holds every value."""
    dtype = np.result_type(*arrays)
    filled = [a for a in arrays if len(a)]
    if dtype.kind == "f" and filled and all(a.dtype.kind in "iu" for a in arrays):
        low, high = min(int(a.min()) for a in filled), max(int(a.max()) for a in filled)
        for whole in (np.int64, np.uint64):
            if np.iinfo(whole).min <= low and high <= np.iinfo(whole).max:
                return np.dtype(whole)
    return dtype


# A year short of the ends, where NumPy's way back from microseconds wraps as well.
_LAST = 2**63 - 366 * 86_400 * 10**6


def micros_of(times: np.ndarray) -> np.ndarray | None:
    """Datetimes or durations in microseconds; None if one does not fit, where NumPy would wrap round."""
    kind, (unit, _) = times.dtype.kind, np.datetime_data(times.dtype)
    if unit in ("Y", "M", "W", "D", "h", "m", "s", "ms"):
        low, high = np.array([-_LAST, _LAST]).view(f"{kind}8[us]").astype(times.dtype)
        if not np.all((low < times) & (times < high)):
            return None
    return times.astype(f"{kind}8[us]").view(np.int64)


def no_column(name: str, names: Sequence[str]) -> TableError:
    from difflib import get_close_matches

    near = get_close_matches(name, names, 1)
    return TableError(f"no column {name!r}" + (f"; did you mean {near[0]!r}?" if near else ""))


def one_line(text: object) -> str:
    return " ".join(str(text).split())[:200]
