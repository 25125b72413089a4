"""How the measures are called, and what kind each is: what the laws, layouts and errors go through."""

from __future__ import annotations

import fastdiv

# both twins, by the name a test shows
TWINS = {"compiled": fastdiv, "reference": fastdiv.reference}

PAIRED = (
    "cross_entropy",
    "kl_divergence",
    "jeffreys_divergence",
    "js_divergence",
    "js_distance",
    "total_variation",
    "hellinger_distance",
    "chi_square",
    "triangular_discrimination",
    "bhattacharyya_distance",
    "renyi_divergence",
)
ROWWISE = ("entropy", *PAIRED)
ELEMENTWISE = ("surprisal", "binary_entropy")
BASELESS = ("total_variation", "hellinger_distance", "chi_square", "triangular_discrimination")

DIVERGENCES = PAIRED[1:]  # zero where p = q
SYMMETRIC = (
    "jeffreys_divergence",
    "js_divergence",
    "js_distance",
    "total_variation",
    "hellinger_distance",
    "triangular_discrimination",
    "bhattacharyya_distance",
)
METRICS = ("js_distance", "total_variation", "hellinger_distance")


def call(library, name, p, q=None, **options):
    """``name`` of p and q, or of p alone; a Renyi divergence is of order 2 unless said otherwise."""
    measure = getattr(library, name)
    if name == "entropy":
        return measure(p, **options)
    if name == "renyi_divergence":
        return measure(p, q, options.pop("alpha", 2.0), **options)
    return measure(p, q, **options)
