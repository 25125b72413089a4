"""Examples in docstrings and pages, which must print what they say."""

from __future__ import annotations

import doctest
import inspect
import re
from typing import Any

import numpy as np


def examples_run(text: str, name: str) -> None:
    """The examples of a text, of which there must be some."""
    test = doctest.DocTestParser().get_doctest(text, {}, name, None, 0)
    assert test.examples, f"{name} has no example"
    if np.lib.NumpyVersion(np.__version__) < "2.0.0":  # it prints scalars bare
        for example in test.examples:
            example.want = re.sub(r"np\.\w+\((.*?)\)", r"\1", example.want)
    output: list[str] = []
    failed, _ = doctest.DocTestRunner(optionflags=doctest.NORMALIZE_WHITESPACE).run(test, out=output.append)
    assert not failed, "".join(output)


def docstring_runs(thing: Any) -> None:
    examples_run(inspect.getdoc(thing) or "", thing.__name__)
