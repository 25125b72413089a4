"""
Information content
===================

How surprising is it that something happens? An event of probability p carries :math:`-\\log_2 p` bits: none
if it is certain, one if it is a fair coin's head, and the more the rarer it is. Why a logarithm? Because
the surprises of events that have nothing to do with each other should add up, while their probabilities
multiply.
"""

import numpy as np

import fastdiv

events = {
    "the sun rises": 1.0,
    "a coin shows heads": 1 / 2,
    "a die shows six": 1 / 6,
    "a card is the ace of spades": 1 / 52,
    "seven heads in a row": 1 / 128,
}
bits = fastdiv.surprisal(list(events.values()), base=2)
for (event, p), content in zip(events.items(), bits, strict=True):
    print(f"{event:28} p = {p:6.4f}   {content:5.2f} bits")

# %%
# It falls as the probability rises, it is 0 for the certain event, and what is impossible would surprise
# without end. Independent events add: seven heads are seven bits.

p = np.linspace(0.001, 1, 1000)
content = fastdiv.surprisal(p, base=2)
assert (np.diff(content) < 0).all()
assert fastdiv.surprisal(1.0) == 0
assert fastdiv.surprisal(0.0) == np.inf
assert bits[-1] == 7 * bits[1]
assert np.allclose(fastdiv.surprisal(np.outer(p, p)), np.add.outer(*[fastdiv.surprisal(p)] * 2))

# %%
import matplotlib.pyplot as plt

fig, ax = plt.subplots()
ax.plot(p, content)
ax.plot(list(events.values()), bits, "o", color="C1")
for (event, x), y in zip(events.items(), bits, strict=True):
    at, side = ((0, 16), "right") if x == 1 else ((9, 3), "left")
    ax.annotate(event, (x, y), at, textcoords="offset points", ha=side)
ax.set(xlabel="probability", ylabel="information content in bits", ylim=(-0.3, 8), xlim=(-0.02, 1.02))
ax.set_title("The rarer, the more it tells")
plt.show()
