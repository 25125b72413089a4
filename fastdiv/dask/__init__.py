"""fastdiv on Dask's arrays and data frames, on one machine or many: the extra ``fastdiv[dask]``.

Row-wise measures
    ``kl_divergence`` and all others of ``fastdiv`` that compare rows, under their names and with their
    arguments but `out`: lazy, a task for each chunk of rows. Chunks along the bins become one.
Many against many
    ``cdist``, ``pdist``, ``knn``: lazy, a task for each pair of chunks.
Samples
    ``wasserstein_distance`` of two arrays that no worker could hold: exact, computed at once.
Tables
    ``baseline`` and ``compare`` of a Dask data frame, or of files that each worker can read.

What is computed at once raises ``ClusterError`` where the cluster is lost.

Values have the bits of the same call on one machine, whatever the chunks, the workers, and those of them that
are lost on the way. A task computes on one thread, for Dask counts one CPU for it; `workers` asks for more.
"""

from __future__ import annotations

from typing import Any

try:
    import dask.array  # noqa: F401
except ModuleNotFoundError as error:
    if (error.name or "").partition(".")[0] != "dask":
        raise
    raise ImportError("fastdiv.dask needs Dask: pip install 'fastdiv[dask]'", name="dask") from error

from fastdiv.dask.cluster import ClusterError
from fastdiv.dask.matrix import cdist, knn, pdist
from fastdiv.dask.rows import MEASURES, lazy
from fastdiv.dask.tables import baseline, compare
from fastdiv.dask.transport import wasserstein_distance

__all__ = ["ClusterError", *MEASURES, "baseline", "cdist", "compare", "knn", "pdist", "wasserstein_distance"]


def __getattr__(name: str) -> Any:
    if name not in MEASURES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = face = lazy(name)
    return face


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
