"""
Only W drives home
==================

Three descents from one start. The generator is a hump at :math:`\\theta`, the data the same hump at 0, both
on a thin floor so that KL stays finite. The measure has a slope by each mass, the generator one of each mass
by :math:`\\theta`. Where the humps overlap, each measure knows the way; from afar KL and JS are flat.
"""

import numpy as np

import fastdiv.grad

x, places = np.linspace(-3, 9, 1201), np.linspace(-1.5, 7.5, 181)


def generator(theta):
    """Masses over x, and their derivatives by theta."""
    near = abs(x - theta) < 1
    q = near * (1 + np.cos(np.pi * (x - theta))) / 200 + 1e-6
    return q, near * np.pi * np.sin(np.pi * (x - theta)) / 200


def transport(p, q):
    w = fastdiv.grad.wasserstein_distance(x, x, p, q, p=2)
    return w.value**2, None, 2 * w.value * w.v_weights  # of the square


data = generator(0.0)[0]
measures = {"KL": fastdiv.grad.kl_divergence, "JS": fastdiv.grad.js_divergence, "W squared": transport}


def descend(measure, theta):
    for _ in range(80):
        yield theta
        q, by_theta = generator(theta)
        theta -= 0.05 * (measure(data, q)[2] @ by_theta)


near, far = ({name: [*descend(f, start)] for name, f in measures.items()} for start in (1.0, 6.0))
for name in measures:
    print(f"{name:9} from 1.0 to {near[name][-1]:.3f}, from 6.0 to {far[name][-1]:.3f}")
assert all(abs(path[-1]) < 0.01 for path in near.values())
assert abs(far["W squared"][-1]) < 0.01
assert abs(np.array([far["KL"], far["JS"]]) - 6).max() < 1e-3

# %%
import matplotlib.pyplot as plt

fig, (left, right) = plt.subplots(1, 2, figsize=(9, 3.8))
for (name, measure), dash in zip(measures.items(), ("-", (0, (5, 4)), "-"), strict=True):
    values = np.array([measure(data, generator(theta)[0])[0] for theta in places])
    left.plot(places, values / values.max(), ls=dash, label=f"{name}, up to {values.max():.3g}")
    (line,) = right.plot(far[name], ls=dash, label=name)
    right.plot(near[name], color=line.get_color(), ls=":")
left.set(xlabel=r"place $\theta$", yticks=[], ylim=(-0.05, 1.5), title="The slopes that there are")
right.set(xlabel="step", ylabel=r"$\theta$", title="From 6 only W arrives, from 1 all do")
left.legend(), right.legend()
plt.show()
