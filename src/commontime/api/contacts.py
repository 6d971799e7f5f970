"""Contacts."""

from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.http import HttpResponse
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers

from commontime.api import docs
from commontime.api.answers import json_answer, json_list, no_content
from commontime.api.body import parse
from commontime.api.docs import means
from commontime.api.fields import LARGEST_USER_ID, Moment
from commontime.api.paging import page_of
from commontime.api.request import Request
from commontime.api.view import View
from commontime.calendars.actions import find_contact
from commontime.contacts import actions, queries
from commontime.contacts.models import Contact
from commontime.core.shapes import Fields


@extend_schema_field({"oneOf": [{"type": "integer"}, {"type": "string", "maxLength": 150}]})
class IdOrName(serializers.Field[Any, Any, Any, Any]):
    def to_internal_value(self, data: Any) -> int | str:
        if (
            isinstance(data, bool)
            or not isinstance(data, int | str)
            or data == ""
            or (isinstance(data, str) and "\x00" in data)
        ):
            raise serializers.ValidationError("Send a user id or a username.")
        if isinstance(data, int):
            return data if 0 < data <= LARGEST_USER_ID else 0
        return data[:451]


class ContactInput(serializers.Serializer[Any]):
    contactee = IdOrName(help_text="A user id or a username.")


class ContactOutput(msgspec.Struct):
    id: UUID
    contactee: Annotated[int, means("Their user id.")]
    username: str
    first_name: str
    last_name: str
    since: Moment
    mutual: Annotated[bool, means("Whether you are one of their contacts, too.")]


def show(contact: Any) -> Fields:
    user = contact.contactee
    names = {name: getattr(user, name) for name in ("username", "first_name", "last_name")}
    return {
        "id": contact.pk,
        "contactee": user.pk,
        **names,
        "since": contact.created_at,
        "mutual": contact.mutual,
    }


class Contacts(View):
    @extend_schema(parameters=docs.PAGING, responses={200: list[ContactOutput]})
    def get(self, request: Request) -> HttpResponse:
        """List your contacts, by their names."""
        rows, links = page_of(request, queries.contact_rows(request.user))
        return json_list((ContactOutput(*row) for row in rows), links)


class ContactAdd(View):
    @extend_schema(
        request=ContactInput,
        responses={201: ContactOutput, 409: "already_contact", 429: "too_many_requests"},
    )
    def post(self, request: Request) -> HttpResponse:
        """Add a person to your contacts; they are not told.

        The id of somebody you share no calendar with counts like looking up a name, unless you
        looked theirs up within the last hour.
        """
        contactee = parse(ContactInput, request)["contactee"]
        if isinstance(contactee, int):
            contactee = find_contact(contactee, by=request.user)
        contact: Contact = actions.add_contact(contactee, by=request.user)
        return json_answer(
            request, show(queries.with_mutual(contact)), status=201, location="/contacts/"
        )


class ContactDelete(View):
    @extend_schema(responses={204: None})
    def delete(self, request: Request, username: str) -> HttpResponse:
        """Remove a person from your contacts."""
        actions.remove_contact(username, by=request.user)
        return no_content()
