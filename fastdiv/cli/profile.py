"""``fastdiv profile``: a baseline made of tables, or of profiles of parts, in a file for ``compare``."""

from __future__ import annotations

import argparse
import os
import sys
from typing import TYPE_CHECKING, Any

from fastdiv.cli.cluster import add_scheduler, counted
from fastdiv.cli.compare import MODULES, names, size
from fastdiv.cli.console import OK, Bar, complain, drop, load, same_file, write
from fastdiv.cli.reading import add_reading, reading

if TYPE_CHECKING:
    from fastdiv.drift.baseline import Baseline

__all__ = ["add_parser"]


def add_parser(commands: Any) -> None:
    parser = commands.add_parser(
        "profile",
        help="prepare a baseline once, for compare to use again and again",
        description="Count the columns of tables, taken as one, into a file that compare takes for a table: "
        "it says the same, sooner, and needs no data. Profiles of parts may stand among the tables.",
        epilog="Exit codes: 0 written, 2 error: OUTPUT stays what it was.",
        allow_abbrev=False,
    )
    parser.set_defaults(run=_profile)
    add = parser.add_argument
    # fmt: off
    add("tables", metavar="TABLE", nargs="+",
        help="a table: .csv[.gz], .tsv[.gz], .parquet, .feather, .arrow, .npy or .npz; a profile: .fdp; or a "
        "folder, for all tables, or all profiles, in it and its folders; or a glob in quotes, "
        "'data/*.parquet'")
    add("-o", "--output", metavar="OUTPUT", required=True,
        help="write to OUTPUT, whose name ends in .fdp, and which is replaced as a whole or not at all")
    add("--values", metavar="N", type=_most, default=65_536,
        help="keep all of a numeric column of up to N distinct values; of more, counts and sums in cells, "
        "from which W1 comes with a proven bound on its error (default: 65536, at most 1 MB a column)")
    add("--categories", metavar="N", type=_most, default=10_000,
        help="keep the N most frequent categories of a column, and the rest as one (default: 10000)")
    add("--exact", action="store_true", help="keep everything, whatever memory it takes")
    add("--columns", metavar="A,B", action="extend", type=names, help="count only these")
    add("--categorical", metavar="A,B", action="extend", type=names, default=[],
        help="take these as categories even if they look like numbers or dates")
    add("--memory", metavar="SIZE", type=size,
        help="how much memory columns may take while they are read, such as 500MB or 2GB (default: a quarter "
        "of the memory); .npz is held whole, and with --weights so are CSV and .npy")
    add("--weights", metavar="COLUMN",
        help="numbers of 0 or more that weigh the rows; compare then weighs the other table by its COLUMN")
    add_reading(add)
    add_scheduler(add)
    # fmt: on


def _most(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) < 2**53:
        raise argparse.ArgumentTypeError(f"{text!r} is no whole number from 1 to 2^53")
    return int(text)


def _profile(options: argparse.Namespace) -> int:
    load(*MODULES, "fastdiv.drift.baseline", "fastdiv.drift.profile_file")
    from fastdiv.drift.folders import is_profile

    if not options.output.lower().endswith(".fdp"):
        return complain(f"OUTPUT must end in .fdp, not be {options.output}")
    if any(same_file(options.output, path) and not is_profile(path) for path in options.tables):
        return complain(f"{options.output} is one of the tables; the profile would replace it")
    bar = Bar()
    try:
        with bar:
            baseline = _made(options, bar)
        baseline.save(options.output)
    except ValueError as error:  # a TableError is one
        return complain(str(error))
    except MemoryError:
        less = "without --exact less is kept" if options.exact else "--columns reads fewer columns"
        return complain(f"the tables do not fit into memory; {less}")
    except OSError as error:
        return complain(f"cannot write {options.output}: {error.strerror or error}")
    try:
        write(_told(baseline, options), None)
    except BrokenPipeError:
        drop(sys.stdout)
    return OK


def _made(options: argparse.Namespace, bar: Bar) -> Baseline:
    from fastdiv.drift.baseline import Baseline
    from fastdiv.drift.columns import TableError, no_column, with_columns
    from fastdiv.drift.folders import files_of, is_profile
    from fastdiv.drift.tables import read_table

    limits = (None, None) if options.exact else (options.values, options.categories)
    baseline = Baseline(values=limits[0], categories=limits[1], weights=options.weights)
    named = [(given, files_of(given, options.output)) for given in options.tables]
    paths = [path for _, files in named for path in files]
    if options.scheduler:
        return counted(options, [paths], labels=paths[:1], values=limits[0], categories=limits[1])[0]
    profiles = [path for path in paths if is_profile(path)]
    tables = [given for given, files in named if not is_profile(files[0])]
    steps = len(profiles) + bool(tables)
    if tables:
        table = read_table(tables, categorical=options.categorical, **reading(options))
        columns = options.columns and [*options.columns, *filter(None, [options.weights])]
        try:
            baseline.update(
                with_columns(table, columns) if columns else table,
                memory=options.memory,
                progress=lambda share: bar.show(share / steps, table.label),
            )
        except OSError as error:
            raise TableError(f"{error.filename or table.label}: {error.strerror or error}") from None
    for i, path in enumerate(profiles, bool(tables)):
        bar.show(i / steps, path)
        part = Baseline.load(path)
        try:
            baseline = baseline.merge(part)
        except TableError:
            raise
        except ValueError:
            raise TableError(f"{path}: was made with other --values, --categories or --exact") from None
    for name in options.categorical:
        if name not in baseline.names:
            raise no_column(name, baseline.names)
    return baseline


def _told(baseline: Baseline, options: argparse.Namespace) -> str:
    from fastdiv.drift.wording import clean

    n, size = len(baseline.names), os.path.getsize(options.output)
    unit, scale = ("MB", 1e6) if size >= 1e6 else ("kB", 1e3)
    rows = f"{baseline.rows:,} row{'s' * (baseline.rows != 1)}, {n:,} column{'s' * (n != 1)}"
    lines = [f"{options.output}: {rows}, {size / scale:.3g} {unit}"]
    if baseline.approximate:
        some = ", ".join(baseline.approximate)
        lines.append(
            f"not all values kept, W1 within a bound, rare categories as one (--exact keeps all): {some}"
        )
    return "".join(f"{clean(line)}\n" for line in lines)
