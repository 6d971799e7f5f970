"""The joint problem as a time-indexed integer programme, solved by HiGHS to proof.

x[m, t] = 1: meeting m starts at t; a[m, o, t] <= x[m, t]: optional person o attends it then. Columns exist only where all required people
are free. For each person and each moment at which something could start, the columns that keep them from it sum up to at most 1.
Only maximal ones of these cliques are kept. The counts of Value.key are maximised in order: several at once with weights as long as these
stay small enough for the solver's tolerances (weights B^k with B above every count make one linear objective equal to the lexicographic
one), the rest one after the other, with the counts before held.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .columns import Columns, worth
from .meetings import Meeting
from .windows import Ints

MOST_WEIGHT = 2**31
COUNTS = 5


@dataclass(frozen=True, slots=True, eq=False)
class Model:
    """The variables: gain (V, 5) of each; meeting, column (V,) what it stands for; seat (V,) the optional person's, or -1 for x."""

    gain: Ints
    meeting: Ints
    column: Ints
    seat: Ints
    matrix: Any
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Solved:
    """place: each meeting's column or -1; None if nothing was found. bound: an upper bound of Value.key. proved: the place reaches it."""

    place: list[int] | None
    bound: tuple[int, ...]
    proved: bool


def build(meetings: Sequence[Meeting], options: Sequence[Columns], *, all_placed: bool) -> Model:
    """Return the model. all_placed: it is known that all meetings have a place in a best plan."""
    from scipy.sparse import coo_array  # type: ignore[import-untyped]

    gains, whats, seats, spots = [], [], [], []
    for number, option in enumerate(options):
        count = len(option)
        gains.append(option.gain)
        whats.append(np.full(count, number))
        seats.append(np.full(count, -1))
        spots.append(np.arange(count))
        for one in range(option.optional.shape[1]):
            here = np.flatnonzero(option.optional[:, one] >= 0)
            gains.append(worth(option.optional[here, one], counts=True))
            whats.append(np.full(len(here), number))
            seats.append(np.full(len(here), one))
            spots.append(here)
    gain, meeting, seat, column = (np.concatenate(part) for part in (gains, whats, seats, spots))
    rows = _Rows()
    x = np.flatnonzero(seat < 0)
    first_of: Ints = np.concatenate(([0], np.cumsum([len(option) for option in options])))
    place = np.empty(len(x), np.int64)
    place[first_of[meeting[x]] + column[x]] = x  # the variable of a meeting's column
    for number, option in enumerate(options):
        mine = place[first_of[number] : first_of[number] + len(option)]
        if len(mine):
            rows.add(mine, np.ones(len(mine)), float(all_placed), 1)
    _attendances(rows, meeting, column, seat, place, first_of)
    _cliques(rows, meetings, options, meeting, column, seat)
    index, variable, coefficient = (np.concatenate(part) for part in (rows.index, rows.variable, rows.coefficient))
    matrix = coo_array((coefficient, (index, variable)), shape=(rows.count, len(gain))).tocsr()
    return Model(gain, meeting, column, seat, matrix, np.array(rows.lower, float), np.array(rows.upper, float))


class _Rows:
    """Constraints as triplets: lower <= sum of coefficient * variable <= upper."""

    def __init__(self) -> None:
        self.index: list[Ints] = []
        self.variable: list[Ints] = []
        self.coefficient: list[NDArray[np.float64]] = []
        self.lower: list[float] = []
        self.upper: list[float] = []

    @property
    def count(self) -> int:
        return len(self.lower)

    def add(self, variables: Ints, coefficients: NDArray[np.float64], lower: float, upper: float) -> None:
        self.index.append(np.full(len(variables), self.count))
        self.variable.append(variables)
        self.coefficient.append(coefficients)
        self.lower.append(lower)
        self.upper.append(upper)


def _attendances(rows: _Rows, meeting: Ints, column: Ints, seat: Ints, place: Ints, first_of: Ints) -> None:
    """An optional person attends only where the meeting is."""
    for variable in np.flatnonzero(seat >= 0).tolist():
        here = place[first_of[meeting[variable]] + column[variable]]
        rows.add(np.array([variable, here]), np.array([1.0, -1.0]), -np.inf, 0)


def _cliques(rows: _Rows, meetings: Sequence[Meeting], options: Sequence[Columns], meeting: Ints, column: Ints, seat: Ints) -> None:
    start = np.concatenate([option.start for option in options])
    first_of = np.concatenate(([0], np.cumsum([len(option) for option in options])))
    begin = start[first_of[meeting] + column]
    end = begin + np.array([m.length for m in meetings])[meeting]
    theirs: dict[int, list[Ints]] = {}
    for number, asked in enumerate(meetings):
        mine = np.flatnonzero(meeting == number)
        for person in asked.required:
            theirs.setdefault(person, []).append(mine[seat[mine] < 0])
        for place, person in enumerate(asked.optional):
            theirs.setdefault(person, []).append(mine[seat[mine] == place])
    for parts in theirs.values():
        if len(parts) < 2:
            continue  # of one meeting there is one column anyway
        variables = np.concatenate(parts)
        for clique in _maximal(begin[variables], end[variables]):
            some = variables[clique]
            if len(np.unique(meeting[some])) > 1:
                rows.add(some, np.ones(len(some)), -np.inf, 1)


def _maximal(begin: Ints, end: Ints) -> list[Ints]:
    """Return the maximal sets of intervals that share a moment. There is one at each start before the next end."""
    order = np.argsort(begin, kind="stable")
    starts = np.unique(begin)
    ends = np.sort(end)
    # A moment's set is maximal if something ends before the next start: else that one's holds it.
    closed = np.searchsorted(ends, starts, side="right")
    closed_next = np.append(closed[1:], len(ends))
    found = []
    for moment in starts[closed_next > closed].tolist():
        before = order[: np.searchsorted(begin[order], moment, side="right")]
        found.append(before[end[before] > moment])
    return found


def solve(model: Model, *, floor: tuple[int, ...], seconds: float) -> Solved:
    """Return the best plan within the time. floor: the Value.key of a plan that is known, which the solver need not go below."""
    until = time.monotonic() + seconds
    low, high = _ranges(model)
    bound: list[int] = []
    matrix, lower, upper = model.matrix, model.lower, model.upper
    found: NDArray[np.float64] | None = None
    proved = True
    for counts in _phases(low, high):
        weights = _weights([high[c] - low[c] + 1 for c in counts])
        objective = model.gain[:, counts] @ weights
        result = _milp(objective, matrix, lower, upper, until - time.monotonic())
        if result.x is not None:
            found = result.x
        top = _floor_of(result, objective)
        best = _digits(top, counts, low, high, weights)
        bound += best
        reached = None if result.x is None else (np.round(result.x).astype(np.int64) @ model.gain)[counts].tolist()
        if reached != best:
            proved = False
            bound += [high[c] for c in range(counts[-1] + 1, COUNTS)]
            break
        from scipy.sparse import csr_array, vstack

        matrix = vstack([matrix, csr_array(model.gain[:, counts].T.astype(float))], format="csr")
        lower, upper = np.append(lower, reached), np.append(upper, np.full(len(counts), np.inf))
    place = None if found is None else _read(model, found)
    return Solved(place, max(tuple(bound), floor) if not proved else tuple(bound), proved)


def _ranges(model: Model) -> tuple[list[int], list[int]]:
    """Return the least and the largest that each count can be."""
    low, high = np.zeros(COUNTS, np.int64), np.zeros(COUNTS, np.int64)
    for number in np.unique(model.meeting).tolist():
        mine = model.meeting == number
        for seat in np.unique(model.seat[mine]).tolist():
            gain = model.gain[mine & (model.seat == seat)]
            low += np.minimum(gain.min(axis=0), 0)
            high += np.maximum(gain.max(axis=0), 0)
    return low.tolist(), high.tolist()


def _phases(low: list[int], high: list[int]) -> list[list[int]]:
    """Group the counts: as many at once as their weights allow."""
    phases: list[list[int]] = []
    size = MOST_WEIGHT + 1
    for count in range(COUNTS):
        width = high[count] - low[count] + 1
        if size * width > MOST_WEIGHT:
            phases.append([])
            size = 1
        size *= width
        phases[-1].append(count)
    return phases


def _weights(widths: list[int]) -> Ints:
    weights = [1]
    for width in reversed(widths[1:]):
        weights.append(weights[-1] * width)
    return np.array(weights[::-1], np.int64)


def _digits(top: int, counts: list[int], low: list[int], high: list[int], weights: Ints) -> list[int]:
    """Read a bound of the weighted sum back as the lexicographically largest counts that it allows."""
    rest = top - sum(int(weight) * low[count] for count, weight in zip(counts, weights, strict=True))
    found: list[int] = []
    for count, weight in zip(counts, weights.tolist(), strict=True):
        digit, most = rest // weight, high[count] - low[count]
        if digit > most:  # no count can be so large, so those behind it are not bounded
            return found + [high[c] for c in counts[len(found) :]]
        found.append(low[count] + digit)
        rest -= digit * weight
    return found


def _milp(objective: Ints, matrix: Any, lower: Any, upper: Any, seconds: float) -> Any:
    from scipy.optimize import Bounds, LinearConstraint, milp  # type: ignore[import-untyped]

    return milp(
        -objective.astype(float),
        constraints=LinearConstraint(matrix, lower, upper),
        integrality=np.ones(len(objective)),
        bounds=Bounds(0, 1),
        options={"time_limit": max(0.05, seconds), "mip_rel_gap": 0.0},
    )


def _floor_of(result: Any, objective: Ints) -> int:
    """Return what the objective, a whole number, can at most be."""
    dual = getattr(result, "mip_dual_bound", None)
    if dual is None or not np.isfinite(dual):
        return int(np.maximum(objective, 0).sum())
    return int(np.floor(-dual + 0.5 if result.status == 0 else -dual + 1e-6 * max(1.0, abs(dual))))


def _read(model: Model, x: NDArray[np.float64]) -> list[int]:
    place = [-1] * (int(model.meeting.max()) + 1 if len(model.meeting) else 0)
    for variable in np.flatnonzero((x > 0.5) & (model.seat < 0)).tolist():
        place[int(model.meeting[variable])] = int(model.column[variable])
    return place
