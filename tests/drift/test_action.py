"""The GitHub Action at the root: its shell steps, run as a runner runs them."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

yaml = pytest.importorskip("yaml")
ROOT = Path(__file__).parents[2]
if not (ROOT / "action.yml").exists():
    pytest.skip("there is no action.yml here", allow_module_level=True)
ACTION = yaml.safe_load((ROOT / "action.yml").read_text(encoding="utf-8"))
STEPS = ACTION["runs"]["steps"]
pytestmark = pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")


def run(folder, **inputs):
    """The last step with these inputs: exit code, what it printed, summary and outputs."""
    given = {name: str(spec.get("default", "")) for name, spec in ACTION["inputs"].items()}
    given.update({name.replace("_", "-"): value for name, value in inputs.items()})
    tools = folder / "bin"
    tools.mkdir(exist_ok=True)
    command = tools / "fastdiv"
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m fastdiv "$@"\n')
    command.chmod(0o755)
    step = STEPS[-1]
    env = {
        name: re.sub(r"\$\{\{ inputs\.([\w-]+) \}\}", lambda m: given[m[1]], value)
        for name, value in step["env"].items()
    }
    summary, output = folder / "summary", folder / "output"
    summary.write_text("")
    output.write_text("")
    script = folder / "step.sh"
    script.write_text(step["run"])
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-e", "-o", "pipefail", str(script)],
        cwd=folder,
        env={
            **os.environ,
            **env,
            "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
            "GITHUB_STEP_SUMMARY": str(summary),
            "GITHUB_OUTPUT": str(output),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return done, summary.read_text(), output.read_text()


@pytest.fixture
def tables(tmp_path):
    (tmp_path / "a b.csv").write_text("x,y\n" + "".join(f"{i * 37 % 101 / 8},{i % 7}\n" for i in range(500)))
    (tmp_path / "same.csv").write_text("x,y\n" + "".join(f"{i * 37 % 101 / 8},{i % 7}\n" for i in range(500)))
    (tmp_path / "moved.csv").write_text(
        "x,y\n" + "".join(f"{i * 37 % 101 / 8 + 6},{i % 7}\n" for i in range(500))
    )
    return tmp_path


def test_a_gate(tables):
    done, summary, output = run(tables, baseline="a b.csv", current="same.csv")
    assert done.returncode == 0, done.stderr
    assert output == "drift=false\n"
    assert "|" in summary
    assert summary in done.stdout
    done, summary, output = run(tables, baseline="a b.csv", current="moved.csv")
    assert done.returncode == 1, done.stderr
    assert output == "drift=true\n"
    assert "| x" in summary
    assert "moved" in summary


def test_rules_and_options_are_lines(tables):
    rules = "js>0.99\n\nw1>99\n"
    done, summary, output = run(tables, baseline="a b.csv", current="moved.csv", fail_on=rules)
    assert (done.returncode, output) == (0, "drift=false\n"), done.stderr
    done, summary, output = run(
        tables, baseline="a b.csv", current="moved.csv", fail_on=rules + "js > 0.01", options="--columns=y\n"
    )
    assert (done.returncode, output) == (0, "drift=false\n"), done.stderr
    assert "| x" not in summary
    done, _, output = run(tables, baseline="a b.csv", current="moved.csv", fail_on="")
    assert (done.returncode, output) == (0, "drift=false\n"), done.stderr


def test_errors_are_on_the_page(tables):
    done, summary, output = run(tables, baseline="a b.csv", current="none.csv")
    assert done.returncode == 2
    assert output == ""
    assert "none.csv" in summary
    assert "none.csv" in done.stderr


def test_inputs_are_no_script(tables):
    """Whatever stands in an input is a word, not a command; a file's name is no option."""
    nasty = "$(touch hit)`touch hit`;touch hit"
    done, _, _ = run(
        tables, baseline=nasty, current="--version", fail_on="moved", options="--columns=$(touch hit)"
    )
    assert done.returncode == 2
    assert not (tables / "hit").exists()
    for step in STEPS:
        assert "${{" not in step.get("run", "")


def test_actions_are_pinned_and_ask_for_nothing():
    for step in STEPS:
        assert "uses" in step or step["shell"] == "bash"
        assert re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", step.get("uses", "a@" + 40 * "0"))
    assert not re.search("token|secrets", str(ACTION["runs"]))
    workflow = ROOT / ".github" / "workflows" / "ci.yml"
    if workflow.exists():
        pins = dict(re.findall(r"uses: ([\w/-]+)@([0-9a-f]{40})", workflow.read_text()))
        for name, pin in re.findall(r"uses: ([\w/-]+)@([0-9a-f]{40})", (ROOT / "action.yml").read_text()):
            assert pins.get(name, pin) == pin


def test_the_page_shows_inputs_that_there_are():
    page = (ROOT / "docs" / "cli.md").read_text(encoding="utf-8")
    (example,) = [
        b for b in re.findall(r"^```yaml\n(.*?)^```$", page, re.MULTILINE | re.DOTALL) if "fastdiv/" in b
    ]
    workflow = yaml.safe_load(example)
    (job,) = workflow["jobs"].values()
    assert job["permissions"] == {"contents": "read"}
    (step,) = [s for s in job["steps"] if s.get("uses", "").startswith("fastdiv/")]
    assert set(step["with"]) <= set(ACTION["inputs"])
    assert all(name in step["with"] for name, spec in ACTION["inputs"].items() if spec.get("required"))
