"""Rules such as ``psi>0.2`` that say when drift is too much, and the columns that break them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastdiv.drift.report import ColumnDrift, Report, Skipped

__all__ = ["ALIASES", "METRICS", "Breach", "Rule", "check", "parse_rule"]

METRICS = {
    "js": "Jensen-Shannon distance, base 2",
    "w1_over_sd": "Wasserstein distance over the baseline's standard deviation",
    "kl": "KL(current || baseline), bits",
    "psi": "population stability index",
    "missing": "change of the share of missing values, in percentage points",
}


# What the JSON report calls them, and the short name of the one that is called so there too.
ALIASES = {"w1": "w1_over_sd", "js_distance": "js", "kl_bits": "kl"}


@dataclass(frozen=True, slots=True)
class Rule:
    """Drift is too much where `metric` is above `limit`, or reaches it if `inclusive`."""

    metric: str
    limit: float
    inclusive: bool = False

    def __str__(self) -> str:
        return f"{self.metric}{'>=' if self.inclusive else '>'}{self.limit:.15g}"

    def broken_by(self, value: float) -> bool:
        return value >= self.limit if self.inclusive else value > self.limit


@dataclass(frozen=True, slots=True)
class Breach:
    """A column that breaks a rule."""

    column: str
    metric: str
    value: float
    rule: str

    def __str__(self) -> str:
        return f"{self.column}: {self.metric} is {self.value:.4g} ({self.rule})"


def parse_rule(text: str) -> Rule:
    """A rule from ``METRIC>NUMBER`` or ``METRIC>=NUMBER``.

    Raises
    ------
    ValueError
        Saying what was got and what is taken.
    """
    match = re.fullmatch(r"\s*(\w+)\s*(>=?)\s*(\S+)\s*", text)
    if not match:
        raise ValueError(f"{text!r} is no rule; write METRIC>NUMBER in quotes, for example 'js>0.2'")
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
    breaches, unjudged = [], []
    for rule in rules:
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
