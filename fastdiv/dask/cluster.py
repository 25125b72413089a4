"""Clusters: graphs are computed on the one in use, in bounded time; one is looked for at an address."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import CancelledError
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from typing import Any

import dask

from fastdiv.drift.columns import one_line

__all__ = ["ClusterError", "computed", "connected"]

# seconds for which a cluster may be without a worker, or silent
PATIENCE = 30
# and in which one that is looked for must answer
LOOK = 10

_CONNECTED: ContextVar[Any] = ContextVar("connected", default=None)


class ClusterError(RuntimeError):
    """A cluster that is not there or was lost; the message is one line."""


def computed(*collections: Any) -> tuple[Any, ...]:
    """What they come to, by the scheduler in use; a cluster without a worker is not waited for for ever."""
    client = _client()
    if client is None:
        found: tuple[Any, ...] = dask.compute(*collections)
        return found
    from distributed import wait

    where = client.scheduler.address if client.scheduler else "its address"
    futures = client.compute(list(collections))
    alone = time.monotonic()
    try:
        while not _done(wait, futures):
            if client.status not in ("running", "connecting"):
                raise ClusterError(f"the cluster at {where} was lost: it has closed the connection")
            if client.scheduler_info().get("workers"):
                alone = time.monotonic()
            elif time.monotonic() - alone > PATIENCE:
                raise ClusterError(f"the cluster at {where} has had no worker for {PATIENCE} s")
        return tuple(client.gather(futures))
    except BaseException as error:
        if client.status == "running":  # what is not done yet need not be
            with suppress(Exception):
                client.cancel(futures)
        said = _said(error)
        if not said:
            raise
        raise ClusterError(f"the cluster at {where} {said}") from None


def _done(wait: Any, futures: list[Any]) -> bool:
    try:
        wait(futures, timeout=1)
    except TimeoutError:
        return False
    return True


def _said(error: BaseException) -> str:
    """What is to be said of the cluster; nothing, if a task has failed by itself."""
    if isinstance(error, ImportError) or "deserializ" in str(error):
        said = one_line(error.__cause__ or error)
        return f"must have fastdiv and all that is used with it: {said}"
    if isinstance(error, CancelledError) or (_of_dask(error) and isinstance(error, OSError)):
        return f"was lost: {one_line(error)}"
    return f"gave up: {one_line(error)}" if _of_dask(error) else ""


def _client() -> Any:
    """That of a cluster, if Dask's graphs go to one."""
    if _CONNECTED.get() is not None:
        return _CONNECTED.get()
    from dask.base import get_scheduler

    client = getattr(get_scheduler(), "__self__", None)
    return client if type(client).__module__.startswith("distributed") else None


def _of_dask(error: BaseException) -> bool:
    return type(error).__module__.partition(".")[0] == "distributed"


@contextmanager
def connected(address: str) -> Iterator[Any]:
    """The cluster whose scheduler is at the address, for graphs that are computed within."""
    try:
        from distributed import Client
    except ModuleNotFoundError:
        raise ClusterError("a cluster needs Dask's scheduler: pip install 'fastdiv[dask]'") from None
    try:
        client = Client(address, timeout=LOOK, set_as_default=False)
    except (ValueError, TypeError) as error:
        raise ClusterError(f"no cluster answers at {address}: {one_line(error)}") from None
    except OSError:
        raise ClusterError(f"no cluster answers at {address} within {LOOK} s") from None
    try:
        try:
            client.wait_for_workers(1, timeout=LOOK)
        except TimeoutError:
            raise ClusterError(f"the cluster at {address} has no worker") from None
        before = _CONNECTED.set(client)
        try:
            with client.as_current():  # for distributed's own functions
                yield client
        finally:
            _CONNECTED.reset(before)
    finally:
        client.close(timeout=2)
