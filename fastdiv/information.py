"""Information measures, row by row: entropy, cross entropy, divergences and distances of distributions.

A row is a distribution: probabilities, counts, or logarithms of either. Each function takes any array-likes,
broadcasts over all axes but the one that holds the bins, and hands the rows to the compiled loops. The same
measures in plain NumPy are in ``fastdiv.reference``.
"""

from fastdiv._distances import (
    bhattacharyya_distance,
    hellinger_distance,
    js_distance,
    total_variation,
    triangular_discrimination,
)
from fastdiv._divergences import (
    chi_square,
    jeffreys_divergence,
    js_divergence,
    kl_divergence,
    renyi_divergence,
)
from fastdiv._entropies import binary_entropy, cross_entropy, entropy, surprisal

__all__ = [
    "bhattacharyya_distance",
    "binary_entropy",
    "chi_square",
    "cross_entropy",
    "entropy",
    "hellinger_distance",
    "jeffreys_divergence",
    "js_distance",
    "js_divergence",
    "kl_divergence",
    "renyi_divergence",
    "surprisal",
    "total_variation",
    "triangular_discrimination",
]
