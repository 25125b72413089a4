"""The row-wise measures against their peers: ratios, with the error of each answer beside them."""

from __future__ import annotations

import numpy as np

import fastdiv
from bench.contestants import RAW_ENTROPY, TABLE, Contestant
from bench.race import race, relative_error
from bench.workloads import FULL, Workload

ERROR_ROWS = 50


def _error(contestant: Contestant, workload: Workload, measure: str) -> float:
    """Against the NumPy twin, which the tests hold to the high-precision oracle, on the first rows."""
    p, q = workload.make()
    p, q = (p[:ERROR_ROWS], q[:ERROR_ROWS]) if p.ndim > 1 else (p, q)
    with np.errstate(all="ignore"):
        got = contestant.run(p, q)
    twin = getattr(fastdiv.reference, measure)
    alpha = (2.0,) if measure == "renyi_divergence" else ()
    return relative_error(got, twin(p) if measure == "entropy" else twin(p, q, *alpha))


def _report(measure: str, workload: Workload, contestants: list[Contestant], rounds: int) -> None:
    p, q = workload.make()
    errors = [_error(c, workload, measure) for c in contestants]
    limit = 1e-10 if workload.name == "unrelated" else np.inf
    for contestant, error in zip(contestants, errors, strict=True):
        if contestant.name == "fastdiv" and error > 1e-12:
            raise AssertionError(f"fastdiv.{measure} is off by {error:.1e}")
        if contestant.exact and error > limit:
            raise AssertionError(f"{contestant.name} computes something else than {measure}: {error:.1e}")
    with np.errstate(all="ignore"):
        seconds = race([lambda c=c: c.run(p, q) for c in contestants], rounds)
    unit = 1e9 / p.size if p.ndim > 1 else 1e6
    for contestant, taken, error in zip(contestants, seconds, errors, strict=True):
        ratio = f"{taken / seconds[0]:7.2f}" if contestant.name != "fastdiv" else "       "
        of = "ns/bin" if p.ndim > 1 else "us    "
        print(
            f"{measure:<20} {workload.name:<10} {workload.size:<15} {contestant.name:<26}"
            f"{taken * unit:8.3f} {of} {ratio}  {error:.0e}"
        )


def _near_against_unrelated(rounds: int) -> None:
    for measure in ("kl_divergence", "js_distance"):
        function = getattr(fastdiv, measure)
        near, unrelated = (FULL[name].make() for name in ("near", "unrelated"))
        a, b = race([lambda: function(*near), lambda: function(*unrelated)], rounds)  # noqa: B023
        print(f"{measure}: near-identical rows take {a / b:.2f} of the time of unrelated ones")


def _threads(rounds: int) -> None:
    p, q = FULL["unrelated"].make()

    def with_threads(n: int) -> None:
        fastdiv.set_num_threads(n)
        fastdiv.js_distance(p, q)

    one, two = race([lambda: with_threads(1), lambda: with_threads(2)], rounds)
    print(f"js_distance: two threads are {one / two:.2f} times as fast as one")


def main(rounds: int = 7) -> None:
    fastdiv.set_num_threads(1)
    fastdiv.show_config()
    print("\nFloat64, one thread, medians of interleaved rounds. Ratio: their time / ours. Error: largest")
    print("relative error on the first 50 rows, against the twin in plain NumPy.\n")
    print(f"{'measure':<20} {'rows':<10} {'size':<15} {'who':<26}{'time':>8} {'':6} {'ratio':>7}  error")
    for measure, contestants in TABLE.items():
        _report(measure, FULL["unrelated"], contestants, rounds)
    print("\nAs they stand (normalize=False):")
    _report("entropy", FULL["unrelated"], RAW_ENTROPY, rounds)
    print("\nNear-identical rows, q = p (1 + 1e-4 noise): mind the error column")
    for measure in ("kl_divergence", "js_distance"):
        _report(measure, FULL["near"], TABLE[measure], rounds)
    print("\nOne pair of vectors:")
    for measure in ("entropy", "kl_divergence", "js_distance"):
        pair = [c for c in TABLE[measure] if c.name != "fastjsd"]  # takes matrices only
        _report(measure, FULL["pair"], pair, 3 * rounds)
    print()
    _near_against_unrelated(rounds)
    _threads(rounds)
    fastdiv.set_num_threads(None)


if __name__ == "__main__":
    main()
