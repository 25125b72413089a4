"""A measure is public only with all that belongs to it: twin, oracle, laws, documentation, benchmark."""

import inspect
import re
from pathlib import Path

import numpy as np
import oracle
import oracle_gradients
import pytest
from calls import BASELESS, PAIRED, ROWWISE, SYMMETRIC

import fastdiv
import fastdiv.grad
from fastdiv import _rows, information, matrix, reference

ROOT = Path(__file__).parents[2]
EVENTS = {"surprisal", "binary_entropy"}
MEASURES = sorted(set(information.__all__) - EVENTS)


def test_nothing_is_missing_from_the_lists():
    assert set(information.__all__) <= set(fastdiv.__all__)
    assert set(MEASURES) == set(ROWWISE)
    assert set(PAIRED) == set(_rows.TRAITS)


@pytest.mark.parametrize("name", PAIRED)
def test_row_of_the_list(name):
    """What csrc/rows/list.h says, against the tests' own lists, the signature and the page of measures."""
    traits = _rows.TRAITS[name]
    assert traits["symmetric"] == (name in SYMMETRIC)
    assert ("base" in traits["options"]) == (name not in BASELESS)
    parameters = inspect.signature(getattr(information, name)).parameters
    common = {"p", "q", "axis", "keepdims", "out", *inspect.signature(fastdiv.chi_square).parameters}
    assert set(parameters) - common == set(traits["options"])
    (row,) = [
        line
        for line in (ROOT / "docs" / "measures.md").read_text().splitlines()
        if line.startswith(f"| `{name}`")
    ]
    assert (row.split(" | ")[3] == "yes") == traits["symmetric"]
    assert row.split(" | ")[5].startswith("inf") == (traits["infinite"] or name == "renyi_divergence")


@pytest.mark.parametrize("name", information.__all__)
def test_twin_has_the_same_signature(name):
    def parameters(function):
        return [(p.name, p.kind, p.default) for p in inspect.signature(function).parameters.values()]

    assert parameters(getattr(information, name)) == parameters(getattr(reference, name))


@pytest.mark.parametrize("name", information.__all__)
def test_oracle(name):
    assert name in oracle.ORACLE


@pytest.mark.parametrize("name", information.__all__)
def test_documentation(name):
    text = inspect.getdoc(getattr(information, name))
    for section in ("Parameters", "Returns", "Raises", "References", "Examples"):
        assert f"{section}\n{'-' * len(section)}" in text
    assert ">>> fastdiv." + name in text
    assert "{" not in re.sub(r"\.\. math::.*|\{\"propagate\".*?\}", "", text), (
        "a placeholder was not filled in"
    )


@pytest.mark.parametrize("name", information.__all__)
def test_line_in_the_table_of_measures(name):
    assert f"`{name}`" in (ROOT / "docs" / "measures.md").read_text()


@pytest.mark.parametrize("name", MEASURES)
def test_benchmark(name):
    from fastdiv.bench.contestants import ROWS

    assert len(ROWS[name]) > 1


@pytest.mark.parametrize("name", [m for m in MEASURES if m != "entropy"])
def test_matrices(name):
    """The lists beyond rows: metrics of both libraries, the stub, the page of names."""
    assert name in matrix.METRICS
    assert f"import {name} as {name}" in Path(fastdiv.__file__).with_name("__init__.pyi").read_text()
    assert f"   {name}\n" in (ROOT / "docs" / "api.rst").read_text()
    p, q = np.array([[0.25, 0.75], [0.5, 0.5]])
    options = {"alpha": 2.0} if name == "renyi_divergence" else {}
    got = fastdiv.cdist(p[None], q[None], name, **options)
    assert got == pytest.approx(reference.cdist(p[None], q[None], name, **options), rel=1e-12)


@pytest.mark.parametrize("name", MEASURES)
def test_options_by_the_list(name):
    """What type checkers are told of a measure's options is what the list of measures says."""
    own = {"alpha", "base", "weights"} & set(inspect.signature(getattr(fastdiv, name)).parameters)
    assert own == set(_rows.TRAITS["cross_entropy" if name == "entropy" else name]["options"])


@pytest.mark.parametrize("name", MEASURES)
def test_gradient(name):
    assert name in fastdiv.grad.__all__
    assert name in oracle_gradients.SLOPES
    assert f"   grad.{name}\n" in (ROOT / "docs" / "api.rst").read_text()
    given, own = (inspect.signature(getattr(x, name)).parameters for x in (information, fastdiv.grad))
    assert set(given) - set(own) == {"out"}
    assert set(own) <= set(given)
    assert all(given[x].kind == own[x].kind and given[x].default == own[x].default for x in own)
    text = inspect.getdoc(getattr(fastdiv.grad, name))
    assert "out :" not in text
    assert ">>> fastdiv.grad." + name in text


TRANSPORT = [n for n in fastdiv.grad.transport.__all__ if not inspect.isclass(getattr(fastdiv.grad, n))]


@pytest.mark.parametrize("name", TRANSPORT)
def test_gradient_of_transport(name):
    assert f"   grad.{name}\n" in (ROOT / "docs" / "api.rst").read_text()
    given, own = (inspect.signature(getattr(x, name)).parameters for x in (fastdiv, fastdiv.grad))
    assert list(own) == list(given)
    assert ">>> fastdiv.grad." + name in inspect.getdoc(getattr(fastdiv.grad, name)).replace("g = ", "")


def test_every_differentiable_distance_has_a_gradient():
    distances = {"wasserstein_distance", "wasserstein_hist", "energy_distance", "cramer_distance"}
    assert distances | {"wasserstein_circle", "sliced_wasserstein"} == set(TRANSPORT)
    assert set(TRANSPORT) <= set(fastdiv.grad.__all__)
