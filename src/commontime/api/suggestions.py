"""Suggestions, stored and computed."""

from dataclasses import dataclass
from datetime import timedelta, tzinfo
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers

from commontime.api import docs
from commontime.api.answers import json_answer, json_list, no_content
from commontime.api.body import parse
from commontime.api.docs import means
from commontime.api.fields import Instant, Moment, zone_of
from commontime.api.params import choice_param, moment_param, users_param, whole_param
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars import actions, limits, queries, rules
from commontime.calendars.models import Meeting, ScheduleSuggestion
from commontime.calendars.planning import groups, suggestions
from commontime.core import clock
from commontime.core.shapes import Fields

MOST_SUGGESTIONS = 100
MOST_STORED = 1000
WHAT_IF = [
    OpenApiParameter(
        "without",
        {"type": "array", "items": {"type": "integer"}, "maxItems": 100},
        description="User ids to leave out. Only for those who may see each answer.",
    ),
    docs.whole(
        "duration_minutes",
        "Another duration.",
        limits.DURATION_MINUTES,
    ),
    docs.moment(
        "earliest", "When it may start, whatever the meeting and the calendar say about it."
    ),
    docs.moment("latest", "When it must be over, whatever the meeting and the calendar say."),
    docs.whole(
        "quorum",
        "Starts at which this many people can come rank above all others.",
        limits.QUORUM,
    ),
    docs.whole(
        "align_minutes",
        "Compute only starts on multiples of it, by the clocks in the calendar's time zone.",
        limits.ALIGN_MINUTES,
    ),
]


class SuggestionInput(serializers.Serializer[Any]):
    suggested_time = Instant()


class SuggestionOutput(msgspec.Struct):
    id: UUID
    meeting: UUID
    author: Annotated[int | None, means("Their user id; null once their account is deleted.")]
    suggested_time: Moment
    created_at: Moment


class People(msgspec.Struct):
    """The people behind the numbers of a start, as user ids."""

    attending: list[int]
    if_need_be: list[int]
    cannot: list[int]
    unanswered: list[int]
    missing_required: list[int]


class RankedOutput(msgspec.Struct):
    """A start, with its rank and its reasons."""

    rank: Annotated[int, means("1 is the best.")]
    id: Annotated[UUID | None, means("Of the stored suggestion; null for a computed start.")]
    author: Annotated[int | None, means("The user id of who suggested it; null if computed.")]
    suggested_time: Moment
    end_time: Moment
    score: Annotated[int, means("The preference levels of all who can come, added up.")]
    attending: Annotated[
        int, means("How many can come: everybody in `if_need_be`, and all who are happy to.")
    ]
    if_need_be: Annotated[
        int, means("How many of those attending can come only if need be (level 0 to 3).")
    ]
    cannot: Annotated[int, means("How many have answered but can't come.")]
    unanswered: Annotated[int, means("How many have given no times yet.")]
    missing_required: Annotated[int, means("How many of those in `cannot` are required.")]
    reasons: Annotated[list[str], means("Sentences that explain the rank.")]
    people: Annotated[
        People | None, means("Who they are; null if the calendar hides what each answered.")
    ]
    optimistic_rank: Annotated[
        int,
        means(
            "Its rank in this list if everybody unanswered finds this start ideal and can come to "
            "no other."
        ),
    ]
    pessimistic_rank: Annotated[
        int,
        means("Its rank in this list if everybody unanswered can come to all starts but this one."),
    ]
    survives: Annotated[
        int,
        means(
            "How many people may cancel, whoever they are, before the meeting lacks its quorum or "
            "somebody required who could come. With a quorum, and no attendees named, only the "
            "quorum counts."
        ),
    ]
    loses_against_best: Annotated[
        str, means("What is worse than at the best start, in words; empty for the best.")
    ]


def show(suggestion: ScheduleSuggestion) -> Fields:
    return {
        "id": suggestion.pk,
        "meeting": suggestion.meeting_id,
        "author": suggestion.author_id,
        "suggested_time": suggestion.suggested_time,
        "created_at": suggestion.created_at,
    }


def show_ranked(
    ranked: suggestions.Suggestion, duration: timedelta, *, with_names: bool
) -> RankedOutput:
    outcome, comparison, stored = ranked.outcome, ranked.beside, ranked.stored
    assert comparison is not None
    people = {
        "attending": outcome.attending,
        "if_need_be": outcome.if_need_be,
        "cannot": outcome.cannot,
        "unanswered": outcome.unanswered,
        "missing_required": outcome.missing,
    }
    ids = {name: [person.user_id for person in group] for name, group in people.items()}
    return RankedOutput(
        rank=ranked.rank,
        id=stored.pk if stored else None,
        author=stored.author_id if stored else None,
        suggested_time=outcome.start,
        end_time=outcome.start + duration,
        score=outcome.preference,
        **{name: len(group) for name, group in people.items()},
        reasons=ranked.reasons,
        people=People(**ids) if with_names else None,
        optimistic_rank=comparison.optimistic_rank,
        pessimistic_rank=comparison.pessimistic_rank,
        survives=comparison.survives,
        loses_against_best=comparison.loses_against_best,
    )


@dataclass(frozen=True, slots=True)
class Supposition:
    """The path's meeting and people, as the query supposes them."""

    meeting: Meeting
    group: groups.Group
    align: int | None
    with_names: bool


def supposition_of(request: Request) -> Supposition:
    """Read what to suppose about the path's meeting. Nothing is stored."""
    meeting = request.auth.meeting()
    with_names = rules.may_see_windows_of_others(request.user, meeting.calendar)
    what_if = _what_if(request, zone_of(meeting.calendar.time_zone))
    roster, scheduled = queries.people.roster_and_scheduled_of(meeting.calendar)
    group = groups.group_for(meeting, roster)
    group = groups.free_for(meeting, group, scheduled, with_names=with_names)
    meeting, group = suggestions.suppose(meeting, group, what_if, by=request.user)
    return Supposition(meeting, group, what_if.align, with_names)


def _what_if(request: Request, zone: tzinfo) -> suggestions.WhatIf:
    return suggestions.WhatIf(
        without=frozenset(users_param(request, "without")),
        duration_minutes=whole_param(request, "duration_minutes", limits.DURATION_MINUTES),
        earliest=moment_param(request, "earliest", zone),
        latest=moment_param(request, "latest", zone),
        quorum=whole_param(request, "quorum", limits.QUORUM),
        align=whole_param(request, "align_minutes", limits.ALIGN_MINUTES),
    )


class Suggestions(View):
    expensive = ("GET",)

    @extend_schema(
        parameters=[
            docs.query("computed", "`only`: leave out what people suggested.", choices=["only"]),
            docs.whole(
                "limit",
                "How many computed starts at most; 10 if left out.",
                limits.Range(1, MOST_SUGGESTIONS),
            ),
            *WHAT_IF,
        ],
        responses={200: list[RankedOutput], 403: "not_allowed"},
    )
    def get(self, request: Request, meeting_id: UUID) -> HttpResponse:
        """List stored suggestions and computed starts, best first.

        Whoever is in another meeting of the calendar, or in the buffer after it, can't come then.
        Meetings in other calendars don't count. Where a calendar hides answers, no start is
        computed at which somebody required is in another meeting.

        The other parameters suppose a different meeting; nothing is stored. Where the calendar
        hides answers, at least three people besides the asker must have answered for that. With
        fewer, only the attendees and the owner see the best times.
        """
        supposed = supposition_of(request)
        limit = whole_param(request, "limit", limits.Range(1, MOST_SUGGESTIONS)) or 10
        computed_only = choice_param(request, "computed", ["only"]) == "only"
        meeting, with_names = supposed.meeting, supposed.with_names
        stored = queries.meetings.suggestions_of(meeting)[:MOST_STORED]
        ranked = suggestions.rank(
            meeting,
            supposed.group,
            [] if computed_only else list(stored),
            now=clock.now(),
            limit=limit,
            with_names=with_names,
            align=supposed.align,
        )
        return json_list(
            show_ranked(start, meeting.duration, with_names=with_names) for start in ranked
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
        """Suggest a start.

        After the deadline only the owner can.
        """
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
        meeting = request.auth.meeting()
        suggestion = queries.meetings.suggestion_for(meeting, kwargs["suggestion_id"])
        return json_answer(request, show(suggestion))

    @extend_schema(responses={204: None, 403: "not_allowed", 409: "calendar_finalized"})
    def delete(self, request: Request, meeting_id: UUID, suggestion_id: UUID) -> HttpResponse:
        """Withdraw a suggestion, as its author or the owner."""
        suggestion = queries.meetings.suggestion_for(request.auth.meeting(), suggestion_id)
        actions.withdraw_suggestion(suggestion, by=request.user)
        return no_content()
