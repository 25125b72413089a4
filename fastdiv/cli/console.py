"""Where the command's words go: the report, whole or not at all, and one line for every error."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any, NoReturn, Self, TextIO

from fastdiv._files import replacing

__all__ = [
    "DRIFT",
    "ERROR",
    "INTERRUPTED",
    "OK",
    "Bar",
    "Parser",
    "Wrong",
    "complain",
    "drop",
    "flush",
    "load",
    "loading",
    "same_file",
    "say",
    "write",
]

OK, DRIFT, ERROR, INTERRUPTED = 0, 1, 2, 130


class Wrong(Exception):
    """What is wrong with the call or its files, in one sentence."""


class Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise SystemExit(complain(message))

    def exit(self, status: int = 0, message: str | None = None) -> NoReturn:
        flush()
        super().exit(status, message)


def complain(message: str) -> int:
    say(f"error: {message}")
    return ERROR


def say(message: str) -> None:
    """One line on standard error."""
    from fastdiv.drift.wording import clean

    line = f"fastdiv: {clean(message)}\n"
    try:
        encoding = sys.stderr.encoding or "ascii"
        sys.stderr.write(line.encode(encoding, "backslashreplace").decode(encoding))
        sys.stderr.flush()
    except (OSError, AttributeError):  # closed, or None
        drop(sys.stderr)


def write(text: str, path: str | None) -> None:
    if path is None:
        if sys.stdout is None:
            raise OSError("standard output is closed")
        encoding = sys.stdout.encoding or "ascii"
        text = text.encode(encoding, "backslashreplace").decode(encoding)
        # by lines: under PYTHONUNBUFFERED Python drops what one write to a closing pipe leaves over
        sys.stdout.writelines(text.splitlines(keepends=True))
        sys.stdout.flush()
        return
    with replacing(path) as new:
        new.write(text.encode())


def flush() -> None:
    """What is buffered goes out while errors can be told; a reader that has seen enough is none."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        drop(sys.stdout)
        if not isinstance(error, BrokenPipeError):
            raise Wrong(f"cannot write to standard output: {error.strerror}") from None


def drop(stream: TextIO) -> None:
    """Sends what is left in the stream's buffer nowhere: Python would try once more at exit, and complain."""
    with suppress(OSError, AttributeError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


@contextmanager
def loading() -> Iterator[None]:
    """Modules are loaded, and Ctrl-C waits.

    One that came then could be lost in a callback of Python's importer, or become an error of NumPy's, which
    takes its installation for broken.
    """
    import signal

    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)  # and raises what has come


def load(*names: str) -> None:
    """Load modules by name, which a run then finds loaded."""
    from importlib import import_module

    with loading():
        for name in names:
            import_module(name)


def same_file(a: str, b: str) -> bool:
    return os.path.exists(a) and os.path.exists(b) and os.path.samefile(a, b)


# Seconds before which no bar is shown, and until it is drawn again.
_SOON, _AGAIN = 0.5, 0.1


class Bar:
    """A progress bar with the time left, on standard error if that is a terminal; of rich, if installed.

    There is none before it has something to tell, half a second, and none is left when it is closed.
    """

    def __init__(self) -> None:
        self.began, self.first = 0.0, 0.0
        self.next = time.monotonic() + _SOON
        self.seen = self.shown = False
        self.rich: Any = None
        with suppress(AttributeError, ValueError):  # None, or closed
            self.shown = sys.stderr.isatty()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def show(self, share: float, what: str) -> None:
        """``share`` of the work is done; ``what`` is told beside it."""
        if not self.shown or time.monotonic() < self.next:
            return
        from fastdiv.drift.wording import clean

        what = clean(what)
        self.next = time.monotonic() + _AGAIN
        if not self.seen:
            self.seen, self.first, self.began = True, share, time.monotonic()
            self.rich = _rich_bar()
        if self.rich:
            self.rich.update(self.rich.task_ids[0], completed=share, description=what)
            return
        text = f"[{'#' * round(30 * share):<30}] {100 * share:3.0f} %  {what}"
        if share > self.first:
            left = (time.monotonic() - self.began) / (share - self.first) * (1.0 - share)
            text += f"  {left:.0f} s left"
        width = os.get_terminal_size(sys.stderr.fileno()).columns or 80
        with suppress(OSError):
            sys.stderr.write(f"\r{text[: width - 1]}\x1b[K")
            sys.stderr.flush()

    def close(self) -> None:
        if self.rich:
            self.rich.stop()
        elif self.seen:
            with suppress(OSError):
                sys.stderr.write("\r\x1b[K")
                sys.stderr.flush()
        self.rich, self.seen = None, False


def _rich_bar() -> Any:
    """A bar of rich, begun; None without rich."""
    try:
        from rich import progress
        from rich.console import Console
    except ImportError:
        return None
    columns = progress.TextColumn("{task.description}", markup=False), progress.BarColumn()
    more = progress.TaskProgressColumn(), progress.TimeRemainingColumn()
    bar = progress.Progress(*columns, *more, console=Console(stderr=True), transient=True)
    bar.add_task("", total=1.0)
    bar.start()
    return bar
