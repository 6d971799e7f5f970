"""The result of a plan as its page shows it."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any

from django.utils.translation import gettext as _

from commontime.accounts import queries as accounts
from commontime.accounts.names import full_name
from commontime.calendars.models import Meeting
from commontime.calendars.planning import groups, plans
from commontime.core.shapes import Fields
from commontime.core.text import some_of
from commontime.layout import timetable
from commontime.web import words
from commontime.web.calendar_view import meeting_address
from commontime.web.look import FIRST_WEEKDAY
from commontime.web.plan_view import PlanView

NAMES_LIMIT = 3


# How good it is -----------------------------------------------------------------------------------


def quality(answer: plans.Answer, question: plans.Question) -> str:
    """Return how good a plan is. If not proved best: how much better another may be."""
    if answer.proved:
        if answer.placed:
            return _("Optimal, proven: no plan is better.")
        return _("Proven: with the answers so far, none of them can have a time.")
    value, bound = answer.value, answer.bound
    if value.priority != bound.priority:
        return _fewer_meetings(question) % {"value": value.priority, "bound": bound.priority}
    as_many = _("No plan finds a time for more meetings.")
    return f"{as_many} {_first_gap(answer)}"


def _fewer_meetings(question: plans.Question) -> str:
    if question.priorities:
        return _(
            "Not proven to be the best: counted by priority it places %(value)d; no plan can place "
            "more than %(bound)d."
        )
    return _(
        "Not proven to be the best: it places %(value)d meetings, and no plan can place more than "
        "%(bound)d."
    )


def _first_gap(answer: plans.Answer) -> str:
    """Return the most important count that another plan may improve."""
    value, bound = answer.value, answer.bound
    for reached, best, text in (
        (
            value.optional,
            bound.optional,
            _("%(value)d optional people can come; no plan has more than %(bound)d."),
        ),
        (
            value.if_need_be,
            bound.if_need_be,
            _("%(value)d can come only if need be; no plan has fewer than %(bound)d."),
        ),
        (
            value.works,
            bound.works,
            _("For %(value)d the time works but isn’t ideal; no plan has fewer than %(bound)d."),
        ),
    ):
        if reached != best:
            return text % {"value": reached, "bound": best}
    text = _("Only how well people like their times could still improve, by at most %(percent)s%%.")
    return text % {"percent": words.percent(answer.gap)}


def counts(answer: plans.Answer, question: plans.Question) -> list[tuple[str, int, str]]:
    """Return what a plan is worth: (title, count, its bound).

    The most important comes first.
    """
    value, bound = answer.value, answer.bound
    at_most, at_least = _("at most %(n)d"), _("at least %(n)d")
    meetings = (
        _("Meetings with a time, by priority") if question.priorities else _("Meetings with a time")
    )
    rows = [
        (meetings, value.priority, bound.priority, at_most),
        (_("Optional people who can come"), value.optional, bound.optional, at_most),
        (_("Only if need be"), value.if_need_be, bound.if_need_be, at_least),
        (_("Works, but isn’t ideal"), value.works, bound.works, at_least),
        (_("Total preference"), value.preference, bound.preference, at_most),
    ]
    return [
        (title, reached, text % {"n": best})
        for title, reached, best, text in rows
        if reached or best
    ]


# The timetable ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """A meeting in the timetable. pin: what its tick sends."""

    title: str
    address: str
    hours: str
    moment: str
    without: str
    pin: str
    is_pinned: bool


type _Day = tuple[date, str, list[timetable.Slot[Line]]]
type _Week = tuple[str, timetable.Week[Line], list[tuple[int, str]], list[_Day]]


def weeks(view: PlanView) -> list[_Week]:
    """Return each week with its name, hours and days."""
    entries = [_entry(view, placement) for placement in view.placed]
    first_weekday = FIRST_WEEKDAY[accounts.setting_of(view.user).week_start]
    return [_week(view, week) for week in timetable.weeks(entries, view.look.zone, first_weekday)]


def _week(view: PlanView, week: timetable.Week[Line]) -> _Week:
    days = [(day.date, words.day_name(_noon(day.date), short=True), day.slots) for day in week.days]
    first_name, last_name = days[0][1], days[-1][1]
    name = first_name
    if len(days) > 1:
        name = _("From %(first)s to %(last)s") % {"first": first_name, "last": last_name}
    hours = [
        (number, view.look.written(_noon(week.days[0].date).replace(hour=hour)))
        for number, hour in enumerate(week.hours)
    ]
    return name, week, hours, days


def _entry(view: PlanView, placement: plans.Placement) -> timetable.Entry[Line]:
    meeting = view.meetings[placement.meeting]
    start, end = placement.start, placement.start + meeting.duration
    line = Line(
        title=title_of(view, meeting),
        address=meeting_address(meeting),
        hours=view.look.times(start, end),
        moment=start.isoformat(),
        without=some_of(_missing(view, meeting, placement), NAMES_LIMIT),
        pin=f"{placement.meeting} {start.isoformat()}",
        is_pinned=placement.meeting in view.pinned,
    )
    return timetable.Entry(start, end, line)


def _missing(view: PlanView, meeting: Meeting, placement: plans.Placement) -> list[str]:
    """Return the names of attendees who answered but can't come.

    Where answers are hidden there are none.
    """
    attending = placement.attending
    if attending is None:
        return []
    return [
        person.name
        for person in groups.attendees_of(meeting, view.roster)
        if person.packed and person.user_id not in attending
    ]


def title_of(view: PlanView, meeting: Meeting) -> str:
    """Return a meeting's name.

    A one-on-one has only the other person's: the owner is in each.
    """
    return meeting.name.removeprefix(f"{full_name(view.user)} & ")


def _noon(day: date) -> datetime:
    return datetime.combine(day, time(12))


# Meetings without a time --------------------------------------------------------------------------


def omission(view: PlanView, omitted: plans.Omission) -> Fields:
    """Return a meeting without a time, and the reason."""
    meeting = view.meetings.get(omitted.meeting)
    titles = {pk: title_of(view, meeting) for pk, meeting in view.meetings.items()}
    return {
        "title": title_of(view, meeting) if meeting else _("A deleted meeting"),
        "address": meeting_address(meeting) if meeting else "",
        "why": plans.why_unplaced(omitted, view.roster.by_id, titles),
        **_least_to_ask(view, omitted, meeting),
    }


def _least_to_ask(view: PlanView, omitted: plans.Omission, meeting: Meeting | None) -> Fields:
    """Return the least to ask, and the time it allows.

    all_then: the names, if all are asked for the whole time.
    """
    wanted = [ask for ask in omitted.ask if ask.user in view.roster.by_id]
    if meeting is None or omitted.start is None or not wanted:
        return {"asks": [], "all_then": "", "then": ""}
    end = omitted.start + meeting.duration
    is_whole = all((ask.start, ask.end) == (omitted.start, end) for ask in wanted)
    names = [view.roster.by_id[ask.user].name for ask in wanted]
    return {
        "asks": _asks(view, wanted),
        "all_then": ", ".join(names) if is_whole else "",
        "then": words.when(omitted.start, meeting.duration, view.look),
    }


def _asks(view: PlanView, wanted: Sequence[Any]) -> list[str]:
    """Return each person with the time wanted of them."""
    return [
        _("%(name)s: %(when)s")
        % {
            "name": view.roster.by_id[ask.user].name,
            "when": words.when(ask.start, ask.end - ask.start, view.look),
        }
        for ask in wanted
    ]
