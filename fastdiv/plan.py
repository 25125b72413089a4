"""The optimal coupling itself: who sends how much to whom, and the prices that prove it optimal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from fastdiv import _wasserstein
from fastdiv._samples import check_order, pair, shares

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
    _u: np.ndarray  # values and shares, in the order given
    _v: np.ndarray
    _u_share: np.ndarray
    _v_share: np.ndarray

    @property
    def shape(self) -> tuple[int, int]:
        return len(self._u), len(self._v)

    @property
    def distance(self) -> float:
        """W_p."""
        return self.cost if self.p == 1 else float(self.cost ** (1 / self.p))

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

        dual = float(self._u_share @ self.u_potential + self._v_share @ self.v_potential)
        distance = wasserstein_distance(self._u, self._v, self._u_share, self._v_share, p=self.p)
        sums = (
            np.bincount(self.rows, self.mass, len(self._u)) - self._u_share,
            np.bincount(self.cols, self.mass, len(self._v)) - self._v_share,
        )
        # In sorted order a staircase is feasible everywhere if it is next to its steps (Monge costs).
        i, j = np.argsort(self._u, kind="stable"), np.argsort(self._v, kind="stable")
        row, col = np.empty_like(i), np.empty_like(j)
        row[i], col[j] = np.arange(len(i)), np.arange(len(j))
        worst = 0.0
        for down in (-1, 0, 1):
            for right in (-1, 0, 1):
                a = i[np.clip(row[self.rows] + down, 0, len(i) - 1)]
                b = j[np.clip(col[self.cols] + right, 0, len(j) - 1)]
                slack = _distances(self._u[a], self._v[b]) ** self.p
                worst = max(worst, float((self.u_potential[a] + self.v_potential[b] - slack).max()))
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
    order = check_order(p)
    if order == np.inf:
        raise ValueError("p must be finite here: the cost |x - y|^p has no limit that adds up over pieces")
    x = pair(u_values, v_values, u_weights, v_weights)
    n, m = len(x.u), len(x.v)
    rows, cols = np.empty(n + m, np.int64), np.empty(n + m, np.int64)
    mass, f, g = np.empty(n + m), np.empty(n), np.empty(m)
    pieces = _wasserstein.plan(x.u, x.v, x.u_weights, x.v_weights, order, rows, cols, mass, f, g)
    rows, cols, mass = rows[:pieces], cols[:pieces], mass[:pieces]
    distance = _distances(x.u[rows], x.v[cols])
    cost = float(mass @ (distance if order == 1 else distance**order))
    a, b = shares(x.u_weights, n), shares(x.v_weights, m)
    shift = cost / 2 - float(a @ f)
    return TransportPlan(
        rows=x.u_order[rows],
        cols=x.v_order[cols],
        mass=mass,
        cost=cost,
        u_potential=_restored(f + shift, x.u_order),
        v_potential=_restored(g - shift, x.v_order),
        p=order,
        _u=_restored(x.u, x.u_order),
        _v=_restored(x.v, x.v_order),
        _u_share=_restored(a, x.u_order),
        _v_share=_restored(b, x.v_order),
    )


def _restored(values: np.ndarray, order: np.ndarray) -> np.ndarray:
    """Values given in sorted order, in the order they came."""
    out = np.empty_like(values)
    out[order] = values
    return out


def _distances(x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """|x - y| as float64, without wrapping round where both are uint64."""
    distances: np.ndarray = np.where(x > y, x - y, y - x).astype(np.float64)
    return distances
