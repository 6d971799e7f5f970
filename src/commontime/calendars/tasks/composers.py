"""Write the mails about calendars when they are due.

Each composer asks again whether the person may still know, and returns None if not.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import Exists, OuterRef, Q
from django.utils import translation

from commontime.accounts import queries as accounts
from commontime.accounts.names import full_name
from commontime.accounts.tasks import Reading, letter_to
from commontime.calendars import exchange, queries
from commontime.calendars.enums import MailKind
from commontime.calendars.exchange import Snapshot, calendar_path
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting
from commontime.calendars.planning import groups
from commontime.calendars.tasks import notices
from commontime.core.errors import TooMany
from commontime.mail import letters, outbox
from commontime.mail.letters import Letter, ScheduledMeeting
from commontime.mail.models import Message

INVITATION_SALT = "commontime.invitation"


# Invitations and people ---------------------------------------------------------------------------


@outbox.composer("invitation")
def invitation_letter(message: Message) -> Letter | None:
    invitation = _pending(message)
    if invitation is None or _is_unwanted(message, invitation.sender_id):
        return None
    return letter_to(
        message.user,
        lambda reader: letters.invitation(
            reader.as_letter_reader(),
            sender=full_name(invitation.sender),
            calendar=invitation.calendar.name,
            url=letters.link("/app/"),
        ),
        switch="mail_invitations",
    )


@outbox.composer("invitation_by_email")
def invitation_by_email_letter(message: Message) -> Letter | None:
    invitation = _pending(message)
    if invitation is None or invitation.receiver_id is not None:
        return None
    token = signing.Signer(salt=INVITATION_SALT).sign(str(invitation.pk))
    # Which language the receiver reads is not known; most likely their friend's.
    with translation.override(accounts.setting_of(invitation.sender).locale):
        return letters.invitation_by_email(
            letters.Reader(name=invitation.email),
            sender=full_name(invitation.sender),
            calendar=invitation.calendar.name,
            url=letters.link(f"/app/invitations/{token}/"),
        )


def _pending(message: Message) -> Invitation | None:
    rows = Invitation.objects.filter(
        pk=message.payload["invitation"], status="pending", sender__is_active=True
    )
    return rows.select_related("calendar", "sender").first()


def _is_unwanted(message: Message, sender: int) -> bool:
    """Count a letter that one person has us send another, once; True if they muted the sender or
    there were enough today.

    What it says stands in the product too.
    """
    if accounts.has_muted(message.user_id or 0, sender):
        return True
    if message.attempts:
        return False
    try:
        notices.count_letter(sender, message.recipient)
    except TooMany:
        return True
    return False


@outbox.composer("accepted")
def accepted_letter(message: Message) -> Letter | None:
    seat = CalendarParticipant.objects.filter(
        calendar=message.payload["calendar"], user=message.payload["person"]
    )
    found = seat.select_related("calendar", "user").first()
    if found is None or found.calendar.owner_id != message.user_id:
        return None
    return letter_to(
        message.user,
        lambda reader: letters.invitation_accepted(
            reader.as_letter_reader(),
            person=full_name(found.user),
            calendar=found.calendar.name,
            url=letters.link(calendar_path(found.calendar_id)),
        ),
        switch="mail_invitations",
    )


@outbox.composer("added")
def added_letter(message: Message) -> Letter | None:
    calendar = _entered(message)
    if calendar is None or _is_unwanted(message, calendar.owner_id):
        return None
    return letter_to(
        message.user,
        lambda reader: letters.added_to_calendar(
            reader.as_letter_reader(),
            owner=full_name(calendar.owner),
            calendar=calendar.name,
            url=letters.link(calendar_path(calendar.pk)),
        ),
        switch="mail_invitations",
    )


@outbox.composer("handed_over")
def handed_over_letter(message: Message) -> Letter | None:
    calendar = _entered(message)
    if calendar is None or calendar.owner_id != message.user_id:
        return None
    return letter_to(
        message.user,
        lambda reader: letters.calendar_handed_over(
            reader.as_letter_reader(),
            sender=message.payload["by"],
            calendar=calendar.name,
            url=letters.link(calendar_path(calendar.pk)),
        ),
    )


@outbox.composer("removed")
def removed_letter(message: Message) -> Letter | None:
    payload = message.payload
    # One that cancels nothing is a courtesy.
    if not payload["meetings"] and _is_unwanted(message, payload["by"]):
        return None
    return letter_to(
        message.user,
        lambda reader: letters.removed_from_calendar(
            reader.as_letter_reader(),
            calendar=payload["calendar"],
            **_cancelled(payload["meetings"], reader),
        ),
    )


# Meetings -----------------------------------------------------------------------------------------


@outbox.composer("request")
def request_letter(message: Message) -> Letter | None:
    found = _attended(message)
    return found and letter_to(
        message.user,
        lambda reader: letters.meeting_request(
            reader.as_letter_reader(), **_requested(*found, reader)
        ),
        switch="mail_meetings",
    )


@outbox.composer("moved")
def moved_letter(message: Message) -> Letter | None:
    found = _attended(message)
    if found is None:
        return None
    meeting, earlier = found[0], datetime.fromisoformat(message.payload["earlier"])
    return letter_to(
        message.user,
        lambda reader: letters.meeting_moved(
            reader.as_letter_reader(),
            earlier_start=reader.local(earlier) if earlier != meeting.final_time else None,
            **_requested(*found, reader),
        ),
        switch="mail_meetings",
    )


def _attended(message: Message) -> tuple[Meeting, bool] | None:
    """Return the message's meeting as it is now, and whether its receiver is required; None if
    there is no such meeting for them.
    """
    meeting = (
        queries.meetings.with_attendees()
        .filter(pk=message.payload["meeting"])
        .exclude(final_time=None)
        .select_related("calendar__owner")
        .first()
    )
    if meeting is None or not groups.is_for(meeting, message.user_id or 0):
        return None
    seat = (
        CalendarParticipant.objects.filter(calendar=meeting.calendar_id, user=message.user_id)
        .only("required")
        .first()
    )
    return (meeting, meeting.attendees.get(message.user_id or 0, seat.required)) if seat else None


def _requested(meeting: Meeting, required: bool, reader: Reading) -> dict[str, Any]:
    snapshot = Snapshot.of(meeting)
    document = exchange.request_for(snapshot, reader.user, required=required)
    return {
        "organizer": snapshot.organizer,
        "meeting": _scheduled(snapshot, reader),
        "document": document,
    }


@outbox.composer("cancelled")
def cancelled_letter(message: Message) -> Letter | None:
    snapshot = Snapshot.read(message.payload)
    return letter_to(
        message.user,
        lambda reader: letters.meeting_cancelled(
            reader.as_letter_reader(),
            organizer=snapshot.organizer,
            meeting=_scheduled(snapshot, reader),
            document=exchange.cancel_for(snapshot, reader.user),
        ),
        switch="mail_meetings",
    )


@outbox.composer("finalized")
def finalized_letter(message: Message) -> Letter | None:
    calendar = _entered(message)
    if calendar is None or not calendar.is_finalized:
        return None
    return letter_to(
        message.user,
        lambda reader: letters.calendar_finalized(
            reader.as_letter_reader(),
            calendar=calendar.name,
            meetings=_final_times(calendar, reader),
            url=letters.link(calendar_path(calendar.pk)),
        ),
        switch="mail_meetings",
    )


def _final_times(calendar: Calendar, reader: Reading) -> list[ScheduledMeeting]:
    found = (
        queries.meetings.meetings_of(calendar)
        .exclude(final_time=None)
        .select_related("calendar__owner")
        .order_by("final_time", "id")
    )
    return [_scheduled(Snapshot.of(m), reader) for m in found if groups.is_for(m, reader.user.pk)]


@outbox.composer("deleted")
def deleted_letter(message: Message) -> Letter | None:
    payload = message.payload
    return letter_to(
        message.user,
        lambda reader: letters.calendar_deleted(
            reader.as_letter_reader(),
            owner=payload["owner"],
            calendar=payload["calendar"],
            **_cancelled(payload["meetings"], reader),
        ),
    )


# For owners ---------------------------------------------------------------------------------------


@outbox.composer("deadline")
def deadline_letter(message: Message) -> Letter | None:
    meeting = _owned(message)
    if meeting is None:
        return None

    def write(reader: Reading) -> Letter:
        starts = [
            (choice, reader.local(datetime.fromisoformat(choice["start"])))
            for choice in message.payload["choices"]
        ]
        return letters.deadline_report(
            reader.as_letter_reader(),
            title=meeting.name,
            calendar=meeting.calendar.name,
            url=letters.link(calendar_path(meeting.calendar_id)),
            choices=[
                letters.Choice(start, start + meeting.duration, choice["reason"])
                for choice, start in starts
            ],
            missing=message.payload["missing"],
            scheduled=_scheduled(Snapshot.of(meeting), reader) if meeting.final_time else None,
        )

    return letter_to(message.user, write, switch="mail_reminders")


@outbox.composer("attendee_lost")
def attendee_lost_letter(message: Message) -> Letter | None:
    meeting = _owned(message)
    if meeting is None or meeting.final_time is None:
        return None
    seat = (
        CalendarParticipant.objects.filter(
            calendar=meeting.calendar_id, user=message.payload["person"]
        )
        .select_related("user")
        .first()
    )
    if seat is None:
        return None
    return letter_to(
        message.user,
        lambda reader: letters.attendee_lost(
            reader.as_letter_reader(),
            attendee=full_name(seat.user),
            meeting=_scheduled(Snapshot.of(meeting), reader),
        ),
        switch="mail_meetings",
    )


def _owned(message: Message) -> Meeting | None:
    """Return the message's meeting if its receiver still owns the calendar."""
    rows = Meeting.objects.filter(pk=message.payload["meeting"], calendar__owner=message.user_id)
    return rows.select_related("calendar__owner").first()


# From one person to another -----------------------------------------------------------------------


@outbox.composer("from_person")
def from_person_letter(message: Message) -> Letter | None:
    payload, sender = message.payload, accounts.active_user(message.payload["sender"])
    if sender is None or message.user is None or accounts.has_muted(message.user.pk, sender.pk):
        return None
    calendar = _shared(sender, message)
    if (payload["calendar"] and calendar is None) or (
        payload["note"] and not queries.calendars.share_a_calendar(sender, message.user)
    ):
        return None

    def write(reader: Reading) -> Letter:
        to, typed = (
            reader.as_letter_reader(f"mute:{sender.pk}"),
            {"sender": full_name(sender), "note": payload["note"]},
        )
        name, url = (
            (calendar.name, letters.link(calendar_path(calendar.pk)))
            if calendar
            else ("", letters.link("/app/"))
        )
        if payload["kind"] == MailKind.INVITATION:
            return letters.invitation(
                to, calendar=name or "Commontime", url=letters.link("/app/"), **typed
            )
        if payload["kind"] == MailKind.FINAL and calendar:
            return letters.calendar_finalized(
                to, calendar=name, meetings=_final_times(calendar, reader), url=url, **typed
            )
        return letters.reminder(to, calendar=name, url=url, **typed)

    return letter_to(
        message.user,
        write,
        switch="mail_reminders" if payload["kind"] == MailKind.REMINDER else "mail_invitations",
    )


def _shared(sender: User, message: Message) -> Calendar | None:
    """Return the calendar a letter is about if both still may know it; for the final times the
    receiver must take part.
    """
    knows = Q(owner=message.user) | Q(
        Exists(CalendarParticipant.objects.filter(calendar=OuterRef("pk"), user=message.user))
    )
    if message.payload["kind"] != MailKind.FINAL:
        knows |= Q(
            Exists(
                Invitation.objects.filter(
                    calendar=OuterRef("pk"), receiver=message.user, status="pending"
                )
            )
        )
    return (
        queries.calendars.calendars_visible_to(sender)
        .filter(knows, pk=message.payload["calendar"])
        .first()
    )


# What they share ----------------------------------------------------------------------------------


def _entered(message: Message) -> Calendar | None:
    """Return the calendar the message is about if its receiver still takes part."""
    if message.user is None:
        return None
    return (
        queries.calendars.calendars_visible_to(message.user)
        .filter(pk=message.payload["calendar"])
        .select_related("owner")
        .first()
    )


def _scheduled(snapshot: Snapshot, reader: Reading) -> ScheduledMeeting:
    return ScheduledMeeting(
        title=snapshot.title,
        calendar=snapshot.calendar,
        start=reader.local(snapshot.begins),
        end=reader.local(snapshot.ends),
        location=snapshot.location,
        url=letters.link(snapshot.path) if snapshot.path else "",
    )


def _cancelled(payloads: Sequence[dict[str, Any]], reader: Reading) -> dict[str, Any]:
    snapshots = [Snapshot.read(payload) for payload in payloads]
    return {
        "meetings": [_scheduled(snapshot, reader) for snapshot in snapshots],
        "documents": [exchange.cancel_for(snapshot, reader.user) for snapshot in snapshots],
    }
