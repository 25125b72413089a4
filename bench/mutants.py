"""Where C or Python can be made wrong, and how: signs, comparisons, constants, dropped ends and lines.

A site is a place in a text and what stands there instead. Formatters put spaces around binary operators and
none after a pointer's star, which is how the two are told apart.
"""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from typing import Any, NamedTuple

SWAPS = {
    "+": "-",
    "-": "+",
    "*": "/",
    "/": "*",
    "//": "*",
    "+=": "-=",
    "-=": "+=",
    "*=": "/=",
    "<": "<=",
    "<=": "<",
    ">": ">=",
    ">=": ">",
    "==": "!=",
    "!=": "==",
    "&&": "||",
    "||": "&&",
    "&": "|",
    "|": "&",
    "<<": ">>",
    ">>": "<<",
}
WORDS = {"and": "or", "or": "and", "True": "False", "False": "True", "min": "max", "max": "min"}

C_TOKEN = re.compile(
    r"(?P<skip>/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\])*\"|'(?:\\.|[^'\\])*'"
    r"|^[ ]*\#[ ]*(?:include|if|el|endif|pragma|undef)(?:[^\n]*\\\n)*[^\n]*)"
    r"|(?P<number>\b(?:0x[0-9a-fA-F.]+(?:p[-+]?\d+)?|\d+\.?\d*(?:e[-+]?\d+)?)[uUlLfF]*)"
    r"|(?P<word>[A-Za-z_]\w*)"
    r"|(?P<operator>(?<= )(?:<<|>>|[-+*/]=|[<>=!]=|&&|\|\||[-+*/<>&|])(?= ))",
    re.DOTALL | re.MULTILINE,
)
STATEMENT = re.compile(
    r"^( +)(?!return|goto|break|continue|case|typedef|const |static )([^;{}#/]+(?:=|\()[^;{}]*;)$", re.M
)
DECLARATION = re.compile(r"^[A-Za-z_]\w*(?: [A-Za-z_]\w*)* \**[A-Za-z_]\w*(?:\[[^]]*\])? *[=;,]")
LOOP = re.compile(r"(?<=; )\w+ < ([\w>.-]+)(?=; )")
CONDITION = re.compile(r"\bif \((?P<all>[^()\n]*(?:\([^()\n]*\)[^()\n]*)*)\)")


class Site(NamedTuple):
    start: int
    end: int
    becomes: str
    kind: str


def of_c(text: str) -> Iterator[Site]:
    """Sites of a C file."""
    skipped = []
    for found in C_TOKEN.finditer(text):
        start, end, kind = found.start(), found.end(), found.lastgroup
        if kind == "skip":
            skipped.append((start, end))
        elif kind == "number":
            yield Site(start, end, changed(found[0]), "constant")
        elif kind == "operator" and found[0] in SWAPS:
            yield Site(start, end, SWAPS[found[0]], _kind(found[0]))

    def is_code(found: re.Match[str]) -> bool:
        return not any(a <= found.start() < b for a, b in skipped)

    for found in filter(is_code, STATEMENT.finditer(text)):
        if not DECLARATION.match(found[2]):
            yield Site(found.start(2), found.end(2), ";", "dropped line")
    for found in filter(is_code, LOOP.finditer(text)):
        yield Site(found.start(1), found.end(1), f"{found[1]} - 1", "dropped end")
    for found in filter(is_code, CONDITION.finditer(text)):
        yield Site(found.start("all"), found.end("all"), f"!({found['all']})", "condition")


def of_python(text: str) -> Iterator[Site]:
    """Sites of a Python file."""
    lines = [0]
    for line in text.splitlines(keepends=True):
        lines.append(lines[-1] + len(line))
    hints = _annotations(text, lines)
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        start, end = (lines[row - 1] + column for row, column in (token.start, token.end))
        if any(a <= start < b for a, b in hints):
            continue
        binary = text[start - 1 : start] == text[end : end + 1] == " "
        if token.type == tokenize.OP and binary and token.string in SWAPS:
            yield Site(start, end, SWAPS[token.string], _kind(token.string))
        elif token.type == tokenize.NUMBER:
            yield Site(start, end, changed(token.string), "constant")
        elif token.type == tokenize.NAME and token.string in WORDS:
            yield Site(start, end, WORDS[token.string], "condition")
    for node in ast.walk(ast.parse(text)):
        span = _span(node, lines)
        if isinstance(node, (ast.If, ast.IfExp)):
            start, end = _span(node.test, lines)
            yield Site(start, end, f"(not ({text[start:end]}))", "condition")
        elif isinstance(node, ast.Raise | ast.Assign | ast.AugAssign) or (
            isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)
        ):
            yield Site(*span, "pass", "dropped line")


def _span(node: ast.AST, lines: list[int]) -> tuple[int, int]:
    """Where a node stands; texts here are ASCII, so columns of bytes are those of characters."""
    if not hasattr(node, "lineno"):
        return 0, 0
    return lines[node.lineno - 1] + node.col_offset, lines[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]


def _annotations(text: str, lines: list[int]) -> list[tuple[int, int]]:
    """What is said to readers alone."""
    found = []
    for node in ast.walk(ast.parse(text)):
        for name in ("annotation", "returns"):
            hint = getattr(node, name, None)
            if isinstance(hint, ast.AST):
                found.append(_span(hint, lines))
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.dump(node.test):
            found.append(_span(node, lines))
    return found


def _kind(operator: str) -> str:
    if operator in ("<", "<=", ">", ">=", "==", "!="):
        return "comparison"
    return "condition" if operator in ("&&", "||") else "sign"


def changed(number: str) -> str:
    """One more of an integer, a real number a tenth larger."""
    digits = number.rstrip("uUlL")
    suffix = number[len(digits) :]
    if re.fullmatch(r"\d+|0x[0-9a-fA-F]+", digits):
        return f"{int(digits, 0) + 1}{suffix}"
    if digits.startswith("0x"):
        return f"(1.1 * {number})"
    return repr(1.1 * float(digits.rstrip("fF"))) if float(digits.rstrip("fF")) else "1.0"


def line_of(text: str, site: Site) -> int:
    return text.count("\n", 0, site.start) + 1


def identity(name: str, text: str, site: Site) -> dict[str, Any]:
    """What a mutant is, whatever moves around it: its line and the how-manieth such site in it."""
    line = line_of(text, site)
    start = text.rfind("\n", 0, site.start) + 1
    whole = text[start : text.find("\n", site.end)]
    was = text[site.start : site.end]
    return {
        "file": name,
        "line": line,
        "column": site.start - start,
        "kind": site.kind,
        "was": was,
        "becomes": site.becomes,
        "text": whole.strip()[:160],
    }


def key(of: dict[str, Any]) -> tuple[Any, ...]:
    return of["file"], of["line"], of["column"], of["was"], of["becomes"]
