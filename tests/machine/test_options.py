"""One door, one voice: whatever the function, an option that is wrong is refused in the same words."""

import inspect

import numpy as np
import pytest

import fastdiv
import fastdiv.grad
from fastdiv import reference

ROWS = [[1.0, 2.0, 3.0], [2.0, 3.0, 1.0]]
X = [1.0, 2.0, 4.0]
SIGNATURES = {
    "axis": ("an integer", [None, True, 0.0, "0", [0]]),
    "keepdims": ("True or False", ["no", 1, None]),
    "normalize": ("True or False", ["no", 0, None]),
    "log_input": ("True or False", ["no", 1]),
    "assume_sorted": ("True or False", ["no", 1]),
    "density": ("True or False", ["no", 1]),
    "samples": ("True or False", ["no", 1]),
    "p": ("a real number", ["2", True, None, 1j, [1.0]]),
    "period": ("a real number", ["2", True, None]),
    "alpha": ("a real number", ["2", True, None]),
    "pseudocount": ("a real number", ["2", True, None]),
    "base": ("a real number", ["2", True]),
    "n_projections": ("an integer", ["2", True, 2.0, None]),
}
VALUES = {
    "p": ("p must be from 1 to infinity, not ", [0.5, -1, np.nan, -np.inf]),
    "nan_policy": (
        "nan_policy must be one of 'propagate', 'omit', 'raise', not ",
        ["drop", None, 1, "RAISE"],
    ),
    "alpha": ("alpha must be from 0 to infinity, not ", [-1, np.nan]),
    "period": ("period must be positive and finite, not ", [0, -1.0, np.inf, np.nan]),
    "n_projections": ("n_projections must be at least 1, not ", [0, -3]),
}
ARGUMENTS = {
    "sliced_wasserstein": (ROWS, ROWS),
    "entropy": (X,),
    "renyi_divergence": (X, X, 2.0),
}
ROWWISE = (
    "entropy cross_entropy kl_divergence jeffreys_divergence js_divergence js_distance total_variation "
    "hellinger_distance chi_square triangular_discrimination "
    "bhattacharyya_distance renyi_divergence"
)
TRANSPORT = (
    "wasserstein_distance energy_distance cramer_distance ks_distance wasserstein_hist wasserstein_circle "
    "transport_plan sliced_wasserstein"
)
ROWWISE, TRANSPORT = ROWWISE.split(), TRANSPORT.split()
FUNCTIONS = {name: (getattr(fastdiv, name), ARGUMENTS.get(name, (X, X))) for name in ROWWISE + TRANSPORT}
FUNCTIONS |= {
    f"reference.{name}": (getattr(reference, name), ARGUMENTS.get(name, (X, X)))
    for name in ROWWISE + TRANSPORT
}
FUNCTIONS |= {
    f"grad.{name}": (getattr(fastdiv.grad, name), ARGUMENTS.get(name, (X, X)))
    for name in TRANSPORT
    if name in fastdiv.grad.__all__
}
OPTIONS_OF = {
    "cdist": {"normalize", "log_input", "pseudocount", "base", "nan_policy"},
    "wasserstein": {"pseudocount", "nan_policy", "samples", "p"},
}


def parameters(name):
    named = inspect.signature(FUNCTIONS[name][0]).parameters
    return set(named) - ({"p"} if name.split(".")[-1] in ROWWISE else set())  # there p holds masses


def said(kind, function, arguments, option, value):
    if option == "alpha" and len(arguments) == 3:
        arguments = arguments[:2]
    with pytest.raises(kind) as caught:
        function(*arguments, **{option: value})
    assert caught.type is kind, (option, value)
    return str(caught.value)


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("arrays", ["lists", "vectors"])
def test_wrong_options(name, arrays):
    function, arguments = FUNCTIONS[name]
    if arrays == "vectors":  # the short ways in
        arguments = tuple(np.asarray(a) if isinstance(a, list) else a for a in arguments)
    checked = 0
    for option, (kind, values) in SIGNATURES.items():
        for value in values if option in parameters(name) else ():
            expected = f"{option} must be {kind}, not {value!r}"
            assert said(TypeError, function, arguments, option, value) == expected
            checked += 1
    for option, (words, values) in VALUES.items():
        for value in values if option in parameters(name) else ():
            assert said(ValueError, function, arguments, option, value) == f"{words}{value!r}"
            checked += 1
    assert checked >= 5


@pytest.mark.parametrize("matrix", [fastdiv.cdist, fastdiv.knn], ids=["cdist", "knn"])
def test_matrices(matrix):
    more = (1,) if matrix is fastdiv.knn else ()
    for metric, names in (("js_distance", OPTIONS_OF["cdist"]), ("wasserstein", OPTIONS_OF["wasserstein"])):
        for option in sorted(names - {"nan_policy"}):
            kind, values = SIGNATURES[option]
            for value in values:
                with pytest.raises(TypeError) as caught:
                    matrix(ROWS, ROWS, *more, metric=metric, **{option: value})
                assert str(caught.value) == f"{option} must be {kind}, not {value!r}"
    for value in VALUES["p"][1]:
        with pytest.raises(ValueError, match="p must be from 1 to infinity, not"):
            matrix(ROWS, ROWS, *more, metric="wasserstein", samples=True, p=value)
    for value in VALUES["nan_policy"][1]:
        with pytest.raises(ValueError, match="nan_policy must be one of 'propagate', 'omit', 'raise', not"):
            matrix(ROWS, ROWS, *more, nan_policy=value)


@pytest.mark.parametrize("name", ["wasserstein_circle", "transport_plan"])
def test_infinite_order_where_costs_add_up(name):
    for library in (fastdiv, reference):
        with pytest.raises(ValueError, match="p must be finite here, not inf"):
            getattr(library, name)(X, X, p=np.inf)


@pytest.mark.parametrize(
    "name", ["wasserstein_distance", "energy_distance", "cramer_distance", "ks_distance", "wasserstein_hist"]
)
def test_axes_out_of_bounds(name):
    function = getattr(fastdiv, name)
    first = "u" if name == "wasserstein_hist" else "u_values"
    with pytest.raises(np.exceptions.AxisError, match=f"{first}: axis 1 is out of bounds"):
        function(X, X, axis=1)


@pytest.mark.parametrize("name", ["wasserstein_circle", "transport_plan"])
def test_missing_values_where_there_is_no_policy(name):
    """No word of an option that the function does not have."""
    functions = [FUNCTIONS[n][0] for n in (name, f"reference.{name}") if n in FUNCTIONS]
    for function in functions:
        with pytest.raises(ValueError, match=r"v_values must be finite, not nan: v_values\[1\]") as caught:
            function(X, [1.0, np.nan])
        assert "nan_policy" not in str(caught.value)
