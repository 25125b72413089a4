"""What files and names must not do: run code, fill memory; and how the extensions are linked."""

import ast
import gzip
import re
import shutil
import subprocess
import sysconfig
import zipfile
from pathlib import Path

import pytest

import fastdiv
from fastdiv import cli
from fastdiv.drift import csv_file
from fastdiv.drift.tables import read_table

PACKAGE = Path(fastdiv.__file__).parent
ROOT = Path(__file__).parents[2]
SOURCES = sorted(PACKAGE.rglob("*.py"))
EXTENSIONS = sorted(PACKAGE.glob("*.so"))

# what runs code that it reads, or asks a shell
RUNS = {"eval", "exec", "compile", "__import__"}
RUNS_BY_MODULE = {
    "pickle": {"load", "loads", "Unpickler"},
    "marshal": {"load", "loads"},
    "shelve": {"open"},
    "yaml": {"load", "unsafe_load", "full_load"},
    "joblib": {"load"},
    "os": {"system", "popen"},
    "tempfile": {"mktemp"},
}


def calls_of(tree):
    """Every call: the module or object before the dot ('' if there is none), the name, the node."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        if isinstance(node.func, ast.Name):
            yield "", node.func.id, node
        elif isinstance(node.func, ast.Attribute):
            yield ast.unparse(node.func.value), node.func.attr, node


def faults_of(text):
    """What of a source would run code from a file, in lines."""
    found = []
    for owner, name, node in calls_of(ast.parse(text)):
        given = {keyword.arg: keyword.value for keyword in node.keywords}
        pickles = given.get("allow_pickle")
        refused = isinstance(pickles, ast.Constant) and pickles.value is False
        loads = owner in ("np", "numpy", "np.lib.format", "format") and name in ("load", "read_array")
        if (loads or pickles is not None) and not refused:
            found.append(f"line {node.lineno}: {owner}.{name} without allow_pickle=False")
        if (owner == "" and name in RUNS) or name in RUNS_BY_MODULE.get(owner, ()):
            found.append(f"line {node.lineno}: {owner}.{name}")
        if name == "read_pickle" or "shell" in given:
            found.append(f"line {node.lineno}: {name}")
    return found


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.relative_to(PACKAGE).as_posix())
def test_no_file_runs_code(path):
    assert faults_of(path.read_text(encoding="utf-8")) == []


@pytest.mark.parametrize(
    "text",
    [
        "np.load(path)",
        "np.load(path, allow_pickle=True)",
        "np.load(path, allow_pickle=given)",
        "np.save(path, x, allow_pickle=True)",
        "pickle.loads(data)",
        "eval(text)",
        "pd.read_pickle(path)",
        "subprocess.run(words, shell=True)",
        "yaml.load(text)",
    ],
)
def test_what_runs_code_is_seen(text):
    assert len(faults_of(text)) == 1


def test_names_make_no_paths(tmp_path, monkeypatch):
    """A column called like a path outside stays a name: nothing is written but what is asked for."""
    monkeypatch.chdir(tmp_path)
    names = ["../up", "/tmp/fastdiv-abs", "a/b", "c:\\d", "..", "nul\x7f"]
    rows = "".join(",".join(str(i % (j + 2)) for j in range(len(names))) + "\n" for i in range(60))
    Path("t.csv").write_text(",".join(names) + "\n" + rows)
    before = set(tmp_path.parent.rglob("*"))
    for form in ("html", "md", "json", "csv"):
        assert cli.main(["compare", "t.csv", "t.csv", "-o", f"o.{form}"]) == 0
    assert cli.main(["profile", "t.csv", "-o", "o.fdp"]) == 0
    made = {path.name for path in set(tmp_path.parent.rglob("*")) - before}
    assert made == {"o.html", "o.md", "o.json", "o.csv", "o.fdp"}
    assert not Path("/tmp/fastdiv-abs").exists()


# --- bombs -------------------------------------------------------------------------------------------------


@pytest.fixture
def told(capsys):
    def run(path):
        assert cli.main(["compare", str(path), str(path)]) == 2
        line = capsys.readouterr().err
        assert line.count("\n") == 1
        return line

    return run


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("text", "line"),
    [("x" * 300_000 + "\n1\n", 1), ("x,y\n1,2\n" + "1" * 300_000, 3), ('x,y\n1,"' + "1\n" * 150_000, 2)],
    ids=["header", "row", "open quote"],
)
def test_a_line_without_end(text, line, zipped, tmp_path, monkeypatch, told):
    """Zeros deflate a thousandfold: a small file could otherwise ask for all memory at once."""
    monkeypatch.setattr(csv_file, "LONGEST", 1 << 17)
    path = tmp_path / ("t.csv.gz" if zipped else "t.csv")
    path.write_bytes(gzip.compress(text.encode()) if zipped else text.encode())
    if line == 2:
        assert "line 2" in told(path)
    else:
        assert "a line is longer than 131072 bytes" in told(path)


def test_lines_of_any_number_are_read(tmp_path, monkeypatch):
    monkeypatch.setattr(csv_file, "LONGEST", 1 << 17)
    path = tmp_path / "t.csv.gz"
    path.write_bytes(gzip.compress(b"x,y\n" + b"1,2\n" * 200_000))
    (column,) = read_table(path).read(["x"])
    assert column.rows == 200_000


@pytest.mark.parametrize(
    ("shape", "declared"), [("(4398046511104,)", None), ("(16,)", 1 << 50)], ids=["header", "archive"]
)
def test_arrays_that_do_not_fit(shape, declared, tmp_path, told):
    """An archive whose array, or whose directory, says that it has 32 TiB."""
    head = f"{{'descr': '<f8', 'fortran_order': False, 'shape': {shape}, }}"
    head = head.ljust(117) + "\n"
    member = b"\x93NUMPY\x01\x00" + len(head).to_bytes(2, "little") + head.encode() + b"\0" * 128
    for name in ("t.npz", "t.npy"):
        if name == "t.npy" and declared:
            continue
        path = tmp_path / name
        if name == "t.npz":
            with zipfile.ZipFile(path, "w") as archive:
                archive.writestr("x.npy", member)
                if declared:
                    archive.infolist()[0].file_size = declared
        else:
            path.write_bytes(member)
        said = told(path)
        assert re.search(r"memory|unpack|cannot be read", said), said


# --- how it is built ---------------------------------------------------------------------------------------


def readelf(*words):
    program = shutil.which("readelf")
    if program is None:
        pytest.skip("needs readelf")
    return subprocess.run([program, "-W", *words], capture_output=True, text=True, check=True).stdout


@pytest.mark.parametrize("path", EXTENSIONS, ids=lambda path: path.name.split(".")[0])
def test_extensions_are_hardened(path):
    """No stack is executable, what the loader has bound is read-only, and one symbol is to be seen."""
    segments, dynamic = readelf("-l", path), readelf("-d", path)
    (stack,) = re.findall(r"GNU_STACK.* ([RWE ]{3}) ", segments)
    assert "E" not in stack
    assert "GNU_RELRO" in segments
    assert not re.search(r"LOAD .* RWE ", segments)
    assert "BIND_NOW" in dynamic
    assert "TEXTREL" not in dynamic
    own = re.findall(r"-rpath[,=]([^\s,]+)", str(sysconfig.get_config_var("LDSHARED")))
    paths = [p for found in re.findall(r"R(?:UN)?PATH\).*\[(.*)\]", dynamic) for p in found.split(":")]
    assert [p for p in paths if not p.startswith("$ORIGIN") and p not in own] == []
    symbols = [line.split() for line in readelf("--dyn-syms", path).splitlines()]
    seen = {s[7] for s in symbols if len(s) > 7 and s[4] in ("GLOBAL", "WEAK") and s[6].isdigit()}
    seen -= {name for name in seen if name.startswith(".gomp_critical_")}  # clang's: a lock of all modules
    assert seen == {f"PyInit_{path.name.split('.')[0]}"}


def test_stacks_are_guarded():
    if not EXTENSIONS:
        pytest.skip("no ELF")
    assert any("__stack_chk_fail" in readelf("--dyn-syms", path) for path in EXTENSIONS)


# --- workflows ---------------------------------------------------------------------------------------------

WORKFLOWS = [*sorted((ROOT / ".github").rglob("*.yml")), ROOT / "action.yml"]


@pytest.mark.skipif(not (ROOT / ".github").exists(), reason="there are no workflows here")
@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.name)
def test_actions_are_pinned(path):
    """By commits: a tag can be moved."""
    text = path.read_text(encoding="utf-8")
    used = re.findall(r"^\s*(?:- )?uses:\s*(\S+)", text, re.MULTILINE)
    assert [name for name in used if not re.fullmatch(r"\./.*|[\w./-]+@[0-9a-f]{40}", name)] == []
    if "jobs:" in text:
        assert re.search(r"^permissions: \{\}$", text, re.MULTILINE)
        assert text.count("actions/checkout@") == text.count("persist-credentials: false")
