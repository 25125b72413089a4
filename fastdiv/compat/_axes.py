"""What the functions of ``scipy.stats`` share: axes, masks, and what a NaN does."""

from __future__ import annotations

import sys
from typing import Any

import numpy as np

__all__ = ["flattened", "kept", "numbers", "reduced", "widened"]


def numbers(values: Any, name: str) -> tuple[np.ndarray, np.ndarray | None]:
    """A real array of at least one axis, and where it is masked (None: nowhere)."""
    ma = sys.modules.get("numpy.ma")  # whoever has a masked array has loaded it
    mask = None
    if ma is not None and isinstance(values, ma.MaskedArray):
        mask = np.atleast_1d(ma.getmaskarray(values)) if ma.is_masked(values) else None
        values = values.data
    array = np.atleast_1d(np.asarray(values))
    if array.dtype.kind not in "biuf" or array.dtype.itemsize > 8:
        raise TypeError(f"{name} must hold real numbers of at most 64 bits, not {array.dtype}")
    return array, mask


def reduced(axis: Any, ndim: int) -> tuple[int, ...]:
    """The axes that a result is without, counted from the front."""
    if axis is None:
        return tuple(range(ndim))
    axes = []
    for a in np.atleast_1d(axis).tolist():
        if not isinstance(a, (int, float)) or int(a) != a:
            raise np.exceptions.AxisError("`axis` must be an integer, a tuple of integers, or `None`.")
        if not -ndim <= a < ndim:
            raise np.exceptions.AxisError(f"`axis` is out of bounds for array of dimension {ndim}")
        axes.append(int(a) % ndim)
    if len(set(axes)) < len(axes):
        raise np.exceptions.AxisError("`axis` must contain only distinct elements")
    return tuple(sorted(axes))


def flattened(arrays: list[np.ndarray], axes: tuple[int, ...] | None, *, paired: bool) -> list[np.ndarray]:
    """Arrays with `axes` made one and put last, the others broadcast; where `paired`, these as well.

    None: all axes of each, however many they are.
    """
    if axes is None:
        arrays, axes = [a.ravel() for a in arrays], (0,)
    ndim = max(a.ndim for a in arrays)
    arrays = [a.reshape((1,) * (ndim - a.ndim) + a.shape) for a in arrays]
    own = [[1 if not paired and i in axes else n for i, n in enumerate(a.shape)] for a in arrays]
    try:
        common = np.broadcast_shapes(*map(tuple, own))
    except ValueError:
        shapes = " and ".join(str(a.shape) for a in arrays)
        raise ValueError(f"Array shapes are incompatible for broadcasting: {shapes}") from None
    out = []
    for a in arrays:
        shape = tuple(a.shape[i] if not paired and i in axes else n for i, n in enumerate(common))
        a = np.moveaxis(np.broadcast_to(a, shape), axes, range(-len(axes), 0))
        lead = a.shape[: ndim - len(axes)]
        out.append(a.reshape(*lead, int(np.prod(a.shape[len(lead) :]))))
    return out


def kept(
    arrays: list[np.ndarray], masks: list[np.ndarray | None], nan_policy: str
) -> list[np.ndarray | None]:
    """Where each array has an entry that counts; None: everywhere."""
    if nan_policy not in ("propagate", "omit", "raise"):
        raise ValueError(f"nan_policy must be one of 'propagate', 'omit' and 'raise', not {nan_policy!r}")
    out = []
    for a, mask in zip(arrays, masks, strict=True):
        keep = None if mask is None else ~mask
        if nan_policy != "propagate" and a.dtype.kind == "f":
            missing = np.isnan(a) if keep is None else np.isnan(a) & keep
            if missing.any():
                if nan_policy == "raise":
                    raise ValueError("The input contains nan values")
                keep = ~missing if keep is None else keep & ~missing
        out.append(keep)
    return out


def widened(value: Any, axes: tuple[int, ...], keepdims: bool) -> Any:
    """The result with its reduced axes, of length 1, if they are kept."""
    return np.expand_dims(value, axes) if keepdims else np.asarray(value)[()]
