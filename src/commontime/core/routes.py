"""Routes with an optional trailing slash. A redirect would lose the body of a POST."""

from typing import Any

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern

NO_ROUTE = "(no route)"


class EitherSlash(RoutePattern):
    """A route that matches with and without a trailing slash. `reverse` writes it as declared."""

    def __init__(self, route: str, name: str | None = None, is_endpoint: bool = False) -> None:
        super().__init__(route, name, is_endpoint)
        self._stem = route.partition("<")[0].rstrip("/")
        self._is_file = not route.endswith("/") and route != ""

    def match(self, path: str) -> Any:
        if not path.startswith(self._stem):  # quick: most routes of every request end here
            return None
        if "\x00" in path:  # PostgreSQL refuses it
            return None
        if self._is_file:
            return super().match(path.removesuffix("/"))
        return super().match(path if not path or path.endswith("/") else f"{path}/")


def route(path: str, view: Any, *, name: str | None = None) -> URLPattern:
    """Return a URL pattern like django.urls.path; `view` may be a view class."""
    pattern = EitherSlash(path, name=name, is_endpoint=True)
    return URLPattern(pattern, view.as_view() if hasattr(view, "as_view") else view, None, name)


def pattern_of(request: Any) -> str:
    """Return the pattern of a request's route, such as `/calendars/<uuid:calendar_id>/`."""
    if match := request.resolver_match:
        return f"/{match.route}"
    return "/static/" if request.path_info.startswith("/static/") else NO_ROUTE
