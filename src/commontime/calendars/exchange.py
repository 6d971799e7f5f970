"""Rows <-> iCalendar values: the only importer of ical.

An attendee's calendar gets the organizer under the product's own address, with the owner's name,
and themself as the only ATTENDEE: nobody learns another person's address from us.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from email.utils import parseaddr
from typing import Any, Self
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User

from commontime import ical
from commontime.accounts.names import full_name
from commontime.calendars.models import Meeting
from commontime.core import clock


@dataclass(frozen=True, slots=True)
class Snapshot:
    """All that a calendar program is told of a meeting, as JSON values, for letters that outlive
    its row.
    """

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
    def of(cls, meeting: Meeting) -> Self:
        assert meeting.final_time is not None
        return cls(
            uid=str(meeting.pk),
            sequence=meeting.sequence,
            start=meeting.final_time.isoformat(),
            minutes=meeting.duration // timedelta(minutes=1),
            title=meeting.name,
            calendar=meeting.calendar.name,
            organizer=full_name(meeting.calendar.owner),
            description=meeting.description,
            location=meeting.location or meeting.calendar.location,
            path=calendar_path(meeting.calendar_id),
        )

    @classmethod
    def read(cls, payload: dict[str, Any]) -> Self:
        return cls(**payload)

    def as_payload(self, **changes: Any) -> dict[str, Any]:
        return {**asdict(self), **changes}

    @property
    def content(self) -> tuple[object, ...]:
        """What of it a calendar program shows. A change of this is one that people must hear of."""
        return (self.start, self.minutes, self.title, self.description, self.location)

    @property
    def begins(self) -> datetime:
        return datetime.fromisoformat(self.start)

    @property
    def ends(self) -> datetime:
        return self.begins + timedelta(minutes=self.minutes)


def request_for(snapshot: Snapshot, reader: User, *, required: bool = True) -> bytes:
    return ical.request(_event(snapshot, _attendee(reader, required)))


def cancel_for(snapshot: Snapshot, reader: User) -> bytes:
    return ical.cancel(_event(snapshot, _attendee(reader, required=True)))


def invite_file(snapshot: Snapshot) -> bytes:
    """Return the meeting as a file to download: METHOD:PUBLISH, which names no attendees."""
    return ical.publish([_event(snapshot, None)], snapshot.calendar)


def calendar_path(calendar_id: UUID) -> str:
    return f"/app/calendars/{calendar_id}/"


def _attendee(reader: User, required: bool) -> ical.Attendee:
    return ical.Attendee(ical.Person(full_name(reader), reader.email), required)


def _event(snapshot: Snapshot, attendee: ical.Attendee | None) -> ical.Event:
    _, address = parseaddr(settings.DEFAULT_FROM_EMAIL)
    return ical.Event(
        uid=snapshot.uid,
        sequence=snapshot.sequence,
        stamp=clock.now(),
        start=snapshot.begins,
        end=snapshot.ends,
        summary=snapshot.title,
        description=snapshot.description,
        location=snapshot.location,
        organizer=ical.Person(snapshot.organizer, address),
        attendees=(attendee,) if attendee else (),
        url=f"{settings.COMMONTIME_BASE_URL}{snapshot.path}" if snapshot.path else "",
    )
