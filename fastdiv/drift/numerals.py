"""How the numbers of a CSV file are written, and columns of them as arrays."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cached_property

import numpy as np

from fastdiv.drift.columns import TableError

__all__ = ["Numerals"]


class Numerals:
    """Numbers with a decimal mark and a separator of thousands.

    With marks of their own cells are held to them: groups have three digits (the first one to three, or all
    but the last two, as in India), so that 1.2 is not 12 where a point separates thousands, but text among
    numbers.

    Parameters
    ----------
    decimal : str, default "."
    thousands : str, optional

    Raises
    ------
    TableError
        If one is no single character, could be part of a number, or both are the same.
    """

    def __init__(self, decimal: str = ".", thousands: str | None = None) -> None:
        for name, mark in (("decimal", decimal), ("thousands", thousands)):
            if mark is None and name == "thousands":
                continue
            if not isinstance(mark, str) or len(mark) != 1 or mark.isalnum() or mark in '+-"\r\n':
                raise TableError(f"{name} must be one character that no number has else, not {mark!r}")
        if decimal == thousands:
            raise TableError(f"decimal and thousands must be two characters, not both {decimal!r}")
        self.decimal, self.thousands = decimal, thousands

    @property
    def usual(self) -> bool:
        return self.decimal == "." and self.thousands is None

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        point, whole = re.escape(self.decimal), r"\d+"
        if self.thousands is not None:
            mark = re.escape(self.thousands)
            whole = rf"(?:\d+|\d{{1,3}}(?:{mark}\d{{3}})+|\d{{1,2}}(?:{mark}\d\d)+{mark}\d{{3}})"
        return re.compile(rf"\s*[+-]?(?:{whole}(?:{point}\d*)?|{point}\d+)(?:[eE][+-]?\d+)?\s*", re.ASCII)

    def read(self, cells: Sequence[str]) -> tuple[np.ndarray, bool] | None:
        """The cells as int64 or uint64 if all are whole and fit, else as float64; None if one is no number.

        And whether float64 rounds what are whole numbers.
        """
        if self.usual:
            return _numbers(cells)
        number, special = self.pattern.fullmatch, _SPECIAL.fullmatch
        if not all(number(cell) or special(cell) for cell in cells):
            return None
        # a blank may be the mark, and a mark of one cell is none of another
        text = "\n".join(map(str.strip, cells)).replace(self.thousands or "\n\n", "")
        return _numbers(text.replace(self.decimal, ".").split("\n") if cells else cells)


_SPECIAL = re.compile(r"\s*[+-]?(inf|infinity|nan)\s*", re.IGNORECASE | re.ASCII)


def _numbers(cells: Sequence[str]) -> tuple[np.ndarray, bool] | None:
    array: np.ndarray
    rounded = False
    try:
        try:
            array = np.fromiter(map(int, cells), np.int64, len(cells))
        except OverflowError:
            whole = list(map(int, cells))
            rounded = min(whole) < 0 or max(whole) >= 2**64
            array = np.array(list(map(float, cells)) if rounded else whole, float if rounded else np.uint64)
    except ValueError:
        try:
            array = np.fromiter(map(float, cells), np.float64, len(cells))
        except ValueError:
            return None
    # Python reads 1_000 and the digits of every script as numbers; no other CSV reader does
    text = "".join(cells)
    return (array, rounded) if text.isascii() and "_" not in text else None
