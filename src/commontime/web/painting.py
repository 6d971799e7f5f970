"""Painting one’s times on the grid, with scripts or without."""

import json
import math
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commontime.calendars import actions, limits
from commontime.calendars.actions.non_busy_times import RunInput
from commontime.core import clock
from commontime.core.errors import Conflict, InvalidInput, NotFound, Refusal
from commontime.layout import grid
from commontime.layout.instants import moment, seconds
from commontime.web import errors, live
from commontime.web.base import me
from commontime.web.calendar_view import CalendarView, calendar_view
from commontime.web.compression import gzipped
from commontime.web.sign_in import signed_in_at

MOST_RUNS = 2 * limits.MOST_WINDOWS + 1  # each time and each gap
EARLIEST, LATEST = seconds(clock.EARLIEST), seconds(clock.LATEST)


def _page_of(request: HttpRequest, calendar_id: UUID) -> str:
    """Return the calendar's page, with the same days."""
    return reverse("web:calendar", args=[calendar_id], query=request.GET, fragment="mine")


@gzipped
@require_http_methods(["PUT", "POST"])
@signed_in_at(_page_of)
def paint(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Store one's times. PUT paints runs, POST carries out a button of the form."""
    if request.method == "PUT":
        return _paint_runs(request, calendar_id)
    _require_same_person(request, request.POST.get("who"))
    view = calendar_view(request, calendar_id)
    after = _after_button(view, request.POST)
    if after is None:
        return redirect(grid_address(view, ticked="none"))
    store(view, after)
    return redirect(grid_address(view))


def _paint_runs(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Paint a script's runs, and answer with the live part."""
    try:
        _require_same_person(request, request.headers.get("X-Who"))
        view = _view_again(request, calendar_id)
        actions.paint_windows(view.calendar, by=view.user, runs=_read_runs(request.body))
    except Refusal as refusal:
        return JsonResponse(
            {"detail": refusal.detail, "code": refusal.code}, status=errors.status_of(refusal)
        )
    return live.response(calendar_view(request, calendar_id))


def _after_button(view: CalendarView, form: QueryDict) -> list[grid.Window] | None:
    """Return one's times after a button. None: no cell is ticked."""
    match form.get("do"):
        case "copy-day":
            return _day_copied(view, form)
        case "copy-week":
            return _week_copied(view)
        case level if level in {"0", "1", "2", "3"}:
            ticked = form.getlist("at")
            return _ticked(view, ticked, int(level)) if ticked else None
    raise InvalidInput(_("Choose what to do with the times you ticked."), field="do")


def grid_address(view: CalendarView, **more: str) -> str:
    """Return the address of the grid that was painted on."""
    return f"{reverse('web:calendar', args=[view.calendar.pk])}{view.look.query(**more)}#mine"


def _view_again(request: HttpRequest, calendar_id: UUID) -> CalendarView:
    """Return what an open page looks at, if one still may."""
    try:
        return calendar_view(request, calendar_id)
    except NotFound:
        raise NotFound(_("This calendar is gone, or you’re no longer in it.")) from None


def _require_same_person(request: HttpRequest, painter: str | None) -> None:
    """Refuse times painted on a page made for somebody else.

    Another person may have signed in in another window.
    """
    if painter not in {None, str(me(request).pk)}:
        raise Conflict(
            _("Somebody else is now signed in on this browser. Sign in as yourself again."),
            code="somebody_else",
        )


def store(view: CalendarView, after: Sequence[grid.Window]) -> None:
    """Make one's times these, touching only where they differ."""
    runs = [_run(*each) for each in grid.changes(view.windows, after)]
    actions.paint_windows(view.calendar, by=view.user, runs=runs)


def _read_runs(body: bytes) -> list[RunInput]:
    """Read [[start, end, preference]], in seconds. null is a preference too: no time."""
    refused = InvalidInput(_("That isn’t a valid range of times. Load the page again."))
    try:
        runs = [
            _run(_second(start), _second(end), _preference(preference))
            for start, end, preference in json.loads(body)
        ]
    except (ValueError, TypeError, RecursionError):
        raise refused from None
    if len(runs) > MOST_RUNS:
        raise refused
    return runs


def _run(start: float, end: float, preference: int | None) -> RunInput:
    return {"start_time": moment(start), "end_time": moment(end), "preference_level": preference}


def _second(value: Any) -> float:
    if (
        type(value) not in (int, float)
        or not math.isfinite(value)
        or not EARLIEST <= value <= LATEST
    ):
        raise ValueError(value)
    return float(value) if type(value) is float else int(value)


def _preference(value: Any) -> int | None:
    if value is not None and type(value) is not int:
        raise ValueError(value)
    return value


def _ticked(view: CalendarView, ticked: Sequence[str], level: int) -> list[grid.Window]:
    cells = {str(start): (start, end) for start, end in view.look.grid.cells}
    spans = [cells[value] for value in ticked if value in cells]
    return grid.painted(view.windows, spans, grid.PREFERENCE.get(level))


def _day_copied(view: CalendarView, form: QueryDict) -> list[grid.Window]:
    days = {str(day.date): day.date for day in view.look.grid.days}
    source = days.get(form.get("day", ""))
    targets = [
        days[value]
        for value in dict.fromkeys(form.getlist("to"))
        if value in days and days[value] != source
    ]
    if source is None or not targets:
        raise InvalidInput(_("Choose the day to copy, and the days to copy it to."), field="to")
    return _copied(view, [(source, target) for target in targets])


def _week_copied(view: CalendarView) -> list[grid.Window]:
    pairs = [(day.date - timedelta(days=7), day.date) for day in view.look.grid.days]
    begin, end = (
        grid.midnight(view.look.zone, day)
        for day in (pairs[0][0], pairs[-1][0] + timedelta(days=1))
    )
    if not any(start < end and stop > begin for start, stop, _level in view.windows):
        raise InvalidInput(_("You have no times in the previous week, so there’s nothing to copy."))
    return _copied(view, pairs)


def _copied(view: CalendarView, pairs: Sequence[tuple[date, date]]) -> list[grid.Window]:
    zone, windows = view.look.zone, list(view.windows)
    for source, target in pairs:
        whole = (grid.midnight(zone, target), grid.midnight(zone, target + timedelta(days=1)))
        new = grid.moved(view.windows, zone, source, target)
        windows = grid.merged([*grid.painted(windows, [whole], None), *new])
    return windows
