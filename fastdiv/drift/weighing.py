"""Two weighted columns of numbers, counted on the same bins: as unweighted ones, with sums for counts.

Weights are divided by their mean, so that they add up to the number of values. Bins follow the rules for
values: quantiles by weight, as many as the effective number of values allows.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import sqrt

import numpy as np

from fastdiv.drift.binning import (
    MIN_PER_BIN,
    Bars,
    Cuts,
    bar_edges,
    cuts_at,
    each_value,
    mostly_once,
)
from fastdiv.drift.cells import shifted, starts_of
from fastdiv.drift.columns import Column
from fastdiv.drift.edges import Binning
from fastdiv.drift.samples import Sample, finite, scale_of
from fastdiv.drift.weights import parts_of, sums_from

__all__ = ["Weighted", "bars"]


@dataclass(frozen=True)
class Weighted:
    """Distinct values that ascend, how many rows have each, and what these weigh over the mean weight."""

    values: np.ndarray
    counts: np.ndarray
    weights: np.ndarray

    @staticmethod
    def of(column: Column, values: np.ndarray) -> Weighted:
        """A column's, with its values in the type in which they are compared."""
        assert column.counts is not None
        assert column.weights is not None
        weights = column.weights / column.unit
        at = starts_of(values)
        if len(at) >= len(values):  # each once, or none at all
            return Weighted(values, column.counts, weights)
        # equal in the narrower type
        return Weighted(
            values[at],
            np.add.reduceat(column.counts, at),
            sums_from(at, weights),
        )

    @cached_property
    def _parts(self) -> list[np.ndarray]:
        return [*parts_of(self.weights)]

    @cached_property
    def upto(self) -> np.ndarray:
        return np.cumsum(self.weights)

    def finite(self) -> Weighted:
        inner = finite(self.values)
        if inner == slice(0, len(self.values)):
            return self
        return Weighted(self.values[inner], self.counts[inner], self.weights[inner])

    def quantile(self, level: np.ndarray | float) -> np.ndarray:
        """The values at which the share `level` of the weight is passed."""
        at = np.searchsorted(self.upto, self.upto[-1] * np.asarray(level), "right")
        found: np.ndarray = self.values[np.minimum(at, len(self.values) - 1)]
        return found

    def cuts(self, how: Binning, effective: float) -> tuple[Cuts, bool]:
        """By the rules for values; and whether each value has a bin of its own."""
        if how.edges:
            return how.edge_cuts(self.values.dtype), False
        if not how.continuous and len(self.values) <= how.bins and not mostly_once(self.counts):
            return each_value(self.values), True
        bins = min(how.bins, max(1, int(effective) // MIN_PER_BIN))
        return cuts_at(self.quantile(np.arange(bins + 1) / bins), self.values[-1:]), False

    def between(self, ends: np.ndarray) -> np.ndarray:
        """The weight before the first end, between ends, and from the last on."""
        starts = np.append(0, ends)
        many = np.diff(starts, append=len(self.values))
        total = np.zeros(len(many))
        total[many > 0] = sums_from(starts[many > 0], self.weights, self._parts)
        return total

    @property
    def sample(self) -> Sample:
        """The values, each as often as it weighs."""
        return Sample(self.values, self.weights)

    def scaled(self, effective: float) -> Sample:
        """The same with weights that add up to the effective number of values."""
        return Sample(self.values, self.weights * (effective / float(self.weights.sum())))

    def moments(self) -> tuple[float, float]:
        """Mean and standard deviation, from the median on; 1e200 squared is no float."""
        low, high, middle = self.values[0].item(), self.values[-1].item(), self.quantile(0.5).item()
        scale = scale_of(low, high)
        if self.values.dtype.kind == "f":
            rise = self.values.astype(np.float64) * (1 / scale) - middle / scale
        else:
            rise = np.array([x - middle for x in self.values.tolist()], np.float64) / scale
        total = float(self.weights.sum())
        mean = float(np.sum(self.weights * rise)) / total
        variance = max(float(np.sum(self.weights * np.square(rise - mean))) / total, 0.0)
        return shifted(middle, scale, mean), scale * sqrt(variance)


def bars(x: Weighted, y: Weighted) -> Bars:
    """As of samples without weights."""
    inner = [side for side in (x.finite(), y.finite()) if len(side.values)]
    ends = [(side.quantile(0.01), side.quantile(0.99)) for side in inner]
    edges, between = bar_edges(
        [side.values for side in inner], min(e[0] for e in ends), max(e[1] for e in ends)
    )
    u, v = (side.between(np.searchsorted(side.values, edges)) for side in (x, y))
    return Bars(u, v, between)
