"""The values this room takes."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

Partstat = Literal["NEEDS-ACTION", "ACCEPTED", "DECLINED", "TENTATIVE"]


@dataclass(frozen=True, slots=True)
class Person:
    name: str
    address: str


@dataclass(frozen=True, slots=True)
class Attendee:
    person: Person
    required: bool = True
    partstat: Partstat = "NEEDS-ACTION"


@dataclass(frozen=True, slots=True)
class Event:
    """A scheduled meeting, `[start, end)`. Times are aware; whole seconds are what iCalendar can
    say.

    `uid` never changes in a meeting's life and `sequence` grows with every real change (RFC 5546,
    2.1.4 and 2.1.5). ValueError for what no calendar could show: naive times, times outside the
    years 1 to 9999 in UTC, an end that is not after the start, an empty `uid`, a negative
    `sequence`, a `url` that is not http(s).
    """

    uid: str
    sequence: int
    stamp: datetime
    start: datetime
    end: datetime
    summary: str
    description: str = ""
    location: str = ""
    organizer: Person | None = None
    attendees: tuple[Attendee, ...] = ()
    url: str = ""

    def __post_init__(self) -> None:
        if not self.uid.strip() or self.sequence < 0:
            raise ValueError("An event needs a uid, and a sequence of at least 0.")
        if self.url and not self.url.startswith(("https://", "http://")):
            raise ValueError("An event's url must be http or https.")
        if whole_seconds(self.start) >= whole_seconds(self.end):
            raise ValueError("An event must end after it starts.")
        whole_seconds(self.stamp)


def whole_seconds(moment: datetime) -> datetime:
    """Return the instant in UTC, cut to the second.

    ValueError if it is naive or outside the years 1 to 9999.
    """
    if moment.tzinfo is None:
        raise ValueError("A time needs its offset from UTC.")
    try:
        return moment.astimezone(UTC).replace(microsecond=0)
    except OverflowError:
        raise ValueError("A time must lie in the years 1 to 9999 in UTC.") from None
