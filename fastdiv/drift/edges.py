"""Bins that are asked for: how many, quantiles even of few values, or edges, for all columns or for one.

Edges e_0 < ... < e_k make the bins [e_0, e_1), ..., [e_(k-1), e_k], the last one closed as NumPy's are, and
one below and one above where a side has values there. They are the same for both sides whatever the data are,
so the counts are those of two plain samples, and noise goes by the law of such.
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from math import ceil, floor, isfinite
from typing import Any

import numpy as np

from fastdiv._checks import options as opt
from fastdiv.drift.binning import Cuts, quantile_cuts, value_cuts
from fastdiv.drift.cells import Cells, doubles_of, keys_of
from fastdiv.drift.columns import Column, TableError, names_of, no_column
from fastdiv.drift.samples import Sample

__all__ = ["KEYS", "Binning", "binnings_of", "checked"]

KEYS = ("bins", "continuous", "edges")


@dataclass(frozen=True, slots=True)
class Binning:
    """How a numeric column is cut.

    Attributes
    ----------
    bins : int
        The most quantile bins, or values that have a bin each.
    continuous : bool
        Quantile bins, however few values there are.
    edges : tuple of numbers or of datetime64
        In place of either.
    own : bool
        This column's, not that of all.
    """

    bins: int = 20
    continuous: bool = False
    edges: tuple[Any, ...] = ()
    own: bool = False

    def cuts(self, x: Sample) -> tuple[Cuts, bool]:
        """Of finite values of the baseline; and whether each value has a bin of its own."""
        if self.edges:
            return self.edge_cuts(x.values.dtype), False
        few = None if self.continuous else value_cuts(x, self.bins)
        return (few, True) if few is not None else (quantile_cuts(x, self.bins), False)

    def edge_cuts(self, dtype: np.dtype[Any]) -> Cuts:
        """Before every edge but the last; in the type of floats, for 0.1 is not the same in each.

        Among whole numbers at the next one, which is of their type: NumPy would round both sides to doubles.
        """
        named = self.named_cuts()
        if dtype.kind == "f":
            return Cuts(named.at.astype(dtype), named.after)
        at, after, ends = [], [], np.iinfo(dtype)
        for edge, beyond in zip(named.at.tolist(), named.after.tolist(), strict=True):
            whole = floor(edge) if beyond else ceil(edge)
            at.append(min(max(whole, ends.min), ends.max))
            after.append(whole > ends.max or (beyond and whole >= ends.min))
        return Cuts(np.array(at, dtype), np.array(after))

    def named_cuts(self) -> Cuts:
        """The same at the edges as they were given, which bins are named after."""
        at = np.empty(len(self.edges), object)
        at[:] = [_number(edge) for edge in self.edges]
        return Cuts(at, np.arange(len(at)) == max(1, len(at) - 1))

    def cell_cuts(self, a: Cells, b: Cells) -> tuple[np.ndarray, list[float], bool]:
        """The cells to cut before, the edges there, and whether no cell has values on both sides of one."""
        cuts = self.edge_cuts(np.dtype(np.float64))
        k, ends, exact = np.uint64(a.k), [], True
        # the first key that lies beyond a cut
        tops = keys_of(cuts.at + 0.0) + cuts.after.astype(np.uint64)
        cells = tops >> k
        for i, (edge, cell, top) in enumerate(zip(cuts.at.tolist(), cells, tops, strict=True)):
            spans = [
                (side.first[j], side.last[j])
                for side in (a, b)
                if (j := int(np.searchsorted(side.keys, cell))) < len(side.keys) and side.keys[j] == cell
            ]
            before, beyond = (all(last < top for _, last in spans), all(first >= top for first, _ in spans))
            cells[i] += np.uint64(before and not beyond)
            if not before and not beyond:
                exact = False
                edge = float(doubles_of(cells[i : i + 1] << k)[0])
            ends.append(edge)
        return cells, ends, exact

    def fits(self, u: Column) -> None:
        """Refuses what a column cannot have."""
        if not self.own:
            return
        if u.kind not in ("numeric", "datetime"):
            raise TableError(f"column {u.name!r} must be numeric to have bins of its own, not {u.kind}")
        dates = bool(self.edges) and isinstance(self.edges[0], np.datetime64)
        if self.edges and dates != (u.kind == "datetime"):
            kinds = ("dates", "numbers") if dates else ("numbers", "dates")
            raise TableError(f"edges of column {u.name!r} must be {kinds[1]}, not {kinds[0]}: it is {u.kind}")


def _number(edge: Any) -> Any:
    return int(edge.astype(np.int64)) if isinstance(edge, np.datetime64) else edge


def binnings_of(
    bins: Any,
    continuous: Sequence[str],
    edges: Any,
    file: Mapping[str, Mapping[str, Any]],
    known: Sequence[str],
) -> tuple[Binning, dict[str, Binning]]:
    """Of all columns, and of those that have their own: in a file of thresholds, or over that by argument."""
    if isinstance(bins, Mapping):
        every = {key: opt.count(n, f"bins of column {key!r}", least=2) for key, n in bins.items()}
    else:
        every = {None: opt.count(bins, "bins", least=2)}
    common = Binning(every.pop(None, 20))
    own: dict[str, dict[str, Any]] = {name: dict(given) for name, given in file.items()}
    for name, n in every.items():
        own.setdefault(name, {})["bins"] = n
    for name in names_of(continuous, "continuous"):
        own.setdefault(name, {}).pop("edges", None)
        own[name]["continuous"] = True
    if edges is not None and not isinstance(edges, Mapping):
        raise TypeError(f"edges must be a mapping of columns to edges, not {type(edges).__name__}")
    for name, given in (edges or {}).items():
        own.setdefault(name, {}).pop("continuous", None)
        own[name] |= checked({"edges": given}, f"column {name!r}")
    for name in own:
        if name not in known:
            raise TableError(f"bins: {no_column(name, known)}")
    return common, {name: replace(common, own=True, **given) for name, given in own.items()}


def checked(given: Mapping[str, Any], where: str) -> dict[str, Any]:
    """What of bins a mapping says of a column."""
    found: dict[str, Any] = {key: given[key] for key in KEYS if key in given}
    if "bins" in found and (type(found["bins"]) is not int or found["bins"] < 2):
        raise TableError(f"bins of {where} must be a whole number from 2, not {found['bins']!r}")
    if "continuous" in found and type(found["continuous"]) is not bool:
        raise TableError(f"continuous of {where} must be true or false, not {found['continuous']!r}")
    if "edges" in found:
        if found.get("continuous"):
            raise TableError(f"{where} must have edges or be continuous, not both")
        found["edges"] = _edges(found["edges"], f"edges of {where}")
    return found


def _edges(given: Any, what: str) -> tuple[Any, ...]:
    if isinstance(given, (str, bytes)) or not isinstance(given, Iterable):
        raise TableError(f"{what} must be numbers or dates that increase, not {given!r}")
    edges = tuple(_edge(x.item() if isinstance(x, np.number) else x, what) for x in given)
    dates = [isinstance(x, np.datetime64) for x in edges]
    if not edges or any(dates) != all(dates):
        raise TableError(f"{what} must be numbers or dates, not {'both' if edges else 'none'}")
    for low, high in pairwise(edges):
        if not low < high:
            raise TableError(f"{what} must increase, not be {high} after {low}")
    return edges


def _edge(x: Any, what: str) -> Any:
    if isinstance(x, (int, float)) and not isinstance(x, bool):
        if not isfinite(x) or (isinstance(x, int) and not -(2**63) <= x < 2**64):
            raise TableError(f"{what} must be finite numbers of 64 bits, not {x}")
        return x
    if isinstance(x, dt.datetime) and x.tzinfo is not None:
        x = x.astimezone(dt.UTC).replace(tzinfo=None)
    if isinstance(x, (str, dt.date, np.datetime64)):
        try:
            if isinstance(x, str) and not re.match(r"\d{4}-\d\d", x):  # "now" and "2026" are dates to NumPy
                raise ValueError
            stamp = np.array([x], "M8[us]")[0]
        except ValueError:
            raise TableError(f"{what} must be numbers or dates such as 2026-01-31, not {x!r}") from None
        if not np.isnat(stamp):
            return stamp
    raise TableError(f"{what} must be numbers or dates such as 2026-01-31, not {x!r}")
