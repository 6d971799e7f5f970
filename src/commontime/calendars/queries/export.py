"""All that is stored about one person."""

from typing import Any

from django.contrib.auth.models import User
from django.db.models import F, QuerySet
from django.utils.translation import gettext as _

from commontime.accounts.models import Mute, Session
from commontime.calendars.models import (
    Calendar,
    CalendarParticipant,
    Invitation,
    NonBusyTime,
    ScheduleSuggestion,
)
from commontime.contacts.models import Contact
from commontime.core import clock
from commontime.core.errors import NotFound
from commontime.core.shapes import Fields
from commontime.mail.models import Message


def everything_about(user: User) -> Fields:
    """Return all that is stored about the user (GDPR art. 15 and 20), without secrets."""
    if not User.objects.filter(pk=user.pk).exists():
        raise NotFound(_("This account has just been deleted."))
    parts: dict[str, QuerySet[Any, Any]] = {
        "sessions": _sessions(user),
        "muted": _muted(user),
        "contacts": _contacts(user),
        "owned_calendars": _owned_calendars(user),
        "participations": _participations(user),
        "non_busy_times": _non_busy_times(user),
        "suggestions": _suggestions(user),
        "invitations_received": Invitation.objects.filter(receiver=user)
        .order_by("created_at")
        .values("calendar_id", "status", "created_at"),
        "invitations_sent": Invitation.objects.filter(sender=user)
        .order_by("created_at")
        .values("calendar_id", "email", "status", "created_at"),
        "emails": _emails(user),
    }
    return {"exported_at": clock.now(), **{name: list(part) for name, part in parts.items()}}


def _sessions(user: User) -> QuerySet[Any, Any]:
    sessions = Session.objects.filter(user=user).order_by("created_at")
    return sessions.values("door", "created_at", "used_at", "ended_at", "user_agent", "address")


def _muted(user: User) -> QuerySet[Any, Any]:
    mutes = Mute.objects.filter(user=user).order_by("sender__username")
    return mutes.values_list("sender__username", flat=True)


def _contacts(user: User) -> QuerySet[Any, Any]:
    contacts = Contact.objects.filter(owner=user, contactee__is_active=True)
    return contacts.order_by("contactee__username", "id").values(
        username=F("contactee__username"), since=F("created_at")
    )


def _owned_calendars(user: User) -> QuerySet[Any, Any]:
    calendars = Calendar.objects.filter(owner=user).order_by("created_at")
    return calendars.values(
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


def _participations(user: User) -> QuerySet[Any, Any]:
    seats = CalendarParticipant.objects.filter(user=user).order_by("joined_at")
    return seats.values("calendar_id", "calendar__name", "required", "joined_at", "agreed_at")


def _non_busy_times(user: User) -> QuerySet[Any, Any]:
    times = NonBusyTime.objects.filter(user=user).order_by("start_time")
    return times.values("id", "calendar_id", "start_time", "end_time", "preference_level")


def _suggestions(user: User) -> QuerySet[Any, Any]:
    suggestions = ScheduleSuggestion.objects.filter(author=user).order_by("created_at")
    return suggestions.values("meeting_id", "suggested_time")


def _emails(user: User) -> QuerySet[Any, Any]:
    """Return the emails that are kept for the user, as they are without a mail server."""
    kept = Message.objects.filter(user=user).exclude(text="").order_by("settled_at")
    return kept.values("subject", "text", sent_at=F("settled_at"))
