"""What the gradients of all row-wise measures share: their results, the words of their docstrings."""

from __future__ import annotations

from collections.abc import Callable
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import numpy as np

from fastdiv import _gradients, _rows
from fastdiv._faces import OPTIONS, RAISES, completed, spelled_out

if TYPE_CHECKING:
    from fastdiv._typing import Value

__all__ = ["ONLY", "Gradient", "LogitsGradient", "RowGradient", "gradient"]

#: Of a pair, the one array whose derivatives are asked for (fastdiv.torch); those by the other are None.
ONLY: ContextVar[str | None] = ContextVar("only", default=None)


class Gradient(NamedTuple):
    """A measure of two arrays of rows, and its derivatives by every entry of each.

    ``p`` and ``q`` have the shape to which the arrays broadcast: what each row's value depends on.
    """

    value: Value
    p: np.ndarray
    q: np.ndarray


class RowGradient(NamedTuple):
    """A measure of one array, of its rows or its stacks, and its derivatives by every entry."""

    value: Value
    p: np.ndarray


class LogitsGradient(NamedTuple):
    """A classifier's loss, and its derivatives by the logits."""

    value: Value
    logits: np.ndarray


_GRADIENTS = """\
Returns
-------
Gradient
    ``(value, p, q)``.

{notes}"""

_NOTES = """\
{raises}

Notes
-----
O(n) time and memory for a row of n bins.

With ``normalize=True`` the derivatives are by the masses as they were given, so those of a row are
orthogonal to it (a longer row is the same distribution); with False by the masses as they stand; with
``log_input=True`` by the logarithms, and those of a row add to 0. A bin without mass has the derivative
towards mass, which may be infinite. The relative error is at most 1e-12 of derivatives down to 1e-15 of the
row's mean slope (in rows of more than 4096 bins down to 2^-16 of it). With ``log_input=True``, in stacks and
in rows that span more than 240 decades it is at most 1e-12 of the larger of the two. A row whose value is not
finite has no gradient: ``ValueError`` names it."""

F = TypeVar("F", bound=Callable[..., Any])


def gradient(function: F) -> F:
    """A public gradient: docstring completed, options spelled out; small arrays go a short way."""
    own = {"{gradients}": _GRADIENTS, "{notes}": _NOTES, "{raises}": RAISES, "{options}": OPTIONS}
    function.__doc__ = completed(function.__doc__ or "", own)
    function.__module__ = "fastdiv.grad"
    name = "cross_entropy" if function.__name__ == "entropy" else function.__name__  # H(p) = H(p, p)
    face: F = _gradients.door(_rows.MEASURES.index(name), function, ONLY, Gradient, RowGradient)
    spelled_out(face, function)
    return face
