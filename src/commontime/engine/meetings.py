"""Describe meetings that are planned together, and the worth of a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .windows import Busy, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A meeting of `duration` ticks within [earliest, latest_end).

    All required people attend it, at least one, and optional people if they can. buffer: the ticks
    after it in which nobody who attends may start another meeting; they need not be offered.
    priority: the worth of placing it, at least 1. pinned: the only start it may have. place: its
    row in the table of journeys, if there is one.
    """

    duration: int
    required: tuple[int, ...]
    optional: tuple[int, ...] = ()
    earliest: int
    latest_end: int
    buffer: int = 0
    priority: int = 1
    pinned: int | None = None
    place: int = 0


type Travel = Sequence[Sequence[int]]
"""The ticks from each place to each other."""


def apart(meetings: Sequence[Meeting], travel: Travel | None = None) -> list[list[int]]:
    """Return the ticks between starts of meetings of one person: [first][second]."""
    if travel is None:
        return [[m.duration + m.buffer] * len(meetings) for m in meetings]
    return [
        [m.duration + max(m.buffer, travel[m.place][n.place]) for n in meetings] for m in meetings
    ]


type Key = tuple[int, ...]


class Value(NamedTuple):
    """The worth of a plan, in five counts.

    They are the priorities of the meetings placed, optional attendances, attendances at *if need
    be* and at *works*, and the sum of preferences.
    """

    priority: int = 0
    optional: int = 0
    if_need_be: int = 0
    works: int = 0
    preference: int = 0

    @property
    def key(self) -> Key:
        """Return the counts as a tuple of which the larger is better.

        Tuples add up over meetings, so that parts that share nobody can be planned apart.
        """
        return (self.priority, self.optional, -self.if_need_be, -self.works, self.preference)

    @classmethod
    def from_key(cls, key: Sequence[int]) -> "Value":
        priority, optional, need, works, preference = key
        return cls(priority, optional, -need, -works, preference)


@dataclass(frozen=True, slots=True)
class Obstacle:
    """The reason why a meeting has no place.

    meetings: those in the way at the start where the fewest are; none if it fits nowhere even
    alone. people: those whose time is short.
    """

    people: tuple[int, ...]
    meetings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """A placement of the meetings, and a bound on any other.

    start: ticks, or -1 without a place. attends: the people who come, required and optional,
    ascending. No plan is worth more than `bound`; proved: nor more than this one, within the
    solver's tolerance. gap: the relative difference of `value` and `bound` in the first count in
    which they differ, or 0. why: by the index of each meeting without a place.
    """

    start: tuple[int, ...]
    attends: tuple[tuple[int, ...], ...]
    value: Value
    bound: Value
    proved: bool
    why: dict[int, Obstacle]

    @property
    def gap(self) -> float:
        pairs = zip(self.value, self.bound, strict=True)
        return next((abs(a - b) / max(1, abs(a), abs(b)) for a, b in pairs if a != b), 0.0)


def at_times(busy: Busy, people: Sequence[int]) -> Ints:
    """Return the times at which these people are elsewhere, (B, 2) ticks."""
    wanted = set(people)
    times = [(start, end) for who, start, end in busy if who in wanted]
    return np.array(times, np.int64).reshape(-1, 2)


def checked_meetings(
    meetings: Sequence[Meeting], people: int, travel: Travel | None = None
) -> list[Meeting]:
    """Return the meetings. ValueError names the first that makes no sense."""
    places = None if travel is None else len(travel)
    if travel is not None and any(len(row) != places or min(row) < 0 for row in travel):
        raise ValueError("travel is a square table of ticks, each at least 0.")
    for number, meeting in enumerate(meetings):
        if reason := _fault_of(meeting, people, places):
            raise ValueError(f"Meeting {number}: {reason}.")
    return list(meetings)


def _fault_of(meeting: Meeting, people: int, places: int | None) -> str:
    """Return the reason why a meeting makes no sense, if any."""
    who = (*meeting.required, *meeting.optional)
    if meeting.duration < 1 or meeting.buffer < 0 or meeting.priority < 1:
        return "its duration and priority must be at least 1, and its buffer at least 0"
    if not meeting.required:
        return "it must require somebody"
    if len(set(who)) < len(who) or min(who) < 0 or max(who) >= people:
        return f"its people must be different, and each one of {people}"
    if places is not None and not 0 <= meeting.place < places:
        return f"its place must be one of {places}"
    return ""
