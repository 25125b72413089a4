"""``fastdiv pairwise`` and ``fastdiv nearest``: matrices and neighbours of .npy files of any size.

A result is written to ``OUTPUT.part``, block by block of rows, with the number of finished rows beside it in
``OUTPUT.part.json``, and takes its name only when it is complete. Running the same command again goes on
where an interrupted one stopped.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from typing import TYPE_CHECKING, Any

from fastdiv.cli.console import Wrong, complain

if TYPE_CHECKING:
    import numpy as np

__all__ = ["add_parsers"]

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
    pairwise.add_argument("--restart", action="store_true", help="do not go on with an interrupted run")

    nearest = commands.add_parser(
        "nearest",
        help="the K nearest rows of B.npy for every row of A.npy",
        description="The K nearest rows of B.npy (or of A.npy) for every row of A.npy, exactly: an .npz file "
        "with `distances` and `indices`.",
        allow_abbrev=False,
    )
    nearest.set_defaults(run=_nearest)
    _add_common(nearest, "distances and indices, .npz")
    nearest.add_argument("-k", type=int, required=True, metavar="K", help="how many neighbours")


def _add_common(parser: Any, output: str) -> None:
    add = parser.add_argument
    add("A", help="a two-dimensional .npy file, one distribution a row")
    add("B", nargs="?", help="another, with as many bins (default: A)")
    add("-o", "--output", metavar="FILE", required=True, help=output)
    add("--metric", default="js_distance", help="default: js_distance")
    add("--workers", type=int, metavar="N", help="threads at most (default: all)")
    add("--samples", action="store_true", help="with wasserstein: rows are samples, not masses")
    for name, type_ in _NUMBERS.items():
        add(
            f"--{name}",
            type=type_,
            metavar="X",
            help=argparse.SUPPRESS if name == "p" else f"the metric's {name}",
        )


def _pairwise(options: argparse.Namespace) -> int:
    return _guarded(_run_pairwise, options)


def _nearest(options: argparse.Namespace) -> int:
    return _guarded(_run_nearest, options)


def _guarded(run: Any, options: argparse.Namespace) -> int:
    """Runs, and says in one line what was wrong."""
    try:
        run(options)
    except (ValueError, TypeError, MemoryError, Wrong) as error:
        return complain(str(error))
    except OSError as error:
        return complain(f"{error.filename or options.output}: {error.strerror or error}")
    return 0


def _load(path: str) -> np.ndarray[Any, Any]:
    """A .npy file, mapped; never a pickle."""
    import numpy as np

    try:
        array = np.load(path, mmap_mode="r", allow_pickle=False)
    except (ValueError, EOFError) as error:
        raise Wrong(f"{path} is no .npy file of numbers: {error}") from None
    if not isinstance(array, np.ndarray):
        raise Wrong(f"{path} is no .npy file of one array")
    return array


def _metric_options(options: argparse.Namespace) -> dict[str, Any]:
    given = {name: getattr(options, name) for name in _NUMBERS if getattr(options, name) is not None}
    if options.samples:
        given["samples"] = True
    return given


def _inputs(options: argparse.Namespace) -> tuple[Any, Any]:
    """The rows of both files; one array where they are one."""
    for path in (options.A, options.B):
        if path is not None and os.path.exists(options.output) and os.path.samefile(path, options.output):
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

    from fastdiv import matrix

    task = matrix._Task(options.metric, _metric_options(options))
    workers = matrix._workers(options.workers)
    given_A, given_B = _inputs(options)
    XA = task.rows(given_A, "A")
    XB = XA if given_B is given_A else task.rows(given_B, "B")
    matrix._same_bins(XA, XB)
    shape, dtype = (XA.shape[0], XB.shape[0]), matrix._result_dtype(XA, XB)
    if 0 in shape:
        np.save(options.output, np.empty(shape, dtype))
        return
    part, note = f"{options.output}.part", f"{options.output}.part.json"
    job = {
        "A": _stamp(options.A),
        "B": _stamp(options.B or options.A),
        "metric": options.metric,
        "options": _metric_options(options),
        "shape": list(shape),
        "dtype": str(dtype),
    }
    done = 0 if options.restart else _finished_rows(part, note, job)
    if done == 0:
        _remove(note)
        out = np.lib.format.open_memmap(part, mode="w+", dtype=dtype, shape=shape)
    else:
        out = np.lib.format.open_memmap(part, mode="r+")
        print(f"fastdiv: going on after {done} of {shape[0]} rows", file=sys.stderr)
    bar = _Bar(shape[0])

    def progress(share: float) -> None:
        rows = round(share * shape[0])
        _write_note(note, {**job, "rows": rows})
        bar.show(rows)

    try:
        matrix._fill(task, XA, XB, out, workers, progress, done, in_order=True)
    finally:
        bar.close()
    out.flush()
    del out
    _sync(part)
    os.replace(part, options.output)
    _remove(note)


def _finished_rows(part: str, note: str, job: dict[str, Any]) -> int:
    """How many rows an interrupted run of the same job has finished; 0 if its file is not whole."""
    import json

    try:
        with open(note, encoding="utf-8") as file:
            left = json.load(file)
        size = os.path.getsize(part)
    except (OSError, ValueError):
        return 0
    import numpy as np

    rows = left.pop("rows", 0) if isinstance(left, dict) else 0
    whole = int(np.prod(job["shape"], dtype=object)) * np.dtype(job["dtype"]).itemsize
    if left != json.loads(json.dumps(job)) or not isinstance(rows, int) or size < whole:
        return 0
    return rows if 0 <= rows < job["shape"][0] else 0


def _write_note(path: str, content: dict[str, Any]) -> None:
    """Replaced as a whole, so that it never says more than is true."""
    import json

    with open(f"{path}.new", "w", encoding="utf-8") as file:
        json.dump(content, file)
        file.flush()
        os.fsync(file.fileno())
    os.replace(f"{path}.new", path)


def _sync(path: str) -> None:
    with open(path, "rb+") as file:
        os.fsync(file.fileno())


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.remove(path)


class _Bar:
    """A progress bar on standard error, if that is a terminal."""

    def __init__(self, rows: int) -> None:
        self.rows, self.began = rows, time.monotonic()
        self.first: int | None = None
        self.shown = sys.stderr.isatty()

    def show(self, rows: int) -> None:
        if not self.shown:
            return
        share = rows / self.rows
        text = f"\r[{'#' * round(30 * share):<30}] {100 * share:3.0f} %  {rows} of {self.rows} rows"
        if self.first is None:
            self.first, self.began = rows, time.monotonic()
        elif rows > self.first:
            left = (time.monotonic() - self.began) / (rows - self.first) * (self.rows - rows)
            text += f"  {left:.0f} s left  "
        sys.stderr.write(text)
        sys.stderr.flush()

    def close(self) -> None:
        if self.shown:
            sys.stderr.write("\n")


# --- nearest -----------------------------------------------------------------------------------------------


def _run_nearest(options: argparse.Namespace) -> None:
    import numpy as np

    import fastdiv

    XA, XB = _inputs(options)
    distances, indices = fastdiv.knn(
        XA, XB, options.k, options.metric, workers=options.workers, **_metric_options(options)
    )
    new = f"{options.output}.part"
    with open(new, "wb") as file:
        np.savez(file, distances=distances, indices=indices)
    os.replace(new, options.output)
