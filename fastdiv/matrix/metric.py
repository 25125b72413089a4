"""What a metric is and takes: its options are checked here, once, and its plans made."""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdiv import _matrix, _rows
from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_exact_numbers, as_numbers, is_sparse, same_labels
from fastdiv._checks.bins import same_bins
from fastdiv._checks.data import Entry, bad_mass
from fastdiv.matrix.sides import Dense

if TYPE_CHECKING:
    from fastdiv.matrix.sides import Side

__all__ = ["METRICS", "Metric", "Task", "threads"]

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


class Task:
    """A metric with its options checked: says what rows are, makes plans and prepares rows for them."""

    @classmethod
    def of(cls, metric: Any, options: dict[str, Any]) -> Task:
        """One made before, where there are no options: small matrices take less time than checking them."""
        return cls(metric, options) if options or type(metric) is not str else _without_options(metric)

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
            alpha = opt.renyi_order(options["alpha"])
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
            False,  # matrices omit nothing
        )
        # up to which share of bins with mass a dense row is light: compressed where both rows of a pair are
        self.worth = 0.0
        if normalize and not (self.samples or self.log_input or self.pseudocount):
            self.worth = _WORTH_COMPRESSING.get(metric, 0.0)

    def require_symmetric(self) -> None:
        if not self.symmetric:
            raise ValueError(
                f"metric {self.metric!r} is not symmetric, so half a matrix cannot hold it; use cdist(X, X)"
            )

    def check_labels(self, given: dict[str, Any]) -> None:
        """Bins of tables must have the same labels, those of `support` too; samples are in no order."""
        if self.samples or (self.support is None and all(type(x) is np.ndarray for x in given.values())):
            return
        if same_bins(given) and self.compiled == "histograms" and self.support is None:
            raise ValueError(
                f"{next(iter(given))} has histograms, whose bins are not at 0, 1, 2, ...: pass the "
                "places of their masses, such as the centres of bins, as support="
            )
        same_labels(given)
        for name, rows in given.items():
            same_labels({name: rows, "support": self.support})

    def rows(self, given: Any, name: str, first: int = 0) -> Side:
        """What `given` is: sparse rows compressed, anything else an array of two dimensions, samples sorted.

        Errors call its rows `first`, `first` + 1, ...
        """
        if is_sparse(given):
            if self.samples or self.log_input or self.pseudocount:
                raise ValueError(
                    f"{name} is sparse, but samples, log_input and pseudocount give empty bins a value; "
                    "pass dense rows"
                )
            from fastdiv.matrix.sparse import compress_csr

            return compress_csr(given, name, first)
        array = (as_exact_numbers if self.samples else as_numbers)(given, name)
        if array.ndim != 2:
            raise ValueError(f"{name} must be two-dimensional, one distribution a row, not {array.ndim}-d")
        if array.shape[1] == 0:
            raise ValueError(f"{name} has no bins: its shape is {array.shape}")
        numbers = range(first, first + array.shape[0])
        if not self.samples:
            return Dense(array, name, numbers, self.worth)
        if self.nan_policy == "raise" and array.dtype.kind == "f" and np.isnan(array).any():
            row, place = np.argwhere(np.isnan(array))[0]
            row = numbers[row]
            raise bad_mass(name, Entry(np.nan, f"{name}[{row}, {place}]", f"row {row}"), False)
        if array.dtype.kind == "f":  # integers are made floats when it is known what they are compared with
            array = np.asarray(array, opt.result_dtype(array))
        return Dense(np.sort(array, axis=1), name, numbers)

    def check_bins(self, A: Side, B: Side) -> None:
        """As many in both; samples may be of any size."""
        if A.shape[1] != B.shape[1] and not self.samples:
            raise ValueError(f"{A.name} has {A.shape[1]} bins but {B.name} has {B.shape[1]}")

    def plan(self, side: Side, dtype: Any, compressed: bool = False) -> Any:
        """How rows like those of `side` are compared, dense or `compressed`, for results of `dtype`."""
        n_bins, used, support = side.shape[1], side.used, None
        if self.compiled == "histograms":
            support = _support(self.support, n_bins, used)
        single = dtype == np.float32
        return _matrix.Plan(self.compiled, self.options, n_bins, single, self.order, support, compressed)

    def prepare(
        self, plan: Any, side: Side, left: bool, right: bool, workers: int = 0, bounds: bool = False
    ) -> Any:
        """Rows ready for a plan, as first arguments, second, or both; with `bounds` for neighbours.

        Only where one cannot be scored they are looked at for what is wrong.
        """
        prepared = side.prepare(plan, left, right, workers, bounds)
        for row in prepared.void_rows() if not self.samples else ():
            self._refuse(side.name, side.numbers[row], *side.entries(row))
        return prepared

    def _refuse(self, name: str, row: Any, bins: Array, masses: Array) -> None:
        """Raises for the first entry of a row that is no mass; none of them may be."""
        bad = masses == np.inf if self.log_input else (masses < 0) | (masses == np.inf)
        if self.nan_policy == "raise":
            bad |= masses != masses
        for bin_, mass in zip(bins[bad], masses[bad], strict=True):
            found = Entry(mass, f"{name}[{row}, {bin_}]", f"row {row}, bin {bin_}")
            raise bad_mass(name, found, self.log_input)


@cache
def _without_options(metric: str) -> Task:
    return Task(metric, {})


def _transport_order(p: Any, samples: bool) -> float:
    order = opt.wasserstein_order(p)
    if order != 1.0 and not samples:
        raise ValueError("p other than 1 needs samples=True; use wasserstein_hist for two histograms")
    return order


def _support(support: Any, n_bins: int, used: Array | None) -> Array:
    """The places of the bins, 0, 1, 2, ... where none are given; or of those `used`."""
    if support is None:
        return (np.arange(n_bins) if used is None else used).astype(np.float64)
    given = as_exact_numbers(support, "support")
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


def threads(workers: Any) -> int:
    """0 for the default, else the number asked for; -1 is every CPU, as in SciPy."""
    if workers is None:
        return 0
    number = opt.integer(workers, "workers")
    if number == -1:
        import os

        return os.cpu_count() or 1
    if number < 1:
        raise ValueError(f"workers must be at least 1, or -1 for all CPUs, not {number}")
    return min(number, 1024)
