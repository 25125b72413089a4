"""csrc/: a floor includes itself and those below it, and files include one another in no circle."""

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
