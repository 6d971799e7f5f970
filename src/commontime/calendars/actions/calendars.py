from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from commontime.accounts import queries as accounts
from commontime.accounts.names import full_name
from commontime.calendars import limits, queries
from commontime.calendars.actions.checks import (
    Caution,
    about_addresses,
    check_moments,
    clean_texts,
    heed,
    hold,
    hold_with_people,
    hold_with_seat,
    invitations_open_of,
    keep_same,
    mails_that_wait,
    require_meeting_room,
    require_text_room,
)
from commontime.calendars.actions.meetings import check_duration, raise_sequence
from commontime.calendars.enums import PlanStatus, Visibility
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting, Plan
from commontime.calendars.queries.calendars import require_owner
from commontime.calendars.queries.people import Roster
from commontime.calendars.tasks import notices
from commontime.core import clock, quotas, text
from commontime.core.errors import Conflict, InvalidInput
from commontime.core.shapes import Fields

SHOWN_IN_MEETINGS = {"name", "location", "duration_minutes"}
COPIED = ("name", "description", "location", "time_zone", "duration_minutes", "visibility")


@transaction.atomic
def create_calendar(*, by: User, name: str, is_finalized: bool = False, **fields: Any) -> Calendar:
    """Make a calendar. Its owner is its first participant."""
    fields.setdefault("time_zone", accounts.setting_of(by).time_zone)
    calendar = Calendar(owner=by, name=name, is_finalized=is_finalized, **fields)
    _check(calendar)
    quotas.require_room("calendars", Calendar.objects.filter(owner=by))
    require_text_room(by, calendar.description)
    calendar.save(force_insert=True)
    CalendarParticipant.objects.create(calendar=calendar, user=by, agreed_at=clock.now())
    calendar.version += 1  # by the trigger on participants
    return calendar


@transaction.atomic
def edit_calendar(
    calendar: Calendar, *, by: User, strict: bool = False, **changes: Any
) -> tuple[Calendar, list[Caution]]:
    """Change the calendar's fields; what is absent stays.

    Finalising freezes windows, suggestions, people and meetings and tells everyone once, with all
    final times; reopening keeps them. A meeting without a title, place or length of its own has the
    calendar's: its attendees hear of a change.
    """
    roster = hold_with_people(calendar)
    require_owner(by, calendar, _("change this calendar"))
    scheduled = _scheduled(calendar, roster) if changes.keys() & SHOWN_IN_MEETINGS else []
    text_before = calendar.description
    changes = _changed(calendar, changes)
    if not changes:
        return calendar, []
    require_text_room(by, calendar.description, before=text_before)
    cautions = []
    if changes.get("is_finalized"):
        cautions = [*_still_open(calendar), *about_addresses(by, roster.active)]
    heed(cautions, strict=strict)
    Calendar.objects.filter(pk=calendar.pk).update(version=F("version") + 1, **changes)
    calendar.version += 1
    _tell_changed(scheduled, roster)
    if changes.get("is_finalized"):
        notices.tell_calendar_finalized(calendar, roster)
        cautions += mails_that_wait(by)
    return calendar, cautions


def _changed(calendar: Calendar, wanted: Fields) -> Fields:
    """Change the fields, check the calendar, return what is new."""
    before = {field: getattr(calendar, field) for field in wanted}
    for field, value in wanted.items():
        setattr(calendar, field, value)
    _check(calendar)
    return keep_same(calendar, before)


def _scheduled(calendar: Calendar, roster: Roster) -> list[tuple[Meeting, notices.Announcement]]:
    """Return the meetings to come, and what attendees know."""
    meetings = list(queries.meetings.meetings_to_come(calendar))
    for meeting in meetings:
        meeting.calendar = calendar
    return [(meeting, notices.announcement_of(meeting, roster)) for meeting in meetings]


def _tell_changed(
    scheduled: Sequence[tuple[Meeting, notices.Announcement]], roster: Roster
) -> None:
    """Tell the attendees of meetings that look different now."""
    changed = [
        (meeting, was)
        for meeting, was in scheduled
        if notices.announcement_of(meeting, roster) != was
    ]
    raise_sequence(meeting for meeting, _was in changed)
    notices.tell_changed(changed, roster)


def _still_open(calendar: Calendar) -> list[Caution]:
    rows = (
        Meeting.objects.filter(calendar=calendar, final_time=None)
        .order_by("created_at", "id")
        .values_list("id", "title")[:1000]
    )
    said = _("%(title)s has no confirmed time yet.")
    return [
        Caution(
            "meeting_still_open",
            said % {"title": title or calendar.name},
            {"meeting": str(meeting_id)},
        )
        for meeting_id, title in rows
    ]


@transaction.atomic
def delete_calendar(calendar: Calendar, *, by: User) -> None:
    """Delete the calendar and all that is in it.

    Its people get one mail that cancels the scheduled meetings.
    """
    hold(calendar)
    require_owner(by, calendar, _("delete this calendar"))
    notices.tell_deleted([calendar])
    Calendar.objects.filter(pk=calendar.pk).delete()


@dataclass(frozen=True, slots=True)
class Shift:
    """A number of days by the clocks of a zone. A day there does not always have 24 hours."""

    days: int
    zone: ZoneInfo

    def moment(self, moment: datetime) -> datetime:
        shifted = (moment.astimezone(self.zone) + timedelta(days=self.days)).astimezone(UTC)
        if not clock.is_stored(shifted):
            raise InvalidInput(
                _("That would move a time outside the years 2000 to 2099."), field="shift_days"
            )
        return shifted

    def span(
        self, start: datetime | None, end: datetime | None
    ) -> tuple[datetime | None, datetime | None]:
        first, last = (moment and self.moment(moment) for moment in (start, end))
        if start and end and first and last and last <= first:
            last = first + (end - start)  # it fell into the hour that the clocks skip or repeat
        return first, last


@transaction.atomic
def duplicate_calendar(calendar: Calendar, *, by: User, shift_days: int) -> Calendar:
    """Copy a calendar, `shift_days` later, and invite its people.

    The settings and meetings are copied. Neither final times nor anybody's times are copied; nobody
    is in the copy before they accept.
    """
    hold(calendar)
    require_owner(by, calendar, _("duplicate this calendar"))
    if not limits.SHIFT_DAYS.has(shift_days):
        raise InvalidInput(
            _("Shift by at most %(n)d days.") % {"n": limits.SHIFT_DAYS.most}, field="shift_days"
        )
    shift = Shift(shift_days, ZoneInfo(calendar.time_zone))
    start, end = shift.span(calendar.window_start, calendar.window_end)
    copied = {field: getattr(calendar, field) for field in COPIED}
    copy = create_calendar(by=by, **copied, window_start=start, window_end=end)
    meetings, people = queries.calendars.to_copy(calendar)
    others = [user_id for user_id in people if user_id != by.pk]
    require_meeting_room(by, adding=len(meetings))
    require_text_room(by, *(fields["description"] for fields in meetings))
    quotas.require_room("invitations", invitations_open_of(by), adding=len(others))
    _copy_meetings(meetings, copy, shift)
    invitations = Invitation.objects.bulk_create(
        Invitation(calendar=copy, sender=by, receiver_id=user_id) for user_id in others
    )
    notices.tell_invited(invitations)
    return copy


def _copy_meetings(meetings: Sequence[Fields], copy: Calendar, shift: Shift) -> None:
    soonest = clock.now() + timedelta(days=1)
    copies = []
    for fields in meetings:
        earliest, latest = shift.span(fields["earliest"], fields["latest"])
        deadline = max(soonest, shift.moment(fields["deadline"]))
        copies.append(
            Meeting(
                calendar=copy,
                **{**fields, "deadline": deadline, "earliest": earliest, "latest": latest},
            )
        )
    Meeting.objects.bulk_create(copies)


@transaction.atomic
def transfer_calendar(calendar: Calendar, *, by: User, to: int) -> Calendar:
    """Make a participant the owner. The old owner stays a participant."""
    seat = hold_with_seat(calendar, to)
    require_owner(by, calendar, _("hand this calendar over"))
    if to != by.pk:
        if seat is None or not seat.user.is_active:
            raise InvalidInput(_("Choose somebody who is in this calendar."), field="user")
        has_agreed = seat.agreed_at is not None
        hand_over([calendar], by=by, heir=seat.user, has_agreed=has_agreed)
        calendar.owner = seat.user
        calendar.version += 1
    return calendar


def hand_over(
    calendars: Sequence[Calendar], *, by: User, heir: User, has_agreed: bool = True
) -> None:
    """Make somebody the owner of these calendars.

    The calendars are held, and the heir takes part in each. has_agreed: by their own doing. Others
    fill at most half of the heir's quota, so that nobody can take it all from them.
    """
    half = settings.QUOTAS["calendars"] // 2
    if not quotas.has_room(
        "calendars", Calendar.objects.filter(owner=heir), adding=half + len(calendars)
    ):
        raise Conflict(
            _("%(name)s has too many calendars to take over more. Choose somebody else.")
            % {"name": full_name(heir)},
            code="quota_reached",
        )
    Calendar.objects.filter(pk__in=[calendar.pk for calendar in calendars]).update(
        owner=heir, version=F("version") + 1
    )
    # The heir can plan at once, which they could not beside a plan of somebody else's asking.
    Plan.objects.filter(calendar__in=calendars, status=PlanStatus.RUNNING).update(stop_wanted=True)
    # So that they can take back what still waits, and it outlives the old owner's account.
    Invitation.objects.filter(calendar__in=calendars, sender=by).update(sender=heir)
    notices.tell_handed_over(
        [(calendar.pk, calendar.version + 1) for calendar in calendars],
        heir,
        by=by,
        has_agreed=has_agreed,
    )


def _check(calendar: Calendar) -> None:
    calendar.name = text.one_line(calendar.name, field="name", longest=limits.NAME, required=True)
    clean_texts(calendar)
    if calendar.time_zone not in clock.zones():
        raise InvalidInput(
            _("Give an IANA time zone, for example Europe/Berlin."), field="time_zone"
        )
    text.check_choice(calendar.visibility, Visibility.values, field="visibility")
    check_duration(calendar.duration_minutes)
    check_moments(calendar, "window_start", "window_end")
    if calendar.window_start and calendar.window_end:
        _check_window(calendar.window_start, calendar.window_end)


def _check_window(start: datetime, end: datetime) -> None:
    if end <= start:
        raise InvalidInput(_("The calendar must end after it starts."), field="window_end")
    if end - start > limits.LONGEST_CALENDAR:
        raise InvalidInput(
            _("The calendar can span at most %(n)d days.") % {"n": limits.LONGEST_CALENDAR.days},
            field="window_end",
        )
