"""What could still change a meeting's best time, in words."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.calendars.models import Meeting
from commontime.calendars.planning import bounds, comparing, groups, insights, outcomes
from commontime.layout.instants import next_quarter
from commontime.web import words
from commontime.web.calendar_view import CalendarView
from commontime.web.look import Look

# In larger groups the page leaves this to a link: for a thousand people it takes a second.
MOST_AT_ONCE = 60
MOST_WANTED = 6


@dataclass(frozen=True, slots=True)
class Point:
    """One thing that could change the best time. moments: times or names, each with a remark."""

    kind: str
    title: str
    said: str
    moments: Sequence[tuple[str, str]] = ()


@dataclass(frozen=True, slots=True)
class Change:
    is_for_all: bool
    points: Sequence[Point]


def change_of(
    view: CalendarView, meeting: Meeting, group: groups.Group, align: int | None
) -> Change | None:
    """Return what could change the best time. None: nobody can come.

    People are named as far as the calendar's visibility allows.
    """
    insight = insights.insights_for(
        meeting, group, now=view.now, with_names=view.with_names, asker=view.user.pk, align=align
    )
    if insight is None:
        return None
    at = partial(_at, meeting, group, view.look)
    points = [Point("better", _("Why no time is better"), insight.why_not_better)]
    if insight.ask and (insight.ask.wanted or insight.ask.own_short):
        points.append(_asking(insight.ask, meeting.duration, view))
    points += _sessions(insight, at)
    if plan_b := insight.plan_b:
        points.append(Point("plan-b", _("Plan B"), plan_b.detail, [at(plan_b.outcome)]))
    if group.silent:
        points.append(_decisive(insight, meeting, view))
    return Change(not insight.best.cannot, points)


def _at(
    meeting: Meeting, group: groups.Group, look: Look, outcome: outcomes.Outcome
) -> tuple[str, str]:
    """Return a start, and how many can come to it."""
    when = words.when(_round(outcome, meeting, group), meeting.duration, look)
    count = {"can": len(outcome.attending), "people": len(group.people)}
    return when, _("%(can)d of %(people)d can come") % count


def _sessions(
    insight: insights.Insights, at: Callable[[outcomes.Outcome], tuple[str, str]]
) -> list[Point]:
    title = _("Two sessions")
    if sessions := insight.sessions:
        moments = [at(outcome) for outcome in (sessions.first, sessions.second)]
        return [Point("sessions", title, sessions.detail, moments)]
    if insight.best.cannot:
        return [Point("sessions", title, insight.no_sessions)]
    return []


def _decisive(insight: insights.Insights, meeting: Meeting, view: CalendarView) -> Point:
    moments = []
    if start := insight.decisive.start:
        moments = [(words.when(start, meeting.duration, view.look), _("for example"))]
    return Point("decisive", _("Who can still change this"), insight.decisive.detail, moments)


def beside(comparison: comparing.Comparison, silent: int) -> list[str]:
    """Return how a start compares with the others, in sentences.

    They say what it loses, how far it may rise or fall, and how many may drop out.
    """
    sentences = [comparison.loses_against_best, _range(comparison, silent), comparison.still_works]
    return [sentence for sentence in sentences if sentence]


def _range(comparison: comparing.Comparison, silent: int) -> str:
    first, last = comparison.optimistic_rank, comparison.pessimistic_rank
    if first == last:
        return ""
    return ngettext(
        "Could still end up anywhere from place %(first)d to %(last)d: %(n)d answer is missing.",
        "Could still end up anywhere from place %(first)d to %(last)d: %(n)d answers are missing.",
        silent,
    ) % {"first": first, "last": last, "n": silent}


def _asking(ask: insights.Ask, duration: timedelta, view: CalendarView) -> Point:
    """Return whom to ask for what."""
    title = _("What you could ask for")
    if ask.own_short:
        return Point("ask", title, ask.detail)
    start = words.when(ask.start, duration, view.look)
    moments = [(start, _("then everybody required who answered could come"))]
    if view.with_names:
        moments += _wanted(ask, view.look) + _in_the_way(ask)
    return Point("ask", title, ask.detail, moments)


def _wanted(ask: insights.Ask, look: Look) -> list[tuple[str, str]]:
    """Return the times to ask for, with the people."""
    wanted: dict[str, list[str]] = {}
    for person, start, end in ask.wanted[:MOST_WANTED]:
        wanted.setdefault(words.when(start, end - start, look), []).append(person.name)
    return [(time, ", ".join(names)) for time, names in wanted.items()]


def _in_the_way(ask: insights.Ask) -> list[tuple[str, str]]:
    """Return who alone is in the way most often."""
    return [
        (
            person.name,
            ngettext(
                "is the only one in the way of %(n)d time",
                "is the only one in the way of %(n)d times",
                starts,
            )
            % {"n": starts},
        )
        for person, starts in ask.first[:1]
    ]


def _round(outcome: outcomes.Outcome, meeting: Meeting, group: groups.Group) -> datetime:
    """Return the start, or the next quarter if as good."""
    later = next_quarter(outcome.start)
    if later == outcome.start or not bounds.allow(meeting, later):
        return outcome.start
    same = (outcomes.outcomes_at(group, [later], meeting.duration)[0].row == outcome.row).all()
    return later if same else outcome.start
