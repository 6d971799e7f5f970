"""What would make room for a meeting that a plan has no place for: the fewest people to ask, and
the exact time wanted of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .erosion import lifts
from .explain import preferences
from .marks import Align, Marks, distinct, marks_of
from .meetings import Meeting, Plan, Travel, apart, at_times
from .windows import Bools, Busy, Ints, Windows


@dataclass(frozen=True, slots=True)
class Wanted:
    """Time, half-open, that somebody would have to offer."""

    who: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Room:
    """A start that works as soon as everything wanted is offered: by the fewest people possible,
    then the least time, then the earliest.
    """

    start: int
    wanted: tuple[Wanted, ...]


def room_for(
    free: Windows,
    meetings: Sequence[Meeting],
    plan: Plan,
    number: int,
    *,
    align: Align | None = 15,
    travel: Travel | None = None,
    busy: Busy = (),
) -> Room | None:
    """Return the smallest ask that gives a meeting a place beside the others of the plan; None if
    asking can't help.

    It cannot where every start has somebody required in another meeting of the plan or elsewhere
    (busy), or where no start is within the meeting's bounds.
    """
    meeting = meetings[number]
    elsewhere = taken_by(busy, meeting.required, meeting.duration + meeting.buffer)
    taken = np.concatenate((_taken(meetings, apart(meetings, travel), plan, number), elsewhere))
    starts = _starts(free, meeting, taken, marks_of(align))
    starts = starts[~inside(taken, starts)]
    if not len(starts):
        return None
    required = list(meeting.required)
    missing = (preferences(free, starts, meeting.duration, among=np.array(required)) < 0).sum(
        axis=1
    )
    nearest = starts[missing == missing.min()]
    gaps = [
        _gaps(free, person, int(nearest[0]), int(nearest[-1]) + meeting.duration)
        for person in required
    ]
    short = sum(
        (_short(gap, nearest, meeting.duration) for gap in gaps), np.zeros(len(nearest), np.int64)
    )
    start = int(nearest[short.argmin()])
    end = start + meeting.duration
    wanted = [
        Wanted(person, max(a, start), min(b, end))
        for person, gap in zip(required, gaps, strict=True)
        for a, b in gap.tolist()
        if a < end and b > start
    ]
    return Room(start, tuple(wanted))


def turns(times: ArrayLike, earliest: int, last: int, align: Marks) -> Ints:
    """Return all starts in [earliest, last] that lie on marks and come first or last between two of
    these times, ascending.

    If how many people are missing is constant, and how much they are short is linear, between two
    times, then one of these starts is the least short of those with as many missing.
    """
    inner = np.asarray(times, np.int64)
    edges = distinct(
        np.concatenate(([earliest], inner[(inner > earliest) & (inner <= last)], [last + 1]))
    )
    starts = distinct(np.concatenate((align.at_or_after(edges), align.at_or_before(edges - 1))))
    return starts[(starts >= earliest) & (starts <= last)]


def taken_by(busy: Busy, people: Sequence[int], length: int) -> Ints:
    """Return the open intervals of starts at which one of these people is elsewhere before so many
    ticks are over, (T, 2) ticks.
    """
    return np.asarray(at_times(busy, people) - np.array([length, 0]))


def _starts(free: Windows, meeting: Meeting, taken: Ints, align: Marks) -> Ints:
    if meeting.pinned is not None:
        return np.array([meeting.pinned], np.int64)
    among = np.zeros(free.people, np.bool_)
    among[list(meeting.required)] = True
    mine = np.flatnonzero(among[free.who])
    start, end, long = free.start[mine], free.end[mine], meeting.duration
    times = np.concatenate(
        (start, end, start - long, end - long, end - long + 1, taken[:, 0] + 1, taken[:, 1])
    )
    return turns(times, meeting.earliest, meeting.latest_end - long, align)


def _taken(meetings: Sequence[Meeting], gaps: list[list[int]], plan: Plan, number: int) -> Ints:
    """Return the open intervals of starts at which somebody required attends another meeting, (T,
    2) ticks.
    """
    needed = set(meetings[number].required)
    taken = [
        (begin - gaps[number][other], begin + gaps[other][number])
        for other, begin in enumerate(plan.start)
        if begin >= 0 and other != number and needed & set(meetings[other].required)
    ]
    return np.array(taken, np.int64).reshape(-1, 2)


def _gaps(free: Windows, person: int, earliest: int, latest_end: int) -> Ints:
    """Return when the person is not free within [earliest, latest_end), (G, 2) ticks."""
    among = np.zeros(free.people, np.bool_)
    among[person] = True
    runs = lifts(free, 1, earliest=earliest, latest_end=latest_end, among=among, depth=1)
    order = np.argsort(runs.first)
    ends = np.concatenate(([earliest], runs.stop[order] + earliest))
    begins = np.concatenate((runs.first[order] + earliest, [latest_end]))
    gaps = np.stack([ends, begins], axis=1).astype(np.int64)
    return gaps[gaps[:, 1] > gaps[:, 0]]


def inside(intervals: Ints, moments: Ints) -> Bools:
    """Return which moments lie in one of these open intervals."""
    some = intervals[intervals[:, 0] < intervals[:, 1]]
    begun, ended = (
        np.sort(some[:, 0]).searchsorted(moments),
        np.sort(some[:, 1]).searchsorted(moments, side="right"),
    )
    return np.asarray(begun > ended)


def _short(gaps: Ints, starts: Ints, duration: int) -> Ints:
    """Return how many ticks of a meeting at each start lie in the gaps, which are apart and
    ascending, (S,).
    """
    before = np.concatenate(([0], (gaps[:, 1] - gaps[:, 0]).cumsum()))
    ends = np.concatenate((starts[:1], gaps[:, 1]))

    def until(moment: Ints) -> Ints:
        begun = gaps[:, 0].searchsorted(moment)
        return np.asarray(
            before[begun] - np.where(begun > 0, np.maximum(ends[begun] - moment, 0), 0)
        )

    return until(starts + duration) - until(starts)
