"""Who looks at a page, and in which language.

The session cookie leads to the same session table as the API's tokens.
"""

import re
from collections.abc import Callable
from typing import Any, cast
from uuid import UUID

from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.middleware.csrf import rotate_token
from django.urls.converters import UUIDConverter
from django.utils import translation
from django.utils.functional import SimpleLazyObject

from commontime.accounts import queries
from commontime.accounts.actions.sign_ins import NewSignIn
from commontime.calendars.queries import path

SESSION_KEY = "sign_in"
_ID = f"({UUIDConverter.regex})"
_PATH = re.compile(f"/app/calendars/{_ID}/(?:meetings/{_ID}/)?")


class SignedInMiddleware:
    """Set `request.auth` and `request.user`, both None for the signed-out.

    They are looked up once, and only if asked for.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        identify(request)
        return self.get_response(request)


def identify(request: HttpRequest) -> None:
    """Look up who asks, again after a sign-in."""
    auth: Any = SimpleLazyObject(lambda: _auth(request))
    page = cast(Any, request)
    page.auth = auth
    page.user = SimpleLazyObject(lambda: auth.user if auth else None)


def _auth(request: HttpRequest) -> path.Auth | None:
    cookie = request.session.get(SESSION_KEY)
    if not cookie:
        return None
    joins = [path.join(*_ids_in_path(request))]
    signed_in = queries.signed_in(UUID(cookie[0]), epoch=cookie[1], joins=joins)
    if signed_in is None:
        return None
    sign_in, (target,) = signed_in
    return path.Auth(sign_in, target)


def _ids_in_path(request: HttpRequest) -> tuple[UUID | None, UUID | None]:
    """Return the ids of a page's calendar and meeting.

    None for a page that changes something: it may have to look again afterwards.
    """
    match = _PATH.match(request.path_info) if request.method in {"GET", "HEAD"} else None
    if match is None:
        return None, None
    calendar_id, meeting_id = match.groups()
    return UUID(calendar_id), UUID(meeting_id) if meeting_id else None


class LanguageMiddleware:
    """Show a page in its reader's language. Before signing in that is the browser's.

    The API speaks English.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not is_page(request):
            return self.get_response(request)
        with translation.override(language_of(request)):
            return self.get_response(request)


def is_page(request: HttpRequest) -> bool:
    """Return whether people look at this path, not programs."""
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
    """Bind the browser to a sign-in. The session id is new, so nobody can have planted it."""
    request.session.flush()
    request.session[SESSION_KEY] = [str(sign_in.session.pk), sign_in.session.epoch]
    rotate_token(request)
