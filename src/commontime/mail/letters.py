"""What the mails say: one function a message, from finished values to a Letter.

Datetimes are in the reader's zone, and the reader's language is active (`translation.override`).
Every address in a letter must begin with COMMONTIME_BASE_URL. What people typed is text: escaped in
HTML, cleaned of controls, and names are written so that no mail program makes a link of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from django.conf import settings
from django.template.loader import render_to_string
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from commontime.core import clock

Method = Literal["REQUEST", "CANCEL"]

LONGEST_SUBJECT = 250
_BREAKS = re.compile("\r\n|[\r\v\f\x85\u2028\u2029]")
_BLANKS = re.compile(r"[^\S\u00a0\u202f]+")  # but not the no-break spaces that French writes
_UNWANTED = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_LOOKS_LIKE_A_LINK = re.compile(r"://|www\.|\w\.\w{2}|\S@\S", re.IGNORECASE)
_INSIDE_A_LINK = re.compile(r"(?<=\S)([.:/@])(?=\S)")
_ZERO_WIDTH_SPACE = "\u200b"


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a letter is for. `hour_cycle` is h23 or h12; `unsubscribe_url` ends this kind of mails
    with one POST.
    """

    name: str
    hour_cycle: str = "h23"
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class ScheduledMeeting:
    title: str
    calendar: str
    start: datetime
    end: datetime
    location: str = ""
    url: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A time worth choosing: how many can come, in words."""

    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's content. `documents` are iCalendar texts of one `method`; the first is the one mail
    programs act on.
    """

    subject: str
    text: str
    html: str
    to_name: str = ""
    unsubscribe_url: str = ""
    documents: tuple[bytes, ...] = ()
    method: Method = "REQUEST"


# Invitations and people ---------------------------------------------------------------------------


def invitation(reader: Reader, *, sender: str, calendar: str, url: str, note: str = "") -> Letter:
    """Invite someone with an account to a calendar; on `url` they accept or decline."""
    return _letter(
        "invitation",
        reader,
        {"sender": _name(sender), "calendar": _name(calendar), "url": url, "note": _lines(note)},
    )


def invitation_by_email(
    reader: Reader, *, sender: str, calendar: str, url: str, note: str = ""
) -> Letter:
    """Invite the holder of an address; `url` is their own link, behind which they sign up or in."""
    return _letter(
        "invitation_by_email",
        reader,
        {"sender": _name(sender), "calendar": _name(calendar), "url": url, "note": _lines(note)},
    )


def invitation_accepted(reader: Reader, *, person: str, calendar: str, url: str) -> Letter:
    """Tell the owner that someone they invited takes part now."""
    return _letter(
        "invitation_accepted",
        reader,
        {"person": _name(person), "calendar": _name(calendar), "url": url},
    )


def added_to_calendar(reader: Reader, *, owner: str, calendar: str, url: str) -> Letter:
    """Tell someone that they take part in a calendar now, and that they may leave on the same page."""
    return _letter(
        "added_to_calendar",
        reader,
        {"owner": _name(owner), "calendar": _name(calendar), "url": url},
    )


def calendar_handed_over(reader: Reader, *, sender: str, calendar: str, url: str) -> Letter:
    """Tell someone that they own a calendar now."""
    return _letter(
        "calendar_handed_over",
        reader,
        {"sender": _name(sender), "calendar": _name(calendar), "url": url},
    )


def removed_from_calendar(
    reader: Reader,
    *,
    calendar: str,
    meetings: Sequence[ScheduledMeeting] = (),
    documents: Sequence[bytes] = (),
) -> Letter:
    """Tell someone that they no longer take part. `documents` cancel their meetings, one each."""
    context = {"calendar": _name(calendar), "meetings": _meetings(meetings, reader)}
    return _letter("removed_from_calendar", reader, context, documents=documents, method="CANCEL")


def reminder(
    reader: Reader,
    *,
    url: str,
    calendar: str = "",
    deadline: datetime | None = None,
    sender: str = "",
    note: str = "",
) -> Letter:
    """Ask someone to say when they are available, in one calendar or in all; `sender` if a person
    had it sent.
    """
    context = {
        "calendar": _name(calendar),
        "url": url,
        "deadline": when(deadline, hour_cycle=reader.hour_cycle) if deadline else "",
        "sender": _name(sender),
        "note": _lines(note),
    }
    return _letter("reminder", reader, context)


def note(reader: Reader, *, sender: str, calendar: str, text: str, url: str) -> Letter:
    """Pass on what somebody who shares a calendar with the reader wrote."""
    return _letter(
        "note",
        reader,
        {"sender": _name(sender), "calendar": _name(calendar), "note": _lines(text), "url": url},
    )


# Meetings -----------------------------------------------------------------------------------------


def meeting_request(
    reader: Reader,
    *,
    organizer: str,
    meeting: ScheduledMeeting,
    document: bytes,
) -> Letter:
    """Give a meeting's final time to an attendee."""
    context = {
        "organizer": _name(organizer),
        "meeting": _meeting(meeting, reader),
    }
    return _letter("meeting_request", reader, context, documents=[document])


def meeting_moved(
    reader: Reader,
    *,
    organizer: str,
    meeting: ScheduledMeeting,
    document: bytes,
    earlier_start: datetime | None = None,
) -> Letter:
    """Give an attendee the new time or the new details of a meeting that had a final time;
    `earlier_start` if the time changed.
    """
    context = {
        "organizer": _name(organizer),
        "meeting": _meeting(meeting, reader),
        "earlier": when(earlier_start, hour_cycle=reader.hour_cycle) if earlier_start else "",
    }
    return _letter("meeting_moved", reader, context, documents=[document])


def meeting_cancelled(
    reader: Reader, *, organizer: str, meeting: ScheduledMeeting, document: bytes
) -> Letter:
    """Tell an attendee that a meeting does not take place."""
    context = {"organizer": _name(organizer), "meeting": _meeting(meeting, reader)}
    return _letter("meeting_cancelled", reader, context, documents=[document], method="CANCEL")


def calendar_finalized(
    reader: Reader,
    *,
    calendar: str,
    meetings: Sequence[ScheduledMeeting],
    url: str,
    sender: str = "",
    note: str = "",
) -> Letter:
    """List all final times of a calendar; their requests went out when each was fixed. `sender` if
    a person had it sent.
    """
    context = {
        "calendar": _name(calendar),
        "meetings": _meetings(meetings, reader),
        "url": url,
        "sender": _name(sender),
        "note": _lines(note),
    }
    return _letter("calendar_finalized", reader, context)


def calendar_deleted(
    reader: Reader,
    *,
    owner: str,
    calendar: str,
    meetings: Sequence[ScheduledMeeting] = (),
    documents: Sequence[bytes] = (),
) -> Letter:
    """Tell someone that a calendar is gone, and with it its meetings to come. `documents` cancel
    them, one each.

    One mail carries them all, each as its own part, since iTIP allows one UID a document (RFC 5546,
    3.2). Not every mail program acts on more than the first, so the text names every meeting.
    """
    context = {
        "owner": _name(owner),
        "calendar": _name(calendar),
        "meetings": _meetings(meetings, reader),
    }
    return _letter("calendar_deleted", reader, context, documents=documents, method="CANCEL")


# For owners ---------------------------------------------------------------------------------------


def deadline_report(
    reader: Reader,
    *,
    title: str,
    calendar: str,
    url: str,
    choices: Sequence[Choice] = (),
    missing: Sequence[str] = (),
    scheduled: ScheduledMeeting | None = None,
) -> Letter:
    """Tell the owner, at a meeting's deadline, its best times and who has not answered; `scheduled`
    if the best one was set already.
    """
    context = {
        "title": _name(title),
        "calendar": _name(calendar),
        "url": url,
        "choices": [
            {
                "when": when(choice.start, choice.end, hour_cycle=reader.hour_cycle),
                "reason": _name(choice.reason),
            }
            for choice in choices
        ],
        "missing": [_name(name) for name in missing],
        "scheduled": _meeting(scheduled, reader) if scheduled else None,
    }
    return _letter("deadline_report", reader, context)


def attendee_lost(reader: Reader, *, attendee: str, meeting: ScheduledMeeting) -> Letter:
    """Tell the owner that someone can no longer come to a meeting that has its final time."""
    return _letter(
        "attendee_lost", reader, {"attendee": _name(attendee), "meeting": _meeting(meeting, reader)}
    )


# Accounts -----------------------------------------------------------------------------------------


def password_reset(reader: Reader, *, username: str, url: str) -> Letter:
    """Send the link with which a new password can be chosen within an hour."""
    return _letter("password_reset", reader, {"username": _name(username), "url": url})


def password_changed(reader: Reader, *, username: str, url: str) -> Letter:
    """Tell someone that their password was changed; on `url` they ask for a reset if it was not
    them.
    """
    return _letter("password_changed", reader, {"username": _name(username), "url": url})


def email_changed(reader: Reader, *, username: str, new_email: str) -> Letter:
    """Tell the old address that the account has a new one, of which it shows only the beginning."""
    local, _at, domain = new_email.rpartition("@")
    return _letter(
        "email_changed",
        reader,
        {"username": _name(username), "new_email": _name(f"{local[:1]}…@{domain}")},
    )


def account_deleted(reader: Reader, *, username: str) -> Letter:
    """Confirm that the account is gone."""
    return _letter("account_deleted", reader, {"username": _name(username)})


# How they are written -----------------------------------------------------------------------------


def link(path: str) -> str:
    """Return the full address of a path of ours. Letters take only such addresses."""
    return f"{settings.COMMONTIME_BASE_URL}{path}"


def when(start: datetime, end: datetime | None = None, *, hour_cycle: str = "h23") -> str:
    """Return a time or a span in words with its zone: "Tuesday 5 May 2026, 10:00–11:30
    (Europe/Berlin)".
    """
    hours = "g:i A" if hour_cycle == "h12" else "H:i"
    day = _(
        "l j F Y"
    )  # Translators: a date as Django's date format writes it, for example "Tuesday 5 May 2026"
    first, last = clock.span(start, end or start, lambda moment: date_format(moment, hours))
    text = f"{date_format(start, day)}, {first if end else last}"
    if end and end.date() == start.date():
        text += f"–{last}"
    elif end:
        text += f" – {date_format(end, day)}, {last}"
    return f"{text} ({start.tzinfo})"


def one_line(text: str) -> str:
    """Return what a person typed as one line without control and direction characters."""
    return _BLANKS.sub(" ", _lines(text)).strip()


def _lines(text: str) -> str:
    return _UNWANTED.sub("", _BREAKS.sub("\n", text))


def _name(text: str) -> str:
    """Return a name of one line that no mail program takes for a link."""
    name = one_line(text)
    return (
        _INSIDE_A_LINK.sub(r"\1" + _ZERO_WIDTH_SPACE, name)
        if _LOOKS_LIKE_A_LINK.search(name)
        else name
    )


def _meeting(meeting: ScheduledMeeting, reader: Reader) -> dict[str, str]:
    return {
        "title": _name(meeting.title or meeting.calendar),
        "calendar": _name(meeting.calendar),
        "when": when(meeting.start, meeting.end, hour_cycle=reader.hour_cycle),
        "location": one_line(meeting.location),
        "url": _ours(meeting.url),
    }


def _meetings(meetings: Sequence[ScheduledMeeting], reader: Reader) -> list[dict[str, str]]:
    return [_meeting(meeting, reader) for meeting in meetings]


def _ours(url: str) -> str:
    if url and not url.startswith(f"{settings.COMMONTIME_BASE_URL}/"):
        raise ValueError("An address in a letter must begin with COMMONTIME_BASE_URL.")
    return url


def _letter(
    template: str,
    reader: Reader,
    context: dict[str, Any],
    *,
    documents: Sequence[bytes] = (),
    method: Method = "REQUEST",
) -> Letter:
    context = {
        **context,
        "reader": _name(reader.name),
        "unsubscribe_url": reader.unsubscribe_url,
        "home_url": link("/"),
    }
    for key, value in context.items():
        if key.endswith("url"):
            _ours(value)
    subject = one_line(render_to_string(f"mail/{template}.subject.txt", context)).replace(
        _ZERO_WIDTH_SPACE, ""
    )
    return Letter(
        subject=subject[:LONGEST_SUBJECT],
        text=re.sub(r"\n{3,}", "\n\n", render_to_string(f"mail/{template}.txt", context)).strip()
        + "\n",
        html=render_to_string(f"mail/{template}.html", context),
        to_name=reader.name,
        unsubscribe_url=reader.unsubscribe_url,
        documents=tuple(documents),
        method=method,
    )
