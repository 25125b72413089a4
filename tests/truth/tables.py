"""True values of transport, of gradients and of the objectives of GANs: a table checked in, and its judge.

    python tests/truth/tables.py            the errors of each function, for this machine's FASTDIV_ISA
    python tests/truth/tables.py --write    compute data/tables.npz again

Inputs are made again from their seeds (zoo.py, sample_zoo.py). A truth is kept as a double and what it has
beyond that in 1/256 ulp: an error of a tenth of an ulp is told. They come from the oracles, by fractions and
250 digits, 700 where rows span the double range.

The contract is design.md's, section 1: 1e-12 of the value (of derivatives: of the largest beside it), and for
transport of weights (2^-124 n^2)^(1/p) of the range besides.
"""

from __future__ import annotations

import functools
import hashlib
import math
import sys
from fractions import Fraction
from pathlib import Path
from random import Random
from typing import Any, NamedTuple

import mpmath
import numpy as np
import oracle
import oracle_gradients
import oracle_slopes
import oracle_transport
import sample_zoo
import zoo
from calls import ROWWISE
from errors import Verdict
from mpmath import mp, mpf

INF = math.inf
TABLE = Path(__file__).parent / "data" / "tables.npz"
DIGITS = 250
TOLERANCE = 1e-12
LEAST = 1e-30  # as small as values are promised
LARGEST = mpf(2) ** 1024


class Case(NamedTuple):
    """One call: its path below fastdiv, what errors call it, its arguments, the truth about its results."""

    path: str
    kind: str
    label: str
    arguments: tuple[Any, ...]
    options: dict[str, Any]
    truth: (
        Any  # a function of nothing: the value; or a list of it and [(derivatives, what errors are parts of)]
    )
    slack: float = 0.0  # what a value may be off besides


# --- truths ------------------------------------------------------------------------------------------------


def _number(x):
    return mpf(x.numerator) / x.denominator


def _with_mass(values, weights):
    """What weighs nothing has no say, wherever it is."""
    if weights is None:
        return values, None
    kept = [(x, w) for x, w in zip(values, weights, strict=True) if w]
    return [x for x, _ in kept], [w for _, w in kept]


def wasserstein(u, v, a, b, p):
    pieces = oracle_transport.quantile_pieces(u, v, a, b)
    if p == INF:
        return _number(max(abs(x - y) for x, y, _ in pieces))
    total = sum(_number(w) * mpmath.power(_number(abs(x - y)), mpf(p)) for x, y, w in pieces if x != y)
    return mpmath.power(total, 1 / mpf(p)) if total else mpf(0)


def _gaps(u, v, a, b):
    """[(length, F - G)] between all values, exactly; and at the last."""
    exact = oracle_transport.exact
    steps: dict[Fraction, Fraction] = {}
    for values, weights, sign in ((u, a, 1), (v, b, -1)):
        w = [Fraction(1)] * len(values) if weights is None else [exact(x) for x in weights]
        for x, mass in zip(values, w, strict=True):
            steps[exact(x)] = steps.get(exact(x), Fraction(0)) + sign * mass / sum(w)
    places, gap, found = sorted(steps), Fraction(0), []
    for i, x in enumerate(places):
        gap += steps[x]
        found.append((places[i + 1] - x if i + 1 < len(places) else Fraction(0), gap))
    return found


def energy(u, v, a, b, factor):
    return mpmath.sqrt(_number(factor * sum(length * gap**2 for length, gap in _gaps(u, v, a, b))))


def ks(u, v, a, b):
    return _number(max(abs(gap) for _, gap in _gaps(u, v, a, b)))


def game(name, p, q):
    """The objectives at the best discriminator, whose rest 1 - D is a quotient of its own."""
    p, q = oracle.masses([p, q])
    pairs = list(zip(p, q, strict=True))
    of_p = -sum(a * mpmath.log((a + b) / a) for a, b in pairs if a)
    of_q = -sum(b * mpmath.log((a + b) / b) for a, b in pairs if b)
    if name == "minimax_value":
        return of_p + of_q
    if name == "saturating_loss":
        return of_q
    return sum(b * mpmath.log((a + b) / a) if a else mpf("inf") for a, b in pairs if b)


# --- cases -------------------------------------------------------------------------------------------------

ORDERS = (1, 1.5, 2, 3, 600, INF)


def _arrays(*rows):
    """Integers as int64, anything else as float64."""
    return tuple(
        None if x is None else np.array(x, np.int64 if isinstance(x[0], int) else np.float64) for x in rows
    )


def _of_samples():
    for label, given in sample_zoo.samples().items():
        arrays = _arrays(*given)
        u, a = _with_mass(given[0], given[2])
        v, b = _with_mass(given[1], given[3])
        span = float(max(map(abs, [*u, *v]))) * 2
        for p in ORDERS:
            slack = (
                span * (2.0**-124 * (len(u) + len(v)) ** 2) ** (1 / p) if a is not None and p < INF else 0.0
            )
            truth = functools.partial(wasserstein, u, v, a, b, p)
            yield Case(
                "wasserstein_distance",
                f"wasserstein_distance, p = {p:g}",
                label,
                arrays,
                {"p": p},
                truth,
                slack,
            )
        yield Case(
            "energy_distance", "energy_distance", label, arrays, {}, functools.partial(energy, u, v, a, b, 2)
        )
        yield Case(
            "cramer_distance", "cramer_distance", label, arrays, {}, functools.partial(energy, u, v, a, b, 1)
        )
        yield Case("ks_distance", "ks_distance", label, arrays, {}, functools.partial(ks, u, v, a, b))


def _of_histograms():
    for label, (a, b, x, y) in sample_zoo.histograms().items():
        points = x[:-1]
        arrays = _arrays(a, b)
        for p in (1, 2, 3.5):
            truth = functools.partial(wasserstein, points, points, a, b, p)
            options = {"support": _arrays(points)[0], "p": p}
            slack = float(abs(points[-1] - points[0])) * (2.0**-124 * len(a) ** 2) ** (1 / p)
            yield Case(
                "wasserstein_hist",
                f"wasserstein_hist at points, p = {p:g}",
                label,
                arrays,
                options,
                truth,
                slack,
            )
            if len(a) > 16:
                continue
            truth = functools.partial(oracle_transport.bins_exactly, x, a, y, b, p)
            edges, v_edges = _arrays(x, y)
            options = {"bin_edges": edges, "v_bin_edges": v_edges, "p": p}
            yield Case(
                "wasserstein_hist",
                f"wasserstein_hist within bins, p = {p:g}",
                label,
                arrays,
                options,
                truth,
                slack,
            )


def _of_circles():
    for label, (u, v, a, b, period) in sample_zoo.circles().items():
        arrays = _arrays(u, v, a, b)
        weights = a or [1] * len(u), b or [1] * len(v)
        for p in (1, 2, 3.5):
            exact = oracle_transport.exact(period)
            truth = functools.partial(
                oracle_slopes.circle_exactly, u, weights[0], v, weights[1], exact, mpf(p)
            )
            slack = period * (2.0**-124 * (len(u) + len(v)) ** 2) ** (1 / p) if a else 0.0
            options = {"period": period, "p": p}
            yield Case(
                "wasserstein_circle", f"wasserstein_circle, p = {p:g}", label, arrays, options, truth, slack
            )


def _of_games():
    for kind, of in zoo.KINDS.items():
        for n in (2, 9, 33):
            p, q = of(Random(f"game {kind} {n}"), n)
            for name in ("minimax_value", "saturating_loss", "non_saturating_loss"):
                truth = functools.partial(game, name, p, q)
                yield Case(f"gan.{name}", f"gan.{name}", f"{kind}, {n} bins", _arrays(p, q), {}, truth)


def _row_slopes(name, rows, options):
    """Errors are parts of a row's largest derivative or, where all of these cancel, of its value by mass."""
    value, slopes = oracle_gradients.gradient(name, *rows, **options)
    found = [([value], abs(value))]
    for row, own in zip(rows, slopes or (), strict=slopes is not None):
        least = (abs(value) + mpf(10) ** -200) / sum(map(mpf, row))
        found.append((own, max([least, *(abs(x) for x in own if mpmath.isfinite(x))])))
    return found


SLOPE_KINDS = (
    "unrelated",
    "near 1e-2",
    "near 1e-8",
    "near 1e-12",
    "counts",
    "proportional counts",
    "1e-300 and 1e300",
    "power laws",
    "spikes",
    "nested supports",
)


def _of_slopes():
    for name in ROWWISE:
        for kind in SLOPE_KINDS:
            for n in (2, 7, 33):
                p, q = zoo.KINDS[kind](Random(f"slopes {kind} {n}"), n)
                rows = (p,) if name == "entropy" else (p, q)
                options = {"alpha": 2.5} if name == "renyi_divergence" else {}
                truth = functools.partial(_row_slopes, name, rows, options)
                yield Case(
                    f"grad.{name}", f"grad.{name}", f"{kind}, {n} bins", _arrays(*rows), options, truth
                )


def _sample_slopes(of, *arguments):
    """Errors are parts of the largest pull at a value, without signs, or of the largest slope by weight."""
    value, *sides = of(*arguments)
    values = [(pulls, max(sizes)) for pulls, sizes, _ in sides]
    return [([value], value), *values, *((slopes, max(map(abs, slopes))) for *_, slopes in sides)]


def _of_sample_slopes():
    kinds = ("plain", "weighted", "far and weighted", "counted", "nanosecond stamps", "weights 1e-12 apart")
    chosen = {label: x for label, x in sample_zoo.samples().items() if label.split(", ")[0] in kinds}
    for label, given in chosen.items():
        apart = any(length and gap for length, gap in _gaps(*given))
        if apart and label.endswith(("16 and 16", "5 and 7", "1 and 6")):
            for p in (1, 2, 3):
                truth = functools.partial(_sample_slopes, oracle_slopes.wasserstein, *given, p)
                kind = f"grad.wasserstein_distance, p = {p}"
                yield Case("grad.wasserstein_distance", kind, label, _arrays(*given), {"p": p}, truth)
            for name, of in (("energy", oracle_slopes.energy), ("cramer", oracle_slopes.cramer)):
                truth = functools.partial(_sample_slopes, of, *given)
                yield Case(
                    f"grad.{name}_distance", f"grad.{name}_distance", label, _arrays(*given), {}, truth
                )


@functools.cache
def cases():
    return [
        *_of_samples(),
        *_of_histograms(),
        *_of_circles(),
        *_of_games(),
        *_of_slopes(),
        *_of_sample_slopes(),
    ]


# --- the table ---------------------------------------------------------------------------------------------


def fingerprint():
    """Of all inputs: a table belongs to those it was made of."""
    seen = hashlib.sha256()
    for case in cases():
        seen.update(f"{case.kind} {case.label} {sorted(case.options.items(), key=str)}".encode())
        for x in case.arguments:
            seen.update(b"None" if x is None else x.tobytes())
    return seen.hexdigest()


def _truths(case):
    """(numbers, what their errors are parts of) for each result of a call."""
    rows = [x for x in case.arguments if x is not None and x.dtype == float]
    with mp.workdps(oracle.digits(rows) if case.path.startswith(("grad.", "gan.")) else DIGITS):
        found = case.truth()
        return found if isinstance(found, list) else [([found], abs(found))]


def _split(x):
    """A double and what is left in 1/256 of its ulp."""
    if mpmath.isinf(x) or abs(x) >= LARGEST:
        return float(mpmath.sign(x)) * INF, 0
    head = float(x)
    with mp.workdps(DIGITS):
        return head, int(mpmath.nint((x - mpf(head)) / mpf(math.ulp(head)) * 256)) if head else 0


def write():
    heads, rests, lengths, scales = [], [], [], []
    for i, case in enumerate(cases()):
        results = _truths(case)
        lengths.append([len(x) for x, _ in results] + [0] * (5 - len(results)))
        scales += [_split(scale)[0] for _, scale in results]
        for x, scale in ((x, scale) for own, scale in results for x in own):
            is_zero = abs(x) < scale * mpf(10) ** -40  # to that many digits
            head, rest = _split(mpf(0) if is_zero else x)
            heads.append(head)
            rests.append(min(127, rest))
        if i % 200 == 0:
            print(i, case.kind, case.label, file=sys.stderr)
    np.savez_compressed(
        TABLE,
        of=np.array(fingerprint()),
        head=np.array(heads),
        rest=np.array(rests, np.int8),
        lengths=np.array(lengths, np.int16),
        scale=np.array(scales),
    )


def load():
    """(case, [(head, rest, scale) of each result])."""
    with np.load(TABLE, allow_pickle=False) as table:
        assert str(table["of"]) == fingerprint(), "the zoo has changed: python tests/truth/tables.py --write"
        head, rest, lengths = table["head"], table["rest"].astype(float) / 256, table["lengths"]
        scales = iter(table["scale"].tolist())
    start = 0
    for case, own in zip(cases(), lengths, strict=True):
        results = []
        for n in own[own > 0]:
            results.append((head[start : start + n], rest[start : start + n], next(scales)))
            start += n
        yield case, results


# --- the judge ---------------------------------------------------------------------------------------------


def ask(library, case):
    """Flat arrays, one for each result; None where it is refused as infinite."""
    function = library
    for name in case.path.split("."):
        function = getattr(function, name)
    options = dict(case.options)
    arguments = [x for x in case.arguments if x is not None or case.path.endswith("_distance")]
    if "alpha" in options:
        arguments.append(options.pop("alpha"))
    try:
        got = function(*arguments, **options)
    except ValueError as error:
        if "where it has no gradient" in str(error):
            return None
        raise
    return [np.atleast_1d(np.asarray(x, float)) for x in (got if isinstance(got, tuple) else (got,))]


def judge(library):
    """A Verdict on all cases."""
    found = Verdict()
    for case, truths in load():
        _judge_case(library, case, truths, found)
    return found


def _judge_case(library, case, truths, found):
    where = case.label
    try:
        got = ask(library, case)
    except Exception as error:
        found.broken.append(f"{case.kind} of {where}: {error!r}")
        return
    if got is None:
        if math.isfinite(truths[0][0][0]):
            found.broken.append(f"{case.kind} of {where}: refused")
        return
    for k, (values, (head, rest, scale)) in enumerate(zip(got, truths, strict=True)):
        found.values += len(values)
        at = f"{where}{f', result {k}' * (k > 0)}"
        for x, t, r in zip(values.tolist(), head.tolist(), rest.tolist(), strict=True):
            _judge_number(x, t, r, scale, case, found, at)


def _judge_number(x, t, r, scale, case, found, where):
    """`r` is what the truth has beyond `t`, in ulp of that."""
    of_rows = case.path.startswith(("gan.", "grad.")) and "distance, p" not in case.kind
    least = 0.0 if "result" in where else max(case.slack, LEAST * of_rows)
    if math.isinf(t) or abs(t) < least:
        if x != t and not abs(x) <= 1.01 * least:
            found.broken.append(f"{case.kind} of {where}: {x!r}, not {t!r}")
        return
    error = abs((x - t) - r * math.ulp(t)) if math.isfinite(x) else INF
    if scale < 1e-290:  # the last digits of subnormal numbers
        error = max(0.0, error - 5e-324)
    if not error <= TOLERANCE * scale + case.slack:
        found.broken.append(f"{case.kind} of {where}: {x!r}, not {t!r}: relative error {error / scale:.2g}")
    if error > case.slack or case.slack < TOLERANCE * scale:
        found.add(case.kind, error / math.ulp(scale), where)


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        import fastdiv
        import fastdiv.grad

        verdict = judge(fastdiv)
        for kind, e in sorted(verdict.errors.items()):
            print(f"{kind:45} {e.count:6} {e.mean:10.3g} {e.largest:10.3g} {e.where}")
        print(
            "\n".join(verdict.broken[:60]),
            f"{len(verdict.broken)} broken promises of {verdict.values} values",
            sep="\n",
        )
