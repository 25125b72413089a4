"""The optimal coupling itself: who sends how much to whom, and the prices that prove it optimal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastdiv import _wasserstein
from fastdiv._samples import Pair, check_order, pair, shares

__all__ = ["Certificate", "TransportPlan", "transport_plan"]


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
        equality where there is mass. Each carries half the cost in the mean.
    """

    rows: np.ndarray
    cols: np.ndarray
    mass: np.ndarray
    cost: float
    u_potential: np.ndarray
    v_potential: np.ndarray
    p: float
    _pair: Pair

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._pair.u), len(self._pair.v)

    @property
    def distance(self) -> float:
        """W_p."""
        return self.cost if self.p == 1 else float(self.cost ** (1 / self.p))

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
        from fastdiv.transport import wasserstein_distance

        x = self._pair
        a, b = self.shares()
        dual = float(a @ self.u_potential + b @ self.v_potential)
        distance = wasserstein_distance(x.u, x.v, x.u_weights, x.v_weights, p=self.p)
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
                price = self.u_potential[x.u_order[i]] + self.v_potential[x.v_order[j]]
                worst = max(worst, float((price - distances(x.u[i], x.v[j]) ** self.p).max()))
        return Certificate(
            primal=self.cost,
            dual=dual,
            area=float(distance) ** self.p,
            marginal_error=float(max(np.abs(x).max() for x in sums)),
            infeasibility=worst,
        )


def transport_plan(
    u_values: Any, v_values: Any, u_weights: Any = None, v_weights: Any = None, *, p: float = 1
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
    order = check_order(p, infinite=False)
    x = pair(u_values, v_values, u_weights, v_weights)
    n, m = len(x.u), len(x.v)
    # One block: NumPy takes big ones in huge pages, and faults of small pages cost as much as the sweep.
    block = np.empty(4 * (n + m))
    rows, cols, mass = np.split(block[: 3 * (n + m)], 3)
    rows, cols = rows.view(np.int64), cols.view(np.int64)
    f, g = block[3 * (n + m) : -m], block[-m:]
    pieces, cost = _wasserstein.plan(
        x.u, x.v, x.u_weights, x.v_weights, order, x.u_order, x.v_order, rows, cols, mass, f, g
    )
    shift = cost / 2 - (
        float(f.mean()) if x.u_weights is None else float(shares(x.u_weights, n) @ f[x.u_order])
    )
    f += shift
    g -= shift
    return TransportPlan(rows[:pieces], cols[:pieces], mass[:pieces], cost, f, g, order, x)


def distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x - y| as float64, without wrapping round where both are uint64."""
    distances: np.ndarray = np.where(x > y, x - y, y - x).astype(np.float64)
    return distances
