"""``fastdiv pairwise`` and ``fastdiv nearest``: matrices and neighbours of .npy files of any size.

A result is written to ``OUTPUT.part``, block by block of rows, with the number of finished rows beside it in
``OUTPUT.part.json``, and takes its name only when it is complete. Running the same command again goes on
where an interrupted one stopped.
"""

from __future__ import annotations

import argparse
import os
from typing import TYPE_CHECKING, Any

import fastdiv
from fastdiv._files import replacing
from fastdiv.cli.console import Bar, Wrong, complain, load, same_file, say

if TYPE_CHECKING:
    import numpy as np

__all__ = ["add_parsers"]

# matrix.METRICS without NumPy: the public measures of two distributions; a test holds the two together
_HOME = vars(fastdiv)["_HOME"].items()
_METRICS = (
    "cross_entropy",
    *(name for name, home in _HOME if home in ("fastdiv._divergences", "fastdiv._distances")),
    "wasserstein",
)

# all that a run loads
_MODULES = (
    "json",
    "mmap",
    "zipfile",
    "fastdiv.matrix.neighbours",
    "fastdiv._wasserstein",
    "fastdiv.drift.wording",
)

# the options of metrics that a shell can say
_NUMBERS = {"base": float, "pseudocount": float, "alpha": float, "p": float}


def add_parsers(commands: Any) -> None:
    """Add the two commands to those of the command; each sets ``run``, which takes the options."""
    pairwise = commands.add_parser(
        "pairwise",
        help="distances of every row of A.npy to every row of B.npy",
        description="Distances of every row of A.npy to every row of B.npy (or of A.npy), as a .npy file. "
        "An interrupted run goes on where it stopped when it is started again.",
        allow_abbrev=False,
    )
    pairwise.set_defaults(run=_pairwise)
    _add_common(pairwise, "the matrix, rows of A by rows of B")

    nearest = commands.add_parser(
        "nearest",
        help="the K nearest rows of B.npy for every row of A.npy",
        description="The K nearest rows of B.npy (or of A.npy) for every row of A.npy, exactly: an .npz file "
        "with `distances` and `indices`. An interrupted run goes on when it is started again.",
        allow_abbrev=False,
    )
    nearest.set_defaults(run=_nearest)
    _add_common(nearest, "distances and indices, .npz")
    nearest.add_argument("-k", type=int, required=True, metavar="K", help="how many neighbours")
    nearest.add_argument(
        "--exclude-self", action="store_true", help="of A alone: no row is its own neighbour"
    )


def _add_common(parser: Any, output: str) -> None:
    add = parser.add_argument
    add("A", help="a two-dimensional .npy file, one distribution a row")
    add("B", nargs="?", help="another, with as many bins (default: A)")
    add("-o", "--output", metavar="FILE", required=True, help=output)
    add(
        "--metric",
        default="js_distance",
        metavar="NAME",
        help=f"default: js_distance; of {', '.join(_METRICS)}",
    )
    add("--restart", action="store_true", help="throw away what an interrupted run has finished")
    add("--workers", type=int, metavar="N", help="threads at most (default: all)")
    add(
        "--samples",
        action="store_true",
        help="with wasserstein: rows are samples (A's and B's may differ in size), not masses",
    )
    for name, type_ in _NUMBERS.items():
        add(
            f"--{name}",
            type=type_,
            metavar="X",
            help="the order of wasserstein, with --samples" if name == "p" else f"the metric's {name}",
        )


def _pairwise(options: argparse.Namespace) -> int:
    return _guarded(_run_pairwise, options)


def _nearest(options: argparse.Namespace) -> int:
    return _guarded(_run_nearest, options)


def _guarded(run: Any, options: argparse.Namespace) -> int:
    """Runs, and says in one line what was wrong; errors about data name the file."""
    try:
        output = _a_file(options.output)
        _check_suffix(options)
        options.output = output
        load(*_MODULES)
        run(options)
    except (ValueError, TypeError, MemoryError, Wrong) as error:
        return complain(str(error))
    except OSError as error:
        name = str(error.filename or options.output)
        if name.startswith(f"{options.output}."):
            name = options.output
        return complain(f"{name}: {error.strerror or error}")
    return 0


def _check_suffix(options: argparse.Namespace) -> None:
    """numpy.load goes by what is in a file, others by its name: it must not say the other of the two."""
    right, wrong = (".npy", ".npz") if options.command == "pairwise" else (".npz", ".npy")
    if options.output.lower().endswith(wrong):
        raise Wrong(f"FILE of {options.command} must end in {right}, not be {options.output}")


def _a_file(path: str) -> str:
    """Where the result goes, through a link to the file itself; it grows beside it and takes its name.

    So neither a directory nor a device will do, which would be replaced.
    """
    if os.path.islink(path):
        path = os.path.realpath(path)
    folder = os.path.dirname(path) or "."
    if not os.path.isdir(folder):
        raise Wrong(f"cannot write {path}: No such file or directory")
    if os.path.exists(path) and not os.path.isfile(path):
        what = "Is a directory" if os.path.isdir(path) else "Is not a regular file"
        raise Wrong(f"cannot write {path}: {what}")
    return path


def _load(path: str) -> np.ndarray[Any, Any]:
    """A .npy file, mapped; never a pickle."""
    import numpy as np

    with open(path, "rb") as file:
        if file.read(6) != b"\x93NUMPY":
            raise Wrong(f"{path} is no .npy file: numpy.save(file, array) writes one")
    try:
        array: np.ndarray[Any, Any] = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Wrong(f"{path} is no .npy file of numbers: {error}") from None
    if array.ndim != 2:
        raise Wrong(f"{path} must hold a two-dimensional array, one distribution a row, not {array.ndim}-d")
    return array


def _names(options: argparse.Namespace) -> tuple[str, str]:
    """What errors call the two sides."""
    return options.A, options.B or options.A


def _metric_options(options: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(options, name) for name in _NUMBERS if getattr(options, name) is not None}
    if options.samples:
        given["samples"] = True
    from fastdiv.matrix.metric import METRICS

    taken = METRICS[options.metric].options if options.metric in METRICS else tuple(given)
    for name in given:
        if name not in taken:
            words = [f"--{option}" for option in taken if option in (*_NUMBERS, "samples")]
            raise Wrong(f"metric {options.metric} has no --{name}; it takes {', '.join(words)}")
    if options.metric == "renyi_divergence" and "alpha" not in given:
        raise Wrong("metric renyi_divergence needs --alpha X, the order")
    return given


def _inputs(options: argparse.Namespace) -> tuple[Any, Any]:
    """The rows of both files; one array where they are one."""
    for path in (options.A, options.B):
        if path is not None and same_file(path, options.output):
            raise Wrong(f"{options.output} is an input; the result would replace it")
    XA = _load(options.A)
    return XA, XA if options.B is None else _load(options.B)


# --- pairwise ----------------------------------------------------------------------------------------------


def _stamp(path: str) -> list[Any]:
    """What changes if a file does."""
    status = os.stat(path)
    return [os.path.abspath(path), status.st_size, status.st_mtime_ns]


def _run_pairwise(options: argparse.Namespace) -> None:
    import numpy as np

    from fastdiv.matrix import Job

    XA, XB = _inputs(options)
    job = Job(XA, XB, options.metric, _metric_options(options), options.workers, _names(options))
    n = job.shape[0]
    if 0 in job.shape:
        with replacing(options.output) as file:
            np.save(file, np.empty(job.shape, job.dtype))
        return
    with _Part(options, job.shape, job.dtype) as part:
        job.fill(part.out, lambda share: part.progress(round(share * n)), part.done, in_order=True)
    part.becomes(options.output)


class _Part:
    """A result that is written block by block, and the note beside it of how many rows are finished."""

    def __init__(self, options: argparse.Namespace, shape: tuple[int, int], dtype: np.dtype[Any]) -> None:
        import numpy as np

        self.path, self.note = f"{options.output}.part", f"{options.output}.part.json"
        self.rows = shape[0]
        self.content = {
            "command": options.command,
            "A": _stamp(options.A),
            "B": _stamp(options.B or options.A),
            "metric": options.metric,
            "options": _metric_options(options) | {"exclude_self": getattr(options, "exclude_self", False)},
            "shape": list(shape),
            "dtype": str(dtype),
        }
        self.done = 0 if options.restart else self._finished()
        if self.done:
            self.out = np.lib.format.open_memmap(self.path, mode="r+")
            say(f"going on after {self.done} of {self.rows} rows")
        else:
            _remove(self.note)
            try:
                self.out = np.lib.format.open_memmap(self.path, mode="w+", dtype=dtype, shape=shape)
                # room on the disk: to run out of it while a mapped file is written ends the process
                with open(self.path, "rb+") as file:
                    os.posix_fallocate(file.fileno(), 0, os.path.getsize(self.path))
            except OSError:
                vars(self).pop("out", None)
                _remove(self.path)
                raise

    def _refuse_changes(self) -> None:
        for path in (self.content["A"][0], self.content["B"][0]):
            if _stamp(path) not in (self.content["A"], self.content["B"]):
                raise Wrong(f"{os.path.relpath(path)} changed while it was read")

    def __enter__(self) -> _Part:
        self.bar = Bar()
        return self

    def __exit__(self, kind: Any, *_: object) -> None:
        self.bar.close()
        if kind is None:
            self.out.flush()
            del self.out
            try:
                self._refuse_changes()
            except BaseException:
                self.remove()
                raise
            _sync(self.path)
        elif issubclass(kind, (Wrong, ValueError, TypeError)) or not os.path.exists(self.note):
            # nothing is finished, or the files must change first
            self.remove()

    def becomes(self, output: str) -> None:
        """Complete: it takes its name."""
        os.replace(self.path, output)
        _remove(self.note)

    def remove(self) -> None:
        _remove(self.path)
        _remove(self.note)

    def progress(self, rows: int) -> None:
        _write_note(self.note, {**self.content, "rows": rows})
        self.bar.show(rows / self.rows, f"{rows} of {self.rows} rows")

    def _finished(self) -> int:
        """How many rows an interrupted run of the same job has finished; 0 if its file is not whole."""
        import json

        import numpy as np

        try:
            with open(self.note, encoding="utf-8") as file:
                left = json.load(file)
            found = np.load(self.path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError):
            return 0
        rows = left.pop("rows", 0) if isinstance(left, dict) else 0
        if not isinstance(rows, int) or not 0 < rows < len(found):
            return 0
        job = json.loads(json.dumps(self.content))
        changed = [key for key in job if left.get(key) != job[key]]
        if changed:
            told = {"A": "the file A", "B": "the file B"}
            raise Wrong(
                f"{self.path} has {rows} finished rows of another job "
                f"({', '.join(told.get(key, key) for key in changed)} changed); --restart throws them away"
            )
        return rows


def _write_note(path: str, content: dict[str, Any]) -> None:
    """Replaced as a whole, so that it never says more than is true."""
    import json

    with replacing(path) as file:
        file.write(json.dumps(content).encode())


def _sync(path: str) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.remove(path)


# --- nearest -----------------------------------------------------------------------------------------------


def _run_nearest(options: argparse.Namespace) -> None:
    import numpy as np

    from fastdiv._checks.options import result_dtype
    from fastdiv.matrix.metric import threads
    from fastdiv.matrix.neighbours import Search
    from fastdiv.matrix.sides import BLOCK_BYTES

    XA, XB = _inputs(options)
    search = Search(XB, options.metric, _metric_options(options), _names(options))
    n, m, k, workers = len(XA), len(XB), options.k, threads(options.workers)
    if options.exclude_self and options.B is not None:
        raise Wrong("--exclude-self is for the rows of one file: give A alone")
    if not 1 <= k <= m - options.exclude_self:
        other = "other " if options.exclude_self else ""
        raise Wrong(
            f"k must be from 1 to the {m - options.exclude_self} {other}rows of {_names(options)[1]}, not {k}"
        )
    dtype = np.dtype([("distances", result_dtype(XA, XB)), ("indices", np.intp)])
    with _Part(options, (n, k), dtype) as part:
        # a block's rows of the matrix would fill a block of memory
        step = max(64, min(BLOCK_BYTES // (8 * m), n // 20))
        for start in range(part.done, n, step):
            block = XA[start : start + step]
            values, where = search.query(block, k + options.exclude_self, workers or None, start)
            if options.exclude_self:
                values, where = _without_self(values, where, start)
            part.out["distances"][start : start + step] = values
            part.out["indices"][start : start + step] = where
            part.out.flush()
            part.progress(min(n, start + step))
    found = np.load(part.path, mmap_mode="r", allow_pickle=False)
    with replacing(options.output) as file:
        np.savez(file, distances=found["distances"], indices=found["indices"])
    part.remove()


def _without_self(values: Any, where: Any, start: int) -> tuple[Any, Any]:
    """Without each row's own index; where rows before it are as near and fill the list, without the last."""
    import numpy as np

    own = where == np.arange(start, start + len(where))[:, None]
    own[:, -1] |= ~own.any(axis=1)
    shape = len(where), where.shape[1] - 1
    return values[~own].reshape(shape), where[~own].reshape(shape)
