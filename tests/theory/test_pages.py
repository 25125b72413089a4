"""The pages for readers: every number on them is what comes out."""

import inspect
import re
from pathlib import Path
from pkgutil import resolve_name

import pytest
from doctests import examples_run

import fastdiv

DOCS = Path(__file__).parents[2] / "docs"


NEEDS = {
    "tutorial.md": (),
    "choosing.md": (),
    "explanations.md": (),
    "howto.md": (),
    "clusters.md": (),
    "peers.md": (),
    "data.md": ("pandas", "pyarrow"),
    "workflows.md": ("pandas", "pyarrow", "polars", "duckdb", "hist", "sklearn"),
}


@pytest.mark.parametrize("page", NEEDS)
def test_numbers(page):
    for module in ("scipy", *NEEDS[page]):
        pytest.importorskip(module)
    text = (DOCS / page).read_text(encoding="utf-8")
    blocks = re.findall(r"^```pycon\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)
    examples_run("\n".join(blocks), page)


def test_the_first_page():
    (block,) = re.findall(
        r"^```python\n(.*?)^```$", (DOCS / "index.md").read_text(encoding="utf-8"), re.M | re.S
    )
    names = {}
    exec(block, names)
    assert fastdiv.js_distance(names["p"], names["q"], base=2).shape == (10_000,)


def test_calls_of_llms_txt_are_taken():
    """As many arguments by place, and those by name, as the functions have."""
    pytest.importorskip("dask")
    text = (DOCS / "_extra" / "llms.txt").read_text(encoding="utf-8")
    calls = re.findall(r"\b(fastdiv(?:\.\w+)+)\(([^()]*)\)", text)
    assert len(calls) > 15
    for path, arguments in calls:
        if path.startswith("fastdiv.torch"):
            continue  # make test-torch has it
        called = resolve_name(path)
        by_name = dict.fromkeys(re.findall(r"(\w+)=", arguments))
        by_place = [part for part in arguments.split(",") if part.strip() and "=" not in part]
        inspect.signature(called).bind(*by_place, **by_name)


def test_llms_txt_names_what_there_is_and_all_of_it():
    text = (DOCS / "_extra" / "llms.txt").read_text(encoding="utf-8")
    listed = re.findall(r"^   (?:\w+\.)*(\w+)$", (DOCS / "api.rst").read_text(encoding="utf-8"), re.MULTILINE)
    for name in listed:
        assert name.endswith(("Gradient", "Histogram", "Atoms", "Decomposition")) or name in text, name
    for page in [p.stem for p in DOCS.glob("*.md") if p.stem != "index"]:
        assert f"({page}.html)" in text, page
    for name in re.findall(r"\bfastdiv\.(\w+)", text):
        assert name in fastdiv._EXTRAS or hasattr(fastdiv, name), name
    for page in re.findall(r"\((\w+)\.html\)", text):
        assert list(DOCS.glob(f"{page}.*")), page
