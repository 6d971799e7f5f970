"""What others’ answers change on a page that is open: best times, heat map, who has answered."""

import json
from collections.abc import Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.html import escape
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.gzip import gzip_page
from django.views.decorators.http import require_safe

from commontime.calendars.models import Calendar, Meeting
from commontime.calendars.planning import bounds, comparing, groups, outcomes, reasons, suggestions
from commontime.calendars.queries.people import Person
from commontime.core import cache
from commontime.layout.instants import moment, next_quarter
from commontime.web import best_times, heat_map, tables, words
from commontime.web.base import signed_in
from commontime.web.calendar_view import BUCKET, CalendarView, calendar_view, meeting_address
from commontime.web.heat_map import heat, touching
from commontime.web.look import Look

MOST_MEETINGS = 8  # whose best times stand on the calendar's page
MOST_STARTS = {
    1: 5,
    2: 3,
    3: 2,
}  # of each, by how many meetings there are; of more, only the best one
MOST_UNFOLDED = 20  # people of whom those who have answered are listed without unfolding
MOST_OTHERS = 100  # meetings of others that are listed there
MOST_PEOPLE = 100  # who are listed there, those first who have not answered


def live_part(view: CalendarView) -> SafeString:
    """Return best times, heat map and who has answered, with one's own times as they are stored."""
    best = cache.get(("best", view.key, view.whose), partial(_best_times, view))
    rest = cache.get(("live", view.key), partial(_live, view))
    mine = words.as_attribute(touching(view.windows, *view.look.span))
    settled = [(meeting.pk, meeting.version) for meeting in view.meetings if meeting.final_time]
    fixed = cache.tag_of((tuple(settled), view.is_closed)).strip('"')
    opening = f'<div id="live" data-tag="{escape(view.tag)}" data-fixed="{fixed}" data-mine="{mine}" data-who="{view.user.pk}">'
    return mark_safe(f'{opening}<div class="side">{best}{rest}</div>')  # noqa: S308 (each part is escaped)


def _live(view: CalendarView) -> str:
    """Return who has answered, and the heat map."""
    found = heat(view.group, view.look)
    people = view.roster.people
    listed = _who_answered(
        sorted(people, key=lambda person: bool(person.packed)), view.calendar
    ) + _invited(view)
    # Not inside the f-strings: xgettext finds no text there.
    answered_title, title = escape(_("Who has answered")), escape(_("Everybody"))
    return (
        f'<section class="answered" aria-labelledby="answered-h"><h2 id="answered-h">{answered_title}</h2>'
        f"{listed}</section></div>"
        f'<section class="everybody" aria-labelledby="heat-h"><h2 id="heat-h">{title}</h2>'
        f'<p class="soft">{escape(heat_map.summary(found))}</p>'
        f"{heat_map.legend(found)}"
        f'<heat-map><div class="scroll" tabindex="0" role="group" aria-labelledby="heat-h">'
        f"{tables.heat_table(view.look, found)}</div></heat-map>"
        f"</section>"
    )


def _best_times(view: CalendarView) -> str:
    """Return the best times of the open meetings that are for the person looking, and links to the
    others; the owner sees all.
    """
    whose = view.whose
    own: list[Meeting] = []
    others: list[Meeting] = []
    for meeting in view.open_meetings:
        (own if whose is None or groups.is_for(meeting, whose) else others).append(meeting)
    best = [_best(view, meeting, MOST_STARTS.get(len(own), 1)) for meeting in own[:MOST_MEETINGS]]
    shown = (
        best_times.best_times(best, view.look)
        or f'<p class="empty">{escape(_no_meeting(view))}</p>'
    )
    title = escape(_("Best times"))
    section = f'<section class="best-times" aria-labelledby="best-h"><h2 id="best-h">{title}</h2>{shown}{_of_others(others)}</section>'
    return _parts(best, view.look) + section


def _parts(best: Sequence[best_times.Best], shown: Look) -> str:
    """Return the parts of the page as links, for where they stand below each other, with the best
    start of an only meeting.
    """
    leading = ""
    if len(best) == 1 and best[0].ranked:
        leading = f"<small>{escape(words.when(best[0].ranked[0].outcome.start, best[0].meeting.duration, shown))}</small>"
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


def _no_meeting(view: CalendarView) -> str:
    if view.calendar.is_finalized:
        return _("Planning is finished.")
    if view.open_meetings:
        return _("None of the open meetings is for you.")
    if view.meetings:
        return _("Every meeting here is confirmed.")
    return _("No meetings yet. Once there is one, its best times appear here.")


def _who_answered(people: Sequence[Person], calendar: Calendar) -> str:
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


def _invited(view: CalendarView) -> str:
    """Say how many are invited and have not joined, because nothing else on the page counts them."""
    if not view.invited:
        return ""
    said = escape(
        ngettext("%(n)d invited, not yet joined", "%(n)d invited, not yet joined", view.invited)
        % {"n": view.invited}
    )
    address = reverse("web:people", args=[view.calendar.pk])
    return f'<p class="invited soft"><a href="{address}">{said}</a></p>'


def _listed(people: Sequence[Person]) -> str:
    answered, silent, word = escape(_("answered")), escape(_("not yet")), escape(_("optional"))
    optional = f' <small class="soft">{word}</small>'
    return "".join(
        f'<li class="{"yes" if person.packed else "no"}"><span>{escape(person.name)}{"" if person.required else optional}</span>'
        f" <small>{answered if person.packed else silent}</small></li>"
        for person in people
    )


def _best(view: CalendarView, meeting: Meeting, most: int) -> best_times.Best:
    group = view.free(meeting)
    stored = [
        suggestion
        for suggestion in view.suggestions[meeting.pk]
        if suggestion.suggested_time > view.now
    ]
    if not suggestions.may_rank(meeting, group, with_names=view.with_names, asker=view.user.pk):
        return best_times.Best(
            meeting, [], len(group.people), meeting_address(meeting), nothing=suggestions.hidden()
        )
    now = datetime.fromtimestamp(
        view.now.timestamp() // BUCKET.total_seconds() * BUCKET.total_seconds(), view.now.tzinfo
    )
    found = suggestions.rank(
        meeting, group, stored, now=now, limit=most + 1, with_names=view.with_names
    )
    shown = at_round_times(found[:most], meeting, group, view.with_names)
    return best_times.Best(
        meeting,
        shown,
        len(group.people),
        meeting_address(meeting),
        len(found) > most,
        nothing=reasons.no_times_yet(group),
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
            and bounds.allow(meeting, other.start)
            and comparing.are_as_good([other, each.outcome], group, meeting)
        ):
            taken.add(other.start)
            each = suggestions.Suggestion(
                each.rank, other, None, reasons.reasons_for(other, group, meeting, with_names=named)
            )
        listed.append(each)
    return listed


@gzip_page
@require_safe
@signed_in
def live(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """What others' answers change, for a page that is open; 304 as long as nothing changed."""
    view = calendar_view(request, calendar_id)
    return get_conditional_response(request, etag=view.tag) or _shown(view)


def _shown(view: CalendarView) -> HttpResponse:
    return HttpResponse(live_part(view), headers={"ETag": view.tag})


@gzip_page
@require_safe
@signed_in
def who(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Who can in each cell, in the order of the heat map, a row after the other: with names as far
    as the calendar's visibility allows.
    """
    view = calendar_view(request, calendar_id)
    tag = cache.tag_of(("who", view.key))
    body = partial(_who, view)
    answer = get_conditional_response(request, etag=tag)
    return answer or HttpResponse(
        cache.get(("who", view.key), body), content_type="application/json", headers={"ETag": tag}
    )


def _who(view: CalendarView) -> str:
    """Return {"people": names, "cells": [[start, end, "a level for each"]]}; without names [start,
    end, [can, need be, can't, silent]].
    """
    table = view.look.grid
    cells = [day.cells[key] for key in table.rows for day in table.days if key in day.cells]
    found = outcomes.outcomes_at(
        view.group, [moment(start) for start, _end in cells], timedelta(minutes=table.step)
    )
    if not view.with_names:
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
    people = view.group.people
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


def who_at(view: CalendarView, day: str, row: str) -> dict[str, Any] | None:
    """Return who can in the cell that an address names by its day and row, for a page without
    scripts.
    """
    columns = {str(column.date): column.cells for column in view.look.grid.days}
    cell = next(
        (cell for key, cell in columns.get(day, {}).items() if words.row_name(key) == row), None
    )
    if cell is None:
        return None
    outcome = outcomes.outcomes_at(
        view.group, [moment(cell[0])], timedelta(seconds=cell[1] - cell[0])
    )[0]
    named = heat_map.names(outcome)
    groups = [
        (title, len(people), ", ".join(people) if view.with_names else "")
        for title, people in named
    ]
    return {
        "when": words.when(moment(cell[0]), timedelta(seconds=cell[1] - cell[0]), view.look),
        "groups": groups,
    }
