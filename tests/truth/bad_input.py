"""The table of bad input: what no array may be, what kinds of arrays and options may not be, who takes what.

A line is what is done to a good array, the exception, and a part of its one sentence: {name} is the argument,
{at} the entry named (p[1, 2]), {place} its row and bin. Bad entries are the last of their array.
"""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable
from operator import attrgetter
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np

import fastdiv
from fastdiv import information
from fastdiv.matrix.metric import METRICS


class Line(NamedTuple):
    spoil: Callable[[np.ndarray], Any]
    kind: type[Exception]
    words: str
    options: dict[str, Any] = MappingProxyType({})


def last(value, dtype=None):
    """The array with its last entry replaced."""

    def spoil(a):
        a = a.astype(dtype or a.dtype)
        a[(-1,) * a.ndim] = value
        return a

    return spoil


def masked(a):
    return np.ma.masked_equal(a, a.flat[0])


class Liar:
    """An array that raises when it is asked for."""

    def __init__(self, a):
        self.shape = a.shape

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("no array today")


DTYPE = "{name} has dtype "

# --- every array -------------------------------------------------------------------------------------------

NUMBERS = {
    "objects": Line(lambda a: a.astype(object), TypeError, DTYPE + "object"),
    "strings": Line(lambda a: a.astype("U4"), TypeError, DTYPE + "<U4"),
    "strings in a list": Line(lambda a: a.astype("U4").tolist(), TypeError, DTYPE + "<U"),
    "bytes": Line(lambda a: a.astype("S4"), TypeError, DTYPE + "|S4"),
    "complex": Line(lambda a: a.astype(complex), TypeError, DTYPE + "complex128"),
    "dates": Line(lambda a: a.astype("M8[s]"), TypeError, '{name}).astype("int64"), counts of s'),
    "time spans": Line(lambda a: a.astype("m8[s]"), TypeError, '{name}).astype("int64"), counts of s'),
    "records": Line(lambda a: np.zeros(a.shape, "f8,f8"), TypeError, DTYPE + "["),
    "masked": Line(masked, TypeError, "{name} has masked entries"),
    "a mapping": Line(lambda a: dict(enumerate(a.tolist())), TypeError, "{name} is a dict"),
    "a set": Line(lambda a: set(a.flat), TypeError, DTYPE + "object"),
    "a generator": Line(lambda a: iter(a.tolist()), TypeError, DTYPE + "object"),
    "it raises": Line(Liar, RuntimeError, "no array today"),
}
if np.dtype(np.longdouble).itemsize > 8:
    NUMBERS["long double"] = Line(lambda a: a.astype(np.longdouble), TypeError, DTYPE + "float128, which")

RAGGED = Line(lambda a: [[1.0, 2.0], [3.0]], ValueError, "{name} is not a rectangular array")
SCALAR = Line(lambda a: 3.0, ValueError, "{name} ")
NEEDED = Line(lambda a: None, TypeError, "{name} ")
EMPTY = Line(lambda a: a[..., :0], ValueError, "{name} ")
ALWAYS = {"ragged": RAGGED, "a number": SCALAR, "none of it": EMPTY}

# --- what kind of array ------------------------------------------------------------------------------------

NEGATIVE = "{name} has a negative mass: {at} = "
INFINITE = "{name} has an infinite mass: {at} = inf ({place})"
MISSING = "{name} has a missing value: {at} = nan"
MASSES = {
    "negative": Line(last(-0.25), ValueError, NEGATIVE + "-0.25 ({place})"),
    "minus inf": Line(last(-np.inf), ValueError, NEGATIVE + "-inf ({place})"),
    "least negative": Line(last(-5e-324), ValueError, NEGATIVE + "-5e-324 ({place})"),
    "negative integer": Line(last(-7, int), ValueError, NEGATIVE + "-7 ({place})"),
    "negative float32": Line(last(-0.5, "f4"), ValueError, NEGATIVE + "-0.5 ({place})"),
    "negative and swapped": Line(last(-0.5, ">f8"), ValueError, NEGATIVE + "-0.5 ({place})"),
    "negative, raw": Line(last(-2.0), ValueError, NEGATIVE + "-2.0 ({place})", {"normalize": False}),
    "negative, smoothed": Line(last(-0.1), ValueError, NEGATIVE + "-0.1 ({place})", {"pseudocount": 1.0}),
    "inf": Line(last(np.inf), ValueError, INFINITE),
    "infinite float16": Line(last(np.inf, "f2"), ValueError, INFINITE),
    "missing": Line(last(np.nan), ValueError, MISSING + " ({place})", {"nan_policy": "raise"}),
    "missing logit": Line(
        last(np.nan), ValueError, MISSING + " ({place})", {"nan_policy": "raise", "log_input": True}
    ),
    "infinite logit": Line(
        last(np.inf),
        ValueError,
        "{name} has an infinite log-probability: {at} = inf ({place})",
        {"log_input": True},
    ),
    "other bins": Line(lambda a: np.ones((*a.shape[:-1], 5)), ValueError, "{name} has 5"),
    "one bin": Line(lambda a: a[..., :1], ValueError, "has 1"),
}
CHANCES = {
    "above 1": Line(last(1.5), ValueError, "not 1.5: {at} ({place})"),
    "below 0": Line(last(-0.1), ValueError, "not -0.1: {at} ({place})"),
    "inf": Line(last(np.inf), ValueError, "not inf: {at} ({place})"),
    "other bins": MASSES["other bins"],
}
OUTSIDE = "{name} has a probability outside [0, 1]: {at} = "
EVENTS = {
    "above 1": Line(last(1.5), ValueError, OUTSIDE + "1.5"),
    "below 0": Line(last(-5e-324), ValueError, OUTSIDE + "-5e-324"),
    "inf": Line(last(np.inf), ValueError, OUTSIDE + "inf"),
    "integer": Line(last(2, int), ValueError, OUTSIDE + "2"),
}
NOT_A_WEIGHT = "must be finite and not negative, not "
WEIGHTS = {
    "negative": Line(last(-0.25), ValueError, "{name} " + NOT_A_WEIGHT + "-0.25: {at}"),
    "nan": Line(last(np.nan), ValueError, "{name} " + NOT_A_WEIGHT + "nan: {at}"),
    "inf": Line(last(np.inf), ValueError, "{name} " + NOT_A_WEIGHT + "inf: {at}"),
    "negative float32": Line(last(-0.5, "f4"), ValueError, "{name} " + NOT_A_WEIGHT + "-0.5: {at}"),
    "all zero": Line(lambda a: 0 * a, ValueError, "are all zero"),
    "too many": Line(lambda a: np.ones((*a.shape[:-1], 5)), ValueError, "{name} "),
}
ROUNDED = [0.5, 1.5, 2**53 + 1]
SAMPLES = {
    "missing": Line(last(np.nan), ValueError, MISSING, {"nan_policy": "raise"}),
    "would be rounded": Line(
        lambda a: [[0.5] * 3] * (a.ndim - 1) + [ROUNDED] if a.ndim > 1 else ROUNDED,
        ValueError,
        "{at} = 9007199254740993 would be rounded",
    ),
}
FINITE = {
    "nan": Line(last(np.nan), ValueError, "{name} must be finite, not nan: {at}"),
    "inf": Line(last(np.inf), ValueError, "{name} must be finite, not inf: {at}"),
    "minus inf": Line(last(-np.inf, "f4"), ValueError, "{name} must be finite, not -inf: {at}"),
    "two rows": Line(lambda a: np.stack([a, a]), ValueError, "{name} "),
}
PLACES = {
    "nan": Line(last(np.nan), ValueError, "{name}"),
    "inf": Line(last(np.inf), ValueError, "{name}"),
    "too many": Line(lambda a: np.arange(7.0), ValueError, "{name} "),
    "a matrix": Line(lambda a: a[None], ValueError, "{name} must have "),
}
EDGES = PLACES | {
    "unsorted": Line(lambda a: a[::-1], ValueError, "{name} must ascend, but {name}[0] = "),
    "twice the same": Line(lambda a: np.sort(np.append(a[:-1], a[0])), ValueError, "{name} must ascend"),
}
POINTS = {
    "other dimensions": Line(lambda a: np.ones((2, 5)), ValueError, "{name} has 5"),
    "a row": Line(lambda a: a[0], ValueError, "{name} must have shape (points, dimensions)"),
}
KINDS = {
    "masses": MASSES,
    "chances": CHANCES,
    "events": EVENTS,
    "weights": WEIGHTS,
    "own weights": WEIGHTS | {"two rows": FINITE["two rows"]},
    "point weights": WEIGHTS | {"two rows": FINITE["two rows"]},
    "sample": SAMPLES,
    "finite sample": FINITE | {"would be rounded": SAMPLES["would be rounded"]},
    "places": PLACES,
    "edges": EDGES,
    "points": POINTS,
    "rows of samples": SAMPLES,
    "atoms": FINITE,
}
RIGHT = {("none of it", "events"), ("ragged", "rows of samples"), ("none of it", "rows of samples")}
OPTIONAL = ("weights", "own weights", "point weights", "chances", "places", "edges")

# --- options -----------------------------------------------------------------------------------------------

FLAG = "must be True or False, not "
REAL = "must be a real number, not "
WHOLE = "must be an integer, not "
OUT_OF_BOUNDS = (np.exceptions.AxisError, "out of bounds for array of dimension 2")


def flags(name):
    return [
        (value, TypeError, f"{name} {FLAG}{value!r}") for value in ("no", None, 1, np.array([True, True]))
    ]


def reals(name):
    return [(value, TypeError, f"{name} {REAL}") for value in ("2", 2j, True, [2, 3], np.array([2.0]))] + [
        (10**400, ValueError, f"{name} must fit a float")
    ]


def at_least_1(name):
    return [(value, TypeError, f"{name} {WHOLE}{value!r}") for value in (1.0, True, "2", [1])]


OPTIONS = {
    "axis": [
        (2, *OUT_OF_BOUNDS),
        (-3, *OUT_OF_BOUNDS),
        (10**30, np.exceptions.AxisError, "out of bounds"),
        *((value, TypeError, f"axis {WHOLE}{value!r}") for value in (1.0, True, None, (0, 1), "0")),
    ],
    **{name: flags(name) for name in ("keepdims", "normalize", "log_input", "assume_sorted", "density")},
    "nan_policy": [
        (value, ValueError, f"nan_policy must be one of 'propagate', 'omit', 'raise', not {value!r}")
        for value in ("ignore", None, ["omit"], 1)
    ],
    "pseudocount": [
        *reals("pseudocount"),
        *(
            (x, ValueError, "pseudocount must be finite and not negative")
            for x in (-1e-9, math.inf, math.nan)
        ),
    ],
    "base": [
        *reals("base"),
        *(
            (x, ValueError, f"base must be finite and greater than 1 (None for nats), not {x!r}")
            for x in (0, 1, 1.0, 0.5, -2, math.inf, math.nan, np.float32(1))
        ),
    ],
    "alpha": [
        *reals("alpha"),
        (None, TypeError, f"alpha {REAL}None"),
        *(
            (x, ValueError, f"alpha must be from 0 to infinity, not {x!r}")
            for x in (-0.5, math.nan, -math.inf)
        ),
    ],
    "order": [
        *reals("p"),
        (None, TypeError, f"p {REAL}None"),
        *((x, ValueError, "p must be from 1 to infinity, not ") for x in (0, 0.5, -math.inf, math.nan)),
    ],
    "period": [
        *reals("period"),
        *((x, ValueError, "period must be positive and finite") for x in (0, -1.0, math.inf, math.nan)),
    ],
    "mixture": [
        ([1.0, 2.0, 3.0], ValueError, "weights must have shape (2,), one for each distribution, not (3,)"),
        ([[0.5, 0.5]], ValueError, "weights must have shape (2,)"),
        (0.5, ValueError, "weights must have shape (2,), one for each distribution, not ()"),
        ([0.5, -0.5], ValueError, f"weights {NOT_A_WEIGHT}-0.5: weights[1]"),
        ([math.nan, 0.5], ValueError, "not nan: weights[0]"),
        ([math.inf, 0.5], ValueError, "not inf: weights[0]"),
        ([0.0, 0.0], ValueError, "weights are all zero"),
        (["a", "b"], TypeError, "weights has dtype <U1"),
        ([1j, 1.0], TypeError, "weights has dtype complex128"),
    ],
    "n_projections": [
        *at_least_1("n_projections"),
        (0, ValueError, "n_projections must be at least 1, not 0"),
    ],
    "seed": [("a", TypeError, ""), (-1, ValueError, "")],
    "workers": [
        *at_least_1("workers"),
        *((x, ValueError, "workers must be at least 1, or -1 for all CPUs, not") for x in (0, -2, -(10**30))),
    ],
    "k": [
        *at_least_1("k"),
        *((x, ValueError, "k must be from 1 to the 2 rows") for x in (0, -1, 3, 10**30)),
    ],
    "metric": [
        (None, TypeError, "metric must be a name, not None"),
        ("js_distanc", ValueError, "metric 'js_distanc' is unknown; there are js_distance"),
    ],
    "samples": flags("samples"),
    "out": [
        ([0.0, 0.0], TypeError, "out must be a NumPy array, not list"),
        (np.zeros(7), ValueError, "out has shape (7,), but the result has shape ("),
        (np.zeros((2, 1, 1)), ValueError, "out has shape (2, 1, 1)"),
    ],
}


def outs(result):
    """What `out` may not be, beside OPTIONS, for a result like this one."""
    return [
        (np.zeros(result.shape, "f4"), TypeError, "out has dtype float32, but"),
        (np.zeros(result.shape, ">f8"), TypeError, "out has dtype >f8, but"),
        (np.zeros(result.shape, int), TypeError, "out has dtype int64, but"),
        (np.broadcast_to(0.0, result.shape), ValueError, "out is read-only"),
    ]


# --- who takes what ----------------------------------------------------------------------------------------

ROWS = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
GOOD = {
    "masses": ROWS,
    "chances": ROWS / 10,
    "events": ROWS / 10,
    "weights": ROWS,
    "own weights": ROWS[0],
    "point weights": np.array([1.0, 2.0]),
    "sample": ROWS,
    "points": ROWS,
    "rows of samples": ROWS,
    "finite sample": ROWS[0],
    "atoms": ROWS[0],
    "places": np.array([0.0, 1.0, 3.0]),
    "edges": np.array([0.0, 1.0, 3.0, 7.0]),
}
ONE_PAIR = ("wasserstein_circle", "transport_plan")


class Function(NamedTuple):
    """A public function: its arrays by name, with their kinds, and its options with the kinds of theirs."""

    label: str
    path: str
    arrays: dict[str, str]
    options: dict[str, str]
    given: dict[str, Any]  # options that every call has
    has_twin: bool = True

    def good(self):
        """Arrays that are taken, fresh ones."""
        return {name: GOOD[kind].copy() for name, kind in self.arrays.items()}

    def __call__(self, library, arrays, **options):
        *_, name = self.path.split(".")
        return CALLS.get(name, plainly)(attrgetter(self.path)(library), arrays, self.given | options)


def plainly(function, arrays, options):
    return function(**arrays, **options)


def neighbours_of_an_index(index, arrays, options):
    query = {name: options.pop(name) for name in ("k", "workers") if name in options}
    return index(arrays["XB"], options.pop("metric"), **options).query(arrays["XA"], **query)


def of_samples(function, arrays, options):
    """`samples[1]` and `sample_weights[1]` are the second of two."""
    rest = {name[:-3]: [GOOD["atoms"].copy(), x] for name, x in arrays.items()}
    return function(**rest, **options)


CALLS = {"Index": neighbours_of_an_index, "wasserstein_barycenter": of_samples}


def _kinds(path):
    """Which arrays a function takes."""
    name = path.split(".")[-1]
    if name in ("surprisal", "binary_entropy"):
        return {"p": "events"}
    if name == "entropy":
        return {"p": "masses"}
    if name == "wasserstein_hist":
        return {"u": "masses", "v": "masses"}
    if name == "sliced_wasserstein":
        return {"X": "points", "Y": "points", "X_weights": "point weights", "Y_weights": "point weights"}
    if name in (*ONE_PAIR, "wasserstein_distance", "energy_distance", "cramer_distance", "ks_distance"):
        x, w = ("finite sample", "own weights") if name in ONE_PAIR else ("sample", "weights")
        return {"u_values": x, "v_values": x, "u_weights": w, "v_weights": w}
    if name in ("minimax_value", "saturating_loss", "non_saturating_loss"):
        return {"p": "masses", "q": "masses", "d": "chances"}
    return {"p": "masses", "q": "masses"}


_OPTION_KINDS = {"p": "order", "weights": "mixture"}


def _of(path, has_twin=True, arrays=None, label=None, **given):
    arrays = arrays or _kinds(path)
    parameters = inspect.signature(attrgetter(path)(fastdiv)).parameters
    names = [name for name in parameters if name not in (*arrays, "support", "bin_edges", "v_bin_edges")]
    return Function(label or path, path, arrays, {n: _OPTION_KINDS.get(n, n) for n in names}, given, has_twin)


def _of_matrices(metric, given):
    functions = [("cdist", "XA", "XB")]
    if metric in ("js_divergence", "wasserstein"):  # one door for all
        functions += [("knn", "XA", "XB"), ("Index", "XB", "XA"), ("pdist", "X")]
    for name, *arrays in functions:
        options = dict.fromkeys(METRICS[metric].options)
        options |= dict.fromkeys({"cdist": ("out",), "pdist": ("out",)}.get(name, ("k",)))
        kind = "rows of samples" if given.get("samples") else "masses"
        if metric == "wasserstein":
            options.pop("support")
            if not given.get("samples"):
                options.pop("p")
        if name == "pdist":  # others' weights are not symmetric
            options.pop("weights", None)
        kinds = {n: _OPTION_KINDS.get(n, n) for n in (*options, "workers", "metric")}
        label = f"{name}, {metric}{' of samples' if given.get('samples') else ''}"
        more = {"metric": metric, **given, **({"k": 1} if "k" in options else {})}
        yield Function(label, name, dict.fromkeys(arrays, kind), kinds, more, False)


def _functions():
    own = {"renyi_divergence": {"alpha": 2.0}}
    for name in information.__all__:
        yield _of(name, **own.get(name, {}))
        if name not in ("surprisal", "binary_entropy"):
            yield _of(f"grad.{name}", False, **own.get(name, {}))
    for name in fastdiv.gan.__all__:
        if name.islower() and name != "shared_histogram":
            yield _of(f"gan.{name}")
            if hasattr(fastdiv.grad, name):
                yield _of(f"grad.{name}", False)
    for name in ("wasserstein_distance", "energy_distance", "cramer_distance", "ks_distance", *ONE_PAIR):
        yield _of(name)
        if hasattr(fastdiv.grad, name):
            yield _of(f"grad.{name}", False)
    for path in ("wasserstein_hist", "grad.wasserstein_hist"):
        masses = {"u": "masses", "v": "masses"}
        yield _of(path, False, masses | {"support": "places"}, f"{path} at points")
        within = masses | {"bin_edges": "edges", "v_bin_edges": "edges"}
        yield _of(path, False, within, f"{path} within bins")
    for path in ("sliced_wasserstein", "grad.sliced_wasserstein"):
        yield _of(path, False)
    arrays = {"samples[1]": "atoms", "sample_weights[1]": "own weights"}
    yield Function("wasserstein_barycenter", "wasserstein_barycenter", arrays, {"weights": "mixture"}, {})
    for metric in METRICS:
        yield from _of_matrices(metric, own.get(metric, {}))
    yield from _of_matrices("wasserstein", {"samples": True})


FUNCTIONS = tuple(_functions())


def lines(function, name):
    """The lines of the table for an argument: description -> Line."""
    kind = function.arrays[name]
    found = NUMBERS | ALWAYS | KINDS[kind]
    if kind not in OPTIONAL and not (
        name == "q" and "weights" in function.options
    ):  # without q, p is a stack
        found |= {"None": NEEDED}
    for key, line in found.items():
        of_several = len(function.arrays) > 1 or key not in ("other bins", "one bin")
        if set(line.options) <= {*function.options} and (key, kind) not in RIGHT and of_several:
            yield key, line
