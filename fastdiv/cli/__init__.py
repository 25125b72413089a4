"""The ``fastdiv`` command.

Exit codes: 0 for a comparison within the rules, 1 for drift that breaks a ``--fail-on`` rule, 2 for an
error. Nothing but argparse is imported until a command runs, so ``--help`` and ``--version`` are instant.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from typing import Any

from fastdiv._version import __version__
from fastdiv.cli import bench, compare, files, profile
from fastdiv.cli.console import INTERRUPTED, OK, Parser, Wrong, complain, drop, flush, loading

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    try:
        code = _run(sys.argv[1:] if argv is None else list(argv))
        flush()
        return code
    except Wrong as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        drop(sys.stdout)  # the reader (head, less) has seen enough
        return OK
    except ImportError as error:  # FASTDIV_ISA, or a broken installation
        return complain(str(error))
    except MemoryError:
        return complain("the tables do not fit into memory; --columns reads fewer columns")
    except Exception:  # a bug; exit code 1 would say "drift"
        import traceback

        traceback.print_exc()
        return complain("this is a bug in fastdiv; please report it with the lines above")


def _run(argv: list[str]) -> int:
    with loading():  # which argparse does by and by
        parser, commands = _parsers()
        if not argv:
            parser.print_help()
            return OK
        unknown = _unknown_option(argv, parser, commands)
        if unknown:
            return complain(unknown)
        options = parser.parse_args(argv)
    run: Callable[[argparse.Namespace], int] = options.run
    return run(options)


def _unknown_option(argv: Sequence[str], parser: argparse.ArgumentParser, commands: Any) -> str:
    """What to say of a long option that does not exist: argparse would first ask for what is missing."""
    for word in argv:
        name = word.partition("=")[0]
        parser = commands.choices.get(word, parser) if parser.prog == "fastdiv" else parser
        if word == "--":
            break
        if not name.startswith("--") or " " in name:
            continue
        known = [option for option in parser._option_string_actions if option.startswith("--")]
        if name not in known:
            from difflib import get_close_matches

            near = get_close_matches(name, known, 1)
            return f"unknown option {name}" + (f"; did you mean {near[0]}?" if near else "")
    return ""


def _parsers() -> tuple[argparse.ArgumentParser, Any]:
    parser = Parser(prog="fastdiv", description="Compare probability distributions.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"fastdiv {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    compare.add_parser(commands)
    profile.add_parser(commands)
    files.add_parsers(commands)
    bench.add_parser(commands)
    return parser, commands
