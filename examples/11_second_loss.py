"""
The second loss pulls and pushes
================================

The first loss is flat from afar, so a generator is often given :math:`E_q[-\\log d]` instead. Against the
best discriminator it has the slope of :math:`KL(q \\Vert p) - 2\\,JS`: it pulls KL down and pushes JS up. It
is unstable where the discriminator errs by ever so little, and KL from the generator's side forgives dropped
modes.
"""

import numpy as np

from fastdiv import gan, grad, kl_divergence

x, places = np.linspace(-8, 16, 97), np.linspace(0, 8, 33)[:, None]
p, q = (np.exp(-((x - c) ** 2) / 2) for c in (0, places))
terms = gan.decomposition(p, q)
kl, push = terms.kl_divergence, -2 * terms.js_divergence
assert abs(terms.residual).max() < 1e-12
both = kl + push  # on the way home, to 0, KL falls and -2 JS rises; KL falls faster
assert min(np.diff(kl).min(), -np.diff(push).max(), np.diff(both).min()) > 0

# By the generator's place: the loss against a discriminator held fast, the best or one that errs a little.
best, moved = gan.optimal_discriminator(p, q), q * (x - places)  # the masses, by the place
of_loss, of_kl = grad.non_saturating_loss(p, q, best).q, grad.kl_divergence(q, p).p
assert np.allclose(((of_loss - of_kl + 2 * grad.js_divergence(p, q).q) * moved).sum(-1), 0, atol=1e-12)
noisy = np.clip(best + np.random.default_rng(11).normal(0, 1e-4, (300, 1, len(x))), 1e-9, 1 - 1e-9)
losses = grad.saturating_loss, grad.non_saturating_loss
first, second = ((loss(p, q, noisy).q * moved).sum(-1).std(axis=0) for loss in losses)
assert (second[1:] > first[1:]).all()
assert second[-1] > 1e3 * first[-1]
print(f"noise of 0.0001 in d: slopes spread by {first[-1]:.5f} (first loss), {second[-1]:.2f} (second)")

# %%
# Data of two modes, and all generators of one: KL(q || p) likes best the one that has dropped half the data.

two = np.logaddexp(-(((x + 2) / 0.7) ** 2) / 2, -(((x - 4) / 0.7) ** 2) / 2)
centres, widths = np.linspace(-4, 6, 101)[:, None, None], np.linspace(0.5, 5, 46)[:, None]
bells = (-(((x - centres) / widths) ** 2) / 2).reshape(-1, len(x))
ways = [kl_divergence(*pair, log_input=True) for pair in ((bells, two), (two, bells))]
dropping, covering = (way.argmin() for way in ways)
assert ways[0][dropping] < 0.7 < 10 < ways[1][dropping]  # log 2 for half the data; the other KL minds
assert ways[1][covering] < 1 < 2 < ways[0][covering]
print(f"half dropped: KL(q || p) = {ways[0][dropping]:.2f}, KL(p || q) = {ways[1][dropping]:.1f}")

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots(1, 3, figsize=(11, 3.7))
ax[0].plot(places, np.transpose([kl, push, both]), label=["KL(q || p)", r"$-2\,JS$", "sum"])
ax[0].set(xlabel="place of the generator", ylim=(-2, 12), title="One pulls home, one pushes off")
ax[1].semilogy(places, np.transpose([first, second]), label=["first loss", "second loss"])
ax[1].set(xlabel="place of the generator", title="Spread of slopes if d has noise")
ax[2].fill_between(x, np.exp(two), color="0.6", alpha=0.5, label="data")
ax[2].plot(x, np.exp(bells[[dropping, covering]]).T, label=["best by KL(q || p)", "best by KL(p || q)"])
ax[2].set(xlim=(-8, 10), ylim=(0, 1.6), yticks=[], title="KL(q || p) drops a mode")
for a in ax:
    a.legend()
plt.show()
