"""One pair of plain vectors goes the short way, whatever options say what they say by default or a number."""

import inspect
import math

import numpy as np
import pytest
from calls import PAIRED, ROWWISE

import fastdiv
from fastdiv import _rowwise

RNG = np.random.default_rng(8)
P, Q = RNG.dirichlet(np.ones(37), size=2)
OPTIONS = [
    {},
    {"axis": -1},
    {"axis": 0, "keepdims": False, "normalize": True, "pseudocount": 0, "log_input": False, "out": None},
    {"nan_policy": "propagate"},
    {"nan_policy": "omit"},
    {"nan_policy": "raise"},
    {"base": None},
    {"base": 2.0},
    {"base": 10},
    {"base": np.float64(3.5)},
    {"weights": None},
    {"pseudocount": 0.25},
    {"normalize": False},
    {"log_input": True},
    {"log_input": True, "normalize": False},
]


def taken(name):
    return set(inspect.signature(getattr(fastdiv, name)).parameters)


def arrays(name):
    return (P,) if name == "entropy" else (P, Q, 2.5) if name == "renyi_divergence" else (P, Q)


@pytest.mark.parametrize("name", ROWWISE)
def test_short_way(name, monkeypatch):
    measure, given = getattr(fastdiv, name), arrays(name)
    cases = [options for options in OPTIONS if set(options) <= taken(name)]
    matrices = tuple(a[np.newaxis] if isinstance(a, np.ndarray) else a for a in given)
    expected = [
        measure(*matrices, **(options | ({"axis": -1} if "axis" in options else {}))) for options in cases
    ]
    assert len(cases) >= 10

    def long_way(*args, **options):
        raise AssertionError("the long way")

    monkeypatch.setattr(_rowwise, "score", long_way)
    for options, value in zip(cases, expected, strict=True):
        got = measure(*given, **options)
        assert type(got) is np.float64
        assert got == value[0]
    names = ("p", "q", "alpha")[: len(given)]
    assert measure(**dict(zip(names, given, strict=True))) == expected[0][0]
    if len(given) > 1:
        assert measure(P, q=Q, **({"alpha": 2.5} if len(given) > 2 else {})) == expected[0][0]


@pytest.mark.parametrize("alpha", [0, 1, 0.5, 7, math.inf, np.float64(0.3)])
def test_orders(alpha):
    assert fastdiv.renyi_divergence(P, Q, alpha) == fastdiv.renyi_divergence([P], [Q], alpha)[0]


@pytest.mark.parametrize("name", PAIRED)
def test_what_only_the_long_way_refuses(name):
    measure, given = getattr(fastdiv, name), arrays(name)
    for options, kind, words in (
        ({"normalise": True}, TypeError, "unexpected keyword"),
        ({"p": P}, TypeError, "multiple values"),
        ({"pseudocount": 1.0, "log_input": True}, ValueError, "pseudocount has no meaning"),
        ({"pseudocount": math.inf}, ValueError, "pseudocount must be finite"),
        ({"pseudocount": -1.0}, ValueError, "pseudocount must be finite"),
        ({"axis": 1}, np.exceptions.AxisError, "axis 1"),
    ):
        with pytest.raises(kind, match=words):
            measure(*given, **options)
    if "base" not in taken(name):
        with pytest.raises(TypeError, match="unexpected keyword"):
            measure(*given, base=2)
    if "weights" not in taken(name):
        with pytest.raises(TypeError, match="unexpected keyword"):
            measure(*given, weights=None)
    if "alpha" not in taken(name):
        with pytest.raises(TypeError, match=rf"^{name}\(\) got an unexpected keyword argument 'alpha'"):
            measure(*given, alpha=2.0)
    with pytest.raises(TypeError, match="positional argument"):
        measure(*given, -1)
    if len(given) == 3:
        with pytest.raises(TypeError, match="alpha"):
            measure(P, Q)
    spoiled = P.copy()
    spoiled[4] = np.nan
    assert np.isnan(measure(spoiled, *given[1:]))
    assert not np.isnan(measure(spoiled, *given[1:], nan_policy="omit"))
    with pytest.raises(ValueError, match="a missing value"):
        measure(spoiled, *given[1:], nan_policy="raise")
