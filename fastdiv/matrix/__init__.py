"""Many rows against many: matrices of distances, in memory or out of it, and exact nearest neighbours.

Rows are prepared once and compared in tiles by a fast form of each measure; the pairs that this leaves with
too few digits are computed again as the row-wise functions do it, so every entry keeps their accuracy
(relative error 1e-12, float32 5e-6, wherever the value is at least 1e-30). The same bits for any number of
threads.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdiv import _matrix, _rows
from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers, same_labels
from fastdiv._checks.memory import require_memory
from fastdiv.matrix.sparse import Compressed, compress, compress_csr, is_sparse, renumber

if TYPE_CHECKING:
    from fastdiv._typing import Matrix, MetricName

__all__ = ["Index", "cdist", "knn", "pdist"]

Array = np.ndarray[Any, Any]


class Metric(NamedTuple):
    """What a metric takes, and whether its matrix equals its transpose."""

    options: tuple[str, ...]
    symmetric: bool


_ROWS = ("normalize", "pseudocount", "log_input", "nan_policy")

METRICS = {
    **{name: Metric((*of["options"], *_ROWS), of["symmetric"]) for name, of in _rows.TRAITS.items()},
    "wasserstein": Metric(("support", "samples", "p", "pseudocount", "nan_policy"), True),
}

# the share of bins with mass up to which compressed rows are faster: products and sums of differences are
# fast on dense rows
_WORTH_COMPRESSING = {
    "js_divergence": 0.2,
    "js_distance": 0.2,
    "hellinger_distance": 0.06,
    "kl_divergence": 0.06,
    "cross_entropy": 0.06,
    "jeffreys_divergence": 0.1,
    "chi_square": 0.06,
    "renyi_divergence": 0.06,
    "total_variation": 0.1,
}

# prepared rows and blocks of results are kept under this many bytes where the caller's arrays are larger
BLOCK_BYTES = 64 << 20


# --- what is asked for -------------------------------------------------------------------------------------


class _Task:
    """A metric with its options checked: makes plans and prepares rows."""

    def __init__(self, metric: Any, options: dict[str, Any]) -> None:
        if not isinstance(metric, str):
            raise TypeError(f"metric must be a name, not {metric!r}")
        if metric not in METRICS:
            import difflib

            near = difflib.get_close_matches(metric, METRICS, n=len(METRICS), cutoff=0.0)
            raise ValueError(f"metric {metric!r} is unknown; there are {', '.join(near)}")
        for name in options:
            if name not in METRICS[metric].options:
                raise TypeError(
                    f"metric {metric!r} has no option {name!r}; it takes {', '.join(METRICS[metric].options)}"
                )
        self.metric = metric
        self.symmetric = METRICS[metric].symmetric
        self.log_input = opt.flag(options.get("log_input", False), "log_input")
        normalize = opt.flag(options.get("normalize", True), "normalize")
        self.pseudocount = opt.smoothing(options.get("pseudocount", 0.0), self.log_input)
        self.nan_policy = opt.policy(options.get("nan_policy", "propagate"))
        if self.nan_policy == "omit":
            raise ValueError("nan_policy='omit' would drop other bins for every pair; use it row by row")
        self.samples = opt.flag(options.get("samples", False), "samples")
        self.order = _transport_order(options.get("p", 1), self.samples)
        self.support = options.get("support")
        if self.support is not None and self.samples:
            raise ValueError("support is for rows of masses; with samples=True the values are the places")
        mixture = opt.mixture_weights(options.get("weights"), 2)
        if mixture[0] != mixture[1]:
            self.symmetric = False
        if metric == "renyi_divergence":
            if "alpha" not in options:
                raise TypeError("metric 'renyi_divergence' needs alpha=, the order")
            alpha = opt.order(options["alpha"])
        else:
            alpha = 1.0
        self.compiled = metric
        if metric == "wasserstein":
            self.compiled = "samples" if self.samples else "histograms"
        self.options = (
            *_rows.unit(opt.log_base(options.get("base"))),
            normalize,
            self.log_input,
            self.pseudocount,
            *mixture,
            alpha,
        )

    def rows(self, given: Any, name: str) -> Array | Compressed:
        """The two-dimensional array that `given` stands for, or compressed rows where it is sparse."""
        if is_sparse(given):
            if self.samples or self.log_input or self.pseudocount:
                raise ValueError(
                    f"{name} is sparse, but samples, log_input and pseudocount give empty bins a value; "
                    "pass dense rows"
                )
            return compress_csr(given, name)
        array = as_numbers(given, name)
        if array.ndim != 2:
            raise ValueError(f"{name} must be two-dimensional, one distribution a row, not {array.ndim}-d")
        if array.shape[1] == 0:
            raise ValueError(f"{name} has no bins: its shape is {array.shape}")
        if not self.samples:
            return array
        if self.nan_policy == "raise" and array.dtype.kind == "f" and np.isnan(array).any():
            row, place = np.argwhere(np.isnan(array))[0]
            raise ValueError(f"{name} has a missing value: {name}[{row}, {place}] = nan (row {row})")
        if array.dtype.kind == "f":  # integers are made floats when it is known what they are compared with
            array = np.asarray(array, opt.result_dtype(array))
        return np.sort(array, axis=1)

    def plan(self, n_bins: int, single: bool, compressed: bool = False, used: Array | None = None) -> Any:
        """For dense rows or for compressed ones, of which `used` are the bins that are counted."""
        support = None
        if self.compiled == "histograms":
            support = _support(self.support, n_bins, used)
        return _matrix.Plan(
            self.compiled, self.options, n_bins, single, True, self.order, support, compressed
        )

    def check_labels(self, given: dict[str, Any]) -> None:
        """Bins of tables must have the same labels, those of `support` too; samples are in no order."""
        if not self.samples:
            same_labels(given)
            for name, rows in given.items():
                same_labels({name: rows, "support": self.support})

    def light(self, rows: Array) -> Array:
        """Which dense rows are so empty that they are compressed where both rows of a pair are.

        A row's own entries decide, so that no value depends on the rows beside it.
        """
        light = np.zeros(rows.shape[0], bool)
        worth = _WORTH_COMPRESSING.get(self.metric, 0.0) * rows.shape[1]
        plain = self.options[2] and not (self.samples or self.log_input or self.pseudocount)
        if not plain or not worth or rows.shape[1] < 64:
            return light
        step = max(1, BLOCK_BYTES // rows.shape[1])
        for start in range(0, rows.shape[0], step):
            light[start : start + step] = np.count_nonzero(rows[start : start + step], axis=1) <= worth
        return light

    def prepare_compressed(
        self, plan: Any, rows: Compressed, name: str, right: bool, numbers: Sequence[int] | Array
    ) -> Any:
        """As ``prepare``."""
        prepared = _matrix.SparseRows(plan, rows.start, rows.bins, rows.mass, right, rows.count)
        for row in prepared.void_rows():
            entries = slice(*rows.start[row : row + 2])
            self._refuse(name, numbers[row], rows.given_bins(entries), rows.mass[entries])
        return prepared

    def prepare(
        self,
        plan: Any,
        array: Array,
        name: str,
        left: bool,
        right: bool,
        workers: int,
        numbers: Sequence[int] | Array,
        bounds: bool = False,
    ) -> Any:
        """Prepared rows; no distributions are looked at for what is wrong. `numbers`: what errors call them.

        Here integers and swapped bytes become float64 or float32: a block of a mapped file at a time.
        """
        array = np.asarray(array, opt.result_dtype(array))
        rows = _matrix.Rows(plan, array, left, right, workers, bounds)
        for row in rows.void_rows() if not self.samples else ():
            self._refuse(name, numbers[row], np.arange(array.shape[1]), array[row])
        return rows

    def _refuse(self, name: str, row: Any, bins: Array, masses: Array) -> None:
        """Raises for the first entry of a row that is no mass; none of them may be."""
        bad = masses == np.inf if self.log_input else (masses < 0) | (masses == np.inf)
        if self.nan_policy == "raise":
            bad |= masses != masses
        for bin_, mass in zip(bins[bad], masses[bad], strict=True):
            fault = "an infinite log-probability" if self.log_input else "an infinite mass"
            if not mass >= 0:
                fault = "a negative mass" if mass < 0 else "a missing value"
            raise ValueError(f"{name} has {fault}: {name}[{row}, {bin_}] = {mass} (row {row}, bin {bin_})")


def _transport_order(p: Any, samples: bool) -> float:
    order = opt.check_order(p)
    if order != 1.0 and not samples:
        raise ValueError("p other than 1 needs samples=True; use wasserstein_hist for two histograms")
    return order


def _support(support: Any, n_bins: int, used: Array | None) -> Array:
    """The places of the bins, 0, 1, 2, ... where none are given; or of those `used`."""
    if support is None:
        return (np.arange(n_bins) if used is None else used).astype(np.float64)
    given = as_numbers(support, "support")
    if given.shape != (n_bins,):
        raise ValueError(f"support must have shape ({n_bins},), one place for each bin, not {given.shape}")
    ordered = (given[1:] > given[:-1]).all()
    if given.dtype.kind in "iu" and ordered:  # only gaps matter: from 0 on, integers beyond 2^53 keep theirs
        given = given.astype(np.uint64) - given[:1].astype(np.uint64)
    places = np.asarray(given, np.float64)
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = np.diff(places)
    if not (ordered and np.isfinite(places).all() and np.isfinite(gaps).all()):
        raise ValueError("support must be finite and strictly increasing")
    return places if used is None else places[used]


def _workers(workers: Any) -> int:
    """0 for the default, else the number asked for; -1 is every CPU, as in SciPy."""
    if workers is None:
        return 0
    if isinstance(workers, (bool, np.bool_)) or not hasattr(workers, "__index__"):
        raise TypeError(f"workers must be an integer or None, not {workers!r}")
    number = int(workers.__index__())
    if number == -1:
        import os

        return os.cpu_count() or 1
    if number < 1:
        raise ValueError(f"workers must be at least 1, or -1 for all CPUs, not {number}")
    return min(number, 1024)


def _result_dtype(*rows: Array | Compressed) -> np.dtype[Any]:
    single = all(r.dtype.kind == "f" and r.dtype.itemsize == 4 for r in rows)
    return np.dtype(np.float32 if single else np.float64)


def _comparable(XA: Array, XB: Array) -> tuple[Array, Array]:
    """Samples as floats; or as uint64 where 64-bit integers differ by more than floats can tell."""
    if XA.dtype.kind == XB.dtype.kind == "f":
        return XA, XB
    from fastdiv._checks.samples import common

    return common(XA, XB)


def _small(array: Array) -> bool:
    """Whether no integer is too large for float64."""
    if array.dtype.kind not in "iu" or array.dtype.itemsize < 8 or not array.size:
        return True
    return max(-int(array.min()), int(array.max())) <= 2**53


def _both_compressed(XA: Array | Compressed, XB: Array | Compressed) -> tuple[Compressed, Compressed]:
    """Rows of which one side is sparse; only bins that some row has are counted."""
    left, right = (x if isinstance(x, Compressed) else compress(x) for x in (XA, XB))
    return renumber(left, right)


def _same_bins(XA: Array | Compressed, XB: Array | Compressed, names: tuple[str, str] = ("XA", "XB")) -> None:
    if XA.shape[1] != XB.shape[1]:
        raise ValueError(f"{names[0]} has {XA.shape[1]} bins but {names[1]} has {XB.shape[1]}")


def _block_rows(plan: Any, n: int, m: int, itemsize: int) -> int:
    """How many rows of results, and of prepared rows, are held at a time."""
    return max(1, min(n, BLOCK_BYTES // max(1, m * itemsize, 24 * int(plan.width))))


def _overlaps(out: Array, array: Array) -> bool:
    share: Callable[..., bool] = np.shares_memory  # stubs before NumPy 2.5 want max_work to be 0 or 1
    try:
        return bool(share(out, array, max_work=1000))
    except np.exceptions.TooHardError:
        return np.may_share_memory(out, array)


def _mapping(array: Array) -> mmap.mmap | None:
    """The mapped file whose memory an array is."""
    owner: Any = array
    while isinstance(owner, np.ndarray):
        owner = owner.base
    return owner if isinstance(owner, mmap.mmap) else None


def _release(out: Array) -> None:
    """Lets go of the pages of a mapped result that are written: they are on their way to the file.

    Of a map that is known to be shared with one: pages of a private map (copy on write) are nowhere else.
    """
    mapping, owner = _mapping(out), out
    while isinstance(owner.base, np.ndarray):
        owner = owner.base
    if mapping is None or not (isinstance(owner, np.memmap) and owner.mode in ("r+", "w+")):
        return
    mapping.flush()
    if hasattr(mmap, "MADV_DONTNEED"):
        mapping.madvise(mmap.MADV_DONTNEED)


def _check_out(out: Any, shape: tuple[int, ...], dtype: np.dtype[Any], *arrays: Array | Compressed) -> None:
    opt.check_out(out, shape, dtype)
    for name, array in zip(("XA", "XB"), arrays, strict=False):
        if not isinstance(array, Compressed) and _overlaps(out, array):
            raise ValueError(f"out overlaps {name}, which is still read while out is written")


# --- matrices ----------------------------------------------------------------------------------------------


def cdist(
    XA: Matrix,
    XB: Matrix,
    metric: MetricName = "js_distance",
    *,
    out: Array | None = None,
    workers: int | None = None,
    **metric_options: Any,
) -> Array:
    r"""Every row of `XA` compared with every row of `XB`.

    Entry [i, j] is what the row-wise function of that name gives for ``XA[i], XB[j]``: of asymmetric metrics
    ``D(XA[i] || XB[j])``.

    Parameters
    ----------
    XA, XB : array_like or scipy.sparse matrix
        Two-dimensional, one distribution (or sample) a row, with the same number of bins. Where `XB` is `XA`
        and the metric symmetric, half is computed. Sparse rows (CSR, or what becomes it) stay sparse, and
        dense ones that are mostly 0 are compressed where that is faster.
    metric : str
        A public function's name: "cross_entropy", "kl_divergence", "jeffreys_divergence", "js_divergence",
        "js_distance", "total_variation", "hellinger_distance", "chi_square", "triangular_discrimination",
        "bhattacharyya_distance", "renyi_divergence"; or "wasserstein".
    out : ndarray, optional
        Where to put the result: its exact shape and dtype. A ``np.memmap`` is written in blocks of rows, in
        order, with bounded memory.
    workers : int, optional
        Threads at most, -1 for every CPU. None: what ``num_threads`` says. The bits do not depend on it.
    **metric_options
        Those of the function: `base`, `weights`, `alpha`, `normalize`, `pseudocount`, `log_input`,
        `nan_policy` ("propagate" or "raise"). For "wasserstein": `support`, the increasing places of the bins
        (0, 1, 2, ... if not given); or ``samples=True`` for rows of samples (of any size; infinite ones and
        64-bit integers are as in ``wasserstein_distance``), and the order `p`.

    Returns
    -------
    ndarray
        Of shape (rows of `XA`, rows of `XB`); float32 where both are float32, else float64. NaN for rows
        without mass or with a NaN.

    Raises
    ------
    ValueError
        Shapes that do not fit, a negative or infinite mass (argument, row and bin are named), an unknown
        metric, an option out of range, an `out` that is read-only or overlaps an input.
    TypeError
        Entries that are not real numbers, an option that the metric does not take.
    MemoryError
        Before any work, if the result cannot fit.

    Notes
    -----
    Jensen-Shannon takes one logarithm a bin; Kullback-Leibler, cross entropy, Jeffreys, Hellinger, Renyi and
    chi-square are matrix products; total variation and Wasserstein sums of absolute differences. What comes
    out so small that digits were lost is computed again pair by pair.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.cdist([[1, 0], [1, 1]], [[1, 0], [0, 1]], "js_distance", base=2)
    array([[0.        , 1.        ],
           [0.55792305, 0.55792305]])
    """
    return Job(XA, XB, metric, metric_options, workers).fill(out)


class Job:
    """What ``cdist`` is asked for, checked and not yet computed; errors speak of `names`.

    `shape` and `dtype` are those of the matrix.
    """

    def __init__(
        self,
        XA: Any,
        XB: Any,
        metric: str,
        options: dict[str, Any],
        workers: Any = None,
        names: tuple[str, str] = ("XA", "XB"),
    ) -> None:
        self._task, self._workers, self._names = _Task(metric, options), _workers(workers), names
        self._task.check_labels({names[0]: XA, names[1]: XB})
        self._XA = self._task.rows(XA, names[0])
        self._XB = self._XA if XB is XA else self._task.rows(XB, names[1])
        if not self._task.samples:
            _same_bins(self._XA, self._XB, names)
        self.shape = (self._XA.shape[0], self._XB.shape[0])
        self.dtype = _result_dtype(self._XA, self._XB)

    def fill(
        self,
        out: Any = None,
        progress: Callable[[float], None] | None = None,
        first_row: int = 0,
        in_order: bool = False,
    ) -> Array:
        """The matrix from row `first_row` on, as ``_fill`` says."""
        return _fill(
            self._task, self._XA, self._XB, out, self._workers, progress, first_row, in_order, self._names
        )


def _fill(
    task: _Task,
    XA: Array | Compressed,
    XB: Array | Compressed,
    out: Any,
    workers: int,
    progress: Callable[[float], None] | None = None,
    first_row: int = 0,
    in_order: bool = False,
    names: tuple[str, str] = ("XA", "XB"),
    shift: int = 0,
) -> Array:
    """The matrix from row `first_row` on; `progress` is told the share that is done after each block of rows.

    `in_order`: rows are finished one block after the other, as those of a mapped file are in any case. Errors
    speak of `names`, and count the rows of `XA` from `shift`, where it is a block of what was given.
    """
    shape, dtype = (XA.shape[0], XB.shape[0]), _result_dtype(XA, XB)
    if out is None:
        require_memory(shape[0] * shape[1] * dtype.itemsize, shape, dtype)
        out = np.empty(shape, dtype)
    else:
        _check_out(out, shape, dtype, XA, XB)
    if 0 in shape:
        return np.asarray(out)
    in_order = in_order or _mapping(out) is not None or not (out.flags.c_contiguous and out.flags.aligned)
    if task.samples:
        XA, XB = (XA, XA) if XA is XB and XA.dtype.kind == "f" else _comparable(XA, XB)  # type: ignore[arg-type]
        if XA.shape[1] != XB.shape[1] or XA.dtype == np.uint64:
            return _fill_sweeps(task, XA, XB, out, workers, progress, first_row)
    same = XA is XB
    names = (names[0], names[0]) if same else names
    if isinstance(XA, Compressed) or isinstance(XB, Compressed):
        blocks = _sparse_blocks(task, *_both_compressed(XA, XB), dtype, workers, first_row, names, shift)
    else:
        light_B = task.light(XB)
        light_A = light_B if same else task.light(XA)
        if light_A.any() and light_B.any():
            blocks = _mixed_blocks(task, XA, XB, light_A, light_B, dtype, workers, first_row, names, shift)
        elif same and task.symmetric and not in_order:
            plan = task.plan(XA.shape[1], dtype == np.float32)
            rows = task.prepare(plan, XA, names[0], True, True, workers, range(shift, shift + shape[0]))
            _matrix.fill(plan, rows, rows, out, half=True, workers=workers, progress=progress)
            return np.asarray(out)
        else:
            blocks = _dense_blocks(task, XA, XB, out, dtype, workers, first_row, names, shift)
    for start, block in blocks:
        end = start + block.shape[0]
        if not np.may_share_memory(block, out):
            out[start:end] = block
        _release(out)
        if progress is not None:
            progress(end / shape[0])
    return out  # type: ignore[no-any-return]


def _dense_blocks(
    task: _Task,
    XA: Array,
    XB: Array,
    out: Array,
    dtype: Any,
    workers: int,
    first_row: int,
    names: tuple[str, str],
    shift: int,
) -> Iterator[tuple[int, Array]]:
    """Blocks of rows of the matrix and where they begin, in place where `out` allows it."""
    plan = task.plan(XA.shape[1], dtype == np.float32)
    right = task.prepare(plan, XB, names[1], False, True, workers, range(XB.shape[0]))
    step = _block_rows(plan, XA.shape[0], XB.shape[0], dtype.itemsize)
    for start in range(first_row, XA.shape[0], step):
        block, rows = out[start : start + step], XA[start : start + step]
        numbers = range(shift + start, shift + start + rows.shape[0])
        left = task.prepare(plan, rows, names[0], True, False, workers, numbers)
        if not (block.flags.c_contiguous and block.flags.aligned):
            block = np.empty(block.shape, dtype)
        _matrix.fill(plan, left, right, block, workers=workers)
        yield start, block


def _sparse_blocks(
    task: _Task,
    XA: Compressed,
    XB: Compressed,
    dtype: Any,
    workers: int,
    first_row: int,
    names: tuple[str, str],
    shift: int,
) -> Iterator[tuple[int, Array]]:
    """The same of compressed rows."""
    plan = task.plan(XA.shape[1], dtype == np.float32, True, XA.used)
    right = task.prepare_compressed(plan, XB, names[1], True, range(XB.shape[0]))
    step = max(1, BLOCK_BYTES // (XB.shape[0] * dtype.itemsize))
    for start in range(first_row, XA.shape[0], step):
        rows = XA[start : start + step]
        numbers = range(shift + start, shift + start + rows.shape[0])
        left = task.prepare_compressed(plan, rows, names[0], False, numbers)
        block = np.empty((rows.shape[0], XB.shape[0]), dtype)
        _matrix.sparse(plan, left, right, block, 0, workers)
        yield start, block


def _mixed_blocks(
    task: _Task,
    XA: Array,
    XB: Array,
    light_A: Array,
    light_B: Array,
    dtype: Any,
    workers: int,
    first_row: int,
    names: tuple[str, str],
    shift: int,
) -> Iterator[tuple[int, Array]]:
    """The same of dense rows of which some are light: compressed where both rows of a pair are."""
    plan = task.plan(XA.shape[1], dtype == np.float32)
    sparse_plan = task.plan(XA.shape[1], dtype == np.float32, True)
    sides = [np.flatnonzero(~light_B), np.flatnonzero(light_B)]
    packed = task.prepare_compressed(sparse_plan, compress(XB[light_B]), names[1], True, sides[1])
    dense = [
        task.prepare(plan, XB[side], names[1], False, True, workers, side) if wanted and side.size else None
        for side, wanted in zip(sides, (True, not light_A.all()), strict=True)
    ]
    step = _block_rows(plan, XA.shape[0], XB.shape[0], dtype.itemsize)
    for start in range(first_row, XA.shape[0], step):
        rows, light = XA[start : start + step], light_A[start : start + step]
        block = np.empty((rows.shape[0], XB.shape[0]), dtype)
        for is_light in (False, True):
            some = np.flatnonzero(light == is_light)
            numbers = shift + start + some
            left = None
            for side, right in zip(sides, dense, strict=True):
                if not (some.size and side.size) or (is_light and side is sides[1]):
                    continue
                if left is None:
                    left = task.prepare(plan, rows[some], names[0], True, False, workers, numbers)
                part = np.empty((some.size, side.size), dtype)
                _matrix.fill(plan, left, right, part, workers=workers)
                block[np.ix_(some, side)] = part
            if is_light and some.size:
                few = task.prepare_compressed(sparse_plan, compress(rows[some]), names[0], False, numbers)
                part = np.empty((some.size, sides[1].size), dtype)
                _matrix.sparse(sparse_plan, few, packed, part, 0, workers)
                block[np.ix_(some, sides[1])] = part
        yield start, block


def _fill_sweeps(
    task: _Task,
    XA: Any,
    XB: Any,
    out: Array,
    workers: int,
    progress: Callable[[float], None] | None,
    first_row: int,
) -> Array:
    """As ``_fill``, for sorted samples of two sizes, or of uint64: sweeps of one row with all others."""
    from fastdiv import _wasserstein

    if XA.dtype != np.uint64:
        XA, XB = np.asarray(XA, np.float64), np.asarray(XB, np.float64)
    XA, XB = np.ascontiguousarray(XA), np.ascontiguousarray(XB)
    values, statistic = np.empty(len(XB)), _wasserstein.STATISTICS["wasserstein"]
    for i in range(first_row, len(XA)):
        _wasserstein.statistic_of_rows(
            XA[i : i + 1], XB, None, None, values, statistic, task.order, False, True, workers
        )
        out[i] = values
        if progress is not None:
            progress((i + 1) / len(XA))
    return out


def pdist(
    X: Matrix,
    metric: MetricName = "js_distance",
    *,
    out: Array | None = None,
    workers: int | None = None,
    **metric_options: Any,
) -> Array:
    r"""Every pair of rows of `X`, condensed as in SciPy: d(0,1), d(0,2), ..., d(1,2), ...

    Parameters
    ----------
    X : array_like
        Two-dimensional, one distribution (or sample) a row.
    metric : str
        A symmetric one of those that ``cdist`` knows.
    out : ndarray, optional
        Where to put the result: its exact shape and dtype.
    workers : int, optional
        Threads at most, -1 for every CPU. None: what ``num_threads`` says.
    **metric_options
        As for ``cdist``.

    Returns
    -------
    ndarray
        Of length n (n - 1) / 2; ``scipy.spatial.distance.squareform`` makes it a matrix.

    Raises
    ------
    ValueError
        An asymmetric metric, and what ``cdist`` raises.
    TypeError, MemoryError
        As ``cdist``.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.pdist([[1, 0], [1, 1], [0, 1]], "total_variation")
    array([0.5, 1. , 0.5])
    """
    task, threads = _Task(metric, metric_options), _workers(workers)
    if not task.symmetric:
        raise ValueError(
            f"metric {metric!r} is not symmetric, so half a matrix cannot hold it; use cdist(X, X)"
        )
    task.check_labels({"X": X})
    array = task.rows(X, "X")
    n, dtype = array.shape[0], _result_dtype(array)
    shape = (n * (n - 1) // 2,)
    if out is None:
        require_memory(shape[0] * dtype.itemsize, shape, dtype)
        out = np.empty(shape, dtype)
    else:
        _check_out(out, shape, dtype, array)
    if shape[0] == 0:
        return np.asarray(out)
    single, names = dtype == np.float32, ("X", "X")
    plain = out if out.flags.c_contiguous and out.flags.aligned else np.empty(shape, dtype)
    if task.samples:
        array, _ = _comparable(array, array)  # type: ignore[arg-type]
    if isinstance(array, Compressed):
        rows, _ = renumber(array, array)
        plan = task.plan(rows.shape[1], single, True, rows.used)
        left = task.prepare_compressed(plan, rows, "X", False, range(n))
        right = task.prepare_compressed(plan, rows, "X", True, range(n))
        _matrix.sparse(plan, left, right, plain, 0, threads)
    elif array.dtype == np.uint64 and task.samples:
        for i in range(n - 1):
            row = np.empty((1, n - i - 1), dtype)
            _fill_sweeps(task, array[i : i + 1], array[i + 1 :], row, threads, None, 0)
            _condensed_row(plain, n, i)[...] = row[0]
    elif (light := task.light(array)).any():
        for start, block in _mixed_blocks(task, array, array, light, light, dtype, threads, 0, names, 0):
            for i, row in enumerate(block, start):
                _condensed_row(plain, n, i)[...] = row[i + 1 :]
    else:
        plan = task.plan(array.shape[1], single)
        rows = task.prepare(plan, array, "X", True, True, threads, range(n))
        _matrix.fill(plan, rows, rows, plain, half=True, workers=threads)
    if plain is not out:
        out[...] = plain
    return np.asarray(out)


def _condensed_row(out: Array, n: int, i: int) -> Array:
    """Where d(i, i+1), ..., d(i, n-1) stand."""
    first = i * (2 * n - i - 1) // 2
    return out[first : first + n - i - 1]


# --- nearest neighbours ------------------------------------------------------------------------------------


class Index:
    """Rows prepared once, to be asked for neighbours many times.

    Parameters
    ----------
    XB : array_like
        Two-dimensional, one distribution (or sample) a row. It is not copied where it is float32 or float64:
        do not change it.
    metric : str
        As for ``cdist``.
    **metric_options
        As for ``cdist``.

    Examples
    --------
    >>> import fastdiv
    >>> index = fastdiv.Index([[1, 0], [1, 1], [0, 1]], "total_variation")
    >>> index.query([[3, 1]], k=2)
    (array([[0.25, 0.25]]), array([[0, 1]]))
    """

    def __init__(self, XB: Matrix, metric: MetricName = "js_distance", **metric_options: Any) -> None:
        self._task = _Task(metric, metric_options)
        self._task.check_labels({"XB": XB})
        self._array = self._task.rows(XB, "XB")
        frame: Any = XB
        self._labelled = frame[:0] if hasattr(frame, "columns") else None  # no rows, its columns
        self._floats: Any = None  # samples as floats, where these tell all of them
        self._light: Array | None = None
        if not isinstance(self._array, Compressed):
            if self._task.samples and _small(self._array):
                self._floats = np.asarray(self._array, opt.result_dtype(self._array))
            self._light = self._task.light(self._array)
        self._prepared: dict[Any, Any] = {}

    def __len__(self) -> int:
        return int(self._array.shape[0])

    def __repr__(self) -> str:
        rows, bins = self._array.shape
        return f"<fastdiv.Index of {rows} rows of {bins} bins, {self._task.metric}>"

    def query(self, XA: Matrix, k: int, *, workers: int | None = None) -> tuple[Array, Array]:
        """The `k` nearest rows for each row of `XA`: see ``knn``."""
        threads = _workers(workers)
        k = opt.integer(k, "k")
        if not 1 <= k <= len(self):
            raise ValueError(f"k must be from 1 to the {len(self)} rows of XB, not {k}")
        self._task.check_labels({"XA": XA, "XB": self._labelled})
        array = self._task.rows(XA, "XA")
        if not self._task.samples:
            _same_bins(array, self._array)
        dtype = _result_dtype(array, self._array)
        single = dtype == np.float32
        require_memory(array.shape[0] * k * (8 + dtype.itemsize), (array.shape[0], k), dtype)
        right = self._array
        if self._task.samples:
            assert not isinstance(array, Compressed)
            if self._floats is not None and _small(array):
                array, right = np.asarray(array, opt.result_dtype(array)), self._floats
            else:
                array, right = _comparable(array, right)  # type: ignore[arg-type]
        if array.shape[1] != right.shape[1] or right.dtype == np.uint64 or 8 * k > len(self) > 1000:
            return self._query_by_rows(array, right, k, dtype, threads)
        n = array.shape[0]
        if isinstance(array, Compressed) or isinstance(right, Compressed):
            left, packed = _both_compressed(array, right)
            plan = self._task.plan(left.shape[1], single, True, left.used)
            second = self._task.prepare_compressed(plan, packed, "XB", True, range(len(self)))
            first = self._task.prepare_compressed(plan, left, "XA", False, range(n))
            values, where = _matrix.sparse(plan, first, second, None, k, threads)
            return values.astype(dtype), where
        distances, indices = np.empty((n, k), dtype), np.empty((n, k), np.intp)
        light = self._task.light(array)
        if self._light is None or not self._light.any():
            light[:] = False
        kept = self._prepared if right is self._array or right is self._floats else {}
        step = _block_rows(self._task.plan(array.shape[1], single), max(1, n), k, 16)
        for start in range(0, n, step):
            block, is_light = array[start : start + step], light[start : start + step]
            for some in (np.flatnonzero(~is_light), np.flatnonzero(is_light)):
                if some.size:
                    rows = block if some.size == block.shape[0] else block[some]
                    values, where = self._search(
                        rows, start + some, right, k, single, threads, bool(is_light[some[0]]), kept
                    )
                    distances[start + some], indices[start + some] = values, where
        return distances, indices

    def _search(
        self,
        rows: Array,
        numbers: Array,
        right: Array,
        k: int,
        single: bool,
        workers: int,
        light: bool,
        kept: dict[Any, Any],
    ) -> tuple[Array, Array]:
        """The nearest of all rows; of a light one among the light rows and the others."""
        task, bins = self._task, right.shape[1]
        plan, found = task.plan(bins, single), []
        sides = [np.arange(len(self))]
        if light:
            assert self._light is not None
            sides = [np.flatnonzero(~self._light), np.flatnonzero(self._light)]
        if sides[0].size:
            if (single, light) not in kept:
                some = right[sides[0]] if light else right
                kept[single, light] = task.prepare(plan, some, "XB", False, True, workers, sides[0], True)
            left = task.prepare(plan, rows, "XA", True, False, workers, numbers, True)
            values, where = _matrix.nearest(plan, left, kept[single, light], min(k, sides[0].size), workers)
            found.append((values, sides[0][where]))
        if light:
            plan = task.plan(bins, single, True)
            if (single, "packed") not in kept:
                packed = compress(right[sides[1]])
                kept[single, "packed"] = task.prepare_compressed(plan, packed, "XB", True, sides[1])
            few = task.prepare_compressed(plan, compress(rows), "XA", False, numbers)
            some_k = min(k, sides[1].size)
            values, where = _matrix.sparse(plan, few, kept[single, "packed"], None, some_k, workers)
            found.append((values, sides[1][where]))
        values, where = (np.concatenate(parts, axis=1) for parts in zip(*found, strict=True))
        if len(found) > 1:
            order = np.lexsort((where, values), axis=1)[:, :k]
            values, where = (np.take_along_axis(part, order, 1) for part in (values, where))
        return values, where

    def _query_by_rows(self, array: Any, right: Any, k: int, dtype: Any, workers: int) -> tuple[Array, Array]:
        """Whole rows of the matrix, sorted: for samples of two sizes, and a `k` that leaves few rows out."""
        n, m = array.shape[0], len(self)
        distances, indices = np.empty((n, k), dtype), np.empty((n, k), np.intp)
        step = max(1, BLOCK_BYTES // (8 * m))
        for start in range(0, n, step):
            block = array[start : start + step]
            matrix = np.empty((block.shape[0], m), dtype)
            if right.dtype == np.uint64 and self._task.samples:
                _fill_sweeps(self._task, block, right, matrix, workers, None, 0)
            else:
                _fill(self._task, block, right, matrix, workers, shift=start)
            where = np.argsort(matrix, axis=1, kind="stable")[:, :k]
            indices[start : start + step] = where
            distances[start : start + step] = np.take_along_axis(matrix, where, 1)
        return distances, indices


def knn(
    XA: Matrix,
    XB: Matrix,
    k: int,
    metric: MetricName = "js_distance",
    *,
    workers: int | None = None,
    **metric_options: Any,
) -> tuple[Array, Array]:
    r"""The `k` rows of `XB` nearest to each row of `XA`, exactly.

    Parameters
    ----------
    XA, XB : array_like
        Two-dimensional, one distribution (or sample) a row, with the same number of bins; samples may be of
        any size.
    k : int
        From 1 to the number of rows of `XB`.
    metric : str
        As for ``cdist``; of asymmetric metrics ``D(XA[i] || XB[j])`` is taken.
    workers : int, optional
        Threads at most, -1 for every CPU. None: what ``num_threads`` says.
    **metric_options
        As for ``cdist``.

    Returns
    -------
    distances, indices : ndarray
        Both of shape (rows of `XA`, k), nearest first, equal distances by index, NaN last: the first `k` of a
        stable sort of ``cdist(XA, XB)``, bit for bit, with memory for n k numbers only.

    Raises
    ------
    ValueError
        A `k` out of range, and what ``cdist`` raises.
    TypeError, MemoryError
        As ``cdist``.

    Examples
    --------
    >>> import fastdiv
    >>> fastdiv.knn([[3, 1]], [[1, 0], [1, 1], [0, 1]], 2, "total_variation")
    (array([[0.25, 0.25]]), array([[0, 1]]))
    """
    return Index(XB, metric, **metric_options).query(XA, k, workers=workers)
