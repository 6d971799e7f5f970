"""Find the ticks at which a wall clock shows round times.

A wall clock is some minutes ahead of the ticks, which count from UTC, and daylight saving changes
by how many. Only the remainder of that number modulo the step matters.
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
    """Ticks that equal `phase` modulo `step`, from each `since` on.

    since, phase: (P,); since is ascending, and begins with BEGINNING.
    """

    step: int
    since: Ints
    phase: Ints

    @cached_property
    def _first(self) -> Ints:
        """Return the first mark in or after each piece. (P + 1,): the last is beyond all ticks."""
        first = np.append(self.since + (self.phase - self.since) % self.step, -BEGINNING)
        for piece in range(len(self.since) - 2, -1, -1):
            if first[piece] >= self.since[piece + 1]:
                first[piece] = first[piece + 1]
        return first

    @cached_property
    def _last(self) -> Ints:
        """Return the last mark before each piece, (P,)."""
        last = np.full(len(self.since), BEGINNING)
        for piece in range(1, len(self.since)):
            end = self.since[piece] - 1
            mark = end - (end - self.phase[piece - 1]) % self.step
            last[piece] = mark if mark >= self.since[piece - 1] else last[piece - 1]
        return last

    @cached_property
    def _before(self) -> Ints:
        """Count the marks before each piece, (P,)."""
        begin, end, phase = self.since[:-1], self.since[1:], self.phase[:-1]
        return np.append(0, np.cumsum((phase - begin) // self.step - (phase - end) // self.step))

    def at_or_after(self, ticks: ArrayLike) -> Ints:
        """Return the first mark that is not before each tick."""
        at = np.asarray(ticks, np.int64)
        piece = self._piece(at)
        mark = at + (self.phase[piece] - at) % self.step
        end = np.append(self.since[1:], -BEGINNING)[piece]
        return np.where(mark < end, mark, self._first[piece + 1])

    def at_or_before(self, ticks: ArrayLike) -> Ints:
        """Return the last mark that is not after each tick."""
        at = np.asarray(ticks, np.int64)
        piece = self._piece(at)
        mark = at - (at - self.phase[piece]) % self.step
        return np.where(mark >= self.since[piece], mark, self._last[piece])

    def before(self, ticks: ArrayLike) -> Ints:
        """Count the marks before each tick, from a fixed moment on."""
        at = np.asarray(ticks, np.int64)
        piece = self._piece(at)
        phase = self.phase[piece]
        return np.asarray(
            self._before[piece]
            - (phase - at) // self.step
            + (phase - self.since[piece]) // self.step
        )

    def within(self, first: int, last: int, limit: int) -> Ints:
        """Return the marks in [first, last], ascending. TooManyStartsError: more than `limit`."""
        if (count := int(self.before(last + 1) - self.before(first))) > limit:
            raise TooManyStartsError(
                f"These meetings could start at {count} moments. Narrow their bounds or align them."
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
    """Return the marks; without a wish every tick is a mark. ValueError: a number below 1."""
    if isinstance(align, Marks):
        return align
    if align is not None and align < 1:
        raise ValueError("align is at least 1.")
    return marks(align or 1, [])


def marks(step: int, offsets: Iterable[tuple[int, int]]) -> Marks:
    """Return the ticks at which a clock shows multiples of `step`.

    offsets: (tick, minutes the clock is ahead of UTC from that tick on). The first offset holds
    before its tick too; without offsets the clock shows UTC.
    """
    since, phase = [BEGINNING], [0]
    for place, (tick, ahead) in enumerate(offsets):
        if place == 0:
            phase[0] = -ahead % step
        elif -ahead % step != phase[-1]:
            since.append(tick)
            phase.append(-ahead % step)
    return Marks(step, np.array(since, np.int64), np.array(phase, np.int64))
