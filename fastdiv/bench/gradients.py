"""Values with their gradients: against the value alone, the NumPy expression, and SciPy's log_softmax."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

import fastdiv
import fastdiv.grad
from fastdiv.bench.contestants import ABSENT, Contestant, ours, plain, scipy
from fastdiv.bench.race import Case
from fastdiv.bench.workloads import unrelated

SHAPES = ((8, 100_000), (10_000, 50), (4_000, 500), (10_000, 10), (2_000, 257), (32, 10))
ALONE, SOFTMAX = "fastdiv, the value alone", "SciPy log_softmax, NumPy"
#: a gradient is to take 2.5 times the value's time at most, a classifier's loss half of SciPy's
GOALS = {ALONE: 0.4, SOFTMAX: 2.0}
Array = np.ndarray


class GradientCase(Case):
    """Answers are values and the sums of the derivatives' sizes."""

    def answer(self, run: Contestant) -> Any:
        answer = super().answer(run)
        if not isinstance(answer, tuple):
            return answer
        value, *slopes = answer
        return np.stack([value, *(np.abs(s).sum(-1) for s in slopes)])


def kl_divergence(p: Array, q: Array) -> tuple[Array, ...]:
    total, other = p.sum(-1, keepdims=True), q.sum(-1, keepdims=True)
    x, y = p / total, q / other
    log = np.log(x / y)
    value = (x * log).sum(-1, keepdims=True)
    return value[..., 0], (log - value) / total, (1.0 - x / y) / other


def js_divergence(p: Array, q: Array) -> tuple[Array, ...]:
    total, other = p.sum(-1, keepdims=True), q.sum(-1, keepdims=True)
    x, y = p / total, q / other
    m = 0.5 * (x + y)
    by_x, by_y = 0.5 * np.log(x / m), 0.5 * np.log(y / m)
    kl_p, kl_q = (x * by_x).sum(-1, keepdims=True), (y * by_y).sum(-1, keepdims=True)
    return (kl_p + kl_q)[..., 0], (by_x - kl_p) / total, (by_y - kl_q) / other


def soft_labels(p: Array, z: Array) -> tuple[Array, ...]:
    from scipy.special import log_softmax

    log = log_softmax(z, axis=-1)
    total = p.sum(-1, keepdims=True)
    value = -(p * log).sum(-1, keepdims=True) / total
    return value[..., 0], -(log + value) / total, np.exp(log) - p / total


def classes(z: Array, labels: Array) -> tuple[Array, ...]:
    from scipy.special import log_softmax

    rows, log = np.arange(len(z)), log_softmax(z, axis=-1)
    by_z = np.exp(log)
    by_z[rows, labels] -= 1.0
    return -log[rows, labels], by_z


def _case(work: str, runs: list[Contestant], args: tuple[Any, ...], shape: tuple[int, int]) -> Case:
    present = [run for run in runs if run.library not in ABSENT]
    size, bins = f"{shape[0]} x {shape[1]}", shape[0] * shape[1]
    return GradientCase(work, size, present, args, per=("bin", bins), goals=GOALS)


def cases(scale: float) -> Iterator[Case]:
    rng = np.random.default_rng(0)
    for rows, bins in SHAPES:
        shape = max(2, int(rows * scale)), bins
        p, q = (np.maximum(x, 1e-9) for x in unrelated(*shape))
        for expression in (kl_divergence, js_divergence):
            name = expression.__name__
            alone = Contestant(ALONE, getattr(fastdiv, name), None)
            runs = [ours(getattr(fastdiv.grad, name)), alone, plain(expression, "NumPy")]
            yield _case(f"grad.{name}", runs, (p, q), shape)
        z, labels = rng.normal(size=shape), rng.integers(0, bins, shape[0])
        soft = [ours(fastdiv.grad.cross_entropy, log_input="q"), scipy("log_softmax, NumPy", soft_labels)]
        yield _case("grad.cross_entropy, log_input=q", soft, (p, z), shape)
        hard = [ours(fastdiv.grad.softmax_cross_entropy), scipy("log_softmax, NumPy", classes)]
        yield _case("grad.softmax_cross_entropy", hard, (z, labels), shape)
