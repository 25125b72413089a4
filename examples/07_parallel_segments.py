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

places = np.arange(-110, 111) / 100
thetas = places[10:-10]
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
# Slopes by theta. Mass that moves on changes JS by the difference of the derivatives at both places: 0. As
# KL is infinite, it has none, and says so.

apart = np.flatnonzero(abs(thetas) > 0.015)
by_mass = fastdiv.grad.js_divergence(P, Q[apart]).q
slope_js = [row[at + 1] - row[at - 1] for row, at in zip(by_mass, apart + 10, strict=True)]
slope_w = [fastdiv.grad.wasserstein_distance([0.0], [theta]).v_values[0] for theta in thetas[apart]]
assert not any(slope_js)
assert (slope_w == np.sign(thetas[apart])).all()
try:
    fastdiv.grad.kl_divergence(P, Q[0])
    raise AssertionError("KL has a slope")
except ValueError as refused:
    print(f"fastdiv.grad.kl_divergence: {refused}")

# %%
import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
left.plot(thetas, w, label="W")
left.plot(thetas, np.where(away, js, np.nan), label="JS")
left.plot(0, 0, "o", color="C1", ms=4)
left.set(xlabel=r"$\theta$", xticks=[-1, 0, 1], title="JS is flat and jumps at 0; KL is infinite")
left.legend()
for slopes, label in ((slope_w, "of W"), (slope_js, "of JS")):
    right.plot(thetas[apart], slopes, ".", ms=3, label=label)
right.set(xlabel=r"$\theta$", xticks=[-1, 0, 1], title="Slopes: only that of W points home")
right.legend(markerscale=3)
plt.show()
