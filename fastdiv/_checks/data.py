"""What is wrong with data: the first entry that cannot be taken, told with its value and its place."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "Entry",
    "bad_mass",
    "first",
    "raise_bad_mass",
    "raise_bad_probability",
    "raise_bad_weight",
    "raise_missing",
    "raise_not_finite",
    "row",
]


class Entry(NamedTuple):
    """One entry, as errors tell it."""

    value: Any
    at: str
    """Where it stands in what was given: p[3, 1]."""
    place: str
    """Its row and bin: row 3, bin 1."""


def first(bad: np.ndarray, view: np.ndarray, name: str, axis: int) -> Entry | None:
    """The first entry, row by row, that is `bad`; `view` has that axis last that `axis` was in `name`."""
    if not bad.any():
        return None
    if not view.ndim:
        return Entry(view[()], name, "")
    *row, bin_ = (int(i) for i in np.unravel_index(int(bad.argmax()), bad.shape))
    at = list(row)
    at.insert(axis % view.ndim, bin_)
    place = f"bin {bin_}"
    if row:
        place = f"row {row[0] if len(row) == 1 else tuple(row)}, {place}"
    return Entry(view[(*row, bin_)], f"{name}[{', '.join(map(str, at))}]", place)


def row(bad: np.ndarray, view: np.ndarray, name: str, axis: int) -> str | None:
    """The first row that is `bad`, as one would write it: name, name[3] or name[:, 3]."""
    if not bad.any():
        return None
    at = [str(i) for i in np.unravel_index(int(bad.argmax()), bad.shape)]
    if axis % view.ndim < len(at):
        at.insert(axis % view.ndim, ":")
    return f"{name}[{', '.join(at)}]" if at else name


def raise_bad_mass(view: np.ndarray, name: str, axis: int, *, log_input: bool, nan_policy: str) -> None:
    """Raise for the first entry, row by row, that is no mass; ``view`` has its bins last, ``axis`` had them.

    A mass is finite and not negative; a log-probability is anything but ``inf``. NaN is an error under
    ``nan_policy="raise"`` only.
    """
    if view.dtype.kind in "bu":
        return
    if log_input:
        bad = view == np.inf
    else:
        bad = (view < 0) | (view == np.inf)
    if nan_policy == "raise":
        bad = bad | (view != view)
    found = first(bad, view, name, axis)
    if found is not None:
        raise bad_mass(name, found, log_input)


def bad_mass(name: str, found: Entry, log_input: bool) -> ValueError:
    """What to raise for an entry that is no mass."""
    if found.value != found.value:
        fault = "a missing value"
    elif log_input:
        fault = "an infinite log-probability"
    else:
        fault = "a negative mass" if found.value < 0 else "an infinite mass"
    return ValueError(f"{name} has {fault}: {found.at} = {found.value} ({found.place})")


def raise_bad_probability(array: np.ndarray, name: str) -> None:
    """Raise for the first entry outside [0, 1]; NaN passes."""
    found = first((array < 0) | (array > 1), array, name, -1)
    if found is not None:
        raise ValueError(f"{name} has a probability outside [0, 1]: {found.at} = {found.value}")


def raise_bad_weight(view: np.ndarray, name: str, axis: int = -1) -> None:
    """Raise for the first entry, row by row, that is no weight: NaN, infinite or negative."""
    if view.size == 0 or (view.min() >= 0 and view.max() < np.inf):  # NaN fails both
        return
    found = first(~(np.isfinite(view) & (view >= 0)), view, name, axis)
    if found is not None:
        raise ValueError(f"{name} must be finite and not negative, not {found.value}: {found.at}")


def raise_not_finite(view: np.ndarray, name: str, axis: int = -1) -> None:
    """Raise for the first entry that is NaN or infinite."""
    found = first(~np.isfinite(view), view, name, axis)
    if found is not None:
        raise ValueError(f"{name} must be finite, not {found.value}: {found.at}")


def raise_missing(view: np.ndarray, name: str, axis: int) -> None:
    """Raise for the first NaN, under ``nan_policy="raise"``."""
    found = first(np.isnan(view), view, name, axis) if view.dtype.kind == "f" else None
    if found is not None:
        raise ValueError(f"{name} has a missing value: {found.at} = {found.value}")
