"""The moments at which a clock shows round times: where a start may lie if somebody wishes it to be
at :00 or :15.

A wall clock is some minutes ahead of the ticks, which count from UTC, and changes by how many; what
matters of that is its remainder.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike

from .windows import Ints

BEGINNING = -(2**40)  # before all ticks


class TooManyStartsError(ValueError):
    """Meetings could start at more moments than memory has room for."""


@dataclass(frozen=True, eq=False)
class Marks:
    """The ticks that are `phase` modulo `step`, for each phase from `since` on until the next
    one's. since, phase: (P,), since ascending, the first of them BEGINNING.
    """

    step: int
    since: Ints
    phase: Ints

    @cached_property
    def _first(self) -> Ints:
        """The first mark of each piece or later, and one beyond all, (P + 1,)."""
        found = np.append(self.since + (self.phase - self.since) % self.step, -BEGINNING)
        for piece in range(len(self.since) - 2, -1, -1):
            if found[piece] >= self.since[piece + 1]:
                found[piece] = found[piece + 1]
        return found

    @cached_property
    def _last(self) -> Ints:
        """The last mark before each piece, (P,)."""
        found = np.full(len(self.since), BEGINNING)
        for piece in range(1, len(self.since)):
            last = (
                self.since[piece] - 1 - (self.since[piece] - 1 - self.phase[piece - 1]) % self.step
            )
            found[piece] = last if last >= self.since[piece - 1] else found[piece - 1]
        return found

    @cached_property
    def _before(self) -> Ints:
        """How many marks there are before each piece, (P,)."""
        begin, end, phase = self.since[:-1], self.since[1:], self.phase[:-1]
        return np.append(0, np.cumsum((phase - begin) // self.step - (phase - end) // self.step))

    def at_or_after(self, ticks: ArrayLike) -> Ints:
        """Return the first mark that is not before each tick."""
        at = np.asarray(ticks, np.int64)
        piece = self._piece(at)
        found = at + (self.phase[piece] - at) % self.step
        return np.where(
            found < np.append(self.since[1:], -BEGINNING)[piece], found, self._first[piece + 1]
        )

    def at_or_before(self, ticks: ArrayLike) -> Ints:
        """Return the last mark that is not after each tick."""
        at = np.asarray(ticks, np.int64)
        piece = self._piece(at)
        found = at - (at - self.phase[piece]) % self.step
        return np.where(found >= self.since[piece], found, self._last[piece])

    def before(self, ticks: ArrayLike) -> Ints:
        """Return how many marks there are before each tick, from some moment on."""
        at = np.asarray(ticks, np.int64)
        piece = self._piece(at)
        phase = self.phase[piece]
        return np.asarray(
            self._before[piece]
            - (phase - at) // self.step
            + (phase - self.since[piece]) // self.step
        )

    def within(self, first: int, last: int, most: int) -> Ints:
        """Return those in [first, last], ascending. TooManyStartsError: more than `most`."""
        if (count := int(self.before(last + 1) - self.before(first))) > most:
            raise TooManyStartsError(
                f"These meetings could start at {count} moments: name bounds that are nearer, or "
                "align them."
            )
        inner = self.since[(self.since > first) & (self.since <= last)]
        begins, ends = np.append(first, inner), np.append(inner - 1, last)
        firsts = self.at_or_after(begins).tolist()
        return np.concatenate(
            [
                np.arange(begin, end + 1, self.step)
                for begin, end in zip(firsts, ends.tolist(), strict=True)
            ]
        )

    def _piece(self, at: Ints) -> Ints:
        return np.maximum(self.since.searchsorted(at, side="right") - 1, 0)


type Align = int | Marks
"""Where starts may lie: on marks, or where the tick is 0 modulo a number."""


def marks_of(align: Align | None) -> Marks:
    """Return the marks; every tick is one if there is no wish. ValueError: a number below 1."""
    if isinstance(align, Marks):
        return align
    if align is not None and align < 1:
        raise ValueError("align is at least 1.")
    return marks(align or 1, [])


def distinct(times: Ints) -> Ints:
    """Return each once, ascending. np.unique hashes, which takes six times as long for 100,000
    times.
    """
    ordered = np.sort(times)
    return np.asarray(ordered[np.append(True, ordered[1:] != ordered[:-1])])


def marks(step: int, offsets: Iterable[tuple[int, int]]) -> Marks:
    """Return the ticks at which a clock shows a multiple of `step` minutes. offsets: from which
    tick on it is how many minutes ahead; the first one holds before it too, and without any it
    shows the ticks themselves.
    """
    since, phase = [BEGINNING], [0]
    for place, (tick, ahead) in enumerate(offsets):
        if place == 0:
            phase[0] = -ahead % step
        elif -ahead % step != phase[-1]:
            since.append(tick)
            phase.append(-ahead % step)
    return Marks(step, np.array(since, np.int64), np.array(phase, np.int64))
