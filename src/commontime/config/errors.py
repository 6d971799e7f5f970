"""Errors outside a view go to the door that the path belongs to."""

from django.http import HttpRequest, HttpResponse

from commontime.api import errors as api
from commontime.web import errors as web


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return web.plain(request, 400, "This request can't be read.") if _is_page(request) else api.bad_request(request)


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return web.plain(request, 403, "You may not see this.") if _is_page(request) else api.forbidden(request)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return web.plain(request, 404, "Perhaps the address is incomplete.") if _is_page(request) else api.not_found(request)


def server_error(request: HttpRequest) -> HttpResponse:
    return web.plain(request, 500, "It is noted. Nothing you entered was changed.") if _is_page(request) else api.server_error(request)


def _is_page(request: HttpRequest) -> bool:
    return request.path_info == "/" or request.path_info.startswith(("/app", "/static/"))
