"""From a formula of shares to a public function that takes and refuses what the compiled one does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import FunctionType
from typing import TYPE_CHECKING, Any, TypeVar, cast

import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.rows import rows
from fastdiv._faces import spelled_out
from fastdiv.reference.shares import Array, against_logits, from_logits, from_masses

if TYPE_CHECKING:
    from typing import Unpack

    from fastdiv._typing import ArrayLike, LogOptions, Options, Row, Value

__all__ = ["log_pair", "log_row", "mixture", "order", "pair", "twin"]

F = TypeVar("F", bound=Callable[..., Any])


# --- faces: each returns the arrays by name, the options, and what else the formula is given -------------


def log_row(p: ArrayLike, **options: Unpack[LogOptions]) -> Value:
    return {"p": p}, options, {}


def pair(p: ArrayLike, q: ArrayLike, **options: Unpack[Options]) -> Value:
    return {"p": p, "q": q}, options, {}


def log_pair(p: ArrayLike, q: ArrayLike, **options: Unpack[LogOptions]) -> Value:
    return {"p": p, "q": q}, options, {}


def mixture(
    p: ArrayLike, q: ArrayLike | None = None, *, weights: Row | None = None, **options: Unpack[LogOptions]
) -> Value:
    return {"p": p} if q is None else {"p": p, "q": q}, options, {"weights": weights}


def order(p: ArrayLike, q: ArrayLike, alpha: float, **options: Unpack[LogOptions]) -> Value:
    return {"p": p, "q": q}, options, {"alpha": alpha}


# --- the call ------------------------------------------------------------------------------------------


def twin(face: F, *, root: bool = False) -> Callable[[Callable[..., Array]], F]:
    """Makes a formula in nats public under its own name, with the arguments of `face`.

    `root`: the formula is a square root, taken after the change of base.
    """

    def publish(formula: Callable[..., Array]) -> F:
        read = FunctionType(face.__code__, face.__globals__, formula.__name__, face.__defaults__)
        read.__qualname__, read.__kwdefaults__ = formula.__name__, face.__kwdefaults__

        def measure(*args: Any, **given: Any) -> Value:
            arrays, options, parameters = read(*args, **given)
            return _score(measure, formula, arrays, options, parameters, root)

        measure.__name__ = measure.__qualname__ = formula.__name__
        measure.__doc__, measure.__module__ = formula.__doc__, formula.__module__
        measure.__annotations__ = read.__annotations__ = face.__annotations__
        spelled_out(measure, read)
        return cast("F", measure)

    return publish


def _score(
    measure: Any,
    formula: Callable[..., Array],
    arrays: dict[str, Any],
    given: Mapping[str, Any],
    parameters: dict[str, Any],
    root: bool,
) -> Value:
    """Check everything, score the rows, and hand back what the caller asked for."""
    is_stack = "weights" in parameters and "q" not in arrays
    x = rows(arrays, opt.row_options(measure, given), is_stack=is_stack, weights=parameters.get("weights"))
    x.refuse_bad_masses()
    o = x.options
    with np.errstate(all="ignore"):  # inf and NaN are answers here; the checks above found what is not
        table = np.stack(np.broadcast_arrays(*(v.astype(np.float64) for v in x.views.values())))
        if x.is_stack:
            table = np.moveaxis(table[0], -2, 0)
        table = np.ascontiguousarray(table)  # the order of a sum must not depend on the layout
        missing = np.isnan(table).any(axis=0)
        is_log = [o.is_log(name) for name in x.views] if not x.is_stack else [o.log_input is True]
        none = np.where(is_log, -np.inf, 0.0).reshape(-1, *[1] * (table.ndim - 1))
        table = np.where(missing, none, table)
        void = missing.all(-1) if o.nan_policy == "omit" else missing.any(-1)
        if o.log_input == "q":
            shares = against_logits(np.where(missing, 0.0, table[0] + o.pseudocount), table[1], o.normalize)
        elif o.log_input:
            shares = from_logits(table, o.normalize)
        else:
            shares = from_masses(np.where(missing, 0.0, table + o.pseudocount), o.normalize)
        if o.normalize:
            known = shares.x[:1] if o.log_input == "q" else shares.x
            void = void | ~((known + 0.0).sum(-1) > 0).all(axis=0)
        unit = 1.0 if o.base is None else np.log(o.base)
        value = np.where(void, np.nan, formula(shares, **parameters)) / (np.sqrt(unit) if root else unit)
        result: Value = value.reshape(x.shape).astype(x.dtype)
    if o.out is None:
        return result[()]
    o.out[...] = result
    return o.out
