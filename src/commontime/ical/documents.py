"""The texts we write: a request, a cancel, a feed. The same values always give the same bytes."""

from collections.abc import Iterable

from commontime.ical.lines import line, person_line, text_line, time_line, url_line
from commontime.ical.values import Attendee, Event

PRODID = "-//Commontime//Commontime//EN"


def request(event: Event) -> bytes:
    """Return METHOD:REQUEST for a new or changed meeting (RFC 5546, 3.2.2). It needs an organizer
    and an attendee.
    """
    if event.organizer is None or not event.attendees:
        raise ValueError("A request needs an organizer and at least one attendee.")
    return _vcalendar("REQUEST", [_vevent(event, status="CONFIRMED", attendees=event.attendees)])


def cancel(event: Event) -> bytes:
    """Return METHOD:CANCEL for the event's attendees (RFC 5546, 3.2.5).

    The event's `sequence` is the one of the cancel, so larger than that of the last request.
    """
    if event.organizer is None or not event.attendees:
        raise ValueError("A cancel needs an organizer and at least one attendee.")
    # RFC 5546 leaves STATUS out when only some are removed, but those people's clients drop the
    # meeting because of it, and nobody else gets this text.
    return _vcalendar("CANCEL", [_vevent(event, status="CANCELLED", attendees=event.attendees)])


def publish(events: Iterable[Event], name: str) -> bytes:
    """Return METHOD:PUBLISH with all events, for a feed or a file to download.

    It names no attendees (RFC 5546, 3.2.1).
    """
    head = [
        text_line("NAME", name),
        text_line("X-WR-CALNAME", name),
        line("REFRESH-INTERVAL;VALUE=DURATION", "PT1H"),
        line("X-PUBLISHED-TTL", "PT1H"),
    ]
    return _vcalendar(
        "PUBLISH", [*head, *(_vevent(event, status="CONFIRMED", attendees=()) for event in events)]
    )


def _vcalendar(method: str, parts: Iterable[bytes]) -> bytes:
    head = (
        line("BEGIN", "VCALENDAR")
        + line("VERSION", "2.0")
        + line("PRODID", PRODID)
        + line("CALSCALE", "GREGORIAN")
    )
    return head + line("METHOD", method) + b"".join(parts) + line("END", "VCALENDAR")


def _vevent(event: Event, *, status: str, attendees: Iterable[Attendee]) -> bytes:
    lines = [
        line("BEGIN", "VEVENT"),
        text_line("UID", event.uid),
        line("SEQUENCE", str(event.sequence)),
        time_line("DTSTAMP", event.stamp),
        time_line("DTSTART", event.start),
        time_line("DTEND", event.end),
        text_line("SUMMARY", event.summary),
    ]
    if event.description:
        lines.append(text_line("DESCRIPTION", event.description))
    if event.location:
        lines.append(text_line("LOCATION", event.location))
    if event.url:
        lines.append(url_line("URL", event.url))
    if event.organizer:
        lines.append(person_line("ORGANIZER", event.organizer.name, event.organizer.address))
    lines.extend(_attendee(attendee) for attendee in attendees)
    lines += [line("STATUS", status), line("TRANSP", "OPAQUE"), line("END", "VEVENT")]
    return b"".join(lines)


def _attendee(attendee: Attendee) -> bytes:
    return person_line(
        "ATTENDEE",
        attendee.person.name,
        attendee.person.address,
        CUTYPE="INDIVIDUAL",
        ROLE="REQ-PARTICIPANT" if attendee.required else "OPT-PARTICIPANT",
        PARTSTAT=attendee.partstat,
        RSVP="TRUE" if attendee.partstat == "NEEDS-ACTION" else "FALSE",
    )
