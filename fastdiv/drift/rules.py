"""Rules such as ``psi>0.2`` or ``moved``, which say when drift is too much, and what breaks them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastdiv.drift.report import ColumnDrift, Report, Skipped

__all__ = ["ALIASES", "METRICS", "RANKS", "SCHEMA", "Breach", "Rule", "check", "has_moved", "parse_rule"]

METRICS = {
    "js": "Jensen-Shannon distance, base 2",
    "w1_over_sd": "Wasserstein distance over the baseline's standard deviation",
    "kl": "KL(current || baseline), bits",
    "psi": "population stability index",
    "missing": "change of the share of missing values, in percentage points",
}


# What the JSON report calls them, and the short name of the one that is called so there too.
ALIASES = {"w1": "w1_over_sd", "js_distance": "js", "kl_bits": "kl"}


# The verdicts from the least to the most; what is no matter of more or less has rank 0.
RANKS = {"none": 1, "noise": 2, "moved": 3, "moved a lot": 4}


def has_moved(verdict: str) -> bool:
    return RANKS.get(verdict, 0) >= RANKS["moved"]


# Rules that are words; of the verdicts one asks for at least.
VERDICTS = {word: RANKS[word] for word in ("moved", "moved a lot")}
SCHEMA = "schema"


@dataclass(frozen=True, slots=True)
class Rule:
    """Drift is too much where `metric` is above `limit`, or reaches it if `inclusive`.

    The metric is "verdict" or "schema" where the rule is a word.
    """

    metric: str
    limit: float
    inclusive: bool = False

    def __str__(self) -> str:
        if self.metric == SCHEMA:
            return SCHEMA
        if self.metric == "verdict":
            return next(word for word, rank in VERDICTS.items() if rank == self.limit)
        return f"{self.metric}{'>=' if self.inclusive else '>'}{self.limit:.15g}"

    def broken_by(self, value: float) -> bool:
        return value >= self.limit if self.inclusive else value > self.limit


@dataclass(frozen=True, slots=True)
class Breach:
    """A column that breaks a rule."""

    column: str
    metric: str
    value: float | str
    rule: str

    def __str__(self) -> str:
        if isinstance(self.value, str):
            return f"{self.column}: {self.value} ({self.rule})"
        return f"{self.column}: {self.metric} is {self.value:.4g} ({self.rule})"


def parse_rule(text: str) -> Rule:
    """A rule from ``METRIC>NUMBER``, ``METRIC>=NUMBER``, ``moved``, ``moved a lot`` or ``schema``.

    Raises
    ------
    ValueError
        Saying what was got and what is taken.
    """
    word = " ".join(text.lower().replace("_", " ").split())
    if word in VERDICTS:
        return Rule("verdict", VERDICTS[word], True)
    if word == SCHEMA:
        return Rule(SCHEMA, 1, True)
    match = re.fullmatch(r"\s*(\w+)\s*(>=?)\s*(\S+)\s*", text)
    if not match:
        raise ValueError(
            f"{text!r} is no rule; write METRIC>NUMBER in quotes, for example 'js>0.2', "
            "or moved, 'moved a lot' or schema"
        )
    metric, sign, number = match.groups()
    name = ALIASES.get(metric.lower(), metric.lower())
    if name not in METRICS:
        raise ValueError(f"{text!r}: no metric {metric!r}; there are {', '.join(METRICS)}")
    try:
        limit = float(number)
    except ValueError:
        limit = float("nan")
    if not isfinite(limit):
        raise ValueError(f"{text!r}: {number!r} is no finite number")
    return Rule(name, limit, sign == ">=")


def check(report: Report, rules: Sequence[Rule]) -> tuple[list[Breach], list[str]]:
    """The breaches, and the columns of both tables for which no number came out that a rule could judge.

    The share of missing values is a number even where nothing else is. A column that breaks a rule is judged.
    """
    from fastdiv.drift.natures import LEAST

    breaches: list[Breach] = []
    unjudged: list[str] = []
    for rule in rules:
        if rule.metric == SCHEMA:
            breaches += [Breach(name, SCHEMA, what, str(rule)) for name, what in _schema(report)]
            continue
        if rule.metric == "verdict":
            both: list[ColumnDrift | Skipped] = [*report.columns, *report.skipped]
            found = [c for c in both if RANKS.get(c.verdict, 0) >= rule.limit]
            breaches += [Breach(c.name, "verdict", c.verdict, str(rule)) for c in found]
            # a column that could not be compared and has lost no values is not judged
            unjudged += [s.name for s in report.skipped if s.differs and s not in found]
            # the tables, not a column alone with most of it missing
            if min(report.rows_baseline, report.rows_current) < LEAST:
                unjudged += [c.name for c in report.columns if c.verdict == "too few rows"]
            continue
        for column in report.columns:
            value = metric_of(column, rule.metric)
            if value is None or isnan(value):
                if rule.metric != "w1_over_sd" or column.kind in ("numeric", "datetime"):
                    unjudged.append(column.name)
            elif rule.broken_by(value):
                breaches.append(Breach(column.name, rule.metric, value, str(rule)))
        for skipped in report.skipped:
            value = missing_change(skipped) if rule.metric == "missing" else None
            if value is None:
                if skipped.differs:
                    unjudged.append(skipped.name)
            elif rule.broken_by(value):
                breaches.append(Breach(skipped.name, rule.metric, value, str(rule)))
    judged = {breach.column for breach in breaches}
    return breaches, [name for name in dict.fromkeys(unjudged) if name not in judged]


def _schema(report: Report) -> list[tuple[str, str]]:
    """Columns that one side has not, or has as something else, and what is the matter with them."""
    changed = [(name, "only in the baseline") for name in report.only_baseline]
    changed += [(name, "only in the current") for name in report.only_current]
    whole = (s for s in report.skipped if 1.0 not in (s.missing_baseline, s.missing_current))
    changed += [(s.name, s.reason) for s in whole if s.differs]
    return changed


def missing_change(column: ColumnDrift | Skipped) -> float | None:
    """In percentage points; None where one side cannot be read."""
    if column.missing_current is None or column.missing_baseline is None:
        return None
    return 100 * abs(column.missing_current - column.missing_baseline)


def metric_of(column: ColumnDrift, metric: str) -> float | None:
    if metric == "missing":
        return missing_change(column)
    values = {"js": column.js, "w1_over_sd": column.w1_over_sd, "kl": column.kl, "psi": column.psi}
    return values[metric]
