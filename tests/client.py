"""A caller of the API, in process: real requests through every middleware, JSON in and out."""

import json
from dataclasses import dataclass, field
from typing import Any, Self

from django.contrib.auth.models import User
from django.http import HttpResponse

from stage import callers
from tests import build
from tests.pages import Client


@dataclass
class Caller(callers.Caller):
    """A caller in this process; `user` signs in if no name is given."""

    user: User | None = None
    client: Client = field(default_factory=lambda: Client(raise_request_exception=True))

    def sign_in(self, name: str = "", password: str = build.PASSWORD) -> Self:
        return super().sign_in(name or self.user.username, password)

    def __call__(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        extra = {f"HTTP_{name.upper()}": value for name, value in headers.items()}
        if self.access and "HTTP_AUTHORIZATION" not in extra:
            extra["HTTP_AUTHORIZATION"] = f"Bearer {self.access}"
        content: dict[str, Any] = {}
        if body is not None:
            content = {
                "data": body if isinstance(body, bytes) else json.dumps(body),
                "content_type": "application/json",
            }
        response: HttpResponse = self.client.generic(method.upper(), path, **content, **extra)
        response.data = (
            json.loads(response.content)
            if response.get("Content-Type", "").startswith("application/json") and response.content
            else None
        )
        return response


def caller(user: User | str | None = None) -> Caller:
    """A signed-in caller, made for this name if need be; without one, an anonymous caller."""
    if user is None:
        return Caller()
    person = build.user(user) if isinstance(user, str) else user
    return Caller(user=person).sign_in()
