"""Values the tests of this room share. Mina owns, Sam takes part, Iris is optional."""

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from commontime.ical import Attendee, Event, Person

MINA = Person("Mina Okafor", "mina@example.org")
SAM = Attendee(Person("Sam", "sam@example.org"), partstat="ACCEPTED")
IRIS = Attendee(Person("Iris", "iris@example.org"), required=False)

MEETING = Event(
    uid="b1946ac9@plan.example.org",
    sequence=0,
    stamp=datetime(2026, 5, 1, 8, 0, 30, tzinfo=UTC),
    start=datetime(2026, 5, 5, 8, 0, tzinfo=UTC),
    end=datetime(2026, 5, 5, 9, 30, tzinfo=UTC),
    summary="Budget",
    organizer=MINA,
    attendees=(SAM, IRIS),
)


def meeting(**changes: Any) -> Event:
    return replace(MEETING, **changes)
