"""Errors in units in the last place, added up: how many, their mean, the largest and where it was."""

from __future__ import annotations

import math
from dataclasses import dataclass, field


@dataclass
class Errors:
    """Of one function. An error is counted in ulp of what it is measured against."""

    count: int = 0
    total: float = 0.0
    largest: float = -1.0
    where: str = ""

    def add(self, ulp: float, where: str) -> None:
        self.count += 1
        self.total += ulp
        if ulp > self.largest:
            self.largest, self.where = ulp, where

    @property
    def mean(self) -> float:
        return self.total / self.count if self.count else math.nan


@dataclass
class Verdict:
    """What a judge found: errors by function, broken promises, and how many values were looked at."""

    errors: dict[str, Errors] = field(default_factory=dict)
    broken: list[str] = field(default_factory=list)
    values: int = 0

    def add(self, kind: str, ulp: float | None, where: str) -> None:
        """None: infinite, below 1e-30, or of mixed sign, where ulps say nothing."""
        if ulp is not None:
            self.errors.setdefault(kind, Errors()).add(ulp, where)
