"""Write the mails about calendars when they are due.

Each composer asks again whether the person may still know, and returns None if not.
"""

from collections.abc import Sequence
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.contrib.auth.models import User
from django.db.models import Exists, OuterRef, Q
from django.utils import translation

from commontime.accounts import queries as accounts
from commontime.accounts.names import display_names, full_name
from commontime.accounts.tasks import Recipient, letter_to
from commontime.calendars import exchange, queries
from commontime.calendars.enums import MailKind
from commontime.calendars.exchange import Snapshot, calendar_path, meeting_path
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting
from commontime.calendars.planning import groups
from commontime.core import clock
from commontime.core.shapes import Fields
from commontime.mail import letters, outbox
from commontime.mail.letters import Letter, OpenMeeting, ScheduledMeeting
from commontime.mail.models import Message
from commontime.mail.writing import link

# Invitations and people ---------------------------------------------------------------------------


@outbox.composer("invitation")
def invitation_letter(message: Message) -> Letter | None:
    invitation = _pending(message)
    if invitation is None or _is_unwanted(message, invitation.sender_id):
        return None
    return letter_to(
        message,
        lambda to: letters.invitation(
            to.reader(),
            sender=_name_of(invitation.sender, to.user),
            calendar=invitation.calendar.name,
            url=link("/app/"),
            description=invitation.calendar.description,
            meetings=_open_meetings(invitation.calendar, to.zone),
        ),
        switch="mail_invitations",
    )


@outbox.composer("invitation_by_email")
def invitation_by_email_letter(message: Message) -> Letter | None:
    invitation = _pending(message)
    if invitation is None or invitation.receiver_id is not None:
        return None
    # Which language the receiver reads is not known; most likely their friend's.
    with translation.override(accounts.setting_of(invitation.sender).locale):
        return letters.invitation_by_email(
            letters.Reader(name=invitation.email),
            sender=full_name(invitation.sender),
            calendar=invitation.calendar.name,
            url=queries.invitations.mailed_link_to(invitation),
            can_sign_up=settings.SIGN_UP != "closed",
            description=invitation.calendar.description,
            meetings=_open_meetings(invitation.calendar, ZoneInfo(invitation.calendar.time_zone)),
        )


def _pending(message: Message) -> Invitation | None:
    rows = Invitation.objects.filter(
        pk=message.payload["invitation"], status="pending", sender__is_active=True
    )
    return rows.select_related("calendar", "sender").first()


def _is_unwanted(message: Message, sender: int) -> bool:
    """Return whether the reader muted the sender. What it says they find on our pages too."""
    return accounts.has_muted(message.user_id or 0, sender)


@outbox.composer("accepted")
def accepted_letter(message: Message) -> Letter | None:
    seats = CalendarParticipant.objects.filter(
        calendar=message.payload["calendar"], user=message.payload["person"]
    )
    seat = seats.select_related("calendar", "user").first()
    if seat is None or seat.calendar.owner_id != message.user_id:
        return None
    return letter_to(
        message,
        lambda to: letters.invitation_accepted(
            to.reader(),
            person=_name_in(seat.calendar, seat.user),
            calendar=seat.calendar.name,
            url=link(calendar_path(seat.calendar_id)),
        ),
        switch="mail_invitations",
    )


@outbox.composer("added")
def added_letter(message: Message) -> Letter | None:
    calendar = _entered(message)
    if calendar is None or _is_unwanted(message, calendar.owner_id):
        return None
    return letter_to(
        message,
        lambda to: letters.added_to_calendar(
            to.reader(),
            owner=_name_in(calendar, calendar.owner),
            calendar=calendar.name,
            url=link(calendar_path(calendar.pk)),
            description=calendar.description,
            meetings=_open_meetings(calendar, to.zone, person=to.user),
        ),
        switch="mail_invitations",
    )


@outbox.composer("handed_over")
def handed_over_letter(message: Message) -> Letter | None:
    calendar = _entered(message)
    if calendar is None or calendar.owner_id != message.user_id:
        return None
    return letter_to(
        message,
        lambda to: letters.calendar_handed_over(
            to.reader(),
            sender=message.payload["by"],
            calendar=calendar.name,
            url=link(calendar_path(calendar.pk)),
        ),
    )


@outbox.composer("removed")
def removed_letter(message: Message) -> Letter | None:
    payload = message.payload
    # A letter that cancels nothing is a courtesy.
    if not payload["meetings"] and _is_unwanted(message, payload["by"]):
        return None
    return letter_to(
        message,
        lambda to: letters.removed_from_calendar(
            to.reader(), calendar=payload["calendar"], **_cancelled(payload["meetings"], to)
        ),
    )


# Meetings -----------------------------------------------------------------------------------------


@outbox.composer("request")
def request_letter(message: Message) -> Letter | None:
    attended = _attended(message)
    return attended and letter_to(
        message,
        lambda to: letters.meeting_request(to.reader(), **_requested(*attended, to)),
        switch="mail_meetings",
    )


@outbox.composer("moved")
def moved_letter(message: Message) -> Letter | None:
    attended = _attended(message)
    before = message.payload.get("before")
    return attended and letter_to(
        message,
        lambda to: letters.meeting_moved(
            to.reader(),
            before=_scheduled(Snapshot.read(before), to) if before else None,
            **_requested(*attended, to),
        ),
        switch="mail_meetings",
    )


def _attended(message: Message) -> tuple[Meeting, bool] | None:
    """Return the meeting, and whether its receiver is required.

    None if they have no such meeting.
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


def _requested(meeting: Meeting, required: bool, to: Recipient) -> Fields:
    snapshot = Snapshot.of(meeting, organizer=_name_in(meeting.calendar, meeting.calendar.owner))
    return {
        "organizer": snapshot.organizer,
        "meeting": _scheduled(snapshot, to),
        "document": exchange.request_for(snapshot, to.user, to.address, required=required),
        "by_reader": meeting.calendar.owner_id == to.user.pk,
    }


@outbox.composer("withdrawn")
def withdrawn_letter(message: Message) -> Letter | None:
    return letter_to(
        message,
        lambda to: letters.meeting_withdrawn(
            to.reader(), by_reader=message.payload["by_reader"], **_ended(message, to)
        ),
        switch="mail_meetings",
    )


@outbox.composer("cancelled")
def cancelled_letter(message: Message) -> Letter | None:
    return letter_to(
        message,
        lambda to: letters.meeting_cancelled(
            to.reader(),
            only_reader=message.payload.get("only_reader", False),
            **_ended(message, to),
        ),
        switch="mail_meetings",
    )


def _ended(message: Message, to: Recipient) -> Fields:
    snapshot = Snapshot.read(message.payload)
    return {
        "organizer": snapshot.organizer,
        "meeting": _scheduled(snapshot, to),
        "document": exchange.cancel_for(snapshot, to.user, to.address),
    }


@outbox.composer("finalized")
def finalized_letter(message: Message) -> Letter | None:
    calendar = _entered(message)
    if calendar is None or not calendar.is_finalized:
        return None
    return letter_to(
        message,
        lambda to: letters.calendar_finalized(
            to.reader(),
            calendar=calendar.name,
            meetings=_final_times(calendar, to),
            url=link(calendar_path(calendar.pk)),
        ),
        switch="mail_meetings",
    )


def _final_times(calendar: Calendar, to: Recipient) -> list[ScheduledMeeting]:
    meetings = (
        queries.meetings.meetings_of(calendar)
        .exclude(final_time=None)
        .select_related("calendar__owner")
        .order_by("final_time", "id")
    )
    return [
        _scheduled(Snapshot.of(meeting), to)
        for meeting in meetings
        if groups.is_for(meeting, to.user.pk)
    ]


@outbox.composer("deleted")
def deleted_letter(message: Message) -> Letter | None:
    payload = message.payload
    return letter_to(
        message,
        lambda to: letters.calendar_deleted(
            to.reader(),
            owner=payload["owner"],
            calendar=payload["calendar"],
            **_cancelled(payload["meetings"], to),
        ),
    )


# For owners ---------------------------------------------------------------------------------------


@outbox.composer("deadline")
def deadline_letter(message: Message) -> Letter | None:
    meeting = _owned(message)
    if meeting is None:
        return None
    return letter_to(
        message,
        lambda to: letters.deadline_report(
            to.reader(),
            title=meeting.name,
            calendar=meeting.calendar.name,
            url=link(meeting_path(meeting)),
            meeting_id=str(meeting.pk),
            choices=[_choice(choice, meeting, to) for choice in message.payload["choices"]],
            missing=message.payload["missing"],
            scheduled=_scheduled(Snapshot.of(meeting), to) if meeting.final_time else None,
        ),
        switch="mail_reminders",
    )


def _choice(choice: Fields, meeting: Meeting, to: Recipient) -> letters.Choice:
    start = to.local(datetime.fromisoformat(choice["start"]))
    return letters.Choice(start, start + meeting.duration, choice["reason"])


@outbox.composer("attendee_lost")
def attendee_lost_letter(message: Message) -> Letter | None:
    meeting = _owned(message)
    if meeting is None or meeting.final_time is None:
        return None
    seats = CalendarParticipant.objects.filter(
        calendar=meeting.calendar_id, user=message.payload["person"]
    )
    seat = seats.select_related("user").first()
    if seat is None:
        return None
    return letter_to(
        message,
        lambda to: letters.attendee_lost(
            to.reader(),
            attendee=_name_in(meeting.calendar, seat.user),
            meeting=_scheduled(Snapshot.of(meeting), to),
        ),
        switch="mail_meetings",
    )


def _owned(message: Message) -> Meeting | None:
    """Return the meeting, if its receiver owns the calendar."""
    rows = Meeting.objects.filter(pk=message.payload["meeting"], calendar__owner=message.user_id)
    return rows.select_related("calendar__owner").first()


# From one person to another -----------------------------------------------------------------------


@outbox.composer("from_person")
def from_person_letter(message: Message) -> Letter | None:
    payload, sender = message.payload, accounts.active_user(message.payload["sender"])
    if sender is None or message.user is None or accounts.has_muted(message.user.pk, sender.pk):
        return None
    calendar = _shared(sender, message)
    if payload["calendar"] and calendar is None:
        return None
    if payload["note"] and not queries.calendars.share_a_calendar(sender, message.user):
        return None
    return letter_to(
        message,
        lambda to: _from_person(MailKind(payload["kind"]), sender, payload["note"], calendar, to),
        switch="mail_reminders" if payload["kind"] == MailKind.REMINDER else "mail_invitations",
    )


def _from_person(
    kind: MailKind, sender: User, note: str, calendar: Calendar | None, to: Recipient
) -> Letter:
    reader = to.reader(f"mute:{sender.pk}")
    about = _about(sender, calendar, to)
    description = calendar.description if calendar else ""
    match kind:
        case MailKind.INVITATION:
            about |= {"description": description, "url": link("/app/")}
            open_meetings = _open_meetings(calendar, to.zone)
            return letters.invitation(reader, **about, meetings=open_meetings, note=note)
        case MailKind.FINAL:
            times = _final_times(calendar, to) if calendar else []
            return letters.calendar_finalized(reader, **about, meetings=times, note=note)
        case MailKind.NOTE:
            return letters.note(reader, **about, text=note)
        case MailKind.REMINDER:
            about["description"] = description
            open_meetings = _open_meetings(calendar, to.zone, person=to.user)
            return letters.reminder(reader, **about, meetings=open_meetings, note=note)


def _about(sender: User, calendar: Calendar | None, to: Recipient) -> dict[str, str]:
    """Return a letter's sender, its calendar and its page."""
    if calendar is None:
        return {"sender": _name_of(sender, to.user), "calendar": "", "url": link("/app/")}
    return {
        "sender": _name_in(calendar, sender, to.user),
        "calendar": calendar.name,
        "url": link(calendar_path(calendar.pk)),
    }


def _shared(sender: User, message: Message) -> Calendar | None:
    """Return the calendar that a letter is about.

    None if sender or receiver may not know it any more. Final times are only for somebody in the
    calendar.
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


def _name_of(person: User, reader: User) -> str:
    """Return what a person is called outside a calendar."""
    return display_names([person, reader])[person.pk]


def _name_in(calendar: Calendar, person: User, *others: User) -> str:
    """Return what a person is called in the calendar.

    It tells them apart from its people and these others.
    """
    people = User.objects.filter(participations__calendar=calendar).only(
        "username", "first_name", "last_name"
    )
    return display_names([*people, *others, person])[person.pk]


def _entered(message: Message) -> Calendar | None:
    """Return the calendar, if the receiver still takes part."""
    if message.user is None:
        return None
    return (
        queries.calendars.calendars_visible_to(message.user)
        .filter(pk=message.payload["calendar"])
        .select_related("owner")
        .first()
    )


def _open_meetings(
    calendar: Calendar | None, zone: ZoneInfo, *, person: User | None = None
) -> list[OpenMeeting]:
    """Return the meetings that wait for answers, the next deadline first.

    Only those for everybody, and with a `person` also those that name them.
    """
    if calendar is None:
        return []
    meetings = (
        queries.meetings.meetings_of(calendar)
        .filter(final_time=None, deadline__gt=clock.now())
        .select_related("calendar")
        .order_by("deadline", "id")
    )
    return [
        OpenMeeting(
            title=meeting.name,
            length=meeting.duration,
            deadline=meeting.deadline.astimezone(zone),
            location=meeting.location or meeting.calendar.location,
            description=meeting.description,
        )
        for meeting in meetings
        if meeting.for_everyone or (person and groups.is_for(meeting, person.pk))
    ]


def _scheduled(snapshot: Snapshot, to: Recipient) -> ScheduledMeeting:
    return ScheduledMeeting(
        title=snapshot.title,
        calendar=snapshot.calendar,
        start=to.local(snapshot.begins),
        end=to.local(snapshot.ends),
        location=snapshot.location,
        description=snapshot.description,
        url=link(snapshot.path) if snapshot.path else "",
        id=snapshot.uid,
    )


def _cancelled(payloads: Sequence[Fields], to: Recipient) -> Fields:
    snapshots = [Snapshot.read(payload) for payload in payloads]
    return {
        "meetings": [_scheduled(snapshot, to) for snapshot in snapshots],
        "documents": [exchange.cancel_for(snapshot, to.user, to.address) for snapshot in snapshots],
    }
