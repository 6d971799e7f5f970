"""A calendar to look at, and to leave."""

from uuid import UUID

from django.db.models import F
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.views.decorators.http import require_POST, require_safe

from commontime.calendars import actions, queries
from commontime.core import clock
from commontime.core.errors import NotAllowed
from commontime.web.base import me, page, signed_in

MOST_SHOWN = 1000


@require_safe
@signed_in
def calendar(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Show a calendar to its people; who is only invited is sent to where they can answer."""
    try:
        shown = queries.calendar_for(me(request), calendar_id)
    except NotAllowed:
        return redirect("/app/")
    found = queries.meetings_of(shown).select_related("calendar").order_by(F("final_time").asc(nulls_last=True), "deadline", "id")
    context = {
        "calendar": shown,
        "meetings": [(meeting, meeting.status(clock.now())) for meeting in found[:MOST_SHOWN]],
        "participants": queries.participants_of(shown).order_by("joined_at", "id")[:MOST_SHOWN],
    }
    return page(request, "web/calendars/calendar.html", context)


@require_POST
@signed_in
def remove_participant(request: HttpRequest, calendar_id: UUID, participant_id: UUID) -> HttpResponse:
    shown = queries.calendar_for(me(request), calendar_id)
    actions.remove_participant(queries.participant_for(me(request), shown, participant_id), by=me(request))
    return redirect("/app/")
