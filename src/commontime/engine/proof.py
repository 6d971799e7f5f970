"""Prove that a joint plan is the best, or bound its worth.

HiGHS solves the linear relaxation once. Its dual prices bound every solution by themselves (weak
duality, added up again here), and bound the loss of using each column. Solutions within some slack
of the bound use only columns that lose no more than the slack. So the best solution among these
columns, if it is within the slack, is the best of all: the core of Balas and Zemel (Operations
Research 28, 1980), which is small because the relaxation is nearly exact.

The counts of Value.key are maximised in order: as many at once as weighted sums are exact in
floats, then the rest, with the earlier counts held.
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .programme import Programme
from .solver import Relaxation, count_ranges, maximise, phases, relax, weights_of
from .windows import Ints, distinct


@dataclass
class Proof:
    """A proof, as far as it has come.

    bound: no solution has a larger Value.key. better: the variables of a solution that is better
    than the known one, if there is one. proved: that one, or else the known one, reaches the bound.
    """

    programme: Programme
    bound: list[int]
    better: NDArray[np.bool_] | None = None
    proved: bool = False

    def run(self, known: NDArray[np.bool_], until: float) -> None:
        """Prove until a moment of time.monotonic(). known: a solution."""
        self.until = until
        current, best, numbers = self.programme, known, np.arange(len(known))
        scale = _Scale(*count_ranges(self.programme))
        held: list[int] = []
        for counts in phases(scale.low, scale.high):
            weights = scale.weights_of(counts)
            objective = current.gain[:, counts] @ weights
            relaxation = relax(current, objective, until)
            worth = int(best @ objective)
            top = min(relaxation.top, scale.largest(counts, weights))
            self.bound = scale.bound(held, scale.digits(max(top, worth), counts, weights))
            if worth < top:
                top, better = self._close(current, objective, relaxation, worth)
                if better is not None:
                    best, worth = better, int(better @ objective)
                    self.better = np.zeros(len(known), np.bool_)
                    self.better[numbers[better]] = True
                self.bound = scale.bound(held, scale.digits(max(top, worth), counts, weights))
            if worth < top:
                return
            held += (best @ current.gain)[counts].tolist()
            kept = np.flatnonzero(relaxation.loss <= relaxation.limit - worth)
            kept = distinct(np.append(kept, np.flatnonzero(best)))
            numbers, best = numbers[kept], best[kept]
            current = current.only(kept).at_least(best @ current.gain[kept], counts)
        self.proved = True

    def _close(
        self, current: Programme, objective: Ints, relaxation: Relaxation, worth: int
    ) -> tuple[int, NDArray[np.bool_] | None]:
        """Return a bound, and a better solution than the known one, if any.

        worth: that of the known solution.
        """
        better: NDArray[np.bool_] | None = None
        for slack in (relaxation.small_slack(), None):
            gap = relaxation.limit - worth
            slack = gap if slack is None else min(slack, gap)
            kept = np.flatnonzero(relaxation.loss <= slack)
            solution, top = maximise(current.only(kept), objective[kept], self.until)
            if solution is not None and int(solution @ objective[kept]) > worth:
                worth = int(solution @ objective[kept])
                better = np.zeros(len(objective), np.bool_)
                better[kept[solution]] = True
            beyond = int(np.floor(relaxation.limit - slack)) if slack < gap else worth
            reached = max(worth, min(relaxation.top, top), min(relaxation.top, beyond))
            if reached <= worth or slack == gap or time.monotonic() >= self.until:
                return reached, better
        raise AssertionError("the second slack is the gap")


@dataclass(frozen=True, slots=True)
class _Scale:
    """The ranges of the counts, which turn them into weighted sums and back. low, high (5,)."""

    low: Ints
    high: Ints

    def weights_of(self, counts: list[int]) -> Ints:
        return weights_of([self.high[count] - self.low[count] + 1 for count in counts])

    def largest(self, counts: list[int], weights: Ints) -> int:
        """Return the largest weighted sum of the counts."""
        return int((self.high - self.low)[counts] @ weights + self.low[counts] @ weights)

    def bound(self, held: list[int], counts: list[int]) -> list[int]:
        """Return all counts of a bound: held, computed, then the largest values."""
        bound = [*held, *counts]
        return bound + [int(most) for most in self.high[len(bound) :]]

    def digits(self, top: int, counts: list[int], weights: Ints) -> list[int]:
        """Return the lexicographically largest counts with such a weighted sum."""
        rest = top - int(self.low[counts] @ weights)
        digits: list[int] = []
        for count, weight in zip(counts, weights.tolist(), strict=True):
            digit = rest // weight
            if digit > self.high[count] - self.low[count]:
                # No count can be so large, so the later ones are not bounded.
                return digits + [int(self.high[c]) for c in counts[len(digits) :]]
            digits.append(int(self.low[count] + digit))
            rest -= digit * weight
        return digits
