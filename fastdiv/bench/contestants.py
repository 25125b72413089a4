"""Who runs: for each piece of work fastdiv and the libraries that have it, one table.

The first of each list is ours. `tolerance` is how far an answer may be from the truth before it is called
another thing; the error itself is printed. None: no answer, only work that the answer needs. A contestant
whose library is not installed is left out.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from importlib import import_module
from importlib.metadata import version
from typing import Any

import numpy as np

import fastdiv
from fastdiv.bench.elsewhere import sorts
from fastdiv.bench.expressions import (
    brute,
    cityblock,
    jeffreys_divergence,
    js_distance,
    kl_divergence,
    kl_matrix,
    of_logits,
    row_by_row,
    shares,
    smallest,
)


@dataclass(frozen=True)
class Contestant:
    name: str
    run: Callable[..., Any]
    tolerance: float | None = 1e-9
    library: str = "numpy"
    elsewhere: Callable[..., Callable[[int], float] | None] | None = None  # what times it in another process

    def __call__(self, *args: Any) -> Any:
        return self.run(*args)


def _module(name: str) -> Any:
    try:
        return import_module(name)
    except ImportError:
        return None


# the name on PyPI, and what is imported
LIBRARIES = {
    "numpy": "numpy",
    "scipy": "scipy",
    "pot": "ot",
    "numkong": "numkong",
    "fastjsd": "fastjsd",
    "numba": "numba",
    "scikit-learn": "sklearn",
}
ABSENT = tuple(name for name, module in LIBRARIES.items() if _module(module) is None)
VERSIONS = {name: version(name) for name in LIBRARIES if name not in ABSENT}

stats, distance, sparse = map(_module, ("scipy.stats", "scipy.spatial.distance", "scipy.sparse"))
ot, numkong, fastjsd = map(_module, ("ot", "numkong", "fastjsd"))
if fastjsd and (numba := _module("numba")):
    numba.set_num_threads(1)  # as all have here; fastjsd asks numba for its threads


def ours(function: Callable[..., Any], **options: Any) -> Contestant:
    return Contestant("fastdiv", partial(function, **options) if options else function, 1e-12)


def plain(run: Callable[..., Any], name: str = "NumPy, not normalising") -> Contestant:
    return Contestant(name, run)


def scipy(name: str, run: Callable[..., Any], tolerance: float = 1e-9) -> Contestant:
    return Contestant(f"SciPy {name}".strip(), run, tolerance, "scipy")


def loosened(contestants: list[Contestant], tolerance: float) -> list[Contestant]:
    """Theirs, where the work is one that they get only nearly right."""
    first, *others = contestants
    return [first, *(c if c.tolerance is None else replace(c, tolerance=tolerance) for c in others)]


SORTS = Contestant("two np.sort", lambda u, v: (np.sort(u), np.sort(v)), None, elsewhere=sorts)

#: row by row: functions of (p, q), bins last
ROWS = {
    "entropy": [
        ours(lambda p, q: fastdiv.entropy(p)),
        scipy("entropy", lambda p, q: stats.entropy(p, axis=-1)),
        plain(lambda p, q: -(p * np.log(p)).sum(-1)),
    ],
    "cross_entropy": [
        ours(fastdiv.cross_entropy),
        scipy("entropy, twice", lambda p, q: stats.entropy(p, axis=-1) + stats.entropy(p, q, axis=-1)),
        plain(lambda p, q: -(p * np.log(q)).sum(-1)),
    ],
    "kl_divergence": [
        ours(fastdiv.kl_divergence),
        scipy("entropy", lambda p, q: stats.entropy(p, q, axis=-1)),
        plain(kl_divergence),
        Contestant("NumKong, not normalising", lambda p, q: numkong.kullbackleibler(p, q), 1e-2, "numkong"),
    ],
    "jeffreys_divergence": [ours(fastdiv.jeffreys_divergence), plain(jeffreys_divergence)],
    "js_divergence": [
        ours(fastdiv.js_divergence),
        scipy("jensenshannon ** 2", lambda p, q: distance.jensenshannon(p, q, axis=-1) ** 2),
        plain(lambda p, q: js_distance(p, q) ** 2),
    ],
    "js_distance": [
        ours(fastdiv.js_distance),
        scipy("jensenshannon", lambda p, q: distance.jensenshannon(p, q, axis=-1)),
        plain(js_distance),
        Contestant("NumKong, not normalising", lambda p, q: numkong.jensenshannon(p, q), 1e-2, "numkong"),
        Contestant("fastjsd", lambda p, q: fastjsd.jsd_pairwise(p, q, base=np.e), library="fastjsd"),
    ],
    "total_variation": [ours(fastdiv.total_variation), plain(lambda p, q: 0.5 * np.abs(p - q).sum(-1))],
    "hellinger_distance": [
        ours(fastdiv.hellinger_distance),
        plain(lambda p, q: np.sqrt(0.5 * ((np.sqrt(p) - np.sqrt(q)) ** 2).sum(-1))),
    ],
    "chi_square": [ours(fastdiv.chi_square), plain(lambda p, q: ((p - q) ** 2 / q).sum(-1))],
    "triangular_discrimination": [
        ours(fastdiv.triangular_discrimination),
        plain(lambda p, q: ((p - q) ** 2 / (p + q)).sum(-1)),
    ],
    "bhattacharyya_distance": [
        ours(fastdiv.bhattacharyya_distance),
        plain(lambda p, q: -np.log(np.sqrt(p * q).sum(-1))),
    ],
    "renyi_divergence": [
        ours(lambda p, q: fastdiv.renyi_divergence(p, q, 2.0)),
        plain(lambda p, q: np.log((p**2 / q).sum(-1))),
    ],
}
#: the same with an option
OPTIONS = {
    "entropy, normalize=False": [
        ours(lambda p, q: fastdiv.entropy(p, normalize=False)),
        plain(lambda p, q: -(p * np.log(p)).sum(-1), "NumPy"),
    ],
    "kl_divergence, axis=0": [
        ours(fastdiv.kl_divergence, axis=0),
        scipy("entropy", lambda p, q: stats.entropy(p, q, axis=0)),
        plain(lambda p, q: kl_divergence(p, q, 0)),
    ],
    "js_distance, axis=0": [
        ours(fastdiv.js_distance, axis=0),
        scipy("jensenshannon", lambda p, q: distance.jensenshannon(p, q, axis=0)),
        plain(lambda p, q: js_distance(p, q, 0)),
    ],
    "kl_divergence, pseudocount=0.5": [
        ours(fastdiv.kl_divergence, pseudocount=0.5),
        scipy("entropy", lambda p, q: stats.entropy(p + 0.5, q + 0.5, axis=-1)),
        plain(lambda p, q: kl_divergence(shares(p, 0.5), shares(q, 0.5)), "NumPy"),
    ],
    "jeffreys_divergence, pseudocount=0.5": [
        ours(fastdiv.jeffreys_divergence, pseudocount=0.5),
        plain(lambda p, q: jeffreys_divergence(shares(p, 0.5), shares(q, 0.5)), "NumPy"),
    ],
    "kl_divergence, counts": [
        ours(fastdiv.kl_divergence),
        scipy("entropy", lambda p, q: stats.entropy(p, q, axis=-1)),
        plain(lambda p, q: kl_divergence(shares(p), shares(q)), "NumPy"),
    ],
}
LOGITS = {
    f"{name}, log_input": [
        ours(getattr(fastdiv, name), log_input=True),
        scipy("log_softmax, NumPy", partial(of_logits, name)),
    ]
    for name in ("kl_divergence", "js_distance")
}
#: many against many: functions of (A, B), or of (A, B, k)
MATRICES = {
    "cdist js_distance": [
        ours(fastdiv.cdist),
        scipy("cdist", lambda A, B: distance.cdist(A, B, "jensenshannon")),
        Contestant("fastjsd", lambda A, B: fastjsd.jsd_matrix(A, B, base=np.e, threads=1), library="fastjsd"),
        Contestant("NumKong", lambda A, B: numkong.cdist(A, B, "jensenshannon"), library="numkong"),
    ],
    "pdist js_distance": [
        ours(fastdiv.pdist),
        scipy("pdist", lambda A: distance.pdist(A, "jensenshannon")),
    ],
    "cdist kl_divergence": [
        ours(fastdiv.cdist, metric="kl_divergence"),
        plain(kl_matrix, "NumPy, product and entropies"),
        Contestant("bare A @ log(B).T", lambda A, B: A @ np.log(B).T, None),
        Contestant("NumKong", lambda A, B: numkong.cdist(A, B, "kullbackleibler"), 1e-6, "numkong"),
    ],
    "cdist wasserstein": [
        ours(fastdiv.cdist, metric="wasserstein"),
        scipy("cityblock of CDFs", cityblock),
    ],
    "knn js_distance": [
        ours(lambda A, B, k: fastdiv.knn(A, B, k)[0]),
        Contestant("fastdiv cdist, argpartition", lambda A, B, k: smallest(fastdiv.cdist(A, B), k)),
        scipy("cdist, argpartition", lambda A, B, k: smallest(distance.cdist(A, B, "jensenshannon"), k)),
    ],
    "knn wasserstein": [
        ours(lambda A, B, k: fastdiv.knn(A, B, k, "wasserstein")[0]),
        scipy("cityblock, argpartition", lambda A, B, k: smallest(cityblock(A, B), k)),
        Contestant("scikit-learn brute, of CDFs", brute, library="scikit-learn"),
    ],
}
# SciPy's float CDFs lose digits where F - G is small: 1e-6 is what can be asked of it
_OF_SAMPLES = [ours(fastdiv.wasserstein_distance), scipy("", lambda *s: stats.wasserstein_distance(*s), 1e-6)]
#: functions of (u, v), or of (u, v, weights of u, weights of v)
TRANSPORT = {
    "W1": [*_OF_SAMPLES, SORTS],
    "W1, weighted": _OF_SAMPLES,
    "W1, sorted": [ours(fastdiv.wasserstein_distance, assume_sorted=True), *_OF_SAMPLES[1:]],
    "W1 of rows": [
        ours(fastdiv.wasserstein_distance),
        scipy("in a loop", row_by_row(lambda x, y: stats.wasserstein_distance(x, y)), 1e-6),
        Contestant("POT wasserstein_1d", lambda u, v: ot.wasserstein_1d(u.T, v.T, p=1), library="pot"),
    ],
    "W2": [
        ours(fastdiv.wasserstein_distance, p=2),
        Contestant("POT wasserstein_1d", lambda u, v: ot.wasserstein_1d(u, v, p=2) ** 0.5, library="pot"),
        SORTS,
    ],
    "transport_plan": [
        ours(lambda u, v: fastdiv.transport_plan(u, v).cost),
        Contestant(
            "POT emd2_1d", lambda u, v: ot.emd2_1d(u, v, metric="cityblock", dense=False), library="pot"
        ),
    ],
    "W1, everyday": [ours(fastdiv.wasserstein_distance), SORTS],
    "KS, everyday": [ours(fastdiv.ks_distance), SORTS],
    "energy, everyday": [ours(fastdiv.energy_distance), SORTS],
    "ks_distance": [
        ours(fastdiv.ks_distance),
        scipy("ks_2samp", lambda u, v: stats.ks_2samp(u, v, method="asymp").statistic),
    ],
    "energy_distance": [
        ours(fastdiv.energy_distance),
        scipy("", lambda u, v: stats.energy_distance(u, v), 1e-6),
    ],
}
TABLE = {**ROWS, **OPTIONS, **LOGITS, **MATRICES, **TRANSPORT}


def of(work: str) -> list[Contestant]:
    """Those of TABLE whose libraries are here."""
    return [contestant for contestant in TABLE[work] if contestant.library not in ABSENT]
