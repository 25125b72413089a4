"""Which files a path stands for, itself or all of a folder or a glob; and what their names say they are."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from glob import glob, has_magic
from pathlib import Path
from urllib.parse import unquote

from fastdiv.drift.columns import TableError

__all__ = ["Source", "files_of", "is_data", "is_known", "is_profile", "reader_of", "sources_of"]

_READERS = {
    "csv": (".csv", ".tsv"),
    "parquet": (".parquet", ".pq"),
    "ipc": (".feather", ".arrow"),
    "numpy": (".npy", ".npz"),
    "profile": (".fdp",),
}


def reader_of(name: str) -> str | None:
    """Which reader the name of a file asks for."""
    name = name.lower()
    zipped = name.endswith(".gz")
    for reader, endings in _READERS.items():
        if name.removesuffix(".gz").endswith(endings) and (reader == "csv" or not zipped):
            return reader
    return None


def is_known(name: str) -> bool:
    """Whether the name of a file says that it is a table or a profile."""
    return reader_of(name) is not None


def is_profile(name: str) -> bool:
    return reader_of(name) == "profile"


def is_data(name: str) -> bool:
    """Whether it says that it is a table and no profile."""
    return reader_of(name) not in (None, "profile")


Source = tuple[Path, Mapping[str, str]]  # a file, and the keys that its folders name


def sources_of(path: str | os.PathLike[str], known: Callable[[str], bool]) -> list[Source] | None:
    """The files that a glob or a folder stands for, sorted, with their keys; None for what is one file.

    Of a folder those below it that are `known` tables, and whose names, and folders' names, do not begin
    with a dot or an underscore.
    """
    text = os.fspath(path)
    if os.path.isdir(text):
        found = [(file, Path(text)) for file in _below(text, known)]
        if not found:
            raise TableError(f"{text}: the folder has no table in it")
    elif has_magic(text) and not os.path.exists(text):
        parts = Path(text).parts
        fixed = Path(*parts[: next(i for i, part in enumerate(parts) if has_magic(part))])
        found = []
        for match in sorted(glob(text, recursive=True)):
            if os.path.basename(match).startswith("_") and not parts[-1].startswith("_"):  # Spark's _SUCCESS
                continue
            inside = _below(match, known) if os.path.isdir(match) else [match]
            found += [(file, fixed) for file in inside]
        if not found:
            raise TableError(f"{text}: no file matches")
        found = list(dict.fromkeys(found))  # ** finds a file and its folder
    else:
        return None
    return [(Path(file), _keys(Path(file).relative_to(base).parts[:-1])) for file, base in found]


def _below(folder: str, known: Callable[[str], bool]) -> list[str]:
    found: list[str] = []
    for at, folders, files in os.walk(folder):
        folders[:] = sorted(name for name in folders if name[0] not in "._")
        found += [os.path.join(at, name) for name in sorted(files) if name[0] not in "._" and known(name)]
    return found


def _keys(folders: Sequence[str]) -> dict[str, str]:
    return {
        unquote(key): unquote(value) for key, is_one, value in (x.partition("=") for x in folders) if is_one
    }


def files_of(path: str, but: str | None = None) -> list[str]:
    """The path; or of a folder or a glob all tables, or all profiles, but for one file."""
    sources = sources_of(path, is_known)
    if sources is None:
        return [path]
    found = [str(file) for file, _ in sources]
    if but is not None and os.path.exists(but):
        found = [file for file in found if not os.path.samefile(file, but)]
    if not found:
        raise TableError(f"{path}: there is no table or profile in it")
    if 0 < sum(map(is_profile, found)) < len(found):  # of the same rows, as like as not
        raise TableError(f"{path}: holds both tables and profiles; name those that are meant")
    return found
