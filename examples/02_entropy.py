"""
Entropy, the expected surprise
==============================

The entropy of a distribution is the mean information content of what it yields: :math:`H(p) = -\\sum_i p_i
\\log p_i`. It measures how uncertain we are before we look. For a coin that shows heads with probability p
it is the binary entropy, 0 where the outcome is known and one bit where anything may happen.
"""

import numpy as np

import fastdiv

p = np.linspace(0, 1, 401)
coin = fastdiv.binary_entropy(p, base=2)
assert coin[0] == coin[-1] == 0
assert p[coin.argmax()] == 0.5
assert coin.max() == 1
assert np.allclose(coin, fastdiv.entropy(np.stack([p, 1 - p], axis=1), base=2))
print(f"a fair coin has {coin[200]:.2f} bits, one that shows heads at 0.9 has {coin[360]:.2f}")

# %%
# Entropy is an expectation, so it can be watched: draw letters from a distribution, look up how surprising
# each one is, and take the mean as you go. It settles at the entropy.

letters = np.array([0.5, 0.25, 0.125, 0.0625, 0.0625])
entropy = fastdiv.entropy(letters, base=2)
assert entropy == letters @ fastdiv.surprisal(letters, base=2) == 1.875

drawn = np.random.default_rng(1).choice(len(letters), size=(12, 3000), p=letters)
mean = fastdiv.surprisal(letters, base=2)[drawn].cumsum(axis=1) / np.arange(1, 3001)
assert abs(mean[:, -1] - entropy).max() < 0.1
print(f"five letters: {entropy} bits; 12 runs came to {mean[:, -1].min():.2f} up to {mean[:, -1].max():.2f}")

# %%
import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
left.plot(p, coin)
left.fill_between(p, coin, alpha=0.15)
left.set(xlabel="probability of heads", ylabel="entropy in bits", title="A coin: most uncertain when fair")
right.semilogx(np.arange(1, 3001), mean.T, color="C0", alpha=0.35, lw=1)
right.axhline(entropy, color="C1", lw=2)
right.annotate(
    f"H = {entropy} bits", (3000, entropy), (0, 14), textcoords="offset points", color="C1", ha="right"
)
right.set(xlabel="letters drawn", ylabel="mean surprise in bits", title="The mean surprise settles at H")
plt.show()
