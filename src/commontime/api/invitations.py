"""Invitations, and mails from one person to another: shapes, then views."""

from typing import Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.exceptions import APIException

from commontime.accounts.actions import names
from commontime.accounts.names import full_name
from commontime.api import docs
from commontime.api.answers import json_answer, json_list, no_content
from commontime.api.body import parse
from commontime.api.fields import Id, Moment, Text, UserId, Verbatim
from commontime.api.paging import page
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars import actions, limits, queries
from commontime.calendars.enums import InvitationStatus, MailKind
from commontime.calendars.models import Invitation
from commontime.core.errors import InvalidInput, Refusal


class InvitationInput(serializers.Serializer[Any]):
    calendar = Id()
    receiver = UserId(required=False, help_text="A user id; or send `email`.")
    email = Verbatim(required=False, help_text="For somebody without an account.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if ("receiver" in attrs) == ("email" in attrs):
            raise serializers.ValidationError({"receiver": ["Send either receiver or email."]})
        return attrs


class InvitationAnswer(serializers.Serializer[Any]):
    status = serializers.ChoiceField([InvitationStatus.ACCEPTED, InvitationStatus.DECLINED])


class MailInput(serializers.Serializer[Any]):
    username = Text(longest=150)
    calendar = Id(required=False, allow_null=True)
    kind = serializers.ChoiceField(MailKind.choices, required=False)
    note = Text(
        longest=limits.NOTE,
        lines=True,
        required=False,
        allow_blank=True,
        help_text="Plain text, only to people with whom you share a calendar.",
    )


class InvitationOutput(msgspec.Struct):
    id: UUID
    calendar: UUID
    calendar_name: str
    owner_name: str
    sender: int
    sender_name: str
    receiver: int | None
    receiver_name: str
    email: str
    status: InvitationStatus
    created_at: Moment
    answered_at: Moment | None


class FoundUser(msgspec.Struct):
    id: int
    username: str


class Queued(msgspec.Struct):
    detail: str


def show(invitation: Invitation) -> dict[str, Any]:
    receiver = invitation.receiver
    return {
        "id": invitation.pk,
        "calendar": invitation.calendar_id,
        "calendar_name": invitation.calendar.name,
        "owner_name": full_name(invitation.calendar.owner),
        "sender": invitation.sender_id,
        "sender_name": full_name(invitation.sender),
        "receiver": invitation.receiver_id,
        "receiver_name": full_name(receiver) if receiver else "",
        "email": invitation.email,
        "status": invitation.status,
        "created_at": invitation.created_at,
        "answered_at": invitation.answered_at,
    }


class Invitations(View):
    @extend_schema(
        parameters=[
            docs.query("box", "`received` if left out.", choices=["received", "sent"]),
            docs.query("status", "Only those with this status.", choices=InvitationStatus.values),
            *docs.PAGING,
        ],
        responses={200: list[InvitationOutput]},
    )
    def get(self, request: Request) -> HttpResponse:
        """List one's invitations, the newest first."""
        box, status = (
            request.query_params.get("box", "received"),
            request.query_params.get("status", ""),
        )
        if box not in ("received", "sent"):
            raise InvalidInput("box must be received or sent.", field="box")
        if status not in ("", *InvitationStatus.values):
            raise InvalidInput(
                f"status is one of: {', '.join(InvitationStatus.values)}.", field="status"
            )
        rows = queries.invitations.invitations_for(request.user, box)
        found, links = page(
            request, rows.filter(status=status) if status else rows, order=("-created_at", "id")
        )
        return json_list(map(show, found), links)

    @extend_schema(
        request=InvitationInput,
        responses={
            201: InvitationOutput,
            403: "not_allowed",
            409: "already_invited already_participant calendar_finalized declined_recently",
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Invite a person by `receiver` or by `email`, as the owner.

        Send one of the two; the person at an `email` may have no account. They get an email. Whoever
        declines can be invited again after seven days.
        """
        data = parse(InvitationInput, request)
        if "email" in data:
            invitation = actions.invite_address(
                data["calendar"], by=request.user, email=data["email"]
            )
        else:
            invitation = actions.invite_person(
                data["calendar"], by=request.user, receiver=data["receiver"]
            )
        return json_answer(
            request,
            show(invitation),
            status=201,
            location=f"/calendars/invitations/{invitation.pk}/",
        )


class InvitationOne(View):
    single = True

    @extend_schema(responses={200: InvitationOutput})
    def get(self, request: Request, invitation_id: UUID) -> HttpResponse:
        """Show an invitation one sent or received."""
        return json_answer(
            request, show(queries.invitations.invitation_for(request.user, invitation_id))
        )

    @extend_schema(
        request=InvitationAnswer,
        responses={
            200: InvitationOutput,
            403: "not_allowed",
            409: "already_answered calendar_finalized",
        },
    )
    def put(self, request: Request, invitation_id: UUID) -> HttpResponse:
        """Accept or decline an invitation one received. The same answer again changes nothing."""
        answer = {"accepted": actions.accept_invitation, "declined": actions.decline_invitation}
        try:
            data = parse(InvitationAnswer, request)
        except (APIException, Refusal):
            # What is wrong with the body is told only of an invitation one sees. Else the action
            # looks it up.
            queries.invitations.invitation_for(request.user, invitation_id)
            raise
        return json_answer(request, show(answer[data["status"]](invitation_id, by=request.user)))

    patch = put

    @extend_schema(
        responses={204: None, 403: "not_allowed", 409: "already_accepted declined_recently"}
    )
    def delete(self, request: Request, invitation_id: UUID) -> HttpResponse:
        """Take back an invitation one sent; its link is dead from now on.

        One that was declined stays for seven days, one that was accepted as long as its person
        takes part.
        """
        actions.revoke_invitation(
            queries.invitations.invitation_for(request.user, invitation_id), by=request.user
        )
        return no_content()


class GetUserId(View):
    @extend_schema(responses={200: FoundUser, 429: "too_many_requests"})
    def get(self, request: Request, username: str) -> HttpResponse:
        """Find a user by the exact name, ignoring case. Limited to 60 an hour."""
        user = names.look_up(username, by=request.user)
        return json_answer(request, {"id": user.pk, "username": user.username})


class SendEmail(View):
    @extend_schema(
        request=MailInput,
        responses={
            202: Queued,
            403: "no_shared_calendar not_allowed",
            404: "not_found",
            429: "too_many_requests reminded_lately",
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Have one of our fixed letters mailed to a person.

        By default it is a `reminder` where you own a calendar that you share, or the `calendar`
        named; else a `note`. Only owners remind, each person once in 12 hours.

        `invitation` and `final` are about a `calendar`: one to which you have invited them, or
        where a meeting of theirs has a final time. Whether they have muted you is not told. At most
        5 a day to one person, and 20 a day for one receiver.
        """
        data = parse(MailInput, request)
        actions.send_letter(by=request.user, calendar_id=data.pop("calendar", None), **data)
        return json_answer(request, {"detail": "The mail is on its way."}, status=202)
