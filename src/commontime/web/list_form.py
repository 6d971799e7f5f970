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
from commontime.web.painting import grid_address, store
from commontime.web.sign_in import signed_in
from commontime.web.typed import Form


class LinesForm(Form):
    """Times as text.

    windows: what the lines say, as far as they can be read; None: nothing was sent to be read.
    seen: the tag of the stored times that the page showed.
    """

    text = PastedText(
        label=gettext_lazy("Times, one per line"),
        required=False,
        max_length=200_000,
        widget=forms.Textarea(attrs={"rows": 12, "spellcheck": "false", "autocapitalize": "off"}),
    )
    seen = forms.CharField(required=False, max_length=64, widget=forms.HiddenInput)
    windows: Sequence[grid.Window] | None = None

    def __init__(self, days: Days, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.days = days

    def clean(self) -> None:
        if self.errors:
            return
        self.windows, mistakes = lines.read(self.cleaned_data["text"], self.days)
        for mistake in mistakes:
            sentence = _(mistake.message) % mistake.values
            self.add_error(
                "text", _("Line %(line)d: %(what)s") % {"line": mistake.line, "what": sentence}
            )


@require_http_methods(FORM)
@signed_in
def times(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Edit one's times as text, with a preview before saving."""
    view = calendar_view(request, calendar_id)
    days, tag = _days(view), cache.tag_of(tuple(view.windows))
    form = LinesForm(days, request.POST or None, initial={"text": _text(view), "seen": tag})
    is_current = form.is_valid() and form.cleaned_data["seen"] == tag
    if request.POST.get("do") == "save" and is_current and _save(form, view):
        return redirect(grid_address(view))
    context = {
        "calendar": view.calendar,
        "look": view.look,
        "form": form,
        "days": days,
        "closed": view.is_closed,
        "examples": _examples(days),
    }
    if form.windows is not None:
        context |= {
            "preview": _preview(form.windows, view.look),
            "total": words.total(form.windows),
            "changed": form.cleaned_data["seen"] != tag,
            "now": tag,
        }
    return page(request, "web/calendars/times.html", context)


def _days(view: CalendarView) -> Days:
    first, last = days_of_lines(view.calendar, view.look)
    return Days(view.look.zone, first, last, get_language() or "en", view.look.h12)


def _text(view: CalendarView) -> str:
    """Return one's stored times as lines."""
    look = view.look
    return lines.write(view.windows, look.zone, get_language() or "en", h12=look.h12)


def _save(form: LinesForm, view: CalendarView) -> bool:
    """Return whether the times were saved. If not, the form says why."""
    try:
        store(view, form.windows or [])
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
        return look.local(moment(window[0])).date()

    return [
        (_day_name(day, look), [_line(window, day, look) for window in group])
        for day, group in groupby(windows, day_of)
    ]


def _day_name(day: date, look: Look) -> str:
    name = words.day_name(datetime.combine(day, datetime.min.time()))
    return name if day.year == look.first.year else f"{name} {day.year}"


def _line(window: grid.Window, day: date, look: Look) -> _Line:
    start, end = (look.local(moment(edge)) for edge in window[:2])
    later = "" if end.date() == day else f"{words.day_name(end, short=True)} "
    level = grid.BANDS[window[2] + 1]
    return look.times(start, end, later=later), level, words.levels()[level]
