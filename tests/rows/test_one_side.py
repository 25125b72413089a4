"""Derivatives by one of two arrays alone, as fastdiv.torch asks for them: the bits of both."""

import numpy as np
import pytest
from calls import PAIRED, call

import fastdiv.grad
from fastdiv.grad._score import ONLY


@pytest.mark.parametrize("dtype", ["f8", "f4", "i4"])
@pytest.mark.parametrize("name", PAIRED)
def test_bits_of_both(name, dtype):
    rng = np.random.default_rng(2)
    for shape in ((40, 7), (3, 300), (5,)):
        p, q = rng.integers(1, 1000, (2, *shape)).astype(dtype)
        ways = [{}, {"log_input": "q"}] if name == "cross_entropy" else [{}]
        for options in ways:
            z = q if not options else q / 100
            want = call(fastdiv.grad, name, p, z, **options)
            for side, other in (("p", "q"), ("q", "p")):
                before = ONLY.set(side)
                try:
                    got = call(fastdiv.grad, name, p, z, **options)
                finally:
                    ONLY.reset(before)
                assert getattr(got, other) is None
                np.testing.assert_array_equal(got.value, want.value)
                np.testing.assert_array_equal(getattr(got, side), getattr(want, side))
