"""The optimal coupling itself: who sends how much to whom, and the prices that prove it optimal."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from fastdiv._checks import options as opt
from fastdiv._checks.arrays import as_numbers
from fastdiv._checks.samples import EXACT, shares

if TYPE_CHECKING:
    from fastdiv._samples import Pair
    from fastdiv._typing import ArrayLike

__all__ = ["Certificate", "TransportPlan", "distances", "power", "times", "transport_plan"]

_SAFE = 2.0**900  # costs and potentials between 1 / _SAFE and _SAFE are right as they come


class Certificate(NamedTuple):
    """Three values that agree for an optimal plan, and how far the plan is from being one."""

    primal: float
    """Cost of the plan: sum of mass times distance^p."""
    dual: float
    """Value of the potentials: their mean under either sample, added. Never above the optimal cost."""
    area: float
    """The cost by the distribution functions, without plan or potentials: W_p^p."""
    marginal_error: float
    """Largest difference between a row or column sum of the plan and the weight it must meet."""
    infeasibility: float
    """Largest u_potential[i] + v_potential[j] - |u[i] - v[j]|^p next to the plan's pieces, at least 0."""


class Scaled(NamedTuple):
    """What a plan rests on where |x - y|^p leaves the range of float64: the same, of scaled distances."""

    scale: float
    """A power of two: the largest distance met, times this, is near 1; 1 where no scaling is needed."""
    u_potential: np.ndarray
    v_potential: np.ndarray
    """For the cost (scale |x - y|)^p, up to a constant added to one and taken from the other."""
    distance: float
    distance_scale: float
    """W_p times this power of two, which may be another."""

    def relative(self, p: float) -> tuple[float, int]:
        """(scale W_p)^p as a mantissa and an exponent."""
        return power(self.distance, math.frexp(self.scale)[1] - math.frexp(self.distance_scale)[1], p)


@dataclass(frozen=True, eq=False)
class TransportPlan:
    """An optimal coupling in coordinate form: at most n + m - 1 pieces.

    Attributes
    ----------
    rows, cols : ndarray of int64
        The atoms of u and v that each piece joins, as positions in the arrays given.
    mass : ndarray
        The share of each piece; they sum to 1.
    cost : float
        ``sum(mass * distance**p)``, which is W_p^p.
    u_potential, v_potential : ndarray, shape (n,) and (m,)
        Kantorovich potentials: ``u_potential[i] + v_potential[j] <= |u[i] - v[j]|**p`` for all i and j, with
        equality where there is mass. Each carries half the cost in the mean. Infinite where beyond float64,
        as `cost` is; `distance` and the gradients of `fastdiv.grad` do not depend on that.

    Examples
    --------
    >>> import fastdiv
    >>> plan = fastdiv.transport_plan([0, 1], [2, 1, 1])
    >>> [(int(i), int(j), round(float(m), 3)) for i, j, m in zip(plan.rows, plan.cols, plan.mass)]
    [(0, 1, 0.333), (0, 2, 0.167), (1, 2, 0.167), (1, 0, 0.333)]
    >>> round(plan.cost, 3)
    0.833
    """

    rows: np.ndarray
    cols: np.ndarray
    mass: np.ndarray
    cost: float
    u_potential: np.ndarray
    v_potential: np.ndarray
    p: float
    _pair: Pair
    _scaled: Scaled
    _origin: int = 0

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._pair.u), len(self._pair.v)

    @property
    def distance(self) -> float:
        """W_p."""
        return self._scaled.distance / self._scaled.distance_scale

    def shares(self) -> tuple[np.ndarray, np.ndarray]:
        """The weights of either sample, scaled to sum to 1: what the rows and columns of the plan sum to."""
        x = self._pair
        a, b = shares(x.u_weights, len(x.u)), shares(x.v_weights, len(x.v))
        u_share, v_share = np.empty_like(a), np.empty_like(b)
        u_share[x.u_order], v_share[x.v_order] = a, b
        return u_share, v_share

    def ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each piece starts and ends: values up to one shift, float64 or (beyond 2^53) uint64."""
        x = self._pair
        u, v = np.empty_like(x.u), np.empty_like(x.v)
        u[x.u_order], v[x.v_order] = x.u, x.v
        return u[self.rows], v[self.cols]

    def given_ends(self) -> tuple[np.ndarray, np.ndarray]:
        """Where each piece starts and ends, in the values that were given, as float64."""
        ends = self.ends()
        if not self._origin:
            return ends[0].astype(np.float64), ends[1].astype(np.float64)
        x, y = (np.array([float(int(t) + self._origin) for t in end.tolist()]) for end in ends)
        return x, y

    def toarray(self) -> np.ndarray:
        """The plan as a dense (n, m) matrix."""
        dense = np.zeros(self.shape)
        dense[self.rows, self.cols] = self.mass
        return dense

    def tocoo(self) -> Any:
        """The plan as a `scipy.sparse.coo_array` (SciPy is imported here only)."""
        from scipy.sparse import coo_array

        return coo_array((self.mass, (self.rows, self.cols)), shape=self.shape)

    def certificate(self) -> Certificate:
        """Proof of optimality that needs no trust in how the plan was found.

        Any potentials that are feasible bound the cost of any plan from below; so a plan whose cost equals
        the value of feasible potentials is optimal.
        """
        from fastdiv.transport import of_true_samples

        x = self._pair
        a, b = self.shares()
        f, g, scale = self.u_potential, self.v_potential, self._scaled.scale
        mantissa, exponent = power(scale, 0, self.p)
        if scale != 1:
            if np.isfinite(f).all() and np.isfinite(g).all():
                f, g = times(f, mantissa, exponent), times(g, mantissa, exponent)
            else:
                f, g = self._scaled.u_potential, self._scaled.v_potential
        distance = float(of_true_samples(x.u, x.v, x.u_weights, x.v_weights, p=self.p))
        sums = (
            np.bincount(self.rows, self.mass, len(a)) - a,
            np.bincount(self.cols, self.mass, len(b)) - b,
        )
        # In sorted order a staircase is feasible everywhere if it is so next to its steps (Monge costs).
        row, col = np.empty_like(x.u_order), np.empty_like(x.v_order)
        row[x.u_order], col[x.v_order] = np.arange(len(a)), np.arange(len(b))
        worst = 0.0
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                i = np.clip(row[self.rows] + down, 0, len(a) - 1)
                j = np.clip(col[self.cols] + right, 0, len(b) - 1)
                price = f[x.u_order[i]] + g[x.v_order[j]]
                worst = max(worst, float((price - distances(x.u[i], x.v[j], scale) ** self.p).max()))
        return Certificate(
            primal=self.cost,
            dual=float(times(a @ f + b @ g, 1 / mantissa, -exponent)),
            area=float(times(1.0, *power(distance, 0, self.p))),
            marginal_error=float(max(np.abs(x).max() for x in sums)),
            infeasibility=float(times(worst, 1 / mantissa, -exponent)),
        )


def transport_plan(
    u_values: ArrayLike,
    v_values: ArrayLike,
    u_weights: ArrayLike | None = None,
    v_weights: ArrayLike | None = None,
    *,
    p: float = 1,
) -> TransportPlan:
    r"""Optimal coupling of two samples on the line for the cost :math:`|x - y|^p`, with its potentials.

    Mass is matched in order, in one sweep over both sorted samples; the Kantorovich potentials come out of
    the same sweep. Levels are compared exactly (weights are summed as 128-bit integers), so no piece is a
    residue of rounding.

    Parameters
    ----------
    u_values, v_values : array_like, shape (n,) and (m,)
        Finite values.
    u_weights, v_weights : array_like, optional
        As in `wasserstein_distance`.
    p : float in [1, inf)
        The exponent of the cost.

    Returns
    -------
    TransportPlan
        With at most n + m - 1 pieces; `cost` in the unit of the values to the power `p`.

    Raises
    ------
    ValueError
        Values that are not finite, negative, infinite, NaN or all-zero weights, empty samples, ``p < 1``.
    TypeError
        For values that are no real numbers.

    Notes
    -----
    O(n log n + m log m) time for the sorts, O(n + m) for the sweep; O(n + m) memory.

    References
    ----------
    .. [1] F. Santambrogio, "Optimal Transport for Applied Mathematicians", Birkhaeuser 2015, chapter 2.

    Examples
    --------
    >>> import fastdiv
    >>> plan = fastdiv.transport_plan([0.0, 1.0], [5.0, 2.0, 3.0], [1, 2], [1, 1, 1])
    >>> plan.toarray().round(3)
    array([[0.   , 0.333, 0.   ],
           [0.333, 0.   , 0.333]])
    >>> round(plan.cost, 12), round(plan.certificate().dual, 12)
    (2.666666666667, 2.666666666667)
    """
    from fastdiv import _wasserstein
    from fastdiv._samples import pair

    order = opt.wasserstein_order(p, infinite=False)
    x = pair(u_values, v_values, u_weights, v_weights)
    n, m = len(x.u), len(x.v)
    # One block: NumPy takes big ones in huge pages, and faults of small pages cost as much as the sweep.
    block = np.empty(4 * (n + m))
    rows, cols, mass = np.split(block[: 3 * (n + m)], 3)
    rows, cols = rows.view(np.int64), cols.view(np.int64)
    f, g = block[3 * (n + m) : -m], block[-m:]
    given = (x.u, x.v, x.u_weights, x.v_weights)

    def fill(scale: float) -> tuple[int, float, float]:
        filled: tuple[int, float, float] = _wasserstein.plan(
            *given, order, scale, x.u_order, x.v_order, rows, cols, mass, f, g
        )
        return filled

    pieces, cost, largest = fill(1.0)
    scale, distance_scale = 1.0, 1.0
    if 1 / _SAFE < cost < _SAFE and max(f.max(), g.max(), -f.min(), -g.min()) < _SAFE:
        distance, half = cost if order == 1 else float(cost ** (1 / order)), cost / 2
    else:
        distance = _wasserstein.distance(*given, order, 1.0)
        if not 1 / _SAFE < distance < _SAFE and distance:
            distance_scale = _SAFE if distance < 1 else 0.25
            distance = _wasserstein.distance(*given, order, distance_scale)
        if largest == math.inf:
            scale, largest = 0.25, fill(0.25)[2]
        if largest:
            scale = math.ldexp(scale, min(max(-math.frexp(largest)[1], -1000), 1000))
            fill(scale)
        half = 0.0
    scaled = Scaled(scale, f, g, distance, distance_scale)
    if not half and distance:
        half = float(times(0.5, *scaled.relative(order)))
        cost = float(times(1.0, *power(distance, 1 - math.frexp(distance_scale)[1], order)))
    shift = half - (float(f.mean()) if x.u_weights is None else float(shares(x.u_weights, n) @ f[x.u_order]))
    if scale == 1:
        f += shift
        g -= shift
    else:
        mantissa, exponent = power(scale, 0, order)
        f, g = times(f + shift, 1 / mantissa, -exponent), times(g - shift, 1 / mantissa, -exponent)
    origin = _origin(x, u_values)
    return TransportPlan(rows[:pieces], cols[:pieces], mass[:pieces], cost, f, g, order, x, scaled, origin)


def _origin(x: Pair, u_values: Any) -> int:
    """How far `_checks.samples.common` has moved integers beyond 2^53, so that they start at 0."""
    if x.u.dtype == np.float64 and not (min(x.u[0], x.v[0]) == 0 and max(x.u[-1], x.v[-1]) <= EXACT):
        return 0
    return int(as_numbers(u_values, "u_values").reshape(-1)[x.u_order[0]]) - int(x.u[0])


def distances(x: np.ndarray, y: np.ndarray, scale: float = 1.0) -> np.ndarray:
    """|x - y| times a power of two as float64, without wrapping round where both are uint64."""
    with np.errstate(over="ignore"):
        gaps: np.ndarray = np.where(x > y, x - y, y - x).astype(np.float64) * scale
    finite = np.isfinite(gaps)
    return gaps if finite.all() else np.where(finite, gaps, np.abs(x * scale - y * scale))


def power(x: float, exponent: int, p: float) -> tuple[float, int]:
    """(x 2^exponent)^p for x >= 0, p >= 0 as a mantissa and an exponent: beyond the range of float64 too."""
    mantissa, own = math.frexp(x)
    exponent += own
    if not 0 < x < math.inf or (abs(exponent) + 1) * max(p, 1.0) < 900:
        return math.frexp(math.ldexp(mantissa, exponent) ** p)
    halvings = max(0, math.frexp(p)[1] - 9)
    result, total = math.frexp(mantissa ** math.ldexp(p, -halvings))
    for _ in range(halvings):
        result, more = math.frexp(result * result)
        total = 2 * total + more
    rest = Fraction(p) * exponent
    result, more = math.frexp(result * 2.0 ** float(rest - math.floor(rest)))
    return result, total + more + math.floor(rest)


def times(x: Any, mantissa: float, exponent: int) -> Any:
    """x * mantissa * 2^exponent."""
    with np.errstate(over="ignore", under="ignore"):
        return np.ldexp(x * mantissa, min(max(exponent, -5000), 5000))
