"""What could still change a meeting's best start, in words: what to ask of whom, two sessions, plan
B, whose answer counts.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from commontime.calendars.models import Meeting
from commontime.calendars.planning import bounds, comparing, groups, insights, outcomes
from commontime.layout.instants import next_quarter
from commontime.web import words
from commontime.web.calendar_view import CalendarView

# people; with more the page is there at once, and this is asked for by a link: with a thousand it
# takes a second
MOST_AT_ONCE = 60
MOST_WANTED = 6


@dataclass(frozen=True, slots=True)
class Point:
    """moments: starts or times it is about, each with what is to be said of it."""

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
    """Return what there is to say, with names as far as the calendar's visibility allows; None if
    nobody can come to anything.
    """
    found = insights.insights_for(
        meeting, group, now=view.now, with_names=view.with_names, asker=view.user.pk, align=align
    )
    if found is None:
        return None

    def when(start: datetime) -> str:
        return words.when(start, meeting.duration, view.look)

    def of(outcome: outcomes.Outcome) -> tuple[str, str]:
        can = {"can": len(outcome.attending), "people": len(group.people)}
        return when(_round(outcome, meeting, group)), _("%(can)d of %(people)d can come") % can

    points = [Point("better", _("Why no time is better"), found.why_not_better)]
    if found.ask and (found.ask.wanted or found.ask.own_short):
        points.append(_asking(found.ask, meeting.duration, view))
    if found.sessions:
        both = (found.sessions.first, found.sessions.second)
        points.append(
            Point(
                "sessions",
                _("Two sessions"),
                found.sessions.detail,
                [of(outcome) for outcome in both],
            )
        )
    elif found.best.cannot:
        points.append(Point("sessions", _("Two sessions"), found.no_sessions))
    if found.plan_b:
        points.append(Point("plan-b", _("Plan B"), found.plan_b.detail, [of(found.plan_b.outcome)]))
    if group.silent:
        start = found.decisive.start
        moments = [(when(start), _("for example"))] if start else []
        points.append(
            Point("decisive", _("Who can still change this"), found.decisive.detail, moments)
        )
    return Change(not found.best.cannot, points)


def beside(each: comparing.Comparison, silent: int) -> list[str]:
    """Say how a start stands beside the others: what it loses, how far it may rise or fall, what it
    bears.
    """
    said = [each.loses_against_best] if each.loses_against_best else []
    if each.optimistic_rank != each.pessimistic_rank:
        places = {"first": each.optimistic_rank, "last": each.pessimistic_rank, "n": silent}
        said.append(
            ngettext(
                "Could still end up anywhere from place %(first)d to %(last)d: %(n)d answer is "
                "missing.",
                "Could still end up anywhere from place %(first)d to %(last)d: %(n)d answers are "
                "missing.",
                silent,
            )
            % places
        )
    if each.still_works:
        said.append(each.still_works)
    return said


def _asking(ask: insights.Ask, duration: timedelta, view: CalendarView) -> Point:
    """Whom to ask for what, if names are told; and who alone stands in the way most often."""
    if ask.own_short:
        return Point("ask", _("What you could ask for"), ask.detail)
    moments = [
        (
            words.when(ask.start, duration, view.look),
            _("then everybody required who answered could come"),
        )
    ]
    if view.with_names:
        wanted: dict[str, list[str]] = {}
        for person, start, end in ask.wanted[:MOST_WANTED]:
            wanted.setdefault(words.when(start, end - start, view.look), []).append(person.name)
        moments += [(time, ", ".join(names)) for time, names in wanted.items()]
        moments += [
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
    return Point("ask", _("What you could ask for"), ask.detail, moments)


def _round(outcome: outcomes.Outcome, meeting: Meeting, group: groups.Group) -> datetime:
    """Return the next quarter of an hour if it is the same for everybody."""
    later = next_quarter(outcome.start)
    if later == outcome.start or not bounds.allow(meeting, later):
        return outcome.start
    same = (outcomes.outcomes_at(group, [later], meeting.duration)[0].row == outcome.row).all()
    return later if same else outcome.start
