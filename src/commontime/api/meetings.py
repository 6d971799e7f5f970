"""Meetings: shapes, then views."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.contrib.auth.models import User
from django.http import HttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from commontime.api import docs
from commontime.api.base import Request, View, gone, is_strict, listed, page, parse, require_match, shown
from commontime.api.calendars import LONGEST_MEETING
from commontime.api.fields import Flag, Instant, Text, UserId, Whole, zone_of
from commontime.calendars import actions, exchange, planning, queries, rules
from commontime.calendars.models import Calendar, Meeting
from commontime.core import clock
from commontime.core.errors import Conflict

MOST_NAMED = 1000


class MeetingInput(serializers.Serializer[Any]):
    deadline = Instant(help_text="When the time must be decided.")
    title = Text(longest=200, required=False, allow_blank=True)
    description = Text(longest=10_000, lines=True, required=False, allow_blank=True)
    location = Text(longest=200, required=False, allow_blank=True)
    duration_minutes = Whole(
        required=False, allow_null=True, min_value=1, max_value=LONGEST_MEETING, help_text="By default the calendar's."
    )
    required = serializers.ListField(child=UserId(), required=False, max_length=MOST_NAMED, help_text="User ids.")  # type: ignore[assignment]
    optional = serializers.ListField(child=UserId(), required=False, max_length=MOST_NAMED, help_text="User ids.")
    quorum = Whole(required=False, allow_null=True, min_value=1, max_value=MOST_NAMED)
    earliest = Instant(required=False, allow_null=True)
    latest = Instant(required=False, allow_null=True)
    buffer_minutes = Whole(required=False, min_value=0, max_value=24 * 60)
    auto_finalize = Flag(required=False)


class MeetingChange(MeetingInput):
    final_time = Instant(required=False, allow_null=True, help_text="Fixes or moves the meeting; null withdraws it.")


class Attendee(msgspec.Struct, omit_defaults=True):
    user: int
    username: str
    first_name: str
    last_name: str
    required: bool
    answer: str | None = None


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
    deadline: datetime
    final_time: datetime | None
    end_time: datetime | None
    duration_minutes: int | None
    status: str
    quorum: int | None
    earliest: datetime | None
    latest: datetime | None
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
    name for name in MeetingOutput.__struct_fields__ if name not in {"calendar", "status", "required", "optional", "attendees", "answers"}
]


def show(meeting: Meeting, user: User) -> MeetingOutput:
    """Show a meeting; at its final time with each attendee's answer, or only how many, by the calendar's visibility."""
    group = planning.group_for(meeting)
    named = planning.named_in(meeting)
    answers = planning.answers_at(group, meeting.final_time, meeting.duration) if meeting.final_time else {}
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
        answers=Answers(*(counts.count(answer) for answer in Answers.__struct_fields__)) if meeting.final_time else None,
    )


class Meetings(View):
    @extend_schema(parameters=docs.PAGING, responses={200: list[MeetingOutput]})
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        calendar = queries.calendar_for(request.user, calendar_id)
        rows, links = page(request, queries.meetings_of(calendar), order=("created_at", "id"))
        return listed(request, (show(_in(meeting, calendar), request.user) for meeting in rows), links)

    @extend_schema(request=MeetingInput, responses={201: MeetingOutput})
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        calendar = queries.calendar_for(request.user, calendar_id)
        meeting = actions.create_meeting(calendar, by=request.user, **parse(MeetingInput, request, zone=zone_of(calendar.time_zone)))
        body = show(meeting, request.user)
        return shown(request, body, status=201, location=f"/calendars/{calendar_id}/meetings/{meeting.pk}/")


class MeetingOne(View):
    @extend_schema(responses={200: MeetingOutput})
    def get(self, request: Request, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
        meeting = queries.meeting_for(request.user, meeting_id, calendar_id=calendar_id)
        return shown(request, show(meeting, request.user))

    @extend_schema(request=docs.partial(MeetingChange), responses={200: MeetingWithWarnings})
    def put(self, request: Request, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
        meeting = queries.meeting_for(request.user, meeting_id, calendar_id=calendar_id)
        data = parse(MeetingChange, request, partial=True, zone=zone_of(meeting.calendar.time_zone))
        require_match(request, lambda: show(meeting, request.user))
        meeting, cautions = actions.edit_meeting(meeting, by=request.user, strict=is_strict(request), **data)
        body = msgspec.structs.asdict(show(meeting, request.user))
        return shown(request, {**body, **docs.warned(cautions)})

    patch = put

    @extend_schema(responses={204: None})
    def delete(self, request: Request, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
        meeting = queries.meeting_for(request.user, meeting_id, calendar_id=calendar_id)
        require_match(request, lambda: show(meeting, request.user))
        actions.delete_meeting(meeting, by=request.user)
        return gone()


class MeetingInvite(View):
    @extend_schema(responses={(200, "text/calendar"): OpenApiTypes.BINARY})
    def get(self, request: Request, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
        meeting = queries.meeting_for(request.user, meeting_id, calendar_id=calendar_id)
        if meeting.final_time is None:
            raise Conflict("This meeting has no final time yet.", code="not_scheduled")
        body = exchange.invite_file(exchange.Snapshot.of(meeting))
        return HttpResponse(
            body, content_type="text/calendar; charset=utf-8", headers={"Content-Disposition": 'attachment; filename="invite.ics"'}
        )


def _in(meeting: Meeting, calendar: Calendar) -> Meeting:
    meeting.calendar = calendar
    return meeting
