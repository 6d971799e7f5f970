"""Rows <-> iCalendar values: the only importer of ical.

An attendee's calendar gets the organizer under the product's own address, with the owner's name,
and themself as the only ATTENDEE: nobody learns another person's address from us.
"""

from dataclasses import asdict, dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User

from commontime import ical
from commontime.accounts.names import full_name
from commontime.calendars.models import Meeting
from commontime.core import clock
from commontime.core.shapes import Fields
from commontime.mail.addresses import address_in, ascii_address
from commontime.mail.allowance import typed


@dataclass(frozen=True, slots=True)
class Snapshot:
    """A scheduled meeting as JSON values, for letters that outlive its row."""

    uid: str
    sequence: int
    start: str
    minutes: int
    title: str
    calendar: str
    organizer: str
    description: str = ""
    location: str = ""
    path: str = ""

    @classmethod
    def of(cls, meeting: Meeting, *, organizer: str = "") -> Self:
        """organizer: what the readers call them, if that is more than their name."""
        assert meeting.final_time is not None
        return cls(
            uid=str(meeting.pk),
            sequence=meeting.sequence,
            start=meeting.final_time.isoformat(),
            minutes=meeting.duration // timedelta(minutes=1),
            title=meeting.name,
            calendar=meeting.calendar.name,
            organizer=organizer or full_name(meeting.calendar.owner),
            description=meeting.description,
            location=meeting.location or meeting.calendar.location,
            path=meeting_path(meeting),
        )

    @classmethod
    def read(cls, payload: Fields) -> Self:
        """Return the snapshot in a payload, which may hold more."""
        return cls(**{key.name: payload[key.name] for key in fields(cls) if key.name in payload})

    def as_payload(self, **changes: Any) -> Fields:
        return {**asdict(self), **changes}

    @property
    def content(self) -> tuple[object, ...]:
        """What a calendar program shows. People must hear of every change of it."""
        return (self.start, self.minutes, self.title, self.description, self.location)

    @property
    def begins(self) -> datetime:
        return datetime.fromisoformat(self.start)

    @property
    def ends(self) -> datetime:
        return self.begins + timedelta(minutes=self.minutes)


def request_for(snapshot: Snapshot, reader: User, address: str, *, required: bool) -> bytes:
    """Return METHOD:REQUEST to the address that the mail goes to."""
    return ical.request(_event(snapshot, _attendee(reader, address, required)))


def cancel_for(snapshot: Snapshot, reader: User, address: str) -> bytes:
    """Return METHOD:CANCEL to the address that the mail goes to."""
    return ical.cancel(_event(snapshot, _attendee(reader, address, required=True)))


def invite_file(snapshot: Snapshot) -> bytes:
    """Return the meeting as a file to download. METHOD:PUBLISH, which names no attendees."""
    return ical.publish([_event(snapshot, None)], snapshot.calendar)


def calendar_path(calendar_id: UUID) -> str:
    return f"/app/calendars/{calendar_id}/"


def meeting_path(meeting: Meeting) -> str:
    return f"{calendar_path(meeting.calendar_id)}meetings/{meeting.pk}/"


def _attendee(reader: User, address: str, required: bool) -> ical.Attendee:
    # RFC 6047, 2.3: programs look for their person's address, which they know from the mail's To.
    return ical.Attendee(ical.Person(full_name(reader), ascii_address(address)), required)


def _event(snapshot: Snapshot, attendee: ical.Attendee | None) -> ical.Event:
    # In this order, for where there is little room.
    summary, organizer, location, description = (
        typed(text)
        for text in (snapshot.title, snapshot.organizer, snapshot.location, snapshot.description)
    )
    return ical.Event(
        uid=snapshot.uid,
        sequence=snapshot.sequence,
        stamp=clock.now(),
        start=snapshot.begins,
        end=snapshot.ends,
        summary=summary,
        description=description,
        location=location,
        organizer=ical.Person(organizer, address_in(settings.DEFAULT_FROM_EMAIL)),
        attendees=(attendee,) if attendee else (),
        url=f"{settings.COMMONTIME_BASE_URL}{snapshot.path}" if snapshot.path else "",
    )
