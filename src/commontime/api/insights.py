"""What is behind a meeting's best start: shapes, then the view. People are named where the calendar
lets the asker see answers.
"""

from collections.abc import Iterable
from datetime import timedelta
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema

from commontime.api.answers import json_answer
from commontime.api.fields import Moment, zone_of
from commontime.api.request import Request
from commontime.api.suggestions import WHAT_IF, what_if_of
from commontime.api.view import View
from commontime.calendars import queries, rules
from commontime.calendars.planning import groups, insights, outcomes, suggestions
from commontime.calendars.queries.people import Person
from commontime.core import clock


class StartOutput(msgspec.Struct):
    """A start and how many can come. `attending_users`: user ids, null if the calendar hides
    answers.
    """

    suggested_time: Moment
    end_time: Moment
    attending: int
    if_need_be: int
    cannot: int
    missing_required: int
    attending_users: list[int] | None


class WantedOutput(msgspec.Struct):
    """Time that a person would have to offer."""

    user: int
    start_time: Moment
    end_time: Moment


class AskFirst(msgspec.Struct):
    """Somebody who alone stands in the way, and how many more starts would suit everybody required
    with them: each minute is one, or with `align_minutes` only its multiples.
    """

    user: int
    starts: int


class AskOutput(msgspec.Struct):
    """How few `people` would have to offer how few `minutes` so that everybody required who
    answered can come.

    `own_minutes_short`: how much the owner lacks; above 0, asking others can't help.
    `unanswered_required`: how many should answer first. `wanted` and `ask_first`, whom to ask
    first, are null if the calendar hides answers.
    """

    suggested_time: Moment
    end_time: Moment
    people: int
    minutes: int
    own_minutes_short: int
    unanswered_required: int
    wanted: list[WantedOutput] | None
    ask_first: list[AskFirst] | None
    detail: str


class TwoSessionsOutput(msgspec.Struct):
    """Two starts that together reach the most people. `proved`: no other two are better.
    `cannot_users`: who can't come to either.
    """

    first: StartOutput
    second: StartOutput
    reached: int
    cannot: int
    missing_required: int
    cannot_users: list[int] | None
    proved: bool
    detail: str


class PlanBOutput(msgspec.Struct):
    """The best start that does not overlap with the best one. `overtakes_if_cancels`: of how many
    people each alone, by cancelling the best one, makes this the better one.
    """

    start: StartOutput
    overtakes_if_cancels: int
    overtakes_if_cancels_users: list[int] | None
    detail: str


class DecisiveOutput(msgspec.Struct):
    """How many who have not answered could each alone make another start the best, and one that
    they could.
    """

    people: int
    users: list[int] | None
    suggested_time: Moment | None
    detail: str


class InsightsOutput(msgspec.Struct):
    """All is null if nobody can come to any start. `ask`: null if nobody is required or no start is
    left. `two_sessions`: null if there are none to tell of; `no_two_sessions` says why then.
    `plan_b`: null if there is no other start.
    """

    best: StartOutput | None = None
    survives: int | None = None
    why_not_better: str | None = None
    ask: AskOutput | None = None
    two_sessions: TwoSessionsOutput | None = None
    no_two_sessions: str | None = None
    plan_b: PlanBOutput | None = None
    decisive: DecisiveOutput | None = None


def show(found: insights.Insights, duration: timedelta, *, with_names: bool) -> InsightsOutput:
    def users(people: Iterable[Person]) -> list[int] | None:
        return [person.user_id for person in people] if with_names else None

    def start(outcome: outcomes.Outcome) -> StartOutput:
        return StartOutput(
            outcome.start,
            outcome.start + duration,
            len(outcome.attending),
            len(outcome.if_need_be),
            len(outcome.cannot),
            len(outcome.missing),
            users(outcome.attending),
        )

    shown = InsightsOutput(start(found.best), found.survives, found.why_not_better)
    if ask := found.ask:
        shown.ask = AskOutput(
            ask.start,
            ask.start + duration,
            len(ask.people),
            ask.minutes,
            ask.own_short,
            len(ask.silent),
            [WantedOutput(person.user_id, begin, end) for person, begin, end in ask.wanted]
            if with_names
            else None,
            [AskFirst(person.user_id, starts) for person, starts in ask.first]
            if with_names
            else None,
            ask.detail,
        )
    if two := found.sessions:
        missing = sum(person.required for person in two.cannot)
        shown.two_sessions = TwoSessionsOutput(
            start(two.first),
            start(two.second),
            len(two.reached),
            len(two.cannot),
            missing,
            users(two.cannot),
            two.proved,
            two.detail,
        )
    shown.no_two_sessions = found.no_sessions or None
    if b := found.plan_b:
        shown.plan_b = PlanBOutput(start(b.outcome), len(b.overtakes), users(b.overtakes), b.detail)
    decisive = found.decisive
    shown.decisive = DecisiveOutput(
        len(decisive.people), users(decisive.people), decisive.start, decisive.detail
    )
    return shown


class InsightsView(View):
    @extend_schema(parameters=WHAT_IF, responses={200: InsightsOutput, 403: "not_allowed"})
    def get(self, request: Request, meeting_id: UUID) -> HttpResponse:
        """Explain the best start.

        The answer says why no start is better, what to ask of whom, which two sessions and which
        plan B there are, and whose answer still matters.

        Who is in another meeting of the calendar can't come, and is not asked for that time.

        The parameters ask what would be if the meeting were different; nothing is stored. Where the
        calendar hides answers, that takes three people other than the asker who have answered.
        """
        meeting = request.auth.meeting()
        with_names = rules.may_see_windows_of_others(request.user, meeting.calendar)
        what_if = what_if_of(request, zone_of(meeting.calendar.time_zone))
        asker, now = request.user.pk, clock.now()
        roster, scheduled = queries.people.roster_and_scheduled_of(meeting.calendar)
        group = groups.free_for(
            meeting, groups.group_for(meeting, roster), scheduled, with_names=with_names
        )
        meeting, group = suggestions.suppose(meeting, group, what_if, by=request.user)
        found = insights.insights_for(
            meeting, group, now=now, with_names=with_names, asker=asker, align=what_if.align
        )
        return json_answer(
            request,
            show(found, meeting.duration, with_names=with_names) if found else InsightsOutput(),
        )
