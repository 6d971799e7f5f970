"""What holds for every response, whichever room answered."""

import logging
from collections.abc import Callable

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.utils.cache import patch_vary_headers

Answer = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)

BODILESS = {204, 304}  # RFC 9110, 8.6: no Content-Length
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class HeadersMiddleware:
    """Outermost, so that errors and static files carry the same headers as everything else."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        if not request.path_info.startswith("/static/"):
            # What a person may see must not stay in a shared cache, nor behind the Back button after signing out.
            response.headers.setdefault("Cache-Control", "no-store")
            patch_vary_headers(response, ("Cookie", "Authorization"))
        if not response.streaming and response.status_code not in BODILESS:
            # Without it the server cuts the answer into chunks, and a client can't tell a whole one from a torn one by its length.
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


class OutageMiddleware:
    """Turn a database that is away into 503 with Retry-After instead of an error page."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        if not isinstance(exception, OperationalError | InterfaceError):
            return None
        logger.error("The database is away: %s", exception)
        return JsonResponse(
            {"code": "unavailable", "detail": "The database does not answer. Nothing was changed; try again in a moment."},
            status=503,
            headers={"Retry-After": "5"},
        )
