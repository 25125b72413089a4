"""What is known of a count from columns before is what it comes to alone, to the last bit."""

from math import comb, log

import numpy as np
import pytest

from fastdiv.drift import noise


@pytest.mark.parametrize(("n", "m", "c"), [(300, 300, 0.5), (100, 20_000, 0.0), (20_000, 90, 1e-3)])
def test_bits_of_counts(n, m, c):
    rng = np.random.default_rng(1)
    counts = sorted({*rng.integers(1, 60, 30).tolist(), *rng.integers(1, 20_000, 25).tolist()})
    noise._known.cache_clear()
    together = noise._of_counts(counts, n, m, c, 21)
    np.testing.assert_array_equal(noise._of_counts(counts, n, m, c, 21), together)
    noise._known.cache_clear()
    for i in rng.permutation(len(counts)).tolist():
        np.testing.assert_array_equal(noise._of_counts(counts[i : i + 1], n, m, c, 21)[0], together[i])
    many = [*counts, *range(30_000, 30_000 + noise._KEPT)]
    np.testing.assert_array_equal(noise._of_counts(many, n, m, c, 21)[: len(counts)], together)


@pytest.mark.parametrize("t", [1, 7, 40])
def test_moments_of_a_count(t):
    """Sums over the binomial law itself."""
    n, m, c, bins = 70, 130, 0.5, 9
    share = n / (n + m)
    law = [comb(t, k) * share**k * (1 - share) ** (t - k) for k in range(t + 1)]

    def js(k):
        p, q = k / n, (t - k) / m
        return sum(x * log(2 * x / (p + q)) for x in (p, q) if x) / 2

    def kl(k):
        p, q = (k + c) / (n + c * bins), (t - k + c) / (m + c * bins)
        return q * log(q / p) - q + p

    (found,) = noise._of_counts([float(t)], n, m, c, bins)
    for i, f in enumerate((js, kl)):
        mean = sum(w * f(k) for k, w in enumerate(law))
        along = sum(w * f(k) * (k - t * share) for k, w in enumerate(law))
        bend = t * share * (1 - share)
        curved = sum(w * f(k) * ((k - t * share) ** 2 - bend) for k, w in enumerate(law))
        np.testing.assert_allclose(found[[i, 6 + i, 9 + i]], [mean, along, curved], rtol=1e-10, atol=1e-14)
    second = sum(w * js(k) ** 2 for k, w in enumerate(law)) - found[0] ** 2
    third = sum(w * (k - t * share) ** 3 for k, w in enumerate(law))
    np.testing.assert_allclose(found[12:], [second, third], rtol=1e-9, atol=1e-14)
