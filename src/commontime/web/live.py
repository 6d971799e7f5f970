"""The part of the calendar's page that others' answers change."""

from datetime import datetime
from functools import partial
from uuid import UUID

from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.cache import get_conditional_response
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_safe

from commontime.calendars import rules
from commontime.calendars.models import Meeting
from commontime.calendars.planning import groups, reasons, suggestions
from commontime.core import cache
from commontime.layout import grid
from commontime.web import heat_map, jinja, tables, words
from commontime.web.best_times import BestTimes, at_round_times, best_times
from commontime.web.calendar_view import BUCKET, CalendarView, calendar_view, meeting_address
from commontime.web.compression import gzipped
from commontime.web.sign_in import signed_in

MOST_MEETINGS = 8  # of which the page shows the best times
MOST_STARTS = {1: 5, 2: 3, 3: 2}  # of each meeting, by how many there are; with more, the best only
MOST_UNFOLDED = 20  # people, of whom those who answered are listed without unfolding
MOST_OTHERS = 100  # listed meetings of others
MOST_PEOPLE = 100  # listed people


@gzipped
@require_safe
@signed_in
def live(request: HttpRequest, calendar_id: UUID) -> HttpResponse:
    """Send the live part; 304 if nothing changed."""
    view = calendar_view(request, calendar_id)
    return get_conditional_response(request, etag=view.tag) or response(view)


def response(view: CalendarView) -> HttpResponse:
    return HttpResponse(live_part(view), headers={"ETag": view.tag})


def live_part(view: CalendarView) -> SafeString:
    """Return best times, heat map, answers and one's stored times."""
    fixed = [(meeting.pk, meeting.version) for meeting in view.meetings if meeting.final_time]
    return jinja.render(
        "web/live.html",
        {
            "tag": view.tag,
            "fixed": cache.tag_of((tuple(fixed), view.is_closed)).strip('"'),
            "mine": words.as_json(grid.touching(view.windows, *view.look.span)),
            "who": view.user.pk,
            "best_times": cache.get(("best", view.key, view.whose), partial(_best_times, view)),
            "who_answered": cache.get(("answered", view.key), partial(_who_answered, view)),
            "everybody": cache.get(("everybody", view.key), partial(_everybody, view)),
        },
    )


# Best times ---------------------------------------------------------------------------------------


def _best_times(view: CalendarView) -> SafeString:
    """Return the viewer's best times, and links to other meetings.

    The owner sees those of all meetings.
    """
    own, others = _own_and_others(view)
    limit = MOST_STARTS.get(len(own), 1)
    bests = [_best_of(view, meeting, limit) for meeting in own[:MOST_MEETINGS]]
    more = len(others) - MOST_OTHERS
    return jinja.render(
        "web/best_times.html",
        {
            "bests": bests,
            "leading": bests[0].starts[0].when if len(bests) == 1 and bests[0].starts else "",
            "nothing": _no_meeting(view),
            "others": [
                {"title": meeting.name, "address": meeting_address(meeting)}
                for meeting in others[:MOST_OTHERS]
            ],
            "more_others": _("and %(n)d more") % {"n": more} if more > 0 else "",
        },
    )


def _own_and_others(view: CalendarView) -> tuple[list[Meeting], list[Meeting]]:
    """Return the open meetings: one's own, and the others."""
    whose = view.whose
    if whose is None:
        return view.open_meetings, []
    own = [meeting for meeting in view.open_meetings if groups.is_for(meeting, whose)]
    others = [meeting for meeting in view.open_meetings if not groups.is_for(meeting, whose)]
    return own, others


def _best_of(view: CalendarView, meeting: Meeting, limit: int) -> BestTimes:
    group = view.free(meeting)
    fill = partial(
        best_times,
        meeting,
        people=len(group.people),
        look=view.look,
        address=meeting_address(meeting),
    )
    if not rules.may_rank(view.user, meeting, group.ids, group.places):
        return fill([], nothing=reasons.answers_are_hidden())
    stored = [
        suggestion
        for suggestion in view.suggestions[meeting.pk]
        if suggestion.suggested_time > view.now
    ]
    now, with_names = _start_of_bucket(view.now), view.with_names
    ranked = suggestions.rank(
        meeting, group, stored, now=now, limit=limit + 1, with_names=with_names
    )
    return fill(
        at_round_times(ranked[:limit], meeting, group, with_names),
        has_more=len(ranked) > limit,
        nothing=reasons.no_times_yet(group),
    )


def _start_of_bucket(now: datetime) -> datetime:
    """Return a moment that changes only when the cache's key does."""
    seconds = BUCKET.total_seconds()
    return datetime.fromtimestamp(now.timestamp() // seconds * seconds, now.tzinfo)


def _no_meeting(view: CalendarView) -> str:
    if view.calendar.is_finalized:
        return _("Planning is finished.")
    if view.open_meetings:
        return _("None of the open meetings is for you.")
    if view.meetings:
        return _("Every meeting here is confirmed.")
    return _("No meetings yet. Once there is one, its best times appear here.")


# Who has answered, and everybody ------------------------------------------------------------------


def _who_answered(view: CalendarView) -> SafeString:
    """Return the people, those without an answer first. In a big group the rest is folded."""
    people = sorted(view.roster.people, key=lambda person: bool(person.packed))
    answered, more = sum(bool(person.packed) for person in people), len(people) - MOST_PEOPLE
    listed = people[:MOST_PEOPLE]
    silent = len(people) - answered
    is_folded = len(people) > MOST_UNFOLDED and answered > 0
    return jinja.render(
        "web/who_answered.html",
        {
            "open": listed[:silent] if is_folded else listed,
            "is_folded": is_folded,
            "folded": listed[silent:],
            "answered": ngettext("%(n)d has answered", "%(n)d have answered", answered)
            % {"n": answered},
            "more": _("and %(n)d more") % {"n": more} if more > 0 else "",
            "invited": _invited(view.invited),
            "address": reverse("web:people", args=[view.calendar.pk]),
        },
    )


def _invited(n: int) -> str:
    """Return how many are invited and have not joined."""
    if not n:
        return ""
    return ngettext("%(n)d invited, not yet joined", "%(n)d invited, not yet joined", n) % {"n": n}


def _everybody(view: CalendarView) -> SafeString:
    heat = heat_map.heat(view.group, view.look)
    return jinja.render(
        "web/everybody.html",
        {
            "summary": heat_map.summary(heat),
            "legend": heat_map.legend(heat),
            "table": tables.heat_table(view.look, heat),
        },
    )
