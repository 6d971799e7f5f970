"""The letters about calendars.

`tell_…` posts notices, called by an action in its transaction: one query for the people, however
many. `…_letter` composes one of them when it is sent, and asks again whether the person may still
know.

All mails about one meeting to one person are one event of the outbox, told apart by the meeting's
SEQUENCE, which grows with each of them: so of those that wait only the newest goes out, and a
calendar program that gets them in any order, or twice, ends up with the newest.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

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
from commontime.calendars.planning import groups, suggestions
from commontime.core import clock, limits
from commontime.core.errors import TooMany
from commontime.core.text import canonical
from commontime.mail import letters, outbox
from commontime.mail.letters import Letter, ScheduledMeeting
from commontime.mail.models import Message

INVITATION_SALT = "commontime.invitation"


# Invitations and people ---------------------------------------------------------------------------


def tell_invited(invitations: Sequence[Invitation]) -> None:
    """Post the invitations. Those to people need their addresses: one query for all."""
    addresses = dict(
        User.objects.filter(
            pk__in=[i.receiver_id for i in invitations if i.receiver_id]
        ).values_list("pk", "email")
    )
    outbox.post(
        outbox.Notice(
            kind="invitation" if i.receiver_id else "invitation_by_email",
            event=f"invitation:{i.pk}",
            recipient=addresses.get(i.receiver_id, "") if i.receiver_id else i.email,
            user_id=i.receiver_id,
            payload={"invitation": str(i.pk)},
        )
        for i in invitations
    )


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
        count_letter(sender, message.recipient)
    except TooMany:
        return True
    return False


def count_letter(sender: int, address: str) -> None:
    """Count a letter from a person to an address; TooMany if either had enough today."""
    limits.take("mail_pair", sender, canonical(address))
    limits.take("mail_receiver", canonical(address))


def tell_accepted(invitation: Invitation, meetings: Iterable[Meeting]) -> None:
    """Post to the owner that somebody joined, and to them the requests of the meetings that are
    theirs from now on.
    """
    person = invitation.receiver
    assert person is not None
    payload = {"calendar": str(invitation.calendar_id), "person": person.pk}
    notice = _to(invitation.calendar.owner, "accepted", f"accepted:{invitation.pk}", payload)
    outbox.post([notice, *(_request(meeting, person.pk, person.email) for meeting in meetings)])


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


def tell_added(participant: CalendarParticipant, meetings: Iterable[Meeting]) -> None:
    """Post to somebody that they take part now, and the requests of the meetings that are theirs
    from now on.
    """
    person = participant.user
    notice = _to(
        person, "added", f"added:{participant.pk}", {"calendar": str(participant.calendar_id)}
    )
    outbox.post([notice, *(_request(meeting, person.pk, person.email) for meeting in meetings)])


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


def tell_handed_over(calendars: Iterable[tuple[UUID, int]], heir: User, *, by: User) -> None:
    """Post to the new owner of calendars, given as ids and versions, that they are theirs now."""
    outbox.post(
        _to(
            heir,
            "handed_over",
            f"handed_over:{pk}:{version}",
            {"calendar": str(pk), "by": full_name(by)},
        )
        for pk, version in calendars
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


def tell_removed(
    participant: CalendarParticipant, meetings: Iterable[Meeting], *, by: User
) -> None:
    """Post the goodbye of a calendar, with a cancel for each of the meetings."""
    cancels = [Snapshot.of(meeting).as_payload(path="") for meeting in meetings]
    payload = {"calendar": participant.calendar.name, "by": by.pk, "meetings": cancels}
    outbox.post([_to(participant.user, "removed", f"removed:{participant.pk}", payload)])


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


@dataclass(frozen=True, slots=True)
class Told:
    """What a meeting's attendees have in their calendars, if all that was said of it arrived. Equal
    if nobody needs to hear more.
    """

    snapshot: Snapshot | None = field(compare=False)
    content: tuple[object, ...] | None
    attendees: frozenset[int]


def told(meeting: Meeting) -> Told:
    """Return what is to be told of the meeting as it is: nothing to anybody while it has no final
    time.
    """
    if meeting.final_time is None:
        return Told(None, None, frozenset())
    snapshot = Snapshot.of(meeting)
    return Told(
        snapshot,
        snapshot.content,
        frozenset(person.user_id for person in groups.attendees_of(meeting)),
    )


def tell_changed(changed: Iterable[tuple[Meeting, Told]]) -> None:
    """Post what has become of meetings since their attendees were told `before`.

    A request goes to who is new in a meeting, a cancel to who is not in it any more, and its move
    to the others.
    """
    outbox.post(notice for meeting, before in changed for notice in _changes(meeting, before))


def _changes(meeting: Meeting, before: Told) -> Iterator[outbox.Notice]:
    now = told(meeting)
    for person in groups.people_of(meeting.calendar):
        if not person.is_active:
            continue
        was, stays = person.user_id in before.attendees, person.user_id in now.attendees
        if stays and not was:
            yield _request(meeting, person.user_id, person.email)
        elif stays and before.snapshot and before.content != now.content:
            payload = {"meeting": str(meeting.pk), "earlier": before.snapshot.start}
            yield outbox.Notice(
                "moved", _event(meeting), person.email, person.user_id, meeting.sequence, payload
            )
        elif was and not stays and before.snapshot:
            payload = before.snapshot.as_payload(sequence=meeting.sequence, path="")
            yield outbox.Notice(
                "cancelled",
                _event(meeting),
                person.email,
                person.user_id,
                meeting.sequence,
                payload,
            )


def _request(meeting: Meeting, user_id: int, address: str) -> outbox.Notice:
    return outbox.Notice(
        "request", _event(meeting), address, user_id, meeting.sequence, {"meeting": str(meeting.pk)}
    )


def _event(meeting: Meeting) -> str:
    return f"meeting:{meeting.pk}"


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
        queries.meetings.meetings()
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
    return (
        (meeting, groups.named_in(meeting).get(message.user_id or 0, seat.required))
        if seat
        else None
    )


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


def tell_calendar_finalized(calendar: Calendar) -> None:
    """Post one letter to everyone with all final times."""
    event, payload = f"finalized:{calendar.pk}:{calendar.version}", {"calendar": str(calendar.pk)}
    outbox.post(
        outbox.Notice("finalized", event, person.email, person.user_id, 0, payload)
        for person in groups.people_of(calendar)
        if person.is_active
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


def tell_deleted(calendars: Sequence[Calendar]) -> None:
    """Post one letter to each person and calendar, with a cancel for each of their meetings to
    come. Two queries for all calendars.
    """
    upcoming: dict[UUID, list[Meeting]] = {}
    for meeting in queries.meetings.meetings_to_come(*calendars):
        upcoming.setdefault(meeting.calendar_id, []).append(meeting)
    by_id = {calendar.pk: calendar for calendar in calendars}
    seats = CalendarParticipant.objects.filter(
        calendar__in=calendars, user__is_active=True
    ).order_by("joined_at", "id")
    notices = []
    for calendar_id, user_id, address in seats.values_list("calendar_id", "user_id", "user__email"):
        calendar = by_id[calendar_id]
        theirs = [m for m in upcoming.get(calendar_id, []) if groups.is_for(m, user_id)]
        if user_id == calendar.owner_id and not theirs:
            continue  # They know; only their own calendar does not.
        cancels = [Snapshot.of(m).as_payload(sequence=m.sequence + 1, path="") for m in theirs]
        payload = {
            "calendar": calendar.name,
            "owner": full_name(calendar.owner),
            "meetings": cancels,
        }
        notices.append(
            outbox.Notice("deleted", f"deleted:{calendar_id}", address, user_id, 0, payload)
        )
    outbox.post(notices)


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


def tell_deadline(
    meeting: Meeting, top: Sequence[suggestions.Suggestion], group: groups.Group
) -> None:
    """Post the owner's report at a meeting's deadline: the best times as they were then, and who
    has not answered.
    """
    payload = {
        "meeting": str(meeting.pk),
        "choices": [{"start": r.outcome.start.isoformat(), "reason": r.reasons[0]} for r in top],
        "missing": [person.name for person in group.silent],
    }
    event = f"deadline:{meeting.pk}:{meeting.deadline.timestamp()}"
    outbox.post([_to(meeting.calendar.owner, "deadline", event, payload)])


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


def tell_attendee_lost(seat: queries.windows.Seat, lost: Iterable[Meeting]) -> None:
    """Post to the owner that somebody can't come any more to meetings that have their final time."""
    owner, stamp = seat.calendar.owner, clock.now().timestamp()
    outbox.post(
        _to(
            owner,
            "attendee_lost",
            f"lost:{meeting.pk}:{seat.user.pk}:{stamp}",
            {"meeting": str(meeting.pk), "person": seat.user.pk},
        )
        for meeting in lost
    )


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


def tell_from_person(
    sender: User, receiver: User, *, kind: MailKind, calendar: Calendar | None, note: str
) -> None:
    payload = {
        "sender": sender.pk,
        "kind": kind,
        "calendar": calendar and str(calendar.pk),
        "note": note,
    }
    event = f"person:{sender.pk}:{receiver.pk}:{clock.now().timestamp()}"
    outbox.post([_to(receiver, "from_person", event, payload)])


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


def _to(user: User, kind: str, event: str, payload: dict[str, Any]) -> outbox.Notice:
    return outbox.Notice(kind, event, user.email, user.pk, 0, payload)


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
