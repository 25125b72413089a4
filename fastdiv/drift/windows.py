"""Windows of time: which one a moment lies in, where they begin, and what they are called.

Windows of hours, days and weeks are counted from Monday, 1970-01-05, 00:00 (UTC where times have a zone),
windows of months from January 1970: so the same moment lies in the same window, whatever else there is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

__all__ = ["Window", "window_of"]

_HOUR = 3600 * 10**6
_SIZES = {"h": _HOUR, "D": 24 * _HOUR, "W": 7 * 24 * _HOUR}
_MONDAY = 4 * 24 * _HOUR


@dataclass(frozen=True)
class Window:
    """So many hours, days or weeks ("h", "D", "W"), or months ("M")."""

    count: int
    unit: str

    def __str__(self) -> str:
        return f"{self.count}{self.unit}"

    def places(self, micros: np.ndarray) -> np.ndarray:
        """The number of the window of each moment, in microseconds since 1970."""
        if self.unit == "M":
            months = micros.view("M8[us]").astype("M8[M]").view(np.int64)
            return months // self.count
        return (micros - _MONDAY) // (self.count * _SIZES[self.unit])

    def begins(self, place: int) -> np.datetime64:
        if self.unit == "M":
            return np.datetime64(place * self.count, "M")
        return np.datetime64(place * self.count * _SIZES[self.unit] + _MONDAY, "us")

    def label(self, place: int) -> str:
        """The month, the first day, or the day and hour, in which it begins."""
        if self.unit == "M":
            return str(self.begins(place))
        text = str(self.begins(place).astype("M8[m]" if self.unit == "h" else "M8[D]"))
        return text.replace("T", " ")


def window_of(text: str) -> Window:
    """A window from a text such as 1h, 6h, 1D, 7D or 1M.

    Raises
    ------
    ValueError
        If it is none.
    """
    match = re.fullmatch(r"\s*(\d{0,6})\s*([hHdDwWM])\s*", text) if isinstance(text, str) else None  # type: ignore[redundant-expr]
    if not match or (match[1] and not int(match[1])):
        what = "hours, days, weeks or months, such as 6h, 1D, 1W or 1M"
        raise ValueError(f"window must be {what}, not {text!r}")
    unit = {"H": "h", "d": "D", "w": "W"}.get(match[2], match[2])
    return Window(int(match[1] or 1), unit)
