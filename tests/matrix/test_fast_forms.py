"""Fast forms are what unrelated rows are compared by, whole and compressed (csrc/matrix/limits.c).

A sum that comes out wrong mostly falls below its limit, and the pair is done again as rows: the value stays
right, at many times the price. What tells the two ways apart are last bits, in which many pairs differ.
"""

import numpy as np
import pytest
from scipy import sparse

import fastdiv

METRICS = {
    "cross_entropy": {},
    "kl_divergence": {},
    "jeffreys_divergence": {},
    "js_divergence": {},
    "total_variation": {},
    "hellinger_distance": {},
    "chi_square": {},
    "renyi_divergence": {"alpha": 0.7},
}


def differs(got, A, B, metric, **options):
    """Some entry of each row and of each column is not the row-wise value, but all are near it."""
    if metric == "wasserstein":
        again = fastdiv.wasserstein_hist(A[:, None], B[None], support=np.arange(A.shape[1]))
    else:
        again = getattr(fastdiv, metric)(A[:, None], B[None], **options)
    np.testing.assert_allclose(got, again, rtol=1e-12)
    other = got != again
    assert other.any(axis=0).all(), metric
    assert other.any(axis=1).all(), metric


@pytest.mark.parametrize("bins", [10, 25, 100, 530])
def test_unrelated_rows(level, bins):
    A, B = np.split(np.random.default_rng(bins).dirichlet(np.ones(bins), 64), [24])
    for metric, options in METRICS.items():
        differs(fastdiv.cdist(A, B, metric, **options), A, B, metric, **options)
        if bins == 100:
            compressed = fastdiv.cdist(sparse.csr_array(A), sparse.csr_array(B), metric, **options)
            differs(compressed, A, B, metric, **options)
    A, B = A[:7], B[:21]
    differs(fastdiv.cdist(A, B, "wasserstein"), A, B, "wasserstein")


def test_near_rows(level):
    """By terms of second order; 100 bins leave some over."""
    rng = np.random.default_rng(1)
    A, B = np.split(rng.dirichlet(np.ones(100)) * (1 + 1e-3 * rng.standard_normal((94, 100))), [24])
    differs(fastdiv.cdist(A, B, "js_divergence"), A, B, "js_divergence")


def test_single_precision(level):
    """Of Jensen-Shannon, whose entries then are not the rounded double in one of ten pairs or so."""
    A, B = np.split(np.random.default_rng(2).dirichlet(np.ones(100), 94).astype("f4"), [24])
    got, wide = fastdiv.cdist(A, B), fastdiv.js_distance(A[:, None].astype(float), B[None].astype(float))
    np.testing.assert_allclose(got, wide, rtol=5e-6)
    assert 0.05 < (got != wide.astype("f4")).mean() < 0.5
