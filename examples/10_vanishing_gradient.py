"""
The better the discriminator, the less the generator learns
===========================================================

The generator, a bell at :math:`\\theta`, descends its first loss :math:`E_q[\\log(1 - d)]` while the
discriminator is held fast. Against a poor one, :math:`d = \\sigma(s \\log(p / q))` with small s, there is a
slope to follow. Against the best, s = 1, the slope vanishes just where it is needed: far from the data.
"""

import numpy as np

import fastdiv.grad
from fastdiv import gan

x = np.linspace(-8, 24, 3201)
distances = np.linspace(0.2, 12, 60)[:, None]
strengths = [0.01, 0.03, 0.1, 0.3, 1.0]


def bell(centre):
    return np.exp(-((x - centre) ** 2) / 2)


def discriminator(theta, s):
    """Of the data at 0 and the generator at theta; the best one for s = 1, never quite sure."""
    return np.minimum(1 / (1 + np.exp(s * theta * (x - theta / 2))), 1 - 2**-53)


def slope(loss, s):
    """By the generator's place, the discriminator held fast."""
    q, d = bell(distances), discriminator(distances, s)
    return abs((loss(bell(0), q, d).q * q * (x - distances)).sum(axis=-1))  # d q / d theta = q (x - theta)


assert np.allclose(discriminator(distances, 1), gan.optimal_discriminator(bell(0), bell(distances)))
saturating = np.array([slope(fastdiv.grad.saturating_loss, s) for s in strengths])
other = slope(fastdiv.grad.non_saturating_loss, 1.0)

# %%
# At a distance of 12, each better discriminator leaves less; the best leaves next to nothing, and less with
# each step away. The second loss, :math:`E_q[-\log d]`, grows steeper instead.

far, best = saturating[:, -1], saturating[-1, distances[:, 0] > 1.5]
assert max(np.diff(far).max(), np.diff(best).max()) < 0
assert far[-1] < 1e-7 < 0.03 < far[0]
assert np.isclose(other[-1], 12)
for s, g in zip(strengths, far, strict=True):
    print(f"s = {s:4}: slope {g:.1e} at distance 12")

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots()
for s, g, shade in zip(strengths, saturating, np.linspace(0.3, 1, 5), strict=True):
    ax.semilogy(distances, g, color=plt.cm.Blues(shade), label=f"s = {s}" + " (the best)" * (s == 1))
ax.semilogy(distances, other, color="C1", label=r"second loss, $E_q[-\log\,d]$")
ax.set(xlabel="distance of the generator from the data", ylabel="slope of its loss", ylim=(1e-8, 100))
ax.legend(ncols=2, loc="lower left")
plt.show()
