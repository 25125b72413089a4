"""
What one measure says of another
================================

Jensen-Shannon, Hellinger and total variation cannot disagree by much: :math:`h^2 \\log 2 \\le JS \\le h^2`,
and :math:`h^2 \\le TV \\le h \\sqrt{2 - h^2}`. The first wedge is so narrow that nearest neighbours by JS
are found with matrix products: h tells for most pairs that they are too far. Proofs are on the page of
explanations.
"""

import numpy as np

import fastdiv

rng = np.random.default_rng(14)
p, q = rng.dirichlet(np.full(5, 0.4), (2, 100_000))
q[::3] = p[::3] * np.exp(rng.normal(0, 0.5, (33_334, 5)))  # some are near
js, h, tv = (f(p, q) for f in (fastdiv.js_divergence, fastdiv.hellinger_distance, fastdiv.total_variation))
kl, jeffreys = fastdiv.kl_divergence(p, q), fastdiv.jeffreys_divergence(p, q)
triangle = fastdiv.triangular_discrimination(p, q)

log2, a_little = np.log(2), 1 + 1e-12
bounds = {
    "h^2 log 2 <= JS": (h**2 * log2, js),
    "JS <= h^2": (js, h**2),
    "h^2 <= TV": (h**2, tv),
    "TV <= h sqrt(2 - h^2)": (tv, h * np.sqrt(2 - h**2)),
    "TV^2 / 2 <= JS": (tv**2 / 2, js),
    "JS <= TV log 2": (js, tv * log2),
    "triangle / 4 <= JS": (triangle / 4, js),
    "JS <= triangle log 2 / 2": (js, triangle * log2 / 2),
    "2 TV^2 <= KL (Pinsker)": (2 * tv**2, kl),
    "-2 log(1 - h^2) <= KL": (-2 * np.log1p(-(h**2)), kl),
    "JS <= Jeffreys / 8": (js, jeffreys / 8),
}
for name, (less, more) in bounds.items():
    assert (less <= more * a_little).all(), name
    print(f"{name:26} at its tightest {(less / more).max():.4f}")

# %%
import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 4))
some, x = slice(0, 6000), np.linspace(0, 1, 200)
left.plot(h[some] ** 2, js[some], ",", color="C0", alpha=0.5)
left.plot(x, x, color="C1", label="$h^2$")
left.plot(x, x * log2, color="C1", ls="--", label=r"$h^2\,\log\,2$")
left.set(xlabel="$h^2$", ylabel="JS", title="JS in its wedge")
left.legend()
right.plot(h[some], tv[some], ",", color="C0", alpha=0.5)
right.plot(x, x * np.sqrt(2 - x**2), color="C1", label=r"$h\,\sqrt{2 - h^2}$")
right.plot(x, x**2, color="C1", ls="--", label="$h^2$")
right.set(xlabel="h", ylabel="TV", title="Total variation in its own")
right.legend()
plt.show()
