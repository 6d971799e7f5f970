"""Calendars."""

from typing import Annotated, Any, Literal
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
from commontime.calendars import actions, limits, queries
from commontime.calendars.enums import Visibility
from commontime.calendars.models import Calendar
from commontime.core.errors import InvalidInput
from commontime.core.shapes import Fields

VISIBILITY = (
    "Whose times people see: `open` everybody's, `owner` their own, and the owner everybody's, "
    "`counts` only their own, and how many can come."
)


class CalendarInput(serializers.Serializer[Any]):
    name = Text(longest=limits.NAME, help_text="1 to 200 characters.")
    is_finalized = Flag(required=False, help_text="true: planning is finished, nothing changes.")
    description = Text(longest=limits.DESCRIPTION, lines=True, required=False, allow_blank=True)
    location = Text(longest=limits.PLACE, required=False, allow_blank=True)
    time_zone = Text(
        longest=limits.TIME_ZONE,
        required=False,
        help_text="An IANA name. Times without an offset are read in it.",
    )
    duration_minutes = Whole(
        required=False,
        within=limits.DURATION_MINUTES,
        help_text="How long its meetings last if they don't say so themselves.",
    )
    visibility = serializers.ChoiceField(Visibility.choices, required=False, help_text=VISIBILITY)
    window_start = Instant(
        required=False, allow_null=True, help_text="When its meetings may start, at the earliest."
    )
    window_end = Instant(
        required=False, allow_null=True, help_text="When its meetings must be over, at the latest."
    )


class CalendarChange(CalendarInput):
    strict = Flag(required=False, help_text=docs.STRICT)


class TransferInput(serializers.Serializer[Any]):
    user = UserId(help_text="A participant.")


class DuplicateInput(serializers.Serializer[Any]):
    shift_days = Whole(required=False, default=0, help_text="How many days later; may be below 0.")


class CalendarOutput(msgspec.Struct):
    id: UUID
    owner: Annotated[int, means("Their user id.")]
    name: str
    is_finalized: Annotated[bool, means("Whether planning is finished, so that nothing changes.")]
    description: str
    location: str
    time_zone: Annotated[str, means("Times without an offset are read in it.")]
    duration_minutes: Annotated[
        int, means("How long its meetings last if they don't say so themselves.")
    ]
    visibility: Annotated[Visibility, means(VISIBILITY)]
    window_start: Annotated[Moment | None, means("When its meetings may start, at the earliest.")]
    window_end: Annotated[Moment | None, means("When its meetings must be over, at the latest.")]
    created_at: Moment
    my_role: Literal["owner", "participant"]


class CalendarWithWarnings(CalendarOutput, omit_defaults=True):
    warnings: list[docs.Warning] = []


class CalendarListed(CalendarOutput):
    answered: Annotated[bool, means("Whether you have given any times.")]
    participant_count: Annotated[int, means("How many people take part, you included.")]
    meeting_count: int


_STORED = [name for name in CalendarOutput.__struct_fields__ if name not in ("owner", "my_role")]


def show(calendar: Calendar, user: User) -> Fields:
    shape = {name: getattr(calendar, name) for name in _STORED}
    role = "owner" if calendar.owner_id == user.pk else "participant"
    return {**shape, "owner": calendar.owner_id, "my_role": role}


def show_listed(calendar: Any, user: User) -> Fields:
    counts = ("answered", "participant_count", "meeting_count")
    return {**show(calendar, user), **{name: getattr(calendar, name) for name in counts}}


class Calendars(View):
    @extend_schema(
        parameters=[
            docs.query(
                "role",
                "`owner`, `participant`, or both with a comma.",
                pattern="^(owner|participant)(,(owner|participant))?$",
            ),
            *docs.PAGING,
        ],
        responses={200: list[CalendarListed]},
    )
    def get(self, request: Request) -> HttpResponse:
        """List the calendars you own or take part in, the newest first."""
        rows, links = page(
            request,
            queries.calendars.calendar_list_for(request.user, _roles(request)),
            order=("-created_at", "id"),
        )
        return json_list((show_listed(calendar, request.user) for calendar in rows), links)

    @extend_schema(request=CalendarInput, responses={201: CalendarOutput})
    def post(self, request: Request) -> HttpResponse:
        """Create a calendar; you own it and are its first participant."""
        data = parse(CalendarInput, request, zone=_zone_sent(request))
        calendar = actions.create_calendar(by=request.user, **data)
        return json_answer(
            request, show(calendar, request.user), status=201, location=f"/calendars/{calendar.pk}/"
        )


class CalendarOne(View):
    single = True
    for_owner = True

    @extend_schema(responses={200: CalendarOutput, 403: "not_allowed"})
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Show a calendar."""
        return json_answer(request, show(request.auth.calendar(), request.user))

    @extend_schema(
        request=docs.partial(CalendarChange),
        responses={
            200: CalendarWithWarnings,
            403: "not_allowed",
            409: "changed_meanwhile meeting_still_open",
        },
    )
    def put(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Change a calendar, as its owner.

        `is_finalized: true` finishes planning: times, suggestions, people and meetings stay as they
        are, and everybody is told the final times. There is a warning for each meeting without one.
        `false` reopens the calendar.
        """
        calendar = request.auth.calendar()
        data = parse(CalendarChange, request, partial=True, zone=zone_of(calendar.time_zone))
        calendar, cautions = actions.edit_calendar(calendar, by=request.user, **data)
        return json_answer(request, show(calendar, request.user), beside=docs.warned(cautions))

    patch = put

    @extend_schema(responses={204: None, 403: "not_allowed"})
    def delete(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Delete a calendar, as its owner.

        Everybody in it gets one email, which cancels the scheduled meetings.
        """
        calendar = request.auth.calendar()
        actions.delete_calendar(calendar, by=request.user)
        return no_content()


class CalendarTransfer(View):
    # Not for_owner: once it is done, whoever sends it again is no longer the owner.

    @extend_schema(
        request=TransferInput,
        responses={200: CalendarOutput, 403: "not_allowed", 409: "changed_meanwhile"},
    )
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Make a participant the owner."""
        calendar = request.auth.calendar()
        calendar = actions.transfer_calendar(
            calendar, by=request.user, to=parse(TransferInput, request)["user"]
        )
        return json_answer(request, show(calendar, request.user))


class CalendarDuplicate(View):
    for_owner = True

    @extend_schema(request=DuplicateInput, responses={201: CalendarOutput, 403: "not_allowed"})
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Duplicate a calendar, `shift_days` days later, as its owner.

        The copy has the same settings and the same meetings without final times. The people are
        invited to it.
        """
        calendar = request.auth.calendar()
        copy = actions.duplicate_calendar(
            calendar, by=request.user, shift_days=parse(DuplicateInput, request)["shift_days"]
        )
        return json_answer(
            request, show(copy, request.user), status=201, location=f"/calendars/{copy.pk}/"
        )


def _roles(request: Request) -> set[str]:
    roles = {
        role.strip() for role in request.query_params.get("role", "owner,participant").split(",")
    }
    if not roles <= {"owner", "participant"}:
        raise InvalidInput(
            "role must be owner, participant, or both separated by a comma.", field="role"
        )
    return roles


def _zone_sent(request: Request) -> Any:
    """Return the zone for times sent with a new calendar.

    None if it is unknown: the action refuses it.
    """
    try:
        return zone_of(request.data.get("time_zone") or queries.calendars.home_zone(request.user))
    except (KeyError, ValueError, TypeError, OSError):
        return None
