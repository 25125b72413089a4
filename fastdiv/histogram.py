"""Transport between histograms: masses at points, or spread evenly within bins."""

from __future__ import annotations

from math import prod
from typing import TYPE_CHECKING, Any

import numpy as np

from fastdiv import _wasserstein
from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_exact_numbers, same_labels
from fastdiv._checks.samples import EXACT, as_matrix, common, masses

if TYPE_CHECKING:
    from fastdiv._typing import ArrayLike, Value

__all__ = ["wasserstein_hist"]


def wasserstein_hist(
    u: ArrayLike,
    v: ArrayLike,
    *,
    support: ArrayLike | None = None,
    bin_edges: ArrayLike | None = None,
    v_bin_edges: ArrayLike | None = None,
    p: float = 1,
    axis: int = -1,
    normalize: bool = True,
    density: bool = False,
) -> Value:
    r"""Wasserstein distance between two histograms: masses at points, or spread evenly within bins.

    .. math:: W_p = \Big(\int_0^1 |F^{-1}(t) - G^{-1}(t)|^p \, dt\Big)^{1/p},
              \qquad W_1 = \int |F(x) - G(x)| \, dx

    Parameters
    ----------
    u, v : array_like, shape (..., n)
        Masses (counts, probabilities) >= 0 along `axis`; the other axes broadcast.
    support : array_like, shape (n,), optional
        The points where the masses sit, in any order. Default: 0, 1, ..., n - 1.
    bin_edges : array_like, shape (n + 1,), optional
        Ascending edges of bins within which mass is spread evenly; instead of `support`. The CDFs are then
        piecewise linear, and crossings inside a bin count exactly.
    v_bin_edges : array_like, shape (m + 1,), optional
        Edges of v, where they differ from those of u; v then has m bins.
    p : float in [1, inf], default 1
        The order.
    axis : int, default -1
        The axis that holds the bins.
    normalize : bool, default True
        Scale each histogram to mass 1. With False both must have the same mass M (to 1e-9), and the result is
        :math:`M^{1/p} W_p`, the work of moving all of it.
    density : bool, default False
        `u` and `v` are densities: their masses are density times bin width, not rounded. Needs `bin_edges`.

    Returns
    -------
    float or ndarray
        One value for each row, in the unit of `support` or `bin_edges`. NaN for a row with a NaN or without
        mass. float32 where both arrays are.

    Raises
    ------
    ValueError
        For negative or infinite masses, edges that do not ascend, and shapes that do not fit.
    TypeError
        For masses or places that are no real numbers.

    Notes
    -----
    O(n + m) time for rows of n and m bins, and O(n log n) once for a `support` that does not ascend.

    Examples
    --------
    Weng's example: five units of work turn one pile of ten into the other.

    >>> import fastdiv
    >>> float(fastdiv.wasserstein_hist([3, 2, 1, 4], [1, 2, 4, 3], normalize=False))
    5.0
    >>> float(fastdiv.wasserstein_hist([1], [1], bin_edges=[0, 1], v_bin_edges=[0, 3]))
    1.0
    """
    order, axis = opt.wasserstein_order(p), opt.integer(axis, "axis")
    normalize, density = opt.flag(normalize, "normalize"), opt.flag(density, "density")
    if support is not None and bin_edges is not None:
        raise ValueError("give support (mass at points) or bin_edges (mass spread within bins), not both")
    if bin_edges is None and (v_bin_edges is not None or density):
        raise ValueError(f"{'density' if density else 'v_bin_edges'} needs bin_edges")
    if v_bin_edges is None:
        same_labels({"u": u, "v": v}, axis, rows=True)
        same_labels({"u": u, "support": support}, axis)
    a, b = masses(u, "u", axis), masses(v, "v", axis)
    ndim = max(a.ndim, b.ndim)
    dtype = opt.result_dtype(a, b)
    if bin_edges is None:
        points = np.arange(a.shape[-1], dtype=np.float64) if support is None else _points(support, a, "u")
        _match(b, "v", len(points), "support" if support is not None else "u")
    else:
        edges = _edges(bin_edges, a, "bin_edges", "u")
        v_edges = _edges(v_bin_edges, b, "v_bin_edges", "v") if v_bin_edges is not None else edges
        _match(b, "v", v_edges.shape[1] - 1, "bin_edges")
    try:
        shape = np.broadcast_shapes(a.shape[:-1], b.shape[:-1])
    except ValueError:
        raise ValueError(
            f"u of shape {a.shape} and v of shape {b.shape} (bins last) do not broadcast"
        ) from None
    a, bad_a = _scorable(a)
    b, bad_b = _scorable(b)
    bad = np.broadcast_to(bad_a | bad_b, shape)
    work: np.ndarray | float = 1.0
    if not normalize:
        widths = (_widths(edges), _widths(v_edges)) if density else (1.0, 1.0)
        work = _common_work(a, b, widths, bad, order)
    out = np.empty(prod(shape))
    a, b = as_matrix(a, shape), as_matrix(b, shape)
    if bin_edges is not None:
        unit = _unit(edges, v_edges)
        edges, v_edges = edges * unit, v_edges * unit
        a, a_low = _times_widths(a, edges) if density else (a, None)
        b, b_low = _times_widths(b, v_edges) if density else (b, None)
        _wasserstein.hist_rows(edges, a, v_edges, b, out, order, a_low, b_low)
        out /= unit
    else:
        if len(points) > 1 and not (points[1:] >= points[:-1]).all():
            ascending = np.argsort(points, kind="stable")
            points, a, b = points[ascending], a.take(ascending, 1), b.take(ascending, 1)
        x, statistic = points[None], _wasserstein.STATISTICS["wasserstein"]
        _wasserstein.statistic_of_rows(x, x, a, b, out, statistic, order, False, True)
    with np.errstate(over="ignore", invalid="ignore"):  # what float64 or float32 does not hold is inf
        result = out.reshape(shape) * work
        result = np.where(bad, np.nan, result).astype(dtype)
    return result[()] if ndim == 1 else result


def _scorable(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The masses in float64, and which rows are no distribution (those are replaced by ones)."""
    bad = np.isnan(rows).any(axis=-1) | ~rows.any(axis=-1)
    if bad.any():
        rows = np.where(bad[..., None], 1.0, rows)
    return rows.astype(np.float64, copy=False), bad


def _common_work(
    a: np.ndarray, b: np.ndarray, widths: tuple[Any, Any], bad: np.ndarray, order: float
) -> np.ndarray:
    """M^(1 / p) of the mass M that both rows have, as an array over all rows; bad rows have any."""
    sides = tuple(zip((a, b), widths, strict=True))
    with np.errstate(over="ignore"):
        largest = max(float(rows.max(initial=0) * np.max(w)) for rows, w in sides)
        scale = 200 if largest > 2.0**900 else 0  # the sum may be beyond float64, its root not
        sums = [(np.ldexp(rows, -scale) * w).sum(axis=-1) for rows, w in sides]
    x, y = np.broadcast_arrays(*sums)
    wrong = (np.abs(x - y) > 1e-9 * np.maximum(x, y)) & ~bad
    if wrong.any():
        row = tuple(int(i) for i in np.argwhere(wrong)[0])
        with np.errstate(over="ignore"):
            left, right = np.ldexp([x[row], y[row]], scale)
        raise ValueError(
            f"normalize=False needs equal masses, but u has {left:.17g} and v has {right:.17g}"
            + (f" in row {row}" if row else "")
        )
    return np.asarray(x ** (1 / order) * 2.0 ** (scale / order))


def _points(support: Any, rows: np.ndarray, whose: str) -> np.ndarray:
    points = as_exact_numbers(support, "support")
    if points.ndim != 1:
        raise ValueError(f"support must have one dimension, not shape {points.shape}")
    _match(rows, whose, len(points), "support")
    if not np.isfinite(points).all():
        raise ValueError(f"support[{int(np.argmin(np.isfinite(points)))}] is not finite")
    return common(points, points)[0]


def _edges(edges: Any, rows: np.ndarray, name: str, whose: str) -> np.ndarray:
    """The edges as a matrix of one row, or of two whose sums they are: integers beyond 2^53."""
    array = as_exact_numbers(edges, name)
    if array.ndim != 1:
        raise ValueError(f"{name} must have one dimension, not shape {array.shape}")
    if len(array) != rows.shape[-1] + 1:
        raise ValueError(
            f"{name} has {len(array)} edges, but {whose} has {rows.shape[-1]} bins and needs one more"
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name}[{int(np.argmin(np.isfinite(array)))}] is not finite")
    rising = array[1:] > array[:-1]
    if not rising.all():
        i = int(np.argmin(rising))
        raise ValueError(
            f"{name} must ascend, but {name}[{i}] = {array[i]} and {name}[{i + 1}] = {array[i + 1]}"
        )
    if array.dtype.kind in "iu" and max(-int(array[0]), int(array[-1])) > EXACT:
        high, low = (array >> 32).astype(np.float64) * 2.0**32, (array & 0xFFFFFFFF).astype(np.float64)
        return np.stack([high, low])
    return array.astype(np.float64)[None]


def _widths(edges: np.ndarray) -> np.ndarray:
    return np.asarray(np.diff(edges).sum(axis=0))


def _times_widths(rows: np.ndarray, edges: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Density times bin width, over a power of two for each row, as sums high + low good to 2^-100."""
    if len(edges) == 1:
        (width,), rest = np.diff(edges), _rounded_off(edges[0, 1:], -edges[0, :-1])
    else:  # differences of multiples of 2^32, and of integers below
        x, y = np.diff(edges)
        width, rest = x + y, _rounded_off(x, y)
    unit = -np.frexp(width.max())[1]
    width, rest = np.ldexp(width, unit), np.ldexp(rest, unit)
    rows = np.ldexp(rows, -np.frexp(rows.max(axis=1, keepdims=True))[1])
    x, y = _halves(rows), _halves(width)
    high = rows * width
    low = ((x[0] * y[0] - high) + x[0] * y[1] + x[1] * y[0]) + x[1] * y[1]  # Dekker
    return high, low + rows * rest


def _rounded_off(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """What x + y loses to rounding (Knuth)."""
    part = (x + y) - x
    return np.asarray((x - ((x + y) - part)) + (y - part))


def _halves(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Two numbers of 26 bits each that sum to x (Veltkamp)."""
    wide = x * 134217729.0
    high = wide - (wide - x)
    return high, x - high


def _unit(*edges: np.ndarray) -> float:
    """A power of two that keeps products and sums of the edges within the range of float64."""
    largest = max(float(np.abs(x).max()) for x in edges)
    return 2.0**-200 if largest > 2.0**900 else 2.0**500 if largest < 2.0**-500 else 1.0


def _match(rows: np.ndarray, whose: str, bins: int, name: str) -> None:
    if rows.shape[-1] != bins:
        raise ValueError(f"{whose} has {rows.shape[-1]} bins, but {name} has {bins}")
