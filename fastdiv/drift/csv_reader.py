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
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain, islice
from pathlib import Path
from shlex import quote
from threading import Lock
from typing import Any

import numpy as np

from fastdiv.drift.columns import (
    ROUNDED,
    Column,
    Kind,
    NoRows,
    Rows,
    Table,
    TableError,
    common_dtype,
    rounding,
)
from fastdiv.drift.numerals import Numerals
from fastdiv.drift.objects import factorised, object_array, present

__all__ = ["open_csv"]

# One block: large enough that the work is in C, small enough for the cache and for memory.
_ROWS = 1 << 14
_CHARACTERS = 1 << 20

# Bytes of a line, characters of a cell, at most: a file of zeros, deflated to a thousandth, has one line.
LONGEST = 1 << 28

_BOOLEANS = {cell: cell.lower() for cell in ("true", "True", "TRUE", "false", "False", "FALSE")}


def open_csv(
    path: Path,
    categorical: frozenset[str],
    missing: frozenset[str],
    delimiter: str | None,
    numerals: Numerals,
) -> Table:
    """The table in a CSV file: its header now, its columns when they are read."""
    with _told(path), _open_text(path) as file:
        header = file.readline()
        sep = delimiter or ("\t" if ".tsv" in path.suffixes else _sniff(header, numerals.decimal))
        file.seek(0)
        names: list[str] = next(_parser(file, sep), [])
    if not header:
        raise TableError(f"{path}: the file is empty")
    if not names:
        raise TableError(f"{path}: line 1 has no column names")
    with _told(path, sep, len(names)), _open_text(path) as file:
        rest = _parser(file, sep)
        next(rest)
        if not any(rest):
            raise NoRows(f"{path}: the table has a header but no rows")

    def builder(name: str, text: bool) -> _Builder:
        return _Builder(name, names.index(name), missing, text, numerals)

    def read(wanted: Sequence[str]) -> Iterator[Column]:
        builders = [builder(name, name in categorical) for name in wanted]
        rows = 0
        for count, cells_of in _blocks(path, sep, len(names)):
            rows += count
            for each in builders:
                each.add(cells_of(each.index))
        if not rows:
            raise TableError(f"{path}: the table has a header but no rows")
        for each in builders:
            yield each.finish(rows, lambda index, cell: _line_of(path, sep, index, cell))

    cells: dict[str, np.ndarray] = {}
    lock = Lock()

    def load() -> None:
        if not cells:  # of all columns, for the file is read once
            found: list[list[str]] = [[] for _ in names]
            for _, cells_of in _blocks(path, sep, len(names)):
                for index, held in enumerate(found):
                    held += cells_of(index)
            if not found[0]:
                raise TableError(f"{path}: the table has a header but no rows")
            cells.update((other, object_array(held)) for other, held in zip(names, found, strict=True))

    def by_rows(name: str, most: int) -> Iterator[Rows]:
        with lock:
            load()

        def made(some: Any, text: bool) -> Column:
            one = builder(name, text)
            one.add(some.tolist())
            return one.finish(len(some), lambda index, cell: _line_of(path, sep, index, cell))

        # a word that happens to be a number, in some rows, is still a word
        whole = made(cells[name], name in categorical)

        def column(some: Any) -> Column:
            if whole.reason:
                return replace(whole, rows=len(some), missing=0)
            return made(some, whole.kind == "categorical")

        # what Python reads as a number and is none
        nans = {cell for cell in cells[name].tolist() if _NAN.fullmatch(cell)} if whole.numbers.size else ()
        gone = missing.union(nans)
        coded, there = (lambda some: factorised(some, gone)), (lambda some: present(some, gone))
        for first in range(0, len(cells[name]), most):
            yield Rows(cells[name][first : first + most], column, coded, partial(_texts, whole.kind), there)

    return Table(str(path), tuple(names), read, by_rows=by_rows)


_NAN = re.compile(r"\s*[+-]?nan\s*", re.IGNORECASE)


def _texts(kind: Kind, cells: np.ndarray) -> list[str]:
    return [_BOOLEANS[cell] if kind == "boolean" else cell for cell in cells.tolist()]


class _Builder:
    """Gathers one column block by block: as numbers while they last, as counted strings from then on."""

    def __init__(
        self, name: str, index: int, missing: frozenset[str], categorical: bool, numerals: Numerals
    ) -> None:
        self.name = name
        self.index = index
        self.missing = missing
        self.counting = categorical
        # a number that means missing would pass as a number
        self.sift = any(map(numerals.pattern.fullmatch, missing))
        self.numerals = numerals
        self.categorical = categorical
        self.blank = 0
        self.numbers: list[np.ndarray] = []
        self.rounded = False
        self.tally: Counter[str] = Counter()

    def add(self, cells: Sequence[str]) -> None:
        if not self.counting:
            numbers = None if self.sift else self.numerals.read(cells)
            if numbers is None:
                present = [cell for cell in cells if cell not in self.missing]
                numbers = self.numerals.read(present)
                if numbers is not None:
                    self.blank += len(cells) - len(present)
            if numbers is not None:
                array, rounded = numbers
                self.numbers.append(array)
                self.rounded |= rounded
                return
            self.counting = True
        self.tally.update(cells)

    def finish(self, rows: int, line_of: Callable[[int, str], int]) -> Column:
        blank = self.blank + sum(self.tally.pop(cell, 0) for cell in self.missing)
        if not self.tally:
            numbers = np.empty(0)
            if self.numbers:
                dtype = common_dtype(self.numbers)
                numbers = np.concatenate(self.numbers, dtype=dtype, casting="unsafe")
                self.rounded |= bool(rounding(self.numbers, dtype))
            if numbers.dtype.kind == "f":
                numbers = numbers[~np.isnan(numbers)]
            kind: Kind = "numeric" if len(numbers) else "missing"
            note = ROUNDED if self.rounded else ""
            return Column(self.name, kind, rows, rows - len(numbers), numbers, note=note)
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
                micros, zoned = dates
                return Column(self.name, "datetime", rows, blank, micros, zoned=zoned)
        odd = self._odd()
        if odd is not None:
            classes, cell = odd
            reason = (
                f"mixes {classes} (line {line_of(self.index, cell)}: {cell!r}); "
                f"--categorical {quote(self.name)} compares it as text, "
                f"--missing {quote(cell)} takes such cells as missing"
            )
            return Column(self.name, "mixed", rows, blank, reason=reason)
        commas = self.numerals.usual and all(map(_WITH_COMMA, self.tally))
        note = _COMMAS if commas else ""
        return Column(self.name, "categorical", rows, blank, tally=dict(self.tally), note=note)

    def _odd(self) -> tuple[str, str] | None:
        """Which classes of value the column mixes and the first cell of the rarest; None if it does not."""
        count = Counter({"numbers": sum(map(len, self.numbers))})
        first: dict[str, str] = {}
        is_number, looks_dated = self.numerals.pattern.fullmatch, _DATE.fullmatch
        for cell, times in self.tally.items():
            if is_number(cell):
                kind = "numbers"
            elif looks_dated(cell) and (dates := _dates(Counter([cell]))) is not None:
                kind = "dates with a time zone" if dates[1] else "dates"
            else:
                kind = "text"
            count[kind] += times
            first.setdefault(kind, cell)
        found = [kind for kind, times in count.most_common() if times]
        if len(found) == 1:
            return None
        rarest = next(kind for kind in reversed(found) if kind in first)
        return " and ".join(found), first[rarest]


_WITH_COMMA = re.compile(r"\s*[+-]?\d+(,\d+)+(\.\d*)?\s*", re.ASCII).fullmatch
_COMMAS = "its values look like numbers with commas, which --decimal , or --thousands , reads as such"

_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d.*)?", re.ASCII)
_PLAIN_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?", re.ASCII)


def _dates(tally: Counter[str]) -> tuple[np.ndarray, bool] | None:
    """Microseconds since 1970, in UTC where cells name an offset, and if they do; None if one is no date."""
    if not all(map(_DATE.fullmatch, tally)):
        return None
    zoned = False
    try:
        if all(map(_PLAIN_DATE.fullmatch, tally)):  # NumPy reads these, and ten times as fast
            micros = np.array(list(tally), "M8[us]").view(np.int64)
        else:
            stamps = [datetime.fromisoformat(cell) for cell in tally]
            zoned = stamps[0].tzinfo is not None
            epoch = datetime(1970, 1, 1, tzinfo=UTC if zoned else None)
            micros = np.array([stamp - epoch for stamp in stamps], "m8[us]").view(np.int64)
    except (ValueError, TypeError):  # a 30th of February; offsets in some cells only
        return None
    return np.repeat(micros, list(tally.values())), zoned


# -- the file ------------------------------------------------------------------------------------------------


class _Lines(io.RawIOBase):
    """The bytes of a file none of whose lines is longer than LONGEST."""

    raw: Any = None  # until it is open: Python closes what Ctrl-C or an error left half made

    def __init__(self, path: Path) -> None:
        self.path = path
        self.raw = gzip.open(path) if path.suffix.lower() == ".gz" else open(path, "rb", 0)  # noqa: SIM115
        self.line = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, place: int, whence: int = 0) -> int:
        self.line = 0
        return int(self.raw.seek(place, whence))

    def tell(self) -> int:
        return int(self.raw.tell())

    def readinto(self, room: Any) -> int:
        size = int(self.raw.readinto(room))
        last = room[:size].tobytes().rfind(b"\n")
        self.line = size - last - 1 if last >= 0 else self.line + size
        if self.line > LONGEST:
            raise TableError(f"{self.path}: a line is longer than {LONGEST} bytes")
        return size

    def close(self) -> None:
        if self.raw is not None:
            self.raw.close()
        super().close()


def _open_text(path: Path) -> io.TextIOWrapper:
    buffered = io.BufferedReader(_Lines(path), 1 << 17)
    return io.TextIOWrapper(buffered, encoding="utf-8-sig", newline="")


def _parser(lines: Iterable[str], delimiter: str) -> Any:
    # for the whole process, for there is no other way: a cell may be longer than 131072 characters
    csv.field_size_limit(LONGEST)
    return csv.reader(lines, delimiter=delimiter, strict=True)


def _sniff(header: str, decimal: str) -> str:
    """The most frequent delimiter outside quotes; the first that is no decimal mark, if there is none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t|".replace(decimal, ""), key=bare.count)


_Cells = Callable[[int], Sequence[str]]


def _blocks(path: Path, delimiter: str, width: int) -> Iterator[tuple[int, _Cells]]:
    """The rows below the header, some at a time: how many, and a function giving the cells of column j."""
    with _told(path, delimiter, width), _open_text(path) as file:
        rows = _parser(file, delimiter)
        if next(rows, None) is None:
            raise TableError(f"{path}: changed while it was read")
        if rows.line_num == 1:
            file.seek(0)
            file.readline()
            rest = yield from _plain_blocks(file, delimiter, width)
            rows = _parser(chain(io.StringIO(rest, newline=""), file), delimiter)
        while block := list(islice(rows, _ROWS)):
            block = [row for row in block if row]  # the csv module makes [] of a blank line
            if any(len(row) != width for row in block):
                raise csv.Error("ragged")
            yield len(block), partial(_picked, block)


def _plain_blocks(
    file: io.TextIOWrapper, delimiter: str, width: int
) -> Generator[tuple[int, _Cells], None, str]:
    """Blocks while the text has no quotes; returns what it had read when something else came.

    Cells are then what lies between delimiters, and splitting is three times as fast as the csv module.
    """
    while True:
        text = file.read(_CHARACTERS) + file.readline()
        body = text.replace("\r\n", "\n").removesuffix("\n")
        lines = body.split("\n")
        unusual = '"' in body or "\r" in body or "" in lines
        if unusual or {line.count(delimiter) for line in lines} != {width - 1}:
            return text
        yield len(lines), partial(_strided, body.replace("\n", delimiter).split(delimiter), width)


def _strided(cells: list[str], width: int, j: int) -> list[str]:
    return cells[j::width]


def _picked(block: list[list[str]], j: int) -> list[str]:
    return [row[j] for row in block]


@contextmanager
def _told(path: Path, delimiter: str = ",", width: int = 0) -> Iterator[None]:
    """Puts what can be wrong with the file into one line."""
    try:
        yield
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise TableError(f"{path}: is not UTF-8 text (byte 0x{byte:02x}); convert it first") from None
    except csv.Error:
        raise TableError(f"{path}: {_first_fault(path, delimiter, width)}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise TableError(f"{path}: is no intact gzip file: {error}") from None


def _first_fault(path: Path, delimiter: str, width: int) -> str:
    """Where the file first breaks the rules: found by reading it once more, line by line."""
    with _open_text(path) as file:
        rows = _parser(file, delimiter)
        start = 1
        try:
            for row in rows:
                if row and width and len(row) != width:
                    return f"line {rows.line_num} has {len(row)} fields, the header has {width}"
                start = rows.line_num + 1
        except csv.Error as error:
            unclosed = "unexpected end" in str(error)
            return f"line {start}: {'a quote is opened and not closed' if unclosed else error}"
    return "the file changed while it was read"


def _line_of(path: Path, delimiter: str, index: int, cell: str) -> int:
    with _open_text(path) as file:
        rows = _parser(file, delimiter)
        next(rows)
        next((row for row in rows if row and row[index] == cell), None)
        line: int = rows.line_num
        return line
