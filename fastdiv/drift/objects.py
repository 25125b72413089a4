"""Columns of Python objects: lists, object arrays, and the columns of a frame that Arrow does not take.

None, NaN, NaT, pandas' NA and masked entries are missing. What is left is of one class, or the column is told
as mixed, with the first value of the rarest class.
"""

from __future__ import annotations

import datetime as dt
import sys
from collections import Counter
from collections.abc import Container, Iterable, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

import numpy as np

from fastdiv.drift.columns import ROUNDED, TOO_FAR, Column, micros_of, seconds_of

__all__ = ["as_text", "column_of_objects", "factorised", "object_array", "present", "texts_of"]

# The first that fits: True is an int and a datetime a date, to Python.
_CLASSES = (
    ("booleans", (bool, np.bool_)),
    ("durations", (dt.timedelta, np.timedelta64)),
    ("numbers", (int, float, np.integer, np.floating, Decimal, Fraction)),
    ("text", (str, bytes)),
    ("dates", (dt.date, np.datetime64)),
)


def object_array(values: Iterable[Any]) -> np.ndarray:
    """One entry for each value, whatever it is: lists stay lists."""
    values = list(values)
    array = np.empty(len(values), object)
    for i, value in enumerate(values):
        array[i] = value
    return array


def factorised(objects: np.ndarray, missing: Container[Any] = ()) -> tuple[np.ndarray, np.ndarray]:
    """For each value its place among the distinct ones, -1 where it is missing; and these."""
    nothing, places = _nothing(), dict[Any, int]()
    codes = np.empty(len(objects), np.int64)
    for i, value in enumerate(objects.tolist()):
        gone = _missing(value, nothing) or value in missing
        codes[i] = -1 if gone else places.setdefault(value, len(places))
    return codes, object_array(places)


def present(objects: np.ndarray, missing: Container[Any] = ()) -> np.ndarray:
    """Which of the values are not missing."""
    nothing = _nothing()
    return np.array([not (_missing(x, nothing) or x in missing) for x in objects.tolist()], bool)


def texts_of(distinct: np.ndarray, categorical: bool) -> list[str]:
    """What the tally of a column of objects calls them."""
    truths = not categorical and all(isinstance(value, (bool, np.bool_)) for value in distinct.tolist())
    return [as_text(value).lower() if truths else as_text(value) for value in distinct.tolist()]


def column_of_objects(name: str, objects: np.ndarray, categorical: bool, masked: int = 0) -> Column:
    """A column from a one-dimensional object array; `masked` rows are missing already."""
    rows = len(objects) + masked
    nothing = _nothing()
    present = [value for value in objects.tolist() if not _missing(value, nothing)]
    missing = rows - len(present)
    if not present:
        return Column(name, "missing", rows, missing)
    class_of = {type_: _class(type_) for type_ in set(map(type, present))}
    odd = [type_.__name__ for type_, class_ in class_of.items() if class_ is None]
    if odd:
        reason = f"values of type {', '.join(sorted(odd))} are not compared"
        return Column(name, "unsupported", rows, missing, reason=reason)
    if categorical:
        return Column(name, "categorical", rows, missing, tally=dict(Counter(map(as_text, present))))
    count: Counter[str] = Counter()
    for type_, times in Counter(map(type, present)).items():
        count[class_of[type_] or ""] += times
    kinds = [kind for kind, _ in count.most_common()]
    if len(kinds) > 1:
        row, value = next(
            (i, v) for i, v in enumerate(objects.tolist()) if class_of.get(type(v)) == kinds[-1]
        )
        reason = f"mixes {' and '.join(kinds)} (row {row}: {value!r:.60})"
        return Column(name, "mixed", rows, missing, reason=reason)
    if kinds[0] == "text":
        return Column(name, "categorical", rows, missing, tally=dict(Counter(map(as_text, present))))
    if kinds[0] == "booleans":
        tally = dict(Counter("true" if value else "false" for value in present))
        return Column(name, "boolean", rows, missing, tally=tally)
    if kinds[0] == "numbers":
        numbers, note = _numbers(present)
        return Column(name, "numeric", rows, missing, numbers, note=note)
    dates = kinds[0] == "dates"
    try:
        numbers, zoned = _micros(present) if dates else (np.array(list(map(_one_duration, present))), False)
    except (OverflowError, ValueError):
        return Column(name, "unsupported", rows, missing, reason=TOO_FAR)
    except TypeError:
        reason = "some of its dates have a time zone and some have none"
        return Column(name, "mixed", rows, missing, reason=reason)
    return Column(name, "datetime" if dates else "numeric", rows, missing, numbers, zoned=zoned)


def _nothing() -> list[Any]:
    """pandas' NA and NumPy's masked, if they were ever imported."""
    names = (("pandas", "NA"), ("numpy.ma", "masked"))
    loaded = [(sys.modules[module], name) for module, name in names if module in sys.modules]
    return [getattr(module, name) for module, name in loaded if hasattr(module, name)]  # or half loaded yet


def _missing(value: Any, nothing: Sequence[Any]) -> bool:
    if value is None or any(value is one for one in nothing):
        return True
    if isinstance(value, Decimal):
        return value.is_nan()
    if isinstance(value, (float, np.floating, np.datetime64, np.timedelta64, dt.date, dt.timedelta)):
        return bool(value != value)
    return type(value).__name__ == "NaTType"


def _class(type_: type) -> str | None:
    return next((kind for kind, types in _CLASSES if issubclass(type_, types)), None)


def as_text(value: Any) -> str:
    """What a category is called: equal numbers alike, be they of another type, and times in any unit."""
    if isinstance(value, bytes):
        return value.decode("utf-8", "backslashreplace")
    if isinstance(value, Decimal):
        whole = abs(value) < 2**64 and value == int(value)
        return (
            str(int(value)) if whole else format(value.normalize(), "f") if value.is_finite() else str(value)
        )
    if isinstance(value, (float, np.floating)):
        x = float(value)
        return str(int(x)) if abs(x) < 2**64 and x == int(x) else str(value)
    if isinstance(value, (dt.date, np.datetime64)):
        micros, aware = _one_date(value)
        stamp = (
            str(np.datetime64(micros, "us"))
            .replace("T", " ")
            .removesuffix(".000000")
            .removesuffix(" 00:00:00")
        )
        return f"{stamp}Z" if aware else stamp
    return str(value)


def _numbers(values: Sequence[Any]) -> tuple[np.ndarray, str]:
    """As int64 or uint64 if all are whole and fit, else float64; and a note if that rounds integers."""
    whole = [int(value) for value in values if isinstance(value, (int, np.integer))]
    if len(whole) == len(values):
        low, high = min(whole), max(whole)
        for dtype in (np.int64, np.uint64):
            if np.iinfo(dtype).min <= low and high <= np.iinfo(dtype).max:
                return np.array(whole, dtype), ""
    rounded = bool(whole) and max(-min(whole), max(whole)) > 2**53
    return np.array([_float(value) for value in values], np.float64), ROUNDED if rounded else ""


def _float(value: Any) -> float:
    try:
        return float(value)
    except OverflowError:
        return np.inf if value > 0 else -np.inf


def _micros(values: Sequence[Any]) -> tuple[np.ndarray, bool]:
    """Microseconds since 1970, int64, and whether they name a time zone: then they are in UTC."""
    stamps = [_one_date(value) for value in values]
    if len({aware for _, aware in stamps}) > 1:
        raise TypeError("time zones")
    return np.array([micros for micros, _ in stamps], np.int64), stamps[0][1]


_DAY = 86_400 * 10**6


def _one_duration(value: Any) -> float:
    """In seconds."""
    if isinstance(value, np.timedelta64):
        seconds = seconds_of(np.array([value]))
        if seconds is None:
            raise OverflowError
        return float(seconds[0])
    micros, nanos = _whole(value), getattr(value, "nanoseconds", 0)  # of pandas
    return (1000 * micros + nanos) / 10**9 if nanos else micros / 10**6


def _whole(value: dt.timedelta) -> int:
    return (value.days * 86_400 + value.seconds) * 10**6 + value.microseconds


def _one_date(value: Any) -> tuple[int, bool]:
    if isinstance(value, np.datetime64):
        return _rescaled(value), False
    if not isinstance(value, dt.datetime):
        return (value.toordinal() - dt.date(1970, 1, 1).toordinal()) * _DAY, False
    aware = value.tzinfo is not None
    epoch = dt.datetime(1970, 1, 1, tzinfo=dt.UTC if aware else None)
    return _whole(value - epoch), aware


def _rescaled(value: np.generic) -> int:
    scaled = micros_of(np.array([value]))
    if scaled is None:
        raise OverflowError
    return int(scaled[0])
