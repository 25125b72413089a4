"""
Halfway between two distributions
=================================

What lies between two bells? Mixing them, :math:`(1 - t) p + t q`, lets one fade out while the other fades
in; of all distributions the even mixture is the nearest to both in the sense of Jensen-Shannon. Moving the
mass along the best plan has one bell travel: displacement interpolation, whose midpoint is the Wasserstein
barycentre.
"""

import numpy as np

import fastdiv

rng = np.random.default_rng(13)
u, v = rng.normal(-4, 0.6, 5000), rng.normal(4, 1.2, 4000)
times = np.linspace(0, 1, 5)
plan = fastdiv.transport_plan(u, v, p=2)
values, masses = fastdiv.displacement_interpolation(plan, times)

# %%
# The way is the shortest: the distance from the start grows evenly. Its middle is the barycentre, a single
# bell at 0.

gone = [fastdiv.wasserstein_distance(u, x, None, masses, p=2) for x in values]
assert np.allclose(gone, times * plan.distance)
middle = fastdiv.wasserstein_barycenter([u, v])
assert fastdiv.wasserstein_distance(values[2], middle.values, masses, middle.masses) < 1e-12
mean = middle.values @ middle.masses
spread = np.sqrt((middle.values - mean) ** 2 @ middle.masses)
print(f"barycentre: centre {mean:.2f}, spread {spread:.2f}; spread of the mixture {np.std([*u, *v]):.2f}")
assert abs(spread - 0.9) < 0.05

# %%
# The even mixture m minimises KL(p || m) + KL(q || m); what is left is 2 JS.

edges = np.linspace(-8, 9, 86)
p, q = (np.histogram(x, edges)[0] / len(x) for x in (u, v))
mixtures = (1 - times[:, None]) * p + times[:, None] * q
cost = fastdiv.kl_divergence(p, mixtures[1:-1]) + fastdiv.kl_divergence(q, mixtures[1:-1])
assert cost.argmin() == 1
assert np.isclose(cost[1], 2 * fastdiv.js_divergence(p, q))
between = abs(edges[:-1]) < 1.5
assert mixtures[2][between].sum() < 0.05  # nothing in the middle, where the barycentre has nearly all
assert middle.masses[abs(middle.values) < 1.5].sum() > 0.9

# %%
import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4), sharey=True)
for i, t in enumerate(times):
    moved = np.histogram(values[i], edges, weights=masses)[0]
    for ax, heights in ((left, mixtures[i]), (right, moved)):
        colour = (1 - t) * np.array([0.12, 0.47, 0.71]) + t * np.array([1, 0.5, 0.05])
        ax.stairs(5 * heights + 4 - i, edges, baseline=4 - i, fill=True, color=colour, alpha=0.8)
left.set(title="Mixing: one fades, one appears", xlabel="x")
left.set_yticks(range(5), [f"t = {t}" for t in times[::-1]])
right.set(title="Moving: one bell travels", xlabel="x")
plt.show()
