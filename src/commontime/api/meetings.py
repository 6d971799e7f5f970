"""Meetings."""

from collections import Counter
from collections.abc import Mapping
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
from commontime.api.docs import means
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
    deadline = Instant(help_text="When people must have answered.")
    title = Text(
        longest=limits.NAME,
        required=False,
        allow_blank=True,
        help_text="Without one, the meeting is called like its calendar.",
    )
    description = Text(longest=limits.DESCRIPTION, lines=True, required=False, allow_blank=True)
    location = Text(longest=limits.PLACE, required=False, allow_blank=True)
    duration_minutes = Whole(
        required=False,
        allow_null=True,
        within=limits.DURATION_MINUTES,
        help_text="By default the calendar's.",
    )
    required = serializers.ListField(
        child=UserId(),
        required=False,
        max_length=limits.MOST_NAMED,
        help_text="User ids of attendees who must come.",
    )  # type: ignore[assignment]
    optional = serializers.ListField(
        child=UserId(),
        required=False,
        max_length=limits.MOST_NAMED,
        help_text="User ids of attendees who may come.",
    )
    quorum = Whole(
        required=False, allow_null=True, within=limits.QUORUM, help_text="How many have to come."
    )
    earliest = Instant(required=False, allow_null=True, help_text="When it may start.")
    latest = Instant(required=False, allow_null=True, help_text="When it must be over.")
    buffer_minutes = Whole(
        required=False,
        within=limits.BUFFER_MINUTES,
        help_text="How long its attendees are kept free after it.",
    )
    auto_finalize = Flag(
        required=False,
        help_text="true: choose the best time at the deadline, if the quorum can come then.",
    )


class MeetingChange(MeetingInput):
    final_time = Instant(
        required=False,
        allow_null=True,
        help_text="Confirms or moves the meeting; null withdraws its time.",
    )
    strict = Flag(required=False, help_text=docs.STRICT)


AttendeeAnswer = Annotated[
    str, msgspec.Meta(extra_json_schema={"enum": ["yes", "if_need_be", "no", "unanswered"]})
]


class Attendee(msgspec.Struct, omit_defaults=True):
    user: int
    username: str
    first_name: str
    last_name: str
    required: Annotated[bool, means("Whether the meeting needs this person.")]
    answer: Annotated[
        AttendeeAnswer | None,
        means("For the final time. Missing if there is none, or if the calendar hides it."),
    ] = None


class Answers(msgspec.Struct):
    """How many attendees can come at the final time."""

    yes: int
    if_need_be: int
    no: int
    unanswered: int


class MeetingOutput(msgspec.Struct):
    id: UUID
    calendar: UUID
    title: Annotated[str, means("If it is empty, the meeting is called like its calendar.")]
    description: str
    location: str
    deadline: Annotated[Moment, means("When people must have answered.")]
    final_time: Annotated[Moment | None, means("When the meeting starts, once that is chosen.")]
    end_time: Annotated[Moment | None, means("When it ends, once its final time is chosen.")]
    duration_minutes: Annotated[int | None, means("null: the calendar's.")]
    status: Annotated[
        MeetingStatus,
        means(
            "`scheduled` with a final time. Without one `open` until the deadline, then `closed`."
        ),
    ]
    quorum: Annotated[int | None, means("How many have to come.")]
    earliest: Annotated[Moment | None, means("When it may start; null: see the calendar.")]
    latest: Annotated[Moment | None, means("When it must be over; null: see the calendar.")]
    buffer_minutes: Annotated[int, means("How long its attendees are kept free after it.")]
    auto_finalize: Annotated[
        bool, means("Whether the best time is chosen at the deadline, if the quorum can come.")
    ]
    sequence: Annotated[
        int, means("The SEQUENCE of its calendar invitation. It grows with every change sent.")
    ]
    required: Annotated[
        list[int],
        means(
            "User ids of the attendees who must come. This and `optional` are empty if the meeting "
            "is for everybody in the calendar."
        ),
    ]
    optional: Annotated[list[int], means("User ids of the attendees who may come.")]
    attendees: Annotated[list[Attendee], means("Everybody the meeting is for.")]
    answers: Annotated[Answers | None, means("null without a final time.")]


class MeetingWithWarnings(MeetingOutput, omit_defaults=True):
    warnings: list[docs.Warning] = []


_STORED = [
    name
    for name in MeetingOutput.__struct_fields__
    if name not in {"calendar", "status", "required", "optional", "attendees", "answers"}
]


def show(meeting: Meeting, roster: Roster, user: User) -> MeetingOutput:
    """Show a meeting, with as much of each answer as the calendar's visibility allows."""
    group = groups.group_for(meeting, roster)
    answers: dict[int, str] = {}
    if meeting.final_time:
        answers = outcomes.answers_at(group, meeting.final_time, meeting.duration)
    sees_others = rules.may_see_windows_of_others(user, meeting.calendar)
    visible = {who: answer for who, answer in answers.items() if sees_others or who == user.pk}
    is_required = meeting.attendees
    return MeetingOutput(
        **{name: getattr(meeting, name) for name in _STORED},
        calendar=meeting.calendar_id,
        status=meeting.status(clock.now()),
        required=[user_id for user_id, required in is_required.items() if required],
        optional=[user_id for user_id, required in is_required.items() if not required],
        attendees=_attendees(group, visible),
        answers=_count(answers) if meeting.final_time else None,
    )


def _attendees(group: groups.Group, answers: Mapping[int, str]) -> list[Attendee]:
    return [
        Attendee(
            person.user_id,
            person.username,
            person.first_name,
            person.last_name,
            person.required,
            answers.get(person.user_id),
        )
        for person in sorted(group.people, key=lambda person: person.username)
    ]


def _count(answers: Mapping[int, str]) -> Answers:
    counts = Counter(answers.values())
    return Answers(*(counts[answer] for answer in Answers.__struct_fields__))


class Meetings(View):
    for_owner = True

    @extend_schema(parameters=docs.PAGING, responses={200: list[MeetingOutput], 403: "not_allowed"})
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """List a calendar's meetings, in the order in which they were added."""
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
        """Add a meeting that needs a time, as the owner.

        Without attendees (`required`, `optional`) it is for everybody in the calendar.
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
        """Show a meeting, and who can come at its final time."""
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
            429: "too_many_requests",
        },
    )
    def put(self, request: Request, calendar_id: UUID, meeting_id: UUID) -> HttpResponse:
        """Change a meeting, as the owner.

        `final_time` confirms or moves it, and null withdraws its time; the attendees get an email.
        There is a warning if the time is in the past or outside the calendar's days, if somebody
        required can't come or is in another meeting, or if nobody has answered. Of other meetings
        you hear only for people who take part by their own doing, at most 60 times an hour. The
        warning `mails_wait` says that you caused 200 emails today: the others go out later.
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
