"""Invitations, and emails from one person to another."""

from typing import Annotated, Any
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
from commontime.api.docs import means
from commontime.api.fields import Id, Moment, Text, UserId, Verbatim
from commontime.api.paging import page
from commontime.api.params import choice_param
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars import actions, limits, queries
from commontime.calendars.enums import InvitationStatus, MailKind
from commontime.calendars.models import Invitation
from commontime.core.errors import Refusal
from commontime.core.shapes import Fields

BOXES = ("received", "sent")


class InvitationInput(serializers.Serializer[Any]):
    calendar = Id()
    receiver = UserId(required=False, help_text="A user id. Send this or `email`.")
    email = Verbatim(required=False, help_text="For somebody who may have no account.")

    def validate(self, attrs: Fields) -> Fields:
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
        help_text="Plain text, only to people in one of your calendars.",
    )


class InvitationOutput(msgspec.Struct):
    id: UUID
    calendar: UUID
    calendar_name: str
    owner_name: str
    sender: int
    sender_name: str
    receiver: Annotated[int | None, means("null for an email address without an account.")]
    receiver_name: str
    email: Annotated[str, means("The address it was sent to; empty if it was sent to a user.")]
    status: InvitationStatus
    created_at: Moment
    answered_at: Moment | None


class FoundUser(msgspec.Struct):
    id: int
    username: str


class Queued(msgspec.Struct):
    detail: str


def show(invitation: Invitation) -> Fields:
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
            docs.query("box", "`received` by default.", choices=BOXES),
            docs.query("status", "Only those with this status.", choices=InvitationStatus.values),
            *docs.PAGING,
        ],
        responses={200: list[InvitationOutput]},
    )
    def get(self, request: Request) -> HttpResponse:
        """List your invitations, the newest first."""
        box = choice_param(request, "box", BOXES, "received")
        status = choice_param(request, "status", InvitationStatus.values)
        invitations = queries.invitations.invitations_for(request.user, box)
        if status:
            invitations = invitations.filter(status=status)
        rows, links = page(request, invitations, order=("-created_at", "id"))
        return json_list(map(show, rows), links)

    @extend_schema(
        request=InvitationInput,
        responses={
            201: InvitationOutput,
            403: "not_allowed",
            409: "already_invited already_participant calendar_finalized declined_recently",
            429: "too_many_requests",
        },
    )
    def post(self, request: Request) -> HttpResponse:
        """Invite a person by `receiver` or by `email`, as the owner.

        They get an email. Whoever declines can be invited again after seven days. The id of
        somebody you share no calendar with, and who is no contact of yours, counts like looking up
        a name, unless you looked theirs up within the last hour.
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
        """Show an invitation that you sent or received."""
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
        """Accept or decline an invitation that you received.

        The same answer again changes nothing.
        """
        answer = {"accepted": actions.accept_invitation, "declined": actions.decline_invitation}
        try:
            data = parse(InvitationAnswer, request)
        except (APIException, Refusal):
            # Only who sees the invitation learns what is wrong with the body. Otherwise the action
            # looks it up.
            queries.invitations.invitation_for(request.user, invitation_id)
            raise
        return json_answer(request, show(answer[data["status"]](invitation_id, by=request.user)))

    patch = put

    @extend_schema(
        responses={204: None, 403: "not_allowed", 409: "already_accepted declined_recently"}
    )
    def delete(self, request: Request, invitation_id: UUID) -> HttpResponse:
        """Withdraw an invitation that you sent; its link stops working at once.

        A declined one stays for seven days, and an accepted one as long as its person takes part.
        """
        actions.revoke_invitation(
            queries.invitations.invitation_for(request.user, invitation_id), by=request.user
        )
        return no_content()


class GetUserId(View):
    @extend_schema(responses={200: FoundUser, 429: "too_many_requests"})
    def get(self, request: Request, username: str) -> HttpResponse:
        """Find a user by their exact username, ignoring case.

        This is limited to 60 an hour, together with the ids of strangers that you send elsewhere.
        Whom you found you can name by their id for an hour.
        """
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
        """Email one of our fixed texts to a person.

        By default it is a `reminder` if you own the `calendar`, or one that you share; otherwise a
        `note`. Only owners remind, and nobody is reminded twice within 12 hours. An `invitation` is
        about a `calendar` to which you have invited them, and `final` about one where a meeting of
        theirs has a final time.

        You can email a person 5 times a day, and everybody together 20 times a day. The answer
        doesn't show whether they have muted you.
        """
        data = parse(MailInput, request)
        actions.send_letter(by=request.user, calendar_id=data.pop("calendar", None), **data)
        return json_answer(request, {"detail": "The email is on its way."}, status=202)
