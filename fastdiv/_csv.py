"""CSV's side of tables.py: the standard library's parser, and types inferred a column at a time.

There is one route, with or without pyarrow installed: two parsers never agree on what is missing, a
number or a broken row, and whoever waits for a large CSV file is better served by Parquet.

The file is read in blocks of rows, so that memory holds one block of strings and, of each column, its
numbers or its distinct values. A column is all numbers, all true/false, all ISO 8601 dates, or text;
numbers or dates among text are a mistake to tell about, not a category.
"""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from fastdiv.tables import Column, Kind, Table, TableError

__all__ = ["open_csv"]

_BLOCK = 1 << 15
_T = TypeVar("_T")
_BOOLEANS = {cell: cell.lower() for cell in ("true", "True", "TRUE", "false", "False", "FALSE")}


def open_csv(
    path: Path, categorical: frozenset[str], missing: frozenset[str], delimiter: str | None
) -> Table:
    """The table in a CSV file: its header now, its columns when they are read."""
    with _open_text(path) as file:
        header = _guarded(path, lambda: file.readline())
        delimiter = delimiter or ("\t" if ".tsv" in path.suffixes else _sniff(header))
        file.seek(0)
        names = _guarded(path, lambda: next(csv.reader(file, delimiter=delimiter, strict=True), []))
    if not names:
        raise TableError(
            f"{path}: the file is empty" if not header else f"{path}: line 1 has no column names"
        )

    def read(wanted: Sequence[str]) -> Iterator[Column]:
        builders = [_Builder(name, names.index(name), missing, name in categorical) for name in wanted]
        rows = 0
        with _open_text(path) as file:
            reader = csv.reader(file, delimiter=delimiter, strict=True)
            next(reader)
            while block := _guarded(path, lambda: list(islice(reader, _BLOCK)), reader):
                if set(map(len, block)) != {len(names)}:
                    block = [row for row in block if row]  # blank lines
                    if set(map(len, block)) - {len(names)}:
                        raise TableError(_ragged(path, delimiter, len(names)))
                rows += len(block)
                for builder in builders:
                    builder.add(list(map(itemgetter(builder.index), block)))
        if not rows:
            raise TableError(f"{path}: the table has a header but no rows")
        for builder in builders:
            yield builder.finish(rows, lambda index, cell: _line_of(path, delimiter, index, cell))

    return Table(str(path), tuple(names), read)


class _Builder:
    """Gathers one column block by block: as numbers while they last, as counted strings from then on."""

    def __init__(self, name: str, index: int, missing: frozenset[str], categorical: bool) -> None:
        self.name = name
        self.index = index
        self.missing = missing
        self.counting = categorical
        self.categorical = categorical
        self.blank = 0
        self.numbers: list[np.ndarray] = []
        self.tally: Counter[str] = Counter()

    def add(self, cells: list[str]) -> None:
        if not self.counting:
            numbers = _numbers(cells)
            if numbers is None:
                present = [cell for cell in cells if cell not in self.missing]
                numbers = _numbers(present)
                if numbers is not None:
                    self.blank += len(cells) - len(present)
            if numbers is not None:
                self.numbers.append(numbers)
                return
            self.counting = True
        self.tally.update(cells)

    def finish(self, rows: int, line_of: Callable[[int, str], int]) -> Column:
        blank = self.blank + sum(self.tally.pop(cell, 0) for cell in self.missing)
        if not self.tally:
            numbers = np.concatenate(self.numbers) if self.numbers else np.empty(0)
            if numbers.dtype.kind == "f":
                numbers = numbers[~np.isnan(numbers)]
            kind: Kind = "numeric" if len(numbers) else "missing"
            return Column(self.name, kind, rows, rows - len(numbers), numbers)
        if self.categorical:
            return Column(self.name, "categorical", rows, blank, tally=dict(self.tally))
        if not any(map(len, self.numbers)):
            if all(cell in _BOOLEANS for cell in self.tally):
                tally: Counter[str] = Counter()
                for cell, count in self.tally.items():
                    tally[_BOOLEANS[cell]] += count
                return Column(self.name, "boolean", rows, blank, tally=dict(tally))
            dates = _dates(self.tally)
            if dates is not None:
                return Column(self.name, "datetime", rows, blank, dates)
        odd = self._odd()
        if odd is not None:
            classes, cell = odd
            reason = (
                f"mixes {classes} (line {line_of(self.index, cell)}: {cell!r}); "
                f"--categorical {self.name} compares it as text, --missing {cell} takes such cells as missing"
            )
            return Column(self.name, "mixed", rows, blank, reason=reason)
        return Column(self.name, "categorical", rows, blank, tally=dict(self.tally))

    def _odd(self) -> tuple[str, str] | None:
        """Which classes of value the column mixes and the first cell of the rarest; None if it does not."""
        count = Counter({"numbers": sum(map(len, self.numbers))})
        first: dict[str, str] = {}
        for cell, times in self.tally.items():
            kind = "numbers" if _NUMBER.fullmatch(cell) else "dates" if _is_date(cell) else "text"
            count[kind] += times
            first.setdefault(kind, cell)
        found = [kind for kind, times in count.most_common() if times]
        if len(found) == 1:
            return None
        rarest = next(kind for kind in reversed(found) if kind in first)
        return " and ".join(found), first[rarest]


_NUMBER = re.compile(r"\s*[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?\s*", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?", re.ASCII)


def _numbers(cells: list[str]) -> np.ndarray | None:
    """The cells as int64 if all are whole, else as float64; None if one is no number."""
    try:
        array = np.fromiter(map(int, cells), np.int64, len(cells))
    except (ValueError, OverflowError):
        try:
            array = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            return None
    # Python reads 1_000 and the digits of every script as numbers; no other CSV reader does
    text = "".join(cells)
    return array if text.isascii() and "_" not in text else None


def _dates(tally: Counter[str]) -> np.ndarray | None:
    """Microseconds since 1970, in UTC where the cells name an offset; None if one is no date."""
    if not all(map(_DATE.fullmatch, tally)):
        return None
    try:
        stamps = [datetime.fromisoformat(cell) for cell in tally]
        epoch = datetime(1970, 1, 1, tzinfo=stamps[0].tzinfo and UTC)
        micros = np.array([stamp - epoch for stamp in stamps], "m8[us]").view(np.int64)
    except (ValueError, TypeError):  # a 30th of February; offsets in some cells only
        return None
    return np.repeat(micros, list(tally.values()))


def _is_date(cell: str) -> bool:
    return _DATE.fullmatch(cell) is not None and _dates(Counter([cell])) is not None


# -- the file ------------------------------------------------------------------------------------------------


def _open_text(path: Path) -> io.TextIOWrapper:
    raw: Any = gzip.open(path) if path.suffix.lower() == ".gz" else open(path, "rb")  # noqa: SIM115
    return io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")


def _sniff(header: str) -> str:
    """The most frequent delimiter outside quotes; a comma if there is none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t|", key=bare.count)


def _guarded(path: Path, call: Callable[[], _T], reader: Any = None) -> _T:
    """What `call` returns, its complaints about the file put into one line."""
    try:
        return call()
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise TableError(f"{path}: is not UTF-8 text (byte 0x{byte:02x}); convert it first") from None
    except csv.Error as error:
        where = f"line {reader.line_num}" if reader else "line 1"
        why = "a quote is not closed" if "unexpected end" in str(error) else error
        raise TableError(f"{path}: {where}: {why}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TableError(f"{path}: is no intact gzip file: {error}") from None


def _ragged(path: Path, delimiter: str, width: int) -> str:
    with _open_text(path) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        row = next(row for row in reader if row and len(row) != width)
        return f"{path}: line {reader.line_num} has {len(row)} fields, the header has {width}"


def _line_of(path: Path, delimiter: str, index: int, cell: str) -> int:
    with _open_text(path) as file:
        reader = csv.reader(file, delimiter=delimiter, strict=True)
        next(reader)
        next(row for row in reader if row and row[index] == cell)
        return reader.line_num
