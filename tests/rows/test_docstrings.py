"""Docstrings as help() shows them: shared parameters stand where their marker stood, on every Python."""

import importlib
import inspect
import re
import textwrap
from pathlib import Path

import pytest
from calls import ROWWISE

import fastdiv
import fastdiv.gan
from fastdiv import _faces

WRITTEN = """One line.

    Parameters
    ----------
    p : array_like
        Masses.
    {base}
    {options}

    {raises}
    """


@pytest.mark.parametrize("text", [WRITTEN, inspect.cleandoc(WRITTEN)], ids=["3.12", "3.13"])
def test_fragments_take_the_margin_of_their_marker(text):
    lines = inspect.cleandoc(_faces.completed(text)).split("\n")
    entries = [line for line in lines if " : " in line and not line.startswith(" ")]
    options = "p base axis keepdims normalize pseudocount log_input nan_policy out"
    assert [line.split(" : ")[0] for line in entries] == options.split()
    assert "    Base of the logarithm, finite and greater than 1. None: nats." in lines
    assert lines[lines.index("ValueError") + 1].startswith("    A negative")
    assert "TypeError" in lines


@pytest.mark.parametrize("name", ROWWISE)
def test_every_parameter_is_an_entry_of_its_own(name):
    function = getattr(fastdiv, name)
    doc = inspect.cleandoc(function.__doc__)
    part = doc.split("Parameters\n----------\n")[1].split("\nReturns\n")[0]
    heads = [line.split(" : ")[0] for line in part.split("\n") if line and not line.startswith(" ")]
    told = [word for head in heads for word in head.split(", ")]
    assert told == list(inspect.signature(function).parameters)
    assert textwrap.dedent(part) == part
    assert not any(marker in doc for marker in ("{base}", "{options}", "{raises}"))


PAGE = (Path(__file__).parents[2] / "docs" / "api.rst").read_text(encoding="utf-8")
PARTS = re.split(r"^\.\. currentmodule:: fastdiv\.?(.*)$", PAGE, flags=re.MULTILINE)[1:]
LISTED = [
    f"{module}.{name}".strip(".")
    for module, part in zip(PARTS[::2], PARTS[1::2], strict=True)
    for name in re.findall(r"^   (\w[\w.]*)$", part, re.MULTILINE)
]
OF_MANY = ("cdist", "pdist", "knn", "baseline", "compare", "drift.compare_over", "gan.shared_histogram")
ABOUT_THE_MACHINE = ("num_threads", "set_num_threads", "show_config")
FUNCTIONS = [
    x
    for x in LISTED
    if x.rpartition(".")[2].islower()
    and x not in ABOUT_THE_MACHINE
    and not x.startswith("compat.")  # SciPy's docstrings say it
]


@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_reader_is_told_what_goes_in_what_comes_out_and_what_it_takes(name):
    module, _, function = f"fastdiv.{name}".rpartition(".")
    doc = inspect.getdoc(getattr(importlib.import_module(module), function))
    titles = re.findall(r"^(\w+)\n-+$", doc, re.MULTILINE)
    assert set(titles) >= {"Parameters", "Returns", "Raises", "Notes", "Examples"}, titles
    assert len(titles) == len(set(titles)), titles
    notes = doc.split("\nNotes\n-----\n")[1].split("\n\nReferences\n")[0].split("\n\nExamples\n")[0]
    assert re.search(r"\bO\(.+\) time", notes), "its complexity"
    assert ":math:" in doc or ".. math::" in doc or name.removeprefix("dask.") in OF_MANY, "its formula"
    assert not re.search(r"^ *\{[a-z ]+\}$", doc, re.MULTILINE), "a marker"


@pytest.mark.parametrize("name", ["grad", "gan"])
def test_every_function_of_the_theory_is_listed_with_its_unit_and_source(name):
    module = importlib.import_module(f"fastdiv.{name}")
    for function in module.__all__:
        doc = inspect.getdoc(getattr(module, function))
        assert f"{name}.{function}" in LISTED
        if isinstance(getattr(module, function), type) or function == "shared_histogram":
            continue
        of_logarithms = "base" in inspect.signature(getattr(module, function)).parameters
        assert "nats" in doc or not of_logarithms, f"{name}.{function}: its unit"
        assert "TypeError" in doc, f"{name}.{function}: its errors"
        values = getattr(fastdiv, function, None) or getattr(fastdiv.gan, function, None)
        sources = doc if values is None else doc + inspect.getdoc(values)
        assert "\nReferences\n" in sources, f"{name}.{function}: its source"
