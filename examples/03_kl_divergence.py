"""
The Kullback-Leibler divergence is no distance
==============================================

Believe q where p is true, and you are more surprised than you need be: by :math:`KL(p \\Vert q) = \\sum_i
p_i \\log (p_i / q_i)` on average. It is never negative, and 0 only if q is p. But it is not symmetric, and
a detour may be shorter than the straight way.
"""

import numpy as np

import fastdiv

rng = np.random.default_rng(0)
p, q = rng.dirichlet(np.ones(6), (2, 10_000))
assert (fastdiv.kl_divergence(p, q) > 0).all()
assert (fastdiv.kl_divergence(p, p) == 0).all()

fair, loaded = [1, 1], [9, 1]
there, back = fastdiv.kl_divergence(fair, loaded, base=2), fastdiv.kl_divergence(loaded, fair, base=2)
assert there > back
print(f"KL(fair || loaded) = {there:.3f} bits, KL(loaded || fair) = {back:.3f} bits")
assert fastdiv.kl_divergence([1, 1], [1, 0]) == np.inf  # q thinks impossible what happens

# %%
# The triangle inequality would be KL(p || r) <= KL(p || q) + KL(q || r). A search among coins: which detours
# from p by q to r are shorter than going straight?


def coin(heads):
    return np.stack([heads, 1 - heads], axis=-1)


first, heads = coin(np.float64(0.5)), np.linspace(0.005, 0.995, 199)
q, r = coin(heads)[:, None], coin(heads)[None]
detour = fastdiv.kl_divergence(first, q) + fastdiv.kl_divergence(q, r)
saved = fastdiv.kl_divergence(first, r) - detour
i, j = np.unravel_index(saved.argmax(), saved.shape)
assert saved[i, j] > 1
print(f"straight from 0.5 to {heads[j]:.3f} costs {saved[i, j] + detour[i, j]:.2f} nats,")
print(f"by way of {heads[i]:.3f} only {detour[i, j]:.2f}; so do {(saved > 0).mean():.0%} of all detours pay")

# %%
import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
left.plot(heads, fastdiv.kl_divergence(first, coin(heads)), label="KL(fair || q)")
left.plot(heads, fastdiv.kl_divergence(coin(heads), first), label="KL(q || fair)")
left.set(xlabel="heads of q", ylabel="nats", title="Not symmetric")
left.legend()
shade = right.contourf(heads, heads, np.ma.masked_less(saved, 0).T, 8, cmap="viridis")
right.plot(heads[i], heads[j], "o", color="C1", clip_on=False)
fig.colorbar(shade, label="nats saved by the detour")
right.set(xlabel="heads of q, on the way", ylabel="heads of r, the goal", title="Where a detour is shorter")
plt.show()
