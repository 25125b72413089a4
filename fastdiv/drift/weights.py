"""Tables whose rows have weights: a row of weight w counts as w rows of weight 1 would, whatever the unit.

Weights are of rows, so a column is read row by row, and what a comparison takes of it are its distinct values
with the sums of their weights. Each sum is rounded once, so the order of the rows does not matter. Rows of
weight 0 are left out before anything else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from threading import Lock
from typing import Any

import numpy as np

from fastdiv.drift.cells import starts_of
from fastdiv.drift.columns import Column, Mass, Rows, Table, TableError, no_column
from fastdiv.drift.memory import gathered
from fastdiv.drift.samples import order_of

__all__ = ["both_weighted", "parts_of", "sums", "sums_from", "weighted"]

# Beyond these a square or a sum may be no double.
_LEAST, _MOST = 1e-100, 1e100


def both_weighted(base: Table, cur: Table, name: str | None) -> tuple[Table, Table]:
    """Both sides weighted by the same column, or neither: by the one named, or that of a weighted profile.

    A weighted side against one of weight 1 each makes sense where the latter is a census; but a profile that
    was made without weights by mistake looks the same, so a column of ones must say so.
    """
    name = name or base.weights or cur.weights
    if not name:
        return base, cur
    return weighted(base, name), weighted(cur, name)


def weighted(table: Table, name: str) -> Table:
    """The table without its column of weights, which weigh its rows."""
    if not isinstance(name, str):
        raise TypeError(f"weights must be the name of a column, not {name!r}")
    if table.weights:
        if table.weights != name:
            raise TableError(f"{table.label}: is weighted by {table.weights!r}, not by {name!r}")
        return table
    if name not in table.names:
        if table.by_rows is None:
            raise TableError(
                f"{table.label}: has no weights, so it must not stand against a table weighted by {name!r}: "
                "make the profile with --weights, of a column of ones if it has none"
            )
        raise TableError(f"{table.label}: weights: {no_column(name, table.names)}")
    if table.by_rows is None:
        raise TableError(f"{table.label}: has no rows to be weighted by {name!r}: weigh them when it is made")
    names = tuple(other for other in table.names if other != name)
    if not names:
        raise TableError(f"{table.label}: has no column but {name!r}, its weights")
    held = _Weights(table, name)

    def by_rows(other: str, most: int) -> Iterator[Rows]:
        assert table.by_rows is not None
        for i, (rows, w) in enumerate(zip(table.by_rows(other, most), held.pieces(most), strict=True)):
            pairs = _Pairs(rows.values, w)
            if np.any(w == 0):
                pairs = pairs.take(np.flatnonzero(w))
            if len(pairs):
                pairs = replace(pairs, known=partial(held.mass, (most, i)))
                yield Rows(
                    pairs, partial(_column, other, rows), partial(_factorised, rows), rows.texts, rows.present
                )

    def pieces(other: str, most: int) -> Iterator[Column]:
        return (rows.column(rows.values) for rows in by_rows(other, most))

    def read(wanted: Sequence[str]) -> Iterator[Column]:
        return (gathered(pieces(other, 1 << 62)) for other in wanted)

    many = pieces if table.pieces else None
    return Table(table.label, names, read, many, (), table.rows, by_rows, name)


@dataclass(frozen=True)
class _Pairs:
    """Values and weights side by side."""

    values: Any
    weights: np.ndarray
    known: Callable[[np.ndarray], Mass] | None = None

    @property
    def mass(self) -> Mass:
        """Where nothing is missing."""
        return (self.known or _mass_of)(self.weights)

    def __len__(self) -> int:
        return len(self.weights)

    def __getitem__(self, some: slice) -> _Pairs:
        return _Pairs(self.values[some], self.weights[some])

    def take(self, order: np.ndarray) -> _Pairs:
        return _Pairs(self.values.take(order), self.weights[order])


class _Weights:
    """The weights of a table, read once: 8 bytes a row."""

    def __init__(self, table: Table, name: str) -> None:
        self._table, self._name = table, name
        self._lock = Lock()
        self._read: np.ndarray | None = None
        self._sizes: dict[int, list[int]] = {}
        self._masses: dict[tuple[int, int], Mass] = {}

    def mass(self, piece: tuple[int, int], w: np.ndarray) -> Mass:
        """Of the weights of a piece, of which no column that misses nothing has others."""
        with self._lock:
            if piece not in self._masses:
                self._masses[piece] = _mass_of(w)
            return self._masses[piece]

    def pieces(self, most: int) -> list[np.ndarray]:
        with self._lock:
            if self._read is None or most not in self._sizes:
                assert self._table.by_rows is not None
                found: list[np.ndarray] = []
                for rows in self._table.by_rows(self._name, most):
                    found.append(self._checked(rows, sum(map(len, found))))
                self._sizes[most] = list(map(len, found))
                self._read = np.concatenate(found) if len(found) > 1 else found[0]
                if not self._read.any():
                    raise TableError(f"{self._table.label}: every weight in column {self._name!r} is 0")
            return np.split(self._read, np.cumsum(self._sizes[most])[:-1])

    def _checked(self, rows: Rows, before: int) -> np.ndarray:
        what = f"{self._table.label}: weights in column {self._name!r} must be"
        column = rows.column(rows.values)
        if column.reason:  # which says where
            raise TableError(f"{what} numbers, but it {column.reason.partition(';')[0]}")
        if column.kind != "numeric" or column.missing:
            at = _first_unfit(rows)
            one = rows.column(rows.values[at : at + 1])
            kind = "missing" if one.missing or one.kind == "missing" else one.kind
            raise TableError(f"{what} numbers, not {kind}, as in row {before + at}")
        w = column.numbers.astype(np.float64)
        unfit = ~((w == 0) | ((w >= _LEAST) & (w <= _MOST)))
        if unfit.any():
            at = int(np.argmax(unfit))
            raise TableError(f"{what} 0, or from 1e-100 to 1e100, not {w[at]:g}, as in row {before + at}")
        return w


def _first_unfit(rows: Rows) -> int:
    """The first row that is no number: by halves, for of some rows it is known whether all are."""
    low, high = 0, len(rows.values)
    while high - low > 1:
        middle = (low + high) // 2
        column = rows.column(rows.values[low:middle])
        if column.kind == "numeric" and not column.missing:
            low = middle
        else:
            high = middle
    return low


def _factorised(rows: Rows, pairs: _Pairs) -> tuple[np.ndarray, Any]:
    return rows.factorised(pairs.values)


def _column(name: str, rows: Rows, pairs: Any) -> Column:
    """The column of some rows; of values without weights, as distinct ones are, what it is."""
    if not isinstance(pairs, _Pairs):
        return rows.column(pairs)
    w, whole = pairs.weights, rows.column(pairs.values)
    if whole.reason:
        return replace(whole, mass=pairs.mass)
    if whole.kind == "numeric":  # in the order of the rows
        there = rows.present(pairs.values) if whole.missing else np.ones(len(w), bool)
        numbers, codes = whole.numbers, None
    else:
        codes, distinct = rows.factorised(pairs.values)
        there = codes >= 0
        codes = codes[there]
    if there.all():
        mass = pairs.mass
    else:
        mass = Mass(*map(_sum, (w[there], w[~there], w[there] ** 2, w[~there] ** 2)))
        w = w[there]
    column = Column(
        name, whole.kind, len(there), whole.missing, note=whole.note, mass=mass, zoned=whole.zoned
    )
    if whole.kind == "missing":
        return column
    if codes is not None:
        weights = sums(codes, w, len(distinct))
        if whole.kind != "datetime":
            tally: dict[str, float] = {}
            for text, weight in zip(rows.texts(distinct), weights.tolist(), strict=True):
                tally[text] = tally.get(text, 0.0) + weight
            return replace(column, tally=tally)
        numbers = rows.column(distinct).numbers[codes]
    numbers = numbers.astype(numbers.dtype.newbyteorder("="), copy=False)
    order = order_of(numbers)
    values, w = numbers[order], w[order]
    if values.dtype.kind == "f":
        values += 0  # no -0.0
    starts = starts_of(values)
    if len(starts) < len(values):
        w = sums_from(starts, w)
    counts = np.diff(starts, append=len(values))
    return replace(column, numbers=values[starts], counts=counts, weights=w)


def sums(places: np.ndarray, w: np.ndarray, n: int) -> np.ndarray:
    """The sum of the weights of each of `n` places."""
    return _exactly(w, lambda part: np.bincount(places, part, n)) if len(w) else np.zeros(n)


def sums_from(starts: np.ndarray, w: np.ndarray, parts: Iterable[np.ndarray] | None = None) -> np.ndarray:
    """The sum of the weights from each start to the next; no two are the same. `parts` are its."""
    return _exactly(w, lambda part: np.add.reduceat(part, starts), parts)


def _mass_of(w: np.ndarray) -> Mass:
    return Mass(_sum(w), 0.0, _sum(w**2), 0.0)


def _sum(w: np.ndarray) -> float:
    return float(_exactly(w, lambda part: np.sum(part, keepdims=True))[0]) if len(w) else 0.0


def _exactly(
    w: np.ndarray, summed: Callable[[np.ndarray], np.ndarray], parts: Iterable[np.ndarray] | None = None
) -> np.ndarray:
    """Sums of weights, in any order the same."""
    found = [*map(summed, parts_of(w) if parts is None else parts)]
    total = found.pop()
    while found:
        total = total + found.pop()
    return total


def parts_of(w: np.ndarray) -> Iterator[np.ndarray]:
    r"""What adds up to the weights, and each part of them to exact sums.

    A weight is cut into a multiple of :math:`g = 2^{-52} m n`, with m and n powers of two above the largest
    and above their number, one of :math:`g' = 2^{-52} n g`, and so on: sums of multiples of one kind are
    below :math:`2^{52}` of them, so exact.
    """
    rest = w
    room = 2.0 ** len(w).bit_length()
    top = 2.0 ** np.frexp(float(w.max()))[1]
    for _ in range(3):
        grid = top * room * 2.0**-52
        cut = rest * (1 / grid)
        np.rint(cut, out=cut)
        cut *= grid
        yield cut
        rest, top = rest - cut, grid
        if not rest.any():
            return
    yield rest
