"""The page of one's times as text."""

from collections.abc import Sequence
from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.utils.translation import get_language, gettext_lazy
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from commontime.core import cache
from commontime.core.errors import Conflict, InvalidInput
from commontime.layout import grid, line_words, lines
from commontime.layout.instants import moment
from commontime.layout.line_reader import Days, each_day
from commontime.web import words
from commontime.web.base import FORM, page
from commontime.web.calendar_view import CalendarView, calendar_view
from commontime.web.fields import PastedText
from commontime.web.look import Look, days_of_lines
from commontime.web.painting import _grid_address, store
from commontime.web.sign_in import signed_in
from commontime.web.typed import Form


class LinesForm(Form):
    text = PastedText(
        label=gettext_lazy("Times, one per line"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "autocapitalize": "off"}),
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)


@require_http_methods(FORM)
@signed_in
def times(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Edit one's times as text, with a preview before they are saved."""
    view = calendar_view(request, calendar_id)
    zone, now = view.look.zone, cache.tag_of(tuple(view.windows))
    language = get_language() or "en"
    days = Days(zone, *days_of_lines(view.calendar, view.look), language, view.look.h12)
    text = lines.write(view.windows, zone, language, h12=view.look.h12)
    form = LinesForm(request.POST or None, initial={"text": text, "seen": now})
    context: dict[str, Any] = {
        "calendar": view.calendar,
        "look": view.look,
        "form": form,
        "days": days,
        "closed": view.is_closed,
        "examples": _examples(days),
    }
    if form.is_valid():
        windows, mistakes = lines.read(form.cleaned_data["text"], days)
        _add_errors(form, mistakes)
        is_current = form.cleaned_data["seen"] == now
        wants_save = request.POST.get("do") == "save"
        if wants_save and is_current and not mistakes and _save(form, view, windows):
            return redirect(_grid_address(view))
        context |= {
            "preview": _preview(windows, view.look),
            "total": words.total(windows),
            "changed": not is_current,
            "now": now,
            "mistakes": mistakes,
        }
    return page(request, "web/calendars/times.html", context)


def _add_errors(form: LinesForm, mistakes: Sequence[lines.Mistake]) -> None:
    for mistake in mistakes:
        sentence = _(mistake.message) % mistake.values
        form.add_error(
            "text", _("Line %(line)d: %(what)s") % {"line": mistake.line, "what": sentence}
        )


def _save(form: LinesForm, view: CalendarView, windows: Sequence[grid.Window]) -> bool:
    """Save the times and return True; if refused, keep what was typed, with the reason."""
    try:
        store(view, windows)
    except (InvalidInput, Conflict) as refusal:
        form.add_error("text", refusal.detail)
        return False
    return True


def _examples(days: Days) -> list[str]:
    """Return example lines about days of the calendar."""
    words = line_words.words(days.language)
    first = next((day for day in each_day(days.first, days.last) if day.weekday() < 5), days.first)
    return [
        _("Mon 9-12 works"),
        _("weekdays 9-17 if need be, not %(date)s") % {"date": words.date(first)},
        _("%(date)s 9:30-11 ideal") % {"date": first.isoformat()},
    ]


type _Line = tuple[str, int, str]  # the hours, the level and its name


def _preview(windows: Sequence[grid.Window], look: Look) -> list[tuple[str, list[_Line]]]:
    """Return the days, each with its times."""

    def day_of(window: grid.Window) -> date:
        return moment(window[0]).astimezone(look.zone).date()

    return [
        (_day_name(day, look), [_line(window, day, look) for window in group])
        for day, group in groupby(windows, day_of)
    ]


def _day_name(day: date, look: Look) -> str:
    name = words.day_name(datetime.combine(day, datetime.min.time()))
    return name if day.year == look.first.year else f"{name} {day.year}"


def _line(window: grid.Window, day: date, look: Look) -> _Line:
    start, end = (moment(edge).astimezone(look.zone) for edge in window[:2])
    later = "" if end.date() == day else f"{words.day_name(end, short=True)} "
    level = grid.BANDS[window[2] + 1]
    return look.times(start, end, later=later), level, words.levels()[level]
