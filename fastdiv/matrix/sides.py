"""What an argument is, asked once when it comes in: dense rows here, compressed ones in sparse.py.

Either kind knows what errors call it and its rows, gives blocks of itself, and makes itself ready for a plan.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from fastdiv import _matrix
from fastdiv._checks.options import result_dtype

if TYPE_CHECKING:
    from fastdiv.matrix.sparse import Compressed

    Side: TypeAlias = "Dense | Compressed"

__all__ = ["BLOCK_BYTES", "Dense", "comparable"]

Array = np.ndarray[Any, Any]

# prepared rows and blocks of results are kept under this many bytes where the caller's arrays are larger
BLOCK_BYTES = 64 << 20


class Dense:
    """Rows of an array, in memory or mapped from a file, as they were given; samples are sorted.

    `numbers` are those of the rows in what was given. `worth`: a row with mass in at most this share of its
    bins is light, compressed where both rows of a pair are.
    """

    __slots__ = ("_light", "array", "name", "numbers", "worth")

    used: Array | None = None  # all bins are counted

    def __init__(self, array: Array, name: str, numbers: range | Array, worth: float = 0.0) -> None:
        self.array, self.name, self.numbers, self.worth = array, name, numbers, worth
        self._light: Array | None = None

    def __len__(self) -> int:
        return int(self.array.shape[0])

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and bins."""
        rows, bins = self.array.shape
        return rows, bins

    @property
    def dtype(self) -> np.dtype[Any]:
        """What the rows are computed as: float32 or float64."""
        return result_dtype(self.array)

    @property
    def light(self) -> Array | None:
        """Which rows are light; None for none.

        A row's own entries decide, so that no value depends on the rows beside it.
        """
        worth = self.worth * self.array.shape[1]
        if not worth or self.array.shape[1] < 64:
            return None
        if self._light is None:
            self._light = np.zeros(len(self), bool)
            step = max(1, BLOCK_BYTES // self.array.shape[1])
            for start in range(0, len(self), step):
                block = self.array[start : start + step]
                light = np.count_nonzero(block[:, : int(1.1 * worth) + 2], axis=1) <= worth  # most are full
                light[light] = np.count_nonzero(block[light], axis=1) <= worth
                self._light[start : start + step] = light
        return self._light if self._light.any() else None

    def __getitem__(self, rows: slice | Array) -> Dense:
        numbers: Any
        if isinstance(rows, slice) or not isinstance(self.numbers, range):
            numbers = self.numbers[rows]
        else:
            numbers = rows + self.numbers.start
        some = Dense(self.array[rows], self.name, numbers, self.worth)
        some._light = None if self._light is None else self._light[rows]
        return some

    def split(self) -> tuple[Array, Array]:
        """Which rows are light, and which are not."""
        light = self.light
        if light is None:
            return np.zeros(0, np.intp), np.arange(len(self))
        return np.flatnonzero(light), np.flatnonzero(~light)

    def compressed(self) -> Compressed:
        """The rows without their zeros."""
        from fastdiv.matrix.sparse import compress

        return compress(self.array, self.name, self.numbers)

    def prepare(self, plan: Any, left: bool, right: bool, workers: int, bounds: bool) -> Any:
        """Here integers and swapped bytes become float64 or float32: a block of a mapped file at a time."""
        return _matrix.Rows(plan, np.asarray(self.array, self.dtype), left, right, workers, bounds)

    def entries(self, row: int) -> tuple[Array, Array]:
        """Bins and masses of a row, as they were given."""
        return np.arange(self.array.shape[1]), self.array[row]


def comparable(A: Dense, B: Dense) -> tuple[Dense, Dense] | None:
    """Samples as floats that tell every pair of rows; None where no such floats do (whole.py)."""
    if A.array.dtype.kind == B.array.dtype.kind == "f":
        return A, B
    from fastdiv._checks.samples import common_or_rounded

    u, v, rounded = common_or_rounded(A.array, B.array)
    if rounded or u.dtype == np.uint64:
        return None
    left = Dense(u, A.name, A.numbers)
    return left, left if A is B else Dense(v, B.name, B.numbers)
