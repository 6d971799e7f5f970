"""Find the smallest ask that makes room for another meeting.

It is the fewest people, and the exact time wanted of each.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike

from .erosion import lifts
from .explain import preferences
from .marks import Align, Marks, marks_of
from .meetings import Meeting, Plan, Travel, apart, at_times
from .windows import Bools, Busy, Ints, Windows, distinct


@dataclass(frozen=True, slots=True)
class Need:
    """A time, half-open, that somebody would have to offer."""

    who: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Room:
    """A start that works once people offer the times wanted.

    It needs the fewest people, then the least time, then it is the earliest.
    """

    start: int
    wanted: tuple[Need, ...]


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
    """Return the smallest ask that gives a meeting a place in the plan.

    None if asking can't help: at every start within the meeting's bounds somebody required is in
    another meeting of the plan, or elsewhere (busy).
    """
    meeting = meetings[number]
    elsewhere = taken_by(busy, meeting.required, meeting.duration + meeting.buffer)
    taken = np.concatenate((_taken(meetings, apart(meetings, travel), plan, number), elsewhere))
    starts = _starts(free, meeting, taken, marks_of(align))
    starts = starts[~inside(taken, starts)]
    if not len(starts):
        return None
    required, duration = list(meeting.required), meeting.duration
    rows = preferences(free, starts, duration, among=np.array(required))
    missing = (rows < 0).sum(axis=1)
    nearest = starts[missing == missing.min()]
    until = int(nearest[-1]) + duration
    gaps = [_gaps(free, person, int(nearest[0]), until) for person in required]
    short = np.sum([_short(gap, nearest, duration) for gap in gaps], axis=0)
    start = int(nearest[short.argmin()])
    end = start + duration
    wanted = [
        Need(person, max(first, start), min(stop, end))
        for person, gap in zip(required, gaps, strict=True)
        for first, stop in gap.tolist()
        if first < end and stop > start
    ]
    return Room(start, tuple(wanted))


def turns(times: ArrayLike, earliest: int, last: int, align: Marks) -> Ints:
    """Return the first and last aligned starts between these times, ascending.

    All lie in [earliest, last]. If between two times the number of people missing is constant, and
    their time short is linear, then the smallest ask is at one of these starts.
    """
    inner = np.asarray(times, np.int64)
    edges = distinct(
        np.concatenate(([earliest], inner[(inner > earliest) & (inner <= last)], [last + 1]))
    )
    starts = distinct(np.concatenate((align.at_or_after(edges), align.at_or_before(edges - 1))))
    return starts[(starts >= earliest) & (starts <= last)]


def taken_by(busy: Busy, people: Sequence[int], length: int) -> Ints:
    """Return the open intervals of starts at which somebody is elsewhere.

    (T, 2) ticks. length: the ticks of a meeting.
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
    """Return the open intervals of starts that overlap with other meetings.

    (T, 2) ticks: those of required people.
    """
    needed = set(meetings[number].required)
    taken = [
        (begin - gaps[number][other], begin + gaps[other][number])
        for other, begin in enumerate(plan.start)
        if begin >= 0 and other != number and needed & set(meetings[other].required)
    ]
    return np.array(taken, np.int64).reshape(-1, 2)


def _gaps(free: Windows, person: int, earliest: int, latest_end: int) -> Ints:
    """Return the times that a person did not offer, (G, 2) ticks."""
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
    begins, ends = np.sort(intervals[intervals[:, 0] < intervals[:, 1]], axis=0).T
    return np.asarray(begins.searchsorted(moments) > ends.searchsorted(moments, side="right"))


def _short(gaps: Ints, starts: Ints, duration: int) -> Ints:
    """Count the ticks of a meeting that lie in the gaps, (S,).

    The gaps are ascending and do not touch.
    """
    before = np.concatenate(([0], (gaps[:, 1] - gaps[:, 0]).cumsum()))
    ends = np.concatenate((starts[:1], gaps[:, 1]))

    def until(moment: Ints) -> Ints:
        begun = gaps[:, 0].searchsorted(moment)
        rest = np.where(begun > 0, np.maximum(ends[begun] - moment, 0), 0)
        return np.asarray(before[begun] - rest)

    return until(starts + duration) - until(starts)
