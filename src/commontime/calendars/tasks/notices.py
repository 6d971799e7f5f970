"""Post notices to people, in the caller's transaction.

They are rows of the outbox. One query for the people, however many. `composers.py` writes the mails
when they are due.

All mails about one meeting to one person are one event of the outbox, told apart by the meeting's
SEQUENCE, which grows with each of them: so of those that wait only the newest goes out, and a
calendar program that gets them in any order, or twice, ends up with the newest.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User

from commontime.accounts.names import display_names
from commontime.calendars import queries
from commontime.calendars.enums import MailKind
from commontime.calendars.exchange import Snapshot, calendar_path
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting
from commontime.calendars.planning import groups, suggestions
from commontime.calendars.queries.people import Person, Roster
from commontime.core import clock, limits
from commontime.core.shapes import Fields
from commontime.mail import allowance, outbox

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
            caused_by=i.sender_id,
            is_unasked=True,
            is_counted=i.receiver_id is None,  # by the action, which refuses
        )
        for i in invitations
    )


def tell_accepted(invitation: Invitation, meetings: Iterable[Meeting]) -> None:
    """Post to the owner that somebody joined.

    Whoever joined gets the requests of their meetings.
    """
    person = invitation.receiver
    assert person is not None
    payload = {"calendar": str(invitation.calendar_id), "person": person.pk}
    event = f"accepted:{invitation.pk}"
    notice = _to(invitation.calendar.owner, "accepted", event, payload, by=person.pk)
    outbox.post([notice, *(_request(meeting, person.pk, person.email) for meeting in meetings)])


def tell_added(participant: CalendarParticipant, meetings: Iterable[Meeting]) -> None:
    """Post to somebody that they were added. With the requests of their meetings."""
    person = participant.user
    event, payload = f"added:{participant.pk}", {"calendar": str(participant.calendar_id)}
    notice = _to(person, "added", event, payload, by=participant.added_by_id, is_unasked=True)
    requests = (_request(meeting, person.pk, person.email, is_unasked=True) for meeting in meetings)
    outbox.post([notice, *requests])


def tell_handed_over(
    calendars: Iterable[tuple[UUID, int]], heir: User, *, by: User, has_agreed: bool
) -> None:
    """Post to the new owner that calendars are theirs. These are given as ids and versions.

    has_agreed: whether the heir took part there by their own doing.
    """
    by_name = display_names([heir, by])[by.pk]
    outbox.post(
        _to(
            heir,
            "handed_over",
            f"handed_over:{pk}:{version}",
            {"calendar": str(pk), "by": by_name},
            by=by.pk,
            is_unasked=not has_agreed,
        )
        for pk, version in calendars
    )


def tell_removed(
    participant: CalendarParticipant, meetings: Iterable[Meeting], *, by: User
) -> None:
    """Post the goodbye of a calendar. With a cancel for each of the meetings."""
    cancels = [Snapshot.of(meeting).as_payload(path="") for meeting in meetings]
    payload = {"calendar": participant.calendar.name, "by": by.pk, "meetings": cancels}
    is_unasked = participant.agreed_at is None and by.pk != participant.user_id
    event = f"removed:{participant.pk}"
    notice = _to(participant.user, "removed", event, payload, by=by.pk, is_unasked=is_unasked)
    outbox.post([notice])


# Meetings -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Announcement:
    """What the attendees of a meeting know of it. Equal if there is nothing new."""

    snapshot: Snapshot | None = field(compare=False)
    content: tuple[object, ...] | None
    attendees: frozenset[int]


def announcement_of(meeting: Meeting, roster: Roster) -> Announcement:
    """Return what the attendees of a meeting are told. Without a final time it is nothing."""
    if meeting.final_time is None:
        return Announcement(None, None, frozenset())
    organizer = roster.by_id[meeting.calendar.owner_id].name
    snapshot = Snapshot.of(meeting, organizer=organizer)
    return Announcement(
        snapshot,
        snapshot.content,
        frozenset(person.user_id for person in groups.attendees_of(meeting, roster)),
    )


def tell_changed(changed: Iterable[tuple[Meeting, Announcement]], roster: Roster) -> None:
    """Post what has become of meetings since `before`.

    A request goes to who is new in a meeting, a cancel to who is not in it any more, and its move
    to the others; who is still in a meeting that has no final time hears that it was withdrawn.
    """
    outbox.post(
        notice for meeting, before in changed for notice in _changes(meeting, roster, before)
    )


def tell_cancelled(meeting: Meeting, before: Announcement, roster: Roster) -> None:
    """Post a meeting's cancel to everybody who was told."""
    outbox.post(
        _ended("cancelled", meeting, before, person, _is_unasked(person, roster), path="")
        for person in roster.active
        if person.user_id in before.attendees
    )


def _changes(meeting: Meeting, roster: Roster, before: Announcement) -> Iterator[outbox.Notice]:
    now = announcement_of(meeting, roster)
    for person in roster.active:
        if notice := _change(meeting, before, now, person, _is_unasked(person, roster)):
            yield notice


def _change(
    meeting: Meeting,
    before: Announcement,
    now: Announcement,
    person: Person,
    is_unasked: bool,
) -> outbox.Notice | None:
    """Return what one person is told of a change. None if nothing is new for them."""
    was, stays = person.user_id in before.attendees, person.user_id in now.attendees
    if stays and not was:
        return _request(meeting, person.user_id, person.email, is_unasked=is_unasked)
    if stays:
        is_new = before.content != now.content
        return _moved(meeting, before, person, is_unasked) if is_new else None
    if not was:
        return None
    if groups.is_for(meeting, person.user_id):
        return _withdrawn(meeting, before, person, is_unasked)
    return _ended("cancelled", meeting, before, person, is_unasked, path="", only_reader=True)


def _request(
    meeting: Meeting, user_id: int, address: str, *, is_unasked: bool = False
) -> outbox.Notice:
    payload = {"meeting": str(meeting.pk)}
    return _about(meeting, "request", user_id, address, payload, is_unasked)


def _moved(
    meeting: Meeting, before: Announcement, person: Person, is_unasked: bool
) -> outbox.Notice:
    assert before.snapshot is not None
    payload = {"meeting": str(meeting.pk), "before": before.snapshot.as_payload()}
    return _about(meeting, "moved", person.user_id, person.email, payload, is_unasked)


def _withdrawn(
    meeting: Meeting, before: Announcement, person: Person, is_unasked: bool
) -> outbox.Notice:
    return _ended(
        "withdrawn",
        meeting,
        before,
        person,
        is_unasked,
        path=calendar_path(meeting.calendar_id),
        by_reader=person.user_id == meeting.calendar.owner_id,
    )


def _ended(
    kind: str,
    meeting: Meeting,
    before: Announcement,
    person: Person,
    is_unasked: bool,
    **changes: Any,
) -> outbox.Notice:
    """Return a notice that removes a meeting from a calendar. It carries all it says."""
    assert before.snapshot is not None
    payload = before.snapshot.as_payload(sequence=meeting.sequence, **changes)
    return _about(meeting, kind, person.user_id, person.email, payload, is_unasked)


def _about(
    meeting: Meeting,
    kind: str,
    user_id: int,
    address: str,
    payload: Fields,
    is_unasked: bool,
) -> outbox.Notice:
    event = f"meeting:{meeting.pk}"
    organizer = meeting.calendar.owner_id
    return outbox.Notice(
        kind, event, address, user_id, meeting.sequence, payload, organizer, is_unasked
    )


def tell_calendar_finalized(calendar: Calendar, roster: Roster) -> None:
    """Post one letter to everyone with all final times."""
    event, payload = f"finalized:{calendar.pk}:{calendar.version}", {"calendar": str(calendar.pk)}
    outbox.post(
        outbox.Notice(
            "finalized",
            event,
            person.email,
            person.user_id,
            payload=payload,
            caused_by=calendar.owner_id,
            is_unasked=_is_unasked(person, roster),
        )
        for person in roster.active
    )


def tell_deleted(calendars: Sequence[Calendar]) -> None:
    """Post one letter to each person and calendar.

    With cancels of their meetings to come. Two queries for all calendars.
    """
    upcoming: dict[UUID, list[Meeting]] = {}
    for meeting in queries.meetings.meetings_to_come(*calendars):
        upcoming.setdefault(meeting.calendar_id, []).append(meeting)
    seats = _seats_of(calendars)
    outbox.post(
        notice
        for calendar in calendars
        for notice in _deleted(calendar, seats.get(calendar.pk, []), upcoming.get(calendar.pk, []))
    )


def _seats_of(calendars: Sequence[Calendar]) -> dict[UUID, list[CalendarParticipant]]:
    """Return the seats of each calendar with their people, in the order they joined."""
    people: dict[UUID, list[CalendarParticipant]] = {}
    seats = CalendarParticipant.objects.filter(calendar__in=calendars).order_by("joined_at", "id")
    for seat in seats.select_related("user").defer("packed"):
        people.setdefault(seat.calendar_id, []).append(seat)
    return people


def _deleted(
    calendar: Calendar, seats: Sequence[CalendarParticipant], upcoming: Sequence[Meeting]
) -> Iterator[outbox.Notice]:
    people = [seat.user for seat in seats]
    owner = display_names([*people, calendar.owner])[calendar.owner_id]
    for seat, person in zip(seats, people, strict=True):
        theirs = [meeting for meeting in upcoming if groups.is_for(meeting, person.pk)]
        if not person.is_active or (person.pk == calendar.owner_id and not theirs):
            continue  # The owner knows; only their own calendar app does not.
        cancels = [_cancel(meeting, organizer=owner) for meeting in theirs]
        payload = {"calendar": calendar.name, "owner": owner, "meetings": cancels}
        is_unasked = seat.agreed_at is None and person.pk != calendar.owner_id
        event, by = f"deleted:{calendar.pk}", calendar.owner_id
        yield _to(person, "deleted", event, payload, by=by, is_unasked=is_unasked)


def _cancel(meeting: Meeting, *, organizer: str) -> Fields:
    snapshot = Snapshot.of(meeting, organizer=organizer)
    return snapshot.as_payload(sequence=meeting.sequence + 1, path="")


# For owners ---------------------------------------------------------------------------------------


def tell_deadline(
    meeting: Meeting, top: Sequence[suggestions.Suggestion], group: groups.Group
) -> None:
    """Post the owner's report at a meeting's deadline.

    It holds the best times as they were then, and the names of people who have not answered.
    """
    payload = {
        "meeting": str(meeting.pk),
        "choices": [{"start": r.outcome.start.isoformat(), "reason": r.reasons[0]} for r in top],
        "missing": [person.name for person in group.silent],
    }
    event = f"deadline:{meeting.pk}:{meeting.deadline.timestamp()}"
    outbox.post([_to(meeting.calendar.owner, "deadline", event, payload)])


def tell_attendee_lost(seat: queries.windows.Seat, lost: Iterable[Meeting]) -> None:
    """Post to the owner that meetings have lost somebody.

    They are scheduled, and the person can't come any more.
    """
    owner, stamp = seat.calendar.owner, clock.now().timestamp()
    outbox.post(
        _to(
            owner,
            "attendee_lost",
            f"lost:{meeting.pk}:{seat.user.pk}:{stamp}",
            {"meeting": str(meeting.pk), "person": seat.user.pk},
            by=seat.user.pk,
        )
        for meeting in lost
    )


# From one person to another -----------------------------------------------------------------------


def tell_from_person(
    sender: User,
    receiver: User,
    *,
    kind: MailKind,
    calendar: Calendar | None,
    note: str,
    has_agreed: bool,
) -> None:
    """Post a letter that the action has counted.

    has_agreed: whether the receiver takes part in the calendar by their own doing.
    """
    payload = {
        "sender": sender.pk,
        "kind": kind,
        "calendar": calendar and str(calendar.pk),
        "note": note,
    }
    event = f"person:{sender.pk}:{receiver.pk}:{clock.now().timestamp()}"
    is_unasked = not has_agreed
    notice = _to(receiver, "from_person", event, payload, by=sender.pk, is_unasked=is_unasked)
    outbox.post([replace(notice, is_counted=True)])


# What they share ----------------------------------------------------------------------------------


def _to(
    user: User,
    kind: str,
    event: str,
    payload: Fields,
    *,
    by: int | None = None,
    is_unasked: bool = False,
) -> outbox.Notice:
    """Return a notice to a person. by: whose doing it is."""
    return outbox.Notice(kind, event, user.email, user.pk, 0, payload, by, is_unasked)


def _is_unasked(person: Person, roster: Roster) -> bool:
    """Return whether the person is not together with the owner, whose doing mails here are."""
    return person.user_id not in roster.together


def count_letter(sender: int, address: str) -> None:
    """Count a letter from a person to an address. TooMany if either had enough today."""
    if wait := allowance.count_letter(sender, address):
        raise limits.too_many(wait)
