"""The zoo and the oracle joined: a checked-in table of true values, and the judge that compares with it.

    python tests/truth/truths.py           the largest error of each measure, for this machine's FASTDIV_ISA
    python tests/truth/truths.py --write   compute data/truth.json again (three minutes)

The promise (design.md, section 1): relative error at most 1e-12 (float32: 1.2e-7, the rounding of the result;
5e-6 for Jensen-Shannon of more than 128 bins, and matrices) wherever the value is at least 1e-30; infinite
exactly where the truth is; below 1e-30 no more than that.
Measures of first order (a total variation of 1e-20 belongs to a divergence of 1e-40) may be off by 1e-30: the
difference of two shares in double-double has 106 bits, not more.
"""

from __future__ import annotations

import hashlib
import json
import math
import sys
from decimal import Decimal, getcontext
from pathlib import Path
from typing import NamedTuple

import numpy as np
import oracle
import zoo
from calls import BASELESS, METRICS, PAIRED
from errors import Verdict

getcontext().prec = 50
getcontext().Emin, getcontext().Emax = -99999, 99999

TABLE = Path(__file__).parent / "data" / "truth.json"

ALPHAS = (0.0, 1e-9, 0.25, 0.5, 0.999, 1.0, 1.0000001, 2.0, 10.0, math.inf)
PAIRS = tuple(name for name in PAIRED if name not in BASELESS and name != "renyi_divergence")
RAW = {"normalize": False}
LOGS = {"log_input": True}

_PLAIN = [
    *((name, {}) for name in ("entropy", *PAIRS, *BASELESS)),
    *(("renyi_divergence", {"alpha": alpha}) for alpha in ALPHAS),
    ("js_divergence", {"weights": [0.25, 0.75]}),
    ("js_distance", {"weights": [5.0, 1e-3]}),
]
_UNNORMALIZED = [
    *((name, RAW) for name in ("entropy", *PAIRS, *BASELESS)),
    ("js_divergence", {"weights": [1.0, 2.0], **RAW}),
    *(("renyi_divergence", {"alpha": alpha, **RAW}) for alpha in (0.0, 0.3, 1.0, 2.0, math.inf)),
]
_BASES = [
    *((name, {"base": base}) for name in ("entropy", *PAIRS) for base in (2, 10, 1.5)),
    ("renyi_divergence", {"alpha": 2.0, "base": 2}),
]

# group of cases -> what is asked of each of them
TASKS = {
    "pairs": _PLAIN + _UNNORMALIZED + [(name, {"pseudocount": 0.5}) for name in ("entropy", *PAIRS[:4])],
    "bases": _BASES,
    "logits": [(name, {**options, **LOGS}) for name, options in _PLAIN + _BASES[:6]],
    "raw logits": [(name, {**options, **LOGS}) for name, options in _UNNORMALIZED],
    "float32": _PLAIN + _UNNORMALIZED[:12],
    "stacks": [("js_divergence", {}), ("js_distance", {}), ("js_divergence", RAW)],
    "events": [("surprisal", {}), ("binary_entropy", {}), ("surprisal", {"base": 2})],
}

FLOAT32_KINDS = (
    "unrelated",
    "near 1e-2",
    "near 1e-4",
    "near 1e-6",
    "counts",
    "power laws",
    "nested supports",
)
EVENTS = (0.0, 5e-324, 1e-300, 1e-17, 1e-9, 0.1, 0.25, 0.499, 0.5, 0.501, 0.75, 0.999999, 1.0 - 2.0**-53, 1.0)


class Case(NamedTuple):
    rows: list[list[float]]
    weights: list[float] | None = None
    dtype: str = "f8"

    def fingerprint(self):
        return hashlib.sha256(np.array(self.rows, "<f8").tobytes()).hexdigest()[:12]


def cases():
    """group -> name -> Case."""
    pairs = {name: Case([p, q]) for name, (p, q) in zoo.pairs().items()}
    moderate = {n: c for n, c in pairs.items() if n not in zoo.EXTREMES}
    logits = {name: Case([p, q]) for name, (p, q) in zoo.logit_pairs().items()}
    single = {}
    for name, case in pairs.items():
        if name.rpartition(",")[0] in FLOAT32_KINDS and len(case.rows[0]) in (1, 3, 17, 64, 200):
            rows = [np.array(row, np.float32).astype(float).tolist() for row in case.rows]
            single[name] = Case(rows, dtype="f4")
    return {
        "pairs": pairs,
        "bases": {n: c for n, c in moderate.items() if n.endswith((" 3 bins", " 17 bins"))},
        "logits": logits,
        "raw logits": {n: c for n, c in logits.items() if np.abs(c.rows)[np.isfinite(c.rows)].max() < 500},
        "float32": single,
        "stacks": {name: Case(rows, weights) for name, (rows, weights) in zoo.stacks().items()},
        "events": {repr(p): Case([[p]]) for p in EVENTS},
    }


# --- the table -----------------------------------------------------------------------------------------


def arguments(name, case, options):
    """The rows a measure takes, and its options with the case's own weights."""
    rows = case.rows[:1] if name in ("entropy", "surprisal", "binary_entropy") else case.rows
    return rows, options if case.weights is None else {**options, "weights": case.weights}


def of_mixed_sign(name, options):
    """Raw sums that can cancel, whose error is measured against their terms."""
    raw = options.get("normalize") is False
    return raw and name in (
        "entropy",
        "cross_entropy",
        "kl_divergence",
        "renyi_divergence",
        "bhattacharyya_distance",
    )


def compute(name, case, options):
    """The entry of the table: 21 digits of the truth, and 5 of its magnitude where it can cancel."""
    rows, options = arguments(name, case, options)
    value = oracle.mpmath.nstr(oracle.truth(name, *rows, **options), 21)
    if value != "+inf" and of_mixed_sign(name, options):
        value += " " + oracle.mpmath.nstr(oracle.magnitude(name, *rows, **options), 5)
    return value.replace("+inf", "inf")


def write():
    lines = []
    for group, members in cases().items():
        entries = []
        for name, case in members.items():
            row = [case.fingerprint(), *(compute(f, case, options) for f, options in TASKS[group])]
            entries.append(f"  {json.dumps(name)}: {json.dumps(row)}")
        lines.append(f"{json.dumps(group)}: {{\n" + ",\n".join(entries) + "\n}")
        print(group, len(entries), file=sys.stderr)
    TABLE.parent.mkdir(exist_ok=True)
    TABLE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


def load():
    """(group, name, case, [(measure, options, entry)]), the table's rows matched with today's zoo."""
    table = json.loads(TABLE.read_text())
    known = cases()
    assert {g: list(m) for g, m in known.items()} == {g: list(m) for g, m in table.items()}, (
        "rewrite the table"
    )
    for group, members in known.items():
        for name, case in members.items():
            fingerprint, *entries = table[group][name]
            assert fingerprint == case.fingerprint(), (
                f"{group}, {name}: the zoo has changed, rewrite the table"
            )
            yield (
                group,
                name,
                case,
                [(f, options, entry) for (f, options), entry in zip(TASKS[group], entries, strict=True)],
            )


# --- the judge -----------------------------------------------------------------------------------------

LEAST = Decimal("1e-30")
TOLERANCE = {"f8": Decimal("1e-12"), "f4": Decimal("1.2e-7")}
TOLERANCE_IN_SINGLE = {"f8": Decimal("1e-12"), "f4": Decimal("5e-6")}
LARGEST = {"f8": Decimal(2) ** 1024, "f4": Decimal(2) ** 128}
ROUNDING = Decimal("1e-14")  # of the terms of a sum of mixed sign


def ask(library, name, case, options):
    """The library's answer for one case, as a Python float."""
    rows, options = arguments(name, case, options)
    arrays = [np.array(row, case.dtype) for row in rows]
    if len(arrays) > 2:
        arrays = [np.array(rows, case.dtype)]
    if name in ("surprisal", "binary_entropy"):
        arrays = [arrays[0][0]]
    alpha = options.get("alpha")
    if alpha is not None:
        arrays.append(alpha)
        options = {k: v for k, v in options.items() if k != "alpha"}
    return float(getattr(library, name)(*arrays, **options))


def first_order(name, options):
    """A metric is, and so is log max(p / q)."""
    return name in METRICS or options.get("alpha") == math.inf


def in_single(name, case):
    """Jensen-Shannon of rows of floats, of more bins than lie side by side."""
    return name in ("js_divergence", "js_distance") and case.dtype == "f4" and len(case.rows[0]) > 128


def verdict(got, entry, dtype, raw, linear, single=False):
    """(what is wrong or None, error in ulp or None)."""
    value, _, terms = entry.partition(" ")
    if value == "inf" or Decimal(value) >= LARGEST[dtype]:
        return (None if got == math.inf else "not inf"), None
    truth = Decimal(value)
    if truth <= -LARGEST[dtype]:
        return (None if got == -math.inf else "not -inf"), None
    if not math.isfinite(got):
        return "not finite", None
    if not raw and got < 0:
        return "negative", None
    if abs(truth) < LEAST:
        return (None if abs(got) <= 1.01e-30 else "not below 1e-30"), None
    error = abs(Decimal(got) - truth)
    tolerance = (TOLERANCE_IN_SINGLE if single else TOLERANCE)[dtype]
    allowed = tolerance * abs(truth) + (ROUNDING * Decimal(terms) if terms else LEAST * linear)
    silent = terms or dtype == "f4" or error <= LEAST * linear
    ulp = None if silent else float(error / Decimal(math.ulp(float(truth))))
    return (None if error <= allowed else f"relative error {float(error / abs(truth)):.2g}"), ulp


def ask_matrices(library, entries):
    """Of cases that have as many bins of one dtype: what is asked of each, from one matrix of all of them.

    {(group, case's name, task's number): the answer}; measures of one row and stacks are no matrices.
    """
    from fastdiv.matrix.metric import METRICS as KNOWN

    alike, answers = {}, {}
    for group, name, case, tasks in entries:
        if len(case.rows) == 2:
            alike.setdefault((group, len(case.rows[0]), case.dtype), []).append((name, case, tasks))
    for (group, _, dtype), members in alike.items():
        XA, XB = (np.array([case.rows[side] for _, case, _ in members], dtype) for side in (0, 1))
        for k, (f, options, _) in enumerate(members[0][2]):
            if f in KNOWN:
                diagonal = library.cdist(XA, XB, f, **options).diagonal()
                for (name, _, _), value in zip(members, diagonal.tolist(), strict=True):
                    answers[group, name, k] = value
    return answers


def judge(library, groups=None, matrices=False):
    """A Verdict on all tasks of some groups, None for all of them; by rows, or on diagonals of matrices."""
    found = Verdict()
    entries = [x for x in load() if groups is None or x[0] in groups]
    answers = ask_matrices(library, entries) if matrices else None
    for group, name, case, tasks in entries:
        for k, (f, options, entry) in enumerate(tasks):
            if answers is not None and (group, name, k) not in answers:
                continue
            try:
                got = ask(library, f, case, options) if answers is None else answers[group, name, k]
            except Exception as error:
                found.broken.append(f"{f} of {name} ({group}), {options}: {error!r}")
                continue
            raw = options.get("normalize") is False
            single = matrices or in_single(f, case)
            wrong, ulp = verdict(got, entry, case.dtype, raw, first_order(f, options), single)
            if wrong:
                found.broken.append(
                    f"{f} of {name} ({group}), {options}: {wrong}; got {got!r}, truth {entry}"
                )
            kind = f if options.get("normalize", True) else f"{f}, raw"
            kind = f"{kind}, logits" if options.get("log_input") else kind
            kind = f"cdist, {kind}" if matrices else kind
            found.values += 1
            found.add(kind, ulp, f"{name} ({group}) {options or ''}".strip())
    return found


def report(library):
    found = judge(library)
    lines = ["| measure | values | mean error, ulp | largest | at |", "|---|---|---|---|---|"]
    lines += [
        f"| {kind} | {e.count} | {e.mean:.2g} | {e.largest:.2g} | {e.where} |"
        for kind, e in sorted(found.errors.items())
    ]
    return "\n".join([*lines, "", *found.broken, f"{len(found.broken)} broken promises"])


if __name__ == "__main__":
    if sys.argv[1:] == ["--write"]:
        write()
    else:
        import fastdiv

        chosen = fastdiv.reference if "--reference" in sys.argv else fastdiv
        print(report(chosen))
