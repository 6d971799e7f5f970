"""A calendar as one person looks at it."""

from collections.abc import Hashable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cached_property
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import get_language

from commontime.accounts import queries as accounts
from commontime.calendars import queries, rules
from commontime.calendars.enums import MeetingStatus
from commontime.calendars.models import Calendar, Meeting, ScheduleSuggestion
from commontime.calendars.planning import groups
from commontime.calendars.queries.meetings import Scheduled
from commontime.calendars.queries.people import Roster
from commontime.core import cache, clock
from commontime.layout import grid
from commontime.layout.instants import seconds
from commontime.web.base import calendar_of, me
from commontime.web.look import Look, look

BUCKET = timedelta(minutes=5)  # how long a start that has just passed may still be shown


@dataclass(frozen=True)
class CalendarView:
    """A calendar as one person looks at it now."""

    calendar: Calendar
    user: User
    look: Look
    now: datetime

    @cached_property
    def _rows(self) -> tuple[list[tuple[Any, ...]], int]:
        return queries.meetings.meeting_rows(self.calendar, self.now)

    @property
    def meeting_rows(self) -> list[tuple[Any, ...]]:
        return self._rows[0]

    @property
    def invited(self) -> int:
        """How many invitations wait, as far as one may know."""
        return self._rows[1] if self.with_names or rules.may_manage(self.user, self.calendar) else 0

    @cached_property
    def meetings(self) -> list[Meeting]:
        return [meeting for meeting, _ in self._meetings]

    @cached_property
    def suggestions(self) -> dict[UUID, list[ScheduleSuggestion]]:
        """The stored suggestions of each meeting, by its id."""
        return {meeting.pk: suggestions for meeting, suggestions in self._meetings}

    @cached_property
    def _meetings(self) -> list[tuple[Meeting, list[ScheduleSuggestion]]]:
        return [queries.meetings.read_meeting(self.calendar, row) for row in self.meeting_rows]

    @cached_property
    def open_meetings(self) -> list[Meeting]:
        return [
            meeting
            for meeting in self.meetings
            if meeting.status(self.now) != MeetingStatus.SCHEDULED
        ]

    @property
    def deadlines_ahead(self) -> list[bool]:
        """Return for each open meeting whether its deadline is ahead."""
        return [is_ahead for waits, is_ahead, *_ in self.meeting_rows if waits]

    @cached_property
    def _roster_and_scheduled(self) -> tuple[Roster, list[Scheduled]]:
        return queries.people.roster_and_scheduled_of(self.calendar)

    @property
    def roster(self) -> Roster:
        return self._roster_and_scheduled[0]

    @property
    def scheduled(self) -> list[Scheduled]:
        return self._roster_and_scheduled[1]

    @cached_property
    def group(self) -> groups.Group:
        return groups.group_of(self.roster.people)

    @cached_property
    def _free(self) -> dict[int, groups.Group]:
        return {}

    def free(self, meeting: Meeting) -> groups.Group:
        """Return a meeting's people, without their times in other meetings."""
        if not meeting.for_everyone:
            group = groups.group_for(meeting, self.roster)
            return groups.free_for(meeting, group, self.scheduled, with_names=self.with_names)
        if meeting.buffer_minutes not in self._free:
            self._free[meeting.buffer_minutes] = groups.free_for(
                meeting, self.group, self.scheduled, with_names=self.with_names
            )
        return self._free[meeting.buffer_minutes]

    @cached_property
    def with_names(self) -> bool:
        return rules.may_see_windows_of_others(self.user, self.calendar)

    @cached_property
    def windows(self) -> list[grid.Window]:
        """Return one's own times in the calendar, in order."""
        rows = queries.windows.own_window_rows(self.user, self.calendar)
        return [(seconds(start), seconds(end), preference) for start, end, preference in rows]

    @property
    def key(self) -> Hashable:
        """Return all that the live part depends on. It needs no engine."""
        calendar = self.calendar
        bucket = int(self.now.timestamp() // BUCKET.total_seconds())
        whom = "all" if self.with_names else self.user.pk
        return (
            calendar.pk,
            calendar.version,
            (self.look.key, get_language()),
            tuple(self.meeting_rows),
            bucket if self.deadlines_ahead else 0,
            whom,
            self.invited,
        )

    @property
    def whose(self) -> int | None:
        """Return whose best times these are: a user's id; None: everybody's.

        They are everybody's if every open meeting is for everybody, or if the viewer sees all.
        """
        has_some_for_few = any(waits and named for waits, _ahead, named, *_ in self.meeting_rows)
        return (
            self.user.pk
            if has_some_for_few and not rules.may_manage(self.user, self.calendar)
            else None
        )

    @property
    def tag(self) -> str:
        return cache.tag_of((self.key, self.user.pk))

    @property
    def is_closed(self) -> bool:
        """Return whether answers are closed for this person, like the action."""
        if self.calendar.is_finalized:
            return True
        return (
            bool(self.deadlines_ahead)
            and not any(self.deadlines_ahead)
            and not rules.may_manage(self.user, self.calendar)
        )


def calendar_view(request: HttpRequest, calendar_id: UUID) -> CalendarView:
    user = me(request)
    calendar = calendar_of(request, calendar_id)
    now = clock.now()
    return CalendarView(
        calendar, user, look(request.GET, calendar, accounts.setting_of(user), now), now
    )


def meeting_address(meeting: Meeting) -> str:
    return reverse("web:meeting", args=[meeting.calendar_id, meeting.pk])
