"""
Cross entropy: what a classifier learns from
============================================

Who believes q where p is true is surprised by :math:`-\\sum_i p_i \\log q_i` on average, the cross entropy.
Its parts are the entropy of p, which nobody can avoid, and :math:`KL(p \\Vert q)`, the price of a wrong
belief: who descends cross entropy descends KL. Here a classifier learns to read digits. Its belief is the
softmax of linear scores; its labels are smoothed (nine tenths for the right digit), so that they have an
entropy of their own.
"""

import numpy as np
from scipy.optimize import minimize
from scipy.special import softmax
from sklearn.datasets import load_digits

import fastdiv.grad

images, labels = load_digits(return_X_y=True)
order = np.random.default_rng(4).permutation(len(labels))
images, labels = images[order] / 16, labels[order]
train, test = slice(1200), slice(1200, None)
smooth = 0.9 * np.eye(10)[labels[train]] + 0.01  # 0.91 for the right one, 0.01 for each of the others


def loss(weights):
    scores = images[train] @ weights.reshape(64, 10)
    value, _, slopes = fastdiv.grad.cross_entropy(smooth, scores, log_input="q")  # softmax(q) - p
    return value.mean(), (images[train].T @ slopes).ravel() / len(scores)


path = [np.zeros(640)]
minimize(loss, path[0], jac=True, options={"maxiter": 30}, callback=lambda w: path.append(w.copy()))

# At each step the loss is the same entropy, and a KL that falls.
losses = np.array([loss(w)[0] for w in path])
beliefs = [softmax(images @ w.reshape(64, 10), axis=1) for w in path]
entropy = fastdiv.entropy(smooth).mean()
kl = np.array([fastdiv.kl_divergence(smooth, belief[train]).mean() for belief in beliefs])
right = [(belief[test].argmax(1) == labels[test]).mean() for belief in beliefs]
assert np.allclose(losses, entropy + kl, rtol=1e-12)
assert (np.diff(kl) < 0).all()
assert right[-1] > 0.94
print(f"loss {losses[0]:.3f} -> {losses[-1]:.3f} nats, of which {entropy:.3f} are entropy and stay")
print(f"of {len(labels[test])} digits it has never seen, {right[-1]:.1%} are read right")

# %%
import matplotlib.pyplot as plt

left, squares = plt.figure(figsize=(10, 3.6)).subfigures(1, 2, width_ratios=[1, 1.4])
ax = left.subplots()
ax.stackplot(range(len(path)), [entropy] * len(path), kl, labels=["entropy", "KL"], alpha=0.7)
ax.set(xlim=(0, 30), xlabel="step", ylabel="nats", title="The loss: entropy stays, KL falls")
ax.legend()
squares.suptitle("What speaks for each digit (blue), and against (red)")
for digit, square in enumerate(squares.subplots(2, 5).flat):
    square.imshow(path[-1].reshape(8, 8, 10)[..., digit], cmap="RdBu", vmin=-3, vmax=3)
    square.set(xticks=[], yticks=[], xlabel=digit)
plt.show()
