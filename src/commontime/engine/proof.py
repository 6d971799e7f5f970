"""What a joint plan can at most be worth, and a plan that reaches it, by HiGHS: first the bound,
then as few columns as it takes.

The linear relaxation is solved once. Its dual prices bound every solution by themselves (weak
duality, added up again here), and say of each column how much at least is lost by using it.
Solutions within some slack of the bound use only columns that lose no more, so the best one among
these columns, if it is within the slack, is the best of all: the core of Balas and Zemel
(Operations Research 28, 1980), which is small because the relaxation is nearly exact.

The counts of Value.key are maximised in order: several at once with weights above all that the
later ones can sum up to, as long as these sums are exact in floats; the rest afterwards, with the
counts before held.
"""

import time
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .programme import Programme
from .solver import Relaxed, maximise, phases, ranges, relax, weights_of
from .windows import Ints


@dataclass
class Proof:
    """As far as it has come. bound: no solution has a larger Value.key. found: the variables of a
    better solution than the known one; proved: it, or else the known one, reaches the bound.
    """

    programme: Programme
    bound: list[int]
    found: NDArray[np.bool_] | None = None
    proved: bool = False

    def run(self, known: NDArray[np.bool_], until: float) -> None:
        """Prove, until a moment of time.monotonic(). known: a solution."""
        self.until = until
        current, known_here, numbers = self.programme, known, np.arange(len(known))
        low, high = ranges(self.programme)
        held: list[int] = []
        for counts in phases(low, high):
            weights = weights_of([high[count] - low[count] + 1 for count in counts])
            objective = current.gain[:, counts] @ weights
            relaxed = relax(current, objective, until)
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

    def _close(
        self, current: Programme, objective: Ints, relaxed: "Relaxed", worth: int
    ) -> tuple[int, NDArray[np.bool_] | None]:
        """Return what the best solution can at most be worth, and one that is worth more than what
        is known.
        """
        better: NDArray[np.bool_] | None = None
        for slack in (relaxed.small_slack(), None):
            gap = relaxed.limit - worth
            slack = gap if slack is None else min(slack, gap)
            kept = np.flatnonzero(relaxed.loss <= slack)
            some, top = maximise(current.only(kept), objective[kept], self.until)
            if some is not None and int(some @ objective[kept]) > worth:
                worth = int(some @ objective[kept])
                better = np.zeros(len(objective), np.bool_)
                better[kept[some]] = True
            beyond = int(np.floor(relaxed.limit - slack)) if slack < gap else worth
            reached = max(worth, min(relaxed.top, top), min(relaxed.top, beyond))
            if reached <= worth or slack == gap or time.monotonic() >= self.until:
                return reached, better
        raise AssertionError("the second slack is the gap")


def _digits(top: int, counts: list[int], low: Ints, high: Ints, weights: Ints) -> list[int]:
    """Read a bound of the weighted sum back as the lexicographically largest counts that it allows."""
    rest = top - int(low[counts] @ weights)
    found: list[int] = []
    for count, weight in zip(counts, weights.tolist(), strict=True):
        digit = rest // weight
        if (
            digit > high[count] - low[count]
        ):  # no count can be so large, so those behind it are not bounded
            return found + [int(high[c]) for c in counts[len(found) :]]
        found.append(int(low[count] + digit))
        rest -= digit * weight
    return found
