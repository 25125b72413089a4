"""``--scheduler ADDRESS``: tables are counted by a Dask cluster, whose workers read the files."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from fastdiv.cli.console import Wrong, load
from fastdiv.cli.reading import reading

if TYPE_CHECKING:
    from fastdiv.drift.baseline import Baseline

__all__ = ["add_scheduler", "counted"]


def add_scheduler(add: Any) -> None:
    add("--scheduler", metavar="ADDRESS",
        help="count the tables on the Dask cluster whose scheduler is there (tcp://host:8786): its workers "
        "read the files, or folders of parts, and what is compared are profiles of them")  # fmt: skip


def counted(options: argparse.Namespace, tables: Sequence[Any], **how: Any) -> list[Baseline]:
    """The tables, each a path or a list of paths, as the workers have counted them."""
    import logging

    logging.getLogger("distributed").setLevel(logging.CRITICAL)  # it is one line that says what is wrong
    load("fastdiv.drift.baseline", "fastdiv.drift.profile_file")
    try:
        from fastdiv.dask.cluster import ClusterError, connected
        from fastdiv.dask.tables import profiles
    except ImportError as error:
        raise Wrong(str(error)) from None
    try:
        with connected(options.scheduler):
            return profiles(
                tables,
                columns=options.columns,
                categorical=options.categorical,
                reading=reading(options),
                weights=options.weights,
                **how,
            )
    except ClusterError as error:
        raise Wrong(str(error)) from None
