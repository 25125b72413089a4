"""CSV's side of tables.py: the standard library's parser, and types inferred a column at a time.

There is one route, with or without pyarrow installed: two parsers never agree on what is missing, a
number or a broken row, and whoever waits for a large CSV file is better served by Parquet.

The file is read in blocks of rows, so that memory holds one block of strings and, of each column, its
numbers or its distinct values. A column is all numbers, all true/false, all ISO 8601 dates, or text;
numbers or dates among text are a mistake to tell about, not a category.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from fastdiv.drift import csv_file
from fastdiv.drift.columns import (
    ROUNDED,
    ZONED,
    Again,
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
from fastdiv.drift.wording import spelled

__all__ = ["open_csv"]

# The line of the first row with this cell in this column.
_LineOf = Callable[[int, str], int]

_BOOLEANS = {cell: cell.lower() for cell in ("true", "True", "TRUE", "false", "False", "FALSE")}


def open_csv(
    path: Path,
    categorical: frozenset[str],
    missing: frozenset[str],
    delimiter: str | None,
    numerals: Numerals,
) -> Table:
    """The table in a CSV file: its header now, its columns when they are read."""
    with csv_file.told(path), csv_file.open_text(path) as file:
        header = file.readline()
        sep = delimiter or ("\t" if ".tsv" in path.suffixes else csv_file.sniff(header, numerals.decimal))
        file.seek(0)
        names: list[str] = next(csv_file.parser(file, sep), [])
    if not header:
        raise TableError(f"{path}: the file is empty")
    if not names:
        raise TableError(f"{path}: line 1 has no column names")
    with csv_file.told(path, sep, len(names)), csv_file.open_text(path) as file:
        rest = csv_file.parser(file, sep)
        next(rest)
        no_rows = NoRows(f"{path}: the table has a header but no rows")
        if not any(rest):
            raise no_rows
        about = csv_file.about(path, file, rest.line_num)
    words: set[str] = set()  # columns of which true and false are words among others

    def builder(name: str, text: bool) -> _Builder:
        return _Builder(name, names.index(name), missing, text, numerals, name not in words)

    def line_of(index: int, cell: str) -> int:
        return csv_file.line_of(path, sep, index, cell)

    def read(wanted: Sequence[str]) -> Iterator[Column]:
        builders = [builder(name, name in categorical) for name in wanted]
        rows = 0
        for count, cells_of in csv_file.blocks(path, sep, len(names)):
            rows += count
            for each in builders:
                each.add(cells_of(each.index))
        if not rows:
            raise no_rows
        for each in builders:
            yield each.finish(rows, line_of)

    def in_blocks(wanted: Sequence[str], most: int) -> Iterator[Sequence[Column]]:
        before: dict[str, Column] = {}  # that are not missing
        empty = True
        for rows, some in csv_file.together(csv_file.blocks(path, sep, len(names)), most):
            builders = [builder(name, name in categorical) for name in wanted]
            while some:  # what has been taken is let go
                cells_of = some.pop(0)
                for each in builders:
                    added = cells_of(each.index)
                    each.first = each.first or next((cell for cell in added if cell not in missing), "")
                    each.add(added)
            del cells_of, added
            pieces = [_agreed(before.get(each.name), each, rows, line_of, words) for each in builders]
            before |= {piece.name: _typed(piece) for piece in pieces if piece.kind != "missing"}
            yield pieces
            empty = False
        if empty:
            raise no_rows

    cells: dict[str, np.ndarray] = {}
    lock = Lock()

    def load() -> None:
        if not cells:  # of all columns, for the file is read once
            found: list[list[str]] = [[] for _ in names]
            for _, cells_of in csv_file.blocks(path, sep, len(names)):
                for index, held in enumerate(found):
                    held += cells_of(index)
            if not found[0]:
                raise no_rows
            cells.update((other, object_array(held)) for other, held in zip(names, found, strict=True))

    def by_rows(name: str, most: int) -> Iterator[Rows]:
        with lock:
            load()

        def made(some: Any, text: bool) -> Column:
            one = builder(name, text)
            one.add(some.tolist())
            return one.finish(len(some), line_of)

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

    return Table(str(path), tuple(names), read, by_rows=by_rows, blocks=in_blocks, about=about)


def _agreed(known: Column | None, each: _Builder, rows: int, line_of: _LineOf, words: set[str]) -> Column:
    """A piece of a column, after those of a type that is known."""
    if known is not None and known.reason:
        return replace(known, rows=rows, missing=0)
    piece = each.finish(rows, line_of)
    if known is None or piece.kind == "missing" or piece.reason or piece.type == known.type:
        return piece
    if {piece.kind, known.kind} == {"boolean", "categorical"}:
        words.add(piece.name)
        raise Again
    return each.mixed(rows, f"{_CLASSES[known.type]} and {_CLASSES[piece.type]}", line_of)


def _typed(piece: Column) -> Column:
    """A column without its values."""
    return replace(piece, numbers=piece.numbers[:0], tally={})


# What a kind is called among others.
_CLASSES = {"numeric": "numbers", "datetime": "dates", ZONED: "dates with a time zone"}
_CLASSES |= dict.fromkeys(("boolean", "categorical"), "text")

_NAN = re.compile(r"\s*[+-]?nan\s*", re.IGNORECASE)


def _texts(kind: Kind, cells: np.ndarray) -> list[str]:
    return [_BOOLEANS[cell] if kind == "boolean" else cell for cell in cells.tolist()]


class _Builder:
    """Gathers one column block by block: as numbers while they last, as counted strings from then on."""

    def __init__(
        self,
        name: str,
        index: int,
        missing: frozenset[str],
        categorical: bool,
        numerals: Numerals,
        booleans: bool,
    ) -> None:
        self.name = name
        self.index = index
        self.missing = missing
        self.counting = categorical
        # a number that means missing would pass as a number
        self.sift = any(map(numerals.pattern.fullmatch, missing))
        self.numerals = numerals
        self.categorical = categorical
        self.booleans = booleans
        self.first = ""  # cell that is not missing, for whoever reads blocks
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

    def finish(self, rows: int, line_of: _LineOf) -> Column:
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
        # blocks of nan alone, which is missing among dates and words as well
        none = [x for x in self.numbers if x.dtype.kind == "f" and np.isnan(x).all()]
        if none:
            blank += sum(map(len, none))
            self.numbers = [x for x in self.numbers if x.dtype.kind != "f" or not np.isnan(x).all()]
        if self.categorical:
            return Column(self.name, "categorical", rows, blank, tally=dict(self.tally))
        if not any(map(len, self.numbers)):
            if self.booleans and all(cell in _BOOLEANS for cell in self.tally):
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
            classes, self.first = odd
            return self.mixed(rows, classes, line_of, blank)
        commas = self.numerals.usual and all(map(_WITH_COMMA, self.tally))
        note = _COMMAS if commas else ""
        return Column(self.name, "categorical", rows, blank, tally=dict(self.tally), note=note)

    def mixed(self, rows: int, classes: str, line_of: _LineOf, blank: int = 0) -> Column:
        """A column of several classes of values, of which `first` is one cell."""
        cell = self.first
        reason = (
            f"mixes {classes} (line {line_of(self.index, cell)}: {cell!r}); "
            f"--categorical {spelled(self.name)} compares it as text, "
            f"--missing {spelled(cell)} takes such cells as missing"
        )
        return Column(self.name, "mixed", rows, blank, reason=reason)

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

# With slashes only the year first: of 01/02/2026 nobody knows the month.
_DATE = re.compile(r"\d{4}([-/])\d\d\1\d\d([ T]\d\d:\d\d.*)?", re.ASCII)
_PLAIN_DATE = re.compile(r"\d{4}-\d\d-\d\d([ T]\d\d:\d\d(:\d\d(\.\d{1,6})?)?)?", re.ASCII)


def _dates(tally: Counter[str]) -> tuple[np.ndarray, bool] | None:
    """Microseconds since 1970, in UTC where cells name an offset, and if they do; None if one is no date."""
    if not all(map(_DATE.fullmatch, tally)):
        return None
    zoned = False
    cells = [cell if cell[4] == "-" else cell[:10].replace("/", "-") + cell[10:] for cell in tally]
    try:
        if all(map(_PLAIN_DATE.fullmatch, cells)):  # NumPy reads these, and ten times as fast
            micros = np.array(cells, "M8[us]").view(np.int64)
        else:
            stamps = [datetime.fromisoformat(cell) for cell in cells]
            zoned = stamps[0].tzinfo is not None
            epoch = datetime(1970, 1, 1, tzinfo=UTC if zoned else None)
            micros = np.array([stamp - epoch for stamp in stamps], "m8[us]").view(np.int64)
    except (ValueError, TypeError):  # a 30th of February; offsets in some cells only
        return None
    return np.repeat(micros, list(tally.values())), zoned
