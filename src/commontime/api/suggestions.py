"""Suggestions, stored and computed: shapes, then views."""

from datetime import datetime, tzinfo
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers

from commontime.api import docs
from commontime.api.answers import json_answer, json_list, no_content
from commontime.api.body import parse
from commontime.api.fields import Instant, Moment, zone_of
from commontime.api.params import moment_param, users_param, whole_param
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars import actions, limits, queries, rules
from commontime.calendars.models import ScheduleSuggestion
from commontime.calendars.planning import groups, suggestions
from commontime.core import clock
from commontime.core.errors import InvalidInput

MOST_SUGGESTIONS = 100
WHAT_IF = [
    OpenApiParameter(
        "without",
        {"type": "array", "items": {"type": "integer"}, "maxItems": 100},
        description="Ids of users to leave out; only for who may see each answer.",
    ),
    docs.whole(
        "duration_minutes",
        "Another duration.",
        least=limits.DURATION_MINUTES.least,
        most=limits.DURATION_MINUTES.most,
    ),
    docs.moment(
        "earliest", "When it may start, in place of what the meeting and the calendar say."
    ),
    docs.moment(
        "latest", "By when it must have ended, in place of what the meeting and the calendar say."
    ),
    docs.whole(
        "quorum",
        "Starts at which so many can come are better than all others.",
        least=limits.QUORUM.least,
        most=limits.QUORUM.most,
    ),
    docs.whole(
        "align_minutes",
        "Compute only starts on multiples of it, by clocks in the calendar's zone.",
        least=limits.ALIGN_MINUTES.least,
        most=limits.ALIGN_MINUTES.most,
    ),
]


class SuggestionInput(serializers.Serializer[Any]):
    suggested_time = Instant()


class SuggestionOutput(msgspec.Struct):
    id: UUID
    meeting: UUID
    author: int | None
    suggested_time: Moment
    created_at: Moment


class People(msgspec.Struct):
    """User ids."""

    attending: list[int]
    if_need_be: list[int]
    cannot: list[int]
    unanswered: list[int]
    missing_required: list[int]


class RankedOutput(msgspec.Struct):
    """A start with its rank. `id` and `author` are null if it was computed and nobody stored it;
    `people` if the calendar hides answers.

    `optimistic_rank`: its place in this list if all who have not answered come to it, ideally, and
    to no other; `pessimistic_rank`: if they come to all the others instead. `survives`: how many
    may cancel and the meeting still has what it needs: its quorum, and everybody required (without
    a quorum, or named for it) who could come. `loses_against_best`: in words; empty for the best
    one.
    """

    rank: int
    id: UUID | None
    author: int | None
    suggested_time: Moment
    end_time: Moment
    score: int
    attending: int
    if_need_be: int
    cannot: int
    unanswered: int
    missing_required: int
    reasons: list[str]
    people: People | None
    optimistic_rank: int
    pessimistic_rank: int
    survives: int
    loses_against_best: str


def show(suggestion: ScheduleSuggestion) -> dict[str, Any]:
    return {
        "id": suggestion.pk,
        "meeting": suggestion.meeting_id,
        "author": suggestion.author_id,
        "suggested_time": suggestion.suggested_time,
        "created_at": suggestion.created_at,
    }


def show_ranked(
    ranked: suggestions.Suggestion, end_time: datetime, *, with_names: bool
) -> RankedOutput:
    outcome, beside = ranked.outcome, ranked.beside
    assert beside is not None
    lists = {
        "attending": outcome.attending,
        "if_need_be": outcome.if_need_be,
        "cannot": outcome.cannot,
        "unanswered": outcome.unanswered,
        "missing_required": outcome.missing,
    }
    return RankedOutput(
        rank=ranked.rank,
        id=ranked.stored.pk if ranked.stored else None,
        author=ranked.stored.author_id if ranked.stored else None,
        suggested_time=outcome.start,
        end_time=end_time,
        score=outcome.preference,
        reasons=ranked.reasons,
        people=People(
            **{name: [person.user_id for person in people] for name, people in lists.items()}
        )
        if with_names
        else None,
        optimistic_rank=beside.optimistic_rank,
        pessimistic_rank=beside.pessimistic_rank,
        survives=beside.survives,
        loses_against_best=beside.loses_against_best,
        **{name: len(people) for name, people in lists.items()},
    )


class Suggestions(View):
    @extend_schema(
        parameters=[
            docs.query("computed", "`only`: without those that people stored.", choices=["only"]),
            docs.whole(
                "limit",
                "How many computed ones at most; 10 if left out.",
                least=1,
                most=MOST_SUGGESTIONS,
            ),
            *WHAT_IF,
        ],
        responses={200: list[RankedOutput], 403: "not_allowed"},
    )
    def get(self, request: Request, meeting_id: UUID) -> HttpResponse:
        """List stored suggestions and computed starts, best first.

        Each has its reasons. Who is in another meeting of the calendar, or in the buffer after it, can't come; other
        calendars are not told of. Where a calendar hides answers, no start is offered at which
        somebody required is.

        The other parameters ask what would be if the meeting were different; nothing is stored.
        Where the calendar hides answers, that takes three people other than the asker who have
        answered; the best times of so few are for them and the owner.
        """
        meeting = request.auth.meeting()
        limit = whole_param(request, "limit", least=1, most=MOST_SUGGESTIONS) or 10
        stored = (
            [] if _computed_only(request) else list(queries.meetings.suggestions_of(meeting)[:1000])
        )
        with_names = rules.may_see_windows_of_others(request.user, meeting.calendar)
        what_if = what_if_of(request, zone_of(meeting.calendar.time_zone))
        now = clock.now()
        roster, scheduled = queries.people.roster_and_scheduled_of(meeting.calendar)
        group = groups.free_for(
            meeting, groups.group_for(meeting, roster), scheduled, with_names=with_names
        )
        meeting, group = suggestions.suppose(meeting, group, what_if, by=request.user)
        found = suggestions.rank(
            meeting, group, stored, now=now, limit=limit, with_names=with_names, align=what_if.align
        )
        return json_list(
            (
                show_ranked(ranked, ranked.outcome.start + meeting.duration, with_names=with_names)
                for ranked in found
            ),
        )

    @extend_schema(
        request=SuggestionInput,
        responses={
            201: SuggestionOutput,
            403: "not_allowed",
            409: "calendar_finalized deadline_passed duplicate_suggestion meeting_scheduled",
        },
    )
    def post(self, request: Request, meeting_id: UUID) -> HttpResponse:
        """Suggest a start. After the deadline only the owner can."""
        meeting = request.auth.meeting()
        data = parse(SuggestionInput, request, zone=zone_of(meeting.calendar.time_zone))
        suggestion = actions.suggest_time(meeting, by=request.user, **data)
        return json_answer(
            request,
            show(suggestion),
            status=201,
            location=f"/calendars/meetings/{meeting_id}/suggestions/",
        )


class SuggestionOne(View):
    single = True

    def present(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponse:
        return json_answer(
            request,
            show(queries.meetings.suggestion_for(request.auth.meeting(), kwargs["suggestion_id"])),
        )

    @extend_schema(responses={204: None, 403: "not_allowed", 409: "calendar_finalized"})
    def delete(self, request: Request, meeting_id: UUID, suggestion_id: UUID) -> HttpResponse:
        """Withdraw a suggestion, as its author or the owner."""
        actions.withdraw_suggestion(
            queries.meetings.suggestion_for(request.auth.meeting(), suggestion_id),
            by=request.user,
        )
        return no_content()


def what_if_of(request: Request, zone: tzinfo) -> suggestions.WhatIf:
    return suggestions.WhatIf(
        without=frozenset(users_param(request, "without")),
        duration_minutes=whole_param(
            request,
            "duration_minutes",
            least=limits.DURATION_MINUTES.least,
            most=limits.DURATION_MINUTES.most,
        ),
        earliest=moment_param(request, "earliest", zone),
        latest=moment_param(request, "latest", zone),
        quorum=whole_param(request, "quorum", least=limits.QUORUM.least, most=limits.QUORUM.most),
        align=whole_param(
            request,
            "align_minutes",
            least=limits.ALIGN_MINUTES.least,
            most=limits.ALIGN_MINUTES.most,
        ),
    )


def _computed_only(request: Request) -> bool:
    computed = request.query_params.get("computed", "")
    if computed not in ("", "only"):
        raise InvalidInput("computed must be `only`, or left out.", field="computed")
    return computed == "only"
