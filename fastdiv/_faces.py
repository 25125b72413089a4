"""The faces of functions that share their options: what all of them show, told once.

A function is written ``def name(p, q, **options: Unpack[Options])``, or ``LogOptions`` where it has a base.
Type checkers read that; here signatures are spelled out of it, docstrings completed, and the compiled
measures get their way in. Nothing is imported before it is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any, TypeVar, cast

if TYPE_CHECKING:
    from inspect import Signature

    from fastdiv._typing import CrossOptions, LogOptions, Options, Value

__all__ = [
    "OPTIONS",
    "RAISES",
    "completed",
    "measure",
    "of_samples",
    "score",
    "score_events",
    "spelled",
    "spelled_out",
]

F = TypeVar("F", bound=Callable[..., Any])

# of values and of gradients, which take no out
OPTIONS = """\
axis : int, default -1
    The axis that holds the bins.
keepdims : bool, default False
    Keep that axis with length 1.
normalize : bool, default True
    Divide each row by its sum. False takes the masses as they stand, whatever they add to.
pseudocount : float, default 0.0
    Added to every bin, in float64, before normalising.
log_input : bool, default False
    The entries are log-probabilities or logits, ``-inf`` for no mass; rows are normalised by log-sum-exp,
    so nothing underflows.
nan_policy : {"propagate", "omit", "raise"}
    What a NaN does: make its row's value NaN; drop its bin, from all rows compared; raise."""

RAISES = """\
Raises
------
ValueError
    A negative or infinite mass (argument, row and bin are named), different numbers of bins, no bins, an
    option out of range, a NaN with ``nan_policy="raise"``.
TypeError
    Entries that are not real numbers, options of a wrong type."""

_SHARED = {
    "{pair}": """\
p, q : array_like
    Masses of at least one axis; all axes but `axis` broadcast, the numbers of bins agree. Or histograms that
    know their bins, which must be the same: of UHI (boost-histogram, hist), or (counts, edges), a tuple.""",
    "{base}": """\
base : float, optional
    Base of the logarithm, finite and greater than 1. None: nats.""",
    "{options}": f"""\
{OPTIONS}
out : ndarray, optional
    Where to put the result: its exact shape and dtype.""",
    "{raises}": f"""\
{RAISES}

Notes
-----
O(n) time for a row of n bins. Memory for the result, and for blocks: arrays are not copied whole.
Of a data frame of pandas or polars the result is a Series, labelled by the rows, of an array of xarray one
with its coordinates; with `keepdims` or `out` it is an array.""",
    "{samples}": """\
u_values, v_values : array_like, shape (..., n) and (..., m)
    The samples, along `axis`; the other axes broadcast.
u_weights, v_weights : array_like, shape (..., n) and (..., m), optional
    A weight >= 0 for each value; only ratios within a sample matter. Equal weights by default.
axis : int, default -1
    The axis of the samples.
assume_sorted : bool, default False
    Trust that both samples ascend along `axis`. This is not checked.
keepdims : bool, default False
    Keep `axis` with length 1.
nan_policy : {"propagate", "omit", "raise"}
    What a NaN among the values does: make its result NaN, be left out together with its weight, or raise.""",
    "{of samples}": """\
Returns
-------
float or ndarray
    One value for each pair of samples. float64, or float32 where all arrays given are.

Raises
------
ValueError
    For negative, infinite, NaN or all-zero weights, empty samples and shapes that do not fit.
TypeError
    For values that are no real numbers.

Notes
-----
O(n log n) time for n values of both samples together, O(n) if they are sorted; O(n) memory.
Results of frames are labelled by what is left of them: by the columns along ``axis=0``.""",
}


def completed(text: str, own: Mapping[str, str] | None = None) -> str:
    """The docstring with what its markers stand for, at their margin; `own` ones may hold others.

    From Python 3.13 on docstrings come without the margin that their lines have in common.
    """
    margin = "    " if "\n    Parameters\n" in text else ""
    own = own or {}
    for marker, words in (*own.items(), *_SHARED.items()):
        text = text.replace(margin + marker, margin + words.replace("\n", "\n" + margin))
    return text


class _Spelled:
    """Stands where ``inspect.signature`` looks for what is wrapped, and spells its options out.

    Only when asked: a first call need not import ``inspect``.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        self.__wrapped__ = function

    @property
    def __signature__(self) -> Signature:
        from inspect import Parameter, signature

        from fastdiv import _typing
        from fastdiv._checks.options import defaults

        written = signature(self.__wrapped__)
        *own, options = written.parameters.values()
        annotated = getattr(_typing, options.annotation.removeprefix("Unpack[").removesuffix("]"))
        for name, default in defaults(self.__wrapped__).items():
            kind = annotated.__annotations__[name]
            text = getattr(kind, "__forward_arg__", kind)
            own.append(Parameter(name, Parameter.KEYWORD_ONLY, default=default, annotation=text))
        return written.replace(parameters=own)


def spelled_out(face: Any, function: Callable[..., Any]) -> None:
    """Let `face` show the signature of `function`, with each of its options by name."""
    face.__wrapped__ = _Spelled(function)


def spelled(function: F) -> F:
    """A function that shows each of its options by name."""

    @wraps(function)
    def face(*args: Any, **options: Any) -> Any:
        return function(*args, **options)

    spelled_out(face, function)
    return cast("F", face)


def measure(function: F) -> F:
    """A public measure of ``fastdiv.information``: one pair of plain vectors goes a short way of its own."""
    from fastdiv import _rows

    function.__doc__ = completed(function.__doc__ or "")
    function.__module__ = "fastdiv.information"
    name = "cross_entropy" if function.__name__ == "entropy" else function.__name__  # H(p) = H(p, p)
    face: F = _rows.door(_rows.MEASURES.index(name), function)
    spelled_out(face, function)
    return face


def of_samples(function: F) -> F:
    """A distance between samples: its docstring completed, its options spelled out."""
    function.__doc__ = completed(function.__doc__ or "")
    return spelled(function)


def score(
    measure: Any, arrays: dict[str, Any], options: Options | LogOptions | CrossOptions, **parameters: Any
) -> Value:
    """The long way: see ``fastdiv._rowwise``."""
    from fastdiv._rowwise import score as long_way

    return long_way(measure, arrays, options, **parameters)


def score_events(measure: str, p: Any, base: float | None) -> Value:
    """Single probabilities: see ``fastdiv._rowwise``."""
    from fastdiv._rowwise import score_events as long_way

    return long_way(measure, p, base)
