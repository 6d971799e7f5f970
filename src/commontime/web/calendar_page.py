"""A calendar’s page."""

from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.http import require_safe

from commontime.accounts.names import display_names
from commontime.calendars import queries, rules
from commontime.calendars.enums import MeetingStatus
from commontime.calendars.planning import groups
from commontime.core import cache
from commontime.core.errors import NotAllowed
from commontime.layout import grid
from commontime.web import inviting, jinja, live, tables, words
from commontime.web.base import cached_page, signed_in
from commontime.web.calendar_view import CalendarView, calendar_view, meeting_address
from commontime.web.compression import gzipped
from commontime.web.look import Look
from commontime.web.who import who_at

TEXTS = {
    "works": gettext_lazy("works"),
    "need": gettext_lazy("if need be"),
    "ideal": gettext_lazy("ideal"),
    "none": gettext_lazy("not available"),
    "part": gettext_lazy("partly"),
    "to": gettext_lazy("to"),
    "saving": gettext_lazy("Saving…"),
    "saved": gettext_lazy("Saved"),
    "undone": gettext_lazy("Undone"),
    "lost": gettext_lazy(
        "Not saved: the server can’t be reached. Your times are kept here and will be sent again "
        "automatically."
    ),
    "slow": gettext_lazy(
        "Not saved: the server isn’t responding. Your times are kept here and will be sent again "
        "automatically."
    ),
    "out": gettext_lazy(
        "Not saved: you’re signed out. Your times are kept here and will be saved once you sign in "
        "again."
    ),
    "refused": gettext_lazy("Not saved:"),
    "failed": gettext_lazy(
        "Not saved: something went wrong. Your times are kept here and will be sent again "
        "automatically."
    ),
    "begin": gettext_lazy(
        "Tap the first box, then the last. Across several days, all of them are filled."
    ),
    "end": gettext_lazy("Now tap the last box."),
    "cells": gettext_lazy("selected"),
    "can": gettext_lazy("Can come"),
    "maybe": gettext_lazy("If need be"),
    "cannot": gettext_lazy("Can’t come"),
    "silent": gettext_lazy("No answer yet"),
    "nobody": gettext_lazy("nobody"),
}


# the token of its forms is masked anew each time, and the length is blurred, so lengths tell
# nothing
@gzipped
@require_safe
@signed_in
def calendar(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Show a calendar to its people; who is only invited is sent to where they can answer."""
    try:
        view = calendar_view(request, calendar_id)
    except NotAllowed:
        return redirect("web:home")
    return cached_page(
        request, "web/calendars/calendar.html", view.key, partial(_context, request, view)
    )


def _context(request: HttpRequest, view: CalendarView) -> dict[str, Any]:
    shown, cells = view.look, view.look.grid.cells
    states = grid.states(view.windows, cells)
    scheduled = [
        meeting for meeting in view.meetings if meeting.status(view.now) == MeetingStatus.SCHEDULED
    ]
    scheduled.sort(key=lambda meeting: (meeting.final_time, meeting.pk))
    return {
        "calendar": view.calendar,
        "look": shown,
        "levels": words.as_json(grid.BANDS),
        "preferences": words.as_json(grid.PREFERENCE),
        "twice": (twice := shown.twice) and words.as_json(twice),
        "is_owner": rules.may_manage(view.user, view.calendar),
        "closed": view.is_closed,
        "table": cache.get(
            ("paint", get_language(), shown.key, tuple(states)),
            partial(tables.paint_table, shown, states),
        ),
        "live": live.live_part(view),
        "texts": cache.get(("texts", get_language()), _texts),
        "fixed": [
            _fixed(meeting, view) for meeting in scheduled if groups.is_for(meeting, view.user.pk)
        ],
        "others": [
            _fixed(meeting, view)
            for meeting in scheduled
            if not groups.is_for(meeting, view.user.pk)
        ],
        "days": _choices("options", _days, shown),
        "day_ticks": _choices("day_ticks", _days, shown),
        "before": shown.query(**{"from": str(shown.before)}) if shown.before else "",
        "after": shown.query(**{"from": str(shown.after)}) if shown.after else "",
        "outside": _is_outside(view, cells),
        "all_hours": shown.query(hours="all"),
        "usual_hours": shown.query(hours=""),
        "finer": shown.query(step="" if shown.step == 15 else "15"),
        "home_query": shown.query(zone=view.calendar.time_zone),
        "query": shown.query(),
        "nothing_ticked": request.GET.get("ticked") == "none",
        "at": who_at(view, request.GET.get("day", ""), request.GET.get("row", "")),
        "rows": _choices("options", _rows, shown),
        "asked": shown.asked.items(),
        "language": {"en": "en-GB"}.get(get_language() or "en", get_language()),
        "leave": _seat_to_leave(view),
        "invited": _invited(request, view),
    }


def _texts() -> str:
    return words.as_json({name: str(text) for name, text in TEXTS.items()})


def _choices(
    template: str, choices: Callable[[Look], list[tuple[str, str]]], look: Look
) -> SafeString:
    """Return the days or hours looked at as a list to choose from."""
    return cache.get(
        (template, choices.__name__, look.key, get_language()),
        lambda: jinja.render(f"web/{template}.html", {"choices": choices(look)}),
    )


def _days(look: Look) -> list[tuple[str, str]]:
    return [(str(day.date), words.day_of(day)) for day in look.grid.days]


def _rows(look: Look) -> list[tuple[str, str]]:
    return [(words.row_name(key), words.row_label(key, look)) for key in look.grid.rows]


def _invited(request: HttpRequest, view: CalendarView) -> str:
    """Return whom the owner has just invited with this calendar."""
    new = inviting.new_in(request)
    if not new or not rules.may_manage(view.user, view.calendar):
        return ""
    invitations = view.calendar.invitations.select_related("receiver").order_by("created_at", "id")
    names = display_names(inviting.receivers(invitations))
    return inviting.invited_in(invitations, new, names)


def _seat_to_leave(view: CalendarView) -> Any:
    if view.user.pk == view.calendar.owner_id or view.calendar.is_finalized:
        return None
    return queries.people.participants_of(view.calendar).filter(user=view.user).first()


def _fixed(meeting: Any, view: CalendarView) -> dict[str, Any]:
    return {
        "title": meeting.name,
        "place": meeting.location or view.calendar.location,
        "moment": meeting.final_time.isoformat(),
        "when": words.when(meeting.final_time, meeting.duration, view.look),
        "address": meeting_address(meeting),
    }


def _is_outside(view: CalendarView, cells: list[tuple[int, int]]) -> bool:
    """Return whether one gave times on these days that no cell shows."""
    begin, end = view.look.span

    def overlap(spans: list[tuple[int, int]]) -> float:
        return sum(
            max(0, min(last, stop) - max(first, start))
            for first, last in spans
            for start, stop, _level in near
        )

    near = [window for window in view.windows if window[0] < end and window[1] > begin]
    if not near or not cells:
        return bool(near)
    days = [
        (min(spans)[0], max(spans)[1])
        for day in view.look.grid.days
        if (spans := list(day.cells.values()))
    ]
    return overlap([(begin, end)]) > overlap(days)
