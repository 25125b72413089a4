"""Files that are written as a whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import BinaryIO

__all__ = ["replacing"]


@contextmanager
def replacing(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A new file, which takes the name `path` once it is complete and on the disk; a link stays one.

    A device or a pipe cannot be replaced, only written to.
    """
    if os.path.exists(path) and not os.path.isfile(path):  # /dev/stdout leads to no name
        with open(path, "wb") as file:
            yield file
        return
    path = os.path.realpath(path)
    unfinished = f"{path}.{os.getpid()}.tmp"
    try:
        with open(unfinished, "xb") as file:
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(unfinished, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(unfinished)
        raise
