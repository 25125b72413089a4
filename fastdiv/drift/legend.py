"""What the numbers and words of a report mean, in paragraphs of one line each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fastdiv.drift.noise import METHODS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fastdiv.drift.report import Report

__all__ = ["legend"]


def legend(report: Report) -> list[str]:
    added = f"{report.pseudocount:g} is" if report.pseudocount else "nothing is"
    alone = ", and alone decides where the baseline has none" if report.pseudocount else ""
    limits = report.thresholds
    return [
        "JS: Jensen-Shannon distance, log base 2, 0 to 1. KL(current || baseline) in bits. PSI: natural log. "
        f"For KL and PSI {added} added to every bin{alone}. Entropy: in bits, of the bins.",
        _w1(report),
        "Noise, below or beside each distance: what it is on average for two samples of these sizes of one "
        "law.",
        *_weights(report),
        f"Moved: p is at most {limits.alpha:g} and, beyond the noise, {_levels(limits.moved)} is reached. "
        f"Moved a lot: {_levels(limits.a_lot)}. Noise: reached, but p is larger. "
        "None: not reached, whatever p is."
        f"{' Some columns have thresholds of their own.' if limits.columns else ''}",
        "p: how likely so much is by chance alone, after Benjamini-Hochberg over the columns.",
        f"Tests: W1 by {METHODS['w1']}, missing by {METHODS['missing']}, bins by {METHODS['bins']}.",
        f"Bins: {report.bins} quantiles of the baseline (or its values, if it has no more than that), one "
        "below and one above its range; categories by value. Bins empty on both sides do not count.",
        "Histogram: numbers from the 1st to the 99th percentile of both sides, tails in the end bars; "
        "categories by frequency in the baseline, after the 19 most frequent one bar for all others.",
    ]


def _levels(x: Mapping[str, float]) -> str:
    return f"JS {x['js']:g}, W1/sd {x['w1_over_sd']:g} or missing {x['missing']:g}%"


def _weights(report: Report) -> list[str]:
    if not report.weights:
        return []
    return [
        f"Rows are weighted by {report.weights}: counts in bins are weights over their mean, and noise and p "
        "are those of the effective numbers of values, (sum of w)^2 / sum of w^2."
    ]


def _w1(report: Report) -> str:
    if any(c.w1_bound for c in report.columns):
        return (
            "W1/sd: Wasserstein distance over the baseline's standard deviation; +/- what it may be off by."
        )
    return "W1/sd: exact Wasserstein distance of the values over the baseline's standard deviation."
