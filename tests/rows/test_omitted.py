"""nan_policy="omit": the value of rows with their missing bins cut out; what these hide is refused."""

import math

import numpy as np
import pytest
from calls import ROWWISE, call

import fastdiv.grad
from fastdiv import reference


@pytest.mark.parametrize("name", ROWWISE)
@pytest.mark.parametrize("n", [3, 20, 100, 2049])
def test_as_without_the_bins(level, name, n):
    """To the rounding of a sum in another order; a row whose bins are all missing has no value."""
    rng = np.random.default_rng(n)
    p, q = rng.dirichlet(np.ones(n), (2, 18)) + 1e-6
    p[1, 0] = q[2, -1] = p[3, 1] = q[3, 0] = p[4, -1] = q[4, -1] = math.nan
    p[5] = math.nan
    for options in ({}, {"pseudocount": 0.5}, {"normalize": False}, {"log_input": True}):
        x, y = (np.log(p), np.log(q)) if "log_input" in options else (p, q)
        got = call(fastdiv, name, x, y, nan_policy="omit", **options)
        turned = [np.ascontiguousarray(a.T) for a in (x, y)]
        assert call(fastdiv, name, *turned, axis=0, nan_policy="omit", **options).tobytes() == got.tobytes()
        for row in range(len(p)):
            alone = call(fastdiv, name, x[row], y[row], nan_policy="omit", **options)
            assert alone.tobytes() == got[row].tobytes()
            kept = ~np.isnan(x[row]) if name == "entropy" else ~np.isnan(x[row] + y[row])
            if kept.any():
                expected = call(fastdiv, name, x[row][kept], y[row][kept], **options)
                np.testing.assert_allclose(got[row], expected, rtol=1e-12, atol=1e-15)
            else:
                assert math.isnan(got[row])


@pytest.mark.parametrize("bad", [-1.0, math.inf])
@pytest.mark.parametrize("n", [4, 3000])
def test_a_missing_bin_hides_nothing(bad, n):
    p, q = np.ones((2, 5, n))
    p[3, 2], q[3, 2] = bad, math.nan
    for name in ROWWISE:
        with pytest.raises(ValueError, match=r"negative|infinite"):
            call(fastdiv, name, p, q, nan_policy="omit")
    p[3, 2], q[3, 1] = math.nan, bad
    with pytest.raises(ValueError, match=r"q\[3, 1\]"):
        fastdiv.kl_divergence(p, q, nan_policy="omit", pseudocount=0.5)


def test_float32():
    p, q = np.random.default_rng(6).dirichlet(np.ones(30), (2, 4)).astype("f4")
    p[2, 3] = math.nan
    got = fastdiv.js_divergence(p, q, nan_policy="omit")
    assert got.dtype == np.float32
    wide = fastdiv.js_divergence(p.astype(float), q.astype(float), nan_policy="omit")
    assert got.tobytes() == wide.astype("f4").tobytes()


@pytest.mark.parametrize("options", [{}, {"pseudocount": 0.5}, {"log_input": True}], ids=str)
@pytest.mark.parametrize("library", [fastdiv, reference], ids=["compiled", "reference"])
def test_a_bin_that_one_row_of_a_stack_misses_is_cut_out_of_that_stack_alone(library, options):
    stacks = np.random.default_rng(5).random((3, 4, 9))
    stacks[0, 2, [1, 7]] = stacks[2, 0, 3] = np.nan
    got = library.js_divergence(stacks, nan_policy="omit", **options)
    kept = [[0, 2, 3, 4, 5, 6, 8], range(9), [0, 1, 2, 4, 5, 6, 7, 8]]
    alone = [
        library.js_divergence(stack[:, list(bins)], **options)
        for stack, bins in zip(stacks, kept, strict=True)
    ]
    np.testing.assert_allclose(got, alone, rtol=1e-14)


@pytest.mark.parametrize("name", ROWWISE)
@pytest.mark.parametrize("log_input", [False, True])
def test_nothing_is_left_out_unasked(name, log_input):
    """A row with a missing bin has no value and no gradient, whatever would come of the others."""
    p, q = np.random.default_rng(3).random((2, 4, 5)) + 0.1
    p[1, 2] = math.nan
    for policy in ("propagate", "raise"):
        with pytest.raises(ValueError, match=r"missing value"):
            call(fastdiv.grad, name, p, q, nan_policy=policy, log_input=log_input)
        with pytest.raises(ValueError, match=r"missing value"):
            fastdiv.grad.js_divergence(np.stack([p, q], axis=1), nan_policy=policy, log_input=log_input)
    value = call(fastdiv, name, p, q, log_input=log_input)
    assert np.isnan(value).tolist() == [False, True, False, False]
