"""Meetings: shapes, then views."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from commontime.api import docs
from commontime.api.answers import json_answer, json_list, no_content
from commontime.api.body import parse
from commontime.api.fields import Flag, Instant, Moment, Text, UserId, Whole, zone_of
from commontime.api.paging import page
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars import actions, exchange, limits, queries, rules
from commontime.calendars.enums import MeetingStatus
from commontime.calendars.models import Calendar, Meeting
from commontime.calendars.planning import groups, outcomes
from commontime.calendars.queries.people import Roster
from commontime.core import clock
from commontime.core.errors import Conflict


class MeetingInput(serializers.Serializer[Any]):
    deadline = Instant(help_text="When the time must be decided.")
    title = Text(longest=limits.NAME, required=False, allow_blank=True)
    description = Text(longest=limits.DESCRIPTION, lines=True, required=False, allow_blank=True)
    location = Text(longest=limits.PLACE, required=False, allow_blank=True)
    duration_minutes = Whole(
        required=False,
        allow_null=True,
        min_value=limits.DURATION_MINUTES.least,
        max_value=limits.DURATION_MINUTES.most,
        help_text="By default the calendar's.",
    )
    required = serializers.ListField(
        child=UserId(), required=False, max_length=limits.MOST_NAMED, help_text="User ids."
    )  # type: ignore[assignment]
    optional = serializers.ListField(
        child=UserId(), required=False, max_length=limits.MOST_NAMED, help_text="User ids."
    )
    quorum = Whole(
        required=False, allow_null=True, min_value=limits.QUORUM.least, max_value=limits.QUORUM.most
    )
    earliest = Instant(required=False, allow_null=True)
    latest = Instant(required=False, allow_null=True)
    buffer_minutes = Whole(
        required=False, min_value=limits.BUFFER_MINUTES.least, max_value=limits.BUFFER_MINUTES.most
    )
    auto_finalize = Flag(required=False)


class MeetingChange(MeetingInput):
    final_time = Instant(
        required=False, allow_null=True, help_text="Fixes or moves the meeting; null withdraws it."
    )
    strict = Flag(required=False, help_text=docs.STRICT)


class Attendee(msgspec.Struct, omit_defaults=True):
    user: int
    username: str
    first_name: str
    last_name: str
    required: bool
    answer: (
        Annotated[
            str, msgspec.Meta(extra_json_schema={"enum": ["yes", "if_need_be", "no", "unanswered"]})
        ]
        | None
    ) = None


class Answers(msgspec.Struct):
    yes: int
    if_need_be: int
    no: int
    unanswered: int


class MeetingOutput(msgspec.Struct):
    id: UUID
    calendar: UUID
    title: str
    description: str
    location: str
    deadline: Moment
    final_time: Moment | None
    end_time: Moment | None
    duration_minutes: int | None
    status: MeetingStatus
    quorum: int | None
    earliest: Moment | None
    latest: Moment | None
    buffer_minutes: int
    auto_finalize: bool
    sequence: int
    required: list[int]
    optional: list[int]
    attendees: list[Attendee]
    answers: Answers | None


class MeetingWithWarnings(MeetingOutput, omit_defaults=True):
    warnings: list[docs.Warning] = []


_OWN = [
    name
    for name in MeetingOutput.__struct_fields__
    if name not in {"calendar", "status", "required", "optional", "attendees", "answers"}
]


def show(meeting: Meeting, roster: Roster, user: User) -> MeetingOutput:
    """Show a meeting; at its final time with each attendee's answer, or only how many, by the
    calendar's visibility.
    """
    group = groups.group_for(meeting, roster)
    named = meeting.attendees
    answers = (
        outcomes.answers_at(group, meeting.final_time, meeting.duration)
        if meeting.final_time
        else {}
    )
    tells = rules.may_see_windows_of_others(user, meeting.calendar)
    counts = list(answers.values())
    return MeetingOutput(
        **{name: getattr(meeting, name) for name in _OWN},
        calendar=meeting.calendar_id,
        status=meeting.status(clock.now()),
        required=[user_id for user_id, required in named.items() if required],
        optional=[user_id for user_id, required in named.items() if not required],
        attendees=[
            Attendee(
                p.user_id,
                p.username,
                p.first_name,
                p.last_name,
                p.required,
                answers.get(p.user_id) if tells or p.user_id == user.pk else None,
            )
            for p in sorted(group.people, key=lambda person: person.username)
        ],
        answers=Answers(*(counts.count(answer) for answer in Answers.__struct_fields__))
        if meeting.final_time
        else None,
    )


class Meetings(View):
    for_owner = True

    @extend_schema(parameters=docs.PAGING, responses={200: list[MeetingOutput], 403: "not_allowed"})
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """List a calendar's meetings, in the order they were made."""
        calendar = request.auth.calendar()
        rows, links = page(
            request, queries.meetings.meetings_of(calendar), order=("created_at", "id")
        )
        roster = queries.people.roster_of(calendar)
        return json_list(
            (show(_in(meeting, calendar), roster, request.user) for meeting in rows), links
        )

    @extend_schema(
        request=MeetingInput,
        responses={201: MeetingOutput, 403: "not_allowed", 409: "calendar_finalized"},
    )
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Look for a time for a meeting, as the owner.

        Without named attendees (`required`, `optional`) it is for everybody in the calendar.
        """
        calendar = request.auth.calendar()
        meeting, roster = actions.create_meeting(
            calendar,
            by=request.user,
            **parse(MeetingInput, request, zone=zone_of(calendar.time_zone)),
        )
        body = show(meeting, roster, request.user)
        return json_answer(
            request, body, status=201, location=f"/calendars/{calendar_id}/meetings/{meeting.pk}/"
        )


class MeetingOne(View):
    single = True
    for_owner = True

    @extend_schema(responses={200: MeetingOutput, 403: "not_allowed"})
    def get(self, request: Request, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
        """Show a meeting; at its final time with who can come."""
        meeting = request.auth.meeting()
        roster = queries.people.roster_of(meeting.calendar)
        return json_answer(request, show(meeting, roster, request.user))

    @extend_schema(
        request=docs.partial(MeetingChange),
        responses={
            200: MeetingWithWarnings,
            403: "not_allowed",
            409: (
                "calendar_finalized changed_meanwhile in_the_past outside_days nobody_answered "
                "required_missing double_booked"
            ),
        },
    )
    def put(self, request: Request, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
        """Change a meeting, as the owner.

        `final_time` fixes or moves it, null withdraws it, and the attendees hear of it. A time that
        is probably not wanted (in the past, somebody required can't, somebody is elsewhere then,
        nobody answered) is a warning.
        """
        meeting = request.auth.meeting()
        data = parse(MeetingChange, request, partial=True, zone=zone_of(meeting.calendar.time_zone))
        meeting, roster, cautions = actions.edit_meeting(meeting, by=request.user, **data)
        return json_answer(
            request, show(meeting, roster, request.user), beside=docs.warned(cautions)
        )

    patch = put

    @extend_schema(
        responses={204: None, 403: "not_allowed", 409: "calendar_finalized changed_meanwhile"}
    )
    def delete(self, request: Request, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
        """Delete a meeting, as the owner.

        If it has a final time, the attendees get a calendar cancellation.
        """
        meeting = request.auth.meeting()
        actions.delete_meeting(meeting, by=request.user)
        return no_content()


class MeetingInvite(View):
    @extend_schema(
        responses={
            200: ("text/calendar", "The meeting as iCalendar."),
            403: "not_allowed",
            409: "not_scheduled",
        }
    )
    def get(self, request: Request, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
        """Get the meeting as an iCalendar file."""
        meeting = request.auth.meeting()
        if meeting.final_time is None:
            raise Conflict("This meeting has no confirmed time yet.", code="not_scheduled")
        body = exchange.invite_file(exchange.Snapshot.of(meeting))
        return HttpResponse(
            body,
            content_type="text/calendar; charset=utf-8",
            headers={"Content-Disposition": 'attachment; filename="invite.ics"'},
        )


def _in(meeting: Meeting, calendar: Calendar) -> Meeting:
    meeting.calendar = calendar
    return meeting
