"""
Jensen-Shannon: a distance at last
==================================

Compare both sides with their mean instead: :math:`JS(p, q) = \\frac12 KL(p \\Vert m) + \\frac12 KL(q \\Vert
m)` with :math:`m = (p + q) / 2`. It is symmetric, it lies between 0 and 1 bit whatever p and q are, and its
square root is a metric: no detour is shorter. The bound is its weakness, too: once two distributions have
nothing in common, JS is one bit, however far apart they are.
"""

import numpy as np

import fastdiv

rng = np.random.default_rng(5)
p, q, r = rng.dirichlet(np.full(4, 0.3), (3, 200_000))
pq, qr, pr = (fastdiv.js_divergence(*pair, base=2) for pair in ((p, q), (q, r), (p, r)))
assert (pq == fastdiv.js_divergence(q, p, base=2)).all()
assert pq.min() > 0  # 0 for none that differ
assert pq.max() <= 1
assert (fastdiv.js_divergence(p, p) == 0).all()
assert fastdiv.js_divergence([1, 2, 0, 0], [0, 0, 3, 4], base=2) == 1  # nothing in common: one bit, that is
assert fastdiv.js_divergence([1, 2, 0, 0], [0, 0, 3, 4]) == np.log(2)  # log 2 nats

slack = pq + qr - pr
slack_of_roots = np.sqrt(pq) + np.sqrt(qr) - np.sqrt(pr)
assert slack.min() < 0
assert slack_of_roots.min() > -1e-15
print(f"of 200 000 detours {(slack < 0).sum()} are shorter by JS, none by its root")

# %%
# Two bells slide apart. KL grows without end, and differs by the side; JS stops at one bit and says no more.

x = np.linspace(-10, 30, 2001)
gaps = np.linspace(0, 12, 61)
bell, moved = np.exp(-(x**2) / 2), np.exp(-((x - gaps[:, None]) ** 2) / 4)
js, js_back = (fastdiv.js_divergence(*pair, base=2) for pair in ((bell, moved), (moved, bell)))
kl, kl_back = (fastdiv.kl_divergence(*pair, base=2) for pair in ((bell, moved), (moved, bell)))
assert (np.diff(js[:40]) > 0).all()
assert 1 - js[-1] < 1e-5
print(f"gap 12: JS = {js[-1]:.8f} bits, KL = {kl[-1]:.0f} one way and {kl_back[-1]:.0f} the other")

# %%
import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
for y, back, label in ((js, js_back, "JS, both ways"), (kl, kl_back, "KL, either way")):
    (line,) = left.plot(gaps, y, label=label)
    left.plot(gaps, back, ":", color="k" if back is js_back else line.get_color())
left.axhline(1, color="0.6", lw=1, ls=":")
left.set(xlabel="gap between two bells", ylabel="bits", ylim=(0, 2.5), title="JS stops at one bit")
left.legend()
for values, label in ((slack, "JS"), (slack_of_roots, "its root")):
    right.hist(values, np.linspace(-0.3, 1.5, 91), histtype="stepfilled", alpha=0.5, label=label)
right.axvline(0, color="0.4", lw=1)
right.set(xlabel="detour less straight way", yticks=[], title="Only the root never gains by a detour")
right.legend()
plt.show()
