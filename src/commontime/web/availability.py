"""When one can come and when everybody can: painting, the list form, and what others' answers
change on a page that is open.
"""

import json
import math
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cached_property, partial
from itertools import groupby
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse, JsonResponse, QueryDict
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import get_language, gettext_lazy, ngettext
from django.utils.translation import gettext as _
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_http_methods, require_safe

from commontime.accounts import queries as accounts
from commontime.calendars import actions, queries, rules
from commontime.calendars.actions.checks import MOST_WINDOWS
from commontime.calendars.actions.non_busy_times import RunInput
from commontime.calendars.enums import MeetingStatus
from commontime.calendars.models import Calendar, Meeting
from commontime.calendars.planning import groups, outcomes, suggestions
from commontime.core import cache, clock
from commontime.core.errors import Conflict, InvalidInput, NotFound, Refusal
from commontime.layout import grid, line_words, lines
from commontime.layout.instants import moment, next_quarter, seconds
from commontime.web import errors, fragments
from commontime.web.base import FORM, me, page, signed_in
from commontime.web.looking import (
    Look,
    days_of_lines,
    everybody,
    heat,
    look,
    touching,
)

MOST_MEETINGS = 8  # whose best times stand on the calendar's page
MOST_STARTS = {
    1: 5,
    2: 3,
    3: 2,
}  # of each, by how many meetings there are; of more, only the best one
MOST_UNFOLDED = 20  # people of whom those who have answered are listed without unfolding
MOST_OTHERS = 100  # meetings of others that are listed there
MOST_PEOPLE = 100  # who are listed there, those first who have not answered
BUCKET = timedelta(minutes=5)  # how long a start that has just passed may still be shown
MOST_RUNS = 2 * MOST_WINDOWS + 1  # each time and each gap
EARLIEST, LATEST = seconds(clock.EARLIEST), seconds(clock.LATEST)


# What a page knows --------------------------------------------------------------------------------


@dataclass(frozen=True)
class Sight:
    """A calendar as one person looks at it now."""

    calendar: Calendar
    user: Any
    look: Look
    now: datetime

    @cached_property
    def _rows(self) -> tuple[list[tuple[Any, ...]], int]:
        return queries.meetings.meeting_rows(self.calendar, self.now)

    @property
    def meeting_rows(self) -> list[tuple[Any, ...]]:
        return self._rows[0]

    @property
    def invited(self) -> int:
        """How many were invited and have not answered, as far as one may know."""
        return self._rows[1] if self.tells or rules.may_manage(self.user, self.calendar) else 0

    @cached_property
    def meetings(self) -> list[Meeting]:
        return [queries.meetings.read_meeting(self.calendar, row) for row in self.meeting_rows]

    @cached_property
    def open_meetings(self) -> list[Meeting]:
        return [
            meeting
            for meeting in self.meetings
            if meeting.status(self.now) != MeetingStatus.SCHEDULED
        ]

    @property
    def deadlines_ahead(self) -> list[bool]:
        """Whether its deadline is ahead, of each open meeting."""
        return [is_ahead for waits, is_ahead, *_ in self.meeting_rows if waits]

    @cached_property
    def group(self) -> groups.Group:
        return everybody(self.calendar)

    @cached_property
    def _free(self) -> dict[int, groups.Group]:
        return {}

    def free(self, meeting: Meeting) -> groups.Group:
        """Return those whom an open meeting is for without the times in which they are in other
        meetings.
        """
        if not meeting.for_everyone:
            return groups.free_for(meeting, groups.group_for(meeting), with_names=self.tells)
        if meeting.buffer_minutes not in self._free:
            self._free[meeting.buffer_minutes] = groups.free_for(
                meeting, self.group, with_names=self.tells
            )
        return self._free[meeting.buffer_minutes]

    @cached_property
    def tells(self) -> bool:
        return rules.may_see_windows_of_others(self.user, self.calendar)

    @cached_property
    def windows(self) -> list[grid.Window]:
        """All one's own times in the calendar, in order."""
        found = queries.windows.own_window_rows(self.user, self.calendar)
        return [(seconds(start), seconds(end), preference) for start, end, preference in found]

    @property
    def key(self) -> Hashable:
        """All that the live part depends on. Asking this asks nothing of the engine."""
        calendar, seen = self.calendar, (self.look.key, get_language())
        bucket = int(self.now.timestamp() // BUCKET.total_seconds())
        whom = "all" if self.tells else self.user.pk
        return (
            calendar.pk,
            calendar.version,
            seen,
            tuple(self.meeting_rows),
            bucket if self.deadlines_ahead else 0,
            whom,
            self.invited,
        )

    @property
    def whose(self) -> int | None:
        """Whose the best times are; None: everybody's, because every open meeting is for everybody,
        or because one sees all.
        """
        has_some_for_few = any(waits and named for waits, _ahead, named, *_ in self.meeting_rows)
        return (
            self.user.pk
            if has_some_for_few and not rules.may_manage(self.user, self.calendar)
            else None
        )

    @property
    def tag(self) -> str:
        return cache.tag_of((self.key, self.user.pk))

    @property
    def is_closed(self) -> bool:
        """Whether answers are closed for this person, as the action sees it."""
        if self.calendar.is_finalized:
            return True
        return (
            bool(self.deadlines_ahead)
            and not any(self.deadlines_ahead)
            and not rules.may_manage(self.user, self.calendar)
        )


def sight(request: HttpRequest, calendar_id: UUID) -> Sight:
    user = me(request)
    calendar = queries.calendars.calendar_for(user, calendar_id)
    now = clock.now()
    return Sight(calendar, user, look(request.GET, calendar, accounts.setting_of(user), now), now)


# What others' answers change ----------------------------------------------------------------------


def live_part(seen: Sight) -> SafeString:
    """Return best times, heat map and who has answered, with one's own times as they are stored."""
    best = cache.get(("best", seen.key, seen.whose), partial(_best_times, seen))
    rest = cache.get(("live", seen.key), partial(_live, seen))
    mine = fragments.as_attribute(touching(seen.windows, *seen.look.span))
    settled = [(meeting.pk, meeting.version) for meeting in seen.meetings if meeting.final_time]
    fixed = cache.tag_of((tuple(settled), seen.is_closed)).strip('"')
    opening = f'<div id="live" data-tag="{escape(seen.tag)}" data-fixed="{fixed}" data-mine="{mine}" data-who="{seen.user.pk}">'
    return mark_safe(f'{opening}<div class="side">{best}{rest}</div>')  # noqa: S308 (each part is escaped)


def _live(seen: Sight) -> str:
    """Return who has answered, and the heat map."""
    found = heat(seen.group, seen.look)
    people = groups.people_of(seen.calendar)
    listed = _who_answered(
        sorted(people, key=lambda person: bool(person.packed)), seen.calendar
    ) + _invited(seen)
    # Not inside the f-strings: xgettext finds no text there.
    answered_title, title = escape(_("Who has answered")), escape(_("Everybody"))
    return (
        f'<section class="answered" aria-labelledby="answered-h"><h2 id="answered-h">{answered_title}</h2>'
        f"{listed}</section></div>"
        f'<section class="everybody" aria-labelledby="heat-h"><h2 id="heat-h">{title}</h2>'
        f'<p class="soft">{escape(fragments.summary(found))}</p>'
        f"{fragments.legend(found)}"
        f'<heat-map><div class="scroll" tabindex="0" role="group" aria-labelledby="heat-h">'
        f"{fragments.heat_table(seen.look, found)}</div></heat-map>"
        f"</section>"
    )


def _best_times(seen: Sight) -> str:
    """Return the best times of the open meetings that are for the person looking, and links to the
    others; the owner sees all.
    """
    whose = seen.whose
    own: list[Meeting] = []
    others: list[Meeting] = []
    for meeting in seen.open_meetings:
        (own if whose is None or groups.is_for(meeting, whose) else others).append(meeting)
    best = [_best(seen, meeting, MOST_STARTS.get(len(own), 1)) for meeting in own[:MOST_MEETINGS]]
    shown = (
        fragments.best_times(best, seen.look) or f'<p class="empty">{escape(_no_meeting(seen))}</p>'
    )
    title = escape(_("Best times"))
    section = f'<section class="best-times" aria-labelledby="best-h"><h2 id="best-h">{title}</h2>{shown}{_of_others(others)}</section>'
    return _parts(best, seen.look) + section


def _parts(best: Sequence[fragments.Best], shown: Look) -> str:
    """Return the parts of the page as links, for where they stand below each other, with the best
    start of an only meeting.
    """
    leading = ""
    if len(best) == 1 and best[0].ranked:
        leading = f"<small>{escape(fragments.when(best[0].ranked[0].outcome.start, best[0].meeting.duration, shown))}</small>"
    title, mine, times, everybody = (
        escape(text)
        for text in (_("On this page"), _("Your times"), _("Best times"), _("Everybody"))
    )
    links = f'<a href="#mine">{mine}</a><a href="#best-h">{times}{leading}</a><a href="#heat-h">{everybody}</a>'
    return f'<nav class="parts" aria-label="{title}">{links}</nav>'


def _of_others(meetings: Sequence[Meeting]) -> str:
    if not meetings:
        return ""
    links = [
        f'<li><a href="{meeting_address(meeting)}">{escape(meeting.name)}</a></li>'
        for meeting in meetings[:MOST_OTHERS]
    ]
    if len(meetings) > MOST_OTHERS:
        said = escape(_("and %(n)d more") % {"n": len(meetings) - MOST_OTHERS})
        links.append(f"<li>{said}</li>")
    title = escape(_("Other meetings"))
    return f'<details class="others"><summary>{title}</summary><ul>{"".join(links)}</ul></details>'


def _no_meeting(seen: Sight) -> str:
    if seen.calendar.is_finalized:
        return _("Planning is finished.")
    if seen.open_meetings:
        return _("None of the open meetings is for you.")
    if seen.meetings:
        return _("Every meeting here is confirmed.")
    return _("No meetings yet. Once there is one, its best times appear here.")


def _who_answered(people: Sequence[groups.Person], calendar: Calendar) -> str:
    """Return a list of people, those first who have not answered. In a big group, those who have
    are folded.
    """
    shown = people[:MOST_PEOPLE]
    more = ""
    if len(people) > MOST_PEOPLE:
        people_address = reverse("web:people", args=[calendar.pk])
        said = escape(_("and %(n)d more") % {"n": len(people) - MOST_PEOPLE})
        more = f'<li><a href="{people_address}">{said}</a></li>'
    silent = [person for person in shown if not person.packed]
    answered = sum(bool(person.packed) for person in people)
    if len(people) <= MOST_UNFOLDED or not answered:
        return f'<ul class="people">{_listed(shown)}{more}</ul>'
    said = escape(ngettext("%(n)d has answered", "%(n)d have answered", answered) % {"n": answered})
    folded = f'<details class="have"><summary>{said}</summary><ul class="people">{_listed(shown[len(silent) :])}{more}</ul></details>'
    return (f'<ul class="people">{_listed(silent)}</ul>' if silent else "") + folded


def _invited(seen: Sight) -> str:
    """Say how many are invited and have not joined, because nothing else on the page counts them."""
    if not seen.invited:
        return ""
    said = escape(
        ngettext("%(n)d invited, not yet joined", "%(n)d invited, not yet joined", seen.invited)
        % {"n": seen.invited}
    )
    address = reverse("web:people", args=[seen.calendar.pk])
    return f'<p class="invited soft"><a href="{address}">{said}</a></p>'


def _listed(people: Sequence[groups.Person]) -> str:
    answered, silent, word = escape(_("answered")), escape(_("not yet")), escape(_("optional"))
    optional = f' <small class="soft">{word}</small>'
    return "".join(
        f'<li class="{"yes" if person.packed else "no"}"><span>{escape(person.name)}{"" if person.required else optional}</span>'
        f" <small>{answered if person.packed else silent}</small></li>"
        for person in people
    )


def _best(seen: Sight, meeting: Meeting, most: int) -> fragments.Best:
    group = seen.free(meeting)
    suggested = meeting.suggested  # type: ignore[attr-defined]
    stored = [suggestion for suggestion in suggested if suggestion.suggested_time > seen.now]
    if not suggestions.may_rank(meeting, group, with_names=seen.tells, asker=seen.user.pk):
        return fragments.Best(
            meeting, [], len(group.people), meeting_address(meeting), nothing=suggestions.hidden()
        )
    now = datetime.fromtimestamp(
        seen.now.timestamp() // BUCKET.total_seconds() * BUCKET.total_seconds(), seen.now.tzinfo
    )
    found = suggestions.rank(meeting, group, stored, now=now, limit=most + 1, with_names=seen.tells)
    shown = at_round_times(found[:most], meeting, group, seen.tells)
    return fragments.Best(
        meeting, shown, len(group.people), meeting_address(meeting), len(found) > most
    )


def at_round_times(
    found: Sequence[suggestions.Suggestion], meeting: Meeting, group: groups.Group, named: bool
) -> list[suggestions.Suggestion]:
    """Return computed starts at the next quarter of an hour where that is as good for everybody."""
    round_ = {
        each.outcome.start: next_quarter(each.outcome.start)
        for each in found
        if each.stored is None
    }
    wanted = [start for start, later in round_.items() if start != later]
    later = (
        dict(
            zip(
                wanted,
                outcomes.outcomes_at(group, [round_[start] for start in wanted], meeting.duration),
                strict=True,
            )
        )
        if wanted
        else {}
    )
    listed, taken = [], {each.outcome.start for each in found}
    for each in found:
        other = later.get(each.outcome.start)
        if (
            other
            and other.start not in taken
            and suggestions.lies_within(meeting, other.start)
            and other.rank_key[:-1] == each.outcome.rank_key[:-1]
        ):
            taken.add(other.start)
            each = suggestions.Suggestion(
                each.rank, other, None, suggestions.reasons(other, group, meeting, with_names=named)
            )
        listed.append(each)
    return listed


def meeting_address(meeting: Meeting) -> str:
    return reverse("web:meeting", args=[meeting.calendar_id, meeting.pk])


@gzip_page
@require_safe
@signed_in
def live(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """What others' answers change, for a page that is open; 304 as long as nothing changed."""
    seen = sight(request, calendar_id)
    return get_conditional_response(request, etag=seen.tag) or _shown(seen)


def _shown(seen: Sight) -> HttpResponse:
    return HttpResponse(live_part(seen), headers={"ETag": seen.tag})


@gzip_page
@require_safe
@signed_in
def who(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Who can in each cell, in the order of the heat map, a row after the other: with names as far
    as the calendar's visibility allows.
    """
    seen = sight(request, calendar_id)
    tag = cache.tag_of(("who", seen.key))
    body = partial(_who, seen)
    answer = get_conditional_response(request, etag=tag)
    return answer or HttpResponse(
        cache.get(("who", seen.key), body), content_type="application/json", headers={"ETag": tag}
    )


def _who(seen: Sight) -> str:
    """Return {"people": names, "cells": [[start, end, "a level for each"]]}; without names [start,
    end, [can, need be, can't, silent]].
    """
    table = seen.look.grid
    cells = [day.cells[key] for key in table.rows for day in table.days if key in day.cells]
    found = outcomes.outcomes_at(
        seen.group, [moment(start) for start, _end in cells], timedelta(minutes=table.step)
    )
    if not seen.tells:
        counts = [
            [
                len(each.ideal) + len(each.works),
                len(each.if_need_be),
                len(each.cannot),
                len(each.unanswered),
            ]
            for each in found
        ]
        return json.dumps(
            {"cells": [[*cell, count] for cell, count in zip(cells, counts, strict=True)]}
        )
    people = seen.group.people
    marks = [_marks(each) for each in found]
    codes = ["".join(mark.get(person.user_id, "-") for person in people) for mark in marks]
    return json.dumps(
        {
            "people": [person.name for person in people],
            "cells": [[*cell, code] for cell, code in zip(cells, codes, strict=True)],
        }
    )


def _marks(outcome: outcomes.Outcome) -> dict[int, str]:
    lists = (
        ("0", outcome.cannot),
        ("1", outcome.if_need_be),
        ("2", outcome.works),
        ("3", outcome.ideal),
    )
    return {person.user_id: mark for mark, people in lists for person in people}


def who_at(seen: Sight, day: str, row: str) -> dict[str, Any] | None:
    """Return who can in the cell that an address names by its day and row, for a page without
    scripts.
    """
    columns = {str(column.date): column.cells for column in seen.look.grid.days}
    cell = next(
        (cell for key, cell in columns.get(day, {}).items() if fragments.row_name(key) == row), None
    )
    if cell is None:
        return None
    outcome = outcomes.outcomes_at(
        seen.group, [moment(cell[0])], timedelta(seconds=cell[1] - cell[0])
    )[0]
    named = fragments.names(outcome)
    groups = [
        (title, len(people), ", ".join(people) if seen.tells else "") for title, people in named
    ]
    return {
        "when": fragments.when(moment(cell[0]), timedelta(seconds=cell[1] - cell[0]), seen.look),
        "groups": groups,
    }


# Painting -----------------------------------------------------------------------------------------


@gzip_page
@require_http_methods(["PUT", "POST"])
@signed_in
def paint(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Store one's times: PUT paints runs and answers the live part, POST does what a button of the
    form says.
    """
    if request.method == "PUT":
        try:
            _require_same_person(request, request.headers.get("X-Who"))
            seen = _sight_again(request, calendar_id)
            actions.paint_windows(seen.calendar, by=seen.user, runs=_read_runs(request.body))
        except Refusal as refusal:
            return JsonResponse(
                {"detail": refusal.detail, "code": refusal.code}, status=errors.status_of(refusal)
            )
        return _shown(sight(request, calendar_id))
    _require_same_person(request, request.POST.get("who"))
    seen = sight(request, calendar_id)
    form = request.POST
    match form.get("do"):
        case "copy-day":
            after = _day_copied(seen, form)
        case "copy-week":
            after = _week_copied(seen)
        case level if level in {"0", "1", "2", "3"}:
            if not form.getlist("at"):
                return redirect(_grid_address(seen, ticked="none"))
            after = _ticked(seen, form.getlist("at"), int(level))
        case _:
            raise InvalidInput(_("Choose what to do with the times you ticked."), field="do")
    store(seen, after)
    return redirect(_grid_address(seen))


def _grid_address(seen: Sight, **more: str) -> str:
    """Return the address of the grid that one has just painted on."""
    return f"{reverse('web:calendar', args=[seen.calendar.pk])}{seen.look.query(**more)}#mine"


def _sight_again(request: HttpRequest, calendar_id: UUID) -> Sight:
    """Return what a page that is open looks at, if it is still there for this person."""
    try:
        return sight(request, calendar_id)
    except NotFound:
        raise NotFound(_("This calendar is gone, or you’re no longer in it.")) from None


def _require_same_person(request: HttpRequest, painter: str | None) -> None:
    """Refuse what was painted on a page that was made for somebody else: who is signed in may have
    changed in another window.
    """
    if painter not in {None, str(me(request).pk)}:
        raise Conflict(
            _("Somebody else is now signed in on this browser. Sign in as yourself again."),
            code="somebody_else",
        )


def store(seen: Sight, after: Sequence[grid.Window]) -> None:
    """Make one's times these, in one action that touches only where they differ."""
    runs = [_run(*each) for each in grid.changes(seen.windows, after)]
    actions.paint_windows(seen.calendar, by=seen.user, runs=runs)


def _read_runs(body: bytes) -> list[RunInput]:
    """Read [[start, end, preference]], in seconds; null is a preference too: no time."""
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


def _ticked(seen: Sight, ticked: Sequence[str], level: int) -> list[grid.Window]:
    cells = {str(start): (start, end) for start, end in seen.look.grid.cells}
    spans = [cells[value] for value in ticked if value in cells]
    return grid.painted(seen.windows, spans, grid.PREFERENCE.get(level))


def _day_copied(seen: Sight, form: QueryDict) -> list[grid.Window]:
    days = {str(day.date): day.date for day in seen.look.grid.days}
    source = days.get(form.get("day", ""))
    targets = [
        days[value] for value in form.getlist("to") if value in days and days[value] != source
    ]
    if source is None or not targets:
        raise InvalidInput(_("Choose the day to copy, and the days to copy it to."), field="to")
    return _copied(seen, [(source, target) for target in targets])


def _week_copied(seen: Sight) -> list[grid.Window]:
    pairs = [(day.date - timedelta(days=7), day.date) for day in seen.look.grid.days]
    begin, end = (
        grid.midnight(seen.look.zone, day)
        for day in (pairs[0][0], pairs[-1][0] + timedelta(days=1))
    )
    if not any(start < end and stop > begin for start, stop, _level in seen.windows):
        raise InvalidInput(_("You have no times in the previous week, so there’s nothing to copy."))
    return _copied(seen, pairs)


def _copied(seen: Sight, pairs: Sequence[tuple[date, date]]) -> list[grid.Window]:
    zone, windows = seen.look.zone, list(seen.windows)
    for source, target in pairs:
        whole = (grid.midnight(zone, target), grid.midnight(zone, target + timedelta(days=1)))
        new = grid.moved(seen.windows, zone, source, target)
        windows = grid.merged([*grid.painted(windows, [whole], None), *new])
    return windows


# The list form ------------------------------------------------------------------------------------


class LinesForm(forms.Form):
    text = forms.CharField(
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
    seen = sight(request, calendar_id)
    zone, now = seen.look.zone, cache.tag_of(tuple(seen.windows))
    language = get_language() or "en"
    days = lines.Days(zone, *days_of_lines(seen.calendar, seen.look), language, seen.look.h12)
    form = LinesForm(
        request.POST or None,
        initial={"text": lines.write(seen.windows, zone, language, h12=seen.look.h12), "seen": now},
    )
    context: dict[str, Any] = {
        "calendar": seen.calendar,
        "look": seen.look,
        "form": form,
        "days": days,
        "closed": seen.is_closed,
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
                store(seen, windows)
                return redirect(_grid_address(seen))
            except (
                InvalidInput,
                Conflict,
            ) as refusal:  # what was typed stays, whatever happened meanwhile
                form.add_error("text", refusal.detail)
        context |= {
            "preview": _preview(windows, seen.look),
            "total": fragments.total(windows),
            "changed": not is_current,
            "now": now,
        }
        context["mistakes"] = mistakes
    return page(request, "web/calendars/times.html", context)


def _examples(days: lines.Days) -> list[str]:
    """Return lines to go by, about days of the calendar."""
    words = line_words.words(days.language)
    first = next(
        (day for day in lines.each_day(days.first, days.last) if day.weekday() < 5), days.first
    )
    return [
        _("Mon 9-12 works"),
        _("weekdays 9-17 if need be, not %(date)s") % {"date": words.date(first.day, first.month)},
        _("%(date)s 9:30-11 ideal") % {"date": first.isoformat()},
    ]


def _preview(
    windows: Sequence[grid.Window], shown: Look
) -> list[tuple[str, list[tuple[str, int, str]]]]:
    """Return the days with their times and levels."""
    names = fragments.levels()

    def day(window: grid.Window) -> date:
        return moment(window[0]).astimezone(shown.zone).date()

    found = []
    for on, group in groupby(windows, day):
        rows = []
        for start, end, preference in group:
            first, last = (moment(value).astimezone(shown.zone) for value in (start, end))
            later = "" if last.date() == on else f"{fragments.day_name(last, short=True)} "
            level = grid.BANDS[preference + 1]
            rows.append((shown.times(first, last, later=later), level, names[level]))
        year = "" if on.year == shown.first.year else f" {on.year}"
        found.append(
            (f"{fragments.day_name(datetime.combine(on, datetime.min.time()))}{year}", rows)
        )
    return found
