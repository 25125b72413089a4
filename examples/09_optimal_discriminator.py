"""
The best discriminator
======================

A generative adversarial network is a game. The discriminator says of each point how probably it is data,
the generator wants it to be wrong, and the value of the game is :math:`E_p[\\log d] + E_q[\\log(1 - d)]`.
No discriminator does better than :math:`D^* = p / (p + q)`, and against it the value is :math:`2\\,JS(p, q)
- 2 \\log 2`: the generator that plays against the best discriminator descends JS, with all its faults.
"""

import numpy as np

import fastdiv
from fastdiv import gan

x = np.linspace(-6, 10, 801)
p, q = np.exp(-(x**2) / 2), np.exp(-((x - 3) ** 2) / 2)  # the data, the generator
best = gan.optimal_discriminator(p, q)
assert np.allclose(best, 1 / (1 + np.exp(3 * x - 4.5)))  # of two bells of one width, a logistic curve

value = gan.minimax_value(p, q)
js = fastdiv.js_divergence(p, q)
assert abs(value - (2 * js - 2 * np.log(2))) < 1e-14
print(f"value {value:.6f} = 2 JS - 2 log 2 = {2 * js - 2 * np.log(2):.6f}")

rng = np.random.default_rng(9)
noise = rng.normal(0, rng.uniform(0, 2, (1000, 1)), (1000, len(x)))
others = 1 / (1 + np.exp(3 * x - 4.5 + noise))
assert (gan.minimax_value(p, q, others) <= value).all()
print("1000 other discriminators are no better")

# %%
# From one distribution to two that share nothing, the value rises from :math:`-2 \log 2` to 0, and then
# stays there.

gaps = np.linspace(0, 9, 91)
values = gan.minimax_value(p, np.exp(-((x - gaps[:, None]) ** 2) / 2))
assert values[0] == -2 * np.log(2)
assert (np.diff(values) > 0).all()
assert -1e-4 < values[-1] < 0

# %%
import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
left.fill_between(x, p, alpha=0.4, label="data p")
left.fill_between(x, q, alpha=0.4, label="generator q")
left.plot(x, best, color="0.3", label="$D^*$")
left.set(xlabel="x", title="The best discriminator of two bells", ylim=(0, 1.35))
left.legend(ncols=3, loc="upper center")
right.plot(gaps, values)
right.axhline(-2 * np.log(2), color="0.6", lw=1, ls=":")
right.annotate(r"$-2\,\log\,2$: the same", (4, -2 * np.log(2)), (0, 5), textcoords="offset points")
right.set(xlabel="distance of the bells", ylabel="value of the game", title=r"$2\,JS - 2\,\log\,2$")
plt.show()
