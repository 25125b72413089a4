"""A floor includes itself and those below it, files one another in no circle; none is over 450 lines."""

import ast
import re
from pathlib import Path

import pytest

CSRC = Path(__file__).parents[2] / "csrc"
BELOW = {
    "core": set(),
    "math": set(),
    "rows": {"core", "math"},
    "transport": {"core", "math"},
    "matrix": {"core", "math", "rows", "transport"},
    "levels": {"core", "math", "rows", "transport", "matrix"},
}
FILES = sorted(p for p in CSRC.glob("*/*") if p.suffix in {".c", ".h", ".pyx", ".pxd"})
INCLUDES = {
    p.relative_to(CSRC).as_posix(): re.findall(
        r'^# *include "(.+?)"|^cdef extern from "(\w+/.+?)"', p.read_text(), re.M
    )
    for p in FILES
}
INCLUDES = {name: [c or cython for c, cython in found] for name, found in INCLUDES.items()}


@pytest.mark.parametrize("name", INCLUDES)
def test_no_arrow_upwards(name):
    floor = name.split("/")[0]
    for included in INCLUDES[name]:
        if included in INCLUDES:
            assert included.split("/")[0] in {floor, *BELOW[floor]}, included


def test_no_circle():
    done = set()

    def visit(name, way):
        assert name not in way, [*way, name]
        if name not in done:
            for included in INCLUDES.get(name, ()):
                visit(included, [*way, name])
            done.add(name)

    for name in INCLUDES:
        visit(name, [])


# ---- files, and Python ----------------------------------------------------------------------------------
ROOT = CSRC.parent
CODE = sorted(
    p
    for folder in ("csrc", "fastdiv", "tests", "docs", "examples")
    for p in (ROOT / folder).rglob("*")
    if p.suffix in {".py", ".pyi", ".c", ".h", ".pyx", ".pxd", ".pxi"} and "_build" not in p.parts
)
PACKAGE = {
    ".".join(p.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"): p
    for p in CODE
    if p.suffix == ".py" and (ROOT / "fastdiv") in p.parents
}
# What a part must not know, be it imported with the module or within a function.
ABOVE = {
    "fastdiv._checks": ("fastdiv",),  # the door stands alone
    "fastdiv.reference": ("fastdiv.matrix", "fastdiv.dask", "fastdiv.drift", "fastdiv.cli", "fastdiv.bench"),
    "fastdiv.matrix": (
        "fastdiv.dask",
        "fastdiv.drift",
        "fastdiv.cli",
        "fastdiv.bench",
        "fastdiv.reference",
        "fastdiv.grad",
    ),
    "fastdiv.grad": ("fastdiv.dask", "fastdiv.drift", "fastdiv.cli", "fastdiv.bench", "fastdiv.reference"),
    "fastdiv.dask": ("fastdiv.cli", "fastdiv.bench", "fastdiv.reference", "fastdiv.grad"),
    "fastdiv.drift": ("fastdiv.dask", "fastdiv.cli", "fastdiv.bench", "fastdiv.reference", "fastdiv.grad"),
    "fastdiv": (
        "fastdiv.drift",
        "fastdiv.dask",
        "fastdiv.cli",
        "fastdiv.bench",
    ),  # its modules, that is the measures
}


def imported(path):
    """The package's modules that a file imports anywhere but for type checkers."""

    def walk(nodes):
        for node in nodes:
            if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
                yield from walk(node.orelse)
            elif isinstance(node, ast.ImportFrom) and node.module:
                for alias in node.names:
                    whole = f"{node.module}.{alias.name}"
                    yield whole if whole in PACKAGE else node.module
            elif isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            else:
                yield from walk(ast.iter_child_nodes(node))

    return {name for name in walk(ast.parse(path.read_text()).body) if name in PACKAGE}


IMPORTS = {name: imported(path) - {name} for name, path in PACKAGE.items()}


def within(name, parts):
    return any(name == part or name.startswith(f"{part}.") for part in parts)


@pytest.mark.parametrize("name", IMPORTS)
def test_no_import_upwards(name):
    part = ".".join(name.split(".")[:2])
    above = ABOVE.get(part, () if PACKAGE[name].name == "__init__.py" else ABOVE["fastdiv"])
    if (PACKAGE[name].parent != ROOT / "fastdiv" and part not in ABOVE) or part == "fastdiv.__main__":
        above = ()  # the command and the benchmark may know all
    wrong = {x for x in IMPORTS[name] if within(x, above) and not within(x, (part,))}
    assert wrong <= ({"fastdiv"} if part == "fastdiv._checks" else set()), wrong


def test_no_circle_of_modules():
    done = set()

    def visit(name, way):
        assert name not in way, [*way, name]
        if name not in done:
            for other in sorted(IMPORTS[name]):
                visit(other, [*way, name])
            done.add(name)

    for name in IMPORTS:
        visit(name, [])


@pytest.mark.parametrize("path", CODE, ids=lambda p: p.relative_to(ROOT).as_posix())
def test_no_file_is_too_long(path):
    assert len(path.read_text().splitlines()) <= 450
