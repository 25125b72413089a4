"""The door: twins come in without compiled code, and faults are told where they stand in what was given."""

import inspect
import pickle
import subprocess
import sys

import numpy as np
import pytest

import fastdiv
from fastdiv import _typing, reference
from fastdiv._checks import options as opt

PLAIN = """
import sys
import numpy as np
from fastdiv import _typing, reference
from fastdiv._checks import options as opt
x = np.array([0.5, 2.0, 1.0])
reference.js_distance(x, x[::-1]); reference.renyi_divergence(x, x, 2.0, base=2); reference.entropy(x)
reference.wasserstein_distance(x, x[:2], [1, 2, 3], [1, 1]); reference.energy_distance(x, x, axis=0)
reference.wasserstein_hist(x, x, bin_edges=[0, 1, 2, 3]); reference.transport_plan(x, x)
reference.wasserstein_circle(x, x, period=3); reference.sliced_wasserstein(x[:, None], x[:, None])
reference.cdist([x], [x]); reference.gan.minimax_value(x, x)
print(*(m for m in sys.modules.values() if (getattr(m, "__file__", None) or "").endswith(".so")), sep="\\n")
"""


def test_twins_need_no_compiled_code():
    done = subprocess.run([sys.executable, "-c", PLAIN], capture_output=True, text=True, check=True)
    assert "numpy" in done.stdout
    assert not [line for line in done.stdout.splitlines() if "fastdiv" in line]


X = np.array([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])  # two bins, three rows, along axis 0


def spoiled(value):
    x = X.copy()
    x[1, 2] = value
    return x


def samples(*, weights=None, values=X, **options):
    return (values, X, weights), {"axis": 0, **options}


CASES = {
    "mass": (
        "wasserstein_hist",
        ((spoiled(-1.0), X), {}),
        "u has a negative mass: u[1, 2] = -1.0 (row 2, bin 1)",
    ),
    "infinite": (
        "wasserstein_hist",
        ((X, spoiled(np.inf)), {}),
        "v has an infinite mass: v[1, 2] = inf (row 2, bin 1)",
    ),
    "weight": (
        "wasserstein_distance",
        samples(weights=spoiled(-1.0)),
        "u_weights must be finite and not negative, not -1.0: u_weights[1, 2]",
    ),
    "weights": (
        "ks_distance",
        samples(weights=X * [1, 1, 0]),
        "u_weights[:, 2] are all zero; a sample needs some mass",
    ),
    "nan": (
        "energy_distance",
        samples(values=spoiled(np.nan), nan_policy="raise"),
        "u_values has a missing value: u_values[1, 2] = nan",
    ),
    "row": (
        "kl_divergence",
        ((X, spoiled(-1.0)), {}),
        "q has a negative mass: q[1, 2] = -1.0 (row 2, bin 1)",
    ),
}


@pytest.mark.parametrize("case", CASES)
@pytest.mark.parametrize("library", [fastdiv, reference], ids=["compiled", "twin"])
def test_places_are_those_of_what_was_given(library, case):
    """Whatever axis holds the bins, an entry is named by its own indices."""
    name, (arguments, options), words = CASES[case]
    with pytest.raises(ValueError) as caught:
        getattr(library, name)(*arguments, **{"axis": 0, **options})
    assert str(caught.value) == words


@pytest.mark.parametrize("order", ["<f4", ">f4"])
def test_single_precision_in_either_byte_order(order):
    """One rule for the dtype of results: samples and histograms took the other order for double."""
    x = X.astype(order)
    for value in (
        fastdiv.wasserstein_distance(x, x),
        fastdiv.wasserstein_hist(x, x),
        reference.wasserstein_distance(x, x),
        fastdiv.kl_divergence(x, x),
    ):
        assert value.dtype == np.float32


KINDS = [
    "Options",
    "LogOptions",
    "CrossOptions",
    "GradientOptions",
    "LogGradientOptions",
    "CrossGradientOptions",
    "SampleOptions",
]


@pytest.mark.parametrize("kind", KINDS)
def test_options_that_checkers_know_are_those_that_calls_take(kind):
    def face(**options):
        pass

    face.__annotations__["options"] = f"Unpack[{kind}]"
    assert set(opt.defaults(face)) == set(getattr(_typing, kind).__annotations__)


@pytest.mark.parametrize("name", ["entropy", "total_variation", "js_distance", "energy_distance"])
@pytest.mark.parametrize("library", [fastdiv, reference], ids=["compiled", "twin"])
def test_signatures_spell_options_out(library, name):
    function = getattr(library, name)
    parameters = inspect.signature(function).parameters
    assert inspect.signature(function) == inspect.signature(getattr(fastdiv, name))
    assert parameters["axis"].default == -1
    assert parameters["nan_policy"].default == "propagate"
    assert not [p for p in parameters.values() if p.kind is p.VAR_KEYWORD]
    with pytest.raises(TypeError, match=rf"^{name}\(\) got an unexpected keyword argument 'axes'$"):
        function(*[X] * (1 if name == "entropy" else 2), axes=0)
    assert pickle.loads(pickle.dumps(function)) is function
