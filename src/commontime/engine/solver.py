"""Solve the programmes of a joint problem with HiGHS, relaxed or whole.

HiGHS (Huangfu and Hall, Mathematical Programming Computation 10, 2018) is reached through scipy.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .programme import Floats, Programme
from .windows import Bools, Ints

EXACT = 2**46  # sums of weighted counts below this are told apart in float64 with room to spare
# One unit, as the solver sees it: above its tolerance of 1e-7, while the largest weights stay small
# enough.
UNIT = 2.0**-16
COUNTS = 5


@dataclass(frozen=True, slots=True)
class Relaxation:
    """A bound on all solutions, and on those that use a variable.

    limit: no solution is worth more. loss (V,): a solution that uses the variable is worth at least
    so much less. used: how many variables the relaxation has above 0.
    """

    limit: float
    loss: Floats
    used: int

    @property
    def top(self) -> int:
        return int(np.floor(self.limit))

    def small_slack(self) -> float:
        """Return a slack that keeps twice the columns the relaxation uses.

        The columns that lose nothing are kept in any case, and do not count.
        """
        losing = np.sort(self.loss[self.loss > 0.5])
        return float(losing[min(2 * self.used, len(losing) - 1)]) if len(losing) else 1.0


def relax(current: Programme, objective: Ints, until: float) -> Relaxation:
    """Solve the linear relaxation, and compute the limit from its prices.

    The limit is a bound whatever the solver says (weak duality).
    """
    # Imported here, because it takes long.
    from scipy.optimize import linprog  # type: ignore[import-untyped]

    equal = current.lower == current.upper
    has_upper = np.isfinite(current.upper) & ~equal
    has_lower = np.isfinite(current.lower) & ~equal
    result = linprog(
        -objective * UNIT,
        A_ub=_stack([current.matrix[has_upper], -current.matrix[has_lower]]),
        b_ub=np.concatenate([current.upper[has_upper], -current.lower[has_lower]]),
        A_eq=current.matrix[equal] if equal.any() else None,
        b_eq=current.upper[equal] if equal.any() else None,
        bounds=(0, 1),
        method="highs-ds",
        options={"time_limit": max(0.05, until - time.monotonic())},
    )
    price = _prices(result, has_upper, has_lower, equal)
    reduced = objective - current.matrix.T @ price
    upper, lower = (np.where(np.isfinite(side), side, 0) for side in (current.upper, current.lower))
    limit = float(price @ np.where(price >= 0, upper, lower) + np.maximum(reduced, 0).sum())
    used = int((result.x > 1e-6).sum()) if result.x is not None else len(objective)
    return Relaxation(limit + 1e-13 * abs(limit) + 0.01, np.maximum(-reduced, 0), used)


def _prices(result: Any, has_upper: Bools, has_lower: Bools, equal: Bools) -> Floats:
    """Return the dual price of each row, or 0 without one."""
    price = np.zeros(len(equal))
    marginals = result.ineqlin.marginals
    if marginals is not None and len(marginals):
        prices, count = np.maximum(-marginals / UNIT, 0), int(has_upper.sum())
        price[has_upper] += prices[:count]
        price[has_lower] -= prices[count:]
        if equal.any():
            price[equal] = -result.eqlin.marginals / UNIT
    return price


def _stack(parts: list[Any]) -> Any:
    from scipy.sparse import vstack  # type: ignore[import-untyped]

    return vstack(parts, format="csr")


def maximise(
    current: Programme, objective: Ints, until: float, *, relaxed_first: bool = False
) -> tuple[NDArray[np.bool_] | None, int]:
    """Return the solver's best solution in time, and its bound.

    Attendances need no branching: with the starts fixed, each person's cliques are intervals, and
    such matrices are totally unimodular. Only if journeys or a face of the polyhedron yield
    fractions are all variables asked for in whole numbers. relaxed_first: try the linear relaxation
    before any branching, because it is likely to yield whole numbers too.
    """
    from scipy.optimize import Bounds, LinearConstraint, milp

    starts, everything = current.seat < 0, np.ones(len(objective), np.bool_)
    tries = [np.zeros(len(objective), np.bool_)] if relaxed_first else []
    for whole in (*tries, starts, everything):
        result = milp(
            -objective * UNIT,
            constraints=LinearConstraint(current.matrix, current.lower, current.upper),
            integrality=whole.astype(float),
            bounds=Bounds(0, 1),
            options={"time_limit": max(0.05, until - time.monotonic()), "mip_rel_gap": 0.0},
        )
        if result.x is None or (np.abs(result.x - np.round(result.x)) < 1e-4).all():
            break
    if result.status == 2:  # infeasible
        return None, -(2**62)
    x = None if result.x is None else result.x > 0.5
    if x is not None and result.status == 0:
        return x, int(x @ objective)
    return x, _bound_of(result)


def _bound_of(result: Any) -> int:
    """Return the solver's bound, rounded up past its tolerance. 2**62 if it has none."""
    dual = getattr(result, "mip_dual_bound", None)
    if dual is None or not np.isfinite(dual):
        return 2**62
    return int(np.floor(-dual / UNIT + 1e-6 * abs(dual) / UNIT + 0.5))


def count_ranges(programme: Programme) -> tuple[Ints, Ints]:
    """Return the least and the largest value of each count, (5,) each."""
    seats = int(programme.seat.max(initial=-1)) + 2
    part = np.unique(programme.meeting * seats + programme.seat + 1, return_inverse=True)[1]
    homes, row = np.unique(programme.meeting, return_inverse=True)
    least = np.zeros((int(part.max()) + 1, COUNTS), np.int64)
    most = least.copy()
    must = part[(programme.seat < 0) & (programme.lower[: len(homes)] > 0)[row]]
    least[must], most[must] = 2**40, -(2**40)  # these have some column in any case
    np.minimum.at(least, part, programme.gain)
    np.maximum.at(most, part, programme.gain)
    return least.sum(axis=0), most.sum(axis=0)


def phases(low: Ints, high: Ints) -> list[list[int]]:
    """Return the counts in groups, each as large as exact weights allow."""
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
    """Return weights by which each count outweighs all later ones.

    widths: the number of values each count can have.
    """
    weights = [1]
    for width in reversed(widths[1:]):
        weights.append(weights[-1] * int(width))
    return np.array(weights[::-1], np.int64)
