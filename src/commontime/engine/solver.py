"""The programmes of a joint problem put to HiGHS: relaxed, for prices and a bound, or whole.
Reached over scipy, imported only here.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .programme import Floats, Programme
from .windows import Ints

EXACT = 2**46  # sums of weighted counts below this are told apart in float64 with room to spare
UNIT = (
    2.0**-16
    # what the solver sees of one unit: above its tolerance of 1e-7, with the largest weights not too
    # large
)
COUNTS = 5


@dataclass(frozen=True, slots=True)
class Relaxed:
    """limit: no solution is worth more; loss (V,): how much less than that, at least, if it uses
    the variable. used: how many variables above 0 the relaxation has.
    """

    limit: float
    loss: Floats
    used: int

    @property
    def top(self) -> int:
        return int(np.floor(self.limit))

    def small_slack(self) -> float:
        """Return a slack that keeps twice as many columns as the relaxation uses, beside those that
        lose nothing.
        """
        losing = np.sort(self.loss[self.loss > 0.5])
        return float(losing[min(2 * self.used, len(losing) - 1)]) if len(losing) else 1.0


def relax(current: Programme, objective: Ints, until: float) -> Relaxed:
    """Solve the linear relaxation; whatever the solver says, the limit is added up from the prices
    it gives.
    """
    from scipy.optimize import linprog  # type: ignore[import-untyped]  # here, because it takes long to import

    equal = current.lower == current.upper
    sides = [(current.matrix, current.upper, np.isfinite(current.upper) & ~equal)]
    sides += [(-current.matrix, -current.lower, np.isfinite(current.lower) & ~equal)]
    result = linprog(
        -objective * UNIT,
        A_ub=_stack([matrix[rows] for matrix, _, rows in sides]),
        b_ub=np.concatenate([side[rows] for _, side, rows in sides]),
        A_eq=current.matrix[equal] if equal.any() else None,
        b_eq=current.upper[equal] if equal.any() else None,
        bounds=(0, 1),
        method="highs-ds",
        options={"time_limit": max(0.05, until - time.monotonic())},
    )
    price = np.zeros(len(current.upper))
    if result.ineqlin.marginals is not None and len(result.ineqlin.marginals):
        prices = np.maximum(-result.ineqlin.marginals / UNIT, 0)
        done = 0
        for sign, (_, _, rows) in zip((1, -1), sides, strict=True):
            price[rows] += sign * prices[done : done + int(rows.sum())]
            done += int(rows.sum())
        if equal.any():
            price[equal] = -result.eqlin.marginals / UNIT
    reduced = objective - current.matrix.T @ price
    right = np.where(
        price >= 0,
        np.where(np.isfinite(current.upper), current.upper, 0),
        np.where(np.isfinite(current.lower), current.lower, 0),
    )
    limit = float(price @ right + np.maximum(reduced, 0).sum())
    used = int((result.x > 1e-6).sum()) if result.x is not None else len(objective)
    return Relaxed(limit + 1e-13 * abs(limit) + 0.01, np.maximum(-reduced, 0), used)


def _stack(parts: list[Any]) -> Any:
    from scipy.sparse import vstack  # type: ignore[import-untyped]

    return vstack(parts, format="csr")


def maximise(
    current: Programme, objective: Ints, until: float, *, relaxed_first: bool = False
) -> tuple[NDArray[np.bool_] | None, int]:
    """Return the best solution that the solver found in time, and what it says that none exceeds.

    Who attends needs no branching: with the starts fixed, each person's cliques are intervals, and
    such matrices are totally unimodular. Only if journeys or a face of the polyhedron yield
    fractions is it asked again, in whole numbers. relaxed_first: before any branching the linear
    relaxation is tried, which is likely to yield whole numbers too.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    none, starts, everything = (
        np.zeros(len(objective), np.bool_),
        current.seat < 0,
        np.ones(len(objective), np.bool_),
    )
    for whole in (none, starts, everything) if relaxed_first else (starts, everything):
        result = milp(
            -objective * UNIT,
            constraints=LinearConstraint(current.matrix, current.lower, current.upper),
            integrality=whole.astype(float),
            bounds=Bounds(0, 1),
            options={"time_limit": max(0.05, until - time.monotonic()), "mip_rel_gap": 0.0},
        )
        if result.x is None or (np.abs(result.x - np.round(result.x)) < 1e-4).all():
            break
    if result.status == 2:  # there is none
        return None, -(2**62)
    x = None if result.x is None else result.x > 0.5
    if x is not None and result.status == 0:
        return x, int(x @ objective)
    dual = getattr(result, "mip_dual_bound", None)
    if dual is None or not np.isfinite(dual):
        return x, 2**62
    return x, int(np.floor(-dual / UNIT + 1e-6 * abs(dual) / UNIT + 0.5))


def ranges(programme: Programme) -> tuple[Ints, Ints]:
    """Return the least and the largest that each count can be, (5,) each."""
    _, part = np.unique(
        programme.meeting * (int(programme.seat.max(initial=-1)) + 2) + programme.seat + 1,
        return_inverse=True,
    )
    homes, row = np.unique(programme.meeting, return_inverse=True)
    least, most = (
        np.zeros((int(part.max()) + 1, COUNTS), np.int64),
        np.zeros((int(part.max()) + 1, COUNTS), np.int64),
    )
    must = part[(programme.seat < 0) & (programme.lower[: len(homes)] > 0)[row]]
    least[must], most[must] = 2**40, -(2**40)  # these have some column in any case
    np.minimum.at(least, part, programme.gain)
    np.maximum.at(most, part, programme.gain)
    return least.sum(axis=0), most.sum(axis=0)


def phases(low: Ints, high: Ints) -> list[list[int]]:
    """Group the counts: as many at once as their weights allow."""
    phases: list[list[int]] = []
    size = EXACT + 1
    for count in range(COUNTS):
        width = int(high[count] - low[count]) + 1
        if size * width > EXACT:
            phases.append([])
            size = 1
        size *= width
        phases[-1].append(count)
    return phases


def weights_of(widths: list[int]) -> Ints:
    """Return weights for counts, so many values wide each, with which a step of one is worth more
    than all that those behind it can be.
    """
    weights = [1]
    for width in reversed(widths[1:]):
        weights.append(weights[-1] * int(width))
    return np.array(weights[::-1], np.int64)
