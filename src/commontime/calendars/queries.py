"""What people see. A door gets an object only from `…_for(user, id)`: hidden and missing are the same NotFound."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.db.models import Case, CharField, Count, Exists, F, OuterRef, Q, QuerySet, StringAgg, Subquery, Value, When
from django.db.models.functions import Cast, Coalesce, Concat

from commontime.accounts import queries as accounts
from commontime.calendars import rules
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    Meeting,
    MeetingAttendee,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.contacts import queries as contacts
from commontime.core import clock
from commontime.core.errors import InvalidInput, NotAllowed, NotFound

ACCEPT_FIRST = "You are invited but have not accepted yet. Accept the invitation first."


# Calendars ----------------------------------------------------------------------------------------------------------


def calendars_visible_to(user: User) -> QuerySet[Calendar]:
    """The user's own calendars and those they take part in."""
    return Calendar.objects.filter(Q(owner=user) | Exists(_seat(user.pk)))


def calendar_for(user: User, calendar_id: UUID) -> Calendar:
    """Return the calendar if the user owns it or takes part; NotAllowed while their invitation is pending."""
    calendar = _known(Calendar.objects.filter(pk=calendar_id), user, "pk").first()
    return _entered(calendar, calendar, "There is no such calendar, or you are not part of it.")


def calendar_named(user: User, calendar_id: UUID) -> Calendar:
    """Return the calendar whose id came in a body: one that is missing or hidden is bad input, in the same words."""
    try:
        return calendar_for(user, calendar_id)
    except (NotFound, NotAllowed):
        raise InvalidInput("There is no such calendar, or you are not part of it.", field="calendar") from None


def home_zone(user: User) -> str:
    return accounts.setting_of(user).time_zone


def calendar_list_for(user: User, roles: set[str]) -> QuerySet[Calendar]:
    """The user's calendars with what a list of them shows: `is_owner`, `answered`, `participant_count`, `meeting_count`."""
    everyone = CalendarParticipant.objects.filter(calendar=OuterRef("pk")).order_by().values("calendar").annotate(n=Count("pk")).values("n")
    meetings = Meeting.objects.filter(calendar=OuterRef("pk")).order_by().values("calendar").annotate(n=Count("pk")).values("n")
    wanted = Q()
    if "owner" in roles:
        wanted |= Q(owner=user)
    if "participant" in roles:
        wanted |= ~Q(owner=user)
    return (
        calendars_visible_to(user)
        .filter(wanted)
        .annotate(
            answered=Exists(_seat(user.pk).exclude(packed="")),
            participant_count=Coalesce(Subquery(everyone), 0),
            meeting_count=Coalesce(Subquery(meetings), 0),
        )
    )


def _seat(user_id: int, calendar: str = "pk") -> QuerySet[CalendarParticipant]:
    return CalendarParticipant.objects.filter(calendar=OuterRef(calendar), user_id=user_id)


def _known(rows: QuerySet[Any], user: User, calendar: str) -> QuerySet[Any]:
    """Leave only rows of calendars whose existence the user may know of, and say why: `is_inside` or only invited."""
    owner = "owner" if calendar == "pk" else f"{calendar}__owner"
    inside = Q(**{owner: user}) | Exists(_seat(user.pk, calendar))
    invited = Exists(Invitation.objects.filter(calendar=OuterRef(calendar), receiver=user, status="pending"))
    return rows.annotate(is_inside=Case(When(inside, then=Value(True)), default=Value(False))).filter(Q(is_inside=True) | invited)


def _entered[Thing](thing: Thing | None, row: Any, missing: str) -> Thing:
    if thing is None:
        raise NotFound(missing)
    if not row.is_inside:
        raise NotAllowed(ACCEPT_FIRST)
    return thing


# People -------------------------------------------------------------------------------------------------------------


def participants_of(calendar: Calendar) -> QuerySet[CalendarParticipant]:
    """The calendar's people with their names; `has_answered` once they gave any time."""
    return (
        CalendarParticipant.objects.filter(calendar=calendar)
        .select_related("user")
        .annotate(has_answered=Case(When(packed="", then=Value(False)), default=Value(True)))
        .defer("packed")
    )


def participant_for(user: User, calendar: Calendar, participant_id: UUID) -> CalendarParticipant:
    participant = participants_of(calendar).filter(pk=participant_id).first()
    if participant is None:
        raise NotFound("Nobody in this calendar has this participant id.")
    participant.calendar = calendar
    return participant


# Non-busy times -----------------------------------------------------------------------------------------------------


def windows_visible_to(user: User, calendar: Calendar) -> QuerySet[NonBusyTime]:
    rows = NonBusyTime.objects.filter(calendar=calendar)
    return rows if rules.may_see_windows_of_others(user, calendar) else rows.filter(user=user)


def window_for(user: User, calendar: Calendar, window_id: UUID) -> NonBusyTime:
    window = windows_visible_to(user, calendar).filter(pk=window_id).first()
    if window is None:
        raise NotFound("There is no such time in this calendar.")
    window.calendar = calendar
    return window


# Meetings -----------------------------------------------------------------------------------------------------------


def meetings() -> QuerySet[Meeting]:
    """Meetings with `named`: who is named for each, as `12r,15o`, so that a list of them costs one query."""
    mark = Case(When(required=True, then=Value("r")), default=Value("o"))
    each = Concat(Cast("user_id", CharField()), mark, output_field=CharField())
    named = (
        MeetingAttendee.objects.filter(meeting=OuterRef("pk"))
        .order_by()
        .values("meeting")
        .annotate(all=StringAgg(each, delimiter=Value(",")))
        .values("all")
    )
    return Meeting.objects.annotate(named=Subquery(named))


def meetings_of(calendar: Calendar) -> QuerySet[Meeting]:
    return meetings().filter(calendar=calendar)


def meeting_for(user: User, meeting_id: UUID, *, calendar_id: UUID | None = None) -> Meeting:
    """Return the meeting, of this calendar if one is given. Whoever may not enter the calendar learns nothing about its meetings."""
    rows = meetings().filter(pk=meeting_id).select_related("calendar")
    if calendar_id is not None:
        rows = rows.filter(calendar=calendar_id)
    meeting = _known(rows, user, "calendar").first()
    if meeting is None and calendar_id is not None:
        calendar_for(user, calendar_id)
    return _entered(meeting, meeting, "There is no such meeting, or you are not part of its calendar.")


def meetings_past_deadline(now: datetime) -> QuerySet[Meeting]:
    """Meetings whose deadline has passed without a final time and without their owner having been told."""
    rows = meetings().filter(announced_at=None, final_time=None, deadline__lte=now)
    return rows.select_related("calendar__owner").order_by("deadline", "id")


def suggestions_of(meeting: Meeting) -> QuerySet[ScheduleSuggestion]:
    return ScheduleSuggestion.objects.filter(meeting=meeting).order_by("suggested_time", "id")


def suggestion_for(user: User, meeting_id: UUID, suggestion_id: UUID) -> ScheduleSuggestion:
    rows = ScheduleSuggestion.objects.filter(pk=suggestion_id, meeting=meeting_id).select_related("meeting__calendar")
    suggestion = _known(rows, user, "meeting__calendar").first()
    if suggestion is None:
        meeting_for(user, meeting_id)
    return _entered(suggestion, suggestion, "This meeting has no such suggestion.")


# Invitations --------------------------------------------------------------------------------------------------------


def invitations_for(user: User, box: str) -> QuerySet[Invitation]:
    """The invitations somebody received, or sent."""
    mine = Q(sender=user) if box == "sent" else Q(receiver=user)
    return Invitation.objects.filter(mine).select_related("calendar__owner", "sender", "receiver")


def invitation_for(user: User, invitation_id: UUID) -> Invitation:
    """Return the invitation to its receiver, its sender or the calendar's owner."""
    parties = Q(receiver=user) | Q(sender=user) | Q(calendar__owner=user)
    invitation = Invitation.objects.filter(parties, pk=invitation_id).select_related("calendar__owner", "sender", "receiver").first()
    if invitation is None:
        raise NotFound("There is no such invitation.")
    return invitation


# The whole of one person --------------------------------------------------------------------------------------------


def everything_about(user: User) -> dict[str, Any]:
    """Return all that is stored about the user (GDPR art. 15 and 20), without secrets."""
    return {
        "exported_at": clock.now(),
        "sessions": list(
            user.session_set.order_by("created_at").values("door", "created_at", "used_at", "ended_at", "user_agent", "address")
        ),
        "muted": accounts.muted_by(user),
        "contacts": list(contacts.contacts_of(user).values(username=F("contactee__username"), since=F("created_at"))),
        "owned_calendars": list(
            user.owned_calendars.order_by("created_at").values(
                "id",
                "name",
                "description",
                "location",
                "time_zone",
                "is_finalized",
                "visibility",
                "window_start",
                "window_end",
                "created_at",
            )
        ),
        "participations": list(user.participations.order_by("joined_at").values("calendar_id", "calendar__name", "required", "joined_at")),
        "non_busy_times": list(
            user.non_busy_times.order_by("start_time").values("id", "calendar_id", "start_time", "end_time", "preference_level")
        ),
        "suggestions": list(ScheduleSuggestion.objects.filter(author=user).order_by("created_at").values("meeting_id", "suggested_time")),
        "invitations_received": list(user.received_invitations.order_by("created_at").values("calendar_id", "status", "created_at")),
        "invitations_sent": list(user.sent_invitations.order_by("created_at").values("calendar_id", "email", "status", "created_at")),
    }
