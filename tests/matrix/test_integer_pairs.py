"""Samples of integers in matrices: the bits of a pair are a matter of its two rows."""

from random import Random

import numpy as np
import pytest

import fastdiv

T = 1_700_000_000_000_000_000
LARGEST = 2**64 - 1
RANGES = [(0, 1000), (T, T + 10**6), (-(2**62), 2**62), (2**53, 2**60), (-(2**63), 2**63 - 1)]


def _table(random, n, dtype):
    """Three rows, near one another or as far apart as 64 bits allow."""
    rows = []
    for low, high in random.choices(RANGES[: 2 if random.random() < 0.3 else 5], k=3):
        low, high = (max(low, 0), LARGEST if high > 2**62 else high) if dtype == np.uint64 else (low, high)
        rows.append([random.randint(low, high) for _ in range(n)])
    table = np.array(rows, np.int64 if dtype == np.float64 else dtype).astype(dtype)
    if dtype == np.float64:
        table[random.randrange(3), 0] += random.choice([0, 0.5])
    return table


@pytest.mark.parametrize("p", [1, 2, 3.5, np.inf])
@pytest.mark.parametrize("other", [np.int64, np.uint64, np.float64])
def test_a_pair_has_its_bits_alone(p, other):
    random, options = Random(f"{p} {other}"), {"metric": "wasserstein", "samples": True, "p": p}
    for _ in range(60):
        n = random.choice([1, 2, 3, 7])
        A = _table(random, n, np.int64)
        B = _table(random, n if random.random() < 0.7 else 5, other)
        D = fastdiv.cdist(A, B, **options)
        for i in range(3):
            for j in range(3):
                assert fastdiv.cdist(A[i : i + 1], B[j : j + 1], **options)[0, 0] == D[i, j], (A[i], B[j])
        distances, where = fastdiv.knn(A, B, 2, **options)
        assert np.array_equal(distances, np.take_along_axis(D, where, 1))
        pairs = fastdiv.pdist(A, **options)
        for d, some in zip(pairs, ([0, 1], [0, 2], [1, 2]), strict=True):
            assert fastdiv.pdist(A[some], **options)[0] == d
        assert np.array_equal(pairs, fastdiv.cdist(A, A, **options)[np.triu_indices(3, 1)])


@pytest.mark.parametrize("memory", [1, 8 * 3, 8 * 3 * 4])
def test_blocks_of_any_size(memory, monkeypatch):
    """A row at a time where there is no memory for two."""
    random, options = Random(memory), {"metric": "wasserstein", "samples": True}
    A, B = (np.concatenate([_table(random, 3, np.int64) for _ in range(n)]) for n in (3, 1))
    whole = fastdiv.cdist(A, B, **options)
    monkeypatch.setattr("fastdiv.matrix.sides.BLOCK_BYTES", memory)
    assert np.array_equal(fastdiv.cdist(A, B, **options), whole)


def test_a_row_out_of_all_reach_rounds_no_others():
    """Beside a row 2^64 away these two were rounded to float64, and the same."""
    A = np.array([[2**63 - 1], [-(2**63)]])
    B = np.array([[2**63 + 2], [LARGEST]], np.uint64)
    D = fastdiv.cdist(A, B, "wasserstein", samples=True)
    assert D[0].tolist() == [3.0, 2.0**63]
    assert D[1, 1] == 2.0**64 + 2.0**63


def test_values_at_the_edges_of_classes():
    for span, want in ((2**53, 2.0**53), (2**53 + 2, 2.0**53 + 2), (2**64 - 1, 2.0**64)):
        A = np.array([[T], [-5], [0]]) if span < 2**60 else np.array([[0], [3]], np.uint64)
        base = -5 if span < 2**60 else 0
        B = np.array([[base + span], [7]], A.dtype)
        i = 1 if span < 2**60 else 0
        assert fastdiv.cdist(A, B, "wasserstein", samples=True)[i, 0] == want
