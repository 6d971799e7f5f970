"""What is done later: the letters about calendars.

`tell_…` posts notices, called by an action in its transaction: one query for the people, however many. `…_letter` composes one of them when it
is sent, and asks again whether the person may still know.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import User
from django.core import signing
from django.db.models import Exists, OuterRef, Q, QuerySet

from commontime.accounts import queries as accounts
from commontime.accounts.tasks import Reading, reading
from commontime.calendars import exchange, planning, queries
from commontime.calendars.enums import MailKind
from commontime.calendars.exchange import Snapshot, calendar_path
from commontime.calendars.models import Calendar, CalendarParticipant, Invitation, Meeting
from commontime.core import clock, limits
from commontime.core.errors import TooMany
from commontime.core.text import canonical
from commontime.mail import letters, outbox
from commontime.mail.letters import Letter, ScheduledMeeting
from commontime.mail.models import Message

INVITATION_SALT = "commontime.invitation"


# Invitations and people ---------------------------------------------------------------------------------------------


def tell_invited(calendar: Calendar, invitations: Iterable[Invitation]) -> None:
    """Post the invitations. Those to people need their addresses: one query for all."""
    invitations = list(invitations)
    addresses = dict(User.objects.filter(pk__in=[i.receiver_id for i in invitations if i.receiver_id]).values_list("pk", "email"))
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
    if invitation is None or message.user is None or _is_too_much(message, invitation.sender_id):
        return None
    with reading(message.user, "mail_invitations") as reader:
        return (
            None
            if reader is None
            else letters.invitation(
                reader.as_letter_reader("mail_invitations"),
                sender=accounts.full_name(invitation.sender),
                calendar=invitation.calendar.name,
                url=letters.link("/app/"),
            )
        )


@outbox.composer("invitation_by_email")
def invitation_by_email_letter(message: Message) -> Letter | None:
    invitation = _pending(message)
    if invitation is None:
        return None
    token = signing.Signer(salt=INVITATION_SALT).sign(str(invitation.pk))
    return letters.invitation_by_email(
        letters.Reader(name=invitation.email),
        sender=accounts.full_name(invitation.sender),
        calendar=invitation.calendar.name,
        url=letters.link(f"/app/invitations/{token}/"),
    )


def _pending(message: Message) -> Invitation | None:
    rows = Invitation.objects.filter(pk=message.payload["invitation"], status="pending", sender__is_active=True)
    return rows.select_related("calendar", "sender").first()


def _is_too_much(message: Message, sender: int) -> bool:
    """Count a letter that one person has us send another, once; True if there were enough today. What it says stands in the product too."""
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


def tell_accepted(invitation: Invitation) -> None:
    owner = invitation.calendar.owner
    payload = {"calendar": str(invitation.calendar_id), "person": invitation.receiver_id}
    outbox.post([_to(owner, "accepted", f"accepted:{invitation.pk}", payload)])


@outbox.composer("accepted")
def accepted_letter(message: Message) -> Letter | None:
    seat = CalendarParticipant.objects.filter(calendar=message.payload["calendar"], user=message.payload["person"])
    found = seat.select_related("calendar", "user").first()
    if found is None or message.user is None or found.calendar.owner_id != message.user.pk:
        return None
    with reading(message.user, "mail_invitations") as reader:
        return (
            None
            if reader is None
            else letters.invitation_accepted(
                reader.as_letter_reader("mail_invitations"),
                person=accounts.full_name(found.user),
                calendar=found.calendar.name,
                url=letters.link(calendar_path(found.calendar_id)),
            )
        )


def tell_added(participant: CalendarParticipant, *, by: User) -> None:
    payload = {"calendar": str(participant.calendar_id)}
    outbox.post([_to(participant.user, "added", f"added:{participant.pk}", payload)])


@outbox.composer("added")
def added_letter(message: Message) -> Letter | None:
    calendar = _entered(message)
    if calendar is None or _is_too_much(message, calendar.owner_id):
        return None
    with reading(message.user, "mail_invitations") as reader:
        return (
            None
            if reader is None
            else letters.added_to_calendar(
                reader.as_letter_reader("mail_invitations"),
                owner=accounts.full_name(calendar.owner),
                calendar=calendar.name,
                url=letters.link(calendar_path(calendar.pk)),
            )
        )


def tell_transferred(calendar: Calendar, *, by: User) -> None:
    payload = {"calendar": str(calendar.pk), "by": accounts.full_name(by)}
    outbox.post([_to(calendar.owner, "transferred", f"transferred:{calendar.pk}:{calendar.version}", payload)])


@outbox.composer("transferred")
def transferred_letter(message: Message) -> Letter | None:
    calendar = _entered(message)
    if calendar is None or message.user is None or calendar.owner_id != message.user.pk:
        return None
    with reading(message.user) as reader:
        return (
            None
            if reader is None
            else letters.calendar_handed_over(
                reader.as_letter_reader(),
                sender=message.payload["by"],
                calendar=calendar.name,
                url=letters.link(calendar_path(calendar.pk)),
            )
        )


def tell_removed(calendar: Calendar, person: User, *, by: User) -> None:
    """Post the goodbye of a calendar, with a cancel for each meeting still to come. Call it before their places in meetings go."""
    upcoming = [m for m in _upcoming(calendar) if not (named := planning.named_in(m)) or person.pk in named]
    payload = {"calendar": calendar.name, "by": by.pk, "meetings": [Snapshot.of(m).as_payload() for m in upcoming]}
    event = f"removed:{calendar.pk}:{person.pk}:{clock.now().timestamp()}"
    outbox.post([_to(person, "removed", event, payload)])


@outbox.composer("removed")
def removed_letter(message: Message) -> Letter | None:
    # One that cancels nothing is a courtesy.
    if not message.payload["meetings"] and _is_too_much(message, message.payload["by"]):
        return None
    with reading(message.user) as reader:
        return (
            None
            if reader is None
            else letters.removed_from_calendar(
                reader.as_letter_reader(), calendar=message.payload["calendar"], **_cancelled(message.payload["meetings"], reader)
            )
        )


# Meetings -----------------------------------------------------------------------------------------------------------


def tell_scheduled(meeting: Meeting) -> None:
    """Post the calendar request with the final time to every attendee."""
    _post_to_attendees(meeting, "request", {"meeting": str(meeting.pk)})


def tell_moved(meeting: Meeting, *, earlier: datetime) -> None:
    _post_to_attendees(meeting, "moved", {"meeting": str(meeting.pk), "earlier": earlier.isoformat()})


def tell_cancelled(meeting: Meeting, *, start: datetime, duration: timedelta) -> None:
    _post_to_attendees(meeting, "cancelled", Snapshot.of(meeting, start=start, duration=duration).as_payload())


def tell_attendees_changed(meeting: Meeting, before: dict[int, bool]) -> None:
    """Post the request to those who are new in a scheduled meeting, and the cancel to those who are no longer."""
    now = planning.named_in(meeting)
    people = dict(_addresses(meeting.calendar))
    was, is_now = (set(named) or set(people) for named in (before, now))
    stamp = clock.now().timestamp()
    snapshot = Snapshot.of(meeting).as_payload()
    notices = [
        outbox.Notice("request", f"meeting:{meeting.pk}:joined:{stamp}", people[user], user, meeting.sequence, {"meeting": str(meeting.pk)})
        for user in is_now - was
        if user in people
    ]
    notices += [
        outbox.Notice("cancelled", f"meeting:{meeting.pk}:left:{stamp}", people[user], user, meeting.sequence, snapshot)
        for user in was - is_now
        if user in people
    ]
    outbox.post(notices)


def _post_to_attendees(meeting: Meeting, kind: str, payload: dict[str, Any]) -> None:
    named = planning.named_in(meeting)
    outbox.post(
        outbox.Notice(kind, f"meeting:{meeting.pk}", address, user, meeting.sequence, payload)
        for user, address in _addresses(meeting.calendar)
        if not named or user in named
    )


@outbox.composer("request")
def request_letter(message: Message) -> Letter | None:
    return _meeting_letter(message)


@outbox.composer("moved")
def moved_letter(message: Message) -> Letter | None:
    return _meeting_letter(message)


def _meeting_letter(message: Message) -> Letter | None:
    if message.user is None:
        return None
    meeting = queries.meetings().filter(pk=message.payload["meeting"]).select_related("calendar__owner").first()
    # A larger sequence has a mail of its own, so this one would only tell what is no longer true.
    if meeting is None or meeting.final_time is None or meeting.sequence != message.sequence:
        return None
    named = planning.named_in(meeting)
    seat = CalendarParticipant.objects.filter(calendar=meeting.calendar_id, user=message.user).first()
    if seat is None or (named and message.user_id not in named):
        return None
    snapshot = Snapshot.of(meeting)
    document = exchange.request_for(snapshot, message.user, required=named.get(message.user.pk, seat.required))
    with reading(message.user, "mail_meetings") as reader:
        if reader is None:
            return None
        shown: dict[str, Any] = {"organizer": snapshot.organizer, "meeting": _scheduled(snapshot, reader), "document": document}
        if message.kind == "moved":
            earlier = datetime.fromisoformat(message.payload["earlier"])
            changed = reader.local(earlier) if earlier != meeting.final_time else None
            return letters.meeting_moved(reader.as_letter_reader("mail_meetings"), earlier_start=changed, **shown)
        return letters.meeting_request(reader.as_letter_reader("mail_meetings"), **shown)


@outbox.composer("cancelled")
def cancelled_letter(message: Message) -> Letter | None:
    snapshot = Snapshot.read(message.payload)
    with reading(message.user, "mail_meetings") as reader:
        return (
            None
            if reader is None
            else letters.meeting_cancelled(
                reader.as_letter_reader("mail_meetings"),
                organizer=snapshot.organizer,
                meeting=_scheduled(snapshot, reader, link=False),
                document=exchange.cancel_for(snapshot, reader.user),
            )
        )


def tell_calendar_finalized(calendar: Calendar) -> None:
    """Post one letter to everyone with all final times."""
    payload = {"calendar": str(calendar.pk)}
    event = f"finalized:{calendar.pk}:{calendar.version}"
    outbox.post(outbox.Notice("finalized", event, address, user, 0, payload) for user, address in _addresses(calendar))


@outbox.composer("finalized")
def finalized_letter(message: Message) -> Letter | None:
    calendar = _entered(message)
    if calendar is None or not calendar.is_finalized:
        return None
    return _final_times_letter(message, calendar)


def _final_times_letter(message: Message, calendar: Calendar) -> Letter | None:
    found = queries.meetings_of(calendar).exclude(final_time=None).select_related("calendar__owner").order_by("final_time")
    mine = [m for m in found if not (named := planning.named_in(m)) or message.user_id in named]
    with reading(message.user, "mail_meetings") as reader:
        return (
            None
            if reader is None
            else letters.calendar_finalized(
                reader.as_letter_reader("mail_meetings"),
                calendar=calendar.name,
                meetings=[_scheduled(Snapshot.of(m), reader) for m in mine],
                url=letters.link(calendar_path(calendar.pk)),
                sender=message.payload.get("sender", ""),
                note=message.payload.get("note", ""),
            )
        )


def tell_calendar_deleted(calendar: Calendar) -> None:
    _post_deleted([calendar])


def tell_calendars_deleted(owner: User) -> None:
    """Post what the end of an account means for the people of its calendars: one mail a calendar."""
    _post_deleted(list(Calendar.objects.filter(owner=owner).select_related("owner")))


def _post_deleted(calendars: Sequence[Calendar]) -> None:
    """Post one letter to each person and calendar, with a cancel for each of their meetings to come. Two queries for all calendars."""
    by_calendar: dict[Any, list[Meeting]] = {}
    for meeting in _upcoming(*calendars):
        by_calendar.setdefault(meeting.calendar_id, []).append(meeting)
    seats = CalendarParticipant.objects.filter(calendar__in=calendars, user__is_active=True)
    names = {calendar.pk: calendar for calendar in calendars}
    notices = []
    for calendar_id, user_id, address in seats.values_list("calendar_id", "user_id", "user__email"):
        calendar = names[calendar_id]
        if user_id == calendar.owner_id:
            continue
        theirs = [m for m in by_calendar.get(calendar_id, []) if not (named := planning.named_in(m)) or user_id in named]
        cancels = [{**Snapshot.of(m).as_payload(), "sequence": m.sequence + 1, "path": ""} for m in theirs]
        payload = {"calendar": calendar.name, "owner": accounts.full_name(calendar.owner), "meetings": cancels}
        notices.append(outbox.Notice("deleted", f"deleted:{calendar_id}", address, user_id, 0, payload))
    outbox.post(notices)


@outbox.composer("deleted")
def deleted_letter(message: Message) -> Letter | None:
    payload = message.payload
    with reading(message.user) as reader:
        return (
            None
            if reader is None
            else letters.calendar_deleted(
                reader.as_letter_reader(), owner=payload["owner"], calendar=payload["calendar"], **_cancelled(payload["meetings"], reader)
            )
        )


# For owners ---------------------------------------------------------------------------------------------------------


def tell_deadline(meeting: Meeting, top: Sequence[planning.Ranked], group: planning.Group) -> None:
    """Post the owner's report at a meeting's deadline: the best times as they were then, and who has not answered."""
    payload = {
        "meeting": str(meeting.pk),
        "choices": [{"start": r.outcome.start.isoformat(), "attending": len(r.outcome.attending), "reason": r.reasons[0]} for r in top],
        "of": len(group.people),
        "missing": [person.name for person in group.silent],
    }
    event = f"deadline:{meeting.pk}:{meeting.deadline.timestamp()}"
    outbox.post([_to(meeting.calendar.owner, "deadline", event, payload)])


@outbox.composer("deadline")
def deadline_letter(message: Message) -> Letter | None:
    meeting = Meeting.objects.filter(pk=message.payload["meeting"], calendar__owner=message.user).select_related("calendar__owner").first()
    if meeting is None:
        return None
    with reading(message.user, "mail_reminders") as reader:
        if reader is None:
            return None
        starts = [(choice, reader.local(datetime.fromisoformat(choice["start"]))) for choice in message.payload["choices"]]
        return letters.deadline_report(
            reader.as_letter_reader("mail_reminders"),
            title=meeting.title or meeting.calendar.name,
            calendar=meeting.calendar.name,
            url=letters.link(calendar_path(meeting.calendar_id)),
            choices=[
                letters.Choice(start, start + meeting.duration, choice["attending"], message.payload["of"], choice["reason"])
                for choice, start in starts
            ],
            missing=message.payload["missing"],
            scheduled=_scheduled(Snapshot.of(meeting), reader) if meeting.final_time else None,
        )


def tell_attendee_lost(seat: queries.Seat, lost: Sequence[Meeting]) -> None:
    """Post to the owner that somebody can't come any more to meetings that have their final time."""
    owner = User.objects.get(pk=seat.calendar.owner_id)
    stamp = clock.now().timestamp()
    outbox.post(
        _to(owner, "attendee_lost", f"lost:{meeting.pk}:{seat.user.pk}:{stamp}", {"meeting": str(meeting.pk), "person": seat.user.pk})
        for meeting in lost
        if owner.pk != seat.user.pk
    )


@outbox.composer("attendee_lost")
def attendee_lost_letter(message: Message) -> Letter | None:
    rows = Meeting.objects.filter(pk=message.payload["meeting"], calendar__owner=message.user).exclude(final_time=None)
    meeting = rows.select_related("calendar__owner").first()
    seat = (
        meeting
        and CalendarParticipant.objects.filter(calendar=meeting.calendar_id, user=message.payload["person"]).select_related("user").first()
    )
    if meeting is None or not seat:
        return None
    with reading(message.user, "mail_meetings") as reader:
        return (
            None
            if reader is None
            else letters.attendee_lost(
                reader.as_letter_reader("mail_meetings"),
                attendee=accounts.full_name(seat.user),
                meeting=_scheduled(Snapshot.of(meeting), reader),
            )
        )


# From one person to another -----------------------------------------------------------------------------------------


def tell_from_person(sender: User, receiver: User, *, kind: MailKind, calendar: Calendar | None, note: str) -> None:
    payload = {"sender": sender.pk, "kind": kind, "calendar": calendar and str(calendar.pk), "note": note}
    event = f"person:{sender.pk}:{receiver.pk}:{clock.now().timestamp()}"
    outbox.post([_to(receiver, "from_person", event, payload)])


@outbox.composer("from_person")
def from_person_letter(message: Message) -> Letter | None:
    sender = accounts.active_user(message.payload["sender"])
    if sender is None or message.user is None or accounts.has_muted(message.user.pk, sender.pk):
        return None
    calendar = _shared(sender, message)
    kind, note = message.payload["kind"], message.payload["note"]
    with reading(message.user, "mail_reminders" if kind == MailKind.REMINDER else "mail_invitations") as reader:
        if reader is None:
            return None
        to = reader.as_letter_reader(f"mute:{sender.pk}")
        name, url = accounts.full_name(sender), letters.link(calendar_path(calendar.pk) if calendar else "/app/")
        if kind == MailKind.INVITATION:
            return letters.invitation(
                to, sender=name, calendar=calendar.name if calendar else "Commontime", url=letters.link("/app/"), note=note
            )
        if kind == MailKind.FINAL and calendar:
            found = queries.meetings_of(calendar).exclude(final_time=None).select_related("calendar__owner").order_by("final_time")
            mine = [m for m in found if not (named := planning.named_in(m)) or message.user_id in named]
            meetings = [_scheduled(Snapshot.of(m), reader) for m in mine]
            return letters.calendar_finalized(to, calendar=calendar.name, meetings=meetings, url=url, sender=name, note=note)
        return letters.reminder(to, calendar=calendar.name if calendar else "", url=url, sender=name, note=note)


def _shared(sender: User, message: Message) -> Calendar | None:
    """Return the calendar a letter is about if both still may know it (the receiver: at least as somebody invited)."""
    if message.payload["calendar"] is None:
        return None
    invited = Exists(Invitation.objects.filter(calendar=OuterRef("pk"), receiver=message.user, status="pending"))
    seated = Exists(CalendarParticipant.objects.filter(calendar=OuterRef("pk"), user=message.user))
    rows = queries.calendars_visible_to(sender).filter(Q(owner=message.user) | seated | invited, pk=message.payload["calendar"])
    return rows.first()


# What they share ----------------------------------------------------------------------------------------------------


def _to(user: User, kind: str, event: str, payload: dict[str, Any]) -> outbox.Notice:
    return outbox.Notice(kind, event, user.email, user.pk, 0, payload)


def _addresses(calendar: Calendar) -> list[tuple[int, str]]:
    """Return the ids and addresses of the calendar's people, who are known already where the change was checked against them."""
    return [(person.user_id, person.email) for person in planning.people_of(calendar) if person.is_active]


def _entered(message: Message) -> Calendar | None:
    """Return the calendar the message is about if its receiver still takes part."""
    if message.user is None:
        return None
    return queries.calendars_visible_to(message.user).filter(pk=message.payload["calendar"]).select_related("owner").first()


def _upcoming(*calendars: Calendar) -> QuerySet[Meeting]:
    found = queries.meetings().filter(calendar__in=calendars, final_time__gt=clock.now())
    return found.select_related("calendar__owner").order_by("final_time", "id")


def _scheduled(snapshot: Snapshot, reader: Reading, *, link: bool = True) -> ScheduledMeeting:
    return ScheduledMeeting(
        title=snapshot.title,
        calendar=snapshot.calendar,
        start=reader.local(snapshot.begins),
        end=reader.local(snapshot.ends),
        location=snapshot.location,
        url=letters.link(snapshot.path) if link and snapshot.path else "",
    )


def _cancelled(payloads: Sequence[dict[str, Any]], reader: Reading) -> dict[str, Any]:
    snapshots = [Snapshot.read(payload) for payload in payloads]
    return {
        "meetings": [_scheduled(snapshot, reader, link=False) for snapshot in snapshots],
        "documents": [exchange.cancel_for(snapshot, reader.user) for snapshot in snapshots],
    }
