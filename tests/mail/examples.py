"""One of each letter, with a text of the test's choice in every place that people fill."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from commontime.mail import letters
from commontime.mail.letters import Letter, Reader
from commontime.mail.writing import link

BERLIN = ZoneInfo("Europe/Berlin")
TEN = datetime(2026, 5, 5, 10, 0, tzinfo=BERLIN)
HALF_PAST_ELEVEN = datetime(2026, 5, 5, 11, 30, tzinfo=BERLIN)
DOCUMENT = (
    b"BEGIN:VCALENDAR\r\nVERSION:2.0\r\nMETHOD:REQUEST\r\n"
    b"SUMMARY:B\xc3\xbcdget\r\nEND:VCALENDAR\r\n"
)


def reader(name: str = "Sam", **changes: str) -> Reader:
    return Reader(name, unsubscribe_url=link("/app/mails/stop/abc/"), **changes)


def _meeting(typed: str) -> letters.ScheduledMeeting:
    return letters.ScheduledMeeting(
        typed,
        typed,
        TEN,
        HALF_PAST_ELEVEN,
        location="Room 4",
        description="Bring a pencil.",
        url=link("/app/m/1/"),
        id="1",
    )


def _letter(name: str) -> Callable[[str], Letter]:
    def write(typed: str) -> Letter:
        url = link("/app/c/1/")
        meeting = _meeting(typed)
        open_meetings = [
            letters.OpenMeeting(typed, timedelta(minutes=90), TEN, "Room 4", "Bring a pencil."),
            letters.OpenMeeting(typed, timedelta(hours=2), HALF_PAST_ELEVEN),
        ]
        values = {
            "invitation": {
                "sender": typed,
                "calendar": typed,
                "url": url,
                "meetings": open_meetings,
                "note": "See you.",
            },
            "invitation_by_email": {
                "sender": typed,
                "calendar": typed,
                "url": url,
                "meetings": open_meetings,
            },
            "invitation_accepted": {"person": typed, "calendar": typed, "url": url},
            "calendar_handed_over": {"sender": typed, "calendar": typed, "url": url},
            "added_to_calendar": {
                "owner": typed,
                "calendar": typed,
                "url": url,
                "meetings": open_meetings,
            },
            "removed_from_calendar": {
                "calendar": typed,
                "meetings": [meeting],
                "documents": [DOCUMENT],
            },
            "reminder": {
                "calendar": typed,
                "url": url,
                "meetings": open_meetings,
                "sender": typed,
            },
            "note": {"sender": typed, "calendar": typed, "text": "See you", "url": url},
            "meeting_request": {
                "organizer": typed,
                "meeting": meeting,
                "document": DOCUMENT,
            },
            "meeting_moved": {
                "organizer": typed,
                "meeting": meeting,
                "document": DOCUMENT,
                "before": replace(meeting, start=TEN - timedelta(days=1), location="Hall"),
            },
            "meeting_withdrawn": {"organizer": typed, "meeting": meeting, "document": DOCUMENT},
            "meeting_cancelled": {"organizer": typed, "meeting": meeting, "document": DOCUMENT},
            "calendar_finalized": {
                "calendar": typed,
                "meetings": [meeting, meeting],
                "url": url,
                "sender": typed,
            },
            "calendar_deleted": {
                "owner": typed,
                "calendar": typed,
                "meetings": [meeting, meeting],
                "documents": [DOCUMENT, DOCUMENT],
            },
            "deadline_report": {
                "title": typed,
                "calendar": typed,
                "url": url,
                "choices": [letters.Choice(TEN, HALF_PAST_ELEVEN, typed)],
                "missing": [typed, "Bob"],
                "scheduled": meeting,
            },
            "attendee_lost": {"attendee": typed, "meeting": meeting},
            "confirm_address": {
                "username": typed,
                "email": "sam@example.org",
                "url": url,
                "days": 7,
            },
            "password_reset": {"username": typed, "url": url},
            "password_changed": {"username": typed, "url": url},
            "email_changed": {"username": typed, "new_email": "sam@new.example"},
            "account_deleted": {"username": typed},
        }[name]
        return getattr(letters, name)(reader(typed), **values)

    return write


EVERY_LETTER = {
    name: _letter(name)
    for name in (
        "invitation",
        "invitation_by_email",
        "invitation_accepted",
        "calendar_handed_over",
        "added_to_calendar",
        "removed_from_calendar",
        "reminder",
        "note",
        "meeting_request",
        "meeting_moved",
        "meeting_withdrawn",
        "meeting_cancelled",
        "calendar_finalized",
        "calendar_deleted",
        "deadline_report",
        "attendee_lost",
        "confirm_address",
        "password_reset",
        "password_changed",
        "email_changed",
        "account_deleted",
    )
}
