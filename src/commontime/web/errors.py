"""Refusals as pages: the only place that chooses their status codes."""

from typing import Any

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop

from commontime.core import errors, request_id

STATUS: list[tuple[type[errors.Refusal], int]] = [
    (errors.NotFound, 404),
    (errors.NotAllowed, 403),
    (errors.InvalidInput, 422),
    (errors.Conflict, 409),
    (errors.TooMany, 429),
    (errors.Unidentified, 401),
]


def status_of(refusal: errors.Refusal) -> int:
    return next((status for kind, status in STATUS if isinstance(refusal, kind)), 400)


def page_for(request: HttpRequest, refusal: errors.Refusal) -> HttpResponse:
    response = plain(request, status_of(refusal), refusal.detail)
    if isinstance(refusal, errors.TooMany):
        response["Retry-After"] = str(refusal.retry_after)
    return response


TITLES = {
    400: gettext_noop("That didn’t work"),
    401: gettext_noop("Please sign in"),
    403: gettext_noop("You’re not allowed to do that"),
    404: gettext_noop("There’s nothing here"),
    408: gettext_noop("That took too long"),
    409: gettext_noop("Things have changed"),
    413: gettext_noop("That’s too much at once"),
    422: gettext_noop("Please check this again"),
    429: gettext_noop("Please try again later"),
    500: gettext_noop("Something went wrong on our side"),
    503: gettext_noop("Just a moment"),
}


def plain(request: HttpRequest, status: int, detail: str, **more: Any) -> HttpResponse:
    # Who is signed in is in the database, which may be what went wrong.
    user = getattr(request, "user", None) if status < 500 else None
    context = {
        "title": _(TITLES[status]),
        "detail": detail,
        "user": user,
        "sign_up": settings.SIGN_UP,
        "back": _sent_from(request),
        "request_id": request_id.current.get(),
        **more,
    }
    return render(request, "web/error.html", context, status=status)


def _sent_from(request: HttpRequest) -> str:
    """Return our page that sent a form."""
    try:
        source, ours = request.headers.get("Referer", ""), request.build_absolute_uri("/")
    except DisallowedHost:
        return ""  # that is why it was refused
    return (
        "/" + source.removeprefix(ours).lstrip("/\\")
        if request.method == "POST" and source.startswith(ours)
        else ""
    )
