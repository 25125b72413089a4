"""
Two parallel segments
=====================

P is spread evenly over a segment at 0, Q over a parallel one at :math:`\\theta` (Arjovsky, Chintala,
Bottou, "Wasserstein GAN", 2017, example 1). Unless :math:`\\theta = 0` they have no point in common: KL is
infinite and JS is log 2, whatever :math:`\\theta` is. Both jump at 0 and are flat elsewhere, so no slope
leads home. The Wasserstein distance is :math:`|\\theta|`, and its slope points to 0 from anywhere.
"""

import numpy as np

import fastdiv.grad

thetas = np.linspace(-1, 1, 201)
places = np.unique(np.append(thetas, 0.0))
P, Q = 1.0 * (places == 0), 1.0 * (places == thetas[:, None])  # across the segments: heights drop out
kl, js = fastdiv.kl_divergence(P, Q), fastdiv.js_divergence(P, Q)
w = fastdiv.wasserstein_hist(P, Q, support=places)
away = thetas != 0
assert (kl[away] == np.inf).all()
assert (js[away] == np.log(2)).all()
assert kl[~away] == js[~away] == w[~away] == 0
assert np.allclose(w, abs(thetas))
print(f"away from 0: KL = {kl[0]}, JS = {js[0]:.4f} = log 2, W = |theta|")

# %%
# A descent from 0.8, by the exact gradient of W and by the slope of JS. The one arrives, the other does not
# move.


def slope(theta, measure):
    if measure == "W":
        return fastdiv.grad.wasserstein_distance(np.zeros(10), np.full(10, theta)).v_values.sum()
    return np.interp(theta, thetas, np.gradient(js, thetas))


paths = {"W": [0.8], "JS": [0.8]}
for measure, path in paths.items():
    for _ in range(60):
        path.append(path[-1] - 0.02 * slope(path[-1], measure))
assert abs(paths["W"][-1]) < 0.021
assert set(paths["JS"]) == {0.8}
print(f"after 60 steps: by W at {paths['W'][-1]:.3f}, by JS at {paths['JS'][-1]}")

# %%
import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
left.plot(thetas, w, label="W")
left.plot(thetas, np.where(away, js, np.nan), label="JS")
left.plot(0, 0, "o", color="C1", ms=4)
left.set(xlabel=r"$\theta$", xticks=[-1, 0, 1], title="JS is flat and jumps at 0; KL is infinite")
left.legend()
for measure, path in paths.items():
    right.plot(path, label=f"by {measure}")
right.set(xlabel="step", ylabel=r"$\theta$", title="Only W leads home")
right.legend()
plt.show()
