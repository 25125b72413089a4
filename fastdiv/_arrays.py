"""The door: array-likes come in here, and errors about data go out.

Kernels never raise. They return NaN for a row they cannot score; the functions here look at those rows
afterwards, and only at those, to say what was wrong with them.
"""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["as_numbers"]

_HINTS = {
    "O": "; convert it to a numeric dtype first",
    "M": '; for exact differences pass x.view("i8") and remember the unit',
    "m": '; for exact differences pass x.view("i8") and remember the unit',
}


def as_numbers(values: Any, name: str) -> np.ndarray:
    """``values`` as a real-valued array (bool, integer or float of at most 64 bits); no copy where possible.

    Raises
    ------
    TypeError
        For objects, strings, dates, complex and long double, and for masked arrays with a masked entry.
    ValueError
        For ragged nested sequences.
    """
    if isinstance(values, np.ma.MaskedArray):
        if np.ma.is_masked(values):
            raise TypeError(f"{name} has masked entries, which have no value here; pass {name}.compressed()")
        values = values.data
    if isinstance(values, (list, tuple)) and any(np.ma.is_masked(part) for part in values):
        raise TypeError(f"{name} has masked entries, which have no value here; pass them without")
    try:
        array = np.asarray(values)
    except ValueError as error:
        raise ValueError(f"{name} is not a rectangular array: {error}") from None
    kind = array.dtype.kind
    if kind not in "biuf":
        raise TypeError(
            f"{name} has dtype {array.dtype}, but real numbers are needed (bool, integer or float)"
            + _HINTS.get(kind, "")
        )
    if array.dtype.itemsize > 8:
        raise TypeError(
            f"{name} has dtype {array.dtype}, which is not computed in; cast it explicitly, "
            f"for example {name}.astype(float)"
        )
    return array
