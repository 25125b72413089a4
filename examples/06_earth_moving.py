"""
Moving earth
============

See one distribution as heaps of earth, the other as holes of the same volume. What is the least work, mass
times distance, that fills the holes? That is the Wasserstein distance. It can be had in three ways: as a
linear program over all plans; from the one plan that moves mass in order, which on the line is the best;
and without any plan, as the area between the two distribution functions.
"""

import numpy as np
from scipy.optimize import linprog

import fastdiv

heaps, holes = [3, 2, 1, 4], [1, 2, 4, 3]  # Weng's example: 5 units of work
assert fastdiv.wasserstein_hist(heaps, holes, normalize=False) == 5

x = np.linspace(0, 10, 41)
p = np.exp(-((x - 2.5) ** 2) / 1.2) + 0.6 * np.exp(-((x - 6) ** 2) / 0.5)
q = np.exp(-((x - 4) ** 2) / 0.6) + np.exp(-((x - 8) ** 2) / 0.8)
p, q = p / p.sum(), q / q.sum()

# %%
# 1681 unknowns, the mass sent from each place to each, and 82 constraints:

n = len(x)
rows, cols = np.kron(np.eye(n), np.ones(n)), np.kron(np.ones(n), np.eye(n))
program = linprog(abs(x[:, None] - x).ravel(), A_eq=np.vstack([rows, cols]), b_eq=np.concatenate([p, q]))

plan = fastdiv.transport_plan(x, x, p, q)
area = abs(np.cumsum(p - q))[:-1] @ np.diff(x)
distance = fastdiv.wasserstein_distance(x, x, p, q)
print(f"linear program {program.fun:.12f}, plan {plan.cost:.12f}, area {area:.12f}")
assert np.allclose([program.fun, plan.cost, area], distance, rtol=1e-9)
coupling = plan.toarray()
assert np.allclose([coupling.sum(1), coupling.sum(0)], [p, q])  # its marginals
assert plan.certificate().infeasibility < 1e-12  # its prices prove that no plan is cheaper

# %%
import matplotlib.pyplot as plt

layout = [["p", ".", "cdf"], ["plan", "q", "cdf"]]
fig, ax = plt.subplot_mosaic(layout, figsize=(9, 4.4), width_ratios=[3, 1, 4], height_ratios=[1, 3])
ax["plan"].pcolormesh(x, x, coupling.T**0.5, cmap="Blues")
ax["plan"].plot(x, x, color="0.6", lw=0.8, ls=":")
ax["plan"].set(xlabel="from", ylabel="to")
ax["p"].bar(x, p, 0.25)
ax["q"].barh(x, q, 0.25, color="C1")
for side in "pq":
    ax[side].axis("off")
ax["p"].set_title("The best plan and its marginals")
F, G = np.cumsum(p), np.cumsum(q)
ax["cdf"].step(x, F, where="post", label="heaps")
ax["cdf"].step(x, G, where="post", label="holes")
ax["cdf"].fill_between(x, F, G, step="post", color="0.6", alpha=0.4, label=f"area {area:.3f}")
ax["cdf"].set(xlabel="place", ylabel="mass to the left", title="The same number as an area")
ax["cdf"].legend()
plt.show()
