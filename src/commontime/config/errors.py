"""Errors outside a view.

Each is answered by the door its path belongs to. A browser at an unknown path gets a page.
"""

import logging
import sys

from django.core.exceptions import RequestDataTooBig
from django.db import IntegrityError, InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.translation import gettext as _

from commontime.api import errors as api
from commontime.api.urls import about_the_api, urlpatterns
from commontime.web import errors as web
from commontime.web.middleware import is_page, language_of

logger = logging.getLogger(__name__)
RETRY_AFTER = "5"
# The first segments of the API's paths.
API = {str(route.pattern).partition("/")[0] for route in [*urlpatterns, *about_the_api]}


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if not is_for_people(request):
        return api.bad_request(request)
    if isinstance(exception, RequestDataTooBig):
        return web.plain(
            request, 413, _("You can send at most 1 MB at once. Nothing was changed; send less.")
        )
    return web.plain(request, 400, _("This request can’t be read."))


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return (
        web.plain(request, 403, _("You’re not allowed to see this."))
        if is_for_people(request)
        else api.forbidden(request)
    )


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if not is_for_people(request) and not _is_lost(request):
        return api.not_found(request)
    with translation.override(language_of(request)):
        return web.plain(
            request, 404, _("The address may be incomplete, or what was here has been deleted.")
        )


def _is_lost(request: HttpRequest) -> bool:
    """Return whether a browser asks outside both doors."""
    # Not every path begins with a slash: `OPTIONS *` asks about the server (RFC 9110, 9.3.7).
    if request.path_info.removeprefix("/").partition("/")[0] in API:
        return False
    return request.get_preferred_type(["application/json", "text/html"]) == "text/html"


def server_error(request: HttpRequest) -> HttpResponse:
    # An outage outside a view arrives here, for example while a page's session is stored.
    if (exception := sys.exc_info()[1]) and (answer := of_the_database(request, exception)):
        return answer
    return (
        web.plain(request, 500, _("The error has been logged. Nothing was changed."))
        if is_for_people(request)
        else api.server_error(request)
    )


def of_the_database(request: HttpRequest, exception: BaseException) -> HttpResponse | None:
    """Answer 503 for an outage, 409 for a row that was just deleted, else None."""
    if isinstance(exception, OperationalError | InterfaceError):
        logger.error("The database is away: %s", exception)
        return unavailable(request)
    if isinstance(exception, IntegrityError) and _is_orphan(exception):
        logger.info("Two changes clashed: %s", exception)
        return _clash(request)
    return None


def late(request: HttpRequest) -> HttpResponse:
    """Answer a request whose body did not arrive in time."""
    detail = _("This request took too long to arrive. Nothing was changed; send it again.")
    answer = _for_either_door(request, 408, "request_timeout", detail)
    answer["Connection"] = "close"
    return answer


def crowded(request: HttpRequest) -> HttpResponse:
    """Answer a request while too many others only trickle in."""
    detail = _("Too many requests are arriving. Nothing was changed; try again in a moment.")
    return _try_again(request, detail)


def unavailable(request: HttpRequest) -> HttpResponse:
    detail = _("The database isn’t responding. Nothing was changed; try again in a moment.")
    return _try_again(request, detail)


def _try_again(request: HttpRequest, detail: str) -> HttpResponse:
    answer = _for_either_door(request, 503, "unavailable", detail)
    answer["Retry-After"] = RETRY_AFTER
    return answer


def _clash(request: HttpRequest) -> HttpResponse:
    detail = _(
        "Something you were working on has just been deleted. Nothing was changed; load it again."
    )
    return _for_either_door(request, 409, "changed_meanwhile", detail)


def _for_either_door(request: HttpRequest, status: int, code: str, detail: str) -> HttpResponse:
    """Return the error as a page for people, or as the API's problem."""
    if is_for_people(request):
        return web.plain(request, status, detail)
    return api.problem(status, code, detail)


def _is_orphan(exception: IntegrityError) -> bool:
    """Return whether a row refers to a deleted one.

    Both databases check references when the transaction ends.
    """
    return getattr(exception.__cause__, "sqlstate", "") == "23503" or "FOREIGN KEY" in str(
        exception
    )


def is_for_people(request: HttpRequest) -> bool:
    """Return whether an error here becomes a page."""
    return is_page(request) or request.path_info.startswith("/static/")
