"""From free time to possible starts: when can each person begin a meeting of a given length, and how gladly?

A person is free on [t, t + d) at preference >= x exactly if t lies in [a, b - d] for one maximal run [a, b) of "preference >= x":
an erosion by an interval. The runs of all the thresholds nest like a forest, so they are peeled off from the lowest preference up;
windows that touch no other are done after the first round.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from .windows import Bools, Bytes, Ints, Windows

_BLOCK = 16_384  # rows at once: the temporary arrays of so many stay in a core's own cache (bench/engine.py)
_DONE = np.int8(127)  # above every value


@dataclass(frozen=True, slots=True, eq=False)
class Lifts:
    """When somebody's value rises: for starts in [first, stop), it is at least `high`, where it would else be `low`.

    All (m,). A value is 0 for cannot, else preference + 1, and the smallest one over the whole meeting counts. One person's lifts nest,
    so the value at a start is the sum of high - low over the lifts around it; and every bound of a lift really changes that value.
    """

    who: NDArray[np.int32]
    first: Ints
    stop: Ints
    low: Bytes
    high: Bytes


def lifts(free: Windows, duration: int, *, earliest: int, end: int, among: Bools | None = None, depth: int = 99) -> Lifts:
    """Return the lifts of a meeting of `duration` ticks for starts in [earliest, end). O(n) for n windows of few preferences.

    among (people,): leave everybody else out. depth 1: only tell can from cannot; `high` is then the lowest value of the run.
    """
    parts: list[tuple[NDArray[np.int32], Ints, Ints, Bytes, Bytes]] = []
    for block in _blocks(free):
        who, start, stop, value = free.who[block], free.start[block], free.end[block], free.preference[block] + np.int8(1)
        low, high = int(start.min()), int(stop.max())
        if among is not None or low < earliest or high >= end + duration:
            near = (start < end + duration - 1) & (stop > earliest)
            rows = np.flatnonzero(near if among is None else near & among[who])
            if not len(rows):
                continue
            who, start, stop, value = who[rows], start[rows], stop[rows], value[rows]
        # Lay the people end to end on one axis, on which two of them never touch: one merge serves all.
        span = high - low + 1
        origin = (who - who[0]).astype(np.int64)
        origin *= span
        start, stop, floor = start + origin, stop + origin, np.zeros(len(who), np.int8)
        for _ in range(depth):
            reach = np.maximum.accumulate(stop)
            opens = np.empty(len(who), np.bool_)
            opens[0] = True
            np.greater(start[1:], reach[:-1], out=opens[1:])
            head = np.flatnonzero(opens)
            size = np.diff(head, append=len(who))
            top = np.minimum.reduceat(value, head)
            first = start[head] - origin[head]
            until = reach[head + size - 1] - origin[head] - (duration - 1)
            np.maximum(first, earliest, out=first)
            np.minimum(until, end, out=until)
            fits = first < until
            parts.append((who[head][fits], first[fits], until[fits], floor[head][fits], top[fits]))
            rest = np.repeat(np.where(fits, top, _DONE), size)
            rows = np.flatnonzero(value > rest)
            if not len(rows):
                break
            who, origin, start, stop, value, floor = who[rows], origin[rows], start[rows], stop[rows], value[rows], rest[rows]
    if not parts:
        none = np.zeros(0, np.int64)
        return Lifts(none.astype(np.int32), none, none, none.astype(np.int8), none.astype(np.int8))
    return Lifts(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _blocks(free: Windows) -> Iterator[slice]:
    done = 0
    while done < len(free):
        goal = min(done + _BLOCK, len(free)) - 1
        until = int(np.searchsorted(free.who, free.who[goal], side="right"))
        yield slice(done, until)
        done = until
