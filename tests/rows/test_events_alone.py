"""Single probabilities as Python's floats go a short way, which gives what arrays give."""

import numpy as np
import pytest

import fastdiv


@pytest.mark.parametrize("name", ["surprisal", "binary_entropy"])
@pytest.mark.parametrize("base", [None, 2, 10, 3.5])
def test_one_probability(name, base):
    measure = getattr(fastdiv, name)
    for p in (0.0, 5e-324, 1e-310, 0.1, 0.5, 1 - 2.0**-53, 1.0, np.nextafter(0, 1)):
        one, many = measure(p, base=base), measure(np.array([p]), base=base)
        assert type(one) is np.float64
        assert one.tobytes() == many.tobytes(), p


@pytest.mark.parametrize("name", ["surprisal", "binary_entropy"])
def test_what_is_none(name):
    measure = getattr(fastdiv, name)
    for p in (-0.5, 1.5, float("inf")):
        with pytest.raises(ValueError, match="p"):
            measure(p)
    for base in (1, "2", float("nan")):
        with pytest.raises((ValueError, TypeError), match="base"):
            measure(0.5, base=base)
