"""From where on a column has moved, or moved a lot: of all columns or of one, from a TOML file."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from math import inf, isfinite
from typing import Any

from fastdiv.drift import edges
from fastdiv.drift.columns import TableError

__all__ = ["A_LOT", "MEASURES", "MOVED", "Thresholds", "thresholds_of"]

MEASURES = ("js", "w1_over_sd", "missing")

MOVED = {"js": 0.05, "w1_over_sd": 0.05, "missing": 1.0}
A_LOT = {"js": 0.2, "w1_over_sd": 0.5, "missing": 10.0}


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What verdicts go by.

    Attributes
    ----------
    alpha : float
        The share of columns that may be said to have moved, among all that are said so, though they have not.
    moved, a_lot : mapping of str to float
        From where on a measure has moved: `js`, `w1_over_sd`, and `missing` in percentage points.
    columns : mapping of str to Thresholds
        Of columns that have their own.
    binning : mapping of str to mapping
        ``bins``, ``continuous`` and ``edges`` of columns that have theirs.
    """

    alpha: float = 0.01
    moved: Mapping[str, float] = field(default_factory=lambda: dict(MOVED))
    a_lot: Mapping[str, float] = field(default_factory=lambda: dict(A_LOT))
    columns: Mapping[str, Thresholds] = field(default_factory=dict)
    binning: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    def of(self, column: str) -> Thresholds:
        return self.columns.get(column, self)


def thresholds_of(given: Any) -> Thresholds:
    """Thresholds from a mapping, from the path of a TOML file that holds one, or from None.

    Raises
    ------
    TableError
        If the file cannot be read or says what it must not. (It is a ValueError.)
    ValueError
        If a mapping does.
    """
    if given is None:
        return Thresholds()
    if isinstance(given, Thresholds):
        return given
    if isinstance(given, Mapping):
        return _checked(given, Thresholds(), "thresholds", top=True)
    if not isinstance(given, (str, os.PathLike)):
        raise TypeError(
            f"thresholds must be a mapping or the path of a TOML file, not {type(given).__name__}"
        )
    import tomllib

    try:
        with open(given, "rb") as file:
            held = tomllib.load(file)
    except OSError as error:
        raise TableError(f"{given}: {error.strerror or error}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise TableError(f"{given}: is no TOML: {error}") from None
    try:
        return _checked(held, Thresholds(), "thresholds", top=True)
    except ValueError as error:
        raise TableError(f"{given}: {error}") from None


def _checked(given: Mapping[str, Any], base: Thresholds, where: str, top: bool = False) -> Thresholds:
    known = ("alpha", "moved", "moved_a_lot", *(["columns"] if top else edges.KEYS))
    for key in given:
        if key not in known:
            raise ValueError(f"{where} must hold {', '.join(known[:-1])} or {known[-1]}, not {key!r}")
    alpha = given.get("alpha", base.alpha)
    if not _number(alpha) or not 0 < alpha < 1:
        raise ValueError(f"alpha of {where} must be a number between 0 and 1, not {alpha!r}")
    levels = {}
    for key, standing in (("moved", base.moved), ("moved_a_lot", base.a_lot)):
        part = given.get(key, {})
        if not isinstance(part, Mapping):
            raise ValueError(f"{key} of {where} must be a table of thresholds, not {part!r}")
        for name, value in part.items():
            if name not in MEASURES:
                raise ValueError(f"{key} of {where} must name {', '.join(MEASURES)}, not {name!r}")
            if not _number(value) or not value >= 0:
                raise ValueError(f"{name} in {key} of {where} must be a number of 0 or more, not {value!r}")
        levels[key] = {**standing, **part}
    for name in MEASURES:
        low, high = levels["moved"][name], levels["moved_a_lot"][name]
        if low > high:
            raise ValueError(
                f"{name} in moved_a_lot of {where} must be at least that in moved, {low:g}, not {high:g}"
            )
    made = Thresholds(float(alpha), levels["moved"], levels["moved_a_lot"])
    columns = given.get("columns", {})
    if not isinstance(columns, Mapping):
        raise ValueError(f"columns of {where} must be a table of columns, not {columns!r}")
    for name, own in columns.items():
        if not isinstance(own, Mapping):
            raise ValueError(f"columns.{name} of {where} must be a table of thresholds, not {own!r}")
    limits = {name: _checked(own, made, f"column {name!r}") for name, own in columns.items()}
    binning = {name: edges.checked(own, f"column {name!r}") for name, own in columns.items()}
    return replace(
        made,
        columns={name: limits[name] for name, own in columns.items() if not own or {*own} - {*edges.KEYS}},
        binning={name: own for name, own in binning.items() if own},
    )


def _number(value: Any) -> bool:
    return (
        isinstance(value, (int, float)) and not isinstance(value, bool) and (isfinite(value) or value == inf)
    )
