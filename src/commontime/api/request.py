"""A request to the API, and who asks."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth.models import User
from rest_framework.authentication import BaseAuthentication
from rest_framework.request import Request as AnyRequest

from commontime.accounts import queries as accounts
from commontime.api import tokens
from commontime.core.errors import Unidentified

if TYPE_CHECKING:

    class Request(AnyRequest):
        """A request to one of our views: somebody is signed in, and the body is an object."""

        user: User
        data: dict[str, Any]

else:
    Request = AnyRequest


class SignedIn(BaseAuthentication):
    """Lets in the holder of an access token whose sign-in still holds."""

    def authenticate(self, request: AnyRequest) -> tuple[User, None]:
        kind, _, raw = request.META.get("HTTP_AUTHORIZATION", "").partition(" ")
        if kind.lower() != "bearer" or not raw:
            raise Unidentified(
                "Sign in and send the access token as Authorization: Bearer.",
                code="not_authenticated",
            )
        access = tokens.read_access(raw)
        view, path = request.parser_context["view"], request.parser_context["kwargs"]
        user = accounts.signed_in(access.session_id, epoch=access.epoch, along=view.joins(**path))
        if user is None:
            raise Unidentified("You are signed out; sign in again.", code="token_not_valid")
        return user, None

    def authenticate_header(self, request: AnyRequest) -> str:
        return "Bearer"
