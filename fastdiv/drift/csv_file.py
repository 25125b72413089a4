"""A CSV file as blocks of rows of cells, by the standard library's parser, and what is wrong with it."""

from __future__ import annotations

import csv
import gzip
import io
import re
import zlib
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from itertools import chain, islice
from pathlib import Path
from typing import Any

from fastdiv.drift.columns import TableError

__all__ = ["Cells", "about", "blocks", "line_of", "open_text", "parser", "sniff", "together", "told"]

# One block: large enough that the work is in C, small enough for the cache and for memory.
_ROWS = 1 << 14
_CHARACTERS = 1 << 20

# Bytes of a line, characters of a cell, at most: a file of zeros, deflated to a thousandth, has one line.
LONGEST = 1 << 28


class _Lines(io.RawIOBase):
    """The bytes of a file none of whose lines is longer than LONGEST."""

    raw: Any = None
    file: Any = None  # until it is open: Python closes what Ctrl-C or an error left half made

    def __init__(self, path: Path) -> None:
        self.path = path
        self.file = open(path, "rb", 0)  # noqa: SIM115
        self.raw = gzip.GzipFile(fileobj=self.file) if path.suffix.lower() == ".gz" else self.file
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

    def read_so_far(self) -> int:
        """Bytes of the file as it lies there."""
        return int(self.file.tell())

    def close(self) -> None:
        for each in (self.raw, self.file):
            if each is not None:
                each.close()
        super().close()


def open_text(path: Path) -> io.TextIOWrapper:
    buffered = io.BufferedReader(_Lines(path), 1 << 17)
    return io.TextIOWrapper(buffered, encoding="utf-8-sig", newline="")


def parser(lines: Iterable[str], delimiter: str) -> Any:
    # for the whole process, for there is no other way: a cell may be longer than 131072 characters
    csv.field_size_limit(LONGEST)
    return csv.reader(lines, delimiter=delimiter, strict=True)


def sniff(header: str, decimal: str) -> str:
    """The most frequent delimiter outside quotes; the first that is no decimal mark, if there is none."""
    bare = re.sub(r'"[^"]*"', "", header)
    return max(",;\t|".replace(decimal, ""), key=bare.count)


Cells = Callable[[int], Sequence[str]]


def together(blocks: Iterable[tuple[int, Cells]], most: int) -> Iterator[tuple[int, list[Cells]]]:
    """Blocks together, until they have so many rows."""
    rows, some = 0, list[Cells]()
    for count, cells_of in blocks:
        rows += count
        some.append(cells_of)
        if rows >= most:
            yield rows, some
            rows, some = 0, []
    if rows:
        yield rows, some


def blocks(path: Path, delimiter: str, width: int) -> Iterator[tuple[int, Cells]]:
    """The rows below the header, some at a time: how many, and a function giving the cells of column j."""
    with told(path, delimiter, width), open_text(path) as file:
        rows = parser(file, delimiter)
        if next(rows, None) is None:
            raise TableError(f"{path}: changed while it was read")
        if rows.line_num == 1:
            file.seek(0)
            file.readline()
            rest = yield from _plain_blocks(file, delimiter, width)
            rows = parser(chain(io.StringIO(rest, newline=""), file), delimiter)
        while block := list(islice(rows, _ROWS)):
            block = [row for row in block if row]  # the csv module makes [] of a blank line
            if any(len(row) != width for row in block):
                raise csv.Error("ragged")
            yield len(block), partial(_picked, block)


def _plain_blocks(
    file: io.TextIOWrapper, delimiter: str, width: int
) -> Generator[tuple[int, Cells], None, str]:
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
def told(path: Path, delimiter: str = ",", width: int = 0) -> Iterator[None]:
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
    with open_text(path) as file:
        rows = parser(file, delimiter)
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


def line_of(path: Path, delimiter: str, index: int, cell: str) -> int:
    with open_text(path) as file:
        rows = parser(file, delimiter)
        next(rows)
        next((row for row in rows if row and row[index] == cell), None)
        line: int = rows.line_num
        return line


def about(path: Path, file: io.TextIOWrapper, lines: int) -> int:
    """How many rows there are, going by the first ones, of which so many lines have been read."""
    lines += file.read(_CHARACTERS).count("\n")
    raw: Any = file.buffer
    return int(lines * max(1.0, path.stat().st_size / max(1, raw.raw.read_so_far())))
