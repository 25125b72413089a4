"""Figures of README and the design page: rows of two bins, counts, far orders, lesser instruction sets."""

from __future__ import annotations

import numpy as np

import fastdiv
from bench.race import race, relative_error
from bench.workloads import QUICK
from fastdiv import _core


def main() -> None:
    fastdiv.set_num_threads(1)
    p, q = np.random.default_rng(0).dirichlet(np.ones(2), size=(2, 100_000))
    assert relative_error(fastdiv.kl_divergence(p, q), (p * np.log(p / q)).sum(-1)) < 1e-4  # NumPy cancels
    print(f"KL of 100 000 x 2: {race([lambda: fastdiv.kl_divergence(p, q)])[0] * 1e6 / len(p):.2f} us a row")
    p, q = QUICK["unrelated"].make()
    counts = np.random.default_rng(0).poisson(50.0, (2, 20_000, 500))
    dtypes = ("f8", "f4", "i8", "i4", "u2")
    pairs = [counts.astype(dtype) for dtype in dtypes]
    for pair in pairs[1:]:
        assert relative_error(fastdiv.kl_divergence(*pair), fastdiv.kl_divergence(*counts)) < 1e-6
    times = race([lambda pair=pair: fastdiv.kl_divergence(*pair) for pair in pairs])
    shown = ", ".join(
        f"{dtype} {t * 1e9 / counts[0].size:.2f}" for dtype, t in zip(dtypes, times, strict=True)
    )
    print(f"KL of 20 000 x 500 counts, ns a bin: {shown}")
    for order in (0, 0.5, 3, np.inf):
        taken = race([lambda: fastdiv.renyi_divergence(p, q, order)])[0]  # noqa: B023
        print(f"Renyi of order {order}: {taken * 1e9 / p.size:.0f} ns a bin")
    A, B = np.random.default_rng(0).dirichlet(np.full(128, 5.0), (2, 1000))
    A4, B4 = A.astype("f4"), B.astype("f4")
    assert relative_error(fastdiv.cdist(A4, B4), fastdiv.cdist(A, B)) < 1e-5
    single, double = race([lambda: fastdiv.cdist(A4, B4), lambda: fastdiv.cdist(A, B)])
    print(f"cdist JS of smooth rows: float32 takes {single / double:.2f} of the time of float64")
    metric = "total_variation"
    assert np.array_equal(
        fastdiv.knn(A[:200], B, 1, metric)[0][:, 0], fastdiv.cdist(A[:200], B, metric).min(1)
    )
    near, every = race(
        [lambda: fastdiv.knn(A[:200], B, 10, metric), lambda: fastdiv.cdist(A[:200], B, metric)]
    )
    print(f"knn of total variation, rows that do not cluster: {near / every:.2f} of the time of cdist")
    p, q = QUICK["unrelated"].make()
    for level in _core.isa_levels():
        _core.choose_isa(level)
        kl, js = (
            race([lambda: measure(p, q)])[0] * 1e9 / p.size  # noqa: B023
            for measure in (fastdiv.kl_divergence, fastdiv.js_distance)
        )
        print(f"{level}: KL {kl:.2f}, JS {js:.2f} ns a bin, whole calls on 2000 x 500")
    _core.choose_isa()
    fastdiv.set_num_threads(None)


if __name__ == "__main__":
    main()
