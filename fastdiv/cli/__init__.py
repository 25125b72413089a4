"""The ``fastdiv`` command.

Exit codes: 0 for a comparison within the rules, 1 for drift that breaks a ``--fail-on`` rule, 2 for an
error. Nothing but argparse is imported until a command runs, so ``--help`` and ``--version`` are instant.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence

from fastdiv._version import __version__
from fastdiv.cli import compare, files
from fastdiv.cli.console import INTERRUPTED, Parser, Wrong, complain, drop

__all__ = ["main"]


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    try:
        options = _parser().parse_args(argv)
        run: Callable[[argparse.Namespace], int] = options.run
        return run(options)
    except Wrong as error:
        return complain(str(error))
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:
        drop(sys.stdout)  # the reader (head, less) has seen enough
        return complain("the output was closed before the whole report was written")
    except ImportError as error:  # FASTDIV_ISA, or a broken installation
        return complain(str(error))
    except MemoryError:
        return complain("the tables do not fit into memory; --columns reads fewer columns")
    except Exception:  # a bug; exit code 1 would say "drift"
        import traceback

        traceback.print_exc()
        return complain("this is a bug in fastdiv; please report it with the lines above")


def _parser() -> argparse.ArgumentParser:
    parser = Parser(prog="fastdiv", description="Compare probability distributions.", allow_abbrev=False)
    parser.add_argument("--version", action="version", version=f"fastdiv {__version__}")
    commands = parser.add_subparsers(title="commands", dest="command", metavar="COMMAND", required=True)
    compare.add_parser(commands)
    files.add_parsers(commands)
    return parser
