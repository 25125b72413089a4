"""A report as plain data: nested dictionaries, which JSON writes, and flat lines of CSV.

JSON escapes what could steer a terminal, and keeps it; CSV drops it.
"""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from dataclasses import asdict
from math import isfinite
from typing import TYPE_CHECKING, Any

from fastdiv.drift.contribution import appeared, contributions, w1_remainder
from fastdiv.drift.noise import METHODS
from fastdiv.drift.wording import clean

if TYPE_CHECKING:
    from fastdiv.drift.report import ColumnDrift, Report, Skipped
    from fastdiv.drift.rules import Breach
    from fastdiv.drift.thresholds import Thresholds

__all__ = ["FLAT", "as_dict", "comma_separated", "finite", "flat", "json_text", "lines_of", "series"]

# -- CSV -----------------------------------------------------------------------------------------------------

# fmt: off
FLAT = [
    "name", "status", "type", "verdict", "because", "p_value", "p_adjusted", "n_baseline", "n_current",
    "missing_baseline", "missing_current", "js_distance", "w1", "w1_bound", "w1_over_sd", "kl_bits", "psi",
    "mean_baseline", "mean_current", "entropy_baseline_bits", "entropy_current_bits",
    "js_distance_noise", "w1_noise", "w1_over_sd_noise", "kl_bits_noise", "psi_noise", "missing_noise",
    "p_bins", "p_w1", "p_missing", "bins", "pseudocount", "note", "n_effective_baseline",
    "n_effective_current",
]
# fmt: on


def comma_separated(report: Report, escape_formulas: bool = False) -> str:
    """One line a column of either table, in full precision; `status` tells which were compared."""
    return lines_of(FLAT, flat(report), escape_formulas)


def flat(report: Report) -> list[dict[str, Any]]:
    """The lines, by the heads of their cells."""
    rows: list[dict[str, Any]] = []
    for c in report.columns:
        flat = {key: value for key, value in {**_column(c), **_judgement(c)}.items() if key in FLAT}
        flat["because"] = " ".join(c.because)
        settings = {"bins": report.bins, "pseudocount": report.pseudocount}
        rows.append({**flat, **settings, "status": "compared"})
    rows += [
        {"name": s.name, "status": "not compared", "note": s.reason, "verdict": s.verdict} | _shares(s)
        for s in report.skipped
    ]
    rows += [{"name": name, "status": "only in baseline"} for name in report.only_baseline]
    rows += [{"name": name, "status": "only in current"} for name in report.only_current]
    return rows


# Full-width ones count, too, where those are typed.
_FORMULAS = tuple("=+-@＝＋－＠")


def lines_of(heads: Sequence[str], rows: Sequence[dict[str, Any]], escape_formulas: bool) -> str:
    """CSV, with names and notes that steer no terminal."""
    out = io.StringIO()
    writer = csv.DictWriter(out, heads, restval="", lineterminator="\n")
    writer.writeheader()
    for row in rows:
        for key in ("name", "note", *heads[:1]):
            text = clean(row.get(key, ""))
            # a spreadsheet would run it; quoting it alters the data, so only on request
            row[key] = f"'{text}" if escape_formulas and text.lstrip().startswith(_FORMULAS) else text
        writer.writerow(row)
    return out.getvalue()


def series(report: Report) -> dict[str, list[Any]]:
    """The same by columns; None where a row has nothing. Lone surrogates are escaped: Arrow holds none."""
    rows = flat(report)
    return {key: [_unicode(row.get(key)) for row in rows] for key in FLAT}


def _unicode(value: Any) -> Any:
    return value.encode("utf-8", "backslashreplace").decode() if isinstance(value, str) else value


# -- JSON ----------------------------------------------------------------------------------------------------

_MOST_BINS = 100

# What each bin adds to the distances: js_bits to the square of js_distance.
_SHARES = {"js_bits": "js_squared", "kl_bits": "kl", "psi": "psi", "w1": "w1"}


def json_text(report: Report, breaches: Sequence[Breach]) -> str:
    return json.dumps(as_dict(report, breaches), indent=1, allow_nan=False) + "\n"


def as_dict(report: Report, breaches: Sequence[Breach] = (), bins: bool = True) -> dict[str, Any]:
    """Everything. JSON has no infinity: it is the string "Infinity". What is not defined is null."""
    from fastdiv._version import __version__

    data = {
        "fastdiv": __version__,
        "baseline": {"path": report.baseline, "rows": report.rows_baseline},
        "current": {"path": report.current, "rows": report.rows_current},
        "settings": {
            "bins": report.bins,
            "binning": "quantiles of the baseline, or its values if fewer; one bin below and one above",
            "js_distance": "log base 2",
            "kl_bits": "KL(current || baseline), log base 2",
            "psi": "natural log",
            "pseudocount": report.pseudocount,
            "pseudocount_in": ["kl_bits", "psi"],
            "weights": report.weights or None,
            "n_effective": "Kish's, (sum of w)^2 / sum of w^2, at which noise and p are; counts of bins are "
            "weights over their mean",
            "datetimes": "bins in microseconds since 1970, w1 and means in seconds",
            "w1_bound": "proven, on the error of w1; 0 where that is exact",
            "in_bins": "js_bits (the square of js_distance), kl_bits, psi and w1 of a bin: with those of the "
            "bins left out, and w1_in_no_bin, they add up to the column's",
            "w2_parts": "shares of W2^2: shift (a - b)^2, scale (s - t)^2 and shape 2 s t (1 - r), of means, "
            "standard deviations and the correlation of the quantile functions",
            "w1_over_sd": "over the baseline's population standard deviation",
        },
        "verdicts": {
            "alpha": report.thresholds.alpha,
            "moved": report.thresholds.moved,
            "moved_a_lot": report.thresholds.a_lot,
            "columns": {name: _limits(own) for name, own in report.thresholds.columns.items()},
            "noise": "mean under no change: of js_distance the root mean square, missing in points",
            "p_value": "the least of the column's, times their number; p_adjusted: Benjamini-Hochberg",
            "methods": METHODS,
        },
        "columns": [
            _column(c) | _judgement(c) | (_drawing(c, report.pseudocount) if bins else {})
            for c in report.columns
        ],
        "not_compared": [
            {"name": s.name, "reason": s.reason} | _shares(s) | _judgement(s) for s in report.skipped
        ],
        "only_in_baseline": list(report.only_baseline),
        "only_in_current": list(report.only_current),
        "excluded": list(report.excluded),
        "left_out": dict(report.left_out),
        "drift": [asdict(breach) for breach in breaches],
    }
    found: dict[str, Any] = finite(data)
    return found


def _column(c: ColumnDrift) -> dict[str, Any]:
    return {
        "name": c.name,
        "type": c.kind,
        "n_baseline": c.n_baseline,
        "n_current": c.n_current,
        **_effective(c),
        **_shares(c),
        "js_distance": c.js,
        "w1": c.w1,
        "w1_bound": None if c.w1 is None else c.w1_bound,
        "w1_over_sd": c.w1_over_sd,
        "kl_bits": c.kl,
        "psi": c.psi,
        "mean_baseline": c.mean_baseline,
        "mean_current": c.mean_current,
        "w2_parts": None if c.w2_parts is None else c.w2_parts._asdict(),
        "entropy_baseline_bits": c.entropy_baseline,
        "entropy_current_bits": c.entropy_current,
        "note": c.note,
    }


def _effective(c: ColumnDrift) -> dict[str, int]:
    if c.effective is None:
        return {}
    return dict(zip(("n_effective_baseline", "n_effective_current"), c.effective, strict=True))


def _limits(own: Thresholds) -> dict[str, Any]:
    return {"alpha": own.alpha, "moved": own.moved, "moved_a_lot": own.a_lot}


def _judgement(c: ColumnDrift | Skipped) -> dict[str, Any]:
    noise = c.noise
    found: dict[str, Any] = {"verdict": c.verdict or None, "because": list(c.because)}
    names = {"js": "js_distance", "kl": "kl_bits"}
    for name in ("js", "w1", "w1_over_sd", "kl", "psi", "missing"):
        found[f"{names.get(name, name)}_noise"] = getattr(noise, name)
    tested = noise.p_bins is not None or noise.p_missing is not None
    p = {"p_bins": noise.p_bins, "p_w1": noise.p_w1, "p_missing": noise.p_missing}
    return (
        found
        | p
        | {"p_value": noise.p if tested else None, "p_adjusted": noise.p_adjusted if tested else None}
    )


def _shares(c: ColumnDrift | Skipped) -> dict[str, float | None]:
    return {"missing_baseline": c.missing_baseline, "missing_current": c.missing_current}


def _drawing(c: ColumnDrift, pseudocount: float) -> dict[str, Any]:
    parts = contributions(c, pseudocount)
    shares = [{name: getattr(part, key) for name, key in _SHARES.items()} for part in parts]
    left = shares[_MOST_BINS:]
    # the order of the sum is that of the bins
    rest = {name: sum(share[name] or 0.0 for share in left) for name in _SHARES}
    side = appeared(c)
    return {
        "bins": [b._asdict() | share for b, share in zip(c.bins[:_MOST_BINS], shares, strict=False)],
        "bins_left_out": len(left),
        "in_bins_left_out": rest,
        "w1_in_no_bin": w1_remainder(c, parts),
        "below_baseline": side.below,
        "above_baseline": side.above,
        "new_categories": [[b.label, b.current] for b in side.new[:_MOST_BINS]],
        "new_categories_number": len(side.new),
        "vanished_categories": [[b.label, b.baseline] for b in side.vanished[:_MOST_BINS]],
        "vanished_categories_number": len(side.vanished),
        "bars_baseline": c.bars_baseline,
        "bars_current": c.bars_current,
        "bars_ends": c.bars_ends,
    }


def finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(item) for item in value]
    if isinstance(value, float) and not isfinite(value):
        return None if value != value else "Infinity" if value > 0 else "-Infinity"
    return value
