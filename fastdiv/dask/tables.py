"""Baselines of data frames and of files in parts: each part counted where it is, and a tree of merges."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import dask

from fastdiv.dask.cluster import computed
from fastdiv.dask.graph import one_thread, tree
from fastdiv.drift.baseline import CATEGORIES, VALUES, Baseline
from fastdiv.drift.columns import NoRows, TableError, no_column, with_columns
from fastdiv.drift.comparison import compare as compare_tables
from fastdiv.drift.datasets import constants_of, with_constants
from fastdiv.drift.folders import Source, files_of, is_known, is_profile, sources_of
from fastdiv.drift.tables import as_table, read_table

if TYPE_CHECKING:
    from fastdiv.drift.report import Report

__all__ = ["baseline", "compare", "profiles"]


def baseline(
    data: Any,
    *,
    values: int | None = VALUES,
    categories: int | None = CATEGORIES,
    columns: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    weights: str | None = None,
) -> Baseline:
    """A ``fastdiv.Baseline`` of a table in parts, computed at once.

    Each part is counted where it is, on one thread, and a tree of ``Baseline.merge`` adds up what is held:
    its bits are those of ``Baseline.from_table`` of the whole, for any parts and workers, and those that are
    lost on the way. (Not where categories had to go, see ``fastdiv.Baseline``.)

    Parameters
    ----------
    data : Dask DataFrame, path or sequence of paths
        A data frame, whose partitions are its parts; or files that every worker can read under these names, a
        folder of such files, or a pattern with ``*``. A profile (.fdp) may stand among them.
    values, categories : int or None
        The most that is kept of a column, see ``fastdiv.Baseline``.
    columns : sequence of str, optional
        Only these. Default: all.
    categorical : sequence of str
        Columns to take as categories even where they look like numbers or dates.
    weights : str, optional
        A column that weighs the rows, see ``fastdiv.Baseline``.

    Returns
    -------
    Baseline

    Raises
    ------
    TableError
        If a part cannot be read, the columns of two parts differ, or there is no row. (It is a ValueError.)
    TypeError
        For data of another kind.
    ClusterError
        If the cluster in use is lost, or has no worker for 30 s. (It is a RuntimeError.)

    Notes
    -----
    O(n log n) time for n rows. A task holds a column of a part, and what is held of two sets of parts.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> import fastdiv.dask
    >>> frame = dd.from_pandas(pd.DataFrame({"x": range(1000)}), npartitions=4)
    >>> fastdiv.dask.baseline(frame)
    <Baseline of 1,000 rows and 1 column>
    """
    kept: dict[str, Any] = {"values": values, "categories": categories, "weights": weights}
    return profiles([data], columns=columns, categorical=categorical, **kept)[0]


def compare(
    baseline: Any,
    current: Any,
    *,
    values: int | None = VALUES,
    categories: int | None = CATEGORIES,
    columns: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    weights: str | None = None,
    **options: Any,
) -> Report:
    """``fastdiv.compare`` of two tables in parts, by a baseline of each.

    Parameters
    ----------
    baseline, current : Baseline, Dask DataFrame, path or sequence of paths
        As for ``fastdiv.dask.baseline``.
    values, categories, columns, categorical, weights
        As there.
    **options
        Those of ``fastdiv.compare``: `bins`, `pseudocount`, `thresholds`.

    Returns
    -------
    Report
        As there; `w1_bound` of a column is above 0 where its W1 is not exact, since it has more than `values`
        distinct values.

    Raises
    ------
    TableError, TypeError, ClusterError
        As ``fastdiv.dask.baseline``.
    ValueError
        As ``fastdiv.compare``.

    Notes
    -----
    O(n log n) time for n rows of both.

    Examples
    --------
    >>> import dask.dataframe as dd
    >>> import pandas as pd
    >>> import fastdiv.dask
    >>> frame = dd.from_pandas(pd.DataFrame({"x": range(1000)}), npartitions=4)
    >>> fastdiv.dask.compare(frame, frame + 3).columns[0].w1
    3.0
    """
    kept: dict[str, Any] = {"values": values, "categories": categories, "categorical": categorical}
    kept["weights"] = weights
    both = profiles([baseline, current], labels=("baseline", "current"), columns=columns, **kept)
    return compare_tables(*both, columns=columns, **options)


def profiles(
    tables: Sequence[Any],
    *,
    values: int | None = VALUES,
    categories: int | None = CATEGORIES,
    columns: Sequence[str] | None = None,
    categorical: Sequence[str] = (),
    labels: Sequence[str] = ("baseline", "baseline"),
    reading: Mapping[str, Any] | None = None,
    weights: str | None = None,
) -> list[Baseline]:
    """Baselines of several tables, computed together.

    `labels` are for those that have no path; `reading` is what else ``read_table`` is told.
    """
    final = Baseline(values=values, categories=categories, weights=weights)
    # while parts come in, more categories than are kept: their counts are the better for it
    wide = Baseline(values=values, categories=categories and 4 * categories, weights=weights)
    how: dict[str, Any] = {"columns": columns, "categorical": tuple(categorical), "reading": reading or {}}
    count = dask.delayed(partial(_counted, final=final, wide=wide, **how), pure=True)
    merge = dask.delayed(_merged, pure=True)

    def counted(part: Any) -> Any:
        # a cluster keeps what it has computed under a name, and a file may be written anew under its own
        return count(part, pure=not isinstance(part, tuple))

    made: list[Any] = [
        table if isinstance(table, Baseline) else tree([*map(counted, _parts(table, categorical))], merge)
        for table in tables
    ]
    found = []
    for table, label, whole in zip(tables, labels, computed(*made), strict=False):
        if not isinstance(table, Baseline):
            label = os.fspath(table) if isinstance(table, (str, os.PathLike)) else label
            if not whole.names:
                raise TableError(f"{label}: the table has no rows")
            for name in categorical:
                if name not in whole.names:
                    raise no_column(name, whole.names)
            whole = whole._narrowed(final)
            whole.label = label
        found.append(whole)
    return found


def _parts(data: Any, categorical: Sequence[str]) -> list[Any]:
    """Of a table: partitions that are computed later, or files with what their folders' names say."""
    if hasattr(data, "npartitions") and getattr(data, "ndim", 0) == 2:
        return list(data.to_delayed())
    paths = [data] if isinstance(data, (str, os.PathLike)) else data
    if isinstance(paths, Sequence) and paths and all(isinstance(x, (str, os.PathLike)) for x in paths):
        sources: list[Source] = []
        for path in map(os.fspath, paths):
            files_of(path)  # refuses tables beside profiles
            sources += sources_of(path, is_known) or [(Path(path), {})]
        constants = constants_of([keys for _, keys in sources], frozenset(categorical))
        # workers may be in another folder
        return [(os.path.abspath(file), held) for (file, _), held in zip(sources, constants, strict=True)]
    hint = "; pass its to_frame()" if hasattr(data, "to_frame") else ""
    raise TypeError(f"data must be a Dask DataFrame or paths, not {type(data).__name__}{hint}")


def _counted(
    part: Any,
    final: Baseline,
    wide: Baseline,
    columns: Sequence[str] | None,
    categorical: Sequence[str],
    reading: Mapping[str, Any],
) -> Baseline:
    held = wide.merge(wide)  # a new one, of the same limits
    with one_thread(), suppress(NoRows):
        if not isinstance(part, tuple):
            table = as_table(part, label="a partition", categorical=categorical)
        elif is_profile(part[0]):
            return _loaded(part[0], final)._narrowed(wide)
        else:
            table = with_constants(read_table(part[0], categorical=categorical, **reading), part[1])
        both = None if columns is None else [*columns, *filter(None, [wide.weights])]
        held.update(table if both is None else with_columns(table, both))
    return held


def _loaded(path: str, final: Baseline) -> Baseline:
    found = Baseline.load(path)
    try:
        final.merge(found)
    except TableError:
        raise
    except ValueError:
        raise TableError(f"{path}: was made with other values or categories") from None
    return found


def _merged(parts: list[Baseline]) -> Baseline:
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.merge(part)
    return whole
