"""Two parallel segments: why Wasserstein has a gradient where Jensen-Shannon and Kullback-Leibler have none.

P is spread evenly over {0} x [0, 1], Q over {theta} x [0, 1] (Arjovsky, Chintala, Bottou, "Wasserstein
GAN", 2017, example 1; Weng, "From GAN to WGAN"). Unless theta = 0 the supports are disjoint: KL = inf and
JS = log 2 whatever theta is, so descending them leads nowhere. W_1 = |theta|: its gradient leads to 0.

    python examples/parallel_segments.py
"""

from __future__ import annotations

import numpy as np

import fastdiv
import fastdiv.grad


def histograms(theta: float, bins: np.ndarray, n: int = 1000) -> tuple[np.ndarray, np.ndarray]:
    """P and Q across the segments, in bins; the heights are the same and drop out."""
    p, _ = np.histogram(np.zeros(n), bins)
    q, _ = np.histogram(np.full(n, theta), bins)
    return p, q


def descend(theta: float, measure: str, steps: int = 60, rate: float = 0.05) -> list[float]:
    """Positions theta along a gradient descent by `measure`."""
    bins = np.linspace(-2, 2, 402)  # 0 in the middle of a bin
    width = bins[1] - bins[0]
    path = [theta]
    for _ in range(steps):
        if measure == "wasserstein":
            slope = fastdiv.grad.wasserstein_distance(np.zeros(10), np.full(10, theta)).v_values.sum()
        else:
            divergence = fastdiv.js_divergence if measure == "js" else fastdiv.kl_divergence
            ahead, behind = (divergence(*histograms(theta + h, bins)) for h in (width, -width))
            flat = ahead == behind  # log 2 on both sides, or inf: no slope
            slope = 0.0 if flat else (ahead - behind) / (2 * width)
        theta -= rate * float(slope)
        path.append(theta)
    return path


def main() -> None:
    print("theta after", *(f"{k:>8} steps" for k in (0, 10, 20, 60)))
    for measure in ("wasserstein", "js", "kl"):
        path = descend(0.8, measure)
        print(f"{measure:11}", *(f"{path[k]:14.3f}" for k in (0, 10, 20, 60)))


if __name__ == "__main__":
    main()
