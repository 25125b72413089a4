"""``fastdiv compare``: a report on two tables, and the rules it may break."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastdiv.cli.console import DRIFT, OK, complain, drop, load, same_file, write

if TYPE_CHECKING:
    from fastdiv.drift.report import Report
    from fastdiv.drift.rules import Breach, Rule

__all__ = ["add_parser"]

# all that a run loads, but PyArrow
_MODULES = (
    "csv",
    "encodings.utf_8_sig",
    "json",
    "numpy.ma",
    "unicodedata",
    *(f"fastdiv.drift.{part}" for part in ("comparison", "render", "rules", "csv_reader", "numpy_reader")),
    *(f"fastdiv.{part}" for part in ("information", "transport", "_rowwise", "_samples")),
)


def add_parser(commands: Any) -> None:
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
    add("--format", choices=["table", "json", "csv", "md"],
        help="default: what FILE's name says (.json, .csv, .md, .txt); table, if it has no suffix")
    add("-o", "--output", metavar="FILE",
        help="write to FILE, which is replaced as a whole or not at all")
    add("--columns", metavar="A,B", action="append", type=_names, help="compare only these")
    add("--categorical", metavar="A,B", action="append", type=_names,
        help="take these as categories even if they look like numbers or dates")
    add("--sort", choices=["js", "w1_over_sd", "kl", "psi", "missing", "name", "table"],
        type=_metric, default="js",
        help="sort by this, largest first (default: js); table: as in the baseline")
    add("--bins", metavar="N", type=_bins, default=20,
        help="quantile bins of a numeric column (default: 20)")
    add("--pseudocount", metavar="C", type=_pseudocount, default=0.5,
        help="added to every bin for KL and PSI (default: 0.5); with 0 an empty bin makes them inf")
    add("--fail-on", metavar="'METRIC>X'", action="append", type=_rule, default=[],
        help="exit with 1 if a column's METRIC is above X (>=X: or equal); js, w1_over_sd (or w1: "
        "in the baseline's standard deviations), kl, psi, or missing (change in percentage points); "
        "repeatable; quote it, for > is special to the shell")
    add("--delimiter", metavar="D", type=_delimiter,
        help="of CSV files (default: the most frequent of , ; tab | in line 1)")
    add("--missing", metavar="TEXT", action="append", default=[],
        help="a CSV cell that means missing, besides NA, NaN, null and the like; repeatable")
    add("--escape-formulas", action="store_true",
        help="with --format csv: put ' before names that a spreadsheet would run")
    # fmt: on


def _compare(options: argparse.Namespace) -> int:
    load(*_MODULES)
    from fastdiv.drift import compare
    from fastdiv.drift.columns import TableError, no_column
    from fastdiv.drift.rules import check
    from fastdiv.drift.tables import read_table

    if options.output and any(
        same_file(options.output, path) for path in (options.baseline, options.current)
    ):
        return complain(f"{options.output} is one of the tables; the report would replace it")
    if options.output and not options.format and _format_of(options.output) is None:
        return complain(
            f"FILE must end in .json, .csv, .md or .txt, or have a --format, not be {options.output}"
        )
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
        return complain(str(error))
    except OSError as error:
        return complain(f"{error.filename or 'a table'}: {error.strerror or error}")
    report = _sorted(report, options.sort, tables[0].names)
    breaches, unjudged = check(report, options.fail_on)
    try:
        write(_rendered(report, breaches, options), options.output)
    except BrokenPipeError:
        drop(sys.stdout)  # the reader (head, less) has seen enough; the verdict stays what it is
    except OSError as error:
        if options.output is None:
            drop(sys.stdout)
        return complain(f"cannot write {options.output or 'the report'}: {error.strerror or error}")
    if not report.columns and not breaches and not _judged_by_missing(report, options.fail_on):
        return complain(
            "no column could be compared: " + "; ".join(f"{s.name!r}: {s.reason}" for s in report.skipped)
        )
    faults = [skipped for skipped in report.skipped if skipped.fault]
    if faults:
        return complain("; ".join(f"column {fault.name!r}: {fault.reason}" for fault in faults))
    if unjudged:
        return complain(f"--fail-on cannot judge {', '.join(map(repr, unjudged))}: see the report")
    return DRIFT if breaches else OK


def _judged_by_missing(report: Report, rules: Sequence[Rule]) -> bool:
    """Whether the rules ask for nothing but missing values, which columns without any other can have."""
    from fastdiv.drift.rules import missing_change

    shares = any(missing_change(skipped) is not None for skipped in report.skipped)
    return shares and bool(rules) and all(rule.metric == "missing" for rule in rules)


def _sorted(report: Report, key: str, names: Sequence[str]) -> Report:
    from dataclasses import replace

    from fastdiv.drift.rules import metric_of

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
    from fastdiv.drift import render

    kind = options.format or _format_of(options.output or "") or "table"
    if kind == "json":
        return render.json_text(report, breaches)
    if kind == "csv":
        return render.comma_separated(report, options.escape_formulas)
    if kind == "md":
        return render.markdown(report, breaches)
    drawable = options.output or _draws(render.BLOCKS)
    return render.table(report, breaches, render.BLOCKS if drawable else render.ASCII)


def _format_of(path: str) -> str | None:
    """What the name of the file asks for; None, if that is nothing we write."""
    kinds = {".json": "json", ".csv": "csv", ".md": "md", ".markdown": "md", ".txt": "table", "": "table"}
    return kinds.get(os.path.splitext(path)[1].lower())


def _draws(characters: str) -> bool:
    try:
        characters.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


# -- argument types: argparse turns their errors into one line -----------------------------------------------


def _names(text: str) -> list[str]:
    """Comma-separated names; quotes around a name that holds a comma."""
    import csv

    names = [name for name in next(csv.reader([text], skipinitialspace=True), []) if name]
    if not names:
        raise argparse.ArgumentTypeError("no column is named")
    return names


def _metric(text: str) -> str:
    from fastdiv.drift.rules import ALIASES

    return ALIASES.get(text, text)


def _rule(text: str) -> object:
    from fastdiv.drift.rules import parse_rule

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
