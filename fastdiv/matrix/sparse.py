"""Compressed rows: SciPy's sparse matrices without importing SciPy, and dense rows that are mostly empty."""

from __future__ import annotations

from typing import Any

import numpy as np

from fastdiv import _matrix
from fastdiv._checks.options import result_dtype

__all__ = ["Compressed", "compress", "compress_csr", "renumber"]

Array = np.ndarray[Any, Any]


class Compressed:
    """Entries of row i from start[i] to start[i+1]: bins increasing, masses other than 0 as float64.

    `dtype` is what they came as: float32 or float64. `name` and `numbers` are what errors call them. Where
    bins that no row has are left out, `used` are those that are counted, and `bins` are places in it.
    """

    __slots__ = ("bins", "dtype", "mass", "name", "numbers", "shape", "start", "used")

    def __init__(
        self,
        start: Array,
        bins: Array,
        mass: Array,
        shape: tuple[int, int],
        dtype: np.dtype[Any],
        name: str,
        numbers: range | Array,
        used: Array | None = None,
    ) -> None:
        self.start = start
        self.bins = bins
        self.mass = mass
        self.shape = shape
        self.dtype = dtype
        self.name = name
        self.numbers = numbers
        self.used = used

    def __len__(self) -> int:
        return self.shape[0]

    def __getitem__(self, rows: slice) -> Compressed:
        first, end, _ = rows.indices(self.shape[0])
        low, high = self.start[first], self.start[max(first, end)]
        start = np.ascontiguousarray(self.start[first : max(first, end) + 1] - low)
        bins, mass = self.bins[low:high].copy(), self.mass[low:high].copy()
        shape, numbers = (end - first, self.shape[1]), self.numbers[rows]
        return Compressed(start, bins, mass, shape, self.dtype, self.name, numbers, self.used)

    def compressed(self) -> Compressed:
        """These rows."""
        return self

    def prepare(self, plan: Any, left: bool, right: bool, workers: int, bounds: bool) -> Any:
        """As of dense rows; all are ready as first arguments, and nothing is asked for `bounds`."""
        count = self.shape[1] if self.used is None else self.used.size
        return _matrix.SparseRows(plan, self.start, self.bins, self.mass, right, count)

    def entries(self, row: int) -> tuple[Array, Array]:
        """Bins, as the caller numbers them, and masses of a row."""
        entries = slice(*self.start[row : row + 2])
        bins = self.bins[entries]
        return bins if self.used is None else self.used[bins], self.mass[entries]


def compress(rows: Array, name: str, numbers: range | Array) -> Compressed:
    """Dense rows without their zeros."""
    where, bins = np.nonzero(rows)
    start = np.concatenate([[0], np.cumsum(np.bincount(where, minlength=rows.shape[0]))]).astype(np.int64)
    mass = np.ascontiguousarray(rows[where, bins], dtype=np.float64)
    return Compressed(start, bins.astype(np.int32), mass, rows.shape, result_dtype(rows), name, numbers)


def compress_csr(given: Any, name: str, first: int = 0) -> Compressed:
    """A sparse matrix, checked: duplicates are added up, unsorted bins sorted, stored zeros left out."""
    if len(given.shape) != 2:
        raise ValueError(f"{name} must be two-dimensional, one distribution a row, not {len(given.shape)}-d")
    rows, n_bins = (int(n) for n in given.shape)
    if n_bins == 0:
        raise ValueError(f"{name} has no bins: its shape is {given.shape}")
    csr = given.tocsr()
    if csr.dtype.kind not in "biuf" or csr.dtype.itemsize > 8:
        raise TypeError(f"{name} has dtype {csr.dtype}, but real numbers are needed (bool, integer or float)")
    dtype = result_dtype(csr)
    start, bins, mass = np.asarray(csr.indptr), np.asarray(csr.indices), np.asarray(csr.data)
    steps = np.diff(start)
    if (
        start.shape != (rows + 1,)
        or start[0] != 0
        or (steps < 0).any()
        or not start[-1] <= min(bins.size, mass.size)
    ):
        raise ValueError(f"{name} is no CSR matrix: its indptr does not run through its entries")
    bins, mass = bins[: start[-1]], mass[: start[-1]].astype(np.float64)
    if bins.size and not 0 <= bins.min() <= bins.max() < n_bins:
        raise ValueError(f"{name} is no CSR matrix: an index is outside its {n_bins} bins")
    where = np.repeat(np.arange(rows), steps)
    if bins.size > 1 and not ((np.diff(bins) > 0) | (np.diff(where) > 0)).all():
        order = np.lexsort((bins, where))
        where, bins, mass = where[order], bins[order], mass[order]
        new = np.concatenate([[True], (np.diff(bins) > 0) | (np.diff(where) > 0)])
        mass = np.add.reduceat(mass, np.flatnonzero(new))
        where, bins = where[new], bins[new]
    kept = mass != 0
    where, bins, mass = where[kept], bins[kept], mass[kept]
    start = np.concatenate([[0], np.cumsum(np.bincount(where, minlength=rows))]).astype(np.int64)
    numbers = range(first, first + rows)
    return Compressed(start, bins, np.ascontiguousarray(mass), (rows, n_bins), dtype, name, numbers)


def renumber(left: Compressed, right: Compressed) -> tuple[Compressed, Compressed]:
    """Both with bins as int32; where most bins are in no row, only those that are in one are counted.

    So memory follows the entries, however many bins there are. Order stays, and with it every bit.
    """
    n_bins, used = left.shape[1], None
    if n_bins > 65536 + 4 * (left.bins.size + right.bins.size):
        used = np.union1d(left.bins, right.bins)
        if not used.size:
            used = np.zeros(1, np.int64)

    def of(rows: Compressed) -> Compressed:
        bins = rows.bins if used is None else np.searchsorted(used, rows.bins)
        bins = bins.astype(np.int32)
        return Compressed(rows.start, bins, rows.mass, rows.shape, rows.dtype, rows.name, rows.numbers, used)

    first = of(left)
    return first, first if left is right else of(right)
