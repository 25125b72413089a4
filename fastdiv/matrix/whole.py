"""Samples of integers that no one array of floats tells: what each pair of rows is compared as.

A pair is a matter of its two rows. Distances do not change under translation, so integers are moved to start
at 0: exact in float64 where they span at most 2^53, in uint64 where they span less than 2^64. What spans more
is rounded to float64, and so are integers beside fractions. NaN and infinities decide alone what comes out.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from fastdiv._checks.samples import EXACT

__all__ = ["WholeRows"]

Array = np.ndarray[Any, Any]

_SURE = 2.0**16  # what ends of rows may be off as floats, several times


class WholeRows:
    """Sorted rows, those of whole numbers also as integers modulo 2^64."""

    def __init__(self, array: Array) -> None:
        self.array = array
        if array.dtype.kind == "f":
            self.is_whole = _whole_rows(array)
            given = np.where(self.is_whole[:, np.newaxis], array, 0.0).astype(np.float64)
            high = given >= 2.0**63
            signed = np.where(high, given - 2.0**63, given).astype(np.int64)
            self.bits: Array = signed.view(np.uint64) + np.where(high, np.uint64(2**63), np.uint64(0))
        else:
            self.is_whole = np.ones(len(array), bool)
            given = array if array.dtype == np.uint64 else array.astype(np.int64)
            self.bits = given if array.dtype == np.uint64 else given.view(np.uint64)
        self.low, self.high = given[:, 0], given[:, -1]
        # else float64 has them as they stand
        small = (self.low >= (0 if given.dtype.kind == "u" else -EXACT)) & (self.high <= EXACT)
        self.is_big = ~small & (array.dtype.kind != "f")

    def compared(self, i: int, other: WholeRows) -> Iterator[tuple[Array, Array, Array]]:
        """Numbers of rows of `other`, each of them once, with row i and these rows: floats, or all uint64."""
        low, high = int(self.low[i]), int(self.high[i])
        whole = other.is_whole & bool(self.is_whole[i])
        whole &= other.is_big | bool(self.is_big[i])
        span = np.maximum(other.high.astype(float), float(high)) - np.minimum(
            other.low.astype(float), float(low)
        )
        narrow, wide = span <= EXACT, span < 2.0**64
        for j in np.flatnonzero(whole & ((abs(span - EXACT) < _SURE) | (abs(span - 2.0**64) < _SURE))):
            exact = max(high, int(other.high[j])) - min(low, int(other.low[j]))
            narrow[j], wide[j] = exact <= EXACT, exact < 2**64
        for some, exactly in ((whole & narrow, np.float64), (whole & wide & ~narrow, np.uint64)):
            rows = np.flatnonzero(some)
            if rows.size:
                least = low if exactly is np.float64 else min(low, int(min(other.low[rows])))
                origin = np.uint64(least % 2**64)
                left, right = (
                    self.bits[i : i + 1] - origin,
                    other.bits[rows] - origin,
                )  # wraps round, as it must
                if exactly is np.float64:
                    left, right = left.astype(float), right.view(np.int64).astype(float)
                yield rows, left, right
        rows = np.flatnonzero(~(whole & wide))
        if rows.size:
            yield rows, self.array[i : i + 1].astype(float), other.array[rows].astype(float)


def _whole_rows(array: Array) -> Array:
    """Which rows of floats are integers of 64 bits, with a sign or without."""
    low, high = array[:, 0], array[:, -1]
    with np.errstate(invalid="ignore"):
        fits = (low >= -(2.0**63)) & (high < np.where(low < 0, 2.0**63, 2.0**64))
        is_whole: Array = fits & (np.floor(array) == array).all(axis=1)
    return is_whole
