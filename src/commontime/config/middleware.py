"""Middleware for every response, whichever door answered."""

import logging
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.csp import build_policy

from commontime.config import errors

Answer = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)

BODILESS = {204, 304}  # RFC 9110, 8.6: no Content-Length
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"


class HeadersMiddleware:
    """Set the headers of every response.

    It is the outermost middleware, so that errors and static files get them too.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response
        # Django's own middleware would build it again for each response.
        self.csp = build_policy(settings.SECURE_CSP)  # type: ignore[arg-type]

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        response.headers.setdefault("Content-Security-Policy", self.csp)
        response.headers.setdefault("Permissions-Policy", PERMISSIONS_POLICY)
        is_static = request.path_info.startswith("/static/") and response.status_code < 400
        if not is_static:
            # No shared cache may keep personal content, nor may the Back button show it after
            # signing out. Error pages name who is signed in.
            response.headers.setdefault("Cache-Control", "no-store")
            patch_vary_headers(response, ("Cookie", "Authorization"))
        if not response.streaming and response.status_code not in BODILESS:
            # Without it the server sends chunks, and a client can't notice a truncated response.
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


class HostMiddleware:
    """Refuse requests to host names that are not ours.

    Probes may use any address: the answer is one word.
    """

    PROBES = ("/healthz", "/readyz")

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            request.get_host()
        except DisallowedHost:
            if request.path_info.rstrip("/") not in self.PROBES:
                logger.warning(
                    "Refused the host %.80r. If it is ours, add it to COMMONTIME_ALLOWED_HOSTS.",
                    request.META.get("HTTP_HOST"),
                )
                return errors.bad_request(request)
        return self.get_response(request)


class OutageMiddleware:
    """Turn database outages into answers that say what to do."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.of_the_database(request, exception)
