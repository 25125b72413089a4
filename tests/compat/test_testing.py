"""fastdiv.testing: the level is kept, differences are found, and the words say what differs."""

import itertools
import re

import numpy as np
import pytest
from doctests import docstring_runs

import fastdiv
from fastdiv import testing
from fastdiv.testing import assert_same_distribution as same


def fails(*args, **options):
    try:
        same(*args, **options)
    except AssertionError:
        return True
    return False


@pytest.mark.parametrize("statistic", ["wasserstein", "energy", "ks"])
def test_the_level_of_samples(statistic):
    """Of 300 pairs of one law 10 % may fail: binomial, 5 deviations allowed."""
    rng = np.random.default_rng(1)
    options = {"statistic": statistic, "alpha": 0.1, "permutations": 99}
    pairs = [(rng.exponential(size=20).round(1), rng.exponential(size=31).round(1)) for _ in range(300)]
    count = sum(fails(u, v, seed=i, **options) for i, (u, v) in enumerate(pairs))
    assert 4 <= count <= 30 + 5 * 5.2
    assert fails(rng.normal(size=200), rng.normal(1, 1, 150), statistic=statistic)
    assert not fails(rng.normal(size=200), rng.normal(size=150), statistic=statistic)


@pytest.mark.parametrize("statistic", ["js", "psi"])
def test_the_level_of_counts(statistic):
    rng = np.random.default_rng(2)
    law = [0.5, 0.3, 0.15, 0.05, 0.0]
    options = {"counts": True, "statistic": statistic, "alpha": 0.1, "permutations": 99}
    count = sum(
        fails(rng.multinomial(60, law), rng.multinomial(90, law), seed=i, **options) for i in range(300)
    )
    assert 4 <= count <= 30 + 5 * 5.2
    assert fails([500, 300, 200], [300, 300, 400], counts=True, statistic=statistic)


def test_same_is_same():
    x = np.arange(50)
    same(x, x[::-1])
    same([3, 0, 2], [300, 0, 200], counts=True)
    same([1.0], [1.0])


def test_the_words():
    with pytest.raises(
        AssertionError, match=r"^a and b differ: wasserstein = 50, p = 0.0001 <= alpha = 0.001 "
    ):
        same(range(50), range(50, 100))
    with pytest.raises(AssertionError, match=r"50 and 40 values, means 24.5 and 69.5"):
        same(range(50), range(50, 90))


def test_seeds_repeat():
    rng = np.random.default_rng(3)
    u, v = rng.normal(size=30), rng.normal(0.9, 1, 30)
    words = []
    for _ in range(2):
        with pytest.raises(AssertionError) as error:
            same(u, v, seed=4, alpha=0.05)
        words.append(str(error.value))
    assert words[0] == words[1]


@pytest.mark.parametrize(
    ("args", "options", "words"),
    [
        (([], [1]), {}, "a must be a vector with an entry at least, not of shape"),
        (([[1]], [1]), {}, "a must be a vector"),
        (([1], [np.nan]), {}, "b must be finite, not nan as at 0"),
        (([1], [2]), {"alpha": 0}, "alpha must be positive and finite, not 0"),
        (([1], [2]), {"alpha": 1}, "alpha must be between 0 and 1, not 1"),
        (([1], [2]), {"permutations": 9}, "permutations must be at least 1/alpha - 1 = 999, not 9"),
        (([1], [2]), {"statistic": "js"}, "statistic must be one of wasserstein, energy, ks, not 'js'"),
        (([1, 2], [2]), {"counts": True}, "a and b must have the same number of bins, not 2 and 1"),
        (
            ([1, 0.5], [2, 1]),
            {"counts": True},
            "a must hold counts, whole numbers from 0 on, not 0.5 in bin 1",
        ),
        (([1, 0], [0, 0]), {"counts": True}, "b must hold from 1 to 10"),
    ],
)
def test_what_is_refused(args, options, words):
    with pytest.raises(ValueError, match=words):
        same(*args, **options)


def test_the_examples_run():
    docstring_runs(testing.assert_same_distribution)


@pytest.mark.parametrize("statistic", ["wasserstein", "energy", "ks"])
def test_permutations_are_those_of_all(statistic):
    """Blocks of 2 values against all C(34, 3) subsets; 5 deviations allowed."""
    rng = np.random.default_rng(5)
    x, y = rng.exponential(1, 3).round(1), rng.exponential(size=31).round(1)
    pool, function = np.concatenate([x, y]), getattr(fastdiv, f"{statistic}_distance")
    chosen = np.array(list(itertools.combinations(range(34), 3)))
    others = np.array([np.setdiff1d(range(34), few) for few in chosen])
    bar = float(function(x, y)) * (1 - 1e-12)
    share = float(np.mean(function(pool[chosen], pool[others]) >= bar))
    test = testing._Samples(x, y, statistic)
    assert test.seen() == pytest.approx(float(function(x, y)), rel=1e-13)
    assert len(set(test.sizes.tolist())) == 1 < test.sizes[0]
    seen = test.as_far(rng, 4000, bar) / 4000
    assert abs(seen - share) <= 5 * np.sqrt(share * (1 - share) / 4000)
    assert 0.01 < share < 0.99


def test_integers_beyond_doubles_are_told_apart():
    """50 values of 0 to 3 against 4 to 7, from 2^60 on, where doubles lie 128 apart."""
    rng = np.random.default_rng(6)
    u, v = 2**60 + rng.integers(0, 4, 50), 2**60 + rng.integers(4, 8, 50)
    with pytest.raises(AssertionError, match=rf"wasserstein = {(v - u).mean():.3g}, p = 0\.0001") as error:
        same(u, v)
    assert f"deviations {(u - 2**60).std():.4g} and {(v - 2**60).std():.4g}" in str(error.value)
    with pytest.raises(AssertionError, match=r"ks = 1, p = 0\.0001"):
        same(u, v.astype(np.uint64), statistic="ks")
    with pytest.raises(ValueError, match="would be rounded"):
        same([2**60 + 1, 0.5], v)


@pytest.mark.parametrize("unit", [1e307, 1e200, 5e-324])
def test_values_whose_squares_are_no_doubles(unit):
    u, v = np.arange(1.0, 9) * unit, np.arange(9.0, 17) * unit
    with pytest.raises(AssertionError, match=re.escape(f"wasserstein = {8 * unit:.3g}, p = ")) as error:
        same(u, v, alpha=0.05)
    assert f"standard deviations {np.std(np.arange(8)) * unit:.4g} and" in str(error.value)


def test_sums_of_narrow_counts_do_not_wrap_and_alpha_is_any_real():
    with pytest.raises(ValueError, match=r"must hold from 1 to 10\^9 counts, not 1.84467e\+19"):
        same(np.full(4, 2**62), [2, 2, 3, 1], counts=True)
    same([1, 2], [1, 3], alpha=np.float32(0.05), permutations=np.int16(99))
    with pytest.raises(TypeError, match="alpha must be a real number, not True"):
        same([1], [2], alpha=True)
