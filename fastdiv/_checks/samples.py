"""The door for samples and their weights: rows of numbers in, one clear sentence out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_exact_numbers, as_numbers, same_labels
from fastdiv._checks.data import raise_bad_mass, raise_bad_weight, raise_missing, raise_not_finite, row

__all__ = [
    "EXACT",
    "Rows",
    "Samples",
    "as_integers",
    "as_matrix",
    "check_weights",
    "common",
    "finite_pair",
    "has_big",
    "masses",
    "samples",
    "shares",
]

LargestWeight: TypeAlias = Callable[[np.ndarray], float]
"""Of plain float64 weights, the largest; not positive if one of them is no weight. In one compiled pass."""

EXACT = 2**53  # integers up to here are float64 numbers


class Rows(NamedTuple):
    """One sample per row: ``values`` (float64 or uint64) and ``weights``, None where all weigh the same."""

    values: np.ndarray
    weights: np.ndarray | None


class Samples(NamedTuple):
    """Two sets of samples, their rows matched by broadcasting (a single row may stand for many)."""

    u: Rows
    v: Rows
    shape: tuple[int, ...]  # of the result, without the sample axis
    axis: int  # where the sample axis was, counted from the end
    dtype: np.dtype[Any]  # of the result


def samples(
    u_values: Any,
    v_values: Any,
    u_weights: Any,
    v_weights: Any,
    axis: int,
    nan_policy: str,
    largest: LargestWeight | None = None,
    *,
    moved: bool = True,
) -> Samples:
    """The arguments of a function of two samples, checked and laid out in rows.

    `moved`: by `common`; else values are of the dtypes they came with.
    """
    nan_policy, axis = opt.policy(nan_policy), opt.integer(axis, "axis")
    same_labels({"u_values": u_values, "v_values": v_values}, axis, rows=True, entries=False)
    u, v = _values(u_values, "u_values", axis), _values(v_values, "v_values", axis)
    same_labels({"u_values": u_values, "u_weights": u_weights}, axis, rows=True)
    same_labels({"v_values": v_values, "v_weights": v_weights}, axis, rows=True)
    a = check_weights(u_weights, "u_weights", u, "u_values", axis, largest)
    b = check_weights(v_weights, "v_weights", v, "v_values", axis, largest)
    given = [x for x in (u, v, a, b) if x is not None]
    ndim = max(u.ndim, v.ndim)
    try:
        leading = np.broadcast_shapes(*(x.shape[:-1] for x in given))
    except ValueError:
        raise ValueError(
            f"u_values of shape {u.shape} and v_values of shape {v.shape} (sample axis last) "
            "do not broadcast along the other axes"
        ) from None
    if moved:
        u, v = common(u, v)
    if a is None and b is not None:
        a = np.ones(u.shape[-1:])
    if b is None and a is not None:
        b = np.ones(v.shape[-1:])
    if nan_policy == "raise":
        raise_missing(u, "u_values", axis)
        raise_missing(v, "v_values", axis)
    position = axis if axis < 0 else axis - ndim
    return Samples(_rows(u, a, leading), _rows(v, b, leading), leading, position, opt.result_dtype(*given))


def finite_pair(
    u_values: Any,
    v_values: Any,
    u_weights: Any,
    v_weights: Any,
    largest: LargestWeight | None = None,
    *,
    moved: bool = True,
) -> Samples:
    """The arguments of a function of a single pair of samples, all finite; `moved` as in `samples`."""
    given = samples(u_values, v_values, u_weights, v_weights, -1, "propagate", largest, moved=moved)
    if given.shape != ():
        arrays = {"u_values": u_values, "v_values": v_values, "u_weights": u_weights, "v_weights": v_weights}
        shapes = " and ".join(f"{n} of shape {np.shape(x)}" for n, x in arrays.items() if np.ndim(x) > 1)
        raise ValueError(f"this takes one pair of samples, not {shapes}")
    for rows, name in ((given.u, "u_values"), (given.v, "v_values")):
        raise_not_finite(rows.values[0], name)
    return given


def _values(values: Any, name: str, axis: int) -> np.ndarray:
    array = as_exact_numbers(values, name)
    return opt.axis_last(array, name, axis, "a sample", "values")


def masses(values: Any, name: str, axis: int) -> np.ndarray:
    """The masses of a histogram with its bins last: finite (or NaN) and not negative."""
    array = opt.axis_last(as_numbers(values, name), name, axis, "a histogram", "bins")
    raise_bad_mass(array, name, axis, log_input=False, nan_policy="propagate")
    return array


def check_weights(
    weights: Any,
    name: str,
    values: np.ndarray,
    whose: str,
    axis: int,
    largest: LargestWeight | None = None,
) -> np.ndarray | None:
    """Weights with the sample axis last, finite and >= 0, each sample with some mass."""
    if weights is None:
        return None
    array = as_numbers(weights, name)
    if array.ndim == 0:
        raise ValueError(f"{name} is a single number; give one weight per value of {whose}")
    if array.ndim > 1:
        array = opt.axis_last(array, name, axis, "a sample", "weights")
    if array.shape[-1] != values.shape[-1]:
        raise ValueError(
            f"{name} has {array.shape[-1]} weights per sample, but {whose} has {values.shape[-1]} values"
        )
    plain = array.ndim == 1 and array.dtype == np.float64 and array.flags.c_contiguous and array.flags.aligned
    if plain and largest is not None and largest(array) > 0:
        return array
    raise_bad_weight(array, name, axis)
    empty = row(np.asarray(array.max(axis=-1) == 0), array, name, axis)
    if empty is not None:
        raise ValueError(f"{empty} are all zero; a sample needs some mass")
    return array


def common(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Both samples as float64 or uint64: see ``common_or_rounded``."""
    return common_or_rounded(u, v)[:2]


def common_or_rounded(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray, bool]:
    """Both samples as float64, or as uint64 where float64 would merge integers that differ.

    Distances do not change under translation, so big integers are moved to start at 0: exact in float64 if
    they span at most 2^53, else as uint64. Only a range of 2^64 and more, or integers beyond 2^53 against
    floats with fractions (or, in a range beyond 2^53, against NaN and infinities), is rounded to float64:
    then the third is True.
    """
    sides = [_Whole(as_integers(x, y), y) for x, y in ((u, v), (v, u))]
    wide = any(x.whole.dtype.kind in "iu" and x.whole.dtype.itemsize == 8 for x in sides)
    if not wide or any(x.whole.dtype.kind not in "biu" or not x.whole.size for x in sides):
        rounded = wide and (has_big(u) or has_big(v))
        return np.asarray(u, np.float64), np.asarray(v, np.float64), rounded
    low, high = min(int(x.whole.min()) for x in sides), max(int(x.whole.max()) for x in sides)
    narrow = high - low <= EXACT
    if max(-low, high) <= EXACT or high - low >= 2**64 or not (narrow or all(x.plain for x in sides)):
        return np.asarray(u, np.float64), np.asarray(v, np.float64), max(-low, high) > EXACT
    origin = np.uint64(low % 2**64)
    moved = [_modulo_2_64(x.whole) - origin for x in sides]  # wraps round, as it must
    if not narrow:
        return moved[0], moved[1], False
    return sides[0].put(moved[0].astype(np.float64)), sides[1].put(moved[1].astype(np.float64)), False


class _Whole:
    """The integers of a sample: it, or what is finite of floats beside big integers."""

    def __init__(self, x: np.ndarray, other: np.ndarray) -> None:
        self.x, self.whole, self.plain = x, x, True
        if x.dtype.kind == "f" and has_big(other):
            self.finite = np.isfinite(x)
            self.plain = bool(self.finite.all())
            if not self.plain:
                self.whole = as_integers(x[self.finite], other)

    def put(self, moved: np.ndarray) -> np.ndarray:
        """The sample with other integers; NaN and infinities stay."""
        if self.plain:
            return moved
        whole = self.x.astype(np.float64)
        whole[self.finite] = moved
        return whole


def as_integers(x: np.ndarray, other: np.ndarray) -> np.ndarray:
    """x as 64-bit integers, if it is floats that all are integers and `other` has some beyond 2^53."""
    if x.dtype.kind != "f" or not x.size or not has_big(other):
        return x
    low, high = float(x.min()), float(x.max())
    if not (low >= -(2.0**63) and high < (2.0**63 if low < 0 else 2.0**64) and (np.floor(x) == x).all()):
        return x
    return x.astype(np.int64 if low < 0 else np.uint64)


def has_big(x: np.ndarray) -> bool:
    """Whether some are integers beyond 2^53."""
    if x.dtype.kind not in "iu" or x.dtype.itemsize < 8 or not x.size:
        return False
    return max(-int(x.min()), int(x.max())) > EXACT


def _modulo_2_64(x: np.ndarray) -> np.ndarray:
    """Integers of any width as uint64, negative ones wrapped round."""
    if x.dtype.kind == "i":
        return np.asarray(x, np.int64).view(np.uint64)
    return np.asarray(x, np.uint64)


def _rows(values: np.ndarray, weights: np.ndarray | None, leading: tuple[int, ...]) -> Rows:
    """Matrices of rows. A sample without batch axes stays one row, whatever the other side has."""
    if weights is not None:
        weights = as_matrix(np.asarray(weights, np.float64), leading)
    return Rows(as_matrix(values, leading), weights)


def as_matrix(array: np.ndarray, leading: tuple[int, ...]) -> np.ndarray:
    """The array as C-contiguous rows: one, or as many as `leading` has; copied where needed."""
    n = array.shape[-1]
    if all(k == 1 for k in array.shape[:-1]) and 0 not in leading:
        return np.ascontiguousarray(array.reshape(1, n))
    return np.ascontiguousarray(np.broadcast_to(array, (*leading, n)).reshape(-1, n))


def shares(weights: np.ndarray | None, n: int) -> np.ndarray:
    """Weights scaled to sum to 1; None stands for n equal ones."""
    if weights is None:
        return np.full(n, 1 / n)
    scaled = weights / weights.max()
    return np.asarray(scaled / scaled.sum())
