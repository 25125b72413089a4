"""Two histograms for a distance on a line: checked, and laid out in rows."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_exact_numbers, same_labels
from fastdiv._checks.bins import on_a_line
from fastdiv._checks.samples import EXACT, as_matrix, common, masses
from fastdiv._samples import most_numbers
from fastdiv._threads import heard

__all__ = ["Histograms", "exponents", "histograms", "in_shape"]


class Histograms(NamedTuple):
    """Masses as matrices, a histogram a row (a single row may stand for many), at points or within bins."""

    u: np.ndarray
    v: np.ndarray
    u_low: np.ndarray | None  # what the masses of a density have beyond those
    v_low: np.ndarray | None
    points: np.ndarray  # ascending, a matrix of one row; of bins: none
    order: np.ndarray | None  # the places in which they were given, where those do not ascend
    edges: tuple[np.ndarray, np.ndarray] | None  # times unit
    unit: float
    u_scale: tuple[np.ndarray, np.ndarray] | None  # w, k: a density d has the mass d w / 2^k here
    v_scale: tuple[np.ndarray, np.ndarray] | None
    mass: tuple[np.ndarray, np.ndarray] | None  # x and k of the mass x 2^k; None: rows are normalised
    bad: np.ndarray  # rows that are no distribution
    shape: tuple[int, ...]  # of the result
    axis: int  # of the bins, counted from the end
    single: bool
    dtype: np.dtype[Any]


def histograms(
    u: Any, v: Any, support: Any, bin_edges: Any, v_bin_edges: Any, axis: Any, normalize: Any, density: Any
) -> Histograms:
    """The arguments of `fastdiv.wasserstein_hist` but for the order."""
    arguments = u, v, support, bin_edges, v_bin_edges, axis, normalize, density
    laid_out: Histograms = heard(most_numbers(u, v), _laid_out, *arguments)
    return laid_out


def _laid_out(
    u: Any, v: Any, support: Any, bin_edges: Any, v_bin_edges: Any, axis: Any, normalize: Any, density: Any
) -> Histograms:
    u, v, support, bin_edges, v_bin_edges = on_a_line(u, v, support, bin_edges, v_bin_edges)
    axis = opt.integer(axis, "axis")
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
    mass = None
    if not normalize:
        sizes = (_widths(edges), _widths(v_edges)) if density else (1.0, 1.0)
        mass = _common_mass(a, b, sizes, bad)
    a, b = as_matrix(a, shape), as_matrix(b, shape)
    position = axis if axis < 0 else axis - ndim
    if bin_edges is None:
        order = None
        if len(points) > 1 and not (points[1:] >= points[:-1]).all():
            order = np.argsort(points, kind="stable")
            points, a, b = points[order], a.take(order, 1), b.take(order, 1)
        at_points = points[None], order, None, 1.0, None, None
        return Histograms(a, b, None, None, *at_points, mass, bad, shape, position, ndim == 1, dtype)
    unit, a_low, b_low, a_scale, b_scale = _unit(edges, v_edges), None, None, None, None
    edges, v_edges = edges * unit, v_edges * unit
    if density:
        a, a_low, a_scale = _times_widths(a, edges)
        b, b_low, b_scale = _times_widths(b, v_edges)
    within = np.empty((1, 0)), None, (edges, v_edges), unit, a_scale, b_scale
    return Histograms(a, b, a_low, b_low, *within, mass, bad, shape, position, ndim == 1, dtype)


def in_shape(out: np.ndarray, x: Histograms, order: float) -> np.ndarray:
    """Distances of normalised rows as the caller expects them: NaN for bad rows, else the work of all."""
    work: np.ndarray | float = 1.0
    if x.mass is not None:
        work = x.mass[0] ** (1 / order) * 2.0 ** (x.mass[1] / order)
    with np.errstate(over="ignore", invalid="ignore"):  # what float64 or float32 does not hold is inf
        return np.where(x.bad, np.nan, out.reshape(x.shape) * work).astype(x.dtype)


def _scorable(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The masses in float64, and which rows are no distribution (those are replaced by ones)."""
    bad = np.isnan(rows).any(axis=-1) | ~rows.any(axis=-1)
    if bad.any():
        rows = np.where(bad[..., None], 1.0, rows)
    return rows.astype(np.float64, copy=False), bad


def _common_mass(
    a: np.ndarray, b: np.ndarray, widths: tuple[Any, Any], bad: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """x and k of the mass x 2^k that both rows have, arrays over all rows; bad rows have any."""
    sides = tuple(zip((a, b), widths, strict=True))
    with np.errstate(over="ignore"):  # a sum may be beyond float64, its root not
        scales = [np.where(rows.max(axis=-1) * np.max(w) > 2.0**900, 200, 0) for rows, w in sides]
        scale = np.maximum(*scales)
        sums = [
            np.ldexp((np.ldexp(rows, -k[..., None]) * w).sum(axis=-1), k - scale)
            for (rows, w), k in zip(sides, scales, strict=True)
        ]
    x, y = np.broadcast_arrays(*sums)
    wrong = (np.abs(x - y) > 1e-9 * np.maximum(x, y)) & ~bad
    if wrong.any():
        row = tuple(int(i) for i in np.argwhere(wrong)[0])
        with np.errstate(over="ignore"):
            left, right = np.ldexp([x[row], y[row]], np.broadcast_to(scale, x.shape)[row])
        raise ValueError(
            f"normalize=False needs equal masses, but u has {left:.17g} and v has {right:.17g}"
            + (f" in row {row}" if row else "")
        )
    return x, scale


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


def _times_widths(
    rows: np.ndarray, edges: np.ndarray
) -> tuple[np.ndarray, np.ndarray, tuple[np.ndarray, np.ndarray]]:
    """Density times bin width, over a power of two for each row, as sums high + low good to 2^-100.

    Then what the densities were multiplied by: widths over a power of two, and the exponents of the rows.
    """
    if len(edges) == 1:
        (width,), rest = np.diff(edges), _rounded_off(edges[0, 1:], -edges[0, :-1])
    else:  # differences of multiples of 2^32, and of integers below
        x, y = np.diff(edges)
        width, rest = x + y, _rounded_off(x, y)
    unit = -np.frexp(width.max())[1]
    width, rest = np.ldexp(width, unit), np.ldexp(rest, unit)
    scale = width, exponents(rows)
    rows = np.ldexp(rows, -scale[1])
    x, y = _halves(rows), _halves(width)
    high = rows * width
    low = ((x[0] * y[0] - high) + x[0] * y[1] + x[1] * y[0]) + x[1] * y[1]  # Dekker
    return high, low + rows * rest, scale


def exponents(rows: np.ndarray) -> np.ndarray:
    """k for each row, the largest of which is in [2^(k-1), 2^k)."""
    return np.asarray(np.frexp(rows.max(axis=1, keepdims=True))[1])


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
