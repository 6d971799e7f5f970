from datetime import timedelta
from typing import Any

from django.contrib.auth.models import User
from django.db import transaction
from django.db.models import Exists, F, OuterRef

from commontime.accounts import queries as accounts
from commontime.calendars import queries, tasks
from commontime.calendars.actions.checks import Caution, heed, require_owner
from commontime.calendars.enums import Visibility
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting
from commontime.calendars.planning import FARTHEST
from commontime.core import clock, text
from commontime.core.errors import Conflict, InvalidInput

FARTHEST_SHIFT = 3660


@transaction.atomic
def create_calendar(*, by: User, name: str, is_finalized: bool = False, **fields: Any) -> Calendar:
    """Make a calendar. Its owner is its first participant."""
    fields.setdefault("time_zone", accounts.setting_of(by).time_zone)
    calendar = Calendar(owner=by, name=name, is_finalized=is_finalized, **fields)
    _check(calendar)
    calendar.save(force_insert=True)
    CalendarParticipant.objects.create(calendar=calendar, user=by)
    calendar.version += 1  # by the trigger on participants
    return calendar


@transaction.atomic
def edit_calendar(calendar: Calendar, *, by: User, strict: bool = False, **changes: Any) -> tuple[Calendar, list[Caution]]:
    """Change the calendar's fields; what is absent stays.

    Finalising freezes windows, suggestions, people and meetings and tells everyone once, with all final times; reopening keeps them.
    """
    require_owner(by, calendar, "change it")
    was_finalized = calendar.is_finalized
    if all(getattr(calendar, field) == value for field, value in changes.items()):
        return calendar, []
    for field, value in changes.items():
        setattr(calendar, field, value)
    _check(calendar)
    cautions: list[Caution] = []
    finalizes = calendar.is_finalized and not was_finalized
    if finalizes:
        cautions = _still_open(calendar)
        heed(cautions, strict=strict)
    changed = Calendar.objects.filter(pk=calendar.pk, owner=by, is_finalized=was_finalized)
    if not changed.update(version=F("version") + 1, **{field: getattr(calendar, field) for field in changes}):
        raise Conflict("Somebody changed this calendar at the same moment. Read it again.", code="changed_meanwhile")
    if finalizes:
        tasks.tell_calendar_finalized(calendar)
    calendar.version += 1
    return calendar, cautions


def _still_open(calendar: Calendar) -> list[Caution]:
    rows = Meeting.objects.filter(calendar=calendar, final_time=None).order_by("created_at", "id").values_list("id", "title")[:1000]
    return [
        Caution("meeting_still_open", f"{title or 'A meeting'} has no final time yet.", {"meeting": str(meeting_id)})
        for meeting_id, title in rows
    ]


@transaction.atomic
def delete_calendar(calendar: Calendar, *, by: User) -> None:
    """Delete the calendar and all that is in it; its people get one mail that cancels the scheduled meetings."""
    require_owner(by, calendar, "delete it")
    tasks.tell_calendar_deleted(calendar)
    Calendar.objects.filter(pk=calendar.pk).delete()


@transaction.atomic
def duplicate_calendar(calendar: Calendar, *, by: User, shift_days: int) -> Calendar:
    """Make a new calendar with the same settings, people to invite and meetings without final times, all `shift_days` later.

    Nobody's times are copied, and nobody takes part before they accept.
    """
    require_owner(by, calendar, "duplicate it")
    if abs(shift_days) > FARTHEST_SHIFT:
        raise InvalidInput(f"Shift by at most {FARTHEST_SHIFT} days.", field="shift_days")
    shift = timedelta(days=shift_days)
    kept = ("name", "description", "location", "time_zone", "duration_minutes", "visibility")
    copy = create_calendar(
        by=by,
        **{field: getattr(calendar, field) for field in kept},
        window_start=_shifted(calendar.window_start, shift),
        window_end=_shifted(calendar.window_end, shift),
    )
    _copy_meetings(calendar, copy, shift)
    people = CalendarParticipant.objects.filter(calendar=calendar, user__is_active=True).exclude(user=by)
    invitations = Invitation.objects.bulk_create(
        Invitation(calendar=copy, sender=by, receiver_id=user_id) for user_id in people.values_list("user_id", flat=True)
    )
    tasks.tell_invited(copy, invitations)
    return copy


def _copy_meetings(calendar: Calendar, copy: Calendar, shift: timedelta) -> None:
    kept = ("title", "description", "location", "duration_minutes", "quorum", "buffer_minutes", "auto_finalize")
    soonest = clock.now() + timedelta(days=1)
    Meeting.objects.bulk_create(
        Meeting(
            calendar=copy,
            **{field: getattr(meeting, field) for field in kept},
            deadline=max(soonest, _shifted(meeting.deadline, shift)),
            earliest=_shifted(meeting.earliest, shift),
            latest=_shifted(meeting.latest, shift),
        )
        for meeting in queries.meetings_of(calendar).order_by("created_at", "id")
    )


@transaction.atomic
def transfer_calendar(calendar: Calendar, *, by: User, to: int) -> Calendar:
    """Make a participant the owner; the old owner stays a participant."""
    require_owner(by, calendar, "hand it over")
    heir = CalendarParticipant.objects.filter(calendar=calendar, user_id=to, user__is_active=True).select_related("user").first()
    if heir is None:
        raise InvalidInput("Name somebody who takes part in this calendar.", field="user")
    if not Calendar.objects.filter(pk=calendar.pk, owner=by).update(owner_id=heir.user_id, version=F("version") + 1):
        raise Conflict("Somebody changed this calendar at the same moment. Read it again.", code="changed_meanwhile")
    calendar.owner = heir.user
    calendar.version += 1
    if heir.user_id != by.pk:
        tasks.tell_transferred(calendar, by=by)
    return calendar


def hand_over_all(user: User, *, to: int) -> None:
    """Transfer every calendar of the user; refused unless the heir takes part in each. One statement for any number."""
    owned = Calendar.objects.filter(owner=user)
    seats = CalendarParticipant.objects.filter(calendar=OuterRef("pk"), user_id=to, user__is_active=True)
    if owned.exclude(Exists(seats)).exists() or to == user.pk:
        raise InvalidInput("Name somebody who takes part in each of your calendars.", field="transfer_to")
    owned.update(owner_id=to, version=F("version") + 1)


def _check(calendar: Calendar) -> None:
    calendar.name = text.one_line(calendar.name, field="name", longest=200, required=True)
    if calendar.time_zone not in clock.zones():
        raise InvalidInput("Name a zone of the IANA database, for example Europe/Berlin.", field="time_zone")
    if calendar.visibility not in Visibility.values:
        raise InvalidInput(f"Choose one of: {', '.join(Visibility.values)}.", field="visibility")
    if calendar.window_start and calendar.window_end:
        if calendar.window_end <= calendar.window_start:
            raise InvalidInput("The window must end after it starts.", field="window_end")
        if calendar.window_end - calendar.window_start > FARTHEST:
            raise InvalidInput(f"The window may span at most {FARTHEST.days} days.", field="window_end")


def _shifted(moment: Any, shift: timedelta) -> Any:
    if moment is None:
        return None
    shifted = moment + shift
    if not clock.EARLIEST <= shifted < clock.LATEST:
        raise InvalidInput("That shifts a time out of the years 2000 to 2099.", field="shift_days")
    return shifted
