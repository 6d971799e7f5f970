"""A request to the API, and who asks."""

from typing import TYPE_CHECKING

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request as AnyRequest

from commontime.accounts import queries as accounts
from commontime.api import tokens
from commontime.calendars.queries import path
from commontime.calendars.queries.path import Auth
from commontime.core.errors import Unidentified
from commontime.core.shapes import Fields

if TYPE_CHECKING:

    class Request(AnyRequest):
        """A request to one of our views. Somebody is signed in, and the body is an object."""

        user: User
        auth: Auth
        data: Fields

else:
    Request = AnyRequest


class SignedIn(BaseAuthentication):
    """Lets in the holder of an access token. Its sign-in must still hold."""

    def authenticate(self, request: AnyRequest) -> tuple[User, Auth]:
        kind, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer" or not raw:
            raise Unidentified(
                "Sign in and send the access token as Authorization: Bearer.",
                code="not_authenticated",
            )
        access = tokens.read_access(raw)
        view, names = request.parser_context["view"], request.parser_context["kwargs"]
        # What the path names and the answer to an earlier try come in the same statement.
        joins = [
            path.join(names.get("calendar_id"), names.get("meeting_id")),
            view.once and view.once.join(),
        ]
        signed_in = accounts.signed_in(access.session_id, epoch=access.epoch, joins=joins)
        if signed_in is None:
            raise Unidentified("You are signed out; sign in again.", code="token_not_valid")
        sign_in, (target, earlier) = signed_in
        if view.once:
            view.once.earlier = earlier
        return sign_in.user, Auth(sign_in, target)

    def authenticate_header(self, request: AnyRequest) -> str:
        return "Bearer"
