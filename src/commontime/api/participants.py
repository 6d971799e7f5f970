"""Participants."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from commontime.api import docs
from commontime.api.answers import json_answer, json_list, no_content
from commontime.api.body import parse
from commontime.api.docs import means
from commontime.api.fields import Flag, Moment, UserId
from commontime.api.paging import page_of
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars import actions, queries
from commontime.calendars.models import CalendarParticipant
from commontime.core.shapes import Fields

REQUIRED = "Whether meetings need this person."
AGREED = (
    "Whether they take part by their own doing: accepted an invitation, gave or suggested a time, "
    "or said so here. Until then their meetings in other calendars count for nothing in this one."
)


class ParticipantInput(serializers.Serializer[Any]):
    user = UserId()
    required = Flag(required=False, help_text=REQUIRED)  # type: ignore[assignment]


class ParticipantChange(serializers.Serializer[Any]):
    required = Flag(help_text=REQUIRED)  # type: ignore[assignment]
    agreed = Flag(help_text="Say `true` of yourself: you take part. Leave if you don't want to.")

    def validate_agreed(self, agreed: bool) -> bool:
        if not agreed:
            raise serializers.ValidationError(
                "This can't be taken back. To take part no longer, leave the calendar."
            )
        return agreed


class ParticipantOutput(msgspec.Struct):
    id: UUID
    calendar: UUID
    user: int
    username: str
    first_name: str
    last_name: str
    required: Annotated[bool, means(REQUIRED)]
    answered: Annotated[bool, means("Whether they have given any times.")]
    agreed: Annotated[bool, means(AGREED)]
    joined_at: Moment


def show(participant: CalendarParticipant) -> Fields:
    user = participant.user
    return {
        "id": participant.pk,
        "calendar": participant.calendar_id,
        "user": user.pk,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "required": participant.required,
        "answered": participant.has_answered,
        "agreed": participant.agreed_at is not None,
        "joined_at": participant.joined_at,
    }


class Participants(View):
    for_owner = True

    @extend_schema(
        parameters=docs.PAGING, responses={200: list[ParticipantOutput], 403: "not_allowed"}
    )
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """List who takes part, in the order in which they joined."""
        calendar = request.auth.calendar()
        rows, links = page_of(request, queries.people.participant_rows(calendar))
        return json_list((ParticipantOutput(row[0], calendar_id, *row[1:]) for row in rows), links)

    @extend_schema(
        request=ParticipantInput,
        responses={
            201: ParticipantOutput,
            403: "not_allowed invitation_required",
            409: "already_participant calendar_finalized",
            429: "too_many_requests",
        },
    )
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        """Add a person, as the owner.

        They are told, and may leave. A pending invitation of theirs becomes accepted. People who
        let only their contacts add them must be invited: 403 `invitation_required`. The id of
        somebody you share no calendar with, and who is no contact of yours, counts like looking up
        a name, unless you looked theirs up within the last hour.
        """
        calendar = request.auth.calendar()
        participant = actions.add_participant(
            calendar, by=request.user, **parse(ParticipantInput, request)
        )
        return json_answer(
            request,
            show(participant),
            status=201,
            location=f"/calendars/{calendar_id}/participants/{participant.pk}/",
        )


class ParticipantOne(View):
    single = True

    @extend_schema(responses={200: ParticipantOutput, 403: "not_allowed"})
    def get(self, request: Request, calendar_id: UUID, participant_id: UUID) -> HttpResponse:
        """Show a participant."""
        calendar = request.auth.calendar()
        return json_answer(request, show(queries.people.participant_for(calendar, participant_id)))

    @extend_schema(
        request=docs.partial(ParticipantChange),
        responses={200: ParticipantOutput, 403: "not_allowed", 409: "calendar_finalized"},
    )
    def put(self, request: Request, calendar_id: UUID, participant_id: UUID) -> HttpResponse:
        """Say whether a participant is required, as the owner.

        Or, having been added by somebody, say that you take part: `{"agreed": true}`.
        """
        calendar = request.auth.calendar()
        participant = queries.people.participant_for(calendar, participant_id)
        data = parse(ParticipantChange, request, partial=True)
        says_so = data.pop("agreed", False)
        if data or not says_so:
            data = {"required": participant.required, **data}
            participant = actions.edit_participant(participant, by=request.user, **data)
        if says_so:
            participant = actions.take_part(participant, by=request.user)
        return json_answer(request, show(participant))

    patch = put

    @extend_schema(responses={204: None, 403: "not_allowed", 409: "calendar_finalized owner_stays"})
    def delete(self, request: Request, calendar_id: UUID, participant_id: UUID) -> HttpResponse:
        """Remove a participant, as the owner, or leave yourself.

        Their times are deleted, and upcoming meetings are cancelled for them.
        """
        calendar = request.auth.calendar()
        participant = queries.people.participant_for(calendar, participant_id)
        actions.remove_participant(participant, by=request.user)
        return no_content()
