"""The file of a baseline: a header, a directory in JSON, and arrays of little-endian numbers.

    bytes    what
    16       magic, b"fastdiv profile\\n"
    4        version of the format, 1
    4        0
    8        bytes of the directory, a multiple of 8
    8        bytes of the whole file
    32       SHA-256 of all bytes above and all below this field
    ...      the directory, JSON in ASCII, blanks at its end
    ...      the arrays, each at a multiple of 8

An array's entry in the directory is [offset from the end of the directory, type, length]; counts are in the
narrowest type that holds them, sums of weights are doubles. The directory has a column's fields by their
names in :class:`fastdiv.drift.held.Held`. Nothing in the file is run, and what cannot be as it is written is
refused, checksum or not.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import astuple
from hashlib import sha256
from itertools import pairwise
from math import isfinite
from pathlib import Path
from typing import Any

import numpy as np

from fastdiv.drift.cells import LAST_K, Cells
from fastdiv.drift.columns import KINDS, ZONED, Mass, Table, TableError, one_line
from fastdiv.drift.held import Distinct, Held, Limits

__all__ = ["decoded", "encoded", "open_profile", "read", "table_of"]

MAGIC, VERSION = b"fastdiv profile\n", 1
_HEAD = struct.Struct("<16sIIQQ32s")
_OPEN = _HEAD.size - 32  # what stands before the checksum

_NUMBERS = ("<i1", "<i2", "<i4", "<i8", "<u1", "<u2", "<u4", "<u8", "<f2", "<f4", "<f8")


class _Wrong(Exception):
    """What is wrong with the content of a file whose bytes are as they were written."""


# -- writing -------------------------------------------------------------------------------------------------


def encoded(label: str, columns: Sequence[Held], limits: Limits, weights: str = "") -> bytes:
    """The file as bytes: the same for the same content."""
    arrays: list[bytes] = []
    length = 0

    def stored(array: np.ndarray) -> list[Any]:
        nonlocal length
        kind = array.dtype.newbyteorder("<")
        raw = array.astype(kind, copy=False).tobytes()
        entry = [length, kind.str.replace("|", "<"), len(array)]
        arrays.append(raw + b"\0" * (-len(raw) % 8))
        length += len(arrays[-1])
        return entry

    entries = [_entry(held, stored) for held in columns]
    content = {"label": label, "values": limits.values, "categories": limits.categories, "columns": entries}
    if weights:
        content["weights"] = weights
    directory = json.dumps(content, separators=(",", ":"), allow_nan=False).encode("ascii")
    directory += b" " * (-len(directory) % 8)
    head = _HEAD.pack(MAGIC, VERSION, 0, len(directory), _HEAD.size + len(directory) + length, b"")
    rest = b"".join([directory, *arrays])
    return head[:_OPEN] + _checksum(head, memoryview(rest)) + rest


def _entry(held: Held, stored: Any) -> dict[str, Any]:
    entry: dict[str, Any] = {
        "name": held.name,
        "kinds": held.kinds,
        "rows": held.rows,
        "missing": held.missing,
        "others": held.others,
        "most": held.most,
        "slack": held.slack,
        "reason": held.reason,
        "note": held.note,
    }
    numbers = held.numbers
    if held.mass is not None:
        entry["mass"] = list(astuple(held.mass))
    if isinstance(numbers, Distinct) and numbers.weights is not None:
        entry["weighted"] = {
            "values": stored(numbers.values),
            "counts": stored(_narrow(numbers.counts)),
            "weights": stored(numbers.weights),
        }
    elif isinstance(numbers, Distinct):
        once = numbers.counts.max() == 1
        entry["distinct"] = {
            "values": stored(numbers.values),
            "counts": None if once else stored(_narrow(numbers.counts)),
            "moments": numbers.moments,
        }
    elif isinstance(numbers, Cells):
        entry["cells"] = {
            "k": numbers.k,
            "whole": numbers.whole,
            "rounded": numbers.rounded,
            "first": stored(numbers.first),
            "last": stored(numbers.last),
            "counts": stored(_narrow(numbers.counts)),
            "low": stored(_narrow(numbers.low)),
            "high": stored(_narrow(numbers.high)),
        }
    if held.tally:
        names = sorted(held.tally)
        counts = np.array([held.tally[name] for name in names], np.int64 if held.mass is None else np.float64)
        entry["tally"] = {"names": names, "counts": stored(counts if held.mass else _narrow(counts))}
    return entry


def _narrow(counts: np.ndarray) -> np.ndarray:
    return counts.astype(np.min_scalar_type(int(counts.max())))


def _checksum(head: bytes, rest: memoryview) -> bytes:
    digest = sha256(head[:_OPEN])
    digest.update(rest)
    return digest.digest()


_Content = tuple[str, list[Held], Limits, str]


# -- reading -------------------------------------------------------------------------------------------------


def read(path: str | os.PathLike[str]) -> _Content:
    """Label, columns, limits and the column of weights in a file; a TableError says what is wrong with it."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise TableError(f"{os.fspath(path)}: {one_line(error.strerror or error)}") from None
    return decoded(data, os.fspath(path))


def decoded(data: bytes, path: str) -> _Content:
    """The same from the bytes of a file."""
    if data[: len(MAGIC)] != MAGIC:
        raise TableError(f"{path}: is no profile of fastdiv" + ("" if data else ", but empty"))
    if len(data) < _HEAD.size:
        raise TableError(f"{path}: is cut off in its header")
    _, version, _, size, total, checksum = _HEAD.unpack_from(data)
    if version != VERSION:
        raise TableError(
            f"{path}: is a profile of version {version}, of which this fastdiv knows only {VERSION}; "
            "make it anew with fastdiv profile"
        )
    if len(data) < total:
        raise TableError(f"{path}: is cut off after {len(data)} of {total} bytes")
    if len(data) > total or _checksum(data, memoryview(data)[_HEAD.size :]) != checksum:
        raise TableError(f"{path}: is damaged: its bytes are not those that were written")
    try:
        return _content(data, size)
    except _Wrong as error:
        raise TableError(f"{path}: is damaged: {error}") from None
    except (AttributeError, KeyError, TypeError, ValueError, OverflowError, RecursionError):
        raise TableError(f"{path}: is damaged: its directory makes no sense") from None


def _content(data: bytes, size: int) -> _Content:
    start = _HEAD.size + size
    if size % 8 or start > len(data):
        raise _Wrong("its directory does not fit into it")
    text = data[_HEAD.size : start].decode("ascii")
    content = json.loads(text, parse_float=_finite, parse_constant=_finite)

    def array(entry: Any, kinds: Sequence[str]) -> np.ndarray:
        offset, kind, length = entry
        if kind not in kinds:
            raise _Wrong(f"an array is of type {kind!r:.20}")
        whole = all(type(x) is int and x >= 0 for x in (offset, length))
        if not whole or offset % 8 or start + offset + length * np.dtype(kind).itemsize > len(data):
            raise _Wrong("an array does not fit into it")
        found = np.frombuffer(data, kind, length, start + offset)
        return found.astype(found.dtype.newbyteorder("="), copy=False)

    limits = Limits(*(x if x is None else _whole(x, 1) for x in (content["values"], content["categories"])))
    weights = _text(content.get("weights", ""))
    columns = [_column(entry, array) for entry in content["columns"]]
    if any((held.mass is not None) != bool(weights) for held in columns):
        raise _Wrong("its weights are not those of all columns")
    if len({held.name for held in columns}) < len(columns) or len({held.rows for held in columns}) > 1:
        raise _Wrong("its columns are not those of one table")
    return _text(content["label"]), columns, limits, weights


def _column(entry: Mapping[str, Any], array: Any) -> Held:
    name = _text(entry["name"])
    kinds = tuple(entry["kinds"])
    if any(kind not in (*KINDS, ZONED) for kind in kinds) or not all(a < b for a, b in pairwise(kinds)):
        raise _Wrong(f"column {name!r} is of no known kind")
    rows, missing = _whole(entry["rows"]), _whole(entry["missing"])
    mass = _mass(entry["mass"]) if "mass" in entry else None
    amount: Any = _whole if mass is None else _weight
    others, most, slack = (amount(entry[key]) for key in ("others", "most", "slack"))
    if not 0 <= missing <= rows or not rows:
        raise _Wrong(f"column {name!r} misses more values than it has rows")
    numbers: Distinct | Cells | None = None
    counts = np.zeros(1, np.int64)
    tally: dict[str, int] = {}
    if "distinct" in entry:
        numbers = _distinct(entry["distinct"], array)
        counts = numbers.counts
    elif "weighted" in entry:
        numbers = _weighted(entry["weighted"], array)
        assert numbers.weights is not None
        counts = numbers.weights
        if numbers.total != rows - missing:
            raise _Wrong(f"the counts of column {name!r} do not add up")
    elif "cells" in entry:
        numbers = _cells(entry["cells"], array)
        counts = numbers.counts
    elif "tally" in entry:
        counts = array(entry["tally"]["counts"], _NUMBERS[4:8] if mass is None else ["<f8"])
        tally = dict(zip(map(_text, entry["tally"]["names"]), counts.tolist(), strict=True))
        if len(tally) < len(counts):
            raise _Wrong(f"column {name!r} has a category twice")
    held = Held(
        name,
        kinds,
        rows,
        missing,
        numbers,
        tally,
        others,
        most,
        slack,
        _text(entry["reason"]),
        _text(entry["note"]),
        mass,
    )
    numeric, counted = held.kind in ("numeric", "datetime"), held.kind in ("categorical", "boolean")
    sound = not held.reason and (numeric or counted)
    if (numbers is not None) != (sound and numeric) or bool(tally) != (sound and counted):
        raise _Wrong(f"column {name!r} does not hold what its kind says")
    lost = bool(others) == bool(most) and slack <= most
    if sound and not (lost and _add_up(counts, others, rows - missing, mass)):
        raise _Wrong(f"the counts of column {name!r} do not add up")
    return held


def _add_up(counts: np.ndarray, others: float, present: int, mass: Mass | None) -> bool:
    """Of weights, but for what rounding in any order of merges may do."""
    if mass is None:
        return counts.min() >= 1 and _sum(counts) + others == present
    total = float(counts.sum()) + others
    return bool(counts.min() > 0) and abs(total - mass.present) <= 1e-9 * total


def _mass(entry: Any) -> Mass:
    mass = Mass(*map(_weight, entry))
    if mass.present + mass.missing == 0 or mass.squares + mass.squares_missing == 0:
        raise _Wrong("its weights are none")
    return mass


def _sum(counts: np.ndarray) -> int:
    if counts.sum(dtype=np.float64) > 2.0**62:  # beyond which a sum could wrap round
        raise _Wrong("its counts are none")
    return int(counts.sum(dtype=np.int64))


def _weighted(entry: Mapping[str, Any], array: Any) -> Distinct:
    values, counts = array(entry["values"], _NUMBERS), array(entry["counts"], _NUMBERS[4:8]).astype(np.int64)
    weights = array(entry["weights"], ["<f8"])
    _ascends(values, counts)
    if len(weights) != len(values) or counts.min() < 1 or not (weights.min() > 0 and weights.max() < np.inf):
        raise _Wrong("its weights are none")
    return Distinct(values, counts, weights)


def _ascends(values: np.ndarray, counts: np.ndarray) -> None:
    if (
        len(values) != len(counts)
        or not len(values)
        or not np.all(values[1:] > values[:-1])
        or values[0] != values[0]
    ):
        raise _Wrong("its values do not ascend")


def _distinct(entry: Mapping[str, Any], array: Any) -> Distinct:
    values = array(entry["values"], _NUMBERS)
    if entry["counts"] is None:
        counts = np.broadcast_to(np.int64(1), len(values))
    else:
        counts = array(entry["counts"], _NUMBERS[4:8]).astype(np.int64)
    _ascends(values, counts)
    found = Distinct(values, counts)
    if entry["moments"] is not None:
        mean, sd = entry["moments"]
        if not all(type(x) in (int, float) for x in (mean, sd)):
            raise _Wrong("a mean is no number")
        low, high = values[0].item(), values[-1].item()
        span = high - low
        far = 1e-9 * span + 1e-15 * max(abs(low), abs(high))  # a sum may be rounded
        if not (isfinite(low) and isfinite(high) and low - far <= mean <= high + far and 0 <= sd <= span):
            raise _Wrong("a mean is not that of its values")
        found.sample.__dict__["moments"] = float(mean), float(sd)  # where cached_property keeps it
    elif found.moments is not None:
        raise _Wrong("a mean is missing")
    return found


def _cells(entry: Mapping[str, Any], array: Any) -> Cells:
    k, whole, rounded = _whole(entry["k"]), entry["whole"], entry["rounded"]
    first, last = (array(entry[key], ["<u8"]) for key in ("first", "last"))
    counts, low, high = (array(entry[key], _NUMBERS[4:8]) for key in ("counts", "low", "high"))
    if k > LAST_K or type(whole) is not bool or type(rounded) is not bool:
        raise _Wrong("its cells are none")
    if not len(counts) or counts.min() < 1:
        raise _Wrong("a cell is empty")
    same = len(first) == len(last) == len(counts) == len(low) == len(high)
    keys = first >> np.uint64(k)
    if (
        not same
        or not np.all(keys[1:] > keys[:-1])
        or np.any(last >> np.uint64(k) != keys)
        or np.any(first > last)
    ):
        raise _Wrong("its cells do not ascend")
    found = Cells(
        k,
        keys,
        counts.astype(np.int64),
        low.astype(np.uint64),
        high.astype(np.uint64),
        first,
        last,
        whole,
        rounded,
    )
    if _sum(found.counts) >= 2**37 or not found.sound:
        raise _Wrong("its cells have their mean outside")
    return found


def _whole(value: Any, least: int = 0) -> int:
    if type(value) is not int or not least <= value < 2**63:
        raise _Wrong(f"{value!r:.20} is no count")
    return value


def _finite(text: str) -> float:
    value = float(text)
    if not isfinite(value):
        raise _Wrong("a number is not finite")
    return value


def _weight(value: Any) -> float:
    if type(value) not in (int, float) or not 0 <= value < float("inf"):
        raise _Wrong(f"{value!r:.20} is no weight")
    return value  # type: ignore[no-any-return]


def _text(value: Any) -> str:
    if type(value) is not str:
        raise _Wrong(f"{value!r:.20} is no text")
    return value


def open_profile(path: Path, categorical: frozenset[str]) -> Table:
    """The table that a profile stands for, of which nothing can be counted in another way any more."""
    _, columns, _, weights = read(path)
    for held in columns:
        if held.name in categorical and held.kind in ("numeric", "datetime"):
            raise TableError(
                f"{path}: holds {held.name!r} as {held.kind}; to have categories, make it with --categorical"
            )
    return table_of(str(path), columns, weights)


def table_of(label: str, columns: Sequence[Held], weights: str = "") -> Table:
    """What a comparison reads."""
    by_name = {held.name: held for held in columns}
    names = tuple(by_name)
    return Table(label, names, lambda names: (by_name[name].column() for name in names), weights=weights)
