"""How the numbers of a report are told, and names from the data that may be printed.

Names and values come from the data, so no text passes on what could steer a terminal: control and invisible
characters are dropped.
"""

from __future__ import annotations

import re
import shlex
import unicodedata
from math import ceil
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fastdiv.drift.report import ColumnDrift

__all__ = [
    "OTHERS",
    "ASCII",
    "BLOCKS",
    "clean",
    "counted",
    "distances",
    "mean_of",
    "noises",
    "p_value",
    "percent",
    "short",
    "sparklines",
    "spelled",
]

# What all categories together are called that a side has let go.
OTHERS = "(all others)"

BLOCKS = " ▁▂▃▄▅▆▇█"
ASCII = " .:-=+*#@"

_ANSI = re.compile(r"\x1b(\[[0-?]*[ -/]*[@-~]|\][^\x07\x1b]*(\x07|\x1b\\)?|.)?", re.DOTALL)


def clean(text: str) -> str:
    """`text` without escape sequences and control, format, surrogate or private characters, on one line."""
    text = re.sub(r"[\t\n\r\u2028\u2029]", " ", _ANSI.sub("", text))
    return "".join(c for c in text if unicodedata.category(c)[0] != "C")


def spelled(word: str) -> str:
    """A word for a shell (bash, zsh), what cannot be seen by its escapes."""
    if word.isprintable():
        return shlex.quote(word)
    return "$'" + "".join(c if c.isprintable() and c not in "\\'" else _escape(ord(c)) for c in word) + "'"


def _escape(code: int) -> str:
    if 0xDC80 <= code <= 0xDCFF:  # a byte that is no UTF-8
        return f"\\x{code - 0xDC00:02x}"
    return f"\\x{code:02x}" if code < 0x80 else f"\\u{code:04x}" if code < 1 << 16 else f"\\U{code:08x}"


def sparklines(c: ColumnDrift, blocks: str) -> tuple[str, str]:
    """Both sides' bars to one scale; a bar that is not empty shows at least the lowest block.

    A last bar for all other values does not count for the scale, which it would swamp.
    """
    shares = [*c.bars_baseline, *c.bars_current]
    if c.bars_rest:
        shares = [*c.bars_baseline[:-1], *c.bars_current[:-1]]
    top = max(shares) or 1.0
    steps = len(blocks) - 1
    upper, lower = (
        "".join(blocks[min(steps, ceil(share / top * steps - 1e-9))] for share in side)
        for side in (c.bars_baseline, c.bars_current)
    )
    return upper, lower


def counted(n: float) -> str:
    """A number of rows, or of weights over their mean."""
    return f"{n:,}" if isinstance(n, int) else f"{n:,.1f}"


def distances(c: ColumnDrift) -> list[str]:
    w1 = short(c.w1_over_sd)
    if c.w1_over_sd_bound:
        w1 = f"{w1} +/- {short(c.w1_over_sd_bound)}"
    return [short(c.js), w1, short(c.kl), short(c.psi)]


def noises(c: ColumnDrift) -> list[str]:
    return [short(x) for x in (c.noise.js, c.noise.w1_over_sd, c.noise.kl, c.noise.psi)]


def p_value(value: float) -> str:
    return "<.001" if value < 0.001 else f"{value:.3f}".rstrip("0").rstrip(".")


def short(value: float | None) -> str:
    if value is None:
        return "-"
    if value == 0:
        return "0"
    if value < 0.0005:
        return "<.001"
    return f"{value:.3f}" if value < 1000 else f"{value:.3g}"


def mean_of(c: ColumnDrift, mean: float | None) -> str:
    if mean is None:
        return "-"
    if c.kind == "datetime":
        return _minute(mean)
    return f"{mean:.4g}" if abs(mean) < 0.1 or abs(mean) >= 1e7 else f"{mean:,.2f}"


def _minute(seconds: float) -> str:
    import numpy as np

    return str(np.datetime64(int(round(seconds, 6) // 60), "m")).replace(
        "T", " "
    )  # any year, unlike datetime


def percent(share: float) -> str:
    if share == 0:
        return "0%"
    return "<0.1%" if share < 0.0005 else f"{100 * share:.1f}%"
