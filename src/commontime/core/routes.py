"""Routes that answer with and without their trailing slash, without a redirect that would lose the
body of a POST.
"""

from typing import Any

from django.urls import URLPattern
from django.urls.resolvers import RoutePattern


class EitherSlash(RoutePattern):
    """A route that ends in a slash and matches the path without it too."""

    def __init__(self, route: str, name: str | None = None, is_endpoint: bool = False) -> None:
        super().__init__(route, name, is_endpoint)
        self._stem = route.partition("<")[0].rstrip("/")

    def match(self, path: str) -> Any:
        if not path.startswith(self._stem):  # most routes, for every request
            return None
        if "\x00" in path:  # nothing is called so, and PostgreSQL can't be asked
            return None
        return super().match(path if not path or path.endswith("/") else f"{path}/")


def route(path: str, view: Any, *, name: str | None = None) -> URLPattern:
    """Return the pattern of a path, as in django.urls.path; a view class is taken as it is."""
    pattern = EitherSlash(
        path if path.endswith("/") or not path else f"{path}/", name=name, is_endpoint=True
    )
    return URLPattern(pattern, view.as_view() if hasattr(view, "as_view") else view, None, name)
