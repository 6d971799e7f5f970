"""Middleware for every response, whichever door answered."""

import gzip
import logging
import re
import time
from collections.abc import Callable
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any, override

from django.conf import settings
from django.core.exceptions import DisallowedHost, RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.utils.cache import patch_vary_headers
from django.utils.csp import build_policy
from whitenoise.middleware import WhiteNoiseMiddleware  # type: ignore[import-untyped]

from commontime.api.body import is_too_long
from commontime.config import bodies, errors
from commontime.core import links, metrics, request_id
from commontime.core.clients import is_from_proxy
from commontime.core.routes import pattern_of
from commontime.web.compression import compressed_answer

Answer = Callable[[HttpRequest], HttpResponse]
logger = logging.getLogger(__name__)

BODILESS = {204, 304}  # RFC 9110, 8.6: no Content-Length
PERMISSIONS_POLICY = "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
WELL_FORMED = re.compile(r"[0-9A-Za-z._-]{8,64}")


class RequestMiddleware:
    """Give every request an id, and count it.

    It is the outermost middleware, so that the time includes everything.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began, name = time.perf_counter(), _id_of(request)
        request_id.current.set(name)
        response = self.get_response(request)
        response.headers["X-Request-ID"] = name
        metrics.count_request(
            pattern_of(request), request.method, response.status_code, time.perf_counter() - began
        )
        return response


def _id_of(request: HttpRequest) -> str:
    """Return the id that a trusted proxy gave a request, or a new one."""
    given = str(request.META.get("HTTP_X_REQUEST_ID", ""))
    if WELL_FORMED.fullmatch(given) and is_from_proxy(request.META):
        return given
    return request_id.new()


class HeadersMiddleware:
    """Set the headers of every response, of errors and static files too."""

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
        if links.is_in(request.get_full_path()):
            # The origin alone: without it browsers send forms with `Origin: null`, which the check
            # of their token refuses.
            response.headers["Referrer-Policy"] = "strict-origin"
            response.headers["X-Robots-Tag"] = "noindex"
        if is_too_long(request) or response.status_code == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            # Its body stays unread, so the server ends the connection: the client must know.
            response.headers["Connection"] = "close"
        if not response.streaming and response.status_code not in BODILESS:
            # Without it the server sends chunks, and a client can't notice a truncated response.
            response.headers.setdefault("Content-Length", str(len(response.content)))
        return response


class HostMiddleware:
    """Refuse requests to host names that are not ours.

    Probes may use any address: the answer is one word.
    """

    PROBES = ("/healthz", "/readyz", "/metrics")

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


class BodyMiddleware:
    """Refuse a page's body of more than 1 MB before anything reads it.

    Django's own limit leaves out files in a form, and writes them to the disk, whoever sends them.
    The API reads no forms, and asks the length itself once it knows who asks.
    """

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if errors.is_for_people(request) and is_too_long(request):
            return errors.bad_request(request, RequestDataTooBig())
        return self.get_response(request)


class ArrivalMiddleware:
    """Refuse requests that did not arrive whole (config/bodies.py)."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        match request.META.get("commontime.fault"):
            case bodies.Late():
                return errors.late(request)
            case bodies.NoPlace():
                return errors.crowded(request)
        return self.get_response(request)


class OutageMiddleware:
    """Turn database outages into answers that say what to do."""

    def __init__(self, get_response: Answer) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        return self.get_response(request)

    def process_exception(self, request: HttpRequest, exception: Exception) -> HttpResponse | None:
        return errors.of_the_database(request, exception)


class FilesMiddleware(WhiteNoiseMiddleware):  # type: ignore[misc]
    """Serve static files, the large ones compressed: the script of /docs/ has 1.6 MB."""

    LARGE = 20_000  # bytes
    TEXTS = ("text/javascript", "text/css")

    @staticmethod
    @override
    def serve(static_file: Any, request: HttpRequest) -> Any:
        plain = WhiteNoiseMiddleware.serve(static_file, request)
        is_whole = request.method == "GET" and plain.status_code == 200
        if not is_whole or not _is_worth_packing(plain):
            return plain
        plain.close()
        path, _headers = static_file.get_path_and_headers(request.META)
        response = compressed_answer(request, _packed(path))
        for name in ("Content-Type", "ETag", "Last-Modified", "Cache-Control"):
            response.headers[name] = plain.headers[name]
        return response


def _is_worth_packing(response: HttpResponse) -> bool:
    kind = response.headers.get("Content-Type", "").partition(";")[0]
    length = int(response.headers.get("Content-Length", 0))
    return kind in FilesMiddleware.TEXTS and length > FilesMiddleware.LARGE


@cache
def _packed(path: str) -> bytes:
    return gzip.compress(Path(path).read_bytes(), 9, mtime=0)
