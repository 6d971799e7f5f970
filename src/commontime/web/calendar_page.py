"""A calendar’s page."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.safestring import SafeString
from django.utils.translation import get_language, gettext_lazy
from django.views.decorators.http import require_http_methods

from commontime.accounts.names import display_names, full_name
from commontime.calendars import queries, rules
from commontime.calendars.enums import MeetingStatus
from commontime.calendars.planning import groups
from commontime.core import cache
from commontime.core.errors import NotAllowed
from commontime.core.shapes import Fields
from commontime.layout import grid
from commontime.web import inviting, jinja, live, tables, words
from commontime.web.base import FORM, cached_page, page
from commontime.web.calendar_view import CalendarView, calendar_view, meeting_address
from commontime.web.compression import gzipped
from commontime.web.look import Look
from commontime.web.sign_in import signed_in
from commontime.web.typed import Typed
from commontime.web.who import who_at

TEXTS = {
    "works": gettext_lazy("works"),
    "need": gettext_lazy("if need be"),
    "ideal": gettext_lazy("ideal"),
    "none": gettext_lazy("not available"),
    "part": gettext_lazy("partly"),
    "to": gettext_lazy("to"),
    "painted": gettext_lazy("%(time)s: %(level)s"),
    "saving": gettext_lazy("Saving …"),
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


@gzipped
@require_http_methods(FORM)  # who signs in on the way from a form on this page posts here
@signed_in
def calendar(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Show a calendar to its people. Invited people go to the page where they can answer."""
    try:
        view = calendar_view(request, calendar_id)
    except NotAllowed:
        return redirect("web:home")
    template = "web/calendars/calendar.html"
    # What somebody typed, and the links of invitations, are shown once and not cached.
    if isinstance(request.POST, Typed) or inviting.new_in(request):
        return page(request, template, _context(request, view))
    return cached_page(request, template, view.key, partial(_context, request, view))


def _context(request: HttpRequest, view: CalendarView) -> Fields:
    return {
        "calendar": view.calendar,
        "look": view.look,
        "is_owner": rules.may_manage(view.user, view.calendar),
        "closed": view.is_closed,
        "live": live.live_part(view),
        **_own_seat(view),
        **_invited(request, view),
        **_grid(view, frozenset(_typed(request, "at"))),
        **_links(view.look, view.calendar.time_zone),
        **_meetings(view),
        **_without_scripts(request, view),
    }


def _typed(request: HttpRequest, name: str) -> list[str]:
    """Return what was ticked before somebody had to sign in again."""
    return request.POST.getlist(name) if isinstance(request.POST, Typed) else []


def _grid(view: CalendarView, ticked: frozenset[str]) -> Fields:
    """Return the person's own grid, and what its script needs."""
    look = view.look
    cells, twice = look.grid.cells, look.twice
    windows = grid.touching(view.windows, *look.span)

    def table() -> str:
        return tables.paint_table(look, grid.states(windows, cells), ticked)

    return {
        "table": cache.get(("paint", get_language(), look.key, tuple(windows), ticked), table),
        "levels": words.as_json(grid.BANDS),
        "preferences": words.as_json(grid.PREFERENCE),
        "longest": words.as_json(grid.LONGEST),
        "twice": twice and words.as_json(twice),
        "texts": cache.get(("texts", get_language()), _texts),
        "language": {"en": "en-GB"}.get(get_language() or "en", get_language()),
        "outside": _has_times_outside(view, cells),
    }


def _links(look: Look, home_zone: str) -> Fields:
    """Return the queries for other days, hours, steps or zones."""
    return {
        "before": look.query(**{"from": str(look.before)}) if look.before else "",
        "after": look.query(**{"from": str(look.after)}) if look.after else "",
        "all_hours": look.query(hours="all"),
        "usual_hours": look.query(hours=""),
        "finer": look.query(step="" if look.step == 15 else "15"),
        "home_query": look.query(zone=home_zone),
        "query": look.query(),
        "asked": look.asked.items(),
    }


def _meetings(view: CalendarView) -> Fields:
    """Return the confirmed meetings, this person's and the others'."""
    scheduled = [
        meeting for meeting in view.meetings if meeting.status(view.now) == MeetingStatus.SCHEDULED
    ]
    scheduled.sort(key=lambda meeting: (meeting.final_time, meeting.pk))
    own = [meeting for meeting in scheduled if groups.is_for(meeting, view.user.pk)]
    others = [meeting for meeting in scheduled if meeting not in own]
    return {
        "fixed": [_fixed(meeting, view) for meeting in own],
        "others": [_fixed(meeting, view) for meeting in others],
    }


def _without_scripts(request: HttpRequest, view: CalendarView) -> Fields:
    """Return what stands in for the scripts where none runs."""
    return {
        "days": _choices("options", _days, view.look),
        "copied_days": _choices("options", _days, view.look, _typed(request, "day")),
        "day_ticks": _choices("day_ticks", _days, view.look, _typed(request, "to")),
        "rows": _choices("options", _rows, view.look),
        "nothing_ticked": request.GET.get("ticked") == "none",
        "at": who_at(view, request.GET.get("day", ""), request.GET.get("row", "")),
    }


def _texts() -> str:
    return words.as_json({name: str(text) for name, text in TEXTS.items()})


def _choices(
    template: str,
    choices: Callable[[Look], list[tuple[str, str]]],
    look: Look,
    chosen: Sequence[str] = (),
) -> SafeString:
    """Return days or hours as a list to choose from."""
    return cache.get(
        (template, choices.__name__, look.key, get_language(), tuple(chosen)),
        lambda: jinja.render(f"web/{template}.html", {"choices": choices(look), "chosen": chosen}),
    )


def _days(look: Look) -> list[tuple[str, str]]:
    return [(str(day.date), words.day_of(day)) for day in look.grid.days]


def _rows(look: Look) -> list[tuple[str, str]]:
    return [(words.row_name(key), words.row_label(key, look)) for key in look.grid.rows]


def _invited(request: HttpRequest, view: CalendarView) -> Fields:
    """Return whom the owner has just invited to the new calendar."""
    new = inviting.new_in(request)
    if not new or not rules.may_manage(view.user, view.calendar):
        return {}
    rows = view.calendar.invitations.select_related("receiver").order_by("created_at", "id")
    invitations = [invitation for invitation in rows if str(invitation.pk) in new]
    names = display_names([view.user, *inviting.receivers(invitations)])
    return {
        "invited": inviting.invited_in(invitations, new, names),
        "links": inviting.links_in(invitations, names),
    }


def _own_seat(view: CalendarView) -> Fields:
    """Return the participant to remove if this person leaves, and the one to greet.

    Whoever was added without being asked is greeted until they take part by their own doing.
    """
    if view.user.pk == view.calendar.owner_id:
        return {}
    seat = queries.people.participants_of(view.calendar).filter(user=view.user).first()
    if seat is None:
        return {}
    is_new = seat.agreed_at is None
    return {
        "leave": None if view.calendar.is_finalized else seat,
        "greeted": seat if is_new else None,
        "added_by": _name_of(seat.added_by, view) if is_new and seat.added_by else "",
    }


def _name_of(person: User, view: CalendarView) -> str:
    seat = view.roster.by_id.get(person.pk)
    return seat.name if seat else full_name(person)


def _fixed(meeting: Any, view: CalendarView) -> Fields:
    return {
        "title": meeting.name,
        "place": meeting.location or view.calendar.location,
        "moment": meeting.final_time.isoformat(),
        "when": words.when(meeting.final_time, meeting.duration, view.look),
        "address": meeting_address(meeting),
    }


def _has_times_outside(view: CalendarView, cells: list[tuple[int, int]]) -> bool:
    """Return whether no cell shows some of the person's times."""
    begin, end = view.look.span
    near = [(start, stop) for start, stop, _level in view.windows if start < end and stop > begin]
    if not near or not cells:
        return bool(near)
    columns = [list(day.cells.values()) for day in view.look.grid.days]
    hours_of_days = [(min(column)[0], max(column)[1]) for column in columns if column]
    return _overlap(near, [(begin, end)]) > _overlap(near, hours_of_days)


def _overlap(windows: list[tuple[float, float]], spans: list[tuple[int, int]]) -> float:
    """Return the seconds that windows and spans have in common."""
    return sum(
        max(0, min(last, stop) - max(first, start))
        for first, last in spans
        for start, stop in windows
    )
