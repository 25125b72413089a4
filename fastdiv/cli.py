"""The ``fastdiv`` command.

Exit codes: 0 for a comparison within the rules, 1 for drift that breaks a ``--fail-on`` rule, 2 for an
error. Nothing but argparse is imported until a command runs, so ``--help`` and ``--version`` are instant.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn, TextIO

from fastdiv import pairwise
from fastdiv._version import __version__

if TYPE_CHECKING:
    from fastdiv._rules import Breach, Rule
    from fastdiv.drift import Report

__all__ = ["main"]

OK, DRIFT, ERROR, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    try:
        options = _parser().parse_args(argv)
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        _drop(sys.stdout)  # the reader (head, less) has seen enough
        return _complain("the output was closed before the whole report was written")
    except ImportError as error:  # FASTDIV_ISA, or a broken installation
        return _complain(str(error))
    except MemoryError:
        return _complain("the tables do not fit into memory; --columns reads fewer columns")
    except Exception:  # a bug; exit code 1 would say "drift"
        import traceback

        traceback.print_exc()
        return _complain("this is a bug in fastdiv; please report it with the lines above")


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SystemExit(_complain(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(prog="fastdiv", description="Compare probability distributions.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"fastdiv {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    _add_compare(commands)
    pairwise.add_parsers(commands)
    return parser


def _add_compare(commands: argparse._SubParsersAction[_Parser]) -> None:
    parser = commands.add_parser(
        "compare",
        help="compare two tables column by column",
        description="Compare two tables column by column: how far has each column's distribution moved?",
        epilog="Exit codes: 0 no rule broken, 1 drift (a --fail-on rule is broken), 2 error. "
        "A column that only one table has is listed and breaks no rule.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=_compare)
    add = parser.add_argument
    # fmt: off
    add("baseline", metavar="BASELINE",
        help="a table: .csv[.gz], .tsv[.gz], .parquet, .feather, .arrow, .npy or .npz")
    add("current", metavar="CURRENT", help="the table to compare with it, of any of these kinds")
    add("--format", choices=["table", "json", "csv", "md"], default="table", help="default: table")
    add("-o", "--output", metavar="FILE",
        help="write to FILE, which is replaced as a whole or not at all")
    add("--columns", metavar="A,B", action="append", type=_names, help="compare only these")
    add("--categorical", metavar="A,B", action="append", type=_names,
        help="take these as categories even if they look like numbers or dates")
    add("--sort", choices=["js", "w1", "kl", "psi", "missing", "name", "table"], default="js",
        help="sort by this, largest first (default: js); table: as in the baseline")
    add("--bins", metavar="N", type=_bins, default=20,
        help="quantile bins of a numeric column (default: 20)")
    add("--pseudocount", metavar="C", type=_pseudocount, default=0.5,
        help="added to every bin for KL and PSI (default: 0.5); with 0 an empty bin makes them inf")
    add("--fail-on", metavar="'METRIC>X'", action="append", type=_rule, default=[],
        help="exit with 1 if a column's METRIC is above X (>=X: or equal); js, w1 (over the "
        "baseline's standard deviation), kl, psi, or missing (change in percentage points); "
        "repeatable; quote it, for > is special to the shell")
    add("--delimiter", metavar="D", type=_delimiter,
        help="of CSV files (default: the most frequent of , ; tab | in line 1)")
    add("--missing", metavar="TEXT", action="append", default=[],
        help="a CSV cell that means missing, besides NA, NaN, null and the like; repeatable")
    add("--escape-formulas", action="store_true",
        help="with --format csv: put ' before names that a spreadsheet would run")
    # fmt: on


def _compare(options: argparse.Namespace) -> int:
    from fastdiv._rules import check
    from fastdiv.drift import compare
    from fastdiv.tables import TableError, no_column, read_table

    if options.output and any(
        _same_file(options.output, path) for path in (options.baseline, options.current)
    ):
        return _complain(f"{options.output} is one of the tables; the report would replace it")
    try:
        categorical = [name for names in options.categorical or [] for name in names]
        tables = [
            read_table(path, categorical=categorical, missing=options.missing, delimiter=options.delimiter)
            for path in (options.baseline, options.current)
        ]
        names = [name for table in tables for name in table.names]
        for name in categorical:
            if name not in names:
                raise no_column(name, names)
        columns = [name for names in options.columns for name in names] if options.columns else None
        report = compare(*tables, columns=columns, bins=options.bins, pseudocount=options.pseudocount)
    except TableError as error:
        return _complain(str(error))
    except OSError as error:
        return _complain(f"{error.filename or 'a table'}: {error.strerror or error}")
    report = _sorted(report, options.sort, tables[0].names)
    breaches, unjudged = check(report, options.fail_on)
    try:
        _write(_rendered(report, breaches, options), options.output)
    except BrokenPipeError:
        raise
    except OSError as error:
        if options.output is None:
            _drop(sys.stdout)
        return _complain(f"cannot write {options.output or 'the report'}: {error.strerror or error}")
    if not report.columns and not breaches and not _judged_by_missing(report, options.fail_on):
        return _complain(
            "no column could be compared: " + "; ".join(f"{s.name!r}: {s.reason}" for s in report.skipped)
        )
    faults = [skipped for skipped in report.skipped if skipped.fault]
    if faults:
        return _complain("; ".join(f"column {fault.name!r}: {fault.reason}" for fault in faults))
    if unjudged:
        return _complain(f"--fail-on cannot judge {', '.join(map(repr, unjudged))}: see the report")
    return DRIFT if breaches else OK


def _judged_by_missing(report: Report, rules: Sequence[Rule]) -> bool:
    """Whether the rules ask for nothing but missing values, which columns without any other can have."""
    from fastdiv._rules import missing_change

    shares = any(missing_change(skipped) is not None for skipped in report.skipped)
    return shares and bool(rules) and all(rule.metric == "missing" for rule in rules)


def _sorted(report: Report, key: str, names: Sequence[str]) -> Report:
    from dataclasses import replace

    from fastdiv._rules import metric_of

    if key == "name":
        order = sorted(report.columns, key=lambda c: c.name)
    elif key == "table":
        order = sorted(report.columns, key=lambda c: names.index(c.name))
    else:
        # columns without the metric come last, equals in the order of drift
        values = {c.name: metric_of(c, key) for c in report.columns}
        order = sorted(
            report.columns, key=lambda c: -1.0 if (x := values[c.name]) is None else x, reverse=True
        )
    return replace(report, columns=tuple(order))


def _rendered(report: Report, breaches: Sequence[Breach], options: argparse.Namespace) -> str:
    from fastdiv import _render

    if options.format == "json":
        return _render.json_text(report, breaches)
    if options.format == "csv":
        return _render.comma_separated(report, options.escape_formulas)
    if options.format == "md":
        return _render.markdown(report, breaches)
    drawable = options.output or _draws(_render.BLOCKS)
    return _render.table(report, breaches, _render.BLOCKS if drawable else _render.ASCII)


def _draws(characters: str) -> bool:
    try:
        characters.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


def _same_file(a: str, b: str) -> bool:
    return os.path.exists(a) and os.path.exists(b) and os.path.samefile(a, b)


def _write(text: str, path: str | None) -> None:
    if path is None:
        if sys.stdout is None:
            raise OSError("standard output is closed")
        encoding = sys.stdout.encoding or "ascii"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        # by lines: under PYTHONUNBUFFERED Python drops what one write to a closing pipe leaves over
        sys.stdout.writelines(text.splitlines(keepends=True))
        sys.stdout.flush()
        return
    # through a link to the file itself; a device or a pipe cannot be replaced, only written to
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        return
    unfinished = f"{path}.{os.getpid()}.tmp"
    try:
        with open(unfinished, "x", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise


def _drop(stream: TextIO) -> None:
    """Sends what is left in the stream's buffer nowhere: Python would try once more at exit, and complain."""
    with suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


def _complain(message: str) -> int:
    from fastdiv._render import clean

    line = f"fastdiv: error: {clean(message)}\n"
    try:
        encoding = sys.stderr.encoding or "ascii"
        sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()
    except (OSError, AttributeError):  # closed, or None
        _drop(sys.stderr)
    return ERROR


# -- argument types: argparse turns their errors into one line -----------------------------------------------


def _names(text: str) -> list[str]:
    """Comma-separated names; quotes around a name that holds a comma."""
    import csv

    names = [name for name in next(csv.reader([text], skipinitialspace=True), []) if name]
    if not names:
        raise argparse.ArgumentTypeError("no column is named")
    return names


def _rule(text: str) -> object:
    from fastdiv._rules import parse_rule

    try:
        return parse_rule(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _bins(text: str) -> int:
    if not text.isdecimal() or not 2 <= int(text) <= 100_000:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 2 to 100000")
    return int(text)


def _pseudocount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no finite number of 0 or more")
    return value


def _delimiter(text: str) -> str:
    text = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(text) != 1 or text in '"\r\n':
        raise argparse.ArgumentTypeError(f"{text!r} is no single character")
    return text
