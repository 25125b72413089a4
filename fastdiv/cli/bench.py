"""``fastdiv bench``: who takes how long for the same answer, on this machine, as a report."""

from __future__ import annotations

import argparse
import os
import sys
from contextlib import suppress
from typing import Any

from fastdiv.bench import GROUPS
from fastdiv.cli.console import DRIFT as SLOWER
from fastdiv.cli.console import ERROR, INTERRUPTED, OK, Bar, Wrong, complain, drop, say, write

__all__ = ["add_parser"]

NAME = "report"


def add_parser(commands: Any) -> None:
    groups = "; ".join(f"{name}: {what}" for name, what in GROUPS.items())
    parser = commands.add_parser(
        "bench",
        help="measure fastdiv on this machine against others that are installed",
        description="Measure fastdiv against every peer that is installed, interleaved, answers first. "
        f"Writes {NAME}.json (pytest-benchmark's form), {NAME}.md and {NAME}.html, and says where we lose.",
        epilog="Exit codes: 0 measured, 1 --compare found something slower beyond the noise, 2 an error or a "
        "wrong answer of ours, 130 after Ctrl-C, with a report of what had been measured. "
        f"Groups: {groups}.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=_bench)
    add = parser.add_argument
    # fmt: off
    add("--quick", action="store_true", help="a tenth of the sizes, and less time for each figure: a minute")
    add("--group", metavar="NAME", nargs="+", action="extend", type=_group, default=[],
        help=f"only these: {', '.join(GROUPS)} (default: all)")
    add("-o", "--output", metavar="DIR", default="fastdiv-bench",
        help="where the report goes, made if it does not exist (default: fastdiv-bench)")
    add("--compare", metavar="OLD.json", help="a report of an earlier run on this machine: what has changed?")
    # fmt: on


def _group(text: str) -> str:
    if text not in GROUPS:
        from difflib import get_close_matches

        near = get_close_matches(text, GROUPS, 1)
        hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(GROUPS)}"
        raise argparse.ArgumentTypeError(f"there is no group {text!r}; {hint}")
    return text


def _bench(options: argparse.Namespace) -> int:
    # Peers run on one thread, as we do. (OpenBLAS also spins on after a product, and a clock of CPU time
    # would charge that to whoever comes next.) It asks once, when NumPy is imported.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    from fastdiv.bench import page, plots, record, session, tables, verdicts

    groups = [name for name in GROUPS if name in options.group] if options.group else list(GROUPS)
    document = record.begun(options.quick, groups)
    old: Any = None
    try:
        if options.compare:
            old = record.read(options.compare)
            verdicts.comparable(options.compare, old, document)
    except record.NoDocument as error:
        return complain(str(error))
    _room(options.output)
    bar, code = Bar(), OK
    try:
        try:
            session.measure(document, bar.show)
        finally:
            if old:
                found = document["fastdiv"]["compared"] = verdicts.compared(options.compare, old, document)
        for _ in range(verdicts.TIMES if old else 0):
            once_more = session.again(document, verdicts.odd(found), bar.show)
            verdicts.confirmed(found, verdicts.compared(options.compare, old, once_more))
        code = SLOWER if old and verdicts.slower(found) else OK
    except KeyboardInterrupt:
        code = INTERRUPTED
    finally:
        bar.close()
    pages = {"json": record.text(document), "md": tables.markdown(document), "html": page.html(document)}
    for kind, text in pages.items():
        path = os.path.join(options.output, f"{NAME}.{kind}")
        try:
            write(text, path)
        except OSError as error:
            return complain(f"cannot write {path}: {error.strerror or error}")
    try:
        write(tables.summary(document), None)
    except BrokenPipeError:
        drop(sys.stdout)
    if not plots.available():
        say(f"{NAME}.html has no plots: matplotlib is not installed")
    wrong = session.wrong(document)
    if wrong:
        complain(f"a wrong answer of fastdiv: {'; '.join(wrong)}")
        return code or ERROR
    return code


def _room(path: str) -> None:
    """The folder of the report exists and can be written to; asked before a quarter of an hour of work."""
    try:
        os.makedirs(path, exist_ok=True)
        probe = os.path.join(path, f".{os.getpid()}.tmp")
        with open(probe, "x"):
            pass
        with suppress(OSError):
            os.unlink(probe)
    except FileExistsError:
        raise Wrong(f"-o {path} is a file; the report needs a folder") from None
    except OSError as error:
        raise Wrong(f"cannot write into -o {path}: {error.strerror or error}") from None
