"""Sphinx: `make docs` builds the pages into docs/_build/html, warnings being errors."""

import inspect
import os
import subprocess
import sys
from pathlib import Path

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

from fastdiv import __version__
from fastdiv.grad import Gradient

project = "fastdiv"
author = "The fastdiv developers"
project_copyright = "2026, the fastdiv developers"
version = release = __version__

sys.path.insert(0, str(Path(__file__).parent))  # for _gallery, _mathml

extensions = [
    "myst_parser",
    "numpydoc",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.intersphinx",
    "_mathml",
    "sphinx_gallery.gen_gallery",
]
templates_path = ["_templates"]
exclude_patterns = ["_build", "_templates", "sg_execution_times.rst"]
suppress_warnings = ["myst.header"]

autosummary_generate = True
autodoc_member_order = "bysource"
autodoc_typehints = "none"  # numpydoc's Parameters say it
numpydoc_show_class_members = False
numpydoc_class_members_toctree = False
intersphinx_mapping = {}

sphinx_gallery_conf = {
    "examples_dirs": "../examples",
    "gallery_dirs": "gallery",
    "filename_pattern": r"/\d\d_\w+\.py$",
    "within_subsection_order": "FileNameSortKey",
    "reset_modules": ("matplotlib", "_gallery.reset"),
    "image_srcset": ["2x"],
    "abort_on_example_error": True,
    "download_all_examples": False,
    "write_computation_times": False,
    "show_signature": False,
    "min_reported_time": 60,
    "remove_config_comments": True,
}

myst_enable_extensions = ["dollarmath"]
myst_heading_anchors = 3

html_math_renderer = "mathml"
html_theme = "pydata_sphinx_theme"
html_title = f"fastdiv {version}"
html_theme_options = {
    "show_prev_next": False,
    "navbar_align": "left",
    "secondary_sidebar_items": {"*": ["page-toc"], "generated/**": ["page-toc"], "gallery/**": []},
}
html_context = {"default_mode": "auto"}  # light or dark, as the reader's system is
html_favicon = "_static/icon.svg"
html_sidebars = {"*": []}  # nothing below the pages of the first level but the gallery and the API
html_show_sourcelink = False
html_extra_path = ["_extra"]  # llms.txt
html_static_path = ["_static"]
html_css_files = ["gallery.css"]


# The command's page shows what it prints today: `.. program-output:: ARGUMENTS` runs fastdiv with them.


def setup(app: Sphinx) -> None:
    app.add_directive("program-output", ProgramOutput)
    app.connect("autodoc-skip-member", attribute)


def attribute(app: Sphinx, what: str, name: str, member: object, skip: bool, options: object) -> bool | None:
    """Leave out attributes, which stand in the docstring of their class, but for what has one of its own."""
    if type(member) is type(Gradient.value):
        member.__doc__ = ""  # Python's own is the field's number; what the source says of it is shown
        return None
    told = inspect.isroutine(member) or (isinstance(member, property) and member.__doc__)
    return None if told else True


class ProgramOutput(Directive):
    required_arguments = 1
    final_argument_whitespace = True

    def run(self) -> list[nodes.Node]:
        text = subprocess.run(
            [sys.executable, "-m", "fastdiv", *self.arguments[0].split()],
            cwd=Path(__file__).parent.parent,
            env={**os.environ, "COLUMNS": "100"},
            capture_output=True,
            encoding="utf-8",
            check=True,
        ).stdout
        return [nodes.literal_block(text, text, language="text")]
