"""Each script of the gallery runs: what it states is asserted there. Pictures are drawn by `make docs`."""

import re
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
SCRIPTS = sorted(EXAMPLES.glob("*.py"))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.stem)
def test_script(script, capsys):
    pytest.importorskip("scipy")
    text = script.read_text(encoding="utf-8")
    if "from sklearn" in text:
        pytest.importorskip("sklearn")
    assert re.fullmatch(r"\d\d_\w+", script.stem), "the number is its place in the gallery"
    assert text.count("\n") < 60
    reasoning, picture = text.split("import matplotlib.pyplot as plt\n")
    assert "assert " in reasoning
    assert "plt.show()" in picture
    exec(compile(reasoning, str(script), "exec"), {"__name__": "__main__"})
    assert capsys.readouterr().out


def test_the_numbers_are_all_different():
    numbers = [s.stem[:2] for s in SCRIPTS]
    assert len(numbers) == len(set(numbers))


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda s: s.stem)
def test_formulas_are_escaped_where_strings_are_only(script):
    text = script.read_text(encoding="utf-8")
    words, code = text[3:].split('"""\n', 1)
    assert not re.search(r"(?<!\\)\\(?!\\)", words), "in the docstring, which is a string"
    comments = "".join(line for line in code.splitlines(True) if line.startswith("# "))
    assert "\\\\" not in comments, "in comments, which are taken as they stand"
