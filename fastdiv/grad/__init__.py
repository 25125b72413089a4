"""Values together with their gradients, ready for an optimiser that wants both at once.

Each function has the name of the one whose value it gives and takes its arguments but for ``out``; it
returns a named tuple: the value, and its derivatives under the names of the arguments. The value is computed
as ever; then one more loop writes the derivatives of every bin, from what that one knows to twice the working
precision: the gradients of near-identical rows keep their digits, too.
"""

from fastdiv.grad._faces import Gradient, LogitsGradient, RowGradient
from fastdiv.grad.distances import (
    bhattacharyya_distance,
    hellinger_distance,
    js_distance,
    js_divergence,
    total_variation,
    triangular_discrimination,
)
from fastdiv.grad.divergences import chi_square, jeffreys_divergence, kl_divergence, renyi_divergence
from fastdiv.grad.entropies import cross_entropy, entropy, softmax_cross_entropy
from fastdiv.grad.gan import DiscriminatorGradient, minimax_value, non_saturating_loss, saturating_loss
from fastdiv.grad.transport import (
    CloudGradient,
    HistogramGradient,
    TransportGradient,
    cramer_distance,
    energy_distance,
    sliced_wasserstein,
    wasserstein_circle,
    wasserstein_distance,
    wasserstein_hist,
)

__all__ = [
    "CloudGradient",
    "DiscriminatorGradient",
    "Gradient",
    "HistogramGradient",
    "LogitsGradient",
    "RowGradient",
    "TransportGradient",
    "bhattacharyya_distance",
    "chi_square",
    "cramer_distance",
    "cross_entropy",
    "energy_distance",
    "entropy",
    "hellinger_distance",
    "jeffreys_divergence",
    "js_distance",
    "js_divergence",
    "kl_divergence",
    "minimax_value",
    "non_saturating_loss",
    "renyi_divergence",
    "saturating_loss",
    "sliced_wasserstein",
    "softmax_cross_entropy",
    "total_variation",
    "triangular_discrimination",
    "wasserstein_circle",
    "wasserstein_distance",
    "wasserstein_hist",
]
