"""Turn free time into possible starts of a meeting, by preference.

A person is free on [t, t + d) at preference >= x exactly if t lies in [a, b - d] for one maximal
run [a, b) of "preference >= x": an erosion by an interval, in the words of mathematical morphology
(Serra, Image Analysis and Mathematical Morphology, 1982). The runs of all the thresholds nest like
a forest, so they are peeled off from the lowest preference up; windows that touch no other are done
after the first round.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from .windows import BEST_PREFERENCE, Bools, Bytes, Ints, Windows

# Rows at once: the temporary arrays of so many fit into a core's own cache (bench/engine.py).
BLOCK = 32_768
VALUES = BEST_PREFERENCE + 2  # 0 for cannot, else preference + 1
KINDS = VALUES * VALUES
LOW, HIGH = np.divmod(np.arange(KINDS), VALUES)
_NO_MORE = np.int8(127)  # above every value

type Offsets = NDArray[np.int32] | Ints
"""Ticks counted from a known one: in half the bytes where they fit."""


@dataclass(frozen=True, slots=True, eq=False)
class Lifts:
    """Starts [first, stop) at which somebody's value rises from LOW[kind] to HIGH[kind].

    All (m,); first and stop count from `earliest`. The value at a start is the smallest over the
    meeting. One person's lifts nest, so it is the sum of HIGH - LOW over the lifts around the
    start; and it changes at every bound of a lift.
    """

    who: NDArray[np.int32]
    first: Offsets
    stop: Offsets
    kind: NDArray[np.uint8]


class _Rows(NamedTuple):
    """Windows of a few people, laid end to end on one axis.

    Two people never touch there, so one merge serves them all.
    """

    who: NDArray[np.int32]
    left: Offsets
    right: Offsets
    value: Bytes
    floor: Bytes

    def at(self, index: NDArray[np.intp]) -> "_Rows":
        return _Rows(
            self.who[index],
            self.left[index],
            self.right[index],
            self.value[index],
            self.floor[index],
        )


def lifts(
    free: Windows,
    duration: int,
    *,
    earliest: int,
    latest_end: int,
    among: Bools | None = None,
    depth: int = VALUES,
) -> Lifts:
    """Return the lifts of a meeting of `duration` ticks within [earliest, latest_end).

    among (people,): leave everybody else out. depth 1: only tell can from cannot; HIGH[kind] is
    then the lowest value of the run. O(n) for n windows of few preferences.
    """
    parts = [
        part
        for block in _blocks(free)
        for part in _peel(free, block, duration, earliest, latest_end, among, depth)
    ]
    if not parts:
        none = np.zeros(0, np.int32)
        return Lifts(none, none, none, np.zeros(0, np.uint8))
    who, first, stop, kind = (np.concatenate(column) for column in zip(*parts, strict=True))
    return Lifts(who, first, stop, kind)


def _blocks(free: Windows) -> Iterator[slice]:
    """Yield slices of about BLOCK rows, cut between people."""
    done = 0
    while done < len(free):
        goal = min(done + BLOCK, len(free)) - 1
        until = int(np.searchsorted(free.who, free.who[goal], side="right"))
        yield slice(done, until)
        done = until


def _lay_out(
    free: Windows, block: slice, earliest: int, latest_end: int, among: Bools | None
) -> tuple[_Rows, Any, int]:
    """Lay a block's windows, clipped to [earliest, latest_end), on the axis.

    Return them, the ticks of each person on the axis, and the tick at which each person begins.
    """
    who, value = free.who[block], free.preference[block] + np.int8(1)
    start, end = free.start[block], free.end[block]
    low, high = int(start.min()), int(end.max())
    if among is not None or low < earliest or high > latest_end:
        near = (start < latest_end) & (end > earliest)
        rows = np.flatnonzero(near if among is None else near & among[who.astype(np.intp)])
        low, high = max(low, earliest), min(high, latest_end)
        who, value = who[rows], value[rows]
        start, end = np.maximum(start[rows], low), np.minimum(end[rows], high)
    span = max(high - low, 0) + 1
    base = free.who[block.start]
    people = int(free.who[block.stop - 1] - base) + 1
    axis: type[Any] = np.int32 if span * people < 2**31 else np.int64
    whose = who - base
    origin = whose.astype(axis) * axis(span)
    left, right = (start - low).astype(axis) + origin, (end - low).astype(axis) + origin
    return _Rows(whose, left, right, value, np.zeros(len(who), np.int8)), axis(span), low


def _peel(
    free: Windows,
    block: slice,
    duration: int,
    earliest: int,
    latest_end: int,
    among: Bools | None,
    depth: int,
) -> Iterator[tuple[NDArray[np.int32], Offsets, Offsets, NDArray[np.uint8]]]:
    """Yield the lifts of a block: who, first, stop, kind. The lowest preference comes first."""
    rows, span, low = _lay_out(free, block, earliest, latest_end, among)
    offset: type[Any] = np.int32 if latest_end - earliest < 2**31 else np.int64
    for _ in range(depth):
        if not len(rows.who):
            return
        opens, head, length = _runs(rows.left, rows.right)
        alone = len(head) == len(rows.who)
        if alone:
            top = rows.value
        else:
            run = np.cumsum(opens) - 1
            top = np.full(len(head), _NO_MORE)
            np.minimum.at(top, run, rows.value)  # several times faster than reduceat on short runs
        fits = length >= duration
        long = np.flatnonzero(fits)
        runs = head[long]
        who, floor = rows.who[runs], rows.floor[runs].astype(np.uint8)
        kind = floor * np.uint8(VALUES) + top[long].astype(np.uint8)
        first = (rows.left[runs] - who * span).astype(offset) + offset(low - earliest)
        stop = first + (length[long] - (duration - 1)).astype(offset)
        yield who + free.who[block.start], first, stop, kind
        if alone:
            return
        # What lies above the lowest value of its run goes on; what is in a run too short for the
        # meeting cannot get longer.
        reached = np.where(fits, top, _NO_MORE)[run]
        rows = rows._replace(floor=reached).at(np.flatnonzero(rows.value > reached))


def _runs(left: Offsets, right: Offsets) -> tuple[Bools, NDArray[np.intp], Offsets]:
    """Merge rows that touch or overlap into runs.

    Return whether each row opens a run (n,), which rows do (runs,), and the runs' lengths (runs,).
    """
    in_order = (right[1:] >= right[:-1]).all()
    reach = right if in_order else np.maximum.accumulate(right)
    opens = np.empty(len(left), np.bool_)
    opens[0] = True
    np.greater(left[1:], reach[:-1], out=opens[1:])
    head = np.flatnonzero(opens)
    length = np.empty(len(head), reach.dtype)
    length[:-1], length[-1] = reach[head[1:] - 1], reach[-1]
    length -= left[head]
    return opens, head, length
