"""Who is looking at the page, and in which language: the same session table as the API, found
through the session cookie.
"""

import re
from collections.abc import Callable
from typing import cast
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.urls.converters import UUIDConverter
from django.utils import translation
from django.utils.functional import SimpleLazyObject

from commontime.accounts import queries
from commontime.accounts.actions.sign_ins import NewSignIn
from commontime.calendars import queries as calendars

SESSION_KEY = "sign_in"
_ID = f"({UUIDConverter.regex})"
_NAMED = re.compile(f"/app/calendars/{_ID}/(?:meetings/{_ID}/)?")


class SignedInMiddleware:
    """Set `request.user` to the signed-in User or None, looked up once and only if asked for."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        request.user = SimpleLazyObject(lambda: _user(request))  # type: ignore[assignment]
        return self.get_response(request)


def _user(request: HttpRequest) -> object:
    sign_in = request.session.get(SESSION_KEY)
    return (
        queries.signed_in(UUID(sign_in[0]), epoch=sign_in[1], along=_along(request))
        if sign_in
        else None
    )


def _along(request: HttpRequest) -> list[queries.Along]:
    """Return what finds the calendar and the meeting that the path names; nothing where they may
    change while the request is answered.
    """
    named = _NAMED.match(request.path_info) if request.method in {"GET", "HEAD"} else None
    return (
        calendars.path.along(*(UUID(text) if text else None for text in named.groups()))
        if named
        else []
    )


class LanguageMiddleware:
    """Show a page in the language its reader chose, or before they sign in the one their browser
    asks for. The API speaks English.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_page(request):
            return self.get_response(request)
        with translation.override(language_of(request)):
            return self.get_response(request)


def is_page(request: HttpRequest) -> bool:
    """Return whether a person looks at this path, and not a program."""
    path = request.path_info
    return (
        path == "/"
        or path.startswith("/app")
        or (path.startswith("/password_reset/") and request.method in {"GET", "HEAD"})
    )


def language_of(request: HttpRequest) -> str:
    user = request.user
    return (
        queries.setting_of(cast(User, user)).locale
        if user
        else translation.get_language_from_request(request)
    )


def open_page_session(request: HttpRequest, sign_in: NewSignIn) -> None:
    """Bind the browser to a sign-in, under a new session id so that nobody can have planted it."""
    request.session.flush()
    request.session[SESSION_KEY] = [str(sign_in.session.pk), sign_in.session.epoch]
    rotate_token(request)
