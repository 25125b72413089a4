"""``make trust``: docs/trust.md from what was measured, never typed.

    python -m bench.trust --measure   errors of every function on every instruction set, into bench/trust.json
    python -m bench.trust --fuzz 5    the tests by chance for so many minutes, counted, into bench/trust.json
    python -m bench.trust --interruptions 50    Ctrl-C at so many moments of every long call, likewise
    python -m bench.trust --coverage HOW    what pytest-cov and gcovr left in build, into bench/coverage.json
    python -m bench.trust             the page, from that file, mutants.json, coverage.json and platforms.json

A block of the page stands between ``<!-- trust: NAME -->`` and ``<!-- end -->``.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from bench import platforms

ROOT = Path(__file__).parents[1]
STORED, MUTANTS, COVERAGE = (ROOT / "bench" / f"{name}.json" for name in ("trust", "mutants", "coverage"))
PAGE = ROOT / "docs" / "trust.md"
BLOCK = re.compile(r"(<!-- trust: (\w+) -->\n).*?(<!-- end -->)", re.DOTALL)
BY_CHANCE = ("tests/truth/test_by_chance.py", "tests/rows/test_laws.py", "tests/rows/test_option_laws.py")
NOISE = re.compile(
    r"\((?:pairs|logits|raw logits|bases|stacks|events)\)|'(?:normalize|log_input)': \w+|[{}']"
)
PASSING = re.compile(r"(\d+) passing(?: examples)?, (\d+) failing")  # of Hypothesis's statistics

FAULT = re.compile(r"\| ([0-9a-f]{7}) \| ([a-z_/]+\.py)::(test_\w+) \|$", re.M)  # of what was wrong

# --- measuring ---------------------------------------------------------------------------------------------


def errors_here() -> dict[str, Any]:
    """Of the instruction set in use: {function: errors}, how many values, and the promises broken."""
    sys.path.insert(0, str(ROOT / "tests" / "truth"))
    import tables
    import truths

    import fastdiv
    import fastdiv.gan
    import fastdiv.grad

    errors: dict[str, Any] = {}
    values, broken = 0, []
    for found in (truths.judge(fastdiv), tables.judge(fastdiv), truths.judge(fastdiv, matrices=True)):
        values += found.values
        broken += found.broken
        for name, e in found.errors.items():
            errors[name] = {"count": e.count, "mean": e.mean, "largest": e.largest, "where": e.where}
    return {"values": values, "broken": broken, "errors": errors}


def measure() -> dict[str, Any]:
    """Each instruction set in a process of its own."""
    from fastdiv.bench.machine import environment

    about = environment()
    levels = {}
    for level in about["levels"]:
        done = subprocess.run(
            [sys.executable, "-m", "bench.trust", "--here"],
            env=os.environ | {"FASTDIV_ISA": level},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        levels[level] = json.loads(done.stdout)
    return {
        "datetime": datetime.now(UTC).isoformat(timespec="seconds"),
        "environment": about,
        "levels": levels,
    }


def fuzz(minutes: float) -> dict[str, Any]:
    """How many examples Hypothesis tried, until one failed or the time was over."""
    start, executions, failures, runs, seeds = time.monotonic(), 0, 0, 0, []
    command = [sys.executable, "-m", "pytest", "-q", "--hypothesis-show-statistics"]
    while runs == 0 or (time.monotonic() - start < 60 * minutes and not failures):
        seeds.append(int(time.time()))
        done = subprocess.run(
            [*command, f"--hypothesis-seed={seeds[-1]}", *BY_CHANCE],
            env=os.environ | {"FASTDIV_EXAMPLES": "30"},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        found = PASSING.findall(done.stdout)
        assert found, f"pytest counted no examples:\n{done.stdout}{done.stderr}"
        executions += sum(int(passing) + int(failing) for passing, failing in found)
        if done.returncode:
            failures += 1
            print(done.stdout.partition("= Hypothesis Statistics =")[0])
        runs += 1
    seconds = round(time.monotonic() - start)
    return {"executions": executions, "seconds": seconds, "seeds": seeds, "failed": bool(failures)}


def interruptions(moments: int) -> dict[str, Any]:
    """How long Ctrl-C takes to be heard in every long call, on a machine as busy as it was meanwhile."""
    kept = ROOT / "build" / "interruptions.json"
    load = [os.getloadavg()[0]]
    subprocess.run(
        [sys.executable, "tests/machine/interruptions.py", f"--moments={moments}", f"--json={kept}"],
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        cwd=ROOT,
        check=True,
    )
    load.append(os.getloadavg()[0])
    calls = [
        {name: round(x, 3) if isinstance(x, float) else x for name, x in call.items()}
        for call in json.loads(kept.read_text())
    ]
    return {"commit": commit(), "moments": moments, "load": load, "cpus": os.cpu_count(), "calls": calls}


def coverage(how: str) -> dict[str, Any]:
    """Percentages of Python, and of C by folder."""
    python = json.loads((ROOT / "build" / "coverage.json").read_text())["totals"]
    parts = {
        "Python": {
            "lines": 100 * python["covered_lines"] / python["num_statements"],
            "branches": 100 * python["covered_branches"] / python["num_branches"],
        }
    }
    files = json.loads((ROOT / "build" / "gcovr.json").read_text())["files"]
    folders = sorted({x["filename"].split("/")[1] for x in files})
    for folder in [*folders, ""]:
        own = [x for x in files if x["filename"].startswith(f"csrc/{folder}")]
        parts[f"C, {folder or 'all'}"] = {
            kind: 100 * sum(x[f"{one}_covered"] for x in own) / max(1, sum(x[f"{one}_total"] for x in own))
            for kind, one in (("lines", "line"), ("branches", "branch"))
        }
    return {"commit": commit(), "tests": how, "parts": parts}


def commit() -> str:
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


# --- the page ----------------------------------------------------------------------------------------------


def _machine(stored: dict[str, Any]) -> str:
    about = stored["environment"]
    values = sum(x["values"] for x in stored["levels"].values())
    return (
        f"{values:,} values, {stored['datetime'][:10]}, commit {about['commit']['id'][:10]}: {about['cpu']}, "
        f"{about['system']}, Python {about['python']}, numpy {about['versions'].get('numpy', '?')}. "
        f"Promises broken: {sum(len(x['broken']) for x in stored['levels'].values())}."
    )


def _accuracy(stored: dict[str, Any]) -> str:
    levels = stored["levels"]
    head = ["function", "values", *levels, "mean", "the worst input"]
    rows = ["| " + " | ".join(head) + " |", "|---|" + "--:|" * (len(levels) + 2) + "---|"]
    for name in sorted({name for x in levels.values() for name in x["errors"]}):
        own = {level: x["errors"][name] for level, x in levels.items() if name in x["errors"]}
        worst = max(own.values(), key=lambda e: e["largest"])
        numbers = [f"{own[level]['largest']:.2g}" if level in own else "" for level in levels]
        mean = max(e["mean"] for e in own.values())
        count = max(e["count"] for e in own.values())
        where = " ".join(NOISE.sub("", worst["where"]).split()).rstrip(",")
        rows.append(f"| {name} | {count} | {' | '.join(numbers)} | {mean:.2g} | {where} |")
    return "\n".join(rows)


def _fuzz(stored: dict[str, Any]) -> str:
    found = stored.get("fuzz")
    if not found:
        return "Not counted yet."
    end = "one failed" if found["failed"] else "none failed"
    seeds = f"{len(found['seeds'])} seed{'' if len(found['seeds']) == 1 else 's'}"
    return f"{found['executions']:,} examples in {found['seconds']} s, {seeds}: {end}."


def _interruptions(stored: dict[str, Any]) -> str:
    kept = stored.get("interruptions")
    if not kept:
        return "Not counted yet."
    rows = ["| call | takes, s | heard | median, ms | longest, ms |", "|---|--:|--:|--:|--:|"]
    for x in kept["calls"]:
        times = f"{1000 * x['middle']:.0f} | {1000 * x['longest']:.0f}"
        rows.append(f"| {x['call']} | {x['takes']:.1f} | {x['heard']} | {times} |")
    heard = sum(x["heard"] for x in kept["calls"])
    load = " to ".join(f"{x:.1f}" for x in kept["load"])
    return "\n".join(
        [
            *rows,
            "",
            f"{heard} of {kept['moments'] * len(kept['calls'])} signals came while the call ran, commit "
            f"{kept['commit']}; {kept['cpus']} CPUs under a load of {load}.",
        ]
    )


def _mutants() -> str:
    if not MUTANTS.exists():
        return "Not counted yet."
    kept = json.loads(MUTANTS.read_text())
    columns = ["mutants", "the same", "noticed", "noticed by", "noticed since", "open"]
    rows = [
        "| area | mutants | the same | noticed | by other tests | by tests since | open | share | now |",
        f"|---|{'--:|' * 8}",
    ]
    areas = {area: [of[x] for x in columns] for area, of in kept["areas"].items()}
    for area, numbers in [*areas.items(), ("all", [sum(x) for x in zip(*areas.values(), strict=True)])]:
        mutants, same, quickly, others, since, _ = numbers
        shares = [100 * x / max(mutants - same, 1) for x in (quickly + others, quickly + others + since)]
        rows.append(f"| {area} | {' | '.join(map(str, numbers))} | {shares[0]:.1f} % | {shares[1]:.1f} % |")
    rows += ["", f"Commit {kept['commit']}, seed {kept['seed']}. What the quick tests left:", ""]
    words = ["the same", "noticed by", "noticed since"]  # last, after what is open
    for x in sorted(kept["left"], key=lambda x: [x["why"].startswith(word) for word in words]):
        change, text = (" ".join(y.split()) for y in (f"`{x['becomes']}` for `{x['was']}`", f"`{x['text']}`"))
        rows.append(f"- {x['file']}:{x['line']}, {change} in {text}: {x['why'] or 'not looked into'}")
    return "\n".join(rows)


def _coverage() -> str:
    if not COVERAGE.exists():
        return "Not counted yet."
    kept = json.loads(COVERAGE.read_text())
    rows = ["| | lines | branches |", "|---|--:|--:|"]
    rows += [f"| {name} | {x['lines']:.1f} % | {x['branches']:.1f} % |" for name, x in kept["parts"].items()]
    return "\n".join([*rows, "", f"Commit {kept['commit']}, {kept['tests']}."])


def written(text: str) -> str:
    """The page with its blocks as the stored files have them."""
    stored = json.loads(STORED.read_text())
    blocks = {
        "machine": _machine(stored),
        "accuracy": _accuracy(stored),
        "fuzz": _fuzz(stored),
        "interruptions": _interruptions(stored),
        "mutants": _mutants(),
        "coverage": _coverage(),
        "platforms": platforms.tables(),
    }
    return BLOCK.sub(lambda found: f"{found[1]}{blocks[found[2]]}\n{found[3]}", text)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--measure", action="store_true")
    parser.add_argument("--fuzz", type=float, metavar="MINUTES")
    parser.add_argument("--interruptions", type=int, metavar="MOMENTS")
    parser.add_argument("--coverage", metavar="HOW")
    parser.add_argument("--here", action="store_true", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.here:
        print(json.dumps(errors_here()))
        return
    found: dict[str, Any] = measure() if options.measure else {}
    if options.fuzz:
        found["fuzz"] = fuzz(options.fuzz)
    if options.interruptions:
        found["interruptions"] = interruptions(options.interruptions)
    if options.coverage:
        COVERAGE.write_text(json.dumps(coverage(options.coverage), indent=1) + "\n")
    stored = json.loads(STORED.read_text()) if STORED.exists() else {}  # others may have written meanwhile
    STORED.write_text(json.dumps(stored | found, indent=1) + "\n")
    text = PAGE.read_text(encoding="utf-8")
    PAGE.write_text(written(text), encoding="utf-8")
    for named in sorted({row[0] for row in FAULT.findall(text)}):
        words = ["git", "merge-base", "--is-ancestor", named, "HEAD"]
        if subprocess.run(words, cwd=ROOT, capture_output=True, check=False).returncode:
            print(f"docs/trust.md names {named}, which this history does not have", file=sys.stderr)


if __name__ == "__main__":
    main()
