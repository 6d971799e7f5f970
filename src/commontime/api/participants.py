"""Participants: shapes, then views."""

from datetime import datetime
from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers

from commontime.api import docs
from commontime.api.base import Request, View, gone, listed, page, parse, require_match, shown
from commontime.api.fields import Flag, UserId
from commontime.calendars import actions, queries
from commontime.calendars.models import CalendarParticipant


class ParticipantInput(serializers.Serializer[Any]):
    user = UserId()
    required = Flag(required=False)  # type: ignore[assignment]


class ParticipantChange(serializers.Serializer[Any]):
    required = Flag()  # type: ignore[assignment]


class ParticipantOutput(msgspec.Struct):
    id: UUID
    calendar: UUID
    user: int
    username: str
    first_name: str
    last_name: str
    required: bool
    answered: bool
    joined_at: datetime


def show(participant: CalendarParticipant) -> dict[str, Any]:
    user = participant.user
    return {
        "id": participant.pk,
        "calendar": participant.calendar_id,
        "user": user.pk,
        "username": user.username,
        "first_name": user.first_name,
        "last_name": user.last_name,
        "required": participant.required,
        "answered": participant.has_answered,  # type: ignore[attr-defined]
        "joined_at": participant.joined_at,
    }


class Participants(View):
    @extend_schema(parameters=docs.PAGING, responses={200: list[ParticipantOutput]})
    def get(self, request: Request, calendar_id: UUID) -> HttpResponse:
        calendar = queries.calendar_for(request.user, calendar_id)
        rows, links = page(request, queries.participants_of(calendar), order=("joined_at", "id"))
        return listed(request, map(show, rows), links)

    @extend_schema(request=ParticipantInput, responses={201: ParticipantOutput})
    def post(self, request: Request, calendar_id: UUID) -> HttpResponse:
        calendar = queries.calendar_for(request.user, calendar_id)
        participant = actions.add_participant(calendar, by=request.user, **parse(ParticipantInput, request))
        return shown(request, show(participant), status=201, location=f"/calendars/{calendar_id}/participants/{participant.pk}/")


class ParticipantOne(View):
    @extend_schema(responses={200: ParticipantOutput})
    def get(self, request: Request, calendar_id: UUID, participant_id: UUID) -> HttpResponse:
        calendar = queries.calendar_for(request.user, calendar_id)
        return shown(request, show(queries.participant_for(request.user, calendar, participant_id)))

    @extend_schema(request=ParticipantChange, responses={200: ParticipantOutput})
    def put(self, request: Request, calendar_id: UUID, participant_id: UUID) -> HttpResponse:
        calendar = queries.calendar_for(request.user, calendar_id)
        participant = queries.participant_for(request.user, calendar, participant_id)
        data = parse(ParticipantChange, request)
        require_match(request, lambda: show(participant))
        return shown(request, show(actions.edit_participant(participant, by=request.user, **data)))

    patch = put

    @extend_schema(responses={204: None})
    def delete(self, request: Request, calendar_id: UUID, participant_id: UUID) -> HttpResponse:
        calendar = queries.calendar_for(request.user, calendar_id)
        participant = queries.participant_for(request.user, calendar, participant_id)
        require_match(request, lambda: show(participant))
        actions.remove_participant(participant, by=request.user)
        return gone()
