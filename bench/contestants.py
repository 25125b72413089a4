"""Who runs: for each measure the libraries that have it, as functions of (p, q), bins last.

`exact` is False for those whose answers are only near the truth; the error is printed beside each speed. All
return nats. None but NumPy's expressions and NumKong's leave out the division by the row sums.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import stats
from scipy.spatial import distance

import fastdiv


@dataclass(frozen=True)
class Contestant:
    name: str
    run: Callable[[Any, Any], Any]
    exact: bool = True


def _numkong() -> Any:
    try:
        import numkong
    except ImportError:
        return None
    return numkong


def _fastjsd() -> Any:
    try:
        import fastjsd
    except ImportError:
        return None
    return fastjsd


def _numpy_kl(p: np.ndarray, q: np.ndarray) -> Any:
    return (p * np.log(p / q)).sum(-1)


def _numpy_entropy(p: np.ndarray, q: np.ndarray) -> Any:
    return -(p * np.log(p)).sum(-1)


def _ours(name: str) -> Contestant:
    measure = getattr(fastdiv, name)
    if name == "entropy":
        return Contestant("fastdiv", lambda p, q: measure(p))
    if name == "renyi_divergence":
        return Contestant("fastdiv", lambda p, q: measure(p, q, 2.0))
    return Contestant("fastdiv", measure)


def _table() -> dict[str, list[Contestant]]:
    numkong, fastjsd = _numkong(), _fastjsd()
    others: dict[str, list[Contestant]] = {
        "entropy": [Contestant("scipy.stats.entropy", lambda p, q: stats.entropy(p, axis=-1))],
        "cross_entropy": [
            Contestant(
                "scipy.stats.entropy, twice",
                lambda p, q: stats.entropy(p, axis=-1) + stats.entropy(p, q, axis=-1),
            ),
            Contestant("NumPy, not normalising", lambda p, q: -(p * np.log(q)).sum(-1)),
        ],
        "kl_divergence": [
            Contestant("scipy.stats.entropy", lambda p, q: stats.entropy(p, q, axis=-1)),
            Contestant("NumPy, not normalising", _numpy_kl),
        ],
        "jeffreys_divergence": [
            Contestant("NumPy, not normalising", lambda p, q: ((p - q) * np.log(p / q)).sum(-1))
        ],
        "js_divergence": [
            Contestant("scipy jensenshannon ** 2", lambda p, q: distance.jensenshannon(p, q, axis=-1) ** 2),
        ],
        "js_distance": [
            Contestant("scipy jensenshannon", lambda p, q: distance.jensenshannon(p, q, axis=-1)),
        ],
        "total_variation": [
            Contestant("NumPy, not normalising", lambda p, q: 0.5 * np.abs(p - q).sum(-1)),
        ],
        "hellinger_distance": [
            Contestant(
                "NumPy, not normalising",
                lambda p, q: np.sqrt(0.5 * ((np.sqrt(p) - np.sqrt(q)) ** 2).sum(-1)),
            )
        ],
        "chi_square": [Contestant("NumPy, not normalising", lambda p, q: ((p - q) ** 2 / q).sum(-1))],
        "triangular_discrimination": [
            Contestant("NumPy, not normalising", lambda p, q: ((p - q) ** 2 / (p + q)).sum(-1))
        ],
        "bhattacharyya_distance": [
            Contestant("NumPy, not normalising", lambda p, q: -np.log(np.sqrt(p * q).sum(-1)))
        ],
        "renyi_divergence": [
            Contestant("NumPy, not normalising", lambda p, q: np.log((p**2 / q).sum(-1))),
        ],
    }
    if numkong is not None:
        others["js_distance"].append(
            Contestant("NumKong, not normalising", numkong.jensenshannon, exact=False)
        )
        others["kl_divergence"].append(
            Contestant("NumKong, not normalising", numkong.kullbackleibler, exact=False)
        )
    if fastjsd is not None:
        others["js_distance"].append(
            Contestant("fastjsd", lambda p, q: fastjsd.jsd_pairwise(p, q, base=np.e))
        )
    return {name: [_ours(name), *entries] for name, entries in others.items()}


#: measure -> fastdiv and those it runs against
TABLE = _table()
#: both sides take the rows as they stand
RAW_ENTROPY = [
    Contestant("fastdiv", lambda p, q: fastdiv.entropy(p, normalize=False)),
    Contestant("NumPy", _numpy_entropy),
]
