"""What a call may ask for: every option is checked here, once, for the compiled measures and their twins.

Options are wrong in their type (``TypeError``) or in their value (``ValueError``); one sentence says what was
got and what is taken. Faults of data are data.py's.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from operator import index
from typing import Any, NamedTuple

import numpy as np

__all__ = [
    "RowOptions",
    "SampleOptions",
    "axis_last",
    "bins_last",
    "check_out",
    "checked",
    "count",
    "defaults",
    "flag",
    "integer",
    "last_back",
    "log_base",
    "mixture_weights",
    "not_negative",
    "policy",
    "positive",
    "renyi_order",
    "result_dtype",
    "result_shape",
    "row_options",
    "row_shape",
    "sample_options",
    "smoothing",
    "stack_last",
    "wasserstein_order",
]

_FLOAT32, _FLOAT64 = np.dtype(np.float32), np.dtype(np.float64)

NAN_POLICIES = ("propagate", "omit", "raise")


def _real(value: Any, name: str) -> float:
    """A real scalar as a float; a bool is a slip of the pen, not a number."""
    if isinstance(value, np.ndarray) and value.ndim == 0:
        value = value[()]
    if not isinstance(value, (int, float, np.integer, np.floating)) or isinstance(value, bool):
        raise TypeError(f"{name} must be a real number, not {value!r}")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} must fit a float, not {value!r}") from None


# --- all options of a call ---------------------------------------------------------------------------------


class RowOptions(NamedTuple):
    """What row-wise measures take, with the defaults."""

    base: float | None = None
    axis: int = -1
    keepdims: bool = False
    normalize: bool = True
    pseudocount: float = 0.0
    log_input: bool | str = False
    nan_policy: str = "propagate"
    out: np.ndarray[Any, Any] | None = None

    def is_log(self, name: str) -> bool:
        """Whether the entries of the array of this name are logarithms."""
        return self.log_input is True or self.log_input == name


class SampleOptions(NamedTuple):
    """What distances of samples take, with the defaults."""

    axis: int = -1
    assume_sorted: bool = False
    keepdims: bool = False
    nan_policy: str = "propagate"


def defaults(function: Any) -> dict[str, Any]:
    """The options of a function by name, as they are annotated: for type checkers and for calls."""
    kind = function.__annotations__["options"].removeprefix("Unpack[").removesuffix("]")
    found: dict[str, Any] = (SampleOptions if kind == "SampleOptions" else RowOptions)._field_defaults
    without = {
        "Options": ("base",),
        "GradientOptions": ("base", "out"),
        "LogGradientOptions": ("out",),
        "CrossGradientOptions": ("out",),
    }
    return {name: value for name, value in found.items() if name not in without.get(kind, ())}


def refuse_unknown(function: Any, given: Mapping[str, Any]) -> None:
    """An option that a function does not have, in Python's words."""
    known = defaults(function) if given else {}
    for name in given:
        if name not in known:
            raise TypeError(f"{function.__name__}() got an unexpected keyword argument {name!r}")


def row_options(measure: Any, given: Mapping[str, Any]) -> RowOptions:
    """The options of a call of a row-wise measure, each checked."""
    if not given:
        return RowOptions()
    refuse_unknown(measure, given)
    return checked(RowOptions(**given), measure.__name__ == "cross_entropy")


def checked(x: RowOptions, takes_logits: bool = False) -> RowOptions:
    """Options of rows, each checked; of masses against logits ``log_input`` is ``"q"``."""
    log_input = x.log_input
    if not (takes_logits and isinstance(log_input, str) and log_input == "q"):
        log_input = flag(log_input, "log_input")
    return RowOptions(
        log_base(x.base),
        integer(x.axis, "axis"),
        flag(x.keepdims, "keepdims"),
        flag(x.normalize, "normalize"),
        smoothing(x.pseudocount, log_input is True),
        log_input,
        policy(x.nan_policy),
        x.out,
    )


def sample_options(distance: Any, given: Mapping[str, Any]) -> SampleOptions:
    """The options of a call of a distance of samples, each checked."""
    refuse_unknown(distance, given)
    x = SampleOptions(**given)
    return SampleOptions(
        integer(x.axis, "axis"),
        flag(x.assume_sorted, "assume_sorted"),
        flag(x.keepdims, "keepdims"),
        policy(x.nan_policy),
    )


# --- options one by one ------------------------------------------------------------------------------------


def flag(value: Any, name: str) -> bool:
    """True or False, and nothing that merely passes for it (``normalize="no"`` is truthy)."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be True or False, not {value!r}")
    return bool(value)


def log_base(base: Any) -> float | None:
    """The base of the logarithm, None for nats. Bases up to 1 would make divergences negative or infinite."""
    if base is None:
        return None
    number = _real(base, "base")
    if not 1.0 < number < math.inf:
        raise ValueError(f"base must be finite and greater than 1 (None for nats), not {base!r}")
    return number


def policy(nan_policy: Any) -> str:
    """One of ``NAN_POLICIES``."""
    if not isinstance(nan_policy, str) or nan_policy not in NAN_POLICIES:
        raise ValueError(
            f"nan_policy must be one of {', '.join(map(repr, NAN_POLICIES))}, not {nan_policy!r}"
        )
    return nan_policy


def not_negative(value: Any, name: str) -> float:
    """A real number, finite and at least 0."""
    number = _real(value, name)
    if not 0.0 <= number < math.inf:
        raise ValueError(f"{name} must be finite and not negative, not {value!r}")
    return number


def smoothing(pseudocount: Any, log_input: bool = False) -> float:
    """The mass added to every bin; logarithms have no place for it."""
    number = not_negative(pseudocount, "pseudocount")
    if number and log_input:
        raise ValueError("pseudocount has no meaning with log_input=True, where masses are logarithms")
    return number


def renyi_order(alpha: Any) -> float:
    """The order of a Renyi divergence, 0 to infinity inclusive."""
    number = _real(alpha, "alpha")
    if not number >= 0.0:
        raise ValueError(f"alpha must be from 0 to infinity, not {alpha!r}")
    return number


def wasserstein_order(p: Any, *, infinite: bool = True) -> float:
    """The order of a Wasserstein distance, 1 to infinity, inclusive where `infinite`."""
    number = _real(p, "p")
    if not number >= 1.0:
        raise ValueError(f"p must be from 1 to infinity, not {p!r}")
    if number == math.inf and not infinite:
        raise ValueError(f"p must be finite here, not {p!r}")
    return number


def positive(value: Any, name: str) -> float:
    """A real number, finite and greater than 0."""
    number = _real(value, name)
    if not 0.0 < number < math.inf:
        raise ValueError(f"{name} must be positive and finite, not {value!r}")
    return number


def integer(value: Any, name: str) -> int:
    """An integer of Python or NumPy; a bool is a slip of the pen here, too."""
    if isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} must be an integer, not {value!r}")
    try:
        return index(value)
    except TypeError:
        raise TypeError(f"{name} must be an integer, not {value!r}") from None


def count(value: Any, name: str, least: int = 1) -> int:
    """An integer of at least 1, or `least`."""
    number = integer(value, name)
    if number < least:
        raise ValueError(f"{name} must be at least {least}, not {value!r}")
    return number


def mixture_weights(weights: Any, count: int) -> np.ndarray:
    """``count`` weights of a mixture as float64 with sum 1; None weighs all the same."""
    if weights is None:
        return np.full(count, 1.0 / count)
    from fastdiv._checks.arrays import as_numbers
    from fastdiv._checks.data import raise_bad_weight

    given = as_numbers(weights, "weights")
    if given.shape != (count,):
        raise ValueError(f"weights must have shape ({count},), one for each distribution, not {given.shape}")
    w: np.ndarray = given.astype(np.float64)
    raise_bad_weight(w, "weights")
    top = w.max()
    if top == 0:
        raise ValueError("weights are all zero, but at least one must be positive")
    # a power of two first, so that neither huge nor subnormal weights spoil the sum
    w = np.ldexp(w, -int(np.frexp(top)[1]))
    w /= math.fsum(w)
    return w


# --- shapes and results --------------------------------------------------------------------------------


def bins_last(array: np.ndarray, name: str, axis: Any) -> np.ndarray:
    """A view with the bins on the last axis: at least one axis, at least one bin."""
    return axis_last(array, name, axis, "a distribution", "bins")


def axis_last(array: np.ndarray, name: str, axis: Any, sample: str, parts: str) -> np.ndarray:
    """A view with `axis`, which holds the `parts` of a `sample`, moved last."""
    number = integer(axis, "axis")
    if array.ndim == 0:
        raise ValueError(f"{name} is 0-d, but {sample} needs at least one axis")
    if not -array.ndim <= number < array.ndim:
        raise np.exceptions.AxisError(number, array.ndim, name)
    where = number % array.ndim
    if array.shape[where] == 0:
        raise ValueError(
            f"{name} has no {parts}: its shape is {array.shape} and axis {axis} holds the {parts}"
        )
    return array if where == array.ndim - 1 else np.moveaxis(array, where, -1)


def last_back(array: np.ndarray, axis: int) -> np.ndarray:
    """The last axis moved to where `axis` says. (moveaxis takes 5 us to move nothing.)"""
    return array if axis in (-1, array.ndim - 1) else np.moveaxis(array, -1, axis)


def stack_last(array: np.ndarray, name: str, axis: Any) -> np.ndarray:
    """As ``bins_last``, for a stack: the axis before the bins holds at least two distributions."""
    view = bins_last(array, name, axis)
    if view.ndim < 2:
        raise ValueError(f"{name} is 1-d, but without q it must be a stack of distributions (at least 2-d)")
    if view.shape[-2] < 2:
        raise ValueError(f"{name} holds {view.shape[-2]} distribution(s), but at least 2 are compared")
    return view


def row_shape(views: Sequence[np.ndarray], names: Sequence[str] = ("p", "q")) -> tuple[int, ...]:
    """The broadcast shape of the rows of views with bins last; bins must agree in number, 1 included."""
    bins = [view.shape[-1] for view in views]
    if len(set(bins)) > 1:
        raise ValueError(
            " but ".join(f"{n} has {b} bin{'s' * (b != 1)}" for n, b in zip(names, bins, strict=True))
        )
    try:
        return np.broadcast_shapes(*(view.shape[:-1] for view in views))
    except ValueError:
        shapes = " and ".join(f"{n} {v.shape[:-1]}" for n, v in zip(names, views, strict=True))
        raise ValueError(f"the rows do not broadcast: their shapes are {shapes}") from None


def result_shape(rows: tuple[int, ...], axis: int, keepdims: bool, stack: bool = False) -> tuple[int, ...]:
    """The shape of the result; ``keepdims`` puts a 1 where the bins (and the stack's axis) were."""
    if not keepdims:
        return rows
    ones = (1, 1) if stack else (1,)
    where = axis if axis >= 0 else axis + len(rows) + len(ones)
    kept = (*rows, *ones[1:])
    return (*kept[:where], 1, *kept[where:])


def result_dtype(*arrays: Any) -> np.dtype[Any]:
    """float32 where every array (or side) is float32 (of either byte order), float64 otherwise."""
    for array in arrays:
        dtype = array.dtype
        if dtype.itemsize != 4 or dtype.kind != "f":
            return _FLOAT64
    return _FLOAT32


def check_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any]) -> None:
    """``out`` takes the result as it is: exactly its shape and dtype, and writable."""
    if not isinstance(out, np.ndarray):
        raise TypeError(f"out must be a NumPy array, not {type(out).__name__}")
    if out.dtype != dtype:
        raise TypeError(f"out has dtype {out.dtype}, but the result has dtype {dtype}")
    if out.shape != shape:
        raise ValueError(f"out has shape {out.shape}, but the result has shape {shape}")
    if not out.flags.writeable:
        raise ValueError("out is read-only")
