"""Solve the programmes of a joint problem with HiGHS, relaxed or whole.

HiGHS is that of Huangfu and Hall, Mathematical Programming Computation 10, 2018.
"""

import time
from dataclasses import dataclass

import numpy as np
from highspy import Highs, HighsModelStatus, MatrixFormat, ObjSense

from .programme import Programme
from .sparse import Floats
from .windows import Bools, Ints

NO_BOUND = 2**62
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
    result = _solve(current, objective, np.zeros(len(objective), np.bool_), until)
    has_lower, has_upper = np.isfinite(current.lower), np.isfinite(current.upper)
    price, used = np.zeros(len(current.lower)), len(objective)
    if result.values is not None:
        price, used = result.prices, int((result.values > 1e-6).sum())
    price = np.clip(price, np.where(has_lower, -np.inf, 0), np.where(has_upper, np.inf, 0))
    reduced = objective - current.matrix.sums(price)
    lower, upper = np.where(has_lower, current.lower, 0), np.where(has_upper, current.upper, 0)
    limit = float(price @ np.where(price >= 0, upper, lower) + np.maximum(reduced, 0).sum())
    return Relaxation(limit + 1e-13 * abs(limit) + 0.01, np.maximum(-reduced, 0), used)


def maximise(
    current: Programme, objective: Ints, until: float, *, relaxed_first: bool = False
) -> tuple[Bools | None, int]:
    """Return the solver's best solution in time, and its bound.

    Attendances need no branching: with the starts fixed, each person's cliques are intervals, and
    such matrices are totally unimodular. Only if journeys or a face of the polyhedron yield
    fractions are all variables asked for in whole numbers. relaxed_first: try the linear relaxation
    before any branching, because it is likely to yield whole numbers too.
    """
    starts, everything = current.seat < 0, np.ones(len(objective), np.bool_)
    tries = [np.zeros(len(objective), np.bool_)] if relaxed_first else []
    for whole in (*tries, starts, everything):
        result = _solve(current, objective, whole, until)
        values = result.values
        if values is None or (np.abs(values - np.round(values)) < 1e-4).all():
            break
    if result.is_infeasible:
        return None, -NO_BOUND
    solution = None if values is None else values > 0.5
    if solution is not None and result.is_optimal:
        return solution, int(solution @ objective)
    return solution, result.bound


@dataclass(frozen=True, slots=True)
class _Result:
    """What the solver says.

    values: of the variables, or None. prices: of the rows, if no variable had to be whole. bound:
    no solution is worth more.
    """

    is_optimal: bool
    is_infeasible: bool
    values: Floats | None
    prices: Floats
    bound: int


def _solve(current: Programme, objective: Ints, whole: Bools, until: float) -> _Result:
    """Maximise the objective. whole: the variables that must be whole numbers."""
    highs = Highs()  # type: ignore[no-untyped-call]
    highs.setOptionValue("output_flag", False)
    highs.setOptionValue("mip_rel_gap", 0.0)
    # It looks for a first solution, and the search has one.
    highs.setOptionValue("mip_heuristic_run_feasibility_jump", False)
    highs.setOptionValue("time_limit", max(0.05, until - time.monotonic()))
    _pass(highs, current, objective, whole)
    highs.run()
    status, info, solution = highs.getModelStatus(), highs.getInfo(), highs.getSolution()
    is_optimal = status == HighsModelStatus.kOptimal
    # After an error, or of a linear programme out of time, the bound would be 0.
    is_bounded = status == HighsModelStatus.kTimeLimit and bool(whole.any())
    has_values = is_optimal or (is_bounded and np.isfinite(info.objective_function_value))
    return _Result(
        is_optimal=is_optimal,
        is_infeasible=status == HighsModelStatus.kInfeasible,
        values=np.array(solution.col_value) if has_values else None,
        prices=-np.array(solution.row_dual) / UNIT,
        bound=_bound_of(info.mip_dual_bound) if is_bounded else NO_BOUND,
    )


def _pass(highs: Highs, current: Programme, objective: Ints, whole: Bools) -> None:
    """Pass a programme to the solver, which minimises."""
    size, matrix = len(objective), current.matrix
    highs.passModel(
        size,
        len(current.lower),
        len(matrix.value),
        int(MatrixFormat.kRowwise),
        int(ObjSense.kMinimize),
        0.0,
        -UNIT * objective.astype(np.float64),
        np.zeros(size),
        np.ones(size),
        current.lower,
        current.upper,
        matrix.start,
        matrix.index,
        matrix.value,
        whole.astype(np.int32),
    )


def _bound_of(dual: float) -> int:
    """Return the solver's bound, rounded up past its tolerance. 2**62 if it has none."""
    if not np.isfinite(dual):
        return NO_BOUND
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
