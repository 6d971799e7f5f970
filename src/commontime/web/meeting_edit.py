"""Changing a meeting, and asking where something speaks against it."""

from copy import copy
from typing import Any
from uuid import UUID

from django import forms
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commontime.accounts import queries as accounts
from commontime.calendars import actions, queries
from commontime.calendars.models import Meeting
from commontime.core import cache, clock
from commontime.core.errors import Conflict
from commontime.core.shapes import Fields
from commontime.web.base import FORM, me, meeting_of, page, submit
from commontime.web.calendar_view import meeting_address
from commontime.web.meeting_forms import EditForm
from commontime.web.once import once
from commontime.web.sign_in import signed_in


def change(meeting: Meeting, *, by: User, heard: str, **changes: Any) -> list[Fields]:
    """Change the meeting, or return what speaks against it.

    heard: the mark of what was said against it when the person said to do it all the same. If it is
    something else now, that is asked too.
    """
    try:
        actions.edit_meeting(meeting, by=by, strict=True, **changes)
    except Conflict as refusal:
        doubts: list[Fields] = refusal.extra.get("warnings", [])
        if not doubts:
            raise
        if heard != cache.tag_of(repr(doubts)):
            return doubts
        actions.edit_meeting(meeting, by=by, strict=False, **changes)
    return []


def ask(
    request: HttpRequest,
    meeting: Meeting,
    doubts: list[Fields],
    here: str,
    *,
    when: str = "",
) -> HttpResponse:
    """Ask whether to do what was posted all the same.

    The answer posts it again, with what the person has heard.
    """
    sent = [
        (name, value)
        for name, values in request.POST.lists()
        for value in values
        if name not in ("csrfmiddlewaretoken", "anyway")
    ]
    context = {
        "meeting": meeting,
        "title": meeting.name,
        "doubts": doubts,
        "when": when,
        "here": here,
        "sent": sent,
    }
    response = page(
        request,
        "web/meetings/ask.html",
        {**context, "detail": doubts[0]["detail"], "anyway": cache.tag_of(repr(doubts))},
    )
    response.status_code = 409
    return response


def as_shown(meeting: Meeting, post: QueryDict) -> Meeting:
    """Return the meeting with the version of the page.

    So actions notice later changes.
    """
    version, meeting = post.get("version", ""), copy(meeting)
    if version.isascii() and version.isdecimal() and len(version) < 19:
        meeting.version = int(version)
    return meeting


@require_http_methods(FORM)
@signed_in
@once()
def edit(request: HttpRequest, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
    """Change a meeting: only what was changed in the form."""
    user = me(request)
    meeting = meeting_of(request, calendar_id, meeting_id)
    queries.calendars.require_owner(user, meeting.calendar, _("change meetings"))
    zone = accounts.setting_of(user).time_zone
    with timezone.override(zone):
        form = EditForm(meeting.calendar, request.POST or None, initial=_as_typed(meeting))
        doubts = submit(
            form,
            _change_some,
            as_shown(meeting, request.POST),
            by=user,
            heard=request.POST.get("anyway", ""),
            of=form,
        )
    if doubts:
        here = reverse("web:edit_meeting", args=[calendar_id, meeting_id])
        return ask(request, meeting, doubts, here)
    if doubts is not None:
        return redirect(meeting_address(meeting))
    return page(request, "web/meetings/edit.html", _context(meeting, zone, form))


def _context(meeting: Meeting, zone: str, form: EditForm) -> Fields:
    calendar = meeting.calendar
    is_same_zone = clock.is_same_zone(zone, calendar.time_zone)
    return {
        "meeting": meeting,
        "calendar": calendar,
        "title": meeting.name,
        "zone": zone,
        "other_zone": "" if is_same_zone else calendar.time_zone,
        "here": meeting_address(meeting),
        "form": form,
    }


def _change_some(
    meeting: Meeting, *, by: User, heard: str, of: forms.Form, **typed: Any
) -> list[Fields]:
    return change(meeting, by=by, heard=heard, **{name: typed[name] for name in of.changed_data})


def _as_typed(meeting: Meeting) -> Fields:
    """Return the meeting's fields as the form shows them.

    Moments are cut to the minute, so that only typed changes count.
    """
    named = meeting.attendees
    fields = {
        name: getattr(meeting, name)
        for name in EditForm.base_fields
        if name not in ("required", "optional")
    }
    for name in ("deadline", "earliest", "latest"):
        fields[name] = fields[name] and fields[name].replace(second=0, microsecond=0)
    fields["required"] = [user for user, must in named.items() if must]
    fields["optional"] = [user for user, must in named.items() if not must]
    return fields
