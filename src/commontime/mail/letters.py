"""What the mails say: one function a message.

It makes a Letter of finished values. Datetimes are in the reader's zone, and the reader's language
is active (`translation.override`). Every address in a letter must begin with COMMONTIME_BASE_URL.
What people typed is text: escaped in HTML, cleaned of controls, and names are written so that no
mail program makes a link of them.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from textwrap import indent
from typing import Literal

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from commontime.core import clock
from commontime.core.shapes import Fields
from commontime.core.text import some_of
from commontime.mail.allowance import typed
from commontime.mail.writing import (
    ZERO_WIDTH_SPACE,
    excerpt,
    lines,
    link,
    name,
    one_line,
    own_link,
    unlinked,
    when,
)

Method = Literal["REQUEST", "CANCEL"]

LONGEST_SUBJECT = 250
LONGEST_DESCRIPTION = 2000
# Where a mail names several meetings, it names the first few and says how many more there are.
MOST_MEETINGS = 5
LONGEST_EXCERPT = 300
MOST_NAMES = 50


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a letter is for. `hour_cycle` is h23 or h12; `unsubscribe_url` ends this kind of mails
    with one POST.
    """

    name: str
    hour_cycle: str = "h23"
    unsubscribe_url: str = ""


@dataclass(frozen=True, slots=True)
class OpenMeeting:
    """A meeting that has no time yet. Invitations and reminders describe it."""

    title: str
    length: timedelta
    deadline: datetime
    location: str = ""
    description: str = ""


@dataclass(frozen=True, slots=True)
class ScheduledMeeting:
    title: str
    calendar: str
    start: datetime
    end: datetime
    location: str = ""
    description: str = ""
    url: str = ""
    id: str = ""


@dataclass(frozen=True, slots=True)
class Choice:
    """A time worth choosing: how many can come, in words."""

    start: datetime
    end: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class Letter:
    """A mail's content.

    meeting_id: mail programs show the letters about one meeting together.
    documents: iCalendar texts of one `method`; mail programs act on the first.
    """

    subject: str
    text: str
    html: str
    to_name: str = ""
    unsubscribe_url: str = ""
    meeting_id: str = ""
    documents: tuple[bytes, ...] = ()
    method: Method = "REQUEST"


# Invitations and people ---------------------------------------------------------------------------


def invitation(
    reader: Reader,
    *,
    sender: str,
    calendar: str,
    url: str,
    description: str = "",
    meetings: Sequence[OpenMeeting] = (),
    note: str = "",
) -> Letter:
    """Invite someone with an account to a calendar. On `url` they accept or decline."""
    context = {
        "sender": name(sender),
        "calendar": name(calendar),
        "url": url,
        "note": lines(typed(note)),
    }
    return _letter("invitation", reader, {**context, **_about(description, meetings, reader)})


def invitation_by_email(
    reader: Reader,
    *,
    sender: str,
    calendar: str,
    url: str,
    can_sign_up: bool = True,
    description: str = "",
    meetings: Sequence[OpenMeeting] = (),
) -> Letter:
    """Invite the holder of an address. `url` is for them alone; there they sign up or in."""
    context = {
        "sender": name(sender),
        "calendar": name(calendar),
        "url": url,
        "can_sign_up": can_sign_up,
    }
    return _letter(
        "invitation_by_email", reader, {**context, **_about(description, meetings, reader)}
    )


def invitation_accepted(reader: Reader, *, person: str, calendar: str, url: str) -> Letter:
    """Tell the owner that someone they invited has joined."""
    context = {"person": name(person), "calendar": name(calendar), "url": url}
    return _letter("invitation_accepted", reader, context)


def added_to_calendar(
    reader: Reader,
    *,
    owner: str,
    calendar: str,
    url: str,
    description: str = "",
    meetings: Sequence[OpenMeeting] = (),
) -> Letter:
    """Tell someone that they are in a calendar now. On `url` they may leave it."""
    context = {"owner": name(owner), "calendar": name(calendar), "url": url}
    return _letter(
        "added_to_calendar", reader, {**context, **_about(description, meetings, reader)}
    )


def calendar_handed_over(reader: Reader, *, sender: str, calendar: str, url: str) -> Letter:
    """Tell someone that they own a calendar now."""
    context = {"sender": name(sender), "calendar": name(calendar), "url": url}
    return _letter("calendar_handed_over", reader, context)


def removed_from_calendar(
    reader: Reader,
    *,
    calendar: str,
    meetings: Sequence[ScheduledMeeting] = (),
    documents: Sequence[bytes] = (),
) -> Letter:
    """Tell someone that they are no longer in a calendar. `documents` cancel their meetings."""
    context = {"calendar": name(calendar), "meetings": _listed(meetings, reader)}
    return _letter("removed_from_calendar", reader, context, documents=documents, method="CANCEL")


def reminder(
    reader: Reader,
    *,
    url: str,
    calendar: str = "",
    description: str = "",
    meetings: Sequence[OpenMeeting] = (),
    sender: str = "",
    note: str = "",
) -> Letter:
    """Ask someone when they can come.

    In one calendar or in all.

    sender: the person who had it sent, if it was one.
    """
    context = {
        "calendar": name(calendar),
        "url": url,
        "sender": name(sender),
        "note": lines(typed(note)),
    }
    return _letter("reminder", reader, {**context, **_about(description, meetings, reader)})


def note(reader: Reader, *, sender: str, url: str, calendar: str = "", text: str = "") -> Letter:
    """Pass on what a person wrote. Without words it only asks to look at the calendar."""
    context = {
        "sender": name(sender),
        "calendar": name(calendar),
        "note": lines(typed(text)),
        "url": url,
    }
    return _letter("note", reader, context)


# Meetings -----------------------------------------------------------------------------------------


def meeting_request(
    reader: Reader,
    *,
    organizer: str,
    meeting: ScheduledMeeting,
    document: bytes,
    by_reader: bool = False,
) -> Letter:
    """Give a meeting's final time to an attendee. by_reader: they are the organizer."""
    context = {"organizer": name(organizer), "by_reader": by_reader}
    return _meeting_letter("meeting_request", reader, meeting, context, document)


def meeting_moved(
    reader: Reader,
    *,
    organizer: str,
    meeting: ScheduledMeeting,
    document: bytes,
    before: ScheduledMeeting | None = None,
    by_reader: bool = False,
) -> Letter:
    """Tell an attendee what has become of a meeting.

    It is scheduled, and they knew it as `before`. by_reader: they are the organizer.
    """
    context = {
        "organizer": name(organizer),
        "by_reader": by_reader,
        "changes": ", ".join(_changes(before, meeting)) if before else "",
        "earlier": ", ".join(_earlier(before, meeting, reader)) if before else "",
    }
    return _meeting_letter("meeting_moved", reader, meeting, context, document)


def meeting_withdrawn(
    reader: Reader,
    *,
    organizer: str,
    meeting: ScheduledMeeting,
    document: bytes,
    by_reader: bool = False,
) -> Letter:
    """Tell an attendee that a meeting's time is withdrawn. Another one is looked for."""
    context = {"organizer": name(organizer), "by_reader": by_reader}
    return _meeting_letter("meeting_withdrawn", reader, meeting, context, document, "CANCEL")


def meeting_cancelled(
    reader: Reader,
    *,
    organizer: str,
    meeting: ScheduledMeeting,
    document: bytes,
    only_reader: bool = False,
) -> Letter:
    """Tell an attendee that a meeting is cancelled. With `only_reader` it goes on for others."""
    context = {"organizer": name(organizer), "only_reader": only_reader}
    return _meeting_letter("meeting_cancelled", reader, meeting, context, document, "CANCEL")


def calendar_finalized(
    reader: Reader,
    *,
    calendar: str,
    meetings: Sequence[ScheduledMeeting],
    url: str,
    sender: str = "",
    note: str = "",
) -> Letter:
    """List the final times of a calendar. Their requests went out when each was fixed.

    sender: the person who had it sent, if it was one.
    """
    context = {
        "calendar": name(calendar),
        "meetings": _listed(meetings, reader),
        "url": url,
        "sender": name(sender),
        "note": lines(typed(note)),
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
    """Tell someone that a calendar and its meetings are gone.

    `documents` cancel these. One mail carries them all, each as its own part, since iTIP allows one
    UID a document (RFC 5546, 3.2). Not every mail program acts on more than the first, so the text
    names every meeting.
    """
    context = {
        "owner": name(owner),
        "calendar": name(calendar),
        "meetings": _listed(meetings, reader),
    }
    return _letter("calendar_deleted", reader, context, documents=documents, method="CANCEL")


# For owners ---------------------------------------------------------------------------------------


def deadline_report(
    reader: Reader,
    *,
    title: str,
    calendar: str,
    url: str,
    meeting_id: str = "",
    choices: Sequence[Choice] = (),
    missing: Sequence[str] = (),
    scheduled: ScheduledMeeting | None = None,
) -> Letter:
    """Tell the owner, at a meeting's deadline, its best times and who has not answered.

    scheduled: the meeting, if the best time was set already.
    """
    context = {
        "title": name(title),
        "calendar": name(calendar),
        "url": url,
        "choices": [
            {
                "when": when(choice.start, choice.end, hour_cycle=reader.hour_cycle),
                "reason": name(choice.reason),
            }
            for choice in choices
        ],
        "missing": some_of([name(person) for person in missing], MOST_NAMES),
        "scheduled": _listed([scheduled], reader)[0] if scheduled else None,
    }
    return _letter("deadline_report", reader, context, meeting_id=meeting_id)


def attendee_lost(reader: Reader, *, attendee: str, meeting: ScheduledMeeting) -> Letter:
    """Tell the owner that someone can no longer come to a scheduled meeting."""
    context = {"attendee": name(attendee), "meeting": _listed([meeting], reader)[0]}
    return _letter("attendee_lost", reader, context, meeting_id=meeting.id)


# Accounts -----------------------------------------------------------------------------------------


def confirm_address(reader: Reader, *, username: str, email: str, url: str, days: int) -> Letter:
    """Send the link that confirms an address. It works for some days."""
    context = {"username": name(username), "email": name(email), "url": url, "days": days}
    return _letter("confirm_address", reader, context)


def password_reset(reader: Reader, *, username: str, url: str) -> Letter:
    """Send the link for a new password. It works for an hour."""
    return _letter("password_reset", reader, {"username": name(username), "url": url})


def password_changed(reader: Reader, *, username: str, url: str) -> Letter:
    """Tell someone that their password was changed.

    url: where they ask for a reset if it was not them.
    """
    return _letter("password_changed", reader, {"username": name(username), "url": url})


def email_changed(reader: Reader, *, username: str, new_email: str) -> Letter:
    """Tell the old address that there is a new one. Only its beginning is shown."""
    local, _at, domain = new_email.rpartition("@")
    context = {"username": name(username), "new_email": name(f"{local[:1]}…@{domain}")}
    return _letter("email_changed", reader, context)


def account_deleted(reader: Reader, *, username: str) -> Letter:
    """Confirm that the account is gone."""
    return _letter("account_deleted", reader, {"username": name(username)})


# How a letter is made -----------------------------------------------------------------------------


def _about(description: str, meetings: Sequence[OpenMeeting], reader: Reader) -> Fields:
    """Return what a mail says of a calendar and of its meetings that wait for answers.

    A deadline that all of them share is said once, before them.
    """
    deadlines = [when(meeting.deadline, hour_cycle=reader.hour_cycle) for meeting in meetings]
    shared = deadlines[0] if len(set(deadlines)) == 1 else ""
    more = len(meetings) - MOST_MEETINGS
    return {
        **_description(typed(excerpt(description, LONGEST_EXCERPT))),
        "deadline": shared,
        "open_meetings": [
            {
                "title": name(meeting.title),
                "length": clock.length(meeting.length),
                "location": one_line(typed(meeting.location)),
                "answer_by": "" if shared else deadline,
                **_description(typed(excerpt(meeting.description, LONGEST_EXCERPT))),
            }
            for meeting, deadline in zip(meetings[:MOST_MEETINGS], deadlines, strict=False)
        ],
        "more": _("and %(n)d more") % {"n": more} if more > 0 else "",
    }


def _meeting(meeting: ScheduledMeeting, reader: Reader) -> dict[str, str]:
    return {
        "title": name(meeting.title or meeting.calendar),
        "calendar": name(meeting.calendar),
        "when": when(meeting.start, meeting.end, hour_cycle=reader.hour_cycle),
        "location": one_line(typed(meeting.location)),
        "url": own_link(meeting.url),
        **_description(excerpt(typed(meeting.description), LONGEST_DESCRIPTION)),
    }


def _listed(meetings: Sequence[ScheduledMeeting], reader: Reader) -> list[dict[str, str]]:
    """Return the meetings without their descriptions, for mails that are not about one of them."""
    return [{**_meeting(meeting, reader), **_description("")} for meeting in meetings]


def _description(text: str) -> dict[str, str]:
    return {"description": text, "indented_description": indent(text, "    ")}


def _changes(before: ScheduledMeeting, now: ScheduledMeeting) -> list[str]:
    """Return in words what of a meeting has changed."""
    changes = []
    if before.start != now.start:
        changes.append(_("new time"))
    if before.end - before.start != now.end - now.start:
        changes.append(_("new length"))
    if before.title != now.title:
        changes.append(_("new name"))
    if before.location != now.location:
        changes.append(_("new place") if now.location else _("place removed"))
    if before.description != now.description:
        changes.append(_("new description") if now.description else _("description removed"))
    return changes


def _earlier(before: ScheduledMeeting, now: ScheduledMeeting, reader: Reader) -> list[str]:
    """Return what a meeting had before. Its title, time and place, as far as they changed."""
    known, new = _meeting(before, reader), _meeting(now, reader)
    keys = ("title", "when", "location")
    return [known[key] for key in keys if known[key] and known[key] != new[key]]


def _meeting_letter(
    template: str,
    reader: Reader,
    meeting: ScheduledMeeting,
    context: Fields,
    document: bytes,
    method: Method = "REQUEST",
) -> Letter:
    return _letter(
        template,
        reader,
        {**context, "meeting": _meeting(meeting, reader)},
        meeting_id=meeting.id,
        documents=[document],
        method=method,
    )


def _letter(
    template: str,
    reader: Reader,
    context: Fields,
    *,
    meeting_id: str = "",
    documents: Sequence[bytes] = (),
    method: Method = "REQUEST",
) -> Letter:
    context = {
        **context,
        "reader": unlinked(reader.name),
        "unsubscribe_url": reader.unsubscribe_url,
        "home_url": link("/"),
    }
    for key, value in context.items():
        if key.endswith("url"):
            own_link(value)
    subject = one_line(render_to_string(f"mail/{template}.subject.txt", context))
    text = re.sub(r"\n{3,}", "\n\n", render_to_string(f"mail/{template}.txt", context))
    return Letter(
        subject=subject.replace(ZERO_WIDTH_SPACE, "")[:LONGEST_SUBJECT],
        text=text.strip() + "\n",
        html=render_to_string(f"mail/{template}.html", context),
        to_name=reader.name,
        unsubscribe_url=reader.unsubscribe_url,
        meeting_id=meeting_id,
        documents=tuple(documents),
        method=method,
    )
