"""Columns are read and counted side by side, each by one thread, and come in the order asked for."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any, TypeVar

import numpy as np

from fastdiv._threads import num_threads
from fastdiv.drift.columns import Unread

__all__ = ["go_on", "side_by_side"]

_Result = TypeVar("_Result")

# Fewer values than this are counted in less time than a thread takes to begin.
_FEW = 1 << 14

# So many unread groups wait for each thread: they take no memory.
_AHEAD = 8

_mine = threading.local()


class _Unwanted(Exception):
    """Nobody waits for this thread's column any more."""


def go_on() -> None:
    """Ends this thread's column if nobody waits for it any more."""
    stop: threading.Event | None = getattr(_mine, "stop", None)
    if stop is not None and stop.is_set():
        raise _Unwanted


def _begin(stop: threading.Event) -> None:
    _mine.stop = stop


def side_by_side(
    work: Callable[..., _Result],
    groups: Iterable[tuple[Any, ...]],
    at_once: int = 1 << 30,
) -> Iterator[_Result]:
    """``work(u, v)`` of every pair, or however many columns a group has, in order.

    A thread reads what is unread itself; what has been read is one group ahead of the threads. Of these there
    are ``num_threads()``, but no more than `at_once`, and no other columns are in memory. The first error, in
    order, is raised, and Ctrl-C waits for no more than the pieces that are being read.
    """

    def done(group: tuple[Any, ...]) -> _Result:
        with np.errstate(under="ignore"):  # what is below the doubles is 0, whoever asks
            return work(*(column.read() if isinstance(column, Unread) else column for column in group))

    threads = max(1, min(num_threads(), at_once))
    if threads == 1:
        for group in groups:
            yield done(group)
            del group
        return
    from concurrent.futures import Future
    from concurrent.futures.thread import ThreadPoolExecutor

    stop = threading.Event()
    # starts no thread before there is work
    pool = ThreadPoolExecutor(threads, thread_name_prefix="fastdiv", initializer=_begin, initargs=(stop,))
    waiting: deque[Future[_Result]] = deque()
    try:
        for group in groups:
            if sum(map(_size, group)) < _FEW:
                here: Future[_Result] = Future()
                here.set_result(done(group))
                waiting.append(here)
            else:
                waiting.append(pool.submit(done, group))
            ahead = threads * (_AHEAD if all(isinstance(column, Unread) for column in group) else 1)
            del group  # what has been counted goes, while the next is read
            while len(waiting) >= ahead:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        stop.set()
        pool.shutdown(cancel_futures=True)


def _size(column: Any) -> int:
    return column.rows if isinstance(column, Unread) else len(column.numbers)
