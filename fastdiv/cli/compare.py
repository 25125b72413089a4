"""``fastdiv compare``: a report on two tables, and the rules it may break."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Iterable, Sequence
from shutil import get_terminal_size
from typing import TYPE_CHECKING, Any

from fastdiv.cli import compat
from fastdiv.cli.cluster import add_scheduler, counted
from fastdiv.cli.compat import add_compat
from fastdiv.cli.console import DRIFT, OK, Bar, complain, drop, load, loading, same_file, write
from fastdiv.cli.reading import add_reading, reading

if TYPE_CHECKING:
    from fastdiv.drift.report import Report, Skipped
    from fastdiv.drift.rules import Breach, Rule

__all__ = ["MODULES", "add_parser", "names", "size"]

# all that a run loads, but PyArrow
MODULES = (
    "concurrent.futures.thread",
    "csv",
    "encodings.utf_8_sig",
    "json",
    "numpy.ma",
    "numpy.random",
    "unicodedata",
    *(
        f"fastdiv.drift.{part}"
        for part in ("comparison", "records", "render", "rules", "csv_reader", "numpy_reader")
    ),
    *(f"fastdiv.{part}" for part in ("information", "transport", "_rowwise", "_samples")),
)


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "compare",
        help="compare two tables column by column",
        description="Compare two tables column by column: how far has each column's distribution moved?",
        epilog="Exit codes: 0 no rule broken, 1 drift (a --fail-on rule is broken), 2 error. "
        "A column that only one table has is listed and breaks no rule but schema.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=_compare)
    add = parser.add_argument
    # fmt: off
    add("baseline", metavar="BASELINE",
        help="a table: .csv[.gz], .tsv[.gz], .parquet, .feather, .arrow, .npy or .npz; or what profile made "
        "of one: .fdp; or a folder, or a glob in quotes ('data/*.parquet'), whose tables are taken as one")
    add("current", metavar="CURRENT", help="the table to compare with it, of any of these kinds")
    add("--format", choices=["table", "json", "csv", "md", "html"],
        help="default: what FILE's name says (.json, .csv, .md, .html, .txt); table, if it has no suffix")
    add("-o", "--output", metavar="FILE",
        help="write to FILE, which is replaced as a whole or not at all")
    add("--columns", metavar="A,B", action="extend", type=names, help="compare only these")
    add("--exclude", metavar="A,B", action="extend", type=names, default=[],
        help="compare all but these, as if neither table had them; repeatable")
    add("--top", metavar="N", type=_top,
        help="show the first N columns, movers first, and count the others by verdict; rules judge them all")
    add("--categorical", metavar="A,B", action="extend", type=names, default=[],
        help="take these as categories even if they look like numbers or dates")
    add("--sort", choices=["verdict", "js", "w1_over_sd", "kl", "psi", "missing", "name", "table"],
        type=_metric, default="verdict",
        help="sort by this, largest first (default: verdict); table: as in the baseline")
    add("--bins", metavar="N", type=_bins, action="append", default=[],
        help="quantile bins of a numeric column (default: 20); NAME=N: of this column; repeatable")
    add("--continuous", metavar="A,B", action="extend", type=names, default=[],
        help="quantile bins of these even where they have few values, each of which would be a bin")
    add("--edges", metavar="NAME=X,Y,...", type=_edges, action="append", default=[],
        help="bins of this column between these numbers or dates, one below and one above; repeatable")
    add("--pseudocount", metavar="C", type=_pseudocount, default=0.5,
        help="added to every bin for KL and PSI (default: 0.5); with 0 an empty bin makes them inf")
    add("--thresholds", metavar="FILE",
        help="a TOML file that says from where on a column has moved: alpha, [moved] and [moved_a_lot] with "
        "js, w1_over_sd and missing, and the same of single columns in [columns.NAME]")
    add("--weights", metavar="COLUMN",
        help="numbers of 0 or more that weigh the rows of both tables (default: what a profile has)")
    add("--fail-on", metavar="RULE", action="append", type=_rule, default=[],
        help="exit with 1 if a column's verdict is moved (or 'moved a lot': no less), if a column is new, "
        "gone or of another type (schema), or if a column's METRIC is above X ('METRIC>X', or >=X); js, "
        "w1_over_sd (or w1: in the baseline's standard deviations), kl, psi, or missing (change in "
        "percentage points); repeatable; quote it, for > is special to the shell")
    add("--by", metavar="COLUMN",
        help="compare each group of the current's rows, by this column's values, with the whole baseline")
    add("--window", metavar="SIZE", type=_window,
        help="compare each window of the current's rows with the whole baseline: 6h, 1D, 7D, 1W, 1M and the "
        "like, by the column that --time names")
    add("--time", metavar="COLUMN", help="a column of dates of the current table, for --window")
    add("--memory", metavar="SIZE", type=size,
        help="how much memory columns may take, such as 500MB or 2GB (default: a quarter of the memory); of "
        "those that take more distinct values are counted, or W1 has a bound on its error; .npz is held "
        "whole, and with --by, --window or --weights so are CSV and .npy")
    add_reading(add)
    add_compat(add)
    add("--escape-formulas", action="store_true",
        help="with --format csv: put ' before names that a spreadsheet would run")
    add_scheduler(add)
    # fmt: on


def _compare(options: argparse.Namespace) -> int:
    profiled = any(path.lower().endswith(".fdp") for path in (options.baseline, options.current))
    more = ["fastdiv.drift.profile_file"] if profiled else []
    load(*MODULES, *more, *(["tomllib"] if options.thresholds else []))
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
            f"FILE must end in .json, .csv, .md, .html or .txt, or have a --format, not be {options.output}"
        )
    if options.compat:
        if problem := compat.unfit(options, _format(options)):
            return complain(problem)
        load("fastdiv.compat.evidently")
    overtime = options.by is not None or options.window is not None or options.time is not None
    if overtime:
        if problem := _unfit(options):
            return complain(problem)
        load("fastdiv.drift.series", "fastdiv.drift.series_text")
    bar = Bar()
    try:
        paths = options.baseline, options.current
        tables: list[Any]
        if options.scheduler:
            tables = counted(options, paths)
        else:
            tables = [read_table(path, categorical=options.categorical, **reading(options)) for path in paths]
        known = [name for table in tables for name in table.names]
        for name in options.categorical:
            if name not in known:
                raise no_column(name, known)
        parts = [part.label for table in tables for part in getattr(table, "parts", ())]
        if options.output and any(same_file(options.output, part) for part in parts):
            return complain(f"{options.output} is one of the tables; the report would replace it")
        if options.compat:
            return _by_others(tables, options)
        how: dict[str, Any] = {
            "columns": options.columns,
            "exclude": options.exclude,
            "bins": {None: 20} | dict(options.bins),
            "continuous": options.continuous,
            "edges": dict(options.edges),
            "pseudocount": options.pseudocount,
            "thresholds": options.thresholds,
            "weights": options.weights,
            "memory": options.memory,
            "progress": lambda share: bar.show(share, tables[1].label),
        }
        if overtime:
            return _over(tables, options, how, bar)
        with bar:
            report = compare(*tables, **how)
    except TableError as error:
        return complain(str(error))
    except OSError as error:
        return complain(f"{error.filename or 'a table'}: {error.strerror or error}")
    report = _sorted(report, options.sort, tables[0].names)
    breaches, unjudged = check(report, options.fail_on)
    shown = report if options.top is None else report.head(options.top)
    judged = bool(report.columns) or _judged_by_missing(report, options.fail_on)
    return _ended(
        lambda: _rendered(shown, breaches, options), options, judged, report.skipped, breaches, unjudged
    )


def _by_others(tables: list[Any], options: argparse.Namespace) -> int:
    """The same as another tool has it."""
    from fastdiv.drift.report import Skipped
    from fastdiv.drift.rules import Breach

    found = compat.others(tables, options)
    rules = [str(rule) for rule in options.fail_on]
    drifted = [column for column in found.columns if column.drift]
    breaches = [Breach(c.column, c.method, c.score, rule) for rule in rules for c in drifted]
    labels = [table.label for table in tables]
    return _ended(
        lambda: compat.rendered(found, labels, _format(options), options.escape_formulas),
        options,
        bool(found.columns),
        [Skipped(name, why) for name, why in found.skipped.items()],
        breaches,
        [],
    )


def _ended(
    rendered: Callable[[], str],
    options: argparse.Namespace,
    judged: bool,
    skipped: Iterable[Skipped],
    breaches: Sequence[Breach],
    unjudged: Sequence[str],
) -> int:
    """Writes the report; the exit code is for the first of what is wrong, or for drift."""
    try:
        write(rendered(), options.output)
    except ImportError as error:
        return complain(str(error))
    except BrokenPipeError:
        drop(sys.stdout)  # the reader (head, less) has seen enough; the verdict stays what it is
    except OSError as error:
        if options.output is None:
            drop(sys.stdout)
        return complain(f"cannot write {options.output or 'the report'}: {error.strerror or error}")
    if not judged and not breaches:
        return complain(
            "no column could be compared: " + "; ".join(f"{s.name!r}: {s.reason}" for s in skipped)
        )
    if faults := [s for s in skipped if s.fault]:
        return complain("; ".join(f"column {fault.name!r}: {fault.reason}" for fault in faults))
    if unjudged:
        return complain(f"--fail-on cannot judge {', '.join(map(repr, unjudged))}: see the report")
    return DRIFT if breaches else OK


def _unfit(options: argparse.Namespace) -> str:
    """What is wrong with --by, --window and --time, or with what else is asked for."""
    if options.by is not None and (options.window is not None or options.time is not None):
        return "--by must stand without --window and --time"
    if options.by is None and (options.window is None or options.time is None):
        return "--window and --time must both be given: --window 1D --time COLUMN"
    if options.scheduler:
        return "--by and --window must stand without --scheduler"
    if options.top is not None:
        return "--by and --window must stand without --top; --columns names what to compare"
    return ""


def _over(tables: Sequence[Any], options: argparse.Namespace, how: dict[str, Any], bar: Bar) -> int:
    """The same of each group or window."""
    from fastdiv.drift import series_text as text
    from fastdiv.drift.series import compare_over

    with bar:
        series = compare_over(*tables, by=options.by, window=options.window, time=options.time, **how)
    series = series.sorted(options.sort)
    breaches, unjudged = text.breaches_of(series, options.fail_on)

    def rendered() -> str:
        kind = _format(options)
        if kind == "json":
            return text.json_text(series, breaches)
        if kind == "csv":
            return text.comma_separated(series, options.escape_formulas)
        if kind == "md":
            return text.markdown(series, breaches)
        if kind == "html":
            return series.to_html(breaches)
        return text.table(series, breaches, _width(options))

    reports = [report for report in series.reports if report]
    skipped = {s.name: s for report in reports for s in report.skipped}
    judged = any(report.columns for report in reports)
    return _ended(rendered, options, judged, skipped.values(), breaches, unjudged[:9])


def _judged_by_missing(report: Report, rules: Sequence[Rule]) -> bool:
    """Whether the rules ask for nothing but missing values, which columns without any other can have."""
    from fastdiv.drift.rules import missing_change

    shares = any(missing_change(skipped) is not None for skipped in report.skipped)
    return shares and bool(rules) and all(rule.metric == "missing" for rule in rules)


def _sorted(report: Report, key: str, names: Sequence[str]) -> Report:
    from dataclasses import replace

    from fastdiv.drift.rules import metric_of

    if key == "verdict":
        return report
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
    from fastdiv.drift import records, render, wording

    kind = _format(options)
    if kind == "json":
        return records.json_text(report, breaches)
    if kind == "csv":
        return records.comma_separated(report, options.escape_formulas)
    if kind == "md":
        return render.markdown(report, breaches)
    if kind == "html":
        return report.to_html(breaches)
    drawable = options.output or _draws(wording.BLOCKS)
    blocks = wording.BLOCKS if drawable else wording.ASCII
    width = _width(options)
    if width is None:
        return render.table(report, breaches, blocks)
    from fastdiv.drift.terminal import shown

    with loading():  # rich
        return shown(report, breaches, blocks, width, options.top is not None)


def _width(options: argparse.Namespace) -> int | None:
    """That of the terminal, if the report goes to one."""
    if options.output or sys.stdout is None or not sys.stdout.isatty():
        return None
    return get_terminal_size().columns


def _format(options: argparse.Namespace) -> str:
    return options.format or _format_of(options.output or "") or "table"


def _format_of(path: str) -> str | None:
    """What the name of the file asks for; None, if that is nothing we write."""
    kinds = {".json": "json", ".csv": "csv", ".md": "md", ".markdown": "md", ".html": "html", ".htm": "html"}
    kinds |= {".txt": "table", "": "table"}
    return kinds.get(os.path.splitext(path)[1].lower())


def _draws(characters: str) -> bool:
    try:
        characters.encode(getattr(sys.stdout, "encoding", None) or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True


# -- argument types: argparse turns their errors into one line -----------------------------------------------


def names(text: str) -> list[str]:
    """Comma-separated names; quotes around a name that holds a comma."""
    import csv

    found = [name for name in next(csv.reader([text], skipinitialspace=True), []) if name]
    if not found:
        raise argparse.ArgumentTypeError("no column is named")
    return found


def _metric(text: str) -> str:
    from fastdiv.drift.rules import ALIASES

    return ALIASES.get(text, text)


def _rule(text: str) -> object:
    from fastdiv.drift.rules import parse_rule

    try:
        return parse_rule(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _window(text: str) -> str:
    from fastdiv.drift.windows import window_of

    try:
        return str(window_of(text))
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None


def _top(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1")
    return int(text)


def _bins(text: str) -> tuple[str | None, int]:
    name, named, number = text.rpartition("=")
    if not number.isdecimal() or not 2 <= int(number) <= 100_000:
        raise argparse.ArgumentTypeError(f"{number!r} is no whole number from 2 to 100000")
    return name if named else None, int(number)


def _edges(text: str) -> tuple[str, list[Any]]:
    name, named, edges = text.rpartition("=")
    if not named:
        raise argparse.ArgumentTypeError(f"{text!r} must be NAME=X,Y,...")
    return name, list(map(_number, edges.split(",")))


def _number(text: str) -> Any:
    """A number if it is one, else a date, as is found out where edges are checked."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            pass
    return text.strip()


def _pseudocount(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value < float("inf"):
        raise argparse.ArgumentTypeError(f"{text!r} is no finite number of 0 or more")
    return value


def size(text: str) -> int:
    from fastdiv.drift.memory import size_of

    try:
        return size_of(text)
    except ValueError as error:
        raise argparse.ArgumentTypeError(str(error)) from None
