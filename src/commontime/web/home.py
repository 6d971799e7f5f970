"""The first page, and the signed-in person's home."""

import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from commontime.accounts import queries as accounts
from commontime.accounts.names import display_names
from commontime.calendars import actions, queries
from commontime.calendars.models import Invitation
from commontime.core import clock
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields
from commontime.mail import queries as mail
from commontime.web import example
from commontime.web.base import FORM, me, page, refusing
from commontime.web.calendar_view import meeting_address
from commontime.web.once import once
from commontime.web.sign_in import no_sign_up, signed_in, signed_in_at

MOST_SHOWN = 100
MOST_AHEAD = 12


@require_safe
@refusing
def welcome(request: HttpRequest) -> HttpResponse:
    if request.user:
        return redirect("web:home")
    context = {
        "example": example.choir(clock.now().date()),
        "has_gone": "gone" in request.GET,
        "no_sign_up": no_sign_up(),
    }
    return page(request, "web/home/welcome.html", context)


# Home ---------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Need:
    """Something that waits for the person. until: its deadline, if any."""

    name: str
    calendar: str
    address: str
    until: datetime | None


@require_safe
@signed_in
def home(request: HttpRequest) -> HttpResponse:
    """Show what needs the person, their next meetings and their calendars."""
    user = me(request)
    calendars = _calendars(user)
    invitations = _invitations(user)
    overdue = [
        _overdue(meeting) for meeting in queries.meetings.meetings_overdue_for(user)[:MOST_SHOWN]
    ]
    unanswered = [_unanswered(calendar) for calendar in calendars if _waits_for_answer(calendar)]
    stored_zone = accounts.setting_of(user).time_zone
    context = {
        "today": clock.now(),
        "invitations": invitations,
        "overdue": overdue,
        "unanswered": unanswered,
        "needs": len(invitations) + len(overdue) + len(unanswered),
        "calendars": calendars,
        "stored_zone": stored_zone,
        "stored_zone_names": " ".join(clock.names_of_zone(stored_zone)),
        **_ahead(user),
    }
    return page(request, "web/home/home.html", context)


def _calendars(user: User) -> list[Any]:
    """Return the person's calendars, those still being planned first."""
    mine = queries.calendars.calendar_list_for(user, {"owner", "participant"})
    with_progress = queries.calendars.with_progress(mine)
    return list(with_progress.order_by("is_finalized", "-created_at", "id")[:MOST_SHOWN])


def _invitations(user: User) -> list[tuple[Invitation, str]]:
    """Return the open invitations, with their senders' names."""
    received = queries.invitations.invitations_for(user, "received").filter(status="pending")
    invitations = list(received.order_by("-created_at")[:MOST_SHOWN])
    names = display_names([user, *(invitation.sender for invitation in invitations)])
    return [(invitation, names[invitation.sender_id]) for invitation in invitations]


def _ahead(user: User) -> Fields:
    """Return the person's next meetings, and whether there are more."""
    meetings = list(queries.meetings.meetings_ahead_for(user)[: MOST_AHEAD + 1])
    return {
        "ahead": [(meeting, meeting_address(meeting)) for meeting in meetings[:MOST_AHEAD]],
        "more_ahead": len(meetings) > MOST_AHEAD,
    }


def _waits_for_answer(calendar: Any) -> bool:
    """Return whether the person's times could still make a difference.

    They can't where every meeting has its time or its deadline has passed.
    """
    is_settled = calendar.next_deadline is None and (calendar.has_closed or calendar.meeting_count)
    return not (calendar.answered or calendar.is_finalized or is_settled)


def _overdue(meeting: Any) -> Need:
    return Need(meeting.name, meeting.calendar.name, meeting_address(meeting), meeting.deadline)


def _unanswered(calendar: Any) -> Need:
    return Need(
        calendar.name,
        calendar.name,
        reverse("web:calendar", args=[calendar.pk], fragment="mine"),
        calendar.next_deadline,
    )


# Mails and invitations ----------------------------------------------------------------------------


@require_safe
@signed_in
def letters(request: HttpRequest) -> HttpResponse:
    """List the person’s mails that were kept, as without a mail server they are."""
    kept = mail.letters_kept_for(me(request))
    return page(
        request,
        "web/home/letters.html",
        {"letters": [(letter, _with_links(letter.text)) for letter in kept]},
    )


def _with_links(text: str) -> list[tuple[bool, str]]:
    """Return a text in parts, and which are our links.

    What people typed never becomes a link.
    """
    ours = re.escape(settings.COMMONTIME_BASE_URL)
    return [(number % 2 == 1, part) for number, part in enumerate(re.split(rf"({ours}/\S*)", text))]


@require_POST
@signed_in_at(lambda request, invitation_id: reverse("web:home"))
@once()
def answer_invitation(request: HttpRequest, invitation_id: UUID) -> HttpResponse:
    """Accept or decline, by the button that was pressed."""
    match request.POST.get("status"):
        case "accepted":
            accepted = actions.accept_invitation(invitation_id, by=me(request))
            return redirect("web:calendar", accepted.calendar_id)
        case "declined":
            actions.decline_invitation(invitation_id, by=me(request))
            return redirect("web:home")
    raise InvalidInput(_("Choose whether to accept or to decline."), field="status")


@require_http_methods(FORM)
@signed_in
@once()
def join(request: HttpRequest, token: str) -> HttpResponse:
    """Show an invitation to an address.

    Its button accepts it for whoever is signed in.
    """
    invitation = actions.invitation_of_link(token)
    if request.method == "POST":
        accepted = actions.accept_invitation_link(token, by=me(request))
        return redirect("web:calendar", accepted.calendar_id)
    sender = display_names([invitation.sender, me(request)])[invitation.sender_id]
    return page(request, "web/home/join.html", {"invitation": invitation, "sender": sender})
