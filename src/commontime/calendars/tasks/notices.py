"""Post what people are to hear, as rows of the outbox, in the transaction of the action that calls.

One query for the people, however many. `composers.py` writes the mails when they are due.

All mails about one meeting to one person are one event of the outbox, told apart by the meeting's
SEQUENCE, which grows with each of them: so of those that wait only the newest goes out, and a
calendar program that gets them in any order, or twice, ends up with the newest.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from commontime.accounts.names import full_name
from commontime.calendars import queries
from commontime.calendars.enums import MailKind
from commontime.calendars.exchange import Snapshot
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting
from commontime.calendars.planning import groups, suggestions
from commontime.calendars.queries.people import Roster
from commontime.core import clock, limits
from commontime.core.text import canonical
from commontime.mail import outbox

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


def tell_accepted(invitation: Invitation, meetings: Iterable[Meeting]) -> None:
    """Post to the owner that somebody joined, and to them the requests of the meetings that are
    theirs from now on.
    """
    person = invitation.receiver
    assert person is not None
    payload = {"calendar": str(invitation.calendar_id), "person": person.pk}
    notice = _to(invitation.calendar.owner, "accepted", f"accepted:{invitation.pk}", payload)
    outbox.post([notice, *(_request(meeting, person.pk, person.email) for meeting in meetings)])


def tell_added(participant: CalendarParticipant, meetings: Iterable[Meeting]) -> None:
    """Post to somebody that they take part now, and the requests of the meetings that are theirs
    from now on.
    """
    person = participant.user
    notice = _to(
        person, "added", f"added:{participant.pk}", {"calendar": str(participant.calendar_id)}
    )
    outbox.post([notice, *(_request(meeting, person.pk, person.email) for meeting in meetings)])


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


def tell_removed(
    participant: CalendarParticipant, meetings: Iterable[Meeting], *, by: User
) -> None:
    """Post the goodbye of a calendar, with a cancel for each of the meetings."""
    cancels = [Snapshot.of(meeting).as_payload(path="") for meeting in meetings]
    payload = {"calendar": participant.calendar.name, "by": by.pk, "meetings": cancels}
    outbox.post([_to(participant.user, "removed", f"removed:{participant.pk}", payload)])


# Meetings -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Announcement:
    """What a meeting's attendees have in their calendars, if all that was said of it arrived. Equal
    if nobody needs to hear more.
    """

    snapshot: Snapshot | None = field(compare=False)
    content: tuple[object, ...] | None
    attendees: frozenset[int]


def announcement_of(meeting: Meeting, roster: Roster) -> Announcement:
    """Return what is to be told of the meeting as it is: nothing to anybody while it has no final
    time.
    """
    if meeting.final_time is None:
        return Announcement(None, None, frozenset())
    snapshot = Snapshot.of(meeting)
    return Announcement(
        snapshot,
        snapshot.content,
        frozenset(person.user_id for person in groups.attendees_of(meeting, roster)),
    )


def tell_changed(changed: Iterable[tuple[Meeting, Announcement]], roster: Roster) -> None:
    """Post what has become of meetings since their attendees were told `before`.

    A request goes to who is new in a meeting, a cancel to who is not in it any more, and its move
    to the others.
    """
    outbox.post(
        notice for meeting, before in changed for notice in _changes(meeting, roster, before)
    )


def _changes(meeting: Meeting, roster: Roster, before: Announcement) -> Iterator[outbox.Notice]:
    now = announcement_of(meeting, roster)
    for person in roster.people:
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


def tell_calendar_finalized(calendar: Calendar, roster: Roster) -> None:
    """Post one letter to everyone with all final times."""
    event, payload = f"finalized:{calendar.pk}:{calendar.version}", {"calendar": str(calendar.pk)}
    outbox.post(
        outbox.Notice("finalized", event, person.email, person.user_id, 0, payload)
        for person in roster.people
        if person.is_active
    )


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


# What they share ----------------------------------------------------------------------------------


def _to(user: User, kind: str, event: str, payload: dict[str, Any]) -> outbox.Notice:
    return outbox.Notice(kind, event, user.email, user.pk, 0, payload)


def count_letter(sender: int, address: str) -> None:
    """Count a letter from a person to an address; TooMany if either had enough today."""
    limits.take("mail_pair", sender, canonical(address))
    limits.take("mail_receiver", canonical(address))
