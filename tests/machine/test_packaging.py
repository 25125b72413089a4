"""What comes with the package: a light import, types, documentation that runs, one version everywhere."""

import ast
import inspect
import re
import subprocess
import sys
import tomllib
from importlib import metadata
from pathlib import Path

import pytest
from doctests import docstring_runs

import fastdiv
from fastdiv import information

ROOT = Path(__file__).parents[2]
PUBLIC = sorted(set(fastdiv.__all__) - {"__version__"})
FUNCTIONS = sorted(set(fastdiv._HOME) - {"__version__"})


def python(*arguments: str, cwd: Path | None = None) -> str:
    """What a fresh interpreter prints."""
    done = subprocess.run(
        [sys.executable, *arguments], cwd=cwd, capture_output=True, encoding="utf-8", timeout=120, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def text_of(name: str) -> str:
    path = ROOT / name
    if not path.exists():
        pytest.skip(f"there is no {name} here")
    return path.read_text(encoding="utf-8")


# --- version -----------------------------------------------------------------------------------------------


def test_the_version_is_the_same_everywhere():
    assert metadata.version("fastdiv") == fastdiv.__version__
    assert python("-m", "fastdiv", "--version").split()[-1] == fastdiv.__version__


def test_the_oldest_numpy_is_tested():
    text = text_of("pyproject.toml")
    (oldest,) = re.findall(r'^dependencies = \["numpy>=([\d.]+)"\]$', text, re.MULTILINE)
    (tested,) = re.findall(r'^oldest = .*"numpy==([\d.]+)"', text, re.MULTILINE)
    assert f"{oldest}.0" == tested


def test_the_changelog_knows_the_version():
    assert re.search(rf"^## .*\b{re.escape(fastdiv.__version__)}\b", text_of("CHANGELOG.md"), re.MULTILINE)


# --- import ------------------------------------------------------------------------------------------------


def test_import_loads_nothing():
    heavy = ["numpy", "scipy", "torch", "pandas", "pyarrow", "polars", "argparse", "importlib.metadata"]
    loaded = python("-c", f"import sys, fastdiv; print(*[m for m in {heavy} if m in sys.modules])")
    assert not loaded.strip()


def test_import_takes_no_time():
    def microseconds() -> int:
        line = python("-X", "importtime", "-c", "import fastdiv").strip().splitlines()[-1]
        assert line.split("|")[-1].strip() == "fastdiv"
        return int(line.split("|")[1])

    assert min(microseconds() for _ in range(10)) < 5000  # coarse: the machine may be busy


def test_what_an_extra_needs_is_said():
    """PyTorch is asked for by nothing but fastdiv.torch, which says how to get it."""
    code = """
import sys
sys.modules["torch"] = None  # as good as not installed
from fastdiv import *
for statement in ("import fastdiv.torch", "fastdiv.torch", "from fastdiv.torch import kl_divergence"):
    try:
        exec(statement)
    except ImportError as error:
        print(error)
"""
    words = "fastdiv.torch needs PyTorch: pip install 'fastdiv[torch]'"
    assert python("-c", "import fastdiv\n" + code).splitlines() == [words] * 3


def test_dir_and_unknown_names():
    assert set(fastdiv.__all__) <= set(dir(fastdiv))
    with pytest.raises(AttributeError, match="no attribute 'entropie'"):
        _ = fastdiv.entropie


# --- types -------------------------------------------------------------------------------------------------


def test_the_stub_agrees():
    stub = {}
    for node in ast.parse(Path(fastdiv.__file__).with_name("__init__.pyi").read_text()).body:
        assert isinstance(node, ast.ImportFrom), "the stub only re-exports"
        for alias in node.names:
            assert alias.asname == alias.name, "a plain import in a stub is private"
            stub[alias.name] = node.module
    assert stub == {
        **fastdiv._HOME,
        **dict.fromkeys((*fastdiv._MODULES, *fastdiv._EXTRAS), "fastdiv"),
    }


# --- documentation -----------------------------------------------------------------------------------------


def sections(doc: str) -> dict[str, str]:
    """The numpydoc sections of a docstring."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}$", inspect.cleandoc(doc), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def documented_names(section: str) -> set[str]:
    heads = [line.split(" :")[0] for line in section.splitlines() if line and not line.startswith(" ")]
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_every_name_is_documented(name):
    thing = getattr(fastdiv, name)
    assert thing.__doc__
    if inspect.isclass(thing):  # results and warnings; what returns them has the example
        return
    found = sections(thing.__doc__)
    assert "Examples" in found
    if "Arguments as in" not in thing.__doc__:
        assert set(inspect.signature(thing).parameters) <= documented_names(found.get("Parameters", ""))


@pytest.mark.parametrize("name", sorted(set(FUNCTIONS) - {"CountsAsSamplesWarning"}))
def test_the_examples_run(name):
    docstring_runs(getattr(fastdiv, name))


@pytest.mark.parametrize("name", PUBLIC)
def test_every_name_is_on_the_api_page(name):
    assert name in re.findall(r"(?:^   |``fastdiv\.)(\w+)(?:``|$)", text_of("docs/api.rst"), re.MULTILINE)


@pytest.mark.parametrize("name", information.__all__)
def test_every_measure_is_in_the_table(name):
    assert f"| `{name}`" in text_of("docs/measures.md")


@pytest.mark.parametrize("page", ["README.md", "docs/index.md"])
def test_the_python_on_the_page_runs(page):
    blocks = re.findall(r"^```python\n(.*?)^```$", text_of(page), re.MULTILINE | re.DOTALL)
    assert blocks
    python("-W", "error", "-c", "\n".join(blocks), cwd=ROOT)


def test_links_of_the_readme_hold_on_a_package_index():
    text = text_of("README.md")
    links = re.findall(r"\]\(([^)\s]+)", text) + re.findall(r"^\[[^]]+\]:\s*(\S+)", text, re.MULTILINE)
    assert links
    assert [link for link in links if not link.startswith(("https://", "#"))] == []
    for kind, path in re.findall(r"https://github\.com/fastdiv/fastdiv/(blob|tree)/main/([^)#\s]+)", text):
        if (ROOT / ".git").exists():  # a wheel or an sdist has only some of it beside it
            assert (ROOT / path).is_dir() if kind == "tree" else (ROOT / path).is_file(), path


# --- what is shipped ---------------------------------------------------------------------------------------


def test_tests_of_wheels_have_what_they_read():
    settings = tomllib.loads(text_of("pyproject.toml"))["tool"]["cibuildwheel"]
    texts = [path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("*.py")]
    read = {name for text in texts for name in re.findall(r'(?:ROOT|parents\[2\]\)?) / "([\w.]+)"', text)}
    read |= {name.split("/")[0] for text in texts for name in re.findall(r'text_of\("([^"]+)"\)', text)}
    read |= {name for text in texts for name in re.findall(r'import_module\(f?"(\w+)\.', text)}
    assert {"bench", "docs", "examples", "README.md"} <= read
    skipped = {".git", ".github", "csrc"}  # what is not in a wheel has no tests there
    assert read - skipped - {"fastdiv"} <= set(settings["test-sources"])


def test_the_sdist_has_what_lint_reads():
    assert "include .clang-format " in text_of("MANIFEST.in")


def test_one_list_of_pythons():
    """What the classifiers say is what the tests run on and what wheels are built for."""
    settings = tomllib.loads(text_of("pyproject.toml"))
    project = settings["project"]
    said = [line.split(" :: ")[-1] for line in project["classifiers"] if "Python :: 3." in line]
    assert project["requires-python"] == f">={said[0]}"
    *built, without_gil = settings["tool"]["cibuildwheel"]["build"]
    assert [f"cp{version.replace('.', '')}-*" for version in said] == built
    assert without_gil == built[-1].replace("-*", "t-*")
    if (ROOT / ".git").exists():
        workflow = text_of(".github/workflows/ci.yml")
        assert re.findall(r'"([\d.]+)"', re.search(r"python: \[(.*, .*)\]", workflow)[1]) == said


def imports_of(path: Path) -> set[str]:
    """The modules that a file needs to be collected: what its top level imports."""
    found = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").split(".")[0])
    return found


def test_tests_of_musl_wheels_need_what_has_wheels_there():
    settings = tomllib.loads(text_of("pyproject.toml"))
    (musl,) = settings["tool"]["cibuildwheel"]["overrides"]
    (group,) = musl["test-groups"]
    installed = {
        re.match(r"[\w-]+", line)[0].replace("-", "_") for line in settings["dependency-groups"][group]
    }
    own = {path.stem: path for path in (ROOT / "tests").rglob("*.py")}
    todo = {ROOT / "tests/conftest.py"}
    for word in musl["test-command"].split():
        if word.startswith("tests/"):
            path = ROOT / word
            assert path.exists(), word
            todo |= set(path.rglob("*.py")) if path.is_dir() else {path}
    needed, done = set(), set()
    while todo:
        done.add(path := todo.pop())
        names = imports_of(path)
        todo |= {own[name] for name in names if name in own} - done
        needed |= {name for name in names if name not in own}
    assert needed - sys.stdlib_module_names <= installed | {"numpy", "fastdiv"}


# --- what the pages promise --------------------------------------------------------------------------------


def test_one_bound():
    """The README promises no more than the design page, whose bound the tests hold."""
    bound = "relative error at most 1e-12 wherever the value is at least 1e-30"
    for name in ("README.md", "docs/design.md"):
        text = " ".join(text_of(name).lower().split())
        assert bound in text, name
        assert "on every input" not in text, name


def test_every_command_stands_on_a_page():
    page = text_of("docs/cli.md")
    said = python("-m", "fastdiv", "--help")
    commands = re.findall(r"^ {4}(\w+) ", said, re.MULTILINE)
    assert {"compare", "nearest", "pairwise"} <= set(commands)
    for command in commands:
        assert f"program-output:: {command} --help" in page, command


def test_every_package_is_packed():
    if not (ROOT / "fastdiv").is_dir():
        pytest.skip("there are no sources here")
    packed = tomllib.loads(text_of("pyproject.toml"))["tool"]["setuptools"]["packages"]
    found = {path.parent.relative_to(ROOT) for path in (ROOT / "fastdiv").rglob("__init__.py")}
    assert sorted(packed) == sorted(".".join(path.parts) for path in found)
