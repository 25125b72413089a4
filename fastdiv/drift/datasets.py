"""Several tables as one, and a column for each key of folders named key=value."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from functools import cache, partial
from itertools import chain
from typing import Any

import numpy as np

from fastdiv.drift.columns import Column, Kind, Rows, Table, TableError, same_names
from fastdiv.drift.memory import gathered
from fastdiv.drift.wording import spelled

__all__ = ["as_one", "constants_of", "with_constants", "with_keys"]

# What Hive calls the value of a key that is missing.
_NULL = "__HIVE_DEFAULT_PARTITION__"


def with_keys(
    tables: Sequence[Table], keys: Sequence[Mapping[str, str]], forced: frozenset[str]
) -> list[Table]:
    """The tables with a column for each key that is none of their own: whole numbers, dates or text."""
    return list(map(with_constants, tables, constants_of(keys, forced)))


def constants_of(keys: Sequence[Mapping[str, str]], forced: frozenset[str]) -> list[dict[str, _Value]]:
    """The values of keys, each key's of one type in all tables."""
    made: list[dict[str, _Value]] = [{} for _ in keys]
    for name in dict.fromkeys(name for named in keys for name in named):
        at = [i for i, named in enumerate(keys) if name in named]
        values = _values([keys[i][name] for i in at], name in forced)
        for i, value in zip(at, values, strict=True):
            made[i][name] = value
    return made


_Value = int | np.datetime64 | str | None


def _values(texts: Sequence[str], as_text: bool) -> list[_Value]:
    for read in () if as_text else (_whole, _date):
        with suppress(ValueError):
            return [None if text == _NULL else read(text) for text in texts]
    return [None if text == _NULL else text for text in texts]


def _whole(text: str) -> int:
    if (
        not re.fullmatch(r"[+-]?\d+", text, re.ASCII) or not -(2**63) <= int(text) < 2**63
    ):  # 1_000 is Python's
        raise ValueError
    return int(text)


def _date(text: str) -> np.datetime64:
    if not re.match(r"\d{4}-\d\d", text):  # "NaT", "now" and "2026" are dates to NumPy
        raise ValueError
    return np.datetime64(text, "us")


def _constant(name: str, value: _Value, rows: int) -> Column:
    if value is None:
        return Column(name, "missing", rows, rows)
    if isinstance(value, str):
        return Column(name, "categorical", rows, 0, tally={value: rows})
    kind: Kind = "numeric" if isinstance(value, int) else "datetime"
    return Column(name, kind, rows, 0, np.broadcast_to(np.asarray(value).astype(np.int64), rows))


def with_constants(table: Table, constants: Mapping[str, _Value]) -> Table:
    """The table with columns of one value each, where it has none of that name."""
    constants = {name: value for name, value in constants.items() if name not in table.names}
    if not constants:
        return table

    @cache
    def counted() -> int:
        return table.rows if table.rows is not None else next(iter(table.read(table.names[:1]))).rows

    def read(names: Sequence[str]) -> Iterator[Column]:
        own = iter(table.read([name for name in names if name not in constants]))
        return (
            _constant(name, constants[name], counted()) if name in constants else next(own) for name in names
        )

    def pieces(name: str, most: int) -> Iterator[Column]:
        assert table.pieces is not None
        if name not in constants:
            yield from table.pieces(name, most)
            return
        rows = counted()
        for first in range(0, rows, most):
            yield _constant(name, constants[name], min(most, rows - first))

    @cache
    def sizes(most: int) -> list[int]:
        assert table.by_rows is not None
        return [len(rows.values) for rows in table.by_rows(table.names[0], most)]

    def by_rows(name: str, most: int) -> Iterator[Rows]:
        from fastdiv.drift.numpy_reader import rows_of

        assert table.by_rows is not None
        if name not in constants:
            yield from table.by_rows(name, most)
            return
        value = constants[name]
        one = np.asarray(value, None if isinstance(value, (int, np.datetime64)) else object)
        for size in sizes(most):
            yield rows_of(name, np.broadcast_to(one, size), False)

    def blocks(names: Sequence[str], most: int) -> Iterator[Sequence[Column]]:
        assert table.blocks is not None
        own = [name for name in names if name not in constants]
        for block in table.blocks(own or table.names[:1], most):
            found = dict(zip(own, block, strict=False))
            rows = block[0].rows
            yield [found[n] if n in found else _constant(n, constants[n], rows) for n in names]

    return replace(
        table,
        names=(*table.names, *constants),
        read=read,
        pieces=pieces if table.pieces else None,
        by_rows=by_rows if table.by_rows else None,
        blocks=blocks if table.blocks else None,
    )


def as_one(label: str, tables: Sequence[Table]) -> Table:
    """The rows of all tables, which have the same columns, of the same types, in any order."""
    if len(tables) == 1:
        return replace(tables[0], label=label)
    first = tables[0]
    for table in tables[1:]:
        same_names(table.label, table.names, first.label, first.names)

    kinds: dict[str, tuple[str, str]] = {}  # of the columns that have been read, and where

    def in_table(table: Table, column: Column) -> Column:
        return replace(column, reason=f"{table.label}: {column.reason}") if column.reason else column

    def agreed(table: Table, column: Column) -> Column:
        if column.reason:
            return in_table(table, column)
        if column.kind != "missing":
            kind, label = kinds.setdefault(column.name, (column.type, table.label))
            if column.type != kind:
                raise TableError(
                    f"{table.label}: column {column.name!r} is {column.type}, but {kind} in {label}; "
                    f"--categorical {spelled(column.name)} takes both as text"
                )
        return column

    def of(table: Table, names: Sequence[str]) -> Iterator[Column]:
        return map(partial(agreed, table), table.read(names))

    def read(names: Sequence[str]) -> Iterator[Column]:
        return map(gathered, zip(*(of(table, names) for table in tables), strict=True))

    def pieces(name: str, most: int) -> Iterator[Column]:
        return (agreed(t, piece) for t in tables if t.pieces for piece in t.pieces(name, most))

    def blocks_of(table: Table, names: Sequence[str], most: int) -> Iterator[Sequence[Column]]:
        assert table.blocks is not None
        seen: dict[str, Column] = {}  # what a column is, is known when all of its table has been read
        for block in table.blocks(names, most):
            yield [in_table(table, column) for column in block]
            seen |= {column.name: column for column in block if column.kind != "missing"}
        for column in seen.values():
            agreed(table, column)

    def blocks(names: Sequence[str], most: int) -> Iterator[Sequence[Column]]:
        return chain.from_iterable(blocks_of(table, names, most) for table in tables)

    def by_rows(name: str, most: int) -> Iterator[Rows]:
        for t in tables:
            assert t.by_rows is not None
            for rows in t.by_rows(name, most):
                yield replace(rows, column=partial(checked, t, rows.column))

    def checked(table: Table, column: Callable[[Any], Column], some: Any) -> Column:
        return agreed(table, column(some))

    def part(table: Table) -> Any:
        return partial(blocks_of, table) if table.blocks else None

    rows = [table.rows for table in tables]
    return Table(
        label,
        first.names,
        read,
        pieces if all(table.pieces for table in tables) else None,
        tuple(replace(table, read=partial(of, table), pieces=None, blocks=part(table)) for table in tables),
        None if None in rows else sum(filter(None, rows)),
        by_rows if all(table.by_rows for table in tables) else None,
        blocks=blocks if all(table.blocks for table in tables) else None,
        about=sum(table.rows or table.about for table in tables),
    )
