"""One’s times as lines of text."""

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
from commontime.web.base import FORM, page, signed_in
from commontime.web.calendar_view import calendar_view
from commontime.web.fields import PastedText
from commontime.web.look import Look, days_of_lines
from commontime.web.painting import _grid_address, store


class LinesForm(forms.Form):
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
    """One's times as lines of text: shown as they will be understood before they are stored."""
    view = calendar_view(request, calendar_id)
    zone, now = view.look.zone, cache.tag_of(tuple(view.windows))
    language = get_language() or "en"
    days = Days(zone, *days_of_lines(view.calendar, view.look), language, view.look.h12)
    form = LinesForm(
        request.POST or None,
        initial={"text": lines.write(view.windows, zone, language, h12=view.look.h12), "seen": now},
    )
    context: dict[str, Any] = {
        "calendar": view.calendar,
        "look": view.look,
        "form": form,
        "days": days,
        "closed": view.is_closed,
    }
    context["examples"] = _examples(days)
    if form.is_valid():
        windows, mistakes = lines.read(form.cleaned_data["text"], days)
        for mistake in mistakes:
            form.add_error(
                "text",
                _("Line %(line)d: %(what)s")
                % {"line": mistake.line, "what": _(mistake.message) % mistake.values},
            )
        is_current = form.cleaned_data["seen"] == now
        if not mistakes and request.POST.get("do") == "save" and is_current:
            try:
                store(view, windows)
                return redirect(_grid_address(view))
            except (
                InvalidInput,
                Conflict,
            ) as refusal:  # what was typed stays, whatever happened meanwhile
                form.add_error("text", refusal.detail)
        context |= {
            "preview": _preview(windows, view.look),
            "total": words.total(windows),
            "changed": not is_current,
            "now": now,
        }
        context["mistakes"] = mistakes
    return page(request, "web/calendars/times.html", context)


def _examples(days: Days) -> list[str]:
    """Return lines to go by, about days of the calendar."""
    words = line_words.words(days.language)
    first = next((day for day in each_day(days.first, days.last) if day.weekday() < 5), days.first)
    return [
        _("Mon 9-12 works"),
        _("weekdays 9-17 if need be, not %(date)s") % {"date": words.date(first)},
        _("%(date)s 9:30-11 ideal") % {"date": first.isoformat()},
    ]


def _preview(
    windows: Sequence[grid.Window], shown: Look
) -> list[tuple[str, list[tuple[str, int, str]]]]:
    """Return the days with their times and levels."""
    names = words.levels()

    def day(window: grid.Window) -> date:
        return moment(window[0]).astimezone(shown.zone).date()

    found = []
    for on, group in groupby(windows, day):
        rows = []
        for start, end, preference in group:
            first, last = (moment(value).astimezone(shown.zone) for value in (start, end))
            later = "" if last.date() == on else f"{words.day_name(last, short=True)} "
            level = grid.BANDS[preference + 1]
            rows.append((shown.times(first, last, later=later), level, names[level]))
        year = "" if on.year == shown.first.year else f" {on.year}"
        found.append((f"{words.day_name(datetime.combine(on, datetime.min.time()))}{year}", rows))
    return found
