"""
A Wasserstein GAN in one dimension
==================================

A generator turns noise into data: a line through 33 knots, moved down the slope of a loss. It starts far from
two modes. The slope of W is exact and needs no critic; the GAN's first loss gets the best discriminator.
"""

import numpy as np

from fastdiv import gan, grad, wasserstein_distance

rng = np.random.default_rng(12)
data = np.append(rng.normal(-2, 0.4, 6000), rng.normal(2, 0.6, 4000))


def by_wasserstein(made, batch):
    w = grad.wasserstein_distance(made, batch, p=2)
    return 2 * w.value * w.u_values  # of the square


def by_discriminator(made, batch):
    """Of the mean of log(1 - D*(x)), with D* from smoothed histograms and lines between the bins."""
    p, q, edges = gan.shared_histogram(batch, made, 100)
    middle = (edges[1:] + edges[:-1]) / 2
    kernel = np.exp(-(((middle[:, None] - middle) / 0.3) ** 2) / 2)
    d = np.minimum(gan.optimal_discriminator(kernel @ p, kernel @ q), 1 - 1e-9)
    loss = grad.saturating_loss(p, q, d, normalize=False).q  # by the masses as they stand
    return np.interp(made, middle, np.gradient(loss, middle)) / len(made)


def train(slope):
    knots, history = np.linspace(7, 8, 33), []
    for _ in range(150):
        weights = np.maximum(0, 1 - abs(32 * rng.random((1000, 1)) - np.arange(33)))  # of noise
        history.append(weights @ knots)
        knots = knots - 5 * (slope(history[-1], rng.choice(data, 1000)) @ weights)
    return history


runs = {"Wasserstein": train(by_wasserstein), "GAN's first loss": train(by_discriminator)}
distances = {name: [wasserstein_distance(made, data) for made in run] for name, run in runs.items()}
for name, w in distances.items():
    print(f"{name:17} W to the data: {w[0]:.3f} at the start, {w[-1]:.3f} at the end")
assert distances["Wasserstein"][-1] < 0.15
assert min(distances["GAN's first loss"]) > 7.8  # no slope: D* is 0 wherever the generator is

# %%
import matplotlib.pyplot as plt

edges = np.linspace(-4, 9, 131)
fig, ax = plt.subplots(1, 3, figsize=(10, 3.6), sharey=True, width_ratios=[3, 3, 1])
ax[0].set_ylabel("values made by the generator")
for a, (name, run) in zip(ax, runs.items(), strict=False):
    a.pcolormesh(range(151), edges, np.sqrt([np.histogram(made, edges)[0] for made in run]).T, cmap="Blues")
    a.set(xlabel="step", title=name)
ax[2].hist(data, edges, orientation="horizontal", color="C1")
ax[2].set_title("data")
plt.show()
