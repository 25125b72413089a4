"""Histograms that know their bins: UHI's (boost-histogram, hist) and (counts, edges), compared by these."""

import re
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from calls import PAIRED, ROWWISE, TWINS, call

import fastdiv
import fastdiv.gan
import fastdiv.grad

bh = pytest.importorskip("boost_histogram")
BOTH = pytest.mark.parametrize("library", TWINS.values(), ids=TWINS)
DRAWN = np.random.default_rng(5).random((3, 60)) ** [[1], [2], [3]]
EDGES = np.array([0.0, 0.125, 0.5, 0.75, 1.0])


def filled(values, axis=None, **options):
    return bh.Histogram(bh.axis.Variable(EDGES) if axis is None else axis, **options).fill(values)


def of_hist(values):
    hist = pytest.importorskip("hist")
    return hist.Hist(hist.axis.Variable(EDGES, name="x"), storage=hist.storage.Weight()).fill(values)


class Traits:
    circular, discrete = False, False


class Axis(list):
    traits = Traits()


class Plain:
    """UHI's protocol, and no more."""

    kind = "COUNT"

    def __init__(self, counts, ends):
        self.counted, self.axes = counts, [Axis(ends)]

    def values(self):
        return self.counted


def plain(values):
    return Plain(np.histogram(values, EDGES)[0], list(pairwise(EDGES)))


KINDS = {
    "boost-histogram": filled,
    "weighted": lambda x: filled(x, storage=bh.storage.Weight()),
    "hist": of_hist,
    "UHI alone": plain,
    "NumPy's pair": lambda x: np.histogram(x, EDGES),
    "a pair of lists": lambda x: (np.histogram(x, EDGES)[0].tolist(), EDGES.tolist()),
}
of_each_kind = pytest.mark.parametrize("make", KINDS.values(), ids=KINDS)
P, Q, R = (np.histogram(x, EDGES)[0] for x in DRAWN)


@BOTH
@of_each_kind
def test_measures_of_rows(make, library):
    p, q = make(DRAWN[0]), make(DRAWN[1])
    for name in ROWWISE:
        assert call(library, name, p, q) == call(library, name, P, Q)
        assert call(library, name, p, Q) == call(library, name, P, Q)
    assert library.kl_divergence(p, q, pseudocount=1, axis=0) == library.kl_divergence(P, Q, pseudocount=1)


@BOTH
@of_each_kind
def test_matrices(make, library):
    p, q, r = map(make, DRAWN)
    want = library.cdist([P, Q], [R])
    assert np.array_equal(library.cdist([p, q], [r]), want)
    assert np.array_equal(
        library.pdist((p, q, r), "hellinger_distance"), library.pdist([P, Q, R], "hellinger_distance")
    )
    assert np.array_equal(library.knn([r], [p, q], 2)[1], library.knn([R], [P, Q], 2)[1])
    assert library.js_divergence([p, q, r]) == library.js_divergence([P, Q, R])


@BOTH
@of_each_kind
def test_transport(make, library):
    p, q = make(DRAWN[0]), make(DRAWN[1])
    want = library.wasserstein_hist(P, Q, bin_edges=EDGES, p=2)
    assert library.wasserstein_hist(p, q, p=2) == want
    assert library.wasserstein_hist(p, Q, p=2) == want
    assert library.wasserstein_hist(P, q, p=2) == want
    other = np.histogram(DRAWN[2], [-1, 0.5, 2])
    want = library.wasserstein_hist(P, other[0], bin_edges=EDGES, v_bin_edges=other[1])
    assert library.wasserstein_hist(p, other) == want
    assert library.wasserstein_hist(p, filled(DRAWN[2], bh.axis.Variable(other[1]))) == want


def test_gradients_and_games():
    p, q = filled(DRAWN[0]), filled(DRAWN[1])
    for got, want in (
        (fastdiv.grad.js_distance(p, q), fastdiv.grad.js_distance(P, Q)),
        (fastdiv.grad.wasserstein_hist(p, q), fastdiv.grad.wasserstein_hist(P, Q, bin_edges=EDGES)),
    ):
        assert all(map(np.array_equal, got, want))
    assert fastdiv.gan.minimax_value(p, q) == fastdiv.gan.minimax_value(P, Q)


def test_densities_of_a_pair():
    densities = [np.histogram(x, EDGES, density=True) for x in DRAWN[:2]]
    want = fastdiv.wasserstein_hist(P, Q, bin_edges=EDGES)
    assert fastdiv.wasserstein_hist(*densities, density=True) == pytest.approx(want, rel=1e-12)


# --- bins that differ --------------------------------------------------------------------------------------

DIFFER = {
    "edge": ((P, EDGES), (Q, np.array([0.0, 0.25, 0.5, 0.75, 1.0])), "edge 1 is 0.125 and 0.25"),
    "last digit": ((P, EDGES), (Q, np.nextafter(EDGES, 2)), "edge 0 is 0.0 and 5e-324"),
    "number": ((P, EDGES), (Q[:3], EDGES[:4]), "4 of them against 3"),
}


@BOTH
@pytest.mark.parametrize(("p", "q", "words"), DIFFER.values(), ids=DIFFER)
def test_other_edges(p, q, words, library):
    names = [n for n in PAIRED if n in ("js_distance", "kl_divergence", "total_variation")]
    for name in names:
        with pytest.raises(
            ValueError, match=re.escape(f"p and q have bins that differ ({words}); count both in")
        ):
            call(library, name, p, q)
    for name, ask in (
        ("XA[0] and XB[0]", lambda: library.cdist([p], [q])),
        ("p[0] and p[1]", lambda: library.js_divergence([p, q])),
    ):
        with pytest.raises(ValueError, match=re.escape(f"{name} have bins that differ ({words})")):
            ask()
    assert library.wasserstein_hist(p, q) > 0


def test_other_edges_of_gradients_and_neighbours():
    p, q, _ = DIFFER["edge"]
    for ask in (
        lambda: fastdiv.grad.kl_divergence(p, q),
        lambda: fastdiv.gan.minimax_value(p, q),
        lambda: fastdiv.knn([p], [q], 1),
        lambda: fastdiv.Index([p]).query([q], 1),
    ):
        with pytest.raises(
            ValueError, match=r"have bins that differ \(edge 1 is 0\.(125 and 0\.25|25 and 0\.125)\)"
        ):
            ask()


def test_categories():
    a = bh.Histogram(bh.axis.StrCategory(["x", "y"])).fill(["x", "x", "y"])
    b = bh.Histogram(bh.axis.StrCategory(["y", "x"])).fill(["x", "y", "y"])
    with pytest.raises(
        ValueError, match=r"have bins that differ .category 0 is 'x' and 'y'.; they are compared by"
    ):
        fastdiv.js_distance(a, b)
    with pytest.raises(ValueError, match=r"bins that differ .edges against categories"):
        fastdiv.js_distance(filled(DRAWN[0], bh.axis.Regular(2, 0, 1)), a)
    assert fastdiv.js_distance(a, a) == 0
    counts = pd.Series({"y": 1, "x": 2})
    for p, q in ((a, counts), (counts, a)):
        with pytest.raises(ValueError, match="labels that differ") as caught:
            fastdiv.js_distance(p, q)
        advice = re.search(r"for example (.*?)(, or|$)", str(caught.value))[1]
        scope = {"p": p, "q": q}
        exec(advice, scope)
        assert fastdiv.js_distance(scope["p"], scope["q"]) == 0
    with pytest.raises(ValueError, match="u has categories, 'x' and others, which have no place on a line"):
        fastdiv.wasserstein_hist(a, a)


@BOTH
def test_integers_are_points(library):
    a = bh.Histogram(bh.axis.Integer(2, 5)).fill([2, 2, 4])
    b = bh.Histogram(bh.axis.IntCategory([2, 3, 4])).fill([4, 4, 4])
    assert library.wasserstein_hist(a, b) == pytest.approx(4 / 3, rel=1e-15)
    other = bh.Histogram(bh.axis.Integer(0, 3)).fill([1])
    with pytest.raises(
        ValueError, match=r"u and v have masses at points that differ \(category 0 is 2 and 0\)"
    ):
        library.wasserstein_hist(a, other)
    with pytest.raises(ValueError, match="edges against categories"):
        library.wasserstein_hist(a, filled(DRAWN[0]))


# --- what is defined, and what is refused ------------------------------------------------------------------


def test_what_fell_beside_the_bins_is_left_out():
    """As ``values()`` has it."""
    inside = filled(DRAWN[0])
    assert fastdiv.js_distance(inside, filled([*DRAWN[0], -1, 2, 3])) == 0


def test_weights_are_summed():
    weights = np.arange(60) / 8
    got = filled([], storage=bh.storage.Weight()).fill(DRAWN[0], weight=weights)
    assert fastdiv.entropy(got) == fastdiv.entropy(np.histogram(DRAWN[0], EDGES, weights=weights)[0])
    with pytest.raises(ValueError, match=r"p\[1\] = -\d+"):
        fastdiv.entropy(filled([], storage=bh.storage.Weight()).fill([0.2], weight=[-3]))


REFUSED = {
    "means": (
        lambda: fastdiv.entropy(bh.Histogram(bh.axis.Regular(2, 0, 1), storage=bh.storage.Mean())),
        "p is a histogram of kind MEAN, not of counts: pass p.counts()",
    ),
    "two axes": (
        lambda: fastdiv.entropy(bh.Histogram(bh.axis.Regular(2, 0, 1), bh.axis.Regular(2, 0, 1))),
        "p is a histogram of 2 axes, where one is needed: pass p.values() if its rows are distributions, ",
    ),
    "circle": (
        lambda: fastdiv.wasserstein_hist(filled(DRAWN[0], bh.axis.Regular(2, 0, 1, circular=True)), [1, 2]),
        "u has bins around a circle, not on a line",
    ),
    "samples": (
        lambda: fastdiv.wasserstein_distance(filled(DRAWN[0]), [1.0]),
        "u_values is a Histogram, a histogram, which is not taken here; wasserstein_hist compares two",
    ),
    "a pair as samples": (
        lambda: fastdiv.energy_distance([1.0], (P, EDGES)),
        "v_values is (counts, edges), a histogram, which is not taken here",
    ),
    "weights": (
        lambda: fastdiv.wasserstein_distance([1, 2, 3, 4], [1.0], (P, EDGES)),
        "u_weights is (counts, edges), a histogram, which is not taken here",
    ),
    "bins twice": (
        lambda: fastdiv.wasserstein_hist((P, EDGES), Q, bin_edges=EDGES),
        "u must be masses alone where support or bin_edges is given, not a histogram",
    ),
    "falling edges": (
        lambda: fastdiv.entropy((P, EDGES[::-1])),
        "p[1] must ascend, but edge 0 is 1.0 and edge 1 is 0.75",
    ),
    "texts as edges": (
        lambda: fastdiv.entropy(([1], ["a", "b"])),
        "p[1] has dtype <U1, but edges are real numbers",
    ),
    "a gap": (
        lambda: fastdiv.wasserstein_hist(Plain([1, 2], [(0, 1), (2, 3)]), [1, 2]),
        "u has a gap between bins 0 and 1: 1 and 2",
    ),
    "places in a matrix": (
        lambda: fastdiv.cdist([(P, EDGES)], [(Q, EDGES)], "wasserstein"),
        "XA has histograms, whose bins are not at 0, 1, 2, ...: pass the places of their masses",
    ),
}


@pytest.mark.parametrize(("ask", "words"), REFUSED.values(), ids=REFUSED)
def test_refused(ask, words):
    with pytest.raises((TypeError, ValueError), match=re.escape(words)) as caught:
        ask()
    assert "\n" not in str(caught.value)


def test_two_axes_as_the_error_tells():
    p = bh.Histogram(bh.axis.Regular(2, 0, 1), bh.axis.Regular(2, 0, 1)).fill(DRAWN[0], DRAWN[1])
    assert fastdiv.entropy(p.values()).shape == (2,)
    assert fastdiv.entropy(p.values().ravel()).shape == ()


def test_places_in_a_matrix():
    centres = (EDGES[1:] + EDGES[:-1]) / 2
    got = fastdiv.cdist([filled(DRAWN[0])], [filled(DRAWN[1])], "wasserstein", support=centres)
    assert got[0, 0] == pytest.approx(fastdiv.wasserstein_hist(P, Q, support=centres), rel=1e-14)


def test_what_is_no_pair():
    """A tuple of rows of one length is rows; a list is never a pair."""
    assert fastdiv.entropy(([1, 2], [3, 4])).shape == (2,)
    assert fastdiv.entropy(([1, 2],)).shape == (1,)
    with pytest.raises(ValueError, match="p is not a rectangular array"):
        fastdiv.entropy([[1, 2], [3, 4, 5]])
    assert fastdiv.entropy(([5], [0, 1])) == 0  # one bin


def test_an_axis_that_does_not_say_whether_it_is_a_circle_is_a_line():
    u, v = plain([0.1, 0.6]), plain([0.6, 0.6])
    told = fastdiv.wasserstein_hist(u, v)
    u.axes[0].traits = v.axes[0].traits = object()
    assert fastdiv.wasserstein_hist(u, v) == told
