"""Whom a meeting is for, and when they can.

People are rows, and their times the engine's columns.
"""

from binascii import unhexlify
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from commontime import engine
from commontime.calendars import queries
from commontime.calendars.models import Meeting
from commontime.calendars.queries.people import Person, Roster
from commontime.calendars.queries.plans import BusyTime

ENTRY = 17  # characters of one period in CalendarParticipant.packed


@dataclass(frozen=True)
class Group:
    """The people a meeting is for. Those who answered are in the engine's order."""

    answered: list[Person]
    silent: list[Person]
    busy: tuple[
        tuple[int, int, int], ...
    ] = ()  # who, a user's id, is in another meeting from which tick to which

    @cached_property
    def free(self) -> engine.Windows:
        return engine.without(
            windows_of([person.packed for person in self.answered]), self.elsewhere
        )

    @cached_property
    def elsewhere(self) -> engine.Busy:
        """When those who answered are in other meetings, in the engine's order of people."""
        return [
            (self.places[user], start, end) for user, start, end in self.busy if user in self.places
        ]

    @cached_property
    def _busy_of(self) -> dict[int, list[tuple[int, int]]]:
        periods: dict[int, list[tuple[int, int]]] = {}
        for user, start, end in self.busy:
            periods.setdefault(user, []).append((start, end))
        return periods

    def is_elsewhere(self, user_id: int, start: int, end: int) -> bool:
        """Return whether somebody is in another meeting during `[start, end)`, in ticks."""
        return any(begin < end and over > start for begin, over in self._busy_of.get(user_id, ()))

    @cached_property
    def required(self) -> NDArray[np.bool_]:
        return np.array([person.required for person in self.answered], np.bool_)

    @cached_property
    def places(self) -> dict[int, int]:
        """Where each who answered stands, by user id."""
        return {person.user_id: place for place, person in enumerate(self.answered)}

    @cached_property
    def ids(self) -> frozenset[int]:
        return frozenset(person.user_id for person in self.people)

    @property
    def people(self) -> list[Person]:
        return [*self.answered, *self.silent]


def group_for(meeting: Meeting, roster: Roster) -> Group:
    """Return whom the meeting is for: the named attendees, or everybody in the calendar."""
    return group_of(attendees_of(meeting, roster))


def attendees_of(meeting: Meeting, roster: Roster) -> list[Person]:
    """Return the named attendees, or everybody in the calendar.

    Each says whether they are required for this meeting.
    """
    if meeting.calendar_id != roster.calendar_id:
        raise ValueError("The roster is that of another calendar.")
    if meeting.for_everyone:
        return roster.people
    attendees = meeting.attendees
    return [
        person._replace(required=attendees[person.user_id])
        for person in roster.people
        if person.user_id in attendees
    ]


def is_for(meeting: Meeting, user_id: int) -> bool:
    """Return whether the meeting is for this person of its calendar."""
    return meeting.for_everyone or user_id in meeting.attendees


def group_of(people: Iterable[Person]) -> Group:
    """Tell those who answered from those who did not. Both keep their order."""
    answered: list[Person] = []
    silent: list[Person] = []
    for person in people:
        (answered if person.packed else silent).append(person)
    return Group(answered, silent)


def less_busy(group: Group, busy: Iterable[BusyTime], *, before: timedelta) -> Group:
    """Return the group without the times of their scheduled meetings.

    The buffer after those, and `before` each of them, is taken too. Somebody with no time left
    can't come; they have answered.
    """
    return replace(
        group,
        busy=tuple(
            (each.user_id, *_taken(each.start, each.end, before, each.buffer)) for each in busy
        ),
    )


def free_for(
    meeting: Meeting,
    group: Group,
    scheduled: Iterable[queries.meetings.Scheduled],
    *,
    with_names: bool,
) -> Group:
    """Return the group without the times of other meetings.

    Meetings of other calendars don't count here.

    with_names: whether the asker may see what each person answered. If not, leaving out one person
    would show by the numbers what they answered. So nobody is offered while somebody required is in
    another meeting, which takes knowing no answer.
    """
    before = meeting.buffer
    busy: list[tuple[int, int, int]] = []
    for other in scheduled:
        if other.meeting_id != meeting.pk:
            end = other.start + timedelta(minutes=other.minutes)
            after = timedelta(minutes=other.buffer_minutes)
            taken = _taken(other.start, end, before, after)
            busy += [(user, *taken) for user in _kept_by(other, group, with_names=with_names)]
    return replace(group, busy=tuple(busy)) if busy else group


def _kept_by(
    other: queries.meetings.Scheduled, group: Group, *, with_names: bool
) -> Collection[int]:
    """Return who of those who answered cannot come while the other meeting is on."""
    answered = group.places.keys()
    theirs = group.ids if other.for_everyone else other.attendees.keys()
    if with_names:
        return answered & theirs
    required = {person.user_id for person in group.people if person.required}
    return answered if required & theirs else ()


def _taken(start: datetime, end: datetime, before: timedelta, after: timedelta) -> tuple[int, int]:
    return engine.end_tick(start - before), engine.start_tick(end + after)


def _entry(start: int, end: int, preference: int) -> str:
    return f";{start:08x}{end - start:06x}{preference:02x}"


def windows(packed: str, sizes: Sequence[int]) -> engine.Windows:
    """Read people's packed periods into the engine's columns.

    There is no loop over periods.

    sizes: how many periods each person has, in order.
    """
    # The semicolons are cut off as a column, which takes half as long as replacing them in the
    # text.
    digits = np.frombuffer(packed.encode(), np.uint8).reshape(-1, ENTRY)[:, 1:].tobytes()
    words = np.frombuffer(unhexlify(digits), ">u4").astype(np.int64).reshape(-1, 2)
    start, rest = words[:, 0], words[:, 1]
    who = np.repeat(np.arange(len(sizes)), sizes)
    key = who << 32 | start
    if len(key) > 1 and (key[1:] < key[:-1]).any():
        # SQLite appends; sorting one key is quicker than the engine's sorting by two.
        order = key.argsort()
        who, start, rest = who[order], start[order], rest[order]
    return engine.from_arrays(who, start, start + (rest >> 8), rest & 255, people=len(sizes))


def pack(windows: Iterable[tuple[datetime, datetime, int]]) -> str:
    """Pack times (start, end, preference) as the database does."""
    ticks = [
        (engine.start_tick(start), engine.end_tick(end), preference)
        for start, end, preference in windows
    ]
    return "".join(
        _entry(start, end, preference) for start, end, preference in ticks if end > start
    )


def windows_of(people: Sequence[str]) -> engine.Windows:
    return windows("".join(people), [len(packed) // ENTRY for packed in people])


def may_cross(packed: str, given: int, start: datetime, end: datetime) -> bool:
    """Return whether one of the `given` times may cross an edge of `[start, end)`.

    Packing rounds to minutes, so a time within a minute of an edge counts.
    """
    free = windows_of([packed])
    if len(free) < given:  # some are too short to be packed
        return True
    edges = (engine.end_tick(start), engine.start_tick(end))
    return any(bool(((free.start <= edge + 1) & (free.end >= edge - 1)).any()) for edge in edges)


def minutes_of(duration: timedelta) -> int:
    return int(duration // timedelta(minutes=1))
