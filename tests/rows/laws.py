"""What tests of laws share: rows of any kind, both libraries, how far rounded values may be off."""

import math
import os

import numpy as np
import pytest
from calls import TWINS
from hypothesis import settings
from hypothesis import strategies as st

LN2 = math.log(2)
SLACK = 1 + 1e-12

both = pytest.mark.parametrize("library", TWINS.values(), ids=TWINS)
measured = settings(max_examples=int(os.environ.get("FASTDIV_EXAMPLES", "25")), deadline=None)


def each(names):
    return pytest.mark.parametrize("name", names)


@st.composite
def rows(draw, count, zeros=True, integers=False):
    """``count`` rows of equal length with positive sums: counts, shares, rows near one another, any scale."""
    n = draw(st.integers(1, 24))
    rng = np.random.default_rng(draw(st.integers(0, 2**32)))
    kind = "counts" if integers else draw(st.sampled_from(["counts", "dirichlet", "near", "wide"]))
    if kind == "counts":
        table = rng.integers(0, draw(st.sampled_from([3, 100, 10**6])), size=(count, n)).astype(float)
    elif kind == "dirichlet":
        table = rng.dirichlet(np.full(n, 0.4), size=count)
    elif kind == "near":
        eps = draw(st.sampled_from([1e-2, 1e-6, 1e-9, 1e-13]))
        table = rng.random(n) * (1 + eps * rng.uniform(-1, 1, size=(count, n)))
    else:
        table = 2.0 ** rng.uniform(-60, 60, size=(count, n))
    if zeros and draw(st.booleans()):
        table[:, rng.random(n) < 0.3] = 0.0
        table[rng.random((count, n)) < 0.2] = 0.0
    if not zeros:
        table += 1.0 if integers else 1e-6
    table[:, int(rng.integers(n))] += table.max() + 1.0
    return table


def at_most(a, b, slack=SLACK):
    """a <= b up to rounding, and up to what falls below the promise of 1e-30."""
    return a <= b * slack + 1e-30
