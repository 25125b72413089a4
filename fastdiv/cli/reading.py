"""How CSV files are read: options that commands share."""

from __future__ import annotations

import argparse
from typing import Any

__all__ = ["add_reading", "reading"]


def add_reading(add: Any) -> None:
    # fmt: off
    add("--delimiter", metavar="D", type=_delimiter,
        help="of CSV files (default: the most frequent of , ; tab | in line 1)")
    add("--missing", metavar="TEXT", action="append", default=[],
        help="a CSV cell that means missing, besides NA, NaN, null and the like; repeatable")
    add("--decimal", metavar="D", type=_mark, default=".",
        help="the decimal mark of numbers in CSV files (default: a point)")
    add("--thousands", metavar="T", type=_mark,
        help="what separates thousands in numbers of CSV files, such as . in 1.234,5 (default: nothing)")
    # fmt: on


def reading(options: argparse.Namespace) -> dict[str, Any]:
    """What ``read_table`` is told of them."""
    names = ("missing", "delimiter", "decimal", "thousands")
    return {name: getattr(options, name) for name in names}


def _mark(text: str) -> str:
    from fastdiv.drift.numerals import Numerals

    try:
        Numerals(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is no single mark that numbers have") from None
    return text


def _delimiter(text: str) -> str:
    text = {"tab": "\t", "\\t": "\t"}.get(text, text)
    if len(text) != 1 or text in '"\r\n':
        raise argparse.ArgumentTypeError(f"{text!r} is no single character")
    return text
