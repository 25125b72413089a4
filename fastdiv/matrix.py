"""Many rows against many: matrices of distances, in memory or out of it, and exact nearest neighbours.

Rows are prepared once and compared in tiles by a fast form of each measure; the pairs that this leaves with
too few digits are computed again as the row-wise functions do it, so every entry keeps their accuracy
(relative error 1e-12, float32 5e-6, wherever the value is at least 1e-30). The same bits for any number of
threads.
"""

from __future__ import annotations

import difflib
import mmap
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from fastdiv import _matrix, _rows
from fastdiv import _options as opt
from fastdiv._arrays import as_numbers
from fastdiv._memory import require_memory
from fastdiv._sparse import Compressed, compress, compress_csr, is_sparse

__all__ = ["Index", "cdist", "knn", "pdist"]

Array = np.ndarray[Any, Any]


class Metric(NamedTuple):
    """What a metric takes, and whether its matrix equals its transpose."""

    options: tuple[str, ...]
    symmetric: bool


_ROWS = ("normalize", "pseudocount", "log_input", "nan_policy")

METRICS = {
    "cross_entropy": Metric(("base", *_ROWS), False),
    "kl_divergence": Metric(("base", *_ROWS), False),
    "jeffreys_divergence": Metric(("base", *_ROWS), True),
    "js_divergence": Metric(("base", "weights", *_ROWS), True),
    "js_distance": Metric(("base", "weights", *_ROWS), True),
    "total_variation": Metric(_ROWS, True),
    "hellinger_distance": Metric(_ROWS, True),
    "chi_square": Metric(_ROWS, False),
    "renyi_divergence": Metric(("alpha", "base", *_ROWS), False),
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
        return np.sort(np.asarray(array, opt.result_dtype(array)), axis=1)

    def plan(self, n_bins: int, single: bool, typical: float = 0.0) -> Any:
        """`typical`: bins of a row with mass, for compressed rows."""
        support = None
        if self.compiled == "histograms":
            support = _support(self.support, n_bins)
        return _matrix.Plan(self.compiled, self.options, n_bins, single, True, self.order, support, typical)

    def compressed(self, *given: Array | Compressed) -> tuple[Compressed, ...] | None:
        """All as compressed rows if one of them is, or if all are so empty that it pays."""
        if any(isinstance(rows, Compressed) for rows in given):
            return tuple(rows if isinstance(rows, Compressed) else compress(rows) for rows in given)
        if (
            self.samples
            or self.log_input
            or self.pseudocount
            or not self.options[2]
            or given[0].shape[1] < 64
        ):
            return None
        worth = _WORTH_COMPRESSING.get(self.metric, 0.0)
        dense = [rows for rows in given if not isinstance(rows, Compressed)]
        for rows in dense:
            if _mapping(rows) is not None:
                return None
            for looked_at in (rows[:: len(rows) // 16 + 1], rows):  # a few of them mostly tell
                if np.count_nonzero(looked_at) > worth * looked_at.size:
                    return None
        return tuple(map(compress, dense))

    def prepare_compressed(
        self, plan: Any, rows: Compressed, name: str, right: bool, most: int, first: int = 0
    ) -> Any:
        """As ``prepare``."""
        prepared = _matrix.SparseRows(plan, rows.start, rows.bins, rows.mass, right, most)
        for row in prepared.void_rows():
            entries = slice(*rows.start[row : row + 2])
            self._refuse(name, first + row, rows.bins[entries], rows.mass[entries])
        return prepared

    def prepare(
        self,
        plan: Any,
        array: Array,
        name: str,
        left: bool,
        right: bool,
        workers: int,
        bounds: bool = False,
        first: int = 0,
    ) -> Any:
        """Prepared rows, `first` of them the first here; no distributions are looked at for what is wrong.

        Here integers and swapped bytes become float64 or float32: a block of a mapped file at a time.
        """
        array = np.asarray(array, opt.result_dtype(array))
        rows = _matrix.Rows(plan, array, left, right, workers, bounds)
        for row in rows.void_rows() if not self.samples else ():
            self._refuse(name, first + row, np.arange(array.shape[1]), array[row])
        return rows

    def _refuse(self, name: str, row: int, bins: Array, masses: Array) -> None:
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


def _support(support: Any, n_bins: int) -> Array:
    """The places of the bins: 0, 1, 2, ... where none are given."""
    if support is None:
        return np.arange(float(n_bins))
    places = np.asarray(as_numbers(support, "support"), np.float64)
    if places.shape != (n_bins,):
        raise ValueError(f"support must have shape ({n_bins},), one place for each bin, not {places.shape}")
    with np.errstate(over="ignore", invalid="ignore"):
        gaps = np.diff(places)
    if not (np.isfinite(places).all() and np.isfinite(gaps).all() and (gaps > 0).all()):
        raise ValueError("support must be finite and strictly increasing")
    return places


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


def _same_bins(XA: Array | Compressed, XB: Array | Compressed) -> None:
    if XA.shape[1] != XB.shape[1]:
        raise ValueError(f"XA has {XA.shape[1]} bins but XB has {XB.shape[1]}")


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
    XA: Any,
    XB: Any,
    metric: str = "js_distance",
    *,
    out: Any = None,
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
        "js_distance", "total_variation", "hellinger_distance", "chi_square", "renyi_divergence"; or
        "wasserstein".
    out : ndarray, optional
        Where to put the result: its exact shape and dtype. A ``np.memmap`` is written in blocks of rows, in
        order, with bounded memory.
    workers : int, optional
        Threads at most, -1 for every CPU. None: what ``num_threads`` says. The bits do not depend on it.
    **metric_options
        Those of the function: `base`, `weights`, `alpha`, `normalize`, `pseudocount`, `log_input`,
        `nan_policy` ("propagate" or "raise"). For "wasserstein": `support`, the increasing places of the bins
        (0, 1, 2, ... if not given); or ``samples=True`` for rows of samples (of any size), and the order `p`.

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
    task, threads = _Task(metric, metric_options), _workers(workers)
    left = task.rows(XA, "XA")
    right = left if XB is XA else task.rows(XB, "XB")
    if not task.samples:
        _same_bins(left, right)
    return _fill(task, left, right, out, threads)


def _fill(
    task: _Task,
    XA: Array | Compressed,
    XB: Array | Compressed,
    out: Any,
    workers: int,
    progress: Callable[[float], None] | None = None,
    first_row: int = 0,
    in_order: bool = False,
    shift: int = 0,
) -> Array:
    """The matrix from row `first_row` on; `progress` is told the share that is done after each block of rows.

    `in_order`: rows are finished one block after the other, as those of a mapped file are in any case. Errors
    count rows from `shift`, where `XA` is a block of what was given.
    """
    shape, dtype = (XA.shape[0], XB.shape[0]), _result_dtype(XA, XB)
    if out is None:
        require_memory(shape[0] * shape[1] * dtype.itemsize, shape, dtype)
        out = np.empty(shape, dtype)
    else:
        _check_out(out, shape, dtype, XA, XB)
    if 0 in shape:
        return np.asarray(out)
    if XA.shape[1] != XB.shape[1]:
        return _fill_unequal(task, XA, XB, out, workers, progress, first_row)
    both = task.compressed(XA) if XA is XB else task.compressed(XA, XB)
    if both is not None:
        return _fill_compressed(task, both[0], both[-1], out, workers, progress, first_row, shift)
    assert not isinstance(XA, Compressed)
    assert not isinstance(XB, Compressed)
    plan = task.plan(XA.shape[1], dtype == np.float32)
    in_order = in_order or _mapping(out) is not None or not (out.flags.c_contiguous and out.flags.aligned)
    if XA is XB and task.symmetric and not in_order:
        rows = task.prepare(plan, XA, "XA", True, True, workers)
        _matrix.fill(plan, rows, rows, out, half=True, workers=workers, progress=progress)
        return np.asarray(out)
    right = task.prepare(plan, XB, "XA" if XA is XB else "XB", False, True, workers)
    step = _block_rows(plan, *shape, dtype.itemsize)
    for start in range(first_row, shape[0], step):
        block = out[start : start + step]
        left = task.prepare(plan, XA[start : start + step], "XA", True, False, workers, first=shift + start)
        plain = block if block.flags.c_contiguous and block.flags.aligned else np.empty(block.shape, dtype)
        _matrix.fill(plan, left, right, plain, workers=workers)
        if plain is not block:
            block[...] = plain
        _release(out)
        if progress is not None:
            progress(min(shape[0], start + step) / shape[0])
    return out  # type: ignore[no-any-return]


def _fill_unequal(
    task: _Task,
    XA: Any,
    XB: Any,
    out: Array,
    workers: int,
    progress: Callable[[float], None] | None,
    first_row: int,
) -> Array:
    """As ``_fill``, for sorted rows of samples of two sizes: sweeps of one row with all of the other size."""
    from fastdiv import _wasserstein

    XA, XB = np.asarray(XA, np.float64, "C"), np.asarray(XB, np.float64, "C")
    values, statistic = np.empty(len(XB)), _wasserstein.STATISTICS["wasserstein"]
    for i in range(first_row, len(XA)):
        _wasserstein.statistic_of_rows(
            XA[i : i + 1], XB, None, None, values, statistic, task.order, False, True, workers
        )
        out[i] = values
        if progress is not None:
            progress((i + 1) / len(XA))
    return out


def _fill_compressed(
    task: _Task,
    XA: Compressed,
    XB: Compressed,
    out: Array,
    workers: int,
    progress: Callable[[float], None] | None = None,
    first_row: int = 0,
    shift: int = 0,
) -> Array:
    """As ``_fill``; `out` is condensed where it has one axis."""
    most = max(XA.most, XB.most)
    plan = task.plan(XA.shape[1], out.dtype == np.float32, max(XA.typical, XB.typical))
    name = "X" if out.ndim == 1 else "XA"
    right = task.prepare_compressed(plan, XB, name if XA is XB else "XB", True, most)
    if out.ndim == 1:
        left = task.prepare_compressed(plan, XA, name, False, most)
        plain = out if out.flags.c_contiguous and out.flags.aligned else np.empty(out.shape, out.dtype)
        _matrix.sparse(plan, left, right, plain, 0, workers)
        if plain is not out:
            out[...] = plain
        return out
    step = max(1, BLOCK_BYTES // (out.shape[1] * out.itemsize))
    for start in range(first_row, out.shape[0], step):
        block = out[start : start + step]
        left = task.prepare_compressed(plan, XA[start : start + step], name, False, most, shift + start)
        plain = (
            block if block.flags.c_contiguous and block.flags.aligned else np.empty(block.shape, out.dtype)
        )
        _matrix.sparse(plan, left, right, plain, 0, workers)
        if plain is not block:
            block[...] = plain
        _release(out)
        if progress is not None:
            progress(min(out.shape[0], start + step) / out.shape[0])
    return out


def pdist(
    X: Any,
    metric: str = "js_distance",
    *,
    out: Any = None,
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
    compressed = task.compressed(array)
    if compressed is not None:
        return _fill_compressed(task, compressed[0], compressed[0], out, threads)
    assert not isinstance(array, Compressed)
    plan = task.plan(array.shape[1], dtype == np.float32)
    rows = task.prepare(plan, array, "X", True, True, threads)
    plain = out if out.flags.c_contiguous and out.flags.aligned else np.empty(shape, dtype)
    _matrix.fill(plan, rows, rows, plain, half=True, workers=threads)
    if plain is not out:
        out[...] = plain
    return np.asarray(out)


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

    def __init__(self, XB: Any, metric: str = "js_distance", **metric_options: Any) -> None:
        self._task = _Task(metric, metric_options)
        self._array = self._task.rows(XB, "XB")
        self._prepared: dict[bool, tuple[Any, Any]] = {}

    def __len__(self) -> int:
        return int(self._array.shape[0])

    def __repr__(self) -> str:
        rows, bins = self._array.shape
        return f"<fastdiv.Index of {rows} rows of {bins} bins, {self._task.metric}>"

    def query(self, XA: Any, k: int, *, workers: int | None = None) -> tuple[Array, Array]:
        """The `k` nearest rows for each row of `XA`: see ``knn``."""
        threads = _workers(workers)
        k = opt.integer(k, "k")
        if not 1 <= k <= len(self):
            raise ValueError(f"k must be from 1 to the {len(self)} rows of XB, not {k}")
        array = self._task.rows(XA, "XA")
        if not self._task.samples:
            _same_bins(array, self._array)
        dtype = _result_dtype(array, self._array)
        single = dtype == np.float32
        require_memory(array.shape[0] * k * (8 + dtype.itemsize), (array.shape[0], k), dtype)
        if array.shape[1] != self._array.shape[1] or 8 * k > len(self) > 1000:
            return self._query_by_rows(array, k, dtype, threads)
        both = self._task.compressed(array, self._array)
        if both is not None:
            most = max(both[0].most, both[1].most)
            plan = self._task.plan(array.shape[1], single, max(both[0].typical, both[1].typical))
            right = self._task.prepare_compressed(plan, both[1], "XB", True, most)
            left = self._task.prepare_compressed(plan, both[0], "XA", False, most)
            values, where = _matrix.sparse(plan, left, right, None, k, threads)
            return values.astype(dtype), where
        assert not isinstance(array, Compressed)
        if single not in self._prepared:
            plan = self._task.plan(array.shape[1], single)
            assert not isinstance(self._array, Compressed)
            self._prepared[single] = (
                plan,
                self._task.prepare(plan, self._array, "XB", False, True, threads, True),
            )
        plan, right = self._prepared[single]
        n = array.shape[0]
        distances, indices = np.empty((n, k), dtype), np.empty((n, k), np.intp)
        step = _block_rows(plan, max(1, n), k, 16)
        for start in range(0, n, step):
            block = array[start : start + step]
            left = self._task.prepare(plan, block, "XA", True, False, threads, True, start)
            values, where = _matrix.nearest(plan, left, right, k, threads)
            distances[start : start + step], indices[start : start + step] = values, where
        return distances, indices

    def _query_by_rows(self, array: Any, k: int, dtype: Any, workers: int) -> tuple[Array, Array]:
        """Whole rows of the matrix, sorted: for samples of two sizes, and a `k` that leaves few rows out."""
        n, m = array.shape[0], len(self)
        distances, indices = np.empty((n, k), dtype), np.empty((n, k), np.intp)
        step = max(1, BLOCK_BYTES // (8 * m))
        for start in range(0, n, step):
            block = array[start : start + step]
            matrix = np.empty((block.shape[0], m), dtype)
            _fill(self._task, block, self._array, matrix, workers, shift=start)
            where = np.argsort(matrix, axis=1, kind="stable")[:, :k]
            indices[start : start + step] = where
            distances[start : start + step] = np.take_along_axis(matrix, where, 1)
        return distances, indices


def knn(
    XA: Any,
    XB: Any,
    k: int,
    metric: str = "js_distance",
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
