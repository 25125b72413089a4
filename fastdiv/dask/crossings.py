r"""W1 of two samples in cells, exactly: all of it but what lies where F - G may change sign within a cell.

Keys are whole numbers that ascend with the values (``Order``): the bits of doubles, or integers from the
least on. Within a cell (:mod:`fastdiv.drift.cells`) neighbouring keys are equally far apart. Let n and m be
the sizes of the samples, A and B how many of each lie left of a cell, c and d how many in it, the cell
spanning from key a to key b, w = b - a. There

    n m (F - G) is at most m (A + c) - n B and at least m A - n (B + d),

so it has one sign where those have, and then the area is the absolute value of

    n m \int_a^b (F - G) = m ((A + c) w - sum of (x - a)) - n ((B + d) w - sum of (y - a)),

in whole numbers, divided once. Between cells F - G is constant, and the distance of two doubles is rounded
once. All terms are at least 0, and math.fsum adds them: relative error at most 2^-51 before the mixed cells.
These are swept value by value; nothing in them cancels but whole numbers.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import fsum
from typing import Any, TypeAlias

import numpy as np

from fastdiv.drift.cells import Cells, doubles_of, keys_of, starts_of, union
from fastdiv.drift.samples import ascending

__all__ = ["Group", "Order", "Plan", "counted", "picked", "swept"]

_SIGN = np.uint64(1 << 63)


_BLOCK = 1 << 15  # values that are in the caches together

# the keys of a chunk in some cells, each once, and how often each occurs
Piece: TypeAlias = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Order:
    """How values become keys: doubles, signed integers (from -2^63 on) or unsigned ones."""

    kind: str

    def keys(self, x: np.ndarray) -> np.ndarray:
        """Of values without NaN."""
        if self.kind == "f":
            return keys_of(x.astype(np.float64) + 0.0)  # -0.0 is 0.0
        if self.kind == "u":
            return np.asarray(x, np.uint64)
        return np.asarray(np.asarray(x, np.int64).view(np.uint64) ^ _SIGN)

    def ascending(self, x: np.ndarray) -> np.ndarray:
        """The same, sorted."""
        # as doubles, which is sooner by far
        if self.kind != "f":
            return np.sort(self.keys(x))
        x = ascending(x.astype(np.float64, copy=False))
        keys = np.empty(len(x), np.uint64)
        for i in range(0, len(x), _BLOCK):
            keys[i : i + _BLOCK] = self.keys(x[i : i + _BLOCK])
        return keys

    def distances(self, low: np.ndarray, high: np.ndarray) -> np.ndarray:
        """Of keys, as doubles rounded once; infinite where no double is as large."""
        if self.kind != "f":
            return np.asarray(high - low, np.float64)
        with np.errstate(over="ignore"):
            return np.asarray(doubles_of(high) - doubles_of(low))

    def spacing(self, cells: Cells) -> np.ndarray:
        """Of neighbouring keys, in each cell."""
        return cells.spacing if self.kind == "f" else np.ones(len(cells.keys))


def counted(at: np.ndarray, most: int) -> Cells:
    """Ascending keys in cells of which at most `most` are occupied."""
    # some of the values need cells no larger than all do: blocks are counted in those, out of the caches
    k = _alone(at[:: max(1, len(at) // (2 * most))]).fitted(most).k
    blocks = [_alone(at[i : i + _BLOCK]).coarsened(k) for i in range(0, len(at), _BLOCK)]
    fields = ("keys", "counts", "low", "high", "first", "last")
    whole: dict[str, Any] = {
        name: np.concatenate([getattr(block, name) for block in blocks]) for name in fields
    }
    return Cells(k, **whole).coarsened(k, always=True).fitted(most)  # a cell may have been cut by two blocks


def _alone(at: np.ndarray) -> Cells:
    """Ascending keys, each in a cell of its own."""
    first = starts_of(at)
    once, counts = at[first], np.diff(first, append=len(at))
    nothing = np.zeros(len(once), np.uint64)
    return Cells(0, once, counts, nothing, nothing, once, once)


@dataclass(frozen=True)
class Group:
    """Mixed cells next to each other in the list of them, and what the sweep needs to know of each."""

    k: int
    keys: np.ndarray
    spacing: np.ndarray
    base: np.ndarray
    """n m (F - G) at the left end, whole numbers."""
    counts: tuple[np.ndarray, np.ndarray]
    sizes: tuple[int, int]


class Plan:
    """Two samples in cells: the area that these tell, and groups of mixed cells for the rest."""

    def __init__(self, u: Cells, v: Cells, order: Order, most: int) -> None:
        k = max(u.k, v.k)
        u, v = u.coarsened(k), v.coarsened(k)
        n, m = u.total, v.total
        keys = union(u.keys, v.keys)
        sides = [_laid_out(side, keys) for side in (u, v)]
        first = np.minimum(*(side["first"] for side in sides))
        last = np.maximum(*(side["last"] for side in sides))
        spacing = np.maximum(*(_placed(order.spacing(s), s, keys, 0.0) for s in (u, v)))
        counts = [side["counts"] for side in sides]
        after = [np.cumsum(c) for c in counts]
        a_1, b_1 = (x.astype(object) for x in after)
        a_0, b_0 = (x.astype(object) for x in (after[0] - counts[0], after[1] - counts[1]))
        self.k, self.sizes = k, (n, m)
        end = a_1 * m - b_1 * n
        wide = last > first
        mixed = wide & ((a_1 * m - b_0 * n) > 0).astype(bool) & ((b_1 * n - a_0 * m) > 0).astype(bool)
        known = wide & ~mixed
        # the integrals of both, from the first value of the cell to the last, in whole numbers
        width = (last - first)[known].astype(object)
        low = (first & np.uint64((1 << k) - 1))[known].astype(object)
        parts = []
        for left, side in zip((a_1, b_1), sides, strict=True):
            rises = side["sums"][known] - side["counts"][known].astype(object) * low
            parts.append(left[known] * width - rises)
        within = np.abs(parts[0] * m - parts[1] * n) / (n * m) * spacing[known]
        self._terms = [within.astype(np.float64), _between(order, first, last, np.abs(end) / (n * m))]
        self.groups = [
            Group(k, keys[at], spacing[at], (a_0 * m - b_0 * n)[at], (counts[0][at], counts[1][at]), (n, m))
            for at in _groups(np.flatnonzero(mixed), counts[0] + counts[1], most)
        ]

    def total(self, areas: list[float]) -> float:
        """W1, given the areas of the groups."""
        return fsum([*np.concatenate(self._terms).tolist(), *areas])


def _between(order: Order, first: np.ndarray, last: np.ndarray, level: np.ndarray) -> np.ndarray:
    """The area between one cell and the next: |F - G| times the way."""
    low, high, level = last[:-1], first[1:], level[:-1].astype(np.float64)
    way = order.distances(low, high)
    far = np.isinf(way) & (level > 0)
    with np.errstate(over="ignore", invalid="ignore"):
        area = np.where(level > 0, way * level, 0.0)
        # of doubles so far apart that the way is none: a share of it may be one
        area[far] = (doubles_of(high[far]) * 2.0**-4 - doubles_of(low[far]) * 2.0**-4) * level[far] * 2.0**4
    return area


def _laid_out(side: Cells, keys: np.ndarray) -> dict[str, Any]:
    sums = side.high.astype(object) * 2**26 + side.low.astype(object)
    return {
        "counts": _placed(side.counts, side, keys, 0),
        "first": _placed(side.first, side, keys, np.iinfo(np.uint64).max),
        "last": _placed(side.last, side, keys, 0),
        "sums": _placed(sums, side, keys, 0),
    }


def _placed(values: np.ndarray, side: Cells, keys: np.ndarray, empty: Any) -> np.ndarray:
    laid = np.full(len(keys), empty, values.dtype)
    laid[np.searchsorted(keys, side.keys)] = values
    return laid


def _groups(at: np.ndarray, counts: np.ndarray, most: int) -> list[np.ndarray]:
    """Cells in lists of at most `most` values, or of one cell."""
    groups: list[np.ndarray] = []
    start, total = 0, 0
    for i, count in enumerate(counts[at].tolist()):
        if i > start and total + count > most:
            groups.append(at[start:i])
            start, total = i, 0
        total += count
    return [*groups, at[start:]] if len(at) else []


def picked(x: np.ndarray, order: Order, groups: list[Group]) -> list[Piece]:
    """Of a chunk's values, none of them NaN, those in each group's cells."""
    k = np.uint64(groups[0].k)
    cells = np.concatenate([group.keys for group in groups])
    found = [np.zeros(0, np.uint64)]
    for i in range(0, len(x), _BLOCK):
        keys = order.keys(x[i : i + _BLOCK])
        at = np.searchsorted(cells, keys >> k)
        inside = keys[cells[np.minimum(at, len(cells) - 1)] == keys >> k]
        if len(inside):
            found.append(inside)
    keys = np.sort(np.concatenate(found))
    ends = np.searchsorted(keys >> k, [group.keys[-1] for group in groups], "right")
    pieces = []
    for part in np.split(keys, ends[:-1]):
        first = np.flatnonzero(np.append(True, part[1:] != part[:-1])[: len(part)])
        pieces.append((part[first], np.diff(first, append=len(part))))
    return pieces


def swept(group: Group, u: list[Piece], v: list[Piece]) -> float:
    """The area in a group's cells, of what all chunks of both samples have there."""
    n, m = group.sizes
    points = union(*(np.sort(np.concatenate([keys for keys, _ in side])) for side in (u, v)))
    cell = np.searchsorted(group.keys, points >> np.uint64(group.k))
    start = np.searchsorted(points >> np.uint64(group.k), group.keys)
    rises = []
    for side, expected, name in zip((u, v), group.counts, ("u_values", "v_values"), strict=True):
        counts = np.zeros(len(points) + 1, np.int64)
        for keys, many in side:
            counts[1 + np.searchsorted(points, keys)] += many
        total = np.cumsum(counts)
        ends = np.append(start[1:], len(points))
        if not np.array_equal(total[ends] - total[start], expected):
            raise RuntimeError(f"{name} must be the same in both passes over it: it has changed in between")
        rises.append(total[1:] - total[start][cell])
    size = max(int(rises[0].max()) * m, int(rises[1].max()) * n, int(np.abs(group.base).max()))
    kind: Any = np.int64 if size < 2**61 else object
    level = group.base.astype(kind)[cell] + rises[0].astype(kind) * m - rises[1].astype(kind) * n
    inside = cell[1:] == cell[:-1]
    width = (points[1:] - points[:-1])[inside].astype(np.float64) * group.spacing[cell[1:][inside]]
    return float(np.sum(np.abs(level[:-1][inside]).astype(np.float64) / float(n * m) * width))
