"""Refusals -> pages: the only place where the pages' status codes are chosen."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from commontime.core import errors

STATUS: list[tuple[type[errors.Refusal], int]] = [
    (errors.NotFound, 404),
    (errors.NotAllowed, 403),
    (errors.InvalidInput, 422),
    (errors.Conflict, 409),
    (errors.TooMany, 429),
    (errors.Unidentified, 401),
]


def page_for(request: HttpRequest, refusal: errors.Refusal) -> HttpResponse:
    status = next((status for kind, status in STATUS if isinstance(refusal, kind)), 400)
    response = plain(request, status, refusal.detail)
    if isinstance(refusal, errors.TooMany):
        response["Retry-After"] = str(refusal.retry_after)
    return response


TITLES = {
    400: "That did not work",
    401: "Please sign in",
    403: "That is not yours to do",
    404: "Nothing is here",
    409: "Things have changed",
    422: "Please have another look",
    429: "A little too often",
    500: "That was our mistake",
    503: "Just a moment",
}


def plain(request: HttpRequest, status: int, detail: str) -> HttpResponse:
    # Who is signed in is in the database, which may be what went wrong.
    user = getattr(request, "user", None) if status < 500 else None
    return render(request, "web/error.html", {"title": TITLES[status], "detail": detail, "user": user}, status=status)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    return plain(request, 403, "This form came from another site or is too old. Go back, load the page anew and send it again.")
