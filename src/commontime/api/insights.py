"""What is behind a meeting's best start.

People are named where the calendar lets the asker see answers.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Annotated
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema

from commontime.api.answers import json_answer
from commontime.api.docs import means
from commontime.api.fields import Moment
from commontime.api.request import Request
from commontime.api.suggestions import WHAT_IF, supposition_of
from commontime.api.view import View
from commontime.calendars.planning.insights import (
    Ask,
    Decisive,
    Insights,
    PlanB,
    SessionPair,
    insights_for,
)
from commontime.calendars.planning.outcomes import Outcome
from commontime.calendars.queries.people import Person
from commontime.core import clock


class StartOutput(msgspec.Struct):
    """A start, and how many can come."""

    suggested_time: Moment
    end_time: Moment
    attending: Annotated[int, means("How many can come; those in `if_need_be` are among them.")]
    if_need_be: Annotated[int, means("How many of those attending can come only if need be.")]
    cannot: Annotated[int, means("How many have answered but can't come.")]
    missing_required: Annotated[int, means("How many of those in `cannot` are required.")]
    attending_users: Annotated[
        list[int] | None,
        means("Who can come, as user ids; null if the calendar hides what each answered."),
    ]


class WantedOutput(msgspec.Struct):
    """Time that a person would have to add."""

    user: int
    start_time: Moment
    end_time: Moment


class AskFirst(msgspec.Struct):
    """Somebody who alone is in the way of a start that suits all others required."""

    user: int
    starts: Annotated[
        int,
        means(
            "How many more starts would suit everybody required with them. Every minute is a "
            "start, or with `align_minutes` only its multiples."
        ),
    ]


class AskOutput(msgspec.Struct):
    """What to ask for, so that everybody required who has answered can come at one start.

    No other start needs time of fewer people, or fewer minutes of as many.
    """

    suggested_time: Moment
    end_time: Moment
    people: Annotated[int, means("How many people would have to add time.")]
    minutes: Annotated[int, means("How much time, of all of them together.")]
    own_minutes_short: Annotated[
        int, means("How much time the owner lacks. Above 0, asking others can't help.")
    ]
    unanswered_required: Annotated[
        int, means("How many required people haven't answered: ask them first.")
    ]
    wanted: Annotated[
        list[WantedOutput] | None,
        means("Of whom which time is wanted; null if the calendar hides what each answered."),
    ]
    ask_first: Annotated[
        list[AskFirst] | None,
        means("Whom to ask first; null if the calendar hides what each answered."),
    ]
    detail: Annotated[str, means("The same in words.")]


class TwoSessionsOutput(msgspec.Struct):
    """The two starts that together reach the most people."""

    first: StartOutput
    second: StartOutput
    reached: Annotated[int, means("How many can come to at least one of them.")]
    cannot: Annotated[int, means("How many can come to neither.")]
    missing_required: Annotated[int, means("How many of those in `cannot` are required.")]
    cannot_users: Annotated[
        list[int] | None,
        means("Who can come to neither; null if the calendar hides what each answered."),
    ]
    proved: Annotated[bool, means("Whether it is proved that no other two starts are better.")]
    detail: Annotated[str, means("The same in words.")]


class PlanBOutput(msgspec.Struct):
    """The best of the starts that don't overlap with the best one."""

    start: StartOutput
    overtakes_if_cancels: Annotated[
        int,
        means("How many people could each make this the better start, by cancelling the best one."),
    ]
    overtakes_if_cancels_users: Annotated[
        list[int] | None, means("Who they are; null if the calendar hides what each answered.")
    ]
    detail: Annotated[str, means("The same in words.")]


class DecisiveOutput(msgspec.Struct):
    """The people whose missing answer could still change the best start."""

    people: Annotated[
        int, means("How many unanswered people could each alone make another start the best.")
    ]
    users: Annotated[
        list[int] | None, means("Who they are; null if the calendar hides what each answered.")
    ]
    suggested_time: Annotated[Moment | None, means("A start that they could make the best.")]
    detail: Annotated[str, means("The same in words.")]


class InsightsOutput(msgspec.Struct):
    """What is known about the best start.

    Everything is null if nobody can come to any start.
    """

    best: StartOutput | None = None
    survives: Annotated[
        int | None,
        means(
            "How many people may cancel, whoever they are, before the meeting lacks its quorum or "
            "somebody required who could come."
        ),
    ] = None
    why_not_better: Annotated[str | None, means("Why no start is better, in words.")] = None
    ask: Annotated[AskOutput | None, means("null if nobody is required, or no start is left.")] = (
        None
    )
    two_sessions: Annotated[
        TwoSessionsOutput | None, means("null if two sessions are no use; see the next field.")
    ] = None
    no_two_sessions: Annotated[
        str | None, means("Why `two_sessions` is null, in words; null if it isn't.")
    ] = None
    plan_b: Annotated[PlanBOutput | None, means("null if there is no other start.")] = None
    decisive: DecisiveOutput | None = None


@dataclass(frozen=True, slots=True)
class _Writer:
    """Writes insights as shapes, with or without user ids."""

    duration: timedelta
    with_names: bool

    def insights(self, insights: Insights) -> InsightsOutput:
        return InsightsOutput(
            best=self.start(insights.best),
            survives=insights.survives,
            why_not_better=insights.why_not_better,
            ask=self.ask(insights.ask) if insights.ask else None,
            two_sessions=self.two_sessions(insights.sessions) if insights.sessions else None,
            no_two_sessions=insights.no_sessions or None,
            plan_b=self.plan_b(insights.plan_b) if insights.plan_b else None,
            decisive=self.decisive(insights.decisive),
        )

    def users(self, people: Iterable[Person]) -> list[int] | None:
        return [person.user_id for person in people] if self.with_names else None

    def start(self, outcome: Outcome) -> StartOutput:
        return StartOutput(
            suggested_time=outcome.start,
            end_time=outcome.start + self.duration,
            attending=len(outcome.attending),
            if_need_be=len(outcome.if_need_be),
            cannot=len(outcome.cannot),
            missing_required=len(outcome.missing),
            attending_users=self.users(outcome.attending),
        )

    def ask(self, ask: Ask) -> AskOutput:
        wanted = [WantedOutput(person.user_id, start, end) for person, start, end in ask.wanted]
        first = [AskFirst(person.user_id, starts) for person, starts in ask.first]
        return AskOutput(
            suggested_time=ask.start,
            end_time=ask.start + self.duration,
            people=len(ask.people),
            minutes=ask.minutes,
            own_minutes_short=ask.own_short,
            unanswered_required=len(ask.silent),
            wanted=wanted if self.with_names else None,
            ask_first=first if self.with_names else None,
            detail=ask.detail,
        )

    def two_sessions(self, pair: SessionPair) -> TwoSessionsOutput:
        return TwoSessionsOutput(
            first=self.start(pair.first),
            second=self.start(pair.second),
            reached=len(pair.reached),
            cannot=len(pair.cannot),
            missing_required=sum(person.required for person in pair.cannot),
            cannot_users=self.users(pair.cannot),
            proved=pair.proved,
            detail=pair.detail,
        )

    def plan_b(self, plan_b: PlanB) -> PlanBOutput:
        return PlanBOutput(
            start=self.start(plan_b.outcome),
            overtakes_if_cancels=len(plan_b.overtakes),
            overtakes_if_cancels_users=self.users(plan_b.overtakes),
            detail=plan_b.detail,
        )

    def decisive(self, decisive: Decisive) -> DecisiveOutput:
        return DecisiveOutput(
            people=len(decisive.people),
            users=self.users(decisive.people),
            suggested_time=decisive.start,
            detail=decisive.detail,
        )


class InsightsView(View):
    expensive = ("GET",)

    @extend_schema(parameters=WHAT_IF, responses={200: InsightsOutput, 403: "not_allowed"})
    def get(self, request: Request, meeting_id: UUID) -> HttpResponse:
        """Explain the best start.

        The answer says why no start is better, what to ask of whom, which two sessions and which
        plan B there are, and whose answer still matters. Whoever is in another meeting of the
        calendar can't come then, and isn't asked for that time.

        The parameters suppose a different meeting; nothing is stored. Where the calendar hides
        answers, at least three people besides the asker must have answered for that.
        """
        supposed = supposition_of(request)
        meeting, with_names = supposed.meeting, supposed.with_names
        insights = insights_for(
            meeting,
            supposed.group,
            now=clock.now(),
            with_names=with_names,
            asker=request.user.pk,
            align=supposed.align,
        )
        if insights is None:
            return json_answer(request, InsightsOutput())
        return json_answer(request, _Writer(meeting.duration, with_names).insights(insights))
