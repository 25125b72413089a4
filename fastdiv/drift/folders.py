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
    with a dot or an underscore. What several links lead to is there once.
    """
    text = os.fspath(path)
    if os.path.isdir(text):
        found = [(file, Path(text)) for file in _below(text, known)]
        if not found:
            raise TableError(f"{text}: the folder has no table in it")
    elif has_magic(text) and not os.path.exists(text):
        parts = Path(text).parts
        fixed = Path(*parts[: next(i for i, part in enumerate(parts) if has_magic(part))])
        _refuse_unlisted(parts)
        found = []
        for match in sorted(glob(text, recursive=True)):
            if os.path.basename(match).startswith("_") and not parts[-1].startswith("_"):  # Spark's _SUCCESS
                continue
            inside = _below(match, known) if os.path.isdir(match) else [match]
            found += [(file, fixed) for file in inside]
        if not found:
            raise TableError(f"{text}: no file matches")
    else:
        return None
    return [(Path(file), _keys(Path(file).relative_to(base).parts[:-1])) for file, base in _each_once(found)]


def _below(folder: str, known: Callable[[str], bool]) -> list[str]:
    """Links to folders are followed last, and no folder is seen twice."""
    found: list[str] = []
    seen: set[str] = set()
    starts = [folder]
    for start in starts:
        for at, folders, files in os.walk(start, onerror=_refuse):
            real = os.path.realpath(at)
            inside = [] if real in seen else sorted(name for name in folders if not _is_hidden(name))
            folders[:] = [name for name in inside if not os.path.islink(os.path.join(at, name))]
            starts += [os.path.join(at, name) for name in inside if name not in folders]
            for name in sorted(files) if real not in seen else ():
                file = os.path.join(at, name)
                if _is_hidden(name):
                    continue
                if known(name):
                    found.append(file)
                elif ("=" in name or "." not in name) and not os.path.exists(file):
                    raise TableError(f"{file}: is a link to what is not there")
            seen.add(real)
    return found


def _refuse_unlisted(parts: Sequence[str]) -> None:
    """Folders that a glob leads through and that may not be looked into, which it would pass over."""
    first = next(i for i, part in enumerate(parts) if has_magic(part))
    for i, part in enumerate(parts[first:], first):
        for folder in glob(os.path.join(*parts[: i + (part == "**")], ""), recursive=True) if i else [""]:
            if os.path.basename(folder.rstrip(os.sep)) == "lost+found":
                continue
            try:
                if has_magic(part):
                    os.scandir(folder or ".").close()
                else:
                    os.lstat(os.path.join(folder, part))
            except (FileNotFoundError, NotADirectoryError):
                continue
            except OSError as error:
                _refuse(error)


def _is_hidden(name: str) -> bool:
    return name[0] in "._" or name == "lost+found"  # that of file systems, which root alone may list


def _refuse(error: OSError) -> None:
    raise TableError(f"{error.filename}: {error.strerror}")


def _each_once(found: Sequence[tuple[str, Path]]) -> list[tuple[str, Path]]:
    """Without other names of the same file, which are links: latest.parquet beside what that is."""
    kept: dict[str, tuple[str, Path]] = {}
    for file, base in found:
        real = os.path.realpath(file)
        own = real == os.path.join(os.path.realpath(base), os.path.relpath(file, base))
        if own or real not in kept:
            kept[real] = file, base
    return list(kept.values())


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
