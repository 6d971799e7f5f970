"""Calendars: shapes, then views."""

from typing import Any, Literal
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
from commontime.calendars import actions, limits, queries
from commontime.calendars.enums import Visibility
from commontime.calendars.models import Calendar
from commontime.core.errors import InvalidInput


class CalendarInput(serializers.Serializer[Any]):
    name = Text(longest=limits.NAME, help_text="1 to 200 characters.")
    is_finalized = Flag(required=False)
    description = Text(longest=limits.DESCRIPTION, lines=True, required=False, allow_blank=True)
    location = Text(longest=limits.PLACE, required=False, allow_blank=True)
    time_zone = Text(
        longest=64,
        required=False,
        help_text="IANA name. Naive times in this calendar are read in it.",
    )
    duration_minutes = Whole(
        required=False,
        min_value=limits.DURATION_MINUTES.least,
        max_value=limits.DURATION_MINUTES.most,
    )
    visibility = serializers.ChoiceField(Visibility.choices, required=False)
    window_start = Instant(required=False, allow_null=True)
    window_end = Instant(required=False, allow_null=True)


class CalendarChange(CalendarInput):
    strict = Flag(required=False, help_text=docs.STRICT)


class TransferInput(serializers.Serializer[Any]):
    user = UserId()


class DuplicateInput(serializers.Serializer[Any]):
    shift_days = Whole(required=False, default=0)


class CalendarOutput(msgspec.Struct):
    id: UUID
    owner: int
    name: str
    is_finalized: bool
    description: str
    location: str
    time_zone: str
    duration_minutes: int
    visibility: Visibility
    window_start: Moment | None
    window_end: Moment | None
    created_at: Moment
    my_role: Literal["owner", "participant"]


class CalendarWithWarnings(CalendarOutput, omit_defaults=True):
    warnings: list[docs.Warning] = []


class CalendarListed(CalendarOutput):
    answered: bool
    participant_count: int
    meeting_count: int


FIELDS = [name for name in CalendarOutput.__struct_fields__ if name not in ("owner", "my_role")]


def show(calendar: Calendar, user: User) -> dict[str, Any]:
    shape = {name: getattr(calendar, name) for name in FIELDS}
    return {
        **shape,
        "owner": calendar.owner_id,
        "my_role": "owner" if calendar.owner_id == user.pk else "participant",
    }


def show_listed(calendar: Any, user: User) -> dict[str, Any]:
    counts = {
        name: getattr(calendar, name) for name in ("answered", "participant_count", "meeting_count")
    }
    return {**show(calendar, user), **counts}


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
        """List the calendars one owns or takes part in, the newest first."""
        rows, links = page(
            request,
            queries.calendars.calendar_list_for(request.user, _roles(request)),
            order=("-created_at", "id"),
        )
        return json_list((show_listed(calendar, request.user) for calendar in rows), links)

    @extend_schema(request=CalendarInput, responses={201: CalendarOutput})
    def post(self, request: Request) -> HttpResponse:
        """Make a calendar. Whoever makes it owns it and is its first participant."""
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

        `is_finalized: true` freezes times, suggestions, people and meetings and tells everyone the
        final times; meetings without one come back as warnings. `false` reopens it.
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
    # Not for_owner: whoever sends it again is the owner no more, because it was done.

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
    """Return the zone a new calendar will have, for the naive times sent with it; None if it is
    unknown, which the action refuses.
    """
    try:
        return zone_of(request.data.get("time_zone") or queries.calendars.home_zone(request.user))
    except (KeyError, ValueError, TypeError, OSError):
        return None
