"""What a joint plan can at most be worth, and a plan that reaches it, by HiGHS: first the bound, then as few columns as it takes.

The linear relaxation is solved once. Its dual prices bound every solution by themselves (weak duality, added up again here), and say
of each column how much at least is lost by using it. Solutions within some slack of the bound use only columns that lose no more, so the
best one among these columns, if it is within the slack, is the best of all: the core of Balas and Zemel (Operations Research 28, 1980),
which is small because the relaxation is nearly exact.

The counts of Value.key are maximised in order: several at once with weights above all that the later ones can sum up to, as long as these
sums are exact in floats; the rest afterwards, with the counts before held.
"""

import time
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .programme import Floats, Programme
from .windows import Ints

EXACT = 2**46  # sums of weighted counts below this are told apart in float64 with room to spare
UNIT = 2.0**-16  # what the solver sees of one unit: above its tolerance of 1e-7, with the largest weights not too large
COUNTS = 5


@dataclass
class Proof:
    """As far as it has come. bound: no solution has a larger Value.key. found: the variables of a better solution than the known one;
    proved: it, or else the known one, reaches the bound.
    """

    programme: Programme
    bound: list[int]
    found: NDArray[np.bool_] | None = None
    proved: bool = False

    def run(self, known: NDArray[np.bool_], until: float) -> None:
        """Prove, until a moment of time.monotonic(). known: a solution."""
        self.until = until
        current, known_here, numbers = self.programme, known, np.arange(len(known))
        low, high = _ranges(self.programme)
        held: list[int] = []
        for counts in _phases(low, high):
            weights = _weights([high[count] - low[count] + 1 for count in counts])
            objective = current.gain[:, counts] @ weights
            relaxed = _relax(current, objective, until)
            worth = int(known_here @ objective)
            top = min(relaxed.top, int((high - low)[counts] @ weights + low[counts] @ weights))
            self._tell(held, _digits(max(top, worth), counts, low, high, weights), high)
            if worth < top:
                top, better = self._close(current, objective, relaxed, worth)
                if better is not None:
                    known_here, worth = better, int(better @ objective)
                    self.found = np.zeros(len(known), np.bool_)
                    self.found[numbers[better]] = True
                self._tell(held, _digits(max(top, worth), counts, low, high, weights), high)
            if worth < top:
                return
            held += (known_here @ current.gain)[counts].tolist()
            kept = np.flatnonzero(relaxed.loss <= relaxed.limit - worth)
            kept = np.union1d(kept, np.flatnonzero(known_here))
            numbers, known_here = numbers[kept], known_here[kept]
            current = current.only(kept).at_least(known_here @ current.gain[kept], counts)
        self.proved = True

    def _tell(self, held: list[int], counts: list[int], high: Ints) -> None:
        bound = [*held, *counts]
        self.bound = bound + [int(most) for most in high[len(bound) :]]

    def _close(self, current: Programme, objective: Ints, relaxed: "_Relaxed", worth: int) -> tuple[int, NDArray[np.bool_] | None]:
        """Return what the best solution can at most be worth, and one that is worth more than what is known."""
        better: NDArray[np.bool_] | None = None
        for slack in (relaxed.small_slack(), None):
            gap = relaxed.limit - worth
            slack = gap if slack is None else min(slack, gap)
            kept = np.flatnonzero(relaxed.loss <= slack)
            some, top = _maximise(current.only(kept), objective[kept], self.until)
            if some is not None and int(some @ objective[kept]) > worth:
                worth = int(some @ objective[kept])
                better = np.zeros(len(objective), np.bool_)
                better[kept[some]] = True
            beyond = int(np.floor(relaxed.limit - slack)) if slack < gap else worth
            reached = max(worth, min(relaxed.top, top), min(relaxed.top, beyond))
            if reached <= worth or slack == gap or time.monotonic() >= self.until:
                return reached, better
        raise AssertionError("the second slack is the gap")


@dataclass(frozen=True, slots=True)
class _Relaxed:
    """limit: no solution is worth more; loss (V,): how much less than that, at least, if it uses the variable."""

    limit: float
    loss: Floats
    used: int

    @property
    def top(self) -> int:
        return int(np.floor(self.limit))

    def small_slack(self) -> float:
        """Return a slack that keeps twice as many columns as the relaxation uses, beside those that lose nothing."""
        losing = np.sort(self.loss[self.loss > 0.5])
        return float(losing[min(2 * self.used, len(losing) - 1)]) if len(losing) else 1.0


def _relax(current: Programme, objective: Ints, until: float) -> _Relaxed:
    """Solve the linear relaxation; whatever the solver says, the limit is added up from the prices it gives."""
    from scipy.optimize import linprog  # type: ignore[import-untyped]

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
        price >= 0, np.where(np.isfinite(current.upper), current.upper, 0), np.where(np.isfinite(current.lower), current.lower, 0)
    )
    limit = float(price @ right + np.maximum(reduced, 0).sum())
    used = int((result.x > 1e-6).sum()) if result.x is not None else len(objective)
    return _Relaxed(limit + 1e-13 * abs(limit) + 0.01, np.maximum(-reduced, 0), used)


def _stack(parts: list[Any]) -> Any:
    from scipy.sparse import vstack  # type: ignore[import-untyped]

    return vstack(parts, format="csr")


def _maximise(current: Programme, objective: Ints, until: float) -> tuple[NDArray[np.bool_] | None, int]:
    """Return the best solution that the solver found in time, and what it says that none exceeds."""
    from scipy.optimize import Bounds, LinearConstraint, milp

    result = milp(
        -objective * UNIT,
        constraints=LinearConstraint(current.matrix, current.lower, current.upper),
        integrality=np.ones(len(objective)),
        bounds=Bounds(0, 1),
        options={"time_limit": max(0.05, until - time.monotonic()), "mip_rel_gap": 0.0},
    )
    if result.status == 2:  # there is none
        return None, -(2**62)
    x = None if result.x is None else result.x > 0.5
    if x is not None and result.status == 0:
        return x, int(x @ objective)
    dual = getattr(result, "mip_dual_bound", None)
    if dual is None or not np.isfinite(dual):
        return x, 2**62
    return x, int(np.floor(-dual / UNIT + 1e-6 * abs(dual) / UNIT + 0.5))


def _ranges(programme: Programme) -> tuple[Ints, Ints]:
    """Return the least and the largest that each count can be, (5,) each."""
    _, part = np.unique(programme.meeting * (int(programme.seat.max(initial=-1)) + 2) + programme.seat + 1, return_inverse=True)
    homes, row = np.unique(programme.meeting, return_inverse=True)
    least, most = np.zeros((int(part.max()) + 1, COUNTS), np.int64), np.zeros((int(part.max()) + 1, COUNTS), np.int64)
    must = part[(programme.seat < 0) & (programme.lower[: len(homes)] > 0)[row]]
    least[must], most[must] = 2**40, -(2**40)  # these have some column in any case
    np.minimum.at(least, part, programme.gain)
    np.maximum.at(most, part, programme.gain)
    return least.sum(axis=0), most.sum(axis=0)


def _phases(low: Ints, high: Ints) -> list[list[int]]:
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


def _weights(widths: list[int]) -> Ints:
    weights = [1]
    for width in reversed(widths[1:]):
        weights.append(weights[-1] * int(width))
    return np.array(weights[::-1], np.int64)


def _digits(top: int, counts: list[int], low: Ints, high: Ints, weights: Ints) -> list[int]:
    """Read a bound of the weighted sum back as the lexicographically largest counts that it allows."""
    rest = top - int(low[counts] @ weights)
    found: list[int] = []
    for count, weight in zip(counts, weights.tolist(), strict=True):
        digit = rest // weight
        if digit > high[count] - low[count]:  # no count can be so large, so those behind it are not bounded
            return found + [int(high[c]) for c in counts[len(found) :]]
        found.append(int(low[count] + digit))
        rest -= digit * weight
    return found
