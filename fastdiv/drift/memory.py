"""How much of a column may be in memory, and columns that are read in pieces within that.

A budget of M bytes decides what is kept and how many columns are in memory at a time; how many threads there
are decides nothing. Where the values of a column of both sides take no more than M, with their sorted copies,
all are kept. Where they take more, the distinct ones are, with their counts, up to M / 640 of them, and
beyond that cells (:mod:`fastdiv.drift.cells`): as in a baseline. Categories are counted one by one, up to a
limit that follows from M as well.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from threading import Lock

from fastdiv.drift.columns import Again, Column, Table, Unread, joined
from fastdiv.drift.held import Held, Limits
from fastdiv.drift.together import go_on, side_by_side

__all__ = ["Meter", "Plan", "columns_of", "gathered", "held_of", "plan_of", "size_of"]

# Bytes for each row of both sides, whose values are kept: as they are read, as doubles, in order, and while
# they are put in order. For each row of a piece, each distinct value and each category: while they are added
# up and compared (of distinct values on both sides 140, of which pieces leave more than half the room).
_OF_ROW, _OF_PIECE, _OF_VALUE, _OF_CATEGORY = 40, 160, 80, 1000

# And for each value of a file that is read as a whole, or not at all.
_OF_NUMBER = 8

# Rows of a piece, at most.
_PIECE = 1 << 21

# So many columns at a time are in memory where the values of one take more than there is.
_AT_ONCE = 4


@dataclass(frozen=True)
class Plan:
    """What of a column is kept, read in pieces of how many rows, and how many columns at a time."""

    whole: bool
    limits: Limits
    rows: int
    at_once: int


_ALL = Plan(True, Limits(None, None), 1 << 62, 1 << 30)


def plan_of(memory: int | str | None, tables: Sequence[Table]) -> Plan:
    """The plan of comparing tables, or of counting one, within so much memory."""
    size = size_of(memory)
    needed = max(_OF_ROW, sum(map(_needed, tables)))
    if needed <= size:
        return Plan(True, Limits(None, max(1, size // _OF_CATEGORY)), 1 << 62, size // needed)
    share = size // (2 * _AT_ONCE)
    limits = Limits(max(1, share // _OF_VALUE), max(1, share // _OF_CATEGORY))
    return Plan(False, limits, min(max(share // _OF_PIECE, 1 << 12), _PIECE), _AT_ONCE)


def _needed(table: Table) -> int:
    """Bytes for a column of the table, and for all others of one that is not read column by column."""
    if table.blocks is None:
        return _OF_ROW * (table.rows or 0)
    return (table.rows or table.about) * (_OF_ROW + _OF_NUMBER * len(table.names))


class Meter:
    """Tells, from any thread, which share of the columns has been read and counted."""

    def __init__(self, tell: Callable[[float], None] | None, columns: int, tables: Sequence[Table]) -> None:
        self._tell, self._columns = tell, max(1, columns)
        self._rows = sum(table.rows or 0 for table in tables if table.pieces)
        self._done, self._read = 0, 0
        self._lock = Lock()

    def read(self, rows: int) -> None:
        """So many rows of a column have been read."""
        self._move(0, rows)

    def counted(self) -> None:
        """A column is done with."""
        self._move(1, -self._rows)

    def _move(self, done: int, rows: int) -> None:
        if self._tell is None:
            return
        with self._lock:
            self._done += done
            self._read += rows
            # reading is the larger part of the work
            begun = 0.8 * max(self._read, 0) / self._rows if self._rows else 0.0
            self._tell(min(1.0, (self._done + begun) / self._columns))


def columns_of(
    table: Table, names: Sequence[str], plan: Plan, told: Callable[[int], None]
) -> Iterable[Column | Unread]:
    """The columns, to be read by whoever counts them where they can be read in pieces."""
    if table.pieces:
        return (Unread(name, table.rows or 0, partial(_read, table, name, plan, told)) for name in names)
    if table.blocks and not plan.whole:
        return _through_blocks(table, names, plan)
    return table.read(names)


def _through_blocks(table: Table, names: Sequence[str], plan: Plan) -> Iterator[Column]:
    limits = plan.limits.shared(-(-len(names) // _AT_ONCE))
    for held in _of_blocks(table, names, plan, limits):
        yield held.column()


def _of_blocks(table: Table, names: Sequence[str], plan: Plan, limits: Limits) -> list[Held]:
    """What is held of the columns of a table that is read once for all of them."""
    assert table.blocks is not None
    rows = min(_PIECE, max(1 << 12, plan.rows * _AT_ONCE // len(names)))
    while True:
        held: list[Held | None] = [None] * len(names)
        with suppress(Again):
            for block in table.blocks(names, rows):
                held = [folded([piece], limits, one) for piece, one in zip(block, held, strict=True)]
            return [one for one in held if one is not None]


def _read(table: Table, name: str, plan: Plan, told: Callable[[int], None]) -> Column:
    return gathered(_pieces(table, name, plan, told), plan)


def held_of(
    table: Table,
    names: Sequence[str],
    limits: Limits,
    memory: int | str | None = None,
    progress: Callable[[float], None] | None = None,
) -> Iterator[tuple[Held, ...]]:
    """What a baseline holds of the columns: of all rows, or of one file after another."""
    plan = plan_of(memory, (table,))
    plan = replace(plan, rows=min(plan.rows, _PIECE))
    parts = (table,) if table.pieces else table.parts or (table,)
    meter = Meter(progress, len(names) * len(parts), (table,))

    def read(name: str) -> Held:
        return folded(_pieces(table, name, plan, meter.read), limits)

    def counted(column: Column | Held) -> Held:
        return column if isinstance(column, Held) else Held.of(column, limits)

    for part in parts:
        if part.blocks and not plan.whole:
            yield tuple(_of_blocks(part, names, plan, limits))
            for _ in names:
                meter.counted()
            continue
        columns = (Unread(name, table.rows or 0, partial(read, name)) for name in names)
        made = []
        for held in side_by_side(counted, zip(columns if part.pieces else part.read(names)), plan.at_once):
            made.append(held)
            meter.counted()
        yield tuple(made)


def _pieces(table: Table, name: str, plan: Plan, told: Callable[[int], None]) -> Iterator[Column]:
    assert table.pieces is not None
    for piece in table.pieces(name, plan.rows):
        go_on()
        yield piece
        told(piece.rows)


def gathered(pieces: Iterable[Column], plan: Plan = _ALL) -> Column:
    """One column of all pieces, as much of it as the plan keeps."""
    kept: list[Column] = []
    held: Held | None = None
    for piece in pieces:
        if plan.whole and held is None and not piece.tally and piece.mass is None:
            kept.append(piece)
        else:
            held = folded([*kept, piece], plan.limits, held)
            kept = []
    return joined(kept) if held is None else held.column()


def folded(pieces: Iterable[Column], limits: Limits, held: Held | None = None) -> Held:
    """What is held of all pieces, one after another."""
    for piece in pieces:
        more = Held.of(piece, limits, held)
        held = more if held is None else held.merged(more, limits)
    assert held is not None
    return held


_UNITS = {"": 0, "K": 1, "M": 2, "G": 3, "T": 4}


def size_of(memory: int | str | None) -> int:
    """Bytes, of a number or a text such as 500MB, 2GB or 1.5GiB; None: a quarter of what is there."""
    if memory is None:
        return _there() // 4
    if isinstance(memory, bool) or not isinstance(memory, (int, str)):
        raise TypeError(f"memory must be a number of bytes or a text such as '2GB', not {memory!r}")
    match = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([KMGT]?)(I?)B?", str(memory).strip().upper())
    size = float(match[1]) * (1024 if match[3] else 1000) ** _UNITS[match[2]] if match else 0.0
    if not 1e6 <= size < 2.0**63:
        raise ValueError(f"memory must be 1MB or more, such as 500MB or 2GB, not {memory}")
    return int(size)


def _there() -> int:
    """The memory of the machine, or what the cgroups of this process leave it of that."""
    sizes = [os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")]
    with suppress(OSError, ValueError):
        for line in Path("/proc/self/cgroup").read_text().splitlines():
            _, controllers, group = line.split(":", 2)
            if controllers in ("", "memory"):
                root = Path("/sys/fs/cgroup", controllers)
                at = root / group.lstrip("/")
                for folder in (at, *at.parents):  # in a container its own group is the root
                    if folder.is_relative_to(root):
                        for name in ("memory.max", "memory.limit_in_bytes"):
                            with suppress(OSError, ValueError):  # "max", or another cgroup's version
                                sizes.append(int((folder / name).read_text()))
    return max(1 << 22, min(sizes))
