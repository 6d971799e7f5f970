"""When how many of a calendar's people can."""

from dataclasses import dataclass
from datetime import datetime, timedelta

import numpy as np
from django.utils.translation import gettext as _
from numpy.typing import NDArray

from commontime import engine
from commontime.calendars import limits
from commontime.calendars.models import Calendar
from commontime.calendars.planning.groups import minutes_of, windows_of
from commontime.core import rows
from commontime.core.errors import InvalidInput


@dataclass(frozen=True, slots=True)
class Crowd:
    """The people of a calendar without their names.

    answered: the ids of those who answered, in the engine's order. silent: how many did not.
    """

    answered: list[int]
    required: NDArray[np.bool_]
    free: engine.Windows
    silent: int


@dataclass(frozen=True, slots=True)
class Availability:
    """When how many people can come, in pieces.

    In a piece every person's preference stays the same.

    edges: (pieces + 1) where a piece ends and the next begins. counts: (pieces, 4) people who
    cannot, if need be, works, ideal; missing: required people who cannot; preference: the sum.
    levels: (pieces, answered) the level of each person, or None.
    """

    edges: list[datetime]
    counts: list[list[int]]
    missing: list[int]
    preference: list[int]
    levels: list[list[int]] | None


def crowd_of(calendar: Calendar) -> Crowd:
    """Return the calendar's people.

    A row each costs the database less than putting them together in one.
    """
    statement = (
        "SELECT user_id, required, packed FROM calendars_calendarparticipant WHERE calendar_id = %s"
    )
    people = rows.fetch_all(statement, [rows.uuid(calendar.pk)])
    answered = [person for person in people if person[2]]
    must = np.array([must for _, must, _ in answered], np.bool_)
    free = windows_of([packed for _, _, packed in answered])
    return Crowd([user for user, _, _ in answered], must, free, len(people) - len(answered))


def availability_of(
    crowd: Crowd, *, earliest: datetime, latest: datetime, duration: timedelta, most_names: int
) -> Availability:
    """Return when how many people can come.

    A piece holds the starts of a meeting of this duration; for one minute, simply the minutes.

    Names are given for at most `most_names` people times pieces. Without them, neighbours that
    differ only in who comes are one piece.
    """
    if latest - earliest > limits.LONGEST_CALENDAR:
        raise InvalidInput(
            _("Ask for at most %(n)d days at once.") % {"n": limits.LONGEST_CALENDAR.days},
            field="to",
        )
    profile = engine.profile(
        crowd.free,
        minutes_of(duration),
        required=crowd.required,
        earliest=engine.start_tick(earliest),
        latest_end=engine.end_tick(latest),
    )
    if not len(profile):
        return Availability([], [], [], [], [])
    named = len(profile) * len(crowd.answered) <= most_names
    kept = slice(None) if named else _where_numbers_change(profile)
    first = profile.first[kept]
    return Availability(
        engine.moments_of(np.append(first, profile.last[-1] + 1)),
        profile.everyone[kept].tolist(),
        profile.missing[kept].tolist(),
        profile.preference[kept].tolist(),
        _levels(crowd, profile) if named else None,
    )


def _where_numbers_change(profile: engine.Profile) -> NDArray[np.int64]:
    """Return the places of pieces with new numbers."""
    numbers = np.column_stack([profile.everyone, profile.missing, profile.preference])
    return np.flatnonzero(np.append(True, (numbers[1:] != numbers[:-1]).any(axis=1)))


def _levels(crowd: Crowd, profile: engine.Profile) -> list[list[int]]:
    preferences = engine.preferences(crowd.free, profile.first, profile.duration)
    return list(engine.levels(preferences).tolist())


def known_range(calendar: Calendar, crowd: Crowd) -> tuple[datetime, datetime] | None:
    """Return the period in which times are wanted.

    None if nobody answered. That is the calendar's window, or from the first known time to the last
    one.
    """
    starts, ends = crowd.free.start, crowd.free.end
    earliest = calendar.window_start or (
        engine.moment_of(int(starts.min())) if len(starts) else None
    )
    latest = calendar.window_end or (engine.moment_of(int(ends.max())) if len(ends) else None)
    if earliest is None or latest is None or latest <= earliest:
        return None
    return earliest, min(latest, earliest + limits.LONGEST_CALENDAR)
