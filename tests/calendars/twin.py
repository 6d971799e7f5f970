"""Planning's obvious slow twin: every minute of every person, straight from the rows."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np

from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Meeting,
    MeetingAttendee,
    NonBusyTime,
)

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MINUTE = timedelta(minutes=1)
BANDS = [-1, *4 * ["if_need_be"], *4 * ["works"], *3 * ["ideal"]]


def floor(moment: datetime) -> int:
    return (moment - EPOCH) // MINUTE


def ceil(moment: datetime) -> int:
    return -((EPOCH - moment) // MINUTE)


@dataclass(frozen=True)
class Expected:
    """What a start means: user ids, and the sum of the preferences of those who can come."""

    start: datetime
    ideal: list[int]
    works: list[int]
    if_need_be: list[int]
    cannot: list[int]
    missing: list[int]
    preference: int

    @property
    def attending(self) -> list[int]:
        return [*self.ideal, *self.works, *self.if_need_be]

    @property
    def key(self):
        """Smaller is better: fewest required missing, most attending, fewest if need be, fewest
        works, preference, earliest.
        """
        return (
            len(self.missing),
            -len(self.attending),
            len(self.if_need_be),
            len(self.works),
            -self.preference,
            self.start,
        )


class Twin:
    def __init__(self, calendar: Calendar, meeting: Meeting | None = None) -> None:
        seats = CalendarParticipant.objects.filter(calendar=calendar)
        self.required = {seat.user_id: seat.required for seat in seats}
        if meeting and not meeting.for_everyone:
            named = dict(
                MeetingAttendee.objects.filter(meeting=meeting).values_list("user_id", "required")
            )
            self.required = {user: must for user, must in named.items() if user in self.required}
        rows = [
            w for w in NonBusyTime.objects.filter(calendar=calendar) if w.user_id in self.required
        ]
        whole = [
            (w.user_id, ceil(w.start_time), floor(w.end_time), w.preference_level) for w in rows
        ]
        whole = [row for row in whole if row[1] < row[2]]
        self.origin = min((row[1] for row in whole), default=0)
        self.end = max((row[2] for row in whole), default=0)
        self.minutes = {user: np.full(self.end - self.origin, -1) for user, *_ in whole}
        for user, start, end, preference in whole:
            self.minutes[user][start - self.origin : end - self.origin] = preference
        self.answered = set(self.minutes)
        self.silent = set(self.required) - self.answered

    def preference(self, user: int, tick: int) -> int:
        return int(self.minutes[user][tick - self.origin]) if self.origin <= tick < self.end else -1

    def preferences(self, tick: int, length: int) -> dict[int, int]:
        return {
            user: min(self.preference(user, at) for at in range(tick, tick + length))
            for user in self.answered
        }

    def outcome(self, start: datetime, duration: timedelta) -> Expected:
        """A minute of which the meeting needs a part, it needs."""
        tick = floor(start)
        return self._expected(start, self.preferences(tick, ceil(start + duration) - tick))

    def _expected(self, start: datetime, preferences: dict[int, int]) -> Expected:
        bands = {user: BANDS[preference + 1] for user, preference in preferences.items()}
        lists = {
            band: sorted(user for user in bands if bands[user] == band)
            for band in ("ideal", "works", "if_need_be", -1)
        }
        cannot = lists.pop(-1)
        missing = [user for user in cannot if self.required[user]]
        return Expected(
            start,
            **lists,
            cannot=cannot,
            missing=missing,
            preference=sum(p for p in preferences.values() if p >= 0),
        )

    def pieces(self, earliest: int, latest: int, length: int) -> list[tuple[int, int, Expected]]:
        """Return the longest ranges [first, past) of starts with equal preferences."""
        users = sorted(self.answered)
        table = self.table(users, earliest, latest, length)
        found = []
        for place, column in enumerate(table.T.tolist()):
            if not found or found[-1][2] != column:
                found.append([earliest + place, earliest + place, column])
            found[-1][1] += 1
        moment = [EPOCH + first * MINUTE for first, _, _ in found]
        return [
            (first, past, self._expected(at, dict(zip(users, column, strict=True))))
            for at, (first, past, column) in zip(moment, found, strict=True)
        ]

    def table(self, users: list[int], earliest: int, latest: int, length: int) -> np.ndarray:
        """Each person's preference for each start: the smallest of so many minutes in a row."""
        wide = np.full((len(users), latest - earliest), -1)
        low, high = max(earliest, self.origin), min(latest, self.end)
        if low < high:
            for place, user in enumerate(users):
                wide[place, low - earliest : high - earliest] = self.minutes[user][
                    low - self.origin : high - self.origin
                ]
        starts = max(0, latest - earliest - length + 1)
        table = wide[:, :starts].copy()
        for later in range(1, length):
            np.minimum(table, wide[:, later : later + starts], out=table)
        return table

    def best(self, earliest: int, latest: int, length: int, most: int) -> list[Expected]:
        """The best starts of pieces, none nearer to a better one than the meeting is long, and none
        that nobody can come to.
        """
        chosen: list[Expected] = []
        for each in sorted(
            (expected for _, _, expected in self.pieces(earliest, latest, length)),
            key=lambda expected: expected.key,
        ):
            if len(chosen) < most and all(
                abs(each.start - other.start) >= length * MINUTE for other in chosen
            ):
                chosen.append(each)
        return [each for each in chosen if each.attending]

    def short(self, user: int, start: datetime, duration: timedelta) -> int:
        """How many minutes of the meeting the person did not offer."""
        return sum(
            self.preference(user, at) < 0 for at in range(floor(start), ceil(start + duration))
        )

    def nearest(self, earliest: int, latest: int, length: int) -> tuple[int, int, int]:
        """(required people missing, person-minutes short, start) of the nearest miss."""
        must = [user for user in sorted(self.answered) if self.required[user]]
        table = self.table(must, earliest, latest, length)
        missing = (table < 0).sum(axis=0)
        gaps = (self.table(must, earliest, latest, 1) < 0).sum(axis=0)
        short = np.convolve(gaps, np.ones(length, int), "valid")
        return min(
            (int(m), int(s), earliest + place)
            for place, (m, s) in enumerate(zip(missing, short, strict=True))
            if m
        )
