"""A meeting as one person looks at it."""

from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest

from commontime.accounts import queries as accounts
from commontime.calendars import rules
from commontime.calendars.models import Meeting
from commontime.calendars.planning import groups
from commontime.core import cache, clock
from commontime.web.base import me, meeting_of
from commontime.web.calendar_view import CalendarView, meeting_address
from commontime.web.look import Look, look


@dataclass(frozen=True)
class MeetingView:
    """A meeting as one person looks at it now."""

    meeting: Meeting
    of_calendar: CalendarView
    explains: bool  # whether the address asks for what could change the best start
    supposes: bool  # whether it asks what would be if

    @property
    def user(self) -> User:
        return self.of_calendar.user

    @property
    def look(self) -> Look:
        return self.of_calendar.look

    @property
    def now(self) -> datetime:
        return self.of_calendar.now

    @property
    def with_names(self) -> bool:
        return self.of_calendar.with_names

    @cached_property
    def group(self) -> groups.Group:
        return groups.group_for(self.meeting, self.of_calendar.roster)

    @cached_property
    def free(self) -> groups.Group:
        """Whom it is for, without their times in other meetings."""
        return groups.free_for(
            self.meeting, self.group, self.of_calendar.scheduled, with_names=self.with_names
        )

    @property
    def asks(self) -> dict[str, str]:
        """What an address says to ask the same."""
        return {"explain": "1" if self.explains else "", "if": "1" if self.supposes else ""}

    @property
    def tag(self) -> str:
        """The entity tag of the part that others' answers change.

        It needs nothing of the engine.
        """
        return cache.tag_of((self.of_calendar.tag, self.meeting.pk, self.explains, self.supposes))

    @property
    def here(self) -> str:
        return f"{meeting_address(self.meeting)}{self.look.query()}"

    @property
    def is_fixed(self) -> bool:
        return self.meeting.final_time is not None

    @property
    def is_owner(self) -> bool:
        return rules.may_manage(self.user, self.meeting.calendar)

    @property
    def may_fix(self) -> bool:
        return self.is_owner and not self.meeting.calendar.is_finalized


def meeting_view(request: HttpRequest, calendar_id: UUID, meeting_id: UUID) -> MeetingView:
    user, now = me(request), clock.now()
    meeting = meeting_of(request, calendar_id, meeting_id)
    calendar = meeting.calendar
    asked_look = look(request.GET, calendar, accounts.setting_of(user), now)
    return MeetingView(
        meeting,
        CalendarView(calendar, user, asked_look, now),
        "explain" in request.GET,
        "if" in request.GET,
    )
