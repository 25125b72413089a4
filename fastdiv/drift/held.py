"""What a baseline holds of a column: enough to compare it with any other, and to add to it.

Numbers: the distinct ones with their counts, or cells where there are more than a stated number of them
(:mod:`fastdiv.drift.cells`). Categories: a tally, or the most frequent ones and the rest in one number. What
is held is a function of the values alone, so it does not matter how they were split or in which order they
came, but where categories were let go.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from fastdiv.drift.cells import Cells, starts_of
from fastdiv.drift.columns import ROUNDED, ZONED, Column, Kind, Mass, common_dtype, rounding
from fastdiv.drift.samples import Sample, ascending, once, tallied

__all__ = ["Distinct", "Held", "Limits"]

# From so many values on they are counted in cells without a sort, sooner than with one.
_UNSORTED = 1 << 16


@dataclass(frozen=True)
class Limits:
    """The most distinct numbers, and the most categories, that are kept of a column; None for all of them."""

    values: int | None
    categories: int | None

    def wider(self) -> Limits:
        """Four times the categories."""
        return replace(self, categories=self.categories and 4 * self.categories)

    def shared(self, n: int) -> Limits:
        """By n columns."""
        return Limits(*(most and max(1, most // n) for most in (self.values, self.categories)))

    @property
    def cells(self) -> int:
        """A cell takes the room of three or four values with their counts."""
        assert self.values is not None
        return max(1, self.values // 4)


@dataclass(frozen=True)
class Distinct:
    """The distinct values of a multiset of numbers, ascending, and how often each occurs.

    Of weighted ones also the sum of the weights of each.
    """

    values: np.ndarray
    counts: np.ndarray
    weights: np.ndarray | None = None

    def merged(self, other: Distinct) -> Distinct:
        dtype = common_dtype([self.values, other.values])
        values = np.concatenate([self.values.astype(dtype), other.values.astype(dtype)])
        order = np.argsort(values, kind="stable")
        counts = np.concatenate([self.counts, other.counts])[order]
        found = Distinct(*once(values[order], counts))
        if self.weights is None or other.weights is None:
            return found
        weights = np.concatenate([self.weights, other.weights])[order]
        return replace(found, weights=np.add.reduceat(weights, starts_of(values[order])))

    @property
    def total(self) -> int:
        return int(self.counts.sum())

    @cached_property
    def sample(self) -> Sample:
        """As a comparison takes them: worked out once, for all of them."""
        return Sample.gathered(self.values, self.counts)

    @property
    def moments(self) -> tuple[float, float] | None:
        """Mean and standard deviation; None if one value is infinite."""
        if self.values.dtype.kind == "f" and not np.isfinite(self.values[[0, -1]]).all():
            return None
        return self.sample.moments


_ALIKE = ("name", "rows", "missing", "tally", "others", "most", "slack", "reason", "note", "mass")


@dataclass(frozen=True)
class Held:
    """A column of a baseline.

    Attributes
    ----------
    name : str
    kinds : tuple of str
        The types that its parts were of, sorted, each once; those without any value count for none.
    rows, missing : int
    numbers : Distinct or Cells, optional
    tally : mapping of str to int
        The categories that are kept, and how often each occurs, or how often at least.
    others : int
        How many values are of other categories, or miss in the counts of those that are kept.
    most, slack : int
        No category that is not kept occurs more often than `most`, and none that is kept more often than its
        count says by more than `slack`.
    reason, note : str
    mass : Mass, optional
        Of the weights of its rows. Tallies are sums of weights then, and all its numbers are kept.
    """

    name: str
    kinds: tuple[str, ...]
    rows: int
    missing: int
    numbers: Distinct | Cells | None = None
    tally: Mapping[str, float] = field(default_factory=dict)
    others: float = 0
    most: float = 0
    slack: float = 0
    reason: str = ""
    note: str = ""
    mass: Mass | None = None

    @staticmethod
    def of(column: Column, limits: Limits, before: Held | None = None) -> Held:
        """`before`: what is held of earlier rows, whose cells tell how finely these need be counted."""
        held = Held(kinds=() if column.kind == "missing" else (column.type,), **_alike(column))
        if column.cells is not None:
            held = replace(held, numbers=column.cells)
        elif column.counts is not None:
            held = replace(held, numbers=Distinct(column.numbers, column.counts, column.weights))
        elif len(column.numbers):
            held = replace(held, numbers=_counted(column.numbers, limits, before))
        return held.fitted(limits)

    def merged(self, other: Held, limits: Limits) -> Held:
        kinds = tuple(sorted({*self.kinds, *other.kinds}))
        reasons = sorted(filter(None, (self.reason, other.reason)))
        notes = sorted({note for each in (self, other) for note in each.note.split("; ") if note})
        both = Held(self.name, kinds, self.rows + other.rows, self.missing + other.missing)
        if self.mass is not None and other.mass is not None:
            both = replace(both, mass=self.mass + other.mass)
        if reasons:
            return replace(both, reason=reasons[0])
        if len(kinds) > 1:
            return both
        tally = dict(self.tally)
        for category, count in other.tally.items():
            tally[category] = tally.get(category, 0) + count
        numbers = _both(self.numbers, other.numbers)
        if isinstance(numbers, Distinct):
            parts = [side.values for side in (self.numbers, other.numbers) if isinstance(side, Distinct)]
            notes = sorted({*notes, rounding(parts, numbers.values.dtype)} - {""})
        return replace(
            both,
            numbers=numbers,
            tally=tally,
            others=self.others + other.others,
            most=self.most + other.most,
            slack=_slack(self, other),
            note="; ".join(notes),
        ).fitted(limits)

    def fitted(self, limits: Limits) -> Held:
        """With no more of it than the limits let be."""
        numbers, tally, others, most = self.numbers, self.tally, self.others, self.most
        kept = limits.values if self.mass is None else None
        if kept is not None and isinstance(numbers, Distinct) and len(numbers.values) > kept:
            numbers = Cells.of(numbers.values, numbers.counts)
        note = self.note
        if isinstance(numbers, Cells):
            said = [x for x in note.split("; ") if x not in ("", ROUNDED)]  # which cells say themselves
            rounded = numbers.rounded or ROUNDED in note
            numbers, note = replace(numbers.fitted(limits.cells), rounded=rounded), "; ".join(said)
        if limits.categories is not None and len(tally) > limits.categories:
            order = sorted(tally, key=lambda category: (-tally[category], category))
            gone = [tally[category] for category in order[limits.categories :]]
            tally = {category: tally[category] for category in order[: limits.categories]}
            others, most = others + sum(gone), max(most, gone[0] + self.slack)
        return replace(self, numbers=numbers, tally=tally, others=others, most=most, note=note)

    @property
    def kind(self) -> Kind:
        if len(self.kinds) < 2:
            kind: Any = self.kinds[0] if self.kinds else "missing"
            return "datetime" if kind == ZONED else kind
        return "unsupported" if "unsupported" in self.kinds and "mixed" not in self.kinds else "mixed"

    @property
    def approximate(self) -> bool:
        """Something of it is not kept."""
        return isinstance(self.numbers, Cells) or self.others > 0

    def column(self) -> Column:
        """As a comparison takes it."""
        reason = self.reason
        if not reason and len(self.kinds) > 1:
            reason = f"some of its parts are {self.kinds[0]}, others {' or '.join(self.kinds[1:])}"
        known: dict[str, Any] = {}
        if isinstance(self.numbers, Distinct):
            each = self.numbers
            known = {"numbers": each.values, "counts": each.counts}
            known |= {"sample": each.sample} if each.weights is None else {"weights": each.weights}
        elif isinstance(self.numbers, Cells):
            known = {"cells": self.numbers}
        zoned = self.kinds == (ZONED,)
        return Column(**{**_alike(self), "kind": self.kind, "zoned": zoned, "reason": reason, **known})


def _alike(column: Column | Held) -> dict[str, Any]:
    """The fields that a column has and what is held of it."""
    return {name: getattr(column, name) for name in _ALIKE}


def _slack(a: Held, b: Held) -> float:
    """What counts of both together may miss: of a category that one has not kept, all that it had."""
    slack = a.slack + b.slack
    if a.most and b.tally.keys() - a.tally.keys():
        slack = max(slack, a.most + b.slack)
    if b.most and a.tally.keys() - b.tally.keys():
        slack = max(slack, a.slack + b.most)
    return slack


def _counted(x: np.ndarray, limits: Limits, before: Held | None) -> Distinct | Cells:
    """Without a sort where it is known that many values differ, and which cells are fine enough."""
    tally = tallied(x)
    if tally is not None:
        return Distinct(*tally)
    k = None
    if before is not None and isinstance(before.numbers, Cells) and len(x) >= _UNSORTED:
        k = before.numbers.k
    elif limits.values is not None and len(x) >= max(_UNSORTED, 8 * limits.values):
        some = ascending(x[:: len(x) // (2 * limits.values)])
        cells = Cells.of_more_than(limits.values, some, limits.cells)
        # more than are kept differ already, and of all values no finer cells are wanted than of some
        k = None if cells is None else cells.k
    unsorted = None if k is None else Cells.counted(x, k)
    if unsorted is not None:
        return unsorted
    x = ascending(x)
    many = None if limits.values is None else Cells.of_more_than(limits.values, x, limits.cells)
    return Distinct(*once(x)) if many is None else many


def _both(a: Distinct | Cells | None, b: Distinct | Cells | None) -> Distinct | Cells | None:
    if a is None or b is None:
        return b if a is None else a
    if isinstance(a, Distinct) and isinstance(b, Distinct):
        return a.merged(b)
    u, v = (Cells.of(side.values, side.counts) if isinstance(side, Distinct) else side for side in (a, b))
    return u.merged(v)
