"""Several meetings to be placed together: what is asked, and what a plan is worth."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from .windows import Busy, Ints


@dataclass(frozen=True, slots=True, kw_only=True)
class Meeting:
    """A meeting of `duration` ticks within [earliest, latest_end). All required people attend it,
    the optional ones if they can.

    required: at least one. buffer: ticks in which nobody who attends may start another; they need
    not be offered. priority: what it is worth to place it, at least 1. pinned: the only start it
    may have. place: where it is, a row of the journeys' table, if there is one.
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
    """Return how many ticks after the start of each meeting each other one may start, if somebody
    attends both: [first][second].
    """
    if travel is None:
        return [[m.duration + m.buffer] * len(meetings) for m in meetings]
    return [
        [m.duration + max(m.buffer, travel[m.place][n.place]) for n in meetings] for m in meetings
    ]


type Key = tuple[int, ...]


class Value(NamedTuple):
    """What a plan is worth: priorities placed, optional attendances, attendances at *if need be*
    and at *works*, the sum of preferences.
    """

    priority: int = 0
    optional: int = 0
    if_need_be: int = 0
    works: int = 0
    preference: int = 0

    @property
    def key(self) -> Key:
        """The larger is the better: lexicographic, and additive over meetings, so that parts that
        share nobody can be planned apart.
        """
        return (self.priority, self.optional, -self.if_need_be, -self.works, self.preference)

    @classmethod
    def from_key(cls, key: Sequence[int]) -> "Value":
        priority, optional, need, works, preference = key
        return cls(priority, optional, -need, -works, preference)


@dataclass(frozen=True, slots=True)
class Why:
    """Why a meeting has no place. meetings: those in the way where it comes nearest, none if it
    fits nowhere even alone. people: whose time it is about.
    """

    people: tuple[int, ...]
    meetings: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Plan:
    """Where the meetings are. start: ticks, or -1 for those without a place; attends: who comes,
    ascending, required and optional.

    No plan is worth more than `bound`. proved: nor more than this one, within the tolerance of the
    solver. gap: the relative difference of `value` and `bound` in the first count in which they
    differ, 0 if in none. why: by the index of each meeting without a place.
    """

    start: tuple[int, ...]
    attends: tuple[tuple[int, ...], ...]
    value: Value
    bound: Value
    proved: bool
    why: dict[int, Why]

    @property
    def gap(self) -> float:
        pairs = zip(self.value, self.bound, strict=True)
        return next((abs(a - b) / max(1, abs(a), abs(b)) for a, b in pairs if a != b), 0.0)


def at_times(busy: Busy, people: Sequence[int]) -> Ints:
    """Return when one of these people is elsewhere, (B, 2) ticks."""
    some = set(people)
    return np.array([(start, end) for who, start, end in busy if who in some], np.int64).reshape(
        -1, 2
    )


def checked_meetings(
    meetings: Sequence[Meeting], people: int, travel: Travel | None = None
) -> list[Meeting]:
    """Return the meetings. ValueError names the first that makes no sense."""
    places = 1 if travel is None else len(travel)
    if travel is not None and any(len(row) != places or min(row) < 0 for row in travel):
        raise ValueError("The journeys are a square table of at least 0 ticks.")
    for number, meeting in enumerate(meetings):
        who = (*meeting.required, *meeting.optional)
        if meeting.duration < 1 or meeting.buffer < 0 or meeting.priority < 1:
            raise ValueError(
                f"Meeting {number}: a duration and a priority are at least 1, a buffer at least 0."
            )
        if not meeting.required or len(set(who)) < len(who) or min(who) < 0 or max(who) >= people:
            raise ValueError(
                f"Meeting {number}: it requires somebody, and names some of {people} people, each "
                "once."
            )
        if travel is not None and not 0 <= meeting.place < places:
            raise ValueError(f"Meeting {number}: it is in one of {places} places.")
    return list(meetings)
